//! Operands that nothing says a type of: NULL, a text in quotes, and a parameter whose type is not known yet.
//!
//! PostgreSQL gives one beside another operand the type that the operator has there, which is mostly the other's: `d - $1` is of
//! two dates, `ts + $1` of an interval, and `d + $1` could be either.

use arrow::datatypes::{DataType, IntervalUnit};
use datafusion::{
    common::{DFSchema, ScalarValue},
    logical_expr::{Cast, Expr, ExprSchemable, Operator, expr::Placeholder},
};

use super::steps::is_comparison;
use crate::pgtype::ZONED_TIME;

pub(super) const INTERVAL: DataType = DataType::Interval(IntervalUnit::MonthDayNano);

/// What is known of an operand.
#[derive(Debug, Clone, PartialEq)]
pub(super) enum Operand {
    /// Nothing says its type.
    Open,
    /// It has this one.
    Of(DataType),
    /// It has one, which cannot be told.
    Unclear,
}

/// The type of an open operand.
#[derive(Debug, Clone, PartialEq)]
pub(super) enum Beside {
    /// This one.
    Type(DataType),
    /// There are several that it could have.
    Several,
    /// There is no such operator.
    None,
}

impl Operand {
    pub(super) fn of(operand: &Expr, schema: &DFSchema) -> Self {
        if is_open(operand) {
            return Self::Open;
        }
        match operand.get_type(schema) {
            Ok(DataType::Null) => Self::Open,
            Ok(data_type) => Self::Of(data_type),
            Err(_) => Self::Unclear,
        }
    }
}

pub(super) fn is_open(operand: &Expr) -> bool {
    match operand {
        Expr::Literal(ScalarValue::Utf8(Some(_)) | ScalarValue::Null, _) => true,
        Expr::Placeholder(placeholder) => type_of(placeholder).is_none(),
        Expr::Alias(alias) => is_open(&alias.expr),
        _ => false,
    }
}

/// The type of a parameter, if it is known.
pub(super) fn type_of(placeholder: &Placeholder) -> Option<&DataType> {
    placeholder.field.as_ref().map(|field| field.data_type()).filter(|data_type| !data_type.is_null())
}

/// The type of an open operand beside one of another type. PostgreSQL 15's operators.
pub(super) fn beside(op: Operator, other: &DataType, is_left: bool) -> Beside {
    use Operator::{
        BitwiseAnd, BitwiseOr, BitwiseShiftLeft, BitwiseShiftRight, BitwiseXor, Divide, IntegerDivide, Minus, Modulo,
        Multiply, Plus, StringConcat,
    };
    let is_span = matches!(other, DataType::Interval(_) | DataType::Duration(_));
    let is_clock = matches!(other, DataType::Time32(_) | DataType::Time64(_));
    match op {
        // It could be a date.
        Plus if *other == ZONED_TIME => return Beside::Several,
        Minus if *other == ZONED_TIME => return Beside::Type(INTERVAL),
        _ => {}
    }
    match op {
        _ if is_comparison(op) => Beside::Type(other.clone()),
        _ if is_pattern(op) => Beside::Type(DataType::Utf8),
        Plus if matches!(other, DataType::Date32 | DataType::Date64) => Beside::Several,
        Plus if is_clock || matches!(other, DataType::Timestamp(..)) => Beside::Type(INTERVAL),
        Plus | Minus if is_span => Beside::Type(INTERVAL),
        Divide if is_left && (is_span || is_clock) => Beside::None,
        Multiply | Divide if is_span || is_clock => Beside::Type(DataType::Float64),
        StringConcat => match other {
            DataType::List(_) | DataType::LargeList(_) | DataType::Binary => Beside::Type(other.clone()),
            _ => Beside::Type(DataType::Utf8),
        },
        BitwiseShiftLeft | BitwiseShiftRight => Beside::Type(DataType::Int32),
        Plus | Minus | Multiply | Divide | IntegerDivide | Modulo | BitwiseAnd | BitwiseOr | BitwiseXor => {
            Beside::Type(other.clone())
        }
        _ => Beside::None,
    }
}

/// The type of both operands where both are open.
pub(super) fn beside_open(op: Operator) -> Beside {
    match op {
        Operator::StringConcat => Beside::Type(DataType::Utf8),
        _ if is_comparison(op) || is_pattern(op) => Beside::Type(DataType::Utf8),
        _ => Beside::Several,
    }
}

fn is_pattern(op: Operator) -> bool {
    use Operator::{
        ILikeMatch, LikeMatch, NotILikeMatch, NotLikeMatch, RegexIMatch, RegexMatch, RegexNotIMatch, RegexNotMatch,
    };
    matches!(
        op,
        ILikeMatch
            | LikeMatch
            | NotILikeMatch
            | NotLikeMatch
            | RegexIMatch
            | RegexMatch
            | RegexNotIMatch
            | RegexNotMatch
    )
}

/// Casts an open operand of a sum or a product with a time, of which the engine takes another type than PostgreSQL, and of `||`
/// beside another open one.
pub(super) fn settle(left: &mut Expr, op: Operator, right: &mut Expr, schema: &DFSchema) {
    let is_concat = op == Operator::StringConcat;
    // The engine knows texts beside other values, and has arrays of its own.
    let is_taken = |open: &Expr, other: &DataType| match is_concat {
        true => !is_text(open) && !other.is_string() && !other.is_list() && !other.is_null(),
        false => other.is_temporal(),
    };
    match (Operand::of(left, schema), Operand::of(right, schema)) {
        (Operand::Open, Operand::Of(other)) if is_taken(left, &other) => become_type(left, beside(op, &other, true)),
        (Operand::Of(other), Operand::Open) if is_taken(right, &other) => {
            become_type(right, beside(op, &other, false));
        }
        (Operand::Open, Operand::Open) if is_concat && !is_text(left) && !is_text(right) => {
            become_type(left, Beside::Type(DataType::Utf8));
        }
        _ => {}
    }
}

fn is_text(operand: &Expr) -> bool {
    matches!(operand, Expr::Literal(ScalarValue::Utf8(_), _))
}

fn become_type(operand: &mut Expr, found: Beside) {
    if let Beside::Type(data_type) = found {
        *operand = Expr::Cast(Cast::new(Box::new(std::mem::take(operand)), data_type));
    }
}

#[cfg(test)]
mod tests {
    use arrow::datatypes::TimeUnit;

    use super::*;

    /// As `PREPARE` finds them in PostgreSQL 15.
    #[test]
    fn an_open_operand_is_of_the_type_that_the_operator_has() {
        use Operator::{Divide, Eq, Minus, Modulo, Multiply, Plus, StringConcat};
        let clock = DataType::Time64(TimeUnit::Microsecond);
        let instant = DataType::Timestamp(TimeUnit::Microsecond, None);
        let same = |data_type: &DataType| Beside::Type(data_type.clone());
        for (op, other, on_the_left, on_the_right) in [
            (Plus, DataType::Int16, same(&DataType::Int16), same(&DataType::Int16)),
            (Plus, DataType::Date32, Beside::Several, Beside::Several),
            (Plus, clock.clone(), same(&INTERVAL), same(&INTERVAL)),
            (Plus, instant.clone(), same(&INTERVAL), same(&INTERVAL)),
            (Plus, INTERVAL, same(&INTERVAL), same(&INTERVAL)),
            (Minus, DataType::Date32, same(&DataType::Date32), same(&DataType::Date32)),
            (Minus, clock.clone(), same(&clock), same(&clock)),
            (Minus, instant.clone(), same(&instant), same(&instant)),
            (Minus, INTERVAL, same(&INTERVAL), same(&INTERVAL)),
            (Multiply, INTERVAL, same(&DataType::Float64), same(&DataType::Float64)),
            (Divide, INTERVAL, Beside::None, same(&DataType::Float64)),
            (Divide, DataType::Float64, same(&DataType::Float64), same(&DataType::Float64)),
            (Modulo, DataType::Int64, same(&DataType::Int64), same(&DataType::Int64)),
            (StringConcat, DataType::Int32, same(&DataType::Utf8), same(&DataType::Utf8)),
            (StringConcat, DataType::Binary, same(&DataType::Binary), same(&DataType::Binary)),
            (Eq, DataType::Date32, same(&DataType::Date32), same(&DataType::Date32)),
        ] {
            let found = (beside(op, &other, true), beside(op, &other, false));
            assert_eq!(found, (on_the_left, on_the_right), "{op} {other}");
        }
    }
}
