//! From a CSV file's bytes to batches.

use std::sync::Arc;

use arrow::{
    array::{ArrayRef, RecordBatch, RecordBatchOptions, new_null_array},
    datatypes::{DataType, Field, SchemaRef},
};
use async_trait::async_trait;
use bytes::Bytes;
use futures::StreamExt;

use super::{
    super::{
        buffer::Buffer,
        bytes::{Compression, Input},
        columns::{Misfit, column},
        encoding::{Encoding, fitting},
        infer::type_name,
        text::{Fault, Parse, Prepared, RowFault, Task, TextReader},
    },
    CsvOptions, CsvReader, Error, column_names,
    parts::Part,
    positions,
    split::{Field as Cell, Records, Stop, Wanted, split},
};

/// How much of a file is first read to find its header.
const HEADER_BYTES: usize = 16 << 10;
/// The longest header.
const MAX_HEADER_BYTES: usize = 16 << 20;
/// What is wrong with a file that ends within quotes.
const NEVER_CLOSED: &str = "a quote that is opened in this row is never closed";

/// Which column of a file is which of the table.
#[derive(Debug)]
pub(super) struct Layout {
    /// The names of the file's columns.
    pub(super) names: Vec<String>,
    /// Where each of the table's columns stands in the file; none: nowhere.
    pub(super) positions: Vec<Option<usize>>,
}

#[async_trait]
impl TextReader for CsvReader {
    fn name(&self) -> &'static str {
        self.name
    }

    fn compression(&self) -> Compression {
        self.options.compression
    }

    fn encoding(&self) -> Encoding {
        self.options.encoding
    }

    fn splits(&self) -> bool {
        true
    }

    async fn prepare(&self, task: &Task) -> Result<Prepared, Error> {
        let Some(layout) = layout(&self.options, &task.input, &task.schema).await? else {
            return Ok(Prepared { chunks: futures::stream::empty().boxed(), parser: Box::new(Nothing) });
        };
        let (start, end) = task.range.unwrap_or((0, u64::MAX));
        let schema =
            task.schema.project(&task.columns).map_err(|error| Error::engine(&task.input.name, error.into()))?;
        let sources: Vec<_> =
            task.columns.iter().map(|column| layout.positions.get(*column).copied().flatten()).collect();
        let mut kept = vec![false; layout.names.len()];
        for position in sources.iter().flatten() {
            if let Some(kept) = kept.get_mut(*position) {
                *kept = true;
            }
        }
        let place = |position: usize| kept.iter().take(position).filter(|kept| **kept).count();
        let parser = CsvParser {
            sources: sources.iter().map(|source| source.map(place)).collect(),
            rows: Rows::new(&self.options, kept, (start, end)),
            schema: Arc::new(schema),
            batch_size: task.batch_size,
        };
        Ok(Prepared { chunks: task.input.chunks(0).await?.stream, parser: Box::new(parser) })
    }
}

/// How a file's columns and the table's correspond; none for a file without a line.
pub(super) async fn layout(options: &CsvOptions, input: &Input, schema: &SchemaRef) -> Result<Option<Layout>, Error> {
    let fields = schema.fields();
    if !options.by_name() {
        let names = fields.iter().map(|field| field.name().clone()).collect();
        return Ok(Some(Layout { names, positions: (0..fields.len()).map(Some).collect() }));
    }
    let Some(names) = header(options, input).await? else { return Ok(None) };
    let positions = positions(schema, &names);
    if positions.iter().all(Option::is_none) && !fields.is_empty() {
        return Err(Error::NoCommonColumn { file: input.name.clone(), found: names.join(", ") });
    }
    let is_known = |place: &usize| positions.contains(&Some(*place));
    if let Some(unknown) = (0..names.len()).find(|place| options.refuses_others && !is_known(place)) {
        let column = names.get(unknown).cloned().unwrap_or_default();
        return Err(Error::UnknownColumn { file: input.name.clone(), line: 1, column });
    }
    Ok(Some(Layout { names, positions }))
}

/// The names in a file's first record; none for a file without one.
pub(super) async fn header(options: &CsvOptions, input: &Input) -> Result<Option<Vec<String>>, Error> {
    let dialect = options.header_dialect();
    let mut limit = HEADER_BYTES;
    loop {
        let (bytes, more) = input.head(limit).await?;
        let mut records = Records::default();
        let wanted = Wanted { columns: None, is_last: !more, max_records: 1 };
        let (end, stop) = split(&dialect, &bytes, 0, wanted, &mut records);
        if records.len() == 0 && more && limit <= MAX_HEADER_BYTES {
            limit *= 16;
            continue;
        }
        if matches!(stop, Stop::Unclosed { .. }) || (records.len() == 0 && more) {
            let reason = if more { "the header is too long" } else { NEVER_CLOSED };
            return Err(Error::Malformed { file: input.name.clone(), line: 1, reason: reason.to_owned() });
        }
        let text = std::str::from_utf8(bytes.get(..end).unwrap_or_default());
        let text = text.map_err(|_| not_utf8(&input.name, 1, &bytes))?;
        let names = records.rows(text, &dialect).next();
        return Ok(names.map(|names| column_names(names.iter().map(|name| name.text.as_ref()))));
    }
}

/// The error of a file in another encoding.
pub(super) fn not_utf8(file: &str, line: u64, bytes: &[u8]) -> Error {
    let fitting = fitting(bytes).to_owned();
    Error::WrongEncoding { file: file.to_owned(), line, encoding: "UTF-8".to_owned(), fitting }
}

/// Cuts the bytes of a file's part into rows, a buffer full at a time.
pub(super) struct Rows {
    options: CsvOptions,
    part: Part,
    /// Which of the file's columns are kept.
    kept: Vec<bool>,
    buffer: Buffer,
    records: Records,
    skips_header: bool,
}

impl Rows {
    pub(super) fn new(options: &CsvOptions, kept: Vec<bool>, (start, end): (u64, u64)) -> Self {
        Self {
            part: Part::new(options.dialect(), start, end),
            skips_header: options.has_header() && start == 0,
            options: options.clone(),
            kept,
            buffer: Buffer::default(),
            records: Records::default(),
        }
    }

    pub(super) fn push(&mut self, chunk: Bytes) -> Result<(), Fault> {
        let (position, kept) = self.part.push(chunk);
        self.buffer.push(position, &kept, ("a row", "; is a quote in it never closed?"))
    }

    pub(super) fn finish(&mut self) {
        self.buffer.finish();
    }

    pub(super) fn is_done(&self) -> bool {
        self.part.is_done()
    }

    /// Whether all rows were handed out.
    pub(super) fn is_finished(&self) -> bool {
        self.buffer.is_last && self.records.len() == 0
    }

    /// Cuts on, and hands out rows when there are `max_rows` of them, or the buffer is long, or nothing follows.
    pub(super) fn next(&mut self, max_rows: usize) -> Result<Option<Cut<'_>>, Fault> {
        if self.buffer.is_waiting() {
            return Ok(None);
        }
        let is_last = self.buffer.is_last;
        if self.skips_header {
            let wanted = Wanted { columns: None, is_last, max_records: 1 };
            let dialect = self.options.header_dialect();
            let (end, stop) = split(&dialect, self.buffer.bytes(), self.buffer.cut, wanted, &mut self.records);
            let found = self.records.len();
            self.records.clear();
            self.buffer.cut = end;
            if found == 0 {
                return self.stopped(stop, false);
            }
            self.skips_header = false;
        }
        let wanted = Wanted { columns: Some(&self.kept), is_last, max_records: max_rows };
        let dialect = self.options.dialect();
        let (end, stop) = split(&dialect, self.buffer.bytes(), self.buffer.cut, wanted, &mut self.records);
        self.buffer.cut = end;
        self.stopped(stop, true)
    }

    /// What to do when no more records can be cut.
    fn stopped(&mut self, stop: Stop, is_row: bool) -> Result<Option<Cut<'_>>, Fault> {
        match stop {
            Stop::Ragged { start, found } => {
                let reason = RowFault::Ragged { expected: self.kept.len(), found };
                return Err(Fault::Row { offset: self.buffer.offset(start), reason });
            }
            Stop::Unclosed { start } => return Err(self.buffer.malformed(start, NEVER_CLOSED.to_owned())),
            Stop::Incomplete if !self.buffer.is_last => self.buffer.wait(),
            Stop::Incomplete | Stop::Full => {}
        }
        let is_complete = matches!(stop, Stop::Full) || self.buffer.is_last || self.buffer.is_long();
        if !is_row || !is_complete || self.records.len() == 0 {
            return Ok(None);
        }
        match self.buffer.text() {
            Ok(text) => Ok(Some(Cut { text, rows: self })),
            Err(at) => {
                let starts = (0..self.records.len()).rev().map(|row| self.records.start(row));
                Err(self.buffer.not_utf8(starts.into_iter().find(|start| *start <= at).unwrap_or_default()))
            }
        }
    }

    /// Forgets the rows that were handed out.
    pub(super) fn forget(&mut self) {
        self.buffer.forget();
        self.records.clear();
    }
}

/// Rows that are cut.
pub(super) struct Cut<'a> {
    text: &'a str,
    rows: &'a Rows,
}

impl<'a> Cut<'a> {
    /// How many there are.
    pub(super) fn len(&self) -> usize {
        self.rows.records.len()
    }

    /// The fields of the kept column at a place.
    pub(super) fn fields(&self, place: usize) -> impl Iterator<Item = Cell<'a>> + Clone + 'a {
        self.rows.records.column(self.text, self.rows.options.dialect(), place)
    }

    /// The column of a type from the kept column at a place; the row that has no value of the type, else.
    fn column(&self, place: usize, data_type: &DataType) -> Result<ArrayRef, Misfit> {
        let (options, is_text) = (&self.rows.options, data_type.is_string());
        let texts = self.fields(place).map(|field| {
            let is_null = if is_text { options.is_null(&field) } else { options.is_missing(&field) };
            (!is_null).then_some(field.text)
        });
        column(data_type, self.len(), &options.forms, texts)
    }
}

/// Reads the columns that are wanted of a part.
struct CsvParser {
    rows: Rows,
    /// For each wanted column its place among the kept ones; none: NULLs.
    sources: Vec<Option<usize>>,
    schema: SchemaRef,
    batch_size: usize,
}

impl Parse for CsvParser {
    fn push(&mut self, chunk: Bytes) -> Result<(), Fault> {
        self.rows.push(chunk)
    }

    fn finish(&mut self) -> Result<(), Fault> {
        self.rows.finish();
        Ok(())
    }

    fn is_done(&self) -> bool {
        self.rows.is_done()
    }

    fn next(&mut self) -> Result<Option<RecordBatch>, Fault> {
        let Some(cut) = self.rows.next(self.batch_size)? else { return Ok(None) };
        let rows = cut.len();
        let mut columns = Vec::with_capacity(self.sources.len());
        for (source, field) in self.sources.iter().zip(self.schema.fields()) {
            let Some(place) = *source else {
                columns.push(new_null_array(field.data_type(), rows));
                continue;
            };
            match cut.column(place, field.data_type()) {
                Ok(array) => columns.push(array),
                Err(Misfit(row)) => return Err(misfit(&cut, place, row, field)),
            }
        }
        let options = RecordBatchOptions::new().with_row_count(Some(rows));
        let batch = RecordBatch::try_new_with_options(Arc::clone(&self.schema), columns, &options)?;
        self.rows.forget();
        Ok(Some(batch))
    }
}

fn misfit(cut: &Cut<'_>, place: usize, row: usize, field: &Field) -> Fault {
    let value = cut.fields(place).nth(row).map(|field| field.text.into_owned());
    Fault::Row {
        offset: cut.rows.buffer.offset(cut.rows.records.start(row)),
        reason: RowFault::Value {
            column: field.name().clone(),
            value: value.unwrap_or_default(),
            expected: type_name(field.data_type()),
        },
    }
}

/// The parser of a file without a line.
struct Nothing;

impl Parse for Nothing {
    fn push(&mut self, _: Bytes) -> Result<(), Fault> {
        Ok(())
    }

    fn finish(&mut self) -> Result<(), Fault> {
        Ok(())
    }

    fn is_done(&self) -> bool {
        true
    }

    fn next(&mut self) -> Result<Option<RecordBatch>, Fault> {
        Ok(None)
    }
}
