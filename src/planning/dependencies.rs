//! Functional dependencies, which are not to be relied on.
//!
//! The engine keeps a record of which columns determine others: after `GROUP BY k`, k determines all. An aggregate over a join
//! of such rows claims that k determines all there too, though it groups by more than k; so do rows after `unnest`, which
//! repeats k. In silence `GROUP BY k, x` became `GROUP BY k`, DISTINCT was left out, a join that multiplies rows too, and the
//! frame of a window lost the rows that are equal in its order. So a relation in FROM enters a query without dependencies, and
//! the rules that would rely on them find none.

use std::{cell::Cell, sync::Arc};

use datafusion::{
    common::{
        FunctionalDependencies, Result,
        tree_node::{Transformed, TransformedResult, TreeNode},
    },
    logical_expr::{
        Distinct, LogicalPlan,
        planner::{PlannedRelation, RelationPlanner, RelationPlannerContext, RelationPlanning},
    },
    optimizer::OptimizerConfig,
    sql::sqlparser::ast::TableFactor,
};

use super::around::{Rule, around};

/// The rule, which finds no dependencies where it would rely on them.
pub(super) fn without(rule: Rule) -> Rule {
    match rule.name() {
        "replace_distinct_aggregate" | "eliminate_join" | "eliminate_duplicated_expr" | "optimize_projections" => {
            around(rule, rewritten_without)
        }
        _ => rule,
    }
}

fn rewritten_without(rule: &Rule, plan: LogicalPlan, config: &dyn OptimizerConfig) -> Result<Transformed<LogicalPlan>> {
    // A rule that walks by itself looks at all nodes. One that is shown each asks those below DISTINCT and below a sort.
    let looks = match rule.apply_order() {
        None => true,
        Some(_) => match &plan {
            LogicalPlan::Distinct(Distinct::All(input)) => has(input),
            LogicalPlan::Sort(sort) => has(&sort.input),
            _ => false,
        },
    };
    let plan = if looks { forgotten(plan)? } else { plan };
    rule.rewrite(plan, config)
}

fn has(plan: &LogicalPlan) -> bool {
    !plan.schema().functional_dependencies().is_empty()
}

/// The plan, none of whose columns determines others.
pub(super) fn forgotten(plan: LogicalPlan) -> Result<LogicalPlan> {
    if !plan.exists(|node| Ok(has(node)))? {
        return Ok(plan);
    }
    plan.transform_up(|mut node| {
        let schema = match &mut node {
            LogicalPlan::Projection(projection) => &mut projection.schema,
            LogicalPlan::SubqueryAlias(alias) => &mut alias.schema,
            LogicalPlan::Aggregate(aggregate) => &mut aggregate.schema,
            LogicalPlan::Join(join) => &mut join.schema,
            LogicalPlan::Window(window) => &mut window.schema,
            LogicalPlan::Unnest(unnest) => &mut unnest.schema,
            LogicalPlan::Union(union) => &mut union.schema,
            LogicalPlan::TableScan(scan) => &mut scan.projected_schema,
            _ => return Ok(Transformed::no(node)),
        };
        if schema.functional_dependencies().is_empty() {
            return Ok(Transformed::no(node));
        }
        let own = schema.as_ref().clone();
        *schema = Arc::new(own.with_functional_dependencies(FunctionalDependencies::empty())?);
        Ok(Transformed::yes(node))
    })
    .data()
}

/// Plans relations in FROM as the engine does, forgets what their columns determine, and names functions by their calls.
#[derive(Debug)]
pub(crate) struct Relations;

thread_local! {
    /// Whether the relation that comes next is on its way to the engine's own planner, which asks here first, before anything
    /// that could fail.
    static OWN: Cell<bool> = const { Cell::new(false) };
}

impl RelationPlanner for Relations {
    fn plan_relation(
        &self,
        relation: TableFactor,
        context: &mut dyn RelationPlannerContext,
    ) -> Result<RelationPlanning> {
        if OWN.replace(false) {
            return Ok(RelationPlanning::Original(Box::new(relation)));
        }
        let call = super::function_scans::call_of(&relation);
        OWN.set(true);
        let plan = context.plan(relation)?;
        let plan = match call {
            Some(call) => super::function_scans::named_by(&call, plan)?,
            None => plan,
        };
        Ok(RelationPlanning::Planned(Box::new(PlannedRelation::new(forgotten(plan)?, None))))
    }
}
