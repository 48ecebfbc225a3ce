//! What is known of rows below an operator and not above it: which columns are constant or sorted, and how rows are
//! distributed.
//!
//! An aggregate takes it over from its input. With grouping sets every row counts several times, with NULL in the columns that
//! a set leaves out, so that nothing of it is true any more; a key that is a constant is none in the rows of the sets. An outer join takes over which columns of its inputs are
//! constant, and they are not where a row found no partner. A sort by such a column was left out, and groups were closed too
//! soon. A window that is partitioned by a constant column is not sorted by it, and fails when what told so is gone. A running
//! maximum rises, after it was NULL where all values so far were: it is taken for an order with NULL last. A column that is a
//! constant in each input of a UNION, and not the same, was left out of what the inputs are sorted by, though `LIMIT` compares
//! the rows of all. Here the inputs of aggregates and such windows, and the outputs of joins, unions and running extremes, tell
//! nothing of their rows.

use std::{fmt, sync::Arc};

use datafusion::{
    common::{
        JoinType, Result,
        config::ConfigOptions,
        tree_node::{Transformed, TransformedResult, TreeNode, TreeNodeRecursion},
    },
    execution::{SendableRecordBatchStream, TaskContext},
    logical_expr::SetMonotonicity,
    physical_expr::{
        EquivalenceProperties, Partitioning, PhysicalExpr,
        window::{PlainAggregateWindowExpr, SlidingAggregateWindowExpr},
    },
    physical_optimizer::PhysicalOptimizerRule,
    physical_plan::{
        DisplayAs, DisplayFormatType, ExecutionPlan, ExecutionPlanProperties, PlanProperties, Statistics,
        aggregates::AggregateExec,
        execution_plan::replace_children_if_necessary,
        joins::{HashJoinExec, NestedLoopJoinExec, SortMergeJoinExec},
        statistics::{ChildStats, StatisticsArgs},
        union::UnionExec,
        windows::{BoundedWindowAggExec, WindowAggExec},
    },
};

/// The rule; see the module. It comes before distribution and order are settled.
#[derive(Debug)]
pub(super) struct ForgetOrder;

impl PhysicalOptimizerRule for ForgetOrder {
    fn optimize(&self, plan: Arc<dyn ExecutionPlan>, _options: &ConfigOptions) -> Result<Arc<dyn ExecutionPlan>> {
        plan.transform_up(|node| {
            if let Some(aggregate) = node.downcast_ref::<AggregateExec>()
                && aggregate.group_expr().groups().len() > 1
            {
                let input: Arc<dyn ExecutionPlan> = Arc::new(UnorderedExec::new(Arc::clone(aggregate.input())));
                let sets = replace_children_if_necessary(node, vec![input])?;
                return Ok(Transformed::yes(match has_constants(&sets) {
                    true => Arc::new(UnorderedExec::distributed(sets)),
                    false => sets,
                }));
            }
            if let [input] = node.children()[..]
                && is_partitioned_by_constant(&node, input)
            {
                let input: Arc<dyn ExecutionPlan> = Arc::new(UnorderedExec::new(Arc::clone(input)));
                return Ok(Transformed::yes(replace_children_if_necessary(node, vec![input])?));
            }
            let forgotten = if has_constants_without_partner(&node) {
                UnorderedExec::new(node)
            } else if runs_from_null(&node) || node.is::<UnionExec>() && has_constants(&node) {
                UnorderedExec::distributed(node)
            } else {
                return Ok(Transformed::no(node));
            };
            Ok(Transformed::yes(Arc::new(forgotten) as Arc<dyn ExecutionPlan>))
        })
        .data()
    }

    fn name(&self) -> &str {
        "forget_order"
    }

    fn schema_check(&self) -> bool {
        true
    }
}

/// Whether a join adds rows in which columns that are constant in an input are NULL.
fn has_constants_without_partner(node: &Arc<dyn ExecutionPlan>) -> bool {
    let join_type = if let Some(join) = node.downcast_ref::<HashJoinExec>() {
        *join.join_type()
    } else if let Some(join) = node.downcast_ref::<NestedLoopJoinExec>() {
        *join.join_type()
    } else if let Some(join) = node.downcast_ref::<SortMergeJoinExec>() {
        join.join_type()
    } else {
        return false;
    };
    let (left, right) = match join_type {
        JoinType::Left => (false, true),
        JoinType::Right => (true, false),
        JoinType::Full => (true, true),
        _ => return false,
    };
    node.children().into_iter().zip([left, right]).any(|(input, without)| without && has_constants(input))
}

/// Whether a window is partitioned or ordered by a column that is known to be constant.
fn is_partitioned_by_constant(node: &Arc<dyn ExecutionPlan>, input: &Arc<dyn ExecutionPlan>) -> bool {
    let windows = if let Some(window) = node.downcast_ref::<BoundedWindowAggExec>() {
        window.window_expr()
    } else if let Some(window) = node.downcast_ref::<WindowAggExec>() {
        window.window_expr()
    } else {
        return false;
    };
    let constants = input.equivalence_properties().constants();
    let is_constant = |key: &Arc<dyn PhysicalExpr>| constants.iter().any(|constant| constant.expr.eq(key));
    windows.iter().any(|window| {
        window.partition_by().iter().any(is_constant) || window.order_by().iter().any(|sort| is_constant(&sort.expr))
    })
}

/// Whether a window computes a running extreme, which is NULL before it is known.
fn runs_from_null(node: &Arc<dyn ExecutionPlan>) -> bool {
    let Some(window) = node.downcast_ref::<BoundedWindowAggExec>() else { return false };
    window.window_expr().iter().any(|window| {
        let aggregate = if let Some(plain) = window.as_any().downcast_ref::<PlainAggregateWindowExpr>() {
            plain.get_aggregate_expr()
        } else if let Some(sliding) = window.as_any().downcast_ref::<SlidingAggregateWindowExpr>() {
            sliding.get_aggregate_expr()
        } else {
            return false;
        };
        aggregate.set_monotonicity() != SetMonotonicity::NotMonotonic && aggregate.field().is_nullable()
    })
}

fn has_constants(input: &Arc<dyn ExecutionPlan>) -> bool {
    !input.equivalence_properties().constants().is_empty()
}

/// The rows of its input, of which nothing is known, but perhaps how they are distributed and what is equal in them.
#[derive(Debug)]
pub(super) struct UnorderedExec {
    input: Arc<dyn ExecutionPlan>,
    distributed: bool,
    properties: Arc<PlanProperties>,
}

impl UnorderedExec {
    fn new(input: Arc<dyn ExecutionPlan>) -> Self {
        Self::over(input, false)
    }

    /// Rows that are known to be distributed as they are.
    pub(super) fn distributed(input: Arc<dyn ExecutionPlan>) -> Self {
        Self::over(input, true)
    }

    fn over(input: Arc<dyn ExecutionPlan>, distributed: bool) -> Self {
        let of_input = input.properties();
        let partitioning = of_input.output_partitioning();
        let mut known = EquivalenceProperties::new(input.schema());
        if distributed {
            // They may be distributed by a column that equals the one which is asked for.
            for class in of_input.equivalence_properties().eq_group().iter() {
                let mut equal = class.iter();
                let Some(first) = equal.next() else { continue };
                for other in equal {
                    // Where it cannot be said, less is known.
                    let _ = known.add_equal_conditions(Arc::clone(first), Arc::clone(other));
                }
            }
        }
        let properties = PlanProperties::new(
            known,
            match distributed {
                true => partitioning.clone(),
                false => Partitioning::UnknownPartitioning(partitioning.partition_count()),
            },
            of_input.emission_type,
            of_input.boundedness,
        );
        Self { input, distributed, properties: Arc::new(properties) }
    }
}

impl DisplayAs for UnorderedExec {
    fn fmt_as(&self, _format: DisplayFormatType, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str("UnorderedExec")
    }
}

impl ExecutionPlan for UnorderedExec {
    fn name(&self) -> &str {
        "UnorderedExec"
    }

    fn properties(&self) -> &Arc<PlanProperties> {
        &self.properties
    }

    fn maintains_input_order(&self) -> Vec<bool> {
        vec![false]
    }

    fn children(&self) -> Vec<&Arc<dyn ExecutionPlan>> {
        vec![&self.input]
    }

    fn apply_expressions(
        &self,
        _visit: &mut dyn FnMut(&Arc<dyn PhysicalExpr>) -> Result<TreeNodeRecursion>,
    ) -> Result<TreeNodeRecursion> {
        Ok(TreeNodeRecursion::Continue)
    }

    fn with_new_children(self: Arc<Self>, children: Vec<Arc<dyn ExecutionPlan>>) -> Result<Arc<dyn ExecutionPlan>> {
        Ok(Arc::new(Self::over(fusewire_udfs::plan::only_input(self.name(), &children)?, self.distributed)))
    }

    fn child_stats_requests(&self, partition: Option<usize>) -> Vec<ChildStats> {
        vec![ChildStats::At(partition)]
    }

    fn statistics_from_inputs(
        &self,
        inputs: &[Arc<Statistics>],
        _arguments: &StatisticsArgs,
    ) -> Result<Arc<Statistics>> {
        match inputs {
            [input] => Ok(Arc::clone(input)),
            _ => Ok(Arc::new(Statistics::new_unknown(&self.schema()))),
        }
    }

    fn execute(&self, partition: usize, context: Arc<TaskContext>) -> Result<SendableRecordBatchStream> {
        self.input.execute(partition, context)
    }
}
