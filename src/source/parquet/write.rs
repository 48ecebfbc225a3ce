//! `COPY … TO 'file.parquet'`: the engine's writer, whose options have the names that DuckDB gives them, too.

use std::{collections::HashMap, sync::Arc};

use arrow::datatypes::{DataType, IntervalUnit, SchemaRef};
use async_trait::async_trait;
use datafusion::{
    catalog::Session,
    common::{
        GetExt, Result, Statistics,
        config::{ConfigField, TableParquetOptions},
        not_impl_err,
    },
    datasource::{
        file_format::{
            FileFormat, FileFormatFactory, file_compression_type::FileCompressionType, parquet::ParquetFormatFactory,
        },
        physical_plan::{FileScanConfig, FileSinkConfig, FileSource},
        table_schema::TableSchema,
    },
    physical_expr::LexRequirement,
    physical_plan::ExecutionPlan,
};
use object_store::{ObjectMeta, ObjectStore};

use super::super::{Error, Options, given_options, options::invalid, plain_options};

/// The options of files that are written, and after `::` a column may follow those that a column has.
const WRITTEN: &[&str] = &[
    "compression",
    "compression_level",
    "row_group_size",
    "max_row_group_size",
    "max_row_group_bytes",
    "data_pagesize_limit",
    "data_page_row_count_limit",
    "dictionary_enabled",
    "dictionary_page_size_limit",
    "statistics_enabled",
    "statistics_truncate_length",
    "column_index_truncate_length",
    "bloom_filter_on_write",
    "bloom_filter_enabled",
    "bloom_filter_fpp",
    "bloom_filter_ndv",
    "write_batch_size",
    "writer_version",
    "skip_arrow_metadata",
    "allow_single_file_parallelism",
    "created_by",
    "metadata",
];

/// Of a compression the lowest level, the one that is meant without a word, and the highest.
type Levels = (u32, u32, u32);

/// The compressions, with the levels of those that have some.
const COMPRESSIONS: &[(&str, Option<Levels>)] = &[
    ("uncompressed", None),
    ("snappy", None),
    ("lz4", None),
    ("lz4_raw", None),
    ("gzip", Some((0, 6, 9))),
    ("brotli", Some((0, 4, 11))),
    ("zstd", Some((1, 3, 22))),
];
const EXPECTED: &str =
    "none, snappy, lz4, lz4_raw, gzip, brotli or zstd; the last three with a level, such as zstd(3), if need be";

/// What writes Parquet files.
#[derive(Debug)]
pub(super) struct Files;

impl GetExt for Files {
    fn get_ext(&self) -> String {
        "parquet".to_owned()
    }
}

impl FileFormatFactory for Files {
    fn create(&self, session: &dyn Session, given: &HashMap<String, String>) -> Result<Arc<dyn FileFormat>> {
        let settled = settled(&given_options(given))?;
        let own = settled.into_iter().map(|(name, value)| (format!("format.{name}"), value));
        let writer = ParquetFormatFactory::new().create(session, &own.collect())?;
        Ok(Arc::new(Writer { writer }))
    }

    fn default(&self) -> Arc<dyn FileFormat> {
        FileFormatFactory::default(&ParquetFormatFactory::new())
    }
}

/// The engine's writer, asked for what it can write alone.
#[derive(Debug)]
struct Writer {
    writer: Arc<dyn FileFormat>,
}

#[async_trait]
impl FileFormat for Writer {
    fn get_ext(&self) -> String {
        self.writer.get_ext()
    }

    fn get_ext_with_compression(&self, compression: &FileCompressionType) -> Result<String> {
        self.writer.get_ext_with_compression(compression)
    }

    fn compression_type(&self) -> Option<FileCompressionType> {
        self.writer.compression_type()
    }

    async fn infer_schema(
        &self,
        session: &dyn Session,
        store: &Arc<dyn ObjectStore>,
        files: &[ObjectMeta],
    ) -> Result<SchemaRef> {
        self.writer.infer_schema(session, store, files).await
    }

    async fn infer_stats(
        &self,
        session: &dyn Session,
        store: &Arc<dyn ObjectStore>,
        schema: SchemaRef,
        file: &ObjectMeta,
    ) -> Result<Statistics> {
        self.writer.infer_stats(session, store, schema, file).await
    }

    async fn create_physical_plan(
        &self,
        session: &dyn Session,
        config: FileScanConfig,
    ) -> Result<Arc<dyn ExecutionPlan>> {
        self.writer.create_physical_plan(session, config).await
    }

    async fn create_writer_physical_plan(
        &self,
        input: Arc<dyn ExecutionPlan>,
        session: &dyn Session,
        config: FileSinkConfig,
        order: Option<LexRequirement>,
    ) -> Result<Arc<dyn ExecutionPlan>> {
        if let Some(field) = input.schema().fields().iter().find(|field| has_interval(field.data_type())) {
            return not_impl_err!(
                "column {} has intervals, which are not supported in Parquet files; cast it to text",
                field.name()
            );
        }
        self.writer.create_writer_physical_plan(input, session, config, order).await
    }

    fn file_source(&self, schema: TableSchema) -> Arc<dyn FileSource> {
        self.writer.file_source(schema)
    }
}

/// Whether there are intervals in values of a type: Parquet has no nanoseconds for them, and no sign.
fn has_interval(data_type: &DataType) -> bool {
    match data_type {
        DataType::Interval(IntervalUnit::MonthDayNano) => true,
        DataType::Struct(fields) => fields.iter().any(|field| has_interval(field.data_type())),
        DataType::List(item)
        | DataType::LargeList(item)
        | DataType::FixedSizeList(item, _)
        | DataType::Map(item, _) => has_interval(item.data_type()),
        _ => false,
    }
}

/// The options in the engine's words. One that is unknown, or has a value that it cannot have, is an error.
fn settled(given: &Options) -> Result<Options, Error> {
    let (mut whole, mut settled) = (Options::new(), Options::new());
    for (name, value) in given {
        let plain = name.strip_prefix("format.").unwrap_or(name);
        match plain.split_once("::") {
            Some((option, _)) => {
                plain_options(
                    "parquet",
                    WRITTEN.iter().copied(),
                    &Options::from([(option.to_owned(), value.clone())]),
                )?;
                let value = if option == "compression" { compression(value, None)? } else { value.clone() };
                settled.insert(plain.to_owned(), value);
            }
            None => {
                whole.insert(name.clone(), value.clone());
            }
        }
    }
    let mut whole = plain_options("parquet", WRITTEN.iter().copied(), &whole)?;
    let level = whole.remove("compression_level");
    if let Some(value) = whole.remove("compression") {
        whole.insert("compression".to_owned(), compression(&value, level.as_deref())?);
    } else if let Some(level) = level {
        return Err(invalid("compression_level", &level, "given beside a compression that has levels"));
    }
    if let Some(rows) = whole.remove("row_group_size") {
        // What is wrong is told of the name that was said.
        if !is_allowed("row_group_size", &rows) {
            return Err(invalid("row_group_size", &rows, expected("row_group_size")));
        }
        if whole.insert("max_row_group_size".to_owned(), rows.clone()).is_some() {
            return Err(invalid("row_group_size", &rows, "left out: max_row_group_size is another name for it"));
        }
    }
    settled.extend(whole);
    settled
        .entry("created_by".to_owned())
        .or_insert_with(|| format!("{} version {}", env!("CARGO_PKG_NAME"), env!("CARGO_PKG_VERSION")));
    for (name, value) in &settled {
        if !is_allowed(name.split("::").next().unwrap_or_default(), value) {
            return Err(invalid(name, value, expected(name)));
        }
        TableParquetOptions::default().set(name, value).map_err(|_| invalid(name, value, expected(name)))?;
    }
    Ok(settled)
}

/// Whether the engine's writer goes on with a value: of some it makes no end, and of others a panic.
fn is_allowed(option: &str, value: &str) -> bool {
    match option {
        "bloom_filter_fpp" => value.parse().is_ok_and(|share: f64| share > 0.0 && share < 1.0),
        "statistics_enabled" => ["none", "chunk", "page"].contains(&value.to_ascii_lowercase().as_str()),
        _ if expected(option) == A_NUMBER => value.parse().is_ok_and(|number: u64| number > 0),
        _ => true,
    }
}

const A_NUMBER: &str = "a whole number from 1";

/// What an option may be, in words.
fn expected(name: &str) -> &'static str {
    match name.split("::").next().unwrap_or_default() {
        "dictionary_enabled"
        | "bloom_filter_on_write"
        | "bloom_filter_enabled"
        | "skip_arrow_metadata"
        | "allow_single_file_parallelism" => "true or false",
        "writer_version" => "1.0 or 2.0",
        "metadata" => "given as metadata::key",
        "bloom_filter_fpp" => "a number between 0 and 1",
        "statistics_enabled" => "none, chunk or page",
        "compression" | "created_by" => "a text",
        _ => A_NUMBER,
    }
}

/// A compression with its level, as the engine writes both.
fn compression(value: &str, level: Option<&str>) -> Result<String, Error> {
    let lower = value.trim().to_ascii_lowercase();
    let wrong = || invalid("compression", value, EXPECTED);
    let (name, own_level) = match lower.strip_suffix(')').and_then(|inner| inner.split_once('(')) {
        Some((name, level)) => (name.trim(), Some(level.trim())),
        None => (lower.as_str(), None),
    };
    let name = if name == "none" { "uncompressed" } else { name };
    let (name, levels) = COMPRESSIONS.iter().find(|(known, _)| *known == name).ok_or_else(wrong)?;
    let given = match (own_level, level) {
        (Some(_), Some(level)) => return Err(invalid("compression_level", level, "said once")),
        (own, level) => own.or(level),
    };
    let Some((lowest, usual, highest)) = *levels else {
        return match given {
            Some(level) => Err(invalid("compression_level", level, "left out: this compression has no levels")),
            None => Ok((*name).to_owned()),
        };
    };
    let Some(given) = given else { return Ok(format!("{name}({usual})")) };
    let level = given.parse().ok().filter(|level| (lowest..=highest).contains(level));
    let level =
        level.ok_or_else(|| invalid("compression_level", given, &format!("{lowest} to {highest} for {name}")))?;
    Ok(format!("{name}({level})"))
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;

    fn said(given: &[(&str, &str)]) -> Result<Options, String> {
        let given = given.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned()));
        settled(&given.collect()).map_err(|error| error.to_string())
    }

    #[test]
    fn compressions_have_levels_of_their_own() {
        for (given, found) in [
            ("zstd", "zstd(3)"),
            ("GZIP", "gzip(6)"),
            ("brotli(11)", "brotli(11)"),
            ("none", "uncompressed"),
            ("snappy", "snappy"),
        ] {
            assert_eq!(said(&[("format.compression", given)]).unwrap().get("compression").unwrap(), found);
        }
        let levelled = said(&[("compression", "zstd"), ("compression_level", "19")]).unwrap();
        assert_eq!(levelled.get("compression").unwrap(), "zstd(19)");
        for wrong in ["zip", "zstd(23)", "zstd(x)", "snappy(1)", "", "zstd(3"] {
            assert!(said(&[("compression", wrong)]).is_err(), "{wrong}");
        }
        assert!(said(&[("compression_level", "3")]).is_err());
        assert!(said(&[("compression", "zstd(3)"), ("compression_level", "3")]).is_err());
    }

    #[test]
    fn what_is_not_understood_is_refused() {
        let rows = said(&[("row_group_size", "1000"), ("compression::a", "zstd"), ("metadata::k", "v")]).unwrap();
        assert_eq!(rows.get("max_row_group_size").unwrap(), "1000");
        assert_eq!(rows.get("compression::a").unwrap(), "zstd(3)");
        assert!(rows.get("created_by").unwrap().starts_with("fusewire version "));
        let unknown = said(&[("codec", "zstd")]).unwrap_err();
        assert!(unknown.contains("codec") && unknown.contains("row_group_size"), "{unknown}");
        for name in ["row_group_size", "max_row_group_size"] {
            let wrong = said(&[(name, "x")]).unwrap_err();
            assert_eq!(wrong, format!("option {name} cannot be 'x', expected a whole number from 1"));
        }
        assert!(said(&[("row_group_size", "10"), ("max_row_group_size", "20")]).is_err());
        for wrong in
            [("row_group_size", "0"), ("write_batch_size", "0"), ("bloom_filter_fpp", "2"), ("statistics_enabled", "x")]
        {
            assert!(said(&[wrong]).is_err(), "{wrong:?}");
        }
        assert!(said(&[("codec::a", "zstd")]).is_err());
    }
}
