//! Options that several formats take, and what their values may be.

use super::Error;

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

/// How files are compressed.
pub(super) const COMPRESSION: (&str, &str) =
    ("compression", "auto, none, gzip, zstd, bzip2 or xz; by default told by the file's first bytes");

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

/// Whether a column that the table lacks is an error.
pub(super) fn refuses_unknown(value: Option<&str>) -> Result<bool, Error> {
    match value.map(str::to_ascii_lowercase).as_deref() {
        None | Some("ignore") => Ok(false),
        Some("error") => Ok(true),
        Some(value) => Err(invalid("unknown_columns", value, "error or ignore")),
    }
}

/// The error of a value that an option cannot have.
pub(super) fn invalid(option: &str, value: &str, expected: &str) -> Error {
    Error::InvalidOption { option: option.to_owned(), value: value.to_owned(), expected: expected.to_owned() }
}
