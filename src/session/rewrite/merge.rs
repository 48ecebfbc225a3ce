//! The columns of a FROM clause, and joins with USING and NATURAL as joins with ON.
//!
//! PostgreSQL shows a column that two tables are joined by once, before all others: it is the left table's, the right
//! one's in a RIGHT JOIN, and in a FULL JOIN whichever is not NULL. Each keeps its own under its table's name.

use std::{
    collections::{HashMap, HashSet},
    sync::Arc,
};

use arrow::datatypes::DataType;
use datafusion::sql::sqlparser::ast::{
    BinaryOperator, Expr, Ident, Join, JoinConstraint, JoinOperator, ObjectName, Query, Select, SelectItem,
    SelectItemQualifiedWildcardKind, SetExpr, TableAlias, TableAliasColumnDef, TableFactor, TableWithJoins, VisitMut,
};

use super::{
    all, call, common_types,
    conditions::Condition,
    operation,
    whole_rows::{self, Relation},
};
use crate::{Error, Fault, Result, error::MARK};

/// The columns of what has a name in FROM: CTEs that can be seen, and tables.
#[derive(Debug, Default, Clone)]
pub(super) struct Known {
    pub(super) ctes: HashMap<String, Vec<String>>,
    pub(super) relations: Arc<HashMap<String, Vec<String>>>,
    /// Tables that there are not, by the texts of their names.
    pub(super) missing: Arc<HashSet<String>>,
    /// The types of the columns of tables, calls and queries in FROM, as far as they are known, by their texts.
    pub(super) types: Arc<HashMap<String, Vec<DataType>>>,
}

/// A column that `*` shows and that is found by its name alone.
#[derive(Debug, Clone)]
pub(super) struct Visible {
    pub(super) name: String,
    /// What the name stands for.
    pub(super) value: Expr,
    /// Whether the planner would not find it by its name.
    pub(super) merged: bool,
    data_type: Option<DataType>,
}

/// What FROM offers.
#[derive(Debug, Clone, Default)]
pub(super) struct Namespace {
    pub(super) columns: Vec<Visible>,
    pub(super) relations: Vec<Relation>,
}

impl Namespace {
    /// The columns of this name.
    pub(super) fn find(&self, name: &str) -> impl Iterator<Item = &Visible> {
        self.columns.iter().filter(move |column| column.name == name)
    }

    /// The columns that an item of the list shows by `*`; none where they are not known.
    pub(super) fn shown_by(&self, item: &SelectItem) -> Option<Vec<Visible>> {
        match item {
            SelectItem::Wildcard(_) => Some(self.columns.clone()),
            SelectItem::QualifiedWildcard(SelectItemQualifiedWildcardKind::ObjectName(name), _) => {
                let parts: Vec<String> = name.0.iter().filter_map(|part| part.as_ident()).map(folded).collect();
                let relation = self.relations.iter().find(|relation| relation.name.ends_with(&parts))?;
                let visible = |(name, value): (&String, Expr)| Visible {
                    name: name.clone(),
                    value,
                    merged: false,
                    data_type: None,
                };
                Some(relation.columns.iter().zip(relation.values()).map(visible).collect())
            }
            SelectItem::QualifiedWildcard(..) => None,
            _ => Some(Vec::new()),
        }
    }

    /// Whether two columns have one name.
    pub(super) fn repeats_names(&self) -> bool {
        let mut names = HashSet::new();
        !self.columns.iter().all(|column| names.insert(&column.name))
    }

    fn extend(&mut self, other: Self) {
        self.columns.extend(other.columns);
        self.relations.extend(other.relations);
    }

    /// The one column of this name.
    fn one(&self, name: &str, side: &str) -> Result<Visible> {
        let mut found = self.find(name);
        match (found.next(), found.next()) {
            (Some(column), None) => Ok(column.clone()),
            (None, _) => {
                let message = format!("column \"{name}\" specified in USING clause does not exist in {side} table");
                Err(Error::new(Fault::UndefinedColumn, message))
            }
            (Some(_), Some(_)) => {
                let message = format!("common column name \"{name}\" appears more than once in {side} table");
                Err(Error::new(Fault::AmbiguousColumn, message))
            }
        }
    }
}

/// An identifier as it is stored.
pub(in crate::session) fn folded(ident: &Ident) -> String {
    match ident.quote_style {
        Some(_) => ident.value.clone(),
        None => ident.value.to_lowercase(),
    }
}

/// Whether a FROM clause joins by the names of columns.
pub(crate) fn joins_by_name(from: &[TableWithJoins]) -> bool {
    from.iter().any(|item| {
        let nested = |factor: &TableFactor| match factor {
            TableFactor::NestedJoin { table_with_joins, .. } => {
                joins_by_name(std::slice::from_ref(table_with_joins.as_ref()))
            }
            _ => false,
        };
        let by_name = |join: &Join| {
            let found = constraint(&join.join_operator);
            matches!(found, Some(JoinConstraint::Using(_) | JoinConstraint::Natural)) || nested(&join.relation)
        };
        nested(&item.relation) || item.joins.iter().any(by_name)
    })
}

impl Known {
    /// The columns of a FROM clause, whose joins are written with ON from then on; none where a relation's columns are not
    /// known.
    pub(super) fn namespace(&self, from: &mut [TableWithJoins]) -> Result<Option<Namespace>> {
        let mut whole = Namespace::default();
        for item in from {
            let Some(namespace) = self.joined(item)? else { return Ok(None) };
            whole.extend(namespace);
        }
        Ok(Some(whole))
    }

    fn joined(&self, item: &mut TableWithJoins) -> Result<Option<Namespace>> {
        let mut left = self.relation(&mut item.relation)?;
        let mut has_missing = self.is_missing(&item.relation);
        for join in &mut item.joins {
            let right = self.relation(&mut join.relation)?;
            has_missing |= self.is_missing(&join.relation);
            left = match (left, right) {
                (Some(mut left), Some(mut right)) => {
                    whole_rows::without_match(&mut left, &mut right, &join.join_operator);
                    Some(merged(left, right, &mut join.join_operator)?)
                }
                // Whoever plans the join tells of the table.
                _ if has_missing => None,
                _ => match constraint(&join.join_operator) {
                    Some(JoinConstraint::Using(_) | JoinConstraint::Natural) => {
                        let message =
                            "USING and NATURAL need the columns of both sides, which are not known here; join with ON";
                        return Err(Error::new(Fault::FeatureNotSupported, message));
                    }
                    _ => None,
                },
            };
        }
        Ok(left)
    }

    fn relation(&self, factor: &mut TableFactor) -> Result<Option<Namespace>> {
        if let TableFactor::NestedJoin { table_with_joins, alias } = factor {
            let by_name = joins_by_name(std::slice::from_ref(table_with_joins.as_ref()));
            let namespace = self.joined(table_with_joins)?;
            let (Some(namespace), Some(alias)) = (&namespace, alias.as_mut()) else { return Ok(namespace) };
            name_rest(alias, &inner_names(namespace));
            let mut named = aliased(alias, namespace.columns.iter().map(|column| column.name.clone()).collect());
            if by_name {
                let relation = alias.name.clone();
                let inner = inner_names(namespace);
                // Those that the alias gives no name keep the one that they have within.
                for (column, own) in named.columns.iter_mut().zip(&inner).skip(alias.columns.len()) {
                    let parts = vec![relation.clone(), Ident::with_quote('"', own)];
                    column.value = Expr::CompoundIdentifier(parts);
                }
                *factor = derived(table_with_joins, namespace, &inner, alias)?;
            }
            return Ok(Some(named));
        }
        let (alias, name, columns) = match &*factor {
            TableFactor::Table { name, alias, args: None, .. } => (alias, Some(name), self.table(name)),
            TableFactor::Table { alias, name, args: Some(_), .. } => {
                (alias, Some(name), self.relations.get(&text(factor)).cloned())
            }
            TableFactor::Function { alias, name, .. } => {
                (alias, Some(name), self.relations.get(&text(factor)).cloned())
            }
            TableFactor::Derived { subquery, alias, .. } => (alias, None, self.query(subquery)?),
            _ => return Ok(None),
        };
        let Some(columns) = columns else { return Ok(None) };
        let is_cte = name.is_some_and(|name| self.cte(name).is_some());
        let types = self.types.get(&text(factor)).filter(|_| !is_cte);
        let mut namespace = match (alias, name) {
            (Some(alias), _) => aliased(alias, columns.clone()),
            (None, Some(name)) => {
                named(name.0.iter().filter_map(|part| part.as_ident()).cloned().collect(), columns.clone())
            }
            (None, None) => named(Vec::new(), columns.clone()),
        };
        whole_rows::of_item(&mut namespace, factor);
        for (column, data_type) in namespace.columns.iter_mut().zip(types.into_iter().flatten()) {
            column.data_type = Some(data_type.clone());
        }
        name_all(factor, &columns);
        Ok(Some(namespace))
    }

    /// Whether one of the items is a table that there is not.
    pub(super) fn miss_any(&self, items: &[TableWithJoins]) -> bool {
        let joined = |item: &TableWithJoins| item.joins.iter().any(|join| self.is_missing(&join.relation));
        items.iter().any(|item| self.is_missing(&item.relation) || joined(item))
    }

    fn is_missing(&self, factor: &TableFactor) -> bool {
        matches!(factor, TableFactor::Table { name, args: None, .. } if self.missing.contains(&name.to_string()))
    }

    fn cte(&self, name: &ObjectName) -> Option<&Vec<String>> {
        match name.0.as_slice() {
            [part] => part.as_ident().and_then(|ident| self.ctes.get(&folded(ident))),
            _ => None,
        }
    }

    fn table(&self, name: &ObjectName) -> Option<Vec<String>> {
        self.cte(name).or_else(|| self.relations.get(&name.to_string())).cloned()
    }

    /// The names of a query's columns; an expression without one is called as nothing can be referred to.
    pub(super) fn query(&self, query: &Query) -> Result<Option<Vec<String>>> {
        let mut known = self.clone();
        known.add_ctes(query)?;
        known.body(&query.body)
    }

    /// Adds the CTEs of a query, each seen by those that follow.
    pub(super) fn add_ctes(&mut self, query: &Query) -> Result<()> {
        for cte in query.with.iter().flat_map(|with| &with.cte_tables) {
            let name = folded(&cte.alias.name);
            let columns = self.query(&cte.query)?;
            match columns {
                Some(columns) => self.ctes.insert(name, renamed(&cte.alias, columns)),
                None => self.ctes.remove(&name),
            };
        }
        Ok(())
    }

    fn body(&self, body: &SetExpr) -> Result<Option<Vec<String>>> {
        match body {
            SetExpr::Select(select) => self.select(select),
            SetExpr::Query(query) => self.query(query),
            SetExpr::SetOperation { left, .. } => self.body(left),
            SetExpr::Values(values) => {
                let width = values.rows.first().map_or(0, |row| row.len());
                Ok(Some((1..=width).map(|number| format!("column{number}")).collect()))
            }
            _ => Ok(None),
        }
    }

    fn select(&self, select: &Select) -> Result<Option<Vec<String>>> {
        let name = |item: &SelectItem| name_of(item).unwrap_or_else(|| "?column?".to_owned());
        if !select.projection.iter().any(is_wildcard) {
            return Ok(Some(select.projection.iter().map(name).collect()));
        }
        let Some(namespace) = self.namespace(&mut select.from.clone())? else { return Ok(None) };
        let mut projection = select.projection.clone();
        mark_beside_wildcards(&mut projection, &namespace);
        expand(&mut projection, &namespace);
        Ok((!projection.iter().any(is_wildcard)).then(|| projection.iter().map(name).collect()))
    }
}

pub(super) fn is_wildcard(item: &SelectItem) -> bool {
    matches!(item, SelectItem::Wildcard(_) | SelectItem::QualifiedWildcard(..))
}

fn name_all(factor: &mut TableFactor, columns: &[String]) {
    if let TableFactor::Table { alias: Some(alias), .. } | TableFactor::Derived { alias: Some(alias), .. } = factor {
        name_rest(alias, columns);
    }
}

/// An alias may name the first columns only: the planner wants all or none.
pub(super) fn name_rest(alias: &mut TableAlias, columns: &[String]) {
    if !alias.columns.is_empty() {
        let rest = columns.iter().skip(alias.columns.len());
        let rest = rest.map(|name| TableAliasColumnDef { name: Ident::with_quote('"', name), data_type: None });
        alias.columns.extend(rest);
    }
}

/// Writes out the columns of `*`, of which the later ones of a name get marks.
pub(super) fn expand(projection: &mut Vec<SelectItem>, namespace: &Namespace) {
    let own = |column: &Visible| parts_of(&column.value).pop().unwrap_or_else(|| column.name.clone());
    let all: HashSet<String> = namespace.columns.iter().map(own).collect();
    let mut names = HashSet::new();
    let mut written = Vec::with_capacity(projection.len());
    for item in projection.drain(..) {
        let columns = match is_wildcard(&item) {
            true => namespace.shown_by(&item),
            false => None,
        };
        let Some(columns) = columns else {
            written.push(item);
            continue;
        };
        for column in columns {
            if names.insert(own(&column)) {
                written.push(shown(&column));
                continue;
            }
            let alias = Ident::with_quote('"', unlike(&column.name, &all, &mut names));
            written.push(SelectItem::ExprWithAlias { expr: column.value, alias });
        }
    }
    *projection = written;
}

/// Tells apart the columns of a list that has `*` and, beside it, others of the same names: nothing can name the later ones,
/// and they are shown.
pub(super) fn mark_beside_wildcards(projection: &mut Vec<SelectItem>, namespace: &Namespace) {
    if projection.len() < 2 || !projection.iter().any(is_wildcard) {
        return;
    }
    let of_each: Option<Vec<Vec<Visible>>> = projection.iter().map(|item| namespace.shown_by(item)).collect();
    let Some(of_each) = of_each else { return };
    let hidden: HashSet<String> = of_each.iter().flatten().map(|column| column.name.clone()).collect();
    let mut shown = Vec::new();
    let mut names = HashSet::new();
    let mut apart = Vec::with_capacity(projection.len());
    for (item, columns) in projection.drain(..).zip(of_each) {
        let expression = match &item {
            SelectItem::ExprWithAlias { expr, .. } | SelectItem::UnnamedExpr(expr) => expr.clone(),
            _ if columns.iter().any(|column| shown.contains(&parts_of(&column.value))) => {
                for column in columns {
                    let alias = Ident::with_quote('"', unlike(&column.name, &hidden, &mut names));
                    apart.push(SelectItem::ExprWithAlias { expr: column.value, alias });
                }
                continue;
            }
            _ => {
                shown.extend(columns.iter().map(|column| parts_of(&column.value)));
                apart.push(item);
                continue;
            }
        };
        apart.push(match name_of(&item) {
            Some(name) if hidden.contains(&name) || names.contains(&name) => {
                let alias = Ident::with_quote('"', unlike(&name, &hidden, &mut names));
                SelectItem::ExprWithAlias { expr: expression, alias }
            }
            name => {
                names.extend(name);
                item
            }
        });
    }
    *projection = apart;
}

/// The name of a column as it is stored; of what is merged, none.
fn parts_of(value: &Expr) -> Vec<String> {
    match value {
        Expr::Identifier(name) => vec![folded(name)],
        Expr::CompoundIdentifier(parts) => parts.iter().map(folded).collect(),
        _ => Vec::new(),
    }
}

/// The name with as many marks as make it another than all these, to which it is added.
fn unlike(name: &str, hidden: &HashSet<String>, names: &mut HashSet<String>) -> String {
    let mut marked = name.to_owned();
    while hidden.contains(&marked) || names.contains(&marked) {
        marked.push(MARK);
    }
    names.insert(marked.clone());
    marked
}

/// The name of a column in a SELECT list.
pub(super) fn name_of(item: &SelectItem) -> Option<String> {
    match item {
        SelectItem::ExprWithAlias { alias, .. } => Some(folded(alias)),
        SelectItem::UnnamedExpr(Expr::Identifier(name)) => Some(folded(name)),
        SelectItem::UnnamedExpr(Expr::CompoundIdentifier(names)) => names.last().map(folded),
        _ => None,
    }
}

/// How relations are known, whatever they are called.
pub(super) fn text(factor: &TableFactor) -> String {
    let mut factor = factor.clone();
    if let TableFactor::Table { alias, .. } | TableFactor::Function { alias, .. } | TableFactor::Derived { alias, .. } =
        &mut factor
    {
        *alias = None;
    }
    factor.to_string()
}

fn aliased(alias: &TableAlias, columns: Vec<String>) -> Namespace {
    named(vec![alias.name.clone()], renamed(alias, columns))
}

fn renamed(alias: &TableAlias, mut columns: Vec<String>) -> Vec<String> {
    for (column, name) in columns.iter_mut().zip(&alias.columns) {
        *column = folded(&name.name);
    }
    columns
}

fn named(qualifier: Vec<Ident>, columns: Vec<String>) -> Namespace {
    let visible = |name: &String| {
        let column = Ident::with_quote('"', name);
        let value = match qualifier.is_empty() {
            true => Expr::Identifier(column),
            false => Expr::CompoundIdentifier(qualifier.iter().cloned().chain([column]).collect()),
        };
        Visible { name: name.clone(), value, merged: false, data_type: None }
    };
    Namespace {
        columns: columns.iter().map(visible).collect(),
        relations: vec![Relation::new(qualifier.iter().map(folded).collect(), columns)],
    }
}

pub(super) fn constraint(operator: &JoinOperator) -> Option<&JoinConstraint> {
    match operator {
        JoinOperator::Join(constraint)
        | JoinOperator::Inner(constraint)
        | JoinOperator::Left(constraint)
        | JoinOperator::LeftOuter(constraint)
        | JoinOperator::Right(constraint)
        | JoinOperator::RightOuter(constraint)
        | JoinOperator::FullOuter(constraint)
        | JoinOperator::CrossJoin(constraint)
        | JoinOperator::LeftSemi(constraint)
        | JoinOperator::RightSemi(constraint)
        | JoinOperator::LeftAnti(constraint)
        | JoinOperator::RightAnti(constraint) => Some(constraint),
        _ => None,
    }
}

pub(super) fn constraint_mut(operator: &mut JoinOperator) -> Option<&mut JoinConstraint> {
    match operator {
        JoinOperator::Join(constraint)
        | JoinOperator::Inner(constraint)
        | JoinOperator::Left(constraint)
        | JoinOperator::LeftOuter(constraint)
        | JoinOperator::Right(constraint)
        | JoinOperator::RightOuter(constraint)
        | JoinOperator::FullOuter(constraint)
        | JoinOperator::LeftSemi(constraint)
        | JoinOperator::RightSemi(constraint)
        | JoinOperator::LeftAnti(constraint)
        | JoinOperator::RightAnti(constraint) => Some(constraint),
        _ => None,
    }
}

/// The columns of a join; one by names is written with ON.
fn merged(left: Namespace, right: Namespace, operator: &mut JoinOperator) -> Result<Namespace> {
    let names = match constraint(operator) {
        Some(JoinConstraint::Using(names)) => {
            let name = |name: &ObjectName| match name.0.as_slice() {
                [part] => part.as_ident().map(folded),
                _ => None,
            };
            let names: Option<Vec<String>> = names.iter().map(name).collect();
            names.ok_or_else(|| Error::new(Fault::Syntax, "USING takes the names of columns without their table"))?
        }
        Some(JoinConstraint::Natural) => {
            let mut names: Vec<String> = Vec::new();
            for column in &left.columns {
                if right.find(&column.name).next().is_some() && !names.contains(&column.name) {
                    names.push(column.name.clone());
                }
            }
            names
        }
        _ => {
            let namespace = side_by_side(left, right, operator);
            if let Some(JoinConstraint::On(condition)) = constraint_mut(operator) {
                let _ = condition.visit(&mut Condition::of(&namespace));
            }
            return Ok(namespace);
        }
    };
    let mut columns = Vec::new();
    let mut conditions = Vec::new();
    for name in &names {
        let (of_left, of_right) = (left.one(name, "left")?, right.one(name, "right")?);
        conditions.push(operation(of_left.value.clone(), BinaryOperator::Eq, of_right.value.clone()));
        let types = (of_left.data_type.as_ref(), of_right.data_type.as_ref());
        common_types::check(types)?;
        let value = match operator {
            JoinOperator::FullOuter(_) => call("coalesce", vec![of_left.value.clone(), of_right.value.clone()]),
            _ if common_types::takes_right(operator, types) => of_right.value.clone(),
            _ => of_left.value.clone(),
        };
        let (value, data_type) = common_types::merged(value, types);
        columns.push(Visible { name: name.clone(), value, merged: true, data_type });
    }
    if let Some(constraint) = constraint_mut(operator) {
        *constraint = JoinConstraint::On(all(conditions));
    }
    let rest = |side: Namespace| side.columns.into_iter().filter(|column| !names.contains(&column.name));
    let mut relations = left.relations.clone();
    relations.extend(right.relations.clone());
    match operator {
        JoinOperator::LeftSemi(_) | JoinOperator::LeftAnti(_) => columns.extend(rest(left)),
        JoinOperator::RightSemi(_) | JoinOperator::RightAnti(_) => columns.extend(rest(right)),
        _ => columns.extend(rest(left).chain(rest(right)).collect::<Vec<_>>()),
    }
    Ok(Namespace { columns, relations })
}

fn side_by_side(mut left: Namespace, right: Namespace, operator: &JoinOperator) -> Namespace {
    match operator {
        JoinOperator::LeftSemi(_) | JoinOperator::LeftAnti(_) => left,
        JoinOperator::RightSemi(_) | JoinOperator::RightAnti(_) => right,
        _ => {
            left.extend(right);
            left
        }
    }
}

/// The names of a join's columns, of which those of one name have marks: nothing can name them, and `*` shows them all.
fn inner_names(namespace: &Namespace) -> Vec<String> {
    let mut times: HashMap<&str, usize> = HashMap::new();
    let names = namespace.columns.iter().map(|column| {
        let before = times.entry(&column.name).or_default();
        *before += 1;
        let mut name = column.name.clone();
        if namespace.find(&column.name).nth(1).is_some() {
            name.extend(std::iter::repeat_n(MARK, *before));
        }
        name
    });
    names.collect()
}

/// A join in parentheses with a name of its own shows merged columns once under that name.
fn derived(join: &TableWithJoins, namespace: &Namespace, names: &[String], alias: &TableAlias) -> Result<TableFactor> {
    let mut query = super::query_from(vec![join.clone()])?;
    if let SetExpr::Select(select) = query.body.as_mut() {
        let item = |(column, name): (&Visible, &String)| match *name == column.name {
            true => shown(column),
            false => SelectItem::ExprWithAlias { expr: column.value.clone(), alias: Ident::with_quote('"', name) },
        };
        select.projection = namespace.columns.iter().zip(names).map(item).collect();
    }
    Ok(TableFactor::Derived { lateral: false, subquery: query, alias: Some(alias.clone()), sample: None })
}

/// A column as an item of a SELECT list.
pub(super) fn shown(column: &Visible) -> SelectItem {
    match &column.value {
        Expr::CompoundIdentifier(_) | Expr::Identifier(_) => SelectItem::UnnamedExpr(column.value.clone()),
        value => SelectItem::ExprWithAlias { expr: value.clone(), alias: Ident::with_quote('"', &column.name) },
    }
}
