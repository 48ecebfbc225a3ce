//! `SHOW TABLES`, `SHOW COLUMNS FROM t` and `SHOW CREATE TABLE t`, as queries of `information_schema`, and `SHOW FUNCTIONS` as one
//! of `fusewire.functions`.
//!
//! The planner would open the table to see that it is there, which the catalog knows. What is not there is left to the
//! planner, which says so.

use std::sync::Arc;

use datafusion::sql::{
    parser::Statement as SqlStatement,
    planner::object_name_to_table_reference,
    sqlparser::{
        ast::{ObjectName, ShowCreateObject, ShowStatementFilter, ShowStatementIn, ShowStatementOptions, Statement},
        parser::Parser,
    },
};

use crate::{
    Error, Fault, Result,
    session::{
        DATABASE, PostgreSql, Scope,
        providers::{has_relation, schema_of},
    },
    source,
};

/// Writes the statement as a query, where it is one of these.
pub(super) fn rewrite(statement: &mut SqlStatement, scope: &Arc<Scope>) -> Result<()> {
    let SqlStatement::Statement(inner) = statement else { return Ok(()) };
    if let Some(text) = query_of(inner, scope)? {
        **inner = Statement::Query(Parser::new(&PostgreSql).try_with_sql(&text)?.parse_query()?);
    }
    Ok(())
}

fn query_of(statement: &Statement, scope: &Arc<Scope>) -> Result<Option<String>> {
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
             WHERE table_schema NOT IN ('pg_catalog', 'information_schema') ORDER BY table_schema, table_name"
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
            let named = condition(name, scope)?;
            Ok(named.map(|named| {
                format!("SELECT {columns} FROM information_schema.columns t WHERE {named} ORDER BY ordinal_position")
            }))
        }
        Statement::ShowFunctions { filter } => {
            let condition = match filter {
                None => String::new(),
                Some(ShowStatementFilter::Like(pattern)) => format!("WHERE name LIKE {}", literal(pattern)),
                Some(ShowStatementFilter::ILike(pattern)) => format!("WHERE name ILIKE {}", literal(pattern)),
                Some(_) => return Ok(None),
            };
            Ok(Some(format!(
                "SELECT name AS function_name, returns AS return_type, arguments AS parameter_types, description, \
                 example AS syntax_example FROM fusewire.functions {condition} ORDER BY name, arguments"
            )))
        }
        Statement::ShowCreate { obj_type: ShowCreateObject::Table, obj_name } => {
            let named = condition(obj_name, scope)?;
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
fn condition(name: &ObjectName, scope: &Arc<Scope>) -> Result<Option<String>> {
    let reference = object_name_to_table_reference(name.clone(), true)?;
    let table = reference.table();
    let schema = match reference.schema() {
        _ if reference.catalog().is_some_and(|database| database != DATABASE) => None,
        Some(schema) => has_relation(scope, schema, table).then(|| schema.to_owned()),
        None => schema_of(scope, table),
    };
    match schema {
        None if source::looks_like_path(table) && reference.schema().is_none() => {
            let message =
                format!("\"{table}\" is a file, which is in no catalog; DESCRIBE '{table}' tells its columns");
            Err(Error::new(Fault::WrongObjectType, message))
        }
        None => Ok(None),
        Some(schema) => {
            let (schema, table) = (literal(&schema), literal(table));
            Ok(Some(format!("t.table_schema = {schema} AND t.table_name = {table}")))
        }
    }
}

fn literal(text: &str) -> String {
    format!("'{}'", text.replace('\'', "''"))
}
