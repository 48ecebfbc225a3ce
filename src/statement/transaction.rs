//! `BEGIN`, `COMMIT`, `ROLLBACK`: what a transaction changes is published together or not at all.

use std::sync::Arc;

use async_trait::async_trait;
use datafusion::{
    common::ScalarValue,
    sql::{parser::Statement as SqlStatement, sqlparser::ast::Statement as Ast},
};

use super::{Action, Form, Recognised, no_parse};
use crate::{
    Error, Fault, Result,
    session::{Client, Outcome},
};

pub(super) const FORM: Form = Form { parse: no_parse, convert };

#[derive(Debug)]
enum Transaction {
    Begin { tag: &'static str },
    Commit,
    Rollback,
}

fn convert(statement: &SqlStatement) -> Recognised {
    let SqlStatement::Statement(statement) = statement else { return Ok(None) };
    let action = match statement.as_ref() {
        Ast::StartTransaction { begin, .. } => {
            Transaction::Begin { tag: if *begin { "BEGIN" } else { "START TRANSACTION" } }
        }
        Ast::Commit { chain: false, .. } => Transaction::Commit,
        Ast::Rollback { chain: false, savepoint: None } => Transaction::Rollback,
        Ast::Rollback { savepoint: Some(_), .. } | Ast::Savepoint { .. } | Ast::ReleaseSavepoint { .. } => {
            return Err(Error::new(
                Fault::FeatureNotSupported,
                "savepoints are not supported; use separate transactions",
            ));
        }
        Ast::Commit { .. } | Ast::Rollback { .. } => {
            return Err(Error::new(Fault::FeatureNotSupported, "AND CHAIN is not supported; send BEGIN after it"));
        }
        _ => return Ok(None),
    };
    Ok(Some(Arc::new(action)))
}

#[async_trait]
impl Action for Transaction {
    async fn execute(&self, client: &Arc<Client>, _parameters: &[ScalarValue]) -> Result<Outcome> {
        match self {
            Self::Begin { tag } => {
                client.begin();
                Ok(Outcome::done(*tag))
            }
            Self::Commit => {
                let committed = client.commit().await?;
                Ok(Outcome::done(if committed { "COMMIT" } else { "ROLLBACK" }))
            }
            Self::Rollback => {
                client.rollback()?;
                Ok(Outcome::done("ROLLBACK"))
            }
        }
    }

    fn ends_transaction(&self) -> bool {
        matches!(self, Self::Commit | Self::Rollback)
    }
}
