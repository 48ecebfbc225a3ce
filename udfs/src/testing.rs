//! A session with every function and models in memory, for the tests of this crate.

use std::sync::{Arc, Mutex};

use arrow::array::RecordBatch;
use datafusion::{
    catalog::MemTable,
    common::{ParamValues, Result, ScalarValue, metadata::ScalarAndMetadata},
    config::Dialect,
    execution::SessionStateBuilder,
    logical_expr::LogicalPlan,
    prelude::{SessionConfig, SessionContext},
};
use object_store::{memory::InMemory, path::Path};

use crate::{
    Error, FunctionContext, Limits, MemoryModels, ModelVersion, Progress, Registry, arguments::rewrite,
    planner::FunctionPlanner, register, table::train,
};

/// A session, and what it published and told.
pub(crate) struct World {
    pub(crate) session: SessionContext,
    pub(crate) models: Arc<MemoryModels>,
    pub(crate) told: Arc<Mutex<Vec<Progress>>>,
}

impl World {
    pub(crate) fn new() -> Self {
        Self::with(1, 1)
    }

    /// A session whose plans have this many partitions and whose trainings this many threads.
    pub(crate) fn with(partitions: usize, threads: usize) -> Self {
        Self::limited(partitions, threads, Limits::default())
    }

    pub(crate) fn limited(partitions: usize, threads: usize, limits: Limits) -> Self {
        let models = Arc::new(MemoryModels::default());
        let told = Arc::new(Mutex::new(Vec::new()));
        let heard = told.clone();
        let context = FunctionContext {
            registry: Arc::new(Registry::new(Arc::new(InMemory::new()), Path::from("models"), None, 1 << 30)),
            progress: Arc::new(move |progress| heard.lock().unwrap().push(progress)),
            threads,
            limits,
        };
        let mut config = SessionConfig::new().with_target_partitions(partitions);
        config.options_mut().sql_parser.dialect = Dialect::PostgreSQL;
        let mut builder = SessionStateBuilder::new_with_default_features().with_config(config);
        let planner = Arc::new(FunctionPlanner::new(models.clone()));
        builder.relation_planners().get_or_insert_default().push(planner);
        let session = SessionContext::new_with_state(register(builder, Arc::new(context)).build());
        Self { session, models, told }
    }

    /// Runs statements, separated by semicolons, and returns the rows of the last.
    pub(crate) async fn run(&self, sql: &str) -> Result<Vec<RecordBatch>> {
        let mut rows = Vec::new();
        for statement in sql.split(';').filter(|statement| !statement.trim().is_empty()) {
            let plan = self.plan(statement, None).await?;
            rows = self.execute(plan).await?;
        }
        Ok(rows)
    }

    /// Runs a plan as the engine does: its training first, by itself, and then the rest over the metrics.
    pub(crate) async fn execute(&self, plan: LogicalPlan) -> Result<Vec<RecordBatch>> {
        let only_planned = matches!(plan, LogicalPlan::Explain(_) | LogicalPlan::Statement(_));
        let training = if only_planned { None } else { train::find(&plan)?.pop() };
        let plan = match training {
            None => plan,
            Some(training) => {
                let row = self.session.execute_logical_plan(training).await?.collect().await?;
                let version = train::trained(&row)?;
                let number = self.models.publish(version.clone());
                train::substitute(plan, vec![train::rows(&version, number)?])?
            }
        };
        self.session.execute_logical_plan(plan).await?.collect().await
    }

    /// The plan of a statement, prepared as the engine prepares it.
    pub(crate) async fn plan(&self, sql: &str, values: Option<&[ScalarValue]>) -> Result<LogicalPlan> {
        let state = self.session.state();
        let mut statement = state.sql_to_statement(sql, &Dialect::PostgreSQL)?;
        rewrite(&mut statement, values)?;
        let plan = state.statement_to_plan(statement).await?;
        match values {
            None => Ok(plan),
            Some(values) => {
                let values = values.iter().cloned().map(ScalarAndMetadata::from).collect();
                plan.with_param_values(ParamValues::List(values))
            }
        }
    }

    /// The rows of a query, as text.
    pub(crate) async fn text(&self, sql: &str) -> String {
        let rows = self.run(sql).await.unwrap();
        arrow::util::pretty::pretty_format_batches(&rows).unwrap().to_string()
    }

    /// The error of ours that a statement ends with.
    pub(crate) async fn error(&self, sql: &str) -> (String, crate::Fault) {
        let error = self.run(sql).await.expect_err(sql);
        match Error::of(&error) {
            Some(own) => (own.to_string(), own.fault()),
            None => panic!("{sql}: {error}"),
        }
    }

    /// A table of these rows, in so many partitions and batches of so many rows.
    pub(crate) fn table(&self, name: &str, rows: &RecordBatch, partitions: usize, batch_rows: usize) {
        let mut parts = vec![Vec::new(); partitions];
        let starts = (0..rows.num_rows()).step_by(batch_rows);
        for (index, start) in starts.enumerate() {
            parts[index % partitions].push(rows.slice(start, batch_rows.min(rows.num_rows() - start)));
        }
        let table = MemTable::try_new(rows.schema(), parts).unwrap();
        self.session.deregister_table(name).unwrap();
        self.session.register_table(name, Arc::new(table)).unwrap();
    }

    pub(crate) fn newest(&self) -> ModelVersion {
        self.models.versions().pop().unwrap()
    }

    pub(crate) fn notices(&self) -> Vec<String> {
        let told = self.told.lock().unwrap();
        told.iter()
            .filter_map(|progress| match progress {
                Progress::Notice(sentence) => Some(sentence.clone()),
                Progress::Step { .. } => None,
            })
            .collect()
    }
}
