//! Names of relations that are also names of columns.
//!
//! In `SELECT … FROM s AS x WHERE EXISTS (SELECT 1 FROM t AS y WHERE y.id = x.id)` the planner takes `x.id` for a field of t's
//! column x, if it has one; PostgreSQL looks for a relation of that name first, in all queries around. So such a relation gets
//! a mark in its name, which no column has.

use std::{
    collections::{HashMap, HashSet},
    ops::ControlFlow,
};

use datafusion::sql::{
    parser::Statement as SqlStatement,
    sqlparser::ast::{
        AccessExpr, Expr, Function, FunctionArg, FunctionArgExpr, FunctionArguments, Ident, ObjectName, OrderBy,
        OrderByKind, Query, Select, SelectItem, SelectItemQualifiedWildcardKind, SetExpr, TableAlias, TableFactor,
        TableWithJoins, VisitMut, VisitorMut,
    },
};

use super::{merge::folded, scopes::Scopes, visit};
use crate::{Error, Result, error::MARK};

/// Marks the relations that are named like one of these columns, where one query stands within another.
pub(super) fn rewrite(statement: &mut SqlStatement, columns: &HashSet<String>) -> Result<()> {
    visit(statement, &mut Marking { columns, scopes: Scopes::default() })
}

struct Marking<'a> {
    columns: &'a HashSet<String>,
    /// The relations of each SELECT, and whether each is marked.
    scopes: Scopes<HashMap<String, bool>>,
}

impl VisitorMut for Marking<'_> {
    type Break = Error;

    fn pre_visit_query(&mut self, query: &mut Query) -> ControlFlow<Error> {
        let mut order_by = query.order_by.take();
        if let (Some(OrderBy { kind: OrderByKind::Expressions(order), .. }), Some(select)) =
            (&mut order_by, ordered_select(&query.body))
        {
            let relations = self.relations(&mut select.from.clone());
            self.scopes.enter(relations);
            for ordered in order {
                ordered.expr.visit(self)?;
            }
            self.scopes.leave();
        }
        self.scopes.keep_order(order_by);
        ControlFlow::Continue(())
    }

    fn post_visit_query(&mut self, query: &mut Query) -> ControlFlow<Error> {
        query.order_by = self.scopes.kept_order();
        ControlFlow::Continue(())
    }

    fn pre_visit_select(&mut self, select: &mut Select) -> ControlFlow<Error> {
        let relations = self.relations(&mut select.from);
        for item in &mut select.projection {
            if let SelectItem::QualifiedWildcard(SelectItemQualifiedWildcardKind::ObjectName(name), _) = item {
                mark_name(name, |relation| relations.get(relation) == Some(&true));
            }
        }
        self.scopes.enter(relations);
        ControlFlow::Continue(())
    }

    fn post_visit_select(&mut self, _select: &mut Select) -> ControlFlow<Error> {
        self.scopes.leave();
        ControlFlow::Continue(())
    }

    fn pre_visit_table_factor(&mut self, factor: &mut TableFactor) -> ControlFlow<Error> {
        self.scopes.enter_item(factor);
        ControlFlow::Continue(())
    }

    fn post_visit_table_factor(&mut self, factor: &mut TableFactor) -> ControlFlow<Error> {
        self.scopes.leave_item(factor);
        ControlFlow::Continue(())
    }

    fn pre_visit_expr(&mut self, expression: &mut Expr) -> ControlFlow<Error> {
        match expression {
            Expr::CompoundIdentifier(parts) => {
                // A table may stand behind its schema.
                let behind_schema = parts.len() > 2 && self.mark_of(&folded(&parts[0])).is_none();
                let relation = usize::from(behind_schema);
                if let Some(name) = parts.get(relation).filter(|name| self.is_marked(&folded(name))) {
                    parts[relation] = marked(name);
                    parts.drain(..relation);
                }
            }
            Expr::CompoundFieldAccess { root, access_chain } => {
                if let (Expr::Identifier(first), Some(AccessExpr::Dot(_))) = (root.as_mut(), access_chain.first())
                    && self.is_marked(&folded(first))
                {
                    *first = marked(first);
                }
            }
            Expr::Function(Function { args: FunctionArguments::List(list), .. }) => {
                for argument in &mut list.args {
                    if let FunctionArg::Unnamed(FunctionArgExpr::QualifiedWildcard(name)) = argument {
                        mark_name(name, |relation| self.is_marked(relation));
                    }
                }
            }
            _ => {}
        }
        ControlFlow::Continue(())
    }
}

impl Marking<'_> {
    fn is_marked(&self, name: &str) -> bool {
        self.mark_of(name) == Some(true)
    }

    /// Whether the innermost relation of this name that can be seen is marked; none if there is no such relation.
    fn mark_of(&self, name: &str) -> Option<bool> {
        self.scopes.visible().find_map(|(relations, _)| relations.get(name).copied())
    }

    /// The names of the relations of FROM; those to mark are marked.
    fn relations(&self, from: &mut [TableWithJoins]) -> HashMap<String, bool> {
        let mut found = HashMap::new();
        for item in from {
            self.relation(&mut item.relation, &mut found);
            for join in &mut item.joins {
                self.relation(&mut join.relation, &mut found);
            }
        }
        found
    }

    fn relation(&self, factor: &mut TableFactor, found: &mut HashMap<String, bool>) {
        let alias = match factor {
            TableFactor::NestedJoin { table_with_joins, alias: None } => {
                found.extend(self.relations(std::slice::from_mut(table_with_joins)));
                return;
            }
            TableFactor::Table { name, alias: alias @ None, args: None, .. } => {
                let Some(own) = name.0.last().and_then(|part| part.as_ident()) else { return };
                let is_marked = self.columns.contains(&folded(own));
                found.insert(folded(own), is_marked);
                if is_marked {
                    *alias = Some(TableAlias { explicit: true, name: marked(own), columns: Vec::new(), at: None });
                }
                return;
            }
            TableFactor::Table { alias, .. }
            | TableFactor::Derived { alias, .. }
            | TableFactor::Function { alias, .. }
            | TableFactor::UNNEST { alias, .. }
            | TableFactor::NestedJoin { alias, .. } => alias,
            _ => return,
        };
        let Some(alias) = alias else { return };
        let name = folded(&alias.name);
        let is_marked = self.columns.contains(&name);
        if is_marked {
            alias.name = marked(&alias.name);
        }
        found.insert(name, is_marked);
    }
}

/// The SELECT whose columns an ORDER BY may name, also in parentheses.
pub(super) fn ordered_select(body: &SetExpr) -> Option<&Select> {
    match body {
        SetExpr::Select(select) => Some(select),
        SetExpr::Query(query) => ordered_select(&query.body),
        _ => None,
    }
}

fn marked(name: &Ident) -> Ident {
    let mut text = folded(name);
    text.push(MARK);
    Ident { quote_style: Some('"'), value: text, ..name.clone() }
}

fn mark_name(name: &mut ObjectName, is_marked: impl Fn(&str) -> bool) {
    if let [part] = name.0.as_slice()
        && let Some(own) = part.as_ident()
        && is_marked(&folded(own))
    {
        *name = ObjectName::from(vec![marked(own)]);
    }
}
