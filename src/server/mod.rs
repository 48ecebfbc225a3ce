//! The Postgres protocol: an accept loop, and a connection with a session of its own for each client.
//!
//! The only place that knows pgwire, and only its messages: the connection loop is ours. Nothing here plans or
//! runs a statement, or keeps one; that is the engine's and the session's.

mod connection;
mod copying;
mod cursor;
mod decode;
mod encode;
mod extended;
mod failure;
mod frontend;
mod simple;
mod startup;
mod task;
mod wire;

use std::future::Future;
use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use pgwire::messages::startup::Authentication;
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::{Semaphore, watch};
use tokio::task::JoinSet;
use tokio::time::timeout;

use self::connection::Connection;
pub use self::encode::text_rows;
use self::failure::{Failure, Severity, write, write_error};
use self::startup::Client;
use self::wire::Wire;
use crate::engine::{Origin, SessionOptions};
use crate::error::ConnectionFault;
use crate::{Engine, Error, Fault, Result};

/// How long a client may take to say who it is.
const STARTUP_TIMEOUT: Duration = Duration::from_secs(30);

/// How long connections get to end when the server stops.
const SHUTDOWN_TIMEOUT: Duration = Duration::from_secs(5);

/// The pause after a failed accept, which has most often run out of file descriptors.
const ACCEPT_PAUSE: Duration = Duration::from_millis(100);

/// Sockets beyond the served clients: those that still say who they are, or want to cancel.
const STARTING_CLIENTS: usize = 64;

/// What all connections share.
struct Server {
    engine: Engine,
    clients: Semaphore,
    shutdown: watch::Receiver<bool>,
}

/// Serves clients until `shutdown` completes; then tells each so and returns when they are gone.
pub async fn run(listener: TcpListener, engine: Engine, shutdown: impl Future<Output = ()>) -> Result<()> {
    let max_connections = engine.config().max_connections;
    let (stop, stopped) = watch::channel(false);
    let server = Arc::new(Server {
        engine,
        clients: Semaphore::new(max_connections.min(Semaphore::MAX_PERMITS)),
        shutdown: stopped,
    });
    let mut connections = JoinSet::new();
    let mut shutdown = std::pin::pin!(shutdown);
    loop {
        // Beyond this, clients wait in the listener's queue.
        let has_room = connections.len() < max_connections.saturating_add(STARTING_CLIENTS);
        tokio::select! {
            () = &mut shutdown => break,
            Some(_) = connections.join_next() => {}
            accepted = listener.accept(), if has_room => match accepted {
                Ok((socket, _)) => drop(connections.spawn(Arc::clone(&server).connect(socket))),
                Err(_) => tokio::time::sleep(ACCEPT_PAUSE).await,
            },
        }
    }
    drop(listener);
    stop.send_replace(true);
    let ended = timeout(SHUTDOWN_TIMEOUT, async { while connections.join_next().await.is_some() {} }).await;
    if ended.is_err() {
        connections.shutdown().await;
    }
    Ok(())
}

/// Refuses an address that other machines can reach: anybody there could read and change everything.
pub fn check_address(address: &SocketAddr) -> Result<()> {
    if address.ip().to_canonical().is_loopback() {
        return Ok(());
    }
    Err(Error::Statement {
        fault: Fault::PermissionDenied,
        message: format!(
            "cannot listen on {address}: there are no roles and passwords yet, so only a loopback address is allowed"
        ),
        hint: Some("listen on 127.0.0.1 or ::1, and reach it from elsewhere through an SSH tunnel".to_owned()),
    })
}

impl Server {
    async fn connect(self: Arc<Self>, socket: TcpStream) {
        // Without it an answer could wait for the client's acknowledgement of the one before; only speed depends on it.
        drop(socket.set_nodelay(true));
        let address = socket.peer_addr().ok();
        let mut wire = Wire::new(socket, self.engine.config().max_message_bytes);
        let mut stopped = self.shutdown.clone();
        let greeting = tokio::select! {
            greeting = timeout(STARTUP_TIMEOUT, startup::greet(&mut wire, &self.engine)) => greeting,
            _ = stopped.changed() => return,
        };
        let client = match greeting {
            Ok(Ok(Some(client))) => client,
            Ok(Err(Failure::Fatal(report) | Failure::Statement(report))) => return refuse(wire, &report).await,
            // Gone, only here to cancel, or too slow.
            Ok(Ok(None) | Err(Failure::Gone)) | Err(_) => return,
        };
        let Ok(_permit) = self.clients.try_acquire() else {
            let message = format!(
                "{} clients are connected, which is the limit; try again later or raise max_connections",
                self.engine.config().max_connections
            );
            let report = Failure::fatal_protocol(ConnectionFault::TooManyConnections, message);
            return if let Failure::Fatal(report) = report {
                refuse(wire, &report).await
            };
        };
        let options = SessionOptions { user: client.user.clone(), origin: Origin::Wire, address };
        let session = match self.engine.session(options) {
            Ok(session) => session,
            Err(error) => return refuse(wire, &error.report()).await,
        };
        let mut connection = Connection::new(wire, session, self.shutdown.clone());
        let served = match Self::welcome(&mut connection, client) {
            Ok(()) => connection.serve().await,
            Err(failure) => Err(failure),
        };
        if let Err(Failure::Fatal(report) | Failure::Statement(report)) = served {
            refuse(connection.wire, &report).await;
        }
    }

    fn welcome(connection: &mut Connection, client: Client) -> Result<(), Failure> {
        write(&mut connection.wire.outbound, &Authentication::Ok);
        startup::apply(&connection.session, &client.settings).map_err(|error| Failure::Fatal(error.report()))?;
        for (name, value) in connection.session.reported_settings() {
            connection.change_setting(name, value);
        }
        connection.tell_settings();
        connection.tell_key(if client.long_cancel_key { 32 } else { 4 });
        Ok(())
    }
}

async fn refuse(mut wire: Wire, report: &crate::error::Report) {
    write_error(&mut wire.outbound, Severity::Fatal, report);
    // A client that does not read must not hold up the end.
    drop(timeout(SHUTDOWN_TIMEOUT, wire.close()).await);
}
