//! CSV and TSV files: the options, and what a look at the files decides about them.
//!
//! Files are matched to the table by the names in their headers, so that columns may come in another order or be absent
//! from some files (then NULL); without a header by position. Two columns of one name become `name` and `name_2`, one
//! without a name `column_3`. Any text that is not of the column's type is an error, unless `on_error` says otherwise.

mod clash;
mod dialect;
mod form;
mod header;
mod infer;
mod parts;
mod read;
mod scale;
mod split;
mod write;

use std::{
    collections::{HashMap, HashSet},
    sync::Arc,
};

use async_trait::async_trait;
use datafusion::datasource::{file_format::FileFormatFactory, physical_plan::FileSource, table_schema::TableSchema};
use regex::Regex;

use super::{
    Error, Format, Inferred, Options, Sample,
    bytes::Compression,
    encoding::{self, Encoding},
    forms::{self, Forms},
    options::{self, Refused, boolean, byte_count, character, invalid},
    rejects::{self, OnError},
    text::TextSource,
};
use split::{Dialect, Field};

/// `STORED AS CSV`.
#[derive(Debug)]
pub(super) struct Csv;

/// `STORED AS TSV`.
#[derive(Debug)]
pub(super) struct Tsv;

/// Where the names are kept of which the first file's header was taken to consist. It is no option that anybody gives.
pub(super) const FIRST_HEADER: &str = "first_header";

/// What is tried as the delimiter of a file that ends in `.csv`, the likeliest first.
const DELIMITERS: &[u8] = b",;\t|";
/// What is tried as that of one that ends in `.tsv`.
const TAB: &[u8] = b"\t";

const OPTIONS: [(&str, &str); 22] = [
    ("header", "true or false: whether the first line names the columns; by default told by looking at it"),
    ("delimiter", "the character between fields; by default told by looking at the file"),
    ("quote", "the character around fields that hold others, by default \", or none"),
    ("escape", "the character before a quote inside quotes; by default a quote is doubled"),
    ("skip", "how many lines at the start of each file are passed over, by default none"),
    ("comment", "lines that begin with this character are left out"),
    NULL_VALUE,
    NULL_REGEX,
    ("skip_initial_space", "true or false: whether blanks after a delimiter are left out; by default told by looking"),
    (
        "match_columns",
        "name or position: how a file's columns find the table's; by default by name if there is a header",
    ),
    ("all_varchar", "true to read all columns as text"),
    encoding::OPTION,
    forms::OPTIONS[0],
    forms::OPTIONS[1],
    forms::OPTIONS[2],
    forms::OPTIONS[3],
    rejects::OPTION,
    options::UNKNOWN_COLUMNS,
    options::MISSING_COLUMNS,
    options::SAMPLE_BYTES,
    options::COMPRESSION,
    options::FILENAME,
];

#[async_trait]
impl Format for Csv {
    fn name(&self) -> &'static str {
        "csv"
    }

    fn endings(&self) -> &'static [&'static str] {
        &["csv"]
    }

    fn options(&self) -> &'static [(&'static str, &'static str)] {
        &OPTIONS
    }

    async fn infer(&self, sample: Sample<'_>, options: Options) -> Result<Inferred, Error> {
        infer::infer(sample, options, DELIMITERS).await
    }

    fn writers(&self) -> Option<Arc<dyn FileFormatFactory>> {
        Some(Arc::new(write::COMMAS))
    }

    fn file_source(&self, options: &Options, schema: TableSchema, place: &str) -> Result<Arc<dyn FileSource>, Error> {
        let reader = CsvReader { name: self.name(), options: CsvOptions::parse(options)? };
        Ok(Arc::new(TextSource::new(Arc::new(reader), options, schema, place)))
    }
}

#[async_trait]
impl Format for Tsv {
    fn name(&self) -> &'static str {
        "tsv"
    }

    fn endings(&self) -> &'static [&'static str] {
        &["tsv", "tab"]
    }

    fn options(&self) -> &'static [(&'static str, &'static str)] {
        &OPTIONS
    }

    async fn infer(&self, sample: Sample<'_>, options: Options) -> Result<Inferred, Error> {
        infer::infer(sample, options, TAB).await
    }

    fn writers(&self) -> Option<Arc<dyn FileFormatFactory>> {
        Some(Arc::new(write::TABS))
    }

    fn file_source(&self, options: &Options, schema: TableSchema, place: &str) -> Result<Arc<dyn FileSource>, Error> {
        let reader = CsvReader { name: self.name(), options: CsvOptions::parse(options)? };
        Ok(Arc::new(TextSource::new(Arc::new(reader), options, schema, place)))
    }
}

/// Checked options; what is not given there is not decided yet.
#[derive(Debug, Clone)]
pub(super) struct CsvOptions {
    header: Option<bool>,
    /// The names in the first file's header, or none, where each file's first line must say the same by itself.
    first_header: Option<Vec<String>>,
    delimiter: Option<u8>,
    /// None: quotes are letters like others.
    quote: Option<u8>,
    escape: Option<u8>,
    comment: Option<u8>,
    null: NullMark,
    /// How many lines precede the header.
    skipped_lines: u64,
    /// Whether all columns are texts.
    all_text: bool,
    on_error: OnError,
    sample_bytes: Option<u64>,
    refused: Refused,
    forms: Forms,
    skip_initial_space: Option<bool>,
    by_name: Option<bool>,
    compression: Compression,
    encoding: Encoding,
}

impl CsvOptions {
    fn parse(options: &Options) -> Result<Self, Error> {
        let get = |name: &str| options.get(name).map(String::as_str);
        let by_name = match get("match_columns") {
            None => None,
            Some("name") => Some(true),
            Some("position") => Some(false),
            Some(value) => return Err(invalid("match_columns", value, "name or position")),
        };
        let quote = match get("quote") {
            Some("" | "none") => None,
            given => Some(character("quote", given)?.unwrap_or(b'"')),
        };
        let parsed = Self {
            header: boolean("header", get("header"))?,
            first_header: get(FIRST_HEADER).and_then(|names| serde_json::from_str(names).ok()),
            delimiter: character("delimiter", get("delimiter"))?,
            quote,
            escape: character("escape", get("escape"))?,
            comment: character("comment", get("comment"))?,
            null: NullMark::parse(options)?,
            skipped_lines: options::line_count("skip", get("skip"))?,
            all_text: boolean("all_varchar", get("all_varchar"))?.unwrap_or(false),
            on_error: OnError::parse(get("on_error"))?,
            sample_bytes: byte_count("sample_bytes", get("sample_bytes"))?,
            refused: Refused::parse(options)?,
            forms: Forms::parse(options)?,
            skip_initial_space: boolean("skip_initial_space", get("skip_initial_space"))?,
            by_name,
            compression: Compression::parse(get("compression"))?,
            encoding: Encoding::parse(get("encoding"))?,
        };
        clash::check(&parsed, options, None)?;
        Ok(parsed)
    }

    fn dialect(&self) -> Dialect {
        Dialect {
            delimiter: self.delimiter.unwrap_or(b','),
            quote: self.quote,
            escape: self.escape,
            comment: self.comment,
            skip_initial_space: self.skip_initial_space.unwrap_or(false),
        }
    }

    fn has_header(&self) -> bool {
        self.header.unwrap_or(true)
    }

    fn by_name(&self) -> bool {
        self.has_header() && self.by_name.unwrap_or(true)
    }

    /// As the dialect, but a name in the header may have blanks before its quote.
    fn header_dialect(&self) -> Dialect {
        Dialect { skip_initial_space: true, ..self.dialect() }
    }

    /// Whether a field of a column of texts is NULL: what is quoted never is.
    fn is_null(&self, field: &Field<'_>) -> bool {
        !field.is_quoted && (field.text.is_empty() || self.null.is(&field.text))
    }

    /// Whether a field of a column of other values is NULL: blanks alone can be nothing else there. What is quoted is a text,
    /// the empty one too, unless that is said to mean NULL.
    fn is_missing(&self, field: &Field<'_>) -> bool {
        match field.text.trim_ascii() {
            "" => !field.is_quoted || self.null.is(&field.text),
            _ => self.is_null(field),
        }
    }
}

pub(super) const NULL_VALUE: (&str, &str) = ("null_value", "a text that means NULL, beside the empty one");
pub(super) const NULL_REGEX: (&str, &str) =
    ("null_regex", "a regular expression of the whole texts that mean NULL, beside the empty one");

/// What an unquoted field is that means NULL.
#[derive(Debug, Clone)]
pub(super) enum NullMark {
    Empty,
    /// This, or nothing.
    Text(String),
    Pattern(Regex),
}

impl NullMark {
    pub(super) fn parse(options: &Options) -> Result<Self, Error> {
        let get = |name: &str| options.get(name).map(String::as_str);
        match (get("null_value"), get("null_regex")) {
            (Some(value), Some(_)) => Err(invalid("null_value", value, "nothing, because null_regex is given too")),
            (Some(value), None) => Ok(Self::Text(value.to_owned())),
            (None, Some(pattern)) => match Regex::new(&format!("^(?:{pattern})$")) {
                Ok(pattern) => Ok(Self::Pattern(pattern)),
                Err(_) => Err(invalid("null_regex", pattern, "a regular expression")),
            },
            (None, None) => Ok(Self::Empty),
        }
    }

    /// Whether an option names texts that mean NULL.
    pub(super) fn is_given(&self) -> bool {
        !matches!(self, Self::Empty)
    }

    /// Whether a text means NULL, of those that an option names.
    pub(super) fn is(&self, text: &str) -> bool {
        match self {
            Self::Empty => false,
            Self::Text(mark) => text == mark,
            Self::Pattern(pattern) => pattern.is_match(text),
        }
    }
}

/// Reads the files of a table.
#[derive(Debug)]
struct CsvReader {
    name: &'static str,
    options: CsvOptions,
}

/// The names of a header's columns: trimmed, none empty, none twice.
pub(super) fn column_names<'a>(header: impl Iterator<Item = &'a str>) -> Vec<String> {
    let (mut names, mut known): (Vec<String>, HashSet<String>) = (Vec::new(), HashSet::new());
    // The last number behind each name: those before it are taken.
    let mut counts: HashMap<String, usize> = HashMap::new();
    for (position, name) in header.enumerate() {
        let name = match name.trim() {
            "" => format!("column_{}", position + 1),
            name => name.to_owned(),
        };
        let mut unique = name.clone();
        if known.contains(&unique) {
            let count = counts.entry(name.clone()).or_insert(1);
            while known.contains(&unique) {
                *count += 1;
                unique = format!("{name}_{count}");
            }
        }
        known.insert(unique.clone());
        names.push(unique);
    }
    names
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn no_name_is_empty_or_there_twice() {
        let names = column_names(["a", " a ", "a_2", "a", "", "b", "a_2"].into_iter());
        assert_eq!(names, ["a", "a_2", "a_2_2", "a_3", "column_5", "b", "a_2_3"]);
    }

    /// Symptom: a header of five thousand equal names took a minute. Cause: each was numbered from two on.
    #[test]
    fn many_equal_names_are_numbered_on() {
        let names = column_names(std::iter::repeat_n("x", 50_000));
        assert_eq!(names.last().map(String::as_str), Some("x_50000"));
    }
}
