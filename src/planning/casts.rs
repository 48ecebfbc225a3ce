//! Casts that PostgreSQL does not have are refused, by its list of those that it has.
//!
//! ```sql
//! SELECT date '2024-01-02'::int, 5::timestamp   -- cannot cast type date to integer
//! ```
//!
//! The query engine casts almost any value to almost any type: a date to its days since 1970. Here each cast is looked at when the
//! type of what it casts is settled. One whose field has a name is not written in the statement: the engine's functions take
//! numbers so.

use datafusion::{
    common::{DFSchema, DataFusionError, Result},
    logical_expr::{Cast, Expr},
};

use super::operators::{given, is_of_postgresql};
use crate::{
    fault::{Failure, Fault},
    functions::Given,
    pgtype::{self, cast_between},
};

/// Refuses a step of an expression that is such a cast.
pub(super) fn check(step: &Expr, schema: &DFSchema) -> Result<()> {
    let Expr::Cast(Cast { expr, field }) = step else { return Ok(()) };
    if !field.name().is_empty() || !is_of_postgresql(field.data_type()) {
        return Ok(());
    }
    let to = pgtype::of_field(field).pg;
    match given(expr, schema) {
        Some(Given::Type(from)) if cast_between(&from, to).is_none() => Err(no_cast(&from.sql(None), &to.sql(None))),
        _ => Ok(()),
    }
}

/// What is told of a cast between types, as they are written, that there is not.
pub(super) fn no_cast(from: &str, to: &str) -> DataFusionError {
    Failure::new(Fault::CannotCoerce, format!("cannot cast type {from} to {to}")).into()
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use arrow::datatypes::{DataType, Field, Schema, TimeUnit};
    use datafusion::{
        common::ScalarValue,
        logical_expr::{cast, col, lit},
    };

    use super::*;

    #[test]
    fn casts_are_those_of_postgresql() {
        let local = DataType::Timestamp(TimeUnit::Microsecond, None);
        let fields = [
            ("d", DataType::Date32),
            ("l", local.clone()),
            ("n", DataType::Int32),
            ("big", DataType::Int64),
            ("b", DataType::Boolean),
            ("s", DataType::Utf8View),
            ("u", DataType::UInt64),
        ];
        let fields = fields.map(|(name, data_type)| Field::new(name, data_type, true));
        let schema = DFSchema::try_from(Schema::new(fields.to_vec())).expect("the names are different");
        let refused = |value: Expr, to: &DataType| {
            check(&cast(value, to.clone()), &schema).err().map(|error| error.strip_backtrace())
        };
        for (column, to, expected) in [
            ("d", DataType::Int32, Some("cannot cast type date to integer")),
            ("n", local.clone(), Some("cannot cast type integer to timestamp without time zone")),
            ("big", DataType::Boolean, Some("cannot cast type bigint to boolean")),
            ("b", DataType::Int64, Some("cannot cast type boolean to bigint")),
            ("n", DataType::Boolean, None),
            ("b", DataType::Int32, None),
            ("l", DataType::Date32, None),
            ("s", DataType::Date32, None),
            ("d", DataType::Utf8View, None),
            // Of numbers without a sign the engine knows more.
            ("u", DataType::Date32, None),
        ] {
            let found = refused(col(column), &to);
            assert_eq!(found.is_some(), expected.is_some(), "{column} {to}");
            assert!(
                expected.is_none_or(|expected| found.is_some_and(|found| found.contains(expected))),
                "{column} {to}"
            );
        }
        assert_eq!(refused(lit("2024-01-02"), &DataType::Date32), None);
        assert_eq!(refused(lit(ScalarValue::Null), &DataType::Int32), None);
        let field = Arc::new(Field::new("number", DataType::Float64, true));
        let made = Expr::Cast(Cast::new_from_field(Box::new(col("b")), field));
        assert!(check(&made, &schema).is_ok());
    }
}
