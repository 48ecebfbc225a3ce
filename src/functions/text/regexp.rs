//! Regular expressions with PostgreSQL's options, compiled, and where they match.

use arrow::array::ArrayRef;
use regex::{CaptureLocations, Regex};
use regex_automata::util::captures::Captures;

use super::{
    automaton::{LONG_BYTES, Long, Next},
    parts_of,
    preferred::Extent,
    regular_expression::{Preference, similar_part as translated_part, with_preference},
};
use crate::{
    fault::{Failure, Fault, Result},
    functions::Call,
    interrupt::{ask, steps},
};

/// As many compiled expressions are kept, as PostgreSQL does.
const LIMIT_KNOWN: usize = 32;

/// Less than this many bytes are made of the texts of a batch.
const LIMIT_BYTES: usize = 1 << 30;

/// Steps that a match is, which takes more than a row of other functions.
const STEPS: usize = 8;

/// Where something begins, and where it ends.
pub(super) type Bytes = (usize, usize);

/// An expression with its options.
pub(super) struct Compiled {
    regex: Regex,
    /// All matches are meant, and not the first.
    pub(super) is_global: bool,
    preference: Option<Preference>,
    /// What finds the match that is preferred, once one was looked for.
    extent: Option<Extent>,
    /// What finds matches in long texts, once there was one, if it can be made.
    long: Option<Option<Box<Long>>>,
}

impl Compiled {
    fn of(pattern: &str, preference: Option<Preference>, is_global: bool) -> Result<Self> {
        let regex = Regex::new(pattern).map_err(|error| {
            let text = error.to_string();
            let reason = text.rsplit_once("error: ").map_or(text.as_str(), |(_, reason)| reason).trim();
            Failure::new(Fault::InvalidRegularExpression, format!("invalid regular expression: {reason}"))
        })?;
        Ok(Self { regex, is_global, preference, extent: None, long: None })
    }

    /// The match that is preferred to one of these bytes, if that is another.
    fn preferred(&mut self, text: &str, start: usize, end: usize) -> Result<Option<Captures>> {
        let Some(preference) = self.preference else { return Ok(None) };
        let is_it = match preference {
            Preference::Longest => end == text.len(),
            Preference::Shortest => end == start,
        };
        if is_it {
            return Ok(None);
        }
        if self.extent.is_none() {
            self.extent = Extent::of(self.regex.as_str(), preference);
        }
        self.extent.as_mut().map_or(Ok(None), |extent| extent.other(text, start, end))
    }

    /// What is known of the next match from a byte on without the library's search.
    fn next(&mut self, text: &str, from: usize) -> Result<Next> {
        if text.len() - from <= LONG_BYTES {
            return Ok(Next::Library);
        }
        let long = self.long.get_or_insert_with(|| Long::of(self.regex.as_str()).map(Box::new));
        long.as_mut().map_or(Ok(Next::Library), |long| long.next(text, from))
    }
}

/// The expressions that rows had last, compiled, with the newest first.
#[derive(Default)]
pub(super) struct Known(Vec<(String, String, Compiled)>);

impl Known {
    /// An expression with these options.
    pub(super) fn get(&mut self, pattern: &str, flags: &str) -> Result<&mut Compiled> {
        self.made(pattern, flags, compile)
    }

    /// The same, of a function of this name that has no use for `g`.
    pub(super) fn without_global(&mut self, pattern: &str, flags: &str, function: &str) -> Result<&mut Compiled> {
        let compiled = self.get(pattern, flags)?;
        if compiled.is_global {
            let message = format!("{function}() does not support the \"global\" option");
            return Err(Failure::new(Fault::InvalidArgument, message));
        }
        Ok(compiled)
    }

    /// A pattern with what makes an expression of it.
    fn made(
        &mut self,
        pattern: &str,
        with: &str,
        make: impl Fn(&str, &str) -> Result<Compiled>,
    ) -> Result<&mut Compiled> {
        let is_same = |(known, other, _): &(String, String, Compiled)| known == pattern && other == with;
        match self.0.iter().position(is_same) {
            Some(place) => self.0[..=place].rotate_right(1),
            None => {
                ask()?;
                let compiled = make(pattern, with)?;
                self.0.truncate(LIMIT_KNOWN - 1);
                self.0.insert(0, (pattern.to_owned(), with.to_owned(), compiled));
            }
        }
        Ok(&mut self.0[0].2)
    }
}

/// Refuses to make texts of so many bytes at once.
pub(super) fn check_size(bytes: usize) -> Result<()> {
    if bytes < LIMIT_BYTES {
        return Ok(());
    }
    Err(Failure::new(Fault::LimitExceeded, "the texts that matches make are too long; take fewer or shorter ones"))
}

/// The bytes of a match and of its groups.
#[derive(Default)]
pub(super) struct Groups(Vec<Option<Bytes>>);

impl Groups {
    /// How many there are, with the whole match.
    pub(super) fn len(&self) -> usize {
        self.0.len()
    }

    /// Those of a group; the whole match is that of 0.
    pub(super) fn get(&self, group: usize) -> Option<Bytes> {
        self.0.get(group).copied().flatten()
    }
}

/// Matches of an expression in a text, one after the other. The next may be empty and begin where one ends, but not where an
/// empty one is.
pub(super) struct Matches<'r, 't> {
    compiled: &'r mut Compiled,
    text: &'t str,
    /// The byte from which on the next is looked for.
    from: usize,
    locations: CaptureLocations,
    groups: Groups,
}

impl<'r, 't> Matches<'r, 't> {
    pub(super) fn new(compiled: &'r mut Compiled, text: &'t str, from: usize) -> Self {
        let locations = compiled.regex.capture_locations();
        Self { compiled, text, from, locations, groups: Groups::default() }
    }

    /// The bytes of the next match, and those of its groups.
    pub(super) fn advance(&mut self) -> Result<Option<(Bytes, &Groups)>> {
        steps(STEPS)?;
        if self.from > self.text.len() {
            return Ok(None);
        }
        let Some((start, mut end)) = self.found()? else { return Ok(None) };
        if let Some(preferred) = self.compiled.preferred(self.text, start, end)? {
            end = preferred.get_group(0).map_or(end, |whole| whole.end);
            let groups = (0..preferred.group_len()).map(|group| preferred.get_group(group));
            self.groups.0.clear();
            self.groups.0.extend(groups.map(|group| group.map(|group| (group.start, group.end))));
        }
        let after = self.text[end..].chars().next().map_or(1, char::len_utf8);
        self.from = if start == end { end + after } else { end };
        Ok(Some(((start, end), &self.groups)))
    }

    /// The next match and its groups as the library has them.
    fn found(&mut self) -> Result<Option<Bytes>> {
        match self.compiled.next(self.text, self.from)? {
            Next::Nothing => return Ok(None),
            Next::Match(groups) => self.groups.0 = groups,
            Next::Library => {
                let regex = &self.compiled.regex;
                if regex.captures_read_at(&mut self.locations, self.text, self.from).is_none() {
                    return Ok(None);
                }
                self.groups.0.clear();
                self.groups.0.extend((0..self.locations.len()).map(|group| self.locations.get(group)));
            }
        }
        Ok(self.groups.get(0))
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
    parts_of(call, |row| part(texts.value(row), known.get(patterns.value(row), "")?))
}

/// `substring(text SIMILAR pattern ESCAPE escape)`: what stands between the separators of the pattern.
pub(super) fn similar_part(call: &Call<'_>) -> Result<ArrayRef> {
    let (texts, patterns, escapes) = (call.texts(0)?, call.texts(1)?, call.texts(2)?);
    let mut known = Known::default();
    parts_of(call, |row| {
        let compiled = known.made(patterns.value(row), escapes.value(row), |pattern, escape| {
            Compiled::of(&translated_part(pattern, escape)?, None, false)
        })?;
        part(texts.value(row), compiled)
    })
}

fn part<'a>(text: &'a str, compiled: &mut Compiled) -> Result<Option<&'a str>> {
    let mut matches = Matches::new(compiled, text, 0);
    let Some((whole, groups)) = matches.advance()? else { return Ok(None) };
    let part = if groups.len() == 1 { Some(whole) } else { groups.get(1) };
    Ok(part.and_then(|(from, to)| text.get(from..to)))
}

/// An expression with PostgreSQL's options, which `g` is one of here.
pub(super) fn compile(pattern: &str, flags: &str) -> Result<Compiled> {
    let is_global = flags.contains('g');
    let (pattern, preference) = with_preference(pattern, &flags.replace('g', ""))?;
    Compiled::of(&pattern, preference, is_global)
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;
    use crate::interrupt::unwanted;

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

    /// Expected as PostgreSQL 15 has them.
    #[test]
    fn the_longest_match_is_preferred_or_the_shortest() {
        for (text, pattern, expected) in [
            ("foobar", "o|oo", &[Some("oo")][..]),
            ("foobar", "(o|oo)", &[Some("oo"), Some("oo")]),
            ("aab", "a*(ab)?", &[Some("aab"), Some("ab")]),
            ("XY1234Z", "Y*([0-9]{1,3})", &[Some("Y123"), Some("123")]),
            ("XY1234Z", "Y*?([0-9]{1,3})", &[Some("Y1"), Some("1")]),
            ("abc01234xyz", "(.*)(\\d+)(.*)", &[Some("abc01234xyz"), Some("abc0123"), Some("4"), Some("xyz")]),
            ("abc01234xyz", "(.*?)(\\d+)(.*)", &[Some("abc0"), Some("abc"), Some("0"), Some("")]),
            ("foo bar", "\\m(f|foo)", &[Some("foo"), Some("foo")]),
            ("äöäö!", "ä|äö|äöä", &[Some("äöä")]),
        ] {
            let mut compiled = compile(pattern, "").unwrap();
            let mut matches = Matches::new(&mut compiled, text, 0);
            let (_, groups) = matches.advance().unwrap().unwrap();
            let found: Vec<Option<&str>> =
                (0..groups.len()).map(|group| groups.get(group).map(|(from, to)| &text[from..to])).collect();
            assert_eq!(found, expected, "{pattern}");
        }
    }

    #[test]
    fn matches_end_when_nobody_waits() {
        // Each of them is looked for to the end of the text.
        for text in ["a".repeat(10_000), "a".repeat(100_000)] {
            let mut compiled = compile("a*?b|a", "").unwrap();
            let mut matches = Matches::new(&mut compiled, &text, 0);
            assert_eq!(matches.advance().unwrap().map(|(whole, _)| whole), Some((0, 1)));
            let taken = unwanted(|| (0..100).take_while(|_| matches.advance().is_ok()).count());
            assert!(taken < 20, "{taken} matches");
            assert_eq!(matches.advance().unwrap().map(|((start, _), _)| start), Some(1 + taken));
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
