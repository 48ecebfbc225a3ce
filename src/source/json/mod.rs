//! JSON files: one object a line, objects over several lines, or one array of objects, told apart file by file.
//!
//! Objects become rows; nested ones become structs and arrays lists. A key that a row lacks is NULL. Where a key holds
//! numbers here and text there, its column is text. Quoted dates and times become dates and timestamps.

mod array;
mod infer;
mod locate;
mod read;
mod shape;

use std::sync::Arc;

use async_trait::async_trait;
use datafusion::datasource::{physical_plan::FileSource, table_schema::TableSchema};

use super::{Error, Format, Inferred, Options, Sample, bytes::Compression, text::TextSource};

/// `STORED AS JSON`.
#[derive(Debug)]
pub(super) struct Json;

#[async_trait]
impl Format for Json {
    fn name(&self) -> &'static str {
        "json"
    }

    fn endings(&self) -> &'static [&'static str] {
        &["json", "ndjson", "jsonl"]
    }

    fn options(&self) -> &'static [(&'static str, &'static str)] {
        &[
            (
                "newline_delimited",
                "true or false: whether each object is on a line of its own; by default told by looking",
            ),
            ("compression", "auto, none, gzip, zstd, bzip2 or xz; by default told by the file's name"),
        ]
    }

    async fn infer(&self, sample: Sample<'_>, options: Options) -> Result<Inferred, Error> {
        infer::infer(sample, options).await
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
}

impl JsonReader {
    fn parse(options: &Options) -> Result<Self, Error> {
        let get = |name: &str| options.get(name).map(String::as_str);
        let newline_delimited = match get("newline_delimited") {
            None | Some("auto" | "false") => false,
            Some("true") => true,
            Some(value) => {
                return Err(Error::InvalidOption {
                    option: "newline_delimited".to_owned(),
                    value: value.to_owned(),
                    expected: "true, false or auto".to_owned(),
                });
            }
        };
        Ok(Self { newline_delimited, compression: Compression::parse(get("compression"))? })
    }
}

/// Whether the bytes, a file's first ones, begin an array.
fn is_array(bytes: &[u8]) -> bool {
    bytes.iter().find(|byte| !byte.is_ascii_whitespace()) == Some(&b'[')
}
