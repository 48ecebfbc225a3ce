//! What `percentile_cont`, `percentile_disc` and `mode` come to, of the values of a group that were collected in an array.
//!
//! `percentile_disc(0.5) WITHIN GROUP (ORDER BY x DESC)` is written as `percentile_disc_of(0.5, array_agg(x), true)` before it is
//! planned, so that the fraction is computed once a group and the array takes any type. Values that are NULL do not count. Where
//! values are not in the order of their form, as those of `jsonb`, the last argument has the keys that are.

use std::{cmp::Ordering, sync::Arc};

use arrow::{
    array::{
        Array, ArrayRef, AsArray, BooleanArray, DynComparator, Float64Array, IntervalMonthDayNanoArray, UInt64Array,
        new_null_array,
    },
    compute::take,
    datatypes::{Float64Type, IntervalMonthDayNano, IntervalMonthDayNanoType},
};

use crate::{
    fault::{Failure, Fault, Result},
    functions::{
        Call, Function, Overload,
        array::{Builder, Lists, comparing},
        time_operators::{added, less, stored, times},
    },
    pgtype::{ANYARRAY, ANYELEMENT, BOOL, BYTEA_ARRAY, FLOAT8, FLOAT8_ARRAY, INTERVAL, INTERVAL_ARRAY, Span},
};

pub(in crate::functions) static PERCENTILE_CONT_OF: Function = Function {
    name: "percentile_cont_of",
    purpose: "What `percentile_cont` comes to: where a fraction of the values lies, between two of them if need be",
    example: "percentile_cont_of(0.3, ARRAY[1, 2]::float8[], false)",
    shows: "1.3",
    overloads: &[
        Overload::new(&[FLOAT8, FLOAT8_ARRAY, BOOL], FLOAT8, number).called_on_null(),
        Overload::new(&[FLOAT8, INTERVAL_ARRAY, BOOL], INTERVAL, span).called_on_null(),
        Overload::new(&[FLOAT8_ARRAY, FLOAT8_ARRAY, BOOL], FLOAT8_ARRAY, numbers).called_on_null(),
        Overload::new(&[FLOAT8_ARRAY, INTERVAL_ARRAY, BOOL], INTERVAL_ARRAY, spans).called_on_null(),
    ],
};

pub(in crate::functions) static PERCENTILE_DISC_OF: Function = Function {
    name: "percentile_disc_of",
    purpose: "What `percentile_disc` comes to: the first value up to which there is a fraction of all",
    example: "percentile_disc_of(0.5, ARRAY['b', 'a', 'c'], false)",
    shows: "b",
    overloads: &[
        Overload::new(&[FLOAT8, ANYARRAY, BOOL], ANYELEMENT, value).called_on_null(),
        Overload::new(&[FLOAT8_ARRAY, ANYARRAY, BOOL], ANYARRAY, values).called_on_null(),
        Overload::new(&[FLOAT8, ANYARRAY, BOOL, BYTEA_ARRAY], ANYELEMENT, value).called_on_null(),
        Overload::new(&[FLOAT8_ARRAY, ANYARRAY, BOOL, BYTEA_ARRAY], ANYARRAY, values).called_on_null(),
    ],
};

pub(in crate::functions) static MODE_OF: Function = Function {
    name: "mode_of",
    purpose: "What `mode` comes to: the most frequent value, and of several the first",
    example: "mode_of(ARRAY[3, 1, 3, 2, 2], false)",
    shows: "2",
    overloads: &[
        Overload::new(&[ANYARRAY, BOOL], ANYELEMENT, mode),
        Overload::new(&[ANYARRAY, BOOL, BYTEA_ARRAY], ANYELEMENT, mode),
    ],
};

/// What `array_agg(DISTINCT x ORDER BY x)` is, where values are equal that are not the same.
pub(crate) static ONE_OF_EQUALS: Function = Function {
    name: "one_of_equals",
    purpose: "The array with one of the elements that are equal, in their order, the other way round, or with NULL at first",
    example: "one_of_equals(ARRAY['24:00:00', '1 day', '1 hour']::interval[], true, false)",
    shows: "{24:00:00,01:00:00}",
    overloads: &[
        Overload::new(&[ANYARRAY, BOOL, BOOL], ANYARRAY, one_of_equals),
        Overload::new(&[ANYARRAY, BOOL, BOOL, BYTEA_ARRAY], ANYARRAY, one_of_equals),
    ],
};

/// The values of groups.
struct Groups<'a> {
    lists: Lists,
    compare: DynComparator,
    descending: &'a BooleanArray,
}

impl<'a> Groups<'a> {
    /// Of the argument at a place, and of the one after it, which says the order.
    fn of(call: &Call<'a>, at: usize) -> Result<Self> {
        let lists = Lists::of(call.argument(at)?)?;
        if lists.is_nested() {
            return Err(Failure::new(Fault::FeatureNotSupported, "arrays WITHIN GROUP are not supported"));
        }
        let compare = by_keys(call, at + 2, &lists)?;
        Ok(Self { lists, compare, descending: call.booleans(at + 1)? })
    }

    /// The places of a group's values in their order; none where there are no values.
    fn places(&self, row: usize) -> Option<Vec<usize>> {
        let elements = self.lists.array(row)?.elements;
        let mut places: Vec<usize> = elements.filter(|place| self.lists.leaves.is_valid(*place)).collect();
        match self.descending.value(row) {
            false => places.sort_by(|one, other| (self.compare)(*one, *other)),
            true => places.sort_by(|one, other| (self.compare)(*other, *one)),
        }
        (!places.is_empty()).then_some(places)
    }
}

/// Compares the elements of arrays by their keys, which are elements of the argument at a place, if there is one.
fn by_keys(call: &Call<'_>, at: usize, lists: &Lists) -> Result<DynComparator> {
    let keys = if at < call.len() { Lists::of(call.argument(at)?)?.leaves } else { Arc::clone(&lists.leaves) };
    comparing(&keys, &keys)
}

/// The fraction, if it is one.
fn checked(fraction: f64) -> Result<f64> {
    match (0.0..=1.0).contains(&fraction) {
        true => Ok(fraction),
        false => {
            let message = format!("percentile value {fraction} is not between 0 and 1");
            Err(Failure::new(Fault::NumericOutOfRange, message))
        }
    }
}

/// The fraction of a row, before its values are looked at.
fn fraction(fractions: &Float64Array, row: usize) -> Result<Option<f64>> {
    fractions.is_valid(row).then(|| checked(fractions.value(row))).transpose()
}

/// What lies at a fraction of so many values, at least one: the places of the values before it and after it, and how far it is
/// from the one towards the other.
fn between(fraction: f64, count: usize) -> (usize, usize, f64) {
    let at = fraction * (count - 1) as f64;
    (at.floor() as usize, at.ceil() as usize, at - at.floor())
}

/// What has a fraction of so many values up to it, at least one.
fn up_to(fraction: f64, count: usize) -> usize {
    ((fraction * count as f64).ceil() as usize).clamp(1, count) - 1
}

/// What lies between values of these places.
type Between<T> = fn(&ArrayRef, usize, usize, f64) -> Result<Option<T>>;

fn between_numbers(values: &ArrayRef, low: usize, high: usize, share: f64) -> Result<Option<f64>> {
    let values = values.as_primitive::<Float64Type>();
    let (low, high) = (values.value(low), values.value(high));
    Ok(Some(if share == 0.0 { low } else { low + share * (high - low) }))
}

fn between_spans(values: &ArrayRef, low: usize, high: usize, share: f64) -> Result<Option<IntervalMonthDayNano>> {
    let values = values.as_primitive::<IntervalMonthDayNanoType>();
    let (low, high) = (values.value(low), values.value(high));
    if share == 0.0 {
        return Ok(Some(low));
    }
    let (low, high) = (Span::of(low), Span::of(high));
    stored(less(high, low).and_then(|distance| times(distance, share)).and_then(|part| added(low, part)))
}

/// What lies at the fraction of each row.
fn at_fraction<T>(call: &Call<'_>, between_values: Between<T>) -> Result<Vec<Option<T>>> {
    let (groups, fractions) = (Groups::of(call, 1)?, call.float8s(0)?);
    call.each(|row| {
        let Some(fraction) = fraction(fractions, row)? else { return Ok(None) };
        let Some(places) = groups.places(row) else { return Ok(None) };
        let (low, high, share) = between(fraction, places.len());
        between_values(&groups.lists.leaves, places[low], places[high], share)
    })
}

fn number(call: &Call<'_>) -> Result<ArrayRef> {
    Ok(Arc::new(at_fraction(call, between_numbers)?.into_iter().collect::<Float64Array>()))
}

fn span(call: &Call<'_>) -> Result<ArrayRef> {
    Ok(Arc::new(at_fraction(call, between_spans)?.into_iter().collect::<IntervalMonthDayNanoArray>()))
}

/// The fractions of each row, from the array of its own.
fn of_fractions(
    call: &Call<'_>,
    mut of_row: impl FnMut(&[usize], Option<f64>) -> Result<(usize, usize)>,
    builder: &mut Builder<'_>,
) -> Result<()> {
    let groups = Groups::of(call, 1)?;
    let fractions = Lists::of(call.argument(0)?)?;
    let numbers = fractions.leaves.as_primitive::<Float64Type>();
    for row in 0..call.rows() {
        let Some(asked) = fractions.array(row) else {
            builder.push_null();
            continue;
        };
        let wanted = asked.elements.map(|at| fraction(numbers, at)).collect::<Result<Vec<_>>>()?;
        match groups.places(row) {
            None => builder.push_null(),
            Some(places) => {
                let found = wanted.into_iter().map(|fraction| of_row(&places, fraction));
                builder.push(asked.dimensions, found.collect::<Result<Vec<_>>>()?)?;
            }
        }
    }
    Ok(())
}

/// What lies at each fraction of each row.
fn at_fractions<T>(
    call: &Call<'_>,
    between_values: Between<T>,
    column: fn(Vec<Option<T>>) -> ArrayRef,
) -> Result<ArrayRef> {
    let leaves = Lists::of(call.argument(1)?)?.leaves;
    let mut computed: Vec<Option<T>> = Vec::new();
    let mut builder = Builder::new(call.result());
    let of_row = |places: &[usize], fraction: Option<f64>| -> Result<(usize, usize)> {
        let value = match fraction {
            None => None,
            Some(fraction) => {
                let (low, high, share) = between(fraction, places.len());
                between_values(&leaves, places[low], places[high], share)?
            }
        };
        computed.push(value);
        Ok((0, computed.len() - 1))
    };
    of_fractions(call, of_row, &mut builder)?;
    builder.finish(&[&column(computed)])
}

fn numbers(call: &Call<'_>) -> Result<ArrayRef> {
    at_fractions(call, between_numbers, |values| Arc::new(Float64Array::from(values)))
}

fn spans(call: &Call<'_>) -> Result<ArrayRef> {
    at_fractions(call, between_spans, |values| Arc::new(IntervalMonthDayNanoArray::from(values)))
}

/// The values at these places.
fn picked(values: &ArrayRef, places: Vec<Option<usize>>) -> Result<ArrayRef> {
    let places = places.into_iter().map(|place| place.and_then(|place| u64::try_from(place).ok()));
    let places: UInt64Array = places.collect();
    take(values, &places, None).map_err(|error| Failure::new(Fault::Internal, error.to_string()))
}

fn value(call: &Call<'_>) -> Result<ArrayRef> {
    let (groups, fractions) = (Groups::of(call, 1)?, call.float8s(0)?);
    let places = call.each(|row| {
        let Some(fraction) = fraction(fractions, row)? else { return Ok(None) };
        Ok(groups.places(row).map(|places| places[up_to(fraction, places.len())]))
    })?;
    picked(&groups.lists.leaves, places)
}

fn values(call: &Call<'_>) -> Result<ArrayRef> {
    let leaves = Lists::of(call.argument(1)?)?.leaves;
    let mut builder = Builder::new(call.result());
    let of_row = |places: &[usize], fraction: Option<f64>| -> Result<(usize, usize)> {
        Ok(fraction.map_or((1, 0), |fraction| (0, places[up_to(fraction, places.len())])))
    };
    of_fractions(call, of_row, &mut builder)?;
    builder.finish(&[&leaves, &new_null_array(leaves.data_type(), 1)])
}

fn mode(call: &Call<'_>) -> Result<ArrayRef> {
    let groups = Groups::of(call, 0)?;
    let is_equal = |one: &usize, other: &usize| (groups.compare)(*one, *other) == Ordering::Equal;
    let places = call.each(|row| {
        let places = groups.places(row).unwrap_or_default();
        let mut most: Option<(usize, usize)> = None;
        for equal in places.chunk_by(is_equal) {
            if let Some(first) = equal.first()
                && most.is_none_or(|(count, _)| equal.len() > count)
            {
                most = Some((equal.len(), *first));
            }
        }
        Ok(most.map(|(_, place)| place))
    })?;
    picked(&groups.lists.leaves, places)
}

fn one_of_equals(call: &Call<'_>) -> Result<ArrayRef> {
    let lists = Lists::of(call.argument(0)?)?;
    let compare = by_keys(call, 3, &lists)?;
    let (descending, nulls_first) = (call.booleans(1)?, call.booleans(2)?);
    let mut builder = Builder::new(call.result());
    for row in 0..call.rows() {
        let Some(array) = lists.array(row) else {
            builder.push_null();
            continue;
        };
        let order = |one: &usize, other: &usize| {
            let nulls = lists.leaves.is_null(*one).cmp(&lists.leaves.is_null(*other));
            let nulls = if nulls_first.value(row) { nulls.reverse() } else { nulls };
            let values = if descending.value(row) { compare(*other, *one) } else { compare(*one, *other) };
            nulls.then(values)
        };
        let mut places: Vec<usize> = array.elements.collect();
        places.sort_by(order);
        places.dedup_by(|one, other| order(one, other).is_eq());
        builder.push(vec![places.len()], places.into_iter().map(|place| (0, place)))?;
    }
    builder.finish(&[&lists.leaves])
}
