//! The aggregates beside PostgreSQL's, and in parts.

use std::sync::Arc;

use arrow::{
    array::{
        Array, ArrayRef, AsArray, Decimal128Array, Float32Array, Float64Array, Int64Array, IntervalMonthDayNanoArray,
    },
    datatypes::{DataType, Float64Type, IntervalMonthDayNano},
};
use datafusion::{
    common::{Result, ScalarValue},
    logical_expr::{Accumulator, EmitTo, GroupsAccumulator},
};

use super::{
    distinct::Distinct,
    moments::{self, *},
    states::{Finish, Framed, Grouped, Single, State},
    sums::{SpanSum, double_averages, double_sums, real_sums, span_averages, span_sums},
    variance::{self, spread_of},
};

const ANSWERS: &str = include_str!("answers.txt");

fn single<S: State>(finish: Finish<S>, result: &DataType, arguments: &[ArrayRef]) -> Result<ScalarValue> {
    let mut accumulator = Single::new(finish, result.clone());
    accumulator.update_batch(arguments)?;
    accumulator.evaluate()
}

/// What groups of partitions, whose states are put together, come to.
fn grouped<S: State>(finish: Finish<S>, result: &DataType, arguments: &[ArrayRef], groups: &[usize]) -> ArrayRef {
    let count = groups.iter().max().map_or(0, |most| most + 1);
    let mut whole = Grouped::new(finish, result.clone());
    let half = groups.len() / 2;
    for (start, end) in [(0, half), (half, groups.len())] {
        let part: Vec<ArrayRef> = arguments.iter().map(|values| values.slice(start, end - start)).collect();
        let mut partial = Grouped::new(finish, result.clone());
        partial.update_batch(&part, &groups[start..end], None, count).unwrap();
        let states = partial.state(EmitTo::All).unwrap();
        whole.merge_batch(&states, &(0..count).collect::<Vec<_>>(), count).unwrap();
    }
    whole.evaluate(EmitTo::All).unwrap()
}

fn shown(value: &ScalarValue) -> String {
    let text = match value {
        value if value.is_null() => return "NULL".to_owned(),
        ScalarValue::Float64(Some(number)) => return format!("{number:?}"),
        ScalarValue::Decimal128(Some(digits), _, scale) => pointed(&digits.to_string(), *scale),
        ScalarValue::Decimal256(Some(digits), _, scale) => pointed(&digits.to_string(), *scale),
        other => panic!("{other} was not expected"),
    };
    without_zeros(&text)
}

fn pointed(digits: &str, scale: i8) -> String {
    let scale = usize::try_from(scale).unwrap();
    let padded = format!("{digits:0>width$}", width = scale + 1);
    let (whole, places) = padded.split_at(padded.len() - scale);
    format!("{whole}.{places}")
}

fn without_zeros(number: &str) -> String {
    match number.contains('.') {
        true => number.trim_end_matches('0').trim_end_matches('.').to_owned(),
        false => number.to_owned(),
    }
}

fn doubles(words: &[&str]) -> ArrayRef {
    Arc::new(words.iter().map(|word| word.parse::<f64>().unwrap()).collect::<Float64Array>())
}

fn numerics(words: &[&str], precision: u8, scale: i8) -> ArrayRef {
    let digits = words.iter().map(|word| word.replace('.', "").parse::<i128>().unwrap());
    let digits = Decimal128Array::from_iter_values(digits);
    Arc::new(digits.with_data_type(DataType::Decimal128(precision, scale)))
}

fn spreads(column: &ArrayRef) -> Vec<String> {
    let arguments = [Arc::clone(column)];
    let (variance, root) = (spread_of(column.data_type(), false), spread_of(column.data_type(), true));
    let all = [
        single(variance::var_pop, &variance, &arguments),
        single(variance::var_samp, &variance, &arguments),
        single(variance::stddev_pop, &root, &arguments),
        single(variance::stddev_samp, &root, &arguments),
    ];
    all.into_iter().map(|value| shown(&value.unwrap())).collect()
}

#[test]
fn statistics_are_those_of_postgresql() {
    let mut seen = 0;
    for line in ANSWERS.lines().filter(|line| !line.starts_with('#')) {
        let parts: Vec<&str> = line.split('|').collect();
        let [kind, values, expected] = parts.as_slice() else { panic!("{line}") };
        let words: Vec<&str> = values.split(' ').collect();
        let double = DataType::Float64;
        let found: Vec<String> = match *kind {
            "int8" => {
                let integers: Int64Array = words.iter().map(|word| word.parse::<i64>().unwrap()).collect();
                let integers: ArrayRef = Arc::new(integers);
                spreads(&integers)
            }
            "numeric(20,4)" => spreads(&numerics(&words, 20, 4)),
            "numeric(30,12)" => spreads(&numerics(&words, 30, 12)),
            "float8" => {
                let arguments = [doubles(&words)];
                let all = [
                    single(moments::var_pop, &double, &arguments),
                    single(moments::var_samp, &double, &arguments),
                    single(moments::stddev_pop, &double, &arguments),
                    single(moments::stddev_samp, &double, &arguments),
                    single(double_sums, &double, &arguments),
                    single(double_averages, &double, &arguments),
                ];
                all.into_iter().map(|value| shown(&value.unwrap())).collect()
            }
            "pairs" => {
                let of = |at: usize| doubles(&words.iter().skip(at).step_by(2).copied().collect::<Vec<_>>());
                let arguments = [of(0), of(1)];
                let all: [Finish<Pairs>; 11] = [
                    covar_pop,
                    covar_samp,
                    corr,
                    regr_slope,
                    regr_intercept,
                    regr_r2,
                    regr_avgx,
                    regr_avgy,
                    regr_sxx,
                    regr_syy,
                    regr_sxy,
                ];
                all.into_iter().map(|finish| shown(&single(finish, &double, &arguments).unwrap())).collect()
            }
            "float4" => {
                let reals = words.iter().map(|word| word.parse::<f32>().unwrap()).collect::<Float32Array>();
                match single(real_sums, &DataType::Float32, &[Arc::new(reals)]).unwrap() {
                    ScalarValue::Float32(Some(sum)) => {
                        assert_eq!(sum, expected.parse::<f32>().unwrap(), "{line}");
                        seen += 1;
                        continue;
                    }
                    other => panic!("{other} is no sum of reals"),
                }
            }
            other => panic!("{other} is no type of these"),
        };
        let is_float = matches!(*kind, "float8" | "pairs");
        let expected: Vec<String> = expected
            .split(' ')
            .map(|word| match is_float && word != "NULL" {
                true => format!("{:?}", word.parse::<f64>().unwrap()),
                false => without_zeros(word),
            })
            .collect();
        assert_eq!(found, expected, "{line}");
        seen += 1;
    }
    assert_eq!(seen, 33);
}

#[test]
fn what_is_exact_is_the_same_in_parts() {
    let values: ArrayRef = Arc::new(Int64Array::from(vec![Some(7), None, Some(-3), Some(7), Some(100), Some(-3)]));
    let groups = [0, 0, 1, 0, 1, 2];
    let result = spread_of(values.data_type(), false);
    let found = grouped(variance::var_samp, &result, &[Arc::clone(&values)], &groups);
    // SELECT g, var_samp(v) … GROUP BY g
    let texts: Vec<String> = (0..3).map(|group| shown(&ScalarValue::try_from_array(&found, group).unwrap())).collect();
    assert_eq!(texts, ["0", "5304.5", "NULL"]);
    let counted = grouped(regr_count, &DataType::Int64, &[doubles(&["1", "2"]), doubles(&["3", "4"])], &[0, 0]);
    assert_eq!(counted.as_ref(), &Int64Array::from(vec![2]) as &dyn Array);
}

#[test]
fn what_leaves_a_frame_leaves_no_trace() {
    let numbers: ArrayRef = Arc::new(Float64Array::from(vec![1e17, 1.5, f64::NAN, 2.25]));
    let mut frame = Framed::new(double_sums, DataType::Float64);
    frame.update_batch(&[numbers.slice(0, 3)]).unwrap();
    assert!(matches!(frame.evaluate().unwrap(), ScalarValue::Float64(Some(sum)) if sum.is_nan()));
    frame.update_batch(&[numbers.slice(3, 1)]).unwrap();
    frame.retract_batch(&[numbers.slice(0, 3)]).unwrap();
    assert_eq!(frame.evaluate().unwrap(), ScalarValue::Float64(Some(2.25)));
    let mut exact = Single::new(variance::var_pop, spread_of(&DataType::Int64, false));
    let integers: ArrayRef = Arc::new(Int64Array::from(vec![i64::MAX, 1, 3]));
    exact.update_batch(&[Arc::clone(&integers)]).unwrap();
    exact.retract_batch(&[integers.slice(0, 1)]).unwrap();
    assert_eq!(shown(&exact.evaluate().unwrap()), "1");
}

#[test]
fn sums_that_no_float_holds_are_refused() {
    let doubles: ArrayRef = Arc::new(Float64Array::from(vec![1e308, 1e308]));
    assert!(single(double_sums, &DataType::Float64, &[Arc::clone(&doubles)]).is_err());
    assert!(single(moments::var_pop, &DataType::Float64, &[doubles]).is_err());
    let infinite: ArrayRef = Arc::new(Float64Array::from(vec![f64::INFINITY, 1e308, 1e308]));
    assert_eq!(
        single(double_sums, &DataType::Float64, &[infinite]).unwrap(),
        ScalarValue::Float64(Some(f64::INFINITY))
    );
    let reals: ArrayRef = Arc::new(Float32Array::from(vec![3e38, 3e38]));
    assert!(single(real_sums, &DataType::Float32, &[reals]).is_err());
}

/// As PostgreSQL 15 has them.
#[test]
fn intervals_are_added_part_by_part() {
    let hour = 3_600_000_000_000;
    let interval = IntervalMonthDayNano::new;
    let spans: ArrayRef = Arc::new(IntervalMonthDayNanoArray::from(vec![
        Some(interval(0, 1, 0)),
        None,
        Some(interval(0, 0, 25 * hour)),
        Some(interval(1, 0, 0)),
    ]));
    let of =
        |finish: Finish<SpanSum>, values: &ArrayRef| single(finish, values.data_type(), &[Arc::clone(values)]).unwrap();
    let some = |span| ScalarValue::IntervalMonthDayNano(Some(span));
    assert_eq!(of(span_sums, &spans), some(interval(1, 1, 25 * hour)));
    assert_eq!(of(span_averages, &spans), some(interval(0, 10, 16 * hour + hour / 3)));
    assert_eq!(of(span_sums, &spans.slice(0, 0)), ScalarValue::IntervalMonthDayNano(None));
    // One of those that are equally long.
    let equal: ArrayRef = Arc::new(IntervalMonthDayNanoArray::from(vec![
        interval(0, 1, 0),
        interval(0, 0, 24 * hour),
        interval(0, 0, hour),
    ]));
    let mut distinct = Distinct::new(equal.data_type().clone(), span_sums, equal.data_type().clone());
    distinct.update_batch(&[Arc::clone(&equal)]).unwrap();
    distinct.update_batch(&[equal]).unwrap();
    assert_eq!(distinct.evaluate().unwrap(), some(interval(0, 1, hour)));
    let state = distinct.state().unwrap();
    let mut merged = Distinct::new(state_type(&state), span_sums, state_type(&state));
    merged.merge_batch(&[state[0].to_array().unwrap()]).unwrap();
    assert_eq!(merged.evaluate().unwrap(), some(interval(0, 1, hour)));
}

fn state_type(state: &[ScalarValue]) -> DataType {
    match state[0].data_type() {
        DataType::List(field) => field.data_type().clone(),
        other => panic!("{other} is no list"),
    }
}

#[test]
fn zero_keeps_its_sign() {
    let zero = [doubles(&["-0"])];
    let bits = |value: ScalarValue| value.to_array().unwrap().as_primitive::<Float64Type>().value(0).to_bits();
    assert_eq!(bits(single(double_sums, &DataType::Float64, &zero).unwrap()), (-0.0_f64).to_bits());
    assert_eq!(bits(single(double_averages, &DataType::Float64, &zero).unwrap()), 0.0_f64.to_bits());
}
