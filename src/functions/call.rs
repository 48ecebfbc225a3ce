//! A call of an overload over the rows of a batch.

use std::sync::Arc;

use arrow::{
    array::{
        Array, ArrayRef, AsArray, BinaryArray, BooleanArray, Date32Array, FixedSizeBinaryArray, Float32Array,
        Float64Array, Int16Array, Int32Array, Int64Array, IntervalMonthDayNanoArray, StringViewArray,
        Time64MicrosecondArray, TimestampMicrosecondArray,
    },
    buffer::NullBuffer,
    datatypes::{
        DataType, Date32Type, Float32Type, Float64Type, Int16Type, Int32Type, Int64Type, IntervalMonthDayNano,
        IntervalMonthDayNanoType, Time64MicrosecondType, TimeUnit, TimestampMicrosecondType,
    },
};
use datafusion::common::config::ConfigOptions;

use crate::{
    fault::{Failure, Fault, Result},
    interrupt::{step, steps},
    pgtype::{self, Styles, ZONED_TIME, ZonedTime},
    print::zoned_time,
};

/// The values of the arguments, each in the form of its type in the overload.
pub(crate) struct Call<'a> {
    pub(super) arguments: &'a [ArrayRef],
    pub(super) rows: usize,
    pub(super) strict: bool,
    pub(super) result: &'a DataType,
    pub(super) options: &'a ConfigOptions,
}

/// Makes an accessor of an argument's values for each line.
macro_rules! values {
    ($($(#[$doc:meta])* $name:ident $array:ty, $as:ident $(::<$arrow:ty>)?;)*) => {
        $(
            $(#[$doc])*
            pub(crate) fn $name(&self, at: usize) -> Result<&'a $array> {
                let argument = self.argument(at)?;
                argument.$as$(::<$arrow>)?().ok_or_else(|| wrong_form(at, argument.data_type()))
            }
        )*
    };
}

/// Makes a builder of an array of what is computed of each row for each line.
macro_rules! results {
    ($($(#[$doc:meta])* $name:ident $value:ty, $array:ty;)*) => {
        $(
            $(#[$doc])*
            pub(crate) fn $name(&self, of_row: impl FnMut(usize) -> Result<Option<$value>>) -> Result<ArrayRef> {
                Ok(Arc::new(self.each(of_row)?.into_iter().collect::<$array>()))
            }
        )*
    };
}

impl<'a> Call<'a> {
    /// How many rows there are.
    pub(crate) fn rows(&self) -> usize {
        self.rows
    }

    /// How many arguments it was called with.
    pub(crate) fn len(&self) -> usize {
        self.arguments.len()
    }

    /// The type that was promised of the values.
    pub(crate) fn result(&self) -> &'a DataType {
        self.result
    }

    /// The times of an argument on the clocks of zones.
    pub(crate) fn zoned_times(&self, at: usize) -> Result<ZonedTimes<'a>> {
        let argument = self.argument(at)?;
        let values = argument.as_fixed_size_binary_opt().filter(|_| *argument.data_type() == ZONED_TIME);
        values.map(ZonedTimes).ok_or_else(|| wrong_form(at, argument.data_type()))
    }

    /// The name of the session's time zone.
    pub(crate) fn zone(&self) -> &'a str {
        self.options.execution.time_zone.as_deref().unwrap_or("UTC")
    }

    /// The styles of the session's dates and intervals.
    pub(crate) fn styles(&self) -> Styles {
        Styles::of(self.options)
    }

    /// The values of an argument as they are.
    pub(crate) fn argument(&self, at: usize) -> Result<&'a ArrayRef> {
        self.arguments
            .get(at)
            .ok_or_else(|| Failure::new(Fault::Internal, format!("the argument {} is missing", at + 1)))
    }

    /// Whether an argument is NULL in a row.
    pub(crate) fn is_null(&self, at: usize, row: usize) -> bool {
        self.arguments.get(at).is_none_or(|argument| argument.is_null(row))
    }

    values! {
        booleans BooleanArray, as_boolean_opt;
        int2s Int16Array, as_primitive_opt::<Int16Type>;
        int4s Int32Array, as_primitive_opt::<Int32Type>;
        int8s Int64Array, as_primitive_opt::<Int64Type>;
        float4s Float32Array, as_primitive_opt::<Float32Type>;
        float8s Float64Array, as_primitive_opt::<Float64Type>;
        texts StringViewArray, as_string_view_opt;
        bytes BinaryArray, as_binary_opt::<i32>;
        /// Days since 1970.
        dates Date32Array, as_primitive_opt::<Date32Type>;
        /// Microseconds since midnight.
        times Time64MicrosecondArray, as_primitive_opt::<Time64MicrosecondType>;
        /// Microseconds since 1970, on some clock or in UTC.
        timestamps TimestampMicrosecondArray, as_primitive_opt::<TimestampMicrosecondType>;
        intervals IntervalMonthDayNanoArray, as_primitive_opt::<IntervalMonthDayNanoType>;
    }

    /// What is computed of each row; of a strict overload, of those alone where no argument is NULL.
    pub(crate) fn each<T>(&self, mut of_row: impl FnMut(usize) -> Result<Option<T>>) -> Result<Vec<Option<T>>> {
        let nulls = self.arguments.iter().filter(|_| self.strict).map(Array::nulls);
        let nulls = NullBuffer::union_many(nulls);
        let value = |row: usize| {
            step()?;
            if nulls.as_ref().is_some_and(|nulls| nulls.is_null(row)) { Ok(None) } else { of_row(row) }
        };
        (0..self.rows).map(value).collect()
    }

    results! {
        boolean_of bool, BooleanArray;
        int2_of i16, Int16Array;
        int4_of i32, Int32Array;
        int8_of i64, Int64Array;
        float4_of f32, Float32Array;
        float8_of f64, Float64Array;
        /// Days since 1970.
        date_of i32, Date32Array;
        /// Microseconds since midnight.
        time_of i64, Time64MicrosecondArray;
        interval_of IntervalMonthDayNano, IntervalMonthDayNanoArray;
    }

    /// Texts, of which a batch has so many bytes at most.
    pub(crate) fn text_of(&self, mut of_row: impl FnMut(usize) -> Result<Option<String>>) -> Result<ArrayRef> {
        let mut room = Room::default();
        let mut taken = |text: String| {
            steps(text.len() / BYTES_OF_STEP)?;
            room.take(text.len()).map(|()| text)
        };
        let texts = self.each(|row| of_row(row)?.map(&mut taken).transpose())?;
        Ok(Arc::new(texts.into_iter().collect::<StringViewArray>()))
    }

    /// The same of bytes.
    pub(crate) fn bytes_of(&self, mut of_row: impl FnMut(usize) -> Result<Option<Vec<u8>>>) -> Result<ArrayRef> {
        let mut room = Room::default();
        let mut taken = |bytes: Vec<u8>| {
            steps(bytes.len() / BYTES_OF_STEP)?;
            room.take(bytes.len()).map(|()| bytes)
        };
        let values = self.each(|row| of_row(row)?.map(&mut taken).transpose())?;
        Ok(Arc::new(values.into_iter().collect::<BinaryArray>()))
    }

    /// Times on the clocks of zones.
    pub(crate) fn zoned_time_of(&self, of_row: impl FnMut(usize) -> Result<Option<ZonedTime>>) -> Result<ArrayRef> {
        let values = self.each(of_row)?.into_iter().map(|time| time.map(ZonedTime::bytes));
        let values = FixedSizeBinaryArray::try_from_sparse_iter_with_size(values, ZonedTime::BYTES);
        Ok(Arc::new(values.map_err(|error| Failure::new(Fault::Internal, error.to_string()))?))
    }

    /// Microseconds since 1970, with a zone where that was promised.
    pub(crate) fn timestamp_of(&self, of_row: impl FnMut(usize) -> Result<Option<i64>>) -> Result<ArrayRef> {
        let values: TimestampMicrosecondArray = self.each(of_row)?.into_iter().collect();
        let zone = match self.result {
            DataType::Timestamp(_, zone) => zone.clone(),
            _ => None,
        };
        Ok(Arc::new(values.with_timezone_opt(zone)))
    }
}

/// A count as an integer, if it is one.
pub(super) fn counted(count: usize) -> Result<Option<i32>> {
    let out_of_range = |_| Failure::new(Fault::NumericOutOfRange, "integer out of range");
    i32::try_from(count).map(Some).map_err(out_of_range)
}

/// The first argument, for whoever makes nothing else of it.
pub(super) fn same(call: &Call<'_>) -> Result<ArrayRef> {
    let argument = call.argument(0)?;
    match (argument.as_primitive_opt::<TimestampMicrosecondType>(), call.result()) {
        // The zone that Arrow has with instants may be another than was promised; it says nothing of them.
        (Some(moments), promised @ DataType::Timestamp(TimeUnit::Microsecond, _)) => {
            Ok(Arc::new(moments.clone().with_data_type(promised.clone())))
        }
        _ => Ok(Arc::clone(argument)),
    }
}

/// Times on the clocks of zones, a row each.
pub(crate) struct ZonedTimes<'a>(&'a FixedSizeBinaryArray);

impl ZonedTimes<'_> {
    /// The time in a row, which is not NULL.
    pub(crate) fn value(&self, row: usize) -> Result<ZonedTime> {
        zoned_time(self.0.value(row))
    }
}

/// What is left of the bytes that the values of a batch may take.
pub(crate) struct Room(usize);

impl Default for Room {
    fn default() -> Self {
        Self(MAX_BATCH_BYTES)
    }
}

impl Room {
    /// Takes so many bytes.
    pub(crate) fn take(&mut self, bytes: usize) -> Result<()> {
        match self.0.checked_sub(bytes) {
            Some(left) => self.0 = left,
            None => return Err(Failure::new(Fault::LimitExceeded, "requested length too large")),
        }
        Ok(())
    }
}

/// As many bytes of a value are made in a step.
pub(crate) const BYTES_OF_STEP: usize = 256;

/// As many bytes are made of a batch at most.
const MAX_BATCH_BYTES: usize = 1 << 30;

fn wrong_form(at: usize, found: &DataType) -> Failure {
    let found = pgtype::type_name(found);
    Failure::new(Fault::Internal, format!("the argument {} is of the type {found}, which was not asked for", at + 1))
}
