//! `SHOW TABLES`, `SHOW COLUMNS FROM t` and `SHOW CREATE TABLE t`, as queries of `information_schema`.
//!
//! The planner would open the table to see that it is there, which the catalog knows. What neither has is left to the
//! planner, which says so.

use datafusion::{
    execution::SessionState,
    sql::{
        parser::Statement as SqlStatement,
        planner::object_name_to_table_reference,
        sqlparser::{
            ast::{ObjectName, ShowCreateObject, ShowStatementIn, ShowStatementOptions, Statement},
            parser::Parser,
        },
    },
};
use futures::future::BoxFuture;

use crate::{
    Result,
    session::{DATABASE, DEFAULT_SCHEMA, PostgreSql},
};

/// Writes the statement as a query, where it is one of these.
pub(super) fn rewrite<'a>(statement: &'a mut SqlStatement, state: &'a SessionState) -> BoxFuture<'a, Result<()>> {
    Box::pin(write(statement, state))
}

async fn write(statement: &mut SqlStatement, state: &SessionState) -> Result<()> {
    let SqlStatement::Statement(inner) = statement else { return Ok(()) };
    if let Some(text) = query_of(inner, state).await? {
        **inner = Statement::Query(Parser::new(&PostgreSql).try_with_sql(&text)?.parse_query()?);
    }
    Ok(())
}

async fn query_of(statement: &Statement, state: &SessionState) -> Result<Option<String>> {
    match statement {
        Statement::ShowTables {
            terse: false,
            history: false,
            extended: false,
            full: false,
            external: false,
            show_options:
                ShowStatementOptions {
                    show_in: None,
                    starts_with: None,
                    limit: None,
                    limit_from: None,
                    filter_position: None,
                },
        } => Ok(Some(
            "SELECT table_catalog, table_schema, table_name, table_type FROM information_schema.tables \
             ORDER BY table_schema, table_name"
                .to_owned(),
        )),
        Statement::ShowColumns {
            extended,
            full,
            show_options:
                ShowStatementOptions {
                    show_in: Some(ShowStatementIn { parent_type: None, parent_name: Some(name), .. }),
                    starts_with: None,
                    limit: None,
                    limit_from: None,
                    filter_position: None,
                },
        } => {
            let columns = match *extended || *full {
                true => "*",
                false => "table_catalog, table_schema, table_name, column_name, data_type, is_nullable",
            };
            let named = condition(name, state).await?;
            Ok(named.map(|named| {
                format!("SELECT {columns} FROM information_schema.columns t WHERE {named} ORDER BY ordinal_position")
            }))
        }
        Statement::ShowCreate { obj_type: ShowCreateObject::Table, obj_name } => {
            let named = condition(obj_name, state).await?;
            Ok(named.map(|named| {
                format!(
                    "SELECT t.table_catalog, t.table_schema, t.table_name, v.view_definition AS definition \
                     FROM information_schema.tables t LEFT JOIN information_schema.views v \
                     ON v.table_schema = t.table_schema AND v.table_name = t.table_name WHERE {named}"
                )
            }))
        }
        _ => Ok(None),
    }
}

/// That a row of `t` is about the table of this name; none if there is no such table.
async fn condition(name: &ObjectName, state: &SessionState) -> Result<Option<String>> {
    let reference = object_name_to_table_reference(name.clone(), true)?;
    let resolved = reference.clone().resolve(DATABASE, DEFAULT_SCHEMA);
    let Ok(schema) = state.schema_for_ref(reference) else { return Ok(None) };
    // The name of a file is in no catalog.
    let is_there = schema.table_exist(&resolved.table) || schema.table(&resolved.table).await?.is_some();
    Ok(is_there.then(|| {
        let (schema, table) = (literal(&resolved.schema), literal(&resolved.table));
        format!("t.table_schema = {schema} AND t.table_name = {table}")
    }))
}

fn literal(text: &str) -> String {
    format!("'{}'", text.replace('\'', "''"))
}
