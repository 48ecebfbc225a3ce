//! `\d NAME`: the columns of a table or a view, asked from the planner, and what a model has learnt from.

use std::sync::Arc;

use arrow::{
    array::{ArrayRef, RecordBatch, StringArray},
    datatypes::SchemaRef,
};
use datafusion::common::DataFusionError;
use futures::TryStreamExt;

use super::{
    console::{Console, Problem, Stop},
    meta::{literal, name_parts},
    report::Place,
};
use crate::{Error, Fault, Result, engine::Outcome, pgtype::type_name};

/// Shows the columns of a table or a view; for a name that is none, those of the model of that name.
pub(super) async fn describe_relation(console: &mut Console, name: &str, place: &Place) -> Result<(), Stop> {
    let error = match columns_of(console, name).await {
        Ok(schema) => match listing(&schema).map_err(Problem::from).and_then(|batch| console.show(&batch)) {
            Ok(()) => return show_definition(console, name, place).await,
            Err(Problem::Stop(stop)) => return Err(stop),
            Err(Problem::Statement(error)) => error,
        },
        Err(error) => error,
    };
    if error.fault() != Fault::UndefinedTable || !names_a_model(console, name).await {
        return Err(console.fail(&error, "", place));
    }
    console.run(&format!("SELECT * FROM fusewire.model_columns WHERE {}", named("model", name)), place).await
}

async fn columns_of(console: &Console, name: &str) -> Result<SchemaRef> {
    let statements = console.session.parse(&format!("SELECT * FROM {name}"))?;
    let Some(statement) = statements.first() else {
        return Err(Error::new(Fault::Internal, "a query without a statement"));
    };
    let description = console.session.describe(statement, &[]).await?;
    description.columns.ok_or_else(|| Error::new(Fault::Internal, "a query without columns"))
}

/// A view's text follows its columns.
async fn show_definition(console: &mut Console, name: &str, place: &Place) -> Result<(), Stop> {
    let query =
        "SELECT definition AS \"view definition\" FROM information_schema.views WHERE definition IS NOT NULL AND ";
    let query = format!("{query}{}", named("table_name", name));
    if !has_rows(console, &query).await {
        return Ok(());
    }
    let expanded = std::mem::replace(&mut console.style.expanded, true);
    let shown = console.run(&query, place).await;
    console.style.expanded = expanded;
    shown
}

async fn names_a_model(console: &Console, name: &str) -> bool {
    has_rows(console, &format!("SELECT 1 FROM fusewire.models WHERE {}", named("name", name))).await
}

/// Whether a query of the catalog finds anything; a catalog that cannot be asked has nothing to show.
async fn has_rows(console: &Console, query: &str) -> bool {
    let Ok(statements) = console.session.parse(query) else { return false };
    let Some(statement) = statements.first() else { return false };
    match console.session.execute(statement, &[]).await {
        Ok(Outcome::Rows { stream, .. }) => {
            let batches: std::result::Result<Vec<RecordBatch>, DataFusionError> = stream.try_collect().await;
            batches.is_ok_and(|batches| batches.iter().any(|batch| batch.num_rows() > 0))
        }
        _ => false,
    }
}

/// A condition that the column holds the last part of the name.
fn named(column: &str, name: &str) -> String {
    let last = name_parts(name).and_then(|mut parts| parts.pop()).unwrap_or_default();
    format!("{column} = {}", literal(&last))
}

fn listing(schema: &SchemaRef) -> Result<RecordBatch> {
    let fields = schema.fields();
    let names: StringArray = fields.iter().map(|field| Some(field.name().as_str())).collect();
    let types: StringArray = fields.iter().map(|field| Some(type_name(field.data_type()))).collect();
    let nulls: StringArray =
        fields.iter().map(|field| Some(if field.is_nullable() { "" } else { "not null" })).collect();
    let columns: [(&str, ArrayRef); 3] =
        [("column", Arc::new(names)), ("type", Arc::new(types)), ("null", Arc::new(nulls))];
    Ok(RecordBatch::try_from_iter(columns).map_err(DataFusionError::from)?)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn conditions_hold_the_last_part_of_the_name() {
        assert_eq!(named("name", "public.\"O'Neil\""), "name = 'O''Neil'");
    }
}
