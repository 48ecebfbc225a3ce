//! `CREATE TABLE … AS` and `CREATE TABLE (columns)`: managed tables, Parquet files under the data directory.

use std::sync::Arc;

use arrow::datatypes::{DECIMAL128_MAX_PRECISION, DataType, Field, Schema, SchemaRef};
use async_trait::async_trait;
use datafusion::{
    logical_expr::{Expr, LogicalPlan, LogicalPlanBuilder, cast},
    sql::{
        parser::Statement as SqlStatement,
        sqlparser::ast::{ColumnDef, ColumnOption, CreateTable as Ast, Query, Statement as AstStatement},
    },
};

use super::{
    Action, Form, Recognised,
    headings::{mark_columns, unmarked},
    names::{check_distinct, existing, identifier, object_name},
    plan::{analyze, planned, schema_of},
    training::refuse_train,
};
use crate::{
    Error, Fault, Result,
    catalog::{Definition, Existing, Header, ManagedTable, QualifiedName, TableFile},
    pgtype, planning,
    session::{Analysis, Client, Name, Outcome, Running, Scope, Sealed, storage},
};

pub(super) const FORM: Form = Form { parse: None, convert };

#[derive(Debug)]
struct CreateTable {
    name: Name,
    columns: Sealed<Vec<ColumnDef>>,
    query: Option<Sealed<SqlStatement>>,
    existing: Existing,
}

fn convert(statement: &SqlStatement) -> Recognised {
    let SqlStatement::Statement(statement) = statement else { return Ok(None) };
    let AstStatement::CreateTable(table) = statement.as_ref() else { return Ok(None) };
    let Ast { name, columns, query, or_replace, if_not_exists, temporary, constraints, like, clone, .. } =
        table.clone();
    let refused = |what: &str, instead: &str| {
        Err(Error::new(Fault::FeatureNotSupported, format!("{what} is not supported; {instead}")))
    };
    if temporary {
        return refused("a temporary table", "use CREATE TABLE and DROP TABLE");
    }
    if like.is_some() || clone.is_some() {
        return refused("CREATE TABLE … LIKE", "use CREATE TABLE … AS SELECT … LIMIT 0");
    }
    if !constraints.is_empty() || columns.iter().any(constrained) {
        return refused("a constraint or default on a column", "leave it out; tables are not checked");
    }
    let mut query = query;
    if let Some(query) = &mut query {
        refuse_train(query)?;
        mark_columns(query);
    }
    let existing = existing(or_replace, if_not_exists)?;
    let (columns, query) = (Sealed::new(columns), query.map(|query| Sealed::new(query_statement(&query))));
    Ok(Some(Arc::new(CreateTable { name: object_name(&name)?, columns, query, existing })))
}

pub(super) fn constrained(column: &ColumnDef) -> bool {
    column.options.iter().any(|option| !matches!(option.option, ColumnOption::Null | ColumnOption::NotNull))
}

#[async_trait]
impl Action for CreateTable {
    async fn analyze(&self, _client: &Client, scope: &Arc<Scope>, types: &[Option<DataType>]) -> Result<Analysis> {
        match &self.query {
            None => Ok(Analysis::default()),
            Some(query) => analyze(scope, query, types).await,
        }
    }

    async fn run(&self, running: Running<'_>) -> Result<Outcome> {
        let Running { client, scope, analysis, values } = running;
        // Refused before the query runs, not after it.
        scope.check_writes(if self.query.is_some() { "CREATE TABLE AS" } else { "CREATE TABLE" })?;
        let name = scope.new_name(&self.name)?;
        if scope.exists(&name, self.existing)? {
            return Ok(Outcome::done("CREATE TABLE"));
        }
        let header = client.header()?;
        let Some(query) = &self.query else {
            let schema = declared(scope, &self.columns)?;
            check_distinct(&schema)?;
            self.publish(client, scope, (&name, header), (schema.as_ref().clone(), Vec::new())).await?;
            return Ok(Outcome::done("CREATE TABLE"));
        };
        let query = planned(scope, query, analysis.plan, values).await?;
        let query = match self.columns.as_slice() {
            [] => with_room(query)?,
            columns => as_declared(scope, query, columns)?,
        };
        let schema = storage::stored_schema(&unmarked(&schema_of(&query)));
        check_distinct(&schema)?;
        let files = storage::write(scope, query, Arc::clone(&schema), header.oid).await?;
        let rows: u64 = files.iter().map(|file| file.rows).sum();
        self.publish(client, scope, (&name, header), (schema.as_ref().clone(), files)).await?;
        Ok(Outcome::done(format!("SELECT {rows}")))
    }
}

impl CreateTable {
    async fn publish(
        &self,
        client: &Client,
        scope: &Scope,
        (name, header): (&QualifiedName, Header),
        (schema, files): (Schema, Vec<TableFile>),
    ) -> Result<()> {
        let table = Definition::ManagedTable(ManagedTable::new(schema, files));
        client.create(scope, name, header, table, self.existing).await
    }
}

pub(super) fn query_statement(query: &Query) -> SqlStatement {
    SqlStatement::Statement(Box::new(AstStatement::Query(Box::new(query.clone()))))
}

/// The columns as they were declared, with Arrow types.
pub(super) fn declared(scope: &Scope, columns: &[ColumnDef]) -> Result<SchemaRef> {
    let fields: Vec<Field> = columns
        .iter()
        .map(|column| {
            let nullable = !column.options.iter().any(|option| matches!(option.option, ColumnOption::NotNull));
            let found = scope.type_field(&column.data_type)?;
            let field = Field::new(identifier(&column.name), found.data_type().clone(), nullable);
            Ok(field.with_metadata(pgtype::only_told(&found)))
        })
        .collect::<Result<_>>()?;
    Ok(Arc::new(Schema::new(fields)))
}

/// The decimal places of `numeric` alone.
const LEAST_PLACES: i8 = 10;

/// The query with as much room as there is for the digits of numerics that are computed, which no declaration limits: what is
/// computed now says nothing of the digits that others will have.
fn with_room(query: LogicalPlan) -> Result<LogicalPlan> {
    let settled = planning::settled(query.clone())?;
    let columns = query.schema().columns().into_iter().zip(settled.schema().fields()).enumerate();
    let mut is_any = false;
    let columns: Vec<_> = columns
        .map(|(at, (column, field))| match field.data_type() {
            DataType::Decimal128(_, scale) if planning::is_computed(&query, at) => {
                is_any = true;
                let name = column.name.clone();
                cast(Expr::Column(column), DataType::Decimal128(DECIMAL128_MAX_PRECISION, LEAST_PLACES.max(*scale)))
                    .alias(name)
            }
            _ => Expr::Column(column),
        })
        .collect();
    if is_any { Ok(LogicalPlanBuilder::from(query).project(columns)?.build()?) } else { Ok(query) }
}

/// The query's columns renamed and cast to those declared, by position.
fn as_declared(scope: &Scope, query: LogicalPlan, columns: &[ColumnDef]) -> Result<LogicalPlan> {
    let wanted = declared(scope, columns)?;
    let found = query.schema().fields().len();
    if wanted.fields().len() != found {
        return Err(Error::new(
            Fault::Syntax,
            format!("{} columns are declared, but the query returns {found}", wanted.fields().len()),
        ));
    }
    let expressions = query
        .schema()
        .columns()
        .into_iter()
        .zip(wanted.fields())
        .map(|(column, field)| {
            let value = planning::stored_as(Expr::Column(column), field, query.schema())?;
            Ok(value.alias(field.name()))
        })
        .collect::<Result<Vec<Expr>>>()?;
    Ok(LogicalPlanBuilder::from(query).project(expressions)?.build()?)
}
