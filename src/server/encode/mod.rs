//! Batches to DataRow messages.
//!
//! Each column gets one writer a batch, which knows the column's type; a row is a loop over the writers into one buffer,
//! without an allocation a value.

use std::{ops::Range, sync::Arc};

use arrow::array::{Array, ArrayRef, RecordBatch};
use arrow::buffer::NullBuffer;
use arrow::compute::{CastOptions, cast_with_options};
use arrow::datatypes::{Field, FieldRef, Schema};
use bytes::{BufMut, BytesMut};
use pgwire::messages::data::{FORMAT_CODE_BINARY, FieldDescription, MESSAGE_TYPE_BYTE_DATA_ROW, RowDescription};

use super::failure::clean;
pub(super) use crate::pgtype::Zone;
use crate::{
    Error, Fault, Result,
    pgtype::{self, ColumnType, Styles, TEXT},
    print::{self, Form, MAX_BYTES, Writer, patch_length, write_sized},
};

/// PostgreSQL's limit on the columns of a result.
const MAX_COLUMNS: usize = 1664;

/// The columns of a result as the client sees them.
#[derive(Debug, Clone)]
pub(super) struct Layout {
    columns: Vec<Column>,
    /// Of the session's dates and intervals.
    styles: Styles,
}

#[derive(Debug, Clone)]
struct Column {
    shown: ColumnType,
    /// The column's name, and the type that batches are cast to.
    field: FieldRef,
    format: i16,
    /// Whether values of another type are written as text; text is the same in both formats.
    as_text: bool,
}

struct ColumnWriter<'a> {
    nulls: Option<NullBuffer>,
    write: Writer<'a>,
}

impl Layout {
    /// The layout of a schema. `formats` is as in Bind: none (all text), one for all, or one a column.
    pub(super) fn new(schema: &Schema, formats: &[i16]) -> Result<Self> {
        let count = schema.fields().len();
        if count > MAX_COLUMNS {
            let message = format!("the result has {count} columns, at most {MAX_COLUMNS} can be sent; select fewer");
            return Err(Error::new(Fault::LimitExceeded, message));
        }
        if formats.len() > 1 && formats.len() != count {
            let message = format!("bind message has {} result formats but query has {count} columns", formats.len());
            return Err(Error::new(Fault::ProtocolViolation, message));
        }
        let columns = schema.fields().iter().enumerate().map(|(index, field)| Column {
            shown: pgtype::of_field(field),
            field: Arc::new(Field::new(clean(field.name()), pgtype::sent_as(field.data_type()), true)),
            format: formats.get(if formats.len() == 1 { 0 } else { index }).copied().unwrap_or_default(),
            as_text: false,
        });
        Ok(Self { columns: columns.collect(), styles: Styles::of_rows(schema) })
    }

    /// The layout of rows whose columns were described to the client before they ran. Where the two differ in type, what
    /// was described holds, because the client reads by it.
    pub(super) fn described(described: &Schema, actual: &Schema, formats: &[i16]) -> Result<Self> {
        let (mut layout, ran) = (Self::new(described, formats)?, Self::new(actual, formats)?);
        if layout.columns.len() != ran.columns.len() {
            let message = format!(
                "the statement was described with {} columns and now returns {}; prepare it again",
                layout.columns.len(),
                ran.columns.len()
            );
            return Err(Error::new(Fault::FeatureNotSupported, message));
        }
        layout.styles = ran.styles;
        for (column, ran) in layout.columns.iter_mut().zip(ran.columns) {
            // Anything can be shown as text, and by PostgreSQL's rules rather than by a cast's: a column of no known type,
            // as in SELECT $1, is described as text.
            column.as_text = column.shown.pg.oid == TEXT.oid && ran.shown.pg.oid != TEXT.oid;
            let are_texts = column.field.data_type().is_string() && ran.field.data_type().is_string();
            if column.as_text || are_texts || column.shown.pg.oid == ran.shown.pg.oid {
                column.field = Arc::new(column.field.as_ref().clone().with_data_type(ran.field.data_type().clone()));
            }
        }
        Ok(layout)
    }

    /// How the columns are announced.
    pub(super) fn row_description(&self) -> RowDescription {
        let fields = self.columns.iter().map(|column| {
            let ColumnType { pg, modifier } = column.shown;
            FieldDescription::new(column.field.name().clone(), 0, 0, pg.oid, pg.length, modifier, column.format)
        });
        RowDescription::new(fields.collect())
    }

    /// The batch's columns in the types that the writers know.
    pub(super) fn conform(&self, batch: &RecordBatch) -> Result<Vec<ArrayRef>> {
        if batch.num_columns() != self.columns.len() {
            let message = format!("a batch has {} columns, {} were announced", batch.num_columns(), self.columns.len());
            return Err(Error::new(Fault::Internal, message));
        }
        batch.columns().iter().zip(&self.columns).map(|(array, column)| column.conform(array)).collect()
    }

    /// Appends rows as DataRow messages until `soft_limit` bytes wait; returns how many rows that were.
    pub(super) fn write_rows(
        &self,
        out: &mut BytesMut,
        arrays: &[ArrayRef],
        rows: Range<usize>,
        zone: Zone,
        soft_limit: usize,
    ) -> Result<usize> {
        let mut writers = self.writers(arrays, zone)?;
        let (first, count) = (rows.start, rows.len());
        for row in rows {
            if row > first && out.len() >= soft_limit {
                return Ok(row - first);
            }
            write_row(out, &mut writers, row)?;
        }
        Ok(count)
    }

    fn writers<'a>(&'a self, arrays: &'a [ArrayRef], zone: Zone) -> Result<Vec<ColumnWriter<'a>>> {
        let columns = arrays.iter().zip(&self.columns).map(|(array, column)| {
            let is_binary = column.format == FORMAT_CODE_BINARY && !column.as_text;
            let write = match print::told_writer(array.as_ref(), column.shown, is_binary)? {
                Some(write) => write,
                None if is_binary => print::binary_writer(array.as_ref(), &column.field)?,
                None => {
                    let form = Form { zone: Some(zone), in_micros: true, is_json: false, styles: self.styles };
                    print::writer(array.as_ref(), &column.field, form)?
                }
            };
            Ok(ColumnWriter { nulls: array.logical_nulls(), write })
        });
        columns.collect()
    }
}

/// A batch as the text that clients would get, a row a list; none where the value is null. For programs that compare
/// what they embed with what a server answers.
pub fn text_rows(batch: &RecordBatch) -> Result<Vec<Vec<Option<String>>>> {
    let layout = Layout::new(&batch.schema(), &[])?;
    let arrays = layout.conform(batch)?;
    let mut writers = layout.writers(&arrays, print::zone_of(&batch.schema()))?;
    let text = |writer: &mut ColumnWriter<'_>, row: usize| {
        if writer.nulls.as_ref().is_some_and(|nulls| nulls.is_null(row)) {
            return Ok(None);
        }
        let mut out = BytesMut::new();
        (writer.write)(&mut out, row)?;
        Ok(Some(String::from_utf8_lossy(&out).into_owned()))
    };
    (0..batch.num_rows()).map(|row| writers.iter_mut().map(|writer| text(writer, row)).collect()).collect()
}

impl Column {
    fn conform(&self, array: &ArrayRef) -> Result<ArrayRef> {
        if array.data_type() == self.field.data_type() {
            return Ok(ArrayRef::clone(array));
        }
        // A value that does not fit is an error, never a silent null.
        let options = CastOptions { safe: false, ..CastOptions::default() };
        cast_with_options(array, self.field.data_type(), &options)
            .map_err(|error| Error::new(Fault::InvalidData, format!("column \"{}\": {error}", self.field.name())))
    }
}

fn write_row(out: &mut BytesMut, writers: &mut [ColumnWriter<'_>], row: usize) -> Result<()> {
    out.put_u8(MESSAGE_TYPE_BYTE_DATA_ROW);
    let start = out.len();
    out.put_i32(0);
    // `Layout::new` bounds the number of columns.
    out.put_u16(writers.len() as u16);
    for writer in writers {
        if writer.nulls.as_ref().is_some_and(|nulls| nulls.is_null(row)) {
            out.put_i32(-1);
        } else {
            write_sized(out, |out| (writer.write)(out, row))?;
        }
    }
    let length = out.len() - start;
    if length > MAX_BYTES {
        let message = format!("a row has {length} bytes, at most {MAX_BYTES} can be sent; select fewer columns");
        return Err(Error::new(Fault::LimitExceeded, message));
    }
    patch_length(out, start, length);
    Ok(())
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests;
