//! The names of the parts that dates, times and intervals have.

use crate::{
    fault::{Failure, Fault},
    pgtype::PgType,
};

/// A part.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Field {
    Microseconds,
    Milliseconds,
    Second,
    Minute,
    Hour,
    Day,
    Week,
    Month,
    Quarter,
    Year,
    Decade,
    Century,
    Millennium,
    Timezone,
    TimezoneHour,
    TimezoneMinute,
    DayOfWeek,
    IsoDayOfWeek,
    DayOfYear,
    IsoYear,
    Julian,
    Epoch,
    /// A word that texts of timestamps have, and no part.
    Word,
}

/// A name is as good as another that begins with the same letters.
const COMPARED: usize = 10;

/// The names of parts that times are cut off at, too; those of other lengths than [`COMPARED`] are whole.
const UNITS: &[(Field, &[&str])] = &[
    (Field::Microseconds, &["us", "usec", "usecond", "useconds", "usecs", "microsecon"]),
    (Field::Milliseconds, &["ms", "msec", "msecond", "mseconds", "msecs", "millisecon"]),
    (Field::Second, &["s", "sec", "second", "seconds", "secs"]),
    (Field::Minute, &["m", "min", "mins", "minute", "minutes"]),
    (Field::Hour, &["h", "hour", "hours", "hr", "hrs"]),
    (Field::Day, &["d", "day", "days"]),
    (Field::Week, &["w", "week", "weeks"]),
    (Field::Month, &["mon", "mons", "month", "months"]),
    (Field::Quarter, &["qtr", "quarter"]),
    (Field::Year, &["y", "year", "years", "yr", "yrs"]),
    (Field::Decade, &["dec", "decade", "decades", "decs"]),
    (Field::Century, &["c", "cent", "centuries", "century"]),
    (Field::Millennium, &["mil", "millennia", "millennium", "mils"]),
    (Field::Timezone, &["timezone"]),
    (Field::TimezoneHour, &["timezone_h"]),
    (Field::TimezoneMinute, &["timezone_m"]),
];

/// The names of those that they only have.
const OTHERS: &[(Field, &[&str])] = &[
    (Field::Minute, &["mm"]),
    (Field::DayOfWeek, &["dow"]),
    (Field::IsoDayOfWeek, &["isodow"]),
    (Field::DayOfYear, &["doy"]),
    (Field::IsoYear, &["isoyear"]),
    (Field::Julian, &["j", "jd", "julian"]),
    (Field::Epoch, &["epoch"]),
    (Field::Word, &["-infinity", "allballs", "infinity", "now", "today", "tomorrow", "yesterday"]),
];

/// What a name of a part means, for values of a type.
#[derive(Debug)]
pub(super) struct Named<'a> {
    name: &'a str,
    of: &'a PgType,
}

impl<'a> Named<'a> {
    pub(super) fn new(name: &'a str, of: &'a PgType) -> Self {
        Self { name, of }
    }

    /// A part that times are cut off at.
    pub(super) fn unit(&self) -> Result<Field, Failure> {
        found(UNITS, &self.letters()).ok_or_else(|| self.not_recognized())
    }

    /// Any part.
    pub(super) fn part(&self) -> Result<Field, Failure> {
        part(self.name).ok_or_else(|| self.not_recognized())
    }

    fn letters(&self) -> String {
        letters(self.name)
    }

    pub(super) fn not_recognized(&self) -> Failure {
        let (name, of) = (self.name.to_lowercase(), self.of.spelling);
        Failure::new(Fault::InvalidArgument, format!("unit \"{name}\" not recognized for type {of}"))
    }

    /// Values of the type do not have that part.
    pub(super) fn not_supported(&self) -> Failure {
        let (name, of) = (self.name.to_lowercase(), self.of.spelling);
        Failure::new(Fault::FeatureNotSupported, format!("unit \"{name}\" not supported for type {of}"))
    }
}

/// The part of that name, if there is one.
pub(super) fn part(name: &str) -> Option<Field> {
    let letters = letters(name);
    found(UNITS, &letters).or_else(|| found(OTHERS, &letters))
}

/// Names are read in small letters, and not to the end.
fn letters(name: &str) -> String {
    name.to_lowercase().chars().take(COMPARED).collect()
}

fn found(known: &[(Field, &[&str])], letters: &str) -> Option<Field> {
    known.iter().find(|(_, names)| names.contains(&letters)).map(|(field, _)| *field)
}

/// The part that a name means, which is looked up once for all rows that have it.
#[derive(Debug, Default)]
pub(super) struct LastField {
    name: String,
    field: Option<Field>,
}

impl LastField {
    /// The part of this name, by a way to look it up.
    pub(super) fn of(&mut self, name: &str, find: impl FnOnce() -> Result<Field, Failure>) -> Result<Field, Failure> {
        if let Some(field) = self.field.filter(|_| self.name == name) {
            return Ok(field);
        }
        let field = find()?;
        name.clone_into(&mut self.name);
        self.field = Some(field);
        Ok(field)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::pgtype::TIMESTAMP;

    /// As PostgreSQL 15 reads them in extract and date_trunc.
    #[test]
    fn parts_have_short_names_and_endings() {
        for (name, expected) in [
            ("YEAR", Some(Field::Year)),
            ("microseconds", Some(Field::Microseconds)),
            ("microsecondfoo", Some(Field::Microseconds)),
            ("millenniums", Some(Field::Millennium)),
            ("m", Some(Field::Minute)),
            ("mm", Some(Field::Minute)),
            ("jd", Some(Field::Julian)),
            ("timezone_hour", Some(Field::TimezoneHour)),
            ("secondly", None),
            ("'year'", None),
            ("", None),
        ] {
            assert_eq!(part(name), expected, "{name}");
        }
        let cut_off = |name| Named::new(name, &TIMESTAMP).unit().map_err(|error| error.to_string());
        assert_eq!(cut_off("Qtr"), Ok(Field::Quarter));
        let not_recognized = "unit \"dow\" not recognized for type timestamp without time zone";
        assert_eq!(cut_off("DOW"), Err(not_recognized.to_owned()));
    }
}
