//! How the name of a model is read.

use crate::error::{Error, Result};

/// A model's name as SQL text: identifiers, folded to lower case unless quoted.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct ModelName {
    /// The schema before the dot.
    pub schema: Option<String>,
    /// The model's own name.
    pub name: String,
    /// The version after the `@`.
    pub version: Option<u64>,
}

impl ModelName {
    /// Reads `taste`, `taste@3`, `sales.taste@2`, `"My model"`.
    ///
    /// # Errors
    /// [`Error::InvalidModelName`] saying what is wrong.
    pub fn parse(text: &str) -> Result<Self> {
        let invalid = |problem: &str| Error::InvalidModelName { name: text.into(), problem: problem.into() };
        let (first, mut rest) = identifier(text.trim()).map_err(invalid)?;
        let mut parts = vec![first];
        while let Some(after) = rest.strip_prefix('.') {
            let (part, after) = identifier(after).map_err(invalid)?;
            parts.push(part);
            rest = after;
        }
        let version = match rest.strip_prefix('@') {
            Some(digits) => match digits.parse::<u64>() {
                Ok(version) if version > 0 && digits.bytes().all(|byte| byte.is_ascii_digit()) => Some(version),
                _ => return Err(invalid("the version after @ is not a number from 1")),
            },
            None if rest.is_empty() => None,
            None => return Err(invalid("unquoted names hold letters, digits, _ and $, and do not start with a digit")),
        };
        let name = parts.pop().unwrap_or_default();
        let schema = parts.pop();
        if !parts.is_empty() {
            return Err(invalid("it has more than a schema and a name"));
        }
        Ok(Self { schema, name, version })
    }
}

impl std::fmt::Display for ModelName {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        if let Some(schema) = &self.schema {
            write!(formatter, "{schema}.")?;
        }
        write!(formatter, "{}", self.name)?;
        match self.version {
            Some(version) => write!(formatter, "@{version}"),
            None => Ok(()),
        }
    }
}

/// The identifier at the start of a text, and what follows it.
fn identifier(text: &str) -> Result<(String, &str), &'static str> {
    if let Some(quoted) = text.strip_prefix('"') {
        return quoted_identifier(quoted);
    }
    let end = text.find(|character: char| !is_identifier(character)).unwrap_or(text.len());
    let (name, rest) = text.split_at(end);
    match name.chars().next() {
        None => Err("a name is empty"),
        Some(first) if first.is_ascii_digit() => Err("a name starts with a digit"),
        Some(_) => Ok((name.to_lowercase(), rest)),
    }
}

fn quoted_identifier(quoted: &str) -> Result<(String, &str), &'static str> {
    let mut name = String::new();
    let mut rest = quoted;
    while let Some((before, after)) = rest.split_once('"') {
        name.push_str(before);
        match after.strip_prefix('"') {
            Some(after) => {
                name.push('"');
                rest = after;
            }
            None if name.is_empty() => return Err("a quoted name is empty"),
            None => return Ok((name, after)),
        }
    }
    Err("a quote is not closed")
}

fn is_identifier(character: char) -> bool {
    character.is_alphanumeric() || character == '_' || character == '$'
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;

    fn parsed(text: &str) -> String {
        let name = ModelName::parse(text).unwrap();
        format!("{:?} {} {:?}", name.schema, name.name, name.version)
    }

    #[test]
    fn names_are_identifiers() {
        assert_eq!(parsed("Taste"), "None taste None");
        assert_eq!(parsed("taste@3"), "None taste Some(3)");
        assert_eq!(parsed("Sales.taste@2"), "Some(\"sales\") taste Some(2)");
        assert_eq!(parsed("\"My \"\"best\"\".model\"@1"), "None My \"best\".model Some(1)");
        assert_eq!(parsed("größe_1"), "None größe_1 None");
    }

    #[test]
    fn what_is_no_name_says_why() {
        let problem = |text: &str| match ModelName::parse(text) {
            Err(Error::InvalidModelName { problem, .. }) => problem,
            other => panic!("{text}: {other:?}"),
        };
        assert_eq!(problem(""), "a name is empty");
        assert_eq!(problem("a."), "a name is empty");
        assert_eq!(problem("a.b.c"), "it has more than a schema and a name");
        assert_eq!(problem("1a"), "a name starts with a digit");
        assert_eq!(problem("\"a"), "a quote is not closed");
        assert_eq!(problem("\"\""), "a quoted name is empty");
        for version in ["a@0", "a@", "a@+1", "a@x", "a@99999999999999999999"] {
            assert_eq!(problem(version), "the version after @ is not a number from 1");
        }
        assert_eq!(problem("my model"), "unquoted names hold letters, digits, _ and $, and do not start with a digit");
    }
}
