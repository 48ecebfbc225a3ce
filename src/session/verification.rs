//! The files of tables are read once a process, in the background, to see whether they are what was written. Whoever reads a
//! file first does so at once, and is spared it where this was earlier.
//!
//! It tells nobody: who reads a damaged file is told, by the file's name. It knows no plans.

use std::{
    sync::{
        Arc,
        mpsc::{self, RecvTimeoutError, TryRecvError},
    },
    thread::{self, JoinHandle},
    time::{Duration, Instant},
};

use crate::{
    Error, Fault, Result,
    catalog::{Catalog, Definition, TableFile},
};

/// How long after the start it begins: a process that runs one statement is to have the disk for it.
const DELAY: Duration = Duration::from_secs(2);

/// The thread that reads the files; dropping it ends it with a part of a file.
pub(super) struct Verifier {
    /// None while it is dropped: then nothing more is wanted.
    wanted: Option<mpsc::Sender<()>>,
    thread: Option<JoinHandle<()>>,
}

impl Verifier {
    /// Starts the thread.
    pub(super) fn start(catalog: &Arc<Catalog>) -> Result<Self> {
        let (wanted, told) = mpsc::channel();
        let catalog = Arc::clone(catalog);
        let run = move || {
            if rests(&told, DELAY) {
                verify(&catalog, &told);
            }
        };
        let thread = thread::Builder::new().name("fusewire-verify".to_owned()).spawn(run);
        let thread = thread.map_err(|error| {
            Error::new(Fault::Io, format!("cannot start the thread that looks whether files are whole: {error}"))
        })?;
        Ok(Self { wanted: Some(wanted), thread: Some(thread) })
    }
}

impl Drop for Verifier {
    fn drop(&mut self) {
        drop(self.wanted.take());
        if let Some(thread) = self.thread.take() {
            // A panic of it was told when it came.
            let _ended = thread.join();
        }
    }
}

/// Reads the files that there are, and rests for as long as each has taken.
fn verify(catalog: &Catalog, told: &mpsc::Receiver<()>) {
    let is_wanted = || told.try_recv() == Err(TryRecvError::Empty);
    for file in files(catalog) {
        if catalog.directory().is_verified(&file) {
            continue;
        }
        let began = Instant::now();
        // It may be gone by now, and if it is damaged, whoever reads it is told.
        let _told_to_readers = catalog.directory().verify_while(&file, is_wanted);
        if !rests(told, began.elapsed()) {
            return;
        }
    }
}

/// All files of tables. The snapshot is let go, so that those that are dropped meanwhile can go.
fn files(catalog: &Catalog) -> Vec<TableFile> {
    let snapshot = catalog.snapshot();
    let tables = snapshot.relations().filter_map(|(_, object)| match &object.definition {
        Definition::ManagedTable(table) => Some(&table.files),
        _ => None,
    });
    tables.flatten().cloned().collect()
}

/// Waits; false where nothing more is wanted.
fn rests(told: &mpsc::Receiver<()>, time: Duration) -> bool {
    told.recv_timeout(time) == Err(RecvTimeoutError::Timeout)
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use std::fs;

    use arrow::datatypes::Schema;

    use super::*;
    use crate::catalog::{Change, Existing, ManagedTable, Object, QualifiedName};

    #[test]
    fn files_are_read_once_until_nothing_more_is_wanted() {
        let home = tempfile::tempdir().unwrap();
        let catalog = Catalog::open(Some(home.path())).unwrap();
        let mut transaction = catalog.begin();
        let header = transaction.header("ada").unwrap();
        let sealed = |text: &str| {
            let file = catalog.directory().new_table_file(header.oid).unwrap();
            fs::write(file.path(), text).unwrap();
            catalog.directory().seal(file, 1).unwrap()
        };
        let [damaged, whole] = ["a", "b"].map(sealed);
        assert!(catalog.directory().is_verified(&whole), "what was just written is known to be whole");
        let table = ManagedTable::new(Schema::empty(), vec![damaged.clone(), whole.clone()]);
        let object = Object { header, definition: Definition::ManagedTable(table) };
        let change = Change::Create { name: QualifiedName::public("t"), object, existing: Existing::Refuse };
        transaction.apply(change).unwrap();
        catalog.publish(transaction).unwrap();
        drop(catalog);
        fs::write(home.path().join(&damaged.path), "c").unwrap();

        let catalog = Catalog::open(Some(home.path())).unwrap();
        let (wanted, told) = mpsc::channel();
        assert!(!catalog.directory().is_verified(&whole));
        verify(&catalog, &told);
        assert!(catalog.directory().is_verified(&whole) && !catalog.directory().is_verified(&damaged));
        let error = catalog.directory().verify(&damaged).unwrap_err();
        assert!(error.to_string().contains(&damaged.path) && error.fault() == Fault::Corrupt, "{error}");
        drop((catalog, wanted));

        let catalog = Catalog::open(Some(home.path())).unwrap();
        verify(&catalog, &told);
        assert!(!catalog.directory().is_verified(&whole), "it has stopped");
    }
}
