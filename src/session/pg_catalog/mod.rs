//! The schema `pg_catalog`: what there is, by PostgreSQL's numbers and in its words, and what that has in common with
//! `information_schema`.
//!
//! All relations of both schemas are there with PostgreSQL's columns ([`declared`]). A relation is made when a query reads it
//! ([`relation`]), of what the statement sees ([`objects`] numbers it), and by nothing else: no file is opened. One without a line
//! in [`FILLED`] has no rows, as there is nothing to tell. To fill one is one file and one line there.

pub(crate) mod declared;
mod filling;
mod foreign;
pub(in crate::session) mod functions;
pub(crate) mod objects;
mod pg_aggregate;
mod pg_am;
mod pg_attrdef;
mod pg_attribute;
mod pg_cast;
mod pg_class;
mod pg_collation;
mod pg_cursors;
mod pg_database;
mod pg_description;
mod pg_language;
mod pg_namespace;
mod pg_operator;
mod pg_prepared_statements;
mod pg_proc;
mod pg_settings;
mod pg_stat_activity;
mod pg_stat_tables;
mod pg_tables;
mod pg_tablespace;
mod pg_timezone_names;
mod pg_type;
mod pg_views;
mod relation;
mod roles;
pub(super) mod types;

use std::sync::Arc;

use datafusion::catalog::SchemaProvider;

pub(super) use self::{
    filling::{Result, Wanted},
    functions::{Listed, listed},
    pg_tablespace::{DEFAULT_SPACE, SPACES},
    relation::{Contents, DeclaredSchema, Filled},
    roles::all as all_roles,
};
use super::{CATALOG_SCHEMA, Scope};

/// The relations of which there is something to tell.
const FILLED: Filled = &[
    ("pg_aggregate", pg_aggregate::rows),
    ("pg_am", pg_am::rows),
    ("pg_attrdef", pg_attrdef::rows),
    ("pg_attribute", pg_attribute::rows),
    ("pg_authid", roles::authid),
    ("pg_cast", pg_cast::rows),
    ("pg_class", pg_class::rows),
    ("pg_collation", pg_collation::rows),
    ("pg_cursors", pg_cursors::rows),
    ("pg_database", pg_database::rows),
    ("pg_description", pg_description::rows),
    ("pg_foreign_data_wrapper", foreign::wrappers),
    ("pg_foreign_server", foreign::servers),
    ("pg_foreign_table", foreign::tables),
    ("pg_language", pg_language::rows),
    ("pg_namespace", pg_namespace::rows),
    ("pg_operator", pg_operator::rows),
    ("pg_prepared_statements", pg_prepared_statements::rows),
    ("pg_proc", pg_proc::rows),
    ("pg_roles", roles::authid),
    ("pg_settings", pg_settings::rows),
    ("pg_shadow", roles::user),
    ("pg_stat_activity", pg_stat_activity::rows),
    ("pg_stat_all_tables", pg_stat_tables::rows),
    ("pg_stat_sys_tables", pg_stat_tables::rows),
    ("pg_stat_user_tables", pg_stat_tables::rows),
    ("pg_tables", pg_tables::rows),
    ("pg_tablespace", pg_tablespace::rows),
    ("pg_timezone_names", pg_timezone_names::rows),
    ("pg_type", pg_type::rows),
    ("pg_user", roles::user),
    ("pg_views", pg_views::rows),
];

/// The schema as a statement sees it.
pub(super) fn schema(scope: Arc<Scope>) -> Arc<dyn SchemaProvider> {
    Arc::new(DeclaredSchema::new(CATALOG_SCHEMA, FILLED, scope))
}

/// Whether a relation of this name is looked for here first, unless a path says when.
pub(super) fn has_relation(name: &str) -> bool {
    declared::named(CATALOG_SCHEMA, name).is_some()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_filled_is_declared() {
        for (name, _) in FILLED {
            assert!(has_relation(name), "{name}");
        }
        assert!(FILLED.is_sorted_by_key(|(name, _)| *name));
        assert!(!has_relation("pg_nothing") && !has_relation("tables"));
    }
}
