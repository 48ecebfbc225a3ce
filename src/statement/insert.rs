//! `INSERT`: rows of a query, appended to a managed table as new files.

use std::sync::Arc;

use arrow::datatypes::{DataType, FieldRef, Schema};
use async_trait::async_trait;
use datafusion::{
    common::ScalarValue,
    logical_expr::{Expr, LogicalPlan, LogicalPlanBuilder, cast, lit},
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
    plan::{Typed, bind, plan, typed},
    training::refuse_train,
};
use crate::{
    Error, Fault, Result,
    catalog::{Change, Definition, Header, Kind, ManagedTable, Privilege, QualifiedName},
    pgtype::{ColumnType, told},
    planning,
    session::{Analysis, Client, Name, Outcome, Running, Scope, Sealed, assign, storage},
};

pub(super) const FORM: Form = Form { parse: None, convert };

#[derive(Debug)]
struct Insert {
    table: Name,
    /// The columns that are filled, where they are named.
    columns: Vec<String>,
    /// The query whose rows are inserted, or VALUES. It is planned alone, because of the values of an INSERT the planner knows
    /// neither what PostgreSQL casts nor the types of parameters.
    rows: Sealed<SqlStatement>,
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
    let Some(source) = source else {
        let message = "INSERT … DEFAULT VALUES is not supported; write VALUES and the values";
        return Err(Error::new(Fault::FeatureNotSupported, message));
    };
    refuse_train(source)?;
    let columns = columns.iter().filter_map(|name| name.0.last()?.as_ident().map(identifier)).collect();
    // Columns are taken by position, so that names may stand twice.
    let mut source = source.clone();
    mark_columns(&mut source);
    assign(&mut source)?;
    let rows = Sealed::new(query_statement(&source));
    Ok(Some(Arc::new(Insert { table: object_name(name)?, columns, rows })))
}

#[async_trait]
impl Action for Insert {
    async fn analyze(&self, _client: &Client, scope: &Arc<Scope>, types: &[Option<DataType>]) -> Result<Analysis> {
        let (_, _, table) = self.found(scope)?;
        let filled = self.filled(&table.schema)?;
        if let Some(width) = self.width() {
            self.check_width(width, filled.len())?;
        }
        let filled = filled.into_iter().map(|field| field.data_type().clone()).collect();
        let Typed { plan, parameters, is_final } = typed(scope, &self.rows, types, filled).await?;
        let rows = scope.as_prepared(self.stored(LogicalPlan::clone(&plan), &table.schema)?)?;
        Ok(Analysis { parameters, plan: is_final.then(|| Sealed::new(rows)), ..Analysis::default() })
    }

    async fn run(&self, running: Running<'_>) -> Result<Outcome> {
        let Running { client, scope, analysis, values } = running;
        let (name, header, table) = self.found(scope)?;
        scope.check_writes_to(&name, "INSERT")?;
        let rows = match analysis.plan {
            Some(rows) => bind(LogicalPlan::clone(&rows), values)?,
            None => {
                let rows = plan(scope, SqlStatement::clone(&self.rows), values).await?;
                scope.as_prepared(self.stored(rows, &table.schema)?)?
            }
        };
        let files = storage::write(scope, rows, Arc::new(table.schema.clone()), header.oid).await?;
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

    /// The columns that are filled, in the order of the values.
    fn filled(&self, schema: &Schema) -> Result<Vec<FieldRef>> {
        if self.columns.is_empty() {
            return Ok(schema.fields().to_vec());
        }
        let each = self.columns.iter().enumerate().map(|(at, name)| {
            let Some((_, field)) = schema.fields().find(name) else {
                let message = format!("column \"{name}\" of relation \"{}\" does not exist", self.table.name);
                return Err(Error::new(Fault::UndefinedColumn, message));
            };
            if self.columns[..at].contains(name) {
                let message = format!("column \"{name}\" specified more than once");
                return Err(Error::new(Fault::DuplicateColumn, message));
            }
            Ok(Arc::clone(field))
        });
        each.collect()
    }

    /// How many values the rows have, where they are written out.
    fn width(&self) -> Option<usize> {
        let SqlStatement::Statement(statement) = &*self.rows else { return None };
        let AstStatement::Query(query) = statement.as_ref() else { return None };
        let SetExpr::Values(values) = query.body.as_ref() else { return None };
        values.rows.first().map(|row| row.content.len())
    }

    /// Refuses more values than columns that are filled, and fewer than columns that are named.
    fn check_width(&self, width: usize, filled: usize) -> Result<()> {
        let message = match width {
            _ if width > filled => "INSERT has more expressions than target columns",
            _ if width < self.columns.len() => "INSERT has more target columns than expressions",
            _ => return Ok(()),
        };
        Err(Error::new(Fault::Syntax, message))
    }

    /// The rows of a query as those of the table: its columns by position, of the table's types; NULL where there is none.
    fn stored(&self, rows: LogicalPlan, schema: &Schema) -> Result<LogicalPlan> {
        let mut filled = self.filled(schema)?;
        let width = rows.schema().fields().len();
        self.check_width(width, filled.len())?;
        filled.truncate(width);
        let rows = planning::stored(rows, &filled)?;
        let found = rows.schema().columns();
        let stored = schema.fields().iter().map(|field| {
            let position = filled.iter().position(|filled| filled.name() == field.name());
            let value = match position.and_then(|position| found.get(position)) {
                // It has become one already, and a cast would cut the blanks at its end.
                Some(column) if told(field).is_some_and(ColumnType::keeps_blanks) => Expr::Column(column.clone()),
                Some(column) => cast(Expr::Column(column.clone()), field.data_type().clone()),
                None => cast(lit(ScalarValue::Null), field.data_type().clone()),
            };
            value.alias(field.name())
        });
        let stored: Vec<Expr> = stored.collect();
        Ok(LogicalPlanBuilder::from(rows).project(stored)?.build()?)
    }
}
