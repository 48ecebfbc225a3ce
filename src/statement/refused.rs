//! What PostgreSQL refuses as it is written, and the planner does not: subqueries in FROM without a name, names in ORDER BY that
//! stand for two columns of the list, and windows where there are no rows yet for them.

use std::ops::ControlFlow;

use datafusion::sql::sqlparser::{
    ast::{Expr, OrderBy, OrderByKind, Query, Select, SelectItem, SetExpr, Spanned, TableFactor, Visit, Visitor},
    tokenizer::Location,
};

use super::names::identifier;
use crate::{Error, Fault, Result};

/// Refuses them.
pub(super) fn check_written(statement: &impl Visit) -> Result<()> {
    match statement.visit(&mut Written) {
        ControlFlow::Continue(()) => Ok(()),
        ControlFlow::Break(error) => Err(error),
    }
}

struct Written;

impl Visitor for Written {
    type Break = Error;

    fn pre_visit_query(&mut self, query: &Query) -> ControlFlow<Error> {
        match &*query.body {
            SetExpr::Select(select) => flow(check_order(query, select))?,
            SetExpr::Values(values) => flow(check_windows(values, "VALUES"))?,
            _ => {}
        }
        flow(check_windows(&query.limit_clause, "LIMIT"))
    }

    fn pre_visit_select(&mut self, select: &Select) -> ControlFlow<Error> {
        for join in select.from.iter().flat_map(|item| &item.joins) {
            flow(check_windows(&join.join_operator, "JOIN conditions"))?;
        }
        flow(check_windows(&select.selection, "WHERE"))?;
        flow(check_windows(&select.having, "HAVING"))?;
        flow(check_windows(&select.group_by, "GROUP BY"))
    }

    fn pre_visit_table_factor(&mut self, factor: &TableFactor) -> ControlFlow<Error> {
        let TableFactor::Derived { subquery, alias: None, .. } = factor else { return ControlFlow::Continue(()) };
        let (what, example) = match &*subquery.body {
            SetExpr::Values(_) => ("VALUES", "VALUES"),
            _ => ("subquery", "SELECT"),
        };
        ControlFlow::Break(Error::Statement {
            fault: Fault::Syntax,
            message: format!("{what} in FROM must have an alias"),
            hint: Some(format!("For example, FROM ({example} ...) [AS] foo.")),
        })
    }
}

fn flow(result: Result<()>) -> ControlFlow<Error> {
    match result {
        Ok(()) => ControlFlow::Continue(()),
        Err(error) => ControlFlow::Break(error),
    }
}

/// Refuses a name in ORDER BY that is the name of columns of the list that are not the same.
fn check_order(query: &Query, select: &Select) -> Result<()> {
    let Some(OrderBy { kind: OrderByKind::Expressions(order), .. }) = &query.order_by else { return Ok(()) };
    for ordered in order {
        let Expr::Identifier(key) = &ordered.expr else { continue };
        let name = identifier(key);
        let mut meant = select.projection.iter().filter_map(named).filter(|(own, _)| *own == name);
        let Some((_, first)) = meant.next() else { continue };
        if meant.any(|(_, other)| !are_same(first, other)) {
            let error = Error::new(Fault::AmbiguousColumn, format!("ORDER BY \"{name}\" is ambiguous"));
            return Err(error.at(key.span.start));
        }
    }
    Ok(())
}

/// The name of a column of the list, where it is written, and what it is.
fn named(item: &SelectItem) -> Option<(String, &Expr)> {
    match item {
        SelectItem::ExprWithAlias { expr, alias } => Some((identifier(alias), expr)),
        SelectItem::UnnamedExpr(expr) => Some((column(expr)?, expr)),
        _ => None,
    }
}

/// The column that an expression is, without its table.
fn column(expression: &Expr) -> Option<String> {
    match expression {
        Expr::Identifier(name) => Some(identifier(name)),
        Expr::CompoundIdentifier(parts) => parts.last().map(identifier),
        Expr::Nested(inner) => column(inner),
        _ => None,
    }
}

/// Whether two expressions may be the same: of a column that is written without its table nothing tells here whose it is.
fn are_same(one: &Expr, other: &Expr) -> bool {
    one == other || column(one).is_some_and(|name| column(other) == Some(name))
}

/// Refuses windows in a clause; those of queries within it are theirs.
fn check_windows(clause: &impl Visit, place: &str) -> Result<()> {
    struct Windows {
        within: usize,
    }
    impl Visitor for Windows {
        type Break = Location;

        fn pre_visit_query(&mut self, _query: &Query) -> ControlFlow<Location> {
            self.within += 1;
            ControlFlow::Continue(())
        }

        fn post_visit_query(&mut self, _query: &Query) -> ControlFlow<Location> {
            self.within -= 1;
            ControlFlow::Continue(())
        }

        fn pre_visit_expr(&mut self, expression: &Expr) -> ControlFlow<Location> {
            match expression {
                Expr::Function(call) if self.within == 0 && call.over.is_some() => {
                    ControlFlow::Break(call.name.span().start)
                }
                _ => ControlFlow::Continue(()),
            }
        }
    }
    match clause.visit(&mut Windows { within: 0 }) {
        ControlFlow::Continue(()) => Ok(()),
        ControlFlow::Break(at) => {
            let message = format!("window functions are not allowed in {place}");
            Err(Error::new(Fault::Windowing, message).at(at))
        }
    }
}
