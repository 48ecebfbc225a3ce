//! `SELECT pid, state, query FROM pg_stat_activity`: who is connected, and what runs.

use arrow::array::RecordBatch;

use super::{
    filling::{Result, Wanted},
    objects::role_oid,
    pg_database::DATABASE_OID,
    relation::Contents,
};
use crate::session::{DATABASE, Seen};

pub(super) fn rows(contents: &Contents<'_>, wanted: Wanted) -> Result<RecordBatch> {
    let sessions = contents.scope.shared().sessions.all();
    let seen: Vec<Seen> = sessions.iter().map(|session| session.seen_by(contents.scope)).collect();
    wanted
        .of(&seen)
        .number("datid", |_| Some(DATABASE_OID))
        .text("datname", |_| Some(DATABASE))
        .number("pid", |row| Some(row.pid))
        .number("usesysid", |row| Some(role_oid(&row.user)))
        .text("usename", |row| Some(row.user.as_str()))
        .text("application_name", |row| Some(row.application.as_str()))
        .text("client_addr", |row| row.address.map(|address| address.ip().to_string()))
        .number("client_port", |row| row.address.map(|address| i32::from(address.port())))
        .instant("backend_start", |row| Some(row.began))
        .instant("xact_start", |row| row.transaction_began)
        .instant("query_start", |row| row.statement_began)
        .instant("state_change", |row| Some(row.changed))
        .text("wait_event_type", |row| waits(row).then_some("Client"))
        .text("wait_event", |row| waits(row).then_some("ClientRead"))
        .text("state", |row| Some(row.state))
        .text("query", |row| Some(row.text.as_str()))
        .text("backend_type", |_| Some("client backend"))
        .finish()
}

/// Whether it waits for its client.
fn waits(row: &Seen) -> bool {
    row.state != "active"
}
