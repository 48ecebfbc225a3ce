//! JSON files: one object a line, objects over several lines, or arrays of objects, told apart file by file.
//!
//! Objects become rows; nested ones become structs and arrays lists. A key that a row lacks is NULL. Where a key holds
//! numbers here and text there, its column is text, and so it is where it holds objects or arrays beside other values: what
//! is no text is its own JSON then. Quoted dates and times become dates and timestamps. Numbers keep their digits. All that
//! is read is checked: a key that an object has twice, with two values, is an error. What a query does not read is not.

pub(super) mod cells;
mod cursor;
mod infer;
mod keys;
mod node;
mod objects;
mod path;
mod read;
mod shape;
mod write;

use std::sync::Arc;

use async_trait::async_trait;
use datafusion::datasource::{file_format::FileFormatFactory, physical_plan::FileSource, table_schema::TableSchema};

use super::{
    Error, Format, Inferred, Options, Sample,
    bytes::Compression,
    csv::NullMark,
    encoding::{self, Encoding},
    forms::{self, Forms},
    options::{self, invalid},
    rejects::{self, OnError},
    text::TextSource,
};
use node::Rules;
use shape::Meanings;

/// `STORED AS JSON`.
#[derive(Debug)]
pub(super) struct Json;

/// What becomes of a key that an object has twice.
const DUPLICATE_KEYS: (&str, &str) = (
    "duplicate_keys",
    "error or last: what becomes of a key that an object has twice with two values, by default an error",
);

const OPTIONS: [(&str, &str); 14] = [
    ("newline_delimited", "true or false: whether each object is on a line of its own; by default told by looking"),
    options::MATCH_CASE,
    DUPLICATE_KEYS,
    ("null_value", "a quoted text that means NULL, such as N/A or the empty one"),
    ("null_regex", "a regular expression of the whole quoted texts that mean NULL"),
    encoding::OPTION,
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
impl Format for Json {
    fn name(&self) -> &'static str {
        "json"
    }

    fn endings(&self) -> &'static [&'static str] {
        &["json", "ndjson", "jsonl"]
    }

    fn options(&self) -> &'static [(&'static str, &'static str)] {
        &OPTIONS
    }

    async fn infer(&self, sample: Sample<'_>, options: Options) -> Result<Inferred, Error> {
        infer::infer(sample, options).await
    }

    fn writers(&self) -> Option<Arc<dyn FileFormatFactory>> {
        Some(Arc::new(write::LINES))
    }

    fn file_source(&self, options: &Options, schema: TableSchema, place: &str) -> Result<Arc<dyn FileSource>, Error> {
        let reader = JsonReader::parse(options)?;
        Ok(Arc::new(TextSource::new(Arc::new(reader), options, schema, place)))
    }
}

/// Reads the files of a table.
#[derive(Debug)]
struct JsonReader {
    /// Whether each object is on a line of its own: then a file can be read in parts.
    newline_delimited: bool,
    compression: Compression,
    encoding: Encoding,
    forms: Forms,
    sample_bytes: Option<u64>,
    /// Whether a key that is no column of the table is an error.
    refuses_others: bool,
    /// Whether a key is a column only if it is spelled so.
    match_case: bool,
    /// Whether of a key that an object has twice the last value counts.
    keeps_last: bool,
    null: NullMark,
    on_error: OnError,
}

impl JsonReader {
    fn parse(options: &Options) -> Result<Self, Error> {
        let get = |name: &str| options.get(name).map(String::as_str);
        Ok(Self {
            newline_delimited: options::boolean("newline_delimited", get("newline_delimited"))?.unwrap_or(false),
            compression: Compression::parse(get("compression"))?,
            encoding: Encoding::parse(get("encoding"))?,
            forms: Forms::parse(options)?,
            sample_bytes: options::byte_count("sample_bytes", get("sample_bytes"))?,
            refuses_others: options::refuses_unknown(options)?,
            match_case: options::boolean(options::MATCH_CASE.0, get(options::MATCH_CASE.0))?.unwrap_or(false),
            keeps_last: match get(DUPLICATE_KEYS.0).map(str::to_ascii_lowercase).as_deref() {
                None | Some("error") => false,
                Some("last") => true,
                Some(value) => return Err(invalid(DUPLICATE_KEYS.0, value, "error or last")),
            },
            null: NullMark::parse(options)?,
            on_error: OnError::parse(get("on_error"))?,
        })
    }

    fn meanings(&self) -> Meanings {
        Meanings { forms: self.forms.clone(), null: self.null.clone() }
    }

    fn rules(&self) -> Rules {
        Rules { refuses_others: self.refuses_others, keeps_last: self.keeps_last, null: self.null.clone() }
    }
}

/// Whether the bytes, a file's first ones, begin an array.
fn is_array(bytes: &[u8]) -> bool {
    bytes.iter().find(|byte| !byte.is_ascii_whitespace()) == Some(&b'[')
}
