//! Sums and averages of floats and intervals. A sum of reals is a real, and each step of it is rounded to one.

use std::sync::Arc;

use arrow::{
    array::{
        ArrayRef, ArrowPrimitiveType, AsArray, Decimal128Array, Float32Array, Float64Array, Int64Array,
        IntervalMonthDayNanoArray, PrimitiveArray,
    },
    datatypes::{
        DECIMAL128_MAX_PRECISION, DataType, Decimal128Type, Float32Type, Float64Type, Int64Type,
        IntervalMonthDayNanoType,
    },
};
use datafusion::common::{Result, internal_err};

use super::states::State;
use crate::{
    fault::{self, Failure, Fault},
    functions::time_operators::{divided, stored},
    pgtype::Span,
};

/// A column of arguments or of what is kept.
pub(super) fn column<T: ArrowPrimitiveType>(columns: &[ArrayRef], at: usize) -> Result<&PrimitiveArray<T>> {
    match columns.get(at).and_then(|column| column.as_primitive_opt::<T>()) {
        Some(column) => Ok(column),
        None => internal_err!("the column {at} of an aggregate is not of the type {}", T::DATA_TYPE),
    }
}

/// What is told where floats come to more than one holds.
pub(super) fn overflow() -> Failure {
    Failure::new(Fault::NumericOutOfRange, "value out of range: overflow")
}

/// A sum of doubles, and of how many.
#[derive(Debug, Clone, Copy, Default)]
pub(super) struct DoubleSum {
    count: i64,
    sum: f64,
}

impl State for DoubleSum {
    type Columns<'a> = &'a Float64Array;

    const RETRACTS: bool = false;

    fn columns(arguments: &[ArrayRef]) -> Result<Self::Columns<'_>> {
        column::<Float64Type>(arguments, 0)
    }

    fn add(&mut self, columns: &Self::Columns<'_>, row: usize) -> Result<()> {
        self.merge(&Self { count: 1, sum: columns.value(row) })
    }

    fn merge(&mut self, other: &Self) -> Result<()> {
        // Of -0 alone it is -0.
        let sum = match (self.count, other.count) {
            (_, 0) => return Ok(()),
            (0, _) => other.sum,
            _ => self.sum + other.sum,
        };
        if sum.is_infinite() && !self.sum.is_infinite() && !other.sum.is_infinite() {
            return Err(overflow().into());
        }
        *self = Self { count: self.count + other.count, sum };
        Ok(())
    }

    fn fields() -> Vec<(&'static str, DataType)> {
        vec![("count", DataType::Int64), ("sum", DataType::Float64)]
    }

    fn save(states: &[Self]) -> Vec<ArrayRef> {
        vec![
            Arc::new(Int64Array::from_iter_values(states.iter().map(|state| state.count))),
            Arc::new(Float64Array::from_iter_values(states.iter().map(|state| state.sum))),
        ]
    }

    fn load(columns: &[ArrayRef]) -> Result<Vec<Self>> {
        let (counts, sums) = (column::<Int64Type>(columns, 0)?, column::<Float64Type>(columns, 1)?);
        Ok(counts.values().iter().zip(sums.values()).map(|(count, sum)| Self { count: *count, sum: *sum }).collect())
    }
}

pub(super) fn double_sums(states: &[DoubleSum], _result: &DataType) -> Result<ArrayRef> {
    Ok(Arc::new(states.iter().map(|state| (state.count > 0).then_some(state.sum)).collect::<Float64Array>()))
}

pub(super) fn double_averages(states: &[DoubleSum], _result: &DataType) -> Result<ArrayRef> {
    // The average of -0 is 0.
    let average = |state: &DoubleSum| (state.count > 0).then(|| (state.sum + 0.0) / state.count as f64);
    Ok(Arc::new(states.iter().map(average).collect::<Float64Array>()))
}

/// A sum of reals.
#[derive(Debug, Clone, Copy, Default)]
pub(super) struct RealSum(Option<f32>);

impl State for RealSum {
    type Columns<'a> = &'a Float32Array;

    const RETRACTS: bool = false;

    fn columns(arguments: &[ArrayRef]) -> Result<Self::Columns<'_>> {
        column::<Float32Type>(arguments, 0)
    }

    fn add(&mut self, columns: &Self::Columns<'_>, row: usize) -> Result<()> {
        self.merge(&Self(Some(columns.value(row))))
    }

    fn merge(&mut self, other: &Self) -> Result<()> {
        let (Some(sum), Some(more)) = (self.0, other.0) else {
            self.0 = self.0.or(other.0);
            return Ok(());
        };
        let together = sum + more;
        if together.is_infinite() && !sum.is_infinite() && !more.is_infinite() {
            return Err(overflow().into());
        }
        self.0 = Some(together);
        Ok(())
    }

    fn fields() -> Vec<(&'static str, DataType)> {
        vec![("sum", DataType::Float32)]
    }

    fn save(states: &[Self]) -> Vec<ArrayRef> {
        vec![Arc::new(states.iter().map(|state| state.0).collect::<Float32Array>())]
    }

    fn load(columns: &[ArrayRef]) -> Result<Vec<Self>> {
        Ok(column::<Float32Type>(columns, 0)?.iter().map(Self).collect())
    }
}

pub(super) fn real_sums(states: &[RealSum], _result: &DataType) -> Result<ArrayRef> {
    Ok(Arc::new(states.iter().map(|state| state.0).collect::<Float32Array>()))
}

/// A sum of intervals, part by part, and of how many. It has room for those of all rows that there can be.
#[derive(Debug, Clone, Copy, Default)]
pub(super) struct SpanSum {
    count: i64,
    months: i64,
    days: i64,
    micros: i128,
}

impl SpanSum {
    fn of(span: Span) -> Self {
        Self { count: 1, months: span.months.into(), days: span.days.into(), micros: span.micros.into() }
    }

    fn span(&self) -> Option<Span> {
        Some(Span {
            months: self.months.try_into().ok()?,
            days: self.days.try_into().ok()?,
            micros: self.micros.try_into().ok()?,
        })
    }
}

impl State for SpanSum {
    type Columns<'a> = &'a IntervalMonthDayNanoArray;

    const RETRACTS: bool = true;

    fn columns(arguments: &[ArrayRef]) -> Result<Self::Columns<'_>> {
        column::<IntervalMonthDayNanoType>(arguments, 0)
    }

    fn add(&mut self, columns: &Self::Columns<'_>, row: usize) -> Result<()> {
        self.merge(&Self::of(Span::of(columns.value(row))))
    }

    fn remove(&mut self, columns: &Self::Columns<'_>, row: usize) -> Result<()> {
        let Self { count, months, days, micros } = Self::of(Span::of(columns.value(row)));
        self.merge(&Self { count: -count, months: -months, days: -days, micros: -micros })
    }

    fn merge(&mut self, other: &Self) -> Result<()> {
        self.count += other.count;
        self.months += other.months;
        self.days += other.days;
        self.micros += other.micros;
        Ok(())
    }

    fn fields() -> Vec<(&'static str, DataType)> {
        vec![
            ("count", DataType::Int64),
            ("months", DataType::Int64),
            ("days", DataType::Int64),
            ("micros", DataType::Decimal128(DECIMAL128_MAX_PRECISION, 0)),
        ]
    }

    fn save(states: &[Self]) -> Vec<ArrayRef> {
        let whole =
            |part: fn(&Self) -> i64| -> ArrayRef { Arc::new(Int64Array::from_iter_values(states.iter().map(part))) };
        let micros = Decimal128Array::from_iter_values(states.iter().map(|state| state.micros));
        let micros = micros.with_data_type(DataType::Decimal128(DECIMAL128_MAX_PRECISION, 0));
        vec![whole(|state| state.count), whole(|state| state.months), whole(|state| state.days), Arc::new(micros)]
    }

    fn load(columns: &[ArrayRef]) -> Result<Vec<Self>> {
        let whole = |at: usize| column::<Int64Type>(columns, at);
        let (counts, months, days) = (whole(0)?, whole(1)?, whole(2)?);
        let micros = column::<Decimal128Type>(columns, 3)?;
        let state = |row: usize| Self {
            count: counts.value(row),
            months: months.value(row),
            days: days.value(row),
            micros: micros.value(row),
        };
        Ok((0..counts.values().len()).map(state).collect())
    }
}

pub(super) fn span_sums(states: &[SpanSum], _result: &DataType) -> Result<ArrayRef> {
    spans(states, SpanSum::span)
}

pub(super) fn span_averages(states: &[SpanSum], _result: &DataType) -> Result<ArrayRef> {
    spans(states, |state| divided(state.span()?, state.count as f64))
}

fn spans(states: &[SpanSum], span: impl Fn(&SpanSum) -> Option<Span>) -> Result<ArrayRef> {
    let value = |state: &SpanSum| match state.count {
        0 => Ok(None),
        _ => stored(span(state)),
    };
    let intervals = states.iter().map(value).collect::<fault::Result<IntervalMonthDayNanoArray>>()?;
    Ok(Arc::new(intervals))
}
