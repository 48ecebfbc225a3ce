//! Dates, times and intervals as PostgreSQL prints them, in the styles that a session can choose.

use arrow::datatypes::{DataType, IntervalMonthDayNano, Schema};
use bytes::{BufMut, BytesMut};

use super::{
    Form, NANOS_PER_SECOND, SECONDS_A_DAY,
    number::{write_integer, write_padded},
    spans::{Parts, write_iso_8601, write_sql_standard, write_verbose},
};
use crate::pgtype::{
    DateOrder, DateStyle, IntervalStyle, Styles, Zone, ZonedTime,
    calendar::{MICROS_A_SECOND, civil, weekday},
};

/// Digits of a fraction of a second, which counts nanoseconds.
const FRACTION_DIGITS: u32 = 9;

/// Writes a date, given in days since 1970; years before 1 end in ` BC`.
pub(super) fn write_date(out: &mut BytesMut, days: i64, styles: Styles) {
    let date = civil(days);
    match styles.dates {
        DateStyle::Postgres => write_day_month_year(out, date, b'-', styles.order == DateOrder::Day),
        _ => write_day(out, date, styles),
    }
    write_era(out, date.0);
}

/// Writes a date or a timestamp that is before or after all others: alike in every style.
pub(super) fn write_infinite(out: &mut BytesMut, is_before: bool) {
    out.put_slice(if is_before { b"-infinity" } else { b"infinity" });
}

/// Writes a date as it stands before a time.
fn write_day(out: &mut BytesMut, date: (i64, i64, i64), styles: Styles) {
    match styles.dates {
        DateStyle::Iso | DateStyle::Postgres => write_year_month_day(out, date),
        DateStyle::Sql => write_day_month_year(out, date, b'/', styles.order == DateOrder::Day),
        DateStyle::German => write_day_month_year(out, date, b'.', true),
    }
}

/// Writes a date whose year is last, with the day or the month first.
fn write_day_month_year(out: &mut BytesMut, (year, month, day): (i64, i64, i64), between: u8, day_first: bool) {
    let (first, second) = if day_first { (day, month) } else { (month, day) };
    write_padded(out, first.unsigned_abs(), 2);
    out.put_u8(between);
    write_padded(out, second.unsigned_abs(), 2);
    out.put_u8(between);
    write_year(out, year);
}

/// Writes a year, of which there is no 0: the one before 1 is 1 BC.
fn write_year(out: &mut BytesMut, year: i64) {
    write_padded(out, if year > 0 { year } else { 1 - year }.unsigned_abs(), 4);
}

/// Writes a time of day or a span, given in whole seconds and the nanoseconds beyond.
pub(super) fn write_time(out: &mut BytesMut, seconds: u64, nanoseconds: u64) {
    write_padded(out, seconds / 3600, 2);
    out.put_u8(b':');
    write_padded(out, seconds / 60 % 60, 2);
    out.put_u8(b':');
    write_padded(out, seconds % 60, 2);
    write_fraction(out, nanoseconds);
}

/// Writes the fraction of a second behind its point, if there is any.
pub(super) fn write_fraction(out: &mut BytesMut, nanoseconds: u64) {
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
/// and its offset, or in other styles than ISO what it is called. In JSON a `T` stands before the time, and an offset has
/// minutes, as ISO 8601 has it.
pub(super) fn write_timestamp(out: &mut BytesMut, seconds: i64, nanoseconds: u64, zone: Option<Zone>, form: Form) {
    let instant = seconds.saturating_mul(MICROS_A_SECOND);
    let offset = zone.map(|zone| zone.seconds_at(instant));
    let local = seconds.saturating_add(offset.unwrap_or(0));
    let days = local.div_euclid(SECONDS_A_DAY);
    let (date, of_day) = (civil(days), local.rem_euclid(SECONDS_A_DAY).unsigned_abs());
    let styles = form.styles;
    if styles.dates == DateStyle::Postgres {
        let month = name_of(&MONTHS, date.1 - 1);
        out.put_slice(name_of(&WEEKDAYS, weekday(days)));
        out.put_u8(b' ');
        if styles.order != DateOrder::Day {
            out.put_slice(month);
            out.put_u8(b' ');
        }
        write_padded(out, date.2.unsigned_abs(), 2);
        out.put_u8(b' ');
        if styles.order == DateOrder::Day {
            out.put_slice(month);
            out.put_u8(b' ');
        }
    } else {
        write_day(out, date, styles);
        out.put_u8(if form.is_json { b'T' } else { b' ' });
    }
    write_time(out, of_day, nanoseconds);
    if styles.dates == DateStyle::Postgres {
        out.put_u8(b' ');
        write_year(out, date.0);
    }
    match zone.zip(offset) {
        Some((_, offset)) if styles.dates == DateStyle::Iso => write_offset(out, offset, form.is_json),
        Some((zone, _)) => {
            out.put_u8(b' ');
            out.put_slice(zone.abbreviation_at(instant).as_bytes());
        }
        None => {}
    }
    write_era(out, date.0);
}

const WEEKDAYS: [&[u8]; 7] = [b"Sun", b"Mon", b"Tue", b"Wed", b"Thu", b"Fri", b"Sat"];
const MONTHS: [&[u8]; 12] =
    [b"Jan", b"Feb", b"Mar", b"Apr", b"May", b"Jun", b"Jul", b"Aug", b"Sep", b"Oct", b"Nov", b"Dec"];

fn name_of(names: &[&'static [u8]], at: i64) -> &'static [u8] {
    usize::try_from(at).ok().and_then(|at| names.get(at)).copied().unwrap_or_default()
}

/// Writes an interval in a style.
pub(super) fn write_interval(out: &mut BytesMut, interval: IntervalMonthDayNano, style: IntervalStyle) {
    let parts = || Parts::new(interval.months, interval.days, interval.nanoseconds);
    match style {
        IntervalStyle::Postgres => write_units(out, interval),
        IntervalStyle::Verbose => write_verbose(out, parts()),
        IntervalStyle::SqlStandard => write_sql_standard(out, parts()),
        IntervalStyle::Iso8601 => write_iso_8601(out, parts()),
    }
}

/// Writes the parts of an interval with their units, a plus where a negative part went before, the time last.
fn write_units(out: &mut BytesMut, interval: IntervalMonthDayNano) {
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
    write_year(out, year);
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
    if has_minutes || !seconds.is_multiple_of(3600) {
        out.put_u8(b':');
        write_padded(out, seconds / 60 % 60, 2);
    }
    if !seconds.is_multiple_of(60) {
        out.put_u8(b':');
        write_padded(out, seconds % 60, 2);
    }
}
