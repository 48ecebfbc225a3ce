//! Conditions: comparisons of every shape, with NULLs on either side, with and without parentheses.

use super::{Generator, Scope};
use crate::differential::tree::{Expr, Kind, Part, form};

const COMPARISONS: &[&str] = &["=", "=", "=", "<>", "<", "<=", ">", ">="];

impl Generator {
    pub(crate) fn predicate(&mut self, scope: &Scope<'_>, depth: usize) -> Expr {
        let depth = depth.min(self.most);
        if depth == 0 {
            return self.simple(scope, 0);
        }
        match self.random.below(20) {
            0..=3 => self.joined(scope, depth - 1, "AND"),
            4..=7 => self.joined(scope, depth - 1, "OR"),
            8 | 9 => {
                let inner = self.predicate(scope, depth - 1);
                match self.random.chance(40) {
                    true => form!(Kind::Bool, "NOT {}", inner),
                    false => form!(Kind::Bool, "NOT ({})", inner),
                }
            }
            10 => {
                let inner = self.predicate(scope, depth - 1);
                let test = self.random.pick(&["TRUE", "FALSE", "UNKNOWN"]);
                let not = self.random.pick(&["", "NOT "]);
                form!(Kind::Bool, "({}) IS {}{}", inner, not, test)
            }
            11 => {
                let (left, right) = (self.predicate(scope, depth - 1), self.predicate(scope, depth - 1));
                let operator = self.random.pick(&["=", "<>", "IS DISTINCT FROM", "IS NOT DISTINCT FROM"]);
                form!(Kind::Bool, "({}) {} ({})", left, operator, right)
            }
            12..=14 if self.may_nest(scope) => self.subquery_predicate(scope),
            15 => self.unparenthesised(scope),
            16 => self.guarded(scope),
            _ => self.simple(scope, depth - 1),
        }
    }

    /// Two conditions; precedence is each engine's own affair where there are no parentheses.
    fn joined(&mut self, scope: &Scope<'_>, depth: usize, word: &str) -> Expr {
        let (left, right) = (self.predicate(scope, depth), self.predicate(scope, depth));
        match self.random.below(3) {
            0 => form!(Kind::Bool, "{} {} {}", left, word, right),
            1 => form!(Kind::Bool, "({} {} {})", left, word, right),
            _ => form!(Kind::Bool, "({}) {} ({})", left, word, right),
        }
    }

    /// One comparison.
    pub(crate) fn simple(&mut self, scope: &Scope<'_>, depth: usize) -> Expr {
        let kind = self.kind();
        let operand = self.value(kind, scope, false, depth);
        match self.random.below(24) {
            0..=5 => {
                let operator = self.random.pick(COMPARISONS);
                let right = self.value(kind, scope, false, depth);
                form!(Kind::Bool, "{} {} {}", operand, operator, right)
            }
            6..=9 => {
                let operator = self.random.pick(COMPARISONS);
                let column = self.column(kind, scope, false).unwrap_or(operand);
                let right = self.literal(kind, kind != Kind::Bool);
                form!(Kind::Bool, "{} {} {}", column, operator, right)
            }
            10 | 11 => {
                let not = self.random.pick(&["", " NOT"]);
                form!(Kind::Bool, "{} IS{} NULL", operand, not)
            }
            12 => {
                let not = self.random.pick(&["", " NOT"]);
                let right = self.value(kind, scope, false, depth);
                form!(Kind::Bool, "{} IS{} DISTINCT FROM {}", operand, not, right)
            }
            13 | 14 => {
                let not = self.random.pick(&["", " NOT"]);
                let count = self.random.between(1, 4);
                let mut list: Vec<Expr> = (0..count).map(|_| self.literal(kind, true)).collect();
                if self.random.chance(25) {
                    list.push(self.null(kind, true));
                }
                if self.random.chance(15) {
                    list.push(self.column_or_literal(kind, scope, false));
                }
                let column = self.column(kind, scope, false).unwrap_or(operand);
                form!(Kind::Bool, "{}{} IN ({})", column, not, list)
            }
            15 | 16 => {
                let not = self.random.pick(&["", " NOT"]);
                let (low, high) = (self.literal(kind, kind != Kind::Bool), self.value(kind, scope, false, depth));
                form!(Kind::Bool, "{}{} BETWEEN {} AND {}", operand, not, low, high)
            }
            17 => {
                let text = self.value(Kind::Text, scope, false, depth);
                let not = self.random.pick(&["", " NOT"]);
                let word = self.random.pick(&["LIKE", "LIKE", "ILIKE"]);
                let pattern = self.random.pick(&["'a%'", "'%b'", "'_'", "'a\\_b'", "'%'", "''", "'it''s'"]);
                form!(Kind::Bool, "{}{} {} {}", text, not, word, pattern)
            }
            18 => self
                .column(Kind::Bool, scope, false)
                .unwrap_or_else(|| form!(Kind::Bool, "{} = {}", operand.clone(), operand)),
            19 | 20 => self.row_comparison(scope, depth),
            21 => {
                let fallback = self.literal(kind, false);
                let right = self.value(kind, scope, false, depth);
                let operator = self.random.pick(COMPARISONS);
                form!(Kind::Bool, "COALESCE({}, {}) {} {}", operand, fallback, operator, right)
            }
            22 => {
                let condition = self.predicate(scope, depth);
                let other = self.predicate(scope, depth);
                form!(Kind::Bool, "CASE WHEN {} THEN {} ELSE {} END", condition, other, self.literal(Kind::Bool, false))
            }
            _ => {
                let condition = self.predicate(scope, depth);
                form!(Kind::Bool, "COALESCE({}, {})", condition, self.literal(Kind::Bool, false))
            }
        }
    }

    fn row_comparison(&mut self, scope: &Scope<'_>, depth: usize) -> Expr {
        let (first, second) = (self.kind(), self.kind());
        let row = |own: &mut Self| {
            let (left, right) = (own.value(first, scope, false, depth), own.value(second, scope, false, depth));
            vec![left, right]
        };
        let (left, right) = (row(self), row(self));
        match self.random.below(7) {
            0 | 1 => form!(Kind::Bool, "({}) = ({})", left, right),
            2 => form!(Kind::Bool, "({}) <> ({})", left, right),
            3 => {
                let operator = self.random.pick(&["<", "<=", ">", ">="]);
                form!(Kind::Bool, "({}) {} ({})", left, operator, right)
            }
            4 => {
                let not = self.random.pick(&["", " NOT"]);
                form!(Kind::Bool, "ROW({}) IS{} NULL", left, not)
            }
            5 => {
                let not = self.random.pick(&["", " NOT"]);
                form!(Kind::Bool, "({}) IS{} DISTINCT FROM ({})", left, not, right)
            }
            _ => {
                let not = self.random.pick(&["", " NOT"]);
                let third = row(self);
                form!(Kind::Bool, "({}){} IN (({}), ({}))", left, not, right, third)
            }
        }
    }

    /// Operators of several levels with no parentheses between them.
    fn unparenthesised(&mut self, scope: &Scope<'_>) -> Expr {
        let number = |own: &mut Self| own.column_or_literal(Kind::Int, scope, true);
        let (a, b, c) = (number(self), number(self), number(self));
        let (p, q) = (self.simple(scope, 0), self.column_or_literal(Kind::Bool, scope, false));
        let text = self.column_or_literal(Kind::Text, scope, false);
        match self.random.below(16) {
            0 => form!(Kind::Bool, "{} IS DISTINCT FROM true AND {} = {}", q, a, b),
            1 => form!(Kind::Bool, "{} IS NOT DISTINCT FROM {} OR {} = {}", a, b.clone(), b, c),
            2 => form!(Kind::Bool, "NOT {} = {}", a, b),
            3 => form!(Kind::Bool, "NOT {} IS NULL AND {} < {}", a, b, c),
            4 => form!(Kind::Bool, "- {} < {} - {}", a, b, c),
            5 => form!(Kind::Bool, "{} || 'b' = 'ab' OR {} IS NULL", text, a),
            6 => form!(Kind::Bool, "{} + {} * 2 >= {} - 1 AND NOT {}", a, b, c, q),
            7 => form!(Kind::Bool, "{} = {} IS NOT TRUE", a, b),
            8 => form!(Kind::Bool, "{} BETWEEN {} AND {} AND {}", a, b, c, p),
            9 => form!(Kind::Bool, "{} NOT BETWEEN {} - 1 AND {} + 1 OR {}", a, b, c, p),
            10 => form!(Kind::Bool, "{} NOT IN (1, 2) AND {} IN ({}, 3)", a, b, c),
            11 => form!(Kind::Bool, "{} IS NULL = {}", a, q),
            12 => form!(Kind::Bool, "{} OR {} = {} AND {}", q.clone(), a, b, q),
            13 => form!(Kind::Bool, "{} < {} IS DISTINCT FROM {}", a, b, q),
            14 => form!(Kind::Bool, "{} NOT LIKE 'a' || '%' AND {} IS NOT NULL", text, a),
            _ => form!(Kind::Bool, "- {} % 3 = {} OR {} - {} - 1 = 0", a.clone(), b, a, c),
        }
    }

    /// What would fail on rows that a condition beside it keeps away. PostgreSQL evaluates from left to right.
    fn guarded(&mut self, scope: &Scope<'_>) -> Expr {
        let number = self.column_or_literal(Kind::Int, scope, true);
        let text = self.column_or_literal(Kind::Text, scope, false);
        let constant = self.random.pick(&["1", "2", "3"]);
        let is_number = "~ '^[0-9]+$'";
        match self.random.below(5) {
            0 => form!(Kind::Bool, "({} <> 0 AND 10 / {} > {})", number.clone(), number, constant),
            1 => form!(Kind::Bool, "({} = 0 OR 10 / {} > {})", number.clone(), number, constant),
            2 => form!(
                Kind::Bool,
                "CASE WHEN {} <> 0 THEN 10 / {} > {} ELSE false END",
                number.clone(),
                number,
                constant
            ),
            3 => form!(
                Kind::Bool,
                "CASE WHEN {} {} THEN CAST({} AS INT) > {} END",
                text.clone(),
                is_number,
                text,
                constant
            ),
            _ => form!(Kind::Bool, "({} {} AND CAST({} AS INT) > {})", text.clone(), is_number, text, constant),
        }
    }

    /// A condition between columns of the query and columns around it, if there are any.
    pub(crate) fn correlation(&mut self, scope: &Scope<'_>) -> Option<Expr> {
        let outer = scope.outer?;
        let mut own = scope.columns(|_| true);
        self.random.shuffle(&mut own);
        for inner in own {
            let matching = outer.columns(|column| column.kind == inner.kind());
            if matching.is_empty() {
                continue;
            }
            let other = self.random.pick(&matching);
            let operator = self.random.pick(&["=", "=", "=", "=", "<", ">=", "<>", "IS NOT DISTINCT FROM"]);
            let sides = if self.random.chance(50) { [inner, other] } else { [other, inner] };
            let [left, right] = sides;
            return Some(form!(Kind::Bool, "{} {} {}", left, operator, right));
        }
        None
    }

    /// All conditions that there are, as one.
    pub(crate) fn all_of(&self, conditions: Vec<Expr>) -> Option<Expr> {
        conditions.into_iter().reduce(|left, right| {
            Expr::Parts(Kind::Bool, vec![Part::from(left), Part::from(" AND ("), Part::from(right), Part::from(")")])
        })
    }
}
