//! What a statement sets by calling `set_config`: noted while its rows are computed, and done when all of them are there.

use std::sync::{
    Mutex,
    atomic::{AtomicBool, Ordering},
};

use super::{Modes, client::lock, settings::Settings};
use crate::{Error, Fault, Result};

/// The settings that one statement sets.
#[derive(Debug, Default)]
pub(super) struct Assignments {
    /// Whether they will be done: a query's are.
    open: AtomicBool,
    made: Mutex<Made>,
}

/// What was set until now.
#[derive(Debug, Default)]
struct Made {
    assignments: Vec<Assignment>,
    /// The settings as they will be then.
    settings: Option<Settings>,
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

    /// Notes one of a statement that began with these settings, and returns how it will be shown.
    pub(super) fn note(&self, begun_with: &Settings, assignment: Assignment) -> Result<String> {
        let mut made = lock(&self.made);
        let Made { assignments, settings } = &mut *made;
        let settings = settings.get_or_insert_with(|| begun_with.clone());
        settings.set(&assignment.name, assignment.value.as_deref(), assignment.local)?;
        let shown = settings.show(&assignment.name)?;
        if !self.open.load(Ordering::Relaxed) {
            let message = "set_config can be called by a query alone, which returns its rows to the client; use SET";
            return Err(Error::new(Fault::FeatureNotSupported, message));
        }
        assignments.push(assignment);
        Ok(shown)
    }

    /// The value of a setting as it is now, where something was set; none where that says nothing of it.
    pub(super) fn shown(&self, name: &str) -> Option<Result<String>> {
        let made = lock(&self.made);
        let settings = made.settings.as_ref()?;
        // How the transaction is run, the settings do not say.
        let is_mode = Modes::DEFAULT.shown(name).is_some();
        let is_set = || made.assignments.iter().any(|assignment| assignment.name == name);
        (!is_mode || is_set()).then(|| settings.show(name))
    }

    /// Those that were made since.
    pub(super) fn take(&self) -> Vec<Assignment> {
        std::mem::take(&mut *lock(&self.made)).assignments
    }
}
