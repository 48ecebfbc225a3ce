//! Scalar functions that clients of PostgreSQL call as a matter of course and that know the session; those that know the
//! statement are made of its circumstances, and those that act on its session with its scope.

mod casing;
mod catalogue;
mod constant;
mod log2;
mod notify;
mod now;
mod partitions;
mod random_uuid;
mod schemas;
mod sequences;
mod series;
mod settings;
mod signals;
mod sleep;
mod split_part;
mod texts;
mod translated_patterns;

use std::sync::Arc;

use datafusion::{common::ScalarValue, logical_expr::ScalarUDF, prelude::SessionContext};
use tokio::sync::mpsc::UnboundedSender;

pub(super) use catalogue::function_of as catalogue_function_of;
use constant::{constant, told_constant};
pub(crate) use settings::SET_CONFIG;

use super::{
    Circumstances, DATABASE, Notice, Scope, Sessions, nth_value,
    rewrite::{Assigned, CompareArray, WrittenAs, row_of},
    settings::SERVER_VERSION,
    shift, sliding,
};
use crate::{
    catalog::ObjectKey,
    pgtype::{ColumnType, INET, NAME, OID, PgType},
    planning::{
        self, ASSIGNED, ELEMENTS_OF, LONG_NUMBER, REGULAR_EXPRESSION, ROW_OF, SIMILAR_EXPRESSION, UNREAD, WRITTEN_AS,
    },
};

/// Functions that statements are rewritten with, those of the query engine that no statement can give what they take, and those
/// of sequences, of which there are none.
pub(super) const INTERNAL: &[&str] = &[
    ASSIGNED,
    ELEMENTS_OF,
    LONG_NUMBER,
    REGULAR_EXPRESSION,
    ROW_OF,
    SIMILAR_EXPRESSION,
    UNREAD,
    WRITTEN_AS,
    "compare_all",
    "compare_any",
    "currval",
    "equal_types",
    "file_row_index",
    "format_of",
    "input_file_name",
    "json_agg_of",
    "json_distinct_of",
    "json_element",
    "json_entry",
    "json_extract_path_of",
    "json_extract_path_text_of",
    "json_line",
    "json_object_agg_of",
    "json_row",
    "jsonb_agg_of",
    "jsonb_delete_of",
    "jsonb_extract_path_of",
    "jsonb_extract_path_text_of",
    "jsonb_object_agg_of",
    "lastval",
    "mode_of",
    "name_of_regclass",
    "name_of_regnamespace",
    "name_of_regproc",
    "name_of_regprocedure",
    "name_of_regrole",
    "nextval",
    "number_of_regclass",
    "number_of_regnamespace",
    "number_of_regproc",
    "number_of_regprocedure",
    "number_of_regrole",
    "number_of_regtype",
    "num_nonnulls_of",
    "num_nulls_of",
    "one_of_equals",
    "percentile_cont_of",
    "percentile_disc_of",
    "setval",
    "union_extract",
    "union_tag",
];

/// Registers them for a session of `user`.
pub(crate) fn register(context: &SessionContext, user: &str) {
    of_session(user, user, DATABASE).into_iter().for_each(|function| context.register_udf(function));
    let own = [
        now::clock(),
        log2::function(),
        now::in_words(),
        partitions::function(),
        random_uuid::function(),
        planning::row(),
        split_part::function(),
    ];
    let several = casing::functions().into_iter().chain(sequences::functions()).chain(translated_patterns::functions());
    let own = own.into_iter().chain(several).chain(planning::choosing()).chain(crate::functions::scalar_functions());
    own.for_each(|function| context.register_udf(function));
    series::register(context);
    shift::both().into_iter().for_each(|function| context.register_udwf(function));
    context.register_udwf(nth_value::function());
    sliding::all().into_iter().for_each(|function| context.register_udaf(function));
    crate::functions::aggregate_functions().for_each(|function| context.register_udaf(function));
    // What comparisons are written as before they are planned.
    let written = CompareArray::both().into_iter().chain([
        row_of(),
        Assigned::function(),
        WrittenAs::function(),
        planning::unread(),
        planning::long_number(),
        planning::elements_of(),
    ]);
    written.for_each(|function| context.register_udf(function));
    of_server().into_iter().for_each(|function| context.register_udf(function));
    // Connection pools give back locks that nobody can take here.
    context.register_udf(constant("pg_advisory_unlock_all", ScalarValue::Utf8(None)));
}

/// Registers those that know the sessions of the engine, for the one of this number.
pub(crate) fn register_sessions(
    context: &SessionContext,
    pid: i32,
    sessions: &Arc<Sessions>,
    notices: &UnboundedSender<Notice>,
) {
    context.register_udf(backend_pid(pid));
    let own = signals::functions(sessions, pid, notices).into_iter().chain([sleep::function(sessions, pid)]);
    own.chain(notify::functions(sessions, pid)).for_each(|function| context.register_udf(function));
}

/// Those of one statement, which know its scope.
pub(super) fn of(scope: &Scope) -> Vec<ScalarUDF> {
    let own = of_statement(scope.circumstances()).chain([settings::set_config(scope), temporary_schema(scope)]);
    own.chain(catalogue::functions(scope)).collect()
}

/// `current_setting` in a statement that sets, where it yields what was set so far.
pub(super) fn following(scope: &Scope) -> ScalarUDF {
    settings::following(scope)
}

/// Those of a session and of one of its statements, where neither is: they are made of its circumstances alone.
pub(super) fn elsewhere(circumstances: &Circumstances) -> Vec<ScalarUDF> {
    let Circumstances { user, role, database, pid, settings, .. } = circumstances;
    let session = of_session(user, role, database).into_iter();
    session.chain([backend_pid(*pid), now::clock_in(settings.zone())]).chain(of_statement(circumstances)).collect()
}

fn of_statement(circumstances: &Circumstances) -> impl Iterator<Item = ScalarUDF> {
    let schemas = schemas::functions(circumstances).into_iter();
    schemas.chain([settings::current_setting(circumstances)]).chain(now::at(circumstances))
}

/// What one who has connected, with the rights of a role, is told of the session.
fn of_session(user: &str, role: &str, database: &str) -> Vec<ScalarUDF> {
    // SQLAlchemy reads the version from a text that begins like this.
    let version = constant("version", ScalarValue::from(format!("PostgreSQL {SERVER_VERSION}")));
    let names = [
        ("current_database", database),
        ("current_catalog", database),
        ("current_user", role),
        ("current_role", role),
        ("session_user", user),
        ("user", role),
        ("pg_client_encoding", "UTF8"),
    ];
    let name = ColumnType::plain(&NAME);
    let names = names.map(|(function, value)| told_constant(function, ScalarValue::from(value), name));
    [version].into_iter().chain(names).collect()
}

/// What is the same for all sessions: there is no standby, no temporary schema has a number where there is no statement, and a connection is told of as one
/// of the same machine.
fn of_server() -> [ScalarUDF; 7] {
    let told = |name: &str, value: ScalarValue, pg: &'static PgType| told_constant(name, value, ColumnType::plain(pg));
    [
        constant("pg_is_in_recovery", ScalarValue::from(false)),
        told("getdatabaseencoding", ScalarValue::from("UTF8"), &NAME),
        told("pg_my_temp_schema", ScalarValue::Int64(Some(0)), &OID),
        told("inet_client_addr", ScalarValue::Utf8(None), &INET),
        told("inet_server_addr", ScalarValue::Utf8(None), &INET),
        constant("inet_client_port", ScalarValue::Int32(None)),
        constant("inet_server_port", ScalarValue::Int32(None)),
    ]
}

/// The number of the schema of the session's temporary objects; 0 where there are none.
fn temporary_schema(scope: &Scope) -> ScalarUDF {
    let schema = scope.snapshot().get(&ObjectKey::Schema(scope.temporary_schema()));
    let oid = ScalarValue::Int64(Some(schema.map_or(0, |schema| i64::from(schema.header.oid))));
    told_constant("pg_my_temp_schema", oid, ColumnType::plain(&OID))
}

fn backend_pid(pid: i32) -> ScalarUDF {
    constant("pg_backend_pid", ScalarValue::Int32(Some(pid)))
}
