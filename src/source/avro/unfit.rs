//! Values that the type of their column cannot have, which is known when an array is made of them.

use arrow::{
    array::ArrayRef,
    datatypes::DataType,
    error::ArrowError,
    util::display::{ArrayFormatter, FormatOptions},
};

use super::super::{infer::type_name, lossless::unfit_row, text::shortened};

/// Why there is no array of the values that were read.
#[derive(Debug)]
pub(super) enum Unfit {
    /// The one of this row, from 0, is none of the type that holds all others.
    Value {
        row: usize,
        value: String,
        expected: String,
    },
    Other(ArrowError),
}

impl From<ArrowError> for Unfit {
    fn from(error: ArrowError) -> Self {
        Self::Other(error)
    }
}

impl Unfit {
    /// The same, of a column of which the value is a part.
    pub(super) fn at(self, row_of: impl FnOnce(usize) -> usize) -> Self {
        match self {
            Self::Value { row, value, expected } => Self::Value { row: row_of(row), value, expected },
            other => other,
        }
    }
}

/// The first of the values that is none of the type, if there is one; else the error.
pub(super) fn first_unfit(values: &ArrayRef, wanted: &DataType, error: ArrowError) -> Unfit {
    let Some((row, _)) = unfit_row(values, wanted, false) else { return Unfit::Other(error) };
    let shown = ArrayFormatter::try_new(values.as_ref(), &FormatOptions::default())
        .and_then(|formatter| formatter.value(row).try_to_string());
    match shown {
        Ok(value) => Unfit::Value { row, value: shortened(&value), expected: type_name(wanted) },
        Err(_) => Unfit::Other(error),
    }
}
