//! Hands conditions to what reads files, where a table's columns have one name each.
//!
//! What reads Parquet skips the row groups and pages that a condition excludes, and evaluates it while decoding. Other
//! formats take none. Whoever hands a condition over still applies it: handing it over only saves work.

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
        tree_node::{TreeNode, TreeNodeRecursion},
    },
    datasource::{physical_plan::FileScanConfig, source::DataSourceExec},
    logical_expr::{ColumnarValue, Expr},
    physical_expr::{
        PhysicalExpr,
        expressions::{Column, Literal},
        split_conjunction,
    },
    physical_plan::ExecutionPlan,
};

use super::infallible::cannot_fail;

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
    Ok(with_conditions(&scan, conditions, session.config_options())?.unwrap_or(scan))
}

/// The node's files, where it reads files.
pub(super) fn files_of(node: &Arc<dyn ExecutionPlan>) -> Option<&FileScanConfig> {
    node.downcast_ref::<DataSourceExec>()?.data_source().downcast_ref::<FileScanConfig>()
}

/// The scan with those of the conditions that cannot fail, each over the columns of the whole table; nothing where it takes
/// none.
pub(super) fn with_conditions(
    scan: &Arc<dyn ExecutionPlan>,
    conditions: Vec<Arc<dyn PhysicalExpr>>,
    options: &ConfigOptions,
) -> Result<Option<Arc<dyn ExecutionPlan>>> {
    let (Some(node), Some(files)) = (scan.downcast_ref::<DataSourceExec>(), files_of(scan)) else { return Ok(None) };
    let schema = files.file_source.table_schema().table_schema();
    let taken: Vec<_> = conditions
        .into_iter()
        .filter(|condition| !condition.is::<Literal>() && cannot_fail(condition, schema))
        .map(|condition| match reads_floats(&condition, schema) {
            true => Arc::new(Unpruned { condition }) as Arc<dyn PhysicalExpr>,
            false => condition,
        })
        .collect();
    if taken.is_empty() {
        return Ok(None);
    }
    let Some(source) = files.file_source.try_pushdown_filters(taken, options)?.updated_node else { return Ok(None) };
    let mut files = files.clone();
    files.file_source = source;
    Ok(Some(Arc::new(node.clone().with_data_source(Arc::new(files)))))
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

/// A condition that rows are tried against, and statistics never: those of floating point columns leave NaN out, which is
/// above all numbers, so that a row group whose greatest value is 1 may hold rows above 2.
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
