//! What the statements of a client are to its session.

use std::{fmt::Debug, sync::Arc};

use arrow::datatypes::DataType;
use async_trait::async_trait;
use datafusion::common::ScalarValue;

use super::{Client, Description, Outcome};
use crate::Result;

/// What a statement does.
#[async_trait]
pub(crate) trait Action: Debug + Send + Sync {
    /// What it takes and returns, without running it. Commands take and return nothing.
    async fn describe(&self, _client: &Arc<Client>, _types: &[Option<DataType>]) -> Result<Description> {
        Ok(Description::default())
    }

    /// Runs it.
    async fn execute(&self, client: &Arc<Client>, parameters: &[ScalarValue]) -> Result<Outcome>;

    /// Whether it may run in a transaction that has failed: only what ends it or goes back to a savepoint may.
    fn ends_transaction(&self) -> bool {
        false
    }

    /// Whether it reads the catalog: the first that does decides which state its transaction reads.
    fn reads_catalog(&self) -> bool {
        true
    }
}
