//! `COPY … TO 'file.csv'`: rows as CSV that is read back as it was. NULL is an empty field, the empty text is `""`.

use std::{io::Write as _, sync::Arc};

use arrow::{
    array::{Array, ArrayRef, AsArray, RecordBatch},
    datatypes::{DataType, FieldRef},
    json::writer::make_encoder,
    util::display::{ArrayFormatter, FormatOptions},
};
use bytes::Bytes;
use datafusion::{
    common::{DataFusionError, Result},
    datasource::file_format::write::BatchSerializer,
};

use super::{
    super::write::{Writers, json_options},
    CsvOptions, Error, NullMark, Options,
};

/// The options of files that are written.
const WRITTEN: &[&str] = &["header", "delimiter", "quote", "escape", "null_value", "compression"];

/// What writes files of fields between commas.
pub(super) const COMMAS: Writers =
    Writers { name: "csv", options: WRITTEN, serializer: |options| serializer(options, b',') };

/// What writes files of fields between tabs.
pub(super) const TABS: Writers =
    Writers { name: "tsv", options: WRITTEN, serializer: |options| serializer(options, b'\t') };

fn serializer(options: &Options, delimiter: u8) -> Result<Arc<dyn BatchSerializer>, Error> {
    let options = CsvOptions::parse(options)?;
    let delimiter = Some(options.delimiter.unwrap_or(delimiter));
    Ok(Arc::new(Serializer { options: CsvOptions { delimiter, ..options } }))
}

struct Serializer {
    options: CsvOptions,
}

impl BatchSerializer for Serializer {
    fn serialize(&self, batch: RecordBatch, initial: bool) -> Result<Bytes> {
        let mut out = Vec::with_capacity(batch.num_rows() * batch.num_columns() * 8);
        let dialect = self.options.dialect();
        if initial && self.options.has_header() {
            for (position, field) in batch.schema().fields().iter().enumerate() {
                if position > 0 {
                    out.push(dialect.delimiter);
                }
                self.write_text(&mut out, field.name());
            }
            out.push(b'\n');
        }
        let schema = batch.schema();
        let pairs = schema.fields().iter().zip(batch.columns());
        let columns = pairs.map(|(field, array)| cells(field, array)).collect::<Result<Vec<_>>>()?;
        let mut text = Vec::new();
        for row in 0..batch.num_rows() {
            for (position, (column, array)) in columns.iter().zip(batch.columns()).enumerate() {
                if position > 0 {
                    out.push(dialect.delimiter);
                }
                if array.is_null(row) || array.data_type() == &DataType::Null {
                    if let NullMark::Text(mark) = &self.options.null {
                        out.extend_from_slice(mark.as_bytes());
                    }
                    continue;
                }
                match column {
                    Cells::Texts(texts) => self.write_text(&mut out, texts.as_string::<i32>().value(row)),
                    Cells::Shown(array, options) => {
                        text.clear();
                        let formatter = ArrayFormatter::try_new(array.as_ref(), options)?;
                        write!(text, "{}", formatter.value(row)).map_err(DataFusionError::IoError)?;
                        let shown = String::from_utf8_lossy(&text);
                        match shown.split_once('e') {
                            // Without a sign an exponent looks like a part of a name.
                            Some((digits, exponent))
                                if array.data_type().is_floating() && !exponent.starts_with('-') =>
                            {
                                self.write_text(&mut out, &format!("{digits}e+{exponent}"));
                            }
                            _ => self.write_text(&mut out, &shown),
                        }
                    }
                    Cells::Json(texts) => {
                        self.write_text(&mut out, texts.get(row).map(String::as_str).unwrap_or_default());
                    }
                }
            }
            out.push(b'\n');
        }
        Ok(Bytes::from(out))
    }
}

/// A column on its way to text.
enum Cells {
    Texts(ArrayRef),
    /// As the engine shows values.
    Shown(ArrayRef, FormatOptions<'static>),
    /// Lists and structs.
    Json(Vec<String>),
}

fn cells(field: &FieldRef, array: &ArrayRef) -> Result<Cells> {
    match array.data_type() {
        DataType::Utf8 | DataType::LargeUtf8 | DataType::Utf8View => {
            Ok(Cells::Texts(arrow::compute::cast(array, &DataType::Utf8)?))
        }
        DataType::Dictionary(_, value) => cells(field, &arrow::compute::cast(array, value)?),
        data_type if data_type.is_nested() => {
            let options = json_options();
            let mut encoder = make_encoder(field, array.as_ref(), &options)?;
            let mut texts = Vec::with_capacity(array.len());
            for row in 0..array.len() {
                let mut text = Vec::new();
                if array.is_valid(row) {
                    encoder.encode(row, &mut text);
                }
                texts.push(String::from_utf8_lossy(&text).into_owned());
            }
            Ok(Cells::Json(texts))
        }
        _ => {
            let options = FormatOptions::new()
                .with_display_error(false)
                .with_timestamp_format(Some("%Y-%m-%d %H:%M:%S%.f"))
                .with_timestamp_tz_format(Some("%Y-%m-%d %H:%M:%S%.f%:z"));
            Ok(Cells::Shown(Arc::clone(array), options))
        }
    }
}

impl Serializer {
    /// A field that is not NULL: quoted wherever it could be taken for something else.
    fn write_text(&self, out: &mut Vec<u8>, text: &str) {
        let dialect = self.options.dialect();
        let bytes = text.as_bytes();
        let special =
            |byte: &u8| *byte == dialect.delimiter || *byte == dialect.quote || matches!(*byte, b'\n' | b'\r');
        let is_blank = |byte: Option<&u8>| byte.is_some_and(u8::is_ascii_whitespace);
        let is_quoted = bytes.is_empty()
            || bytes.iter().any(special)
            || is_blank(bytes.first())
            || is_blank(bytes.last())
            || bytes.first().copied() == dialect.comment
            || matches!(&self.options.null, NullMark::Text(mark) if mark == text);
        if !is_quoted {
            out.extend_from_slice(bytes);
            return;
        }
        let escape = dialect.escape.unwrap_or(dialect.quote);
        out.push(dialect.quote);
        for byte in bytes {
            if *byte == dialect.quote || *byte == escape {
                out.push(escape);
            }
            out.push(*byte);
        }
        out.push(dialect.quote);
    }
}
