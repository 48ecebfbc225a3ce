//! Zones that texts name, and how far their clocks are from UTC.

use arrow::array::timezone::Tz;
use chrono::{DateTime, Days, MappedLocalTime, NaiveDateTime, Offset, TimeZone};

const MICROS_A_SECOND: i64 = 1_000_000;

/// The furthest a zone of a distance is from UTC, in hours.
const FURTHEST_HOURS: i64 = 24;

/// A zone, whose clocks are put forward and back.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Zone(Rules);

#[derive(Debug, Clone, Copy)]
enum Rules {
    Named(Tz),
    /// Seconds to the east of UTC.
    Fixed(i64),
}

impl Zone {
    /// A zone so many seconds to the east of UTC.
    pub(crate) fn fixed(seconds: i64) -> Self {
        Self(Rules::Fixed(seconds))
    }

    /// The zone of a name, in any case, or of POSIX's distance to the west; none if there is no such zone.
    pub(crate) fn named(name: &str) -> Option<Self> {
        known(name).map(Rules::Named).or_else(|| posix(name).map(Rules::Fixed)).map(Self)
    }

    /// The instant at which clocks show this, in microseconds since 1970. Where they show it twice, or never, it is that of the
    /// time after clocks were put back, or before they were put forward.
    pub(crate) fn instant_of(self, shown: i64) -> Option<i64> {
        let seconds = match self.0 {
            Rules::Fixed(seconds) => seconds,
            Rules::Named(zone) => {
                let local = date_time(shown)?;
                let offset = match zone.offset_from_local_datetime(&local) {
                    MappedLocalTime::Single(offset) => offset,
                    MappedLocalTime::Ambiguous(_, after) => after,
                    MappedLocalTime::None => {
                        zone.offset_from_utc_datetime(&local.checked_sub_days(Days::new(1)).unwrap_or(local))
                    }
                };
                i64::from(offset.fix().local_minus_utc())
            }
        };
        shown.checked_sub(seconds * MICROS_A_SECOND)
    }

    /// What clocks show at an instant, in microseconds since 1970.
    pub(crate) fn shown_at(self, instant: i64) -> Option<i64> {
        let seconds = match self.0 {
            Rules::Fixed(seconds) => seconds,
            Rules::Named(zone) => {
                i64::from(zone.offset_from_utc_datetime(&date_time(instant)?).fix().local_minus_utc())
            }
        };
        instant.checked_add(seconds * MICROS_A_SECOND)
    }
}

fn date_time(micros: i64) -> Option<NaiveDateTime> {
    DateTime::from_timestamp_micros(micros).map(|instant| instant.naive_utc())
}

/// A zone of the database of zones, or the distance to the east that a session's zone may be.
fn known(name: &str) -> Option<Tz> {
    name.parse().ok().or_else(|| spelled(name)?.parse().ok())
}

/// A zone's name as the database of zones has it, in any case.
pub(crate) fn spelled(name: &str) -> Option<String> {
    if !name.starts_with(|first: char| first.is_ascii_alphabetic()) {
        return None;
    }
    let (area, place) = name.split_once('/').unwrap_or((name, ""));
    let of_parts = |area: String, place: String| if place.is_empty() { area } else { format!("{area}/{place}") };
    let candidates = [
        name.to_ascii_uppercase(),
        titled(name),
        of_parts(titled(area), place.to_ascii_uppercase()),
        of_parts(area.to_ascii_uppercase(), titled(place)),
        name.to_owned(),
    ];
    candidates.into_iter().find(|candidate| candidate.parse::<Tz>().is_ok())
}

/// A name whose words begin with a capital letter.
fn titled(name: &str) -> String {
    let mut begins = true;
    let letters = name.chars().map(|letter| {
        let cased = if begins { letter.to_ascii_uppercase() } else { letter.to_ascii_lowercase() };
        begins = !letter.is_ascii_alphanumeric();
        cased
    });
    letters.collect()
}

/// `UTC+3`, `EST5`: hours, minutes and seconds to the west behind letters. In seconds to the east.
fn posix(name: &str) -> Option<i64> {
    let at = name.find(|letter: char| !letter.is_ascii_alphabetic()).filter(|at| *at >= 3)?;
    let (_, distance) = name.split_at(at);
    let (sign, digits) = match distance.strip_prefix('-') {
        Some(digits) => (1, digits),
        None => (-1, distance.strip_prefix('+').unwrap_or(distance)),
    };
    let mut parts = digits.split(':').map(|part| match part.len() {
        1 | 2 if part.bytes().all(|byte| byte.is_ascii_digit()) => part.parse::<i64>().ok(),
        _ => None,
    });
    let hours = parts.next()??;
    let minutes = parts.next().unwrap_or(Some(0))?;
    let seconds = parts.next().unwrap_or(Some(0))?;
    let is_distance = parts.next().is_none() && hours <= FURTHEST_HOURS && minutes < 60 && seconds < 60;
    is_distance.then_some(sign * (hours * 3_600 + minutes * 60 + seconds))
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;

    const HOUR: i64 = 3_600 * MICROS_A_SECOND;

    #[test]
    fn zones_are_found_in_any_case_and_by_their_distance() {
        // PostgreSQL 15: SELECT extract(epoch FROM timestamptz '1970-01-01 12:00 …').
        for (name, hour) in [
            ("Europe/Berlin", 11),
            ("europe/berlin", 11),
            ("AMERICA/NEW_YORK", 17),
            ("utc", 12),
            ("UTC+3", 15),
            ("EST5", 17),
            ("gmt-2", 10),
        ] {
            assert_eq!(Zone::named(name).and_then(|zone| zone.instant_of(12 * HOUR)), Some(hour * HOUR), "{name}");
        }
        for name in ["nowhere", "Mars/Phobos", "UTC+3x", "a+3", ""] {
            assert!(Zone::named(name).is_none(), "{name}");
        }
    }
}
