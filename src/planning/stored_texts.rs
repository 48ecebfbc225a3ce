//! Columns of texts as columns of a table, as PostgreSQL's input functions read them: what is stored is checked against the length,
//! the digits and the fields that the column was declared with.

use std::sync::Arc;

use arrow::{
    array::{
        Array, ArrayRef, ArrowPrimitiveType, AsArray, IntervalMonthDayNanoArray, PrimitiveBuilder, StringViewArray,
        Time64MicrosecondArray, TimestampMicrosecondArray, new_empty_array,
    },
    compute::cast,
    datatypes::{
        DataType, Field, Int16Type, Int32Type, Int64Type, IntervalMonthDayNanoType, IntervalUnit,
        Time64MicrosecondType, TimeUnit, TimestampMicrosecondType,
    },
};
use datafusion::common::{DataFusionError, Result, ScalarValue};

use super::{
    array_texts,
    cast_texts::in_zone,
    read_texts::{Reading, is_read, no_number},
    told,
};
use crate::{
    fault::{Failure, Fault},
    pgtype::{self, ColumnType, InSession, MOST_DIGITS, Span, Unreadable, calendar::is_infinite, innermost},
};

/// Texts as values of a column.
pub(crate) fn stored_texts(texts: &ArrayRef, column: &Field, session: InSession<'_>) -> Result<ArrayRef> {
    let (wanted, said) = (column.data_type(), pgtype::told(column));
    if let Some(said) = said.filter(|said| !said.is_of_time() && said.item().is_none()) {
        return as_column(told::stored_texts(texts, said)?, wanted);
    }
    if wanted.is_string() {
        return as_column(Arc::clone(texts), wanted);
    }
    if is_read(wanted) {
        let (to, zone) = (in_zone(wanted, session.zone), session.zone.into());
        let read = Reading { to, zone, styles: session.styles, is_lenient: false }.values(texts)?;
        return declared(as_column(read, wanted)?, said);
    }
    let texts = cast(texts, &DataType::Utf8View)?;
    let texts = texts.as_string_view();
    match wanted {
        DataType::Int16 => whole::<Int16Type>(texts, wanted, session),
        DataType::Int32 => whole::<Int32Type>(texts, wanted, session),
        DataType::Int64 => whole::<Int64Type>(texts, wanted, session),
        _ => {
            let each = texts.iter().map(|text| text.map(|text| value(text, column, session)).transpose());
            stored_values(each.collect::<Result<_>>()?, column)
        }
    }
}

/// Values of the type of a column, in whatever form, as values of the column.
pub(crate) fn stored_values(values: Vec<Option<ScalarValue>>, column: &Field) -> Result<ArrayRef> {
    let wanted = column.data_type();
    if values.is_empty() {
        return Ok(new_empty_array(wanted));
    }
    let null = ScalarValue::try_from(wanted)?;
    let each = values.into_iter().map(|value| match value {
        None => Ok(null.clone()),
        Some(value) if value.data_type() == *wanted => Ok(value),
        Some(value) => value.cast_to(wanted),
    });
    let values = each.collect::<Result<Vec<_>>>()?;
    declared(ScalarValue::iter_to_array(values)?, pgtype::told(column))
}

fn as_column(values: ArrayRef, wanted: &DataType) -> Result<ArrayRef> {
    if values.data_type() == wanted { Ok(values) } else { Ok(cast(&values, wanted)?) }
}

/// Whole numbers, which are seldom written otherwise than by their digits.
fn whole<T: ArrowPrimitiveType>(texts: &StringViewArray, wanted: &DataType, session: InSession<'_>) -> Result<ArrayRef>
where
    T::Native: std::str::FromStr,
{
    let mut numbers = PrimitiveBuilder::<T>::with_capacity(texts.len());
    for text in texts.iter() {
        let Some(text) = text else {
            numbers.append_null();
            continue;
        };
        match text.parse() {
            Ok(number) => numbers.append_value(number),
            Err(_) => {
                let read = pgtype::read_text(text, wanted, session).map_err(|why| unreadable(why, wanted))?;
                numbers.append_value(read.to_array()?.as_primitive::<T>().value(0));
            }
        }
    }
    Ok(Arc::new(numbers.finish()))
}

/// A value of any other type.
fn value(text: &str, column: &Field, session: InSession<'_>) -> Result<ScalarValue> {
    let wanted = column.data_type();
    let read = pgtype::read_typed(pgtype::of_field(column).pg, text, wanted, session);
    read.map_err(|why| unreadable(why, wanted))
}

fn unreadable(why: Unreadable, wanted: &DataType) -> DataFusionError {
    match why {
        Unreadable::Text(text) => {
            let name = pgtype::type_name(innermost(wanted));
            Failure::new(Fault::InvalidText, format!("invalid input syntax for type {name}: \"{text}\"")).into()
        }
        Unreadable::Number(text, why) => no_number(&text, innermost(wanted), why).into(),
        other => array_texts::unreadable(other, wanted),
    }
}

/// Times rounded to the digits that their column was declared with, and intervals cut to its fields.
fn declared(values: ArrayRef, said: Option<ColumnType>) -> Result<ArrayRef> {
    let Some(said) = said.filter(|said| said.is_of_time() && said.item().is_none()) else { return Ok(values) };
    let digits = u32::try_from(said.modifier).ok().filter(|digits| *digits <= MOST_DIGITS);
    let data_type = values.data_type().clone();
    Ok(match (&data_type, digits) {
        (DataType::Timestamp(TimeUnit::Microsecond, zone), Some(digits)) => {
            let moments = values.as_primitive::<TimestampMicrosecondType>();
            let rounded: TimestampMicrosecondArray = moments.try_unary(|micros| match is_infinite(micros) {
                true => Ok(micros),
                false => pgtype::rounded_moment(micros, digits).ok_or_else(|| out_of_range("timestamp")),
            })?;
            Arc::new(rounded.with_timezone_opt(zone.clone()))
        }
        (DataType::Time64(TimeUnit::Microsecond), Some(digits)) => {
            let times = values.as_primitive::<Time64MicrosecondType>();
            let rounded: Time64MicrosecondArray =
                times.try_unary(|micros| pgtype::rounded(micros, digits).ok_or_else(|| out_of_range("time")))?;
            Arc::new(rounded)
        }
        (DataType::Interval(IntervalUnit::MonthDayNano), _) => {
            let intervals = values.as_primitive::<IntervalMonthDayNanoType>();
            let cut: IntervalMonthDayNanoArray = intervals.try_unary(|interval| {
                let span = Span::of(interval).declared(said.modifier);
                span.and_then(Span::arrow).ok_or_else(|| out_of_range("interval"))
            })?;
            Arc::new(cut)
        }
        _ => values,
    })
}

fn out_of_range(what: &str) -> Failure {
    Failure::new(Fault::DatetimeOutOfRange, format!("{what} out of range"))
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use arrow::array::StringArray;

    use super::*;
    use crate::{
        pgtype::VARCHAR,
        print::{self, Form},
    };

    fn read(text: &str, column: &Field) -> Result<String> {
        let texts: ArrayRef = Arc::new(StringArray::from(vec![Some(text), None]));
        let values = stored_texts(&texts, column, "UTC".into())?;
        assert_eq!(values.data_type(), column.data_type());
        assert!(values.is_null(1));
        Ok(print::texts(&values, Form::default()).unwrap().value(0).to_owned())
    }

    /// As PostgreSQL 15 reads them.
    #[test]
    fn texts_are_values_of_their_column() {
        let column = |data_type: DataType| Field::new("c", data_type, true);
        let short = ColumnType::of_length(&VARCHAR, 2);
        let short = Field::new("c", DataType::Utf8View, true).with_metadata(short.metadata());
        for (text, column, shown) in [
            (" 5 ", column(DataType::Int32), "5"),
            ("-7", column(DataType::Int64), "-7"),
            ("yes", column(DataType::Boolean), "t"),
            ("1.255", column(DataType::Decimal128(4, 2)), "1.26"),
            ("ab  ", short.clone(), "ab"),
            ("x y", column(DataType::Utf8View), "x y"),
            ("20200203", column(DataType::Date32), "2020-02-03"),
        ] {
            assert_eq!(read(text, &column).unwrap(), shown, "{text}");
        }
        for (text, column, told) in [
            ("abc", column(DataType::Int32), "invalid input syntax for type integer: \"abc\""),
            ("99999999999", column(DataType::Int32), "value \"99999999999\" is out of range for type integer"),
            ("maybe", column(DataType::Boolean), "invalid input syntax for type boolean: \"maybe\""),
            ("abc", short, "value too long for type character varying(2)"),
            ("foo", column(DataType::Date32), "invalid input syntax for type date: \"foo\""),
        ] {
            let error = read(text, &column).unwrap_err().to_string();
            assert!(error.contains(told), "{text}: {error}");
        }
    }
}
