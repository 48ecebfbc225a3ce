//! What sessions say to one another on channels: `LISTEN`, `NOTIFY` and `pg_notify`.
//!
//! What a transaction says waits until it commits, and goes with it or with its savepoint otherwise. What a session hears
//! waits until it is in no transaction. Both are bounded: who would say more than fits is refused, as in PostgreSQL.

use std::{
    collections::{BTreeSet, HashSet, VecDeque},
    sync::Arc,
};

use super::{Client, lock};
use crate::{
    Error, Fault, Result,
    session::{Notice, Notification, TransactionStatus},
};

/// Bytes of what may wait in all sessions together.
const WAITING_BYTES: usize = 64 << 20;

/// The longest names of channels and payloads, in bytes.
const CHANNEL_BYTES: usize = 63;
const PAYLOAD_BYTES: usize = 7_999;

/// A channel and what is said on it.
type Message = Arc<(String, String)>;

/// What a transaction asks for, which is done when it commits.
#[derive(Debug)]
pub(crate) enum Announcement {
    /// To hear what is said on a channel.
    Listen(String),
    /// To hear it no more; none: on no channel.
    Unlisten(Option<String>),
    /// To say something.
    Notify(Message),
}

/// What the open transaction asks for, in order, each with the number of savepoints that it stands behind.
#[derive(Debug, Default)]
pub(super) struct Announcements {
    list: Vec<(usize, Announcement)>,
    said: HashSet<Message>,
    bytes: usize,
}

/// What a session listens to, and what it has not read yet.
#[derive(Debug, Default)]
pub(super) struct Mailbox {
    channels: BTreeSet<String>,
    waiting: VecDeque<(i32, Message)>,
    bytes: usize,
}

impl Announcement {
    /// A message, unless it is one that nobody may send.
    pub(crate) fn notify(channel: &str, payload: &str) -> Result<Self> {
        let refused = |message: &str| Err(Error::new(Fault::InvalidArgument, message));
        if channel.is_empty() {
            return refused("channel name cannot be empty");
        }
        if channel.len() > CHANNEL_BYTES {
            return refused("channel name too long");
        }
        if payload.len() > PAYLOAD_BYTES {
            return refused("payload string too long");
        }
        Ok(Self::Notify(Arc::new((channel.to_owned(), payload.to_owned()))))
    }
}

impl Announcements {
    /// The same message twice is said once.
    fn add(&mut self, level: usize, announcement: Announcement) {
        if let Announcement::Notify(message) = &announcement {
            if !self.said.insert(Arc::clone(message)) {
                return;
            }
            self.bytes += bytes_of(message);
        }
        self.list.push((level, announcement));
    }

    /// Forgets what stands behind a savepoint.
    fn go_back(&mut self, level: usize) {
        let (said, bytes) = (&mut self.said, &mut self.bytes);
        self.list.retain(|(own, announcement)| {
            let stays = *own < level;
            if !stays && let Announcement::Notify(message) = announcement {
                said.remove(message);
                *bytes = bytes.saturating_sub(bytes_of(message));
            }
            stays
        });
    }

    /// What stands behind savepoints that are gone stands behind those that are left.
    fn release(&mut self, level: usize) {
        self.list.iter_mut().for_each(|(own, _)| *own = level.min(*own));
    }
}

fn bytes_of(message: &Message) -> usize {
    message.0.len() + message.1.len() + size_of::<(i32, Message)>()
}

impl Mailbox {
    /// Puts a message in, and says whether it is the first one.
    fn put(&mut self, pid: i32, message: &Message) -> bool {
        self.bytes += bytes_of(message);
        self.waiting.push_back((pid, Arc::clone(message)));
        self.waiting.len() == 1
    }
}

impl Client {
    /// Notes what is to be done when the transaction commits.
    pub(crate) fn announce(&self, announcement: Announcement) -> Result<()> {
        let level = self.savepoints();
        if matches!(announcement, Announcement::Notify(_)) {
            let waiting = self.waiting_bytes() + lock(&self.announcements).bytes;
            if waiting >= WAITING_BYTES {
                return Err(Error::new(Fault::LimitExceeded, "too many notifications in the NOTIFY queue"));
            }
        }
        lock(&self.announcements).add(level, announcement);
        Ok(())
    }

    /// How full the room for what waits is, from 0 to 1.
    pub(crate) fn notification_usage(&self) -> f64 {
        self.waiting_bytes() as f64 / WAITING_BYTES as f64
    }

    /// Bytes of what waits in all sessions.
    fn waiting_bytes(&self) -> usize {
        self.shared.sessions.all().iter().map(|client| lock(&client.mailbox).bytes).sum()
    }

    /// The channels that the session listens to, by name.
    pub(crate) fn channels(&self) -> Vec<String> {
        lock(&self.mailbox).channels.iter().cloned().collect()
    }

    /// The session listens to nothing any more.
    pub(crate) fn unlisten_all(&self) {
        lock(&self.mailbox).channels.clear();
    }

    /// What others have said on the channels that the session listens to, and it has not read yet: nothing within a transaction.
    pub(crate) fn take_notifications(&self) -> Vec<Notification> {
        if self.transaction_status() != TransactionStatus::Idle {
            return Vec::new();
        }
        let waiting = {
            let mut mailbox = lock(&self.mailbox);
            mailbox.bytes = 0;
            std::mem::take(&mut mailbox.waiting)
        };
        let told = waiting.into_iter().map(|(pid, message)| {
            let (channel, payload) = Arc::unwrap_or_clone(message);
            Notification { pid, channel, payload }
        });
        told.collect()
    }

    /// The transaction has ended: what it asked for is done if it has committed, and forgotten otherwise. As in PostgreSQL it
    /// hears what it says itself, whatever stands first.
    pub(super) fn end_announcements(&self, committed: bool) {
        let announcements = std::mem::take(&mut *lock(&self.announcements));
        if !committed || announcements.list.is_empty() {
            return;
        }
        let mut messages = Vec::new();
        for (_, announcement) in announcements.list {
            match announcement {
                Announcement::Listen(channel) => {
                    lock(&self.mailbox).channels.insert(channel);
                }
                Announcement::Unlisten(Some(channel)) => {
                    lock(&self.mailbox).channels.remove(&channel);
                }
                Announcement::Unlisten(None) => self.unlisten_all(),
                Announcement::Notify(message) => messages.push(message),
            }
        }
        if !messages.is_empty() {
            self.post(&messages);
        }
    }

    /// Where a statement was a transaction by itself and nobody has ended it: it ends with its work.
    pub(super) fn end_announcements_at_rest(&self) {
        if self.transaction().is_at_rest() {
            self.end_announcements(true);
        }
    }

    /// The transaction has failed: of a block, what stands before its savepoints may still be said.
    pub(super) fn fail_announcements(&self, in_block: bool) {
        if !in_block {
            self.end_announcements(false);
        }
    }

    pub(super) fn take_announcements_back(&self, level: usize) {
        lock(&self.announcements).go_back(level);
    }

    pub(super) fn release_announcements(&self, level: usize) {
        lock(&self.announcements).release(level);
    }

    /// Puts messages into the mailboxes of those who listen: in the same order into each, whoever else posts.
    fn post(&self, messages: &[Message]) {
        let all = self.shared.sessions.all();
        let _posting = self.shared.sessions.posting();
        for client in &all {
            let mut first = false;
            let mut mailbox = lock(&client.mailbox);
            for message in messages {
                if mailbox.channels.contains(&message.0) {
                    first |= mailbox.put(self.pid(), message);
                }
            }
            drop(mailbox);
            if first {
                client.notify(Notice::Notified);
            }
        }
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;

    fn said(announcements: &Announcements) -> Vec<&str> {
        let texts = announcements.list.iter().filter_map(|(_, announcement)| match announcement {
            Announcement::Notify(message) => Some(message.1.as_str()),
            _ => None,
        });
        texts.collect()
    }

    #[test]
    fn what_stands_behind_a_savepoint_goes_with_it() {
        let mut announcements = Announcements::default();
        for (level, payload) in [(0, "a"), (1, "b"), (2, "c"), (2, "a")] {
            announcements.add(level, Announcement::notify("x", payload).unwrap());
        }
        assert_eq!(said(&announcements), ["a", "b", "c"], "the same is said once");
        announcements.release(1);
        announcements.go_back(1);
        assert_eq!(said(&announcements), ["a"]);
        announcements.add(0, Announcement::notify("x", "c").unwrap());
        assert_eq!(said(&announcements), ["a", "c"], "what was taken back may be said again");
        announcements.go_back(0);
        assert_eq!((said(&announcements).len(), announcements.bytes), (0, 0));
    }
}
