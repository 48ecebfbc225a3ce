//! Runs every file under `tests/slt`, twice: in process (`embedded::`) and over the wire (`pgwire::`).
//!
//! Each run has an engine of its own, in memory. In a file `${DATA}` is `tests/data`, `${TMP}` an empty directory of the
//! run and `${SHARED}` the folder of public data sets, whose absence fails the test with a message that says so.
//!
//! A file with the line `# over: parquet, csv, json` runs once more for each of these formats (`parquet::`): what it makes
//! with `CREATE TABLE … AS VALUES` is then an external table of a file with these rows.

use std::{
    path::{Path, PathBuf},
    sync::Arc,
};

use fusewire::{
    Config, Engine, Session,
    engine::{Origin, Outcome, SessionOptions},
};
use futures::StreamExt;
use libtest_mimic::{Arguments, Failed, Trial};
use sqllogictest::{AsyncDB, DBOutput, DefaultColumnType, Runner};
use tokio::sync::oneshot;
use tokio_postgres::{NoTls, SimpleQueryMessage};

type Output = DBOutput<DefaultColumnType>;

fn main() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/slt");
    let mut trials = Vec::new();
    for file in slt_files(&root) {
        let name = file.strip_prefix(&root).unwrap_or(&file).display().to_string();
        for format in formats(&file) {
            let file = file.clone();
            let trial = format!("{format}::{name}");
            trials.push(Trial::test(trial, move || run(&file, Mode::Embedded, Some(&format))));
        }
        let (embedded, wire) = (file.clone(), file);
        trials.push(Trial::test(format!("embedded::{name}"), move || run(&embedded, Mode::Embedded, None)));
        trials.push(Trial::test(format!("pgwire::{name}"), move || run(&wire, Mode::Wire, None)));
    }
    assert!(!trials.is_empty(), "no .slt file under {}", root.display());
    libtest_mimic::run(&Arguments::from_args(), trials).exit();
}

#[derive(Clone, Copy, PartialEq)]
enum Mode {
    Embedded,
    Wire,
}

fn slt_files(folder: &Path) -> Vec<PathBuf> {
    let mut found = Vec::new();
    for entry in std::fs::read_dir(folder).into_iter().flatten().flatten() {
        let path = entry.path();
        if path.is_dir() {
            found.extend(slt_files(&path));
        } else if path.extension().is_some_and(|ending| ending == "slt") {
            found.push(path);
        }
    }
    found.sort();
    found
}

/// The formats that a file names.
fn formats(file: &Path) -> Vec<String> {
    let text = std::fs::read_to_string(file).unwrap_or_default();
    let named = text.lines().find_map(|line| line.strip_prefix("# over: "));
    named.map(|named| named.split(", ").map(str::to_owned).collect()).unwrap_or_default()
}

/// The records, in which tables of values are external ones.
fn stored_as(text: &str, format: &str, home: &Path) -> Result<String, Failed> {
    let mut stored = 0;
    let mut record = |record: &str| {
        let statement =
            record.lines().skip_while(|line| *line != "statement ok").skip(1).collect::<Vec<_>>().join("\n");
        let table = statement.strip_prefix("CREATE TABLE ").and_then(|rest| rest.split_once(" ("));
        let Some((name, rest)) = table else { return record.to_owned() };
        let Some((columns, values)) = rest.split_once(") AS") else { return record.to_owned() };
        if !values.trim_start().starts_with("VALUES") {
            return record.to_owned();
        }
        stored += 1;
        let location = home.join(name).with_extension(format).display().to_string();
        let statements = [
            format!("CREATE TABLE staging ({columns}) AS{values}"),
            "SET datafusion.execution.parquet.max_row_group_size = 2".to_owned(),
            format!("COPY (SELECT * FROM staging) TO '{location}'"),
            "DROP TABLE staging".to_owned(),
            format!("CREATE EXTERNAL TABLE {name} ({columns}) STORED AS {format} LOCATION '{location}'"),
        ];
        statements.map(|statement| format!("statement ok\n{statement}")).join("\n\n")
    };
    let records: Vec<String> = text.split("\n\n").map(&mut record).collect();
    if stored == 0 {
        return Err("the file makes no table of values that could be stored in another format".into());
    }
    Ok(records.join("\n\n"))
}

fn run(file: &Path, mode: Mode, format: Option<&str>) -> Result<(), Failed> {
    let home = tempfile::tempdir()?;
    let mut text = substituted(file, home.path())?;
    if let Some(format) = format {
        text = stored_as(&text, format, home.path())?;
    }
    let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(1).enable_all().build()?;
    runtime.block_on(async {
        let shared = shared_data();
        let config = Config {
            allow_paths: vec![
                home.path().display().to_string(),
                data().display().to_string(),
                shared.display().to_string(),
            ],
            ..Config::default()
        };
        let engine = Engine::open(config).await.map_err(|error| error.to_string())?;
        match mode {
            Mode::Embedded => {
                let mut runner = Runner::new(|| {
                    let engine = engine.clone();
                    async move { Embedded::connect(&engine) }
                });
                records(&mut runner, &text, file).await
            }
            Mode::Wire => {
                let server = Server::start(engine).await?;
                let port = server.port;
                let mut runner = Runner::new(|| Wire::connect(port));
                let outcome = records(&mut runner, &text, file).await;
                runner.shutdown_async().await;
                server.stop().await?;
                outcome
            }
        }
    })
}

async fn records<D, M>(runner: &mut Runner<D, M>, text: &str, file: &Path) -> Result<(), Failed>
where
    D: AsyncDB<ColumnType = DefaultColumnType>,
    M: sqllogictest::MakeConnection<Conn = D>,
{
    let name: Arc<str> = file.display().to_string().into();
    let records = sqllogictest::parse_with_name(text, name).map_err(|error| error.to_string())?;
    for record in records {
        runner.run_async(record).await.map_err(|error| error.display(false).to_string())?;
    }
    Ok(())
}

fn data() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/data")
}

fn shared_data() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../shared/data")
}

fn substituted(file: &Path, home: &Path) -> Result<String, Failed> {
    let text = std::fs::read_to_string(file)?;
    if text.contains("${SHARED}") && !shared_data().is_dir() {
        return Err(format!(
            "{} reads the public data sets, which are not at {}; put them there (the README says where they come from)",
            file.display(),
            shared_data().display()
        )
        .into());
    }
    Ok(text
        .replace("${DATA}", &data().display().to_string())
        .replace("${TMP}", &home.display().to_string())
        .replace("${SHARED}", &shared_data().display().to_string()))
}

/// What a statement failed with: the SQLSTATE and the message, the same in both modes.
#[derive(Debug)]
struct Refused(String);

impl std::fmt::Display for Refused {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        formatter.write_str(&self.0)
    }
}

impl std::error::Error for Refused {}

impl From<fusewire::Error> for Refused {
    fn from(error: fusewire::Error) -> Self {
        let report = error.report();
        Self(format!("{}: {}", report.code, report.message))
    }
}

impl From<tokio_postgres::Error> for Refused {
    fn from(error: tokio_postgres::Error) -> Self {
        match error.as_db_error() {
            Some(error) => Self(format!("{}: {}", error.code().code(), error.message())),
            None => Self(error.to_string()),
        }
    }
}

struct Embedded {
    session: Session,
}

impl Embedded {
    fn connect(engine: &Engine) -> Result<Self, Refused> {
        let options = SessionOptions { user: "tester".into(), origin: Origin::Local, address: None };
        let (session, _notices) = engine.session(options)?;
        Ok(Self { session })
    }

    async fn run_all(&self, sql: &str) -> Result<Output, Refused> {
        let mut last = DBOutput::StatementComplete(0);
        let parsed = self.session.parse(sql).await;
        for statement in parsed.inspect_err(|_| self.session.fail_transaction())? {
            let outcome = self.session.execute(&statement, &[]).await;
            let outcome = outcome.inspect_err(|_| self.session.fail_transaction())?;
            let Outcome::Rows { mut stream, .. } = outcome else { continue };
            let types = vec![DefaultColumnType::Any; stream.schema().fields().len()];
            let mut rows = Vec::new();
            while let Some(batch) = stream.next().await {
                let batch = batch.map_err(fusewire::Error::from);
                let batch = batch.inspect_err(|_| self.session.fail_transaction())?;
                rows.extend(fusewire::server::text_rows(&batch)?.into_iter().map(shown));
            }
            last = DBOutput::Rows { types, rows };
        }
        Ok(last)
    }
}

#[async_trait::async_trait]
impl AsyncDB for Embedded {
    type Error = Refused;
    type ColumnType = DefaultColumnType;

    async fn run(&mut self, sql: &str) -> Result<Output, Refused> {
        self.run_all(sql).await
    }

    fn engine_name(&self) -> &str {
        "embedded"
    }

    async fn shutdown(&mut self) {}
}

struct Wire {
    client: tokio_postgres::Client,
}

impl Wire {
    async fn connect(port: u16) -> Result<Self, Refused> {
        let address = format!("host=127.0.0.1 port={port} user=tester dbname=fusewire");
        let (client, connection) = tokio_postgres::connect(&address, NoTls).await?;
        tokio::spawn(connection);
        Ok(Self { client })
    }
}

#[async_trait::async_trait]
impl AsyncDB for Wire {
    type Error = Refused;
    type ColumnType = DefaultColumnType;

    async fn run(&mut self, sql: &str) -> Result<Output, Refused> {
        let mut columns = None;
        let mut rows = Vec::new();
        for message in self.client.simple_query(sql).await? {
            match message {
                SimpleQueryMessage::RowDescription(described) => columns = Some(described.len()),
                SimpleQueryMessage::Row(row) => {
                    let values = (0..row.len()).map(|column| row.get(column).map(str::to_owned)).collect();
                    rows.push(shown(values));
                }
                _ => {}
            }
        }
        Ok(match columns {
            Some(columns) => DBOutput::Rows { types: vec![DefaultColumnType::Any; columns], rows },
            None => DBOutput::StatementComplete(0),
        })
    }

    fn engine_name(&self) -> &str {
        "pgwire"
    }

    async fn shutdown(&mut self) {}
}

fn shown(values: Vec<Option<String>>) -> Vec<String> {
    let text = |value: Option<String>| match value {
        None => "NULL".to_owned(),
        Some(text) if text.is_empty() => "(empty)".to_owned(),
        Some(text) => text,
    };
    values.into_iter().map(text).collect()
}

/// A server on a free port of loopback.
struct Server {
    port: u16,
    stop: oneshot::Sender<()>,
    running: tokio::task::JoinHandle<fusewire::Result<()>>,
}

impl Server {
    async fn start(engine: Engine) -> Result<Self, Failed> {
        let listener = tokio::net::TcpListener::bind(("127.0.0.1", 0)).await?;
        let port = listener.local_addr()?.port();
        let (stop, stopped) = oneshot::channel::<()>();
        let running = tokio::spawn(fusewire::server::run(listener, engine, async move {
            let _ = stopped.await;
        }));
        Ok(Self { port, stop, running })
    }

    async fn stop(self) -> Result<(), Failed> {
        let _ = self.stop.send(());
        self.running.await?.map_err(|error| error.to_string())?;
        Ok(())
    }
}
