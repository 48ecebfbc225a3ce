//! Options by the names that PostgreSQL, DuckDB and pandas have for them, and what to do about those that there are not.

use super::{
    Error,
    options::{SAMPLE_BYTES, boolean, invalid},
};

/// An option as it is called here; none where it asks for what is done anyway. `knows` says which names the format has: a
/// message names no others.
pub(super) fn spelled<'a>(
    name: &'a str,
    value: &str,
    knows: &dyn Fn(&str) -> bool,
) -> Result<Option<(&'a str, String)>, Error> {
    let is = |wanted: bool| Ok::<_, Error>(boolean(name, Some(value))? == Some(wanted));
    let plain = match name {
        "has_header" => "header",
        "delim" | "sep" | "separator" => "delimiter",
        "quotechar" => "quote",
        "escapechar" => "escape",
        "nullstr" | "null" | "na_values" => "null_value",
        "thousands" => "thousands_separator",
        "decimal" => "decimal_separator",
        "dateformat" => "date_format",
        "timestampformat" => "timestamp_format",
        "skiprows" | "skip_rows" | "skip_lines" => "skip",
        "sheet_name" => "sheet",
        "row_group_size_bytes" => "max_row_group_bytes",
        "lines" => "newline_delimited",
        "hive_partitioning" | "auto_detect" | "union_by_name" if is(true)? => return Ok(None),
        "auto_detect" => return Err(invalid(name, value, "true; say what is to be read otherwise with other options")),
        "hive_partitioning" => return Err(invalid(name, value, "true; leave out the columns that are not wanted")),
        "union_by_name" => return Ok(Some(("match_columns", "position".to_owned()))),
        "strict_mode" | "hive_types_autocast" if is(true)? => return Ok(None),
        "records" if value.eq_ignore_ascii_case("auto") || is(true)? => return Ok(None),
        "null_padding" | "normalize_names" | "allow_quoted_nulls" | "binary_as_string" | "file_row_number"
            if is(false)? =>
        {
            return Ok(None);
        }
        "sample_size" if !knows(SAMPLE_BYTES.0) => name,
        "sample_size" if value == "-1" => return Ok(Some(("sample_bytes", "all".to_owned()))),
        "sample_size" => return Err(invalid(name, value, "-1; say sample_bytes for less than all")),
        "ignore_errors" | "store_rejects" => return Ok(is(true)?.then(|| ("on_error", "skip".to_owned()))),
        "on_bad_lines" => "on_error",
        "format" if value.eq_ignore_ascii_case("auto") => return Ok(None),
        "format" => {
            let is_lines = match value.to_ascii_lowercase().as_str() {
                "newline_delimited" | "nd" => true,
                "array" | "unstructured" => false,
                _ => return Err(invalid(name, value, "newline_delimited, array or auto")),
            };
            return Ok(Some(("newline_delimited", is_lines.to_string())));
        }
        plain => plain,
    };
    let value = match (plain, value) {
        ("on_error", "stop" | "error") => "fail",
        ("on_error", "ignore" | "warn") => "skip",
        (_, value) => value,
    };
    Ok(Some((plain, value.to_owned())))
}

/// What to do instead of options that others have.
const INSTEAD: &[(&[&str], &str)] = &[
    (&["null_padding"], "leave rows with too few fields out: on_error => 'skip'"),
    (&["strict_mode"], "leave out what cannot be read (on_error => 'skip'), or say quote => 'none'"),
    (&["normalize_names"], "write names in double quotes as the file has them, or give others with AS"),
    (&["names", "column_names"], "name all columns with their types, columns => {name: 'type'}, or give names with AS"),
    (&["auto_type_candidates"], "say which columns have other types: types => {name: 'type'}"),
    (&["force_not_null"], "replace what is missing in the query: coalesce(name, '')"),
    (&["force_null", "allow_quoted_nulls"], "what is quoted is never NULL; say so in the query: nullif(name, '…')"),
    (
        &["rejects_table", "rejects_scan", "rejects_limit", "reject_limit"],
        "fusewire.rejects lists what on_error leaves out",
    ),
    (
        &["max_line_size", "maximum_line_size", "maximum_object_size", "buffer_size"],
        "leave it out: nothing needs a size",
    ),
    (&["parallel", "low_memory", "engine", "preserve_order"], "leave it out: files are read in parallel, in parts"),
    (&["new_line", "newline", "lineterminator"], "leave it out: every end of a line is known"),
    (
        &["files_to_sniff", "maximum_sample_files"],
        "leave it out: all files are looked at; sample_bytes says how much of each",
    ),
    (&["sample_size"], "leave it out: the files themselves say which types their columns have"),
    (&["union_by_name"], "leave it out: columns of several files are found by their names"),
    (&["hive_types_autocast"], "say the type of the column: types => {name: 'text'}"),
    (&["binary_as_string"], "read the column as text: types => {name: 'text'}"),
    (&["file_row_number"], "number the rows in the query: row_number() OVER ()"),
    (&["schema", "dtype", "column_type"], "say types => {name: 'type'} for some columns, or columns => {…} for all"),
    (
        &[
            "maximum_depth",
            "field_appearance_threshold",
            "map_inference_threshold",
            "convert_strings_to_integers",
            "records",
        ],
        "say the types that columns are to have otherwise: types => {name: 'type'}",
    ),
    (&["nrows", "n_rows"], "say LIMIT in the query"),
    (&["usecols", "index_col"], "name the columns in the query"),
    (&["skipfooter"], "leave such rows out: on_error => 'skip', or WHERE in the query"),
    (&["parse_dates"], "leave it out: dates are told by looking; date_format says how they are written"),
    (
        &["overwrite", "overwrite_or_ignore"],
        "leave it out: a file that is there is replaced, a directory keeps its files",
    ),
    (&["append"], "name a directory: each COPY into it adds files"),
    (
        &["per_thread_output", "file_size_bytes", "filename_pattern", "file_extension", "write_partition_columns"],
        "leave it out: name one file, or a directory, in which files get names of their own",
    ),
    (&["array"], "leave it out: JSON is written an object a line"),
];

/// What to do instead of an option that others have, and the format has not.
pub(super) fn instead(option: &str) -> Option<&'static str> {
    INSTEAD.iter().find(|(names, _)| names.contains(&option)).map(|(_, way)| *way)
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;

    fn plain(name: &str, value: &str) -> Option<(String, String)> {
        let found = spelled(name, value, &|_| true).unwrap();
        found.map(|(name, value)| (name.to_owned(), value))
    }

    #[test]
    fn names_of_others_mean_the_same() {
        for (name, value, own, meaning) in [
            ("delim", ";", "delimiter", ";"),
            ("nullstr", "x", "null_value", "x"),
            ("ignore_errors", "true", "on_error", "skip"),
            ("on_bad_lines", "warn", "on_error", "skip"),
            ("on_error", "stop", "on_error", "fail"),
            ("sample_size", "-1", "sample_bytes", "all"),
            ("format", "newline_delimited", "newline_delimited", "true"),
            ("union_by_name", "false", "match_columns", "position"),
            ("null_padding", "true", "null_padding", "true"),
        ] {
            assert_eq!(plain(name, value), Some((own.to_owned(), meaning.to_owned())), "{name}");
        }
        for (name, value) in [
            ("union_by_name", "true"),
            ("null_padding", "false"),
            ("strict_mode", "true"),
            ("ignore_errors", "false"),
            ("records", "auto"),
        ] {
            assert_eq!(plain(name, value), None, "{name}");
        }
        assert!(spelled("ignore_errors", "banana", &|_| true).is_err());
        assert!(spelled("format", "banana", &|_| true).is_err());
    }

    #[test]
    fn no_name_has_two_ways() {
        let mut names: Vec<_> = INSTEAD.iter().flat_map(|(names, _)| names.iter()).collect();
        let count = names.len();
        names.sort_unstable();
        names.dedup();
        assert_eq!(names.len(), count);
    }
}
