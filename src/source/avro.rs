//! Avro object container files, read a block at a time: a header with the schema, then blocks of records, each with the
//! number of records and its length before it, and the mark of the file behind it.
//!
//! A block must hold as many records as it says, in as many bytes, and be followed by the mark. A file that was cut off
//! between two blocks cannot be told from a whole one. Columns that nobody wants are passed over in the bytes.

mod codec;
mod column;
mod cursor;
mod decimal;
mod schema;
mod unfit;

use std::{mem::take, sync::Arc};

use arrow::{
    array::RecordBatch,
    datatypes::{DataType, Field, Schema, SchemaRef},
    error::ArrowError,
};
use bytes::{Buf, Bytes, BytesMut};

use super::{
    binary::{Binary, Decode, Kind, Misfit},
    columns::batch_of,
};
use codec::Codec;
use column::Column;
use cursor::{Cursor, Fault, MAX_FREE};
use unfit::Unfit;

/// `STORED AS AVRO`.
pub(super) const AVRO: Binary = Binary(Kind {
    name: "avro",
    shown: "Avro",
    endings: &["avro"],
    decoder: || Box::new(Decoder::default()),
    compressed: "blocks",
    writers: None,
});

/// What a file begins with.
const MAGIC: &[u8] = b"Obj\x01";
/// The length of the mark that is in the header and behind each block.
const MARK_BYTES: usize = 16;
/// The longest header.
const MAX_HEADER_BYTES: usize = 16 << 20;
/// The longest block, as it is in the file and as it was before it was compressed. It is held in memory.
const MAX_BLOCK_BYTES: usize = 64 << 20;
/// How many rows are handed out at once.
const BATCH_ROWS: usize = 8192;
/// How many bytes are made rows at once; a value that takes none counts as one.
const BATCH_BYTES: usize = 4 << 20;

/// The bytes of a file on their way to rows.
#[derive(Default)]
struct Decoder {
    /// What was not read yet.
    bytes: BytesMut,
    /// How many bytes there must be before the header is looked for again.
    needed: usize,
    has_ended: bool,
    rows: Option<Rows>,
}

impl Decode for Decoder {
    fn push(&mut self, bytes: Bytes) -> Result<(), ArrowError> {
        self.bytes.extend_from_slice(&bytes);
        if self.rows.is_none() && self.bytes.len() >= self.needed { self.begin() } else { Ok(()) }
    }

    fn finish(&mut self) -> Result<(), ArrowError> {
        self.has_ended = true;
        if self.rows.is_none() {
            self.begin()?;
        }
        if self.rows.is_none() { Err(broken("it ends within its header")) } else { Ok(()) }
    }

    fn schema(&self) -> Option<SchemaRef> {
        self.rows.as_ref().map(|rows| Arc::clone(&rows.schema))
    }

    fn want(&mut self, wanted: &[Option<DataType>]) {
        if let Some(rows) = &mut self.rows {
            rows.want(wanted);
        }
    }

    fn next(&mut self) -> Result<Option<RecordBatch>, ArrowError> {
        let Some(rows) = &mut self.rows else { return Ok(None) };
        loop {
            rows.read().map_err(|fault| broken(fault.reason()))?;
            if rows.are_enough() {
                return rows.batch().map(Some);
            }
            match rows.begin_block(&mut self.bytes) {
                Ok(()) => {}
                Err(Fault::Wrong(reason)) => return Err(broken(reason)),
                Err(Fault::Short) if self.has_ended && !self.bytes.is_empty() => {
                    return Err(broken("it ends within its rows"));
                }
                Err(Fault::Short) if self.has_ended && rows.count > 0 => return rows.batch().map(Some),
                Err(Fault::Short) => return Ok(None),
            }
        }
    }
}

impl Decoder {
    /// Reads the header, if all of it is there.
    fn begin(&mut self) -> Result<(), ArrowError> {
        match Rows::of(&self.bytes) {
            Ok((rows, length)) => {
                self.rows = Some(rows);
                self.bytes.advance(length);
                Ok(())
            }
            Err(Fault::Wrong(reason)) => Err(broken(reason)),
            Err(Fault::Short) if self.bytes.len() > MAX_HEADER_BYTES => {
                Err(broken(format!("its header is longer than {} MB", MAX_HEADER_BYTES >> 20)))
            }
            // It is looked for when twice as much is there, not with every chunk.
            Err(Fault::Short) => {
                self.needed = self.bytes.len() * 2;
                Ok(())
            }
        }
    }
}

/// What follows the header.
struct Rows {
    codec: Codec,
    mark: [u8; MARK_BYTES],
    schema: SchemaRef,
    /// The columns as they are handed out: those that nobody wants are nulls.
    handed: SchemaRef,
    columns: Vec<Column>,
    /// How many records were handed out.
    records: u64,
    /// What was not read of a block, decompressed, and how many records that should be.
    block: Bytes,
    left: usize,
    /// How many records there were so far beyond the bytes of their blocks.
    free: usize,
    /// How many rows the columns hold, and of how many bytes these were made.
    count: usize,
    weight: usize,
}

impl Rows {
    /// What a header says, and how long the header is.
    fn of(bytes: &[u8]) -> Result<(Self, usize), Fault> {
        if !MAGIC.starts_with(bytes.get(..MAGIC.len()).unwrap_or(bytes)) {
            return Fault::wrong("it does not begin with the mark of a container file");
        }
        let mut cursor = Cursor::new(bytes);
        cursor.take(MAGIC.len())?;
        let mut schema: Option<&[u8]> = None;
        let mut codec: &[u8] = b"null";
        loop {
            let count = cursor.items()?;
            if count == 0 {
                break;
            }
            for _ in 0..count {
                let name = cursor.bytes()?;
                let value = cursor.bytes()?;
                match name {
                    b"avro.schema" => schema = Some(value),
                    b"avro.codec" => codec = value,
                    _ => {}
                }
            }
        }
        let mark = cursor.array()?;
        let codec = Codec::named(codec).map_err(Fault::Wrong)?;
        let Some(schema) = schema else { return Fault::wrong("its header has no schema") };
        let (fields, columns) = schema::columns(schema).map_err(Fault::Wrong)?;
        let schema = Arc::new(Schema::new(fields));
        let rows = Self {
            codec,
            mark,
            handed: Arc::clone(&schema),
            schema,
            columns,
            records: 0,
            block: Bytes::new(),
            left: 0,
            free: 0,
            count: 0,
            weight: 0,
        };
        Ok((rows, bytes.len() - cursor.left()))
    }

    /// Told which columns are wanted, and of which types: of the others no array is made.
    fn want(&mut self, wanted: &[Option<DataType>]) {
        let columns = take(&mut self.columns).into_iter().enumerate();
        let columns = columns.map(|(place, column)| match wanted.get(place) {
            Some(Some(wanted)) => column.aimed(wanted),
            _ => column.passed(),
        });
        self.columns = columns.collect();
        let fields = self.schema.fields().iter().zip(&self.columns);
        let fields = fields.map(|(field, column)| Field::new(field.name(), column.data_type().clone(), true));
        self.handed = Arc::new(Schema::new(fields.collect::<Vec<_>>()));
    }

    /// Takes the next block, if all of it is there.
    fn begin_block(&mut self, bytes: &mut BytesMut) -> Result<(), Fault> {
        let mut cursor = Cursor::new(&bytes[..]);
        let records = cursor.length()?;
        let length = cursor.length()?;
        if length > MAX_BLOCK_BYTES {
            return Fault::wrong(format!("a block is longer than {} MB", MAX_BLOCK_BYTES >> 20));
        }
        let begin = bytes.len() - cursor.left();
        cursor.take(length)?;
        if cursor.array::<MARK_BYTES>()? != self.mark {
            return Fault::wrong("a block is not followed by the mark of the file");
        }
        bytes.advance(begin);
        let block = bytes.split_to(length).freeze();
        bytes.advance(MARK_BYTES);
        self.block = self.codec.expand(block, MAX_BLOCK_BYTES).map_err(Fault::Wrong)?;
        // Records without a byte may be as many as those with one, and some more in a file.
        self.free += records.saturating_sub(self.block.len());
        if self.free > MAX_FREE {
            return Fault::wrong(format!("a block of {} bytes cannot hold {records} records", self.block.len()));
        }
        self.left = records;
        Ok(())
    }

    /// Reads records until there are enough of them or the block ends.
    fn read(&mut self) -> Result<(), Fault> {
        let mut cursor = Cursor::new(&self.block);
        while self.left > 0 && !self.are_enough() {
            let (before, record) = (cursor.left(), self.records + self.count as u64 + 1);
            for (field, column) in self.schema.fields().iter().zip(&mut self.columns) {
                column.read(&mut cursor).map_err(|fault| fault.within(record, field.name()))?;
            }
            self.weight += before - cursor.left() + cursor.take_free();
            self.count += 1;
            self.left -= 1;
        }
        let rest = cursor.left();
        if self.left == 0 && rest > 0 {
            return Fault::wrong("a block has bytes behind its records");
        }
        self.block.advance(self.block.len() - rest);
        Ok(())
    }

    fn are_enough(&self) -> bool {
        self.count >= BATCH_ROWS || self.weight >= BATCH_BYTES
    }

    /// The rows that were read.
    fn batch(&mut self) -> Result<RecordBatch, ArrowError> {
        let before = self.records;
        let columns = self.handed.fields().iter().zip(&mut self.columns).map(|(field, column)| {
            let name = field.name();
            column.finish().map_err(|unfit| match unfit {
                Unfit::Value { row, value, expected } => {
                    let record = before + row as u64 + 1;
                    let misfit = Misfit { record, column: name.clone(), value, expected };
                    ArrowError::ExternalError(Box::new(misfit))
                }
                Unfit::Other(ArrowError::CastError(reason)) => broken(format!("in its column {name}, {reason}")),
                Unfit::Other(error) => error,
            })
        });
        let columns = columns.collect::<Result<Vec<_>, _>>()?;
        self.weight = 0;
        self.records += self.count as u64;
        batch_of(&self.handed, columns, take(&mut self.count))
    }
}

fn broken(reason: impl Into<String>) -> ArrowError {
    ArrowError::AvroError(reason.into())
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests;
