//! Queries: everything that reads. `train` is run first, alone, and its rows take its place.

use std::sync::Arc;

use arrow::datatypes::{DataType, SchemaRef};
use async_trait::async_trait;
use datafusion::{
    common::ScalarValue,
    logical_expr::LogicalPlan,
    sql::{
        parser::{ExplainStatement, Statement as SqlStatement},
        sqlparser::ast::Statement as Ast,
    },
};

use super::{
    Action, Form, Recognised,
    headings::{mark_columns, unmarked},
    parameters::{give_types, with_hints},
    plan::{parameter_types, plan, schema_of, with_types},
    rows::{run, run_and_publish},
    training::{check_train, train_first},
};
use crate::{
    Error, Fault, Result,
    session::{Client, Description, Outcome, RowsTag, Sealed},
};

pub(super) const FORM: Form = Form { parse: None, convert };

/// What EXPLAIN tells of its rows.
const EXPLAINED: RowsTag = RowsTag::Plain("EXPLAIN");

/// A statement that only reads.
#[derive(Debug)]
struct Reading {
    statement: Sealed<SqlStatement>,
    explains: bool,
}

fn convert(statement: &SqlStatement) -> Recognised {
    let explains = match statement {
        SqlStatement::Statement(inner) => match inner.as_ref() {
            Ast::Query(_) | Ast::ExplainTable { .. } | Ast::ShowTables { .. } | Ast::ShowColumns { .. } => false,
            Ast::ShowFunctions { .. } | Ast::ShowCreate { .. } => false,
            _ => return Ok(None),
        },
        SqlStatement::Explain(explain) => {
            check_explained(explain)?;
            true
        }
        _ => return Ok(None),
    };
    check_train(statement)?;
    let mut statement = statement.clone();
    let asked = match &mut statement {
        SqlStatement::Explain(explain) => explain.statement.as_mut(),
        other => other,
    };
    if let SqlStatement::Statement(inner) = asked
        && let Ast::Query(query) = inner.as_mut()
    {
        mark_columns(query);
    }
    Ok(Some(Arc::new(Reading { statement: Sealed::new(statement), explains })))
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
    async fn describe(&self, client: &Arc<Client>, types: &[Option<DataType>]) -> Result<Description> {
        let declares = types.iter().any(Option::is_some);
        let types = with_hints(client, &self.statement, types);
        // Most clients declare all: then one plan tells everything.
        if declares
            && let Some(parameters) = types.iter().cloned().collect::<Option<Vec<_>>>()
            && let Some(columns) = self.columns_with(client, &parameters).await
        {
            return Ok(Description { parameters, columns: Some(unmarked(&columns)) });
        }
        let mut statement = SqlStatement::clone(&self.statement);
        give_types(&mut statement, &types);
        let plan = plan(client, statement, None).await?;
        let parameters = parameter_types(&plan, &types)?;
        let plan = with_types(plan, &parameters)?;
        let typed = if declares { self.columns_with(client, &parameters).await } else { None };
        let columns = typed.unwrap_or_else(|| schema_of(&plan));
        Ok(Description { parameters, columns: Some(unmarked(&columns)) })
    }

    async fn execute(&self, client: &Arc<Client>, parameters: &[ScalarValue]) -> Result<Outcome> {
        let plan = plan(client, SqlStatement::clone(&self.statement), Some(parameters)).await?;
        let analyzes = matches!(plan, LogicalPlan::Analyze(_));
        if self.explains && !analyzes {
            return Ok(run(client, plan).await?.tagged(EXPLAINED));
        }
        let rows = match train_first(client, plan).await? {
            (plan, Some(model)) => run_and_publish(client, plan, model).await?,
            (plan, None) => run(client, plan).await?,
        };
        Ok(if self.explains { rows.tagged(EXPLAINED) } else { rows })
    }
}

impl Reading {
    /// The columns of the rows for parameters of these types. The planner takes a parameter for what stands beside it, whatever
    /// the client declared: of `a + $1` with an integer a it would tell an integer. None where a value decides the columns.
    async fn columns_with(&self, client: &Arc<Client>, parameters: &[DataType]) -> Option<SchemaRef> {
        let values = parameters.iter().map(ScalarValue::try_from).collect::<datafusion::common::Result<Vec<_>>>();
        let plan = plan(client, SqlStatement::clone(&self.statement), Some(&values.ok()?)).await;
        plan.ok().map(|plan| schema_of(&plan))
    }
}
