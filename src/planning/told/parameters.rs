//! Parameters of types that Arrow does not tell apart: of `$1::uuid`, of `id = $1` beside a uuid, and of what is stored as one.

use std::collections::BTreeMap;

use datafusion::{
    common::{
        DFSchema, Result,
        tree_node::{TreeNode, TreeNodeRecursion},
    },
    logical_expr::{
        Between, BinaryExpr, Cast, Expr, LogicalPlan,
        expr::{InList, Placeholder},
    },
};

use super::{super::parameters::number, cast, steps, told_by};
use crate::pgtype::{ColumnType, VARCHAR, told};

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

fn note(step: &Expr, schema: &DFSchema, found: &mut BTreeMap<usize, u32>) {
    match step {
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
