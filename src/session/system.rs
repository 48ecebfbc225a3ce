//! The schema `fusewire`: what the engine knows about its own models, sources, functions, settings and sessions, as
//! tables.
//!
//! Each is made when a statement names it, from the statement's snapshot where that holds what it shows; its columns are
//! known without any row. To add one is one function and one line in [`TABLES`].

use std::sync::Arc;

use arrow::datatypes::SchemaRef;
use async_trait::async_trait;
use datafusion::{
    catalog::{Session, TableProvider},
    common::DataFusionError,
    datasource::TableType,
    logical_expr::Expr,
    physical_plan::ExecutionPlan,
};
use fusewire_udfs::models::NewVersion;

use super::{
    DATABASE, Origin, Scope, Seen,
    callable::{self, Callable},
    compaction::Compaction,
    in_memory::Columns,
    models::kept,
    plans::Shown,
};
use crate::{
    catalog::{Definition, Header, ModelVersion, Object, QualifiedName, Snapshot},
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

/// What a table's rows are about; none of them says what its columns are.
enum Rows {
    /// The versions of all models.
    Versions(fn(&[Version<'_>]) -> Columns),
    /// The tables and views.
    Relations(fn(&[Relation<'_>]) -> Columns),
    /// The functions.
    Functions(fn(&[Callable]) -> Columns),
    /// The settings of the server and of the session.
    Settings(fn(&[Setting]) -> Columns),
    /// Who is connected.
    Sessions(fn(&[Seen]) -> Columns),
    /// What is being put together of tables.
    Compactions(fn(&[Compaction]) -> Columns),
    /// The plans that are kept.
    Plans(fn(&[Shown]) -> Columns),
    /// What the session's scans left out, which is read first when a query asks for it.
    Rejects,
}

/// Every system table.
pub(crate) const TABLES: &[SystemTable] = &[
    SystemTable { name: "models", rows: Rows::Versions(models) },
    SystemTable { name: "model_versions", rows: Rows::Versions(model_versions) },
    SystemTable { name: "model_columns", rows: Rows::Versions(model_columns) },
    SystemTable { name: "metrics", rows: Rows::Versions(metrics) },
    SystemTable { name: "sources", rows: Rows::Relations(sources) },
    SystemTable { name: "functions", rows: Rows::Functions(all_functions) },
    SystemTable { name: "settings", rows: Rows::Settings(settings) },
    SystemTable { name: "sessions", rows: Rows::Sessions(sessions) },
    SystemTable { name: "compactions", rows: Rows::Compactions(compactions) },
    SystemTable { name: "plan_cache", rows: Rows::Plans(plan_cache) },
    SystemTable { name: "rejects", rows: Rows::Rejects },
];

impl SystemTable {
    /// The table as the statement sees it.
    pub(crate) fn provider(&self, scope: &Scope) -> Result<Arc<dyn TableProvider>> {
        let snapshot = scope.snapshot();
        let columns = match self.rows {
            Rows::Versions(columns) => columns(&versions(snapshot)?),
            Rows::Relations(columns) => columns(&snapshot.relations().collect::<Vec<_>>()),
            Rows::Functions(columns) => columns(&callable::all(scope)),
            Rows::Settings(columns) => columns(&all_settings(scope)),
            Rows::Sessions(columns) => {
                let sessions = scope.shared().sessions.all();
                columns(&sessions.iter().map(|session| session.seen_by(scope)).collect::<Vec<_>>())
            }
            Rows::Compactions(columns) => columns(&scope.shared().compactions.all()),
            Rows::Plans(columns) => columns(&scope.shared().plans.shown()),
            Rows::Rejects => return Ok(Arc::new(RejectsTable(Arc::clone(scope.rejects())))),
        };
        Ok(Arc::new(columns.table()?))
    }

    /// Its columns.
    pub(crate) fn schema(&self) -> SchemaRef {
        let columns = match self.rows {
            Rows::Versions(columns) => columns(&[]),
            Rows::Relations(columns) => columns(&[]),
            Rows::Functions(columns) => columns(&[]),
            Rows::Settings(columns) => columns(&[]),
            Rows::Sessions(columns) => columns(&[]),
            Rows::Compactions(columns) => columns(&[]),
            Rows::Plans(columns) => columns(&[]),
            Rows::Rejects => rejects(&[]),
        };
        columns.schema()
    }
}

/// A table or a view.
type Relation<'a> = (&'a QualifiedName, &'a Arc<Object>);

/// A version with its model's name and what training kept of it.
struct Version<'a> {
    name: &'a QualifiedName,
    /// What its model has, as every object does.
    header: &'a Header,
    /// How many versions its model has.
    of: usize,
    number: u64,
    live: bool,
    entry: &'a ModelVersion,
    kept: NewVersion,
}

fn versions(snapshot: &Snapshot) -> Result<Vec<Version<'_>>> {
    let mut versions = Vec::new();
    for (name, header, model) in snapshot.models() {
        let of = model.versions.size();
        for (number, entry) in &model.versions {
            let kept = kept(name, *number, entry)?;
            versions.push(Version { name, header, of, number: *number, live: *number == model.live, entry, kept });
        }
    }
    Ok(versions)
}

fn models(versions: &[Version]) -> Columns {
    let live: Vec<&Version> = versions.iter().filter(|version| version.live).collect();
    Columns::default()
        .text("schema", live.iter().map(|version| Some(version.name.schema.clone())))
        .text("name", live.iter().map(|version| Some(version.name.name.clone())))
        .integer("live_version", live.iter().map(|version| Some(version.number)))
        .integer("versions", live.iter().map(|version| Some(version.of as u64)))
        .text("kind", live.iter().map(|version| Some(version.entry.kind.clone())))
        .text("objective", live.iter().map(|version| Some(version.kept.signature.objective.clone())))
        .text("target", live.iter().map(|version| Some(version.kept.signature.target.as_ref()?.name.clone())))
        .text("owner", live.iter().map(|version| Some(version.header.owner.clone())))
        .text("comment", live.iter().map(|version| version.header.comment.clone()))
        .time("trained_at", live.iter().map(|version| version.entry.created_at_ms))
}

fn model_versions(versions: &[Version]) -> Columns {
    named(versions)
        .boolean("live", versions.iter().map(|version| version.live))
        .text("kind", versions.iter().map(|version| Some(version.entry.kind.clone())))
        .text("digest", versions.iter().map(|version| Some(version.entry.digest.clone())))
        .integer("size_bytes", versions.iter().map(|version| Some(version.entry.size_bytes)))
        .text("sql", versions.iter().map(|version| Some(version.entry.sql.clone())))
        .text("sources", versions.iter().map(|version| Some(version.kept.sources.join(", "))))
        .text("options", versions.iter().map(|version| serde_json::to_string(&version.kept.options).ok()))
        .integer("seed", versions.iter().map(|version| Some(version.kept.seed)))
        .time("trained_at", versions.iter().map(|version| version.entry.created_at_ms))
}

fn model_columns(versions: &[Version]) -> Columns {
    let rows: Vec<_> = versions
        .iter()
        .flat_map(|version| version.kept.signature.columns.iter().map(move |column| (version, column)))
        .collect();
    Columns::default()
        .text("schema", rows.iter().map(|(version, _)| Some(version.name.schema.clone())))
        .text("model", rows.iter().map(|(version, _)| Some(version.name.name.clone())))
        .integer("version", rows.iter().map(|(version, _)| Some(version.number)))
        .text("column", rows.iter().map(|(_, column)| Some(column.name.clone())))
        .text("type", rows.iter().map(|(_, column)| Some(type_name(&column.data_type))))
        .text("role", rows.iter().map(|(_, column)| Some(column.role.name().to_owned())))
        .text("encoding", rows.iter().map(|(_, column)| Some(column.encoding.clone())))
        .integer("levels", rows.iter().map(|(_, column)| column.levels))
        .boolean("nulls", rows.iter().map(|(_, column)| column.nulls))
        .integer("unseen_rows", rows.iter().map(|(_, column)| Some(column.unseen_rows)))
}

fn metrics(versions: &[Version]) -> Columns {
    let rows: Vec<_> =
        versions.iter().flat_map(|version| version.kept.metrics.iter().map(move |metric| (version, metric))).collect();
    Columns::default()
        .text("schema", rows.iter().map(|(version, _)| Some(version.name.schema.clone())))
        .text("model", rows.iter().map(|(version, _)| Some(version.name.name.clone())))
        .integer("version", rows.iter().map(|(version, _)| Some(version.number)))
        .text("split", rows.iter().map(|(_, metric)| Some(metric.split.clone())))
        .text("slice", rows.iter().map(|(_, metric)| Some(metric.slice.clone())))
        .text("metric", rows.iter().map(|(_, metric)| Some(metric.metric.clone())))
        .double("value", rows.iter().map(|(_, metric)| metric.value))
        .double("baseline", rows.iter().map(|(_, metric)| metric.baseline))
        .integer("rows", rows.iter().map(|(_, metric)| Some(metric.rows)))
}

fn sources(rows: &[Relation]) -> Columns {
    Columns::default()
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
        .text("comment", rows.iter().map(|(_, object)| object.header.comment.clone()))
}

fn compactions(rows: &[Compaction]) -> Columns {
    Columns::default()
        .text("schema", rows.iter().map(|row| Some(row.table.schema.clone())))
        .text("name", rows.iter().map(|row| Some(row.table.name.clone())))
        .integer("files", rows.iter().map(|row| Some(row.files as u64)))
        .integer("bytes", rows.iter().map(|row| Some(row.bytes)))
        .integer("rows", rows.iter().map(|row| Some(row.rows)))
        .instant("started_at", rows.iter().map(|row| Some(row.began)))
}

fn all_functions(rows: &[Callable]) -> Columns {
    Columns::default()
        .text("name", rows.iter().map(|row| Some(row.name.clone())))
        .text("arguments", rows.iter().map(|row| Some(row.arguments.clone())))
        .text("description", rows.iter().map(|row| Some(row.description.clone())))
        .text("returns", rows.iter().map(|row| Some(row.returns.clone())))
        .text("example", rows.iter().map(|row| Some(row.example.clone())))
}

/// What the scans of this session left out, because their options say `on_error`.
#[derive(Debug)]
struct RejectsTable(Arc<Rejects>);

fn rejects(rows: &[Rejected]) -> Columns {
    Columns::default()
        .text("file", rows.iter().map(|row| Some(row.file.clone())))
        .text("sheet", rows.iter().map(|row| row.sheet.clone()))
        .integer("line", rows.iter().map(|row| row.line))
        .text("column_name", rows.iter().map(|row| row.column.clone()))
        .text("value", rows.iter().map(|row| Some(row.value.clone())))
        .text("expected", rows.iter().map(|row| Some(row.expected.clone())))
}

#[async_trait]
impl TableProvider for RejectsTable {
    fn schema(&self) -> SchemaRef {
        rejects(&[]).schema()
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
        rejects(&self.0.list().await?).table()?.scan(session, projection, filters, limit).await
    }
}

/// A setting, with who may set it.
struct Setting {
    name: String,
    value: String,
    scope: &'static str,
    description: String,
}

fn all_settings(scope: &Scope) -> Vec<Setting> {
    let server = scope.shared().config.settings().into_iter().map(|setting| Setting {
        name: setting.name.to_owned(),
        value: setting.value,
        scope: "server",
        description: setting.description,
    });
    let session = scope.settings().into_iter();
    let session = session.map(|(name, value, description)| Setting { name, value, scope: "session", description });
    server.chain(session).collect()
}

fn settings(rows: &[Setting]) -> Columns {
    Columns::default()
        .text("name", rows.iter().map(|row| Some(row.name.clone())))
        .text("value", rows.iter().map(|row| Some(row.value.clone())))
        .text("scope", rows.iter().map(|row| Some(row.scope)))
        .text("description", rows.iter().map(|row| Some(row.description.clone())))
}

/// The names are those of PostgreSQL's `pg_stat_activity`.
fn sessions(rows: &[Seen]) -> Columns {
    let port = |row: &Seen| row.address.map(|address| i32::from(address.port()));
    let origin = |row: &Seen| match row.origin {
        Origin::Local => "local",
        Origin::Wire => "wire",
    };
    Columns::default()
        .text("datname", rows.iter().map(|_| Some(DATABASE.to_owned())))
        .number("pid", rows.iter().map(|row| Some(row.pid)))
        .text("usename", rows.iter().map(|row| Some(row.user.clone())))
        .text("application_name", rows.iter().map(|row| Some(row.application.clone())))
        .text("client_addr", rows.iter().map(|row| row.address.map(|address| address.ip().to_string())))
        .number("client_port", rows.iter().map(port))
        .instant("backend_start", rows.iter().map(|row| Some(row.began)))
        .instant("xact_start", rows.iter().map(|row| row.transaction_began))
        .instant("query_start", rows.iter().map(|row| row.statement_began))
        .instant("state_change", rows.iter().map(|row| Some(row.changed)))
        .text("state", rows.iter().map(|row| Some(row.state)))
        .text("query", rows.iter().map(|row| Some(row.text.clone())))
        .text("origin", rows.iter().map(|row| Some(origin(row))))
}

fn plan_cache(rows: &[Shown]) -> Columns {
    let types = |row: &Shown| {
        let names = row.types.iter().map(|known| known.as_ref().map_or_else(|| "unknown".to_owned(), type_name));
        names.collect::<Vec<_>>().join(", ")
    };
    Columns::default()
        .text("query", rows.iter().map(|row| Some(row.text.clone())))
        .text("parameter_types", rows.iter().map(|row| Some(types(row))))
        .text("usename", rows.iter().map(|row| Some(row.role.clone())))
        .integer("bytes", rows.iter().map(|row| Some(row.bytes)))
        .integer("hits", rows.iter().map(|row| Some(row.hits)))
        .text("reads", rows.iter().map(|row| Some(row.reads.join(", "))))
}

fn named(versions: &[Version]) -> Columns {
    Columns::default()
        .text("schema", versions.iter().map(|version| Some(version.name.schema.clone())))
        .text("model", versions.iter().map(|version| Some(version.name.name.clone())))
        .integer("version", versions.iter().map(|version| Some(version.number)))
}
