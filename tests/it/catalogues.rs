//! The relations of `pg_catalog` and `information_schema` beside PostgreSQL's: all of them, with the same columns of the same
//! types.

use tokio_postgres::{Client, NoTls, SimpleQueryMessage};

use crate::{postgresql::Oracle, support::Served};

/// Every column of every relation.
const COLUMNS: &str = "SELECT n.nspname, c.relname, c.oid, a.attnum, a.attname, t.typname, a.attnotnull \
                       FROM pg_catalog.pg_attribute a JOIN pg_catalog.pg_class c ON c.oid = a.attrelid \
                       JOIN pg_catalog.pg_namespace n ON n.oid = c.relnamespace \
                       JOIN pg_catalog.pg_type t ON t.oid = a.atttypid \
                       WHERE n.nspname IN ('pg_catalog', 'information_schema') AND c.relkind IN ('r', 'v') AND a.attnum > 0 \
                       ORDER BY n.nspname, c.relname, a.attnum";

/// Arrays of rows, which are texts here.
const ROWS: (&str, &str) = ("pg_statistic_ext_data", "stxdexpr");

#[tokio::test]
async fn relations_are_those_of_postgresql() {
    let oracle = Oracle::start();
    let theirs = oracle.client().await;
    let server = Served::start(&[]);
    let target = format!("host=127.0.0.1 port={} user=ada dbname=fusewire", server.port);
    let (ours, connection) = tokio_postgres::connect(&target, NoTls).await.unwrap();
    tokio::spawn(connection);

    let (wanted, found) = (rows(&theirs, COLUMNS).await, rows(&ours, COLUMNS).await);
    assert!(wanted.len() > 2_000, "PostgreSQL tells of {} columns", wanted.len());
    for (wanted, found) in wanted.iter().zip(&found) {
        assert_eq!(found, wanted);
    }
    assert_eq!(found.len(), wanted.len());

    let mut relations: Vec<(String, String)> = wanted.iter().map(|row| (row[0].clone(), row[1].clone())).collect();
    relations.dedup();
    for (schema, name) in relations {
        let query = format!("SELECT * FROM {schema}.{name}");
        assert_eq!(types(&ours, &query, &name).await, types(&theirs, &query, &name).await, "{query}");
        // Each can be read to its end.
        rows(&ours, &query).await;
    }
}

async fn rows(client: &Client, query: &str) -> Vec<Vec<String>> {
    let messages = client.simple_query(query).await.unwrap_or_else(|error| panic!("{query}: {error}"));
    let rows = messages.into_iter().filter_map(|message| match message {
        SimpleQueryMessage::Row(row) => {
            Some((0..row.len()).map(|column| row.get(column).unwrap_or("NULL").to_owned()).collect())
        }
        _ => None,
    });
    rows.collect()
}

/// The columns that a client is told of, with the numbers of their types.
async fn types(client: &Client, query: &str, relation: &str) -> Vec<(String, u32)> {
    let statement = client.prepare(query).await.unwrap_or_else(|error| panic!("{query}: {error}"));
    let columns = statement.columns().iter().filter(|column| (relation, column.name()) != ROWS);
    columns.map(|column| (column.name().to_owned(), column.type_().oid())).collect()
}
