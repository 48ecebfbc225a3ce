//! From a CSV file's bytes to batches.

use std::{borrow::Cow, collections::HashSet, ops::Range};

use arrow::{
    array::{ArrayRef, RecordBatch, new_null_array},
    datatypes::{DataType, Field, SchemaRef},
};
use async_trait::async_trait;
use bytes::Bytes;
use futures::StreamExt;

use super::{
    super::{
        binary::check_missing,
        buffer::Buffer,
        bytes::{Compression, Input},
        columns::{
            Misfit, Texts, batch_of, column, lenient_column, missing, nullable, required, with_schema, without_rows,
        },
        encoding::{Encoding, fitting},
        infer::{positions, type_name},
        json::cells,
        rejects::{OnError, Reject, Spot},
        text::{Fault, Parse, Prepared, RowFault, Task, TextReader, located, shortened},
    },
    CsvOptions, CsvReader, Error, column_names,
    header::begins_with_names,
    parts::Part,
    split::{Field as Cell, Records, Stop, Wanted, split},
};

/// Whose options a message may name: those of TSV are the same.
pub(super) const FORMAT: &str = "csv";
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

    fn on_error(&self) -> OnError {
        self.options.on_error
    }

    fn skipped_lines(&self) -> u64 {
        self.options.skipped_lines
    }

    fn finds_by_name(&self) -> bool {
        self.options.by_name()
    }

    fn splits(&self) -> bool {
        true
    }

    async fn prepare(&self, task: &Task) -> Result<Prepared, Error> {
        let Some(layout) = layout(&self.options, task).await? else {
            return Ok(Prepared { chunks: futures::stream::empty().boxed(), parser: Box::new(Nothing) });
        };
        let (start, end) = task.range.unwrap_or((0, u64::MAX));
        let has_header = start == 0 && begins_with_names(&self.options, &task.input).await?;
        // Which rows there are must not depend on which columns are wanted: all are looked at if wrong rows are left out.
        let looks_at_all = self.options.on_error.is_lenient();
        let every: Vec<_> = (0..task.schema.fields().len()).collect();
        let columns = if looks_at_all { &every } else { &task.columns };
        let columns_schema = task.project(columns)?;
        let sources: Vec<_> = columns.iter().map(|column| layout.positions.get(*column).copied().flatten()).collect();
        let mut kept = vec![false; layout.names.len()];
        for position in sources.iter().flatten() {
            if let Some(kept) = kept.get_mut(*position) {
                *kept = true;
            }
        }
        let mut count = 0;
        let places = kept.iter().map(|kept| {
            count += usize::from(*kept);
            count - usize::from(*kept)
        });
        let places: Vec<usize> = places.collect();
        let parser = CsvParser {
            sources: sources.iter().map(|source| places.get((*source)?).copied()).collect(),
            rows: Rows::new(&self.options, kept, (start, end), has_header),
            columns_schema,
            schema: task.project(&task.columns)?,
            batch_size: task.batch_size,
            on_error: self.options.on_error,
            wanted: looks_at_all.then(|| task.columns.clone()),
            rejects: Vec::new(),
        };
        Ok(Prepared { chunks: task.input.chunks(0).await?.stream, parser: Box::new(parser) })
    }
}

/// How a file's columns and the table's correspond; none for a file without a line.
pub(super) async fn layout(options: &CsvOptions, task: &Task) -> Result<Option<Layout>, Error> {
    let Task { input, schema, width, .. } = task;
    let fields = schema.fields();
    if !options.by_name() {
        let names = fields.iter().map(|field| field.name().clone()).collect();
        return Ok(Some(Layout { names, positions: (0..fields.len()).map(Some).collect() }));
    }
    let Some(names) = header(options, input).await? else { return Ok(None) };
    let positions = positions(schema, &names).map_err(|unclear| unclear.in_file(&input.name))?;
    if positions.iter().all(Option::is_none) && !fields.is_empty() {
        let (file, line) = (input.name.clone(), Some(1 + input.skipped_lines));
        return Err(Error::NoCommonColumn { file, line, found: names.join(", ") });
    }
    let known: HashSet<usize> = positions.iter().copied().flatten().collect();
    if let Some(unknown) = (0..names.len()).find(|place| options.refused.others && !known.contains(place)) {
        let column = names.get(unknown).cloned().unwrap_or_default();
        let (file, line) = (input.name.clone(), 1 + input.skipped_lines);
        return Err(Error::UnknownColumn { file, line: Some(line), column });
    }
    if options.refused.missing {
        check_missing(schema, positions.get(..*width).unwrap_or_default(), &input.name)?;
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
        // Where the first line is a row, what is wrong with it is said when the rows are read.
        let wanted = Wanted { columns: None, is_strict: options.by_name(), is_last: !more, max_records: 1 };
        let (end, stop) = split(&dialect, &bytes, 0, wanted, &mut records);
        if let Stop::Behind { start, at, field, .. } = stop {
            let reason = RowFault::Malformed(behind(&bytes, at, field));
            return Err(located(input, Fault::Row { offset: start as u64, reason }, FORMAT).await);
        }
        if records.len() == 0 && more && limit <= MAX_HEADER_BYTES {
            limit *= 16;
            continue;
        }
        if matches!(stop, Stop::Unclosed { .. }) || (records.len() == 0 && more) {
            let reason = if more { "the header is too long" } else { NEVER_CLOSED };
            let (file, line) = (input.name.clone(), 1 + input.skipped_lines);
            return Err(Error::Malformed { file, line, reason: reason.to_owned() });
        }
        let text = std::str::from_utf8(bytes.get(..end).unwrap_or_default());
        let text = text.map_err(|_| not_utf8(&input.name, 1 + input.skipped_lines, &bytes))?;
        let names = records.rows(text, &dialect).next();
        return Ok(names.map(|names| column_names(names.iter().map(|name| name.text.as_ref()))));
    }
}

/// The error of a file in another encoding.
pub(super) fn not_utf8(file: &str, line: u64, bytes: &[u8]) -> Error {
    let fitting = fitting(bytes).to_owned();
    Error::WrongEncoding { file: file.to_owned(), line, encoding: "UTF-8".to_owned(), fitting }
}

/// What is wrong with a row in which something follows a closing quote.
fn behind(bytes: &[u8], at: usize, field: usize) -> String {
    let rest = bytes.get(at..).unwrap_or_default();
    let line = rest.split(|byte| matches!(byte, b'\n' | b'\r')).next().unwrap_or_default();
    let found = shortened(&String::from_utf8_lossy(line));
    let before = bytes.get(at.saturating_sub(2)..at).unwrap_or_default();
    let way = match before {
        [b'\\', _] => "a quote within quotes seems to have a backslash before it: say escape => '\\'",
        _ => "a quote within quotes is written twice; if quotes are letters like others here, say quote => 'none'",
    };
    format!("field {} goes on behind its closing quote, with {found}; {way}", field + 1)
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
    /// The rows that were left out: of another number of fields, or with something behind a closing quote.
    left_out: Vec<Reject>,
}

impl Rows {
    pub(super) fn new(options: &CsvOptions, kept: Vec<bool>, (start, end): (u64, u64), has_header: bool) -> Self {
        Self {
            part: Part::new(options.dialect(), start, end),
            skips_header: has_header && start == 0,
            options: options.clone(),
            kept,
            buffer: Buffer::default(),
            records: Records::default(),
            left_out: Vec::new(),
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
            let wanted = Wanted { columns: None, is_strict: true, is_last, max_records: 1 };
            let dialect = self.options.header_dialect();
            let (end, stop) = split(&dialect, self.buffer.bytes(), self.buffer.cut, wanted, &mut self.records);
            let found = self.records.len();
            self.records.clear();
            self.buffer.cut = end;
            if let Stop::Behind { start, at, field, .. } = stop {
                // No row can be left out instead of the names.
                return Err(self.buffer.malformed(start, behind(self.buffer.bytes(), at, field)));
            }
            if found == 0 {
                return self.stopped(stop, false);
            }
            self.skips_header = false;
        }
        let dialect = self.options.dialect();
        loop {
            let wanted = Wanted { columns: Some(&self.kept), is_strict: true, is_last, max_records: max_rows };
            let (end, stop) = split(&dialect, self.buffer.bytes(), self.buffer.cut, wanted, &mut self.records);
            self.buffer.cut = end;
            match stop {
                Stop::Ragged { start, end, found } if self.options.on_error.is_lenient() => {
                    self.leave_out(start..end, format!("{} fields, found {found}", self.kept.len()));
                }
                Stop::Behind { start, end: Some(end), .. } if self.options.on_error.is_lenient() => {
                    self.leave_out(start..end, "nothing behind a closing quote".to_owned());
                }
                stop => return self.stopped(stop, true),
            }
        }
    }

    /// Passes over bytes that should be a row, and notes what was expected there.
    fn leave_out(&mut self, row: Range<usize>, expected: String) {
        let bytes = self.buffer.bytes().get(row.clone()).unwrap_or_default();
        self.left_out.push(Reject {
            spot: Spot::Byte(self.buffer.offset(row.start)),
            column: None,
            value: String::from_utf8_lossy(bytes).trim_end_matches(['\r', '\n']).to_owned(),
            expected,
        });
        self.buffer.cut = row.end;
    }

    /// What to do when no more records can be cut.
    fn stopped(&mut self, stop: Stop, is_row: bool) -> Result<Option<Cut<'_>>, Fault> {
        match stop {
            Stop::Ragged { start, found, .. } => {
                let begin = self.buffer.bytes().get(start).map(|byte| char::from(*byte));
                let begin = begin.filter(char::is_ascii_punctuation);
                let reason = RowFault::Ragged { expected: self.kept.len(), found, begin };
                return Err(Fault::Row { offset: self.buffer.offset(start), reason });
            }
            Stop::Unclosed { start } => return Err(self.buffer.malformed(start, NEVER_CLOSED.to_owned())),
            // Where rows may be left out, all of this one must be there.
            Stop::Behind { .. } if self.options.on_error.is_lenient() && !self.buffer.is_last => self.buffer.wait(),
            Stop::Behind { start, at, field, .. } => {
                let reason = behind(self.buffer.bytes(), at, field);
                return Err(self.buffer.malformed(start, reason));
            }
            Stop::Incomplete if !self.buffer.is_last => self.buffer.wait(),
            Stop::Incomplete | Stop::Full => {}
        }
        let is_complete = matches!(stop, Stop::Full) || self.buffer.is_last || self.buffer.is_long();
        if is_row && self.records.len() == 0 {
            // Nothing of what was cut is a row: lines that are passed over, and rows that are left out.
            self.buffer.forget();
        }
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

    /// Forgets the rows that were left out.
    pub(super) fn forget_left_out(&mut self) {
        self.left_out.clear();
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

    /// Where in the file a row begins.
    pub(super) fn offset(&self, row: usize) -> u64 {
        self.rows.buffer.offset(self.rows.records.start(row))
    }

    /// The fields of the kept column at a place.
    pub(super) fn fields(&self, place: usize) -> impl Iterator<Item = Cell<'a>> + Clone + 'a {
        self.rows.records.column(self.text, self.rows.options.dialect(), place)
    }

    /// The texts of the kept column at a place, for a type.
    fn texts(&self, place: usize, data_type: &DataType) -> impl Iterator<Item = Option<Cow<'a, str>>> + 'a {
        let (options, is_text) = (&self.rows.options, data_type.is_string());
        self.fields(place).map(move |field| {
            let is_null = if is_text { options.is_null(&field) } else { options.is_missing(&field) };
            (!is_null).then_some(field.text)
        })
    }

    /// A column of the table from the kept column at a place; the row that has no value of its type, else.
    fn column(&self, place: usize, field: &Field) -> Result<ArrayRef, Misfit> {
        self.made(field, self.len(), self.texts(place, field.data_type()))
    }

    fn made<'b>(&self, field: &Field, rows: usize, texts: impl Texts<'b>) -> Result<ArrayRef, Misfit> {
        let (data_type, forms) = (field.data_type(), self.rows.options.forms.of_column(field.name()));
        match data_type.is_nested() {
            true => cells::column(data_type, rows, &forms, texts),
            false => column(data_type, rows, &forms, texts),
        }
    }

    /// The column with NULL where a row has no value of the type, and these rows with their texts.
    fn lenient_column(&self, place: usize, field: &Field) -> Result<(ArrayRef, Vec<(usize, String)>), Misfit> {
        lenient_column(|| self.texts(place, field.data_type()), |rows, texts| self.made(field, rows, texts))
    }
}

/// Reads the columns that are wanted of a part.
struct CsvParser {
    rows: Rows,
    /// For each wanted column its place among the kept ones; none: NULLs.
    sources: Vec<Option<usize>>,
    /// The columns that are looked at.
    columns_schema: SchemaRef,
    /// Those of them that are handed out.
    schema: SchemaRef,
    batch_size: usize,
    on_error: OnError,
    /// Which of the columns are wanted, where others are looked at, too.
    wanted: Option<Vec<usize>>,
    rejects: Vec<Reject>,
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
        let (mut columns, mut left_out) = (Vec::with_capacity(self.sources.len()), Vec::new());
        for (source, field) in self.sources.iter().zip(self.columns_schema.fields()) {
            let Some(place) = *source else {
                columns.push(new_null_array(field.data_type(), rows));
                continue;
            };
            let mut misfits = Vec::new();
            let array = match cut.column(place, field) {
                Err(_) if self.on_error.is_lenient() => cut.lenient_column(place, field).map(|(array, found)| {
                    misfits = found;
                    array
                }),
                array => array,
            };
            let array = array.map_err(|Misfit(row)| misfit(&cut, place, row, field))?;
            for (row, value) in &misfits {
                let (column, expected) = (Some(field.name().clone()), type_name(field.data_type()));
                let (spot, value) = (Spot::Byte(cut.offset(*row)), value.clone());
                self.rejects.push(Reject { spot, column, value, expected });
            }
            for Misfit(row) in missing(&array, field) {
                if !self.on_error.is_lenient() {
                    return Err(misfit(&cut, place, row, field));
                }
                if !misfits.iter().any(|(other, _)| *other == row) {
                    let (spot, column) = (Spot::Byte(cut.offset(row)), Some(field.name().clone()));
                    self.rejects.push(Reject { spot, column, value: String::new(), expected: required(field) });
                }
                left_out.push(row);
            }
            if self.on_error == OnError::Skip {
                left_out.extend(misfits.iter().map(|(row, _)| *row));
            }
            columns.push(array);
        }
        let mut batch = batch_of(&nullable(&self.columns_schema), columns, rows)?;
        if let Some(wanted) = &self.wanted {
            batch = without_rows(&batch, &left_out)?.project(wanted)?;
        }
        let batch = with_schema(&batch, &self.schema)?;
        self.rows.forget();
        Ok(Some(batch))
    }

    fn take_rejects(&mut self) -> Vec<Reject> {
        let mut rejects = std::mem::take(&mut self.rejects);
        rejects.append(&mut self.rows.left_out);
        rejects
    }
}

fn misfit(cut: &Cut<'_>, place: usize, row: usize, field: &Field) -> Fault {
    let value = cut.fields(place).nth(row).map(|field| field.text.into_owned());
    Fault::Row {
        offset: cut.offset(row),
        reason: RowFault::Value {
            column: field.name().clone(),
            value: value.unwrap_or_default(),
            expected: if field.is_nullable() { type_name(field.data_type()) } else { required(field) },
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
