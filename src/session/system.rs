//! The schema `fusewire`: what the engine knows about its own models, sources, functions, settings and sessions, as tables.
//!
//! Each is made when a statement names it, from the statement's snapshot where that holds what it shows. To add one is one function and one line in
//! [`TABLES`].

use std::{
    sync::Arc,
    time::{SystemTime, UNIX_EPOCH},
};

use arrow::{
    array::{
        ArrayRef, BooleanArray, Float64Array, Int32Array, Int64Array, RecordBatch, StringArray,
        TimestampMicrosecondArray,
    },
    datatypes::{Field, Schema, SchemaRef},
};
use async_trait::async_trait;
use datafusion::{
    catalog::{Session, TableProvider},
    common::DataFusionError,
    datasource::{MemTable, TableType},
    logical_expr::Expr,
    physical_plan::ExecutionPlan,
};
use fusewire_udfs::{FUNCTIONS, TableFunction, models::NewVersion};

use super::{DATABASE, Origin, Scope, Seen, files, models::kept};
use crate::{
    catalog::{Definition, ModelVersion, QualifiedName},
    pgtype::type_name,
    source::{Rejected, Rejects},
};

/// The schema's name.
pub(crate) const SCHEMA: &str = "fusewire";

type Result<T, E = DataFusionError> = std::result::Result<T, E>;

/// One system table.
pub(crate) struct SystemTable {
    /// Its name in the schema `fusewire`.
    pub(crate) name: &'static str,
    rows: Rows,
}

/// Where a table's rows come from.
enum Rows {
    /// From what is at hand.
    Known(fn(&Scope) -> Result<Columns>),
    /// From what must be read first, when a query does.
    Read(fn(&Scope) -> Arc<dyn TableProvider>),
}

/// Every system table.
pub(crate) const TABLES: &[SystemTable] = &[
    SystemTable { name: "models", rows: Rows::Known(models) },
    SystemTable { name: "model_versions", rows: Rows::Known(model_versions) },
    SystemTable { name: "model_columns", rows: Rows::Known(model_columns) },
    SystemTable { name: "metrics", rows: Rows::Known(metrics) },
    SystemTable { name: "sources", rows: Rows::Known(sources) },
    SystemTable { name: "functions", rows: Rows::Known(functions) },
    SystemTable { name: "settings", rows: Rows::Known(settings) },
    SystemTable { name: "sessions", rows: Rows::Known(sessions) },
    SystemTable { name: "rejects", rows: Rows::Read(rejects) },
];

impl SystemTable {
    /// The table as the statement's snapshot has it.
    pub(crate) fn provider(&self, scope: &Scope) -> Result<Arc<dyn TableProvider>> {
        match self.rows {
            Rows::Known(rows) => Ok(Arc::new(in_memory(rows(scope)?)?)),
            Rows::Read(table) => Ok(table(scope)),
        }
    }
}

fn in_memory(columns: Columns) -> Result<MemTable> {
    let batch = columns.batch()?;
    MemTable::try_new(batch.schema(), vec![vec![batch]])
}

/// A version with its model's name and what training kept of it.
struct Version<'a> {
    name: &'a QualifiedName,
    number: u64,
    live: bool,
    entry: &'a ModelVersion,
    kept: NewVersion,
}

fn with_versions<T>(scope: &Scope, use_versions: impl FnOnce(&[Version]) -> Result<T>) -> Result<T> {
    let snapshot = scope.snapshot();
    let mut versions = Vec::new();
    for (name, _, model) in snapshot.models() {
        for (number, entry) in &model.versions {
            let kept = kept(name, *number, entry)?;
            versions.push(Version { name, number: *number, live: *number == model.live, entry, kept });
        }
    }
    use_versions(&versions)
}

fn models(scope: &Scope) -> Result<Columns> {
    let snapshot = scope.snapshot();
    let comments: Vec<_> =
        snapshot.models().map(|(name, header, model)| (name, header, model.versions.len())).collect();
    with_versions(scope, |versions| {
        let live: Vec<&Version> = versions.iter().filter(|version| version.live).collect();
        let of = |version: &&Version| comments.iter().find(|(name, _, _)| *name == version.name);
        Ok(Columns::default()
            .text("schema", live.iter().map(|version| Some(version.name.schema.clone())))
            .text("name", live.iter().map(|version| Some(version.name.name.clone())))
            .integer("live_version", live.iter().map(|version| Some(version.number)))
            .integer("versions", live.iter().map(|version| of(version).map(|found| found.2 as u64)))
            .text("kind", live.iter().map(|version| Some(version.entry.kind.clone())))
            .text("objective", live.iter().map(|version| Some(version.kept.signature.objective.clone())))
            .text("target", live.iter().map(|version| Some(version.kept.signature.target.as_ref()?.name.clone())))
            .text("owner", live.iter().map(|version| Some(of(version)?.1.owner.clone())))
            .text("comment", live.iter().map(|version| of(version)?.1.comment.clone()))
            .time("trained_at", live.iter().map(|version| version.entry.created_at_ms)))
    })
}

fn model_versions(scope: &Scope) -> Result<Columns> {
    with_versions(scope, |versions| {
        Ok(named(versions)
            .boolean("live", versions.iter().map(|version| version.live))
            .text("kind", versions.iter().map(|version| Some(version.entry.kind.clone())))
            .text("digest", versions.iter().map(|version| Some(version.entry.digest.clone())))
            .integer("size_bytes", versions.iter().map(|version| Some(version.entry.size_bytes)))
            .text("sql", versions.iter().map(|version| Some(version.entry.sql.clone())))
            .text("sources", versions.iter().map(|version| Some(version.kept.sources.join(", "))))
            .text("options", versions.iter().map(|version| serde_json::to_string(&version.kept.options).ok()))
            .integer("seed", versions.iter().map(|version| Some(version.kept.seed)))
            .time("trained_at", versions.iter().map(|version| version.entry.created_at_ms)))
    })
}

fn model_columns(scope: &Scope) -> Result<Columns> {
    with_versions(scope, |versions| {
        let rows: Vec<_> = versions
            .iter()
            .flat_map(|version| version.kept.signature.columns.iter().map(move |column| (version, column)))
            .collect();
        Ok(Columns::default()
            .text("schema", rows.iter().map(|(version, _)| Some(version.name.schema.clone())))
            .text("model", rows.iter().map(|(version, _)| Some(version.name.name.clone())))
            .integer("version", rows.iter().map(|(version, _)| Some(version.number)))
            .text("column", rows.iter().map(|(_, column)| Some(column.name.clone())))
            .text("type", rows.iter().map(|(_, column)| Some(type_name(&column.data_type))))
            .text("role", rows.iter().map(|(_, column)| Some(column.role.name().to_owned())))
            .text("encoding", rows.iter().map(|(_, column)| Some(column.encoding.clone())))
            .integer("levels", rows.iter().map(|(_, column)| column.levels))
            .boolean("nulls", rows.iter().map(|(_, column)| column.nulls))
            .integer("unseen_rows", rows.iter().map(|(_, column)| Some(column.unseen_rows))))
    })
}

fn metrics(scope: &Scope) -> Result<Columns> {
    with_versions(scope, |versions| {
        let rows: Vec<_> = versions
            .iter()
            .flat_map(|version| version.kept.metrics.iter().map(move |metric| (version, metric)))
            .collect();
        Ok(Columns::default()
            .text("schema", rows.iter().map(|(version, _)| Some(version.name.schema.clone())))
            .text("model", rows.iter().map(|(version, _)| Some(version.name.name.clone())))
            .integer("version", rows.iter().map(|(version, _)| Some(version.number)))
            .text("split", rows.iter().map(|(_, metric)| Some(metric.split.clone())))
            .text("slice", rows.iter().map(|(_, metric)| Some(metric.slice.clone())))
            .text("metric", rows.iter().map(|(_, metric)| Some(metric.metric.clone())))
            .double("value", rows.iter().map(|(_, metric)| metric.value))
            .double("baseline", rows.iter().map(|(_, metric)| metric.baseline))
            .integer("rows", rows.iter().map(|(_, metric)| Some(metric.rows))))
    })
}

fn sources(scope: &Scope) -> Result<Columns> {
    let snapshot = scope.snapshot();
    let rows: Vec<_> = snapshot.relations().collect();
    Ok(Columns::default()
        .text("schema", rows.iter().map(|(name, _)| Some(name.schema.clone())))
        .text("name", rows.iter().map(|(name, _)| Some(name.name.clone())))
        .text(
            "kind",
            rows.iter().map(|(_, object)| {
                Some(object.definition.noun().trim_start_matches("an ").trim_start_matches("a ").to_owned())
            }),
        )
        .text(
            "format",
            rows.iter().map(|(_, object)| match &object.definition {
                Definition::ExternalTable(table) => Some(table.format.clone()),
                Definition::ManagedTable(_) => Some("parquet".to_owned()),
                _ => None,
            }),
        )
        .text(
            "location",
            rows.iter().map(|(_, object)| match &object.definition {
                Definition::ExternalTable(table) => Some(table.locations.join(", ")),
                _ => None,
            }),
        )
        .integer("columns", rows.iter().map(|(_, object)| Some(object.columns()?.fields().len() as u64)))
        .integer(
            "rows",
            rows.iter().map(|(_, object)| match &object.definition {
                Definition::ManagedTable(table) => Some(table.files.iter().map(|file| file.rows).sum()),
                _ => None,
            }),
        )
        .text("owner", rows.iter().map(|(_, object)| Some(object.header.owner.clone())))
        .text("comment", rows.iter().map(|(_, object)| object.header.comment.clone())))
}

fn functions(_scope: &Scope) -> Result<Columns> {
    let own = FUNCTIONS.iter().map(|function| {
        let (name, purpose) = (function.name().to_owned(), function.purpose().to_owned());
        [name, arguments_of(*function), purpose, function.returns().to_owned(), function.example().to_owned()]
    });
    let readers = files::readers().map(|(name, format)| {
        let purpose = format!("Reads {} files as a table, with the options of CREATE EXTERNAL TABLE.", format.name());
        let ending = format.endings().first().unwrap_or(&"");
        let example = format!("SELECT * FROM {name}('data/*.{ending}', filename => true)");
        [name, files::arguments_of(format), purpose, "the columns in the files".to_owned(), example]
    });
    let rows: Vec<_> = own.chain(readers).collect();
    let column = |place: usize| rows.iter().map(move |row| row.get(place).cloned());
    Ok(Columns::default()
        .text("name", column(0))
        .text("arguments", column(1))
        .text("description", column(2))
        .text("returns", column(3))
        .text("example", column(4)))
}

fn rejects(scope: &Scope) -> Arc<dyn TableProvider> {
    Arc::new(RejectsTable(Arc::clone(scope.rejects())))
}

/// What the scans of this session left out, because their options say `on_error`.
#[derive(Debug)]
struct RejectsTable(Arc<Rejects>);

impl RejectsTable {
    fn columns(rows: &[Rejected]) -> Columns {
        Columns::default()
            .text("file", rows.iter().map(|row| Some(row.file.clone())))
            .text("sheet", rows.iter().map(|row| row.sheet.clone()))
            .integer("line", rows.iter().map(|row| row.line))
            .text("column_name", rows.iter().map(|row| row.column.clone()))
            .text("value", rows.iter().map(|row| Some(row.value.clone())))
            .text("expected", rows.iter().map(|row| Some(row.expected.clone())))
    }
}

#[async_trait]
impl TableProvider for RejectsTable {
    fn schema(&self) -> SchemaRef {
        let fields = Self::columns(&[]).0.into_iter().map(|(field, _)| field);
        Arc::new(Schema::new(fields.collect::<Vec<_>>()))
    }

    fn table_type(&self) -> TableType {
        TableType::Base
    }

    async fn scan(
        &self,
        session: &dyn Session,
        projection: Option<&Vec<usize>>,
        filters: &[Expr],
        limit: Option<usize>,
    ) -> Result<Arc<dyn ExecutionPlan>> {
        in_memory(Self::columns(&self.0.list().await?))?.scan(session, projection, filters, limit).await
    }
}

/// A function's parameters as its call would name them.
fn arguments_of(function: &dyn TableFunction) -> String {
    let shown = function.parameters().into_iter().map(|parameter| match parameter.default {
        None => parameter.name.to_owned(),
        Some(default) => format!("{} => {default}", parameter.name),
    });
    shown.collect::<Vec<_>>().join(", ")
}

fn settings(scope: &Scope) -> Result<Columns> {
    let server = scope.shared().config.settings();
    let server = server.into_iter().map(|setting| (setting.name, setting.value, "server", setting.description));
    let session = scope.settings().into_iter().map(|(name, value, description)| (name, value, "session", description));
    let rows: Vec<_> = server.map(|(n, v, s, d)| (n.to_string(), v, s, d.to_string())).chain(session).collect();
    Ok(Columns::default()
        .text("name", rows.iter().map(|row| Some(row.0.clone())))
        .text("value", rows.iter().map(|row| Some(row.1.clone())))
        .text("scope", rows.iter().map(|row| Some(row.2.to_owned())))
        .text("description", rows.iter().map(|row| Some(row.3.clone()))))
}

/// The names are those of PostgreSQL's `pg_stat_activity`.
fn sessions(scope: &Scope) -> Result<Columns> {
    let sessions = scope.shared().sessions.all();
    let rows: Vec<Seen> = sessions.iter().map(|session| session.seen_by(scope)).collect();
    let port = |row: &Seen| row.address.map(|address| i32::from(address.port()));
    let origin = |row: &Seen| match row.origin {
        Origin::Local => "local",
        Origin::Wire => "wire",
    };
    Ok(Columns::default()
        .text("datname", rows.iter().map(|_| Some(DATABASE.to_owned())))
        .push("pid", Arc::new(Int32Array::from_iter_values(rows.iter().map(|row| row.pid))))
        .text("usename", rows.iter().map(|row| Some(row.user.clone())))
        .text("application_name", rows.iter().map(|row| Some(row.application.clone())))
        .text("client_addr", rows.iter().map(|row| row.address.map(|address| address.ip().to_string())))
        .push("client_port", Arc::new(rows.iter().map(port).collect::<Int32Array>()))
        .instant("backend_start", rows.iter().map(|row| Some(row.began)))
        .instant("xact_start", rows.iter().map(|row| row.transaction_began))
        .instant("query_start", rows.iter().map(|row| row.statement_began))
        .instant("state_change", rows.iter().map(|row| Some(row.changed)))
        .text("state", rows.iter().map(|row| Some(row.state.to_owned())))
        .text("query", rows.iter().map(|row| Some(row.text.clone())))
        .text("origin", rows.iter().map(|row| Some(origin(row).to_owned()))))
}

fn named(versions: &[Version]) -> Columns {
    Columns::default()
        .text("schema", versions.iter().map(|version| Some(version.name.schema.clone())))
        .text("model", versions.iter().map(|version| Some(version.name.name.clone())))
        .integer("version", versions.iter().map(|version| Some(version.number)))
}

/// A table under construction, column by column.
#[derive(Default)]
struct Columns(Vec<(Field, ArrayRef)>);

impl Columns {
    fn text(self, name: &str, values: impl Iterator<Item = Option<String>>) -> Self {
        self.push(name, Arc::new(values.collect::<StringArray>()))
    }

    fn integer(self, name: &str, values: impl Iterator<Item = Option<u64>>) -> Self {
        let values = values.map(|value| value.and_then(|value| i64::try_from(value).ok()));
        self.push(name, Arc::new(values.collect::<Int64Array>()))
    }

    fn double(self, name: &str, values: impl Iterator<Item = Option<f64>>) -> Self {
        self.push(name, Arc::new(values.collect::<Float64Array>()))
    }

    fn boolean(self, name: &str, values: impl Iterator<Item = bool>) -> Self {
        self.push(name, Arc::new(values.map(Some).collect::<BooleanArray>()))
    }

    /// Milliseconds since 1970.
    fn time(self, name: &str, values: impl Iterator<Item = i64>) -> Self {
        let values: TimestampMicrosecondArray = values.map(|value| Some(value.saturating_mul(1000))).collect();
        self.push(name, Arc::new(values.with_timezone("UTC")))
    }

    /// Points in time, where there is one.
    fn instant(self, name: &str, values: impl Iterator<Item = Option<SystemTime>>) -> Self {
        let micros = |time: SystemTime| i64::try_from(time.duration_since(UNIX_EPOCH).ok()?.as_micros()).ok();
        let values: TimestampMicrosecondArray = values.map(|value| value.and_then(micros)).collect();
        self.push(name, Arc::new(values.with_timezone("UTC")))
    }

    fn push(mut self, name: &str, values: ArrayRef) -> Self {
        self.0.push((Field::new(name, values.data_type().clone(), true), values));
        self
    }

    fn batch(self) -> Result<RecordBatch> {
        let (fields, columns): (Vec<_>, Vec<_>) = self.0.into_iter().unzip();
        Ok(RecordBatch::try_new(Arc::new(Schema::new(fields)), columns)?)
    }
}
