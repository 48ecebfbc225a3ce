//! A client's prepared statements and portals: what SQL and the protocol do with them.

use std::{mem, sync::Arc};

use datafusion::common::ScalarValue;

use super::{Client, lock};
use crate::{
    Error, Fault, Result,
    interrupt::Interrupt,
    session::{
        Action, Description, Direction, Outcome, Portal, PortalOptions, PreparedStatement, RowsTag, Running, Scope,
        Scroll, TransactionStatus, execute,
        portal::{Content, Fetch, Rows, Run},
        prepared::missing,
        transaction::in_failed,
    },
};

/// What FETCH tells of its rows.
const FETCHED: RowsTag = RowsTag::Counted("FETCH");

/// The protocol's code of the binary form.
const BINARY: i16 = 1;

/// A portal that the protocol binds.
const BOUND: PortalOptions = PortalOptions { scroll: Scroll::No, hold: false, binary: false };

impl Client {
    /// Keeps a statement under a name; one without a name takes the place of another.
    pub(crate) fn keep_statement(&self, name: &str, statement: PreparedStatement) -> Result<()> {
        lock(&self.prepared).keep(name, Arc::new(statement))
    }

    pub(crate) fn prepared(&self, name: &str) -> Result<Arc<PreparedStatement>> {
        lock(&self.prepared).get(name)
    }

    /// The statements that have a name.
    pub(crate) fn statements(&self) -> Vec<(String, Arc<PreparedStatement>)> {
        lock(&self.prepared).all()
    }

    /// The portals and cursors that have a name.
    pub(crate) fn cursors(&self) -> Vec<Arc<Portal>> {
        lock(&self.portals).all()
    }

    /// Forgets the statement of a name, or all that have one.
    pub(crate) fn deallocate(&self, name: Option<&str>) -> Result<()> {
        match name {
            None => lock(&self.prepared).clear(),
            Some(name) if self.forget_statement(name) => {}
            Some(name) => return Err(missing(name)),
        }
        Ok(())
    }

    /// Forgets a statement, if it is there.
    pub(crate) fn forget_statement(&self, name: &str) -> bool {
        lock(&self.prepared).remove(name)
    }

    /// The portal of a name; `noun` is what a client takes it for.
    pub(crate) fn portal(&self, name: &str, noun: &str) -> Result<Arc<Portal>> {
        let missing = || Error::new(Fault::UndefinedCursor, format!("{noun} \"{name}\" does not exist"));
        lock(&self.portals).get(name).ok_or_else(missing)
    }

    /// Refuses a name for a portal that is taken.
    pub(crate) fn check_portal(&self, name: &str) -> Result<()> {
        lock(&self.portals).check(name)
    }

    /// Opens a portal of a statement and its values; it runs when rows are asked for.
    pub(crate) fn bind(
        &self,
        name: &str,
        statement: Arc<PreparedStatement>,
        values: Vec<ScalarValue>,
        formats: Vec<i16>,
    ) -> Result<()> {
        let portal = Portal::new(name, statement, BOUND, formats, Content::Bound(values));
        let level = self.savepoints();
        lock(&self.portals).open(portal, Some(level))
    }

    /// Opens a portal of a query, which reads what there is now.
    pub(crate) async fn declare(
        &self,
        name: &str,
        query: &Arc<dyn Action>,
        options: PortalOptions,
        running: Running<'_>,
    ) -> Result<()> {
        let scope = running.scope;
        if !options.hold && !self.in_block() {
            let message = "DECLARE CURSOR can only be used in transaction blocks";
            return Err(Error::new(Fault::NoActiveTransaction, message));
        }
        self.check_portal(name)?;
        let Outcome::Rows { stream, tag, .. } = query.run(running).await? else {
            return Err(Error::new(Fault::Internal, "the query of a cursor returned no rows"));
        };
        let description = Description { columns: Some(stream.schema()), ..Description::default() };
        let text = scope.text();
        let statement = PreparedStatement::new(Arc::clone(query), (text, Arc::clone(text)), &[], description);
        let pool = &self.shared().runtime.memory_pool;
        let mut rows = Rows::new((stream, tag), scope.interrupt().clone(), options.scroll, pool);
        if options.hold && self.is_alone() {
            rows.complete().await?;
        }
        rows.rest();
        let formats = if options.binary { vec![BINARY] } else { Vec::new() };
        let portal = Portal::new(name, Arc::new(statement), options, formats, Content::Rows(Box::new(rows)));
        let level = if self.is_alone() { None } else { Some(self.savepoints()) };
        lock(&self.portals).open(portal, level)
    }

    /// Runs a portal on for up to `limit` rows; 0 asks for all. `kept` is what its statement returns, where that is known: then
    /// nothing is planned.
    pub(crate) async fn run_portal(
        self: &Arc<Self>,
        scope: &Arc<Scope>,
        portal: &Portal,
        limit: u64,
        kept: Option<Outcome>,
    ) -> Result<Outcome> {
        // As in PostgreSQL, what failed tells of its transaction first.
        if self.transaction_status() == TransactionStatus::Failed && portal.has_failed() {
            return Err(in_failed());
        }
        let mut run = portal.take()?;
        let transaction = self.transaction().number();
        if let Some(outcome) = self.start_portal(scope, portal, &mut run, (limit > 0, kept)).await? {
            run.finish();
            self.end_own(portal, transaction);
            return Ok(outcome);
        }
        let rows = if limit == 0 { u64::MAX } else { limit };
        fetched(portal, run, (false, rows), None)
    }

    /// Ends a portal whose statement has ended its transaction, or has gone back to before it.
    fn end_own(&self, portal: &Portal, transaction: Option<u64>) {
        let goes_back = || portal.statement.action().is_some_and(|action| action.ends_transaction());
        if transaction.is_some() && self.transaction().number() != transaction {
            self.close_portal(&portal.name);
        } else if goes_back() && self.is_explicit() {
            self.take_portals_back(self.savepoints());
        }
    }

    /// `FETCH`.
    pub(crate) async fn fetch(
        self: &Arc<Self>,
        scope: &Arc<Scope>,
        name: &str,
        direction: Direction,
    ) -> Result<Outcome> {
        let (portal, mut run) = self.cursor(scope, name).await?;
        let Some(rows) = run.rows() else { return Err(no_rows(&portal)) };
        let wanted = rows.approach(direction).await?;
        fetched(&portal, run, wanted, Some(FETCHED))
    }

    /// `MOVE`; returns over how many rows it went.
    pub(crate) async fn go(self: &Arc<Self>, scope: &Arc<Scope>, name: &str, direction: Direction) -> Result<u64> {
        let (portal, mut run) = self.cursor(scope, name).await?;
        let Some(rows) = run.rows() else { return Err(no_rows(&portal)) };
        let passed = rows.go(direction).await?;
        run.finish();
        Ok(passed)
    }

    /// `CLOSE`.
    pub(crate) fn close_cursor(&self, name: &str) -> Result<()> {
        if self.portal(name, "cursor")?.is_active() {
            return Err(Error::new(Fault::InvalidCursorState, format!("cannot drop active portal \"{name}\"")));
        }
        self.close_portal(name);
        Ok(())
    }

    /// Closes a portal, if it is there.
    pub(crate) fn close_portal(&self, name: &str) {
        lock(&self.portals).close(name);
    }

    /// Closes all portals but the one that runs.
    pub(crate) fn close_portals(&self) {
        lock(&self.portals).close_all();
    }

    /// Whether the end of the statements that joined is the end of a transaction with cursors that stay after it.
    pub(crate) fn has_joined_cursors(&self) -> bool {
        !self.is_explicit() && !lock(&self.portals).to_hold().is_empty()
    }

    /// Before a COMMIT: takes the rest of the rows of the cursors that stay after it.
    pub(crate) async fn hold_portals(&self, interrupt: &Interrupt) -> Result<()> {
        if self.transaction_status() == TransactionStatus::Failed {
            return Ok(());
        }
        let to_hold = lock(&self.portals).to_hold();
        for portal in to_hold {
            // One that failed is not held, and none of them is the one that runs.
            let Ok(mut run) = portal.take() else { continue };
            if let Some(rows) = run.rows() {
                rows.run_until(interrupt.deadline());
                rows.complete().await?;
            }
            run.finish();
        }
        Ok(())
    }

    /// Where no statement has joined, what was bound ends all the same, and what was announced is done; of a block, with its
    /// end.
    pub(crate) fn end_portals_outside(&self) {
        if !self.is_explicit() {
            self.end_portals(true);
        }
        self.end_announcements_at_rest();
    }

    pub(super) fn end_portals(&self, committed: bool) {
        lock(&self.portals).end_transaction(committed);
    }

    pub(super) fn fail_portals(&self, level: usize, in_block: bool) {
        lock(&self.portals).fail(level, in_block);
    }

    pub(super) fn take_portals_back(&self, level: usize) {
        lock(&self.portals).go_back(level);
    }

    pub(super) fn release_portals(&self, level: usize) {
        lock(&self.portals).release(level);
    }

    /// A portal to read from, in hand and with its statement running.
    async fn cursor(self: &Arc<Self>, scope: &Arc<Scope>, name: &str) -> Result<(Arc<Portal>, Run)> {
        let portal = self.portal(name, "cursor")?;
        let mut run = portal.take()?;
        if portal.columns().is_none() {
            return Err(no_rows(&portal));
        }
        let _nested = self.nest()?;
        self.start_portal(scope, &portal, &mut run, (true, None)).await?;
        Ok((portal, run))
    }

    /// Runs the statement of a portal that has not begun, and gives it the time of the running statement. Returns what came
    /// of a command. `in_portions`: whether it may be left alone before its rows have been read; `kept` is what it returns,
    /// where that is known.
    async fn start_portal(
        self: &Arc<Self>,
        scope: &Arc<Scope>,
        portal: &Portal,
        run: &mut Run,
        (in_portions, kept): (bool, Option<Outcome>),
    ) -> Result<Option<Outcome>> {
        let interrupt = scope.interrupt().clone();
        if let Some(rows) = run.rows() {
            rows.run_until(interrupt.deadline());
            return Ok(None);
        }
        let Some(action) = portal.statement.action() else { return Ok(Some(Outcome::Empty)) };
        let Content::Bound(values) = mem::replace(run.content(), Content::Ran) else {
            return Err(Error::new(Fault::Internal, "a portal was run that cannot be"));
        };
        let scope = &portal.statement.within(scope);
        let outcome = match kept {
            Some(outcome) => outcome,
            None => execute(action.as_ref(), self, scope, &values).await?,
        };
        let (stream, tag) = match outcome {
            Outcome::Rows { stream, tag, .. } => (stream, tag),
            command => return Ok(Some(command)),
        };
        portal.statement.check_columns(self, scope, &stream.schema()).await?;
        let pool = &self.shared().runtime.memory_pool;
        let mut rows = Rows::new((stream, tag), interrupt, portal.options.scroll, pool);
        if in_portions && tag == FETCHED {
            // The cursor that they are from is free for others at once.
            rows.complete().await?;
        }
        *run.content() = Content::Rows(Box::new(rows));
        Ok(None)
    }
}

/// So many rows of a portal, in this direction.
fn fetched(portal: &Portal, run: Run, wanted: (bool, u64), tag: Option<RowsTag>) -> Result<Outcome> {
    let (fetch, own) = Fetch::new(run, wanted).ok_or_else(|| no_rows(portal))?;
    Ok(Outcome::Rows { stream: Box::pin(fetch), tag: tag.unwrap_or(own), binary: portal.options.binary })
}

fn no_rows(portal: &Portal) -> Error {
    let message = format!("portal \"{}\" is not of a query, whose rows could be fetched", portal.name);
    Error::new(Fault::FeatureNotSupported, message)
}
