//! Filters that can fail stay where they were written, above what keeps rows from them.
//!
//! DataFusion moves each condition of a filter as near to its table as it goes, past the conditions and joins that would
//! have removed a row on which it fails. Here a condition that can fail passes only operators that keep all rows.

use std::sync::Arc;

use datafusion::{
    common::{
        DFSchema, Result, internal_datafusion_err,
        tree_node::{Transformed, TreeNode, TreeNodeRecursion},
    },
    logical_expr::{
        BinaryExpr, Distinct, Expr, Filter, Join, JoinType, LogicalPlan, Operator,
        utils::{conjunction, split_conjunction, split_conjunction_owned},
    },
    optimizer::{ApplyOrder, OptimizerConfig, OptimizerRule, push_down_filter::PushDownFilter},
};

use super::{super::subquery::is_subquery, failing::can_fail};

/// DataFusion's rule that pushes filters down, for the conditions that cannot fail.
#[derive(Debug, Default)]
pub(super) struct PushDownSafeFilters {
    safe: PushDownFilter,
}

impl OptimizerRule for PushDownSafeFilters {
    fn name(&self) -> &str {
        self.safe.name()
    }

    fn apply_order(&self) -> Option<ApplyOrder> {
        Some(ApplyOrder::TopDown)
    }

    fn rewrite(&self, plan: LogicalPlan, config: &dyn OptimizerConfig) -> Result<Transformed<LogicalPlan>> {
        match with_constants_right(plan)? {
            LogicalPlan::Filter(filter) if is_about_a_total(&filter) => {
                Ok(Transformed::no(LogicalPlan::Filter(filter)))
            }
            LogicalPlan::Filter(filter) if has_failing(&filter) => self.filter(filter, config),
            LogicalPlan::Join(join) if join.filter.as_ref().is_some_and(|filter| can_fail(filter, &joined(&join))) => {
                self.push(LogicalPlan::Join(join), config)
            }
            other => self.safe.rewrite(other, config),
        }
    }
}

impl PushDownSafeFilters {
    /// The safe conditions of a filter, and of the filters right below it, go down; the others stand above them, the inner
    /// ones first.
    fn filter(&self, filter: Filter, config: &dyn OptimizerConfig) -> Result<Transformed<LogicalPlan>> {
        let mut stacked = vec![split_conjunction_owned(filter.predicate)];
        let mut below = Arc::unwrap_or_clone(filter.input);
        while let LogicalPlan::Filter(filter) = below {
            stacked.push(split_conjunction_owned(filter.predicate));
            below = Arc::unwrap_or_clone(filter.input);
        }
        let places: Vec<usize> = stacked.iter().map(Vec::len).collect();
        let (mut safe, mut failing) = (Vec::new(), Vec::new());
        for condition in stacked.into_iter().rev().flatten() {
            let list = match can_fail(&condition, below.schema()) && !joins(&condition, &below) {
                true => &mut failing,
                false => &mut safe,
            };
            if !list.contains(&condition) {
                list.push(condition);
            }
        }
        let in_place = match places.as_slice() {
            [all] => *all == failing.len() || *all == safe.len(),
            [above, within] => *above == failing.len() && *within == safe.len(),
            _ => false,
        };
        let Some(safe) = conjunction(safe) else {
            return through(failing, below, in_place, &self.safe, config);
        };
        let pushed = self.push(LogicalPlan::Filter(Filter::try_new(safe, Arc::new(below))?), config)?;
        let changed = pushed.transformed || !in_place;
        let plan = above(failing, pushed.data)?;
        Ok(if changed { Transformed::yes(plan) } else { Transformed::no(plan) })
    }

    /// DataFusion's rule over a join, or a filter that cannot fail, while the join's own conditions that can are put aside:
    /// it would push them too, and guess others from them.
    fn push(&self, plan: LogicalPlan, config: &dyn OptimizerConfig) -> Result<Transformed<LogicalPlan>> {
        let (plan, aside) = match plan {
            LogicalPlan::Join(join) => {
                let (join, aside) = put_aside(join);
                (LogicalPlan::Join(join), aside)
            }
            LogicalPlan::Filter(filter) => match Arc::unwrap_or_clone(filter.input) {
                LogicalPlan::Join(join) => {
                    let (join, aside) = put_aside(join);
                    (LogicalPlan::Filter(Filter::try_new(filter.predicate, Arc::new(LogicalPlan::Join(join)))?), aside)
                }
                other => (LogicalPlan::Filter(Filter::try_new(filter.predicate, Arc::new(other))?), Vec::new()),
            },
            other => (other, Vec::new()),
        };
        let pushed = self.safe.rewrite(plan, config)?;
        match aside.is_empty() {
            true => Ok(pushed),
            false => pushed.map_data(|plan| put_back(plan, aside)),
        }
    }
}

/// The plan, whose conditions have their constants on the right, and those of the filters and the join right below. Of
/// `x = 2` and `2 = x`, which meet where a condition follows from that of a join, the rule would make `false`.
fn with_constants_right(plan: LogicalPlan) -> Result<LogicalPlan> {
    match plan {
        LogicalPlan::Filter(Filter { predicate, input, .. }) => {
            let input = match input.as_ref() {
                LogicalPlan::Filter(_) | LogicalPlan::Join(_) => {
                    Arc::new(with_constants_right(Arc::unwrap_or_clone(input))?)
                }
                _ => input,
            };
            Ok(LogicalPlan::Filter(Filter::try_new(constants_right(predicate)?, input)?))
        }
        LogicalPlan::Join(mut join) => {
            join.filter = join.filter.map(constants_right).transpose()?;
            Ok(LogicalPlan::Join(join))
        }
        other => Ok(other),
    }
}

fn constants_right(condition: Expr) -> Result<Expr> {
    let turned = condition.transform_down(|part| {
        Ok(match part {
            Expr::BinaryExpr(BinaryExpr { left, op, right })
                if matches!(*left, Expr::Literal(..)) && !matches!(*right, Expr::Literal(..)) =>
            {
                match op.swap() {
                    Some(op) => Transformed::yes(Expr::BinaryExpr(BinaryExpr { left: right, op, right: left })),
                    None => Transformed::no(Expr::BinaryExpr(BinaryExpr { left, op, right })),
                }
            }
            Expr::BinaryExpr(BinaryExpr { op: Operator::And, .. }) => Transformed::no(part),
            other => Transformed::new(other, false, TreeNodeRecursion::Jump),
        })
    });
    Ok(turned?.data)
}

/// Whether a filter has a condition without a column and stands above an aggregate that has a row also where it has none to
/// aggregate. The rule takes that condition for one on the groups, and moves it below.
fn is_about_a_total(filter: &Filter) -> bool {
    let mut below = filter.input.as_ref();
    while let LogicalPlan::Filter(inner) = below {
        below = inner.input.as_ref();
    }
    let LogicalPlan::Aggregate(aggregate) = below else { return false };
    let has_total = aggregate.group_expr.is_empty()
        || aggregate.group_expr.iter().any(|group| matches!(group, Expr::GroupingSet(_)));
    has_total && split_conjunction(&filter.predicate).iter().any(|condition| condition.column_refs().is_empty())
}

/// Whether a filter, one of those right below it, or the join below them has a condition that can fail.
fn has_failing(filter: &Filter) -> bool {
    let within = |filter: &Filter| match filter.input.as_ref() {
        LogicalPlan::Filter(inner) => has_failing(inner),
        LogicalPlan::Join(join) => join.filter.as_ref().is_some_and(|condition| can_fail(condition, &joined(join))),
        _ => false,
    };
    can_fail(&filter.predicate, filter.input.schema()) || within(filter)
}

/// The columns that a join's condition reads: those of both sides, of which a semi join returns one.
pub(super) fn joined(join: &Join) -> DFSchema {
    let both = join.left.schema().join(join.right.schema());
    both.unwrap_or_else(|_| join.schema.as_ref().clone())
}

/// Whether the condition is what a join without one would be made by: a value of one side equals one of the other. Each is
/// computed where all conditions on its side alone have been applied.
fn joins(condition: &Expr, below: &LogicalPlan) -> bool {
    let LogicalPlan::Join(join) = below else { return false };
    let Expr::BinaryExpr(BinaryExpr { left, op: Operator::Eq, right }) = condition else { return false };
    let bare = join.join_type == JoinType::Inner && join.on.is_empty() && join.filter.is_none();
    let apart = |one: &Expr, other: &Expr| reads_only(one, &join.left) && reads_only(other, &join.right);
    bare && (apart(left, right) || apart(right, left))
}

/// Whether an expression reads columns, and only of this plan.
pub(super) fn reads_only(expr: &Expr, plan: &LogicalPlan) -> bool {
    let columns = expr.column_refs();
    let computed = expr.exists(|step| Ok(is_subquery(step) || matches!(step, Expr::OuterReferenceColumn(..))));
    !columns.is_empty() && columns.iter().all(|column| plan.schema().has_column(column)) && !computed.unwrap_or(true)
}

fn put_aside(mut join: Join) -> (Join, Vec<Expr>) {
    let Some(condition) = join.filter.take() else { return (join, Vec::new()) };
    let schema = joined(&join);
    let (failing, safe) =
        split_conjunction_owned(condition).into_iter().partition(|condition| can_fail(condition, &schema));
    join.filter = conjunction(safe);
    (join, failing)
}

fn put_back(plan: LogicalPlan, mut aside: Vec<Expr>) -> Result<LogicalPlan> {
    match plan {
        LogicalPlan::Join(mut join) => {
            let mut conditions = join.filter.take().map(split_conjunction_owned).unwrap_or_default();
            conditions.append(&mut aside);
            join.filter = conjunction(conditions);
            Ok(LogicalPlan::Join(join))
        }
        LogicalPlan::Filter(filter) => {
            let input = put_back(Arc::unwrap_or_clone(filter.input), aside)?;
            Ok(LogicalPlan::Filter(Filter::try_new(filter.predicate, Arc::new(input))?))
        }
        other => Err(internal_datafusion_err!("a join became {}, which takes no condition", other.display())),
    }
}

/// Conditions that can fail, below an operator that neither adds nor removes a value they read, as far as they go in their
/// order.
fn through(
    failing: Vec<Expr>,
    below: LogicalPlan,
    in_place: bool,
    safe: &PushDownFilter,
    config: &dyn OptimizerConfig,
) -> Result<Transformed<LogicalPlan>> {
    let mut plan = Transformed::new_transformed(below, !in_place);
    let mut waiting = failing.into_iter().peekable();
    while let Some(condition) = waiting.peek() {
        if !keeps_rows(&plan.data, condition) {
            break;
        }
        let Some(condition) = waiting.next() else { break };
        let pushed = match plan.data {
            LogicalPlan::Join(join) => Transformed::yes(below_outer_join(condition, join)?),
            other => safe.rewrite(LogicalPlan::Filter(Filter::try_new(condition, Arc::new(other))?), config)?,
        };
        plan = Transformed::new_transformed(pushed.data, plan.transformed || pushed.transformed);
    }
    let rest: Vec<Expr> = waiting.collect();
    plan.map_data(|plan| above(rest, plan))
}

/// Whether every row of the operator's input is still there in its output, as far as the condition tells.
fn keeps_rows(plan: &LogicalPlan, condition: &Expr) -> bool {
    if !reads_only(condition, plan) {
        return false;
    }
    match plan {
        LogicalPlan::Projection(_)
        | LogicalPlan::SubqueryAlias(_)
        | LogicalPlan::Repartition(_)
        | LogicalPlan::Aggregate(_)
        | LogicalPlan::Window(_)
        | LogicalPlan::Union(_)
        | LogicalPlan::Distinct(Distinct::All(_)) => true,
        LogicalPlan::Sort(sort) => sort.fetch.is_none(),
        LogicalPlan::Join(join) => match join.join_type {
            JoinType::Left | JoinType::LeftMark => reads_only(condition, &join.left),
            JoinType::Right | JoinType::RightMark => reads_only(condition, &join.right),
            _ => false,
        },
        _ => false,
    }
}

fn below_outer_join(condition: Expr, mut join: Join) -> Result<LogicalPlan> {
    let side = match join.join_type {
        JoinType::Left | JoinType::LeftMark => &mut join.left,
        _ => &mut join.right,
    };
    *side = Arc::new(LogicalPlan::Filter(Filter::try_new(condition, Arc::clone(side))?));
    Ok(LogicalPlan::Join(join))
}

/// A filter of these conditions, if there are any.
fn above(conditions: Vec<Expr>, plan: LogicalPlan) -> Result<LogicalPlan> {
    Ok(match conjunction(conditions) {
        Some(predicate) => LogicalPlan::Filter(Filter::try_new(predicate, Arc::new(plan))?),
        None => plan,
    })
}
