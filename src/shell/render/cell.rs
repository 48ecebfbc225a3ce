//! One value as text: the same in columns and with one value a line, safe for a screen, and as wide as the screen draws
//! it. CSV and JSON, which programs read, have the texts of `print`.

use std::borrow::Cow;

use arrow::{
    array::{Array, ArrayRef, RecordBatch, StringArray},
    datatypes::DataType,
    error::ArrowError,
    util::display::{ArrayFormatter, FormatOptions},
};
use unicode_width::{UnicodeWidthChar, UnicodeWidthStr};

use crate::{
    pgtype,
    print::{self, Form},
};

/// What stands where text was cut.
pub(super) const ELLIPSIS: char = '…';

/// How numbers and booleans are written: `true` is easier to read than PostgreSQL's `t`, and `1.0` shows a float.
const OPTIONS: FormatOptions<'static> = FormatOptions::new().with_display_error(false).with_null("NULL");

/// The text of every value of a batch.
pub(super) struct Cells<'a> {
    columns: Vec<Column<'a>>,
}

enum Column<'a> {
    /// As clients of the network get it, with all digits.
    Printed(StringArray),
    Formatted(&'a dyn Array, ArrayFormatter<'a>),
}

impl<'a> Cells<'a> {
    /// Looks at a batch.
    pub(super) fn new(batch: &'a RecordBatch) -> Result<Self, ArrowError> {
        let form = shell_form(batch);
        let columns = batch.columns().iter().map(|array| Column::new(array, form));
        Ok(Self { columns: columns.collect::<Result<_, ArrowError>>()? })
    }

    /// The text of a value; none for NULL.
    pub(super) fn text(&self, row: usize, column: usize) -> Result<Option<String>, ArrowError> {
        match self.columns.get(column) {
            Some(Column::Printed(texts)) if texts.is_valid(row) => Ok(Some(texts.value(row).to_owned())),
            // A column of the type null has no bitmap to ask.
            Some(Column::Formatted(array, formatter))
                if !array.is_null(row) && array.data_type() != &DataType::Null =>
            {
                formatter.value(row).try_to_string().map(Some)
            }
            _ => Ok(None),
        }
    }
}

impl<'a> Column<'a> {
    fn new(array: &'a ArrayRef, form: Form) -> Result<Self, ArrowError> {
        let data_type = pgtype::canonical(array.data_type());
        let printed = match data_type.is_temporal() || data_type.is_nested() {
            true => print::texts(array, form),
            false => return Self::formatted(array),
        };
        match printed {
            Ok(texts) => Ok(Self::Printed(texts)),
            // Some nested types are no JSON.
            Err(_) if data_type.is_nested() => Self::formatted(array),
            Err(error) => Err(ArrowError::from_external_error(Box::new(error))),
        }
    }

    fn formatted(array: &'a ArrayRef) -> Result<Self, ArrowError> {
        Ok(Self::Formatted(array.as_ref(), ArrayFormatter::try_new(array.as_ref(), &OPTIONS)?))
    }
}

/// How a batch's dates and times are shown: with all their digits, instants in the session's zone.
pub(super) fn shell_form(batch: &RecordBatch) -> Form {
    let schema = batch.schema();
    Form { zone: Some(print::zone_of(&schema)), styles: pgtype::Styles::of_rows(&schema), ..Form::default() }
}

/// Whether values of the type are read from their right end.
pub(super) fn is_number(data_type: &DataType) -> bool {
    match data_type {
        DataType::Dictionary(_, values) => is_number(values),
        data_type => data_type.is_numeric(),
    }
}

/// Columns of the screen that the text takes.
pub(crate) fn width(text: &str) -> usize {
    text.width()
}

/// The text with everything that would move the cursor or command the terminal written out; newlines stay.
pub(crate) fn printable(text: &str) -> Cow<'_, str> {
    let harmless = |character: char| character == '\n' || !is_command(character);
    if text.chars().all(harmless) {
        return Cow::Borrowed(text);
    }
    let mut safe = String::with_capacity(text.len() + 8);
    for character in text.chars() {
        match character {
            '\t' => safe.push_str("    "),
            '\r' => safe.push_str("\\r"),
            character if harmless(character) => safe.push(character),
            character => safe.extend(character.escape_unicode()),
        }
    }
    Cow::Owned(safe)
}

/// Controls, and the marks that turn the direction of writing around.
fn is_command(character: char) -> bool {
    character.is_control() || matches!(character, '\u{202a}'..='\u{202e}' | '\u{2066}'..='\u{2069}')
}

/// The text cut to a width, with an ellipsis where it was cut.
pub(crate) fn fit(text: &str, most: usize) -> Cow<'_, str> {
    // A byte is at least as long as it is wide, so short text needs no measuring.
    if text.len() <= most || width(text) <= most {
        return Cow::Borrowed(text);
    }
    let mut cut = String::new();
    let mut taken = 0;
    for character in text.chars() {
        let next = character.width().unwrap_or(0);
        if taken + next > most.saturating_sub(1) {
            break;
        }
        taken += next;
        cut.push(character);
    }
    cut.push(ELLIPSIS);
    Cow::Owned(cut)
}
