//! Dates are timestamps where an interval or a time of day is added to them, and where `nullif` and CASE compare them with
//! timestamps.
//!
//! The engine adds an interval to a date as so many days, and forgets the hours. Where it compares a date and a timestamp so it
//! counts nanoseconds, of which 64 bits hold the years 1678 to 2261 alone. Here the date becomes a timestamp of microseconds
//! first. Operators are looked at where they are planned, so that every column has PostgreSQL's type from the
//! beginning.
//!
//! A date that a condition compares with the end of such a sum is compared with a day again, once the sum is known: what files
//! and tables say of their dates is of days.

use arrow::datatypes::{DataType, TimeUnit};
use datafusion::{
    common::{DFSchema, Result, ScalarValue, tree_node::Transformed},
    logical_expr::{Between, BinaryExpr, Case, Cast, Expr, ExprSchemable, Operator},
};

use crate::pgtype::{
    TIMESTAMP,
    calendar::{MICROS_A_DAY, infinite_date, is_infinite},
};

const MICROSECONDS: DataType = DataType::Timestamp(TimeUnit::Microsecond, None);

/// Makes timestamps of dates that something is added to or, if `adds` is false, subtracted from.
pub(super) fn become_instants(left: &mut Expr, right: &mut Expr, adds: bool, schema: &DFSchema) {
    let (Ok(left_type), Ok(right_type)) = (left.get_type(schema), right.get_type(schema)) else { return };
    if left_type == DataType::Date32 {
        move_by(left, right, &right_type);
    } else if right_type == DataType::Date32 && adds {
        move_by(right, left, &left_type);
    }
}

fn move_by(date: &mut Expr, distance: &mut Expr, distance_type: &DataType) {
    match distance_type {
        DataType::Interval(_) | DataType::Duration(_) => become_type(date, MICROSECONDS),
        DataType::Time64(unit) => {
            become_type(date, MICROSECONDS);
            become_type(distance, DataType::Int64);
            become_type(distance, DataType::Duration(*unit));
        }
        _ => {}
    }
}

fn become_type(expression: &mut Expr, data_type: DataType) {
    *expression = Expr::Cast(Cast::new(Box::new(std::mem::take(expression).unalias()), data_type));
}

/// A step of an expression whose operands' types are known, with timestamps among timestamps.
pub(super) fn settled(mut step: Expr, schema: &DFSchema) -> Expr {
    match &mut step {
        // A date and a whole number are a date, and the engine makes an interval of whole days of the number.
        Expr::BinaryExpr(BinaryExpr { left, op: op @ (Operator::Plus | Operator::Minus), right })
            if !is_of_days(left) && !is_of_days(right) =>
        {
            become_instants(left, right, *op == Operator::Plus, schema);
        }
        Expr::Case(Case { expr: Some(value), when_then_expr, .. }) => {
            let whens = when_then_expr.iter_mut().map(|(when, _)| when.as_mut());
            unify_within(&mut std::iter::once(value.as_mut()).chain(whens).collect::<Vec<_>>(), schema);
        }
        Expr::ScalarFunction(call) if call.func.name() == "nullif" => {
            let is_date = call.args.first().is_some_and(|value| is_date(value, schema));
            let changed = unify_within(&mut call.args.iter_mut().collect::<Vec<_>>(), schema);
            // The first argument is what remains.
            if is_date && changed {
                become_type(&mut step, DataType::Date32);
            }
        }
        _ => {}
    }
    step
}

/// Whether an interval may be a whole number that the engine has made one of.
fn is_of_days(operand: &Expr) -> bool {
    match operand {
        Expr::Literal(ScalarValue::IntervalMonthDayNano(Some(interval)), _) => {
            interval.months == 0 && interval.nanoseconds == 0
        }
        Expr::Literal(value, _) => value.is_null(),
        Expr::Cast(cast) => matches!(cast.field.data_type(), DataType::Interval(_)),
        _ => false,
    }
}

fn is_date(value: &Expr, schema: &DFSchema) -> bool {
    value.get_type(schema).is_ok_and(|data_type| data_type == DataType::Date32)
}

fn unify_within(operands: &mut [&mut Expr], schema: &DFSchema) -> bool {
    let types: Option<Vec<_>> = operands.iter().map(|operand| operand.get_type(schema).ok()).collect();
    types.is_some_and(|types| unify(operands, &types))
}

/// Makes timestamps of the dates among values of these types, which are timestamps otherwise; whether any changed.
fn unify(operands: &mut [&mut Expr], types: &[DataType]) -> bool {
    let mut finest: Option<TimeUnit> = None;
    for data_type in types {
        match data_type {
            DataType::Date32 | DataType::Null => {}
            // Such a column holds no other years.
            DataType::Timestamp(TimeUnit::Nanosecond, None) => return false,
            DataType::Timestamp(unit, None) => finest = finest.max(Some(*unit)),
            _ => return false,
        }
    }
    let Some(unit) = finest else { return false };
    let mut changed = false;
    for (operand, _) in operands.iter_mut().zip(types).filter(|(_, own)| **own == DataType::Date32) {
        become_type(operand, DataType::Timestamp(unit, None));
        changed = true;
    }
    changed
}

/// A comparison of a date with a constant timestamp, as one with a day.
pub(super) fn compared(step: Expr, schema: &DFSchema) -> Result<Transformed<Expr>> {
    let of_days = match &step {
        Expr::BinaryExpr(BinaryExpr { left, op, right }) => match (date_of(left, schema), constant(right)) {
            (Some(date), Some(instant)) => day_for(*op, instant)
                .map(|day| Expr::BinaryExpr(BinaryExpr::new(Box::new(date.clone()), *op, Box::new(day)))),
            _ => None,
        },
        Expr::Between(Between { expr, negated, low, high }) => {
            let bounds = (constant(low), constant(high));
            match (date_of(expr, schema), bounds) {
                (Some(date), (Some(low), Some(high))) => {
                    day_for(Operator::GtEq, low).zip(day_for(Operator::LtEq, high)).map(|(low, high)| {
                        Expr::Between(Between::new(Box::new(date.clone()), *negated, Box::new(low), Box::new(high)))
                    })
                }
                _ => None,
            }
        }
        _ => None,
    };
    Ok(match of_days {
        Some(of_days) => Transformed::yes(of_days),
        None => Transformed::no(step),
    })
}

/// The date that becomes a timestamp of microseconds, by a cast or by the function that is called in its place.
fn date_of<'a>(operand: &'a Expr, schema: &DFSchema) -> Option<&'a Expr> {
    let date = match operand {
        Expr::Cast(cast) if *cast.field.data_type() == MICROSECONDS => cast.expr.as_ref(),
        Expr::ScalarFunction(call) if call.name() == TIMESTAMP.name => match call.args.as_slice() {
            [date] => date,
            _ => return None,
        },
        _ => return None,
    };
    is_date(date, schema).then_some(date)
}

fn constant(operand: &Expr) -> Option<i64> {
    match operand {
        Expr::Literal(ScalarValue::TimestampMicrosecond(instant, None), _) => *instant,
        _ => None,
    }
}

/// The day that dates are compared with as their beginnings are with an instant, if there is one.
fn day_for(operator: Operator, instant: i64) -> Option<Expr> {
    let of_day = |day: i32| Expr::Literal(ScalarValue::Date32(Some(day)), None);
    if is_infinite(instant) {
        return Some(of_day(infinite_date(instant < 0)));
    }
    let begun = instant.div_euclid(MICROS_A_DAY);
    let begins = instant.rem_euclid(MICROS_A_DAY) == 0;
    let day = match operator {
        Operator::Gt | Operator::LtEq => begun,
        Operator::GtEq | Operator::Lt => begun + i64::from(!begins),
        Operator::Eq | Operator::NotEq if begins => begun,
        _ => return None,
    };
    Some(of_day(i32::try_from(day).ok()?))
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use arrow::datatypes::{Field, IntervalMonthDayNano, Schema};
    use datafusion::logical_expr::{binary_expr, cast, col, lit};

    use super::*;

    fn schema() -> DFSchema {
        let fields = vec![
            Field::new("d", DataType::Date32, true),
            Field::new("t", MICROSECONDS, true),
            Field::new("i", DataType::Interval(arrow::datatypes::IntervalUnit::MonthDayNano), true),
            Field::new("n", DataType::Int32, true),
        ];
        DFSchema::try_from(Schema::new(fields)).unwrap()
    }

    fn day(day: i32) -> Expr {
        lit(ScalarValue::Date32(Some(day)))
    }

    #[test]
    fn a_date_and_an_interval_are_a_timestamp() {
        let instant = || cast(col("d"), MICROSECONDS);
        assert_eq!(settled(col("d") + col("i"), &schema()), instant() + col("i"));
        assert_eq!(settled(col("d") - col("i"), &schema()), instant() - col("i"));
        assert_eq!(settled(col("i") + col("d"), &schema()), col("i") + instant());
        let hours = lit(ScalarValue::IntervalMonthDayNano(Some(IntervalMonthDayNano::new(0, 0, 1))));
        assert_eq!(settled(col("d") + hours.clone(), &schema()), instant() + hours);
        let days = lit(ScalarValue::IntervalMonthDayNano(Some(IntervalMonthDayNano::new(0, 1, 0))));
        for kept in [col("d") + days, col("d") + col("n"), col("d") - col("d"), col("t") + col("i")] {
            assert_eq!(settled(kept.clone(), &schema()), kept);
        }
    }

    #[test]
    fn a_date_among_timestamps_is_one() {
        let mut operands = [col("d"), lit(ScalarValue::Null), col("t")];
        let types = [DataType::Date32, DataType::Null, MICROSECONDS];
        assert!(unify(&mut operands.iter_mut().collect::<Vec<_>>(), &types));
        assert_eq!(operands, [cast(col("d"), MICROSECONDS), lit(ScalarValue::Null), col("t")]);
        assert!(!unify(
            &mut operands.iter_mut().collect::<Vec<_>>(),
            &[DataType::Date32, DataType::Utf8, MICROSECONDS]
        ));
    }

    #[test]
    fn dates_are_compared_with_days() {
        use Operator::{Eq, Gt, GtEq, Lt, LtEq, NotEq};
        let instant = |micros: i64| lit(ScalarValue::TimestampMicrosecond(Some(micros), None));
        let found = |op: Operator, micros: i64| {
            compared(binary_expr(cast(col("d"), MICROSECONDS), op, instant(micros)), &schema()).unwrap().data
        };
        for (op, noon, midnight) in [(Gt, 0, 1), (LtEq, 0, 1), (GtEq, 1, 1), (Lt, 1, 1)] {
            assert_eq!(found(op, MICROS_A_DAY / 2), binary_expr(col("d"), op, day(noon)));
            assert_eq!(found(op, MICROS_A_DAY), binary_expr(col("d"), op, day(midnight)));
        }
        assert_eq!(found(Gt, -1), binary_expr(col("d"), Gt, day(-1)));
        for op in [Eq, NotEq] {
            assert_eq!(found(op, 0), binary_expr(col("d"), op, day(0)));
            assert_eq!(found(op, 1), binary_expr(cast(col("d"), MICROSECONDS), op, instant(1)));
        }
        for (micros, days) in [(i64::MIN, i32::MIN), (i64::MAX, i32::MAX)] {
            for op in [Eq, NotEq, Gt, GtEq, Lt, LtEq] {
                assert_eq!(found(op, micros), binary_expr(col("d"), op, day(days)));
            }
        }
        let between = cast(col("d"), MICROSECONDS).between(instant(1), instant(MICROS_A_DAY * 3 - 1));
        assert_eq!(compared(between, &schema()).unwrap().data, col("d").between(day(1), day(2)));
    }
}
