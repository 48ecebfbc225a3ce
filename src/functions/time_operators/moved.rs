//! Moments moved by intervals: months first, whose end a day is kept within, then days, and then the time. What is before or
//! after all others stays so.

pub(super) use crate::pgtype::calendar::MICROS_A_DAY;
use crate::pgtype::{
    Span, Zone,
    calendar::{civil, day_of, days_in, infinite, is_day, is_infinite, is_infinite_date},
};

/// A timestamp that is stored, in microseconds since 1970; none if it is not.
pub(super) fn timestamp(micros: i64) -> Option<i64> {
    day(micros.div_euclid(MICROS_A_DAY)).map(|_| micros)
}

/// A date that is stored, in days since 1970; none if it is not.
pub(super) fn day(day: i64) -> Option<i64> {
    is_day(day).then_some(day)
}

/// The timestamp at which a day begins.
pub(super) fn begins(days: i32) -> Option<i64> {
    match is_infinite_date(days) {
        true => Some(infinite(days < 0)),
        false => i64::from(days).checked_mul(MICROS_A_DAY),
    }
}

/// A time of day on a day, which may be a day further.
pub(super) fn on_day(days: i32, micros: i64) -> Option<i64> {
    local(begins(days)?, Span { months: 0, days: 0, micros })
}

/// What a clock shows that showed this before, and is not put forward or back.
pub(super) fn local(micros: i64, by: Span) -> Option<i64> {
    if is_infinite(micros) {
        return Some(micros);
    }
    let moved = by_days(by_months(micros, by.months)?, by.days)?;
    timestamp(moved.checked_add(by.micros)?)
}

/// An instant, by the clocks of a zone: a day later they show the same time.
pub(super) fn instant(mut micros: i64, by: Span, zone: Zone) -> Option<i64> {
    if is_infinite(micros) {
        return Some(micros);
    }
    if by.months != 0 {
        micros = zone.instant_of(by_months(zone.shown_at(micros)?, by.months)?)?;
    }
    if by.days != 0 {
        micros = zone.instant_of(by_days(zone.shown_at(micros)?, by.days)?)?;
    }
    timestamp(micros.checked_add(by.micros)?)
}

fn by_months(micros: i64, months: i32) -> Option<i64> {
    if months == 0 {
        return Some(micros);
    }
    let (year, month, day) = civil(micros.div_euclid(MICROS_A_DAY));
    let all = year * 12 + month - 1 + i64::from(months);
    let (year, month) = (all.div_euclid(12), all.rem_euclid(12) + 1);
    let moved = day_of(year, month, day.min(days_in(year, month)));
    self::day(moved)?.checked_mul(MICROS_A_DAY)?.checked_add(micros.rem_euclid(MICROS_A_DAY))
}

fn by_days(micros: i64, days: i32) -> Option<i64> {
    micros.checked_add(i64::from(days).checked_mul(MICROS_A_DAY)?)
}

/// The other way.
pub(super) fn back(by: Span) -> Option<Span> {
    let Span { months, days, micros } = by;
    Some(Span { months: months.checked_neg()?, days: days.checked_neg()?, micros: micros.checked_neg()? })
}

/// What lies between two moments: whole days and the rest.
pub(super) fn between(later: i64, earlier: i64) -> Option<Span> {
    let micros = later.checked_sub(earlier)?;
    let days = i32::try_from(micros / MICROS_A_DAY).ok()?;
    Some(Span { months: 0, days, micros: micros % MICROS_A_DAY })
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use arrow::datatypes::DataType;

    use super::*;
    use crate::pgtype::{Fields, read_count, read_interval};

    fn read(text: &str, zone: Option<&str>) -> i64 {
        let unit = arrow::datatypes::TimeUnit::Microsecond;
        read_count(text, &DataType::Timestamp(unit, zone.map(Into::into)), "UTC").unwrap()
    }

    fn span(text: &str) -> Span {
        read_interval(text, Fields::default()).unwrap()
    }

    /// As PostgreSQL 15 has them.
    #[test]
    fn moments_are_moved_as_postgresql_moves_them() {
        for (from, by, to) in [
            ("2024-01-31", "1 month", "2024-02-29 00:00:00"),
            ("2024-03-31 12:00", "-1 month", "2024-02-29 12:00:00"),
            ("2024-02-29", "1 year", "2025-02-28 00:00:00"),
            ("2024-02-29", "-4 years", "2020-02-29 00:00:00"),
            ("2024-01-31", "1 month 1 day", "2024-03-01 00:00:00"),
            ("2023-12-31 23:59:59.5", "0.5 s", "2024-01-01 00:00:00"),
            ("2024-01-01", "-1 us", "2023-12-31 23:59:59.999999"),
            ("0001-01-31", "-1 month", "0001-12-31 00:00:00 BC"),
            ("2024-05-06 07:08:09", "1 year 2 mons -3 days 04:05:06.789", "2025-07-03 11:13:15.789"),
            ("2024-05-31", "-3 mons 1 day -01:00", "2024-02-29 23:00:00"),
            ("4714-11-24 BC", "1 us", "4714-11-24 00:00:00.000001 BC"),
            ("262142-12-31", "23:59:59.999999", "262142-12-31 23:59:59.999999"),
        ] {
            assert_eq!(local(read(from, None), span(by)), Some(read(to, None)), "{from} + {by}");
        }
        for (from, by) in [("262142-12-31", "1 day"), ("4714-11-24 BC", "-1 us"), ("2024-01-01", "-7000 years")] {
            assert_eq!(local(read(from, None), span(by)), None, "{from} + {by}");
        }
        let zone = "Europe/Berlin";
        for (from, by, to) in [
            ("2024-03-30 12:00", "1 day", "2024-03-31 12:00:00+02"),
            ("2024-03-30 12:00", "24:00", "2024-03-31 13:00:00+02"),
            ("2024-03-31 01:30", "01:00", "2024-03-31 03:30:00+02"),
            ("2024-03-30 02:30", "1 day", "2024-03-31 03:30:00+02"),
            ("2024-03-30 02:30", "1 day 01:00", "2024-03-31 04:30:00+02"),
            ("2024-10-26 02:30", "1 day", "2024-10-27 02:30:00+01"),
            ("2024-10-26 02:30", "1 day 24:00", "2024-10-28 02:30:00+01"),
            ("2024-02-29 02:30", "1 month 2 days", "2024-03-31 03:30:00+02"),
            ("2024-10-27 12:00", "-1 day", "2024-10-26 12:00:00+02"),
            ("2024-10-27 12:00", "-24:00", "2024-10-26 13:00:00+02"),
            ("2024-09-27 02:30", "1 month", "2024-10-27 02:30:00+01"),
            ("2024-01-31 00:00", "1 month", "2024-02-29 00:00:00+01"),
        ] {
            let found = instant(read(from, Some(zone)), span(by), Zone::named(zone).unwrap());
            assert_eq!(found, Some(read(to, Some(zone))), "{from} + {by}");
        }
    }

    #[test]
    fn what_is_before_or_after_all_others_does_not_move() {
        let zone = Zone::named("Europe/Berlin").unwrap();
        for by in ["1 month", "-1 day", "1 us", "-178000000 years"].map(span) {
            for micros in [i64::MIN, i64::MAX] {
                assert_eq!((local(micros, by), instant(micros, by, zone)), (Some(micros), Some(micros)));
            }
        }
        assert_eq!([i32::MIN, i32::MAX].map(|days| on_day(days, 1)), [Some(i64::MIN), Some(i64::MAX)]);
        assert_eq!(on_day(1, 1), Some(MICROS_A_DAY + 1));
    }

    #[test]
    fn what_lies_between_is_days_and_a_time() {
        for (later, earlier, expected) in [
            ("2024-03-01 05:30", "2024-02-01", "29 days 05:30:00"),
            ("2024-02-01", "2024-03-01 05:30", "-29 days -05:30:00"),
            ("2024-03-01 05:30", "2024-03-01 06:30", "-01:00:00"),
            ("2024-03-02", "2024-03-01 06:30", "17:30:00"),
            ("2024-03-01", "2024-03-01", "00:00:00"),
            ("9999-12-31 23:59:59.999999", "0001-01-01", "3652058 days 23:59:59.999999"),
        ] {
            assert_eq!(between(read(later, None), read(earlier, None)), Some(span(expected)), "{later} - {earlier}");
        }
    }
}
