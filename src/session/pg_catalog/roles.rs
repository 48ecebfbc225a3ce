//! `SELECT rolname FROM pg_roles`, and `pg_authid`, `pg_user` and `pg_shadow`: the roles that own something or are connected.
//! Everybody may do everything.

use std::collections::BTreeSet;

use arrow::array::RecordBatch;

use super::{
    filling::{Result, Wanted},
    relation::Contents,
};

/// What `pg_roles` shows for a password.
const HIDDEN: &str = "********";

/// The number and the name of each.
pub(in crate::session) fn all(contents: &Contents<'_>) -> Vec<(u32, String)> {
    let scope = contents.scope;
    let sessions = scope.shared().sessions.all();
    let connected: BTreeSet<String> = sessions.iter().map(|session| session.seen_by(scope).user).collect();
    let circumstances = scope.circumstances();
    let own = [&*circumstances.user, &*circumstances.role];
    let roles = contents.objects.roles(connected.iter().map(String::as_str).chain(own));
    roles.into_iter().map(|(oid, name)| (oid, name.to_owned())).collect()
}

pub(super) fn authid(contents: &Contents<'_>, wanted: Wanted) -> Result<RecordBatch> {
    let roles = all(contents);
    let is_shown = wanted.relation() == "pg_roles";
    wanted
        .of(&roles)
        .number("oid", |(oid, _)| Some(*oid))
        .text("rolname", |(_, name)| Some(name.as_str()))
        .flag("rolsuper", |_| true)
        .flag("rolinherit", |_| true)
        .flag("rolcreaterole", |_| true)
        .flag("rolcreatedb", |_| true)
        .flag("rolcanlogin", |_| true)
        .flag("rolreplication", |_| false)
        .flag("rolbypassrls", |_| true)
        .number("rolconnlimit", |_| Some(-1))
        .text("rolpassword", |_| is_shown.then_some(HIDDEN))
        .finish()
}

pub(super) fn user(contents: &Contents<'_>, wanted: Wanted) -> Result<RecordBatch> {
    let roles = all(contents);
    let is_shown = wanted.relation() == "pg_user";
    wanted
        .of(&roles)
        .number("usesysid", |(oid, _)| Some(*oid))
        .text("usename", |(_, name)| Some(name.as_str()))
        .flag("usecreatedb", |_| true)
        .flag("usesuper", |_| true)
        .flag("userepl", |_| false)
        .flag("usebypassrls", |_| true)
        .text("passwd", |_| is_shown.then_some(HIDDEN))
        .finish()
}
