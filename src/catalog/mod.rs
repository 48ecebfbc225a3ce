//! What persists: one immutable snapshot of all schemas, tables, views, secrets and models, replaced as a whole.
//!
//! A [`Catalog`] hands out the newest [`Snapshot`]; a [`Transaction`] changes a copy, and its commit writes the next
//! numbered manifest before anybody sees it. The catalog knows no SQL and no query engine.

mod change;
mod committer;
mod directory;
mod error;
mod lock;
mod manifest;
mod object;
mod snapshot;
mod transaction;

use std::{
    collections::HashSet,
    path::Path,
    sync::{Arc, PoisonError, RwLock, atomic::AtomicU32},
};

pub use change::{Applied, Change, Existing, is_of_system};
pub use committer::Permit;
use committer::{Committer, Newest, Publisher, Watch};
pub use directory::{DataDirectory, NewTableFile};
pub use error::{Error, Result};
use manifest::Manifests;
pub use object::{
    AclEntry, Definition, ExternalTable, Header, Kind, ManagedTable, Model, ModelVersion, Object, ObjectKey, PUBLIC,
    Privilege, QualifiedName, Secret, Sensitive, TableFile, View,
};
pub use snapshot::{FIRST_OID, SYSTEM_OWNER, Snapshot};
pub use transaction::{Savepoint, Transaction};

/// The catalog of one data directory. Readers never wait for a commit's disk.
#[derive(Debug)]
pub struct Catalog {
    newest: Newest,
    next_oid: Arc<AtomicU32>,
    directory: Arc<DataDirectory>,
    committer: Committer,
}

impl Catalog {
    /// Opens a data directory: creates it if needed, locks it, reads the newest manifest and removes orphans. Without
    /// one the catalog is in memory, and files go to a private directory that is removed with it.
    pub fn open(data_dir: Option<&Path>) -> Result<Self> {
        let directory = match data_dir {
            Some(path) => DataDirectory::open(path)?,
            None => DataDirectory::temporary()?,
        };
        let (snapshot, manifests) = match data_dir {
            Some(_) => {
                let manifests = Manifests::open(directory.root())?;
                (load(&manifests, &directory)?, Some(manifests))
            }
            None => (Snapshot::initial(), None),
        };
        directory.create_places()?;
        let next_oid = Arc::new(AtomicU32::new(snapshot.next_oid));
        let newest = Newest::new(RwLock::new(Arc::new(snapshot)));
        let publisher = Publisher {
            newest: newest.clone(),
            next_oid: next_oid.clone(),
            manifests,
            watch: Watch::default(),
            is_outcome_unknown: false,
        };
        let committer = Committer::start(publisher, &directory)?;
        Ok(Self { newest, next_oid, directory: Arc::new(directory), committer })
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

    /// Publishes a transaction and returns the state it is part of, once the manifest is on disk. Dropping the future
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

    /// Removes the table files of changes that no transaction takes.
    pub fn discard(&self, changes: &[Change]) {
        self.directory.discard(changes.iter().flat_map(Change::new_table_files));
    }
}

/// Reads the newest manifest, or writes the first one, and removes the files that no kept manifest knows.
fn load(manifests: &Manifests, directory: &DataDirectory) -> Result<Snapshot> {
    let numbers = manifests.numbers()?;
    let Some((newest, older)) = numbers.split_last() else {
        if let Some(file) = directory.any_file()? {
            return Err(Error::NoManifest { file, directory: manifests.directory().to_owned() });
        }
        let snapshot = Snapshot::initial();
        manifests.write(&snapshot, &Watch::default())?;
        return Ok(snapshot);
    };
    let snapshot = manifests.read(*newest)?;
    manifests.prune(*newest)?;
    let kept = older.iter().filter(|number| Manifests::is_kept(**number, *newest));
    let older: Result<Vec<Snapshot>> = kept.map(|number| manifests.read(*number)).collect();
    // An older manifest that is damaged may know files to go back to: they stay until it is pruned.
    if let Ok(older) = older {
        let known: HashSet<&str> = older.iter().chain([&snapshot]).flat_map(Snapshot::files).collect();
        directory.remove_orphans(&known)?;
    }
    Ok(snapshot)
}

#[cfg(test)]
pub(crate) use committer::Step;
#[cfg(test)]
mod tests;
