//! `generate_series` and `range` of times: the engine's count nanoseconds, of which 64 bits hold the years 1678 to 2261, and
//! know no zone's days. Those of numbers are the engine's.
//!
//! ```sql
//! SELECT * FROM generate_series(date '2024-01-31', date '2024-06-30', '1 month')
//! ```

use std::{iter, sync::Arc};

use arrow::{
    array::{Array, ArrayRef, AsArray, IntervalMonthDayNanoArray, ListArray, RecordBatch, TimestampMicrosecondArray},
    buffer::{NullBuffer, OffsetBuffer},
    compute::cast,
    datatypes::{
        DataType, Field, FieldRef, IntervalMonthDayNano, IntervalMonthDayNanoType, IntervalUnit, Schema, SchemaRef,
        TimeUnit, TimestampMicrosecondType,
    },
};
use async_trait::async_trait;
use datafusion::{
    catalog::{Session, TableFunctionArgs, TableFunctionImpl, TableProvider, streaming::StreamingTable},
    common::{Result, ScalarValue, plan_err},
    datasource::TableType,
    execution::{FunctionRegistry, SendableRecordBatchStream, TaskContext},
    logical_expr::{
        ColumnarValue, Expr, ScalarFunctionArgs, ScalarUDF, ScalarUDFImpl, Signature, Volatility,
        type_coercion::functions::fields_with_udf,
    },
    physical_plan::{
        ExecutionPlan, ExecutionPlanProperties,
        stream::RecordBatchStreamAdapter,
        streaming::{PartitionStream, StreamingTableExec},
    },
    prelude::SessionContext,
};
use futures::StreamExt;

use crate::{
    fault::{Failure, Fault},
    functions::{TimeSeries, instant_in_session},
    interrupt::step,
    pgtype::{
        self, InSession,
        calendar::{infinite, is_infinite_date},
    },
};

/// The steps between times.
const STEP: DataType = DataType::Interval(IntervalUnit::MonthDayNano);

/// Puts these in the places of the engine's own.
pub(super) fn register(context: &SessionContext) {
    for (name, has_end) in [("generate_series", true), ("range", false)] {
        if let Ok(inner) = context.table_function(name) {
            context.register_udtf(name, Arc::new(Series { has_end, inner: Arc::clone(inner.function()) }));
        }
        if let Ok(inner) = context.udf(name) {
            let signature = Signature::user_defined(Volatility::Immutable);
            context.register_udf(ScalarUDF::from(List { has_end, inner, signature }));
        }
    }
}

/// The type of the times of a series between values of these types, none of a series of numbers. They are instants unless one
/// is without a zone and none has one.
fn type_of_times(types: &[DataType]) -> Option<DataType> {
    let [start, end, step] = types else { return None };
    let bounds = [start, end];
    let are_times = bounds.iter().any(|bound| matches!(bound, DataType::Timestamp(..) | DataType::Date32));
    if !are_times && !matches!(step, DataType::Interval(_) | DataType::Duration(_)) {
        return None;
    }
    let is_local = bounds.iter().any(|bound| matches!(bound, DataType::Timestamp(_, None)))
        && !bounds.iter().any(|bound| matches!(bound, DataType::Timestamp(_, Some(_))));
    if is_local { pgtype::TIMESTAMP.arrow(-1) } else { pgtype::TIMESTAMPTZ.arrow(-1) }
}

/// The function in FROM, whose arguments are values.
#[derive(Debug)]
struct Series {
    has_end: bool,
    inner: Arc<dyn TableFunctionImpl>,
}

impl TableFunctionImpl for Series {
    fn call_with_args(&self, arguments: TableFunctionArgs<'_, '_>) -> Result<Arc<dyn TableProvider>> {
        let mut expressions = arguments.exprs().to_vec();
        let values: Option<Vec<&ScalarValue>> = expressions.iter().map(Expr::as_literal).collect();
        let types: Vec<DataType> = values.iter().flatten().map(|value| value.data_type()).collect();
        if let (Some([start, end, step]), Some(times)) = (values.as_deref(), type_of_times(&types)) {
            let session = InSession::of(arguments.session().config_options());
            let is_zoned = matches!(times, DataType::Timestamp(_, Some(_)));
            return table((*start, *end), self.has_end, step, (session, is_zoned));
        }
        let has_integers = types.len() == expressions.len() && are_integers(&types);
        for expression in &mut expressions {
            let Expr::Literal(value, _) = expression else { continue };
            if value.is_null() {
                // The engine takes the one without a type alone.
                *value = ScalarValue::Null;
            } else if matches!(value.data_type(), DataType::Int8 | DataType::Int16 | DataType::Int32) {
                *value = value.cast_to(&DataType::Int64)?;
            }
        }
        let bigints = self.inner.call_with_args(TableFunctionArgs::new(&expressions, arguments.session()))?;
        Ok(if has_integers { Arc::new(Integers::new(bigints)) } else { bigints })
    }
}

/// Whether a series between values of these types is one of integers.
fn are_integers(types: &[DataType]) -> bool {
    !types.is_empty() && types.iter().all(|own| matches!(own, DataType::Int8 | DataType::Int16 | DataType::Int32))
}

/// A series of integers, which the engine has as bigints.
#[derive(Debug)]
struct Integers {
    bigints: Arc<dyn TableProvider>,
    schema: SchemaRef,
}

impl Integers {
    fn new(bigints: Arc<dyn TableProvider>) -> Self {
        let schema = integers(&bigints.schema());
        Self { bigints, schema }
    }
}

#[async_trait]
impl TableProvider for Integers {
    fn schema(&self) -> SchemaRef {
        Arc::clone(&self.schema)
    }

    fn table_type(&self) -> TableType {
        self.bigints.table_type()
    }

    async fn scan(
        &self,
        session: &dyn Session,
        projection: Option<&Vec<usize>>,
        _filters: &[Expr],
        limit: Option<usize>,
    ) -> Result<Arc<dyn ExecutionPlan>> {
        let bigints = self.bigints.scan(session, projection, &[], limit).await?;
        if bigints.schema().fields().is_empty() {
            return Ok(bigints);
        }
        let schema = integers(&bigints.schema());
        let partitions = bigints.output_partitioning().partition_count();
        let narrowed = (0..partitions).map(|partition| {
            let (bigints, schema) = (Arc::clone(&bigints), Arc::clone(&schema));
            Arc::new(Narrowed { bigints, partition, schema }) as Arc<dyn PartitionStream>
        });
        let narrowed = narrowed.collect();
        Ok(Arc::new(StreamingTableExec::try_new(schema, narrowed, None, None, false, limit)?))
    }
}

/// The schema of a series of bigints as one of integers.
fn integers(bigints: &Schema) -> SchemaRef {
    let fields = bigints.fields().iter().map(|field| field.as_ref().clone().with_data_type(DataType::Int32));
    Arc::new(Schema::new(fields.collect::<Vec<_>>()))
}

/// A partition of bigints as integers. It is no projection, which the engine would spread over its threads, and so out of
/// order.
#[derive(Debug)]
struct Narrowed {
    bigints: Arc<dyn ExecutionPlan>,
    partition: usize,
    schema: SchemaRef,
}

impl PartitionStream for Narrowed {
    fn schema(&self) -> &SchemaRef {
        &self.schema
    }

    fn execute(&self, context: Arc<TaskContext>) -> SendableRecordBatchStream {
        // A plan that runs again begins again.
        let bigints = Arc::clone(&self.bigints).reset_state();
        let schema = Arc::clone(&self.schema);
        let narrow = move |batch: RecordBatch| {
            let columns = batch.columns().iter().map(|column| cast(column, &DataType::Int32));
            Ok(RecordBatch::try_new(Arc::clone(&schema), columns.collect::<Result<_, _>>()?)?)
        };
        let stream: SendableRecordBatchStream = match bigints.and_then(|plan| plan.execute(self.partition, context)) {
            Ok(batches) => Box::pin(RecordBatchStreamAdapter::new(
                Arc::clone(&self.schema),
                batches.map(move |batch| batch.and_then(&narrow)),
            )),
            Err(error) => {
                Box::pin(RecordBatchStreamAdapter::new(Arc::clone(&self.schema), futures::stream::iter([Err(error)])))
            }
        };
        stream
    }
}

/// The table of a series read in a session, of instants or of times without a zone.
fn table(
    (start, end): (&ScalarValue, &ScalarValue),
    has_end: bool,
    step: &ScalarValue,
    (session, is_zoned): (InSession<'_>, bool),
) -> Result<Arc<dyn TableProvider>> {
    let zone = is_zoned.then_some(session.zone);
    let bounds = micros(start, zone, session)?.zip(micros(end, zone, session)?);
    let series = match bounds.zip(interval(step, session)?) {
        Some((bounds, step)) => Some(TimeSeries::new(bounds, has_end, step, zone)?),
        None => None,
    };
    let data_type = DataType::Timestamp(TimeUnit::Microsecond, zone.map(Into::into));
    let schema = Arc::new(Schema::new(vec![Field::new("value", data_type, false)]));
    let times = Times { schema: Arc::clone(&schema), series };
    Ok(Arc::new(StreamingTable::try_new(schema, vec![Arc::new(times)])?))
}

/// Microseconds since 1970, of an instant if a zone is given.
fn micros(value: &ScalarValue, zone: Option<&str>, session: InSession<'_>) -> Result<Option<i64>> {
    let target = DataType::Timestamp(TimeUnit::Microsecond, zone.map(Into::into));
    let local = DataType::Timestamp(TimeUnit::Microsecond, None);
    let time = match value.data_type() {
        _ if value.is_null() => return Ok(None),
        text if text.is_string() => read(value, &target, session)?,
        DataType::Date32 | DataType::Timestamp(_, None) => match value {
            ScalarValue::Date32(Some(days)) if is_infinite_date(*days) => return Ok(Some(infinite(*days < 0))),
            value => value.cast_to(&local)?,
        },
        DataType::Timestamp(_, Some(_)) => value.cast_to(&target)?,
        other => return plan_err!("a series of times has none of the type {}", pgtype::type_name(&other)),
    };
    Ok(match (time, zone) {
        (ScalarValue::TimestampMicrosecond(Some(shown), None), Some(zone)) => Some(instant_in_session(shown, zone)?),
        (ScalarValue::TimestampMicrosecond(micros, _), _) => micros,
        _ => None,
    })
}

fn interval(value: &ScalarValue, session: InSession<'_>) -> Result<Option<IntervalMonthDayNano>> {
    let step = match value.data_type() {
        _ if value.is_null() => return Ok(None),
        text if text.is_string() => read(value, &STEP, session)?,
        _ => value.cast_to(&STEP)?,
    };
    match step {
        ScalarValue::IntervalMonthDayNano(step) => Ok(step),
        _ => Ok(None),
    }
}

/// The value of a text in quotes.
fn read(text: &ScalarValue, target: &DataType, session: InSession<'_>) -> Result<ScalarValue> {
    let text = text.try_as_str().flatten().unwrap_or_default();
    let invalid = |_| {
        let message = format!("invalid input syntax for type {}: \"{text}\"", pgtype::type_name(target));
        Failure::new(Fault::InvalidDatetime, message)
    };
    Ok(pgtype::read_text(text, target, session).map_err(invalid)?)
}

/// The rows of a series; none if one of its arguments is NULL.
#[derive(Debug)]
struct Times {
    schema: SchemaRef,
    series: Option<TimeSeries>,
}

impl PartitionStream for Times {
    fn schema(&self) -> &SchemaRef {
        &self.schema
    }

    fn execute(&self, context: Arc<TaskContext>) -> SendableRecordBatchStream {
        let (rows, schema) = (context.session_config().batch_size(), Arc::clone(&self.schema));
        let mut series = self.series.clone().into_iter().flatten();
        let batches = iter::from_fn(move || batch(&mut series, rows, &schema).transpose());
        let batches = futures::stream::iter(batches);
        Box::pin(RecordBatchStreamAdapter::new(Arc::clone(&self.schema), batches))
    }
}

/// The next rows, if there are more.
fn batch(
    series: &mut impl Iterator<Item = Result<i64, Failure>>,
    rows: usize,
    schema: &SchemaRef,
) -> Result<Option<RecordBatch>> {
    let times = series.take(rows).collect::<Result<Vec<i64>, Failure>>()?;
    if times.is_empty() {
        return Ok(None);
    }
    let times = TimestampMicrosecondArray::from(times).with_data_type(schema.field(0).data_type().clone());
    Ok(Some(RecordBatch::try_new(Arc::clone(schema), vec![Arc::new(times)])?))
}

/// The function that makes a list of a series.
#[derive(Debug, PartialEq, Eq, Hash)]
struct List {
    has_end: bool,
    inner: Arc<ScalarUDF>,
    signature: Signature,
}

impl ScalarUDFImpl for List {
    fn name(&self) -> &str {
        self.inner.name()
    }

    fn signature(&self) -> &Signature {
        &self.signature
    }

    fn coerce_types(&self, types: &[DataType]) -> Result<Vec<DataType>> {
        if let Some(times) = type_of_times(types) {
            return Ok(vec![times.clone(), times, STEP]);
        }
        if are_integers(types) {
            return Ok(vec![DataType::Int32; types.len()]);
        }
        let fields: Vec<FieldRef> = types.iter().map(|of| Arc::new(Field::new("", of.clone(), true))).collect();
        let fields = fields_with_udf(&fields, self.inner.as_ref())?;
        Ok(fields.iter().map(|field| field.data_type().clone()).collect())
    }

    fn return_type(&self, types: &[DataType]) -> Result<DataType> {
        match type_of_times(types) {
            Some(times) => Ok(pgtype::list_of(times)),
            None if are_integers(types) => Ok(pgtype::list_of(DataType::Int32)),
            None => self.inner.return_type(types),
        }
    }

    fn invoke_with_args(&self, call: ScalarFunctionArgs) -> Result<ColumnarValue> {
        let types: Vec<DataType> = call.arg_fields.iter().map(|field| field.data_type().clone()).collect();
        if are_integers(&types) {
            return self.integers(call);
        }
        let Some(times) = type_of_times(&types) else { return self.inner.invoke_with_args(call) };
        let arrays = call.args.iter().map(|argument| argument.to_array(call.number_rows));
        let arrays = arrays.collect::<Result<Vec<ArrayRef>>>()?;
        let [starts, ends, steps] = arrays.as_slice() else {
            return plan_err!("a series has a start, an end and a step");
        };
        let (starts, ends) = (starts.as_primitive::<TimestampMicrosecondType>(), ends.as_primitive());
        let steps = steps.as_primitive::<IntervalMonthDayNanoType>();
        let zone = call.config_options.execution.time_zone.as_deref().unwrap_or("UTC");
        let zone = matches!(times, DataType::Timestamp(_, Some(_))).then_some(zone);
        let lists = lists(starts, ends, steps, self.has_end, zone)?;
        Ok(ColumnarValue::Array(Arc::new(lists.with_items(times)?)))
    }
}

impl List {
    /// Lists of integers, which the engine has as bigints.
    fn integers(&self, mut call: ScalarFunctionArgs) -> Result<ColumnarValue> {
        let wanted = call.return_field.data_type().clone();
        let bigint = |field: &FieldRef| Arc::new(field.as_ref().clone().with_data_type(DataType::Int64));
        call.arg_fields = call.arg_fields.iter().map(bigint).collect();
        let args = call.args.iter().map(|argument| argument.cast_to(&DataType::Int64, None));
        call.args = args.collect::<Result<_>>()?;
        let lists = self.inner.return_type(&vec![DataType::Int64; call.args.len()])?;
        call.return_field = Arc::new(call.return_field.as_ref().clone().with_data_type(lists));
        self.inner.invoke_with_args(call)?.cast_to(&wanted, None)
    }
}

/// The times of several series, and how many each has.
struct Lists {
    times: Vec<i64>,
    lengths: Vec<usize>,
    nulls: Option<NullBuffer>,
}

fn lists(
    starts: &TimestampMicrosecondArray,
    ends: &TimestampMicrosecondArray,
    steps: &IntervalMonthDayNanoArray,
    has_end: bool,
    zone: Option<&str>,
) -> Result<Lists> {
    let nulls = NullBuffer::union_many([starts.nulls(), ends.nulls(), steps.nulls()]);
    let (mut times, mut lengths) = (Vec::new(), Vec::with_capacity(starts.len()));
    for row in 0..starts.len() {
        let before = times.len();
        if nulls.as_ref().is_none_or(|nulls| nulls.is_valid(row)) {
            for time in TimeSeries::new((starts.value(row), ends.value(row)), has_end, steps.value(row), zone)? {
                step()?;
                times.push(time?);
                if i32::try_from(times.len()).is_err() {
                    let message = "the series of a statement have more times than lists can hold; read them in FROM";
                    return Err(Failure::new(Fault::LimitExceeded, message).into());
                }
            }
        }
        lengths.push(times.len() - before);
    }
    Ok(Lists { times, lengths, nulls })
}

impl Lists {
    fn with_items(self, data_type: DataType) -> Result<ListArray> {
        let items = TimestampMicrosecondArray::from(self.times).with_data_type(data_type.clone());
        let field = Arc::new(Field::new_list_field(data_type, true));
        let offsets = OffsetBuffer::from_lengths(self.lengths);
        Ok(ListArray::try_new(field, offsets, Arc::new(items), self.nulls)?)
    }
}
