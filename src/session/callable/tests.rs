//! The list of all that can be called, and its examples.

use arrow::{
    array::{AsArray, RecordBatch},
    compute::cast,
    datatypes::DataType,
};
use futures::TryStreamExt;

use super::*;
use crate::{
    Result,
    config::Config,
    engine::{Engine, Origin, Outcome, Session, SessionOptions},
};

async fn rows(session: &Session, sql: &str) -> Result<Vec<Vec<String>>> {
    let statements = session.parse(sql).await?;
    let outcome = session.execute(&statements[0], &[]).await?;
    let Outcome::Rows { stream, .. } = outcome else { panic!("{sql} has no rows") };
    let batches: Vec<RecordBatch> = stream.try_collect().await?;
    let mut rows = Vec::new();
    for batch in &batches {
        let texts: Vec<_> = batch.columns().iter().filter_map(|column| cast(column, &DataType::Utf8).ok()).collect();
        let value = |row: usize| texts.iter().map(move |text| text.as_string::<i32>().value(row).to_owned());
        rows.extend((0..batch.num_rows()).map(|row| value(row).collect()));
    }
    Ok(rows)
}

#[tokio::test]
async fn every_function_says_what_it_is_and_its_example_runs() {
    let engine = Engine::open(Config::default()).await.unwrap();
    let options = SessionOptions { user: "ada".to_owned(), origin: Origin::Local, address: None };
    let (session, _notices) = engine.session(options).unwrap();
    let listed = rows(&session, "SELECT name, description, returns, example FROM fusewire.functions").await.unwrap();
    let mut wrong = Vec::new();
    let mut examples = BTreeSet::new();
    for row in &listed {
        let [name, description, returns, example] = row.as_slice() else { panic!("{row:?}") };
        if description.len() < 2 || returns.is_empty() || !example.contains(name.as_str()) {
            wrong.push(format!("{name}: {description:?} {returns:?} {example:?}"));
        }
        // Those that learn and read files want a model or files.
        if !is_of_rows(name)
            && examples.insert(example.clone())
            && let Err(error) = rows(&session, example).await
        {
            wrong.push(format!("{example}: {error}"));
        }
    }
    for builtin in [SCALARS, PLANNED, IN_FROM, AGGREGATES, WINDOWS].into_iter().flatten() {
        if !examples.contains(&format!("SELECT {}", builtin.example)) {
            wrong.push(format!("{} is no function of the query engine's any more", builtin.name));
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
    let helpers: Vec<&str> =
        INTERNAL.iter().copied().filter(|helper| listed.iter().any(|row| row[0] == *helper)).collect();
    assert!(helpers.is_empty(), "{helpers:?}");
}

#[test]
fn what_a_function_is_for_is_one_sentence() {
    assert_eq!(in_a_line("Returns the `first`\nargument. And more.\n\nEven more."), "Returns the first argument.");
    assert_eq!(in_a_line("Computes"), "Computes.");
}
