//! Tables of one name in several schemas, in one FROM: `FROM t, sales.t`.
//!
//! The planner takes `t` and `sales.t` for the same wherever one of them has no schema. So a name without one, beside one with,
//! gets the schema that it was found in.

use std::{collections::BTreeSet, ops::ControlFlow};

use datafusion::sql::{
    parser::{CopyToSource, Statement as SqlStatement},
    sqlparser::ast::{
        Ident, ObjectName, ObjectNamePart, Query, Select, TableFactor, TableWithJoins, VisitMut, VisitorMut,
    },
};

use super::{Name, Scope};
use crate::{Error, Fault, Result, catalog::Kind};

/// Writes the schemas of such names; the same table twice under one name is an error.
pub(super) fn tell_apart(statement: &mut SqlStatement, scope: &Scope) -> Result<()> {
    let mut telling = Telling { scope, with: BTreeSet::new() };
    let flow = match statement {
        SqlStatement::Statement(inner) => inner.visit(&mut telling),
        SqlStatement::Explain(explain) => return tell_apart(&mut explain.statement, scope),
        SqlStatement::CopyTo(copy) => match &mut copy.source {
            CopyToSource::Query(query) => query.visit(&mut telling),
            CopyToSource::Relation(_) => ControlFlow::Continue(()),
        },
        _ => ControlFlow::Continue(()),
    };
    match flow {
        ControlFlow::Break(error) => Err(error),
        ControlFlow::Continue(()) => Ok(()),
    }
}

struct Telling<'a> {
    scope: &'a Scope,
    /// The names of all items of WITH that were met.
    with: BTreeSet<String>,
}

impl VisitorMut for Telling<'_> {
    type Break = Error;

    fn pre_visit_query(&mut self, query: &mut Query) -> ControlFlow<Error> {
        let items = query.with.iter().flat_map(|with| &with.cte_tables);
        self.with.extend(items.map(|item| folded(&item.alias.name)));
        ControlFlow::Continue(())
    }

    fn pre_visit_select(&mut self, select: &mut Select) -> ControlFlow<Error> {
        let mut tables = Vec::new();
        select.from.iter_mut().for_each(|item| collect(item, &mut tables));
        match self.in_from(tables) {
            Ok(()) => ControlFlow::Continue(()),
            Err(error) => ControlFlow::Break(error),
        }
    }
}

impl Telling<'_> {
    fn in_from(&self, mut tables: Vec<&mut ObjectName>) -> Result<()> {
        let names: Vec<Option<(Option<String>, String)>> = tables.iter().map(|name| parts(name)).collect();
        for (at, table) in tables.iter_mut().enumerate() {
            let Some(Some((None, name))) = names.get(at) else { continue };
            let beside =
                |other: &Option<(Option<String>, String)>| matches!(other, Some((Some(_), same)) if same == name);
            if !names.iter().any(beside) {
                continue;
            }
            let found = self.scope.named(Kind::Table, &Name { schema: None, name: name.clone() });
            let is_same = |other: &Option<(Option<String>, String)>| matches!(other, Some((Some(schema), same)) if same == name && *schema == found.schema);
            if self.with.contains(name) || names.iter().any(is_same) {
                let message = format!("table name \"{name}\" specified more than once");
                return Err(Error::new(Fault::DuplicateAlias, message));
            }
            if self.scope.snapshot().relation(&found).is_some() {
                table.0.insert(0, ObjectNamePart::Identifier(Ident::with_quote('"', found.schema)));
            }
        }
        Ok(())
    }
}

/// The tables of an item of FROM that have no other name.
fn collect<'a>(item: &'a mut TableWithJoins, tables: &mut Vec<&'a mut ObjectName>) {
    let joined = item.joins.iter_mut().map(|join| &mut join.relation);
    for factor in std::iter::once(&mut item.relation).chain(joined) {
        match factor {
            TableFactor::Table { name, alias: None, args: None, .. } => tables.push(name),
            TableFactor::NestedJoin { table_with_joins, alias: None } => collect(table_with_joins, tables),
            _ => {}
        }
    }
}

/// The schema, where it is written, and the name.
fn parts(name: &ObjectName) -> Option<(Option<String>, String)> {
    let parts: Option<Vec<String>> = name.0.iter().map(|part| part.as_ident().map(folded)).collect();
    match parts?.as_slice() {
        [name] => Some((None, name.clone())),
        [schema, name] | [_, schema, name] => Some((Some(schema.clone()), name.clone())),
        _ => None,
    }
}

fn folded(ident: &Ident) -> String {
    match ident.quote_style {
        Some(_) => ident.value.clone(),
        None => ident.value.to_lowercase(),
    }
}
