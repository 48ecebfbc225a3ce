//! A relation of the system as queries read it: made when it is scanned, of what the statement sees, and of no more columns
//! than the query reads.

use std::sync::Arc;

use arrow::{
    array::RecordBatch,
    datatypes::{Field, Schema, SchemaRef},
};
use async_trait::async_trait;
use datafusion::{
    catalog::{SchemaProvider, Session, TableProvider},
    datasource::{MemTable, TableType},
    logical_expr::Expr,
    physical_plan::ExecutionPlan,
};

use super::{
    declared::{self, Declared},
    filling::{Result, Wanted},
    objects::Objects,
};
use crate::session::Scope;

/// What rows are made of: what the statement sees, and its objects by their numbers.
pub(in crate::session) struct Contents<'a> {
    pub(in crate::session) scope: &'a Scope,
    pub(in crate::session) objects: Objects,
}

/// Makes the rows of a relation.
pub(in crate::session) type Fill = fn(&Contents<'_>, Wanted) -> Result<RecordBatch>;

/// The relations of a schema of which there is something to tell, by their names; the others are empty.
pub(in crate::session) type Filled = &'static [(&'static str, Fill)];

/// A schema of declared relations, as a statement sees it.
pub(in crate::session) struct DeclaredSchema {
    name: &'static str,
    filled: Filled,
    scope: Arc<Scope>,
}

impl DeclaredSchema {
    pub(in crate::session) fn new(name: &'static str, filled: Filled, scope: Arc<Scope>) -> Self {
        Self { name, filled, scope }
    }
}

#[async_trait]
impl SchemaProvider for DeclaredSchema {
    fn table_names(&self) -> Vec<String> {
        let here = declared::all().iter().filter(|declared| declared.schema == self.name);
        here.map(|declared| declared.name.to_owned()).collect()
    }

    async fn table(&self, name: &str) -> Result<Option<Arc<dyn TableProvider>>> {
        let Some(declared) = declared::named(self.name, name) else { return Ok(None) };
        self.scope.looks_beside();
        let fill = self.filled.iter().find(|(filled, _)| *filled == name).map(|(_, fill)| *fill);
        let fields: Vec<Field> = declared.columns.iter().map(|column| column.field()).collect();
        let scope = Arc::clone(&self.scope);
        Ok(Some(Arc::new(SystemRelation { declared, schema: Arc::new(Schema::new(fields)), fill, scope })))
    }

    async fn table_type(&self, name: &str) -> Result<Option<TableType>> {
        Ok(self.table_exist(name).then_some(TableType::View))
    }

    fn table_exist(&self, name: &str) -> bool {
        declared::named(self.name, name).is_some()
    }
}

impl std::fmt::Debug for DeclaredSchema {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        formatter.debug_struct("DeclaredSchema").field("name", &self.name).finish_non_exhaustive()
    }
}

/// A relation that is made when it is read.
struct SystemRelation {
    declared: &'static Declared,
    schema: SchemaRef,
    fill: Option<Fill>,
    scope: Arc<Scope>,
}

impl SystemRelation {
    fn rows(&self, places: Vec<usize>) -> Result<RecordBatch> {
        let wanted = Wanted::new(self.declared, places);
        let Some(fill) = self.fill else { return wanted.nothing() };
        let objects = Objects::new(Arc::clone(self.scope.snapshot()));
        fill(&Contents { scope: &self.scope, objects }, wanted)
    }
}

impl std::fmt::Debug for SystemRelation {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        formatter.debug_struct("SystemRelation").field("name", &self.declared.name).finish_non_exhaustive()
    }
}

#[async_trait]
impl TableProvider for SystemRelation {
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
        let places = projection.cloned().unwrap_or_else(|| (0..self.declared.columns.len()).collect());
        // Rows that are only counted have a column, too, of which nothing is read.
        let none = places.is_empty().then(Vec::new);
        let batch = self.rows(if places.is_empty() { vec![0] } else { places })?;
        let table = MemTable::try_new(batch.schema(), vec![vec![batch]])?;
        table.scan(session, none.as_ref(), filters, limit).await
    }
}
