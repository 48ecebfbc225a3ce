//! The longest match of an expression that begins at a place, or the shortest.

use regex_automata::{
    Anchored, Input, MatchKind,
    nfa::thompson::pikevm::{self, PikeVM},
    util::captures::Captures,
};

use super::{
    automaton::{Automaton, Reached},
    regular_expression::Preference,
};
use crate::fault::Result;

/// What finds it: an automaton, which is quick and knows no groups, and one that does.
pub(super) struct Extent {
    preference: Preference,
    ends: Option<Automaton>,
    groups: (PikeVM, pikevm::Cache),
}

impl Extent {
    /// Of an expression that was compiled before; none if it cannot be made.
    pub(super) fn of(pattern: &str, preference: Preference) -> Option<Self> {
        let config = PikeVM::config().match_kind(MatchKind::All);
        let groups = PikeVM::builder().configure(config).build(pattern).ok()?;
        let cache = groups.create_cache();
        Some(Self { preference, ends: Automaton::of(pattern, MatchKind::All, false), groups: (groups, cache) })
    }

    /// The match from a byte on that is preferred to the one that ends at another; none if it is that.
    pub(super) fn other(&mut self, text: &str, start: usize, end: usize) -> Result<Option<Captures>> {
        let is_least = self.preference == Preference::Shortest;
        let mut input = Input::new(text).span(start..text.len()).anchored(Anchored::Yes).earliest(is_least);
        if let Some(ends) = &mut self.ends
            && let Reached::Match { at, .. } = ends.forwards(&input)?
        {
            if at == end {
                return Ok(None);
            }
            input.set_span(start..at);
        }
        let (groups, cache) = &mut self.groups;
        let mut found = groups.create_captures();
        groups.search(cache, &input, &mut found);
        Ok(found.is_match().then_some(found))
    }
}
