//! Prepared statements and portals from the client's side: one namespace for SQL and messages. The answers are
//! PostgreSQL 15's.

use super::raw::{self, Message, RawClient};
use super::{PATIENCE, Server};

/// One message of a client.
#[derive(Debug, Clone, Copy)]
enum Step {
    /// A text with statements, and what it is answered with.
    Query(&'static str, &'static [&'static str]),
    /// Statement and text.
    Parse(&'static str, &'static str),
    /// Portal and statement.
    Bind(&'static str, &'static str),
    Describe(u8, &'static str),
    Execute(&'static str, i32),
    Close(u8, &'static str),
    /// What everything since the last ReadyForQuery is answered with.
    Sync(&'static [&'static str]),
}

use Step::{Bind, Close, Describe, Execute, Parse, Query, Sync};

const SERIES: &str = "SELECT x FROM generate_series(1,5) x";

/// What messages say, in short.
fn told(messages: &[Message]) -> Vec<String> {
    let short = |(kind, body): &Message| match *kind {
        b'C' | b'Z' => raw::text(body),
        b'D' => raw::values(body).into_iter().flatten().collect::<Vec<_>>().join(" "),
        b'E' => format!("{} {}", raw::field(body, b'C'), raw::field(body, b'M')),
        b'N' => raw::field(body, b'C'),
        other => char::from(other).to_string(),
    };
    messages.iter().map(short).collect()
}

async fn run(client: &mut RawClient, steps: &[Step]) {
    for step in steps {
        let expected = match *step {
            Query(sql, expected) => {
                client.query(sql).await;
                expected
            }
            Sync(expected) => {
                client.sync().await;
                expected
            }
            Parse(name, sql) => {
                client.parse(name, sql, &[]).await;
                continue;
            }
            Bind(portal, statement) => {
                client.bind(portal, statement, &[]).await;
                continue;
            }
            Describe(target, name) => {
                client.describe(target, name).await;
                continue;
            }
            Execute(portal, limit) => {
                client.execute(portal, limit).await;
                continue;
            }
            Close(target, name) => {
                client.send(b'C', &[&[target], name.as_bytes(), b"\0"].concat()).await;
                continue;
            }
        };
        assert_eq!(told(&client.until_ready().await), expected, "{step:?}");
    }
}

/// Runs the steps of each case as a client of its own.
async fn answers(cases: &[&[Step]]) {
    let server = Server::start().await;
    for steps in cases {
        run(&mut server.raw().await, steps).await;
    }
    server.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn cursors_and_portals_are_the_same() {
    answers(&[
        &[
            Query("BEGIN", &["BEGIN", "T"]),
            Parse("s", SERIES),
            Bind("p", "s"),
            Execute("p", 2),
            Sync(&["1", "2", "1", "2", "s", "T"]),
            Query("FETCH 1 FROM p", &["T", "3", "FETCH 1", "T"]),
            Query("MOVE 1 p", &["MOVE 1", "T"]),
            Execute("p", 0),
            Sync(&["5", "SELECT 1", "T"]),
            Query("FETCH BACKWARD 1 p", &["55000 cursor can only scan forward", "E"]),
            Query("ROLLBACK", &["ROLLBACK", "I"]),
        ],
        &[
            Query("BEGIN", &["BEGIN", "T"]),
            Parse("s", SERIES),
            Bind("P", "s"),
            Sync(&["1", "2", "T"]),
            Query("FETCH 2 FROM \"P\"", &["T", "1", "2", "FETCH 2", "T"]),
            Query("CLOSE \"P\"", &["CLOSE CURSOR", "T"]),
            Execute("P", 0),
            Sync(&["34000 portal \"P\" does not exist", "E"]),
        ],
        &[
            Query(
                "BEGIN; DECLARE c CURSOR FOR SELECT x FROM generate_series(1,5) x",
                &["BEGIN", "DECLARE CURSOR", "T"],
            ),
            Describe(b'P', "c"),
            Execute("c", 2),
            Execute("c", 0),
            Execute("c", 0),
            Sync(&["T", "1", "2", "s", "3", "4", "5", "SELECT 3", "SELECT 0", "T"]),
            Query("FETCH PRIOR c", &["T", "5", "FETCH 1", "T"]),
            Parse("", "SELECT 2"),
            Bind("c", ""),
            Sync(&["1", "42P03 cursor \"c\" already exists", "E"]),
        ],
    ])
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn portals_end_with_their_transaction() {
    answers(&[
        &[
            Parse("s", SERIES),
            Bind("p", "s"),
            Execute("p", 2),
            Parse("", "COMMIT"),
            Bind("", ""),
            Execute("", 0),
            Execute("p", 2),
            Sync(&["1", "2", "1", "2", "s", "1", "2", "25P01", "COMMIT", "34000 portal \"p\" does not exist", "I"]),
        ],
        &[
            Query("BEGIN; SAVEPOINT a", &["BEGIN", "SAVEPOINT", "T"]),
            Parse("", "SELECT 1"),
            Bind("p", ""),
            Sync(&["1", "2", "T"]),
            Query("ROLLBACK TO a", &["ROLLBACK", "T"]),
            Execute("p", 0),
            Sync(&["34000 portal \"p\" does not exist", "E"]),
        ],
        &[
            Query("DECLARE c CURSOR FOR SELECT 1; FETCH c", &["DECLARE CURSOR", "T", "1", "FETCH 1", "I"]),
            Query("FETCH c", &["34000 cursor \"c\" does not exist", "I"]),
            Parse("", "DECLARE c CURSOR FOR SELECT 1"),
            Bind("", ""),
            Execute("", 0),
            Sync(&["1", "2", "25P01 DECLARE CURSOR can only be used in transaction blocks", "I"]),
        ],
        &[
            Query("BEGIN; DECLARE c CURSOR FOR SELECT 1", &["BEGIN", "DECLARE CURSOR", "T"]),
            Query("SELECT 1 FROM nowhere", &["42P01 relation \"nowhere\" does not exist", "E"]),
            Execute("c", 0),
            Sync(&["25P02 current transaction is aborted, commands ignored until end of transaction block", "E"]),
            Execute("nowhere", 0),
            Sync(&["34000 portal \"nowhere\" does not exist", "E"]),
            Parse("", "SELECT 1"),
            Sync(&["25P02 current transaction is aborted, commands ignored until end of transaction block", "E"]),
            Parse("", "COMMIT"),
            Bind("", ""),
            Describe(b'P', ""),
            Execute("", 0),
            Sync(&["1", "2", "n", "ROLLBACK", "I"]),
        ],
    ])
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn held_cursors_outlive_a_pipeline() {
    answers(&[
        &[
            Parse("", "DECLARE h CURSOR WITH HOLD FOR SELECT x FROM generate_series(1,3) x"),
            Bind("", ""),
            Execute("", 0),
            Parse("", "FETCH h"),
            Bind("", ""),
            Execute("", 0),
            Sync(&["1", "2", "DECLARE CURSOR", "1", "2", "1", "FETCH 1", "I"]),
            Query("FETCH h", &["T", "2", "FETCH 1", "I"]),
            Execute("h", 1),
            Sync(&["3", "s", "I"]),
            Query("CLOSE h", &["CLOSE CURSOR", "I"]),
        ],
        &[
            Parse("", "DECLARE h CURSOR WITH HOLD FOR SELECT 1"),
            Bind("", ""),
            Execute("", 0),
            Parse("", "SELECT 1 FROM nowhere"),
            Sync(&["1", "2", "DECLARE CURSOR", "42P01 relation \"nowhere\" does not exist", "I"]),
            Query("FETCH h", &["34000 cursor \"h\" does not exist", "I"]),
        ],
        &[
            Parse("", "DECLARE h CURSOR WITH HOLD FOR SELECT 1/(3-x) FROM generate_series(1,3) x"),
            Bind("", ""),
            Execute("", 0),
            Sync(&["1", "2", "DECLARE CURSOR", "22012 division by zero", "I"]),
            Query("FETCH h", &["34000 cursor \"h\" does not exist", "I"]),
        ],
    ])
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn statements_have_one_namespace() {
    answers(&[
        &[
            Parse("S", "SELECT 5"),
            Parse("s", "SELECT 7"),
            Sync(&["1", "1", "I"]),
            Query("EXECUTE \"S\"", &["T", "5", "SELECT 1", "I"]),
            Query("EXECUTE S", &["T", "7", "SELECT 1", "I"]),
            Query("PREPARE q AS SELECT 9", &["PREPARE", "I"]),
            Bind("", "q"),
            Describe(b'P', ""),
            Execute("", 0),
            Sync(&["2", "T", "9", "SELECT 1", "I"]),
            Query("DEALLOCATE \"S\"", &["DEALLOCATE", "I"]),
            Bind("", "S"),
            Sync(&["26000 prepared statement \"S\" does not exist", "I"]),
            Parse("q", "SELECT 1"),
            Sync(&["42P05 prepared statement \"q\" already exists", "I"]),
            Parse("", "SELECT 1"),
            Sync(&["1", "I"]),
            Query("SELECT 1", &["T", "1", "SELECT 1", "I"]),
            Bind("", ""),
            Sync(&["26000 unnamed prepared statement does not exist", "I"]),
        ],
        &[
            Parse("a", "SELECT 1"),
            Parse("", "DEALLOCATE ALL"),
            Bind("", ""),
            Execute("", 0),
            Sync(&["1", "1", "2", "DEALLOCATE ALL", "I"]),
            Bind("", ""),
            Execute("", 0),
            Sync(&["2", "DEALLOCATE ALL", "I"]),
            Bind("", "a"),
            Sync(&["26000 prepared statement \"a\" does not exist", "I"]),
        ],
        &[
            Query("BEGIN", &["BEGIN", "T"]),
            Parse("s", "SELECT 1"),
            Bind("p", "s"),
            Close(b'S', "s"),
            Execute("p", 0),
            Sync(&["1", "2", "3", "1", "SELECT 1", "T"]),
        ],
        // Names can make a circle, which ends at once.
        &[
            Parse("circle", "SELECT 1"),
            Parse("b", "EXECUTE circle"),
            Close(b'S', "circle"),
            Parse("circle", "EXECUTE b"),
            Sync(&["1", "1", "3", "1", "I"]),
            Query("EXECUTE circle", &["54000 more than 16 statements run one another by their names", "I"]),
        ],
    ])
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn names_are_checked_at_parse_and_columns_when_it_runs() {
    answers(&[
        &[
            Parse("", "SELECT nope"),
            Sync(&["42703 column \"nope\" does not exist", "I"]),
            Parse("", "SELECT $1 + nope"),
            Sync(&["42703 column \"nope\" does not exist", "I"]),
            Parse("", "FETCH nowhere"),
            Describe(b'S', ""),
            Sync(&["1", "t", "n", "I"]),
            Bind("", ""),
            Execute("", 0),
            Sync(&["2", "34000 cursor \"nowhere\" does not exist", "I"]),
        ],
        &[
            Query("CREATE TABLE t (a int)", &["CREATE TABLE", "I"]),
            Parse("s", "SELECT * FROM t"),
            Sync(&["1", "I"]),
            Query("CREATE OR REPLACE TABLE t AS SELECT 'one' AS a", &["SELECT 1", "I"]),
            Bind("", "s"),
            Execute("", 0),
            Sync(&["2", "0A000 cached plan must not change result type", "I"]),
            Query("CREATE OR REPLACE TABLE t AS SELECT 1::int AS a", &["SELECT 1", "I"]),
            Bind("", "s"),
            Execute("", 0),
            Sync(&["2", "1", "SELECT 1", "I"]),
        ],
        &[
            Parse("s", "SELECT $1::int"),
            Bind("", "s"),
            Sync(&["1", "08P01 bind message supplies 0 parameters, but prepared statement \"s\" requires 1", "I"]),
        ],
    ])
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_portal_runs_once_at_a_time() {
    answers(&[
        &[
            Query("CREATE TABLE once (a int)", &["CREATE TABLE", "I"]),
            Parse("", "INSERT INTO once VALUES (1)"),
            Bind("p", ""),
            Execute("p", 0),
            Execute("p", 0),
            Sync(&["1", "2", "INSERT 0 1", "55000 portal \"p\" cannot be run", "I"]),
            Query("SELECT count(*) FROM once", &["T", "0", "SELECT 1", "I"]),
            Parse("", "SHOW server_encoding"),
            Bind("p", ""),
            Execute("p", 0),
            Execute("p", 0),
            Sync(&["1", "2", "UTF8", "SHOW", "SHOW", "I"]),
        ],
        &[
            Query("BEGIN", &["BEGIN", "T"]),
            Parse("", "CLOSE c"),
            Bind("c", ""),
            Execute("c", 0),
            Sync(&["1", "2", "24000 cannot drop active portal \"c\"", "E"]),
        ],
        &[
            Query("BEGIN", &["BEGIN", "T"]),
            Parse("", "FETCH c"),
            Bind("c", ""),
            Execute("c", 0),
            Sync(&["1", "2", "55000 portal \"c\" cannot be run", "E"]),
        ],
        &[
            Parse("", "CLOSE ALL"),
            Bind("c", ""),
            Execute("c", 0),
            Execute("c", 0),
            Sync(&["1", "2", "CLOSE CURSOR ALL", "55000 portal \"c\" cannot be run", "I"]),
        ],
        // A FETCH that is read in portions has its rows at once: the cursor is free for another.
        &[
            Query(
                "BEGIN; DECLARE c CURSOR FOR SELECT x FROM generate_series(1,5) x",
                &["BEGIN", "DECLARE CURSOR", "T"],
            ),
            Parse("", "FETCH 3 FROM c"),
            Bind("p", ""),
            Describe(b'P', "p"),
            Execute("p", 2),
            Parse("", "FETCH 1 FROM c"),
            Bind("q", ""),
            Execute("q", 0),
            Execute("p", 2),
            Sync(&["1", "2", "T", "1", "2", "s", "1", "2", "4", "FETCH 1", "3", "FETCH 1", "T"]),
        ],
    ])
    .await;
}

// Symptom: a portal that was read in portions ended in a timeout although each Execute was quick. Cause: the statement's time
// ran from its first row on. Fix: it runs while rows are asked for.
#[tokio::test(flavor = "multi_thread")]
async fn a_portals_idle_time_is_not_counted() {
    let server = Server::start().await;
    let mut client = server.raw().await;
    run(
        &mut client,
        &[
            Query("SET statement_timeout = 1000", &["SET", "I"]),
            Query(
                "BEGIN; DECLARE c CURSOR FOR SELECT x FROM generate_series(1, 10000000) x",
                &["BEGIN", "DECLARE CURSOR", "T"],
            ),
            Query("FETCH 1 c", &["T", "1", "FETCH 1", "T"]),
        ],
    )
    .await;
    // The time itself is what is tested.
    tokio::time::sleep(std::time::Duration::from_millis(1_500)).await;
    run(
        &mut client,
        &[
            Query("FETCH 1 c", &["T", "2", "FETCH 1", "T"]),
            Query("MOVE 100000 c", &["MOVE 100000", "T"]),
            Query(
                "DECLARE e CURSOR FOR SELECT x FROM generate_series(1, 1000000000000) x WHERE x % 7 = 8",
                &["DECLARE CURSOR", "T"],
            ),
        ],
    )
    .await;
    client.query("FETCH e").await;
    let answer = tokio::time::timeout(PATIENCE, client.until_ready()).await.unwrap();
    assert_eq!(raw::error(&answer).message, "canceling statement due to statement timeout");
    server.stop().await;
}
