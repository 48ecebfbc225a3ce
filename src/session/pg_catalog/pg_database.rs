//! `SELECT oid, datname FROM pg_database`: the database, and the one that tools connect to before they know another.

use arrow::array::RecordBatch;

use super::{
    filling::{Result, Wanted},
    objects::SYSTEM_ROLE,
    pg_tablespace::DEFAULT_SPACE,
    relation::Contents,
};
use crate::session::DATABASES;

/// The number of the database.
pub(super) const DATABASE_OID: u32 = 16_383;

/// The number of the encoding UTF8.
const UTF8: i32 = 6;

pub(super) fn rows(_contents: &Contents<'_>, wanted: Wanted) -> Result<RecordBatch> {
    let [own, other] = DATABASES;
    wanted
        .of(&[(DATABASE_OID, own), (5, other)])
        .number("oid", |(oid, _)| Some(*oid))
        .text("datname", |(_, name)| Some(*name))
        .number("datdba", |_| Some(SYSTEM_ROLE))
        .number("encoding", |_| Some(UTF8))
        .text("datlocprovider", |_| Some("c"))
        .flag("datallowconn", |_| true)
        .number("datconnlimit", |_| Some(-1))
        .number("dattablespace", |_| Some(DEFAULT_SPACE))
        .text("datcollate", |_| Some("C.UTF-8"))
        .text("datctype", |_| Some("C.UTF-8"))
        .finish()
}
