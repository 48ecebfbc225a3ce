//! A function of rows that depend on the query around it: it runs for each value of the domain by itself.
//!
//! The last resort, for nodes of which nothing is known but that the rows of one value have no part in the answer for
//! another. The node is planned once, over slots; its inputs are computed for all values together, and each run finds in
//! the slots the rows of one.

use std::{
    cmp::Ordering,
    collections::HashMap,
    fmt,
    hash::{Hash, Hasher},
    sync::{Arc, Mutex, PoisonError},
};

use arrow::{
    array::{RecordBatch, RecordBatchOptions, UInt32Array},
    compute::{concat_batches, take, take_record_batch},
    datatypes::SchemaRef,
    row::{OwnedRow, RowConverter, SortField},
};
use async_trait::async_trait;
use datafusion::{
    catalog::Session,
    common::{DFSchema, DFSchemaRef, DataFusionError, Result, tree_node::TreeNodeRecursion},
    execution::{SendableRecordBatchStream, TaskContext, memory_pool::MemoryConsumer, memory_pool::MemoryReservation},
    logical_expr::{
        Expr, Extension, LogicalPlan, UserDefinedLogicalNode, UserDefinedLogicalNodeCore,
        physical_planning_context::PhysicalPlanningContext,
    },
    physical_expr::{EquivalenceProperties, PhysicalExpr},
    physical_plan::{
        DisplayAs, DisplayFormatType, Distribution, ExecutionPlan, InputDistributionRequirements, Partitioning,
        PlanProperties, execute_stream,
        execution_plan::{Boundedness, EmissionType},
        stream::RecordBatchStreamAdapter,
    },
    physical_planner::{ExtensionPlanner, PhysicalPlanner},
};
use futures::{StreamExt, TryStreamExt, stream};

use super::once::PLANNED_AGAIN;

/// An input of a function, and whether it has a column for each of the domain's behind its own.
pub(super) struct Input {
    pub(super) plan: LogicalPlan,
    pub(super) is_dependent: bool,
}

/// The rows of a function for each of these values, which are distinct, with the value's columns behind.
pub(super) fn for_each(
    function: &Arc<dyn UserDefinedLogicalNode>,
    values: LogicalPlan,
    inputs: Vec<Input>,
) -> Result<LogicalPlan> {
    let is_dependent = inputs.iter().map(|input| input.is_dependent).collect();
    let plans = std::iter::once(values).chain(inputs.into_iter().map(|input| input.plan)).collect();
    let node = ForEach::try_new(function, plans, is_dependent)?;
    Ok(LogicalPlan::Extension(Extension { node: Arc::new(node) }))
}

/// The logical node.
#[derive(Debug, Clone)]
struct ForEach {
    /// The function over a [`Slot`] for each of its inputs.
    function: Arc<dyn UserDefinedLogicalNode>,
    /// The values, then the function's inputs.
    inputs: Vec<LogicalPlan>,
    /// Of each of the function's inputs, whether it has the values' columns.
    is_dependent: Vec<bool>,
    schema: DFSchemaRef,
}

impl ForEach {
    fn try_new(
        function: &Arc<dyn UserDefinedLogicalNode>,
        inputs: Vec<LogicalPlan>,
        is_dependent: Vec<bool>,
    ) -> Result<Self> {
        let [values, given @ ..] = inputs.as_slice() else {
            return Err(super::internal("a function for each of no values"));
        };
        let slot = |(number, (input, is_dependent)): (usize, (&LogicalPlan, &bool))| {
            let behind = if *is_dependent { values.schema().fields().len() } else { 0 };
            let own = input.schema().iter().take(input.schema().fields().len() - behind);
            let own = own.map(|(qualifier, field)| (qualifier.cloned(), Arc::clone(field))).collect();
            let schema = Arc::new(DFSchema::new_with_metadata(own, HashMap::new())?);
            Ok(LogicalPlan::Extension(Extension { node: Arc::new(Slot { number, schema }) }))
        };
        let slots = given.iter().zip(&is_dependent).enumerate().map(slot).collect::<Result<Vec<_>>>()?;
        let function = function.with_exprs_and_inputs(function.expressions(), slots)?;
        let schema = Arc::new(function.schema().join(values.schema())?);
        Ok(Self { function, inputs, is_dependent, schema })
    }
}

impl UserDefinedLogicalNodeCore for ForEach {
    fn name(&self) -> &str {
        "ForEach"
    }

    fn inputs(&self) -> Vec<&LogicalPlan> {
        self.inputs.iter().collect()
    }

    fn schema(&self) -> &DFSchemaRef {
        &self.schema
    }

    fn expressions(&self) -> Vec<Expr> {
        Vec::new()
    }

    fn fmt_for_explain(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str("ForEach: ")?;
        self.function.fmt_for_explain(formatter)
    }

    fn with_exprs_and_inputs(&self, _expressions: Vec<Expr>, inputs: Vec<LogicalPlan>) -> Result<Self> {
        // A rule may have given an input another type.
        Self::try_new(&self.function, inputs, self.is_dependent.clone())
    }
}

impl PartialEq for ForEach {
    fn eq(&self, other: &Self) -> bool {
        self.function.as_ref() == other.function.as_ref()
            && self.inputs == other.inputs
            && self.is_dependent == other.is_dependent
    }
}

impl Eq for ForEach {}

impl Hash for ForEach {
    fn hash<H: Hasher>(&self, state: &mut H) {
        self.function.hash(state);
        self.inputs.hash(state);
    }
}

impl PartialOrd for ForEach {
    /// Nodes are equal or not comparable: nothing sorts plans by them.
    fn partial_cmp(&self, other: &Self) -> Option<Ordering> {
        (self == other).then_some(Ordering::Equal)
    }
}

/// Where the rows of an input stand while the function runs.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
struct Slot {
    number: usize,
    schema: DFSchemaRef,
}

impl UserDefinedLogicalNodeCore for Slot {
    fn name(&self) -> &str {
        "Slot"
    }

    fn inputs(&self) -> Vec<&LogicalPlan> {
        Vec::new()
    }

    fn schema(&self) -> &DFSchemaRef {
        &self.schema
    }

    fn expressions(&self) -> Vec<Expr> {
        Vec::new()
    }

    fn fmt_for_explain(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(formatter, "Slot: {}", self.number)
    }

    fn with_exprs_and_inputs(&self, _expressions: Vec<Expr>, _inputs: Vec<LogicalPlan>) -> Result<Self> {
        Ok(self.clone())
    }
}

impl PartialOrd for Slot {
    fn partial_cmp(&self, other: &Self) -> Option<Ordering> {
        (self == other).then_some(Ordering::Equal)
    }
}

/// Makes operators of the nodes.
#[derive(Debug)]
pub(crate) struct ForEachPlanner;

#[async_trait]
impl ExtensionPlanner for ForEachPlanner {
    async fn plan_extension(
        &self,
        _planner: &dyn PhysicalPlanner,
        node: &dyn UserDefinedLogicalNode,
        _logical_inputs: &[&LogicalPlan],
        inputs: &[Arc<dyn ExecutionPlan>],
        session: &dyn Session,
        _context: &PhysicalPlanningContext,
    ) -> Result<Option<Arc<dyn ExecutionPlan>>> {
        if let Some(slot) = node.as_any().downcast_ref::<Slot>() {
            return Ok(Some(Arc::new(SlotExec::new(slot))));
        }
        let Some(each) = node.as_any().downcast_ref::<ForEach>() else { return Ok(None) };
        let function = LogicalPlan::Extension(Extension { node: Arc::clone(&each.function) });
        let function = PLANNED_AGAIN.scope((), session.create_physical_plan(&function)).await?;
        let schema = Arc::clone(each.schema.inner());
        Ok(Some(Arc::new(ForEachExec::new(function, inputs.to_vec(), each.is_dependent.clone(), schema))))
    }
}

/// The rows of one value: a batch a slot, where the operators of the slots find it.
#[derive(Debug, Default)]
struct Given(Mutex<Vec<RecordBatch>>);

/// The rows that stand in a slot.
#[derive(Debug)]
struct SlotExec {
    number: usize,
    properties: Arc<PlanProperties>,
}

impl SlotExec {
    fn new(slot: &Slot) -> Self {
        let schema = EquivalenceProperties::new(Arc::clone(slot.schema.inner()));
        let partitioning = Partitioning::UnknownPartitioning(1);
        let properties = PlanProperties::new(schema, partitioning, EmissionType::Incremental, Boundedness::Bounded);
        Self { number: slot.number, properties: Arc::new(properties) }
    }
}

impl DisplayAs for SlotExec {
    fn fmt_as(&self, _format: DisplayFormatType, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(formatter, "SlotExec: {}", self.number)
    }
}

impl ExecutionPlan for SlotExec {
    fn name(&self) -> &str {
        "SlotExec"
    }

    fn properties(&self) -> &Arc<PlanProperties> {
        &self.properties
    }

    fn children(&self) -> Vec<&Arc<dyn ExecutionPlan>> {
        Vec::new()
    }

    fn apply_expressions(
        &self,
        _visit: &mut dyn FnMut(&Arc<dyn PhysicalExpr>) -> Result<TreeNodeRecursion>,
    ) -> Result<TreeNodeRecursion> {
        Ok(TreeNodeRecursion::Continue)
    }

    fn with_new_children(self: Arc<Self>, _children: Vec<Arc<dyn ExecutionPlan>>) -> Result<Arc<dyn ExecutionPlan>> {
        Ok(self)
    }

    fn execute(&self, _partition: usize, context: Arc<TaskContext>) -> Result<SendableRecordBatchStream> {
        let given = context.session_config().get_extension::<Given>();
        let given = given.ok_or_else(|| super::internal("a slot outside of its function"))?;
        let batch = given.0.lock().unwrap_or_else(PoisonError::into_inner).get(self.number).cloned();
        let batch = batch.ok_or_else(|| super::internal("a slot that was not filled"))?;
        Ok(Box::pin(RecordBatchStreamAdapter::new(self.schema(), stream::iter([Ok(batch)]))))
    }
}

/// Runs a function for each of its values.
#[derive(Debug)]
struct ForEachExec {
    function: Arc<dyn ExecutionPlan>,
    /// The values, then the function's inputs.
    inputs: Vec<Arc<dyn ExecutionPlan>>,
    is_dependent: Vec<bool>,
    properties: Arc<PlanProperties>,
}

impl ForEachExec {
    fn new(
        function: Arc<dyn ExecutionPlan>,
        inputs: Vec<Arc<dyn ExecutionPlan>>,
        is_dependent: Vec<bool>,
        schema: SchemaRef,
    ) -> Self {
        let partitioning = Partitioning::UnknownPartitioning(1);
        let equivalence = EquivalenceProperties::new(schema);
        let properties =
            PlanProperties::new(equivalence, partitioning, EmissionType::Incremental, Boundedness::Bounded);
        Self { function, inputs, is_dependent, properties: Arc::new(properties) }
    }
}

impl DisplayAs for ForEachExec {
    fn fmt_as(&self, format: DisplayFormatType, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(formatter, "ForEachExec: ")?;
        self.function.fmt_as(format, formatter)
    }
}

impl ExecutionPlan for ForEachExec {
    fn name(&self) -> &str {
        "ForEachExec"
    }

    fn properties(&self) -> &Arc<PlanProperties> {
        &self.properties
    }

    fn input_distribution_requirements(&self) -> InputDistributionRequirements {
        InputDistributionRequirements::new(vec![Distribution::SinglePartition; self.inputs.len()])
    }

    fn children(&self) -> Vec<&Arc<dyn ExecutionPlan>> {
        self.inputs.iter().collect()
    }

    fn apply_expressions(
        &self,
        _visit: &mut dyn FnMut(&Arc<dyn PhysicalExpr>) -> Result<TreeNodeRecursion>,
    ) -> Result<TreeNodeRecursion> {
        Ok(TreeNodeRecursion::Continue)
    }

    fn with_new_children(self: Arc<Self>, children: Vec<Arc<dyn ExecutionPlan>>) -> Result<Arc<dyn ExecutionPlan>> {
        let (function, schema) = (Arc::clone(&self.function), self.schema());
        Ok(Arc::new(Self::new(function, children, self.is_dependent.clone(), schema)))
    }

    fn execute(&self, _partition: usize, context: Arc<TaskContext>) -> Result<SendableRecordBatchStream> {
        let [values, inputs @ ..] = self.inputs.as_slice() else {
            return Err(super::internal("a function for each of no values"));
        };
        let (values, inputs) = (Arc::clone(values), inputs.to_vec());
        let (function, is_dependent, schema) = (Arc::clone(&self.function), self.is_dependent.clone(), self.schema());
        let rows = stream::once(async move {
            let memory = MemoryConsumer::new("ForEachExec").register(context.memory_pool());
            let values = Values::read(values, &context, &memory).await?;
            let mut grouped = Vec::with_capacity(inputs.len());
            for (input, is_dependent) in inputs.into_iter().zip(is_dependent) {
                let batch = collect(input, &context, &memory).await?;
                grouped.push(if is_dependent { values.grouped(&batch)? } else { Grouped::Same(batch) });
            }
            let runs = Arc::new(Runs::new(function, values, grouped, schema, memory, &context));
            let numbers = stream::iter((0..runs.values.rows.num_rows()).map(Ok::<_, DataFusionError>));
            Ok::<_, DataFusionError>(numbers.and_then(move |number| run(Arc::clone(&runs), number)).try_flatten())
        });
        Ok(Box::pin(RecordBatchStreamAdapter::new(self.schema(), rows.try_flatten())))
    }
}

/// All rows of a plan of one partition, accounted for.
async fn collect(
    plan: Arc<dyn ExecutionPlan>,
    context: &Arc<TaskContext>,
    memory: &MemoryReservation,
) -> Result<RecordBatch> {
    let mut rows = execute_stream(plan, Arc::clone(context))?;
    let mut batches = Vec::new();
    while let Some(batch) = rows.try_next().await? {
        memory.try_grow(batch.get_array_memory_size())?;
        batches.push(batch);
    }
    Ok(concat_batches(&rows.schema(), &batches)?)
}

/// The values, and the number of each.
struct Values {
    rows: RecordBatch,
    converter: RowConverter,
    numbers: HashMap<OwnedRow, usize>,
}

impl Values {
    async fn read(
        plan: Arc<dyn ExecutionPlan>,
        context: &Arc<TaskContext>,
        memory: &MemoryReservation,
    ) -> Result<Self> {
        let rows = collect(plan, context, memory).await?;
        let fields = rows.schema_ref().fields().iter().map(|field| SortField::new(field.data_type().clone()));
        let converter = RowConverter::new(fields.collect())?;
        let keys = converter.convert_columns(rows.columns())?;
        memory.try_grow(keys.size())?;
        let numbers = keys.iter().enumerate().map(|(number, key)| (key.owned(), number)).collect();
        Ok(Self { rows, converter, numbers })
    }

    /// The rows of an input by the values that stand in its last columns.
    fn grouped(&self, input: &RecordBatch) -> Result<Grouped> {
        let own = input.num_columns() - self.rows.num_columns();
        let keys = self.converter.convert_columns(&input.columns()[own..])?;
        let mut rows = vec![Vec::new(); self.rows.num_rows()];
        for (row, key) in (0_u32..).zip(keys.iter()) {
            match self.numbers.get(&key.owned()) {
                Some(&number) => rows[number].push(row),
                None => return Err(super::internal("rows of a value that is none of the query around them")),
            }
        }
        let own: Vec<usize> = (0..own).collect();
        Ok(Grouped::By(input.project(&own)?, rows))
    }
}

/// An input's rows for each value.
enum Grouped {
    /// The same for all.
    Same(RecordBatch),
    /// Those at these positions.
    By(RecordBatch, Vec<Vec<u32>>),
}

impl Grouped {
    fn of(&self, number: usize) -> Result<RecordBatch> {
        match self {
            Self::Same(batch) => Ok(batch.clone()),
            Self::By(batch, rows) => {
                let rows = rows.get(number).cloned().unwrap_or_default();
                Ok(take_record_batch(batch, &UInt32Array::from(rows))?)
            }
        }
    }
}

/// What all runs share.
struct Runs {
    function: Arc<dyn ExecutionPlan>,
    values: Values,
    inputs: Vec<Grouped>,
    schema: SchemaRef,
    given: Arc<Given>,
    context: Arc<TaskContext>,
    _memory: MemoryReservation,
}

impl Runs {
    fn new(
        function: Arc<dyn ExecutionPlan>,
        values: Values,
        inputs: Vec<Grouped>,
        schema: SchemaRef,
        memory: MemoryReservation,
        context: &TaskContext,
    ) -> Self {
        let given = Arc::new(Given::default());
        let context = TaskContext::new(
            context.task_id(),
            context.session_id(),
            context.session_config().clone().with_extension(Arc::clone(&given)),
            context.scalar_functions().clone(),
            context.higher_order_functions().clone(),
            context.aggregate_functions().clone(),
            context.window_functions().clone(),
            context.runtime_env(),
        );
        Self { function, values, inputs, schema, given, context: Arc::new(context), _memory: memory }
    }

    /// The function's rows with the columns of a value behind.
    fn beside(&self, rows: &RecordBatch, number: usize) -> Result<RecordBatch> {
        let same = UInt32Array::from_value(u32::try_from(number).unwrap_or(u32::MAX), rows.num_rows());
        let mut columns = rows.columns().to_vec();
        for value in self.values.rows.columns() {
            columns.push(take(value, &same, None)?);
        }
        let options = RecordBatchOptions::new().with_row_count(Some(rows.num_rows()));
        Ok(RecordBatch::try_new_with_options(Arc::clone(&self.schema), columns, &options)?)
    }
}

/// The rows for the value of this number. The run before it has ended: both use the same slots.
async fn run(runs: Arc<Runs>, number: usize) -> Result<SendableRecordBatchStream> {
    // Nothing that a run waits for need make it wait, and a cancelled statement stops where it does.
    tokio::task::yield_now().await;
    let given = runs.inputs.iter().map(|input| input.of(number)).collect::<Result<Vec<_>>>()?;
    *runs.given.0.lock().unwrap_or_else(PoisonError::into_inner) = given;
    let rows = execute_stream(Arc::clone(&runs.function), Arc::clone(&runs.context))?;
    let schema = Arc::clone(&runs.schema);
    let rows = rows.map(move |batch| runs.beside(&batch?, number));
    Ok(Box::pin(RecordBatchStreamAdapter::new(schema, rows)))
}
