//! From a JSON file's bytes to batches, with Arrow's parser.

use std::sync::Arc;

use arrow::{
    array::RecordBatch,
    error::ArrowError,
    json::{ReaderBuilder, reader::Decoder},
};
use async_trait::async_trait;
use bytes::{Bytes, BytesMut};
use futures::StreamExt;

use super::{
    super::{
        bytes::Compression,
        text::{Decode, Filter, Prepared, Task, TextReader},
    },
    Error, JsonReader,
    array::ArrayItems,
    is_array, locate,
};

/// How much of a file tells whether it is an array.
const FIRST_BYTES: usize = 4 << 10;

#[async_trait]
impl TextReader for JsonReader {
    fn name(&self) -> &'static str {
        "json"
    }

    fn compression(&self) -> Compression {
        self.compression
    }

    fn splits(&self) -> bool {
        self.newline_delimited
    }

    async fn prepare(&self, task: &Task) -> Result<Prepared, Error> {
        let schema = task.schema.project(&task.columns).map_err(|error| engine(task, error))?;
        let decoder = ReaderBuilder::new(Arc::new(schema))
            .with_batch_size(task.batch_size)
            .with_coerce_primitive(true)
            .build_decoder()
            .map_err(|error| engine(task, error))?;
        let decoder: Box<dyn Decode> = Box::new(JsonDecoder(decoder));
        let (head, _) = task.input.head(FIRST_BYTES).await?;
        let Some((start, end)) = task.range.filter(|range| *range != (0, task.input.meta.size)) else {
            let filter: Box<dyn Filter> =
                if is_array(&head) { Box::new(Items(ArrayItems::default())) } else { Box::new(Whole) };
            return Ok(Prepared { chunks: task.input.chunks(0).await?.stream, filter, decoder });
        };
        // A file that became an array after the table was made is read by its first part alone.
        if is_array(&head) {
            let whole = start == 0;
            let chunks = if whole { task.input.chunks(0).await?.stream } else { futures::stream::empty().boxed() };
            let filter: Box<dyn Filter> = if whole { Box::new(Items(ArrayItems::default())) } else { Box::new(Whole) };
            return Ok(Prepared { chunks, filter, decoder });
        }
        let offset = start.saturating_sub(1);
        let chunks = task.input.chunks(offset).await?;
        let position = offset + chunks.skipped;
        let filter = Box::new(Lines { position, end, aligned: start == 0, done: false });
        Ok(Prepared { chunks: chunks.stream, filter, decoder })
    }

    async fn locate(&self, task: &Task, error: ArrowError) -> Error {
        locate::locate(task, error).await
    }
}

fn engine(task: &Task, error: ArrowError) -> Error {
    Error::engine(&task.input.name, error.into())
}

struct JsonDecoder(Decoder);

impl Decode for JsonDecoder {
    fn decode(&mut self, bytes: &[u8]) -> Result<usize, ArrowError> {
        self.0.decode(bytes)
    }

    fn flush(&mut self) -> Result<Option<RecordBatch>, ArrowError> {
        self.0.flush()
    }
}

/// All of a file.
struct Whole;

impl Filter for Whole {
    fn push(&mut self, chunk: Bytes) -> Result<Bytes, ArrowError> {
        Ok(chunk)
    }

    fn is_done(&self) -> bool {
        false
    }

    fn finish(&mut self) -> Result<(), ArrowError> {
        Ok(())
    }
}

/// The objects of an array.
struct Items(ArrayItems);

impl Filter for Items {
    fn push(&mut self, chunk: Bytes) -> Result<Bytes, ArrowError> {
        let mut chunk = BytesMut::from(chunk);
        self.0.blank(&mut chunk).map_err(|fault| ArrowError::JsonError(fault.reason))?;
        Ok(chunk.freeze())
    }

    fn is_done(&self) -> bool {
        false
    }

    fn finish(&mut self) -> Result<(), ArrowError> {
        self.0.finish().map_err(|fault| ArrowError::JsonError(fault.reason))
    }
}

/// The lines that begin in a part of a file. An object that goes over several lines is cut by this, which the parser
/// reports: it never yields wrong rows.
struct Lines {
    position: u64,
    end: u64,
    aligned: bool,
    done: bool,
}

impl Filter for Lines {
    fn push(&mut self, mut chunk: Bytes) -> Result<Bytes, ArrowError> {
        if !self.aligned {
            let Some(end) = chunk.iter().position(|byte| *byte == b'\n') else {
                self.position += chunk.len() as u64;
                return Ok(Bytes::new());
            };
            let before = chunk.split_to(end + 1);
            self.position += before.len() as u64;
            self.aligned = true;
            if self.position >= self.end {
                self.done = true;
                return Ok(Bytes::new());
            }
        }
        // The line on which the last byte of the part stands is the last one.
        let inside = self.end.saturating_sub(self.position).saturating_sub(1);
        let length = usize::try_from(inside).unwrap_or(chunk.len()).min(chunk.len());
        let rest = chunk.get(length..).unwrap_or_default();
        if let Some(end) = rest.iter().position(|byte| *byte == b'\n') {
            chunk.truncate(length + end + 1);
            self.done = true;
        }
        self.position += chunk.len() as u64;
        Ok(chunk)
    }

    fn is_done(&self) -> bool {
        self.done
    }

    fn finish(&mut self) -> Result<(), ArrowError> {
        Ok(())
    }
}
