//! Files of tables that come and go: small ones are put together, and those of dropped tables stay for who reads them.

use std::{
    path::Path,
    time::{Duration, Instant},
};

use fusewire::{Config, Engine, engine::Origin};

use crate::support::{Local, PATIENCE, files_below};

/// Waits until there are at most so many files of tables.
async fn wait_for_files(data_dir: &Path, most: usize) {
    let started = Instant::now();
    loop {
        let files = files_below(&data_dir.join("tables"));
        if files.len() <= most {
            return;
        }
        assert!(started.elapsed() < PATIENCE, "{} files are still there, expected {most}: {files:?}", files.len());
        tokio::time::sleep(Duration::from_millis(5)).await;
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn small_files_are_put_together_in_the_background() {
    let home = tempfile::tempdir().unwrap();
    let data_dir = home.path().join("data");
    let local = Local::at(&data_dir).await.unwrap();
    local.rows("CREATE TABLE t (id BIGINT)").await;
    for id in 1..=40 {
        local.rows(&format!("INSERT INTO t VALUES ({id})")).await;
    }
    // At least 32 of them are one by then.
    wait_for_files(&data_dir, 9).await;
    // 40 * 41 / 2
    let expected = [["40", "40", "820"]];
    let question = "SELECT count(*), count(DISTINCT id), sum(id) FROM t";
    assert_eq!(local.rows(question).await, expected);
    drop(local);
    let local = Local::at(&data_dir).await.unwrap();
    assert_eq!(local.rows(question).await, expected);
    local.rows("VACUUM t").await;
    wait_for_files(&data_dir, 1).await;
    assert_eq!(local.rows(question).await, expected);
}

#[tokio::test(flavor = "multi_thread")]
async fn the_files_of_a_dropped_table_stay_for_who_reads_them_and_no_longer() {
    let home = tempfile::tempdir().unwrap();
    let data_dir = home.path().join("data");
    let config = Config { data_dir: Some(data_dir.clone()), ..Config::default() };
    let engine = Engine::open(config).await.unwrap();
    let (reader, other) = (Local::of(&engine, Origin::Local).unwrap(), Local::of(&engine, Origin::Local).unwrap());
    other.rows("CREATE TABLE t AS SELECT value FROM generate_series(1, 1000) AS series(value)").await;
    reader.rows("BEGIN; DECLARE held CURSOR WITH HOLD FOR SELECT value FROM t").await;
    other.rows("DROP TABLE t").await;
    assert!(other.error("SELECT * FROM t").await.contains("does not exist"));
    // 1000 * 1001 / 2
    assert_eq!(reader.value("SELECT sum(value) FROM t").await, "500500");
    assert!(!files_below(&data_dir.join("tables")).is_empty());
    reader.rows("COMMIT").await;
    wait_for_files(&data_dir, 0).await;
    assert_eq!(reader.rows("FETCH ALL FROM held").await.len(), 1000);
    reader.rows("CLOSE held").await;
}
