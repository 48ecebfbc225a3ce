//! Rows that are looked up by a key: in memory where they may be, of the state that a transaction reads, and always those
//! that reading the table yields.

use std::{fs, path::Path};

use datafusion::common::ScalarValue;
use fusewire::{
    Config, Engine,
    engine::{Origin, Outcome},
};
use futures::StreamExt;

use crate::{
    random::Random,
    support::{Local, files_below},
};

const ROWS: &str = "CREATE TABLE items AS SELECT value::int AS id, 'item ' || value * 7 AS name, value::bigint AS big \
                    FROM generate_series(1, 30000) AS s(value)";

async fn at(data_dir: &Path, lookup_cache_size: usize) -> Local {
    let config = Config { data_dir: Some(data_dir.to_owned()), lookup_cache_size, ..Config::default() };
    Local::of(&Engine::open(config).await.unwrap(), Origin::Local).unwrap()
}

/// The rows of a statement with these values, of its first column.
async fn with_values(local: &Local, sql: &str, values: &[ScalarValue]) -> Result<Vec<String>, String> {
    let statement = local.session.parse(sql).await.unwrap().pop().unwrap();
    let outcome = local.session.execute(&statement, values).await.map_err(|error| error.report().message)?;
    let Outcome::Rows { mut stream, .. } = outcome else { panic!("{sql} returns no rows") };
    let mut rows = Vec::new();
    while let Some(batch) = stream.next().await {
        let texts = fusewire::server::text_rows(&batch.map_err(|error| error.to_string())?);
        let texts = texts.map_err(|error| error.report().message)?;
        rows.extend(texts.into_iter().map(|row| row[0].clone().unwrap_or_else(|| "NULL".to_owned())));
    }
    Ok(rows)
}

fn integer(number: i32) -> [ScalarValue; 1] {
    [ScalarValue::Int32(Some(number))]
}

/// What is in memory needs no file; what is not, says that it is gone.
#[tokio::test(flavor = "multi_thread")]
async fn keys_that_were_looked_up_are_found_in_memory() {
    const BY_ID: &str = "SELECT name FROM items WHERE id = $1";
    for (size, is_kept) in [(256 << 20, true), (10_000, false), (0, false)] {
        let home = tempfile::tempdir().unwrap();
        let local = at(home.path(), size).await;
        local.rows(ROWS).await;
        // The index is made by the third of them, and the rows of all parts are read by as many as there are.
        for id in (0..30_000).step_by(1_000) {
            let name = format!("item {}", (id + 5) * 7);
            assert_eq!(with_values(&local, BY_ID, &integer(id + 5)).await, Ok(vec![name]), "{size}");
        }
        assert_eq!(local.value("SELECT name FROM items WHERE id = 77").await, "item 539");
        assert_eq!(local.value("SELECT name FROM items WHERE id = 77").await, "item 539");
        for file in files_below(home.path()).iter().filter(|file| file.ends_with(".parquet")) {
            fs::remove_file(home.path().join(file)).unwrap();
        }
        let found = with_values(&local, BY_ID, &integer(1_234)).await;
        match is_kept {
            true => {
                assert_eq!(found, Ok(vec!["item 8638".to_owned()]));
                assert_eq!(with_values(&local, BY_ID, &integer(-1)).await, Ok(vec![]));
                assert_eq!(with_values(&local, BY_ID, &[ScalarValue::Int32(None)]).await, Ok(vec![]));
                assert_eq!(local.value("SELECT name FROM items WHERE id = 77").await, "item 539");
            }
            false => assert!(found.unwrap_err().contains("it is missing")),
        }
        // What no lookup has read is not in memory.
        assert!(local.error("SELECT big FROM items WHERE id + 1 = 78").await.contains("it is missing"));
        assert!(local.error("SELECT name FROM items WHERE big = 77").await.contains("it is missing"));
    }
}

/// Each state of a table has its own rows, whoever looked up which before.
#[tokio::test(flavor = "multi_thread")]
async fn lookups_see_the_rows_of_their_transaction() {
    let engine = Engine::open(Config::default()).await.unwrap();
    let (local, other) = (Local::of(&engine, Origin::Local).unwrap(), Local::of(&engine, Origin::Local).unwrap());
    let by_id = async |local: &Local, id: i32| local.rows(&format!("SELECT name FROM items WHERE id = {id}")).await;
    local.rows(ROWS).await;
    for id in 1..10 {
        assert_eq!(by_id(&local, id).await, [[format!("item {}", id * 7)]]);
    }
    other.rows("BEGIN ISOLATION LEVEL REPEATABLE READ").await;
    assert_eq!(by_id(&other, 3).await, [["item 21"]]);
    local.rows("BEGIN").await;
    local.rows("INSERT INTO items VALUES (3, 'three', 3), (-3, NULL, 3)").await;
    for _ in 0..4 {
        assert_eq!(by_id(&local, 3).await.len(), 2);
        assert_eq!(by_id(&local, -3).await, [["NULL"]]);
        assert_eq!(by_id(&other, 3).await, [["item 21"]]);
        assert!(by_id(&other, -3).await.is_empty());
    }
    local.rows("COMMIT").await;
    local.rows("DROP TABLE items").await;
    local.rows("CREATE TABLE items AS SELECT 3 AS id, 'drei' AS name").await;
    for _ in 0..4 {
        assert_eq!(by_id(&local, 3).await, [["drei"]]);
        assert_eq!(by_id(&other, 3).await, [["item 21"]]);
        assert_eq!(by_id(&other, 30_000).await, [["item 210000"]]);
    }
    other.rows("COMMIT").await;
    assert_eq!(by_id(&other, 3).await, [["drei"]]);
}

/// A condition as it may be looked up, and another that is true of the same rows and cannot.
fn condition(random: &mut Random) -> (String, String) {
    let text = |random: &mut Random| match random.below(12) {
        0 => String::new(),
        1 => "it''s".to_owned(),
        2 => "a text that is longer than twelve bytes".to_owned(),
        number => format!("w{number}"),
    };
    let number = random.between(-3, 60);
    match random.below(12) {
        0..4 => (format!("k = {number}"), format!("k + 1 = {}", number + 1)),
        4 => (format!("{number} = small"), format!("small + 1 = {}", number + 1)),
        5 => {
            let number = number * 3_000_000_000;
            (format!("big = {number}"), format!("big + 1 = {}", number + 1))
        }
        6 => {
            let text = text(random);
            (format!("word = '{text}'"), format!("word || '!' = '{text}!'"))
        }
        7 => {
            let day = format!("2024-01-{:02}", 1 + number.rem_euclid(28));
            (format!("day = DATE '{day}'"), format!("CAST(day AS TEXT) = '{day}'"))
        }
        8 => {
            let list: Vec<i64> = (0..1 + random.below(6)).map(|_| random.between(-3, 60)).collect();
            let written =
                |more: i64| list.iter().map(|number| (number + more).to_string()).collect::<Vec<_>>().join(", ");
            (format!("k IN ({}, NULL)", written(0)), format!("k + 1 IN ({}, NULL)", written(1)))
        }
        9 => {
            let other = random.between(-3, 60);
            (format!("(k = {number} OR {other} = k)"), format!("(k + 1 = {} OR {} = k + 1)", number + 1, other + 1))
        }
        10 => {
            let same =
                random.pick(&["word LIKE 'w%'", "word IS NULL", "(small > 3 OR word IS NOT NULL)", "NOT big < 0"]);
            (same.to_owned(), same.to_owned())
        }
        _ => {
            let operator = random.pick(&["<", ">=", "<>"]);
            (format!("k {operator} {number}"), format!("k + 1 {operator} {}", number + 1))
        }
    }
}

fn values(random: &mut Random) -> String {
    let mut number =
        |most: i64| if random.chance(5) { "NULL".to_owned() } else { random.between(-2, most).to_string() };
    let (k, small, big, day) = (number(55), number(20), number(40), number(27));
    let word =
        random.pick(&["''", "'it''s'", "'a text that is longer than twelve bytes'", "NULL", "'w3'", "'w7'", "'w9'"]);
    format!("({k}::int, {small}::smallint, {big}::bigint * 3000000000, {word}::text, DATE '2024-01-01' + {day}::int)")
}

/// Thousands of lookups beside the same conditions written so that nothing can be looked up.
#[tokio::test(flavor = "multi_thread")]
async fn lookups_find_what_reading_the_table_finds() {
    for seed in 0..4 {
        let mut random = Random::of(&[seed]);
        // With little memory what is kept comes and goes.
        let lookup_cache_size = [256 << 20, 256 << 20, 60_000, 8_000][seed as usize];
        let local = Local::open(Config { lookup_cache_size, ..Config::default() }).await.unwrap();
        let rows =
            |random: &mut Random, count: usize| (0..count).map(|_| values(random)).collect::<Vec<_>>().join(", ");
        for step in 0..200 {
            if step == 0 || random.chance(1) {
                local.rows("DROP TABLE IF EXISTS t").await;
                let rows = rows(&mut random, 200);
                local
                    .rows(&format!("CREATE TABLE t AS SELECT * FROM (VALUES {rows}) AS v(k, small, big, word, day)"))
                    .await;
            }
            if random.chance(3) {
                let rows = rows(&mut random, 3);
                local.rows(&format!("INSERT INTO t VALUES {rows}")).await;
            }
            let mut conditions = vec![condition(&mut random)];
            while random.chance(30) {
                conditions.push(condition(&mut random));
            }
            let columns = random.pick(&["*", "word", "day, k", "k AS a, 7 AS b, small", "big, upper(word)"]);
            let by = |which: fn(&(String, String)) -> &str| {
                let conditions: Vec<&str> = conditions.iter().map(which).collect();
                format!("SELECT {columns} FROM t WHERE {}", conditions.join(" AND "))
            };
            let (looked_up, read) = (by(|(one, _)| one.as_str()), by(|(_, other)| other.as_str()));
            let (mut found, mut expected) = (local.rows(&looked_up).await, local.rows(&read).await);
            found.sort_unstable();
            expected.sort_unstable();
            assert_eq!(found, expected, "seed {seed}, step {step}: {looked_up}");
            let count = local.rows(&format!("{looked_up} LIMIT 2 OFFSET 1")).await.len();
            assert_eq!(count, expected.len().saturating_sub(1).min(2), "seed {seed}, step {step}: {looked_up}");
            let (word, small) = (random.pick(&["word", "word DESC"]), random.pick(&["small", "small DESC NULLS LAST"]));
            let order = format!("ORDER BY {word}, {small}, k, day DESC, big LIMIT {}", random.below(4));
            let found = local.rows(&format!("{looked_up} {order}")).await;
            assert_eq!(found, local.rows(&format!("{read} {order}")).await, "seed {seed}, step {step}: {looked_up}");
        }
    }
}
