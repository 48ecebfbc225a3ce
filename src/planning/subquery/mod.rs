//! Subqueries become joins.
//!
//! The query engine plans a subquery only in some places and of some forms, and its checks refuse the others before its
//! first optimizer rule. So this analyzer rule comes first and leaves nothing for them: every EXISTS, IN, ANY, ALL, scalar
//! subquery and LATERAL, wherever it stands and whatever it refers to, is an ordinary join afterwards.
//!
//! The way is that of Neumann and Kemper, "Unnesting Arbitrary Queries" (BTW 2015): a subquery is computed for all values
//! of the outer columns that it refers to at once (`domain`), which are pushed down through its operators (`push`), and its
//! rows are joined with the outer ones by those values. Where a subquery is a condition of a filter and refers to the outer
//! query in its own WHERE alone, a semi-join on that condition says the same without computing the values (`condition`).
//!
//! Into a node of ours, a function in FROM among them, the values are pushed if it keeps its input's columns or answers each
//! row by itself (`extension`); any other runs once for each value (`each`). The rows of a recursion carry them from step to step
//! (`recursions`).
//!
//! A scalar subquery that refers to nothing outside is left to the engine, which computes it once.

use std::{collections::HashMap, sync::Arc};

use arrow::datatypes::FieldRef;
use datafusion::{
    common::{
        Column, DFSchema, DataFusionError, JoinType, Result, TableReference,
        config::ConfigOptions,
        tree_node::{Transformed, TransformedResult, TreeNode, TreeNodeRecursion},
    },
    logical_expr::{
        Aggregate, Expr, Filter, Join, LogicalPlan, Projection, Sort, Window,
        expr_rewriter::NamePreserver,
        utils::{conjunction, grouping_set_to_exprlist, split_conjunction_owned},
    },
    optimizer::analyzer::AnalyzerRule,
};

use super::{group_keys, told, types};
use crate::{
    fault::{Failure, Fault},
    pgtype,
};

mod condition;
mod domain;
mod each;
mod extension;
mod joins;
mod lateral;
mod once;
mod outer;
mod push;
mod quantified;
mod recursions;
mod row;
mod scalar;
mod single_row;

pub(crate) use each::ForEachPlanner;
pub(crate) use once::{OncePlanner, OpenOnce};
pub(super) use once::{is_planned_again, once};
pub(super) use outer::from_within;

/// The analyzer rule; see the module.
#[derive(Debug)]
pub(crate) struct Unnest;

impl AnalyzerRule for Unnest {
    fn name(&self) -> &str {
        "unnest_subqueries"
    }

    fn analyze(&self, plan: LogicalPlan, _config: &ConfigOptions) -> Result<LogicalPlan> {
        if !has_subqueries(&plan)? {
            return Ok(plan);
        }
        check_aggregates(&plan)?;
        let plan = Unnester::default().plan(plan)?;
        match left_over(&plan)? {
            Some(what) => Err(unsupported(&what)),
            None => Ok(plan),
        }
    }
}

/// One plan's unnesting. It numbers the names that it gives.
#[derive(Default)]
struct Unnester {
    named: usize,
    /// What became of rows that are computed once, by their address and the names of the domain that was pushed into them.
    pushed_once: HashMap<(usize, Vec<String>), LogicalPlan>,
}

impl Unnester {
    /// The plan without subqueries that depend on rows around them. References to queries around `plan` itself remain.
    #[recursive::recursive]
    fn plan(&mut self, plan: LogicalPlan) -> Result<LogicalPlan> {
        let plan = plan.map_children(|child| self.plan(child).map(Transformed::yes)).data()?;
        let plan = match plan {
            LogicalPlan::Join(join) => return self.join(join),
            LogicalPlan::Subquery(lateral) => return Ok(Arc::unwrap_or_clone(lateral.subquery)),
            other => other,
        };
        if !contains_subquery(&plan)? || (is_planned_again() && are_values(&plan)?) {
            return Ok(plan);
        }
        match plan {
            LogicalPlan::Filter(filter) => self.filter(filter),
            LogicalPlan::Projection(projection) => self.projection(projection),
            LogicalPlan::Aggregate(aggregate) => self.aggregate(aggregate),
            LogicalPlan::Window(window) => self.window(window),
            LogicalPlan::Sort(sort) => self.sort(sort),
            LogicalPlan::Values(values) => {
                let rows = self.values_as_union(values)?;
                self.plan(rows)
            }
            other => Ok(other),
        }
    }

    /// A name that nothing else in the plan has.
    fn name(&mut self, prefix: &str) -> String {
        self.named += 1;
        format!("{prefix}_{}", self.named)
    }

    fn filter(&mut self, filter: Filter) -> Result<LogicalPlan> {
        let kept = columns(filter.input.schema());
        let (with, without): (Vec<_>, Vec<_>) =
            split_conjunction_owned(filter.predicate).into_iter().partition(is_subquery_within);
        let mut input = Arc::unwrap_or_clone(filter.input);
        // Fewer rows need an answer if what needs no subquery is asked first.
        if let Some(condition) = conjunction(without) {
            input = LogicalPlan::Filter(Filter::try_new(condition, Arc::new(input))?);
        }
        let mut rest = Vec::new();
        for condition in with {
            match self.condition(input, condition)? {
                (joined, None) => input = joined,
                (same, Some(condition)) => {
                    input = same;
                    rest.push(condition);
                }
            }
        }
        let Some(condition) = conjunction(rest) else { return Ok(input) };
        let (input, mut conditions) = self.replace(input, vec![condition])?;
        let condition = conditions.pop().ok_or_else(|| internal("a filter without a condition"))?;
        let filtered = LogicalPlan::Filter(Filter::try_new(condition, Arc::new(input))?);
        project(filtered, kept)
    }

    fn projection(&mut self, projection: Projection) -> Result<LogicalPlan> {
        let preserver = NamePreserver::new_for_projection();
        let names: Vec<_> = projection.expr.iter().map(|expression| preserver.save(expression)).collect();
        let (input, expressions) = self.replace(Arc::unwrap_or_clone(projection.input), projection.expr)?;
        let named = names.into_iter().zip(expressions).map(|(name, expression)| name.restore(expression));
        Ok(LogicalPlan::Projection(Projection::try_new(named.collect(), Arc::new(input))?))
    }

    fn aggregate(&mut self, aggregate: Aggregate) -> Result<LogicalPlan> {
        // A key is one column however often it is written, and so is what becomes of it.
        let keys: Vec<Expr> = grouping_set_to_exprlist(&aggregate.group_expr)?.into_iter().cloned().collect();
        let (input, changed) = self.replace(Arc::unwrap_or_clone(aggregate.input), keys.clone())?;
        let now: Vec<(Expr, Expr)> = keys.iter().cloned().zip(group_keys::told_apart(&keys, changed)).collect();
        let calls: Vec<Expr> =
            aggregate.aggr_expr.into_iter().map(|call| of_keys(call, &now)).collect::<Result<_>>()?;
        let (input, mut calls) = self.replace(input, calls)?;
        let input = self.computed(input, calls.iter_mut().flat_map(ordering).collect())?;
        let mut groups = Vec::new();
        for group in aggregate.group_expr {
            groups.push(match group {
                sets @ Expr::GroupingSet(_) => {
                    sets.map_children(|key| Ok(Transformed::yes(key_now(key, &now)))).data()?
                }
                key => key_now(key, &now),
            });
        }
        let plan = LogicalPlan::Aggregate(Aggregate::try_new(Arc::new(input), groups, calls)?);
        // By position: an expression's name changes with what stands in it.
        let shown = (0..aggregate.schema.fields().len())
            .filter(|at| !push::is_set_number(&expression_at(&aggregate.schema, *at)));
        let named = shown.map(|at| {
            let (qualifier, field) = aggregate.schema.qualified_field(at);
            let now = column_at(plan.schema(), at);
            let same = now.relation.as_ref() == qualifier && now.name == *field.name();
            if same { Expr::Column(now) } else { Expr::Column(now).alias_qualified(qualifier.cloned(), field.name()) }
        });
        let named: Vec<Expr> = named.collect();
        project(plan, named)
    }

    fn window(&mut self, window: Window) -> Result<LogicalPlan> {
        let kept = columns(&window.schema);
        let own = window.schema.fields().len() - window.window_expr.len();
        let (input, calls) = self.replace(Arc::unwrap_or_clone(window.input), window.window_expr)?;
        let named = calls.into_iter().enumerate().map(|(at, call)| {
            let (qualifier, field) = window.schema.qualified_field(own + at);
            call.unalias().alias_qualified(qualifier.cloned(), field.name())
        });
        let plan = LogicalPlan::Window(Window::try_new(named.collect(), Arc::new(input))?);
        project(plan, kept)
    }

    fn sort(&mut self, sort: Sort) -> Result<LogicalPlan> {
        let kept = columns(sort.input.schema());
        let keys = sort.expr.iter().map(|sort| sort.expr.clone()).collect();
        let (input, keys) = self.with_hidden(Arc::unwrap_or_clone(sort.input), keys)?;
        let (input, keys) = self.replace(input, keys)?;
        let expr = sort.expr.into_iter().zip(keys).map(|(sort, key)| key.sort(sort.asc, sort.nulls_first)).collect();
        project(LogicalPlan::Sort(Sort { expr, input: Arc::new(input), fetch: sort.fetch }), kept)
    }

    /// ORDER BY may refer to columns that the SELECT list does not show: the plan with those, under names of their own, and
    /// the keys that refer to them.
    fn with_hidden(&mut self, input: LogicalPlan, mut keys: Vec<Expr>) -> Result<(LogicalPlan, Vec<Expr>)> {
        let LogicalPlan::Projection(mut projection) = input else { return Ok((input, keys)) };
        let mut needed = outer::Outer::new();
        for key in &keys {
            key.apply(|expression| {
                if is_subquery(expression) {
                    needed.extend(about(expression)?);
                }
                Ok(TreeNodeRecursion::Continue)
            })?;
        }
        let below = Arc::clone(projection.input.schema());
        for column in needed {
            if projection.schema.has_column(&column) || !below.has_column(&column) {
                continue;
            }
            let name = self.name("__hidden");
            projection.expr.push(Expr::Column(column.clone()).alias(&name));
            keys = keys.into_iter().map(|key| outer::renamed(key, &column, &name)).collect::<Result<_>>()?;
        }
        Ok((project(Arc::unwrap_or_clone(projection.input), projection.expr)?, keys))
    }

    fn join(&mut self, join: Join) -> Result<LogicalPlan> {
        if let Some(plan) = self.lateral(&join)? {
            return Ok(plan);
        }
        let on = join.on.iter().any(|(left, right)| is_subquery_within(left) || is_subquery_within(right));
        let filter = join.filter.as_ref().is_some_and(is_subquery_within);
        if !on && !filter {
            return Ok(LogicalPlan::Join(join));
        }
        let mut conditions: Vec<Expr> = join.on.into_iter().map(|(left, right)| left.eq(right)).collect();
        conditions.extend(join.filter.into_iter().flat_map(split_conjunction_owned));
        let (mut left, mut right) = (Arc::unwrap_or_clone(join.left), Arc::unwrap_or_clone(join.right));
        if join.join_type == JoinType::Inner {
            let joined = joins::join(left, right, Vec::new(), None, JoinType::Inner, false)?;
            let condition = conjunction(conditions).ok_or_else(|| internal("a join without a condition"))?;
            return self.filter(Filter::try_new(condition, Arc::new(joined))?);
        }
        // Of an outer join, a condition's subquery is answered on the side that it is about.
        let kept = columns(&join.schema);
        for condition in &conditions {
            if about_both(condition, &left, &right)? {
                let join_type = join.join_type;
                return project(self.outer_join(left, right, conditions, join_type)?, kept);
            }
        }
        let mut answered = Vec::with_capacity(conditions.len());
        for condition in conditions {
            let replaced = condition.transform_down(|expression| {
                if !is_subquery(&expression) {
                    return Ok(Transformed::no(expression));
                }
                let on_right = !outer::answered(&about(&expression)?, right.schema()).is_empty();
                let side = if on_right { &mut right } else { &mut left };
                let (joined, mut values) = self.replace(side.clone(), vec![expression])?;
                *side = joined;
                let value = values.pop().ok_or_else(|| internal("a subquery without a value"))?;
                Ok(Transformed::new(value, true, TreeNodeRecursion::Jump))
            });
            answered.push(replaced.data()?);
        }
        project(joins::join(left, right, Vec::new(), conjunction(answered), join.join_type, false)?, kept)
    }

    /// An outer join whose condition asks a subquery about both sides at once: the pairs for which it holds, joined back to
    /// the sides by the numbers of their rows.
    fn outer_join(
        &mut self,
        left: LogicalPlan,
        right: LogicalPlan,
        conditions: Vec<Expr>,
        join_type: JoinType,
    ) -> Result<LogicalPlan> {
        let (left_row, right_row) = (self.name("__left"), self.name("__right"));
        let left = self.once_for(numbered(left, &left_row)?, true)?;
        let right = self.once_for(numbered(right, &right_row)?, true)?;
        let row = |name: &str| Expr::Column(Column::new_unqualified(name));
        let pairs = joins::join(left.clone(), right.clone(), Vec::new(), None, JoinType::Inner, false)?;
        let condition = conjunction(conditions).ok_or_else(|| internal("a join without a condition"))?;
        let pairs = self.filter(Filter::try_new(condition, Arc::new(pairs))?)?;
        let (pair_left, pair_right) = (self.name("__left"), self.name("__right"));
        let pairs = project(pairs, vec![row(&left_row).alias(&pair_left), row(&right_row).alias(&pair_right)])?;
        let (on_left, on_right) = (vec![(row(&left_row), row(&pair_left))], vec![(row(&pair_right), row(&right_row))]);
        use JoinType::{Full, Inner, Left, Right};
        let (first, second) = match join_type {
            Left => (Left, Left),
            Right => (Inner, Right),
            Full => (Left, Full),
            other => return Err(unsupported(&format!("a subquery in the ON of a {other} join"))),
        };
        let with_left = joins::join(left, pairs, on_left, None, first, false)?;
        joins::join(with_left, right, on_right, None, second, false)
    }

    /// The plan with a column for each key of an aggregate's order that a subquery is part of, which takes its place. The engine
    /// puts the values of subqueries into expressions when it has them, and does not recognise the order of rows by such an
    /// expression any more. The keys of sorts and windows all become columns later.
    fn computed(&mut self, input: LogicalPlan, keys: Vec<&mut Expr>) -> Result<LogicalPlan> {
        let mut shown = columns(input.schema());
        let own = shown.len();
        for key in keys {
            if single_row::is_within(key) || is_subquery_within(key) {
                let name = self.name("__key");
                let column = Expr::Column(Column::new_unqualified(&name));
                shown.push(std::mem::replace(key, column).alias(name));
            }
        }
        match shown.len() > own {
            true => project(input, shown),
            false => Ok(input),
        }
    }

    /// The expressions over a plan that has a column for what each of their subqueries yields. The plan's own columns stay
    /// first.
    fn replace(&mut self, input: LogicalPlan, expressions: Vec<Expr>) -> Result<(LogicalPlan, Vec<Expr>)> {
        let mut around = self.once(input, &expressions)?;
        let own = around.clone();
        let mut replaced = Vec::with_capacity(expressions.len());
        for expression in expressions {
            let expression = row::by_columns(expression)?;
            let changed = expression.transform_up(|expression| match expression {
                Expr::ScalarSubquery(subquery) => {
                    let plan = self.plan(Arc::unwrap_or_clone(subquery.subquery))?;
                    let field = told_column(&plan);
                    let value = self.scalar(plan, &own, &mut around)?;
                    // What its field says, no column of what it is joined as does.
                    Ok(Transformed::yes(
                        match field.as_deref().and_then(|field| pgtype::told(field).zip(Some(field))) {
                            Some((told, field)) => told::said(value, field.data_type().clone(), Some(told)),
                            None => value,
                        },
                    ))
                }
                Expr::Exists(exists) => {
                    let plan = self.plan(Arc::unwrap_or_clone(exists.subquery.subquery))?;
                    let found = self.exists(plan, &own, &mut around)?;
                    Ok(Transformed::yes(if exists.negated { negated(found) } else { found }))
                }
                Expr::InSubquery(within) => {
                    let plan = self.plan(Arc::unwrap_or_clone(within.subquery.subquery))?;
                    let found = self.within(*within.expr, plan, &own, &mut around)?;
                    Ok(Transformed::yes(if within.negated { negated(found) } else { found }))
                }
                Expr::SetComparison(comparison) => {
                    let plan = self.plan(Arc::unwrap_or_clone(comparison.subquery.subquery))?;
                    let (value, operator) = (*comparison.expr, comparison.op);
                    Ok(Transformed::yes(self.compared(
                        value,
                        operator,
                        comparison.quantifier,
                        plan,
                        &own,
                        &mut around,
                    )?))
                }
                other => Ok(Transformed::no(other)),
            });
            replaced.push(changed.data()?);
        }
        Ok((around, replaced))
    }
}

/// The column of a scalar subquery, if its field says a type that Arrow does not tell: of what is computed, it does once types
/// are settled.
fn told_column(plan: &LogicalPlan) -> Option<FieldRef> {
    let field = plan.schema().fields().first()?;
    if pgtype::told(field).is_some() {
        return Some(Arc::clone(field));
    }
    if !pgtype::innermost(field.data_type()).is_string() && pgtype::element(field.data_type()).is_none() {
        return None;
    }
    // What cannot be settled fails later, where it is known why.
    let settled = types::of_rows(plan).ok()?;
    settled.fields().first().filter(|field| pgtype::told(field).is_some()).cloned()
}

/// The rows with a number each.
fn numbered(plan: LogicalPlan, name: &str) -> Result<LogicalPlan> {
    let number = datafusion::functions_window::expr_fn::row_number().alias(name);
    Ok(LogicalPlan::Window(Window::try_new(vec![number], Arc::new(plan))?))
}

/// Whether one subquery of a condition is about both sides of a join.
fn about_both(condition: &Expr, left: &LogicalPlan, right: &LogicalPlan) -> Result<bool> {
    let mut both = false;
    condition.apply(|expression| {
        if is_subquery(expression) {
            let about = about(expression)?;
            both |= !outer::answered(&about, left.schema()).is_empty()
                && !outer::answered(&about, right.schema()).is_empty();
        }
        Ok(TreeNodeRecursion::Continue)
    })?;
    Ok(both)
}

fn negated(expression: Expr) -> Expr {
    Expr::Not(Box::new(expression))
}

/// The columns around it that a subquery expression is about: what it compares, and what it refers to.
fn about(expression: &Expr) -> Result<outer::Outer> {
    let plan = outer::subquery_of(expression).ok_or_else(|| internal(&format!("{expression} is no subquery")))?;
    let value = match expression {
        Expr::InSubquery(within) => Some(&within.expr),
        Expr::SetComparison(comparison) => Some(&comparison.expr),
        _ => None,
    };
    let mut found = outer::references(plan)?;
    if let Some(value) = value {
        found.extend(value.column_refs().into_iter().cloned());
        value.apply(|part| {
            if is_subquery(part) {
                found.extend(about(part)?);
            }
            Ok(TreeNodeRecursion::Continue)
        })?;
    }
    Ok(found)
}

/// Whether an expression is a subquery, whatever is asked of it.
pub(super) fn is_subquery(expression: &Expr) -> bool {
    outer::subquery_of(expression).is_some()
}

fn is_subquery_within(expression: &Expr) -> bool {
    expression.exists(|expression| Ok(is_subquery(expression))).unwrap_or(false)
}

/// What an aggregate orders its rows by.
fn ordering(call: &mut Expr) -> Vec<&mut Expr> {
    match call {
        Expr::Alias(alias) => ordering(&mut alias.expr),
        Expr::AggregateFunction(function) => function.params.order_by.iter_mut().map(|key| &mut key.expr).collect(),
        _ => Vec::new(),
    }
}

fn contains_subquery(plan: &LogicalPlan) -> Result<bool> {
    let mut found = false;
    plan.apply_expressions(|expression| {
        found |= is_subquery_within(expression);
        Ok(if found { TreeNodeRecursion::Stop } else { TreeNodeRecursion::Continue })
    })?;
    Ok(found)
}

fn has_subqueries(plan: &LogicalPlan) -> Result<bool> {
    plan.exists(|node| Ok(matches!(node, LogicalPlan::Subquery(_)) || contains_subquery(node)?))
}

/// What became of a key of groups.
fn key_now(key: Expr, now: &[(Expr, Expr)]) -> Expr {
    now.iter().find(|(before, _)| *before == key).map_or(key, |(_, now)| now.clone())
}

/// The call of an aggregate, with what became of the keys that `grouping()` is about.
fn of_keys(call: Expr, now: &[(Expr, Expr)]) -> Result<Expr> {
    let each = |part: Expr| match part {
        Expr::AggregateFunction(mut call) if call.func.name() == "grouping" => {
            call.params.args = call.params.args.into_iter().map(|key| key_now(key, now)).collect();
            Ok(Transformed::yes(Expr::AggregateFunction(call)))
        }
        other => Ok(Transformed::no(other)),
    };
    call.transform_up(each).data()
}

/// Whether all subqueries of a node have one row and refer to nothing around them: the engine computes such.
fn are_values(plan: &LogicalPlan) -> Result<bool> {
    let mut all = true;
    plan.apply_expressions(|expression| {
        expression.apply(|part| {
            if let Some(subquery) = outer::subquery_of(part) {
                all &= matches!(part, Expr::ScalarSubquery(_))
                    && outer::references(subquery)?.is_empty()
                    && scalar::folded(subquery)?.is_some();
            }
            Ok(TreeNodeRecursion::Continue)
        })
    })?;
    Ok(all)
}

/// Refuses an aggregate over columns of the query around it alone: it belongs to that query, and not to the subquery that it
/// stands in.
fn check_aggregates(plan: &LogicalPlan) -> Result<()> {
    plan.apply_with_subqueries(|node| {
        let LogicalPlan::Aggregate(aggregate) = node else { return Ok(TreeNodeRecursion::Continue) };
        for call in &aggregate.aggr_expr {
            call.apply(|part| match part {
                Expr::AggregateFunction(call) if outer::is_of_outer(call, aggregate.input.schema())? => {
                    Err(unsupported("in a subquery, an aggregate of columns of the query around it alone"))
                }
                _ => Ok(TreeNodeRecursion::Continue),
            })?;
        }
        Ok(TreeNodeRecursion::Continue)
    })?;
    Ok(())
}

/// What is still there that only this rule could have planned.
fn left_over(plan: &LogicalPlan) -> Result<Option<String>> {
    let mut found = None;
    plan.apply_with_subqueries(|node| {
        node.apply_expressions(|expression| {
            expression.apply(|expression| {
                found = match expression {
                    Expr::OuterReferenceColumn(_, column) => {
                        Some(format!("a reference to \"{}\" of the query around it in this place", column.name))
                    }
                    Expr::Exists(_) | Expr::InSubquery(_) | Expr::SetComparison(_) => {
                        Some("a subquery in this place".to_owned())
                    }
                    _ => return Ok(TreeNodeRecursion::Continue),
                };
                Ok(TreeNodeRecursion::Stop)
            })
        })
    })?;
    Ok(found)
}

fn project(plan: LogicalPlan, expressions: Vec<Expr>) -> Result<LogicalPlan> {
    Ok(LogicalPlan::Projection(Projection::try_new(expressions, Arc::new(plan))?))
}

/// All columns of a schema, as expressions; but for the number of a grouping set, which nothing above may ask for.
fn columns(schema: &DFSchema) -> Vec<Expr> {
    (0..schema.fields().len()).map(|at| expression_at(schema, at)).filter(|at| !push::is_set_number(at)).collect()
}

fn column_at(schema: &DFSchema, at: usize) -> Column {
    Column::from(schema.qualified_field(at))
}

fn expression_at(schema: &DFSchema, at: usize) -> Expr {
    Expr::Column(column_at(schema, at))
}

/// The column of this name of the relation of that name.
fn column(relation: &str, name: &str) -> Column {
    Column::new(Some(TableReference::bare(relation)), name)
}

fn unsupported(what: &str) -> DataFusionError {
    Failure::new(Fault::FeatureNotSupported, format!("{what} is not supported")).into()
}

fn internal(what: &str) -> DataFusionError {
    Failure::new(Fault::Internal, format!("while unnesting subqueries: {what}")).into()
}
