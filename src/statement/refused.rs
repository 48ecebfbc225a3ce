//! What PostgreSQL refuses as it is written, and the planner does not: subqueries in FROM without a name, names in ORDER BY that
//! stand for two columns of the list, windows where there are no rows yet for them, INTO behind the first SELECT, and words
//! of others that would mean something else: `GLOBAL JOIN`, `XOR` of conditions and `UNION BY NAME`.

use std::ops::ControlFlow;

use datafusion::sql::sqlparser::{
    ast::{
        BinaryOperator, Expr, Join, OrderBy, OrderByKind, Query, Select, SelectItem, SetExpr, SetQuantifier, Spanned,
        TableFactor, Visit, Visitor,
    },
    tokenizer::Location,
};

use super::names::identifier;
use crate::{Error, Fault, Result};

/// Refuses them.
pub(super) fn check_written(statement: &impl Visit) -> Result<()> {
    match statement.visit(&mut Written { within: 0 }) {
        ControlFlow::Continue(()) => Ok(()),
        ControlFlow::Break(error) => Err(error),
    }
}

struct Written {
    /// How many queries it is within.
    within: usize,
}

impl Visitor for Written {
    type Break = Error;

    fn pre_visit_query(&mut self, query: &Query) -> ControlFlow<Error> {
        match &*query.body {
            SetExpr::Select(select) => flow(check_order(query, select))?,
            SetExpr::Values(values) => flow(check_windows(values, "VALUES"))?,
            set @ SetExpr::SetOperation { .. } => flow(check_sets(set))?,
            _ => {}
        }
        flow(check_into(&query.body, (self.within > 0).then_some("SELECT ... INTO is not allowed here")))?;
        self.within += 1;
        flow(check_windows(&query.limit_clause, "LIMIT"))
    }

    fn post_visit_query(&mut self, _query: &Query) -> ControlFlow<Error> {
        self.within -= 1;
        ControlFlow::Continue(())
    }

    fn pre_visit_select(&mut self, select: &Select) -> ControlFlow<Error> {
        for join in select.from.iter().flat_map(|item| &item.joins) {
            flow(check_global(join))?;
            flow(check_windows(&join.join_operator, "JOIN conditions"))?;
        }
        flow(check_windows(&select.selection, "WHERE"))?;
        flow(check_windows(&select.having, "HAVING"))?;
        flow(check_windows(&select.group_by, "GROUP BY"))
    }

    fn pre_visit_table_factor(&mut self, factor: &TableFactor) -> ControlFlow<Error> {
        if let TableFactor::NestedJoin { table_with_joins, .. } = factor {
            return table_with_joins.joins.iter().try_for_each(|join| flow(check_global(join)));
        }
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

    fn pre_visit_expr(&mut self, expression: &Expr) -> ControlFlow<Error> {
        match expression {
            Expr::BinaryOp { op: BinaryOperator::Xor, .. } => {
                ControlFlow::Break(no_word("XOR", "conditions are compared by <>, and # is of bits"))
            }
            _ => ControlFlow::Continue(()),
        }
    }
}

/// Refuses what the parser takes for a word of another system, and the planner leaves out.
fn check_global(join: &Join) -> Result<()> {
    if join.global { Err(no_word("GLOBAL", "as an alias it is written \"global\"")) } else { Ok(()) }
}

/// Refuses set operations by the names of columns, which go together by their places; those of queries within are theirs.
fn check_sets(set: &SetExpr) -> Result<()> {
    use SetQuantifier::{AllByName, ByName, DistinctByName};
    let mut rest = vec![set];
    while let Some(set) = rest.pop() {
        let SetExpr::SetOperation { set_quantifier, left, right, .. } = set else { continue };
        if matches!(set_quantifier, AllByName | ByName | DistinctByName) {
            return Err(no_word("BY", "the columns of set operations go together by their places, not by their names"));
        }
        rest.extend([left.as_ref(), right.as_ref()]);
    }
    Ok(())
}

fn no_word(word: &str, hint: &str) -> Error {
    let message = format!("syntax error at or near \"{word}\"");
    Error::Statement { fault: Fault::Syntax, message, hint: Some(hint.to_owned()) }
}

fn flow(result: Result<()>) -> ControlFlow<Error> {
    match result {
        Ok(()) => ControlFlow::Continue(()),
        Err(error) => ControlFlow::Break(error),
    }
}

/// Refuses INTO in all SELECTs of a query but the first, and there for this reason.
fn check_into(mut body: &SetExpr, reason: Option<&str>) -> Result<()> {
    while let SetExpr::SetOperation { left, right, .. } = body {
        check_into(right, Some("INTO is only allowed on first SELECT of UNION/INTERSECT/EXCEPT"))?;
        body = left;
    }
    if let SetExpr::Select(select) = body
        && let (Some(into), Some(reason)) = (&select.into, reason)
    {
        return Err(Error::new(Fault::Syntax, reason).at(into.name.span().start));
    }
    Ok(())
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
