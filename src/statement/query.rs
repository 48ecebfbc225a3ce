//! Queries: everything that reads. `train` is run first, alone, and its rows take its place.

use std::{
    ops::ControlFlow,
    sync::Arc,
    task::{Context, Poll},
    time::Instant,
};

use arrow::{
    array::{RecordBatch, RecordBatchOptions},
    datatypes::{DataType, Field, SchemaRef},
};
use async_trait::async_trait;
use datafusion::{
    common::{
        DataFusionError, ParamValues, ScalarValue,
        metadata::ScalarAndMetadata,
        tree_node::{Transformed, TransformedResult, TreeNode},
    },
    execution::{RecordBatchStream, SendableRecordBatchStream, runtime_env::RuntimeEnv},
    logical_expr::{Expr, LogicalPlan, expr::Placeholder},
    physical_plan::{ExecutionPlan, execute_stream},
    sql::{
        parser::{ExplainStatement, Statement as SqlStatement},
        sqlparser::ast::{Query, SetExpr, Statement as Ast, TableFactor, Visit, Visitor},
    },
};
use fusewire_udfs::table::train;
use futures::{Stream, StreamExt, future::BoxFuture};
use tokio::sync::mpsc;

use super::{
    Action, Form, Recognised, clocks,
    headings::{mark_columns, unmarked},
    no_parse,
    parameters::{give_types, numbered, with_hints},
};
use crate::{
    Error, Fault, Result, planning,
    session::{Client, Description, Interrupt, Outcome, Physical, Sealed, caught, explain_failure, timed_out},
};

pub(super) const FORM: Form = Form { parse: no_parse, convert };

/// Batches that wait between the compute runtime and whoever reads the result.
const BATCHES_BUFFERED: usize = 2;

/// A statement that only reads.
#[derive(Debug)]
struct Reading {
    statement: Sealed<SqlStatement>,
    explains: bool,
}

fn convert(statement: &SqlStatement) -> Recognised {
    let explains = match statement {
        SqlStatement::Statement(inner) => match inner.as_ref() {
            Ast::Query(_) | Ast::ExplainTable { .. } | Ast::ShowTables { .. } | Ast::ShowColumns { .. } => false,
            Ast::ShowFunctions { .. } | Ast::ShowCreate { .. } => false,
            _ => return Ok(None),
        },
        SqlStatement::Explain(explain) => {
            check_explained(explain)?;
            true
        }
        _ => return Ok(None),
    };
    check_train(statement)?;
    let mut statement = statement.clone();
    let asked = match &mut statement {
        SqlStatement::Explain(explain) => explain.statement.as_mut(),
        other => other,
    };
    if let SqlStatement::Statement(inner) = asked
        && let Ast::Query(query) = inner.as_mut()
    {
        mark_columns(query);
    }
    Ok(Some(Arc::new(Reading { statement: Sealed::new(statement), explains })))
}

fn check_explained(explain: &ExplainStatement) -> Result<()> {
    if let SqlStatement::Statement(inner) = explain.statement.as_ref()
        && let Ast::Query(_) = inner.as_ref()
    {
        return Ok(());
    }
    Err(Error::new(Fault::FeatureNotSupported, "EXPLAIN takes a query"))
}

#[async_trait]
impl Action for Reading {
    async fn describe(&self, client: &Arc<Client>, types: &[Option<DataType>]) -> Result<Description> {
        let declares = types.iter().any(Option::is_some);
        let types = with_hints(client, &self.statement, types);
        // Most clients declare all: then one plan tells everything.
        if declares
            && let Some(parameters) = types.iter().cloned().collect::<Option<Vec<_>>>()
            && let Some(columns) = self.columns_with(client, &parameters).await
        {
            return Ok(Description { parameters, columns: Some(unmarked(&columns)) });
        }
        let mut statement = SqlStatement::clone(&self.statement);
        give_types(&mut statement, &types);
        let plan = plan(client, statement, None).await?;
        let parameters = parameter_types(&plan, &types)?;
        let plan = with_types(plan, &parameters)?;
        let typed = if declares { self.columns_with(client, &parameters).await } else { None };
        let columns = typed.unwrap_or_else(|| schema_of(&plan));
        Ok(Description { parameters, columns: Some(unmarked(&columns)) })
    }

    async fn execute(&self, client: &Arc<Client>, parameters: &[ScalarValue]) -> Result<Outcome> {
        let plan = plan(client, SqlStatement::clone(&self.statement), Some(parameters)).await?;
        let analyzes = matches!(plan, LogicalPlan::Analyze(_));
        let plan = if self.explains && !analyzes { plan } else { train_first(client, plan).await? };
        run(client, plan).await
    }
}

impl Reading {
    /// The columns of the rows for parameters of these types. The planner takes a parameter for what stands beside it, whatever
    /// the client declared: of `a + $1` with an integer a it would tell an integer. None where a value decides the columns.
    async fn columns_with(&self, client: &Arc<Client>, parameters: &[DataType]) -> Option<SchemaRef> {
        let values = parameters.iter().map(ScalarValue::try_from).collect::<datafusion::common::Result<Vec<_>>>();
        let plan = plan(client, SqlStatement::clone(&self.statement), Some(&values.ok()?)).await;
        plan.ok().map(|plan| schema_of(&plan))
    }
}

/// The columns of a plan's rows with the types that they will have. Before types are settled, a UNION has those of its first
/// input. Where they cannot be settled, running the plan says why.
pub(super) fn schema_of(plan: &LogicalPlan) -> SchemaRef {
    let settled = planning::settled(plan.clone());
    Arc::clone(settled.as_ref().unwrap_or(plan).schema().inner())
}

/// Plans a statement over the client's snapshot; with the values of its parameters, or to describe it without.
pub(super) fn plan<'a>(
    client: &Client,
    mut statement: SqlStatement,
    parameters: Option<&'a [ScalarValue]>,
) -> BoxFuture<'a, Result<LogicalPlan>> {
    if let Some(values) = parameters {
        let types: Vec<_> = values.iter().map(|value| Some(value.data_type())).collect();
        give_types(&mut statement, &types);
    }
    let rewritten = fusewire_udfs::arguments::rewrite(&mut statement, parameters);
    let planned = client.plan(statement);
    Box::pin(async move {
        rewritten?;
        let plan = planned.await?;
        match parameters {
            Some(parameters) => bind(plan, parameters),
            None => Ok(plan),
        }
    })
}

/// Puts the values of `$1`, `$2`, … into a plan.
fn bind(plan: LogicalPlan, parameters: &[ScalarValue]) -> Result<LogicalPlan> {
    let wanted = plan.get_parameter_names()?.len();
    if wanted > parameters.len() {
        return Err(Error::new(
            Fault::InvalidArgument,
            format!("the statement has {wanted} parameters, but {} values were given", parameters.len()),
        ));
    }
    if parameters.is_empty() {
        return Ok(plan);
    }
    let values = parameters.iter().cloned().map(ScalarAndMetadata::from).collect();
    Ok(plan.with_param_values(ParamValues::List(values))?)
}

/// The types of a plan's parameters in their order: the client's where it declared them, text where nothing tells.
pub(super) fn parameter_types(plan: &LogicalPlan, declared: &[Option<DataType>]) -> Result<Vec<DataType>> {
    let inferred = plan.get_parameter_types()?;
    let count = inferred.keys().filter_map(|name| numbered(name)).max().unwrap_or(0).max(declared.len());
    Ok((1..=count)
        .map(|number| {
            let declared = declared.get(number - 1).cloned().flatten();
            let inferred = inferred.get(&format!("${number}")).cloned().flatten();
            declared.or(inferred).unwrap_or(DataType::Utf8)
        })
        .collect())
}

/// Gives the parameters that nothing in the statement tells the type of the types they will be bound with, so that the plan's
/// columns are those of the rows.
fn with_types(plan: LogicalPlan, types: &[DataType]) -> Result<LogicalPlan> {
    let typed = |expression: Expr| match expression {
        Expr::Placeholder(Placeholder { id, field: None }) => {
            let data_type = numbered(&id).and_then(|number| types.get(number - 1));
            let field = data_type.map(|data_type| Arc::new(Field::new(&id, data_type.clone(), true)));
            Ok(Transformed::yes(Expr::Placeholder(Placeholder { id, field })))
        }
        other => Ok(Transformed::no(other)),
    };
    let node = |node: LogicalPlan| node.map_expressions(|expression| expression.transform_up(typed));
    let changed = plan.transform_up_with_subqueries(node)?;
    if !changed.transformed {
        return Ok(changed.data);
    }
    Ok(changed.data.transform_up(|node| node.recompute_schema().map(Transformed::yes)).data()?)
}

/// Optimizes a plan, starts it on the compute runtime and streams its rows.
pub(super) fn run<'a>(client: &'a Client, plan: LogicalPlan) -> BoxFuture<'a, Result<Outcome>> {
    Box::pin(start(client, client.physical(plan)))
}

async fn start(client: &Client, planned: BoxFuture<'_, Result<Physical>>) -> Result<Outcome> {
    let (physical, task) = planned.await?;
    let zone = task.session_config().options().execution.time_zone.clone();
    let stream = execute_stream(Arc::clone(&physical), task)?;
    let schema = clocks::in_zone(&unmarked(&stream.schema()), zone.as_deref().unwrap_or("UTC"));
    let (sender, receiver) = mpsc::channel(BATCHES_BUFFERED);
    let interrupt = client.interrupt();
    let runtime = Arc::clone(&client.shared().runtime);
    let worker =
        client.shared().compute_handle().spawn(forward(stream, physical, runtime, sender, interrupt.deadline()));
    Ok(Outcome::Rows { stream: Box::pin(ComputedRows { schema, receiver, worker, interrupt, finished: false }) })
}

/// Runs a plan to its end and returns its rows.
pub(super) fn collect<'a>(client: &'a Client, plan: LogicalPlan) -> BoxFuture<'a, Result<Vec<RecordBatch>>> {
    Box::pin(finish(client, client.physical(plan)))
}

async fn finish(client: &Client, planned: BoxFuture<'_, Result<Physical>>) -> Result<Vec<RecordBatch>> {
    let (physical, task) = planned.await?;
    let collected = caught(datafusion::physical_plan::collect(Arc::clone(&physical), task)).await;
    match collected {
        Ok(batches) => Ok(batches),
        Err(error) => Err(explain_failure(&physical, &client.shared().runtime, error).await),
    }
}

/// Executes the plan's `train`, if it has one, and puts its rows in its place.
fn train_first<'a>(client: &'a Client, plan: LogicalPlan) -> BoxFuture<'a, Result<LogicalPlan>> {
    // One at most: the statement was checked.
    let rows = train::find(&plan).map(|mut trainings| trainings.pop().map(|training| collect(client, training)));
    let plan = Sealed::new(plan);
    Box::pin(async move {
        match rows? {
            None => Ok(LogicalPlan::clone(&plan)),
            Some(rows) => Ok(train::substitute(LogicalPlan::clone(&plan), rows.await?)?),
        }
    })
}

/// `train` stands alone in the FROM of the outermost SELECT or nowhere: planners repeat and skip what stands elsewhere.
pub(super) fn check_train(statement: &SqlStatement) -> Result<()> {
    let (query, allowed) = match statement {
        SqlStatement::Statement(inner) => (inner.as_ref(), usize::from(trains_alone(inner))),
        SqlStatement::Explain(explain) => match explain.statement.as_ref() {
            SqlStatement::Statement(inner) => (inner.as_ref(), usize::from(trains_alone(inner))),
            _ => return Ok(()),
        },
        _ => return Ok(()),
    };
    let mut calls = TrainCalls(0);
    let _ = query.visit(&mut calls);
    if calls.0 > allowed {
        return Err(Error::new(
            Fault::FeatureNotSupported,
            "train may stand only as the one FROM item of a statement's outermost SELECT, as in SELECT * FROM train(…); \
             not in a view, a CTE, a join, a subquery, LATERAL or another statement",
        ));
    }
    Ok(())
}

/// Refuses every `train` in a query that is not run by itself: a view's, a table's, an INSERT's.
pub(super) fn refuse_train(query: &Query) -> Result<()> {
    let mut calls = TrainCalls(0);
    let _ = query.visit(&mut calls);
    if calls.0 == 0 {
        return Ok(());
    }
    Err(Error::new(
        Fault::FeatureNotSupported,
        "train may not stand in a view or in a statement that stores its rows; run SELECT * FROM train(…) by itself",
    ))
}

struct TrainCalls(usize);

impl Visitor for TrainCalls {
    type Break = ();

    fn pre_visit_table_factor(&mut self, factor: &TableFactor) -> ControlFlow<()> {
        self.0 += usize::from(is_train(factor));
        ControlFlow::Continue(())
    }
}

fn is_train(factor: &TableFactor) -> bool {
    let name = match factor {
        TableFactor::Table { name, args: Some(_), .. } | TableFactor::Function { name, .. } => name,
        _ => return false,
    };
    name.0.last().and_then(|part| part.as_ident()).is_some_and(|name| name.value.eq_ignore_ascii_case("train"))
}

fn trains_alone(statement: &Ast) -> bool {
    let Ast::Query(query) = statement else { return false };
    let SetExpr::Select(select) = query.body.as_ref() else { return false };
    match select.from.as_slice() {
        [item] => {
            item.joins.is_empty() && matches!(item.relation, TableFactor::Table { .. }) && is_train(&item.relation)
        }
        _ => false,
    }
}

async fn forward(
    mut stream: SendableRecordBatchStream,
    plan: Arc<dyn ExecutionPlan>,
    runtime: Arc<RuntimeEnv>,
    sender: mpsc::Sender<std::result::Result<RecordBatch, DataFusionError>>,
    deadline: Option<Instant>,
) {
    let work = async {
        while let Some(batch) = caught(async { stream.next().await.transpose() }).await.transpose() {
            let (batch, failed) = match batch {
                Ok(batch) => (Ok(batch), false),
                Err(error) => (Err(explain_failure(&plan, &runtime, error).await.into()), true),
            };
            if sender.send(batch).await.is_err() || failed {
                return;
            }
        }
    };
    let Some(deadline) = deadline else { return work.await };
    if tokio::time::timeout_at(deadline.into(), work).await.is_err() {
        let _ = sender.send(Err(timed_out().into())).await;
    }
}

/// The rows of a plan that runs on the compute runtime; dropping it stops the plan.
struct ComputedRows {
    schema: SchemaRef,
    receiver: mpsc::Receiver<std::result::Result<RecordBatch, DataFusionError>>,
    worker: tokio::task::JoinHandle<()>,
    interrupt: Interrupt,
    finished: bool,
}

impl Stream for ComputedRows {
    type Item = std::result::Result<RecordBatch, DataFusionError>;

    fn poll_next(mut self: std::pin::Pin<&mut Self>, context: &mut Context<'_>) -> Poll<Option<Self::Item>> {
        if self.finished {
            return Poll::Ready(None);
        }
        match std::task::ready!(self.receiver.poll_recv(context)) {
            Some(item) => Poll::Ready(Some(item.and_then(|batch| self.named(batch)))),
            // The channel closes when the worker ends; only a panic ends it without a last word.
            None => match std::task::ready!(std::pin::Pin::new(&mut self.worker).poll(context)) {
                Err(error) if error.is_panic() => {
                    self.finished = true;
                    let error = Error::panicked(error.into_panic().as_ref());
                    Poll::Ready(Some(Err(error.into())))
                }
                _ => {
                    self.finished = true;
                    Poll::Ready(None)
                }
            },
        }
    }
}

impl ComputedRows {
    /// The batch as clients see it: the columns' names, and instants by the session's clocks.
    fn named(&self, batch: RecordBatch) -> std::result::Result<RecordBatch, DataFusionError> {
        if batch.schema_ref().fields() == self.schema.fields() {
            return Ok(batch);
        }
        let options = RecordBatchOptions::new().with_row_count(Some(batch.num_rows()));
        let (_, columns, _) = batch.into_parts();
        let columns = clocks::shown(columns, &self.schema)?;
        Ok(RecordBatch::try_new_with_options(Arc::clone(&self.schema), columns, &options)?)
    }
}

impl RecordBatchStream for ComputedRows {
    fn schema(&self) -> SchemaRef {
        Arc::clone(&self.schema)
    }
}

impl Drop for ComputedRows {
    fn drop(&mut self) {
        self.interrupt.raise();
        self.worker.abort();
    }
}
