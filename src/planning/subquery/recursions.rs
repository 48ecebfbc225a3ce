//! Pushes a domain into a recursion: its rows carry the value that they were begun with from step to step.
//!
//! What a recursion has for one value has no part in what it has for another, and a step of it is a step for each value: it ends
//! when no value has rows any more.

use std::sync::Arc;

use arrow::datatypes::{DataType, Field};
use datafusion::{
    common::Result,
    logical_expr::{Expr, Filter, LogicalPlan, Projection, RecursiveQuery},
};

use super::{
    Unnester, columns,
    domain::{Domain, Origin},
    project,
    push::values,
    unsupported,
};
use crate::planning::recursion::{carrying, reads_last_step};

impl Unnester {
    /// The rows of a recursion for each value of the domain.
    pub(super) fn push_recursion(&mut self, query: RecursiveQuery, domain: &Domain) -> Result<LogicalPlan> {
        let RecursiveQuery { name, static_term, recursive_term, is_distinct, .. } = query;
        let Origin::Distinct(all, _) = &domain.origin else {
            return Err(super::internal("a recursion over equated values without its outer rows"));
        };
        let carried = all.schema().fields().iter().zip(&domain.names);
        let carried = carried.map(|(field, name)| field.as_ref().clone().with_name(name).with_nullable(true));
        let carried: Vec<Field> = carried.collect();
        let first = self.with_values(Arc::unwrap_or_clone(static_term), domain)?;
        let rest = carrying(Arc::unwrap_or_clone(recursive_term), &name, &carried, |scan| last_step(scan, domain))?;
        let Some(rest) = rest else {
            return Err(unsupported("a recursion that refers to the query around it and whose step asks a subquery"));
        };
        let rest = self.with_values(rest, domain)?;
        let query = RecursiveQuery::try_new(name, Arc::new(first), Arc::new(rest), is_distinct)?;
        Ok(LogicalPlan::RecursiveQuery(query))
    }

    /// The rows of a plan for each value of the domain, with the value's columns behind its own.
    pub(super) fn with_values(&mut self, plan: LogicalPlan, domain: &Domain) -> Result<LogicalPlan> {
        let mut expressions = columns(plan.schema());
        let pushed = self.push(plan, domain)?;
        for (value, name) in values(domain, pushed.schema())?.into_iter().zip(&domain.names) {
            expressions.push(value.alias(name));
        }
        project(pushed, expressions)
    }
}

/// The rows of the last step as the statement reads them. They seem to refer to the query around, so that the domain is pushed
/// to where they stand, where [`carried`] shows what they carry.
fn last_step(scan: LogicalPlan, domain: &Domain) -> Result<LogicalPlan> {
    let Some(outer) = domain.outer.first() else {
        return Err(super::internal("a domain of no columns"));
    };
    let mut own = columns(scan.schema());
    own.truncate(own.len().saturating_sub(domain.names.len()));
    let field = Arc::new(Field::new(&outer.name, DataType::Boolean, true));
    let refers = Expr::OuterReferenceColumn(field, outer.clone()).is_not_null();
    project(LogicalPlan::Filter(Filter::try_new(refers, Arc::new(scan))?), own)
}

/// The rows of the last step with the values that they carry; none of another plan.
pub(super) fn carried(plan: &LogicalPlan, domain: &Domain) -> Result<Option<LogicalPlan>> {
    let LogicalPlan::Projection(Projection { expr, input, .. }) = plan else { return Ok(None) };
    let LogicalPlan::Filter(Filter { input: rows, .. }) = input.as_ref() else { return Ok(None) };
    match rows.as_ref() {
        LogicalPlan::TableScan(scan) if reads_last_step(scan) => {}
        _ => return Ok(None),
    }
    let Ok(values) = values(domain, rows.schema()) else { return Ok(None) };
    let shown = expr.iter().cloned().chain(values).collect();
    project(LogicalPlan::clone(rows), shown).map(Some)
}
