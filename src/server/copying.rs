//! `COPY … TO STDOUT` and `FROM STDIN` on the wire: rows to CopyData messages, a message a row, and messages to whoever reads them.
//!
//! Neither holds more than a few messages: who sends waits until the other side has taken enough.

use std::ops::Range;

use arrow::array::{ArrayRef, RecordBatch};
use bytes::{BufMut, Bytes, BytesMut};
use pgwire::messages::{
    copy::{
        CopyDone, CopyInResponse, CopyOutResponse, MESSAGE_TYPE_BYTE_COPY_DATA, MESSAGE_TYPE_BYTE_COPY_DONE,
        MESSAGE_TYPE_BYTE_COPY_FAIL,
    },
    data::{FORMAT_CODE_BINARY, FORMAT_CODE_TEXT},
    extendedquery::{MESSAGE_TYPE_BYTE_FLUSH, MESSAGE_TYPE_BYTE_SYNC},
};

use super::connection::{Beside, Connection};
use super::cursor::Sent;
use super::failure::{Failure, write};
use super::task::{Event, Running};
use super::wire::{FLUSH_BYTES, Frame};
use crate::engine::{CopyFeed, CopyOut};
use crate::print::{MAX_BYTES, patch_length};
use crate::{Error, Fault, Result};

/// The columns of a copy, as CopyInResponse and CopyOutResponse tell them.
struct Shape {
    format: i8,
    width: i16,
    formats: Vec<i16>,
}

impl Shape {
    fn new(width: usize, is_binary: bool) -> Self {
        let code = if is_binary { FORMAT_CODE_BINARY } else { FORMAT_CODE_TEXT };
        let told = i16::try_from(width).unwrap_or(i16::MAX);
        Self { format: i8::from(is_binary), width: told, formats: vec![code; width] }
    }
}

impl Connection {
    /// Sends the rows of a statement as their bytes.
    pub(super) async fn copy_out(&mut self, running: &mut Running, copy: &CopyOut) -> Result<Sent, Failure> {
        let Shape { format, width, formats } = Shape::new(copy.width(), copy.is_binary());
        write(&mut self.wire.outbound, &CopyOutResponse::new(format, width, formats));
        let (mut head, mut sent) = (BytesMut::new(), 0);
        if copy.write_head(&mut head) {
            write_data(&mut self.wire.outbound, |out| {
                out.put_slice(&head.split());
                Ok(())
            })?;
        }
        loop {
            match self.supervise(running.next()).await?? {
                Event::Batch(batch) => {
                    self.copy_rows(copy, &mut head, &batch).await?;
                    sent += batch.num_rows() as u64;
                }
                Event::End(tag) => {
                    copy.write_tail(&mut head);
                    if !head.is_empty() {
                        write_data(&mut self.wire.outbound, |out| {
                            out.put_slice(&head);
                            Ok(())
                        })?;
                    }
                    write(&mut self.wire.outbound, &CopyDone::new());
                    return Ok(Sent::Done(tag.told(sent)));
                }
                _ => return Err(Failure::statement(Fault::Internal, "COPY was answered otherwise than by rows")),
            }
        }
    }

    /// Sends a batch; `head` is what stands before the first row, in the same message.
    async fn copy_rows(&mut self, copy: &CopyOut, head: &mut BytesMut, batch: &RecordBatch) -> Result<(), Failure> {
        let arrays = copy.conform(batch)?;
        let mut at = 0;
        while at < batch.num_rows() {
            at = copy_some(&mut self.wire.outbound, copy, &arrays, (&mut *head, at..batch.num_rows()))?;
            self.wire.flush_if_full().await?;
        }
        Ok(())
    }

    /// Gives a statement what the client sends, until the client has ended or the statement has failed.
    pub(super) async fn copy_in(
        &mut self,
        running: &mut Running,
        feed: CopyFeed,
        (width, is_binary): (usize, bool),
    ) -> Result<Sent, Failure> {
        let Shape { format, width, formats } = Shape::new(width, is_binary);
        write(&mut self.wire.outbound, &CopyInResponse::new(format, width, formats));
        self.wire.flush().await?;
        loop {
            let Frame { kind, body } = match self.next_beside(running).await? {
                Beside::Frame(frame) => frame,
                Beside::Event(event) => return sent(event),
            };
            match kind {
                MESSAGE_TYPE_BYTE_COPY_DATA => {
                    let bytes: Bytes = body.freeze();
                    if !self.supervise(feed.send(bytes)).await? {
                        break;
                    }
                }
                MESSAGE_TYPE_BYTE_COPY_DONE => {
                    self.supervise(feed.finish()).await?;
                    break;
                }
                MESSAGE_TYPE_BYTE_COPY_FAIL => {
                    let why = String::from_utf8_lossy(&body).trim_end_matches('\0').to_owned();
                    self.supervise(feed.fail(why)).await?;
                    break;
                }
                // They are for after the copy, which they may have been sent before.
                MESSAGE_TYPE_BYTE_FLUSH | MESSAGE_TYPE_BYTE_SYNC => {}
                other => {
                    let message = format!("unexpected message type 0x{other:02X} during COPY from stdin");
                    return Err(Failure::statement(Fault::ProtocolViolation, message));
                }
            }
        }
        sent(self.supervise(running.next()).await??)
    }
}

/// How a statement ended that has read what it was given.
fn sent(event: Event) -> Result<Sent, Failure> {
    match event {
        Event::Done(tag) => Ok(Sent::Done(tag)),
        _ => Err(Failure::statement(Fault::Internal, "COPY was not answered by its tag")),
    }
}

/// Appends rows until enough wait, and says which is the next.
fn copy_some(
    out: &mut BytesMut,
    copy: &CopyOut,
    arrays: &[ArrayRef],
    (head, range): (&mut BytesMut, Range<usize>),
) -> Result<usize> {
    let mut rows = copy.rows(arrays)?;
    let end = range.end;
    for row in range {
        write_data(out, |out| {
            if !head.is_empty() {
                out.put_slice(&head.split());
            }
            rows.write(out, row)
        })?;
        if out.len() >= FLUSH_BYTES {
            return Ok(row + 1);
        }
    }
    Ok(end)
}

/// Appends a CopyData message; what broke off would break the protocol, and is taken back.
fn write_data(out: &mut BytesMut, write: impl FnOnce(&mut BytesMut) -> Result<()>) -> Result<()> {
    let begin = out.len();
    out.put_u8(MESSAGE_TYPE_BYTE_COPY_DATA);
    let start = out.len();
    out.put_i32(0);
    let written = write(out).and_then(|()| match out.len() - start {
        length if length > MAX_BYTES => {
            let message = format!("a row has {length} bytes, at most {MAX_BYTES} can be sent; copy fewer columns");
            Err(Error::new(Fault::LimitExceeded, message))
        }
        length => Ok(length),
    });
    match written {
        Ok(length) => {
            patch_length(out, start, length);
            Ok(())
        }
        Err(error) => {
            out.truncate(begin);
            Err(error)
        }
    }
}
