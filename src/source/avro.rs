//! Avro object container files, through Arrow's reader. A file is read into memory whole.

use std::{io::Cursor, sync::Arc};

use arrow::{array::RecordBatch, datatypes::SchemaRef, error::ArrowError};
use arrow_avro::reader::{Reader, ReaderBuilder};
use async_trait::async_trait;
use bytes::Bytes;
use datafusion::datasource::{physical_plan::FileSource, table_schema::TableSchema};

use super::{
    Error, Format, Inferred, Options, Sample,
    binary::{self, Decode, Kind},
};

/// `STORED AS AVRO`.
#[derive(Debug)]
pub(super) struct Avro;

const KIND: Kind =
    Kind { name: "avro", shown: "Avro", decoder: |batch_size| Box::new(Decoder { batch_size, ..Decoder::default() }) };

#[async_trait]
impl Format for Avro {
    fn name(&self) -> &'static str {
        KIND.name
    }

    fn endings(&self) -> &'static [&'static str] {
        &["avro"]
    }

    fn options(&self) -> &'static [(&'static str, &'static str)] {
        binary::OPTIONS
    }

    async fn infer(&self, sample: Sample<'_>, options: Options) -> Result<Inferred, Error> {
        binary::infer(KIND, sample, options).await
    }

    fn file_source(&self, options: &Options, schema: TableSchema, place: &str) -> Result<Arc<dyn FileSource>, Error> {
        binary::file_source(KIND, options, schema, place)
    }
}

/// What a file begins with.
const MARK: &[u8] = b"Obj\x01";
/// The longest file.
const MAX_FILE_BYTES: usize = 4 << 30;

#[derive(Default)]
struct Decoder {
    batch_size: usize,
    bytes: Vec<u8>,
    /// How many bytes there must be before the columns are looked for again.
    needed: usize,
    schema: Option<SchemaRef>,
    rows: Option<Reader<Cursor<Vec<u8>>>>,
}

impl Decode for Decoder {
    fn push(&mut self, bytes: Bytes) -> Result<(), ArrowError> {
        self.bytes.extend_from_slice(&bytes);
        if self.bytes.len() > MAX_FILE_BYTES {
            return Err(ArrowError::AvroError(format!("it is longer than {} GB", MAX_FILE_BYTES >> 30)));
        }
        if self.bytes.len() >= MARK.len() && !self.bytes.starts_with(MARK) {
            return Err(ArrowError::AvroError("it does not begin with the mark of a container file".to_owned()));
        }
        if self.schema.is_none() && self.bytes.len() >= self.needed {
            // The header says the columns; it may go on behind these bytes.
            self.schema = ReaderBuilder::new().build(self.bytes.as_slice()).ok().map(|reader| reader.schema());
            self.needed = self.bytes.len() * 2;
        }
        Ok(())
    }

    fn finish(&mut self) -> Result<(), ArrowError> {
        let bytes = std::mem::take(&mut self.bytes);
        let rows = ReaderBuilder::new().with_batch_size(self.batch_size.max(1)).build(Cursor::new(bytes))?;
        self.schema = Some(rows.schema());
        self.rows = Some(rows);
        Ok(())
    }

    fn schema(&self) -> Option<SchemaRef> {
        self.schema.clone()
    }

    fn next(&mut self) -> Result<Option<RecordBatch>, ArrowError> {
        self.rows.as_mut().and_then(Iterator::next).transpose()
    }
}
