//! What Parse tells: the types of parameters, and what is wrong in a statement whatever its values are.

use std::error::Error;

use bytes::BytesMut;
use tokio_postgres::{
    Client,
    types::{FromSql, IsNull, ToSql, Type, to_sql_checked},
};

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

// As PostgreSQL 15 tells and takes them. Symptom: texts and bigints were told for types that Arrow does not tell apart.
#[tokio::test(flavor = "multi_thread")]
async fn types_that_arrow_does_not_tell_apart_are_told_and_taken() {
    let server = Server::start().await;
    let client = server.client().await;
    client
        .batch_execute(
            "CREATE TABLE things (u uuid, j json, b jsonb, o oid, v varchar(3), f char(5), n name);
             INSERT INTO things VALUES ('A0EEBC99-9C0B-4EF8-BB6D-6BB9BD380A11', ' 1', '{\"b\":1}', 5, 'abc', 'abc', 'n')",
        )
        .await
        .unwrap();
    let statement =
        client.prepare("SELECT *, current_user, $1::uuid, pg_sleep(0) FROM things WHERE u = $1").await.unwrap();
    let types: Vec<Type> = statement.columns().iter().map(|column| column.type_().clone()).collect();
    let own = [Type::UUID, Type::JSON, Type::JSONB, Type::OID, Type::VARCHAR, Type::BPCHAR, Type::NAME];
    assert_eq!(types, own.iter().cloned().chain([Type::NAME, Type::UUID, Type::VOID]).collect::<Vec<_>>());
    assert_eq!(statement.params(), [Type::UUID]);
    for (sql, expected) in [
        ("INSERT INTO things VALUES ($1, $2, $3, $4, $5, $6, $7)", own.to_vec()),
        (
            "SELECT 1 FROM things WHERE b = $1 AND f IN ($2, 'x') AND n = $3",
            vec![Type::JSONB, Type::BPCHAR, Type::NAME],
        ),
        ("SELECT 1 FROM things WHERE v = $1", vec![Type::TEXT]),
        ("SELECT $1::varchar(3)", vec![Type::VARCHAR]),
    ] {
        assert_eq!(told(&client, sql, &[]).await.unwrap(), expected, "{sql}");
    }
    let bytes: [u8; 16] = 0xa0ee_bc99_9c0b_4ef8_bb6d_6bb9_bd38_0a11_u128.to_be_bytes();
    let rows = client.query("SELECT u, b, o, f FROM things WHERE u = $1", &[&Uuid(bytes)]).await.unwrap();
    assert_eq!(rows.len(), 1);
    assert_eq!(rows[0].get::<_, Uuid>(0), Uuid(bytes));
    assert_eq!(rows[0].get::<_, Jsonb>(1), Jsonb(b"\x01{\"b\": 1}".to_vec()));
    assert_eq!(rows[0].get::<_, u32>(2), 5);
    assert_eq!(rows[0].get::<_, &str>(3), "abc  ");
    server.stop().await;
}

/// The bytes of a uuid as they are sent.
#[derive(Debug, PartialEq)]
struct Uuid([u8; 16]);

impl ToSql for Uuid {
    fn to_sql(&self, _kind: &Type, out: &mut BytesMut) -> Result<IsNull, Box<dyn Error + Sync + Send>> {
        out.extend_from_slice(&self.0);
        Ok(IsNull::No)
    }

    fn accepts(kind: &Type) -> bool {
        *kind == Type::UUID
    }

    to_sql_checked!();
}

impl FromSql<'_> for Uuid {
    fn from_sql(_kind: &Type, raw: &[u8]) -> Result<Self, Box<dyn Error + Sync + Send>> {
        Ok(Self(raw.try_into()?))
    }

    fn accepts(kind: &Type) -> bool {
        *kind == Type::UUID
    }
}

/// The bytes of a value of `jsonb`.
#[derive(Debug, PartialEq)]
struct Jsonb(Vec<u8>);

impl FromSql<'_> for Jsonb {
    fn from_sql(_kind: &Type, raw: &[u8]) -> Result<Self, Box<dyn Error + Sync + Send>> {
        Ok(Self(raw.to_vec()))
    }

    fn accepts(kind: &Type) -> bool {
        *kind == Type::JSONB
    }
}
