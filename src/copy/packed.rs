//! Bytes of the binary format cut into rows, as they come: a signature, and of each row how many values it has and how long each is.

use std::ops::Range;

use super::SIGNATURE;
use crate::{Error, Fault, Result};

/// The most bytes of a row that is not whole yet.
const MAX_BYTES: usize = 0x3fff_ffff;

/// The flags that change what follows, of which none is known; the first of them was that of numbers of rows.
const CRITICAL_FLAGS: u32 = 0xffff_0000;
const NUMBERED: u32 = 1 << 16;

/// The rows of what has come so far.
#[derive(Debug, Default)]
pub(super) struct Packed {
    buffer: Vec<u8>,
    start: usize,
    has_header: bool,
    has_ended: bool,
    /// Whether the row came that says that it is none.
    is_over: bool,
    number: u64,
}

/// What comes next.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Next {
    /// A row: where its values are until more bytes come; none is NULL.
    Row(Vec<Option<Range<usize>>>),
    /// What has come is no whole row.
    More,
    End,
}

/// What is wrong, and with which value of a row.
#[derive(Debug)]
pub(super) struct Broken {
    pub(super) error: Error,
    /// Whether a row was begun.
    pub(super) in_row: bool,
    pub(super) value: Option<usize>,
}

impl Packed {
    /// The number of the row that was found, or that is looked for.
    pub(super) fn number(&self) -> u64 {
        self.number
    }

    /// Takes more bytes; those of rows that were found go.
    pub(super) fn push(&mut self, bytes: &[u8]) -> Result<()> {
        self.buffer.drain(..self.start);
        self.start = 0;
        if self.buffer.len() + bytes.len() > MAX_BYTES {
            let message = format!("a row is longer than {MAX_BYTES} bytes, which is the limit");
            return Err(Error::new(Fault::LimitExceeded, message));
        }
        self.buffer.extend_from_slice(bytes);
        Ok(())
    }

    /// No more bytes come.
    pub(super) fn end(&mut self) {
        self.has_ended = true;
    }

    /// The bytes of a value of the row that was just found.
    pub(super) fn bytes(&self, value: Range<usize>) -> &[u8] {
        self.buffer.get(value).unwrap_or_default()
    }

    /// Looks for the next row, of so many values.
    pub(super) fn next(&mut self, width: usize) -> Result<Next, Broken> {
        if !self.has_header && !self.header()? {
            return Ok(Next::More);
        }
        if self.is_over {
            return match (self.buffer.len() > self.start, self.has_ended) {
                (true, _) => Err(self.broken("received copy data after EOF marker", None)),
                (false, true) => Ok(Next::End),
                (false, false) => Ok(Next::More),
            };
        }
        // A row that is not whole is looked at again; its number stays.
        let number = self.number + 1;
        let Some(count) = self.take::<2>(self.start).map(i16::from_be_bytes) else {
            return Ok(if self.has_ended { Next::End } else { Next::More });
        };
        if count == -1 {
            (self.number, self.is_over) = (number, true);
            self.start += 2;
            return self.next(width);
        }
        if usize::try_from(count) != Ok(width) {
            self.number = number;
            return Err(self.broken(&format!("row field count is {count}, expected {width}"), None));
        }
        let (mut at, mut values) = (self.start + 2, Vec::with_capacity(width));
        for value in 0..width {
            let Some(length) = self.take::<4>(at).map(i32::from_be_bytes) else { return self.short(number, value) };
            at += 4;
            if length == -1 {
                values.push(None);
                continue;
            }
            let Ok(length) = usize::try_from(length) else {
                self.number = number;
                return Err(self.broken("invalid field size", Some(value)));
            };
            if length >= MAX_BYTES {
                // There is no waiting for what is not kept.
                self.number = number;
                let message = format!("a value has {length} bytes, which is beyond the limit of {MAX_BYTES}");
                let error = Error::new(Fault::LimitExceeded, message);
                return Err(Broken { error, in_row: true, value: Some(value) });
            }
            if self.buffer.len() - at < length {
                return self.short(number, value);
            }
            values.push(Some(at..at + length));
            at += length;
        }
        (self.number, self.start) = (number, at);
        Ok(Next::Row(values))
    }

    /// A row that breaks off within a value.
    fn short(&mut self, number: u64, value: usize) -> Result<Next, Broken> {
        if !self.has_ended {
            return Ok(Next::More);
        }
        self.number = number;
        Err(self.broken("unexpected EOF in COPY data", Some(value)))
    }

    /// Takes the header, if all of it is there.
    fn header(&mut self) -> Result<bool, Broken> {
        let there = &self.buffer[..self.buffer.len().min(SIGNATURE.len())];
        if !SIGNATURE.starts_with(there) || there.len() < SIGNATURE.len() && self.has_ended {
            return Err(self.no_header("COPY file signature not recognized"));
        }
        let behind = SIGNATURE.len();
        let Some(flags) = self.take::<4>(behind).map(u32::from_be_bytes) else {
            return self.missing("invalid COPY file header (missing flags)");
        };
        if flags & NUMBERED != 0 {
            return Err(self.no_header("invalid COPY file header (WITH OIDS)"));
        }
        if flags & CRITICAL_FLAGS != 0 {
            return Err(self.no_header("unrecognized critical flags in COPY file header"));
        }
        let Some(length) = self.take::<4>(behind + 4).map(i32::from_be_bytes) else {
            return self.missing("invalid COPY file header (missing length)");
        };
        let Ok(length) = usize::try_from(length) else {
            return Err(self.no_header("invalid COPY file header (missing length)"));
        };
        if self.buffer.len() - behind - 8 < length {
            return self.missing("invalid COPY file header (wrong length)");
        }
        self.start = behind + 8 + length;
        self.has_header = true;
        Ok(true)
    }

    fn missing(&self, message: &str) -> Result<bool, Broken> {
        if self.has_ended { Err(self.no_header(message)) } else { Ok(false) }
    }

    fn take<const N: usize>(&self, at: usize) -> Option<[u8; N]> {
        self.buffer.get(at..)?.first_chunk::<N>().copied()
    }

    fn no_header(&self, message: &str) -> Broken {
        Broken { error: Error::new(Fault::InvalidCopy, message), in_row: false, value: None }
    }

    fn broken(&self, message: &str, value: Option<usize>) -> Broken {
        Broken { error: Error::new(Fault::InvalidCopy, message), in_row: true, value }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const HEADER: &[u8] = b"PGCOPY\n\xff\r\n\0\0\0\0\0\0\0\0\0";

    /// The values of all rows, or what is said of the one at fault.
    type Cut = Result<Vec<Option<Vec<u8>>>, (String, Option<usize>)>;

    /// The values of rows of two that come in pieces of a size, or what is wrong.
    fn cut(bytes: &[u8], size: usize) -> Cut {
        let (mut packed, mut pieces, mut found) = (Packed::default(), bytes.chunks(size), Vec::new());
        loop {
            match packed.next(2).map_err(|broken| (broken.error.to_string(), broken.value))? {
                Next::Row(values) => {
                    found.extend(values.into_iter().map(|value| value.map(|value| packed.bytes(value).to_vec())));
                }
                Next::More => match pieces.next() {
                    Some(piece) => packed.push(piece).map_err(|error| (error.to_string(), None))?,
                    None => packed.end(),
                },
                Next::End => return Ok(found),
            }
        }
    }

    /// As PostgreSQL 15 reads them.
    #[test]
    fn rows_are_found_or_what_is_wrong_is_told() {
        let whole = [HEADER, b"\0\x02\0\0\0\x01a\xff\xff\xff\xff\0\x02\0\0\0\0\0\0\0\x02hi\xff\xff"].concat();
        let longer = [&b"PGCOPY\n\xff\r\n\0\0\0\x01\0\0\0\0\x03abc"[..], b"\xff\xff"].concat();
        for size in [1, 2, 5, 100] {
            let values = vec![Some(b"a".to_vec()), None, Some(Vec::new()), Some(b"hi".to_vec())];
            assert_eq!(cut(&whole, size), Ok(values));
            assert_eq!(cut(&longer, size), Ok(Vec::new()));
            for (rest, told, value) in [
                (&b"\0\x03"[..], "row field count is 3, expected 2", None),
                (b"\0\x02\0\0\0\x04\0", "unexpected EOF in COPY data", Some(0)),
                (b"\0\x02\xff\xff\xff\xff\xff\xff\xff\xfe", "invalid field size", Some(1)),
                (
                    b"\0\x02\x3f\xff\xff\xff",
                    "a value has 1073741823 bytes, which is beyond the limit of 1073741823",
                    Some(0),
                ),
                (b"\xff\xffx", "received copy data after EOF marker", None),
            ] {
                assert_eq!(cut(&[HEADER, rest].concat(), size), Err((told.to_owned(), value)));
            }
            let signature = Err(("COPY file signature not recognized".to_owned(), None));
            assert_eq!(cut(b"1\tx\n", size), signature);
            assert_eq!(cut(b"", size), signature);
        }
    }
}
