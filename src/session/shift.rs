//! `lead` and `lag`, which can leave out NULLs, and have a value for where there is no row.
//!
//! The query engine's `lead(x, 2) IGNORE NULLS` loses count of the values ahead when it sees them batch by batch. With
//! IGNORE NULLS both functions see whole partitions here; otherwise they are the engine's. The value for where there is no
//! row is cast to the type of the others, so that `lead(x, 1, 0.5)` of integers had 0; here both get a type that holds both.
//! NULL rows away is no row, where the engine takes it for none.

use std::sync::Arc;

use arrow::{
    array::{ArrayRef, new_null_array},
    compute::SortOptions,
    datatypes::{DataType, FieldRef},
};
use datafusion::{
    common::{Result, plan_err},
    functions_window::lead_lag::{lag_udwf, lead_udwf},
    logical_expr::{
        LimitEffect, PartitionEvaluator, ReversedUDWF, Signature, Volatility, WindowUDF, WindowUDFImpl,
        function::{ExpressionArgs, PartitionEvaluatorArgs, WindowFunctionSimplification, WindowUDFFieldArgs},
        type_coercion::binary::type_union_coercion,
    },
    physical_expr::{
        PhysicalExpr,
        expressions::{CastExpr, Literal},
    },
};

/// Both functions.
pub(super) fn both() -> [WindowUDF; 2] {
    [lead_udwf(), lag_udwf()].map(|inner| WindowUDF::from(Shift::new(inner)))
}

#[derive(Debug, PartialEq, Eq, Hash)]
struct Shift {
    inner: Arc<WindowUDF>,
    signature: Signature,
}

impl Shift {
    fn new(inner: Arc<WindowUDF>) -> Self {
        Self { inner, signature: Signature::user_defined(Volatility::Immutable) }
    }
}

impl WindowUDFImpl for Shift {
    fn name(&self) -> &str {
        self.inner.name()
    }

    fn signature(&self) -> &Signature {
        &self.signature
    }

    fn expressions(&self, arguments: ExpressionArgs) -> Vec<Arc<dyn PhysicalExpr>> {
        self.inner.expressions(arguments)
    }

    fn partition_evaluator(&self, arguments: PartitionEvaluatorArgs) -> Result<Box<dyn PartitionEvaluator>> {
        let ignores_nulls = arguments.ignore_nulls();
        if let [_, rows, ..] = arguments.input_exprs()
            && is_null(rows)
        {
            let value = arguments.input_fields().first().map(|field| field.data_type().clone());
            return Ok(Box::new(NoRow { value: value.unwrap_or(DataType::Null) }));
        }
        let inner = self.inner.partition_evaluator_factory(arguments)?;
        Ok(if ignores_nulls { Box::new(WholePartition { inner }) } else { inner })
    }

    fn simplify(&self) -> Option<WindowFunctionSimplification> {
        self.inner.simplify()
    }

    fn field(&self, arguments: WindowUDFFieldArgs) -> Result<FieldRef> {
        self.inner.field(arguments)
    }

    fn sort_options(&self) -> Option<SortOptions> {
        self.inner.sort_options()
    }

    fn coerce_types(&self, types: &[DataType]) -> Result<Vec<DataType>> {
        let name = self.name();
        match types {
            [_] | [_, _] => Ok(types.to_vec()),
            [value, rows, other] => {
                // A whole number fits in any type of whole numbers that its text fits in.
                let same = value == other || other.is_null() || value.is_integer() && other.is_integer();
                let common = if same { Some(value.clone()) } else { together(value, other) };
                match common {
                    Some(common) => Ok(vec![common.clone(), rows.clone(), common]),
                    None => plan_err!("{name} of {value} cannot have {other} where there is no row"),
                }
            }
            other => {
                plan_err!("{name} takes a value, a number of rows and another value, not {} arguments", other.len())
            }
        }
    }

    fn reverse_expr(&self) -> ReversedUDWF {
        match self.inner.reverse_expr() {
            ReversedUDWF::Reversed(inner) => ReversedUDWF::Reversed(Arc::new(WindowUDF::from(Self::new(inner)))),
            other => other,
        }
    }

    fn limit_effect(&self, arguments: &[Arc<dyn PhysicalExpr>]) -> LimitEffect {
        self.inner.inner().limit_effect(arguments)
    }
}

/// The type of both values. Whether a text beside another value is one in quotes, which is read, is known when types are settled.
fn together(value: &DataType, other: &DataType) -> Option<DataType> {
    match (value.is_string(), other.is_string()) {
        (false, true) if !value.is_null() => Some(value.clone()),
        (true, false) => Some(other.clone()),
        _ => type_union_coercion(value, other),
    }
}

fn is_null(expression: &Arc<dyn PhysicalExpr>) -> bool {
    match expression.downcast_ref::<CastExpr>() {
        Some(cast) => is_null(cast.expr()),
        None => expression.downcast_ref::<Literal>().is_some_and(|literal| literal.value().is_null()),
    }
}

/// An evaluator of rows that nothing is known of.
#[derive(Debug)]
struct NoRow {
    value: DataType,
}

impl PartitionEvaluator for NoRow {
    fn evaluate_all(&mut self, _values: &[ArrayRef], rows: usize) -> Result<ArrayRef> {
        Ok(new_null_array(&self.value, rows))
    }
}

/// An evaluator that is given a partition at once.
#[derive(Debug)]
struct WholePartition {
    inner: Box<dyn PartitionEvaluator>,
}

impl PartitionEvaluator for WholePartition {
    fn evaluate_all(&mut self, values: &[ArrayRef], rows: usize) -> Result<ArrayRef> {
        self.inner.evaluate_all(values, rows)
    }
}
