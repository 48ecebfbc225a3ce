//! `CREATE TABLE t (LIKE s)`: a managed table with the columns of another relation, and without its rows.

use std::sync::Arc;

use arrow::datatypes::{FieldRef, Schema};
use async_trait::async_trait;
use datafusion::sql::{parser::DFParser, sqlparser::tokenizer::Token};

use super::{
    Action, Form, Recognised,
    names::{check_distinct, existing, object_name},
    no_convert,
    parse::{expected, take_words},
    temporary::{Lasting, take_create_table},
};
use crate::{
    Error, Fault, Result,
    catalog::{Definition, Existing, Kind, ManagedTable, Privilege},
    session::{Name, Outcome, Running, Scope, storage},
};

pub(super) const FORM: Form = Form { parse: Some(parse), convert: no_convert };

#[derive(Debug)]
struct CreateTableLike {
    name: Name,
    lasting: Lasting,
    /// The relations whose columns it has, one behind the other.
    like: Vec<Name>,
    existing: Existing,
}

/// What else PostgreSQL takes over of a table, none of which there is here.
const INCLUDED: &[&str] = &[
    "all",
    "comments",
    "compression",
    "constraints",
    "defaults",
    "generated",
    "identity",
    "indexes",
    "statistics",
    "storage",
];

fn parse(parser: &mut DFParser) -> Recognised {
    let Some((or_replace, mut lasting)) = take_create_table(parser) else { return Ok(None) };
    let if_not_exists = take_words(parser, &["if", "not", "exists"]);
    let Ok(name) = parser.parser.parse_object_name(false) else { return Ok(None) };
    if !parser.parser.consume_token(&Token::LParen) || !take_words(parser, &["like"]) {
        return Ok(None);
    }
    let mut like = vec![relation(parser)?];
    while parser.parser.consume_token(&Token::Comma) {
        if !take_words(parser, &["like"]) {
            let message = "columns beside LIKE are not supported; use CREATE TABLE … AS SELECT … LIMIT 0";
            return Err(Error::new(Fault::FeatureNotSupported, message));
        }
        like.push(relation(parser)?);
    }
    if !parser.parser.consume_token(&Token::RParen) {
        return Err(expected(parser, ", or )"));
    }
    lasting.take_on_commit(parser);
    let existing = existing(or_replace, if_not_exists)?;
    Ok(Some(Arc::new(CreateTableLike { name: object_name(&name)?, lasting, like, existing })))
}

/// A relation, and what is to be taken over of it or not.
fn relation(parser: &mut DFParser) -> Result<Name> {
    let name = object_name(&parser.parser.parse_object_name(false)?)?;
    while take_words(parser, &["including"]) || take_words(parser, &["excluding"]) {
        if !INCLUDED.iter().any(|word| take_words(parser, &[*word])) {
            return Err(expected(parser, "ALL, DEFAULTS, CONSTRAINTS or another property of a table"));
        }
    }
    Ok(name)
}

#[async_trait]
impl Action for CreateTableLike {
    async fn run(&self, Running { client, scope, .. }: Running<'_>) -> Result<Outcome> {
        scope.check_writes("CREATE TABLE")?;
        let name = self.lasting.new_name(scope, &self.name)?;
        if scope.exists(&name, self.existing)? {
            return Ok(Outcome::done("CREATE TABLE"));
        }
        let schema = self.columns(scope)?;
        check_distinct(&schema)?;
        let table = Definition::ManagedTable(ManagedTable::new(schema, Vec::new()));
        let header = client.header()?;
        self.lasting.note(client, header.oid);
        client.create(scope, &name, header, table, self.existing).await?;
        Ok(Outcome::done("CREATE TABLE"))
    }
}

impl CreateTableLike {
    fn columns(&self, scope: &Scope) -> Result<Schema> {
        let mut fields: Vec<FieldRef> = Vec::new();
        for like in &self.like {
            let name = scope.named(Kind::Table, like);
            let found = scope.snapshot().relation(&name).ok_or_else(|| scope.no_relation(&name))?;
            scope.check(Privilege::Select, found)?;
            let columns = found.columns().ok_or_else(|| scope.no_relation(&name))?;
            match &found.definition {
                Definition::ManagedTable(_) => fields.extend(columns.fields().iter().cloned()),
                _ => fields.extend(storage::stored_schema(&columns).fields().iter().cloned()),
            }
        }
        Ok(Schema::new(fields))
    }
}
