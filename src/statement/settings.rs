//! `SET`, `SHOW`, `RESET`, `DISCARD`: what a client sets reaches no other client.

use std::sync::Arc;

use arrow::datatypes::{DataType, Field, Schema, SchemaRef};
use async_trait::async_trait;
use datafusion::sql::{
    parser::{DFParser, ResetStatement, Statement as SqlStatement},
    sqlparser::{
        ast::{ContextModifier, DiscardObject, Expr as AstExpr, Ident, ObjectName, Set, Statement as Ast, Value},
        tokenizer::Token,
    },
};

use super::{Action, Form, Recognised, names::identifier, parse::take_words};
use crate::{
    Error, Fault, Result,
    session::{Analysis, Client, Outcome, RowsTag, Running, Scope, quoted, spelled, text_rows},
};

pub(super) const FORM: Form = Form { parse: Some(parse), convert };

#[derive(Debug)]
enum Settings {
    Set {
        name: String,
        value: Option<String>,
        local: bool,
    },
    Show {
        name: String,
    },
    Reset {
        name: String,
    },
    Discard,
    /// What connection pools send to clean up what there cannot be: channels, plans, sequences.
    Nothing {
        tag: &'static str,
    },
}

/// `SET SCHEMA 'name'`, which is `SET search_path` with one schema.
fn parse(parser: &mut DFParser) -> Recognised {
    if !take_words(parser, &["set"]) {
        return Ok(None);
    }
    let local = take_words(parser, &["local"]);
    if !local {
        take_words(parser, &["session"]);
    }
    if !take_words(parser, &["schema"]) {
        return Ok(None);
    }
    let found = parser.parser.next_token();
    match found.token {
        Token::SingleQuotedString(name) => {
            Ok(Some(Arc::new(Settings::Set { name: "search_path".to_owned(), value: Some(quoted(&name)), local })))
        }
        other => {
            let message = format!("SET SCHEMA takes a text in single quotes, found {other}");
            Err(Error::new(Fault::Syntax, message).at(found.span.start))
        }
    }
}

fn convert(statement: &SqlStatement) -> Recognised {
    let action = match statement {
        SqlStatement::Reset(ResetStatement::Variable(name)) => Settings::Reset { name: setting_name(name) },
        SqlStatement::Statement(statement) => match statement.as_ref() {
            Ast::Set(set) => set_action(set)?,
            Ast::ShowVariable { variable } => {
                let words: Vec<String> = variable.iter().map(|word| word.value.to_lowercase()).collect();
                let name = match words.as_slice() {
                    [time, zone] if time == "time" && zone == "zone" => "timezone".to_owned(),
                    [transaction, isolation, level]
                        if transaction == "transaction" && isolation == "isolation" && level == "level" =>
                    {
                        "transaction_isolation".to_owned()
                    }
                    words => words.join("."),
                };
                Settings::Show { name }
            }
            Ast::Discard { object_type } => match object_type {
                DiscardObject::ALL => Settings::Discard,
                DiscardObject::PLANS => Settings::Nothing { tag: "DISCARD PLANS" },
                DiscardObject::SEQUENCES => Settings::Nothing { tag: "DISCARD SEQUENCES" },
                DiscardObject::TEMP => Settings::Nothing { tag: "DISCARD TEMP" },
            },
            Ast::UNLISTEN { .. } => Settings::Nothing { tag: "UNLISTEN" },
            _ => return Ok(None),
        },
        _ => return Ok(None),
    };
    Ok(Some(Arc::new(action)))
}

fn set_action(set: &Set) -> Result<Settings> {
    Ok(match set {
        Set::SingleAssignment { scope, variable, values, .. } => {
            let name = setting_name(variable);
            let value = if name == "search_path" { schemas(values)? } else { setting_value(values)? };
            Settings::Set { name, value, local: matches!(scope, Some(ContextModifier::Local)) }
        }
        Set::SetTimeZone { local, value } => {
            // LOCAL is the zone that the session began with.
            let here = matches!(value, AstExpr::Identifier(word) if is_word(word, "local"));
            let value = if here { None } else { setting_value(std::slice::from_ref(value))? };
            Settings::Set { name: "timezone".into(), value, local: *local }
        }
        Set::SetNames { charset_name, .. } => {
            Settings::Set { name: "client_encoding".into(), value: Some(identifier(charset_name)), local: false }
        }
        other => return Err(Error::new(Fault::FeatureNotSupported, format!("{other} is not supported"))),
    })
}

fn setting_name(name: &ObjectName) -> String {
    let parts: Vec<String> =
        name.0.iter().filter_map(|part| part.as_ident()).map(|part| part.value.to_lowercase()).collect();
    parts.join(".")
}

/// The value's text; none for DEFAULT.
fn setting_value(values: &[AstExpr]) -> Result<Option<String>> {
    if is_default(values) {
        return Ok(None);
    }
    check_list(values)?;
    let texts: Vec<String> = values.iter().map(value_text).collect::<Result<_>>()?;
    Ok(Some(texts.join(", ")))
}

/// A list of names; none for DEFAULT. A text is a name too, whatever is in it.
fn schemas(values: &[AstExpr]) -> Result<Option<String>> {
    if is_default(values) {
        return Ok(None);
    }
    check_list(values)?;
    let name = |value: &AstExpr| match value {
        AstExpr::Identifier(word) => Ok(quoted(&identifier(word))),
        AstExpr::Value(number) if matches!(number.value, Value::Number(..)) => value_text(value),
        AstExpr::UnaryOp { .. } => value_text(value),
        other => value_text(other).map(|text| quoted(&text)),
    };
    let names: Vec<String> = values.iter().map(name).collect::<Result<_>>()?;
    Ok(Some(names.join(", ")))
}

fn value_text(value: &AstExpr) -> Result<String> {
    match value {
        AstExpr::Identifier(word) => Ok(word.value.clone()),
        AstExpr::Value(value) => match &value.value {
            Value::SingleQuotedString(text) | Value::DoubleQuotedString(text) => Ok(text.clone()),
            other => Ok(other.to_string()),
        },
        AstExpr::UnaryOp { .. } => Ok(value.to_string()),
        AstExpr::CompoundIdentifier(_) => {
            let message =
                format!("a setting takes a word without points, found {value}; write a text in single quotes");
            Err(Error::new(Fault::Syntax, message))
        }
        other => Err(Error::new(
            Fault::InvalidArgument,
            format!("a setting takes a word, a number or a text in single quotes, found {other}"),
        )),
    }
}

/// Refuses DEFAULT beside other values.
fn check_list(values: &[AstExpr]) -> Result<()> {
    let default = values.iter().find_map(|value| match value {
        AstExpr::Identifier(word) if is_word(word, "default") => Some(word.span.start),
        _ => None,
    });
    match default {
        None => Ok(()),
        Some(place) => {
            Err(Error::new(Fault::Syntax, "DEFAULT stands alone; a schema of this name is \"default\"").at(place))
        }
    }
}

fn is_default(values: &[AstExpr]) -> bool {
    matches!(values, [AstExpr::Identifier(word)] if is_word(word, "default"))
}

/// Whether it is this word and no name between quotes.
fn is_word(written: &Ident, word: &str) -> bool {
    written.quote_style.is_none() && written.value.eq_ignore_ascii_case(word)
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
            Self::Set { name, value, local } => {
                client.set(name, value.as_deref(), *local)?;
                Ok(Outcome::done("SET"))
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
                Ok(Outcome::done("DISCARD ALL"))
            }
            Self::Nothing { tag } => Ok(Outcome::done(*tag)),
        }
    }

    fn reads_catalog(&self) -> bool {
        false
    }
}
