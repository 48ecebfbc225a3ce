//! Transactions from the client's side: where messages and Syncs end them. The answers are PostgreSQL 15's.

use super::Server;
use super::raw::{self, Message, RawClient};

const TRAINING: &str =
    "SELECT * FROM train('m', (SELECT i % 7 AS a, i * 0.5 AS y FROM generate_series(1, 60) AS t(i)), target => 'y')";

/// What messages say, in short: a tag, a row, the code of an error or a warning, a setting, where the session stands.
fn told(messages: &[Message]) -> Vec<String> {
    let short = |(kind, body): &Message| match *kind {
        b'C' => Some(raw::text(body)),
        b'D' => Some(raw::values(body).into_iter().flatten().collect::<Vec<_>>().join(" ")),
        b'E' => Some(raw::field(body, b'C')),
        b'N' => Some(format!("{} {}", raw::field(body, b'S'), raw::field(body, b'C'))),
        b'S' => Some(raw::text(body).replace('\0', "=")),
        b'Z' => Some(raw::text(body)),
        _ => None,
    };
    messages.iter().filter_map(short).collect()
}

/// What one text with statements is answered with.
async fn message(client: &mut RawClient, sql: &str) -> Vec<String> {
    client.query(sql).await;
    told(&client.until_ready().await)
}

/// What statements before one Sync are answered with.
async fn pipeline(client: &mut RawClient, statements: &[&str]) -> Vec<String> {
    for sql in statements {
        execute(client, sql).await;
    }
    client.sync().await;
    told(&client.until_ready().await)
}

async fn execute(client: &mut RawClient, sql: &str) {
    client.parse("", sql, &[]).await;
    client.bind("", "", &[]).await;
    client.execute("", 0).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_message_is_one_transaction() {
    let server = Server::start().await;
    let mut client = server.raw().await;
    for (sql, expected) in [
        ("CREATE TABLE t (a int)", &["CREATE TABLE", "I"][..]),
        (
            "INSERT INTO t VALUES (1); INSERT INTO t VALUES (2); SELECT * FROM nowhere",
            &["INSERT 0 1", "INSERT 0 1", "42P01", "I"],
        ),
        ("SELECT count(*) FROM t", &["0", "SELECT 1", "I"]),
        (
            "INSERT INTO t VALUES (1); COMMIT; INSERT INTO t VALUES (2); SELECT * FROM nowhere",
            &["INSERT 0 1", "WARNING 25P01", "COMMIT", "INSERT 0 1", "42P01", "I"],
        ),
        ("SELECT a FROM t", &["1", "SELECT 1", "I"]),
        (
            "INSERT INTO t VALUES (3); ROLLBACK; INSERT INTO t VALUES (4)",
            &["INSERT 0 1", "WARNING 25P01", "ROLLBACK", "INSERT 0 1", "I"],
        ),
        ("SELECT a FROM t ORDER BY a", &["1", "4", "SELECT 2", "I"]),
        ("INSERT INTO t VALUES (5); BEGIN; INSERT INTO t VALUES (6)", &["INSERT 0 1", "BEGIN", "INSERT 0 1", "T"]),
        ("ROLLBACK", &["ROLLBACK", "I"]),
        ("SELECT a FROM t ORDER BY a", &["1", "4", "SELECT 2", "I"]),
        (
            "BEGIN; INSERT INTO t VALUES (7); COMMIT; INSERT INTO t VALUES (8); SELECT * FROM nowhere",
            &["BEGIN", "INSERT 0 1", "COMMIT", "INSERT 0 1", "42P01", "I"],
        ),
        ("SELECT a FROM t ORDER BY a", &["1", "4", "7", "SELECT 3", "I"]),
        ("BEGIN; SELECT * FROM nowhere; COMMIT", &["BEGIN", "42P01", "E"]),
        ("COMMIT; INSERT INTO t VALUES (9)", &["ROLLBACK", "INSERT 0 1", "I"]),
        ("SELECT max(a) FROM t", &["9", "SELECT 1", "I"]),
        ("SELECT 1; SAVEPOINT a", &["1", "SELECT 1", "25P01", "I"]),
        ("SELECT 1; COMMIT AND CHAIN; SELECT 2", &["1", "SELECT 1", "25P01", "I"]),
        ("SELECT 1; DISCARD ALL", &["1", "SELECT 1", "25001", "I"]),
        ("SELECT 1; BEGIN ISOLATION LEVEL SERIALIZABLE", &["1", "SELECT 1", "25001", "I"]),
        ("BEGIN; BEGIN", &["BEGIN", "WARNING 25001", "BEGIN", "T"]),
        ("ROLLBACK; ROLLBACK", &["ROLLBACK", "WARNING 25P01", "ROLLBACK", "I"]),
    ] {
        assert_eq!(message(&mut client, sql).await, expected, "{sql}");
    }
    server.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn statements_between_syncs_are_one_transaction() {
    let server = Server::start().await;
    let mut client = server.raw().await;
    for (statements, expected) in [
        (&["CREATE TABLE t (a int)"][..], &["CREATE TABLE", "I"][..]),
        (
            &["INSERT INTO t VALUES (1)", "INSERT INTO t VALUES (2)", "SELECT * FROM nowhere", "SELECT 1"],
            &["INSERT 0 1", "INSERT 0 1", "42P01", "I"],
        ),
        (&["SELECT count(*) FROM t"], &["0", "SELECT 1", "I"]),
        (
            &["INSERT INTO t VALUES (1)", "COMMIT", "INSERT INTO t VALUES (2)", "SELECT * FROM nowhere"],
            &["INSERT 0 1", "WARNING 25P01", "COMMIT", "INSERT 0 1", "42P01", "I"],
        ),
        (
            &["INSERT INTO t VALUES (3)", "ROLLBACK", "INSERT INTO t VALUES (4)"],
            &["INSERT 0 1", "WARNING 25P01", "ROLLBACK", "INSERT 0 1", "I"],
        ),
        (&["SELECT a FROM t ORDER BY a"], &["1", "4", "SELECT 2", "I"]),
        (
            &["INSERT INTO t VALUES (5)", "BEGIN", "INSERT INTO t VALUES (6)"],
            &["INSERT 0 1", "BEGIN", "INSERT 0 1", "T"],
        ),
        (
            &["SAVEPOINT a", "INSERT INTO t VALUES (7)", "SELECT * FROM nowhere"],
            &["SAVEPOINT", "INSERT 0 1", "42P01", "E"],
        ),
        (&["ROLLBACK TO a", "COMMIT", "SELECT max(a) FROM t"], &["ROLLBACK", "COMMIT", "6", "SELECT 1", "I"]),
        (&["SELECT 1", "SAVEPOINT a"], &["1", "SELECT 1", "25P01", "I"]),
        (&["SELECT 1", "DISCARD ALL"], &["1", "SELECT 1", "25001", "I"]),
        (&["DISCARD ALL", "SELECT 1"], &["DISCARD ALL", "1", "SELECT 1", "I"]),
        (&["SET LOCAL timezone = 'Asia/Tokyo'", "SHOW timezone"], &["WARNING 25P01", "SET", "Asia/Tokyo", "SHOW", "I"]),
        (&["SET TRANSACTION READ ONLY", "INSERT INTO t VALUES (8)"], &["WARNING 25P01", "SET", "25006", "I"]),
        (
            &["BEGIN", "SELECT 1", "COMMIT AND CHAIN", "SELECT 2"],
            &["BEGIN", "1", "SELECT 1", "COMMIT", "2", "SELECT 1", "T"],
        ),
    ] {
        assert_eq!(pipeline(&mut client, statements).await, expected, "{statements:?}");
    }
    server.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn settings_that_are_put_back_are_told() {
    let server = Server::start().await;
    let mut client = RawClient::socket(server.port).await;
    let asked = [("user", "ada"), ("application_name", "probe"), ("options", "-c timezone=Asia/Tokyo")];
    client.startup(0x0003_0000, &asked).await;
    let greeting = told(&client.until_ready().await);
    for setting in ["application_name=probe", "TimeZone=Asia/Tokyo", "session_authorization=ada"] {
        assert!(greeting.iter().any(|told| told == setting), "{setting}: {greeting:?}");
    }
    for (sql, expected) in [
        ("SET timezone = 'UTC'", &["SET", "TimeZone=UTC", "I"][..]),
        ("SET timezone = 'UTC'", &["SET", "I"]),
        ("BEGIN", &["BEGIN", "T"]),
        ("SET timezone = 'Europe/Paris'", &["SET", "TimeZone=Europe/Paris", "T"]),
        ("SAVEPOINT a", &["SAVEPOINT", "T"]),
        ("SET LOCAL application_name = 'local'", &["SET", "application_name=local", "T"]),
        ("SET timezone = 'Europe/Berlin'", &["SET", "TimeZone=Europe/Berlin", "T"]),
        ("ROLLBACK TO a", &["ROLLBACK", "TimeZone=Europe/Paris", "application_name=probe", "T"]),
        ("SET LOCAL application_name = 'local'", &["SET", "application_name=local", "T"]),
        ("COMMIT", &["COMMIT", "application_name=probe", "I"]),
        ("SELECT 1; SET LOCAL timezone = 'UTC'; SELECT 2", &["1", "SELECT 1", "SET", "2", "SELECT 1", "I"]),
        ("SET timezone = 'UTC'; SELECT * FROM nowhere", &["SET", "42P01", "I"]),
        ("RESET ALL", &["RESET", "TimeZone=Asia/Tokyo", "I"]),
        ("SET application_name = 'other'", &["SET", "application_name=other", "I"]),
        ("DISCARD ALL", &["DISCARD ALL", "application_name=probe", "I"]),
        ("SHOW TimeZone", &["Asia/Tokyo", "SHOW", "I"]),
    ] {
        assert_eq!(message(&mut client, sql).await, expected, "{sql}");
    }
    server.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_lost_race_is_told_where_the_transaction_ends() {
    let server = Server::start().await;
    let (mut first, mut second) = (server.raw().await, server.raw().await);
    message(&mut first, "CREATE TABLE t (a int)").await;
    for end in ["Sync", "Query"] {
        execute(&mut first, "DROP TABLE t").await;
        first.send(b'H', b"").await;
        while first.message().await.0 != b'C' {}
        let replaced = message(&mut second, "CREATE OR REPLACE TABLE t AS SELECT 1 AS a").await;
        assert_eq!(replaced, ["SELECT 1", "I"]);
        if end == "Sync" {
            first.sync().await;
            assert_eq!(told(&first.until_ready().await), ["40001", "I"]);
        } else {
            // The error stands in the place of the last tag.
            assert_eq!(message(&mut first, "SELECT 2").await, ["2", "40001", "I"]);
        }
        assert_eq!(message(&mut first, "SELECT a FROM t").await, ["1", "SELECT 1", "I"]);
    }
    server.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_model_is_published_with_its_message() {
    let server = Server::start().await;
    let (mut client, mut other) = (server.raw().await, server.raw().await);
    let models = "SELECT count(*) FROM fusewire.models";
    let failed = message(&mut client, &format!("{TRAINING}; {models}; SELECT * FROM nowhere")).await;
    assert_eq!(failed[failed.len() - 4..], ["1", "SELECT 1", "42P01", "I"]);
    assert_eq!(message(&mut client, models).await, ["0", "SELECT 1", "I"]);
    execute(&mut client, TRAINING).await;
    client.send(b'H', b"").await;
    while client.message().await.0 != b'C' {}
    assert_eq!(message(&mut other, models).await, ["0", "SELECT 1", "I"]);
    client.sync().await;
    client.until_ready().await;
    assert_eq!(message(&mut other, models).await, ["1", "SELECT 1", "I"]);
    server.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_transaction_that_is_left_alone_ends_with_its_connection() {
    let server = Server::start().await;
    for statements in ["BEGIN; CREATE TABLE gone (a int)", "BEGIN; SELECT * FROM nowhere"] {
        let mut client = server.raw().await;
        message(&mut client, "SET idle_in_transaction_session_timeout = '50ms'").await;
        client.query(statements).await;
        let messages = client.until_end().await;
        let (_, body) = messages.last().unwrap();
        assert_eq!((raw::field(body, b'S'), raw::field(body, b'C')), ("FATAL".to_owned(), "25P03".to_owned()));
        assert_eq!(raw::field(body, b'M'), "terminating connection due to idle-in-transaction timeout");
        let mut other = server.raw().await;
        assert_eq!(message(&mut other, "SELECT * FROM gone").await, ["42P01", "I"]);
    }
    server.stop().await;
}
