//! Reads a text as a template of numbers has it.

use super::{
    node::{Node, width},
    picture::{Facts, Key, Picture},
};
use crate::fault::{Failure, Fault, Result};

/// A text with the place where it is read, and the digits that were found.
struct Reader<'a> {
    text: &'a [u8],
    at: usize,
    facts: Facts,
    sign: Option<u8>,
    digits: String,
    has_point: bool,
    whole: usize,
    places: usize,
}

impl Picture {
    /// The number that a text says, as a whole number and how many of its digits are behind the point.
    pub(super) fn read(&self, text: &str) -> Result<(String, usize)> {
        for (is_asked, name) in [(self.facts.has_exponent, "EEEE"), (self.facts.is_roman, "RN")] {
            if is_asked {
                let message = format!("\"{name}\" not supported for input");
                return Err(Failure::new(Fault::FeatureNotSupported, message));
            }
        }
        let mut reader = Reader::new(text, self.facts);
        for node in &self.nodes {
            if reader.is_at_end() {
                break;
            }
            match node {
                Node::Keyword(key) => reader.key(*key),
                _ => reader.skip_character(),
            }
        }
        reader.number()
    }
}

impl<'a> Reader<'a> {
    fn new(text: &'a str, facts: Facts) -> Self {
        let digits = String::new();
        Self { text: text.as_bytes(), at: 0, facts, sign: None, digits, has_point: false, whole: 0, places: 0 }
    }

    fn is_at_end(&self) -> bool {
        self.at >= self.text.len()
    }

    fn next(&self) -> Option<u8> {
        self.text.get(self.at).copied()
    }

    /// Passes over a character, which may be of several bytes.
    fn skip_character(&mut self) {
        self.at += self.next().map_or(0, width);
    }

    /// Passes over so many characters that cannot be of a number.
    fn skip_others(&mut self, count: usize) {
        for _ in 0..count {
            if self.next().is_none_or(|next| b"0123456789.,+-".contains(&next)) {
                break;
            }
            self.skip_character();
        }
    }

    fn key(&mut self, key: Key) {
        match key {
            Key::Nine | Key::Zero | Key::Point | Key::LocalPoint => {
                self.digit(matches!(key, Key::Nine | Key::Zero));
                self.at += 1;
            }
            Key::Comma | Key::LocalComma => {
                if !self.facts.is_bare && self.next() == Some(b',') {
                    self.at += 1;
                }
            }
            Key::Currency => self.skip_others(1),
            Key::Ordinal { .. } => {
                if !self.facts.has_point {
                    self.skip_others(2);
                }
            }
            Key::Minus => self.sign(b"-"),
            Key::Plus => self.sign(b"+"),
            Key::PlusMinus => self.sign(b"+-"),
            Key::Blank
            | Key::CurrencyCode
            | Key::Exponent
            | Key::Bare
            | Key::Brackets
            | Key::Roman { .. }
            | Key::Spelled
            | Key::Sign
            | Key::Shift => {}
        }
    }

    /// One of these signs, or another character in its place.
    fn sign(&mut self, signs: &[u8]) {
        match self.next() {
            Some(sign) if signs.contains(&sign) => {
                self.sign = Some(sign);
                self.at += 1;
            }
            _ => self.skip_others(1),
        }
    }

    /// A digit or the point, with a sign before the first or behind the last; the caller goes on by one.
    fn digit(&mut self, is_digit: bool) {
        if self.next() == Some(b' ') {
            self.at += 1;
        }
        if self.sign.is_none() && is_digit && self.whole + self.places == 0 {
            self.sign_before();
        }
        let Some(next) = self.next() else { return };
        let mut is_read = false;
        if next.is_ascii_digit() {
            if self.has_point && self.places == self.facts.places {
                return;
            }
            self.digits.push(char::from(next));
            if self.has_point {
                self.places += 1;
            } else {
                self.whole += 1;
            }
            is_read = true;
        } else if self.facts.has_point && !self.has_point && next == b'.' {
            self.has_point = true;
            is_read = true;
        }
        if self.sign.is_none() && self.whole + self.places > 0 {
            self.sign_behind(is_read);
        }
    }

    fn sign_before(&mut self) {
        let sign = match self.next() {
            Some(sign @ (b'-' | b'+')) => sign,
            Some(b'<') if self.facts.has_brackets => b'-',
            _ => return,
        };
        self.sign = Some(sign);
        self.at += 1;
    }

    fn sign_behind(&mut self, is_read: bool) {
        let sign = |byte: Option<&u8>| byte.copied().filter(|byte| matches!(byte, b'-' | b'+'));
        if self.facts.has_sign && is_read {
            if let Some(found) = sign(self.text.get(self.at + 1)) {
                self.sign = Some(found);
                self.at += 1;
            }
        } else if !is_read && !self.facts.has_sign && (self.facts.has_plus || self.facts.has_minus) {
            self.sign = sign(self.text.get(self.at));
        }
    }

    fn number(self) -> Result<(String, usize)> {
        let Self { facts, sign, digits, whole, places, .. } = self;
        if digits.is_empty() {
            let text = match (sign, self.has_point) {
                (Some(sign), _) => char::from(sign).to_string(),
                (None, _) => " ".to_owned(),
            };
            return Err(Failure::new(Fault::InvalidText, format!("invalid input syntax for type numeric: \"{text}\"")));
        }
        let significant = digits.get(..whole).unwrap_or_default().trim_start_matches('0').len();
        if significant > facts.whole + facts.shift {
            return Err(Failure::new(Fault::NumericOutOfRange, "numeric field overflow"));
        }
        let sign = if sign == Some(b'-') { "-" } else { "" };
        Ok((format!("{sign}{digits}"), places + facts.shift))
    }
}
