//! Where in the SQL an error is.

use datafusion::sql::sqlparser::{parser::ParserError, tokenizer::Location};

/// An error of the parser with its place taken out of the message.
pub(super) fn parser_error(error: &ParserError) -> (String, Option<Location>) {
    let text = match error {
        ParserError::TokenizerError(text) | ParserError::ParserError(text) => text.clone(),
        ParserError::RecursionLimitExceeded => "nested too deeply".to_owned(),
    };
    let Some((message, place)) = text.rsplit_once(" at Line: ") else { return (lower_first(&text), None) };
    let location = place.split_once(", Column: ").and_then(|(line, column)| {
        Some(Location { line: line.trim().parse().ok()?, column: column.trim().parse().ok()? })
    });
    (lower_first(message), location)
}

fn lower_first(text: &str) -> String {
    let text = text.trim();
    let mut characters = text.chars();
    match characters.next() {
        Some(first) if text.starts_with("Expected") || text.starts_with("Unterminated") => {
            first.to_lowercase().chain(characters).collect()
        }
        _ => text.to_owned(),
    }
}

/// The position of `location` in `source`: characters from 1, as PostgreSQL counts.
pub(super) fn position(source: &str, location: Location) -> Option<usize> {
    if location.line == 0 {
        return None;
    }
    let before: usize =
        source.split_inclusive('\n').take(location.line as usize - 1).map(|line| line.chars().count()).sum();
    Some(before + location.column.max(1) as usize)
}
