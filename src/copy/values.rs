//! Values of rows, gathered by column until they are worth a batch, and then read together.

use std::sync::Arc;

use arrow::{
    array::{Array, ArrayRef, StringViewBuilder},
    datatypes::{Field, FieldRef},
};
use datafusion::common::ScalarValue;

use super::fields::no_text;
use crate::{
    Error, Fault, Result,
    pgtype::{self, ColumnType, InSession, PgType, Unreadable},
    planning::{stored_texts, stored_values},
};

/// The values of a column that wait to be read.
#[derive(Debug)]
pub(super) enum Cells {
    Texts(StringViewBuilder),
    /// Those of the binary format that are no texts, which are read at once.
    Values(Vec<Option<ScalarValue>>),
}

/// The same, all of which are there.
#[derive(Debug)]
pub(super) enum Gathered {
    Texts(ArrayRef),
    Values(Vec<Option<ScalarValue>>),
}

impl Cells {
    /// Of a column of texts, or of any column in a format of texts.
    pub(super) fn new(column: &Field, is_binary: bool) -> Self {
        match is_binary && !column.data_type().is_string() {
            true => Self::Values(Vec::new()),
            false => Self::Texts(StringViewBuilder::new()),
        }
    }

    /// Adds a text.
    pub(super) fn push(&mut self, text: Option<&str>) {
        match self {
            Self::Texts(texts) => texts.append_option(text),
            Self::Values(values) => values.push(text.map(|text| ScalarValue::Utf8(Some(text.to_owned())))),
        }
    }

    /// Adds a value in binary form.
    pub(super) fn push_packed(&mut self, bytes: Option<&[u8]>, column: &Field) -> Result<()> {
        let value = bytes.map(|bytes| packed(bytes, column)).transpose()?;
        match self {
            Self::Texts(texts) => texts.append_option(value.as_ref().and_then(|value| value.try_as_str().flatten())),
            Self::Values(values) => values.push(value),
        }
        Ok(())
    }

    /// All that was added, up to this row.
    pub(super) fn gather(&mut self, rows: usize) -> Gathered {
        match self {
            Self::Texts(texts) => {
                let texts = texts.finish();
                Gathered::Texts(Arc::new(texts.slice(0, rows.min(texts.len()))))
            }
            Self::Values(values) => {
                values.truncate(rows);
                Gathered::Values(std::mem::take(values))
            }
        }
    }
}

impl Gathered {
    pub(super) fn len(&self) -> usize {
        match self {
            Self::Texts(texts) => texts.len(),
            Self::Values(values) => values.len(),
        }
    }

    /// The values as those of the column.
    pub(super) fn read(&self, column: &FieldRef, session: InSession<'_>) -> Result<ArrayRef> {
        Ok(match self {
            Self::Texts(texts) => stored_texts(texts, column, session)?,
            Self::Values(values) => stored_values(values.clone(), column)?,
        })
    }

    /// The value of one row alone.
    pub(super) fn at(&self, row: usize) -> Self {
        match self {
            Self::Texts(texts) => Self::Texts(texts.slice(row, 1)),
            Self::Values(values) => Self::Values(values.iter().skip(row).take(1).cloned().collect()),
        }
    }

    /// The text of one row; none if it has none.
    pub(super) fn text(&self, row: usize) -> Option<String> {
        let Self::Texts(texts) = self else { return None };
        ScalarValue::try_from_array(texts, row).ok()?.try_as_str().flatten().map(str::to_owned)
    }
}

/// A value in binary form.
fn packed(bytes: &[u8], column: &Field) -> Result<ScalarValue> {
    let ColumnType { pg, .. } = pgtype::of_field(column);
    pgtype::read_binary(pg, bytes, column.data_type()).map_err(|why| unreadable(why, bytes, pg))
}

fn unreadable(why: Unreadable, bytes: &[u8], pg: &'static PgType) -> Error {
    match why {
        Unreadable::Encoding(_) => {
            let zero = bytes.iter().position(|byte| *byte == 0);
            let valid = std::str::from_utf8(bytes).err().map(|error| error.valid_up_to());
            let from = [zero, valid].into_iter().flatten().min().unwrap_or_default();
            Error::new(Fault::InvalidCharacter, no_text(&bytes[from..]))
        }
        Unreadable::Binary => match usize::try_from(pg.length) {
            Ok(length) if bytes.len() < length => {
                Error::new(Fault::ProtocolViolation, "insufficient data left in message")
            }
            _ => Error::new(Fault::InvalidBinary, "incorrect binary data format"),
        },
        Unreadable::OutOfRange(pg) => {
            let is_number = pg.category == pgtype::NUMERIC.category;
            let fault = if is_number { Fault::NumericOutOfRange } else { Fault::DatetimeOutOfRange };
            Error::new(fault, format!("{} out of range", pg.word(None)))
        }
        Unreadable::Text(text) | Unreadable::Array(text) => {
            Error::new(Fault::InvalidText, format!("invalid input syntax for type {}: \"{text}\"", pg.word(None)))
        }
        _ => {
            let message = format!("values of type {} are not read in this form; copy text", pg.word(None));
            Error::new(Fault::FeatureNotSupported, message)
        }
    }
}
