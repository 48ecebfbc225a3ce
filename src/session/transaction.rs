//! Where a session stands between BEGIN and COMMIT: a state machine.
//!
//! It holds what a transaction changes, its modes, its savepoints, and the settings to put back when it fails. What it is
//! told are the words of SQL and where statements that belong together begin and end; it knows no protocol, publishes
//! nothing and tells nobody: its owner does, by what each transition returns.

use std::sync::{
    Arc,
    atomic::{AtomicU64, Ordering},
};

use chrono::{DateTime, Utc};

use super::{Isolation, Mode, Modes, TransactionStatus, settings::Values};
use crate::{
    Error, Fault, Result,
    catalog::{self, Catalog, Snapshot, Transaction},
};

/// Savepoints within one another; each keeps a state of the catalog.
const MAX_SAVEPOINTS: usize = 10_000;

/// A transaction that has begun.
#[derive(Debug)]
pub(crate) struct Work {
    /// What tells it from every other one of this process.
    number: u64,
    /// When it began: the `now()` of its statements.
    began: DateTime<Utc>,
    pub(crate) changes: Transaction,
    /// The settings to put back when it is rolled back.
    pub(crate) before: Values,
    modes: Modes,
    /// Whether a statement has read its snapshot.
    queried: bool,
    /// Statements that have joined it; of a block, those before BEGIN.
    statements: usize,
    savepoints: Vec<Savepoint>,
    /// Those that it began with, before its own statements asked for others.
    first_modes: Modes,
}

#[derive(Debug)]
struct Savepoint {
    name: String,
    changes: catalog::Savepoint,
    settings: Values,
    modes: Modes,
}

/// Where a session stands.
#[derive(Debug, Default)]
pub(crate) enum State {
    /// There is no transaction: a statement commits by itself.
    #[default]
    Idle,
    /// Statements that end together although nobody said BEGIN; `block` where they came in one text, which PostgreSQL takes
    /// for a transaction block in what it warns of.
    Implicit { work: Work, block: bool },
    /// Between BEGIN and COMMIT.
    Open(Work),
    /// The same after an error: only what ends it or goes back to a savepoint is heard.
    Failed(Work),
    /// Its changes are on their way to the disk. For statements it is over; if it fails, the settings are put back.
    Ending { number: u64, before: Values },
}

/// A transaction that is over.
#[derive(Debug)]
pub(crate) struct Ended {
    /// What there was of it.
    pub(crate) work: Option<Work>,
    /// Whether it is to be published; rolled back otherwise.
    pub(crate) published: bool,
    /// Whether nobody had said BEGIN.
    pub(crate) outside: bool,
}

impl Work {
    /// A transaction that begins, with the settings of this moment.
    pub(crate) fn new(changes: Transaction, before: Values, modes: Modes) -> Self {
        static NEXT: AtomicU64 = AtomicU64::new(1);
        let number = NEXT.fetch_add(1, Ordering::Relaxed);
        let began = Utc::now();
        let (savepoints, first_modes) = (Vec::new(), modes);
        Self { number, began, changes, before, modes, queried: false, statements: 0, savepoints, first_modes }
    }

    pub(crate) fn modes(&self) -> Modes {
        self.modes
    }

    pub(crate) fn number(&self) -> u64 {
        self.number
    }

    pub(crate) fn began(&self) -> DateTime<Utc> {
        self.began
    }

    fn set_mode(&mut self, mode: Mode) -> Result<()> {
        let nested = !self.savepoints.is_empty();
        match mode {
            Mode::Isolation(level) => {
                if level != self.modes.isolation {
                    refuse_if(self.queried, "SET TRANSACTION ISOLATION LEVEL must be called before any query")?;
                    refuse_if(nested, "SET TRANSACTION ISOLATION LEVEL must not be called in a subtransaction")?;
                }
                self.modes.isolation = level;
            }
            Mode::ReadOnly(read_only) => {
                if self.modes.read_only && !read_only {
                    refuse_if(nested, "cannot set transaction read-write mode inside a read-only transaction")?;
                    refuse_if(self.queried, "transaction read-write mode must be set before any query")?;
                }
                self.modes.read_only = read_only;
            }
            Mode::Deferrable(deferrable) => {
                refuse_if(nested, "SET TRANSACTION [NOT] DEFERRABLE cannot be called within a subtransaction")?;
                refuse_if(self.queried, "SET TRANSACTION [NOT] DEFERRABLE must be called before any query")?;
                self.modes.deferrable = deferrable;
            }
        }
        Ok(())
    }

    /// The place of the newest savepoint of this name.
    fn find(&self, name: &str) -> Result<usize> {
        self.savepoints
            .iter()
            .rposition(|savepoint| savepoint.name == name)
            .ok_or_else(|| Error::new(Fault::UndefinedSavepoint, format!("savepoint \"{name}\" does not exist")))
    }

    /// The settings to put back after an error: those of the innermost savepoint.
    fn settings(&self) -> &Values {
        self.savepoints.last().map_or(&self.before, |savepoint| &savepoint.settings)
    }
}

impl State {
    /// Where the session stands, for its client.
    pub(crate) fn status(&self) -> TransactionStatus {
        match self {
            Self::Idle | Self::Implicit { .. } | Self::Ending { .. } => TransactionStatus::Idle,
            Self::Open(_) => TransactionStatus::Open,
            Self::Failed(_) => TransactionStatus::Failed,
        }
    }

    /// Whether statements stand in what PostgreSQL takes for a transaction block.
    pub(crate) fn in_block(&self) -> bool {
        match self {
            Self::Idle | Self::Ending { .. } => false,
            Self::Implicit { block, .. } => *block,
            Self::Open(_) | Self::Failed(_) => true,
        }
    }

    /// The transaction, if one has begun.
    pub(crate) fn work(&self) -> Option<&Work> {
        match self {
            Self::Idle | Self::Ending { .. } => None,
            Self::Implicit { work, .. } | Self::Open(work) | Self::Failed(work) => Some(work),
        }
    }

    /// How many savepoints there are.
    pub(crate) fn depth(&self) -> usize {
        self.work().map_or(0, |work| work.savepoints.len())
    }

    /// What tells the transaction that has begun from every other one.
    pub(crate) fn number(&self) -> Option<u64> {
        self.work().map(|work| work.number)
    }

    /// Whether nothing has begun, and nothing is on its way to the disk.
    pub(crate) fn is_at_rest(&self) -> bool {
        matches!(self, Self::Idle)
    }

    /// Whether statements have joined that nobody has ended yet.
    pub(crate) fn is_implicit(&self) -> bool {
        matches!(self, Self::Implicit { .. })
    }

    /// The transaction that a change belongs to. None: it is to be published at once.
    pub(crate) fn changing(&mut self, catalog: &Catalog) -> Result<Option<&mut Transaction>> {
        match self {
            Self::Idle | Self::Ending { .. } => Ok(None),
            Self::Failed(_) => Err(in_failed()),
            Self::Open(work) => Ok(Some(&mut work.changes)),
            Self::Implicit { work, .. } => {
                // A statement by itself changes the newest state: who changed something else meanwhile is no conflict.
                let alone = work.statements <= 1 && !work.changes.has_changes();
                if alone && work.modes.isolation != Isolation::Serializable {
                    work.changes = catalog.begin();
                }
                Ok(Some(&mut work.changes))
            }
        }
    }

    /// A statement starts; `resolves` if it may in a failed transaction, `reads` if it reads the catalog. Returns the state
    /// that it reads; none: the newest.
    pub(crate) fn start(&mut self, resolves: bool, reads: bool, catalog: &Catalog) -> Result<Option<Arc<Snapshot>>> {
        match self {
            Self::Idle | Self::Ending { .. } => Ok(None),
            Self::Failed(_) if !resolves => Err(in_failed()),
            Self::Failed(work) => Ok(Some(work.changes.snapshot().clone())),
            Self::Implicit { work, .. } | Self::Open(work) => {
                // The first statement that reads decides what the transaction reads, but where each sees what others commit.
                if reads && !work.queried {
                    work.queried = true;
                    work.changes = catalog.begin();
                } else if reads && work.modes.isolation.reads_on() {
                    work.changes.read_on(&catalog.snapshot());
                }
                Ok(Some(work.changes.snapshot().clone()))
            }
        }
    }

    /// The next statement ends together with those before it; `block` where they stand in one text.
    pub(crate) fn join(&mut self, block: bool, fresh: impl FnOnce() -> Work) {
        if self.is_idle() {
            *self = Self::Implicit { work: fresh(), block };
        }
        if let Self::Implicit { work, block: in_block } = self {
            work.statements += 1;
            *in_block |= block;
        }
    }

    /// The end of the statements that joined, which are to be published. None where they made a block, or ended theirs.
    pub(crate) fn end_implicit(&mut self) -> Option<Work> {
        self.take_implicit().map(|work| self.publish(work))
    }

    fn take_implicit(&mut self) -> Option<Work> {
        match std::mem::take(self) {
            Self::Implicit { work, .. } => Some(work),
            other => {
                *self = other;
                None
            }
        }
    }

    /// For a statement that takes no part in a transaction: ends an implicit one of which it is the first.
    pub(crate) fn stand_alone(&mut self, statement: &str) -> Result<()> {
        match self {
            Self::Idle | Self::Ending { .. } => Ok(()),
            Self::Implicit { work, block: false } if work.statements <= 1 => {
                *self = Self::Idle;
                Ok(())
            }
            Self::Implicit { block: false, .. } => {
                let message = format!("{statement} cannot be executed within a pipeline; send it after a Sync");
                Err(Error::new(Fault::ActiveTransaction, message))
            }
            _ => {
                let message =
                    format!("{statement} cannot run inside a transaction block; send COMMIT or ROLLBACK first");
                Err(Error::new(Fault::ActiveTransaction, message))
            }
        }
    }

    /// `BEGIN`: what has joined becomes part of the block. Within a block only the modes count.
    pub(crate) fn begin(&mut self, modes: &[Mode], fresh: impl FnOnce() -> Work) -> Result<()> {
        if self.is_idle() {
            *self = Self::Open(fresh());
        }
        self.set_modes(modes)?;
        if let Some(work) = self.take_implicit() {
            *self = Self::Open(work);
        }
        Ok(())
    }

    /// `SET TRANSACTION`; without a transaction nothing is left of it.
    pub(crate) fn set_modes(&mut self, modes: &[Mode]) -> Result<()> {
        match self {
            Self::Idle | Self::Ending { .. } => Ok(()),
            Self::Implicit { work, .. } | Self::Open(work) | Self::Failed(work) => {
                modes.iter().try_for_each(|mode| work.set_mode(*mode))
            }
        }
    }

    /// `COMMIT`.
    pub(crate) fn commit(&mut self, chain: bool) -> Result<Ended> {
        if chain && !self.is_explicit() {
            return Err(outside("COMMIT AND CHAIN"));
        }
        Ok(match std::mem::take(self) {
            Self::Idle | Self::Ending { .. } => Ended { work: None, published: true, outside: true },
            Self::Implicit { work, .. } => Ended { work: Some(self.publish(work)), published: true, outside: true },
            Self::Open(work) => Ended { work: Some(self.publish(work)), published: true, outside: false },
            Self::Failed(work) => Ended { work: Some(work), published: false, outside: false },
        })
    }

    /// `ROLLBACK`.
    pub(crate) fn rollback(&mut self, chain: bool) -> Result<Ended> {
        if chain && !self.is_explicit() {
            return Err(outside("ROLLBACK AND CHAIN"));
        }
        Ok(match std::mem::take(self) {
            Self::Idle | Self::Ending { .. } => Ended { work: None, published: false, outside: true },
            Self::Implicit { work, .. } => Ended { work: Some(work), published: false, outside: true },
            Self::Open(work) | Self::Failed(work) => Ended { work: Some(work), published: false, outside: false },
        })
    }

    /// The transaction's changes go to the disk.
    fn publish(&mut self, work: Work) -> Work {
        *self = Self::Ending { number: work.number, before: work.before.clone() };
        work
    }

    /// They are there, or not. Returns the settings to put back where they are not; none if something else has begun, or
    /// an error was told, before the outcome was known.
    pub(crate) fn published(&mut self, number: u64) -> Option<Values> {
        match std::mem::take(self) {
            Self::Ending { number: ending, before } if ending == number => Some(before),
            other => {
                *self = other;
                None
            }
        }
    }

    /// An error was told. Returns the settings to put back, where there was a transaction that had not failed yet.
    pub(crate) fn fail(&mut self) -> Option<Values> {
        match std::mem::take(self) {
            Self::Idle => None,
            Self::Implicit { work, .. } => Some(work.before.clone()),
            Self::Ending { before, .. } => Some(before),
            Self::Open(mut work) => {
                let settings = work.settings().clone();
                // As in PostgreSQL it has lost what it asked for, and what follows it by AND CHAIN has not that either.
                if work.savepoints.is_empty() {
                    work.modes = work.first_modes;
                }
                *self = Self::Failed(work);
                Some(settings)
            }
            Self::Failed(work) => {
                *self = Self::Failed(work);
                None
            }
        }
    }

    /// `SAVEPOINT`.
    pub(crate) fn savepoint(&mut self, name: &str, settings: Values) -> Result<()> {
        let Self::Open(work) = self else { return Err(outside("SAVEPOINT")) };
        if work.savepoints.len() >= MAX_SAVEPOINTS {
            let message = format!("a transaction holds at most {MAX_SAVEPOINTS} savepoints; RELEASE some");
            return Err(Error::new(Fault::LimitExceeded, message));
        }
        let (changes, modes) = (work.changes.savepoint(), work.modes);
        work.savepoints.push(Savepoint { name: name.to_owned(), changes, settings, modes });
        Ok(())
    }

    /// `RELEASE`: forgets the savepoint and those after it, and keeps what was done since.
    pub(crate) fn release(&mut self, name: &str) -> Result<()> {
        let Self::Open(work) = self else { return Err(outside("RELEASE SAVEPOINT")) };
        let place = work.find(name)?;
        // Where only what is within the savepoint may not write, what follows it may, as in PostgreSQL.
        work.modes.read_only = work.savepoints[place].modes.read_only;
        work.savepoints.truncate(place);
        Ok(())
    }

    /// `ROLLBACK TO`: undoes what was done since the savepoint, which stays. Returns the settings to put back.
    pub(crate) fn rollback_to(&mut self, name: &str) -> Result<Values> {
        let place = match self {
            Self::Open(work) | Self::Failed(work) => work.find(name)?,
            Self::Idle | Self::Implicit { .. } | Self::Ending { .. } => return Err(outside("ROLLBACK TO SAVEPOINT")),
        };
        match std::mem::take(self) {
            Self::Open(mut work) | Self::Failed(mut work) => {
                work.savepoints.truncate(place + 1);
                let savepoint = &work.savepoints[place];
                work.changes.rollback_to(&savepoint.changes);
                work.modes = savepoint.modes;
                let settings = savepoint.settings.clone();
                *self = Self::Open(work);
                Ok(settings)
            }
            Self::Idle | Self::Implicit { .. } | Self::Ending { .. } => Err(outside("ROLLBACK TO SAVEPOINT")),
        }
    }

    fn is_idle(&self) -> bool {
        matches!(self, Self::Idle | Self::Ending { .. })
    }

    fn is_explicit(&self) -> bool {
        matches!(self, Self::Open(_) | Self::Failed(_))
    }
}

fn refuse_if(wrong: bool, message: &str) -> Result<()> {
    if wrong { Err(Error::new(Fault::ActiveTransaction, message)) } else { Ok(()) }
}

fn outside(statement: &str) -> Error {
    Error::new(Fault::NoActiveTransaction, format!("{statement} can only be used in transaction blocks"))
}

pub(super) fn in_failed() -> Error {
    Error::new(
        Fault::InFailedTransaction,
        "current transaction is aborted, commands ignored until end of transaction block",
    )
}

#[cfg(test)]
mod tests;
