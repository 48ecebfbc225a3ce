//! PostgreSQL's types, once and as data: names, numbers, lengths, categories, modifiers, and what their values are made of.
//!
//! In reading order: [`TYPES`] is the list; [`of`] says which of them a column of an Arrow type is, and [`of_field`] which one
//! a field says that it is; [`common_type`] says which one values of several have together; [`arrow()`] says which Arrow type
//! the values of one have; `read` knows values that are given in text or in binary. How they are written, `print` knows.
//! Nothing here knows errors, statements or the network.

pub(crate) mod calendar;
mod casts;
mod columns;
mod common;
mod digits;
mod operators;
mod procedures;
mod read;
mod styles;
mod table;
mod told;
mod zone;
mod zoned;

use arrow::datatypes::DataType;

pub(crate) use self::{
    casts::casts,
    columns::{
        ANY_NUMERIC, LONG_NUMERIC, canonical, dimensions_of, element, innermost, is_json_value, is_record, json_value,
        list_of, nested, record_field, sent_as,
    },
    digits::{MOST_DIGITS, rounded, rounded_moment},
    procedures::{Procedure, procedure, procedures_named},
    read::{
        ArrayText, Becoming, Fields, Float, JSONB_VERSION, Json, JsonItems, JsonStep, NoJson, NoNumber, NoStep, Part,
        Span, Unfit, Unreadable, Untold, Written, as_told, displacement, has_fields, json_items, json_key, json_part,
        json_text, read_binary, read_count, read_float, read_interval, read_interval_in, read_null, read_string,
        read_text, read_time, read_type_name, read_typed, read_zoned, split_array, tells_time, uuid_bytes,
        write_json_text,
    },
    styles::{DateOrder, DateStyle, FloatDigits, InSession, IntervalStyle, Styles},
    told::{only_told, told_of, untold},
    zone::{Abbreviation, Zone, abbreviation, fixed_distance, spelled as spelled_zone, zones},
    zoned::{ZONED_TIME, ZonedTime},
};
pub use self::{
    casts::{Context, cast_between},
    columns::{ColumnType, of, type_name},
    common::{Unmatched, common_type},
    operators::{OPERATORS, Operator, operators},
    table::*,
    told::{field_name, of_field, told},
};

/// A type, as `pg_type` has it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct PgType {
    /// Its own name, `int4`, and of an array `_int4`.
    pub name: &'static str,
    /// How SQL writes it, `integer`; of an array, how its elements' type is written.
    pub spelling: &'static str,
    /// What else SQL can call it.
    pub words: &'static [&'static str],
    /// Its number.
    pub oid: u32,
    /// The number of the type of its arrays; 0 if it has none.
    pub array: u32,
    /// The number of its elements' type; 0 if it is no array.
    pub element: u32,
    /// Bytes of a value; -1 where they vary, and -2 where they end with a zero.
    pub length: i16,
    /// The kind of type it is, by `pg_type`'s letters: `N` for numbers, `S` for texts, `D` for dates and times, …
    pub category: char,
    /// What its modifier says.
    pub modifier: Modifier,
    /// What its values are made of.
    pub form: Form,
}

/// What the modifier of a type says, of which each column has its own; -1 says nothing.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Modifier {
    /// It has none that is kept.
    None,
    /// The most characters, as in `varchar(10)`.
    Length,
    /// Digits, and those of them behind the point, as in `numeric(10,2)`.
    Digits,
    /// The digits of a second, as in `timestamp(3)`.
    Seconds,
    /// The fields of an interval and the digits of its seconds, as in `interval day to second(3)`.
    Fields,
}

/// What a value is made of: its Arrow type, and its bytes in the binary format.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Form {
    /// A byte, 0 or 1.
    Boolean,
    /// A whole number of two bytes.
    Int2,
    /// A whole number of four bytes.
    Int4,
    /// A whole number of eight bytes.
    Int8,
    /// A whole number of four bytes without a sign.
    Oid,
    /// A float of four bytes.
    Float4,
    /// A float of eight bytes.
    Float8,
    /// Digits in groups of four.
    Numeric,
    /// A text.
    Text,
    /// A text whose type others tell.
    Unknown,
    /// Bytes as they are.
    Bytes,
    /// Sixteen bytes, a text here.
    Uuid,
    /// A text of JSON in its normal form, behind the number of the format.
    Jsonb,
    /// The number of a type, its name here.
    Regtype,
    /// Days since 2000.
    Date,
    /// Microseconds since midnight.
    Time,
    /// The same, and the seconds that the clock is to the west of UTC.
    ZonedTime,
    /// Microseconds since 2000 on some clock.
    Timestamp,
    /// Microseconds since 2000 in UTC.
    Instant,
    /// Microseconds, days and months.
    Interval,
    /// Elements of one type.
    Array,
    /// Values that are neither read nor shown yet.
    Other,
}

/// The type of this number.
pub fn by_oid(oid: u32) -> Option<&'static PgType> {
    TYPES.iter().find(|known| known.oid == oid)
}

/// The type of this name, as `pg_type.typname` has it.
pub fn by_name(name: &str) -> Option<&'static PgType> {
    TYPES.iter().find(|known| known.name == name)
}

/// The type that SQL writes so, in lower case and without a modifier: `int4`, `int` and `integer` are one, and `char`
/// is short for `character`.
pub fn by_word(word: &str) -> Option<&'static PgType> {
    let is_written = |known: &&PgType| known.element == 0 && (known.spelling == word || known.words.contains(&word));
    TYPES.iter().find(is_written).or_else(|| by_name(word))
}

/// The Arrow type of values of the type of this number; none where only what stands beside one can tell, and for types
/// whose values are not known.
pub fn arrow(oid: u32, modifier: i32) -> Option<DataType> {
    by_oid(oid)?.arrow(modifier)
}

/// What a person is told of a type of this number, which need not be known.
pub fn name_of(oid: u32) -> String {
    by_oid(oid).map_or_else(|| format!("with oid {oid}"), |known| known.word(None))
}

impl PgType {
    /// The type of an array's elements.
    pub fn element_type(&self) -> Option<&'static PgType> {
        if self.element == 0 { None } else { by_oid(self.element) }
    }

    /// Whether it is a list of numbers that has a name of its own, and is written without brackets.
    pub fn is_vector(&self) -> bool {
        [INT2VECTOR.oid, OIDVECTOR.oid].contains(&self.oid)
    }

    /// The type of arrays of this one.
    pub fn array_type(&self) -> Option<&'static PgType> {
        if self.array == 0 { None } else { by_oid(self.array) }
    }

    /// How SQL writes the type with a modifier, as `format_type` does: `character varying(10)`.
    pub fn sql(&self, modifier: Option<i32>) -> String {
        if let Some(element) = self.element_type().filter(|_| !self.is_vector()) {
            return format!("{}[]", element.sql(modifier));
        }
        match (self.said(modifier), self.modifier) {
            (Some(said), Modifier::Seconds) => match self.spelling.split_once(' ') {
                Some((first, rest)) => format!("{first}({said}) {rest}"),
                None => format!("{}({said})", self.spelling),
            },
            (Some(said), Modifier::Fields) => format!("{}{said}", self.spelling),
            (Some(said), _) => format!("{}({said})", self.spelling),
            // `character` alone would be one character.
            (None, Modifier::Length) if modifier.is_some() && self.oid == BPCHAR.oid => self.name.to_owned(),
            (None, _) => self.spelling.to_owned(),
        }
    }

    /// As [`sql`](Self::sql) has it, without words that say what is meant anyway: `timestamp` is one without a time zone.
    pub fn word(&self, modifier: Option<i32>) -> String {
        self.sql(modifier).replace(" without time zone", "")
    }

    /// What a modifier says, as it stands in parentheses.
    fn said(&self, modifier: Option<i32>) -> Option<String> {
        let modifier = modifier?;
        match self.modifier {
            Modifier::None => None,
            Modifier::Length => (modifier >= HEADER).then(|| (modifier - HEADER).to_string()),
            Modifier::Digits => digits(modifier).map(|(precision, scale)| format!("{precision},{scale}")),
            Modifier::Seconds => (modifier >= 0).then(|| modifier.to_string()),
            Modifier::Fields => Some(Fields::of_modifier(modifier).words()),
        }
    }
}

/// The type of a number as SQL writes it, and as `regtype` shows it.
pub(crate) fn regtype_text(oid: u32) -> String {
    match oid {
        0 => "-".to_owned(),
        oid => by_oid(oid).map_or_else(|| oid.to_string(), |known| known.sql(None)),
    }
}

/// The number of a type that is written so.
pub(crate) fn regtype_oid(text: &str) -> Option<u32> {
    match text {
        "-" => Some(0),
        text => TYPES.iter().find(|known| known.sql(None) == text).map(|known| known.oid).or_else(|| text.parse().ok()),
    }
}

/// The most digits of a numeric.
pub(crate) const MAX_NUMERIC_DIGITS: usize = 76;

/// Days from 1970 to 2000, where PostgreSQL's calendar starts.
pub(crate) const EPOCH_DAYS: i32 = 10_957;
pub(crate) const EPOCH_MICROS: i64 = EPOCH_DAYS as i64 * calendar::MICROS_A_DAY;

/// The bytes of a header that PostgreSQL counts with lengths and digits.
const HEADER: i32 = 4;

/// The modifier of a numeric: the precision in the upper half, below it the scale as eleven bits in two's complement.
fn numeric_modifier(precision: u8, scale: i8) -> i32 {
    ((i32::from(precision) << 16) | (i32::from(scale) & 0x7ff)) + HEADER
}

/// The precision and the scale that the modifier of a numeric says.
fn digits(modifier: i32) -> Option<(i32, i32)> {
    let packed = modifier.checked_sub(HEADER).filter(|packed| *packed >= 0)?;
    Some((packed >> 16, ((packed & 0x7ff) ^ 0x400) - 0x400))
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests;
