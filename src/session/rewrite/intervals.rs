//! Intervals that are written, with all that PostgreSQL reads in their texts: `interval '1 12:00'`, `interval '1-2' year to month`,
//! `'1 day ago'::interval(0)`.
//!
//! The planner has a reader of its own, which knows some of it and has other units: it gets months, days and seconds. A minus
//! before one turns all of its parts.

use arrow::datatypes::{DataType, IntervalUnit};
use datafusion::sql::sqlparser::ast::{
    CastKind, DataType as Type, DateTimeField, Expr, Interval, IntervalFields, UnaryOperator, Value,
};

use crate::{
    Error, Fault, Result,
    pgtype::{self, Fields, IntervalStyle, MOST_DIGITS, Part, Span, Unfit},
    planning::unfit,
};

/// The interval that an expression writes, in words that the planner knows; none of any other expression.
pub(super) fn written(expression: &Expr) -> Result<Option<Expr>> {
    match expression {
        Expr::Interval(interval) => match text_of(&interval.value) {
            Some(text) => {
                let fields = of_literal(interval)?;
                // What a sign at the beginning is the sign of depends on the session.
                let by_standard = pgtype::read_interval_in(text, fields, IntervalStyle::SqlStandard);
                if fields == Fields::default() && by_standard != pgtype::read_interval(text, fields) {
                    return Ok(Some(as_interval(&interval.value)));
                }
                // Seconds to the planner too; the distance of a frame may be a number that is written so.
                let is_plain = fields == Fields::default() && text.trim().parse::<f64>().is_ok();
                if is_plain { Ok(None) } else { read(text, fields).map(Some) }
            }
            None => Ok(None),
        },
        // The cast stays: it says of the value what its type is.
        Expr::Cast { kind, expr, data_type, array, format } => {
            let Type::Interval { fields, precision } = data_type else { return Ok(None) };
            let declared = declared(fields.as_ref(), *precision);
            let Some(text) = text_of(expr).filter(|_| declared != Fields::default()) else { return Ok(None) };
            let (kind, expr, data_type) = (kind.clone(), Box::new(read(text, declared)?), data_type.clone());
            Ok(Some(Expr::Cast { kind, expr, data_type, array: *array, format: format.clone() }))
        }
        Expr::UnaryOp { op: UnaryOperator::Minus, expr } => match expr.as_ref() {
            Expr::Interval(interval) => match text_of(&interval.value) {
                Some(text) => negated(text).map(Some),
                None => Ok(None),
            },
            _ => Ok(None),
        },
        _ => Ok(None),
    }
}

/// A text that is cast to an interval.
fn as_interval(text: &Expr) -> Expr {
    let data_type = Type::Interval { fields: None, precision: None };
    Expr::Cast { kind: CastKind::Cast, expr: Box::new(text.clone()), data_type, array: false, format: None }
}

fn text_of(value: &Expr) -> Option<&str> {
    match value {
        Expr::Value(value) => match &value.value {
            Value::SingleQuotedString(text) | Value::EscapedStringLiteral(text) => Some(text),
            _ => None,
        },
        _ => None,
    }
}

fn of_literal(interval: &Interval) -> Result<Fields> {
    let Some(first) = &interval.leading_field else {
        return Ok(Fields { range: None, digits: digits(interval.fractional_seconds_precision) });
    };
    let part = |field: &DateTimeField| match field {
        DateTimeField::Year | DateTimeField::Years => Ok(Part::Year),
        DateTimeField::Month | DateTimeField::Months => Ok(Part::Month),
        DateTimeField::Day | DateTimeField::Days => Ok(Part::Day),
        DateTimeField::Hour | DateTimeField::Hours => Ok(Part::Hour),
        DateTimeField::Minute | DateTimeField::Minutes => Ok(Part::Minute),
        DateTimeField::Second | DateTimeField::Seconds => Ok(Part::Second),
        other => Err(Error::new(
            Fault::Syntax,
            format!("an interval has no field {other}; write year, month, day, hour, minute or second"),
        )),
    };
    let first = part(first)?;
    let last = interval.last_field.as_ref().map_or(Ok(first), part)?;
    // `second(3)` says the digits of a fraction.
    let of_seconds = interval.leading_precision.filter(|_| first == Part::Second);
    let digits = digits(interval.fractional_seconds_precision.or(of_seconds));
    Ok(Fields { range: Some((first, last)), digits })
}

/// What the type of an interval is declared to have.
pub(super) fn declared(fields: Option<&IntervalFields>, precision: Option<u64>) -> Fields {
    Fields { range: fields.map(range_of), digits: digits(precision) }
}

fn range_of(fields: &IntervalFields) -> (Part, Part) {
    match fields {
        IntervalFields::Year => (Part::Year, Part::Year),
        IntervalFields::Month => (Part::Month, Part::Month),
        IntervalFields::Day => (Part::Day, Part::Day),
        IntervalFields::Hour => (Part::Hour, Part::Hour),
        IntervalFields::Minute => (Part::Minute, Part::Minute),
        IntervalFields::Second => (Part::Second, Part::Second),
        IntervalFields::YearToMonth => (Part::Year, Part::Month),
        IntervalFields::DayToHour => (Part::Day, Part::Hour),
        IntervalFields::DayToMinute => (Part::Day, Part::Minute),
        IntervalFields::DayToSecond => (Part::Day, Part::Second),
        IntervalFields::HourToMinute => (Part::Hour, Part::Minute),
        IntervalFields::HourToSecond => (Part::Hour, Part::Second),
        IntervalFields::MinuteToSecond => (Part::Minute, Part::Second),
    }
}

/// The digits of seconds; there are six at most.
fn digits(precision: Option<u64>) -> Option<u32> {
    precision.map(|precision| u32::try_from(precision).map_or(MOST_DIGITS, |digits| digits.min(MOST_DIGITS)))
}

fn read(text: &str, fields: Fields) -> Result<Expr> {
    let span = pgtype::read_interval(text, fields).map_err(|why| refused(text, why))?;
    in_words(span).ok_or_else(|| refused(text, Unfit::Range))
}

fn negated(text: &str) -> Result<Expr> {
    let span = pgtype::read_interval(text, Fields::default()).map_err(|why| refused(text, why))?;
    let parts = span.months.checked_neg().zip(span.days.checked_neg()).zip(span.micros.checked_neg());
    let negated = parts.map(|((months, days), micros)| Span { months, days, micros });
    negated.and_then(in_words).ok_or_else(|| refused(text, Unfit::Range))
}

fn refused(text: &str, why: Unfit) -> Error {
    unfit(text, &DataType::Interval(IntervalUnit::MonthDayNano), why).into()
}

/// None if it is longer than what is stored.
fn in_words(span: Span) -> Option<Expr> {
    span.arrow()?;
    let Span { months, days, micros } = span;
    let sign = if micros < 0 { "-" } else { "" };
    let (seconds, rest) = (micros.unsigned_abs() / 1_000_000, micros.unsigned_abs() % 1_000_000);
    let text = format!("{months} mons {days} days {sign}{seconds}.{rest:06} secs");
    Some(Expr::Interval(Interval {
        value: Box::new(Expr::Value(Value::SingleQuotedString(text).into())),
        leading_field: None,
        leading_precision: None,
        last_field: None,
        fractional_seconds_precision: None,
    }))
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use datafusion::sql::sqlparser::parser::Parser;

    use super::*;
    use crate::session::PostgreSql;

    fn shown(sql: &str) -> String {
        let mut expression = Parser::new(&PostgreSql).try_with_sql(sql).unwrap().parse_expr().unwrap();
        if let Expr::UnaryOp { expr, .. } = &mut expression {
            **expr = written(expr).unwrap().unwrap();
        }
        let interval = match written(&expression).unwrap() {
            Some(Expr::Cast { expr, .. }) => *expr,
            Some(other) => other,
            None => panic!("{sql} is no interval"),
        };
        let Expr::Interval(interval) = interval else { panic!("{sql} is no interval") };
        text_of(&interval.value).unwrap().to_owned()
    }

    /// Expected as PostgreSQL 15 has them.
    #[test]
    fn intervals_are_months_days_and_seconds() {
        for (sql, expected) in [
            ("interval '1 year 3 months 4 days 05:06:07.5'", "15 mons 4 days 18367.500000 secs"),
            ("interval '1' year", "12 mons 0 days 0.000000 secs"),
            ("interval '1 2' day to hour", "0 mons 1 days 7200.000000 secs"),
            ("interval '1.23456' second(3)", "0 mons 0 days 1.235000 secs"),
            ("interval(3) '1.23456 s'", "0 mons 0 days 1.235000 secs"),
            ("- interval '1 day 2 hours'", "0 mons -1 days -7200.000000 secs"),
            ("'1 2'::interval day to hour", "0 mons 1 days 7200.000000 secs"),
        ] {
            assert_eq!(shown(sql), expected, "{sql}");
        }
    }
}
