//! Subqueries in expressions: EXISTS, IN, ANY and ALL, and those that give one value.

use super::{Generator, Scope, join::Sources};
use crate::differential::tree::{Body, Expr, Item, Kind, Query, Select, form};

const COMPARISONS: &[&str] = &["=", "<>", "<", "<=", ">", ">="];

impl Generator {
    /// A condition that asks a subquery.
    pub(crate) fn subquery_predicate(&mut self, scope: &Scope<'_>) -> Expr {
        let not = self.random.pick(&["", "NOT "]);
        match self.random.below(12) {
            0..=2 => form!(Kind::Bool, "{}EXISTS ({})", not, self.exists_query(scope)),
            3..=6 => {
                let kind = self.kind();
                let operand = self.value(kind, scope, false, 1);
                form!(Kind::Bool, "{} {}IN ({})", operand, not, self.query_of(&[kind], Some(scope)))
            }
            7 => {
                let kinds = [self.kind(), self.kind()];
                let row: Vec<Expr> = kinds.iter().map(|kind| self.value(*kind, scope, false, 1)).collect();
                form!(Kind::Bool, "({}) {}IN ({})", row, not, self.query_of(&kinds, Some(scope)))
            }
            8 | 9 => {
                let kind = self.kind();
                let operand = self.value(kind, scope, false, 1);
                let (operator, of) = (self.random.pick(COMPARISONS), self.random.pick(&["ANY", "ALL", "SOME"]));
                form!(Kind::Bool, "{} {} {} ({})", operand, operator, of, self.query_of(&[kind], Some(scope)))
            }
            _ => {
                let kind = self.kind();
                let operand = self.value(kind, scope, false, 1);
                let operator = self.random.pick(COMPARISONS);
                form!(Kind::Bool, "{} {} {}", operand, operator, self.scalar_subquery(kind, scope, false))
            }
        }
    }

    /// Items of FROM, and a condition on them that mostly looks out of the query.
    fn looking_out(&mut self, scope: &Scope<'_>) -> (Sources, Vec<Expr>) {
        let count = self.source_count(Some(scope));
        let sources = self.sources(count, Some(scope));
        let own = Scope { relations: sources.relations.clone(), outer: Some(scope) };
        let mut conditions = Vec::new();
        if self.random.chance(75) {
            conditions.extend(self.correlation(&own));
        }
        if self.random.chance(45) {
            conditions.push(self.predicate(&own, 1));
        }
        (sources, conditions)
    }

    fn exists_query(&mut self, scope: &Scope<'_>) -> Query {
        let (sources, conditions) = self.looking_out(scope);
        let filter = self.all_of(conditions);
        let mut select = self.bare_select(sources.from, filter);
        match self.random.below(8) {
            0 => select.items = vec![Item::Star { text: "*".to_owned(), kinds: Vec::new() }],
            1 => {
                let own = Scope { relations: sources.relations, outer: None };
                if let Some(key) = self.own_column(&Kind::ALL, &own) {
                    select.keys = vec![key];
                    let count = self.random.pick(&["1", "2"]);
                    select.having = Some(form!(Kind::Bool, "COUNT(*) >= {}", count));
                }
            }
            2 => {
                let mut query = Query::select(select);
                query.limit = Some(self.random.pick(&[1, 1, 0]));
                return query;
            }
            _ => {}
        }
        Query::select(select)
    }

    /// A subquery in parentheses that has one row at most.
    pub(crate) fn scalar_subquery(&mut self, kind: Kind, scope: &Scope<'_>, small: bool) -> Expr {
        if self.random.chance(4) {
            let value = self.value(kind, scope, small, 0);
            return form!(kind, "(SELECT {})", value);
        }
        if self.random.chance(12)
            && let Some(query) = self.by_key(kind, scope, small)
        {
            return form!(kind, "({})", query);
        }
        let (sources, conditions) = self.looking_out(scope);
        let own = Scope { relations: sources.relations.clone(), outer: Some(scope) };
        let filter = self.all_of(conditions);
        let from = Some(sources.from);
        let (mut query, limited) = match self.random.below(10) {
            0..=4 => {
                let expr = self.aggregate(kind, &own.inner_only());
                let having = self.random.chance(8).then(|| form!(Kind::Bool, "COUNT(*) > 1"));
                let items = vec![Item::One { expr, name: None }];
                (Query::select(Select { items, from, filter, having, ..Select::default() }), false)
            }
            5 => {
                let keys: Vec<Expr> = self.own_column(&Kind::ALL, &own).into_iter().collect();
                let items = vec![Item::One { expr: self.aggregate(kind, &own.inner_only()), name: None }];
                (Query::select(Select { items, from, filter, keys, ..Select::default() }), true)
            }
            6 => {
                let items = vec![Item::One { expr: self.window(kind, &own), name: None }];
                (Query::select(Select { items, from, filter, ..Select::default() }), true)
            }
            7 => {
                let expr = self.value(kind, &own, small, 1);
                let first = Query::select(Select {
                    items: vec![Item::One { expr, name: None }],
                    from,
                    filter,
                    ..Select::default()
                });
                let second = self.query_of(&[kind], Some(scope));
                let operator = self.random.pick(&["UNION", "UNION ALL", "EXCEPT", "INTERSECT"]);
                let (left, right) = (Box::new(first), Box::new(second));
                (Query::new(Body::Set { left, operator, right, bare: false }), true)
            }
            _ => {
                let items = vec![Item::One { expr: self.value(kind, &own, small, 1), name: None }];
                let distinct = self.random.chance(25);
                (Query::select(Select { items, from, filter, distinct, ..Select::default() }), true)
            }
        };
        if limited {
            query.order = vec![(0, self.direction())];
            query.limit = Some(1);
            query.offset = self.random.chance(10).then_some(1);
        }
        form!(kind, "({})", query)
    }

    /// The row of a table whose key is a value of the query around.
    fn by_key(&mut self, kind: Kind, scope: &Scope<'_>, small: bool) -> Option<Query> {
        let sources = self.table();
        let relation = sources.relations.first()?;
        if !relation.has_key {
            return None;
        }
        let key = format!("{}.id", relation.alias);
        let wanted = self.value(Kind::Int, &Scope { relations: scope.relations.clone(), outer: None }, false, 1);
        let own = Scope { relations: sources.relations.clone(), outer: None };
        let items = vec![Item::One { expr: self.value(kind, &own, small, 0), name: None }];
        let filter = Some(form!(Kind::Bool, "{} = {}", key, wanted));
        Some(Query::select(Select { items, from: Some(sources.from), filter, ..Select::default() }))
    }
}
