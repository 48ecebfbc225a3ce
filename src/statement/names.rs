//! Names in statements: identifiers fold to lower case unless quoted, and may be qualified.

use datafusion::sql::sqlparser::ast::{Ident, ObjectName};

use crate::{
    Error, Fault, Result,
    catalog::{Existing, QualifiedName},
    session::{DATABASE, DEFAULT_SCHEMA},
};

/// An identifier as it is stored.
pub(crate) fn identifier(ident: &Ident) -> String {
    match ident.quote_style {
        Some(_) => ident.value.clone(),
        None => ident.value.to_lowercase(),
    }
}

/// The schema and name of an object: `name`, `schema.name` or `fusewire.schema.name`.
pub(crate) fn qualified(name: &ObjectName) -> Result<QualifiedName> {
    let parts: Vec<String> = name.0.iter().filter_map(|part| part.as_ident()).map(identifier).collect();
    if parts.iter().any(String::is_empty) {
        return Err(Error::new(
            Fault::Syntax,
            format!("a part of the name {name} is empty; write at least one letter"),
        ));
    }
    match parts.as_slice() {
        [name] => Ok(QualifiedName::new(DEFAULT_SCHEMA, name)),
        [schema, name] => Ok(QualifiedName::new(schema, name)),
        [database, schema, name] if database == DATABASE => Ok(QualifiedName::new(schema, name)),
        [database, _, _] => Err(Error::new(
            Fault::FeatureNotSupported,
            format!("the name {name} is in the database \"{database}\"; the only database is \"{DATABASE}\""),
        )),
        _ => Err(Error::new(Fault::Syntax, format!("the name {name} has too many parts"))),
    }
}

/// What `CREATE` does where the name is taken.
pub(super) fn existing(or_replace: bool, if_not_exists: bool) -> Result<Existing> {
    match (or_replace, if_not_exists) {
        (true, true) => {
            Err(Error::new(Fault::Syntax, "OR REPLACE and IF NOT EXISTS exclude each other; leave one out"))
        }
        (true, false) => Ok(Existing::Replace),
        (false, true) => Ok(Existing::Keep),
        (false, false) => Ok(Existing::Refuse),
    }
}
