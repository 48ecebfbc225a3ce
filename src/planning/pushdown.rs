//! Lets operators tell scans, while they run, which rows cannot matter any more.
//!
//! A join knows the keys of its smaller side, `ORDER BY … LIMIT` the rows that it would keep, MIN and MAX the best
//! value so far. Each gives a condition that changes as it learns. It goes down to the scans column by column, each by
//! its position: names say nothing, since both sides of a join may have the same. What cannot be said in the columns
//! below is dropped, and so is whatever would have to pass an operator that is not known here: a condition only saves
//! work.
//!
//! A join that collects its smaller side once for all partitions of the larger one waits with each of them until all have
//! come. Where an operator above may leave a partition unread, as a join does whose own smaller side is empty in it, the others
//! would wait for ever: such a join learns nothing.

use std::sync::Arc;

use datafusion::{
    common::{JoinSide, JoinType, Result, config::ConfigOptions},
    physical_expr::{
        PhysicalExpr,
        expressions::{Column, DynamicFilterPhysicalExpr},
    },
    physical_optimizer::PhysicalOptimizerRule,
    physical_plan::{
        ExecutionPlan,
        aggregates::AggregateExec,
        buffer::BufferExec,
        coalesce_partitions::CoalescePartitionsExec,
        coop::CooperativeExec,
        execution_plan::replace_children_if_necessary,
        filter::FilterExec,
        filter_pushdown::{ChildPushdownResult, FilterPushdownPhase, PushedDownPredicate},
        joins::{HashJoinExec, PartitionMode, SortMergeJoinExec, utils::build_join_schema},
        projection::ProjectionExec,
        recursive_query::RecursiveQueryExec,
        repartition::RepartitionExec,
        sorts::{sort::SortExec, sort_preserving_merge::SortPreservingMergeExec},
        union::{InterleaveExec, UnionExec},
    },
};

use super::{
    columns::{Condition, Origins, column, rewritten},
    scan::{file_columns, files_of, with_conditions},
    unordered::UnorderedExec,
};

/// Hands the conditions of joins, sorts and aggregates down to the scans.
#[derive(Debug)]
pub(super) struct PushDynamicFilters;

impl PhysicalOptimizerRule for PushDynamicFilters {
    fn optimize(&self, plan: Arc<dyn ExecutionPlan>, options: &ConfigOptions) -> Result<Arc<dyn ExecutionPlan>> {
        push(plan, &[], true, options)
    }

    fn name(&self) -> &str {
        "push_dynamic_filters"
    }

    fn schema_check(&self) -> bool {
        true
    }
}

/// The node with conditions on its rows and those of its own handed down. `all_read` says that each of its partitions is read
/// if any is.
fn push(
    node: Arc<dyn ExecutionPlan>,
    conditions: &[Condition],
    all_read: bool,
    options: &ConfigOptions,
) -> Result<Arc<dyn ExecutionPlan>> {
    if let Some(files) = files_of(&node) {
        let Some(origins) = file_columns(&node, files) else { return Ok(node) };
        let conditions = conditions.iter().filter_map(|condition| rewritten(condition, &origins)).collect();
        let (scan, _) = with_conditions(&node, conditions, options)?;
        return Ok(scan.unwrap_or(node));
    }
    let own = if all_read || !waits_for_all(&node) { own_conditions(&node, options)? } else { Vec::new() };
    let mut children = Vec::with_capacity(own.len());
    for (index, child) in node.children().into_iter().enumerate() {
        if node.is::<RecursiveQueryExec>() && index > 0 {
            // The recursive term runs again and again: what one round learns is wrong in the next.
            children.push(Arc::clone(child));
            continue;
        }
        let mut below: Vec<Condition> = own.get(index).cloned().unwrap_or_default();
        if let Some(origins) = origins(&node, index, child) {
            below.extend(conditions.iter().filter_map(|condition| rewritten(condition, &origins)));
        }
        children.push(push(Arc::clone(child), &below, reads_all(&node, index, all_read), options)?);
    }
    let node = replace_children_if_necessary(node, children)?;
    if own.iter().all(Vec::is_empty) {
        return Ok(node);
    }
    let given = |conditions: Vec<Condition>| conditions.into_iter().map(PushedDownPredicate::supported).collect();
    let self_filters = own.into_iter().map(given).collect();
    let told = ChildPushdownResult { parent_filters: Vec::new(), self_filters };
    let told = node.handle_child_pushdown_result(FilterPushdownPhase::Post, told, options)?;
    Ok(told.updated_node.unwrap_or(node))
}

/// Whether each partition of a join waits until all have come.
fn waits_for_all(node: &Arc<dyn ExecutionPlan>) -> bool {
    node.downcast_ref::<HashJoinExec>().is_some_and(|join| *join.partition_mode() != PartitionMode::Partitioned)
}

/// Whether each partition of an input is read if any is, where that is so, or is not, for the operator itself.
fn reads_all(node: &Arc<dyn ExecutionPlan>, index: usize, all_read: bool) -> bool {
    if node.is::<RepartitionExec>() || node.is::<CoalescePartitionsExec>() || node.is::<SortPreservingMergeExec>() {
        return true;
    }
    if let Some(join) = node.downcast_ref::<HashJoinExec>() {
        return match (*join.partition_mode(), index) {
            (PartitionMode::Partitioned, 0) => all_read,
            (PartitionMode::Partitioned, _) => false,
            (_, 0) => true,
            (_, _) => all_read,
        };
    }
    all_read && !node.is::<SortMergeJoinExec>()
}

/// The conditions that the operator itself has for each of its inputs.
fn own_conditions(node: &Arc<dyn ExecutionPlan>, options: &ConfigOptions) -> Result<Vec<Vec<Condition>>> {
    let mut own = node.gather_filters_for_pushdown(FilterPushdownPhase::Post, Vec::new(), options)?.self_filters();
    for (conditions, child) in own.iter_mut().zip(node.children()) {
        let schema = child.schema();
        conditions.retain(|condition| {
            let is_floating =
                |key: &&Arc<dyn PhysicalExpr>| key.data_type(&schema).is_ok_and(|found| found.is_floating());
            let floats = condition.children().iter().any(is_floating);
            // The order of sorts has a place for NaN and both zeros; that of bounds that joins and aggregates make need
            // not.
            condition.is::<DynamicFilterPhysicalExpr>() && (node.is::<SortExec>() || !floats) && says_all(node)
        });
    }
    Ok(own)
}

/// Whether an aggregate's condition is about all that it computes: it leaves out arguments that are no columns, and a
/// row that cannot change the least of one column may change the least of an expression. Of calls with a FILTER it knows
/// nothing: the least of some rows is none of all.
fn says_all(node: &Arc<dyn ExecutionPlan>) -> bool {
    let Some(aggregate) = node.downcast_ref::<AggregateExec>() else { return true };
    aggregate.filter_expr().iter().all(Option::is_none)
        && aggregate
            .aggr_expr()
            .iter()
            .all(|function| matches!(&function.expressions()[..], [only] if only.is::<Column>()))
}

/// Where the operator's columns come from in its input of this index; nothing where leaving rows out of the input isn't
/// the same as leaving them out of the output.
fn origins(node: &Arc<dyn ExecutionPlan>, index: usize, child: &Arc<dyn ExecutionPlan>) -> Option<Origins> {
    if node.fetch().is_some() {
        return None;
    }
    let below = child.schema();
    let same = || (0..below.fields().len()).map(|index| Some(column(&below, index)));
    let mut found: Origins = if let Some(projection) = node.downcast_ref::<ProjectionExec>() {
        projection.expr().iter().map(|projected| Some(Arc::clone(&projected.expr))).collect()
    } else if let Some(filter) = node.downcast_ref::<FilterExec>() {
        match filter.projection() {
            Some(kept) => kept.iter().map(|index| Some(column(&below, *index))).collect(),
            None => same().collect(),
        }
    } else if let Some(aggregate) = node.downcast_ref::<AggregateExec>() {
        group_columns(aggregate, &below)?
    } else if let Some(join) = node.downcast_ref::<HashJoinExec>() {
        join_columns(join, index, &below)?
    } else if keeps_rows(node) {
        same().collect()
    } else {
        return None;
    };
    // A union's columns have one type; should they not, a condition about one is none about the other.
    let above = node.schema();
    for (origin, field) in found.iter_mut().zip(above.fields()) {
        let fits = origin.as_ref().and_then(|origin| origin.data_type(&below).ok());
        if fits.is_none_or(|found| found != *field.data_type()) {
            *origin = None;
        }
    }
    Some(found)
}

/// Whether the operator gives the rows of its inputs as they are, in whatever order.
fn keeps_rows(node: &Arc<dyn ExecutionPlan>) -> bool {
    node.is::<RepartitionExec>()
        || node.is::<CoalescePartitionsExec>()
        || node.is::<CooperativeExec>()
        || node.is::<BufferExec>()
        || node.is::<SortExec>()
        || node.is::<SortPreservingMergeExec>()
        || node.is::<UnionExec>()
        || node.is::<InterleaveExec>()
        || node.is::<UnorderedExec>()
}

/// A condition on what is grouped by leaves out whole groups, unless there is a group of no rows, or only some are
/// kept.
fn group_columns(aggregate: &AggregateExec, below: &arrow::datatypes::Schema) -> Option<Origins> {
    if aggregate.limit_options().is_some() {
        return None;
    }
    let grouping = aggregate.group_expr();
    let in_every_set = |index: usize| grouping.groups().iter().all(|nulls| nulls.get(index) == Some(&false));
    let groups = grouping.expr().iter().enumerate().map(|(index, (expression, _))| {
        // Both zeros are one group, and different values.
        let exact = expression.data_type(below).is_ok_and(|found| !found.is_floating());
        (exact && in_every_set(index)).then(|| Arc::clone(expression))
    });
    let columns = aggregate.schema().fields().len();
    Some(groups.chain(std::iter::repeat(None)).take(columns).collect())
}

/// A condition on a side whose every row comes out, or comes out with what it matches, is one on that side's rows.
fn join_columns(join: &HashJoinExec, index: usize, below: &arrow::datatypes::Schema) -> Option<Origins> {
    let side = if index == 0 { JoinSide::Left } else { JoinSide::Right };
    if !passes(*join.join_type(), side) {
        return None;
    }
    let (_, columns) = build_join_schema(&join.left().schema(), &join.right().schema(), join.join_type());
    let origin = |position: usize| {
        let found = columns.get(position).filter(|found| found.side == side)?;
        Some(column(below, found.index))
    };
    Some(match &join.projection {
        Some(kept) => kept.iter().map(|position| origin(*position)).collect(),
        None => (0..columns.len()).map(origin).collect(),
    })
}

fn passes(join: JoinType, side: JoinSide) -> bool {
    use JoinType::{Full, Inner, Left, LeftAnti, LeftMark, LeftSemi, Right, RightAnti, RightMark, RightSemi};
    match join {
        Inner => true,
        Left | LeftSemi | LeftAnti | LeftMark => side == JoinSide::Left,
        Right | RightSemi | RightAnti | RightMark => side == JoinSide::Right,
        Full => false,
    }
}
