//! `CREATE [GLOBAL | LOCAL] TEMP TABLE t … ON COMMIT …`: what a table that is made says of how long it lasts.

use datafusion::sql::{parser::DFParser, sqlparser::ast::OnCommit};

use super::parse::take_words;
use crate::{
    Error, Fault, Result,
    catalog::QualifiedName,
    session::{AtCommit, Client, Name, Scope},
};

/// How long a table lasts.
#[derive(Debug, Clone, Copy, Default)]
pub(super) struct Lasting {
    /// Whether it goes with the session.
    pub(super) temporary: bool,
    /// What becomes of it when a transaction commits, where that is written.
    pub(super) at_commit: Option<AtCommit>,
}

/// The words between CREATE and TABLE: none, or those that say that the table is temporary.
const WORDS: &[&[&str]] = &[
    &[],
    &["temp"],
    &["temporary"],
    &["local", "temp"],
    &["local", "temporary"],
    &["global", "temp"],
    &["global", "temporary"],
];

/// How a statement begins that makes a table, and whether it replaces another.
const BEGINNINGS: &[(&[&str], bool)] = &[(&["create"], false), (&["create", "or", "replace"], true)];

/// What becomes of a table when a transaction commits.
const ON_COMMIT: &[(&[&str], AtCommit)] = &[
    (&["on", "commit", "drop"], AtCommit::Drop),
    (&["on", "commit", "delete", "rows"], AtCommit::DeleteRows),
    (&["on", "commit", "preserve", "rows"], AtCommit::PreserveRows),
];

/// Takes `CREATE [OR REPLACE] [TEMP] TABLE`: whether it replaces, and how long the table lasts; none where it is something else.
pub(super) fn take_create_table(parser: &mut DFParser) -> Option<(bool, Lasting)> {
    for words in WORDS {
        for (beginning, or_replace) in BEGINNINGS {
            let all: Vec<&str> = beginning.iter().chain(words.iter()).copied().chain(["table"]).collect();
            if take_words(parser, &all) {
                return Some((*or_replace, Lasting { temporary: !words.is_empty(), at_commit: None }));
            }
        }
    }
    None
}

impl Lasting {
    /// What was parsed of it.
    pub(super) fn of(temporary: bool, on_commit: Option<&OnCommit>) -> Self {
        let at_commit = on_commit.map(|on_commit| match on_commit {
            OnCommit::PreserveRows => AtCommit::PreserveRows,
            OnCommit::DeleteRows => AtCommit::DeleteRows,
            OnCommit::Drop => AtCommit::Drop,
        });
        Self { temporary, at_commit }
    }

    /// Takes `ON COMMIT …`, where it stands.
    pub(super) fn take_on_commit(&mut self, parser: &mut DFParser) {
        let found = ON_COMMIT.iter().find(|(words, _)| take_words(parser, words));
        self.at_commit = found.map(|(_, action)| *action);
    }

    /// The name of a table that is to be created.
    pub(super) fn new_name(&self, scope: &Scope, name: &Name) -> Result<QualifiedName> {
        let name = if self.temporary { scope.new_temporary_name(name)? } else { scope.new_name(name)? };
        if self.at_commit.is_some() && !scope.is_temporary(&name) {
            let message = "ON COMMIT can only be used on temporary tables";
            return Err(Error::new(Fault::InvalidTableDefinition, message));
        }
        Ok(name)
    }

    /// Has the client do what is to be done with the table of this identifier.
    pub(super) fn note(&self, client: &Client, oid: u32) {
        if let Some(action) = self.at_commit {
            client.set_at_commit(oid, action);
        }
    }
}
