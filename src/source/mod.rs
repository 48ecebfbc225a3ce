//! Where rows come from: one kind of source behind one trait, and files, the first of them, one format a file.
//!
//! A [`Source`] looks at a location once and writes down what it found as an [`ExternalTable`] for the catalog, and makes a
//! table of that for each statement which names it. Knows nothing of sessions or SQL, and of the catalog what that keeps of
//! a table alone.
//!
//! To add a source: one file with its [`Source`] and one line in `Sources`. To add a format: one file with its
//! [`Format`] and one line in [`FORMATS`].

mod access;
mod address;
mod arrow_ipc;
mod avro;
mod binary;
mod bucket;
mod buffer;
mod bytes;
mod codec;
mod columns;
mod csv;
mod describe;
mod diagnose;
mod encoding;
mod error;
mod excel;
mod files;
mod folder;
mod forms;
mod guess;
mod infer;
mod json;
mod keys;
mod links;
mod location;
mod looks;
mod lossless;
mod options;
mod parquet;
mod pattern;
mod rejects;
mod s3;
mod secret;
mod spans;
mod staging;
mod store;
mod synonyms;
mod table;
mod target;
mod text;
mod trace;
mod unwritable;
mod values;
mod write;
mod years;
mod zones;

use std::{
    collections::{BTreeMap, HashMap},
    fmt,
    sync::Arc,
};

use arrow::datatypes::{Field, Schema, SchemaRef};
use async_trait::async_trait;
use datafusion::{
    catalog::{Session, TableProvider},
    common::Statistics,
    datasource::{
        file_format::FileFormatFactory,
        physical_plan::{FileScanConfig, FileSource},
        source::DataSourceExec,
        table_schema::TableSchema,
    },
    physical_plan::ExecutionPlan,
};
use object_store::{ObjectMeta, ObjectStore};

pub use access::Access;
pub(crate) use address::is_remote;
pub use codec::SourceCodec;
pub use describe::{Described, describe};
pub(crate) use diagnose::FILTER_FAILED;
pub use diagnose::diagnose;
pub use error::{Cause, Error};
pub use files::{Files, looks_like_path, unknown_file};
pub(crate) use infer::is_alike;
pub use keys::Key;
pub use looks::Looks;
pub use rejects::{Rejected, Rejects};
pub use secret::{SECRET_TYPES, SecretDefinition, SecretOption, SecretType, SecretValues};
pub(crate) use staging::Writing;
pub use store::Stores;
pub(crate) use target::Target;

use bytes::{Compression, Input};
use encoding::Encoding;
use location::FoundFile;
pub(crate) use location::{NULL_PARTITION, ending};
use trace::Told;

use crate::{
    catalog::ExternalTable,
    fault::{Failure, Fault},
};

/// The options of a source or a format by name; after [`Source::resolve`] complete, so that later reads never guess again.
pub type Options = BTreeMap<String, String>;

/// A kind of source: what `STORED AS` names in `CREATE EXTERNAL TABLE`.
///
/// What it opens is a table of the query engine, whose schema, scans and statistics are its own: a scan is given the columns
/// that are read, the conditions that [`TableProvider::supports_filters_pushdown`] takes, and how many rows are enough.
/// Whatever fails is an [`Error`] or, in words of its own, a [`Failure`], in what a scan yields too.
#[async_trait]
pub trait Source: fmt::Debug + Send + Sync {
    /// Its names in `STORED AS` that errors list, in lower case.
    fn names(&self) -> Vec<&str>;

    /// Whether `STORED AS` means it by this name, which is in lower case.
    fn is_named(&self, name: &str) -> bool {
        self.names().contains(&name)
    }

    /// Refuses the name of an option that it does not have. This is asked where a value is refused in any case, so that a
    /// wrong name is told first; other options are for [`Source::resolve`] to check.
    fn check_option(&self, _named: Option<&str>, _option: &str) -> Result<(), Error> {
        Ok(())
    }

    /// Looks at what is there and decides everything that the table needs, once. It asks `access` before it opens anything,
    /// and refuses what of the request it does not take. The format of what it returns is one of its names.
    async fn resolve(
        &self,
        session: &dyn Session,
        request: TableRequest,
        stores: &Stores,
        access: &Access,
    ) -> Result<ExternalTable, Error>;

    /// The table of what was decided, for one statement, which may have other rights than the one that it was made by.
    fn open(&self, table: &ExternalTable, stores: &Stores, access: &Access) -> Result<Arc<dyn TableProvider>, Error>;
}

/// The kinds of sources that an engine has.
#[derive(Debug, Clone)]
pub(crate) struct Sources(Vec<Arc<dyn Source>>);

impl Default for Sources {
    /// Those that are built in, in the order in which errors list them.
    fn default() -> Self {
        Self(vec![Arc::new(Files)])
    }
}

impl Sources {
    /// Adds a kind; an error if a name of its is another's.
    pub(crate) fn add(&mut self, source: Arc<dyn Source>) -> Result<(), Error> {
        for name in source.names() {
            if self.0.iter().any(|other| other.is_named(name)) {
                let message = format!("there is a source {name} already; give the one that is added another name");
                return Err(Failure::new(Fault::DuplicateObject, message).into());
            }
        }
        self.0.push(source);
        Ok(())
    }

    /// See [`Source::check_option`].
    pub(crate) fn check_option(&self, named: Option<&str>, option: &str) -> Result<(), Error> {
        self.of(named)?.check_option(named, option)
    }

    /// See [`Source::resolve`].
    pub(crate) async fn resolve(
        &self,
        session: &dyn Session,
        request: TableRequest,
        stores: &Stores,
        access: &Access,
    ) -> Result<ExternalTable, Error> {
        let source = self.of(request.format.as_deref())?;
        source.resolve(session, request, stores, access).await
    }

    /// See [`Source::open`].
    pub(crate) fn open(
        &self,
        table: &ExternalTable,
        stores: &Stores,
        access: &Access,
    ) -> Result<Arc<dyn TableProvider>, Error> {
        self.of(Some(&table.format))?.open(table, stores, access)
    }

    /// The kind that `STORED AS` means; without it files, whose names tell their format.
    fn of(&self, named: Option<&str>) -> Result<&dyn Source, Error> {
        let Some(name) = named else { return Ok(&Files) };
        let lower = name.to_ascii_lowercase();
        let found = self.0.iter().find(|source| source.is_named(&lower));
        found.map(|source| source.as_ref()).ok_or_else(|| Error::NoSuchFormat {
            format: name.to_owned(),
            known: self.0.iter().flat_map(|source| source.names()).collect::<Vec<_>>().join(", "),
        })
    }
}

/// Every format, in the order in which help shows them.
pub const FORMATS: [&dyn Format; 7] =
    [&csv::Csv, &csv::Tsv, &json::Json, &parquet::Parquet, &arrow_ipc::ARROW, &avro::AVRO, &excel::Excel];

/// A file format: how to learn a schema from its files and how to scan them.
#[async_trait]
pub trait Format: fmt::Debug + Send + Sync {
    /// The name in `STORED AS`, in lower case.
    fn name(&self) -> &'static str;

    /// The endings of file names that tell the format, in lower case and without compression.
    fn endings(&self) -> &'static [&'static str];

    /// The options it takes, each with what it means.
    fn options(&self) -> &'static [(&'static str, &'static str)];

    /// Completes the options and infers the columns from a look at the files. `declared` are the columns of the
    /// statement, where it names them: they win over what the files say.
    async fn infer(&self, sample: Sample<'_>, options: Options) -> Result<Inferred, Error>;

    /// What writes files for `COPY`; none if the format is read, not written.
    fn writers(&self) -> Option<Arc<dyn FileFormatFactory>> {
        None
    }

    /// What of its files a format compresses by itself, so that `COPY` compresses none as a whole.
    fn compressed(&self) -> Option<&'static str> {
        None
    }

    /// What reads the files in a plan.
    fn file_source(&self, options: &Options, schema: TableSchema, sources: &str) -> Result<Arc<dyn FileSource>, Error>;

    /// A file's statistics, where it keeps some; an error if its columns are none that the options let pass, or say
    /// otherwise than the keys of its directories.
    async fn statistics(
        &self,
        _session: &dyn Session,
        _store: &Arc<dyn ObjectStore>,
        _options: &Options,
        _schema: &SchemaRef,
        _file: (&ObjectMeta, &str),
        _keys: &[Key],
    ) -> Result<Option<Statistics>, Error> {
        Ok(None)
    }

    /// The node that scans.
    async fn plan(
        &self,
        _session: &dyn Session,
        _options: &Options,
        config: FileScanConfig,
    ) -> datafusion::common::Result<Arc<dyn ExecutionPlan>> {
        Ok(DataSourceExec::from_data_source(config))
    }
}

/// The files that a format may look at.
pub struct Sample<'a> {
    session: &'a dyn Session,
    store: &'a Arc<dyn ObjectStore>,
    files: &'a [FoundFile],
    declared: Option<&'a Schema>,
}

impl Sample<'_> {
    /// The files as bytes.
    fn inputs(&self, compression: Compression, encoding: Encoding, skipped_lines: u64) -> Vec<Input> {
        let input = |file: &FoundFile| Input {
            store: Arc::clone(self.store),
            meta: file.meta.clone(),
            name: file.name.clone(),
            compression,
            encoding,
            skipped_lines,
        };
        self.files.iter().map(input).collect()
    }
}

/// What a look at the files found.
#[derive(Debug, Clone)]
pub struct Inferred {
    /// The options, complete.
    pub options: Options,
    /// The columns in the files.
    pub schema: Schema,
    /// What made the columns what they are, by their names.
    told: Vec<(String, Told)>,
    /// The options whose values are guesses that may be wrong, each with why, and what to say if it is.
    doubts: Vec<(String, String)>,
}

/// What `CREATE EXTERNAL TABLE` or `FROM 'path'` asks for.
#[derive(Debug, Clone, Default)]
pub struct TableRequest {
    /// Paths, directories, globs or URLs.
    pub locations: Vec<String>,
    /// `STORED AS`; none: told by the names.
    pub format: Option<String>,
    /// The declared columns, partition columns included; none: inferred.
    pub columns: Option<Schema>,
    /// `PARTITIONED BY`; empty: `key=value` directories are discovered.
    pub partition_columns: Vec<String>,
    /// The types of some columns, which win over what the files say; names match exactly, else but for case.
    pub types: Vec<Field>,
    /// `OPTIONS`.
    pub options: Options,
}

fn by_ending(name: &str) -> Option<&'static dyn Format> {
    let (ending, _) = location::ending(name)?;
    FORMATS.iter().find(|format| format.endings().contains(&ending.as_str())).copied()
}

fn format_named(name: &str) -> Result<&'static dyn Format, Error> {
    let lower = name.to_ascii_lowercase();
    let found = FORMATS.iter().find(|format| format.name() == lower || format.endings().contains(&lower.as_str()));
    found.copied().ok_or_else(|| Error::NoSuchFormat {
        format: name.to_owned(),
        known: FORMATS.map(|format| format.name()).join(", "),
    })
}

fn known_endings() -> String {
    let endings: Vec<_> =
        FORMATS.iter().flat_map(|format| format.endings()).map(|ending| format!(".{ending}")).collect();
    endings.join(", ")
}

/// The options by the names that they have here: `format.has_header` and `has_header` are `header`. An unknown one is an error.
fn plain_options<'a>(
    format: &str,
    known: impl Iterator<Item = &'a str> + Clone,
    given: &Options,
) -> Result<Options, Error> {
    let mut options = Options::new();
    for (name, value) in given {
        let lower = name.to_ascii_lowercase();
        let written = lower.strip_prefix("format.").unwrap_or(&lower);
        let knows = |option: &str| known.clone().any(|known| known == option);
        let Some((plain, value)) = synonyms::spelled(written, value, &knows)? else { continue };
        if !knows(plain) {
            let accepted: Vec<_> = known.clone().collect();
            return Err(Error::UnknownOption {
                format: format.to_owned(),
                option: written.to_owned(),
                accepted: if accepted.is_empty() { "none".to_owned() } else { accepted.join(", ") },
            });
        }
        if options.insert(plain.to_owned(), value).is_some() {
            return Err(options::invalid(plain, name, "given once, under one of its names"));
        }
    }
    Ok(options)
}

/// The options that the engine hands on to a writer, in the order of their names.
fn given_options(given: &HashMap<String, String>) -> Options {
    given.iter().map(|(name, value)| (name.clone(), value.clone())).collect()
}

/// What writes files for `COPY`, one for each format that is written.
pub fn writers() -> impl Iterator<Item = Arc<dyn FileFormatFactory>> {
    FORMATS.iter().filter_map(|format| format.writers())
}

/// The format that `COPY` writes for a name in `STORED AS`, or for the ending of a file's name.
pub fn written_format(name: &str) -> Result<&'static str, Error> {
    let found = format_named(name).ok();
    if let Some(format) = found.filter(|format| format.writers().is_some()) {
        return Ok(format.name());
    }
    let written: Vec<_> =
        FORMATS.iter().filter(|format| format.writers().is_some()).map(|format| format.name()).collect();
    let written = listed(&written);
    let found = if found.is_some() { "is read, not written" } else { "is no format that is written" };
    Err(Error::NotWritten { format: name.to_ascii_lowercase(), found, written })
}

/// Names of which one may be chosen: `a, b or c`.
pub(crate) fn listed(names: &[&str]) -> String {
    match names.split_last() {
        Some((last, others)) if !others.is_empty() => format!("{} or {last}", others.join(", ")),
        _ => names.concat(),
    }
}

/// What of its files the format of a name compresses by itself.
pub(crate) fn compressed(format: &str) -> Option<&'static str> {
    format_named(format).ok()?.compressed()
}

#[cfg(test)]
#[allow(clippy::unwrap_used, clippy::indexing_slicing)]
mod tests;
