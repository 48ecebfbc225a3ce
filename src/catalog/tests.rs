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

mod commits;
mod files;
mod journal;
mod merging;
mod races;
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
