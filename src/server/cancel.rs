//! Who may cancel which connection's statement: process number and secret to a flag.
//!
//! It knows nothing of statements; the connection that owns the flag decides what a request stops.

use std::collections::HashMap;
use std::hash::{BuildHasher, RandomState};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use bytes::{BufMut, Bytes, BytesMut};
use futures::FutureExt;
use tokio::sync::Notify;

/// The cancel keys of all connections.
#[derive(Clone, Default)]
pub(super) struct CancelRegistry {
    shared: Arc<Mutex<Keys>>,
}

#[derive(Default)]
struct Keys {
    last: i32,
    flags: HashMap<i32, (Bytes, Arc<Notify>)>,
}

/// One connection's entry, removed when dropped.
pub(super) struct CancelFlag {
    registry: CancelRegistry,
    flag: Arc<Notify>,
    /// The number that the protocol calls the process of the connection.
    pub(super) process: i32,
    /// What a request must bring along.
    pub(super) secret: Bytes,
}

impl CancelRegistry {
    /// A new entry with a secret of that many bytes (a multiple of 4).
    pub(super) fn register(&self, secret_bytes: usize) -> CancelFlag {
        let secret = random_bytes(secret_bytes);
        let flag = Arc::new(Notify::new());
        let mut keys = self.lock();
        loop {
            keys.last = keys.last.checked_add(1).unwrap_or(1);
            if !keys.flags.contains_key(&keys.last) {
                break;
            }
        }
        let process = keys.last;
        keys.flags.insert(process, (secret.clone(), Arc::clone(&flag)));
        CancelFlag { registry: self.clone(), flag, process, secret }
    }

    /// Raises the flag if process and secret belong together; otherwise nothing, and the caller learns nothing.
    pub(super) fn cancel(&self, process: i32, secret: &[u8]) {
        if let Some((expected, flag)) = self.lock().flags.get(&process)
            && same_bytes(expected, secret)
        {
            flag.notify_one();
        }
    }

    // A panic while the lock was held leaves a map that is still whole.
    fn lock(&self) -> MutexGuard<'_, Keys> {
        self.shared.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl CancelFlag {
    /// Returns once a cancel is requested, and lowers the flag.
    pub(super) async fn requested(&self) {
        self.flag.notified().await;
    }

    /// Forgets a request that came while nothing ran.
    pub(super) fn clear(&self) {
        // Whether one was waiting makes no difference.
        let _was_raised = self.flag.notified().now_or_never();
    }
}

impl Drop for CancelFlag {
    fn drop(&mut self) {
        self.registry.lock().flags.remove(&self.process);
    }
}

// Each `RandomState` holds keys from the operating system and hashes with SipHash, a keyed pseudorandom function.
fn random_bytes(count: usize) -> Bytes {
    let mut bytes = BytesMut::with_capacity(count + 8);
    let state = RandomState::new();
    let mut block = 0u64;
    while bytes.len() < count {
        bytes.put_u64(state.hash_one((block, std::process::id())));
        block += 1;
    }
    bytes.truncate(count);
    bytes.freeze()
}

// Takes as long for a near miss as for a far one.
fn same_bytes(left: &[u8], right: &[u8]) -> bool {
    left.len() == right.len() && left.iter().zip(right).fold(0, |difference, (a, b)| difference | (a ^ b)) == 0
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_request_needs_the_right_secret() {
        let registry = CancelRegistry::default();
        let flag = registry.register(4);
        registry.cancel(flag.process, b"no!");
        assert!(flag.requested().now_or_never().is_none());
        registry.cancel(flag.process, &flag.secret);
        assert!(flag.requested().now_or_never().is_some());
        assert!(flag.requested().now_or_never().is_none(), "the flag stays lowered once it was seen");
    }

    #[test]
    fn entries_end_with_their_connection() {
        let registry = CancelRegistry::default();
        let first = registry.register(32);
        assert_eq!(first.secret.len(), 32);
        let second = registry.register(32);
        assert_ne!(first.secret, second.secret);
        drop((first, second));
        assert!(registry.lock().flags.is_empty());
    }
}
