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

use super::{Action, Form, Recognised, create_schema::schema_name_of, names::object_name, parse::take_words};
use crate::{
    Error, Fault, Result,
    catalog::{Applied, Change, Kind, ObjectKey, QualifiedName},
    session::{Name, Notice, Outcome, Running, Scope},
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
        ObjectType::Schema => Dropped::Schemas(names.iter().map(schema_name_of).collect::<Result<_>>()?),
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
        let noun = match &self.dropped {
            Dropped::Objects { kind, .. } => noun(*kind),
            Dropped::Schemas(_) => "SCHEMA",
        };
        scope.check_writes(&format!("DROP {noun}"))?;
        let (changes, missing): (Vec<Change>, Vec<String>) = match &self.dropped {
            Dropped::Objects { kind, names } => self.objects(scope, *kind, names),
            Dropped::Schemas(names) => self.schemas(names),
        };
        let cascades = match &self.dropped {
            Dropped::Schemas(names) if self.cascade => cascades(scope, names),
            _ => None,
        };
        let applied = client.apply(scope, changes).await?;
        for (applied, missing) in applied.iter().zip(missing) {
            if *applied == Applied::Unchanged {
                scope.notify(Notice::remark(format!("{missing} does not exist, skipping")));
            }
        }
        if let Some(cascades) = cascades {
            scope.notify(Notice::remark(cascades));
        }
        Ok(Outcome::done(format!("DROP {noun}")))
    }
}

impl Drop {
    /// What drops objects, each once, and what is said of each that is not there.
    fn objects(&self, scope: &Scope, kind: Kind, names: &[Name]) -> (Vec<Change>, Vec<String>) {
        let mut found: Vec<(QualifiedName, String)> = Vec::new();
        for written in names {
            let name = scope.named(kind, written);
            if found.iter().any(|(other, _)| *other == name) {
                continue;
            }
            let missing = match &written.schema {
                Some(schema) if !scope.snapshot().has_schema(schema) => format!("schema \"{schema}\""),
                _ => format!("{kind} \"{}\"", written.name),
            };
            found.push((name, missing));
        }
        let drop = |name| Change::Drop { kind, name, if_exists: self.if_exists };
        found.into_iter().map(|(name, missing)| (drop(name), missing)).unzip()
    }

    /// The same of schemas.
    fn schemas(&self, names: &[String]) -> (Vec<Change>, Vec<String>) {
        let (if_exists, cascade) = (self.if_exists, self.cascade);
        let drop = |name: &String| Change::DropSchema { name: name.clone(), if_exists, cascade };
        let once = names.iter().enumerate().filter(|(at, name)| !names[..*at].contains(name)).map(|(_, name)| name);
        once.map(|name| (drop(name), format!("schema \"{name}\""))).unzip()
    }
}

/// What is said of all that goes with schemas.
fn cascades(scope: &Scope, schemas: &[String]) -> Option<String> {
    let members = scope
        .snapshot()
        .objects()
        .filter(|(key, _)| !matches!(key, ObjectKey::Schema(_)) && schemas.iter().any(|schema| key.schema() == schema));
    let members: Vec<_> = members.collect();
    match members.as_slice() {
        [] => None,
        [(key, object)] => {
            let kind = object.definition.kind().map_or_else(String::new, |kind| format!("{kind} "));
            let name = match key {
                ObjectKey::Relation(name) | ObjectKey::Model(name) | ObjectKey::Secret(name) => name.to_string(),
                ObjectKey::Schema(name) => format!("\"{name}\""),
            };
            Some(format!("drop cascades to {kind}{name}"))
        }
        several => Some(format!("drop cascades to {} other objects", several.len())),
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
