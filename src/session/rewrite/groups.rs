//! GROUP BY and DISTINCT ON: rows in them, and positions of columns.
//!
//! `GROUP BY (a, b)` groups by a and b, and `GROUP BY ()` is one group. `ROLLUP (1, 2)` groups by the first two columns of the
//! result: the planner knows positions that stand alone in GROUP BY, and takes others for constants. Where a column stands in
//! several elements, as in `ROLLUP (a, a)` and `GROUP BY a, CUBE (a, b)`, and where several are one, as in `ROLLUP ((a, b), c)`,
//! the sets are written out.

use std::ops::ControlFlow;

use datafusion::sql::sqlparser::ast::{
    Distinct, Expr, GroupByExpr, Ident, OrderBy, OrderByExpr, OrderByKind, OrderByOptions, Query, Select, SelectItem,
    SetExpr, Value, visit_expressions, visit_expressions_mut,
};

use super::{
    columns::shown_by_name,
    merge::{folded, is_wildcard},
    rows::row,
};
use crate::{Error, Fault, Result, session::dialect::DISTINCT_GROUPS};

/// As in PostgreSQL.
const MAX_SETS: usize = 4096;

/// Writes the columns for rows and positions.
pub(super) fn rewrite(select: &mut Select) -> Result<()> {
    if let Some(Distinct::On(expressions)) = &mut select.distinct {
        each_once(expressions, &select.projection)?;
    }
    let only = matches!(select.from.as_slice(), [item] if item.joins.is_empty());
    let is_total = select.having.is_some() && !calls(select);
    let GroupByExpr::Expressions(expressions, _) = &mut select.group_by else { return Ok(()) };
    if expressions.is_empty() {
        // HAVING makes one group of all rows, also where nothing is aggregated.
        if is_total {
            expressions.push(Expr::GroupingSets(vec![Vec::new()]));
        }
        return Ok(());
    }
    let are_distinct = take_distinct(expressions);
    *expressions = flattened(std::mem::take(expressions));
    if expressions.is_empty() {
        expressions.push(Expr::GroupingSets(vec![Vec::new()]));
    }
    if expressions.iter().any(has_several) {
        // The planner knows those that stand alone, but not when the sets are written out.
        positions(expressions.iter_mut(), &select.projection);
        check_positions(expressions.iter(), &select.projection, "GROUP BY")?;
    }
    let (mut has_sets, mut has_rows) = (false, false);
    for expression in expressions.iter_mut() {
        if let Expr::GroupingSets(sets) = expression
            && sets.iter().any(|set| matches!(set.as_slice(), [element] if has_several(element)))
        {
            *sets = sets_within(sets)?;
        }
        if let Expr::Rollup(sets) | Expr::Cube(sets) | Expr::GroupingSets(sets) = expression {
            positions(sets.iter_mut().flatten(), &select.projection);
            check_positions(sets.iter().flatten(), &select.projection, "GROUP BY")?;
            if only {
                sets.iter_mut().flatten().for_each(without_table);
            }
            has_sets = true;
        }
        if let Expr::Rollup(lists) | Expr::Cube(lists) = expression {
            has_rows |= lists.iter().any(|list| list.len() != 1);
        }
    }
    if has_sets && (has_rows || are_distinct || names_one_twice(expressions)) {
        let mut sets = written_out(expressions)?;
        if are_distinct {
            sets = each_set_once(sets, &select.projection)?;
        }
        *expressions = vec![Expr::GroupingSets(sets)];
    }
    Ok(())
}

/// Whether these are the elements of `GROUP BY DISTINCT`, whose first one begins with it.
fn take_distinct(expressions: &mut [Expr]) -> bool {
    let Some(first) = expressions.first_mut() else { return false };
    let Expr::Prefixed { prefix, value } = first else { return false };
    let is_distinct = prefix.value == DISTINCT_GROUPS;
    if is_distinct {
        let element = value.as_ref().clone();
        *first = element;
    }
    is_distinct
}

/// The sets, of which one in another order is the same. Whether two names are one column is not known here.
fn each_set_once(sets: Vec<Vec<Expr>>, projection: &[SelectItem]) -> Result<Vec<Vec<Expr>>> {
    let mut known: Vec<[Vec<Expr>; 2]> = Vec::new();
    let mut once = Vec::new();
    for set in sets {
        let surely: Vec<Expr> = set.iter().map(|column| by_names(column, true)).collect();
        let perhaps = set.iter().map(|column| {
            let shown = shown_by_name(column, projection);
            by_names(shown.as_ref().unwrap_or(column), false)
        });
        let perhaps: Vec<Expr> = perhaps.collect();
        if known.iter().any(|[other, _]| are_same(other, &surely)) {
            continue;
        }
        if known.iter().any(|[_, other]| are_same(other, &perhaps)) {
            let message = "GROUP BY DISTINCT over sets that name a column in two ways is not supported; name it in one";
            return Err(Error::new(Fault::FeatureNotSupported, message));
        }
        known.push([surely, perhaps]);
        once.push(set);
    }
    Ok(once)
}

fn are_same(one: &[Expr], other: &[Expr]) -> bool {
    one.len() == other.len() && one.iter().all(|column| other.contains(column))
}

/// The expression with its names as they are stored, with their tables or without.
fn by_names(expression: &Expr, with_tables: bool) -> Expr {
    let mut expression = expression.clone();
    let _ = visit_expressions_mut(&mut expression, |part| {
        match part {
            Expr::Identifier(name) => *name = stored(name),
            Expr::CompoundIdentifier(names) if with_tables => names.iter_mut().for_each(|name| *name = stored(name)),
            Expr::CompoundIdentifier(names) => {
                if let Some(own) = names.last().map(stored) {
                    *part = Expr::Identifier(own);
                }
            }
            _ => {}
        }
        ControlFlow::<()>::Continue(())
    });
    expression
}

/// Writes out sets in which a column stands twice, now that names are known: a column that tables are joined by has two.
pub(super) fn each_column_once(select: &mut Select) -> Result<()> {
    let GroupByExpr::Expressions(expressions, _) = &mut select.group_by else { return Ok(()) };
    let mut has_sets = false;
    for expression in expressions.iter_mut() {
        match expression {
            Expr::Rollup(sets) | Expr::Cube(sets) | Expr::GroupingSets(sets) => {
                sets.iter_mut().flatten().for_each(as_stored);
                has_sets = true;
            }
            other => as_stored(other),
        }
    }
    if has_sets && names_one_twice(expressions) {
        *expressions = vec![Expr::GroupingSets(written_out(expressions)?)];
    }
    Ok(())
}

/// A column by its name as it is stored, however it was written.
fn as_stored(column: &mut Expr) {
    if let Expr::CompoundIdentifier(parts) = column {
        for part in parts {
            *part = stored(part);
        }
    }
}

fn stored(name: &Ident) -> Ident {
    Ident::with_quote('"', folded(name))
}

/// The expressions of DISTINCT ON in the order that ORDER BY has them in, which the planner wants.
pub(super) fn in_order(query: &mut Query) -> Result<()> {
    let SetExpr::Select(select) = query.body.as_mut() else { return Ok(()) };
    let Some(OrderBy { kind: OrderByKind::Expressions(order), .. }) = &mut query.order_by else { return Ok(()) };
    if let Some(Distinct::On(expressions)) = &mut select.distinct {
        each_once(expressions, &select.projection)?;
        // Of rows that are equal in all that is ordered by, those that DISTINCT ON tells apart come together.
        let ordered: Vec<Expr> = order.iter().map(|ordered| meant(&ordered.expr, &select.projection)).collect();
        let on: Vec<Expr> = expressions.iter().map(|on| meant(on, &select.projection)).collect();
        if ordered.iter().all(|ordered| on.contains(ordered)) {
            let missing = expressions.iter().zip(&on).filter(|(_, on)| !ordered.contains(on)).map(|(on, _)| on);
            let keys = missing.map(|on| OrderByExpr {
                expr: on.clone(),
                options: OrderByOptions { asc: None, nulls_first: None },
                with_fill: None,
            });
            let keys: Vec<_> = keys.collect();
            order.extend(keys);
        }
        let place = |on: &Expr| {
            let on = meant(on, &select.projection);
            ordered.iter().position(|ordered| *ordered == on)
        };
        expressions.sort_by_key(|on| place(on).unwrap_or(usize::MAX));
    }
    Ok(())
}

/// The expressions of DISTINCT ON, those of rows and at positions too, each once.
fn each_once(expressions: &mut Vec<Expr>, projection: &[SelectItem]) -> Result<()> {
    *expressions = flattened(std::mem::take(expressions));
    positions(expressions.iter_mut(), projection);
    check_positions(expressions.iter(), projection, "DISTINCT ON")?;
    let mut seen = Vec::new();
    expressions.retain(|on| {
        let meant = meant(on, projection);
        let is_new = !seen.contains(&meant);
        if is_new {
            seen.push(meant);
        }
        is_new
    });
    Ok(())
}

/// The expression of the column of the result that is named or whose position is given, or the expression itself.
fn meant(expression: &Expr, projection: &[SelectItem]) -> Expr {
    let shown = at_position(expression, projection).or_else(|| shown_by_name(expression, projection));
    shown.unwrap_or_else(|| expression.clone())
}

/// Whether the list or HAVING calls a function, which may be an aggregate.
fn calls(select: &Select) -> bool {
    let shown = select.projection.iter().filter_map(|item| match item {
        SelectItem::UnnamedExpr(expression) | SelectItem::ExprWithAlias { expr: expression, .. } => Some(expression),
        _ => None,
    });
    shown.chain(&select.having).any(|expression| {
        visit_expressions(expression, |part| match part {
            Expr::Function(_) => ControlFlow::Break(()),
            _ => ControlFlow::Continue(()),
        })
        .is_break()
    })
}

/// Whether a column stands in two elements, or twice in one set.
fn names_one_twice(expressions: &[Expr]) -> bool {
    let mut seen: Vec<&Expr> = Vec::new();
    for expression in expressions {
        let own: Vec<&Expr> = match expression {
            // One column may stand in several sets.
            Expr::GroupingSets(sets) => {
                if sets.iter().any(|set| distinct(set).len() < set.len()) {
                    return true;
                }
                distinct(sets.iter().flatten())
            }
            Expr::Rollup(sets) | Expr::Cube(sets) => sets.iter().flatten().collect(),
            other => vec![other],
        };
        for column in own {
            if seen.contains(&column) {
                return true;
            }
            seen.push(column);
        }
    }
    false
}

fn distinct<'a>(columns: impl IntoIterator<Item = &'a Expr>) -> Vec<&'a Expr> {
    columns.into_iter().fold(Vec::new(), |mut distinct, column| {
        if !distinct.contains(&column) {
            distinct.push(column);
        }
        distinct
    })
}

/// The sets that the elements of a GROUP BY make together, each column once.
fn written_out(expressions: &[Expr]) -> Result<Vec<Vec<Expr>>> {
    let mut together: Vec<Vec<Expr>> = vec![Vec::new()];
    for expression in expressions {
        let own = sets(expression)?;
        if own.len() * together.len() > MAX_SETS {
            return Err(too_many());
        }
        together = together
            .iter()
            .flat_map(|before| own.iter().map(|set| distinct(before.iter().chain(set)).into_iter().cloned().collect()))
            .collect();
    }
    Ok(together)
}

fn sets(expression: &Expr) -> Result<Vec<Vec<Expr>>> {
    Ok(match expression {
        Expr::GroupingSets(sets) => sets.clone(),
        Expr::Rollup(lists) => (0..=lists.len()).rev().map(|end| lists[..end].concat()).collect(),
        Expr::Cube(lists) if lists.len() > MAX_SETS.ilog2() as usize => return Err(too_many()),
        Expr::Cube(lists) => {
            let chosen = |bits: usize| lists.iter().enumerate().filter(move |(at, _)| bits & (1 << at) != 0);
            (0..1 << lists.len()).map(|bits| chosen(bits).flat_map(|(_, list)| list.clone()).collect()).collect()
        }
        other => vec![vec![other.clone()]],
    })
}

/// The sets of GROUPING SETS, of which some may be elements that have several.
fn sets_within(written: &[Vec<Expr>]) -> Result<Vec<Vec<Expr>>> {
    let mut all = Vec::new();
    for set in written {
        match set.as_slice() {
            [Expr::GroupingSets(inner)] => all.extend(sets_within(inner)?),
            [element] if has_several(element) => all.extend(sets(element)?),
            _ => all.push(set.clone()),
        }
        if all.len() > MAX_SETS {
            return Err(too_many());
        }
    }
    Ok(all)
}

/// Whether an element has sets, as `ROLLUP (a, b)` does; it may stand within GROUPING SETS.
fn has_several(element: &Expr) -> bool {
    matches!(element, Expr::Rollup(_) | Expr::Cube(_) | Expr::GroupingSets(_))
}

fn too_many() -> Error {
    Error::new(Fault::LimitExceeded, format!("too many grouping sets present (maximum {MAX_SETS})"))
}

fn flattened(expressions: Vec<Expr>) -> Vec<Expr> {
    expressions.into_iter().flat_map(|expression| row(&expression).unwrap_or_else(|| vec![expression])).collect()
}

fn positions<'a>(expressions: impl Iterator<Item = &'a mut Expr>, projection: &[SelectItem]) {
    for expression in expressions {
        if let Some(meant) = at_position(expression, projection) {
            *expression = meant;
        }
    }
}

/// Refuses positions that are none of the list.
fn check_positions<'a>(
    expressions: impl Iterator<Item = &'a Expr>,
    projection: &[SelectItem],
    clause: &str,
) -> Result<()> {
    let mut wrong = expressions.filter_map(position);
    match wrong.next() {
        Some(position) if !projection.iter().any(is_wildcard) => {
            let message = format!("{clause} position {position} is not in select list");
            Err(Error::new(Fault::InvalidColumnReference, message))
        }
        _ => Ok(()),
    }
}

/// A column of the only table, which may be named with it.
fn without_table(column: &mut Expr) {
    if let Expr::CompoundIdentifier(parts) = column
        && let [_, own] = parts.as_slice()
    {
        *column = Expr::Identifier(own.clone());
    }
}

/// The position that a number is.
pub(super) fn position(expression: &Expr) -> Option<usize> {
    let Expr::Value(value) = expression else { return None };
    let Value::Number(number, _) = &value.value else { return None };
    number.parse().ok()
}

/// The expression at a position of the list; none where `*` stands before it.
fn at_position(expression: &Expr, projection: &[SelectItem]) -> Option<Expr> {
    let position = position(expression)?;
    let known = projection.iter().take_while(|item| !is_wildcard(item));
    match known.take(position).nth(position.checked_sub(1)?)? {
        SelectItem::UnnamedExpr(expression) | SelectItem::ExprWithAlias { expr: expression, .. } => {
            // A number that stands there is no position.
            let is_number = self::position(expression).is_some();
            Some(if is_number { Expr::Nested(Box::new(expression.clone())) } else { expression.clone() })
        }
        _ => None,
    }
}
