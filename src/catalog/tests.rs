//! What the catalog keeps, what it refuses, and what it finds after a restart.
#![allow(clippy::unwrap_used)]

use std::{
    collections::BTreeMap,
    fs,
    os::unix::fs::PermissionsExt,
    path::PathBuf,
    process::Command,
    sync::atomic::{AtomicBool, Ordering},
};

use arrow_schema::{DataType, Field, Schema, TimeUnit};
use serde_json::json;

use super::*;
use crate::fault::Fault;

mod journal;
mod merging;
mod readers;
mod scratch;

/// A permit that is always given.
struct Always;

impl Permit for Always {
    fn begin(&self) -> bool {
        true
    }

    fn end(&self, _committed: bool) {}
}

impl Catalog {
    /// Commits what nobody cancels, and waits for it.
    pub(crate) fn publish(&self, transaction: Transaction) -> Result<Arc<Snapshot>> {
        futures::executor::block_on(self.commit(transaction, Box::new(Always)))
    }

    /// Looks on while commits go through their steps, in the thread that commits.
    pub(crate) fn watch(&self, look: impl Fn(Step) + Send + Sync + 'static) {
        assert!(self.committer.watch.look.set(Box::new(look)).is_ok(), "somebody looks on already");
    }

    /// Lets what is written fail: `limit` says how much can be written at a step; none: all of it.
    pub(crate) fn limit(&self, limit: impl Fn(Step) -> Option<usize> + Send + Sync + 'static) {
        assert!(self.committer.watch.limit.set(Box::new(limit)).is_ok(), "somebody limits it already");
    }
}

/// Where the second process of a test finds the data directory.
const SECOND_PROCESS: &str = "FUSEWIRE_TEST_SECOND_PROCESS";

fn columns() -> Schema {
    let item = Arc::new(Field::new_list_field(DataType::Float32, true));
    Schema::new(vec![
        Field::new("id", DataType::Int64, false),
        Field::new("at", DataType::Timestamp(TimeUnit::Microsecond, Some("UTC".into())), true),
        Field::new("price", DataType::Decimal128(12, 2), true),
        Field::new("vector", DataType::List(item), true),
    ])
}

fn view(sql: &str) -> Definition {
    Definition::View(View {
        sql: sql.to_owned(),
        schema: columns(),
        search_path: None,
        tables: BTreeMap::new(),
        settings: BTreeMap::new(),
        columns: Vec::new(),
    })
}

fn external(location: &str) -> Definition {
    Definition::ExternalTable(ExternalTable {
        locations: vec![location.to_owned()],
        format: "csv".to_owned(),
        options: BTreeMap::from([("has_header".to_owned(), "true".to_owned())]),
        schema: columns(),
        partition_columns: vec![Field::new("month", DataType::Utf8, true)],
        secret: Some(QualifiedName::public("shop")),
    })
}

fn secret() -> Definition {
    let options = BTreeMap::from([("secret".to_owned(), Sensitive::new("hunter2"))]);
    Definition::Secret(Secret { provider: "s3".to_owned(), scope: Some("s3://shop/".to_owned()), options })
}

fn managed(files: Vec<TableFile>) -> Definition {
    Definition::ManagedTable(ManagedTable::new(columns(), files))
}

fn create(transaction: &Transaction, name: &str, definition: Definition, existing: Existing) -> Change {
    let object = Object { header: transaction.header("ada").unwrap(), definition };
    Change::Create { name: QualifiedName::public(name), object, existing }
}

/// A sealed file that holds the text.
fn table_file(directory: &DataDirectory, oid: u32, text: &str) -> TableFile {
    let file = directory.new_table_file(oid).unwrap();
    fs::write(file.path(), text).unwrap();
    directory.seal(file, 1).unwrap()
}

/// A change that publishes a version whose file holds the text.
fn publish(transaction: &Transaction, catalog: &Catalog, name: &str, text: &str, promote: bool) -> Change {
    fs::write(catalog.directory().models().join(text), text).unwrap();
    let version = ModelVersion {
        digest: text.to_owned(),
        location: format!("models/{text}"),
        size_bytes: text.len() as u64,
        kind: "embedding".to_owned(),
        metadata: json!({"metrics": [{"name": "rmse", "value": 0.875}], "seed": 42}),
        sql: "SELECT * FROM train('taste', ratings)".to_owned(),
        created_at_ms: 1_700_000_000_000,
    };
    let header = transaction.header("ada").unwrap();
    Change::PublishModel { name: QualifiedName::public(name), header, version: Box::new(version), promote }
}

fn drop_of(kind: Kind, name: &str) -> Change {
    Change::Drop { kind, name: QualifiedName::public(name), if_exists: false }
}

/// Commits one view.
fn commit_view(catalog: &Catalog, name: &str) -> Arc<Snapshot> {
    let mut transaction = catalog.begin();
    transaction.apply(create(&transaction, name, view("SELECT 1"), Existing::Refuse)).unwrap();
    catalog.publish(transaction).unwrap()
}

/// The checkpoint, or with `.log` the log that goes on from it. There is one of each.
fn manifest(directory: &Path, ending: &str) -> PathBuf {
    let entries = fs::read_dir(directory.join("manifest")).unwrap().map(|entry| entry.unwrap().path());
    let mut found: Vec<PathBuf> = entries.filter(|path| path.to_string_lossy().ends_with(ending)).collect();
    assert_eq!(found.len(), 1, "{found:?}");
    found.remove(0)
}

/// A generator of test choices (splitmix64), so that a failing seed can be run again.
struct Choices(u64);

impl Choices {
    fn below(&mut self, limit: usize) -> usize {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut mixed = self.0;
        mixed = (mixed ^ (mixed >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        ((mixed ^ (mixed >> 31)) % limit as u64) as usize
    }
}

#[test]
fn everything_committed_is_there_after_a_reopen() {
    let directory = tempfile::tempdir().unwrap();
    let root = directory.path().join("data");
    let catalog = Catalog::open(Some(&root)).unwrap();
    let mut transaction = catalog.begin();
    let header = transaction.header("ada").unwrap();
    let oid = header.oid;
    assert_eq!(oid, FIRST_OID);
    let file = table_file(catalog.directory(), oid, "rows");
    let object = Object { header, definition: managed(vec![file.clone()]) };
    let name = QualifiedName::public("orders");
    let change = Change::Create { name: name.clone(), object, existing: Existing::Refuse };
    assert_eq!(transaction.apply(change).unwrap(), Applied::Created(oid));
    let header = transaction.header("ada").unwrap();
    transaction.apply(Change::CreateSchema { name: "sales".to_owned(), header, if_not_exists: false }).unwrap();
    for (name, definition) in [("ratings", external("ratings.csv")), ("best", view("SELECT 1")), ("shop", secret())] {
        transaction.apply(create(&transaction, name, definition, Existing::Refuse)).unwrap();
    }
    let change = publish(&transaction, &catalog, "taste", "abc", true);
    assert_eq!(transaction.apply(change).unwrap(), Applied::Published { version: 1, live: true });
    let comment = Some("what sells".to_owned());
    transaction.apply(Change::SetComment { kind: Kind::View, name: QualifiedName::public("best"), comment }).unwrap();
    assert_eq!(catalog.snapshot().number(), 1, "nobody sees it before the commit");
    let committed = catalog.publish(transaction).unwrap();
    assert_eq!(committed.number(), 2);
    drop(catalog);

    let catalog = Catalog::open(Some(&root)).unwrap();
    let snapshot = catalog.snapshot();
    assert_eq!(snapshot, committed);
    assert_eq!(snapshot.schemas().map(|(name, _)| name).collect::<Vec<_>>(), ["public", "sales"]);
    assert_eq!(snapshot.relations().count(), 3);
    assert_eq!(snapshot.secrets().count(), 1);
    assert_eq!(snapshot.models().count(), 1);
    let best = snapshot.relation(&QualifiedName::public("best")).unwrap();
    assert_eq!(best.header.comment.as_deref(), Some("what sells"));
    assert_eq!(fs::read(catalog.directory().verify(&file).unwrap()).unwrap(), b"rows");
    assert!(catalog.begin().header("ada").unwrap().oid > oid + 4, "identifiers are not given out again");
}

/// What is known of columns in paths is written as it always was: their names and types.
#[test]
fn external_tables_are_written_as_they_were() {
    let written = json!({
        "locations": ["/data/ratings"],
        "format": "csv",
        "options": {"header": "true"},
        "schema": {"fields": [], "metadata": {}},
        "partition_columns": [["year", "Int64"], ["month", "Utf8"]],
        "secret": null,
    });
    let table: ExternalTable = serde_json::from_value(written.clone()).unwrap();
    let expected = [Field::new("year", DataType::Int64, true), Field::new("month", DataType::Utf8, true)];
    assert_eq!(table.partition_columns, expected);
    assert_eq!(table.table_schema(), Schema::new(expected.to_vec()));
    assert_eq!(serde_json::to_value(&table).unwrap(), written);
}

#[test]
fn secrets_are_never_printed_and_only_the_owner_reads_the_files() {
    let directory = tempfile::tempdir().unwrap();
    let root = directory.path().join("data");
    let catalog = Catalog::open(Some(&root)).unwrap();
    let mut transaction = catalog.begin();
    let change = create(&transaction, "shop", secret(), Existing::Refuse);
    assert!(!format!("{change:?}").contains("hunter2"));
    transaction.apply(change).unwrap();
    let snapshot = catalog.publish(transaction).unwrap();
    assert!(!format!("{catalog:?} {snapshot:?}").contains("hunter2"));
    let (_, object) = snapshot.secrets().next().unwrap();
    let secret = object.as_secret().unwrap();
    assert_eq!(secret.options["secret"].expose(), "hunter2");
    assert_eq!(secret.options["secret"].to_string(), "********");
    let file = table_file(catalog.directory(), 1, "rows");
    let mode = |path: &Path| fs::metadata(path).unwrap().permissions().mode() & 0o777;
    assert_eq!(mode(&root), 0o700);
    assert_eq!(mode(&root.join("lock")), 0o600);
    assert_eq!(mode(&manifest(&root, ".json")), 0o600);
    assert_eq!(mode(&manifest(&root, ".log")), 0o600);
    assert_eq!(mode(&root.join(file.path)), 0o600);
}

#[test]
fn names_are_checked_as_postgres_does() {
    let catalog = Catalog::open(None).unwrap();
    let mut transaction = catalog.begin();
    for (name, definition) in [("v", view("SELECT 1")), ("e", external("e.csv")), ("t", managed(Vec::new()))] {
        transaction.apply(create(&transaction, name, definition, Existing::Refuse)).unwrap();
    }
    let change = publish(&transaction, &catalog, "m", "first", true);
    transaction.apply(change).unwrap();
    let before = transaction.snapshot().clone();
    let in_schema = |schema: &str, definition| {
        let object = Object { header: transaction.header("ada").unwrap(), definition };
        Change::Create { name: QualifiedName::new(schema, "x"), object, existing: Existing::Refuse }
    };
    let append = |name: &str| Change::AppendFiles { table: QualifiedName::public(name), files: Vec::new() };
    let schema = |name: &str| Change::CreateSchema {
        name: name.to_owned(),
        header: transaction.header("ada").unwrap(),
        if_not_exists: false,
    };
    let promote = Change::PromoteModel { name: QualifiedName::public("m"), version: 7 };
    let drop_public = Change::DropSchema { name: "public".to_owned(), if_exists: true, cascade: true };
    let drop_missing = Change::DropSchema { name: "sales".to_owned(), if_exists: false, cascade: false };
    let refused = [
        (create(&transaction, "v", view("SELECT 2"), Existing::Refuse), "42P07", "view \"v\" already exists"),
        (create(&transaction, "e", view("SELECT 2"), Existing::Refuse), "42P07", "table \"e\" already exists"),
        (
            create(&transaction, "v", managed(Vec::new()), Existing::Replace),
            "42809",
            "\"v\" is a view; use CREATE OR REPLACE VIEW",
        ),
        (in_schema("sales", view("SELECT 1")), "3F000", "schema \"sales\" does not exist"),
        (drop_of(Kind::Table, "v"), "42809", "\"v\" is a view; use DROP VIEW"),
        (drop_of(Kind::View, "e"), "42809", "\"e\" is an external table; use DROP TABLE"),
        (drop_of(Kind::Table, "x"), "42P01", "table \"x\" does not exist"),
        (drop_of(Kind::Model, "x"), "42704", "model \"x\" does not exist"),
        (drop_of(Kind::Secret, "x"), "42704", "secret \"x\" does not exist"),
        (append("e"), "42809", "\"e\" is an external table; rows can be written only to a table made by CREATE TABLE"),
        (append("x"), "42P01", "table \"x\" does not exist"),
        (promote, "42704", "model \"m\" has no version 7; its versions are 1"),
        (schema("public"), "42P06", "schema \"public\" already exists"),
        (
            schema("pg_toast"),
            "42939",
            "unacceptable schema name \"pg_toast\": names that begin with pg_ belong to the engine; choose another name",
        ),
        (schema("information_schema"), "42P06", "schema \"information_schema\" already exists"),
        (
            in_schema("fusewire", view("SELECT 1")),
            "42501",
            "permission denied for \"fusewire.x\": the schema \"fusewire\" belongs to the engine; name another schema",
        ),
        (
            drop_public,
            "2BP01",
            "schema \"public\" belongs to the engine and cannot be dropped; DROP what is in it that is yours",
        ),
        (drop_missing, "3F000", "schema \"sales\" does not exist"),
    ];
    for (change, code, message) in refused {
        let error = transaction.apply(change).unwrap_err();
        assert_eq!((crate::error::sqlstate(error.fault()), error.to_string().as_str()), (code, message));
        assert_eq!(transaction.snapshot(), &before, "a refused change leaves the snapshot as it was: {message}");
    }
}

#[test]
fn existing_objects_are_kept_or_replaced_on_request() {
    let catalog = Catalog::open(None).unwrap();
    let mut transaction = catalog.begin();
    transaction.apply(create(&transaction, "v", view("SELECT 1"), Existing::Refuse)).unwrap();
    let header = transaction.snapshot().relation(&QualifiedName::public("v")).unwrap().header.clone();
    let kept = transaction.apply(create(&transaction, "v", managed(Vec::new()), Existing::Keep)).unwrap();
    assert_eq!(kept, Applied::Unchanged);
    let replaced = transaction.apply(create(&transaction, "v", view("SELECT 2"), Existing::Replace)).unwrap();
    assert_eq!(replaced, Applied::Replaced(header.oid));
    let object = transaction.snapshot().relation(&QualifiedName::public("v")).unwrap().clone();
    assert_eq!(object.header, header);
    assert_eq!(object.definition, view("SELECT 2"));
    for change in [
        Change::Drop { kind: Kind::Table, name: QualifiedName::new("sales", "x"), if_exists: true },
        Change::DropSchema { name: "sales".to_owned(), if_exists: true, cascade: false },
    ] {
        assert_eq!(transaction.apply(change).unwrap(), Applied::Unchanged);
    }
}

#[test]
fn a_transaction_goes_back_to_a_savepoint() {
    let catalog = Catalog::open(None).unwrap();
    let directory = catalog.directory().clone();
    let mut transaction = catalog.begin();
    let start = transaction.savepoint();
    let (kept, lost) = (table_file(&directory, 20_001, "kept"), table_file(&directory, 20_002, "lost"));
    let create_kept = create(&transaction, "kept", managed(vec![kept.clone()]), Existing::Refuse);
    transaction.apply(create_kept).unwrap();
    let middle = transaction.savepoint();
    let create_lost = create(&transaction, "lost", managed(vec![lost.clone()]), Existing::Refuse);
    transaction.apply(create_lost).unwrap();
    transaction.rollback_to(&middle);
    let has =
        |transaction: &Transaction, name: &str| transaction.snapshot().relation(&QualifiedName::public(name)).is_some();
    assert!(has(&transaction, "kept") && !has(&transaction, "lost"));
    assert!(directory.root().join(&kept.path).exists() && !directory.root().join(&lost.path).exists());
    transaction.rollback_to(&start);
    assert!(!has(&transaction, "kept") && !transaction.has_changes());
    assert!(!directory.root().join(&kept.path).exists());
}

#[test]
fn a_serializable_transaction_changes_only_what_nobody_else_has() {
    let catalog = Catalog::open(None).unwrap();
    let mut mine = catalog.begin();
    mine.set_serializable();
    let change = create(&mine, "mine", view("SELECT 1"), Existing::Refuse);
    mine.apply(change).unwrap();
    let mut others = catalog.begin();
    let change = create(&others, "others", view("SELECT 2"), Existing::Refuse);
    others.apply(change).unwrap();
    catalog.publish(others).unwrap();
    let refused = catalog.publish(mine).unwrap_err();
    assert_eq!(refused.fault(), Fault::Conflict);
    assert_eq!(refused.to_string(), "another transaction changed the catalog first; run the transaction again");
    // One that only reads never fails.
    let mut reads = catalog.begin();
    reads.set_serializable();
    catalog.publish(reads).unwrap();
}

#[test]
fn a_schema_is_dropped_empty_or_with_all_that_is_in_it() {
    let catalog = Catalog::open(None).unwrap();
    let mut transaction = catalog.begin();
    let header = transaction.header("ada").unwrap();
    transaction.apply(Change::CreateSchema { name: "sales".to_owned(), header, if_not_exists: false }).unwrap();
    let object = Object { header: transaction.header("ada").unwrap(), definition: view("SELECT 1") };
    let name = QualifiedName::new("sales", "v");
    transaction.apply(Change::Create { name, object, existing: Existing::Refuse }).unwrap();
    let drop_sales = |cascade| Change::DropSchema { name: "sales".to_owned(), if_exists: false, cascade };
    let error = transaction.apply(drop_sales(false)).unwrap_err();
    assert!(error.to_string().contains("table or view \"sales.v\" is in it"), "{error}");
    transaction.apply(drop_sales(true)).unwrap();
    assert_eq!(transaction.snapshot().objects().count(), 1);
}

#[test]
fn version_numbers_are_never_reused_and_promotion_is_a_choice() {
    let directory = tempfile::tempdir().unwrap();
    let catalog = Catalog::open(Some(directory.path())).unwrap();
    let mut transaction = catalog.begin();
    for (text, promote, expected) in [("a", false, (1, true)), ("b", false, (2, false)), ("c", true, (3, true))] {
        let change = publish(&transaction, &catalog, "taste", text, promote);
        let (version, live) = expected;
        assert_eq!(transaction.apply(change).unwrap(), Applied::Published { version, live });
    }
    let name = QualifiedName::public("taste");
    transaction.apply(Change::PromoteModel { name: name.clone(), version: 2 }).unwrap();
    let snapshot = catalog.publish(transaction).unwrap();
    let model = snapshot.model(&name).unwrap();
    assert_eq!((model.live, model.last_version, model.versions.size()), (2, 3, 3));
    let mut transaction = catalog.begin();
    transaction.apply(drop_of(Kind::Model, "taste")).unwrap();
    catalog.publish(transaction).unwrap();
    drop(catalog);

    let catalog = Catalog::open(Some(directory.path())).unwrap();
    let mut transaction = catalog.begin();
    let change = publish(&transaction, &catalog, "taste", "d", true);
    assert_eq!(transaction.apply(change).unwrap(), Applied::Published { version: 4, live: true });
    let snapshot = catalog.publish(transaction).unwrap();
    assert_eq!(snapshot.model(&name).unwrap().versions.keys().copied().collect::<Vec<_>>(), [4]);
}

#[test]
fn the_transaction_that_comes_second_to_an_object_gets_a_conflict() {
    let catalog = Catalog::open(None).unwrap();
    commit_view(&catalog, "v");
    let lost = |first: &dyn Fn(&Transaction) -> Change, second: &dyn Fn(&Transaction) -> Change| {
        let (mut one, mut two) = (catalog.begin(), catalog.begin());
        two.apply(second(&two)).unwrap();
        one.apply(first(&one)).unwrap();
        let newest = catalog.publish(one).unwrap();
        let error = catalog.publish(two).unwrap_err();
        assert_eq!(error.fault(), Fault::Conflict);
        assert_eq!(catalog.snapshot(), newest, "the loser leaves no trace");
        error.to_string()
    };
    let new_view = |name: &'static str| {
        move |transaction: &Transaction| create(transaction, name, view("SELECT 3"), Existing::Refuse)
    };
    let message = lost(&new_view("same"), &new_view("same"));
    assert_eq!(message, "another transaction changed table or view \"same\" first; run the transaction again");
    let comment = |_: &Transaction| Change::SetComment {
        kind: Kind::View,
        name: QualifiedName::public("v"),
        comment: Some("x".to_owned()),
    };
    lost(&comment, &|_| drop_of(Kind::View, "v"));
    let train = |text: &'static str| {
        let catalog = &catalog;
        move |transaction: &Transaction| publish(transaction, catalog, "taste", text, true)
    };
    assert!(lost(&train("a"), &train("b")).contains("model \"taste\""));

    // A model that came and went in between would turn the reported version 1 into a version 2.
    let mut late = catalog.begin();
    late.apply(publish(&late, &catalog, "brief", "late", true)).unwrap();
    for step in 0..2 {
        let mut other = catalog.begin();
        let change = match step {
            0 => publish(&other, &catalog, "brief", "early", true),
            _ => drop_of(Kind::Model, "brief"),
        };
        other.apply(change).unwrap();
        catalog.publish(other).unwrap();
    }
    assert_eq!(catalog.publish(late).unwrap_err().fault(), Fault::Conflict);
}

#[test]
fn transactions_on_different_objects_both_commit() {
    let catalog = Catalog::open(None).unwrap();
    let (mut one, mut two) = (catalog.begin(), catalog.begin());
    one.apply(create(&one, "a", view("SELECT 1"), Existing::Refuse)).unwrap();
    two.apply(create(&two, "b", view("SELECT 2"), Existing::Refuse)).unwrap();
    catalog.publish(two).unwrap();
    let snapshot = catalog.publish(one).unwrap();
    let oids: HashSet<u32> = snapshot.relations().map(|(_, object)| object.header.oid).collect();
    assert_eq!(oids.len(), 2);
    assert_eq!(catalog.publish(catalog.begin()).unwrap().number(), snapshot.number(), "nothing to commit, no record");
}

#[test]
fn rows_can_be_added_to_one_table_at_once() {
    let catalog = Catalog::open(None).unwrap();
    let table = QualifiedName::public("t");
    let mut transaction = catalog.begin();
    transaction.apply(create(&transaction, "t", managed(Vec::new()), Existing::Refuse)).unwrap();
    catalog.publish(transaction).unwrap();
    let append = |text: &str| {
        let mut transaction = catalog.begin();
        let files = vec![table_file(catalog.directory(), 1, text)];
        transaction.apply(Change::AppendFiles { table: table.clone(), files }).unwrap();
        transaction
    };
    let (one, two, late) = (append("one"), append("two"), append("late"));
    catalog.publish(two).unwrap();
    let snapshot = catalog.publish(one).unwrap();
    let texts = snapshot.files().map(|path| fs::read_to_string(catalog.directory().root().join(path)).unwrap());
    assert_eq!(texts.collect::<Vec<_>>(), ["two", "one"]);
    let mut transaction = catalog.begin();
    transaction.apply(drop_of(Kind::Table, "t")).unwrap();
    transaction.apply(create(&transaction, "t", managed(Vec::new()), Existing::Refuse)).unwrap();
    catalog.publish(transaction).unwrap();
    assert_eq!(catalog.publish(late).unwrap_err().fault(), Fault::Conflict, "it is another table now");
}

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
fn a_second_process_is_told_who_holds_the_directory() {
    if let Some(root) = std::env::var_os(SECOND_PROCESS) {
        let error = Catalog::open(Some(Path::new(&root))).unwrap_err();
        assert_eq!(error.fault(), Fault::ObjectInUse);
        println!("refused: {error}");
        return;
    }
    let directory = tempfile::tempdir().unwrap();
    let catalog = Catalog::open(Some(directory.path())).unwrap();
    let output = Command::new(std::env::current_exe().unwrap())
        .args(["catalog::tests::a_second_process_is_told_who_holds_the_directory", "--exact", "--nocapture"])
        .env(SECOND_PROCESS, directory.path())
        .output()
        .unwrap();
    let told = String::from_utf8_lossy(&output.stdout).into_owned();
    assert!(output.status.success(), "{told}");
    let expected = format!("is in use by process {} (fusewire-", std::process::id());
    assert!(told.contains(&expected), "{told}");
    commit_view(&catalog, "v");
    drop(catalog);
    assert_eq!(Catalog::open(Some(directory.path())).unwrap().snapshot().number(), 2);
}

/// What a commit was asked for with, and what it heard.
struct Asked {
    allowed: bool,
    heard: Arc<std::sync::Mutex<Vec<&'static str>>>,
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

#[test]
fn writers_and_readers_at_once_see_whole_transactions() {
    const WRITERS: usize = 4;
    const COMMITS: usize = 12;
    let directory = tempfile::tempdir().unwrap();
    let catalog = Catalog::open(Some(directory.path())).unwrap();
    let shared = &catalog;
    let is_done = AtomicBool::new(false);
    std::thread::scope(|scope| {
        let reader = scope.spawn(|| {
            let mut number = 0;
            while !is_done.load(Ordering::Relaxed) {
                let snapshot = catalog.snapshot();
                assert!(snapshot.number() >= number, "time goes forward");
                number = snapshot.number();
                for (name, _) in snapshot.relations() {
                    let twin = name.name.replace("left", "right");
                    assert!(snapshot.relation(&QualifiedName::public(twin)).is_some(), "half a transaction is visible");
                }
            }
        });
        let writers: Vec<_> =
            (0..WRITERS).map(|writer| scope.spawn(move || write_pairs(shared, writer, COMMITS))).collect();
        for writer in writers {
            writer.join().unwrap();
        }
        is_done.store(true, Ordering::Relaxed);
        reader.join().unwrap();
    });
    let snapshot = catalog.snapshot();
    let model = snapshot.model(&QualifiedName::public("taste")).unwrap();
    let expected: Vec<u64> = (1..=(WRITERS * COMMITS) as u64).collect();
    assert_eq!(model.versions.keys().copied().collect::<Vec<_>>(), expected);
    assert_eq!(snapshot.relations().count(), 2 * WRITERS * COMMITS);
    drop(catalog);
    assert_eq!(Catalog::open(Some(directory.path())).unwrap().snapshot(), snapshot);
}

/// Commits pairs of views, each with a version of a model that every writer publishes, until each has gone through.
fn write_pairs(catalog: &Catalog, writer: usize, commits: usize) {
    for index in 0..commits {
        loop {
            let mut transaction = catalog.begin();
            for side in ["left", "right"] {
                let name = format!("{side}_{writer}_{index}");
                transaction.apply(create(&transaction, &name, view("SELECT 1"), Existing::Refuse)).unwrap();
            }
            let change = publish(&transaction, catalog, "taste", &format!("{writer}-{index}"), true);
            transaction.apply(change).unwrap();
            match catalog.publish(transaction) {
                Ok(_) => break,
                Err(error) => assert_eq!(error.fault(), Fault::Conflict, "{error}"),
            }
        }
    }
}

#[test]
fn any_sequence_of_changes_is_the_same_after_a_reopen() {
    for seed in 0..12 {
        println!("seed {seed}");
        let directory = tempfile::tempdir().unwrap();
        let mut choices = Choices(seed);
        // From a checkpoint after every few commits to none at all.
        let checkpoint_bytes = [1, 4_000, CHECKPOINT_BYTES][seed as usize % 3];
        let open = || Catalog::with_checkpoints(Some(directory.path()), checkpoint_bytes).unwrap();
        let mut catalog = open();
        for _ in 0..12 {
            let mut transactions = [catalog.begin(), catalog.begin()];
            for _ in 0..choices.below(8) {
                let transaction = &mut transactions[choices.below(2)];
                let change = any_change(&mut choices, transaction, &catalog);
                let before = transaction.snapshot().clone();
                if transaction.apply(change).is_err() {
                    assert_eq!(transaction.snapshot(), &before);
                }
            }
            for transaction in transactions {
                let before = catalog.snapshot();
                let alone = Arc::ptr_eq(transaction.snapshot(), &before) || transaction.replay(&before).is_ok();
                let committed = choices.below(4) > 0 && {
                    let result = catalog.publish(transaction);
                    assert_eq!(result.is_ok(), alone);
                    result.is_ok()
                };
                assert!(committed || catalog.snapshot() == before);
            }
            let committed = catalog.snapshot();
            if choices.below(3) == 0 {
                drop(catalog);
                catalog = open();
                assert_eq!(catalog.snapshot(), committed);
            }
            for (_, object) in committed.relations() {
                let Definition::ManagedTable(table) = &object.definition else { continue };
                for file in &table.files {
                    catalog.directory().verify(file).unwrap();
                }
            }
        }
    }
}

fn any_change(choices: &mut Choices, transaction: &Transaction, catalog: &Catalog) -> Change {
    let header = transaction.header("ada").unwrap();
    let schema = ["public", "sales"][choices.below(2)].to_owned();
    let name = QualifiedName::new(schema.clone(), ["a", "b", "c"][choices.below(3)]);
    let kind = [Kind::Table, Kind::View, Kind::Model, Kind::Secret][choices.below(4)];
    let is_lenient = choices.below(2) == 0;
    match choices.below(10) {
        0 => Change::CreateSchema { name: schema, header, if_not_exists: is_lenient },
        1 => Change::DropSchema { name: schema, if_exists: is_lenient, cascade: choices.below(2) == 0 },
        2 => Change::Drop { kind, name, if_exists: is_lenient },
        3 => Change::SetComment { kind, name, comment: is_lenient.then(|| "é \"quoted\" \u{1f600}\n".to_owned()) },
        4 => Change::AppendFiles { table: name, files: vec![table_file(catalog.directory(), header.oid, "appended")] },
        5 => Change::ReplaceFiles { table: name, files: vec![table_file(catalog.directory(), header.oid, "replaced")] },
        6 => publish(transaction, catalog, &name.name, &format!("model-{}", header.oid), is_lenient),
        7 => Change::PromoteModel { name: QualifiedName::public(name.name), version: choices.below(4) as u64 },
        _ => {
            let definition = match choices.below(4) {
                0 => view("SELECT 'é'"),
                1 => external("s3://shop/*.csv"),
                2 => secret(),
                _ => managed(vec![table_file(catalog.directory(), header.oid, "created")]),
            };
            let existing = [Existing::Refuse, Existing::Keep, Existing::Replace][choices.below(3)];
            Change::Create { name, object: Object { header, definition }, existing }
        }
    }
}
