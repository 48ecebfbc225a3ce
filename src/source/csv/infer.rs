//! A look at CSV files: delimiter, header, blanks after delimiters, names and types.
//!
//! Of each sampled file the first bytes are read, not a number of rows in all: a later file with other values is seen.

use std::sync::Arc;

use arrow::datatypes::{Field, Schema};
use csv::StringRecord;

use super::{
    super::{bytes::Input, guess::Guess, infer::sampled},
    CsvOptions, Error, Inferred, Options, Sample, column_names,
    locate::UnixLines,
    positions,
};

/// How much of the first file is looked at.
const FIRST_FILE_BYTES: usize = 4 << 20;
/// How much of each other file is looked at.
const OTHER_FILE_BYTES: usize = 1 << 20;
/// How many records tell the delimiter.
const DELIMITER_RECORDS: usize = 100;
/// How many records tell whether the first line is a header.
const HEADER_RECORDS: usize = 1000;

/// What has been learnt of a column.
struct Column {
    name: String,
    guess: Guess,
}

/// The records at a file's start, each with its line.
struct Head {
    file: String,
    records: Vec<(u64, StringRecord)>,
}

pub(super) async fn infer(sample: Sample<'_>, mut given: Options, delimiters: &[u8]) -> Result<Inferred, Error> {
    let mut options = CsvOptions::parse(&given)?;
    let mut columns: Vec<Column> = Vec::new();
    let mut first = true;
    for file in sampled(sample.files) {
        let input = Input {
            store: Arc::clone(sample.store),
            meta: file.meta.clone(),
            name: file.name.clone(),
            compression: options.compression,
        };
        let (bytes, more) = input.head(if first { FIRST_FILE_BYTES } else { OTHER_FILE_BYTES }).await?;
        if bytes.iter().all(u8::is_ascii_whitespace) {
            continue;
        }
        if first {
            settle_dialect(&mut options, &bytes, more, delimiters);
        }
        let head = parse_head(&options, &file.name, bytes, more)?;
        if first {
            settle_header(&mut options, &head);
        }
        first = false;
        learn(&options, &mut columns, head)?;
    }
    if first {
        let file = sample.files.first().map(|file| file.name.clone()).unwrap_or_default();
        return Err(Error::EmptyFile { file });
    }
    let fields = columns.iter().map(|column| Field::new(&column.name, column.guess.data_type(), true));
    let schema = Schema::new(fields.collect::<Vec<_>>());
    settle_matching(&mut options, &sample, &columns)?;
    write_down(&options, &mut given);
    Ok(Inferred { options: given, schema })
}

/// Decides the delimiter and whether blanks follow it. The first candidate that splits all records into the same number
/// of fields, more than one, is the delimiter.
fn settle_dialect(options: &mut CsvOptions, bytes: &[u8], more: bool, delimiters: &[u8]) {
    if options.delimiter.is_none() {
        let splits = |delimiter: &u8| {
            let tried = CsvOptions { delimiter: Some(*delimiter), ..options.clone() };
            let widths: Vec<_> =
                records(&tried, bytes, more).map(|record| record.len()).take(DELIMITER_RECORDS).collect();
            widths.first().is_some_and(|first| *first > 1 && widths.iter().all(|width| width == first))
        };
        let found = delimiters.iter().find(|delimiter| splits(delimiter));
        options.delimiter = found.or(delimiters.first()).copied();
    }
    if options.skip_initial_space.is_none() {
        let mut seen = false;
        let spaced = records(options, bytes, more).filter(|record| record.len() > 1).all(|record| {
            seen = true;
            record.iter().skip(1).all(|field| field.starts_with(' '))
        });
        options.skip_initial_space = Some(seen && spaced);
    }
}

fn records<'a>(options: &CsvOptions, bytes: &'a [u8], more: bool) -> impl Iterator<Item = StringRecord> + 'a {
    let whole = if more {
        bytes.iter().rposition(|byte| *byte == b'\n').map_or(bytes.len(), |end| end + 1)
    } else {
        bytes.len()
    };
    let reader = options.records().from_reader(bytes.get(..whole).unwrap_or(bytes));
    reader.into_records().filter_map(Result::ok)
}

fn parse_head(options: &CsvOptions, file: &str, bytes: Vec<u8>, more: bool) -> Result<Head, Error> {
    let bytes = options.cleaned(bytes);
    let mut reader = options.records().from_reader(UnixLines::new(bytes.as_slice()));
    let mut parsed = Vec::new();
    loop {
        let mut record = csv::ByteRecord::new();
        let read = reader.read_byte_record(&mut record).map_err(|error| Error::Malformed {
            file: file.to_owned(),
            line: reader.position().line(),
            reason: error.to_string(),
        })?;
        if !read {
            break;
        }
        parsed.push(record);
    }
    // The last record of a sample may be cut off, within a character even.
    if more {
        parsed.pop();
    }
    let mut records = Vec::with_capacity(parsed.len());
    for record in parsed {
        let line = record.position().map_or(1, csv::Position::line);
        records.push((line, StringRecord::from_byte_record(record).map_err(|_| not_utf8(file, line))?));
    }
    Ok(Head { file: file.to_owned(), records })
}

pub(super) fn not_utf8(file: &str, line: u64) -> Error {
    Error::Malformed { file: file.to_owned(), line, reason: "the text is not UTF-8".to_owned() }
}

/// The first line is a header unless one of its fields is a number, a date or a boolean as the rest of its column is.
fn settle_header(options: &mut CsvOptions, head: &Head) {
    if options.header.is_some() {
        return;
    }
    let Some(((_, first), rest)) = head.records.split_first() else { return };
    let same_as_column = first.iter().enumerate().any(|(position, field)| {
        let mut guess = Guess::default();
        guess.see(field);
        let mut column = Guess::default();
        for (_, record) in rest.iter().take(HEADER_RECORDS) {
            if let Some(field) = record.get(position).filter(|field| !options.is_null(field)) {
                column.see(field);
            }
        }
        // In a file of one line nothing but the line itself tells.
        let column_agrees = rest.is_empty() || column.is_typed();
        !options.is_null(field) && guess.is_typed() && column_agrees
    });
    options.header = Some(!same_as_column);
}

/// Adds a file's columns and values.
fn learn(options: &CsvOptions, columns: &mut Vec<Column>, head: Head) -> Result<(), Error> {
    let Some((first_line, first)) = head.records.first() else { return Ok(()) };
    let width = first.len();
    let names = if options.has_header() {
        column_names(first.iter())
    } else {
        (1..=width).map(|number| format!("column_{number}")).collect()
    };
    if !options.by_name() && !columns.is_empty() && columns.len() != width {
        return Err(Error::RaggedRow { file: head.file, line: *first_line, expected: columns.len(), found: width });
    }
    let mut places = Vec::with_capacity(width);
    for (position, name) in names.into_iter().enumerate() {
        let known = if options.by_name() {
            columns.iter().position(|column| column.name == name)
        } else {
            (position < columns.len()).then_some(position)
        };
        places.push(known.unwrap_or_else(|| {
            columns.push(Column { name, guess: Guess::default() });
            columns.len() - 1
        }));
    }
    for (line, record) in head.records.iter().skip(usize::from(options.has_header())) {
        if record.len() != width {
            return Err(Error::RaggedRow { file: head.file, line: *line, expected: width, found: record.len() });
        }
        for (field, place) in record.iter().zip(&places) {
            if let Some(column) = columns.get_mut(*place).filter(|_| !options.is_null(field)) {
                column.guess.see(field);
            }
        }
    }
    Ok(())
}

/// Decides how declared columns find those in the files: by name if the header has them all, else by position.
fn settle_matching(options: &mut CsvOptions, sample: &Sample<'_>, columns: &[Column]) -> Result<(), Error> {
    let Some(declared) = sample.declared else {
        options.by_name = Some(options.by_name());
        return Ok(());
    };
    let names: Vec<_> = columns.iter().map(|column| column.name.clone()).collect();
    let named = positions(&Arc::new(declared.clone()), &names).iter().all(Option::is_some);
    let by_name = options.has_header() && options.by_name.unwrap_or(named);
    if !by_name && declared.fields().len() != columns.len() {
        return Err(Error::ColumnCount {
            file: sample.files.first().map(|file| file.name.clone()).unwrap_or_default(),
            found: names.join(", "),
            expected: declared.fields().len(),
        });
    }
    options.by_name = Some(by_name);
    Ok(())
}

/// Keeps what was decided, so that the files are read the same way from now on.
fn write_down(options: &CsvOptions, given: &mut Options) {
    let dialect = options.dialect();
    given.insert("header".to_owned(), options.has_header().to_string());
    given.insert("delimiter".to_owned(), char::from(dialect.delimiter).to_string());
    given.insert("skip_initial_space".to_owned(), dialect.skip_initial_space.to_string());
    given.insert("match_columns".to_owned(), if options.by_name() { "name" } else { "position" }.to_owned());
}
