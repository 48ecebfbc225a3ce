//! The socket with its two buffers: whole messages in, batched answers out.
//!
//! It reads while it writes and while a statement runs, so that a client that pipelines cannot block itself and one that
//! leaves is noticed. It knows lengths, not meanings.

use std::{future::pending, io};

use bytes::{Buf, BytesMut};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;
use tokio::net::tcp::{OwnedReadHalf, OwnedWriteHalf};

use super::failure::Failure;
use crate::Fault;

/// Answers are sent when this much is waiting.
pub(super) const FLUSH_BYTES: usize = 64 << 10;

/// How far the socket is read ahead while a statement runs.
const READ_AHEAD_BYTES: usize = 256 << 10;

const READ_BYTES: usize = 16 << 10;

/// The longest packet before a client has said who it is; PostgreSQL's own limit.
const MAX_STARTUP_BYTES: usize = 10_000;

/// One client's socket.
pub(super) struct Wire {
    reader: OwnedReadHalf,
    writer: OwnedWriteHalf,
    inbound: BytesMut,
    /// What is still to be sent.
    pub(super) outbound: BytesMut,
    max_message_bytes: usize,
    ended: bool,
}

/// One message: its type and what follows the length.
#[derive(Debug)]
pub(super) struct Frame {
    pub(super) kind: u8,
    pub(super) body: BytesMut,
}

impl Wire {
    pub(super) fn new(socket: TcpStream, max_message_bytes: usize) -> Self {
        let (reader, writer) = socket.into_split();
        let (inbound, outbound) = (BytesMut::new(), BytesMut::with_capacity(READ_BYTES));
        Self { reader, writer, inbound, outbound, max_message_bytes, ended: false }
    }

    /// The next packet of the startup phase, which has no type; none when the client has left.
    pub(super) async fn startup_packet(&mut self) -> Result<Option<BytesMut>, Failure> {
        loop {
            if let Some(header) = self.inbound.first_chunk::<4>() {
                let length = u32::from_be_bytes(*header) as usize;
                if !(8..=MAX_STARTUP_BYTES).contains(&length) {
                    let message = format!(
                        "invalid startup packet: it declares {length} bytes, between 8 and {MAX_STARTUP_BYTES} are allowed"
                    );
                    return Err(Failure::fatal(Fault::ProtocolViolation, message));
                }
                if self.inbound.len() >= length {
                    let mut packet = self.inbound.split_to(length);
                    packet.advance(4);
                    return Ok(Some(packet));
                }
            }
            if !self.fill().await? {
                return Ok(None);
            }
        }
    }

    /// The next message; none when the client has left. Losing this future loses no byte.
    pub(super) async fn message(&mut self) -> Result<Option<Frame>, Failure> {
        loop {
            if let Some(frame) = self.take_frame()? {
                return Ok(Some(frame));
            }
            if !self.fill().await? {
                return Ok(None);
            }
        }
    }

    /// Whether bytes have come that nobody has read yet.
    pub(super) fn has_unread(&self) -> bool {
        !self.inbound.is_empty()
    }

    /// Sends all that waits, and reads meanwhile: a client may be writing its next messages before it reads.
    pub(super) async fn flush(&mut self) -> io::Result<()> {
        while !self.outbound.is_empty() {
            let reading = !self.ended && self.has_room();
            if reading {
                self.inbound.reserve(READ_BYTES);
            }
            tokio::select! {
                written = self.writer.write_buf(&mut self.outbound) => {
                    if written? == 0 {
                        return Err(io::ErrorKind::WriteZero.into());
                    }
                }
                read = self.reader.read_buf(&mut self.inbound), if reading => self.ended = read? == 0,
            }
        }
        Ok(())
    }

    /// Sends only once enough is waiting for a packet of its own.
    pub(super) async fn flush_if_full(&mut self) -> io::Result<()> {
        if self.outbound.len() >= FLUSH_BYTES { self.flush().await } else { Ok(()) }
    }

    /// Returns when the client has left; reads ahead until then, up to a limit.
    pub(super) async fn hung_up(&mut self) {
        while self.has_room() {
            if !matches!(self.fill().await, Ok(true)) {
                return;
            }
        }
        // Full: what was read ahead must be handled first, and a client that left meanwhile is noticed by writing.
        pending::<()>().await;
    }

    /// Sends the rest and closes the sending side.
    pub(super) async fn close(&mut self) {
        if self.flush().await.is_ok() {
            // A failure here means that the client was faster.
            drop(self.writer.shutdown().await);
        }
    }

    fn take_frame(&mut self) -> Result<Option<Frame>, Failure> {
        let Some([kind, length @ ..]) = self.inbound.first_chunk::<5>() else { return Ok(None) };
        let (kind, length) = (*kind, u32::from_be_bytes(*length) as usize);
        if length < 4 {
            let message = format!("invalid message: its length is {length}, it must be at least 4");
            return Err(Failure::fatal(Fault::ProtocolViolation, message));
        }
        if length - 4 > self.max_message_bytes {
            let message = format!(
                "a message of {} bytes is over the limit of {}; raise max_message_bytes or send less at once",
                length - 4,
                self.max_message_bytes
            );
            return Err(Failure::fatal(Fault::LimitExceeded, message));
        }
        if self.inbound.len() < length + 1 {
            return Ok(None);
        }
        let mut body = self.inbound.split_to(length + 1);
        body.advance(5);
        Ok(Some(Frame { kind, body }))
    }

    fn has_room(&self) -> bool {
        self.inbound.len() < READ_AHEAD_BYTES
    }

    // False at the end of the stream.
    async fn fill(&mut self) -> io::Result<bool> {
        if self.ended {
            return Ok(false);
        }
        self.inbound.reserve(READ_BYTES);
        self.ended = self.reader.read_buf(&mut self.inbound).await? == 0;
        Ok(!self.ended)
    }
}
