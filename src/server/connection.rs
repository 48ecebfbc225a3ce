//! One client's connection: its loop, and waiting for a statement while hearing the client.
//!
//! It knows when to answer, not what: statements are `simple`'s and `extended`'s, their running is `task`'s.

use std::collections::BTreeMap;
use std::future::Future;
use std::pin::pin;
use std::sync::Arc;
use std::time::{Duration, Instant};

use pgwire::messages::extendedquery::MESSAGE_TYPE_BYTE_SYNC;
use pgwire::messages::response::{NotificationResponse, ReadyForQuery, TransactionStatus as WireStatus};
use pgwire::messages::startup::{BackendKeyData, ParameterStatus, SecretKey};
use pgwire::messages::terminate::MESSAGE_TYPE_BYTE_TERMINATE;
use tokio::sync::mpsc::UnboundedReceiver;
use tokio::sync::watch;

use super::encode::Zone;
use super::failure::{Failure, Severity, clean, write, write_error, write_notice};
use super::frontend::{Request, decode, is_extended};
use super::task::{Event, Running, Task};
use super::wire::{Frame, Wire};
use crate::engine::{Notice, Notification, TransactionStatus, Working, engine_zone};
use crate::error::Report;
use crate::{Fault, Result, Session};

/// Progress is told no more often than this.
const PROGRESS_INTERVAL: Duration = Duration::from_secs(2);

/// Answers that wait for company leave at the latest after this.
const FLUSH_INTERVAL: Duration = Duration::from_millis(100);

/// A client that has said who it is.
pub(super) struct Connection {
    pub(super) wire: Wire,
    pub(super) session: Arc<Session>,
    /// The zone that instants are shown in.
    pub(super) zone: Zone,
    notices: UnboundedReceiver<Notice>,
    /// The settings that the client follows, as it was told them, and those that have changed since.
    settings: BTreeMap<String, String>,
    changed: BTreeMap<String, String>,
    /// Whether another session asks for the end of this one.
    terminated: watch::Receiver<bool>,
    shutdown: watch::Receiver<bool>,
    progress_told: Instant,
    /// Between the first message after ReadyForQuery and the next one.
    working: Option<Working>,
    /// After an error in the extended protocol, until Sync.
    skipping: bool,
}

/// What ended a wait.
enum Wake<T> {
    Done(T),
    Notice(Notice),
    Terminated,
    Shutdown,
    Gone,
    Flush,
}

/// What comes first of a statement and its client.
pub(super) enum Beside {
    Event(Event),
    Frame(Frame),
}

impl Connection {
    pub(super) fn new(
        wire: Wire,
        (session, notices): (Session, UnboundedReceiver<Notice>),
        shutdown: watch::Receiver<bool>,
    ) -> Self {
        Self {
            wire,
            terminated: session.termination(),
            session: Arc::new(session),
            zone: Zone::default(),
            notices,
            settings: BTreeMap::new(),
            changed: BTreeMap::new(),
            shutdown,
            progress_told: Instant::now(),
            working: None,
            skipping: false,
        }
    }

    /// Answers messages until the client leaves or has to.
    pub(super) async fn serve(&mut self) -> Result<(), Failure> {
        self.ready().await?;
        while let Some(frame) = self.next_frame().await? {
            if self.working.is_none() {
                self.working = Some(self.session.work());
                self.progress_told = Instant::now();
            }
            if frame.kind == MESSAGE_TYPE_BYTE_SYNC || frame.kind == MESSAGE_TYPE_BYTE_TERMINATE {
                self.skipping = false;
            }
            if self.skipping {
                continue;
            }
            let extended = is_extended(frame.kind);
            match self.answer(frame).await {
                Ok(true) => {}
                Ok(false) => return Ok(()),
                Err(Failure::Statement(report)) => {
                    self.tell_error(&report);
                    if extended {
                        self.skipping = true;
                        // A client that has not asked for a reply yet may wait for this one.
                        self.wire.flush().await?;
                    } else {
                        self.ready().await?;
                    }
                }
                Err(other) => return Err(other),
            }
            self.wire.flush_if_full().await?;
        }
        Ok(())
    }

    /// Waits for work while the client is heard: it may leave, it or the server may be to end, notices are passed on.
    /// On an error the work has not ended; who started it stops it. What commits is waited for, whoever wants it to end: its
    /// outcome is what is told.
    pub(super) async fn supervise<F: Future>(&mut self, work: F) -> Result<F::Output, Failure> {
        let mut work = pin!(work);
        let mut commits = false;
        loop {
            let waiting = !self.wire.outbound.is_empty();
            let wake = tokio::select! {
                biased;
                () = told(&mut self.terminated), if !commits => Wake::Terminated,
                () = told(&mut self.shutdown), if !commits => Wake::Shutdown,
                output = &mut work => Wake::Done(output),
                Some(notice) = self.notices.recv() => Wake::Notice(notice),
                () = self.wire.hung_up(), if !commits => Wake::Gone,
                () = tokio::time::sleep(FLUSH_INTERVAL), if waiting => Wake::Flush,
            };
            match wake {
                Wake::Done(output) => return Ok(output),
                Wake::Terminated | Wake::Shutdown | Wake::Gone if !self.session.cancel() => commits = true,
                Wake::Terminated => return Err(terminated()),
                Wake::Shutdown => return Err(shutting_down()),
                Wake::Gone => return Err(Failure::Gone),
                Wake::Notice(notice) => self.tell(notice),
                Wake::Flush => self.wire.flush().await?,
            }
        }
    }

    /// The next message while a statement takes them, unless the statement ends first.
    pub(super) async fn next_beside(&mut self, running: &mut Running) -> Result<Beside, Failure> {
        loop {
            tokio::select! {
                biased;
                () = told(&mut self.terminated) => return Err(terminated()),
                () = told(&mut self.shutdown) => return Err(shutting_down()),
                event = running.next() => return Ok(Beside::Event(event?)),
                frame = self.wire.message() => return frame?.map(Beside::Frame).ok_or(Failure::Gone),
                Some(notice) = self.notices.recv() => self.tell(notice),
            }
        }
    }

    /// Runs work that returns one value, a panic becoming an error.
    pub(super) async fn offload<T: Send + 'static>(
        &mut self,
        work: impl Future<Output = Result<T>> + Send + 'static,
    ) -> Result<T, Failure> {
        self.session.expect_statement();
        let mut task = Task::start(work);
        Ok(self.supervise(task.result()).await??)
    }

    /// Ends the transaction of statements that joined one another without BEGIN.
    pub(super) async fn finish(&mut self) -> Result<(), Failure> {
        let session = Arc::clone(&self.session);
        session.expect_end();
        Ok(self.supervise(async move { session.finish().await }).await??)
    }

    /// Passes on what the session has told so far, so that it stands before the end of its statement.
    pub(super) fn tell_notices(&mut self) {
        while let Ok(notice) = self.notices.try_recv() {
            self.tell(notice);
        }
    }

    /// Acts upon the new value of a setting that the client follows.
    pub(super) fn change_setting(&mut self, name: String, value: String) {
        if name.eq_ignore_ascii_case("timezone") {
            // The session has checked the name; one that is unknown here is shown in UTC.
            self.zone = Zone::of_session(&engine_zone(&value));
        }
        self.changed.insert(name, value);
    }

    /// Tells the client the settings whose values are others than it knows.
    pub(super) fn tell_settings(&mut self) {
        for (name, value) in std::mem::take(&mut self.changed) {
            if self.settings.get(&name) != Some(&value) {
                write(&mut self.wire.outbound, &ParameterStatus::new(clean(&name), clean(&value)));
                self.settings.insert(name, value);
            }
        }
    }

    /// Tells the client what others have said on its channels, unless it is in a transaction.
    fn tell_notifications(&mut self) {
        for Notification { pid, channel, payload } in self.session.notifications() {
            let message = NotificationResponse::new(pid, clean(&channel), clean(&payload));
            write(&mut self.wire.outbound, &message);
        }
    }

    /// Tells the client how to cancel its statements, by a key of so many bytes (a multiple of 4).
    pub(super) fn tell_key(&mut self, bytes: usize) {
        let (process, key) = self.session.cancel_key(bytes);
        write(&mut self.wire.outbound, &BackendKeyData::new(process, SecretKey::Bytes(key.into())));
    }

    // False at Terminate.
    async fn answer(&mut self, frame: Frame) -> Result<bool, Failure> {
        match decode(frame)? {
            Request::Query(query) => {
                self.query(query).await?;
                self.ready().await?;
            }
            Request::Parse(message) => self.parse(message).await?,
            Request::Bind(message) => self.bind(message)?,
            Request::Describe(message) => self.describe(message)?,
            Request::Execute(message) => self.execute(message).await?,
            Request::Close(message) => self.close(message),
            Request::Flush => self.wire.flush().await?,
            Request::Sync => self.sync().await?,
            Request::FunctionCall => {
                let message = "function calls of the protocol are not supported; call the function in a SELECT";
                return Err(Failure::statement(Fault::FeatureNotSupported, message));
            }
            // A copy is refused where its statement is; the client may have sent rows before it knew.
            Request::CopyLeftover => {}
            Request::Terminate => return Ok(false),
        }
        Ok(true)
    }

    async fn next_frame(&mut self) -> Result<Option<Frame>, Failure> {
        let idle = self.working.is_none();
        let limit = if idle { self.session.idle_limit() } else { None };
        let mut expired = pin!(async {
            match limit {
                Some(limit) => tokio::time::sleep(limit).await,
                None => std::future::pending().await,
            }
        });
        loop {
            tokio::select! {
                biased;
                () = told(&mut self.terminated) => return Err(terminated()),
                () = told(&mut self.shutdown) => return Err(shutting_down()),
                frame = self.wire.message() => return frame,
                () = &mut expired => return Err(left_alone(self.session.transaction_status())),
                Some(notice) = self.notices.recv(), if idle => {
                    self.tell(notice);
                    self.tell_notifications();
                    self.wire.flush().await?;
                }
            }
        }
    }

    pub(super) async fn ready(&mut self) -> Result<(), Failure> {
        let status = match self.session.transaction_status() {
            TransactionStatus::Idle => WireStatus::Idle,
            TransactionStatus::Open => WireStatus::Transaction,
            TransactionStatus::Failed => WireStatus::Error,
        };
        self.tell_notices();
        self.tell_settings();
        self.tell_notifications();
        write(&mut self.wire.outbound, &ReadyForQuery::new(status));
        self.working = None;
        Ok(self.wire.flush().await?)
    }

    /// Tells the client of an error, which ends the work of its transaction.
    pub(super) fn tell_error(&mut self, report: &Report) {
        self.session.fail_transaction();
        self.tell_notices();
        write_error(&mut self.wire.outbound, Severity::Error, report);
    }

    fn tell(&mut self, notice: Notice) {
        if !self.session.hears(&notice) {
            return;
        }
        let out = &mut self.wire.outbound;
        match notice {
            Notice::Remark { fault, text } => write_notice(out, Severity::Notice, fault, &text),
            Notice::Warning { fault, text } => write_notice(out, Severity::Warning, fault, &text),
            Notice::Setting { name, value } => self.change_setting(name, value),
            // It is told when the client is ready for it.
            Notice::Notified => {}
            Notice::Progress { phase, done, total, loss } => {
                if self.progress_told.elapsed() >= PROGRESS_INTERVAL {
                    self.progress_told = Instant::now();
                    let loss = loss.map(|loss| format!(", loss {loss:.6}")).unwrap_or_default();
                    write_notice(out, Severity::Info, None, &format!("{phase} {done} of {total}{loss}"));
                }
            }
        }
    }
}

/// Returns when the session or the server is told to end, and at once when it has been.
async fn told(end: &mut watch::Receiver<bool>) {
    // Without a sender there is neither any more.
    drop(end.wait_for(|told| *told).await);
}

/// The client has said nothing for longer than it may.
fn left_alone(status: TransactionStatus) -> Failure {
    let (fault, message) = match status {
        TransactionStatus::Idle => (Fault::IdleSession, "terminating connection due to idle-session timeout"),
        _ => (Fault::IdleInTransaction, "terminating connection due to idle-in-transaction timeout"),
    };
    Failure::fatal(fault, message)
}

fn terminated() -> Failure {
    Failure::fatal(Fault::Shutdown, "terminating connection due to administrator command")
}

fn shutting_down() -> Failure {
    Failure::fatal(Fault::Shutdown, "the server is shutting down")
}
