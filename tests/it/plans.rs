//! Plans say where conditions are tried: a statement's own reach the scan of the table that they are about, and what
//! joins and limits learn reaches the scans below them. Where two tables have columns of one name, the position
//! decides.

use fusewire::Config;

use crate::support::Local;

/// A table of many rows and two of few, all with the same column names, as Parquet files and as managed tables.
async fn star(format: &str) -> (Local, tempfile::TempDir) {
    let local = Local::open(Config { threads: 2, ..Config::default() }).await.unwrap();
    let home = tempfile::tempdir().unwrap();
    let rows = [
        ("facts", "value AS id, value % 1000 AS left_id, value % 500 AS right_id", "1, 10000"),
        ("lefts", "value AS id, value % 10 AS left_id, value AS right_id", "0, 999"),
        ("rights", "value AS id, value AS left_id, value % 20 AS right_id", "0, 499"),
    ];
    for (name, columns, values) in rows {
        let query = format!("SELECT {columns} FROM generate_series({values}) AS s(value)");
        if format == "managed" {
            local.rows(&format!("CREATE TABLE {name} AS {query}")).await;
            continue;
        }
        let path = home.path().join(format!("{name}.{format}")).display().to_string();
        local.rows(&format!("COPY ({query}) TO '{path}'")).await;
        local.rows(&format!("CREATE EXTERNAL TABLE {name} LOCATION '{path}'")).await;
    }
    (local, home)
}

/// The physical plan, a line an operator.
async fn plan(local: &Local, explain: &str, query: &str) -> Vec<String> {
    let lines = local.rows(&format!("{explain} {query}")).await.concat();
    // The lines of a plan stand further in than the word for its kind; the physical one is the last.
    let headline = lines.iter().rposition(|line| !line.starts_with(' ')).unwrap_or_else(|| panic!("{lines:?}"));
    lines[headline + 1..].to_vec()
}

/// What a line of `EXPLAIN ANALYZE` says of this measure, without its unit.
fn measured(line: &str, measure: &str) -> String {
    let said = line.split(&format!("{measure}=")).nth(1).unwrap_or_else(|| panic!("no {measure} in {line}"));
    said.split([',', ']']).next().unwrap_or_default().trim().to_owned()
}

/// The scans of the plan, the one with most columns first: that of the facts.
fn scans(plan: &[String]) -> Vec<&String> {
    plan.iter().filter(|line| line.contains("DataSourceExec")).collect()
}

const STAR: &str = "SELECT count(*) FROM facts f JOIN lefts l ON f.left_id = l.id JOIN rights r ON f.right_id = r.id \
                    WHERE l.left_id = 3 AND r.right_id > 12";

#[tokio::test(flavor = "multi_thread")]
async fn conditions_reach_the_scan_of_their_table() {
    for format in ["parquet", "managed"] {
        let (local, _home) = star(format).await;
        let plan = plan(&local, "EXPLAIN", STAR).await;
        let all = plan.join("\n");
        let with = |condition: &str| scans(&plan).iter().filter(|scan| scan.contains(condition)).count();
        assert_eq!((with("left_id@1 = 3"), with("right_id@2 > 12")), (1, 1), "{format}: {all}");
        assert_eq!(
            (with("pruning_predicate=left_id_"), with("pruning_predicate=right_id_")),
            (1, 1),
            "{format}: {all}"
        );
        assert_eq!(with("DynamicFilter"), 1, "{format}: {all}");
    }
    let (local, _home) = star("csv").await;
    let plan = plan(&local, "EXPLAIN", STAR).await;
    assert!(!plan.join("\n").contains("predicate="), "a CSV file is read whole: {}", plan.join("\n"));
}

#[tokio::test(flavor = "multi_thread")]
async fn what_joins_learn_leaves_rows_out_of_the_scan() {
    for format in ["parquet", "managed"] {
        let (local, _home) = star(format).await;
        let expected = local.value(STAR).await;
        for threshold in ["1000000", "0"] {
            for name in ["hash_join_single_partition_threshold", "hash_join_single_partition_threshold_rows"] {
                local.rows(&format!("SET datafusion.optimizer.{name} = {threshold}")).await;
            }
            let analyzed = plan(&local, "EXPLAIN ANALYZE", STAR).await;
            let facts: Vec<_> =
                scans(&analyzed).into_iter().filter(|scan| scan.contains("projection=[left_id, right_id]")).collect();
            assert_eq!(facts.len(), 1, "{}", analyzed.join("\n"));
            assert_eq!(measured(facts[0], "output_rows"), expected, "{format}: {}", analyzed.join("\n"));
        }
        assert_eq!(expected, "500");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn what_a_limit_learns_reaches_the_scan_through_a_join() {
    let (local, _home) = star("parquet").await;
    let query = "SELECT l.id, f.id FROM facts f JOIN lefts l ON f.left_id = l.id ORDER BY f.id LIMIT 3";
    let plan = plan(&local, "EXPLAIN", query).await;
    let facts = scans(&plan).into_iter().filter(|scan| scan.contains("projection=[id, left_id]"));
    // The join's condition and the limit's.
    let filters: Vec<usize> = facts.map(|scan| scan.matches("DynamicFilter").count()).collect();
    assert_eq!(filters, [2], "{}", plan.join("\n"));
    assert_eq!(local.rows(query).await, [["1", "1"], ["2", "2"], ["3", "3"]]);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_limit_over_an_order_sorts_few_rows() {
    let (local, _home) = star("managed").await;
    let query = "SELECT id, left_id FROM facts ORDER BY left_id, id LIMIT 3";
    for (query, fetch, limits) in [(query.to_owned(), 3, 0), (format!("{query} OFFSET 2"), 5, 1)] {
        let plan = plan(&local, "EXPLAIN", &query).await;
        let with = |text: &str| plan.iter().filter(|line| line.contains(text)).count();
        let all = plan.join("\n");
        assert_eq!((with("SortExec"), with(&format!("TopK(fetch={fetch})"))), (1, 1), "{all}");
        assert_eq!(with("LimitExec"), limits, "{all}");
    }
    assert_eq!(local.rows(query).await, [["1000", "0"], ["2000", "0"], ["3000", "0"]]);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_condition_that_can_fail_waits_for_its_guard() {
    let (local, home) = star("parquet").await;
    let path = home.path().join("texts.parquet").display().to_string();
    let rows = "SELECT value AS id, value % 3 AS x, CASE WHEN value % 2 = 0 THEN 'none' ELSE value::text END AS s \
                FROM generate_series(1, 10000) AS s(value)";
    local.rows(&format!("COPY ({rows}) TO '{path}'")).await;
    local.rows(&format!("CREATE EXTERNAL TABLE texts LOCATION '{path}'")).await;
    let query = "SELECT count(*) FROM texts WHERE id > 10 AND x <> 0 AND s <> 'none' AND 10 % x = 1 AND s::int > 50";
    let plan = plan(&local, "EXPLAIN", query).await;
    let scan = scans(&plan)[0];
    assert!(scan.contains("predicate=id@0 > 10 AND x@1 != 0 AND s@2 != none,"), "{scan}");
}

#[tokio::test(flavor = "multi_thread")]
async fn rows_are_sorted_where_another_column_of_that_name_is_constant() {
    let local = Local::open(Config { threads: 2, ..Config::default() }).await.unwrap();
    let rows = "SELECT value * 7919 % 1000, [value] FROM generate_series(1, 1000) AS s(value)";
    local.rows(&format!("CREATE TABLE a (id INT, l INT[]) AS {rows}")).await;
    local.rows("CREATE TABLE b (id INT) AS VALUES (5)").await;
    let query = "SELECT a.id, b.id, unnest(a.l) AS u FROM a JOIN b ON true WHERE b.id = 5 ORDER BY a.id";
    let plan = plan(&local, "EXPLAIN", query).await;
    assert!(plan.iter().any(|line| line.contains("SortExec")), "{}", plan.join("\n"));
    let ids: Vec<String> = local.rows(query).await.into_iter().map(|row| row[0].clone()).collect();
    let expected: Vec<String> = (0..1000).map(|id: u32| id.to_string()).collect();
    assert_eq!(ids, expected);
}

#[tokio::test(flavor = "multi_thread")]
async fn the_year_of_a_column_reaches_the_scan_as_its_bounds() {
    let local = Local::open(Config { threads: 2, ..Config::default() }).await.unwrap();
    let home = tempfile::tempdir().unwrap();
    let path = home.path().join("times.parquet").display().to_string();
    let times = "SELECT t, t AT TIME ZONE 'UTC' AS i, t::date AS d, arrow_cast(t, 'Timestamp(ns)') AS n \
                 FROM generate_series(timestamp '2020-01-01', timestamp '2025-12-31', '1 day') AS s(t)";
    local.rows(&format!("COPY ({times}) TO '{path}'")).await;
    local.rows(&format!("CREATE EXTERNAL TABLE times LOCATION '{path}'")).await;
    for column in ["t", "i", "d", "n"] {
        for part in ["extract(year FROM", "date_part('year',"] {
            let query = format!("SELECT count(*) FROM times WHERE {part} {column}) = 2024");
            let plan = plan(&local, "EXPLAIN", &query).await.join("\n");
            assert!(plan.contains(&format!("pruning_predicate={column}_")), "{query}: {plan}");
            assert_eq!(local.value(&query).await, "366", "{query}");
        }
    }
}
