//! The generator of queries: every answer is determined, so no LIMIT without a total order, no frame over ties.

mod group;
mod join;
mod predicate;
mod scalar;
mod subquery;
mod whole;
mod window;

use super::{
    rows::WORDS,
    schema::{Column, Table, View},
    tree::{Declared, Expr, Kind, Literal, Query},
};
use crate::random::Random;

/// What a query may read from: a table, a view or a WITH item.
#[derive(Clone)]
pub(crate) struct Readable {
    pub(crate) name: String,
    pub(crate) columns: Vec<Column>,
    pub(crate) has_key: bool,
}

/// One item of FROM, as expressions see it.
#[derive(Clone)]
pub(crate) struct Relation {
    /// Empty for the merged columns of USING, which have no table's name before them.
    pub(crate) alias: String,
    pub(crate) columns: Vec<Column>,
    pub(crate) has_key: bool,
}

/// What names mean in a query, and in those around it.
#[derive(Clone, Default)]
pub(crate) struct Scope<'a> {
    pub(crate) relations: Vec<Relation>,
    pub(crate) outer: Option<&'a Scope<'a>>,
}

impl Scope<'_> {
    /// The same relations, seen by what must not look out of the query.
    pub(crate) fn inner_only(&self) -> Scope<'static> {
        Scope { relations: self.relations.clone(), outer: None }
    }

    fn depth(&self) -> usize {
        self.outer.map_or(0, |outer| 1 + outer.depth())
    }

    /// Columns of a kind, with the names that reach them.
    pub(crate) fn columns(&self, wanted: impl Fn(&Column) -> bool) -> Vec<Expr> {
        let all = self.relations.iter().flat_map(|relation| {
            let wanted = relation.columns.iter().filter(|column| wanted(column));
            wanted.map(|column| reach(relation, column)).collect::<Vec<_>>()
        });
        all.collect()
    }

    /// Whether no two rows can be equal.
    fn has_keys(&self) -> bool {
        self.relations
            .iter()
            .all(|relation| relation.has_key && relation.columns.iter().any(|column| column.name == "id"))
    }

    /// Columns that tell every row from every other, or that show all there is of them.
    pub(crate) fn total_order(&self) -> Vec<String> {
        let all = self.relations.iter().flat_map(|relation| {
            let has_key = relation.has_key && relation.columns.iter().any(|column| column.name == "id");
            let telling = relation.columns.iter().filter(|column| !has_key || column.name == "id");
            telling.map(|column| reach(relation, column).sql()).collect::<Vec<_>>()
        });
        all.collect()
    }
}

pub(crate) fn reach(relation: &Relation, column: &Column) -> Expr {
    let name = match relation.alias.as_str() {
        "" => column.name.clone(),
        alias => format!("{alias}.{}", column.name),
    };
    Expr::column(column.kind, name)
}

/// Makes queries over the tables of one group.
pub(crate) struct Generator {
    pub(crate) random: Random,
    readable: Vec<Readable>,
    /// WITH items that can be seen now.
    ctes: Vec<Readable>,
    names: usize,
    /// Subqueries that may still be made, so that a query stays readable.
    subqueries: usize,
    parameters: bool,
    /// How deep expressions nest at most, and how many items a FROM clause has.
    most: usize,
    /// Window functions that may still tell equal rows apart. Two of them could be paired in any way.
    positions: usize,
}

impl Generator {
    pub(crate) fn new(random: Random, tables: &[Table], views: &[View]) -> Self {
        let tables = tables.iter().map(|table| Readable {
            name: table.name.clone(),
            columns: table.columns.clone(),
            has_key: table.has_key,
        });
        let views = views.iter().map(|view| Readable {
            name: view.name.clone(),
            columns: view.columns.clone(),
            has_key: false,
        });
        let readable = tables.chain(views).collect();
        Self { random, readable, ctes: Vec::new(), names: 0, subqueries: 4, parameters: false, most: 3, positions: 1 }
    }

    /// A query whose literals may be sent as parameters.
    pub(crate) fn query(&mut self, parameters: bool) -> Query {
        self.parameters = parameters;
        // Most are small, so that one fault does not hide another.
        (self.subqueries, self.most) = self.random.pick(&[(0, 1), (0, 2), (1, 1), (1, 1), (1, 2), (2, 2), (4, 5)]);
        self.whole()
    }

    fn name(&mut self, prefix: &str) -> String {
        self.names += 1;
        format!("{prefix}{}", self.names)
    }

    pub(crate) fn kind(&mut self) -> Kind {
        let index = self.random.weighted(&[45, 18, 10, 9, 8, 6, 4]);
        Kind::ALL[index]
    }

    /// Whether one more subquery may be made here.
    fn may_nest(&mut self, scope: &Scope<'_>) -> bool {
        let may = self.subqueries > 0 && scope.depth() < 2;
        if may {
            self.subqueries -= 1;
        }
        may
    }

    /// A constant that the columns of this kind hold too.
    fn literal(&mut self, kind: Kind, bare: bool) -> Expr {
        let value = match kind {
            Kind::Int => self.random.between(-1, 6).to_string(),
            Kind::Text => self.random.pick(WORDS).to_owned(),
            Kind::Bool => self.random.pick(&["true", "false"]).to_owned(),
            Kind::Float => (self.random.between(-2, 12) as f64 / 4.0).to_string(),
            Kind::Numeric => format!("{}.{}", self.random.between(0, 5), self.random.pick(&["00", "50", "25"])),
            Kind::Date => format!("2024-0{}-0{}", self.random.between(1, 2), self.random.between(1, 2)),
            Kind::Timestamp => {
                format!(
                    "2024-0{}-0{} 0{}:30:00",
                    self.random.between(1, 2),
                    self.random.between(1, 2),
                    self.random.between(0, 1)
                )
            }
        };
        let is_null = self.random.chance(4);
        let parameter = self.parameters && !is_null && self.random.chance(60);
        let declared = if bare { self.declared(kind) } else { Declared::Inferred };
        Expr::Literal(Literal { kind, value: (!is_null).then_some(value), bare, parameter, declared })
    }

    fn null(&self, kind: Kind, bare: bool) -> Expr {
        Expr::Literal(Literal { kind, value: None, bare, parameter: false, declared: Declared::Inferred })
    }

    /// A type that clients give a parameter beside columns of this kind.
    fn declared(&mut self, kind: Kind) -> Declared {
        use Declared::{As, HalfMore};
        match kind {
            Kind::Int => self.random.pick(&[
                As("int2"),
                As("int4"),
                As("int8"),
                As("int8"),
                As("float8"),
                As("numeric"),
                HalfMore("float8"),
                HalfMore("numeric"),
            ]),
            Kind::Float | Kind::Numeric => self.random.pick(&[As("float8"), As("numeric"), HalfMore("numeric")]),
            Kind::Text => self.random.pick(&[As("text"), As("varchar")]),
            Kind::Bool => As("bool"),
            Kind::Date => self.random.pick(&[As("date"), As("date"), As("timestamp")]),
            Kind::Timestamp => As("timestamp"),
        }
    }
}
