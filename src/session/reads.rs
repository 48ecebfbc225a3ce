//! What a plan was made of: the objects of the catalog that were looked for, whether they were there or not.
//!
//! Objects never change, others take their places. So a plan that was made of objects is still right where each of them is
//! still there, and nothing is where nothing was: a table that comes before another on the search path counts, too. What is
//! remembered of an object is its place in memory, which no other gets meanwhile; the object itself may go.

use std::{
    collections::BTreeMap,
    ptr,
    sync::{Arc, Weak},
};

use crate::catalog::{Object, ObjectKey, Snapshot};

/// What was looked for while a statement was planned.
#[derive(Debug, Clone, Default)]
pub(crate) struct Reads {
    /// What was found by each key; none where there was nothing.
    found: BTreeMap<ObjectKey, Option<Weak<Object>>>,
    /// Whether something else was looked at, which may change although no object does.
    beside: bool,
}

impl Reads {
    /// This was found by a key.
    pub(super) fn note(&mut self, key: ObjectKey, object: Option<&Arc<Object>>) {
        self.found.insert(key, object.map(Arc::downgrade));
    }

    /// Something else was looked at: files, or what a system table tells.
    pub(super) fn note_other(&mut self) {
        self.beside = true;
    }

    /// Whether nothing else was looked at.
    pub(crate) fn are_objects(&self) -> bool {
        !self.beside
    }

    /// Whether the same objects are found in this state of the catalog.
    pub(crate) fn are_in(&self, snapshot: &Snapshot) -> bool {
        self.found.iter().all(|(key, then)| match (snapshot.get(key), then) {
            (Some(now), Some(then)) => ptr::eq(Arc::as_ptr(now), then.as_ptr()),
            (None, None) => true,
            _ => false,
        })
    }

    /// The keys of the objects that were found.
    pub(crate) fn objects(&self) -> impl Iterator<Item = &ObjectKey> {
        self.found.iter().filter(|(_, object)| object.is_some()).map(|(key, _)| key)
    }

    /// How many objects were looked for.
    pub(crate) fn count(&self) -> usize {
        self.found.len()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::catalog::{Catalog, Change, Definition, Existing, PUBLIC, QualifiedName, Transaction, View};

    fn key(name: &str) -> ObjectKey {
        ObjectKey::Relation(QualifiedName::new(PUBLIC, name))
    }

    fn create(transaction: &mut Transaction, name: &str, existing: Existing) {
        let view = View {
            sql: "SELECT 1".to_owned(),
            search_path: None,
            tables: BTreeMap::new(),
            settings: BTreeMap::new(),
            columns: Vec::new(),
            schema: arrow::datatypes::Schema::empty(),
        };
        let header = transaction.header("tester").unwrap_or_else(|error| panic!("{error}"));
        let object = Object { header, definition: Definition::View(view) };
        let change = Change::Create { name: QualifiedName::new(PUBLIC, name), object, existing };
        transaction.apply(change).unwrap_or_else(|error| panic!("{error}"));
    }

    fn read(snapshot: &Snapshot, names: &[&str]) -> Reads {
        let mut reads = Reads::default();
        names.iter().for_each(|name| reads.note(key(name), snapshot.get(&key(name))));
        reads
    }

    #[test]
    fn objects_are_those_that_were_read_until_others_take_their_places() {
        let catalog = Catalog::open(None).unwrap_or_else(|error| panic!("{error}"));
        let mut transaction = catalog.begin();
        create(&mut transaction, "a", Existing::Refuse);
        let reads = read(transaction.snapshot(), &["a", "b"]);
        assert_eq!((reads.count(), reads.objects().count()), (2, 1));
        assert!(reads.are_objects() && reads.are_in(transaction.snapshot()));
        assert!(!reads.are_in(&catalog.snapshot()), "nobody else has the table of an open transaction");
        create(&mut transaction, "c", Existing::Refuse);
        assert!(reads.are_in(transaction.snapshot()), "what was not looked for does not count");
        let before = transaction.savepoint();
        create(&mut transaction, "a", Existing::Replace);
        assert!(!reads.are_in(transaction.snapshot()), "the same again is another object");
        transaction.rollback_to(&before);
        assert!(reads.are_in(transaction.snapshot()));
        create(&mut transaction, "b", Existing::Refuse);
        assert!(!reads.are_in(transaction.snapshot()), "what was not there is");
    }

    #[test]
    fn what_is_no_object_is_noted() {
        let mut reads = Reads::default();
        reads.note_other();
        assert!(!reads.are_objects());
    }
}
