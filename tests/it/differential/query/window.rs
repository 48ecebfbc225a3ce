//! Window functions. Where ties would choose, the order is one that leaves none.

use super::{Generator, Scope, group::whole_sum};
use crate::differential::tree::{Expr, Kind, Part, form};

const ROWS: &[&str] = &[
    "ROWS BETWEEN 1 PRECEDING AND 1 FOLLOWING",
    "ROWS BETWEEN UNBOUNDED PRECEDING AND CURRENT ROW",
    "ROWS BETWEEN CURRENT ROW AND UNBOUNDED FOLLOWING",
    "ROWS BETWEEN 2 PRECEDING AND 1 PRECEDING",
    "ROWS BETWEEN 1 FOLLOWING AND 2 FOLLOWING",
    "ROWS UNBOUNDED PRECEDING",
    "ROWS 1 PRECEDING",
];

const RANGES: &[&str] = &[
    "",
    "RANGE BETWEEN UNBOUNDED PRECEDING AND CURRENT ROW",
    "RANGE BETWEEN CURRENT ROW AND UNBOUNDED FOLLOWING",
    "RANGE BETWEEN UNBOUNDED PRECEDING AND UNBOUNDED FOLLOWING",
    "GROUPS BETWEEN 1 PRECEDING AND CURRENT ROW",
    "GROUPS BETWEEN 1 FOLLOWING AND 2 FOLLOWING",
    "GROUPS BETWEEN 1 PRECEDING AND 1 FOLLOWING",
];

/// The ends of frames by distance from the row's own value; the distance is put into the places.
const DISTANCES: &[&str] = &[
    "RANGE BETWEEN {} PRECEDING AND {} FOLLOWING",
    "RANGE BETWEEN {} PRECEDING AND CURRENT ROW",
    "RANGE BETWEEN CURRENT ROW AND {} FOLLOWING",
    "RANGE BETWEEN UNBOUNDED PRECEDING AND {} FOLLOWING",
    "RANGE {} PRECEDING",
];

impl Generator {
    /// A window function whose value is of this kind.
    pub(crate) fn window(&mut self, kind: Kind, scope: &Scope<'_>) -> Expr {
        let partition = self.partition(scope);
        if self.positions == 0 {
            return match kind {
                Kind::Int if self.random.chance(50) => self.rank(scope, partition, false),
                _ => self.over_frame(kind, scope, partition, false),
            };
        }
        self.positions -= 1;
        match kind {
            Kind::Int if self.random.chance(50) => self.rank(scope, partition, true),
            _ if self.random.chance(50) => self.of_other_row(kind, scope, partition),
            _ => self.over_frame(kind, scope, partition, true),
        }
    }

    fn partition(&mut self, scope: &Scope<'_>) -> Vec<Part> {
        let key = if self.random.chance(60) { self.own_column(&Kind::ALL, scope) } else { None };
        key.map(|key| vec![Part::Optional(vec![Part::from("PARTITION BY "), Part::from(key), Part::from(" ")])])
            .unwrap_or_default()
    }

    /// An order by some columns, with ties.
    fn some_order(&mut self, scope: &Scope<'_>) -> String {
        let first = self.own_column(&Kind::ALL, scope).map(|column| column.sql());
        match first {
            Some(first) => format!("ORDER BY {first}{}", self.direction()),
            None => self.total_order(scope),
        }
    }

    /// An order that leaves no ties but those of equal rows.
    fn total_order(&mut self, scope: &Scope<'_>) -> String {
        let columns = scope.total_order().into_iter().map(|column| format!("{column}{}", self.direction()));
        let columns: Vec<String> = columns.collect();
        match columns.is_empty() {
            true => String::new(),
            false => format!("ORDER BY {}", columns.join(", ")),
        }
    }

    /// An order by one column with a frame of the values that are near; without such a column an order with ties.
    fn range_of_distance(&mut self, scope: &Scope<'_>) -> String {
        let kinds = [Kind::Int, Kind::Int, Kind::Float, Kind::Numeric, Kind::Date, Kind::Timestamp];
        let kind = self.random.pick(&kinds);
        let choices = scope.columns(|column| column.kind == kind && column.is_small && column.is_exact);
        if choices.is_empty() {
            return self.some_order(scope);
        }
        let column = self.random.pick(&choices).sql();
        let distance = match kind {
            Kind::Int => self.random.pick(&["1", "2", "0"]),
            Kind::Float | Kind::Numeric => self.random.pick(&["0.5", "1.25", "0"]),
            _ => self.random.pick(&["INTERVAL '1 day'", "INTERVAL '1 month'", "INTERVAL '12 hours'"]),
        };
        let frame = self.random.pick(DISTANCES).replace("{}", distance);
        format!("ORDER BY {column}{} {frame}", self.direction())
    }

    fn rank(&mut self, scope: &Scope<'_>, mut partition: Vec<Part>, positions: bool) -> Expr {
        let (function, order) = match self.random.below(6) + if positions { 0 } else { 3 } {
            0 | 1 => ("ROW_NUMBER()", self.total_order(scope)),
            2 => ("NTILE(3)", self.total_order(scope)),
            3 => ("DENSE_RANK()", self.some_order(scope)),
            _ => ("RANK()", self.some_order(scope)),
        };
        partition.push(Part::from(order));
        wrapped(Kind::Int, vec![Part::from(function)], partition)
    }

    fn of_other_row(&mut self, kind: Kind, scope: &Scope<'_>, mut partition: Vec<Part>) -> Expr {
        // The value is a column of the query itself, so that equal rows give equal values.
        // A bare text would have no type.
        let value = self.own_column(&[kind], scope).unwrap_or_else(|| self.null(kind, false));
        let mut frame = "";
        let default = form!(kind, "CAST({} AS {})", self.literal(kind, false), kind.type_name());
        let call: Vec<Part> = match self.random.below(7) {
            0 => vec!["LAG(".into(), value.into(), ")".into()],
            1 => vec!["LEAD(".into(), value.into(), ")".into()],
            2 => vec!["LAG(".into(), value.into(), ", 2)".into()],
            3 => vec!["LEAD(".into(), value.into(), ", 1, ".into(), default.into(), ")".into()],
            4 => vec!["LAG(".into(), value.into(), ", 1, ".into(), default.into(), ")".into()],
            5 => {
                frame = self.random.pick(ROWS);
                vec!["FIRST_VALUE(".into(), value.into(), ")".into()]
            }
            _ => {
                frame = self.random.pick(ROWS);
                let function = self.random.pick(&["LAST_VALUE(", "LAST_VALUE(", "NTH_VALUE("]);
                let end = if function == "NTH_VALUE(" { ", 2)" } else { ")" };
                vec![function.into(), value.into(), end.into()]
            }
        };
        let order = self.total_order(scope);
        // Without an order a frame of rows would be any.
        let frame = if order.is_empty() { "" } else { frame };
        partition.push(Part::from(format!("{order} {frame}")));
        wrapped(kind, call, partition)
    }

    fn over_frame(&mut self, kind: Kind, scope: &Scope<'_>, mut partition: Vec<Part>, positions: bool) -> Expr {
        let call = self.plain_aggregate(kind, &scope.inner_only());
        let end = match self.random.below(if positions { 5 } else { 4 }) {
            3 => self.range_of_distance(scope),
            0 => String::new(),
            1 => format!("{} {}", self.some_order(scope), self.random.pick(RANGES)),
            2 => self.some_order(scope),
            _ => match self.total_order(scope) {
                order if order.is_empty() => order,
                order => format!("{order} {}", self.random.pick(ROWS)),
            },
        };
        partition.push(Part::from(end));
        wrapped(kind, vec![Part::from(call)], partition)
    }
}

fn wrapped(kind: Kind, call: Vec<Part>, window: Vec<Part>) -> Expr {
    let mut parts = call;
    parts.push(Part::from(" OVER ("));
    parts.extend(window);
    parts.push(Part::from(")"));
    whole_sum(Expr::Parts(kind, parts))
}

impl Generator {
    /// A window over the groups of a query: a rank by a key or an aggregate of it.
    pub(crate) fn window_over_groups(&mut self, keys: &[Expr], scope: &Scope<'_>) -> Expr {
        let aggregate = self.plain_aggregate(Kind::Int, &scope.inner_only());
        match self.random.below(3) {
            0 => form!(Kind::Int, "RANK() OVER (ORDER BY {})", aggregate),
            1 => form!(Kind::Int, "CAST(SUM(COUNT(*)) OVER () AS BIGINT)"),
            _ if !keys.is_empty() => {
                let key = self.random.pick(keys);
                form!(Kind::Int, "DENSE_RANK() OVER (PARTITION BY {} ORDER BY {} DESC)", key, aggregate)
            }
            _ => form!(Kind::Int, "COUNT(*) OVER ()"),
        }
    }
}
