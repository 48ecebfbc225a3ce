//! The engine under test with a group's tables: its process, its connection, and the files that it reads.

use std::{
    fmt::Write as _,
    fs,
    path::{Path, PathBuf},
};

use tempfile::TempDir;
use tokio_postgres::{Client, NoTls};

use super::{
    answer::{Answer, simple},
    schema::{Engine, Storage, Table},
    tree::Kind,
};
use crate::support::Served;

pub(crate) struct Running {
    server: Served,
    pub(crate) client: Client,
    directory: TempDir,
    /// How many tables were written, which gives each a directory of its own.
    written: usize,
}

impl Running {
    pub(crate) async fn start(engine: &Engine) -> Self {
        let directory = tempfile::tempdir().unwrap();
        let mut arguments = engine.arguments();
        arguments.extend(["--allow-path".to_owned(), directory.path().display().to_string()]);
        if engine.keeps_data {
            arguments.extend(["--data-dir".to_owned(), directory.path().join("state").display().to_string()]);
        }
        let arguments: Vec<&str> = arguments.iter().map(String::as_str).collect();
        let server = Served::start(&arguments);
        let client = connect(&server).await;
        Self { server, client, directory, written: 0 }
    }

    /// A new connection in the place of one that broke; false when there is no server any more.
    pub(crate) async fn reconnect(&mut self) -> bool {
        let target = target(&self.server);
        let Ok((client, connection)) = tokio_postgres::connect(&target, NoTls).await else { return false };
        tokio::spawn(connection);
        self.client = client;
        prepare(&self.client).await;
        true
    }

    /// Makes the table, in its storage.
    pub(crate) async fn load(&mut self, table: &Table) -> Result<(), String> {
        self.written += 1;
        let directory = self.directory.path().join(format!("{}_{}", table.name, self.written));
        let format = match table.storage {
            Storage::Managed => return self.execute(&table.create()).await,
            Storage::Parquet | Storage::Computed => "parquet",
            Storage::Csv => "csv",
            Storage::Json => "json",
            Storage::Partitioned(format) => format,
        };
        fs::create_dir_all(&directory).unwrap();
        let mut by = String::new();
        match table.storage {
            Storage::Partitioned(_) => {
                let (last, inner) = table.columns.split_last().unwrap();
                by = format!(" PARTITIONED BY ({})", last.name);
                let mut values: Vec<&Option<String>> = table.rows.iter().filter_map(|row| row.last()).collect();
                values.sort();
                values.dedup();
                for value in values {
                    let rows = table.rows.iter().filter(|row| row.last() == Some(value));
                    let rows = rows.map(|row| row[..inner.len()].to_vec()).collect();
                    let part = Table { columns: inner.to_vec(), rows, ..table.clone() };
                    let named = value.as_deref().unwrap_or("__HIVE_DEFAULT_PARTITION__");
                    let folder = directory.join(format!("{}={named}", last.name));
                    fs::create_dir_all(&folder).unwrap();
                    self.write(&part, &part.rows, format, &folder.join("part")).await?;
                }
            }
            Storage::Computed => self.write(table, &[], format, &directory.join("all")).await?,
            _ => {
                let chunk = (table.rows.len() / 2 + 1).max(3);
                for (number, rows) in table.rows.chunks(chunk).enumerate() {
                    self.write(table, rows, format, &directory.join(number.to_string())).await?;
                }
            }
        }
        let (name, declared) = (&table.name, table.declared());
        let sql = format!(
            "CREATE EXTERNAL TABLE {name} ({declared}) STORED AS {format}{by} LOCATION '{}/'",
            directory.display()
        );
        self.execute(&[sql]).await
    }

    /// One file of these rows.
    async fn write(
        &self,
        table: &Table,
        rows: &[Vec<Option<String>>],
        format: &str,
        path: &Path,
    ) -> Result<(), String> {
        let path = path.with_extension(format);
        match format {
            "csv" => fs::write(path, csv(table, rows)).unwrap(),
            "json" => fs::write(path, json(table, rows)).unwrap(),
            _ => self.write_parquet(table, rows, path).await?,
        }
        Ok(())
    }

    async fn write_parquet(&self, table: &Table, rows: &[Vec<Option<String>>], path: PathBuf) -> Result<(), String> {
        let group = if table.fill.is_some() { 5000 } else { 3 };
        let mut statements = vec![format!("SET datafusion.execution.parquet.max_row_group_size = {group}")];
        statements.extend(table.create_as("staging", rows));
        statements.push(format!("COPY (SELECT * FROM staging) TO '{}'", path.display()));
        statements.push("DROP TABLE staging".to_owned());
        self.execute(&statements).await
    }

    pub(crate) async fn execute(&self, statements: &[String]) -> Result<(), String> {
        for statement in statements {
            match simple(&self.client, statement).await {
                Answer::Rows(_) => {}
                other => return Err(format!("{statement}: {other:?}")),
            }
        }
        Ok(())
    }

    /// Forgets everything, in the place of which other tables come.
    pub(crate) async fn clear(&self, tables: &[Table], views: &[String]) {
        let views = views.iter().map(|view| format!("DROP VIEW IF EXISTS {view}"));
        let tables = tables.iter().map(|table| format!("DROP TABLE IF EXISTS {}", table.name));
        for statement in views.rev().chain(tables) {
            let _may_be_gone = simple(&self.client, &statement).await;
        }
    }
}

fn target(server: &Served) -> String {
    format!("host=127.0.0.1 port={} user=ada dbname=fusewire", server.port)
}

async fn connect(server: &Served) -> Client {
    let (client, connection) = tokio_postgres::connect(&target(server), NoTls).await.unwrap();
    tokio::spawn(connection);
    prepare(&client).await;
    client
}

async fn prepare(client: &Client) {
    match simple(client, "SET statement_timeout = '10s'").await {
        Answer::Rows(_) => {}
        other => panic!("the time limit cannot be set: {other:?}"),
    }
}

fn csv(table: &Table, rows: &[Vec<Option<String>>]) -> String {
    let header: Vec<&str> = table.columns.iter().map(|column| column.name.as_str()).collect();
    let mut text = header.join(",") + "\n";
    for row in rows {
        let values = row.iter().zip(&table.columns).map(|(value, column)| match (value, column.kind) {
            (Some(value), Kind::Text) => format!("\"{}\"", value.replace('"', "\"\"")),
            (value, _) => value.clone().unwrap_or_default(),
        });
        text.push_str(&values.collect::<Vec<_>>().join(","));
        text.push('\n');
    }
    text
}

fn json(table: &Table, rows: &[Vec<Option<String>>]) -> String {
    let mut text = String::new();
    for row in rows {
        let fields = row.iter().zip(&table.columns).map(|(value, column)| {
            let value = match (value, column.kind) {
                (None, _) => "null".to_owned(),
                (Some(value), Kind::Text | Kind::Date | Kind::Timestamp) => {
                    format!("\"{}\"", value.replace('\\', "\\\\").replace('"', "\\\""))
                }
                (Some(value), _) => value.clone(),
            };
            format!("\"{}\":{value}", column.name)
        });
        writeln!(text, "{{{}}}", fields.collect::<Vec<_>>().join(",")).unwrap();
    }
    text
}
