//! `COMMENT ON`: a remark kept with a table, a view or a schema.

use std::sync::Arc;

use async_trait::async_trait;
use datafusion::sql::{
    parser::{DFParser, Statement as SqlStatement},
    sqlparser::{ast::CommentObject, ast::Statement as AstStatement},
};

use super::{Action, Form, Recognised, names::object_name, parse::take_words};
use crate::{
    Error, Fault, Result,
    catalog::{Change, Kind},
    session::{Name, Outcome, Running},
};

pub(super) const FORM: Form = Form { parse: Some(parse), convert };

#[derive(Debug)]
struct Comment {
    kind: Kind,
    name: Name,
    comment: Option<String>,
}

fn parse(parser: &mut DFParser) -> Recognised {
    if !take_words(parser, &["comment", "on", "model"]) {
        return Ok(None);
    }
    let name = object_name(&parser.parser.parse_object_name(false)?)?;
    if !take_words(parser, &["is"]) {
        return Err(Error::new(Fault::Syntax, "expected IS and a text after COMMENT ON MODEL name"));
    }
    let comment = match take_words(parser, &["null"]) {
        true => None,
        false => Some(parser.parser.parse_literal_string()?),
    };
    Ok(Some(Arc::new(Comment { kind: Kind::Model, name, comment })))
}

fn convert(statement: &SqlStatement) -> Recognised {
    let SqlStatement::Statement(statement) = statement else { return Ok(None) };
    let AstStatement::Comment { object_type, object_name: name, comment, .. } = statement.as_ref() else {
        return Ok(None);
    };
    let kind = match object_type {
        CommentObject::Table => Kind::Table,
        CommentObject::View => Kind::View,
        other => {
            return Err(Error::new(
                Fault::FeatureNotSupported,
                format!("COMMENT ON {other} is not supported; a TABLE, a VIEW or a MODEL can have one"),
            ));
        }
    };
    Ok(Some(Arc::new(Comment { kind, name: object_name(name)?, comment: comment.clone() })))
}

#[async_trait]
impl Action for Comment {
    async fn run(&self, Running { client, scope, .. }: Running<'_>) -> Result<Outcome> {
        scope.check_writes("COMMENT")?;
        let (name, comment) = (scope.named(self.kind, &self.name), self.comment.clone());
        client.apply(scope, vec![Change::SetComment { kind: self.kind, name, comment }]).await?;
        Ok(Outcome::done("COMMENT"))
    }
}
