//! `DESCRIBE 'path'` and `DESCRIBE read_csv('path', …)`: how files would be read, and why.

use std::sync::Arc;

use arrow::datatypes::{DataType, Field, Schema, SchemaRef};
use async_trait::async_trait;
use datafusion::sql::{
    parser::DFParser,
    sqlparser::{ast::Expr, tokenizer::Token},
};

use super::{Action, Form, Recognised, no_convert, parse::take_words};
use crate::{
    Error, Fault, Result,
    pgtype::type_name,
    session::{Analysis, Client, Outcome, Running, Scope, request_named, text_rows},
    source::{self, TableRequest},
};

pub(super) const FORM: Form = Form { parse: Some(parse), convert: no_convert };

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
