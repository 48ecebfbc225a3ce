//! From a JSON file's bytes to batches.

use arrow::{array::RecordBatch, datatypes::SchemaRef};
use async_trait::async_trait;
use bytes::Bytes;

use super::{
    super::{
        bytes::Compression,
        columns::{Misfit, batch_of, missing, nullable, required, with_schema, without_rows},
        encoding::Encoding,
        forms::Forms,
        infer::type_name,
        rejects::{OnError, Reject, Spot},
        text::{Fault as RowError, Parse, Prepared, RowFault, Task, TextReader, shortened},
    },
    Error, JsonReader,
    cursor::{HALF, Halt},
    is_array,
    node::{Expected, Fault, Forgiven, Members, Rules, longer},
    objects::{LeftOut, Objects},
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

    fn on_error(&self) -> OnError {
        self.on_error
    }

    fn splits(&self) -> bool {
        self.newline_delimited
    }

    async fn prepare(&self, task: &Task) -> Result<Prepared, Error> {
        // Which rows there are must not depend on which columns are wanted: all are looked at if wrong rows are left out.
        let looks_at_all = self.on_error.is_lenient();
        let columns = if looks_at_all { (0..task.schema.fields().len()).collect() } else { task.columns.clone() };
        let schema = task.project(&columns)?;
        let mut wanted = vec![false; task.schema.fields().len()];
        for column in &columns {
            if let Some(wanted) = wanted.get_mut(*column) {
                *wanted = true;
            }
        }
        let (mut objects, chunks) = part(&task.input, task.range).await?;
        if self.on_error.is_lenient() {
            objects = objects.leaving_out(if self.newline_delimited { LeftOut::Lines } else { LeftOut::Members });
        }
        let parser = JsonParser {
            objects,
            members: Members::new(task.schema.fields(), &wanted).ignoring_case(!self.match_case),
            rules: self.rules(),
            columns_schema: schema,
            wanted: looks_at_all.then(|| task.columns.clone()),
            columns,
            starts: Vec::new(),
            schema: task.project(&task.columns)?,
            on_error: self.on_error,
            left_out: Vec::new(),
            rejects: Vec::new(),
            forms: self.forms.clone(),
            batch_size: task.batch_size,
            is_part: task.range.is_some(),
            on_lines: self.newline_delimited,
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
    rules: Rules,
    /// Which of the members are wanted, in this order.
    columns: Vec<usize>,
    /// Where in the buffer each object begins.
    starts: Vec<usize>,
    /// Those columns.
    columns_schema: SchemaRef,
    /// Those of them that are handed out.
    schema: SchemaRef,
    forms: Forms,
    batch_size: usize,
    is_part: bool,
    /// Whether each object is on a line of its own.
    on_lines: bool,
    on_error: OnError,
    /// Which of the columns are wanted, where others are looked at, too.
    wanted: Option<Vec<usize>>,
    /// The rows of the next batch that are left out.
    left_out: Vec<usize>,
    rejects: Vec<Reject>,
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
            let (members, rules) = (&mut self.members, &self.rules);
            let mut forgiven = self.on_error.is_lenient().then(Vec::new);
            let found =
                self.objects.next(|cursor| members.read(cursor, rules, row, 0, forgiven.as_mut()), is_incomplete);
            if let Ok(Some(found)) = &found {
                let offset = self.objects.buffer().offset(found.start);
                for Forgiven { path, value, expected, .. } in forgiven.into_iter().flatten() {
                    let column = Some(path);
                    self.rejects.push(Reject { spot: Spot::Byte(offset), column, value, expected });
                    self.left_out.push(row);
                }
            }
            match found {
                Ok(Some(found)) => self.starts.push(found.start),
                Ok(None) => {
                    self.members.truncate(row);
                    if self.objects.is_finished() || self.objects.buffer().is_long() {
                        break;
                    }
                    return Ok(None);
                }
                Err(Fault::Halt(halt)) if self.objects.passes(&halt) => {
                    self.members.truncate(row);
                    let Some((offset, value)) = self.objects.pass() else { return Ok(None) };
                    let expected = halt.reason();
                    self.rejects.push(Reject { spot: Spot::Byte(offset), column: None, value, expected });
                    if row == 0 {
                        self.objects.forget();
                    }
                }
                Err(fault) => return Err(self.explained(fault)),
            }
        }
        if self.starts.is_empty() {
            return Ok(None);
        }
        if self.on_error.is_lenient() {
            self.forgive()?;
        }
        let mut batch = self.batch()?;
        let dropped = self.check_missing(&batch)?;
        if let Some(wanted) = &self.wanted {
            if self.on_error == OnError::Null {
                self.left_out.clear();
            }
            self.left_out.extend(dropped);
            batch = without_rows(&batch, &self.left_out)?.project(wanted)?;
        }
        batch = with_schema(&batch, &self.schema)?;
        self.left_out.clear();
        self.members.truncate(0);
        self.starts.clear();
        self.objects.forget();
        Ok(Some(batch))
    }

    fn take_rejects(&mut self) -> Vec<Reject> {
        std::mem::take(&mut self.rejects)
    }
}

fn is_incomplete(fault: &Fault) -> bool {
    matches!(fault, Fault::Halt(Halt::Incomplete))
}

impl JsonParser {
    /// Makes NULL of the values that are none of their column's type.
    fn forgive(&mut self) -> Result<(), RowError> {
        let buffer = self.objects.buffer();
        let text = buffer.text().map_err(|at| buffer.not_utf8(at))?;
        for (place, field) in self.columns.iter().zip(self.columns_schema.fields()) {
            let Some(node) = self.members.node_mut(*place) else { continue };
            let forms = self.forms.of_column(field.name());
            if node.finish(text, field.data_type(), &forms).is_ok() {
                continue;
            }
            for Forgiven { row, path, value, expected } in node.forgive(text, field.data_type(), &forms) {
                let offset = buffer.offset(self.starts.get(row).copied().unwrap_or_default());
                let column = Some(longer(field.name(), &path));
                self.rejects.push(Reject { spot: Spot::Byte(offset), column, value, expected });
                self.left_out.push(row);
            }
        }
        Ok(())
    }

    fn batch(&self) -> Result<RecordBatch, RowError> {
        let buffer = self.objects.buffer();
        let text = buffer.text().map_err(|at| buffer.not_utf8(at))?;
        let mut columns = Vec::with_capacity(self.columns.len());
        for (place, field) in self.columns.iter().zip(self.columns_schema.fields()) {
            let Some(node) = self.members.node(*place) else { continue };
            let forms = self.forms.of_column(field.name());
            let array = node.finish(text, field.data_type(), &forms).map_err(|Misfit(row)| {
                let (path, value, expected) = node.misfit(text, field.data_type(), &forms);
                let column = longer(field.name(), &path);
                let offset = buffer.offset(self.starts.get(row).copied().unwrap_or_default());
                RowError::Row { offset, reason: RowFault::Value { column, value, expected: type_name(&expected) } }
            })?;
            columns.push(array);
        }
        Ok(batch_of(&nullable(&self.columns_schema), columns, self.starts.len())?)
    }

    /// The rows that lack a value which their columns must have; an error unless they may be left out.
    fn check_missing(&mut self, batch: &RecordBatch) -> Result<Vec<usize>, RowError> {
        let mut dropped = Vec::new();
        for (array, field) in batch.columns().iter().zip(self.columns_schema.fields()) {
            for Misfit(row) in missing(array, field) {
                let offset = self.objects.buffer().offset(self.starts.get(row).copied().unwrap_or_default());
                let (column, value, expected) = (field.name().clone(), "null".to_owned(), required(field));
                if !self.on_error.is_lenient() {
                    return Err(RowError::Row { offset, reason: RowFault::Value { column, value, expected } });
                }
                if !self.left_out.contains(&row) {
                    self.rejects.push(Reject { spot: Spot::Byte(offset), column: Some(column), value, expected });
                }
                dropped.push(row);
            }
        }
        Ok(dropped)
    }

    fn explained(&self, fault: Fault) -> RowError {
        let (at, reason) = match fault {
            Fault::Halt(Halt::Ended { .. }) if self.is_part => return self.objects.unfinished(),
            Fault::Halt(halt) => return self.objects.halted(halt, self.on_lines),
            Fault::Value { at, path, value, expected: Expected::WholeText } => {
                let reason = format!("{} has {HALF}", shortened(&value));
                let hint =
                    "leave such rows out (on_error 'skip'), or make such values NULL (on_error 'null')".to_owned();
                (at, RowFault::Json { column: Some(path), reason, hint })
            }
            Fault::Value { at, path, value, expected } => {
                (at, RowFault::Value { column: path, value, expected: expected.words().to_owned() })
            }
            Fault::Unknown { at, path } => (at, RowFault::UnknownColumn { column: path }),
        };
        RowError::Row { offset: self.objects.buffer().offset(at), reason }
    }
}
