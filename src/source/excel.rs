//! Spreadsheets: a sheet's cells as rows, typed by what the cells are and not by how they look.
//!
//! Numbers, truth values, dates and times are those of the cells; a text stays text, whatever it looks like. A span of time
//! that no time of day is makes its column one of intervals. The first row names the columns if it holds texts, and years or
//! dates over columns of others. A row without a value is none. A file is read into memory whole.

use std::{
    borrow::Cow,
    collections::BTreeMap,
    io::Cursor,
    panic::{AssertUnwindSafe, catch_unwind},
    sync::Arc,
};

use arrow::{
    array::{ArrayRef, RecordBatch, new_null_array},
    datatypes::{DataType, Field, Schema, SchemaRef},
};
use async_trait::async_trait;
use bytes::Bytes;
use calamine::{Data, Range, Reader, Sheets, open_workbook_auto_from_rs};
use datafusion::datasource::{physical_plan::FileSource, table_schema::TableSchema};
use futures::{StreamExt, TryStreamExt};

use super::{
    Error, Format, Inferred, Options, Sample,
    binary::typed,
    bytes::{Compression, Input},
    columns::{Misfit, batch_of, column},
    csv::{self, NullMark},
    encoding::Encoding,
    forms::Forms,
    guess::Guess,
    infer::{Spellings, positions, type_name},
    options::{self, boolean, invalid},
    text::{Fault, Parse, Prepared, Task, TextReader, TextSource, apart, shortened},
    trace::{Place, Told},
};

use cell::{Cell, range_of};

mod cell;

/// `STORED AS EXCEL`.
#[derive(Debug)]
pub(super) struct Excel;

/// The longest file.
const MAX_FILE_BYTES: usize = 1 << 30;

#[async_trait]
impl Format for Excel {
    fn name(&self) -> &'static str {
        "excel"
    }

    fn endings(&self) -> &'static [&'static str] {
        &["xlsx", "xlsm", "ods"]
    }

    fn options(&self) -> &'static [(&'static str, &'static str)] {
        &[
            ("sheet", "the sheet's name, or its number from 1; by default the first one"),
            ("range", "the cells that are read, such as A3:F100, A3 for all from there on, or A:F; by default all"),
            ("header", "true or false: whether the first row names the columns; by default if it holds texts, or dates over others"),
            csv::NULL_VALUE,
            csv::NULL_REGEX,
            options::UNKNOWN_COLUMNS,
            options::MISSING_COLUMNS,
            options::FILENAME,
        ]
    }

    async fn infer(&self, sample: Sample<'_>, mut options: Options) -> Result<Inferred, Error> {
        let mut reader = ExcelReader::parse(&options)?;
        let is_told = reader.header.is_none();
        let (mut columns, mut names): (Vec<Seen>, Vec<Vec<String>>) = (Vec::new(), Vec::new());
        for input in sample.inputs(Compression::default(), Encoding::bytes(), 0) {
            let wanted = reader.clone();
            let sheet = apart(input.name.clone(), async move { wanted.sheet(&input).await }).await?;
            let Some(sheet) = sheet else { continue };
            let has_header = *reader.header.get_or_insert(sheet.has_header);
            if is_told && sheet.begins_with_names != has_header {
                let first = if has_header { "names" } else { "values" }.to_owned();
                return Err(Error::UnclearHeader {
                    file: sheet.file,
                    line: sheet.begin,
                    found: sheet.first_row,
                    first,
                });
            }
            for (place, name) in sheet.names.iter().enumerate() {
                let known = columns.iter().position(|known| known.name == *name).unwrap_or_else(|| {
                    columns.push(Seen::new(name));
                    columns.len() - 1
                });
                let Some(Seen { guess, told, first, .. }) = columns.get_mut(known) else { continue };
                for (row, cells) in &sheet.rows {
                    // A text of blanks is no value of a column of others.
                    let cell = cells.get(place).and_then(Cell::of).filter(|cell| !cell.text.trim().is_empty());
                    let Some(cell) = cell else { continue };
                    let before = guess.known_type();
                    cell.see(guess);
                    if before.is_some() && before != guess.known_type() {
                        let place = Place::File(format!("{}, row {row}", sheet.file));
                        told.forced = Some((shortened(&cell.text), place));
                    }
                    told.example.get_or_insert_with(|| shortened(&cell.text));
                    first.get_or_insert_with(|| format!("{}, row {row}", sheet.file));
                }
            }
            names.push(sheet.names);
        }
        let columns = joined(columns, &names);
        if columns.is_empty() {
            let file = sample.files.first().map(|file| file.name.clone()).unwrap_or_default();
            return Err(Error::NoRows { file });
        }
        options::settle_unknown(&mut options, sample.declared.is_some());
        options.insert("header".to_owned(), reader.header.unwrap_or(true).to_string());
        let fields = columns.iter().map(|column| Field::new(&column.name, column.guess.data_type(), true));
        let schema = Schema::new(fields.collect::<Vec<_>>());
        let told = columns.into_iter().map(|column| (column.name, column.told)).collect();
        Ok(Inferred { options, schema, told })
    }

    fn file_source(&self, options: &Options, schema: TableSchema, place: &str) -> Result<Arc<dyn FileSource>, Error> {
        let reader = ExcelReader::parse(options)?;
        Ok(Arc::new(TextSource::new(Arc::new(reader), options, schema, place)))
    }
}

/// What has been seen of a column.
struct Seen {
    name: String,
    guess: Guess,
    told: Told,
    /// The file and the row of its first value.
    first: Option<String>,
}

impl Seen {
    fn new(name: &str) -> Self {
        Self { name: name.to_owned(), guess: Guess::default(), told: Told::default(), first: None }
    }

    /// Adds what was seen under another spelling of the name.
    fn join(&mut self, other: Self) {
        let before = self.guess.known_type();
        self.guess.merge(other.guess);
        if before.is_some() && before != self.guess.known_type() {
            let own = other.told.example.clone().zip(other.first.clone().map(Place::File));
            self.told.forced = other.told.forced.or(own);
        }
        self.told.example = self.told.example.take().or(other.told.example);
        self.first = self.first.take().or(other.first);
    }
}

/// The columns of the table: those of several files whose names are the same but for case are one.
fn joined(seen: Vec<Seen>, names: &[Vec<String>]) -> Vec<Seen> {
    let spellings = Spellings::of(names.iter().map(|names| names.iter().map(String::as_str)));
    let mut columns: Vec<Seen> = Vec::new();
    for mut column in seen {
        column.name = spellings.of_table(&column.name);
        match columns.iter_mut().find(|known| known.name == column.name) {
            Some(known) => known.join(column),
            None => columns.push(column),
        }
    }
    columns
}

/// Reads the files of a table.
#[derive(Debug, Clone)]
struct ExcelReader {
    sheet: Option<String>,
    /// The first and the last cell, as row and column from 0.
    range: Option<((u32, u32), (u32, u32))>,
    header: Option<bool>,
    null: NullMark,
    refuses_others: bool,
}

/// What a sheet holds.
struct Sheet {
    file: String,
    /// The number of its first row, from 1, what that holds, and whether it is texts alone.
    begin: u64,
    first_row: String,
    begins_with_names: bool,
    has_header: bool,
    names: Vec<String>,
    /// The rows with a value, and their numbers from 1.
    rows: Vec<(u32, Vec<Data>)>,
}

impl ExcelReader {
    fn parse(options: &Options) -> Result<Self, Error> {
        let get = |name: &str| options.get(name).map(String::as_str);
        let range = get("range")
            .map(|text| range_of(text).ok_or_else(|| invalid("range", text, "cells such as A3:F100, A3 or A:F")));
        Ok(Self {
            sheet: get("sheet").map(str::to_owned),
            range: range.transpose()?,
            header: boolean("header", get("header"))?,
            null: NullMark::parse(options)?,
            refuses_others: options::refuses_unknown(options)?,
        })
    }

    /// The sheet of a file that is wanted; none of one without a value.
    async fn sheet(&self, input: &Input) -> Result<Option<Sheet>, Error> {
        let mut bytes = Vec::new();
        let mut chunks = input.chunks(0).await?.stream;
        while let Some(chunk) = chunks.try_next().await? {
            bytes.extend_from_slice(&chunk);
            if bytes.len() > MAX_FILE_BYTES {
                let reason = format!("it is longer than {} GB", MAX_FILE_BYTES >> 30);
                return Err(Error::Malformed { file: input.name.clone(), line: 1, reason });
            }
        }
        let (reader, file) = (self.clone(), input.name.clone());
        let read = tokio::task::spawn_blocking(move || {
            let broken = |_| Error::Malformed {
                file: file.clone(),
                line: 1,
                reason: "the parts of the spreadsheet contradict one another".to_owned(),
            };
            catch_unwind(AssertUnwindSafe(|| reader.read(&file, bytes))).map_err(broken).flatten()
        });
        let failed = |error: tokio::task::JoinError| Error::Io {
            file: input.name.clone(),
            reason: error.to_string(),
            source: Arc::new(error),
        };
        read.await.map_err(failed)?
    }

    fn read(&self, file: &str, bytes: Vec<u8>) -> Result<Option<Sheet>, Error> {
        let unreadable = |error: calamine::Error| Error::Unreadable {
            file: file.to_owned(),
            format: "spreadsheet".to_owned(),
            reason: error.to_string(),
            source: Arc::new(error),
        };
        if bytes.is_empty() {
            return Err(Error::EmptyFile { file: file.to_owned() });
        }
        if !bytes.starts_with(ARCHIVE) {
            let source = calamine::Error::Msg("it is no spreadsheet in the form of Office Open XML or OpenDocument");
            return Err(unreadable(source));
        }
        let mut book = open_workbook_auto_from_rs(Cursor::new(bytes)).map_err(unreadable)?;
        let name = self.sheet_name(&book)?;
        let Cells { mut rows, width } = self.cells(&mut book, (file, &name)).map_err(unreadable)??;
        if let Some((_, first)) = rows.first_mut() {
            first.resize(width, Data::Empty);
        }
        let Some((begin, first)) = rows.first() else { return Ok(None) };
        let begin = u64::from(*begin);
        let begins_with_names = names_columns(first, rows.get(1..).unwrap_or_default());
        let has_header = self.header.unwrap_or(begins_with_names);
        let texts: Vec<_> = first.iter().map(|cell| Cell::of(cell).map(|cell| cell.text).unwrap_or_default()).collect();
        let names = match has_header {
            true => csv::column_names(texts.iter().map(String::as_str)),
            false => (1..=first.len()).map(|number| format!("column_{number}")).collect(),
        };
        if has_header {
            rows.remove(0);
        }
        for cell in rows.iter_mut().flat_map(|(_, cells)| cells) {
            if Cell::of(cell).is_some_and(|cell| self.null.is(&cell.text)) {
                *cell = Data::Empty;
            }
        }
        let (file, first_row) = (file.to_owned(), texts.join(", "));
        Ok(Some(Sheet { file, begin, first_row, begins_with_names, has_header, names, rows }))
    }

    fn sheet_name(&self, book: &Sheets<Cursor<Vec<u8>>>) -> Result<String, Error> {
        let names = book.sheet_names();
        let found = match &self.sheet {
            None => names.first(),
            Some(wanted) => names.iter().find(|name| *name == wanted).or_else(|| {
                let number: usize = wanted.parse().ok()?;
                names.get(number.checked_sub(1)?)
            }),
        };
        found.cloned().ok_or_else(|| {
            let wanted = self.sheet.clone().unwrap_or_default();
            invalid("sheet", &wanted, &format!("one of {}", names.join(", ")))
        })
    }
}

/// Whether a sheet's first row has the names of its columns: texts, years over columns of others, and dates and times over
/// columns without any.
fn names_columns(first: &[Data], rest: &[(u32, Vec<Data>)]) -> bool {
    let is_year = |cell: &Data| match cell {
        Data::Int(year) => (1900..=2100).contains(year),
        Data::Float(year) => year.fract() == 0.0 && (1900.0..=2100.0).contains(year),
        _ => false,
    };
    let is_time = |cell: &Data| matches!(cell, Data::DateTime(_) | Data::DateTimeIso(_) | Data::DurationIso(_));
    let below = |place: usize| {
        let cells = rest.iter().filter_map(move |(_, cells)| cells.get(place));
        cells.filter(|cell| **cell != Data::Empty)
    };
    let is_name = |(place, cell): (usize, &Data)| match cell {
        Data::String(_) | Data::Empty => true,
        time if is_time(time) => below(place).next().is_some() && !below(place).any(is_time),
        year => is_year(year) && below(place).any(|cell| !is_year(cell)),
    };
    // Numbers alone may be years or not; dates over others are nothing else than names.
    let is_told = |cell: &Data| matches!(cell, Data::String(_)) || is_time(cell);
    first.iter().enumerate().all(is_name) && first.iter().any(is_told)
}

/// What a file of either form begins with.
const ARCHIVE: &[u8] = b"PK";
/// The most cells of a sheet, empty ones before others of their row included.
const MAX_CELLS: usize = 20_000_000;

/// The rows of a sheet with a value, and their numbers from 1. A row goes as far as its last cell.
struct Cells {
    rows: Vec<(u32, Vec<Data>)>,
    /// How far the longest goes.
    width: usize,
}

impl ExcelReader {
    /// The cells of a sheet that are wanted. Those between two far ones take no room.
    fn cells(
        &self,
        book: &mut Sheets<Cursor<Vec<u8>>>,
        (file, name): (&str, &str),
    ) -> Result<Result<Cells, Error>, calamine::Error> {
        let mut found: BTreeMap<u32, Vec<(u32, Data)>> = BTreeMap::new();
        let is_wanted = |(row, column): (u32, u32)| {
            self.range
                .is_none_or(|(first, last)| (first.0..=last.0).contains(&row) && (first.1..=last.1).contains(&column))
        };
        let mut keep = |place: (u32, u32), value: Data| {
            if value != Data::Empty && is_wanted(place) {
                found.entry(place.0).or_default().push((place.1, value));
            }
        };
        match book {
            Sheets::Xlsx(book) => {
                let mut reader = book.worksheet_cells_reader(name)?;
                while let Some(cell) = reader.next_cell_with_formula_metadata()? {
                    let value = Data::from(cell.value);
                    if value == Data::Empty && cell.formula.is_some() && is_wanted(cell.pos) {
                        return Ok(Err(not_computed(file, name, cell.pos)));
                    }
                    keep(cell.pos, value);
                }
            }
            book => {
                let range: Range<Data> = book.worksheet_range(name)?;
                let (row, column) = range.start().unwrap_or_default();
                for (down, right, value) in range.used_cells() {
                    keep((row + down as u32, column + right as u32), value.clone());
                }
            }
        }
        let first = found.values().flatten().map(|(column, _)| *column).min().unwrap_or(0);
        let (mut rows, mut width, mut count) = (Vec::with_capacity(found.len()), 0, 0);
        for (row, cells) in found {
            let length = cells.iter().map(|(column, _)| (column - first) as usize + 1).max().unwrap_or(0);
            width = width.max(length);
            count += length;
            if count > MAX_CELLS {
                let cells = format!("cells that are fewer than {MAX_CELLS}, those between others included");
                return Ok(Err(invalid("range", "all", &cells)));
            }
            let mut values = vec![Data::Empty; length];
            for (column, value) in cells {
                if let Some(place) = values.get_mut((column - first) as usize) {
                    *place = value;
                }
            }
            rows.push((row + 1, values));
        }
        Ok(Ok(Cells { rows, width }))
    }
}

/// A formula without a value: programs that write spreadsheets without computing them leave such behind.
fn not_computed(file: &str, sheet: &str, (row, column): (u32, u32)) -> Error {
    let (mut letters, mut left) = (String::new(), column + 1);
    while left > 0 {
        letters.insert(0, char::from(b'A' + ((left - 1) % 26) as u8));
        left = (left - 1) / 26;
    }
    let reason = format!(
        "the formula in cell {letters}{} of the sheet {sheet} has no value yet: open the file in a spreadsheet program and \
         save it, or leave the cell out with the option range",
        row + 1
    );
    Error::Malformed { file: file.to_owned(), line: u64::from(row) + 1, reason }
}

#[async_trait]
impl TextReader for ExcelReader {
    fn name(&self) -> &'static str {
        "excel"
    }

    fn compression(&self) -> Compression {
        Compression::default()
    }

    async fn prepare(&self, task: &Task) -> Result<Prepared, Error> {
        let schema = task.project(&task.columns)?;
        let file = task.input.name.clone();
        let (names, rows) = self.sheet(&task.input).await?.map(|sheet| (sheet.names, sheet.rows)).unwrap_or_default();
        let of_table = positions(&task.schema, &names).map_err(|unclear| unclear.in_file(&file))?;
        if !rows.is_empty() {
            if of_table.iter().all(Option::is_none) {
                return Err(Error::NoCommonColumn { file, found: names.join(", ") });
            }
            let is_known = |place: usize| of_table.contains(&Some(place));
            let mut others = names.iter().enumerate().filter(|(place, _)| !is_known(*place));
            if let Some((_, column)) = others.next().filter(|_| self.refuses_others) {
                return Err(Error::UnknownColumn { file, line: None, column: column.clone() });
            }
        }
        let places = task.columns.iter().map(|column| of_table.get(*column).copied().flatten()).collect();
        let parser = ExcelParser { file, rows, places, schema, batch_size: task.batch_size, next: 0 };
        Ok(Prepared { chunks: futures::stream::empty().boxed(), parser: Box::new(parser) })
    }
}

/// Reads the columns that are wanted of a sheet.
struct ExcelParser {
    file: String,
    rows: Vec<(u32, Vec<Data>)>,
    /// Where each of the columns stands in the sheet; none: nowhere.
    places: Vec<Option<usize>>,
    schema: SchemaRef,
    batch_size: usize,
    next: usize,
}

impl Parse for ExcelParser {
    /// The sheet was read before: a workbook cannot be read from the front.
    fn push(&mut self, _: Bytes) -> Result<(), Fault> {
        Ok(())
    }

    fn finish(&mut self) -> Result<(), Fault> {
        Ok(())
    }

    fn is_done(&self) -> bool {
        false
    }

    fn next(&mut self) -> Result<Option<RecordBatch>, Fault> {
        let end = self.rows.len().min(self.next + self.batch_size.max(1));
        let rows = self.rows.get(self.next..end).unwrap_or_default();
        if rows.is_empty() {
            return Ok(None);
        }
        let mut columns = Vec::with_capacity(self.places.len());
        for (place, field) in self.places.iter().zip(self.schema.fields()) {
            columns.push(match place {
                Some(place) => self.column(rows, *place, field).map_err(typed)?,
                None => new_null_array(field.data_type(), rows.len()),
            });
        }
        let batch = batch_of(&self.schema, columns, rows.len())?;
        self.next = end;
        Ok(Some(batch))
    }
}

impl ExcelParser {
    fn column(&self, rows: &[(u32, Vec<Data>)], place: usize, field: &Field) -> Result<ArrayRef, Error> {
        let data_type: &DataType = field.data_type();
        let is_value = |cell: &Cell| data_type.is_string() || !cell.text.trim().is_empty();
        let cells = rows.iter().map(|(_, cells)| cells.get(place).and_then(Cell::of).filter(is_value));
        let cells: Vec<_> = cells.collect();
        let texts = cells.iter().map(|cell| cell.as_ref().map(|cell| Cow::Borrowed(cell.text.as_str())));
        column(data_type, rows.len(), &Forms::default(), texts).map_err(|Misfit(row)| Error::InvalidValue {
            file: self.file.clone(),
            line: rows.get(row).map_or(1, |(number, _)| u64::from(*number)),
            column: field.name().clone(),
            value: cells.get(row).and_then(Option::as_ref).map(|cell| shortened(&cell.text)).unwrap_or_default(),
            expected: type_name(data_type),
        })
    }
}
