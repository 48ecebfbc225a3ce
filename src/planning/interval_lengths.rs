//! Intervals are compared, sorted, joined and grouped by their lengths, in which a month is 30 days and a day 24 hours.
//!
//! The engine compares them field by field: 33 days that are hours are less than `1 day`, and `24:00:00` is no equal of it.
//! Here it sees the length, a number; what is compared with an interval and lasts, as the time between two timestamps does,
//! has one too. `min` and `max` see a number in the order of the lengths from which the interval can be made again;
//! `greatest` and `least` take the first of those of one length. Rows are grouped by the length, and a group shows the least
//! of its intervals in that order.
//! Those of arrays and rows are compared by `nested_keys.rs`.

use std::{cmp::Ordering, sync::Arc};

use arrow::{
    array::{Array, ArrayRef, AsArray, Decimal128Array, IntervalMonthDayNanoArray},
    buffer::NullBuffer,
    compute::cast,
    datatypes::{
        DECIMAL128_MAX_PRECISION, DECIMAL256_MAX_PRECISION, DataType, Decimal256Type, Field, FieldRef, Int64Type,
        IntervalDayTimeType, IntervalMonthDayNano, IntervalMonthDayNanoType, IntervalUnit, IntervalYearMonthType,
        TimeUnit, i256,
    },
};
use datafusion::{
    common::{
        DFSchema, Result, ScalarValue,
        config::ConfigOptions,
        internal_err,
        tree_node::{Transformed, TransformedResult},
    },
    logical_expr::{
        ColumnarValue, Expr, ExprSchemable, LogicalPlan, ReturnFieldArgs, ScalarFunctionArgs, ScalarUDF, ScalarUDFImpl,
        Signature, Volatility, WindowFrame, WindowFrameBound, WindowFrameUnits, expr::WindowFunction,
    },
    optimizer::AnalyzerRule,
};

use super::{
    calls::{self, Back},
    columnar::as_called,
    equal_values::{self, Keyed},
    steps,
};
use crate::pgtype::{
    Fields, Span,
    calendar::{NANOS_A_DAY, NANOS_A_MONTH, interval_length},
    read_interval,
};

/// See the module. It comes when types are settled, before rows are sorted by columns.
#[derive(Debug)]
pub(super) struct CompareLengths;

impl AnalyzerRule for CompareLengths {
    fn name(&self) -> &str {
        "compare_lengths"
    }

    fn analyze(&self, plan: LogicalPlan, _config: &ConfigOptions) -> Result<LogicalPlan> {
        let plan = steps::change(plan, concerns, by_lengths)?;
        plan.transform_up_with_subqueries(|node| equal_values::with_calls(node, &Lengths, by_order)).data()
    }
}

pub(super) fn is_interval(data_type: &DataType) -> bool {
    *data_type == DataType::Interval(IntervalUnit::MonthDayNano)
}

/// A number for each interval, of which the interval can be made again.
pub(super) fn number_of(interval: Expr) -> Expr {
    convert(vec![interval], Conversion::Order)
}

/// The interval that such a number is of.
pub(super) fn of_number(number: Expr) -> Expr {
    convert(vec![number], Conversion::Interval)
}

/// Whether values of a type last.
fn is_span(data_type: &DataType) -> bool {
    matches!(data_type, DataType::Interval(_) | DataType::Duration(_))
}

/// Whether values of these types are compared by their lengths. Those of one duration are, as they stand.
fn have_lengths(types: &[DataType]) -> bool {
    let is_compound = |data_type: &DataType| matches!(data_type, DataType::Interval(_));
    let is_alone = |data_type: &DataType| !is_compound(data_type) && types.iter().all(|other| other == data_type);
    types.iter().any(is_span)
        && types.iter().all(|data_type| is_span(data_type) || data_type.is_null())
        && !types.iter().all(is_alone)
}

/// A step of an expression whose operands' types are known: a window is ordered by lengths, for which the engine finds a type.
pub(super) fn settled(mut step: Expr, schema: &DFSchema) -> Expr {
    if let Expr::WindowFunction(window) = &mut step {
        let is_known = |operand: &Expr| operand.get_type(schema).is_ok_and(|data_type| is_span(&data_type));
        order_by_lengths(window, is_known);
    }
    step
}

/// Partitions and orders a window by lengths. A frame that reaches as far as an interval reaches as far as its length.
fn order_by_lengths(window: &mut WindowFunction, is_known: impl Fn(&Expr) -> bool) {
    let params = &mut window.params;
    if params.window_frame.units == WindowFrameUnits::Range
        && let [key] = params.order_by.as_slice()
        && is_known(&key.expr)
    {
        reach_lengths(&mut params.window_frame);
    }
    let order = params.order_by.iter_mut().map(|key| &mut key.expr);
    for key in params.partition_by.iter_mut().chain(order).filter(|key| is_known(key)) {
        *key = convert(vec![std::mem::take(key).unalias()], Conversion::Length);
    }
}

fn reach_lengths(frame: &mut WindowFrame) {
    for bound in [&mut frame.start_bound, &mut frame.end_bound] {
        if let WindowFrameBound::Preceding(distance) | WindowFrameBound::Following(distance) = bound
            && let Some(interval) = interval_of(distance)
        {
            *distance = ScalarValue::Decimal128(Some(interval_length(interval)), DECIMAL128_MAX_PRECISION, 0);
        }
    }
}

fn interval_of(distance: &ScalarValue) -> Option<IntervalMonthDayNano> {
    match distance {
        ScalarValue::IntervalMonthDayNano(interval) => *interval,
        text => read_interval(text.try_as_str()??, Fields::default()).ok().and_then(Span::arrow),
    }
}

/// Whether a step may compare intervals.
fn concerns(step: &Expr) -> bool {
    match step {
        Expr::ScalarFunction(call) => matches!(call.func.name(), "nullif" | "greatest" | "least"),
        Expr::AggregateFunction(call) => calls::compares(call),
        step => equal_values::compares(step),
    }
}

fn by_lengths(mut step: Expr, schema: &DFSchema) -> Result<Transformed<Expr>> {
    if matches!(step, Expr::ScalarFunction(_)) {
        return in_call(step, schema);
    }
    let changed = match &mut step {
        Expr::AggregateFunction(call) => equal_values::in_aggregate(call, schema, &Lengths)?,
        step => equal_values::in_comparison(step, schema, &Lengths)?,
    };
    Ok(Transformed::new_transformed(step, changed))
}

/// Intervals by their lengths.
struct Lengths;

impl Keyed for Lengths {
    fn is(&self, value: &Expr, schema: &DFSchema) -> Result<bool> {
        Ok(is_interval(&value.get_type(schema)?))
    }

    fn are(&self, values: &[(&Expr, &DFSchema)]) -> Result<bool> {
        let types = values.iter().map(|(value, schema)| value.get_type(*schema)).collect::<Result<Vec<_>>>()?;
        Ok(have_lengths(&types))
    }

    fn key(&self, value: Expr, schema: &DFSchema) -> Result<Expr> {
        length_of(value, schema)
    }

    fn ordered(&self, value: Expr) -> Expr {
        convert(vec![value], Conversion::Order)
    }

    fn shown(&self, key: Expr, least: Expr, field: &Field) -> Expr {
        convert(vec![key, least], Conversion::Group { nullable: field.is_nullable() })
    }
}

/// The length of what lasts. What the engine casts for a comparison, which fails after some centuries, need not be cast.
fn length_of(span: Expr, schema: &DFSchema) -> Result<Expr> {
    let span = match span.unalias() {
        Expr::Cast(cast) if is_interval(cast.field.data_type()) && is_span(&cast.expr.get_type(schema)?) => *cast.expr,
        other => other,
    };
    Ok(convert(vec![span], Conversion::Length))
}

/// Calls that compare their operands.
fn in_call(step: Expr, schema: &DFSchema) -> Result<Transformed<Expr>> {
    let Expr::ScalarFunction(call) = step else { return Ok(Transformed::no(step)) };
    let chooses = match call.func.name() {
        "nullif" => None,
        "greatest" => Some(Conversion::Greatest),
        "least" => Some(Conversion::Least),
        _ => return Ok(Transformed::no(Expr::ScalarFunction(call))),
    };
    for argument in &call.args {
        if !is_interval(&argument.get_type(schema)?) {
            return Ok(Transformed::no(Expr::ScalarFunction(call)));
        }
    }
    if let Some(conversion) = chooses {
        return Ok(Transformed::yes(convert(call.args, conversion)));
    }
    match equal_values::null_if(&call, schema, &Lengths)? {
        Some(chosen) => Ok(Transformed::yes(chosen)),
        None => Ok(Transformed::no(Expr::ScalarFunction(call))),
    }
}

/// The least or the greatest interval, as that of numbers in the order of lengths.
fn by_order(call: &mut Expr, input: &LogicalPlan) -> Result<Option<Back>> {
    let Some(("min" | "max", arguments)) = calls::aggregate(call) else { return Ok(None) };
    let [argument] = arguments.as_mut_slice() else { return Ok(None) };
    if !is_interval(&argument.get_type(input.schema())?) {
        return Ok(None);
    }
    *argument = number_of(std::mem::take(argument));
    Ok(Some(Box::new(of_number)))
}

fn convert(arguments: Vec<Expr>, conversion: Conversion) -> Expr {
    let signature = Signature::any(arguments.len(), Volatility::Immutable);
    ScalarUDF::new_from_impl(Convert { conversion, signature }).call(arguments)
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
enum Conversion {
    /// Of what lasts to its length in nanoseconds.
    Length,
    /// Of intervals to numbers in the order of their lengths, and of their months and days among those of one length.
    Order,
    /// Of such numbers to the intervals.
    Interval,
    /// Of intervals to the first of the longest that are not NULL.
    Greatest,
    /// Of intervals to the first of the shortest that are not NULL.
    Least,
    /// Of the length that a group has and the least such number of its rows to the interval; NULL where the length is, as in
    /// the rows of a grouping set without this key.
    Group { nullable: bool },
}

/// A conversion of intervals that never fails.
#[derive(Debug, PartialEq, Eq, Hash)]
struct Convert {
    conversion: Conversion,
    signature: Signature,
}

impl ScalarUDFImpl for Convert {
    fn name(&self) -> &str {
        match self.conversion {
            Conversion::Length => "interval_length",
            Conversion::Order => "interval_order",
            Conversion::Interval => "interval_of_order",
            Conversion::Greatest => "interval_greatest",
            Conversion::Least => "interval_least",
            Conversion::Group { .. } => "interval_of_group",
        }
    }

    fn signature(&self) -> &Signature {
        &self.signature
    }

    fn return_type(&self, _types: &[DataType]) -> Result<DataType> {
        Ok(match self.conversion {
            Conversion::Length => DataType::Decimal128(DECIMAL128_MAX_PRECISION, 0),
            Conversion::Order => DataType::Decimal256(DECIMAL256_MAX_PRECISION, 0),
            _ => DataType::Interval(IntervalUnit::MonthDayNano),
        })
    }

    fn return_field_from_args(&self, arguments: ReturnFieldArgs) -> Result<FieldRef> {
        let nullable = match self.conversion {
            Conversion::Group { nullable } => nullable,
            _ => arguments.arg_fields.iter().any(|field| field.is_nullable()),
        };
        Ok(Arc::new(Field::new(self.name(), self.return_type(&[])?, nullable)))
    }

    fn invoke_with_args(&self, call: ScalarFunctionArgs) -> Result<ColumnarValue> {
        let arrays = ColumnarValue::values_to_arrays(&call.args)?;
        let Some(converted) = self.converted(&arrays) else {
            let types: Vec<_> = arrays.iter().map(|array| array.data_type().to_string()).collect();
            return internal_err!("{} of {}", self.name(), types.join(", "));
        };
        as_called(&call.args, converted)
    }
}

impl Convert {
    fn converted(&self, arrays: &[ArrayRef]) -> Option<ArrayRef> {
        match (self.conversion, arrays) {
            (Conversion::Length, [spans]) => Some(Arc::new(lengths(spans)?)),
            (Conversion::Order, [intervals]) => {
                let intervals = intervals.as_primitive_opt::<IntervalMonthDayNanoType>()?;
                let numbers = intervals.unary::<_, Decimal256Type>(order);
                Some(Arc::new(numbers.with_data_type(DataType::Decimal256(DECIMAL256_MAX_PRECISION, 0))))
            }
            (Conversion::Interval, [numbers]) => Some(Arc::new(intervals(numbers)?)),
            (Conversion::Greatest, intervals) => Some(Arc::new(first(intervals, Ordering::Greater)?)),
            (Conversion::Least, intervals) => Some(Arc::new(first(intervals, Ordering::Less)?)),
            (Conversion::Group { .. }, [lengths, numbers]) => {
                let (_, intervals, nulls) = intervals(numbers)?.into_parts();
                let nulls = NullBuffer::union(nulls.as_ref(), lengths.nulls());
                Some(Arc::new(IntervalMonthDayNanoArray::new(intervals, nulls)))
            }
            _ => None,
        }
    }
}

fn intervals(numbers: &ArrayRef) -> Option<IntervalMonthDayNanoArray> {
    Some(numbers.as_primitive_opt::<Decimal256Type>()?.unary::<_, IntervalMonthDayNanoType>(interval_at))
}

/// Of each row the first interval than which no later one has a length of this order.
fn first(intervals: &[ArrayRef], order: Ordering) -> Option<IntervalMonthDayNanoArray> {
    let columns = intervals.iter().map(|column| column.as_primitive_opt::<IntervalMonthDayNanoType>());
    let columns = columns.collect::<Option<Vec<_>>>()?;
    let chosen = |row: usize| {
        let known = columns.iter().filter(|column| column.is_valid(row)).map(|column| column.value(row));
        known.reduce(
            |first, next| if interval_length(next).cmp(&interval_length(first)) == order { next } else { first },
        )
    };
    Some((0..columns.first()?.len()).map(chosen).collect())
}

/// The lengths of what lasts.
pub(super) fn lengths(spans: &ArrayRef) -> Option<Decimal128Array> {
    use DataType::{Duration, Interval, Null};
    let lengths: Decimal128Array = match spans.data_type() {
        Interval(IntervalUnit::MonthDayNano) => spans.as_primitive::<IntervalMonthDayNanoType>().unary(interval_length),
        Interval(IntervalUnit::DayTime) => spans.as_primitive::<IntervalDayTimeType>().unary(|span| {
            interval_length(IntervalMonthDayNano::new(0, span.days, 0)) + i128::from(span.milliseconds) * 1_000_000
        }),
        Interval(IntervalUnit::YearMonth) => spans
            .as_primitive::<IntervalYearMonthType>()
            .unary(|months| interval_length(IntervalMonthDayNano::new(months, 0, 0))),
        Duration(unit) => {
            let nanoseconds: i128 = match unit {
                TimeUnit::Second => 1_000_000_000,
                TimeUnit::Millisecond => 1_000_000,
                TimeUnit::Microsecond => 1_000,
                TimeUnit::Nanosecond => 1,
            };
            let counts = cast(spans, &DataType::Int64).ok()?;
            counts.as_primitive::<Int64Type>().unary(|count| i128::from(count) * nanoseconds)
        }
        Null => Decimal128Array::new_null(spans.len()),
        _ => return None,
    };
    Some(lengths.with_data_type(DataType::Decimal128(DECIMAL128_MAX_PRECISION, 0)))
}

/// An interval's place among all: its length above its months above its days, of 32 bits each.
fn order(interval: IntervalMonthDayNano) -> i256 {
    let length = interval_length(interval);
    let parts = (u128::from(place(interval.months)) << 32) | u128::from(place(interval.days));
    i256::from_parts((length.cast_unsigned() << 64) | parts, length >> 64)
}

fn interval_at(order: i256) -> IntervalMonthDayNano {
    let (low, high) = order.to_parts();
    let length = (high << 64) | (low >> 64).cast_signed();
    let (months, days) = (number_at((low >> 32) as u32), number_at(low as u32));
    let nanoseconds = length - i128::from(months) * NANOS_A_MONTH - i128::from(days) * NANOS_A_DAY;
    IntervalMonthDayNano::new(months, days, nanoseconds as i64)
}

/// A number's place among all of 32 bits.
fn place(number: i32) -> u32 {
    number.cast_unsigned() ^ (1 << 31)
}

fn number_at(place: u32) -> i32 {
    (place ^ (1 << 31)).cast_signed()
}

#[cfg(test)]
mod tests {
    use super::*;

    const HOUR: i64 = 3_600_000_000_000;

    #[test]
    fn orders_are_those_of_lengths_and_lead_back() {
        let ascending = [
            (i32::MIN, i32::MIN, i64::MIN),
            (-1, 0, 0),
            (0, -29, 0),
            (0, 0, -1),
            (-1, 30, 0),
            (0, 0, 0),
            (0, 0, 1),
            (0, 0, 24 * HOUR),
            (0, 1, 0),
            (0, 0, 25 * HOUR),
            (0, 30, 0),
            (1, 0, 0),
            (0, 0, 33 * 24 * HOUR),
            (2, -1, 0),
            (i32::MAX, i32::MAX, i64::MAX),
        ]
        .map(|(months, days, nanoseconds)| IntervalMonthDayNano::new(months, days, nanoseconds));
        for pair in ascending.windows(2) {
            assert!(order(pair[0]) < order(pair[1]), "{pair:?}");
            assert!(interval_length(pair[0]) <= interval_length(pair[1]), "{pair:?}");
        }
        for interval in ascending {
            assert_eq!(interval_at(order(interval)), interval);
        }
    }

    /// `SELECT greatest(a, b, c), least(a, b, c)` of PostgreSQL 15.
    #[test]
    fn the_first_of_equal_lengths_is_chosen() {
        let month = IntervalMonthDayNano::new(1, 0, 0);
        let days = IntervalMonthDayNano::new(0, 30, 0);
        let hour = IntervalMonthDayNano::new(0, 0, HOUR);
        let rows: [ArrayRef; 3] = [
            Arc::new(IntervalMonthDayNanoArray::from(vec![Some(days), None, None])),
            Arc::new(IntervalMonthDayNanoArray::from(vec![Some(month), Some(month), None])),
            Arc::new(IntervalMonthDayNanoArray::from(vec![Some(hour), Some(days), None])),
        ];
        let of = |order| first(&rows, order).map(|chosen| chosen.iter().collect::<Vec<_>>());
        assert_eq!(of(Ordering::Greater), Some(vec![Some(days), Some(month), None]));
        assert_eq!(of(Ordering::Less), Some(vec![Some(hour), Some(month), None]));
    }

    #[test]
    fn what_lasts_is_compared_by_its_length_beside_intervals() {
        let interval = DataType::Interval(IntervalUnit::MonthDayNano);
        let duration = DataType::Duration(TimeUnit::Microsecond);
        assert!(have_lengths(&[interval.clone(), interval.clone()]));
        assert!(have_lengths(&[duration.clone(), interval.clone()]));
        assert!(have_lengths(&[duration.clone(), DataType::Duration(TimeUnit::Second)]));
        assert!(have_lengths(&[interval.clone(), DataType::Null]));
        assert!(!have_lengths(&[duration.clone(), duration]));
        assert!(!have_lengths(&[interval, DataType::Utf8]));
        assert!(!have_lengths(&[DataType::Null, DataType::Null]));
    }
}
