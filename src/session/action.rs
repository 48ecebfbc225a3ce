//! What the statements of a client are to its session: analysed first, and then run.

use std::{
    collections::BTreeMap,
    fmt::Debug,
    sync::{
        Arc,
        atomic::{AtomicU64, Ordering},
    },
};

use arrow::datatypes::{DataType, SchemaRef};
use async_trait::async_trait;
use datafusion::{common::ScalarValue, logical_expr::LogicalPlan, sql::sqlparser::tokenizer::Location};

use super::{Client, Description, Kept, Outcome, Reads, Scope, Sealed};
use crate::{Result, planning};

/// What is known of a statement before it runs.
#[derive(Debug, Default)]
pub(crate) struct Analysis {
    /// The types of `$1`, `$2`, …
    pub(crate) parameters: Vec<DataType>,
    /// The columns of its rows, where they are known without a plan.
    pub(crate) columns: Option<SchemaRef>,
    /// Its plan, unless a value of a parameter decides what is planned.
    pub(crate) plan: Option<Sealed<LogicalPlan>>,
    /// The objects that it was made of.
    pub(crate) reads: Arc<Reads>,
    /// The same as it is kept for the next statement that is the same.
    pub(crate) kept: Option<Arc<Kept>>,
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

    /// What others are shown in place of its text, where that holds a secret.
    fn shown(&self) -> Option<&'static str> {
        None
    }

    /// What tells it from every other statement that was read, where what is known of it may be kept: the same is found for the
    /// same types of parameters as long as nothing changes that it was made of. See [`new_identity`].
    fn identity(&self) -> Option<u64> {
        None
    }

    /// About how many bytes the plan takes of what was found, where that may be kept. It is asked of what has an identity.
    fn bytes_to_keep(&self, _analysis: &Analysis) -> Option<usize> {
        None
    }

    /// What it returns with these values, where that is known or can be looked up at once: nothing is read, and nobody waits.
    fn answer(&self, _scope: &Scope, _values: &[ScalarValue]) -> Option<Outcome> {
        None
    }

    /// The same statement with parameters in the places of values that columns are compared with, from the first on, and
    /// where those stand in its text; none where it has none, or where its plan is not kept.
    fn parametrised(&self) -> Option<(Arc<dyn Action>, Vec<Location>)> {
        None
    }

    /// Whether it reads the catalog: the first that does decides which state its transaction reads.
    fn reads_catalog(&self) -> bool {
        true
    }
}

/// An identity that no other statement has.
pub(crate) fn new_identity() -> u64 {
    static NEXT: AtomicU64 = AtomicU64::new(1);
    NEXT.fetch_add(1, Ordering::Relaxed)
}

/// What a statement takes and returns; what is wrong in it whatever the values are, is told.
pub(crate) async fn describe(
    action: &dyn Action,
    client: &Client,
    scope: &Arc<Scope>,
    types: &[Option<DataType>],
) -> Result<Description> {
    let analysis = analyze(action, client, scope, types).await?;
    if let Some(plan) = &analysis.plan {
        let check = || scope.check_types(plan, &analysis.parameters);
        match &analysis.kept {
            Some(kept) => kept.check(check)?,
            None => check()?,
        }
    }
    let columns = action.columns(&analysis);
    let told = match &analysis.plan {
        Some(plan) if !analysis.parameters.is_empty() => planning::told_parameters(plan)?,
        _ => BTreeMap::new(),
    };
    Ok(Description { parameters: analysis.parameters, told, columns })
}

/// Analyses a statement for values, and runs it with them.
pub(crate) async fn execute(
    action: &dyn Action,
    client: &Arc<Client>,
    scope: &Arc<Scope>,
    values: &[ScalarValue],
) -> Result<Outcome> {
    let types: Vec<_> = values.iter().map(|value| Some(value.data_type())).collect();
    let analysis = analyze(action, client, scope, &types).await?;
    action.run(Running { client, scope, analysis, values }).await
}

/// What is known of a statement: what was found before, where that is still so.
pub(crate) async fn analyze(
    action: &dyn Action,
    client: &Client,
    scope: &Arc<Scope>,
    types: &[Option<DataType>],
) -> Result<Analysis> {
    let key = scope.plan_key(action, types);
    if let Some(key) = &key
        && let Some(known) = scope.known(key)
    {
        return Ok(known);
    }
    let mut analysis = action.analyze(client, scope, types).await?;
    analysis.reads = Arc::new(scope.reads());
    if let Some(key) = key
        && analysis.reads.are_objects()
        && let Some(bytes) = action.bytes_to_keep(&analysis)
    {
        analysis.kept = Some(scope.keep_plan(key, &analysis, bytes));
    }
    Ok(analysis)
}
