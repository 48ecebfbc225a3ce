//! Operators on dates, times and intervals are calls of PostgreSQL's functions for them.
//!
//! The engine's own have other types: the time between two timestamps has no days there, an interval is not multiplied, and a
//! minus before one leaves its time as it is. Operators are looked at where they are planned, so that every column has
//! PostgreSQL's type from the beginning, and again when types are settled that were not known then.

use arrow::datatypes::{DataType, TimeUnit};
use datafusion::{
    common::DFSchema,
    logical_expr::{BinaryExpr, Expr, ExprSchemable, Operator, cast},
};

use super::{
    calls,
    open_operands::{INTERVAL, is_open},
};
use crate::{
    functions::{
        self,
        time_operators::{self, Kind, Sign},
    },
    pgtype::{self, ZONED_TIME},
};

/// The call of an operator between times, or times and numbers; none of others.
pub(super) fn called(left: &Expr, op: Operator, right: &Expr, schema: &DFSchema) -> Option<Expr> {
    let sign = match op {
        Operator::Plus => Sign::Plus,
        Operator::Minus => Sign::Minus,
        Operator::Multiply => Sign::Times,
        Operator::Divide => Sign::Divide,
        _ => return None,
    };
    let left_kind = kind(left, schema)?;
    let spent;
    // Of a time of day with a zone nothing else is taken.
    let right = match left_kind == Kind::ZonedTime && sign == Sign::Minus && is_open(right) {
        true => {
            spent = cast(right.clone(), INTERVAL);
            &spent
        }
        false => right,
    };
    let right_kind = kind(right, schema)?;
    let function = time_operators::of(left_kind, sign, right_kind)?;
    let is_of_instants = [left_kind, right_kind].contains(&Kind::Instant);
    let argument = |operand: &Expr, at: usize, kind: Kind| {
        let operand = operand.clone().unalias();
        let declared = function.overloads.first().and_then(|overload| overload.arguments.get(at));
        match kind {
            // A date begins when the session's clocks show it.
            Kind::Date if is_of_instants => cast(operand, DataType::Timestamp(TimeUnit::Microsecond, None)),
            Kind::Time if declared.is_some_and(|declared| declared.oid == pgtype::INTERVAL.oid) => {
                cast(operand, INTERVAL)
            }
            _ => operand,
        }
    };
    Some(functions::called(function, vec![argument(left, 0, left_kind), argument(right, 1, right_kind)]))
}

/// Makes times of day with zones of those without among operands that are compared.
pub(super) fn compare_in_zones(operands: &mut [&mut Expr], schema: &DFSchema) {
    if !operands.iter().any(|operand| kind(operand, schema) == Some(Kind::ZonedTime)) {
        return;
    }
    for operand in operands.iter_mut().filter(|operand| kind(operand, schema) == Some(Kind::Time)) {
        **operand = cast(std::mem::take(&mut **operand), ZONED_TIME);
    }
}

/// A time of day that is compared with an interval is the interval since midnight.
pub(super) fn compare(left: &mut Expr, right: &mut Expr, schema: &DFSchema) {
    let time = match (kind(left, schema), kind(right, schema)) {
        (Some(Kind::Time), Some(Kind::Interval)) => left,
        (Some(Kind::Interval), Some(Kind::Time)) => right,
        _ => return,
    };
    *time = cast(std::mem::take(time), INTERVAL);
}

fn kind(operand: &Expr, schema: &DFSchema) -> Option<Kind> {
    operand.get_type(schema).ok().as_ref().and_then(Kind::of)
}

/// A step of an expression whose operands' types are known.
pub(super) fn settled(mut step: Expr, schema: &DFSchema) -> Expr {
    // Sums and averages of times of day are those of the intervals since midnight.
    if let Some(("sum" | "avg", arguments)) = calls::aggregate(&mut step)
        && let [time] = arguments.as_mut_slice()
        && kind(time, schema) == Some(Kind::Time)
    {
        *time = cast(std::mem::take(time), INTERVAL);
        return step;
    }
    match &step {
        Expr::BinaryExpr(BinaryExpr { left, op, right }) => called(left, *op, right, schema).unwrap_or(step),
        Expr::Negative(operand) => match kind(operand, schema) {
            Some(Kind::Interval) => functions::called(time_operators::negated(), vec![operand.as_ref().clone()]),
            Some(Kind::Time) => {
                let interval = cast(operand.as_ref().clone(), INTERVAL);
                functions::called(time_operators::negated(), vec![interval])
            }
            _ => step,
        },
        _ => step,
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use arrow::datatypes::{Field, IntervalUnit, Schema};
    use datafusion::logical_expr::{col, lit};

    use super::*;

    /// As `pg_operator` has them in PostgreSQL 15.
    #[test]
    fn operators_have_postgresqls_types() {
        let instant = DataType::Timestamp(TimeUnit::Microsecond, Some("+00:00".into()));
        let (local, interval) =
            (DataType::Timestamp(TimeUnit::Microsecond, None), DataType::Interval(IntervalUnit::MonthDayNano));
        let clock = DataType::Time64(TimeUnit::Microsecond);
        let columns = [
            ("d", DataType::Date32),
            ("t", clock.clone()),
            ("l", local.clone()),
            ("i", instant.clone()),
            ("s", interval.clone()),
            ("n", DataType::Int32),
            ("f", DataType::Float64),
        ];
        let fields = columns.map(|(name, data_type)| Field::new(name, data_type, true));
        let schema = DFSchema::try_from(Schema::new(fields.to_vec())).unwrap();
        let found = |left: &str, op: Operator, right: &str| {
            called(&col(left), op, &col(right), &schema).map(|call| call.get_type(&schema).unwrap())
        };
        use Operator::{Divide, Minus, Multiply, Plus};
        for (left, op, right, expected) in [
            ("d", Minus, "d", Some(DataType::Int32)),
            ("d", Plus, "n", Some(DataType::Date32)),
            ("n", Plus, "d", Some(DataType::Date32)),
            ("d", Minus, "n", Some(DataType::Date32)),
            ("d", Plus, "s", Some(local.clone())),
            ("d", Plus, "t", Some(local.clone())),
            ("t", Minus, "t", Some(interval.clone())),
            ("t", Plus, "s", Some(clock.clone())),
            ("l", Minus, "l", Some(interval.clone())),
            ("l", Minus, "d", Some(interval.clone())),
            ("l", Minus, "s", Some(local)),
            ("i", Minus, "i", Some(interval.clone())),
            ("d", Minus, "i", Some(interval.clone())),
            ("i", Plus, "s", Some(instant.clone())),
            ("s", Plus, "i", Some(instant)),
            ("s", Multiply, "n", Some(interval.clone())),
            ("f", Multiply, "s", Some(interval.clone())),
            ("s", Divide, "f", Some(interval)),
            ("d", Plus, "d", None),
            ("s", Minus, "d", None),
            ("f", Divide, "s", None),
            ("n", Plus, "n", None),
        ] {
            assert_eq!(found(left, op, right), expected, "{left} {op} {right}");
        }
        assert_eq!(settled(lit(1) + lit(2), &schema), lit(1) + lit(2));
    }
}
