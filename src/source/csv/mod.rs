//! CSV and TSV files: the options, and what a look at the files decides about them.
//!
//! Files are matched to the table by the names in their headers, so that columns may come in another order or be absent
//! from some files (then NULL); without a header by position. Two columns of one name become `name` and `name_2`, one
//! without a name `column_3`. Any text that is not of the column's type is an error, never a NULL.

mod infer;
mod locate;
mod read;

use std::sync::Arc;

use arrow::datatypes::SchemaRef;
use async_trait::async_trait;
use datafusion::datasource::{physical_plan::FileSource, table_schema::TableSchema};
use regex::Regex;

use super::{
    Error, Format, Inferred, Options, Sample,
    bytes::Compression,
    records::{Blanks, Dialect},
    text::TextSource,
};

/// `STORED AS CSV`.
#[derive(Debug)]
pub(super) struct Csv;

/// `STORED AS TSV`.
#[derive(Debug)]
pub(super) struct Tsv;

const OPTIONS: [(&str, &str); 10] = [
    ("header", "true or false: whether the first line names the columns; by default told by looking at it"),
    ("delimiter", "the character between fields; by default told by looking at the file"),
    ("quote", "the character around fields that hold others, by default \""),
    ("escape", "the character before a quote inside quotes; by default a quote is doubled"),
    ("comment", "lines that begin with this character are left out"),
    ("null_value", "a text that means NULL, beside the empty one"),
    ("null_regex", "a regular expression of the texts that mean NULL"),
    ("skip_initial_space", "true or false: whether blanks after a delimiter are left out; by default told by looking"),
    (
        "match_columns",
        "name or position: how a file's columns find the table's; by default by name if there is a header",
    ),
    ("compression", "auto, none, gzip, zstd, bzip2 or xz; by default told by the file's name"),
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

    fn ignores_case(&self) -> bool {
        true
    }

    async fn infer(&self, sample: Sample<'_>, options: Options) -> Result<Inferred, Error> {
        infer::infer(sample, options, b",;\t|").await
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

    fn ignores_case(&self) -> bool {
        true
    }

    async fn infer(&self, sample: Sample<'_>, options: Options) -> Result<Inferred, Error> {
        infer::infer(sample, options, b"\t").await
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
    delimiter: Option<u8>,
    quote: u8,
    escape: Option<u8>,
    comment: Option<u8>,
    null: Option<Regex>,
    skip_initial_space: Option<bool>,
    by_name: Option<bool>,
    compression: Compression,
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
        Ok(Self {
            header: boolean("header", get("header"))?,
            delimiter: character("delimiter", get("delimiter"))?,
            quote: character("quote", get("quote"))?.unwrap_or(b'"'),
            escape: character("escape", get("escape"))?,
            comment: character("comment", get("comment"))?,
            null: null_pattern(get("null_value"), get("null_regex"))?,
            skip_initial_space: boolean("skip_initial_space", get("skip_initial_space"))?,
            by_name,
            compression: Compression::parse(get("compression"))?,
        })
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

    fn is_null(&self, text: &str) -> bool {
        self.null.as_ref().map_or(text.is_empty(), |pattern| pattern.is_match(text))
    }

    /// A parser of records that knows their lines and accepts any number of fields.
    fn records(&self) -> csv::ReaderBuilder {
        let mut builder = csv::ReaderBuilder::new();
        builder
            .has_headers(false)
            .flexible(true)
            .delimiter(self.dialect().delimiter)
            .quote(self.quote)
            .escape(self.escape)
            .comment(self.comment);
        builder
    }

    /// The bytes as the parser should see them.
    fn cleaned(&self, bytes: Vec<u8>) -> Vec<u8> {
        let dialect = self.dialect();
        if dialect.skip_initial_space {
            dialect.without_initial_space(&bytes, &mut Blanks::default()).into()
        } else {
            bytes
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
fn column_names<'a>(header: impl Iterator<Item = &'a str>) -> Vec<String> {
    let mut names: Vec<String> = Vec::new();
    for (position, name) in header.enumerate() {
        let name = match name.trim() {
            "" => format!("column_{}", position + 1),
            name => name.to_owned(),
        };
        let mut unique = name.clone();
        let mut count = 1;
        while names.contains(&unique) {
            count += 1;
            unique = format!("{name}_{count}");
        }
        names.push(unique);
    }
    names
}

/// Where in a file's columns each of the table's columns stands: the same name, else the same but for case if unique.
fn positions(schema: &SchemaRef, names: &[String]) -> Vec<Option<usize>> {
    let find = |wanted: &str| {
        let exact = names.iter().position(|name| name == wanted);
        exact.or_else(|| {
            let mut alike = names.iter().enumerate().filter(|(_, name)| name.eq_ignore_ascii_case(wanted));
            let found = alike.next();
            found.filter(|_| alike.next().is_none()).map(|(position, _)| position)
        })
    };
    schema.fields().iter().map(|field| find(field.name())).collect()
}

fn null_pattern(value: Option<&str>, pattern: Option<&str>) -> Result<Option<Regex>, Error> {
    let pattern = match (value, pattern) {
        (Some(value), Some(_)) => {
            return Err(invalid("null_value", value, "nothing, because null_regex is given too"));
        }
        (Some(value), None) => format!("^(?:{})?$", regex::escape(value)),
        (None, Some(pattern)) => pattern.to_owned(),
        (None, None) => return Ok(None),
    };
    Regex::new(&pattern).map(Some).map_err(|_| invalid("null_regex", &pattern, "a regular expression"))
}

fn boolean(option: &str, value: Option<&str>) -> Result<Option<bool>, Error> {
    let Some(value) = value else { return Ok(None) };
    match value.to_ascii_lowercase().as_str() {
        "true" | "on" | "1" => Ok(Some(true)),
        "false" | "off" | "0" => Ok(Some(false)),
        "auto" => Ok(None),
        _ => Err(invalid(option, value, "true, false or auto")),
    }
}

fn character(option: &str, value: Option<&str>) -> Result<Option<u8>, Error> {
    let Some(value) = value else { return Ok(None) };
    match value.as_bytes() {
        b"\\t" => Ok(Some(b'\t')),
        [byte] if byte.is_ascii() && !matches!(byte, b'\n' | b'\r') => Ok(Some(*byte)),
        _ => Err(invalid(option, value, "one ASCII character")),
    }
}

fn invalid(option: &str, value: &str, expected: &str) -> Error {
    Error::InvalidOption { option: option.to_owned(), value: value.to_owned(), expected: expected.to_owned() }
}
