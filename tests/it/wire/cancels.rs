//! What computes for long within one call of a function ends when it is to end, and stands in nobody's way meanwhile.

use fusewire::Config;
use futures::StreamExt;
use tokio::time::timeout;
use tokio_postgres::{Client, NoTls};

use super::{PATIENCE, Server};

/// Statements that would run for hours before they have a row. The one of constants is computed while it is planned.
const LONG: &[&str] = &[
    "SELECT regexp_count(repeat('a', n), 'a*?b|a') FROM (VALUES (1000000)) AS t(n)",
    "SELECT length(regexp_replace(repeat('a', n), 'a*?b|a', 'c', 'g')) FROM (VALUES (1000000)) AS t(n)",
    "SELECT cardinality(regexp_split_to_array(repeat('a', n), 'a*?b|a')) FROM (VALUES (1000000)) AS t(n)",
    "SELECT levenshtein(repeat('a', n), repeat('b', n)) FROM (VALUES (3000000)) AS t(n)",
    "SELECT levenshtein(repeat('a', 3000000), repeat('b', 3000000))",
    "SELECT max(power(i + 0.5, 0.123456789)) FROM generate_series(1, 1000000000) AS s(i)",
    "SELECT max(exp(ln(i + 0.5) / 3)) FROM generate_series(1, 1000000000) AS s(i)",
];

async fn one(client: &Client) -> i32 {
    let row = timeout(PATIENCE, client.query_one("SELECT CAST(1 AS INT)", &[])).await;
    row.expect("others are answered").unwrap().get(0)
}

// Symptom: a cancelled call of a function kept its thread for hours, and as many of them as there are threads stopped the whole
// server. Cause: it asked nobody while it computed a value. Fix: every few steps it asks.
#[tokio::test(flavor = "multi_thread")]
async fn a_function_that_never_pauses_is_cancelled_and_stands_in_nobodys_way() {
    let server = Server::with(Config { threads: 1, ..Config::default() }).await;
    let other = server.client().await;
    for sql in LONG {
        let busy = server.client().await;
        let token = busy.cancel_token();
        let mut messages = Box::pin(busy.simple_query_raw(&format!("SELECT 1; {sql}")).await.unwrap());
        // The first answer shows that the second statement runs.
        assert!(messages.next().await.unwrap().is_ok());
        for _ in 0..3 {
            assert_eq!(one(&other).await, 1, "{sql}");
        }
        token.cancel_query(NoTls).await.unwrap();
        let error = async {
            loop {
                if let Err(error) = messages.next().await.unwrap() {
                    return error;
                }
            }
        };
        let error = timeout(PATIENCE, error).await.unwrap();
        let error = error.as_db_error().unwrap();
        let told = (error.code().code(), error.message());
        assert_eq!(told, ("57014", "canceling statement due to user request"), "{sql}");
        drop(messages);
        busy.batch_execute("SET statement_timeout = '100ms'").await.unwrap();
        let late = timeout(PATIENCE, busy.query(*sql, &[])).await.unwrap().unwrap_err();
        let late = late.as_db_error().unwrap();
        let told = (late.code().code(), late.message());
        assert_eq!(told, ("57014", "canceling statement due to statement timeout"), "{sql}");
        assert_eq!(one(&other).await, 1, "{sql}");
    }
    server.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn long_arrays_are_looked_through_at_once() {
    let server = Server::with(Config { threads: 1, ..Config::default() }).await;
    let client = server.client().await;
    let sql = "SELECT a && b, a @> b, a <@ b, a && a, a @> a
               FROM (SELECT array_agg(x) AS a, array_agg(-x) AS b FROM generate_series(1, 60000) AS s(x)) AS t";
    let row = timeout(PATIENCE, client.query_one(sql, &[])).await.unwrap().unwrap();
    let told: Vec<bool> = (0..5).map(|at| row.get(at)).collect();
    assert_eq!(told, [false, false, false, true, true]);
    server.stop().await;
}
