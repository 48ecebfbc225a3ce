//! The clocks of the session's zone.

use arrow::array::timezone::Tz;
use chrono::{DateTime, Days, MappedLocalTime, NaiveDateTime, Offset, TimeZone};
use chrono_tz::OffsetName;

/// A zone, which is UTC where its name is not known.
pub(super) struct Zone {
    rules: Option<Tz>,
    /// The same where it has names.
    names: Option<chrono_tz::Tz>,
}

impl Zone {
    pub(super) fn named(name: &str) -> Self {
        Self { rules: name.parse().ok(), names: name.parse().ok() }
    }

    /// How many seconds clocks are ahead of UTC so many seconds after 1970 began, and what their zone is called then.
    pub(super) fn at_instant(&self, seconds: i64) -> (i64, String) {
        let Some((rules, utc)) = self.rules.zip(date_time(seconds)) else { return (0, "UTC".to_owned()) };
        let offset = i64::from(rules.offset_from_utc_datetime(&utc).fix().local_minus_utc());
        let name = match self.names {
            Some(names) => match names.offset_from_utc_datetime(&utc).abbreviation() {
                Some(name) => name.to_owned(),
                // A zone without a name of its own is called by its distance.
                None => distance(offset, ""),
            },
            None => distance(offset, ":"),
        };
        (offset, name)
    }

    /// How many seconds clocks are ahead of UTC when they show so many seconds since 1970. Where they show it twice, or never,
    /// that of the time after they were put back, or before they were put forward.
    pub(super) fn at_local(&self, shown: i64) -> i64 {
        let Some((rules, local)) = self.rules.zip(date_time(shown)) else { return 0 };
        let offset = match rules.offset_from_local_datetime(&local) {
            MappedLocalTime::Single(offset) | MappedLocalTime::Ambiguous(_, offset) => offset.fix(),
            MappedLocalTime::None => {
                let before = local.checked_sub_days(Days::new(1)).unwrap_or(local);
                rules.offset_from_utc_datetime(&before).fix()
            }
        };
        i64::from(offset.local_minus_utc())
    }
}

fn date_time(seconds: i64) -> Option<NaiveDateTime> {
    DateTime::from_timestamp(seconds, 0).map(|instant| instant.naive_utc())
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
mod tests {
    use super::*;

    /// 2024-07-01 12:00:00 and 2024-01-01 12:00:00.
    const SUMMER: i64 = 1_719_835_200;
    const WINTER: i64 = 1_704_110_400;

    /// As PostgreSQL 15 has them.
    #[test]
    fn zones_are_called_as_their_clocks_are() {
        for (zone, seconds, offset, name) in [
            ("UTC", SUMMER, 0, "UTC"),
            ("Europe/Berlin", SUMMER, 7_200, "CEST"),
            ("Europe/Berlin", WINTER, 3_600, "CET"),
            ("Asia/Kolkata", WINTER, 19_800, "IST"),
            ("America/Sao_Paulo", SUMMER, -10_800, "-03"),
            ("Asia/Kathmandu", SUMMER, 20_700, "+0545"),
            ("+05:30", SUMMER, 19_800, "+05:30"),
            ("-07:00", SUMMER, -25_200, "-07"),
        ] {
            assert_eq!(Zone::named(zone).at_instant(seconds), (offset, name.to_owned()), "{zone}");
        }
    }

    /// 2024-03-31 02:30 is never shown in Berlin, and 2024-10-27 02:30 twice.
    #[test]
    fn clocks_that_are_put_back_or_forward_show_what_postgresql_takes() {
        let zone = Zone::named("Europe/Berlin");
        assert_eq!([SUMMER, WINTER].map(|shown| zone.at_local(shown)), [7_200, 3_600]);
        assert_eq!([1_711_852_200, 1_729_996_200].map(|shown| zone.at_local(shown)), [3_600, 3_600]);
    }
}
