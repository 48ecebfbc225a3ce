//! Frames of windows: those that end at a distance before the row, and those whose distance is below zero.
//!
//! `RANGE BETWEEN 2 PRECEDING AND 1 PRECEDING` ends, for a row whose key is NULL or an infinity, with the last row of that key:
//! nothing is a distance away from it. Where rows come batch by batch, the query engine takes what is before the row for all
//! that the frame needs, and left out rows of that key that came later. Here such a window sees whole partitions.
//!
//! `RANGE BETWEEN '-1 day' PRECEDING AND CURRENT ROW` is refused, as in PostgreSQL.

use std::sync::Arc;

use datafusion::{
    common::{
        Result, ScalarValue,
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
use crate::pgtype::calendar::interval_length;

/// The rule; see the module. It comes when it is settled how rows are sorted.
#[derive(Debug)]
pub(super) struct WholePartitions;

impl PhysicalOptimizerRule for WholePartitions {
    fn optimize(&self, plan: Arc<dyn ExecutionPlan>, _options: &ConfigOptions) -> Result<Arc<dyn ExecutionPlan>> {
        plan.transform_up(|node| {
            if let Some(window) = node.downcast_ref::<WindowAggExec>() {
                check_distances(window.window_expr())?;
            }
            let Some(window) = node.downcast_ref::<BoundedWindowAggExec>() else { return Ok(Transformed::no(node)) };
            check_distances(window.window_expr())?;
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

/// Refuses a RANGE with a distance below zero.
fn check_distances(calls: &[Arc<dyn WindowExpr>]) -> Result<()> {
    for call in calls {
        let frame = call.get_window_frame();
        let is_wrong = |bound: &WindowFrameBound| match bound {
            WindowFrameBound::Preceding(distance) | WindowFrameBound::Following(distance) => is_negative(distance),
            WindowFrameBound::CurrentRow => false,
        };
        if frame.units == WindowFrameUnits::Range && (is_wrong(&frame.start_bound) || is_wrong(&frame.end_bound)) {
            let message = "invalid preceding or following size in window function";
            return Err(Failure::new(Fault::InvalidFrameDistance, message).into());
        }
    }
    Ok(())
}

fn is_negative(distance: &ScalarValue) -> bool {
    match distance {
        ScalarValue::IntervalMonthDayNano(Some(interval)) => interval_length(*interval) < 0,
        number if number.data_type().is_numeric() && !number.is_null() => {
            ScalarValue::new_zero(&number.data_type()).is_ok_and(|zero| *number < zero)
        }
        _ => false,
    }
}

#[cfg(test)]
mod tests {
    use arrow::datatypes::IntervalMonthDayNano;

    use super::*;

    #[test]
    fn distances_below_zero_are_found() {
        let interval = |months, days, nanoseconds| {
            ScalarValue::IntervalMonthDayNano(Some(IntervalMonthDayNano::new(months, days, nanoseconds)))
        };
        let negative = [interval(0, -1, 0), interval(1, -31, 0), interval(0, 0, -1), ScalarValue::from(-1_i64)];
        assert!(negative.iter().all(is_negative));
        let others = [interval(1, -30, 0), interval(0, 1, -1), ScalarValue::from(0.0_f64), ScalarValue::Int32(None)];
        assert!(!others.iter().any(is_negative));
    }
}
