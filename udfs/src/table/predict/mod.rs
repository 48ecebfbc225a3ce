//! `predict`: a model's prediction beside every row of an input.
//!
//! ```sql
//! SELECT user_id, prediction, probability
//! FROM predict('churn', (SELECT * FROM customers), threshold => 0.3)
//! ```
//!
//! The input's columns pass through untouched, bound to the model's features by name; then comes `prediction`, and for
//! a classifier `probability`.

mod exec;
mod node;
mod score;
#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests;

use std::{fmt, sync::Arc};

use arrow::datatypes::{DataType, Field, Schema, SchemaRef};
use datafusion::{
    error::Result as DataFusionResult,
    logical_expr::{Extension, LogicalPlan, UserDefinedLogicalNode},
    physical_plan::ExecutionPlan,
};
use serde::{Deserialize, Serialize};

use crate::{
    arguments::{Arguments, Kind, Parameter},
    error::{Error, Result},
    frame::{self, BoundColumn},
    models::{ColumnRole, ModelRef, ModelVersion, Models, Signature, TargetSignature},
    plan,
    planner::TableFunction,
    table::binding,
};

pub use exec::PredictExec;
pub use node::PredictNode;

const PARAMETERS: &[Parameter] = &[
    Parameter { name: "model", kind: Kind::Model, default: None, doc: "the model" },
    Parameter {
        name: "input",
        kind: Kind::Relation,
        default: None,
        doc: "rows with every column the model was trained on, but the target; other columns pass through",
    },
    Parameter {
        name: "output",
        kind: Kind::Output,
        default: Some("null"),
        doc: "the name of the prediction's column instead of prediction; the probability's is then <output>_probability",
    },
    Parameter {
        name: "threshold",
        kind: Kind::Double,
        default: Some("null"),
        doc: "the probability from which a classifier predicts true or the second class, 0.5 unless given",
    },
];

/// The columns that every input brings. Columns of a side could be looked up for known users and items, but then their
/// absence would change predictions without a word.
const REQUIRED: &[ColumnRole] =
    &[ColumnRole::User, ColumnRole::Item, ColumnRole::UserFeature, ColumnRole::ItemFeature, ColumnRole::Context];

/// The function `predict`.
#[derive(Debug)]
pub struct Predict;

impl TableFunction for Predict {
    fn name(&self) -> &'static str {
        "predict"
    }

    fn purpose(&self) -> &'static str {
        "adds a model's prediction to every row of an input"
    }

    fn example(&self) -> &'static str {
        "SELECT user_id, prediction FROM predict('churn', (SELECT * FROM customers))"
    }

    fn returns(&self) -> &'static str {
        "the input's columns, prediction double precision or the class's type, and for a classifier probability double precision"
    }

    fn parameters(&self) -> Vec<Parameter> {
        PARAMETERS.to_vec()
    }

    fn plan(&self, arguments: &Arguments, models: &dyn Models) -> DataFusionResult<LogicalPlan> {
        let version = models.resolve(&arguments.required_text("model")?)?;
        let prediction = Prediction::new(&version, arguments.text("output")?, arguments.double("threshold")?)?;
        let input = arguments.required_relation("input")?.plan;
        let input = binding::unqualified(binding::with_typed_parameters(input, &version.signature)?)?;
        Ok(LogicalPlan::Extension(Extension { node: Arc::new(PredictNode::try_new(input, prediction)?) }))
    }

    fn physical(
        &self,
        node: &dyn UserDefinedLogicalNode,
        inputs: &[Arc<dyn ExecutionPlan>],
    ) -> DataFusionResult<Option<Arc<dyn ExecutionPlan>>> {
        plan::physical::<PredictNode>(node, inputs)
    }
}

/// What `predict` computes, as plain data that travels in plans: a model and the columns that it adds.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Prediction {
    model: ModelRef,
    signature: Signature,
    /// The output's name, as given.
    output: Option<String>,
    #[serde(with = "bits")]
    threshold: f64,
}

/// A number as its bits: JSON readers may round the last digit, which decides rows at the threshold.
mod bits {
    use serde::{Deserialize, Deserializer, Serialize, Serializer};

    pub(super) fn serialize<S: Serializer>(number: &f64, serializer: S) -> Result<S::Ok, S::Error> {
        number.to_bits().serialize(serializer)
    }

    pub(super) fn deserialize<'de, D: Deserializer<'de>>(deserializer: D) -> Result<f64, D::Error> {
        u64::deserialize(deserializer).map(f64::from_bits)
    }
}

impl Prediction {
    /// The predictions of a version.
    ///
    /// # Errors
    /// A threshold that is not a probability, or one for a model that does not choose between classes.
    pub fn new(version: &ModelVersion, output: Option<String>, threshold: Option<f64>) -> Result<Self> {
        let invalid = |argument: &str, problem: String| Error::InvalidArgument {
            function: "predict",
            argument: argument.into(),
            problem,
        };
        if output.as_deref() == Some("") {
            return Err(invalid("output", "is empty; expected a column name".into()));
        }
        if let Some(threshold) = threshold {
            if !version.signature.is_classifier() {
                let problem =
                    format!("needs a classifier, but the model {} predicts numbers; leave it out", version.name);
                return Err(invalid("threshold", problem));
            }
            if !(0.0..=1.0).contains(&threshold) {
                return Err(invalid("threshold", format!("is {threshold}; expected a probability from 0 to 1")));
            }
        }
        Ok(Self {
            model: version.reference(),
            signature: version.signature.clone(),
            output,
            threshold: threshold.unwrap_or(0.5),
        })
    }

    /// The version that predicts.
    pub fn model(&self) -> &ModelRef {
        &self.model
    }

    /// The input's columns that stand for the model's.
    ///
    /// # Errors
    /// A feature that is missing, or whose type does not cast losslessly to the trained one.
    pub fn bind(&self, input: &Schema) -> Result<Vec<BoundColumn>> {
        frame::bind("predict", &self.model, &self.signature, input, REQUIRED, &[])
    }

    /// The target of a classifier.
    fn classifier(&self) -> Option<&TargetSignature> {
        self.signature.target.as_ref().filter(|target| !target.classes.is_empty())
    }

    /// The columns that are added.
    fn outputs(&self) -> Vec<Field> {
        let classifier = self.classifier();
        let prediction = classifier.map_or(DataType::Float64, |target| target.data_type.clone());
        let (name, probability) = match &self.output {
            Some(output) => (output.clone(), format!("{output}_probability")),
            None => ("prediction".into(), "probability".into()),
        };
        let probability = classifier.map(|_| Field::new(probability, DataType::Float64, false));
        [Field::new(name, prediction, false)].into_iter().chain(probability).collect()
    }

    /// The input's columns, then those that are added.
    ///
    /// # Errors
    /// [`Error::DuplicateColumn`] if a name comes twice.
    pub fn output_schema(&self, input: &Schema) -> Result<SchemaRef> {
        let mut fields = input.fields().to_vec();
        for output in self.outputs() {
            if fields.iter().any(|field| field.name() == output.name()) {
                let problem = format!(
                    "the input already has a column {}; choose another name with output => '…', or leave the column out",
                    output.name()
                );
                return Err(Error::DuplicateColumn { function: "predict", problem });
            }
            fields.push(Arc::new(output));
        }
        Ok(Arc::new(Schema::new_with_metadata(fields, input.metadata().clone())))
    }
}

impl fmt::Display for Prediction {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        let names: Vec<_> = self.outputs().iter().map(|field| field.name().clone()).collect();
        write!(formatter, "model={}, output=[{}]", self.model, names.join(", "))?;
        match self.classifier() {
            Some(_) => write!(formatter, ", threshold={}", self.threshold),
            None => Ok(()),
        }
    }
}
