//! Where the records of a CSV file begin, so that a file can be read in parts without cutting a quoted line break.
//!
//! A line break inside quotes looks like any other from the middle of a file. A part therefore looks through the bytes
//! before it, which is far cheaper than parsing them, and knows the state in which it starts: two parts that meet at a
//! position agree on it, so that no row is lost or read twice.

use bytes::Bytes;

use super::split::Dialect;

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum State {
    RecordStart,
    /// After a carriage return, which ends a record together with a line feed that may follow.
    Returned,
    FieldStart,
    Unquoted,
    Quoted,
    QuoteInQuoted,
    Escaped,
    Comment,
}

/// Lets through the records that begin within a range of a file's bytes, which are fed from the first one on.
#[derive(Debug)]
pub(super) struct Part {
    dialect: Dialect,
    state: State,
    position: u64,
    start: u64,
    end: u64,
    aligned: bool,
    done: bool,
}

impl Part {
    /// The records that begin at `start` or after it and before `end`.
    pub(super) fn new(dialect: Dialect, start: u64, end: u64) -> Self {
        Self { dialect, state: State::RecordStart, position: 0, start, end, aligned: false, done: false }
    }

    /// Whether no later byte belongs to the range.
    pub(super) fn is_done(&self) -> bool {
        self.done
    }

    /// What of the next bytes belongs to the range, and where in the file that begins.
    pub(super) fn push(&mut self, mut chunk: Bytes) -> (u64, Bytes) {
        if self.start == 0 && self.end == u64::MAX {
            // The whole file: there is nothing to look for.
            let position = self.position;
            self.position += chunk.len() as u64;
            return (position, chunk);
        }
        let before = self.start.saturating_sub(self.position).min(chunk.len() as u64);
        let before = chunk.split_to(usize::try_from(before).unwrap_or(chunk.len()));
        self.advance(&before);
        while !self.aligned && self.position >= self.start {
            match (self.state, chunk.first()) {
                (State::RecordStart, _) => self.aligned = true,
                (_, None) => break,
                (State::Returned, Some(byte)) if *byte != b'\n' => self.aligned = true,
                (_, Some(_)) => {
                    let byte = chunk.split_to(1);
                    self.advance(&byte);
                }
            }
        }
        let position = self.position;
        if !self.aligned || self.done {
            return (position, Bytes::new());
        }
        let inside = self.end.saturating_sub(self.position).min(chunk.len() as u64);
        let mut length = usize::try_from(inside).unwrap_or(chunk.len());
        self.advance(chunk.get(..length).unwrap_or_default());
        while self.position >= self.end && !self.done {
            match (self.state, chunk.get(length)) {
                (State::RecordStart, _) => self.done = true,
                (_, None) => break,
                (State::Returned, Some(byte)) if *byte != b'\n' => self.done = true,
                (_, Some(byte)) => {
                    self.advance(std::slice::from_ref(byte));
                    length += 1;
                }
            }
        }
        chunk.truncate(length);
        (position, chunk)
    }

    /// Follows the bytes. Most chunks hold no quote: then their last byte alone tells the state.
    fn advance(&mut self, bytes: &[u8]) {
        self.position += bytes.len() as u64;
        let Some(last) = bytes.last() else { return };
        let Dialect { quote, escape, comment, skip_initial_space, .. } = self.dialect;
        let open = matches!(self.state, State::Quoted | State::QuoteInQuoted | State::Escaped | State::Comment);
        let special = escape.is_some() || comment.is_some() || skip_initial_space;
        if !open && !special && quote.is_none_or(|quote| memchr::memchr(quote, bytes).is_none()) {
            self.state = next(&self.dialect, State::Unquoted, *last);
            return;
        }
        for byte in bytes {
            self.state = next(&self.dialect, self.state, *byte);
        }
    }
}

fn next(dialect: &Dialect, state: State, byte: u8) -> State {
    match state {
        State::Returned if byte == b'\n' => State::RecordStart,
        State::Returned => next(dialect, State::RecordStart, byte),
        State::RecordStart if Some(byte) == dialect.comment => State::Comment,
        // A record has begun, though its first field has not.
        State::RecordStart | State::FieldStart if dialect.is_initial_space(byte) => State::FieldStart,
        State::RecordStart | State::FieldStart if Some(byte) == dialect.quote => State::Quoted,
        State::Quoted if Some(byte) == dialect.escape && Some(byte) != dialect.quote => State::Escaped,
        State::Quoted if Some(byte) == dialect.quote => State::QuoteInQuoted,
        State::Quoted | State::Escaped => State::Quoted,
        State::QuoteInQuoted if Some(byte) == dialect.quote => State::Quoted,
        State::Comment if byte == b'\n' => State::RecordStart,
        State::Comment if byte == b'\r' => State::Returned,
        State::Comment => State::Comment,
        _ if byte == b'\r' => State::Returned,
        _ if byte == b'\n' => State::RecordStart,
        _ if byte == dialect.delimiter => State::FieldStart,
        _ => State::Unquoted,
    }
}
