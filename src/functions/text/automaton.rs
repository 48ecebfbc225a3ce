//! Searches of long texts, which ask on their way whether anybody waits.
//!
//! The library's search of a text makes no pause, and may take minutes for one: an expression of many states at each byte. An
//! automaton that is led by hand finds where a match ends, and how far one has to look for it, in steps.

use regex_automata::{
    Anchored, Input, MatchKind, PatternID,
    hybrid::dfa::{Cache, DFA},
    nfa::thompson::{
        self, WhichCaptures,
        pikevm::{self, PikeVM},
    },
};

use super::regexp::Bytes;
use crate::{fault::Result, interrupt::ask};

/// A text of more bytes is long: less of it is searched by the library in no time.
pub(super) const LONG_BYTES: usize = 1 << 16;

/// Bytes from one question to the next.
const PIECE_BYTES: usize = 1 << 10;

/// An automaton and the states of it that were needed.
pub(super) struct Automaton {
    dfa: DFA,
    cache: Cache,
}

/// What an automaton finds.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Reached {
    /// Where the match ends, or begins if it was looked for backwards, and the last byte that was looked at.
    Match {
        at: usize,
        seen: usize,
    },
    Nothing,
    /// It cannot tell: of a border of words beside letters that are none of ASCII.
    Unknown,
}

impl Automaton {
    /// Of an expression that was compiled before; none if it cannot be made.
    pub(super) fn of(pattern: &str, kind: MatchKind, is_reverse: bool) -> Option<Self> {
        let config = DFA::config().match_kind(kind).unicode_word_boundary(true).skip_cache_capacity_check(true);
        let states = thompson::Config::new().reverse(is_reverse).which_captures(WhichCaptures::None);
        let dfa = DFA::builder().configure(config).thompson(states).build(pattern).ok()?;
        let cache = dfa.create_cache();
        Some(Self { dfa, cache })
    }

    /// Goes through what is to be searched, to the end of the match.
    pub(super) fn forwards(&mut self, input: &Input<'_>) -> Result<Reached> {
        let Self { dfa, cache } = self;
        let bytes = &input.haystack()[input.get_range()];
        let Ok(mut state) = dfa.start_state_forward(cache, input) else { return Ok(Reached::Unknown) };
        let mut found = None;
        let mut at = input.start();
        let reached = |found: Option<usize>, seen: usize| match found {
            Some(at) => Reached::Match { at, seen },
            None => Reached::Nothing,
        };
        for piece in bytes.chunks(PIECE_BYTES) {
            for byte in piece {
                let Ok(next) = dfa.next_state(cache, state, *byte) else { return Ok(Reached::Unknown) };
                state = next;
                // A match shows one byte behind its end.
                if state.is_match() {
                    found = Some(at);
                }
                if state.is_dead() || state.is_match() && input.get_earliest() {
                    return Ok(reached(found, at));
                }
                if state.is_quit() {
                    return Ok(Reached::Unknown);
                }
                at += 1;
            }
            ask()?;
        }
        let last = match input.haystack().get(input.end()) {
            Some(byte) => dfa.next_state(cache, state, *byte),
            None => dfa.next_eoi_state(cache, state),
        };
        Ok(match last {
            Ok(last) if last.is_match() => reached(Some(input.end()), input.end()),
            Ok(last) if !last.is_quit() => reached(found, input.end()),
            _ => Reached::Unknown,
        })
    }

    /// Goes through what is to be searched from its end on, to the start of the longest match that ends there.
    fn backwards(&mut self, input: &Input<'_>) -> Result<Reached> {
        let Self { dfa, cache } = self;
        let bytes = &input.haystack()[input.get_range()];
        let Ok(mut state) = dfa.start_state_reverse(cache, input) else { return Ok(Reached::Unknown) };
        let mut found = Reached::Nothing;
        let mut at = input.end();
        for piece in bytes.rchunks(PIECE_BYTES) {
            for byte in piece.iter().rev() {
                let Ok(next) = dfa.next_state(cache, state, *byte) else { return Ok(Reached::Unknown) };
                state = next;
                if state.is_match() {
                    found = Reached::Match { at, seen: at };
                } else if state.is_dead() {
                    return Ok(found);
                } else if state.is_quit() {
                    return Ok(Reached::Unknown);
                }
                at -= 1;
            }
            ask()?;
        }
        let before = input.start().checked_sub(1).and_then(|before| input.haystack().get(before));
        let last = match before {
            Some(byte) => dfa.next_state(cache, state, *byte),
            None => dfa.next_eoi_state(cache, state),
        };
        Ok(match last {
            Ok(last) if last.is_match() => Reached::Match { at: input.start(), seen: input.start() },
            Ok(last) if !last.is_quit() => found,
            _ => Reached::Unknown,
        })
    }
}

/// What finds the next match in a long text.
pub(super) struct Long {
    ends: Automaton,
    starts: Automaton,
    groups: (PikeVM, pikevm::Cache),
}

/// What is known of the next match in a long text.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Next {
    /// The bytes of all of it, and of its groups.
    Match(Vec<Option<Bytes>>),
    Nothing,
    /// The library finds it soon, or nobody else does.
    Library,
}

impl Long {
    /// Of an expression that was compiled before; none if it cannot be made.
    pub(super) fn of(pattern: &str) -> Option<Self> {
        let groups = PikeVM::builder().build(pattern).ok()?;
        let cache = groups.create_cache();
        let ends = Automaton::of(pattern, MatchKind::LeftmostFirst, false)?;
        let starts = Automaton::of(pattern, MatchKind::All, true)?;
        Some(Self { ends, starts, groups: (groups, cache) })
    }

    /// The next match from a byte on.
    pub(super) fn next(&mut self, text: &str, from: usize) -> Result<Next> {
        let input = Input::new(text).span(from..text.len());
        let end = match self.ends.forwards(&input)? {
            Reached::Nothing => return Ok(Next::Nothing),
            Reached::Match { at, seen } if seen - from > LONG_BYTES => at,
            Reached::Match { .. } | Reached::Unknown => return Ok(Next::Library),
        };
        let input = Input::new(text).span(from..end).anchored(Anchored::Yes);
        let Reached::Match { at: start, .. } = self.starts.backwards(&input)? else { return Ok(Next::Library) };
        if !text.is_char_boundary(start) || !text.is_char_boundary(end) {
            return Ok(Next::Library);
        }
        let (groups, cache) = &mut self.groups;
        if groups.get_nfa().group_info().group_len(PatternID::ZERO) == 1 {
            return Ok(Next::Match(vec![Some((start, end))]));
        }
        let mut found = groups.create_captures();
        let input = Input::new(text).span(start..end).anchored(Anchored::Yes);
        groups.search(cache, &input, &mut found);
        let bytes = (0..found.group_len()).map(|group| found.get_group(group).map(|group| (group.start, group.end)));
        Ok(if found.is_match() { Next::Match(bytes.collect()) } else { Next::Library })
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use regex::Regex;

    use super::*;
    use crate::interrupt::unwanted;

    /// What the library finds, which is what the automata are to find.
    fn expected(pattern: &str, text: &str, from: usize) -> Option<Vec<Option<Bytes>>> {
        let regex = Regex::new(pattern).unwrap();
        let mut locations = regex.capture_locations();
        regex.captures_read_at(&mut locations, text, from)?;
        Some((0..locations.len()).map(|group| locations.get(group)).collect())
    }

    #[test]
    fn matches_are_those_of_the_library() {
        let blank = " ".repeat(3 * LONG_BYTES / 2);
        let wide = "é".repeat(LONG_BYTES);
        for (text, pattern) in [
            (format!("{blank}abc"), "(b)(c)?"),
            (format!("{blank}abc{blank}"), "a(x)?(b|bc)"),
            (format!("a{blank}b"), "(a).*(b)"),
            (format!("a{blank}b"), "a.*?b"),
            (format!("{blank}b"), "x*b$"),
            (format!("{blank}b"), "b|$"),
            (format!("x{blank}"), "[^x]*"),
            (format!("{blank}ab ab"), "\\bab$"),
            (format!("{wide}b"), "é+b"),
            (format!("{wide}\nb"), "(?m)^b"),
            (blank.clone(), "\\z"),
        ] {
            let mut long = Long::of(pattern).unwrap();
            for from in [0, 1, 2] {
                if !text.is_char_boundary(from) {
                    continue;
                }
                match long.next(&text, from).unwrap() {
                    Next::Match(found) => assert_eq!(Some(found), expected(pattern, &text, from), "{pattern} {from}"),
                    Next::Nothing => assert_eq!(expected(pattern, &text, from), None, "{pattern} {from}"),
                    Next::Library => {}
                }
            }
        }
        // It found them, and did not leave them to the library.
        let text = format!("{blank}abc");
        let found = |pattern: &str| Long::of(pattern).unwrap().next(&text, 0).unwrap();
        let place = blank.len();
        assert_eq!(found("(b)c"), Next::Match(vec![Some((place + 1, place + 3)), Some((place + 1, place + 2))]));
        assert_eq!(found("x"), Next::Nothing);
        assert_eq!(found(" "), Next::Library);
    }

    #[test]
    fn a_search_ends_when_nobody_waits() {
        let text = "a".repeat(2 * LONG_BYTES);
        let mut long = Long::of("(a|b)*c").unwrap();
        assert!(unwanted(|| long.next(&text, 0)).is_err());
        assert_eq!(long.next(&text, 0), Ok(Next::Nothing));
    }
}
