//! The schema `information_schema`: what there is, for tools that ask as the standard says, with PostgreSQL's columns.
//!
//! A relation is made from the statement's snapshot when a query reads it, and by nothing else: no file is opened, so that a
//! table whose files are gone or broken is told of as well as any. What the catalog does not know is NULL. All relations of
//! PostgreSQL are there; one without a line in [`FILLED`] has no rows. To fill one is one file and one line there.

mod columns;
mod names;
mod routines;
mod schemata;
mod tables;
mod views;

use std::sync::Arc;

use datafusion::catalog::SchemaProvider;

use super::{
    Scope,
    pg_catalog::{DeclaredSchema, Filled},
};

/// The schema's name.
pub(super) const SCHEMA: &str = "information_schema";

/// The relations of which there is something to tell.
const FILLED: Filled = &[
    ("character_sets", names::character_sets),
    ("columns", columns::rows),
    ("enabled_roles", names::enabled_roles),
    ("information_schema_catalog_name", names::catalog_name),
    ("routines", routines::rows),
    ("schemata", schemata::rows),
    ("tables", tables::rows),
    ("views", views::rows),
];

/// The schema as a statement sees it.
pub(super) fn schema(scope: Arc<Scope>) -> Arc<dyn SchemaProvider> {
    Arc::new(DeclaredSchema::new(SCHEMA, FILLED, scope))
}

/// What the standard answers with.
fn yes_or_no(yes: bool) -> &'static str {
    if yes { "YES" } else { "NO" }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::session::pg_catalog::declared;

    #[test]
    fn what_is_filled_is_declared() {
        for (name, _) in FILLED {
            assert!(declared::named(SCHEMA, name).is_some(), "{name}");
        }
        assert!(FILLED.is_sorted_by_key(|(name, _)| *name));
    }
}
