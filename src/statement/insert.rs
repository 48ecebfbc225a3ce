//! `INSERT`: rows of a query, appended to a managed table as new files.

use std::sync::Arc;

use arrow::datatypes::{DataType, Schema};
use async_trait::async_trait;
use datafusion::{
    common::ScalarValue,
    logical_expr::{Expr, LogicalPlan, LogicalPlanBuilder, WriteOp, cast, lit},
    sql::{
        parser::Statement as SqlStatement,
        sqlparser::ast::{Insert as Ast, SetExpr, Statement as AstStatement, TableObject},
    },
};

use super::{
    Action, Form, Recognised,
    create_table::query_statement,
    headings::mark_columns,
    names::{identifier, object_name},
    plan::{analyze, bind, plan},
    training::refuse_train,
};
use crate::{
    Error, Fault, Result,
    catalog::{Change, Definition, Header, Kind, ManagedTable, Privilege, QualifiedName},
    error::null_violation,
    session::{Analysis, Client, Name, Outcome, Running, Scope, Sealed, storage},
};

pub(super) const FORM: Form = Form { parse: None, convert };

#[derive(Debug)]
struct Insert {
    table: Name,
    /// The columns that VALUES fills, where they are named.
    columns: Vec<String>,
    statement: Sealed<SqlStatement>,
    /// The query whose rows are inserted, unless it is VALUES. The planner gives the columns' types to every VALUES of an
    /// INSERT, also to those deep in its query: so the query is planned alone.
    query: Option<Sealed<SqlStatement>>,
}

fn convert(statement: &SqlStatement) -> Recognised {
    let SqlStatement::Statement(inner) = statement else { return Ok(None) };
    let insert = match inner.as_ref() {
        AstStatement::Insert(insert) => insert,
        AstStatement::Update { .. } | AstStatement::Delete(_) | AstStatement::Truncate(_) => {
            return Err(Error::new(
                Fault::FeatureNotSupported,
                "rows of a table are not changed in place; use CREATE OR REPLACE TABLE … AS SELECT … with the rows to keep",
            ));
        }
        _ => return Ok(None),
    };
    let Ast {
        table: TableObject::TableName(name), columns, source, on: None, returning: None, overwrite: false, ..
    } = insert
    else {
        return Err(Error::new(
            Fault::FeatureNotSupported,
            "INSERT takes a table, and VALUES or a query; ON CONFLICT, RETURNING and OVERWRITE are not supported",
        ));
    };
    if let Some(source) = source {
        refuse_train(source)?;
    }
    let columns = columns.iter().filter_map(|name| name.0.last()?.as_ident().map(identifier)).collect();
    let mut statement = statement.clone();
    let mut query = None;
    // Columns are taken by position, so that names may stand twice.
    if let SqlStatement::Statement(inner) = &mut statement
        && let AstStatement::Insert(Ast { source: Some(source), .. }) = inner.as_mut()
    {
        mark_columns(source);
        query = (!matches!(source.body.as_ref(), SetExpr::Values(_))).then(|| Sealed::new(query_statement(source)));
    }
    let statement = Sealed::new(statement);
    Ok(Some(Arc::new(Insert { table: object_name(name)?, columns, statement, query })))
}

#[async_trait]
impl Action for Insert {
    async fn analyze(&self, _client: &Client, scope: &Arc<Scope>, types: &[Option<DataType>]) -> Result<Analysis> {
        let (_, _, table) = self.found(scope)?;
        let analysis = analyze(scope, self.planned(), types).await.map_err(|error| self.named(error, &table.schema))?;
        let Some(plan) = &analysis.plan else { return Ok(analysis) };
        let rows = self.rows(LogicalPlan::clone(plan), &table.schema)?;
        Ok(Analysis { plan: Some(Sealed::new(rows)), ..analysis })
    }

    async fn run(&self, running: Running<'_>) -> Result<Outcome> {
        let Running { client, scope, analysis, values } = running;
        let (name, header, table) = self.found(scope)?;
        scope.check_writes("INSERT")?;
        let named = |error| self.named(error, &table.schema);
        let rows = match analysis.plan {
            Some(rows) => bind(LogicalPlan::clone(&rows), values)?,
            None => {
                let plan = plan(scope, SqlStatement::clone(self.planned()), Some(values)).await.map_err(named)?;
                self.rows(plan, &table.schema)?
            }
        };
        let files = storage::write(scope, rows, Arc::new(table.schema.clone()), header.oid).await.map_err(named)?;
        let rows: u64 = files.iter().map(|file| file.rows).sum();
        client.apply(scope, vec![Change::AppendFiles { table: name, files }]).await?;
        Ok(Outcome::done(format!("INSERT 0 {rows}")))
    }
}

impl Insert {
    /// The table, which is one of ours.
    fn found<'a>(&self, scope: &'a Scope) -> Result<(QualifiedName, &'a Header, &'a ManagedTable)> {
        let name = scope.named(Kind::Table, &self.table);
        let found = scope.snapshot().relation(&name).ok_or_else(|| scope.no_relation(&name))?;
        scope.check(Privilege::Insert, found)?;
        match &found.definition {
            Definition::ManagedTable(table) => Ok((name, &found.header, table)),
            other => Err(Error::new(
                Fault::WrongObjectType,
                format!(
                    "\"{}\" is {}; rows can be inserted into tables made with CREATE TABLE alone",
                    self.table.name,
                    other.noun()
                ),
            )),
        }
    }

    /// What is planned: the query, or the whole statement with its VALUES.
    fn planned(&self) -> &SqlStatement {
        self.query.as_ref().unwrap_or(&self.statement)
    }

    /// The rows of what was planned, as those of the table.
    fn rows(&self, plan: LogicalPlan, schema: &Schema) -> Result<LogicalPlan> {
        if self.query.is_some() {
            return self.stored(plan, schema);
        }
        let LogicalPlan::Dml(dml) = plan else {
            return Err(Error::new(Fault::Internal, "INSERT was not planned as one"));
        };
        if !matches!(dml.op, WriteOp::Insert(_)) {
            return Err(Error::new(Fault::FeatureNotSupported, "only plain INSERT is supported"));
        }
        Ok(Arc::unwrap_or_clone(dml.input))
    }

    /// The rows of a query as those of the table: its columns by position, of the table's types; NULL where there is none.
    fn stored(&self, rows: LogicalPlan, schema: &Schema) -> Result<LogicalPlan> {
        let found = rows.schema().columns();
        let wanted = if self.columns.is_empty() { schema.fields().len() } else { self.columns.len() };
        if found.len() > wanted {
            return Err(Error::new(Fault::Syntax, "INSERT has more expressions than target columns"));
        }
        if found.len() < self.columns.len() {
            return Err(Error::new(Fault::Syntax, "INSERT has more target columns than expressions"));
        }
        for (at, name) in self.columns.iter().enumerate() {
            if schema.field_with_name(name).is_err() {
                let message = format!("column \"{name}\" of relation \"{}\" does not exist", self.table.name);
                return Err(Error::new(Fault::UndefinedColumn, message));
            }
            if self.columns[..at].contains(name) {
                let message = format!("column \"{name}\" specified more than once");
                return Err(Error::new(Fault::DuplicateColumn, message));
            }
        }
        let stored = schema.fields().iter().enumerate().map(|(at, field)| {
            let position = match self.columns.is_empty() {
                true => Some(at),
                false => self.columns.iter().position(|name| name == field.name()),
            };
            let value = match position.and_then(|position| found.get(position)) {
                Some(column) => Expr::Column(column.clone()),
                None => lit(ScalarValue::Null),
            };
            cast(value, field.data_type().clone()).alias(field.name())
        });
        let stored: Vec<Expr> = stored.collect();
        Ok(LogicalPlanBuilder::from(rows).project(stored)?.build()?)
    }

    /// The planner calls what VALUES holds column1, column2, …: the error names the table's own columns.
    fn named(&self, error: Error, schema: &Schema) -> Error {
        let number = error.null_column().and_then(|column| column.strip_prefix("column")?.parse::<usize>().ok());
        let Some(at) = number.and_then(|number| number.checked_sub(1)).filter(|_| self.query.is_none()) else {
            return error;
        };
        let declared = || schema.fields().get(at).map(|field| field.name().clone());
        match self.columns.get(at).cloned().or_else(declared) {
            Some(column) => Error::new(Fault::NotNullViolation, null_violation(&column)),
            None => error,
        }
    }
}
