//! What files have in common: the columns of several files, and the columns in the names of their directories.

use std::sync::Arc;

use arrow::datatypes::{DataType, Field, Schema, TimeUnit};
use datafusion::common::ScalarValue;

use super::{Error, FoundFile, TableRequest};

/// How many files of a location are looked at: the first, the last and others spread evenly between.
const MAX_SAMPLED_FILES: usize = 32;

/// The files to look at.
pub(super) fn sampled(files: &[FoundFile]) -> Vec<&FoundFile> {
    if files.len() <= MAX_SAMPLED_FILES {
        return files.iter().collect();
    }
    let last = files.len() - 1;
    (0..MAX_SAMPLED_FILES).filter_map(|index| files.get(index * last / (MAX_SAMPLED_FILES - 1))).collect()
}

/// Adds a file's columns to those seen so far. Columns are matched by name; types widen, else it is an error.
pub(super) fn merge(columns: &mut Vec<Field>, found: &[Arc<Field>], file: &str) -> Result<(), Error> {
    for field in found {
        match columns.iter_mut().find(|column| column.name() == field.name()) {
            None => columns.push(field.as_ref().clone().with_nullable(true)),
            Some(column) => {
                let wider = wider(column.data_type(), field.data_type()).ok_or_else(|| Error::TypesDiffer {
                    file: file.to_owned(),
                    column: field.name().clone(),
                    found: type_name(field.data_type()),
                    expected: type_name(column.data_type()),
                })?;
                *column = column.clone().with_data_type(wider);
            }
        }
    }
    Ok(())
}

/// The narrowest type that holds both without loss of meaning; none where only text would.
fn wider(left: &DataType, right: &DataType) -> Option<DataType> {
    use DataType::{Date32, Float32, Float64, Int64, Null, Timestamp, Utf8, Utf8View};
    Some(match (left, right) {
        (left, right) if left == right => left.clone(),
        (Null, other) | (other, Null) => other.clone(),
        (left, right) if left.is_integer() && right.is_integer() => Int64,
        (left, right) if left.is_numeric() && right.is_numeric() && (left.is_floating() || right.is_floating()) => {
            if matches!((left, right), (Float32, Float32)) { Float32 } else { Float64 }
        }
        (Utf8 | Utf8View, Utf8 | Utf8View) => Utf8View,
        (Date32, Timestamp(unit, zone)) | (Timestamp(unit, zone), Date32) => Timestamp(*unit, zone.clone()),
        (Timestamp(left, left_zone), Timestamp(right, right_zone)) if left_zone == right_zone => {
            Timestamp(*left.max(right), left_zone.clone())
        }
        _ => return None,
    })
}

/// A type in SQL's words.
pub(super) fn type_name(data_type: &DataType) -> String {
    match data_type {
        DataType::Boolean => "boolean".to_owned(),
        DataType::Int8 | DataType::Int16 => "smallint".to_owned(),
        DataType::Int32 => "integer".to_owned(),
        DataType::Int64 => "bigint".to_owned(),
        DataType::Float32 => "real".to_owned(),
        DataType::Float64 => "double precision".to_owned(),
        DataType::Utf8 | DataType::LargeUtf8 | DataType::Utf8View => "text".to_owned(),
        DataType::Date32 | DataType::Date64 => "date".to_owned(),
        DataType::Timestamp(_, None) => "timestamp".to_owned(),
        DataType::Timestamp(_, Some(_)) => "timestamp with time zone".to_owned(),
        DataType::Decimal128(precision, scale) => format!("numeric({precision}, {scale})"),
        DataType::List(item) => format!("{}[]", type_name(item.data_type())),
        DataType::Struct(_) => "an object".to_owned(),
        other => other.to_string(),
    }
}

/// The columns of a schema that are not partition columns: where both have one, the directory's wins.
pub(super) fn without(schema: &Schema, partitions: &[Field]) -> Result<Schema, Error> {
    let mut fields: Vec<Arc<Field>> = Vec::new();
    for field in schema.fields() {
        if partitions.iter().any(|partition| partition.name() == field.name()) {
            continue;
        }
        if fields.iter().any(|known| known.name() == field.name()) {
            return Err(Error::DuplicateColumn { column: field.name().clone() });
        }
        fields.push(Arc::clone(field));
    }
    Ok(Schema::new(fields))
}

/// Refuses a declared column that the files have in another case alone: SQL folds names that are not quoted, and the
/// column would be read as NULLs.
pub(super) fn check_case(declared: &Schema, found: &Schema) -> Result<(), Error> {
    for field in declared.fields() {
        let exact = found.fields().iter().any(|other| other.name() == field.name());
        let alike = found.fields().iter().find(|other| other.name().eq_ignore_ascii_case(field.name()));
        if let Some(alike) = alike.filter(|_| !exact) {
            return Err(Error::ColumnCase { column: field.name().clone(), found: alike.name().clone() });
        }
    }
    Ok(())
}

/// The partition columns of a location: those asked for, else those of the first file's directories, which all other
/// files must have too. Types are declared or inferred.
pub(super) fn partition_columns(files: &[FoundFile], request: &TableRequest) -> Result<Vec<Field>, Error> {
    let Some(first) = files.first() else { return Ok(Vec::new()) };
    let keys: Vec<String> = if request.partition_columns.is_empty() {
        first.partitions.iter().map(|(key, _)| key.clone()).collect()
    } else {
        request.partition_columns.clone()
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
        let data_type = match declared {
            Some(field) => field.data_type().clone(),
            None => partition_type(&values),
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
                ScalarValue::try_from_string(text.to_owned(), column.data_type()).map_err(|_| invalid(text))?
            }
            None => ScalarValue::try_from(column.data_type()).map_err(|_| invalid("NULL"))?,
        });
    }
    Ok(values)
}

fn partition_text<'a>(file: &'a FoundFile, key: &str, keys: &[String]) -> Result<Option<&'a str>, Error> {
    let found = file.partitions.iter().find(|(other, _)| other == key);
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

/// Integers, dates or text. Months, days and hours padded to two digits are integers; a longer code that starts with
/// a zero stays text.
fn partition_type(values: &[Option<&str>]) -> DataType {
    let present: Vec<&str> = values.iter().copied().flatten().collect();
    let all = |test: &dyn Fn(&str) -> bool| !present.is_empty() && present.iter().all(|value| test(value));
    let two_digits = |value: &str| value.len() == 2 && value.bytes().all(|byte| byte.is_ascii_digit());
    if all(&is_integer) || all(&two_digits) {
        return DataType::Int64;
    }
    if all(&is_date) { DataType::Date32 } else { DataType::Utf8 }
}

/// Whether a text is the canonical form of a 64-bit integer: a leading zero makes it a code.
pub(super) fn is_integer(text: &str) -> bool {
    let digits = text.strip_prefix('-').unwrap_or(text);
    let padded = digits.len() > 1 && digits.starts_with('0');
    !padded && digits.bytes().all(|byte| byte.is_ascii_digit()) && text.parse::<i64>().is_ok()
}

/// Whether a text is a date as ISO 8601 writes it.
pub(super) fn is_date(text: &str) -> bool {
    text.len() == 10 && chrono::NaiveDate::parse_from_str(text, "%Y-%m-%d").is_ok()
}

/// The unit that keeps all digits of a fraction of a second; the usual one is microseconds.
pub(super) fn time_unit(fraction_digits: usize) -> TimeUnit {
    if fraction_digits > 6 { TimeUnit::Nanosecond } else { TimeUnit::Microsecond }
}
