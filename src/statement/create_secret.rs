//! `CREATE SECRET`: the key to a bucket or the like, kept in the catalog's files, which only their owner can read, and never
//! shown again.

use std::sync::Arc;

use async_trait::async_trait;
use datafusion::sql::{parser::DFParser, sqlparser::tokenizer::Token};

use super::{
    Action, Form, Recognised,
    create_external_table::option_text,
    names::{existing, object_name},
    no_convert,
    parse::take_words,
};
use crate::{
    Error, Fault, Result,
    catalog::{Definition, Existing, Secret, Sensitive},
    session::{Name, Outcome, Running},
    source::{SECRET_TYPES, SecretDefinition, SecretType, listed},
};

pub(super) const FORM: Form = Form { parse: Some(parse), convert: no_convert };

struct CreateSecret {
    name: Name,
    existing: Existing,
    kind: &'static SecretType,
    options: Vec<(String, String)>,
}

impl std::fmt::Debug for CreateSecret {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        formatter.debug_struct("CreateSecret").field("name", &self.name).finish_non_exhaustive()
    }
}

fn parse(parser: &mut DFParser) -> Recognised {
    let or_replace = take_words(parser, &["create", "or", "replace", "secret"]);
    if !or_replace && !take_words(parser, &["create", "secret"]) {
        return Ok(None);
    }
    let if_not_exists = take_words(parser, &["if", "not", "exists"]);
    let name = object_name(&parser.parser.parse_object_name(false)?)?;
    parser.parser.expect_token(&Token::LParen)?;
    let mut options: Vec<(String, String)> = Vec::new();
    loop {
        let key = parser.parse_option_key()?.to_lowercase();
        let value = option_text(&parser.parse_option_value()?);
        if options.iter().any(|(known, _)| *known == key) {
            return Err(Error::new(Fault::Syntax, format!("the option {key} is given twice; leave one out")));
        }
        options.push((key, value));
        if !parser.parser.consume_token(&Token::Comma) {
            break;
        }
    }
    parser.parser.expect_token(&Token::RParen)?;
    let Some(at) = options.iter().position(|(key, _)| key == "type") else {
        let message = format!("the secret {name} needs a TYPE; write TYPE {}", listed(&types()));
        return Err(Error::new(Fault::InvalidArgument, message));
    };
    let (_, given) = options.remove(at);
    let Some(kind) = SecretType::named(&given) else {
        let known = match types().as_slice() {
            [only] => format!("the only type is {only}"),
            several => format!("the types are {}", several.join(", ")),
        };
        let message = format!("the secret {name} is of type {given}; {known}");
        return Err(Error::new(Fault::InvalidArgument, message));
    };
    let existing = existing(or_replace, if_not_exists)?;
    Ok(Some(Arc::new(CreateSecret { name, existing, kind, options })))
}

/// What TYPE may be.
fn types() -> Vec<&'static str> {
    SECRET_TYPES.iter().map(|kind| kind.name).collect()
}

#[async_trait]
impl Action for CreateSecret {
    async fn run(&self, Running { client, scope, .. }: Running<'_>) -> Result<Outcome> {
        scope.check_writes("CREATE SECRET")?;
        // Checked here, so that a mistake is heard now and not when the bucket is read.
        let checked = SecretDefinition::read(&self.name.name, self.kind, &self.options)?;
        let options = self.options.iter().map(|(key, value)| (key.clone(), Sensitive::new(value.clone()))).collect();
        let secret = Secret { provider: self.kind.name.to_owned(), scope: Some(checked.scope), options };
        let name = scope.new_name(&self.name)?;
        client.create(scope, &name, client.header()?, Definition::Secret(secret), self.existing).await?;
        Ok(Outcome::done("CREATE SECRET"))
    }

    fn shown(&self) -> Option<&'static str> {
        Some("CREATE SECRET …")
    }
}
