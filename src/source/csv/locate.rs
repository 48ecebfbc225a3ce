//! The file and line of a row that Arrow's parser refused: the file is read again with a parser that counts lines.

use std::io::{self, BufReader, Read};

use arrow::{
    array::StringArray,
    compute::{CastOptions, cast_with_options, kernels::cast_utils::Parser},
    datatypes::{DataType, Float32Type, Float64Type, Int8Type, Int16Type, Int32Type, Int64Type, SchemaRef},
    datatypes::{UInt8Type, UInt16Type, UInt32Type, UInt64Type},
    error::ArrowError,
};
use bytes::Bytes;
use futures::{StreamExt, TryStreamExt, stream::BoxStream};

use super::{
    super::{bytes::BlockingReader, infer::type_name, records::Blanks, text::Task},
    CsvOptions, Error,
    infer::not_utf8,
    read::layout,
};

/// What is wrong with a file that ends within quotes.
pub(super) const NEVER_CLOSED: &str = "a quote that is opened in this row is never closed";

/// The longest value that a message shows, in characters.
const SHOWN_CHARACTERS: usize = 60;

/// The typed error for what Arrow's parser said; without a line only if the file has changed meanwhile.
pub(super) async fn locate(options: &CsvOptions, task: &Task, error: ArrowError) -> Error {
    let file = task.input.name.clone();
    let is_open = error.to_string().contains(NEVER_CLOSED);
    let found = match search(options, task, is_open).await {
        Ok(found) => found,
        Err(error) => return error,
    };
    found.unwrap_or_else(|| Error::Unreadable {
        file,
        format: "CSV".to_owned(),
        reason: error.to_string(),
        source: std::sync::Arc::new(error),
    })
}

async fn search(options: &CsvOptions, task: &Task, is_open: bool) -> Result<Option<Error>, Error> {
    let Some(layout) = layout(options, &task.input, &task.schema).await? else { return Ok(None) };
    let stream = cleaned(options, task.input.chunks(0).await?.stream);
    let reader = BlockingReader::new(stream);
    // Values of columns that the query does not read were not parsed, so they are not to blame.
    let checked: Vec<_> = task.columns.iter().filter_map(|column| *layout.positions.get(*column)?).collect();
    let (options, file) = (options.clone(), task.input.name.clone());
    let searched =
        tokio::task::spawn_blocking(move || first_fault(&options, &file, &layout.file, (&checked, is_open), reader))
            .await;
    searched.map_err(|error| Error::Io {
        file: task.input.name.clone(),
        reason: error.to_string(),
        source: std::sync::Arc::new(error),
    })
}

fn cleaned(
    options: &CsvOptions,
    stream: BoxStream<'static, Result<Bytes, Error>>,
) -> BoxStream<'static, Result<Bytes, Error>> {
    let dialect = options.dialect();
    if !dialect.skip_initial_space {
        return stream;
    }
    let mut blanks = Blanks::default();
    stream.map_ok(move |chunk| dialect.without_initial_space(&chunk, &mut blanks)).boxed()
}

fn first_fault(
    options: &CsvOptions,
    file: &str,
    schema: &SchemaRef,
    (checked, is_open): (&[usize], bool),
    reader: BlockingReader,
) -> Option<Error> {
    let mut reader = options.records().from_reader(BufReader::new(UnixLines::new(reader)));
    let mut record = csv::ByteRecord::new();
    let mut header = options.has_header();
    let width = schema.fields().len();
    let mut last = 1;
    loop {
        match reader.read_byte_record(&mut record) {
            Ok(true) => {}
            Ok(false) if is_open => {
                return Some(Error::Malformed { file: file.to_owned(), line: last, reason: NEVER_CLOSED.to_owned() });
            }
            Ok(false) => return None,
            Err(error) => {
                if let csv::ErrorKind::Io(error) = error.kind()
                    && let Some(found) = Error::find(error)
                {
                    return Some(found);
                }
                let line = reader.position().line();
                return Some(Error::Malformed { file: file.to_owned(), line, reason: error.to_string() });
            }
        }
        let line = record.position().map_or(1, csv::Position::line);
        last = line;
        if record.len() != width {
            let (file, found) = (file.to_owned(), record.len());
            return Some(Error::RaggedRow { file, line, expected: width, found });
        }
        if std::mem::take(&mut header) {
            continue;
        }
        if record.iter().any(|field| std::str::from_utf8(field).is_err()) {
            return Some(not_utf8(file, line));
        }
        for position in checked {
            let field = schema.fields().get(*position)?;
            let value = record.get(*position).and_then(|value| std::str::from_utf8(value).ok()).unwrap_or_default();
            if !options.is_null(value) && !parses(value, field.data_type()) {
                return Some(Error::InvalidValue {
                    file: file.to_owned(),
                    line,
                    column: field.name().clone(),
                    value: shortened(value),
                    expected: type_name(field.data_type()),
                });
            }
        }
    }
}

/// Line breaks of two characters as one: the parser counts a line at its last character, which would be the next row's.
pub(super) struct UnixLines<R> {
    inner: R,
    /// Whether a carriage return waits for what follows it.
    pending: bool,
}

impl<R> UnixLines<R> {
    pub(super) fn new(inner: R) -> Self {
        Self { inner, pending: false }
    }
}

impl<R: Read> Read for UnixLines<R> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        loop {
            // The first byte is kept free for a carriage return that waits.
            let Some(room) = buffer.get_mut(1..) else { return Ok(0) };
            let found = self.inner.read(room)?;
            if found == 0 && std::mem::take(&mut self.pending) {
                buffer[0] = b'\r';
                return Ok(1);
            }
            let mut kept = 0;
            for at in 1..=found {
                let byte = buffer[at];
                if std::mem::take(&mut self.pending) && byte != b'\n' {
                    buffer[kept] = b'\r';
                    kept += 1;
                }
                if byte == b'\r' {
                    self.pending = true;
                } else {
                    buffer[kept] = byte;
                    kept += 1;
                }
            }
            if kept > 0 || found == 0 {
                return Ok(kept);
            }
        }
    }
}

/// Whether Arrow's parser takes the text for this type.
fn parses(value: &str, data_type: &DataType) -> bool {
    match data_type {
        DataType::Utf8 | DataType::Utf8View | DataType::LargeUtf8 | DataType::Null => true,
        DataType::Boolean => value.eq_ignore_ascii_case("true") || value.eq_ignore_ascii_case("false"),
        DataType::Int8 => Int8Type::parse(value).is_some(),
        DataType::Int16 => Int16Type::parse(value).is_some(),
        DataType::Int32 => Int32Type::parse(value).is_some(),
        DataType::Int64 => Int64Type::parse(value).is_some(),
        DataType::UInt8 => UInt8Type::parse(value).is_some(),
        DataType::UInt16 => UInt16Type::parse(value).is_some(),
        DataType::UInt32 => UInt32Type::parse(value).is_some(),
        DataType::UInt64 => UInt64Type::parse(value).is_some(),
        DataType::Float32 => Float32Type::parse(value).is_some(),
        DataType::Float64 => Float64Type::parse(value).is_some(),
        other => {
            let strict = CastOptions { safe: false, ..CastOptions::default() };
            cast_with_options(&StringArray::from(vec![value]), other, &strict).is_ok()
        }
    }
}

fn shortened(value: &str) -> String {
    match value.char_indices().nth(SHOWN_CHARACTERS) {
        Some((end, _)) => format!("{}…", value.get(..end).unwrap_or_default()),
        None => value.to_owned(),
    }
}
