//! What the planner sees of the catalog: the snapshot of the client's statement, as DataFusion's providers.
//!
//! One catalog list a session, so that a statement reads one snapshot whatever others commit meanwhile. Tables are opened
//! and views planned when a statement names them, once while it is planned, and kept no longer.

use std::{
    collections::HashMap,
    future::Future,
    sync::{Arc, Mutex, OnceLock, Weak},
};

use async_trait::async_trait;
use datafusion::{
    catalog::{CatalogProvider, CatalogProviderList, SchemaProvider, TableProvider},
    common::DataFusionError,
    datasource::{TableType, ViewTable},
};

use super::{Client, DATABASE, DEFAULT_SCHEMA, client::lock, files, storage, system};
use crate::{
    Error, Fault,
    catalog::{Definition, ExternalTable, QualifiedName},
    source::{self, TableRequest},
};

type Result<T, E = DataFusionError> = std::result::Result<T, E>;

/// What was opened while a statement is planned.
type Opened = Mutex<HashMap<QualifiedName, Arc<dyn TableProvider>>>;

tokio::task_local! {
    static OPENED: Opened;
}

/// Plans a statement, which opens each relation once. Its names are looked up when it is rewritten and again when it is
/// planned, and so are those of the views in it: without this, views over views would be planned twice as often with each.
pub(crate) async fn opening_once<T>(planning: impl Future<Output = T>) -> T {
    match OPENED.try_with(|_| ()) {
        Ok(()) => planning.await,
        Err(_) => OPENED.scope(Opened::default(), planning).await,
    }
}

/// Works with what is opened already; none outside of planning.
fn opened<T>(work: impl FnOnce(&mut HashMap<QualifiedName, Arc<dyn TableProvider>>) -> T) -> Option<T> {
    OPENED.try_with(|opened| work(&mut lock(opened))).ok()
}

/// The client that a provider works for; empty until the session is complete, gone after it.
pub(crate) type ClientCell = Arc<OnceLock<Weak<Client>>>;

/// The client behind a cell.
pub(crate) fn client_of(cell: &ClientCell) -> crate::Result<Arc<Client>> {
    cell.get()
        .and_then(Weak::upgrade)
        .ok_or_else(|| Error::new(Fault::Internal, "the session is closed while a statement runs in it"))
}

/// All databases of one session: there is one.
#[derive(Debug)]
pub(crate) struct Providers {
    database: Arc<Database>,
}

impl Providers {
    pub(crate) fn new(client: ClientCell) -> Self {
        Self { database: Arc::new(Database { client }) }
    }
}

impl CatalogProviderList for Providers {
    fn register_catalog(&self, _name: String, _catalog: Arc<dyn CatalogProvider>) -> Option<Arc<dyn CatalogProvider>> {
        None
    }

    fn catalog_names(&self) -> Vec<String> {
        vec![DATABASE.to_owned()]
    }

    fn catalog(&self, name: &str) -> Option<Arc<dyn CatalogProvider>> {
        (name == DATABASE).then(|| Arc::clone(&self.database) as Arc<dyn CatalogProvider>)
    }
}

#[derive(Debug)]
struct Database {
    client: ClientCell,
}

impl CatalogProvider for Database {
    fn schema_names(&self) -> Vec<String> {
        let mut names = vec![system::SCHEMA.to_owned()];
        if let Ok(client) = client_of(&self.client) {
            names.extend(client.snapshot().schemas().map(|(name, _)| name.to_owned()));
        }
        names
    }

    fn schema(&self, name: &str) -> Option<Arc<dyn SchemaProvider>> {
        let client = Arc::clone(&self.client);
        if name == system::SCHEMA {
            return Some(Arc::new(SystemSchema { client }));
        }
        let known = client_of(&client).ok()?.snapshot().has_schema(name);
        known.then(|| Arc::new(UserSchema { name: name.to_owned(), client }) as Arc<dyn SchemaProvider>)
    }
}

#[derive(Debug)]
struct SystemSchema {
    client: ClientCell,
}

#[async_trait]
impl SchemaProvider for SystemSchema {
    fn table_names(&self) -> Vec<String> {
        system::TABLES.iter().map(|table| table.name.to_owned()).collect()
    }

    async fn table(&self, name: &str) -> Result<Option<Arc<dyn TableProvider>>> {
        let client = client_of(&self.client)?;
        let Some(table) = system::TABLES.iter().find(|table| table.name == name) else { return Ok(None) };
        Ok(Some(table.provider(&client)?))
    }

    async fn table_type(&self, name: &str) -> Result<Option<TableType>> {
        Ok(self.table_exist(name).then_some(TableType::Base))
    }

    fn table_exist(&self, name: &str) -> bool {
        system::TABLES.iter().any(|table| table.name == name)
    }
}

#[derive(Debug)]
struct UserSchema {
    name: String,
    client: ClientCell,
}

#[async_trait]
impl SchemaProvider for UserSchema {
    fn table_names(&self) -> Vec<String> {
        let Ok(client) = client_of(&self.client) else { return Vec::new() };
        let snapshot = client.snapshot();
        let here = snapshot.relations().filter(|(name, _)| name.schema == self.name);
        here.map(|(name, _)| name.name.clone()).collect()
    }

    async fn table(&self, name: &str) -> Result<Option<Arc<dyn TableProvider>>> {
        let qualified = QualifiedName::new(&self.name, name);
        if let Some(provider) = opened(|opened| opened.get(&qualified).cloned()).flatten() {
            return Ok(Some(provider));
        }
        let found = self.open(&qualified).await?;
        if let Some(provider) = &found {
            opened(|opened| opened.insert(qualified, Arc::clone(provider)));
        }
        Ok(found)
    }

    async fn table_type(&self, name: &str) -> Result<Option<TableType>> {
        let client = client_of(&self.client)?;
        let snapshot = client.snapshot();
        let object = snapshot.relation(&QualifiedName::new(&self.name, name));
        Ok(object.map(|object| match object.definition {
            Definition::View(_) => TableType::View,
            _ => TableType::Base,
        }))
    }

    fn table_exist(&self, name: &str) -> bool {
        let Ok(client) = client_of(&self.client) else { return false };
        client.snapshot().relation(&QualifiedName::new(&self.name, name)).is_some()
    }
}

impl UserSchema {
    async fn open(&self, name: &QualifiedName) -> Result<Option<Arc<dyn TableProvider>>> {
        let client = client_of(&self.client)?;
        let snapshot = client.snapshot();
        let Some(object) = snapshot.relation(name) else {
            if self.name != DEFAULT_SCHEMA {
                return Ok(None);
            }
            if let Some(request) = files::request(&client, &name.name) {
                return look_at(&client, request?).await.map(Some);
            }
            if source::looks_like_path(&name.name) {
                let request = TableRequest { locations: vec![name.name.clone()], ..TableRequest::default() };
                return look_at(&client, request).await.map(Some);
            }
            return match source::unknown_file(&name.name, client.access()) {
                Some(error) => Err(Error::from(error).into()),
                None => Ok(None),
            };
        };
        match &object.definition {
            Definition::ExternalTable(table) => {
                let opened = source::open(&table.clone().into(), &client.stores(), client.access());
                Ok(Some(opened.map_err(Error::from)?))
            }
            Definition::ManagedTable(table) => storage::open(&client, name, table).await.map(Some),
            Definition::View(view) => plan_view(&client, name, &view.sql).await.map(Some),
            _ => Ok(None),
        }
    }
}

/// Files named in FROM. They are listed by each statement, and looked at anew if they have changed.
async fn look_at(client: &Arc<Client>, request: TableRequest) -> Result<Arc<dyn TableProvider>> {
    let stores = client.stores();
    let found = source::resolve(client.state().as_ref(), request, &stores, client.access()).await;
    Ok(source::open(&found.map_err(Error::from)?, &stores, client.access()).map_err(Error::from)?)
}

async fn plan_view(client: &Arc<Client>, name: &QualifiedName, sql: &str) -> Result<Arc<dyn TableProvider>> {
    let depth = client.enter_view(name)?;
    let statement = client.parse_query(sql)?;
    let planned = client.plan(statement).await;
    drop(depth);
    let inside = |error: Error| DataFusionError::from(error).context(format!("in the view \"{}\"", name.name));
    let plan = planned.map_err(inside)?;
    Ok(Arc::new(ViewTable::new(plan, Some(sql.to_owned()))))
}

impl From<source::TableDefinition> for ExternalTable {
    fn from(found: source::TableDefinition) -> Self {
        let partition = |field: arrow::datatypes::Field| (field.name().clone(), field.data_type().clone());
        Self {
            locations: found.locations,
            format: found.format,
            options: found.options,
            schema: found.schema,
            partition_columns: found.partition_columns.into_iter().map(partition).collect(),
            secret: None,
        }
    }
}

impl From<ExternalTable> for source::TableDefinition {
    fn from(kept: ExternalTable) -> Self {
        let field = |(name, data_type)| arrow::datatypes::Field::new(name, data_type, true);
        Self {
            locations: kept.locations,
            format: kept.format,
            options: kept.options,
            schema: kept.schema,
            partition_columns: kept.partition_columns.into_iter().map(field).collect(),
        }
    }
}

#[cfg(test)]
mod tests {
    use arrow::datatypes::Schema;
    use datafusion::datasource::empty::EmptyTable;

    use super::*;

    #[tokio::test]
    async fn what_is_opened_is_kept_while_a_statement_is_planned_and_no_longer() {
        let name = QualifiedName::new("public", "t");
        let is_open = || opened(|opened| opened.contains_key(&name));
        opening_once(async {
            assert_eq!(is_open(), Some(false));
            let table: Arc<dyn TableProvider> = Arc::new(EmptyTable::new(Arc::new(Schema::empty())));
            opened(|opened| opened.insert(name.clone(), table));
            // A view is planned within.
            opening_once(async { assert_eq!(is_open(), Some(true)) }).await;
        })
        .await;
        opening_once(async { assert_eq!(is_open(), Some(false)) }).await;
        assert_eq!(is_open(), None);
    }
}
