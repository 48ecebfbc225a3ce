//! Sums, averages and statistics of floats over frames whose start moves.
//!
//! The engine subtracts what leaves a frame from what was in it: after 1e17 nothing is left of 1.5, NaN never goes, and a
//! variance becomes negative. Here what is in the frame is kept in two [stacks], so that each result is of the frame's own
//! values, and a row costs no more than before. `regr_count` and the aggregates of whole numbers and numerics lose nothing.

mod moments;
mod stacks;

use std::sync::Arc;

use arrow::{
    array::{ArrayRef, AsArray},
    datatypes::{DataType, Float64Type},
};
use datafusion::{
    common::{Result, config::ConfigOptions, tree_node::Transformed},
    logical_expr::{
        Accumulator, AggregateUDF, AggregateUDFImpl, Expr, ExprSchemable, LogicalPlan, Signature, Volatility,
        WindowFrameBound, WindowFunctionDefinition, function::AccumulatorArgs,
    },
    optimizer::AnalyzerRule,
};

use self::stacks::{InStacks, Part};
use super::calls::{self, Back};

/// The rule; see the module. It comes when types are settled.
#[derive(Debug)]
pub(super) struct FloatFrames;

impl AnalyzerRule for FloatFrames {
    fn name(&self) -> &str {
        "float_frames"
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
    if !moves || window.params.distinct {
        return Ok(None);
    }
    let WindowFunctionDefinition::AggregateUDF(function) = &window.fun else { return Ok(None) };
    let name = match function.name() {
        "sum" => "sum",
        "avg" => "avg",
        other => match moments::statistic(other) {
            Some((name, _)) => name,
            None => return Ok(None),
        },
    };
    for argument in &window.params.args {
        if argument.get_type(input.schema())? != DataType::Float64 {
            return Ok(None);
        }
    }
    let signature = Signature::exact(vec![DataType::Float64; window.params.args.len()], Volatility::Immutable);
    let function = AggregateUDF::new_from_impl(OfFrame { name, signature });
    window.fun = WindowFunctionDefinition::AggregateUDF(Arc::new(function));
    Ok(Some(Box::new(|value| value)))
}

/// An aggregate of floats.
#[derive(Debug, PartialEq, Eq, Hash)]
struct OfFrame {
    name: &'static str,
    signature: Signature,
}

impl AggregateUDFImpl for OfFrame {
    fn name(&self) -> &str {
        self.name
    }

    fn signature(&self) -> &Signature {
        &self.signature
    }

    fn return_type(&self, _arguments: &[DataType]) -> Result<DataType> {
        Ok(DataType::Float64)
    }

    fn accumulator(&self, _arguments: AccumulatorArgs) -> Result<Box<dyn Accumulator>> {
        Ok(match moments::statistic(self.name) {
            Some((_, statistic)) => Box::new(InStacks::new(statistic)),
            None if self.name == "avg" => Box::new(InStacks::new(average)),
            None => Box::new(InStacks::new(sum)),
        })
    }
}

fn sum(sum: f64, count: usize) -> Option<f64> {
    (count > 0).then_some(sum)
}

fn average(sum: f64, count: usize) -> Option<f64> {
    (count > 0).then(|| sum / count as f64)
}

/// A sum.
impl Part for f64 {
    fn rows(arguments: &[ArrayRef]) -> Vec<Self> {
        let values = arguments.first().map(|values| values.as_primitive::<Float64Type>());
        values.into_iter().flatten().flatten().collect()
    }

    fn with(self, later: Self) -> Self {
        self + later
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used, clippy::float_cmp)]
mod tests {
    use super::{stacks::Stacks, *};

    #[test]
    fn what_leaves_a_frame_leaves_its_sum() {
        let mut frame: Stacks<f64> = Stacks::new();
        let value = |frame: &Stacks<f64>| sum(frame.together(), frame.count());
        assert_eq!(value(&frame), None);
        for number in [1e17, 1.5, f64::NAN, 2.25] {
            frame.push(number);
        }
        frame.pop();
        assert!(value(&frame).unwrap().is_nan());
        frame.push(4.0);
        frame.pop();
        frame.pop();
        assert_eq!(value(&frame), Some(6.25));
        assert_eq!(average(frame.together(), frame.count()), Some(3.125));
        frame.pop();
        assert_eq!(value(&frame), Some(4.0));
        frame.pop();
        assert_eq!(value(&frame), None);
    }
}
