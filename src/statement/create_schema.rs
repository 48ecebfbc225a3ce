//! `CREATE SCHEMA`: a further space for names.

use std::sync::Arc;

use async_trait::async_trait;
use datafusion::sql::{
    parser::Statement as SqlStatement,
    sqlparser::ast::{SchemaName, Statement as AstStatement},
};

use super::{Action, Form, Recognised, names::identifier};
use crate::{
    Error, Fault, Result,
    catalog::{Applied, Change},
    session::{Notice, Outcome, Running},
};

pub(super) const FORM: Form = Form { parse: None, convert };

#[derive(Debug)]
struct CreateSchema {
    name: String,
    if_not_exists: bool,
}

fn convert(statement: &SqlStatement) -> Recognised {
    let SqlStatement::Statement(statement) = statement else { return Ok(None) };
    let AstStatement::CreateSchema { schema_name, if_not_exists, .. } = statement.as_ref() else { return Ok(None) };
    let name = match schema_name {
        SchemaName::Simple(name) => name.0.last().and_then(|part| part.as_ident()).map(identifier),
        _ => None,
    };
    let Some(name) = name else {
        return Err(Error::new(Fault::FeatureNotSupported, "AUTHORIZATION is not supported in CREATE SCHEMA"));
    };
    Ok(Some(Arc::new(CreateSchema { name, if_not_exists: *if_not_exists })))
}

#[async_trait]
impl Action for CreateSchema {
    async fn run(&self, Running { client, scope, .. }: Running<'_>) -> Result<Outcome> {
        scope.check_writes("CREATE SCHEMA")?;
        let header = client.header()?;
        let change = Change::CreateSchema { name: self.name.clone(), header, if_not_exists: self.if_not_exists };
        if client.apply(scope, vec![change]).await?.contains(&Applied::Unchanged) {
            scope.notify(Notice::remark(format!("schema \"{}\" already exists, skipping", self.name)));
        }
        Ok(Outcome::done("CREATE SCHEMA"))
    }
}
