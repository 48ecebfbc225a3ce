//! A transaction: a snapshot to read, changes on top of it, and what it takes to replay them when others were first.

use std::{
    collections::HashSet,
    path::{Component, Path},
    sync::{
        Arc,
        atomic::{AtomicU32, Ordering},
    },
};

use super::{
    change::{Applied, Change},
    directory::DataDirectory,
    effect::Effect,
    error::{Error, Result},
    object::{Definition, Header, Object, is_temporary},
    snapshot::Snapshot,
    table::TableFile,
};

/// Changes that are published together or not at all. Dropping it rolls back and removes the table files it brought.
#[derive(Debug)]
pub struct Transaction {
    base: Arc<Snapshot>,
    working: Arc<Snapshot>,
    changes: Vec<(Change, Applied)>,
    is_serializable: bool,
    directory: Arc<DataDirectory>,
    next_oid: Arc<AtomicU32>,
}

/// A state of a transaction that it can go back to.
#[derive(Debug, Clone)]
pub struct Savepoint {
    base: Arc<Snapshot>,
    working: Arc<Snapshot>,
    changes: usize,
}

impl Transaction {
    pub(super) fn new(base: Arc<Snapshot>, directory: Arc<DataDirectory>, next_oid: Arc<AtomicU32>) -> Self {
        Self { working: base.clone(), base, changes: Vec::new(), is_serializable: false, directory, next_oid }
    }

    /// The state that the transaction sees: the one it started from and its own changes.
    pub fn snapshot(&self) -> &Arc<Snapshot> {
        &self.working
    }

    /// Reads this state from now on, with its own changes on top. Where others have changed the same, it goes on with what it saw:
    /// the commit tells of it.
    pub fn read_on(&mut self, newest: &Arc<Snapshot>) {
        if Arc::ptr_eq(&self.base, newest) {
            return;
        }
        if let Ok(working) = self.on(newest) {
            (self.base, self.working) = (newest.clone(), working);
        }
    }

    /// What a state is with its changes on top.
    fn on(&self, state: &Arc<Snapshot>) -> Result<Arc<Snapshot>> {
        if self.changes.is_empty() {
            return Ok(state.clone());
        }
        Ok(Arc::new(self.replay(state)?.0))
    }

    /// Whether there is anything to commit.
    pub fn has_changes(&self) -> bool {
        !self.changes.is_empty()
    }

    /// Lets nobody else commit between its start and its end, if it changes anything: what it has read holds then.
    pub fn set_serializable(&mut self) {
        self.is_serializable = true;
    }

    /// The state as it is now, to go back to.
    pub fn savepoint(&self) -> Savepoint {
        Savepoint { base: self.base.clone(), working: self.working.clone(), changes: self.changes.len() }
    }

    /// Forgets the changes made since `savepoint`, which is one of this transaction's, and removes their table files.
    pub fn rollback_to(&mut self, savepoint: &Savepoint) {
        let undone = self.changes.split_off(savepoint.changes.min(self.changes.len()));
        self.working = match Arc::ptr_eq(&savepoint.base, &self.base) {
            true => savepoint.working.clone(),
            // It has read on since then; what is left was made there as well.
            false => self.on(&self.base).unwrap_or_else(|_| savepoint.working.clone()),
        };
        self.discard(undone.iter().map(|(change, _)| change), &self.working);
    }

    /// The header of an object to be created. Its identifier is taken for good, even if the transaction rolls back, so
    /// that files can be named by it before the object exists.
    pub fn header(&self, owner: impl Into<String>) -> Result<Header> {
        let next = |oid: u32| oid.checked_add(1);
        match self.next_oid.fetch_update(Ordering::Relaxed, Ordering::Relaxed, next) {
            Ok(oid) => Ok(Header::new(oid, owner)),
            Err(_) => Err(Error::OidsExhausted),
        }
    }

    /// Makes a change in the transaction's own view. A refused change leaves it as it was; the table files that a
    /// refused or needless change brought are removed.
    pub fn apply(&mut self, change: Change) -> Result<Applied> {
        self.check_files(&change)?;
        let applied = Arc::make_mut(&mut self.working).apply(&change).map(|(applied, _)| applied);
        match &applied {
            Ok(Applied::Unchanged) | Err(_) => self.discard([&change], &self.working),
            Ok(applied) => self.changes.push((change, *applied)),
        }
        applied
    }

    /// Drops the schema of a session that ends, whether it is there already or only in a commit that waits.
    pub(super) fn drop_temporary(&mut self, schema: &str) {
        let change = Change::DropSchema { name: schema.to_owned(), if_exists: true, cascade: true };
        self.changes.push((change, Applied::Dropped));
    }

    /// What the newest snapshot becomes with these changes, and by which effects. An object that both sides changed is a
    /// conflict, and so is a change that would do something else now than what was reported when it was made. Only added
    /// rows never get in each other's way: two clients may insert into one table at once.
    pub(super) fn replay(&self, newest: &Arc<Snapshot>) -> Result<(Snapshot, Vec<Effect>)> {
        if self.is_serializable && !self.base.shows_as(newest) {
            return Err(Error::Conflict { object: "the catalog".to_owned() });
        }
        let (mut next, mut effects) = (newest.as_ref().clone(), Vec::new());
        for (change, reported) in &self.changes {
            let key = change.key();
            let (before, now) = (self.base.get(&key), newest.get(&key));
            let is_undisturbed = match change {
                Change::AppendFiles { .. } => is_same_table(before, now),
                // Whether it has the files is asked where it is decided.
                Change::MergeFiles { .. } => true,
                // What is in it is one session's alone.
                Change::DropSchema { name, .. } if is_temporary(name) => true,
                _ => is_unchanged(before, now),
            };
            match next.apply(change) {
                Ok((applied, done)) if is_undisturbed && applied == *reported => effects.extend(done),
                _ => return Err(Error::Conflict { object: key.to_string() }),
            }
        }
        Ok((next, effects))
    }

    /// Whether it changes nothing that anybody sees.
    pub(super) fn is_unseen(&self) -> bool {
        self.changes.iter().all(|(change, _)| matches!(change, Change::MergeFiles { .. }))
    }

    /// Whether the files of its models are there. They are named by what is in them, so that one may have been removed with
    /// a model of the same bytes since it was written.
    pub(super) fn check_models(&self) -> Result<()> {
        for (change, _) in &self.changes {
            if let Change::PublishModel { version, .. } = change
                && !self.directory.root().join(&version.location).is_file()
            {
                return Err(Error::Conflict { object: change.key().to_string() });
            }
        }
        Ok(())
    }

    /// Forgets the changes: their files belong to the catalog now, or nobody can say whether they do.
    pub(super) fn hand_over(mut self) {
        self.changes.clear();
    }

    /// Files outside of the places that are searched for orphans would never be removed, and files that are not where
    /// the catalog says would make it unreadable.
    fn check_files(&self, change: &Change) -> Result<()> {
        let tables = change.new_table_files().into_iter().map(|file| (file.path.as_str(), "tables"));
        let model = match change {
            Change::PublishModel { version, .. } => Some((version.location.as_str(), "models")),
            _ => None,
        };
        for (path, place) in tables.chain(model) {
            let mut components = Path::new(path).components();
            let starts_well = components.next() == Some(Component::Normal(place.as_ref()));
            let is_plain = components.all(|component| matches!(component, Component::Normal(_)));
            if !starts_well || !is_plain || !self.directory.root().join(path).is_file() {
                return Err(Error::Internal(format!("\"{path}\" is not a file below {place}/ of the data directory")));
            }
        }
        Ok(())
    }

    /// Removes the table files that changes brought and that the snapshot does not need.
    fn discard<'a>(&self, changes: impl IntoIterator<Item = &'a Change>, needed_by: &Snapshot) {
        let files: Vec<&TableFile> = changes.into_iter().flat_map(Change::new_table_files).collect();
        if !files.is_empty() {
            let needed: HashSet<&str> = needed_by.files().collect();
            self.directory.discard(files.into_iter().filter(|file| !needed.contains(file.path.as_str())));
        }
    }
}

impl Drop for Transaction {
    fn drop(&mut self) {
        self.discard(self.changes.iter().map(|(change, _)| change), &self.base);
    }
}

/// Whether an object is what it was, but for files that were put together.
fn is_unchanged(before: Option<&Arc<Object>>, now: Option<&Arc<Object>>) -> bool {
    let (Some(before), Some(now)) = (before, now) else { return before.is_none() && now.is_none() };
    let has_same_rows = match (&before.definition, &now.definition) {
        (Definition::ManagedTable(before), Definition::ManagedTable(now)) => before.generation.is(&now.generation),
        _ => false,
    };
    Arc::ptr_eq(before, now) || (has_same_rows && before.header == now.header)
}

/// Whether rows for the one table fit the other, whatever rows either has.
fn is_same_table(before: Option<&Arc<Object>>, now: Option<&Arc<Object>>) -> bool {
    match (before, now) {
        (Some(before), Some(now)) => before.header.oid == now.header.oid && before.columns() == now.columns(),
        (before, now) => before.is_none() && now.is_none(),
    }
}
