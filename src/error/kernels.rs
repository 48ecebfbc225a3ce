//! What the kernels that compute values say: Arrow's errors, and what they and the engine's functions tell in words.

use arrow::{
    datatypes::{DataType, IntervalUnit, TimeUnit},
    error::ArrowError,
};

use super::{
    said::{Said, between, wrong},
    spelling::{operand_type, sql_type},
};
use crate::{fault::Fault, pgtype};

/// Whose fault an error of Arrow is.
pub(super) fn arrow_fault(error: &ArrowError) -> Fault {
    match error {
        ArrowError::DivideByZero => Fault::DivisionByZero,
        ArrowError::InvalidArgumentError(_) if null_column(error).is_some() => Fault::NotNullViolation,
        ArrowError::ArithmeticOverflow(_) => Fault::NumericOutOfRange,
        ArrowError::CastError(_) | ArrowError::ParseError(_) => Fault::InvalidText,
        ArrowError::CsvError(_) | ArrowError::JsonError(_) | ArrowError::ParquetError(_) => Fault::InvalidData,
        ArrowError::NotYetImplemented(_) => Fault::FeatureNotSupported,
        ArrowError::ComputeError(_) | ArrowError::InvalidArgumentError(_) => Fault::InvalidData,
        _ => Fault::Internal,
    }
}

/// Arrow's own words without the name of its error.
pub(super) fn arrow_message(error: &ArrowError) -> String {
    if let Some(column) = null_column(error) {
        return null_violation(column);
    }
    match error {
        ArrowError::DivideByZero => "division by zero".into(),
        ArrowError::CastError(text) | ArrowError::ParseError(text) | ArrowError::ArithmeticOverflow(text) => {
            text.clone()
        }
        other => other.to_string(),
    }
}

/// PostgreSQL's words for NULL in a column that may hold none.
fn null_violation(column: &str) -> String {
    format!("null value in column \"{column}\" violates not-null constraint")
}

/// The column that may hold no NULL and was given one; Arrow says so in words, which are pinned by a test.
fn null_column(error: &ArrowError) -> Option<&str> {
    let ArrowError::InvalidArgumentError(text) = error else { return None };
    let (column, _) = text.strip_prefix("Column '")?.split_once("' is declared as non-nullable")?;
    Some(column)
}

/// `Cannot cast string 'x' to value of Int32 type`
pub(super) fn unreadable_text(text: &str) -> Option<Said> {
    let rest = text.strip_prefix("Cannot cast string '").or_else(|| text.strip_prefix("Cannot cast value '"))?;
    let (value, data_type) = rest.strip_suffix(" type")?.rsplit_once("' to value of ")?;
    let is_integer = data_type.parse().is_ok_and(|found: DataType| found.is_integer());
    let name = operand_type(data_type);
    if is_integer && value.trim().parse::<i128>().is_ok() {
        return wrong(Fault::NumericOutOfRange, format!("value \"{value}\" is out of range for type {name}"));
    }
    match data_type.parse::<DataType>() {
        Ok(time) if time.is_temporal() => unreadable_time(value, &time, &name),
        _ => wrong(Fault::InvalidText, format!("invalid input syntax for type {name}: \"{value}\"")),
    }
}

/// A text that is no date, time or interval, or would be one if a part of it were not beyond what it may be.
fn unreadable_time(value: &str, data_type: &DataType, name: &str) -> Option<Said> {
    match (pgtype::has_fields(value, data_type), data_type) {
        (true, DataType::Interval(_)) => {
            wrong(Fault::IntervalOutOfRange, format!("interval field value out of range: \"{value}\""))
        }
        (true, _) => wrong(Fault::DatetimeOutOfRange, format!("date/time field value out of range: \"{value}\"")),
        (false, _) => wrong(Fault::InvalidDatetime, format!("invalid input syntax for type {name}: \"{value}\"")),
    }
}

/// `Invalid input syntax for type interval: "x"`
pub(super) fn unreadable_interval(text: &str) -> Option<Said> {
    let value = text.strip_prefix("Invalid input syntax for type interval: ")?;
    let bare = value.trim_matches('"');
    unreadable_time(bare, &DataType::Interval(IntervalUnit::MonthDayNano), "interval")
}

pub(super) fn unreadable_timestamp(text: &str) -> Option<Said> {
    let (value, _) = text.strip_prefix("Error parsing timestamp from '")?.rsplit_once("': ")?;
    unreadable_time(value, &DataType::Timestamp(TimeUnit::Microsecond, None), "timestamp")
}

/// `Can't cast value 3000000000 to type Int32`
pub(super) fn out_of_range(text: &str) -> Option<Said> {
    let (value, data_type) = text.strip_prefix("Can't cast value ")?.rsplit_once(" to type ")?;
    let message = format!("value {value} is out of range for type {}", operand_type(data_type));
    wrong(Fault::NumericOutOfRange, message)
}

/// `1234.5 is too large to store in a Decimal128 of precision 3. Max is 9.99`
pub(super) fn decimal_overflow(text: &str) -> Option<Said> {
    let (value, bound) = text
        .split_once(" is too large to store in a Decimal")
        .or_else(|| text.split_once(" is too small to store in a Decimal"))?;
    let digits = between(bound, " of precision ", ".")?;
    // The engine's kernels say it within a text of their own.
    let value = value.rsplit(' ').next().unwrap_or(value);
    wrong(Fault::NumericOutOfRange, format!("numeric field overflow: {value} has more than {digits} digits"))
}

/// `Cannot cast to Decimal128(38, 0). Overflowing on 1000`, `value of 1000 is out of range Int32`
pub(super) fn number_overflow(text: &str) -> Option<Said> {
    if let Some((data_type, value)) =
        text.strip_prefix("Cannot cast to ").and_then(|rest| rest.split_once(". Overflowing on "))
    {
        let message = format!("numeric field overflow: {value} is no {}", sql_type(data_type)?);
        return wrong(Fault::NumericOutOfRange, message);
    }
    let (_, data_type) = text.strip_prefix("value of ")?.split_once(" is out of range ")?;
    wrong(Fault::NumericOutOfRange, format!("{} out of range", operand_type(data_type)))
}

/// `Unsupported CAST from Boolean to Date32`, `Casting from Boolean to Date32 not supported`
pub(super) fn uncastable(text: &str) -> Option<Said> {
    let types = text
        .strip_prefix("Unsupported CAST from ")
        .or_else(|| text.strip_prefix("Casting from ")?.strip_suffix(" not supported"))?;
    let (from, to) = types.split_once(" to ")?;
    let (from, to) = (sql_type(from)?, sql_type(to)?);
    wrong(Fault::CannotCoerce, format!("cannot cast type {from} to {to}"))
}

pub(super) fn regular_expression(text: &str) -> Option<Said> {
    let (_, explained) = text.split_once("regex parse error:")?;
    let (_, reason) = explained.rsplit_once("error: ")?;
    wrong(Fault::InvalidRegularExpression, format!("invalid regular expression: {}", reason.trim()))
}

/// What a function for texts says of bytes.
pub(super) fn not_utf8(text: &str) -> Option<Said> {
    text.contains("Encountered non UTF-8 data").then_some(())?;
    let hint = Some("encode(bytes, 'hex') shows any bytes as text".to_owned());
    let message = "the bytes are not text in UTF-8".to_owned();
    Some(Said { fault: Some(Fault::InvalidText), message, hint })
}

#[cfg(test)]
mod tests {
    use super::super::words::said;

    fn told(text: &str) -> String {
        said(text).message
    }

    #[test]
    fn values_of_users_are_told_as_they_are() {
        assert_eq!(
            told("Cannot cast string 'it's Utf8' to value of Decimal128(10, 2) type"),
            "invalid input syntax for type numeric: \"it's Utf8\""
        );
        assert_eq!(
            told("Cannot cast string '3000000000' to value of Int32 type"),
            "value \"3000000000\" is out of range for type integer"
        );
    }
}
