//! `COPY` in PostgreSQL's formats: what is written, and `COPY … TO STDOUT`, rows as bytes for the client. What comes the other
//! way, `copy_from` takes.
//!
//! ```sql
//! COPY orders (id, total) TO STDOUT (FORMAT csv, HEADER);
//! COPY (SELECT * FROM orders WHERE total > 10) TO STDOUT WITH BINARY;
//! ```
//!
//! What follows the place is read here, because the parser of the query engine knows little of it. Files that are written in
//! formats of ours are `copy`'s.

use std::sync::Arc;

use arrow::datatypes::Schema;
use async_trait::async_trait;
use datafusion::sql::{
    parser::{DFParser, DFParserBuilder, Statement as SqlStatement},
    sqlparser::{
        keywords::Keyword,
        parser::IsOptional,
        tokenizer::{Token, TokenWithSpan, Tokenizer},
    },
};

use super::{
    Action, Form, Recognised,
    copy_from::CopyFrom,
    copy_where::check_condition,
    copy_words::{Words, text_of},
    create_table::query_statement,
    names::{identifier, object_name},
    no_convert,
    parameters::mentioned,
    parse::{convert, rewrite},
    training::refuse_train,
};
use crate::{
    Error, Fault, Result,
    catalog::{Definition, Kind},
    copy::{Choice, CopyOut, Direction, Options},
    session::{Name, Outcome, PostgreSql, Running, Scope, Sealed, execute},
};

pub(super) const FORM: Form = Form { parse: Some(parse), convert: no_convert };

/// How deep the query of a table may be.
const DEPTH: usize = 50;

/// A table, and those of its columns that are copied, where they are named.
#[derive(Debug)]
pub(super) struct Table {
    pub(super) name: Name,
    pub(super) columns: Vec<String>,
}

#[derive(Debug)]
struct CopyTo {
    /// None for a query.
    table: Option<Table>,
    rows: Arc<dyn Action>,
    options: Options,
}

/// Where rows go or come from.
enum Place {
    /// The client.
    Client,
    /// A file of this machine, by its path.
    File(String),
}

/// Takes what no file of ours is written by.
fn parse(parser: &mut DFParser) -> Recognised {
    let Some(direction) = direction_of(parser) else { return Ok(None) };
    let parser = &mut parser.parser;
    parser.next_token();
    let is_binary = parser.parse_keyword(Keyword::BINARY);
    let (mut table, mut rows) = (None, None);
    if parser.consume_token(&Token::LParen) {
        let query = parser.parse_query()?;
        parser.expect_token(&Token::RParen)?;
        refuse_train(&query)?;
        rows = Some(query_statement(&query));
    } else {
        let name = object_name(&parser.parse_object_name(false)?)?;
        let columns = parser.parse_parenthesized_column_list(IsOptional::Optional, false)?;
        table = Some(Table { name, columns: columns.iter().map(identifier).collect() });
    }
    let expected = if direction == Direction::To { Keyword::TO } else { Keyword::FROM };
    if direction == Direction::From && table.is_none() {
        let place = parser.peek_token_ref().span.start;
        return Err(Error::syntax("expected TO behind the query of COPY, found FROM".to_owned(), None, Some(place)));
    }
    parser.expect_keyword(expected)?;
    let place = place(&parser.next_token())?;
    let mut rest = Vec::new();
    let end = loop {
        let token = parser.next_token();
        if token.token == Token::EOF {
            break token.span.start;
        }
        rest.push(token);
    };
    let mut words = Words::new(&rest, end);
    let mut written = words.options()?;
    if is_binary {
        written.insert(0, ("format".to_owned(), Some(Choice::Text("binary".to_owned())), end));
    }
    let where_place = words.place();
    let has_condition = words.take_word("where");
    if has_condition && direction == Direction::To {
        return Err(Error::new(Fault::Syntax, "WHERE clause not allowed with COPY TO").at(where_place));
    }
    if has_condition && words.rest().is_empty() {
        return Err(words.expected("a condition"));
    }
    if !has_condition && !words.rest().is_empty() {
        return Err(words.expected("the end of the statement"));
    }
    let options = Options::read(&written, direction)?;
    let (table, mut rows) = match (table, rows) {
        (Some(table), _) if direction == Direction::From => {
            let file = match place {
                Place::Client => None,
                Place::File(path) => Some(path),
            };
            let condition = match has_condition {
                true => Some(Sealed::new(wanted_of(&table, words.rest())?)),
                false => None,
            };
            return Ok(Some(Arc::new(CopyFrom { table, options, file, condition })));
        }
        (Some(table), _) => {
            let rows = rows_of(&table, &[])?;
            (Some(table), rows)
        }
        (None, Some(rows)) => (None, rows),
        (None, None) => return Ok(None),
    };
    if let Some(number) = mentioned(&rows).first() {
        return Err(Error::new(Fault::UndefinedParameter, format!("there is no parameter ${number}")));
    }
    rewrite(&mut rows)?;
    Ok(Some(Arc::new(CopyTo { table, rows: convert(rows)?, options })))
}

/// Which way COPY goes; none where it is another statement, or writes a file of ours.
fn direction_of(parser: &DFParser) -> Option<Direction> {
    let is = |token: &Token, keyword: Keyword| matches!(token, Token::Word(word) if word.keyword == keyword);
    if !is(&parser.parser.peek_token_ref().token, Keyword::COPY) {
        return None;
    }
    // The statement may be long: each of its tokens is looked at once.
    let tokens = (0..).map(|at| &parser.parser.token_at(at).token).take_while(|token| **token != Token::EOF);
    let mut solid = tokens.filter(|token| !matches!(token, Token::Whitespace(_)));
    let mut depth = 0_i32;
    while let Some(token) = solid.next() {
        match token {
            Token::LParen => depth += 1,
            Token::RParen => depth -= 1,
            word if depth == 0 && is(word, Keyword::FROM) => return Some(Direction::From),
            word if depth == 0 && is(word, Keyword::TO) => {
                let is_file = solid.next().is_none_or(|target| text_of(target).is_some());
                return (!is_file).then_some(Direction::To);
            }
            _ => {}
        }
    }
    None
}

fn place(token: &TokenWithSpan) -> Result<Place> {
    let keyword = match &token.token {
        Token::Word(word) => word.keyword,
        _ => Keyword::NoKeyword,
    };
    match keyword {
        // PostgreSQL takes either for either.
        Keyword::STDIN | Keyword::STDOUT => Ok(Place::Client),
        Keyword::PROGRAM => {
            let message = "COPY runs no programs; copy from STDIN or to STDOUT";
            Err(Error::new(Fault::FeatureNotSupported, message).at(token.span.start))
        }
        _ => text_of(&token.token).map(Place::File).ok_or_else(|| {
            let message = format!("expected STDIN, STDOUT or the path of a file, found {}", token.token);
            Error::syntax(message, None, Some(token.span.start))
        }),
    }
}

/// The query of the rows of a table that are wanted, under the condition that these tokens are.
fn wanted_of(table: &Table, condition: &[TokenWithSpan]) -> Result<SqlStatement> {
    let all = Table { name: table.name.clone(), columns: Vec::new() };
    let mut rows = rows_of(&all, condition)?;
    if let Some(number) = mentioned(&rows).first() {
        return Err(Error::new(Fault::UndefinedParameter, format!("there is no parameter ${number}")));
    }
    check_condition(&rows)?;
    rewrite(&mut rows)?;
    Ok(rows)
}

/// The query of a table, under a condition, if there is one.
fn rows_of(table: &Table, condition: &[TokenWithSpan]) -> Result<SqlStatement> {
    let columns = match table.columns.is_empty() {
        true => "*".to_owned(),
        false => table.columns.iter().map(|name| quoted(name)).collect::<Vec<_>>().join(", "),
    };
    let schema = table.name.schema.as_ref().map(|schema| quoted(schema) + ".").unwrap_or_default();
    let sql = format!("SELECT {columns} FROM {schema}{}", quoted(&table.name.name));
    let tokens = Tokenizer::new(&PostgreSql, &sql).tokenize();
    let tokens = tokens.map_err(|error| Error::syntax(error.message, None, None))?;
    // No place in it is one in the text of the client.
    let mut tokens: Vec<TokenWithSpan> = tokens.into_iter().map(TokenWithSpan::wrap).collect();
    if !condition.is_empty() {
        tokens.push(TokenWithSpan::wrap(Token::make_keyword("WHERE")));
        tokens.extend_from_slice(condition);
    }
    let mut parser = DFParserBuilder::new(tokens).with_dialect(&PostgreSql).with_recursion_limit(DEPTH).build()?;
    let parsed = parser.parse_statement()?;
    let rest = parser.parser.peek_token();
    if rest.token != Token::EOF {
        let message = format!("expected the end of the statement, found {}", rest.token);
        return Err(Error::syntax(message, None, Some(rest.span.start)));
    }
    Ok(parsed)
}

fn quoted(name: &str) -> String {
    format!("\"{}\"", name.replace('"', "\"\""))
}

/// Refuses a column that is named a second time.
fn refuse_again(before: &[String], name: &str) -> Result<()> {
    match before.iter().any(|other| other == name) {
        true => Err(Error::new(Fault::DuplicateColumn, format!("column \"{name}\" specified more than once"))),
        false => Ok(()),
    }
}

impl Table {
    /// Refuses columns that the table has not, and those that are named twice.
    pub(super) fn check(&self, schema: &Schema) -> Result<()> {
        self.check_columns(schema, &self.columns)
    }

    fn check_columns(&self, schema: &Schema, names: &[String]) -> Result<()> {
        for (at, name) in names.iter().enumerate() {
            self.check_column(schema, name)?;
            refuse_again(&names[..at], name)?;
        }
        Ok(())
    }

    fn check_column(&self, schema: &Schema, name: &str) -> Result<()> {
        if schema.fields().find(name).is_some() {
            return Ok(());
        }
        let message = format!("column \"{name}\" of relation \"{}\" does not exist", self.name.name);
        Err(Error::new(Fault::UndefinedColumn, message))
    }

    /// Refuses columns for which an option asks twice, or that are not copied.
    pub(super) fn check_named(&self, schema: &Schema, named: &[String], option: &str) -> Result<()> {
        self.check_columns(schema, named)?;
        for name in named {
            if !self.columns.is_empty() && !self.columns.contains(name) {
                let message = format!("{option} column \"{name}\" not referenced by COPY");
                return Err(Error::new(Fault::InvalidColumnReference, message));
            }
        }
        Ok(())
    }
}

impl CopyTo {
    /// Refuses views, and columns that there are not.
    fn check(&self, scope: &Scope) -> Result<()> {
        let Some(table) = &self.table else { return Ok(()) };
        let name = scope.named(Kind::Table, &table.name);
        let schema = match scope.snapshot().relation(&name).map(|found| &found.definition) {
            Some(Definition::ManagedTable(managed)) => &managed.schema,
            Some(Definition::View(_)) => {
                return Err(Error::Statement {
                    fault: Fault::WrongObjectType,
                    message: format!("cannot copy from view \"{}\"", table.name.name),
                    hint: Some("Try the COPY (SELECT ...) TO variant.".to_owned()),
                });
            }
            // Those that are planned find their columns.
            _ => return Ok(()),
        };
        table.check(schema)?;
        table.check_named(schema, self.options.quoted(), "FORCE_QUOTE")
    }

    /// Refuses quotes around the values of a column that there is not, or that is named twice.
    fn check_quoted(&self, schema: &Schema) -> Result<()> {
        let names = self.options.quoted();
        for (at, name) in names.iter().enumerate() {
            if schema.fields().find(name).is_none() {
                return Err(Error::new(Fault::UndefinedColumn, format!("column \"{name}\" does not exist")));
            }
            refuse_again(&names[..at], name)?;
        }
        Ok(())
    }
}

#[async_trait]
impl Action for CopyTo {
    async fn run(&self, Running { client, scope, .. }: Running<'_>) -> Result<Outcome> {
        self.check(scope)?;
        match execute(self.rows.as_ref(), client, scope, &[]).await? {
            Outcome::Rows { stream, .. } => {
                self.check_quoted(&stream.schema())?;
                let copy = CopyOut::new(&stream.schema(), self.options.clone());
                Ok(Outcome::CopyOut { stream, copy })
            }
            _ => Err(Error::new(Fault::Internal, "the query of COPY returned no rows")),
        }
    }
}
