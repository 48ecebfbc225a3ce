//! Grouped queries and aggregates.

use super::{Generator, Relation, Scope};
use crate::differential::tree::{Expr, Grouping, Item, Kind, Query, Select, form};

impl Generator {
    /// An aggregate of this kind over columns of the query itself: one over outer columns would belong to the outer query.
    pub(crate) fn aggregate(&mut self, kind: Kind, scope: &Scope<'static>) -> Expr {
        let call = match self.random.chance(20) {
            true => self.distinct_aggregate(kind, scope),
            false => self.plain_aggregate(kind, scope),
        };
        if self.random.chance(12) {
            let asks = self.random.chance(25) && self.may_nest(scope);
            let condition = if asks { self.subquery_predicate(scope) } else { self.simple(scope, 0) };
            return whole_sum(form!(kind, "{} FILTER (WHERE {})", call, condition));
        }
        whole_sum(call)
    }

    /// An own column, which every aggregate needs so that it belongs to its query.
    fn operand(&mut self, kinds: &[Kind], scope: &Scope<'static>) -> Option<Expr> {
        let choices = scope.columns(|column| kinds.contains(&column.kind) && column.is_small);
        (!choices.is_empty()).then(|| self.random.pick(&choices))
    }

    pub(crate) fn plain_aggregate(&mut self, kind: Kind, scope: &Scope<'static>) -> Expr {
        let Some(operand) = self.operand(&[kind], scope) else { return self.without_operand(kind) };
        match kind {
            Kind::Int => match self.random.below(8) {
                0 | 1 => form!(kind, "COUNT(*)"),
                2 => {
                    let any = self.own_column(&Kind::ALL, scope).unwrap_or(operand);
                    form!(kind, "COUNT({})", any)
                }
                3 => form!(kind, "SUM({})", operand),
                4 => {
                    let other = self.operand(&[Kind::Int], scope).unwrap_or_else(|| operand.clone());
                    form!(kind, "SUM({} + {})", operand, other)
                }
                5 => form!(kind, "MIN({})", operand),
                6 => {
                    let condition = self.simple(scope, 0);
                    form!(kind, "SUM(CASE WHEN {} THEN {} ELSE 0 END)", condition, operand)
                }
                _ => {
                    let any = self.own_column(&[Kind::Int], scope).unwrap_or(operand);
                    form!(kind, "MAX({})", any)
                }
            },
            Kind::Bool => {
                let function = self.random.pick(&["BOOL_AND", "BOOL_OR"]);
                form!(kind, "{}({})", function, operand)
            }
            Kind::Float => match self.random.below(5) {
                0 => {
                    let number = self.operand(&[Kind::Int], scope).unwrap_or(operand);
                    form!(kind, "AVG(CAST({} AS DOUBLE PRECISION))", number)
                }
                1 => form!(kind, "MIN({})", operand),
                2 => form!(kind, "MAX({})", operand),
                _ => {
                    let exact = scope.columns(|column| column.kind == kind && column.is_exact);
                    let function = self.random.pick(&["SUM", "SUM", "AVG"]);
                    match exact.is_empty() {
                        true => form!(kind, "MAX({})", operand),
                        false => form!(kind, "{}({})", function, self.random.pick(&exact)),
                    }
                }
            },
            Kind::Numeric => {
                let function = self.random.pick(&["SUM", "MIN", "MAX"]);
                form!(kind, "{}({})", function, operand)
            }
            Kind::Text | Kind::Date | Kind::Timestamp => {
                let function = self.random.pick(&["MIN", "MAX"]);
                form!(kind, "{}({})", function, operand)
            }
        }
    }

    fn without_operand(&mut self, kind: Kind) -> Expr {
        let constant = self.literal(kind, false);
        match kind {
            Kind::Int => form!(kind, "COUNT(*)"),
            Kind::Bool => form!(kind, "BOOL_OR({})", constant),
            _ => form!(kind, "MAX(CAST({} AS {}))", constant, kind.type_name()),
        }
    }

    fn distinct_aggregate(&mut self, kind: Kind, scope: &Scope<'static>) -> Expr {
        match kind {
            Kind::Int => {
                let is_count = self.random.chance(50);
                let (function, kinds): (&str, &[Kind]) =
                    if is_count { ("COUNT", &Kind::ALL) } else { ("SUM", &[Kind::Int]) };
                match self.operand(kinds, scope) {
                    Some(operand) => form!(kind, "{}(DISTINCT {})", function, operand),
                    None => form!(kind, "COUNT(*)"),
                }
            }
            Kind::Text => match self.operand(&[Kind::Text], scope) {
                Some(operand) => {
                    let distinct = self.random.pick(&["", "DISTINCT "]);
                    let sql = operand.sql();
                    form!(kind, "STRING_AGG({}{}, ',' ORDER BY {})", distinct, sql.clone(), sql)
                }
                None => self.without_operand(kind),
            },
            _ => self.plain_aggregate(kind, scope),
        }
    }

    /// What rows are grouped by: columns, or what is computed from one. Never a bare number, which would be a position.
    fn key(&mut self, scope: &Scope<'static>) -> Option<Expr> {
        let column = self.own_column(&Kind::ALL, scope)?;
        if self.random.chance(78) {
            return Some(column);
        }
        Some(match column.kind() {
            Kind::Int => form!(Kind::Int, "{} % 2", self.operand(&[Kind::Int], scope)?),
            Kind::Text => form!(Kind::Text, "SUBSTR({}, 1, 1)", column),
            _ => form!(Kind::Bool, "{} IS NULL", column),
        })
    }

    /// A grouped query with columns of these kinds.
    pub(crate) fn grouped(&mut self, kinds: &[Kind], outer: Option<&Scope<'_>>) -> Query {
        let count = self.source_count(outer);
        let sources = self.sources(count, outer);
        let scope = Scope { relations: sources.relations.clone(), outer };
        let inner = scope.inner_only();
        let filter = self.filter(&scope, 45);
        // The same key in two places must be the same text.
        let parameters = std::mem::replace(&mut self.parameters, false);
        let keys: Vec<Expr> = (0..self.random.weighted(&[12, 48, 30, 10])).filter_map(|_| self.key(&inner)).collect();
        self.parameters = parameters;
        let grouping = self.grouping(keys.len());
        let seen = Scope { relations: grouped_relations(&scope, &keys), outer };
        let items = kinds.iter().map(|kind| {
            let expr = self.grouped_item(*kind, &keys, &seen, &inner, &grouping);
            Item::One { expr, name: None }
        });
        let items = items.collect();
        let having = (self.random.chance(22) && (!keys.is_empty() || self.random.chance(30)))
            .then(|| self.having(&keys, &seen, &inner));
        Query::select(Select { items, from: Some(sources.from), filter, keys, grouping, having, ..Select::default() })
    }

    /// Aggregates over all rows of a table, some of them with a FILTER, as a dashboard's first line has them.
    pub(crate) fn summary(&mut self, kinds: &[Kind]) -> Query {
        let sources = self.table();
        let scope = Scope { relations: sources.relations.clone(), outer: None };
        let filter = self.filter(&scope, 40);
        let keys: Vec<Expr> =
            if self.random.chance(30) { self.own_column(&Kind::ALL, &scope) } else { None }.into_iter().collect();
        let items = kinds.iter().map(|kind| {
            let call = match self.random.chance(25) {
                true => self.distinct_aggregate(*kind, &scope),
                false => self.plain_aggregate(*kind, &scope),
            };
            let expr = match self.random.chance(50) {
                true => form!(*kind, "{} FILTER (WHERE {})", call, self.simple(&scope, 0)),
                false => call,
            };
            Item::One { expr: whole_sum(expr), name: None }
        });
        let items = items.collect();
        Query::select(Select { items, from: Some(sources.from), filter, keys, ..Select::default() })
    }

    fn grouping(&mut self, keys: usize) -> Grouping {
        if keys < 1 || !self.random.chance(16) {
            return Grouping::Plain;
        }
        match self.random.below(3) {
            0 => Grouping::Rollup,
            1 => Grouping::Cube,
            _ => {
                let mut sets: Vec<Vec<usize>> = vec![(0..keys).collect()];
                sets.push(Vec::new());
                if self.random.chance(15) {
                    sets.push(Vec::new());
                }
                if keys > 1 && self.random.chance(40) {
                    sets.push(vec![keys - 1, 0]);
                }
                sets.extend((0..keys).filter(|_| self.random.chance(50)).map(|key| vec![key]));
                Grouping::Sets(sets)
            }
        }
    }

    fn grouped_item(
        &mut self,
        kind: Kind,
        keys: &[Expr],
        seen: &Scope<'_>,
        inner: &Scope<'static>,
        grouping: &Grouping,
    ) -> Expr {
        let fitting: Vec<Expr> = keys.iter().filter(|key| key.kind() == kind).cloned().collect();
        if !fitting.is_empty() && self.random.chance(60) {
            return self.random.pick(&fitting);
        }
        if kind == Kind::Int && !matches!(grouping, Grouping::Plain) && self.random.chance(30) {
            let count = if self.random.chance(30) { 2 } else { 1 };
            let some: Vec<Expr> = (0..count).map(|_| self.random.pick(keys)).collect();
            return form!(kind, "GROUPING({})", some);
        }
        if kind == Kind::Int && self.random.chance(6) {
            return self.window_over_groups(keys, inner);
        }
        if self.random.chance(10) && !seen.relations.is_empty() {
            return self.value(kind, seen, true, 1);
        }
        let aggregate = self.aggregate(kind, inner);
        match self.random.below(10) {
            0 => {
                let fallback = self.literal(kind, false);
                form!(kind, "COALESCE({}, {})", aggregate, fallback)
            }
            1 => {
                let condition = self.comparison_of_aggregates(inner);
                form!(kind, "CASE WHEN {} THEN {} END", condition, aggregate)
            }
            2 if kind == Kind::Int => {
                let other = self.aggregate(kind, inner);
                form!(kind, "({} - {})", aggregate, other)
            }
            _ => aggregate,
        }
    }

    fn comparison_of_aggregates(&mut self, inner: &Scope<'static>) -> Expr {
        let kind = self.kind();
        let operator = self.random.pick(&["=", "<>", "<", ">="]);
        let left = self.aggregate(kind, inner);
        let right = if self.random.chance(60) { self.literal(kind, false) } else { self.aggregate(kind, inner) };
        form!(Kind::Bool, "{} {} {}", left, operator, right)
    }

    fn having(&mut self, keys: &[Expr], seen: &Scope<'_>, inner: &Scope<'static>) -> Expr {
        let comparison = self.comparison_of_aggregates(inner);
        match self.random.below(5) {
            0 if !keys.is_empty() => {
                let key = self.random.pick(keys);
                form!(Kind::Bool, "{} IS NOT NULL", key)
            }
            1 if !seen.relations.is_empty() => {
                let other = self.predicate(seen, 1);
                let word = self.random.pick(&["AND", "OR"]);
                form!(Kind::Bool, "{} {} ({})", comparison, word, other)
            }
            2 if self.may_nest(seen) => {
                let aggregate = self.aggregate(Kind::Int, inner);
                let operator = self.random.pick(&["=", "<", ">="]);
                let subquery = self.scalar_subquery(Kind::Int, seen, true);
                form!(Kind::Bool, "{} {} {}", aggregate, operator, subquery)
            }
            _ => comparison,
        }
    }
}

/// What is left to see of the relations after grouping: those columns that are keys.
fn grouped_relations(scope: &Scope<'_>, keys: &[Expr]) -> Vec<Relation> {
    let keys: Vec<String> = keys.iter().map(|key| key.sql()).collect();
    let mut relations = scope.relations.clone();
    for relation in &mut relations {
        let alias = relation.alias.clone();
        relation.columns.retain(|column| {
            let reached = if alias.is_empty() { column.name.clone() } else { format!("{alias}.{}", column.name) };
            keys.contains(&reached)
        });
        relation.has_key = false;
    }
    relations.retain(|relation| !relation.columns.is_empty());
    relations
}

/// PostgreSQL's sum of BIGINTs is NUMERIC, whose division keeps fractions. The generator takes it for a whole number.
pub(crate) fn whole_sum(expression: Expr) -> Expr {
    match expression.kind() {
        Kind::Int if expression.sql().starts_with("SUM(") => form!(Kind::Int, "CAST({} AS BIGINT)", expression),
        _ => expression,
    }
}
