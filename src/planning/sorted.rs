//! Orders that operators need and that are no longer known.
//!
//! Rules that move projections and sorts lose sight of columns that are constant: a sort by such a column alone is left out,
//! and afterwards the operator above finds its input unsorted, or a UNION's inputs sorted by different columns. The last check
//! refuses such plans. A window over another, over constants, or where a column equals an expression of itself, may find its
//! input unsorted only when it runs. Here they get the sort.

use std::sync::Arc;

use datafusion::{
    common::{
        Result,
        config::ConfigOptions,
        tree_node::{Transformed, TransformedResult, TreeNode},
    },
    physical_expr::{LexOrdering, PhysicalSortExpr},
    physical_optimizer::PhysicalOptimizerRule,
    physical_plan::{
        ExecutionPlan, ExecutionPlanProperties, InputOrderMode,
        execution_plan::replace_children_if_necessary,
        sorts::sort::SortExec,
        windows::{BoundedWindowAggExec, WindowAggExec},
    },
};

use super::unordered::UnorderedExec;

/// The rule; see the module. It comes right before the check.
#[derive(Debug)]
pub(super) struct SortWhereNeeded;

impl PhysicalOptimizerRule for SortWhereNeeded {
    fn optimize(&self, plan: Arc<dyn ExecutionPlan>, _options: &ConfigOptions) -> Result<Arc<dyn ExecutionPlan>> {
        plan.transform_up(with_sorted_inputs).data()
    }

    fn name(&self) -> &str {
        "sort_where_needed"
    }

    fn schema_check(&self) -> bool {
        true
    }
}

fn with_sorted_inputs(node: Arc<dyn ExecutionPlan>) -> Result<Transformed<Arc<dyn ExecutionPlan>>> {
    if let Some((input, keys)) = unsorted_window(&node)? {
        let input = sorted(Arc::new(UnorderedExec::distributed(input)), keys);
        return Ok(Transformed::yes(replace_children_if_necessary(node, vec![input])?));
    }
    let mut changed = false;
    let mut inputs = Vec::new();
    for (input, needed) in node.children().into_iter().zip(node.required_input_ordering()) {
        let mut input = Arc::clone(input);
        if let Some(needed) = needed {
            let needed = needed.into_single();
            if !input.equivalence_properties().ordering_satisfy_requirement(needed.clone())? {
                let keys = LexOrdering::from(needed.clone());
                let sort = sorted(Arc::clone(&input), keys.clone());
                // What is known of the input may make other keys of these.
                input = match sort.equivalence_properties().ordering_satisfy_requirement(needed)? {
                    true => sort,
                    false => sorted(Arc::new(UnorderedExec::distributed(input)), keys),
                };
                changed = true;
            }
        }
        inputs.push(input);
    }
    match changed {
        true => Ok(Transformed::yes(replace_children_if_necessary(node, inputs)?)),
        false => Ok(Transformed::no(node)),
    }
}

fn sorted(input: Arc<dyn ExecutionPlan>, keys: LexOrdering) -> Arc<dyn ExecutionPlan> {
    let in_each = input.output_partitioning().partition_count() > 1;
    Arc::new(SortExec::new(keys, input).with_preserve_partitioning(in_each))
}

/// The input of a window that takes it for sorted and would not find it so, and what it is to be sorted by.
fn unsorted_window(node: &Arc<dyn ExecutionPlan>) -> Result<Option<(Arc<dyn ExecutionPlan>, LexOrdering)>> {
    let (input, windows, known) = if let Some(window) = node.downcast_ref::<BoundedWindowAggExec>() {
        if window.input_order_mode != InputOrderMode::Sorted {
            return Ok(None);
        }
        (window.input(), window.window_expr(), window.partition_by_sort_keys())
    } else if let Some(window) = node.downcast_ref::<WindowAggExec>() {
        (window.input(), window.window_expr(), window.partition_by_sort_keys())
    } else {
        return Ok(None);
    };
    let Some(first) = windows.first() else { return Ok(None) };
    // Those that it does not find it passes over in silence if it sees whole partitions.
    if known.is_ok_and(|known| known.len() == first.partition_by().len()) {
        return Ok(None);
    }
    let groups = first.partition_by().iter().map(|key| PhysicalSortExpr::new_default(Arc::clone(key)));
    let keys = LexOrdering::new(groups.chain(first.order_by().iter().cloned()));
    Ok(keys.map(|keys| (Arc::clone(input), keys)))
}
