//! Rows that two places of a plan read and that are computed once, because they would not be the same a second time.
//!
//! A subquery is computed for the values that the rows around it have, and then joined to those rows. If they come of a
//! volatile function, a sample or a LIMIT without an order, both places must see the same ones. So must those that read an
//! item of WITH, and the rows of a recursion's last step, which the engine gives to one place only.

use std::{
    any::Any,
    cmp::Ordering,
    collections::BTreeMap,
    fmt,
    hash::{Hash, Hasher},
    sync::{
        Arc, Mutex, PoisonError,
        atomic::{self, AtomicUsize},
    },
};

use arrow::{array::RecordBatch, datatypes::DataType};
use async_trait::async_trait;
use datafusion::{
    catalog::{Session, cte_worktable::CteWorkTable},
    common::{
        DFSchemaRef, DataFusionError, Result,
        config::ConfigOptions,
        runtime::JoinSet,
        tree_node::{Transformed, TransformedResult, TreeNode, TreeNodeRecursion},
    },
    datasource::source_as_provider,
    execution::{
        SendableRecordBatchStream, TaskContext,
        memory_pool::{MemoryConsumer, MemoryReservation},
    },
    logical_expr::{
        Aggregate, Expr, ExprSchemable, Extension, LogicalPlan, UserDefinedLogicalNode, UserDefinedLogicalNodeCore,
        physical_planning_context::PhysicalPlanningContext,
    },
    optimizer::Analyzer,
    physical_expr::{EquivalenceProperties, PhysicalExpr},
    physical_optimizer::PhysicalOptimizerRule,
    physical_plan::{
        DisplayAs, DisplayFormatType, ExecutionPlan, PlanProperties, execute_stream_partitioned,
        execution_plan::{EmissionType, reset_plan_states},
        stream::RecordBatchStreamAdapter,
        work_table::WorkTableExec,
    },
    physical_planner::{ExtensionPlanner, PhysicalPlanner},
};
use futures::{
    FutureExt, StreamExt, TryStreamExt,
    future::{self, BoxFuture},
};
use tokio::sync::OnceCell;

/// The plan as one whose rows are computed once, however often it stands in the plan around it.
///
/// Its types are settled first: nothing looks into it any more before it is planned by itself.
pub(in crate::planning) fn once(mut plan: LogicalPlan) -> Result<LogicalPlan> {
    let config = ConfigOptions::default();
    for rule in super::super::types::with_numbers(Analyzer::new().rules) {
        plan = rule.analyze(plan, &config)?;
    }
    let plan = super::super::dependencies::forgotten(plan)?;
    let shared = Arc::new(Shared { plan, operator: OnceCell::new() });
    Ok(LogicalPlan::Extension(Extension { node: Arc::new(Once { shared }) }))
}

/// The address and the plan of a node that is computed once.
pub(super) fn within(node: &dyn UserDefinedLogicalNode) -> Option<(usize, &LogicalPlan)> {
    node.as_any().downcast_ref::<Once>().map(|once| (once.address(), &once.shared.plan))
}

/// Whether a plan's rows are the same each time it runs.
pub(super) fn repeats(plan: &LogicalPlan) -> Result<bool> {
    let mut repeats = true;
    plan.apply_with_subqueries(|node| {
        repeats &= match node {
            LogicalPlan::Limit(_)
            | LogicalPlan::Window(_)
            | LogicalPlan::Distinct(datafusion::logical_expr::Distinct::On(_)) => false,
            LogicalPlan::Sort(sort) => sort.fetch.is_none(),
            // What reads its last step may be computed once within it, and a copy of it would be given the other's steps.
            LogicalPlan::RecursiveQuery(_) => false,
            LogicalPlan::TableScan(scan) => {
                !source_as_provider(&scan.source).is_ok_and(|table| table.downcast_ref::<CteWorkTable>().is_some())
            }
            LogicalPlan::Extension(extension) => extension.node.as_any().is::<Once>(),
            LogicalPlan::Aggregate(aggregate) => exact(aggregate)?,
            _ => true,
        };
        node.apply_expressions(|expression| {
            repeats &= !expression.is_volatile();
            Ok(TreeNodeRecursion::Continue)
        })?;
        Ok(if repeats { TreeNodeRecursion::Continue } else { TreeNodeRecursion::Stop })
    })?;
    Ok(repeats)
}

/// Aggregates that do not depend on the order of their rows, to the last bit.
fn exact(aggregate: &Aggregate) -> Result<bool> {
    for call in &aggregate.aggr_expr {
        let exact = match call.clone().unalias() {
            Expr::AggregateFunction(function) => match function.func.name() {
                "count" | "min" | "max" | "bool_and" | "bool_or" => true,
                "sum" => !call.get_type(aggregate.input.schema()).unwrap_or(DataType::Float64).is_floating(),
                _ => false,
            },
            _ => false,
        };
        if !exact {
            return Ok(false);
        }
    }
    Ok(true)
}

struct Shared {
    plan: LogicalPlan,
    operator: OnceCell<Arc<OnceExec>>,
}

/// The logical node. Two of them are the same if they share their rows.
#[derive(Clone)]
struct Once {
    shared: Arc<Shared>,
}

impl Once {
    fn address(&self) -> usize {
        Arc::as_ptr(&self.shared).addr()
    }
}

impl fmt::Debug for Once {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.debug_struct("Once").field("plan", &self.shared.plan).finish()
    }
}

impl PartialEq for Once {
    fn eq(&self, other: &Self) -> bool {
        self.address() == other.address()
    }
}

impl Eq for Once {}

impl PartialOrd for Once {
    fn partial_cmp(&self, other: &Self) -> Option<Ordering> {
        self.address().partial_cmp(&other.address())
    }
}

impl Hash for Once {
    fn hash<H: Hasher>(&self, state: &mut H) {
        self.address().hash(state);
    }
}

impl UserDefinedLogicalNodeCore for Once {
    fn name(&self) -> &str {
        "Once"
    }

    // None, so that nothing rewrites the rows of one place and not of the other.
    fn inputs(&self) -> Vec<&LogicalPlan> {
        Vec::new()
    }

    fn schema(&self) -> &DFSchemaRef {
        self.shared.plan.schema()
    }

    fn expressions(&self) -> Vec<Expr> {
        Vec::new()
    }

    fn fmt_for_explain(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(formatter, "Once: {}", self.shared.plan.display())
    }

    fn with_exprs_and_inputs(&self, _expressions: Vec<Expr>, _inputs: Vec<LogicalPlan>) -> Result<Self> {
        Ok(self.clone())
    }
}

tokio::task_local! {
    /// Set while a plan goes through the rules that went through those of the statement as a part of it.
    pub(super) static PLANNED_AGAIN: ();
}

/// Whether a plan goes through the rules, which went through those of the statement as a part of it.
pub(in crate::planning) fn is_planned_again() -> bool {
    PLANNED_AGAIN.try_with(|()| ()).is_ok()
}

/// Gives both places of a [`Once`] the same operator.
#[derive(Debug)]
pub(crate) struct OncePlanner;

#[async_trait]
impl ExtensionPlanner for OncePlanner {
    async fn plan_extension(
        &self,
        _planner: &dyn PhysicalPlanner,
        node: &dyn UserDefinedLogicalNode,
        _logical_inputs: &[&LogicalPlan],
        _inputs: &[Arc<dyn ExecutionPlan>],
        session: &dyn Session,
        _context: &PhysicalPlanningContext,
    ) -> Result<Option<Arc<dyn ExecutionPlan>>> {
        let Some(once) = node.as_any().downcast_ref::<Once>() else { return Ok(None) };
        let plan = || async {
            let planning = session.create_physical_plan(&once.shared.plan);
            let input = PLANNED_AGAIN.scope((), planning).await?;
            Ok::<_, DataFusionError>(Arc::new(OnceExec::new(input)?))
        };
        let operator = once.shared.operator.get_or_try_init(plan).await?;
        Ok(Some(Arc::clone(operator) as Arc<dyn ExecutionPlan>))
    }
}

/// All rows of the input, a list of batches a partition, and the memory that they take.
#[derive(Debug)]
struct Rows {
    partitions: Vec<Arc<Vec<RecordBatch>>>,
    _memory: MemoryReservation,
}

/// The collecting, which goes on with whichever reader is left, and is never begun again: its input gives its rows once.
type Collecting = future::Shared<BoxFuture<'static, std::result::Result<Arc<Rows>, Arc<DataFusionError>>>>;

/// What the readers share.
#[derive(Debug, Default)]
struct Kept {
    /// The rows of the last step of the recursion that the operator is part of. Elsewhere there is one step.
    steps: Mutex<BTreeMap<usize, Collecting>>,
    /// The rows that the recursion's last step gave, as the engine hands them to the operator that reads them.
    last: Mutex<Option<Arc<dyn Any + Send + Sync>>>,
}

impl Kept {
    /// The rows of a step, which may be collected already. Those of steps before are let go.
    fn collecting(&self, step: usize, collect: impl FnOnce() -> Collecting) -> Collecting {
        let mut steps = self.steps.lock().unwrap_or_else(PoisonError::into_inner);
        *steps = steps.split_off(&step);
        steps.entry(step).or_insert_with(collect).clone()
    }

    fn last(&self) -> Option<Arc<dyn Any + Send + Sync>> {
        self.last.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }
}

/// Collects its input when the first of its readers asks, and gives all of them the same rows.
#[derive(Debug, Clone)]
struct OnceExec {
    input: Arc<dyn ExecutionPlan>,
    kept: Arc<Kept>,
    /// The step of the recursion whose rows it gives, and how many there were in this place of the plan.
    step: usize,
    steps: Arc<AtomicUsize>,
    /// Whether its input reads what a recursion's last step gave.
    recurs: bool,
    /// Closed, it shows no input to the rules that optimize what is above: the input went through them already.
    open: bool,
    properties: Arc<PlanProperties>,
}

/// Opens the operators that were closed to the rules before it.
#[derive(Debug)]
pub(crate) struct OpenOnce;

impl PhysicalOptimizerRule for OpenOnce {
    fn optimize(&self, plan: Arc<dyn ExecutionPlan>, _config: &ConfigOptions) -> Result<Arc<dyn ExecutionPlan>> {
        let open = |node: Arc<dyn ExecutionPlan>| {
            Ok(match node.downcast_ref::<OnceExec>() {
                Some(once) if !once.open => Transformed::yes(Arc::new(once.opened()) as Arc<dyn ExecutionPlan>),
                _ => Transformed::no(node),
            })
        };
        plan.transform_up(open).data()
    }

    fn name(&self) -> &str {
        "open_once"
    }

    fn schema_check(&self) -> bool {
        true
    }
}

impl OnceExec {
    fn new(input: Arc<dyn ExecutionPlan>) -> Result<Self> {
        let mut recurs = false;
        input.apply(|node| {
            recurs |= node.downcast_ref::<WorkTableExec>().is_some();
            recurs |= node.downcast_ref::<Self>().is_some_and(|once| once.recurs);
            Ok(TreeNodeRecursion::Continue)
        })?;
        let properties = properties(&input);
        Ok(Self { input, kept: Arc::default(), step: 0, steps: Arc::default(), recurs, open: false, properties })
    }

    /// The operator of one place of the plan. The engine lets one operator read what a recursion's last step gave, and
    /// would find several if it looked into them.
    fn opened(&self) -> Self {
        Self { open: !self.recurs, steps: Arc::default(), ..self.clone() }
    }

    /// The input as it runs in this step.
    fn in_step(&self) -> Result<Arc<dyn ExecutionPlan>> {
        let Some(last) = self.kept.last() else { return Ok(Arc::clone(&self.input)) };
        let given = |node: Arc<dyn ExecutionPlan>| {
            if let Some(reader) = node.with_new_state(Arc::clone(&last)) {
                return Ok(Transformed::yes(reader));
            }
            Ok(match node.downcast_ref::<Self>() {
                Some(within) if within.recurs => {
                    Transformed::yes(Arc::new(Self { step: self.step, ..within.clone() }) as Arc<dyn ExecutionPlan>)
                }
                _ => Transformed::no(node),
            })
        };
        reset_plan_states(Arc::clone(&self.input))?.transform_up(given).data()
    }
}

fn properties(input: &Arc<dyn ExecutionPlan>) -> Arc<PlanProperties> {
    let partitions = input.properties().output_partitioning().partition_count();
    let partitioning = datafusion::physical_plan::Partitioning::UnknownPartitioning(partitions);
    let equivalence = EquivalenceProperties::new(input.schema());
    let boundedness = input.properties().boundedness;
    Arc::new(PlanProperties::new(equivalence, partitioning, EmissionType::Final, boundedness))
}

impl DisplayAs for OnceExec {
    fn fmt_as(&self, _format: DisplayFormatType, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(formatter, "OnceExec")
    }
}

impl ExecutionPlan for OnceExec {
    fn name(&self) -> &str {
        "OnceExec"
    }

    fn properties(&self) -> &Arc<PlanProperties> {
        &self.properties
    }

    fn children(&self) -> Vec<&Arc<dyn ExecutionPlan>> {
        if self.open { vec![&self.input] } else { Vec::new() }
    }

    fn apply_expressions(
        &self,
        _visit: &mut dyn FnMut(&Arc<dyn PhysicalExpr>) -> Result<TreeNodeRecursion>,
    ) -> Result<TreeNodeRecursion> {
        Ok(TreeNodeRecursion::Continue)
    }

    fn with_new_children(self: Arc<Self>, children: Vec<Arc<dyn ExecutionPlan>>) -> Result<Arc<dyn ExecutionPlan>> {
        if !self.open {
            return Ok(self);
        }
        let input = fusewire_udfs::plan::only_input(self.name(), &children)?;
        Ok(Arc::new(Self { properties: properties(&input), input, ..Self::clone(&self) }))
    }

    // Each place of the plan is reset once for each step, so that all count alike.
    fn reset_state(self: Arc<Self>) -> Result<Arc<dyn ExecutionPlan>> {
        if !self.recurs {
            return Ok(self);
        }
        let step = self.steps.fetch_add(1, atomic::Ordering::Relaxed) + 1;
        Ok(Arc::new(Self { step, ..Self::clone(&self) }))
    }

    // Noted for all places, not taken for this one: then there would be several that read it.
    fn with_new_state(&self, state: Arc<dyn Any + Send + Sync>) -> Option<Arc<dyn ExecutionPlan>> {
        if self.recurs {
            *self.kept.last.lock().unwrap_or_else(PoisonError::into_inner) = Some(state);
        }
        None
    }

    fn execute(&self, partition: usize, context: Arc<TaskContext>) -> Result<SendableRecordBatchStream> {
        let (once, schema) = (self.clone(), self.schema());
        let kept = async move {
            let collecting = once.kept.collecting(once.step, || {
                // Not the operator itself: what is kept would keep itself, and go on when nobody is left.
                let input = once.in_step();
                let all = async move { collect(input?, context).await };
                all.map(|all| all.map(Arc::new).map_err(Arc::new)).boxed().shared()
            });
            let all = collecting.await.map_err(DataFusionError::Shared)?;
            let batches = all.partitions.get(partition).cloned().unwrap_or_default();
            let each = (0..batches.len()).map(move |at| Ok(batches[at].clone()));
            Ok::<_, DataFusionError>(futures::stream::iter(each))
        };
        let stream = futures::stream::once(kept).try_flatten();
        Ok(Box::pin(RecordBatchStreamAdapter::new(schema, stream)))
    }
}

async fn collect(input: Arc<dyn ExecutionPlan>, context: Arc<TaskContext>) -> Result<Rows> {
    let memory = MemoryConsumer::new("OnceExec").register(context.memory_pool());
    let streams = execute_stream_partitioned(input, context)?;
    let mut tasks = JoinSet::new();
    for (partition, mut stream) in streams.into_iter().enumerate() {
        let memory = memory.new_empty();
        tasks.spawn(async move {
            let mut batches = Vec::new();
            while let Some(batch) = stream.next().await {
                let batch = batch?;
                memory.try_grow(batch.get_array_memory_size())?;
                batches.push(batch);
            }
            Ok::<_, DataFusionError>((partition, batches, memory))
        });
    }
    let mut partitions = Vec::new();
    let mut total = 0;
    while let Some(finished) = tasks.join_next().await {
        let finished = finished.map_err(|error| DataFusionError::ExecutionJoin(Box::new(error)))?;
        let (partition, batches, reserved) = finished?;
        total += reserved.size();
        drop(reserved);
        partitions.push((partition, Arc::new(batches)));
    }
    memory.try_grow(total)?;
    partitions.sort_by_key(|(partition, _)| *partition);
    Ok(Rows { partitions: partitions.into_iter().map(|(_, batches)| batches).collect(), _memory: memory })
}
