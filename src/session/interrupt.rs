//! Ends statements where the query engine computes without coming up for air.
//!
//! A join that tries millions of pairs of one batch makes no pause, so its condition asks whether anybody still wants the answer,
//! and whether others wait for its thread.

mod rules;
mod tasks;

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
    common::{
        Result,
        tree_node::{Transformed, TransformedResult, TreeNode},
    },
    logical_expr::ColumnarValue,
    physical_expr::PhysicalExpr,
    physical_plan::{
        ExecutionPlan,
        joins::{HashJoinExec, NestedLoopJoinExec, NestedLoopJoinExecBuilder, utils::JoinFilter},
    },
};

pub(crate) use rules::{asking_analyzers, asking_optimizers};
pub(super) use tasks::ask_in_tasks;

use crate::interrupt::{Interrupt, let_others_run};

impl Interrupt {
    /// The same plan, with joins that end when this is raised. For a plan that is about to run.
    pub(crate) fn guard(&self, plan: Arc<dyn ExecutionPlan>) -> Result<Arc<dyn ExecutionPlan>> {
        plan.transform_up(|node| self.guard_join(node)).data()
    }

    fn guard_join(&self, node: Arc<dyn ExecutionPlan>) -> Result<Transformed<Arc<dyn ExecutionPlan>>> {
        if let Some(join) = node.downcast_ref::<NestedLoopJoinExec>()
            && let Some(filter) = join.filter()
        {
            let guarded = NestedLoopJoinExecBuilder::from(join).with_filter(Some(self.guard_filter(filter))).build()?;
            return Ok(Transformed::yes(Arc::new(guarded)));
        }
        if let Some(join) = node.downcast_ref::<HashJoinExec>()
            && let Some(filter) = join.filter()
        {
            return Ok(Transformed::yes(join.builder().with_filter(Some(self.guard_filter(filter))).build_exec()?));
        }
        Ok(Transformed::no(node))
    }

    fn guard_filter(&self, filter: &JoinFilter) -> JoinFilter {
        let condition = Guarded { condition: Arc::clone(filter.expression()), interrupt: self.clone() };
        JoinFilter::new(Arc::new(condition), filter.column_indices().to_vec(), Arc::clone(filter.schema()))
    }
}

/// A join's condition that asks first whether to go on.
#[derive(Debug)]
struct Guarded {
    condition: Arc<dyn PhysicalExpr>,
    interrupt: Interrupt,
}

impl PhysicalExpr for Guarded {
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
        self.interrupt.check()?;
        let_others_run();
        self.condition.evaluate(batch)
    }

    fn children(&self) -> Vec<&Arc<dyn PhysicalExpr>> {
        vec![&self.condition]
    }

    fn with_new_children(self: Arc<Self>, mut children: Vec<Arc<dyn PhysicalExpr>>) -> Result<Arc<dyn PhysicalExpr>> {
        let condition = children.pop().unwrap_or_else(|| Arc::clone(&self.condition));
        Ok(Arc::new(Self { condition, interrupt: self.interrupt.clone() }))
    }

    fn fmt_sql(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.condition.fmt_sql(formatter)
    }
}

impl fmt::Display for Guarded {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.condition.fmt(formatter)
    }
}

impl PartialEq for Guarded {
    fn eq(&self, other: &Self) -> bool {
        self.condition.eq(&other.condition)
    }
}

impl Eq for Guarded {}

impl Hash for Guarded {
    fn hash<H: Hasher>(&self, state: &mut H) {
        self.condition.hash(state);
    }
}
