//! The zones that texts of times name, and what the clocks of a zone show.

use arrow::array::timezone::Tz;
use chrono::{DateTime, Offset, TimeZone};

use crate::pgtype::{Abbreviation, Zone, abbreviation, calendar::MICROS_A_SECOND};

/// The seconds by which a zone, called by an abbreviation or as the database of zones has it, is ahead of UTC when its
/// clocks show so many seconds since 1970. None for an unknown name, and for a time that a region's clocks show twice or
/// never.
pub(super) fn distance(name: &str, shown: i64) -> Option<i64> {
    match abbreviation(&name.to_ascii_lowercase()) {
        Some(Abbreviation::Minutes(minutes)) => return Some(minutes * 60),
        Some(found @ Abbreviation::Moscow) => {
            return Some(Zone::abbreviated(found)?.seconds_where(shown.saturating_mul(MICROS_A_SECOND)));
        }
        // Those of regions meant several distances at different times.
        Some(Abbreviation::Region(_)) | None => {}
    }
    let zone: Tz = name.parse().ok()?;
    let local = DateTime::from_timestamp(shown, 0)?.naive_utc();
    let offset = zone.offset_from_local_datetime(&local).single()?;
    Some(i64::from(offset.fix().local_minus_utc()))
}

/// The clocks of a column's zone.
#[derive(Debug, Clone, Copy)]
pub(super) enum Clocks {
    Utc,
    Of(Zone),
}

impl Clocks {
    /// Of a zone as columns name it.
    pub(super) fn named(name: &str) -> Option<Self> {
        match name {
            "UTC" | "+00:00" => Some(Self::Utc),
            name => name.parse::<Tz>().ok().map(|_| Self::Of(Zone::of_session(name))),
        }
    }

    /// The seconds since 1970 in UTC when the clocks show so many. What they show twice is the later time, and what they
    /// never show goes by the time before they were put forward, as in PostgreSQL.
    pub(super) fn instant(&self, shown: i64) -> Option<i64> {
        let Self::Of(zone) = self else { return Some(shown) };
        shown.checked_sub(zone.seconds_where(shown.saturating_mul(MICROS_A_SECOND)))
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;

    /// 2024-07-01 12:00:00.
    const SUMMER: i64 = 1_719_835_200;

    #[test]
    fn abbreviations_are_postgresqls() {
        // As PostgreSQL 15 reads them.
        for (name, hours) in [("CET", 1), ("cest", 2), ("EET", 2), ("MSK", 3), ("EST", -5), ("PDT", -7), ("BST", 1)] {
            assert_eq!(distance(name, SUMMER), Some(hours * 3600), "{name}");
        }
        // Those that several places have are where its Default set has them; what is not there is no zone.
        for (name, hours) in [("IST", 2), ("CST", -6), ("AMT", -4), ("CCT", 8), ("AST", -4)] {
            assert_eq!(distance(name, SUMMER), Some(hours * 3600), "{name}");
        }
        assert_eq!((distance("ECT", SUMMER), distance("WST", SUMMER)), (None, None));
        // 2012-07-01 12:00:00.
        assert_eq!(distance("MSK", 1_341_144_000), Some(4 * 3600));
        assert_eq!(distance("Europe/Berlin", SUMMER), Some(2 * 3600));
        assert_eq!((distance("Nowhere", SUMMER), distance("", SUMMER)), (None, None));
    }

    #[test]
    fn clocks_that_are_put_back_or_forward_show_what_postgresql_takes() {
        let denver = Clocks::named("America/Denver").unwrap();
        assert_eq!(denver.instant(SUMMER), Some(SUMMER + 6 * 3600));
        // 2024-11-03 01:30:00 is 08:30 in UTC, 2024-03-10 02:30:00 is 09:30.
        assert_eq!(denver.instant(1_730_597_400), Some(1_730_622_600));
        assert_eq!(denver.instant(1_710_037_800), Some(1_710_063_000));
        assert_eq!(Clocks::named("+00:00").unwrap().instant(SUMMER), Some(SUMMER));
        assert!(Clocks::named("Nowhere").is_none());
    }
}
