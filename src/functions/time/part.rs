//! `extract` and `date_part`: parts of dates, times and timestamps; those of intervals are in `span_part`.
//!
//! ```sql
//! SELECT extract(isoyear FROM date '2024-12-30'), date_part('epoch', now())
//! ```
//!
//! Both compute the same, the one as a numeric and the other as a double.

use std::sync::Arc;

use arrow::{
    array::{ArrayRef, Decimal128Array},
    datatypes::DataType,
};
use datafusion::{
    common::{Result as PlanResult, ScalarValue},
    functions::datetime::date_part,
    logical_expr::{Expr, preimage::PreimageResult, simplify::SimplifyContext},
};

use super::{
    calendar::{
        self, Day, JULIAN_1970, MICROS_PER_DAY, MICROS_PER_HOUR, MICROS_PER_MINUTE, MICROS_PER_SECOND, Moment,
        SECONDS_PER_DAY,
    },
    fields::{self, Field, LastField, Named},
    span_part,
};
use crate::{
    fault::{Failure, Fault, Result},
    functions::{Call, Function, Overload},
    pgtype::{
        DATE, FLOAT8, INTERVAL, NUMERIC, PgType, TEXT, TIME, TIMESTAMP, TIMESTAMPTZ, TIMETZ, Zone,
        calendar::{weekday, weekday_from_monday},
    },
};

// Those of instants depend on the session's zone. A plan that is kept is one of sessions with the same settings, for which
// they are as good as immutable, and conditions with them are seen when tables are pruned.
pub(super) static EXTRACT: Function = Function {
    name: "extract",
    purpose: "A part of a date, a time or an interval, as a numeric",
    example: "extract(week FROM date '2024-12-30')",
    shows: "1",
    overloads: &[
        Overload::new(&[TEXT, DATE], NUMERIC, of_date).with_digits_of(digits_of_dates).with_preimage(year),
        Overload::new(&[TEXT, TIMESTAMP], NUMERIC, of_timestamp).with_digits_of(digits).with_preimage(year),
        Overload::new(&[TEXT, TIMESTAMPTZ], NUMERIC, of_instant).with_digits_of(digits).with_preimage(year),
        Overload::new(&[TEXT, TIME], NUMERIC, of_time).with_digits_of(digits),
        Overload::new(&[TEXT, TIMETZ], NUMERIC, of_zoned_time).with_digits_of(digits),
        Overload::new(&[TEXT, INTERVAL], NUMERIC, of_interval).with_digits_of(digits),
    ],
};

pub(super) static DATE_PART: Function = Function {
    name: "date_part",
    purpose: "A part of a date, a time or an interval, as a double",
    example: "date_part('second', time '10:00:09.5')",
    shows: "9.5",
    overloads: &[
        Overload::new(&[TEXT, DATE], FLOAT8, of_date_as_timestamp).with_preimage(year),
        Overload::new(&[TEXT, TIMESTAMP], FLOAT8, of_timestamp).with_preimage(year),
        Overload::new(&[TEXT, TIMESTAMPTZ], FLOAT8, of_instant).with_preimage(year),
        Overload::new(&[TEXT, TIME], FLOAT8, of_time),
        Overload::new(&[TEXT, TIMETZ], FLOAT8, of_zoned_time),
        Overload::new(&[TEXT, INTERVAL], FLOAT8, of_interval),
    ],
};

/// Digits of a numeric whose decimal places are not known before its rows.
const DIGITS: u8 = 38;

/// Decimal places of a part of a day.
const PLACES_OF_DAYS: i8 = 20;

/// A part, as it is computed.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(super) enum Value {
    /// A number of which so many digits are decimal places.
    Number(i128, u8),
    /// The same, of which a double is computed in another way.
    Both(i128, u8, f64),
    /// Days, and microseconds of another.
    Days(i64, i64),
    /// The part of what is before or after all others.
    Infinite(f64),
    Null,
}

impl Value {
    pub(super) fn whole(number: i64) -> Self {
        Self::Number(number.into(), 0)
    }

    /// Microseconds of a minute as seconds, of which PostgreSQL adds up a double so.
    pub(super) fn seconds(micros: i64) -> Self {
        let (seconds, rest) = (micros / MICROS_PER_SECOND, micros % MICROS_PER_SECOND);
        Self::Both(micros.into(), 6, seconds as f64 + rest as f64 / 1_000_000.0)
    }

    /// The same as milliseconds.
    pub(super) fn milliseconds(micros: i64) -> Self {
        let (seconds, rest) = (micros / MICROS_PER_SECOND, micros % MICROS_PER_SECOND);
        Self::Both(micros.into(), 3, seconds as f64 * 1_000.0 + rest as f64 / 1_000.0)
    }

    fn double(self) -> Option<f64> {
        Some(match self {
            Self::Number(number, places) => number as f64 / 10_f64.powi(places.into()),
            Self::Both(_, _, double) | Self::Infinite(double) => double,
            Self::Days(days, micros) => {
                let (seconds, rest) = (micros / MICROS_PER_SECOND, micros % MICROS_PER_SECOND);
                let seconds = seconds as f64 + rest as f64 / MICROS_PER_SECOND as f64;
                days as f64 + seconds / SECONDS_PER_DAY as f64
            }
            Self::Null => return None,
        })
    }

    /// With so many decimal places, half away from zero.
    fn numeric(self, scale: i8) -> Result<Option<i128>> {
        let scale = u32::from(scale.unsigned_abs());
        Ok(match self {
            Self::Number(number, places) | Self::Both(number, places, _) => {
                let places = u32::from(places);
                match scale.checked_sub(places) {
                    Some(more) => Some(number * 10_i128.pow(more)),
                    None => Some(rounded(number, 10_i128.pow(places - scale))),
                }
            }
            Self::Days(days, micros) => {
                let unit = 10_i128.pow(scale);
                Some(i128::from(days) * unit + rounded(i128::from(micros) * unit, MICROS_PER_DAY.into()))
            }
            Self::Infinite(_) => {
                let message = "an infinite numeric is not supported; use date_part, which has doubles";
                return Err(Failure::new(Fault::FeatureNotSupported, message));
            }
            Self::Null => None,
        })
    }
}

/// A quotient, half away from zero.
fn rounded(number: i128, divisor: i128) -> i128 {
    (number.abs() * 2 + divisor) / (divisor * 2) * number.signum()
}

/// The digits of a part of timestamps, times and intervals.
fn digits(name: Option<&str>) -> DataType {
    let Some(name) = name else { return DataType::Decimal128(DIGITS, 6) };
    match fields::part(name) {
        Some(Field::Second) => DataType::Decimal128(10, 6),
        Some(Field::Milliseconds) => DataType::Decimal128(10, 3),
        // As many digits have the seconds of the longest interval.
        Some(Field::Epoch) => DataType::Decimal128(25, 6),
        Some(Field::Julian) => DataType::Decimal128(DIGITS, PLACES_OF_DAYS),
        _ => DataType::Decimal128(20, 0),
    }
}

/// The digits of a part of dates, all of which are whole.
fn digits_of_dates(name: Option<&str>) -> DataType {
    DataType::Decimal128(if name.is_some() { 20 } else { DIGITS }, 0)
}

/// Parts of the rows of a call, of a name and a value each.
fn parts(
    call: &Call<'_>,
    of: &PgType,
    mut part: impl FnMut(&Named<'_>, Field, usize) -> Result<Value>,
) -> Result<ArrayRef> {
    let names = call.texts(0)?;
    let mut last = LastField::default();
    let mut value = |row: usize| {
        let name = names.value(row);
        let named = Named::new(name, of);
        let field = last.of(name, || named.part())?;
        part(&named, field, row)
    };
    let DataType::Decimal128(digits, scale) = call.result() else {
        return call.float8_of(|row| Ok(value(row)?.double()));
    };
    let numerics: Decimal128Array = call.each(|row| value(row)?.numeric(*scale))?.into_iter().collect();
    let numerics = numerics.with_precision_and_scale(*digits, *scale);
    Ok(Arc::new(numerics.map_err(|error| Failure::new(Fault::Internal, error.to_string()))?))
}

fn of_date(call: &Call<'_>) -> Result<ArrayRef> {
    let dates = call.dates(1)?;
    parts(call, &DATE, |named, field, row| {
        let days = dates.value(row);
        if calendar::is_infinite_date(days) {
            return of_infinite(named, field, days < 0, true);
        }
        let (days, day) = (i64::from(days), Day::of(days.into()));
        match field {
            Field::Julian => Ok(Value::whole(days + JULIAN_1970)),
            Field::Epoch => Ok(Value::whole(days * SECONDS_PER_DAY)),
            _ => of_day(field, day, days).ok_or_else(|| named.not_supported()),
        }
    })
}

fn of_date_as_timestamp(call: &Call<'_>) -> Result<ArrayRef> {
    let dates = call.dates(1)?;
    parts(call, &TIMESTAMP, |named, field, row| {
        let days = dates.value(row);
        if calendar::is_infinite_date(days) {
            return of_infinite(named, field, days < 0, false);
        }
        part_of_timestamp(named, field, i64::from(days) * MICROS_PER_DAY)
    })
}

fn of_timestamp(call: &Call<'_>) -> Result<ArrayRef> {
    let timestamps = call.timestamps(1)?;
    parts(call, &TIMESTAMP, |named, field, row| part_of_timestamp(named, field, timestamps.value(row)))
}

fn of_instant(call: &Call<'_>) -> Result<ArrayRef> {
    let (instants, zone) = (call.timestamps(1)?, Zone::of_session(call.zone()));
    parts(call, &TIMESTAMPTZ, |named, field, row| part_of_instant(named, field, instants.value(row), zone))
}

fn of_time(call: &Call<'_>) -> Result<ArrayRef> {
    let times = call.times(1)?;
    parts(call, &TIME, |named, field, row| {
        let micros = times.value(row);
        match field {
            Field::Epoch => Ok(Value::Number(micros.into(), 6)),
            Field::Word => Err(named.not_recognized()),
            _ => part_of_time(field, micros).ok_or_else(|| named.not_supported()),
        }
    })
}

fn of_zoned_time(call: &Call<'_>) -> Result<ArrayRef> {
    let times = call.zoned_times(1)?;
    parts(call, &TIMETZ, |named, field, row| {
        let time = times.value(row)?;
        match field {
            Field::Epoch => Ok(Value::Number(time.utc().into(), 6)),
            Field::Word => Err(named.not_recognized()),
            _ => part_of_distance(field, time.east.into())
                .or_else(|| part_of_time(field, time.micros))
                .ok_or_else(|| named.not_supported()),
        }
    })
}

/// A part of how many seconds clocks are to the east of UTC.
fn part_of_distance(field: Field, east: i64) -> Option<Value> {
    Some(Value::whole(match field {
        Field::Timezone => east,
        Field::TimezoneHour => east / 3_600,
        Field::TimezoneMinute => east / 60 % 60,
        _ => return None,
    }))
}

fn of_interval(call: &Call<'_>) -> Result<ArrayRef> {
    let intervals = call.intervals(1)?;
    parts(call, &INTERVAL, |named, field, row| span_part::part(named, field, intervals.value(row)))
}

fn part_of_timestamp(named: &Named<'_>, field: Field, micros: i64) -> Result<Value> {
    if calendar::is_infinite(micros) {
        return of_infinite(named, field, micros < 0, false);
    }
    let part = match field {
        Field::Epoch => Some(Value::Number(micros.into(), 6)),
        _ => part_of_moment(field, Moment::of(micros)),
    };
    part.ok_or_else(|| named.not_supported())
}

fn part_of_instant(named: &Named<'_>, field: Field, instant: i64, zone: Zone) -> Result<Value> {
    if calendar::is_infinite(instant) {
        return of_infinite(named, field, instant < 0, false);
    }
    let east = zone.seconds_at(instant);
    let part = match field {
        Field::Epoch => Some(Value::Number(instant.into(), 6)),
        _ => part_of_distance(field, east)
            .or_else(|| part_of_moment(field, Moment::of(instant + east * MICROS_PER_SECOND))),
    };
    part.ok_or_else(|| named.not_supported())
}

fn part_of_moment(field: Field, moment: Moment) -> Option<Value> {
    match field {
        Field::Julian => Some(Value::Days(moment.days + JULIAN_1970, moment.micros)),
        _ => part_of_time(field, moment.micros).or_else(|| of_day(field, moment.date, moment.days)),
    }
}

/// A part of a time of day, or of an interval's time; none of those that days have.
pub(super) fn part_of_time(field: Field, micros: i64) -> Option<Value> {
    let of_minute = micros % MICROS_PER_MINUTE;
    Some(match field {
        Field::Microseconds => Value::whole(of_minute),
        Field::Milliseconds => Value::milliseconds(of_minute),
        Field::Second => Value::seconds(of_minute),
        Field::Minute => Value::whole(micros % MICROS_PER_HOUR / MICROS_PER_MINUTE),
        Field::Hour => Value::whole(micros / MICROS_PER_HOUR),
        _ => return None,
    })
}

/// A part of a day, which is so many days after 1970 began.
fn of_day(field: Field, day: Day, days: i64) -> Option<Value> {
    Some(Value::whole(match field {
        Field::Day => day.day,
        Field::Week => day.iso_week().1,
        Field::Month => day.month,
        Field::Quarter => (day.month - 1) / 3 + 1,
        Field::Year => day.year_of_era(),
        // Decades are named by their first three digits and begin with a year that ends in 0, before 1 too.
        Field::Decade => day.year.div_euclid(10),
        Field::Century => of_years(day.year, 100),
        Field::Millennium => of_years(day.year, 1_000),
        Field::IsoYear => {
            let year = day.iso_week().0;
            if year > 0 { year } else { year - 1 }
        }
        Field::DayOfWeek => weekday(days),
        Field::IsoDayOfWeek => weekday_from_monday(days) + 1,
        Field::DayOfYear => days - Day::first(day.year, 1).days() + 1,
        _ => return None,
    }))
}

/// Which of so many years each it is: the first begins with the year 1, and the one before it is -1.
fn of_years(year: i64, years: i64) -> i64 {
    let number = (year - 1).div_euclid(years);
    if number >= 0 { number + 1 } else { number }
}

/// A part of what is before or after all others: infinite if it grows with time, and none if it comes again.
fn of_infinite(named: &Named<'_>, field: Field, is_before: bool, is_date: bool) -> Result<Value> {
    match field {
        Field::Year
        | Field::Decade
        | Field::Century
        | Field::Millennium
        | Field::Julian
        | Field::IsoYear
        | Field::Epoch => Ok(Value::Infinite(if is_before { f64::NEG_INFINITY } else { f64::INFINITY })),
        Field::Day
        | Field::Month
        | Field::Quarter
        | Field::Week
        | Field::DayOfWeek
        | Field::IsoDayOfWeek
        | Field::DayOfYear => Ok(Value::Null),
        Field::Word => Err(named.not_supported()),
        _ if is_date => Err(named.not_supported()),
        _ => Ok(Value::Null),
    }
}

/// The times of which a year is the part: from its beginning to that of the next. The engine finds them.
fn year(arguments: &[Expr], value: &Expr, context: &SimplifyContext) -> PlanResult<PreimageResult> {
    let (Some(Expr::Literal(name, _)), Expr::Literal(number, metadata)) = (arguments.first(), value) else {
        return Ok(PreimageResult::None);
    };
    let is_year = name.try_as_str().flatten().and_then(fields::part) == Some(Field::Year);
    let year = number.cast_to(&DataType::Int32);
    let year = year.ok().filter(|year| year.cast_to(&number.data_type()).is_ok_and(|same| same == *number));
    // There is no year 0, and those before it have other numbers there.
    let Some(ScalarValue::Int32(Some(1..))) = &year else { return Ok(PreimageResult::None) };
    let (true, Some(year), [_, of]) = (is_year, year, arguments) else { return Ok(PreimageResult::None) };
    let arguments = [Expr::Literal(ScalarValue::from("year"), None), of.clone()];
    let found = date_part().inner().preimage(&arguments, &Expr::Literal(year, metadata.clone()), context)?;
    // Where clocks never show that a year begins, or show it twice, it has no bound.
    Ok(match found {
        PreimageResult::Range { interval, .. } if interval.lower().is_null() || interval.upper().is_null() => {
            PreimageResult::None
        }
        found => found,
    })
}
