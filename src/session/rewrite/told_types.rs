//! Types that the planner does not know, or takes for others: of `varchar(3)` it forgets the length. What Arrow does not tell of
//! them, the field of a type says.

use std::{collections::HashMap, sync::Arc};

use arrow::datatypes::{DECIMAL256_MAX_PRECISION, DataType, Field, FieldRef};
use datafusion::{
    common::Result as PlanResult,
    sql::sqlparser::ast::{
        ArrayElemTypeDef, CharacterLength, DataType as Type, ExactNumberInfo, Ident, ObjectName, TimezoneInfo,
    },
};

use super::intervals::declared;
use crate::{
    fault::{Failure, Fault},
    pgtype::{
        BPCHAR, CHAR, ColumnType, INTERVAL, JSON, JSONB, MOST_DIGITS, Modifier, NAME, OID, PgType, REGTYPE, TIME,
        TIMESTAMP, TIMESTAMPTZ, TIMETZ, UUID, VARCHAR, nested,
    },
};

/// The most characters that a type can say.
const MOST_CHARACTERS: u64 = 10_485_760;

/// The digits of a second that the planner's own timestamps of nanoseconds have, which files have, too.
const NANOSECONDS: u64 = 9;

/// Those that are found by name.
static NAMED: [PgType; 14] =
    [CHAR, NAME, OID, BPCHAR, VARCHAR, UUID, JSON, JSONB, REGTYPE, TIME, TIMETZ, TIMESTAMP, TIMESTAMPTZ, INTERVAL];

/// The field of a type; none of one that the planner knows.
pub(super) fn field_of(data_type: &Type) -> PlanResult<Option<FieldRef>> {
    let (item, dimensions) = innermost(data_type);
    if dimensions > 0 {
        if let Type::Numeric(digits) | Type::Decimal(digits) | Type::Dec(digits) = item {
            check_digits(digits)?;
        }
        if let Some(float) = float_of(item)? {
            return Ok(Some(Arc::new(Field::new("", nested(dimensions, float), true))));
        }
        // Of timestamps the planner knows arrays.
        if matches!(item, Type::Timestamp(..)) {
            return Ok(None);
        }
        let Some(item) = told_by(item)? else { return Ok(None) };
        let list = Field::new("", nested(dimensions, item.arrow()), true);
        return match item.is_of_time() {
            true if item.modifier != -1 => {
                let message = format!("type {}[] is not supported; use {}[]", item.word(), item.pg.word(None));
                Err(Failure::new(Fault::FeatureNotSupported, message).into())
            }
            true => Ok(Some(Arc::new(list))),
            false => Ok(Some(Arc::new(list.with_metadata(item.in_arrays().metadata())))),
        };
    }
    let field = |told: ColumnType| {
        let metadata = if told.has_to_be_told() { told.metadata() } else { HashMap::new() };
        Arc::new(Field::new("", told.arrow(), true).with_metadata(metadata))
    };
    match data_type {
        // The planner's times of day have nanoseconds.
        Type::Time(None, TimezoneInfo::None | TimezoneInfo::WithoutTimeZone) => {
            Ok(Some(field(ColumnType::plain(&TIME))))
        }
        Type::Timestamp(None, zone) if !has_zone(zone) => Ok(Some(field(ColumnType::plain(&TIMESTAMP)))),
        // It knows those whose digits were written for it.
        Type::Timestamp(..) => Ok(None),
        Type::Int2(Some(_)) | Type::Int4(Some(_)) | Type::Int8(Some(_)) => {
            let word = data_type.to_string().to_lowercase();
            let word = word.split('(').next().unwrap_or_default();
            let message = format!("type modifier is not allowed for type \"{word}\"");
            Err(Failure::new(Fault::Syntax, message).into())
        }
        // They are words of the grammar, which has no modifier behind them.
        Type::Int(Some(_)) | Type::Integer(Some(_)) | Type::SmallInt(Some(_)) | Type::BigInt(Some(_)) => {
            Err(Failure::new(Fault::Syntax, "syntax error at or near \"(\"").into())
        }
        Type::Float(_) => Ok(float_of(data_type)?.map(|float| Arc::new(Field::new("", float, true)))),
        Type::Numeric(digits) | Type::Decimal(digits) | Type::Dec(digits) => check_digits(digits).map(|()| None),
        _ => Ok(told_by(data_type)?.map(field)),
    }
}

/// `float` and `float(53)` are doubles, `float(24)` is a real; the planner takes them all for reals.
fn float_of(data_type: &Type) -> PlanResult<Option<DataType>> {
    let Type::Float(digits) = data_type else { return Ok(None) };
    match digits {
        ExactNumberInfo::None | ExactNumberInfo::Precision(25..=53) => Ok(Some(DataType::Float64)),
        ExactNumberInfo::Precision(1..=24) => Ok(Some(DataType::Float32)),
        ExactNumberInfo::Precision(0) => {
            let message = "precision for type float must be at least 1 bit";
            Err(Failure::new(Fault::InvalidArgument, message).into())
        }
        ExactNumberInfo::Precision(_) => {
            let message = "precision for type float must be less than 54 bits";
            Err(Failure::new(Fault::InvalidArgument, message).into())
        }
        ExactNumberInfo::PrecisionAndScale(..) => {
            let message = format!("type modifier is not allowed for type \"{data_type}\"; write numeric");
            Err(Failure::new(Fault::Syntax, message).into())
        }
    }
}

/// Refuses a numeric with digits that there are not: the planner takes 266 for 10.
fn check_digits(digits: &ExactNumberInfo) -> PlanResult<()> {
    let (precision, scale) = match digits {
        ExactNumberInfo::None => return Ok(()),
        ExactNumberInfo::Precision(precision) => (*precision, 0),
        ExactNumberInfo::PrecisionAndScale(precision, scale) => (*precision, *scale),
    };
    let refused = |fault, message: String| Err(Failure::new(fault, message).into());
    let most = u64::from(DECIMAL256_MAX_PRECISION);
    match (precision, scale) {
        (0 | 1001.., _) => {
            let message = format!("NUMERIC precision {precision} must be between 1 and 1000");
            refused(Fault::InvalidArgument, message)
        }
        (_, ..=-1001 | 1001..) => {
            refused(Fault::InvalidArgument, format!("NUMERIC scale {scale} must be between -1000 and 1000"))
        }
        _ if precision > most => {
            let message = format!("a numeric has at most {most} digits here, and not {precision}");
            refused(Fault::FeatureNotSupported, message)
        }
        _ if scale.unsigned_abs() > precision => {
            let message = format!(
                "numeric({precision}, {scale}) is not supported: its places are more than its digits; write more digits"
            );
            refused(Fault::FeatureNotSupported, message)
        }
        _ => Ok(()),
    }
}

/// What the arrays of a type are made of, and how many of them are within each other.
fn innermost(data_type: &Type) -> (&Type, usize) {
    match data_type {
        Type::Array(ArrayElemTypeDef::AngleBracket(item) | ArrayElemTypeDef::SquareBracket(item, None)) => {
            let (item, dimensions) = innermost(item);
            (item, dimensions + 1)
        }
        other => (other, 0),
    }
}

/// The type that is written so, if Arrow does not tell it.
pub(super) fn told_by(data_type: &Type) -> PlanResult<Option<ColumnType>> {
    Ok(Some(match data_type {
        Type::Varchar(length) | Type::CharacterVarying(length) | Type::CharVarying(length) => match length {
            Some(length) => of_length(&VARCHAR, written(length))?,
            None => ColumnType::plain(&VARCHAR),
        },
        Type::Char(length) | Type::Character(length) => of_length(&BPCHAR, length.as_ref().map_or(Some(1), written))?,
        Type::Timestamp(Some(digits), zone) if *digits != NANOSECONDS => match has_zone(zone) {
            true => of_digits(&TIMESTAMPTZ, *digits),
            false => of_digits(&TIMESTAMP, *digits),
        },
        Type::Time(digits, zone) if has_zone(zone) => match digits {
            Some(digits) => of_digits(&TIMETZ, *digits),
            None => ColumnType::plain(&TIMETZ),
        },
        Type::Time(Some(digits), _) => of_digits(&TIME, *digits),
        Type::Interval { fields, precision } if fields.is_some() || precision.is_some() => {
            ColumnType { pg: &INTERVAL, modifier: declared(fields.as_ref(), *precision).modifier() }
        }
        Type::Uuid => ColumnType::plain(&UUID),
        Type::JSON => ColumnType::plain(&JSON),
        Type::JSONB => ColumnType::plain(&JSONB),
        Type::Custom(name, modifiers) => match (named(name), modifiers.as_slice()) {
            (Some(pg), []) => ColumnType::plain(pg),
            (Some(pg), [length]) if [BPCHAR.oid, VARCHAR.oid].contains(&pg.oid) => of_length(pg, length.parse().ok())?,
            (Some(pg), [digits]) if pg.modifier == Modifier::Seconds => match digits.parse() {
                Ok(digits) => of_digits(pg, digits),
                Err(_) => return Ok(None),
            },
            _ => return Ok(None),
        },
        _ => return Ok(None),
    }))
}

/// How such a type is written without a length.
pub(super) fn plain(pg: &PgType) -> Type {
    Type::Custom(ObjectName::from(Ident::with_quote('"', pg.name)), Vec::new())
}

/// How a type with a modifier of digits is written for the planner, which has others of that name.
pub(super) fn with_modifier(told: ColumnType) -> Type {
    let name = ObjectName::from(Ident::with_quote('"', told.pg.name));
    Type::Custom(name, vec![told.modifier.to_string()])
}

/// Whether a type is one with a time zone.
pub(super) fn has_zone(zone: &TimezoneInfo) -> bool {
    matches!(zone, TimezoneInfo::WithTimeZone | TimezoneInfo::Tz)
}

/// A type of times with so many digits of a second, of which no more are kept than there are.
pub(super) fn of_digits(pg: &'static PgType, digits: u64) -> ColumnType {
    ColumnType { pg, modifier: i32::try_from(digits.min(MOST_DIGITS.into())).unwrap_or(-1) }
}

/// The name of a type, or of a function that is called as one, in the catalog's schema or none.
pub(super) fn word(name: &ObjectName) -> Option<String> {
    let parts: Vec<_> = name.0.iter().map(|part| part.as_ident()).collect::<Option<_>>()?;
    let name = match parts.as_slice() {
        [name] => name,
        [schema, name] if schema.value.eq_ignore_ascii_case("pg_catalog") => name,
        _ => return None,
    };
    Some(match name.quote_style {
        Some(_) => name.value.clone(),
        None => name.value.to_lowercase(),
    })
}

/// `"char"` is the type of one byte only in quotes; without them it is another.
fn named(name: &ObjectName) -> Option<&'static PgType> {
    let word = word(name)?;
    NAMED.iter().find(|known| known.name == word)
}

fn written(length: &CharacterLength) -> Option<u64> {
    match length {
        CharacterLength::IntegerLength { length, .. } => Some(*length),
        CharacterLength::Max => None,
    }
}

fn of_length(pg: &'static PgType, length: Option<u64>) -> PlanResult<ColumnType> {
    let word = if pg.oid == BPCHAR.oid { "char" } else { pg.name };
    let refused = |what: &str| Failure::new(Fault::InvalidArgument, format!("length for type {word} {what}"));
    let known = length.filter(|length| *length <= MOST_CHARACTERS).and_then(|length| i32::try_from(length).ok());
    match known {
        Some(0) => Err(refused("must be at least 1").into()),
        Some(length) => Ok(ColumnType::of_length(pg, length)),
        None => Err(refused(&format!("cannot exceed {MOST_CHARACTERS}")).into()),
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use datafusion::sql::sqlparser::{
        ast::{Expr, SelectItem, SetExpr, Statement},
        parser::Parser,
    };

    use super::*;
    use crate::{pgtype::field_name, session::PostgreSql};

    /// What a type is called that is written so; none of one that the planner knows.
    fn called(written: &str) -> PlanResult<Option<String>> {
        let text = format!("SELECT NULL::{written}");
        let statement = Parser::new(&PostgreSql).try_with_sql(&text).unwrap().parse_statement().unwrap();
        let Statement::Query(query) = statement else { panic!("{text}") };
        let SetExpr::Select(select) = *query.body else { panic!("{text}") };
        let Some(SelectItem::UnnamedExpr(Expr::Cast { data_type, .. })) = select.projection.into_iter().next() else {
            panic!("{text}")
        };
        Ok(field_of(&data_type)?.map(|field| field_name(&field)))
    }

    /// As PostgreSQL 15's `format_type` calls them.
    #[test]
    fn types_are_what_they_are_written_as() {
        for (written, expected) in [
            ("varchar", "character varying"),
            ("varchar(3)", "character varying(3)"),
            ("character varying(3)", "character varying(3)"),
            ("char", "character(1)"),
            ("character(5)", "character(5)"),
            ("bpchar", "bpchar"),
            ("\"char\"", "\"char\""),
            ("NAME", "name"),
            ("pg_catalog.oid", "oid"),
            ("uuid", "uuid"),
            ("jsonb", "jsonb"),
            ("varchar(3)[]", "character varying(3)[]"),
            ("uuid[]", "uuid[]"),
            ("\"char\"[][]", "\"char\"[]"),
            ("oid[]", "oid[]"),
            ("time", "time"),
            ("time(3)", "time(3)"),
            ("timetz", "time with time zone"),
            ("timetz(2)", "time(2) with time zone"),
            ("time(2) with time zone", "time(2) with time zone"),
            ("interval(2)", "interval(2)"),
            ("interval year to month", "interval year to month"),
            ("interval hour to second(2)", "interval hour to second(2)"),
            ("\"timestamp\"", "timestamp"),
            ("\"timestamptz\"(3)", "timestamp(3) with time zone"),
        ] {
            assert_eq!(called(written).unwrap().as_deref(), Some(expected), "{written}");
        }
        for known in ["text", "int", "text[]", "numeric(10, 2)"] {
            assert_eq!(called(known).unwrap(), None, "{known}");
        }
        for (refused, told) in [
            ("varchar(0)", "length for type varchar must be at least 1"),
            ("char(0)", "length for type char must be at least 1"),
            ("varchar(10485761)", "length for type varchar cannot exceed 10485760"),
        ] {
            assert!(called(refused).unwrap_err().to_string().contains(told), "{refused}");
        }
    }
}
