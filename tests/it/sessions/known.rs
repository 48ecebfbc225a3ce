//! Where answers may differ, and why: nothing else may.

use std::{
    collections::BTreeSet,
    fmt::{self, Display, Formatter},
};

use super::client::Line;

/// A difference that is known, met where both lines begin as it says in the answer to a step that contains its words.
pub(crate) struct Known {
    ours: &'static str,
    theirs: &'static str,
    /// Words of the step, in any case.
    sql: &'static str,
    then: Then,
    reason: &'static str,
}

/// How the comparison goes on.
#[derive(Debug, Clone, Copy)]
enum Then {
    /// The lines count as the same.
    Same,
    /// Ours has a line more.
    Ours,
    /// Not at all: what follows cannot be compared.
    End,
}

const fn known(ours: &'static str, theirs: &'static str, sql: &'static str, then: Then, reason: &'static str) -> Known {
    Known { ours, theirs, sql, then, reason }
}

/// The first that fits counts.
pub(crate) const KNOWN: &[Known] = &[
    known(
        "DataRow repeatable read",
        "DataRow read",
        "",
        Then::Same,
        "whatever level is asked for, a transaction reads one snapshot and is told so",
    ),
    known(
        "BindComplete",
        "ErrorResponse ERROR 22012",
        "",
        Then::End,
        "a constant that fails does so when it is planned there, which is at Bind, and when it runs here",
    ),
    known(
        "RowDescription",
        "ErrorResponse ERROR 22012",
        "",
        Then::Ours,
        "as above: nothing is told of the columns then",
    ),
    known(
        "ErrorResponse ERROR 57014",
        "RowDescription n",
        "generate_series(1, 1000000000000)",
        Then::End,
        "the time of a statement may be over before its columns are told",
    ),
    known(
        "ErrorResponse ERROR 34000",
        "NoData",
        "describe portal \"\"",
        Then::End,
        "a simple query that failed leaves an unnamed portal there",
    ),
    known(
        "ErrorResponse ERROR 34000",
        "ErrorResponse ERROR 55000",
        "execute \"\"",
        Then::End,
        "a simple query that failed leaves an unnamed portal there",
    ),
    known(
        "CommandComplete BEGIN",
        "ErrorResponse FATAL XX000",
        "execute",
        Then::End,
        "BEGIN behind an EXECUTE that has ended the transaction ends the session there",
    ),
    known(
        "ReadyForQuery E",
        "ReadyForQuery I",
        "execute",
        Then::End,
        "what COMMIT AND CHAIN begins by an EXECUTE is no block there until its message has ended",
    ),
    known(
        "CommandComplete ROLLBACK",
        "NoticeResponse WARNING 01000",
        "commit",
        Then::End,
        "a portal that was bound in a transaction that had failed is told of there when that ends",
    ),
    known(
        "ErrorResponse ERROR 25P01",
        "ErrorResponse FATAL XX000",
        "execute",
        Then::End,
        "EXECUTE of what is about a savepoint, outside of a block, ends the session there",
    ),
    known(
        "CommandComplete",
        "ErrorResponse ERROR 25001",
        "execute",
        Then::End,
        "EXECUTE counts as the first query of the transaction that it begins there",
    ),
    known(
        "CommandComplete",
        "ErrorResponse ERROR 25001",
        "isolation level",
        Then::End,
        "a query that the same message prepared counts as the first of the transaction there",
    ),
    known("CommandComplete ROLLBACK", "NoticeResponse WARNING 01000", "rollback", Then::End, "as for COMMIT"),
    known(
        "CommandComplete START TRANSACTION",
        "ErrorResponse ERROR 25001",
        "isolation level repeatable read",
        Then::End,
        "that is the level which every transaction has here, and so no change of it",
    ),
    known("CommandComplete ROLLBACK", "NoticeResponse WARNING 01000", "abort", Then::End, "as for COMMIT"),
    known("CommandComplete ROLLBACK", "NoticeResponse WARNING 01000", "query end", Then::End, "as for COMMIT"),
    known(
        "CommandComplete SAVEPOINT",
        "ErrorResponse FATAL XX000",
        "execute",
        Then::End,
        "SAVEPOINT behind an EXECUTE that has begun the transaction ends the session there",
    ),
    known(
        "ErrorResponse ERROR 34000",
        "ErrorResponse ERROR 3B001",
        "execute",
        Then::End,
        "what failed leaves its portal there until its transaction has ended",
    ),
    known(
        "ErrorResponse ERROR 57014",
        "ParseComplete",
        "(cancelled)",
        Then::End,
        "a cancel may come before the statement is read, which takes longer here",
    ),
    known(
        "ErrorResponse ERROR 34000",
        "EmptyQueryResponse",
        "execute \"\"",
        Then::End,
        "a Bind that failed leaves its unnamed portal there, with nothing in it",
    ),
    known(
        "ErrorResponse ERROR 25P02",
        "ErrorResponse ERROR 55000",
        "execute",
        Then::End,
        "a portal that was bound in a transaction that had failed, and failed itself, tells of itself first there",
    ),
    known(
        "ErrorResponse ERROR 34000",
        "ErrorResponse ERROR 25P02",
        "execute",
        Then::End,
        "what failed leaves its portal there until its transaction has ended",
    ),
    known(
        "ErrorResponse ERROR 34000",
        "ErrorResponse ERROR 25P02",
        "describe portal",
        Then::End,
        "what failed leaves its portal there until its transaction has ended",
    ),
    known(
        "ErrorResponse ERROR 0A000",
        "ErrorResponse ERROR XX000",
        "",
        Then::End,
        "a portal of a command has no rows to fetch, which is an internal error there",
    ),
    known(
        "BindComplete",
        "ErrorResponse ERROR 0A000",
        "",
        Then::End,
        "that the columns of a statement have changed is found when it runs",
    ),
    known(
        "BindComplete",
        "ErrorResponse ERROR 42",
        "",
        Then::End,
        "that the tables of a statement are gone is found when it runs",
    ),
    known(
        "ErrorResponse ERROR 54000",
        "ErrorResponse ERROR 54001",
        "execute",
        Then::End,
        "statements that run one another are counted here; there the stack ends",
    ),
    known("", "Lost", "", Then::End, "PostgreSQL itself has ended, as it does on some sequences of portals"),
];

/// How an answer differs.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Difference {
    /// As known, by its place in the list.
    Known(usize),
    /// The first lines that are not the same.
    Unknown { ours: String, theirs: String },
}

impl Display for Difference {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        match self {
            Self::Known(number) => write!(f, "{}", KNOWN[*number]),
            Self::Unknown { ours, theirs } => write!(f, "{ours} instead of {theirs}"),
        }
    }
}

impl Display for Known {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        let Self { ours, theirs, sql, reason, .. } = self;
        write!(f, "\"{ours}\" instead of \"{theirs}\" where the step has \"{sql}\": {reason}")
    }
}

/// Stands behind the last line.
const END: &str = "nothing";

/// The first difference that is not to be passed over.
pub(crate) fn difference(ours: &[Line], theirs: &[Line], sql: &str, met: &mut BTreeSet<usize>) -> Option<Difference> {
    let (ours, theirs, sql) =
        (without_rows_before_errors(ours), without_rows_before_errors(theirs), sql.to_lowercase());
    let (mut own, mut other) = (0, 0);
    while own < ours.len() || other < theirs.len() {
        let line = ours.get(own).copied().unwrap_or(END);
        let expected = theirs.get(other).copied().unwrap_or(END);
        if line == expected {
            own += 1;
            other += 1;
            continue;
        }
        let is_known = |known: &Known| {
            line.starts_with(known.ours) && expected.starts_with(known.theirs) && sql.contains(known.sql)
        };
        let Some(number) = KNOWN.iter().position(is_known) else {
            return Some(Difference::Unknown { ours: line.to_owned(), theirs: expected.to_owned() });
        };
        met.insert(number);
        match KNOWN[number].then {
            Then::Same => {
                own += 1;
                other += 1;
            }
            Then::Ours => own += 1,
            Then::End => return Some(Difference::Known(number)),
        }
    }
    None
}

/// How many rows come before the row that fails is nobody's promise.
fn without_rows_before_errors(lines: &[Line]) -> Vec<&str> {
    let mut kept: Vec<&str> = Vec::new();
    for line in lines {
        if line.is("ErrorResponse") {
            while kept.last().is_some_and(|last| last.starts_with("DataRow")) {
                kept.pop();
            }
        }
        kept.push(&line.text);
    }
    kept
}

#[test]
fn what_is_not_known_is_a_difference() {
    let lines = |texts: &[&str]| texts.iter().map(|text| Line::of(*text)).collect::<Vec<_>>();
    let mut met = BTreeSet::new();
    let mut compared = |ours: &[&str], theirs: &[&str]| difference(&lines(ours), &lines(theirs), "", &mut met);
    assert_eq!(compared(&["NoData", "ReadyForQuery I"], &["NoData", "ReadyForQuery I"]), None);
    assert_eq!(compared(&["DataRow 1", "ErrorResponse ERROR 22012"], &["ErrorResponse ERROR 22012"]), None);
    let unknown =
        |ours: &str, theirs: &str| Some(Difference::Unknown { ours: ours.to_owned(), theirs: theirs.to_owned() });
    assert_eq!(compared(&["DataRow 1"], &["DataRow 2"]), unknown("DataRow 1", "DataRow 2"));
    assert_eq!(compared(&["NoData"], &["NoData", "ReadyForQuery T"]), unknown(END, "ReadyForQuery T"));
    assert_eq!(compared(&["ReadyForQuery I"], &["ReadyForQuery E"]), unknown("ReadyForQuery I", "ReadyForQuery E"));
}
