//! Which filters above `recommend` the operator takes over: those on the user, which its input can apply, and upper
//! bounds of the rank, which lower k. A filter on items stays above: applied below, it would change the answer.

use std::{collections::HashSet, sync::Arc};

use datafusion::{
    common::{
        ScalarValue,
        tree_node::{Transformed, TreeNode},
    },
    error::Result,
    logical_expr::Operator,
    physical_expr::{
        PhysicalExpr,
        expressions::{BinaryExpr, Column, Literal},
        utils::{collect_columns, conjunction},
    },
    physical_plan::{
        ExecutionPlan,
        filter::FilterExec,
        filter_pushdown::{
            ChildFilterDescription, ChildPushdownResult, FilterDescription, FilterPushdownPhase, PushedDown,
        },
    },
};

/// Where the user and the rank stand in the output.
const USER: usize = 0;
const RANK: usize = 2;

/// What became of the filters above.
pub(super) struct Taken {
    /// Whether each needs no more checking above.
    pub(super) filters: Vec<PushedDown>,
    /// The users under the filters that their plan did not take.
    pub(super) users: Option<Arc<dyn ExecutionPlan>>,
    /// The highest rank that is wanted.
    pub(super) most: Option<usize>,
}

/// Offers the filters that read the user alone to the plan of the users, and nothing to the other inputs.
pub(super) fn gather(
    inputs: &[Arc<dyn ExecutionPlan>],
    filters: &[Arc<dyn PhysicalExpr>],
) -> Result<FilterDescription> {
    // A volatile filter is to be drawn for every row, not for every user.
    let volatile = filters.iter().any(is_volatile);
    let mut description = FilterDescription::new();
    for (position, input) in inputs.iter().enumerate() {
        description = description.with_child(if position == 0 && !volatile {
            ChildFilterDescription::from_child_with_allowed_indices(filters, HashSet::from([USER]), input)?
        } else {
            ChildFilterDescription::all_unsupported(filters)
        });
    }
    Ok(description)
}

/// Takes over what the plan of the users has left.
pub(super) fn take_over(
    users: &Arc<dyn ExecutionPlan>,
    phase: FilterPushdownPhase,
    result: &ChildPushdownResult,
) -> Result<Taken> {
    let mut taken = Taken { filters: Vec::with_capacity(result.parent_filters.len()), users: None, most: None };
    let mut on_users = Vec::new();
    for offered in &result.parent_filters {
        let filter = &offered.filter;
        let done = if matches!(offered.child_results.first(), Some(PushedDown::Yes)) {
            true
        } else if phase != FilterPushdownPhase::Pre || is_volatile(filter) {
            // Later filters may still change while the plan runs, when its nodes must stay as they are.
            false
        } else if let Some(bound) = RankBound::of(filter) {
            taken.most = Some(taken.most.unwrap_or(usize::MAX).min(bound.most));
            bound.is_all
        } else if reads_user_alone(filter) {
            on_users.push(of_users(filter, users)?);
            true
        } else {
            false
        };
        taken.filters.push(if done { PushedDown::Yes } else { PushedDown::No });
    }
    if !on_users.is_empty() {
        taken.users = Some(Arc::new(FilterExec::try_new(conjunction(on_users), users.clone())?));
    }
    Ok(taken)
}

fn is_volatile(filter: &Arc<dyn PhysicalExpr>) -> bool {
    datafusion::physical_expr_common::physical_expr::is_volatile(filter)
}

fn reads_user_alone(filter: &Arc<dyn PhysicalExpr>) -> bool {
    let columns = collect_columns(filter);
    !columns.is_empty() && columns.iter().all(|column| column.index() == USER)
}

/// The filter over the plan of the users, where the user may stand elsewhere.
fn of_users(filter: &Arc<dyn PhysicalExpr>, users: &Arc<dyn ExecutionPlan>) -> Result<Arc<dyn PhysicalExpr>> {
    let schema = users.schema();
    let moved = filter.clone().transform(|expression| match expression.downcast_ref::<Column>() {
        Some(column) => {
            let moved = Column::new_with_schema(column.name(), &schema)?;
            Ok(Transformed::yes(Arc::new(moved) as Arc<dyn PhysicalExpr>))
        }
        None => Ok(Transformed::no(expression)),
    })?;
    Ok(moved.data)
}

/// An upper bound of the rank.
struct RankBound {
    /// The highest rank that passes.
    most: usize,
    /// Whether every rank up to it passes, so that nothing is left to check.
    is_all: bool,
}

impl RankBound {
    fn of(filter: &Arc<dyn PhysicalExpr>) -> Option<Self> {
        let comparison = filter.downcast_ref::<BinaryExpr>()?;
        let (left, right) = (comparison.left(), comparison.right());
        let (operator, bound) = match (is_rank(left), is_rank(right)) {
            (true, false) => (*comparison.op(), number(right)?),
            (false, true) => (comparison.op().swap()?, number(left)?),
            _ => return None,
        };
        let (most, is_all) = match operator {
            Operator::LtEq => (bound, true),
            Operator::Lt => (bound.saturating_sub(1), true),
            Operator::Eq => (bound, false),
            _ => return None,
        };
        Some(Self { most: usize::try_from(most.max(0)).ok()?, is_all })
    }
}

fn is_rank(expression: &Arc<dyn PhysicalExpr>) -> bool {
    expression.downcast_ref::<Column>().is_some_and(|column| column.index() == RANK)
}

fn number(expression: &Arc<dyn PhysicalExpr>) -> Option<i64> {
    match expression.downcast_ref::<Literal>()?.value() {
        ScalarValue::Int64(number) => *number,
        _ => None,
    }
}
