//! Portals: statements that have their values, and where the reading of their rows stands. Those of the protocol and the
//! cursors of DECLARE are in one namespace.
//!
//! A portal ends with the transaction that made it, or with the savepoint; one that is to be held stays, with all of its
//! rows. It knows neither messages nor the words of SQL.

mod direction;
mod rows;
mod run;

use std::{collections::HashMap, sync::Arc};

use arrow::datatypes::SchemaRef;
use datafusion::common::ScalarValue;
use tokio::sync::Mutex;

pub(crate) use self::direction::Direction;
pub(super) use self::{
    rows::Rows,
    run::{Fetch, Run},
};
use super::PreparedStatement;
use crate::{Error, Fault, Result};

/// Portals of one session; each may keep a statement running.
const MAX_PORTALS: usize = 1_000;

/// Whether a portal's rows can be read backwards.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Scroll {
    /// `SCROLL`: all rows that were read are kept.
    Yes,
    /// `NO SCROLL`, and what the protocol binds.
    No,
    /// Nothing was said: while the rows take little memory.
    Unsaid,
}

/// What a portal was asked to be.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Options {
    pub(crate) scroll: Scroll,
    /// `WITH HOLD`: it stays when its transaction has been committed.
    pub(crate) hold: bool,
    /// `BINARY`: values come in the protocol's binary form.
    pub(crate) binary: bool,
}

/// A statement with its values.
#[derive(Debug)]
pub struct Portal {
    pub(super) name: String,
    pub(super) statement: Arc<PreparedStatement>,
    pub(super) options: Options,
    formats: Vec<i16>,
    content: Arc<Mutex<Content>>,
}

/// How far a portal has come. Whoever runs it has it locked.
#[derive(Debug)]
pub(super) enum Content {
    /// It has not run yet.
    Bound(Vec<ScalarValue>),
    /// Its rows are read.
    Rows(Box<Rows>),
    /// A command, which is done.
    Ran,
    /// It ended in an error or was left in the middle.
    Failed,
}

/// The portals of one session, by name; the unnamed one has an empty name.
#[derive(Debug, Default)]
pub(super) struct Portals {
    open: HashMap<String, Open>,
}

#[derive(Debug)]
struct Open {
    portal: Arc<Portal>,
    /// How many savepoints there were when it was made; none where its transaction has been committed.
    level: Option<usize>,
}

impl Portal {
    /// A portal of the statement; `formats` are those of its columns, as Bind gives them.
    pub(super) fn new(
        name: &str,
        statement: Arc<PreparedStatement>,
        options: Options,
        formats: Vec<i16>,
        content: Content,
    ) -> Self {
        Self { name: name.to_owned(), statement, options, formats, content: Arc::new(Mutex::new(content)) }
    }

    /// What it runs.
    pub fn statement(&self) -> &Arc<PreparedStatement> {
        &self.statement
    }

    /// The columns of its rows; none for a command.
    pub fn columns(&self) -> Option<&SchemaRef> {
        self.statement.columns()
    }

    /// The formats of its columns, as in Bind.
    pub fn formats(&self) -> &[i16] {
        &self.formats
    }

    /// What is made of the values of its parameters; nothing once it has run.
    pub(crate) fn answered<T>(&self, answers: impl FnOnce(&[ScalarValue]) -> Option<T>) -> Option<T> {
        let content = self.content.try_lock().ok()?;
        match &*content {
            Content::Bound(values) => answers(values),
            Content::Rows(_) | Content::Ran | Content::Failed => None,
        }
    }

    /// Takes it for a run.
    pub(super) fn take(&self) -> Result<Run> {
        let cannot_run = || Error::new(Fault::WrongState, format!("portal \"{}\" cannot be run", self.name));
        let content = Arc::clone(&self.content).try_lock_owned().map_err(|_| cannot_run())?;
        let is_over = matches!(*content, Content::Ran | Content::Failed);
        if is_over { Err(cannot_run()) } else { Ok(Run::new(content)) }
    }

    /// The same portal, failed: whatever it runs is let go of.
    fn failed(&self) -> Self {
        let (statement, formats) = (Arc::clone(&self.statement), self.formats.clone());
        Self::new(&self.name, statement, self.options, formats, Content::Failed)
    }

    /// Whether what it runs has failed.
    pub(super) fn has_failed(&self) -> bool {
        self.content.try_lock().is_ok_and(|content| matches!(*content, Content::Failed))
    }

    /// Whether it is the one that runs.
    pub(super) fn is_active(&self) -> bool {
        self.content.try_lock().is_err()
    }

    /// Whether there are rows to hold.
    fn has_rows(&self) -> bool {
        self.content.try_lock().is_ok_and(|content| matches!(*content, Content::Rows(_)))
    }
}

impl Portals {
    /// Refuses a name that is taken, and more portals than there may be; the unnamed portal is replaced.
    pub(super) fn check(&self, name: &str) -> Result<()> {
        if !name.is_empty() && self.open.contains_key(name) {
            return Err(Error::new(Fault::DuplicateCursor, format!("cursor \"{name}\" already exists")));
        }
        if !self.open.contains_key(name) && self.open.len() >= MAX_PORTALS {
            let message = format!("a session holds at most {MAX_PORTALS} cursors and portals; CLOSE some");
            return Err(Error::new(Fault::LimitExceeded, message));
        }
        Ok(())
    }

    /// Opens a portal among so many savepoints; without a level it belongs to no transaction any more.
    pub(super) fn open(&mut self, portal: Portal, level: Option<usize>) -> Result<()> {
        self.check(&portal.name)?;
        self.open.insert(portal.name.clone(), Open { portal: Arc::new(portal), level });
        Ok(())
    }

    pub(super) fn get(&self, name: &str) -> Option<Arc<Portal>> {
        self.open.get(name).map(|open| Arc::clone(&open.portal))
    }

    /// Those that have a name, by it.
    pub(super) fn all(&self) -> Vec<Arc<Portal>> {
        let named = self.open.values().filter(|open| !open.portal.name.is_empty());
        let mut all: Vec<_> = named.map(|open| Arc::clone(&open.portal)).collect();
        all.sort_by(|one, other| one.name.cmp(&other.name));
        all
    }

    /// Closes a portal; false where there is none.
    pub(super) fn close(&mut self, name: &str) -> bool {
        self.open.remove(name).is_some()
    }

    /// Closes all but the one that runs.
    pub(super) fn close_all(&mut self) {
        self.open.retain(|_, open| open.portal.is_active());
    }

    /// Those that stay when the transaction is committed.
    pub(super) fn to_hold(&self) -> Vec<Arc<Portal>> {
        let to_hold = self.open.values().filter(|open| open.level.is_some() && open.portal.options.hold);
        to_hold.map(|open| Arc::clone(&open.portal)).collect()
    }

    /// The transaction has ended. The portal that runs is the one that ended it.
    pub(super) fn end_transaction(&mut self, committed: bool) {
        self.open.retain(|_, open| {
            let held = committed && open.portal.options.hold && open.portal.has_rows();
            if held {
                open.level = None;
            }
            open.level.is_none() || open.portal.is_active()
        });
    }

    /// An error was told among so many savepoints: what was made since goes on no more. In a block, which is to be ended yet,
    /// the names stay.
    pub(super) fn fail(&mut self, level: usize, in_block: bool) {
        let undone = |open: &Open| open.level.is_some_and(|made| made >= level);
        self.open.retain(|_, open| in_block || !undone(open));
        for open in self.open.values_mut().filter(|open| undone(open)) {
            open.portal = Arc::new(open.portal.failed());
        }
    }

    /// The transaction has gone back to where so many savepoints were; the portal that runs took it there.
    pub(super) fn go_back(&mut self, level: usize) {
        self.open.retain(|_, open| open.level.is_none_or(|made| made < level) || open.portal.is_active());
    }

    /// So many savepoints are left: what was made since belongs to them.
    pub(super) fn release(&mut self, level: usize) {
        for open in self.open.values_mut() {
            open.level = open.level.map(|made| made.min(level));
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn portal(name: &str, hold: bool) -> Portal {
        let options = Options { scroll: Scroll::No, hold, binary: false };
        let statement = Arc::new(PreparedStatement::empty());
        Portal::new(name, statement, options, Vec::new(), Content::Bound(Vec::new()))
    }

    fn names(portals: &Portals) -> String {
        let mut names: Vec<&str> = portals.open.keys().map(String::as_str).collect();
        names.sort_unstable();
        names.join(" ")
    }

    #[test]
    fn portals_end_with_their_savepoint_and_their_transaction() {
        let mut portals = Portals::default();
        let opened = ["a", "b", "c"].into_iter().enumerate().map(|(level, name)| (portal(name, false), level));
        for (portal, level) in opened.collect::<Vec<_>>() {
            portals.open(portal, Some(level)).unwrap_or_else(|error| panic!("{error}"));
        }
        portals.go_back(2);
        assert_eq!(names(&portals), "a b");
        // The savepoint is released: b belongs to the transaction.
        portals.release(0);
        portals.go_back(1);
        assert_eq!(names(&portals), "a b");
        portals.open(portal("old", false), None).unwrap_or_else(|error| panic!("{error}"));
        portals.end_transaction(true);
        assert_eq!(names(&portals), "old");
    }

    #[test]
    fn the_portal_that_ends_its_transaction_stays_until_it_is_done() {
        let mut portals = Portals::default();
        for name in ["commit", "other"] {
            portals.open(portal(name, false), Some(0)).unwrap_or_else(|error| panic!("{error}"));
        }
        let run = portals.get("commit").map(|portal| portal.take());
        portals.end_transaction(true);
        assert_eq!(names(&portals), "commit");
        drop(run);
        portals.end_transaction(true);
        assert_eq!(names(&portals), "");
    }

    #[test]
    fn names_of_portals_are_taken_once() {
        let mut portals = Portals::default();
        for name in ["", "", "a"] {
            portals.open(portal(name, false), Some(0)).unwrap_or_else(|error| panic!("{error}"));
        }
        let twice = portals.open(portal("a", false), Some(0)).map_err(|error| error.fault());
        assert_eq!(twice, Err(Fault::DuplicateCursor));
    }
}
