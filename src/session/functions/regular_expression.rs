//! Regular expressions with PostgreSQL's options, compiled for the functions that take some.

use datafusion::common::{DataFusionError, Result};
use regex::Regex;

use super::texts::LIMIT_BYTES;
use crate::{Error, Fault, session::regular_expression::translated};

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

/// Refuses to make texts of so many bytes at once.
pub(super) fn check_size(bytes: usize) -> Result<()> {
    if bytes < LIMIT_BYTES {
        return Ok(());
    }
    Err(Error::new(Fault::LimitExceeded, "the texts that matches make are too long; take fewer or shorter ones").into())
}

fn compile(pattern: &str, flags: &str) -> Result<Compiled> {
    let is_global = flags.contains('g');
    let translated = translated(pattern, &flags.replace('g', ""))?;
    let regex = Regex::new(&translated).map_err(|error| not_compiled(&error))?;
    Ok(Compiled { regex, is_global })
}

fn not_compiled(error: &regex::Error) -> DataFusionError {
    let text = error.to_string();
    let reason = text.rsplit_once("error: ").map_or(text.as_str(), |(_, reason)| reason).trim();
    Error::new(Fault::InvalidRegularExpression, format!("invalid regular expression: {reason}")).into()
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
