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
    /// PostgreSQL's has a line more.
    Theirs,
    /// Not at all: what follows cannot be compared.
    End,
}

const fn known(ours: &'static str, theirs: &'static str, sql: &'static str, then: Then, reason: &'static str) -> Known {
    Known { ours, theirs, sql, then, reason }
}

/// The first that fits counts. Those behind the comment are to be mended, and go with their causes.
pub(crate) const KNOWN: &[Known] = &[
    known(
        "DataRow serializable",
        "DataRow re",
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
    // To be mended.
    known("ErrorResponse ERROR 0A000", "", "savepoint", Then::End, "there are no savepoints yet"),
    known("ErrorResponse ERROR 0A000", "", "release", Then::End, "there are no savepoints yet"),
    known("ErrorResponse ERROR 0A000", "", "rollback to", Then::End, "there are no savepoints yet"),
    known("ErrorResponse ERROR 0A000", "", "and chain", Then::End, "there is no AND CHAIN yet"),
    known("ErrorResponse ERROR 42601", "", "abort", Then::End, "ABORT is not understood yet"),
    known("ErrorResponse ERROR 0A000", "", "cursor", Then::End, "there are no cursors yet"),
    known("ErrorResponse ERROR 0A000", "", "fetch", Then::End, "there are no cursors yet"),
    known("ErrorResponse ERROR 42601", "", "fetch", Then::End, "there are no cursors yet"),
    known("ErrorResponse ERROR 42601", "", "move ", Then::End, "there are no cursors yet"),
    known("ErrorResponse ERROR 0A000", "", "close ", Then::End, "there are no cursors yet"),
    known(
        "NoticeResponse WARNING 01000",
        "NoticeResponse WARNING 25",
        "",
        Then::Same,
        "warnings about transactions have no code of their own yet",
    ),
    known(
        "NoticeResponse WARNING 01000",
        "CommandComplete SET",
        "set local",
        Then::Ours,
        "several statements are not one transaction yet",
    ),
    known(
        "NoticeResponse WARNING 01000",
        "ErrorResponse ERROR 25001",
        "isolation level",
        Then::End,
        "the level may be set late in a transaction",
    ),
    known(
        "CommandComplete",
        "ErrorResponse ERROR 25001",
        "isolation level",
        Then::End,
        "the level may be set late in a transaction",
    ),
    known("CommandComplete", "ErrorResponse ERROR 25006", "", Then::End, "transactions are not read-only yet"),
    known("ErrorResponse ERROR ", "ErrorResponse ERROR 25006", "", Then::End, "transactions are not read-only yet"),
    known("DataRow off", "DataRow on", "read_only", Then::End, "transactions are not read-only yet"),
    known(
        "CommandComplete SET",
        "NoticeResponse WARNING 25P01",
        "set transaction",
        Then::Theirs,
        "SET TRANSACTION does not ask whether there is one",
    ),
    known(
        "ReadyForQuery",
        "ParameterStatus default_transaction_read_only",
        "session characteristics",
        Then::End,
        "SET SESSION CHARACTERISTICS changes nothing yet",
    ),
    known("ReadyForQuery", "ParameterStatus", "", Then::End, "settings are not put back when a transaction fails"),
    known("CommandComplete SELECT 1", "CommandComplete SHOW", "", Then::Same, "SHOW has the tag of a query"),
    known(
        "RowDescription timezone",
        "RowDescription TimeZone",
        "",
        Then::Same,
        "settings are shown under their names in lower case",
    ),
    known(
        "RowDescription datestyle",
        "RowDescription DateStyle",
        "",
        Then::Same,
        "settings are shown under their names in lower case",
    ),
    known("CommandComplete DISCARD ALL", "CommandComplete DISCARD ", "", Then::Same, "every DISCARD is DISCARD ALL"),
    known(
        "CommandComplete DISCARD ALL",
        "ErrorResponse ERROR 25001",
        "",
        Then::End,
        "several statements are not one transaction yet",
    ),
    known("ErrorResponse ERROR 25001", "CommandComplete DISCARD", "", Then::End, "every DISCARD is DISCARD ALL"),
    known(
        "ParseComplete",
        "ErrorResponse ERROR ",
        "",
        Then::End,
        "Parse asks for the syntax alone, and not whether the transaction has failed",
    ),
    known(
        "RowDescription",
        "ErrorResponse ERROR 42P01",
        "",
        Then::End,
        "several statements are not one transaction yet",
    ),
    known(
        "ErrorResponse ERROR 42P07",
        "CommandComplete",
        "",
        Then::End,
        "several statements are not one transaction yet",
    ),
    known(
        "ErrorResponse ERROR 42601",
        "",
        "generate_series(1, $1)",
        Then::End,
        "a function of rows takes no parameters yet",
    ),
    known(
        "ErrorResponse ERROR 26000",
        "",
        "",
        Then::End,
        "prepared statements of SQL and of the protocol are two lists",
    ),
    known(
        "CommandComplete PREPARE",
        "ErrorResponse ERROR 42P05",
        "",
        Then::End,
        "prepared statements of SQL and of the protocol are two lists",
    ),
    known(
        "ErrorResponse ERROR 42P03",
        "ErrorResponse ERROR 08P01",
        "",
        Then::End,
        "the number of values is looked at after the portal",
    ),
    known(
        "CommandComplete SET",
        "ErrorResponse ERROR 22023",
        "set local",
        Then::End,
        "SET LOCAL does not look at the value outside of a transaction",
    ),
    known(
        "CommandComplete SET",
        "ErrorResponse ERROR 42704",
        "set local",
        Then::End,
        "SET LOCAL does not look at the name outside of a transaction",
    ),
    known(
        "ErrorResponse ERROR 42P05",
        "ErrorResponse ERROR 42",
        "",
        Then::End,
        "Parse looks at the name before it looks at the statement",
    ),
    known(
        "ParameterStatus",
        "ParameterStatus default_transaction_read_only",
        "session characteristics",
        Then::End,
        "SET SESSION CHARACTERISTICS changes nothing yet",
    ),
    known(
        "CommandComplete SELECT 0",
        "EmptyQueryResponse",
        "",
        Then::End,
        "an empty statement that runs twice is a query",
    ),
    known(
        "DataRow ",
        "DataRow start",
        "application_name",
        Then::End,
        "what the client has asked for when it connected is forgotten when settings are reset",
    ),
    known(
        "ParameterStatus application_name=",
        "",
        "",
        Then::End,
        "what the client has asked for when it connected is forgotten when settings are reset",
    ),
    known("DataRow", "DataRow", "from s", Then::End, "several statements are not one transaction yet"),
    known(
        "ErrorResponse ERROR 55000",
        "ErrorResponse ERROR 34000",
        "",
        Then::End,
        "a portal outlives ROLLBACK within a message",
    ),
    known(
        "NoticeResponse NOTICE 00000",
        "NoticeResponse NOTICE 42P07",
        "",
        Then::Same,
        "notices have no code of their own yet",
    ),
    known("CommandComplete SELECT 0", "CommandComplete SHOW", "show", Then::Same, "SHOW has the tag of a query"),
    known(
        "BindComplete",
        "ErrorResponse ERROR 08P01",
        "",
        Then::End,
        "Bind does not count the values of a statement that was not described",
    ),
    known("ErrorResponse ERROR 42P03", "BindComplete", "", Then::End, "a portal outlives COMMIT within a message"),
    known("NoData", "ErrorResponse ERROR 34000", "", Then::End, "a portal outlives ROLLBACK within a message"),
    known(
        "NoticeResponse WARNING 01000",
        "ErrorResponse ERROR ",
        "set local",
        Then::End,
        "SET LOCAL does not look at the value outside of a transaction",
    ),
    known(
        "BindComplete",
        "ErrorResponse ERROR 25P02",
        "",
        Then::End,
        "Bind does not ask whether the transaction has failed",
    ),
    known(
        "ErrorResponse ERROR 34000",
        "ErrorResponse ERROR 25P02",
        "",
        Then::End,
        "Execute looks for the portal before it asks whether the transaction has failed",
    ),
    known(
        "ErrorResponse ERROR 42P05",
        "ErrorResponse ERROR ",
        "",
        Then::End,
        "Parse looks at the name before it looks at the statement",
    ),
    known("NoticeResponse NOTICE", "ErrorResponse ERROR 25006", "", Then::End, "transactions are not read-only yet"),
    known(
        "ErrorResponse ERROR 42601",
        "",
        "execute",
        Then::End,
        "PostgreSQL passes over values that a prepared statement does not take, and names are in one case here",
    ),
    known(
        "CommandComplete INSERT",
        "ErrorResponse ERROR 42P01",
        "",
        Then::End,
        "several statements are not one transaction yet",
    ),
    known(
        "CommandComplete INSERT",
        "CommandComplete INSERT",
        "",
        Then::End,
        "several statements are not one transaction yet",
    ),
    known(
        "ErrorResponse ERROR 42P01",
        "RowDescription",
        "",
        Then::End,
        "several statements are not one transaction yet",
    ),
    known(
        "ErrorResponse ERROR 42601",
        "ErrorResponse ERROR 42P01",
        "",
        Then::End,
        "several statements are not one transaction yet",
    ),
    known(
        "NoticeResponse NOTICE",
        "CommandComplete CREATE TABLE",
        "",
        Then::End,
        "several statements are not one transaction yet",
    ),
    known(
        "CommandComplete DROP TABLE",
        "ErrorResponse ERROR 42P01",
        "",
        Then::End,
        "several statements are not one transaction yet",
    ),
    known(
        "ErrorResponse ERROR 22P02",
        "ErrorResponse ERROR 42P03",
        "",
        Then::End,
        "Bind looks at the values before it looks at the portal",
    ),
    known(
        "CommandComplete BEGIN",
        "ErrorResponse ERROR 25001",
        "read write",
        Then::End,
        "the access may be set late in a transaction",
    ),
    known("ParameterStatus", "ReadyForQuery", "", Then::Ours, "a setting is reported though it has not changed"),
    known("ParameterStatus", "ParameterStatus", "", Then::Ours, "a setting is reported though it has not changed"),
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
            Then::Theirs => other += 1,
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
