//! `ALTER MODEL … PROMOTE VERSION`: makes an older or newer version the live one.

use std::sync::Arc;

use async_trait::async_trait;
use datafusion::sql::parser::DFParser;

use super::{Action, Form, Recognised, names::object_name, no_convert, parse::take_words};
use crate::{
    Error, Fault, Result,
    catalog::{Change, Kind},
    session::{Name, Outcome, Running},
};

pub(super) const FORM: Form = Form { parse: Some(parse), convert: no_convert };

#[derive(Debug)]
struct PromoteVersion {
    name: Name,
    version: u64,
}

fn parse(parser: &mut DFParser) -> Recognised {
    if !take_words(parser, &["alter", "model"]) {
        return Ok(None);
    }
    let name = object_name(&parser.parser.parse_object_name(false)?)?;
    if !take_words(parser, &["promote", "version"]) {
        return Err(Error::new(
            Fault::Syntax,
            format!("expected PROMOTE VERSION and a number after ALTER MODEL {name}"),
        ));
    }
    let version = parser.parser.parse_literal_uint()?;
    Ok(Some(Arc::new(PromoteVersion { name, version })))
}

#[async_trait]
impl Action for PromoteVersion {
    async fn run(&self, Running { client, scope, .. }: Running<'_>) -> Result<Outcome> {
        scope.check_writes("ALTER MODEL")?;
        let name = scope.named(Kind::Model, &self.name);
        client.apply(scope, vec![Change::PromoteModel { name, version: self.version }]).await?;
        Ok(Outcome::done("ALTER MODEL"))
    }
}
