//! The objects of a file, or of a part of it: one after another, on lines of their own or not, or the items of one array.

use bytes::Bytes;

use super::{
    super::text::{Fault as RowError, RowFault},
    cursor::{Cursor, Halt},
};

/// The longest object.
const MAX_OBJECT_BYTES: usize = 1 << 30;

const UNFINISHED: &str = "the file ends inside the array";

/// Buffers a file's bytes and finds the objects in them.
#[derive(Debug)]
pub(super) struct Objects {
    part: Option<Lines>,
    buffer: Vec<u8>,
    /// Where in the file the buffer begins.
    base: u64,
    /// Where the next object is looked for.
    cut: usize,
    /// How long the buffer must be before it is worth another look.
    needed: usize,
    walk: Walk,
    is_last: bool,
}

/// An object that was found: where it begins and ends in the buffer, and whether a line ends before it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Found {
    pub(super) start: usize,
    pub(super) end: usize,
    pub(super) begins_line: bool,
}

impl Objects {
    /// All of a file's, or those on the lines that begin in a part of it. The bytes of a part come from the one before its
    /// first byte on, if there is one.
    pub(super) fn new(range: Option<(u64, u64)>, skipped: u64) -> Self {
        Self {
            part: range.map(|range| Lines::new(range, skipped)),
            buffer: Vec::new(),
            base: 0,
            cut: 0,
            needed: 0,
            walk: Walk::default(),
            is_last: false,
        }
    }

    pub(super) fn push(&mut self, chunk: Bytes) -> Result<(), RowError> {
        let (position, kept) = match &mut self.part {
            Some(part) => part.push(chunk),
            None => (0, chunk),
        };
        if self.buffer.is_empty() && self.part.is_some() {
            self.base = position;
        }
        self.buffer.extend_from_slice(&kept);
        if self.buffer.len() > MAX_OBJECT_BYTES {
            let reason = format!("an object is longer than {} MB", MAX_OBJECT_BYTES >> 20);
            return Err(self.malformed(self.cut, reason));
        }
        Ok(())
    }

    pub(super) fn finish(&mut self) {
        self.is_last = true;
        self.needed = 0;
    }

    pub(super) fn is_done(&self) -> bool {
        self.part.as_ref().is_some_and(|part| part.done)
    }

    /// Whether nothing follows what was found.
    pub(super) fn is_finished(&self) -> bool {
        self.is_last && self.cut == self.buffer.len()
    }

    /// Whether no more bytes will come.
    pub(super) fn is_at_end(&self) -> bool {
        self.is_last
    }

    /// Whether there was nothing but blanks.
    pub(super) fn is_blank(&self) -> bool {
        matches!(self.walk, Walk::Begin)
    }

    /// Whether the objects are the items of an array.
    pub(super) fn is_array(&self) -> bool {
        matches!(self.walk, Walk::ArrayBegin | Walk::ArrayItem | Walk::ArrayEnd)
    }

    /// How many bytes the objects found take.
    pub(super) fn cut(&self) -> usize {
        self.cut
    }

    /// Where the first object begins that was not found whole.
    pub(super) fn next_start(&self) -> usize {
        let rest = self.buffer.get(self.cut..).unwrap_or_default();
        self.cut + rest.iter().take_while(|byte| byte.is_ascii_whitespace()).count()
    }

    /// The bytes of the objects found.
    pub(super) fn found_bytes(&self) -> &[u8] {
        self.buffer.get(..self.cut).unwrap_or_default()
    }

    /// The place of a byte of the buffer in the file.
    pub(super) fn offset(&self, at: usize) -> u64 {
        self.base + at as u64
    }

    pub(super) fn malformed(&self, at: usize, reason: String) -> RowError {
        RowError::Row { offset: self.offset(at), reason: RowFault::Malformed(reason) }
    }

    /// Finds the next object and lets `read` take its members; none until more bytes come, or at the end.
    pub(super) fn next<E: From<Halt>>(
        &mut self,
        read: impl FnOnce(&mut Cursor<'_>) -> Result<(), E>,
        is_incomplete: impl FnOnce(&E) -> bool,
    ) -> Result<Option<Found>, E> {
        if self.buffer.len() < self.needed {
            return Ok(None);
        }
        let mut cursor = Cursor { bytes: &self.buffer, at: self.cut, is_last: self.is_last };
        let mut walk = self.walk;
        let found = walk.step(&mut cursor);
        match found {
            Ok(Some(start)) => {
                let begins_line =
                    memchr::memchr(b'\n', cursor.bytes.get(self.cut..start).unwrap_or_default()).is_some();
                cursor.at = start + 1;
                match read(&mut cursor) {
                    Ok(()) => {
                        self.cut = cursor.at;
                        self.walk = walk;
                        Ok(Some(Found { start, end: cursor.at, begins_line }))
                    }
                    Err(error) if is_incomplete(&error) => {
                        self.wait();
                        Ok(None)
                    }
                    Err(error) => Err(error),
                }
            }
            Ok(None) => {
                self.cut = cursor.at;
                self.walk = walk;
                Ok(None)
            }
            Err(Halt::Incomplete) => {
                self.wait();
                Ok(None)
            }
            Err(halt) => Err(E::from(halt)),
        }
    }

    /// A long object is looked at again when twice as much of it is there, not with every chunk.
    fn wait(&mut self) {
        self.needed = self.buffer.len() + (self.buffer.len() - self.cut);
    }

    /// Forgets the objects that were found.
    pub(super) fn forget(&mut self) {
        self.buffer.drain(..self.cut);
        self.base += self.cut as u64;
        self.needed = self.needed.saturating_sub(self.cut);
        self.cut = 0;
    }
}

/// Where a walk from object to object stands.
#[derive(Debug, Clone, Copy, Default)]
enum Walk {
    #[default]
    Begin,
    Sequence,
    ArrayBegin,
    ArrayItem,
    ArrayEnd,
}

impl Walk {
    /// Goes to the next object; none at the end of the file.
    fn step(&mut self, cursor: &mut Cursor<'_>) -> Result<Option<usize>, Halt> {
        loop {
            let Some(byte) = cursor.peek() else {
                return match (cursor.is_last, *self) {
                    (false, _) => Err(Halt::Incomplete),
                    (true, Self::ArrayBegin | Self::ArrayItem) => cursor.broken(UNFINISHED),
                    (true, _) => Ok(None),
                };
            };
            match (*self, byte) {
                (Self::Begin, b'[') => *self = Self::ArrayBegin,
                (Self::Begin | Self::Sequence, b'{') => {
                    *self = Self::Sequence;
                    return Ok(Some(cursor.at));
                }
                (Self::Begin | Self::Sequence, _) => {
                    let at = cursor.at;
                    let found = cursor.value()?.word();
                    return Err(Halt::Broken { at, reason: format!("expected an object, found {found}") });
                }
                (Self::ArrayBegin, b'{') => {
                    *self = Self::ArrayItem;
                    return Ok(Some(cursor.at));
                }
                (Self::ArrayBegin | Self::ArrayItem, b']') => *self = Self::ArrayEnd,
                (Self::ArrayItem, b',') => {
                    cursor.at += 1;
                    return match cursor.peek() {
                        Some(b'{') => Ok(Some(cursor.at)),
                        Some(_) => cursor.broken("expected an object in the array"),
                        None if cursor.is_last => cursor.broken(UNFINISHED),
                        None => Err(Halt::Incomplete),
                    };
                }
                (Self::ArrayBegin, _) => return cursor.broken("expected an object in the array"),
                (Self::ArrayItem, _) => return cursor.broken("expected , or ] after an object of the array"),
                (Self::ArrayEnd, _) => return cursor.broken("expected nothing after the array"),
            }
            cursor.at += 1;
        }
    }
}

/// The lines that begin in a part of a file. An object that goes over several lines is cut by this, which is found out: it
/// never yields wrong rows.
#[derive(Debug)]
struct Lines {
    position: u64,
    end: u64,
    aligned: bool,
    done: bool,
}

impl Lines {
    fn new((start, end): (u64, u64), skipped: u64) -> Self {
        Self { position: start.saturating_sub(1) + skipped, end, aligned: start == 0, done: false }
    }

    /// What of the next bytes belongs to the part, and where in the file that begins.
    fn push(&mut self, mut chunk: Bytes) -> (u64, Bytes) {
        if !self.aligned {
            let Some(end) = memchr::memchr(b'\n', &chunk) else {
                self.position += chunk.len() as u64;
                return (self.position, Bytes::new());
            };
            self.position += chunk.split_to(end + 1).len() as u64;
            self.aligned = true;
            self.done = self.position >= self.end;
        }
        let position = self.position;
        if self.done {
            return (position, Bytes::new());
        }
        // The line on which the last byte of the part stands is the last one.
        let inside = self.end.saturating_sub(self.position).saturating_sub(1);
        let length = usize::try_from(inside).unwrap_or(chunk.len()).min(chunk.len());
        if let Some(end) = memchr::memchr(b'\n', chunk.get(length..).unwrap_or_default()) {
            chunk.truncate(length + end + 1);
            self.done = true;
        }
        self.position += chunk.len() as u64;
        (position, chunk)
    }
}
