//! One client's state: its settings, its transaction, its prepared statements and portals, and the snapshot that its
//! statement reads.

mod commits;
mod portals;
mod transactions;

use std::sync::{
    Arc, Mutex, MutexGuard, PoisonError, RwLock,
    atomic::{AtomicUsize, Ordering},
};

use arrow::{
    array::{ArrayRef, RecordBatch, StringArray},
    datatypes::{DataType, SchemaRef},
};
use datafusion::{
    common::{DFSchema, DataFusionError},
    execution::TaskContext,
    logical_expr::{Expr, LogicalPlan},
    physical_plan::{ExecutionPlan, memory::MemoryStream},
    prelude::SessionContext,
    sql::{
        parser::Statement as SqlStatement,
        sqlparser::ast::{CastKind, DataType as AstType, Expr as AstExpr, ExprWithAlias, Value},
    },
};
use futures::future::BoxFuture;
use tokio::sync::mpsc::UnboundedSender;

use super::{
    Interrupt, Notice, Outcome, Sealed, SessionOptions, Shared, Ticket,
    portal::Portals,
    prepared::PreparedStatements,
    providers::opening_once,
    rewrite::{rewrite, with_microseconds},
    settings::Settings,
    transaction::State,
};
use crate::{
    Config, Error, Fault, Result,
    catalog::{Applied, Catalog, Change, Definition, Existing, Header, Object, QualifiedName, Snapshot},
    source::{Access, Rejects, SecretDefinition, Stores},
};

pub(crate) use commits::Staged;

/// Operators, and the context that they run in.
pub(crate) type Physical = (Arc<dyn ExecutionPlan>, Arc<TaskContext>);

/// What the statements of one client share with the tasks that run them.
pub(crate) struct Client {
    shared: Arc<Shared>,
    context: Sealed<SessionContext>,
    options: SessionOptions,
    access: Access,
    view: View,
    interrupt: Mutex<Interrupt>,
    ticket: Mutex<Ticket>,
    settings: Mutex<Settings>,
    transaction: Mutex<State>,
    prepared: Mutex<PreparedStatements>,
    portals: Mutex<Portals>,
    notices: UnboundedSender<Notice>,
    rejects: Arc<Rejects>,
    view_depth: AtomicUsize,
    nested: AtomicUsize,
}

/// Views within views: deeper ones read themselves.
const MAX_VIEW_DEPTH: usize = 32;

/// Statements that one another run by name, as EXECUTE does: deeper ones run themselves.
const MAX_NESTED_STATEMENTS: usize = 16;

/// What the catalog's providers read: the snapshot of the statement that is being planned, and its text.
#[derive(Debug)]
pub(crate) struct View {
    current: RwLock<(Arc<Snapshot>, Arc<str>)>,
}

impl Client {
    pub(crate) fn new(
        shared: Arc<Shared>,
        context: SessionContext,
        options: SessionOptions,
        access: Access,
        view: View,
        notices: UnboundedSender<Notice>,
    ) -> Self {
        let remarks = notices.clone();
        let rejects = Rejects::new(move |remark| {
            // Nobody listening is no error.
            let _ = remarks.send(Notice::remark(remark));
        });
        let settings = Settings::new(&options.user, Arc::clone(context.copied_config().options()));
        Self {
            shared,
            context: Sealed::new(context),
            options,
            access,
            view,
            interrupt: Mutex::default(),
            ticket: Mutex::default(),
            settings: Mutex::new(settings),
            transaction: Mutex::default(),
            prepared: Mutex::default(),
            portals: Mutex::default(),
            notices,
            rejects: Arc::new(rejects),
            view_depth: AtomicUsize::new(0),
            nested: AtomicUsize::new(0),
        }
    }

    pub(crate) fn shared(&self) -> &Shared {
        &self.shared
    }

    pub(crate) fn config(&self) -> &Config {
        &self.shared.config
    }

    pub(crate) fn catalog(&self) -> &Catalog {
        &self.shared.catalog
    }

    pub(crate) fn context(&self) -> &SessionContext {
        &self.context
    }

    /// The query engine's state, as those see it who need not know what it is.
    pub(crate) fn state(&self) -> Arc<dyn datafusion::catalog::Session> {
        Arc::new(self.context.state())
    }

    /// Plans a statement over this client's snapshot.
    pub(crate) fn plan(&self, mut statement: SqlStatement) -> BoxFuture<'static, Result<LogicalPlan>> {
        let state = self.context.state();
        let snapshot = self.snapshot();
        Box::pin(opening_once(async move {
            rewrite(&mut statement, &state).await?;
            let planned = state.statement_to_plan(statement).await;
            planned.map_err(|error| {
                let names = snapshot.relations().map(|(name, _)| name.name.as_str());
                Error::from(error).suggesting_table(names)
            })
        }))
    }

    /// The operators of a plan, and what they need to run.
    pub(crate) fn physical(&self, plan: LogicalPlan) -> BoxFuture<'static, Result<Physical>> {
        let state = self.context.state();
        let interrupt = self.interrupt();
        Box::pin(async move {
            let physical = state.create_physical_plan(&plan).await?;
            Ok((interrupt.guard(physical)?, state.task_ctx()))
        })
    }

    pub(crate) fn access(&self) -> &Access {
        &self.access
    }

    pub(crate) fn user(&self) -> &str {
        &self.options.user
    }

    /// The snapshot that the running statement reads.
    pub(crate) fn snapshot(&self) -> Arc<Snapshot> {
        self.view.snapshot()
    }

    /// How this statement reaches buckets: with the secrets of its snapshot.
    pub(crate) fn stores(&self) -> Stores {
        let snapshot = self.snapshot();
        let secrets = snapshot.secrets().filter_map(|(name, object)| {
            let secret = object.as_secret()?;
            let options: Vec<(String, String)> =
                secret.options.iter().map(|(key, value)| (key.clone(), value.expose().to_owned())).collect();
            let definition = SecretDefinition::from_options(&name.name, &options).ok()?;
            Some((name.to_string(), definition))
        });
        let stores = Stores::new(Arc::clone(&self.shared.runtime), secrets.collect());
        stores.with_looks(Arc::clone(&self.shared.looks)).with_rejects(Arc::clone(&self.rejects))
    }

    /// What the scans of this session left out.
    pub(crate) fn rejects(&self) -> &Arc<Rejects> {
        &self.rejects
    }

    /// The text of the running statement.
    pub(crate) fn statement_text(&self) -> Arc<str> {
        self.view.statement()
    }

    /// What stops the running statement.
    pub(crate) fn interrupt(&self) -> Interrupt {
        lock(&self.interrupt).clone()
    }

    /// Tells the client something beside the result; nobody listening is no error.
    pub(crate) fn notify(&self, notice: Notice) {
        let _ = self.notices.send(notice);
    }

    /// Creates a relation or a secret, and says so where `IF NOT EXISTS` kept another.
    pub(crate) async fn create(
        &self,
        name: &QualifiedName,
        header: Header,
        definition: Definition,
        existing: Existing,
    ) -> Result<()> {
        let object = Object { header, definition };
        let applied = self.apply(vec![Change::Create { name: name.clone(), object, existing }]).await?;
        if applied.contains(&Applied::Unchanged) {
            self.notify_exists(name);
        }
        Ok(())
    }

    /// The header of an object that this client creates, with an identifier of its own.
    pub(crate) fn header(&self) -> Result<Header> {
        Ok(self.catalog().begin().header(self.user())?)
    }

    /// Whether a relation of this name is there and to be kept; an error where it must not be there.
    pub(crate) fn exists(&self, name: &QualifiedName, existing: Existing) -> Result<bool> {
        let snapshot = self.snapshot();
        let Some(found) = snapshot.relation(name) else {
            return Ok(false);
        };
        match existing {
            Existing::Replace => Ok(false),
            Existing::Keep => {
                self.notify_exists(name);
                Ok(true)
            }
            Existing::Refuse => {
                let noun = found.definition.noun();
                let message = format!("{name} already exists, as {noun}; choose another name, or use OR REPLACE");
                Err(Error::new(Fault::DuplicateTable, message))
            }
        }
    }

    /// What a statement says of a relation that is not there.
    pub(crate) fn no_relation(&self, name: &QualifiedName) -> Error {
        Error::new(
            Fault::UndefinedTable,
            format!("relation {name} does not exist; SELECT * FROM fusewire.sources lists those there are"),
        )
    }

    fn notify_exists(&self, name: &QualifiedName) {
        let text = format!("relation {name} already exists, skipping");
        self.notify(Notice::Remark { fault: Some(Fault::DuplicateTable), text });
    }

    /// Counts a view that is being planned, until the guard is dropped; too many within each other are an error.
    pub(crate) fn enter_view(&self, name: &QualifiedName) -> Result<Depth<'_>> {
        let depth = Depth(&self.view_depth);
        if self.view_depth.fetch_add(1, Ordering::Relaxed) >= MAX_VIEW_DEPTH {
            let message = format!("the view {name} is nested too deeply, or reads itself");
            return Err(Error::new(Fault::LimitExceeded, message));
        }
        Ok(depth)
    }

    /// Counts a statement that is run by its name, until the guard is dropped; too many within each other are an error.
    pub(crate) fn nest(&self) -> Result<Depth<'_>> {
        let depth = Depth(&self.nested);
        if self.nested.fetch_add(1, Ordering::Relaxed) >= MAX_NESTED_STATEMENTS {
            let message = format!("more than {MAX_NESTED_STATEMENTS} statements run one another by their names");
            return Err(Error::new(Fault::LimitExceeded, message));
        }
        Ok(depth)
    }

    /// Parses a text that must be one query.
    pub(crate) fn parse_query(&self, text: &str) -> Result<SqlStatement> {
        super::parse_query(text, self.config().max_parse_depth)
    }

    /// The Arrow type of an SQL type.
    pub(crate) fn data_type(&self, ast: &AstType) -> Result<DataType> {
        data_type(&self.context, ast)
    }
}

impl View {
    pub(crate) fn new(snapshot: Arc<Snapshot>) -> Self {
        Self { current: RwLock::new((snapshot, Arc::from(""))) }
    }

    /// The snapshot that is read now.
    pub(crate) fn snapshot(&self) -> Arc<Snapshot> {
        Arc::clone(&self.current.read().unwrap_or_else(PoisonError::into_inner).0)
    }

    /// The text of the statement that runs now.
    pub(crate) fn statement(&self) -> Arc<str> {
        Arc::clone(&self.current.read().unwrap_or_else(PoisonError::into_inner).1)
    }

    fn set(&self, snapshot: Arc<Snapshot>, statement: &str) {
        *self.current.write().unwrap_or_else(PoisonError::into_inner) = (snapshot, Arc::from(statement));
    }

    pub(crate) fn set_snapshot(&self, snapshot: Arc<Snapshot>) {
        self.current.write().unwrap_or_else(PoisonError::into_inner).0 = snapshot;
    }
}

/// One of those that are within each other.
pub(crate) struct Depth<'a>(&'a AtomicUsize);

impl Drop for Depth<'_> {
    fn drop(&mut self) {
        self.0.fetch_sub(1, Ordering::Relaxed);
    }
}

impl std::fmt::Debug for Client {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        formatter.debug_struct("Client").field("options", &self.options).finish_non_exhaustive()
    }
}

pub(super) fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

/// An outcome of a few rows of text.
pub(crate) fn text_rows(schema: SchemaRef, rows: &[Vec<Option<String>>]) -> Result<Outcome> {
    let columns: Vec<ArrayRef> = (0..schema.fields().len())
        .map(|column| -> ArrayRef {
            Arc::new(rows.iter().map(|row| row.get(column).and_then(Option::as_deref)).collect::<StringArray>())
        })
        .collect();
    let batch = RecordBatch::try_new(Arc::clone(&schema), columns).map_err(DataFusionError::from)?;
    let stream = MemoryStream::try_new(vec![batch], schema, None)?;
    Ok(Outcome::rows(Box::pin(stream)))
}

/// The Arrow type of an SQL type, as the planner of `context` maps it.
fn data_type(context: &SessionContext, ast: &AstType) -> Result<DataType> {
    let mut wanted = ast.clone();
    with_microseconds(&mut wanted);
    let cast = AstExpr::Cast {
        kind: CastKind::Cast,
        expr: Box::new(AstExpr::Value(Value::Null.into())),
        data_type: wanted,
        array: false,
        format: None,
    };
    let planned = context
        .state()
        .create_logical_expr_from_sql_expr(ExprWithAlias { expr: cast, alias: None }, &DFSchema::empty())?;
    match planned {
        Expr::Cast(cast) => Ok(cast.field.data_type().clone()),
        Expr::Literal(value, _) => Ok(value.data_type()),
        other => Err(Error::new(Fault::Internal, format!("the type {ast} was planned as {other}"))),
    }
}
