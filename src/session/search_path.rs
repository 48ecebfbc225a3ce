//! Where names without a schema are looked for: the setting `search_path`, as PostgreSQL reads it.

use std::fmt;

use super::PATH_SCHEMA;
use crate::{Error, Fault, Result, catalog::is_of_system};

/// A name as a statement writes it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Name {
    /// The schema, where it is written.
    pub(crate) schema: Option<String>,
    /// The name in it.
    pub(crate) name: String,
}

impl fmt::Display for Name {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &self.schema {
            None => write!(formatter, "\"{}\"", self.name),
            Some(schema) => write!(formatter, "\"{schema}.{}\"", self.name),
        }
    }
}

/// The schema of the session's user, in the setting.
const USER: &str = "$user";

/// What stands for the schema of the session's temporary objects.
pub(super) const OWN_TEMPORARY: &str = "pg_temp";

/// Schemas that are looked into one after the other. Those that are not there are passed over.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub(crate) struct SearchPath {
    schemas: Vec<String>,
}

impl SearchPath {
    /// The path that the setting says for a user. One who is called as a schema of the engine has none of his own.
    pub(crate) fn of(setting: &str, user: &str) -> Self {
        let names = names(setting).unwrap_or_default();
        let own = if is_of_system(user) { "" } else { user };
        Self::new(names.into_iter().map(|name| if name == USER { own.to_owned() } else { name }))
    }

    /// The path of schemas with these names.
    pub(crate) fn new(schemas: impl IntoIterator<Item = String>) -> Self {
        Self { schemas: schemas.into_iter().filter(|name| !name.is_empty() && name != PATH_SCHEMA).collect() }
    }

    /// The same with a schema of temporary objects, which comes first unless the path says when.
    pub(super) fn with_temporary(&self, schema: &str) -> Self {
        let own = |name: &String| if name == OWN_TEMPORARY { schema.to_owned() } else { name.clone() };
        let is_named = self.schemas.iter().any(|name| name == OWN_TEMPORARY);
        let implied = (!is_named).then(|| schema.to_owned());
        Self { schemas: implied.into_iter().chain(self.schemas.iter().map(own)).collect() }
    }

    /// The schemas in their order.
    pub(crate) fn schemas(&self) -> &[String] {
        &self.schemas
    }
}

/// Refuses what is no list of names.
pub(super) fn check(setting: &str) -> Result<()> {
    match names(setting) {
        Some(_) => Ok(()),
        None => {
            let message = format!("invalid value for parameter \"search_path\": \"{setting}\"");
            Err(Error::new(Fault::InvalidArgument, message))
        }
    }
}

/// The names of a list, folded where they are not between quotes; none where it is no list of names.
fn names(list: &str) -> Option<Vec<String>> {
    let mut names = Vec::new();
    let mut rest = list.trim_start();
    if rest.is_empty() {
        return Some(names);
    }
    loop {
        let (name, after) = match rest.strip_prefix('"') {
            Some(quoted) => in_quotes(quoted)?,
            None => {
                let end = rest.find(|letter: char| letter == ',' || letter.is_whitespace()).unwrap_or(rest.len());
                let (name, after) = rest.split_at(end);
                if name.is_empty() || name.contains('"') {
                    return None;
                }
                (name.to_lowercase(), after)
            }
        };
        names.push(name);
        let after = after.trim_start();
        match after.strip_prefix(',') {
            Some(next) => rest = next.trim_start(),
            None => return after.is_empty().then_some(names),
        }
    }
}

/// A name behind its first quote, and what follows it.
pub(super) fn in_quotes(text: &str) -> Option<(String, &str)> {
    let (mut name, mut rest) = (String::new(), text);
    loop {
        let (part, after) = rest.split_once('"')?;
        name.push_str(part);
        match after.strip_prefix('"') {
            Some(next) => {
                name.push('"');
                rest = next;
            }
            None => return Some((name, after)),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::functions::quoted;

    #[test]
    fn a_path_is_a_list_of_names() {
        let path = |setting: &str| SearchPath::of(setting, "ann").schemas.join("|");
        assert_eq!(path("\"$user\", public"), "ann|public");
        assert_eq!(SearchPath::of("\"$user\", public", "fusewire").schemas.join("|"), "public");
        assert_eq!(path("Sales,\"Old \"\"Sales\"\"\" , x"), "sales|Old \"Sales\"|x");
        assert_eq!(path("$user"), "ann");
        assert_eq!(path("\"\""), "");
        assert_eq!(path(""), "");
        for wrong in ["a b", "a,", ",a", "\"a", "a\"b\"", "a,,b"] {
            assert!(check(wrong).is_err(), "{wrong}");
        }
    }

    #[test]
    fn what_is_quoted_reads_as_itself() {
        for name in ["a", "a_1", "A", "1a", "", "a\"b", "a b", "$user"] {
            assert_eq!(names(&quoted(name)), Some(vec![name.to_owned()]), "{name}");
        }
    }
}
