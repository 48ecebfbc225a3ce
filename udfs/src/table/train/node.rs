//! The logical node of `train`, and how the rows of a finished training take its place.

use std::{cmp::Ordering, fmt, sync::Arc};

use arrow::array::RecordBatch;
use datafusion::{
    common::{
        DFSchema, DFSchemaRef, Result,
        tree_node::{Transformed, TreeNodeRecursion},
    },
    logical_expr::{Expr, Extension, LogicalPlan, LogicalPlanBuilder, UserDefinedLogicalNodeCore},
    physical_plan::ExecutionPlan,
};

use super::{Request, TrainExec};
use crate::{
    plan::{Node, only_input},
    table::metrics,
};

/// A training over an input.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct TrainNode {
    input: LogicalPlan,
    request: Arc<Request>,
    schema: DFSchemaRef,
}

impl TrainNode {
    pub(super) fn new(input: LogicalPlan, request: Request) -> Result<Self> {
        let schema = Arc::new(DFSchema::try_from(metrics::schema())?);
        Ok(Self { input, request: Arc::new(request), schema })
    }

    pub(super) fn into_plan(self) -> LogicalPlan {
        LogicalPlan::Extension(Extension { node: Arc::new(self) })
    }

    /// What is asked for.
    pub fn request(&self) -> &Request {
        &self.request
    }
}

/// The trainings in a plan, subqueries included, each as a plan that can be run by itself.
pub fn find(plan: &LogicalPlan) -> Result<Vec<LogicalPlan>> {
    let mut found = Vec::new();
    plan.apply_with_subqueries(|node| {
        if is_training(node) {
            found.push(node.clone());
        }
        Ok(TreeNodeRecursion::Continue)
    })?;
    Ok(found)
}

/// The plan with the rows of its training in place of the training.
pub fn substitute(plan: LogicalPlan, rows: Vec<RecordBatch>) -> Result<LogicalPlan> {
    let scan = metrics::scan("train", rows)?;
    let replaced = plan.transform_down_with_subqueries(|node| {
        if !is_training(&node) {
            return Ok(Transformed::no(node));
        }
        // The columns keep the qualifiers that the rest of the plan was resolved with.
        let columns = scan.schema().columns().into_iter().zip(node.schema().iter());
        let columns = columns
            .map(|(column, (qualifier, field))| Expr::Column(column).alias_qualified(qualifier.cloned(), field.name()));
        Ok(Transformed::yes(LogicalPlanBuilder::from(scan.clone()).project(columns)?.build()?))
    })?;
    Ok(replaced.data)
}

fn is_training(plan: &LogicalPlan) -> bool {
    matches!(plan, LogicalPlan::Extension(extension) if extension.node.as_any().is::<TrainNode>())
}

impl UserDefinedLogicalNodeCore for TrainNode {
    fn name(&self) -> &str {
        "Train"
    }

    fn inputs(&self) -> Vec<&LogicalPlan> {
        vec![&self.input]
    }

    fn schema(&self) -> &DFSchemaRef {
        &self.schema
    }

    fn expressions(&self) -> Vec<Expr> {
        Vec::new()
    }

    fn fmt_for_explain(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(formatter, "Train: {}.{}", self.request.schema, self.request.name)
    }

    fn with_exprs_and_inputs(&self, _expressions: Vec<Expr>, inputs: Vec<LogicalPlan>) -> Result<Self> {
        let input = only_input("Train", &inputs)?;
        // Parameters that got their values may have given columns another type.
        self.request.kinds(input.schema().as_arrow())?;
        Ok(Self { input, ..self.clone() })
    }
}

impl PartialOrd for TrainNode {
    fn partial_cmp(&self, other: &Self) -> Option<Ordering> {
        self.request.partial_cmp(&other.request).filter(|order| *order != Ordering::Equal || self == other)
    }
}

impl Node for TrainNode {
    fn physical(&self, inputs: &[Arc<dyn ExecutionPlan>]) -> Result<Arc<dyn ExecutionPlan>> {
        Ok(Arc::new(TrainExec::new(only_input("Train", inputs)?, self.request.clone())))
    }
}
