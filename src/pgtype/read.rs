//! Values from the two forms in which they are given, text and binary.
//!
//! It never guesses: what is no value of its type is [`Unreadable`], and whoever asked says where it was.

mod array;
mod fields;
mod floats;
mod intervals;
mod iso;
mod json;
mod moments;
mod numeric;
mod parts;
mod times;
mod tokens;
mod told;
mod type_name;
mod words;

use std::borrow::Cow;

use arrow::datatypes::{DataType, IntervalMonthDayNano, TimeUnit};
use datafusion::common::ScalarValue;

pub(crate) use array::{ArrayText, split_array};
pub(crate) use fields::has_fields;
pub(crate) use floats::{Float, NoNumber, read_float};
pub(crate) use intervals::{Fields, Part, Span, interval as read_interval, interval_in as read_interval_in};
pub(crate) use json::{
    Json, JsonItems, JsonStep, NoJson, NoStep, json_items, json_key, json_part, json_text, write_json_text,
};
pub(crate) use moments::Unfit;
pub(crate) use numeric::Written;
pub(crate) use parts::displacement;
pub(crate) use times::{read_count, read_time, read_zoned, tells_time};
pub(crate) use told::{Becoming, Untold, as_told, uuid_bytes};
pub(crate) use type_name::read as read_type_name;

use self::array::ArrayBytes;
use super::{
    ColumnType, EPOCH_DAYS, EPOCH_MICROS, Form, InSession, NUMERIC, PgType, REGTYPE, ZONED_TIME, ZonedTime,
    calendar::{MICROS_A_DAY, is_day, is_infinite, is_infinite_date},
    dimensions_of, element, innermost, list_of, regtype_text,
};

/// Why a value cannot be read.
#[derive(Debug, PartialEq)]
pub(crate) enum Unreadable {
    /// The text is no value of the type; within an array, the text of an element.
    Text(String),
    /// The text is no array.
    Array(String),
    /// The text is an array whose places do not count from 1.
    LowerBound(String),
    /// The text is an array of another number of dimensions than the column has, which are these.
    Dimensions { found: usize, wanted: usize },
    /// The text is no date, time or interval, and why.
    Time(String, Unfit),
    /// The text is no number of the type, and why.
    Number(String, NoNumber),
    /// The bytes are no value of the type.
    Binary,
    /// The bytes are no text, and why.
    Encoding(String),
    /// A value of this type that is later or longer than any that is stored.
    OutOfRange(&'static PgType),
    /// Values of the type are not read, and which.
    Unsupported(&'static str),
}

/// The number of the binary format of `jsonb`, which is its text.
pub(crate) const JSONB_VERSION: u8 = 1;

type Result<T> = std::result::Result<T, Unreadable>;

/// NULL of a type.
pub(crate) fn read_null(target: &DataType) -> Result<ScalarValue> {
    ScalarValue::try_from(target).map_err(|_| Unreadable::Unsupported("null"))
}

/// The text that bytes are, in either format.
pub(crate) fn read_string(bytes: &[u8]) -> Result<&str> {
    if bytes.contains(&0) {
        return Err(Unreadable::Encoding("text cannot hold the character 0".to_owned()));
    }
    std::str::from_utf8(bytes)
        .map_err(|error| Unreadable::Encoding(format!("invalid UTF-8 at byte {}", error.valid_up_to() + 1)))
}

/// A value of `pg` in text format, as one of `target`. What Arrow does not tell of its type is looked at, too. An array has the
/// dimensions, and the digits of its numerics, that it came with.
pub(crate) fn read_typed(
    pg: &'static PgType,
    text: &str,
    target: &DataType,
    session: InSession<'_>,
) -> Result<ScalarValue> {
    if let (Some(item), Some(_)) = (pg.element_type(), element(target)) {
        let ArrayText { dimensions, elements } = array::split_array(text)?;
        let leaf = innermost(target);
        let elements =
            elements.into_iter().map(|text| text.map(|text| read_typed(item, &text, leaf, session)).transpose());
        return array_of(elements.collect::<Result<_>>()?, &dimensions, target);
    }
    if !ColumnType::plain(pg).has_to_be_told() || !target.is_string() {
        return read_text(text, target, session);
    }
    read_text(&as_kept(pg, text)?, target, session)
}

/// A text as values of the type are kept.
fn as_kept<'a>(pg: &'static PgType, text: &'a str) -> Result<Cow<'a, str>> {
    as_told(text, ColumnType::plain(pg), Becoming::Cast).map_err(|_| Unreadable::Text(text.to_owned()))
}

/// A value in text format, as one of `target` or of a type that can be cast to it.
pub(crate) fn read_text(text: &str, target: &DataType, session: InSession<'_>) -> Result<ScalarValue> {
    let trimmed = text.trim();
    let invalid = || Unreadable::Text(text.to_owned());
    let no_number = |why| Unreadable::Number(text.to_owned(), why);
    Ok(match target {
        DataType::Utf8 | DataType::LargeUtf8 | DataType::Utf8View => ScalarValue::Utf8(Some(text.to_owned())),
        DataType::Boolean => ScalarValue::Boolean(Some(boolean(trimmed).ok_or_else(invalid)?)),
        DataType::Float32 => ScalarValue::Float32(Some(read_float(text).map_err(no_number)?)),
        DataType::Float64 => ScalarValue::Float64(Some(read_float(text).map_err(no_number)?)),
        DataType::Decimal32(..) | DataType::Decimal64(..) | DataType::Decimal128(..) | DataType::Decimal256(..) => {
            Written::read(text).and_then(Written::own).map_err(no_number)?
        }
        DataType::Binary | DataType::LargeBinary | DataType::BinaryView => {
            ScalarValue::Binary(Some(bytes_from_text(text).ok_or_else(invalid)?))
        }
        _ => match element(target) {
            Some(element) => array_from_text(text, element, session)?,
            None => {
                let unfit = |why| Unreadable::Time(text.to_owned(), why);
                return match target {
                    DataType::Interval(_) => {
                        let span =
                            read_interval_in(text, Fields::default(), session.styles.intervals).map_err(unfit)?;
                        let interval = span.arrow().ok_or_else(|| unfit(Unfit::Range))?;
                        Ok(ScalarValue::IntervalMonthDayNano(Some(interval)))
                    }
                    zoned if *zoned == ZONED_TIME => read_time(text, target, session).map_err(unfit),
                    DataType::Timestamp(_, Some(zone)) => {
                        read_time(text, target, InSession { zone: zone.as_ref(), ..session }).map_err(unfit)
                    }
                    DataType::Date32 | DataType::Time32(_) | DataType::Time64(_) | DataType::Timestamp(..) => {
                        read_time(text, target, session).map_err(unfit)
                    }
                    _ => ScalarValue::Utf8(Some(trimmed.to_owned())).cast_to(target).map_err(|_| {
                        let is_beyond = target.is_integer() && is_whole(trimmed);
                        if is_beyond { no_number(NoNumber::Range) } else { invalid() }
                    }),
                };
            }
        },
    })
}

/// A value of `pg` in binary format; the elements of an array are cast to those of `target`, as many dimensions as it has.
pub(crate) fn read_binary(pg: &'static PgType, bytes: &[u8], target: &DataType) -> Result<ScalarValue> {
    Ok(match pg.form {
        Form::Boolean => ScalarValue::Boolean(Some(fixed::<1>(bytes)? != [0])),
        Form::Int2 => ScalarValue::Int16(Some(i16::from_be_bytes(fixed(bytes)?))),
        Form::Int4 => ScalarValue::Int32(Some(i32::from_be_bytes(fixed(bytes)?))),
        Form::Int8 => ScalarValue::Int64(Some(i64::from_be_bytes(fixed(bytes)?))),
        Form::Oid => ScalarValue::Int64(Some(i64::from(u32::from_be_bytes(fixed(bytes)?)))),
        Form::Float4 => ScalarValue::Float32(Some(f32::from_be_bytes(fixed(bytes)?))),
        Form::Float8 => ScalarValue::Float64(Some(f64::from_be_bytes(fixed(bytes)?))),
        Form::Text | Form::Unknown => ScalarValue::Utf8(Some(as_kept(pg, read_string(bytes)?)?.into_owned())),
        Form::Uuid => ScalarValue::Utf8(Some(uuid_text(fixed(bytes)?))),
        Form::Regtype => {
            let number = u32::from_be_bytes(fixed(bytes)?);
            ScalarValue::Utf8(Some(if pg.oid == REGTYPE.oid { regtype_text(number) } else { number.to_string() }))
        }
        Form::Jsonb => match bytes.split_first() {
            Some((&JSONB_VERSION, text)) => ScalarValue::Utf8(Some(as_kept(pg, read_string(text)?)?.into_owned())),
            _ => return Err(Unreadable::Binary),
        },
        Form::Bytes => ScalarValue::Binary(Some(bytes.to_vec())),
        Form::Numeric => numeric::from_binary(bytes)?,
        Form::Date => {
            let days = i32::from_be_bytes(fixed(bytes)?);
            let known = match is_infinite_date(days) {
                true => Some(days),
                false => days.checked_add(EPOCH_DAYS).filter(|days| is_day(i64::from(*days))),
            };
            ScalarValue::Date32(Some(known.ok_or(Unreadable::OutOfRange(pg))?))
        }
        Form::Time => {
            let micros = i64::from_be_bytes(fixed(bytes)?);
            // The end of a day is one of its times.
            let is_clock = (0..=MICROS_A_DAY).contains(&micros);
            ScalarValue::Time64Microsecond(Some(is_clock.then_some(micros).ok_or(Unreadable::OutOfRange(pg))?))
        }
        Form::ZonedTime => {
            let (micros, west) = bytes.split_first_chunk().ok_or(Unreadable::Binary)?;
            let (micros, west) = (i64::from_be_bytes(*micros), i32::from_be_bytes(fixed(west)?));
            let time = west.checked_neg().and_then(|east| ZonedTime::new(micros, east));
            zoned_value(time.ok_or(Unreadable::OutOfRange(pg))?)
        }
        Form::Timestamp | Form::Instant => {
            let micros = i64::from_be_bytes(fixed(bytes)?);
            let known = match is_infinite(micros) {
                true => Some(micros),
                false => {
                    let micros = micros.checked_add(EPOCH_MICROS);
                    micros.filter(|micros| is_day(micros.div_euclid(MICROS_A_DAY)))
                }
            };
            let zone = match pg.arrow(-1) {
                Some(DataType::Timestamp(TimeUnit::Microsecond, zone)) => zone,
                _ => None,
            };
            ScalarValue::TimestampMicrosecond(Some(known.ok_or(Unreadable::OutOfRange(pg))?), zone)
        }
        Form::Interval => {
            let interval = interval(bytes)?.ok_or(Unreadable::OutOfRange(pg))?;
            ScalarValue::IntervalMonthDayNano(Some(interval))
        }
        Form::Array | Form::Other => match pg.element_type().filter(|element| element.form != Form::Other) {
            Some(element_type) => array_from_binary(element_type, bytes, target)?,
            None => return Err(Unreadable::Unsupported("this")),
        },
    })
}

/// A time on the clock of a zone as columns have it.
fn zoned_value(time: ZonedTime) -> ScalarValue {
    let bytes = time.bytes().to_vec();
    ScalarValue::FixedSizeBinary(ZonedTime::BYTES, Some(bytes))
}

/// An array of elements that are arrays themselves, where it has several dimensions.
fn array_from_text(text: &str, element: &DataType, session: InSession<'_>) -> Result<ScalarValue> {
    let ArrayText { dimensions, elements } = array::split_array(text)?;
    let leaf = innermost(element);
    let wanted = dimensions_of(element) + 1;
    if elements.is_empty() {
        return Ok(list(Vec::new(), element));
    }
    if dimensions.len() != wanted {
        return Err(Unreadable::Dimensions { found: dimensions.len(), wanted });
    }
    let elements = elements.into_iter().map(|text| match text {
        Some(text) => read_text(&text, leaf, session)?.cast_to(leaf).map_err(|_| Unreadable::Text(text)),
        None => read_null(leaf),
    });
    Ok(nested_list(elements.collect::<Result<_>>()?, &dimensions, leaf))
}

fn array_from_binary(pg: &'static PgType, bytes: &[u8], target: &DataType) -> Result<ScalarValue> {
    let ArrayBytes { oid, dimensions, elements } = array::split_binary(bytes)?;
    if oid != pg.oid {
        return Err(Unreadable::Binary);
    }
    let leaf = innermost(target);
    let elements = elements.into_iter().map(|bytes| bytes.map(|bytes| read_binary(pg, bytes, leaf)).transpose());
    array_of(elements.collect::<Result<_>>()?, &dimensions, target)
}

/// An array of elements that were read, in the dimensions that they came in; without elements it has those of `target`. Numerics
/// keep all their digits: to cut them to those of `target` would change what they are compared with.
fn array_of(elements: Vec<Option<ScalarValue>>, dimensions: &[usize], target: &DataType) -> Result<ScalarValue> {
    if elements.is_empty() {
        return Ok(list(Vec::new(), element(target).unwrap_or(target)));
    }
    let leaf = match innermost(target) {
        leaf if leaf.is_decimal() => {
            numeric::holding(elements.iter().flatten()).ok_or(Unreadable::OutOfRange(&NUMERIC))?
        }
        leaf => leaf.clone(),
    };
    let elements = elements.into_iter().map(|element| match element {
        Some(value) if value.data_type() == leaf => Ok(value),
        Some(value) => value.cast_to(&leaf).map_err(|_| Unreadable::Text(value.to_string())),
        None => read_null(&leaf),
    });
    Ok(nested_list(elements.collect::<Result<_>>()?, dimensions, &leaf))
}

/// The elements of the innermost dimension, row by row, in lists of these lengths.
fn nested_list(mut values: Vec<ScalarValue>, dimensions: &[usize], leaf: &DataType) -> ScalarValue {
    let mut data_type = leaf.clone();
    for length in dimensions.iter().skip(1).rev() {
        values = values.chunks(*length).map(|values| list(values.to_vec(), &data_type)).collect();
        data_type = list_of(data_type);
    }
    list(values, &data_type)
}

fn list(elements: Vec<ScalarValue>, element: &DataType) -> ScalarValue {
    ScalarValue::List(ScalarValue::new_list_nullable(&elements, element))
}

fn is_whole(text: &str) -> bool {
    let digits = text.strip_prefix(['-', '+']).unwrap_or(text);
    !digits.is_empty() && digits.bytes().all(|digit| digit.is_ascii_digit())
}

fn fixed<const N: usize>(bytes: &[u8]) -> Result<[u8; N]> {
    bytes.try_into().map_err(|_| Unreadable::Binary)
}

/// Microseconds, days and months; none if there are more of the first than an interval counts nanoseconds.
fn interval(bytes: &[u8]) -> Result<Option<IntervalMonthDayNano>> {
    let bytes = fixed::<16>(bytes)?;
    let (micros, rest) = bytes.split_first_chunk().ok_or(Unreadable::Binary)?;
    let (days, months) = rest.split_first_chunk().ok_or(Unreadable::Binary)?;
    let (days, months) = (i32::from_be_bytes(*days), i32::from_be_bytes(fixed(months)?));
    let nanoseconds = i64::from_be_bytes(*micros).checked_mul(1000);
    Ok(nanoseconds.map(|nanoseconds| IntervalMonthDayNano::new(months, days, nanoseconds)))
}

/// The words that PostgreSQL reads, and their beginnings.
fn boolean(text: &str) -> Option<bool> {
    let text = text.to_ascii_lowercase();
    let begins = |word: &str, least: usize| text.len() >= least && word.starts_with(&text);
    if begins("true", 1) || begins("yes", 1) || text == "on" || text == "1" {
        Some(true)
    } else if begins("false", 1) || begins("no", 1) || begins("off", 2) || text == "0" {
        Some(false)
    } else {
        None
    }
}

/// Hexadecimal behind `\x`, else the older form with octal escapes.
fn bytes_from_text(text: &str) -> Option<Vec<u8>> {
    if let Some(digits) = text.strip_prefix("\\x") {
        let digits = digits.as_bytes();
        if digits.len() % 2 == 1 {
            return None;
        }
        let digit = |byte: u8| char::from(byte).to_digit(16);
        return digits.chunks_exact(2).map(|pair| u8::try_from(digit(pair[0])? * 16 + digit(pair[1])?).ok()).collect();
    }
    let mut bytes = Vec::with_capacity(text.len());
    let mut rest = text.as_bytes();
    while let Some((first, after)) = rest.split_first() {
        rest = after;
        if *first != b'\\' {
            bytes.push(*first);
        } else if let Some(after) = rest.strip_prefix(b"\\") {
            bytes.push(b'\\');
            rest = after;
        } else {
            let (octal, after) = rest.split_first_chunk::<3>()?;
            let octal = octal.iter().try_fold(0, |value, byte| Some(value * 8 + char::from(*byte).to_digit(8)?))?;
            bytes.push(u8::try_from(octal).ok()?);
            rest = after;
        }
    }
    Some(bytes)
}

fn uuid_text(bytes: [u8; 16]) -> String {
    let digits = format!("{:032x}", u128::from_be_bytes(bytes));
    [&digits[..8], &digits[8..12], &digits[12..16], &digits[16..20], &digits[20..]].join("-")
}
