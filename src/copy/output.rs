//! Rows as the bytes of a format. Each column has one writer a batch, as rows of a query have, and a row is a loop over them.

use std::sync::Arc;

use arrow::{
    array::{Array, ArrayRef, RecordBatch},
    buffer::NullBuffer,
    compute::{CastOptions, cast_with_options},
    datatypes::{Field, FieldRef, Schema},
};
use bytes::{BufMut, BytesMut};

use super::{
    SIGNATURE,
    options::{Columns, Format, Header, Options},
};
use crate::{
    Error, Fault, Result,
    pgtype::{self, ColumnType, Styles, Zone},
    print::{self, Form, Writer, write_sized},
};

/// Makes bytes of the rows of `COPY … TO STDOUT`.
#[derive(Debug, Clone)]
pub struct CopyOut {
    options: Options,
    columns: Vec<Column>,
    zone: Zone,
    styles: Styles,
    /// The bytes that have a meaning within a text, or that call for quotes.
    special: Box<[bool; 256]>,
}

#[derive(Debug, Clone)]
struct Column {
    shown: ColumnType,
    /// The name, and the type that batches are cast to.
    field: FieldRef,
    /// Whether its values are always in quotes.
    is_quoted: bool,
}

/// The rows of a batch.
pub(crate) struct Rows<'a> {
    copy: &'a CopyOut,
    columns: Vec<(Option<NullBuffer>, Writer<'a>)>,
    scratch: BytesMut,
}

impl CopyOut {
    /// Of rows with these columns.
    pub(crate) fn new(schema: &Schema, options: Options) -> Self {
        let columns = schema.fields().iter().map(|field| Column {
            shown: pgtype::of_field(field),
            field: Arc::new(Field::new(field.name(), pgtype::sent_as(field.data_type()), true)),
            is_quoted: match &options.force_quote {
                Columns::All => true,
                Columns::Named(names) => names.contains(field.name()),
            },
        });
        let mut special = Box::new([false; 256]);
        let meant: Vec<u8> = match options.format {
            Format::Text => vec![8, b'\t', b'\n', 11, 12, b'\r', b'\\', options.delimiter],
            Format::Csv => vec![b'\n', b'\r', options.delimiter, options.quote],
            Format::Binary => Vec::new(),
        };
        meant.iter().for_each(|byte| special[usize::from(*byte)] = true);
        Self {
            columns: columns.collect(),
            zone: print::zone_of(schema),
            styles: Styles::of_rows(schema),
            options,
            special,
        }
    }

    /// How many columns a row has.
    pub(crate) fn width(&self) -> usize {
        self.columns.len()
    }

    /// Whether the bytes are no text.
    pub(crate) fn is_binary(&self) -> bool {
        self.options.is_binary()
    }

    /// Writes what stands before the first row, and says whether that is a line of its own.
    pub(crate) fn write_head(&self, out: &mut BytesMut) -> bool {
        match self.options.format {
            Format::Binary => {
                out.put_slice(SIGNATURE);
                // Neither flags nor an extension.
                out.put_bytes(0, 8);
                false
            }
            _ if self.options.header == Header::None => false,
            _ => {
                for (at, column) in self.columns.iter().enumerate() {
                    if at > 0 {
                        out.put_u8(self.options.delimiter);
                    }
                    self.write_text(out, column.field.name().as_bytes(), false);
                }
                out.put_u8(b'\n');
                true
            }
        }
    }

    /// Writes what stands behind the last row.
    pub(crate) fn write_tail(&self, out: &mut BytesMut) {
        if self.is_binary() {
            out.put_i16(-1);
        }
    }

    /// A batch's columns in the types that are written.
    pub(crate) fn conform(&self, batch: &RecordBatch) -> Result<Vec<ArrayRef>> {
        let each = batch.columns().iter().zip(&self.columns).map(|(array, column)| {
            let wanted = column.field.data_type();
            if array.data_type() == wanted {
                return Ok(Arc::clone(array));
            }
            // A value that does not fit is an error, never a silent null.
            let options = CastOptions { safe: false, ..CastOptions::default() };
            cast_with_options(array, wanted, &options)
                .map_err(|error| Error::new(Fault::InvalidData, format!("column \"{}\": {error}", column.field.name())))
        });
        each.collect()
    }

    /// The rows of conformed columns.
    pub(crate) fn rows<'a>(&'a self, arrays: &'a [ArrayRef]) -> Result<Rows<'a>> {
        let each = arrays.iter().zip(&self.columns).map(|(array, column)| {
            let write = match print::told_writer(array.as_ref(), column.shown, self.is_binary())? {
                Some(write) => write,
                None if self.is_binary() => print::binary_writer(array.as_ref(), &column.field)?,
                None => {
                    let form = Form { zone: Some(self.zone), in_micros: true, is_json: false, styles: self.styles };
                    print::writer(array.as_ref(), &column.field, form)?
                }
            };
            Ok((array.logical_nulls(), write))
        });
        Ok(Rows { copy: self, columns: each.collect::<Result<_>>()?, scratch: BytesMut::new() })
    }

    /// Writes a text that is no NULL, with escapes or in quotes where it needs them.
    fn write_text(&self, out: &mut BytesMut, text: &[u8], is_quoted: bool) {
        match self.options.format {
            Format::Csv if is_quoted || self.needs_quotes(text) => self.write_quoted(out, text),
            Format::Text => self.write_escaped(out, text),
            Format::Csv | Format::Binary => out.put_slice(text),
        }
    }

    fn write_escaped(&self, out: &mut BytesMut, text: &[u8]) {
        for byte in text {
            if !self.special[usize::from(*byte)] {
                out.put_u8(*byte);
                continue;
            }
            out.put_u8(b'\\');
            out.put_u8(match byte {
                8 => b'b',
                b'\t' => b't',
                b'\n' => b'n',
                11 => b'v',
                12 => b'f',
                b'\r' => b'r',
                other => *other,
            });
        }
    }

    fn needs_quotes(&self, text: &[u8]) -> bool {
        // A line of this alone would be the end of the rows.
        let is_end = self.columns.len() == 1 && text == b"\\.";
        is_end || text == self.options.null.as_bytes() || text.iter().any(|byte| self.special[usize::from(*byte)])
    }

    fn write_quoted(&self, out: &mut BytesMut, text: &[u8]) {
        let Options { quote, escape, .. } = self.options;
        out.put_u8(quote);
        for byte in text {
            if *byte == quote || *byte == escape {
                out.put_u8(escape);
            }
            out.put_u8(*byte);
        }
        out.put_u8(quote);
    }
}

impl Rows<'_> {
    /// Writes a row.
    pub(crate) fn write(&mut self, out: &mut BytesMut, row: usize) -> Result<()> {
        if self.copy.is_binary() {
            return self.write_packed(out, row);
        }
        let options = &self.copy.options;
        for (at, (nulls, write)) in self.columns.iter_mut().enumerate() {
            if at > 0 {
                out.put_u8(options.delimiter);
            }
            if nulls.as_ref().is_some_and(|nulls| nulls.is_null(row)) {
                out.put_slice(options.null.as_bytes());
                continue;
            }
            let start = out.len();
            write(out, row)?;
            let is_quoted = self.copy.columns.get(at).is_some_and(|column| column.is_quoted);
            let text = &out[start..];
            let is_plain = match options.format {
                Format::Csv => !is_quoted && !self.copy.needs_quotes(text),
                _ => !text.iter().any(|byte| self.copy.special[usize::from(*byte)]),
            };
            if is_plain {
                continue;
            }
            self.scratch.clear();
            self.scratch.put_slice(text);
            out.truncate(start);
            self.copy.write_text(out, &self.scratch, is_quoted);
        }
        out.put_u8(b'\n');
        Ok(())
    }

    fn write_packed(&mut self, out: &mut BytesMut, row: usize) -> Result<()> {
        // A table has no more columns than fit.
        out.put_i16(i16::try_from(self.columns.len()).unwrap_or(i16::MAX));
        for (nulls, write) in &mut self.columns {
            if nulls.as_ref().is_some_and(|nulls| nulls.is_null(row)) {
                out.put_i32(-1);
            } else {
                write_sized(out, |out| write(out, row))?;
            }
        }
        Ok(())
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use arrow::{
        array::{Int32Array, StringArray},
        datatypes::DataType,
    };
    use datafusion::sql::sqlparser::tokenizer::Location;

    use super::*;
    use crate::copy::{Choice, Direction};

    fn written(given: &[(&str, &str)]) -> Vec<Vec<u8>> {
        let given: Vec<_> = given
            .iter()
            .map(|(name, value)| ((*name).to_owned(), Some(Choice::Text((*value).to_owned())), Location::empty()))
            .collect();
        let fields = vec![Field::new("a", DataType::Int32, true), Field::new("b", DataType::Utf8, true)];
        let schema = Arc::new(Schema::new(fields));
        let columns: Vec<ArrayRef> = vec![
            Arc::new(Int32Array::from(vec![Some(1), None, Some(3)])),
            Arc::new(StringArray::from(vec![Some("a\tb\\c\nd"), Some(""), Some("x,\"y\"")])),
        ];
        let batch = RecordBatch::try_new(Arc::clone(&schema), columns).unwrap();
        let copy = CopyOut::new(&schema, Options::read(&given, Direction::To).unwrap());
        let (mut head, mut lines) = (BytesMut::new(), Vec::new());
        if copy.write_head(&mut head) {
            lines.push(head.split().to_vec());
        }
        let arrays = copy.conform(&batch).unwrap();
        let mut rows = copy.rows(&arrays).unwrap();
        for row in 0..batch.num_rows() {
            rows.write(&mut head, row).unwrap();
            lines.push(head.split().to_vec());
        }
        copy.write_tail(&mut head);
        lines.push(head.to_vec());
        lines
    }

    /// As PostgreSQL 15 writes them.
    #[test]
    fn rows_are_written_as_their_format_has_them() {
        assert_eq!(written(&[]), [&b"1\ta\\tb\\\\c\\nd\n"[..], b"\\N\t\n", b"3\tx,\"y\"\n", b""]);
        let csv = written(&[("format", "csv"), ("header", "on")]);
        assert_eq!(csv, [&b"a,b\n"[..], b"1,\"a\tb\\c\nd\"\n", b",\"\"\n", b"3,\"x,\"\"y\"\"\"\n", b""]);
        let other = written(&[("format", "csv"), ("escape", "\\"), ("null", "-"), ("delimiter", ";")]);
        assert_eq!(other, [&b"1;\"a\tb\\\\c\nd\"\n"[..], b"-;\n", b"3;\"x,\\\"y\\\"\"\n", b""]);
        let binary = written(&[("format", "binary")]);
        assert_eq!(binary[1], b"\0\x02\xff\xff\xff\xff\0\0\0\0");
        assert_eq!(binary[3], b"\xff\xff");
        assert!(binary[0].starts_with(b"PGCOPY\n\xff\r\n\0\0\0\0\0\0\0\0\0\0\x02\0\0\0\x04\0\0\0\x01"));
    }
}
