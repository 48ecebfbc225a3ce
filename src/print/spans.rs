//! Intervals in the styles that a session can choose, as PostgreSQL prints them.

use bytes::{BufMut, BytesMut};

use super::{
    NANOS_PER_SECOND,
    calendar::write_fraction,
    number::{write_integer, write_padded},
};

/// The parts of an interval, each with its sign.
#[derive(Debug, Clone, Copy)]
pub(super) struct Parts {
    years: i64,
    months: i64,
    days: i64,
    hours: i64,
    minutes: i64,
    seconds: i64,
    nanoseconds: i64,
}

impl Parts {
    pub(super) fn new(months: i32, days: i32, nanoseconds: i64) -> Self {
        let second = NANOS_PER_SECOND.cast_signed();
        let seconds = nanoseconds / second;
        Self {
            years: i64::from(months / 12),
            months: i64::from(months % 12),
            days: days.into(),
            hours: seconds / 3_600,
            minutes: seconds / 60 % 60,
            seconds: seconds % 60,
            nanoseconds: nanoseconds % second,
        }
    }

    fn all(self) -> [i64; 7] {
        [self.years, self.months, self.days, self.hours, self.minutes, self.seconds, self.nanoseconds]
    }

    fn has_time(self) -> bool {
        [self.hours, self.minutes, self.seconds, self.nanoseconds].iter().any(|part| *part != 0)
    }

    fn has_seconds(self) -> bool {
        self.seconds != 0 || self.nanoseconds != 0
    }

    fn is_time_negative(self) -> bool {
        [self.hours, self.minutes, self.seconds, self.nanoseconds].iter().any(|part| *part < 0)
    }
}

/// `@ 1 year 2 days 3 hours 4 mins 5.6 secs ago`: the first part says the direction.
pub(super) fn write_verbose(out: &mut BytesMut, parts: Parts) {
    out.put_u8(b'@');
    let units = ["year", "mon", "day", "hour", "min"];
    let mut direction = 0;
    for (value, unit) in parts.all().into_iter().zip(units).filter(|(value, _)| *value != 0) {
        if direction == 0 {
            direction = value.signum();
        }
        let value = value * direction;
        out.put_u8(b' ');
        write_integer(out, value);
        out.put_u8(b' ');
        out.put_slice(unit.as_bytes());
        if value != 1 {
            out.put_u8(b's');
        }
    }
    if parts.has_seconds() {
        let sign = if parts.seconds < 0 || parts.nanoseconds < 0 { -1 } else { 1 };
        if direction == 0 {
            direction = sign;
        }
        out.put_u8(b' ');
        if sign != direction {
            out.put_u8(b'-');
        }
        write_seconds(out, parts, 1);
        let is_one = parts.seconds.abs() == 1 && parts.nanoseconds == 0;
        out.put_slice(if is_one { b" sec" } else { b" secs" });
    }
    match direction {
        0 => out.put_slice(b" 0"),
        ..0 => out.put_slice(b" ago"),
        _ => {}
    }
}

/// `1-2`, `3 4:05:06` or `+1-2 -3 +4:05:06`: what the standard has, or all parts with their signs.
pub(super) fn write_sql_standard(out: &mut BytesMut, parts: Parts) {
    let (is_negative, is_positive) =
        (parts.all().iter().any(|part| *part < 0), parts.all().iter().any(|part| *part > 0));
    let has_months = parts.years != 0 || parts.months != 0;
    let has_rest = parts.days != 0 || parts.has_time();
    if !is_negative && !is_positive {
        out.put_u8(b'0');
        return;
    }
    let sign = |is_negative: bool| if is_negative { b'-' } else { b'+' };
    if is_negative && is_positive || has_months && has_rest {
        out.put_u8(sign(parts.years < 0 || parts.months < 0));
        write_months(out, parts);
        out.put_u8(b' ');
        out.put_u8(sign(parts.days < 0));
        write_integer(out, parts.days.abs());
        out.put_u8(b' ');
        out.put_u8(sign(parts.is_time_negative()));
        write_clock(out, parts);
        return;
    }
    if is_negative {
        out.put_u8(b'-');
    }
    if has_months {
        write_months(out, parts);
        return;
    }
    if parts.days != 0 {
        write_integer(out, parts.days.abs());
        out.put_u8(b' ');
    }
    write_clock(out, parts);
}

/// `P1Y2M3DT4H5M6.7S`
pub(super) fn write_iso_8601(out: &mut BytesMut, parts: Parts) {
    let write_part = |out: &mut BytesMut, value: i64, unit: u8| {
        if value != 0 {
            write_integer(out, value);
            out.put_u8(unit);
        }
    };
    if parts.all().iter().all(|part| *part == 0) {
        out.put_slice(b"PT0S");
        return;
    }
    out.put_u8(b'P');
    write_part(out, parts.years, b'Y');
    write_part(out, parts.months, b'M');
    write_part(out, parts.days, b'D');
    if parts.has_time() {
        out.put_u8(b'T');
    }
    write_part(out, parts.hours, b'H');
    write_part(out, parts.minutes, b'M');
    if parts.has_seconds() {
        if parts.seconds < 0 || parts.nanoseconds < 0 {
            out.put_u8(b'-');
        }
        write_seconds(out, parts, 1);
        out.put_u8(b'S');
    }
}

fn write_months(out: &mut BytesMut, parts: Parts) {
    write_integer(out, parts.years.abs());
    out.put_u8(b'-');
    write_integer(out, parts.months.abs());
}

fn write_clock(out: &mut BytesMut, parts: Parts) {
    write_integer(out, parts.hours.abs());
    out.put_u8(b':');
    write_padded(out, parts.minutes.unsigned_abs(), 2);
    out.put_u8(b':');
    write_seconds(out, parts, 2);
}

/// Seconds of so many digits at least, without their sign.
fn write_seconds(out: &mut BytesMut, parts: Parts, width: u32) {
    write_padded(out, parts.seconds.unsigned_abs(), width);
    write_fraction(out, parts.nanoseconds.unsigned_abs());
}

#[cfg(test)]
mod tests {
    use super::*;

    /// `SELECT interval '…'` of PostgreSQL 15 in each style.
    #[test]
    fn intervals_are_written_in_styles() {
        let millisecond = 1_000_000;
        for ((months, days, milliseconds), expected) in [
            (
                (14, 3, 14_706_700),
                ["@ 1 year 2 mons 3 days 4 hours 5 mins 6.7 secs", "+1-2 +3 +4:05:06.7", "P1Y2M3DT4H5M6.7S"],
            ),
            ((0, 0, 1_000), ["@ 1 sec", "0:00:01", "PT1S"]),
            ((-14, 0, 0), ["@ 1 year 2 mons ago", "-1-2", "P-1Y-2M"]),
            ((0, -3, -14_706_700), ["@ 3 days 4 hours 5 mins 6.7 secs ago", "-3 4:05:06.7", "P-3DT-4H-5M-6.7S"]),
            ((12, -3, 0), ["@ 1 year -3 days", "+1-0 -3 +0:00:00", "P1Y-3D"]),
            ((0, -1, 7_200_000), ["@ 1 day -2 hours ago", "+0-0 -1 +2:00:00", "P-1DT2H"]),
            ((0, 0, 0), ["@ 0", "0", "PT0S"]),
            ((0, 0, -500), ["@ 0.5 secs ago", "-0:00:00.5", "PT-0.5S"]),
            ((-1, 2, -250), ["@ 1 mon -2 days 0.25 secs ago", "-0-1 +2 -0:00:00.25", "P-1M2DT-0.25S"]),
        ] {
            let parts = Parts::new(months, days, milliseconds * millisecond);
            let written =
                [write_verbose as fn(&mut BytesMut, Parts), write_sql_standard, write_iso_8601].map(|write| {
                    let mut out = BytesMut::new();
                    write(&mut out, parts);
                    String::from_utf8_lossy(&out).into_owned()
                });
            assert_eq!(written, expected);
        }
    }
}
