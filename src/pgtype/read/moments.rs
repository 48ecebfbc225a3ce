//! Texts of dates, times of day and timestamps, in every form that PostgreSQL reads.
//!
//! A text is cut into fields, which are looked at from the left; what a number is follows from what is known by then.

mod said;

use super::{
    parts::{beyond_a_day, colons, displacement, micros_of, plain},
    tokens::{Field, Kind, cut, fraction, whole},
    words::{Unit, Word, is_word, word},
};
use crate::pgtype::{
    DateOrder,
    calendar::{JULIAN_1970, MICROS_A_DAY, MICROS_A_SECOND, civil, day_of, days_in},
    fixed_distance,
    zone::Abbreviation,
};

/// Why a text is no value of a type.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Unfit {
    /// It is not written as one.
    Syntax,
    /// A part of it is beyond what it may be.
    Field,
    /// The same of an interval.
    IntervalField,
    /// It is none of those that are stored.
    Range,
    /// It is further from UTC than a zone may be.
    Displacement,
    /// It names a zone that there is not.
    Zone(String),
}

/// A zone that a text says.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum InZone {
    /// Seconds to the east of UTC.
    Fixed(i64),
    /// One whose distance depends on the time.
    Abbreviated(Abbreviation),
    Named(String),
}

/// What a text says: what a clock shows, and perhaps of which zone.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Moment {
    /// Days since 1970.
    pub(super) day: i64,
    /// Microseconds since midnight, which may be the next one.
    pub(super) micros: i64,
    pub(super) zone: Option<InZone>,
}

impl Moment {
    /// The one before all others.
    const FIRST: Self = Self { day: i64::MIN, micros: 0, zone: None };

    /// The one after all others.
    const LAST: Self = Self { day: i64::MAX, micros: 0, zone: None };

    /// Whether it is before all others, if it is before or after them.
    pub(super) fn infinity(&self) -> Option<bool> {
        matches!(self.day, i64::MIN | i64::MAX).then_some(self.day < 0)
    }
}

/// What a reader asks of the world around the text.
pub(super) trait Around {
    /// What the session's clocks show: days since 1970, and microseconds since midnight.
    fn now(&self) -> (i64, i64);

    /// Whether a zone has this name.
    fn is_zone(&self, name: &str) -> bool;

    /// What comes first in dates whose first number may be any part.
    fn order(&self) -> DateOrder {
        DateOrder::default()
    }
}

type Result<T> = std::result::Result<T, Unfit>;

/// Reads a date or a timestamp.
pub(super) fn moment(text: &str, around: &dyn Around) -> Result<Moment> {
    if let Some(plain) = plain(text.as_bytes()) {
        return Ok(plain);
    }
    let fields = cut(text, is_word).ok_or(Unfit::Syntax)?;
    let mut reader = Reader::new(around);
    reader.read(&fields)?;
    reader.moment()
}

/// A time of day, and what a text says beside it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Clock {
    /// Microseconds since midnight, which may be the next one.
    pub(super) micros: i64,
    /// Days since 1970.
    pub(super) day: Option<i64>,
    pub(super) zone: Option<InZone>,
}

/// Reads a time of day.
pub(super) fn clock(text: &str, around: &dyn Around) -> Result<Clock> {
    let fields = cut(text, is_word).ok_or(Unfit::Syntax)?;
    let mut reader = Reader { is_clock: true, ..Reader::new(around) };
    reader.read(&fields)?;
    reader.clock()
}

/// What is known, a bit for each.
const YEAR: u32 = 1;
const MONTH: u32 = 1 << 1;
const DAY: u32 = 1 << 2;
const HOUR: u32 = 1 << 3;
const MINUTE: u32 = 1 << 4;
const SECOND: u32 = 1 << 5;
const ZONE: u32 = 1 << 6;
const DAY_OF_YEAR: u32 = 1 << 7;
const WEEKDAY: u32 = 1 << 8;
const HALF: u32 = 1 << 9;
const ERA: u32 = 1 << 10;
const SUMMER: u32 = 1 << 11;
const SPECIAL: u32 = 1 << 12;
const DATE: u32 = YEAR | MONTH | DAY;
const CLOCK: u32 = HOUR | MINUTE | SECOND;

struct Reader<'a> {
    around: &'a dyn Around,
    /// Whether it is a time of day that is read.
    is_clock: bool,
    known: u32,
    year: i64,
    month: i64,
    day: i64,
    day_of_year: i64,
    hour: i64,
    minute: i64,
    second: i64,
    micros: i64,
    /// The year has two digits.
    is_short: bool,
    /// The day came as a number of days.
    is_julian: bool,
    /// The month is a word.
    is_named: bool,
    afternoon: Option<bool>,
    before_christ: bool,
    zone: Option<InZone>,
    /// What the next number is.
    next: Option<Unit>,
    /// What a word alone says that has no parts.
    special: Option<Moment>,
}

impl<'a> Reader<'a> {
    fn new(around: &'a dyn Around) -> Self {
        Self {
            around,
            is_clock: false,
            known: 0,
            year: 0,
            month: 0,
            day: 0,
            day_of_year: 0,
            hour: 0,
            minute: 0,
            second: 0,
            micros: 0,
            is_short: false,
            is_julian: false,
            is_named: false,
            afternoon: None,
            before_christ: false,
            zone: None,
            next: None,
            special: None,
        }
    }

    fn has(&self, fields: u32) -> bool {
        self.known & fields == fields
    }

    /// What is known where a number is looked at: a time of day has no use for dates.
    fn seen(&self) -> u32 {
        if self.is_clock { self.known | DATE } else { self.known }
    }

    fn read(&mut self, fields: &[Field<'_>]) -> Result<()> {
        for (at, field) in fields.iter().enumerate() {
            let found = match field.kind {
                Kind::Date => self.date_field(at, fields)?,
                Kind::Clock => {
                    match self.next.take() {
                        None | Some(Unit::Clock) => {}
                        Some(_) => return Err(Unfit::Syntax),
                    }
                    self.colons(&field.text)?
                }
                Kind::Signed => {
                    self.zone = Some(InZone::Fixed(displacement(&field.text)?));
                    ZONE
                }
                Kind::Number => self.number_field(at, fields)?,
                Kind::Word | Kind::SignedWord => self.word_field(at, fields)?,
            };
            if found & self.known != 0 {
                return Err(Unfit::Syntax);
            }
            self.known |= found;
        }
        Ok(())
    }

    fn date_field(&mut self, at: usize, fields: &[Field<'_>]) -> Result<u32> {
        let Some(field) = fields.get(at) else { return Err(Unfit::Syntax) };
        let starts_with_digit = field.text.starts_with(|letter: char| letter.is_ascii_digit());
        if self.is_clock {
            let is_followed = at == 0
                && fields.len() >= 2
                && (fields.last().is_some_and(|last| last.kind == Kind::Date)
                    || fields.get(1).is_some_and(|next| next.kind == Kind::Clock));
            return match (is_followed, starts_with_digit) {
                (true, _) => self.date(&field.text),
                (false, true) => self.clock_in_zone(&field.text),
                (false, false) => self.named_zone(field.written),
            };
        }
        if self.next == Some(Unit::Julian) {
            self.next = None;
            let (number, rest) = whole(&field.text).ok_or(Unfit::Field)?;
            self.julian(number);
            self.zone = Some(InZone::Fixed(displacement(rest)?));
            return Ok(DATE | CLOCK | ZONE);
        }
        if self.next.is_none() && !self.has(MONTH | DAY) {
            return self.date(&field.text);
        }
        // A time without colons and its zone, or the name of a zone.
        if starts_with_digit || self.next.is_some() {
            if self.next.take().is_some_and(|next| next != Unit::Clock) || self.has(CLOCK) {
                return Err(Unfit::Syntax);
            }
            return self.clock_in_zone(&field.text);
        }
        self.named_zone(field.written)
    }

    /// `040506-08`
    fn clock_in_zone(&mut self, text: &str) -> Result<u32> {
        let at = text.find('-').ok_or(Unfit::Syntax)?;
        let (digits, zone) = text.split_at(at);
        self.zone = Some(InZone::Fixed(displacement(zone)?));
        Ok(self.run_together(digits, self.seen())? | ZONE)
    }

    fn named_zone(&mut self, name: &str) -> Result<u32> {
        if !self.around.is_zone(name) {
            return Err(Unfit::Zone(name.to_ascii_lowercase()));
        }
        self.zone = Some(InZone::Named(name.to_owned()));
        Ok(ZONE)
    }

    fn number_field(&mut self, at: usize, fields: &[Field<'_>]) -> Result<u32> {
        let Some(field) = fields.get(at) else { return Err(Unfit::Syntax) };
        let text = field.text.as_str();
        if let Some(unit) = self.next.take() {
            if self.is_clock && unit != Unit::Clock {
                return Err(Unfit::Syntax);
            }
            return self.number_of(unit, text);
        }
        let before_point = text.find('.');
        let is_open = |known: u32| known & DATE != DATE || known & CLOCK != CLOCK;
        if self.is_clock {
            return match before_point {
                Some(_)
                    if at == 0 && fields.len() >= 2 && fields.last().is_some_and(|last| last.kind == Kind::Date) =>
                {
                    self.date(text)
                }
                Some(digits) if digits > 2 => self.run_together(text, self.seen()),
                Some(_) => Err(Unfit::Syntax),
                None if text.len() > 4 => self.run_together(text, self.seen()),
                None => self.number(text, self.seen(), false),
            };
        }
        match before_point {
            Some(_) if self.known & DATE == 0 => self.date(text),
            Some(digits) if digits > 2 => self.run_together(text, self.known),
            _ if text.len() >= 6 && is_open(self.known) => self.run_together(text, self.known),
            _ => self.number(text, self.known, self.is_named),
        }
    }

    /// A number behind a letter.
    fn number_of(&mut self, unit: Unit, text: &str) -> Result<u32> {
        if unit == Unit::Clock {
            let found = self.run_together(text, self.known | DATE)?;
            return if found == CLOCK { Ok(found) } else { Err(Unfit::Syntax) };
        }
        let (number, rest) = whole(text).ok_or(Unfit::Field)?;
        let number = i64::from(i32::try_from(number).map_err(|_| Unfit::Field)?);
        let takes_fraction = matches!(unit, Unit::Julian | Unit::Second);
        if !rest.is_empty() && !takes_fraction {
            return Err(Unfit::Syntax);
        }
        Ok(match unit {
            Unit::Year => {
                self.year = number;
                YEAR
            }
            Unit::Month if self.known & (MONTH | HOUR) == MONTH | HOUR => {
                self.minute = number;
                MINUTE
            }
            Unit::Month => {
                self.month = number;
                MONTH
            }
            Unit::Day => {
                self.day = number;
                DAY
            }
            Unit::Hour => {
                self.hour = number;
                HOUR
            }
            Unit::Minute => {
                self.minute = number;
                MINUTE
            }
            Unit::Second => {
                self.second = number;
                if !rest.is_empty() {
                    self.micros = micros_of(rest)?;
                }
                SECOND
            }
            Unit::Julian => {
                self.julian(number);
                if rest.is_empty() {
                    return Ok(DATE);
                }
                let micros = (fraction(rest).ok_or(Unfit::Syntax)? * MICROS_A_DAY as f64) as i64;
                self.hour = micros / (3_600 * MICROS_A_SECOND);
                self.minute = micros / (60 * MICROS_A_SECOND) % 60;
                self.second = micros / MICROS_A_SECOND % 60;
                self.micros = micros % MICROS_A_SECOND;
                DATE | CLOCK
            }
            Unit::Clock => CLOCK,
        })
    }

    fn julian(&mut self, number: i64) {
        let (year, month, day) = civil(number - JULIAN_1970);
        (self.year, self.month, self.day) = (year, month, day);
        self.is_julian = true;
    }

    /// Parts with something between them.
    fn date(&mut self, text: &str) -> Result<u32> {
        let mut numbers = Vec::new();
        let (mut known, mut found, mut is_named) = (self.known, 0, false);
        let mut add = |part: u32, known: &mut u32| match *known & part {
            0 => {
                *known |= part;
                found |= part;
                Ok(())
            }
            _ => Err(Unfit::Syntax),
        };
        let mut rest = text;
        while !rest.is_empty() {
            rest = rest.trim_start_matches(|letter: char| !letter.is_ascii_alphanumeric());
            let is_digit = rest.starts_with(|letter: char| letter.is_ascii_digit());
            let of_kind = |letter: char| if is_digit { letter.is_ascii_digit() } else { letter.is_ascii_alphabetic() };
            let end = rest.find(|letter| !of_kind(letter)).unwrap_or(rest.len());
            if end == 0 {
                return Err(Unfit::Syntax);
            }
            let (part, behind) = rest.split_at(end);
            // What stands between the parts is one letter, whatever it is.
            let separator = behind.chars().next().map_or(0, char::len_utf8);
            rest = behind.get(separator..).unwrap_or_default();
            if is_digit {
                numbers.push(part);
                continue;
            }
            match word(part) {
                Some(Word::Filler) => {}
                Some(Word::Month(month)) => {
                    self.month = i64::from(month);
                    is_named = true;
                    add(MONTH, &mut known)?;
                }
                _ => return Err(Unfit::Syntax),
            }
        }
        for number in numbers {
            let part = self.number(number, known, is_named)?;
            add(part, &mut known)?;
        }
        if known & DATE != DATE || known & !(DATE | DAY_OF_YEAR | ZONE) != 0 {
            return Err(Unfit::Syntax);
        }
        Ok(found)
    }

    /// A number alone, by what is known and whether the month is a word.
    fn number(&mut self, text: &str, known: u32, is_named: bool) -> Result<u32> {
        let (number, rest) = whole(text).ok_or(Unfit::Field)?;
        let number = i64::from(i32::try_from(number).map_err(|_| Unfit::Field)?);
        let digits = text.len() - rest.len();
        if !rest.is_empty() {
            if digits > 2 {
                return self.run_together(text, known | DATE);
            }
            self.micros = micros_of(rest)?;
        }
        let length = text.len();
        if length == 3 && known & DATE == YEAR && (1..=366).contains(&number) {
            self.day_of_year = number;
            return Ok(DAY_OF_YEAR | MONTH | DAY);
        }
        let (is_year, order) = (length >= 3, self.around.order());
        let may_be_year = is_year || order == DateOrder::Year;
        let part = match known & DATE {
            0 if may_be_year => YEAR,
            0 if order == DateOrder::Day => DAY,
            0 => MONTH,
            YEAR => MONTH,
            MONTH if is_named && may_be_year => YEAR,
            MONTH => DAY,
            // The first number was the day.
            part if part == YEAR | MONTH && is_named && is_year && self.is_short => {
                self.day = self.year;
                self.year = number;
                self.is_short = false;
                return Ok(DAY);
            }
            part if part == YEAR | MONTH => DAY,
            DAY => MONTH,
            part if part == MONTH | DAY => YEAR,
            DATE => return self.run_together(text, known),
            _ => return Err(Unfit::Syntax),
        };
        match part {
            YEAR => {
                self.year = number;
                self.is_short = length <= 2;
            }
            MONTH => self.month = number,
            _ => self.day = number,
        }
        Ok(part)
    }

    /// `20240506`, `070809` or `0708`, and perhaps a fraction of a second.
    fn run_together(&mut self, text: &str, known: u32) -> Result<u32> {
        let (digits, is_date) = match text.find('.') {
            Some(at) => {
                let (digits, rest) = text.split_at(at);
                self.micros = micros_of(rest)?;
                (digits, false)
            }
            None => (text, known & DATE != DATE),
        };
        let part = |range: std::ops::Range<usize>| {
            digits.get(range).and_then(|part| part.parse::<i32>().ok()).map(i64::from).ok_or(Unfit::Syntax)
        };
        let length = digits.len();
        if is_date && length >= 6 {
            self.day = part(length - 2..length)?;
            self.month = part(length - 4..length - 2)?;
            self.year = part(0..length - 4)?;
            self.is_short |= length == 6;
            return Ok(DATE);
        }
        if known & CLOCK == CLOCK || !matches!(length, 4 | 6) {
            return Err(Unfit::Syntax);
        }
        self.hour = part(0..2)?;
        self.minute = part(2..4)?;
        self.second = if length == 6 { part(4..6)? } else { 0 };
        Ok(CLOCK)
    }

    /// `07:08:09.5`, and `08:09.5`, which is minutes and seconds.
    fn colons(&mut self, text: &str) -> Result<u32> {
        let [hour, minute, second, micros] = colons(text)?;
        (self.hour, self.minute, self.second, self.micros) = (hour, minute, second, micros);
        if !(0..60).contains(&minute) || !(0..=60).contains(&second) || hour < 0 || micros > MICROS_A_SECOND {
            return Err(Unfit::Field);
        }
        if !self.is_clock && beyond_a_day(hour, minute, second, micros) {
            return Err(Unfit::Field);
        }
        Ok(CLOCK)
    }

    fn half(&mut self) -> Result<()> {
        let Some(afternoon) = self.afternoon else { return Ok(()) };
        if self.hour > 12 {
            return Err(Unfit::Field);
        }
        self.hour = self.hour % 12 + if afternoon { 12 } else { 0 };
        Ok(())
    }

    /// The day of what is known of a date, and where it is no day, why.
    fn validated(&mut self) -> Result<()> {
        if self.has(YEAR) && !self.is_julian {
            if self.before_christ {
                if self.year <= 0 {
                    return Err(Unfit::Field);
                }
                self.year = 1 - self.year;
            } else if self.is_short {
                self.year += if self.year < 70 { 2_000 } else { 1_900 };
            } else if self.year <= 0 {
                return Err(Unfit::Field);
            }
        }
        if self.has(DAY_OF_YEAR) {
            let day = day_of(self.year, 1, 1) + self.day_of_year - 1;
            (self.year, self.month, self.day) = civil(day);
        }
        let is_month = (1..=12).contains(&self.month);
        if self.has(MONTH) && !is_month || self.has(DAY) && !(1..=31).contains(&self.day) {
            return Err(Unfit::Field);
        }
        if self.has(DATE) && self.day > days_in(self.year, self.month) {
            return Err(Unfit::Field);
        }
        Ok(())
    }

    fn moment(mut self) -> Result<Moment> {
        if let Some(special) = self.special.take() {
            return Ok(special);
        }
        self.validated()?;
        self.half()?;
        if !self.has(DATE) || self.has(SUMMER) && !self.has(ZONE) {
            return Err(Unfit::Syntax);
        }
        let (day, micros) = (day_of(self.year, self.month, self.day), self.of_day());
        if day < -JULIAN_1970 {
            return Err(Unfit::Range);
        }
        Ok(Moment { day, micros, zone: self.zone })
    }

    fn clock(mut self) -> Result<Clock> {
        self.validated()?;
        self.half()?;
        if beyond_a_day(self.hour, self.minute, self.second, self.micros) {
            return Err(Unfit::Field);
        }
        // What a zone's clocks show depends on the day, unless they are never put forward.
        if let Some(InZone::Named(name)) = &self.zone
            && let Some(seconds) = fixed_distance(&name.to_ascii_uppercase())
        {
            self.zone = Some(InZone::Fixed(seconds));
        }
        let is_open = matches!(self.zone, Some(InZone::Named(_))) && !self.has(DATE);
        if !self.has(CLOCK) || is_open {
            return Err(Unfit::Syntax);
        }
        let day = self.has(DATE).then(|| day_of(self.year, self.month, self.day));
        Ok(Clock { micros: self.of_day(), day, zone: self.zone })
    }

    fn of_day(&self) -> i64 {
        (self.hour * 3_600 + self.minute * 60 + self.second) * MICROS_A_SECOND + self.micros
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests;
