//! The operator of `evaluate` with an input: collects its rows, scores them on a thread of its own, returns metrics.

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
use fusewire_learn::{Control, Metric};

use super::Request;
use crate::{
    context::FunctionContext,
    error::Error,
    frame::{self, Scorer},
    models::MetricRow,
    plan::only_input,
    registry::Loaded,
    table::{
        metrics,
        work::{Collected, collect, detached},
    },
};

/// Scores the rows of its input and compares them with their outcome.
#[derive(Debug)]
pub struct EvaluateExec {
    input: Arc<dyn ExecutionPlan>,
    request: Arc<Request>,
    properties: Arc<PlanProperties>,
}

impl EvaluateExec {
    /// An evaluation on this input, which must have the columns that the request was bound to.
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

impl DisplayAs for EvaluateExec {
    fn fmt_as(&self, _format: DisplayFormatType, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(formatter, "EvaluateExec: {}", self.request.model)
    }
}

impl ExecutionPlan for EvaluateExec {
    fn name(&self) -> &str {
        "EvaluateExec"
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
        Ok(Arc::new(Self::new(only_input("EvaluateExec", &children)?, self.request.clone())))
    }

    fn with_new_children(self: Arc<Self>, children: Vec<Arc<dyn ExecutionPlan>>) -> Result<Arc<dyn ExecutionPlan>> {
        Ok(Arc::new(Self::new(only_input("EvaluateExec", &children)?, self.request.clone())))
    }

    fn execute(&self, partition: usize, task: Arc<TaskContext>) -> Result<SendableRecordBatchStream> {
        if partition != 0 {
            return Err(Error::Internal(format!("an evaluation has one partition, asked for {partition}")).into());
        }
        let input = self.input.execute(0, task.clone())?;
        let rows = run(input, self.request.clone(), task);
        Ok(Box::pin(RecordBatchStreamAdapter::new(metrics::schema(), futures::stream::once(rows))))
    }
}

async fn run(input: SendableRecordBatchStream, request: Arc<Request>, task: Arc<TaskContext>) -> Result<RecordBatch> {
    let context = FunctionContext::of(&task)?;
    let schema = input.schema();
    let loaded = context.registry.load(&request.model).await?;
    let collected = collect("evaluate", input, &context, task.memory_pool()).await?;
    let phase = format!("evaluate {}", request.model.name);
    let threads = context.threads;
    let asked = request.clone();
    let metrics =
        detached(&context, phase, move |control| measure(&asked, &schema, loaded, collected, threads, control)).await?;
    let metrics: Vec<_> = metrics.iter().map(MetricRow::from).collect();
    Ok(metrics::batch(&request.model.name, request.model.version, &metrics)?)
}

fn measure(
    request: &Request,
    schema: &SchemaRef,
    loaded: Arc<Loaded>,
    collected: Collected,
    threads: usize,
    control: &dyn Control,
) -> Result<Vec<Metric>, Error> {
    let internal = |error: arrow::error::ArrowError| Error::Internal(error.to_string());
    let Collected { batches, reservation } = collected;
    let mut table = Scorer::new(loaded.clone(), schema, &request.features)?.joined_table(&batches)?;
    let positions =
        request.outcome.iter().map(|(column, _)| schema.index_of(&column.input)).collect::<Result<Vec<_>, _>>();
    let positions = positions.map_err(internal)?;
    let kinds: Vec<_> = request.outcome.iter().map(|(_, kind)| *kind).collect();
    let projected = batches.iter().map(|batch| batch.project(&positions)).collect::<Result<Vec<_>, _>>();
    let projected = projected.map_err(internal)?;
    let outcome = frame::table(&schema.project(&positions).map_err(internal)?, &kinds, &projected)?;
    drop((batches, projected));
    let named = request.outcome.iter().map(|(column, _)| column.column.clone());
    table.columns.extend(named.zip(outcome.columns).map(|(name, (_, values))| (name, values)));
    table.rows = outcome.rows;
    control.check()?;
    let metrics = loaded.model.evaluate(&table, None, threads, control)?;
    drop(reservation);
    Ok(metrics)
}
