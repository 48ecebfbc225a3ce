//! Time zones: what their clocks show at an instant, the instant at which they show it, and what they are called then.
//!
//! A zone has a name of the database of zones, in any case, or POSIX's, or an abbreviation. The query engine names zones by
//! the database and by distances to the east, as `+02:00`, which counts to the west in SQL: whoever has a name says whose it is.

mod abbreviations;
mod posix;

use chrono::{DateTime, Days, MappedLocalTime, NaiveDateTime, Offset, TimeZone};
use chrono_tz::{OffsetName, TZ_VARIANTS, Tz};

pub(crate) use abbreviations::{Abbreviation, abbreviation};

use super::{
    calendar::{MICROS_A_DAY, MICROS_A_SECOND, civil, day_of, days_in, weekday},
    read::displacement,
};
use posix::Posix;

/// A zone, whose clocks may be put forward and back.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Zone(Rules);

#[derive(Debug, Clone, Copy)]
enum Rules {
    /// Those of the database of zones.
    Named(Tz),
    /// So many seconds to the east of UTC.
    Fixed(i64),
    Posix(Posix),
    /// Those of `MSK`.
    Moscow,
}

const SECONDS_AN_HOUR: i64 = 3_600;

/// The instants at which `MSK` was four hours ahead of UTC, in microseconds since 1970; before and after it is three.
const MOSCOW_AHEAD: std::ops::Range<i64> = 1_301_180_400_000_000..1_414_274_400_000_000;

/// From here on the database of zones is not asked, which tells no more in 2100, in microseconds since 1970. Clocks go on by the
/// rules of before, which are of weekdays: any year has the same as the one of these whose days are as its own.
const KNOWN_UNTIL: i64 = 4_070_908_800_000_000;
const LIKE_YEARS: std::ops::RangeInclusive<i64> = 2_071..=2_098;

/// UTC.
impl Default for Zone {
    fn default() -> Self {
        Self::fixed(0)
    }
}

impl Zone {
    /// A zone so many seconds to the east of UTC.
    pub(crate) fn fixed(seconds: i64) -> Self {
        Self(Rules::Fixed(seconds))
    }

    /// The zone of a name, in any case; none if there is no such zone.
    pub(crate) fn named(name: &str) -> Option<Self> {
        let name = name.strip_prefix(':').unwrap_or(name);
        let rules = match of_database(name) {
            Some(zone) => Rules::Named(zone),
            None => Rules::Posix(posix::read(&name.to_ascii_uppercase())?),
        };
        Some(Self(rules))
    }

    /// The same of an abbreviation, too, which goes before a name.
    pub(crate) fn called(name: &str) -> Option<Self> {
        match abbreviation(&name.to_ascii_lowercase()) {
            Some(found) => Self::abbreviated(found),
            None => Self::named(name),
        }
    }

    /// The zone that an abbreviation says.
    pub(crate) fn abbreviated(abbreviation: Abbreviation) -> Option<Self> {
        Some(match abbreviation {
            Abbreviation::Minutes(minutes) => Self::fixed(minutes * 60),
            Abbreviation::Region(region) => Self(Rules::Named(region.parse().ok()?)),
            Abbreviation::Moscow => Self(Rules::Moscow),
        })
    }

    /// The zone of a session or a column, as the query engine names it; UTC if there is none.
    pub(crate) fn of_session(name: &str) -> Self {
        let east = || displacement(name).ok().or_else(|| fixed_distance(name).map(|west| -west));
        let distant = name.starts_with(['+', '-']).then(east).flatten().map(Self::fixed);
        distant.or_else(|| of_database(name).map(|zone| Self(Rules::Named(zone)))).unwrap_or_default()
    }

    /// The seconds that clocks are to the east of UTC at an instant, in microseconds since 1970.
    pub(crate) fn seconds_at(self, instant: i64) -> i64 {
        match self.0 {
            // The zone of most sessions is not asked.
            Rules::Named(Tz::UTC) => 0,
            Rules::Named(zone) => {
                let east = |utc| i64::from(zone.offset_from_utc_datetime(&utc).fix().local_minus_utc());
                date_time(like(instant)).map_or(0, east)
            }
            Rules::Fixed(seconds) => seconds,
            Rules::Posix(posix) => posix.seconds_at(instant.div_euclid(MICROS_A_SECOND)),
            Rules::Moscow => SECONDS_AN_HOUR * if MOSCOW_AHEAD.contains(&instant) { 4 } else { 3 },
        }
    }

    /// The same when they show this. Where they show it twice, or never, it is taken for that of the time after they were put
    /// back, or before they were put forward.
    pub(crate) fn seconds_where(self, shown: i64) -> i64 {
        let zone = match self.0 {
            Rules::Named(Tz::UTC) => return 0,
            Rules::Named(zone) => zone,
            Rules::Fixed(seconds) => return seconds,
            Rules::Posix(_) | Rules::Moscow => return self.found_where(shown),
        };
        let Some(local) = date_time(like(shown)) else { return 0 };
        let offset = match zone.offset_from_local_datetime(&local) {
            MappedLocalTime::Single(offset) => offset,
            MappedLocalTime::Ambiguous(_, after) => after,
            MappedLocalTime::None => {
                zone.offset_from_utc_datetime(&local.checked_sub_days(Days::new(1)).unwrap_or(local))
            }
        };
        offset.fix().local_minus_utc().into()
    }

    /// The same by looking at what clocks show around it.
    fn found_where(self, shown: i64) -> i64 {
        let [before, after] = [-MICROS_A_DAY, MICROS_A_DAY].map(|away| self.seconds_at(shown.saturating_add(away)));
        let shows = |seconds: i64| self.seconds_at(shown.saturating_sub(seconds * MICROS_A_SECOND)) == seconds;
        if shows(after) { after } else { before }
    }

    /// What clocks show at an instant, in microseconds since 1970.
    pub(crate) fn shown_at(self, instant: i64) -> Option<i64> {
        instant.checked_add(self.seconds_at(instant) * MICROS_A_SECOND)
    }

    /// The instant at which clocks show this, in microseconds since 1970.
    pub(crate) fn instant_of(self, shown: i64) -> Option<i64> {
        shown.checked_sub(self.seconds_where(shown) * MICROS_A_SECOND)
    }

    /// What the zone is called at an instant; by its distance where it has no name of its own.
    pub(crate) fn abbreviation_at(self, instant: i64) -> String {
        let named = match self.0 {
            Rules::Named(zone) => date_time(like(instant)).map(|utc| zone.offset_from_utc_datetime(&utc)),
            _ => None,
        };
        match named {
            Some(offset) => offset.abbreviation().map_or_else(|| distance(self.seconds_at(instant), ""), str::to_owned),
            None => distance(self.seconds_at(instant), ":"),
        }
    }
}

/// The same time in a year that the database of zones knows and whose days are as those of its own.
fn like(micros: i64) -> i64 {
    if micros < KNOWN_UNTIL {
        return micros;
    }
    let (year, _, _) = civil(micros.div_euclid(MICROS_A_DAY));
    let first = day_of(year, 1, 1);
    let kind = |year: i64| (weekday(day_of(year, 1, 1)), days_in(year, 2));
    let known = LIKE_YEARS.into_iter().find(|known| kind(*known) == kind(year)).unwrap_or(*LIKE_YEARS.end());
    micros - (first - day_of(known, 1, 1)) * MICROS_A_DAY
}

fn date_time(micros: i64) -> Option<NaiveDateTime> {
    DateTime::from_timestamp_micros(micros).map(|instant| instant.naive_utc())
}

fn of_database(name: &str) -> Option<Tz> {
    let is_named = |zone: &&Tz| zone.name().eq_ignore_ascii_case(name);
    name.parse().ok().or_else(|| TZ_VARIANTS.iter().find(is_named).copied())
}

/// The zones of the database, by the names that it has for them.
pub(crate) fn zones() -> impl Iterator<Item = (&'static str, Zone)> {
    TZ_VARIANTS.iter().map(|zone| (zone.name(), Zone(Rules::Named(*zone))))
}

/// A zone's name as the database of zones has it, in any case.
pub(crate) fn spelled(name: &str) -> Option<&'static str> {
    of_database(name).map(|zone| zone.name())
}

/// The seconds to the east of UTC of a zone that POSIX writes so and whose clocks are never put forward.
pub(crate) fn fixed_distance(name: &str) -> Option<i64> {
    posix::read(name)?.fixed()
}

/// `+01`, `-0330`, without minutes that are zero.
fn distance(seconds: i64, between: &str) -> String {
    let (sign, minutes) = (if seconds < 0 { '-' } else { '+' }, seconds.abs() / 60);
    match minutes % 60 {
        0 => format!("{sign}{:02}", minutes / 60),
        rest => format!("{sign}{:02}{between}{rest:02}", minutes / 60),
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests;
