//! What files have in common: the columns of several files, and the columns in the names of their directories.

mod places;
mod types;

use std::{
    borrow::Cow,
    collections::{BTreeMap, BTreeSet, HashMap, HashSet},
    sync::Arc,
};

use arrow::datatypes::{DataType, Field, Schema};
use datafusion::common::ScalarValue;

use super::{
    Error, FoundFile, Options, TableRequest, columns as values,
    forms::Forms,
    guess::{Guess, keeps_seen},
    options,
};
use crate::fault::nearest;
pub(super) use places::{Places, inverted};
pub(super) use types::{FAR, LARGE, map_of, merge, pair, plain, type_name, unmarked, utc};

/// The columns that are not partition columns, which may stand in files, too: under the same name, else under one that is
/// the same but for case. The column of the files' names is none that files have.
pub(super) fn without_keys(schema: &Schema, partitions: &[Field], file_column: Option<&str>) -> Schema {
    let names = Places::of(schema.fields().iter().map(|field| field.name().as_str()));
    let mut keys = HashSet::new();
    for key in partitions.iter().filter(|key| Some(key.name().as_str()) != file_column) {
        keys.extend(names.exact(key.name()));
        if let [only] = names.alike(key.name()) {
            keys.insert(*only);
        }
    }
    let kept = schema.fields().iter().enumerate().filter(|(place, _)| !keys.contains(place));
    Schema::new(kept.map(|(_, field)| Arc::clone(field)).collect::<Vec<_>>())
}

/// The declared columns that are not partition columns.
pub(super) fn without(schema: &Schema, partitions: &[Field]) -> Result<Schema, Error> {
    let (mut fields, mut known): (Vec<Arc<Field>>, HashSet<&str>) = (Vec::new(), HashSet::new());
    for field in schema.fields() {
        if partitions.iter().any(|partition| partition.name() == field.name()) {
            continue;
        }
        if !known.insert(field.name()) {
            return Err(Error::DuplicateColumn { column: field.name().clone() });
        }
        fields.push(Arc::clone(field));
    }
    Ok(Schema::new(fields))
}

/// Whether two names of columns are the same but for case.
pub(crate) fn is_alike(left: &str, right: &str) -> bool {
    if left.is_ascii() && right.is_ascii() {
        return left.eq_ignore_ascii_case(right);
    }
    left.to_lowercase() == right.to_lowercase()
}

/// What the columns of several files are called in their table. Names that are the same but for case are one column, called
/// as in the first file that has it, unless a file has several of them: then each is a column of its own.
#[derive(Debug, Default)]
pub(super) struct Spellings(HashMap<String, String>);

impl Spellings {
    /// Of the names in each file.
    pub(super) fn of<'a, N: IntoIterator<Item = &'a str>>(files: impl IntoIterator<Item = N>) -> Self {
        let mut first: HashMap<String, String> = HashMap::new();
        let mut apart: HashSet<String> = HashSet::new();
        for names in files {
            let mut own: HashMap<String, &str> = HashMap::new();
            for name in names {
                let folded = name.to_lowercase();
                if own.insert(folded.clone(), name).is_some_and(|other| other != name) {
                    apart.insert(folded.clone());
                }
                first.entry(folded).or_insert_with(|| name.to_owned());
            }
        }
        first.retain(|folded, _| !apart.contains(folded));
        Self(first)
    }

    /// The table's name of a file's column.
    pub(super) fn of_table(&self, name: &str) -> String {
        self.0.get(&name.to_lowercase()).map_or(name, String::as_str).to_owned()
    }

    /// The columns of a file as the table calls them.
    pub(super) fn renamed(&self, fields: &[Arc<Field>]) -> Vec<Arc<Field>> {
        let renamed = |field: &Arc<Field>| Arc::new(field.as_ref().clone().with_name(self.of_table(field.name())));
        fields.iter().map(renamed).collect()
    }
}

/// A column of the table that may be several of a file's, or is one together with another of the table's.
#[derive(Debug)]
pub(super) struct Unclear {
    column: String,
    found: String,
}

impl Unclear {
    /// What is unclear, of the fields of an object.
    pub(super) fn among_fields(self) -> String {
        let Self { column, found } = self;
        format!("which field is {column} cannot be told, because names are the same but for case: {found}")
    }

    /// The error of the file.
    pub(super) fn in_file(self, file: &str) -> Error {
        Error::UnclearColumn { file: file.to_owned(), column: self.column, found: self.found }
    }
}

/// Where in a file's columns each of the table's columns stands: the same name, else the one that is the same but for case.
pub(super) fn positions(table: &Schema, names: &[impl AsRef<str>]) -> Result<Vec<Option<usize>>, Unclear> {
    let known = Places::of(names.iter().map(|name| name.as_ref()));
    let mut places: Vec<Option<usize>> = table.fields().iter().map(|field| known.exact(field.name())).collect();
    let own: HashSet<usize> = places.iter().copied().flatten().collect();
    let mut taken = HashSet::new();
    for (place, field) in places.iter_mut().zip(table.fields()).filter(|(place, _)| place.is_none()) {
        // Another column of the table may have that very name.
        let alike = known.alike(field.name()).iter().copied().filter(|place| !own.contains(place));
        let alike: Vec<usize> = alike.collect();
        match alike.as_slice() {
            [] => {}
            [found] if taken.insert(*found) => *place = Some(*found),
            several => {
                let found = several.iter().filter_map(|place| names.get(*place)).map(|name| name.as_ref());
                let found = found.collect::<Vec<&str>>().join(", ");
                return Err(Unclear { column: field.name().clone(), found });
            }
        }
    }
    Ok(places)
}

/// Refuses a declared column that no file has: it would be NULL in each row. Where columns are found by their places names say
/// nothing, and what a sample lacks may come behind it.
pub(super) fn check_declared(
    declared: &Schema,
    found: &Schema,
    given: &Options,
    files: &[FoundFile],
) -> Result<(), Error> {
    let is = |option: &str, value: &str| given.get(option).is_some_and(|given| given.eq_ignore_ascii_case(value));
    let is_sample = given.contains_key(options::SAMPLE_BYTES.0) && !is(options::SAMPLE_BYTES.0, "all");
    if !options::refuses_missing(given)? || found.fields().is_empty() || is_sample || is("match_columns", "position") {
        return Ok(());
    }
    let names: Vec<_> = found.fields().iter().map(|field| field.name().as_str()).collect();
    let file = files.first().map_or("", |file| file.name.as_str());
    let places = positions(declared, &names).map_err(|unclear| unclear.in_file(file))?;
    for (place, field) in places.iter().zip(declared.fields()) {
        let name = place.and_then(|place| names.get(place));
        let matches_case = is(options::MATCH_CASE.0, "true");
        if name.is_none_or(|name| matches_case && name != field.name()) {
            let near = nearest(field.name(), names.iter().copied()).map(str::to_owned);
            return Err(Error::MissingColumn { column: field.name().clone(), known: names.join(", "), near });
        }
    }
    Ok(())
}

/// The columns with the types that are given for some of them, whose names match exactly, else but for case.
pub(super) fn typed(schema: Schema, partitions: &[Field], request: &TableRequest) -> Result<Schema, Error> {
    let known = Places::of(schema.fields().iter().map(|field| field.name().as_str()));
    let mut fields: Vec<Arc<Field>> = schema.fields().iter().cloned().collect();
    for given in &request.types {
        if partitions.iter().any(|partition| partition.name() == given.name()) {
            continue;
        }
        let place = known.exact(given.name()).or_else(|| match known.alike(given.name()) {
            [only] => Some(*only),
            _ => None,
        });
        let Some(field) = place.and_then(|place| fields.get_mut(place)) else {
            let known = fields.iter().map(|field| field.name().as_str()).collect::<Vec<_>>().join(", ");
            return Err(Error::NoSuchColumn { column: given.name().clone(), known });
        };
        *field = Arc::new(field.as_ref().clone().with_data_type(given.data_type().clone()));
    }
    Ok(Schema::new(fields))
}

/// The partition columns of a location: those asked for, else those of the first file's directories, which all other
/// files must have too. Types are declared or inferred.
pub(super) fn partition_columns(
    files: &[FoundFile],
    request: &TableRequest,
    file_column: Option<&str>,
) -> Result<Vec<Field>, Error> {
    let Some(first) = files.first() else { return Ok(declared_partitions(request, file_column)) };
    let keys: Vec<String> = if request.partition_columns.is_empty() {
        first.partitions.iter().map(|(key, _)| key.clone()).collect()
    } else {
        request.partition_columns.iter().map(String::as_str).chain(file_column).map(str::to_owned).collect()
    };
    let mut columns = Vec::new();
    for (position, key) in keys.iter().enumerate() {
        if keys.iter().take(position).any(|other| other == key) {
            return Err(Error::DuplicateColumn { column: key.clone() });
        }
        let mut values = Vec::new();
        for file in files {
            values.push(partition_text(file, key, &keys)?);
        }
        let declared = request.columns.as_ref().and_then(|columns| columns.field_with_name(key).ok());
        let given = request.types.iter().find(|field| field.name() == key);
        let data_type = match declared.or(given) {
            Some(field) => field.data_type().clone(),
            None if file_column == Some(key.as_str()) => DataType::Utf8View,
            None => partition_type(key, &values),
        };
        columns.push(Field::new(key, data_type, values.iter().any(Option::is_none)));
    }
    if request.partition_columns.is_empty()
        && let Some(file) = files.iter().find(|file| file.partitions.len() != keys.len())
    {
        return Err(differing(file, &keys));
    }
    Ok(columns)
}

/// The columns in the names of files that are not there yet, as they are declared.
fn declared_partitions(request: &TableRequest, file_column: Option<&str>) -> Vec<Field> {
    let declared = |key: &String| request.columns.as_ref()?.field_with_name(key).ok().cloned();
    let own = request.partition_columns.iter().filter_map(declared).map(|field| field.with_nullable(true));
    own.chain(file_column.map(|column| Field::new(column, DataType::Utf8View, false))).collect()
}

/// The values of a file's partitions, typed.
pub(super) fn partition_values(file: &FoundFile, columns: &[Field]) -> Result<Vec<ScalarValue>, Error> {
    let keys: Vec<_> = columns.iter().map(|column| column.name().clone()).collect();
    let mut values = Vec::with_capacity(columns.len());
    for column in columns {
        let invalid = |value: &str| Error::InvalidPartition {
            file: file.name.clone(),
            column: column.name().clone(),
            value: value.to_owned(),
            expected: type_name(column.data_type()),
        };
        values.push(match partition_text(file, column.name(), &keys)? {
            Some(text) => {
                let texts = std::iter::once(Some(Cow::Borrowed(text)));
                let value =
                    values::column(column.data_type(), 1, &Forms::default(), texts).map_err(|_| invalid(text))?;
                ScalarValue::try_from_array(&value, 0).map_err(|_| invalid(text))?
            }
            None => ScalarValue::try_from(column.data_type()).map_err(|_| invalid("NULL"))?,
        });
    }
    Ok(values)
}

fn partition_text<'a>(file: &'a FoundFile, key: &str, keys: &[String]) -> Result<Option<&'a str>, Error> {
    let exact = file.partitions.iter().find(|(other, _)| other == key);
    let found = exact.or_else(|| file.partitions.iter().find(|(other, _)| is_alike(other, key)));
    found.map(|(_, value)| value.as_deref()).ok_or_else(|| differing(file, keys))
}

fn differing(file: &FoundFile, keys: &[String]) -> Error {
    let list = |keys: Vec<&str>| if keys.is_empty() { "none".to_owned() } else { keys.join("/") };
    Error::PartitionsDiffer {
        file: file.name.clone(),
        expected: list(keys.iter().map(String::as_str).collect()),
        found: list(file.partitions.iter().map(|(key, _)| key.as_str()).collect()),
    }
}

/// The keys whose values are padded to two digits and numbers all the same, in lower case.
const CALENDAR_KEYS: [&str; 16] =
    ["year", "yy", "month", "mon", "mm", "m", "week", "ww", "w", "day", "dd", "d", "hour", "hh", "h", "minute"];

/// What the texts of a CSV column would be, but for months, days and hours of two digits, which are integers: another code
/// that starts with a zero is text. So are texts of which two are one value: `1.10` and `1.1` are two directories.
fn partition_type(key: &str, values: &[Option<&str>]) -> DataType {
    let texts: BTreeSet<&str> = values.iter().copied().flatten().collect();
    if are_padded(key, &texts) {
        return DataType::Int64;
    }
    let (mut guess, forms) = (Guess::default(), Forms::default());
    texts.iter().for_each(|text| guess.see(text, &forms));
    let data_type = guess.data_type();
    if are_apart(&texts, &data_type) { data_type } else { DataType::Utf8 }
}

/// Whether the texts of a key are all of two digits, as of months, days and hours.
fn are_padded(key: &str, texts: &BTreeSet<&str>) -> bool {
    let two_digits = |text: &&str| text.len() == 2 && text.bytes().all(|byte| byte.is_ascii_digit());
    let may_be = CALENDAR_KEYS.iter().any(|known| known.eq_ignore_ascii_case(key));
    may_be && !texts.is_empty() && texts.iter().all(two_digits)
}

/// Whether no two of the texts are the same value of a type.
fn are_apart(texts: &BTreeSet<&str>, data_type: &DataType) -> bool {
    texts.iter().all(|text| key_value(text, data_type).is_some()) && same(texts, data_type).is_none()
}

/// Two of the texts that are the same value of a type.
fn same<'a>(texts: &BTreeSet<&'a str>, data_type: &DataType) -> Option<(&'a str, &'a str)> {
    let mut seen: HashMap<ScalarValue, &str> = HashMap::new();
    texts.iter().copied().find_map(|text| seen.insert(key_value(text, data_type)?, text).map(|first| (first, text)))
}

/// The value of a type that a text is.
fn key_value(text: &str, data_type: &DataType) -> Option<ScalarValue> {
    let texts = std::iter::once(Some(Cow::Borrowed(text)));
    let column = values::column(data_type, 1, &Forms::default(), texts).ok()?;
    match ScalarValue::try_from_array(&column, 0).ok()? {
        // Both zeros are one.
        ScalarValue::Float64(Some(number)) => Some(ScalarValue::from(number + 0.0)),
        value => Some(value),
    }
}

/// Refuses keys of directories that would have made a column text whose type was guessed from others: `02134` behind `12345`,
/// or `1.10` behind `1.1`, which is the same number.
pub(super) fn check_keys(files: &[FoundFile], columns: &[Field], guessed: &str) -> Result<(), Error> {
    let guessed: HashSet<String> = serde_json::from_str(guessed).unwrap_or_default();
    let keys: Vec<String> = columns.iter().map(|column| column.name().clone()).collect();
    let forms = Forms::default();
    for column in columns.iter().filter(|column| guessed.contains(column.name())) {
        let mut places: BTreeMap<&str, &FoundFile> = BTreeMap::new();
        for file in files {
            if let Some(text) = partition_text(file, column.name(), &keys)? {
                places.entry(text).or_insert(file);
            }
        }
        let texts: BTreeSet<&str> = places.keys().copied().collect();
        let data_type = column.data_type();
        if *data_type == DataType::Int64 && are_padded(column.name(), &texts) {
            continue;
        }
        let file_of = |text: &str| places.get(text).map(|file| file.name.clone()).unwrap_or_default();
        let is_doubtful = |text: &&str| !keeps_seen(data_type, |guess| guess.see(text, &forms));
        let (name, expected) = (column.name().clone(), type_name(data_type));
        if let Some(text) = texts.iter().copied().find(is_doubtful) {
            let (file, value) = (file_of(text), text.to_owned());
            return Err(Error::InvalidPartition { file, column: name, value, expected });
        }
        if let Some((first, text)) = same(&texts, data_type) {
            let (file, value, other) = (file_of(text), text.to_owned(), Box::from(first));
            return Err(Error::SamePartition { file, column: name, value, other, expected: expected.into() });
        }
    }
    Ok(())
}
