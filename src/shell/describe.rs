//! `\d NAME`: the columns of a table or a view, as DESCRIBE tells them, and what a model has learnt from.

use std::sync::Arc;

use arrow::{
    array::{ArrayRef, AsArray, RecordBatch, StringArray},
    compute::concat_batches,
};
use datafusion::common::DataFusionError;
use futures::TryStreamExt;

use super::{
    console::{Console, Problem, Stop},
    meta::{literal, name_parts},
    report::Place,
};
use crate::{Error, Fault, Result, engine::Outcome, session::DEFAULT_SCHEMA};

/// Shows the columns of a table or a view; for a name that is none, those of the model of that name.
pub(super) async fn describe_relation(console: &mut Console, name: &str, place: &Place) -> Result<(), Stop> {
    let error = match columns_of(console, name).await {
        Ok(columns) => match listing(&columns).map_err(Problem::from).and_then(|batch| console.show(&batch)) {
            Ok(()) => return show_definition(console, name, place).await,
            Err(Problem::Stop(stop)) => return Err(stop),
            Err(Problem::Statement(error)) => error,
        },
        Err(error) => error,
    };
    if error.fault() != Fault::UndefinedTable || !names_a_model(console, name).await {
        return Err(console.fail(&error, "", place));
    }
    let query = format!("SELECT * FROM fusewire.model_columns WHERE {}", named(["schema", "model"], name));
    console.run(&query, place).await
}

async fn columns_of(console: &Console, name: &str) -> Result<Vec<RecordBatch>> {
    let statements = console.session.parse(&format!("DESCRIBE {}", quoted(name))).await?;
    let Some(statement) = statements.first() else {
        return Err(Error::new(Fault::Internal, "DESCRIBE is no statement"));
    };
    match console.session.execute(statement, &[]).await? {
        Outcome::Rows { stream, .. } => Ok(stream.try_collect().await?),
        _ => Err(Error::new(Fault::Internal, "DESCRIBE has no rows")),
    }
}

/// The name with all its parts in quotes, so that none of them is a keyword.
fn quoted(name: &str) -> String {
    let parts = name_parts(name).unwrap_or_default().into_iter();
    let parts = parts.map(|part| format!("\"{}\"", part.replace('"', "\"\"")));
    parts.collect::<Vec<_>>().join(".")
}

/// A view's text follows its columns.
async fn show_definition(console: &mut Console, name: &str, place: &Place) -> Result<(), Stop> {
    let query = format!(
        "SELECT view_definition AS \"view definition\" FROM information_schema.views \
         WHERE view_definition IS NOT NULL AND {}",
        named(["table_schema", "table_name"], name)
    );
    if !has_rows(console, &query).await {
        return Ok(());
    }
    let expanded = std::mem::replace(&mut console.style.expanded, true);
    let shown = console.run(&query, place).await;
    console.style.expanded = expanded;
    shown
}

async fn names_a_model(console: &Console, name: &str) -> bool {
    has_rows(console, &format!("SELECT 1 FROM fusewire.models WHERE {}", named(["schema", "name"], name))).await
}

/// Whether a query of the catalog finds anything; a catalog that cannot be asked has nothing to show.
async fn has_rows(console: &Console, query: &str) -> bool {
    let Ok(statements) = console.session.parse(query).await else { return false };
    let Some(statement) = statements.first() else { return false };
    match console.session.execute(statement, &[]).await {
        Ok(Outcome::Rows { stream, .. }) => {
            let batches: std::result::Result<Vec<RecordBatch>, DataFusionError> = stream.try_collect().await;
            batches.is_ok_and(|batches| batches.iter().any(|batch| batch.num_rows() > 0))
        }
        _ => false,
    }
}

/// A condition that the columns of a schema and of what is in it hold the last parts of the name.
fn named([schema_column, column]: [&str; 2], name: &str) -> String {
    let mut parts = name_parts(name).unwrap_or_default();
    let last = parts.pop().unwrap_or_default();
    let schema = parts.pop().unwrap_or_else(|| DEFAULT_SCHEMA.to_owned());
    format!("{schema_column} = {} AND {column} = {}", literal(&schema), literal(&last))
}

/// The rows of DESCRIBE as people read them.
fn listing(told: &[RecordBatch]) -> Result<RecordBatch> {
    let Some(first) = told.first() else { return Err(Error::new(Fault::Internal, "DESCRIBE has no batch")) };
    let told = concat_batches(first.schema_ref(), told).map_err(DataFusionError::from)?;
    let nulls = told.column(2).as_string::<i32>().iter();
    let nulls: StringArray = nulls.map(|null| Some(if null == Some("NO") { "not null" } else { "" })).collect();
    let columns: [(&str, ArrayRef); 3] =
        [("column", Arc::clone(told.column(0))), ("type", Arc::clone(told.column(1))), ("null", Arc::new(nulls))];
    Ok(RecordBatch::try_from_iter(columns).map_err(DataFusionError::from)?)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn conditions_hold_the_parts_of_the_name() {
        assert_eq!(named(["schema", "name"], "sales.\"O'Neil\""), "schema = 'sales' AND name = 'O''Neil'");
        assert_eq!(named(["schema", "name"], "Orders"), "schema = 'public' AND name = 'orders'");
    }

    #[test]
    fn names_are_quoted_as_they_are_kept() {
        assert_eq!(quoted("Sales.\"a \"\"b\""), "\"sales\".\"a \"\"b\"");
        assert_eq!(quoted("extended"), "\"extended\"");
    }
}
