//! `SELECT column_name, data_type FROM information_schema.columns`: the columns of all tables and views, with PostgreSQL's
//! names for their types. A type says no more of itself than PostgreSQL's does: of arrays, of what is in `udt_name`.

use arrow::array::RecordBatch;

use super::yes_or_no;
use crate::{
    pgtype::{BPCHAR, ColumnType, Form, MOST_DIGITS, TEXT, VARCHAR},
    session::{
        CATALOG_SCHEMA, DATABASE,
        pg_catalog::{
            Contents, Result, Wanted,
            declared::{DOMAINS, Domain},
            objects::RelationColumn,
            types::C_COLLATION,
        },
    },
};

/// The digits of a number, the base that they are counted in, and how many stand behind the point.
type Digits = (Option<i32>, Option<i32>, Option<i32>);

/// The most bytes of a text, which PostgreSQL does not let grow longer.
const MOST_OCTETS: i32 = 1 << 30;

/// The most bytes of a character.
const OCTETS_OF_CHARACTER: i32 = 4;

pub(super) fn rows(contents: &Contents<'_>, wanted: Wanted) -> Result<RecordBatch> {
    wanted
        .of(&contents.objects.columns())
        .text("table_catalog", |_| Some(DATABASE))
        .text("table_schema", |row| Some(row.relation.schema))
        .text("table_name", |row| Some(row.relation.name))
        .text("column_name", |row| Some(row.column.name.as_str()))
        .number("ordinal_position", |row| Some(row.column.number))
        .text("column_default", |row| row.column.default.as_deref())
        .text("is_nullable", |row| Some(yes_or_no(!row.column.not_null)))
        .text("data_type", |row| Some(data_type(row.column.kind)))
        .number("character_maximum_length", |row| row.column.kind.length())
        .number("character_octet_length", |row| octets(row.column.kind))
        .number("numeric_precision", |row| digits(row.column.kind).0)
        .number("numeric_precision_radix", |row| digits(row.column.kind).1)
        .number("numeric_scale", |row| digits(row.column.kind).2)
        .number("datetime_precision", |row| digits_of_seconds(row.column.kind))
        .text("interval_type", |row| fields_of_interval(row.column.kind))
        .text("collation_catalog", |row| collation(row).map(|_| DATABASE))
        .text("collation_schema", |row| collation(row).map(|_| CATALOG_SCHEMA))
        .text("collation_name", collation)
        .text("domain_catalog", |row| domain(row).map(|_| DATABASE))
        .text("domain_schema", |row| domain(row).map(|_| super::SCHEMA))
        .text("domain_name", |row| domain(row).map(|domain| domain.name))
        .text("udt_catalog", |_| Some(DATABASE))
        .text("udt_schema", |_| Some(CATALOG_SCHEMA))
        .text("udt_name", |row| Some(row.column.kind.pg.name))
        .text("dtd_identifier", |row| Some(row.column.number.to_string()))
        .text("is_self_referencing", |_| Some("NO"))
        .text("is_identity", |_| Some("NO"))
        .text("identity_cycle", |_| Some("NO"))
        .text("is_generated", |_| Some("NEVER"))
        .text("is_updatable", |row| Some(yes_or_no(row.relation.takes_rows())))
        .finish()
}

/// The domain that a column is of.
fn domain(row: &RelationColumn<'_>) -> Option<&'static Domain> {
    DOMAINS.iter().find(|domain| domain.oid == row.column.type_oid)
}

/// The collation of a column, where it is not the database's.
fn collation(row: &RelationColumn<'_>) -> Option<&'static str> {
    (row.collation() == C_COLLATION).then_some("C")
}

fn data_type(column_type: ColumnType) -> &'static str {
    match column_type.pg.form {
        Form::Array => "ARRAY",
        _ => column_type.pg.spelling,
    }
}

fn octets(column_type: ColumnType) -> Option<i32> {
    let is_text = [TEXT, VARCHAR, BPCHAR].iter().any(|text| text.oid == column_type.pg.oid);
    is_text.then(|| column_type.length().map_or(MOST_OCTETS, |length| length.saturating_mul(OCTETS_OF_CHARACTER)))
}

fn digits(column_type: ColumnType) -> Digits {
    match column_type.pg.form {
        Form::Int2 => (Some(16), Some(2), Some(0)),
        Form::Int4 => (Some(32), Some(2), Some(0)),
        Form::Int8 => (Some(64), Some(2), Some(0)),
        Form::Float4 => (Some(24), Some(2), None),
        Form::Float8 => (Some(53), Some(2), None),
        Form::Numeric => {
            let (precision, scale) = column_type.digits().unzip();
            (precision, Some(10), scale)
        }
        _ => (None, None, None),
    }
}

/// Where a time does not say how many digits it has, they are all that PostgreSQL keeps.
fn digits_of_seconds(column_type: ColumnType) -> Option<i32> {
    match column_type.pg.form {
        Form::Date => Some(0),
        Form::Time | Form::ZonedTime | Form::Timestamp | Form::Instant | Form::Interval => {
            i32::try_from(column_type.second_digits().unwrap_or(MOST_DIGITS)).ok()
        }
        _ => None,
    }
}

/// `YEAR TO MONTH`, as an interval is declared.
fn fields_of_interval(column_type: ColumnType) -> Option<String> {
    let word = column_type.word();
    word.strip_prefix("interval ").map(str::to_uppercase)
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use arrow::datatypes::{DataType, Field, IntervalUnit, TimeUnit};

    use super::*;
    use crate::pgtype;

    /// As PostgreSQL 15.18's `information_schema.columns` has them for a column of each type: `data_type`, `udt_name`,
    /// `character_octet_length`, `numeric_precision`, `numeric_precision_radix`, `numeric_scale`, `datetime_precision`.
    #[test]
    fn types_are_told_as_postgresql_tells_them() {
        let list = |element: DataType| DataType::List(Arc::new(Field::new_list_field(element, true)));
        let none = (None, None, None);
        let cases = [
            (DataType::Boolean, "boolean", "bool", None, none, None),
            (DataType::Binary, "bytea", "bytea", None, none, None),
            (DataType::Int16, "smallint", "int2", None, (Some(16), Some(2), Some(0)), None),
            (DataType::Int32, "integer", "int4", None, (Some(32), Some(2), Some(0)), None),
            (DataType::Int64, "bigint", "int8", None, (Some(64), Some(2), Some(0)), None),
            (DataType::Float32, "real", "float4", None, (Some(24), Some(2), None), None),
            (DataType::Float64, "double precision", "float8", None, (Some(53), Some(2), None), None),
            (DataType::Decimal128(10, 2), "numeric", "numeric", None, (Some(10), Some(10), Some(2)), None),
            (DataType::UInt64, "numeric", "numeric", None, (Some(20), Some(10), Some(0)), None),
            (DataType::Utf8View, "text", "text", Some(1_073_741_824), none, None),
            (DataType::Date32, "date", "date", None, none, Some(0)),
            (DataType::Time64(TimeUnit::Microsecond), "time without time zone", "time", None, none, Some(6)),
            (
                DataType::Timestamp(TimeUnit::Microsecond, None),
                "timestamp without time zone",
                "timestamp",
                None,
                none,
                Some(6),
            ),
            (
                DataType::Timestamp(TimeUnit::Nanosecond, Some("UTC".into())),
                "timestamp with time zone",
                "timestamptz",
                None,
                none,
                Some(6),
            ),
            (DataType::Interval(IntervalUnit::MonthDayNano), "interval", "interval", None, none, Some(6)),
            (list(DataType::Int32), "ARRAY", "_int4", None, none, None),
            (list(list(DataType::Utf8)), "ARRAY", "_text", None, none, None),
            (list(DataType::Decimal128(20, 0)), "ARRAY", "_numeric", None, none, None),
            (list(DataType::Timestamp(TimeUnit::Second, None)), "ARRAY", "_timestamp", None, none, None),
        ];
        for (arrow, name, udt, octet_length, number, seconds) in cases {
            let of = pgtype::of(&arrow);
            let told = (data_type(of), of.pg.name, octets(of), digits(of), digits_of_seconds(of));
            assert_eq!(told, (name, udt, octet_length, number, seconds), "{arrow}");
        }
    }

    /// The same of columns with modifiers: `datetime_precision`, `interval_type`.
    #[test]
    fn times_have_the_digits_that_they_are_declared_with() {
        for (pg, modifier, seconds, fields) in [
            (&pgtype::INTERVAL, 458_751, 6, Some("YEAR TO MONTH")),
            (&pgtype::INTERVAL, 268_435_458, 2, Some("SECOND(2)")),
            (&pgtype::INTERVAL, 2_147_418_115, 3, None),
            (&pgtype::INTERVAL, 470_286_339, 3, Some("DAY TO SECOND(3)")),
            (&pgtype::TIMESTAMP, 0, 0, None),
            (&pgtype::TIME, 2, 2, None),
        ] {
            let column_type = ColumnType { pg, modifier };
            let found = (digits_of_seconds(column_type), fields_of_interval(column_type));
            assert_eq!(found, (Some(seconds), fields.map(str::to_owned)), "{} {modifier}", pg.name);
        }
    }
}
