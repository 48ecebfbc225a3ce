//! Arrow IPC files and streams (Feather version 2), read a message at a time: a file is a stream between a mark and an index.

use std::{
    collections::{HashMap, VecDeque},
    sync::Arc,
};

use arrow::{array::RecordBatch, buffer::Buffer, datatypes::SchemaRef, error::ArrowError, ipc::reader::StreamDecoder};
use bytes::Bytes;
use datafusion::{
    catalog::Session,
    common::{GetExt, Result as PlanResult},
    datasource::file_format::{FileFormat, FileFormatFactory, arrow::ArrowFormatFactory},
};

use super::{
    binary::{Binary, Decode, Kind},
    plain_options,
};

/// `STORED AS ARROW`.
pub(super) const ARROW: Binary = Binary(Kind {
    name: "arrow",
    shown: "Arrow",
    endings: &["arrow", "arrows", "feather", "ipc"],
    decoder: || Box::new(Decoder::default()),
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
        let options = given.iter().map(|(name, value)| (name.clone(), value.clone())).collect();
        plain_options("arrow", std::iter::empty(), &options)?;
        ArrowFormatFactory::new().create(session, &HashMap::new())
    }

    fn default(&self) -> Arc<dyn FileFormat> {
        FileFormatFactory::default(&ArrowFormatFactory::new())
    }
}

/// What a file begins with, before zeros that fill up its first block, and what it ends with.
const MARK: &[u8] = b"ARROW1";

#[derive(Default)]
struct Decoder {
    stream: StreamDecoder,
    /// The first bytes, until it is known whether they are a file's.
    head: Option<Vec<u8>>,
    is_file: bool,
    is_begun: bool,
    has_ended: bool,
    /// The last bytes.
    tail: Vec<u8>,
    batches: VecDeque<RecordBatch>,
}

impl Decode for Decoder {
    fn push(&mut self, bytes: Bytes) -> Result<(), ArrowError> {
        self.tail.extend_from_slice(bytes.get(bytes.len().saturating_sub(MARK.len())..).unwrap_or_default());
        self.tail.drain(..self.tail.len().saturating_sub(MARK.len()));
        if self.is_begun {
            return self.decode(Buffer::from(bytes));
        }
        let mut head = self.head.take().unwrap_or_default();
        head.extend_from_slice(&bytes);
        self.is_file = head.starts_with(MARK);
        let begin = match self.is_file {
            true => head.iter().skip(MARK.len()).position(|byte| *byte != 0).map(|zeros| MARK.len() + zeros),
            false => (head.len() >= MARK.len()).then_some(0),
        };
        let Some(begin) = begin else {
            self.head = Some(head);
            return Ok(());
        };
        if !self.is_file && !head.starts_with(&[0xFF; 4]) {
            return Err(ArrowError::IpcError("it begins like neither a file nor a stream".to_owned()));
        }
        self.is_begun = true;
        head.drain(..begin);
        self.decode(Buffer::from(head))
    }

    fn finish(&mut self) -> Result<(), ArrowError> {
        let is_whole = self.stream.schema().is_some()
            && match self.is_file {
                true => self.has_ended && self.tail == MARK,
                false => self.stream.finish().is_ok(),
            };
        if is_whole { Ok(()) } else { Err(ArrowError::IpcError("it ends within its rows".to_owned())) }
    }

    fn schema(&self) -> Option<SchemaRef> {
        self.stream.schema()
    }

    fn next(&mut self) -> Result<Option<RecordBatch>, ArrowError> {
        Ok(self.batches.pop_front())
    }
}

impl Decoder {
    fn decode(&mut self, mut bytes: Buffer) -> Result<(), ArrowError> {
        while !bytes.is_empty() && !self.has_ended {
            match self.stream.decode(&mut bytes) {
                Ok(batch) => self.batches.extend(batch),
                // The index of a file follows the end of its stream.
                Err(_) if self.is_file && self.stream.finish().is_ok() => self.has_ended = true,
                Err(error) => return Err(error),
            }
        }
        Ok(())
    }
}
