//! Dates, times and intervals as PostgreSQL prints them (DateStyle ISO, IntervalStyle postgres).

use arrow::{
    array::timezone::Tz,
    datatypes::{DataType, IntervalMonthDayNano, Schema},
};
use bytes::{BufMut, BytesMut};
use chrono::{DateTime, Offset, TimeZone};

use super::{
    NANOS_PER_SECOND, SECONDS_PER_DAY,
    number::{write_integer, write_padded},
};

/// Digits of a fraction of a second, which counts nanoseconds.
const FRACTION_DIGITS: u32 = 9;

/// Days of 400 years of the Gregorian calendar, after which it repeats.
const DAYS_PER_ERA: i64 = 146_097;

/// Days from 1 March of the year 0 to 1 January 1970.
const EPOCH_FROM_MARCH_0: i64 = 719_468;

/// A time zone that instants are shown in.
#[derive(Debug, Clone, Copy, Default)]
pub(crate) struct Zone {
    /// None is UTC.
    rules: Option<Tz>,
}

/// Writes a date, given in days since 1970; years before 1 end in ` BC`.
pub(super) fn write_date(out: &mut BytesMut, days: i64) {
    let (year, month, day) = civil(days);
    write_year_month_day(out, year, month, day);
    write_era(out, year);
}

/// Writes a time of day or a span, given in whole seconds and the nanoseconds beyond.
pub(super) fn write_time(out: &mut BytesMut, seconds: u64, nanoseconds: u64) {
    write_padded(out, seconds / 3600, 2);
    out.put_u8(b':');
    write_padded(out, seconds / 60 % 60, 2);
    out.put_u8(b':');
    write_padded(out, seconds % 60, 2);
    let (mut fraction, mut width) = (nanoseconds, FRACTION_DIGITS);
    if fraction > 0 {
        while fraction % 10 == 0 {
            (fraction, width) = (fraction / 10, width - 1);
        }
        out.put_u8(b'.');
        write_padded(out, fraction, width);
    }
}

/// Writes a timestamp, given in whole seconds since 1970 and the nanoseconds beyond; with a zone, as that zone's local time
/// and its offset. In JSON a `T` stands before the time, and an offset has minutes, as ISO 8601 has it.
pub(super) fn write_timestamp(out: &mut BytesMut, seconds: i64, nanoseconds: u64, zone: Option<Zone>, is_json: bool) {
    let offset = zone.map(|zone| zone.offset_seconds(seconds));
    let local = seconds.saturating_add(i64::from(offset.unwrap_or(0)));
    let (year, month, day) = civil(local.div_euclid(SECONDS_PER_DAY));
    write_year_month_day(out, year, month, day);
    out.put_u8(if is_json { b'T' } else { b' ' });
    write_time(out, local.rem_euclid(SECONDS_PER_DAY).unsigned_abs(), nanoseconds);
    if let Some(offset) = offset {
        write_offset(out, offset, is_json);
    }
    write_era(out, year);
}

/// Writes an interval: its parts with their units, a plus where a negative part went before, the time last.
pub(super) fn write_interval(out: &mut BytesMut, interval: IntervalMonthDayNano) {
    let start = out.len();
    let mut after_negative = false;
    let parts = [(interval.months / 12, "year"), (interval.months % 12, "mon"), (interval.days, "day")];
    for (value, unit) in parts.into_iter().filter(|(value, _)| *value != 0) {
        if out.len() > start {
            out.put_u8(b' ');
        }
        if after_negative && value > 0 {
            out.put_u8(b'+');
        }
        write_integer(out, i64::from(value));
        out.put_u8(b' ');
        out.put_slice(unit.as_bytes());
        if value != 1 {
            out.put_u8(b's');
        }
        after_negative = value < 0;
    }
    let nanoseconds = interval.nanoseconds;
    if nanoseconds == 0 && out.len() > start {
        return;
    }
    if out.len() > start {
        out.put_u8(b' ');
    }
    if nanoseconds < 0 {
        out.put_u8(b'-');
    } else if after_negative {
        out.put_u8(b'+');
    }
    let nanoseconds = nanoseconds.unsigned_abs();
    write_time(out, nanoseconds / NANOS_PER_SECOND, nanoseconds % NANOS_PER_SECOND);
}

impl Zone {
    /// The zone of that name or offset; UTC if there is none.
    pub(crate) fn named(name: &str) -> Self {
        Self { rules: name.parse().ok() }
    }

    /// The session's zone, which a statement's instants are in.
    pub(crate) fn of_session(schema: &Schema) -> Self {
        let mut zones = schema.fields().iter().filter_map(|field| zone_in(field.data_type()));
        zones.find(|zone| !matches!(*zone, "UTC" | "+00:00")).map_or_else(Self::default, Self::named)
    }

    // Instants that chrono cannot hold are far outside of any zone's rules.
    fn offset_seconds(self, seconds: i64) -> i32 {
        let instant = DateTime::from_timestamp(seconds, 0);
        let offset = |(rules, instant): (Tz, DateTime<chrono::Utc>)| {
            rules.offset_from_utc_datetime(&instant.naive_utc()).fix().local_minus_utc()
        };
        self.rules.zip(instant).map_or(0, offset)
    }
}

// The zone of the first instants that a type has in it.
fn zone_in(data_type: &DataType) -> Option<&str> {
    match data_type {
        DataType::Timestamp(_, zone) => zone.as_deref(),
        DataType::List(item) | DataType::LargeList(item) => zone_in(item.data_type()),
        DataType::Struct(fields) => fields.iter().find_map(|field| zone_in(field.data_type())),
        _ => None,
    }
}

/// The year, the month and the day that are so many days after 1970 began; the year before 1 is 0.
// Counts from March, so that the leap day is a year's last.
pub(crate) fn civil(days: i64) -> (i64, u64, u64) {
    let days = days + EPOCH_FROM_MARCH_0;
    let (era, day_of_era) = (days.div_euclid(DAYS_PER_ERA), days.rem_euclid(DAYS_PER_ERA));
    let leap_days = day_of_era / 1_460 - day_of_era / 36_524 + day_of_era / (DAYS_PER_ERA - 1);
    let year_of_era = (day_of_era - leap_days) / 365;
    let day_of_year = day_of_era - (365 * year_of_era + year_of_era / 4 - year_of_era / 100);
    // Five months from March or August on have 153 days.
    let month_from_march = (5 * day_of_year + 2) / 153;
    let day = day_of_year - (153 * month_from_march + 2) / 5 + 1;
    let month = (month_from_march + 2) % 12 + 1;
    (era * 400 + year_of_era + i64::from(month <= 2), month as u64, day as u64)
}

fn write_year_month_day(out: &mut BytesMut, year: i64, month: u64, day: u64) {
    // There is no year 0: the year before 1 is 1 BC.
    write_padded(out, if year > 0 { year } else { 1 - year }.unsigned_abs(), 4);
    out.put_u8(b'-');
    write_padded(out, month, 2);
    out.put_u8(b'-');
    write_padded(out, day, 2);
}

fn write_era(out: &mut BytesMut, year: i64) {
    if year <= 0 {
        out.put_slice(b" BC");
    }
}

fn write_offset(out: &mut BytesMut, seconds: i32, has_minutes: bool) {
    out.put_u8(if seconds < 0 { b'-' } else { b'+' });
    let seconds = u64::from(seconds.unsigned_abs());
    write_padded(out, seconds / 3600, 2);
    if has_minutes || seconds % 3600 != 0 {
        out.put_u8(b':');
        write_padded(out, seconds / 60 % 60, 2);
    }
    if seconds % 60 != 0 {
        out.put_u8(b':');
        write_padded(out, seconds % 60, 2);
    }
}
