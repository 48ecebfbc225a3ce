//! Whoever writes a wrong statement is told so in SQL's words: no type of Arrow, no tree, no list of candidates, nothing
//! that blames a bug.

use crate::support::Local;

const TABLES: &str = "CREATE TABLE t (id INT, name TEXT, amount NUMERIC(10,2), d DATE, ts TIMESTAMP, ok BOOLEAN, b BYTEA) \
                      AS VALUES (1, 'ab', 1.5, DATE '2024-01-01', TIMESTAMP '2024-01-01 00:00:00', true, \
                      '\\x00ff'::bytea); \
                      CREATE TABLE u (id INT, name TEXT, customer_id INT, a INT) AS VALUES (1, 'x', 2, 3); \
                      CREATE TABLE orders (\"customerId\" INT, total INT) AS VALUES (1, 2); \
                      CREATE VIEW v AS SELECT 1 AS one";

/// Words of the query engine and its libraries.
const BANNED: &[&str] = &[
    "DataFusion",
    "datafusion",
    "Candidate",
    "Internal error",
    "internal error",
    "bug",
    "Utf8",
    "Int8",
    "Int16",
    "Int32",
    "Int64",
    "Float32",
    "Float64",
    "Decimal128",
    "Date32",
    "Timestamp(",
    "Time64",
    "MonthDayNano",
    "Struct(",
    "List(",
    "Ident",
    "Span",
    " { ",
    "Execution error",
    "Error during planning",
    "Arrow error",
    "ScalarFunction",
    "sqltorel",
    "Parquet",
];

/// One fault of our own at most is told as ours; a statement is never the cause of one.
const INTERNAL: &str = "XX000";

#[tokio::test(flavor = "multi_thread")]
async fn wrong_statements_are_told_in_words_of_sql() {
    let local = Local::open(fusewire::Config::default()).await.unwrap();
    local.rows(TABLES).await;
    let (mut wrong, mut refused) = (Vec::new(), 0);
    for statement in include_str!("../data/wrong_statements.sql").lines().filter(|line| !line.starts_with("--")) {
        let Err(error) = local.try_rows(statement).await else { continue };
        refused += 1;
        let report = error.report();
        let told = format!("{} {}", report.message, report.hint.as_deref().unwrap_or_default());
        let banned = BANNED.iter().find(|banned| told.contains(**banned) && !statement.contains(**banned));
        if banned.is_some() || report.code == INTERNAL {
            wrong.push(format!("{statement}\n    {}: {told}", report.code));
        }
    }
    assert!(refused > 250, "{refused} statements are refused, which is too few for this test to say much");
    assert!(wrong.is_empty(), "{} of {refused}:\n{}", wrong.len(), wrong.join("\n"));
}

/// The place is one in the text that the client sent: that of CREATE VIEW, or none where the text of a view is wrong.
#[tokio::test]
async fn places_are_in_the_text_of_the_client() {
    let local = Local::open(fusewire::Config::default()).await.unwrap();
    local.rows("CREATE TABLE t AS SELECT 1 AS id; CREATE VIEW over_t AS SELECT id + 1 AS following FROM t").await;
    for (statement, position) in [
        // PostgreSQL 15's.
        ("CREATE VIEW w AS SELECT nosuch FROM t", Some(25)),
        ("CREATE VIEW w AS\n  SELECT id,\n   nosuch FROM t", Some(34)),
        ("CREATE VIEW w AS SELECT id FROM nosuch", Some(33)),
        ("CREATE OR REPLACE VIEW w (a) AS SELECT id, nosuch FROM t", Some(44)),
        ("SELECT 1; CREATE VIEW w AS SELECT nosuch FROM t", Some(35)),
    ] {
        let error = local.try_rows(statement).await.unwrap_err();
        assert_eq!(error.report().position, position, "{statement}");
    }
    local.rows("CREATE OR REPLACE TABLE t AS SELECT 'x' AS other").await;
    let error = local.try_rows("SELECT   following   FROM   over_t").await.unwrap_err();
    assert_eq!(error.report().position, None);
    assert!(error.report().message.ends_with("; in the view \"over_t\""), "{error}");
}
