//! One client's state: its settings, its transaction, its prepared statements and portals.

mod activity;
mod commits;
mod notifications;
mod portals;
mod temporary;
mod transactions;

use std::sync::{
    Arc, Mutex, MutexGuard, PoisonError,
    atomic::{AtomicUsize, Ordering},
};

use arrow::{
    array::{ArrayRef, RecordBatch, StringArray},
    datatypes::SchemaRef,
};
use datafusion::{
    common::DataFusionError,
    execution::{SessionState, TaskContext},
    physical_plan::{ExecutionPlan, memory::MemoryStream},
};
use tokio::sync::mpsc::UnboundedSender;

use super::{
    Notice, Outcome, Scope, Seat, SessionOptions, Shared, Ticket, portal::Portals, prepared::PreparedStatements,
    settings::Settings, transaction::State,
};
use crate::{
    Config, Error, Fault, Result,
    catalog::{Applied, Catalog, Change, Definition, Existing, Header, Object, QualifiedName},
    source::{Access, Rejects},
};

use activity::Presence;
pub(super) use activity::beginning;
pub(crate) use activity::{Seen, Working};
pub(crate) use commits::Staged;
pub(crate) use notifications::Announcement;
use notifications::{Announcements, Mailbox};
pub(crate) use temporary::AtCommit;
use temporary::Temporary;

/// Operators, and the context that they run in.
pub(crate) type Physical = (Arc<dyn ExecutionPlan>, Arc<TaskContext>);

/// What the statements of one client share with the tasks that run them.
pub(crate) struct Client {
    shared: Arc<Shared>,
    options: SessionOptions,
    user: Arc<str>,
    access: Arc<Access>,
    ticket: Mutex<Ticket>,
    settings: Mutex<Settings>,
    transaction: Mutex<State>,
    prepared: Mutex<PreparedStatements>,
    portals: Mutex<Portals>,
    notices: UnboundedSender<Notice>,
    announcements: Mutex<Announcements>,
    mailbox: Mutex<Mailbox>,
    rejects: Arc<Rejects>,
    nested: AtomicUsize,
    presence: Presence,
    temporary: Temporary,
}

/// Statements that one another run by name, as EXECUTE does: deeper ones run themselves.
const MAX_NESTED_STATEMENTS: usize = 16;

impl Client {
    pub(crate) fn new(
        shared: Arc<Shared>,
        engine: SessionState,
        options: SessionOptions,
        access: Access,
        (seat, notices): (Seat, UnboundedSender<Notice>),
    ) -> Self {
        let remarks = notices.clone();
        let rejects = Rejects::new(move |remark| {
            // Nobody listening is no error.
            let _ = remarks.send(Notice::remark(remark));
        });
        let server = (shared.config.statement_timeout_ms, shared.config.max_connections);
        Self {
            shared,
            user: Arc::from(options.user.as_str()),
            access: Arc::new(access),
            ticket: Mutex::default(),
            settings: Mutex::new(Settings::new(&options.user, engine, server)),
            transaction: Mutex::default(),
            prepared: Mutex::default(),
            portals: Mutex::default(),
            notices,
            announcements: Mutex::default(),
            mailbox: Mutex::default(),
            rejects: Arc::new(rejects),
            nested: AtomicUsize::new(0),
            presence: Presence::new(seat),
            temporary: Temporary::default(),
            options,
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

    /// Tells the client something beside the result; nobody listening is no error.
    pub(crate) fn notify(&self, notice: Notice) {
        let _ = self.notices.send(notice);
    }

    /// Creates a relation or a secret, and says so where `IF NOT EXISTS` kept another.
    pub(crate) async fn create(
        &self,
        scope: &Scope,
        name: &QualifiedName,
        header: Header,
        definition: Definition,
        existing: Existing,
    ) -> Result<()> {
        let object = Object { header, definition };
        let mut changes = if scope.is_temporary(name) { vec![self.temporary_schema()?] } else { Vec::new() };
        changes.push(Change::Create { name: name.clone(), object, existing });
        let applied = self.apply(scope, changes).await?;
        if applied.last() == Some(&Applied::Unchanged) {
            scope.notify_exists(name);
        }
        Ok(())
    }

    /// The header of an object that this client creates, with an identifier of its own.
    pub(crate) fn header(&self) -> Result<Header> {
        Ok(self.catalog().begin().header(&*self.user)?)
    }

    /// Whether the statement that runs was called by another, by its name.
    fn is_nested(&self) -> bool {
        self.nested.load(Ordering::Relaxed) > 0
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
