//! From a batch to the same batch with its predictions: the only code of `predict` that runs for every row.

use std::sync::Arc;

use arrow::{
    array::{ArrayRef, Float64Array, RecordBatch, StringArray, UInt32Array},
    compute::{cast, take},
    datatypes::{DataType, SchemaRef},
};
use datafusion::{error::Result, execution::TaskContext};

use super::Prediction;
use crate::{context::FunctionContext, error::Error, frame::Scorer};

/// A model in memory, with what turns batches of one schema into its predictions. Cheap to clone.
#[derive(Debug, Clone)]
pub(super) struct PredictionScorer {
    scorer: Scorer,
    /// A classifier's two classes, in the type of the output.
    classes: Option<ArrayRef>,
    /// Whether the probability is that of the second class whatever is predicted, as for booleans.
    is_boolean: bool,
    threshold: f64,
    schema: SchemaRef,
}

impl PredictionScorer {
    /// Loads the model for batches of `input`, to which the columns of `output` are added.
    pub(super) async fn load(
        prediction: Prediction,
        input: SchemaRef,
        output: SchemaRef,
        context: &TaskContext,
    ) -> Result<Self> {
        let loaded = FunctionContext::of(context)?.registry.load(prediction.model()).await?;
        let bound = prediction.bind(&input)?;
        let classes = match prediction.classifier() {
            Some(target) => Some(cast(&StringArray::from(target.classes.clone()), &target.data_type)?),
            None => None,
        };
        Ok(Self {
            scorer: Scorer::new(loaded, &input, &bound)?,
            is_boolean: prediction.classifier().is_some_and(|target| target.data_type == DataType::Boolean),
            classes,
            threshold: prediction.threshold,
            schema: output,
        })
    }

    /// The batch, with its predictions beside it.
    pub(super) fn score(&self, batch: &RecordBatch) -> Result<RecordBatch> {
        let model = &self.scorer.loaded().model;
        let table = self.scorer.table(batch)?;
        let mut values = model.predict(&table).map_err(Error::from)?;
        for value in &mut values {
            *value = model.prediction(*value);
        }
        if values.iter().any(|value| !value.is_finite()) {
            return Err(Error::Internal("a prediction is not a finite number".into()).into());
        }
        let mut columns = batch.columns().to_vec();
        match &self.classes {
            None => columns.push(Arc::new(Float64Array::from(values))),
            Some(classes) => {
                let chosen =
                    UInt32Array::from_iter_values(values.iter().map(|&value| u32::from(value >= self.threshold)));
                columns.push(take(classes, &chosen, None)?);
                if !self.is_boolean {
                    for (value, class) in values.iter_mut().zip(chosen.values()) {
                        *value = if *class == 1 { *value } else { 1.0 - *value };
                    }
                }
                columns.push(Arc::new(Float64Array::from(values)));
            }
        }
        Ok(RecordBatch::try_new(self.schema.clone(), columns)?)
    }
}
