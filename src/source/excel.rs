//! Spreadsheets: a sheet's cells as rows, typed by what the cells are and not by how they look.
//!
//! Numbers, truth values, dates and times are those of the cells; a text stays text, whatever it looks like. A span of time
//! that no time of day is makes its column one of intervals. Numbers keep the digits that the file has. The first row names
//! the columns if it holds texts, and years or dates over columns of others. A row without a value is none. A file is read
//! into memory whole.

mod archive;
mod book;
mod cell;
mod digits;
mod header;
mod read;

use std::{
    collections::HashMap,
    panic::{AssertUnwindSafe, catch_unwind},
    sync::Arc,
};

use arrow::datatypes::{Field, Schema};
use async_trait::async_trait;
use bytes::Bytes;
use datafusion::datasource::{physical_plan::FileSource, table_schema::TableSchema};
use futures::TryStreamExt;

use super::{
    Error, Format, Inferred, Options, Sample,
    bytes::{Compression, Input},
    csv::{self, NullMark},
    encoding::Encoding,
    forms::Guessed,
    guess::Guess,
    infer::Spellings,
    options::{self, Refused, boolean, invalid},
    rejects::{self, OnError},
    text::{TextSource, apart, shortened},
    trace::{self, Told},
};
use book::{Book, Cells};
use cell::{Cell, LAST, Place, Value, address, range_of};
use digits::Digits;
use header::{Title, names_columns};

/// `STORED AS EXCEL`.
#[derive(Debug)]
pub(super) struct Excel;

/// Where the name of the sheet is kept that was read of the first file. It is no option that anybody gives.
pub(super) const FIRST_SHEET: &str = "first_sheet";

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
            ("sheet", "the sheet's name, or its number from 1; by default the first one that is shown"),
            ("range", "the cells that are read, such as A3:F100, A3 for all from there on, or A:F; by default all"),
            ("header", "true or false: whether the first row names the columns; by default told by looking at it"),
            csv::NULL_VALUE,
            csv::NULL_REGEX,
            rejects::OPTION,
            options::UNKNOWN_COLUMNS,
            options::MISSING_COLUMNS,
            options::FILENAME,
        ]
    }

    async fn infer(&self, sample: Sample<'_>, mut options: Options) -> Result<Inferred, Error> {
        let mut reader = ExcelReader::parse(&options)?;
        let is_told = reader.header.is_none();
        let (mut columns, mut names): (Vec<Seen>, Vec<Vec<String>>) = (Vec::new(), Vec::new());
        let mut places: HashMap<String, usize> = HashMap::new();
        for input in sample.inputs(Compression::default(), Encoding::bytes(), 0) {
            let wanted = reader.clone();
            let sheet = apart(input.name.clone(), async move { wanted.sheet(&input).await }).await?;
            let Some(sheet) = sheet else { continue };
            if let (true, Some(title)) = (is_told, &sheet.title) {
                let (file, line, title, way) = (sheet.file, sheet.begin, title.text.clone(), reader.way_past(title));
                return Err(Error::TitleAbove { file, line, title, way });
            }
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
                let known = *places.entry(name.clone()).or_insert(columns.len());
                if known == columns.len() {
                    columns.push(Seen::new(name));
                }
                let Some(Seen { guess, told, first, .. }) = columns.get_mut(known) else { continue };
                for (row, cells) in &sheet.rows {
                    // A text of blanks is no value of a column of others.
                    let cell = cells.get(place).and_then(Cell::of).filter(|cell| !cell.text.trim().is_empty());
                    let Some(cell) = cell else { continue };
                    let before = guess.known_type();
                    cell.see(guess);
                    if before.is_some() && before != guess.known_type() {
                        let place = trace::Place::File(format!("{}, row {row}", sheet.file));
                        told.forced = Some((shortened(&cell.text), place));
                    }
                    told.example.get_or_insert_with(|| shortened(&cell.text));
                    first.get_or_insert_with(|| format!("{}, row {row}", sheet.file));
                }
            }
            options.entry(FIRST_SHEET.to_owned()).or_insert(sheet.sheet);
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
        Ok(Inferred { options, schema, told, doubts: Vec::new() })
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
            let own = other.told.example.clone().zip(other.first.clone().map(trace::Place::File));
            self.told.forced = other.told.forced.or(own);
        }
        self.told.example = self.told.example.take().or(other.told.example);
        self.first = self.first.take().or(other.first);
    }
}

/// The columns of the table: those of several files whose names are the same but for case are one.
fn joined(seen: Vec<Seen>, names: &[Vec<String>]) -> Vec<Seen> {
    let spellings = Spellings::of(names.iter().map(|names| names.iter().map(String::as_str)));
    let (mut columns, mut places): (Vec<Seen>, HashMap<String, usize>) = (Vec::new(), HashMap::new());
    for mut column in seen {
        column.name = spellings.of_table(&column.name);
        let place = *places.entry(column.name.clone()).or_insert(columns.len());
        match columns.get_mut(place) {
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
    /// The first and the last cell.
    range: Option<(Place, Place)>,
    header: Option<bool>,
    null: NullMark,
    on_error: OnError,
    refused: Refused,
    guessed: Guessed,
}

/// What a sheet holds.
struct Sheet {
    file: String,
    sheet: String,
    /// The number of its first row, from 1, what that holds, and whether that is names.
    begin: u64,
    first_row: String,
    begins_with_names: bool,
    /// What that is if it seems to be no row at all.
    title: Option<Title>,
    has_header: bool,
    names: Vec<String>,
    /// The rows with a value, and their numbers from 1.
    rows: Vec<(u32, Vec<Value>)>,
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
            on_error: OnError::parse(get(rejects::OPTION.0))?,
            refused: Refused::parse(options)?,
            guessed: Guessed::parse(options),
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
                return Err(too_large(&input.name, reason));
            }
        }
        let (reader, file, bytes) = (self.clone(), input.name.clone(), Bytes::from(bytes));
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

    fn read(&self, file: &str, bytes: Bytes) -> Result<Option<Sheet>, Error> {
        if bytes.is_empty() {
            return Err(Error::EmptyFile { file: file.to_owned() });
        }
        let mut book = Book::open(file, bytes.clone())?;
        let sheet = self.sheet_name(&book)?;
        let digits = Digits::of_sheet(&bytes, book.form(), &sheet);
        let Cells { mut rows, width } = book.cells(file, &sheet, self.range, &digits)?;
        if let Some((_, first)) = rows.first_mut() {
            first.resize(width, Value::EMPTY);
        }
        let title = Title::of(&rows, width);
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
        // The text of each cell is made for it.
        let marked = rows.iter_mut().filter(|_| self.null.is_given());
        for cell in marked.flat_map(|(_, cells)| cells) {
            if Cell::of(cell).is_some_and(|cell| self.null.is(&cell.text)) {
                *cell = Value::EMPTY;
            }
        }
        let (file, first_row) = (file.to_owned(), texts.join(", "));
        Ok(Some(Sheet { file, sheet, begin, first_row, begins_with_names, title, has_header, names, rows }))
    }

    /// The option that passes over a title.
    fn way_past(&self, title: &Title) -> String {
        let (column, last) = self.range.map_or((0, None), |(first, last)| (first.1, Some(last)));
        let first = address((title.names.saturating_sub(1), column));
        match last.map(address).filter(|last| last != LAST) {
            Some(last) => format!("range => '{first}:{last}'"),
            None => format!("range => '{first}'"),
        }
    }

    fn sheet_name(&self, book: &Book) -> Result<String, Error> {
        let names = book.sheet_names();
        let found = match &self.sheet {
            None => book.shown_sheet(),
            Some(wanted) => {
                let by_number = || names.get(wanted.parse::<usize>().ok()?.checked_sub(1)?);
                names.iter().find(|name| *name == wanted).or_else(by_number).cloned()
            }
        };
        found.ok_or_else(|| {
            let wanted = self.sheet.clone().unwrap_or_default();
            invalid("sheet", &wanted, &format!("one of {}", names.join(", ")))
        })
    }
}

/// The error of a file that is no spreadsheet, or a broken one.
fn unreadable(file: &str, error: impl std::error::Error + Send + Sync + 'static) -> Error {
    Error::Unreadable {
        file: file.to_owned(),
        format: "spreadsheet".to_owned(),
        reason: error.to_string(),
        source: Arc::new(error),
    }
}

fn too_large(file: &str, reason: String) -> Error {
    Error::TooLarge { file: file.to_owned(), reason }
}
