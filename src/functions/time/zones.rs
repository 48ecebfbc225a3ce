//! Time zones as functions take them: what is no zone, and what their clocks show beyond all years, is refused.

use arrow::array::Array;

use super::calendar::{self, MICROS_PER_SECOND};
use crate::{
    fault::{Failure, Fault, Result},
    functions::Call,
    pgtype::{Unfit, Zone, displacement},
};

/// The zone of a name or an abbreviation, in any case.
pub(super) fn named(text: &str) -> Result<Zone> {
    let not_recognized = || {
        let hint = "name one such as 'UTC' or 'Europe/Berlin', or hours to the west of UTC such as 'UTC+3'";
        Failure::new(Fault::InvalidArgument, format!("time zone \"{text}\" not recognized; {hint}"))
    };
    Zone::called(text).ok_or_else(not_recognized)
}

/// The zones that rows name in an argument.
pub(super) fn named_in(call: &Call<'_>, argument: usize) -> Result<impl Fn(usize) -> Result<Zone>> {
    let names = call.texts(argument)?;
    // Most calls name one zone for all rows.
    let first = (!names.is_empty() && names.is_valid(0)).then(|| names.value(0));
    let first = first.and_then(|name| Some((name, named(name).ok()?)));
    Ok(move |row| match first {
        Some((name, zone)) if name == names.value(row) => Ok(zone),
        _ => named(names.value(row)),
    })
}

/// The zone that an instant is made in: a sign before hours counts them to the east, as in a text of a timestamp.
pub(super) fn of_timestamp(text: &str) -> Result<Zone> {
    if text.starts_with(|first: char| first.is_ascii_digit()) {
        let message = format!("invalid input syntax for type numeric time zone: \"{text}\"; begin it with a sign");
        return Err(Failure::new(Fault::InvalidArgument, message));
    }
    match displacement(text) {
        Ok(seconds) => Ok(Zone::fixed(seconds)),
        Err(Unfit::Displacement) => {
            let message = format!("numeric time zone \"{text}\" out of range");
            Err(Failure::new(Fault::InvalidArgument, message))
        }
        Err(_) => named(text),
    }
}

/// What a zone's clocks show at an instant.
pub(super) fn shown_at(zone: Zone, instant: i64) -> Result<i64> {
    moved(instant, zone.seconds_at(instant))
}

/// The instant at which a zone's clocks show this.
pub(super) fn instant_of(zone: Zone, shown: i64) -> Result<i64> {
    moved(shown, -zone.seconds_where(shown))
}

fn moved(micros: i64, seconds: i64) -> Result<i64> {
    if calendar::is_infinite(micros) {
        return Ok(micros);
    }
    calendar::timestamp(i128::from(micros) + i128::from(seconds * MICROS_PER_SECOND))
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use chrono::NaiveDateTime;

    use super::*;

    /// 2024-07-01 12:00 UTC.
    const NOON: i64 = 1_719_835_200_000_000;

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
        assert!(of("mars/phobos").is_err_and(|error| error.starts_with("time zone \"mars/phobos\" not recognized")));
    }

    /// PostgreSQL 15: TIMESTAMP '…' AT TIME ZONE 'America/Denver'.
    #[test]
    fn clocks_that_show_a_time_twice_or_never_show_one_instant() {
        let at = |text: &str| text.parse::<NaiveDateTime>().unwrap().and_utc().timestamp_micros();
        // The same clocks by a name of POSIX.
        for zone in ["America/Denver", "MST7MDT,M3.2.0,M11.1.0"] {
            let zone = named(zone).unwrap();
            for (shown, instant) in [
                ("2024-03-10T01:59:59", "2024-03-10T08:59:59"),
                ("2024-03-10T02:30:00", "2024-03-10T09:30:00"),
                ("2024-03-10T03:00:00", "2024-03-10T09:00:00"),
                ("2024-11-03T00:59:59", "2024-11-03T06:59:59"),
                ("2024-11-03T01:30:00", "2024-11-03T08:30:00"),
            ] {
                assert_eq!(instant_of(zone, at(shown)), Ok(at(instant)), "{shown}");
            }
        }
    }
}
