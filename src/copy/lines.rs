//! Bytes cut into lines, as they come: where a line ends, text and CSV say differently, and both keep to the ends that the first
//! line has. A line of `\.` alone ends all.

use std::ops::Range;

use super::options::{Format, Options};
use crate::{Error, Fault, Result};

/// The most bytes of a line, which is PostgreSQL's limit too.
const MAX_BYTES: usize = 0x3fff_ffff;

/// Where lines end.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Ends {
    Newline,
    Return,
    Both,
}

/// The lines of what has come so far.
#[derive(Debug)]
pub(super) struct Lines {
    buffer: Vec<u8>,
    /// Where the line begins that is looked for, and how far it has been.
    start: usize,
    scan: usize,
    ends: Option<Ends>,
    /// The quote of CSV, and what escapes it where that is another.
    quotes: Option<(u8, Option<u8>)>,
    in_quotes: bool,
    was_escape: bool,
    has_begun: bool,
    /// Whether no more comes.
    has_ended: bool,
    /// Whether what comes has no meaning any more.
    is_over: bool,
    /// The number of the line that is looked for, or was found.
    number: u64,
}

/// What comes next.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Next {
    /// A line without its end: these bytes, until more come.
    Line(Range<usize>),
    /// What has come is no whole line.
    More,
    End,
}

impl Lines {
    pub(super) fn new(options: &Options) -> Self {
        let escape = (options.escape != options.quote).then_some(options.escape);
        Self {
            buffer: Vec::new(),
            start: 0,
            scan: 0,
            ends: None,
            quotes: (options.format == Format::Csv).then_some((options.quote, escape)),
            in_quotes: false,
            was_escape: false,
            has_begun: false,
            has_ended: false,
            is_over: false,
            number: 0,
        }
    }

    /// The number of the line that was found, or that is looked for.
    pub(super) fn number(&self) -> u64 {
        self.number
    }

    /// Takes more bytes; those of lines that were found go.
    pub(super) fn push(&mut self, bytes: &[u8]) -> Result<()> {
        if self.is_over {
            return Ok(());
        }
        self.buffer.drain(..self.start);
        self.scan -= self.start;
        self.start = 0;
        if self.buffer.len() + bytes.len() > MAX_BYTES {
            let message = format!("a line is longer than {MAX_BYTES} bytes, which is the limit");
            return Err(Error::new(Fault::LimitExceeded, message));
        }
        self.buffer.extend_from_slice(bytes);
        Ok(())
    }

    /// No more bytes come.
    pub(super) fn end(&mut self) {
        self.has_ended = true;
    }

    /// The bytes of a line that was just found.
    pub(super) fn bytes(&self, line: Range<usize>) -> &[u8] {
        self.buffer.get(line).unwrap_or_default()
    }

    /// What has come from a place on, which may be more than the line that was just found.
    pub(super) fn bytes_from(&self, place: usize) -> &[u8] {
        self.buffer.get(place..).unwrap_or_default()
    }

    /// Looks for the next line.
    pub(super) fn next(&mut self) -> Result<Next> {
        if self.is_over {
            return Ok(Next::End);
        }
        if !self.has_begun {
            self.has_begun = true;
            self.number += 1;
        }
        while let Some(byte) = self.at(self.scan) {
            if self.scan + self.wanted(byte) > self.buffer.len() && !self.has_ended {
                return Ok(Next::More);
            }
            self.notice_quotes(byte);
            match byte {
                b'\r' | b'\n' if !self.in_quotes => return self.line_end(byte),
                b'\\' if self.quotes.is_none() || self.scan == self.start => {
                    if self.is_end_mark()? {
                        self.is_over = true;
                        let line = self.start..self.scan;
                        return Ok(if line.is_empty() { Next::End } else { Next::Line(line) });
                    }
                    // In text, what follows is no end and no mark.
                    let has_next = self.quotes.is_none() && self.at(self.scan + 1).is_some();
                    self.scan += if has_next { 2 } else { 1 };
                }
                _ => self.scan += 1,
            }
        }
        if !self.has_ended {
            return Ok(Next::More);
        }
        self.is_over = true;
        let line = self.start..self.buffer.len();
        Ok(if line.is_empty() { Next::End } else { Next::Line(line) })
    }

    fn at(&self, place: usize) -> Option<u8> {
        self.buffer.get(place).copied()
    }

    /// How many bytes, with this one, tell what it is.
    fn wanted(&self, byte: u8) -> usize {
        match byte {
            b'\r' => 2,
            b'\\' if self.at(self.scan + 1) == Some(b'.') && self.ends == Some(Ends::Both) => 4,
            b'\\' if self.at(self.scan + 1) == Some(b'.') => 3,
            b'\\' => 2,
            _ => 1,
        }
    }

    fn notice_quotes(&mut self, byte: u8) {
        let Some((quote, escape)) = self.quotes else { return };
        let is_escape = Some(byte) == escape;
        if self.in_quotes && is_escape {
            self.was_escape = !self.was_escape;
        }
        if byte == quote && !self.was_escape {
            self.in_quotes = !self.in_quotes;
        }
        if !is_escape {
            self.was_escape = false;
        }
        let counted = if self.ends == Some(Ends::Newline) { b'\n' } else { b'\r' };
        if self.in_quotes && byte == counted {
            self.number += 1;
        }
    }

    /// The line that ends here, if it may end so.
    fn line_end(&mut self, byte: u8) -> Result<Next> {
        let line = self.start..self.scan;
        let (ends, length) = match (byte, self.ends) {
            (b'\r', None | Some(Ends::Both)) if self.at(self.scan + 1) == Some(b'\n') => (Ends::Both, 2),
            (b'\r', None | Some(Ends::Return)) => (Ends::Return, 1),
            (b'\n', None | Some(Ends::Newline)) => (Ends::Newline, 1),
            (b'\r', _) => return Err(self.mixed("carriage return", "\\r")),
            _ => return Err(self.mixed("newline", "\\n")),
        };
        self.ends = Some(ends);
        self.scan += length;
        self.start = self.scan;
        (self.has_begun, self.in_quotes, self.was_escape) = (false, false, false);
        Ok(Next::Line(line))
    }

    fn mixed(&self, what: &str, escape: &str) -> Error {
        let (message, hint) = match self.quotes {
            Some(_) => (format!("unquoted {what} found in data"), format!("Use quoted CSV field to represent {what}.")),
            None => (format!("literal {what} found in data"), format!("Use \"{escape}\" to represent {what}.")),
        };
        Error::Statement { fault: Fault::InvalidCopy, message, hint: Some(hint) }
    }

    /// Whether `\.` is here, with the end of a line behind it.
    fn is_end_mark(&self) -> Result<bool> {
        if self.at(self.scan + 1) != Some(b'.') {
            return Ok(false);
        }
        let is_csv = self.quotes.is_some();
        let wrong = |what: &str| Error::new(Fault::InvalidCopy, format!("end-of-copy marker {what}"));
        let mut next = self.at(self.scan + 2);
        if self.ends == Some(Ends::Both) {
            match next {
                Some(b'\r') => next = self.at(self.scan + 3),
                _ if is_csv => return Ok(false),
                Some(b'\n') => return Err(wrong("does not match previous newline style")),
                _ => return Err(wrong("corrupt")),
            }
        }
        let fits = match next {
            Some(b'\n') => self.ends != Some(Ends::Return),
            Some(b'\r') => matches!(self.ends, None | Some(Ends::Return)),
            _ if is_csv => return Ok(false),
            _ => return Err(wrong("corrupt")),
        };
        if fits { Ok(true) } else { Err(wrong("does not match previous newline style")) }
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use datafusion::sql::sqlparser::tokenizer::Location;

    use super::*;
    use crate::copy::{Choice, Direction};

    /// The lines of bytes that come in pieces of a size, and the number of the last.
    fn cut(format: &str, bytes: &[u8], size: usize) -> Result<(Vec<String>, u64)> {
        let given = vec![("format".to_owned(), Some(Choice::Text(format.to_owned())), Location::empty())];
        let mut lines = Lines::new(&Options::read(&given, Direction::From)?);
        let (mut found, mut pieces) = (Vec::new(), bytes.chunks(size));
        loop {
            match lines.next()? {
                Next::Line(line) => found.push(String::from_utf8_lossy(lines.bytes(line)).into_owned()),
                Next::More => match pieces.next() {
                    Some(piece) => lines.push(piece)?,
                    None => lines.end(),
                },
                Next::End => return Ok((found, lines.number())),
            }
        }
    }

    /// As PostgreSQL 15 cuts them.
    #[test]
    fn lines_end_where_their_format_ends_them() {
        for (format, bytes, expected) in [
            ("text", &b"a\nb"[..], &["a", "b"][..]),
            ("text", b"a\r\nb\r\n", &["a", "b"]),
            ("text", b"a\rb\r", &["a", "b"]),
            ("text", b"a\\\nb\n", &["a\\\nb"]),
            ("text", b"a\n\\.\nb\n", &["a"]),
            ("text", b"a\\.\nb\n", &["a"]),
            ("text", b"\\\\.\n", &["\\\\."]),
            ("csv", b"a,\"x\ny\"\nb\n", &["a,\"x\ny\"", "b"]),
            ("csv", b"a\r\n\"b\r\n\"\r\n", &["a", "\"b\r\n\""]),
            ("csv", b"a\n\\.\nb\n", &["a"]),
            ("csv", b"x\\.\n\\.y\n", &["x\\.", "\\.y"]),
            ("text", b"", &[]),
        ] {
            for size in [1, 2, 3, 100] {
                assert_eq!(cut(format, bytes, size).unwrap().0, expected, "{bytes:?} in pieces of {size}");
            }
        }
        assert_eq!(cut("csv", b"a\n\"b\nc\"\nd\n", 4).unwrap().1, 5, "the line that was looked for last");
    }

    #[test]
    fn ends_are_not_mixed() {
        for (format, bytes, told) in [
            ("text", &b"a\r\nb\n"[..], "literal newline found in data"),
            ("text", b"a\nb\r\n", "literal carriage return found in data"),
            ("csv", b"a\nb\r\n", "unquoted carriage return found in data"),
            ("csv", b"a\r\nb\n", "unquoted newline found in data"),
            ("text", b"a\n\\.", "end-of-copy marker corrupt"),
            ("text", b"a\n\\.x\n", "end-of-copy marker corrupt"),
            ("text", b"a\r\n\\.\n", "end-of-copy marker does not match previous newline style"),
        ] {
            for size in [1, 100] {
                assert_eq!(cut(format, bytes, size).unwrap_err().to_string(), told, "{bytes:?} in pieces of {size}");
            }
        }
    }
}
