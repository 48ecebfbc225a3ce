//! `SELECT column_name, data_type FROM information_schema.columns`: the columns of all tables and views, with PostgreSQL's
//! names for their types. A type says no more of itself than PostgreSQL's does: of arrays, of what is in `udt_name`.

use arrow::datatypes::Field;

use super::{super::in_memory::Columns, Contents, Kind, Relation, yes_or_no};
use crate::{
    error::MARK,
    pgtype::{self, BPCHAR, ColumnType, Form, MOST_DIGITS, TEXT, VARCHAR},
    session::DATABASE,
};

/// One row.
struct Column<'a> {
    relation: &'a Relation<'a>,
    /// From 1.
    position: usize,
    field: &'a Field,
    column_type: ColumnType,
}

/// The digits of a number, the base that they are counted in, and how many stand behind the point.
type Digits = (Option<i32>, Option<i32>, Option<i32>);

/// The most bytes of a text, which PostgreSQL does not let grow longer.
const MOST_OCTETS: i32 = 1 << 30;

/// The most bytes of a character.
const OCTETS_OF_CHARACTER: i32 = 4;

pub(super) fn rows(contents: &Contents) -> Columns {
    let rows: Vec<Column> = contents.relations.iter().flat_map(columns_of).collect();
    let columns = Columns::default()
        .text("table_catalog", rows.iter().map(|_| Some(DATABASE)))
        .text("table_schema", rows.iter().map(|row| Some(row.relation.schema)))
        .text("table_name", rows.iter().map(|row| Some(row.relation.name)))
        // As clients see it.
        .text("column_name", rows.iter().map(|row| Some(row.field.name().replace(MARK, ""))))
        .number("ordinal_position", rows.iter().map(|row| i32::try_from(row.position).ok()))
        .everywhere("column_default", None)
        .text("is_nullable", rows.iter().map(|row| Some(yes_or_no(row.is_nullable()))))
        .text("data_type", rows.iter().map(|row| Some(data_type(row.column_type))));
    let columns = about_the_type(columns, &rows);
    columns
        .everywhere("is_self_referencing", Some("NO"))
        .everywhere("is_identity", Some("NO"))
        .everywhere("identity_generation", None)
        .everywhere("identity_start", None)
        .everywhere("identity_increment", None)
        .everywhere("identity_maximum", None)
        .everywhere("identity_minimum", None)
        .everywhere("identity_cycle", Some("NO"))
        .everywhere("is_generated", Some("NEVER"))
        .everywhere("generation_expression", None)
        .text("is_updatable", rows.iter().map(|row| Some(yes_or_no(row.relation.kind == Kind::Base))))
}

fn columns_of<'a>(relation: &'a Relation<'_>) -> impl Iterator<Item = Column<'a>> {
    relation.columns.iter().enumerate().map(move |(place, field)| Column {
        relation,
        position: place + 1,
        field,
        column_type: pgtype::of_field(field),
    })
}

impl Column<'_> {
    /// PostgreSQL does not say of a view's column that it is never NULL, because its query may change.
    fn is_nullable(&self) -> bool {
        self.relation.kind == Kind::View || self.field.is_nullable()
    }
}

/// Everything from the lengths of texts to the number of the type's description.
fn about_the_type(columns: Columns, rows: &[Column]) -> Columns {
    columns
        .number("character_maximum_length", rows.iter().map(|row| row.column_type.length()))
        .number("character_octet_length", rows.iter().map(|row| octets(row.column_type)))
        .number("numeric_precision", rows.iter().map(|row| digits(row.column_type).0))
        .number("numeric_precision_radix", rows.iter().map(|row| digits(row.column_type).1))
        .number("numeric_scale", rows.iter().map(|row| digits(row.column_type).2))
        .number("datetime_precision", rows.iter().map(|row| digits_of_seconds(row.column_type)))
        .text("interval_type", rows.iter().map(|row| fields_of_interval(row.column_type)))
        .number("interval_precision", rows.iter().map(|_| None))
        .everywhere("character_set_catalog", None)
        .everywhere("character_set_schema", None)
        .everywhere("character_set_name", None)
        .everywhere("collation_catalog", None)
        .everywhere("collation_schema", None)
        .everywhere("collation_name", None)
        .everywhere("domain_catalog", None)
        .everywhere("domain_schema", None)
        .everywhere("domain_name", None)
        .everywhere("udt_catalog", Some(DATABASE))
        .everywhere("udt_schema", Some("pg_catalog"))
        .text("udt_name", rows.iter().map(|row| Some(row.column_type.pg.name)))
        .everywhere("scope_catalog", None)
        .everywhere("scope_schema", None)
        .everywhere("scope_name", None)
        .number("maximum_cardinality", rows.iter().map(|_| None))
        .text("dtd_identifier", rows.iter().map(|row| Some(row.position.to_string())))
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

    use arrow::datatypes::{DataType, IntervalUnit, TimeUnit};

    use super::*;

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
