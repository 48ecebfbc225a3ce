//! Which item of FROM a name stands for: tables of one name in several schemas, and names that are written with a schema.
//!
//! The planner takes `t`, `sales.t` and anything that has the name `t` for the same wherever one of them has no schema. So
//! where it matters, tables that are written without one get the schema that they were found in; `t.*` and `sales.t.*` become
//! what stands in FROM, and names that stand for several items or for none are errors.

use std::{
    collections::{BTreeSet, HashMap},
    ops::ControlFlow,
    sync::Arc,
};

use datafusion::sql::{
    parser::Statement as SqlStatement,
    sqlparser::ast::{
        Expr, FunctionArg, FunctionArgExpr, FunctionArguments, Ident, ObjectName, ObjectNamePart, OrderBy, OrderByKind,
        Query, Select, SelectItem, SelectItemQualifiedWildcardKind, Spanned, TableAlias, TableFactor, TableWithJoins,
        VisitMut, VisitorMut,
    },
    sqlparser::tokenizer::Location,
};

use super::{aliases::ordered_select, merge::folded, scopes::Scopes, visit};
use crate::{
    Error, Fault, Result,
    session::{DATABASE, Scope, providers::schema_of},
};

/// Writes the schemas of such names; what is ambiguous, or stands for nothing in FROM, is an error.
pub(super) fn rewrite(statement: &mut SqlStatement, scope: &Arc<Scope>) -> Result<()> {
    let mut seen = Seen::default();
    visit(statement, &mut seen)?;
    let writes = seen.is_long || seen.with_schema.iter().any(|name| seen.without.contains(name));
    let scopes = Scopes::default();
    visit(statement, &mut Telling { scope, writes, visible: Vec::new(), of_items: HashMap::new(), scopes })
}

/// What decides whether schemas matter.
#[derive(Default)]
struct Seen {
    /// Whether a column or `*` is written with more than its table.
    is_long: bool,
    /// Tables that are written with their schema.
    with_schema: BTreeSet<String>,
    /// Tables that are written without.
    without: BTreeSet<String>,
}

impl VisitorMut for Seen {
    type Break = Error;

    fn pre_visit_table_factor(&mut self, factor: &mut TableFactor) -> ControlFlow<Error> {
        if let TableFactor::Table { name, args: None, .. } = factor
            && let Some((table, schema)) = parts(name).split_last()
        {
            let names = if schema.is_empty() { &mut self.without } else { &mut self.with_schema };
            names.insert(table.clone());
        }
        ControlFlow::Continue(())
    }

    fn pre_visit_select(&mut self, select: &mut Select) -> ControlFlow<Error> {
        self.is_long |= select.projection.iter().filter_map(qualified_wildcard).any(|name| name.0.len() > 1);
        ControlFlow::Continue(())
    }

    fn pre_visit_expr(&mut self, expression: &mut Expr) -> ControlFlow<Error> {
        self.is_long |= matches!(expression, Expr::CompoundIdentifier(parts) if parts.len() > 2);
        ControlFlow::Continue(())
    }
}

/// An item of FROM.
#[derive(Debug)]
struct Item {
    name: String,
    /// The schema of a table that has no other name.
    schema: Option<String>,
    /// How it is written.
    written: Vec<Ident>,
}

impl Item {
    fn is(&self, schema: &str, name: &str) -> bool {
        self.name == name && self.schema.as_deref() == Some(schema)
    }
}

struct Telling<'a> {
    scope: &'a Arc<Scope>,
    /// Whether schemas are written where there is none.
    writes: bool,
    /// The names of the items of WITH that each query within another sees.
    visible: Vec<BTreeSet<String>>,
    /// What the query of an item of WITH sees, by its address in the tree.
    of_items: HashMap<usize, BTreeSet<String>>,
    scopes: Scopes<Vec<Item>>,
}

impl VisitorMut for Telling<'_> {
    type Break = Error;

    fn pre_visit_query(&mut self, query: &mut Query) -> ControlFlow<Error> {
        self.enter(query);
        let mut order_by = query.order_by.take();
        if let (Some(OrderBy { kind: OrderByKind::Expressions(order), .. }), Some(select)) =
            (&mut order_by, ordered_select(&query.body))
        {
            let items = flow(self.items(&mut select.from.clone()))?;
            self.scopes.enter(items);
            for ordered in order {
                ordered.expr.visit(self)?;
            }
            self.scopes.leave();
        }
        self.scopes.keep_order(order_by);
        ControlFlow::Continue(())
    }

    fn post_visit_query(&mut self, query: &mut Query) -> ControlFlow<Error> {
        query.order_by = self.scopes.kept_order();
        self.visible.pop();
        ControlFlow::Continue(())
    }

    fn pre_visit_select(&mut self, select: &mut Select) -> ControlFlow<Error> {
        let items = flow(self.items(&mut select.from))?;
        self.scopes.enter(items);
        for item in &mut select.projection {
            if let SelectItem::QualifiedWildcard(SelectItemQualifiedWildcardKind::ObjectName(name), _) = item {
                flow(self.whole(name))?;
            }
        }
        ControlFlow::Continue(())
    }

    fn post_visit_select(&mut self, _select: &mut Select) -> ControlFlow<Error> {
        self.scopes.leave();
        ControlFlow::Continue(())
    }

    fn pre_visit_table_factor(&mut self, factor: &mut TableFactor) -> ControlFlow<Error> {
        self.scopes.enter_item(factor);
        ControlFlow::Continue(())
    }

    fn post_visit_table_factor(&mut self, factor: &mut TableFactor) -> ControlFlow<Error> {
        self.scopes.leave_item(factor);
        ControlFlow::Continue(())
    }

    fn pre_visit_expr(&mut self, expression: &mut Expr) -> ControlFlow<Error> {
        match expression {
            Expr::CompoundIdentifier(parts) => flow(self.column(parts))?,
            Expr::Function(function) => {
                if let FunctionArguments::List(list) = &mut function.args {
                    for argument in &mut list.args {
                        if let FunctionArg::Unnamed(FunctionArgExpr::QualifiedWildcard(name)) = argument {
                            flow(self.whole(name))?;
                        }
                    }
                }
            }
            _ => {}
        }
        ControlFlow::Continue(())
    }
}

fn flow<T>(result: Result<T>) -> ControlFlow<Error, T> {
    match result {
        Ok(value) => ControlFlow::Continue(value),
        Err(error) => ControlFlow::Break(error),
    }
}

impl Telling<'_> {
    /// Notes which items of WITH the query and those in its WITH see.
    fn enter(&mut self, query: &Query) {
        let mut seen = match self.of_items.remove(&address(query)) {
            Some(seen) => seen,
            None => self.visible.last().cloned().unwrap_or_default(),
        };
        if let Some(with) = &query.with {
            if with.recursive {
                seen.extend(with.cte_tables.iter().map(|item| folded(&item.alias.name)));
            }
            for item in &with.cte_tables {
                self.of_items.insert(address(item.query.as_ref()), seen.clone());
                seen.insert(folded(&item.alias.name));
            }
        }
        self.visible.push(seen);
    }

    /// The items of a FROM, whose tables get their schemas; one name of two of them is an error.
    fn items(&self, from: &mut [TableWithJoins]) -> Result<Vec<Item>> {
        let mut items = Vec::new();
        for item in from {
            self.joined(item, &mut items)?;
        }
        for (at, item) in items.iter().enumerate() {
            let same = |other: &Item| {
                let apart = item.schema.is_some() && other.schema.is_some() && item.schema != other.schema;
                item.name == other.name && !apart
            };
            if items[..at].iter().any(same) {
                let message = format!("table name \"{}\" specified more than once; give one an alias", item.name);
                return Err(Error::new(Fault::DuplicateAlias, message));
            }
        }
        Ok(items)
    }

    fn joined(&self, item: &mut TableWithJoins, items: &mut Vec<Item>) -> Result<()> {
        let joined = item.joins.iter_mut().map(|join| &mut join.relation);
        for factor in std::iter::once(&mut item.relation).chain(joined) {
            let alias = match factor {
                TableFactor::NestedJoin { table_with_joins, alias: None } => {
                    self.joined(table_with_joins, items)?;
                    continue;
                }
                TableFactor::NestedJoin { table_with_joins, alias } => {
                    self.items(std::slice::from_mut(table_with_joins))?;
                    alias
                }
                TableFactor::Table { name, alias: None, args: None, .. } => {
                    items.extend(self.table(name));
                    continue;
                }
                TableFactor::Table { alias, .. }
                | TableFactor::Derived { alias, .. }
                | TableFactor::Function { alias, .. }
                | TableFactor::UNNEST { alias, .. }
                | TableFactor::TableFunction { alias, .. } => alias,
                _ => continue,
            };
            if let Some(TableAlias { name, .. }) = alias {
                items.push(Item { name: folded(name), schema: None, written: vec![name.clone()] });
            }
        }
        Ok(())
    }

    /// A table without another name, which gets its schema where that matters.
    fn table(&self, written: &mut ObjectName) -> Option<Item> {
        let names = parts(written);
        let (name, schema) = names.split_last()?;
        let schema = match schema {
            [] if self.visible.last().is_some_and(|items| items.contains(name)) => None,
            [] => schema_of(self.scope, name),
            [.., schema] => Some(schema.clone()),
        };
        if let (Some(schema), [_], true) = (&schema, names.as_slice(), self.writes) {
            written.0.insert(0, ObjectNamePart::Identifier(Ident::with_quote('"', schema)));
        }
        let written = written.0.iter().filter_map(|part| part.as_ident()).cloned().collect();
        Some(Item { name: name.clone(), schema, written })
    }

    /// Writes what stands before `.*` as the item of FROM that it stands for is written.
    fn whole(&self, name: &mut ObjectName) -> Result<()> {
        let names = parts(name);
        let place = name.span().start;
        let found = match names.as_slice() {
            [table] => self.one_of(table, place)?,
            [schema, table] => self.with_schema(schema, table),
            [database, schema, table] if database == DATABASE => self.with_schema(schema, table),
            [_, _, _] => return Err(elsewhere(&name.to_string()).at(place)),
            _ => return Ok(()),
        };
        match (found, names.as_slice()) {
            (Some(item), _) => *name = ObjectName::from(item.written.clone()),
            // A call without an alias has a name that the planner gives it.
            (None, [_]) => {}
            (None, [.., table]) => return Err(self.missing(table).at(place)),
            (None, []) => {}
        }
        Ok(())
    }

    /// Refuses a column of what is no item of FROM, or of several. One that may be the field of a column is left to the
    /// planner.
    fn column(&self, written: &[Ident]) -> Result<()> {
        let names: Vec<String> = written.iter().map(folded).collect();
        let place = written.first().map_or_else(Location::empty, |first| first.span.start);
        let is_item = |name: &str| self.all().any(|item| item.name == name);
        match names.as_slice() {
            [table, _] => self.one_of(table, place).map(drop),
            [first, second, rest @ ..] => {
                let (schema, table) = match rest {
                    [table, _, ..] if first == DATABASE && self.with_schema(second, table).is_some() => (second, table),
                    _ => (first, second),
                };
                if self.with_schema(schema, table).is_some() {
                    return self.check_hidden(schema, table).map_err(|error| error.at(place));
                }
                if is_item(first) {
                    return self.one_of(first, place).map(drop);
                }
                match rest {
                    [table, _] if self.with_schema(second, table).is_some() => {
                        let text = written.iter().map(Ident::to_string).collect::<Vec<_>>().join(".");
                        Err(elsewhere(&text).at(place))
                    }
                    _ if is_item(second) && self.scope.has_schema(first) => Err(self.missing(second).at(place)),
                    _ => Ok(()),
                }
            }
            _ => Ok(()),
        }
    }

    /// All items that can be seen, the innermost first.
    fn all(&self) -> impl Iterator<Item = &Item> {
        self.scopes.visible().flat_map(|(items, _)| items)
    }

    /// The item of this name; an error if the innermost FROM that has one has two.
    fn one_of(&self, name: &str, place: Location) -> Result<Option<&Item>> {
        let of_name = |item: &&Item| item.name == name;
        let nearest = self.scopes.visible().find_map(|(items, _)| {
            let mut found = items.iter().filter(of_name);
            Some((found.next()?, found.next()))
        });
        match nearest {
            Some((_, Some(_))) => {
                let message = format!("table reference \"{name}\" is ambiguous; write its schema, or give an alias");
                Err(Error::new(Fault::AmbiguousAlias, message).at(place))
            }
            Some((item, None)) => Ok(Some(item)),
            None => Ok(None),
        }
    }

    fn with_schema(&self, schema: &str, name: &str) -> Option<&Item> {
        self.all().find(|item| item.is(schema, name))
    }

    /// Refuses a table of a query around, where something within has its name: the planner would take that.
    fn check_hidden(&self, schema: &str, name: &str) -> Result<()> {
        match self
            .all()
            .take_while(|item| !item.is(schema, name))
            .any(|item| item.name == name && item.schema.is_none())
        {
            true => {
                let message = format!(
                    "\"{schema}.{name}\" cannot be told from what is called \"{name}\" here; give one another alias"
                );
                Err(Error::new(Fault::FeatureNotSupported, message))
            }
            false => Ok(()),
        }
    }

    /// That a name stands for no item of FROM as it is written.
    fn missing(&self, name: &str) -> Error {
        if self.all().any(|item| item.name == name) {
            let hint = format!("there is an entry for table \"{name}\", but it is not of this schema");
            return Error::Statement {
                fault: Fault::UndefinedTable,
                message: format!("invalid reference to FROM-clause entry for table \"{name}\""),
                hint: Some(hint),
            };
        }
        Error::new(Fault::UndefinedTable, format!("missing FROM-clause entry for table \"{name}\""))
    }
}

fn elsewhere(written: &str) -> Error {
    let message = format!("cross-database references are not implemented: {written}; the only database is {DATABASE}");
    Error::new(Fault::FeatureNotSupported, message)
}

fn qualified_wildcard(item: &SelectItem) -> Option<&ObjectName> {
    match item {
        SelectItem::QualifiedWildcard(SelectItemQualifiedWildcardKind::ObjectName(name), _) => Some(name),
        _ => None,
    }
}

/// The parts of a name as they are stored.
fn parts(name: &ObjectName) -> Vec<String> {
    name.0.iter().filter_map(|part| part.as_ident()).map(folded).collect()
}

fn address(query: &Query) -> usize {
    std::ptr::from_ref(query) as usize
}
