//! When a commit begins and ends, and who hears of it.

use super::*;

/// What a commit was asked for with, and what it heard.
pub(super) struct Asked {
    pub(super) allowed: bool,
    pub(super) heard: Arc<std::sync::Mutex<Vec<&'static str>>>,
}

impl Permit for Asked {
    fn begin(&self) -> bool {
        self.heard.lock().unwrap().push("begin");
        self.allowed
    }

    fn end(&self, committed: bool) {
        self.heard.lock().unwrap().push(if committed { "committed" } else { "failed" });
    }
}

#[test]
fn a_commit_begins_with_a_permit_and_tells_it_the_end() {
    let directory = tempfile::tempdir().unwrap();
    let catalog = Catalog::open(Some(directory.path())).unwrap();
    for (allowed, name, changes, expected, fault) in [
        (true, "t", true, ["begin", "committed"], None),
        (false, "u", true, ["begin", "failed"], Some(Fault::Cancelled)),
        // The name is taken by now.
        (true, "t", true, ["begin", "failed"], Some(Fault::Conflict)),
        (true, "v", false, ["begin", "committed"], None),
    ] {
        let mut transaction =
            Transaction::new(Arc::new(Snapshot::initial()), catalog.directory().clone(), catalog.next_oid.clone());
        let file = table_file(catalog.directory(), 1, "rows");
        if changes {
            transaction.apply(create(&transaction, name, managed(vec![file.clone()]), Existing::Refuse)).unwrap();
        }
        let heard = Arc::default();
        let permit = Asked { allowed, heard: Arc::clone(&heard) };
        let outcome = futures::executor::block_on(catalog.commit(transaction, Box::new(permit)));
        assert_eq!(outcome.as_ref().err().map(Error::fault), fault, "{outcome:?}");
        assert_eq!(*heard.lock().unwrap(), expected);
        let kept = fault.is_none() || !changes;
        assert_eq!(directory.path().join(&file.path).exists(), kept, "{name}");
    }
    drop(catalog);
    let reopened = Catalog::open(Some(directory.path())).unwrap().snapshot();
    assert_eq!(reopened.relations().map(|(name, _)| name.name.as_str()).collect::<Vec<_>>(), ["t"]);
}

#[test]
fn a_commit_that_nobody_waits_for_is_finished() {
    let directory = tempfile::tempdir().unwrap();
    let catalog = Catalog::open(Some(directory.path())).unwrap();
    let mut transaction = catalog.begin();
    transaction.apply(create(&transaction, "v", view("SELECT 1"), Existing::Refuse)).unwrap();
    let mut commit = Box::pin(catalog.commit(transaction, Box::new(Always)));
    // Asked for at its first poll.
    let _pending_or_done = futures::FutureExt::now_or_never(&mut commit);
    drop(commit);
    drop(catalog);
    assert_eq!(Catalog::open(Some(directory.path())).unwrap().snapshot().number(), 2);
}

#[test]
fn what_could_not_be_read_back_is_not_written() {
    let directory = tempfile::tempdir().unwrap();
    let catalog = Catalog::open(Some(directory.path())).unwrap();
    let nested = (0..100).fold(DataType::Int64, |inner, _| DataType::List(Arc::new(Field::new("item", inner, true))));
    let definition = Definition::View(View {
        sql: "SELECT 1".to_owned(),
        schema: Schema::new(vec![Field::new("deep", nested, true)]),
        search_path: None,
        tables: BTreeMap::new(),
        settings: BTreeMap::new(),
        columns: Vec::new(),
    });
    let mut transaction = catalog.begin();
    transaction.apply(create(&transaction, "v", definition, Existing::Refuse)).unwrap();
    let error = catalog.publish(transaction).unwrap_err();
    assert_eq!(error.fault(), Fault::LimitExceeded);
    drop(catalog);
    assert_eq!(Catalog::open(Some(directory.path())).unwrap().snapshot().number(), 1);
}

#[test]
fn a_full_disk_is_told_apart() {
    let full = std::io::Error::from(std::io::ErrorKind::StorageFull);
    let error = Error::io("write", Path::new("/data/manifest"))(full);
    assert_eq!(error.fault(), Fault::DiskFull);
    assert!(error.to_string().starts_with("cannot write /data/manifest: "), "{error}");
}
