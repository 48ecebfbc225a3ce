//! Calls in FROM of functions that are queries of their argument, written as these.
//!
//! ```sql
//! SELECT option_name, option_value FROM pg_foreign_table, pg_options_to_table(ftoptions)
//! ```

use std::ops::ControlFlow;

use datafusion::sql::sqlparser::{
    ast::{Expr, FunctionArg, FunctionArgExpr, Ident, ObjectName, TableAlias, TableFactor, visit_expressions_mut},
    parser::Parser,
};

use super::{merge::folded, nested, null};
use crate::{
    Result,
    session::{CATALOG_SCHEMA, PostgreSql},
};

/// What stands for the argument.
const ARGUMENT: &str = "argument";

/// The functions with their queries. There are no partitions here, and of what is none PostgreSQL tells nothing either.
const QUERIES: &[(&str, &str)] = &[
    (
        "pg_options_to_table",
        "SELECT split_part(option, '=', 1) AS option_name, \
         CASE WHEN strpos(option, '=') > 0 THEN substr(option, strpos(option, '=') + 1) END AS option_value \
         FROM unnest(argument::text[]) AS o(option)",
    ),
    ("pg_partition_ancestors", "SELECT to_regclass(argument::text) AS relid WHERE false"),
    (
        "pg_partition_tree",
        "SELECT to_regclass(argument::text) AS relid, to_regclass(NULL) AS parentrelid, true AS isleaf, 0 AS level \
         WHERE false",
    ),
];

/// Writes such a call as a query that sees the items before it, as a call does.
pub(super) fn rewrite(item: &mut TableFactor) -> Result<()> {
    let (name, arguments): (_, &mut Vec<FunctionArg>) = match item {
        TableFactor::Table { name, args: Some(arguments), with_ordinality: false, .. } => (name, &mut arguments.args),
        TableFactor::Function { name, args, with_ordinality: false, .. } => (name, args),
        _ => return Ok(()),
    };
    let Some((called, query)) = query_of(name) else { return Ok(()) };
    let [FunctionArg::Unnamed(FunctionArgExpr::Expr(argument))] = arguments.as_mut_slice() else { return Ok(()) };
    let argument = nested(std::mem::replace(argument, null()));
    let mut subquery = Parser::new(&PostgreSql).try_with_sql(query)?.parse_query()?;
    let _ = visit_expressions_mut(subquery.as_mut(), |step| {
        if matches!(step, Expr::Identifier(name) if name.value == ARGUMENT) {
            *step = argument.clone();
        }
        ControlFlow::<()>::Continue(())
    });
    let alias = match item {
        TableFactor::Table { alias, .. } | TableFactor::Function { alias, .. } => alias.take(),
        _ => None,
    };
    let own = TableAlias { explicit: true, name: Ident::new(called), columns: Vec::new(), at: None };
    *item = TableFactor::Derived { lateral: true, subquery, alias: Some(alias.unwrap_or(own)), sample: None };
    Ok(())
}

/// The function of a name, with its query.
fn query_of(name: &ObjectName) -> Option<(&'static str, &'static str)> {
    let parts: Vec<String> = name.0.iter().filter_map(|part| part.as_ident()).map(folded).collect();
    let called = match parts.as_slice() {
        [called] => called,
        [schema, called] if schema == CATALOG_SCHEMA => called,
        _ => return None,
    };
    QUERIES.iter().copied().find(|(known, _)| known == called)
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use datafusion::sql::sqlparser::ast::{SetExpr, Statement};

    use super::*;

    fn written(text: &str) -> String {
        let mut statement = Parser::new(&PostgreSql).try_with_sql(text).unwrap().parse_statement().unwrap();
        let Statement::Query(query) = &mut statement else { unreachable!("{text} is a query") };
        let SetExpr::Select(select) = query.body.as_mut() else { unreachable!("{text} is a SELECT") };
        rewrite(&mut select.from[0].relation).unwrap();
        statement.to_string()
    }

    #[test]
    fn calls_become_queries() {
        assert_eq!(
            written("SELECT relid FROM pg_catalog.pg_partition_ancestors(c.oid) AS a"),
            "SELECT relid FROM LATERAL (SELECT to_regclass((c.oid)::TEXT) AS relid WHERE false) AS a"
        );
        assert_eq!(
            written("SELECT relid FROM PG_partition_ancestors(1)"),
            "SELECT relid FROM LATERAL (SELECT to_regclass((1)::TEXT) AS relid WHERE false) AS pg_partition_ancestors"
        );
        for other in ["SELECT 1 FROM other.pg_partition_tree(1)", "SELECT 1 FROM pg_partition_tree(1, 2)"] {
            assert_eq!(written(other), other);
        }
    }
}
