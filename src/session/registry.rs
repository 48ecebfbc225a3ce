//! All sessions of an engine by their numbers: who is there, and whom a request means.
//!
//! Sessions are held weakly: one is there for as long as somebody has it. What it does and what may be asked of it, it
//! says itself (`client/activity.rs`).

use std::{
    collections::{BTreeMap, btree_map::Entry},
    sync::{Arc, Mutex, MutexGuard, PoisonError, Weak},
};

use super::Client;

/// All sessions of one engine.
#[derive(Debug, Default)]
pub(crate) struct Sessions {
    numbered: Mutex<Numbered>,
    /// Held by the one that says something to others.
    posting: Mutex<()>,
}

#[derive(Debug, Default)]
struct Numbered {
    /// The number that was given last; all others are given before it is again.
    last: i32,
    /// By number; nobody is behind one that is taken for a session still to come.
    sessions: BTreeMap<i32, Weak<Client>>,
}

/// A session's place among the others, which it leaves when this is dropped.
#[derive(Debug)]
pub(crate) struct Seat {
    sessions: Arc<Sessions>,
    pid: i32,
}

impl Sessions {
    /// A number for a session that is about to be made.
    pub(crate) fn reserve(self: &Arc<Self>) -> Seat {
        let mut numbered = self.lock();
        loop {
            numbered.last = numbered.last.checked_add(1).unwrap_or(1);
            let pid = numbered.last;
            if let Entry::Vacant(free) = numbered.sessions.entry(pid) {
                free.insert(Weak::new());
                return Seat { sessions: Arc::clone(self), pid };
            }
        }
    }

    /// The session of a number.
    pub(crate) fn find(&self, pid: i32) -> Option<Arc<Client>> {
        self.lock().sessions.get(&pid).and_then(Weak::upgrade)
    }

    /// All sessions, by number. Whoever drops the last hold of one here does so when nothing is locked any more.
    pub(crate) fn all(&self) -> Vec<Arc<Client>> {
        self.lock().sessions.values().filter_map(Weak::upgrade).collect()
    }

    /// While this is held, nobody else says anything to others.
    pub(super) fn posting(&self) -> MutexGuard<'_, ()> {
        self.posting.lock().unwrap_or_else(PoisonError::into_inner)
    }

    // A panic while the lock was held leaves a map that is still whole.
    fn lock(&self) -> MutexGuard<'_, Numbered> {
        self.numbered.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Seat {
    /// What the protocol calls the process of the session: above zero, and no other session's while this one is there.
    pub(crate) fn pid(&self) -> i32 {
        self.pid
    }

    /// The session is made: from now on others find it.
    pub(crate) fn take(&self, session: Weak<Client>) {
        self.sessions.lock().sessions.insert(self.pid, session);
    }
}

impl Drop for Seat {
    fn drop(&mut self) {
        self.sessions.lock().sessions.remove(&self.pid);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_are_above_zero_and_of_one_session_each() {
        let sessions = Arc::new(Sessions::default());
        let seats: Vec<Seat> = (0..3).map(|_| sessions.reserve()).collect();
        assert_eq!(seats.iter().map(Seat::pid).collect::<Vec<_>>(), [1, 2, 3]);
        drop(seats);
        assert_eq!(sessions.reserve().pid(), 4, "a number is not given again soon");
        assert!(sessions.lock().sessions.is_empty(), "who leaves is forgotten");
    }

    #[test]
    fn numbers_start_over_and_pass_over_those_that_are_taken() {
        let sessions = Arc::new(Sessions::default());
        let first = sessions.reserve();
        sessions.lock().last = i32::MAX - 1;
        let others = [sessions.reserve(), sessions.reserve()];
        assert_eq!([first.pid(), others[0].pid(), others[1].pid()], [1, i32::MAX, 2]);
    }

    #[test]
    fn a_session_that_is_not_made_yet_is_not_found() {
        let sessions = Arc::new(Sessions::default());
        let seat = sessions.reserve();
        assert!(sessions.find(seat.pid()).is_none() && sessions.all().is_empty());
        seat.take(Weak::new());
        assert!(sessions.find(seat.pid()).is_none() && sessions.find(-1).is_none());
    }
}
