//! The bytes of a file that are parsed: what was found whole stays until it is handed out, what follows waits for more.

use bytes::Bytes;

use super::{
    encoding::fitting,
    text::{Fault, RowFault},
};

/// The longest row.
const MAX_ROW_BYTES: usize = 1 << 30;
/// How many bytes are made rows at once, if they are complete.
const BATCH_BYTES: usize = 4 << 20;

/// Bytes of a file, or of a part of it.
#[derive(Debug, Default)]
pub(super) struct Buffer {
    bytes: Vec<u8>,
    /// Where in the file they begin.
    base: u64,
    /// How far rows were found.
    pub(super) cut: usize,
    /// How many bytes there must be before they are worth another look.
    needed: usize,
    /// Whether the file, or the part, ends with them.
    pub(super) is_last: bool,
}

impl Buffer {
    /// Adds bytes, which stand at a position of the file. `what` is a row, and `remark` says what one that is too long may be.
    pub(super) fn push(&mut self, position: u64, bytes: &Bytes, (what, remark): (&str, &str)) -> Result<(), Fault> {
        if self.bytes.is_empty() {
            self.base = position;
        }
        self.bytes.extend_from_slice(bytes);
        if self.bytes.len() > MAX_ROW_BYTES {
            let reason = format!("{what} is longer than {} MB{remark}", MAX_ROW_BYTES >> 20);
            return Err(self.malformed(self.cut, reason));
        }
        Ok(())
    }

    /// No more bytes will come.
    pub(super) fn finish(&mut self) {
        self.is_last = true;
        self.needed = 0;
    }

    pub(super) fn bytes(&self) -> &[u8] {
        &self.bytes
    }

    /// Whether more bytes must come first.
    pub(super) fn is_waiting(&self) -> bool {
        self.bytes.len() < self.needed
    }

    /// A row that is not whole is looked at again when twice as much of it is there, not with every chunk.
    pub(super) fn wait(&mut self) {
        self.needed = self.bytes.len() + (self.bytes.len() - self.cut);
    }

    /// Whether what was found is enough to be handed out.
    pub(super) fn is_long(&self) -> bool {
        self.cut >= BATCH_BYTES
    }

    /// The bytes of the rows found.
    pub(super) fn found(&self) -> &[u8] {
        self.bytes.get(..self.cut).unwrap_or_default()
    }

    /// The text of the rows found; the byte from which on it is none, else.
    pub(super) fn text(&self) -> Result<&str, usize> {
        simdutf8::basic::from_utf8(self.found())
            .map_err(|_| std::str::from_utf8(self.found()).map_or_else(|error| error.valid_up_to(), str::len))
    }

    /// The fault of a row that is no text.
    pub(super) fn not_utf8(&self, at: usize) -> Fault {
        Fault::Row { offset: self.offset(at), reason: RowFault::NotUtf8 { fitting: fitting(self.found()) } }
    }

    /// Forgets the rows found.
    pub(super) fn forget(&mut self) {
        self.bytes.drain(..self.cut);
        self.base += self.cut as u64;
        self.needed = self.needed.saturating_sub(self.cut);
        self.cut = 0;
    }

    /// The place of a byte in the file.
    pub(super) fn offset(&self, at: usize) -> u64 {
        self.base + at as u64
    }

    pub(super) fn malformed(&self, at: usize, reason: String) -> Fault {
        Fault::Row { offset: self.offset(at), reason: RowFault::Malformed(reason) }
    }
}
