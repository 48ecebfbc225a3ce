//! `PREPARE`, `EXECUTE`, `DEALLOCATE`: statements kept by name in the session, planned anew each time they run.

use std::sync::Arc;

use arrow::datatypes::DataType;
use async_trait::async_trait;
use datafusion::{
    common::{DFSchema, ScalarValue},
    logical_expr::{Expr, ExprSchemable, simplify::SimplifyContext},
    optimizer::simplify_expressions::ExprSimplifier,
    sql::{
        parser::Statement as SqlStatement,
        sqlparser::ast::{DataType as AstType, Expr as AstExpr, Statement as Ast},
    },
};

use super::{Action, Form, Recognised, names::identifier, no_parse, parse::convert as convert_statement};
use crate::{
    Error, Fault, Result, planning,
    session::{Client, Description, Outcome, Sealed},
};

pub(super) const FORM: Form = Form { parse: no_parse, convert };

#[derive(Debug)]
enum Prepared {
    Prepare { name: String, types: Sealed<Vec<AstType>>, action: Arc<dyn Action> },
    Execute { name: String, values: Sealed<Vec<AstExpr>> },
    Deallocate { name: Option<String> },
}

fn convert(statement: &SqlStatement) -> Recognised {
    let SqlStatement::Statement(statement) = statement else { return Ok(None) };
    let action = match statement.as_ref() {
        Ast::Prepare { name, data_types, statement } => Prepared::Prepare {
            name: identifier(name),
            types: Sealed::new(data_types.clone()),
            action: convert_statement(SqlStatement::Statement(statement.clone()))?,
        },
        Ast::Execute { name: Some(name), parameters, using, .. } if using.is_empty() => {
            Prepared::Execute { name: name.to_string().to_lowercase(), values: Sealed::new(parameters.clone()) }
        }
        Ast::Deallocate { name, .. } => {
            let name = identifier(name);
            Prepared::Deallocate { name: (name != "all").then_some(name) }
        }
        _ => return Ok(None),
    };
    Ok(Some(Arc::new(action)))
}

#[async_trait]
impl Action for Prepared {
    async fn describe(&self, client: &Arc<Client>, _types: &[Option<DataType>]) -> Result<Description> {
        let Self::Execute { name, .. } = self else { return Ok(Description::default()) };
        let (action, types) = client.prepared(name)?;
        let columns = action.describe(client, &types).await?.columns;
        Ok(Description { parameters: Vec::new(), columns })
    }

    async fn execute(&self, client: &Arc<Client>, _parameters: &[ScalarValue]) -> Result<Outcome> {
        match self {
            Self::Prepare { name, types, action } => {
                let types = types.iter().map(|ast| client.data_type(ast).map(Some)).collect::<Result<Vec<_>>>()?;
                let described = action.describe(client, &types).await?;
                client.prepare(name, Arc::clone(action), described.parameters.into_iter().map(Some).collect())?;
                Ok(Outcome::done("PREPARE"))
            }
            Self::Execute { name, values } => {
                let (action, types) = client.prepared(name)?;
                if types.len() != values.len() {
                    return Err(Error::new(
                        Fault::Syntax,
                        format!("prepared statement \"{name}\" takes {} values, found {}", types.len(), values.len()),
                    ));
                }
                let values = values
                    .iter()
                    .zip(&types)
                    .map(|(value, data_type)| constant(client, value, data_type.as_ref()))
                    .collect::<Result<Vec<_>>>()?;
                action.execute(client, &values).await
            }
            Self::Deallocate { name } => {
                client.deallocate(name.as_deref())?;
                Ok(Outcome::done(if name.is_some() { "DEALLOCATE" } else { "DEALLOCATE ALL" }))
            }
        }
    }
}

/// The value of an expression without columns, as `data_type`.
fn constant(client: &Arc<Client>, value: &AstExpr, data_type: Option<&DataType>) -> Result<ScalarValue> {
    let schema = DFSchema::empty();
    let state = client.context().state();
    let expression = state.create_logical_expr_from_sql_expr(
        datafusion::sql::sqlparser::ast::ExprWithAlias { expr: value.clone(), alias: None },
        &schema,
    )?;
    // A numeric keeps the digits that it is written with: to round it to the column's would change what is compared.
    let numeric = data_type.filter(|data_type| data_type.is_decimal());
    let expression = match data_type {
        Some(data_type) if numeric.is_none() => expression.cast_to(data_type, &schema)?,
        _ => expression,
    };
    let simplifier = ExprSimplifier::new(SimplifyContext::builder().with_current_time().build());
    match simplifier.simplify(expression)? {
        Expr::Literal(value, _) => match numeric {
            Some(numeric) => with_own_digits(value, numeric),
            None => Ok(value),
        },
        other => Err(Error::new(Fault::InvalidArgument, format!("the value {other} is not a constant"))),
    }
}

/// A value as a numeric of its own digits, of which a NULL and a whole number have those of this type.
fn with_own_digits(value: ScalarValue, numeric: &DataType) -> Result<ScalarValue> {
    let written = match &value {
        ScalarValue::Float64(Some(number)) => Some(number.to_string()),
        text => text.try_as_str().flatten().map(str::to_owned),
    };
    match written.and_then(|written| planning::own_digits(&written)) {
        Some(own) => Ok(own),
        None if value.data_type().is_decimal() && !value.is_null() => Ok(value),
        None => value.cast_to(numeric).map_err(Error::from),
    }
}
