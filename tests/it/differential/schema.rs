//! Groups of tables: which columns they have, what lies in them, how they are stored, and which engine reads them.
//!
//! Every table takes its columns from the same few names, in an order of its own.

use super::{
    rows,
    tree::{Kind, Query},
};
use crate::random::Random;

/// A column of a table.
#[derive(Debug, Clone)]
pub(crate) struct Column {
    pub(crate) name: String,
    pub(crate) kind: Kind,
    pub(crate) type_name: &'static str,
    /// Whether sums and products of its values fit every type.
    pub(crate) is_small: bool,
    /// Whether its values have the same sum in whatever order they are added.
    pub(crate) is_exact: bool,
}

/// How a table lies in the engine.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Storage {
    Managed,
    /// Several files, each of many row groups.
    Parquet,
    Csv,
    Json,
    /// Directories by the last column, with files of this format.
    Partitioned(&'static str),
    /// Parquet that a query wrote.
    Computed,
}

#[derive(Debug, Clone)]
pub(crate) struct Table {
    pub(crate) name: String,
    pub(crate) columns: Vec<Column>,
    /// Values as text; None is NULL.
    pub(crate) rows: Vec<Vec<Option<String>>>,
    pub(crate) storage: Storage,
    /// Whether `id` is there, unique and not NULL.
    pub(crate) has_key: bool,
    /// The query that computes its rows, where they are too many to write down.
    pub(crate) fill: Option<String>,
}

/// A view over the tables of its group.
#[derive(Clone)]
pub(crate) struct View {
    pub(crate) name: String,
    pub(crate) columns: Vec<Column>,
    pub(crate) query: Query,
}

/// How the engine is started.
#[derive(Debug, Clone)]
pub(crate) struct Engine {
    pub(crate) threads: usize,
    pub(crate) target_partitions: usize,
    pub(crate) batch_size: usize,
    pub(crate) memory_limit: &'static str,
    /// Whether tables are kept in a data directory, or in memory alone.
    pub(crate) keeps_data: bool,
}

impl Engine {
    fn random(random: &mut Random) -> Self {
        Self {
            threads: random.pick(&[1, 2]),
            target_partitions: random.pick(&[1, 2, 4]),
            batch_size: random.pick(&[2, 7, 100, 8192, 8192]),
            memory_limit: random.pick(&["16MB", "64MB", "1GB"]),
            keeps_data: random.chance(50),
        }
    }

    pub(crate) fn arguments(&self) -> Vec<String> {
        let settings = [
            format!("threads={}", self.threads),
            format!("target_partitions={}", self.target_partitions),
            format!("batch_size={}", self.batch_size),
            format!("memory_limit_bytes={}", self.memory_limit),
            "statement_timeout_ms=0".to_owned(),
        ];
        settings.into_iter().flat_map(|setting| ["--set".to_owned(), setting]).collect()
    }
}

/// The names that columns have, with the types to choose from.
const COLUMNS: &[(&str, Kind, &[&str])] = &[
    ("id", Kind::Int, &["INT", "BIGINT"]),
    ("a", Kind::Int, &["INT", "INT", "BIGINT", "SMALLINT"]),
    ("b", Kind::Int, &["INT", "INT", "BIGINT", "SMALLINT"]),
    ("k", Kind::Int, &["BIGINT", "INT"]),
    ("big", Kind::Int, &["BIGINT", "INT", "SMALLINT"]),
    ("name", Kind::Text, &["TEXT"]),
    ("tag", Kind::Text, &["TEXT", "VARCHAR"]),
    ("flag", Kind::Bool, &["BOOLEAN"]),
    ("score", Kind::Float, &["DOUBLE PRECISION"]),
    ("amount", Kind::Numeric, &["NUMERIC(10, 2)", "NUMERIC(6, 1)"]),
    ("day", Kind::Date, &["DATE"]),
    ("at", Kind::Timestamp, &["TIMESTAMP"]),
];

/// The tables of a group and its engine.
pub(crate) fn random_group(random: &mut Random) -> (Engine, Vec<Table>) {
    let engine = Engine::random(random);
    let is_wild = random.chance(25);
    let count = random.between(2, 5) as usize;
    let mixed = random.chance(60);
    let storages = [
        Storage::Managed,
        Storage::Parquet,
        Storage::Csv,
        Storage::Json,
        Storage::Partitioned(random.pick(&["csv", "parquet", "json"])),
    ];
    let common = random.pick(&storages);
    let tables = (0..count).map(|number| {
        let storage = if mixed { random.pick(&storages) } else { common };
        random_table(random, format!("t{}", number + 1), storage, is_wild)
    });
    let tables: Vec<Table> = tables.collect();
    (engine, tables)
}

fn random_table(random: &mut Random, name: String, storage: Storage, is_wild: bool) -> Table {
    let mut chosen: Vec<_> = COLUMNS.iter().collect();
    random.shuffle(&mut chosen);
    let count = random.between(3, 8) as usize;
    // Nearly every table has the same two keys.
    chosen.sort_by_key(|(name, ..)| !matches!(*name, "id" | "a"));
    chosen.truncate(count);
    if random.chance(10) {
        chosen.remove(0);
    }
    random.shuffle(&mut chosen);
    if matches!(storage, Storage::Partitioned(_)) {
        // What the directories are named by stands last, and has no limits or special characters.
        let wanted: &[&str] = match random.chance(60) {
            true => &["a", "b", "k", "id"],
            false => &["name", "tag", "flag", "day"],
        };
        let any = |(name, ..): &&(&str, Kind, &[&str])| rows::is_directory_key(name);
        let at = chosen.iter().position(|(name, ..)| wanted.contains(name)).or_else(|| chosen.iter().position(any));
        if let Some(at) = at {
            let last = chosen.remove(at);
            chosen.push(last);
        }
        // A line of a CSV file with one column is blank where that is NULL, and blank lines are no rows.
        if chosen.len() == 2 && storage == Storage::Partitioned("csv") {
            let another = COLUMNS.iter().find(|(name, ..)| chosen.iter().all(|(other, ..)| other != name));
            chosen.splice(1..1, another);
        }
    }
    let columns = chosen.into_iter().map(|(name, kind, types)| Column {
        name: (*name).to_owned(),
        kind: *kind,
        type_name: random.pick(types),
        is_small: *name != "big",
        is_exact: *kind != Kind::Float || !is_wild,
    });
    let columns: Vec<Column> = columns.collect();
    let has_key = columns.iter().any(|column| column.name == "id")
        && !matches!(storage, Storage::Partitioned(_))
        && random.chance(60);
    let rows = rows::random_rows(random, &columns, storage, has_key, is_wild);
    // Formats that cannot hold a table without rows.
    let storage = if rows.is_empty() { Storage::Managed } else { storage };
    Table { name, columns, rows, storage, has_key, fill: None }
}

/// A value as SQL writes it.
pub(crate) fn literal(value: &Option<String>, column: &Column) -> String {
    let Some(value) = value else { return "NULL".to_owned() };
    let is_plain = value.len() < 10 && value.bytes().all(|byte| byte.is_ascii_digit() || b"-.".contains(&byte));
    match column.kind {
        Kind::Int | Kind::Numeric | Kind::Float if is_plain => value.clone(),
        Kind::Bool => value.clone(),
        Kind::Text => format!("'{}'", value.replace('\'', "''")),
        Kind::Date => format!("DATE '{value}'"),
        Kind::Timestamp => format!("TIMESTAMP '{value}'"),
        _ => format!("CAST('{value}' AS {})", column.type_name),
    }
}

impl Table {
    /// Its columns as they are declared.
    pub(crate) fn declared(&self) -> String {
        let columns = self.columns.iter().map(|column| format!("{} {}", column.name, column.type_name));
        columns.collect::<Vec<_>>().join(", ")
    }

    /// Statements that make it and fill it.
    pub(crate) fn create(&self) -> Vec<String> {
        self.create_as(&self.name, &self.rows)
    }

    /// The same for some rows, under another name.
    pub(crate) fn create_as(&self, name: &str, rows: &[Vec<Option<String>>]) -> Vec<String> {
        let mut statements = vec![format!("CREATE TABLE {name} ({})", self.declared())];
        statements.extend(self.fill.iter().map(|fill| format!("INSERT INTO {name} {fill}")));
        for chunk in rows.chunks(500) {
            let rows = chunk.iter().map(|row| {
                let values = row.iter().zip(&self.columns).map(|(value, column)| literal(value, column));
                format!("({})", values.collect::<Vec<_>>().join(", "))
            });
            statements.push(format!("INSERT INTO {name} VALUES {}", rows.collect::<Vec<_>>().join(", ")));
        }
        statements
    }
}

impl View {
    pub(crate) fn create(&self) -> String {
        let columns: Vec<&str> = self.columns.iter().map(|column| column.name.as_str()).collect();
        format!("CREATE VIEW {} ({}) AS {}", self.name, columns.join(", "), self.query.sql())
    }
}
