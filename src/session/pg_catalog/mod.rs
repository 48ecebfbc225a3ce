//! The schema `pg_catalog`: what there is, by PostgreSQL's numbers and in its words.

pub(crate) mod declared;
pub(crate) mod objects;
