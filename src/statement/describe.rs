//! `DESCRIBE t`: the columns of a table. `DESCRIBE 'path'` and `DESCRIBE read_csv('path', …)`: how files would be read,
//! and why.

use std::{borrow::Cow, sync::Arc};

use arrow::datatypes::{DataType, Field, Schema, SchemaRef};
use async_trait::async_trait;
use datafusion::sql::{
    parser::{DFParser, Statement as SqlStatement},
    sqlparser::{
        ast::{Expr, Statement as Ast},
        tokenizer::Token,
    },
};

use super::{
    Action, Form, Recognised,
    headings::{mark_columns, unmarked},
    names::object_name,
    parse::take_words,
    plan::{analyze, schema_of},
};
use crate::{
    Error, Fault, Result,
    catalog::{Definition, Kind},
    pgtype::{field_name, type_name},
    session::{Analysis, Client, Name, Outcome, Running, Scope, Sealed, query_of, request_named, text_rows},
    source::{self, TableRequest},
};

pub(super) const FORM: Form = Form { parse: Some(parse), convert };

#[derive(Debug)]
enum DescribeFiles {
    Path(String),
    /// The text of a call that reads files.
    Call(String),
}

fn parse(parser: &mut DFParser) -> Recognised {
    if !take_words(parser, &["describe"]) && !take_words(parser, &["desc"]) {
        return Ok(None);
    }
    let action = match parser.parser.peek_token().token {
        Token::SingleQuotedString(path) => {
            parser.parser.next_token();
            DescribeFiles::Path(path)
        }
        Token::Word(_) if parser.parser.peek_nth_token(1).token == Token::LParen => match parser.parser.parse_expr()? {
            call @ Expr::Function(_) => DescribeFiles::Call(call.to_string()),
            other => {
                let message = format!("expected the call of a function that reads files, found {other}");
                return Err(Error::new(Fault::Syntax, message));
            }
        },
        _ => {
            parser.parser.prev_token();
            return Ok(None);
        }
    };
    Ok(Some(Arc::new(action)))
}

fn columns() -> SchemaRef {
    let column = |name: &str| Field::new(name, DataType::Utf8, true);
    Arc::new(Schema::new(["part", "name", "value", "example", "forced_by"].map(column).to_vec()))
}

#[async_trait]
impl Action for DescribeFiles {
    async fn analyze(&self, _client: &Client, _scope: &Arc<Scope>, _types: &[Option<DataType>]) -> Result<Analysis> {
        Ok(Analysis { columns: Some(columns()), ..Analysis::default() })
    }

    async fn run(&self, Running { scope, .. }: Running<'_>) -> Result<Outcome> {
        let request = match self {
            Self::Path(path) => TableRequest { locations: vec![path.clone()], ..TableRequest::default() },
            Self::Call(call) => request_named(scope, call).unwrap_or_else(|| {
                let message = format!("{call} reads no files; SELECT name FROM fusewire.functions lists what does");
                Err(Error::new(Fault::UndefinedFunction, message))
            })?,
        };
        let found = source::describe(scope.engine(), &request, scope.stores(), scope.access()).await?;
        let facts = found
            .facts
            .into_iter()
            .map(|fact| vec![Some("file".to_owned()), Some(fact.name), Some(fact.value), None, fact.doubt]);
        let told = found.columns.into_iter().map(|column| {
            let (name, data_type) = (column.field.name().clone(), type_name(column.field.data_type()));
            vec![Some("column".to_owned()), Some(name), Some(data_type), column.example, column.forced_by]
        });
        text_rows(columns(), &facts.chain(told).collect::<Vec<_>>())
    }
}

/// The columns of a table, of a view, or of a file by its name.
#[derive(Debug)]
struct DescribeTable {
    /// Its name in the catalog, where it can be one.
    name: Option<Name>,
    /// A query of all its columns.
    query: Sealed<SqlStatement>,
}

fn convert(statement: &SqlStatement) -> Recognised {
    let SqlStatement::Statement(inner) = statement else { return Ok(None) };
    let Ast::ExplainTable { table_name, .. } = inner.as_ref() else { return Ok(None) };
    let mut query = query_of(table_name.clone())?;
    mark_columns(&mut query);
    let query = Sealed::new(SqlStatement::Statement(Box::new(Ast::Query(query))));
    Ok(Some(Arc::new(DescribeTable { name: object_name(table_name).ok(), query })))
}

fn table_columns() -> SchemaRef {
    let column = |name: &str| Field::new(name, DataType::Utf8, false);
    Arc::new(Schema::new(["column_name", "data_type", "is_nullable"].map(column).to_vec()))
}

impl DescribeTable {
    /// The columns of a table, which the catalog knows and which need not be opened for it. Those of a view are what its query
    /// has now.
    fn known<'a>(&self, scope: &'a Scope) -> Option<Cow<'a, Schema>> {
        let name = scope.named(Kind::Table, self.name.as_ref()?);
        let found = scope.snapshot().relation(&name)?;
        if matches!(found.definition, Definition::View(_)) { None } else { found.columns() }
    }
}

#[async_trait]
impl Action for DescribeTable {
    async fn analyze(&self, _client: &Client, scope: &Arc<Scope>, _types: &[Option<DataType>]) -> Result<Analysis> {
        let analysis = match self.known(scope) {
            Some(_) => Analysis::default(),
            None => analyze(scope, &self.query, &[]).await?,
        };
        Ok(Analysis { columns: Some(table_columns()), ..analysis })
    }

    async fn run(&self, Running { scope, analysis, .. }: Running<'_>) -> Result<Outcome> {
        let planned = analysis.plan.map(|plan| Cow::Owned(Schema::clone(&unmarked(&schema_of(&plan)))));
        let Some(found) = planned.or_else(|| self.known(scope)) else {
            return Err(Error::new(Fault::Internal, "what is to be described was not found when it was planned"));
        };
        let told = found.fields().iter().map(|field| {
            let nullable = if field.is_nullable() { "YES" } else { "NO" };
            vec![Some(field.name().clone()), Some(field_name(field)), Some(nullable.to_owned())]
        });
        text_rows(table_columns(), &told.collect::<Vec<_>>())
    }
}
