//! Texts in quotes are read when the statement is analysed, as in PostgreSQL: one that is no value of its type is an error
//! whether or not anything would have come to it, and `'x'::text::int` is one when it runs.

use std::borrow::Cow;

use arrow::datatypes::{DataType, TimeUnit};
use datafusion::common::{Result, ScalarValue};

use super::{
    array_texts,
    read_texts::{Reading, is_read},
};
use crate::pgtype::{self, DateOrder, InSession, Styles};

/// Refuses a text that is no value of a type. Types whose texts the engine does not read pass.
pub(super) fn check(text: &str, data_type: &DataType) -> Result<()> {
    if pgtype::element(data_type).is_some() {
        let array = |styles| array_texts::read(text, data_type, InSession { zone: "UTC", styles });
        return in_any_order(|styles| array(styles).map(|_| ()));
    }
    // A text of more digits than a numeric has, and one that is no finite number, is compared with it as a double.
    if data_type.is_decimal() && text.trim().parse::<f64>().is_ok() {
        return Ok(());
    }
    if is_read(data_type) {
        let (to, zone) = (compared_as(data_type).into_owned(), "UTC".into());
        let reading = Reading { to, zone, styles: Styles::default(), is_lenient: false };
        return in_any_order(|styles| Reading { styles, ..reading.clone() }.value(text).map(|_| ()));
    }
    let is_checked = data_type.is_integer() || *data_type == DataType::Boolean;
    if !is_checked || pgtype::read_text(text, data_type, "UTC".into()).is_ok() {
        return Ok(());
    }
    ScalarValue::Utf8(Some(text.to_owned())).cast_to(data_type).map(|_| ())
}

/// What is read in some session: in some the day is first, or the year.
fn in_any_order(read: impl Fn(Styles) -> Result<()>) -> Result<()> {
    let read = |order| read(Styles { order, ..Styles::default() });
    let usual = read(DateOrder::default());
    let is_read = usual.is_ok() || [DateOrder::Day, DateOrder::Year].into_iter().any(|order| read(order).is_ok());
    if is_read { Ok(()) } else { usual }
}

/// Timestamps are compared in microseconds, of which there are all years, and what no clock of a zone shows is a time too.
fn compared_as(data_type: &DataType) -> Cow<'_, DataType> {
    match data_type {
        DataType::Timestamp(_, zone) => {
            let zone = zone.as_ref().map(|_| "+00:00".into());
            Cow::Owned(DataType::Timestamp(TimeUnit::Microsecond, zone))
        }
        other => Cow::Borrowed(other),
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use arrow::datatypes::{IntervalUnit, TimeUnit};

    use super::*;

    #[test]
    fn texts_are_values_of_their_types_or_refused() {
        let interval = DataType::Interval(IntervalUnit::MonthDayNano);
        let timestamp = DataType::Timestamp(TimeUnit::Microsecond, None);
        for (text, data_type) in [
            (" 5 ", DataType::Int32),
            ("yes", DataType::Boolean),
            ("2.47", DataType::Decimal128(5, 1)),
            ("NaN", DataType::Float64),
            ("2024-02-29", DataType::Date32),
            ("2024-02-29 10:00+02", timestamp.clone()),
            ("1 mon 2 days 03:04:05", interval.clone()),
            ("x", DataType::Utf8),
        ] {
            assert!(check(text, &data_type).is_ok(), "{text}");
        }
        // As PostgreSQL 15 tells of them.
        for (text, data_type, told) in [
            ("2024-13-01", DataType::Date32, "date/time field value out of range: \"2024-13-01\""),
            ("2024-02-30 10:00", timestamp, "date/time field value out of range: \"2024-02-30 10:00\""),
            ("abc", DataType::Date32, "invalid input syntax for type date: \"abc\""),
            ("1 x", interval.clone(), "invalid input syntax for type interval: \"1 x\""),
            ("1 day 1:60", interval, "interval field value out of range: \"1 day 1:60\""),
        ] {
            assert!(check(text, &data_type).unwrap_err().to_string().contains(told), "{text}");
        }
        assert!(check("abc", &DataType::Int32).is_err());
        assert!(check("maybe", &DataType::Boolean).is_err());
    }
}
