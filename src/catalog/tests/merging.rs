//! Files that are put together: nobody sees it, and it gets in nobody's way.

use super::*;

fn paths(snapshot: &Snapshot) -> Vec<&str> {
    let table = snapshot.relation(&QualifiedName::public("t")).unwrap();
    let Definition::ManagedTable(table) = &table.definition else { panic!("it is no table") };
    table.files.iter().map(|file| file.path.as_str()).collect()
}

/// A table of files, and the change that puts two of them together.
struct Merging {
    catalog: Catalog,
    files: Vec<TableFile>,
    into: TableFile,
    oid: u32,
}

impl Merging {
    fn new(root: &Path) -> Self {
        let catalog = Catalog::open(Some(root)).unwrap();
        let files: Vec<TableFile> =
            ["a", "b", "c", "d"].iter().map(|text| table_file(catalog.directory(), 1, text)).collect();
        let mut transaction = catalog.begin();
        let change = create(&transaction, "t", managed(files.clone()), Existing::Refuse);
        transaction.apply(change).unwrap();
        let snapshot = catalog.publish(transaction).unwrap();
        let oid = snapshot.relation(&QualifiedName::public("t")).unwrap().header.oid;
        let into = TableFile { rows: 2, first_row: Some(1), ..table_file(catalog.directory(), 1, "bc") };
        Self { catalog, files, into, oid }
    }

    fn change(&self) -> Change {
        let merged = self.files[1..3].iter().map(|file| file.path.clone()).collect();
        Change::MergeFiles { table: QualifiedName::public("t"), oid: self.oid, merged, files: vec![self.into.clone()] }
    }

    fn merged(&self) -> Transaction {
        let mut transaction = self.catalog.begin();
        transaction.apply(self.change()).unwrap();
        transaction
    }

    fn append(&self, text: &str) -> Change {
        Change::AppendFiles {
            table: QualifiedName::public("t"),
            files: vec![table_file(self.catalog.directory(), self.oid, text)],
        }
    }
}

#[test]
fn files_take_the_place_of_those_that_they_are_made_of() {
    let directory = tempfile::tempdir().unwrap();
    let merging = Merging::new(directory.path());
    let [a, b, c, d] = [0, 1, 2, 3].map(|place: usize| merging.files[place].path.as_str());
    let before = merging.catalog.snapshot();
    // Rows that came meanwhile stay.
    let late = merging.merged();
    let mut append = merging.catalog.begin();
    append.apply(merging.append("e")).unwrap();
    let appended = merging.catalog.publish(append).unwrap();
    let e = paths(&appended)[4].to_owned();
    let after = merging.catalog.publish(late).unwrap();
    assert_eq!(paths(&after), [a, merging.into.path.as_str(), d, e.as_str()]);
    assert_eq!(paths(&before), [a, b, c, d], "who reads the state before reads its files");
    assert!(after.shows_as(&appended) && !after.shows_as(&before));
    let table = after.relation(&QualifiedName::public("t")).unwrap();
    let Definition::ManagedTable(table) = &table.definition else { panic!("it is no table") };
    assert_eq!(table.files.iter().map(|file| file.first_row).collect::<Vec<_>>(), [Some(0), Some(1), Some(3), Some(4)]);
    assert_eq!(table.next_row, 5);
    // They are there once.
    let mut again = merging.catalog.begin();
    assert_eq!(again.apply(merging.change()).unwrap_err().fault(), Fault::Conflict);
    drop((again, before, appended));
    let Merging { catalog, files, .. } = merging;
    drop(catalog);
    let catalog = Catalog::open(Some(directory.path())).unwrap();
    assert_eq!(catalog.snapshot(), after);
    assert!(!directory.path().join(&files[1].path).exists() && directory.path().join(&files[0].path).exists());
}

#[test]
fn putting_files_together_is_no_change_that_a_transaction_could_lose_to() {
    let directory = tempfile::tempdir().unwrap();
    let name = QualifiedName::public("t");
    let comment =
        || Change::SetComment { kind: Kind::Table, name: name.clone(), comment: Some("of letters".to_owned()) };
    let create_view = |transaction: &Transaction| create(transaction, "v", view("SELECT 1"), Existing::Refuse);
    type Make = fn(&Merging, &Transaction) -> Change;
    let replace: Make = |merging, _| Change::ReplaceFiles {
        table: QualifiedName::public("t"),
        files: vec![table_file(merging.catalog.directory(), merging.oid, "all new")],
    };
    let append: Make = |merging, _| merging.append("e");
    let remove: Make = |_, _| drop_of(Kind::Table, "t");
    for (number, make) in [append, replace, remove].into_iter().enumerate() {
        for serializable in [false, true] {
            let root = directory.path().join(format!("{number}-{serializable}"));
            let merging = Merging::new(&root);
            let mut transaction = merging.catalog.begin();
            if serializable {
                transaction.set_serializable();
            }
            transaction.apply(comment()).unwrap();
            transaction.apply(create_view(&transaction)).unwrap();
            let change = make(&merging, &transaction);
            transaction.apply(change).unwrap();
            merging.catalog.publish(merging.merged()).unwrap();
            let after = merging.catalog.publish(transaction).unwrap();
            assert_eq!(after.relations().count(), if number == 2 { 1 } else { 2 }, "{number}, {serializable}");
        }
    }
    // The other way round, what is no longer there cannot be put together.
    for (number, make) in [replace, remove].into_iter().enumerate() {
        let root = directory.path().join(format!("late-{number}"));
        let merging = Merging::new(&root);
        let late = merging.merged();
        let mut transaction = merging.catalog.begin();
        let change = make(&merging, &transaction);
        transaction.apply(change).unwrap();
        merging.catalog.publish(transaction).unwrap();
        assert_eq!(merging.catalog.publish(late).unwrap_err().fault(), Fault::Conflict);
        assert!(!root.join(&merging.into.path).exists(), "and leaves no file");
    }
}
