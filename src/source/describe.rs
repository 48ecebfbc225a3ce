//! What a look at files decided about them, and why: for whoever wants to see it before a table is made of them.

use std::collections::{HashMap, HashSet};

use arrow::{
    array::{Array, ArrayRef},
    datatypes::Field,
    util::display::{ArrayFormatter, FormatOptions},
};
use datafusion::{catalog::Session, physical_plan::ExecutionPlanProperties};
use futures::TryStreamExt;

use super::{
    Access, Error, Files, Sample, Source, Stores, TableRequest,
    bytes::Compression,
    csv::FIRST_HEADER,
    encoding,
    encoding::Encoding,
    excel::FIRST_SHEET,
    files::{GUESSED_KEYS, Looked, MAY_BE_EMPTY, TOLD_BY, look},
    format_named,
    forms::GUESSED,
    options,
    text::line_of,
    trace::{Place, Told},
};
use crate::print::{self, Form};

/// What was decided about files.
#[derive(Debug, Clone)]
pub struct Described {
    /// The format, how many files and bytes there are, and the options with their values.
    pub facts: Vec<Fact>,
    /// The columns, those in the names of directories last.
    pub columns: Vec<DescribedColumn>,
}

/// What was decided about all files.
#[derive(Debug, Clone)]
pub struct Fact {
    /// What it is about, such as an option.
    pub name: String,
    /// What was decided.
    pub value: String,
    /// Why the files may mean something else, and what to say if they do; none where that is not in doubt.
    pub doubt: Option<String>,
}

/// What was decided about a column.
#[derive(Debug, Clone)]
pub struct DescribedColumn {
    /// The column.
    pub field: Field,
    /// One of its values, as the files have it.
    pub example: Option<String>,
    /// What made its type another one than that of its first value: the file, the line and the value.
    pub forced_by: Option<String>,
}

/// Looks at the files of a request and says what it found.
pub async fn describe(
    session: &dyn Session,
    request: &TableRequest,
    stores: &Stores,
    access: &Access,
) -> Result<Described, Error> {
    let looked = look(session, request, stores, access).await?;
    let facts = facts(session, &looked).await?;
    let mut examples = examples(session, &looked, stores, access).await?.into_iter();
    let mut columns = Vec::new();
    let definition = &looked.definition;
    let told: HashMap<&str, &Told> = looked.told.iter().map(|(name, told)| (name.as_str(), told)).collect();
    let given: HashSet<String> = request.types.iter().map(|given| given.name().to_ascii_lowercase()).collect();
    for field in definition.schema.fields() {
        let told = told.get(field.name().as_str()).copied().cloned().unwrap_or_default();
        let example = examples.next().flatten();
        let is_given = request.columns.is_some() || given.contains(&field.name().to_ascii_lowercase());
        columns.push(DescribedColumn {
            field: field.as_ref().clone(),
            forced_by: if is_given { Some("its type is given".to_owned()) } else { forced_by(&told).await? },
            example: told.example.or(example),
        });
    }
    let file_column = options::file_column(&definition.options)?;
    for field in &definition.partition_columns {
        let source =
            if file_column == Some(field.name().as_str()) { "the files' names" } else { "the directories' names" };
        columns.push(DescribedColumn {
            field: field.clone(),
            example: examples.next().flatten(),
            forced_by: Some(source.to_owned()),
        });
    }
    Ok(Described { facts, columns })
}

/// What made a column's type another one than that of its first value.
pub(super) async fn forced_by(told: &Told) -> Result<Option<String>, Error> {
    Ok(match &told.forced {
        None => None,
        Some((found, Place::File(file))) => Some(format!("file {file}: {found}")),
        Some((value, Place::Row { input, offset })) => {
            let line = line_of(input, *offset).await?;
            Some(format!("file {}, line {line}: {value}", input.name))
        }
    })
}

async fn facts(session: &dyn Session, looked: &Looked) -> Result<Vec<Fact>, Error> {
    let (definition, files) = (&looked.definition, &looked.listing.files);
    let bytes: u64 = files.iter().map(|file| file.meta.size).sum();
    let mut facts = vec![
        ("format".to_owned(), definition.format.clone()),
        ("files".to_owned(), files.len().to_string()),
        ("bytes".to_owned(), bytes.to_string()),
    ];
    let mut options = definition.options.clone();
    for own in [FIRST_HEADER, MAY_BE_EMPTY, GUESSED, GUESSED_KEYS, TOLD_BY] {
        options.remove(own);
    }
    if let Some(sheet) = options.remove(FIRST_SHEET) {
        // Whether a name, a number or nothing was said.
        options.insert("sheet".to_owned(), sheet);
    }
    if format_named(&definition.format)?.options().contains(&encoding::OPTION) {
        let get = |name: &str| options.get(name).map(String::as_str);
        let compression = Compression::parse(get(options::COMPRESSION.0))?;
        let encoding = Encoding::parse(get(encoding::OPTION.0))?;
        let sample = Sample { session, store: &looked.listing.store, files, declared: None };
        if let Some(first) = sample.inputs(compression, encoding, 0).first() {
            let (compression, encoding) = first.forms().await?;
            options.insert(options::COMPRESSION.0.to_owned(), compression.to_owned());
            options.insert(encoding::OPTION.0.to_owned(), encoding);
        }
    }
    facts.extend(options);
    let doubt = |name: &str| looked.doubts.iter().find(|(option, _)| option == name).map(|(_, doubt)| doubt.clone());
    Ok(facts.into_iter().map(|(name, value)| Fact { doubt: doubt(&name), name, value }).collect())
}

/// The values of the first row.
async fn examples(
    session: &dyn Session,
    looked: &Looked,
    stores: &Stores,
    access: &Access,
) -> Result<Vec<Option<String>>, Error> {
    let place = looked.definition.locations.join(", ");
    let failed = |error| Error::engine(&place, error);
    let table = Files.open(&looked.definition, stores, access)?;
    let plan = table.scan(session, None, &[], Some(1)).await.map_err(failed)?;
    // The partitions in their order, so that it is the same row each time.
    for partition in 0..plan.output_partitioning().partition_count() {
        let mut rows = plan.execute(partition, session.task_ctx()).map_err(failed)?;
        loop {
            match rows.try_next().await {
                Ok(Some(batch)) if batch.num_rows() > 0 => {
                    return Ok(batch.columns().iter().map(first_value).collect());
                }
                Ok(Some(_)) => {}
                Ok(None) => break,
                // Who reads the rows is told what is wrong with them.
                Err(_) => return Ok(Vec::new()),
            }
        }
    }
    Ok(Vec::new())
}

fn first_value(column: &ArrayRef) -> Option<String> {
    if column.is_null(0) || column.data_type().is_null() {
        return None;
    }
    let options = FormatOptions::default();
    let shown = ArrayFormatter::try_new(column.as_ref(), &options).ok()?;
    // Arrow has no text of the time that ends a day, and of far years.
    let printed = |_| print::texts(&column.slice(0, 1), Form::default()).map(|texts| texts.value(0).to_owned());
    shown.value(0).try_to_string().or_else(printed).ok()
}
