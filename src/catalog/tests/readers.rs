//! Files of what is dropped or replaced: they stay for whoever reads them, and go then.

use std::{sync::mpsc, time::Duration};

use super::*;

/// How long a thread may take that has nothing to wait for.
const PATIENCE: Duration = Duration::from_secs(30);

struct Watched {
    directory: tempfile::TempDir,
    catalog: Catalog,
    removed: mpsc::Receiver<()>,
}

impl Watched {
    fn new() -> Self {
        let directory = tempfile::tempdir().unwrap();
        let catalog = Catalog::open(Some(directory.path())).unwrap();
        let (sender, removed) = mpsc::channel();
        catalog.watch(move |step| {
            if step == Step::FilesRemoved {
                // Nobody may wait for it any more.
                let _unheard = sender.send(());
            }
        });
        Self { directory, catalog, removed }
    }

    fn commit(&self, changes: impl FnOnce(&Transaction) -> Vec<Change>) -> Arc<Snapshot> {
        let mut transaction = self.catalog.begin();
        for change in changes(&transaction) {
            transaction.apply(change).unwrap();
        }
        self.catalog.publish(transaction).unwrap()
    }

    fn table(&self, name: &str, text: &str) -> TableFile {
        let file = table_file(self.catalog.directory(), 1, text);
        self.commit(|transaction| vec![create(transaction, name, managed(vec![file.clone()]), Existing::Refuse)]);
        file
    }

    fn has(&self, path: &str) -> bool {
        self.directory.path().join(path).exists()
    }

    /// Waits until files were removed.
    fn wait(&self) {
        self.removed.recv_timeout(PATIENCE).expect("files that nobody reads are removed");
    }

    fn has_removed(&self) -> bool {
        self.removed.try_recv().is_ok()
    }
}

#[test]
fn the_files_of_a_dropped_table_go_when_their_last_reader_is_gone() {
    let watched = Watched::new();
    let (dropped, kept) = (watched.table("t", "rows"), watched.table("kept", "others"));
    let (reader, transaction) = (watched.catalog.snapshot(), watched.catalog.begin());
    // Its own changes make another snapshot, which reads the same files.
    let mut changed = watched.catalog.begin();
    changed.apply(create(&changed, "v", view("SELECT 1"), Existing::Refuse)).unwrap();
    let within = changed.snapshot().clone();
    watched.commit(|_| vec![drop_of(Kind::Table, "t")]);
    let later = watched.catalog.snapshot();
    for held in [reader, transaction.snapshot().clone()] {
        watched.catalog.directory().verify(&dropped).unwrap();
        drop(held);
    }
    drop((transaction, changed));
    assert!(!watched.has_removed() && watched.has(&dropped.path), "somebody still reads it");
    drop(within);
    watched.wait();
    assert!(!watched.has(&dropped.path) && watched.has(&kept.path));
    assert_eq!(watched.catalog.directory().verify(&dropped).unwrap_err().fault(), Fault::Corrupt);
    assert_eq!(watched.catalog.snapshot(), later);
    watched.catalog.directory().verify(&kept).unwrap();
}

#[test]
fn the_files_that_are_replaced_go_and_those_that_stay_stay() {
    let watched = Watched::new();
    let old = watched.table("t", "old");
    let (new, newest) =
        (table_file(watched.catalog.directory(), 1, "new"), table_file(watched.catalog.directory(), 1, "newest"));
    let name = QualifiedName::public("t");
    let files = vec![old.clone(), new.clone()];
    watched.commit(|_| vec![Change::ReplaceFiles { table: name.clone(), files }]);
    assert!(watched.has(&old.path) && watched.has(&new.path));
    watched.commit(|_| vec![Change::ReplaceFiles { table: name, files: vec![new.clone()] }]);
    watched.wait();
    assert!(!watched.has(&old.path) && watched.has(&new.path));
    watched.commit(|transaction| vec![create(transaction, "t", managed(vec![newest.clone()]), Existing::Replace)]);
    watched.wait();
    assert!(!watched.has(&new.path) && watched.has(&newest.path));
    // What comes and goes in one transaction was never anybody's.
    let brief = table_file(watched.catalog.directory(), 2, "brief");
    watched.commit(|transaction| {
        let table = create(transaction, "brief", managed(vec![brief.clone()]), Existing::Refuse);
        vec![table, drop_of(Kind::Table, "brief")]
    });
    watched.wait();
    assert!(!watched.has(&brief.path) && watched.has(&newest.path));
    let schema = |transaction: &Transaction| Change::CreateSchema {
        name: "sales".to_owned(),
        header: transaction.header("ada").unwrap(),
        if_not_exists: false,
    };
    let within = table_file(watched.catalog.directory(), 3, "within");
    watched.commit(|transaction| {
        let object = Object { header: transaction.header("ada").unwrap(), definition: managed(vec![within.clone()]) };
        let name = QualifiedName::new("sales", "t");
        vec![schema(transaction), Change::Create { name, object, existing: Existing::Refuse }]
    });
    watched.commit(|_| vec![Change::DropSchema { name: "sales".to_owned(), if_exists: false, cascade: true }]);
    watched.wait();
    assert!(!watched.has(&within.path) && watched.has(&newest.path));
}

#[test]
fn models_of_the_same_bytes_share_a_file() {
    let watched = Watched::new();
    for name in ["one", "other"] {
        watched.commit(|transaction| vec![publish(transaction, &watched.catalog, name, "bytes", true)]);
    }
    watched.commit(|_| vec![drop_of(Kind::Model, "one")]);
    let reader = watched.catalog.snapshot();
    watched.commit(|_| vec![drop_of(Kind::Model, "other")]);
    assert!(!watched.has_removed() && watched.has("models/bytes"), "somebody reads the other model");
    // It comes back while it waits to be removed, and goes again.
    watched.commit(|transaction| vec![publish(transaction, &watched.catalog, "third", "bytes", true)]);
    let third = watched.catalog.snapshot();
    watched.commit(|_| vec![drop_of(Kind::Model, "third")]);
    drop(reader);
    // The thread has looked for free files by the time that another commit is done.
    commit_view(&watched.catalog, "v");
    assert!(watched.has("models/bytes"), "somebody reads the third model");
    drop(third);
    watched.wait();
    assert!(!watched.has("models/bytes"));
}

#[test]
fn a_model_that_is_trained_again_while_its_file_waits_keeps_what_it_wrote() {
    // Symptom: a training failed at its end, to be run again, because a model of the same bytes had been dropped before it
    // began. Cause: its file was removed when the last reader of the dropped one was gone. Fix: what was written again stays.
    let watched = Watched::new();
    watched.commit(|transaction| vec![publish(transaction, &watched.catalog, "old", "bytes", true)]);
    let reader = watched.catalog.snapshot();
    watched.commit(|_| vec![drop_of(Kind::Model, "old")]);
    // Written beside its place and renamed, as trainings do.
    let models = watched.catalog.directory().models();
    fs::write(models.join("bytes.tmp"), "bytes").unwrap();
    fs::rename(models.join("bytes.tmp"), models.join("bytes")).unwrap();
    let mut training = watched.catalog.begin();
    drop(reader);
    watched.wait();
    assert!(watched.has("models/bytes"));
    training.apply(publish(&training, &watched.catalog, "new", "bytes", true)).unwrap();
    watched.catalog.publish(training).unwrap();
    watched.commit(|_| vec![drop_of(Kind::Model, "new")]);
    watched.wait();
    assert!(!watched.has("models/bytes"), "and goes with that model");
}

#[test]
fn a_model_whose_file_was_removed_meanwhile_is_not_published() {
    let watched = Watched::new();
    watched.commit(|transaction| vec![publish(transaction, &watched.catalog, "old", "bytes", true)]);
    let mut training = watched.catalog.begin();
    training.apply(publish(&training, &watched.catalog, "new", "bytes", true)).unwrap();
    // It has written the file, or found it there; whoever holds no snapshot does not keep it.
    fs::remove_file(watched.directory.path().join("models/bytes")).unwrap();
    assert_eq!(watched.catalog.publish(training).unwrap_err().fault(), Fault::Conflict);
}
