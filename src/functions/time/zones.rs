//! Time zones: what their clocks show at an instant, and the instant at which they show it.
//!
//! A zone has a name, in any case, an abbreviation, or POSIX's name, which counts hours to the west.

use std::borrow::Cow;

use arrow::array::timezone::Tz;
use chrono::{DateTime, Days, MappedLocalTime, NaiveDateTime, Offset, TimeZone};

use super::{
    abbreviations::seconds_east,
    calendar::{self, MICROS_PER_SECOND},
};
use crate::{
    fault::{Failure, Fault, Result},
    pgtype::spelled_zone,
};

/// Hours that a POSIX zone may be from UTC.
const POSIX_HOURS: i32 = 167;

/// A zone's rules.
#[derive(Debug, Clone, Copy)]
pub(super) enum Zone {
    /// Those of the database of zones.
    Named(Tz),
    /// So many seconds to the east of UTC.
    Fixed(i32),
}

impl Zone {
    /// The zone that a text names.
    pub(super) fn named(text: &str) -> Result<Self> {
        let not_recognized = || {
            let hint = "name one such as 'UTC' or 'Europe/Berlin', or hours to the west of UTC such as 'UTC+3'";
            Failure::new(Fault::InvalidArgument, format!("time zone \"{text}\" not recognized; {hint}"))
        };
        if let Some(seconds) = seconds_east(text) {
            return Ok(Self::Fixed(seconds));
        }
        let named = || spelled_zone(text).and_then(|name| name.parse().ok()).map(Self::Named);
        named().or_else(|| posix(text).map(Self::Fixed)).ok_or_else(not_recognized)
    }

    /// The session's, as the engine calls it.
    pub(super) fn of_session(name: &str) -> Self {
        name.parse().map_or(Self::Fixed(0), Self::Named)
    }

    /// The seconds that clocks are to the east of UTC at an instant.
    pub(super) fn seconds_at(self, instant: i64) -> i64 {
        let zone = match self {
            Self::Fixed(seconds) => return seconds.into(),
            Self::Named(zone) => zone,
        };
        date_time(instant).map_or(0, |utc| zone.offset_from_utc_datetime(&utc).fix().local_minus_utc().into())
    }

    /// What clocks show at an instant.
    pub(super) fn shown_at(self, instant: i64) -> Result<i64> {
        moved(instant, self.seconds_at(instant))
    }

    /// The instant at which clocks show this. Where they show it twice, or never, it is taken for that of the time before
    /// they were put forward, or after they were put back.
    pub(super) fn instant_of(self, shown: i64) -> Result<i64> {
        moved(shown, -self.seconds_where(shown))
    }

    /// The seconds that clocks are to the east of UTC when they show this.
    fn seconds_where(self, shown: i64) -> i64 {
        let zone = match self {
            Self::Fixed(seconds) => return seconds.into(),
            Self::Named(zone) => zone,
        };
        let Some(local) = date_time(shown) else { return 0 };
        let offset = match zone.offset_from_local_datetime(&local) {
            MappedLocalTime::Single(offset) => offset,
            MappedLocalTime::Ambiguous(_, after) => after,
            MappedLocalTime::None => {
                let before = local.checked_sub_days(Days::new(1)).unwrap_or(local);
                zone.offset_from_utc_datetime(&before)
            }
        };
        offset.fix().local_minus_utc().into()
    }
}

fn date_time(micros: i64) -> Option<NaiveDateTime> {
    DateTime::from_timestamp_micros(micros).map(|instant| instant.naive_utc())
}

fn moved(micros: i64, seconds: i64) -> Result<i64> {
    if calendar::is_infinite(micros) {
        return Ok(micros);
    }
    calendar::timestamp(i128::from(micros) + i128::from(seconds * MICROS_PER_SECOND))
}

/// The seconds to the east of a name of POSIX without a summer time: `UTC+3`, `<+03>-03`, `-03:30`.
fn posix(name: &str) -> Option<i32> {
    let distance_at = match name.strip_prefix('<') {
        Some(inner) => inner.find('>')? + 2,
        None => name.find(|letter: char| !letter.is_ascii_alphabetic())?,
    };
    distance(name.get(distance_at..)?, POSIX_HOURS).map(|west| -west)
}

/// The seconds of `+2`, `-03:30`, `+0530` or `3:30:15`.
fn distance(text: &str, most_hours: i32) -> Option<i32> {
    let (sign, digits) = match text.strip_prefix('-') {
        Some(digits) => (-1, digits),
        None => (1, text.strip_prefix('+').unwrap_or(text)),
    };
    let mut parts = digits.split(':').map(|part| match part.len() {
        1..=3 if part.bytes().all(|byte| byte.is_ascii_digit()) => part.parse::<i32>().ok(),
        _ => None,
    });
    let hours = parts.next()??;
    let minutes = parts.next().unwrap_or(Some(0))?;
    let seconds = parts.next().unwrap_or(Some(0))?;
    let is_distance = parts.next().is_none() && hours <= most_hours && minutes < 60 && seconds < 60;
    is_distance.then_some(sign * (hours * 3_600 + minutes * 60 + seconds))
}

/// The zone that an instant is made in: a sign before hours counts them to the east, as in a text of a timestamp.
pub(super) fn of_timestamp(text: &str) -> Result<Zone> {
    if text.starts_with(|first: char| first.is_ascii_digit()) {
        let message = format!("invalid input syntax for type numeric time zone: \"{text}\"; begin it with a sign");
        return Err(Failure::new(Fault::InvalidArgument, message));
    }
    if !text.starts_with(['+', '-']) {
        return Zone::named(text);
    }
    // Hours and minutes may stand together.
    let spaced: Cow<'_, str> = match text.get(1..) {
        Some(digits) if (3..=6).contains(&digits.len()) && digits.bytes().all(|byte| byte.is_ascii_digit()) => {
            let minutes_at = text.len() - if digits.len() < 5 { 2 } else { 4 };
            let (hours, rest) = text.split_at(minutes_at);
            match rest.split_at_checked(2) {
                Some((minutes, seconds)) if !seconds.is_empty() => format!("{hours}:{minutes}:{seconds}").into(),
                _ => format!("{hours}:{rest}").into(),
            }
        }
        _ => text.into(),
    };
    match distance(&spaced, 99) {
        Some(seconds) if seconds.abs() < 16 * 3_600 => Ok(Zone::Fixed(seconds)),
        Some(_) => {
            let message = format!("numeric time zone \"{text}\" out of range");
            Err(Failure::new(Fault::InvalidArgument, message))
        }
        None => Err(Failure::new(Fault::InvalidArgument, format!("time zone \"{text}\" not recognized"))),
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;

    /// 2024-07-01 12:00 UTC.
    const NOON: i64 = 1_719_835_200_000_000;

    fn seconds(zone: &str) -> Option<i64> {
        Zone::named(zone).ok().map(|zone| zone.seconds_at(NOON))
    }

    /// PostgreSQL 15: TIMESTAMPTZ '2024-07-01 12:00Z' AT TIME ZONE '…'.
    #[test]
    fn zones_have_names_abbreviations_and_distances() {
        for (zone, hours) in [
            ("MSK", 3.0),
            ("EST5EDT", -4.0),
            ("est", -5.0),
            ("Z", 0.0),
            ("america/denver", -6.0),
            ("+2", -2.0),
            ("-05:30", 5.5),
            ("<+03>-03", 3.0),
            ("FO3", -3.0),
            ("Etc/GMT+3", -3.0),
            ("FOO25", -25.0),
        ] {
            assert_eq!(seconds(zone).map(|seconds| seconds as f64 / 3_600.0), Some(hours), "{zone}");
        }
        assert_eq!(seconds("FOO-3:30:15"), Some(12_615));
        for wrong in ["", " UTC ", "Mars", "mars/phobos", "+0530", "FOO+168", "FOO3:60"] {
            assert_eq!(seconds(wrong), None, "{wrong}");
        }
    }

    /// PostgreSQL 15: make_timestamptz(2024, 1, 1, 0, 0, 0, '…').
    #[test]
    fn distances_of_timestamps_are_to_the_east() {
        let of =
            |text: &str| of_timestamp(text).map(|zone| zone.seconds_at(NOON) / 60).map_err(|error| error.to_string());
        assert_eq!(["+2", "+02:30", "+0530", "EST", "UTC+3"].map(of), [120, 150, 330, -300, -180].map(Ok));
        assert_eq!(of("+20"), Err("numeric time zone \"+20\" out of range".to_owned()));
        assert!(
            of("2").is_err_and(|error| error.starts_with("invalid input syntax for type numeric time zone: \"2\""))
        );
    }

    /// PostgreSQL 15: TIMESTAMP '…' AT TIME ZONE 'America/Denver'.
    #[test]
    fn clocks_that_show_a_time_twice_or_never_show_one_instant() {
        let denver = Zone::named("America/Denver").unwrap();
        let at = |text: &str| text.parse::<NaiveDateTime>().unwrap().and_utc().timestamp_micros();
        for (shown, instant) in [
            ("2024-03-10T01:59:59", "2024-03-10T08:59:59"),
            ("2024-03-10T02:30:00", "2024-03-10T09:30:00"),
            ("2024-03-10T03:00:00", "2024-03-10T09:00:00"),
            ("2024-11-03T00:59:59", "2024-11-03T06:59:59"),
            ("2024-11-03T01:30:00", "2024-11-03T08:30:00"),
        ] {
            assert_eq!(denver.instant_of(at(shown)), Ok(at(instant)), "{shown}");
        }
    }
}
