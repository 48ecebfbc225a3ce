//! What a user can do about an error, in words that name the format's own options.

use datafusion::common::utils::quote_identifier;

use super::{
    super::{
        diagnose::NO_UTF8,
        ending, format_named,
        lossless::{NO_INTERVAL, NO_TIME},
        synonyms::instead,
    },
    Error,
};
use crate::fault::nearest;

/// How many lines may stand above a header.
const MAX_TITLE_LINES: u64 = 20;

impl Error {
    /// What the user can do about it, where that is known.
    pub fn hint(&self) -> Option<String> {
        let hint = match self {
            Self::EmptyDirectory { location, .. } => {
                let location = location.trim_end_matches('/');
                format!("name the files with a glob such as '{location}/*' if they end otherwise")
            }
            Self::UnknownFormat { location, .. } => format_hint(location),
            Self::UnknownOption { option, accepted, .. } => {
                let near = nearest(option, accepted.split(", "));
                let near = near.map(|near| format!("perhaps you meant the option {near}"));
                return instead(option).map(str::to_owned).or(near);
            }
            Self::NotWritten { .. } => "let the file's name end so, or say STORED AS with one of them".to_owned(),
            Self::MixedFormats { .. } => "name the files of one format with a glob, or say STORED AS".to_owned(),
            Self::NotText { hint, .. } => (*hint).to_owned(),
            Self::InvalidJson { hint, .. } if !hint.is_empty() => hint.clone(),
            // A title is one field, and makes a table of one column.
            Self::RaggedRow { line: line @ 2..=MAX_TITLE_LINES, expected: 1, .. } => format!(
                "if a title stands above the header, pass over its lines (skip => {}); if each line is one text, name a \
                 delimiter that it lacks (delimiter => '\\t'); else check the quote and escape options",
                line - 1
            ),
            Self::RaggedRow { begin: Some(begin @ ('#' | '%' | '!')), .. } => {
                format!("if lines that begin with {begin} are comments, say comment => '{begin}'; else mend the row")
            }
            Self::RaggedRow { begin: Some('\''), .. } => {
                "if fields stand between single quotes, say quote => ''''; else mend the row".to_owned()
            }
            Self::RaggedRow { .. } => {
                "check the options delimiter, quote and escape, mend the row, or leave such rows out (on_error 'skip')".to_owned()
            }
            Self::NoCommonColumn { line, .. } => {
                let header = if line.is_some() { " (say OPTIONS (header 'false') if no file begins with names)" } else { "" };
                format!(
                    "all files of a table are read alike: check whether this one has a header{header}, and the same \
                     delimiter as the others"
                )
            }
            Self::UnknownColumn { .. } => {
                "make the table anew with CREATE OR REPLACE EXTERNAL TABLE, so that it has the column, or say OPTIONS \
                 (unknown_columns 'ignore')"
                    .to_owned()
            }
            Self::LostColumn { .. } => {
                "make the table anew with CREATE OR REPLACE EXTERNAL TABLE, or say OPTIONS (missing_columns 'null') to have \
                 NULL there"
                    .to_owned()
            }
            Self::UnreadEncoding { encoding, .. } => {
                format!(
                    "write it anew in UTF-8, as with iconv -f {encoding} -t UTF-8; UTF-16, latin1, windows-1252 and others \
                     are read as they are (the option encoding)"
                )
            }
            Self::WrongEncoding { fitting, .. } => {
                format!(
                    "it looks like {fitting}: say encoding => '{fitting}' where it is read, or OPTIONS (encoding '{fitting}') in \
                     CREATE EXTERNAL TABLE"
                )
            }
            // No type has what is no value of its own, and no text has bytes that are none.
            Self::UnfitColumn { misfit, .. } if misfit.ends_with(NO_TIME) || misfit.ends_with(NO_INTERVAL) => return None,
            Self::UnfitColumn { found, misfit, .. } if misfit.ends_with(NO_UTF8) && found != "bytea" => return None,
            Self::UnfitColumn { found, expected, .. } if expected == "text" && (found == "text" || !has_name(found)) => {
                return None;
            }
            Self::UnfitColumn { column, found, expected, .. } if expected == "text" => {
                format!("read the column as it is stored ({})", types_option(column, found))
            }
            Self::UnfitColumn { column, .. } => {
                format!("read the column as text ({}), which holds all its values", types_option(column, "text"))
            }
            Self::InvalidValue { column, value, expected, format, .. } => {
                let is_empty_text = value.trim().is_empty() && !expected.ends_with("NOT NULL");
                value_hint(column, is_empty_text.then_some(value), format)
            }
            Self::Unwritable { .. } => "leave such rows out, or write Parquet, which keeps them".to_owned(),
            Self::Unencodable { .. } => "choose an encoding that has it, such as utf-8".to_owned(),
            Self::InvalidRecord { column, .. } => {
                let column = quote_identifier(column);
                format!("read the column as text (types => {{{column}: 'text'}}), which has all its values")
            }
            Self::KeyDiffers { .. } => "say OPTIONS (unknown_columns 'ignore') to have the directory's value, or name the \
                                        file itself, without its directory, to have its own"
                .to_owned(),
            Self::InvalidPartition { column, .. } | Self::SamePartition { column, .. } => {
                format!("read the key as text ({}), which has each directory's name", types_option(column, "text"))
            }
            Self::MissingColumn { near: Some(near), .. } => format!("perhaps you meant the column \"{near}\""),
            Self::MissingColumn { near: None, .. } => {
                "leave it out, or say OPTIONS (missing_columns 'null') if later files may have it".to_owned()
            }
            Self::UnclearHeader { .. } => {
                "say OPTIONS (header 'true') if each file begins with names of columns, or (header 'false') if none does"
                    .to_owned()
            }
            Self::TitleAbove { way, .. } => {
                format!("pass over it ({way}); if it is the name of the first column, say header => true")
            }
            Self::UnclearColumn { .. } => {
                "declare the columns in CREATE EXTERNAL TABLE as the file spells them, in double quotes".to_owned()
            }
            Self::NoRows { .. } => "declare the columns in CREATE EXTERNAL TABLE".to_owned(),
            Self::NotAllowed { .. } => "start the server with --allow-path".to_owned(),
            Self::LinkBelow { .. } => "remove the link, or name the place that it leads to".to_owned(),
            Self::CannotWrite { .. } => "choose another place, or see to it that one can be written there".to_owned(),
            Self::KeyRefused { .. } => "check KEY_ID and SECRET".to_owned(),
            Self::NoSuchBucket { .. } => "check the bucket's name, REGION and ENDPOINT".to_owned(),
            Self::Unreachable { .. } => "check ENDPOINT and whether the server runs".to_owned(),
            _ => return None,
        };
        Some(hint)
    }
}

/// Whether a type can be said where columns are declared.
fn has_name(data_type: &str) -> bool {
    !data_type.contains("an object") && !data_type.contains("a map") && !data_type.starts_with(char::is_uppercase)
}

/// The option that gives a column a type, as OPTIONS has it.
fn types_option(column: &str, data_type: &str) -> String {
    format!("the option types '{} {data_type}'", quote_identifier(column).replace('\'', "''"))
}

/// What to do about a file whose name tells no format.
fn format_hint(location: &str) -> String {
    let ending = ending(location).map(|(ending, _)| ending).unwrap_or_default();
    let path = location.replace('\'', "''");
    match ending.as_str() {
        "zip" | "7z" | "rar" | "tar" | "tgz" => {
            "unpack it first: archives are not read, only single files that are compressed by gzip, zstd, bzip2 or xz"
                .to_owned()
        }
        "xls" => "save it as .xlsx, .ods or .csv first: this form of spreadsheets is not read".to_owned(),
        "xlsb" => format!("name its format: read_excel('{path}'), or STORED AS in CREATE EXTERNAL TABLE"),
        _ => format!("name its format: read_csv('{path}') for one, or STORED AS in CREATE EXTERNAL TABLE"),
    }
}

/// What to do about a value that is not of its column's type, with the options that the format has; `empty` is a text of
/// blanks or nothing.
fn value_hint(column: &str, empty: Option<&String>, format: &str) -> String {
    let known = format_named(format).map_or(&[][..], |format| format.options());
    let has = |option: &&str| known.iter().any(|(name, _)| name == option);
    let mut ways = vec![format!("read the column as text ({})", types_option(column, "text"))];
    let written: Vec<&str> = ["null_value", "decimal_separator", "date_format"].into_iter().filter(has).collect();
    if let Some(empty) = empty.filter(|_| has(&"null_value")) {
        ways.push(format!("say that such a text means NULL (null_value '{empty}')"));
    } else if !written.is_empty() {
        ways.push(format!("say how its values, or missing ones, are written ({})", written.join(", ")));
    }
    if has(&"on_error") {
        ways.push("leave such rows out (on_error 'skip')".to_owned());
    }
    ways.join(", or ")
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Symptom: the option that a hint gave for a column such as "Order ID" was refused. Cause: the name was not quoted.
    #[test]
    fn names_are_quoted_where_they_must_be() {
        assert_eq!(types_option("total", "text"), "the option types 'total text'");
        assert_eq!(types_option("Order ID", "bigint[]"), r#"the option types '"Order ID" bigint[]'"#);
        assert_eq!(types_option(r#"it's "x""#, "text"), r#"the option types '"it''s ""x""" text'"#);
    }
}
