//! The calendar of a timestamp: proleptic Gregorian, UTC.

const MICROSECONDS_A_DAY: i64 = 86_400_000_000;
const DAYS_OF_400_YEARS: i64 = 146_097;
/// Days from 1600-01-01, which starts a cycle of 400 years, to 1970-01-01.
const DAYS_FROM_1600: i64 = 135_140;

/// The parts of a timestamp that repeat.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Calendar {
    /// 0 for January.
    pub(crate) month: u32,
    /// 0 for Monday.
    pub(crate) weekday: u32,
    /// 0 to 23.
    pub(crate) hour: u32,
}

/// The calendar of a number of microseconds since 1970-01-01 UTC.
pub(crate) fn calendar(microseconds: i64) -> Calendar {
    let days = microseconds.div_euclid(MICROSECONDS_A_DAY);
    let hour = microseconds.rem_euclid(MICROSECONDS_A_DAY) / 3_600_000_000;
    // 1970-01-01 was a Thursday.
    Calendar { month: month(days), weekday: (days + 3).rem_euclid(7) as u32, hour: hour as u32 }
}

/// The month of a day: years are counted off from the start of its cycle of 400 years, then months.
fn month(days: i64) -> u32 {
    let mut left = (days + DAYS_FROM_1600).rem_euclid(DAYS_OF_400_YEARS);
    let mut year = left / 366;
    let before = |year: i64| year * 365 + (year + 3) / 4 - (year + 99) / 100 + (year + 399) / 400;
    while before(year + 1) <= left {
        year += 1;
    }
    left -= before(year);
    let leap = year % 4 == 0 && (year % 100 != 0 || year % 400 == 0);
    let lengths = [31, 28 + i64::from(leap), 31, 30, 31, 30, 31, 31, 30, 31, 30, 31];
    let mut month = 0;
    for length in lengths {
        if left < length {
            break;
        }
        left -= length;
        month += 1;
    }
    month
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn known_days() {
        let at = |days: i64, hours: i64| calendar((days * 24 + hours) * 3_600_000_000);
        assert_eq!(at(0, 0), Calendar { month: 0, weekday: 3, hour: 0 });
        // 2000-02-29 was a Tuesday, 11016 days after 1970-01-01.
        assert_eq!(at(11_016, 23), Calendar { month: 1, weekday: 1, hour: 23 });
        assert_eq!(at(11_017, 0), Calendar { month: 2, weekday: 2, hour: 0 });
        // 1969-12-31 was a Wednesday.
        assert_eq!(at(-1, 5), Calendar { month: 11, weekday: 2, hour: 5 });
        // 2024-12-31 was a Tuesday in a leap year, 20088 days after 1970-01-01.
        assert_eq!(at(20_088, 1), Calendar { month: 11, weekday: 1, hour: 1 });
        assert_eq!(at(20_089, 1), Calendar { month: 0, weekday: 2, hour: 1 });
    }

    #[test]
    fn the_extremes_do_not_overflow() {
        for microseconds in [i64::MIN, i64::MAX] {
            assert!(calendar(microseconds).month < 12);
        }
    }
}
