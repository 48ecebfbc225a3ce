//! Where the records of a CSV file begin, so that a file can be read in parts without cutting a quoted line break.
//!
//! A line break inside quotes looks like any other from the middle of a file. A part therefore looks through the bytes
//! before it, which is far cheaper than parsing them, and knows the state in which it starts: two parts that meet at a
//! position agree on it, so that no row is lost or read twice. States are those of the `csv-core` parser.

use bytes::Bytes;

/// The characters that a CSV file is made of.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Dialect {
    pub(super) delimiter: u8,
    pub(super) quote: u8,
    pub(super) escape: Option<u8>,
    pub(super) comment: Option<u8>,
    /// Whether blanks after a delimiter belong to no field.
    pub(super) skip_initial_space: bool,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum State {
    RecordStart,
    FieldStart,
    Unquoted,
    Quoted,
    QuoteInQuoted,
    Escaped,
    Comment,
}

/// Lets through the records that begin within a range of a file's bytes, which are fed from the first one on.
#[derive(Debug)]
pub(super) struct RecordFilter {
    dialect: Dialect,
    state: State,
    position: u64,
    start: u64,
    end: u64,
    aligned: bool,
    done: bool,
}

impl RecordFilter {
    /// For the records that begin at `start` or after it and before `end`.
    pub(super) fn new(dialect: Dialect, start: u64, end: u64) -> Self {
        Self { dialect, state: State::RecordStart, position: 0, start, end, aligned: false, done: false }
    }

    /// Whether no later byte belongs to the range.
    pub(super) fn is_done(&self) -> bool {
        self.done
    }

    /// Whether the bytes so far end within quotes that a record of the range has opened.
    pub(super) fn is_within_quotes(&self) -> bool {
        self.aligned && !self.done && matches!(self.state, State::Quoted | State::Escaped)
    }

    /// What of the next bytes belongs to the range.
    pub(super) fn push(&mut self, mut chunk: Bytes) -> Bytes {
        let before = self.start.saturating_sub(self.position).min(chunk.len() as u64);
        let before = chunk.split_to(usize::try_from(before).unwrap_or(chunk.len()));
        self.advance(&before);
        while !self.aligned && self.position >= self.start {
            if self.state == State::RecordStart {
                self.aligned = true;
            } else if chunk.is_empty() {
                break;
            } else {
                let byte = chunk.split_to(1);
                self.advance(&byte);
            }
        }
        if !self.aligned || self.done {
            return Bytes::new();
        }
        let inside = self.end.saturating_sub(self.position).min(chunk.len() as u64);
        let mut length = usize::try_from(inside).unwrap_or(chunk.len());
        self.advance(chunk.get(..length).unwrap_or_default());
        while self.position >= self.end && !self.done {
            if self.state == State::RecordStart {
                self.done = true;
            } else if let Some(byte) = chunk.get(length) {
                self.advance(std::slice::from_ref(byte));
                length += 1;
            } else {
                break;
            }
        }
        chunk.truncate(length);
        chunk
    }

    /// Follows the bytes. Most chunks hold no quote: then their last byte alone tells the state.
    fn advance(&mut self, bytes: &[u8]) {
        self.position += bytes.len() as u64;
        let Some(last) = bytes.last() else { return };
        let Dialect { quote, escape, comment, skip_initial_space, .. } = self.dialect;
        let open = matches!(self.state, State::Quoted | State::QuoteInQuoted | State::Escaped | State::Comment);
        let plain = !open && escape.is_none() && comment.is_none() && !skip_initial_space && !bytes.contains(&quote);
        if plain {
            self.state = self.dialect.next(State::Unquoted, *last);
            return;
        }
        for byte in bytes {
            self.state = self.dialect.next(self.state, *byte);
        }
    }
}

impl Dialect {
    /// The bytes without the blanks that begin a field. Feed the chunks of a file in order, each with the same `blank`.
    pub(super) fn without_initial_space(&self, bytes: &[u8], blanks: &mut Blanks) -> Bytes {
        let mut kept = Vec::with_capacity(bytes.len());
        for byte in bytes {
            if !self.is_initial_space(blanks.0, *byte) {
                kept.push(*byte);
            }
            blanks.0 = self.next(blanks.0, *byte);
        }
        Bytes::from(kept)
    }

    fn is_initial_space(&self, state: State, byte: u8) -> bool {
        matches!(state, State::RecordStart | State::FieldStart)
            && self.skip_initial_space
            && matches!(byte, b' ' | b'\t')
            && byte != self.delimiter
    }

    fn next(&self, state: State, byte: u8) -> State {
        let ends_record = matches!(byte, b'\n' | b'\r');
        match state {
            State::RecordStart | State::FieldStart if self.is_initial_space(state, byte) => state,
            State::RecordStart if Some(byte) == self.comment => State::Comment,
            State::RecordStart | State::FieldStart if byte == self.quote => State::Quoted,
            State::Quoted if byte == self.quote => State::QuoteInQuoted,
            State::Quoted if Some(byte) == self.escape => State::Escaped,
            State::Quoted | State::Escaped => State::Quoted,
            State::QuoteInQuoted if byte == self.quote => State::Quoted,
            State::Comment if byte == b'\n' => State::RecordStart,
            State::Comment => State::Comment,
            _ if ends_record => State::RecordStart,
            _ if byte == self.delimiter => State::FieldStart,
            _ => State::Unquoted,
        }
    }
}

/// Where [`Dialect::without_initial_space`] stands in a file.
#[derive(Debug)]
pub(super) struct Blanks(State);

impl Default for Blanks {
    fn default() -> Self {
        Self(State::RecordStart)
    }
}
