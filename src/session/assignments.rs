//! What a statement sets by calling `set_config`: noted while its rows are computed, and done when all of them are there.

use std::sync::{
    Mutex,
    atomic::{AtomicBool, Ordering},
};

use super::client::lock;
use crate::{Error, Fault, Result};

/// The settings that one statement sets.
#[derive(Debug, Default)]
pub(super) struct Assignments {
    /// Whether they will be done: a query's are.
    open: AtomicBool,
    made: Mutex<Vec<Assignment>>,
}

/// One of them.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Assignment {
    pub(crate) name: String,
    /// None sets it back.
    pub(crate) value: Option<String>,
    /// Whether it is for the transaction alone.
    pub(crate) local: bool,
}

impl Assignments {
    /// From now on they are noted.
    pub(super) fn open(&self) {
        self.open.store(true, Ordering::Relaxed);
    }

    pub(super) fn note(&self, assignment: Assignment) -> Result<()> {
        if !self.open.load(Ordering::Relaxed) {
            let message = "set_config can be called by a query alone, which returns its rows to the client; use SET";
            return Err(Error::new(Fault::FeatureNotSupported, message));
        }
        lock(&self.made).push(assignment);
        Ok(())
    }

    /// Those that were made since.
    pub(super) fn take(&self) -> Vec<Assignment> {
        std::mem::take(&mut *lock(&self.made))
    }
}
