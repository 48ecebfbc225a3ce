//! What Parse tells: the types of parameters, and what is wrong in a statement whatever its values are.

use tokio_postgres::{Client, types::Type};

use super::Server;

async fn client(server: &Server) -> Client {
    let client = server.client().await;
    client
        .batch_execute(
            "CREATE TABLE t (id int, b bigint, s text, d date, ts timestamp, f float8, n numeric(10, 2), flag boolean)",
        )
        .await
        .unwrap();
    client
}

async fn told(client: &Client, sql: &str, declared: &[Type]) -> Result<Vec<Type>, String> {
    match client.prepare_typed(sql, declared).await {
        Ok(statement) => Ok(statement.params().to_vec()),
        Err(error) => Err(error.as_db_error().unwrap().code().code().to_owned()),
    }
}

// As PostgreSQL 15 tells them; a whole number that is written is a bigint here.
#[tokio::test(flavor = "multi_thread")]
async fn parameters_have_the_types_that_postgresql_finds() {
    let server = Server::start().await;
    let client = client(&server).await;
    for (sql, declared, expected) in [
        ("SELECT ts + $1 FROM t", vec![], vec![Type::INTERVAL]),
        ("SELECT ts - $1 FROM t", vec![], vec![Type::TIMESTAMP]),
        ("SELECT ts - $1 FROM t", vec![Type::INTERVAL], vec![Type::INTERVAL]),
        ("SELECT d - $1 FROM t", vec![], vec![Type::DATE]),
        ("SELECT d + $1 FROM t", vec![Type::INT4], vec![Type::INT4]),
        ("SELECT now() + $1", vec![], vec![Type::INTERVAL]),
        ("SELECT s = ANY($1) FROM t", vec![], vec![Type::TEXT_ARRAY]),
        ("SELECT id = ANY($1) FROM t", vec![], vec![Type::INT4_ARRAY]),
        ("SELECT $1 || $2", vec![], vec![Type::TEXT, Type::TEXT]),
        ("SELECT $1 || $2", vec![Type::INT4], vec![Type::INT4, Type::TEXT]),
        ("SELECT id = $1 OR id = $1 + 1 FROM t", vec![], vec![Type::INT4]),
        ("SELECT b = $1 OR id = $1 FROM t", vec![], vec![Type::INT8]),
        ("SELECT $1 + $2", vec![Type::INT4], vec![Type::INT4, Type::INT4]),
        ("SELECT $1 + b FROM t", vec![], vec![Type::INT8]),
        ("SELECT CASE WHEN $1 THEN $2 ELSE s END FROM t", vec![], vec![Type::BOOL, Type::TEXT]),
        ("SELECT coalesce($1, d) FROM t", vec![], vec![Type::DATE]),
        ("SELECT nullif(id, $1) FROM t", vec![], vec![Type::INT4]),
        ("SELECT id FROM t LIMIT $1 OFFSET $2", vec![], vec![Type::INT8, Type::INT8]),
        ("SELECT id FROM t WHERE id IN ($1, $2)", vec![], vec![Type::INT4, Type::INT4]),
        ("SELECT id FROM t WHERE d BETWEEN $1 AND $2", vec![], vec![Type::DATE, Type::DATE]),
        ("SELECT id FROM t WHERE s LIKE $1", vec![], vec![Type::TEXT]),
        ("SELECT id FROM t WHERE $1", vec![], vec![Type::BOOL]),
        ("SELECT id FROM t WHERE NOT $1", vec![], vec![Type::BOOL]),
        ("SELECT id FROM t WHERE id = $1 AND $1 IS NULL", vec![], vec![Type::INT4]),
        ("SELECT id FROM t WHERE (id, s) = ($1, $2)", vec![], vec![Type::INT4, Type::TEXT]),
        ("SELECT substr(s, $1), left(s, $2) FROM t", vec![], vec![Type::INT4, Type::INT4]),
        ("SELECT round($1, $2), sqrt($3)", vec![], vec![Type::NUMERIC, Type::INT4, Type::FLOAT8]),
        ("SELECT d FROM t UNION SELECT $1", vec![], vec![Type::DATE]),
        ("SELECT ARRAY[$1, s] FROM t", vec![], vec![Type::TEXT]),
        ("WITH w AS (SELECT $1::int AS x) SELECT x + $1 FROM w", vec![], vec![Type::INT4]),
        ("SELECT $1::numeric, $1 + 1", vec![], vec![Type::NUMERIC]),
        ("INSERT INTO t (id, s, d) VALUES ($1, $2, $3)", vec![], vec![Type::INT4, Type::TEXT, Type::DATE]),
        ("INSERT INTO t (d) SELECT $1", vec![], vec![Type::DATE]),
        ("INSERT INTO t (id) VALUES ($1)", vec![Type::INT8], vec![Type::INT8]),
        ("INSERT INTO t (s) VALUES ($1)", vec![Type::INT4], vec![Type::INT4]),
    ] {
        assert_eq!(told(&client, sql, &declared).await, Ok(expected), "{sql}");
    }
    server.stop().await;
}

// Symptom: such statements were prepared, and some of them ran.
#[tokio::test(flavor = "multi_thread")]
async fn what_does_not_fit_is_told_at_parse() {
    let server = Server::start().await;
    let client = client(&server).await;
    for (sql, declared, code) in [
        ("SELECT $1 IS NULL", vec![], "42P18"),
        ("SELECT $2::int", vec![], "42P18"),
        ("SELECT concat($1, $2)", vec![], "42P18"),
        ("SELECT d + $1 FROM t", vec![], "42725"),
        ("SELECT $1 + $2", vec![], "42725"),
        ("SELECT -$1", vec![], "42725"),
        ("INSERT INTO t (id, s) VALUES ($1, $1)", vec![], "42P08"),
        ("INSERT INTO t (id) VALUES ($1)", vec![Type::TEXT], "42804"),
        ("INSERT INTO t (id) SELECT s FROM t", vec![], "42804"),
        ("INSERT INTO t (flag) VALUES (1)", vec![], "42804"),
        ("INSERT INTO t (id) VALUES (1, 2)", vec![], "42601"),
        ("INSERT INTO t (id, s) VALUES (1)", vec![], "42601"),
        ("INSERT INTO t (id) VALUES ('x')", vec![], "22P02"),
        ("INSERT INTO t (d) VALUES ('2024-13-01')", vec![], "22008"),
        ("SELECT 1 = 'abc'", vec![], "22P02"),
        ("SELECT 'abc'::int", vec![], "22P02"),
        ("SELECT id FROM t WHERE id = 'x'", vec![], "22P02"),
        ("SELECT id FROM t WHERE d = '2024-13-01'", vec![], "22008"),
        ("SELECT 'abc'::date", vec![], "22007"),
        ("SELECT 'abc'::interval", vec![], "22007"),
        ("SELECT coalesce(id, 'x') FROM t", vec![], "22P02"),
        ("SELECT 1 UNION SELECT 'x'", vec![], "22P02"),
        ("SELECT CASE WHEN true THEN 1 ELSE 'abc'::int END", vec![], "22P02"),
        ("EXPLAIN SELECT 'abc'::int", vec![], "22P02"),
        ("CREATE TABLE made AS SELECT 'abc'::int AS x", vec![], "22P02"),
        ("DECLARE c CURSOR FOR SELECT 'abc'::int", vec![], "22P02"),
    ] {
        assert_eq!(told(&client, sql, &declared).await, Err(code.to_owned()), "{sql}");
    }
    // What is said to be a text is read when it is cast.
    assert_eq!(told(&client, "SELECT 'x'::text::int", &[]).await, Ok(Vec::new()));
    assert_eq!(told(&client, "SELECT s::int FROM t", &[]).await, Ok(Vec::new()));
    // A statement is analysed before its name is looked at.
    client.batch_execute("PREPARE taken AS SELECT 1").await.unwrap();
    let failed = client.batch_execute("PREPARE taken AS SELECT 'abc'::int").await.unwrap_err();
    assert_eq!(failed.as_db_error().unwrap().code().code(), "22P02");
    server.stop().await;
}
