//! What persists: one immutable snapshot of all schemas, tables, views, secrets and models, replaced as a whole.
//!
//! A [`Catalog`] hands out the newest [`Snapshot`]; a [`Transaction`] changes a copy, and its commit appends what it changed
//! to a log before anybody sees it. The catalog knows no SQL and no query engine.

mod change;
mod checkpoint;
mod committer;
mod directory;
mod effect;
mod error;
mod journal;
mod lock;
mod log;
mod object;
mod persistent;
mod readers;
mod scratch;
mod snapshot;
mod table;
mod transaction;

use std::{
    collections::HashSet,
    path::Path,
    sync::{Arc, PoisonError, RwLock, atomic::AtomicU32, mpsc},
};

pub use change::{Applied, Change, Existing, is_of_system};
pub use committer::Permit;
use committer::{Committer, Grown, Newest, Publisher, Watch};
pub use directory::{DataDirectory, NewTableFile};
pub use error::{Error, Result};
pub use journal::CHECKPOINT_BYTES;
use journal::Journal;
pub use object::{
    AclEntry, DeclaredKey, Definition, ExternalTable, Header, KeyKind, Kind, Model, ModelVersion, Object, ObjectKey,
    PUBLIC, Privilege, QualifiedName, Secret, Sensitive, View, is_temporary, temporary_schema,
};
pub use persistent::{List, Map};
use readers::Readers;
pub use scratch::Scratch;
pub use snapshot::{FIRST_OID, SYSTEM_OWNER, Snapshot};
pub use table::{Column, ColumnStatistics, DeletedRows, ManagedTable, TableFile};
pub use transaction::{Savepoint, Transaction};

/// The catalog of one data directory. Readers never wait for a commit's disk.
#[derive(Debug)]
pub struct Catalog {
    newest: Newest,
    next_oid: Arc<AtomicU32>,
    directory: Arc<DataDirectory>,
    grown: Grown,
    committer: Committer,
}

impl Catalog {
    /// Opens a data directory: creates it if needed, locks it, reads what was committed and removes orphans. Without one
    /// the catalog is in memory, and files go to a private directory that is removed with it.
    pub fn open(data_dir: Option<&Path>) -> Result<Self> {
        Self::with_checkpoints(data_dir, CHECKPOINT_BYTES)
    }

    /// The same, with a checkpoint whenever the log is so long, and as long as the last checkpoint.
    pub fn with_checkpoints(data_dir: Option<&Path>, checkpoint_bytes: u64) -> Result<Self> {
        let directory = match data_dir {
            Some(path) => DataDirectory::open(path)?,
            None => DataDirectory::temporary()?,
        };
        let watch = Watch::default();
        let (mut snapshot, journal) = match data_dir {
            Some(_) => {
                let any_file = || directory.any_file();
                let (snapshot, journal) = Journal::open(directory.root(), checkpoint_bytes, watch.clone(), any_file)?;
                directory.remove_orphans(&snapshot.files().collect::<HashSet<_>>())?;
                (snapshot, Some(journal))
            }
            None => (Snapshot::initial(), None),
        };
        directory.create_places()?;
        let (directory, readers) = (Arc::new(directory), Arc::new(Readers::default()));
        snapshot.changed = snapshot.number;
        snapshot.hold = readers.hold(snapshot.number);
        let next_oid = Arc::new(AtomicU32::new(snapshot.next_oid));
        let newest = Newest::new(RwLock::new(Arc::new(snapshot)));
        let grown = Grown::default();
        let publisher = Publisher {
            newest: newest.clone(),
            next_oid: next_oid.clone(),
            journal,
            directory: directory.clone(),
            grown: grown.clone(),
            readers,
            watch,
        };
        let committer = Committer::start(publisher)?;
        Ok(Self { newest, next_oid, directory, grown, committer })
    }

    /// The newest committed state.
    pub fn snapshot(&self) -> Arc<Snapshot> {
        self.newest.read().unwrap_or_else(PoisonError::into_inner).clone()
    }

    /// The files of tables and models.
    pub fn directory(&self) -> &Arc<DataDirectory> {
        &self.directory
    }

    /// Starts a transaction on the newest state.
    pub fn begin(&self) -> Transaction {
        Transaction::new(self.snapshot(), self.directory.clone(), self.next_oid.clone())
    }

    /// Publishes a transaction and returns the state it is part of, once its changes are on disk. Dropping the future
    /// stops nothing: whether the commit begins is for the permit to say, and what has begun is finished.
    pub async fn commit(&self, transaction: Transaction, permit: Box<dyn Permit>) -> Result<Arc<Snapshot>> {
        if transaction.has_changes() {
            return self.committer.commit(transaction, permit).await;
        }
        if !permit.begin() {
            return Err(Error::Cancelled);
        }
        permit.end(true);
        Ok(self.snapshot())
    }

    /// Removes the schema of a session that ends, with all that is in it, after what it has asked for before. Nobody waits.
    pub fn end_session(&self, schema: &str, permit: Box<dyn Permit>) {
        let mut transaction = self.begin();
        transaction.drop_temporary(schema);
        let _unheard = self.committer.send(transaction, permit);
    }

    /// Tells somebody of each table that has got files; none: nobody any more.
    pub fn tell_growth(&self, to: Option<mpsc::Sender<QualifiedName>>) {
        *self.grown.lock().unwrap_or_else(PoisonError::into_inner) = to;
    }

    /// Removes the table files of changes that no transaction takes.
    pub fn discard(&self, changes: &[Change]) {
        self.directory.discard(changes.iter().flat_map(Change::new_table_files));
    }
}

#[cfg(test)]
pub(crate) use committer::Step;
#[cfg(test)]
mod tests;
