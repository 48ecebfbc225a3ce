//! `SELECT oid, lanname FROM pg_language`: what functions are written in, of which there is only the engine itself.

use arrow::array::RecordBatch;

use super::{
    filling::{Result, Wanted},
    objects::SYSTEM_ROLE,
    relation::Contents,
};

/// The number of `internal`.
pub(super) const INTERNAL: u32 = 12;

/// Number, name, and whether everybody may write in it.
const LANGUAGES: &[(u32, &str, bool)] = &[(INTERNAL, "internal", false), (13, "c", false), (14, "sql", true)];

pub(super) fn rows(_contents: &Contents<'_>, wanted: Wanted) -> Result<RecordBatch> {
    wanted
        .of(LANGUAGES)
        .number("oid", |(oid, ..)| Some(*oid))
        .text("lanname", |(_, name, _)| Some(*name))
        .number("lanowner", |_| Some(SYSTEM_ROLE))
        .flag("lanpltrusted", |(.., trusted)| *trusted)
        .finish()
}
