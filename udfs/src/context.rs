//! What the functions share within one session.

use std::{fmt::Debug, sync::Arc};

use datafusion::execution::TaskContext;

use crate::{
    error::{Error, Result},
    registry::Registry,
};

/// The surroundings of every running operator: one a session, held by its configuration as an extension.
pub struct FunctionContext {
    /// Where model files are.
    pub registry: Arc<Registry>,
    /// Hears how far long statements have come and what users should know. Must be cheap.
    pub progress: Arc<dyn Fn(Progress) + Send + Sync>,
    /// How many threads a training or a ranking may use.
    pub threads: usize,
    /// How much a function may take.
    pub limits: Limits,
}

/// How much a function may take.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Limits {
    /// Rows that a training or an evaluation may read.
    pub input_rows: u64,
    /// Bytes of a model file.
    pub model_bytes: u64,
}

impl Default for Limits {
    fn default() -> Self {
        Self { input_rows: 1 << 31, model_bytes: 4 << 30 }
    }
}

/// Something that a running function tells its session.
#[derive(Debug, Clone, PartialEq)]
pub enum Progress {
    /// A sentence that the user should read.
    Notice(String),
    /// How far it has come.
    Step {
        /// What is being done, for example `train taste: epoch`.
        phase: String,
        /// Units done.
        done: u64,
        /// Units in all.
        total: u64,
        /// The current training loss, where known.
        loss: Option<f64>,
    },
}

impl FunctionContext {
    /// The context of a running operator.
    ///
    /// # Errors
    /// [`Error::Internal`] if the session was not built by [`crate::register`].
    pub fn of(task: &TaskContext) -> Result<Arc<Self>> {
        let missing = || Error::Internal("the session has no function context".into());
        task.session_config().get_extension::<Self>().ok_or_else(missing)
    }

    /// Tells the session a sentence that the user should read.
    pub fn notice(&self, sentence: impl Into<String>) {
        (self.progress)(Progress::Notice(sentence.into()));
    }
}

impl Debug for FunctionContext {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        formatter
            .debug_struct("FunctionContext")
            .field("registry", &self.registry)
            .field("threads", &self.threads)
            .field("limits", &self.limits)
            .finish_non_exhaustive()
    }
}
