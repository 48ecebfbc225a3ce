//! How results look: a table, one value a line, CSV or JSON, each written while the rows arrive.
//!
//! It knows nothing of sessions and statements; it is given a schema and batches and writes text.

mod cell;
mod delimited;
mod expanded;
mod json;
mod layout;
mod table;

use std::io::{self, Write};

use arrow::{array::RecordBatch, datatypes::SchemaRef, error::ArrowError};

pub(super) use cell::{fit, printable, width};
use delimited::Delimited;
use expanded::Expanded;
use json::Json;
use table::Table;

/// The forms of a result.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, clap::ValueEnum)]
pub enum Format {
    /// Columns that fit the screen.
    #[default]
    Table,
    /// Comma-separated values with a header; NULL is empty, the empty text is `""`.
    Csv,
    /// One JSON array a statement, one object a row.
    Json,
}

/// How results are shown.
#[derive(Debug, Clone, Copy)]
pub(super) struct Style {
    /// The form.
    pub(super) format: Format,
    /// One value a line instead of columns.
    pub(super) expanded: bool,
    /// The width of the screen; none: no screen, nothing is cut.
    pub(super) screen_width: Option<usize>,
    /// Rows that are shown; none: all.
    pub(super) rows_max: Option<u64>,
    /// Whether the screen understands colours.
    pub(super) colour: bool,
}

/// Whether more rows are wanted.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Flow {
    More,
    Enough,
}

/// Why a result could not be written.
#[derive(Debug)]
pub(super) enum RenderError {
    /// The reader of the output is gone or the disk is full.
    Output(io::Error),
    /// A value has no text.
    Value(ArrowError),
}

impl From<io::Error> for RenderError {
    fn from(error: io::Error) -> Self {
        Self::Output(error)
    }
}

impl From<ArrowError> for RenderError {
    fn from(error: ArrowError) -> Self {
        match error {
            ArrowError::IoError(_, error) => Self::Output(error),
            error => Self::Value(error),
        }
    }
}

/// Writes one result.
pub(super) enum Renderer {
    Table(Table),
    Expanded(Expanded),
    Csv(Delimited),
    Json(Json),
}

impl Renderer {
    /// A renderer for a result of these columns.
    pub(super) fn new(schema: SchemaRef, style: &Style) -> Self {
        match style.format {
            Format::Csv => Self::Csv(Delimited::new(schema)),
            Format::Json => Self::Json(Json::new()),
            Format::Table if style.expanded => Self::Expanded(Expanded::new(schema, style)),
            // A plan is a drawing; columns would cut it.
            Format::Table if is_plan(&schema) => Self::Expanded(Expanded::plan(schema, style)),
            Format::Table => Self::Table(Table::new(schema, style)),
        }
    }

    /// Writes the rows of a batch, or keeps them until the widths of the columns are known.
    pub(super) fn write(&mut self, batch: &RecordBatch, out: &mut dyn Write) -> Result<Flow, RenderError> {
        match self {
            Self::Table(table) => table.write(batch, out),
            Self::Expanded(expanded) => expanded.write(batch, out),
            Self::Csv(delimited) => delimited.write(batch, out).map(|()| Flow::More),
            Self::Json(json) => json.write(batch, out).map(|()| Flow::More),
        }
    }

    /// Writes what is left and the line that counts the rows.
    pub(super) fn finish(self, out: &mut dyn Write) -> Result<(), RenderError> {
        match self {
            Self::Table(table) => table.finish(out),
            Self::Expanded(expanded) => expanded.finish(out),
            Self::Csv(delimited) => delimited.finish(out),
            Self::Json(json) => json.finish(out),
        }
    }
}

/// The line under a result.
fn count_line(rows: u64, cut: bool, remark: &str) -> String {
    let rows = match (rows, cut) {
        (rows, true) => format!("first {rows} rows, more follow: add LIMIT, or start with --set max_rows_displayed=0"),
        (1, false) => "1 row".to_owned(),
        (rows, false) => format!("{rows} rows"),
    };
    format!("({rows}{remark})")
}

fn is_plan(schema: &SchemaRef) -> bool {
    schema.fields().len() == 1 && schema.field(0).name() == "QUERY PLAN"
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests;
