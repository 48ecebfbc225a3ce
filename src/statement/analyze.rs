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
    catalog::{Definition, Kind},
    session::{Name, Notice, Outcome, Running, Scope},
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
                tables.iter().try_for_each(|table| table.check(scope))?;
                Ok(Outcome::done("ANALYZE"))
            }
            Self::Checkpoint => Ok(Outcome::done("CHECKPOINT")),
        }
    }
}

impl Table {
    /// Refuses tables and columns that are not there.
    fn check(&self, scope: &Scope) -> Result<()> {
        let name = scope.named(Kind::Table, &self.name);
        let found = scope.snapshot().relation(&name).ok_or_else(|| scope.no_relation(&name))?;
        if matches!(found.definition, Definition::View(_)) {
            let text = format!("skipping \"{}\" --- cannot analyze non-tables or special system tables", name.name);
            scope.notify(Notice::Warning { fault: None, text });
            return Ok(());
        }
        let Some(columns) = found.columns() else { return Ok(()) };
        let missing = self.columns.iter().find(|column| columns.index_of(column.as_str()).is_err());
        match missing {
            None => Ok(()),
            Some(missing) => {
                let message = format!("column \"{missing}\" of relation \"{}\" does not exist", name.name);
                Err(Error::new(Fault::UndefinedColumn, message))
            }
        }
    }
}
