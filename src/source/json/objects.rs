//! The objects of a file, or of a part of it: one after another, on lines of their own or not, or the items of arrays.

use std::ops::Range;

use bytes::Bytes;

use super::{
    super::{
        buffer::Buffer,
        text::{Fault as RowError, RowFault},
    },
    cursor::{Cursor, Halt},
    path::{path_to, with_text},
};

/// What an object is told that a part of a file cuts.
const SEVERAL_LINES: &str =
    "an object does not end on its line; if objects go over several lines, set the option newline_delimited to false";

const UNFINISHED: &str = "the file ends inside the array";

/// What to do about one of many lines, or members of an array.
const LEAVE_OUT: &str = "mend it, or leave such lines out (on_error 'skip')";
const LEAVE_OUT_MEMBERS: &str = "mend it, or leave such members of the array out (on_error 'skip')";

/// What is left out of a file instead of an object that cannot be read.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(super) enum LeftOut {
    #[default]
    Nothing,
    /// Its line. No object goes on behind the end of one: one that is broken leaves the next ones as they are.
    Lines,
    /// The member of an array, as far as that can be told from the next one.
    Members,
}

/// Buffers a file's bytes and finds the objects in them.
#[derive(Debug)]
pub(super) struct Objects {
    part: Option<Lines>,
    buffer: Buffer,
    walk: Walk,
    left_out: LeftOut,
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
        let part = range.map(|range| Lines::new(range, skipped));
        Self { part, buffer: Buffer::default(), walk: Walk::default(), left_out: LeftOut::Nothing }
    }

    /// The same, without what cannot be read.
    pub(super) fn leaving_out(self, left_out: LeftOut) -> Self {
        Self { left_out, ..self }
    }

    pub(super) fn push(&mut self, chunk: Bytes) -> Result<(), RowError> {
        let (position, kept) = match &mut self.part {
            Some(part) => part.push(chunk),
            None => (self.buffer.offset(self.buffer.bytes().len()), chunk),
        };
        self.buffer.push(position, &kept, ("an object", ""))
    }

    pub(super) fn finish(&mut self) {
        self.buffer.finish();
    }

    pub(super) fn buffer(&self) -> &Buffer {
        &self.buffer
    }

    pub(super) fn is_done(&self) -> bool {
        self.part.as_ref().is_some_and(|part| part.done)
    }

    /// Whether nothing follows what was found.
    pub(super) fn is_finished(&self) -> bool {
        self.buffer.is_last && self.buffer.cut == self.buffer.bytes().len()
    }

    /// Whether there was nothing but blanks.
    pub(super) fn is_blank(&self) -> bool {
        matches!(self.walk, Walk::Begin)
    }

    /// Whether the objects are the items of an array.
    pub(super) fn is_array(&self) -> bool {
        matches!(self.walk, Walk::ArrayBegin | Walk::ArrayItem | Walk::ArrayEnd)
    }

    /// Where the first object begins that was not found whole.
    fn next_start(&self) -> usize {
        let rest = self.buffer.bytes().get(self.buffer.cut..).unwrap_or_default();
        self.buffer.cut + rest.iter().take_while(|byte| byte.is_ascii_whitespace()).count()
    }

    /// Whether a walk halted on the line on which it began.
    pub(super) fn is_on_line(&self, halt: &Halt) -> bool {
        let (Halt::Broken { at, .. } | Halt::Refused { at, .. } | Halt::Ended { at, .. }) = halt else { return false };
        let between = self.buffer.bytes().get(self.next_start()..*at).unwrap_or_default();
        memchr::memchr(b'\n', between.trim_ascii_end()).is_none()
    }

    /// What is wrong where a walk halted, and what to do: of objects on lines of their own those that are wrong can be left
    /// out.
    pub(super) fn halted(&self, halt: Halt, on_lines: bool) -> RowError {
        let bytes = self.buffer.bytes();
        let (at, reason, own) = match halt {
            Halt::Broken { at, reason } => (at, with_text(&reason, bytes, at), ""),
            Halt::Refused { at, reason, hint } => (at, reason, hint),
            Halt::Ended { at, within } => (at, format!("broken JSON: the file ends within {within}"), ""),
            Halt::Incomplete => return self.unfinished(),
        };
        let between = |byte: &&u8| byte.is_ascii_whitespace() || matches!(byte, b',' | b'[');
        let rest = bytes.get(self.buffer.cut..).unwrap_or_default();
        let start = self.buffer.cut + rest.iter().take_while(between).count();
        let column = path_to(bytes, start, at).filter(|_| at > start);
        let others = match self.broken_member() {
            Ok(_) => LEAVE_OUT_MEMBERS,
            Err(_) if on_lines && !self.is_array() => LEAVE_OUT,
            Err(_) => "",
        };
        let hints: Vec<_> = [own, others].into_iter().filter(|hint| !hint.is_empty()).collect();
        let reason = RowFault::Json { column, reason, hint: hints.join(", or ") };
        RowError::Row { offset: self.buffer.offset(at), reason }
    }

    /// What is wrong with an object that goes over several lines where it is said that none does.
    pub(super) fn over_lines(&self, start: usize) -> RowError {
        let reason =
            "an object goes over several lines, so the option newline_delimited is wrong for this file".to_owned();
        let hint = "leave it out, or say newline_delimited 'false'".to_owned();
        let reason = RowFault::Json { column: None, reason, hint };
        RowError::Row { offset: self.buffer.offset(start), reason }
    }

    /// What is wrong with an object that a part of a file cuts.
    pub(super) fn unfinished(&self) -> RowError {
        self.buffer.malformed(self.next_start(), SEVERAL_LINES.to_owned())
    }

    /// Finds the next object and lets `read` take its members; none until more bytes come, or at the end.
    pub(super) fn next<E: From<Halt>>(
        &mut self,
        read: impl FnOnce(&mut Cursor<'_>) -> Result<(), E>,
        is_incomplete: impl FnOnce(&E) -> bool,
    ) -> Result<Option<Found>, E> {
        if self.buffer.is_waiting() {
            return Ok(None);
        }
        let cut = self.buffer.cut;
        let mut cursor = Cursor { bytes: self.buffer.bytes(), at: cut, is_last: self.buffer.is_last };
        let mut walk = self.walk;
        let found = match walk.step(&mut cursor) {
            Ok(Some(start)) => {
                let between = cursor.bytes.get(cut..start).unwrap_or_default();
                let begins_line = memchr::memchr(b'\n', between).is_some();
                cursor.at = start + 1;
                let line = cursor.bytes.get(start..).unwrap_or_default();
                let ends_with_line = self.left_out == LeftOut::Lines;
                let whole = match memchr::memchr(b'\n', line).filter(|_| ends_with_line) {
                    Some(end) => {
                        cursor.bytes = cursor.bytes.get(..start + end).unwrap_or_default();
                        cursor.is_last = true;
                        true
                    }
                    None => !ends_with_line || cursor.is_last,
                };
                match whole {
                    true => read(&mut cursor).map(|()| Some(Found { start, end: cursor.at, begins_line })),
                    false => Err(E::from(Halt::Incomplete)),
                }
            }
            Ok(None) => Ok(None),
            Err(halt) => Err(E::from(halt)),
        };
        match found {
            Ok(found) => {
                self.buffer.cut = cursor.at;
                self.walk = walk;
                Ok(found)
            }
            Err(error) if is_incomplete(&error) => {
                self.buffer.wait();
                Ok(None)
            }
            Err(error) => Err(error),
        }
    }

    /// Whether what could not be read is left out.
    pub(super) fn passes(&self, halt: &Halt) -> bool {
        if *halt == Halt::Incomplete {
            return false;
        }
        match self.left_out {
            LeftOut::Nothing => false,
            LeftOut::Lines => !self.is_array() && self.next_start() < self.buffer.bytes().len(),
            LeftOut::Members => matches!(self.broken_member(), Ok(_) | Err(Halt::Incomplete)),
        }
    }

    /// Passes over what could not be read, and returns it with its place; none until more bytes come.
    pub(super) fn pass(&mut self) -> Option<(u64, String)> {
        let (range, walk) = match self.left_out {
            LeftOut::Members => (self.broken_member().ok(), Walk::ArrayItem),
            _ => (self.broken_line(), if matches!(self.walk, Walk::Begin) { Walk::Sequence } else { self.walk }),
        };
        let Some(range) = range else {
            self.buffer.wait();
            return None;
        };
        let bytes = self.buffer.bytes().get(range.clone()).unwrap_or_default();
        let found = (self.buffer.offset(range.start), String::from_utf8_lossy(bytes).trim_end().to_owned());
        (self.buffer.cut, self.walk) = (range.end, walk);
        Some(found)
    }

    /// The line on which what could not be read begins; none until all of it is there.
    fn broken_line(&self) -> Option<Range<usize>> {
        let start = self.next_start();
        let rest = self.buffer.bytes().get(start..).unwrap_or_default();
        match memchr::memchr(b'\n', rest) {
            Some(end) => Some(start..start + end + 1),
            None => self.buffer.is_last.then_some(start..start + rest.len()),
        }
    }

    /// The member of an array that could not be read, if it can be told where it ends.
    fn broken_member(&self) -> Result<Range<usize>, Halt> {
        const WITHIN: &str = "an array";
        let (cut, is_last) = (self.buffer.cut, self.buffer.is_last);
        let (mut cursor, mut walk) = (Cursor { bytes: self.buffer.bytes(), at: cut, is_last }, self.walk);
        loop {
            walk = match (walk, cursor.peek()) {
                (_, None) => return cursor.ended(WITHIN),
                (Walk::Begin | Walk::ArrayEnd, Some(b'[')) => Walk::ArrayBegin,
                (Walk::ArrayBegin | Walk::ArrayItem, Some(b']')) => Walk::ArrayEnd,
                (Walk::ArrayItem, Some(b',')) => {
                    cursor.at += 1;
                    break;
                }
                (Walk::ArrayBegin, Some(_)) => break,
                _ => return cursor.broken(UNTOLD),
            };
            cursor.at += 1;
        }
        cursor.peek();
        let start = cursor.at;
        pass_over(&mut cursor, WITHIN)?;
        let end = cursor.at;
        match cursor.peek() {
            Some(b',' | b']') => Ok(start..end),
            Some(_) => cursor.broken(UNTOLD),
            None => cursor.ended(WITHIN),
        }
    }

    /// Forgets the objects that were found.
    pub(super) fn forget(&mut self) {
        self.buffer.forget();
    }
}

/// What is said of the end of something broken, to nobody: the message is about what is broken in it.
const UNTOLD: &str = "it cannot be told where the member of the array ends";

/// Passes over a value whatever stands in it, if its end can be told: its brackets and quotes match, or it is a word or
/// several on a line.
fn pass_over(cursor: &mut Cursor<'_>, within: &'static str) -> Result<(), Halt> {
    let mut open = Vec::new();
    loop {
        match cursor.peek() {
            None => return cursor.ended(within),
            Some(b'"') => {
                cursor.value()?;
            }
            Some(bracket @ (b'{' | b'[')) => {
                open.push(if bracket == b'{' { b'}' } else { b']' });
                cursor.at += 1;
            }
            Some(bracket @ (b'}' | b']')) => {
                if open.pop() != Some(bracket) {
                    return cursor.broken(UNTOLD);
                }
                cursor.at += 1;
            }
            Some(_) if !open.is_empty() => cursor.at += 1,
            Some(_) => {
                let rest = cursor.bytes.get(cursor.at..).unwrap_or_default();
                let ends = |byte: &u8| matches!(byte, b',' | b'{' | b'}' | b'[' | b']' | b'"' | b'\n');
                match rest.iter().position(ends) {
                    None => return cursor.ended(within),
                    Some(0) => return cursor.broken(UNTOLD),
                    Some(length) => cursor.at += length,
                }
            }
        }
        if open.is_empty() {
            return Ok(());
        }
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
                // Arrays may follow one another, as programs write that append one at a time.
                (Self::Begin | Self::ArrayEnd, b'[') => *self = Self::ArrayBegin,
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
                (Self::ArrayEnd, _) => return cursor.broken("expected nothing, or another array, after the array"),
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

#[cfg(test)]
mod tests {
    use super::*;

    /// The member that is passed over at the start of an array.
    fn passed(text: &str, is_last: bool) -> Result<String, bool> {
        let mut objects = Objects::new(None, 0).leaving_out(LeftOut::Members);
        assert!(objects.push(Bytes::from(text.to_owned())).is_ok());
        if is_last {
            objects.finish();
        }
        let member = objects.broken_member();
        member.map(|range| text[range].to_owned()).map_err(|halt| halt == Halt::Incomplete)
    }

    #[test]
    fn a_member_ends_where_its_brackets_and_quotes_do() {
        for (text, member) in [
            ("[broken, {}]", "broken"),
            ("[\n 17 ]", "17 "),
            ("[{\"a\": oops}, {}]", "{\"a\": oops}"),
            ("[{\"a\": [1, {\"]\": x}], b}\n, {}]", "{\"a\": [1, {\"]\": x}], b}"),
            ("[ \"a, \\\" b\" , {}]", "\"a, \\\" b\""),
            ("[] [null]", "null"),
        ] {
            assert_eq!(passed(text, true).as_deref(), Ok(member), "{text}");
        }
        for text in [
            "[{\"a\": 1\n {\"b\": 2}\n]",
            "[{\"a\": [1}, {}]",
            "[broken\n {}]",
            "[{\"a\": \"x\n\"}, {}]",
            "[, {}]",
            "[{}",
            "{}",
            "",
        ] {
            assert_eq!(passed(text, true), Err(false), "{text}");
        }
        for text in ["[{\"a\": oo", "[{}", "[broken", "[", "[{\"a\": x} "] {
            assert_eq!(passed(text, false), Err(true), "{text}");
        }
    }
}
