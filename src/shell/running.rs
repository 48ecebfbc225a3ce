//! A statement that runs on the engine's threads while the shell listens to the keyboard and draws.

use std::{sync::Arc, time::Duration};

use arrow::{array::RecordBatch, datatypes::SchemaRef};
use futures::StreamExt;
use tokio::{
    sync::mpsc::{self, Receiver, Sender},
    task::JoinHandle,
    time::timeout,
};

use crate::{
    Error, Fault, Result, Session,
    engine::{Outcome, Statement},
};

/// How long a cancelled statement may take to stop before the shell goes on without it.
const STOP_TIMEOUT: Duration = Duration::from_secs(5);

/// Batches that may wait to be written.
const WAITING_BATCHES: usize = 2;

/// What a running statement yields, in order.
pub(super) enum Event {
    /// It returns rows of this shape.
    Rows(SchemaRef),
    /// Some of the rows.
    Batch(RecordBatch),
    /// It was a command, and it is done.
    Done(String),
}

/// A statement that was started.
pub(super) struct Running {
    events: Receiver<Result<Event>>,
    /// None once its end was seen.
    task: Option<JoinHandle<()>>,
}

impl Running {
    /// Starts a statement.
    pub(super) fn start(session: Arc<Session>, statement: Statement) -> Self {
        // Ctrl-C is meant for this statement from now on, even if it comes before the task runs.
        session.expect_statement();
        let (sender, events) = mpsc::channel(WAITING_BATCHES);
        let task = tokio::spawn(async move {
            if let Err(error) = drive(&session, &statement, &sender).await {
                // Nobody listens any more when the shell has cancelled the statement.
                let _ = sender.send(Err(error)).await;
            }
        });
        Self { events, task: Some(task) }
    }

    /// The next event; none at the end. A panic inside the statement is an error of the statement.
    pub(super) async fn next(&mut self) -> Option<Result<Event>> {
        if let Some(event) = self.events.recv().await {
            return Some(event);
        }
        let ended = self.task.as_mut()?.await;
        self.task = None;
        match ended {
            Err(error) if error.is_panic() => {
                Some(Err(Error::new(Fault::Internal, "the statement failed inside the engine: please report it")))
            }
            _ => None,
        }
    }

    /// Cancels the statement and waits until it has let go of the session.
    pub(super) async fn stop(mut self) {
        self.events.close();
        if let Some(task) = self.task {
            task.abort();
            let _ = timeout(STOP_TIMEOUT, task).await;
        }
    }
}

async fn drive(session: &Session, statement: &Statement, events: &Sender<Result<Event>>) -> Result<()> {
    let mut stream = match session.execute(statement, &[]).await? {
        Outcome::Empty => return Ok(()),
        Outcome::Done { tag } => {
            let _ = events.send(Ok(Event::Done(tag))).await;
            return Ok(());
        }
        Outcome::Rows { stream, .. } => stream,
        Outcome::CopyOut { .. } | Outcome::CopyIn(_) => {
            let message = "COPY … TO STDOUT and FROM STDIN are for clients of the network; name a file here";
            return Err(Error::new(Fault::FeatureNotSupported, message));
        }
    };
    if events.send(Ok(Event::Rows(stream.schema()))).await.is_err() {
        return Ok(());
    }
    while let Some(batch) = stream.next().await {
        if events.send(Ok(Event::Batch(batch?))).await.is_err() {
            return Ok(());
        }
    }
    Ok(())
}
