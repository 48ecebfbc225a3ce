//! What is known of rows below an operator and not above it: which columns are constant or sorted, and how rows are
//! distributed.
//!
//! An aggregate takes it over from its input. With grouping sets every row counts several times, with NULL in the columns that
//! a set leaves out, so that nothing of it is true any more. An outer join takes over which columns of its inputs are
//! constant, and they are not where a row found no partner. A sort by such a column was left out, and groups were closed too
//! soon. A window that is partitioned by a constant column is not sorted by it, and fails when what told so is gone. Here the
//! input of the first and the last and the output of the join tell nothing of their rows.

use std::{fmt, sync::Arc};

use datafusion::{
    common::{
        JoinType, Result,
        config::ConfigOptions,
        tree_node::{Transformed, TransformedResult, TreeNode, TreeNodeRecursion},
    },
    execution::{SendableRecordBatchStream, TaskContext},
    physical_expr::{EquivalenceProperties, Partitioning, PhysicalExpr},
    physical_optimizer::PhysicalOptimizerRule,
    physical_plan::{
        DisplayAs, DisplayFormatType, ExecutionPlan, ExecutionPlanProperties, PlanProperties, Statistics,
        aggregates::AggregateExec,
        execution_plan::replace_children_if_necessary,
        joins::{HashJoinExec, NestedLoopJoinExec, SortMergeJoinExec},
        statistics::{ChildStats, StatisticsArgs},
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
                return Ok(Transformed::yes(replace_children_if_necessary(node, vec![input])?));
            }
            if let [input] = node.children()[..]
                && is_partitioned_by_constant(&node, input)
            {
                let input: Arc<dyn ExecutionPlan> = Arc::new(UnorderedExec::new(Arc::clone(input)));
                return Ok(Transformed::yes(replace_children_if_necessary(node, vec![input])?));
            }
            match has_constants_without_partner(&node) {
                true => Ok(Transformed::yes(Arc::new(UnorderedExec::new(node)) as Arc<dyn ExecutionPlan>)),
                false => Ok(Transformed::no(node)),
            }
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

fn has_constants(input: &Arc<dyn ExecutionPlan>) -> bool {
    !input.equivalence_properties().constants().is_empty()
}

/// The rows of its input, of which nothing is known, but perhaps how they are distributed.
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
        let properties = PlanProperties::new(
            EquivalenceProperties::new(input.schema()),
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
