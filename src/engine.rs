//! The engine and its sessions: what embedding programs, the shell and the server talk to, and the only builder of a
//! query context.

use std::{collections::HashMap, sync::Arc, time::Duration};

use arrow::datatypes::DataType;
use datafusion::{
    common::ScalarValue,
    config::Dialect,
    execution::SessionStateBuilder,
    prelude::{SessionConfig, SessionContext},
};
use fusewire_udfs::{FunctionContext, Limits};
use tokio::sync::{
    mpsc::{UnboundedReceiver, unbounded_channel},
    watch,
};

pub(crate) use crate::session::{DATABASES, Working, engine_zone};
use crate::{
    Config, Error, Fault, Result,
    pgtype::{self, ColumnType, Styles},
    planning,
    session::{
        ArrowTypes, Client, DATABASE, Known, PATH_SCHEMA, Reading, Scope, Shared, asking_analyzers, asking_optimizers,
        describe, execute, functions,
    },
    source::{self, Access, Source, Sources},
};
pub use crate::{
    copy::{CopyFeed, CopyIn, CopyOut},
    session::{
        Circumstances, Description, Notice, Notification, Origin, Outcome, Parameter, Portal, PreparedStatement,
        RowsTag, SessionOptions, TransactionStatus,
    },
    statement::Statement,
};

/// What all sessions share: the configuration, the memory, the threads and the catalog. Cheap to clone.
#[derive(Clone)]
pub struct Engine {
    shared: Arc<Shared>,
}

/// An engine that is about to be opened, with what a program adds to it.
#[derive(Debug)]
pub struct EngineBuilder {
    config: Config,
    sources: Vec<Arc<dyn Source>>,
}

impl EngineBuilder {
    /// Adds a kind of source: `STORED AS` with one of its names is for it.
    pub fn source(mut self, source: impl Source + 'static) -> Self {
        self.sources.push(Arc::new(source));
        self
    }

    /// Opens the engine: locks the data directory and reads what was committed.
    pub async fn open(self) -> Result<Engine> {
        let mut sources = Sources::default();
        for source in self.sources {
            sources.add(source)?;
        }
        Ok(Engine { shared: Arc::new(Shared::open(self.config, sources, crate::statement::parse_view)?) })
    }
}

/// One client of an [`Engine`].
#[derive(Debug, Clone)]
pub struct Session {
    client: Arc<Client>,
}

impl Engine {
    /// Opens an engine as it is; [`Engine::builder`] opens one with more.
    pub async fn open(config: Config) -> Result<Self> {
        Self::builder(config).open().await
    }

    /// An engine to add to before it is opened.
    pub fn builder(config: Config) -> EngineBuilder {
        EngineBuilder { config, sources: Vec::new() }
    }

    /// The configuration that the engine was opened with.
    pub fn config(&self) -> &Config {
        &self.shared.config
    }

    /// A new session and the stream of what it has to tell beside results.
    pub fn session(&self, options: SessionOptions) -> Result<(Session, UnboundedReceiver<Notice>)> {
        let (sender, notices) = unbounded_channel();
        let progress = sender.clone();
        let functions_context = Arc::new(FunctionContext {
            registry: Arc::clone(&self.shared.registry),
            progress: Arc::new(move |event| {
                let _ = progress.send(event.into());
            }),
            threads: self.config().threads,
            limits: Limits {
                input_rows: self.config().max_training_rows as u64,
                model_bytes: self.config().max_model_bytes as u64,
            },
        });
        let mut builder = SessionStateBuilder::new()
            .with_config(self.session_config())
            .with_runtime_env(Arc::clone(&self.shared.runtime))
            .with_default_features()
            .with_type_planner(Arc::new(ArrowTypes))
            .with_analyzer_rules(asking_analyzers(planning::analyzer_rules()))
            .with_optimizer_rules(asking_optimizers(planning::optimizer_rules()))
            .with_physical_optimizer_rules(planning::physical_rules());
        let planners = builder.expr_planners().get_or_insert_default();
        planners.insert(0, Arc::new(planning::Arrays));
        planners.insert(0, Arc::new(planning::Records));
        planners.push(Arc::new(planning::Operators));
        let builder = fusewire_udfs::register(builder, functions_context).with_query_planner(planning::planner());
        let mut state = builder.build();
        for writer in source::writers() {
            state.register_file_format(writer, true)?;
        }
        let context = SessionContext::new_with_state(state);
        functions::register(&context, &options.user);
        let seat = self.shared.sessions.reserve();
        functions::register_sessions(&context, seat.pid(), &self.shared.sessions, &sender);
        let access = self.access(options.origin);
        let client = Arc::new(Client::new(Arc::clone(&self.shared), context.state(), options, access, (seat, sender)));
        client.enter();
        Ok((Session { client }, notices))
    }

    /// Cancels what the session of this number works on, if this is its key; otherwise nothing, and the caller learns nothing.
    pub(crate) fn cancel(&self, pid: i32, key: &[u8]) {
        if let Some(client) = self.shared.sessions.find(pid)
            && client.has_cancel_key(key)
        {
            client.request_cancel();
        }
    }

    fn access(&self, origin: Origin) -> Access {
        match origin {
            Origin::Local => Access::Local,
            Origin::Wire => Access::Wire {
                allowed: self.config().allow_paths.clone(),
                data_dir: Some(self.shared.catalog.directory().root().to_owned()),
            },
        }
    }

    fn session_config(&self) -> SessionConfig {
        let config = &self.shared.config;
        let mut session = SessionConfig::new()
            .with_create_default_catalog_and_schema(false)
            .with_default_catalog_and_schema(DATABASE, PATH_SCHEMA)
            // Ours is a schema like any other; the query engine's would open every table.
            .with_information_schema(false)
            .with_batch_size(session_batch(config))
            .with_target_partitions(session_partitions(config));
        let options = session.options_mut();
        options.sql_parser.collect_spans = true;
        options.sql_parser.dialect = Dialect::PostgreSQL;
        options.sql_parser.parse_float_as_decimal = true;
        // Filters inside Parquet files, and the order that a subquery states, are kept.
        options.execution.parquet.pushdown_filters = true;
        options.execution.parquet.reorder_filters = true;
        options.sql_parser.enable_subquery_sort_elimination = false;
        // What one partition has as the least and the greatest value leaves out another's rows, where a file has nothing but NULL.
        options.optimizer.enable_aggregate_dynamic_filter_pushdown = false;
        // What a rewritten expression could be is not always known as well as what the written one could.
        options.execution.skip_physical_aggregate_schema_check = true;
        // Each sort sets memory aside for merging what it spilled: a part of its own share where that is small.
        let share = config.memory_limit_bytes / (SORTS_AT_ONCE * session_partitions(config));
        let spilling = &mut options.execution.sort_spill_reservation_bytes;
        *spilling = (*spilling).min(share);
        options.execution.time_zone = Some("UTC".into());
        session
    }
}

/// Sorts of one statement that are expected to run at a time, in each partition.
const SORTS_AT_ONCE: usize = 8;

/// Memory that a partition should have: with less, what sorts or groups cannot spill and merge what it spilled any more.
const BYTES_OF_PARTITION: usize = 8 << 20;

/// A partition with less memory than this gets smaller batches.
const SHORT_OF_MEMORY: usize = 32 << 20;

/// Memory that such a partition should have for each row of a batch: it holds tens of batches while it merges.
const BYTES_OF_ROW: usize = 16 << 10;

/// No batch is made smaller than this for the sake of memory.
const SMALLEST_BATCH: usize = 64;

/// As many partitions as are asked for and have their memory.
fn session_partitions(config: &Config) -> usize {
    let wanted = match config.target_partitions {
        0 => config.threads,
        partitions => partitions,
    };
    wanted.min(config.memory_limit_bytes / BYTES_OF_PARTITION).max(1)
}

/// Batches as large as is asked for and the memory of a partition allows.
fn session_batch(config: &Config) -> usize {
    let share = config.memory_limit_bytes / session_partitions(config);
    match share < SHORT_OF_MEMORY {
        true => config.batch_size.min((share / BYTES_OF_ROW).max(SMALLEST_BATCH)),
        false => config.batch_size,
    }
}

impl Session {
    /// Splits a text into its statements, in the time of a statement. A syntax error carries its position.
    pub async fn parse(&self, sql: &str) -> Result<Vec<Statement>> {
        if let Some(known) = self.known(sql) {
            return Ok(vec![known]);
        }
        let _working = self.client.work();
        let scope = self.client.read(sql)?;
        let within = Arc::clone(&scope);
        let work = async move { crate::statement::parse(within.text(), Reading::new(within.shared())) };
        let statements = self.timed(&scope, work).await?;
        if let [statement @ Statement { memory: None, .. }] = statements.as_slice() {
            let Statement { text, source, action, .. } = statement;
            let known =
                Known { action: Arc::clone(action), text: Arc::from(text.as_str()), source: Arc::clone(source) };
            self.client.shared().plans.keep_statement(known);
            crate::statement::keep_shape(self.client.shared(), statement);
        }
        Ok(statements)
    }

    /// The statement that a text is, where it was read before and is kept.
    pub(crate) fn known(&self, sql: &str) -> Option<Statement> {
        let Known { action, text, source } = self.client.shared().plans.statement(sql)?;
        Some(Statement { text: text.to_string(), source, action, memory: None })
    }

    /// The statement that a text is, where one was read before and is kept that differs from it in values alone.
    pub(crate) fn shaped(&self, sql: &str) -> Option<Statement> {
        crate::statement::shaped(self.client.shared(), sql)
    }

    /// What the statement takes and returns, found in the time of a statement. Never runs it, never trains. `types` are those
    /// the client declared.
    pub async fn describe(&self, statement: &Statement, types: &[Option<DataType>]) -> Result<Description> {
        self.describe_declared(statement, types, &[]).await
    }

    /// The same; `told` are those types that Arrow's do not tell.
    async fn describe_declared(
        &self,
        statement: &Statement,
        types: &[Option<DataType>],
        told: &[Option<ColumnType>],
    ) -> Result<Description> {
        let _working = self.client.work();
        let scope = self.client.start(statement.action.as_ref(), &statement.text)?.declaring(told);
        let (client, task, types) = (Arc::clone(&self.client), statement.clone(), types.to_vec());
        let within = Arc::clone(&scope);
        let work = async move { describe(task.action.as_ref(), &client, &within, &types).await };
        self.timed(&scope, work).await.map_err(|error| error.located(&statement.source))
    }

    /// Runs the statement. Dropping the future or the stream cancels it, unless its commit has begun: what is told to have
    /// been cancelled must have been so by [`Session::cancel`].
    pub async fn execute(&self, statement: &Statement, parameters: &[ScalarValue]) -> Result<Outcome> {
        let working = self.client.work();
        let scope = self.client.start(statement.action.as_ref(), &statement.text)?;
        if let Some(outcome) = statement.action.answer(&scope, parameters) {
            return Ok(outcome.watched(scope.ticket().clone(), working));
        }
        let (client, task, values) = (Arc::clone(&self.client), statement.clone(), parameters.to_vec());
        let within = Arc::clone(&scope);
        let work = async move { execute(task.action.as_ref(), &client, &within, &values).await };
        let outcome = self.timed(&scope, work).await.map(|outcome| outcome.watched(scope.ticket().clone(), working));
        outcome.map_err(|error| error.located(&statement.source))
    }

    /// Keeps the one statement of a text under a name, with the types of its parameters that the client declares by their
    /// oids; 0 leaves one open. The statement without a name takes the place of the one before it. What names or types are
    /// wrong in it, is told here.
    pub async fn prepare(&self, name: &str, sql: &str, types: &[u32]) -> Result<()> {
        if name.is_empty() {
            self.client.forget_statement(name);
        }
        let mut statements = self.parse(sql).await?;
        if statements.len() > 1 {
            return Err(Error::new(Fault::Syntax, "cannot insert multiple commands into a prepared statement"));
        }
        let prepared = match statements.pop() {
            None => PreparedStatement::empty(),
            Some(statement) => {
                let declared: Vec<_> = types.iter().map(|oid| pgtype::arrow(*oid, -1)).collect();
                let told = types.iter().zip(&declared);
                let told: Vec<_> = told.map(|(oid, arrow)| pgtype::told_of(*oid, arrow.as_ref()?)).collect();
                let described = self.describe_declared(&statement, &declared, &told).await?;
                let (zone, styles) = self.reads_in();
                PreparedStatement::new(statement.action, (statement.text.as_str(), statement.source), types, described)
                    .written_in(zone, styles)
                    .with_memory(statement.memory)
            }
        };
        self.client.keep_statement(name, prepared)
    }

    /// The statement of a name: one that was prepared here, or by `PREPARE`.
    pub fn statement(&self, name: &str) -> Result<Arc<PreparedStatement>> {
        self.client.prepared(name)
    }

    /// The same, to tell of its rows: in a failed transaction there are none.
    pub fn describe_statement(&self, name: &str) -> Result<Arc<PreparedStatement>> {
        let statement = self.statement(name)?;
        if statement.columns().is_some() {
            self.client.refuse_in_failed(false)?;
        }
        Ok(statement)
    }

    /// Whether [`Session::bind`] could open a portal of this name, whatever the values are.
    pub fn check_bind(&self, name: &str, statement: &PreparedStatement) -> Result<()> {
        self.client.refuse_in_failed(statement.action().is_some_and(|action| action.ends_transaction()))?;
        self.client.check_portal(name)
    }

    /// Opens a portal of a statement with the values of its parameters, of the types that the statement takes. `formats` are
    /// kept for whoever writes its rows.
    pub fn bind(
        &self,
        name: &str,
        statement: Arc<PreparedStatement>,
        values: Vec<ScalarValue>,
        formats: Vec<i16>,
    ) -> Result<()> {
        self.check_bind(name, &statement)?;
        self.client.bind(name, statement, values, formats)
    }

    /// The portal of a name: one that was bound here, or a cursor of `DECLARE`.
    pub fn describe_portal(&self, name: &str) -> Result<Arc<Portal>> {
        let portal = self.client.portal(name, "portal")?;
        if portal.columns().is_some() {
            self.client.refuse_in_failed(false)?;
        }
        Ok(portal)
    }

    /// Runs a portal on, for as many rows as `limit` says; 0 asks for all. Dropping the future or the stream before its end
    /// cancels it.
    pub async fn execute_portal(&self, name: &str, limit: u64) -> Result<Outcome> {
        let portal = self.describe_portal(name)?;
        let statement = Arc::clone(portal.statement());
        let Some(action) = statement.action() else { return Ok(Outcome::Empty) };
        let working = self.client.work();
        self.client.join(false);
        let scope = self.client.start(action.as_ref(), statement.text())?;
        let (client, within) = (Arc::clone(&self.client), Arc::clone(&scope));
        // Where its rows are there, nothing is computed.
        let kept = portal.answered(|values| action.answer(&statement.within(&scope), values));
        let is_there = kept.is_some();
        let work = async move { client.run_portal(&within, &portal, limit, kept).await };
        let outcome = if is_there { work.await } else { self.timed(&scope, work).await };
        let outcome = outcome.map(|outcome| outcome.watched(scope.ticket().clone(), working));
        outcome.map_err(|error| error.located(statement.source()))
    }

    /// Forgets the statement of a name, if it is there; its portals stay.
    pub fn close_statement(&self, name: &str) {
        self.client.forget_statement(name);
    }

    /// Closes the portal of a name, if it is there.
    pub fn close_portal(&self, name: &str) {
        self.client.close_portal(name);
    }

    /// Runs work of the statement that was started, for as long as it may take.
    async fn timed<T: Send + 'static>(
        &self,
        scope: &Scope,
        work: impl Future<Output = Result<T>> + Send + 'static,
    ) -> Result<T> {
        self.client.shared().timed(scope, work).await
    }

    /// A statement is about to start, or to be described: from now on [`Session::cancel`] is meant for it, even if it has
    /// not come to start yet.
    pub fn expect_statement(&self) {
        self.client.expect();
    }

    /// The same of [`Session::finish`].
    pub fn expect_end(&self) {
        self.client.expect_end();
    }

    /// Cancels the statement that runs, and says whether it is cancelled: then nothing of it will be published, and its
    /// future is to be dropped. Otherwise its commit has begun, and its outcome is to be waited for.
    pub fn cancel(&self) -> bool {
        self.client.cancel()
    }

    /// The session works until this is dropped, beside and between its statements too.
    pub(crate) fn work(&self) -> Working {
        self.client.work()
    }

    /// The session's number and the key to cancel what it works on, of so many bytes.
    pub(crate) fn cancel_key(&self, bytes: usize) -> (i32, Vec<u8>) {
        (self.client.pid(), self.client.cancel_key(bytes).to_vec())
    }

    /// Becomes true when another session asks for the end of this one. Its statements are refused then.
    pub(crate) fn termination(&self) -> watch::Receiver<bool> {
        self.client.termination()
    }

    /// What a statement that started now would know of the session and its transaction. A worker is sent it beside a plan, so
    /// that functions yield there what they yield here.
    pub fn circumstances(&self) -> Result<Arc<Circumstances>> {
        self.client.circumstances()
    }

    /// Where the session stands.
    pub fn transaction_status(&self) -> TransactionStatus {
        self.client.transaction_status()
    }

    /// The settings that the protocol reports at the start of a connection (`server_version`, `client_encoding`, …).
    pub fn reported_settings(&self) -> HashMap<String, String> {
        self.client.reported_settings()
    }

    /// The zone of its clocks and the styles of its dates and intervals, in which texts are read.
    pub(crate) fn reads_in(&self) -> (Arc<str>, Styles) {
        self.client.reads_in()
    }

    /// Takes a setting that the client asks for at the start of its connection: RESET goes back to it.
    pub fn set(&self, name: &str, value: &str) -> Result<()> {
        self.client.set_start(&name.to_lowercase(), value)
    }

    /// Makes the next statement part of one transaction with those that joined before it, which [`Session::finish`] ends;
    /// `block` where they stand in one text. Without it a statement outside of a transaction commits by itself.
    pub fn join(&self, block: bool) {
        self.client.join(block);
    }

    /// Publishes what the statements that joined have changed. What is between BEGIN and COMMIT goes on.
    pub async fn finish(&self) -> Result<()> {
        if !self.client.has_joined() {
            self.client.end_portals_outside();
            return Ok(());
        }
        self.client.check_terminated()?;
        let _working = self.client.work();
        let (client, ticket) = (Arc::clone(&self.client), self.client.claim());
        if !client.has_joined_changes() && !client.has_joined_cursors() {
            // Nothing that would take time.
            return client.end_implicit(ticket).await;
        }
        // The cursors that are held have the time of a statement.
        let scope = self.client.scope(ticket.clone(), None, "");
        let interrupt = scope.interrupt().clone();
        let work = async move {
            client.hold_portals(&interrupt).await?;
            client.end_implicit(ticket).await
        };
        self.client.shared().compute(&scope, work).await
    }

    /// Marks an open transaction as failed, and rolls back the statements that joined: called by whoever shows an error to
    /// the client.
    pub fn fail_transaction(&self) {
        self.client.fail_transaction();
    }

    /// Whether the client wants to hear of this, by its `client_min_messages`.
    pub fn hears(&self, notice: &Notice) -> bool {
        self.client.hears(notice)
    }

    /// What others have said since on the channels that the session listens to; nothing within a transaction. Whoever lets
    /// a session listen reads this when a statement has ended, and when it is told that it was notified.
    pub fn notifications(&self) -> Vec<Notification> {
        self.client.take_notifications()
    }

    /// How long the client may leave its transaction alone, while one is open; otherwise, how long its session.
    pub fn idle_limit(&self) -> Option<Duration> {
        self.client.idle_limit()
    }
}

impl std::fmt::Debug for Engine {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        formatter.debug_struct("Engine").field("config", self.config()).finish_non_exhaustive()
    }
}

#[cfg(test)]
mod tests;
