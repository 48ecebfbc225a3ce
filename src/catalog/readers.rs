//! Who still reads what: the files that a commit took out of the catalog go once nobody holds a snapshot that has them.
//!
//! It knows numbers of snapshots and names of files alone. What it says is free is removed by the thread that commits, so
//! that no commit brings a file back while it is removed.
//!
//! The oldest snapshot that is held keeps all files that were taken out after it, those too that it never had: a session
//! that leaves its transaction open keeps them all, as it keeps dead rows in PostgreSQL. Its
//! `idle_in_transaction_session_timeout` is what limits that, and a restart ends it.

use std::{
    collections::{BTreeSet, HashSet, VecDeque},
    fmt,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
};

use super::directory::Retired;

/// The snapshots that are held, and the files that wait for their readers.
#[derive(Default)]
pub(super) struct Readers(Mutex<State>);

#[derive(Default)]
struct State {
    /// The numbers of the snapshots that somebody holds.
    held: BTreeSet<u64>,
    /// By the number of the first snapshot without them, ascending: files that older ones have.
    gone: VecDeque<(u64, Vec<Retired>)>,
    /// Tells whoever removes files that some are free.
    wake: Option<Box<dyn Fn() + Send>>,
}

/// What a snapshot and its copies have as long as they are there.
#[derive(Clone, Default)]
pub(super) struct Hold {
    /// Its end tells the readers.
    _held: Option<Arc<Held>>,
}

struct Held {
    number: u64,
    readers: Arc<Readers>,
}

impl Readers {
    /// Says how to tell that files are free; none: nobody removes them any more.
    pub(super) fn wake_by(&self, wake: Option<Box<dyn Fn() + Send>>) {
        let before = std::mem::replace(&mut self.state().wake, wake);
        drop(before);
    }

    /// Holds the snapshot of this number until what is returned and its copies are dropped.
    pub(super) fn hold(self: &Arc<Self>, number: u64) -> Hold {
        self.state().held.insert(number);
        Hold { _held: Some(Arc::new(Held { number, readers: Arc::clone(self) })) }
    }

    /// The snapshot of this number is the first without these files.
    pub(super) fn retire(&self, number: u64, files: Vec<Retired>) {
        if !files.is_empty() {
            self.state().gone.push_back((number, files));
        }
    }

    /// The files that nobody reads any more. They are handed out once.
    pub(super) fn free(&self) -> Vec<Retired> {
        let mut state = self.state();
        let mut free = Vec::new();
        while state.is_any_free() {
            free.extend(state.gone.pop_front().into_iter().flat_map(|(_, files)| files));
        }
        // One that came back and went again waits for those who read it since.
        let waiting = state.gone.iter().flat_map(|(_, files)| files);
        let again: HashSet<&str> = waiting.map(|file| file.path.as_str()).collect();
        free.retain(|file: &Retired| !again.contains(file.path.as_str()));
        free
    }

    fn release(&self, number: u64) {
        let mut state = self.state();
        state.held.remove(&number);
        if state.is_any_free()
            && let Some(wake) = &state.wake
        {
            wake();
        }
    }

    /// The state changes whole, so that a panic elsewhere leaves it usable.
    fn state(&self) -> MutexGuard<'_, State> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl State {
    fn is_any_free(&self) -> bool {
        let Some((number, _)) = self.gone.front() else { return false };
        self.held.first().is_none_or(|oldest| oldest >= number)
    }
}

impl Drop for Held {
    fn drop(&mut self) {
        self.readers.release(self.number);
    }
}

impl fmt::Debug for Hold {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str("Hold")
    }
}

impl fmt::Debug for Readers {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str("Readers")
    }
}
