//! What PostgreSQL means and the planner does not: written otherwise before a statement is planned.
//!
//! Comparisons of `rows` become comparisons of their columns, `x > ANY (array)` a function that knows of NULL (`arrays`),
//! `casts` of one value to several types get names that tell them apart,
//! calls that read `files` become names of tables, `windows` with a name and positions in `groups` are written out where they are used. `columns` finds what a name without
//! a table stands for: the merged column of a join with USING, or the column behind an alias of the same name, which `order`
//! keeps apart where both are needed. All is done on the syntax tree; a view's text stays as it was written.

mod aliases;
mod arrays;
mod casts;
mod columns;
mod common_types;
mod groups;
mod lengths;
mod limit;
mod merge;
mod once;
mod order;
mod patterns;
mod regexes;
mod rows;
mod scopes;
mod timestamps;
mod windows;

use std::ops::ControlFlow;

use datafusion::{
    execution::SessionState,
    sql::{
        parser::{CopyToSource, Statement as SqlStatement},
        sqlparser::ast::{
            BinaryOperator, Expr, Function, FunctionArg, FunctionArgExpr, FunctionArgumentList, FunctionArguments,
            Ident, ObjectName, Query, Select, SetExpr, TableFactor, TableWithJoins, Value, VisitMut, VisitorMut,
        },
        sqlparser::parser::Parser,
    },
};

pub(super) use self::{arrays::CompareArray, casts::WrittenAs, rows::row_of, timestamps::with_microseconds};
pub(crate) use self::{common_types::written, merge::joins_by_name};
use super::files;
use crate::{Error, Result, session::PostgreSql};

/// Rewrites a statement as it is planned over the tables that `state` knows.
pub(super) async fn rewrite(statement: &mut SqlStatement, state: &SessionState) -> Result<()> {
    visit(statement, &mut once::ComputeOnce)?;
    visit(statement, &mut Expressions)?;
    columns::rewrite(statement, state).await
}

/// Walks through the query of a statement.
fn visit<V: VisitorMut<Break = Error>>(statement: &mut SqlStatement, visitor: &mut V) -> Result<()> {
    let flow = match statement {
        SqlStatement::Statement(inner) => inner.visit(visitor),
        SqlStatement::Explain(explain) => return visit(&mut explain.statement, visitor),
        SqlStatement::CopyTo(copy) => match &mut copy.source {
            CopyToSource::Query(query) => query.visit(visitor),
            CopyToSource::Relation(_) => ControlFlow::Continue(()),
        },
        _ => ControlFlow::Continue(()),
    };
    match flow {
        ControlFlow::Break(error) => Err(error),
        ControlFlow::Continue(()) => Ok(()),
    }
}

struct Expressions;

impl VisitorMut for Expressions {
    type Break = Error;

    fn post_visit_expr(&mut self, expression: &mut Expr) -> ControlFlow<Error> {
        let rewritten = rows::rewrite(expression)
            .and_then(|()| regexes::rewrite(expression))
            .and_then(|()| arrays::rewrite(expression))
            .and_then(|()| patterns::rewrite(expression));
        order::without_constants(expression);
        timestamps::rewrite(expression);
        lengths::rewrite(expression);
        windows::distances(expression);
        flow(rewritten)
    }

    fn pre_visit_table_factor(&mut self, factor: &mut TableFactor) -> ControlFlow<Error> {
        flow(files::check_sample(factor).and_then(|()| files::rewrite(factor)))
    }

    fn pre_visit_select(&mut self, select: &mut Select) -> ControlFlow<Error> {
        let rewritten = groups::rewrite(select).and_then(|()| windows::rewrite_list(select));
        casts::rewrite_select(select);
        arrays::subscripts(select);
        flow(rewritten)
    }

    fn pre_visit_query(&mut self, query: &mut Query) -> ControlFlow<Error> {
        rows::order_by(query);
        let ordered = groups::in_order(query);
        casts::rewrite(query);
        flow(
            ordered
                .and_then(|()| windows::rewrite(query))
                .and_then(|()| limit::rewrite(query))
                .and_then(|()| order::rewrite(query)),
        )
    }
}

fn flow(result: Result<()>) -> ControlFlow<Error> {
    match result {
        Ok(()) => ControlFlow::Continue(()),
        Err(error) => ControlFlow::Break(error),
    }
}

/// `left AND right AND …`, in parentheses.
fn all(conditions: impl IntoIterator<Item = Expr>) -> Expr {
    joined(conditions, &BinaryOperator::And)
}

/// `left OR right OR …`, in parentheses.
fn any(conditions: impl IntoIterator<Item = Expr>) -> Expr {
    joined(conditions, &BinaryOperator::Or)
}

fn joined(conditions: impl IntoIterator<Item = Expr>, op: &BinaryOperator) -> Expr {
    let chain = conditions.into_iter().reduce(|left, right| operation(left, op.clone(), right));
    Expr::Nested(Box::new(chain.unwrap_or_else(|| Expr::Value(Value::Boolean(*op == BinaryOperator::And).into()))))
}

fn operation(left: Expr, op: BinaryOperator, right: Expr) -> Expr {
    Expr::BinaryOp { left: Box::new(left), op, right: Box::new(right) }
}

/// `SELECT * FROM …`.
pub(crate) fn query_from(from: Vec<TableWithJoins>) -> Result<Box<Query>> {
    let mut query = Parser::new(&PostgreSql).try_with_sql("SELECT * FROM t")?.parse_query()?;
    if let SetExpr::Select(select) = query.body.as_mut() {
        select.from = from;
    }
    Ok(query)
}

/// A call of a function.
fn call(name: &str, arguments: Vec<Expr>) -> Expr {
    let args = arguments.into_iter().map(|argument| FunctionArg::Unnamed(FunctionArgExpr::Expr(argument))).collect();
    Expr::Function(Function {
        name: ObjectName::from(Ident::new(name)),
        uses_odbc_syntax: false,
        parameters: FunctionArguments::None,
        args: FunctionArguments::List(FunctionArgumentList { duplicate_treatment: None, args, clauses: Vec::new() }),
        filter: None,
        null_treatment: None,
        over: None,
        within_group: Vec::new(),
    })
}
