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
        match self.random.chance(12) {
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
                Kind::Date => self.date(scope, depth - 1),
                Kind::Timestamp => self.timestamp(scope, depth - 1),
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
        match self.random.below(20) {
            16 => {
                let (first, second) =
                    (self.value(Kind::Date, scope, false, depth), self.value(Kind::Date, scope, false, depth));
                form!(Kind::Int, "({} - {})", first, second)
            }
            17 => {
                let field = self.random.pick(&["YEAR", "MONTH", "DOW", "DOY", "QUARTER", "HOUR"]);
                let moment = self.value(Kind::Timestamp, scope, false, depth);
                form!(Kind::Int, "CAST(EXTRACT({} FROM {}) AS INT)", field, moment)
            }
            18 => {
                let text = self.value(Kind::Text, scope, false, depth);
                form!(Kind::Int, "POSITION('b' IN {})", text)
            }
            19 => {
                let number = self.value(Kind::Numeric, scope, true, depth);
                let function = self.random.pick(&["FLOOR", "CEIL", "ROUND", "TRUNC"]);
                form!(Kind::Int, "CAST({}({}) AS INT)", function, number)
            }
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
        let number = self.random.pick(&["-1", "0", "1", "2", "3"]);
        match self.random.below(15) {
            9 => form!(Kind::Text, "LEFT({}, {})", operand, number),
            10 => form!(Kind::Text, "RIGHT({}, {})", operand, number),
            11 => form!(Kind::Text, "LPAD({}, {}, 'zy')", operand, number),
            12 => form!(Kind::Text, "SPLIT_PART({}, '_', {})", operand, self.random.pick(&["1", "2", "-1"])),
            13 => form!(Kind::Text, "SUBSTRING({} FROM {} FOR 2)", operand, number),
            14 => form!(Kind::Text, "TRANSLATE({}, 'ab', 'b')", operand),
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

    fn date(&mut self, scope: &Scope<'_>, depth: usize) -> Expr {
        let operand = self.value(Kind::Date, scope, false, depth);
        match self.random.below(5) {
            0 => form!(Kind::Date, "({} + {})", operand, self.random.pick(&["1", "30"])),
            1 => form!(Kind::Date, "({} - {})", operand, self.random.pick(&["1", "30"])),
            2 => {
                let moment = self.value(Kind::Timestamp, scope, false, depth);
                form!(Kind::Date, "CAST({} AS DATE)", moment)
            }
            _ => operand,
        }
    }

    fn timestamp(&mut self, scope: &Scope<'_>, depth: usize) -> Expr {
        let operand = self.value(Kind::Timestamp, scope, false, depth);
        match self.random.below(6) {
            0 => {
                let length = self.random.pick(&["1 day", "1 month", "90 minutes"]);
                let operator = self.random.pick(&["+", "-"]);
                form!(Kind::Timestamp, "({} {} INTERVAL '{}')", operand, operator, length)
            }
            1 => {
                let field = self.random.pick(&["day", "month", "year", "week", "hour", "quarter"]);
                form!(Kind::Timestamp, "DATE_TRUNC('{}', {})", field, operand)
            }
            2 => {
                let day = self.value(Kind::Date, scope, false, depth);
                form!(Kind::Timestamp, "CAST({} AS TIMESTAMP)", day)
            }
            _ => operand,
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
        match self.random.below(7) {
            4 => form!(Kind::Numeric, "ROUND({}, {})", operand, self.random.pick(&["1", "0", "-1"])),
            5 => form!(Kind::Numeric, "({} * {})", operand, self.random.pick(&["2", "0.5", "-1.25"])),
            6 => form!(Kind::Numeric, "ROUND({} / {}, 3)", operand, self.random.pick(&["2", "3", "0.7"])),
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

/// The column without its table, where the name alone means the same: one table of the nearest query with that name has it.
fn short(column: Expr, scope: &Scope<'_>) -> Expr {
    let sql = column.sql();
    let Some((table, name)) = sql.split_once('.') else { return column };
    let mut next = Some(scope);
    while let Some(scope) = next {
        let has = |relation: &&super::Relation| relation.columns.iter().any(|column| column.name == name);
        let owners: Vec<_> = scope.relations.iter().filter(has).collect();
        match owners.as_slice() {
            [] => next = scope.outer,
            [owner] if owner.alias == table => return Expr::column(column.kind(), name.to_owned()),
            _ => return column,
        }
    }
    column
}
