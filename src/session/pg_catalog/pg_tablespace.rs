//! `SELECT oid, spcname FROM pg_tablespace`: where tables are stored. There is one place, and PostgreSQL's other one by name.

use arrow::array::RecordBatch;

use super::{
    filling::{Result, Wanted},
    objects::SYSTEM_ROLE,
    relation::Contents,
};

/// The number of `pg_default`.
pub(in crate::session) const DEFAULT_SPACE: u32 = 1663;

/// The tablespaces, by number and name.
pub(in crate::session) const SPACES: &[(u32, &str)] = &[(DEFAULT_SPACE, "pg_default"), (1664, "pg_global")];

pub(super) fn rows(_contents: &Contents<'_>, wanted: Wanted) -> Result<RecordBatch> {
    wanted
        .of(SPACES)
        .number("oid", |(oid, _)| Some(*oid))
        .text("spcname", |(_, name)| Some(*name))
        .number("spcowner", |_| Some(SYSTEM_ROLE))
        .finish()
}
