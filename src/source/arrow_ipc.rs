//! Arrow IPC files and streams (Feather version 2), read a message at a time: a file is a stream between a mark and an index.
//!
//! What decodes messages makes room for as much as they say that they hold. So what they say is looked at before.

use std::{collections::HashMap, sync::Arc};

use arrow::{
    array::{ArrayRef, RecordBatch},
    buffer::Buffer,
    datatypes::SchemaRef,
    error::ArrowError,
    ipc::{
        Message, MessageHeader,
        convert::fb_to_schema,
        reader::{read_dictionary, read_record_batch},
        root_as_message,
    },
};
use bytes::{Buf, Bytes, BytesMut};
use datafusion::{
    catalog::Session,
    common::{GetExt, Result as PlanResult},
    datasource::file_format::{FileFormat, FileFormatFactory, arrow::ArrowFormatFactory},
};

use super::{
    binary::{Binary, Decode, Kind},
    given_options, plain_options,
};

/// `STORED AS ARROW`.
pub(super) const ARROW: Binary = Binary(Kind {
    name: "arrow",
    shown: "Arrow",
    endings: &["arrow", "arrows", "feather", "ipc"],
    decoder: || Box::new(Decoder::default()),
    compressed: "batches",
    writers: Some(|| Arc::new(Files)),
});

/// What writes Arrow files: the engine's writer, which passes over all options and compresses by LZ4.
#[derive(Debug)]
struct Files;

impl GetExt for Files {
    fn get_ext(&self) -> String {
        "arrow".to_owned()
    }
}

impl FileFormatFactory for Files {
    fn create(&self, session: &dyn Session, given: &HashMap<String, String>) -> PlanResult<Arc<dyn FileFormat>> {
        plain_options("arrow", std::iter::empty(), &given_options(given))?;
        ArrowFormatFactory::new().create(session, &HashMap::new())
    }

    fn default(&self) -> Arc<dyn FileFormat> {
        FileFormatFactory::default(&ArrowFormatFactory::new())
    }
}

/// What a file begins with, before zeros that fill up its first block, and what it ends with.
const MARK: &[u8] = b"ARROW1";
/// The most zeros behind it, and more.
const MAX_MARK_BYTES: usize = 4096;
/// What a message begins with, before its length; of old ones the length is the first.
const CONTINUATION: &[u8] = &[0xFF; 4];
/// The longest description of a message.
const MAX_HEADER_BYTES: usize = 256 << 20;
/// The longest message.
const MAX_MESSAGE_BYTES: u64 = 8 << 30;
/// What a batch may be as long as before it was compressed. It is held in memory.
const MAX_BATCH_BYTES: u64 = 2 << 30;
/// How many rows a batch may have beyond the bits that it has: there are columns whose values take none.
const MAX_FREE_ROWS: u64 = 1 << 24;

#[derive(Default)]
struct Decoder {
    schema: Option<SchemaRef>,
    dictionaries: HashMap<i64, ArrayRef>,
    /// What was not read yet, and how many bytes there must be before it is looked at again.
    bytes: BytesMut,
    needed: usize,
    is_file: bool,
    is_begun: bool,
    has_ended: bool,
    /// The last bytes.
    tail: Vec<u8>,
}

impl Decode for Decoder {
    fn push(&mut self, bytes: Bytes) -> Result<(), ArrowError> {
        self.tail.extend_from_slice(bytes.get(bytes.len().saturating_sub(MARK.len())..).unwrap_or_default());
        self.tail.drain(..self.tail.len().saturating_sub(MARK.len()));
        // The index of a file follows the end of its stream.
        if self.has_ended && self.is_file {
            return Ok(());
        }
        self.bytes.extend_from_slice(&bytes);
        if !self.is_begun {
            self.begin()?;
        }
        // The columns are asked for before rows are.
        while self.schema.is_none() {
            let Some(message) = self.message()? else { break };
            self.decode(&message)?;
        }
        Ok(())
    }

    fn finish(&mut self) -> Result<(), ArrowError> {
        let is_whole = self.schema.is_some()
            && match self.is_file {
                true => self.has_ended && self.tail == MARK,
                false => self.bytes.is_empty(),
            };
        if is_whole { Ok(()) } else { Err(broken("it ends within its rows")) }
    }

    fn schema(&self) -> Option<SchemaRef> {
        self.schema.clone()
    }

    fn next(&mut self) -> Result<Option<RecordBatch>, ArrowError> {
        while let Some(message) = self.message()? {
            if let Some(batch) = self.decode(&message)? {
                return Ok(Some(batch));
            }
        }
        Ok(None)
    }
}

impl Decoder {
    /// Finds where the messages begin, once there are enough bytes.
    fn begin(&mut self) -> Result<(), ArrowError> {
        self.is_file = self.bytes.starts_with(MARK);
        let begin = match self.is_file {
            true => self.bytes.iter().skip(MARK.len()).position(|byte| *byte != 0).map(|zeros| MARK.len() + zeros),
            false => (self.bytes.len() >= MARK.len()).then_some(0),
        };
        let is_endless = begin.is_none() && self.bytes.len() > MAX_MARK_BYTES;
        let Some(begin) = begin.or(is_endless.then_some(0)) else { return Ok(()) };
        if is_endless || !self.is_file && !self.bytes.starts_with(CONTINUATION) {
            return Err(broken("it begins like neither a file nor a stream"));
        }
        self.bytes.advance(begin);
        self.is_begun = true;
        Ok(())
    }

    /// The next message, if all of it is there.
    fn message(&mut self) -> Result<Option<Bytes>, ArrowError> {
        if !self.is_begun || self.bytes.is_empty() || self.bytes.len() < self.needed {
            return Ok(None);
        }
        if self.has_ended {
            return Err(broken("something follows its end"));
        }
        match length(&self.bytes)? {
            Length::Unknown => Ok(None),
            Length::End(length) => {
                self.has_ended = true;
                let end = self.bytes.split_to(length).freeze();
                if self.is_file {
                    self.bytes.clear();
                }
                Ok(Some(end))
            }
            Length::Message(length) if length <= self.bytes.len() => {
                self.needed = 0;
                Ok(Some(self.bytes.split_to(length).freeze()))
            }
            Length::Message(length) => {
                self.needed = length;
                Ok(None)
            }
        }
    }

    /// What a whole message holds, if that is rows.
    fn decode(&mut self, message: &Bytes) -> Result<Option<RecordBatch>, ArrowError> {
        let Some((header, body)) = parts(message)? else { return Ok(None) };
        check(header, body)?;
        let (body, version) = (Buffer::from(message.slice_ref(body)), header.version());
        match (self.schema.clone(), header.header_type()) {
            (_, MessageHeader::NONE) => Ok(None),
            (None, MessageHeader::Schema) => {
                self.schema = header.header_as_schema().map(|schema| Arc::new(fb_to_schema(schema)));
                Ok(None)
            }
            (Some(schema), MessageHeader::RecordBatch) => {
                let Some(batch) = header.header_as_record_batch() else { return Ok(None) };
                read_record_batch(&body, batch, schema, &self.dictionaries, None, &version).map(Some)
            }
            (Some(schema), MessageHeader::DictionaryBatch) => {
                let Some(batch) = header.header_as_dictionary_batch() else { return Ok(None) };
                read_dictionary(&body, batch, &schema, &mut self.dictionaries, &version)?;
                Ok(None)
            }
            _ => Err(broken("its messages are none of a table, or come in another order")),
        }
    }
}

/// How long the first message is.
enum Length {
    /// More bytes will tell.
    Unknown,
    /// It is the end of the stream, which is so long.
    End(usize),
    Message(usize),
}

fn length(bytes: &[u8]) -> Result<Length, ArrowError> {
    let Some((begin, size)) = begin(bytes) else { return Ok(Length::Unknown) };
    if size == 0 {
        return Ok(Length::End(begin));
    }
    if size > MAX_HEADER_BYTES {
        return Err(broken(&format!("the description of a message is longer than {MAX_HEADER_BYTES} bytes")));
    }
    let Some(header) = bytes.get(begin..begin + size) else { return Ok(Length::Unknown) };
    let body = read(header)?.bodyLength();
    match u64::try_from(body) {
        Ok(body) if body <= MAX_MESSAGE_BYTES => Ok(Length::Message(begin + size + body as usize)),
        _ => Err(broken(&format!("a message of {body} bytes is longer than {MAX_MESSAGE_BYTES}"))),
    }
}

/// Where the description of the first message begins, and how long it is.
fn begin(bytes: &[u8]) -> Option<(usize, usize)> {
    let begin = if bytes.get(..4)? == CONTINUATION { 8 } else { 4 };
    let size: [u8; 4] = bytes.get(begin - 4..begin)?.try_into().ok()?;
    Some((begin, u32::from_le_bytes(size) as usize))
}

/// A message's description and its body; none of the end of a stream.
fn parts(message: &[u8]) -> Result<Option<(Message<'_>, &[u8])>, ArrowError> {
    let Some((begin, size)) = begin(message).filter(|(_, size)| *size > 0) else { return Ok(None) };
    let header = read(message.get(begin..begin + size).unwrap_or_default())?;
    Ok(Some((header, message.get(begin + size..).unwrap_or_default())))
}

fn read(header: &[u8]) -> Result<Message<'_>, ArrowError> {
    root_as_message(header).map_err(|error| broken(&format!("the description of a message is broken: {error}")))
}

/// Refuses a batch that says it is longer than what can be held, or that it has more rows than its bytes can hold.
fn check(message: Message<'_>, body: &[u8]) -> Result<(), ArrowError> {
    let dictionary = message.header_as_dictionary_batch().and_then(|dictionary| dictionary.data());
    let Some(batch) = message.header_as_record_batch().or(dictionary) else { return Ok(()) };
    let is_compressed = batch.compression().is_some();
    let mut bytes = 0_u64;
    for buffer in batch.buffers().into_iter().flatten() {
        let (offset, length) = (usize::try_from(buffer.offset()), usize::try_from(buffer.length()));
        let part = match (offset, length) {
            (Ok(offset), Ok(length)) => offset.checked_add(length).and_then(|end| body.get(offset..end)),
            _ => None,
        };
        let part = part.ok_or_else(|| broken("a part of a batch lies outside of it"))?;
        bytes = bytes.saturating_add(if is_compressed { expanded(part)? } else { part.len() as u64 });
    }
    if is_compressed && bytes > MAX_BATCH_BYTES {
        return Err(broken(&format!(
            "a batch expands to {bytes} bytes, the most is {MAX_BATCH_BYTES}: write smaller ones"
        )));
    }
    let most = bytes.saturating_mul(8).saturating_add(MAX_FREE_ROWS);
    let nodes = batch.nodes().into_iter().flatten().map(|node| node.length());
    match nodes.chain([batch.length()]).find(|rows| !u64::try_from(*rows).is_ok_and(|rows| rows <= most)) {
        Some(rows) => Err(broken(&format!("a batch of {bytes} bytes cannot hold {rows} rows"))),
        None => Ok(()),
    }
}

/// How long a part was before it was compressed, as it says in its first eight bytes.
fn expanded(part: &[u8]) -> Result<u64, ArrowError> {
    let Some((length, rest)) = part.split_first_chunk::<8>() else {
        return if part.is_empty() { Ok(0) } else { Err(broken("a part of a batch is shorter than its length")) };
    };
    match i64::from_le_bytes(*length) {
        // It was not worth the effort.
        -1 => Ok(rest.len() as u64),
        length => u64::try_from(length).map_err(|_| broken("a part of a batch says that its length is negative")),
    }
}

fn broken(reason: &str) -> ArrowError {
    ArrowError::IpcError(reason.to_owned())
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use arrow::{
        array::{Array, Int64Array, NullArray},
        datatypes::{DataType, Field, Schema},
        ipc::{
            CompressionType,
            writer::{FileWriter, IpcWriteOptions, StreamWriter},
        },
    };

    use super::*;

    fn batch(rows: i64) -> RecordBatch {
        let fields = vec![Field::new("a", DataType::Int64, true), Field::new("n", DataType::Null, true)];
        let columns: Vec<Arc<dyn Array>> = vec![
            Arc::new(Int64Array::from_iter_values((0..rows).map(|row| row % 3))),
            Arc::new(NullArray::new(rows as usize)),
        ];
        RecordBatch::try_new(Arc::new(Schema::new(fields)), columns).unwrap()
    }

    fn stream(compression: Option<CompressionType>) -> Vec<u8> {
        let options = IpcWriteOptions::default().try_with_compression(compression).unwrap();
        let mut bytes = Vec::new();
        let mut writer = StreamWriter::try_new_with_options(&mut bytes, &batch(1000).schema(), options).unwrap();
        writer.write(&batch(1000)).unwrap();
        writer.write(&batch(10)).unwrap();
        writer.finish().unwrap();
        drop(writer);
        bytes
    }

    /// The numbers of rows of a file's batches, when it comes in pieces of a length.
    fn rows(bytes: &[u8], piece: usize) -> Result<Vec<usize>, ArrowError> {
        let (mut decoder, mut rows) = (Decoder::default(), Vec::new());
        for piece in bytes.chunks(piece) {
            decoder.push(Bytes::copy_from_slice(piece))?;
            while let Some(batch) = decoder.next()? {
                rows.push(batch.num_rows());
            }
        }
        decoder.finish()?;
        Ok(rows)
    }

    /// The bytes with others at the one place where these are.
    fn with(bytes: &[u8], found: &[u8], replaced: &[u8]) -> Vec<u8> {
        let places: Vec<_> =
            bytes.windows(found.len()).enumerate().filter(|(_, part)| *part == found).map(|(at, _)| at).collect();
        assert!(!places.is_empty());
        let mut bytes = bytes.to_vec();
        for at in places {
            bytes.get_mut(at..at + found.len()).unwrap().copy_from_slice(replaced);
        }
        bytes
    }

    #[test]
    fn messages_are_read_however_they_are_cut() {
        let mut file = Vec::new();
        let mut writer = FileWriter::try_new(&mut file, &batch(1).schema()).unwrap();
        writer.write(&batch(1000)).unwrap();
        writer.write(&batch(10)).unwrap();
        writer.finish().unwrap();
        drop(writer);
        for bytes in [file, stream(None), stream(Some(CompressionType::ZSTD)), stream(Some(CompressionType::LZ4_FRAME))]
        {
            for piece in [1, 7, 64, 1000, bytes.len()] {
                assert_eq!(rows(&bytes, piece).unwrap(), [1000, 10]);
            }
            let cut = rows(bytes.get(..bytes.len() - 20).unwrap(), 64).unwrap_err();
            assert_eq!(cut.to_string(), "Ipc error: it ends within its rows");
        }
    }

    /// A buffer's first bytes say how long it was: room for 2^60 bytes was asked for, and without it the process ends.
    #[test]
    fn hostile_lengths_are_refused() {
        for compression in [CompressionType::ZSTD, CompressionType::LZ4_FRAME] {
            let hostile = with(&stream(Some(compression)), &8000_i64.to_le_bytes(), &(1_i64 << 60).to_le_bytes());
            let error = rows(&hostile, 1 << 20).unwrap_err().to_string();
            assert!(error.starts_with("Ipc error: a batch expands to 11529215046068"), "{error}");
        }
    }

    /// A column of no bytes has as many rows as it says.
    #[test]
    fn more_rows_than_bytes_can_hold_are_refused() {
        let hostile = with(&stream(None), &1000_i64.to_le_bytes(), &(1_i64 << 60).to_le_bytes());
        let error = rows(&hostile, 1 << 20).unwrap_err().to_string();
        assert!(error.contains("cannot hold 1152921504606846976 rows"), "{error}");
        let negative = with(&stream(None), &1000_i64.to_le_bytes(), &(-1000_i64).to_le_bytes());
        assert!(rows(&negative, 1 << 20).is_err());
    }
}
