//! Files as tables: what a look at them decides, and which files and which format a location means.
//!
//! What is in the files is the formats' business, and where they lie is that of `location`.

use std::{collections::HashSet, sync::Arc};

use arrow::datatypes::{Field, Schema};
use async_trait::async_trait;
use datafusion::{
    catalog::{Session, TableProvider},
    datasource::table_schema::TableSchema,
};

use super::{
    Access, Error, FORMATS, Format, Inferred, Options, Sample, Source, Stores, TableRequest, by_ending, describe,
    format_named, forms, infer, known_endings,
    location::{self, FoundFile, Listing, Location},
    looks, options, plain_options,
    rejects::{self, OnError},
    synonyms,
    table::FileTable,
    trace::Told,
};
use crate::catalog::ExternalTable;

/// Where it is kept that a directory had no file when the table was made, and needs none. It is no option that anybody gives.
pub(super) const MAY_BE_EMPTY: &str = "may_be_empty";

/// Said of a scan of a table that has one file: what that lacks, no file has.
pub(super) const ONLY_FILE: &str = "only_file";

/// The names of the keys of directories whose types were guessed from their values, as JSON.
pub(super) const GUESSED_KEYS: &str = "guessed_keys";

/// The fingerprint of the files whose bytes, all of them, told the types of a table's columns. Of other files no guess is
/// trusted: a value that would have made the column text is an error.
pub(super) const TOLD_BY: &str = "told_by";

/// The files of every format, on this machine and in buckets.
#[derive(Debug, Clone, Copy)]
pub struct Files;

#[async_trait]
impl Source for Files {
    fn names(&self) -> Vec<&str> {
        FORMATS.iter().map(|format| format.name()).collect()
    }

    fn is_named(&self, name: &str) -> bool {
        format_named(name).is_ok()
    }

    fn check_option(&self, format: Option<&str>, name: &str) -> Result<(), Error> {
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

    async fn resolve(
        &self,
        session: &dyn Session,
        request: TableRequest,
        stores: &Stores,
        access: &Access,
    ) -> Result<ExternalTable, Error> {
        Ok(look(session, &request, stores, access).await?.definition)
    }

    /// The files are listed when the table is scanned, so that new ones are seen.
    fn open(&self, table: &ExternalTable, stores: &Stores, access: &Access) -> Result<Arc<dyn TableProvider>, Error> {
        Ok(Arc::new(FileTable::new(table, stores, access)?))
    }
}

/// A table that was looked at.
pub(super) struct Looked {
    pub(super) definition: ExternalTable,
    pub(super) listing: Listing,
    pub(super) told: Vec<(String, Told)>,
    pub(super) doubts: Vec<(String, String)>,
}

/// Looks at the files of a request and decides everything that the table needs.
pub(super) async fn look(
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
pub(super) async fn list(
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

fn checked_options(format: &dyn Format, given: &Options) -> Result<Options, Error> {
    let options = plain_options(format.name(), format.options().iter().map(|(known, _)| *known), given)?;
    options::check(&options)?;
    Ok(options)
}
