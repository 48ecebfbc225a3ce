//! `generate_series` and `range` of times and of numerics: the engine's count nanoseconds, of which 64 bits hold the years 1678
//! to 2261, and know no zone's days, and it has none of numerics. Those of other numbers are the engine's.
//!
//! ```sql
//! SELECT * FROM generate_series(date '2024-01-31', date '2024-06-30', '1 month')
//! ```

use std::{iter, sync::Arc};

use arrow::{
    array::{
        Array, ArrayRef, AsArray, Decimal128Array, IntervalMonthDayNanoArray, ListArray, RecordBatch,
        TimestampMicrosecondArray,
    },
    buffer::{NullBuffer, OffsetBuffer},
    compute::cast,
    datatypes::{
        DECIMAL128_MAX_PRECISION, DataType, Decimal128Type, DecimalType, Field, FieldRef, IntervalMonthDayNano,
        IntervalMonthDayNanoType, IntervalUnit, Schema, SchemaRef, TimeUnit, TimestampMicrosecondType,
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
        if let Some(values) = values.as_deref().filter(|_| are_numerics(&types)) {
            return numerics(values, self.has_end);
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
    rows_of(series.map(Values::Times), data_type)
}

fn rows_of(series: Option<Values>, data_type: DataType) -> Result<Arc<dyn TableProvider>> {
    let schema = Arc::new(Schema::new(vec![Field::new("value", data_type, false)]));
    let rows = Rows { schema: Arc::clone(&schema), series };
    Ok(Arc::new(StreamingTable::try_new(schema, vec![Arc::new(rows)])?))
}

/// Whether a series between values of these types is one of numerics.
fn are_numerics(types: &[DataType]) -> bool {
    let is_numeric = |own: &DataType| matches!(own, DataType::Decimal128(..) | DataType::Decimal256(..));
    types.iter().any(is_numeric) && types.iter().all(|own| is_numeric(own) || own.is_signed_integer() || own.is_null())
}

/// The table of a series of numerics, which have the decimal places of its start and its step.
fn numerics(values: &[&ScalarValue], has_end: bool) -> Result<Arc<dyn TableProvider>> {
    let one = ScalarValue::Int64(Some(1));
    let (start, end, step) = match values {
        [start, end] => (*start, *end, &one),
        [start, end, step] => (*start, *end, *step),
        _ => return plan_err!("a series of numbers has a start, an end and perhaps a step"),
    };
    let places = numeric_places(start).max(numeric_places(step));
    let series = match (digits(start)?, digits(end)?, digits(step)?) {
        (Some(start), Some(end), Some(step)) => {
            Some(Values::Numbers(Numbers::new([start, end, step], places, has_end)?))
        }
        _ => None,
    };
    rows_of(series, DataType::Decimal128(DECIMAL128_MAX_PRECISION, places))
}

fn numeric_places(value: &ScalarValue) -> i8 {
    match value {
        ScalarValue::Decimal128(_, _, places) | ScalarValue::Decimal256(_, _, places) => (*places).max(0),
        _ => 0,
    }
}

/// The digits of a number, and how many of them are decimal places; none of NULL.
fn digits(value: &ScalarValue) -> Result<Option<(i128, i8)>> {
    if value.is_null() {
        return Ok(None);
    }
    Ok(Some(match value {
        ScalarValue::Decimal128(Some(digits), _, places) => (*digits, *places),
        ScalarValue::Decimal256(Some(digits), _, places) => (digits.to_i128().ok_or_else(long_numeric)?, *places),
        other => match other.cast_to(&DataType::Int64)? {
            ScalarValue::Int64(Some(number)) => (number.into(), 0),
            _ => return Ok(None),
        },
    }))
}

fn long_numeric() -> Failure {
    Failure::new(Fault::NumericOutOfRange, "a series has numerics of 38 digits at most; cast them to numeric(p, s)")
}

/// The numerics that are left of a series: their digits.
#[derive(Debug, Clone)]
struct Numbers {
    next: Option<i128>,
    /// The greatest that there may be, or the least of a series that goes down.
    last: i128,
    step: i128,
}

impl Numbers {
    /// Those with so many decimal places, of a start, an end and a step.
    fn new(numbers: [(i128, i8); 3], places: i8, has_end: bool) -> Result<Self, Failure> {
        let [start, end, step] = numbers;
        let moved = |(digits, own): (i128, i8)| {
            let moved = u32::try_from(i16::from(places) - i16::from(own)).map_err(|_| long_numeric())?;
            let power = 10_i128.checked_pow(moved).ok_or_else(long_numeric)?;
            digits.checked_mul(power).filter(has_room).ok_or_else(long_numeric)
        };
        let (start, step) = (moved(start)?, moved(step)?);
        if step == 0 {
            return Err(Failure::new(Fault::InvalidArgument, "step size cannot equal zero"));
        }
        // An end of more places lies between two numbers of the series, or on one.
        let (last, is_reached) = match u32::try_from(i16::from(end.1) - i16::from(places)) {
            Ok(more) => {
                let power = 10_i128.checked_pow(more).ok_or_else(long_numeric)?;
                let below = end.0.div_euclid(power);
                let is_reached = end.0.rem_euclid(power) == 0;
                (if step > 0 || is_reached { below } else { below + 1 }, is_reached)
            }
            Err(_) => (moved(end)?, true),
        };
        let left_out = if is_reached && !has_end { step.signum() } else { 0 };
        Ok(Self { next: Some(start), last: last - left_out, step })
    }
}

impl Iterator for Numbers {
    type Item = i128;

    fn next(&mut self) -> Option<i128> {
        let number = self.next.take()?;
        let is_beyond = if self.step > 0 { number > self.last } else { number < self.last };
        if is_beyond {
            return None;
        }
        // What has no room is beyond the end, which has.
        self.next = number.checked_add(self.step).filter(has_room);
        Some(number)
    }
}

fn has_room(digits: &i128) -> bool {
    Decimal128Type::is_valid_decimal_precision(*digits, DECIMAL128_MAX_PRECISION)
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

/// The values of a series that are left.
#[derive(Debug, Clone)]
enum Values {
    Times(TimeSeries),
    Numbers(Numbers),
}

/// The rows of a series; none if one of its arguments is NULL.
#[derive(Debug)]
struct Rows {
    schema: SchemaRef,
    series: Option<Values>,
}

impl PartitionStream for Rows {
    fn schema(&self) -> &SchemaRef {
        &self.schema
    }

    fn execute(&self, context: Arc<TaskContext>) -> SendableRecordBatchStream {
        let (rows, schema) = (context.session_config().batch_size(), Arc::clone(&self.schema));
        let mut series = self.series.clone();
        let batches = iter::from_fn(move || batch(series.as_mut()?, rows, &schema).transpose());
        let batches = futures::stream::iter(batches);
        Box::pin(RecordBatchStreamAdapter::new(Arc::clone(&self.schema), batches))
    }
}

/// The next rows, if there are more.
fn batch(series: &mut Values, rows: usize, schema: &SchemaRef) -> Result<Option<RecordBatch>> {
    let data_type = schema.field(0).data_type().clone();
    let column: ArrayRef = match series {
        Values::Times(times) => {
            let times = times.take(rows).collect::<Result<Vec<i64>, Failure>>()?;
            Arc::new(TimestampMicrosecondArray::from(times).with_data_type(data_type))
        }
        Values::Numbers(numbers) => {
            Arc::new(Decimal128Array::from_iter_values(numbers.take(rows)).with_data_type(data_type))
        }
    };
    if column.is_empty() {
        return Ok(None);
    }
    Ok(Some(RecordBatch::try_new(Arc::clone(schema), vec![column])?))
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

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;

    fn numbers(start: (i128, i8), end: (i128, i8), step: (i128, i8), has_end: bool) -> Vec<i128> {
        Numbers::new([start, end, step], start.1.max(step.1), has_end).unwrap().collect()
    }

    /// As PostgreSQL 15 counts, but for those without an end.
    #[test]
    fn numerics_are_counted_by_their_digits() {
        assert_eq!(numbers((10, 1), (35, 1), (5, 1), true), [10, 15, 20, 25, 30, 35]);
        assert_eq!(numbers((10, 1), (20, 1), (5, 1), false), [10, 15]);
        assert_eq!(numbers((1, 0), (25, 1), (1, 0), true), [1, 2]);
        assert_eq!(numbers((1, 0), (25, 1), (1, 0), false), [1, 2]);
        assert_eq!(numbers((5, 0), (15, 1), (-2, 0), true), [5, 3]);
        assert_eq!(numbers((5, 0), (-15, 1), (-2, 0), true), [5, 3, 1, -1]);
        assert_eq!(numbers((5, 0), (10, 1), (-2, 0), false), [5, 3]);
        assert_eq!(numbers((1, 0), (0, 0), (1, 0), true), [0_i128; 0]);
        let most = 10_i128.pow(38) - 1;
        assert_eq!(numbers((most, 0), (most, 0), (1, 0), true), [most]);
        assert!(Numbers::new([(1, 0), (2, 0), (0, 1)], 1, true).is_err());
        assert!(Numbers::new([(most, 0), (2, 0), (1, 1)], 1, true).is_err());
    }
}
