//! Times of day on clocks at a distance from UTC, `time with time zone`, of which Arrow has none: twelve bytes each, whose order
//! is PostgreSQL's. Those that are the same instant of a day are ordered by their distance.

use arrow::datatypes::DataType;

use super::{
    calendar::{MICROS_A_DAY, MICROS_A_SECOND},
    rounded,
};

/// What Arrow has for them. Columns of files are of no such type.
pub(crate) const ZONED_TIME: DataType = DataType::FixedSizeBinary(ZonedTime::BYTES);

/// The seconds by which clocks are less than this away from UTC.
const FURTHEST: i32 = 16 * 3_600;

/// See the module.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct ZonedTime {
    /// Microseconds since midnight, which may be the next one.
    pub(crate) micros: i64,
    /// Seconds that the clock is to the east of UTC.
    pub(crate) east: i32,
}

impl ZonedTime {
    /// How many bytes one has.
    pub(crate) const BYTES: i32 = 12;

    /// A time that clients send; none if there is no such one.
    pub(crate) fn new(micros: i64, east: i32) -> Option<Self> {
        let is_one = (0..=MICROS_A_DAY).contains(&micros) && east.abs() < FURTHEST;
        is_one.then_some(Self { micros, east })
    }

    /// What clocks show so far to the east at so many microseconds of UTC's day, or of another.
    pub(crate) fn of_utc(micros: i64, east: i32) -> Self {
        Self { micros: (micros + i64::from(east) * MICROS_A_SECOND).rem_euclid(MICROS_A_DAY), east }
    }

    /// The microseconds of UTC's day, which may be the one before or after.
    pub(crate) fn utc(self) -> i64 {
        self.micros - i64::from(self.east) * MICROS_A_SECOND
    }

    /// With so many digits of a second.
    pub(crate) fn rounded(self, digits: u32) -> Option<Self> {
        Some(Self { micros: rounded(self.micros, digits)?, ..self })
    }

    /// As columns have it.
    pub(crate) fn bytes(self) -> [u8; 12] {
        let mut bytes = [0; 12];
        let (utc, west) = bytes.split_at_mut(8);
        // Without signs, so that bytes are in the order of what they are of.
        utc.copy_from_slice(&(self.utc() ^ i64::MIN).to_be_bytes());
        west.copy_from_slice(&(-self.east ^ i32::MIN).to_be_bytes());
        bytes
    }

    /// Of what columns have; none of other bytes.
    pub(crate) fn of_bytes(bytes: &[u8]) -> Option<Self> {
        let (utc, west) = bytes.split_first_chunk::<8>()?;
        let west = i32::from_be_bytes(west.try_into().ok()?) ^ i32::MIN;
        let east = west.checked_neg()?;
        let micros = (i64::from_be_bytes(*utc) ^ i64::MIN).checked_add(i64::from(east) * MICROS_A_SECOND)?;
        Some(Self { micros, east })
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;

    /// `SELECT t FROM … ORDER BY t` of PostgreSQL 15.
    #[test]
    fn bytes_are_in_the_order_of_instants_and_distances() {
        let hour = 3_600_000_000;
        let ordered = [
            ZonedTime { micros: 0, east: 15 * 3_600 },
            ZonedTime { micros: 12 * hour, east: 2 * 3_600 },
            ZonedTime { micros: 11 * hour, east: 3_600 },
            ZonedTime { micros: 10 * hour, east: 0 },
            ZonedTime { micros: 4 * hour, east: -8 * 3_600 },
            ZonedTime { micros: 24 * hour, east: -15 * 3_600 },
        ];
        let bytes = ordered.map(ZonedTime::bytes);
        assert!(bytes.is_sorted() && bytes.windows(2).all(|pair| pair[0] != pair[1]));
        assert_eq!(bytes.map(|bytes| ZonedTime::of_bytes(&bytes).unwrap()), ordered);
        assert_eq!(ZonedTime::of_bytes(&[0; 3]), None);
    }
}
