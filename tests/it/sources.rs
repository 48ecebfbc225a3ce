//! A source that a program adds to the engine: STORED AS names it, conditions and limits reach it, and its tables are kept
//! as those of files are.

use fusewire::{
    Config, Engine,
    engine::{EngineBuilder, Origin},
};

use self::add_source::Squares;
use crate::support::Local;

#[path = "../../examples/add_source.rs"]
#[allow(dead_code)]
mod add_source;

const CREATE: &str = "CREATE EXTERNAL TABLE squares STORED AS Squares LOCATION '0..3000000000'";

async fn opened(builder: EngineBuilder) -> Local {
    Local::of(&builder.open().await.unwrap(), Origin::Local).unwrap()
}

async fn with_squares() -> Local {
    opened(Engine::builder(Config::default()).source(Squares)).await
}

#[tokio::test(flavor = "multi_thread")]
async fn conditions_and_limits_reach_a_source() {
    let local = with_squares().await;
    local.rows(CREATE).await;
    // Who read them all would take minutes.
    let rows = local.rows("SELECT n, square FROM squares WHERE n > 2999999997 ORDER BY n").await;
    assert_eq!(rows, [["2999999998", "8999999988000000004"], ["2999999999", "8999999994000000001"]]);
    for (condition, count) in [
        ("n = 5", "1"),
        ("n = -5", "0"),
        ("n < 5", "5"),
        ("7 >= n", "8"),
        ("n BETWEEN 10 AND 19", "10"),
        ("n BETWEEN 19 AND 10", "0"),
        ("n > 10 AND n < 20 AND square % 2 = 0", "4"),
        ("n < 100 AND square = 49", "1"),
        ("n < 100 AND (n = 3 OR n = 4)", "2"),
        ("n > 9223372036854775806", "0"),
        ("n < 5 AND n > 7", "0"),
    ] {
        let sql = format!("SELECT count(*) FROM squares WHERE {condition}");
        assert_eq!(local.value(&sql).await, count, "{condition}");
    }
    assert_eq!(local.value("SELECT count(*) FROM (SELECT n FROM squares LIMIT 3) AS s").await, "3");
    let joined = "SELECT sum(square) FROM squares AS s JOIN (VALUES (2), (3)) AS v(n) USING (n) WHERE s.n < 9";
    assert_eq!(local.value(joined).await, "13");
    let plan = local.rows("EXPLAIN SELECT n FROM squares WHERE n > 5 LIMIT 2").await.concat().join("\n");
    for part in ["TableScan: squares projection=[n], full_filters=[squares.n > Int64(5)]", "projection=[n], fetch=2"] {
        assert!(plan.contains(part), "{plan}");
    }
    assert!(!plan.contains("FilterExec"), "{plan}");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_source_is_told_of_as_files_are() {
    let local = with_squares().await;
    local.rows(CREATE).await;
    let told = local.rows("SELECT name, kind, format, location, columns FROM fusewire.sources").await;
    assert_eq!(told, [["squares", "external table", "squares", "0..3000000000", "2"]]);
    let columns = local.rows("DESCRIBE squares").await;
    assert_eq!(columns, [["n", "bigint", "NO"], ["square", "bigint", "NO"]]);
    for (sql, message) in [
        (
            "CREATE EXTERNAL TABLE t STORED AS cubes LOCATION '0..9'",
            "unknown format CUBES, expected one of csv, tsv, json, parquet, arrow, avro, excel, squares",
        ),
        (
            "CREATE EXTERNAL TABLE t STORED AS squares LOCATION 'few'",
            "'few' is not a usable location: expected two numbers, as in 0..1000",
        ),
        (
            "CREATE EXTERNAL TABLE t (n BIGINT) STORED AS squares LOCATION '0..9'",
            "squares have the columns n and square; declare none",
        ),
        (
            "CREATE EXTERNAL TABLE t STORED AS squares LOCATION '0..9' OPTIONS (step '2')",
            "squares have no options; leave step out",
        ),
    ] {
        let report = local.report(sql).await;
        assert_eq!((report.code, report.message.as_str()), ("22023", message));
    }
    local.rows("CREATE EXTERNAL TABLE far STORED AS squares LOCATION '4000000000..4000000002'").await;
    let report = local.report("SELECT square FROM far").await;
    assert_eq!(
        (report.code, report.message.as_str()),
        ("22003", "the square of 4000000000 is out of range for type bigint")
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn tables_of_a_source_are_kept_for_engines_that_have_it() {
    let home = tempfile::tempdir().unwrap();
    let config = Config { data_dir: Some(home.path().join("data")), ..Config::default() };
    let first = opened(Engine::builder(config.clone()).source(Squares)).await;
    first.rows(CREATE).await;
    drop(first);
    let without = opened(Engine::builder(config.clone())).await;
    assert_eq!(
        without.error("SELECT * FROM squares LIMIT 1").await,
        "unknown format squares, expected one of csv, tsv, json, parquet, arrow, avro, excel"
    );
    drop(without);
    let with = opened(Engine::builder(config).source(Squares)).await;
    assert_eq!(with.value("SELECT square FROM squares WHERE n = 12").await, "144");
}

#[tokio::test]
async fn no_two_sources_have_one_name() {
    let twice = Engine::builder(Config::default()).source(Squares).source(Squares).open().await;
    assert_eq!(
        twice.err().map(|error| error.to_string()).as_deref(),
        Some("there is a source squares already; give the one that is added another name")
    );
}
