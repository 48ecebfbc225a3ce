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
        sqlparser::ast::{DataType as AstType, Expr as AstExpr, ObjectName, ObjectNamePart, Statement as Ast},
    },
};

use super::{Action, Form, Recognised, names::identifier, parse::convert as convert_statement};
use crate::{
    Error, Fault, Result, planning,
    session::{Analysis, Client, Outcome, PreparedStatement, Running, Scope, Sealed, describe, execute},
};

pub(super) const FORM: Form = Form { parse: None, convert };

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
            action: convert_statement(SqlStatement::Statement(preparable(statement)?))?,
        },
        Ast::Execute { name: Some(name), parameters, using, .. } if using.is_empty() => {
            Prepared::Execute { name: plain_name(name)?, values: Sealed::new(parameters.clone()) }
        }
        Ast::Deallocate { name, .. } => {
            let all = name.quote_style.is_none() && name.value.eq_ignore_ascii_case("all");
            Prepared::Deallocate { name: (!all).then(|| identifier(name)) }
        }
        _ => return Ok(None),
    };
    Ok(Some(Arc::new(action)))
}

/// A statement that can wait for values: a query, or a change of rows.
fn preparable(statement: &Ast) -> Result<Box<Ast>> {
    match statement {
        Ast::Query(_) | Ast::Insert(_) | Ast::Update { .. } | Ast::Delete(_) | Ast::Merge { .. } => {
            Ok(Box::new(statement.clone()))
        }
        other => {
            let text = other.to_string();
            let word = text.split_whitespace().next().unwrap_or_default().to_owned();
            let message = format!("syntax error: PREPARE takes a query or a change of rows, found {word}");
            Err(Error::new(Fault::Syntax, message))
        }
    }
}

/// The name of a prepared statement, which is in no schema.
fn plain_name(name: &ObjectName) -> Result<String> {
    match name.0.as_slice() {
        [ObjectNamePart::Identifier(name)] => Ok(identifier(name)),
        _ => Err(Error::new(Fault::Syntax, format!("syntax error: {name} is no name of a prepared statement"))),
    }
}

#[async_trait]
impl Action for Prepared {
    async fn analyze(&self, client: &Client, _scope: &Arc<Scope>, _types: &[Option<DataType>]) -> Result<Analysis> {
        let Self::Execute { name, .. } = self else { return Ok(Analysis::default()) };
        // One that is not there yet may be when this runs.
        let columns = client.prepared(name).ok().and_then(|prepared| prepared.columns().cloned());
        Ok(Analysis { columns, ..Analysis::default() })
    }

    async fn run(&self, Running { client, scope, .. }: Running<'_>) -> Result<Outcome> {
        match self {
            Self::Prepare { name, types, action } => {
                let types = types.iter().map(|ast| scope.data_type(ast).map(Some)).collect::<Result<Vec<_>>>()?;
                let described = describe(action.as_ref(), client, scope, &types).await?;
                let text = scope.text();
                let prepared = PreparedStatement::new(Arc::clone(action), (text, Arc::clone(text)), &[], described);
                client.keep_statement(name, prepared.with_declared(types))?;
                Ok(Outcome::done("PREPARE"))
            }
            Self::Execute { name, values } => {
                let prepared = client.prepared(name)?;
                let parameters = prepared.parameters();
                // As in PostgreSQL, one that takes no values passes over them.
                if !parameters.is_empty() && parameters.len() != values.len() {
                    let message = format!("wrong number of parameters for prepared statement \"{name}\"");
                    let hint = Some(format!("Expected {} parameters but got {}.", parameters.len(), values.len()));
                    return Err(Error::Statement { fault: Fault::Syntax, message, hint });
                }
                let values = values
                    .iter()
                    .zip(parameters)
                    .map(|(value, parameter)| constant(scope, value, &parameter.data_type))
                    .collect::<Result<Vec<_>>>()?;
                let Some(action) = prepared.action() else { return Ok(Outcome::Empty) };
                let _nested = client.nest()?;
                let outcome = execute(action.as_ref(), client, scope, &values).await?;
                let columns = match &outcome {
                    Outcome::Rows { stream, .. } => Some(stream.schema()),
                    Outcome::Done { .. } | Outcome::Empty => None,
                };
                if let Some(columns) = columns {
                    prepared.check_columns(client, scope, &columns).await?;
                }
                Ok(outcome)
            }
            Self::Deallocate { name } => {
                client.deallocate(name.as_deref())?;
                Ok(Outcome::done(if name.is_some() { "DEALLOCATE" } else { "DEALLOCATE ALL" }))
            }
        }
    }
}

/// The value of an expression without columns, as `data_type`.
fn constant(scope: &Scope, value: &AstExpr, data_type: &DataType) -> Result<ScalarValue> {
    let schema = DFSchema::empty();
    let expression = scope.expression(value.clone())?;
    // A numeric keeps the digits that it is written with: to round it to the column's would change what is compared.
    let expression = if data_type.is_decimal() { expression } else { expression.cast_to(data_type, &schema)? };
    let simplifier = ExprSimplifier::new(SimplifyContext::builder().with_current_time().build());
    match simplifier.simplify(expression)? {
        Expr::Literal(value, _) if data_type.is_decimal() => with_own_digits(value, data_type),
        Expr::Literal(value, _) => Ok(value),
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
