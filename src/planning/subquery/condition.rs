//! Subqueries that are conditions of a filter: semi-joins and anti-joins.

use std::sync::Arc;

use datafusion::{
    common::{Column, JoinType, NullEquality, Result, ScalarValue},
    logical_expr::{
        Distinct, Expr, Filter, Join, Limit, LogicalPlan, LogicalPlanBuilder, Operator, Projection, Sort,
        SubqueryAlias,
        expr::{Exists, InSubquery, SetComparison, SetQuantifier},
        lit,
        utils::{conjunction, split_conjunction},
    },
};

use super::{
    Unnester, column, columns, expression_at, is_subquery_within,
    joins::{join, join_with},
    outer::{Outer, answered, bind, expression_refers, references, refers},
    push::values,
    scalar::substituted,
};

impl Unnester {
    /// The rows of `input` for which a condition holds, if it is a subquery that a semi-join answers; else both come back.
    pub(super) fn condition(&mut self, input: LogicalPlan, condition: Expr) -> Result<(LogicalPlan, Option<Expr>)> {
        let (asked, negated) = match condition {
            Expr::Not(inner) if super::is_subquery(&inner) => (*inner, true),
            other => (other, false),
        };
        let back = |asked: Expr| if negated { Expr::Not(Box::new(asked)) } else { asked };
        let joined = match asked.clone() {
            Expr::Exists(Exists { subquery, negated: not }) => {
                let plan = self.plan(Arc::unwrap_or_clone(subquery.subquery))?;
                self.semi(&input, plan, None, negated != not)?
            }
            Expr::InSubquery(InSubquery { expr, subquery, negated: not }) if !is_subquery_within(&expr) => {
                let plan = self.plan(Arc::unwrap_or_clone(subquery.subquery))?;
                match negated != not {
                    false => self.semi(&input, plan, Some(*expr), false)?,
                    true => self.not_in(&input, plan, *expr)?,
                }
            }
            Expr::SetComparison(SetComparison { expr, subquery, op, quantifier }) if !is_subquery_within(&expr) => {
                match (op, quantifier, negated) {
                    (Operator::Eq, SetQuantifier::Any, false) => {
                        let plan = self.plan(Arc::unwrap_or_clone(subquery.subquery))?;
                        self.semi(&input, plan, Some(*expr), false)?
                    }
                    (Operator::NotEq, SetQuantifier::All, false) | (Operator::Eq, SetQuantifier::Any, true) => {
                        let plan = self.plan(Arc::unwrap_or_clone(subquery.subquery))?;
                        self.not_in(&input, plan, *expr)?
                    }
                    _ => None,
                }
            }
            _ => None,
        };
        Ok(match joined {
            Some(joined) => (joined, None),
            None => (input, Some(back(asked))),
        })
    }

    /// A semi-join (or anti-join) with the rows of a subquery, whose value has to equal `value` if there is one.
    fn semi(
        &mut self,
        input: &LogicalPlan,
        plan: LogicalPlan,
        value: Option<Expr>,
        anti: bool,
    ) -> Result<Option<LogicalPlan>> {
        let here = answered(&references(&plan)?, input.schema());
        let join_type = if anti { JoinType::LeftAnti } else { JoinType::LeftSemi };
        // A subquery that is the same for all rows is asked once.
        if here.is_empty() && value.is_none() {
            return Ok(None);
        }
        let (plan, own) = super::row::opened(plan);
        if let Some((right, condition)) = self.direct(&plan, &here, value.as_ref().map(|_| own))? {
            let (condition, last) = condition;
            let mut conditions = condition;
            if let (Some(value), Some(own)) = (value, last) {
                conditions.extend(super::row::equal(&value, &own));
            }
            let condition = conjunction(conditions).unwrap_or_else(|| lit(true));
            return Ok(Some(join(input.clone(), right, Vec::new(), Some(condition), join_type, false)?));
        }
        if super::row::arity(value.as_ref()) > 1 {
            return Ok(None);
        }
        let around = self.once_for(input.clone(), true)?;
        let domain = self.domain(&plan, here, &around)?;
        let pushed = self.push(plan.clone(), &domain)?;
        let name = self.name("__exists");
        let mut selected = Vec::new();
        let mut pairs = Vec::new();
        for (at, (key, outer)) in values(&domain, pushed.schema())?.into_iter().zip(domain.outer_values()).enumerate() {
            let key_name = format!("k{at}");
            selected.push(key.alias(&key_name));
            pairs.push((outer, Expr::Column(column(&name, &key_name))));
        }
        let mut own = Vec::new();
        if let Some(value) = value {
            selected.push(Expr::Column(Column::from(plan.schema().qualified_field(0))).alias("v"));
            own.push((value, Expr::Column(column(&name, "v"))));
        }
        let right = LogicalPlanBuilder::from(pushed).project(selected)?.alias(name.as_str())?.build()?;
        let (own, pairs) = match domain.null_is_a_value() {
            true => (own, pairs),
            false => (own.into_iter().chain(pairs).collect(), Vec::new()),
        };
        Ok(Some(join_with(around, right, own, pairs, None, (join_type, false), false)?))
    }

    /// `value NOT IN (plan)` of a subquery that is the same for all rows: no row is left if it has a NULL.
    fn not_in(&mut self, input: &LogicalPlan, plan: LogicalPlan, value: Expr) -> Result<Option<LogicalPlan>> {
        if !references(&plan)?.is_empty() || value.column_refs().is_empty() || super::row::arity(Some(&value)) > 1 {
            return Ok(None);
        }
        let name = self.name("__not_in");
        let own = expression_at(plan.schema(), 0).alias("v");
        let right = LogicalPlanBuilder::from(plan).project([own])?.alias(name.as_str())?.build()?;
        // The value is computed below, so that the condition names two columns whatever is known of it: simplified to
        // NULL it would be moved into an input, and mean something else.
        let is_computed = !matches!(value, Expr::Column(_));
        let (left, value) = match value {
            Expr::Column(_) => (input.clone(), value),
            computed => {
                let own = column(&name, "n");
                let mut all = columns(input.schema());
                all.push(computed.alias_qualified(own.relation.clone(), &own.name));
                (LogicalPlanBuilder::from(input.clone()).project(all)?.build()?, Expr::Column(own))
            }
        };
        let condition = value.eq(Expr::Column(column(&name, "v")));
        let joined = Join::try_new(
            Arc::new(left),
            Arc::new(right),
            Vec::new(),
            Some(condition),
            JoinType::LeftAnti,
            datafusion::common::JoinConstraint::On,
            NullEquality::NullEqualsNothing,
            true,
        )?;
        if !is_computed {
            return Ok(Some(LogicalPlan::Join(joined)));
        }
        let joined = LogicalPlanBuilder::from(LogicalPlan::Join(joined));
        Ok(Some(joined.project(columns(input.schema()))?.build()?))
    }

    /// A subquery that refers to the query around it in its WHERE alone, as rows that don't, and the conditions on them.
    /// The expression `own`, over the subquery's columns, comes back over those rows.
    #[allow(clippy::type_complexity)]
    fn direct(
        &mut self,
        plan: &LogicalPlan,
        here: &Outer,
        own: Option<Expr>,
    ) -> Result<Option<(LogicalPlan, (Vec<Expr>, Option<Expr>))>> {
        let mut own = own;
        let mut at = plan;
        let (input, predicate) = loop {
            if !refers(at, here)? {
                break (at, None);
            }
            at = match at {
                LogicalPlan::Filter(Filter { input, predicate, .. }) if !refers(input, here)? => {
                    break (input.as_ref(), Some(predicate));
                }
                LogicalPlan::Projection(Projection { input, expr, .. }) => {
                    own =
                        own.map(|own| below(own, at, |place| Some(expr.get(place)?.clone().unalias()))).transpose()?;
                    input
                }
                LogicalPlan::SubqueryAlias(SubqueryAlias { input, .. }) => {
                    own = own
                        .map(|own| below(own, at, |place| Some(expression_at(input.schema(), place))))
                        .transpose()?;
                    input
                }
                LogicalPlan::Sort(Sort { input, fetch: None, .. }) | LogicalPlan::Distinct(Distinct::All(input)) => {
                    input
                }
                LogicalPlan::Limit(Limit { skip: None, fetch: Some(fetch), input })
                    if own.is_none()
                        && matches!(&**fetch, Expr::Literal(ScalarValue::Int64(Some(rows)), _) if *rows >= 1) =>
                {
                    input
                }
                _ => return Ok(None),
            };
        };
        let (mut asked, mut kept) = (Vec::new(), Vec::new());
        for condition in predicate.into_iter().flat_map(split_conjunction) {
            match expression_refers(condition, here)? {
                true if condition.is_volatile() => return Ok(None),
                true => asked.push(condition.clone()),
                false => kept.push(condition.clone()),
            }
        }
        let mut rows = input.clone();
        if let Some(condition) = conjunction(kept) {
            rows = LogicalPlan::Filter(Filter::try_new(condition, Arc::new(rows))?);
        }
        let name = self.name("__semi");
        let mut selected: Vec<Column> = Vec::new();
        for expression in asked.iter().chain(&own) {
            for found in expression.column_refs() {
                if !selected.contains(found) {
                    selected.push(found.clone());
                }
            }
        }
        let renamed = |expression: Expr| -> Result<Expr> {
            let renamed = substituted(expression, &|found| {
                let at = selected.iter().position(|selected| selected == found)?;
                Some(Expr::Column(column(&name, &format!("c{at}"))))
            })?;
            bind(renamed, |outer| here.contains(outer).then(|| Expr::Column(outer.clone())))
        };
        let conditions = asked.into_iter().map(renamed).collect::<Result<Vec<_>>>()?;
        let own = own.map(renamed).transpose()?;
        let mut expressions: Vec<Expr> = selected
            .iter()
            .enumerate()
            .map(|(at, column)| Expr::Column(column.clone()).alias(format!("c{at}")))
            .collect();
        if expressions.is_empty() {
            expressions.push(lit(1_i64).alias("c0"));
        }
        let right = LogicalPlanBuilder::from(rows).project(expressions)?.alias(name.as_str())?.build()?;
        Ok(Some((right, (conditions, own))))
    }
}

/// An expression over a plan's columns as one over what stands for each of them below it.
fn below(own: Expr, plan: &LogicalPlan, of: impl Fn(usize) -> Option<Expr>) -> Result<Expr> {
    substituted(own, &|column| of(plan.schema().maybe_index_of_column(column)?))
}
