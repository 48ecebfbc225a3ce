//! What a column's name without a table stands for.
//!
//! Three things are otherwise than the planner takes them. A column that tables are joined by with USING or NATURAL is one
//! column (`merge`). A name in GROUP BY and in HAVING is a column of FROM, though a column of the result may have that name; in
//! ORDER BY a name that stands alone is a column of the result. And `t (x)` may name the first of the columns only. What is the
//! name of no column may be the row of an item of FROM (`whole_rows`).
//! Statements in which none of it matters are left alone.

mod seen;

use std::{
    collections::{HashMap, HashSet},
    ops::ControlFlow,
    sync::Arc,
};

use arrow::datatypes::{DataType, Fields};
use datafusion::{
    execution::SessionState,
    sql::{
        parser::Statement as SqlStatement,
        planner::object_name_to_table_reference,
        sqlparser::ast::{
            AccessExpr, Distinct, Expr, FunctionArg, FunctionArgExpr, GroupByExpr, Ident, JoinConstraint, OrderBy,
            OrderByKind, Query, Select, SelectItem, SetExpr, Statement, TableFactor, TableWithJoins, VisitMut,
            VisitorMut, visit_expressions,
        },
    },
};
use futures::future::BoxFuture;

use self::seen::Seen;
use super::{
    groups, json,
    merge::{
        Known, Namespace, constraint_mut, expand, folded, joins_by_name, mark_beside_wildcards, name_of, name_rest,
        shown, text,
    },
    rows,
    scopes::Scopes,
    visit, whole_rows,
};
use crate::{Error, Fault, Result, planning};

/// Finds the columns behind names, where the planner would find others.
pub(super) fn rewrite<'a>(statement: &'a mut SqlStatement, state: &'a SessionState) -> BoxFuture<'a, Result<()>> {
    Box::pin(find(statement, state))
}

async fn find(statement: &mut SqlStatement, state: &SessionState) -> Result<()> {
    let mut seen = Seen::default();
    visit(statement, &mut seen)?;
    seen.matters |= seen.rows.has_rows();
    let nested = seen.selects > 1 && seen.qualified;
    if !seen.matters && !nested {
        return Ok(());
    }
    let (mut relations, mut types, mut missing) = (HashMap::new(), HashMap::new(), HashSet::new());
    for name in seen.tables {
        let reference = object_name_to_table_reference(name.clone(), true)?;
        let table = reference.table().to_owned();
        let found = match state.schema_for_ref(reference) {
            Ok(schema) => schema.table(&table).await?,
            Err(_) => None,
        };
        if let Some(provider) = found {
            let columns = provider.schema().fields().iter().map(|field| field.name().clone()).collect();
            types.insert(name.to_string(), types_of(provider.schema().fields()));
            relations.insert(name.to_string(), columns);
        } else if !seen.ctes.contains(&table) {
            missing.insert(name.to_string());
        }
    }
    for call in seen.calls {
        let item = TableWithJoins { relation: call, joins: Vec::new() };
        let query = super::query_from(vec![item.clone()])?;
        let ast = Statement::Query(query);
        // One that cannot be planned by itself is not known.
        if let Ok(plan) = state.statement_to_plan(SqlStatement::Statement(Box::new(ast))).await {
            let columns = plan.schema().fields().iter().map(|field| field.name().clone()).collect();
            types.insert(text(&item.relation), types_of(plan.schema().fields()));
            relations.insert(text(&item.relation), columns);
        }
    }
    for derived in seen.derived.into_iter().filter(|_| seen.by_name) {
        let name = text(&derived);
        let query = super::query_from(vec![TableWithJoins { relation: derived, joins: Vec::new() }])?;
        let ast = SqlStatement::Statement(Box::new(Statement::Query(query)));
        if let Ok(plan) = state.statement_to_plan(ast).await.and_then(planning::settled) {
            types.insert(name, types_of(plan.schema().fields()));
        }
    }
    if nested {
        let mut columns = seen.named;
        columns.extend(relations.values().flatten().cloned());
        super::aliases::rewrite(statement, &columns)?;
    }
    if !seen.matters {
        return Ok(());
    }
    let known = Known {
        ctes: HashMap::new(),
        relations: Arc::new(relations),
        missing: Arc::new(missing),
        types: Arc::new(types),
    };
    visit(
        statement,
        &mut Resolver {
            known: vec![known],
            ctes_of: HashMap::new(),
            scopes: Scopes::default(),
            before: HashMap::new(),
            behind: HashSet::new(),
            not_columns: HashSet::new(),
            tested: HashSet::new(),
            joining: HashSet::new(),
            becoming_json: HashMap::new(),
            has_rows: false,
        },
    )
}

fn types_of(columns: &Fields) -> Vec<DataType> {
    columns.iter().map(|column| column.data_type().clone()).collect()
}

/// Names given to columns of the result that are not those columns' own.
pub(super) fn aliases(select: &Select) -> HashSet<String> {
    let renamed = |item: &SelectItem| match item {
        SelectItem::ExprWithAlias { expr: Expr::Identifier(name), alias } if folded(name) == folded(alias) => None,
        SelectItem::ExprWithAlias { alias, .. } => Some(folded(alias)),
        _ => None,
    };
    select.projection.iter().filter_map(renamed).collect()
}

/// What groups, and what chooses groups.
fn grouped(select: &mut Select) -> Vec<&mut Expr> {
    let grouped: &mut [Expr] = match &mut select.group_by {
        GroupByExpr::Expressions(expressions, _) => expressions,
        GroupByExpr::All(_) => &mut [],
    };
    grouped.iter_mut().chain(&mut select.having).collect()
}

pub(super) fn mentions(expression: &Expr, names: &HashSet<String>) -> bool {
    if names.is_empty() {
        return false;
    }
    let found = visit_expressions(expression, |part| match part {
        Expr::Identifier(name) if names.contains(&folded(name)) => ControlFlow::Break(()),
        _ => ControlFlow::Continue(()),
    });
    found.is_break()
}

/// What a SELECT has that a name may stand for.
enum Scope {
    /// A SELECT whose columns are known, and names that are written with their table.
    Known(Namespace, HashSet<String>),
    /// A SELECT that may have any column.
    Unknown,
}

struct Resolver {
    /// What each query within another sees.
    known: Vec<Known>,
    /// What the query of a CTE sees, by its address in the tree.
    ctes_of: HashMap<usize, Known>,
    scopes: Scopes<Scope>,
    /// What an item of FROM sees of the items before it, by its address in the tree.
    before: HashMap<usize, Namespace>,
    /// The items that were entered so.
    behind: HashSet<usize>,
    /// Names that are parts of a longer one, as in `t.list[1]`, or of relations, by their addresses in the tree.
    not_columns: HashSet<usize>,
    /// Names of which it is asked whether they are NULL, by their addresses in the tree.
    tested: HashSet<usize>,
    /// Names in conditions of joins, by their addresses in the tree.
    joining: HashSet<usize>,
    /// Names whose rows become JSON, by their addresses in the tree, with what the rows are written with.
    becoming_json: HashMap<usize, &'static str>,
    /// Whether a name was the row of an item of FROM.
    has_rows: bool,
}

fn address<T>(node: &T) -> usize {
    std::ptr::from_ref(node) as usize
}

impl VisitorMut for Resolver {
    type Break = Error;

    fn pre_visit_query(&mut self, query: &mut Query) -> ControlFlow<Error> {
        match self.enter(query) {
            Ok(()) => ControlFlow::Continue(()),
            Err(error) => ControlFlow::Break(error),
        }
    }

    fn post_visit_query(&mut self, query: &mut Query) -> ControlFlow<Error> {
        query.order_by = self.scopes.kept_order();
        self.known.pop();
        self.of_rows(|| rows::order_by(query))
    }

    fn pre_visit_select(&mut self, select: &mut Select) -> ControlFlow<Error> {
        // As it is written: joins by names are no longer told apart afterwards.
        let from = select.from.clone();
        let entered = self.select(select).and_then(|scope| {
            self.look_before(&from, &select.from, &[])?;
            self.note_joining(&mut select.from);
            self.scopes.enter(scope);
            Ok(())
        });
        match entered {
            Ok(()) => ControlFlow::Continue(()),
            Err(error) => ControlFlow::Break(error),
        }
    }

    fn post_visit_select(&mut self, select: &mut Select) -> ControlFlow<Error> {
        self.scopes.leave();
        match groups::each_column_once(select) {
            Ok(()) => ControlFlow::Continue(()),
            Err(error) => ControlFlow::Break(error),
        }
    }

    fn pre_visit_table_factor(&mut self, factor: &mut TableFactor) -> ControlFlow<Error> {
        match self.before.remove(&address(factor)) {
            Some(before) => {
                self.scopes.enter_behind(Scope::Known(before, HashSet::new()));
                self.behind.insert(address(factor));
            }
            None => self.scopes.enter_item(factor),
        }
        let arguments = match factor {
            TableFactor::Table { args: Some(arguments), .. } => arguments.args.as_slice(),
            TableFactor::Function { args, .. } => args.as_slice(),
            _ => &[],
        };
        for argument in arguments {
            if let FunctionArg::Unnamed(value)
            | FunctionArg::Named { arg: value, .. }
            | FunctionArg::ExprNamed { arg: value, .. } = argument
                && let FunctionArgExpr::Expr(name @ Expr::Identifier(_)) = value
            {
                self.not_columns.insert(address(name));
            }
        }
        ControlFlow::Continue(())
    }

    fn post_visit_table_factor(&mut self, factor: &mut TableFactor) -> ControlFlow<Error> {
        match self.behind.remove(&address(factor)) {
            true => self.scopes.leave(),
            false => self.scopes.leave_item(factor),
        }
        ControlFlow::Continue(())
    }

    fn pre_visit_expr(&mut self, expression: &mut Expr) -> ControlFlow<Error> {
        match expression {
            Expr::CompoundFieldAccess { root, access_chain } => self.not_columns(root.as_ref(), access_chain),
            Expr::IsNull(value) | Expr::IsNotNull(value) => _ = self.tested.insert(address(value.as_ref())),
            Expr::Function(function) => {
                let names = json::names(function).into_iter();
                self.becoming_json.extend(names.map(|(name, made_by)| (address(name), made_by)));
            }
            _ => {}
        }
        let address = address(expression);
        let Expr::Identifier(name) = expression else { return ControlFlow::Continue(()) };
        if self.not_columns.remove(&address) {
            self.joining.remove(&address);
            return ControlFlow::Continue(());
        }
        let is_tested = self.tested.remove(&address);
        let is_joining = self.joining.remove(&address);
        let made_by = self.becoming_json.remove(&address);
        let meaning = match self.meaning(name, is_joining) {
            Ok(None) => self.row(name, is_tested, made_by),
            found => found,
        };
        match meaning {
            Ok(Some(value)) => *expression = value,
            Ok(None) => {}
            Err(error) => return ControlFlow::Break(error),
        }
        ControlFlow::Continue(())
    }

    fn post_visit_expr(&mut self, expression: &mut Expr) -> ControlFlow<Error> {
        // What compares rows compares their columns.
        self.of_rows(|| rows::rewrite(expression))
    }
}

impl Resolver {
    fn enter(&mut self, query: &mut Query) -> Result<()> {
        let mut known = match self.ctes_of.get(&address(query)) {
            Some(known) => known.clone(),
            None => self.known.last().cloned().unwrap_or_default(),
        };
        let recursive = query.with.as_ref().is_some_and(|with| with.recursive);
        let all = {
            let mut all = known.clone();
            all.add_ctes(query)?;
            all
        };
        for cte in query.with.iter_mut().flat_map(|with| &mut with.cte_tables) {
            if let Some(columns) = all.ctes.get(&folded(&cte.alias.name)) {
                name_rest(&mut cte.alias, columns);
            }
            self.ctes_of.insert(address(&cte.query), if recursive { all.clone() } else { known.clone() });
            let name = folded(&cte.alias.name);
            match all.ctes.get(&name) {
                Some(columns) => known.ctes.insert(name, columns.clone()),
                None => known.ctes.remove(&name),
            };
        }
        self.known.push(all);
        let mut order_by = query.order_by.take();
        if let (Some(OrderBy { kind: OrderByKind::Expressions(order), .. }), SetExpr::Select(select)) =
            (&mut order_by, query.body.as_ref())
        {
            let mut select = select.as_ref().clone();
            let mut scope = self.select(&mut select)?;
            let is_on = matches!(select.distinct, Some(Distinct::On(_)));
            if is_on && let Scope::Known(_, qualified) = &mut scope {
                // There the order is that of the rows: what stands for a column of the result is written out by now.
                *qualified = aliases(&select);
            }
            self.scopes.enter(scope);
            for ordered in order {
                match is_on {
                    true => self.walk(&mut ordered.expr)?,
                    false => self.ordered(&mut ordered.expr, &select)?,
                }
            }
            self.scopes.leave();
        }
        self.scopes.keep_order(order_by);
        Ok(())
    }

    /// A name that stands alone is a column of the result, if one has it.
    fn ordered(&mut self, expression: &mut Expr, select: &Select) -> Result<()> {
        if let Expr::Identifier(name) = expression {
            let name = folded(name);
            let mut items = select.projection.iter().filter(|item| name_of(item).is_some_and(|found| found == name));
            match (items.next(), items.next()) {
                (Some(SelectItem::UnnamedExpr(value)), None) => *expression = value.clone(),
                (Some(SelectItem::ExprWithAlias { expr, .. }), None) if self.has_rows && rows::row(expr).is_some() => {
                    *expression = expr.clone();
                }
                (Some(_), _) => {}
                (None, _) => self.walk(expression)?,
            }
            return Ok(());
        }
        self.walk(expression)
    }

    /// Does what is to be done where there are rows.
    fn of_rows(&self, work: impl FnOnce() -> Result<()>) -> ControlFlow<Error> {
        let done = if self.has_rows { work() } else { Ok(()) };
        match done {
            Ok(()) => ControlFlow::Continue(()),
            Err(error) => ControlFlow::Break(error),
        }
    }

    /// The row of the item of FROM that a name is, if no column has it.
    fn row(&mut self, name: &Ident, is_tested: bool, made_by: Option<&str>) -> Result<Option<Expr>> {
        let name = folded(name);
        let mut found = None;
        for (scope, _) in self.scopes.visible() {
            let Scope::Known(namespace, _) = scope else { return Ok(None) };
            if namespace.find(&name).next().is_some() {
                return Ok(None);
            }
            if found.is_none() {
                found = whole_rows::row(namespace, &name, is_tested, made_by)?;
            }
        }
        self.has_rows |= found.is_some();
        Ok(found)
    }

    /// Remembers the parts of a name that goes on with a subscript: a table before the first point, and what follows points.
    fn not_columns(&mut self, root: &Expr, accesses: &[AccessExpr]) {
        if matches!(accesses.first(), Some(AccessExpr::Dot(_))) {
            self.not_columns.insert(address(root));
        }
        for access in accesses {
            if let AccessExpr::Dot(part) = access {
                self.not_columns.insert(address(part));
            }
        }
    }

    fn walk(&mut self, expression: &mut Expr) -> Result<()> {
        match expression.visit(self) {
            ControlFlow::Break(error) => Err(error),
            ControlFlow::Continue(()) => Ok(()),
        }
    }

    /// Writes the joins, the columns of `*` and those of groups as they are meant.
    fn select(&mut self, select: &mut Select) -> Result<Scope> {
        let by_name = joins_by_name(&select.from);
        let known = self.known.last().cloned().unwrap_or_default();
        let Some(namespace) = known.namespace(&mut select.from)? else {
            // Whoever plans the join tells of a table that is not there.
            if by_name && !known.miss_any(&select.from) {
                let message =
                    "USING and NATURAL beside a relation whose columns are not known are not supported; join with ON";
                return Err(Error::new(Fault::FeatureNotSupported, message));
            }
            return Ok(Scope::Unknown);
        };
        // DISTINCT ON names columns of the result first, as ORDER BY does.
        if let Some(Distinct::On(expressions)) = &mut select.distinct {
            for expression in expressions {
                if let Some(meant) = shown_by_name(expression, &select.projection) {
                    *expression = meant;
                }
            }
        }
        let aliases = aliases(select);
        self.has_rows |= whole_rows::name_shown(&mut select.projection, &namespace, |shown| {
            self.becoming_json.get(&address(shown)).copied()
        })?;
        mark_beside_wildcards(&mut select.projection, &namespace);
        // The columns of a query within another are told apart by their names alone.
        if by_name || self.known.len() > 2 && namespace.repeats_names() {
            expand(&mut select.projection, &namespace);
        }
        if by_name {
            for item in &mut select.projection {
                let SelectItem::UnnamedExpr(Expr::Identifier(name)) = item else { continue };
                let name = folded(name);
                let mut found = namespace.find(&name);
                if let (Some(column), None) = (found.next(), found.next())
                    && column.merged
                {
                    *item = shown(column);
                }
            }
        }
        if !aliases.is_empty() {
            self.scopes.enter(Scope::Known(namespace.clone(), aliases));
            for expression in grouped(select) {
                self.walk(expression)?;
            }
            // As those of ORDER BY, which must be the same.
            if let Some(Distinct::On(expressions)) = &mut select.distinct {
                for expression in expressions {
                    self.walk(expression)?;
                }
            }
            self.scopes.leave();
        }
        Ok(Scope::Known(namespace, HashSet::new()))
    }

    /// Notes what the items of a FROM that may see those before them see: `from` is it as it is written, `now` as it is
    /// planned, and `before` what stands before all of it.
    fn look_before(
        &mut self,
        from: &[TableWithJoins],
        now: &[TableWithJoins],
        before: &[TableWithJoins],
    ) -> Result<()> {
        let mut before = before.to_vec();
        for (item, now) in from.iter().zip(now) {
            self.look_before_item(&item.relation, &now.relation, &before)?;
            let mut left = TableWithJoins { relation: item.relation.clone(), joins: Vec::new() };
            for (join, now) in item.joins.iter().zip(&now.joins) {
                before.push(left.clone());
                self.look_before_item(&join.relation, &now.relation, &before)?;
                before.pop();
                left.joins.push(join.clone());
            }
            before.push(left);
        }
        Ok(())
    }

    fn look_before_item(&mut self, item: &TableFactor, now: &TableFactor, before: &[TableWithJoins]) -> Result<()> {
        match (item, now) {
            (TableFactor::Derived { lateral: true, .. } | TableFactor::Function { lateral: true, .. }, _) => {
                let known = self.known.last().cloned().unwrap_or_default();
                if let Some(before) = known.namespace(&mut before.to_vec())? {
                    self.before.insert(address(now), before);
                }
                Ok(())
            }
            (
                TableFactor::NestedJoin { table_with_joins: item, .. },
                TableFactor::NestedJoin { table_with_joins: now, .. },
            ) => self.look_before(std::slice::from_ref(item), std::slice::from_ref(now), before),
            _ => Ok(()),
        }
    }

    /// Notes the names in the conditions of these joins.
    fn note_joining(&mut self, items: &mut [TableWithJoins]) {
        for item in items {
            self.note_joining_within(&mut item.relation);
            for join in &mut item.joins {
                self.note_joining_within(&mut join.relation);
                if let Some(JoinConstraint::On(condition)) = constraint_mut(&mut join.join_operator) {
                    let _ = visit_expressions(&*condition, |part| {
                        if let Expr::Identifier(_) = part {
                            self.joining.insert(address(part));
                        }
                        ControlFlow::<()>::Continue(())
                    });
                }
            }
        }
    }

    fn note_joining_within(&mut self, relation: &mut TableFactor) {
        if let TableFactor::NestedJoin { table_with_joins, .. } = relation {
            self.note_joining(std::slice::from_mut(table_with_joins.as_mut()));
        }
    }

    /// What a name stands for, where the planner would not find it. In the condition of a join it is a column of what that join
    /// joins, where others of the name stand behind it in FROM: the planner, which plans the joins one by one, tells them apart.
    fn meaning(&self, name: &Ident, is_joining: bool) -> Result<Option<Expr>> {
        let name = folded(name);
        let mut around = false;
        let mut within_item = false;
        for (scope, is_before) in self.scopes.visible() {
            let Scope::Known(namespace, qualified) = scope else { return Ok(None) };
            let mut found = namespace.find(&name);
            match (found.next(), found.next()) {
                (None, _) => {}
                // An item of FROM sees those before it alone, which the planner knows.
                (Some(_), _) if within_item => return Err(ambiguous(&name)),
                (Some(_), Some(_)) if around && !is_before => within_item = true,
                (Some(column), None) => {
                    // The planner asks those before an item and the queries around it at once.
                    let write = is_before || column.merged || qualified.contains(&name);
                    return Ok(write.then(|| column.value.clone()));
                }
                (Some(_), Some(_)) if is_joining && !namespace.find(&name).any(|column| column.merged) => {
                    return Ok(None);
                }
                (Some(_), Some(_)) => return Err(ambiguous(&name)),
            }
            around = true;
        }
        Ok(None)
    }
}

fn ambiguous(name: &str) -> Error {
    Error::new(Fault::AmbiguousColumn, format!("column reference \"{name}\" is ambiguous; name its table"))
}

/// The expression of the one column of the result that has this name.
pub(super) fn shown_by_name(expression: &Expr, projection: &[SelectItem]) -> Option<Expr> {
    let Expr::Identifier(name) = expression else { return None };
    let name = folded(name);
    let mut same = projection.iter().filter(|item| name_of(item).is_some_and(|found| found == name));
    match (same.next()?, same.next()) {
        (SelectItem::ExprWithAlias { expr, .. } | SelectItem::UnnamedExpr(expr), None) => Some(expr.clone()),
        _ => None,
    }
}
