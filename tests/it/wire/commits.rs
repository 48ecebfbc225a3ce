//! What a client is told of a commit is true: whoever cancels it, at whatever time, and whoever races it.

use std::time::{Duration, Instant};

use fusewire::Config;
use tokio_postgres::{Client, NoTls};

use super::Server;
use crate::{random::Random, support::Local};

/// How many statements are cancelled, and how often two sessions race.
const ROUNDS: u64 = 100;

/// The number in an environment variable, or another.
fn number(name: &str, otherwise: u64) -> u64 {
    std::env::var(name).ok().and_then(|text| text.parse().ok()).unwrap_or(otherwise)
}

fn seed() -> u64 {
    let random = u64::from(std::process::id()) ^ std::time::UNIX_EPOCH.elapsed().unwrap().as_secs();
    let seed = number("CANCEL_SEED", random);
    println!("repeat with CANCEL_SEED={seed}");
    seed
}

/// What is cancelled in a round: a statement that commits by itself, or the COMMIT of several changes.
fn statements(round: u64) -> (Vec<String>, String) {
    let insert = format!("INSERT INTO t SELECT {round} AS round, i FROM generate_series(1, 500) AS s(i)");
    match round % 4 {
        0 => (Vec::new(), insert),
        1 => (Vec::new(), format!("CREATE TABLE c{round} AS SELECT i FROM generate_series(1, 500) AS s(i)")),
        2 => (
            Vec::new(),
            format!(
                "SELECT metric, value FROM train('m{round}', (SELECT i % 7 AS a, i * 0.5 AS y \
                 FROM generate_series(1, 60) AS s(i)), target => 'y')"
            ),
        ),
        _ => (vec!["BEGIN".to_owned(), insert, format!("CREATE VIEW c{round} AS SELECT 1 AS a")], "COMMIT".to_owned()),
    }
}

/// Whether what the round would leave is there: all of it, or nothing.
async fn is_there(local: &Local, round: u64) -> bool {
    let rows = local.value(&format!("SELECT count(*) FROM t WHERE round = {round}")).await;
    let relations = local.value(&format!("SELECT count(*) FROM fusewire.sources WHERE name = 'c{round}'")).await;
    let models = local.value(&format!("SELECT count(*) FROM fusewire.models WHERE name = 'm{round}'")).await;
    let whole = match round % 4 {
        0 => ["500", "0", "0"],
        1 => ["0", "1", "0"],
        2 => ["0", "0", "1"],
        _ => ["500", "1", "0"],
    };
    let found = [rows.as_str(), relations.as_str(), models.as_str()];
    assert!(found == whole || found == ["0", "0", "0"], "round {round}: half of it is there: {found:?}");
    found == whole
}

/// Runs a statement and cancels it after a while; whether the client was told that it is done.
async fn cancelled_after(client: &Client, sql: &str, delay: Duration) -> bool {
    let token = client.cancel_token();
    let cancel = tokio::spawn(async move {
        tokio::time::sleep(delay).await;
        token.cancel_query(NoTls).await.unwrap();
    });
    let told = client.simple_query(sql).await;
    // A cancel that comes late must not hit the next statement: sent is not yet received.
    cancel.await.unwrap();
    tokio::time::sleep(Duration::from_millis(50)).await;
    let _may_be_hit = client.simple_query("SELECT 1").await;
    match told {
        Ok(_) => true,
        Err(error) => {
            assert_eq!(error.code().map(|code| code.code()), Some("57014"), "{sql}: {error}");
            false
        }
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn what_is_told_of_a_cancelled_statement_is_true() {
    let mut random = Random::of(&[seed()]);
    let home = tempfile::tempdir().unwrap();
    let server = Server::with(Config { data_dir: Some(home.path().to_owned()), ..Config::default() }).await;
    let client = server.client().await;
    client.simple_query("CREATE TABLE t (round bigint, i bigint)").await.unwrap();
    let rounds = number("CANCEL_ROUNDS", ROUNDS);
    let mut told = Vec::new();
    // The first of each kind runs in peace, and tells how long it takes on this machine.
    let mut spans = [Duration::ZERO; 4];
    for round in 0..rounds + 4 {
        let (before, last) = statements(round);
        for sql in before {
            client.simple_query(&sql).await.unwrap();
        }
        let span = &mut spans[(round % 4) as usize];
        if round < 4 {
            let started = Instant::now();
            client.simple_query(&last).await.unwrap();
            *span = started.elapsed();
            told.push(true);
            continue;
        }
        let delay = Duration::from_micros(random.below(span.as_micros() as usize * 5 / 4) as u64);
        let done = cancelled_after(&client, &last, delay).await;
        if !done {
            client.simple_query("ROLLBACK").await.unwrap();
        }
        told.push(done);
    }
    drop(client);
    server.stop().await;
    let local = reopened(home.path()).await;
    for (round, done) in (0..).zip(&told) {
        assert_eq!(is_there(&local, round).await, *done, "round {round} was told: {done}");
    }
    let done = told.iter().filter(|done| **done).count();
    println!("{done} of {} were done before they were cancelled", told.len());
    assert!(done < told.len(), "no cancel came in time");
}

/// Each round both sessions insert a row and replace one view in a transaction: who is told that it is committed has
/// both, and who is told of a lost race has neither.
#[tokio::test(flavor = "multi_thread")]
async fn of_two_sessions_that_race_each_is_told_the_truth() {
    let home = tempfile::tempdir().unwrap();
    let server = Server::with(Config { data_dir: Some(home.path().to_owned()), ..Config::default() }).await;
    let (first, second) = (server.client().await, server.client().await);
    first.simple_query("CREATE TABLE t (round bigint, session bigint)").await.unwrap();
    let mut won = Vec::new();
    for round in 0..number("RACES", ROUNDS) {
        let outcomes = tokio::join!(race(&first, round, 1), race(&second, round, 2));
        let winners: Vec<u64> =
            [(outcomes.0, 1), (outcomes.1, 2)].into_iter().filter_map(|(won, n)| won.then_some(n)).collect();
        assert!(!winners.is_empty(), "round {round}: both have lost");
        let view = first.query_one("SELECT round, session FROM v", &[]).await.unwrap();
        let (shown, session): (i64, i64) = (view.get(0), view.get(1));
        assert!(shown as u64 == round && winners.contains(&(session as u64)), "round {round}: {shown}, {session}");
        won.extend(winners.into_iter().map(|session| vec![round.to_string(), session.to_string()]));
    }
    drop((first, second));
    server.stop().await;
    let local = reopened(home.path()).await;
    assert_eq!(local.rows("SELECT round, session FROM t ORDER BY round, session").await, won);
}

/// A connection that ends takes its temporary tables along, and while it lasts nobody else's names lead to them.
#[tokio::test(flavor = "multi_thread")]
async fn temporary_tables_go_with_their_connection() {
    let left = "SELECT count(*) FROM pg_class WHERE relpersistence = 't'";
    let home = tempfile::tempdir().unwrap();
    let server = Server::with(Config { data_dir: Some(home.path().to_owned()), ..Config::default() }).await;
    let (own, other) = (server.client().await, server.client().await);
    own.simple_query("CREATE TEMP TABLE mine AS SELECT 1 AS id").await.unwrap();
    assert_eq!(other.query_one(left, &[]).await.unwrap().get::<_, i64>(0), 1);
    let error = other.simple_query("SELECT * FROM mine").await.unwrap_err();
    assert_eq!(error.code().map(|code| code.code()), Some("42P01"), "{error}");
    drop(own);
    let started = Instant::now();
    while other.query_one(left, &[]).await.unwrap().get::<_, i64>(0) > 0 {
        assert!(started.elapsed() < super::PATIENCE, "the connection has ended, and its table is there");
        tokio::time::sleep(Duration::from_millis(5)).await;
    }
    drop(other);
    server.stop().await;
}

async fn race(client: &Client, round: u64, session: u64) -> bool {
    let sql = format!(
        "BEGIN; INSERT INTO t VALUES ({round}, {session}); \
         CREATE OR REPLACE VIEW v AS SELECT CAST({round} AS bigint) AS round, CAST({session} AS bigint) AS session; COMMIT"
    );
    match client.simple_query(&sql).await {
        Ok(_) => true,
        Err(error) => {
            assert_eq!(error.code().map(|code| code.code()), Some("40001"), "{sql}: {error}");
            false
        }
    }
}

/// The state that a stopped server has left; the last of its tasks may still hold the directory.
async fn reopened(data_dir: &std::path::Path) -> Local {
    let started = Instant::now();
    loop {
        match Local::at(data_dir).await {
            Ok(local) => return local,
            Err(error) => assert!(started.elapsed() < super::PATIENCE, "{}", error.report().message),
        }
        tokio::time::sleep(Duration::from_millis(5)).await;
    }
}
