//! Queries: everything that reads. `train` is run first, alone, and its rows take its place.

use std::sync::Arc;

use arrow::datatypes::{DataType, SchemaRef};
use async_trait::async_trait;
use datafusion::{
    common::ScalarValue,
    logical_expr::LogicalPlan,
    sql::{
        parser::{ExplainStatement, Statement as SqlStatement},
        sqlparser::{ast::Statement as Ast, tokenizer::Location},
    },
};

use super::{
    Action, Form, Recognised,
    explain::Drawing,
    headings::{mark_columns, unmarked},
    plan::{Typed, assigns, bind, planned, schema_of, typed},
    reuse,
    rows::{run, run_and_assign, run_and_publish},
    shaped::with_parameters,
    training::{check_train, train_first},
};
use crate::{
    Error, Fault, Result,
    session::{Analysis, Client, Outcome, Running, Scope, Sealed, new_identity},
};

pub(super) const FORM: Form = Form { parse: None, convert };

/// A statement that only reads.
#[derive(Debug)]
struct Reading {
    statement: Sealed<SqlStatement>,
    /// How its plan is shown, where that is asked for.
    explains: Option<Drawing>,
    /// None where its plan is not kept.
    identity: Option<u64>,
}

fn convert(statement: &SqlStatement) -> Recognised {
    let SqlStatement::Statement(inner) = statement else { return Ok(None) };
    match inner.as_ref() {
        Ast::Query(_) | Ast::ShowTables { .. } | Ast::ShowColumns { .. } => {}
        Ast::ShowFunctions { .. } | Ast::ShowCreate { .. } => {}
        _ => return Ok(None),
    }
    reading(statement.clone(), None)
}

/// A query whose plan is shown so.
pub(super) fn explaining(explain: ExplainStatement, drawing: Drawing) -> Recognised {
    check_explained(&explain)?;
    reading(SqlStatement::Explain(explain), Some(drawing))
}

fn reading(mut statement: SqlStatement, explains: Option<Drawing>) -> Recognised {
    check_train(&statement)?;
    let asked = match &mut statement {
        SqlStatement::Explain(explain) => explain.statement.as_mut(),
        other => other,
    };
    if let SqlStatement::Statement(inner) = asked
        && let Ast::Query(query) = inner.as_mut()
    {
        mark_columns(query);
    }
    let is_query = matches!(&statement, SqlStatement::Statement(inner) if matches!(inner.as_ref(), Ast::Query(_)));
    let identity = is_query.then(new_identity);
    Ok(Some(Arc::new(Reading { statement: Sealed::new(statement), explains, identity })))
}

fn check_explained(explain: &ExplainStatement) -> Result<()> {
    if let SqlStatement::Statement(inner) = explain.statement.as_ref()
        && let Ast::Query(_) = inner.as_ref()
    {
        return Ok(());
    }
    Err(Error::new(Fault::FeatureNotSupported, "EXPLAIN takes a query"))
}

#[async_trait]
impl Action for Reading {
    async fn analyze(&self, _client: &Client, scope: &Arc<Scope>, types: &[Option<DataType>]) -> Result<Analysis> {
        let Typed { plan, parameters, is_final } = typed(scope, &self.statement, types, Vec::new()).await?;
        if is_final {
            let plan = Sealed::new(scope.as_prepared(LogicalPlan::clone(&plan))?);
            return Ok(Analysis { parameters, plan: Some(plan), ..Analysis::default() });
        }
        let columns = Some(unmarked(&schema_of(&plan)));
        Ok(Analysis { parameters, columns, ..Analysis::default() })
    }

    fn columns(&self, analysis: &Analysis) -> Option<SchemaRef> {
        if let Some(drawing) = self.explains {
            return Some(drawing.columns());
        }
        match &analysis.kept {
            Some(kept) => kept.told(|| told(analysis)),
            None => told(analysis),
        }
    }

    fn identity(&self) -> Option<u64> {
        self.identity
    }

    fn bytes_to_keep(&self, analysis: &Analysis) -> Option<usize> {
        // What is only described has no plan.
        analysis.plan.as_ref().map_or(Some(0), |plan| reuse::bytes_of(plan))
    }

    fn answer(&self, scope: &Scope, values: &[ScalarValue]) -> Option<Outcome> {
        let types: Vec<_> = values.iter().map(|value| Some(value.data_type())).collect();
        scope.answered(self, &types, |kept| reuse::answer(scope, kept, values))
    }

    fn parametrised(&self) -> Option<(Arc<dyn Action>, Vec<Location>)> {
        self.identity?;
        let (statement, places) = with_parameters(&self.statement)?;
        let reading =
            Self { statement: Sealed::new(statement), explains: self.explains, identity: Some(new_identity()) };
        Some((Arc::new(reading), places))
    }

    async fn run(&self, running: Running<'_>) -> Result<Outcome> {
        let Running { client, scope, analysis, values } = running;
        let plan = match (&analysis.kept, analysis.plan) {
            (Some(kept), Some(plan)) => {
                if let Some(outcome) = reuse::run(scope, kept, values).await? {
                    return Ok(outcome);
                }
                // What cannot be fitted is planned anew.
                reuse::rebound(LogicalPlan::clone(&plan), scope).ok().map(Sealed::new)
            }
            (_, plan) => plan,
        };
        let plan = scope.as_prepared(planned(scope, &self.statement, plan, values).await?)?;
        let analyzes = matches!(plan, LogicalPlan::Analyze(_));
        if let Some(drawing) = self.explains
            && !analyzes
        {
            return Ok(drawing.shown(run(scope, plan).await?));
        }
        let rows = match train_first(client, scope, plan).await? {
            (plan, Some(model)) => run_and_publish(client, scope, plan, model).await?,
            (plan, None) if assigns(&plan)? => run_and_assign(client, scope, plan).await?,
            (plan, None) => run(scope, plan).await?,
        };
        Ok(match self.explains {
            Some(drawing) => drawing.shown(rows),
            None => rows,
        })
    }
}

/// What clients are told of the columns of a statement's rows.
fn told(analysis: &Analysis) -> Option<SchemaRef> {
    let Some(plan) = &analysis.plan else { return analysis.columns.clone() };
    Some(unmarked(&columns_of(plan, &analysis.parameters).unwrap_or_else(|| schema_of(plan))))
}

/// The columns of a plan with parameters of these types.
fn columns_of(plan: &LogicalPlan, parameters: &[DataType]) -> Option<SchemaRef> {
    let bound = bind(plan.clone(), &missing(parameters)?).ok()?;
    Some(schema_of(&bound))
}

/// NULLs of these types.
fn missing(types: &[DataType]) -> Option<Vec<ScalarValue>> {
    types.iter().map(ScalarValue::try_from).collect::<datafusion::common::Result<_>>().ok()
}
