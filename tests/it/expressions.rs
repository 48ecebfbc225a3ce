//! Expressions answered as PostgreSQL answers them, by `tests/oracle/expressions.py` in small.
//!
//! The environment chooses other runs: `FUSEWIRE_EXPRESSIONS_SEED`, `…_EVERY` (of so many signatures one is tried),
//! `…_COUNT` (random expressions), `…_COLLECT` (so many differing ones are made small) and `…_REPORT` (a file for them).
//! `FUSEWIRE_BINARY` is another program to test. `tests/seeds.sh` runs many seeds.

use std::{env, path::Path, process::Command};

use crate::{
    postgresql::Oracle,
    psycopg::python_with_psycopg,
    support::{Served, finished},
};

fn option(name: &str, default: &str) -> String {
    env::var(format!("FUSEWIRE_EXPRESSIONS_{name}")).unwrap_or_else(|_| default.to_owned())
}

#[tokio::test]
async fn signatures_are_postgresql_s() {
    compare("signatures", &["--every", &option("EVERY", "60")]).await;
}

#[tokio::test]
async fn random_expressions_are_postgresql_s() {
    let report = option("REPORT", "");
    let (count, collect) = (option("COUNT", "400"), option("COLLECT", "5"));
    let mut arguments = vec!["--count", &count, "--collect", &collect];
    if !report.is_empty() {
        arguments.extend(["--report", &report]);
    }
    compare("random", &arguments).await;
}

/// Runs the script over two servers of its own; it fails where the answers differ.
async fn compare(what: &str, arguments: &[&str]) {
    let oracle = Oracle::start();
    // With the engine's only collation.
    let made = "CREATE DATABASE expressions TEMPLATE template0 LOCALE 'C.UTF-8'";
    oracle.client().await.batch_execute(made).await.unwrap();
    let server = Served::start(&[]);
    let socket = oracle.socket();
    let folder = socket.parent().unwrap().display();
    let output = Command::new(python_with_psycopg())
        .env("PYTHONDONTWRITEBYTECODE", "1")
        .arg(Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/oracle/expressions.py"))
        .arg(what)
        .arg(format!("host={folder} user=postgres dbname=expressions"))
        .arg(format!("host=127.0.0.1 port={} user=ada dbname=fusewire", server.port))
        .args(["--seed", &option("SEED", "15")])
        .args(arguments)
        .output()
        .unwrap();
    let said = finished(&output).unwrap_or_else(|failed| panic!("{failed}"));
    println!("{said}");
    assert!(said.contains(": compared "), "{said}");
    server.stop();
}
