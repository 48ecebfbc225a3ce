//! Which PostgreSQL type an Arrow type is shown as, and which Arrow type a declared parameter has.
//!
//! Many Arrow types share one PostgreSQL type. Each is cast to that type's one canonical Arrow type first, so that the
//! encoders know only those.

use arrow::datatypes::{DataType, IntervalUnit, TimeUnit};

use crate::print;
pub(super) use crate::print::{element, list_of};

/// A PostgreSQL type by the numbers that RowDescription carries.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct PostgresType {
    pub(super) oid: u32,
    /// Bytes of a value; -1 where they vary.
    pub(super) size: i16,
    /// The type modifier: precision and scale of a numeric, else -1.
    pub(super) modifier: i32,
}

pub(super) const BOOL: u32 = 16;
pub(super) const BYTEA: u32 = 17;
pub(super) const NAME: u32 = 19;
pub(super) const INT8: u32 = 20;
pub(super) const INT2: u32 = 21;
pub(super) const INT4: u32 = 23;
pub(super) const TEXT: u32 = 25;
pub(super) const OID: u32 = 26;
pub(super) const JSON: u32 = 114;
pub(super) const FLOAT4: u32 = 700;
pub(super) const FLOAT8: u32 = 701;
pub(super) const UNKNOWN: u32 = 705;
pub(super) const BPCHAR: u32 = 1042;
pub(super) const VARCHAR: u32 = 1043;
pub(super) const DATE: u32 = 1082;
pub(super) const TIME: u32 = 1083;
pub(super) const TIMESTAMP: u32 = 1114;
pub(super) const TIMESTAMPTZ: u32 = 1184;
pub(super) const INTERVAL: u32 = 1186;
pub(super) const NUMERIC: u32 = 1700;
pub(super) const UUID: u32 = 2950;

/// Element type and array type, as in `pg_type.typarray`.
const ARRAYS: [(u32, u32); 20] = [
    (BOOL, 1000),
    (BYTEA, 1001),
    (NAME, 1003),
    (INT8, 1016),
    (INT2, 1005),
    (INT4, 1007),
    (TEXT, 1009),
    (OID, 1028),
    (JSON, 199),
    (FLOAT4, 1021),
    (FLOAT8, 1022),
    (BPCHAR, 1014),
    (VARCHAR, 1015),
    (DATE, 1182),
    (TIME, 1183),
    (TIMESTAMP, 1115),
    (TIMESTAMPTZ, 1185),
    (INTERVAL, 1187),
    (NUMERIC, 1231),
    (UUID, 2951),
];

/// The time zone that a canonical timestamp with time zone carries; the instant is what counts.
const UTC: &str = "+00:00";

/// The PostgreSQL type that a column of the Arrow type is shown as.
pub(super) fn postgres_type(arrow: &DataType) -> PostgresType {
    use DataType as Arrow;
    let (oid, size) = match arrow {
        Arrow::Boolean => (BOOL, 1),
        Arrow::Int8 | Arrow::Int16 | Arrow::UInt8 => (INT2, 2),
        Arrow::Int32 | Arrow::UInt16 => (INT4, 4),
        Arrow::Int64 | Arrow::UInt32 => (INT8, 8),
        Arrow::UInt64 => return numeric(20, 0),
        Arrow::Float16 | Arrow::Float32 => (FLOAT4, 4),
        Arrow::Float64 => (FLOAT8, 8),
        Arrow::Decimal32(precision, scale)
        | Arrow::Decimal64(precision, scale)
        | Arrow::Decimal128(precision, scale)
        | Arrow::Decimal256(precision, scale) => return numeric(*precision, *scale),
        Arrow::Null | Arrow::Utf8 | Arrow::LargeUtf8 | Arrow::Utf8View => (TEXT, -1),
        Arrow::Binary | Arrow::LargeBinary | Arrow::BinaryView | Arrow::FixedSizeBinary(_) => (BYTEA, -1),
        Arrow::Date32 | Arrow::Date64 => (DATE, 4),
        Arrow::Time32(_) | Arrow::Time64(_) => (TIME, 8),
        Arrow::Timestamp(_, None) => (TIMESTAMP, 8),
        Arrow::Timestamp(_, Some(_)) => (TIMESTAMPTZ, 8),
        Arrow::Interval(_) | Arrow::Duration(_) => (INTERVAL, 16),
        Arrow::Dictionary(_, value) => return postgres_type(value),
        Arrow::RunEndEncoded(_, value) => return postgres_type(value.data_type()),
        Arrow::List(_)
        | Arrow::LargeList(_)
        | Arrow::ListView(_)
        | Arrow::LargeListView(_)
        | Arrow::FixedSizeList(..) => (array_oid(postgres_type(innermost(arrow)).oid), -1),
        Arrow::Struct(_) | Arrow::Map(..) | Arrow::Union(..) => (JSON, -1),
    };
    PostgresType { oid, size, modifier: -1 }
}

/// The Arrow type that the encoders take for a column of this type. Clients know times in microseconds alone.
pub(super) fn canonical(arrow: &DataType) -> DataType {
    use DataType as Arrow;
    match print::canonical(arrow) {
        Arrow::Date64 => Arrow::Date32,
        Arrow::Time32(_) | Arrow::Time64(_) => Arrow::Time64(TimeUnit::Microsecond),
        Arrow::Timestamp(_, None) => Arrow::Timestamp(TimeUnit::Microsecond, None),
        Arrow::Timestamp(_, Some(_)) => timestamp_with_zone(),
        Arrow::Duration(_) => Arrow::Interval(IntervalUnit::MonthDayNano),
        Arrow::List(element) => list_of(canonical(element.data_type())),
        other => other,
    }
}

/// The Arrow type of a parameter that the client declared; none where the statement must tell.
pub(super) fn parameter_type(oid: u32) -> Option<DataType> {
    Some(match oid {
        BOOL => DataType::Boolean,
        BYTEA => DataType::Binary,
        INT8 | OID => DataType::Int64,
        INT2 => DataType::Int16,
        INT4 => DataType::Int32,
        TEXT | VARCHAR | BPCHAR | NAME | JSON | UUID => DataType::Utf8,
        FLOAT4 => DataType::Float32,
        FLOAT8 => DataType::Float64,
        DATE => DataType::Date32,
        TIME => DataType::Time64(TimeUnit::Microsecond),
        TIMESTAMP => DataType::Timestamp(TimeUnit::Microsecond, None),
        TIMESTAMPTZ => timestamp_with_zone(),
        INTERVAL => DataType::Interval(IntervalUnit::MonthDayNano),
        // The value brings its own scale; this one is only for planning.
        NUMERIC => DataType::Decimal128(38, 10),
        _ => return element_oid(oid).and_then(parameter_type).map(list_of),
    })
}

/// The element's type of an array type.
pub(super) fn element_oid(array: u32) -> Option<u32> {
    ARRAYS.iter().find(|(_, oid)| *oid == array).map(|(element, _)| *element)
}

/// The name that PostgreSQL prints for the type.
pub(super) fn type_name(oid: u32) -> String {
    let name = match oid {
        BOOL => "boolean",
        BYTEA => "bytea",
        NAME => "name",
        INT8 => "bigint",
        INT2 => "smallint",
        INT4 => "integer",
        TEXT => "text",
        OID => "oid",
        JSON => "json",
        FLOAT4 => "real",
        FLOAT8 => "double precision",
        BPCHAR => "character",
        VARCHAR => "character varying",
        DATE => "date",
        TIME => "time",
        TIMESTAMP => "timestamp",
        TIMESTAMPTZ => "timestamp with time zone",
        INTERVAL => "interval",
        NUMERIC => "numeric",
        UUID => "uuid",
        _ => return element_oid(oid).map_or_else(|| format!("with oid {oid}"), |oid| format!("{}[]", type_name(oid))),
    };
    name.to_owned()
}

// PostgreSQL's arrays have one type for any number of dimensions.
fn innermost(arrow: &DataType) -> &DataType {
    element(arrow).map_or(arrow, innermost)
}

fn array_oid(element: u32) -> u32 {
    // Every type that `postgres_type` returns has an array type; text is what any value can be printed as.
    ARRAYS.iter().find(|(oid, _)| *oid == element).map_or(1009, |(_, array)| *array)
}

fn numeric(precision: u8, scale: i8) -> PostgresType {
    // Precision in the upper half, the scale as eleven bits in two's complement below, the sum moved by the header's size.
    let modifier = ((i32::from(precision) << 16) | (i32::from(scale) & 0x7ff)) + 4;
    PostgresType { oid: NUMERIC, size: -1, modifier }
}

fn timestamp_with_zone() -> DataType {
    DataType::Timestamp(TimeUnit::Microsecond, Some(UTC.into()))
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use arrow::datatypes::Field;

    use super::*;

    #[test]
    fn lists_are_arrays_of_their_innermost_element() {
        let vector = DataType::FixedSizeList(Arc::new(Field::new_list_field(DataType::Float32, false)), 8);
        assert_eq!(postgres_type(&vector).oid, 1021);
        assert_eq!(postgres_type(&list_of(vector)).oid, 1021);
        assert_eq!(canonical(&list_of(DataType::UInt64)), list_of(DataType::Decimal128(20, 0)));
    }

    #[test]
    fn numerics_carry_precision_and_scale() {
        assert_eq!(postgres_type(&DataType::Decimal128(10, 2)).modifier, 655_366);
        assert_eq!(postgres_type(&DataType::Utf8).modifier, -1);
    }

    #[test]
    fn every_canonical_type_keeps_its_postgres_type() {
        for arrow in [
            DataType::UInt8,
            DataType::UInt16,
            DataType::UInt32,
            DataType::Float16,
            DataType::Date64,
            DataType::Duration(TimeUnit::Second),
            DataType::Timestamp(TimeUnit::Nanosecond, Some("Europe/Berlin".into())),
            DataType::Dictionary(Box::new(DataType::Int32), Box::new(DataType::LargeUtf8)),
        ] {
            assert_eq!(postgres_type(&canonical(&arrow)), postgres_type(&arrow), "{arrow}");
        }
    }
}
