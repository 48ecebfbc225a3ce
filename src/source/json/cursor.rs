//! Walks through the bytes of JSON, a value at a time.
//!
//! It takes what RFC 8259 allows, and the words `NaN` and `Infinity` that several programs write. What is read or kept is
//! checked whole; of a value that nobody reads only the end is looked for. A buffer may end anywhere: what is cut off is told
//! apart from what is broken.

use std::{borrow::Cow, ops::Range};

use memchr::{memchr, memchr3, memmem};

use super::super::values::Number;

/// A byte order mark in UTF-8.
const MARK: &[u8] = "\u{feff}".as_bytes();

/// How long a text is that is looked through a byte at a time.
const SHORT_TEXT_BYTES: usize = 24;

/// Why a value could not be read.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Halt {
    /// The buffer ends within it, and the file does not.
    Incomplete,
    /// So does the file, within this.
    Ended {
        /// Where.
        at: usize,
        /// What lacks its end.
        within: &'static str,
    },
    /// It is broken, at this byte of the buffer.
    Broken {
        /// The byte.
        at: usize,
        /// What is wrong there.
        reason: String,
    },
    /// It is JSON, of which no row can be made.
    Refused {
        /// The byte.
        at: usize,
        /// Why.
        reason: String,
        /// What to say if it is to be read nevertheless, or nothing.
        hint: &'static str,
    },
}

impl Halt {
    /// What is wrong, in words.
    pub(super) fn reason(self) -> String {
        match self {
            Self::Incomplete => "broken JSON: it does not end on its line".to_owned(),
            Self::Ended { within, .. } => format!("broken JSON: the line ends within {within}"),
            Self::Broken { reason, .. } | Self::Refused { reason, .. } => reason,
        }
    }
}

/// A value, of an array or object only that it begins: the cursor stands behind its bracket.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Token {
    Null,
    Boolean(bool),
    /// A number's text.
    Number(Range<usize>),
    /// A text between its quotes.
    Text {
        inside: Range<usize>,
        is_escaped: bool,
    },
    Array,
    Object,
}

impl Token {
    /// The kind of value in JSON's words.
    pub(super) fn word(&self) -> &'static str {
        match self {
            Self::Null => "null",
            Self::Boolean(_) => "a boolean",
            Self::Number(_) => "a number",
            Self::Text { .. } => "a text",
            Self::Array => "an array",
            Self::Object => "an object",
        }
    }
}

/// A place in a buffer.
#[derive(Debug, Clone, Copy)]
pub(super) struct Cursor<'a> {
    pub(super) bytes: &'a [u8],
    pub(super) at: usize,
    /// Whether the file ends with the buffer.
    pub(super) is_last: bool,
}

impl<'a> Cursor<'a> {
    /// The next byte that is no blank, which is not taken.
    pub(super) fn peek(&mut self) -> Option<u8> {
        loop {
            match self.bytes.get(self.at) {
                Some(b' ' | b'\t' | b'\n' | b'\r') => self.at += 1,
                found => return found.copied(),
            }
        }
    }

    pub(super) fn broken<T>(&self, reason: impl Into<String>) -> Result<T, Halt> {
        Err(Halt::Broken { at: self.at, reason: reason.into() })
    }

    /// What is to be read is JSON, and more than can be read.
    pub(super) fn refused<T>(&self, reason: impl Into<String>) -> Result<T, Halt> {
        Err(Halt::Refused { at: self.at, reason: reason.into(), hint: "" })
    }

    /// No value stands here.
    fn no_value<T>(&self) -> Result<T, Halt> {
        let rest = self.bytes.get(self.at..).unwrap_or_default();
        if rest.starts_with(b"//") || rest.starts_with(b"/*") || rest.starts_with(b"#") {
            return self.broken("broken JSON: it has no comments");
        }
        if rest.starts_with(MARK) {
            return self.broken("broken JSON: a byte order mark stands within the file");
        }
        self.broken("broken JSON: expected a value")
    }

    /// The buffer has ended; so has the file, or not.
    pub(super) fn ended<T>(&self, within: &'static str) -> Result<T, Halt> {
        Err(if self.is_last { Halt::Ended { at: self.at, within } } else { Halt::Incomplete })
    }

    /// The next value.
    pub(super) fn value(&mut self) -> Result<Token, Halt> {
        let Some(first) = self.peek() else { return self.ended("a value") };
        match first {
            b'"' => {
                let (inside, is_escaped) = self.text()?;
                Ok(Token::Text { inside, is_escaped })
            }
            b'{' => {
                self.at += 1;
                Ok(Token::Object)
            }
            b'[' => {
                self.at += 1;
                Ok(Token::Array)
            }
            b'-' | b'0'..=b'9' | b'a'..=b'z' | b'A'..=b'Z' => self.bare(),
            _ => self.no_value(),
        }
    }

    /// Takes a text without escapes that is short, as most are: to look for its end a byte at a time is the fastest then.
    fn short_text(&mut self) -> Option<Range<usize>> {
        let start = self.at + 1;
        let rest = self.bytes.get(start..)?;
        for (length, byte) in rest.iter().take(SHORT_TEXT_BYTES).enumerate() {
            match byte {
                b'"' => {
                    self.at = start + length + 1;
                    return Some(start..start + length);
                }
                b'\\' | b'\n' => return None,
                _ => {}
            }
        }
        None
    }

    /// A text, from its quote on: what is between the quotes, and whether that holds escapes.
    fn text(&mut self) -> Result<(Range<usize>, bool), Halt> {
        if let Some(inside) = self.short_text() {
            return Ok((inside, false));
        }
        let start = self.at + 1;
        let (mut at, mut is_escaped) = (start, false);
        loop {
            let rest = self.bytes.get(at..).unwrap_or_default();
            let Some(found) = memchr3(b'"', b'\\', b'\n', rest) else { return self.ended("a text") };
            at += found;
            match self.bytes.get(at) {
                Some(b'"') => {
                    self.at = at + 1;
                    return Ok((start..at, is_escaped));
                }
                Some(b'\\') => {
                    is_escaped = true;
                    at += 2;
                }
                _ => return self.broken("broken JSON: a text does not end on its line"),
            }
        }
    }

    /// A number or a word.
    fn bare(&mut self) -> Result<Token, Halt> {
        let rest = self.bytes.get(self.at..).unwrap_or_default();
        let is_part = |byte: &u8| byte.is_ascii_alphanumeric() || matches!(byte, b'+' | b'-' | b'.' | b'_');
        let length = rest.iter().position(|byte| !is_part(byte)).unwrap_or(rest.len());
        if length == rest.len() && !self.is_last {
            return Err(Halt::Incomplete);
        }
        let place = self.at..self.at + length;
        let token = match rest.get(..length).unwrap_or_default() {
            // Whole numbers are most of all.
            [b'1'..=b'9', digits @ ..] if digits.iter().all(u8::is_ascii_digit) => Token::Number(place.clone()),
            b"null" => Token::Null,
            b"true" => Token::Boolean(true),
            b"false" => Token::Boolean(false),
            b"NaN" | b"nan" | b"Infinity" | b"-Infinity" | b"inf" | b"-inf" => Token::Number(place.clone()),
            text if is_number(text) => Token::Number(place.clone()),
            _ => return self.no_value(),
        };
        self.at = place.end;
        Ok(token)
    }

    /// Takes the key `name` and its colon, if they stand here just so.
    pub(super) fn is_key(&mut self, name: &str) -> bool {
        let rest = self.bytes.get(self.at..).unwrap_or_default();
        let Some((b'"', rest)) = rest.split_first() else { return false };
        let Some([b'"', b':', ..]) = rest.strip_prefix(name.as_bytes()) else { return false };
        self.at += name.len() + 3;
        true
    }

    /// Passes over a value. Of what is neither text nor has parts only the end is looked for.
    pub(super) fn pass(&mut self) -> Result<(), Halt> {
        match self.peek() {
            Some(b'-' | b'0'..=b'9' | b'a'..=b'z' | b'A'..=b'Z') => {
                let rest = self.bytes.get(self.at..).unwrap_or_default();
                let ends = |byte: &u8| matches!(byte, b',' | b'}' | b']' | b' ' | b'\n' | b'\r' | b'\t');
                match rest.iter().position(ends) {
                    Some(length) => self.at += length,
                    None => return self.ended("a value"),
                }
                Ok(())
            }
            _ => {
                let token = self.value()?;
                self.skip(&token)
            }
        }
    }

    /// What follows an item of an array or a member of an object: whether there is another one.
    pub(super) fn has_next(&mut self, end: u8, within: &'static str) -> Result<bool, Halt> {
        match self.peek() {
            Some(b',') => {
                self.at += 1;
                if self.peek() == Some(end) {
                    return self.broken("broken JSON: nothing follows a comma");
                }
                Ok(true)
            }
            Some(found) if found == end => {
                self.at += 1;
                Ok(false)
            }
            Some(_) => self.broken(format!("broken JSON: expected , or {}", char::from(end))),
            None => self.ended(within),
        }
    }

    /// Whether an array or object that has begun is empty; if so it is taken.
    pub(super) fn is_empty(&mut self, end: u8, within: &'static str) -> Result<bool, Halt> {
        match self.peek() {
            Some(found) if found == end => {
                self.at += 1;
                Ok(true)
            }
            Some(_) => Ok(false),
            None => self.ended(within),
        }
    }

    /// A member's key, and the colon behind it.
    pub(super) fn key(&mut self) -> Result<Cow<'a, str>, Halt> {
        let (inside, is_escaped) = self.key_inside()?;
        let raw = self.bytes.get(inside.clone()).unwrap_or_default();
        let Some(key) = text_of(raw, is_escaped) else {
            self.check_text(&inside, is_escaped)?;
            let at = inside.start - 1;
            return Err(match std::str::from_utf8(raw) {
                Ok(_) => Halt::Refused { at, reason: format!("a key has {HALF}"), hint: "" },
                Err(_) => Halt::Broken { at, reason: "broken JSON: a key is no valid text".to_owned() },
            });
        };
        Ok(key)
    }

    /// What stands between the quotes of a member's key, whether that holds escapes, and the colon behind it.
    fn key_inside(&mut self) -> Result<(Range<usize>, bool), Halt> {
        match self.peek() {
            Some(b'"') => {}
            Some(_) => return self.broken("broken JSON: expected a key in quotes"),
            None => return self.ended("an object"),
        }
        let key = self.text()?;
        match self.peek() {
            Some(b':') => {
                self.at += 1;
                Ok(key)
            }
            Some(_) => self.broken("broken JSON: expected : after a key"),
            None => self.ended("an object"),
        }
    }

    /// Refuses a text with an escape that is none. Half of a surrogate pair is one, which no text of ours can hold.
    pub(super) fn check_text(&self, inside: &Range<usize>, is_escaped: bool) -> Result<(), Halt> {
        if !is_escaped {
            return Ok(());
        }
        match wrong_escape(self.bytes.get(inside.clone()).unwrap_or_default()) {
            Some(at) => {
                let reason = "broken JSON: a text has a wrong escape".to_owned();
                Err(Halt::Broken { at: inside.start + at, reason })
            }
            None => Ok(()),
        }
    }

    /// Passes over what is left of a value that is kept as it stands there, and checks that it is JSON. The brackets that
    /// are open stand in a list: a value may be nested deeper than calls may be.
    pub(super) fn check(&mut self, begun: &Token) -> Result<(), Halt> {
        let mut open = Vec::new();
        let mut token = begun.clone();
        loop {
            match &token {
                Token::Array if !self.is_empty(b']', "an array")? => open.push(b']'),
                Token::Object if !self.is_empty(b'}', "an object")? => open.push(b'}'),
                value => {
                    if let Token::Text { inside, is_escaped } = value {
                        self.check_text(inside, *is_escaped)?;
                    }
                    if !self.close(&mut open)? {
                        return Ok(());
                    }
                }
            }
            if open.last() == Some(&b'}') {
                let (inside, is_escaped) = self.key_inside()?;
                self.check_text(&inside, is_escaped)?;
            }
            token = self.value()?;
        }
    }

    /// Takes the brackets that end behind a value; whether another value follows.
    fn close(&mut self, open: &mut Vec<u8>) -> Result<bool, Halt> {
        while let Some(end) = open.last().copied() {
            if self.has_next(end, if end == b']' { "an array" } else { "an object" })? {
                return Ok(true);
            }
            open.pop();
        }
        Ok(false)
    }

    /// Passes over what is left of a value that nobody reads. What is in it is not looked at, but for its brackets and texts.
    fn skip(&mut self, begun: &Token) -> Result<(), Halt> {
        let mut depth = usize::from(matches!(begun, Token::Array | Token::Object));
        while depth > 0 {
            let rest = self.bytes.get(self.at..).unwrap_or_default();
            let special = |byte: &u8| matches!(byte, b'"' | b'{' | b'}' | b'[' | b']');
            let Some(found) = rest.iter().position(special) else { return self.ended("an object or array") };
            self.at += found;
            match self.bytes.get(self.at) {
                Some(b'"') => {
                    self.text()?;
                    continue;
                }
                Some(b'{' | b'[') => depth += 1,
                _ => depth -= 1,
            }
            self.at += 1;
        }
        Ok(())
    }
}

/// What a text has that no text of ours can hold.
pub(super) const HALF: &str = "half of a surrogate pair, which no text can hold";

/// Where a text between quotes has an escape that is none.
fn wrong_escape(inside: &[u8]) -> Option<usize> {
    let is_hex = |digits: &[u8]| digits.iter().all(u8::is_ascii_hexdigit);
    let mut at = 0;
    while let Some(found) = memchr(b'\\', inside.get(at..)?) {
        at += found;
        at += match inside.get(at + 1) {
            Some(b'"' | b'\\' | b'/' | b'b' | b'f' | b'n' | b'r' | b't') => 2,
            Some(b'u') if inside.get(at + 2..at + 6).is_some_and(is_hex) => 6,
            _ => return Some(at),
        };
    }
    None
}

/// Whether a text between quotes is one but for half of a surrogate pair in it.
pub(super) fn is_half(inside: &[u8], is_escaped: bool) -> bool {
    // Halves are written \ud…: of texts with other escapes nothing more is looked at.
    let may_be = || memmem::find_iter(inside, b"\\u").any(|at| matches!(inside.get(at + 2), Some(b'd' | b'D')));
    is_escaped
        && may_be()
        && std::str::from_utf8(inside).is_ok_and(|raw| unescaped(raw).is_none())
        && wrong_escape(inside).is_none()
}

/// Whether a text is a number as JSON writes it.
fn is_number(text: &[u8]) -> bool {
    let Ok(text) = std::str::from_utf8(text) else { return false };
    Number::read(text).is_some_and(|number| {
        let begins = text.trim_start_matches('-').starts_with(|letter: char| letter.is_ascii_digit());
        begins && !number.is_padded && number.has_point == (number.fraction_digits > 0)
    })
}

/// The text between two quotes; none if its escapes or its bytes are no characters.
pub(super) fn text_of(inside: &[u8], is_escaped: bool) -> Option<Cow<'_, str>> {
    let raw = std::str::from_utf8(inside).ok()?;
    if is_escaped { unescaped(raw).map(Cow::Owned) } else { Some(Cow::Borrowed(raw)) }
}

/// A text with its escapes as the characters that they stand for.
fn unescaped(raw: &str) -> Option<String> {
    let mut text = String::with_capacity(raw.len());
    let mut rest = raw;
    while let Some((before, after)) = rest.split_once('\\') {
        text.push_str(before);
        let (escape, after) = after.split_at_checked(1)?;
        rest = after;
        text.push(match escape {
            "\"" | "\\" | "/" => escape.chars().next()?,
            "b" => '\u{8}',
            "f" => '\u{c}',
            "n" => '\n',
            "r" => '\r',
            "t" => '\t',
            "u" => {
                let (unit, after) = unit(rest)?;
                rest = after;
                match unit {
                    0xD800..=0xDBFF => {
                        let (low, after) = self::unit(rest.strip_prefix("\\u")?)?;
                        rest = after;
                        char::decode_utf16([unit, low]).next()?.ok()?
                    }
                    _ => char::from_u32(u32::from(unit))?,
                }
            }
            _ => return None,
        });
    }
    text.push_str(rest);
    Some(text)
}

fn unit(text: &str) -> Option<(u16, &str)> {
    let (digits, rest) = text.split_at_checked(4)?;
    let is_hex = digits.bytes().all(|byte| byte.is_ascii_hexdigit());
    Some((u16::from_str_radix(digits, 16).ok().filter(|_| is_hex)?, rest))
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;

    fn first(text: &str) -> Result<Token, Halt> {
        Cursor { bytes: text.as_bytes(), at: 0, is_last: true }.value()
    }

    #[test]
    fn values_are_those_of_the_standard_and_the_words_of_floats() {
        for good in ["0", "-1.5e+3", "12E3", "NaN", "-Infinity", "9223372036854775808"] {
            assert_eq!(first(good), Ok(Token::Number(0..good.len())), "{good}");
        }
        for bad in ["+1", "01", "1.", ".5", "0x1", "nul", "TRUE", "-", "1_000", "'a'", "}"] {
            assert!(matches!(first(bad), Err(Halt::Broken { .. })), "{bad}");
        }
        assert_eq!(first("  null"), Ok(Token::Null));
    }

    #[test]
    fn escapes_are_characters() {
        assert_eq!(unescaped(r#"a\"\\\/\b\f\n\r\t\u00e9\ud83d\ude00"#).unwrap(), "a\"\\/\u{8}\u{c}\n\r\té😀");
        for bad in [r"\x", r"\u12", r"\ud83d", r"\ud83da", r"\udc00", r"\u+123"] {
            assert_eq!(unescaped(bad), None, "{bad}");
        }
    }

    /// How far a value that is kept goes, or the byte at which it is broken.
    fn kept(text: &str) -> Result<usize, usize> {
        let mut cursor = Cursor { bytes: text.as_bytes(), at: 0, is_last: true };
        let checked = cursor.value().and_then(|token| cursor.check(&token));
        match checked {
            Ok(()) => Ok(cursor.at),
            Err(Halt::Broken { at, .. } | Halt::Ended { at, .. } | Halt::Refused { at, .. }) => Err(at),
            Err(Halt::Incomplete) => Err(0),
        }
    }

    /// What was kept as a text was never looked at but for its brackets: it was any bytes between two of them.
    #[test]
    fn what_is_kept_is_json() {
        for good in [
            "[]",
            "{}",
            r#"{"x":[1,{"y":[[],{}]}, null ],"z":{"a":"]}"}}"#,
            r#"["\ud83d", {"\ud83d":-1.5e3}]"#,
            r#""a\"b""#,
            "NaN",
        ] {
            assert_eq!(kept(&format!("{good} ,")), Ok(good.len()), "{good}");
        }
        for (bad, at) in [
            (r#"{"x":1,,"y":2}"#, 7),
            (r#"{"y":tru}"#, 5),
            ("[1,2}", 4),
            (r#"{"x":1]"#, 6),
            (r#"{"x":1,"y" 2}"#, 11),
            (r#"{"x":"\q"}"#, 6),
            (r#"{"\u00g0":1}"#, 2),
            ("[1,]", 3),
            ("[1 2]", 3),
            ("[[1]", 4),
            ("{1:2}", 1),
            (r#"{"a":1 // one"#, 7),
        ] {
            assert_eq!(kept(bad), Err(at), "{bad}");
        }
        let deep = "[".repeat(200_000) + &"]".repeat(200_000);
        assert_eq!(kept(&deep), Ok(400_000));
    }

    #[test]
    fn half_of_a_pair_is_told_from_what_is_no_escape() {
        for half in [r"\ud83d", r"a\udc00b", r"\ud83d\u0041", r"\ud83d\n"] {
            assert!(is_half(half.as_bytes(), true), "{half}");
        }
        for other in [r"\ud83d\ude00", r"\ud83", r"\x", r"\u00e9", "a"] {
            assert!(!is_half(other.as_bytes(), true), "{other}");
        }
        let mut cursor = Cursor { bytes: br#""\ud83d":1"#, at: 0, is_last: true };
        assert_eq!(cursor.key().map_err(Halt::reason), Err(format!("a key has {HALF}")));
    }

    #[test]
    fn what_is_cut_off_is_not_broken() {
        let cut = |text: &str| Cursor { bytes: text.as_bytes(), at: 0, is_last: false }.value();
        for text in ["", " ", "\"a", "\"a\\", "12", "tru"] {
            assert_eq!(cut(text), Err(Halt::Incomplete), "{text}");
        }
        let mut cursor = Cursor { bytes: b"{\"a\":[1,\"]\"]} 7", at: 0, is_last: true };
        cursor.pass().unwrap();
        assert_eq!(cursor.value().map(|_| cursor.at), Ok(15));
    }
}
