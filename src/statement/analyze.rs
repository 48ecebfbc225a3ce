//! `ANALYZE`, which has PostgreSQL look at the rows of tables, and `CHECKPOINT`, which has it write what it holds back: both
//! are done here whenever rows are written, so that they check what is named and are done.

use std::sync::Arc;

use async_trait::async_trait;
use datafusion::sql::{parser::DFParser, sqlparser::tokenizer::Token};

use super::{
    Action, Form, Recognised,
    names::{identifier, object_name},
    no_convert,
    parse::{expected, take_words},
};
use crate::{
    Error, Fault, Result,
    catalog::Kind,
    session::{Name, Notice, Objects, Outcome, Running, Scope},
};

pub(super) const FORM: Form = Form { parse: Some(parse), convert: no_convert };

#[derive(Debug)]
enum Upkeep {
    /// Of these tables, or of all where there are none.
    Analyze {
        tables: Vec<Table>,
    },
    Checkpoint,
}

/// A table, and those of its columns that are named.
#[derive(Debug)]
struct Table {
    name: Name,
    columns: Vec<String>,
}

fn parse(parser: &mut DFParser) -> Recognised {
    if take_words(parser, &["checkpoint"]) {
        return Ok(Some(Arc::new(Upkeep::Checkpoint)));
    }
    if !take_words(parser, &["analyze"]) && !take_words(parser, &["analyse"]) {
        return Ok(None);
    }
    if parser.parser.consume_token(&Token::LParen) {
        take_options(parser)?;
    } else {
        take_words(parser, &["verbose"]);
    }
    let mut tables = Vec::new();
    if !matches!(parser.parser.peek_token().token, Token::EOF | Token::SemiColon) {
        tables.push(table(parser)?);
        while parser.parser.consume_token(&Token::Comma) {
            tables.push(table(parser)?);
        }
    }
    Ok(Some(Arc::new(Upkeep::Analyze { tables })))
}

/// Options with or without a value, to the closing parenthesis.
fn take_options(parser: &mut DFParser) -> Result<()> {
    loop {
        if !take_words(parser, &["verbose"]) && !take_words(parser, &["skip_locked"]) {
            let found = parser.parser.peek_token();
            let option = found.token.to_string().to_lowercase();
            let message = format!("unrecognized ANALYZE option \"{option}\"");
            return Err(Error::new(Fault::Syntax, message).at(found.span.start));
        }
        if matches!(parser.parser.peek_token().token, Token::Word(_) | Token::Number(..)) {
            parser.parser.next_token();
        }
        if parser.parser.consume_token(&Token::RParen) {
            return Ok(());
        }
        if !parser.parser.consume_token(&Token::Comma) {
            return Err(expected(parser, ", or )"));
        }
    }
}

fn table(parser: &mut DFParser) -> Result<Table> {
    let name = object_name(&parser.parser.parse_object_name(false)?)?;
    let mut columns = Vec::new();
    if parser.parser.consume_token(&Token::LParen) {
        columns.push(identifier(&parser.parser.parse_identifier()?));
        while parser.parser.consume_token(&Token::Comma) {
            columns.push(identifier(&parser.parser.parse_identifier()?));
        }
        if !parser.parser.consume_token(&Token::RParen) {
            return Err(expected(parser, ", or )"));
        }
    }
    Ok(Table { name, columns })
}

#[async_trait]
impl Action for Upkeep {
    async fn run(&self, Running { scope, .. }: Running<'_>) -> Result<Outcome> {
        match self {
            Self::Analyze { tables } => {
                let objects = Objects::new(Arc::clone(scope.snapshot()));
                tables.iter().try_for_each(|table| table.check(scope, &objects))?;
                Ok(Outcome::done("ANALYZE"))
            }
            Self::Checkpoint => Ok(Outcome::done("CHECKPOINT")),
        }
    }
}

impl Table {
    /// Refuses tables and columns that are not there.
    fn check(&self, scope: &Arc<Scope>, objects: &Objects) -> Result<()> {
        let name = &self.name.name;
        let schema = self.name.schema.clone().or_else(|| scope.schema_of(name));
        let found = schema.and_then(|schema| objects.relation(&schema, name));
        let found = found.ok_or_else(|| scope.no_relation(&scope.named(Kind::Table, &self.name)))?;
        if found.letter() == 'v' {
            let text = format!("skipping \"{name}\" --- cannot analyze non-tables or special system tables");
            scope.notify(Notice::Warning { fault: None, text });
            return Ok(());
        }
        let columns = found.columns();
        match self.columns.iter().find(|wanted| columns.iter().all(|column| column.name != **wanted)) {
            None => Ok(()),
            Some(missing) => {
                let message = format!("column \"{missing}\" of relation \"{name}\" does not exist");
                Err(Error::new(Fault::UndefinedColumn, message))
            }
        }
    }
}
