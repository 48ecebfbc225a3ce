//! Dates, times and intervals as PostgreSQL prints them (DateStyle ISO, IntervalStyle postgres).

use arrow::datatypes::{DataType, IntervalMonthDayNano, Schema};
use bytes::{BufMut, BytesMut};

use super::{
    NANOS_PER_SECOND, SECONDS_PER_DAY,
    number::{write_integer, write_padded},
};
use crate::pgtype::{
    Zone, ZonedTime,
    calendar::{MICROS_A_SECOND, civil},
};

/// Digits of a fraction of a second, which counts nanoseconds.
const FRACTION_DIGITS: u32 = 9;

/// Writes a date, given in days since 1970; years before 1 end in ` BC`.
pub(super) fn write_date(out: &mut BytesMut, days: i64) {
    let date = civil(days);
    write_year_month_day(out, date);
    write_era(out, date.0);
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

/// Writes a time of day and how far its clock is to the east.
pub(super) fn write_zoned_time(out: &mut BytesMut, time: ZonedTime) {
    let micros = time.micros.unsigned_abs();
    write_time(out, micros / MICROS_A_SECOND.unsigned_abs(), micros % MICROS_A_SECOND.unsigned_abs() * 1_000);
    write_offset(out, time.east.into(), false);
}

/// Writes a timestamp, given in whole seconds since 1970 and the nanoseconds beyond; with a zone, as that zone's local time
/// and its offset. In JSON a `T` stands before the time, and an offset has minutes, as ISO 8601 has it.
pub(super) fn write_timestamp(out: &mut BytesMut, seconds: i64, nanoseconds: u64, zone: Option<Zone>, is_json: bool) {
    let offset = zone.map(|zone| zone.seconds_at(seconds.saturating_mul(MICROS_A_SECOND)));
    let local = seconds.saturating_add(offset.unwrap_or(0));
    let date = civil(local.div_euclid(SECONDS_PER_DAY));
    write_year_month_day(out, date);
    out.put_u8(if is_json { b'T' } else { b' ' });
    write_time(out, local.rem_euclid(SECONDS_PER_DAY).unsigned_abs(), nanoseconds);
    if let Some(offset) = offset {
        write_offset(out, offset, is_json);
    }
    write_era(out, date.0);
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

/// The session's zone, which a statement's instants are in.
pub(crate) fn zone_of(schema: &Schema) -> Zone {
    let mut zones = schema.fields().iter().filter_map(|field| zone_in(field.data_type()));
    zones.find(|zone| !matches!(*zone, "UTC" | "+00:00")).map_or_else(Zone::default, Zone::of_session)
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

fn write_year_month_day(out: &mut BytesMut, (year, month, day): (i64, i64, i64)) {
    // There is no year 0: the year before 1 is 1 BC.
    write_padded(out, if year > 0 { year } else { 1 - year }.unsigned_abs(), 4);
    out.put_u8(b'-');
    write_padded(out, month.unsigned_abs(), 2);
    out.put_u8(b'-');
    write_padded(out, day.unsigned_abs(), 2);
}

fn write_era(out: &mut BytesMut, year: i64) {
    if year <= 0 {
        out.put_slice(b" BC");
    }
}

fn write_offset(out: &mut BytesMut, seconds: i64, has_minutes: bool) {
    out.put_u8(if seconds < 0 { b'-' } else { b'+' });
    let seconds = seconds.unsigned_abs();
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
