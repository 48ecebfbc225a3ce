//! Parameters of types that Arrow does not tell apart: those that a client declares, of `$1::uuid`, of `id = $1` beside a uuid,
//! of `coalesce(id, $1)`, of what a function takes as one, and of what is stored as one. The field of a parameter says its type,
//! and its value is a constant that says the same.

use std::{collections::BTreeMap, sync::Arc};

use arrow::datatypes::{DataType, FieldRef};
use datafusion::{
    common::{
        DFSchema, Result, ScalarValue,
        metadata::{FieldMetadata, ScalarAndMetadata},
        tree_node::{TreeNode, TreeNodeRecursion},
    },
    logical_expr::{
        Between, BinaryExpr, Case, Cast, Expr, ExprSchemable, LogicalPlan,
        expr::{InList, Placeholder},
    },
};

use super::{
    super::{
        common_types::{self, Item},
        integers, overloads,
        parameters::number,
    },
    cast, is_open, is_stored_as, steps, told_as, told_by,
};
use crate::{
    fault::{Failure, Fault},
    pgtype::{self, Becoming, ColumnType, INT4, VARCHAR, dimensions_of, innermost, nested, told},
};

/// The numbers of the types of a plan's parameters by their own numbers, where Arrow's types do not tell them.
pub(crate) fn told_parameters(plan: &LogicalPlan) -> Result<BTreeMap<usize, u32>> {
    let mut found = BTreeMap::new();
    plan.apply_with_subqueries(|node| {
        if steps::any(node, |step| matches!(step, Expr::Placeholder(_)))? {
            let schema = steps::columns_of(node)?;
            node.apply_expressions(|expression| {
                expression.apply(|step| {
                    note(step, &schema, &mut found);
                    Ok(TreeNodeRecursion::Continue)
                })
            })?;
        }
        Ok(TreeNodeRecursion::Continue)
    })?;
    Ok(found)
}

/// The values of a plan's parameters, which say their types where the parameters do.
pub(crate) fn told_values(plan: &LogicalPlan, values: &[ScalarValue]) -> Result<Vec<ScalarAndMetadata>> {
    let mut fields: BTreeMap<usize, FieldRef> = BTreeMap::new();
    plan.apply_with_subqueries(|node| {
        node.apply_expressions(|expression| {
            expression.apply(|step| {
                if let Expr::Placeholder(Placeholder { id, field: Some(field) }) = step
                    && let Some(number) = number(id)
                    && told(field).is_some()
                {
                    fields.entry(number).or_insert_with(|| Arc::clone(field));
                }
                Ok(TreeNodeRecursion::Continue)
            })
        })
    })?;
    let with_type = |(value, number): (&ScalarValue, usize)| match fields.get(&number) {
        None => Ok(ScalarAndMetadata::from(value.clone())),
        Some(field) => {
            let own = value.data_type();
            // An array has the dimensions that it came with.
            let dimensions = dimensions_of(&own).max(dimensions_of(field.data_type()));
            let form = nested(dimensions, innermost(field.data_type()).clone());
            let value = if own == form { value.clone() } else { value.cast_to(&form)? };
            Ok(ScalarAndMetadata::new(value, Some(FieldMetadata::new_from_field(field))))
        }
    };
    values.iter().zip(1..).map(with_type).collect()
}

/// A value that is given for the parameter of this number as one of its type.
pub(crate) fn as_parameter(value: Expr, number: usize, wanted: ColumnType) -> Result<Expr> {
    let schema = DFSchema::empty();
    let (from, own) = (told_by(&value, &schema), value.get_type(&schema)?);
    let given = match from {
        Some(from) => from.pg,
        // What is a bigint for the planner yet.
        None if own == DataType::Int64 && integers::is_integer(&value) => &INT4,
        None => pgtype::of(&own).pg,
    };
    if !is_open(&value) && !own.is_null() && !is_stored_as(given, wanted.pg) {
        let (given, wanted) = (given.sql(None), wanted.pg.sql(None));
        let message = format!("parameter ${number} of type {given} cannot be coerced to the expected type {wanted}");
        let hint = "You will need to rewrite or cast the expression.";
        return Err(Failure::new(Fault::DatatypeMismatch, message).with_hint(hint).into());
    }
    told_as(value, from, (wanted, Becoming::Stored), &schema)
}

fn note(step: &Expr, schema: &DFSchema, found: &mut BTreeMap<usize, u32>) {
    match step {
        Expr::Placeholder(Placeholder { id, field: Some(field) }) => {
            if let (Some(number), Some(told)) = (number(id), told(field)) {
                found.entry(number).or_insert(told.pg.oid);
            }
        }
        Expr::Cast(Cast { expr, field }) => {
            if let (Some(number), Some(told)) = (parameter(expr), told(field)) {
                found.entry(number).or_insert(told.pg.oid);
            }
        }
        Expr::ScalarFunction(call) if ["compare_any", "compare_all"].contains(&call.func.name()) => {
            if let [value, array, ..] = call.args.as_slice() {
                compared(&[value], told_by(array, schema).and_then(ColumnType::item), found);
                compared(&[array], told_by(value, schema).map(ColumnType::in_arrays), found);
            }
        }
        Expr::ScalarFunction(call) if cast::is_call(&call.func) => {
            let number = match call.args.first() {
                Some(Expr::Cast(cast)) => parameter(&cast.expr),
                Some(other) => parameter(other),
                None => None,
            };
            if let (Some(number), Some(told)) = (number, told_by(step, schema)) {
                found.entry(number).or_insert(told.pg.oid);
            }
        }
        Expr::ScalarFunction(call) if call.func.name() == "nullif" => {
            alike(&call.args.iter().collect::<Vec<&Expr>>(), schema, found);
        }
        Expr::ScalarFunction(call) if TOGETHER.contains(&call.func.name()) => {
            together(&call.args.iter().collect::<Vec<&Expr>>(), schema, found);
        }
        Expr::ScalarFunction(call) => {
            for (argument, told) in call.args.iter().zip(overloads::told_arguments(call, schema)) {
                if let (Some(number), Some(told)) = (parameter(argument), told) {
                    found.entry(number).or_insert(told.pg.oid);
                }
            }
        }
        Expr::Case(Case { expr, when_then_expr, else_expr }) => {
            if let Some(value) = expr {
                let whens = when_then_expr.iter().map(|(when, _)| when.as_ref());
                alike(&std::iter::once(value.as_ref()).chain(whens).collect::<Vec<&Expr>>(), schema, found);
            }
            let values = when_then_expr.iter().map(|(_, then)| then.as_ref()).chain(else_expr.as_deref());
            together(&values.collect::<Vec<&Expr>>(), schema, found);
        }
        Expr::BinaryExpr(BinaryExpr { left, op, right }) if steps::is_comparison(*op) => {
            alike(&[left.as_ref(), right.as_ref()], schema, found);
        }
        Expr::Between(Between { expr, low, high, .. }) => {
            alike(&[expr.as_ref(), low.as_ref(), high.as_ref()], schema, found);
        }
        Expr::InList(InList { expr, list, .. }) => {
            let operands: Vec<&Expr> = std::iter::once(expr.as_ref()).chain(list).collect();
            alike(&operands, schema, found);
        }
        _ => {}
    }
}

/// Functions whose arguments have a type together.
const TOGETHER: &[&str] = &["coalesce", "greatest", "ifnull", "least", "make_array", "nvl"];

/// Values that have a type together.
fn together(values: &[&Expr], schema: &DFSchema, found: &mut BTreeMap<usize, u32>) {
    if values.iter().all(|value| parameter(value).is_none()) {
        return;
    }
    let items: Vec<Item> = values.iter().map(|value| Item::of(value, schema)).collect();
    // Types that do not go together are refused where they are settled.
    let Ok(Some(common)) = common_types::found(values, &items, "") else { return };
    let Some(told) = common.told() else { return };
    for number in values.iter().filter_map(|value| parameter(value)) {
        found.entry(number).or_insert(told.pg.oid);
    }
}

/// Operands that are compared as the first of them whose type is told.
fn alike(operands: &[&Expr], schema: &DFSchema, found: &mut BTreeMap<usize, u32>) {
    compared(operands, operands.iter().find_map(|operand| told_by(operand, schema)), found);
}

/// Operands that are compared with a value of this type; a text of a length is compared as one without.
fn compared(operands: &[&Expr], with: Option<ColumnType>, found: &mut BTreeMap<usize, u32>) {
    let Some(told) = with.filter(|told| told.item().unwrap_or(*told).pg.oid != VARCHAR.oid) else { return };
    for number in operands.iter().filter_map(|operand| parameter(operand)) {
        found.entry(number).or_insert(told.pg.oid);
    }
}

/// The number of an operand that is a parameter.
fn parameter(operand: &Expr) -> Option<usize> {
    match operand {
        Expr::Placeholder(Placeholder { id, .. }) => number(id),
        Expr::Alias(alias) => parameter(&alias.expr),
        _ => None,
    }
}
