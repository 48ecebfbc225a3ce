//! What a statement names, by which it is known whether names may stand for others than the planner takes them for.

use std::{collections::HashSet, ops::ControlFlow};

use datafusion::sql::sqlparser::ast::{Distinct, Expr, ObjectName, Query, Select, TableFactor, VisitorMut};

use super::{aliases, grouped, mentions};
use crate::{
    Error,
    session::rewrite::{
        merge::{Known, folded, is_wildcard, joins_by_name, name_of},
        whole_rows,
    },
};

/// What a statement names, and whether names in it may mean something else than they seem to.
#[derive(Default)]
pub(super) struct Seen {
    pub(super) matters: bool,
    pub(super) selects: usize,
    /// Whether a column is named with its relation.
    pub(super) qualified: bool,
    /// Names that columns get.
    pub(super) named: HashSet<String>,
    /// Queries around the place.
    depth: usize,
    pub(super) tables: Vec<ObjectName>,
    /// The names of queries in WITH, wherever they are seen.
    pub(super) ctes: HashSet<String>,
    pub(super) calls: Vec<TableFactor>,
    /// Queries in FROM.
    pub(super) derived: Vec<TableFactor>,
    /// Whether a join is one by the names of columns.
    pub(super) by_name: bool,
    pub(super) rows: whole_rows::Named,
}

impl VisitorMut for Seen {
    type Break = Error;

    fn pre_visit_select(&mut self, select: &mut Select) -> ControlFlow<Error> {
        self.by_name |= joins_by_name(&select.from);
        self.matters |= self.by_name;
        self.selects += 1;
        // Of a name that two relations have, the planner asks the query around.
        self.matters |=
            self.depth > 1 && (select.from.len() > 1 || select.from.iter().any(|item| !item.joins.is_empty()));
        self.named.extend(select.projection.iter().filter_map(name_of));
        self.matters |= select.projection.len() > 1 && select.projection.iter().any(is_wildcard);
        let aliases = aliases(select);
        if !aliases.is_empty() {
            self.matters |= matches!(select.distinct, Some(Distinct::On(_)));
            self.matters |= grouped(select).into_iter().any(|expression| mentions(expression, &aliases));
        }
        ControlFlow::Continue(())
    }

    fn post_visit_query(&mut self, _query: &mut Query) -> ControlFlow<Error> {
        self.depth -= 1;
        ControlFlow::Continue(())
    }

    fn pre_visit_query(&mut self, query: &mut Query) -> ControlFlow<Error> {
        self.depth += 1;
        for cte in query.with.iter().flat_map(|with| &with.cte_tables) {
            self.matters |= !cte.alias.columns.is_empty();
            self.ctes.insert(folded(&cte.alias.name));
            self.named.extend(cte.alias.columns.iter().map(|column| folded(&column.name)));
        }
        ControlFlow::Continue(())
    }

    fn pre_visit_expr(&mut self, expression: &mut Expr) -> ControlFlow<Error> {
        self.qualified |= matches!(expression, Expr::CompoundIdentifier(_));
        self.rows.value(expression);
        ControlFlow::Continue(())
    }

    fn pre_visit_table_factor(&mut self, factor: &mut TableFactor) -> ControlFlow<Error> {
        if let TableFactor::Table { alias: Some(alias), .. }
        | TableFactor::Derived { alias: Some(alias), .. }
        | TableFactor::Function { alias: Some(alias), .. } = factor
        {
            self.named.extend(alias.columns.iter().map(|column| folded(&column.name)));
        }
        self.matters |= match factor {
            TableFactor::Table { alias: Some(alias), args: None, .. }
            | TableFactor::NestedJoin { alias: Some(alias), .. } => !alias.columns.is_empty(),
            TableFactor::Derived { alias: Some(alias), subquery, .. } if !alias.columns.is_empty() => {
                let columns = Known::default().query(subquery).ok().flatten();
                columns.is_none_or(|columns| columns.len() != alias.columns.len())
            }
            _ => false,
        };
        self.rows.item(factor);
        match factor {
            TableFactor::Table { name, args: None, .. } if !self.tables.contains(name) => {
                self.tables.push(name.clone())
            }
            TableFactor::Table { args: Some(_), .. } | TableFactor::Function { .. } => self.calls.push(factor.clone()),
            TableFactor::Derived { .. } => self.derived.push(factor.clone()),
            _ => {}
        }
        ControlFlow::Continue(())
    }
}
