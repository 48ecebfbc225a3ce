//! `SELECT name, setting FROM pg_settings`: the session's settings, with what each takes.

use arrow::array::RecordBatch;

use super::{
    filling::{Result, Wanted},
    relation::Contents,
};
use crate::session::settings::{
    spelled,
    told::{Told, told},
};

/// A setting.
struct Row {
    name: String,
    value: String,
    description: String,
    /// What is known of it where it is one of PostgreSQL's.
    told: Option<Told>,
}

pub(super) fn rows(contents: &Contents<'_>, wanted: Wanted) -> Result<RecordBatch> {
    let settings = contents.scope.settings().into_iter().map(|(name, value, description)| {
        let told = told(&name);
        Row { name, value, description, told }
    });
    let mut settings: Vec<Row> = settings.collect();
    settings.sort_by_key(|row| spelled(&row.name).to_lowercase());
    wanted
        .of(&settings)
        .text("name", |row| Some(spelled(&row.name)))
        .text("setting", |row| Some(row.value.as_str()))
        .text("unit", |row| row.told.as_ref()?.unit)
        .text("category", |row| Some(if row.told.is_some() { "Client Connection Defaults" } else { "Query Engine" }))
        .text("short_desc", |row| Some(row.description.as_str()))
        .text("context", |row| Some(row.told.as_ref().map_or("user", |told| told.context)))
        .text("vartype", |row| Some(row.told.as_ref().map_or("string", |told| told.vartype)))
        .text("source", |row| Some(if is_default(row) { "default" } else { "session" }))
        .text("min_val", |row| row.told.as_ref()?.least.as_deref())
        .text("max_val", |row| row.told.as_ref()?.most.as_deref())
        .texts("enumvals", |row| row.told.as_ref()?.words.clone())
        .text("boot_val", |row| row.told.as_ref().map(|told| told.default))
        .text("reset_val", |row| row.told.as_ref().map(|told| told.default))
        .flag("pending_restart", |_| false)
        .finish()
}

fn is_default(row: &Row) -> bool {
    row.told.as_ref().is_none_or(|told| told.default == row.value)
}
