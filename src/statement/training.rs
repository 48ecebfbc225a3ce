//! Where `train` may stand, and that it is run first, alone, before what reads its rows.

use std::ops::ControlFlow;

use datafusion::{
    logical_expr::LogicalPlan,
    sql::{
        parser::Statement as SqlStatement,
        sqlparser::ast::{Query, SetExpr, Statement as Ast, TableFactor, Visit, Visitor},
    },
};
use fusewire_udfs::table::train;
use futures::future::BoxFuture;

use super::rows::collect;
use crate::{
    Error, Fault, Result,
    catalog::Applied,
    session::{Client, Scope, Sealed, Staged, publication},
};

/// `train` stands alone in the FROM of the outermost SELECT or nowhere: planners repeat and skip what stands elsewhere.
pub(super) fn check_train(statement: &SqlStatement) -> Result<()> {
    let (query, allowed) = match statement {
        SqlStatement::Statement(inner) => (inner.as_ref(), usize::from(trains_alone(inner))),
        SqlStatement::Explain(explain) => match explain.statement.as_ref() {
            SqlStatement::Statement(inner) => (inner.as_ref(), usize::from(trains_alone(inner))),
            _ => return Ok(()),
        },
        _ => return Ok(()),
    };
    let mut calls = TrainCalls(0);
    let _ = query.visit(&mut calls);
    if calls.0 > allowed {
        return Err(Error::new(
            Fault::FeatureNotSupported,
            "train may stand only as the one FROM item of a statement's outermost SELECT, as in SELECT * FROM train(…); \
             not in a view, a CTE, a join, a subquery, LATERAL or another statement",
        ));
    }
    Ok(())
}

/// Refuses every `train` in a query that is not run by itself: a view's, a table's, an INSERT's.
pub(super) fn refuse_train(query: &Query) -> Result<()> {
    let mut calls = TrainCalls(0);
    let _ = query.visit(&mut calls);
    if calls.0 == 0 {
        return Ok(());
    }
    Err(Error::new(
        Fault::FeatureNotSupported,
        "train may not stand in a view or in a statement that stores its rows; run SELECT * FROM train(…) by itself",
    ))
}

/// Executes the plan's `train`, if it has one, and puts its metrics in its place; and the model, which is to be published
/// when the rest has run, so that a statement that fails or is cancelled leaves none.
pub(super) fn train_first<'a>(
    client: &'a Client,
    scope: &'a Scope,
    plan: LogicalPlan,
) -> BoxFuture<'a, Result<(LogicalPlan, Option<Staged>)>> {
    // One at most: the statement was checked.
    let rows = train::find(&plan).map(|mut trainings| trainings.pop().map(|training| collect(scope, training)));
    let plan = Sealed::new(plan);
    Box::pin(async move {
        match rows? {
            None => Ok((LogicalPlan::clone(&plan), None)),
            Some(rows) => {
                scope.check_writes("train")?;
                let version = train::trained(&rows.await?)?;
                let staged = client.stage(scope, vec![publication(scope, client.header()?, &version)?])?;
                let Some(Applied::Published { version: number, .. }) = staged.applied().first() else {
                    return Err(Error::new(Fault::Internal, "a published model has no number"));
                };
                let metrics = train::rows(&version, *number)?;
                Ok((train::substitute(LogicalPlan::clone(&plan), vec![metrics])?, Some(staged)))
            }
        }
    })
}

struct TrainCalls(usize);

impl Visitor for TrainCalls {
    type Break = ();

    fn pre_visit_table_factor(&mut self, factor: &TableFactor) -> ControlFlow<()> {
        self.0 += usize::from(is_train(factor));
        ControlFlow::Continue(())
    }
}

fn is_train(factor: &TableFactor) -> bool {
    let name = match factor {
        TableFactor::Table { name, args: Some(_), .. } | TableFactor::Function { name, .. } => name,
        _ => return false,
    };
    name.0.last().and_then(|part| part.as_ident()).is_some_and(|name| name.value.eq_ignore_ascii_case("train"))
}

fn trains_alone(statement: &Ast) -> bool {
    let Ast::Query(query) = statement else { return false };
    let SetExpr::Select(select) = query.body.as_ref() else { return false };
    match select.from.as_slice() {
        [item] => {
            item.joins.is_empty() && matches!(item.relation, TableFactor::Table { .. }) && is_train(&item.relation)
        }
        _ => false,
    }
}
