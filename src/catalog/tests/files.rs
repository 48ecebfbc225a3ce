//! The files of a data directory: which are kept, which are refused, which are removed.

use super::*;
use crate::catalog::{effect::Effect, journal::encode};

#[test]
fn a_directory_whose_manifests_are_gone_is_refused_and_keeps_its_files() {
    let directory = tempfile::tempdir().unwrap();
    fs::create_dir_all(directory.path().join("models")).unwrap();
    let stranger = directory.path().join("models/thesis.bin");
    fs::write(&stranger, "mine").unwrap();
    let error = Catalog::open(Some(directory.path())).unwrap_err();
    assert_eq!(error.fault(), Fault::Corrupt);
    assert!(error.to_string().contains("models/thesis.bin"), "{error}");
    assert!(stranger.is_file());
}

#[test]
fn orphans_are_removed_when_the_directory_is_opened() {
    let directory = tempfile::tempdir().unwrap();
    let root = directory.path();
    let catalog = Catalog::open(Some(root)).unwrap();
    let mut transaction = catalog.begin();
    let file = table_file(catalog.directory(), 1, "rows");
    transaction.apply(create(&transaction, "t", managed(vec![file.clone()]), Existing::Refuse)).unwrap();
    let change = publish(&transaction, &catalog, "taste", "kept", true);
    transaction.apply(change).unwrap();
    catalog.publish(transaction).unwrap();
    let orphan = table_file(catalog.directory(), 99, "of a killed statement");
    fs::write(root.join("models/orphan"), "of a killed training").unwrap();
    fs::write(root.join("manifest/00000000000000000003.json.tmp"), "of a killed checkpoint").unwrap();
    drop(catalog);
    let catalog = Catalog::open(Some(root)).unwrap();
    assert!(!root.join(&orphan.path).exists() && !root.join("tables/99").exists());
    assert!(!root.join("models/orphan").exists());
    assert!(!root.join("manifest/00000000000000000003.json.tmp").exists());
    catalog.directory().verify(&file).unwrap();
    assert!(root.join("models/kept").is_file());

    let mut transaction = catalog.begin();
    transaction.apply(drop_of(Kind::Table, "t")).unwrap();
    catalog.publish(transaction).unwrap();
    drop(catalog);
    let _catalog = Catalog::open(Some(root)).unwrap();
    assert!(!root.join(&file.path).exists());
    assert!(root.join("models/kept").is_file());
}

#[test]
fn rolling_back_removes_new_files_and_no_others() {
    let catalog = Catalog::open(None).unwrap();
    let name = QualifiedName::public("t");
    let mut transaction = catalog.begin();
    let old = table_file(catalog.directory(), 1, "old");
    transaction.apply(create(&transaction, "t", managed(vec![old.clone()]), Existing::Refuse)).unwrap();
    catalog.publish(transaction).unwrap();
    let mut transaction = catalog.begin();
    let new = table_file(catalog.directory(), 1, "new");
    let files = vec![old.clone(), new.clone()];
    transaction.apply(Change::ReplaceFiles { table: name, files }).unwrap();
    catalog.directory().verify(&new).unwrap();
    drop(transaction);
    catalog.directory().verify(&old).unwrap();
    assert_eq!(catalog.directory().verify(&new).unwrap_err().fault(), Fault::Corrupt);
    let mut transaction = catalog.begin();
    let needless = table_file(catalog.directory(), 2, "needless");
    transaction.apply(create(&transaction, "t", managed(vec![needless.clone()]), Existing::Keep)).unwrap();
    assert!(!catalog.directory().root().join(needless.path).exists());
    let unsealed = catalog.directory().new_table_file(3).unwrap();
    let path = unsealed.path().to_owned();
    assert!(path.ends_with(unsealed.relative_path()) && path.is_file());
    drop(unsealed);
    assert!(!path.exists());
    let root = catalog.directory().root().to_owned();
    drop((transaction, catalog));
    assert!(!root.exists(), "the private directory of a catalog in memory goes with it");
}

#[test]
fn files_from_elsewhere_are_not_taken_into_the_catalog() {
    let directory = tempfile::tempdir().unwrap();
    let catalog = Catalog::open(Some(&directory.path().join("data"))).unwrap();
    fs::write(directory.path().join("passwd"), "x").unwrap();
    let mut transaction = catalog.begin();
    for path in ["tables/../../passwd", "../passwd", "/etc/passwd", "lock", "models/x", "tables/1/missing.parquet"] {
        let file = TableFile::new(path, 1, "", 1);
        let error = transaction.apply(create(&transaction, "t", managed(vec![file]), Existing::Refuse)).unwrap_err();
        assert!(error.to_string().contains(path), "{error}");
    }
    assert!(!transaction.has_changes());
    assert!(directory.path().join("passwd").is_file());
}

#[test]
fn a_damaged_table_file_is_refused_by_name() {
    let directory = tempfile::tempdir().unwrap();
    let catalog = Catalog::open(Some(directory.path())).unwrap();
    let mut transaction = catalog.begin();
    let file = table_file(catalog.directory(), 1, "rows of a table");
    transaction.apply(create(&transaction, "t", managed(vec![file.clone()]), Existing::Refuse)).unwrap();
    catalog.publish(transaction).unwrap();
    drop(catalog);
    let catalog = Catalog::open(Some(directory.path())).unwrap();
    let path = directory.path().join(&file.path);
    let refused = |expected: &str| {
        let error = catalog.directory().verify(&file).unwrap_err();
        assert_eq!(error.fault(), Fault::Corrupt);
        assert!(error.to_string().contains(&file.path) && error.to_string().contains(expected), "{error}");
    };
    fs::write(&path, "rows of a tablE").unwrap();
    refused("SHA-256");
    fs::write(&path, "rows of a").unwrap();
    refused("it has 9 bytes, expected 15");
    fs::remove_file(&path).unwrap();
    refused("it is missing");
    fs::write(&path, "rows of a table").unwrap();
    assert!(catalog.directory().verify(&file).is_ok());
    fs::write(&path, "rows").unwrap();
    refused("it has 4 bytes");
}

#[test]
fn an_insert_records_the_files_that_it_adds_and_a_temporary_schema_is_not_recorded() {
    let mut snapshot = Snapshot::initial();
    let put = |name: QualifiedName, files| Effect::Put {
        key: ObjectKey::Relation(name),
        object: Arc::new(Object { header: Header::new(20_000, "ada"), definition: managed(files) }),
    };
    let file = |number: usize| TableFile::new(format!("tables/1/{number}.parquet"), 1, "", 1);
    let table = QualifiedName::public("t");
    snapshot.perform(&put(table.clone(), (0..1_000).map(file).collect())).unwrap();
    let change = Change::AppendFiles { table, files: vec![file(1_000)] };
    let (_, effects) = snapshot.apply(&change).unwrap();
    let body = String::from_utf8(encode(&snapshot, effects).unwrap()).unwrap();
    assert!(body.contains("tables/1/1000.parquet") && !body.contains("tables/1/999.parquet"), "{body}");

    let effects = vec![put(QualifiedName::new("pg_temp_3", "mine"), Vec::new())];
    snapshot.perform(&effects[0]).unwrap();
    let body = String::from_utf8(encode(&snapshot, effects).unwrap()).unwrap();
    assert_eq!(body, r#"{"next_oid":16384,"effects":[]}"#);
    assert!(!serde_json::to_string(&snapshot).unwrap().contains("pg_temp_3"));
}

#[test]
fn the_schema_of_a_session_goes_behind_what_it_asked_for_last() {
    let catalog = Catalog::open(None).unwrap();
    // It begins before the schema is there.
    let mut ending = catalog.begin();
    let name = temporary_schema(3);
    assert_eq!(name, "pg_temp_3");
    let make = |catalog: &Catalog| {
        let mut transaction = catalog.begin();
        let header = transaction.header("tester").unwrap();
        let change = Change::CreateTemporarySchema { name: name.clone(), header };
        transaction.apply(change.clone()).unwrap();
        assert_eq!(transaction.apply(change).unwrap(), Applied::Unchanged);
        catalog.publish(transaction).unwrap();
        assert!(catalog.snapshot().has_schema(&name));
    };
    make(&catalog);
    ending.drop_temporary(&name);
    catalog.publish(ending).unwrap();
    assert!(!catalog.snapshot().has_schema(&name));
    make(&catalog);
    catalog.end_session(&name, Box::new(Always));
    // What is asked for later is done later.
    let mut later = catalog.begin();
    let header = later.header("tester").unwrap();
    later.apply(Change::CreateSchema { name: "later".to_owned(), header, if_not_exists: false }).unwrap();
    catalog.publish(later).unwrap();
    assert!(!catalog.snapshot().has_schema(&name));
}
