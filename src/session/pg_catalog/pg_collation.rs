//! `SELECT oid, collname FROM pg_collation`: in which orders texts are. All of them are that of their bytes.

use arrow::array::RecordBatch;

use super::{
    filling::{Result, Wanted},
    objects::{CATALOG_OID, SYSTEM_ROLE},
    relation::Contents,
    types::{C_COLLATION, DEFAULT_COLLATION},
};

/// A collation, as PostgreSQL has it.
struct Collation {
    oid: u32,
    name: &'static str,
    provider: &'static str,
    encoding: i32,
    locale: Option<&'static str>,
}

const COLLATIONS: &[Collation] = &[
    Collation { oid: DEFAULT_COLLATION, name: "default", provider: "d", encoding: -1, locale: None },
    Collation { oid: C_COLLATION, name: "C", provider: "c", encoding: -1, locale: Some("C") },
    Collation { oid: 951, name: "POSIX", provider: "c", encoding: -1, locale: Some("POSIX") },
    Collation { oid: 12340, name: "ucs_basic", provider: "c", encoding: 6, locale: Some("C") },
];

pub(super) fn rows(_contents: &Contents<'_>, wanted: Wanted) -> Result<RecordBatch> {
    wanted
        .of(COLLATIONS)
        .number("oid", |row| Some(row.oid))
        .text("collname", |row| Some(row.name))
        .number("collnamespace", |_| Some(CATALOG_OID))
        .number("collowner", |_| Some(SYSTEM_ROLE))
        .text("collprovider", |row| Some(row.provider))
        .flag("collisdeterministic", |_| true)
        .number("collencoding", |row| Some(row.encoding))
        .text("collcollate", |row| row.locale)
        .text("collctype", |row| row.locale)
        .finish()
}
