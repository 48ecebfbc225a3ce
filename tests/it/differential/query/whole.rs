//! Whole queries: SELECT, sets, WITH, recursion, DISTINCT ON, and the order and the part of the outermost one.

use super::{Generator, Readable, Relation, Scope};
use crate::differential::{
    schema::Column,
    tree::{Body, Cte, Expr, FromItem, Item, Kind, On, Query, Select, form},
};

const SETS: &[&str] = &["UNION", "UNION ALL", "UNION ALL", "INTERSECT", "INTERSECT ALL", "EXCEPT", "EXCEPT ALL"];

impl Generator {
    /// A query of its own.
    pub(crate) fn whole(&mut self) -> Query {
        let with = match self.random.weighted(&[78, 15, 4, 3]) {
            1 => self.with_items(),
            2 => vec![self.recursive_item()],
            3 => self.mixed_items(),
            _ => Vec::new(),
        };
        // The word may stand where nothing reads itself.
        let recursive = with.iter().any(|cte| cte.name.starts_with('r')) || self.random.chance(10);
        let count = self.random.between(1, 5) as usize;
        let kinds: Vec<Kind> = (0..count).map(|_| self.kind()).collect();
        let mut query = match self.random.weighted(&[30, 6, 20, 15, 15, 5, 4, 25, 10, 6, 3]) {
            0 => self.selected(&kinds, None, false),
            9 => self.summary(&kinds),
            10 => self.distinct_on_all(&kinds),
            7 => self.classic(kinds.len()),
            8 => self.paged(&kinds),
            1 => self.starred(),
            2 => self.grouped(&kinds, None),
            3 => self.windowed(&kinds, None),
            4 => self.set(&kinds, None, 2),
            5 => self.distinct_on(&kinds, None),
            _ => self.set_returning(&kinds),
        };
        self.ctes.clear();
        query.with = with;
        query.recursive = recursive;
        self.finish(&mut query);
        query
    }

    /// The order and the limit of the outermost query.
    fn finish(&mut self, query: &mut Query) {
        let count = query.kinds().len();
        if !query.order.is_empty() || count == 0 {
            return;
        }
        match self.random.weighted(&[45, 25, 15, 15]) {
            1 => {
                query.order = (0..count).map(|column| (column, self.direction())).collect();
                query.limit = Some(self.random.pick(&[0, 1, 2, 3, 5, 10]));
                query.offset = self.random.chance(35).then(|| self.random.pick(&[0, 1, 2, 4]));
            }
            2 => query.order = vec![(self.random.below(count), self.direction())],
            3 => {
                let mut columns: Vec<usize> = (0..count).collect();
                self.random.shuffle(&mut columns);
                columns.truncate(2);
                query.order = columns.into_iter().map(|column| (column, self.direction())).collect();
            }
            _ => {}
        }
    }

    /// A query with columns of these kinds, for a place inside another one.
    pub(crate) fn query_of(&mut self, kinds: &[Kind], outer: Option<&Scope<'_>>) -> Query {
        let mut query = match self.random.weighted(&[58, 16, 8, 9, 3, 3, 3]) {
            0 => self.selected(kinds, outer, true),
            1 => self.grouped(kinds, outer),
            2 => self.windowed(kinds, outer),
            3 => self.set(kinds, outer, 1),
            4 => self.values_query(kinds),
            5 => self.distinct_on(kinds, outer),
            _ => {
                let with = vec![self.with_item()];
                let mut query = self.selected(kinds, outer, true);
                self.ctes.pop();
                query.with = with;
                query
            }
        };
        // One that is ordered already, by DISTINCT ON, is ordered by all columns.
        let percent = if query.order.is_empty() { 12 } else { 30 };
        if self.random.chance(percent) {
            self.part(&mut query, kinds.len());
        }
        query
    }

    /// An order of all columns, and the rows that are somewhere in it.
    fn part(&mut self, query: &mut Query, columns: usize) {
        query.order = (0..columns).map(|column| (column, self.direction())).collect();
        let limit = self.random.pick(&[1, 2, 3]);
        let offset = self.random.pick(&[1, 1, 2, 4]);
        (query.limit, query.offset) = match self.random.weighted(&[50, 25, 20, 5]) {
            0 => (Some(limit), None),
            1 => (Some(limit), Some(offset)),
            2 => (None, Some(offset)),
            _ => (None, None),
        };
    }

    /// Rows of which one order decides which there are, and another which of them are shown.
    fn paged(&mut self, kinds: &[Kind]) -> Query {
        let mut below = self.query_of(kinds, None);
        self.part(&mut below, kinds.len());
        let sources = self.named(below, kinds.to_vec(), false);
        let scope = Scope { relations: sources.relations, outer: None };
        let filter = self.filter(&scope, 15);
        self.positions = 1;
        let items = kinds.iter().map(|kind| {
            let expr = match self.random.chance(15) {
                true => self.window(*kind, &scope),
                false => self.value(*kind, &scope, true, 0),
            };
            Item::One { expr, name: None }
        });
        let items = items.collect();
        let mut query = Query::select(Select { items, from: Some(sources.from), filter, ..Select::default() });
        if self.random.chance(80) {
            self.part(&mut query, kinds.len());
        }
        query
    }

    pub(crate) fn filter(&mut self, scope: &Scope<'_>, percent: usize) -> Option<Expr> {
        let mut conditions = Vec::new();
        if scope.outer.is_some() && self.random.chance(65) {
            conditions.extend(self.correlation(scope));
        }
        if self.random.chance(percent) {
            let depth = self.random.pick(&[0, 1, 1, 2, 2, 3]);
            conditions.push(self.predicate(scope, depth));
        }
        self.all_of(conditions)
    }

    fn selected(&mut self, kinds: &[Kind], outer: Option<&Scope<'_>>, small: bool) -> Query {
        let count = self.source_count(outer);
        let sources = self.sources(count, outer);
        let scope = Scope { relations: sources.relations, outer };
        let filter = self.filter(&scope, 70);
        let items = kinds.iter().map(|kind| {
            let depth = self.random.pick(&[0, 0, 1, 2]);
            Item::One { expr: self.value(*kind, &scope, small, depth), name: None }
        });
        let mut items: Vec<Item> = items.collect();
        let distinct = self.random.chance(12);
        if outer.is_none() && self.random.chance(20) {
            self.rename(&mut items, kinds);
        }
        let more_order = match outer.is_none() && !distinct && self.random.chance(8) {
            true => {
                // A name inside an expression is a column's, never the alias of what is selected.
                let column = match self.random.chance(50) {
                    true => self.own_column(&Kind::ALL, &scope),
                    false => Some(self.integer(&scope, 0)),
                };
                let subquery =
                    if self.may_nest(&scope) { Some(self.scalar_subquery(Kind::Int, &scope, true)) } else { None };
                column.into_iter().chain(subquery).collect()
            }
            false => Vec::new(),
        };
        let select = Select { distinct, items, from: Some(sources.from), filter, ..Select::default() };
        let mut query = Query::select(select);
        query.more_order = more_order;
        query
    }

    /// Gives what is selected the names of columns.
    fn rename(&mut self, items: &mut [Item], kinds: &[Kind]) {
        let names = self.column_names(kinds);
        for (item, column) in items.iter_mut().zip(names) {
            if let Item::One { name, .. } = item {
                *name = Some(column.name);
            }
        }
    }

    /// What most people write: tables joined by keys of the same name, columns chosen, and conditions on them.
    fn classic(&mut self, width: usize) -> Query {
        self.subqueries = 0;
        let mut from: Option<FromItem> = None;
        let mut relations: Vec<Relation> = Vec::new();
        for _ in 0..self.random.between(2, 4) {
            let next = self.table();
            let near = Scope { relations: relations.clone(), outer: None };
            let far = Scope { relations: next.relations.clone(), outer: None };
            relations.extend(next.relations);
            from = Some(match from {
                None => next.from,
                Some(left) => {
                    let is_key = |column: &Column| matches!(column.name.as_str(), "id" | "a" | "b" | "k");
                    let (near, far) = (near.columns(is_key), far.columns(is_key));
                    let on = match near.is_empty() || far.is_empty() {
                        true => form!(Kind::Bool, "true"),
                        false => form!(Kind::Bool, "{} = {}", self.random.pick(&near), self.random.pick(&far)),
                    };
                    let word = self.random.pick(&["JOIN", "JOIN", "LEFT JOIN", "RIGHT JOIN", "FULL JOIN"]);
                    let word = if near.is_empty() || far.is_empty() { "JOIN" } else { word };
                    FromItem::Join { left: Box::new(left), word, right: Box::new(next.from), on: On::Condition(on) }
                }
            });
        }
        let scope = Scope { relations, outer: None };
        let conditions = (0..self.random.below(4)).map(|_| self.classic_condition(&scope)).collect();
        let filter = self.all_of(conditions);
        let expr = |own: &mut Self| own.own_column(&Kind::ALL, &scope).unwrap_or_else(|| form!(Kind::Int, "1"));
        let items = (0..width).map(|_| Item::One { expr: expr(self), name: None }).collect();
        Query::select(Select { items, from, filter, ..Select::default() })
    }

    /// A condition on columns of one table or of two.
    fn classic_condition(&mut self, scope: &Scope<'_>) -> Expr {
        let (Some(first), Some(other)) = (self.own_column(&[Kind::Int], scope), self.own_column(&[Kind::Int], scope))
        else {
            return form!(Kind::Bool, "true");
        };
        let third = self.own_column(&[Kind::Int], scope).unwrap_or_else(|| other.clone());
        let constant = self.literal(Kind::Int, true);
        let operator = self.random.pick(&["=", "<", ">=", "<>"]);
        let not = self.random.pick(&["", " NOT"]);
        match self.random.below(9) {
            0 => form!(Kind::Bool, "{} IS{} NULL", first, not),
            1 => form!(Kind::Bool, "COALESCE({}, {}) {} {}", first, other, operator, third),
            2 => form!(Kind::Bool, "{} {} {}", first, operator, other),
            3 => form!(Kind::Bool, "{} IS NULL OR {} {} {}", first, other, operator, constant),
            4 => form!(Kind::Bool, "{}{} IN ({}, 2, NULL)", first, not, constant),
            5 => form!(Kind::Bool, "{} IS{} DISTINCT FROM {}", first, not, other),
            6 => form!(Kind::Bool, "COALESCE({}, 0) {} {}", first, operator, constant),
            _ => form!(Kind::Bool, "{} {} {}", first, operator, constant),
        }
    }

    /// `SELECT *`, where it is known what that shows.
    fn starred(&mut self) -> Query {
        let count = self.source_count(None);
        let sources = self.sources(count, None);
        let scope = Scope { relations: sources.relations.clone(), outer: None };
        let filter = self.filter(&scope, 80);
        let item = match (sources.star, sources.relations.first()) {
            (Some(kinds), _) => Item::Star { text: "*".to_owned(), kinds },
            (None, Some(relation)) if !relation.alias.is_empty() => Item::Star {
                text: format!("{}.*", relation.alias),
                kinds: relation.columns.iter().map(|column| column.kind).collect(),
            },
            _ => Item::One { expr: form!(Kind::Int, "1"), name: None },
        };
        Query::select(Select { items: vec![item], from: Some(sources.from), filter, ..Select::default() })
    }

    fn windowed(&mut self, kinds: &[Kind], outer: Option<&Scope<'_>>) -> Query {
        let count = self.source_count(outer);
        let sources = self.sources(count, outer);
        let scope = Scope { relations: sources.relations, outer };
        let filter = self.filter(&scope, 45);
        self.positions = if scope.has_keys() { kinds.len() } else { 1 };
        let items = kinds.iter().map(|kind| {
            let expr = match self.random.chance(65) {
                true => self.window(*kind, &scope),
                false => self.value(*kind, &scope, true, 1),
            };
            Item::One { expr, name: None }
        });
        let items = items.collect();
        Query::select(Select { items, from: Some(sources.from), filter, ..Select::default() })
    }

    fn set(&mut self, kinds: &[Kind], outer: Option<&Scope<'_>>, depth: usize) -> Query {
        let side = |own: &mut Self| match depth > 0 && own.random.chance(35) {
            true => own.set(kinds, outer, depth - 1),
            false => match own.random.weighted(&[70, 20, 10]) {
                1 => own.grouped(kinds, outer),
                2 => own.values_query(kinds),
                _ => own.selected(kinds, outer, true),
            },
        };
        let (left, right) = (Box::new(side(self)), Box::new(side(self)));
        let (operator, bare) = (self.random.pick(SETS), self.random.chance(40));
        Query::new(Body::Set { left, operator, right, bare })
    }

    /// The first row of each value of a column, in an order of all columns.
    fn distinct_on(&mut self, kinds: &[Kind], outer: Option<&Scope<'_>>) -> Query {
        // The same expression in two places must be the same text.
        let parameters = std::mem::replace(&mut self.parameters, false);
        let mut query = self.selected(kinds, outer, true);
        self.parameters = parameters;
        let Body::Select(select) = &mut query.body else { return query };
        let Some(Item::One { expr, .. }) = select.items.first() else { return query };
        // A constant would be taken for the number of a column.
        if matches!(expr, Expr::Literal(_)) {
            return query;
        }
        select.distinct_on = vec![expr.clone()];
        // With two of them, either may be the first in the order.
        let mut order: Vec<usize> = (0..kinds.len()).collect();
        if let Some(Item::One { expr: second @ Expr::Parts(..), .. }) = select.items.get(1)
            && self.random.chance(30)
        {
            select.distinct_on.push(second.clone());
            if self.random.chance(50) {
                order.swap(0, 1);
            }
        }
        select.distinct = false;
        query.more_order = Vec::new();
        query.order = order.into_iter().map(|column| (column, self.direction())).collect();
        query
    }

    /// DISTINCT ON all that is selected, whatever of it is ordered: which row stands for its like makes no difference.
    fn distinct_on_all(&mut self, kinds: &[Kind]) -> Query {
        let parameters = std::mem::replace(&mut self.parameters, false);
        let mut query = self.selected(kinds, None, true);
        self.parameters = parameters;
        let Body::Select(select) = &mut query.body else { return query };
        let exprs = select.items.iter().filter_map(|item| match item {
            Item::One { expr: expr @ Expr::Parts(..), .. } => Some(expr.clone()),
            _ => None,
        });
        let mut exprs: Vec<Expr> = exprs.collect();
        // A name by itself is that of another column of the result, where there is one: then not all is in it.
        let names: Vec<&str> = select
            .items
            .iter()
            .filter_map(|item| match item {
                Item::One { name: Some(name), .. } => Some(name.as_str()),
                _ => None,
            })
            .collect();
        if exprs.len() < kinds.len() || exprs.iter().any(|expr| names.contains(&expr.sql().as_str())) {
            return query;
        }
        self.random.shuffle(&mut exprs);
        select.distinct_on = exprs;
        select.distinct = false;
        query.more_order = Vec::new();
        let mut columns: Vec<usize> = (0..kinds.len()).collect();
        self.random.shuffle(&mut columns);
        columns.truncate(self.random.below(kinds.len() + 1));
        query.order = columns.into_iter().map(|column| (column, self.direction())).collect();
        query
    }

    /// A function that returns rows in the select list.
    fn set_returning(&mut self, kinds: &[Kind]) -> Query {
        let mut query = self.selected(kinds, None, false);
        let calls = [
            form!(Kind::Int, "generate_series(1, 3)"),
            form!(Kind::Int, "unnest(ARRAY[1, NULL, 2])"),
            form!(Kind::Int, "generate_series(2, 1)"),
        ];
        if let Body::Select(select) = &mut query.body {
            select.distinct = false;
            let at = self.random.below(select.items.len() + 1);
            select.items.insert(at, Item::One { expr: self.random.pick(&calls), name: None });
        }
        query.more_order = Vec::new();
        query
    }

    fn with_items(&mut self) -> Vec<Cte> {
        (0..self.random.between(1, 2)).map(|_| self.with_item()).collect()
    }

    /// Items that read themselves beside others, which may read them and be read by them.
    fn mixed_items(&mut self) -> Vec<Cte> {
        let items = (0..self.random.between(2, 3)).map(|_| match self.random.chance(45) {
            true => self.recursive_item(),
            false => {
                let mut item = self.with_item();
                if item.query.order.is_empty() && self.random.chance(50) {
                    let count = item.query.kinds().len();
                    self.part(&mut item.query, count);
                }
                item
            }
        });
        items.collect()
    }

    /// A WITH item, which can be read from now on.
    fn with_item(&mut self) -> Cte {
        let count = self.random.between(1, 4) as usize;
        let kinds: Vec<Kind> = (0..count).map(|_| self.kind()).collect();
        let query = self.query_of(&kinds, None);
        let columns = self.column_names(&kinds);
        let name = self.name("w");
        let names = columns.iter().map(|column| column.name.clone()).collect();
        self.ctes.push(Readable { name: name.clone(), columns, has_key: false });
        let hint = self.random.pick(&["", "", "", "MATERIALIZED ", "NOT MATERIALIZED "]);
        Cte { name, columns: names, hint, query }
    }

    /// A WITH item that reads itself: a count, or a walk from row to row that ends.
    fn recursive_item(&mut self) -> Cte {
        let name = self.name("r");
        let column = |name: &str| Column {
            name: name.to_owned(),
            kind: Kind::Int,
            type_name: "INT",
            is_small: true,
            is_exact: true,
        };
        let own = |text: String| Expr::column(Kind::Int, text);
        let one = |expr: Expr| Item::One { expr, name: None };
        let columns = vec![column("id"), column("a")];
        let sources = self.table();
        let scope = Scope { relations: sources.relations.clone(), outer: None };
        let pair = (self.own_column(&[Kind::Int], &scope), self.own_column(&[Kind::Int], &scope));
        let (left, right, operator) = match pair {
            (Some(from), Some(to)) if self.random.chance(60) => {
                let first = self.table();
                let first_scope = Scope { relations: first.relations.clone(), outer: None };
                let start = self.column_or_literal(Kind::Int, &first_scope, true);
                let items = vec![
                    one(form!(Kind::Int, "CAST({} AS BIGINT)", start)),
                    one(form!(Kind::Int, "CAST(0 AS BIGINT)")),
                ];
                let filter = Some(self.simple(&first_scope, 0));
                let left = Query::select(Select { items, from: Some(first.from), filter, ..Select::default() });
                let walk = FromItem::Join {
                    left: Box::new(sources.from),
                    word: "JOIN",
                    right: Box::new(FromItem::Table { name: name.clone(), alias: "rr".to_owned() }),
                    on: On::Condition(form!(Kind::Bool, "{} = rr.id", from)),
                };
                let items = vec![one(form!(Kind::Int, "CAST({} AS BIGINT)", to)), one(own("rr.a + 1".to_owned()))];
                let filter = match self.random.chance(35) {
                    true => form!(Kind::Bool, "rr.a < 3 AND ({})", self.predicate(&scope, 1)),
                    false => form!(Kind::Bool, "rr.a < 3"),
                };
                let right =
                    Query::select(Select { items, from: Some(walk), filter: Some(filter), ..Select::default() });
                (left, right, "UNION")
            }
            _ => {
                let (first, step, last) =
                    (self.random.between(0, 2), self.random.between(1, 2), self.random.between(3, 6));
                let items =
                    vec![one(own(format!("CAST({first} AS BIGINT)"))), one(own("CAST(1 AS BIGINT)".to_owned()))];
                let left = Query::select(Select { items, ..Select::default() });
                let items = vec![one(own(format!("id + {step}"))), one(own("a * 2".to_owned()))];
                let from = FromItem::Table { name: name.clone(), alias: "rr".to_owned() };
                let filter = Some(form!(Kind::Bool, "id < {}", last.to_string()));
                let right = Query::select(Select { items, from: Some(from), filter, ..Select::default() });
                (left, right, self.random.pick(&["UNION ALL", "UNION"]))
            }
        };
        let query = Query::new(Body::Set { left: Box::new(left), operator, right: Box::new(right), bare: true });
        let names = columns.iter().map(|column| column.name.clone()).collect();
        self.ctes.push(Readable { name: name.clone(), columns, has_key: false });
        Cte { name, columns: names, hint: "", query }
    }
}
