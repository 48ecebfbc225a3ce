//! Writes numbers as a template has them.

use super::{
    decimal::Decimal,
    node::{Node, ordinal},
    picture::{Facts, Key, Picture, SignPlace},
};
use crate::fault::{Failure, Fault, Result};

/// The digits that doubles and singles have for certain.
const DOUBLE_DIGITS: usize = 15;
const SINGLE_DIGITS: usize = 6;

/// The width of a Roman number.
const ROMAN_WIDTH: usize = 15;

/// A number of one of the types that are written.
#[derive(Debug, Clone, PartialEq)]
pub(super) enum Number {
    Int4(i32),
    Int8(i64),
    Float4(f32),
    Float8(f64),
    Numeric(Decimal),
}

/// A number's digits, fitted to a template.
struct Digits {
    /// With a point where the template or the number has one; of an overflow, signs.
    text: Vec<u8>,
    /// `+` or `-`; nothing of a Roman number.
    sign: Option<char>,
    /// How many more digits the template has before the point.
    missing: usize,
    facts: Facts,
}

/// A number while it is written.
struct Writer {
    digits: Digits,
    /// The next of the digits.
    at: usize,
    /// The place of the last digit behind the point that a template without zeros has to show.
    last: Option<usize>,
    /// How many digits and points of the template were met, and how many there are.
    met: usize,
    count: usize,
    has_sign: bool,
    is_inside: bool,
    out: String,
    /// A digit was asked for that the number does not have: nothing is shown from there on.
    is_over: bool,
}

impl Picture {
    /// The number as the template has it.
    pub(super) fn write(&self, number: &Number) -> Result<String> {
        if self.facts.has_exponent {
            return Ok(scientific(number, &self.facts));
        }
        let digits = Digits::of(number, self.facts)?;
        let mut writer = Writer::new(digits);
        for node in &self.nodes {
            match node {
                Node::Keyword(key) => writer.key(*key)?,
                other => other.character().into_iter().for_each(|character| writer.push(character)),
            }
        }
        Ok(writer.out)
    }
}

/// The number with an exponent, and nothing else of the template.
fn scientific(number: &Number, facts: &Facts) -> String {
    let text = match number {
        Number::Int4(value) => float_scientific(f64::from(*value), facts.places),
        Number::Int8(value) => Decimal::new(&value.to_string(), 0).scientific(facts.places),
        Number::Numeric(value) => value.scientific(facts.places),
        Number::Float4(value) if !value.is_finite() => return overflow_scientific(facts),
        Number::Float8(value) if !value.is_finite() => return overflow_scientific(facts),
        Number::Float4(value) => float_scientific(f64::from(*value), facts.places),
        Number::Float8(value) => float_scientific(*value, facts.places),
    };
    if text.starts_with('-') { text } else { format!(" {text}") }
}

fn float_scientific(value: f64, places: usize) -> String {
    let text = format!("{value:.places$e}");
    let (mantissa, exponent) = text.split_once('e').unwrap_or((&text, "0"));
    format!("{mantissa}e{:+03}", exponent.parse::<i32>().unwrap_or_default())
}

/// Beside the digits, there is room for two signs, the point, the `e` and two digits.
fn overflow_scientific(facts: &Facts) -> String {
    format!(" {}.{}", "#".repeat(facts.whole), "#".repeat(facts.places + 4))
}

impl Digits {
    fn of(number: &Number, mut facts: Facts) -> Result<Self> {
        if facts.is_roman {
            let text = roman(whole(number)?).into_bytes();
            let is_bare = facts.is_bare;
            return Ok(Self {
                text,
                sign: None,
                missing: 0,
                facts: Facts { is_bare, is_roman: true, ..Facts::default() },
            });
        }
        let shift = facts.shift;
        let text = match number {
            Number::Int4(value) => {
                let shifted = power_of_ten(shift).and_then(|power| i64::from(*value).checked_mul(power));
                integer(shifted.and_then(|value| i32::try_from(value).ok()), facts.places, "integer")?
            }
            Number::Int8(value) => {
                integer(power_of_ten(shift).and_then(|power| value.checked_mul(power)), facts.places, "bigint")?
            }
            Number::Numeric(value) => value.clone().shifted(shift).rounded(facts.places).text(),
            Number::Float4(value) => {
                let value = if facts.has_shift { value * ten_to(shift) as f32 } else { *value };
                float(f64::from(value), &mut facts, SINGLE_DIGITS)
            }
            Number::Float8(value) => {
                let value = if facts.has_shift { value * ten_to(shift) } else { *value };
                float(value, &mut facts, DOUBLE_DIGITS)
            }
        };
        facts.whole += shift;
        let (sign, text) = match text.strip_prefix('-') {
            Some(text) => ('-', text.to_owned()),
            None => ('+', text),
        };
        let length = text.find('.').unwrap_or(text.len());
        let missing = facts.whole.saturating_sub(length);
        let text = if length > facts.whole {
            format!("{}.{}", "#".repeat(facts.whole), "#".repeat(facts.places))
        } else {
            text
        };
        Ok(Self { text: text.into_bytes(), sign: Some(sign), missing, facts })
    }
}

fn power_of_ten(exponent: usize) -> Option<i64> {
    10_i64.checked_pow(u32::try_from(exponent).ok()?)
}

fn ten_to(exponent: usize) -> f64 {
    10_f64.powf(u32::try_from(exponent).map_or(f64::INFINITY, f64::from))
}

/// A whole number with zeros behind the point; none is one that its type cannot hold.
fn integer(value: Option<impl ToString>, places: usize, name: &str) -> Result<String> {
    let out_of_range = || Failure::new(Fault::NumericOutOfRange, format!("{name} out of range"));
    let value = value.ok_or_else(out_of_range)?.to_string();
    Ok(if places == 0 { value } else { format!("{value}.{}", "0".repeat(places)) })
}

/// A float with no more digits than it has for certain: places that it has not are taken from the template.
fn float(value: f64, facts: &mut Facts, certain: usize) -> String {
    let shown = |value: f64, places: usize| match value {
        value if value.is_nan() => "NaN".to_owned(),
        value if value.is_infinite() => if value < 0.0 { "-Infinity" } else { "Infinity" }.to_owned(),
        value => format!("{value:.places$}"),
    };
    facts.places = facts.places.min(certain.saturating_sub(shown(value.abs(), 0).len()));
    shown(value, facts.places)
}

/// The number as one that can be Roman, rounded; none is one that is far beyond those.
fn whole(number: &Number) -> Result<Option<i32>> {
    let out_of_range = |_| Failure::new(Fault::NumericOutOfRange, "integer out of range");
    Ok(match number {
        Number::Int4(value) => Some(*value),
        Number::Int8(value) => Some(i32::try_from(*value).map_err(out_of_range)?),
        Number::Numeric(value) => {
            let text = value.clone().rounded(0).text();
            Some(text.parse::<i32>().map_err(|_| Failure::new(Fault::NumericOutOfRange, "integer out of range"))?)
        }
        Number::Float4(value) => small(f64::from(*value)),
        Number::Float8(value) => small(*value),
    })
}

fn small(value: f64) -> Option<i32> {
    let value = value.round_ties_even();
    (0.0..=4_000.0).contains(&value).then_some(value as i32)
}

/// A number from 1 to 3999, in large letters.
fn roman(number: Option<i32>) -> String {
    const LETTERS: [(i32, &str); 13] = [
        (1_000, "M"),
        (900, "CM"),
        (500, "D"),
        (400, "CD"),
        (100, "C"),
        (90, "XC"),
        (50, "L"),
        (40, "XL"),
        (10, "X"),
        (9, "IX"),
        (5, "V"),
        (4, "IV"),
        (1, "I"),
    ];
    let Some(mut rest) = number.filter(|number| (1..4_000).contains(number)) else { return "#".repeat(ROMAN_WIDTH) };
    let mut text = String::new();
    for (value, letters) in LETTERS {
        while rest >= value {
            text.push_str(letters);
            rest -= value;
        }
    }
    text
}

impl Writer {
    fn new(mut digits: Digits) -> Self {
        let Digits { text, sign, missing, facts } = &mut digits;
        let has_own_sign = facts.has_plus || facts.has_minus;
        let has_sign = if has_own_sign {
            // `MI` and `SG` have the minus; beside `PL` it stands before the digits.
            facts.has_minus
        } else {
            if *sign != Some('-') && facts.has_brackets && facts.is_bare {
                facts.has_brackets = false;
            }
            if facts.sign == SignPlace::Before && facts.whole == facts.before_sign {
                facts.sign = SignPlace::Behind;
            }
            *sign == Some('+') && facts.is_bare && !facts.has_sign
        };
        let last = if facts.is_bare && facts.has_point { last_place(text, facts, *missing) } else { None };
        let count = facts.whole + facts.places + usize::from(!has_sign && *missing == 0);
        Self { digits, at: 0, last, met: 0, count, has_sign, is_inside: false, out: String::new(), is_over: false }
    }

    fn push(&mut self, character: char) {
        if !self.is_over {
            self.out.push(character);
        }
    }

    fn push_text(&mut self, text: &str) {
        text.chars().for_each(|character| self.push(character));
    }

    /// A blank, unless the template fills nothing up.
    fn push_blank(&mut self) {
        if !self.digits.facts.is_bare {
            self.push(' ');
        }
    }

    fn key(&mut self, key: Key) -> Result<()> {
        let sign = self.digits.sign;
        match key {
            Key::Nine | Key::Zero | Key::Point | Key::LocalPoint => {
                if !self.digits.facts.is_roman {
                    self.digit(key);
                }
            }
            Key::Comma | Key::LocalComma if self.is_inside => self.push(','),
            Key::Comma | Key::LocalComma => self.push_blank(),
            Key::Currency => self.push(' '),
            Key::Roman { is_upper } => {
                let digits = self.digits.text.get(self.at..).unwrap_or_default();
                let number = String::from_utf8_lossy(digits).into_owned();
                let number = if is_upper { number } else { number.to_ascii_lowercase() };
                let width = if self.digits.facts.is_bare { 0 } else { ROMAN_WIDTH };
                self.push_text(&format!("{number:>width$}"));
            }
            Key::Ordinal { is_upper } => self.ordinal(is_upper)?,
            Key::Minus if sign == Some('-') => self.push('-'),
            Key::Plus if sign == Some('+') => self.push('+'),
            Key::Minus | Key::Plus => self.push_blank(),
            Key::PlusMinus => match sign {
                Some(sign) => self.push(sign),
                None => self.is_over = true,
            },
            Key::Blank
            | Key::CurrencyCode
            | Key::Exponent
            | Key::Bare
            | Key::Brackets
            | Key::Spelled
            | Key::Sign
            | Key::Shift => {}
        }
        Ok(())
    }

    fn ordinal(&mut self, is_upper: bool) -> Result<()> {
        let Digits { text, sign, facts, .. } = &self.digits;
        if facts.is_roman || text.first() == Some(&b'#') || *sign == Some('-') || facts.has_point {
            return Ok(());
        }
        let Some(ending) = ordinal(text) else {
            let message = format!("\"{}\" is not a number", String::from_utf8_lossy(text));
            return Err(Failure::new(Fault::InvalidText, message));
        };
        self.push_text(&if is_upper { ending.to_ascii_uppercase() } else { ending.to_owned() });
        Ok(())
    }

    /// The digit before the point is a zero that need not be shown: `.5`.
    fn is_lone_zero(&self) -> bool {
        let Digits { text, facts, .. } = &self.digits;
        !facts.has_zero && self.at == 0 && text.first() == Some(&b'0') && facts.places != 0
    }

    /// Nothing behind the point has to be shown.
    fn is_whole(&self) -> bool {
        self.last.is_some_and(|last| self.digits.text.get(last) == Some(&b'.'))
    }

    fn is_negative(&self) -> bool {
        self.digits.sign == Some('-')
    }

    /// A digit or a point of the template, with the sign before the first and behind the last.
    fn digit(&mut self, key: Key) {
        self.is_inside = false;
        let Facts { has_zero, first_zero, .. } = self.digits.facts;
        let missing = self.digits.missing;
        let starts = self.met >= missing || has_zero && first_zero == self.met;
        if !self.has_sign && starts && (!self.is_lone_zero() || self.is_whole()) {
            self.sign_before();
        }
        if self.met < missing && !(has_zero && first_zero <= self.met) {
            self.push_blank();
        } else if self.met < missing {
            self.push('0');
            self.is_inside = true;
        } else {
            self.next(key);
        }
        self.met += 1;
        let all = self.count + usize::from(missing > 0) + usize::from(self.digits.facts.has_point);
        if self.met + 1 == all && self.last != Some(self.at) {
            self.sign_behind();
        }
    }

    /// The next of the number's digits, or its point.
    fn next(&mut self, key: Key) {
        match self.digits.text.get(self.at).copied() {
            Some(b'.') => {
                if !self.is_whole() || self.digits.facts.is_bare {
                    self.push('.');
                }
            }
            _ if self.last.is_some_and(|last| self.at > last) && key != Key::Zero => {}
            _ if self.is_lone_zero() => {
                if self.digits.facts.is_bare && self.is_whole() {
                    self.push('0');
                } else {
                    self.push_blank();
                }
            }
            Some(digit) => {
                self.push(char::from(digit));
                self.is_inside = true;
            }
            None => {
                self.is_over = true;
                self.is_inside = true;
            }
        }
        if self.at < self.digits.text.len() {
            self.at += 1;
        }
    }

    fn sign_before(&mut self) {
        let facts = self.digits.facts;
        let is_negative = self.is_negative();
        if facts.has_sign {
            if facts.sign == SignPlace::Before {
                self.push(if is_negative { '-' } else { '+' });
                self.has_sign = true;
            }
            return;
        }
        self.has_sign = true;
        match (facts.has_brackets, is_negative) {
            (true, true) => self.push('<'),
            (true, false) => self.push(' '),
            (false, true) => self.push('-'),
            (false, false) => self.push_blank(),
        }
    }

    fn sign_behind(&mut self) {
        let facts = self.digits.facts;
        if self.has_sign && facts.has_brackets {
            self.push(if self.is_negative() { '>' } else { ' ' });
        } else if facts.has_sign && facts.sign == SignPlace::Behind {
            self.push(if self.is_negative() { '-' } else { '+' });
        }
    }
}

/// The place of the last digit behind the point that is no zero, or that the template has a `0` for; of none, the point's.
fn last_place(text: &[u8], facts: &Facts, missing: usize) -> Option<usize> {
    let point = text.iter().position(|byte| *byte == b'.')?;
    let last = text.iter().rposition(|byte| *byte != b'0').map_or(point, |last| last.max(point));
    if facts.last_zero <= missing {
        return Some(last);
    }
    Some(last.max((text.len() - 1).min(facts.last_zero - missing)))
}
