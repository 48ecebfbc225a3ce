//! A small shop in memory, trained on through SQL: what the tests of scoring read.

use std::sync::Arc;

use arrow::{array::RecordBatch, util::pretty::pretty_format_batches};
use datafusion::{
    common::DataFusionError,
    logical_expr::LogicalPlan,
    physical_plan::{ExecutionPlan, displayable},
    prelude::SessionContext,
};

use crate::{context::FunctionContext, error::Error, models::MemoryModels, testing::World};

/// A session with its models.
pub(crate) struct Session {
    world: World,
    pub(crate) context: SessionContext,
    pub(crate) functions: Arc<FunctionContext>,
}

/// Ratings of 20 users and 13 items, with a category of the item, a number of the row, and targets of every type.
const RATINGS: &str = "CREATE TABLE ratings AS
    SELECT 'u' || (n % 20) AS user_id, CAST(n * 7 % 13 AS INT) AS item_id,
      CASE WHEN n * 7 % 13 < 6 THEN 'pop' ELSE 'rock' END AS category,
      CAST(n * 31 % 17 AS DOUBLE) AS price, n AS position,
      CAST(1 + (n % 20 + n * 7 % 13) % 5 AS DOUBLE) AS rating,
      (n % 20 + n * 7 % 13) % 5 > 2 AS liked,
      CASE WHEN (n % 20 + n * 7 % 13) % 5 > 2 THEN 'yes' ELSE 'no' END AS answer,
      CAST((n % 20 + n * 7 % 13) % 5 > 2 AS INT) AS bought
    FROM generate_series(1, 200) AS numbers(n)";

impl Session {
    /// A session without tables.
    pub(crate) fn empty() -> Self {
        let world = World::with(2, 2);
        let context = world.session.clone();
        let functions = context.copied_config().get_extension::<FunctionContext>().unwrap();
        Self { world, context, functions }
    }

    pub(crate) fn models(&self) -> &MemoryModels {
        &self.world.models
    }

    /// A session with the table `ratings`.
    pub(crate) async fn new() -> Self {
        let session = Self::empty();
        session.run(RATINGS).await;
        session
    }

    /// The result of a statement.
    pub(crate) async fn run(&self, sql: &str) -> Vec<RecordBatch> {
        match self.try_run(sql).await {
            Ok(batches) => batches,
            Err(error) => panic!("{sql}: {error}"),
        }
    }

    pub(crate) async fn try_run(&self, sql: &str) -> Result<Vec<RecordBatch>, DataFusionError> {
        let plan = self.world.plan(sql, None).await?;
        self.world.execute(plan).await
    }

    /// The logical plan of a statement.
    pub(crate) async fn plan(&self, sql: &str) -> LogicalPlan {
        self.world.plan(sql, None).await.unwrap()
    }

    /// The result of a statement as lines of cells between bars, without the frame.
    pub(crate) async fn rows(&self, sql: &str) -> Vec<String> {
        let table = pretty_format_batches(&self.run(sql).await).unwrap().to_string();
        let inner = |line: &str| {
            line.trim_start_matches('|').trim_end_matches('|').split('|').map(str::trim).collect::<Vec<_>>().join("|")
        };
        table.lines().filter(|line| line.starts_with('|')).skip(1).map(inner).collect()
    }

    /// What a statement is refused with.
    pub(crate) async fn error(&self, sql: &str) -> DataFusionError {
        match self.try_run(sql).await {
            Ok(_) => panic!("{sql}: it ran"),
            Err(error) => error,
        }
    }

    /// The message of a statement that one of our errors refuses, and the name of its fault.
    pub(crate) async fn refusal(&self, sql: &str) -> String {
        let error = self.error(sql).await;
        match Error::of(&error) {
            Some(error) => format!("{:?}: {error}", Error::fault(error)),
            None => panic!("{sql}: {error}"),
        }
    }

    /// The optimized logical plan and the physical plan, each a line an operator.
    pub(crate) async fn explain(&self, sql: &str) -> (String, String) {
        let plan = self.plan(sql).await;
        let logical = self.context.state().optimize(&plan).unwrap();
        let physical = self.context.state().create_physical_plan(&plan).await.unwrap();
        let physical = displayable(physical.as_ref()).indent(false).to_string();
        (logical.display_indent().to_string(), physical)
    }

    /// The operators of a statement.
    pub(crate) async fn physical(&self, sql: &str) -> Arc<dyn ExecutionPlan> {
        self.context.state().create_physical_plan(&self.plan(sql).await).await.unwrap()
    }

    /// Trains and asserts that it succeeded.
    pub(crate) async fn train(&self, arguments: &str) {
        self.run(&format!("SELECT * FROM train({arguments})")).await;
    }
}

/// Where `above` stands before `below` in a plan.
pub(crate) fn assert_above(plan: &str, above: &str, below: &str) {
    let position = |part: &str| plan.find(part).unwrap_or_else(|| panic!("no {part} in\n{plan}"));
    assert!(position(above) < position(below), "{above} is not above {below} in\n{plan}");
}
