//! What a person is told of a text of the query engine, and what reading one takes.

use crate::fault::Fault;

/// What a person is told of a text.
#[derive(Debug, Default, PartialEq)]
pub(super) struct Said {
    /// Whose fault it is, where the text tells.
    pub(super) fault: Option<Fault>,
    pub(super) message: String,
    pub(super) hint: Option<String>,
}

/// A fault that needs no hint.
pub(super) fn wrong(fault: Fault, message: String) -> Option<Said> {
    Some(Said { fault: Some(fault), message, hint: None })
}

/// The part of a text between two others.
pub(super) fn between<'a>(text: &'a str, before: &str, after: &str) -> Option<&'a str> {
    let (_, rest) = text.split_once(before)?;
    rest.split_once(after).map(|(found, _)| found)
}
