//! Rules and operators of DataFusion that go by the names of columns, kept from being misled where two have the same.

use std::{collections::HashSet, sync::Arc};

use arrow::datatypes::{Field, Schema};
use datafusion::{
    common::{
        Result,
        config::ConfigOptions,
        tree_node::{Transformed, TransformedResult, TreeNode},
    },
    physical_expr::expressions::Column,
    physical_optimizer::PhysicalOptimizerRule,
    physical_plan::{
        ExecutionPlan,
        aggregates::AggregateExec,
        projection::{ProjectionExec, ProjectionExpr},
        sorts::sort::SortExec,
        unnest::UnnestExec,
        windows::{BoundedWindowAggExec, WindowAggExec},
    },
};

use super::physical::PhysicalRule;

/// Distributes and sorts, without putting the keys of a GROUP BY into the order of the join above: the columns are
/// found again by name, and `GROUP BY a.id, b.id` gave `a.id` twice. The join's keys are put into the order of the
/// groups instead, which goes by position.
#[derive(Debug)]
pub(super) struct KeysByPosition(pub(super) PhysicalRule);

impl PhysicalOptimizerRule for KeysByPosition {
    fn optimize(&self, plan: Arc<dyn ExecutionPlan>, options: &ConfigOptions) -> Result<Arc<dyn ExecutionPlan>> {
        let mut options = options.clone();
        options.optimizer.top_down_join_key_reordering = false;
        self.0.optimize(plan, &options)
    }

    fn name(&self) -> &str {
        self.0.name()
    }

    fn schema_check(&self) -> bool {
        self.0.schema_check()
    }
}

/// Gives an unnested input names of its own while it is unnested: what is known of the order and the constants of its
/// columns is carried over to the first column of the same name, and a sort by that one would be left out.
#[derive(Debug)]
pub(super) struct UnnestByPosition;

impl PhysicalOptimizerRule for UnnestByPosition {
    fn optimize(&self, plan: Arc<dyn ExecutionPlan>, _options: &ConfigOptions) -> Result<Arc<dyn ExecutionPlan>> {
        let renamed = plan.transform_up(|node| match node.downcast_ref::<UnnestExec>().map(unnested_by_position) {
            Some(found) => Ok(found?.map_or_else(|| Transformed::no(node), Transformed::yes)),
            None => Ok(Transformed::no(node)),
        });
        renamed.data()
    }

    fn name(&self) -> &str {
        "unnest_by_position"
    }

    fn schema_check(&self) -> bool {
        true
    }
}

/// The same rows, unnested under names that differ; nothing where they do already.
fn unnested_by_position(unnest: &UnnestExec) -> Result<Option<Arc<dyn ExecutionPlan>>> {
    let (below, above) = (unnest.input().schema(), unnest.schema());
    let names: HashSet<&str> = above.fields().iter().map(|field| field.name().as_str()).collect();
    if names.len() == above.fields().len() {
        return Ok(None);
    }
    let name = |position: usize| format!("column {position}");
    let mut position = 0;
    let mut inputs = Vec::with_capacity(below.fields().len());
    for (index, field) in below.fields().iter().enumerate() {
        let depths = unnest.list_column_indices().iter().filter(|list| list.index_in_input_schema == index).count();
        let width = match field.data_type() {
            arrow::datatypes::DataType::Struct(inner) if unnest.struct_column_indices().contains(&index) => inner.len(),
            _ => depths.max(1),
        };
        // Only what isn't unnested is looked up by its name; the rest needs one that is nobody else's.
        let kept = depths == 0 && !unnest.struct_column_indices().contains(&index);
        let alias = if kept { name(position) } else { format!("unnested {index}") };
        inputs.push(ProjectionExpr { expr: Arc::new(Column::new(field.name(), index)), alias });
        position += width;
    }
    if position != above.fields().len() {
        return Ok(None);
    }
    let fields = above.fields().iter().enumerate();
    let fields: Vec<Field> = fields.map(|(position, field)| field.as_ref().clone().with_name(name(position))).collect();
    let schema = Arc::new(Schema::new_with_metadata(fields, above.metadata().clone()));
    let input = Arc::new(ProjectionExec::try_new(inputs, Arc::clone(unnest.input()))?);
    let (lists, structs) = (unnest.list_column_indices().to_vec(), unnest.struct_column_indices().to_vec());
    let inner = Arc::new(UnnestExec::new(input, lists, structs, schema, unnest.options().clone())?);
    let outputs = above.fields().iter().enumerate().map(|(position, field)| ProjectionExpr {
        expr: Arc::new(Column::new(&name(position), position)),
        alias: field.name().clone(),
    });
    Ok(Some(Arc::new(ProjectionExec::try_new(outputs.collect::<Vec<_>>(), inner)?)))
}

/// Lets aggregates keep only the best groups of an `ORDER BY … LIMIT`, unless the rule has taken one column for
/// another: `SELECT k AS m, m AS k …` renames a column to the name of another, and it follows the names. Nor may a window
/// stand between, which counts all groups.
#[derive(Debug)]
pub(super) struct LimitByPosition(pub(super) PhysicalRule);

impl PhysicalOptimizerRule for LimitByPosition {
    fn optimize(&self, plan: Arc<dyn ExecutionPlan>, options: &ConfigOptions) -> Result<Arc<dyn ExecutionPlan>> {
        let limited = self.0.optimize(Arc::clone(&plan), options)?;
        let misled = limited.exists(|node| Ok(node.downcast_ref::<SortExec>().is_some_and(sorts_by_another)))?;
        Ok(if misled { plan } else { limited })
    }

    fn name(&self) -> &str {
        self.0.name()
    }

    fn schema_check(&self) -> bool {
        self.0.schema_check()
    }
}

/// Whether the sort's input keeps only the best groups, by something that isn't what is sorted by.
fn sorts_by_another(sort: &SortExec) -> bool {
    let by = sort
        .properties()
        .output_ordering()
        .and_then(|order| order.first().expr.downcast_ref::<Column>().map(Column::index));
    keeps_others(sort.input(), by)
}

fn keeps_others(node: &Arc<dyn ExecutionPlan>, by: Option<usize>) -> bool {
    if let Some(aggregate) = node.downcast_ref::<AggregateExec>() {
        let kept = aggregate.limit_options().and_then(|limit| limit.descending());
        // It ranks by its only aggregate, or by its only group where it has none.
        let ranked = aggregate.group_expr().expr().len().saturating_sub(usize::from(aggregate.aggr_expr().is_empty()));
        return kept.is_some() && by != Some(ranked);
    }
    // The groups that another limited sort keeps are its own affair.
    if node.downcast_ref::<SortExec>().is_some_and(|sort| sort.fetch().is_some()) {
        return false;
    }
    let by = match node.downcast_ref::<ProjectionExec>() {
        Some(projection) => by
            .and_then(|index| projection.expr().get(index))
            .and_then(|projected| projected.expr.downcast_ref::<Column>().map(Column::index)),
        None if node.is::<BoundedWindowAggExec>() || node.is::<WindowAggExec>() => None,
        None => by,
    };
    node.children().into_iter().any(|child| keeps_others(child, by))
}
