//! What must be written differently in a statement before it is planned.
//!
//! The query engine finds a statement's tables by looking at its text, where the bare name of a table among the arguments
//! of a function looks like a column; and functions need the values of their parameters when they are planned, because a
//! model's name decides the columns of the result.

use std::{ops::ControlFlow, sync::Arc};

use datafusion::{
    common::ScalarValue,
    sql::{
        parser::{CopyToSource, Statement},
        sqlparser::{
            ast::{
                Array, Expr, FunctionArg, FunctionArgExpr, Ident, ObjectName, ObjectNamePart, SetExpr, TableFactor,
                UnaryOperator, Value, VisitMut, VisitorMut, visit_expressions_mut,
            },
            dialect::PostgreSqlDialect,
            parser::Parser,
        },
    },
};

use super::{
    Kind, Parameter,
    read::{folded, named},
};
use crate::{
    error::{Error, Result},
    planner::function_named,
};

/// Prepares the calls of functions in a statement: the name of a table or view that is an argument becomes a query, and
/// the parameters `$1`, `$2`, … among other arguments become literals if `values` are given.
///
/// Parameters elsewhere, relations that are arguments included, keep their places in the plan and get their values there.
/// Every statement goes through this once before it is planned, a view's included.
///
/// # Errors
/// [`Error::NotSupported`] for a value that has no literal, [`Error::InvalidCall`] for a parameter without a value.
pub fn rewrite(statement: &mut Statement, values: Option<&[ScalarValue]>) -> Result<()> {
    let mut calls = Calls { values };
    let flow = match statement {
        Statement::Statement(statement) => statement.visit(&mut calls),
        Statement::Explain(explain) => return rewrite(&mut explain.statement, values),
        Statement::CopyTo(copy) => match &mut copy.source {
            CopyToSource::Query(query) => query.visit(&mut calls),
            CopyToSource::Relation(_) => ControlFlow::Continue(()),
        },
        Statement::CreateExternalTable(_) | Statement::Reset(_) => ControlFlow::Continue(()),
    };
    match flow {
        ControlFlow::Break(error) => Err(error),
        ControlFlow::Continue(()) => Ok(()),
    }
}

struct Calls<'a> {
    values: Option<&'a [ScalarValue]>,
}

impl VisitorMut for Calls<'_> {
    type Break = Error;

    fn pre_visit_table_factor(&mut self, factor: &mut TableFactor) -> ControlFlow<Error> {
        let (name, arguments) = match factor {
            TableFactor::Table { name, args: Some(arguments), .. } => (name, &mut arguments.args),
            TableFactor::Function { name, args, .. } => (name, args),
            _ => return ControlFlow::Continue(()),
        };
        let Some(function) = function_named(name) else { return ControlFlow::Continue(()) };
        let parameters = function.parameters();
        for (position, argument) in arguments.iter_mut().enumerate() {
            let (parameter, value) = match argument {
                FunctionArg::Unnamed(value) => (parameters.get(position), value),
                FunctionArg::Named { name, arg, .. } => (find(&parameters, &folded(name)), arg),
                FunctionArg::ExprNamed { name, arg, .. } => (find(&parameters, &named(name)), arg),
            };
            let FunctionArgExpr::Expr(expression) = value else { continue };
            if parameter.is_some_and(|parameter| parameter.kind == Kind::Relation) {
                query_of_name(expression);
            } else if let Some(values) = self.values {
                bind(expression, values)?;
            }
        }
        ControlFlow::Continue(())
    }
}

fn find<'a>(parameters: &'a [Parameter], name: &str) -> Option<&'a Parameter> {
    parameters.iter().find(|known| known.name == name)
}

/// `orders` becomes `(SELECT * FROM orders)`.
fn query_of_name(expression: &mut Expr) {
    let name = match expression {
        Expr::Nested(inner) => return query_of_name(inner),
        Expr::Identifier(name) => vec![name.clone()],
        Expr::CompoundIdentifier(names) => names.clone(),
        _ => return,
    };
    if let Some(query) = query_of(name) {
        *expression = query;
    }
}

/// The parts of the name go into the query as they are, so that errors point at where they were written.
fn query_of(names: Vec<Ident>) -> Option<Expr> {
    let mut parser = Parser::new(&PostgreSqlDialect {}).try_with_sql("SELECT * FROM placeholder").ok()?;
    let mut query = parser.parse_query().ok()?;
    let SetExpr::Select(select) = query.body.as_mut() else { return None };
    let TableFactor::Table { name, .. } = &mut select.from.first_mut()?.relation else { return None };
    *name = ObjectName(names.into_iter().map(ObjectNamePart::Identifier).collect());
    Some(Expr::Subquery(query))
}

fn bind(expression: &mut Expr, values: &[ScalarValue]) -> ControlFlow<Error> {
    visit_expressions_mut(expression, |expression| match literal(expression, values) {
        Ok(Some(value)) => {
            *expression = value;
            ControlFlow::Continue(())
        }
        Ok(None) => ControlFlow::Continue(()),
        Err(error) => ControlFlow::Break(error),
    })
}

/// The literal of the value of a parameter; `None` for anything else.
fn literal(expression: &Expr, values: &[ScalarValue]) -> Result<Option<Expr>> {
    let Expr::Value(found) = expression else { return Ok(None) };
    let Value::Placeholder(name) = &found.value else { return Ok(None) };
    let position = name.strip_prefix('$').and_then(|digits| digits.parse::<usize>().ok());
    let value =
        position.and_then(|position| values.get(position.checked_sub(1)?)).ok_or_else(|| Error::InvalidCall {
            function: "the statement",
            problem: format!("has the parameter {name}, but {} values were given", values.len()),
        })?;
    let plain = |value: Value| Expr::Value(value.with_span(found.span));
    if value.is_null() {
        return Ok(Some(plain(Value::Null)));
    }
    if let Some(text) = value.try_as_str().flatten() {
        return Ok(Some(plain(Value::SingleQuotedString(text.into()))));
    }
    if let ScalarValue::Boolean(Some(flag)) = value {
        return Ok(Some(plain(Value::Boolean(*flag))));
    }
    if let ScalarValue::List(list) = value
        && let Some(texts) = super::value::texts(&ScalarValue::List(Arc::clone(list)))
    {
        let elem = texts.into_iter().map(|text| plain(Value::SingleQuotedString(text))).collect();
        return Ok(Some(Expr::Array(Array { elem, named: true })));
    }
    if !value.data_type().is_numeric() {
        let problem = format!("a value of type {} cannot be an argument of a function; pass text", value.data_type());
        return Err(Error::NotSupported(problem));
    }
    let number = value.to_string();
    Ok(Some(match number.strip_prefix('-') {
        Some(positive) => {
            Expr::UnaryOp { op: UnaryOperator::Minus, expr: Box::new(plain(Value::Number(positive.into(), false))) }
        }
        None => plain(Value::Number(number, false)),
    }))
}
