//! What the statements of a client are to its session: analysed first, and then run.

use std::{fmt::Debug, sync::Arc};

use arrow::datatypes::{DataType, SchemaRef};
use async_trait::async_trait;
use datafusion::{common::ScalarValue, logical_expr::LogicalPlan};

use super::{Client, Description, Outcome, Scope, Sealed};
use crate::Result;

/// What is known of a statement before it runs.
#[derive(Debug, Default)]
pub(crate) struct Analysis {
    /// The types of `$1`, `$2`, …
    pub(crate) parameters: Vec<DataType>,
    /// The columns of its rows, where they are known without a plan.
    pub(crate) columns: Option<SchemaRef>,
    /// Its plan, unless a value of a parameter decides what is planned.
    pub(crate) plan: Option<Sealed<LogicalPlan>>,
}

/// A statement that is about to run.
#[derive(Debug)]
pub(crate) struct Running<'a> {
    /// Whose session it may change.
    pub(crate) client: &'a Arc<Client>,
    /// What it sees.
    pub(crate) scope: &'a Arc<Scope>,
    /// What was found of it in this scope, for values of these types.
    pub(crate) analysis: Analysis,
    /// The values of its parameters.
    pub(crate) values: &'a [ScalarValue],
}

/// What a statement does. It sees what its scope has; to the client go those that change the session.
#[async_trait]
pub(crate) trait Action: Debug + Send + Sync {
    /// What it takes and what it would do, with the types of its parameters as far as they are known. Names and types that are
    /// wrong are told here; nothing runs. Most commands take nothing and look for their objects when they run.
    async fn analyze(&self, _client: &Client, _scope: &Arc<Scope>, _types: &[Option<DataType>]) -> Result<Analysis> {
        Ok(Analysis::default())
    }

    /// The columns of its rows; none of a command.
    fn columns(&self, analysis: &Analysis) -> Option<SchemaRef> {
        analysis.columns.clone()
    }

    /// Runs it.
    async fn run(&self, running: Running<'_>) -> Result<Outcome>;

    /// Whether it may run in a transaction that has failed: only what ends it or goes back to a savepoint may.
    fn ends_transaction(&self) -> bool {
        false
    }

    /// Whether it is no part of a transaction, and what it did is committed when it is done.
    fn commits_at_once(&self) -> bool {
        false
    }

    /// What others are shown in place of its text, where that holds a secret.
    fn shown(&self) -> Option<&'static str> {
        None
    }

    /// Whether it reads the catalog: the first that does decides which state its transaction reads.
    fn reads_catalog(&self) -> bool {
        true
    }
}

/// What a statement takes and returns; what is wrong in it whatever the values are, is told.
pub(crate) async fn describe(
    action: &dyn Action,
    client: &Client,
    scope: &Arc<Scope>,
    types: &[Option<DataType>],
) -> Result<Description> {
    let analysis = action.analyze(client, scope, types).await?;
    if let Some(plan) = &analysis.plan {
        scope.check_types(plan, &analysis.parameters)?;
    }
    let columns = action.columns(&analysis);
    Ok(Description { parameters: analysis.parameters, columns })
}

/// Analyses a statement for values, and runs it with them.
pub(crate) async fn execute(
    action: &dyn Action,
    client: &Arc<Client>,
    scope: &Arc<Scope>,
    values: &[ScalarValue],
) -> Result<Outcome> {
    let types: Vec<_> = values.iter().map(|value| Some(value.data_type())).collect();
    let analysis = action.analyze(client, scope, &types).await?;
    action.run(Running { client, scope, analysis, values }).await
}
