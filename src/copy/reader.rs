//! Bytes as rows of a table: cut into values, gathered, and read a batch at a time. What is wrong is told as of the first row
//! that has it, with its line and its column.

use std::{mem, sync::Arc};

use arrow::{
    array::{ArrayRef, RecordBatch, RecordBatchOptions, new_null_array},
    datatypes::{Field, FieldRef, Schema, SchemaRef},
};
use datafusion::common::DataFusionError;

use super::{
    csv::{Marks, csv_values},
    fields::{Broken, no_text, text_values},
    lines::{self, Lines},
    options::{Format, Header, Options},
    packed::{self, Packed},
    values::{Cells, Gathered},
};
use crate::{
    Error, Fault, Result,
    pgtype::{InSession, Styles},
};

/// How many rows, and how many bytes of values, are a batch.
const BATCH_ROWS: usize = 8_192;
const BATCH_BYTES: usize = 4 << 20;

/// How much of a line or a value is told.
const SHOWN_BYTES: usize = 100;

/// Reads the rows of `COPY … FROM`.
#[derive(Debug)]
pub(crate) struct Reader {
    options: Options,
    /// The name of the table, for errors.
    table: String,
    /// The columns of the bytes, in their order.
    columns: Vec<Column>,
    /// All columns of the table, and which of the bytes' each is.
    schema: SchemaRef,
    places: Vec<Option<usize>>,
    zone: Arc<str>,
    styles: Styles,
    source: Source,
    /// Whether the first line is still to come, which has names.
    wants_header: bool,
    cells: Vec<Cells>,
    /// The lines of the rows that are gathered, and how many bytes their values have.
    lines: Vec<u64>,
    gathered_bytes: usize,
}

#[derive(Debug)]
enum Source {
    Lines(Lines),
    Packed(Packed),
}

#[derive(Debug)]
struct Column {
    field: FieldRef,
    /// Whether what stands for NULL is a text.
    is_never_null: bool,
    /// Whether what stands for NULL does so in quotes too.
    is_null_in_quotes: bool,
}

/// What came of looking for a row.
enum Step {
    Row,
    More,
    End,
}

impl Reader {
    /// Of a table with this name and these columns, of which those that are named are in the bytes; all, if none is. `session`
    /// is the one that texts are read in.
    pub(crate) fn new(
        (table, schema): (&str, &Schema),
        named: &[String],
        options: Options,
        session: InSession<'_>,
    ) -> Self {
        let fields = schema.fields().iter();
        // What may not be NULL is checked when it is stored.
        let fields: Vec<FieldRef> = fields.map(|field| Arc::new(Field::clone(field).with_nullable(true))).collect();
        let in_bytes: Vec<FieldRef> = match named.is_empty() {
            true => fields.clone(),
            false => {
                let found = |name: &String| fields.iter().find(|field| field.name() == name).map(Arc::clone);
                named.iter().filter_map(found).collect()
            }
        };
        let place = |field: &FieldRef| in_bytes.iter().position(|own| own.name() == field.name());
        let places = fields.iter().map(place).collect();
        let is_binary = options.is_binary();
        let cells = in_bytes.iter().map(|field| Cells::new(field, is_binary)).collect();
        let columns = in_bytes.into_iter().map(|field| Column {
            is_never_null: options.force_not_null.contains(field.name()),
            is_null_in_quotes: options.force_null.contains(field.name()),
            field,
        });
        Self {
            columns: columns.collect(),
            table: table.to_owned(),
            schema: Arc::new(Schema::new(fields)),
            places,
            zone: session.zone.into(),
            styles: session.styles,
            source: match is_binary {
                true => Source::Packed(Packed::default()),
                false => Source::Lines(Lines::new(&options)),
            },
            wants_header: options.header != Header::None,
            cells,
            lines: Vec::new(),
            gathered_bytes: 0,
            options,
        }
    }

    /// The columns of the batches: those of the table, each of which may be NULL.
    pub(crate) fn schema(&self) -> &SchemaRef {
        &self.schema
    }

    /// How many columns the bytes have.
    pub(crate) fn width(&self) -> usize {
        self.columns.len()
    }

    /// Takes more bytes, cut anywhere.
    pub(crate) fn push(&mut self, bytes: &[u8]) -> Result<()> {
        let pushed = match &mut self.source {
            Source::Lines(lines) => lines.push(bytes),
            Source::Packed(packed) => packed.push(bytes),
        };
        pushed.map_err(|error| error.within(self.place()))
    }

    /// No more bytes come.
    pub(crate) fn end(&mut self) {
        match &mut self.source {
            Source::Lines(lines) => lines.end(),
            Source::Packed(packed) => packed.end(),
        }
    }

    /// What is told where whoever sends the bytes gives up.
    pub(crate) fn given_up(&self, why: &str) -> Error {
        Error::new(Fault::Cancelled, format!("COPY from stdin failed: {why}")).within(self.place())
    }

    /// The next rows, once they are worth a batch or no more come; none where there are no more in what has come.
    pub(crate) fn next_batch(&mut self) -> Result<Option<RecordBatch>> {
        while self.lines.len() < BATCH_ROWS && self.gathered_bytes < BATCH_BYTES {
            match self.next_row() {
                Ok(Step::Row) => {}
                Ok(Step::More) => return Ok(None),
                Ok(Step::End) if self.lines.is_empty() => return Ok(None),
                Ok(Step::End) => break,
                Err(error) => {
                    // Rows before it may have what is wrong first.
                    self.read()?;
                    return Err(error);
                }
            }
        }
        let rows = self.lines.len();
        let values = self.read()?;
        let column = |(place, field): (&Option<usize>, &FieldRef)| match place.and_then(|place| values.get(place)) {
            Some(values) => Arc::clone(values),
            None => new_null_array(field.data_type(), rows),
        };
        let columns = self.places.iter().zip(self.schema.fields()).map(column).collect();
        let options = RecordBatchOptions::new().with_row_count(Some(rows));
        let batch = RecordBatch::try_new_with_options(Arc::clone(&self.schema), columns, &options);
        Ok(Some(batch.map_err(DataFusionError::from)?))
    }

    fn next_row(&mut self) -> Result<Step> {
        match &self.source {
            Source::Lines(_) => self.next_line(),
            Source::Packed(_) => self.next_packed(),
        }
    }

    fn next_line(&mut self) -> Result<Step> {
        let Source::Lines(lines) = &mut self.source else { return Ok(Step::End) };
        let line = match lines.next() {
            Ok(lines::Next::Line(line)) => line,
            Ok(lines::Next::More) => return Ok(Step::More),
            Ok(lines::Next::End) => {
                // Without any line the names that have to be there are missing.
                if mem::take(&mut self.wants_header) && self.options.header == Header::Match {
                    let place = format!("COPY {}, line {}: \"\"", self.table, lines.number());
                    check_header("", &self.columns, &self.options).map_err(|error| error.within(place))?;
                }
                return Ok(Step::End);
            }
            Err(error) => return Err(error.within(self.place())),
        };
        let start = line.start;
        let (number, bytes) = (lines.number(), lines.bytes(line));
        let text = match std::str::from_utf8(bytes) {
            Ok(text) if !bytes.contains(&0) => text,
            read => {
                let zero = bytes.iter().position(|byte| *byte == 0);
                let invalid = read.err().map(|error| error.valid_up_to());
                let from = [zero, invalid].into_iter().flatten().min().unwrap_or_default();
                // A character that is not whole is told with what stands in the place of its rest: the end of the line.
                let told = no_text(lines.bytes_from(start + from));
                return Err(Error::new(Fault::InvalidCharacter, told).within(self.place()));
            }
        };
        let in_line = |error: Error| error.within(format!("COPY {}, line {number}: \"{}\"", self.table, shown(text)));
        if mem::take(&mut self.wants_header) {
            if self.options.header == Header::Match {
                check_header(text, &self.columns, &self.options).map_err(in_line)?;
            }
            return Ok(Step::Row);
        }
        let (cells, columns, null) = (&mut self.cells, &self.columns, self.options.null.as_str());
        let (mut count, mut bytes) = (0, 0);
        let give = |value: Option<&str>| {
            if let (Some(cells), Some(column)) = (cells.get_mut(count), columns.get(count)) {
                let value = match value {
                    None if column.is_never_null => Some(null),
                    Some(text) if column.is_null_in_quotes && text == null => None,
                    other => other,
                };
                bytes += value.map_or(0, str::len);
                cells.push(value);
            }
            count += 1;
        };
        each_value(text, &self.options, give).map_err(|broken| in_line(unreadable(broken)))?;
        self.gathered_bytes += bytes;
        if count > self.columns.len() {
            let error = Error::new(Fault::InvalidCopy, "extra data after last expected column");
            return Err(in_line(error));
        }
        // The values of a row that breaks off are read before that is told.
        self.lines.push(number);
        match self.columns.get(count) {
            Some(missing) => {
                let message = format!("missing data for column \"{}\"", missing.field.name());
                Err(in_line(Error::new(Fault::InvalidCopy, message)))
            }
            None => Ok(Step::Row),
        }
    }

    fn next_packed(&mut self) -> Result<Step> {
        let width = self.columns.len();
        let Source::Packed(packed) = &mut self.source else { return Ok(Step::End) };
        let values = match packed.next(width) {
            Ok(packed::Next::Row(values)) => values,
            Ok(packed::Next::More) => return Ok(Step::More),
            Ok(packed::Next::End) => return Ok(Step::End),
            Err(packed::Broken { error, in_row: false, .. }) => return Err(error),
            Err(packed::Broken { error, value, .. }) => {
                let column = value.and_then(|value| self.columns.get(value));
                return Err(error.within(self.place_of(column)));
            }
        };
        self.lines.push(packed.number());
        for ((value, cells), column) in values.into_iter().zip(&mut self.cells).zip(&self.columns) {
            let bytes = value.map(|value| packed.bytes(value));
            self.gathered_bytes += bytes.map_or(0, <[u8]>::len);
            if let Err(error) = cells.push_packed(bytes, &column.field) {
                let context = format!("COPY {}, line {}, column {}", self.table, packed.number(), column.field.name());
                return Err(error.within(context));
            }
        }
        Ok(Step::Row)
    }

    /// The values that are gathered, by column.
    fn read(&mut self) -> Result<Vec<ArrayRef>> {
        let lines = mem::take(&mut self.lines);
        self.gathered_bytes = 0;
        let gathered: Vec<Gathered> = self.cells.iter_mut().map(|cells| cells.gather(lines.len())).collect();
        let session = InSession { zone: &self.zone, styles: self.styles };
        let read = gathered.iter().zip(&self.columns).map(|(values, column)| values.read(&column.field, session));
        let read: Vec<Result<ArrayRef>> = read.collect();
        let failed = read.iter().map(Result::is_err).collect::<Vec<_>>();
        match read.into_iter().collect::<Result<Vec<_>>>() {
            Ok(values) => Ok(values),
            Err(error) => Err(self.first_failure((gathered.as_slice(), failed.as_slice()), &lines).unwrap_or(error)),
        }
    }

    /// What is wrong in the first row that has a value which cannot be read, one by one.
    fn first_failure(&self, (gathered, failed): (&[Gathered], &[bool]), lines: &[u64]) -> Option<Error> {
        let session = InSession { zone: &self.zone, styles: self.styles };
        for (row, line) in lines.iter().enumerate() {
            let columns = gathered.iter().zip(failed).zip(&self.columns);
            for ((values, _), column) in columns.filter(|((values, failed), _)| **failed && row < values.len()) {
                if let Err(error) = values.at(row).read(&column.field, session) {
                    let place = format!("COPY {}, line {line}, column {}", self.table, column.field.name());
                    return Some(error.within(match values.text(row) {
                        Some(text) => format!("{place}: \"{}\"", shown(&text)),
                        None => place,
                    }));
                }
            }
        }
        None
    }

    /// The line that is looked for.
    fn place(&self) -> String {
        let number = match &self.source {
            Source::Lines(lines) => lines.number(),
            Source::Packed(packed) => packed.number(),
        };
        format!("COPY {}, line {}", self.table, number.max(1))
    }

    fn place_of(&self, column: Option<&Column>) -> String {
        let place = self.place();
        column.map_or_else(|| place.clone(), |column| format!("{place}, column {}", column.field.name()))
    }
}

/// Gives the values of a line.
fn each_value(line: &str, options: &Options, give: impl FnMut(Option<&str>)) -> Result<(), Broken> {
    let (delimiter, null) = (options.delimiter, options.null.as_str());
    match options.format {
        Format::Csv => csv_values(line, Marks { delimiter, quote: options.quote, escape: options.escape, null }, give),
        Format::Text | Format::Binary => text_values(line, (delimiter, null), give),
    }
}

fn unreadable(broken: Broken) -> Error {
    match broken {
        Broken::Unterminated => Error::new(Fault::InvalidCopy, "unterminated CSV quoted field"),
        Broken::NoText(bytes) => Error::new(Fault::InvalidCharacter, no_text(&bytes)),
    }
}

/// Refuses a first line whose names are not those of the columns.
fn check_header(line: &str, columns: &[Column], options: &Options) -> Result<()> {
    let mut names = Vec::new();
    each_value(line, options, |name| names.push(name.map(str::to_owned))).map_err(unreadable)?;
    if names.len() != columns.len() {
        let (got, expected) = (names.len(), columns.len());
        let message = format!("wrong number of fields in header line: got {got}, expected {expected}");
        return Err(Error::new(Fault::InvalidCopy, message));
    }
    for ((name, column), number) in names.iter().zip(columns).zip(1..) {
        let expected = column.field.name();
        let got = match name {
            Some(name) if name == expected => continue,
            Some(name) => format!("\"{name}\""),
            None => format!("null value (\"{}\")", options.null),
        };
        let message = format!("column name mismatch in header line field {number}: got {got}, expected \"{expected}\"");
        return Err(Error::new(Fault::InvalidCopy, message));
    }
    Ok(())
}

/// A line or a value as it is told: a long one is cut.
fn shown(text: &str) -> String {
    match text.len() > SHOWN_BYTES {
        true => format!("{}...", &text[..text.floor_char_boundary(SHOWN_BYTES)]),
        false => text.to_owned(),
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use arrow::{datatypes::DataType, util::pretty::pretty_format_batches};
    use datafusion::sql::sqlparser::tokenizer::Location;

    use super::*;
    use crate::copy::{Choice, Direction};

    /// The rows of bytes that come in pieces of a size, or what is told of them and where.
    fn read(given: &[(&str, Choice)], bytes: &[u8], size: usize) -> Result<String, (String, Option<String>)> {
        let given: Vec<_> =
            given.iter().map(|(name, choice)| ((*name).to_owned(), Some(choice.clone()), Location::empty())).collect();
        let options = Options::read(&given, Direction::From).unwrap();
        let fields = vec![Field::new("a", DataType::Int32, true), Field::new("b", DataType::Utf8View, true)];
        let mut reader = Reader::new(("t", &Schema::new(fields)), &[], options, "UTC".into());
        let told = |error: Error| (error.report().message, error.report().context);
        let (mut batches, mut pieces, mut has_ended) = (Vec::new(), bytes.chunks(size), false);
        loop {
            match reader.next_batch().map_err(told)? {
                Some(batch) => batches.push(batch),
                None if has_ended => break,
                None => match pieces.next() {
                    Some(piece) => reader.push(piece).map_err(told)?,
                    None => {
                        has_ended = true;
                        reader.end();
                    }
                },
            }
        }
        let table = pretty_format_batches(&batches).unwrap().to_string();
        let rows = table.lines().filter(|line| line.starts_with('|')).skip(1);
        Ok(rows.map(|row| row.replace(' ', "")).collect())
    }

    fn csv() -> (&'static str, Choice) {
        ("format", Choice::Text("csv".to_owned()))
    }

    fn names(name: &str) -> Choice {
        Choice::List(vec![name.to_owned()])
    }

    #[test]
    fn rows_are_read_however_they_come() {
        for size in [1, 3, 100] {
            assert_eq!(read(&[], b"1\tx\n\\N\t\\N\n-3\t", size).unwrap(), "|1|x|||||-3||");
            assert_eq!(read(&[csv()], b"1,\"x\ny\"\n2,\n", size).unwrap().matches('|').count(), 9);
            let matched = [csv(), ("header", Choice::Text("match".to_owned()))];
            assert_eq!(read(&matched, b"a,b\n1,x\n", size).unwrap(), "|1|x|");
            let null = || ("null", Choice::Text("x".to_owned()));
            assert_eq!(read(&[csv(), null(), ("force_not_null", names("b"))], b"1,x\n", size).unwrap(), "|1|x|");
            assert_eq!(read(&[csv(), null(), ("force_null", names("b"))], b"1,\"x\"\n", size).unwrap(), "|1||");
            let binary = [("format", Choice::Text("binary".to_owned()))];
            let bytes = b"PGCOPY\n\xff\r\n\0\0\0\0\0\0\0\0\0\0\x02\0\0\0\x04\0\0\0\x07\0\0\0\x02hi\xff\xff";
            assert_eq!(read(&binary, bytes, size).unwrap(), "|7|hi|");
        }
    }

    /// As PostgreSQL 15 tells of them.
    #[test]
    fn what_is_wrong_is_told_of_the_first_row_that_has_it() {
        let long = ["x".repeat(150).as_bytes(), b"\ty\n"].concat();
        let cut = format!("COPY t, line 1, column a: \"{}...\"", "x".repeat(100));
        for (given, bytes, told, place) in [
            (vec![], &b"1\n"[..], "missing data for column \"b\"", "COPY t, line 1: \"1\""),
            (vec![], b"1\tx\ty\n", "extra data after last expected column", "COPY t, line 1: \"1\tx\ty\""),
            (
                vec![],
                b"1\tx\nabc\ty\n3\n",
                "invalid input syntax for type integer: \"abc\"",
                "COPY t, line 2, column a: \"abc\"",
            ),
            (vec![], b"abc\n", "invalid input syntax for type integer: \"abc\"", "COPY t, line 1, column a: \"abc\""),
            (vec![], b"abc\ty\tz\n", "extra data after last expected column", "COPY t, line 1: \"abc\ty\tz\""),
            (
                vec![],
                b"1\tx\n2\t\xe9 a\n",
                "invalid byte sequence for encoding \"UTF8\": 0xe9 0x20 0x61",
                "COPY t, line 2",
            ),
            (vec![], b"1\ta\xc3\n", "invalid byte sequence for encoding \"UTF8\": 0xc3 0x0a", "COPY t, line 1"),
            (vec![], b"1\t\0\n", "invalid byte sequence for encoding \"UTF8\": 0x00", "COPY t, line 1"),
            (
                vec![],
                b"1\t\\xff\n",
                "invalid byte sequence for encoding \"UTF8\": 0xff",
                "COPY t, line 1: \"1\t\\xff\"",
            ),
            (vec![csv()], b"1,\"x\n", "unterminated CSV quoted field", "COPY t, line 1: \"1,\"x\n\""),
            (vec![csv()], b"1,x\n\n", "missing data for column \"b\"", "COPY t, line 2: \"\""),
            (
                vec![csv(), ("header", Choice::Text("match".to_owned()))],
                b"a,\n",
                "column name mismatch in header line field 2: got null value (\"\"), expected \"b\"",
                "COPY t, line 1: \"a,\"",
            ),
            (
                vec![csv(), ("header", Choice::Text("match".to_owned()))],
                b"\\.\n",
                "wrong number of fields in header line: got 1, expected 2",
                "COPY t, line 1: \"\"",
            ),
            (
                vec![("header", Choice::Text("match".to_owned()))],
                b"",
                "wrong number of fields in header line: got 1, expected 2",
                "COPY t, line 1: \"\"",
            ),
            (
                vec![("format", Choice::Text("binary".to_owned()))],
                b"PGCOPY\n\xff\r\n\0\0\0\0\0\0\0\0\0\0\x02\0\0\0\x03\0\0\x07\xff\xff\xff\xff",
                "insufficient data left in message",
                "COPY t, line 1, column a",
            ),
        ] {
            for size in [1, 100] {
                let (message, context) = read(&given, bytes, size).unwrap_err();
                assert_eq!((message.as_str(), context.as_deref()), (told, Some(place)));
            }
        }
        assert_eq!(read(&[], &long, 7).unwrap_err().1, Some(cut));
    }
}
