//! One client's connection: its loop, and waiting for a statement while hearing the client.
//!
//! It knows when to answer, not what: statements are `simple`'s and `extended`'s, their running is `task`'s.

use std::collections::BTreeMap;
use std::future::Future;
use std::pin::pin;
use std::sync::Arc;
use std::time::{Duration, Instant};

use pgwire::messages::extendedquery::MESSAGE_TYPE_BYTE_SYNC;
use pgwire::messages::response::{ReadyForQuery, TransactionStatus as WireStatus};
use pgwire::messages::startup::{BackendKeyData, ParameterStatus, SecretKey};
use pgwire::messages::terminate::MESSAGE_TYPE_BYTE_TERMINATE;
use tokio::sync::mpsc::UnboundedReceiver;
use tokio::sync::watch;

use super::cancel::CancelFlag;
use super::encode::Zone;
use super::failure::{Failure, Severity, clean, write, write_error, write_notice};
use super::frontend::{Request, decode, is_extended};
use super::task::Task;
use super::wire::{Frame, Wire};
use crate::engine::{Notice, TransactionStatus};
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
    cancel: CancelFlag,
    shutdown: watch::Receiver<bool>,
    progress_told: Instant,
    /// Between the first message after ReadyForQuery and the next one.
    busy: bool,
    /// After an error in the extended protocol, until Sync.
    skipping: bool,
}

/// What ended a wait.
enum Wake<T> {
    Done(T),
    Notice(Notice),
    Cancelled,
    Shutdown,
    Gone,
    Flush,
}

impl Connection {
    pub(super) fn new(
        wire: Wire,
        (session, notices): (Session, UnboundedReceiver<Notice>),
        cancel: CancelFlag,
        shutdown: watch::Receiver<bool>,
    ) -> Self {
        Self {
            wire,
            session: Arc::new(session),
            zone: Zone::default(),
            notices,
            settings: BTreeMap::new(),
            changed: BTreeMap::new(),
            cancel,
            shutdown,
            progress_told: Instant::now(),
            busy: false,
            skipping: false,
        }
    }

    /// Answers messages until the client leaves or has to.
    pub(super) async fn serve(&mut self) -> Result<(), Failure> {
        self.ready().await?;
        while let Some(frame) = self.next_frame().await? {
            if !self.busy {
                // A cancel request that came too late for the last statement must not hit this one.
                self.cancel.clear();
                self.busy = true;
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

    /// Waits for work while the client is heard: it may cancel or leave, the server may stop, notices are passed on.
    /// On an error the work has not ended; who started it stops it. What commits is waited for, whoever wants it to end: its
    /// outcome is what is told.
    pub(super) async fn supervise<F: Future>(&mut self, work: F) -> Result<F::Output, Failure> {
        let mut work = pin!(work);
        let mut commits = false;
        loop {
            let waiting = !self.wire.outbound.is_empty();
            let wake = tokio::select! {
                biased;
                () = self.cancel.requested(), if !commits => Wake::Cancelled,
                () = stopped(&mut self.shutdown), if !commits => Wake::Shutdown,
                output = &mut work => Wake::Done(output),
                Some(notice) = self.notices.recv() => Wake::Notice(notice),
                () = self.wire.hung_up(), if !commits => Wake::Gone,
                () = tokio::time::sleep(FLUSH_INTERVAL), if waiting => Wake::Flush,
            };
            match wake {
                Wake::Done(output) => return Ok(output),
                Wake::Cancelled | Wake::Shutdown | Wake::Gone if !self.session.cancel() => commits = true,
                Wake::Cancelled => {
                    return Err(Failure::statement(Fault::Cancelled, "canceling statement due to user request"));
                }
                Wake::Shutdown => return Err(shutting_down()),
                Wake::Gone => return Err(Failure::Gone),
                Wake::Notice(notice) => self.tell(notice),
                Wake::Flush => self.wire.flush().await?,
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
            self.zone = Zone::named(&value);
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

    /// Tells the client how to cancel its statements.
    pub(super) fn tell_key(&mut self) {
        let key = BackendKeyData::new(self.cancel.process, SecretKey::Bytes(self.cancel.secret.clone()));
        write(&mut self.wire.outbound, &key);
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
        let idle = !self.busy;
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
                () = stopped(&mut self.shutdown) => return Err(shutting_down()),
                frame = self.wire.message() => return frame,
                () = &mut expired => {
                    let message = "terminating connection due to idle-in-transaction timeout";
                    return Err(Failure::fatal(Fault::IdleInTransaction, message));
                }
                Some(notice) = self.notices.recv(), if idle => {
                    self.tell(notice);
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
        write(&mut self.wire.outbound, &ReadyForQuery::new(status));
        self.busy = false;
        Ok(self.wire.flush().await?)
    }

    /// Tells the client of an error, which ends the work of its transaction.
    pub(super) fn tell_error(&mut self, report: &Report) {
        self.session.fail_transaction();
        self.tell_notices();
        write_error(&mut self.wire.outbound, Severity::Error, report);
    }

    fn tell(&mut self, notice: Notice) {
        let out = &mut self.wire.outbound;
        match notice {
            Notice::Remark { fault, text } => write_notice(out, Severity::Notice, fault, &text),
            Notice::Warning { fault, text } => write_notice(out, Severity::Warning, Some(fault), &text),
            Notice::Setting { name, value } => self.change_setting(name, value),
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

/// Returns when the server stops, and at once when it has been told to.
async fn stopped(shutdown: &mut watch::Receiver<bool>) {
    // Without a sender there is no server any more.
    drop(shutdown.wait_for(|stopped| *stopped).await);
}

fn shutting_down() -> Failure {
    Failure::fatal(Fault::Shutdown, "the server is shutting down")
}
