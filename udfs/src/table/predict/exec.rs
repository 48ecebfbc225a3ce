//! The physical node of `predict`: batches in, the same batches with their predictions out.
//!
//! It keeps its input's partitions, order and row count, and lets filters, limits and sorts through to its input. The
//! model and the lookups of its categories are read once and shared by all partitions. It knows no function arguments.

use std::{fmt, sync::Arc};

use arrow::array::RecordBatch;
use datafusion::{
    common::{ColumnStatistics, Statistics, config::ConfigOptions, tree_node::TreeNodeRecursion},
    error::{DataFusionError, Result},
    execution::{SendableRecordBatchStream, TaskContext},
    physical_expr::{PhysicalExpr, PhysicalSortExpr, projection::ProjectionMapping, utils::collect_columns},
    physical_plan::{
        ChildStats, ChildrenPropertiesMode, DisplayAs, DisplayFormatType, ExecutionPlan, ExecutionPlanProperties,
        PlanProperties, ReplaceChildrenOptions, SortOrderPushdownResult, StatisticsArgs,
        coop::make_cooperative,
        execution_plan::CardinalityEffect,
        filter_pushdown::{
            ChildFilterDescription, ChildPushdownResult, FilterDescription, FilterPushdownPhase,
            FilterPushdownPropagation,
        },
        metrics::{BaselineMetrics, ExecutionPlanMetricsSet, MetricsSet},
        projection::ProjectionExec,
        stream::RecordBatchStreamAdapter,
    },
};
use futures::{Stream, StreamExt, TryStreamExt, stream};
use tokio::sync::OnceCell;

use super::{Prediction, score::PredictionScorer};
use crate::{codec::Portable, plan::only_input};

/// The most rows scored between two chances to stop.
const ROWS_AT_ONCE: usize = 8192;

/// Adds a model's predictions to every batch of its input.
#[derive(Debug, Clone)]
pub struct PredictExec {
    input: Arc<dyn ExecutionPlan>,
    prediction: Prediction,
    scorer: Arc<OnceCell<PredictionScorer>>,
    properties: Arc<PlanProperties>,
    metrics: ExecutionPlanMetricsSet,
}

impl PredictExec {
    /// The node over an input that holds the model's features by name.
    ///
    /// # Errors
    /// A missing feature, one of another type, or a name twice.
    pub fn try_new(input: Arc<dyn ExecutionPlan>, prediction: Prediction) -> Result<Self> {
        let properties = Arc::new(properties(&input, &prediction)?);
        Ok(Self { input, prediction, scorer: Arc::default(), properties, metrics: ExecutionPlanMetricsSet::new() })
    }

    /// What is computed.
    pub fn prediction(&self) -> &Prediction {
        &self.prediction
    }

    fn with_input(&self, input: Arc<dyn ExecutionPlan>) -> Result<Arc<dyn ExecutionPlan>> {
        Ok(Arc::new(Self::try_new(input, self.prediction.clone())?))
    }

    /// Whether an expression reads columns of the input alone.
    fn reads_input_only(&self, expression: &Arc<dyn PhysicalExpr>) -> bool {
        let columns = self.input.schema().fields().len();
        collect_columns(expression).iter().all(|column| column.index() < columns)
    }
}

/// The input's order and partitions hold for the output, whose first columns are the input's.
fn properties(input: &Arc<dyn ExecutionPlan>, prediction: &Prediction) -> Result<PlanProperties> {
    let input_schema = input.schema();
    prediction.bind(&input_schema)?;
    let schema = prediction.output_schema(&input_schema)?;
    let columns: Vec<usize> = (0..input_schema.fields().len()).collect();
    let mapping = ProjectionMapping::from_indices(&columns, &input_schema)?;
    let equivalences = input.equivalence_properties();
    Ok(PlanProperties::new(
        equivalences.project(&mapping, schema),
        input.output_partitioning().project(&mapping, equivalences),
        input.pipeline_behavior(),
        input.boundedness(),
    ))
}

impl DisplayAs for PredictExec {
    fn fmt_as(&self, kind: DisplayFormatType, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        match kind {
            DisplayFormatType::TreeRender => writeln!(formatter, "{}", self.prediction),
            DisplayFormatType::Default | DisplayFormatType::Verbose => {
                write!(formatter, "PredictExec: {}", self.prediction)
            }
        }
    }
}

impl ExecutionPlan for PredictExec {
    fn name(&self) -> &'static str {
        "PredictExec"
    }

    fn properties(&self) -> &Arc<PlanProperties> {
        &self.properties
    }

    fn children(&self) -> Vec<&Arc<dyn ExecutionPlan>> {
        vec![&self.input]
    }

    fn maintains_input_order(&self) -> Vec<bool> {
        vec![true]
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
        self.with_input(only_input("predict", &children)?)
    }

    fn with_new_children(self: Arc<Self>, children: Vec<Arc<dyn ExecutionPlan>>) -> Result<Arc<dyn ExecutionPlan>> {
        self.replace_children(children, ReplaceChildrenOptions::new(ChildrenPropertiesMode::Recompute))
    }

    fn execute(&self, partition: usize, context: Arc<TaskContext>) -> Result<SendableRecordBatchStream> {
        let input = self.input.execute(partition, context.clone())?;
        let metrics = BaselineMetrics::new(&self.metrics, partition);
        let (shared, prediction) = (self.scorer.clone(), self.prediction.clone());
        let (input_schema, schema) = (input.schema(), self.schema());
        let batches = stream::once(async move {
            let load = || PredictionScorer::load(prediction, input_schema, schema, &context);
            let scorer = shared.get_or_try_init(load).await?.clone();
            let slices = input.map_ok(slices).try_flatten();
            Ok::<_, DataFusionError>(slices.map(move |batch| {
                let batch = batch?;
                let _timer = metrics.elapsed_compute().timer();
                let scored = scorer.score(&batch)?;
                metrics.record_output(scored.num_rows());
                Ok(scored)
            }))
        });
        let batches = RecordBatchStreamAdapter::new(self.schema(), batches.try_flatten());
        Ok(make_cooperative(Box::pin(batches)))
    }

    fn metrics(&self) -> Option<MetricsSet> {
        Some(self.metrics.clone_inner())
    }

    fn child_stats_requests(&self, partition: Option<usize>) -> Vec<ChildStats> {
        vec![ChildStats::At(partition)]
    }

    fn statistics_from_inputs(
        &self,
        inputs: &[Arc<Statistics>],
        _arguments: &StatisticsArgs,
    ) -> Result<Arc<Statistics>> {
        let Some(input) = inputs.first() else { return Ok(Arc::new(Statistics::new_unknown(&self.schema()))) };
        let mut statistics = input.as_ref().clone();
        statistics.total_byte_size = statistics.total_byte_size.to_inexact();
        statistics.column_statistics.resize_with(self.schema().fields().len(), ColumnStatistics::new_unknown);
        Ok(Arc::new(statistics))
    }

    fn supports_limit_pushdown(&self) -> bool {
        true
    }

    fn cardinality_effect(&self) -> CardinalityEffect {
        CardinalityEffect::Equal
    }

    /// A projection that leaves every prediction out needs no model at all.
    fn try_swapping_with_projection(&self, projection: &ProjectionExec) -> Result<Option<Arc<dyn ExecutionPlan>>> {
        if !projection.expr().iter().all(|projected| self.reads_input_only(&projected.expr)) {
            return Ok(None);
        }
        let expressions = projection.expr().to_vec();
        Ok(Some(Arc::new(ProjectionExec::try_new(expressions, self.input.clone())?)))
    }

    fn gather_filters_for_pushdown(
        &self,
        _phase: FilterPushdownPhase,
        parent_filters: Vec<Arc<dyn PhysicalExpr>>,
        _config: &ConfigOptions,
    ) -> Result<FilterDescription> {
        let columns = (0..self.input.schema().fields().len()).collect();
        let child = ChildFilterDescription::from_child_with_allowed_indices(&parent_filters, columns, &self.input)?;
        Ok(FilterDescription::new().with_child(child))
    }

    fn handle_child_pushdown_result(
        &self,
        _phase: FilterPushdownPhase,
        result: ChildPushdownResult,
        _config: &ConfigOptions,
    ) -> Result<FilterPushdownPropagation<Arc<dyn ExecutionPlan>>> {
        Ok(FilterPushdownPropagation::if_all(result))
    }

    fn try_pushdown_sort(&self, order: &[PhysicalSortExpr]) -> Result<SortOrderPushdownResult<Arc<dyn ExecutionPlan>>> {
        if !order.iter().all(|key| self.reads_input_only(&key.expr)) {
            return Ok(SortOrderPushdownResult::Unsupported);
        }
        self.input.try_pushdown_sort(order)?.try_map(|input| self.with_input(input))
    }

    fn with_preserve_order(&self, preserve_order: bool) -> Option<Arc<dyn ExecutionPlan>> {
        self.input.with_preserve_order(preserve_order).and_then(|input| self.with_input(input).ok())
    }
}

/// A batch in pieces that are scored soon enough to stop between them; most are one piece.
fn slices(batch: RecordBatch) -> impl Stream<Item = Result<RecordBatch>> {
    let starts = (0..batch.num_rows()).step_by(ROWS_AT_ONCE);
    stream::iter(starts.map(move |start| Ok(batch.slice(start, ROWS_AT_ONCE.min(batch.num_rows() - start)))))
}

impl Portable for PredictExec {
    type Payload = Prediction;

    fn payload(&self) -> Prediction {
        self.prediction.clone()
    }

    fn rebuild(prediction: Prediction, inputs: &[Arc<dyn ExecutionPlan>]) -> Result<Self> {
        Self::try_new(only_input("predict", inputs)?, prediction)
    }
}
