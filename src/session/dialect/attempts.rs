//! How often the parser may begin to read an expression.
//!
//! What cannot be read as a CAST, the parser reads again as a call of a function of that name, and so on for other words. One
//! within another doubles that: a text of some hundred letters that is wrong in its middle would be read for years.

use std::cell::Cell;

/// For each token of a statement: more than whatever can be read needs.
const PER_TOKEN: usize = 64;

/// As many for a short statement, which take a fraction of a second.
const AT_LEAST: usize = 100_000;

thread_local! {
    /// How many are left of the statement that this thread reads; none where they are not counted.
    static LEFT: Cell<Option<usize>> = const { Cell::new(None) };
}

/// What was left of the statement around this one, which is put back.
struct Around(Option<usize>);

impl Drop for Around {
    fn drop(&mut self) {
        LEFT.set(self.0);
    }
}

/// Reads a statement of so many tokens.
pub(crate) fn within_attempts<T>(tokens: usize, read: impl FnOnce() -> T) -> T {
    let attempts = tokens.saturating_mul(PER_TOKEN).saturating_add(AT_LEAST);
    let _around = Around(LEFT.replace(Some(attempts)));
    read()
}

/// Takes one; false where none is left.
pub(super) fn take() -> bool {
    let left = LEFT.get();
    LEFT.set(left.map(|left| left.saturating_sub(1)));
    left != Some(0)
}

#[cfg(test)]
mod tests {
    use std::time::{Duration, Instant};

    use datafusion::sql::sqlparser::{
        ast::Expr,
        parser::{Parser, ParserError},
    };

    use super::*;
    use crate::session::PostgreSql;

    fn parsed(text: &str) -> Result<Expr, ParserError> {
        let parse = || Parser::new(&PostgreSql).with_recursion_limit(50).try_with_sql(text)?.parse_expr();
        within_attempts(text.len(), parse)
    }

    #[test]
    fn what_cannot_be_read_is_not_read_for_ever() {
        let nested =
            |(before, after): (&str, &str), middle: &str| format!("{}{middle}{}", before.repeat(40), after.repeat(40));
        for around in [("CAST(", " AS INT)"), ("ARRAY[", "]"), ("CEIL(", ")"), ("OVERLAY(", " PLACING 'a' FROM 1)")] {
            let started = Instant::now();
            assert!(parsed(&nested(around, "1 1")).is_err(), "{around:?}");
            assert!(started.elapsed() < Duration::from_secs(60), "{around:?} took {:?}", started.elapsed());
            assert!(parsed(&nested(around, "1")).is_ok(), "{around:?}");
        }
    }

    #[test]
    fn attempts_are_those_of_one_statement() {
        assert!(take(), "nothing is counted outside");
        within_attempts(0, || {
            (0..AT_LEAST).for_each(|_| assert!(take()));
            assert!(!take());
            within_attempts(1, || assert!(take()));
            assert!(!take());
        });
        assert!(take());
    }
}
