//! From a JSON file's bytes to batches.

use std::sync::Arc;

use arrow::{
    array::{RecordBatch, RecordBatchOptions},
    datatypes::SchemaRef,
};
use async_trait::async_trait;
use bytes::Bytes;

use super::{
    super::{
        bytes::Compression,
        columns::Misfit,
        encoding::Encoding,
        forms::Forms,
        infer::type_name,
        text::{Fault as RowError, Parse, Prepared, RowFault, Task, TextReader},
    },
    Error, JsonReader,
    cursor::Halt,
    is_array,
    node::{Fault, Members},
    objects::Objects,
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

    fn encoding(&self) -> Encoding {
        self.encoding
    }

    fn splits(&self) -> bool {
        self.newline_delimited
    }

    async fn prepare(&self, task: &Task) -> Result<Prepared, Error> {
        let schema = task.schema.project(&task.columns);
        let schema = Arc::new(schema.map_err(|error| Error::engine(&task.input.name, error.into()))?);
        let wanted: Vec<_> = (0..task.schema.fields().len()).map(|place| task.columns.contains(&place)).collect();
        let (objects, chunks) = part(&task.input, task.range).await?;
        let parser = JsonParser {
            objects,
            members: Members::new(task.schema.fields(), &wanted, self.refuses_others),
            columns: task.columns.clone(),
            starts: Vec::new(),
            schema,
            forms: self.forms.clone(),
            batch_size: task.batch_size,
            is_part: task.range.is_some(),
        };
        Ok(Prepared { chunks, parser: Box::new(parser) })
    }
}

/// The objects of a file's part, and the bytes to feed them. Of what cannot be read from the middle, the first part is all.
pub(super) async fn part(
    input: &super::super::bytes::Input,
    range: Option<(u64, u64)>,
) -> Result<(Objects, futures::stream::BoxStream<'static, Result<Bytes, Error>>), Error> {
    let whole = (0, u64::MAX);
    let Some(range) = range.filter(|range| *range != whole) else {
        return Ok((Objects::new(None, 0), input.chunks(0).await?.stream));
    };
    let (head, _) = input.head(FIRST_BYTES).await?;
    if is_array(&head) || !input.is_plain().await? {
        let chunks = match range.0 {
            0 => input.chunks(0).await?.stream,
            _ => Box::pin(futures::stream::empty()),
        };
        return Ok((Objects::new(None, 0), chunks));
    }
    let chunks = input.chunks(range.0.saturating_sub(1)).await?;
    Ok((Objects::new(Some(range), chunks.skipped), chunks.stream))
}

/// Reads the columns that are wanted of a part.
struct JsonParser {
    objects: Objects,
    members: Members,
    /// Which of the members are wanted, in this order.
    columns: Vec<usize>,
    /// Where in the buffer each object begins.
    starts: Vec<usize>,
    schema: SchemaRef,
    forms: Forms,
    batch_size: usize,
    is_part: bool,
}

impl Parse for JsonParser {
    fn push(&mut self, chunk: Bytes) -> Result<(), RowError> {
        self.objects.push(chunk)
    }

    fn finish(&mut self) -> Result<(), RowError> {
        self.objects.finish();
        Ok(())
    }

    fn is_done(&self) -> bool {
        self.objects.is_done()
    }

    fn next(&mut self) -> Result<Option<RecordBatch>, RowError> {
        while self.starts.len() < self.batch_size {
            let row = self.starts.len();
            let members = &mut self.members;
            let found = self.objects.next(|cursor| members.read(cursor, row, 0), is_incomplete);
            match found {
                Ok(Some(found)) => self.starts.push(found.start),
                Ok(None) => {
                    self.members.truncate(row);
                    if self.objects.is_finished() || self.objects.buffer().is_long() {
                        break;
                    }
                    return Ok(None);
                }
                Err(fault) => return Err(self.explained(fault)),
            }
        }
        if self.starts.is_empty() {
            return Ok(None);
        }
        let batch = self.batch()?;
        self.members.truncate(0);
        self.starts.clear();
        self.objects.forget();
        Ok(Some(batch))
    }
}

fn is_incomplete(fault: &Fault) -> bool {
    matches!(fault, Fault::Halt(Halt::Incomplete))
}

impl JsonParser {
    fn batch(&self) -> Result<RecordBatch, RowError> {
        let buffer = self.objects.buffer();
        let text = buffer.text().map_err(|at| buffer.not_utf8(at))?;
        let mut columns = Vec::with_capacity(self.columns.len());
        for (place, field) in self.columns.iter().zip(self.schema.fields()) {
            let Some(node) = self.members.node(*place) else { continue };
            columns.push(node.finish(text, field.data_type(), &self.forms).map_err(|Misfit(row)| {
                let (path, value, expected) = node.misfit(text, field.data_type(), &self.forms);
                let column = if path.is_empty() { field.name().clone() } else { format!("{}.{path}", field.name()) };
                let offset = buffer.offset(self.starts.get(row).copied().unwrap_or_default());
                RowError::Row { offset, reason: RowFault::Value { column, value, expected: type_name(&expected) } }
            })?);
        }
        let options = RecordBatchOptions::new().with_row_count(Some(self.starts.len()));
        Ok(RecordBatch::try_new_with_options(Arc::clone(&self.schema), columns, &options)?)
    }

    fn explained(&self, fault: Fault) -> RowError {
        match fault {
            Fault::Halt(Halt::Ended { .. }) if self.is_part => self.objects.unfinished(),
            Fault::Halt(halt) => self.objects.halted(halt),
            Fault::Value { at, path, value, expected } => RowError::Row {
                offset: self.objects.buffer().offset(at),
                reason: RowFault::Value { column: path, value, expected: expected.to_owned() },
            },
            Fault::Unknown { at, path } => RowError::Row {
                offset: self.objects.buffer().offset(at),
                reason: RowFault::UnknownColumn { column: path },
            },
        }
    }
}
