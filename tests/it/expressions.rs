//! Expressions answered as PostgreSQL answers them, by `tests/oracle/expressions.py` in small.
//!
//! `FUSEWIRE_EXPRESSIONS_SEED` chooses other ones, and `FUSEWIRE_BINARY` another program to test. The script itself says
//! how to run it in full.

use std::{env, path::Path, process::Command};

use crate::{
    postgresql::Oracle,
    psycopg::python_with_psycopg,
    support::{Served, finished},
};

/// Every so many signatures one is tried.
const EVERY: &str = "60";

const RANDOM_EXPRESSIONS: &str = "400";

#[tokio::test]
async fn signatures_are_postgresql_s() {
    compare(&["signatures", "--every", EVERY]).await;
}

#[tokio::test]
async fn random_expressions_are_postgresql_s() {
    compare(&["random", "--count", RANDOM_EXPRESSIONS, "--collect", "5"]).await;
}

/// Runs the script over two servers of its own; it fails where the answers differ.
async fn compare(arguments: &[&str]) {
    let oracle = Oracle::start();
    // The engine's only collation.
    let made = "CREATE DATABASE expressions TEMPLATE template0 LOCALE 'C.UTF-8'";
    oracle.client().await.batch_execute(made).await.unwrap();
    let server = Served::start(&[]);
    let socket = oracle.socket();
    let folder = socket.parent().unwrap().display();
    let seed = env::var("FUSEWIRE_EXPRESSIONS_SEED").unwrap_or_else(|_| "15".to_owned());
    let script = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/oracle/expressions.py");
    let output = Command::new(python_with_psycopg())
        .env("PYTHONDONTWRITEBYTECODE", "1")
        .arg(script)
        .args(arguments)
        .arg(format!("host={folder} user=postgres dbname=expressions"))
        .arg(format!("host=127.0.0.1 port={} user=ada dbname=fusewire", server.port))
        .args(["--seed", &seed])
        .output()
        .unwrap();
    let said = finished(&output).unwrap_or_else(|failed| panic!("{failed}"));
    assert!(said.contains("other value: 0 in"), "{said}");
    println!("{said}");
    server.stop();
}
