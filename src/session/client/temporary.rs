//! A client's temporary objects: what becomes of them when a transaction commits and when the session ends.

use std::{
    collections::HashMap,
    sync::{
        Mutex,
        atomic::{AtomicBool, Ordering},
    },
};

use super::{Client, lock};
use crate::{
    Result,
    catalog::{self, Change, Definition, Kind, Permit, Transaction, temporary_schema},
    session::Scope,
};

/// What `ON COMMIT` says of a temporary table.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum AtCommit {
    PreserveRows,
    DeleteRows,
    Drop,
}

/// What a client keeps of its temporary objects, which are in the catalog.
#[derive(Debug, Default)]
pub(super) struct Temporary {
    /// Whether there may be some.
    are_any: AtomicBool,
    /// What is done with tables when a transaction commits, by their identifiers, which no other table ever gets.
    at_commit: Mutex<HashMap<u32, AtCommit>>,
}

impl Client {
    /// What is done with a temporary table of this identifier when a transaction commits.
    pub(crate) fn set_at_commit(&self, oid: u32, action: AtCommit) {
        if action != AtCommit::PreserveRows {
            lock(&self.temporary.at_commit).insert(oid, action);
        }
    }

    /// What makes the schema of the session's temporary objects.
    pub(super) fn temporary_schema(&self) -> Result<Change> {
        self.temporary.are_any.store(true, Ordering::Relaxed);
        Ok(Change::CreateTemporarySchema { name: temporary_schema(self.pid()), header: self.header()? })
    }

    /// Does what is to be done with temporary tables when a transaction commits.
    pub(super) fn end_temporary(&self, transaction: &mut Transaction) -> catalog::Result<()> {
        let at_commit = lock(&self.temporary.at_commit).clone();
        if at_commit.is_empty() {
            return Ok(());
        }
        let schema = temporary_schema(self.pid());
        let mut changes = Vec::new();
        for (name, object) in transaction.snapshot().relations().filter(|(name, _)| name.schema == schema) {
            match (at_commit.get(&object.header.oid), &object.definition) {
                (Some(AtCommit::Drop), _) => {
                    changes.push(Change::Drop { kind: Kind::Table, name: name.clone(), if_exists: false });
                }
                (Some(AtCommit::DeleteRows), Definition::ManagedTable(table)) if !table.files.is_empty() => {
                    changes.push(Change::ReplaceFiles { table: name.clone(), files: Vec::new() });
                }
                _ => {}
            }
        }
        changes.into_iter().try_for_each(|change| transaction.apply(change).map(drop))
    }

    /// `DISCARD TEMP`: drops all temporary objects of the session.
    pub(crate) async fn discard_temporary(&self, scope: &Scope) -> Result<()> {
        let name = scope.temporary_schema();
        if scope.snapshot().has_schema(&name) {
            self.apply(scope, vec![Change::DropSchema { name, if_exists: true, cascade: true }]).await?;
        }
        Ok(())
    }
}

impl Drop for Client {
    fn drop(&mut self) {
        if self.temporary.are_any.load(Ordering::Relaxed) {
            self.catalog().end_session(&temporary_schema(self.pid()), Box::new(AtEnd));
        }
    }
}

/// Nobody can stop the end of a session.
struct AtEnd;

impl Permit for AtEnd {
    fn begin(&self) -> bool {
        true
    }

    fn end(&self, _committed: bool) {}
}
