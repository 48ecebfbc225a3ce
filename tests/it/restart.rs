//! What survives a restart, and who may hold a data directory.

use std::{fs, os::unix::fs::PermissionsExt, path::Path};

use crate::support::{Local, Served, files_below, run_sql};

const SECRET: &str = "sehr-geheimer-schluessel-7d1f";
const KEY: &str = "AKIA-zugang-93c2";

/// A small model over a table `ratings`.
const TRAIN: &str = "SELECT * FROM train('taste', (SELECT user_id, item_id, rating FROM ratings), target => 'rating', \
                     user => 'user_id', item => 'item_id', factors => 2, epochs => 3)";

/// Two hundred ratings by twenty users.
const RATINGS: &str = "CREATE TABLE ratings AS SELECT 'u' || (value % 20) AS user_id, 'i' || (value * 7 % 11) AS item_id, \
                       CAST(1 + (value * 13 % 17) % 5 AS DOUBLE) AS rating FROM generate_series(1, 200) AS series(value)";

#[tokio::test(flavor = "multi_thread")]
async fn everything_survives_a_restart() {
    let home = tempfile::tempdir().unwrap();
    let data_dir = home.path().join("data");
    let csv = home.path().join("prices.csv");
    fs::write(&csv, "item_id,price\ni1,2.50\ni2,3.75\n").unwrap();
    let first = Local::at(&data_dir).await.unwrap();
    first.rows(RATINGS).await;
    first.rows("CREATE VIEW loud AS SELECT user_id, max(rating) AS best FROM ratings GROUP BY user_id").await;
    first.rows(&format!("CREATE EXTERNAL TABLE prices STORED AS CSV LOCATION '{}'", csv.display())).await;
    first.rows(TRAIN).await;
    first
        .rows("CREATE TABLE gone AS SELECT 1 AS x; CREATE VIEW lost AS SELECT 1 AS x; DROP TABLE gone; DROP VIEW lost")
        .await;
    first.rows("COMMENT ON TABLE ratings IS 'what people think'").await;
    let questions = [
        "SELECT count(*), sum(rating) FROM ratings",
        "SELECT * FROM loud ORDER BY user_id",
        "SELECT * FROM prices ORDER BY item_id",
        "SELECT * FROM predict('taste', (SELECT user_id, item_id FROM ratings)) ORDER BY 1, 2, 3",
        "SELECT * FROM recommend('taste', (SELECT 'u3' AS user_id), k => 4) ORDER BY rank",
    ];
    let mut answers = Vec::new();
    for question in questions {
        answers.push(first.rows(question).await);
    }
    let visible = first.visible().await;
    drop(first);

    let second = Local::at(&data_dir).await.unwrap();
    for (question, answer) in questions.iter().zip(&answers) {
        assert_eq!(&second.rows(question).await, answer, "{question}");
    }
    assert_eq!(second.visible().await, visible);
    assert!(visible.contains("what people think"), "{visible}");
    for name in ["gone", "lost"] {
        assert!(second.error(&format!("SELECT * FROM {name}")).await.contains(name));
    }

    // A view is its text: it sees the rows that a later process writes.
    second.rows("INSERT INTO ratings VALUES ('new', 'i1', 5)").await;
    assert_eq!(second.value("SELECT count(*) FROM loud").await, "21");
    second.rows("DROP MODEL taste; DROP VIEW loud; DROP TABLE prices; DROP TABLE ratings").await;
    drop(second);
    let third = Local::at(&data_dir).await.unwrap();
    assert_eq!(third.value("SELECT count(*) FROM fusewire.sources").await, "0");
    assert_eq!(third.value("SELECT count(*) FROM fusewire.model_versions").await, "0");
    assert!(third.error("SELECT * FROM evaluate('taste')").await.contains("taste"));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_directory_of_the_format_before_opens() {
    let home = tempfile::tempdir().unwrap();
    let data_dir = home.path().join("data");
    let kept = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/data/data_directories/format_1");
    for file in files_below(&kept) {
        let target = data_dir.join(&file);
        fs::create_dir_all(target.parent().unwrap()).unwrap();
        fs::copy(kept.join(&file), target).unwrap();
    }
    let first = Local::at(&data_dir).await.unwrap();
    // Sixty ratings from 1 to 5, as many of each, and one of 2.5; whoever rated has rated something with a 5.
    assert_eq!(first.rows("SELECT count(*), sum(rating) FROM ratings").await, [["61", "182.5"]]);
    assert_eq!(first.rows("SELECT count(*), min(most), max(most) FROM best").await, [["7", "5.0", "5.0"]]);
    let sources = "SELECT schema, name, kind, columns, rows, comment FROM fusewire.sources ORDER BY 1, 2";
    let expected = [
        ["public", "best", "view", "2", "NULL", "what each liked most"],
        ["public", "prices", "external table", "2", "NULL", "NULL"],
        ["public", "ratings", "table", "4", "61", "NULL"],
        ["sales", "empty", "table", "2", "0", "NULL"],
    ];
    assert_eq!(first.rows(sources).await, expected);
    let predict = "SELECT * FROM predict('taste', (SELECT user_id, item_id FROM ratings)) ORDER BY 1, 2, 3";
    let predicted = first.rows(predict).await;
    assert_eq!(predicted.len(), 61);
    first.rows("INSERT INTO ratings VALUES ('u1', 'i1', 2.5, NULL)").await;
    assert!(first.error("INSERT INTO ratings VALUES (NULL, 'i1', 2.5, NULL)").await.contains("user_id"));
    first.rows("DROP SCHEMA sales CASCADE").await;
    drop(first);
    let second = Local::at(&data_dir).await.unwrap();
    assert_eq!(second.value("SELECT count(*) FROM ratings").await, "62");
    assert_eq!(second.value("SELECT count(*) FROM fusewire.sources").await, "3");
    second.rows("CREATE OR REPLACE TABLE ratings AS SELECT * FROM ratings WHERE at IS NOT NULL").await;
    assert_eq!(second.value("SELECT count(*) FROM ratings").await, "60");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_secret_is_for_its_owner_alone_and_never_shown() {
    let home = tempfile::tempdir().unwrap();
    let data_dir = home.path().join("data");
    let first = Local::at(&data_dir).await.unwrap();
    let create = format!(
        "CREATE SECRET vault (TYPE s3, KEY_ID '{KEY}', SECRET '{SECRET}', REGION 'eu-north-1', \
         ENDPOINT 'http://127.0.0.1:1', SCOPE 's3://cellar/')"
    );
    first.rows(&create).await;
    drop(first);
    for file in files_below(&data_dir).iter().filter(|file| file.starts_with("manifest/")) {
        let mode = fs::metadata(data_dir.join(file)).unwrap().permissions().mode();
        assert_eq!(mode & 0o777, 0o600, "{file} can be read by others");
    }
    assert_eq!(fs::metadata(&data_dir).unwrap().permissions().mode() & 0o077, 0, "others can look into the directory");

    let second = Local::at(&data_dir).await.unwrap();
    let again = second.error(&create).await;
    assert!(again.contains("vault") && again.contains("already exists"), "{again}");
    let mut shown = format!("{again}{}", second.visible().await);
    shown += &format!("{:?}", second.rows("SHOW ALL").await);
    shown += &format!("{:?}", second.rows("SELECT * FROM fusewire.settings").await);
    shown += &format!("{:?}", second.rows("SELECT * FROM information_schema.tables").await);
    // Nobody listens there: the error names the place, and not the key.
    shown +=
        second.error("CREATE EXTERNAL TABLE wine STORED AS PARQUET LOCATION 's3://cellar/wine.parquet'").await.as_str();
    shown += second.error("EXPLAIN SELECT * FROM 's3://cellar/wine.parquet'").await.as_str();
    shown += second.error("CREATE SECRET other (TYPE s3, KEY_ID 'a', SECRET 'b', COLOUR 'red')").await.as_str();
    assert!(shown.contains("cellar"), "{shown}");
    assert!(!shown.contains(SECRET) && !shown.contains(KEY), "{shown}");
    second.rows("DROP SECRET vault").await;
    drop(second);
    let third = Local::at(&data_dir).await.unwrap();
    third.rows(&create).await;
}

#[test]
fn a_second_process_is_told_who_holds_the_directory() {
    let home = tempfile::tempdir().unwrap();
    let data_dir = home.path().join("data");
    let server = Served::start(&["--data-dir", &data_dir.display().to_string()]);
    server.query("CREATE TABLE t AS SELECT 1 AS x");
    let refused = run_sql(&data_dir, "SELECT 1").unwrap_err();
    let holder = format!("process {}", server.id());
    assert!(refused.contains(&holder) && refused.contains("serve"), "{refused}");
    assert!(refused.contains(&data_dir.canonicalize().unwrap().display().to_string()), "{refused}");
    server.stop();
    assert_eq!(run_sql(&data_dir, "SELECT x FROM t").unwrap(), "x\n1\n");
}

#[test]
fn a_directory_of_something_else_is_refused() {
    let home = tempfile::tempdir().unwrap();
    let tables = home.path().join("tables");
    fs::create_dir(&tables).unwrap();
    fs::write(tables.join("holiday.jpg"), "not ours").unwrap();
    let refused = run_sql(home.path(), "SELECT 1").unwrap_err();
    assert!(refused.contains("holiday.jpg") && refused.contains("no manifest"), "{refused}");
    assert!(Path::exists(&tables.join("holiday.jpg")));
}

// Symptom: a file that COPY had written into the data directory was gone after a restart. Cause: what no manifest knows
// there is removed. Fix: nothing but the engine writes there.
#[tokio::test(flavor = "multi_thread")]
async fn nobody_copies_into_the_data_directory() {
    let home = tempfile::tempdir().unwrap();
    let data_dir = home.path().join("data");
    let local = Local::at(&data_dir).await.unwrap();
    for target in [data_dir.join("tables/mine.csv"), data_dir.join("new/mine.parquet")] {
        let error = local.error(&format!("COPY (SELECT 1 AS a) TO '{}'", target.display())).await;
        assert!(error.contains("is in the data directory"), "{error}");
        assert!(!target.exists());
    }
    local.rows(&format!("COPY (SELECT 1 AS a) TO '{}'", home.path().join("mine.csv").display())).await;
    assert!(home.path().join("mine.csv").is_file());
}
