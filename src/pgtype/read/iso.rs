//! Intervals as ISO 8601 has them: `P1Y2M3DT4H5M6S`, `P0001-02-03T04:05:06` and `P00010203T040506`.

use super::{intervals::Sum, moments::Unfit};

/// The furthest that a number is from zero.
const MOST: f64 = 1e15;

/// Reads an interval with designators, or in the alternative format.
pub(super) fn in_designators(text: &str) -> Result<Sum, Unfit> {
    let mut reader = Reader {
        rest: text.strip_prefix('P').filter(|rest| !rest.is_empty()).ok_or(Unfit::Syntax)?,
        sum: Sum::default(),
    };
    let (mut is_date, mut has_field) = (true, false);
    while !reader.rest.is_empty() {
        if reader.takes('T') {
            (is_date, has_field) = (false, false);
            continue;
        }
        let part = reader.number()?;
        let is_first = !has_field;
        let unit = reader.unit();
        let whole = part.whole;
        match (is_date, unit) {
            (true, Some('Y')) => reader.sum.add_years(whole, part.fraction, 1),
            (true, Some('M')) => reader.sum.add_months(whole, part.fraction),
            (true, Some('W')) => reader.sum.add_weeks(whole, part.fraction),
            (true, Some('D')) => reader.sum.add_days(whole, part.fraction),
            (true, None | Some('T')) if part.digits == 8 && is_first => {
                let added = reader.sum.add_years(whole / 10_000, 0.0, 1);
                let added = added.and_then(|()| reader.sum.add_months(whole / 100 % 100, 0.0));
                added.and_then(|()| reader.sum.add_days(whole % 100, part.fraction)).ok_or(Unfit::Field)?;
                (is_date, has_field) = (false, false);
                continue;
            }
            (true, None | Some('T' | '-')) if is_first => {
                reader.sum.add_years(whole, part.fraction, 1).ok_or(Unfit::Field)?;
                if unit == Some('-') {
                    reader.date_parts()?;
                }
                (is_date, has_field) = (false, false);
                continue;
            }
            (false, Some('H')) => reader.sum.add_hours(whole, part.fraction),
            (false, Some('M')) => reader.sum.add_minutes(whole, part.fraction),
            (false, Some('S')) => reader.sum.add_seconds(whole, part.fraction),
            (false, None) if part.digits == 6 && is_first => {
                let added = reader.sum.add_hours(whole / 10_000, 0.0);
                let added = added.and_then(|()| reader.sum.add_minutes(whole / 100 % 100, 0.0));
                let added = added.and_then(|()| reader.sum.add_seconds(whole % 100, 0.0));
                return added
                    .and_then(|()| reader.sum.add_microseconds(0, part.fraction))
                    .map(|()| reader.sum)
                    .ok_or(Unfit::Field);
            }
            (false, None | Some(':')) if is_first => {
                reader.sum.add_hours(whole, part.fraction).ok_or(Unfit::Field)?;
                if unit.is_some() {
                    reader.clock_parts()?;
                }
                return Ok(reader.sum);
            }
            _ => return Err(Unfit::Syntax),
        }
        .ok_or(Unfit::Field)?;
        has_field = true;
    }
    Ok(reader.sum)
}

struct Reader<'a> {
    rest: &'a str,
    sum: Sum,
}

/// A number, and how many digits it has before a point.
struct Number {
    whole: i64,
    fraction: f64,
    digits: usize,
}

impl Reader<'_> {
    fn takes(&mut self, letter: char) -> bool {
        let rest = self.rest.strip_prefix(letter);
        self.rest = rest.unwrap_or(self.rest);
        rest.is_some()
    }

    fn unit(&mut self) -> Option<char> {
        let unit = self.rest.chars().next()?;
        self.rest = self.rest.get(unit.len_utf8()..).unwrap_or_default();
        Some(unit)
    }

    fn number(&mut self) -> Result<Number, Unfit> {
        let unsigned = self.rest.strip_prefix('-').unwrap_or(self.rest);
        let is_end = |letter: char| !letter.is_ascii_digit() && letter != '.';
        let end = unsigned.find(is_end).unwrap_or(unsigned.len());
        let digits = unsigned.find(|letter: char| !letter.is_ascii_digit()).unwrap_or(unsigned.len());
        let (written, rest) = self.rest.split_at(self.rest.len() - unsigned.len() + end);
        let number: f64 = written.parse().map_err(|_| Unfit::Syntax)?;
        if !(-MOST..=MOST).contains(&number) {
            return Err(Unfit::Field);
        }
        self.rest = rest;
        Ok(Number { whole: number.trunc() as i64, fraction: number.fract(), digits })
    }

    /// Months and days behind a year and a hyphen.
    fn date_parts(&mut self) -> Result<(), Unfit> {
        let months = self.number()?;
        self.sum.add_months(months.whole, months.fraction).ok_or(Unfit::Field)?;
        if self.rest.is_empty() || self.takes('T') {
            return Ok(());
        }
        if !self.takes('-') {
            return Err(Unfit::Syntax);
        }
        let days = self.number()?;
        self.sum.add_days(days.whole, days.fraction).ok_or(Unfit::Field)?;
        if self.rest.is_empty() || self.takes('T') { Ok(()) } else { Err(Unfit::Syntax) }
    }

    /// Minutes and seconds behind an hour and a colon.
    fn clock_parts(&mut self) -> Result<(), Unfit> {
        let minutes = self.number()?;
        self.sum.add_minutes(minutes.whole, minutes.fraction).ok_or(Unfit::Field)?;
        if self.rest.is_empty() {
            return Ok(());
        }
        if !self.takes(':') {
            return Err(Unfit::Syntax);
        }
        let seconds = self.number()?;
        self.sum.add_seconds(seconds.whole, seconds.fraction).ok_or(Unfit::Field)?;
        if self.rest.is_empty() { Ok(()) } else { Err(Unfit::Syntax) }
    }
}
