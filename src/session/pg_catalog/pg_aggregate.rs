//! `SELECT aggfnoid FROM pg_aggregate`: which functions are aggregates. How they compute, the engine does not tell.

use arrow::array::RecordBatch;

use super::{
    filling::{Result, Wanted},
    functions::{Listed, listed},
    relation::Contents,
};

pub(super) fn rows(contents: &Contents<'_>, wanted: Wanted) -> Result<RecordBatch> {
    let functions = listed(contents.scope);
    let aggregates: Vec<Listed> = functions.into_iter().filter(|function| function.kind == 'a').collect();
    wanted
        .of(&aggregates)
        .number("aggfnoid", |row| Some(row.oid))
        .text("aggkind", |_| Some("n"))
        .text("aggfinalmodify", |_| Some("r"))
        .text("aggmfinalmodify", |_| Some("r"))
        .finish()
}
