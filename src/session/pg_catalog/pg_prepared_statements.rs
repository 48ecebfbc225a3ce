//! `SELECT name, statement FROM pg_prepared_statements`: the statements that the session keeps by name.

use std::sync::Arc;

use arrow::array::RecordBatch;

use super::{
    filling::{Result, Wanted},
    relation::Contents,
};
use crate::{
    pgtype::regtype_text,
    session::{PreparedStatement, masked::masked},
};

pub(super) fn rows(contents: &Contents<'_>, wanted: Wanted) -> Result<RecordBatch> {
    let scope = contents.scope;
    let client = scope.shared().sessions.find(scope.circumstances().pid);
    let statements = client.map(|client| client.statements()).unwrap_or_default();
    wanted
        .of(&statements)
        .text("name", |(name, _)| Some(name.as_str()))
        .text("statement", |(_, statement)| Some(masked(&Arc::from(statement.source())).to_string()))
        .texts("parameter_types", |(_, statement)| Some(types(statement)))
        .flag("from_sql", |(_, statement)| statement.text() != statement.source())
        .number("generic_plans", |_| Some(0))
        .number("custom_plans", |_| Some(0))
        .finish()
}

fn types(statement: &PreparedStatement) -> Vec<String> {
    statement.parameters().iter().map(|parameter| regtype_text(parameter.oid)).collect()
}
