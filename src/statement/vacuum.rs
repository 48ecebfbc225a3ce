//! `VACUUM`: puts the small files of tables together now, and not when the background comes to it.
//!
//! Files that nobody reads any more go without it.

use std::sync::{
    Arc,
    atomic::{AtomicBool, Ordering},
};

use async_trait::async_trait;
use datafusion::sql::{parser::DFParser, sqlparser::tokenizer::Token};

use super::{Action, Form, Recognised, names::object_name, no_convert, parse::take_words};
use crate::{
    Error, Fault, Result,
    catalog::{Definition, Kind, QualifiedName},
    session::{Name, Notice, Outcome, Running, Scope, compaction},
};

pub(super) const FORM: Form = Form { parse: Some(parse), convert: no_convert };

/// What PostgreSQL can be told in parentheses. Nothing here depends on it.
const OPTIONS: &[&str] = &[
    "full",
    "freeze",
    "verbose",
    "analyze",
    "disable_page_skipping",
    "skip_locked",
    "index_cleanup",
    "process_toast",
    "truncate",
    "parallel",
];

#[derive(Debug)]
struct Vacuum {
    /// None: all that there are.
    tables: Vec<Name>,
}

/// Tells the work of a statement that it is over, however it ends.
#[derive(Default)]
struct Stop(Arc<AtomicBool>);

fn parse(parser: &mut DFParser) -> Recognised {
    if !take_words(parser, &["vacuum"]) {
        return Ok(None);
    }
    if parser.parser.consume_token(&Token::LParen) {
        take_options(parser)?;
    } else {
        for word in ["full", "freeze", "verbose", "analyze"] {
            take_words(parser, &[word]);
        }
    }
    let mut tables = Vec::new();
    if !matches!(parser.parser.peek_token().token, Token::EOF | Token::SemiColon) {
        tables.push(object_name(&parser.parser.parse_object_name(false)?)?);
        while parser.parser.consume_token(&Token::Comma) {
            tables.push(object_name(&parser.parser.parse_object_name(false)?)?);
        }
    }
    Ok(Some(Arc::new(Vacuum { tables })))
}

/// Options with or without a value, to the closing parenthesis.
fn take_options(parser: &mut DFParser) -> Result<()> {
    loop {
        match parser.parser.next_token().token {
            Token::Word(word) if OPTIONS.contains(&word.value.to_lowercase().as_str()) => {}
            other => {
                let option = other.to_string().to_lowercase();
                return Err(Error::new(Fault::Syntax, format!("unrecognized VACUUM option \"{option}\"")));
            }
        }
        loop {
            match parser.parser.next_token().token {
                Token::Comma => break,
                Token::RParen => return Ok(()),
                Token::Word(_) | Token::Number(..) => {}
                other => {
                    let message = format!("expected , or ) after an option of VACUUM, found {other}");
                    return Err(Error::new(Fault::Syntax, message));
                }
            }
        }
    }
}

#[async_trait]
impl Action for Vacuum {
    async fn run(&self, Running { client, scope, .. }: Running<'_>) -> Result<Outcome> {
        client.stand_alone("VACUUM")?;
        let stop = Stop::default();
        for name in self.named(scope)? {
            let (catalog, compactions) = (Arc::clone(&scope.shared().catalog), Arc::clone(&scope.shared().compactions));
            let stopped = Arc::clone(&stop.0);
            let work = move || compaction::vacuum(&catalog, &compactions, &name, &stopped);
            let interrupted = |error: tokio::task::JoinError| {
                Error::new(Fault::Internal, format!("putting files together was interrupted: {error}"))
            };
            tokio::task::spawn_blocking(work).await.map_err(interrupted)??;
        }
        Ok(Outcome::done("VACUUM"))
    }
}

impl Vacuum {
    /// The tables that it is for. What is named and is none of ours is left out, as in PostgreSQL.
    fn named(&self, scope: &Scope) -> Result<Vec<QualifiedName>> {
        let is_ours = |definition: &Definition| matches!(definition, Definition::ManagedTable(_));
        let mut named = Vec::new();
        for table in &self.tables {
            let name = scope.named(Kind::Table, table);
            let found = scope.snapshot().relation(&name).ok_or_else(|| scope.no_relation(&name))?;
            if is_ours(&found.definition) {
                named.push(name);
            } else {
                let text = format!("skipping \"{}\" --- cannot vacuum non-tables or special system tables", name.name);
                scope.notify(Notice::Warning { fault: None, text });
            }
        }
        if self.tables.is_empty() {
            let ours = scope.snapshot().relations().filter(|(_, object)| is_ours(&object.definition));
            named.extend(ours.map(|(name, _)| name.clone()));
        }
        Ok(named)
    }
}

impl Drop for Stop {
    fn drop(&mut self) {
        self.0.store(true, Ordering::Relaxed);
    }
}
