//! `CREATE TABLE … AS`, `SELECT … INTO` and `CREATE TABLE (columns)`: managed tables, Parquet files under the data directory.
//!
//! `CREATE TABLE t (a, b) AS` with names alone, and `WITH NO DATA` behind the query, are parsed here: the parser knows neither.

use std::sync::Arc;

use arrow::datatypes::{DECIMAL128_MAX_PRECISION, DataType, Field, FieldRef, Schema, SchemaRef};
use async_trait::async_trait;
use datafusion::{
    logical_expr::{Expr, LogicalPlan, LogicalPlanBuilder, cast},
    sql::{
        parser::{DFParser, Statement as SqlStatement},
        sqlparser::{
            ast::{
                ColumnDef, ColumnOption, CreateTable as Ast, DataType as AstType, ExactNumberInfo, Query, SelectInto,
                SetExpr, Statement as AstStatement,
            },
            tokenizer::Token,
        },
    },
};

use super::{
    Action, Form, Recognised,
    headings::{mark_columns, unmarked},
    names::{check_distinct, existing, identifier, object_name},
    parse::{rewrite, take_words},
    plan::{analyze, planned, schema_of},
    temporary::{Lasting, take_create_table},
    training::refuse_train,
};
use crate::{
    Error, Fault, Result,
    catalog::{Definition, Existing, Header, ManagedTable, QualifiedName, TableFile},
    pgtype, planning,
    session::{Analysis, Client, Name, Outcome, Running, Scope, Sealed, storage},
};

pub(super) const FORM: Form = Form { parse: Some(parse), convert };

#[derive(Debug)]
struct CreateTable {
    name: Name,
    lasting: Lasting,
    columns: Sealed<Vec<ColumnDef>>,
    /// Names of the query's columns, the first of them.
    names: Vec<String>,
    query: Option<Sealed<SqlStatement>>,
    /// Whether the table gets the query's rows.
    with_data: bool,
    existing: Existing,
    /// What it is called where it must not be run.
    statement: &'static str,
}

/// `CREATE TABLE … AS`, as it is told.
const AS: &str = "CREATE TABLE AS";

fn parse(parser: &mut DFParser) -> Recognised {
    let Some((or_replace, mut lasting)) = take_create_table(parser) else { return Ok(None) };
    let if_not_exists = take_words(parser, &["if", "not", "exists"]);
    let Ok(name) = parser.parser.parse_object_name(false) else { return Ok(None) };
    let Some(names) = names_alone(parser) else { return Ok(None) };
    lasting.take_on_commit(parser);
    if !take_words(parser, &["as"]) {
        return Ok(None);
    }
    if take_words(parser, &["execute"]) {
        let message = "CREATE TABLE … AS EXECUTE is not supported; write the query";
        return Err(Error::new(Fault::FeatureNotSupported, message));
    }
    let query = parser.parser.parse_query()?;
    let with_data = !take_words(parser, &["with", "no", "data"]);
    if with_data {
        take_words(parser, &["with", "data"]);
    }
    let mut query = query_statement(&query);
    rewrite(&mut query)?;
    let SqlStatement::Statement(query) = query else { return Ok(None) };
    let AstStatement::Query(mut query) = *query else { return Ok(None) };
    refuse_train(&query)?;
    mark_columns(&mut query);
    let existing = existing(or_replace, if_not_exists)?;
    let (columns, query) = (Sealed::new(Vec::new()), Some(Sealed::new(query_statement(&query))));
    let (name, statement) = (object_name(&name)?, AS);
    Ok(Some(Arc::new(CreateTable { name, lasting, columns, names, query, with_data, existing, statement })))
}

/// Names in parentheses, or no parentheses; none where there are declarations of columns.
fn names_alone(parser: &mut DFParser) -> Option<Vec<String>> {
    let mut names = Vec::new();
    if !parser.parser.consume_token(&Token::LParen) {
        return Some(names);
    }
    loop {
        names.push(identifier(&parser.parser.parse_identifier().ok()?));
        if parser.parser.consume_token(&Token::RParen) {
            return Some(names);
        }
        if !parser.parser.consume_token(&Token::Comma) {
            return None;
        }
    }
}

fn convert(statement: &SqlStatement) -> Recognised {
    let SqlStatement::Statement(statement) = statement else { return Ok(None) };
    let table = match statement.as_ref() {
        AstStatement::CreateTable(table) => table,
        AstStatement::Query(query) if has_into(&query.body) => return select_into(query),
        _ => return Ok(None),
    };
    let Ast { name, columns, query, or_replace, if_not_exists, constraints, like, clone, .. } = table.clone();
    let lasting = Lasting::of(table.temporary, table.on_commit.as_ref());
    let refused = |what: &str, instead: &str| {
        Err(Error::new(Fault::FeatureNotSupported, format!("{what} is not supported; {instead}")))
    };
    if like.is_some() || clone.is_some() {
        return refused("CREATE TABLE … LIKE without parentheses", "write CREATE TABLE … (LIKE …)");
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
    let name = object_name(&name)?;
    let (names, statement) = (Vec::new(), if query.is_some() { AS } else { "CREATE TABLE" });
    Ok(Some(Arc::new(CreateTable { name, lasting, columns, names, query, with_data: true, existing, statement })))
}

/// Whether the first SELECT of a query names a table for its rows; others can't.
fn has_into(mut body: &SetExpr) -> bool {
    while let SetExpr::SetOperation { left, .. } = body {
        body = left;
    }
    matches!(body, SetExpr::Select(select) if select.into.is_some())
}

/// The same, taken out of the query.
fn take_into(body: &mut SetExpr) -> Option<SelectInto> {
    match body {
        SetExpr::Select(select) => select.into.take(),
        SetExpr::SetOperation { left, .. } => take_into(left),
        _ => None,
    }
}

/// `SELECT … INTO t`, which makes a table of the rows.
fn select_into(query: &Query) -> Recognised {
    let mut query = query.clone();
    let Some(SelectInto { temporary, name, .. }) = take_into(&mut query.body) else { return Ok(None) };
    refuse_train(&query)?;
    mark_columns(&mut query);
    Ok(Some(Arc::new(CreateTable {
        name: object_name(&name)?,
        lasting: Lasting::of(temporary, None),
        columns: Sealed::new(Vec::new()),
        names: Vec::new(),
        query: Some(Sealed::new(query_statement(&query))),
        with_data: true,
        existing: Existing::Refuse,
        statement: "SELECT INTO",
    })))
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
        scope.check_writes(self.statement)?;
        let name = self.lasting.new_name(scope, &self.name)?;
        if scope.exists(&name, self.existing)? {
            return Ok(Outcome::done(self.statement));
        }
        let header = client.header()?;
        self.lasting.note(client, header.oid);
        let Some(query) = &self.query else {
            let schema = kept(scope, &self.columns)?;
            check_distinct(&schema)?;
            self.publish(client, scope, (&name, header), (schema.as_ref().clone(), Vec::new())).await?;
            return Ok(Outcome::done("CREATE TABLE"));
        };
        let query = planned(scope, query, analysis.plan, values).await?;
        let query = match self.columns.as_slice() {
            [] => named(with_room(query)?, &self.names)?,
            columns => as_declared(scope, query, columns)?,
        };
        let schema = storage::stored_schema(&unmarked(&schema_of(&query)));
        check_distinct(&schema)?;
        if !self.with_data {
            self.publish(client, scope, (&name, header), (schema.as_ref().clone(), Vec::new())).await?;
            return Ok(Outcome::done(AS));
        }
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

/// The columns as they were declared, with Arrow types, of values that are read from files.
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

/// The same of a table that keeps its rows here: numerics that no declaration limits have as many decimal places as there are,
/// because what is stored keeps its digits. With those of [`ANY_NUMERIC`](pgtype::ANY_NUMERIC), 1e-12 became 0.
fn kept(scope: &Scope, columns: &[ColumnDef]) -> Result<SchemaRef> {
    let declared = declared(scope, columns)?;
    let fields: Vec<FieldRef> = declared
        .fields()
        .iter()
        .zip(columns)
        .map(|(field, column)| match is_any_numeric(&column.data_type) {
            true => Arc::new(field.as_ref().clone().with_data_type(pgtype::LONG_NUMERIC)),
            false => Arc::clone(field),
        })
        .collect();
    Ok(Arc::new(Schema::new(fields)))
}

/// Whether a type is `numeric` without digits.
fn is_any_numeric(declared: &AstType) -> bool {
    matches!(
        declared,
        AstType::Numeric(ExactNumberInfo::None)
            | AstType::Decimal(ExactNumberInfo::None)
            | AstType::Dec(ExactNumberInfo::None)
    )
}

/// The decimal places of `numeric` alone, where it is computed.
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

/// The query whose first columns have these names.
fn named(query: LogicalPlan, names: &[String]) -> Result<LogicalPlan> {
    if names.is_empty() {
        return Ok(query);
    }
    if let Some(twice) = names.iter().enumerate().find(|(at, name)| names[..*at].contains(name)) {
        let message = format!("column \"{}\" specified more than once", twice.1);
        return Err(Error::new(Fault::DuplicateColumn, message));
    }
    let columns = query.schema().columns();
    if names.len() > columns.len() {
        return Err(Error::new(Fault::Syntax, "too many column names were specified"));
    }
    let columns: Vec<Expr> = columns
        .into_iter()
        .enumerate()
        .map(|(at, column)| match names.get(at) {
            Some(name) => Expr::Column(column).alias(name),
            None => Expr::Column(column),
        })
        .collect();
    Ok(LogicalPlanBuilder::from(query).project(columns)?.build()?)
}

/// The query's columns renamed and cast to those declared, by position.
fn as_declared(scope: &Scope, query: LogicalPlan, columns: &[ColumnDef]) -> Result<LogicalPlan> {
    let wanted = kept(scope, columns)?;
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
