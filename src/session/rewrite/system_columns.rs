//! `tableoid`, the one of PostgreSQL's system columns that tells something here: the number of the table that a row is of.
//!
//! ```sql
//! SELECT d.description FROM pg_class c JOIN pg_description d ON d.classoid = c.tableoid AND d.objoid = c.oid
//! ```
//!
//! A table of which it is asked is read with it as one more column, so that it is NULL where an outer join has no row of the
//! table. That is left out where the table's columns are all meant, by `*`, by the table's name or by NATURAL: they have no
//! system columns among them.

use std::{collections::BTreeSet, ops::ControlFlow, sync::Arc};

use datafusion::sql::{
    parser::Statement as SqlStatement,
    sqlparser::{
        ast::{
            Expr, FunctionArg, FunctionArgExpr, FunctionArguments, Ident, Join, JoinConstraint, ObjectName, Query,
            Select, SelectItem, SelectItemQualifiedWildcardKind, SetExpr, TableAlias, TableFactor, TableWithJoins,
            VisitorMut,
        },
        parser::Parser,
    },
};

use super::{
    merge::{constraint, folded},
    visit,
};
use crate::{
    Error, Result,
    session::{DATABASE, PostgreSql, Scope, pg_catalog::objects::Objects, providers::schema_of},
};

const TABLE_OID: &str = "tableoid";

/// Reads the tables of which it is asked with it.
pub(super) fn rewrite(statement: &mut SqlStatement, scope: &Arc<Scope>) -> Result<()> {
    let mut asked = Asked::default();
    visit(statement, &mut asked)?;
    if !asked.alone && asked.of.is_empty() {
        return Ok(());
    }
    let mut written = Written::default();
    visit(statement, &mut written)?;
    let objects = Objects::new(Arc::clone(scope.snapshot()));
    visit(statement, &mut Adding { asked, written, objects, scope })
}

/// Where it is written.
#[derive(Default)]
struct Asked {
    /// Whether it is written without a table.
    alone: bool,
    /// The tables that it is written with.
    of: BTreeSet<String>,
}

impl VisitorMut for Asked {
    type Break = Error;

    fn pre_visit_expr(&mut self, expression: &mut Expr) -> ControlFlow<Error> {
        match expression {
            Expr::Identifier(name) => self.alone |= is_table_oid(name),
            Expr::CompoundIdentifier(parts) => {
                if let [.., table, column] = parts.as_slice()
                    && is_table_oid(column)
                {
                    self.of.insert(folded(table));
                }
            }
            _ => {}
        }
        ControlFlow::Continue(())
    }
}

fn is_table_oid(name: &Ident) -> bool {
    name.value.eq_ignore_ascii_case(TABLE_OID) && folded(name) == TABLE_OID
}

/// What else decides whether a table can be read so.
#[derive(Default)]
struct Written {
    /// The items of WITH, which are no tables.
    items: BTreeSet<String>,
    /// Names that may mean whole rows.
    whole: BTreeSet<String>,
    /// Whether a column is written with more than its table.
    is_long: bool,
}

impl VisitorMut for Written {
    type Break = Error;

    fn pre_visit_query(&mut self, query: &mut Query) -> ControlFlow<Error> {
        if let Some(with) = &query.with {
            self.items.extend(with.cte_tables.iter().map(|item| folded(&item.alias.name)));
        }
        ControlFlow::Continue(())
    }

    fn pre_visit_expr(&mut self, expression: &mut Expr) -> ControlFlow<Error> {
        match expression {
            Expr::Identifier(name) => self.whole.extend([folded(name)]),
            Expr::CompoundIdentifier(parts) => self.is_long |= parts.len() > 2,
            Expr::QualifiedWildcard(name, _) => self.whole.extend(last_of(name)),
            Expr::Function(function) => {
                if let FunctionArguments::List(list) = &function.args {
                    for argument in &list.args {
                        if let FunctionArg::Unnamed(FunctionArgExpr::QualifiedWildcard(name)) = argument {
                            self.whole.extend(last_of(name));
                        }
                    }
                }
            }
            _ => {}
        }
        ControlFlow::Continue(())
    }
}

struct Adding<'a> {
    asked: Asked,
    written: Written,
    objects: Objects,
    scope: &'a Arc<Scope>,
}

impl VisitorMut for Adding<'_> {
    type Break = Error;

    fn pre_visit_select(&mut self, select: &mut Select) -> ControlFlow<Error> {
        match self.select(select) {
            Ok(()) => ControlFlow::Continue(()),
            Err(error) => ControlFlow::Break(error),
        }
    }
}

impl Adding<'_> {
    fn select(&self, select: &mut Select) -> Result<()> {
        let mut whole = BTreeSet::new();
        for item in &select.projection {
            match item {
                SelectItem::Wildcard(_) => return Ok(()),
                SelectItem::QualifiedWildcard(SelectItemQualifiedWildcardKind::ObjectName(name), _) => {
                    whole.extend(last_of(name));
                }
                _ => {}
            }
        }
        if select.from.iter().any(is_natural) {
            return Ok(());
        }
        select.from.iter_mut().try_for_each(|item| self.joined(item, &whole))
    }

    fn joined(&self, item: &mut TableWithJoins, whole: &BTreeSet<String>) -> Result<()> {
        let joined = item.joins.iter_mut().map(|join| &mut join.relation);
        for factor in std::iter::once(&mut item.relation).chain(joined) {
            match factor {
                TableFactor::NestedJoin { table_with_joins, alias: None } => self.joined(table_with_joins, whole)?,
                factor => self.item(factor, whole)?,
            }
        }
        Ok(())
    }

    /// Puts a table into a query with one more column.
    fn item(&self, factor: &mut TableFactor, whole: &BTreeSet<String>) -> Result<()> {
        let TableFactor::Table { name, alias, args: None, .. } = factor else { return Ok(()) };
        let called = match alias.as_ref() {
            Some(alias) if alias.columns.is_empty() => alias.name.clone(),
            // A query has no schema that its columns could be written with.
            None if !self.written.is_long => match name.0.last().and_then(|part| part.as_ident()) {
                Some(name) => name.clone(),
                None => return Ok(()),
            },
            _ => return Ok(()),
        };
        let word = folded(&called);
        let is_asked = self.asked.alone || self.asked.of.contains(&word);
        if !is_asked || whole.contains(&word) || self.written.whole.contains(&word) {
            return Ok(());
        }
        let Some(oid) = self.number_of(name) else { return Ok(()) };
        let own = TableAlias { explicit: true, name: called, columns: Vec::new(), at: None };
        let alias = Some(alias.take().unwrap_or(own));
        let text = format!("SELECT *, {oid}::oid AS {TABLE_OID} FROM t");
        let mut subquery = Parser::new(&PostgreSql).try_with_sql(&text)?.parse_query()?;
        if let SetExpr::Select(select) = subquery.body.as_mut()
            && let Some(item) = select.from.first_mut()
        {
            std::mem::swap(&mut item.relation, factor);
        }
        *factor = TableFactor::Derived { lateral: false, subquery, alias, sample: None };
        Ok(())
    }

    /// The number of the table of a name; none of what is no table, and where a column of its own has the name.
    fn number_of(&self, name: &ObjectName) -> Option<u32> {
        let parts: Vec<String> = name.0.iter().filter_map(|part| part.as_ident()).map(folded).collect();
        let (schema, table) = match parts.as_slice() {
            [table] if self.written.items.contains(table) => return None,
            [table] => (schema_of(self.scope, table)?, table),
            [schema, table] => (schema.clone(), table),
            [database, schema, table] if database == DATABASE => (schema.clone(), table),
            _ => return None,
        };
        let relation = self.objects.relation(&schema, table)?;
        let is_table = relation.letter() != 'v';
        let has_own = || relation.columns().iter().any(|column| column.name == TABLE_OID);
        (is_table && !has_own()).then_some(relation.oid)
    }
}

/// Whether the joins of an item of FROM have one by all the names that both sides have.
fn is_natural(item: &TableWithJoins) -> bool {
    let nested = |factor: &TableFactor| match factor {
        TableFactor::NestedJoin { table_with_joins, .. } => is_natural(table_with_joins),
        _ => false,
    };
    let natural = |join: &Join| matches!(constraint(&join.join_operator), Some(JoinConstraint::Natural));
    nested(&item.relation) || item.joins.iter().any(|join| natural(join) || nested(&join.relation))
}

/// What a name is without its schema.
fn last_of(name: &ObjectName) -> Option<String> {
    name.0.last().and_then(|part| part.as_ident()).map(folded)
}
