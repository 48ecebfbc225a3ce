//! Items of WITH that are computed once: the places that read one have its query under one name, and get the same rows.

use std::{collections::HashMap, sync::Arc};

use datafusion::{
    common::{
        Result, TableReference,
        config::ConfigOptions,
        tree_node::{Transformed, TransformedResult},
    },
    logical_expr::{LogicalPlan, SubqueryAlias},
    optimizer::AnalyzerRule,
};

use super::subquery::{is_planned_again, once};

/// What the name of an item's query begins with; a number follows, which no other item has.
pub(crate) const COMPUTED_ONCE: &str = "fusewire once ";

/// See the module. It comes when subqueries are joins: what is computed once is not looked into any more.
#[derive(Debug)]
pub(super) struct ComputeOnce;

impl AnalyzerRule for ComputeOnce {
    fn name(&self) -> &str {
        "compute_once"
    }

    fn analyze(&self, plan: LogicalPlan, _config: &ConfigOptions) -> Result<LogicalPlan> {
        if is_planned_again() {
            return Ok(plan);
        }
        let mut items = HashMap::new();
        plan.transform_up_with_subqueries(|node| match node {
            LogicalPlan::SubqueryAlias(alias) if alias.alias.table().starts_with(COMPUTED_ONCE) => {
                Ok(Transformed::yes(LogicalPlan::SubqueryAlias(shared(alias, &mut items)?)))
            }
            other => Ok(Transformed::no(other)),
        })
        .data()
    }
}

/// An item's query, and the node in its place.
type Item = (Arc<LogicalPlan>, Arc<LogicalPlan>);

fn shared(alias: SubqueryAlias, items: &mut HashMap<TableReference, Item>) -> Result<SubqueryAlias> {
    // Where subqueries have become joins, one place may have other rows than the rest.
    let known = items.get(&alias.alias).filter(|(query, _)| *query == alias.input);
    let node = match known {
        Some((_, node)) => Arc::clone(node),
        None => {
            let node = Arc::new(once(alias.input.as_ref().clone())?);
            items.insert(alias.alias.clone(), (alias.input, Arc::clone(&node)));
            node
        }
    };
    SubqueryAlias::try_new(node, alias.alias)
}
