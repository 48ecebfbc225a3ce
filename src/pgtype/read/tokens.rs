//! Texts of dates, times and intervals, cut into fields as PostgreSQL cuts them.

/// What a field looks like; which one it is depends on those around it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Kind {
    /// Digits, perhaps with a point.
    Number,
    /// Digits with colons.
    Clock,
    /// Parts with `-`, `/` or `.` between them, or the name of a zone that has such.
    Date,
    /// A sign before digits.
    Signed,
    /// Letters.
    Word,
    /// A sign before letters.
    SignedWord,
}

/// A field of a text.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Field<'a> {
    pub(super) kind: Kind,
    /// As it is written; behind a sign there may be spaces.
    pub(super) written: &'a str,
    /// In lower case and without spaces.
    pub(super) text: String,
}

/// The most fields of a text.
const MOST_FIELDS: usize = 25;

/// The fields of a text; none if something in it belongs to no field. `is_word` tells words that a text of a date knows from
/// names of zones.
pub(super) fn cut<'a>(text: &'a str, is_word: impl Fn(&str) -> bool) -> Option<Vec<Field<'a>>> {
    let mut fields = Vec::new();
    let mut cutter = Cutter { text, at: 0 };
    loop {
        cutter.skip(|byte| byte.is_ascii_whitespace() || byte == 0x0b);
        let start = cutter.at;
        let Some(first) = cutter.peek() else { return Some(fields) };
        let kind = match first {
            b'0'..=b'9' => number_or_date(&mut cutter),
            b'.' => {
                cutter.at += 1;
                cutter.skip(|byte| byte.is_ascii_digit());
                Kind::Number
            }
            b'a'..=b'z' | b'A'..=b'Z' => word_or_date(&mut cutter, &is_word),
            b'+' | b'-' => {
                cutter.at += 1;
                cutter.skip(|byte| byte.is_ascii_whitespace());
                match cutter.peek()? {
                    b'0'..=b'9' => {
                        cutter.skip(|byte| byte.is_ascii_digit() || matches!(byte, b':' | b'.' | b'-'));
                        Kind::Signed
                    }
                    letter if letter.is_ascii_alphabetic() => {
                        cutter.skip(|byte| byte.is_ascii_alphabetic());
                        Kind::SignedWord
                    }
                    _ => return None,
                }
            }
            // Others separate fields.
            other if other.is_ascii_punctuation() => {
                cutter.at += 1;
                continue;
            }
            _ => return None,
        };
        if fields.len() == MOST_FIELDS {
            return None;
        }
        let written = text.get(start..cutter.at)?;
        let text = written.chars().filter(|letter| !letter.is_ascii_whitespace()).collect::<String>();
        fields.push(Field { kind, written, text: text.to_ascii_lowercase() });
    }
}

fn number_or_date(cutter: &mut Cutter<'_>) -> Kind {
    let is_digit = |byte: u8| byte.is_ascii_digit();
    cutter.skip(is_digit);
    match cutter.peek() {
        Some(b':') => {
            cutter.skip(|byte| byte.is_ascii_digit() || matches!(byte, b':' | b'.'));
            Kind::Clock
        }
        Some(delimiter @ (b'-' | b'/' | b'.')) => {
            cutter.at += 1;
            if !cutter.peek().is_some_and(is_digit) {
                cutter.skip(|byte| byte.is_ascii_alphanumeric() || byte == delimiter);
                return Kind::Date;
            }
            cutter.skip(is_digit);
            if cutter.peek() == Some(delimiter) {
                cutter.skip(|byte| byte.is_ascii_digit() || byte == delimiter);
                return Kind::Date;
            }
            if delimiter == b'.' { Kind::Number } else { Kind::Date }
        }
        _ => Kind::Number,
    }
}

fn word_or_date(cutter: &mut Cutter<'_>, is_word: impl Fn(&str) -> bool) -> Kind {
    let start = cutter.at;
    cutter.skip(|byte| byte.is_ascii_alphabetic());
    let is_date = match cutter.peek() {
        Some(b'-' | b'/' | b'.') => true,
        Some(next) if next == b'+' || next.is_ascii_digit() => {
            !is_word(&cutter.text[start..cutter.at].to_ascii_lowercase())
        }
        _ => false,
    };
    if !is_date {
        return Kind::Word;
    }
    cutter.skip(|byte| byte.is_ascii_alphanumeric() || matches!(byte, b'+' | b'-' | b'/' | b'_' | b'.' | b':'));
    Kind::Date
}

struct Cutter<'a> {
    text: &'a str,
    at: usize,
}

impl Cutter<'_> {
    fn peek(&self) -> Option<u8> {
        self.text.as_bytes().get(self.at).copied()
    }

    fn skip(&mut self, belongs: impl Fn(u8) -> bool) {
        while self.peek().is_some_and(&belongs) {
            self.at += 1;
        }
    }
}

/// A whole number at the beginning of a text, perhaps with a sign, which is 0 where there is none, and what follows it; none if
/// it is beyond 64 bits.
pub(super) fn whole(text: &str) -> Option<(i64, &str)> {
    let digits = text.strip_prefix(['+', '-']).unwrap_or(text);
    let length = digits.find(|letter: char| !letter.is_ascii_digit()).unwrap_or(digits.len());
    if length == 0 {
        return Some((0, text));
    }
    let (number, rest) = text.split_at(text.len() - digits.len() + length);
    Some((number.parse().ok()?, rest))
}

/// A fraction that begins with its point, and nothing behind it.
pub(super) fn fraction(text: &str) -> Option<f64> {
    let digits = text.strip_prefix('.')?;
    let is_number = digits.bytes().all(|byte| byte.is_ascii_digit());
    match digits.is_empty() {
        true => Some(0.0),
        false if is_number => text.parse().ok(),
        false => None,
    }
}
