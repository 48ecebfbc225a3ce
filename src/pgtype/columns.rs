//! Which type a column of an Arrow type is, and which Arrow type the values of a type have.
//!
//! Many Arrow types are one of PostgreSQL's. Each is cast to that type's one canonical Arrow type before values are
//! written, so that writers know only those.

use std::{collections::HashMap, sync::Arc};

use arrow::datatypes::{
    DECIMAL128_MAX_PRECISION, DECIMAL256_MAX_PRECISION, DataType, Field, Fields, IntervalUnit, TimeUnit,
};

use super::{
    BOOL, BYTEA, DATE, FLOAT4, FLOAT8, Form, INT2, INT4, INT8, INTERVAL, JSON, NUMERIC, PgType, RECORD, TEXT, TIME,
    TIMESTAMP, TIMESTAMPTZ, TIMETZ, ZONED_TIME, digits, numeric_modifier,
};

/// The time zone that a canonical timestamp with time zone carries; the instant is what counts.
const UTC: &str = "+00:00";

/// The Arrow type of numerics whose digits nothing says.
pub(crate) const ANY_NUMERIC: DataType = DataType::Decimal128(DECIMAL128_MAX_PRECISION, 10);

/// That of numerics of any digits that need more places than [`ANY_NUMERIC`] has, as those that are made of floats.
pub(crate) const LONG_NUMERIC: DataType = DataType::Decimal256(DECIMAL256_MAX_PRECISION, 38);

/// A type as a column has it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct ColumnType {
    /// The type.
    pub pg: &'static PgType,
    /// Its modifier: precision and scale of a numeric, the length of a text that has one, else -1.
    pub modifier: i32,
}

impl ColumnType {
    /// What a person is told of the type.
    pub fn word(self) -> String {
        self.pg.word(Some(self.modifier))
    }

    /// The digits of a numeric and those of them behind the point, where its modifier says them.
    pub fn digits(self) -> Option<(i32, i32)> {
        match self.pg.form {
            Form::Numeric => digits(self.modifier),
            _ => None,
        }
    }
}

/// The type that a column of the Arrow type is.
pub fn of(arrow: &DataType) -> ColumnType {
    use DataType as Arrow;
    let pg = match arrow {
        Arrow::Boolean => &BOOL,
        Arrow::Int8 | Arrow::Int16 | Arrow::UInt8 => &INT2,
        Arrow::Int32 | Arrow::UInt16 => &INT4,
        Arrow::Int64 | Arrow::UInt32 => &INT8,
        Arrow::UInt64 => return numeric(20, 0),
        Arrow::Float16 | Arrow::Float32 => &FLOAT4,
        Arrow::Float64 => &FLOAT8,
        // Those that no declaration limits are shown with the digits that they have.
        data_type if [ANY_NUMERIC, LONG_NUMERIC].contains(data_type) => &NUMERIC,
        Arrow::Decimal32(precision, scale)
        | Arrow::Decimal64(precision, scale)
        | Arrow::Decimal128(precision, scale)
        | Arrow::Decimal256(precision, scale) => return numeric(*precision, *scale),
        Arrow::Null | Arrow::Utf8 | Arrow::LargeUtf8 | Arrow::Utf8View => &TEXT,
        data_type if *data_type == ZONED_TIME => &TIMETZ,
        Arrow::Binary | Arrow::LargeBinary | Arrow::BinaryView | Arrow::FixedSizeBinary(_) => &BYTEA,
        Arrow::Date32 | Arrow::Date64 => &DATE,
        Arrow::Time32(_) | Arrow::Time64(_) => &TIME,
        Arrow::Timestamp(_, None) => &TIMESTAMP,
        Arrow::Timestamp(_, Some(_)) => &TIMESTAMPTZ,
        Arrow::Interval(_) | Arrow::Duration(_) => &INTERVAL,
        Arrow::Dictionary(_, value) => return of(value),
        Arrow::RunEndEncoded(_, value) => return of(value.data_type()),
        // PostgreSQL's arrays have one type for any number of dimensions, and text is what any value can be printed as.
        Arrow::List(_)
        | Arrow::LargeList(_)
        | Arrow::ListView(_)
        | Arrow::LargeListView(_)
        | Arrow::FixedSizeList(..) => of(innermost(arrow)).pg.array_type().unwrap_or(&TEXT),
        Arrow::Struct(fields) if is_record(fields) => &RECORD,
        Arrow::Struct(_) | Arrow::Map(..) | Arrow::Union(..) => &JSON,
    };
    ColumnType { pg, modifier: -1 }
}

/// What SQL calls a column of the Arrow type, by Arrow's own name where PostgreSQL has no such type.
pub fn type_name(arrow: &DataType) -> String {
    match arrow {
        DataType::UInt64 => format!("{} unsigned", INT8.spelling),
        DataType::Struct(fields) if is_record(fields) => RECORD.spelling.to_owned(),
        DataType::Null | DataType::Struct(_) | DataType::Map(..) | DataType::Union(..) => arrow.to_string(),
        DataType::Dictionary(_, value) => type_name(value),
        DataType::RunEndEncoded(_, value) => type_name(value.data_type()),
        // Unlike an array's type, that of a list tells how deep it is.
        _ => match element(arrow) {
            Some(element) => format!("{}[]", type_name(element)),
            None => of(arrow).word(),
        },
    }
}

impl PgType {
    /// See [`arrow()`](super::arrow()).
    pub fn arrow(&self, modifier: i32) -> Option<DataType> {
        Some(match self.form {
            Form::Boolean => DataType::Boolean,
            Form::Int2 => DataType::Int16,
            Form::Int4 => DataType::Int32,
            Form::Int8 | Form::Oid => DataType::Int64,
            Form::Float4 => DataType::Float32,
            Form::Float8 => DataType::Float64,
            Form::Numeric => return decimal(modifier),
            Form::Text | Form::Uuid | Form::Jsonb | Form::Regtype => DataType::Utf8,
            Form::Bytes => DataType::Binary,
            Form::Date => DataType::Date32,
            Form::Time => DataType::Time64(TimeUnit::Microsecond),
            Form::ZonedTime => ZONED_TIME,
            Form::Timestamp => DataType::Timestamp(TimeUnit::Microsecond, None),
            Form::Instant => timestamp_with_zone(),
            Form::Interval => DataType::Interval(IntervalUnit::MonthDayNano),
            Form::Array => return self.element_type()?.arrow(modifier).map(list_of),
            Form::Unknown | Form::Other => return None,
        })
    }
}

/// The Arrow type of numerics with the digits that a modifier says; none if none has so many.
fn decimal(modifier: i32) -> Option<DataType> {
    // A value that is given brings its own scale; this one is only for planning.
    let Some((precision, scale)) = digits(modifier) else { return Some(ANY_NUMERIC) };
    let (precision, scale) = (u8::try_from(precision).ok()?, i8::try_from(scale).ok()?);
    if precision == 0 || precision > DECIMAL256_MAX_PRECISION {
        return None;
    }
    Some(match precision <= DECIMAL128_MAX_PRECISION {
        true => DataType::Decimal128(precision, scale),
        false => DataType::Decimal256(precision, scale),
    })
}

/// The Arrow type that the writers of texts take for a column of this type. Dates and times keep theirs, because another
/// unit would lose digits or years.
pub(crate) fn canonical(arrow: &DataType) -> DataType {
    use DataType as Arrow;
    match arrow {
        Arrow::Int8 | Arrow::UInt8 => Arrow::Int16,
        Arrow::UInt16 => Arrow::Int32,
        Arrow::UInt32 => Arrow::Int64,
        Arrow::UInt64 => Arrow::Decimal128(20, 0),
        Arrow::Float16 => Arrow::Float32,
        Arrow::Decimal32(precision, scale) | Arrow::Decimal64(precision, scale) => {
            Arrow::Decimal128(*precision, *scale)
        }
        Arrow::FixedSizeBinary(_) if *arrow != ZONED_TIME => Arrow::Binary,
        Arrow::Interval(_) => Arrow::Interval(IntervalUnit::MonthDayNano),
        Arrow::Dictionary(_, value) => canonical(value),
        Arrow::RunEndEncoded(_, value) => canonical(value.data_type()),
        Arrow::Struct(fields) if is_record(fields) => record_of(fields, canonical),
        _ => match element(arrow) {
            Some(element) => list_of(canonical(element)),
            None => arrow.clone(),
        },
    }
}

/// The Arrow type that a column of this type is sent as. Clients know times in microseconds alone.
pub(crate) fn sent_as(arrow: &DataType) -> DataType {
    use DataType as Arrow;
    match canonical(arrow) {
        Arrow::Date64 => Arrow::Date32,
        Arrow::Time32(_) | Arrow::Time64(_) => Arrow::Time64(TimeUnit::Microsecond),
        Arrow::Timestamp(_, None) => Arrow::Timestamp(TimeUnit::Microsecond, None),
        Arrow::Timestamp(_, Some(_)) => timestamp_with_zone(),
        Arrow::Duration(_) => Arrow::Interval(IntervalUnit::MonthDayNano),
        Arrow::List(element) => list_of(sent_as(element.data_type())),
        Arrow::Struct(fields) if is_record(&fields) => record_of(&fields, sent_as),
        other => other,
    }
}

/// The element's type of a list.
pub(crate) fn element(arrow: &DataType) -> Option<&DataType> {
    match arrow {
        DataType::List(field)
        | DataType::LargeList(field)
        | DataType::ListView(field)
        | DataType::LargeListView(field)
        | DataType::FixedSizeList(field, _) => Some(field.data_type()),
        _ => None,
    }
}

/// A list of elements that may be null.
pub(crate) fn list_of(element: DataType) -> DataType {
    DataType::List(Arc::new(Field::new_list_field(element, true)))
}

/// What the columns of a row are known by, which is no object of JSON.
const RECORD_MARK: &str = "fusewire.record";

/// The column of this number, from 1 on, of a row.
pub(crate) fn record_field(number: usize, arrow: &DataType) -> Field {
    let mark = HashMap::from([(RECORD_MARK.to_owned(), String::new())]);
    Field::new(format!("f{number}"), arrow.clone(), true).with_metadata(mark)
}

/// Whether values with these fields are rows.
pub(crate) fn is_record(fields: &Fields) -> bool {
    !fields.is_empty() && fields.iter().all(|field| field.metadata().contains_key(RECORD_MARK))
}

fn record_of(fields: &Fields, wanted: fn(&DataType) -> DataType) -> DataType {
    let fields = fields.iter().zip(1..).map(|(field, number)| record_field(number, &wanted(field.data_type())));
    DataType::Struct(fields.collect())
}

/// What a text of JSON is known by that is told from other texts by its Arrow type.
const JSON_MARK: &str = "fusewire.json";

/// The Arrow type of texts of JSON where no field says what they are: no column is of it.
pub(crate) fn json_value() -> DataType {
    let mark = HashMap::from([(JSON_MARK.to_owned(), String::new())]);
    DataType::Struct(Fields::from(vec![Field::new("json", DataType::Utf8View, true).with_metadata(mark)]))
}

/// Whether values with these fields are such.
pub(crate) fn is_json_value(fields: &Fields) -> bool {
    fields.len() == 1 && fields.iter().all(|field| field.metadata().contains_key(JSON_MARK))
}

/// What the lists of lists of a type are made of; the type itself, if it is no list.
pub(crate) fn innermost(arrow: &DataType) -> &DataType {
    element(arrow).map_or(arrow, innermost)
}

/// How many lists are within each other in values of a type.
pub(crate) fn dimensions_of(arrow: &DataType) -> usize {
    element(arrow).map_or(0, |element| dimensions_of(element) + 1)
}

/// Lists of so many dimensions, whose elements may be null.
pub(crate) fn nested(dimensions: usize, element: DataType) -> DataType {
    (0..dimensions).fold(element, |inner, _| list_of(inner))
}

fn numeric(precision: u8, scale: i8) -> ColumnType {
    ColumnType { pg: &NUMERIC, modifier: numeric_modifier(precision, scale) }
}

fn timestamp_with_zone() -> DataType {
    DataType::Timestamp(TimeUnit::Microsecond, Some(UTC.into()))
}
