//! What made a column's type what it is: an example of its values, and the value that forced the type.
//!
//! Files are looked at in parts and by several threads; each part notes the values that changed what was known of a column
//! there, which are few, and the notes are read in the order of the parts.

use arrow::datatypes::DataType;

use super::{bytes::Input, text::shortened};

/// A value that changed what a part of a file knew of a column.
#[derive(Debug, Clone)]
pub(super) struct Event<T> {
    /// What was known with it.
    pub(super) known: T,
    /// Where its row begins.
    pub(super) offset: u64,
    pub(super) value: String,
}

/// Where a value stands.
#[derive(Debug, Clone)]
pub(super) enum Place {
    /// In the row of a text that begins at this byte.
    Row { input: Input, offset: u64 },
    /// In a file, or on a row of it that the text names.
    File(String),
}

/// What is told of a column.
#[derive(Debug, Clone, Default)]
pub(super) struct Told {
    /// Its first value.
    pub(super) example: Option<String>,
    /// The value, or the type, that made its own another one than those before had, and where it stands.
    pub(super) forced: Option<(String, Place)>,
}

impl Told {
    /// Reads the notes of a part. `kind` says which type a knowledge amounts to, none where nothing was seen.
    pub(super) fn hear<T>(
        &mut self,
        all: &mut T,
        events: Vec<Event<T>>,
        input: &Input,
        merge: impl Fn(&mut T, T),
        kind: impl Fn(&T) -> Option<DataType>,
    ) {
        for Event { known, offset, value } in events {
            let before = kind(all);
            merge(all, known);
            let value = shortened(&value);
            if before.is_some() && before != kind(all) {
                self.forced = Some((value.clone(), Place::Row { input: input.clone(), offset }));
            }
            self.example.get_or_insert(value);
        }
    }
}
