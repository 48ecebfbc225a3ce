//! The texts that functions take and make, of each row or of all of them.

use std::sync::Arc;

use arrow::{
    array::{Array, ArrayRef, AsArray, LargeStringArray, StringArray, StringViewArray},
    compute::cast,
    datatypes::DataType,
};
use datafusion::{
    common::{Result, ScalarValue},
    logical_expr::ColumnarValue,
};

/// The texts of rows, or the one of all of them.
pub(super) enum Texts {
    One(Option<String>),
    Each(StringViewArray),
}

impl Texts {
    pub(super) fn of(argument: &ColumnarValue) -> Result<Self> {
        Ok(match argument {
            ColumnarValue::Scalar(text) => Self::One(text.try_as_str().flatten().map(str::to_owned)),
            ColumnarValue::Array(texts) => Self::Each(cast(texts, &DataType::Utf8View)?.as_string_view().clone()),
        })
    }

    pub(super) fn get(&self, row: usize) -> Option<&str> {
        match self {
            Self::One(text) => text.as_deref(),
            Self::Each(texts) => texts.is_valid(row).then(|| texts.value(row)),
        }
    }

    pub(super) fn are_ascii(&self) -> bool {
        match self {
            Self::One(text) => text.as_deref().is_none_or(str::is_ascii),
            Self::Each(texts) => texts.is_ascii(),
        }
    }
}

/// How many rows are computed: of constants there is one.
pub(super) fn rows(arguments: &[ColumnarValue], number_rows: usize) -> usize {
    if are_constant(arguments) { 1 } else { number_rows }
}

/// What was computed of so many rows: of constants it is one, too.
pub(super) fn result(arguments: &[ColumnarValue], computed: ArrayRef) -> Result<ColumnarValue> {
    Ok(match are_constant(arguments) {
        true => ColumnarValue::Scalar(ScalarValue::try_from_array(&computed, 0)?),
        false => ColumnarValue::Array(computed),
    })
}

fn are_constant(arguments: &[ColumnarValue]) -> bool {
    arguments.iter().all(|argument| matches!(argument, ColumnarValue::Scalar(_)))
}

/// Texts as values of a type of them.
pub(super) fn array<T: AsRef<str>>(texts: Vec<Option<T>>, data_type: &DataType) -> ArrayRef {
    let texts = texts.into_iter();
    match data_type {
        DataType::LargeUtf8 => Arc::new(texts.collect::<LargeStringArray>()),
        DataType::Utf8View => Arc::new(texts.collect::<StringViewArray>()),
        _ => Arc::new(texts.collect::<StringArray>()),
    }
}
