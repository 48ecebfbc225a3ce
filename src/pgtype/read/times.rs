//! Dates, times of day and timestamps, from texts in every form that PostgreSQL reads.
//!
//! A type without a zone takes what the clock shows, and no notice of a zone that is written; a fraction of a second is rounded
//! to the places that the type has.

use arrow::datatypes::{DataType, TimeUnit};
use chrono::Utc;
use datafusion::common::ScalarValue;

use super::{
    moments::{self, Around, InZone, Moment, Unfit},
    parts::micros_of,
    zoned_value,
};
use crate::pgtype::{
    DateOrder, EPOCH_MICROS, InSession, ZONED_TIME, Zone, ZonedTime,
    calendar::{MICROS_A_DAY, infinite, infinite_date, is_day},
};

/// The value of a text as one of a type of dates or times, in a session whose clocks show this zone.
pub(crate) fn read_time<'a>(
    text: &str,
    to: &DataType,
    session: impl Into<InSession<'a>>,
) -> Result<ScalarValue, Unfit> {
    let session = session.into();
    if *to == ZONED_TIME {
        return Ok(zoned_value(read_zoned(text, session)?));
    }
    let count = read_count(text, to, session)?;
    let narrow = || i32::try_from(count).map_err(|_| Unfit::Range);
    Ok(match to {
        DataType::Time32(TimeUnit::Second) => ScalarValue::Time32Second(Some(narrow()?)),
        DataType::Time32(_) => ScalarValue::Time32Millisecond(Some(narrow()?)),
        DataType::Time64(TimeUnit::Nanosecond) => ScalarValue::Time64Nanosecond(Some(count)),
        DataType::Time64(_) => ScalarValue::Time64Microsecond(Some(count)),
        DataType::Timestamp(unit, zone) => match unit {
            TimeUnit::Second => ScalarValue::TimestampSecond(Some(count), zone.clone()),
            TimeUnit::Millisecond => ScalarValue::TimestampMillisecond(Some(count), zone.clone()),
            TimeUnit::Microsecond => ScalarValue::TimestampMicrosecond(Some(count), zone.clone()),
            TimeUnit::Nanosecond => ScalarValue::TimestampNanosecond(Some(count), zone.clone()),
        },
        _ => ScalarValue::Date32(Some(narrow()?)),
    })
}

/// The same as what values of the type count.
pub(crate) fn read_count<'a>(text: &str, to: &DataType, session: impl Into<InSession<'a>>) -> Result<i64, Unfit> {
    let around = Session(session.into());
    let (unit, shown) = match to {
        DataType::Time32(unit) | DataType::Time64(unit) => {
            return in_unit(moments::clock(text, &around)?.micros, *unit).ok_or(Unfit::Range);
        }
        DataType::Timestamp(unit, shown) => (*unit, shown.as_deref()),
        _ => {
            let moment = moments::moment(text, &around)?;
            return match moment.infinity() {
                Some(is_before) => Ok(infinite_date(is_before).into()),
                None => Ok(stored(moment)?.day),
            };
        }
    };
    let moment = moments::moment(text, &around)?;
    if let Some(is_before) = moment.infinity() {
        // Of other units are columns of files alone, in which every number is a time.
        return if unit == TimeUnit::Microsecond { Ok(infinite(is_before)) } else { Err(Unfit::Range) };
    }
    let moment = stored(moment)?;
    let local = (moment.day * MICROS_A_DAY).checked_add(moment.micros).ok_or(Unfit::Range)?;
    let micros = match shown {
        None => local,
        Some(own) => zone_of(moment.zone.as_ref(), own)?.instant_of(local).ok_or(Unfit::Range)?,
    };
    let count = match unit {
        TimeUnit::Nanosecond => nanoseconds(text, micros),
        // PostgreSQL counts from 2000.
        unit => in_unit(micros - EPOCH_MICROS, unit).zip(in_unit(EPOCH_MICROS, unit)).map(|(count, from)| count + from),
    };
    count.ok_or(Unfit::Range)
}

/// The time of day of a text, and the distance of the clock that shows it: that of the zone that the text says, or of the
/// session's, on the day that it says, or today.
pub(crate) fn read_zoned<'a>(text: &str, session: impl Into<InSession<'a>>) -> Result<ZonedTime, Unfit> {
    let around = Session(session.into());
    let clock = moments::clock(text, &around)?;
    let day = clock.day.unwrap_or_else(|| around.now().0);
    let shown =
        day.checked_mul(MICROS_A_DAY).and_then(|begins| begins.checked_add(clock.micros)).ok_or(Unfit::Range)?;
    let seconds = zone_of(clock.zone.as_ref(), around.0.zone)?.seconds_where(shown);
    let east = i32::try_from(seconds).map_err(|_| Unfit::Displacement)?;
    Ok(ZonedTime { micros: clock.micros, east })
}

/// Whether a text means another time whenever it is read: `now`, `today`.
pub(crate) fn tells_time(text: &str) -> bool {
    let is_relative = |word: &str| {
        ["now", "today", "tomorrow", "yesterday"].iter().any(|relative| word.eq_ignore_ascii_case(relative))
    };
    text.len() <= MOST_LETTERS && text.split(|letter: char| !letter.is_ascii_alphabetic()).any(is_relative)
}

/// What is longer is no date.
const MOST_LETTERS: usize = 128;

fn stored(moment: Moment) -> Result<Moment, Unfit> {
    if is_day(moment.day) { Ok(moment) } else { Err(Unfit::Range) }
}

/// The zone that a text says, else this one.
fn zone_of(said: Option<&InZone>, own: &str) -> Result<Zone, Unfit> {
    match said {
        Some(InZone::Fixed(seconds)) => Ok(Zone::fixed(*seconds)),
        Some(InZone::Abbreviated(found)) => Zone::abbreviated(*found).ok_or(Unfit::Syntax),
        Some(InZone::Named(name)) => Zone::named(name).ok_or_else(|| Unfit::Zone(name.to_ascii_lowercase())),
        None => Ok(Zone::of_session(own)),
    }
}

/// Microseconds in a unit, of which half a one is rounded away from zero.
fn in_unit(micros: i64, unit: TimeUnit) -> Option<i64> {
    let each = match unit {
        TimeUnit::Second => 1_000_000,
        TimeUnit::Millisecond => 1_000,
        TimeUnit::Microsecond => 1,
        TimeUnit::Nanosecond => return micros.checked_mul(1_000),
    };
    let half = if micros < 0 { -each / 2 } else { each / 2 };
    Some(micros.checked_add(half)? / each)
}

/// The nanoseconds of a text that was read as so many microseconds: files have such, and PostgreSQL does not.
fn nanoseconds(text: &str, micros: i64) -> Option<i64> {
    let behind = text.split_once(':').and_then(|(_, clock)| clock.split_once('.')).map_or("", |(_, behind)| behind);
    let end = behind.find(|letter: char| !letter.is_ascii_digit()).unwrap_or(behind.len());
    let Some(written) = behind.get(..end.min(9)).filter(|written| written.len() > 6) else {
        return micros.checked_mul(1_000);
    };
    let nanoseconds = format!("{written:0<9}").parse::<i64>().ok()?;
    let rounded = micros_of(&format!(".{}", behind.get(..end)?)).ok()?;
    micros.checked_sub(rounded)?.checked_mul(1_000)?.checked_add(nanoseconds)
}

/// The session that a text is read in.
struct Session<'a>(InSession<'a>);

impl Around for Session<'_> {
    fn now(&self) -> (i64, i64) {
        let instant = Utc::now().timestamp_micros();
        let shown = Zone::of_session(self.0.zone).shown_at(instant).unwrap_or(instant);
        (shown.div_euclid(MICROS_A_DAY), shown.rem_euclid(MICROS_A_DAY))
    }

    fn is_zone(&self, name: &str) -> bool {
        Zone::named(name).is_some()
    }

    fn order(&self) -> DateOrder {
        self.0.styles.order
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;

    fn count(text: &str, to: &DataType) -> Result<i64, Unfit> {
        read_count(text, to, "Europe/Berlin")
    }

    /// As PostgreSQL 15 reads them, in a session of Berlin.
    #[test]
    fn texts_are_values_of_the_unit_and_the_zone() {
        let local = |unit| DataType::Timestamp(unit, None);
        let micros = local(TimeUnit::Microsecond);
        let instant = DataType::Timestamp(TimeUnit::Microsecond, Some("Europe/Berlin".into()));
        for (text, to, expected) in [
            ("2020-01-01 00:00:00.1234567", &micros, 1_577_836_800_123_457),
            ("2020-12-31 23:59:59.9999999", &micros, 1_609_459_200_000_000),
            ("2020-01-01 00:00:00.1234565", &micros, 1_577_836_800_123_456),
            ("2020-01-01 00:00:00.1234575", &micros, 1_577_836_800_123_458),
            ("2020-01-01 10:00:00+05", &micros, 1_577_872_800_000_000),
            (" 2020-01-01T10:00Z ", &micros, 1_577_872_800_000_000),
            ("2020-01-01 10:00:00 America/New_York", &micros, 1_577_872_800_000_000),
            ("0001-01-01", &micros, -62_135_596_800_000_000),
            ("4714-11-24 BC", &micros, -210_866_803_200_000_000),
            ("262142-12-31 23:59:59.999999", &micros, 8_210_266_876_799_999_999),
            ("2020-01-01 10:00:00.9996", &local(TimeUnit::Millisecond), 1_577_872_801_000),
            ("1999-12-31 10:00:00.9995", &local(TimeUnit::Millisecond), 946_634_400_999),
            ("2020-01-01 10:00:00.0005", &local(TimeUnit::Millisecond), 1_577_872_800_001),
            ("2020-01-01 10:00:00.5", &local(TimeUnit::Second), 1_577_872_801),
            ("1999-12-31 10:00:00.5", &local(TimeUnit::Second), 946_634_400),
            ("2020-01-01 10:00:00.1234567+05", &instant, 1_577_854_800_123_457),
            ("2024-05-06 12:00", &instant, 1_714_989_600_000_000),
            ("2024-03-31 02:30", &instant, 1_711_848_600_000_000),
            ("2024-10-27 02:30", &instant, 1_729_992_600_000_000),
            ("2024-05-06 12:00 PST", &instant, 1_715_025_600_000_000),
            ("2024-05-06 12:00 america/new_york", &instant, 1_715_011_200_000_000),
            ("2024-05-06 12:00 UTC+3", &instant, 1_715_007_600_000_000),
            ("epoch", &instant, 0),
            ("2020-01-01T23:00:00-05", &DataType::Date32, 18_262),
            ("May 6 2024", &DataType::Date32, 19_849),
            ("J2451187", &DataType::Date32, 10_599),
            ("24:00", &DataType::Time64(TimeUnit::Microsecond), 86_400_000_000),
            ("12:34.5", &DataType::Time64(TimeUnit::Microsecond), 754_500_000),
            ("10:00 pm", &DataType::Time64(TimeUnit::Microsecond), 79_200_000_000),
            ("10:00:00.1234567", &DataType::Time64(TimeUnit::Nanosecond), 36_000_123_457_000),
        ] {
            assert_eq!(count(text, to), Ok(expected), "{text}");
        }
        // Files have nanoseconds.
        let nanoseconds = local(TimeUnit::Nanosecond);
        let expected = 1_577_872_800_123_456_789;
        assert_eq!(count("2020-01-01 10:00:00.123456789", &nanoseconds), Ok(expected));
        assert_eq!(count("2020-01-01 10:00:00.9999999", &nanoseconds), Ok(1_577_872_800_999_999_900));
        assert_eq!(count("3020-01-01", &nanoseconds), Err(Unfit::Range));
        assert_eq!(count("262143-01-01", &micros), Err(Unfit::Range));
        for (text, is_before) in [("infinity", false), ("-infinity", true)] {
            assert_eq!(count(text, &micros), Ok(infinite(is_before)));
            assert_eq!(count(text, &instant), Ok(infinite(is_before)));
            assert_eq!(count(text, &DataType::Date32), Ok(i64::from(infinite_date(is_before))));
            assert_eq!(count(text, &nanoseconds), Err(Unfit::Range));
        }
        assert_eq!(count("infinity", &DataType::Time64(TimeUnit::Microsecond)), Err(Unfit::Syntax));
        assert_eq!(count("2020-01-01 Mars/Phobos", &micros), Err(Unfit::Zone("mars/phobos".to_owned())));
    }

    #[test]
    fn words_tell_the_time() {
        for text in ["now", "Today", "tomorrow 10:00", "10:00 YESTERDAY"] {
            assert!(tells_time(text), "{text}");
        }
        for text in ["", "know", "nowhere", "2024-05-06", "epoch"] {
            assert!(!tells_time(text), "{text}");
        }
    }
}
