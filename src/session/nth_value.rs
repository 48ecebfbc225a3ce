//! `nth_value` of a row below the first is refused, as in PostgreSQL.
//!
//! The query engine's counts from the end for a number below zero, and has no row for zero.

use std::sync::Arc;

use arrow::datatypes::{DataType, FieldRef};
use datafusion::{
    common::{Result, ScalarValue},
    functions_window::nth_value::nth_value_udwf,
    logical_expr::{
        LimitEffect, PartitionEvaluator, ReversedUDWF, Signature, WindowUDF, WindowUDFImpl,
        function::{ExpressionArgs, PartitionEvaluatorArgs, WindowUDFFieldArgs},
    },
    physical_expr::{PhysicalExpr, expressions::Literal},
};

use crate::{Error, Fault};

/// The function.
pub(super) fn function() -> WindowUDF {
    WindowUDF::from(NthValue { inner: nth_value_udwf() })
}

#[derive(Debug, PartialEq, Eq, Hash)]
struct NthValue {
    inner: Arc<WindowUDF>,
}

impl WindowUDFImpl for NthValue {
    fn name(&self) -> &str {
        self.inner.name()
    }

    fn signature(&self) -> &Signature {
        self.inner.signature()
    }

    fn expressions(&self, arguments: ExpressionArgs) -> Vec<Arc<dyn PhysicalExpr>> {
        self.inner.expressions(arguments)
    }

    fn partition_evaluator(&self, arguments: PartitionEvaluatorArgs) -> Result<Box<dyn PartitionEvaluator>> {
        let row = arguments.input_exprs().get(1).and_then(|row| row.downcast_ref::<Literal>());
        if row.is_some_and(|row| is_below_one(row.value())) {
            return Err(Error::new(Fault::InvalidNthValue, "argument of nth_value must be greater than zero").into());
        }
        self.inner.partition_evaluator_factory(arguments)
    }

    fn field(&self, arguments: WindowUDFFieldArgs) -> Result<FieldRef> {
        self.inner.field(arguments)
    }

    fn reverse_expr(&self) -> ReversedUDWF {
        match self.inner.reverse_expr() {
            ReversedUDWF::Reversed(inner) => ReversedUDWF::Reversed(Arc::new(WindowUDF::from(Self { inner }))),
            other => other,
        }
    }

    fn limit_effect(&self, arguments: &[Arc<dyn PhysicalExpr>]) -> LimitEffect {
        self.inner.inner().limit_effect(arguments)
    }
}

fn is_below_one(row: &ScalarValue) -> bool {
    matches!(row.cast_to(&DataType::Int64), Ok(ScalarValue::Int64(Some(row))) if row < 1)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn rows_count_from_one() {
        assert!(is_below_one(&ScalarValue::from(0_i32)) && is_below_one(&ScalarValue::from(-1_i64)));
        assert!(!is_below_one(&ScalarValue::from(1_i64)) && !is_below_one(&ScalarValue::Int64(None)));
    }
}
