//! One smaller query after another: each cut that can be made in a tree, by its number. Whether a cut leaves a valid
//! query is for the oracle to say.

use super::tree::{Body, Declared, Expr, FromItem, Grouping, Item, Kind, Literal, On, Part, Query, Select};

/// Counts the places where something can be cut, and cuts at one of them.
struct Knife {
    left: usize,
    is_used: bool,
}

impl Knife {
    fn cuts(&mut self) -> bool {
        if self.is_used {
            return false;
        }
        self.is_used = self.left == 0;
        self.left = self.left.saturating_sub(1);
        self.is_used
    }
}

/// The query with its cut of this number made; None when there are fewer.
pub(crate) fn cut(query: &Query, number: usize) -> Option<Query> {
    let mut knife = Knife { left: number, is_used: false };
    let mut inner = Vec::new();
    nested(query, &mut inner);
    for inner in inner {
        if knife.cuts() {
            return Some(inner);
        }
    }
    let mut smaller = query.clone();
    in_query(&mut smaller, &mut knife);
    knife.is_used.then_some(smaller)
}

/// Every query inside this one, the outer ones first.
fn nested(query: &Query, found: &mut Vec<Query>) {
    let mut add = |query: &Query| {
        found.push(query.clone());
        nested(query, found);
    };
    match &query.body {
        Body::Set { left, right, .. } => {
            add(left);
            add(right);
        }
        Body::Select(select) => {
            let mut froms: Vec<&FromItem> = select.from.iter().collect();
            while let Some(from) = froms.pop() {
                match from {
                    FromItem::Derived { query, .. } => add(query),
                    FromItem::Join { left, right, .. } => froms.extend([&**left, &**right]),
                    _ => {}
                }
            }
        }
        Body::Values(_) => {}
    }
    for cte in &query.with {
        add(&cte.query);
    }
}

fn in_query(query: &mut Query, knife: &mut Knife) {
    for index in 0..query.with.len() {
        if knife.cuts() {
            query.with.remove(index);
            return;
        }
    }
    let is_ordered = !query.order.is_empty() || query.limit.is_some() || query.offset.is_some();
    if is_ordered && !is_distinct_on(query) && knife.cuts() {
        (query.order, query.limit, query.offset) = (Vec::new(), None, None);
        return;
    }
    if query.offset.is_some() && knife.cuts() {
        query.offset = None;
        return;
    }
    if query.limit.is_some() && query.offset.is_none() && !is_distinct_on(query) && knife.cuts() {
        query.limit = None;
        return;
    }
    if !query.more_order.is_empty() && knife.cuts() {
        query.more_order.clear();
        return;
    }
    let width = query.kinds().len();
    for column in 0..width {
        if width > 1 && knife.cuts() {
            drop_column(query, column);
            return;
        }
    }
    for index in 0..query.with.len() {
        let width = query.with[index].query.kinds().len();
        for column in 0..width {
            if width > 1 && knife.cuts() {
                drop_column(&mut query.with[index].query, column);
                query.with[index].columns.remove(column);
                return;
            }
        }
    }
    match &mut query.body {
        Body::Set { left, right, .. } => {
            for side in [left, right] {
                if let Body::Set { left: inner, .. } = &side.body
                    && knife.cuts()
                {
                    *side = inner.clone();
                    return;
                }
                in_query(side, knife);
            }
        }
        Body::Values(rows) => {
            for index in 0..rows.len() {
                if rows.len() > 1 && knife.cuts() {
                    rows.remove(index);
                    return;
                }
            }
        }
        Body::Select(select) => in_select(select, knife),
    }
    for cte in &mut query.with {
        in_query(&mut cte.query, knife);
    }
    query.more_order.iter_mut().for_each(|expr| in_expr(expr, knife));
}

fn is_distinct_on(query: &Query) -> bool {
    matches!(&query.body, Body::Select(select) if !select.distinct_on.is_empty())
}

fn drop_column(query: &mut Query, column: usize) {
    match &mut query.body {
        Body::Select(select) if select.items.iter().all(|item| matches!(item, Item::One { .. })) => {
            if column < select.items.len() {
                select.items.remove(column);
            }
        }
        Body::Select(_) => return,
        Body::Set { left, right, .. } => {
            drop_column(left, column);
            drop_column(right, column);
        }
        Body::Values(rows) => rows.iter_mut().for_each(|row| drop(row.remove(column))),
    }
    query.order.retain(|(ordered, _)| *ordered != column);
    for (ordered, _) in &mut query.order {
        *ordered -= usize::from(*ordered > column);
    }
}

fn in_select(select: &mut Select, knife: &mut Knife) {
    if let Some(from) = &mut select.from {
        in_from(from, knife);
    }
    if select.filter.is_some() && knife.cuts() {
        select.filter = None;
        return;
    }
    if select.having.is_some() && knife.cuts() {
        select.having = None;
        return;
    }
    if select.distinct && knife.cuts() {
        select.distinct = false;
        return;
    }
    if !matches!(select.grouping, Grouping::Plain) && knife.cuts() {
        select.grouping = Grouping::Plain;
        return;
    }
    for index in 0..select.keys.len() {
        if matches!(select.grouping, Grouping::Plain) && knife.cuts() {
            select.keys.remove(index);
            return;
        }
    }
    if let Grouping::Sets(sets) = &mut select.grouping {
        for index in 0..sets.len() {
            if sets.len() > 1 && knife.cuts() {
                sets.remove(index);
                return;
            }
        }
    }
    if let [Item::Star { kinds, .. }] = select.items.as_slice()
        && !kinds.is_empty()
        && knife.cuts()
    {
        let expr = Expr::Parts(Kind::Int, vec![Part::from("COUNT(*)")]);
        select.items = vec![Item::One { expr, name: None }];
        return;
    }
    let exprs = select.items.iter_mut().filter_map(|item| match item {
        Item::One { expr, .. } => Some(expr),
        Item::Star { .. } => None,
    });
    for expr in exprs.chain(&mut select.filter).chain(&mut select.having) {
        in_expr(expr, knife);
    }
}

fn in_from(from: &mut FromItem, knife: &mut Knife) {
    match from {
        FromItem::Join { left, right, word, on } => {
            if knife.cuts() {
                *from = (**left).clone();
                return;
            }
            if knife.cuts() {
                *from = (**right).clone();
                return;
            }
            if !matches!(*word, "JOIN" | "," | "CROSS JOIN") && !word.starts_with("NATURAL") && knife.cuts() {
                *word = "JOIN";
                return;
            }
            match on {
                On::Condition(condition) => in_expr(condition, knife),
                On::Using(columns) => {
                    for index in 0..columns.len() {
                        if columns.len() > 1 && knife.cuts() {
                            columns.remove(index);
                            return;
                        }
                    }
                }
                On::Nothing => {}
            }
            in_from(left, knife);
            in_from(right, knife);
        }
        FromItem::Derived { query, columns, lateral, .. } => {
            for column in 0..columns.len() {
                if columns.len() > 1 && knife.cuts() {
                    drop_column(query, column);
                    columns.remove(column);
                    return;
                }
            }
            if *lateral && knife.cuts() {
                *lateral = false;
                return;
            }
            in_query(query, knife);
        }
        FromItem::Table { .. } | FromItem::Call { .. } => {}
    }
}

fn in_expr(expr: &mut Expr, knife: &mut Knife) {
    let kind = expr.kind();
    let Expr::Parts(_, parts) = expr else { return };
    let is_column = matches!(parts.as_slice(), [Part::Text(_)]);
    if is_column {
        return;
    }
    let mut children = Vec::new();
    same_kind(parts, kind, &mut children);
    for child in children {
        if knife.cuts() {
            *expr = child;
            return;
        }
    }
    if knife.cuts() {
        *expr = constant(kind);
        return;
    }
    in_parts(parts, knife);
}

fn in_parts(parts: &mut [Part], knife: &mut Knife) {
    for part in parts {
        match part {
            Part::Text(_) => {}
            Part::Expr(expr) => in_expr(expr, knife),
            Part::Query(query) => in_query(query, knife),
            Part::List(list) => {
                for index in 0..list.len() {
                    if list.len() > 1 && knife.cuts() {
                        list.remove(index);
                        return;
                    }
                }
                list.iter_mut().for_each(|expr| in_expr(expr, knife));
            }
            Part::Optional(inner) => {
                if !inner.is_empty() && knife.cuts() {
                    inner.clear();
                    return;
                }
                in_parts(inner, knife);
            }
        }
    }
}

/// The expressions right inside that could stand in its place.
fn same_kind(parts: &[Part], kind: Kind, found: &mut Vec<Expr>) {
    for part in parts {
        match part {
            Part::Expr(expr) if expr.kind() == kind => found.push((**expr).clone()),
            Part::Expr(expr) => {
                if let Expr::Parts(_, parts) = &**expr {
                    same_kind(parts, kind, found);
                }
            }
            Part::List(list) => found.extend(list.iter().filter(|expr| expr.kind() == kind).cloned()),
            Part::Optional(parts) => same_kind(parts, kind, found),
            Part::Text(_) | Part::Query(_) => {}
        }
    }
}

fn constant(kind: Kind) -> Expr {
    let value = match kind {
        Kind::Int => "1",
        Kind::Text => "a",
        Kind::Bool => "true",
        Kind::Float => "0.5",
        Kind::Numeric => "1.50",
        Kind::Date => "2024-01-01",
        Kind::Timestamp => "2024-01-01 00:30:00",
    };
    Expr::Literal(Literal {
        kind,
        value: Some(value.to_owned()),
        bare: false,
        parameter: false,
        declared: Declared::Inferred,
    })
}
