//! `COPY … TO 'file.csv'`: rows as CSV that is read back as it was. NULL is an empty field, the empty text is `""`.

use std::sync::Arc;

use arrow::{
    array::{Array, ArrayRef, AsArray, RecordBatch, StringArray, StringBuilder},
    compute::cast,
    datatypes::DataType,
    util::display::{ArrayFormatter, FormatOptions},
};
use bytes::Bytes;
use datafusion::{common::Result, datasource::file_format::write::BatchSerializer};

use super::{
    super::{guess::Guess, unwritable, write::Writers},
    CsvOptions, DELIMITERS, Error, Forms, NullMark, Options, TAB, clash, invalid,
};
use crate::print::{self, Form};

/// The options of files that are written.
const WRITTEN: &[&str] = &["header", "delimiter", "quote", "escape", "null_value", "compression"];

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
    Ok(Arc::new(Serializer { name, options, delimiters }))
}

struct Serializer {
    name: &'static str,
    options: CsvOptions,
    /// What readers may take for the delimiter.
    delimiters: &'static [u8],
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
        let columns = batch.columns().iter().map(texts).collect::<Result<Vec<_>>>()?;
        for row in 0..batch.num_rows() {
            for (position, column) in columns.iter().enumerate() {
                if position > 0 {
                    out.push(dialect.delimiter);
                }
                match &self.options.null {
                    _ if column.is_valid(row) => self.write_field(&mut out, column.value(row), false),
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

/// Whether a column's name looks like a value. Quoted over values that are not it is read as a name.
fn looks_like_value(name: &str) -> bool {
    let mut guess = Guess::default();
    guess.see(name, &Forms::default());
    guess.is_typed()
}

/// How numbers and booleans are shown: so that they are guessed as what they are, `1.0` as a float.
const SHOWN: FormatOptions<'static> = FormatOptions::new().with_display_error(false);

impl Serializer {
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
    fn names_that_look_like_values_are_quoted() {
        let columns = [("1", "1"), ("2024", "x"), ("-1.5e+3", "x"), ("2024-01-05", "x"), ("true", "x"), ("x1", "x")];
        let expected = "\"1\",\"2024\",\"-1.5e+3\",\"2024-01-05\",\"true\",x1\n1,x,x,x,x,x\n";
        assert_eq!(written("csv", &[], &columns), expected);
        assert_eq!(written("csv", &[], &[("", "x"), ("b", "")]), "\"\",b\nx,\"\"\n");
    }
}
