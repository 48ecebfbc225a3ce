//! `SELECT name, utc_offset FROM pg_timezone_names`: the time zones, with what their clocks show now.

use arrow::array::RecordBatch;

use super::{
    filling::{Result, Wanted},
    relation::Contents,
};
use crate::pgtype::{Zone, zones};

/// Half a year in microseconds: somewhere in a year clocks are as they are when they are not put forward.
const HALF_A_YEAR: i64 = 182 * 86_400 * 1_000_000;

pub(super) fn rows(contents: &Contents<'_>, wanted: Wanted) -> Result<RecordBatch> {
    let now = contents.scope.circumstances().started.timestamp_micros();
    let zones: Vec<(&str, Zone)> = zones().collect();
    wanted
        .of(&zones)
        .text("name", |(name, _)| Some(*name))
        .text("abbrev", |(_, zone)| Some(zone.abbreviation_at(now)))
        .text("utc_offset", |(_, zone)| Some(format!("{} seconds", zone.seconds_at(now))))
        .flag("is_dst", |(_, zone)| zone.seconds_at(now) > zone.seconds_at(now - HALF_A_YEAR))
        .finish()
}
