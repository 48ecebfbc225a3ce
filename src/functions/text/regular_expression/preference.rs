//! Which of the matches from one place on an expression prefers: the longest or the shortest (chapter 9.7.3.5 of PostgreSQL's
//! manual, "Regular Expression Matching Rules").
//!
//! The library takes the first one that it finds in the order of choices: of `a|ab` the shorter one, where PostgreSQL takes the
//! longer.

/// What an expression prefers.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(in crate::functions) enum Preference {
    Longest,
    Shortest,
}

/// What was read of an expression: the levels of its groups, from the outermost on.
#[derive(Debug, Default)]
pub(super) struct Levels {
    outer: Vec<Level>,
    level: Level,
    /// How often something may occur several times, or one of several things may.
    turns: usize,
    has_choice: bool,
}

#[derive(Debug, Default)]
struct Level {
    /// That of the first part that has one.
    preference: Option<Preference>,
    /// That of the part that was read last, which may occur several times yet.
    last: Option<Preference>,
    has_choice: bool,
}

impl Level {
    fn begin(&mut self) {
        self.preference = self.preference.or(self.last.take());
    }

    fn end(mut self) -> Option<Preference> {
        self.begin();
        if self.has_choice { Some(Preference::Longest) } else { self.preference }
    }
}

impl Levels {
    /// A part begins.
    pub(super) fn begin(&mut self) {
        self.level.begin();
    }

    /// A group does.
    pub(super) fn open(&mut self) {
        self.begin();
        self.outer.push(std::mem::take(&mut self.level));
    }

    /// A group ends, which is a part.
    pub(super) fn close(&mut self) {
        // What closes nothing is refused later.
        let Some(outer) = self.outer.pop() else { return };
        let group = std::mem::replace(&mut self.level, outer);
        self.level.last = group.end();
    }

    /// Another choice begins.
    pub(super) fn choose(&mut self) {
        self.begin();
        self.level.has_choice = true;
        self.has_choice = true;
    }

    /// The last part may occur several times, as few as can be or as many. One number of times prefers what the part does.
    pub(super) fn repeat(&mut self, is_least: bool, is_fixed: bool) {
        if !is_fixed {
            self.turns += 1;
            self.level.last = Some(if is_least { Preference::Shortest } else { Preference::Longest });
        }
    }

    /// What the whole prefers; none where there is one match at most, or the library finds the same.
    pub(super) fn preference(&mut self) -> Option<Preference> {
        let preference = std::mem::take(&mut self.level).end();
        if self.turns > 1 || self.has_choice { preference } else { None }
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::{super::with_preference, Preference};

    #[test]
    fn the_first_part_that_prefers_something_says_so() {
        use Preference::{Longest, Shortest};
        for (pattern, expected) in [
            ("abc", None),
            ("a+", None),
            ("a+?b", None),
            ("a{2}b{3}", None),
            ("a|ab", Some(Longest)),
            ("a+?|b", Some(Longest)),
            ("a*b*", Some(Longest)),
            ("a*?b*", Some(Shortest)),
            ("a{2}b*?c*", Some(Shortest)),
            ("(a*?)b*", Some(Shortest)),
            ("(a*?)+b", Some(Longest)),
            ("(?:a|b)c*?", Some(Longest)),
            ("(a*?b*){2}", Some(Shortest)),
            ("x(y(z*?))w*", Some(Shortest)),
        ] {
            assert_eq!(with_preference(pattern, "").unwrap().1, expected, "{pattern}");
        }
    }
}
