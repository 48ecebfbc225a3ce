//! Sums and averages of floats over frames whose start moves.
//!
//! The engine subtracts what leaves a frame from the sum of what was in it: after 1e17 nothing is left of 1.5, and NaN never
//! goes. Here what is in the frame is kept in two stacks, of sums from the end of the older rows to each of them and of the
//! newer rows, so that each sum is one of the frame's own values, and a row costs no more than before.

use std::sync::Arc;

use arrow::{
    array::{ArrayRef, AsArray},
    datatypes::{DataType, Float64Type},
};
use datafusion::{
    common::{Result, ScalarValue, config::ConfigOptions, internal_err, tree_node::Transformed},
    logical_expr::{
        Accumulator, AggregateUDF, AggregateUDFImpl, Expr, ExprSchemable, LogicalPlan, Signature, Volatility,
        WindowFrameBound, WindowFunctionDefinition, function::AccumulatorArgs,
    },
    optimizer::AnalyzerRule,
};

use super::calls::{self, Back};

/// The rule; see the module. It comes when types are settled.
#[derive(Debug)]
pub(super) struct SumFrames;

impl AnalyzerRule for SumFrames {
    fn name(&self) -> &str {
        "sum_frames"
    }

    fn analyze(&self, plan: LogicalPlan, _config: &ConfigOptions) -> Result<LogicalPlan> {
        let plan = plan.transform_up_with_subqueries(|node| match node {
            LogicalPlan::Window(_) => calls::replace(node, in_stacks),
            _ => Ok(Transformed::no(node)),
        });
        Ok(plan?.data)
    }
}

fn in_stacks(call: &mut Expr, input: &LogicalPlan) -> Result<Option<Back>> {
    let Expr::WindowFunction(window) = call else { return Ok(None) };
    let moves = match &window.params.window_frame.start_bound {
        WindowFrameBound::Preceding(distance) => !distance.is_null(),
        _ => true,
    };
    let WindowFunctionDefinition::AggregateUDF(function) = &window.fun else { return Ok(None) };
    let averages = match function.name() {
        "sum" => false,
        "avg" => true,
        _ => return Ok(None),
    };
    let [argument] = window.params.args.as_slice() else { return Ok(None) };
    if !moves || window.params.distinct || argument.get_type(input.schema())? != DataType::Float64 {
        return Ok(None);
    }
    let signature = Signature::exact(vec![DataType::Float64], Volatility::Immutable);
    let function = AggregateUDF::new_from_impl(FrameSum { averages, signature });
    window.fun = WindowFunctionDefinition::AggregateUDF(Arc::new(function));
    Ok(Some(Box::new(|value| value)))
}

/// `sum` or `avg` of floats.
#[derive(Debug, PartialEq, Eq, Hash)]
struct FrameSum {
    averages: bool,
    signature: Signature,
}

impl AggregateUDFImpl for FrameSum {
    fn name(&self) -> &str {
        if self.averages { "avg" } else { "sum" }
    }

    fn signature(&self) -> &Signature {
        &self.signature
    }

    fn return_type(&self, _arguments: &[DataType]) -> Result<DataType> {
        Ok(DataType::Float64)
    }

    fn accumulator(&self, _arguments: AccumulatorArgs) -> Result<Box<dyn Accumulator>> {
        Ok(Box::new(Stacks { averages: self.averages, ..Stacks::default() }))
    }
}

/// The values of a frame.
#[derive(Debug, Default)]
struct Stacks {
    averages: bool,
    /// Of each of the older values, the last first, the sum of it and those behind it.
    older: Vec<f64>,
    newer: Vec<f64>,
    sum_of_newer: f64,
}

impl Stacks {
    fn push(&mut self, value: f64) {
        self.newer.push(value);
        self.sum_of_newer += value;
    }

    fn pop(&mut self) {
        if self.older.is_empty() {
            let mut sum = 0.0;
            while let Some(value) = self.newer.pop() {
                sum += value;
                self.older.push(sum);
            }
            self.sum_of_newer = 0.0;
        }
        self.older.pop();
    }

    fn value(&self) -> Option<f64> {
        let sum = self.older.last().copied().unwrap_or(0.0) + self.sum_of_newer;
        match self.older.len() + self.newer.len() {
            0 => None,
            count if self.averages => Some(sum / count as f64),
            _ => Some(sum),
        }
    }
}

impl Accumulator for Stacks {
    fn update_batch(&mut self, values: &[ArrayRef]) -> Result<()> {
        let values = values.first().map(|values| values.as_primitive::<Float64Type>());
        values.into_iter().flatten().flatten().for_each(|value| self.push(value));
        Ok(())
    }

    fn retract_batch(&mut self, values: &[ArrayRef]) -> Result<()> {
        let values = values.first().map(|values| values.as_primitive::<Float64Type>());
        values.into_iter().flatten().flatten().for_each(|_| self.pop());
        Ok(())
    }

    fn supports_retract_batch(&self) -> bool {
        true
    }

    fn evaluate(&mut self) -> Result<ScalarValue> {
        Ok(ScalarValue::Float64(self.value()))
    }

    fn size(&self) -> usize {
        size_of_val(self) + (self.older.capacity() + self.newer.capacity()) * size_of::<f64>()
    }

    fn state(&mut self) -> Result<Vec<ScalarValue>> {
        internal_err!("a frame's sum is not computed in parts")
    }

    fn merge_batch(&mut self, _states: &[ArrayRef]) -> Result<()> {
        internal_err!("a frame's sum is not computed in parts")
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used, clippy::float_cmp)]
mod tests {
    use super::*;

    #[test]
    fn what_leaves_a_frame_leaves_its_sum() {
        let mut frame = Stacks::default();
        assert_eq!(frame.value(), None);
        for value in [1e17, 1.5, f64::NAN, 2.25] {
            frame.push(value);
        }
        frame.pop();
        assert!(frame.value().unwrap().is_nan());
        frame.push(4.0);
        frame.pop();
        frame.pop();
        assert_eq!(frame.value(), Some(6.25));
        frame.pop();
        assert_eq!(frame.value(), Some(4.0));
        frame.pop();
        assert_eq!(frame.value(), None);
    }
}
