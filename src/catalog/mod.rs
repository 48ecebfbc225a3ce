//! What persists: one immutable snapshot of all schemas, tables, views, secrets and models, replaced as a whole.
//!
//! A [`Catalog`] hands out the newest [`Snapshot`]; a [`Transaction`] changes a copy, and its commit writes the next
//! numbered manifest before anybody sees it. The catalog knows no SQL and no query engine.

mod change;
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
    sync::{
        Arc, Mutex, PoisonError, RwLock,
        atomic::{AtomicU32, Ordering},
    },
};

pub use change::{Applied, Change, Existing};
pub use directory::{DataDirectory, NewTableFile};
pub use error::{Error, Result};
use manifest::Manifests;
pub use object::{
    AclEntry, Definition, ExternalTable, Header, Kind, ManagedTable, Model, ModelVersion, Object, ObjectKey, PUBLIC,
    Privilege, QualifiedName, Secret, Sensitive, TableFile, View,
};
pub use snapshot::{FIRST_OID, Snapshot};
pub use transaction::{Savepoint, Transaction};

/// The catalog of one data directory. Readers never wait for a commit's disk.
#[derive(Debug)]
pub struct Catalog {
    newest: RwLock<Arc<Snapshot>>,
    next_oid: Arc<AtomicU32>,
    directory: Arc<DataDirectory>,
    committer: Mutex<Committer>,
}

/// What commits have to themselves, one at a time.
#[derive(Debug)]
struct Committer {
    /// None: in memory.
    manifests: Option<Manifests>,
    is_outcome_unknown: bool,
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
        Ok(Self {
            next_oid: Arc::new(AtomicU32::new(snapshot.next_oid)),
            newest: RwLock::new(Arc::new(snapshot)),
            directory: Arc::new(directory),
            committer: Mutex::new(Committer { manifests, is_outcome_unknown: false }),
        })
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

    /// Publishes a transaction and returns the state it is part of. It blocks until the manifest is on disk.
    pub fn commit(&self, transaction: Transaction) -> Result<Arc<Snapshot>> {
        if !transaction.has_changes() {
            return Ok(self.snapshot());
        }
        let mut committer = self.committer.lock().unwrap_or_else(PoisonError::into_inner);
        let newest = self.snapshot();
        let mut next = transaction.replay(&newest)?;
        next.number = newest.number.saturating_add(1);
        next.next_oid = self.next_oid.load(Ordering::Relaxed);
        let written = committer.write(&next);
        // A manifest of unknown outcome may need the files after a restart.
        if written.is_ok() || committer.is_outcome_unknown {
            transaction.hand_over();
        }
        written?;
        let next = Arc::new(next);
        *self.newest.write().unwrap_or_else(PoisonError::into_inner) = next.clone();
        Ok(next)
    }
}

impl Committer {
    fn write(&mut self, snapshot: &Snapshot) -> Result<()> {
        let Some(manifests) = &self.manifests else { return Ok(()) };
        if self.is_outcome_unknown {
            return Err(Error::OutcomeUnknown { path: manifests.directory().to_owned() });
        }
        let written = manifests.write(snapshot);
        self.is_outcome_unknown = matches!(written, Err(Error::OutcomeUnknown { .. }));
        written?;
        // The commit stands; manifests that are kept too long are removed by a later one.
        let _tried_again_later = manifests.prune(snapshot.number);
        Ok(())
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
        manifests.write(&snapshot)?;
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
mod tests;
