//! What can go wrong while learning, by the fault it points at.

/// The result of every fallible function of this crate.
pub type Result<T, E = Error> = std::result::Result<T, E>;

/// Every error carries what a user needs to mend it; the Display text is shown to users as it is.
#[derive(Debug, thiserror::Error, PartialEq)]
pub enum Error {
    /// The computation was asked to stop.
    #[error("training was cancelled")]
    Cancelled,
    /// An option is out of range or contradicts another.
    #[error("{name}: {problem}")]
    InvalidOption {
        /// The option as SQL spells it.
        name: String,
        /// What was found and what is accepted.
        problem: String,
    },
    /// The rows cannot be learnt from: no rows, one class, an infinity, a text target for regression.
    #[error("{0}")]
    InvalidData(String),
    /// A limit on memory, rows or model size was passed.
    #[error("{0}")]
    LimitExceeded(String),
    /// Model bytes that are truncated, altered, or of another format version.
    #[error("{0}")]
    Corrupt(String),
    /// Our own bug.
    #[error("internal error in the learning code: {0}")]
    Internal(String),
}
