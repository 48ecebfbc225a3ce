//! Set operations: the columns of `EXCEPT` and `INTERSECT` have one type on both sides, `EXCEPT ALL` and `INTERSECT ALL` count
//! copies, and the inputs of `UNION` have its names.
//!
//! The engine compares the sides of `EXCEPT` as values of one type, but what is left has the type of the left side: an integer
//! without those that are numerics was divided as an integer, and a date without timestamps stayed a date.
//!
//! The planner makes anti and semi joins of them, which keep or drop all copies of a row. PostgreSQL leaves as many as the
//! left side has more than the right, or as many as both have. Here the copies of each row are numbered on both sides, and
//! the number is one of the columns that are joined: the third copy meets the third.
//!
//! Where one input of a UNION turns out to be empty, the optimizer puts the other in its place and looks for the columns of
//! the UNION there, by their names.

use std::sync::Arc;

use datafusion::{
    common::{
        Column, NullEquality, Result,
        tree_node::{Transformed, TransformedResult},
    },
    config::ConfigOptions,
    functions_window::row_number::row_number_udwf,
    logical_expr::{
        Distinct, Expr, ExprFunctionExt, Join, JoinConstraint, JoinType, LogicalPlan, LogicalPlanBuilder, Projection,
        expr::WindowFunction,
    },
    optimizer::AnalyzerRule,
};

use super::{
    common_types::{self, Common, Item},
    subquery::is_planned_again,
    types,
};

/// The column of the copies' numbers.
const COPY: &str = "fusewire.copy";

/// Casts the columns of set operations to what they have in common. It runs before the engine's own rules, and before copies
/// are counted.
#[derive(Debug)]
pub(crate) struct CommonColumns;

impl AnalyzerRule for CommonColumns {
    fn name(&self) -> &str {
        "common_columns"
    }

    fn analyze(&self, plan: LogicalPlan, _config: &ConfigOptions) -> Result<LogicalPlan> {
        if is_planned_again() {
            return Ok(plan);
        }
        let mut changed = false;
        plan.transform_up_with_subqueries(|node| {
            let node = united(node)?;
            changed |= node.transformed;
            // What is above knows the columns by their types, too.
            match changed && !node.transformed {
                true => Ok(Transformed::yes(types::recomputed(node.data)?)),
                false => Ok(node),
            }
        })
        .data()
    }
}

fn united(plan: LogicalPlan) -> Result<Transformed<LogicalPlan>> {
    let LogicalPlan::Join(join) = plan else { return Ok(Transformed::no(plan)) };
    let Some(columns) = common_columns(&join)? else { return Ok(Transformed::no(LogicalPlan::Join(join))) };
    let left = match join.left.as_ref() {
        LogicalPlan::Distinct(Distinct::All(input)) => {
            LogicalPlan::Distinct(Distinct::All(Arc::new(with_types(input, &columns, 0)?)))
        }
        _ => with_types(&join.left, &columns, 0)?,
    };
    let right = with_types(&join.right, &columns, 1)?;
    let Join { on, join_type, join_constraint, null_equality, null_aware, .. } = join;
    let (left, right) = (Arc::new(left), Arc::new(right));
    let joined = Join::try_new(left, right, on, None, join_type, join_constraint, null_equality, null_aware)?;
    Ok(Transformed::yes(LogicalPlan::Join(joined)))
}

/// Whether the planner made the join of a set operation: only there is NULL equal to NULL before plans are optimized.
fn pairs_rows(join: &Join) -> bool {
    matches!(join.join_type, JoinType::LeftAnti | JoinType::LeftSemi)
        && join.null_equality == NullEquality::NullEqualsNull
        && join.filter.is_none()
}

/// A column of both sides, and the type that they have together, unless the engine finds it.
struct CommonColumn {
    sides: [Item; 2],
    common: Option<Common>,
}

/// The columns of a set operation; none if all have their types.
fn common_columns(join: &Join) -> Result<Option<Vec<CommonColumn>>> {
    if !pairs_rows(join) {
        return Ok(None);
    }
    // What cannot be settled fails later, where it is known why.
    let (Ok(left), Ok(right)) = (types::of_rows(&join.left), types::of_rows(&join.right)) else { return Ok(None) };
    let what = if join.join_type == JoinType::LeftAnti { "EXCEPT" } else { "INTERSECT" };
    let mut columns = Vec::with_capacity(left.fields().len());
    for (at, (left, right)) in left.fields().iter().zip(right.fields()).enumerate() {
        let shown = [types::shown_at(&join.left, at), types::shown_at(&join.right, at)];
        let sides = [Item::of_column(left, &shown[0]), Item::of_column(right, &shown[1])];
        let common = common_types::found(&shown.each_ref(), &sides, what)?;
        columns.push(CommonColumn { sides, common });
    }
    let has_its_type = |column: &CommonColumn| {
        column.common.as_ref().is_none_or(|common| column.sides.iter().all(|side| common.is_of(side)))
    };
    Ok(if columns.iter().all(has_its_type) { None } else { Some(columns) })
}

/// The side of this number with columns of the types that they have with those of the other, under their names.
fn with_types(input: &Arc<LogicalPlan>, columns: &[CommonColumn], side: usize) -> Result<LogicalPlan> {
    let schema = input.schema();
    let shown = schema.columns().into_iter().zip(columns).enumerate().map(|(at, (column, common))| {
        let (qualifier, field) = schema.qualified_field(at);
        let (column, item) = (Expr::Column(column), &common.sides[side]);
        match &common.common {
            Some(common) if !common.is_of(item) => {
                let value = common_types::as_column(column, item, common, schema)?;
                Ok(value.alias_qualified(qualifier.cloned(), field.name()))
            }
            _ => Ok(column),
        }
    });
    let shown = shown.collect::<Result<Vec<_>>>()?;
    Ok(LogicalPlan::Projection(Projection::try_new(shown, Arc::clone(input))?))
}

/// See the module. It runs before the engine's own rules.
#[derive(Debug)]
pub(crate) struct CountCopies;

impl AnalyzerRule for CountCopies {
    fn name(&self) -> &str {
        "count_copies"
    }

    fn analyze(&self, plan: LogicalPlan, _config: &ConfigOptions) -> Result<LogicalPlan> {
        // Its set operations are counted, and what unnesting has made of others looks like one.
        if is_planned_again() {
            return Ok(plan);
        }
        let mut number = 0;
        let each = |node| {
            number += 1;
            counted(node, number)
        };
        Ok(plan.transform_up_with_subqueries(each)?.data)
    }
}

/// Gives the inputs of a UNION its names. It runs after the engine's own rules, when types are settled.
#[derive(Debug)]
pub(crate) struct NameInputs;

impl AnalyzerRule for NameInputs {
    fn name(&self) -> &str {
        "name_inputs"
    }

    fn analyze(&self, plan: LogicalPlan, _config: &ConfigOptions) -> Result<LogicalPlan> {
        plan.transform_up_with_subqueries(named).data()
    }
}

fn named(plan: LogicalPlan) -> Result<Transformed<LogicalPlan>> {
    let LogicalPlan::Union(mut union) = plan else { return Ok(Transformed::no(plan)) };
    let schema = Arc::clone(&union.schema);
    let names: Vec<_> = schema.iter().map(|(qualifier, field)| (qualifier, field.name())).collect();
    let mut changed = false;
    for input in &mut union.inputs {
        // A projection may claim a schema that its expressions do not have: a rule that makes it anew would find others.
        if let LogicalPlan::Projection(projection) = input.as_ref() {
            let own = projection.expr.iter().map(Expr::qualified_name);
            let same = own
                .zip(&names)
                .all(|((relation, own), (qualifier, name))| relation.as_ref() == *qualifier && own == **name);
            if !same {
                let named = projection.expr.iter().cloned().zip(&names).map(|(expression, (qualifier, name))| {
                    expression.unalias().alias_qualified((*qualifier).cloned(), *name)
                });
                let named = Projection::try_new(named.collect(), Arc::clone(&projection.input))?;
                *input = Arc::new(LogicalPlan::Projection(named));
                changed = true;
            }
            continue;
        }
        if names == input.schema().iter().map(|(qualifier, field)| (qualifier, field.name())).collect::<Vec<_>>() {
            continue;
        }
        let columns = input.schema().columns().into_iter().zip(&names);
        let renamed = columns
            .map(|(column, (qualifier, name))| Expr::Column(column).alias_qualified((*qualifier).cloned(), *name));
        let projection = Projection::try_new(renamed.collect(), Arc::clone(input))?;
        *input = Arc::new(LogicalPlan::Projection(projection));
        changed = true;
    }
    Ok(Transformed::new_transformed(LogicalPlan::Union(union), changed))
}

fn counted(plan: LogicalPlan, number: usize) -> Result<Transformed<LogicalPlan>> {
    let LogicalPlan::Join(join) = plan else { return Ok(Transformed::no(plan)) };
    if !is_set_operation(&join) {
        return Ok(Transformed::no(LogicalPlan::Join(join)));
    }
    let columns: Vec<Expr> = join.left.schema().columns().into_iter().map(Expr::Column).collect();
    let (left, left_copy) =
        numbered(&join.left, &format!("fusewire.left {number}"), join.on.iter().map(|(key, _)| key))?;
    let (right, right_copy) =
        numbered(&join.right, &format!("fusewire.right {number}"), join.on.iter().map(|(_, key)| key))?;
    let mut on = join.on;
    on.push((left_copy, right_copy));
    let joined = Join::try_new(
        Arc::new(left),
        Arc::new(right),
        on,
        None,
        join.join_type,
        JoinConstraint::On,
        NullEquality::NullEqualsNull,
        false,
    )?;
    Ok(Transformed::yes(LogicalPlanBuilder::from(LogicalPlan::Join(joined)).project(columns)?.build()?))
}

/// Whether the planner made the join of a set operation with ALL. Without it the left side has no copies.
fn is_set_operation(join: &Join) -> bool {
    pairs_rows(join) && !matches!(join.left.as_ref(), LogicalPlan::Distinct(Distinct::All(_)))
}

/// The rows with the number of each among its copies.
fn numbered<'a>(
    input: &Arc<LogicalPlan>,
    side: &str,
    keys: impl Iterator<Item = &'a Expr>,
) -> Result<(LogicalPlan, Expr)> {
    let name = format!("{side} {COPY}");
    let number = Expr::from(WindowFunction::new(row_number_udwf(), Vec::new()))
        .partition_by(keys.cloned().collect())
        .build()?
        .alias(&name);
    let plan = LogicalPlanBuilder::from(input.as_ref().clone()).window([number])?.build()?;
    Ok((plan, Expr::Column(Column::new_unqualified(name))))
}
