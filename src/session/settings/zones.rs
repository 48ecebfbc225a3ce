//! Time zones as clients name them, and what the engine calls them.
//!
//! PostgreSQL takes a name in any case, hours to the east as a number, and POSIX's names, which count hours to the west. The
//! engine knows names as the database of zones has them, and distances to the east.

use crate::pgtype::{Zone, fixed_distance, spelled_zone};

/// The furthest a zone is from UTC, in seconds.
const FURTHEST: i64 = 24 * 3_600;

/// A zone as the session keeps and tells it; none if it is not known.
pub(super) fn named(text: &str) -> Option<String> {
    if let Ok(hours) = text.trim().parse::<f64>() {
        return of_seconds((hours * 3_600.0).round());
    }
    match spelled_zone(text) {
        Some(name) => Some(name.to_owned()),
        None => posix(text).map(|_| text.to_ascii_uppercase()),
    }
}

/// A zone so many seconds to the east of UTC.
pub(super) fn of_seconds(east: f64) -> Option<String> {
    let seconds = east.is_finite().then_some(east as i64)?;
    // The engine knows whole minutes.
    if !(1 - FURTHEST..FURTHEST).contains(&seconds) || seconds % 60 != 0 {
        return None;
    }
    Some(format!("<{}>{}", signed(seconds), signed(-seconds)))
}

/// What the engine calls a zone that a session keeps.
pub(crate) fn of_engine(kept: &str) -> String {
    match posix(kept).filter(|_| spelled_zone(kept).is_none()) {
        Some(seconds) => {
            let (sign, away) = if seconds < 0 { ('-', -seconds) } else { ('+', seconds) };
            format!("{sign}{:02}:{:02}", away / 3_600, away / 60 % 60)
        }
        None => kept.to_owned(),
    }
}

/// What a session keeps of a zone that the engine knows: `+02:00` is to the east there.
pub(super) fn from_engine(zone: &str) -> String {
    let seconds = zone.starts_with(['+', '-']).then(|| Zone::of_session(zone).seconds_at(0));
    seconds.map_or_else(|| zone.to_owned(), |seconds| format!("<{}>{}", signed(seconds), signed(-seconds)))
}

/// A distance with its sign, without minutes and seconds that are zero.
fn signed(seconds: i64) -> String {
    let (sign, away) = if seconds < 0 { ('-', -seconds) } else { ('+', seconds) };
    let (hours, minutes, rest) = (away / 3_600, away / 60 % 60, away % 60);
    match (minutes, rest) {
        (0, 0) => format!("{sign}{hours:02}"),
        (_, 0) => format!("{sign}{hours:02}:{minutes:02}"),
        _ => format!("{sign}{hours:02}:{minutes:02}:{rest:02}"),
    }
}

/// The seconds to the east of a name of POSIX without a summer time: `UTC+3`, `<+03>-03`, `-03:30`. The engine knows no summer
/// times but those of the database, and of distances whole minutes.
fn posix(name: &str) -> Option<i64> {
    let is_plain = |byte: u8| byte.is_ascii_alphanumeric() || matches!(byte, b'+' | b'-' | b':' | b'<' | b'>');
    let seconds = fixed_distance(name).filter(|_| name.bytes().all(is_plain))?;
    (seconds % 60 == 0 && seconds.abs() < FURTHEST).then_some(seconds)
}

#[cfg(test)]
mod tests {
    use super::*;

    /// As PostgreSQL 15 tells them, and what its clocks show.
    #[test]
    fn zones_are_told_as_postgresql_does() {
        for (written, told, engine) in [
            ("utc", "UTC", "UTC"),
            ("Europe/Berlin", "Europe/Berlin", "Europe/Berlin"),
            ("europe/paris", "Europe/Paris", "Europe/Paris"),
            ("america/new_york", "America/New_York", "America/New_York"),
            ("us/eastern", "US/Eastern", "US/Eastern"),
            ("etc/utc", "Etc/UTC", "Etc/UTC"),
            ("EST5EDT", "EST5EDT", "EST5EDT"),
            ("-7", "<-07>+07", "-07:00"),
            ("5.5", "<+05:30>-05:30", "+05:30"),
            ("+3", "<+03>-03", "+03:00"),
            ("0", "<+00>+00", "+00:00"),
            ("-03:30", "-03:30", "+03:30"),
            ("UTC+3", "UTC+3", "-03:00"),
            ("a+3", "A+3", "-03:00"),
            ("EST5", "EST5", "-05:00"),
            ("<-07>+07", "<-07>+07", "-07:00"),
        ] {
            let kept = named(written);
            assert_eq!(kept.as_deref(), Some(told), "{written}");
            assert_eq!(of_engine(&kept.unwrap_or_default()), engine, "{written}");
        }
        for wrong in ["", "Mars/Phobos", "nowhere", "ABC", "UTC+3x", "UTC+25", "<+03", "100"] {
            assert_eq!(named(wrong), None, "{wrong}");
        }
    }

    #[test]
    fn the_engines_distances_are_to_the_east() {
        assert_eq!(from_engine("+02:00"), "<+02>-02");
        assert_eq!(of_engine(&from_engine("-03:30")), "-03:30");
        assert_eq!(from_engine("Asia/Tokyo"), "Asia/Tokyo");
    }
}
