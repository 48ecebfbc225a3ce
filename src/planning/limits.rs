//! Limits that keep the rows which they were written for.
//!
//! `SELECT * FROM (SELECT a FROM t ORDER BY a DESC OFFSET 1) AS q ORDER BY a LIMIT 3` skips by one order and takes by another.
//! The rule that settles how rows are distributed and sorted moves and removes sorts as if they only changed the order. It put
//! the outer one below the OFFSET, and removed the inner one where its key is not shown. The number of rows of an outer sort
//! went to the inner one below an OFFSET, to what a window reads, or to nobody where the rows were in order already.
//!
//! So while it runs, a limit with everything down to the sort that it takes its rows by, and a sort that takes some rows only, is
//! one operator that it does not know: it distributes the input of such an operator, sees the order of its rows, and changes
//! nothing in it. No other operator has a number of rows at that time, so that none can get to the wrong one. Afterwards each
//! sort among them becomes what its input needs: a limit where the rows are in order, sorts that are merged where they are in
//! several partitions.

use std::{fmt, sync::Arc};

use datafusion::{
    common::{
        Result,
        config::ConfigOptions,
        tree_node::{Transformed, TransformedResult, TreeNode, TreeNodeRecursion},
    },
    execution::{SendableRecordBatchStream, TaskContext},
    physical_expr::{LexOrdering, OrderingRequirements, PhysicalExpr, PhysicalSortExpr, expressions::Column},
    physical_optimizer::PhysicalOptimizerRule,
    physical_plan::{
        DisplayAs, DisplayFormatType, ExecutionPlan, ExecutionPlanProperties, InputDistributionRequirements,
        PlanProperties, Statistics,
        coalesce_partitions::CoalescePartitionsExec,
        execution_plan::{CardinalityEffect, replace_children_if_necessary},
        limit::{GlobalLimitExec, LocalLimitExec},
        projection::ProjectionExec,
        sorts::{sort::SortExec, sort_preserving_merge::SortPreservingMergeExec},
        statistics::{ChildStats, StatisticsArgs, StatisticsContext},
    },
};
use fusewire_udfs::plan::only_input;

use super::{columns::column, physical::PhysicalRule};

/// The rule that distributes and sorts, around the limits; see the module.
#[derive(Debug)]
pub(super) struct HoldLimits(pub(super) PhysicalRule);

impl PhysicalOptimizerRule for HoldLimits {
    fn optimize(&self, plan: Arc<dyn ExecutionPlan>, options: &ConfigOptions) -> Result<Arc<dyn ExecutionPlan>> {
        let settled = self.0.optimize(held(plan)?, options)?;
        let in_parts = options.optimizer.repartition_sorts;
        let released = settled.transform_up(|node| {
            let Some(held) = node.downcast_ref::<HeldExec>() else { return Ok(Transformed::no(node)) };
            Ok(Transformed::yes(released(&held.rows, held.above, in_parts)?))
        });
        released.data()
    }

    fn name(&self) -> &str {
        self.0.name()
    }

    fn schema_check(&self) -> bool {
        self.0.schema_check()
    }
}

/// The plan with its limits held, and the sorts that take some rows only.
fn held(plan: Arc<dyn ExecutionPlan>) -> Result<Arc<dyn ExecutionPlan>> {
    let held = plan.transform_down(|node| {
        let above = if node.is::<GlobalLimitExec>() || node.is::<LocalLimitExec>() {
            above_sort(&node)
        } else if global_sort(&node).is_some_and(|sort| sort.fetch().is_some()) {
            0
        } else {
            return Ok(Transformed::no(node));
        };
        Ok(Transformed::yes(Arc::new(HeldExec { rows: node, above }) as Arc<dyn ExecutionPlan>))
    });
    held.data()
}

/// How many operators stand above the sort whose order a limit takes its rows by; none where it takes them as they come.
fn above_sort(limit: &Arc<dyn ExecutionPlan>) -> usize {
    let mut node = limit;
    let mut above = 0;
    while keeps_order(node) {
        let [input] = node.children()[..] else { break };
        node = input;
        above += 1;
        if global_sort(node).is_some() {
            return above;
        }
    }
    0
}

fn global_sort(node: &Arc<dyn ExecutionPlan>) -> Option<&SortExec> {
    node.downcast_ref::<SortExec>().filter(|sort| !sort.preserve_partitioning())
}

/// Whether rows leave an operator in the order in which they come, whichever that is.
fn keeps_order(node: &Arc<dyn ExecutionPlan>) -> bool {
    matches!(node.maintains_input_order()[..], [true]) && matches!(node.required_input_ordering()[..], [None])
}

/// The same operators, the innermost of which is `above` steps down, over an input for it.
fn over(node: &Arc<dyn ExecutionPlan>, above: usize, input: Arc<dyn ExecutionPlan>) -> Result<Arc<dyn ExecutionPlan>> {
    let input = match above {
        0 => input,
        _ => over(only_input(node.name(), &node.children())?, above - 1, input)?,
    };
    replace_children_if_necessary(Arc::clone(node), vec![input])
}

/// The operators that were held, with the innermost made for its input.
fn released(node: &Arc<dyn ExecutionPlan>, above: usize, in_parts: bool) -> Result<Arc<dyn ExecutionPlan>> {
    if above > 0 {
        let input = released(only_input(node.name(), &node.children())?, above - 1, in_parts)?;
        return replace_children_if_necessary(Arc::clone(node), vec![input]);
    }
    match global_sort(node) {
        Some(sort) => {
            let input = if in_parts { unmerged(sort.input()) } else { sort.input() };
            sorted(Arc::clone(input), sort.expr(), sort.fetch())
        }
        None => Ok(Arc::clone(node)),
    }
}

/// The partitions that were brought together for a sort.
fn unmerged(input: &Arc<dyn ExecutionPlan>) -> &Arc<dyn ExecutionPlan> {
    if let Some(merge) = input.downcast_ref::<CoalescePartitionsExec>() {
        return if merge.fetch().is_none() { merge.input() } else { input };
    }
    match input.downcast_ref::<SortPreservingMergeExec>() {
        Some(merge) if merge.fetch().is_none() => merge.input(),
        _ => input,
    }
}

/// The first rows by an order, or all of them, in one partition.
fn sorted(input: Arc<dyn ExecutionPlan>, keys: &LexOrdering, fetch: Option<usize>) -> Result<Arc<dyn ExecutionPlan>> {
    let in_parts = input.output_partitioning().partition_count() > 1;
    if input.equivalence_properties().ordering_satisfy(keys.clone())? {
        return Ok(if in_parts {
            merged(input, keys, fetch)
        } else if fetch.is_some() {
            let mut first = GlobalLimitExec::new(input, 0, fetch);
            first.set_required_ordering(Some(keys.clone()));
            Arc::new(first)
        } else {
            input
        });
    }
    // What is computed of each row need not be computed of those that are left out.
    if fetch.is_some()
        && let Some((below, keys_below)) = below_row_by_row(&input, keys)
    {
        let few = replace_children_if_necessary(Arc::clone(&input), vec![sorted(below, &keys_below, fetch)?])?;
        if few.equivalence_properties().ordering_satisfy(keys.clone())? {
            return Ok(few);
        }
    }
    let sort = SortExec::new(keys.clone(), input).with_fetch(fetch).with_preserve_partitioning(in_parts);
    Ok(if in_parts { merged(Arc::new(sort), keys, fetch) } else { Arc::new(sort) })
}

fn merged(input: Arc<dyn ExecutionPlan>, keys: &LexOrdering, fetch: Option<usize>) -> Arc<dyn ExecutionPlan> {
    Arc::new(SortPreservingMergeExec::new(keys.clone(), input).with_fetch(fetch))
}

/// The input of an operator that makes one row of each, and the keys in its columns.
fn below_row_by_row(
    node: &Arc<dyn ExecutionPlan>,
    keys: &LexOrdering,
) -> Option<(Arc<dyn ExecutionPlan>, LexOrdering)> {
    let [input] = node.children()[..] else { return None };
    let row_by_row = node.supports_limit_pushdown() && matches!(node.cardinality_effect(), CardinalityEffect::Equal);
    if !row_by_row || !keeps_order(node) {
        return None;
    }
    let (schema, schema_below) = (node.schema(), input.schema());
    let place_below = |place: usize| match node.downcast_ref::<ProjectionExec>() {
        Some(projection) => projection.expr().get(place)?.expr.downcast_ref::<Column>().map(Column::index),
        None => (schema.fields().get(place)? == schema_below.fields().get(place)?).then_some(place),
    };
    // A projection that computes stays near to the scan that may compute in its place.
    if node.is::<ProjectionExec>() && (0..schema.fields().len()).any(|place| place_below(place).is_none()) {
        return None;
    }
    let keys_below = keys.iter().map(|key| {
        let place = place_below(key.expr.downcast_ref::<Column>()?.index())?;
        Some(PhysicalSortExpr::new(column(&schema_below, place), key.options))
    });
    let keys_below = keys_below.collect::<Option<Vec<_>>>()?;
    Some((Arc::clone(input), LexOrdering::new(keys_below)?))
}

/// Operators as one that is known by its rows alone.
#[derive(Debug)]
struct HeldExec {
    /// The outermost of them.
    rows: Arc<dyn ExecutionPlan>,
    /// How many there are above the innermost, whose input is the input.
    above: usize,
}

impl HeldExec {
    fn innermost(&self) -> &Arc<dyn ExecutionPlan> {
        let mut node = &self.rows;
        for _ in 0..self.above {
            // Each but the innermost has one input.
            if let [input] = node.children()[..] {
                node = input;
            }
        }
        node
    }
}

impl DisplayAs for HeldExec {
    fn fmt_as(&self, format: DisplayFormatType, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str("HeldExec: ")?;
        self.rows.fmt_as(format, formatter)
    }
}

impl ExecutionPlan for HeldExec {
    fn name(&self) -> &str {
        "HeldExec"
    }

    fn properties(&self) -> &Arc<PlanProperties> {
        self.rows.properties()
    }

    fn input_distribution_requirements(&self) -> InputDistributionRequirements {
        self.innermost().input_distribution_requirements()
    }

    /// A limit that states no order takes its rows in the one that they have, if any; a sort needs none.
    fn required_input_ordering(&self) -> Vec<Option<OrderingRequirements>> {
        let innermost = self.innermost();
        let needed = match innermost.children()[..] {
            [input] if !innermost.is::<SortExec>() => input.output_ordering().cloned(),
            _ => None,
        };
        vec![needed.map(OrderingRequirements::from)]
    }

    fn benefits_from_input_partitioning(&self) -> Vec<bool> {
        self.innermost().benefits_from_input_partitioning()
    }

    /// No sort above may be moved below, nor an order below be given up for one above.
    fn maintains_input_order(&self) -> Vec<bool> {
        vec![false]
    }

    fn children(&self) -> Vec<&Arc<dyn ExecutionPlan>> {
        self.innermost().children()
    }

    fn apply_expressions(
        &self,
        _visit: &mut dyn FnMut(&Arc<dyn PhysicalExpr>) -> Result<TreeNodeRecursion>,
    ) -> Result<TreeNodeRecursion> {
        Ok(TreeNodeRecursion::Continue)
    }

    fn with_new_children(self: Arc<Self>, children: Vec<Arc<dyn ExecutionPlan>>) -> Result<Arc<dyn ExecutionPlan>> {
        let input = only_input(self.name(), &children)?;
        Ok(Arc::new(Self { rows: over(&self.rows, self.above, input)?, above: self.above }))
    }

    fn child_stats_requests(&self, _partition: Option<usize>) -> Vec<ChildStats> {
        vec![ChildStats::Skip]
    }

    fn statistics_from_inputs(
        &self,
        _inputs: &[Arc<Statistics>],
        arguments: &StatisticsArgs,
    ) -> Result<Arc<Statistics>> {
        StatisticsContext::new().compute(self.rows.as_ref(), arguments)
    }

    fn execute(&self, partition: usize, context: Arc<TaskContext>) -> Result<SendableRecordBatchStream> {
        self.rows.execute(partition, context)
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use arrow::{
        compute::SortOptions,
        datatypes::{DataType, Field, Schema},
    };
    use datafusion::{
        physical_optimizer::ensure_requirements::EnsureRequirements,
        physical_plan::{displayable, empty::EmptyExec},
    };

    use super::*;

    /// Rows of one column in two partitions.
    fn rows() -> Arc<dyn ExecutionPlan> {
        let schema = Arc::new(Schema::new(vec![Field::new("a", DataType::Int32, true)]));
        Arc::new(EmptyExec::new(schema).with_partitions(2))
    }

    fn sort(input: Arc<dyn ExecutionPlan>, descending: bool, fetch: Option<usize>) -> Arc<dyn ExecutionPlan> {
        let key = PhysicalSortExpr::new(column(&input.schema(), 0), SortOptions { descending, nulls_first: true });
        Arc::new(SortExec::new(LexOrdering::new([key]).unwrap(), input).with_fetch(fetch))
    }

    fn settled(plan: Arc<dyn ExecutionPlan>) -> Vec<String> {
        let rule = HoldLimits(Arc::new(EnsureRequirements::new()));
        let plan = rule.optimize(plan, &ConfigOptions::new()).unwrap();
        displayable(plan.as_ref()).indent(false).to_string().lines().map(|line| line.trim().to_owned()).collect()
    }

    #[test]
    fn a_number_of_rows_is_a_sort_of_few_in_each_partition() {
        let expected = [
            "SortPreservingMergeExec: [a@0 ASC], fetch=3",
            "SortExec: TopK(fetch=3), expr=[a@0 ASC], preserve_partitioning=[true]",
            "EmptyExec",
        ];
        assert_eq!(settled(sort(rows(), false, Some(3))), expected);
        assert_eq!(settled(sort(sort(rows(), true, None), false, Some(3))), expected, "the order below says nothing");
    }

    #[test]
    fn an_offset_skips_by_the_order_below_it() {
        let below: Arc<dyn ExecutionPlan> = Arc::new(GlobalLimitExec::new(sort(rows(), true, None), 1, None));
        let expected = [
            "SortExec: expr=[a@0 ASC], preserve_partitioning=[false]",
            "GlobalLimitExec: skip=1, fetch=None",
            "SortPreservingMergeExec: [a@0 DESC]",
            "SortExec: expr=[a@0 DESC], preserve_partitioning=[true]",
            "EmptyExec",
        ];
        assert_eq!(settled(sort(Arc::clone(&below), false, None)), expected);
        assert_eq!(settled(sort(below, true, None)), expected[1..], "the rows are in order");
    }

    #[test]
    fn rows_in_order_are_taken_without_a_sort() {
        let below: Arc<dyn ExecutionPlan> = Arc::new(GlobalLimitExec::new(sort(rows(), false, Some(5)), 1, Some(4)));
        let expected = [
            "GlobalLimitExec: skip=0, fetch=2",
            "GlobalLimitExec: skip=1, fetch=4",
            "SortPreservingMergeExec: [a@0 ASC], fetch=5",
            "SortExec: TopK(fetch=5), expr=[a@0 ASC], preserve_partitioning=[true]",
            "EmptyExec",
        ];
        assert_eq!(settled(sort(below, false, Some(2))), expected);
    }
}
