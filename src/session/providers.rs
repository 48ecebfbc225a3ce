//! What the planner sees of the catalog: what a statement's scope finds, as DataFusion's providers.
//!
//! One catalog list a statement, so that it reads one snapshot whatever others commit meanwhile. Tables are opened and views
//! planned when a statement names them, once, and kept no longer than it runs.

use std::sync::Arc;

use arrow::datatypes::{DataType, FieldRef, Fields, Schema};
use async_trait::async_trait;
use datafusion::{
    catalog::{CatalogProvider, CatalogProviderList, SchemaProvider, TableProvider},
    common::{Column, DataFusionError},
    datasource::{TableType, ViewTable},
    logical_expr::{Cast, Expr, LogicalPlan, LogicalPlanBuilder},
};

use super::{
    CATALOG_SCHEMA, DATABASE, PATH_SCHEMA, Scope, engine_zone, files, information_schema, pg_catalog,
    settings::READ_BY, storage, system,
};
use crate::{
    Error, Fault,
    catalog::{Definition, Object, ObjectKey, Privilege, QualifiedName, View, is_temporary},
    pgtype::{self, InSession, LONG_NUMERIC, Styles, field_name, told, type_name},
    planning,
    source::{self, TableRequest},
};

type Result<T, E = DataFusionError> = std::result::Result<T, E>;

/// Where names without a schema are looked for: the schemas of the path, and files.
#[derive(Debug)]
struct PathSchema {
    scope: Arc<Scope>,
}

impl PathSchema {
    /// The first schema that has a relation of this name.
    fn of(&self, name: &str) -> Option<Arc<dyn SchemaProvider>> {
        let database = Database { scope: Arc::clone(&self.scope) };
        database.schema(&schema_of(&self.scope, name)?)
    }
}

/// The schema that has the relation of a name without one: the first on the path, or the one that a view means.
pub(super) fn schema_of(scope: &Arc<Scope>, name: &str) -> Option<String> {
    // What a view means stays what it is, even when it is there no more.
    if let Some(schema) = scope.meant(name) {
        return has_relation(scope, schema, name).then(|| schema.to_owned());
    }
    // The schema of temporary objects comes first, and then the catalog's, unless the path says when.
    let path = scope.path();
    if let Some(own) = path.first().filter(|schema| is_temporary(schema))
        && has_relation(scope, own, name)
    {
        scope.note(name, own);
        return Some(own.clone());
    }
    if pg_catalog::has_relation(name) && !path.iter().any(|schema| schema == CATALOG_SCHEMA) {
        scope.note(name, CATALOG_SCHEMA);
        return Some(CATALOG_SCHEMA.to_owned());
    }
    let schema = path.iter().find(|schema| has_relation(scope, schema, name))?;
    scope.note(name, schema);
    Some(schema.clone())
}

/// Whether a schema has a relation of this name.
pub(super) fn has_relation(scope: &Arc<Scope>, schema: &str, name: &str) -> bool {
    Database { scope: Arc::clone(scope) }.schema(schema).is_some_and(|found| found.table_exist(name))
}

#[async_trait]
impl SchemaProvider for PathSchema {
    fn table_names(&self) -> Vec<String> {
        Vec::new()
    }

    async fn table(&self, name: &str) -> Result<Option<Arc<dyn TableProvider>>> {
        match self.of(name) {
            Some(schema) => schema.table(name).await,
            None => named_files(&self.scope, name).await,
        }
    }

    async fn table_type(&self, name: &str) -> Result<Option<TableType>> {
        match self.of(name) {
            Some(schema) => schema.table_type(name).await,
            None => Ok(None),
        }
    }

    fn table_exist(&self, name: &str) -> bool {
        self.of(name).is_some()
    }
}

/// All databases of one statement: there is one.
#[derive(Debug)]
pub(crate) struct Providers {
    database: Arc<Database>,
}

impl Providers {
    pub(crate) fn new(scope: Arc<Scope>) -> Self {
        Self { database: Arc::new(Database { scope }) }
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
    scope: Arc<Scope>,
}

impl CatalogProvider for Database {
    fn schema_names(&self) -> Vec<String> {
        let own = self.scope.snapshot().schemas().map(|(name, _)| name);
        [system::SCHEMA, information_schema::SCHEMA, CATALOG_SCHEMA].into_iter().chain(own).map(str::to_owned).collect()
    }

    fn schema(&self, name: &str) -> Option<Arc<dyn SchemaProvider>> {
        let scope = Arc::clone(&self.scope);
        if name == PATH_SCHEMA {
            return Some(Arc::new(PathSchema { scope }));
        }
        if name == system::SCHEMA {
            return Some(Arc::new(SystemSchema { scope }));
        }
        if name == information_schema::SCHEMA {
            return Some(information_schema::schema(scope));
        }
        if name == CATALOG_SCHEMA {
            return Some(pg_catalog::schema(scope));
        }
        let name = scope.meant_schema(name).into_owned();
        let is_anothers = is_temporary(&name) && name != scope.temporary_schema();
        if is_anothers || scope.find(ObjectKey::Schema(name.clone())).is_none() {
            return None;
        }
        Some(Arc::new(UserSchema { name, scope }))
    }
}

#[derive(Debug)]
struct SystemSchema {
    scope: Arc<Scope>,
}

#[async_trait]
impl SchemaProvider for SystemSchema {
    fn table_names(&self) -> Vec<String> {
        system::TABLES.iter().map(|table| table.name.to_owned()).collect()
    }

    async fn table(&self, name: &str) -> Result<Option<Arc<dyn TableProvider>>> {
        let Some(table) = system::TABLES.iter().find(|table| table.name == name) else { return Ok(None) };
        self.scope.looks_beside();
        Ok(Some(table.provider(&self.scope)?))
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
    scope: Arc<Scope>,
}

#[async_trait]
impl SchemaProvider for UserSchema {
    fn table_names(&self) -> Vec<String> {
        let here = self.scope.snapshot().relations().filter(|(name, _)| name.schema == self.name);
        here.map(|(name, _)| name.name.clone()).collect()
    }

    async fn table(&self, name: &str) -> Result<Option<Arc<dyn TableProvider>>> {
        let qualified = QualifiedName::new(&self.name, name);
        if let Some(provider) = self.scope.opened(&qualified) {
            return Ok(Some(provider));
        }
        let found = self.open(&qualified).await?;
        if let Some(provider) = &found {
            self.scope.keep_open(qualified, Arc::clone(provider));
        }
        Ok(found)
    }

    async fn table_type(&self, name: &str) -> Result<Option<TableType>> {
        let object = self.find(name);
        Ok(object.map(|object| match object.definition {
            Definition::View(_) => TableType::View,
            _ => TableType::Base,
        }))
    }

    fn table_exist(&self, name: &str) -> bool {
        self.find(name).is_some()
    }
}

impl UserSchema {
    fn find(&self, name: &str) -> Option<&Arc<Object>> {
        self.scope.find(ObjectKey::Relation(QualifiedName::new(&self.name, name)))
    }

    async fn open(&self, name: &QualifiedName) -> Result<Option<Arc<dyn TableProvider>>> {
        let scope = &self.scope;
        let Some(object) = self.find(&name.name) else { return Ok(None) };
        scope.check(Privilege::Select, object)?;
        match &object.definition {
            Definition::ExternalTable(table) => {
                scope.looks_beside();
                let opened = scope.sources().open(table, scope.stores(), scope.access());
                Ok(Some(opened.map_err(Error::from)?))
            }
            Definition::ManagedTable(table) => Ok(Some(storage::open(scope, name, object, table))),
            Definition::View(view) => plan_view(scope, name, object, view).await.map(Some),
            _ => Ok(None),
        }
    }
}

/// What a name that no table has stands for among files: a call that reads some, or a path.
async fn named_files(scope: &Scope, name: &str) -> Result<Option<Arc<dyn TableProvider>>> {
    scope.looks_beside();
    let key = QualifiedName::new(PATH_SCHEMA, name);
    if let Some(provider) = scope.opened(&key) {
        return Ok(Some(provider));
    }
    let request = match files::request(scope, name) {
        Some(request) => request?,
        None if source::looks_like_path(name) => {
            TableRequest { locations: vec![name.to_owned()], ..TableRequest::default() }
        }
        None => {
            return match source::unknown_file(name, scope.access()) {
                Some(error) => Err(Error::from(error).into()),
                None => Ok(None),
            };
        }
    };
    let provider = look_at(scope, request).await?;
    scope.keep_open(key, Arc::clone(&provider));
    Ok(Some(provider))
}

/// Files named in FROM. They are listed by each statement, and looked at anew if they have changed.
async fn look_at(scope: &Scope, request: TableRequest) -> Result<Arc<dyn TableProvider>> {
    let (sources, stores, access) = (scope.sources(), scope.stores(), scope.access());
    let found = sources.resolve(scope.engine(), request, stores, access).await.map_err(Error::from)?;
    Ok(sources.open(&found, stores, access).map_err(Error::from)?)
}

async fn plan_view(
    scope: &Scope,
    name: &QualifiedName,
    object: &Object,
    view: &View,
) -> Result<Arc<dyn TableProvider>> {
    let scope = scope.of_view(name, &object.header.owner, view)?;
    let statement = scope.parse_view(view)?;
    let plan = as_read(scope.plan(statement, &[]).await?, view, &scope)?;
    Ok(Arc::new(ViewTable::new(as_made(plan, name, &view.schema)?, Some(view.sql.clone()))))
}

/// The plan in which texts are read as when the view was made, where its reader, or the view around it, would read others.
fn as_read(plan: LogicalPlan, view: &View, scope: &Scope) -> crate::Result<LogicalPlan> {
    let [zone, dates, intervals] = READ_BY.map(|name| view.settings.get(name));
    let (Some(zone), Some(dates), Some(intervals)) = (zone, dates, intervals) else { return Ok(plan) };
    let zone = engine_zone(zone);
    let made_in = InSession { zone: &zone, styles: Styles::named(dates, intervals) };
    if made_in == scope.reads_in() && !scope.is_of_inner_view() {
        return Ok(plan);
    }
    Ok(planning::read_written(plan, made_in)?)
}

/// The plan with the columns that the view was made with, by their names: what its tables have got since is not shown, as in
/// PostgreSQL. There a table is not dropped while a view reads it; here one may come back with other columns.
fn as_made(plan: LogicalPlan, name: &QualifiedName, made: &Schema) -> crate::Result<LogicalPlan> {
    let is_as_made = |now: &Fields| {
        let same = |(one, other): (&FieldRef, &FieldRef)| one.name() == other.name() && same_type(one, other);
        now.len() == made.fields().len() && made.fields().iter().zip(now).all(same)
    };
    if is_as_made(plan.schema().fields()) {
        return Ok(plan);
    }
    // The types that its rows will have.
    let settled = planning::settled(plan.clone());
    let now = settled.as_ref().unwrap_or(&plan).schema().fields().clone();
    if is_as_made(&now) {
        return Ok(plan);
    }
    let mut columns = Vec::with_capacity(made.fields().len());
    for column in made.fields() {
        let mut of_name = now.iter().enumerate().filter(|(_, found)| found.name() == column.name());
        let Some((at, found)) = of_name.next() else {
            let columns: Vec<&str> = now.iter().map(|column| column.name().as_str()).collect();
            let message = format!(
                "column \"{}\" of the view {name} does not exist any more: what the view reads was made anew, and its query \
                 yields {} now; DROP the view and CREATE it anew",
                column.name(),
                columns.join(", ")
            );
            return Err(Error::new(Fault::UndefinedColumn, message));
        };
        if of_name.next().is_some() {
            let message = format!(
                "column \"{}\" of the view {name} is ambiguous: what the view reads was made anew, and several of its columns \
                 have this name now; DROP the view and CREATE it anew",
                column.name()
            );
            return Err(Error::new(Fault::AmbiguousColumn, message));
        }
        let (own, wanted) = (Expr::Column(Column::from(plan.schema().qualified_field(at))), column.data_type());
        if was_another(wanted, found.data_type()) {
            columns.push(Expr::Cast(Cast::new(Box::new(own), wanted.clone())).alias(column.name()));
            continue;
        }
        if !same_type(column, found) {
            let message = format!(
                "column \"{}\" of the view {name} is of type {}, but what the view reads was made anew, and its query yields \
                 {} now; DROP the view and CREATE it anew",
                column.name(),
                field_name(column),
                field_name(found)
            );
            return Err(Error::new(Fault::DatatypeMismatch, message));
        }
        columns.push(own);
    }
    Ok(LogicalPlanBuilder::from(plan).project(columns)?.build()?)
}

/// Whether a view may have been made with numbers of the first type when those that are written were bigints and doubles, and
/// sums of bigints such.
fn was_another(made: &DataType, now: &DataType) -> bool {
    match (made, now) {
        (DataType::Int64, DataType::Int32 | DataType::Decimal128(_, 0)) => true,
        (DataType::Float64, DataType::Decimal128(..) | DataType::Decimal256(..)) => true,
        (DataType::Decimal128(_, made), DataType::Decimal128(_, now) | DataType::Decimal256(_, now)) => made >= now,
        _ => match (pgtype::element(made), pgtype::element(now)) {
            (Some(made), Some(now)) => was_another(made, now),
            _ => false,
        },
    }
}

/// Whether clients see values of two columns as of one type.
fn same_type(one: &FieldRef, other: &FieldRef) -> bool {
    match (one.data_type(), other.data_type()) {
        (DataType::Struct(_), DataType::Struct(_)) | (DataType::Map(..), DataType::Map(..)) => true,
        (one_type, other_type) => match (told(one), told(other)) {
            (Some(one), Some(other)) => one == other,
            // A quotient may have had fewer places.
            _ if one_type.is_decimal() && *other_type == LONG_NUMERIC => true,
            // What was made before columns said their types says none.
            _ => one_type == other_type || type_name(one_type) == type_name(other_type),
        },
    }
}
