//! Cuts bytes into records and fields, eight bytes a step, and tells what was quoted.
//!
//! A record ends at a line feed, a carriage return or both. A field whose first character is the quote goes to the next
//! single quote, whatever lies between; behind that only blanks may follow, which belong to nothing. A quote anywhere else
//! is a character like others. An empty line is no record, except where a record is one field: there it is an empty one.

use std::borrow::Cow;

use memchr::memchr2;

/// The characters that a CSV file is made of.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Dialect {
    pub(super) delimiter: u8,
    /// The character around fields; none: quotes are characters like others.
    pub(super) quote: Option<u8>,
    pub(super) escape: Option<u8>,
    pub(super) comment: Option<u8>,
    /// Whether blanks after a delimiter belong to no field.
    pub(super) skip_initial_space: bool,
}

impl Dialect {
    /// Whether a byte that begins a field belongs to none.
    pub(super) fn is_initial_space(&self, byte: u8) -> bool {
        self.skip_initial_space && matches!(byte, b' ' | b'\t') && byte != self.delimiter
    }
}

/// A field's place in a buffer.
#[derive(Debug, Clone, Copy)]
struct Span {
    start: u32,
    end: u32,
    form: Form,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Form {
    /// As it stands there.
    Plain,
    /// Between quotes, as it stands there.
    Quoted,
    /// From its opening quote on, with quotes or escapes to be taken out.
    Escaped,
}

/// A field: its text, and whether it was quoted.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Field<'a> {
    pub(super) text: Cow<'a, str>,
    pub(super) is_quoted: bool,
}

/// The records found in a buffer.
#[derive(Debug, Default)]
pub(super) struct Records {
    spans: Vec<Span>,
    /// Where each record begins in the buffer.
    starts: Vec<u32>,
    /// How many fields each record has; all have the same number where a width was asked for.
    widths: Vec<u32>,
    /// How many spans each record keeps, where a width was asked for.
    kept: usize,
}

impl Records {
    /// How many there are.
    pub(super) fn len(&self) -> usize {
        self.starts.len()
    }

    pub(super) fn clear(&mut self) {
        self.spans.clear();
        self.starts.clear();
        self.widths.clear();
    }

    /// Where in the buffer a record begins.
    pub(super) fn start(&self, record: usize) -> usize {
        self.starts.get(record).map_or(0, |start| *start as usize)
    }

    /// The fields of one kept column, from the first record on.
    pub(super) fn column<'a>(
        &'a self,
        buffer: &'a str,
        dialect: Dialect,
        kept: usize,
    ) -> impl Iterator<Item = Field<'a>> + Clone + 'a {
        let spans = self.spans.iter().skip(kept).step_by(self.kept.max(1));
        spans.map(move |span| span.field(buffer, &dialect))
    }

    /// The fields of each record, where no width was asked for.
    pub(super) fn rows<'a>(
        &'a self,
        buffer: &'a str,
        dialect: &'a Dialect,
    ) -> impl Iterator<Item = Vec<Field<'a>>> + 'a {
        let mut spans = self.spans.iter();
        self.widths
            .iter()
            .map(move |width| spans.by_ref().take(*width as usize).map(|span| span.field(buffer, dialect)).collect())
    }
}

impl Span {
    fn field<'a>(&self, buffer: &'a str, dialect: &Dialect) -> Field<'a> {
        let text = buffer.get(self.start as usize..self.end as usize).unwrap_or_default();
        match self.form {
            Form::Plain => Field { text: Cow::Borrowed(text), is_quoted: false },
            Form::Quoted => Field { text: Cow::Borrowed(text), is_quoted: true },
            Form::Escaped => Field { text: Cow::Owned(unescaped(text.as_bytes(), dialect)), is_quoted: true },
        }
    }
}

/// The text of a field that begins with a quote.
fn unescaped(raw: &[u8], dialect: &Dialect) -> String {
    let mut text = Vec::with_capacity(raw.len());
    let mut bytes = raw.iter().copied().skip(1).peekable();
    let mut is_open = true;
    while let Some(byte) = bytes.next() {
        if !is_open {
            text.push(byte);
        } else if Some(byte) == dialect.escape && Some(byte) != dialect.quote {
            text.extend(bytes.next());
        } else if Some(byte) != dialect.quote || bytes.next_if_eq(&byte).is_some() {
            text.push(byte);
        } else {
            is_open = false;
        }
    }
    // Only whole characters were taken out.
    String::from_utf8_lossy(&text).into_owned()
}

/// Why a buffer could not be cut on.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Stop {
    /// The record that begins here goes on behind the buffer's end.
    Incomplete,
    /// As many records as were asked for.
    Full,
    /// A record of another number of fields.
    Ragged { start: usize, end: usize, found: usize },
    /// The file ends within quotes.
    Unclosed { start: usize },
    /// Something follows the closing quote of a field, counted from 0, at `at`. The record's end is none if it is not in the
    /// buffer.
    Behind { start: usize, at: usize, field: usize, end: Option<usize> },
}

/// What is asked of [`split`].
#[derive(Debug, Clone, Copy)]
pub(super) struct Wanted<'a> {
    /// How many fields each record must have, and which of them are kept; none: any number, and all.
    pub(super) columns: Option<&'a [bool]>,
    /// Whether nothing may follow a closing quote. Else it belongs to its field, for nobody knows yet whether this is how the
    /// file is written.
    pub(super) is_strict: bool,
    /// Whether the buffer ends where the file does.
    pub(super) is_last: bool,
    /// How many records in all.
    pub(super) max_records: usize,
}

/// Adds the records of a buffer from `at` on. Returns how far they go and why no further.
pub(super) fn split(
    dialect: &Dialect,
    buffer: &[u8],
    mut at: usize,
    wanted: Wanted<'_>,
    records: &mut Records,
) -> (usize, Stop) {
    let finder = Finder::new(dialect.delimiter);
    let line_end = |bytes: &[u8]| memchr2(b'\n', b'\r', bytes);
    let keeps_empty_lines = wanted.columns.is_some_and(|columns| columns.len() == 1);
    records.kept = wanted.columns.map_or(0, |columns| columns.iter().filter(|kept| **kept).count());
    while records.len() < wanted.max_records {
        let Some(first) = buffer.get(at) else { return (at, Stop::Incomplete) };
        if Some(*first) == dialect.comment {
            match line_end(buffer.get(at..).unwrap_or_default()) {
                Some(end) => at += end + 1,
                None if wanted.is_last => return (buffer.len(), Stop::Incomplete),
                None => return (at, Stop::Incomplete),
            }
            continue;
        }
        if matches!(first, b'\n' | b'\r') && !keeps_empty_lines {
            at += 1;
            continue;
        }
        match record(dialect, &finder, buffer, at, wanted, &mut records.spans) {
            Ok((end, width)) => {
                records.starts.push(at as u32);
                match wanted.columns {
                    Some(columns) if columns.len() != width => {
                        records.starts.pop();
                        records.spans.truncate(records.len() * records.kept);
                        return (at, Stop::Ragged { start: at, end, found: width });
                    }
                    Some(_) => {}
                    None => records.widths.push(width as u32),
                }
                at = end;
            }
            Err(stop) => return (at, stop),
        }
    }
    (at, Stop::Full)
}

/// One record: where it ends and how many fields it has. Of an incomplete one nothing is kept.
fn record(
    dialect: &Dialect,
    finder: &Finder,
    buffer: &[u8],
    start: usize,
    wanted: Wanted<'_>,
    spans: &mut Vec<Span>,
) -> Result<(usize, usize), Stop> {
    let before = spans.len();
    let (mut at, mut width) = (start, 0);
    // The field behind whose closing quote something follows, and where.
    let mut behind = None;
    let fail = |spans: &mut Vec<Span>, is_open: bool, behind: Option<(usize, usize)>| {
        spans.truncate(before);
        Err(match behind {
            Some((field, at)) => Stop::Behind { start, at, field, end: wanted.is_last.then_some(buffer.len()) },
            None if wanted.is_last && is_open => Stop::Unclosed { start },
            None => Stop::Incomplete,
        })
    };
    let done = |spans: &mut Vec<Span>, end: usize, width: usize, behind: Option<(usize, usize)>| match behind {
        Some((field, at)) => {
            spans.truncate(before);
            Err(Stop::Behind { start, at, field, end: Some(end) })
        }
        None => Ok((end, width)),
    };
    loop {
        while buffer.get(at).is_some_and(|byte| dialect.is_initial_space(*byte)) {
            at += 1;
        }
        let (span, end) = if dialect.quote.is_some() && buffer.get(at).copied() == dialect.quote {
            match quoted(dialect, finder, buffer, at, wanted.is_last) {
                Some((span, end, closed)) => {
                    if let Some(closed) = closed.filter(|_| wanted.is_strict) {
                        behind = behind.or(Some((width, closed)));
                    }
                    (span, end)
                }
                None => return fail(spans, true, behind),
            }
        } else {
            let end = finder.find(buffer, at);
            (Span { start: at as u32, end: end as u32, form: Form::Plain }, end)
        };
        let is_kept = wanted.columns.is_none_or(|columns| columns.get(width).copied().unwrap_or(false));
        if is_kept {
            spans.push(span);
        }
        width += 1;
        match (buffer.get(end), buffer.get(end + 1)) {
            (None, _) if wanted.is_last => return done(spans, end, width, behind),
            (None, _) => return fail(spans, false, behind),
            (Some(b'\n'), _) => return done(spans, end + 1, width, behind),
            (Some(b'\r'), None) if !wanted.is_last => return fail(spans, false, behind),
            (Some(b'\r'), Some(b'\n')) => return done(spans, end + 2, width, behind),
            (Some(b'\r'), _) => return done(spans, end + 1, width, behind),
            (Some(_), _) => at = end + 1,
        }
    }
}

/// A field that begins with a quote, where it ends, and where something follows its closing quote, if anything but blanks
/// does; none if it goes on behind the buffer.
fn quoted(
    dialect: &Dialect,
    finder: &Finder,
    buffer: &[u8],
    start: usize,
    is_last: bool,
) -> Option<(Span, usize, Option<usize>)> {
    let quote = dialect.quote?;
    let escape = dialect.escape.unwrap_or(quote);
    let (mut at, mut form) = (start + 1, Form::Quoted);
    loop {
        at += memchr2(quote, escape, buffer.get(at..)?)?;
        if escape != quote && buffer.get(at) == Some(&escape) {
            form = Form::Escaped;
            at += 2;
            continue;
        }
        match buffer.get(at + 1) {
            None if !is_last => return None,
            Some(next) if *next == quote => {
                form = Form::Escaped;
                at += 2;
            }
            Some(next) if *next != dialect.delimiter && !matches!(next, b'\n' | b'\r') => {
                let end = finder.find(buffer, at + 1);
                let behind = buffer.get(at + 1..end).unwrap_or_default();
                let text = behind.iter().position(|byte| !matches!(byte, b' ' | b'\t'));
                return Some(match text {
                    Some(text) => {
                        (Span { start: start as u32, end: end as u32, form: Form::Escaped }, end, Some(at + 1 + text))
                    }
                    None => (closed(form, start, at), end, None),
                });
            }
            _ => return Some((closed(form, start, at), at + 1, None)),
        }
    }
}

/// A field from its opening quote to its closing one.
fn closed(form: Form, start: usize, at: usize) -> Span {
    match form {
        Form::Quoted => Span { start: (start + 1) as u32, end: at as u32, form },
        form => Span { start: start as u32, end: (at + 1) as u32, form },
    }
}

/// Finds the byte that ends a field, eight bytes a step: fields are too short for anything that has to get going first.
struct Finder {
    delimiter: u8,
    pattern: u64,
}

const LOW_BITS: u64 = 0x0101_0101_0101_0101;
const HIGH_BITS: u64 = 0x8080_8080_8080_8080;

impl Finder {
    fn new(delimiter: u8) -> Self {
        Self { delimiter, pattern: LOW_BITS * u64::from(delimiter) }
    }

    /// Where the next delimiter or line break stands, or the buffer's end.
    fn find(&self, buffer: &[u8], mut at: usize) -> usize {
        const LINE_FEED: u64 = LOW_BITS * b'\n' as u64;
        const RETURN: u64 = LOW_BITS * b'\r' as u64;
        while let Some(bytes) = buffer.get(at..).and_then(<[u8]>::first_chunk::<8>) {
            let word = u64::from_le_bytes(*bytes);
            let found = zeros(word ^ self.pattern) | zeros(word ^ LINE_FEED) | zeros(word ^ RETURN);
            if found != 0 {
                return at + (found.trailing_zeros() / 8) as usize;
            }
            at += 8;
        }
        let rest = buffer.get(at..).unwrap_or_default();
        let ends = |byte: &u8| *byte == self.delimiter || matches!(byte, b'\n' | b'\r');
        at + rest.iter().position(ends).unwrap_or(rest.len())
    }
}

/// The high bit of each byte that is zero. Bytes above the lowest such one may be marked too.
fn zeros(word: u64) -> u64 {
    word.wrapping_sub(LOW_BITS) & !word & HIGH_BITS
}
