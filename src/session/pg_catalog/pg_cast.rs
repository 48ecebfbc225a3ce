//! `SELECT castsource, casttarget FROM pg_cast`: which types become which others, and where.

use arrow::array::RecordBatch;

use super::{
    filling::{Result, Wanted},
    relation::Contents,
};
use crate::pgtype::{Context, PgType, casts, procedures_named};

/// Where the numbers of the casts begin, whose own in PostgreSQL mean nothing.
const FIRST: i64 = 14_000;

/// A cast with its place in the list.
struct Row {
    place: i64,
    source: &'static PgType,
    target: &'static PgType,
    context: Context,
    /// The function that computes it; 0 where the values stay as they are.
    function: u32,
}

pub(super) fn rows(_contents: &Contents<'_>, wanted: Wanted) -> Result<RecordBatch> {
    let casts = casts().iter().zip(0..).map(|((source, target, context), place)| Row {
        place,
        source,
        target,
        context: *context,
        function: function(source, target),
    });
    let rows: Vec<Row> = casts.collect();
    wanted
        .of(&rows)
        .number("oid", |row| Some(FIRST + row.place))
        .number("castsource", |row| Some(row.source.oid))
        .number("casttarget", |row| Some(row.target.oid))
        .number("castfunc", |row| Some(row.function))
        .text("castcontext", |row| Some(letter(row.context)))
        .text("castmethod", |row| Some(method(row)))
        .finish()
}

/// The function of a cast, which is called as the type that it makes.
fn function(source: &PgType, target: &PgType) -> u32 {
    let known = procedures_named(target.name).iter();
    let mut makes = known.filter(|known| known.returns == target.oid && known.arguments.first() == Some(&source.oid));
    makes.next().map_or(0, |known| known.oid)
}

fn letter(context: Context) -> &'static str {
    match context {
        Context::Implicit => "i",
        Context::Assignment => "a",
        Context::Explicit => "e",
    }
}

/// By a function, by way of a text, or not at all.
fn method(row: &Row) -> &'static str {
    let is_of_json = row.source.category == 'U' && row.target.category == 'U';
    match row.function {
        0 if is_of_json => "i",
        0 => "b",
        _ => "f",
    }
}
