//! A value whose insides the compiler need not look into.
//!
//! Plans and syntax trees are large recursive types. Proving that a future that holds one may move between threads takes
//! the compiler seconds, for each future anew; for a sealed one it is proved once, where it is sealed.

use std::{fmt, ops::Deref, sync::Arc};

/// A shared value behind an interface that promises all that threads need.
pub(crate) struct Sealed<T: 'static>(Arc<dyn Contents<T>>);

trait Contents<T>: Send + Sync {
    fn get(&self) -> &T;
}

struct Held<T>(T);

impl<T: Send + Sync> Contents<T> for Held<T> {
    fn get(&self) -> &T {
        &self.0
    }
}

impl<T: Send + Sync> Sealed<T> {
    pub(crate) fn new(value: T) -> Self {
        Self(Arc::new(Held(value)))
    }
}

impl<T> Clone for Sealed<T> {
    fn clone(&self) -> Self {
        Self(Arc::clone(&self.0))
    }
}

impl<T> Deref for Sealed<T> {
    type Target = T;

    fn deref(&self) -> &T {
        self.0.get()
    }
}

impl<T: fmt::Debug> fmt::Debug for Sealed<T> {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.get().fmt(formatter)
    }
}
