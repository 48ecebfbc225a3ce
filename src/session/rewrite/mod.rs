//! What PostgreSQL means and the planner does not: written otherwise before a statement is planned.
//!
//! Comparisons of `rows` become comparisons of their columns, `x > ANY (array)` a function that knows of NULL
//! (`arrays`), `casts` of one value to several types get names that tell them apart, `calls` get the arguments that
//! they leave out, those that read `files` become names of tables, `windows` with a name and positions in `groups` are
//! written out where they are used, and aggregates of `ordered_sets` and of `json` are written with other functions.
//! `columns` finds what a name without a table stands for: the merged column of a join with USING, or the column behind an
//! alias of the same name, which `order` keeps apart where both are needed. `same_names` finds the item of FROM behind the
//! name of a table, and `system_columns` gives tables the column `tableoid` where it is asked for. Calls in FROM that are
//! queries of their argument become these (`derived_calls`). What SHOW tells of tables (`shows`) becomes a query. All is done
//! on the syntax tree, in the order of [`REWRITES`]; a view's text stays as it was written. In the end `parameters` get their
//! types; the values of an INSERT are `assigned` when it is read.

mod aliases;
mod array_literals;
mod arrays;
mod assigned;
mod calls;
mod casts;
mod collations;
mod columns;
mod common_types;
mod conditions;
mod derived_calls;
mod distinct_from;
mod groups;
mod intervals;
mod joined_texts;
mod json;
mod keys;
mod limit;
mod merge;
mod named_operators;
mod numbers;
mod once;
mod open_texts;
mod order;
mod ordered_sets;
mod parameters;
mod patterns;
mod regexes;
mod registered;
mod rows;
mod same_names;
mod scopes;
mod shows;
mod signs;
mod system_columns;
mod texts;
mod ties;
mod timestamps;
mod told_types;
mod type_calls;
mod values;
mod whole_rows;
mod windows;

use std::{ops::ControlFlow, sync::Arc};

use datafusion::{
    execution::SessionState,
    sql::{
        parser::{CopyToSource, Statement as SqlStatement},
        sqlparser::ast::{
            BinaryOperator, CastKind, DataType, Expr, Function, FunctionArg, FunctionArgExpr, FunctionArgumentList,
            FunctionArguments, Ident, ObjectName, Query, Select, SetExpr, TableFactor, TableWithJoins, Value, VisitMut,
            VisitorMut,
        },
        sqlparser::parser::Parser,
    },
};
use futures::future::BoxFuture;

pub(super) use self::{
    arrays::CompareArray,
    assigned::Assigned,
    casts::WrittenAs,
    parameters::{cast_told, with_types, without_types},
    rows::row_of,
    timestamps::with_microseconds,
};
pub(crate) use self::{assigned::assign, common_types::written, merge::joins_by_name, parameters::ArrowTypes};
use super::{Scope, dialect::chain, files};
use crate::{Error, Result, session::PostgreSql};

/// What is written otherwise in a statement, by where it stands.
enum Rewrite {
    /// A walk of its own.
    Statement(fn(&mut SqlStatement) -> Result<()>),
    /// A query, before what is within it.
    Query(fn(&mut Query) -> Result<()>),
    /// A SELECT, before what is within it.
    Select(fn(&mut Select) -> Result<()>),
    /// An item of FROM, before what is within it.
    Item(fn(&mut TableFactor) -> Result<()>),
    /// An expression, after what is within it.
    Expression(fn(&mut Expr) -> Result<()>),
    /// A walk of its own, which asks what names stand for in the statement's scope.
    Names(fn(&mut SqlStatement, &Arc<Scope>) -> Result<()>),
    /// A walk of its own, for which the tables are looked up.
    Tables(for<'a> fn(&'a mut SqlStatement, &'a SessionState) -> BoxFuture<'a, Result<()>>),
}

/// Every rewrite, in the order in which they are done, with the reason where one is known. Those of parts of a statement that
/// follow one another share one walk, which does at each part those for its kind.
const REWRITES: &[Rewrite] = &[
    // What becomes a query is rewritten as one.
    Rewrite::Names(shows::rewrite),
    // Before any gives names, or goes by those that the user wrote.
    Rewrite::Names(same_names::rewrite),
    // After names that stand for several tables were told apart, by what the user wrote.
    Rewrite::Names(system_columns::rewrite),
    // Whether an item of WITH is volatile, and how often it is read, is seen in what the user wrote.
    Rewrite::Statement(once::rewrite),
    // Before casts get names.
    Rewrite::Statement(registered::rewrite),
    Rewrite::Statement(type_calls::rewrite),
    Rewrite::Statement(array_literals::rewrite),
    // Before keys in a row become keys of their own: a constant that is refused alone may stand in a row of ORDER BY.
    Rewrite::Query(keys::check),
    // Keys in a row become keys of their own before those of DISTINCT ON are put into their order.
    Rewrite::Query(rows::order_by),
    Rewrite::Query(groups::in_order),
    // After the keys of DISTINCT ON were compared with those of ORDER BY, in which casts get names here. The casts of the list
    // and of ORDER BY are told apart together, before those of the SELECT alone.
    Rewrite::Query(casts::rewrite),
    Rewrite::Query(windows::rewrite),
    Rewrite::Query(values::rewrite),
    Rewrite::Query(open_texts::sets),
    Rewrite::Query(limit::rewrite),
    // It puts the SELECT into a query of its own, so that no other finds the list and ORDER BY together: last of them.
    Rewrite::Query(order::rewrite),
    // It copies columns of the list into the groups, whose casts are told apart together.
    Rewrite::Select(groups::rewrite),
    // After the query's, which takes the windows of ORDER BY from the definitions that this one removes.
    Rewrite::Select(windows::rewrite_list),
    // After the windows, whose casts are in the list now.
    Rewrite::Select(casts::rewrite_select),
    Rewrite::Select(arrays::subscripts),
    Rewrite::Select(open_texts::conditions),
    Rewrite::Item(files::rewrite),
    // The query that it makes of a call is walked through then.
    Rewrite::Item(derived_calls::rewrite),
    Rewrite::Item(numbers::of_series),
    // Before any looks at operators and their operands.
    Rewrite::Expression(named_operators::check),
    Rewrite::Expression(collations::rewrite),
    // Before the elements of arrays that are arguments are anything else.
    Rewrite::Expression(texts::rewrite),
    Rewrite::Expression(open_texts::rewrite),
    Rewrite::Expression(distinct_from::rewrite),
    Rewrite::Expression(rows::rewrite),
    Rewrite::Expression(rows::in_call),
    // Before comparisons with the elements of arrays are written out, each of which is a pattern.
    Rewrite::Expression(regexes::rewrite),
    Rewrite::Expression(arrays::rewrite),
    Rewrite::Expression(patterns::rewrite),
    Rewrite::Expression(joined_texts::rewrite),
    Rewrite::Expression(ordered_sets::rewrite),
    Rewrite::Expression(order::without_constants),
    Rewrite::Expression(timestamps::rewrite),
    Rewrite::Expression(calls::rewrite),
    Rewrite::Expression(numbers::rewrite),
    Rewrite::Expression(signs::rewrite),
    Rewrite::Expression(windows::distances),
    // What becomes an aggregate within a call is rewritten as the aggregate that was written before.
    Rewrite::Expression(json::rewrite),
    // Calls that read files are names of tables by now, which are looked up with the others.
    Rewrite::Tables(columns::rewrite),
];

impl Rewrite {
    fn is_of_a_part(&self) -> bool {
        !matches!(self, Self::Statement(_) | Self::Names(_) | Self::Tables(_))
    }
}

/// Rewrites a statement as it is planned over the tables that `state` knows, which are those of `scope`.
pub(super) async fn rewrite(statement: &mut SqlStatement, scope: &Arc<Scope>, state: &SessionState) -> Result<()> {
    for next in REWRITES.chunk_by(|one, other| one.is_of_a_part() && other.is_of_a_part()) {
        match next {
            [Rewrite::Statement(work)] => work(statement)?,
            [Rewrite::Names(work)] => work(statement, scope)?,
            [Rewrite::Tables(work)] => work(statement, state).await?,
            parts => visit(statement, &mut Walk(parts))?,
        }
    }
    Ok(())
}

/// Walks through the query of a statement.
pub(super) fn visit<V: VisitorMut<Break = Error>>(statement: &mut SqlStatement, visitor: &mut V) -> Result<()> {
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

/// One walk that does all of these which are for a kind of part.
struct Walk(&'static [Rewrite]);

impl Walk {
    fn each(&self, work: impl FnMut(&Rewrite) -> Result<()>) -> ControlFlow<Error> {
        match self.0.iter().try_for_each(work) {
            Ok(()) => ControlFlow::Continue(()),
            Err(error) => ControlFlow::Break(error),
        }
    }
}

impl VisitorMut for Walk {
    type Break = Error;

    fn pre_visit_query(&mut self, query: &mut Query) -> ControlFlow<Error> {
        self.each(|rewrite| if let Rewrite::Query(work) = rewrite { work(query) } else { Ok(()) })
    }

    fn pre_visit_select(&mut self, select: &mut Select) -> ControlFlow<Error> {
        self.each(|rewrite| if let Rewrite::Select(work) = rewrite { work(select) } else { Ok(()) })
    }

    fn pre_visit_table_factor(&mut self, factor: &mut TableFactor) -> ControlFlow<Error> {
        self.each(|rewrite| if let Rewrite::Item(work) = rewrite { work(factor) } else { Ok(()) })
    }

    fn post_visit_expr(&mut self, expression: &mut Expr) -> ControlFlow<Error> {
        self.each(|rewrite| if let Rewrite::Expression(work) = rewrite { work(expression) } else { Ok(()) })
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
    let joined = chain(conditions.into_iter().collect(), op);
    Expr::Nested(Box::new(joined.unwrap_or_else(|| Expr::Value(Value::Boolean(*op == BinaryOperator::And).into()))))
}

/// Whether an expression is a text in quotes.
fn is_text(expression: &Expr) -> bool {
    matches!(expression, Expr::Value(value) if matches!(value.value, Value::SingleQuotedString(_)))
}

fn null() -> Expr {
    Expr::Value(Value::Null.into())
}

/// Whether an expression is a text in quotes, or NULL: of no type yet.
fn is_open(expression: &Expr) -> bool {
    match expression {
        Expr::Value(value) => matches!(value.value, Value::Null) || array_literals::text_of(&value.value).is_some(),
        Expr::Nested(inner) => is_open(inner),
        _ => false,
    }
}

/// `expression::data_type`.
fn cast_to(expression: Expr, data_type: DataType) -> Expr {
    let expr = Box::new(expression);
    Expr::Cast { kind: CastKind::DoubleColon, expr, data_type, array: false, format: None }
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

/// `SELECT * FROM name`.
pub(crate) fn query_of(name: ObjectName) -> Result<Box<Query>> {
    let mut query = Parser::new(&PostgreSql).try_with_sql("SELECT * FROM t")?.parse_query()?;
    if let SetExpr::Select(select) = query.body.as_mut()
        && let Some(TableFactor::Table { name: read, .. }) = select.from.first_mut().map(|item| &mut item.relation)
    {
        *read = name;
    }
    Ok(query)
}

/// A number, by its digits.
fn number(digits: impl Into<String>) -> Expr {
    Expr::Value(Value::Number(digits.into(), false).into())
}

/// A text in quotes.
fn quoted(text: impl Into<String>) -> Expr {
    Expr::Value(Value::SingleQuotedString(text.into()).into())
}

/// An expression in parentheses.
fn nested(expression: Expr) -> Expr {
    Expr::Nested(Box::new(expression))
}

/// A call of a function.
pub(crate) fn call(name: &str, arguments: Vec<Expr>) -> Expr {
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
