//! Zones as POSIX writes them: `UTC+3`, `<+03>-03`, `EST5EDT,M3.2.0,M11.1.0`. Hours count to the west of UTC.

use super::super::calendar::{SECONDS_A_DAY, civil, day_of, days_in, weekday};

/// A zone, whose clocks may be put forward in summer.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Posix {
    /// Seconds to the east of UTC.
    standard: i64,
    summer: Option<Summer>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct Summer {
    east: i64,
    start: Rule,
    end: Rule,
}

/// When clocks are put forward or back.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct Rule {
    day: Day,
    /// Seconds since that day's midnight, by the clocks until then.
    second: i64,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Day {
    /// From 1 on, without leap days.
    Counted(i64),
    /// From 0 on.
    OfYear(i64),
    /// The last one if the week is 5.
    Weekday { month: i64, week: i64, weekday: i64 },
}

const SECONDS_AN_HOUR: i64 = 3_600;

/// Hours that clocks may be from UTC, or that they may be put forward after midnight.
const MOST_HOURS: i64 = 24 * 7 - 1;

/// The rules of a summer time that has none: those of the United States.
const START: Rule = Rule { day: Day::Weekday { month: 3, week: 2, weekday: 0 }, second: 2 * SECONDS_AN_HOUR };
const END: Rule = Rule { day: Day::Weekday { month: 11, week: 1, weekday: 0 }, second: 2 * SECONDS_AN_HOUR };

/// The zone that is written so; none if it is not written as one.
pub(super) fn read(text: &str) -> Option<Posix> {
    let mut reader = Reader { rest: text };
    reader.name()?;
    let standard = -reader.seconds()?;
    if reader.rest.is_empty() {
        return Some(Posix { standard, summer: None });
    }
    if reader.name()?.is_empty() {
        return None;
    }
    let east = match reader.rest.starts_with([',', ';']) || reader.rest.is_empty() {
        true => standard + SECONDS_AN_HOUR,
        false => -reader.seconds()?,
    };
    let (mut start, mut end) = (START, END);
    if !reader.rest.is_empty() {
        reader.rest = reader.rest.strip_prefix([',', ';'])?;
        start = reader.rule()?;
        reader.rest = reader.rest.strip_prefix(',')?;
        end = reader.rule()?;
    }
    reader.rest.is_empty().then_some(Posix { standard, summer: Some(Summer { east, start, end }) })
}

impl Posix {
    /// The seconds to the east of UTC where clocks are never put forward.
    pub(super) fn fixed(self) -> Option<i64> {
        self.summer.is_none().then_some(self.standard)
    }

    /// The seconds that clocks are to the east of UTC so many seconds after 1970 began.
    pub(super) fn seconds_at(self, instant: i64) -> i64 {
        let Some(Summer { east, start, end }) = self.summer else { return self.standard };
        let (year, _, _) = civil((instant + self.standard).div_euclid(SECONDS_A_DAY));
        let (start, end) = (start.in_year(year) - self.standard, end.in_year(year) - east);
        let is_summer = if start < end { (start..end).contains(&instant) } else { !(end..start).contains(&instant) };
        if is_summer { east } else { self.standard }
    }
}

impl Rule {
    /// What clocks show then, in seconds since 1970.
    fn in_year(self, year: i64) -> i64 {
        let first = day_of(year, 1, 1);
        let days = match self.day {
            Day::Counted(day) => first + day - 1 + i64::from(day >= 60 && days_in(year, 2) == 29),
            Day::OfYear(day) => first + day,
            Day::Weekday { month, week, weekday: wanted } => {
                let first = day_of(year, month, 1);
                let found = first + (wanted - weekday(first)).rem_euclid(7) + (week - 1) * 7;
                if found < first + days_in(year, month) { found } else { found - 7 }
            }
        };
        days * SECONDS_A_DAY + self.second
    }
}

struct Reader<'a> {
    rest: &'a str,
}

impl<'a> Reader<'a> {
    /// A name, which may be in angle brackets; without them it ends before what may begin a distance, and may be empty.
    fn name(&mut self) -> Option<&'a str> {
        if let Some(behind) = self.rest.strip_prefix('<') {
            let (name, rest) = behind.split_once('>')?;
            self.rest = rest;
            return Some(name);
        }
        let ends = |letter: char| letter.is_ascii_digit() || matches!(letter, ',' | '-' | '+');
        let (name, rest) = self.rest.split_at(self.rest.find(ends).unwrap_or(self.rest.len()));
        self.rest = rest;
        Some(name)
    }

    /// `3`, `-03:30` or `+3:30:15`, in seconds.
    fn seconds(&mut self) -> Option<i64> {
        let is_negative = self.rest.starts_with('-');
        self.rest = self.rest.strip_prefix(['-', '+']).unwrap_or(self.rest);
        let mut seconds = self.number(0, MOST_HOURS)? * SECONDS_AN_HOUR;
        if let Some(rest) = self.rest.strip_prefix(':') {
            self.rest = rest;
            seconds += self.number(0, 59)? * 60;
            if let Some(rest) = self.rest.strip_prefix(':') {
                self.rest = rest;
                seconds += self.number(0, 60)?;
            }
        }
        Some(if is_negative { -seconds } else { seconds })
    }

    fn rule(&mut self) -> Option<Rule> {
        let day = if let Some(rest) = self.rest.strip_prefix('J') {
            self.rest = rest;
            Day::Counted(self.number(1, 365)?)
        } else if let Some(rest) = self.rest.strip_prefix('M') {
            self.rest = rest;
            let month = self.number(1, 12)?;
            self.rest = self.rest.strip_prefix('.')?;
            let week = self.number(1, 5)?;
            self.rest = self.rest.strip_prefix('.')?;
            Day::Weekday { month, week, weekday: self.number(0, 6)? }
        } else {
            Day::OfYear(self.number(0, 365)?)
        };
        let second = match self.rest.strip_prefix('/') {
            Some(rest) => {
                self.rest = rest;
                self.seconds()?
            }
            None => 2 * SECONDS_AN_HOUR,
        };
        Some(Rule { day, second })
    }

    fn number(&mut self, least: i64, most: i64) -> Option<i64> {
        let end = self.rest.find(|letter: char| !letter.is_ascii_digit()).unwrap_or(self.rest.len());
        let (digits, rest) = self.rest.split_at(end);
        self.rest = rest;
        digits.parse().ok().filter(|number| (least..=most).contains(number))
    }
}
