//! `BEGIN`, `COMMIT`, `ROLLBACK`, `SAVEPOINT`, `RELEASE`, `SET TRANSACTION`: what a transaction changes is published together
//! or not at all.
//!
//! They are parsed here, because the parser of the query engine knows neither DEFERRABLE nor ABORT.

use std::sync::Arc;

use async_trait::async_trait;
use datafusion::sql::{parser::DFParser, sqlparser::tokenizer::Token};

use super::{
    Action, Form, Recognised,
    names::identifier,
    no_convert,
    parse::{expected, take_words},
};
use crate::{
    Error, Fault, Result,
    session::{Isolation, Mode, Outcome, Running, TransactionStatus},
};

pub(super) const FORM: Form = Form { parse: Some(parse), convert: no_convert };

#[derive(Debug)]
enum Transaction {
    Begin {
        tag: &'static str,
        modes: Vec<Mode>,
    },
    Commit {
        chain: bool,
    },
    Rollback {
        chain: bool,
    },
    Savepoint {
        name: String,
    },
    Release {
        name: String,
    },
    RollbackTo {
        name: String,
    },
    Set {
        modes: Vec<Mode>,
    },
    /// The modes of later transactions.
    SetDefaults {
        modes: Vec<Mode>,
    },
    /// `PREPARE TRANSACTION`, which ends the transaction where none is kept for later.
    Prepare,
    /// `COMMIT PREPARED` and `ROLLBACK PREPARED`.
    Prepared {
        statement: &'static str,
        name: String,
    },
}

fn parse(parser: &mut DFParser) -> Recognised {
    let action = if take_words(parser, &["begin"]) {
        take_noise(parser);
        Transaction::Begin { tag: "BEGIN", modes: modes(parser)? }
    } else if take_words(parser, &["start", "transaction"]) {
        Transaction::Begin { tag: "START TRANSACTION", modes: modes(parser)? }
    } else if is_text(parser, 2) && take_words(parser, &["prepare", "transaction"]) {
        text(parser)?;
        Transaction::Prepare
    } else if take_words(parser, &["commit", "prepared"]) {
        Transaction::Prepared { statement: "COMMIT PREPARED", name: text(parser)? }
    } else if take_words(parser, &["rollback", "prepared"]) {
        Transaction::Prepared { statement: "ROLLBACK PREPARED", name: text(parser)? }
    } else if take_words(parser, &["commit"]) || take_words(parser, &["end"]) {
        take_noise(parser);
        Transaction::Commit { chain: chain(parser) }
    } else if take_words(parser, &["rollback"]) || take_words(parser, &["abort"]) {
        take_noise(parser);
        if take_words(parser, &["to"]) { rollback_to(parser)? } else { Transaction::Rollback { chain: chain(parser) } }
    } else if take_words(parser, &["savepoint"]) {
        Transaction::Savepoint { name: name(parser)? }
    } else if take_words(parser, &["release"]) {
        take_words(parser, &["savepoint"]);
        Transaction::Release { name: name(parser)? }
    } else if take_words(parser, &["set", "session", "characteristics", "as", "transaction"]) {
        Transaction::SetDefaults { modes: some_modes(parser)? }
    } else if SET_TRANSACTION.iter().any(|words| take_words(parser, words)) {
        if take_words(parser, &["snapshot"]) {
            let message = "SET TRANSACTION SNAPSHOT is not supported; a transaction reads the state at its first query";
            return Err(Error::new(Fault::FeatureNotSupported, message));
        }
        Transaction::Set { modes: some_modes(parser)? }
    } else {
        return Ok(None);
    };
    Ok(Some(Arc::new(action)))
}

/// The beginnings of `SET TRANSACTION`, which always is for this transaction alone.
const SET_TRANSACTION: &[&[&str]] =
    &[&["set", "transaction"], &["set", "local", "transaction"], &["set", "session", "transaction"]];

/// The levels of isolation, as they are written.
const LEVELS: &[(&[&str], Isolation)] = &[
    (&["serializable"], Isolation::Serializable),
    (&["repeatable", "read"], Isolation::RepeatableRead),
    (&["read", "committed"], Isolation::ReadCommitted),
    (&["read", "uncommitted"], Isolation::ReadUncommitted),
];

/// The other modes.
const MODES: &[(&[&str], Mode)] = &[
    (&["read", "only"], Mode::ReadOnly(true)),
    (&["read", "write"], Mode::ReadOnly(false)),
    (&["deferrable"], Mode::Deferrable(true)),
    (&["not", "deferrable"], Mode::Deferrable(false)),
];

fn take_noise(parser: &mut DFParser) {
    let _ = take_words(parser, &["work"]) || take_words(parser, &["transaction"]);
}

fn rollback_to(parser: &mut DFParser) -> Result<Transaction> {
    take_words(parser, &["savepoint"]);
    Ok(Transaction::RollbackTo { name: name(parser)? })
}

fn name(parser: &mut DFParser) -> Result<String> {
    Ok(identifier(&parser.parser.parse_identifier()?))
}

/// Whether a text stands so many tokens ahead: a prepared statement may be called transaction.
fn is_text(parser: &DFParser, place: usize) -> bool {
    matches!(parser.parser.peek_nth_token(place).token, Token::SingleQuotedString(_))
}

fn text(parser: &mut DFParser) -> Result<String> {
    let Token::SingleQuotedString(text) = parser.parser.peek_token().token else {
        return Err(expected(parser, "a text in single quotes"));
    };
    parser.parser.next_token();
    Ok(text)
}

fn chain(parser: &mut DFParser) -> bool {
    !take_words(parser, &["and", "no", "chain"]) && take_words(parser, &["and", "chain"])
}

/// Modes with or without commas between them.
fn modes(parser: &mut DFParser) -> Result<Vec<Mode>> {
    let mut modes = Vec::new();
    loop {
        let comma = !modes.is_empty() && parser.parser.consume_token(&Token::Comma);
        match mode(parser)? {
            Some(mode) => modes.push(mode),
            None if comma => return Err(expected(parser, "a transaction mode")),
            None => return Ok(modes),
        }
    }
}

fn some_modes(parser: &mut DFParser) -> Result<Vec<Mode>> {
    let modes = modes(parser)?;
    if modes.is_empty() { Err(expected(parser, "a transaction mode")) } else { Ok(modes) }
}

fn mode(parser: &mut DFParser) -> Result<Option<Mode>> {
    if !take_words(parser, &["isolation", "level"]) {
        let found = MODES.iter().find(|(words, _)| take_words(parser, words));
        return Ok(found.map(|(_, mode)| *mode));
    }
    match LEVELS.iter().find(|(words, _)| take_words(parser, words)) {
        Some((_, level)) => Ok(Some(Mode::Isolation(*level))),
        None => Err(expected(parser, "SERIALIZABLE, REPEATABLE READ, READ COMMITTED or READ UNCOMMITTED")),
    }
}

#[async_trait]
impl Action for Transaction {
    async fn run(&self, Running { client, scope, .. }: Running<'_>) -> Result<Outcome> {
        let tag = match self {
            Self::Begin { tag, modes } => {
                client.begin(modes)?;
                *tag
            }
            Self::Commit { chain } => {
                if let Err(error) = client.hold_portals(scope.interrupt()).await {
                    client.rollback(false)?;
                    return Err(error);
                }
                if client.commit(scope.ticket(), *chain).await? { "COMMIT" } else { "ROLLBACK" }
            }
            Self::Rollback { chain } => {
                client.rollback(*chain)?;
                "ROLLBACK"
            }
            Self::Savepoint { name } => {
                client.savepoint(name)?;
                "SAVEPOINT"
            }
            Self::Release { name } => {
                client.release(name)?;
                "RELEASE"
            }
            Self::RollbackTo { name } => {
                client.rollback_to(name)?;
                "ROLLBACK"
            }
            Self::Set { modes } => {
                client.set_modes(modes)?;
                "SET"
            }
            Self::SetDefaults { modes } => {
                for (name, value) in modes.iter().map(|mode| mode.default_setting()) {
                    client.set(name, Some(value), false)?;
                }
                "SET"
            }
            Self::Prepare => {
                let is_open = client.transaction_status() == TransactionStatus::Open;
                client.rollback(false)?;
                if is_open {
                    let message = "prepared transactions are disabled; this one is rolled back";
                    return Err(Error::new(Fault::WrongState, message));
                }
                "ROLLBACK"
            }
            Self::Prepared { statement, name } => {
                client.stand_alone(statement)?;
                let message = format!("prepared transaction with identifier \"{name}\" does not exist");
                return Err(Error::new(Fault::UndefinedObject, message));
            }
        };
        Ok(Outcome::done(tag))
    }

    fn ends_transaction(&self) -> bool {
        matches!(self, Self::Commit { .. } | Self::Rollback { .. } | Self::RollbackTo { .. } | Self::Prepare)
    }

    fn reads_catalog(&self) -> bool {
        false
    }
}
