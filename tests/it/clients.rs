//! Clients that people use, against a server that runs as a process of its own: psql and psycopg 3.

use std::{
    fs,
    io::Write,
    path::Path,
    process::{Command, Stdio},
};

use crate::{
    postgresql::Oracle,
    psycopg::python_with_psycopg,
    support::{Served, finished, psql},
};

/// Types whose values are PostgreSQL's in every step of `clients/types/`; `clients/types.sh` asks for all, and more clients.
const TYPES: &[&str] = &[
    "boolean",
    "smallint",
    "integer",
    "bigint",
    "numeric(10,2)",
    "real",
    "double precision",
    "text",
    "varchar(5)",
    "bytea",
    "uuid",
    "time",
    "boolean[]",
    "boolean[][]",
    "text[][]",
    "bytea[][]",
    "uuid[]",
    "uuid[][]",
];

/// Runs a script through psql's standard input, as a person would type it, with its usual output.
fn psql_session(server: &Served, script: &str) -> String {
    let mut command = Command::new(psql());
    command.args(["-X", "-h", "127.0.0.1", "-p", &server.port.to_string(), "-U", "ada", "-d", "fusewire"]);
    command.env("PGCLIENTENCODING", "UTF8").stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped());
    let mut child = command.spawn().unwrap();
    child.stdin.take().unwrap().write_all(script.as_bytes()).unwrap();
    let output = child.wait_with_output().unwrap();
    let text = format!("{}{}", String::from_utf8_lossy(&output.stdout), String::from_utf8_lossy(&output.stderr));
    text.lines().map(|line| format!("{}\n", line.trim_end())).collect()
}

#[test]
fn psql_shows_tables_as_it_always_does() {
    let server = Served::start(&[]);
    let script = "CREATE TABLE fruit AS SELECT * FROM (VALUES (1, 'apple', 0.5), (2, 'pear', NULL)) AS f(id, name, price);\n\
                  SELECT * FROM fruit ORDER BY id;\n\
                  SELECT count(*) AS n, true AS yes, DATE '2020-02-29' AS day FROM fruit;\n\
                  INSERT INTO fruit VALUES (3, 'fig', 2.25);\n\
                  \\pset null '(none)'\n\
                  \\x on\n\
                  SELECT name, price FROM fruit WHERE id >= 2 ORDER BY id;\n";
    let expected = "\
SELECT 2
 id | name  | price
----+-------+-------
  1 | apple |   0.5
  2 | pear  |
(2 rows)

 n | yes |    day
---+-----+------------
 2 | t   | 2020-02-29
(1 row)

INSERT 0 1
Null display is \"(none)\".
Expanded display is on.
-[ RECORD 1 ]-
name  | pear
price | (none)
-[ RECORD 2 ]-
name  | fig
price | 2.25

";
    assert_eq!(psql_session(&server, script), expected);
    server.stop();
}

#[test]
fn psql_shows_errors_with_their_place_and_code() {
    let server = Served::start(&[]);
    let script = "\\set VERBOSITY verbose\n\
                  SELECT nothing FROM nowhere;\n\
                  SELECT 1 +;\n\
                  SELECT 1 AS still_here;\n";
    let shown = psql_session(&server, script);
    for part in ["ERROR:  42P01:", "nowhere", "ERROR:  42601:", "still_here"] {
        assert!(shown.contains(part), "{part} is missing in\n{shown}");
    }
    let place = psql_session(&server, "CREATE TABLE t AS SELECT 1 AS x;\nSELECT\n  y\nFROM t;\n");
    assert!(place.contains("LINE 2:   y\n          ^"), "{place}");
    let failed = finished(&server.psql(&["-c", "SELECT * FROM nowhere", "-c", "SELECT 1"])).unwrap_err();
    assert!(failed.contains("nowhere"), "{failed}");
    server.stop();
}

#[test]
fn psql_runs_transactions_and_scripts() {
    let home = tempfile::tempdir().unwrap();
    let server = Served::start(&["--data-dir", &home.path().join("data").display().to_string()]);
    let script = home.path().join("script.sql");
    fs::write(&script, "CREATE TABLE kept AS SELECT 1 AS x;\nCREATE VIEW seen AS SELECT x + 1 AS y FROM kept;\n")
        .unwrap();
    finished(&server.psql(&["-1", "-f", &script.display().to_string()])).unwrap();
    assert_eq!(server.query("SELECT y FROM seen"), "2\n");
    fs::write(&script, "CREATE TABLE lost AS SELECT 1 AS x;\nSELECT * FROM nowhere;\n").unwrap();
    finished(&server.psql(&["-1", "-f", &script.display().to_string()])).unwrap_err();
    let names = server.query("SELECT string_agg(name, ',' ORDER BY name) FROM fusewire.sources");
    assert_eq!(names, "kept,seen\n");
    let shown = psql_session(&server, "BEGIN;\nDROP VIEW seen;\nROLLBACK;\nSELECT y FROM seen;\nCOMMIT;\n");
    assert!(shown.contains("WARNING:  there is no transaction in progress"), "{shown}");
    assert!(shown.contains("BEGIN\nDROP VIEW\nROLLBACK\n y\n---\n 2\n"), "{shown}");
    server.stop();
}

#[test]
fn psql_trains_predicts_and_recommends() {
    let server = Served::start(&[]);
    server.query(
        "CREATE TABLE ratings AS SELECT 'u' || (value % 20) AS user_id, 'i' || (value * 7 % 11) AS item_id, \
         CAST(1 + (value * 13 % 17) % 5 AS DOUBLE) AS rating FROM generate_series(1, 300) AS series(value)",
    );
    let trained = server.query(
        "SELECT model, version, slice, metric, value > 0, baseline > 0 FROM train('taste', (SELECT * FROM ratings), \
         target => 'rating', user => 'user_id', item => 'item_id', factors => 2, epochs => 5)",
    );
    assert!(trained.contains("taste|1|all|rmse|t|t\n"), "{trained}");
    assert_eq!(
        server.query("SELECT count(*) FROM predict('taste', ratings) WHERE prediction BETWEEN 1 AND 5"),
        "300\n"
    );
    let ranks =
        "SELECT rank FROM recommend('taste', (SELECT 'u1' AS user_id), k => 3, include_seen => true) ORDER BY rank";
    assert_eq!(server.query(ranks), "1\n2\n3\n");
    let explained = psql_session(&server, "EXPLAIN SELECT * FROM train('other', ratings, target => 'rating');\n");
    assert!(explained.to_lowercase().contains("train"), "{explained}");
    assert_eq!(server.query("SELECT name FROM fusewire.models"), "taste\n");
    server.stop();
}

#[test]
fn files_outside_of_the_allowed_paths_stay_closed() {
    let home = tempfile::tempdir().unwrap();
    let (open, closed) = (home.path().join("open"), home.path().join("closed"));
    for folder in [&open, &closed] {
        fs::create_dir(folder).unwrap();
        fs::write(folder.join("rows.csv"), "a,b\n1,x\n2,y\n").unwrap();
    }
    let data_dir = home.path().join("data");
    let arguments = ["--data-dir", &data_dir.display().to_string(), "--allow-path", &open.display().to_string()];
    let server = Served::start(&arguments);
    let rows = |folder: &Path| format!("SELECT count(*) FROM '{}'", folder.join("rows.csv").display());
    assert_eq!(server.query(&rows(&open)), "2\n");
    let escape = open.join("../closed");
    for folder in [closed.as_path(), &escape, &data_dir] {
        let refused = finished(&server.psql(&["-v", "VERBOSITY=verbose", "-c", &rows(folder)])).unwrap_err();
        assert!(refused.contains("42501"), "{refused}");
    }
    server.stop();
}

#[test]
fn psycopg_works() {
    let python = python_with_psycopg();
    let home = tempfile::tempdir().unwrap();
    let server = Served::start(&["--data-dir", &home.path().join("data").display().to_string()]);
    let script = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/clients/psycopg_client.py");
    let output = Command::new(python).arg(script).arg(server.port.to_string()).output().unwrap();
    let said = finished(&output).unwrap_or_else(|failed| panic!("{failed}"));
    let passed = said.lines().filter(|line| line.ends_with(": passed")).count();
    assert!(passed >= 15 && said.contains(", 0 failed"), "{said}");
    server.stop();
}

#[test]
fn types_are_postgresql_s_to_clients() {
    let python = python_with_psycopg();
    let home = tempfile::tempdir().unwrap();
    let (server, oracle) = (Served::start(&[]), Oracle::start());
    let scripts = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/clients/types");
    let (port, socket) = (server.port.to_string(), oracle.socket().parent().unwrap().display().to_string());
    let servers = [("ours", "127.0.0.1", port.as_str()), ("postgresql", socket.as_str(), "5432")];
    let logs = servers.map(|(whose, host, port)| {
        let (user, database) = if whose == "ours" { ("ada", "fusewire") } else { ("postgres", "postgres") };
        let target = format!("host={host} port={port} user={user} dbname={database}");
        let said = |script: &str, place: &[&str]| {
            let mut command = Command::new(python);
            command.arg(scripts.join(script)).args(place).args(TYPES).env("TZ", "UTC");
            finished(&command.output().unwrap()).unwrap_or_else(|failed| panic!("{failed}"))
        };
        let log = home.path().join(whose);
        let steps =
            said("psycopg_types.py", &[target.as_str()]) + &said("asyncpg_types.py", &[host, port, user, database]);
        fs::write(&log, steps).unwrap();
        log
    });
    let known = scripts.join("known.tsv");
    let mut compare = Command::new(python);
    compare.arg(scripts.join("compare.py")).arg("--known").arg(known).args(logs);
    let said = finished(&compare.output().unwrap()).unwrap_or_else(|failed| panic!("{failed}"));
    assert!(said.contains(" 0 differ"), "{said}");
    server.stop();
}
