//! `SET`, `SHOW`, `RESET`, `DISCARD`: what a client sets reaches no other client.
//!
//! `SET` and `RESET` are parsed here, because the parser of the query engine knows few of PostgreSQL's forms of them.

use std::sync::Arc;

use arrow::datatypes::{DataType, Field, Schema, SchemaRef};
use async_trait::async_trait;
use datafusion::sql::{
    parser::{DFParser, Statement as SqlStatement},
    sqlparser::{
        ast::{DiscardObject, Statement as Ast},
        tokenizer::{Token, Word},
    },
};

use super::{
    Action, Form, Recognised,
    parse::{expected, take_words},
};
use crate::{
    Error, Fault, Result,
    functions::quoted,
    session::{Analysis, Client, Outcome, RowsTag, Running, Scope, spelled, takes_several, text_rows},
};

pub(super) const FORM: Form = Form { parse: Some(parse), convert };

#[derive(Debug)]
enum Settings {
    /// Without values, DEFAULT.
    Set {
        name: String,
        values: Vec<Written>,
        local: bool,
    },
    Show {
        name: String,
    },
    Reset {
        name: String,
    },
    /// `SET CONSTRAINTS`: of these, or all of them. There are none.
    Constraints {
        names: Vec<String>,
    },
    Discard,
    DiscardTemporary,
    /// `DISCARD` of what there cannot be: plans, sequences.
    DiscardNothing {
        tag: &'static str,
    },
}

/// A value as it is written.
#[derive(Debug)]
struct Written {
    text: String,
    is_number: bool,
}

impl From<&str> for Written {
    fn from(text: &str) -> Self {
        Self { text: text.to_owned(), is_number: false }
    }
}

/// The settings whose names are several words.
const SPELLED_OUT: &[(&[&str], &str)] = &[
    (&["time", "zone"], "timezone"),
    (&["transaction", "isolation", "level"], "transaction_isolation"),
    (&["session", "authorization"], "session_authorization"),
];

fn parse(parser: &mut DFParser) -> Recognised {
    let action = if take_words(parser, &["set"]) {
        let Some(action) = set(parser)? else { return Ok(None) };
        action
    } else if take_words(parser, &["reset"]) {
        Settings::Reset { name: spelled_out(parser).map_or_else(|| name(parser), Ok)? }
    } else if take_words(parser, &["show"]) {
        let Some(name) = spelled_out(parser) else { return Ok(None) };
        Settings::Show { name }
    } else {
        return Ok(None);
    };
    Ok(Some(Arc::new(action)))
}

fn convert(statement: &SqlStatement) -> Recognised {
    let SqlStatement::Statement(statement) = statement else { return Ok(None) };
    let action = match statement.as_ref() {
        Ast::ShowVariable { variable } if variable.is_empty() => {
            return Err(Error::new(Fault::Syntax, "syntax error: expected the name of a setting, or ALL"));
        }
        Ast::ShowVariable { variable } => {
            let words: Vec<String> = variable.iter().map(|word| word.value.to_lowercase()).collect();
            Settings::Show { name: words.join(".") }
        }
        Ast::Discard { object_type } => match object_type {
            DiscardObject::ALL => Settings::Discard,
            DiscardObject::PLANS => Settings::DiscardNothing { tag: "DISCARD PLANS" },
            DiscardObject::SEQUENCES => Settings::DiscardNothing { tag: "DISCARD SEQUENCES" },
            DiscardObject::TEMP => Settings::DiscardTemporary,
        },
        _ => return Ok(None),
    };
    Ok(Some(Arc::new(action)))
}

/// What follows SET; none where it is about transactions.
fn set(parser: &mut DFParser) -> Result<Option<Settings>> {
    if begins(parser, &["constraints"]) {
        return constraints(parser).map(Some);
    }
    let local = take_words(parser, &["local"]);
    let session = !local && take_words(parser, &["session"]);
    if is_word(parser, 0, "transaction") || is_word(parser, 0, "characteristics") {
        return Ok(None);
    }
    let (name, values) = if session && begins(parser, &["authorization"])
        || begins(parser, &["session", "authorization"])
    {
        ("session_authorization".to_owned(), value_or_default(parser)?)
    } else if begins(parser, &["time", "zone"]) {
        ("timezone".to_owned(), zone(parser)?)
    } else if begins(parser, &["schema"]) {
        ("search_path".to_owned(), vec![schema(parser)?])
    } else if begins(parser, &["names"]) {
        let is_end = matches!(parser.parser.peek_token().token, Token::EOF);
        ("client_encoding".to_owned(), if is_end { Vec::new() } else { value_or_default(parser)? })
    } else if begins(parser, &["role"]) {
        ("role".to_owned(), vec![value(parser)?])
    } else if begins(parser, &["xml", "option"]) {
        ("xmloption".to_owned(), vec![value(parser)?])
    } else if begins(parser, &["catalog"]) {
        return Err(Error::new(Fault::FeatureNotSupported, "current database cannot be changed; connect to another"));
    } else {
        let name = name(parser)?;
        if !parser.parser.consume_token(&Token::Eq) && !take_words(parser, &["to"]) {
            return Err(expected(parser, "= or TO"));
        }
        let mut values = value_or_default(parser)?;
        while parser.parser.consume_token(&Token::Comma) {
            if values.is_empty() || is_word(parser, 0, "default") {
                let message = "DEFAULT stands alone; a schema of this name is \"default\"";
                return Err(Error::new(Fault::Syntax, message).at(parser.parser.peek_token().span.start));
            }
            values.push(value(parser)?);
        }
        (name, values)
    };
    Ok(Some(Settings::Set { name, values, local }))
}

/// `SET CONSTRAINTS … DEFERRED`.
fn constraints(parser: &mut DFParser) -> Result<Settings> {
    let mut names = Vec::new();
    if !take_words(parser, &["all"]) {
        names.push(name(parser)?);
        while parser.parser.consume_token(&Token::Comma) {
            names.push(name(parser)?);
        }
    }
    if !take_words(parser, &["deferred"]) && !take_words(parser, &["immediate"]) {
        return Err(expected(parser, "DEFERRED or IMMEDIATE"));
    }
    Ok(Settings::Constraints { names })
}

/// These words, taken where they are not the name of a setting that is set like any other.
fn begins(parser: &mut DFParser, words: &[&str]) -> bool {
    let behind = words.len();
    let is_name = matches!(parser.parser.peek_nth_token(behind).token, Token::Eq | Token::Period)
        || is_word(parser, behind, "to");
    !is_name && take_words(parser, words)
}

fn is_word(parser: &DFParser, place: usize, word: &str) -> bool {
    match parser.parser.peek_nth_token(place).token {
        Token::Word(Word { value, quote_style: None, .. }) => value.eq_ignore_ascii_case(word),
        _ => false,
    }
}

/// The name of a setting that is several words.
fn spelled_out(parser: &mut DFParser) -> Option<String> {
    SPELLED_OUT.iter().find(|(words, _)| take_words(parser, words)).map(|(_, name)| (*name).to_owned())
}

/// The name of a setting, in lower case as all are.
fn name(parser: &mut DFParser) -> Result<String> {
    let mut name = String::new();
    loop {
        let Token::Word(word) = parser.parser.peek_token().token else {
            return Err(expected(parser, "the name of a setting"));
        };
        parser.parser.next_token();
        name.push_str(&word.value.to_lowercase());
        if !parser.parser.consume_token(&Token::Period) {
            return Ok(name);
        }
        name.push('.');
    }
}

/// No value for DEFAULT, else one.
fn value_or_default(parser: &mut DFParser) -> Result<Vec<Written>> {
    Ok(if take_words(parser, &["default"]) { Vec::new() } else { vec![value(parser)?] })
}

/// A word, a number or a text.
fn value(parser: &mut DFParser) -> Result<Written> {
    let sign = if parser.parser.consume_token(&Token::Minus) {
        Some("-")
    } else {
        parser.parser.consume_token(&Token::Plus).then_some("")
    };
    let written = match (parser.parser.peek_token().token, sign) {
        (Token::Number(digits, _), sign) => {
            Written { text: format!("{}{digits}", sign.unwrap_or_default()), is_number: true }
        }
        (_, Some(_)) => return Err(expected(parser, "a number")),
        (Token::Word(word), None) if parser.parser.peek_nth_token(1).token == Token::Period => {
            let place = parser.parser.peek_token().span.start;
            let found = format!("{word}.{}", parser.parser.peek_nth_token(2).token);
            let message =
                format!("a setting takes a word without points, found {found}; write a text in single quotes");
            return Err(Error::new(Fault::Syntax, message).at(place));
        }
        (Token::Word(Word { value, quote_style: None, .. }), None) => value.to_lowercase().as_str().into(),
        (Token::Word(Word { value, .. }), None) => value.as_str().into(),
        (_, None) => return Ok(text(parser)?.as_str().into()),
    };
    parser.parser.next_token();
    Ok(written)
}

/// The schema of `SET SCHEMA`.
fn schema(parser: &mut DFParser) -> Result<Written> {
    let found = parser.parser.peek_token();
    if matches!(found.token, Token::Word(_) | Token::Number(..)) {
        let message = format!("SET SCHEMA takes a text in single quotes, found {}", found.token);
        return Err(Error::new(Fault::Syntax, message).at(found.span.start));
    }
    Ok(text(parser)?.as_str().into())
}

fn text(parser: &mut DFParser) -> Result<String> {
    let text = match parser.parser.peek_token().token {
        Token::SingleQuotedString(text) | Token::EscapedStringLiteral(text) => text,
        Token::DollarQuotedString(text) => text.value,
        _ => return Err(expected(parser, "a word, a number or a text in single quotes")),
    };
    parser.parser.next_token();
    Ok(text)
}

/// What follows `SET TIME ZONE`; LOCAL is the zone that the session began with.
fn zone(parser: &mut DFParser) -> Result<Vec<Written>> {
    if take_words(parser, &["local"]) {
        return Ok(Vec::new());
    }
    if !take_words(parser, &["interval"]) {
        return value_or_default(parser);
    }
    let written = text(parser)?;
    if take_words(parser, &["hour"]) {
        if take_words(parser, &["to"]) && !take_words(parser, &["minute"]) {
            return Err(expected(parser, "MINUTE"));
        }
    } else if !matches!(parser.parser.peek_token().token, Token::EOF) {
        return Err(expected(parser, "HOUR or HOUR TO MINUTE"));
    }
    let hours = hours(&written).ok_or_else(|| {
        let message =
            format!("the interval '{written}' is no distance of a time zone; write hours and minutes, '-08:00'");
        Error::new(Fault::InvalidArgument, message)
    })?;
    Ok(vec![Written { text: hours.to_string(), is_number: true }])
}

/// `-08:00` as a number of hours.
fn hours(text: &str) -> Option<f64> {
    let (sign, clock) = match text.trim().strip_prefix('-') {
        Some(clock) => (-1.0, clock),
        None => (1.0, text.trim().trim_start_matches('+')),
    };
    let (hours, minutes) = clock.split_once(':').unwrap_or((clock, "0"));
    Some(sign * (f64::from(hours.parse::<u8>().ok()?) + f64::from(minutes.parse::<u8>().ok()?) / 60.0))
}

/// The value's text; none for DEFAULT. Names of schemas come between quotes, whatever is in them.
fn joined(name: &str, values: &[Written]) -> Result<Option<String>> {
    if values.len() > 1 && !takes_several(name) {
        let message = format!("SET {} takes only one argument", spelled(name));
        return Err(Error::new(Fault::InvalidArgument, message));
    }
    let are_names = name == "search_path";
    let texts = values.iter().map(|value| match are_names && !value.is_number {
        true => quoted(&value.text),
        false => value.text.clone(),
    });
    Ok((!values.is_empty()).then(|| texts.collect::<Vec<_>>().join(", ")))
}

fn shown(name: &str) -> SchemaRef {
    let columns: &[&str] = if name == "all" { &["name", "setting", "description"] } else { &[spelled(name)] };
    Arc::new(Schema::new(columns.iter().map(|name| Field::new(*name, DataType::Utf8, true)).collect::<Vec<_>>()))
}

#[async_trait]
impl Action for Settings {
    async fn analyze(&self, _client: &Client, scope: &Arc<Scope>, _types: &[Option<DataType>]) -> Result<Analysis> {
        let columns = match self {
            Self::Show { name } => {
                if name != "all" {
                    scope.setting(name)?;
                }
                Some(shown(name))
            }
            _ => None,
        };
        Ok(Analysis { columns, ..Analysis::default() })
    }

    async fn run(&self, Running { client, scope, .. }: Running<'_>) -> Result<Outcome> {
        match self {
            Self::Set { name, values, local } => {
                client.set(name, joined(name, values)?.as_deref(), *local)?;
                Ok(Outcome::done("SET"))
            }
            Self::Constraints { names } => {
                client.warn_outside("SET CONSTRAINTS");
                match names.first() {
                    None => Ok(Outcome::done("SET CONSTRAINTS")),
                    Some(name) => {
                        let message = format!("constraint \"{name}\" does not exist; tables have none");
                        Err(Error::new(Fault::UndefinedObject, message))
                    }
                }
            }
            Self::Show { name } => {
                let rows = if name == "all" {
                    scope
                        .settings()
                        .into_iter()
                        .map(|setting| [setting.0, setting.1, setting.2].map(Some).to_vec())
                        .collect()
                } else {
                    vec![vec![Some(scope.setting(name)?)]]
                };
                Ok(text_rows(shown(name), &rows)?.tagged(RowsTag::Plain("SHOW")))
            }
            Self::Reset { name } if name == "all" => {
                client.reset_all()?;
                Ok(Outcome::done("RESET"))
            }
            Self::Reset { name } => {
                client.reset(name)?;
                Ok(Outcome::done("RESET"))
            }
            Self::Discard => {
                client.discard()?;
                client.discard_temporary(scope).await?;
                Ok(Outcome::done("DISCARD ALL"))
            }
            Self::DiscardTemporary => {
                client.discard_temporary(scope).await?;
                Ok(Outcome::done("DISCARD TEMP"))
            }
            Self::DiscardNothing { tag } => Ok(Outcome::done(*tag)),
        }
    }

    fn reads_catalog(&self) -> bool {
        // PostgreSQL takes it for a query.
        matches!(self, Self::Discard | Self::DiscardTemporary | Self::DiscardNothing { .. })
    }
}
