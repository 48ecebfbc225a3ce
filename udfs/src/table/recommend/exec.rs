//! The operator of `recommend`: users in, their items out.
//!
//! The users stream and are answered in blocks, off the thread that polls and with a flag that a dropped stream raises;
//! the other relations are read whole first. It takes over filters on the user and on the rank.

use std::{fmt, sync::Arc};

use arrow::{
    array::{ArrayRef, BooleanArray, Float64Array, Int64Array, RecordBatch, UInt32Array},
    compute::{filter_record_batch, take},
};
use datafusion::{
    common::{ScalarValue, config::ConfigOptions, tree_node::TreeNodeRecursion},
    error::{DataFusionError, Result},
    execution::{SendableRecordBatchStream, TaskContext},
    physical_expr::{Distribution, EquivalenceProperties, Partitioning, PhysicalExpr},
    physical_plan::{
        ChildrenPropertiesMode, DisplayAs, DisplayFormatType, ExecutionPlan, InputDistributionRequirements,
        PlanProperties, ReplaceChildrenOptions,
        execution_plan::{Boundedness, EmissionType},
        filter_pushdown::{ChildPushdownResult, FilterDescription, FilterPushdownPhase, FilterPushdownPropagation},
        metrics::{BaselineMetrics, ExecutionPlanMetricsSet, MetricsSet},
        stream::{EmptyRecordBatchStream, RecordBatchStreamAdapter},
    },
};
use fusewire_learn::Recommendation;
use futures::{Stream, StreamExt, TryStreamExt, future::ready, stream};

use super::{
    Extra, Ranking,
    keys::Keys,
    pushdown,
    question::{Question, column},
};
use crate::{codec::Portable, error::Error, frame::Scorer, table::work::detached};

/// Answers every user once.
#[derive(Debug, Clone)]
pub struct RecommendExec {
    ranking: Ranking,
    extras: Vec<Extra>,
    /// The users, then one relation for each of `extras`.
    inputs: Vec<Arc<dyn ExecutionPlan>>,
    properties: Arc<PlanProperties>,
    metrics: ExecutionPlanMetricsSet,
}

impl RecommendExec {
    /// The operator over the users and one relation for each of `extras`.
    ///
    /// # Errors
    /// Another number of inputs.
    pub fn try_new(ranking: Ranking, extras: Vec<Extra>, inputs: Vec<Arc<dyn ExecutionPlan>>) -> Result<Self> {
        if inputs.len() != extras.len() + 1 {
            let problem = format!("recommend has {} inputs, expected {}", inputs.len(), extras.len() + 1);
            return Err(Error::Internal(problem).into());
        }
        let properties = PlanProperties::new(
            EquivalenceProperties::new(ranking.output_schema()),
            Partitioning::UnknownPartitioning(1),
            EmissionType::Incremental,
            Boundedness::Bounded,
        );
        Ok(Self { ranking, extras, inputs, properties: Arc::new(properties), metrics: ExecutionPlanMetricsSet::new() })
    }

    /// What is asked.
    pub fn ranking(&self) -> &Ranking {
        &self.ranking
    }

    /// The relations beside the users, in the order of the inputs.
    pub fn extras(&self) -> &[Extra] {
        &self.extras
    }

    fn users(&self) -> Result<&Arc<dyn ExecutionPlan>> {
        Ok(self.inputs.first().ok_or_else(|| Error::Internal("recommend has lost its users".into()))?)
    }
}

impl DisplayAs for RecommendExec {
    fn fmt_as(&self, kind: DisplayFormatType, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        match kind {
            DisplayFormatType::TreeRender => writeln!(formatter, "{}", self.ranking),
            DisplayFormatType::Default | DisplayFormatType::Verbose => {
                let names: Vec<_> = self.extras.iter().map(|extra| extra.argument()).collect();
                write!(formatter, "RecommendExec: {}, inputs=[{}]", self.ranking, names.join(", "))
            }
        }
    }
}

impl ExecutionPlan for RecommendExec {
    fn name(&self) -> &'static str {
        "RecommendExec"
    }

    fn properties(&self) -> &Arc<PlanProperties> {
        &self.properties
    }

    fn children(&self) -> Vec<&Arc<dyn ExecutionPlan>> {
        self.inputs.iter().collect()
    }

    fn input_distribution_requirements(&self) -> InputDistributionRequirements {
        InputDistributionRequirements::new(vec![Distribution::SinglePartition; self.inputs.len()])
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
        Ok(Arc::new(Self::try_new(self.ranking.clone(), self.extras.clone(), children)?))
    }

    fn with_new_children(self: Arc<Self>, children: Vec<Arc<dyn ExecutionPlan>>) -> Result<Arc<dyn ExecutionPlan>> {
        self.replace_children(children, ReplaceChildrenOptions::new(ChildrenPropertiesMode::Recompute))
    }

    fn execute(&self, partition: usize, context: Arc<TaskContext>) -> Result<SendableRecordBatchStream> {
        if partition != 0 {
            return Err(Error::Internal(format!("recommend has one partition, asked for {partition}")).into());
        }
        if self.ranking.k() == 0 {
            return Ok(Box::pin(EmptyRecordBatchStream::new(self.schema())));
        }
        let users = self.users()?.execute(0, context.clone())?;
        let extras = self.extras.iter().copied().zip(self.inputs.iter().skip(1).cloned()).collect();
        let ranking = self.ranking.clone();
        let metrics = BaselineMetrics::new(&self.metrics, partition);
        let answers = stream::once(async move {
            let question = Arc::new(Question::read(ranking, extras, &context).await?);
            let scorer = Arc::new(question.user_scorer(&users.schema())?);
            answers(question, scorer, users)
        });
        let answers = answers.try_flatten().inspect_ok(move |batch| {
            metrics.record_output(batch.num_rows());
        });
        Ok(Box::pin(RecordBatchStreamAdapter::new(self.schema(), answers)))
    }

    fn metrics(&self) -> Option<MetricsSet> {
        Some(self.metrics.clone_inner())
    }

    fn gather_filters_for_pushdown(
        &self,
        _phase: FilterPushdownPhase,
        parent_filters: Vec<Arc<dyn PhysicalExpr>>,
        _config: &ConfigOptions,
    ) -> Result<FilterDescription> {
        pushdown::gather(&self.inputs, &parent_filters)
    }

    fn handle_child_pushdown_result(
        &self,
        phase: FilterPushdownPhase,
        result: ChildPushdownResult,
        _config: &ConfigOptions,
    ) -> Result<FilterPushdownPropagation<Arc<dyn ExecutionPlan>>> {
        let taken = pushdown::take_over(self.users()?, phase, &result)?;
        let propagation = FilterPushdownPropagation::with_parent_pushdown_result(taken.filters);
        if taken.users.is_none() && taken.most.is_none() {
            return Ok(propagation);
        }
        let mut inputs = self.inputs.clone();
        if let (Some(filtered), Some(users)) = (taken.users, inputs.first_mut()) {
            *users = filtered;
        }
        let ranking = self.ranking.at_most(taken.most.unwrap_or(usize::MAX));
        Ok(propagation.with_updated_node(Arc::new(Self::try_new(ranking, self.extras.clone(), inputs)?)))
    }
}

impl Portable for RecommendExec {
    type Payload = (Ranking, Vec<Extra>);

    fn payload(&self) -> Self::Payload {
        (self.ranking.clone(), self.extras.clone())
    }

    fn rebuild((ranking, extras): Self::Payload, inputs: &[Arc<dyn ExecutionPlan>]) -> Result<Self> {
        Self::try_new(ranking, extras, inputs.to_vec())
    }
}

/// The answers to a stream of users, block by block.
fn answers(
    question: Arc<Question>,
    scorer: Arc<Scorer>,
    users: SendableRecordBatchStream,
) -> Result<impl Stream<Item = Result<RecordBatch>> + Send> {
    let schema = users.schema();
    let mut seen = Seen {
        users: Keys::new(&question.ranking().user().data_type)?,
        rows: Keys::of_rows(schema.fields().iter().map(|field| field.data_type()))?,
    };
    let first = question.clone();
    let blocks = users.map(move |batch| {
        let batch = seen.first_of_each(&batch?, &first.ranking().user().name)?;
        Ok::<_, DataFusionError>(stream::iter(blocks(&batch, first.users_at_once()).map(Ok::<_, DataFusionError>)))
    });
    let answers = blocks.try_flatten().and_then(move |block| answer(question.clone(), scorer.clone(), block));
    Ok(answers.try_filter(|batch| ready(batch.num_rows() > 0)))
}

/// The users that have come, and their rows.
struct Seen {
    users: Keys,
    rows: Keys,
}

impl Seen {
    /// The rows of users that have not come before. A user who comes again must come with the same row, else the order of the
    /// rows would decide the answer.
    fn first_of_each(&mut self, batch: &RecordBatch, user: &str) -> Result<RecordBatch> {
        let users = column(batch, user)?;
        let first = self.users.insert(users)?;
        let rows = if batch.num_columns() > 1 { self.rows.insert_rows(batch.columns())? } else { Vec::new() };
        let other = first.iter().zip(&rows).position(|((_, first), (_, new))| *new && !first);
        if let Some(row) = other {
            let value = ScalarValue::try_from_array(users, row)?;
            return Err(Error::InvalidData(format!(
                "recommend: the users have several different rows of the {user} {value}; give each user one row, for example \
                 with SELECT DISTINCT ON ({user})"
            ))
            .into());
        }
        if first.iter().all(|(_, first)| *first) {
            return Ok(batch.clone());
        }
        let first: BooleanArray = first.into_iter().map(|(_, first)| Some(first)).collect();
        Ok(filter_record_batch(batch, &first)?)
    }
}

fn blocks(batch: &RecordBatch, rows: usize) -> impl Iterator<Item = RecordBatch> + Send + use<> {
    let batch = batch.clone();
    let starts = (0..batch.num_rows()).step_by(rows.max(1));
    starts.map(move |start| batch.slice(start, rows.min(batch.num_rows() - start)))
}

/// One block's answers, computed where they hold up nothing else and stop with the stream.
async fn answer(question: Arc<Question>, scorer: Arc<Scorer>, users: RecordBatch) -> Result<RecordBatch> {
    let functions = question.functions().clone();
    let phase = format!("recommend {}", question.ranking().model().name);
    let keys = column(&users, &question.ranking().user().name)?.clone();
    let about = question.about(&keys)?;
    let asked = question.clone();
    let answers = detached(&functions, phase, move |control| {
        let users = asked.user_table(&scorer, &users)?;
        asked.answer(&users, &about, control)
    });
    answer_batch(&question, &keys, &answers.await?)
}

fn answer_batch(question: &Question, users: &ArrayRef, answers: &[Vec<Recommendation>]) -> Result<RecordBatch> {
    let rows = answers.iter().map(Vec::len).sum();
    let (mut of_user, mut items) = (Vec::with_capacity(rows), Vec::with_capacity(rows));
    let (mut ranks, mut scores) = (Vec::with_capacity(rows), Vec::with_capacity(rows));
    for (user, answer) in answers.iter().enumerate() {
        for (rank, recommendation) in answer.iter().enumerate() {
            of_user.push(user as u32);
            items.push(recommendation.item);
            ranks.push(rank as i64 + 1);
            scores.push(recommendation.score);
        }
    }
    let columns: Vec<ArrayRef> = vec![
        take(users, &UInt32Array::from(of_user), None)?,
        take(question.items(), &UInt32Array::from(items), None)?,
        Arc::new(Int64Array::from(ranks)),
        Arc::new(Float64Array::from(scores)),
    ];
    Ok(RecordBatch::try_new(question.ranking().output_schema(), columns)?)
}
