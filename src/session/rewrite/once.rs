//! Items of WITH that are computed once, however often they are read.
//!
//! The planner puts an item's query in each place that reads it: `random()` gave other numbers there, and MATERIALIZED was not
//! heard. The query of such an item gets a name that tells the places of one item from others, and whoever plans it computes
//! it once.

use std::{
    ops::ControlFlow,
    sync::atomic::{AtomicU64, Ordering},
};

use datafusion::sql::{
    parser::Statement as SqlStatement,
    sqlparser::{
        ast::{
            Cte, CteAsMaterialized, Expr, Function, Ident, LimitClause, ObjectName, Query, SetExpr, TableFactor,
            VisitorMut, visit_expressions, visit_relations,
        },
        parser::Parser,
    },
};

use super::{merge::folded, visit};
use crate::{Error, Fault, Result, planning::COMPUTED_ONCE, session::PostgreSql};

/// Functions that yield another value each time.
pub(super) const VOLATILE: &[&str] = &["gen_random_uuid", "random", "uuid"];

/// No two items of the process have the same number: a view may be read beside a query with items of its own.
static NUMBER: AtomicU64 = AtomicU64::new(0);

/// Names the queries of items that are to be computed once.
pub(super) fn rewrite(statement: &mut SqlStatement) -> Result<()> {
    visit(statement, &mut ComputeOnce)
}

struct ComputeOnce;

impl VisitorMut for ComputeOnce {
    type Break = Error;

    fn pre_visit_query(&mut self, query: &mut Query) -> ControlFlow<Error> {
        if let Some(with) = query.with.as_mut().filter(|with| with.recursive) {
            for item in &mut with.cte_tables {
                if let Err(error) = keep_clauses(item) {
                    return ControlFlow::Break(error);
                }
            }
        }
        let read: &Query = query;
        let mut volatile = Vec::new();
        let mut once = Vec::new();
        for item in read.with.iter().flat_map(|with| &with.cte_tables) {
            let is_volatile = is_volatile(&item.query, &volatile);
            once.push(is_computed_once(item, is_volatile, read));
            if is_volatile {
                volatile.push(item);
            }
        }
        let items = query.with.iter_mut().flat_map(|with| &mut with.cte_tables);
        for (item, once) in items.zip(once) {
            if once && let Err(error) = name(&mut item.query) {
                return ControlFlow::Break(error);
            }
        }
        ControlFlow::Continue(())
    }
}

/// Puts a UNION of WITH RECURSIVE into a query of its own if it does not read itself and has an order or a limit: the planner
/// takes each UNION there for a recursion, and leaves them out. A recursion cannot have them.
fn keep_clauses(item: &mut Cte) -> Result<()> {
    let query = item.query.as_ref();
    let clause = match query {
        Query { order_by: Some(_), .. } => "ORDER BY",
        Query { limit_clause: Some(LimitClause::LimitOffset { limit: None, offset: Some(_), .. }), .. } => "OFFSET",
        Query { limit_clause: Some(_), .. } | Query { fetch: Some(_), .. } => "LIMIT",
        Query { with: Some(_), .. } => "WITH",
        _ => return Ok(()),
    };
    if !matches!(query.body.as_ref(), SetExpr::SetOperation { .. }) {
        return Ok(());
    }
    if reads(query, item) > 0 {
        let message = format!("{clause} in a recursive query is not supported; put it into the query that reads it");
        return Err(Error::new(Fault::FeatureNotSupported, message));
    }
    let mut whole = Parser::new(&PostgreSql).try_with_sql("SELECT 1")?.parse_query()?;
    std::mem::swap(&mut whole, &mut item.query);
    *item.query.body = SetExpr::Query(whole);
    Ok(())
}

/// Whether an item is read more than once, and says or needs that it is computed once.
fn is_computed_once(item: &Cte, is_volatile: bool, query: &Query) -> bool {
    let asked = is_volatile || item.materialized == Some(CteAsMaterialized::Materialized);
    // One that reads itself works on a table of its own.
    asked && reads(query, item) > 1 && reads(&item.query, item) == 0
}

/// How often a query reads an item. Another of the same name counts too.
fn reads(query: &Query, item: &Cte) -> usize {
    let own = folded(&item.alias.name);
    let mut count = 0;
    let _ = visit_relations(query, |name: &ObjectName| {
        if let [part] = name.0.as_slice() {
            count += usize::from(part.as_ident().is_some_and(|ident| folded(ident) == own));
        }
        ControlFlow::<()>::Continue(())
    });
    count
}

/// Whether a query has other rows each time, by itself or because it reads one of these items.
fn is_volatile(query: &Query, volatile: &[&Cte]) -> bool {
    if volatile.iter().any(|item| reads(query, item) > 0) {
        return true;
    }
    let found = visit_expressions(query, |part| match part {
        Expr::Function(Function { name, .. }) if VOLATILE.contains(&name.to_string().to_lowercase().as_str()) => {
            ControlFlow::Break(())
        }
        _ => ControlFlow::Continue(()),
    });
    found.is_break()
}

/// `SELECT * FROM (query) AS "…"`.
fn name(query: &mut Box<Query>) -> Result<()> {
    let number = NUMBER.fetch_add(1, Ordering::Relaxed);
    let text = format!("SELECT * FROM (SELECT 1) AS {}", Ident::with_quote('"', format!("{COMPUTED_ONCE}{number}")));
    let mut named = Parser::new(&PostgreSql).try_with_sql(&text)?.parse_query()?;
    if let SetExpr::Select(select) = named.body.as_mut()
        && let Some(from) = select.from.first_mut()
        && let TableFactor::Derived { subquery, .. } = &mut from.relation
    {
        std::mem::swap(subquery, query);
        *query = named;
    }
    Ok(())
}
