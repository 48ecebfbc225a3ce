//! Values: columns, constants, and what is computed from them without overflow.

use super::{Generator, Scope};
use crate::differential::tree::{Expr, Kind, form};

impl Generator {
    /// A column of this kind if there is one in reach, from an outer query now and then.
    pub(crate) fn column(&mut self, kind: Kind, scope: &Scope<'_>, small: bool) -> Option<Expr> {
        let wanted = |column: &crate::differential::schema::Column| column.kind == kind && (!small || column.is_small);
        let inner = scope.columns(wanted);
        let mut outer = Vec::new();
        let mut next = scope.outer;
        while let Some(scope) = next {
            outer.extend(scope.columns(wanted));
            next = scope.outer;
        }
        let use_outer = !outer.is_empty() && (inner.is_empty() || self.random.chance(12));
        let choices = if use_outer { outer } else { inner };
        let chosen = (!choices.is_empty()).then(|| self.random.pick(&choices))?;
        match !use_outer && self.random.chance(12) {
            true => Some(short(chosen, scope)),
            false => Some(chosen),
        }
    }

    pub(crate) fn column_or_literal(&mut self, kind: Kind, scope: &Scope<'_>, small: bool) -> Expr {
        match self.random.chance(85) {
            true => self.column(kind, scope, small),
            false => None,
        }
        .unwrap_or_else(|| self.literal(kind, false))
    }

    /// A column of the query itself, whose kind is one of those.
    pub(crate) fn own_column(&mut self, kinds: &[Kind], scope: &Scope<'_>) -> Option<Expr> {
        let choices = scope.columns(|column| kinds.contains(&column.kind));
        (!choices.is_empty()).then(|| self.random.pick(&choices))
    }

    /// An expression of this kind; `small` when something is computed from it.
    pub(crate) fn value(&mut self, kind: Kind, scope: &Scope<'_>, small: bool, depth: usize) -> Expr {
        let depth = depth.min(self.most);
        if depth == 0 || self.random.chance(45) {
            return self.column_or_literal(kind, scope, small);
        }
        if self.random.chance(14) && self.may_nest(scope) {
            return self.scalar_subquery(kind, scope, small);
        }
        match self.random.chance(30) {
            true => self.conditional(kind, scope, small, depth - 1),
            false => match kind {
                Kind::Int => self.integer(scope, depth - 1),
                Kind::Text => self.text(scope, depth - 1),
                Kind::Bool => form!(Kind::Bool, "({})", self.predicate(scope, depth - 1)),
                Kind::Float => self.float(scope, depth - 1),
                Kind::Numeric => self.numeric(scope, depth - 1),
                Kind::Date | Kind::Timestamp => self.column_or_literal(kind, scope, small),
            },
        }
    }

    /// What chooses between values of any kind.
    fn conditional(&mut self, kind: Kind, scope: &Scope<'_>, small: bool, depth: usize) -> Expr {
        let value = |own: &mut Self| own.value(kind, scope, small, depth);
        let (first, second) = (value(self), value(self));
        match self.random.below(8) {
            0 => form!(kind, "COALESCE({}, {})", first, second),
            1 => form!(kind, "NULLIF({}, {})", first, second),
            2 => form!(kind, "GREATEST({}, {})", first, second),
            3 => form!(kind, "LEAST({}, {})", first, second),
            4 => {
                let condition = self.predicate(scope, depth);
                form!(kind, "CASE WHEN {} THEN {} END", condition, first)
            }
            5 => {
                let of = self.kind();
                let (operand, constant) = (self.value(of, scope, false, depth), self.literal(of, false));
                form!(kind, "CASE {} WHEN {} THEN {} ELSE {} END", operand, constant, first, second)
            }
            6 => {
                let conditions = [self.predicate(scope, depth), self.predicate(scope, depth)];
                let [condition, other] = conditions;
                form!(kind, "CASE WHEN {} THEN {} WHEN {} THEN {} END", condition, first, other, second)
            }
            _ => {
                let condition = self.predicate(scope, depth);
                form!(kind, "CASE WHEN {} THEN {} ELSE {} END", condition, first, second)
            }
        }
    }

    pub(crate) fn integer(&mut self, scope: &Scope<'_>, depth: usize) -> Expr {
        let operand = self.value(Kind::Int, scope, true, depth);
        let other = self.value(Kind::Int, scope, true, depth);
        let number = self.random.pick(&["2", "3"]);
        match self.random.below(16) {
            0 | 1 => form!(Kind::Int, "({} + {})", operand, other),
            2 | 3 => form!(Kind::Int, "({} - {})", operand, other),
            4 => form!(Kind::Int, "({} * {})", operand, number),
            5 => form!(Kind::Int, "(- {})", operand),
            6 => form!(Kind::Int, "ABS({})", operand),
            7 => form!(Kind::Int, "({} / {})", operand, number),
            8 => form!(Kind::Int, "({} % {})", operand, number),
            9 => {
                let text = self.value(Kind::Text, scope, false, depth);
                form!(Kind::Int, "LENGTH({})", text)
            }
            // Precedence is each engine's own affair.
            10 => form!(Kind::Int, "- {} + {} * {}", operand, other, number),
            11 => form!(Kind::Int, "{} - {} - {}", operand, other, number),
            // The guard keeps the division from rows where it fails.
            12 => {
                let divisor = self.column_or_literal(Kind::Int, scope, true);
                form!(Kind::Int, "CASE WHEN {} <> 0 THEN 10 / {} END", divisor.clone(), divisor)
            }
            13 => {
                let divisor = self.column_or_literal(Kind::Int, scope, true);
                form!(Kind::Int, "COALESCE(NULLIF({}, 0), 10 / NULLIF({}, 0), {})", divisor.clone(), divisor, other)
            }
            14 => {
                let day = self.value(Kind::Date, scope, false, depth);
                form!(Kind::Int, "CAST(EXTRACT(DAY FROM {}) AS INT)", day)
            }
            _ => {
                let text = self.column_or_literal(Kind::Text, scope, false);
                form!(Kind::Int, "CASE WHEN {} ~ '^[0-9]+$' THEN CAST({} AS INT) END", text.clone(), text)
            }
        }
    }

    fn text(&mut self, scope: &Scope<'_>, depth: usize) -> Expr {
        let operand = self.value(Kind::Text, scope, false, depth);
        match self.random.below(9) {
            0 | 1 => {
                let other = self.value(Kind::Text, scope, false, depth);
                form!(Kind::Text, "({} || {})", operand, other)
            }
            2 => form!(Kind::Text, "LOWER({})", operand),
            3 => form!(Kind::Text, "SUBSTR({}, 1, 2)", operand),
            4 => form!(Kind::Text, "TRIM({})", operand),
            5 => form!(Kind::Text, "REPLACE({}, 'a', 'z')", operand),
            6 => {
                let number = self.value(Kind::Int, scope, false, depth);
                form!(Kind::Text, "CAST({} AS TEXT)", number)
            }
            7 => {
                let truth = self.value(Kind::Bool, scope, false, depth);
                form!(Kind::Text, "CAST({} AS TEXT)", truth)
            }
            _ => {
                let other = self.value(Kind::Text, scope, false, depth);
                form!(Kind::Text, "CONCAT({}, '-', {})", operand, other)
            }
        }
    }

    /// Sums and products of columns may leave the range in groups with each type's limits, where infinities are equal too.
    fn float(&mut self, scope: &Scope<'_>, depth: usize) -> Expr {
        let operand = self.value(Kind::Float, scope, true, depth);
        match self.random.below(4) {
            0 => {
                let number = self.value(Kind::Int, scope, true, depth);
                form!(Kind::Float, "CAST({} AS DOUBLE PRECISION)", number)
            }
            1 => form!(Kind::Float, "(- {})", operand),
            2 => form!(Kind::Float, "ABS({})", operand),
            _ => {
                let other = self.value(Kind::Int, scope, true, depth);
                form!(Kind::Float, "(CAST({} AS DOUBLE PRECISION) / 4 + 0.5)", other)
            }
        }
    }

    fn numeric(&mut self, scope: &Scope<'_>, depth: usize) -> Expr {
        let operand = self.value(Kind::Numeric, scope, true, depth);
        match self.random.below(4) {
            0 => {
                let number = self.value(Kind::Int, scope, true, depth);
                form!(Kind::Numeric, "CAST({} AS NUMERIC(10, 2))", number)
            }
            1 => form!(Kind::Numeric, "(- {})", operand),
            2 => form!(Kind::Numeric, "ABS({})", operand),
            _ => {
                let other = self.column_or_literal(Kind::Numeric, scope, true);
                form!(Kind::Numeric, "({} + {})", operand, other)
            }
        }
    }
}

/// The column without its table, where one table alone has it.
fn short(column: Expr, scope: &Scope<'_>) -> Expr {
    let sql = column.sql();
    let name = sql.split_once('.').map_or(sql.as_str(), |(_, name)| name);
    let owners = scope.relations.iter().filter(|relation| relation.columns.iter().any(|column| column.name == name));
    if owners.count() == 1 { Expr::column(column.kind(), name.to_owned()) } else { column }
}
