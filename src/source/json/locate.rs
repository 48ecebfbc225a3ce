//! The file and line of an object that Arrow's parser refused: the file is read again with a parser that counts lines.

use std::{
    cell::Cell,
    io::{self, BufReader, Read},
    rc::Rc,
    sync::Arc,
};

use arrow::{
    datatypes::{DataType, SchemaRef},
    error::ArrowError,
    json::ReaderBuilder,
};
use bytes::BytesMut;
use futures::{StreamExt, TryStreamExt};
use serde_json::Value;

use super::{
    super::{bytes::BlockingReader, infer::type_name, text::Task},
    Error,
    array::ArrayItems,
    is_array,
};

/// The longest value that a message shows, in characters.
const SHOWN_CHARACTERS: usize = 60;
/// How much of a file tells whether it is an array.
const FIRST_BYTES: usize = 4 << 10;

/// The typed error for what Arrow's parser said; without a line only if the file has changed meanwhile.
pub(super) async fn locate(task: &Task, error: ArrowError) -> Error {
    let found = match search(task).await {
        Ok(found) => found,
        Err(error) => return error,
    };
    let reason = if task.range.is_some() {
        "an object goes over several lines, set the option newline_delimited to false".to_owned()
    } else {
        error.to_string()
    };
    found.unwrap_or_else(|| Error::Unreadable {
        file: task.input.name.clone(),
        format: "JSON".to_owned(),
        reason,
        source: Arc::new(error),
    })
}

/// What serde_json says, without the place, which the message names already.
pub(super) fn reason(error: &serde_json::Error) -> String {
    let text = error.to_string();
    let text = text.rsplit_once(" at line ").map_or(text.as_str(), |(reason, _)| reason);
    format!("broken JSON: {text}")
}

async fn search(task: &Task) -> Result<Option<Error>, Error> {
    let (head, _) = task.input.head(FIRST_BYTES).await?;
    let mut stream = task.input.chunks(0).await?.stream;
    if is_array(&head) {
        let mut items = ArrayItems::default();
        let file = task.input.name.clone();
        let blanked = stream.flat_map(move |chunk| {
            let mut chunk = match chunk {
                Ok(chunk) => BytesMut::from(chunk),
                Err(error) => return futures::stream::iter(vec![Err(error)]),
            };
            // What precedes a wrong bracket is looked at first: broken JSON before it is the likelier cause.
            let fault = items.blank(&mut chunk).err().map(|fault| {
                chunk.truncate(fault.offset);
                Err(Error::Malformed { file: file.clone(), line: fault.line, reason: fault.reason })
            });
            futures::stream::iter(std::iter::once(Ok(chunk.freeze())).chain(fault).collect::<Vec<_>>())
        });
        stream = blanked.boxed();
    }
    let reader = BlockingReader::new(stream);
    let schema = task.schema.project(&task.columns).map_err(|error| Error::engine(&task.input.name, error.into()))?;
    let file = task.input.name.clone();
    let searched = tokio::task::spawn_blocking(move || first_fault(&file, &Arc::new(schema), reader)).await;
    let found = searched.map_err(|error| Error::Io {
        file: task.input.name.clone(),
        reason: error.to_string(),
        source: Arc::new(error),
    })?;
    match found {
        None if is_array(&head) => unfinished_array(task).await,
        found => Ok(found),
    }
}

/// An array whose objects are all sound can still lack its end.
async fn unfinished_array(task: &Task) -> Result<Option<Error>, Error> {
    let mut items = ArrayItems::default();
    let mut stream = task.input.chunks(0).await?.stream;
    let mut fault = None;
    while let Some(chunk) = stream.try_next().await? {
        let mut chunk = BytesMut::from(chunk);
        if let Err(found) = items.blank(&mut chunk) {
            fault = Some(found);
            break;
        }
    }
    let fault = fault.or_else(|| items.finish().err());
    let file = task.input.name.clone();
    Ok(fault.map(|fault| Error::Malformed { file, line: fault.line, reason: fault.reason }))
}

fn first_fault(file: &str, schema: &SchemaRef, reader: BlockingReader) -> Option<Error> {
    let line = Rc::new(Cell::new(1));
    let counting = CountingReader { reader: BufReader::new(reader), line: Rc::clone(&line) };
    let mut values = serde_json::Deserializer::from_reader(counting).into_iter::<Value>();
    loop {
        let value = match values.next()? {
            Ok(value) => value,
            Err(error) if error.is_io() => {
                let inner = io::Error::from(error);
                return inner.get_ref().and_then(|error| Error::find(error));
            }
            Err(error) => {
                let (file, line) = (file.to_owned(), error.line() as u64);
                return Some(Error::Malformed { file, line, reason: reason(&error) });
            }
        };
        let Value::Object(object) = &value else {
            let reason = format!("expected an object, found {}", shortened(&value));
            return Some(Error::Malformed { file: file.to_owned(), line: line.get(), reason });
        };
        for field in schema.fields() {
            let Some(value) = object.get(field.name()).filter(|value| !fits(value, field.data_type())) else {
                continue;
            };
            return Some(Error::InvalidValue {
                file: file.to_owned(),
                line: line.get(),
                column: field.name().clone(),
                value: shortened(value),
                expected: type_name(field.data_type()),
            });
        }
    }
}

/// Whether Arrow's parser takes the value for this type. It is slow, so it is asked only where the answer is not plain.
fn fits(value: &Value, data_type: &DataType) -> bool {
    let plain = match (value, data_type) {
        (Value::Null, _) | (Value::Bool(_), DataType::Boolean) | (Value::Number(_), DataType::Float64) => true,
        (Value::Number(number), DataType::Int64) => number.is_i64(),
        (Value::String(_) | Value::Number(_) | Value::Bool(_), DataType::Utf8) => true,
        _ => false,
    };
    plain || arrow_takes(value, data_type)
}

fn arrow_takes(value: &Value, data_type: &DataType) -> bool {
    let field = arrow::datatypes::Field::new("value", data_type.clone(), true);
    let schema = Arc::new(arrow::datatypes::Schema::new(vec![field]));
    let line = format!("{{\"value\":{value}}}");
    let decoded = ReaderBuilder::new(schema).with_coerce_primitive(true).build_decoder().and_then(|mut decoder| {
        decoder.decode(line.as_bytes())?;
        decoder.flush()
    });
    decoded.is_ok()
}

fn shortened(value: &Value) -> String {
    let text = match value {
        Value::String(text) => text.clone(),
        other => other.to_string(),
    };
    match text.char_indices().nth(SHOWN_CHARACTERS) {
        Some((end, _)) => format!("{}…", text.get(..end).unwrap_or_default()),
        None => text,
    }
}

/// Knows on which line the parser stands.
struct CountingReader<R> {
    reader: R,
    line: Rc<Cell<u64>>,
}

impl<R: Read> Read for CountingReader<R> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        // One byte at a time: the parser reads no further than the end of a value, and the line must not either.
        let Some(room) = buffer.get_mut(..1) else { return Ok(0) };
        let read = self.reader.read(room)?;
        if read == 1 && room == b"\n" {
            self.line.set(self.line.get() + 1);
        }
        Ok(read)
    }
}
