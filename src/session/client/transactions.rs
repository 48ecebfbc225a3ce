//! A client's transaction and its settings: what statements and messages do to the state machine, and what follows of it for
//! the catalog, for the settings and for whoever is told.

use std::{
    borrow::Cow,
    collections::HashMap,
    sync::{Arc, MutexGuard},
    time::Duration,
};

use chrono::Utc;

use super::{Client, lock};
use crate::{
    Fault, Result,
    catalog::{Snapshot, temporary_schema},
    interrupt::Interrupt,
    pgtype::Styles,
    session::{
        Action, Circumstances, DATABASE, Mode, Modes, Notice, Scope, Ticket, TransactionStatus,
        circumstances::{schemas_on, secrets_of},
        masked::masked_beginning,
        settings::{Reported, SETTINGS, Settings, later},
        transaction::{State, Work},
    },
};

impl Client {
    /// The scope of a statement that starts now: refuses it in a failed transaction, and takes the snapshot it reads.
    pub(crate) fn start(&self, action: &dyn Action, text: &str) -> Result<Arc<Scope>> {
        self.check_terminated()?;
        let ticket = self.claim();
        // It may have been cancelled while it was on its way.
        ticket.check(self.transaction().number())?;
        let started = self.transaction().start(action.ends_transaction(), action.reads_catalog(), self.catalog())?;
        let scope = self.scope(ticket, started, text);
        self.note_statement(action.shown().map_or_else(|| masked_beginning(scope.text()), Arc::from));
        Ok(scope)
    }

    /// The scope in which a text is read, before it is known what it says: until then a cancel is meant for it. What went
    /// before is left alone.
    pub(crate) fn read(&self, text: &str) -> Result<Arc<Scope>> {
        self.check_terminated()?;
        let transaction = self.transaction().number();
        let expected = lock(&self.ticket).claim(transaction);
        if let Some(ticket) = &expected {
            ticket.check(transaction)?;
        }
        Ok(self.scope(expected.unwrap_or_default(), None, text))
    }

    /// The circumstances of a statement that would start now, in the state that its transaction reads.
    pub(crate) fn circumstances(&self) -> Result<Arc<Circumstances>> {
        let snapshot = self.transaction().start(false, false, self.catalog())?;
        Ok(Arc::clone(self.scope(Ticket::default(), snapshot, "").circumstances()))
    }

    /// The scope of what is done with this ticket; without a snapshot it sees the newest.
    pub(crate) fn scope(&self, ticket: Ticket, snapshot: Option<Arc<Snapshot>>, text: &str) -> Arc<Scope> {
        let modes = self.modes();
        let settings = lock(&self.settings).clone();
        let snapshot = snapshot.unwrap_or_else(|| self.catalog().snapshot());
        let started = Utc::now();
        let began = self.transaction().work().map_or(started, Work::began);
        let secrets = Arc::clone(&snapshot);
        let temporary = temporary_schema(self.pid());
        let path = match snapshot.has_schema(&temporary) {
            true => Arc::new(settings.path().with_temporary(&temporary)),
            false => Arc::clone(settings.path()),
        };
        let circumstances = Circumstances {
            pid: self.pid(),
            user: Arc::clone(&self.user),
            role: Arc::clone(&self.user),
            database: Cow::Borrowed(DATABASE),
            schemas: schemas_on(&path, &snapshot),
            path,
            settings: settings.shown(),
            modes,
            began,
            started: started.max(began),
            interrupt: Interrupt::within(self.statement_timeout(&settings)),
            secrets: later(move || secrets_of(&secrets)),
        };
        Arc::new(Scope {
            circumstances: Arc::new(circumstances),
            made_under: None,
            text: Arc::from(text),
            declared: Arc::default(),
            written_in: None,
            snapshot,
            access: Arc::clone(&self.access),
            settings,
            shared: Arc::clone(&self.shared),
            ticket,
            notices: self.notices.clone(),
            rejects: Arc::clone(&self.rejects),
            meant: Arc::default(),
            looked_up: Arc::default(),
            assignments: Arc::default(),
            found: Arc::default(),
            defines: None,
            within: Arc::default(),
        })
    }

    pub(crate) fn transaction_status(&self) -> TransactionStatus {
        self.transaction().status()
    }

    /// Refuses what is no statement that may run in a failed transaction, in one.
    pub(crate) fn refuse_in_failed(&self, resolves: bool) -> Result<()> {
        self.transaction().start(resolves, false, self.catalog()).map(drop)
    }

    /// How many savepoints there are.
    pub(super) fn savepoints(&self) -> usize {
        self.transaction().depth()
    }

    /// Whether the transaction goes on when the statements that joined have ended.
    pub(super) fn is_explicit(&self) -> bool {
        self.transaction_status() != TransactionStatus::Idle
    }

    /// Whether statements stand in what PostgreSQL takes for a transaction block.
    pub(super) fn in_block(&self) -> bool {
        self.transaction().in_block()
    }

    /// Whether each statement is a transaction of its own.
    pub(super) fn is_alone(&self) -> bool {
        self.transaction().work().is_none()
    }

    /// An error was told: what joined is rolled back, and of a block nothing but its end is heard.
    pub(crate) fn fail_transaction(&self) {
        let level = self.savepoints();
        let settings = self.transaction().fail();
        self.fail_portals(level, self.is_explicit());
        self.fail_announcements(self.is_explicit());
        if let Some(settings) = settings {
            // They were in force before, so that the engine takes them again.
            let _ = self.change_settings(|own| own.restore(settings));
        }
    }

    /// The next statement is published together with those that joined before it; `block` where they stand in one text.
    pub(crate) fn join(&self, block: bool) {
        self.transaction().join(block, || self.new_work());
    }

    /// Whether statements have joined, which are to be ended together.
    pub(crate) fn has_joined(&self) -> bool {
        self.transaction().is_implicit()
    }

    /// Whether there is something to publish at the end of what joined.
    pub(crate) fn has_joined_changes(&self) -> bool {
        self.has_joined() && self.transaction().work().is_some_and(|work| work.changes.has_changes())
    }

    /// The end of the statements that joined: publishes what they changed.
    pub(crate) async fn end_implicit(&self, ticket: Ticket) -> Result<()> {
        let work = self.transaction().end_implicit();
        let published = match work {
            Some(work) => self.publish(work, ticket).await,
            None => Ok(()),
        };
        if !self.is_explicit() {
            self.end_portals(published.is_ok());
            self.end_announcements(published.is_ok());
        }
        published
    }

    pub(crate) fn begin(&self, modes: &[Mode]) -> Result<()> {
        if self.transaction_status() != TransactionStatus::Idle {
            self.warn(Fault::ActiveTransaction, "there is already a transaction in progress");
        }
        self.transaction().begin(modes, || self.new_work())
    }

    /// Publishes the transaction; `false` when it had failed and was rolled back. With `chain` the next one begins.
    pub(crate) async fn commit(&self, ticket: &Ticket, chain: bool) -> Result<bool> {
        let ended = {
            let mut state = self.transaction();
            ticket.check(state.number())?;
            state.commit(chain)?
        };
        if ended.outside {
            self.warn(Fault::NoActiveTransaction, "there is no transaction in progress");
        }
        let published = ended.published;
        let Some(work) = ended.work else {
            self.end_portals(published);
            self.end_announcements(published);
            return Ok(published);
        };
        let modes = work.modes();
        let finished = match published {
            true => self.publish(work, ticket.clone()).await,
            false => self.change_settings(|own| own.restore(work.before.clone())),
        };
        self.end_portals(published && finished.is_ok());
        self.end_announcements(published && finished.is_ok());
        finished?;
        self.chain(chain, modes);
        Ok(published)
    }

    /// Forgets the transaction. With `chain` the next one begins.
    pub(crate) fn rollback(&self, chain: bool) -> Result<()> {
        let ended = self.transaction().rollback(chain)?;
        if ended.outside {
            self.warn(Fault::NoActiveTransaction, "there is no transaction in progress");
        }
        self.end_portals(false);
        self.end_announcements(false);
        let Some(work) = ended.work else { return Ok(()) };
        self.change_settings(|own| own.restore(work.before.clone()))?;
        self.chain(chain, work.modes());
        Ok(())
    }

    fn chain(&self, chain: bool, modes: Modes) {
        if chain {
            let work = Work::new(self.catalog().begin(), lock(&self.settings).values(), modes);
            *self.transaction() = State::Open(work);
        }
    }

    pub(crate) fn savepoint(&self, name: &str) -> Result<()> {
        let settings = lock(&self.settings).values();
        self.transaction().savepoint(name, settings)
    }

    pub(crate) fn release(&self, name: &str) -> Result<()> {
        self.transaction().release(name)?;
        self.release_portals(self.savepoints());
        self.release_announcements(self.savepoints());
        Ok(())
    }

    pub(crate) fn rollback_to(&self, name: &str) -> Result<()> {
        let settings = self.transaction().rollback_to(name)?;
        self.take_portals_back(self.savepoints());
        self.take_announcements_back(self.savepoints());
        self.change_settings(|own| own.restore(settings))
    }

    /// `SET TRANSACTION`.
    pub(crate) fn set_modes(&self, modes: &[Mode]) -> Result<()> {
        self.warn_outside("SET TRANSACTION");
        self.transaction().set_modes(modes)
    }

    /// Changes a setting, or sets it back where there is no value; for this transaction alone if it is `local`.
    pub(crate) fn set(&self, name: &str, value: Option<&str>, local: bool) -> Result<()> {
        if local {
            self.warn_outside("SET LOCAL");
        }
        if name == "transaction_isolation" && value.is_none() {
            self.warn_outside("RESET TRANSACTION");
        }
        self.assign(name, value, local)
    }

    /// The same, without a word where it is for no transaction.
    pub(crate) fn assign(&self, name: &str, value: Option<&str>, local: bool) -> Result<()> {
        let (_, checked) = lock(&self.settings).checked(name, value)?;
        if let Some(mode) = Mode::of_setting(name, checked.as_deref()) {
            return self.transaction().set_modes(&[mode]);
        }
        // It would end with its own statement.
        if local && self.transaction().work().is_none() {
            return lock(&self.settings).note(name);
        }
        self.change_settings(|own| own.set(name, value, local))
    }

    /// Takes a setting that the client asked for at the start: RESET goes back to it.
    pub(crate) fn set_start(&self, name: &str, value: &str) -> Result<()> {
        lock(&self.settings).set_start(name, value)
    }

    /// Sets a setting back.
    pub(crate) fn reset(&self, name: &str) -> Result<()> {
        self.set(name, None, false)
    }

    pub(crate) fn reset_all(&self) -> Result<()> {
        self.change_settings(Settings::reset_all)
    }

    /// Refuses a statement that takes no part in a transaction, in one.
    pub(crate) fn stand_alone(&self, statement: &str) -> Result<()> {
        self.transaction().stand_alone(statement)
    }

    /// `DISCARD ALL`: the session is as new.
    pub(crate) fn discard(&self) -> Result<()> {
        self.stand_alone("DISCARD ALL")?;
        self.close_portals();
        self.unlisten_all();
        self.reset_all()?;
        self.deallocate(None)
    }

    pub(crate) fn reported_settings(&self) -> HashMap<String, String> {
        let settings = lock(&self.settings);
        SETTINGS
            .iter()
            .filter_map(|known| known.reported.map(|name| (name.to_owned(), settings.value(known).to_owned())))
            .collect()
    }

    /// The zone of the session's clocks and the styles of its dates and intervals.
    pub(crate) fn reads_in(&self) -> (Arc<str>, Styles) {
        let shown = lock(&self.settings).shown();
        (shown.zone(), shown.styles())
    }

    /// How long the client may leave its transaction alone, or its session where there is none.
    pub(crate) fn idle_limit(&self) -> Option<Duration> {
        let is_open = self.transaction_status() != TransactionStatus::Idle;
        let settings = lock(&self.settings);
        let milliseconds = if is_open { settings.idle_in_transaction_timeout_ms() } else { settings.idle_timeout_ms() };
        (milliseconds > 0).then(|| Duration::from_millis(milliseconds))
    }

    /// Whether the client wants to hear of this.
    pub(crate) fn hears(&self, notice: &Notice) -> bool {
        let gravity = match notice {
            Notice::Remark { .. } => "notice",
            Notice::Warning { .. } => "warning",
            Notice::Progress { .. } | Notice::Setting { .. } | Notice::Notified => return true,
        };
        lock(&self.settings).hears(gravity)
    }

    /// How long a statement may take.
    fn statement_timeout(&self, settings: &Settings) -> Option<Duration> {
        let milliseconds = settings.statement_timeout_ms().unwrap_or(self.config().statement_timeout_ms);
        (milliseconds > 0).then(|| Duration::from_millis(milliseconds))
    }

    /// How the transaction is run, or would be that began now.
    pub(super) fn modes(&self) -> Modes {
        let modes = self.transaction().work().map(Work::modes);
        modes.unwrap_or_else(|| self.default_modes())
    }

    pub(super) fn default_modes(&self) -> Modes {
        lock(&self.settings).default_modes()
    }

    /// A transaction that begins now.
    fn new_work(&self) -> Work {
        let settings = lock(&self.settings);
        Work::new(self.catalog().begin(), settings.values(), settings.default_modes())
    }

    /// Changes the settings and tells the client those that it follows.
    pub(super) fn change_settings(&self, change: impl FnOnce(&mut Settings) -> Result<Reported>) -> Result<()> {
        let reported = change(&mut lock(&self.settings))?;
        for (name, value) in reported {
            self.notify(Notice::Setting { name, value });
        }
        Ok(())
    }

    /// Warns of a statement that is for transaction blocks, outside of one; not of one that another runs, as in PostgreSQL.
    pub(crate) fn warn_outside(&self, statement: &str) {
        if !self.transaction().in_block() && !self.is_nested() {
            self.warn(Fault::NoActiveTransaction, &format!("{statement} can only be used in transaction blocks"));
        }
    }

    fn warn(&self, fault: Fault, text: &str) {
        self.notify(Notice::Warning { fault: Some(fault), text: text.to_owned() });
    }

    /// Whoever has the settings already must not ask for it.
    pub(super) fn transaction(&self) -> MutexGuard<'_, State> {
        lock(&self.transaction)
    }
}
