//! Plans that are kept: sessions share them, what one has made in a transaction is no other's, and answers are those that
//! there are without them.

use datafusion::common::ScalarValue;
use fusewire::{
    Config, Engine,
    engine::{Origin, Outcome, SessionOptions},
};
use futures::StreamExt;

use crate::support::Local;

const SIZES: [usize; 3] = [0, 20_000, 32 << 20];

async fn engine(plan_cache_size: usize) -> Engine {
    Engine::open(Config { plan_cache_size, ..Config::default() }).await.unwrap()
}

fn session(engine: &Engine, user: &str) -> Local {
    let options = SessionOptions { user: user.to_owned(), origin: Origin::Local, address: None };
    let (session, notices) = engine.session(options).unwrap();
    Local { session, notices }
}

/// How often plans were used that were kept for a text.
async fn hits(local: &Local, query: &str) -> String {
    let text = query.replace('\'', "''");
    local.value(&format!("SELECT coalesce(sum(hits), 0)::bigint FROM fusewire.plan_cache WHERE query = '{text}'")).await
}

/// The rows of a statement with these values, of its first column.
async fn with_values(local: &Local, sql: &str, values: &[ScalarValue]) -> Result<Vec<String>, String> {
    let statement = local.session.parse(sql).await.unwrap().pop().unwrap();
    let outcome = local.session.execute(&statement, values).await.map_err(|error| error.report().message)?;
    let Outcome::Rows { mut stream, .. } = outcome else { panic!("{sql} returns no rows") };
    let mut rows = Vec::new();
    while let Some(batch) = stream.next().await {
        let batch = batch.map_err(|error| error.to_string())?;
        let texts = fusewire::server::text_rows(&batch).map_err(|error| error.report().message)?;
        rows.extend(texts.into_iter().map(|row| row[0].clone().unwrap_or_else(|| "NULL".to_owned())));
    }
    rows.sort_unstable();
    Ok(rows)
}

#[tokio::test(flavor = "multi_thread")]
async fn sessions_share_plans_and_nothing_else() {
    for size in SIZES {
        let engine = engine(size).await;
        let (ada, again, bob) = (session(&engine, "ada"), session(&engine, "ada"), session(&engine, "bob"));
        ada.rows("CREATE TABLE t AS SELECT * FROM (VALUES (1, 'one'), (2, 'two')) AS v(id, word)").await;
        for local in [&ada, &again, &bob, &ada, &again, &bob] {
            assert_eq!(local.value("SELECT word FROM t WHERE id = 2").await, "two");
            assert_eq!(local.value("SELECT 'same'").await, "same");
            let name = if std::ptr::eq(local, &bob) { "bob" } else { "ada" };
            assert_eq!(local.value("SELECT current_user").await, name);
        }
        let pid = "SELECT pg_backend_pid()";
        let pids = [ada.value(pid).await, again.value(pid).await, bob.value(pid).await, ada.value(pid).await];
        assert_eq!(pids, ["1", "2", "3", "1"]);
        for other in ["SELECT random()", "SELECT now()", "SELECT statement_timestamp()", "SELECT clock_timestamp()"] {
            assert_ne!(ada.value(other).await, ada.value(other).await, "{other}");
            assert_eq!(hits(&ada, other).await, if size == SIZES[2] { "1" } else { "0" }, "{other}");
        }
        if size == SIZES[2] {
            // One plan for each role.
            assert_eq!(hits(&ada, "SELECT word FROM t WHERE id = 2").await, "4");
            assert_eq!(hits(&ada, "SELECT 'same'").await, "4");
        }
        if size == 0 {
            assert_eq!(ada.value("SELECT count(*) FROM fusewire.plan_cache").await, "0");
        }
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn what_a_transaction_has_made_is_no_others() {
    for size in SIZES {
        let engine = engine(size).await;
        let (ada, other) = (session(&engine, "ada"), session(&engine, "ada"));
        ada.rows("CREATE TABLE t AS SELECT 1 AS a").await;
        let (count, own) = ("SELECT count(*) FROM t", "SELECT a FROM own");
        assert_eq!(ada.value(count).await, "1");
        ada.rows("BEGIN").await;
        ada.rows("INSERT INTO t VALUES (2)").await;
        ada.rows("CREATE TABLE own AS SELECT 5 AS a").await;
        for _ in 0..2 {
            assert_eq!((ada.value(count).await, other.value(count).await), ("2".to_owned(), "1".to_owned()));
            assert_eq!(ada.value(own).await, "5");
            assert!(other.error(own).await.contains("does not exist"));
        }
        ada.rows("ROLLBACK").await;
        assert_eq!((ada.value(count).await, other.value(count).await), ("1".to_owned(), "1".to_owned()));
        assert!(ada.error(own).await.contains("does not exist"));
        // Who reads an old state keeps it.
        other.rows("BEGIN ISOLATION LEVEL REPEATABLE READ").await;
        assert_eq!(other.value(count).await, "1");
        ada.rows("INSERT INTO t VALUES (2), (3)").await;
        for _ in 0..2 {
            assert_eq!((ada.value(count).await, other.value(count).await), ("3".to_owned(), "1".to_owned()));
        }
        other.rows("COMMIT").await;
        assert_eq!(other.value(count).await, "3");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn parameters_are_bound_into_plans_that_are_kept() {
    let rows = "(1, 'one', DATE '2024-01-01', 0.5::double precision), (2, 'two', DATE '2024-01-02', 'NaN'::double precision), \
                (3, NULL, NULL, NULL)";
    let long = |number: i64| ScalarValue::Int64(Some(number));
    let text = |text: &str| ScalarValue::Utf8(Some(text.to_owned()));
    let view = |text: &str| ScalarValue::Utf8View(Some(text.to_owned()));
    let cases: &[(&str, Vec<Vec<ScalarValue>>)] = &[
        ("SELECT id FROM t WHERE id = $1", vec![vec![long(1)], vec![long(3)], vec![long(9)]]),
        ("SELECT id FROM t WHERE $1 < id", vec![vec![long(1)], vec![ScalarValue::Int32(Some(2))]]),
        ("SELECT id FROM t WHERE id <> $1", vec![vec![ScalarValue::Int64(None)], vec![ScalarValue::Int16(Some(1))]]),
        ("SELECT id FROM t WHERE word = $1", vec![vec![text("one")], vec![view("two")], vec![text("ONE")]]),
        ("SELECT id FROM t WHERE word >= $1 AND id = $2", vec![vec![text("a"), long(2)], vec![text("z"), long(2)]]),
        ("SELECT id FROM t WHERE day = $1", vec![vec![ScalarValue::Date32(Some(19_723))], vec![text("2024-01-02")]]),
        ("SELECT id FROM t WHERE x = $1", vec![vec![ScalarValue::Float64(Some(f64::NAN))], vec![long(1)]]),
        ("SELECT id FROM t WHERE id = $1 OR word = $2", vec![vec![long(1), text("two")]]),
        ("SELECT id FROM t WHERE id + $1 = 3", vec![vec![long(1)], vec![long(2)]]),
        ("SELECT a.id FROM t a JOIN t b ON a.id = b.id WHERE b.id = $1", vec![vec![long(1)], vec![long(2)]]),
        ("SELECT count(*) FROM t WHERE id = $1 GROUP BY word", vec![vec![long(1)], vec![long(5)]]),
        ("SELECT id FROM t WHERE id IN (SELECT id FROM t WHERE id > $1)", vec![vec![long(1)], vec![long(2)]]),
        ("SELECT id FROM t ORDER BY id LIMIT $1", vec![vec![long(1)], vec![long(2)], vec![ScalarValue::Int64(None)]]),
        ("SELECT $1", vec![vec![long(1)], vec![text("a")], vec![long(2)]]),
    ];
    let (without, with) = (engine(0).await, engine(32 << 20).await);
    let (plain, kept) = (session(&without, "ada"), session(&with, "ada"));
    for local in [&plain, &kept] {
        local.rows(&format!("CREATE TABLE t AS SELECT * FROM (VALUES {rows}) AS v(id, word, day, x)")).await;
    }
    for (sql, values) in cases {
        // Twice: the second time all plans are there.
        for values in values.iter().chain(values) {
            let expected = with_values(&plain, sql, values).await;
            assert_eq!(with_values(&kept, sql, values).await, expected, "{sql} {values:?}");
        }
        assert_ne!(hits(&kept, sql).await, "0", "{sql}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn plans_take_no_more_than_they_may() {
    let engine = engine(100_000).await;
    let local = session(&engine, "ada");
    local.rows("CREATE TABLE t AS SELECT 1 AS a").await;
    for number in 0..50 {
        assert_eq!(local.value(&format!("SELECT a + {number} FROM t")).await, (number + 1).to_string());
    }
    let total = "SELECT sum(bytes) BETWEEN 1 AND 100000 AND count(*) BETWEEN 1 AND 49 FROM fusewire.plan_cache";
    assert_eq!(local.value(total).await, "t");
}
