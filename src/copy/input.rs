//! The bytes of `COPY … FROM STDIN` on their way from a client to the statement that reads them: a short channel, so that who
//! sends waits for who reads. The rows are nothing unless the client says that those were all.

use std::future::Future;

use bytes::Bytes;
use futures::{FutureExt, future::BoxFuture};
use tokio::sync::mpsc::{Receiver, Sender, channel as bounded};

use crate::Result;

/// Messages that wait to be read.
const MESSAGES_AHEAD: usize = 16;

/// A statement that waits for bytes: feed them and wait for its end at the same time. Dropped, it is cancelled.
pub struct CopyIn {
    width: usize,
    is_binary: bool,
    feed: CopyFeed,
    done: BoxFuture<'static, Result<String>>,
}

/// Where the bytes go. Dropped before [`CopyFeed::finish`], it fails the statement.
#[derive(Debug)]
pub struct CopyFeed(Sender<Given>);

/// What a client gives.
#[derive(Debug)]
pub(crate) enum Given {
    Bytes(Bytes),
    /// Those were all.
    End,
    /// There will be no more, and why.
    Failed(String),
}

/// A feed, and what it feeds.
pub(crate) fn channel() -> (CopyFeed, Receiver<Given>) {
    let (sender, receiver) = bounded(MESSAGES_AHEAD);
    (CopyFeed(sender), receiver)
}

impl CopyIn {
    /// Of rows of so many columns. `done` reads what the feed is given, and ends with the tag of the statement.
    pub(crate) fn new(
        (width, is_binary): (usize, bool),
        feed: CopyFeed,
        done: impl Future<Output = Result<String>> + Send + 'static,
    ) -> Self {
        Self { width, is_binary, feed, done: done.boxed() }
    }

    /// How many columns a row has.
    pub fn width(&self) -> usize {
        self.width
    }

    /// Whether the bytes are to be in the binary format.
    pub fn is_binary(&self) -> bool {
        self.is_binary
    }

    /// Where the bytes go, and what ends with the tag of the statement when they are all there.
    pub fn split(self) -> (CopyFeed, BoxFuture<'static, Result<String>>) {
        (self.feed, self.done)
    }

    /// The same, which keeps something until its end.
    pub(crate) fn keeping(self, kept: impl Send + 'static) -> Self {
        let done = self.done;
        let done = async move {
            let outcome = done.await;
            drop(kept);
            outcome
        };
        Self { done: done.boxed(), ..self }
    }
}

impl CopyFeed {
    /// Gives some bytes, cut anywhere; waits while enough is there. False once nobody reads them any more.
    pub async fn send(&self, bytes: Bytes) -> bool {
        self.0.send(Given::Bytes(bytes)).await.is_ok()
    }

    /// Says that those were all.
    pub async fn finish(self) {
        // Who does not read any more has an error to tell.
        drop(self.0.send(Given::End).await);
    }

    /// Says that there will be no more, and why: the statement fails.
    pub async fn fail(self, why: String) {
        drop(self.0.send(Given::Failed(why)).await);
    }
}
