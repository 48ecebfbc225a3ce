//! Timestamps in SQL have microseconds, of which 64 bits hold all years that PostgreSQL knows; the planner's have nanoseconds,
//! which begin in 1678 and end in 2262. And `AT TIME ZONE` and `extract` are functions, intervals texts that the planner reads
//! as PostgreSQL does. `dec` is another word for `numeric` that the planner does not know.

use datafusion::sql::sqlparser::ast::{ArrayElemTypeDef, DataType as Type, DateTimeField, Expr};

use super::{call, intervals, quoted, told_types};
use crate::Result;

/// Rewrites a cast, a typed text, an interval, `AT TIME ZONE` or `extract`.
pub(super) fn rewrite(expression: &mut Expr) -> Result<()> {
    if let Some(interval) = intervals::written(expression)? {
        *expression = interval;
    }
    match expression {
        Expr::Cast { data_type, .. } => with_microseconds(data_type),
        Expr::TypedString(typed) => with_microseconds(&mut typed.data_type),
        Expr::AtTimeZone { timestamp, time_zone } => {
            *expression = call("timezone", vec![*time_zone.clone(), *timestamp.clone()]);
        }
        Expr::Extract { field, expr, .. } => {
            let name = match field {
                DateTimeField::Custom(word) => word.value.clone(),
                other => other.to_string(),
            };
            let field = quoted(name);
            *expression = call("extract", vec![field, *expr.clone()]);
        }
        _ => {}
    }
    Ok(())
}

/// The digits of a second that the planner's timestamps of microseconds have.
const MICROSECONDS: u64 = 6;

/// A type whose timestamps have microseconds where it does not say what they have. Those that say digits are no types of the
/// planner's, whose timestamps of seconds and milliseconds are others than PostgreSQL's; but for instants of six digits, which
/// are those of all.
pub(in crate::session) fn with_microseconds(data_type: &mut Type) {
    match data_type {
        Type::Timestamp(precision, zone) if told_types::has_zone(zone) && is_of_micros(*precision) => {
            *precision = Some(MICROSECONDS);
        }
        Type::Timestamp(Some(_), _) => {
            if let Ok(Some(told)) = told_types::told_by(data_type) {
                *data_type = told_types::with_modifier(told);
            }
        }
        Type::Array(ArrayElemTypeDef::AngleBracket(item) | ArrayElemTypeDef::SquareBracket(item, _)) => {
            match item.as_mut() {
                Type::Timestamp(precision, _) => *precision = precision.or(Some(MICROSECONDS)),
                item => with_microseconds(item),
            }
        }
        Type::Dec(digits) => *data_type = Type::Numeric(*digits),
        _ => {}
    }
}

fn is_of_micros(precision: Option<u64>) -> bool {
    precision.is_none_or(|digits| digits == MICROSECONDS)
}
