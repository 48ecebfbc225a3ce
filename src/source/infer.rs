//! What files have in common: the columns of several files, and the columns in the names of their directories.

use std::{
    borrow::Cow,
    collections::{HashMap, HashSet},
    sync::Arc,
};

use arrow::datatypes::{DataType, Field, IntervalUnit, Schema, TimeUnit};
use datafusion::common::ScalarValue;

use super::{Error, FoundFile, Options, TableRequest, columns as values, forms::Forms, guess::Guess, options};
use crate::error::nearest;

/// The mark of a column of integers that double precision does not hold.
pub(super) const LARGE: &str = "fusewire.large_integers";

/// The mark of a column of days or times that nanoseconds since 1970 do not reach.
pub(super) const FAR: &str = "fusewire.far_times";

/// Adds a file's columns to those seen so far. Columns are matched by name; types widen.
pub(super) fn merge(columns: &mut Vec<Field>, found: &[Arc<Field>]) {
    for field in found {
        match columns.iter_mut().find(|column| column.name() == field.name()) {
            None => columns.push(field.as_ref().clone().with_nullable(true)),
            Some(column) => {
                let together = fitting(column, field);
                let mut metadata = column.metadata().clone();
                metadata.extend(field.metadata().clone());
                *column = column.clone().with_data_type(together).with_metadata(metadata);
            }
        }
    }
}

/// The type that holds the values of two columns, by what is known of their values.
fn fitting(left: &Field, right: &Field) -> DataType {
    let has = |field: &Field, mark: &str| field.metadata().contains_key(mark);
    let is_large = |field: &Field| has(field, LARGE) && is_number(field.data_type());
    let is_fine = |field: &Field| matches!(field.data_type(), DataType::Timestamp(TimeUnit::Nanosecond, _));
    // Integers beyond double precision beside doubles: exact numbers, of nineteen digits behind the point.
    if left.data_type().is_floating() && is_large(right) || right.data_type().is_floating() && is_large(left) {
        return DataType::Decimal128(MAX_DIGITS as u8, 19);
    }
    // No number of 64 bits counts the nanoseconds of one beside the years of the other.
    if is_fine(left) && has(right, FAR) || is_fine(right) && has(left, FAR) {
        return DataType::Utf8View;
    }
    wider(left.data_type(), right.data_type())
}

/// The items of the lists that hold those of both.
fn items(left: &Field, right: &Field) -> Arc<Field> {
    let marks =
        left.metadata().iter().chain(right.metadata()).filter(|(mark, _)| [LARGE, FAR].contains(&mark.as_str()));
    let marks = marks.map(|(mark, value)| (mark.clone(), value.clone()));
    Arc::new(Field::new_list_field(fitting(left, right), true).with_metadata(marks.collect()))
}

/// A column without the marks of its values.
pub(super) fn unmarked(field: &Field) -> Field {
    let inner = |field: &Arc<Field>| Arc::new(unmarked(field));
    let data_type = match field.data_type() {
        DataType::Struct(fields) => DataType::Struct(fields.iter().map(inner).collect()),
        DataType::List(item) => DataType::List(inner(item)),
        DataType::LargeList(item) => DataType::LargeList(inner(item)),
        DataType::FixedSizeList(item, size) => DataType::FixedSizeList(inner(item), *size),
        other => other.clone(),
    };
    let mut metadata = field.metadata().clone();
    metadata.retain(|mark, _| ![LARGE, FAR].contains(&mark.as_str()));
    field.clone().with_data_type(data_type).with_metadata(metadata)
}

/// The narrowest type that holds the values of both without losing one. What has nothing else in common has its text.
fn wider(left: &DataType, right: &DataType) -> DataType {
    use DataType::{
        Binary, BinaryView, Date32, Date64, Dictionary, FixedSizeBinary, FixedSizeList, Interval, LargeBinary,
        LargeList, LargeListView, LargeUtf8, List, ListView, Null, Struct, Time32, Time64, Timestamp, Utf8, Utf8View,
    };
    match (left, right) {
        (left, right) if left == right => left.clone(),
        (Null, other) | (other, Null) => other.clone(),
        (Dictionary(_, value), other) | (other, Dictionary(_, value)) => wider(value, other),
        (left, right) if is_number(left) && is_number(right) => wider_number(left, right),
        (Utf8 | LargeUtf8 | Utf8View, Utf8 | LargeUtf8 | Utf8View) => Utf8View,
        (
            Binary | LargeBinary | BinaryView | FixedSizeBinary(_),
            Binary | LargeBinary | BinaryView | FixedSizeBinary(_),
        ) => BinaryView,
        (Date32, Date64) | (Date64, Date32) => Date64,
        (Date32 | Date64, Timestamp(unit, zone)) | (Timestamp(unit, zone), Date32 | Date64) => {
            Timestamp(*unit, zone.clone())
        }
        (Timestamp(left, None), Timestamp(right, None)) => Timestamp(*left.max(right), None),
        (Timestamp(left, Some(zone)), Timestamp(right, Some(other))) => {
            let zone = if zone == other { Some(zone.clone()) } else { utc() };
            Timestamp(*left.max(right), zone)
        }
        (Time32(left) | Time64(left), Time32(right) | Time64(right)) => {
            Time64(*left.max(right).max(&TimeUnit::Microsecond))
        }
        (Interval(_), Interval(_)) => Interval(IntervalUnit::MonthDayNano),
        (
            List(left) | LargeList(left) | FixedSizeList(left, _) | ListView(left) | LargeListView(left),
            List(right) | LargeList(right) | FixedSizeList(right, _) | ListView(right) | LargeListView(right),
        ) => List(items(left, right)),
        (Struct(fields), Struct(others)) => {
            let names = [fields, others].map(|fields| fields.iter().map(|field| field.name().as_str()));
            let spellings = Spellings::of(names);
            let own = spellings.renamed(fields);
            let mut columns: Vec<Field> = own.iter().map(|field| field.as_ref().clone().with_nullable(true)).collect();
            merge(&mut columns, &spellings.renamed(others));
            Struct(columns.into())
        }
        _ => Utf8View,
    }
}

/// The zone of a point in time, which is the same in all of them: its text is that in UTC.
pub(super) fn utc() -> Option<Arc<str>> {
    Some("+00:00".into())
}

/// The type of a column as a table has it: not how its values are packed.
pub(super) fn plain(data_type: &DataType) -> DataType {
    use DataType::{
        Binary, BinaryView, Decimal32, Decimal64, Decimal128, Dictionary, FixedSizeBinary, FixedSizeList, Float16,
        Float32, LargeBinary, LargeList, LargeListView, LargeUtf8, List, ListView, RunEndEncoded, Struct, Timestamp,
        Utf8, Utf8View,
    };
    match data_type {
        Dictionary(_, value) => plain(value),
        RunEndEncoded(_, value) => plain(value.data_type()),
        Utf8 | LargeUtf8 => Utf8View,
        Binary | LargeBinary | FixedSizeBinary(_) => BinaryView,
        Float16 => Float32,
        Timestamp(unit, Some(_)) => Timestamp(*unit, utc()),
        Decimal32(precision, scale) | Decimal64(precision, scale) => Decimal128(*precision, *scale),
        List(item) | LargeList(item) | FixedSizeList(item, _) | ListView(item) | LargeListView(item) => {
            DataType::new_list(plain(item.data_type()), true)
        }
        Struct(fields) => {
            let fields = fields.iter().map(|field| Field::new(field.name(), plain(field.data_type()), true));
            Struct(fields.collect())
        }
        other => other.clone(),
    }
}

fn is_number(data_type: &DataType) -> bool {
    data_type.is_integer() || data_type.is_floating() || matches!(data_type, DataType::Decimal128(..))
}

fn wider_number(left: &DataType, right: &DataType) -> DataType {
    use DataType::{Decimal128, Float16, Float32, Float64, Int64, UInt64};
    // The digits before and behind the point of exact numbers.
    let digits = |data_type: &DataType| match data_type {
        Decimal128(precision, scale) => (i16::from(*precision) - i16::from(*scale), i16::from(*scale)),
        UInt64 => (20, 0),
        data_type => match data_type.primitive_width() {
            Some(1) => (3, 0),
            Some(2) => (5, 0),
            Some(4) => (10, 0),
            _ => (19, 0),
        },
    };
    // Where there is no room for all digits, text has it.
    let decimal = |whole: i16, fraction: i16| match whole + fraction {
        precision @ 1..=MAX_DIGITS => Decimal128(precision as u8, fraction as i8),
        _ => DataType::Utf8View,
    };
    match (left, right) {
        (left, right) if left.is_floating() && right.is_floating() => match (left, right) {
            (Float16 | Float32, Float16 | Float32) => Float32,
            _ => Float64,
        },
        (left, right) if left.is_integer() && right.is_integer() => match (left, right) {
            (UInt64, _) | (_, UInt64) => Decimal128(20, 0),
            _ => Int64,
        },
        // Whole numbers that double precision does not hold are told apart where files are merged, and when they are read.
        (exact, float) | (float, exact) if float.is_floating() && exact.is_integer() => Float64,
        (exact, float) | (float, exact) if float.is_floating() => {
            let (whole, fraction) = digits(exact);
            // Double precision holds fifteen digits.
            if whole + fraction <= 15 { Float64 } else { decimal(whole, MAX_DIGITS - whole) }
        }
        (left, right) => {
            let (left, right) = (digits(left), digits(right));
            decimal(left.0.max(right.0), left.1.max(right.1))
        }
    }
}

/// The most digits of a number that is stored exactly.
const MAX_DIGITS: i16 = 38;

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
        DataType::Timestamp(unit, zone) => {
            let digits = match unit {
                TimeUnit::Second => "(0)",
                TimeUnit::Millisecond => "(3)",
                TimeUnit::Microsecond => "",
                TimeUnit::Nanosecond => "(9)",
            };
            format!("timestamp{digits}{}", if zone.is_some() { " with time zone" } else { "" })
        }
        DataType::Interval(_) => "interval".to_owned(),
        DataType::Decimal128(precision, scale) => format!("numeric({precision}, {scale})"),
        DataType::Time32(_) | DataType::Time64(_) => "time".to_owned(),
        binary if binary.is_binary() => "bytea".to_owned(),
        DataType::Dictionary(_, value) => type_name(value),
        DataType::List(item)
        | DataType::LargeList(item)
        | DataType::FixedSizeList(item, _)
        | DataType::ListView(item)
        | DataType::LargeListView(item) => format!("{}[]", type_name(item.data_type())),
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

/// Whether two names of columns are the same but for case.
pub(super) fn is_alike(left: &str, right: &str) -> bool {
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
    let exact = |field: &Arc<Field>| names.iter().position(|name| name.as_ref() == field.name().as_str());
    let own: Vec<Option<usize>> = table.fields().iter().map(exact).collect();
    let mut places: Vec<Option<usize>> = Vec::with_capacity(own.len());
    for (place, field) in own.iter().zip(table.fields()) {
        if place.is_some() {
            places.push(*place);
            continue;
        }
        // Another column of the table may have that very name.
        let alike = names.iter().enumerate().filter(|(_, name)| is_alike(name.as_ref(), field.name()));
        let alike: Vec<usize> = alike.map(|(place, _)| place).filter(|place| !own.contains(&Some(*place))).collect();
        match alike.as_slice() {
            [] => places.push(None),
            [found] if !places.contains(&Some(*found)) => places.push(Some(*found)),
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
    let mut fields: Vec<Arc<Field>> = schema.fields().iter().cloned().collect();
    for given in &request.types {
        if partitions.iter().any(|partition| partition.name() == given.name()) {
            continue;
        }
        let exact = fields.iter().position(|field| field.name() == given.name());
        let mut alike = (0..fields.len())
            .filter(|place| fields.get(*place).is_some_and(|field| is_alike(field.name(), given.name())));
        let place = exact.or_else(|| alike.next().filter(|_| alike.next().is_none()));
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
    let Some(first) = files.first() else { return Ok(Vec::new()) };
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

/// What the texts of a CSV column would be. Months, days and hours padded to two digits are integers; a longer code that
/// starts with a zero stays text.
fn partition_type(values: &[Option<&str>]) -> DataType {
    let mut present = values.iter().copied().flatten().peekable();
    let two_digits = |value: &str| value.len() == 2 && value.bytes().all(|byte| byte.is_ascii_digit());
    if present.peek().is_some() && present.clone().all(two_digits) {
        return DataType::Int64;
    }
    let (mut guess, forms) = (Guess::default(), Forms::default());
    present.for_each(|value| guess.see(value, &forms));
    guess.data_type()
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;

    fn structure(names: &[&str]) -> DataType {
        DataType::Struct(names.iter().map(|name| Field::new(*name, DataType::Int64, true)).collect())
    }

    fn together(types: &[DataType]) -> DataType {
        let mut columns = Vec::new();
        types.iter().for_each(|data_type| merge(&mut columns, &[Arc::new(Field::new("v", data_type.clone(), true))]));
        unmarked(columns.first().unwrap()).data_type().clone()
    }

    fn marked(name: &str, data_type: DataType, mark: &str) -> Arc<Field> {
        Arc::new(Field::new(name, data_type, true).with_metadata([(mark.to_owned(), String::new())].into()))
    }

    #[test]
    fn fields_that_differ_in_case_are_one_unless_an_object_has_both() {
        assert_eq!(
            together(&[structure(&["id"]), structure(&["ID"]), structure(&["Id", "x"])]),
            structure(&["id", "x"])
        );
        assert_eq!(together(&[structure(&["id"]), structure(&["ID", "id"])]), structure(&["id", "ID"]));
        assert_eq!(together(&[structure(&["id", "ID"]), structure(&["ID"])]), structure(&["id", "ID"]));
    }

    #[test]
    fn marks_reach_into_lists_and_structs() {
        let large = DataType::Struct(vec![marked("a", DataType::Int64, LARGE)].into());
        let double = DataType::Struct(vec![Field::new("a", DataType::Float64, true)].into());
        let exact = DataType::Struct(vec![Field::new("a", DataType::Decimal128(38, 19), true)].into());
        assert_eq!(together(&[large, double]), exact);
        let items = DataType::List(marked("item", DataType::Int64, LARGE));
        let doubles = DataType::new_list(DataType::Float64, true);
        let integers = DataType::new_list(DataType::Int64, true);
        let exact = DataType::new_list(DataType::Decimal128(38, 19), true);
        assert_eq!(together(&[integers.clone(), items.clone(), doubles.clone()]), exact);
        assert_eq!(together(&[doubles.clone(), items]), exact);
        assert_eq!(together(&[doubles.clone(), integers]), doubles);
    }

    #[test]
    fn far_times_beside_nanoseconds_are_text() {
        let mut columns = Vec::new();
        merge(&mut columns, &[marked("v", DataType::Timestamp(TimeUnit::Millisecond, None), FAR)]);
        merge(&mut columns, &[Arc::new(Field::new("v", DataType::Timestamp(TimeUnit::Microsecond, None), true))]);
        assert_eq!(columns.first().unwrap().data_type(), &DataType::Timestamp(TimeUnit::Microsecond, None));
        merge(&mut columns, &[Arc::new(Field::new("v", DataType::Timestamp(TimeUnit::Nanosecond, None), true))]);
        assert_eq!(columns.first().unwrap().data_type(), &DataType::Utf8View);
    }

    #[test]
    fn what_has_nothing_in_common_is_text() {
        assert_eq!(together(&[structure(&["id"]), DataType::Utf8]), DataType::Utf8View);
        let item = || Arc::new(Field::new_list_field(DataType::Int64, true));
        let lists = [DataType::FixedSizeList(item(), 2), DataType::ListView(item()), DataType::LargeListView(item())];
        assert_eq!(together(&lists), DataType::List(item()));
        let intervals = [DataType::Interval(IntervalUnit::DayTime), DataType::Interval(IntervalUnit::MonthDayNano)];
        assert_eq!(together(&intervals), DataType::Interval(IntervalUnit::MonthDayNano));
    }
}
