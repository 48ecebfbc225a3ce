//! Hands conditions to what reads files, where a table's columns have one name each.
//!
//! What reads Parquet skips the row groups and pages that a condition excludes, and evaluates it while decoding. Other
//! formats take none. A filter that stands right above a scan which evaluates it is not evaluated again.

use std::{
    fmt,
    hash::{Hash, Hasher},
    sync::Arc,
};

use arrow::{
    array::RecordBatch,
    datatypes::{DataType, FieldRef, Schema},
};
use datafusion::{
    catalog::Session,
    common::{
        DFSchema, Result,
        config::ConfigOptions,
        tree_node::{Transformed, TransformedResult, TreeNode, TreeNodeRecursion},
    },
    datasource::{physical_plan::FileScanConfig, source::DataSourceExec},
    logical_expr::{ColumnarValue, Expr},
    physical_expr::{
        PhysicalExpr,
        expressions::{Column, Literal},
        split_conjunction,
    },
    physical_optimizer::PhysicalOptimizerRule,
    physical_plan::{
        ExecutionPlan,
        execution_plan::replace_children_if_necessary,
        filter::FilterExec,
        filter_pushdown::{ChildPushdownResult, FilterPushdownPhase, PushedDown, PushedDownPredicate},
    },
};

use super::{
    columns::{Condition, Origins, column, rewritten},
    infallible::cannot_fail,
};

/// The scan of a table's files with the conditions that it can take, given over the columns of the whole table.
pub(crate) fn filter_scan(
    session: &dyn Session,
    scan: Arc<dyn ExecutionPlan>,
    filters: &[Expr],
) -> Result<Arc<dyn ExecutionPlan>> {
    let Some(files) = files_of(&scan) else { return Ok(scan) };
    let schema = files.file_source.table_schema().table_schema();
    let names = DFSchema::try_from(Arc::clone(schema))?;
    let mut conditions = Vec::new();
    for filter in filters {
        // What this table's columns alone do not decide (a subquery) stays where it is.
        let Ok(filter) = session.create_physical_expr(filter.clone(), &names) else { continue };
        conditions.extend(split_conjunction(&filter).into_iter().cloned());
    }
    let (filtered, _) = with_conditions(&scan, conditions, session.config_options())?;
    Ok(filtered.unwrap_or(scan))
}

/// Leaves to scans the conditions of filters right above them.
#[derive(Debug)]
pub(super) struct FilterInScans;

impl PhysicalOptimizerRule for FilterInScans {
    fn optimize(&self, plan: Arc<dyn ExecutionPlan>, options: &ConfigOptions) -> Result<Arc<dyn ExecutionPlan>> {
        let left = plan.transform_up(|node| match left_to_scan(&node, options)? {
            Some(changed) => Ok(Transformed::yes(changed)),
            None => Ok(Transformed::no(node)),
        });
        left.data()
    }

    fn name(&self) -> &str {
        "filter_in_scans"
    }

    fn schema_check(&self) -> bool {
        true
    }
}

/// The filter without what its scan evaluates; nothing where that is nothing.
fn left_to_scan(node: &Arc<dyn ExecutionPlan>, options: &ConfigOptions) -> Result<Option<Arc<dyn ExecutionPlan>>> {
    let Some(filter) = node.downcast_ref::<FilterExec>() else { return Ok(None) };
    let Some(files) = files_of(filter.input()) else { return Ok(None) };
    let Some(origins) = file_columns(filter.input(), files) else { return Ok(None) };
    let conditions: Vec<_> = split_conjunction(filter.predicate()).into_iter().cloned().collect();
    let moved: Vec<_> = conditions.iter().map(|condition| rewritten(condition, &origins)).collect();
    let (scan, evaluated) = with_conditions(filter.input(), moved.iter().flatten().cloned().collect(), options)?;
    let mut evaluated = evaluated.into_iter();
    let answers = conditions.into_iter().zip(&moved).map(|(condition, moved)| {
        match moved.is_some() && evaluated.next().unwrap_or_default() {
            true => PushedDownPredicate::supported(condition),
            false => PushedDownPredicate::unsupported(condition),
        }
    });
    let told = ChildPushdownResult { parent_filters: Vec::new(), self_filters: vec![answers.collect()] };
    let node = match scan {
        Some(scan) => replace_children_if_necessary(Arc::clone(node), vec![scan])?,
        None => Arc::clone(node),
    };
    Ok(node.handle_child_pushdown_result(FilterPushdownPhase::Pre, told, options)?.updated_node)
}

/// The node's files, where it reads files.
pub(super) fn files_of(node: &Arc<dyn ExecutionPlan>) -> Option<&FileScanConfig> {
    node.downcast_ref::<DataSourceExec>()?.data_source().downcast_ref::<FileScanConfig>()
}

/// The columns of a scan in those of the whole table; nothing where it stops early, since which rows it then gives is
/// decided after the condition.
pub(super) fn file_columns(node: &Arc<dyn ExecutionPlan>, files: &FileScanConfig) -> Option<Origins> {
    if node.fetch().is_some() {
        return None;
    }
    let table = files.file_source.table_schema().table_schema();
    Some(match files.file_source.projection() {
        Some(projection) => projection.iter().map(|projected| Some(Arc::clone(&projected.expr))).collect(),
        None => (0..table.fields().len()).map(|index| Some(column(table, index))).collect(),
    })
}

/// The scan with the conditions that it evaluates, if it takes any, and for each of them whether it does.
type Taken = (Option<Arc<dyn ExecutionPlan>>, Vec<bool>);

/// The scan with those of the conditions that it takes, each over the columns of the whole table, or nothing where it
/// takes none; and of each condition, whether the scan gives only rows that it holds for. Those that can fail it does
/// not get.
pub(super) fn with_conditions(
    scan: &Arc<dyn ExecutionPlan>,
    conditions: Vec<Condition>,
    options: &ConfigOptions,
) -> Result<Taken> {
    let mut evaluated = vec![false; conditions.len()];
    let (Some(node), Some(files)) = (scan.downcast_ref::<DataSourceExec>(), files_of(scan)) else {
        return Ok((None, evaluated));
    };
    let schema = files.file_source.table_schema().table_schema();
    let (mut places, mut offered) = (Vec::new(), Vec::new());
    for (place, condition) in conditions.into_iter().enumerate() {
        if condition.is::<Literal>() || !cannot_fail(&condition, schema) {
            continue;
        }
        places.push(place);
        offered.push(match reads_floats(&condition, schema) {
            true => Arc::new(Unpruned { condition }) as Arc<dyn PhysicalExpr>,
            false => condition,
        });
    }
    // What it has already, it would say of again that it takes it.
    let has = files.file_source.filter();
    let has = has.as_ref().map(split_conjunction).unwrap_or_default();
    let new: Vec<_> = offered.iter().filter(|condition| !has.contains(condition)).cloned().collect();
    let answer = files.file_source.try_pushdown_filters(offered, options)?;
    for (place, taken) in places.into_iter().zip(answer.filters) {
        evaluated[place] = matches!(taken, PushedDown::Yes);
    }
    if new.is_empty() || answer.updated_node.is_none() {
        return Ok((None, evaluated));
    }
    let Some(source) = files.file_source.try_pushdown_filters(new, options)?.updated_node else {
        return Ok((None, evaluated));
    };
    let mut files = files.clone();
    files.file_source = source;
    Ok((Some(Arc::new(node.clone().with_data_source(Arc::new(files)))), evaluated))
}

fn reads_floats(condition: &Arc<dyn PhysicalExpr>, schema: &Schema) -> bool {
    let mut found = false;
    let looked = condition.apply(|expression| {
        let field = expression.downcast_ref::<Column>().and_then(|column| schema.fields().get(column.index()));
        found |= field.is_some_and(|field| field.data_type().is_floating());
        Ok(if found { TreeNodeRecursion::Stop } else { TreeNodeRecursion::Continue })
    });
    found || looked.is_err()
}

/// A condition that rows are tried against, and statistics never: those of floating point columns leave NaN out, which
/// is above all numbers, so that a row group whose greatest value is 1 may hold rows above 2.
#[derive(Debug)]
struct Unpruned {
    condition: Arc<dyn PhysicalExpr>,
}

impl PhysicalExpr for Unpruned {
    fn data_type(&self, input: &Schema) -> Result<DataType> {
        self.condition.data_type(input)
    }

    fn nullable(&self, input: &Schema) -> Result<bool> {
        self.condition.nullable(input)
    }

    fn return_field(&self, input: &Schema) -> Result<FieldRef> {
        self.condition.return_field(input)
    }

    fn evaluate(&self, batch: &RecordBatch) -> Result<ColumnarValue> {
        self.condition.evaluate(batch)
    }

    fn children(&self) -> Vec<&Arc<dyn PhysicalExpr>> {
        vec![&self.condition]
    }

    fn with_new_children(self: Arc<Self>, mut children: Vec<Arc<dyn PhysicalExpr>>) -> Result<Arc<dyn PhysicalExpr>> {
        let condition = children.pop().unwrap_or_else(|| Arc::clone(&self.condition));
        Ok(Arc::new(Self { condition }))
    }

    fn fmt_sql(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.condition.fmt_sql(formatter)
    }
}

impl fmt::Display for Unpruned {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.condition.fmt(formatter)
    }
}

impl PartialEq for Unpruned {
    fn eq(&self, other: &Self) -> bool {
        self.condition.eq(&other.condition)
    }
}

impl Eq for Unpruned {}

impl Hash for Unpruned {
    fn hash<H: Hasher>(&self, state: &mut H) {
        self.condition.hash(state);
    }
}
