//! `SELECT oid, amname FROM pg_am`: how tables are stored, in PostgreSQL's words. There are no indexes.

use arrow::array::RecordBatch;

use super::{
    filling::{Result, Wanted},
    relation::Contents,
};
use crate::pgtype::procedures_named;

/// The number of `heap`.
pub(super) const HEAP: u32 = 2;

pub(super) fn rows(_contents: &Contents<'_>, wanted: Wanted) -> Result<RecordBatch> {
    wanted
        .of(&[HEAP])
        .number("oid", |oid| Some(*oid))
        .text("amname", |_| Some("heap"))
        .number("amhandler", |_| procedures_named("heap_tableam_handler").first().map(|known| known.oid))
        .text("amtype", |_| Some("t"))
        .finish()
}
