//! `COPY … FROM … WHERE`: the rows that come, as far as they are wanted. The condition is planned over the table, and then reads
//! the rows that come in its place.

use std::{
    fmt,
    ops::ControlFlow,
    sync::{Arc, Mutex, PoisonError},
};

use arrow::datatypes::SchemaRef;
use datafusion::{
    catalog::streaming::StreamingTable,
    common::tree_node::{Transformed, TransformedResult, TreeNode},
    datasource::provider_as_source,
    execution::{SendableRecordBatchStream, TaskContext},
    logical_expr::LogicalPlan,
    physical_plan::{EmptyRecordBatchStream, streaming::PartitionStream},
    sql::{
        parser::Statement as SqlStatement,
        sqlparser::ast::{Query, Visit, Visitor},
    },
};

use super::plan::plan;
use crate::{
    Error, Fault, Result,
    session::{Scope, Sealed},
};

/// Refuses a query within the one that has the condition.
pub(super) fn check_condition(statement: &SqlStatement) -> Result<()> {
    let mut queries = Queries(0);
    if let SqlStatement::Statement(inner) = statement {
        let _ = inner.visit(&mut queries);
    }
    if queries.0 > 1 {
        return Err(Error::new(Fault::FeatureNotSupported, "cannot use subquery in COPY FROM WHERE condition"));
    }
    Ok(())
}

/// How many queries there are.
struct Queries(usize);

impl Visitor for Queries {
    type Break = ();

    fn pre_visit_query(&mut self, _query: &Query) -> ControlFlow<()> {
        self.0 += 1;
        ControlFlow::Continue(())
    }
}

/// The plan of a query of one table, which is checked before any row comes.
pub(super) async fn planned(scope: &Arc<Scope>, query: &Sealed<SqlStatement>) -> Result<Sealed<LogicalPlan>> {
    let plan = plan(scope, SqlStatement::clone(query), &[]).await?;
    scope.check_types(&plan, &[])?;
    Ok(Sealed::new(scope.as_prepared(plan)?))
}

/// The plan with these rows in the place of those of its table.
pub(super) fn over(plan: LogicalPlan, rows: SendableRecordBatchStream) -> Result<LogicalPlan> {
    let schema = rows.schema();
    let coming = Coming { schema: Arc::clone(&schema), rows: Mutex::new(Some(rows)) };
    let source = provider_as_source(Arc::new(StreamingTable::try_new(schema, vec![Arc::new(coming)])?));
    let changed = plan.transform_up(|node| match node {
        LogicalPlan::TableScan(mut scan) => {
            scan.source = Arc::clone(&source);
            Ok(Transformed::yes(LogicalPlan::TableScan(scan)))
        }
        other => Ok(Transformed::no(other)),
    });
    Ok(changed.data()?)
}

/// Rows that come once.
struct Coming {
    schema: SchemaRef,
    rows: Mutex<Option<SendableRecordBatchStream>>,
}

impl fmt::Debug for Coming {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.debug_struct("Coming").field("schema", &self.schema).finish_non_exhaustive()
    }
}

impl PartitionStream for Coming {
    fn schema(&self) -> &SchemaRef {
        &self.schema
    }

    fn execute(&self, _task: Arc<TaskContext>) -> SendableRecordBatchStream {
        let rows = self.rows.lock().unwrap_or_else(PoisonError::into_inner).take();
        rows.unwrap_or_else(|| Box::pin(EmptyRecordBatchStream::new(Arc::clone(&self.schema))))
    }
}
