//! JSON: whether a text is one, and its normal form, which `jsonb` keeps.
//!
//! As PostgreSQL has it: of several values of one key the last counts, keys stand by their lengths and then by their bytes,
//! numbers are numerics with all their digits and no exponent, and a blank follows each colon and comma.

mod items;
mod part;
mod set;
mod shape;
mod tree;

use std::collections::BTreeMap;

pub(crate) use self::{
    items::{JsonItems, json_items},
    part::{JsonStep, json_part, json_text},
    tree::{Json, NoStep},
};

/// Why a text is no JSON, or none that `jsonb` holds.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum NoJson {
    /// It is not written as JSON is.
    Syntax,
    /// An escape stands for a character that no text holds.
    Escape,
    /// A number has more digits than a numeric.
    Digits,
    /// It nests deeper than is read.
    Deep,
}

/// How deep objects and arrays may nest.
const MOST_LEVELS: usize = 1_000;

/// The most digits of a numeric before the point and behind it.
const MOST_WHOLE: i64 = 131_072;
const MOST_PLACES: i64 = 16_383;

/// Refuses a text that is no JSON.
pub(crate) fn check_json(text: &str) -> Result<(), NoJson> {
    let mut reader = Reader { bytes: text.as_bytes(), at: 0, is_normal: false };
    reader.whole().map(drop)
}

/// The text of JSON as `jsonb` prints it.
pub(crate) fn normal_json(text: &str) -> Result<String, NoJson> {
    let mut reader = Reader { bytes: text.as_bytes(), at: 0, is_normal: true };
    let node = reader.whole()?;
    let mut out = String::with_capacity(text.len());
    write(&node, &mut out);
    Ok(out)
}

/// Bytes of a value in its normal form, in PostgreSQL's order of `jsonb`: those of equal values are equal, though `1` and `1.0`
/// are printed otherwise.
pub(crate) fn json_key(text: &str) -> Result<Vec<u8>, NoJson> {
    let mut reader = Reader { bytes: text.as_bytes(), at: 0, is_normal: true };
    let node = reader.whole()?;
    let mut key = Vec::with_capacity(text.len() + 8);
    match node {
        Node::Object(_) => push_key(&node, &mut key),
        // A value alone is kept as an array of one, before all arrays of one and behind the empty one.
        Node::Array(items) => {
            push_count(ARRAY, items.len(), &mut key);
            key.push(1);
            items.iter().for_each(|item| push_key(item, &mut key));
        }
        value => {
            push_count(ARRAY, 1, &mut key);
            key.push(0);
            push_key(&value, &mut key);
        }
    }
    Ok(key)
}

/// The kinds of values in their order.
const NULL: u8 = 1;
const TEXT: u8 = 2;
const NUMBER: u8 = 3;
const TRUTH: u8 = 4;
const ARRAY: u8 = 5;
const OBJECT: u8 = 6;

fn push_key(node: &Node, key: &mut Vec<u8>) {
    match node {
        Node::Plain(word) => match word.as_str() {
            "null" => key.push(NULL),
            "false" => key.extend([TRUTH, 0]),
            "true" => key.extend([TRUTH, 1]),
            number => {
                key.push(NUMBER);
                push_number(number, key);
            }
        },
        Node::Text(text) => {
            key.push(TEXT);
            push_text(text, key);
        }
        Node::Array(items) => {
            push_count(ARRAY, items.len(), key);
            items.iter().for_each(|item| push_key(item, key));
        }
        Node::Object(entries) => {
            push_count(OBJECT, entries.len(), key);
            for ((_, name), value) in entries {
                push_text(name, key);
                push_key(value, key);
            }
        }
    }
}

/// What has more values is greater, whatever they are.
fn push_count(kind: u8, count: usize, key: &mut Vec<u8>) {
    key.push(kind);
    key.extend(u64::try_from(count).unwrap_or(u64::MAX).to_be_bytes());
}

/// No text has the character 0.
fn push_text(text: &str, key: &mut Vec<u8>) {
    key.extend(text.bytes());
    key.push(0);
}

/// A number as it is printed: its sign, where its first digit stands, and its digits without zeros around them. Below zero the
/// greater is less.
fn push_number(number: &str, key: &mut Vec<u8>) {
    let (is_negative, number) = number.strip_prefix('-').map_or((false, number), |rest| (true, rest));
    let (whole, fraction) = number.split_once('.').unwrap_or((number, ""));
    let digits = format!("{whole}{fraction}");
    let leading = digits.len() - digits.trim_start_matches('0').len();
    let digits = digits.trim_matches('0');
    if digits.is_empty() {
        return key.push(1);
    }
    let length = |count: usize| i64::try_from(count).unwrap_or(i64::MAX);
    // In two's complement, the sign stands the other way round than in the order.
    let first = (length(whole.len()) - length(leading)).to_be_bytes();
    let [sign, rest @ ..] = first;
    let behind = [sign ^ 0x80].into_iter().chain(rest).chain(digits.bytes()).chain([0]);
    key.push(if is_negative { 0 } else { 2 });
    key.extend(behind.map(|byte| if is_negative { !byte } else { byte }));
}

/// A value, of which nothing is kept that is only checked.
enum Node {
    /// A number, a truth value or null as it is printed.
    Plain(String),
    Text(String),
    Array(Vec<Node>),
    /// By the lengths of the keys, and then by the keys.
    Object(BTreeMap<(usize, String), Node>),
}

struct Reader<'a> {
    bytes: &'a [u8],
    at: usize,
    /// Whether the values are kept.
    is_normal: bool,
}

impl Reader<'_> {
    fn whole(&mut self) -> Result<Node, NoJson> {
        let node = self.value(0)?;
        self.skip_blanks();
        if self.at == self.bytes.len() { Ok(node) } else { Err(NoJson::Syntax) }
    }

    fn skip_blanks(&mut self) {
        while matches!(self.bytes.get(self.at), Some(b' ' | b'\t' | b'\n' | b'\r')) {
            self.at += 1;
        }
    }

    /// Goes past a byte, if it is the next one.
    fn take(&mut self, byte: u8) -> bool {
        let is_next = self.bytes.get(self.at) == Some(&byte);
        self.at += usize::from(is_next);
        is_next
    }

    fn expect(&mut self, byte: u8) -> Result<(), NoJson> {
        if self.take(byte) { Ok(()) } else { Err(NoJson::Syntax) }
    }

    fn value(&mut self, level: usize) -> Result<Node, NoJson> {
        if level > MOST_LEVELS {
            return Err(NoJson::Deep);
        }
        self.skip_blanks();
        match self.bytes.get(self.at) {
            Some(b'{') => self.object(level),
            Some(b'[') => self.array(level),
            Some(b'"') => self.text().map(Node::Text),
            Some(b'-' | b'0'..=b'9') => self.number().map(Node::Plain),
            _ => self.word().map(Node::Plain),
        }
    }

    fn word(&mut self) -> Result<String, NoJson> {
        let rest = self.bytes.get(self.at..).unwrap_or_default();
        let word = ["true", "false", "null"].into_iter().find(|word| rest.starts_with(word.as_bytes()));
        let word = word.ok_or(NoJson::Syntax)?;
        self.at += word.len();
        self.ends_word()?;
        Ok(word.to_owned())
    }

    /// No letter, digit or underscore follows a word or a number.
    fn ends_word(&self) -> Result<(), NoJson> {
        let goes_on = |byte: &u8| byte.is_ascii_alphanumeric() || *byte == b'_' || !byte.is_ascii();
        if self.bytes.get(self.at).is_some_and(goes_on) { Err(NoJson::Syntax) } else { Ok(()) }
    }

    fn array(&mut self, level: usize) -> Result<Node, NoJson> {
        self.expect(b'[')?;
        let mut items = Vec::new();
        self.skip_blanks();
        if self.take(b']') {
            return Ok(Node::Array(items));
        }
        loop {
            let item = self.value(level + 1)?;
            if self.is_normal {
                items.push(item);
            }
            self.skip_blanks();
            if self.take(b']') {
                return Ok(Node::Array(items));
            }
            self.expect(b',')?;
        }
    }

    fn object(&mut self, level: usize) -> Result<Node, NoJson> {
        self.expect(b'{')?;
        let mut entries = BTreeMap::new();
        self.skip_blanks();
        if self.take(b'}') {
            return Ok(Node::Object(entries));
        }
        loop {
            self.skip_blanks();
            let key = self.text()?;
            self.skip_blanks();
            self.expect(b':')?;
            let value = self.value(level + 1)?;
            if self.is_normal {
                entries.insert((key.len(), key), value);
            }
            self.skip_blanks();
            if self.take(b'}') {
                return Ok(Node::Object(entries));
            }
            self.expect(b',')?;
        }
    }

    fn text(&mut self) -> Result<String, NoJson> {
        self.expect(b'"')?;
        let mut text = Vec::new();
        loop {
            let byte = *self.bytes.get(self.at).ok_or(NoJson::Syntax)?;
            self.at += 1;
            match byte {
                b'"' => break,
                b'\\' => self.escape(&mut text)?,
                0..=0x1f => return Err(NoJson::Syntax),
                other if self.is_normal => text.push(other),
                _ => {}
            }
        }
        String::from_utf8(text).map_err(|_| NoJson::Syntax)
    }

    /// What follows a backslash.
    fn escape(&mut self, text: &mut Vec<u8>) -> Result<(), NoJson> {
        let byte = *self.bytes.get(self.at).ok_or(NoJson::Syntax)?;
        self.at += 1;
        let plain = match byte {
            b'"' | b'\\' | b'/' => byte,
            b'b' => 8,
            b'f' => 12,
            b'n' => b'\n',
            b'r' => b'\r',
            b't' => b'\t',
            b'u' => return self.code(text),
            _ => return Err(NoJson::Syntax),
        };
        if self.is_normal {
            text.push(plain);
        }
        Ok(())
    }

    /// The character of an escape of four digits, or of two of them.
    fn code(&mut self, text: &mut Vec<u8>) -> Result<(), NoJson> {
        let first = self.four_digits()?;
        if !self.is_normal {
            return Ok(());
        }
        let code = match first {
            0 => return Err(NoJson::Escape),
            0xd800..=0xdbff => {
                self.expect(b'\\')?;
                self.expect(b'u')?;
                let second = self.four_digits()?;
                if !(0xdc00..=0xdfff).contains(&second) {
                    return Err(NoJson::Syntax);
                }
                0x1_0000 + ((first - 0xd800) << 10) + (second - 0xdc00)
            }
            other => other,
        };
        let character = char::from_u32(code).ok_or(NoJson::Syntax)?;
        text.extend_from_slice(character.encode_utf8(&mut [0; 4]).as_bytes());
        Ok(())
    }

    fn four_digits(&mut self) -> Result<u32, NoJson> {
        let digits = self.bytes.get(self.at..self.at + 4).ok_or(NoJson::Syntax)?;
        self.at += 4;
        let digit = |code: u32, byte: &u8| Some(code * 16 + char::from(*byte).to_digit(16)?);
        digits.iter().try_fold(0, digit).ok_or(NoJson::Syntax)
    }

    fn digits(&mut self) -> Result<&str, NoJson> {
        let start = self.at;
        while self.bytes.get(self.at).is_some_and(u8::is_ascii_digit) {
            self.at += 1;
        }
        let digits = self.bytes.get(start..self.at).filter(|digits| !digits.is_empty()).ok_or(NoJson::Syntax)?;
        std::str::from_utf8(digits).map_err(|_| NoJson::Syntax)
    }

    fn number(&mut self) -> Result<String, NoJson> {
        let is_negative = self.take(b'-');
        let whole = self.digits()?.to_owned();
        if whole.len() > 1 && whole.starts_with('0') {
            return Err(NoJson::Syntax);
        }
        let fraction = if self.take(b'.') { self.digits()?.to_owned() } else { String::new() };
        let mut exponent = 0;
        if self.take(b'e') || self.take(b'E') {
            let is_below = self.take(b'-');
            if !is_below {
                self.take(b'+');
            }
            // A longer one is beyond all numbers.
            let size = self.digits()?.parse::<i64>().unwrap_or(i64::from(i32::MAX)).min(i64::from(i32::MAX));
            exponent = if is_below { -size } else { size };
        }
        self.ends_word()?;
        if self.is_normal { plain_number(is_negative, &whole, &fraction, exponent) } else { Ok(String::new()) }
    }
}

/// A number as a numeric prints it.
fn plain_number(is_negative: bool, whole: &str, fraction: &str, exponent: i64) -> Result<String, NoJson> {
    let length = |text: &str| i64::try_from(text.len()).map_err(|_| NoJson::Digits);
    let digits = format!("{whole}{fraction}");
    // Where the point stands among the digits.
    let point = length(whole)? + exponent;
    let is_zero = digits.bytes().all(|digit| digit == b'0');
    let places = (length(fraction)? - exponent).max(0);
    if places > MOST_PLACES || (!is_zero && point > MOST_WHOLE) {
        return Err(NoJson::Digits);
    }
    let places = usize::try_from(places).map_err(|_| NoJson::Digits)?;
    let sign = if is_negative && !is_zero { "-" } else { "" };
    let (before, behind) = if is_zero {
        (String::new(), "0".repeat(places))
    } else if point <= 0 {
        let zeros = usize::try_from(-point).map_err(|_| NoJson::Digits)?;
        (String::new(), format!("{}{digits}", "0".repeat(zeros)))
    } else {
        let point = usize::try_from(point).map_err(|_| NoJson::Digits)?;
        match digits.split_at_checked(point) {
            Some((before, behind)) => (before.to_owned(), behind.to_owned()),
            None => (format!("{digits}{}", "0".repeat(point - digits.len())), String::new()),
        }
    };
    let before = before.trim_start_matches('0');
    let before = if before.is_empty() { "0" } else { before };
    Ok(if places == 0 { format!("{sign}{before}") } else { format!("{sign}{before}.{behind}") })
}

fn write(node: &Node, out: &mut String) {
    match node {
        Node::Plain(text) => out.push_str(text),
        Node::Text(text) => write_json_text(text, out),
        Node::Array(items) => {
            out.push('[');
            for (at, item) in items.iter().enumerate() {
                out.push_str(if at == 0 { "" } else { ", " });
                write(item, out);
            }
            out.push(']');
        }
        Node::Object(entries) => {
            out.push('{');
            for (at, ((_, key), value)) in entries.iter().enumerate() {
                out.push_str(if at == 0 { "" } else { ", " });
                write_json_text(key, out);
                out.push_str(": ");
                write(value, out);
            }
            out.push('}');
        }
    }
}

/// Writes a text as JSON has it, in its quotes.
pub(crate) fn write_json_text(text: &str, out: &mut String) {
    out.push('"');
    for character in text.chars() {
        match character {
            '"' => out.push_str("\\\""),
            '\\' => out.push_str("\\\\"),
            '\u{8}' => out.push_str("\\b"),
            '\u{c}' => out.push_str("\\f"),
            '\n' => out.push_str("\\n"),
            '\r' => out.push_str("\\r"),
            '\t' => out.push_str("\\t"),
            control if control < ' ' => out.push_str(&format!("\\u{:04x}", u32::from(control))),
            other => out.push(other),
        }
    }
    out.push('"');
}

#[cfg(test)]
mod tests {
    use super::*;

    /// `SELECT (text)::jsonb` of PostgreSQL 15.
    #[test]
    fn the_normal_form_is_that_of_jsonb() {
        for (text, expected) in [
            (r#"{"b":1,"a":[1,2],"bb":{},"aa":[]}"#, Ok(r#"{"a": [1, 2], "b": 1, "aa": [], "bb": {}}"#)),
            (r#" [ 1 , "x" ] "#, Ok(r#"[1, "x"]"#)),
            (r#"{"a":1,"a":2}"#, Ok(r#"{"a": 2}"#)),
            ("1e2", Ok("100")),
            ("1.50", Ok("1.50")),
            ("1.5e1", Ok("15")),
            ("1.50e1", Ok("15.0")),
            ("1E-3", Ok("0.001")),
            ("-0", Ok("0")),
            ("-0.0", Ok("0.0")),
            ("0e5", Ok("0")),
            ("0.0e-3", Ok("0.0000")),
            ("123456789012345678901234567890.5", Ok("123456789012345678901234567890.5")),
            ("-12.5e-2", Ok("-0.125")),
            (r#""a\u00e9\ud83d\ude00\/\"\\\b\f\n\r\t\u0001""#, Ok(r#""aé😀/\"\\\b\f\n\r\t\u0001""#)),
            ("true", Ok("true")),
            (" null ", Ok("null")),
            (r#""\u0000""#, Err(NoJson::Escape)),
            (r#""\ud83d""#, Err(NoJson::Syntax)),
            (r#""\ude00""#, Err(NoJson::Syntax)),
            ("01", Err(NoJson::Syntax)),
            ("1.", Err(NoJson::Syntax)),
            (".5", Err(NoJson::Syntax)),
            ("+1", Err(NoJson::Syntax)),
            ("1e", Err(NoJson::Syntax)),
            ("tru", Err(NoJson::Syntax)),
            ("truex", Err(NoJson::Syntax)),
            ("nullé", Err(NoJson::Syntax)),
            ("1a", Err(NoJson::Syntax)),
            ("[1,]", Err(NoJson::Syntax)),
            (r#"{"a"}"#, Err(NoJson::Syntax)),
            ("{a:1}", Err(NoJson::Syntax)),
            ("{'a':1}", Err(NoJson::Syntax)),
            ("", Err(NoJson::Syntax)),
            ("  ", Err(NoJson::Syntax)),
            ("[1] 2", Err(NoJson::Syntax)),
            (r#""a"#, Err(NoJson::Syntax)),
            ("\"a\t\"", Err(NoJson::Syntax)),
            (r#"{"a":1,}"#, Err(NoJson::Syntax)),
            ("[[[]]]", Ok("[[[]]]")),
            (r#"{"":1}"#, Ok(r#"{"": 1}"#)),
            ("-", Err(NoJson::Syntax)),
            (r#""\x""#, Err(NoJson::Syntax)),
            ("1e131073", Err(NoJson::Digits)),
            ("1e-16384", Err(NoJson::Digits)),
            ("0e999999", Ok("0")),
            (r#"{"é":1,"zz":2,"a":3}"#, Ok(r#"{"a": 3, "zz": 2, "é": 1}"#)),
            (r#""\uD83D\uD83D""#, Err(NoJson::Syntax)),
            (r#""é😀""#, Ok(r#""é😀""#)),
            ("1 ", Ok("1")),
            ("1_0", Err(NoJson::Syntax)),
            (r#"{"a":1 "b":2}"#, Err(NoJson::Syntax)),
            ("1e+2", Ok("100")),
            ("1e99999999999999999999", Err(NoJson::Digits)),
        ] {
            assert_eq!(normal_json(text), expected.map(str::to_owned), "{text}");
        }
        assert_eq!(normal_json("1e131071").map(|number| number.len()), Ok(131_072));
    }

    /// In the order of `SELECT x FROM unnest(array[…]::jsonb[]) x ORDER BY x` of PostgreSQL 15.
    #[test]
    fn keys_are_in_the_order_of_jsonb() {
        let ascending = [
            "[]",
            "null",
            "\"\"",
            "\"a\"",
            "\"ab\"",
            "\"b\"",
            "\"é\"",
            "-1e30",
            "-12",
            "-1.25",
            "-1.2",
            "-0.5",
            "0",
            "0.001",
            "0.5",
            "1",
            "1.01",
            "9",
            "10",
            "1e30",
            "false",
            "true",
            "[null]",
            "[\"a\"]",
            "[1]",
            "[[]]",
            "[{}]",
            "[1, 2]",
            "[3, 1]",
            "[1, 1, 1]",
            "{}",
            "{\"a\": 1}",
            "{\"a\": 2}",
            "{\"aa\": 1}",
            "{\"b\": 1}",
            "{\"a\": 1, \"b\": 2}",
        ];
        for pair in ascending.windows(2) {
            assert!(json_key(pair[0]).ok() < json_key(pair[1]).ok(), "{pair:?}");
        }
        for (one, other) in
            [("1", "1.0"), ("-0", "0.00"), ("[100]", "[1e2]"), ("{\"a\":1,\"b\":2}", "{\"b\":2.0,\"a\":1}")]
        {
            assert_eq!(json_key(one), json_key(other), "{one} {other}");
        }
        assert_ne!(json_key("1"), json_key("[1]"));
    }

    /// `SELECT (text)::json` of PostgreSQL 15, which looks at no escape and at no number's size.
    #[test]
    fn what_is_json_stays_as_it_is_written() {
        for text in [r#""\u0000""#, r#""\ud83d""#, "1e131073", "1e-16384", r#" {"a": 1,"a" :2} "#, "-0.0"] {
            assert_eq!(check_json(text), Ok(()), "{text}");
        }
        for text in ["", "01", "1.", "[1,]", "{'a': 1}", r#""\x""#, "truex", "[1] 2", r#"{"a":1 "b":2}"#] {
            assert_eq!(check_json(text), Err(NoJson::Syntax), "{text}");
        }
    }

    #[test]
    fn what_nests_too_deep_is_refused() {
        let nested = |levels: usize| format!("{}{}", "[".repeat(levels), "]".repeat(levels));
        assert_eq!(check_json(&nested(MOST_LEVELS)), Ok(()));
        assert_eq!(check_json(&nested(100_000)), Err(NoJson::Deep));
    }
}
