//! What the modifiers of times and intervals say, and values that are rounded to that.

use super::{
    EPOCH_MICROS, Fields, Part, Span,
    calendar::{MICROS_A_DAY, is_day},
};

/// The digits of a second that are kept.
pub(crate) const MOST_DIGITS: u32 = 6;

/// The modifier of an interval says its fields as bits in the upper half, all of them where it says none, and its digits in the
/// lower one, or that it says none.
const ALL_FIELDS: i32 = 0x7fff;
const ANY_DIGITS: i32 = 0xffff;

/// The bits of fields, and how SQL writes them.
pub(super) const RANGES: &[(i32, (Part, Part), &str)] = &[
    (0x0004, (Part::Year, Part::Year), "year"),
    (0x0002, (Part::Month, Part::Month), "month"),
    (0x0008, (Part::Day, Part::Day), "day"),
    (0x0400, (Part::Hour, Part::Hour), "hour"),
    (0x0800, (Part::Minute, Part::Minute), "minute"),
    (0x1000, (Part::Second, Part::Second), "second"),
    (0x0006, (Part::Year, Part::Month), "year to month"),
    (0x0408, (Part::Day, Part::Hour), "day to hour"),
    (0x0c08, (Part::Day, Part::Minute), "day to minute"),
    (0x1c08, (Part::Day, Part::Second), "day to second"),
    (0x0c00, (Part::Hour, Part::Minute), "hour to minute"),
    (0x1c00, (Part::Hour, Part::Second), "hour to second"),
    (0x1800, (Part::Minute, Part::Second), "minute to second"),
];

impl Fields {
    /// What the modifier of an interval says; -1 says nothing.
    pub(crate) fn of_modifier(modifier: i32) -> Self {
        if modifier < 0 {
            return Self::default();
        }
        let bits = modifier >> 16;
        let range = RANGES.iter().find(|(known, _, _)| *known == bits).map(|(_, range, _)| *range);
        let digits = u32::try_from(modifier & ANY_DIGITS).ok().filter(|digits| *digits <= MOST_DIGITS);
        Self { range, digits }
    }

    /// The modifier that says this.
    pub(crate) fn modifier(self) -> i32 {
        if self == Self::default() {
            return -1;
        }
        let found = RANGES.iter().find(|(_, range, _)| Some(*range) == self.range);
        let bits = found.map_or(ALL_FIELDS, |(bits, _, _)| *bits);
        let digits = self.digits.and_then(|digits| i32::try_from(digits).ok());
        (bits << 16) | digits.unwrap_or(ANY_DIGITS)
    }

    /// As SQL writes it behind `interval`: ` day to second(3)`; nothing of none.
    pub(crate) fn words(self) -> String {
        let found = RANGES.iter().find(|(_, range, _)| Some(*range) == self.range);
        let fields = found.map_or_else(String::new, |(_, _, words)| format!(" {words}"));
        match self.digits {
            Some(digits) => format!("{fields}({digits})"),
            None => fields,
        }
    }
}

/// Microseconds with so many digits of a second, half a one away from zero.
pub(crate) fn rounded(micros: i64, digits: u32) -> Option<i64> {
    let each = 10_i64.pow(MOST_DIGITS.saturating_sub(digits));
    let half = if micros < 0 { -(each / 2) } else { each / 2 };
    Some(micros.checked_add(half)? / each * each)
}

/// The same of a timestamp, whose microseconds PostgreSQL counts from 2000; none if it is later than what is stored.
pub(crate) fn rounded_moment(micros: i64, digits: u32) -> Option<i64> {
    let rounded = rounded(micros.checked_sub(EPOCH_MICROS)?, digits)?.checked_add(EPOCH_MICROS)?;
    is_day(rounded.div_euclid(MICROS_A_DAY)).then_some(rounded)
}

impl Span {
    /// The interval as a modifier of its type has it.
    pub(crate) fn declared(self, modifier: i32) -> Option<Self> {
        Fields::of_modifier(modifier).of(self)
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;

    /// `atttypmod` and `format_type` of PostgreSQL 15.
    #[test]
    fn modifiers_of_intervals_say_fields_and_digits() {
        for (modifier, words) in [
            (458_751, " year to month"),
            (268_435_458, " second(2)"),
            (2_147_418_115, "(3)"),
            (470_286_339, " day to second(3)"),
            (-1, ""),
        ] {
            let fields = Fields::of_modifier(modifier);
            assert_eq!((fields.words().as_str(), fields.modifier()), (words, modifier));
        }
    }

    /// `timestamp '…'::timestamp(n)` of PostgreSQL 15.
    #[test]
    fn timestamps_are_rounded_away_from_2000() {
        let half = EPOCH_MICROS + 500_000;
        assert_eq!(rounded_moment(half, 0), Some(EPOCH_MICROS + 1_000_000));
        assert_eq!(rounded_moment(EPOCH_MICROS - 500_000, 0), Some(EPOCH_MICROS - 1_000_000));
        assert_eq!(rounded_moment(EPOCH_MICROS - 499_999, 0), Some(EPOCH_MICROS));
        assert_eq!(rounded_moment(half, 6), Some(half));
        assert_eq!(rounded(86_399_999_999, 3), Some(86_400_000_000));
        assert_eq!(rounded(-1_500, 3), Some(-2_000));
    }
}
