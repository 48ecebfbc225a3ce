//! What an INSERT stores: each value as one of its column's type, where PostgreSQL casts it in an assignment; other types are
//! refused, with a cast to be written.
//!
//! Any value is a text for a column of texts, numbers are numbers of any type, whole ones after they are rounded, and dates and
//! times are what they contain. A text in quotes and NULL are of the column's type from the beginning.

use std::{collections::HashMap, sync::Arc};

use arrow::datatypes::{Field, FieldRef};
use datafusion::{
    common::{Column, DFSchema, Result, ScalarValue},
    logical_expr::{Cast, Expr, ExprSchemable, LogicalPlan, LogicalPlanBuilder, Projection, Values},
};

use super::{
    ASSIGNED, common_types, long_numbers,
    open_operands::is_open,
    told::{is_stored_as, stored_as, told_by},
};
use crate::{
    fault::{Failure, Fault},
    pgtype::{self, dimensions_of},
};

/// The rows of a query as those of these columns, which are as many as the query's.
pub(crate) fn stored(plan: LogicalPlan, columns: &[FieldRef]) -> Result<LogicalPlan> {
    let are_open: Vec<bool> = match listing(&plan) {
        LogicalPlan::Projection(list) => list.expr.iter().map(is_open).collect(),
        other => vec![false; other.schema().fields().len()],
    };
    match plan {
        LogicalPlan::Values(values) if is_assigned(&values) => stored_values(values, columns),
        LogicalPlan::Projection(projection) => stored_list(projection, &are_open, columns),
        other => {
            let found = other.schema().columns().into_iter().zip(are_open);
            let value = |((column, is_open), wanted): ((Column, bool), &FieldRef)| {
                let name = column.name.clone();
                let value = listed(Expr::Column(column), is_open, wanted, other.schema())?;
                Ok(value.alias(name))
            };
            let values = found.zip(columns).map(value).collect::<Result<Vec<_>>>()?;
            LogicalPlanBuilder::from(other).project(values)?.build()
        }
    }
}

/// What computes the columns of a query, below what puts its rows in order and counts them. It may have more columns behind
/// those of the query.
pub(super) fn listing(plan: &LogicalPlan) -> &LogicalPlan {
    match plan {
        LogicalPlan::Sort(sort) => listing(&sort.input),
        LogicalPlan::Limit(limit) => listing(&limit.input),
        LogicalPlan::Projection(shown) if leaves_out_keys(shown) => listing(&shown.input),
        other => other,
    }
}

/// Whether a projection is there for the columns that rows are sorted by and that are not shown, which are the last.
fn leaves_out_keys(shown: &Projection) -> bool {
    let columns = shown.input.schema().columns();
    let is_same = |(value, column): (&Expr, &Column)| matches!(value, Expr::Column(own) if own == column);
    matches!(shown.input.as_ref(), LogicalPlan::Sort(_))
        && shown.expr.len() < columns.len()
        && shown.expr.iter().zip(&columns).all(is_same)
}

/// Whether these are the values of an INSERT themselves. Where all its columns are written alike, none of them is a call.
fn is_assigned(values: &Values) -> bool {
    let mut each = values.values.iter().flatten();
    each.clone().any(is_call) || each.all(common_types::was_constant)
}

fn is_call(value: &Expr) -> bool {
    matches!(value, Expr::ScalarFunction(call) if call.func.name() == ASSIGNED)
}

/// VALUES, each as one of its own type.
fn stored_values(values: Values, columns: &[FieldRef]) -> Result<LogicalPlan> {
    let none = DFSchema::empty();
    let value = |(value, column): (Expr, &FieldRef)| {
        let value = match common_types::before_cast(value) {
            Expr::ScalarFunction(call) if call.func.name() == ASSIGNED => {
                call.args.into_iter().next().unwrap_or_default()
            }
            // The planner gives it the type of the other values of its column.
            Expr::Literal(null, metadata) if null.is_null() => Expr::Literal(ScalarValue::Null, metadata),
            other => other,
        };
        assigned(value, column, &none)
    };
    let row = |row: Vec<Expr>| row.into_iter().zip(columns).map(&value).collect::<Result<Vec<_>>>();
    let rows = values.values.into_iter().map(row).collect::<Result<Vec<_>>>()?;
    let named = |(at, column): (usize, &FieldRef)| {
        // NULL is refused under the name of the table's column, when it is stored.
        Field::new(format!("column{}", at + 1), column.data_type().clone(), true)
    };
    let fields: Vec<Field> = columns.iter().enumerate().map(named).collect();
    let schema = Arc::new(DFSchema::from_unqualified_fields(fields.into(), HashMap::new())?);
    Ok(LogicalPlan::Values(Values { schema, values: rows }))
}

/// What a SELECT shows, under its names.
fn stored_list(projection: Projection, are_open: &[bool], columns: &[FieldRef]) -> Result<LogicalPlan> {
    let Projection { expr, input, schema, .. } = projection;
    let value = |(at, (value, column)): (usize, (Expr, &FieldRef))| {
        let (qualifier, field) = schema.qualified_field(at);
        let value = listed(value.unalias(), are_open.get(at) == Some(&true), column, input.schema())?;
        Ok(value.alias_qualified(qualifier.cloned(), field.name()))
    };
    let values = expr.into_iter().zip(columns).enumerate().map(value).collect::<Result<Vec<_>>>()?;
    Ok(LogicalPlan::Projection(Projection::try_new(values, input)?))
}

/// A column of a query as one of its column's type, where a value without a type may have been written.
fn listed(value: Expr, is_open: bool, column: &Field, schema: &DFSchema) -> Result<Expr> {
    if is_open { stored_as(value, column, schema) } else { assigned(value, column, schema) }
}

fn cast_to(value: Expr, column: &Field) -> Expr {
    Expr::Cast(Cast::new(Box::new(value), column.data_type().clone()))
}

/// A value as one of its column's type.
fn assigned(value: Expr, column: &Field, schema: &DFSchema) -> Result<Expr> {
    let wanted = column.data_type();
    if let Some(float) = long_numbers::as_float(&value, wanted) {
        return float;
    }
    if is_open(&value) {
        return stored_as(value, column, schema);
    }
    let own = value.get_type(schema)?;
    let (from, to) = (told_by(&value, schema), pgtype::told(column));
    let is_free = own.is_null() || matches!(value, Expr::Placeholder(_)) && from.is_none();
    let (from_pg, to_pg) = (from.unwrap_or_else(|| pgtype::of(&own)).pg, pgtype::of_field(column).pg);
    let is_assigned = (is_free && to.is_some()) || is_stored_as(from_pg, to_pg);
    if !own.is_null() && !is_assigned {
        let (name, wanted, own) = (column.name(), to_pg.sql(None), from_pg.sql(None));
        let message = format!("column \"{name}\" is of type {wanted} but expression is of type {own}");
        return Err(Failure::new(Fault::DatatypeMismatch, message).with_hint(TO_CAST).into());
    }
    let (found, held) = (dimensions_of(&own), dimensions_of(wanted));
    if held > 0 && found > held {
        let (name, kind, further) = (column.name(), to_pg.sql(None), "[]".repeat(found - 1));
        let message = format!(
            "column \"{name}\" holds arrays of {held} dimensions and not of {found}; declare it as {kind}{further}"
        );
        return Err(Failure::new(Fault::FeatureNotSupported, message).into());
    }
    if to.is_some() {
        return stored_as(value, column, schema);
    }
    if own == *wanted && !matches!(value, Expr::Placeholder(_)) {
        return Ok(value);
    }
    // Casts round by themselves.
    Ok(cast_to(value, column))
}

const TO_CAST: &str = "You will need to rewrite or cast the expression.";

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use arrow::datatypes::{DataType, Schema, TimeUnit};
    use datafusion::logical_expr::{cast, col, lit};

    use super::*;

    #[test]
    fn values_are_of_their_columns_types() {
        let fields = vec![Field::new("n", DataType::Int32, true), Field::new("s", DataType::Utf8, true)];
        let schema = DFSchema::try_from(Schema::new(fields)).unwrap();
        let stored = |value: Expr, wanted: DataType| assigned(value, &Field::new("c", wanted, true), &schema);
        assert_eq!(stored(col("n"), DataType::Int32).unwrap(), col("n"));
        assert_eq!(stored(col("n"), DataType::Int64).unwrap(), cast(col("n"), DataType::Int64));
        assert_eq!(stored(lit("5"), DataType::Int32).unwrap(), cast(lit("5"), DataType::Int32));
        assert_eq!(
            stored(lit(ScalarValue::Null), DataType::Date32).unwrap(),
            cast(lit(ScalarValue::Null), DataType::Date32)
        );
        assert_eq!(stored(lit(2.5), DataType::Int32).unwrap(), cast(lit(2.5), DataType::Int32));
        let told = "column \"c\" is of type integer but expression is of type text";
        assert!(stored(col("s"), DataType::Int32).unwrap_err().to_string().contains(told));
        let clock = DataType::Time64(TimeUnit::Microsecond);
        assert!(stored(col("n"), clock).is_err());
    }
}
