//! A look at CSV files: delimiter, header, blanks after delimiters, names and types.
//!
//! The first bytes tell how the files are written. The types are those of all values: every byte of every file is looked
//! at, in parallel, unless the option `sample_bytes` says how much of each file is enough.

use arrow::datatypes::{DataType, Field, Schema};
use futures::{StreamExt, TryStreamExt};

use super::{
    super::{
        bytes::Input,
        guess::Guess,
        infer::{Spellings, is_alike, positions},
        options::settle_unknown,
        text::{apart, located},
        trace::{Event, Told},
    },
    CsvOptions, Error, FIRST_HEADER, Inferred, Options, Sample,
    read::{Cut, Rows, header, not_utf8},
    split::{Dialect, Field as Cell, Records, Wanted, split},
};

/// Whose options a message may name: those of TSV are the same.
const FORMAT: &str = "csv";
/// How much of the first file tells how the files are written.
const DIALECT_BYTES: usize = 1 << 20;
/// How many records tell the delimiter.
const DELIMITER_RECORDS: usize = 100;
/// How many records tell whether the first line is a header.
const HEADER_RECORDS: usize = 1000;
/// How many rows are looked at at once.
const ROWS_AT_ONCE: usize = 8192;
/// The least part of a file that is worth a task of its own.
const MIN_PART_BYTES: u64 = 4 << 20;

/// What has been learnt of a column.
#[derive(Debug, Clone)]
struct Column {
    name: String,
    guess: Guess,
    told: Told,
}

/// What a part of a file tells of its columns.
struct Learnt {
    input: Input,
    /// The columns of the table that they are.
    places: Vec<usize>,
    columns: Vec<(Guess, Vec<Event<Guess>>)>,
}

/// A file, and which of the table's columns its columns are.
struct Known {
    input: Input,
    places: Vec<usize>,
    /// Whether its first line names them.
    has_header: bool,
}

pub(super) async fn infer(sample: Sample<'_>, mut given: Options, delimiters: &[u8]) -> Result<Inferred, Error> {
    let mut options = CsvOptions::parse(&given)?;
    let is_told = options.header.is_none();
    let inputs = sample.inputs(options.compression, options.encoding, options.skipped_lines);
    let Some(rest) = settle_by_first(&mut options, &inputs, delimiters, sample.declared).await? else {
        let file = sample.files.first().map(|file| file.name.clone()).unwrap_or_default();
        return Err(Error::EmptyFile { file });
    };
    let mut named = Vec::new();
    for input in rest {
        if let Some(names) = header(&options, input).await? {
            named.push((input, names));
        }
    }
    let spellings = Spellings::of(named.iter().map(|(_, names)| names.iter().map(String::as_str)));
    let first = named.first().filter(|_| options.has_header()).map(|(_, names)| names.clone()).unwrap_or_default();
    let first_header = |options: &CsvOptions| (is_told && !options.by_name()).then(|| first.clone());
    options.first_header = first_header(&options);
    let (mut columns, mut files) = (Vec::new(), Vec::new());
    for (input, names) in named {
        let places = know(&options, &mut columns, input, names, &spellings)?;
        let has_header = begins_with_names(&options, input).await?;
        files.push(Known { input: input.clone(), places, has_header });
    }
    let threads = sample.session.config().target_partitions();
    // Declared types are checked when the values are read.
    let files = if sample.declared.is_some() || options.all_text { Vec::new() } else { files };
    for part in learn(&options, files, threads).await? {
        for (place, (guess, events)) in part.places.iter().zip(part.columns) {
            if let Some(column) = columns.get_mut(*place) {
                column.told.hear(&mut column.guess, events, &part.input, Guess::merge, Guess::known_type);
                column.guess.merge(guess);
            }
        }
    }
    let fields = columns.iter().map(|column| Field::new(&column.name, column.guess.data_type(), true));
    let schema = Schema::new(fields.collect::<Vec<_>>());
    settle_matching(&mut options, &sample, &columns)?;
    options.first_header = first_header(&options);
    settle_unknown(&mut given, sample.declared.is_some());
    write_down(&options, &mut given);
    let told = columns.into_iter().map(|column| (column.name, column.told)).collect();
    Ok(Inferred { options: given, schema, told })
}

/// Decides how the files are written by the first one that holds anything; returns that one and those after it.
async fn settle_by_first<'a>(
    options: &mut CsvOptions,
    inputs: &'a [Input],
    delimiters: &[u8],
    declared: Option<&Schema>,
) -> Result<Option<&'a [Input]>, Error> {
    for (position, input) in inputs.iter().enumerate() {
        let (bytes, more) = input.head(DIALECT_BYTES).await?;
        if bytes.iter().all(u8::is_ascii_whitespace) {
            continue;
        }
        let head = head_of(input, &bytes, more)?;
        settle_dialect(options, head, !more, delimiters);
        settle_decimal(options, head, !more);
        settle_header(options, head, !more, declared);
        return Ok(inputs.get(position..));
    }
    Ok(None)
}

/// The text of a file's first bytes.
fn head_of<'a>(input: &Input, bytes: &'a [u8], more: bool) -> Result<&'a str, Error> {
    // What is cut off at the end of the sample is none of its records.
    let end = if more { memchr::memrchr(b'\n', bytes).map_or(bytes.len(), |end| end + 1) } else { bytes.len() };
    let bytes = bytes.get(..end).unwrap_or_default();
    match std::str::from_utf8(bytes) {
        Ok(head) => Ok(head),
        // Cut within a character.
        Err(error) if more && error.error_len().is_none() => {
            Ok(std::str::from_utf8(bytes.get(..error.valid_up_to()).unwrap_or_default()).unwrap_or_default())
        }
        Err(error) => {
            let before = bytes.get(..error.valid_up_to()).unwrap_or_default();
            let line = 1 + input.skipped_lines + memchr::memchr_iter(b'\n', before).count() as u64;
            Err(not_utf8(&input.name, line, bytes))
        }
    }
}

/// The first records of a text.
fn with_rows<T>(
    dialect: &Dialect,
    text: &str,
    is_last: bool,
    max_records: usize,
    work: impl FnOnce(&[Vec<Cell<'_>>]) -> T,
) -> T {
    let mut records = Records::default();
    split(dialect, text.as_bytes(), 0, Wanted { columns: None, is_last, max_records }, &mut records);
    let rows: Vec<_> = records.rows(text, dialect).collect();
    work(&rows)
}

/// Decides the delimiter and whether blanks follow it.
fn settle_dialect(options: &mut CsvOptions, head: &str, is_last: bool, delimiters: &[u8]) {
    if options.delimiter.is_none() {
        let widths = |delimiter: u8| {
            let tried = CsvOptions { delimiter: Some(delimiter), ..options.clone() };
            with_rows(&tried.dialect(), head, is_last, DELIMITER_RECORDS, |rows| {
                rows.iter().map(Vec::len).collect::<Vec<_>>()
            })
        };
        let tried: Vec<_> = delimiters.iter().map(|delimiter| (*delimiter, widths(*delimiter))).collect();
        options.delimiter = best_delimiter(&tried);
    }
    if options.skip_initial_space.is_none() {
        let spaced = with_rows(&options.dialect(), head, is_last, DELIMITER_RECORDS, |rows| {
            let mut rows = rows.iter().filter(|row| row.len() > 1).peekable();
            let is_spaced = |cell: &Cell<'_>| !cell.is_quoted && cell.text.starts_with(' ');
            rows.peek().is_some() && rows.all(|row| row.iter().skip(1).all(is_spaced))
        });
        options.skip_initial_space = Some(spaced);
    }
}

/// The delimiter that cuts most records into as many fields as the first one, more than one: a short row must not hide
/// it. Where the first record is one field but most others are more, theirs, so that the file is refused; else one that
/// occurs in no record.
fn best_delimiter(tried: &[(u8, Vec<usize>)]) -> Option<u8> {
    let usual = |widths: &[usize]| {
        let count = |width: usize| widths.iter().filter(|other| **other == width).count();
        let most = widths.iter().map(|width| (count(*width), *width)).max().unwrap_or_default();
        (most.1, most.0 as f64 / widths.len().max(1) as f64)
    };
    let best = |is_candidate: &dyn Fn(&[usize]) -> bool| {
        let candidates = tried.iter().filter(|(_, widths)| usual(widths).0 > 1 && is_candidate(widths));
        // Of equals the one with more fields, and of those the first one.
        let rank = |widths: &[usize]| (usual(widths).1, usual(widths).0);
        let best = candidates.rev().max_by(|(_, left), (_, right)| {
            let (left, right) = (rank(left), rank(right));
            left.0.total_cmp(&right.0).then(left.1.cmp(&right.1))
        });
        best.filter(|(_, widths)| usual(widths).1 >= 0.5).map(|(delimiter, _)| *delimiter)
    };
    let absent = || tried.iter().find(|(_, widths)| widths.iter().all(|width| *width == 1)).map(|found| found.0);
    best(&|widths| widths.first() == Some(&usual(widths).0))
        .or_else(|| best(&|_| true))
        .or_else(absent)
        .or_else(|| tried.first().map(|found| found.0))
}

/// Between semicolons a comma is likely the decimal separator: it is where all numbers that have one say so, and not all
/// of these could be groups of three digits.
fn settle_decimal(options: &mut CsvOptions, head: &str, is_last: bool) {
    if options.forms.decimal.is_some() || options.delimiter != Some(b';') {
        return;
    }
    let digits = |text: &str| !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_digit());
    let fraction = |text: &str| {
        let (whole, fraction) = text.strip_prefix('-').unwrap_or(text).split_once(',')?;
        (digits(whole) && digits(fraction)).then_some(fraction.len())
    };
    let has_point =
        |text: &str| text.split_once('.').is_some_and(|(whole, fraction)| digits(whole) && digits(fraction));
    let is_comma = with_rows(&options.dialect(), head, is_last, HEADER_RECORDS, |rows| {
        let cells = || rows.iter().flatten().map(|cell| cell.text.trim_ascii());
        cells().filter_map(fraction).any(|digits| digits != 3) && !cells().any(has_point)
    });
    if is_comma {
        options.forms.decimal = Some(b',');
    }
}

/// What the first line's fields are, beside those below them.
#[derive(Debug, Default)]
struct FirstLine {
    /// Whether one is a name over a column of values.
    has_names: bool,
    /// Whether one is a value as the rest of its column is.
    has_values: bool,
    has_text: bool,
}

impl FirstLine {
    fn of(options: &CsvOptions, rows: &[Vec<Cell<'_>>]) -> Self {
        let mut line = Self::default();
        let Some((first, rest)) = rows.split_first() else { return line };
        for (position, cell) in first.iter().enumerate().filter(|(_, cell)| !options.is_null(cell)) {
            let mut own = Guess::default();
            own.see(cell.text.trim_ascii(), &options.forms);
            let column: Vec<_> =
                rest.iter().filter_map(|row| row.get(position)).filter(|cell| !options.is_null(cell)).collect();
            let mut guess = Guess::default();
            column.iter().for_each(|cell| guess.see(cell.text.trim_ascii(), &options.forms));
            line.has_text |= !own.is_typed();
            line.has_names |= !own.is_typed() && guess.is_typed() && is_name(&cell.text);
            let years_over_others = is_year(&cell.text) && !column.iter().all(|cell| is_year(&cell.text));
            // In a file of one line nothing but the line itself tells.
            line.has_values |= own.is_typed() && (rest.is_empty() || guess.is_typed()) && !years_over_others;
        }
        line
    }
}

/// The first line is a header unless one of its fields is a value as the rest of its column is. Years may name columns of
/// other numbers, and a name over a column of values makes all of its line names.
fn settle_header(options: &mut CsvOptions, head: &str, is_last: bool, declared: Option<&Schema>) {
    if options.header.is_some() {
        return;
    }
    let dialect = options.header_dialect();
    let header = with_rows(&dialect, head, is_last, HEADER_RECORDS, |rows| {
        let Some(first) = rows.first() else { return true };
        let FirstLine { has_names, has_values, has_text } = FirstLine::of(options, rows);
        let is_declared = |cell: &Cell<'_>| {
            let name = cell.text.trim_ascii();
            declared.is_some_and(|columns| columns.fields().iter().any(|field| is_alike(field.name(), name)))
        };
        match declared {
            // Texts over texts are names if they are those of the declared columns.
            Some(_) if !has_values && !has_names => first.iter().any(is_declared),
            _ if has_values => has_names,
            _ => has_text || first.is_empty(),
        }
    });
    options.header = Some(header);
}

fn is_year(text: &str) -> bool {
    text.len() == 4 && text.parse::<u16>().is_ok_and(|year| (1900..=2100).contains(&year))
}

/// Whether a text over a column of values is likely its name rather than a mark of a missing one.
fn is_name(text: &str) -> bool {
    const MARKS: [&str; 6] = ["na", "n/a", "null", "none", "nil", "missing"];
    let text = text.trim_ascii();
    text.contains(char::is_alphabetic) && !MARKS.iter().any(|mark| mark.eq_ignore_ascii_case(text))
}

/// Whether a file's first line names its columns. Where the first file told that, and columns are found by their places, the
/// file's own line must say it too: else it would be lost, or be taken for values.
pub(super) async fn begins_with_names(options: &CsvOptions, input: &Input) -> Result<bool, Error> {
    let Some(first) = &options.first_header else { return Ok(options.has_header()) };
    let Some(names) = header(options, input).await? else { return Ok(false) };
    let is_same = first.len() == names.len() && first.iter().zip(&names).all(|(left, right)| is_alike(left, right));
    if is_same {
        return Ok(true);
    }
    let (bytes, more) = input.head(DIALECT_BYTES).await?;
    let head = head_of(input, &bytes, more)?;
    let line = with_rows(&options.header_dialect(), head, !more, HEADER_RECORDS, |rows| FirstLine::of(options, rows));
    let is_clear =
        if first.is_empty() { line.has_values || !line.has_names } else { line.has_values && !line.has_names };
    if is_clear {
        return Ok(false);
    }
    let first = if first.is_empty() { "values".to_owned() } else { format!("the names {}", first.join(", ")) };
    let (file, line, found) = (input.name.clone(), 1 + input.skipped_lines, names.join(", "));
    Err(Error::UnclearHeader { file, line, found, first })
}

/// Finds a file's columns among the table's, which new ones join.
fn know(
    options: &CsvOptions,
    columns: &mut Vec<Column>,
    input: &Input,
    mut names: Vec<String>,
    spellings: &Spellings,
) -> Result<Vec<usize>, Error> {
    if !options.has_header() {
        names = (1..=names.len()).map(|number| format!("column_{number}")).collect();
    }
    if options.by_name() {
        names = names.iter().map(|name| spellings.of_table(name)).collect();
    }
    if !options.by_name() && !columns.is_empty() && columns.len() != names.len() {
        let (file, expected, found) = (input.name.clone(), columns.len(), names.len());
        return Err(Error::RaggedRow { file, line: 1 + input.skipped_lines, expected, found });
    }
    let is_known = |name: &String| columns.iter().any(|column| column.name == *name);
    if options.by_name() && !columns.is_empty() && !names.iter().any(is_known) {
        return Err(Error::NoCommonColumn { file: input.name.clone(), found: names.join(", ") });
    }
    let mut places = Vec::with_capacity(names.len());
    for (position, name) in names.into_iter().enumerate() {
        let known = if options.by_name() {
            columns.iter().position(|column| column.name == name)
        } else {
            (position < columns.len()).then_some(position)
        };
        places.push(known.unwrap_or_else(|| {
            columns.push(Column { name, guess: Guess::default(), told: Told::default() });
            columns.len() - 1
        }));
    }
    Ok(places)
}

/// What each part of each file tells, in their order.
async fn learn(options: &CsvOptions, files: Vec<Known>, threads: usize) -> Result<Vec<Learnt>, Error> {
    let total: u64 = files.iter().map(|file| file.input.meta.size).sum();
    let mut parts = Vec::new();
    for Known { input, places, has_header } in files {
        let ranges = match options.sample_bytes {
            Some(bytes) => vec![(0, bytes)],
            None => input.ranges(total, threads as u64, MIN_PART_BYTES),
        };
        for range in ranges {
            let known = Known { input: input.clone(), places: places.clone(), has_header };
            parts.push(learn_apart(options.clone(), known, range));
        }
    }
    futures::stream::iter(parts).buffered(threads.max(1)).try_collect().await
}

/// Learns from a part of a file on any thread; dropped, it stops.
async fn learn_apart(options: CsvOptions, known: Known, range: (u64, u64)) -> Result<Learnt, Error> {
    let (input, places) = (known.input.clone(), known.places.clone());
    let columns = apart(input.name.clone(), async move { learn_part(&options, &known, range).await }).await?;
    Ok(Learnt { input, places, columns })
}

async fn learn_part(
    options: &CsvOptions,
    Known { input, places, has_header }: &Known,
    range: (u64, u64),
) -> Result<Vec<(Guess, Vec<Event<Guess>>)>, Error> {
    let mut columns = vec![(Guess::default(), Vec::new()); places.len()];
    let mut rows = Rows::new(options, vec![true; places.len()], range, *has_header);
    let mut chunks = input.chunks(0).await?.stream;
    loop {
        loop {
            match rows.next(ROWS_AT_ONCE) {
                Ok(Some(cut)) => {
                    for (place, (guess, events)) in
                        columns.iter_mut().enumerate().filter(|(_, (guess, _))| !guess.is_settled())
                    {
                        let before = *guess;
                        // A text without a character but blanks is a missing value in a column of values.
                        for cell in cut.fields(place).filter(|cell| !options.is_missing(cell)) {
                            guess.see(cell.text.trim_ascii(), &options.forms);
                        }
                        if guess.known_type() != before.known_type() {
                            note(options, &cut, place, before, guess.known_type(), events);
                        }
                    }
                    rows.forget();
                }
                Ok(None) => break,
                Err(fault) => return Err(located(input, fault, FORMAT).await),
            }
            tokio::task::yield_now().await;
        }
        rows.forget_ragged();
        let next = if rows.is_done() { None } else { chunks.try_next().await? };
        match next {
            Some(chunk) => {
                if let Err(fault) = rows.push(chunk) {
                    return Err(located(input, fault, FORMAT).await);
                }
            }
            None if rows.is_finished() => return Ok(columns),
            None => rows.finish(),
        }
    }
}

/// Notes which of some rows made a column's type what it is after them.
fn note(
    options: &CsvOptions,
    cut: &Cut<'_>,
    place: usize,
    mut known: Guess,
    after: Option<DataType>,
    events: &mut Vec<Event<Guess>>,
) {
    for (row, cell) in cut.fields(place).enumerate().filter(|(_, cell)| !options.is_missing(cell)) {
        let before = known.known_type();
        known.see(cell.text.trim_ascii(), &options.forms);
        let now = known.known_type();
        if now != before {
            events.push(Event { known, offset: cut.offset(row), value: cell.text.into_owned() });
        }
        if now == after {
            return;
        }
    }
}

/// Decides how declared columns find those in the files: by name if the header has any of them, else by position.
fn settle_matching(options: &mut CsvOptions, sample: &Sample<'_>, columns: &[Column]) -> Result<(), Error> {
    let Some(declared) = sample.declared else {
        options.by_name = Some(options.by_name());
        return Ok(());
    };
    let names: Vec<_> = columns.iter().map(|column| column.name.clone()).collect();
    let file = sample.files.first().map(|file| file.name.clone()).unwrap_or_default();
    let by_name = match options.by_name {
        _ if !options.has_header() => false,
        Some(by_name) => by_name,
        None => {
            let found = positions(declared, &names).map_err(|unclear| unclear.in_file(&file))?;
            found.iter().any(Option::is_some)
        }
    };
    if !by_name && declared.fields().len() != columns.len() {
        return Err(Error::ColumnCount { file, found: names.join(", "), expected: declared.fields().len() });
    }
    options.by_name = Some(by_name);
    Ok(())
}

/// Keeps what was decided, so that the files are read the same way from now on.
fn write_down(options: &CsvOptions, given: &mut Options) {
    let dialect = options.dialect();
    given.insert("header".to_owned(), options.has_header().to_string());
    if let Some(names) = options.first_header.as_ref().and_then(|names| serde_json::to_string(names).ok()) {
        given.insert(FIRST_HEADER.to_owned(), names);
    }
    given.insert("delimiter".to_owned(), char::from(dialect.delimiter).to_string());
    if let Some(decimal) = options.forms.decimal {
        given.insert("decimal_separator".to_owned(), char::from(decimal).to_string());
    }
    given.insert("quote".to_owned(), char::from(dialect.quote).to_string());
    given.insert("skip_initial_space".to_owned(), dialect.skip_initial_space.to_string());
    given.insert("match_columns".to_owned(), if options.by_name() { "name" } else { "position" }.to_owned());
}
