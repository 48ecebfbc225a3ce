//! What others see of a session while it works and rests, and what they may ask of it.
//!
//! It works while a message is answered or a statement runs, whose rows are still read; otherwise it is idle, within a
//! transaction or outside. Nothing here waits, and nothing is copied when a statement starts.

use std::{
    net::SocketAddr,
    sync::{Arc, Mutex, OnceLock},
    time::{Duration, Instant, SystemTime},
};

use tokio::{
    runtime::{Handle, RuntimeFlavor},
    sync::watch,
};

use super::{Client, lock};
use crate::{
    Result,
    session::{Origin, Scope, Stop, Ticket, TransactionStatus, cancel_key::CancelKey, registry::Seat},
};

/// How much of a statement others are shown, in bytes; as much as PostgreSQL shows by default.
const SHOWN_BYTES: usize = 1_023;

/// How often a statement that waits looks whether it is to go on.
const LOOK_INTERVAL: Duration = Duration::from_millis(10);

/// A session's place among the others, and what it does.
#[derive(Debug)]
pub(super) struct Presence {
    seat: Seat,
    began: SystemTime,
    /// None before a client was told it.
    key: OnceLock<CancelKey>,
    /// Whether it is to end.
    terminated: watch::Sender<bool>,
    activity: Mutex<Activity>,
}

#[derive(Debug)]
struct Activity {
    /// Messages and statements that are worked on; a statement is within its message.
    works: usize,
    /// When that, or the statement, changed.
    changed: SystemTime,
    /// The statement that runs or ran last.
    text: Arc<str>,
    statement_began: Option<SystemTime>,
    /// The transaction that is open, or that the statement belongs to.
    transaction: Option<u64>,
    transaction_began: Option<SystemTime>,
    /// Whether somebody has asked for the end of what is worked on.
    cancelled: bool,
}

/// What others see of a session.
#[derive(Debug, Clone)]
pub(crate) struct Seen {
    pub(crate) pid: i32,
    pub(crate) user: String,
    pub(crate) origin: Origin,
    pub(crate) address: Option<SocketAddr>,
    pub(crate) application: String,
    /// In PostgreSQL's words.
    pub(crate) state: &'static str,
    /// The beginning of the statement that runs or ran last.
    pub(crate) text: String,
    pub(crate) began: SystemTime,
    pub(crate) transaction_began: Option<SystemTime>,
    pub(crate) statement_began: Option<SystemTime>,
    pub(crate) changed: SystemTime,
}

/// Something that a session works on, until it is dropped.
#[derive(Debug)]
pub(crate) struct Working(Arc<Client>);

/// As much of a statement as others are shown.
pub(in crate::session) fn beginning(text: &str) -> &str {
    &text[..text.floor_char_boundary(SHOWN_BYTES)]
}

impl Presence {
    pub(super) fn new(seat: Seat) -> Self {
        let now = SystemTime::now();
        Self {
            seat,
            began: now,
            key: OnceLock::new(),
            terminated: watch::channel(false).0,
            activity: Mutex::new(Activity::new(now)),
        }
    }
}

impl Activity {
    fn new(now: SystemTime) -> Self {
        Self {
            works: 0,
            changed: now,
            text: Arc::from(""),
            statement_began: None,
            transaction: None,
            transaction_began: None,
            cancelled: false,
        }
    }

    /// Work begins.
    fn work(&mut self, now: SystemTime) {
        if self.works == 0 {
            self.change(now);
        }
        self.works += 1;
    }

    /// A statement starts in this transaction; none: one of its own.
    fn start(&mut self, text: Arc<str>, transaction: Option<u64>, now: SystemTime) {
        self.text = text;
        (self.changed, self.statement_began) = (now, Some(now));
        if transaction.is_none() || transaction != self.transaction {
            (self.transaction, self.transaction_began) = (transaction, Some(now));
        }
    }

    /// Work ends, and leaves this transaction.
    fn rest(&mut self, transaction: Option<u64>, now: SystemTime) {
        self.works = self.works.saturating_sub(1);
        if self.works > 0 {
            return;
        }
        self.change(now);
        if transaction != self.transaction {
            // The statement has begun it, or has ended it and begun the next.
            (self.transaction, self.transaction_began) = (transaction, self.statement_began);
        }
        if transaction.is_none() {
            self.transaction_began = None;
        }
    }

    /// What was asked of the work before is not meant for the next.
    fn change(&mut self, now: SystemTime) {
        (self.changed, self.cancelled) = (now, false);
    }

    /// The state in the words of PostgreSQL's `pg_stat_activity`.
    fn state(&self, status: TransactionStatus) -> &'static str {
        match status {
            _ if self.works > 0 => "active",
            TransactionStatus::Idle => "idle",
            TransactionStatus::Open => "idle in transaction",
            TransactionStatus::Failed => "idle in transaction (aborted)",
        }
    }
}

impl Client {
    /// The session is made: others find it.
    pub(crate) fn enter(self: &Arc<Self>) {
        self.presence.seat.take(Arc::downgrade(self));
    }

    /// The session's number.
    pub(crate) fn pid(&self) -> i32 {
        self.presence.seat.pid()
    }

    /// The session works until this is dropped.
    pub(crate) fn work(self: &Arc<Self>) -> Working {
        lock(&self.presence.activity).work(SystemTime::now());
        Working(Arc::clone(self))
    }

    /// A statement starts, of which others are shown this text.
    pub(super) fn note_statement(&self, text: Arc<str>) {
        let transaction = self.transaction().number();
        lock(&self.presence.activity).start(text, transaction, SystemTime::now());
    }

    /// Stops a new statement where the end of what it is a part of was asked for before it was there.
    pub(super) fn pass_cancel_on(&self, ticket: &Ticket) {
        if lock(&self.presence.activity).cancelled {
            ticket.stop(Stop::Cancelled);
        }
    }

    /// Asks for the end of what the session works on, if it does. What commits already goes on.
    pub(crate) fn request_cancel(&self) {
        let mut activity = lock(&self.presence.activity);
        if activity.works > 0 {
            activity.cancelled = true;
            lock(&self.ticket).stop(Stop::Cancelled);
        }
    }

    /// Asks for the end of the session: what it works on is stopped, and no statement starts any more.
    pub(crate) fn terminate(&self) {
        self.presence.terminated.send_replace(true);
        lock(&self.ticket).stop(Stop::Terminated);
    }

    /// Becomes true when somebody asks for the end of the session.
    pub(crate) fn termination(&self) -> watch::Receiver<bool> {
        self.presence.terminated.subscribe()
    }

    /// Waits in the middle of a statement until something is over, or for so long, and says whether it is. The thread computes
    /// for others meanwhile; an error, where the statement is to end.
    pub(crate) fn wait(&self, limit: Duration, is_over: impl Fn() -> bool) -> Result<bool> {
        let ticket = lock(&self.ticket).clone();
        let end = Instant::now().checked_add(limit);
        let look = || -> Result<bool> {
            loop {
                ticket.check_stopped()?;
                if is_over() {
                    return Ok(true);
                }
                let left = end.map_or(LOOK_INTERVAL, |end| end.saturating_duration_since(Instant::now()));
                if left.is_zero() {
                    return Ok(false);
                }
                std::thread::sleep(left.min(LOOK_INTERVAL));
            }
        };
        match Handle::try_current().map(|runtime| runtime.runtime_flavor()) {
            Ok(RuntimeFlavor::MultiThread) => tokio::task::block_in_place(look),
            _ => look(),
        }
    }

    /// Refuses work in a session that is to end.
    pub(crate) fn check_terminated(&self) -> Result<()> {
        match *self.presence.terminated.borrow() {
            true => Err(Stop::Terminated.error()),
            false => Ok(()),
        }
    }

    /// What a request must bring along that cancels what this session works on: made of so many bytes when it is told first.
    pub(crate) fn cancel_key(&self, bytes: usize) -> &[u8] {
        self.presence.key.get_or_init(|| CancelKey::random(bytes)).bytes()
    }

    /// Whether these bytes are what such a request must bring along.
    pub(crate) fn has_cancel_key(&self, given: &[u8]) -> bool {
        self.presence.key.get().is_some_and(|key| key.is(given))
    }

    /// What the user of another session sees of this one. Everybody sees everything, as there are no roles yet: what is to be
    /// kept from whom is decided here.
    pub(crate) fn seen_by(&self, _reader: &Scope) -> Seen {
        let status = self.transaction_status();
        let application = lock(&self.settings).show("application_name").unwrap_or_default();
        let activity = lock(&self.presence.activity);
        Seen {
            pid: self.pid(),
            user: self.user.to_string(),
            origin: self.options.origin,
            address: self.options.address,
            application,
            state: activity.state(status),
            text: beginning(&activity.text).to_owned(),
            began: self.presence.began,
            transaction_began: activity.transaction_began,
            statement_began: activity.statement_began,
            changed: activity.changed,
        }
    }
}

impl Drop for Working {
    fn drop(&mut self) {
        let transaction = self.0.transaction().number();
        let is_last = {
            let mut activity = lock(&self.0.presence.activity);
            activity.rest(transaction, SystemTime::now());
            activity.works == 0
        };
        if is_last {
            self.0.end_announcements_at_rest();
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(seconds: u64) -> SystemTime {
        SystemTime::UNIX_EPOCH + Duration::from_secs(seconds)
    }

    #[test]
    fn a_session_works_from_its_first_message_to_its_last_statement() {
        let mut activity = Activity::new(at(0));
        assert_eq!(activity.state(TransactionStatus::Idle), "idle");
        activity.work(at(1));
        activity.work(at(2));
        activity.start(Arc::from("SELECT 1"), None, at(2));
        activity.rest(None, at(3));
        assert_eq!((activity.state(TransactionStatus::Open), activity.changed), ("active", at(2)));
        activity.rest(None, at(4));
        for (status, state) in [
            (TransactionStatus::Idle, "idle"),
            (TransactionStatus::Open, "idle in transaction"),
            (TransactionStatus::Failed, "idle in transaction (aborted)"),
        ] {
            assert_eq!(activity.state(status), state);
        }
        assert_eq!((activity.changed, activity.statement_began), (at(4), Some(at(2))));
        assert_eq!(&*activity.text, "SELECT 1", "the last statement stays");
        activity.rest(None, at(5));
        assert_eq!(activity.works, 0);
    }

    #[test]
    fn a_transaction_begins_with_its_first_statement() {
        let mut activity = Activity::new(at(0));
        let mut run = |began: Option<u64>, left: Option<u64>, second: u64| {
            activity.work(at(second));
            activity.start(Arc::from("x"), began, at(second));
            let running = activity.transaction_began;
            activity.rest(left, at(second));
            (running, activity.transaction_began)
        };
        assert_eq!(run(None, None, 1), (Some(at(1)), None), "a statement by itself");
        assert_eq!(run(None, Some(7), 2), (Some(at(2)), Some(at(2))), "BEGIN");
        assert_eq!(run(Some(7), Some(7), 3), (Some(at(2)), Some(at(2))));
        assert_eq!(run(Some(7), Some(8), 4), (Some(at(2)), Some(at(4))), "COMMIT AND CHAIN");
        assert_eq!(run(Some(8), None, 5), (Some(at(4)), None), "COMMIT");
        assert_eq!(run(Some(9), None, 6), (Some(at(6)), None), "one of several that joined");
    }

    #[test]
    fn what_is_asked_of_one_work_is_not_asked_of_the_next() {
        let mut activity = Activity::new(at(0));
        activity.work(at(1));
        activity.cancelled = true;
        activity.work(at(2));
        activity.rest(None, at(3));
        assert!(activity.cancelled, "the message goes on");
        activity.rest(None, at(4));
        assert!(!activity.cancelled);
    }
}
