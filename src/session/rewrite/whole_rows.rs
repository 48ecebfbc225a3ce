//! The name of an item of FROM, where no column has it, is the row of its columns.
//!
//! ```sql
//! SELECT t, count(t), t IS NULL, t = u FROM t, u GROUP BY t, u
//! ```
//!
//! A row that an outer join has no match for is NULL, which is another than one of NULLs: it can be asked for with IS NULL alone.

use std::collections::HashSet;

use datafusion::sql::sqlparser::ast::{Expr, Ident, JoinOperator, SelectItem, TableFactor};

use super::{
    call,
    merge::{Namespace, folded},
    quoted,
};
use crate::{Error, Fault, Result};

/// An item of FROM with its name.
#[derive(Debug, Clone)]
pub(super) struct Relation {
    /// The parts of its name.
    pub(super) name: Vec<String>,
    pub(super) columns: Vec<String>,
    row: Row,
}

/// What the name of an item alone stands for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Row {
    Columns,
    /// NULL where a join has no match.
    Matched,
    /// Another value, as that of a function is.
    Other,
}

impl Relation {
    pub(super) fn new(name: Vec<String>, columns: Vec<String>) -> Self {
        Self { name, columns, row: Row::Columns }
    }

    /// Its columns, with its name.
    pub(super) fn values(&self) -> impl Iterator<Item = Expr> {
        self.columns.iter().map(|column| {
            let parts = self.name.iter().chain([column]).map(|part| Ident::with_quote('"', part));
            Expr::CompoundIdentifier(parts.collect())
        })
    }
}

/// Of what no table, no view and no query is, the name is no row.
pub(super) fn of_item(namespace: &mut Namespace, item: &TableFactor) {
    if !has_rows(item) {
        namespace.relations.iter_mut().for_each(|relation| relation.row = Row::Other);
    }
}

fn has_rows(item: &TableFactor) -> bool {
    // Functions in FROM may be queries by now, which see what stands before them.
    matches!(item, TableFactor::Table { args: None, .. } | TableFactor::Derived { lateral: false, .. })
}

/// The name by which the row of an item is asked for.
fn name_of(item: &TableFactor) -> Option<String> {
    match item {
        item if !has_rows(item) => None,
        TableFactor::Table { alias: Some(alias), .. } | TableFactor::Derived { alias: Some(alias), .. } => {
            Some(folded(&alias.name))
        }
        TableFactor::Table { name, .. } => name.0.last().and_then(|part| part.as_ident()).map(folded),
        _ => None,
    }
}

/// The sides of a join, of which rows may have no match.
pub(super) fn without_match(left: &mut Namespace, right: &mut Namespace, operator: &JoinOperator) {
    let (of_left, of_right) = match operator {
        JoinOperator::Left(_) | JoinOperator::LeftOuter(_) => (false, true),
        JoinOperator::Right(_) | JoinOperator::RightOuter(_) => (true, false),
        JoinOperator::FullOuter(_) => (true, true),
        _ => (false, false),
    };
    for (side, is_open) in [(left, of_left), (right, of_right)] {
        for relation in side.relations.iter_mut().filter(|relation| is_open && relation.row == Row::Columns) {
            relation.row = Row::Matched;
        }
    }
}

/// The row that a name stands for; none where it is that of none. `is_tested`: it is asked whether it is NULL. `made_by`: what
/// it is written with, of the names of its columns and those, where it is to know them.
pub(super) fn row(namespace: &Namespace, name: &str, is_tested: bool, made_by: Option<&str>) -> Result<Option<Expr>> {
    let mut found = namespace.relations.iter().filter(|relation| relation.name.last().is_some_and(|own| own == name));
    let (Some(relation), None) = (found.next(), found.next()) else { return Ok(None) };
    match relation.row {
        Row::Other => Ok(None),
        _ if relation.columns.is_empty() => Ok(None),
        Row::Matched if !is_tested => {
            let message = format!(
                "the row \"{name}\" of an outer join, which may be NULL, is not supported as a value; name its columns"
            );
            Err(Error::new(Fault::FeatureNotSupported, message))
        }
        Row::Columns | Row::Matched => Ok(Some(match made_by {
            Some(made_by) => {
                let named = relation.columns.iter().zip(relation.values());
                call(made_by, named.flat_map(|(name, value)| [quoted(name.as_str()), value]).collect())
            }
            None => call("row", relation.values().collect()),
        })),
    }
}

/// Gives rows that are shown the names by which they are called; whether there are any. `made_by` says what one is written with.
pub(super) fn name_shown(
    projection: &mut [SelectItem],
    namespace: &Namespace,
    made_by: impl Fn(&Expr) -> Option<&'static str>,
) -> Result<bool> {
    let mut found = false;
    for item in projection {
        let SelectItem::UnnamedExpr(shown) = &*item else { continue };
        let Expr::Identifier(alias) = shown else { continue };
        let name = folded(alias);
        if namespace.find(&name).next().is_some() {
            continue;
        }
        if let Some(expr) = row(namespace, &name, false, made_by(shown))? {
            let alias = Ident::with_quote('"', name);
            *item = SelectItem::ExprWithAlias { expr, alias };
            found = true;
        }
    }
    Ok(found)
}

/// What a statement names that rows may be.
#[derive(Default)]
pub(super) struct Named {
    items: HashSet<String>,
    values: HashSet<String>,
}

impl Named {
    pub(super) fn item(&mut self, item: &TableFactor) {
        self.items.extend(name_of(item));
    }

    pub(super) fn value(&mut self, value: &Expr) {
        if let Expr::Identifier(name) = value {
            self.values.insert(folded(name));
        }
    }

    /// Whether a name is that of an item.
    pub(super) fn has_rows(&self) -> bool {
        !self.items.is_disjoint(&self.values)
    }
}
