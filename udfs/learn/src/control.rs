//! How a long computation reports progress and hears that it should stop.

use crate::error::{Error, Result};

/// Passed to every long loop. Implementations must be cheap: loops call them many times a second.
pub trait Control: Sync {
    /// Says that `done` of `total` units of `phase` (for example `epoch`) are finished, with the current training loss
    /// where the solver knows it.
    fn progress(&self, phase: &str, done: u64, total: u64, loss: Option<f64>);

    /// Whether the computation should stop as soon as it can; a stop must take well under a second.
    fn cancelled(&self) -> bool;

    /// [`Error::Cancelled`] if [`Control::cancelled`], for use with `?` inside loops.
    fn check(&self) -> Result<()> {
        if self.cancelled() { Err(Error::Cancelled) } else { Ok(()) }
    }
}

/// A control that reports nowhere and never cancels.
#[derive(Debug, Clone, Copy, Default)]
pub struct Unattended;

impl Control for Unattended {
    fn progress(&self, _phase: &str, _done: u64, _total: u64, _loss: Option<f64>) {}

    fn cancelled(&self) -> bool {
        false
    }
}
