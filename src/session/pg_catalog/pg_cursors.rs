//! `SELECT name, statement FROM pg_cursors`: the cursors of the session.

use std::sync::Arc;

use arrow::array::RecordBatch;

use super::{
    filling::{Result, Wanted},
    relation::Contents,
};
use crate::session::{PortalOptions, Scroll, masked::masked};

pub(super) fn rows(contents: &Contents<'_>, wanted: Wanted) -> Result<RecordBatch> {
    let scope = contents.scope;
    let client = scope.shared().sessions.find(scope.circumstances().pid);
    let cursors = client.map(|client| client.cursors()).unwrap_or_default();
    wanted
        .of(&cursors)
        .text("name", |cursor| Some(cursor.name.as_str()))
        .text("statement", |cursor| Some(masked(&Arc::from(cursor.statement.source())).to_string()))
        .flag("is_holdable", |cursor| cursor.options.hold)
        .flag("is_binary", |cursor| cursor.options.binary)
        .flag("is_scrollable", |cursor| is_scrollable(cursor.options))
        .finish()
}

fn is_scrollable(options: PortalOptions) -> bool {
    options.scroll != Scroll::No
}
