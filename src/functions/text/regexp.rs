//! Regular expressions with PostgreSQL's options, compiled, and where they match.

use arrow::array::ArrayRef;
use regex::{CaptureLocations, Regex};

use super::{
    parts_of,
    regular_expression::{similar_part as translated_part, translated},
};
use crate::{
    fault::{Failure, Fault, Result},
    functions::Call,
};

/// As many compiled expressions are kept, as PostgreSQL does.
const LIMIT_KNOWN: usize = 32;

/// Less than this many bytes are made of the texts of a batch.
const LIMIT_BYTES: usize = 1 << 30;

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
        self.made(pattern, flags, compile)
    }

    /// The same, of a function of this name that has no use for `g`.
    pub(super) fn without_global(&mut self, pattern: &str, flags: &str, function: &str) -> Result<&Regex> {
        let compiled = self.get(pattern, flags)?;
        if compiled.is_global {
            let message = format!("{function}() does not support the \"global\" option");
            return Err(Failure::new(Fault::InvalidArgument, message));
        }
        Ok(&compiled.regex)
    }

    /// A pattern with what makes an expression of it.
    fn made(&mut self, pattern: &str, with: &str, make: impl Fn(&str, &str) -> Result<Compiled>) -> Result<&Compiled> {
        let is_same = |(known, other, _): &(String, String, Compiled)| known == pattern && other == with;
        match self.0.iter().position(is_same) {
            Some(place) => self.0[..=place].rotate_right(1),
            None => {
                let compiled = make(pattern, with)?;
                self.0.truncate(LIMIT_KNOWN - 1);
                self.0.insert(0, (pattern.to_owned(), with.to_owned(), compiled));
            }
        }
        Ok(&self.0[0].2)
    }
}

/// Refuses to make texts of so many bytes at once.
pub(super) fn check_size(bytes: usize) -> Result<()> {
    if bytes < LIMIT_BYTES {
        return Ok(());
    }
    Err(Failure::new(Fault::LimitExceeded, "the texts that matches make are too long; take fewer or shorter ones"))
}

/// Matches of an expression in a text, one after the other. The next may be empty and begin where one ends, but not where an
/// empty one is.
pub(super) struct Matches<'r, 't> {
    regex: &'r Regex,
    text: &'t str,
    /// The byte from which on the next is looked for.
    from: usize,
    groups: CaptureLocations,
}

impl<'r, 't> Matches<'r, 't> {
    pub(super) fn new(regex: &'r Regex, text: &'t str, from: usize) -> Self {
        Self { regex, text, from, groups: regex.capture_locations() }
    }

    /// The bytes of the next match, and those of its groups.
    pub(super) fn advance(&mut self) -> Option<((usize, usize), &CaptureLocations)> {
        if self.from > self.text.len() {
            return None;
        }
        let found = self.regex.captures_read_at(&mut self.groups, self.text, self.from)?;
        let after = self.text[found.end()..].chars().next().map_or(1, char::len_utf8);
        self.from = if found.is_empty() { found.end() + after } else { found.end() };
        Some(((found.start(), found.end()), &self.groups))
    }
}

/// The byte of a character by its place, from 1 on; beyond the end if there is none.
pub(super) fn byte_of(text: &str, start: i32) -> Result<usize> {
    let place = usize::try_from(start).ok().and_then(|start| start.checked_sub(1));
    let place = place.ok_or_else(|| invalid("start", start))?;
    let found = text.char_indices().map(|(at, _)| at).chain([text.len()]).nth(place);
    Ok(found.unwrap_or(text.len() + 1))
}

/// The error of a number that an argument may not be.
pub(super) fn invalid(argument: &str, number: i32) -> Failure {
    Failure::new(Fault::InvalidArgument, format!("invalid value for parameter \"{argument}\": {number}"))
}

/// `substring(text FROM pattern)`: the first match, or its first group if there is one.
pub(super) fn matched(call: &Call<'_>) -> Result<ArrayRef> {
    let (texts, patterns) = (call.texts(0)?, call.texts(1)?);
    let mut known = Known::default();
    parts_of(call, |row| Ok(part(texts.value(row), &known.get(patterns.value(row), "")?.regex)))
}

/// `substring(text SIMILAR pattern ESCAPE escape)`: what stands between the separators of the pattern.
pub(super) fn similar_part(call: &Call<'_>) -> Result<ArrayRef> {
    let (texts, patterns, escapes) = (call.texts(0)?, call.texts(1)?, call.texts(2)?);
    let mut known = Known::default();
    parts_of(call, |row| {
        let compiled = known.made(patterns.value(row), escapes.value(row), |pattern, escape| {
            Ok(Compiled { regex: built(&translated_part(pattern, escape)?)?, is_global: false })
        })?;
        Ok(part(texts.value(row), &compiled.regex))
    })
}

fn part<'a>(text: &'a str, regex: &Regex) -> Option<&'a str> {
    if regex.captures_len() == 1 {
        return regex.find(text).map(|found| found.as_str());
    }
    regex.captures(text)?.get(1).map(|group| group.as_str())
}

fn compile(pattern: &str, flags: &str) -> Result<Compiled> {
    let is_global = flags.contains('g');
    Ok(Compiled { regex: built(&translated(pattern, &flags.replace('g', ""))?)?, is_global })
}

fn built(pattern: &str) -> Result<Regex> {
    Regex::new(pattern).map_err(|error| {
        let text = error.to_string();
        let reason = text.rsplit_once("error: ").map_or(text.as_str(), |(_, reason)| reason).trim();
        Failure::new(Fault::InvalidRegularExpression, format!("invalid regular expression: {reason}"))
    })
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
