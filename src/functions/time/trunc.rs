//! `date_trunc`: timestamps, instants and intervals cut off at a unit.
//!
//! ```sql
//! SELECT date_trunc('decade', date '2024-05-01'), date_trunc('day', now(), 'Asia/Tokyo')
//! ```
//!
//! Of instants the clocks of a zone are cut off, the session's where none is named.

use arrow::{
    array::ArrayRef,
    datatypes::{DataType, IntervalMonthDayNano},
};
use datafusion::logical_expr::sort_properties::{ExprProperties, SortProperties};

use super::{
    calendar::{
        self, Day, MICROS_PER_DAY, MICROS_PER_HOUR, MICROS_PER_MINUTE, MICROS_PER_SECOND, Moment, NANOS_PER_MICRO,
    },
    fields::{self, Field, LastField, Named},
    zones,
};
use crate::{
    fault::Result,
    functions::{Call, Function, Overload},
    pgtype::{INTERVAL, TEXT, TIMESTAMP, TIMESTAMPTZ, Zone, calendar::weekday_from_monday},
};

// Of instants, too, it is as good as immutable: a plan that is kept is one of sessions with the same settings.
pub(super) static DATE_TRUNC: Function = Function {
    name: "date_trunc",
    purpose: "The time or the interval cut off at a unit",
    example: "date_trunc('quarter', timestamp '2024-05-17 10:30:00')",
    shows: "2024-04-01 00:00:00",
    overloads: &[
        Overload::new(&[TEXT, TIMESTAMP], TIMESTAMP, timestamps).with_order(order),
        Overload::new(&[TEXT, TIMESTAMPTZ], TIMESTAMPTZ, instants),
        Overload::new(&[TEXT, TIMESTAMPTZ, TEXT], TIMESTAMPTZ, instants_of_zone),
        Overload::new(&[TEXT, INTERVAL], INTERVAL, intervals),
    ],
};

/// Timestamps that are cut off at one unit keep their order. The days of clocks that are put back at midnight do not: those
/// of zones with rules are taken for such. Intervals are ordered by their length, of which a field tells little.
fn order(arguments: &[ExprProperties]) -> SortProperties {
    let [field, value] = arguments else { return SortProperties::Unordered };
    if field.sort_properties != SortProperties::Singleton {
        return SortProperties::Unordered;
    }
    let name = field.range.lower().try_as_str().flatten();
    let is_short = || name.and_then(fields::part).is_some_and(is_of_hours);
    let keeps = match value.range.data_type() {
        DataType::Timestamp(_, None) => true,
        DataType::Timestamp(_, Some(zone)) => zone.as_ref() == "UTC" || zone.starts_with(['+', '-']) || is_short(),
        _ => false,
    };
    if keeps { value.sort_properties } else { SortProperties::Unordered }
}

/// Whether a unit is a part of a day.
fn is_of_hours(unit: Field) -> bool {
    matches!(unit, Field::Microseconds | Field::Milliseconds | Field::Second | Field::Minute | Field::Hour)
}

fn timestamps(call: &Call<'_>) -> Result<ArrayRef> {
    let (names, timestamps) = (call.texts(0)?, call.timestamps(1)?);
    let mut last = LastField::default();
    call.timestamp_of(|row| {
        let micros = timestamps.value(row);
        if calendar::is_infinite(micros) {
            return Ok(Some(micros));
        }
        let named = Named::new(names.value(row), &TIMESTAMP);
        let unit = last.of(names.value(row), || named.unit())?;
        local(&named, unit, micros).map(Some)
    })
}

fn instants(call: &Call<'_>) -> Result<ArrayRef> {
    let zone = Zone::of_session(call.zone());
    zoned(call, |_row| Ok(zone))
}

fn instants_of_zone(call: &Call<'_>) -> Result<ArrayRef> {
    zoned(call, zones::named_in(call, 2)?)
}

fn zoned(call: &Call<'_>, zone_of: impl Fn(usize) -> Result<Zone>) -> Result<ArrayRef> {
    let (names, instants) = (call.texts(0)?, call.timestamps(1)?);
    let mut last = LastField::default();
    call.timestamp_of(|row| {
        let instant = instants.value(row);
        if calendar::is_infinite(instant) {
            return Ok(Some(instant));
        }
        let zone = zone_of(row)?;
        let named = Named::new(names.value(row), &TIMESTAMPTZ);
        let unit = last.of(names.value(row), || named.unit())?;
        of_instant(&named, unit, instant, zone).map(Some)
    })
}

fn intervals(call: &Call<'_>) -> Result<ArrayRef> {
    let (names, intervals) = (call.texts(0)?, call.intervals(1)?);
    let mut last = LastField::default();
    call.interval_of(|row| {
        let named = Named::new(names.value(row), &INTERVAL);
        let unit = last.of(names.value(row), || named.unit())?;
        of_interval(&named, unit, intervals.value(row)).map(Some)
    })
}

/// What clocks show, cut off.
fn local(named: &Named<'_>, unit: Field, micros: i64) -> Result<i64> {
    if let Some(length) = length(unit) {
        return calendar::timestamp((micros.div_euclid(length) * length).into());
    }
    let Moment { date, days, .. } = Moment::of(micros);
    let first = |year: i64| Day::first(year, 1).days();
    let days = match unit {
        Field::Week => days - weekday_from_monday(days),
        Field::Month => Day::first(date.year, date.month).days(),
        Field::Quarter => Day::first(date.year, (date.month - 1) / 3 * 3 + 1).days(),
        Field::Year => first(date.year),
        Field::Decade => first(date.year.div_euclid(10) * 10),
        // The first century begins with the year 1.
        Field::Century => first((date.year - 1).div_euclid(100) * 100 + 1),
        Field::Millennium => first((date.year - 1).div_euclid(1_000) * 1_000 + 1),
        _ => return Err(named.not_supported()),
    };
    calendar::timestamp(i128::from(days) * i128::from(MICROS_PER_DAY))
}

/// The microseconds of a unit that is always as long.
fn length(unit: Field) -> Option<i64> {
    Some(match unit {
        Field::Microseconds => 1,
        Field::Milliseconds => 1_000,
        Field::Second => MICROS_PER_SECOND,
        Field::Minute => MICROS_PER_MINUTE,
        Field::Hour => MICROS_PER_HOUR,
        Field::Day => MICROS_PER_DAY,
        _ => return None,
    })
}

/// An instant, where a zone's clocks are cut off. Those parts of a day are as far from UTC as the instant is; days begin when
/// clocks show it.
fn of_instant(named: &Named<'_>, unit: Field, instant: i64, zone: Zone) -> Result<i64> {
    if is_of_hours(unit) {
        let east = zone.seconds_at(instant) * MICROS_PER_SECOND;
        return calendar::timestamp(i128::from(local(named, unit, instant + east)?) - i128::from(east));
    }
    zones::instant_of(zone, local(named, unit, zones::shown_at(zone, instant)?)?)
}

/// Each of an interval's fields is cut off towards zero.
fn of_interval(named: &Named<'_>, unit: Field, interval: IntervalMonthDayNano) -> Result<IntervalMonthDayNano> {
    let IntervalMonthDayNano { months, days, nanoseconds } = interval;
    let months = |of: i32| IntervalMonthDayNano::new(months / of * of, 0, 0);
    Ok(match unit {
        Field::Millennium => months(12_000),
        Field::Century => months(1_200),
        Field::Decade => months(120),
        Field::Year => months(12),
        Field::Quarter => months(3),
        Field::Month => months(1),
        Field::Day => IntervalMonthDayNano::new(interval.months, days, 0),
        _ if is_of_hours(unit) => {
            let length = length(unit).unwrap_or(1) * NANOS_PER_MICRO;
            IntervalMonthDayNano::new(interval.months, days, nanoseconds / length * length)
        }
        _ => return Err(named.not_supported()),
    })
}
