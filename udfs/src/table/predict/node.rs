//! The logical node of `predict`: what the optimizer may do with it.

use std::{
    cmp::Ordering,
    collections::HashSet,
    fmt,
    hash::{Hash, Hasher},
    sync::Arc,
};

use datafusion::{
    common::{Column, DFSchema, DFSchemaRef},
    error::Result,
    logical_expr::{Expr, LogicalPlan, UserDefinedLogicalNodeCore},
    physical_plan::ExecutionPlan,
};

use super::{PredictExec, Prediction};
use crate::{
    frame::BoundColumn,
    plan::{Node, only_input},
};

/// An input and the predictions to add to it. Its schema holds the input's columns first.
#[derive(Debug, Clone)]
pub struct PredictNode {
    input: LogicalPlan,
    prediction: Prediction,
    bound: Vec<BoundColumn>,
    schema: DFSchemaRef,
}

impl PredictNode {
    /// The node over an input whose columns carry no qualifier.
    ///
    /// # Errors
    /// A missing feature, one of another type, or a name twice.
    pub fn try_new(input: LogicalPlan, prediction: Prediction) -> Result<Self> {
        let bound = prediction.bind(input.schema().as_arrow())?;
        let schema = prediction.output_schema(input.schema().as_arrow())?;
        Ok(Self { schema: DFSchema::try_from(schema)?.into(), input, bound, prediction })
    }

    /// What is computed.
    pub fn prediction(&self) -> &Prediction {
        &self.prediction
    }
}

impl UserDefinedLogicalNodeCore for PredictNode {
    fn name(&self) -> &str {
        "Predict"
    }

    fn inputs(&self) -> Vec<&LogicalPlan> {
        vec![&self.input]
    }

    fn schema(&self) -> &DFSchemaRef {
        &self.schema
    }

    /// The features, so that no optimizer rule takes their columns for unused.
    fn expressions(&self) -> Vec<Expr> {
        self.bound.iter().map(|bound| Expr::Column(Column::new_unqualified(&bound.input))).collect()
    }

    fn prevent_predicate_push_down_columns(&self) -> HashSet<String> {
        self.prediction.outputs().iter().map(|field| field.name().clone()).collect()
    }

    fn fmt_for_explain(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(formatter, "Predict: {}", self.prediction)
    }

    /// Features are bound by name, so the expressions, which are their columns, say nothing new.
    fn with_exprs_and_inputs(&self, _expressions: Vec<Expr>, inputs: Vec<LogicalPlan>) -> Result<Self> {
        Self::try_new(only_input("predict", &inputs)?, self.prediction.clone())
    }

    fn necessary_children_exprs(&self, output_columns: &[usize]) -> Option<Vec<Vec<usize>>> {
        let columns = self.input.schema().fields().len();
        Some(vec![output_columns.iter().copied().filter(|&column| column < columns).collect()])
    }

    fn supports_limit_pushdown(&self) -> bool {
        true
    }
}

impl Node for PredictNode {
    fn physical(&self, inputs: &[Arc<dyn ExecutionPlan>]) -> Result<Arc<dyn ExecutionPlan>> {
        Ok(Arc::new(PredictExec::try_new(only_input("predict", inputs)?, self.prediction.clone())?))
    }
}

impl PartialEq for PredictNode {
    fn eq(&self, other: &Self) -> bool {
        self.prediction == other.prediction && self.input == other.input
    }
}

impl Eq for PredictNode {}

impl Hash for PredictNode {
    fn hash<H: Hasher>(&self, state: &mut H) {
        self.prediction.model().hash(state);
        self.input.hash(state);
    }
}

impl PartialOrd for PredictNode {
    /// Nodes are equal or not comparable: nothing sorts plans by their predictions.
    fn partial_cmp(&self, other: &Self) -> Option<Ordering> {
        (self == other).then_some(Ordering::Equal)
    }
}
