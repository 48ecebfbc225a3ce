//! A source of your own: numbers and their squares, which lie nowhere and are computed when they are read. Conditions on
//! the number and limits reach it, so that a table of three thousand million rows answers at once.
//!
//! Run it with `cargo run --example add_source`.

use std::{ops::Range, sync::Arc};

use arrow::{
    array::{ArrayRef, Int64Array, RecordBatch},
    datatypes::{DataType, Field, Schema, SchemaRef},
    util::pretty::pretty_format_batches,
};
use async_trait::async_trait;
use datafusion::{
    catalog::{Session, TableProvider},
    common::{DataFusionError, Result, ScalarValue},
    datasource::TableType,
    execution::TaskContext,
    logical_expr::{BinaryExpr, Expr, Operator, TableProviderFilterPushDown},
    physical_plan::{
        ExecutionPlan, SendableRecordBatchStream,
        stream::RecordBatchStreamAdapter,
        streaming::{PartitionStream, StreamingTableExec},
    },
};
use fusewire::{
    Config, Engine, Fault,
    catalog::ExternalTable,
    engine::{Origin, Outcome, SessionOptions},
    fault::Failure,
    source::{Access, Error, Source, Stores, TableRequest},
};
use futures::TryStreamExt;

#[tokio::main]
async fn main() -> Result<(), fusewire::Error> {
    let engine = Engine::builder(Config::default()).source(Squares).open().await?;
    let options = SessionOptions { user: "me".into(), origin: Origin::Local, address: None };
    let (session, _notices) = engine.session(options)?;
    let statements = "
        CREATE EXTERNAL TABLE squares STORED AS squares LOCATION '0..3000000000';
        SELECT * FROM squares WHERE n > 2999999997;
        EXPLAIN SELECT n FROM squares WHERE n > 1000 LIMIT 3";
    for statement in session.parse(statements).await? {
        if let Outcome::Rows { stream, .. } = session.execute(&statement, &[]).await? {
            let batches: Vec<_> = stream.try_collect().await?;
            println!("{}", pretty_format_batches(&batches).map_err(DataFusionError::from)?);
        }
    }
    Ok(())
}

/// The source: `STORED AS squares LOCATION '0..1000'` has the numbers from the first on and below the second.
#[derive(Debug)]
pub(crate) struct Squares;

#[async_trait]
impl Source for Squares {
    fn names(&self) -> Vec<&str> {
        vec!["squares"]
    }

    async fn resolve(
        &self,
        _session: &dyn Session,
        request: TableRequest,
        _stores: &Stores,
        _access: &Access,
    ) -> Result<ExternalTable, Error> {
        let refused = |message: &str| Err(Failure::new(Fault::InvalidArgument, message).into());
        let [location] = request.locations.as_slice() else {
            return refused("squares are of one range; name one location, as in '0..1000'");
        };
        numbers(location)?;
        if request.columns.is_some() || !request.types.is_empty() || !request.partition_columns.is_empty() {
            return refused("squares have the columns n and square; declare none");
        }
        if let Some(option) = request.options.keys().next() {
            return refused(&format!("squares have no options; leave {option} out"));
        }
        let columns = ["n", "square"].map(|name| Field::new(name, DataType::Int64, false));
        Ok(ExternalTable {
            locations: request.locations,
            format: "squares".to_owned(),
            options: request.options,
            schema: Schema::new(columns.to_vec()),
            partition_columns: Vec::new(),
            secret: None,
        })
    }

    fn open(&self, table: &ExternalTable, _stores: &Stores, _access: &Access) -> Result<Arc<dyn TableProvider>, Error> {
        let range = numbers(&table.locations.concat())?;
        Ok(Arc::new(Table { range, schema: Arc::new(table.schema.clone()) }))
    }
}

/// The numbers that a location says.
fn numbers(location: &str) -> Result<Range<i64>, Error> {
    let ends = location.split_once("..").map(|(first, end)| (first.parse::<i64>(), end.parse::<i64>()));
    let Some((Ok(first), Ok(end))) = ends else {
        let reason = "expected two numbers, as in 0..1000".to_owned();
        return Err(Error::InvalidLocation { location: location.to_owned(), reason });
    };
    Ok(first..end)
}

/// The table, and what is left of it for one scan.
#[derive(Debug)]
struct Table {
    range: Range<i64>,
    schema: SchemaRef,
}

#[async_trait]
impl TableProvider for Table {
    fn schema(&self) -> SchemaRef {
        Arc::clone(&self.schema)
    }

    fn table_type(&self) -> TableType {
        TableType::Base
    }

    /// What is taken over exactly is asked of the rows by nobody else, so that a limit reaches the scan, too.
    fn supports_filters_pushdown(&self, filters: &[&Expr]) -> Result<Vec<TableProviderFilterPushDown>> {
        let taken = |filter: &&Expr| match narrowed(&self.range, filter) {
            Some(_) => TableProviderFilterPushDown::Exact,
            None => TableProviderFilterPushDown::Unsupported,
        };
        Ok(filters.iter().map(taken).collect())
    }

    async fn scan(
        &self,
        _session: &dyn Session,
        projection: Option<&Vec<usize>>,
        filters: &[Expr],
        limit: Option<usize>,
    ) -> Result<Arc<dyn ExecutionPlan>> {
        let mut range = self.range.clone();
        for filter in filters {
            let foreign = || DataFusionError::Internal(format!("{filter} is no condition that was taken over"));
            range = narrowed(&range, filter).ok_or_else(foreign)?;
        }
        let schema = Arc::clone(&self.schema);
        let rows: Arc<dyn PartitionStream> = Arc::new(Self { range, schema: Arc::clone(&schema) });
        Ok(Arc::new(StreamingTableExec::try_new(schema, vec![rows], projection, None, false, limit)?))
    }
}

impl PartitionStream for Table {
    fn schema(&self) -> &SchemaRef {
        &self.schema
    }

    fn execute(&self, context: Arc<TaskContext>) -> SendableRecordBatchStream {
        let (schema, end) = (Arc::clone(&self.schema), self.range.end);
        let rows = context.session_config().batch_size();
        let width = i64::try_from(rows).unwrap_or(i64::MAX);
        let starts = self.range.clone().step_by(rows);
        let batches = starts.map(move |first| batch(&schema, first..end.min(first.saturating_add(width))));
        Box::pin(RecordBatchStreamAdapter::new(Arc::clone(&self.schema), futures::stream::iter(batches)))
    }
}

fn batch(schema: &SchemaRef, range: Range<i64>) -> Result<RecordBatch> {
    let square = |n: i64| {
        let too_large = || format!("the square of {n} is out of range for type bigint");
        n.checked_mul(n).ok_or_else(|| Failure::new(Fault::NumericOutOfRange, too_large()))
    };
    let squares = range.clone().map(square).collect::<Result<Vec<i64>, Failure>>()?;
    let columns: Vec<ArrayRef> =
        vec![Arc::new(Int64Array::from_iter_values(range)), Arc::new(Int64Array::from(squares))];
    Ok(RecordBatch::try_new(Arc::clone(schema), columns)?)
}

/// The numbers of a range that a condition leaves; nothing of a condition that the range does not decide.
fn narrowed(range: &Range<i64>, condition: &Expr) -> Option<Range<i64>> {
    let Range { start, end } = *range;
    if let Expr::Literal(ScalarValue::Boolean(is_met), _) = condition {
        return Some(if *is_met == Some(true) { start..end } else { start..start });
    }
    let Expr::BinaryExpr(BinaryExpr { left, op, right }) = condition else { return None };
    let (Expr::Column(column), Expr::Literal(ScalarValue::Int64(Some(value)), _)) = (left.as_ref(), right.as_ref())
    else {
        return None;
    };
    if column.name != "n" {
        return None;
    }
    let (value, next) = (*value, value.saturating_add(1));
    Some(match op {
        Operator::Eq => start.max(value)..end.min(next),
        Operator::Lt => start..end.min(value),
        Operator::LtEq => start..end.min(next),
        Operator::Gt => start.max(next)..end,
        Operator::GtEq => start.max(value)..end,
        _ => return None,
    })
}
