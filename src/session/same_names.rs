//! Tables of one name in several schemas, in one FROM: `FROM t, sales.t`.
//!
//! The planner takes `t` and `sales.t` for the same wherever one of them has no schema. So a name without one, beside one with,
//! gets the schema that it was found in.

use std::{collections::BTreeSet, ops::ControlFlow};

use datafusion::sql::{
    parser::Statement as SqlStatement,
    sqlparser::ast::{Ident, ObjectName, ObjectNamePart, Query, Select, TableFactor, TableWithJoins, VisitorMut},
};

use super::{
    Name, Scope,
    rewrite::{folded, visit},
};
use crate::{Error, Fault, Result, catalog::Kind};

/// Writes the schemas of such names; the same table twice under one name is an error.
pub(super) fn tell_apart(statement: &mut SqlStatement, scope: &Scope) -> Result<()> {
    visit(statement, &mut Telling { scope, with: BTreeSet::new() })
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
        let written: Vec<Name> = tables.iter().filter_map(|name| parts(name)).collect();
        for table in &mut tables {
            let Some(name) = parts(table).filter(|name| name.schema.is_none()) else { continue };
            let mut beside =
                written.iter().filter(|other| other.name == name.name).filter_map(|other| other.schema.as_ref());
            let Some(first) = beside.next() else { continue };
            let found = self.scope.named(Kind::Table, &name);
            if self.with.contains(&name.name) || *first == found.schema || beside.any(|schema| *schema == found.schema)
            {
                let message = format!("table name \"{}\" specified more than once", name.name);
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

fn parts(name: &ObjectName) -> Option<Name> {
    let parts: Option<Vec<String>> = name.0.iter().map(|part| part.as_ident().map(folded)).collect();
    match parts?.as_slice() {
        [name] => Some(Name { schema: None, name: name.clone() }),
        [schema, name] | [_, schema, name] => Some(Name { schema: Some(schema.clone()), name: name.clone() }),
        _ => None,
    }
}
