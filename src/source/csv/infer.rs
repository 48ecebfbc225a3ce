//! A look at CSV files: how they are written, whether there is a header, names and types.
//!
//! The first bytes tell how the files are written. The types are those of all values: every byte of every file is looked
//! at, in parallel, unless the option `sample_bytes` says how much of each file is enough.

use std::collections::HashMap;

use arrow::datatypes::{DataType, Field, Schema};
use futures::{StreamExt, TryStreamExt};

use super::{
    super::{
        bytes::Input,
        guess::Guess,
        infer::{Spellings, positions},
        options::settle_unknown,
        text::{apart, located},
        trace::{Event, Told},
    },
    CsvOptions, Error, FIRST_HEADER, Inferred, Options, Sample, clash,
    dialect::{DIALECT_BYTES, head_of, settle_decimal, settle_dialect},
    header::{Title, are_names, settle_header},
    read::{Cut, FORMAT, Rows, header},
};

/// How much of a file holds a line that tells the delimiter.
const TOLD_BYTES: usize = 16;
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
    clash::check(&options, &given, delimiters.first().copied())?;
    let is_told = options.header.is_none();
    let inputs = sample.inputs(options.compression, options.encoding, options.skipped_lines);
    if let Some(delimiter) = told_delimiter(&inputs).await? {
        given.insert("skip".to_owned(), (options.skipped_lines + 1).to_string());
        given.entry("delimiter".to_owned()).or_insert_with(|| delimiter.to_string());
        return Box::pin(infer(sample, given, delimiters)).await;
    }
    let Some((rest, doubt)) = settle_by_first(&mut options, &inputs, delimiters, sample.declared).await? else {
        if sample.declared.is_none() {
            let file = sample.files.first().map(|file| file.name.clone()).unwrap_or_default();
            return Err(Error::EmptyFile { file });
        }
        // Of rows that are not there yet nothing is known but what the statement says.
        settle_unknown(&mut given, true);
        return Ok(Inferred { options: given, schema: Schema::empty(), told: Vec::new(), doubts: Vec::new() });
    };
    clash::check(&options, &given, None)?;
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
        let places = know(&options, &mut columns, input, names.clone(), &spellings)?;
        let has_header = are_names(&options, input, &names).await?;
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
    let doubts = doubt.map(|doubt| ("header".to_owned(), doubt)).into_iter().collect();
    Ok(Inferred { options: given, schema, told, doubts })
}

/// The delimiter of a line such as `sep=;`, with which Excel begins files, if all of them do that hold anything.
async fn told_delimiter(inputs: &[Input]) -> Result<Option<char>, Error> {
    let mut told = None;
    for input in inputs {
        let (bytes, _) = input.head(TOLD_BYTES).await?;
        let line = bytes.split(|byte| matches!(byte, b'\n' | b'\r')).next().unwrap_or_default();
        let line = line.strip_prefix(b"\"").and_then(|line| line.strip_suffix(b"\"")).unwrap_or(line);
        match line.strip_prefix(b"sep=") {
            Some([delimiter]) if delimiter.is_ascii() => told = Some(char::from(*delimiter)),
            _ if bytes.is_empty() => {}
            _ => return Ok(None),
        }
    }
    Ok(told)
}

/// Decides how the files are written by the first one that holds anything; returns that one and those after it, and what
/// to say where its header is in doubt.
async fn settle_by_first<'a>(
    options: &mut CsvOptions,
    inputs: &'a [Input],
    delimiters: &[u8],
    declared: Option<&Schema>,
) -> Result<Option<(&'a [Input], Option<String>)>, Error> {
    for (position, input) in inputs.iter().enumerate() {
        let (bytes, more) = input.head(DIALECT_BYTES).await?;
        if bytes.iter().all(u8::is_ascii_whitespace) {
            continue;
        }
        let head = head_of(input, &bytes, more)?;
        settle_dialect(options, head, !more, delimiters);
        settle_decimal(options, head, !more);
        let doubt = settle_header(options, head, !more, declared).map_err(|Title(title)| {
            let (file, line) = (input.name.clone(), 1 + input.skipped_lines);
            Error::TitleAbove { file, line, title, way: format!("skip => {line}") }
        })?;
        return Ok(inputs.get(position..).map(|rest| (rest, doubt)));
    }
    Ok(None)
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
        return Err(Error::RaggedRow { file, line: 1 + input.skipped_lines, expected, found, begin: None });
    }
    let known = columns.iter().enumerate().map(|(place, column)| (column.name.clone(), place));
    let mut known: HashMap<String, usize> = known.collect();
    if options.by_name() && !columns.is_empty() && !names.iter().any(|name| known.contains_key(name)) {
        let (file, line) = (input.name.clone(), Some(1 + input.skipped_lines));
        return Err(Error::NoCommonColumn { file, line, found: names.join(", ") });
    }
    let mut places = Vec::with_capacity(names.len());
    for (position, name) in names.into_iter().enumerate() {
        let place = match options.by_name() {
            true => *known.entry(name.clone()).or_insert(columns.len()),
            false => position,
        };
        if place >= columns.len() {
            columns.push(Column { name, guess: Guess::default(), told: Told::default() });
        }
        places.push(place);
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
                        // Blanks are a missing value in a column of values, unless they are quoted.
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
        rows.forget_left_out();
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
            // A text that nobody sees is shown in its quotes.
            let is_blank = cell.text.trim_ascii().is_empty();
            let value = if is_blank { format!("\"{}\"", cell.text) } else { cell.text.into_owned() };
            events.push(Event { known, offset: cut.offset(row), value });
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
    if let Some(thousands) = options.forms.thousands {
        given.insert("thousands_separator".to_owned(), char::from(thousands).to_string());
    }
    let quote = dialect.quote.map_or("none".to_owned(), |quote| char::from(quote).to_string());
    given.insert("quote".to_owned(), quote);
    given.insert("skip_initial_space".to_owned(), dialect.skip_initial_space.to_string());
    given.insert("match_columns".to_owned(), if options.by_name() { "name" } else { "position" }.to_owned());
}
