//! `CREATE VIEW`: the text is kept, and planned anew each time the view is read.

use std::sync::Arc;

use async_trait::async_trait;
use datafusion::sql::{
    parser::Statement as SqlStatement,
    sqlparser::ast::{
        CreateView as Ast, Ident, Query, Statement as AstStatement, TableAlias, TableAliasColumnDef, TableFactor,
        TableWithJoins, ViewColumnDef,
    },
};

use super::{
    Action, Form, Recognised,
    headings::name_columns,
    names::{check_distinct, existing, qualified},
    plan::{plan, schema_of},
    training::refuse_train,
};
use crate::{
    Error, Fault, Result,
    catalog::{Definition, Existing, QualifiedName, View},
    session::{Outcome, Running, Sealed, query_from},
};

pub(super) const FORM: Form = Form { parse: None, convert };

#[derive(Debug)]
struct CreateView {
    name: QualifiedName,
    query: Sealed<Query>,
    existing: Existing,
}

fn convert(statement: &SqlStatement) -> Recognised {
    let SqlStatement::Statement(statement) = statement else { return Ok(None) };
    let AstStatement::CreateView(view) = statement.as_ref() else { return Ok(None) };
    let Ast { name, columns, mut query, or_replace, if_not_exists, materialized, temporary, .. } = view.clone();
    if materialized || temporary {
        let (found, instead) = match materialized {
            true => ("a materialized view", "CREATE TABLE … AS, which stores the rows"),
            false => ("a temporary view", "CREATE VIEW and DROP VIEW"),
        };
        return Err(Error::new(Fault::FeatureNotSupported, format!("{found} is not supported; use {instead}")));
    }
    refuse_train(&query)?;
    if !columns.is_empty() {
        query = renamed(query, columns)?;
    }
    name_columns(&mut query);
    let existing = existing(or_replace, if_not_exists)?;
    Ok(Some(Arc::new(CreateView { name: qualified(&name)?, query: Sealed::new(*query), existing })))
}

#[async_trait]
impl Action for CreateView {
    async fn run(&self, Running { client, scope, .. }: Running<'_>) -> Result<Outcome> {
        scope.check_writes("CREATE VIEW")?;
        let text = self.query.to_string();
        let plan = plan(scope, scope.parse_query(&text)?, None).await?;
        if !plan.get_parameter_names()?.is_empty() {
            return Err(Error::new(Fault::InvalidArgument, "a view takes no parameters; write the values out"));
        }
        let schema = schema_of(&plan).as_ref().clone();
        check_distinct(&schema)?;
        let view = Definition::View(View { sql: text, schema });
        client.create(scope, &self.name, client.header()?, view, self.existing).await?;
        Ok(Outcome::done("CREATE VIEW"))
    }
}

/// The query whose columns get the names of the view's.
fn renamed(query: Box<Query>, columns: Vec<ViewColumnDef>) -> Result<Box<Query>> {
    let columns =
        columns.into_iter().map(|column| TableAliasColumnDef { name: column.name, data_type: None }).collect();
    let alias = TableAlias { explicit: true, name: Ident::new("view_columns"), columns, at: None };
    let relation = TableFactor::Derived { lateral: false, subquery: query, alias: Some(alias), sample: None };
    query_from(vec![TableWithJoins { relation, joins: Vec::new() }])
}
