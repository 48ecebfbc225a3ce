//! Pushes a domain down through the operators of a subquery: the dependent plan yields, for each of its values, the rows
//! that the subquery has for that value, with the value's columns beside them.

use std::sync::Arc;

use datafusion::{
    common::{
        Column, DFSchema, JoinType, NullEquality, Result, ScalarValue,
        tree_node::{Transformed, TransformedResult, TreeNode},
    },
    logical_expr::{
        Aggregate, Distinct, DistinctOn, EmptyRelation, Expr, Filter, GroupingSet, Join, LogicalPlan,
        LogicalPlanBuilder, Projection, Sort, SortExpr, SubqueryAlias, Union, Unnest, Values, Window,
        expr::WindowFunction,
        lit,
        utils::{conjunction, split_conjunction},
    },
};

use super::{
    Unnester, column_at, columns,
    domain::{Domain, Origin, equation},
    expression_at,
    joins::{join, join_with},
    of_keys,
    outer::{bind, expression_refers, refers},
    recursions::carried,
    unsupported,
};
use crate::planning::group_keys::named_again;

impl Unnester {
    /// The plan for each value of the domain.
    #[recursive::recursive]
    pub(super) fn push(&mut self, plan: LogicalPlan, domain: &Domain) -> Result<LogicalPlan> {
        if !refers(&plan, &domain.outer)? {
            return self.beside(plan, domain);
        }
        if let Some(rows) = carried(&plan, domain)? {
            return Ok(rows);
        }
        match plan {
            LogicalPlan::Projection(projection) => self.push_projection(projection, domain),
            LogicalPlan::Filter(filter) => self.push_filter(filter, domain),
            LogicalPlan::SubqueryAlias(SubqueryAlias { input, alias, .. }) => {
                let input = self.push(Arc::unwrap_or_clone(input), domain)?;
                Ok(LogicalPlan::SubqueryAlias(SubqueryAlias::try_new(Arc::new(input), alias)?))
            }
            LogicalPlan::Aggregate(aggregate) => self.push_aggregate(aggregate, domain),
            LogicalPlan::Window(window) => self.push_window(window, domain),
            LogicalPlan::Sort(Sort { expr, fetch, input }) => match fetch {
                Some(fetch) => {
                    let sort = LogicalPlan::Sort(Sort { expr, fetch: None, input });
                    self.push_limit(None, Some(lit(fetch as i64)), sort, domain)
                }
                None => {
                    let input = self.push(Arc::unwrap_or_clone(input), domain)?;
                    let expr = sorts(expr, domain, input.schema())?;
                    Ok(LogicalPlan::Sort(Sort { expr, fetch: None, input: Arc::new(input) }))
                }
            },
            LogicalPlan::Limit(limit) => {
                let (skip, fetch) = (limit.skip.map(|skip| *skip), limit.fetch.map(|fetch| *fetch));
                self.push_limit(skip, fetch, Arc::unwrap_or_clone(limit.input), domain)
            }
            LogicalPlan::Distinct(Distinct::All(input)) => {
                let input = self.push(Arc::unwrap_or_clone(input), domain)?;
                Ok(LogicalPlan::Distinct(Distinct::All(Arc::new(input))))
            }
            LogicalPlan::Distinct(Distinct::On(distinct)) => self.push_distinct_on(distinct, domain),
            LogicalPlan::Union(union) => self.push_union(union, domain),
            LogicalPlan::Join(join) => self.push_join(join, domain),
            LogicalPlan::Unnest(unnest) => self.push_unnest(unnest, domain),
            LogicalPlan::Values(values) => {
                let rows = self.values_as_union(values)?;
                self.push(rows, domain)
            }
            LogicalPlan::Subquery(subquery) => self.push(Arc::unwrap_or_clone(subquery.subquery), domain),
            LogicalPlan::Extension(extension) => self.push_extension(extension, domain),
            LogicalPlan::RecursiveQuery(query) => self.push_recursion(query, domain),
            other => {
                Err(unsupported(&format!("a subquery that refers to the query around it within {}", words(&other))))
            }
        }
    }

    /// A plan that does not depend on the domain, for each of its values.
    fn beside(&mut self, plan: LogicalPlan, domain: &Domain) -> Result<LogicalPlan> {
        let Origin::Distinct(values, _) = &domain.origin else {
            return Err(super::internal("a subquery without the equation that was found in it"));
        };
        if matches!(plan, LogicalPlan::EmptyRelation(EmptyRelation { produce_one_row: true, .. })) {
            return Ok((**values).clone());
        }
        LogicalPlanBuilder::from(plan).cross_join((**values).clone())?.build()
    }

    fn push_projection(&mut self, projection: Projection, domain: &Domain) -> Result<LogicalPlan> {
        let input = self.push(Arc::unwrap_or_clone(projection.input), domain)?;
        let mut expressions = Vec::with_capacity(projection.expr.len() + domain.names.len());
        for (at, expression) in projection.expr.into_iter().enumerate() {
            let bound = within(expression.clone(), domain, input.schema())?;
            let (qualifier, field) = projection.schema.qualified_field(at);
            let same = bound == expression;
            expressions.push(if same { bound } else { bound.alias_qualified(qualifier.cloned(), field.name()) });
        }
        expressions.extend(values(domain, input.schema())?);
        Ok(LogicalPlan::Projection(Projection::try_new(expressions, Arc::new(input))?))
    }

    fn push_filter(&mut self, filter: Filter, domain: &Domain) -> Result<LogicalPlan> {
        if let Origin::Equal(_) = &domain.origin
            && !refers(&filter.input, &domain.outer)?
        {
            return equal_values(filter, domain);
        }
        let input = self.push(Arc::unwrap_or_clone(filter.input), domain)?;
        let predicate = within(filter.predicate, domain, input.schema())?;
        Ok(LogicalPlan::Filter(Filter::try_new(predicate, Arc::new(input))?))
    }

    fn push_aggregate(&mut self, aggregate: Aggregate, domain: &Domain) -> Result<LogicalPlan> {
        let empty = empty_groups(&aggregate);
        let old = Arc::clone(&aggregate.schema);
        let grouped = self.group(aggregate, domain)?;
        if empty == 0 {
            return Ok(grouped);
        }
        // Without GROUP BY, and for the total of ROLLUP, there is a row also where there is nothing to aggregate.
        let Origin::Distinct(all, _) = &domain.origin else {
            return Err(super::internal("an aggregate over equated values without its outer rows"));
        };
        let (mut right, keys) = self.renamed(grouped, domain, &old)?;
        let is_grouped = self.name("__grouped");
        if empty > 1 {
            let mut shown = columns(right.0.schema());
            shown.push(lit(true).alias(&is_grouped));
            right.0 = super::project(right.0, shown)?;
        }
        let all = (**all).clone();
        let on = values(domain, all.schema())?.into_iter().zip(keys).collect();
        let mut joined = join(all, right.0, on, None, JoinType::Left, true)?;
        if empty > 1 {
            let is_missing = Expr::Column(Column::new_unqualified(is_grouped)).is_null();
            joined = self.as_often(joined, is_missing, empty)?;
        }
        let groups = old.fields().len() - right.1.len();
        let mut expressions = Vec::new();
        for at in 0..old.fields().len() {
            let (qualifier, field) = old.qualified_field(at);
            if field.name() == Aggregate::INTERNAL_GROUPING_ID {
                continue;
            }
            let value = Expr::Column(Column::from((qualifier, field)));
            let value = match at.checked_sub(groups) {
                Some(call) => or_default(value, default_of(&right.1[call])?)?,
                None => value,
            };
            expressions.push(value.alias_qualified(qualifier.cloned(), field.name()));
        }
        expressions.extend(values(domain, joined.schema())?);
        Ok(LogicalPlan::Projection(Projection::try_new(expressions, Arc::new(joined))?))
    }

    /// The rows, and those for which a condition holds this many times.
    fn as_often(&mut self, rows: LogicalPlan, condition: Expr, times: i64) -> Result<LogicalPlan> {
        let number = self.name("__copy");
        let numbers = LogicalPlanBuilder::values((1..=times).map(|at| vec![lit(at)]).collect())?;
        let column = expression_at(numbers.schema(), 0).alias(&number);
        let each = LogicalPlanBuilder::from(rows).cross_join(numbers.project([column])?.build()?)?;
        each.filter(Expr::Column(Column::new_unqualified(number)).eq(lit(1_i64)).or(condition))?.build()
    }

    /// The aggregate for each value of the domain that has rows.
    pub(super) fn group(&mut self, aggregate: Aggregate, domain: &Domain) -> Result<LogicalPlan> {
        let input = self.push(Arc::unwrap_or_clone(aggregate.input), domain)?;
        let schema = Arc::clone(input.schema());
        let keys = values(domain, &schema)?;
        let mut now = Vec::new();
        let groups = match aggregate.group_expr.as_slice() {
            // The keys stand in each of the sets: `grouping()` is known for an aggregate that has sets and nothing else.
            [Expr::GroupingSet(sets)] => {
                let mut keyed = written_out(sets);
                for set in &mut keyed {
                    for column in set.iter_mut() {
                        let bound = named_again(within(column.clone(), domain, &schema)?, column);
                        now.push((std::mem::replace(column, bound.clone()), bound));
                    }
                    let missing: Vec<Expr> = keys.iter().filter(|key| !set.contains(key)).cloned().collect();
                    set.extend(missing);
                }
                vec![Expr::GroupingSet(GroupingSet::GroupingSets(keyed))]
            }
            groups => {
                let mut bound = Vec::with_capacity(groups.len() + keys.len());
                for (at, group) in groups.iter().enumerate() {
                    let changed = within(group.clone(), domain, &schema)?;
                    let changed = renamed_as(changed, group.clone(), &aggregate.schema, at);
                    now.push((group.clone(), changed.clone()));
                    bound.push(changed);
                }
                bound.extend(keys);
                bound
            }
        };
        let calls = calls_within(aggregate.aggr_expr, &aggregate.schema, &now, domain, &schema)?;
        Ok(LogicalPlan::Aggregate(Aggregate::try_new(Arc::new(input), groups, calls)?))
    }

    /// A grouped plan whose columns of the domain have new names, beside its calls of aggregates.
    #[allow(clippy::type_complexity)]
    fn renamed(
        &mut self,
        grouped: LogicalPlan,
        domain: &Domain,
        old: &DFSchema,
    ) -> Result<((LogicalPlan, Vec<Expr>), Vec<Expr>)> {
        let LogicalPlan::Aggregate(aggregate) = &grouped else {
            return Err(super::internal("an aggregate that is none"));
        };
        let calls = aggregate.aggr_expr.clone();
        let mut keys = Vec::new();
        let mut expressions = columns(old);
        for value in values(domain, grouped.schema())? {
            let name = self.name("__outer");
            keys.push(Expr::Column(Column::new_unqualified(&name)));
            expressions.push(value.alias(name));
        }
        let plan = LogicalPlan::Projection(Projection::try_new(expressions, Arc::new(grouped))?);
        Ok(((plan, calls), keys))
    }

    fn push_window(&mut self, window: Window, domain: &Domain) -> Result<LogicalPlan> {
        let input = self.push(Arc::unwrap_or_clone(window.input), domain)?;
        let schema = Arc::clone(input.schema());
        let partition = values(domain, &schema)?;
        let own = window.schema.fields().len() - window.window_expr.len();
        let mut calls = Vec::with_capacity(window.window_expr.len());
        for (at, call) in window.window_expr.into_iter().enumerate() {
            let bound = within(call, domain, &schema)?;
            let partitioned = bound.transform_up(|expression| match expression {
                Expr::WindowFunction(mut call) => {
                    call.params.partition_by.extend(partition.iter().cloned());
                    Ok(Transformed::yes(Expr::WindowFunction(call)))
                }
                other => Ok(Transformed::no(other)),
            });
            let (qualifier, field) = window.schema.qualified_field(own + at);
            calls.push(partitioned.data()?.unalias().alias_qualified(qualifier.cloned(), field.name()));
        }
        Ok(LogicalPlan::Window(Window::try_new(calls, Arc::new(input))?))
    }

    /// LIMIT is a row number for each value of the domain.
    fn push_limit(
        &mut self,
        skip: Option<Expr>,
        fetch: Option<Expr>,
        input: LogicalPlan,
        domain: &Domain,
    ) -> Result<LogicalPlan> {
        // What stands between LIMIT and ORDER BY keeps each row, so that numbers may be given below it.
        let input = match input {
            LogicalPlan::Projection(projection) if has_sort(&projection.input) => {
                let below = Arc::unwrap_or_clone(projection.input);
                let limited = self.push_limit(skip, fetch, below, domain)?;
                let mut expressions = Vec::new();
                for (at, expression) in projection.expr.into_iter().enumerate() {
                    let bound = within(expression.clone(), domain, limited.schema())?;
                    expressions.push(renamed_as(bound, expression, &projection.schema, at));
                }
                expressions.extend(values(domain, limited.schema())?);
                return Ok(LogicalPlan::Projection(Projection::try_new(expressions, Arc::new(limited))?));
            }
            LogicalPlan::SubqueryAlias(SubqueryAlias { input, alias, .. }) if has_sort(&input) => {
                let limited = self.push_limit(skip, fetch, Arc::unwrap_or_clone(input), domain)?;
                return Ok(LogicalPlan::SubqueryAlias(SubqueryAlias::try_new(Arc::new(limited), alias)?));
            }
            other => other,
        };
        let (order, input) = match input {
            LogicalPlan::Sort(Sort { expr, fetch: None, input }) => (expr, Arc::unwrap_or_clone(input)),
            other => (Vec::new(), other),
        };
        let input = self.push(input, domain)?;
        let schema = Arc::clone(input.schema());
        let kept = columns(&schema);
        let number = self.name("__row");
        let mut call = WindowFunction::new(datafusion::functions_window::row_number::row_number_udwf(), Vec::new());
        call.params.partition_by = values(domain, &schema)?;
        call.params.order_by = sorts(order, domain, &schema)?;
        call.params.window_frame =
            datafusion::logical_expr::WindowFrame::new((!call.params.order_by.is_empty()).then_some(false));
        let numbered = Window::try_new(vec![Expr::WindowFunction(Box::new(call)).alias(&number)], Arc::new(input))?;
        let row = Expr::Column(Column::new_unqualified(&number));
        let whole = |bound: Expr| datafusion::logical_expr::cast(bound, arrow::datatypes::DataType::Int64);
        let skip = skip.map(|skip| within(skip, domain, &schema)).transpose()?.map(whole);
        let fetch = fetch.map(|fetch| within(fetch, domain, &schema)).transpose()?.map(whole);
        let number = whole(row);
        let mut conditions = Vec::new();
        // A NULL limit or offset is none.
        let or_true = |condition: Expr| Expr::IsNotFalse(Box::new(condition));
        let literal = |bound: &Expr| bound.column_refs().is_empty();
        if let Some(skip) = &skip {
            let condition = number.clone().gt(skip.clone());
            conditions.push(if literal(skip) { condition } else { or_true(condition) });
        }
        if let Some(fetch) = fetch {
            let last = match skip {
                Some(skip) => fetch.clone() + datafusion::functions::expr_fn::coalesce(vec![skip, lit(0_i64)]),
                None => fetch.clone(),
            };
            let condition = number.lt_eq(last);
            conditions.push(if literal(&fetch) { condition } else { or_true(condition) });
        }
        let plan = LogicalPlan::Window(numbered);
        let plan = match conjunction(conditions) {
            Some(condition) => LogicalPlan::Filter(Filter::try_new(condition, Arc::new(plan))?),
            None => plan,
        };
        Ok(LogicalPlan::Projection(Projection::try_new(kept, Arc::new(plan))?))
    }

    fn push_distinct_on(&mut self, distinct: DistinctOn, domain: &Domain) -> Result<LogicalPlan> {
        let input = self.push(Arc::unwrap_or_clone(distinct.input), domain)?;
        let schema = Arc::clone(input.schema());
        let each = |expressions: Vec<Expr>| -> Result<Vec<Expr>> {
            expressions.into_iter().map(|expression| within(expression, domain, &schema)).collect()
        };
        let own = values(domain, &schema)?;
        let mut on = own.clone();
        on.extend(each(distinct.on_expr)?);
        let mut selected = Vec::new();
        for (at, expression) in distinct.select_expr.into_iter().enumerate() {
            let bound = within(expression.clone(), domain, &schema)?;
            selected.push(renamed_as(bound, expression, &distinct.schema, at));
        }
        selected.extend(own.iter().cloned());
        let sort = match distinct.sort_expr {
            Some(sort) => {
                let mut all: Vec<SortExpr> = own.into_iter().map(|value| value.sort(true, false)).collect();
                all.extend(sorts(sort, domain, &schema)?);
                Some(all)
            }
            None => None,
        };
        let distinct = DistinctOn::try_new(on, selected, sort, Arc::new(input))?;
        Ok(LogicalPlan::Distinct(Distinct::On(distinct)))
    }

    fn push_union(&mut self, union: Union, domain: &Domain) -> Result<LogicalPlan> {
        let mut inputs = Vec::with_capacity(union.inputs.len());
        for input in union.inputs {
            inputs.push(Arc::new(self.with_values(Arc::unwrap_or_clone(input), domain)?));
        }
        Ok(LogicalPlan::Union(Union::try_new_with_loose_types(inputs)?))
    }

    fn push_join(&mut self, old: Join, domain: &Domain) -> Result<LogicalPlan> {
        let (left, right) = (Arc::unwrap_or_clone(old.left), Arc::unwrap_or_clone(old.right));
        let (left_refers, right_refers) = (refers(&left, &domain.outer)?, refers(&right, &domain.outer)?);
        let conditions = old.on.iter().flat_map(|(left, right)| [left, right]).chain(&old.filter);
        let mut condition_refers = false;
        for condition in conditions {
            condition_refers |= expression_refers(condition, &domain.outer)?;
        }
        let kept = columns(&old.schema);
        use JoinType::{Full, Inner, Left, LeftAnti, LeftMark, LeftSemi, Right};
        // Which sides have to know the value: those that depend on it, and the side whose rows are kept without a partner.
        let (on_left, on_right) = match old.join_type {
            Inner if condition_refers && !left_refers && !right_refers => (true, false),
            Inner => (left_refers, right_refers),
            Left | LeftSemi | LeftAnti | LeftMark => (true, right_refers),
            Right => (left_refers, true),
            Full => (true, true),
            other => return Err(unsupported(&format!("a {other} join that refers to the query around it"))),
        };
        let left = if on_left { self.push(left, domain)? } else { left };
        let right = if on_right { self.push(right, domain)? } else { right };
        let both = on_left && on_right;
        let (right, keys) = if both { self.with_new_names(right, domain)? } else { (right, Vec::new()) };
        let mut schema = DFSchema::clone(left.schema());
        if !both || matches!(old.join_type, Full) {
            schema.merge(right.schema());
        }
        let own = if on_left { left.schema() } else { right.schema() };
        let mut on = Vec::new();
        for (left, right) in old.on {
            on.push((within(left, domain, own)?, within(right, domain, own)?));
        }
        let filter = old.filter.map(|filter| within(filter, domain, own)).transpose()?;
        let null_equals_null = old.null_equality == NullEquality::NullEqualsNull;
        let pairs: Vec<_> =
            if both { values(domain, left.schema())?.into_iter().zip(keys.clone()).collect() } else { Vec::new() };
        let joined = join_with(left, right, on, pairs, filter, (old.join_type, null_equals_null), old.null_aware)?;
        let mut expressions = kept;
        let found = values_in(domain, joined.schema());
        let own: Vec<Expr> = match (old.join_type, both) {
            (Full, true) => found?
                .into_iter()
                .zip(keys)
                .zip(&domain.names)
                .map(|((left, right), name)| datafusion::functions::expr_fn::coalesce(vec![left, right]).alias(name))
                .collect(),
            (Right, true) => keys.into_iter().zip(&domain.names).map(|(key, name)| key.alias(name)).collect(),
            _ => found?,
        };
        expressions.extend(own);
        Ok(LogicalPlan::Projection(Projection::try_new(expressions, Arc::new(joined))?))
    }

    /// The plan with its columns of the domain under new names, and those.
    fn with_new_names(&mut self, plan: LogicalPlan, domain: &Domain) -> Result<(LogicalPlan, Vec<Expr>)> {
        let found = values(domain, plan.schema())?;
        let mut expressions: Vec<Expr> =
            columns(plan.schema()).into_iter().filter(|column| !found.contains(column)).collect();
        let mut keys = Vec::new();
        for value in found {
            let name = self.name("__outer");
            keys.push(Expr::Column(Column::new_unqualified(&name)));
            expressions.push(value.alias(name));
        }
        Ok((LogicalPlan::Projection(Projection::try_new(expressions, Arc::new(plan))?), keys))
    }

    fn push_unnest(&mut self, unnest: Unnest, domain: &Domain) -> Result<LogicalPlan> {
        let input = self.push(Arc::unwrap_or_clone(unnest.input), domain)?;
        Ok(LogicalPlan::Unnest(Unnest::try_new(Arc::new(input), unnest.exec_columns, unnest.options)?))
    }

    /// Rows of a VALUES list as a union of queries.
    pub(super) fn values_as_union(&mut self, values: Values) -> Result<LogicalPlan> {
        let mut rows = Vec::with_capacity(values.values.len());
        for row in values.values {
            let named = row.into_iter().zip(values.schema.iter()).map(|(value, (_, field))| value.alias(field.name()));
            let one = LogicalPlanBuilder::empty(true).build()?;
            rows.push(Arc::new(LogicalPlan::Projection(Projection::try_new(named.collect(), Arc::new(one))?)));
        }
        match rows.as_slice() {
            [row] => Ok(LogicalPlan::clone(row)),
            _ => Ok(LogicalPlan::Union(Union::try_new_with_loose_types(rows)?)),
        }
    }
}

/// The filter of a subquery that equates outer values: its input with those values as columns, and what else it asks.
fn equal_values(filter: Filter, domain: &Domain) -> Result<LogicalPlan> {
    let mut own = Vec::new();
    let mut equal = Vec::new();
    for condition in split_conjunction(&filter.predicate) {
        match equation(condition, &domain.outer)? {
            Some((_, inner)) if expression_refers(condition, &domain.outer)? => equal.push(inner),
            _ => own.push(condition.clone()),
        }
    }
    let mut plan = Arc::unwrap_or_clone(filter.input);
    if let Some(condition) = conjunction(own) {
        plan = LogicalPlan::Filter(Filter::try_new(condition, Arc::new(plan))?);
    }
    let mut expressions = columns(plan.schema());
    for (value, name) in equal.into_iter().zip(&domain.names) {
        expressions.push(value.alias(name));
    }
    Ok(LogicalPlan::Projection(Projection::try_new(expressions, Arc::new(plan))?))
}

/// The columns of the domain among those of a dependent plan.
pub(super) fn values(domain: &Domain, schema: &DFSchema) -> Result<Vec<Expr>> {
    values_in(domain, schema)
}

fn values_in(domain: &Domain, schema: &DFSchema) -> Result<Vec<Expr>> {
    domain
        .names
        .iter()
        .map(|name| {
            let at = schema.fields().iter().position(|field| field.name() == name);
            at.map(|at| expression_at(schema, at))
                .ok_or_else(|| super::internal("a subquery lost the rows it belongs to"))
        })
        .collect()
}

/// An expression of a subquery over a dependent plan: outer references are its columns.
fn within(expression: Expr, domain: &Domain, schema: &DFSchema) -> Result<Expr> {
    bind(expression, |column| {
        let (name, value) = domain.value_of(column)?;
        let at = schema.fields().iter().position(|field| field.name() == name)?;
        Some(value(Expr::Column(column_at(schema, at))))
    })
}

fn sorts(sorts: Vec<SortExpr>, domain: &Domain, schema: &DFSchema) -> Result<Vec<SortExpr>> {
    let each = |sort: SortExpr| {
        let SortExpr { expr, asc, nulls_first } = sort;
        Ok(SortExpr { expr: within(expr, domain, schema)?, asc, nulls_first })
    };
    sorts.into_iter().map(each).collect()
}

/// An expression under the name that it had before it was changed.
fn renamed_as(changed: Expr, before: Expr, schema: &DFSchema, at: usize) -> Expr {
    if changed == before {
        return changed;
    }
    let (qualifier, field) = schema.qualified_field(at);
    changed.unalias().alias_qualified(qualifier.cloned(), field.name())
}

/// The calls of an aggregate over a dependent plan, each under its own name, and what became of its keys.
fn calls_within(
    calls: Vec<Expr>,
    own: &DFSchema,
    keys: &[(Expr, Expr)],
    domain: &Domain,
    schema: &DFSchema,
) -> Result<Vec<Expr>> {
    let before = own.fields().len() - calls.len();
    let each = |(at, call): (usize, Expr)| {
        let bound = within(of_keys(call.clone(), keys)?, domain, schema)?;
        Ok(renamed_as(bound, call, own, before + at))
    };
    calls.into_iter().enumerate().map(each).collect()
}

/// The sets that a ROLLUP or a CUBE stands for.
fn written_out(sets: &GroupingSet) -> Vec<Vec<Expr>> {
    match sets {
        GroupingSet::Rollup(columns) => (0..=columns.len()).rev().map(|end| columns[..end].to_vec()).collect(),
        GroupingSet::Cube(columns) => {
            let chosen = |bits: usize| columns.iter().enumerate().filter(move |(at, _)| bits & (1 << at) == 0);
            (0..1_usize << columns.len()).map(|bits| chosen(bits).map(|(_, column)| column.clone()).collect()).collect()
        }
        GroupingSet::GroupingSets(sets) => sets.clone(),
    }
}

/// Whether a column is the number of a grouping set: it is for `grouping()`, which is resolved later, and for nothing above.
pub(super) fn is_set_number(column: &Expr) -> bool {
    matches!(column, Expr::Column(column) if column.name == Aggregate::INTERNAL_GROUPING_ID)
}

/// How many groups have a row of all rows together, even if there are none. ROLLUP and CUBE have one such group; more than
/// one can only be written out.
fn empty_groups(aggregate: &Aggregate) -> i64 {
    match aggregate.group_expr.as_slice() {
        [] | [Expr::GroupingSet(GroupingSet::Rollup(_) | GroupingSet::Cube(_))] => 1,
        [Expr::GroupingSet(GroupingSet::GroupingSets(sets))] => sets.iter().map(|set| i64::from(set.is_empty())).sum(),
        _ => 0,
    }
}

pub(super) fn has_grouping_sets(aggregate: &Aggregate) -> bool {
    aggregate.group_expr.iter().any(|group| matches!(group, Expr::GroupingSet(_)))
}

fn has_sort(plan: &LogicalPlan) -> bool {
    match plan {
        LogicalPlan::Sort(Sort { fetch: None, .. }) => true,
        LogicalPlan::Projection(Projection { input, .. }) | LogicalPlan::SubqueryAlias(SubqueryAlias { input, .. }) => {
            has_sort(input)
        }
        _ => false,
    }
}

/// What an aggregate yields of no rows.
pub(super) fn default_of(call: &Expr) -> Result<ScalarValue> {
    match call {
        Expr::Alias(alias) => default_of(&alias.expr),
        // `grouping()` of the total: no column is grouped by.
        Expr::AggregateFunction(call) if call.func.name() == "grouping" => {
            Ok(ScalarValue::Int32(Some((1_i32 << call.params.args.len().min(31)) - 1)))
        }
        Expr::AggregateFunction(call) => call.func.default_value(&arrow::datatypes::DataType::Null),
        other => Err(super::internal(&format!("{other} is no aggregate"))),
    }
}

/// A value that is missing where there was nothing to aggregate.
pub(super) fn or_default(value: Expr, default: ScalarValue) -> Result<Expr> {
    if default.is_null() {
        return Ok(value);
    }
    Ok(datafusion::functions::expr_fn::coalesce(vec![value, Expr::Literal(default, None)]))
}

fn words(plan: &LogicalPlan) -> String {
    plan.display().to_string().split(':').next().unwrap_or_default().to_lowercase()
}
