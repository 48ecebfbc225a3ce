//! Checkpoints and logs: what they cost, what is found after a stop at any moment, and what is refused.

use std::sync::{
    Mutex,
    atomic::{AtomicU64, AtomicUsize},
    mpsc,
};

use futures::FutureExt;

use super::{commits::Asked, *};

/// Where the notes of a log are, and where its records begin.
const NOTES: std::ops::Range<usize> = 512..1536;

/// What is in a directory of manifests, read as a start would.
fn reopened(root: &Path) -> Result<Snapshot> {
    Journal::open(root, CHECKPOINT_BYTES, Watch::default(), || Ok(None)).map(|(snapshot, _)| snapshot)
}

/// A copy of the manifests alone, below a directory of its own.
fn copied(root: &Path) -> tempfile::TempDir {
    let copy = tempfile::tempdir().unwrap();
    fs::create_dir(copy.path().join("manifest")).unwrap();
    for entry in fs::read_dir(root.join("manifest")).unwrap() {
        let path = entry.unwrap().path();
        fs::copy(&path, copy.path().join("manifest").join(path.file_name().unwrap())).unwrap();
    }
    copy
}

/// Fails if the state is not refused as damaged, by the name of the file and a place in it.
fn assert_refused(root: &Path, name: &str, what: &str) {
    let error = reopened(root).map(|snapshot| snapshot.number()).unwrap_err();
    assert_eq!(error.fault(), Fault::Corrupt, "{what}: {error}");
    assert!(error.to_string().contains(name), "{what}: {error}");
    let tells_where = error.to_string().contains("byte ") || error.to_string().contains("reads formats up to");
    assert!(tells_where, "{what}: {error}");
}

/// A table that rows are added to by a file that is there already.
struct Grown {
    catalog: Catalog,
    file: TableFile,
}

impl Grown {
    fn new(root: &Path, checkpoint_bytes: u64) -> Self {
        let catalog = Catalog::with_checkpoints(Some(root), checkpoint_bytes).unwrap();
        let mut transaction = catalog.begin();
        transaction.apply(create(&transaction, "t", managed(Vec::new()), Existing::Keep)).unwrap();
        catalog.publish(transaction).unwrap();
        let file = table_file(catalog.directory(), 1, "row");
        Self { catalog, file }
    }

    fn append(&self) -> Transaction {
        let mut transaction = self.catalog.begin();
        let table = QualifiedName::public("t");
        transaction.apply(Change::AppendFiles { table, files: vec![self.file.clone()] }).unwrap();
        transaction
    }

    fn rows(&self) -> usize {
        rows(&self.catalog.snapshot())
    }
}

fn rows(snapshot: &Snapshot) -> usize {
    let table = snapshot.relation(&QualifiedName::public("t")).unwrap();
    let Definition::ManagedTable(table) = &table.definition else { panic!("it is no table") };
    assert_eq!(table.next_row, table.files.len() as u64, "each file has one row");
    for (number, file) in (0..).zip(&table.files) {
        assert_eq!(file.first_row, Some(number), "rows are numbered as they come");
    }
    table.files.len()
}

/// How much was written to the manifests since the last call.
fn written(root: &Path, seen: &mut BTreeMap<PathBuf, u64>) -> u64 {
    let mut found = BTreeMap::new();
    for entry in fs::read_dir(root.join("manifest")).unwrap() {
        let entry = entry.unwrap();
        found.insert(entry.path(), entry.metadata().unwrap().len());
    }
    let bytes = found.iter().map(|(path, length)| length - seen.get(path).copied().unwrap_or(0)).sum();
    *seen = found;
    bytes
}

#[test]
fn a_commit_writes_as_much_however_many_came_before() {
    // Symptom: 20,000 inserts of a row took minutes. Cause: each commit wrote all tables and files anew, read them back and
    // copied them. Fix: it writes what it changed.
    for (checkpoint_bytes, most) in [(CHECKPOINT_BYTES, 1.05), (4_000, 1.5)] {
        let directory = tempfile::tempdir().unwrap();
        let grown = Grown::new(directory.path(), checkpoint_bytes);
        let counts = Arc::new(Mutex::new((BTreeMap::new(), Vec::new())));
        let (counted, root) = (Arc::clone(&counts), directory.path().to_owned());
        // When a commit's turn comes, nothing of those before it is still being written.
        grown.catalog.watch(move |step| {
            if step == Step::Turn {
                let mut counted = counted.lock().unwrap();
                let (seen, counts) = &mut *counted;
                counts.push(written(&root, seen));
            }
        });
        for _ in 0..=1_000 {
            grown.catalog.publish(grown.append()).unwrap();
        }
        let counts: Vec<u64> = counts.lock().unwrap().1.drain(1..).collect();
        let (first, second): (u64, u64) = (counts[..500].iter().sum(), counts[500..].iter().sum());
        assert_eq!(counts.len(), 1_000);
        assert!(second as f64 <= first as f64 * most, "{checkpoint_bytes}: {first} and then {second} bytes");
        assert_eq!(grown.rows(), 1_001);
        let before = grown.catalog.snapshot();
        drop(grown);
        assert_eq!(&reopened(directory.path()).unwrap(), before.as_ref());
    }
}

#[test]
fn commits_that_wait_are_written_together_and_decided_alone() {
    let directory = tempfile::tempdir().unwrap();
    let catalog = Catalog::open(Some(directory.path())).unwrap();
    let (release, released) = mpsc::channel::<()>();
    let (released, syncs) = (Mutex::new(released), Arc::new(AtomicUsize::new(0)));
    let counted = Arc::clone(&syncs);
    catalog.watch(move |step| {
        if step == Step::Sync && counted.fetch_add(1, Ordering::Relaxed) == 0 {
            released.lock().unwrap().recv().unwrap();
        }
    });
    let asked = |name: &str, allowed: bool| {
        let mut transaction = catalog.begin();
        transaction.apply(create(&transaction, name, view("SELECT 1"), Existing::Refuse)).unwrap();
        let heard = Arc::default();
        let permit = Asked { allowed, heard: Arc::clone(&heard) };
        let mut commit = Box::pin(catalog.commit(transaction, Box::new(permit)));
        // Asked for at its first poll.
        assert!(commit.as_mut().now_or_never().is_none(), "nothing is done while the first is written");
        (commit, heard)
    };
    let mut commits = vec![asked("first", true)];
    while syncs.load(Ordering::Relaxed) == 0 {
        std::thread::yield_now();
    }
    for (name, allowed) in [("a", true), ("b", false), ("c", true), ("a", true), ("d", true)] {
        commits.push(asked(name, allowed));
    }
    release.send(()).unwrap();
    let told: Vec<_> = commits
        .into_iter()
        .map(|(commit, heard)| {
            let told = futures::executor::block_on(commit).map(|snapshot| snapshot.number()).map_err(|e| e.fault());
            (told, heard.lock().unwrap().clone())
        })
        .collect();
    let (committed, failed) = (vec!["begin", "committed"], vec!["begin", "failed"]);
    let expected = [
        (Ok(2), committed.clone()),
        (Ok(3), committed.clone()),
        (Err(Fault::Cancelled), failed.clone()),
        (Ok(4), committed.clone()),
        (Err(Fault::Conflict), failed),
        (Ok(5), committed),
    ];
    assert_eq!(told, expected);
    assert_eq!(syncs.load(Ordering::Relaxed), 2, "those that waited are written together");
    let newest = catalog.snapshot();
    drop(catalog);
    let found = reopened(directory.path()).unwrap();
    assert_eq!(&found, newest.as_ref());
    let names: Vec<&str> = found.relations().map(|(name, _)| name.name.as_str()).collect();
    assert_eq!(names, ["a", "c", "d", "first"]);
}

#[test]
fn any_flipped_byte_and_any_missing_end_is_refused_by_name_and_place() {
    let directory = tempfile::tempdir().unwrap();
    let catalog = Catalog::open(Some(directory.path())).unwrap();
    for name in ["u", "v", "w"] {
        commit_view(&catalog, name);
    }
    let committed = catalog.snapshot();
    drop(catalog);
    let copy = copied(directory.path());
    for ending in [".json", ".log"] {
        let path = manifest(copy.path(), ending);
        let name = path.file_name().unwrap().to_string_lossy().into_owned();
        let whole = fs::read(&path).unwrap();
        for at in 0..whole.len() {
            for bits in [0x01, 0x80, 0xff] {
                let mut flipped = whole.clone();
                flipped[at] ^= bits;
                fs::write(&path, flipped).unwrap();
                let what = format!("{ending}, byte {at} by {bits:#x}");
                // One note is enough, and the records say the rest.
                if ending == ".log" && NOTES.contains(&at) {
                    let found = reopened(copy.path()).unwrap_or_else(|error| panic!("{what}: {error}"));
                    assert_eq!(&found, committed.as_ref(), "{what}");
                } else {
                    assert_refused(copy.path(), &name, &what);
                }
            }
        }
        for length in 0..whole.len() {
            fs::write(&path, &whole[..length]).unwrap();
            assert_refused(copy.path(), &name, &format!("{ending}, {length} bytes of it"));
        }
        if ending == ".json" {
            let mut longer = whole.clone();
            longer.push(b'\n');
            fs::write(&path, longer).unwrap();
            assert_refused(copy.path(), &name, "a byte longer");
        }
        fs::remove_file(&path).unwrap();
        let error = reopened(copy.path()).unwrap_err();
        assert!(error.fault() == Fault::Corrupt && error.to_string().contains(&name), "{ending}: {error}");
        fs::write(&path, &whole).unwrap();
        assert_eq!(&reopened(copy.path()).unwrap(), committed.as_ref());
    }
}

/// A log as it was while its last record was written and nobody was told of it, and the states before and after that record.
struct Interrupted {
    directory: tempfile::TempDir,
    log: PathBuf,
    bytes: Vec<u8>,
    /// Where the last record begins.
    at: usize,
    before: Snapshot,
    after: Snapshot,
}

impl Interrupted {
    fn new() -> Self {
        let directory = tempfile::tempdir().unwrap();
        let catalog = Catalog::open(Some(directory.path())).unwrap();
        let log = manifest(directory.path(), ".log");
        let kept = Arc::new(Mutex::new((Vec::new(), 0)));
        let (looked, path) = (Arc::clone(&kept), log.clone());
        catalog.watch(move |step| match step {
            Step::Write => looked.lock().unwrap().1 = fs::read(&path).unwrap().len(),
            Step::Sync => looked.lock().unwrap().0 = fs::read(&path).unwrap(),
            _ => {}
        });
        let before = commit_view(&catalog, "u").as_ref().clone();
        let after = commit_view(&catalog, "v").as_ref().clone();
        drop(catalog);
        let (bytes, at) = kept.lock().unwrap().clone();
        let copy = copied(directory.path());
        let log = copy.path().join("manifest").join(log.file_name().unwrap());
        Self { directory: copy, log, bytes, at, before, after }
    }

    fn found(&self, bytes: &[u8]) -> Result<Snapshot> {
        fs::write(&self.log, bytes).unwrap();
        reopened(self.directory.path())
    }
}

#[test]
fn what_an_interrupted_append_has_left_is_cut_off() {
    let interrupted = Interrupted::new();
    let Interrupted { bytes, at, before, after, .. } = &interrupted;
    assert_eq!(&interrupted.found(bytes).unwrap(), after, "it is whole, whether anybody was told or not");
    // Each byte of the head of the record, and some of its body.
    let body = at + 64;
    for length in (*at..body).chain((body..bytes.len()).step_by(11)) {
        assert_eq!(&interrupted.found(&bytes[..length]).unwrap(), before, "{length} bytes");
        assert_eq!(fs::read(&interrupted.log).unwrap().len(), *at, "and what is left is cut off");
        // A disk may have written the end of a file and not what is in it.
        let mut zeros = bytes[..length].to_vec();
        zeros.resize(bytes.len() + 100, 0);
        assert_eq!(&interrupted.found(&zeros).unwrap(), before, "zeros from {length} on");
        let mut gap = bytes.clone();
        gap[*at..length].fill(0);
        let expected = if length == *at { after } else { before };
        assert_eq!(&interrupted.found(&gap).unwrap(), expected, "zeros up to {length}");
        let mut flipped = bytes.clone();
        flipped[length] ^= 0x04;
        assert_eq!(&interrupted.found(&flipped).unwrap(), before, "byte {length}");
    }
    let name = interrupted.log.file_name().unwrap().to_string_lossy().into_owned();
    for place in NOTES.end..*at {
        let mut flipped = bytes.clone();
        flipped[place] ^= 0x04;
        fs::write(&interrupted.log, flipped).unwrap();
        assert_refused(interrupted.directory.path(), &name, &format!("byte {place}, of which somebody was told"));
    }
    // What was cut off is not there to be taken for a later record.
    fs::write(&interrupted.log, &bytes[..bytes.len() - 1]).unwrap();
    let catalog = Catalog::open(Some(interrupted.directory.path())).unwrap();
    let committed = commit_view(&catalog, "w");
    drop(catalog);
    assert_eq!(&reopened(interrupted.directory.path()).unwrap(), committed.as_ref());
}

#[test]
fn a_later_record_tells_that_what_is_before_it_was_whole() {
    // As after a loss of power, when none of the notes has reached the disk.
    let interrupted = Interrupted::new();
    let Interrupted { bytes, at, before, .. } = &interrupted;
    let mut forgotten = bytes.clone();
    let log = interrupted.log.file_name().unwrap().to_string_lossy().into_owned();
    let fresh = tempfile::tempdir().unwrap();
    drop(Catalog::open(Some(fresh.path())).unwrap());
    let first = fs::read(manifest(fresh.path(), ".log")).unwrap();
    assert_eq!(first[..NOTES.start], bytes[..NOTES.start], "the first checkpoint of all directories is the same");
    forgotten[NOTES].copy_from_slice(&first[NOTES]);
    assert_eq!(&interrupted.found(&forgotten).unwrap(), &interrupted.after);
    for place in (NOTES.end..*at).chain((*at..bytes.len()).step_by(3)) {
        let mut flipped = forgotten.clone();
        flipped[place] ^= 0x20;
        if place < *at {
            fs::write(&interrupted.log, flipped).unwrap();
            assert_refused(interrupted.directory.path(), &log, &format!("byte {place}"));
        } else {
            assert_eq!(&interrupted.found(&flipped).unwrap(), before, "byte {place}");
        }
    }
}

#[test]
fn a_stop_at_any_step_leaves_the_old_state_or_the_new() {
    let directory = tempfile::tempdir().unwrap();
    let grown = Grown::new(directory.path(), 1);
    let found = Arc::new(Mutex::new(Vec::new()));
    let (looked, root) = (Arc::clone(&found), directory.path().to_owned());
    grown.catalog.watch(move |step| looked.lock().unwrap().push((step, reopened(copied(&root).path()))));
    let mut checkpoints = 0;
    for count in 0..60 {
        let before = grown.catalog.snapshot().number();
        grown.catalog.publish(grown.append()).unwrap();
        let stops: Vec<_> = found.lock().unwrap().drain(..).collect();
        for (step, state) in stops {
            let state = state.unwrap_or_else(|error| panic!("{count}, {step:?}: {error}"));
            // A checkpoint may still be written when the commit before it has been told.
            let allowed = before..=before + 1;
            assert!(allowed.contains(&state.number()), "{count}, {step:?}: {} after {before}", state.number());
            assert_eq!(rows(&state) as u64 + 2, state.number(), "{count}, {step:?}");
            let is_durable = matches!(step, Step::Synced | Step::Noted | Step::Answer);
            assert!(!is_durable || state.number() == before + 1, "{count}, {step:?}");
            checkpoints += usize::from(step == Step::CheckpointNamed);
        }
    }
    assert!(checkpoints > 2, "{checkpoints} checkpoints");
}

#[test]
fn a_full_disk_loses_nothing_and_the_next_commit_goes_on() {
    let directory = tempfile::tempdir().unwrap();
    let catalog = Catalog::open(Some(directory.path())).unwrap();
    commit_view(&catalog, "u");
    let log = manifest(directory.path(), ".log");
    let limit = Arc::new(AtomicUsize::new(usize::MAX));
    let limited = Arc::clone(&limit);
    catalog.limit(move |step| (step == Step::Write).then(|| limited.load(Ordering::Relaxed)));
    let before = (catalog.snapshot(), fs::read(&log).unwrap());
    let mut refused = 0;
    // One byte more each time, until there is room for the record.
    let committed = loop {
        limit.store(refused, Ordering::Relaxed);
        let mut transaction = catalog.begin();
        let file = table_file(catalog.directory(), 1, "rows");
        transaction.apply(create(&transaction, "t", managed(vec![file.clone()]), Existing::Refuse)).unwrap();
        match catalog.publish(transaction) {
            Ok(committed) => break committed,
            Err(error) => {
                assert_eq!(crate::error::sqlstate(error.fault()), "53100", "{error}");
                assert!(
                    error.to_string().starts_with("cannot write ") && error.to_string().contains(".log"),
                    "{error}"
                );
                assert_eq!((catalog.snapshot(), fs::read(&log).unwrap()), before, "after {refused} bytes");
                assert!(!directory.path().join(file.path).exists());
                refused += 97;
            }
        }
    };
    assert!(refused > 97, "it was refused at some bytes");
    drop(catalog);
    assert_eq!(&reopened(directory.path()).unwrap(), committed.as_ref());
}

#[test]
fn what_cannot_be_taken_back_or_made_durable_stops_commits_until_a_restart() {
    for failing in [Step::Cut, Step::Sync] {
        let directory = tempfile::tempdir().unwrap();
        let catalog = Catalog::open(Some(directory.path())).unwrap();
        let before = commit_view(&catalog, "u");
        catalog.limit(move |step| match step {
            Step::Write if failing == Step::Cut => Some(100),
            other if other == failing => Some(0),
            _ => None,
        });
        for name in ["v", "w"] {
            let mut transaction = catalog.begin();
            transaction.apply(create(&transaction, name, view("SELECT 1"), Existing::Refuse)).unwrap();
            let error = catalog.publish(transaction).unwrap_err();
            assert!(matches!(error, Error::OutcomeUnknown { .. }), "{failing:?}: {error}");
            assert_eq!(crate::error::sqlstate(error.fault()), "53100", "{error}");
            assert!(error.to_string().contains("restart"), "{error}");
            assert_eq!(catalog.snapshot(), before, "nobody sees it");
        }
        drop(catalog);
        let catalog = Catalog::open(Some(directory.path())).unwrap();
        // Whole and not made durable, it may be there or not; in part, it is not.
        let found = catalog.snapshot().number() - before.number();
        assert_eq!(found, u64::from(failing == Step::Sync), "{failing:?}");
        commit_view(&catalog, "w");
    }
}

#[test]
fn a_checkpoint_that_cannot_be_written_leaves_the_log_before_it() {
    let directory = tempfile::tempdir().unwrap();
    let grown = Grown::new(directory.path(), 1);
    let refused = Arc::new(AtomicU64::new(0));
    let counted = Arc::clone(&refused);
    grown.catalog.limit(move |step| {
        // The first two fail, and those after them do not.
        (step == Step::LogNamed && counted.fetch_add(1, Ordering::Relaxed) < 2).then_some(10)
    });
    for _ in 0..60 {
        grown.catalog.publish(grown.append()).unwrap();
    }
    let newest = grown.catalog.snapshot();
    drop(grown);
    assert!(refused.load(Ordering::Relaxed) > 2, "it is tried again");
    assert!(manifest(directory.path(), ".json") > directory.path().join("manifest/00000000000000000002.json"));
    assert_eq!(&reopened(directory.path()).unwrap(), newest.as_ref());
}

#[test]
fn what_a_checkpoint_replaced_is_removed_and_what_is_lost_is_missed() {
    let directory = tempfile::tempdir().unwrap();
    drop(Grown::new(directory.path(), 1));
    let early = copied(directory.path());
    let grown = Grown::new(directory.path(), 1);
    for _ in 0..40 {
        grown.catalog.publish(grown.append()).unwrap();
    }
    let newest = grown.catalog.snapshot();
    drop(grown);
    let (checkpoint, log) = (manifest(directory.path(), ".json"), manifest(directory.path(), ".log"));
    assert!(fs::metadata(&log).unwrap().len() > NOTES.end as u64, "there are records after the checkpoint");
    // As a stop leaves them when the new ones are there and the old ones are not yet removed.
    let both = copied(directory.path());
    for ending in [".json", ".log"] {
        let old = manifest(early.path(), ending);
        fs::copy(&old, both.path().join("manifest").join(old.file_name().unwrap())).unwrap();
    }
    let kept = copied(both.path());
    assert_eq!(&reopened(both.path()).unwrap(), newest.as_ref());
    assert_eq!(manifest(both.path(), ".json").file_name(), checkpoint.file_name());
    assert_eq!(manifest(both.path(), ".log").file_name(), log.file_name());
    // The old ones do not stand in for what is lost.
    for lost in [&checkpoint, &log] {
        let (partial, name) = (copied(kept.path()), lost.file_name().unwrap());
        fs::remove_file(partial.path().join("manifest").join(name)).unwrap();
        let error = reopened(partial.path()).unwrap_err();
        assert_eq!(error.fault(), Fault::Corrupt);
        assert!(error.to_string().contains(&*name.to_string_lossy()), "{error}");
    }
    // A log of another checkpoint is not taken.
    let name = log.file_name().unwrap().to_string_lossy().into_owned();
    fs::copy(manifest(early.path(), ".log"), &log).unwrap();
    assert_refused(directory.path(), &name, "the log of another checkpoint");
}

#[test]
fn a_log_without_records_tells_of_a_lost_checkpoint_too() {
    // Symptom: a directory of views alone opened as a new one when its checkpoint was lost, and one with an older checkpoint
    // as that. Cause: a log without records was taken for that of a checkpoint that was never written. Fix: it is one only
    // where the state from which it would go on is there.
    let directory = tempfile::tempdir().unwrap();
    drop(Catalog::open(Some(directory.path())).unwrap());
    let early = copied(directory.path());
    let catalog = Catalog::with_checkpoints(Some(directory.path()), 1).unwrap();
    commit_view(&catalog, "v");
    drop(catalog);
    let (checkpoint, log) = (manifest(directory.path(), ".json"), manifest(directory.path(), ".log"));
    assert!(checkpoint.ends_with("00000000000000000002.json"), "{}", checkpoint.display());
    assert_eq!(fs::metadata(&log).unwrap().len(), NOTES.end as u64, "there is no record after the checkpoint");
    fs::remove_file(&checkpoint).unwrap();
    for is_older_there in [false, true] {
        if is_older_there {
            for ending in [".json", ".log"] {
                let old = manifest(early.path(), ending);
                fs::copy(&old, directory.path().join("manifest").join(old.file_name().unwrap())).unwrap();
            }
        }
        let error = reopened(directory.path()).unwrap_err();
        assert_eq!(error.fault(), Fault::Corrupt, "{error}");
        let told = error.to_string();
        assert!(told.contains("00000000000000000002.log") && told.contains("00000000000000000002.json"), "{told}");
        assert!(log.exists(), "it stays, to tell of it again");
    }
}

#[test]
fn a_later_format_is_refused_with_both_versions() {
    let directory = tempfile::tempdir().unwrap();
    let catalog = Catalog::open(Some(directory.path())).unwrap();
    commit_view(&catalog, "v");
    drop(catalog);
    for (ending, word) in [(".json", "fusewire-manifest 2 "), (".log", "fusewire-log 2 ")] {
        let copy = copied(directory.path());
        let path = manifest(copy.path(), ending);
        let mut bytes = fs::read(&path).unwrap();
        assert!(bytes.starts_with(word.as_bytes()));
        bytes[word.len() - 2] = b'7';
        fs::write(&path, bytes).unwrap();
        let error = reopened(copy.path()).unwrap_err();
        assert!(matches!(error, Error::UnknownFormat { found: 7, newest: 2, .. }), "{error}");
        let expected =
            "has the format 7, and this version reads formats up to 2; open it with the version that wrote it";
        assert_eq!(error.to_string(), format!("{} {expected}", path.display()));
    }
}

#[test]
fn a_directory_of_the_format_before_is_read_and_converted() {
    let directory = tempfile::tempdir().unwrap();
    let root = directory.path().join("data");
    let fixture = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/data/data_directories/format_1");
    copy_tree(&fixture, &root);
    let newest = root.join("manifest/00000000000000000013.json");
    let whole = fs::read(&newest).unwrap();
    for at in (0..whole.len()).step_by(41) {
        let mut flipped = whole.clone();
        flipped[at] ^= 0x02;
        fs::write(&newest, flipped).unwrap();
        let error = Catalog::open(Some(&root)).unwrap_err();
        assert!(error.fault() == Fault::Corrupt && error.to_string().contains("00000000000000000013.json"), "{error}");
    }
    fs::write(&newest, &whole).unwrap();
    let catalog = Catalog::open(Some(&root)).unwrap();
    let snapshot = catalog.snapshot();
    assert_eq!(snapshot.number(), 14, "the manifest was that of commit 13");
    let names: Vec<String> = snapshot.relations().map(|(name, _)| name.to_string()).collect();
    assert_eq!(names, ["\"best\"", "\"prices\"", "\"ratings\"", "\"sales.empty\""]);
    let best = snapshot.relation(&QualifiedName::public("best")).unwrap();
    assert_eq!(best.header.comment.as_deref(), Some("what each liked most"));
    let ratings = snapshot.relation(&QualifiedName::public("ratings")).unwrap();
    let Definition::ManagedTable(table) = &ratings.definition else { panic!("{}", ratings.definition.noun()) };
    for file in &table.files {
        catalog.directory().verify(file).unwrap();
    }
    let numbers: Vec<_> = table.files.iter().map(|file| (file.first_row, file.rows)).collect();
    assert_eq!((numbers, table.next_row), (vec![(Some(0), 60), (Some(60), 1)], 61));
    // text NOT NULL, text, numeric(4,1), timestamptz, by their numbers in pg_type; numeric's modifier is 4 * 65536 + 1 + 4.
    let columns: Vec<_> = table.columns.iter().map(|c| (c.number, c.type_oid, c.modifier, c.not_null)).collect();
    assert_eq!(columns, [(1, 25, -1, true), (2, 25, -1, false), (3, 1700, 262_149, false), (4, 1184, -1, false)]);
    assert_eq!(table.next_column, 5);
    assert_eq!(snapshot.secrets().count(), 1);
    assert_eq!(snapshot.model(&QualifiedName::public("taste")).unwrap().versions.size(), 1);
    drop(catalog);
    assert!(!newest.exists() && manifest(&root, ".json").ends_with("00000000000000000014.json"));
    assert_eq!(&reopened(&root).unwrap(), snapshot.as_ref());
    let catalog = Catalog::open(Some(&root)).unwrap();
    let mut transaction = catalog.begin();
    let change = publish(&transaction, &catalog, "old", "again", true);
    assert_eq!(transaction.apply(change).unwrap(), Applied::Published { version: 2, live: true }, "1 stays taken");
}

fn copy_tree(from: &Path, to: &Path) {
    fs::create_dir_all(to).unwrap();
    for entry in fs::read_dir(from).unwrap() {
        let path = entry.unwrap().path();
        let target = to.join(path.file_name().unwrap());
        match path.is_dir() {
            true => copy_tree(&path, &target),
            false => drop(fs::copy(&path, target).unwrap()),
        }
    }
}
