//! Frames of windows that end at a distance before the row.
//!
//! `RANGE BETWEEN 2 PRECEDING AND 1 PRECEDING` ends, for a row whose key is NULL or an infinity, with the last row of that key:
//! nothing is a distance away from it. Where rows come batch by batch, the query engine takes what is before the row for all
//! that the frame needs, and left out rows of that key that came later. Here such a window sees whole partitions.

use std::sync::Arc;

use datafusion::{
    common::{
        Result,
        config::ConfigOptions,
        tree_node::{Transformed, TransformedResult, TreeNode},
    },
    logical_expr::{WindowFrameBound, WindowFrameUnits},
    physical_expr::window::WindowExpr,
    physical_optimizer::PhysicalOptimizerRule,
    physical_plan::{
        ExecutionPlan, InputOrderMode,
        windows::{BoundedWindowAggExec, WindowAggExec},
    },
};

use crate::fault::{Failure, Fault};

/// The rule; see the module. It comes when it is settled how rows are sorted.
#[derive(Debug)]
pub(super) struct WholePartitions;

impl PhysicalOptimizerRule for WholePartitions {
    fn optimize(&self, plan: Arc<dyn ExecutionPlan>, _options: &ConfigOptions) -> Result<Arc<dyn ExecutionPlan>> {
        plan.transform_up(|node| {
            let Some(window) = node.downcast_ref::<BoundedWindowAggExec>() else { return Ok(Transformed::no(node)) };
            if !window.window_expr().iter().any(ends_before_the_row) {
                return Ok(Transformed::no(node));
            }
            if window.input_order_mode != InputOrderMode::Sorted {
                let message = "a RANGE that ends before the row, over rows that are not sorted by their partitions";
                return Err(Failure::new(Fault::FeatureNotSupported, format!("{message}, is not supported")).into());
            }
            let can_repartition = !window.partition_keys().is_empty();
            let whole =
                WindowAggExec::try_new(window.window_expr().to_vec(), Arc::clone(window.input()), can_repartition)?;
            Ok(Transformed::yes(Arc::new(whole)))
        })
        .data()
    }

    fn name(&self) -> &str {
        "whole_partitions"
    }

    fn schema_check(&self) -> bool {
        true
    }
}

fn ends_before_the_row(call: &Arc<dyn WindowExpr>) -> bool {
    let frame = call.get_window_frame();
    frame.units == WindowFrameUnits::Range && matches!(frame.end_bound, WindowFrameBound::Preceding(_))
}
