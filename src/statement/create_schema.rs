//! `CREATE SCHEMA`: a further space for names.

use std::sync::Arc;

use async_trait::async_trait;
use datafusion::sql::{
    parser::Statement as SqlStatement,
    sqlparser::ast::{ObjectName, SchemaName, Statement as AstStatement},
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
    let SchemaName::Simple(name) = schema_name else {
        return Err(Error::new(Fault::FeatureNotSupported, "AUTHORIZATION is not supported in CREATE SCHEMA"));
    };
    let name = schema_name_of(name)?;
    Ok(Some(Arc::new(CreateSchema { name, if_not_exists: *if_not_exists })))
}

/// The name of a schema, which has one part.
pub(super) fn schema_name_of(name: &ObjectName) -> Result<String> {
    let word = match name.0.as_slice() {
        [part] => part.as_ident().map(identifier).filter(|word| !word.is_empty()),
        _ => None,
    };
    word.ok_or_else(|| Error::new(Fault::Syntax, format!("the name of a schema is one word, found {name}")))
}

#[async_trait]
impl Action for CreateSchema {
    async fn run(&self, Running { client, scope, .. }: Running<'_>) -> Result<Outcome> {
        scope.check_writes("CREATE SCHEMA")?;
        let header = client.header()?;
        let change = Change::CreateSchema { name: self.name.clone(), header, if_not_exists: self.if_not_exists };
        if client.apply(scope, vec![change]).await?.contains(&Applied::Unchanged) {
            let text = format!("schema \"{}\" already exists, skipping", self.name);
            scope.notify(Notice::Remark { fault: Some(Fault::DuplicateSchema), text });
        }
        Ok(Outcome::done("CREATE SCHEMA"))
    }
}
