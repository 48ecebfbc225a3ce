//! Regular expressions with PostgreSQL's options, for the functions that take some.
//!
//! The library that matches them has other escapes and options: a dot is no end of line unless it is told so, `n` is unknown,
//! and brackets nest.

use std::{fmt::Write, sync::Arc};

use arrow::{
    array::{Array, ArrayRef, AsArray, LargeStringArray, StringArray, StringViewArray},
    compute::cast,
    datatypes::DataType,
};
use datafusion::{
    common::{DataFusionError, Result},
    logical_expr::ColumnarValue,
};
use regex::{Regex, RegexBuilder};

use crate::{Error, Fault};

/// Less than this many bytes are made of the texts of a batch.
const LIMIT_BYTES: usize = 1 << 30;

/// As many compiled expressions are kept, as PostgreSQL does.
const LIMIT_KNOWN: usize = 32;

/// An expression with its options.
pub(super) struct Compiled {
    pub(super) regex: Regex,
    /// All matches are meant, and not the first.
    pub(super) is_global: bool,
}

/// The expressions that rows had last, compiled, with the newest first.
#[derive(Default)]
pub(super) struct Known(Vec<(String, String, Compiled)>);

impl Known {
    /// An expression with these options.
    pub(super) fn get(&mut self, pattern: &str, flags: &str) -> Result<&Compiled> {
        let is_same = |(known, with, _): &(String, String, Compiled)| known == pattern && with == flags;
        match self.0.iter().position(is_same) {
            Some(place) => self.0[..=place].rotate_right(1),
            None => {
                let compiled = compile(pattern, flags)?;
                self.0.truncate(LIMIT_KNOWN - 1);
                self.0.insert(0, (pattern.to_owned(), flags.to_owned(), compiled));
            }
        }
        Ok(&self.0[0].2)
    }
}

/// The texts of rows, or the one of all of them.
pub(super) enum Texts {
    One(Option<String>),
    Each(StringViewArray),
}

impl Texts {
    pub(super) fn of(argument: &ColumnarValue) -> Result<Self> {
        Ok(match argument {
            ColumnarValue::Scalar(text) => Self::One(text.try_as_str().flatten().map(str::to_owned)),
            ColumnarValue::Array(texts) => Self::Each(cast(texts, &DataType::Utf8View)?.as_string_view().clone()),
        })
    }

    pub(super) fn get(&self, row: usize) -> Option<&str> {
        match self {
            Self::One(text) => text.as_deref(),
            Self::Each(texts) => texts.is_valid(row).then(|| texts.value(row)),
        }
    }
}

/// How many rows are computed: of constants there is one.
pub(super) fn rows(arguments: &[ColumnarValue], number_rows: usize) -> usize {
    let is_one = arguments.iter().all(|argument| matches!(argument, ColumnarValue::Scalar(_)));
    if is_one { 1 } else { number_rows }
}

/// Refuses to make texts of so many bytes at once.
pub(super) fn check_size(bytes: usize) -> Result<()> {
    if bytes < LIMIT_BYTES {
        return Ok(());
    }
    Err(Error::new(Fault::LimitExceeded, "the texts that matches make are too long; take fewer or shorter ones").into())
}

/// Texts as values of a type of them.
pub(super) fn array<T: AsRef<str>>(texts: Vec<Option<T>>, data_type: &DataType) -> ArrayRef {
    let texts = texts.into_iter();
    match data_type {
        DataType::LargeUtf8 => Arc::new(texts.collect::<LargeStringArray>()),
        DataType::Utf8View => Arc::new(texts.collect::<StringViewArray>()),
        _ => Arc::new(texts.collect::<StringArray>()),
    }
}

/// What options say of an expression.
#[derive(Debug, Default, Clone, Copy)]
struct Options {
    is_global: bool,
    ignores_case: bool,
    is_literal: bool,
    /// Blanks and comments are left out.
    is_expanded: bool,
    /// Neither a dot nor what is not in brackets is an end of line.
    stops_at_lines: bool,
    /// `^` and `$` are the borders of lines.
    anchors_lines: bool,
}

impl Options {
    /// Takes a letter; whether it is one of those that stand in expressions too.
    fn set(&mut self, letter: char) -> bool {
        match letter {
            'c' => self.ignores_case = false,
            'i' => self.ignores_case = true,
            'm' | 'n' => (self.stops_at_lines, self.anchors_lines) = (true, true),
            'p' => (self.stops_at_lines, self.anchors_lines) = (true, false),
            's' => (self.stops_at_lines, self.anchors_lines) = (false, false),
            'w' => (self.stops_at_lines, self.anchors_lines) = (false, true),
            'e' => self.is_literal = false,
            'q' => self.is_literal = true,
            't' => self.is_expanded = false,
            'x' => self.is_expanded = true,
            _ => return false,
        }
        true
    }
}

fn compile(pattern: &str, flags: &str) -> Result<Compiled> {
    let mut options = Options::default();
    for flag in flags.chars() {
        match flag {
            'g' => options.is_global = true,
            'b' => {
                return Err(
                    Error::new(Fault::FeatureNotSupported, "basic regular expressions are not supported").into()
                );
            }
            flag if options.set(flag) => {}
            flag => {
                let message = format!("invalid regular expression option: \"{flag}\"");
                return Err(Error::new(Fault::InvalidArgument, message).into());
            }
        }
    }
    let pattern = with_own_options(pattern, &mut options);
    let translated = if options.is_literal { regex::escape(pattern) } else { translated(pattern, options)? };
    let regex = RegexBuilder::new(&translated)
        .case_insensitive(options.ignores_case)
        .dot_matches_new_line(!options.stops_at_lines)
        .multi_line(options.anchors_lines)
        .build()
        .map_err(|error| not_compiled(&error))?;
    Ok(Compiled { regex, is_global: options.is_global })
}

fn not_compiled(error: &regex::Error) -> DataFusionError {
    let text = error.to_string();
    invalid(text.rsplit_once("error: ").map_or(text.as_str(), |(_, reason)| reason).trim())
}

fn invalid(reason: &str) -> DataFusionError {
    Error::new(Fault::InvalidRegularExpression, format!("invalid regular expression: {reason}")).into()
}

/// An expression without the options that it begins with, such as `***=` and `(?i)`.
fn with_own_options<'a>(pattern: &'a str, options: &mut Options) -> &'a str {
    if options.is_literal {
        return pattern;
    }
    if let Some(literal) = pattern.strip_prefix("***=") {
        options.is_literal = true;
        return literal;
    }
    let pattern = pattern.strip_prefix("***:").unwrap_or(pattern);
    let Some((letters, rest)) = pattern.strip_prefix("(?").and_then(|options| options.split_once(')')) else {
        return pattern;
    };
    let mut own = *options;
    if letters.is_empty() || !letters.chars().all(|letter| own.set(letter)) {
        return pattern;
    }
    *options = own;
    rest
}

/// What is left of an expression.
struct Reader<'a> {
    rest: &'a str,
}

impl Reader<'_> {
    fn take(&mut self) -> Option<char> {
        let mut characters = self.rest.chars();
        let character = characters.next();
        self.rest = characters.as_str();
        character
    }

    /// Takes this if it comes next; whether it did.
    fn skip(&mut self, text: &str) -> bool {
        let rest = self.rest.strip_prefix(text);
        self.rest = rest.unwrap_or(self.rest);
        rest.is_some()
    }

    /// Takes what ends with this character, or all.
    fn skip_through(&mut self, end: char) {
        self.rest = self.rest.split_once(end).map_or("", |(_, rest)| rest);
    }

    fn is_before(&self, is_next: impl Fn(char) -> bool) -> bool {
        self.rest.chars().next().is_some_and(is_next)
    }
}

/// An expression of PostgreSQL's as one of the library's. What neither understands stays, for the library to tell.
fn translated(pattern: &str, options: Options) -> Result<String> {
    let mut reader = Reader { rest: pattern };
    let mut out = String::with_capacity(pattern.len());
    while let Some(character) = reader.take() {
        match character {
            '\\' => escape(&mut reader, &mut out),
            '[' if reader.skip("[:<:]]") => out.push_str("\\b{start}"),
            '[' if reader.skip("[:>:]]") => out.push_str("\\b{end}"),
            '[' => brackets(&mut reader, options, &mut out)?,
            '(' if reader.skip("?#") => reader.skip_through(')'),
            // It begins no number of times.
            '{' if !reader.is_before(|next| next.is_ascii_digit()) => out.push_str("\\{"),
            '#' if options.is_expanded => reader.skip_through('\n'),
            blank if options.is_expanded && blank.is_whitespace() => {}
            other => out.push(other),
        }
    }
    Ok(out)
}

/// What follows a backslash outside of brackets.
fn escape(reader: &mut Reader<'_>, out: &mut String) {
    match reader.take() {
        None => out.push('\\'),
        Some('m') => out.push_str("\\b{start}"),
        Some('M') => out.push_str("\\b{end}"),
        Some('y') => out.push_str("\\b"),
        Some('Y') => out.push_str("\\B"),
        Some('A') => out.push_str("\\A"),
        Some('Z') => out.push_str("\\z"),
        Some(other) => escaped(other, reader, out),
    }
}

/// A character, or a class of them, that follows a backslash.
fn escaped(character: char, reader: &mut Reader<'_>, out: &mut String) {
    match character {
        'b' => push_itself('\u{8}', out),
        'B' => push_itself('\\', out),
        'e' => push_itself('\u{1b}', out),
        'c' => match reader.take().and_then(|letter| char::from_u32(u32::from(letter) & 0x1f)) {
            Some(control) => push_itself(control, out),
            None => out.push_str("\\c"),
        },
        'x' => {
            let digits =
                reader.rest.len() - reader.rest.trim_start_matches(|next: char| next.is_ascii_hexdigit()).len();
            let (digits, rest) = reader.rest.split_at(digits);
            reader.rest = rest;
            let _ = write!(out, "\\x{{{digits}}}");
        }
        known if known.is_ascii_alphanumeric() => {
            out.push('\\');
            out.push(known);
        }
        other => push_itself(other, out),
    }
}

/// The classes that have names.
const CLASSES: &[&str] = &[
    "alnum", "alpha", "blank", "cntrl", "digit", "graph", "lower", "print", "punct", "space", "upper", "word", "xdigit",
];

/// What stands in brackets, of which the first is taken.
fn brackets(reader: &mut Reader<'_>, options: Options, out: &mut String) -> Result<()> {
    out.push('[');
    if reader.skip("^") {
        out.push('^');
        if options.stops_at_lines {
            out.push_str("\\n");
        }
    }
    // Whether a character stands before that begins a range, and whether one does whose range the next one ends.
    let (mut begins, mut ends) = (false, false);
    // The first of them is no end.
    if reader.skip("]") {
        push_itself(']', out);
        begins = true;
    }
    while let Some(character) = reader.take() {
        let is_class = match character {
            ']' => {
                out.push(']');
                return Ok(());
            }
            '-' if begins && !reader.rest.starts_with(']') => {
                out.push('-');
                (begins, ends) = (false, true);
                continue;
            }
            '[' if reader.is_before(|next| matches!(next, ':' | '.' | '=')) => class(reader, out)?,
            '\\' => {
                let Some(next) = reader.take() else { break };
                escaped(next, reader, out);
                matches!(next, 'd' | 'D' | 's' | 'S' | 'w' | 'W')
            }
            other => {
                push_itself(other, out);
                false
            }
        };
        (begins, ends) = (!is_class && !ends, false);
    }
    Err(invalid("brackets [] not balanced"))
}

/// A named class such as `[:digit:]`, or an element such as `[.-.]`, of which the bracket is taken; whether it is a class.
fn class(reader: &mut Reader<'_>, out: &mut String) -> Result<bool> {
    let kind = reader.take().unwrap_or(':');
    let Some((name, rest)) = reader.rest.split_once(format!("{kind}]").as_str()) else {
        return Err(invalid("brackets [] not balanced"));
    };
    reader.rest = rest;
    let mut characters = name.chars();
    match (kind, characters.next(), characters.next()) {
        (':', ..) if CLASSES.contains(&name) => {
            let _ = write!(out, "[:{name}:]");
            Ok(true)
        }
        (':', ..) => Err(invalid("invalid character class")),
        (_, Some(element), None) => {
            push_itself(element, out);
            Ok(false)
        }
        _ => Err(invalid("invalid collating element")),
    }
}

/// Writes a character that means itself, in brackets or not.
fn push_itself(character: char, out: &mut String) {
    if character.is_alphanumeric() {
        out.push(character);
    } else {
        let _ = write!(out, "\\x{{{:x}}}", u32::from(character));
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;

    fn found<'a>(text: &'a str, pattern: &str, flags: &str) -> Option<&'a str> {
        compile(pattern, flags).unwrap().regex.find(text).map(|found| found.as_str())
    }

    /// Expected as PostgreSQL 15 has them.
    #[test]
    fn options_are_those_of_postgresql() {
        for (text, pattern, flags, expected) in [
            ("a\nb", "a.b", "", Some("a\nb")),
            ("a\nb", "a.b", "n", None),
            ("a\nb", "a[^x]b", "n", None),
            ("a\nb", "a[^x]b", "", Some("a\nb")),
            ("a\nb", "^b", "", None),
            ("a\nb", "^b", "n", Some("b")),
            ("a\nb", "^b", "p", None),
            ("a\nb", "a.^b", "w", Some("a\nb")),
            ("a\nb", "a.b", "ns", Some("a\nb")),
            ("aB", "b", "i", Some("B")),
            ("aB", "b", "ic", None),
            ("ab", "a b # both", "x", Some("ab")),
            ("a b", "a[ ]b", "x", Some("a b")),
            ("a.b", "a.b", "q", Some("a.b")),
            ("axb", "a.b", "q", None),
            ("aB", "(?i)b", "", Some("B")),
            ("a.b", "***=.", "", Some(".")),
        ] {
            assert_eq!(found(text, pattern, flags), expected, "{pattern} {flags}");
        }
        assert!(compile("a", "z").is_err_and(|error| error.to_string().contains("option: \"z\"")));
        for (wrong, reason) in [
            ("(", "unclosed group"),
            ("[a", "brackets [] not balanced"),
            ("[[:letter:]]", "invalid character class"),
            ("[[.letter.]]", "invalid collating element"),
        ] {
            assert!(compile(wrong, "").is_err_and(|error| error.to_string().contains(reason)), "{wrong}");
        }
    }

    #[test]
    fn escapes_and_brackets_are_those_of_postgresql() {
        for (text, pattern, expected) in [
            ("foo bar", "\\mb", Some("b")),
            ("foo bar", "o\\M", Some("o")),
            ("foo bar", "\\yb\\w+\\Z", Some("bar")),
            ("foo bar", "[[:<:]]b", Some("b")),
            ("a<b", "\\<", Some("<")),
            ("a{b", "a{b", Some("a{b")),
            ("aaa", "a{2}", Some("aa")),
            ("x]y", "[]]", Some("]")),
            ("x]y", "[^]x]", Some("y")),
            ("[a", "[[a]+", Some("[a")),
            ("a&&b", "[a&&b]+", Some("a&&b")),
            ("a-b", "[a-]+", Some("a-")),
            ("+,-", "[+--]+", Some("+,-")),
            ("a1-", "[[:digit:]-]+", Some("1-")),
            ("a1\\", "[\\d\\\\]+", Some("1\\")),
            ("a-b", "[[.-.]]", Some("-")),
            ("abc", "\\x62", Some("b")),
            ("ab", "a(?#one)b", Some("ab")),
        ] {
            assert_eq!(found(text, pattern, ""), expected, "{pattern}");
        }
    }

    #[test]
    fn as_many_expressions_are_kept_as_there_is_room_for() {
        let mut known = Known::default();
        for pattern in (0..100).chain([99, 70, 99]) {
            let pattern = pattern.to_string();
            assert_eq!(known.get(&pattern, "").unwrap().regex.as_str(), pattern);
        }
        assert_eq!(known.0.len(), LIMIT_KNOWN);
        assert_eq!([&known.0[0].0, &known.0[1].0], ["99", "70"]);
    }
}
