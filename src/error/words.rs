//! The query engine's texts in PostgreSQL's words: the list of the forms that are known, and what becomes of all others.
//!
//! The texts are those of one version of the engine; a test over many wrong statements finds those that changed.

use super::{
    kernels, planner,
    said::Said,
    spelling::{in_sql, without_debugging},
};

/// The text in words that name nothing of the query engine.
pub(super) fn said(text: &str) -> Said {
    let known = PHRASES.iter().find_map(|phrase| phrase(text).or_else(|| phrase(bare(text))));
    known.unwrap_or_else(|| Said {
        message: without_debugging(&in_sql(bare(text))).replace("DataFusion", "the engine"),
        ..Said::default()
    })
}

/// Each knows one form of text. The first that knows it tells it: some look for words within, which a value of a user may hold
/// too, and stand behind those that know such a text by its beginning.
const PHRASES: &[fn(&str) -> Option<Said>] = &[
    planner::wrong_arguments,
    planner::values,
    planner::told_values,
    planner::undefined_function,
    planner::arithmetic,
    planner::comparison,
    planner::temporal,
    planner::pattern,
    planner::negation,
    planner::filter,
    kernels::unreadable_text,
    kernels::unreadable_timestamp,
    kernels::unreadable_interval,
    kernels::out_of_range,
    kernels::decimal_overflow,
    kernels::number_overflow,
    kernels::uncastable,
    planner::undefined_type,
    planner::not_grouped,
    planner::nested_aggregate,
    planner::no_position,
    planner::not_in_list,
    planner::window_frame,
    planner::ntile,
    planner::row_count,
    planner::aggregate_in_where,
    kernels::regular_expression,
    kernels::not_utf8,
    planner::undefined_qualifier,
    planner::no_field,
    planner::unmatched_sets,
    planner::names_of_columns,
    planner::told_shortly,
];

/// Beginnings that name a layer of the engine.
const LAYERS: &[&str] = &[
    "Arrow error: ",
    "Cast error: ",
    "Compute error: ",
    "Error during planning: ",
    "Execution error: ",
    "External error: ",
    "Internal error: ",
    "Invalid argument error: ",
    "Parser error: ",
    "Schema error: ",
    "This feature is not implemented: ",
];

/// The text without the layers that it came through, traces and pleas.
fn bare(text: &str) -> &str {
    let text = text.split("\n\nbacktrace:").next().unwrap_or(text);
    let mut text = text.split("\nThis issue was likely caused by").next().unwrap_or(text).trim();
    if text.starts_with("Optimizer rule '") || text.starts_with("type_coercion") {
        text = text.split_once("caused by\n").map_or(text, |(_, cause)| cause);
    }
    while let Some(rest) = LAYERS.iter().find_map(|layer| text.strip_prefix(layer)) {
        text = rest.trim_start();
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    fn told(text: &str) -> String {
        said(text).message
    }

    #[test]
    fn trees_and_types_are_not_printed() {
        assert_eq!(
            told("Unsupported ast node in sqltorel: Collate { expr: Identifier(Ident { value: \"n\" }) }"),
            "COLLATE is not supported here"
        );
        assert_eq!(
            told("Substring without for/from is not valid Substring { expr: Identifier(Ident { value: \"n\" }) }"),
            "Substring without for/from is not valid"
        );
        assert_eq!(told("a > Int64(1) is not Timestamp(ns) of List(Int64)"), "a > 1 is not timestamp of bigint[]");
    }
}
