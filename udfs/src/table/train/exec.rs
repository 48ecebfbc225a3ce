//! The operator of `train`: collects its input, learns on a thread of its own, stores the model's file, and returns the
//! version that its statement publishes.

use std::{fmt, sync::Arc};

use arrow::{array::RecordBatch, datatypes::SchemaRef};
use datafusion::{
    common::{Result, tree_node::TreeNodeRecursion},
    execution::{SendableRecordBatchStream, TaskContext},
    physical_expr::{EquivalenceProperties, PhysicalExpr},
    physical_plan::{
        DisplayAs, DisplayFormatType, Distribution, ExecutionPlan, InputDistributionRequirements, Partitioning,
        PlanProperties, ReplaceChildrenOptions,
        execution_plan::{Boundedness, EmissionType},
        stream::RecordBatchStreamAdapter,
    },
};
use fusewire_learn::{Report, fit};

use super::{Request, signature::signature, version};
use crate::{
    context::FunctionContext,
    error::Error,
    frame,
    models::{MetricRow, NewVersion, Signature},
    plan::only_input,
    table::{
        metrics,
        work::{Collected, collect, detached},
    },
};

/// Trains when it is run; every run makes a file, and a version once it is published.
#[derive(Debug)]
pub struct TrainExec {
    input: Arc<dyn ExecutionPlan>,
    request: Arc<Request>,
    properties: Arc<PlanProperties>,
}

impl TrainExec {
    /// A training over this input, which must have the columns that the request was checked with.
    pub fn new(input: Arc<dyn ExecutionPlan>, request: Arc<Request>) -> Self {
        let properties = Arc::new(PlanProperties::new(
            EquivalenceProperties::new(metrics::schema()),
            Partitioning::UnknownPartitioning(1),
            EmissionType::Final,
            Boundedness::Bounded,
        ));
        Self { input, request, properties }
    }

    /// What is asked for.
    pub fn request(&self) -> &Request {
        &self.request
    }
}

impl DisplayAs for TrainExec {
    fn fmt_as(&self, _format: DisplayFormatType, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(formatter, "TrainExec: {}.{}", self.request.schema, self.request.name)
    }
}

impl ExecutionPlan for TrainExec {
    fn name(&self) -> &str {
        "TrainExec"
    }

    fn properties(&self) -> &Arc<PlanProperties> {
        &self.properties
    }

    fn input_distribution_requirements(&self) -> InputDistributionRequirements {
        InputDistributionRequirements::new(vec![Distribution::SinglePartition])
    }

    fn children(&self) -> Vec<&Arc<dyn ExecutionPlan>> {
        vec![&self.input]
    }

    fn apply_expressions(
        &self,
        _visit: &mut dyn FnMut(&Arc<dyn PhysicalExpr>) -> Result<TreeNodeRecursion>,
    ) -> Result<TreeNodeRecursion> {
        Ok(TreeNodeRecursion::Continue)
    }

    fn replace_children(
        self: Arc<Self>,
        children: Vec<Arc<dyn ExecutionPlan>>,
        _options: ReplaceChildrenOptions,
    ) -> Result<Arc<dyn ExecutionPlan>> {
        Ok(Arc::new(Self::new(only_input("TrainExec", &children)?, self.request.clone())))
    }

    fn with_new_children(self: Arc<Self>, children: Vec<Arc<dyn ExecutionPlan>>) -> Result<Arc<dyn ExecutionPlan>> {
        Ok(Arc::new(Self::new(only_input("TrainExec", &children)?, self.request.clone())))
    }

    fn execute(&self, partition: usize, task: Arc<TaskContext>) -> Result<SendableRecordBatchStream> {
        if partition != 0 {
            return Err(Error::Internal(format!("a training has one partition, asked for {partition}")).into());
        }
        let input = self.input.execute(0, task.clone())?;
        let rows = run(input, self.request.clone(), task);
        Ok(Box::pin(RecordBatchStreamAdapter::new(metrics::schema(), futures::stream::once(rows))))
    }
}

/// What a finished training leaves.
struct Trained {
    bytes: Vec<u8>,
    signature: Signature,
    report: Report,
}

/// Nothing is visible before the statement publishes it, so that dropping this future leaves no trace.
async fn run(input: SendableRecordBatchStream, request: Arc<Request>, task: Arc<TaskContext>) -> Result<RecordBatch> {
    let context = FunctionContext::of(&task)?;
    let schema = input.schema();
    let collected = collect("train", input, &context, task.memory_pool()).await?;
    let phase = format!("train {}", request.name);
    let threads = context.threads;
    let asked = request.clone();
    let trained = detached(&context, phase, move |control| learn(&asked, schema, collected, threads, control)).await?;
    let size_bytes = trained.bytes.len() as u64;
    if size_bytes > context.limits.model_bytes {
        return Err(Error::LimitExceeded {
            what: format!("the size of the model {} in bytes", request.name),
            found: size_bytes,
            limit: context.limits.model_bytes,
            advice: "train with fewer factors or categories, or raise the limit",
        }
        .into());
    }
    let metrics: Vec<MetricRow> = trained.report.metrics.iter().map(MetricRow::from).collect();
    let (digest, location) = context.registry.put(trained.bytes).await?;
    let version = NewVersion {
        schema: request.schema.clone(),
        name: request.name.clone(),
        promote: request.promote,
        kind: "embedding".into(),
        digest,
        location,
        size_bytes,
        signature: trained.signature,
        metrics,
        options: request.options.clone(),
        seed: request.seed,
        sources: request.sources.clone(),
        sql: request.sql.clone(),
    };
    trained.report.notices.into_iter().for_each(|sentence| context.notice(sentence));
    Ok(version::row(&version)?)
}

fn learn(
    request: &Request,
    schema: SchemaRef,
    collected: Collected,
    threads: usize,
    control: &dyn fusewire_learn::Control,
) -> Result<Trained, Error> {
    let options = request.options(&schema)?;
    let kinds = request.kinds(&schema)?;
    let Collected { batches, reservation } = collected;
    let table = frame::table(&schema, &kinds, &batches)?;
    drop(batches);
    control.check()?;
    let fitted = fit(&table, &options, threads, control)?;
    let signature = signature(&fitted.model, &schema)?;
    let bytes = fitted.model.to_bytes();
    control.check()?;
    // The reservation stands for the table and for what training made of it, so it lasts as long as they do.
    drop((table, reservation));
    Ok(Trained { bytes, signature, report: fitted.report })
}
