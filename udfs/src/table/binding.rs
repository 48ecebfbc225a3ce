//! How an input becomes what a model reads: columns by plain names, parameters of the trained types, keys cast.
//!
//! Which columns fit is said by [`frame::bind`]; this is about the plans around it.

use std::sync::Arc;

use datafusion::{
    arrow::datatypes::{DataType, Field},
    common::{Column, tree_node::Transformed},
    error::Result,
    logical_expr::{Cast, Expr, LogicalPlan, LogicalPlanBuilder, Projection, expr::Placeholder},
};

use crate::{
    frame::BoundColumn,
    models::{ColumnRole, ColumnSignature, Signature},
};

/// The input with its columns named without their tables, because the function's result is a table of its own.
pub(crate) fn unqualified(input: LogicalPlan) -> Result<LogicalPlan> {
    if input.schema().iter().all(|(qualifier, _)| qualifier.is_none()) {
        return Ok(input);
    }
    let columns: Vec<_> =
        input.schema().columns().into_iter().map(|column| named(column.clone(), &column.name)).collect();
    LogicalPlanBuilder::from(input).project(columns)?.build()
}

/// The input with every bare parameter `$n` that stands for a model's column given that column's trained type.
pub(crate) fn with_typed_parameters(input: LogicalPlan, signature: &Signature) -> Result<LogicalPlan> {
    match input {
        LogicalPlan::SubqueryAlias(mut aliased) => {
            let input = with_typed_parameters(aliased.input.as_ref().clone(), signature)?;
            aliased.input = Arc::new(input);
            LogicalPlan::SubqueryAlias(aliased).recompute_schema()
        }
        LogicalPlan::Projection(projection) => {
            let mut changed = false;
            let expressions: Vec<_> = projection
                .expr
                .into_iter()
                .map(|expression| {
                    let name = expression.schema_name().to_string();
                    match signature.columns.iter().find(|column| column.name.eq_ignore_ascii_case(&name)) {
                        Some(column) => {
                            let typed = typed(expression, &column.data_type)?;
                            changed |= typed.transformed;
                            Ok(typed.data)
                        }
                        None => Ok(expression),
                    }
                })
                .collect::<Result<_>>()?;
            if changed {
                return Ok(LogicalPlan::Projection(Projection::try_new(expressions, projection.input)?));
            }
            Ok(LogicalPlan::Projection(Projection::try_new_with_schema(
                expressions,
                projection.input,
                projection.schema,
            )?))
        }
        other => Ok(other),
    }
}

/// Gives a parameter without a type this one; a parameter within a calculation keeps what the calculation makes of it.
fn typed(expression: Expr, data_type: &DataType) -> Result<Transformed<Expr>> {
    match expression {
        Expr::Alias(mut alias) => {
            let inner = typed(*alias.expr, data_type)?;
            alias.expr = Box::new(inner.data);
            Ok(Transformed::new_transformed(Expr::Alias(alias), inner.transformed))
        }
        Expr::Placeholder(Placeholder { id, field }) if field.as_ref().is_none_or(|own| own.data_type().is_null()) => {
            let field = Arc::new(Field::new("", data_type.clone(), true));
            Ok(Transformed::yes(Expr::Placeholder(Placeholder::new_with_field(id, Some(field)))))
        }
        other => Ok(Transformed::no(other)),
    }
}

/// A projection of an input to a model's columns under the model's names, and to further columns as numbers. The user
/// and the item become their trained types; the others are read in whatever type they have.
pub(crate) fn of_model(
    input: LogicalPlan,
    signature: &Signature,
    bound: &[BoundColumn],
    numbers: &[String],
) -> Result<LogicalPlan> {
    let schema = input.schema().clone();
    let column = |name: &str| -> Result<(Expr, DataType)> {
        let (qualifier, field) = schema.qualified_field_with_unqualified_name(name)?;
        Ok((Expr::Column(Column::from((qualifier, field))), field.data_type().clone()))
    };
    let is_key = |column: &ColumnSignature| matches!(column.role, ColumnRole::User | ColumnRole::Item);
    let mut expressions = Vec::with_capacity(bound.len() + numbers.len());
    for BoundColumn { column: name, input } in bound {
        let (expression, data_type) = column(input)?;
        let key = signature.column(name).filter(|column| is_key(column)).map(|column| &column.data_type);
        expressions.push(match key {
            Some(trained) if *trained != data_type => as_type(expression, trained.clone()).alias(name),
            _ => expression.alias(name),
        });
    }
    for name in numbers {
        let (expression, data_type) = column(name)?;
        let number = if data_type == DataType::Float64 { expression } else { as_type(expression, DataType::Float64) };
        expressions.push(number.alias(name));
    }
    LogicalPlanBuilder::from(input).project(expressions)?.build()
}

/// A cast that no statement says: its field has a name, by which it is told from those of SQL.
fn as_type(expression: Expr, data_type: DataType) -> Expr {
    let field = Field::new("bound", data_type, true);
    Expr::Cast(Cast::new_from_field(Box::new(expression), Arc::new(field)))
}

fn named(column: Column, name: &str) -> Expr {
    Expr::Column(column).alias(name)
}
