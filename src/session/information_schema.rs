//! The schema `information_schema`: what there is, for tools that ask as the standard says, with PostgreSQL's columns.
//!
//! A table is made from the statement's snapshot when a query reads it, and by nothing else: no file is opened, so that a
//! table whose files are gone or broken is told of as well as any. What the catalog does not know is NULL. The settings,
//! functions and parameters of the query engine are told by itself. To add a table is one file and one line in [`TABLES`].

mod columns;
mod schemata;
mod tables;
mod views;

use std::{collections::HashMap, sync::Arc};

use arrow::datatypes::{Fields, SchemaRef};
use async_trait::async_trait;
use datafusion::{
    catalog::{
        MemoryCatalogProviderList, SchemaProvider, Session, TableFunction, TableProvider,
        information_schema::InformationSchemaProvider,
    },
    common::DataFusionError,
    datasource::{MemTable, TableType},
    logical_expr::Expr,
    physical_plan::ExecutionPlan,
};

use super::{in_memory::Columns, system};
use crate::catalog::{Definition, Object, QualifiedName, SYSTEM_OWNER, Snapshot};

/// The schema's name.
pub(super) const SCHEMA: &str = "information_schema";

type Result<T, E = DataFusionError> = std::result::Result<T, E>;

/// One table of the schema.
#[derive(Debug)]
struct Table {
    name: &'static str,
    /// Its rows; without any, its columns.
    rows: fn(&Contents<'_>) -> Columns,
}

/// The tables that are made here.
const TABLES: &[Table] = &[
    Table { name: "columns", rows: columns::rows },
    Table { name: "schemata", rows: schemata::rows },
    Table { name: "tables", rows: tables::rows },
    Table { name: "views", rows: views::rows },
];

/// The tables that the query engine makes. Its others are not asked: they would open what they tell of.
const ENGINE_TABLES: &[&str] = &["df_settings", "parameters", "routines"];

/// The schema as a snapshot has it. `functions` are those that may stand in FROM.
pub(super) fn schema(
    snapshot: Arc<Snapshot>,
    functions: HashMap<String, Arc<TableFunction>>,
) -> Arc<dyn SchemaProvider> {
    // It gets no catalog to look into.
    let engine = InformationSchemaProvider::new(Arc::new(MemoryCatalogProviderList::new()));
    Arc::new(InformationSchema { snapshot, engine: engine.with_table_functions(functions) })
}

#[derive(Debug)]
struct InformationSchema {
    snapshot: Arc<Snapshot>,
    engine: InformationSchemaProvider,
}

#[async_trait]
impl SchemaProvider for InformationSchema {
    fn table_names(&self) -> Vec<String> {
        let made = TABLES.iter().map(|table| table.name);
        made.chain(ENGINE_TABLES.iter().copied()).map(str::to_owned).collect()
    }

    async fn table(&self, name: &str) -> Result<Option<Arc<dyn TableProvider>>> {
        if ENGINE_TABLES.contains(&name) {
            return self.engine.table(name).await;
        }
        let Some(table) = TABLES.iter().find(|table| table.name == name) else { return Ok(None) };
        let mut engine = Vec::with_capacity(ENGINE_TABLES.len());
        for name in ENGINE_TABLES {
            if let Some(provider) = self.engine.table(name).await? {
                engine.push((*name, provider.schema().fields().clone()));
            }
        }
        Ok(Some(Arc::new(Made { table, schema: table.schema(), snapshot: Arc::clone(&self.snapshot), engine })))
    }

    async fn table_type(&self, name: &str) -> Result<Option<TableType>> {
        Ok(self.table_exist(name).then_some(TableType::View))
    }

    fn table_exist(&self, name: &str) -> bool {
        ENGINE_TABLES.contains(&name) || TABLES.iter().any(|table| table.name == name)
    }
}

impl Table {
    fn schema(&self) -> SchemaRef {
        (self.rows)(&Contents::default()).schema()
    }
}

/// A table that is made when it is read.
#[derive(Debug)]
struct Made {
    table: &'static Table,
    schema: SchemaRef,
    snapshot: Arc<Snapshot>,
    /// The query engine's tables with their columns.
    engine: Vec<(&'static str, Fields)>,
}

impl Made {
    fn rows(&self) -> Result<MemTable> {
        (self.table.rows)(&Contents::of(&self.snapshot, &self.engine)).table()
    }
}

#[async_trait]
impl TableProvider for Made {
    fn schema(&self) -> SchemaRef {
        Arc::clone(&self.schema)
    }

    fn table_type(&self) -> TableType {
        TableType::View
    }

    async fn scan(
        &self,
        session: &dyn Session,
        projection: Option<&Vec<usize>>,
        filters: &[Expr],
        limit: Option<usize>,
    ) -> Result<Arc<dyn ExecutionPlan>> {
        self.rows()?.scan(session, projection, filters, limit).await
    }
}

/// What is told of, in the order of names.
#[derive(Default)]
struct Contents<'a> {
    /// The schemas, each with its owner.
    schemata: Vec<(&'a str, &'a str)>,
    relations: Vec<Relation<'a>>,
}

/// A table or a view.
struct Relation<'a> {
    schema: &'a str,
    name: &'a str,
    kind: Kind,
    columns: Fields,
    /// The query of a view, where it is known.
    definition: Option<&'a str>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Kind {
    /// A table that rows can be inserted into.
    Base,
    /// Files of somebody else, which is what PostgreSQL's foreign tables are.
    Foreign,
    /// A stored query, or what the engine tells of itself.
    View,
}

impl<'a> Contents<'a> {
    fn of(snapshot: &'a Snapshot, engine: &[(&'static str, Fields)]) -> Self {
        let own = [SCHEMA, system::SCHEMA].map(|name| (name, SYSTEM_OWNER));
        let mut schemata: Vec<_> =
            snapshot.schemas().map(|(name, object)| (name, object.header.owner.as_str())).chain(own).collect();
        schemata.sort_unstable();
        let made = TABLES.iter().map(|table| Relation::told(SCHEMA, table.name, table.schema().fields().clone()));
        let engine = engine.iter().map(|&(name, ref columns)| Relation::told(SCHEMA, name, columns.clone()));
        let system = system::TABLES.iter();
        let system = system.map(|table| Relation::told(system::SCHEMA, table.name, table.schema().fields().clone()));
        let kept = snapshot.relations().filter_map(|(name, object)| Relation::kept(name, object));
        let mut relations: Vec<_> = made.chain(engine).chain(system).chain(kept).collect();
        relations.sort_by_key(|relation| (relation.schema, relation.name));
        Self { schemata, relations }
    }
}

impl<'a> Relation<'a> {
    /// What a catalog keeps.
    fn kept(name: &'a QualifiedName, object: &'a Object) -> Option<Self> {
        let (kind, definition) = match &object.definition {
            Definition::ManagedTable(_) => (Kind::Base, None),
            Definition::ExternalTable(_) => (Kind::Foreign, None),
            Definition::View(view) => (Kind::View, Some(view.sql.as_str())),
            Definition::Schema | Definition::Secret(_) | Definition::Model(_) => return None,
        };
        let columns = object.columns()?.fields().clone();
        Some(Self { schema: &name.schema, name: &name.name, kind, columns, definition })
    }

    /// What the engine tells of itself: a view without a query, as are those that PostgreSQL shows to whom they are not.
    fn told(schema: &'a str, name: &'a str, columns: Fields) -> Self {
        Self { schema, name, kind: Kind::View, columns, definition: None }
    }
}

/// What the standard answers with.
fn yes_or_no(yes: bool) -> &'static str {
    if yes { "YES" } else { "NO" }
}
