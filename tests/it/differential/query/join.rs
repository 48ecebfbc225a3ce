//! FROM: tables, derived tables, functions that return rows, LATERAL, and joins of every kind between them.

use super::{Generator, Readable, Relation, Scope, reach};
use crate::differential::{
    schema::Column,
    tree::{Body, Expr, FromItem, Item, Kind, On, Part, Query, Select, form},
};

/// What a FROM clause gives to the rest of its query.
pub(crate) struct Sources {
    pub(crate) from: FromItem,
    pub(crate) relations: Vec<Relation>,
    /// What `*` shows, if that is known.
    pub(crate) star: Option<Vec<Kind>>,
}

impl Generator {
    /// So many items of FROM, joined.
    pub(crate) fn sources(&mut self, count: usize, outer: Option<&Scope<'_>>) -> Sources {
        let mut sources = self.source(outer);
        let mut made = 1;
        while made < count {
            let nested = count - made >= 2 && self.random.chance(15);
            sources = self.join(sources, if nested { 2 } else { 1 }, outer);
            made += if nested { 2 } else { 1 };
        }
        sources
    }

    /// How many items a FROM clause has.
    pub(crate) fn source_count(&mut self, outer: Option<&Scope<'_>>) -> usize {
        let weights: &[usize] = if outer.is_some() { &[75, 20, 5] } else { &[28, 36, 20, 10, 6] };
        (1 + self.random.weighted(weights)).min(self.most + 1)
    }

    fn source(&mut self, outer: Option<&Scope<'_>>) -> Sources {
        match self.random.weighted(&[84, 9, 4, 3]) {
            1 => self.derived(outer, false),
            2 => self.values(),
            3 => self.series(outer),
            _ => self.table(),
        }
    }

    /// A table, a view or a WITH item.
    pub(crate) fn readable(&mut self) -> Readable {
        match !self.ctes.is_empty() && self.random.chance(55) {
            true => self.random.pick(&self.ctes),
            false => self.random.pick(&self.readable),
        }
    }

    pub(crate) fn table(&mut self) -> Sources {
        let Readable { name, columns, has_key } = self.readable();
        let alias = self.name("x");
        let star = columns.iter().map(|column| column.kind).collect();
        let relation = Relation { alias: alias.clone(), columns, has_key };
        Sources { from: FromItem::Table { name, alias }, relations: vec![relation], star: Some(star) }
    }

    /// A subquery in FROM.
    pub(crate) fn derived(&mut self, outer: Option<&Scope<'_>>, lateral: bool) -> Sources {
        let count = self.random.between(1, 4) as usize;
        let kinds: Vec<Kind> = (0..count).map(|_| self.kind()).collect();
        let query = match lateral {
            true => self.lateral_query(&kinds, outer),
            false => self.query_of(&kinds, outer),
        };
        self.named(query, kinds, lateral)
    }

    /// A subquery in FROM with names for its columns.
    pub(crate) fn named(&mut self, query: Query, kinds: Vec<Kind>, lateral: bool) -> Sources {
        let columns = self.column_names(&kinds);
        let alias = self.name("d");
        let names = columns.iter().map(|column| column.name.clone()).collect();
        let from = FromItem::Derived { query: Box::new(query), alias: alias.clone(), columns: names, lateral };
        Sources { from, relations: vec![Relation { alias, columns, has_key: false }], star: Some(kinds) }
    }

    /// The names that tables use, for columns of these kinds.
    pub(crate) fn column_names(&mut self, kinds: &[Kind]) -> Vec<Column> {
        let mut taken: Vec<String> = Vec::new();
        let columns = kinds.iter().map(|kind| {
            let choices: &[&str] = match kind {
                Kind::Int => &["id", "a", "b", "k"],
                Kind::Text => &["name", "tag"],
                Kind::Bool => &["flag"],
                Kind::Float => &["score"],
                Kind::Numeric => &["amount"],
                Kind::Date => &["day"],
                Kind::Timestamp => &["at"],
            };
            let free: Vec<&&str> = choices.iter().filter(|name| !taken.iter().any(|other| other == *name)).collect();
            let name = match free.is_empty() {
                true => format!("c{}", taken.len()),
                false => self.random.pick(&free).to_string(),
            };
            taken.push(name.clone());
            Column { name, kind: *kind, type_name: kind.type_name(), is_small: true, is_exact: *kind != Kind::Float }
        });
        columns.collect()
    }

    fn values(&mut self) -> Sources {
        let kinds: Vec<Kind> = (0..self.random.between(1, 3)).map(|_| self.kind()).collect();
        let query = self.values_query(&kinds);
        self.named(query, kinds, false)
    }

    pub(crate) fn values_query(&mut self, kinds: &[Kind]) -> Query {
        let rows =
            (0..self.random.between(1, 4)).map(|_| kinds.iter().map(|kind| self.literal(*kind, false)).collect());
        Query::new(Body::Values(rows.collect()))
    }

    fn series(&mut self, outer: Option<&Scope<'_>>) -> Sources {
        let alias = self.name("g");
        let column = Column { name: "a".to_owned(), kind: Kind::Int, type_name: "INT", is_small: true, is_exact: true };
        let first = self.random.between(-1, 2);
        let bound =
            outer.and_then(|outer| self.own_column(&[Kind::Int], &Scope { relations: small(outer), outer: None }));
        let parts = match (self.random.below(3), bound) {
            (0, _) => vec![Part::from("unnest(ARRAY[3, 1, NULL, 1])")],
            (1, Some(bound)) => {
                vec![Part::from(format!("generate_series({first}, ")), Part::from(bound), Part::from(")")]
            }
            _ => vec![Part::from(format!("generate_series({first}, {})", first + self.random.between(-1, 4)))],
        };
        let from = FromItem::Call { parts, alias: format!("{alias}(a)") };
        let relation = Relation { alias, columns: vec![column], has_key: false };
        Sources { from, relations: vec![relation], star: Some(vec![Kind::Int]) }
    }

    /// A query that may look at the items of FROM before it.
    fn lateral_query(&mut self, kinds: &[Kind], outer: Option<&Scope<'_>>) -> Query {
        let mut query = self.query_of(kinds, outer);
        if let Body::Select(select) = &query.body
            && self.random.chance(50)
            && query.limit.is_none()
            && select.distinct_on.is_empty()
        {
            query.order = (0..kinds.len()).map(|column| (column, self.direction())).collect();
            query.limit = Some(self.random.pick(&[1, 1, 2, 3]));
        }
        query
    }

    fn join(&mut self, left: Sources, count: usize, outer: Option<&Scope<'_>>) -> Sources {
        let around = Scope { relations: left.relations.clone(), outer };
        if self.random.chance(7) && around.depth() < 2 {
            return self.lateral_join(left, &around);
        }
        let right = if count == 1 { self.source(outer) } else { self.sources(count, outer) };
        if self.random.chance(22) {
            let shared = shared_columns(&left, &right);
            if !shared.is_empty() {
                return self.using(left, right, shared);
            }
        }
        let word = ["JOIN", "LEFT JOIN", "RIGHT JOIN", "FULL JOIN", "CROSS JOIN", "INNER JOIN", "LEFT OUTER JOIN"]
            [self.random.weighted(&[34, 24, 12, 10, 8, 6, 6])];
        let relations: Vec<Relation> = [left.relations.clone(), right.relations.clone()].concat();
        let on = match word {
            "CROSS JOIN" => On::Nothing,
            _ => {
                let scope = Scope { relations: relations.clone(), outer };
                On::Condition(self.join_condition(&left, &right, &scope, word == "FULL JOIN"))
            }
        };
        let star = left.star.zip(right.star).map(|(left, right)| [left, right].concat());
        let from = FromItem::Join { left: Box::new(left.from), word, right: Box::new(right.from), on };
        Sources { from, relations: without_ambiguous(relations), star }
    }

    fn join_condition(&mut self, left: &Sources, right: &Sources, scope: &Scope<'_>, equality: bool) -> Expr {
        let mut conditions = Vec::new();
        let mut pairs = Vec::new();
        for near in named_columns(left) {
            pairs.extend(
                named_columns(right).into_iter().filter(|far| far.kind() == near.kind()).map(|far| (near.clone(), far)),
            );
        }
        let count = if equality { 1 } else { self.random.weighted(&[8, 72, 20]) };
        for _ in 0..count {
            if pairs.is_empty() {
                break;
            }
            let (near, far) = self.random.pick(&pairs);
            let operator = match equality || self.random.chance(80) {
                true => "=",
                false => self.random.pick(&["<", ">=", "<>", "IS NOT DISTINCT FROM", "<="]),
            };
            conditions.push(form!(Kind::Bool, "{} {} {}", near, operator, far));
        }
        if conditions.is_empty() || (self.random.chance(22) && !equality) {
            conditions.push(self.predicate(scope, 1));
        } else if self.random.chance(20) {
            conditions.push(self.simple(scope, 0));
        }
        self.all_of(conditions).unwrap_or_else(|| form!(Kind::Bool, "true"))
    }

    fn lateral_join(&mut self, left: Sources, around: &Scope<'_>) -> Sources {
        let right = self.derived(Some(around), true);
        let word = self.random.pick(&["CROSS JOIN", "LEFT JOIN", "JOIN", ","]);
        let on = match word {
            "CROSS JOIN" | "," => On::Nothing,
            _ if self.random.chance(40) => {
                let relations = without_ambiguous([left.relations.clone(), right.relations.clone()].concat());
                let scope = Scope { relations, outer: around.outer };
                On::Condition(self.join_condition(&left, &right, &scope, false))
            }
            _ => On::Condition(form!(Kind::Bool, "true")),
        };
        let star = left.star.zip(right.star).map(|(left, right)| [left, right].concat());
        let from = FromItem::Join { left: Box::new(left.from), word, right: Box::new(right.from), on };
        Sources { from, relations: without_ambiguous([left.relations, right.relations].concat()), star }
    }

    fn using(&mut self, left: Sources, right: Sources, mut shared: Vec<Column>) -> Sources {
        self.random.shuffle(&mut shared);
        let is_plain = |sources: &Sources| matches!(sources.from, FromItem::Table { .. } | FromItem::Derived { .. });
        let is_natural = is_plain(&left) && is_plain(&right) && self.random.chance(30);
        let kept = if is_natural { shared.len() } else { self.random.pick(&[1, 1, 2]) };
        shared.truncate(kept);
        let kind = self.random.weighted(&[35, 25, 20, 20]);
        let word = match is_natural {
            true => ["NATURAL JOIN", "NATURAL LEFT JOIN", "NATURAL RIGHT JOIN", "NATURAL FULL JOIN"][kind],
            false => ["JOIN", "LEFT JOIN", "RIGHT JOIN", "FULL JOIN"][kind],
        };
        let names: Vec<String> = shared.iter().map(|column| column.name.clone()).collect();
        let mut relations: Vec<Relation> = [left.relations, right.relations].concat();
        relations.retain_mut(|relation| {
            relation.columns.retain(|column| !relation.alias.is_empty() || !names.contains(&column.name));
            !relation.columns.is_empty()
        });
        relations.push(Relation { alias: String::new(), columns: shared, has_key: false });
        let on = if is_natural { On::Nothing } else { On::Using(names) };
        let from = FromItem::Join { left: Box::new(left.from), word, right: Box::new(right.from), on };
        Sources { from, relations, star: None }
    }

    pub(crate) fn direction(&mut self) -> &'static str {
        self.random.pick(&["", "", " DESC", " NULLS FIRST", " DESC NULLS LAST", " ASC NULLS LAST", " DESC NULLS FIRST"])
    }

    /// A select over these sources that shows nothing but a constant.
    pub(crate) fn bare_select(&mut self, from: FromItem, filter: Option<Expr>) -> Select {
        let items = vec![Item::One { expr: form!(Kind::Int, "1"), name: None }];
        Select { items, from: Some(from), filter, ..Select::default() }
    }
}

fn small(scope: &Scope<'_>) -> Vec<Relation> {
    let mut relations = scope.relations.clone();
    for relation in &mut relations {
        relation.columns.retain(|column| column.is_small);
    }
    relations
}

fn named_columns(sources: &Sources) -> Vec<Expr> {
    let named = sources.relations.iter().filter(|relation| !relation.alias.is_empty());
    named.flat_map(|relation| relation.columns.iter().map(|column| reach(relation, column))).collect()
}

/// Columns that both sides have once.
fn shared_columns(left: &Sources, right: &Sources) -> Vec<Column> {
    let once = |sources: &Sources, name: &str| {
        let merged = |relation: &&Relation| relation.alias.is_empty();
        let has = |relation: &&Relation| relation.columns.iter().any(|column| column.name == name);
        sources.relations.iter().filter(merged).any(|relation| has(&relation))
            || sources.relations.iter().filter(has).count() == 1
    };
    let all = left.relations.iter().flat_map(|relation| &relation.columns);
    let mut shared: Vec<Column> = Vec::new();
    for column in all {
        if once(left, &column.name) && once(right, &column.name) && shared.iter().all(|other| other.name != column.name)
        {
            shared.push(column.clone());
        }
    }
    shared
}

/// Merged columns keep their short name only while no other column beside them has it.
fn without_ambiguous(mut relations: Vec<Relation>) -> Vec<Relation> {
    let (merged, named): (Vec<_>, Vec<_>) = relations.iter().cloned().partition(|relation| relation.alias.is_empty());
    if merged.is_empty() {
        return relations;
    }
    // The newest item of FROM may bring the name anew; which items were merged is not kept, so all merged names that it has go.
    let last: Vec<String> = named
        .last()
        .map(|relation| relation.columns.iter().map(|column| column.name.clone()).collect())
        .unwrap_or_default();
    relations.retain_mut(|relation| {
        relation.columns.retain(|column| !relation.alias.is_empty() || !last.contains(&column.name));
        !relation.columns.is_empty()
    });
    relations
}
