//! Whose fault an error is, which every layer's errors say of themselves; below everything, so that all can.
//!
//! A layer whose errors have values of their own has an enum; one that only refuses has a [`Failure`]. What they become
//! for a client is `error`'s business: nothing here knows an SQLSTATE.

use datafusion::common::DataFusionError;
pub use fusewire_udfs::Fault;

mod nearest;

pub(crate) use nearest::{nearest, nearest_few};

/// The result of functions that fail in words.
pub type Result<T, E = Failure> = std::result::Result<T, E>;

/// An error in words: a fault and what is told of it.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{message}")]
pub struct Failure {
    fault: Fault,
    message: String,
    hint: Option<&'static str>,
}

impl Failure {
    /// An error of this kind that says what, where and what was expected.
    pub fn new(fault: Fault, message: impl Into<String>) -> Self {
        Self { fault, message: message.into(), hint: None }
    }

    /// The same with what to do about it.
    pub fn with_hint(self, hint: &'static str) -> Self {
        Self { hint: Some(hint), ..self }
    }

    /// Whose fault it is.
    pub fn fault(&self) -> Fault {
        self.fault
    }

    /// What to do about it, where the message does not say it.
    pub fn hint(&self) -> Option<&'static str> {
        self.hint
    }
}

impl From<Failure> for DataFusionError {
    fn from(failure: Failure) -> Self {
        Self::External(Box::new(failure))
    }
}
