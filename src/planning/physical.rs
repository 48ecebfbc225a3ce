//! The rules over physical plans, in their order.

use std::sync::Arc;

use datafusion::physical_optimizer::{PhysicalOptimizerRule, optimizer::PhysicalOptimizer};

use super::{
    compact::CompactTexts,
    cooperation::YieldInJoins,
    frames::WholePartitions,
    group_limits::GroupLimits,
    guards,
    limits::HoldLimits,
    names::{KeysByPosition, LimitByPosition, UnnestByPosition},
    pushdown::PushDynamicFilters,
    scan::FilterInScans,
    sorted::SortWhereNeeded,
    statistics::OwnStatistics,
    subquery::OpenOnce,
    unordered::ForgetOrder,
};

/// One rule of the list.
pub(crate) type PhysicalRule = Arc<dyn PhysicalOptimizerRule + Send + Sync>;

/// DataFusion's rules, with ours in the places of those that go by the names of columns.
pub(crate) fn physical_rules() -> Vec<PhysicalRule> {
    let theirs = guards::keep_projections(PhysicalOptimizer::new().rules);
    let mut rules: Vec<PhysicalRule> = Vec::with_capacity(theirs.len() + 5);
    rules.push(Arc::new(UnnestByPosition));
    for rule in theirs {
        match rule.name() {
            // Where both sides of a join have a column of that name, the filter lands on either. A statement's own
            // filters reach the scans where tables are opened, and names are unique.
            "FilterPushdown" => rules.push(Arc::new(FilterInScans)),
            "FilterPushdown(Post)" => rules.push(Arc::new(PushDynamicFilters)),
            "aggregate_statistics" => rules.push(Arc::new(OwnStatistics(rule))),
            // Of some joins only the left input's constants are told, so it must be known which one that is.
            "join_selection" => rules.extend([rule, Arc::new(ForgetOrder)]),
            "EnsureRequirements" => rules.push(Arc::new(HoldLimits(Arc::new(KeysByPosition(rule))))),
            "LimitAggregation" => rules.push(Arc::new(LimitByPosition(rule))),
            "SanityCheckPlan" => {
                rules.extend([
                    Arc::new(SortWhereNeeded) as PhysicalRule,
                    Arc::new(WholePartitions),
                    Arc::new(GroupLimits),
                    rule,
                ]);
            }
            _ => rules.push(rule),
        }
    }
    rules.push(Arc::new(YieldInJoins));
    rules.push(Arc::new(OpenOnce));
    rules.push(Arc::new(CompactTexts));
    rules
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The version whose rules were read for this list.
    const READ: &str = "55.2.0";

    #[test]
    fn a_new_version_of_datafusion_is_read_before_it_is_used() {
        assert_eq!(
            datafusion::DATAFUSION_VERSION,
            READ,
            "read again what this room relies on, then write the new version here: physical-plan/src/filter_pushdown.rs \
             (does `FilterRemapper` still match by name?), each operator's `gather_filters_for_pushdown`, \
             `handle_child_pushdown_result` and what a join's filter keeps (joins/hash_join/shared_bounds.rs), \
             physical-optimizer/src/optimizer.rs (the list below), what reads columns by name in \
             ensure_requirements, projection_pushdown and file scans, and what moves sorts and their numbers of rows in \
             ensure_requirements"
        );
    }

    #[test]
    fn the_rules_of_datafusion_are_those_that_were_read() {
        let names: Vec<String> = PhysicalOptimizer::new().rules.iter().map(|rule| rule.name().to_owned()).collect();
        let expected = [
            "OutputRequirements",
            "aggregate_statistics",
            "join_selection",
            "LimitedDistinctAggregation",
            "FilterPushdown",
            "WindowTopN",
            "EnsureRequirements",
            "CombinePartialFinalAggregate",
            "OptimizeAggregateOrder",
            "ProjectionPushdown",
            "OutputRequirements",
            "LimitAggregation",
            "LimitPushPastWindows",
            "HashJoinBuffering",
            "LimitPushdown",
            "TopKRepartition",
            "ProjectionPushdown",
            "PushdownSort",
            "EnsureCooperative",
            "FilterPushdown(Post)",
            "SanityCheckPlan",
        ];
        assert_eq!(names, expected, "a rule came, went or moved: read what it does with columns of the same name");
    }
}
