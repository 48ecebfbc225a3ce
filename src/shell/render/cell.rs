//! One value as text: the same in tables and CSV, safe for a screen, and as wide as the screen draws it.

use std::borrow::Cow;

use arrow::{
    array::{Array, RecordBatch},
    datatypes::DataType,
    error::ArrowError,
    util::display::{ArrayFormatter, FormatOptions},
};
use unicode_width::{UnicodeWidthChar, UnicodeWidthStr};

/// What stands where text was cut.
pub(super) const ELLIPSIS: char = '…';

/// How values are written: dates and times as PostgreSQL writes them.
const OPTIONS: FormatOptions<'static> = FormatOptions::new()
    .with_display_error(false)
    .with_null("NULL")
    .with_timestamp_format(Some("%Y-%m-%d %H:%M:%S%.f"))
    .with_timestamp_tz_format(Some("%Y-%m-%d %H:%M:%S%.f%:z"))
    .with_datetime_format(Some("%Y-%m-%d %H:%M:%S%.f"));

/// The text of every value of a batch.
pub(super) struct Cells<'a> {
    columns: Vec<(&'a dyn Array, ArrayFormatter<'a>)>,
}

impl<'a> Cells<'a> {
    /// Looks at a batch.
    pub(super) fn new(batch: &'a RecordBatch) -> Result<Self, ArrowError> {
        let columns = batch.columns().iter();
        let columns = columns.map(|array| Ok((array.as_ref(), ArrayFormatter::try_new(array.as_ref(), &OPTIONS)?)));
        Ok(Self { columns: columns.collect::<Result<_, ArrowError>>()? })
    }

    /// The text of a value; none for NULL.
    pub(super) fn text(&self, row: usize, column: usize) -> Result<Option<String>, ArrowError> {
        match self.columns.get(column) {
            // A column of the type null has no bitmap to ask.
            Some((array, formatter)) if !array.is_null(row) && array.data_type() != &DataType::Null => {
                formatter.value(row).try_to_string().map(Some)
            }
            _ => Ok(None),
        }
    }
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
