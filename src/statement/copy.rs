//! `COPY … TO 'file'`: the rows of a table or query as files.

use std::sync::Arc;

use arrow::{array::AsArray, datatypes::UInt64Type};
use async_trait::async_trait;
use datafusion::{
    common::ScalarValue,
    sql::parser::{CopyToSource, Statement as SqlStatement},
};

use super::{
    Action, Form, Recognised, no_parse,
    query::{collect, plan, refuse_train},
};
use crate::{
    Error, Fault, Result,
    session::{Client, Outcome, Sealed},
};

pub(super) const FORM: Form = Form { parse: no_parse, convert };

#[derive(Debug)]
struct Copy {
    target: String,
    statement: Sealed<SqlStatement>,
}

fn convert(statement: &SqlStatement) -> Recognised {
    let SqlStatement::CopyTo(copy) = statement else { return Ok(None) };
    if let CopyToSource::Query(query) = &copy.source {
        refuse_train(query)?;
    }
    if copy.target.contains("://") {
        return Err(Error::new(
            Fault::FeatureNotSupported,
            format!("COPY writes local files only, and '{}' is a URL; choose a path", copy.target),
        ));
    }
    Ok(Some(Arc::new(Copy { target: copy.target.clone(), statement: Sealed::new(statement.clone()) })))
}

#[async_trait]
impl Action for Copy {
    async fn execute(&self, client: &Arc<Client>, parameters: &[ScalarValue]) -> Result<Outcome> {
        client.access().check(&self.target)?;
        let plan = plan(client, SqlStatement::clone(&self.statement), Some(parameters)).await?;
        let rows = collect(client, plan).await?;
        let count = rows.iter().flat_map(|batch| batch.columns().first()).flat_map(|column| {
            column.as_primitive_opt::<UInt64Type>().map(|counts| counts.values().iter().sum::<u64>())
        });
        Ok(Outcome::done(format!("COPY {}", count.sum::<u64>())))
    }
}
