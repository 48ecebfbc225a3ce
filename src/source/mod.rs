//! Where rows come from: files as tables, one format a file.
//!
//! [`resolve`] looks at a location once and writes down what it found as an [`ExternalTable`] for the catalog;
//! [`open`] makes a table of a definition for one statement and lists its files anew, so that new ones are seen. Knows
//! nothing of sessions or SQL, and of the catalog what that keeps of a table alone.
//!
//! To add a format: one file with its [`Format`] and one line in [`FORMATS`].

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
    collections::{BTreeMap, HashMap, HashSet},
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
pub(crate) use infer::is_alike;
pub use keys::Key;
pub use looks::Looks;
pub use rejects::{Rejected, Rejects};
pub(crate) use staging::Writing;
pub use store::{SECRET_OPTIONS, SecretDefinition, Stores};
pub(crate) use target::Target;

use bytes::{Compression, Input};
use encoding::Encoding;
use location::{FoundFile, Listing, Location};
pub(crate) use location::{NULL_PARTITION, ending};
use rejects::OnError;
use trace::Told;

use crate::catalog::ExternalTable;

/// The options of a format by name; after [`resolve`] complete, so that later reads never guess again.
pub type Options = BTreeMap<String, String>;

/// Where it is kept that a directory had no file when the table was made, and needs none. It is no option that anybody gives.
const MAY_BE_EMPTY: &str = "may_be_empty";

/// Said of a scan of a table that has one file: what that lacks, no file has.
const ONLY_FILE: &str = "only_file";

/// The names of the keys of directories whose types were guessed from their values, as JSON.
const GUESSED_KEYS: &str = "guessed_keys";

/// The fingerprint of the files whose bytes, all of them, told the types of a table's columns. Of other files no guess is
/// trusted: a value that would have made the column text is an error.
const TOLD_BY: &str = "told_by";

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

/// Looks at the files of a request and decides everything that the table needs.
pub async fn resolve(
    session: &dyn Session,
    request: TableRequest,
    stores: &Stores,
    access: &Access,
) -> Result<ExternalTable, Error> {
    Ok(look(session, &request, stores, access).await?.definition)
}

/// A table that was looked at.
struct Looked {
    definition: ExternalTable,
    listing: Listing,
    told: Vec<(String, Told)>,
    doubts: Vec<(String, String)>,
}

async fn look(
    session: &dyn Session,
    request: &TableRequest,
    stores: &Stores,
    access: &Access,
) -> Result<Looked, Error> {
    let asked = request.format.as_deref().map(format_named).transpose()?;
    if let (Some(_), Some(given)) = (&request.columns, request.types.first()) {
        return Err(options::invalid("types", given.name(), "nothing, because all columns are declared"));
    }
    let mut locations = Vec::new();
    for location in &request.locations {
        locations.push(Location::parse(location)?);
    }
    let shown = request.locations.join(", ");
    let is_declared = request.columns.as_ref().is_some_and(|columns| {
        request.partition_columns.iter().all(|partition| columns.field_with_name(partition).is_ok())
    });
    let (format, mut listing) = list(&locations, asked, stores, access, is_declared).await?;
    let options = checked_options(format, &request.options)?;
    let file_column = options::file_column(&options)?.map(str::to_owned);
    let file_column = file_column.as_deref();
    options::name_files(&mut listing.files, file_column)?;
    let partition_columns = infer::partition_columns(&listing.files, request, file_column)?;
    let declared = request.columns.as_ref().map(|columns| infer::without(columns, &partition_columns)).transpose()?;
    let sample = Sample { session, store: &listing.store, files: &listing.files, declared: declared.as_ref() };
    let key = looks::Key::of(format, &options, &sample, &listing.url);
    let inferred = match stores.looks().find(&key) {
        Some(found) => found,
        None if listing.files.is_empty() => {
            // What looks at no file finds no fault with its options.
            format.file_source(&options, TableSchema::from(Arc::new(Schema::empty())), "")?;
            nothing_yet(options)
        }
        None => {
            let found = format.infer(sample, options).await?;
            stores.looks().keep(key, &found);
            found
        }
    };
    let Inferred { options, schema, told, doubts } = inferred;
    if let Some(declared) = &declared {
        infer::check_declared(declared, &schema, &options, &listing.files)?;
    }
    let schema = infer::typed(schema, &partition_columns, request)?;
    if let Some(column) = file_column.filter(|column| schema.field_with_name(column).is_ok()) {
        let expected = format!("another name: the files have a column {column}");
        return Err(options::invalid(options::FILENAME.0, column, &expected));
    }
    let is_declared = declared.is_some();
    let schema = declared.unwrap_or_else(|| infer::without_keys(&schema, &partition_columns, file_column));
    if schema.fields().is_empty() && partition_columns.is_empty() {
        return Err(Error::NoRows { file: shown });
    }
    let mut options = options;
    let fields = schema.fields().iter().map(|field| field.as_ref()).filter(|_| !is_declared);
    let is_guessed = |key: &&Field| {
        let is_declared = |columns: &Schema| columns.field_with_name(key.name()).is_ok();
        Some(key.name().as_str()) != file_column && !request.columns.as_ref().is_some_and(is_declared)
    };
    let keys = unsaid(partition_columns.iter().filter(is_guessed), request);
    options.extend(guesses(&unsaid(fields, request), &keys, &listing.files, &options));
    let definition = ExternalTable {
        locations: locations.iter().map(|location| location.text().to_owned()).collect(),
        format: format.name().to_owned(),
        options,
        schema,
        partition_columns,
        secret: None,
    };
    let looked = Looked { definition, listing, told, doubts };
    remark_on_text(&looked, request, stores).await?;
    Ok(looked)
}

/// The names of the columns whose types nobody said.
fn unsaid<'a>(fields: impl Iterator<Item = &'a Field>, request: &TableRequest) -> Vec<&'a str> {
    let said: HashSet<String> = request.types.iter().map(|given| given.name().to_lowercase()).collect();
    fields.map(|field| field.name().as_str()).filter(|name| !said.contains(&name.to_lowercase())).collect()
}

/// Which columns and keys of directories have guessed types, and the files that told them with all their bytes.
fn guesses(names: &[&str], keys: &[&str], files: &[FoundFile], options: &Options) -> Options {
    let mut guesses = Options::new();
    for (option, names) in [(forms::GUESSED, names), (GUESSED_KEYS, keys)] {
        let list = serde_json::to_string(names).ok().filter(|_| !names.is_empty());
        guesses.extend(list.map(|list| (option.to_owned(), list)));
    }
    let is_sampled = options.get(options::SAMPLE_BYTES.0).is_some_and(|bytes| !bytes.eq_ignore_ascii_case("all"));
    let told = if is_sampled { None } else { looks::fingerprint(files) };
    guesses.extend(told.map(|told| (TOLD_BY.to_owned(), told)));
    guesses
}

/// What is known of the files of a directory that has none yet: nothing but what the statement says.
fn nothing_yet(mut options: Options) -> Inferred {
    options.insert(MAY_BE_EMPTY.to_owned(), true.to_string());
    Inferred { options, schema: Schema::empty(), told: Vec::new(), doubts: Vec::new() }
}

/// Says of which column `on_error` leaves nothing out, because its type was told by all its values and holds them.
async fn remark_on_text(looked: &Looked, request: &TableRequest, stores: &Stores) -> Result<(), Error> {
    let Looked { definition, told, .. } = looked;
    let on_error = OnError::parse(definition.options.get(rejects::OPTION.0).map(String::as_str))?;
    if !on_error.is_lenient() || request.columns.is_some() {
        return Ok(());
    }
    let given: HashSet<String> = request.types.iter().map(|given| given.name().to_lowercase()).collect();
    let texts = definition.schema.fields().iter().filter(|field| field.data_type().is_string());
    let texts: HashSet<&str> = texts.map(|field| field.name().as_str()).collect();
    for (name, told) in told {
        let is_given = given.contains(&name.to_lowercase());
        let forced_by =
            if is_given || !texts.contains(name.as_str()) { None } else { describe::forced_by(told).await? };
        if let Some(reason) = forced_by {
            stores.rejects().remark(format!(
                "column {name} is text because of {reason}, so on_error leaves out none of its values; say types => \
                 {{{name}: '…'}} with the type that they should have"
            ));
        }
    }
    Ok(())
}

/// The table of a definition, for one statement. Its files are listed when it is scanned.
pub fn open(definition: &ExternalTable, stores: &Stores, access: &Access) -> Result<Arc<dyn TableProvider>, Error> {
    Ok(Arc::new(table::FileTable::new(definition, stores, access)?))
}

/// Whether a name in `FROM` is a file's rather than a table's: it holds a `/` or ends as a known format does.
pub fn looks_like_path(name: &str) -> bool {
    let endings: Vec<_> = FORMATS.iter().flat_map(|format| format.endings()).copied().collect();
    location::looks_like_path(name, &endings)
}

/// What to say of a name in `FROM` that is a file's and tells no format. Of what may not be opened nothing is said.
pub fn unknown_file(name: &str, access: &Access) -> Option<Error> {
    let path = std::path::absolute(name).ok()?;
    location::ending(name)?;
    let found = access.check_path(name, &path).ok()?;
    found.is_file().then(|| Error::UnknownFormat { location: name.to_owned(), known: known_endings() })
}

/// The files of all locations and their format: the one asked for, or the one that their names tell. A directory without a
/// file is an error, unless it may be empty.
async fn list(
    locations: &[Location],
    asked: Option<&'static dyn Format>,
    stores: &Stores,
    access: &Access,
    may_be_empty: bool,
) -> Result<(&'static dyn Format, Listing), Error> {
    let mut format = asked;
    let mut all: Option<Listing> = None;
    for location in locations {
        let mut listing = location.list(stores, access).await?;
        let told = match format {
            Some(format) => format,
            None => format_of(location, &listing)?,
        };
        format = Some(told);
        let is_known = may_be_empty && asked.is_some() && locations.len() == 1;
        if !(is_known && listing.directory && listing.files.is_empty()) {
            keep(location, told, &mut listing)?;
        }
        match &mut all {
            None => all = Some(listing),
            Some(all) if all.url == listing.url => all.files.append(&mut listing.files),
            Some(_) => {
                return Err(Error::InvalidLocation {
                    location: location.text().to_owned(),
                    reason: "all locations of a table must be local or in the same bucket".to_owned(),
                });
            }
        }
    }
    match (format, all) {
        (Some(format), Some(listing)) => Ok((format, listing)),
        _ => Err(Error::InvalidLocation { location: String::new(), reason: "it is empty".to_owned() }),
    }
}

/// Of a directory, keeps the files that end as the format does.
fn keep(location: &Location, format: &dyn Format, listing: &mut Listing) -> Result<(), Error> {
    if listing.directory {
        let ends = |file: &FoundFile| {
            location::ending(&file.name).is_some_and(|(ending, _)| format.endings().contains(&ending.as_str()))
        };
        listing.files.retain(ends);
    }
    if listing.files.is_empty() {
        let (location, expected) = (location.text().to_owned(), format.name().to_owned());
        return Err(Error::EmptyDirectory { location, expected });
    }
    Ok(())
}

/// The format that the names of the files tell. In a directory files of no format are passed over.
fn format_of(location: &Location, listing: &Listing) -> Result<&'static dyn Format, Error> {
    let mut told: Option<&'static dyn Format> = None;
    for file in &listing.files {
        match (by_ending(&file.name), told) {
            (None, _) if listing.directory => {}
            (None, _) => return Err(Error::UnknownFormat { location: file.name.clone(), known: known_endings() }),
            (Some(format), None) => told = Some(format),
            (Some(format), Some(first)) if format.name() != first.name() => {
                return Err(Error::MixedFormats {
                    location: location.text().to_owned(),
                    first: first.name().to_owned(),
                    second: format.name().to_owned(),
                });
            }
            (Some(_), Some(_)) => {}
        }
    }
    told.ok_or_else(|| Error::EmptyDirectory { location: location.text().to_owned(), expected: known_endings() })
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

fn checked_options(format: &dyn Format, given: &Options) -> Result<Options, Error> {
    let options = plain_options(format.name(), format.options().iter().map(|(known, _)| *known), given)?;
    options::check(&options)?;
    Ok(options)
}

/// Refuses the name of an option that a format does not have, or none of all formats where that is not known yet.
pub(crate) fn check_option(format: Option<&str>, name: &str) -> Result<(), Error> {
    let asked = format.map(format_named).transpose()?;
    let formats = FORMATS.iter().filter(|format| asked.is_none_or(|asked| asked.name() == format.name()));
    let mut known: Vec<&str> = formats.flat_map(|format| format.options()).map(|(option, _)| *option).collect();
    if asked.is_none() {
        known.sort_unstable();
        known.dedup();
    }
    let knows = |option: &str| known.contains(&option);
    let lower = name.to_ascii_lowercase();
    let written = lower.strip_prefix("format.").unwrap_or(&lower);
    match synonyms::spelled(written, "true", &knows) {
        Ok(Some((plain, _))) if !knows(plain) => Err(Error::UnknownOption {
            format: asked.map_or("any format", |asked| asked.name()).to_owned(),
            option: written.to_owned(),
            accepted: if known.is_empty() { "none".to_owned() } else { known.join(", ") },
        }),
        _ => Ok(()),
    }
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
    let written = match written.split_last() {
        Some((last, others)) if !others.is_empty() => format!("{} or {last}", others.join(", ")),
        _ => written.concat(),
    };
    let found = if found.is_some() { "is read, not written" } else { "is no format that is written" };
    Err(Error::NotWritten { format: name.to_ascii_lowercase(), found, written })
}

/// What of its files the format of a name compresses by itself.
pub(crate) fn compressed(format: &str) -> Option<&'static str> {
    format_named(format).ok()?.compressed()
}

#[cfg(test)]
#[allow(clippy::unwrap_used, clippy::indexing_slicing)]
mod tests;
