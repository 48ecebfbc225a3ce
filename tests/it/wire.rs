//! The Postgres protocol from the client's side: a driver, and raw packets where no driver would go.

mod cancels;
mod commits;
mod copies;
mod hostile;
mod lookups;
mod parameters;
mod portals;
mod raw;
mod sessions;
mod transactions;

use std::time::{Duration, SystemTime};

use fusewire::server::{check_address, run};
use fusewire::{Config, Engine};
use tokio::net::TcpListener;
use tokio::sync::oneshot;
use tokio::task::JoinHandle;
use tokio_postgres::types::{FromSql, Type};
use tokio_postgres::{Client, NoTls, SimpleQueryMessage};

use self::raw::RawClient;

/// Anything that should happen at once has failed after this.
const PATIENCE: Duration = Duration::from_secs(20);

/// A statement that would run for hours.
const ENDLESS: &str = "SELECT count(*) FROM generate_series(1, 1000000000000) AS series(value) WHERE value % 7 = 8";

struct Server {
    port: u16,
    stop: Option<oneshot::Sender<()>>,
    running: JoinHandle<fusewire::Result<()>>,
}

impl Server {
    async fn start() -> Self {
        Self::with(Config::default()).await
    }

    async fn with(config: Config) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let port = listener.local_addr().unwrap().port();
        let engine = Engine::open(config).await.unwrap();
        let (stop, stopped) = oneshot::channel();
        let running = tokio::spawn(run(listener, engine, async { drop(stopped.await) }));
        Self { port, stop: Some(stop), running }
    }

    async fn client(&self) -> Client {
        let target = format!("host=127.0.0.1 port={} user=ada dbname=fusewire", self.port);
        let (client, connection) = tokio_postgres::connect(&target, NoTls).await.unwrap();
        tokio::spawn(connection);
        client
    }

    async fn raw(&self) -> RawClient {
        RawClient::connect(self.port).await
    }

    async fn stop(mut self) {
        self.stop.take().unwrap().send(()).unwrap();
        tokio::time::timeout(PATIENCE, &mut self.running).await.unwrap().unwrap().unwrap();
    }
}

/// A value's bytes as they came.
struct Bytes(Vec<u8>);

impl<'a> FromSql<'a> for Bytes {
    fn from_sql(_: &Type, raw: &'a [u8]) -> Result<Self, Box<dyn std::error::Error + Sync + Send>> {
        Ok(Self(raw.to_vec()))
    }

    fn accepts(_: &Type) -> bool {
        true
    }
}

fn text_rows(messages: &[SimpleQueryMessage]) -> Vec<Vec<Option<&str>>> {
    let rows = messages.iter().filter_map(|message| match message {
        SimpleQueryMessage::Row(row) => Some((0..row.len()).map(|column| row.get(column)).collect()),
        _ => None,
    });
    rows.collect()
}

#[test]
fn only_loopback_is_served() {
    for address in ["127.0.0.1:5432", "127.8.0.1:1", "[::1]:5432", "[::ffff:127.0.0.1]:5432"] {
        check_address(&address.parse().unwrap()).unwrap();
    }
    for address in ["0.0.0.0:5432", "192.168.1.2:5432", "[::]:5432"] {
        let report = check_address(&address.parse().unwrap()).unwrap_err().report();
        assert!(report.message.contains("no roles and passwords yet"), "{}", report.message);
        assert_eq!(report.code, "42501");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn simple_queries_answer_in_text() {
    let server = Server::start().await;
    let client = server.client().await;
    let sql = "SELECT true, CAST(1 AS SMALLINT), -2, CAST(0.1 AS DOUBLE), 'it''s', NULL, DATE '2020-02-29', \
               CAST('12.50' AS DECIMAL(10, 2)); SELECT 2";
    let messages = client.simple_query(sql).await.unwrap();
    let expected: [&[Option<&str>]; 2] = [
        &[Some("t"), Some("1"), Some("-2"), Some("0.1"), Some("it's"), None, Some("2020-02-29"), Some("12.50")],
        &[Some("2")],
    ];
    assert_eq!(text_rows(&messages), expected);
    assert!(
        client.simple_query("").await.unwrap().iter().all(|message| !matches!(message, SimpleQueryMessage::Row(_)))
    );
    server.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn an_error_stops_the_rest_of_a_simple_query() {
    let server = Server::start().await;
    let mut raw = server.raw().await;
    raw.query("SELECT 1; SELECT * FROM nowhere; SELECT 3").await;
    let kinds = raw.until_ready().await;
    assert_eq!(kinds.iter().map(|(kind, _)| *kind).collect::<Vec<_>>(), b"TDCEZ");
    raw.query("SELECT 4").await;
    assert_eq!(raw.until_ready().await.len(), 4);
    server.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn binary_values_arrive_as_their_types() {
    let server = Server::start().await;
    let client = server.client().await;
    let sql = "SELECT true, CAST(-2 AS SMALLINT), CAST(3 AS INT), CAST(4 AS BIGINT), CAST(0.5 AS REAL), \
               CAST(0.25 AS DOUBLE), 'text', '\\x00ff'::bytea, make_array(1, NULL, 3), CAST('-1.50' AS DECIMAL(10, 2)), \
               DATE '2000-01-02', TIMESTAMP '2000-01-01 00:00:01', CAST(NULL AS INT), INTERVAL '1 month 2 days'";
    let row = client.query_one(sql, &[]).await.unwrap();
    assert!(row.get::<_, bool>(0));
    assert_eq!((row.get::<_, i16>(1), row.get::<_, i32>(2), row.get::<_, i64>(3)), (-2, 3, 4));
    assert_eq!((row.get::<_, f32>(4), row.get::<_, f64>(5)), (0.5, 0.25));
    assert_eq!((row.get::<_, &str>(6), row.get::<_, &[u8]>(7)), ("text", &[0, 255][..]));
    assert_eq!(row.get::<_, Vec<Option<i32>>>(8), [Some(1), None, Some(3)]);
    assert_eq!(row.columns()[9].type_(), &Type::NUMERIC);
    assert_eq!(row.get::<_, Bytes>(9).0, [0, 2, 0, 0, 0x40, 0, 0, 2, 0, 1, 0x13, 0x88]);
    assert_eq!(row.columns()[10].type_(), &Type::DATE);
    assert_eq!(row.get::<_, Bytes>(10).0, [0, 0, 0, 1]);
    let expected = SystemTime::UNIX_EPOCH + Duration::from_secs(946_684_801);
    assert_eq!(row.get::<_, SystemTime>(11), expected);
    assert_eq!(row.get::<_, Option<i32>>(12), None);
    assert_eq!(row.get::<_, Bytes>(13).0, [0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 2, 0, 0, 0, 1]);
    server.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn streamed_results_arrive_whole() {
    let server = Server::start().await;
    let client = server.client().await;
    let rows =
        client.query("SELECT value, value * 2 FROM generate_series(1, 300000) AS series(value)", &[]).await.unwrap();
    assert_eq!(rows.len(), 300_000);
    assert_eq!(rows.iter().map(|row| i64::from(row.get::<_, i32>(1))).sum::<i64>(), 300_000 * 300_001);
    server.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn parameters_come_in_text() {
    let server = Server::start().await;
    let mut raw = server.raw().await;
    raw.parse("", "SELECT $1, $2", &[20, 1700]).await;
    raw.bind("", "", &[Some(b"41"), Some(b"1.5")]).await;
    raw.execute("", 0).await;
    raw.sync().await;
    let messages = raw.until_ready().await;
    assert_eq!(raw::kinds(&messages), "12DCZ", "{messages:?}");
    assert_eq!(raw::values(&messages[2].1), [Some("41".to_owned()), Some("1.5".to_owned())]);
    server.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_portal_gives_as_many_rows_as_are_asked_for() {
    let server = Server::start().await;
    let mut raw = server.raw().await;
    raw.parse("series", "SELECT value FROM generate_series(1, 5) AS series(value)", &[]).await;
    raw.bind("rows", "series", &[]).await;
    for limit in [2, 2, i32::MAX, 1] {
        raw.execute("rows", limit).await;
    }
    raw.bind("all", "series", &[]).await;
    raw.execute("all", -1).await;
    raw.sync().await;
    let messages = raw.until_ready().await;
    assert_eq!(raw::kinds(&messages), "12DDsDDsDCC2DDDDDCZ");
    let tags: Vec<_> = messages.iter().filter(|(kind, _)| *kind == b'C').map(|(_, body)| raw::text(body)).collect();
    assert_eq!(tags, ["SELECT 1", "SELECT 0", "SELECT 5"]);
    // Outside of a transaction, Sync ends the portals.
    raw.execute("rows", 0).await;
    raw.sync().await;
    assert_eq!(raw::error(&raw.until_ready().await).code, "34000");
    server.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn an_error_skips_to_sync() {
    let server = Server::start().await;
    let mut raw = server.raw().await;
    raw.parse("", "SELEC 1", &[]).await;
    raw.bind("", "", &[]).await;
    raw.execute("", 0).await;
    raw.query("SELECT 1").await;
    raw.sync().await;
    raw.parse("", "SELECT 1", &[]).await;
    raw.bind("", "", &[]).await;
    raw.describe(b'P', "").await;
    raw.execute("", 0).await;
    raw.sync().await;
    let messages = raw.until_ready().await;
    assert_eq!(raw::kinds(&messages), "EZ");
    assert_eq!(raw::error(&messages).code, "42601");
    assert_eq!(raw::kinds(&raw.until_ready().await), "12TDCZ");
    server.stop().await;
}

// Symptom: asyncpg waited for ever after a statement that does not parse. Cause: it asks for the answer with Flush, and the
// error stayed in the buffer until Sync.
#[tokio::test(flavor = "multi_thread")]
async fn an_error_is_told_before_sync() {
    let server = Server::start().await;
    let mut raw = server.raw().await;
    raw.parse("", "SELEC 1", &[]).await;
    let message = tokio::time::timeout(PATIENCE, raw.message()).await.unwrap();
    assert_eq!(message.0, b'E');
    server.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn misused_statements_and_portals_are_named() {
    let server = Server::start().await;
    let mut raw = server.raw().await;
    for (code, part) in
        [("26000", "\"missing\""), ("42P05", "\"twice\""), ("42601", "multiple commands"), ("08P01", "2")]
    {
        match code {
            "26000" => raw.bind("", "missing", &[]).await,
            "42P05" => {
                raw.parse("twice", "SELECT 1", &[]).await;
                raw.parse("twice", "SELECT 1", &[]).await;
            }
            "42601" => raw.parse("", "SELECT 1; SELECT 2", &[]).await,
            _ => {
                raw.parse("", "SELECT 1", &[]).await;
                raw.bind("", "", &[Some(b"1"), Some(b"2")]).await;
            }
        }
        raw.sync().await;
        let error = raw::error(&raw.until_ready().await);
        assert_eq!(error.code, code);
        assert!(error.message.contains(part), "{}", error.message);
    }
    server.stop().await;
}

// Symptom: `SELECT $4000000000` ended the server for everybody. Cause: a statement has all parameters up to the greatest
// number in it, and each took its place in a list. Fix: numbers that the protocol cannot count are refused when it is parsed.
#[tokio::test(flavor = "multi_thread")]
async fn a_parameters_number_takes_no_memory() {
    let server = Server::start().await;
    let mut raw = server.raw().await;
    for sql in [
        "SELECT $4000000000",
        "SELECT 1 LIMIT $65536",
        "SELECT $0::int",
        "PREPARE large AS SELECT $4294967297",
        "INSERT INTO nowhere VALUES ($99999999999999999999999)",
    ] {
        raw.parse("", sql, &[]).await;
        raw.describe(b'S', "").await;
        raw.sync().await;
        let error = raw::error(&raw.until_ready().await);
        assert_eq!(error.code, "42P02", "{sql}: {}", error.message);
        assert!(error.message.starts_with("there is no parameter $"), "{sql}: {}", error.message);
    }
    // It has those before it too, of which nothing is known.
    raw.parse("", "SELECT $65535::int", &[]).await;
    raw.describe(b'S', "").await;
    raw.sync().await;
    assert_eq!(raw::error(&raw.until_ready().await).code, "42P18");
    server.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_running_statement_is_cancelled() {
    let server = Server::start().await;
    let client = server.client().await;
    let token = client.cancel_token();
    let sql = format!("SELECT 1; {ENDLESS}");
    let mut messages = Box::pin(client.simple_query_raw(&sql).await.unwrap());
    // The first answer shows that the second statement runs.
    assert!(futures::StreamExt::next(&mut messages).await.unwrap().is_ok());
    token.cancel_query(NoTls).await.unwrap();
    let error = async {
        loop {
            if let Err(error) = futures::StreamExt::next(&mut messages).await.unwrap() {
                return error;
            }
        }
    };
    let error = tokio::time::timeout(PATIENCE, error).await.unwrap();
    let error = error.as_db_error().unwrap();
    assert_eq!((error.code().code(), error.message()), ("57014", "canceling statement due to user request"));
    drop(messages);
    assert_eq!(client.query_one("SELECT CAST(1 AS INT)", &[]).await.unwrap().get::<_, i32>(0), 1);
    server.stop().await;
}

// Symptom: a cancelled join on a condition kept its thread, and two of them stopped the whole server; its timeout never
// came. Cause: the join tries all pairs of a batch without a pause. Fix: its condition asks whether to go on.
#[tokio::test(flavor = "multi_thread")]
async fn a_join_that_never_pauses_is_cancelled_and_stands_in_nobodys_way() {
    const JOIN: &str = "SELECT count(*) FROM generate_series(1, 1000000) AS a(x), generate_series(1, 1000000) AS b(y)
                        WHERE x + y = 0";
    let server = Server::with(Config { threads: 1, ..Config::default() }).await;
    let (busy, other) = (server.client().await, server.client().await);
    let token = busy.cancel_token();
    let joined = tokio::spawn(async move {
        let joined = busy.query(JOIN, &[]).await;
        (busy, joined)
    });
    let one = async { other.query_one("SELECT CAST(1 AS INT)", &[]).await.unwrap().get::<_, i32>(0) };
    assert_eq!(tokio::time::timeout(PATIENCE, one).await.unwrap(), 1);
    token.cancel_query(NoTls).await.unwrap();
    let (busy, joined) = tokio::time::timeout(PATIENCE, joined).await.unwrap().unwrap();
    assert_eq!(joined.unwrap_err().code().unwrap().code(), "57014");
    busy.batch_execute("SET statement_timeout = '100ms'").await.unwrap();
    let late = tokio::time::timeout(PATIENCE, busy.query(JOIN, &[])).await.unwrap().unwrap_err();
    let late = late.as_db_error().unwrap();
    assert_eq!((late.code().code(), late.message()), ("57014", "canceling statement due to statement timeout"));
    server.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn parameters_have_the_types_that_are_declared_or_stand_beside_them() {
    let server = Server::start().await;
    let client = server.client().await;
    for (sql, declared, parameter, column) in [
        ("SELECT $1", vec![Type::INT4], Type::INT4, Type::INT4),
        ("SELECT $1", vec![], Type::TEXT, Type::TEXT),
        ("SELECT $1::bigint", vec![], Type::INT8, Type::INT8),
        ("SELECT CAST($1 AS date)", vec![], Type::DATE, Type::DATE),
        ("SELECT value FROM generate_series(1, 3) AS series(value) LIMIT $1", vec![], Type::INT8, Type::INT4),
        ("SELECT sum(a) FROM (SELECT $1 AS a) AS s", vec![Type::INT2], Type::INT2, Type::INT8),
        ("SELECT a + $1 FROM (VALUES (10)) AS t(a)", vec![Type::FLOAT8], Type::FLOAT8, Type::FLOAT8),
        ("SELECT (SELECT count(*) * $1)", vec![Type::FLOAT8], Type::FLOAT8, Type::FLOAT8),
        ("VALUES (1), ($1)", vec![Type::FLOAT8], Type::FLOAT8, Type::FLOAT8),
    ] {
        let statement = client.prepare_typed(sql, &declared).await.unwrap();
        assert_eq!((statement.params(), statement.columns()[0].type_()), ([parameter].as_slice(), &column), "{sql}");
    }
    // What the client says, and not what stands beside it: 11.5 was 11.
    let half = client.prepare_typed("SELECT a + $1 FROM (VALUES (10)) AS t(a)", &[Type::FLOAT8]).await.unwrap();
    assert_eq!(client.query_one(&half, &[&1.5f64]).await.unwrap().get::<_, f64>(0), 11.5);
    let five = client.prepare_typed("SELECT $1 AS five", &[Type::INT4]).await.unwrap();
    assert_eq!(client.query_one(&five, &[&5i32]).await.unwrap().get::<_, i32>("five"), 5);
    server.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn columns_are_called_as_in_postgresql() {
    let server = Server::start().await;
    let client = server.client().await;
    let statement = client.prepare("SELECT 1, 'x', count(*), count(*), (SELECT 1 AS one), now()::date").await.unwrap();
    let names: Vec<&str> = statement.columns().iter().map(|column| column.name()).collect();
    assert_eq!(names, ["?column?", "?column?", "count", "count", "one", "now"]);
    server.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_client_that_leaves_ends_its_statement() {
    let server = Server::with(Config { max_connections: 1, ..Config::default() }).await;
    let mut raw = server.raw().await;
    raw.query(&format!("SELECT 1; {ENDLESS}")).await;
    assert_eq!(raw.message().await.0, b'T');
    let refused = RawClient::try_connect(server.port).await.unwrap_err();
    assert_eq!(refused.code, "53300");
    drop(raw);
    // The one place is free again once the statement has ended.
    let free = async { while RawClient::try_connect(server.port).await.is_err() {} };
    tokio::time::timeout(PATIENCE / 4, free).await.unwrap();
    server.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn clients_are_told_that_the_server_stops() {
    let server = Server::start().await;
    let (mut idle, mut busy) = (server.raw().await, server.raw().await);
    busy.query(&format!("SELECT 1; {ENDLESS}")).await;
    assert_eq!(busy.message().await.0, b'T');
    server.stop().await;
    for client in [&mut idle, &mut busy] {
        let error = raw::error(&client.until_end().await);
        assert_eq!((error.severity.as_str(), error.code.as_str()), ("FATAL", "57P01"));
    }
}
