//! Parameters of Bind to scalars of the type that the statement was described with.
//!
//! It never guesses: a value that is not of its type is an error that names the parameter.

mod array;
mod numeric;

use arrow::datatypes::{DataType, IntervalMonthDayNano, TimeUnit};
use datafusion::common::ScalarValue;
use pgwire::messages::data::FORMAT_CODE_BINARY;

use super::failure::Failure;
use super::types::{self, element, element_oid, parameter_type, postgres_type, type_name};
use crate::Fault;
use crate::error::ConnectionFault;

/// Days from 1970 to 2000, where PostgreSQL's calendar starts.
const EPOCH_DAYS: i32 = 10_957;
const EPOCH_MICROS: i64 = EPOCH_DAYS as i64 * 86_400_000_000;

/// One parameter's place and types, for reading its value and for naming it in errors.
#[derive(Debug, Clone, Copy)]
pub(super) struct Parameter<'a> {
    /// Its number, from 1.
    pub(super) number: usize,
    /// The type on the wire: what the client declared, else what it was told.
    pub(super) oid: u32,
    /// The type that the statement takes.
    pub(super) target: &'a DataType,
}

impl Parameter<'_> {
    /// The parameter's value in the given format; none is null.
    pub(super) fn decode(self, bytes: Option<&[u8]>, format: i16) -> Result<ScalarValue, Failure> {
        let Some(bytes) = bytes else {
            return ScalarValue::try_from(self.target).map_err(|_| self.unsupported("null"));
        };
        let value = if format == FORMAT_CODE_BINARY { self.binary(self.oid, bytes)? } else { self.text_bytes(bytes)? };
        // A numeric keeps the scale that it came with: to cut it to the column's would change what is compared.
        if value.data_type() == *self.target || self.oid == types::NUMERIC {
            return Ok(value);
        }
        value.cast_to(self.target).map_err(|_| self.invalid_text(&value.to_string()))
    }

    fn text_bytes(self, bytes: &[u8]) -> Result<ScalarValue, Failure> {
        self.text(self.string(bytes)?, self.target)
    }

    fn text(self, text: &str, target: &DataType) -> Result<ScalarValue, Failure> {
        let trimmed = text.trim();
        let invalid = || self.invalid_text(text);
        Ok(match target {
            DataType::Utf8 | DataType::LargeUtf8 | DataType::Utf8View => ScalarValue::Utf8(Some(text.to_owned())),
            DataType::Boolean => ScalarValue::Boolean(Some(boolean(trimmed).ok_or_else(invalid)?)),
            DataType::Float32 => ScalarValue::Float32(Some(trimmed.parse().map_err(|_| invalid())?)),
            DataType::Float64 => ScalarValue::Float64(Some(trimmed.parse().map_err(|_| invalid())?)),
            DataType::Decimal32(..) | DataType::Decimal64(..) | DataType::Decimal128(..) | DataType::Decimal256(..) => {
                numeric::from_text(trimmed).ok_or_else(invalid)?
            }
            DataType::Binary | DataType::LargeBinary | DataType::BinaryView => {
                ScalarValue::Binary(Some(bytes_from_text(text).ok_or_else(invalid)?))
            }
            _ => match element(target) {
                Some(element) => {
                    let elements = array::split_text(trimmed).ok_or_else(invalid)?;
                    let elements = elements.into_iter().map(|text| match text {
                        Some(text) => self.text(&text, element)?.cast_to(element).map_err(|_| self.invalid_text(&text)),
                        None => ScalarValue::try_from(element).map_err(|_| self.unsupported("null")),
                    });
                    list(elements.collect::<Result<_, _>>()?, element)
                }
                None => ScalarValue::Utf8(Some(trimmed.to_owned())).cast_to(target).map_err(|_| invalid())?,
            },
        })
    }

    fn binary(self, oid: u32, bytes: &[u8]) -> Result<ScalarValue, Failure> {
        Ok(match oid {
            types::BOOL => ScalarValue::Boolean(Some(self.fixed::<1>(bytes)? != [0])),
            types::INT2 => ScalarValue::Int16(Some(i16::from_be_bytes(self.fixed(bytes)?))),
            types::INT4 => ScalarValue::Int32(Some(i32::from_be_bytes(self.fixed(bytes)?))),
            types::INT8 => ScalarValue::Int64(Some(i64::from_be_bytes(self.fixed(bytes)?))),
            types::OID => ScalarValue::Int64(Some(i64::from(u32::from_be_bytes(self.fixed(bytes)?)))),
            types::FLOAT4 => ScalarValue::Float32(Some(f32::from_be_bytes(self.fixed(bytes)?))),
            types::FLOAT8 => ScalarValue::Float64(Some(f64::from_be_bytes(self.fixed(bytes)?))),
            types::TEXT | types::VARCHAR | types::BPCHAR | types::NAME | types::JSON | types::UNKNOWN => {
                ScalarValue::Utf8(Some(self.string(bytes)?.to_owned()))
            }
            types::UUID => ScalarValue::Utf8(Some(uuid_text(self.fixed(bytes)?))),
            types::BYTEA => ScalarValue::Binary(Some(bytes.to_vec())),
            types::NUMERIC => numeric::from_binary(bytes).ok_or_else(|| self.invalid_binary())?,
            types::DATE | types::TIME | types::TIMESTAMP | types::TIMESTAMPTZ | types::INTERVAL => {
                self.binary_time(oid, bytes)?
            }
            _ => match element_oid(oid) {
                Some(oid) => self.binary_array(oid, bytes)?,
                None => return Err(self.unsupported("this")),
            },
        })
    }

    fn binary_time(self, oid: u32, bytes: &[u8]) -> Result<ScalarValue, Failure> {
        let out_of_range = || {
            let message = format!("parameter ${}: {} out of range", self.number, type_name(oid));
            Failure::statement(Fault::NumericOutOfRange, message)
        };
        if oid == types::DATE {
            let days = i32::from_be_bytes(self.fixed(bytes)?).checked_add(EPOCH_DAYS).ok_or_else(out_of_range)?;
            return Ok(ScalarValue::Date32(Some(days)));
        }
        if oid == types::INTERVAL {
            let bytes = self.fixed::<16>(bytes)?;
            let (micros, rest) = bytes.split_first_chunk().ok_or_else(|| self.invalid_binary())?;
            let (days, months) = rest.split_first_chunk().ok_or_else(|| self.invalid_binary())?;
            let nanos = i64::from_be_bytes(*micros).checked_mul(1000).ok_or_else(out_of_range)?;
            let months = i32::from_be_bytes(self.fixed(months)?);
            let interval = IntervalMonthDayNano::new(months, i32::from_be_bytes(*days), nanos);
            return Ok(ScalarValue::IntervalMonthDayNano(Some(interval)));
        }
        let micros = i64::from_be_bytes(self.fixed(bytes)?);
        if oid == types::TIME {
            return Ok(ScalarValue::Time64Microsecond(Some(micros)));
        }
        let zone = match parameter_type(oid) {
            Some(DataType::Timestamp(TimeUnit::Microsecond, zone)) => zone,
            _ => None,
        };
        Ok(ScalarValue::TimestampMicrosecond(Some(micros.checked_add(EPOCH_MICROS).ok_or_else(out_of_range)?), zone))
    }

    fn binary_array(self, oid: u32, bytes: &[u8]) -> Result<ScalarValue, Failure> {
        let (sent, elements) = array::split_binary(bytes).ok_or_else(|| self.invalid_binary())?;
        if sent != oid {
            return Err(self.invalid_binary());
        }
        let target = element(self.target).cloned().or_else(|| parameter_type(oid)).unwrap_or(DataType::Utf8);
        let elements = elements.into_iter().map(|bytes| match bytes {
            Some(bytes) => {
                let value = self.binary(oid, bytes)?;
                value.cast_to(&target).map_err(|_| self.invalid_text(&value.to_string()))
            }
            None => ScalarValue::try_from(&target).map_err(|_| self.unsupported("null")),
        });
        Ok(list(elements.collect::<Result<_, _>>()?, &target))
    }

    fn string(self, bytes: &[u8]) -> Result<&str, Failure> {
        let invalid = |what: &str| {
            let message = format!("parameter ${}: {what}", self.number);
            Failure::protocol(ConnectionFault::InvalidEncoding, message)
        };
        if bytes.contains(&0) {
            return Err(invalid("text cannot hold the character 0"));
        }
        std::str::from_utf8(bytes)
            .map_err(|error| invalid(&format!("invalid UTF-8 at byte {}", error.valid_up_to() + 1)))
    }

    fn fixed<const N: usize>(self, bytes: &[u8]) -> Result<[u8; N], Failure> {
        bytes.try_into().map_err(|_| self.invalid_binary())
    }

    fn invalid_text(self, text: &str) -> Failure {
        // A long value would hide the message.
        let shown: String = text.chars().take(80).collect();
        let kind = type_name(postgres_type(self.target).oid);
        Failure::statement(
            Fault::InvalidText,
            format!("parameter ${}: \"{shown}\" is not a value of type {kind}", self.number),
        )
    }

    fn invalid_binary(self) -> Failure {
        let message = format!("parameter ${}: not a binary value of type {}", self.number, type_name(self.oid));
        Failure::protocol(ConnectionFault::InvalidBinary, message)
    }

    fn unsupported(self, what: &str) -> Failure {
        let kind = type_name(self.oid);
        let message = format!("parameter ${}: {what} cannot be read as a value of type {kind}; send text", self.number);
        Failure::statement(Fault::FeatureNotSupported, message)
    }
}

fn list(elements: Vec<ScalarValue>, element: &DataType) -> ScalarValue {
    ScalarValue::List(ScalarValue::new_list_nullable(&elements, element))
}

// The words that PostgreSQL reads, and their beginnings.
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

// Hexadecimal behind `\x`, else the older form with octal escapes.
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

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests;
