//! `COPY … TO 'file.csv'`: rows as CSV that is read back as it was. NULL is an empty field, the empty text is `""`.

use std::sync::Arc;

use arrow::{
    array::{Array, ArrayRef, AsArray, RecordBatch, StringArray, StringBuilder},
    compute::cast,
    datatypes::{DataType, Field},
    util::display::{ArrayFormatter, FormatOptions},
};
use bytes::Bytes;
use chrono::{DateTime, Utc};
use datafusion::{common::Result, datasource::file_format::write::BatchSerializer};

use super::{
    super::{guess::Guess, pattern::Pattern, unwritable, write::Writers},
    CsvOptions, DELIMITERS, Error, Forms, NullMark, Options, TAB, clash, invalid,
};
use crate::print::{self, Form};

/// The options of files that are written.
const WRITTEN: &[&str] = &[
    "header",
    "delimiter",
    "quote",
    "escape",
    FORCE_QUOTE,
    "null_value",
    "date_format",
    "timestamp_format",
    "encoding",
    "compression",
];
/// The columns whose values are all quoted: their names as JSON, or all.
const FORCE_QUOTE: &str = "force_quote";
const ALL: &str = "*";

/// What writes files of fields between commas.
pub(super) const COMMAS: Writers =
    Writers { name: "csv", options: WRITTEN, serializer: |options| serializer("csv", options, DELIMITERS) };

/// What writes files of fields between tabs.
pub(super) const TABS: Writers =
    Writers { name: "tsv", options: WRITTEN, serializer: |options| serializer("tsv", options, TAB) };

fn serializer(
    name: &'static str,
    options: &Options,
    delimiters: &'static [u8],
) -> Result<Arc<dyn BatchSerializer>, Error> {
    let given = options;
    let options = CsvOptions::parse(given)?;
    if options.quote.is_none() {
        return Err(invalid("quote", "none", "a character: fields are quoted where they must be"));
    }
    let delimiter = options.delimiter.or(delimiters.first().copied());
    let options = CsvOptions { delimiter, ..options };
    clash::check(&options, given, None)?;
    let quoted =
        given.get(FORCE_QUOTE).map(|names| serde_json::from_str(names).unwrap_or_else(|_| vec![names.clone()]));
    Ok(Arc::new(Serializer { name, options, delimiters, quoted: quoted.unwrap_or_default() }))
}

struct Serializer {
    name: &'static str,
    options: CsvOptions,
    /// What readers may take for the delimiter.
    delimiters: &'static [u8],
    /// The columns whose values are quoted even where they need not be.
    quoted: Vec<String>,
}

impl BatchSerializer for Serializer {
    fn serialize(&self, batch: RecordBatch, initial: bool) -> Result<Bytes> {
        unwritable::check(&batch, self.name)?;
        let mut out = Vec::with_capacity(batch.num_rows() * batch.num_columns() * 8);
        let dialect = self.options.dialect();
        if initial && self.options.has_header() {
            for (position, field) in batch.schema().fields().iter().enumerate() {
                if position > 0 {
                    out.push(dialect.delimiter);
                }
                self.write_field(&mut out, field.name(), looks_like_value(field.name()));
            }
            out.push(b'\n');
        }
        let schema = batch.schema();
        let mut columns = Vec::with_capacity(batch.num_columns());
        for (field, column) in schema.fields().iter().zip(batch.columns()) {
            let must_be_quoted = self.quoted.iter().any(|name| name == field.name() || name == ALL);
            columns.push((self.texts(field, column)?, must_be_quoted));
        }
        for row in 0..batch.num_rows() {
            for (position, (column, must_be_quoted)) in columns.iter().enumerate() {
                if position > 0 {
                    out.push(dialect.delimiter);
                }
                match &self.options.null {
                    _ if column.is_valid(row) => self.write_field(&mut out, column.value(row), *must_be_quoted),
                    NullMark::Text(mark) => out.extend_from_slice(mark.as_bytes()),
                    _ => {}
                }
            }
            out.push(b'\n');
        }
        Ok(Bytes::from(out))
    }
}

/// The texts of a column's values.
fn texts(array: &ArrayRef) -> Result<StringArray> {
    match array.data_type() {
        DataType::Null | DataType::Utf8 | DataType::LargeUtf8 | DataType::Utf8View => {
            Ok(cast(array, &DataType::Utf8)?.as_string().clone())
        }
        DataType::Dictionary(_, value) => texts(&cast(array, value)?),
        data_type if data_type.is_nested() => Ok(print::json_texts(array)?),
        data_type if data_type.is_temporal() || data_type.is_binary() => Ok(print::texts(array, Form::default())?),
        data_type => {
            let formatter = ArrayFormatter::try_new(array.as_ref(), &SHOWN)?;
            let mut texts = StringBuilder::with_capacity(array.len(), array.len() * 8);
            for row in 0..array.len() {
                if array.is_null(row) {
                    texts.append_null();
                    continue;
                }
                let shown = formatter.value(row).try_to_string()?;
                match shown.split_once('e') {
                    // Without a sign an exponent looks like a part of a name.
                    Some((digits, exponent)) if data_type.is_floating() && !exponent.starts_with('-') => {
                        texts.append_value(format!("{digits}e+{exponent}"));
                    }
                    _ => texts.append_value(shown),
                }
            }
            Ok(texts.finish())
        }
    }
}

/// The texts of a column of dates or times, as an option says that they are written.
fn formatted(column: &str, array: &ArrayRef, pattern: &Pattern, place: String) -> Result<StringArray> {
    let counts = print::counts(array.as_ref())?;
    let is_zoned = matches!(array.data_type(), DataType::Timestamp(_, Some(_)));
    let mut texts = StringBuilder::with_capacity(array.len(), array.len() * 16);
    for row in 0..array.len() {
        if array.is_null(row) {
            texts.append_null();
            continue;
        }
        let time = point_in_time(array.data_type(), counts.value(row));
        let Some(text) = time.and_then(|time| pattern.write(time, is_zoned)) else {
            let value = print::texts(&array.slice(row, 1), Form::default())?.value(0).to_owned();
            return Err(Error::Unwritable { column: column.to_owned(), value, format: place }.into());
        };
        texts.append_value(text);
    }
    Ok(texts.finish())
}

/// What a column of a type of dates or times means by a number.
fn point_in_time(data_type: &DataType, count: i64) -> Option<DateTime<Utc>> {
    match data_type {
        DataType::Date32 => DateTime::from_timestamp(count.checked_mul(86_400)?, 0),
        DataType::Date64 => DateTime::from_timestamp_millis(count),
        DataType::Timestamp(unit, _) => {
            let a_second = print::a_second(*unit);
            let nanoseconds = count.rem_euclid(a_second) * (1_000_000_000 / a_second);
            DateTime::from_timestamp(count.div_euclid(a_second), u32::try_from(nanoseconds).ok()?)
        }
        _ => None,
    }
}

/// Whether a column's name looks like a value. Quoted over values that are not it is read as a name.
fn looks_like_value(name: &str) -> bool {
    let mut guess = Guess::default();
    guess.see(name, &Forms::default());
    guess.is_typed()
}

/// How numbers and booleans are shown: so that they are guessed as what they are, `1.0` as a float.
const SHOWN: FormatOptions<'static> = FormatOptions::new().with_display_error(false);

impl Serializer {
    /// The texts of a column's values, in the forms that options name.
    fn texts(&self, field: &Field, array: &ArrayRef) -> Result<StringArray> {
        let (pattern, option) = match array.data_type() {
            DataType::Date32 | DataType::Date64 => (self.options.forms.of_dates(), "date_format"),
            DataType::Timestamp(..) => (self.options.forms.of_timestamps(), "timestamp_format"),
            _ => (None, ""),
        };
        match pattern {
            Some(pattern) => formatted(field.name(), array, pattern, format!("{} as {option} says", self.name)),
            None => texts(array),
        }
    }

    /// A field that is not NULL: quoted if it must be, and wherever it could be taken for something else.
    fn write_field(&self, out: &mut Vec<u8>, text: &str, must_be_quoted: bool) {
        let dialect = self.options.dialect();
        let bytes = text.as_bytes();
        let quote = dialect.quote.unwrap_or(b'"');
        // Whoever looks at a file to tell its delimiter is misled by no other one.
        let special = |byte: &u8| {
            *byte == dialect.delimiter
                || *byte == quote
                || matches!(*byte, b'\n' | b'\r')
                || self.delimiters.contains(byte)
        };
        let is_blank = |byte: Option<&u8>| byte.is_some_and(u8::is_ascii_whitespace);
        let is_quoted = must_be_quoted
            || bytes.is_empty()
            || bytes.iter().any(special)
            || is_blank(bytes.first())
            || is_blank(bytes.last())
            || bytes.first().copied() == dialect.comment
            || matches!(&self.options.null, NullMark::Text(mark) if mark == text);
        if !is_quoted {
            out.extend_from_slice(bytes);
            return;
        }
        let escape = dialect.escape.unwrap_or(quote);
        out.push(quote);
        for byte in bytes {
            if *byte == quote || *byte == escape {
                out.push(escape);
            }
            out.push(*byte);
        }
        out.push(quote);
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;

    /// What a file has of one row of texts under these names.
    fn written(name: &'static str, given: &[(&str, &str)], columns: &[(&str, &str)]) -> String {
        let delimiters = if name == "csv" { DELIMITERS } else { TAB };
        let options = given.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned())).collect();
        let column = |text: &str| Arc::new(StringArray::from(vec![text])) as ArrayRef;
        let batch = RecordBatch::try_from_iter(columns.iter().map(|(name, text)| (*name, column(text)))).unwrap();
        let bytes = serializer(name, &options, delimiters).unwrap().serialize(batch, true).unwrap();
        String::from_utf8(bytes.to_vec()).unwrap()
    }

    #[test]
    fn no_other_delimiter_stands_outside_of_quotes() {
        for other in [",", ";", "\t", "|"] {
            let text = format!("a{other}b");
            assert_eq!(written("csv", &[], &[("x", &text)]), format!("x\n\"{text}\"\n"));
            assert_eq!(written("csv", &[], &[(&text, "x")]), format!("\"{text}\"\nx\n"));
            assert_eq!(written("csv", &[("delimiter", ";")], &[(&text, "x")]), format!("\"{text}\"\nx\n"));
        }
        // The delimiter of a file of tabs is not told by looking.
        assert_eq!(written("tsv", &[], &[("a,b", "c;d"), ("e", "f\tg")]), "a,b\te\nc;d\t\"f\tg\"\n");
    }

    #[test]
    fn values_are_quoted_where_that_is_asked_for() {
        let columns = [("a", "x"), ("b", "y")];
        assert_eq!(written("csv", &[("force_quote", r#"["b"]"#)], &columns), "a,b\nx,\"y\"\n");
        assert_eq!(written("csv", &[("force_quote", "*")], &columns), "a,b\n\"x\",\"y\"\n");
    }

    #[test]
    fn names_that_look_like_values_are_quoted() {
        let columns = [("1", "1"), ("2024", "x"), ("-1.5e+3", "x"), ("2024-01-05", "x"), ("true", "x"), ("x1", "x")];
        let expected = "\"1\",\"2024\",\"-1.5e+3\",\"2024-01-05\",\"true\",x1\n1,x,x,x,x,x\n";
        assert_eq!(written("csv", &[], &columns), expected);
        assert_eq!(written("csv", &[], &[("", "x"), ("b", "")]), "\"\",b\nx,\"\"\n");
    }
}
