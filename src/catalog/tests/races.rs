//! Many writers at once, and any sequence of changes.

use super::*;

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
