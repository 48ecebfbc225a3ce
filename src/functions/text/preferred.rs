//! The longest match of an expression that begins at a place, or the shortest.

use regex_automata::{
    Anchored, Input, MatchKind,
    hybrid::dfa::{self, DFA},
    nfa::thompson::pikevm::{self, PikeVM},
    util::captures::Captures,
};

use super::regular_expression::Preference;

/// What finds it: an automaton, which is quick and knows no groups, and one that does.
pub(super) struct Extent {
    preference: Preference,
    ends: Option<(DFA, dfa::Cache)>,
    groups: (PikeVM, pikevm::Cache),
}

impl Extent {
    /// Of an expression that was compiled before; none if it cannot be made.
    pub(super) fn of(pattern: &str, preference: Preference) -> Option<Self> {
        let config = PikeVM::config().match_kind(MatchKind::All);
        let groups = PikeVM::builder().configure(config).build(pattern).ok()?;
        let groups_cache = groups.create_cache();
        // It has no borders of words beside letters that are none of ASCII.
        let ends = DFA::builder().configure(DFA::config().match_kind(MatchKind::All)).build(pattern).ok();
        let ends = ends.map(|ends| {
            let cache = ends.create_cache();
            (ends, cache)
        });
        Some(Self { preference, ends, groups: (groups, groups_cache) })
    }

    /// The match from a byte on that is preferred to the one that ends at another; none if it is that.
    pub(super) fn other(&mut self, text: &str, start: usize, end: usize) -> Option<Captures> {
        let is_least = self.preference == Preference::Shortest;
        let input = Input::new(text).span(start..text.len()).anchored(Anchored::Yes).earliest(is_least);
        if let Some((ends, cache)) = &mut self.ends
            && let Ok(Some(found)) = ends.try_search_fwd(cache, &input)
            && found.offset() == end
        {
            return None;
        }
        let (groups, cache) = &mut self.groups;
        let mut found = groups.create_captures();
        groups.search(cache, &input, &mut found);
        found.is_match().then_some(found)
    }
}
