//! A managed table as the catalog holds it: its columns, its files in the order of insertion, and what is known of both.
//!
//! What nothing fills yet is left out where it is written, and what was written without it is read.

use std::{collections::BTreeMap, sync::Arc};

use arrow_schema::{Field, Schema};
use serde::{Deserialize, Serialize};

use super::persistent::{List, list};
use crate::pgtype;

/// A table whose files are under the data directory.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ManagedTable {
    /// The columns, as the files have them.
    pub schema: Schema,
    /// The columns as they were declared, in the order of `schema`.
    #[serde(default)]
    pub columns: Vec<Column>,
    /// The number of the column that is added next; none is given out twice.
    #[serde(default)]
    pub next_column: u32,
    /// The number of the row that is added next; none is given out twice.
    #[serde(default)]
    pub next_row: u64,
    /// The files that hold the rows, in insertion order.
    #[serde(with = "list")]
    pub files: List<TableFile>,
    /// Tells its rows from those that it had before: whoever puts files together keeps it.
    #[serde(skip)]
    pub(super) generation: Generation,
}

/// What two states of a table share whose rows are the same.
#[derive(Debug, Clone, Default)]
pub(super) struct Generation(Arc<()>);

impl Generation {
    pub(super) fn is(&self, other: &Self) -> bool {
        Arc::ptr_eq(&self.0, &other.0)
    }
}

/// A table is what it holds, however it came to that.
impl PartialEq for Generation {
    fn eq(&self, _other: &Self) -> bool {
        true
    }
}

/// A column as it was declared.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Column {
    /// What tells it from every other column that the table has or had, from 1 on, whatever it is called.
    pub number: u32,
    /// The number of its PostgreSQL type.
    pub type_oid: u32,
    /// The modifier of that type: precision and scale of a numeric, the length of a text that has one, else -1.
    pub modifier: i32,
    /// Whether it was declared NOT NULL.
    #[serde(default, skip_serializing_if = "is_false")]
    pub not_null: bool,
    /// The expression that it gets where a row has no value for it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub default: Option<String>,
}

/// One sealed file of a managed table.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct TableFile {
    /// The path relative to the data directory, with `/` between its parts.
    pub path: String,
    /// The length in bytes.
    pub size_bytes: u64,
    /// The SHA-256 of the content, in lower-case hexadecimal.
    pub sha256: String,
    /// The rows it holds.
    pub rows: u64,
    /// The number of its first row; those after it count on. None until a table has the file.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub first_row: Option<u64>,
    /// What is known of the values of its columns, by their numbers.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub statistics: BTreeMap<u32, ColumnStatistics>,
    /// The rows of it that are no longer the table's.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub deleted: Option<DeletedRows>,
}

/// What is known of the values of a column in a file; what is not known is left out.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ColumnStatistics {
    /// A value that none is less than, as PostgreSQL prints it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub min: Option<String>,
    /// A value that none is greater than, as PostgreSQL prints it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub max: Option<String>,
    /// How many rows have NULL.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub nulls: Option<u64>,
}

/// A file that says which rows of another file are deleted.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct DeletedRows {
    /// The path relative to the data directory, with `/` between its parts.
    pub path: String,
    /// The length in bytes.
    pub size_bytes: u64,
    /// The SHA-256 of the content, in lower-case hexadecimal.
    pub sha256: String,
    /// How many rows are deleted.
    pub rows: u64,
}

impl ManagedTable {
    /// A new table with these columns, and with files that hold its first rows.
    pub fn new(schema: Schema, files: Vec<TableFile>) -> Self {
        let columns: Vec<Column> =
            schema.fields().iter().zip(1..).map(|(field, number)| Column::new(number, field)).collect();
        let next_column = columns.last().map_or(1, |column| column.number + 1);
        let (files_before, generation) = (List::new_sync(), Generation::default());
        let mut table = Self { schema, columns, next_column, next_row: 0, files: files_before, generation };
        let files = table.numbered(&files);
        table.add(&files);
        table
    }

    /// The files with the numbers that their rows get in this table; those that have some keep them.
    pub(super) fn numbered(&self, files: &[TableFile]) -> Vec<TableFile> {
        let mut next = self.next_row;
        let number = |file: &TableFile| {
            let first_row = file.first_row.unwrap_or(next);
            next = next.max(first_row.saturating_add(file.rows));
            TableFile { first_row: Some(first_row), ..file.clone() }
        };
        files.iter().map(number).collect()
    }

    /// Adds files whose rows have numbers.
    pub(super) fn add(&mut self, files: &[TableFile]) {
        for file in files {
            let end = file.first_row.unwrap_or(self.next_row).saturating_add(file.rows);
            self.next_row = self.next_row.max(end);
            self.files.push_back_mut(file.clone());
        }
        self.generation = Generation::default();
    }

    /// Has these files and none of those that it had.
    pub(super) fn set(&mut self, files: &[TableFile]) {
        self.files = List::new_sync();
        self.add(files);
    }

    /// Whether these files follow one another in it.
    pub(super) fn has_in_a_row(&self, paths: &[String]) -> bool {
        self.place_of(paths).is_some()
    }

    /// Puts files in the place of some that follow one another and have the same rows; false where it does not have those.
    pub(super) fn merge(&mut self, paths: &[String], files: &[TableFile]) -> bool {
        let Some(at) = self.place_of(paths) else { return false };
        let (before, after) = (self.files.iter().take(at), self.files.iter().skip(at + paths.len()));
        self.files = before.chain(files).chain(after).cloned().collect();
        true
    }

    fn place_of(&self, paths: &[String]) -> Option<usize> {
        let first = paths.first()?;
        let at = self.files.iter().position(|file| file.path == *first)?;
        self.files.iter().skip(at).take(paths.len()).map(|file| &file.path).eq(paths).then_some(at)
    }

    /// The paths, relative to the data directory, of the files that it lives in.
    pub(super) fn paths(&self) -> impl Iterator<Item = &str> {
        self.files.iter().flat_map(|file| {
            let deleted = file.deleted.as_ref().map(|deleted| deleted.path.as_str());
            std::iter::once(file.path.as_str()).chain(deleted)
        })
    }
}

impl Column {
    fn new(number: u32, field: &Field) -> Self {
        let kind = pgtype::of_field(field);
        let not_null = !field.is_nullable();
        Self { number, type_oid: kind.pg.oid, modifier: kind.modifier, not_null, default: None }
    }
}

impl TableFile {
    /// A file of which no more is known than what it holds.
    pub fn new(path: impl Into<String>, size_bytes: u64, sha256: impl Into<String>, rows: u64) -> Self {
        let (path, sha256) = (path.into(), sha256.into());
        Self { path, size_bytes, sha256, rows, first_row: None, statistics: BTreeMap::new(), deleted: None }
    }
}

fn is_false(value: &bool) -> bool {
    !value
}
