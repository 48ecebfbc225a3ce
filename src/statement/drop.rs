//! `DROP TABLE | VIEW | MODEL | SECRET | SCHEMA`.

use std::sync::Arc;

use async_trait::async_trait;
use datafusion::sql::{
    parser::{DFParser, Statement as SqlStatement},
    sqlparser::{
        ast::{ObjectType, Statement as AstStatement},
        tokenizer::Token,
    },
};

use super::{
    Action, Form, Recognised,
    names::{identifier, object_name},
    parse::take_words,
};
use crate::{
    Error, Fault, Result,
    catalog::{Applied, Change, Kind},
    session::{Name, Notice, Outcome, Running},
};

pub(super) const FORM: Form = Form { parse: Some(parse), convert };

#[derive(Debug)]
enum Dropped {
    Objects { kind: Kind, names: Vec<Name> },
    Schemas(Vec<String>),
}

#[derive(Debug)]
struct Drop {
    dropped: Dropped,
    if_exists: bool,
    cascade: bool,
}

fn parse(parser: &mut DFParser) -> Recognised {
    let kind = if take_words(parser, &["drop", "model"]) {
        Kind::Model
    } else if take_words(parser, &["drop", "secret"]) {
        Kind::Secret
    } else {
        return Ok(None);
    };
    let if_exists = take_words(parser, &["if", "exists"]);
    let mut names = vec![object_name(&parser.parser.parse_object_name(false)?)?];
    while parser.parser.consume_token(&Token::Comma) {
        names.push(object_name(&parser.parser.parse_object_name(false)?)?);
    }
    Ok(Some(Arc::new(Drop { dropped: Dropped::Objects { kind, names }, if_exists, cascade: false })))
}

fn convert(statement: &SqlStatement) -> Recognised {
    let SqlStatement::Statement(statement) = statement else { return Ok(None) };
    let AstStatement::Drop { object_type, if_exists, names, cascade, .. } = statement.as_ref() else { return Ok(None) };
    let dropped = match object_type {
        ObjectType::Schema => {
            Dropped::Schemas(names.iter().filter_map(|name| name.0.last()?.as_ident()).map(identifier).collect())
        }
        ObjectType::Table | ObjectType::View => Dropped::Objects {
            kind: if matches!(object_type, ObjectType::Table) { Kind::Table } else { Kind::View },
            names: names.iter().map(object_name).collect::<Result<_>>()?,
        },
        other => {
            return Err(Error::new(Fault::FeatureNotSupported, format!("DROP {other} is not supported")));
        }
    };
    Ok(Some(Arc::new(Drop { dropped, if_exists: *if_exists, cascade: *cascade })))
}

#[async_trait]
impl Action for Drop {
    async fn run(&self, Running { client, scope, .. }: Running<'_>) -> Result<Outcome> {
        let (changes, noun): (Vec<Change>, &str) = match &self.dropped {
            Dropped::Objects { kind, names } => {
                let drop = |name: &Name| Change::Drop {
                    kind: *kind,
                    name: scope.named(*kind, name),
                    if_exists: self.if_exists,
                };
                (names.iter().map(drop).collect(), noun(*kind))
            }
            Dropped::Schemas(names) => {
                let (if_exists, cascade) = (self.if_exists, self.cascade);
                let drop = |name: &String| Change::DropSchema { name: name.clone(), if_exists, cascade };
                (names.iter().map(drop).collect(), "SCHEMA")
            }
        };
        scope.check_writes(&format!("DROP {noun}"))?;
        let labels: Vec<String> = match &self.dropped {
            Dropped::Objects { kind, names } => names.iter().map(|name| scope.named(*kind, name).to_string()).collect(),
            Dropped::Schemas(names) => names.iter().map(|name| format!("\"{name}\"")).collect(),
        };
        let applied = client.apply(scope, changes).await?;
        for (applied, label) in applied.iter().zip(labels) {
            if *applied == Applied::Unchanged {
                let noun = noun.to_lowercase();
                scope.notify(Notice::remark(format!("{noun} {label} does not exist, skipping")));
            }
        }
        Ok(Outcome::done(format!("DROP {noun}")))
    }
}

fn noun(kind: Kind) -> &'static str {
    match kind {
        Kind::View => "VIEW",
        Kind::Model => "MODEL",
        Kind::Secret => "SECRET",
        _ => "TABLE",
    }
}
