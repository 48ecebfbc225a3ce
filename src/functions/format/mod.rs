//! Templates: values written as a text says, and read so.
//!
//! Dates, times and intervals have a [`template`], numbers a [`picture`]; both are [`node`]s, read once for all rows that have
//! the same. What writes and reads knows texts and numbers alone; `to_char.rs` and what is named so fetch them from the rows.

mod dated;
mod decimal;
mod names;
mod node;
mod picture;
mod read_number;
mod read_time;
mod template;
mod to_char;
mod to_date;
mod to_number;
mod write_number;
mod write_time;

use super::Function;
use crate::fault::Result;

pub(super) const ROOM: &[&Function] =
    &[&to_char::TO_CHAR, &to_date::TO_DATE, &to_date::TO_TIMESTAMP, &to_number::TO_NUMBER];

/// The template that was read last, which most rows have in common.
struct Last<T> {
    parse: fn(&str) -> Result<T>,
    parsed: Option<(String, T)>,
}

impl<T> Last<T> {
    fn new(parse: fn(&str) -> Result<T>) -> Self {
        Self { parse, parsed: None }
    }

    /// The same read again, where it is another.
    fn of(&mut self, template: &str) -> Result<&T> {
        let kept = match self.parsed.take().filter(|(text, _)| text == template) {
            Some(kept) => kept,
            None => (template.to_owned(), (self.parse)(template)?),
        };
        Ok(&self.parsed.insert(kept).1)
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests;
