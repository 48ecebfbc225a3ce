//! Options that several formats take, and what their values may be.

use super::{Error, FoundFile, Options, files::ONLY_FILE};

/// Which bytes tell the types.
pub(super) const SAMPLE_BYTES: (&str, &str) = (
    "sample_bytes",
    "how many bytes of each file tell its columns and types, or all, the default; what does not fit them is an error",
);

/// What happens to the columns of a file that the table does not have.
pub(super) const UNKNOWN_COLUMNS: (&str, &str) = (
    "unknown_columns",
    "error or ignore: what becomes of a file's columns that the table lacks; by default ignored where columns are declared",
);

/// Whether keys that are the same but for case are different columns.
pub(super) const MATCH_CASE: (&str, &str) = (
    "match_case",
    "true if keys that are the same but for case are different columns; by default only if an object has both",
);

/// What becomes of a declared column that no file has.
pub(super) const MISSING_COLUMNS: (&str, &str) =
    ("missing_columns", "error or null: what becomes of a column of the table that no file has, by default an error");

/// How files are compressed.
pub(super) const COMPRESSION: (&str, &str) =
    ("compression", "auto, none, gzip, zstd, bzip2 or xz; by default told by the file's first bytes");

/// Whether the files' names are a column.
pub(super) const FILENAME: (&str, &str) =
    ("filename", "true for a column filename with each row's file, or another name for that column; by default false");

/// The name of the column of the files' names, where one is asked for.
pub(super) fn file_column(options: &Options) -> Result<Option<&str>, Error> {
    match options.get(FILENAME.0).map(String::as_str) {
        None => Ok(None),
        Some("") => Err(invalid(FILENAME.0, "", "true, false or a column's name")),
        Some(value) => Ok(match boolean(FILENAME.0, Some(value)) {
            Ok(wanted) => wanted.unwrap_or(false).then_some(FILENAME.0),
            Err(_) => Some(value),
        }),
    }
}

/// A number of lines.
pub(super) fn line_count(option: &str, value: Option<&str>) -> Result<u64, Error> {
    let Some(value) = value else { return Ok(0) };
    value.parse().map_err(|_| invalid(option, value, "a number of lines"))
}

/// True, false, or none where it is to be told by looking.
pub(super) fn boolean(option: &str, value: Option<&str>) -> Result<Option<bool>, Error> {
    let Some(value) = value else { return Ok(None) };
    match value.to_ascii_lowercase().as_str() {
        "true" | "on" | "1" => Ok(Some(true)),
        "false" | "off" | "0" => Ok(Some(false)),
        "auto" => Ok(None),
        _ => Err(invalid(option, value, "true, false or auto")),
    }
}

/// One ASCII character.
pub(super) fn character(option: &str, value: Option<&str>) -> Result<Option<u8>, Error> {
    let Some(value) = value else { return Ok(None) };
    match value.as_bytes() {
        b"\\t" => Ok(Some(b'\t')),
        [byte] if byte.is_ascii() && !matches!(byte, b'\n' | b'\r') => Ok(Some(*byte)),
        _ => Err(invalid(option, value, "one ASCII character")),
    }
}

/// A number of bytes; none for all.
pub(super) fn byte_count(option: &str, value: Option<&str>) -> Result<Option<u64>, Error> {
    let Some(value) = value.filter(|value| !value.eq_ignore_ascii_case("all")) else { return Ok(None) };
    let count = value.parse().ok().filter(|count| *count > 0);
    count.map(Some).ok_or_else(|| invalid(option, value, "a number of bytes, or all"))
}

/// Decides, where it is not said, what becomes of a file's other columns: they are ignored where columns are declared.
pub(super) fn settle_unknown(options: &mut Options, is_declared: bool) {
    let unknown = if is_declared { "ignore" } else { "error" };
    options.entry(UNKNOWN_COLUMNS.0.to_owned()).or_insert_with(|| unknown.to_owned());
}

/// Whether a column that the table lacks is an error.
pub(super) fn refuses_unknown(options: &Options) -> Result<bool, Error> {
    match options.get(UNKNOWN_COLUMNS.0).map(|value| value.to_ascii_lowercase()).as_deref() {
        None | Some("ignore") => Ok(false),
        Some("error") => Ok(true),
        Some(value) => Err(invalid(UNKNOWN_COLUMNS.0, value, "error or ignore")),
    }
}

/// Whether a declared column that no file has is an error.
pub(super) fn refuses_missing(options: &Options) -> Result<bool, Error> {
    match options.get(MISSING_COLUMNS.0).map(|value| value.to_ascii_lowercase()).as_deref() {
        None | Some("error") => Ok(true),
        Some("null") => Ok(false),
        Some(value) => Err(invalid(MISSING_COLUMNS.0, value, "error or null")),
    }
}

/// Which columns are an error where a file's are found by their names.
#[derive(Debug, Clone, Copy)]
pub(super) struct Refused {
    /// One of the file's that the table lacks.
    pub(super) others: bool,
    /// One of the table's that the file lacks, and no other file can have.
    pub(super) missing: bool,
}

impl Refused {
    pub(super) fn parse(options: &Options) -> Result<Self, Error> {
        let missing = refuses_missing(options)? && options.contains_key(ONLY_FILE);
        Ok(Self { others: refuses_unknown(options)?, missing })
    }
}

/// Refuses values that an option of the table, whatever its format, cannot have.
pub(super) fn check(options: &Options) -> Result<(), Error> {
    refuses_unknown(options)?;
    refuses_missing(options)?;
    file_column(options)?;
    Ok(())
}

/// Makes a column of the files' names, which no key of a directory may be.
pub(super) fn name_files(files: &mut [FoundFile], column: Option<&str>) -> Result<(), Error> {
    let Some(column) = column else { return Ok(()) };
    for file in files {
        if file.partitions.iter().any(|(key, _)| key == column) {
            let expected = format!("another name: the directory of {} has a key {column}", file.name);
            return Err(invalid(FILENAME.0, column, &expected));
        }
        file.partitions.push((column.to_owned(), Some(file.name.clone())));
    }
    Ok(())
}

/// The error of a value that an option cannot have.
pub(super) fn invalid(option: &str, value: &str, expected: &str) -> Error {
    Error::InvalidOption { option: option.to_owned(), value: value.to_owned(), expected: expected.to_owned() }
}
