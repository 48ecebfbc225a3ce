//! What is known of rows below an operator and not above it: which columns are constant or sorted, and how rows are
//! distributed.
//!
//! An aggregate takes it over from its input. With grouping sets every row counts several times, with NULL in the columns that
//! a set leaves out, so that nothing of it is true any more; a key that is a constant is none in the rows of the sets. An outer join takes over which columns of its inputs are
//! constant, and they are not where a row found no partner. A sort by such a column was left out, and groups were closed too
//! soon. A window that is partitioned by a constant column is not sorted by it, and fails when what told so is gone. A running
//! maximum rises, after it was NULL where all values so far were: it is taken for an order with NULL last. What
//! counts over a frame that moves falls again, and is taken to rise. A column that is a
//! constant in each input of a UNION, and not the same, was left out of what the inputs are sorted by, though `LIMIT` compares
//! the rows of all. Here the inputs of aggregates and such windows, and the outputs of joins, unions and running extremes, tell
//! nothing of their rows.
//!
//! A group's keys are unique in what an aggregate yields, and a sort by them and more needs to look at no more. Where a
//! projection or another aggregate moves columns, the columns in the places of the keys are taken for unique: there it is
//! forgotten that there are keys.

use std::{fmt, sync::Arc};

use datafusion::{
    common::{
        Constraint, Constraints, JoinType, Result,
        config::ConfigOptions,
        tree_node::{Transformed, TransformedResult, TreeNode, TreeNodeRecursion},
    },
    execution::{SendableRecordBatchStream, TaskContext},
    logical_expr::SetMonotonicity,
    physical_expr::{
        EquivalenceProperties, Partitioning, PhysicalExpr,
        expressions::Column,
        window::{PlainAggregateWindowExpr, SlidingAggregateWindowExpr, WindowExpr},
    },
    physical_optimizer::PhysicalOptimizerRule,
    physical_plan::{
        DisplayAs, DisplayFormatType, ExecutionPlan, ExecutionPlanProperties, PlanProperties, Statistics,
        aggregates::{AggregateExec, AggregateInputMode},
        execution_plan::{CardinalityEffect, replace_children_if_necessary},
        filter::FilterExec,
        joins::{HashJoinExec, NestedLoopJoinExec, SortMergeJoinExec},
        projection::ProjectionExec,
        statistics::{ChildStats, StatisticsArgs},
        union::UnionExec,
        windows::{BoundedWindowAggExec, WindowAggExec},
    },
};

/// The rule; see the module. It comes before distribution and order are settled.
#[derive(Debug)]
pub(super) struct ForgetOrder;

impl PhysicalOptimizerRule for ForgetOrder {
    fn optimize(&self, plan: Arc<dyn ExecutionPlan>, _options: &ConfigOptions) -> Result<Arc<dyn ExecutionPlan>> {
        plan.transform_up(|node| {
            let moved = match node.children()[..] {
                [input] if moves_keys(&node, input) => Some(UnorderedExec::without_keys(Arc::clone(input))),
                _ => None,
            };
            let node = over(node, moved)?;
            if let Some(aggregate) = node.downcast_ref::<AggregateExec>()
                && aggregate.group_expr().groups().len() > 1
            {
                let input: Arc<dyn ExecutionPlan> = Arc::new(UnorderedExec::new(Arc::clone(aggregate.input())));
                let sets = replace_children_if_necessary(node, vec![input])?;
                return Ok(Transformed::yes(match has_constants(&sets) {
                    true => Arc::new(UnorderedExec::distributed(sets)),
                    false => sets,
                }));
            }
            let by_constant = match node.children()[..] {
                [input] if is_partitioned_by_constant(&node, input) => Some(UnorderedExec::new(Arc::clone(input))),
                _ => None,
            };
            let node = over(node, by_constant)?;
            let forgotten = if has_constants_without_partner(&node) {
                UnorderedExec::new(node)
            } else if is_taken_for_ordered(&node) || node.is::<UnionExec>() && has_constants(&node) {
                UnorderedExec::distributed(node)
            } else {
                return Ok(Transformed::yes(node));
            };
            Ok(Transformed::yes(Arc::new(forgotten) as Arc<dyn ExecutionPlan>))
        })
        .data()
    }

    fn name(&self) -> &str {
        "forget_order"
    }

    fn schema_check(&self) -> bool {
        true
    }
}

/// The node over another input, if there is one.
fn over(node: Arc<dyn ExecutionPlan>, input: Option<UnorderedExec>) -> Result<Arc<dyn ExecutionPlan>> {
    match input {
        Some(input) => replace_children_if_necessary(node, vec![Arc::new(input)]),
        None => Ok(node),
    }
}

/// Whether a node has columns that are unique in its input at other places.
fn moves_keys(node: &Arc<dyn ExecutionPlan>, input: &Arc<dyn ExecutionPlan>) -> bool {
    let constraints = input.equivalence_properties().constraints();
    if constraints.iter().next().is_none() {
        return false;
    }
    let columns = constraints.iter().flat_map(|constraint| match constraint {
        Constraint::PrimaryKey(columns) | Constraint::Unique(columns) => columns,
    });
    let last = columns.copied().max().unwrap_or(0);
    let place_of = |expression: &Arc<dyn PhysicalExpr>| expression.downcast_ref::<Column>().map(Column::index);
    let places: Vec<Option<usize>> = if let Some(projection) = node.downcast_ref::<ProjectionExec>() {
        projection.expr().iter().map(|column| place_of(&column.expr)).collect()
    } else if let Some(aggregate) = node.downcast_ref::<AggregateExec>()
        && aggregate.mode().input_mode() == AggregateInputMode::Raw
    {
        aggregate.group_expr().expr().iter().map(|(key, _)| place_of(key)).collect()
    } else if let Some(filter) = node.downcast_ref::<FilterExec>()
        && let Some(projection) = filter.projection().as_ref()
    {
        projection.iter().map(|place| Some(*place)).collect()
    } else {
        return false;
    };
    // A column that comes twice moves those after it.
    let stays = |key: &usize| places.iter().enumerate().all(|(at, place)| (at == *key) == (*place == Some(*key)));
    !(0..=last).all(|key| stays(&key))
}

/// Whether a join adds rows in which columns that are constant in an input are NULL.
fn has_constants_without_partner(node: &Arc<dyn ExecutionPlan>) -> bool {
    let join_type = if let Some(join) = node.downcast_ref::<HashJoinExec>() {
        *join.join_type()
    } else if let Some(join) = node.downcast_ref::<NestedLoopJoinExec>() {
        *join.join_type()
    } else if let Some(join) = node.downcast_ref::<SortMergeJoinExec>() {
        join.join_type()
    } else {
        return false;
    };
    let (left, right) = match join_type {
        JoinType::Left => (false, true),
        JoinType::Right => (true, false),
        JoinType::Full => (true, true),
        _ => return false,
    };
    node.children().into_iter().zip([left, right]).any(|(input, without)| without && has_constants(input))
}

/// Whether a window is partitioned or ordered by a column that is known to be constant.
fn is_partitioned_by_constant(node: &Arc<dyn ExecutionPlan>, input: &Arc<dyn ExecutionPlan>) -> bool {
    let constants = input.equivalence_properties().constants();
    let is_constant = |key: &Arc<dyn PhysicalExpr>| constants.iter().any(|constant| constant.expr.eq(key));
    window_expressions(node).iter().any(|window| {
        window.partition_by().iter().any(is_constant) || window.order_by().iter().any(|sort| is_constant(&sort.expr))
    })
}

/// Whether a window computes a running extreme, which is NULL before it is known, or a count or an extreme over a frame that moves.
fn is_taken_for_ordered(node: &Arc<dyn ExecutionPlan>) -> bool {
    window_expressions(node).iter().any(|window| {
        let (aggregate, moves) = if let Some(plain) = window.as_any().downcast_ref::<PlainAggregateWindowExpr>() {
            (plain.get_aggregate_expr(), false)
        } else if let Some(sliding) = window.as_any().downcast_ref::<SlidingAggregateWindowExpr>() {
            (sliding.get_aggregate_expr(), true)
        } else {
            return false;
        };
        aggregate.set_monotonicity() != SetMonotonicity::NotMonotonic && (moves || aggregate.field().is_nullable())
    })
}

fn window_expressions(node: &Arc<dyn ExecutionPlan>) -> &[Arc<dyn WindowExpr>] {
    if let Some(window) = node.downcast_ref::<BoundedWindowAggExec>() {
        window.window_expr()
    } else if let Some(window) = node.downcast_ref::<WindowAggExec>() {
        window.window_expr()
    } else {
        &[]
    }
}

fn has_constants(input: &Arc<dyn ExecutionPlan>) -> bool {
    !input.equivalence_properties().constants().is_empty()
}

/// The rows of its input, of which less is known than the input says.
#[derive(Debug)]
pub(super) struct UnorderedExec {
    input: Arc<dyn ExecutionPlan>,
    known: Known,
    properties: Arc<PlanProperties>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Known {
    Nothing,
    /// How rows are distributed, and what is equal in them.
    Distribution,
    /// All but which columns are unique.
    Order,
}

impl UnorderedExec {
    fn new(input: Arc<dyn ExecutionPlan>) -> Self {
        Self::over(input, Known::Nothing)
    }

    /// Rows that are known to be distributed as they are.
    pub(super) fn distributed(input: Arc<dyn ExecutionPlan>) -> Self {
        Self::over(input, Known::Distribution)
    }

    fn without_keys(input: Arc<dyn ExecutionPlan>) -> Self {
        Self::over(input, Known::Order)
    }

    fn over(input: Arc<dyn ExecutionPlan>, known: Known) -> Self {
        let of_input = input.properties();
        let partitioning = of_input.output_partitioning();
        let rows = match known {
            Known::Nothing => EquivalenceProperties::new(input.schema()),
            Known::Distribution => equalities(of_input.equivalence_properties()),
            Known::Order => of_input.equivalence_properties().clone().with_constraints(Constraints::default()),
        };
        let properties = PlanProperties::new(
            rows,
            match known {
                Known::Nothing => Partitioning::UnknownPartitioning(partitioning.partition_count()),
                Known::Distribution | Known::Order => partitioning.clone(),
            },
            of_input.emission_type,
            of_input.boundedness,
        );
        Self { input, known, properties: Arc::new(properties) }
    }
}

/// Which columns are equal; rows may be distributed by one that equals the one which is asked for.
///
/// The engine takes the first of those that are equal for each of them, in what they are part of too. Of `f(a) = a` an order
/// by a would be one by f(a), then one by f(f(a)), and never be found, and of `f(b) = a AND g(a) = b` as well. So the
/// shortest comes first, and nothing in it can be replaced.
fn equalities(rows: &EquivalenceProperties) -> EquivalenceProperties {
    let mut classes: Vec<Vec<Arc<dyn PhysicalExpr>>> = Vec::new();
    for class in rows.eq_group().iter() {
        let mut equal: Vec<_> = class.iter().cloned().collect();
        equal.sort_by_key(length);
        classes.push(equal);
    }
    classes.sort_by_key(|class| class.first().map(length));
    let mut known = EquivalenceProperties::new(Arc::clone(rows.schema()));
    for class in classes {
        let equal: Vec<_> = class.into_iter().map(|part| known.eq_group().normalize_expr(part)).collect();
        let Some((first, others)) = equal.split_first() else { continue };
        for other in others.iter().filter(|other| !first.eq(*other)) {
            // Where it cannot be said, less is known.
            let _ = known.add_equal_conditions(Arc::clone(first), Arc::clone(other));
        }
    }
    known
}

/// Of how many parts an expression is.
fn length(expression: &Arc<dyn PhysicalExpr>) -> usize {
    1 + expression.children().into_iter().map(length).sum::<usize>()
}

impl DisplayAs for UnorderedExec {
    fn fmt_as(&self, _format: DisplayFormatType, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str("UnorderedExec")
    }
}

impl ExecutionPlan for UnorderedExec {
    fn name(&self) -> &str {
        "UnorderedExec"
    }

    fn properties(&self) -> &Arc<PlanProperties> {
        &self.properties
    }

    fn maintains_input_order(&self) -> Vec<bool> {
        vec![self.known == Known::Order]
    }

    fn cardinality_effect(&self) -> CardinalityEffect {
        CardinalityEffect::Equal
    }

    fn children(&self) -> Vec<&Arc<dyn ExecutionPlan>> {
        vec![&self.input]
    }

    fn apply_expressions(
        &self,
        _visit: &mut dyn FnMut(&Arc<dyn PhysicalExpr>) -> Result<TreeNodeRecursion>,
    ) -> Result<TreeNodeRecursion> {
        Ok(TreeNodeRecursion::Continue)
    }

    fn with_new_children(self: Arc<Self>, children: Vec<Arc<dyn ExecutionPlan>>) -> Result<Arc<dyn ExecutionPlan>> {
        Ok(Arc::new(Self::over(fusewire_udfs::plan::only_input(self.name(), &children)?, self.known)))
    }

    fn child_stats_requests(&self, partition: Option<usize>) -> Vec<ChildStats> {
        vec![ChildStats::At(partition)]
    }

    fn statistics_from_inputs(
        &self,
        inputs: &[Arc<Statistics>],
        _arguments: &StatisticsArgs,
    ) -> Result<Arc<Statistics>> {
        match inputs {
            [input] => Ok(Arc::clone(input)),
            _ => Ok(Arc::new(Statistics::new_unknown(&self.schema()))),
        }
    }

    fn execute(&self, partition: usize, context: Arc<TaskContext>) -> Result<SendableRecordBatchStream> {
        self.input.execute(partition, context)
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use arrow::datatypes::{DataType, Field, Schema};
    use datafusion::physical_expr::{PhysicalSortExpr, expressions::IsNullExpr};

    use super::*;

    #[test]
    fn an_order_is_found_where_columns_equal_expressions_of_themselves_or_of_one_another() {
        let fields = ["a", "b"].map(|name| Field::new(name, DataType::Boolean, true));
        let schema = Arc::new(Schema::new(fields.to_vec()));
        let column = |name: &str, at| Arc::new(Column::new(name, at)) as Arc<dyn PhysicalExpr>;
        let (a, b) = (column("a", 0), column("b", 1));
        let of = |part: &Arc<dyn PhysicalExpr>| Arc::new(IsNullExpr::new(Arc::clone(part))) as Arc<dyn PhysicalExpr>;
        for equal in [vec![(of(&a), &a)], vec![(of(&b), &a), (of(&a), &b)], vec![(of(&of(&a)), &b), (of(&b), &a)]] {
            let mut rows = EquivalenceProperties::new(Arc::clone(&schema));
            for (whole, part) in equal {
                rows.add_equal_conditions(whole, Arc::clone(part)).unwrap();
            }
            let mut known = equalities(&rows);
            let key = PhysicalSortExpr::new_default(Arc::clone(&a));
            known.add_ordering([key.clone()]);
            assert!(known.ordering_satisfy([key]).unwrap(), "{known}");
        }
    }
}
