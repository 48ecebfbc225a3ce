//! Lookups by key, whose texts differ in the key alone or whose key is a parameter.

use std::fs;

use fusewire::Config;
use tokio_postgres::Client;

use super::{Server, text_rows};
use crate::support::files_below;

/// The rows of a text, or the message of its error.
async fn rows(client: &Client, sql: &str) -> Result<Vec<Vec<Option<String>>>, String> {
    match client.simple_query(sql).await {
        Ok(messages) => {
            let owned = |row: Vec<Option<&str>>| row.into_iter().map(|value| value.map(str::to_owned)).collect();
            Ok(text_rows(&messages).into_iter().map(owned).collect())
        }
        Err(error) => Err(error.as_db_error().unwrap().message().to_owned()),
    }
}

async fn name(client: &Client, id: i32) -> String {
    let found = rows(client, &format!("SELECT name FROM items WHERE id = {id};")).await.unwrap();
    assert_eq!(found.len(), 1, "{id}");
    found[0][0].clone().unwrap()
}

/// What is in memory needs no file, for a text either that nobody has sent before.
#[tokio::test(flavor = "multi_thread")]
async fn keys_of_texts_and_parameters_are_found_in_memory() {
    let home = tempfile::tempdir().unwrap();
    let server = Server::with(Config { data_dir: Some(home.path().to_owned()), ..Config::default() }).await;
    let client = server.client().await;
    let rows_of = "SELECT value::int AS id, 'item ' || value * 7 AS name FROM generate_series(1, 30000) AS s(value)";
    client.batch_execute(&format!("CREATE TABLE items AS {rows_of}")).await.unwrap();
    let by_id = client.prepare("SELECT name FROM items WHERE id = $1").await.unwrap();
    for id in (3..30_000).step_by(1_000) {
        assert_eq!(name(&client, id).await, format!("item {}", id * 7));
    }
    for file in files_below(home.path()).iter().filter(|file| file.ends_with(".parquet")) {
        fs::remove_file(home.path().join(file)).unwrap();
    }
    for id in [1, 777, 29_999] {
        assert_eq!(name(&client, id).await, format!("item {}", id * 7));
        let found: String = client.query_one(&by_id, &[&id]).await.unwrap().get(0);
        assert_eq!(found, format!("item {}", id * 7));
    }
    assert_eq!(rows(&client, "SELECT name FROM items WHERE id = 30001").await, Ok(vec![]));
    // A text that says something else reads the files.
    for other in ["id = 7 + 0", "id = 7.0", "id + 1 = 8"] {
        let message = rows(&client, &format!("SELECT upper(name) FROM items WHERE {other}")).await.unwrap_err();
        assert!(message.contains("it is missing"), "{other}: {message}");
    }
    client.batch_execute("DROP TABLE items").await.unwrap();
    let message = rows(&client, "SELECT name FROM items WHERE id = 9").await.unwrap_err();
    assert!(message.contains("relation \"items\" does not exist"), "{message}");
    client.batch_execute(&format!("CREATE TABLE items AS {rows_of}")).await.unwrap();
    assert_eq!(name(&client, 9).await, "item 63");
    drop(client);
    server.stop().await;
}
