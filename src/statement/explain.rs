//! `EXPLAIN`: how a query would be run, or was, in one column with a line a row, or as one value of JSON.
//!
//! ```sql
//! EXPLAIN (ANALYZE, TIMING off) SELECT count(*) FROM orders
//! ```
//!
//! The options are PostgreSQL's. Those of what there is nothing to tell of (`SETTINGS`, `BUFFERS`, `WAL`, `SUMMARY`) are
//! checked and change nothing. The lines are the query engine's own.

use std::sync::Arc;

use arrow::{
    array::{AsArray, RecordBatch, StringArray},
    datatypes::{DataType, Field, Schema, SchemaRef},
};
use datafusion::{
    common::{
        DataFusionError,
        format::{ExplainAnalyzeCategories, ExplainFormat, ExplainStatementOptions, MetricCategory},
    },
    physical_plan::stream::RecordBatchStreamAdapter,
    sql::{
        parser::{DFParser, ExplainStatement},
        sqlparser::tokenizer::{Location, Token, Word},
    },
};
use futures::StreamExt;

use super::{
    Form, Recognised, no_convert,
    parse::{expected, rewrite, take_words},
    query::explaining,
};
use crate::{
    Error, Fault, Result,
    error::MARK,
    pgtype::{ColumnType, JSON},
    session::{Outcome, RowsTag},
};

pub(super) const FORM: Form = Form { parse: Some(parse), convert: no_convert };

/// What is measured where the time is not to be told.
const UNTIMED: [MetricCategory; 3] = [MetricCategory::Rows, MetricCategory::Bytes, MetricCategory::Uncategorized];

/// How plans are shown.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub(super) enum Drawing {
    #[default]
    Lines,
    Json,
}

/// What was asked for.
#[derive(Debug, Default)]
struct Options {
    analyze: bool,
    verbose: bool,
    drawing: Drawing,
    /// None where they were not written.
    costs: Option<bool>,
    timing: Option<bool>,
    wal: bool,
}

/// The value of an option.
enum Value {
    Number(String),
    Text(String),
}

fn parse(parser: &mut DFParser) -> Recognised {
    if !take_words(parser, &["explain"]) {
        return Ok(None);
    }
    let options = if begins_options(parser) {
        options(parser)?
    } else {
        let analyze = take_analyze(parser);
        Options { analyze, verbose: take_words(parser, &["verbose"]), ..Options::default() }
    };
    let mut statement = Box::new(parser.parse_statement()?);
    rewrite(&mut statement)?;
    let drawing = options.drawing;
    explaining(ExplainStatement { options: options.of_engine(), statement }, drawing)
}

fn take_analyze(parser: &mut DFParser) -> bool {
    take_words(parser, &["analyze"]) || take_words(parser, &["analyse"])
}

/// Whether what follows in parentheses are options and no query.
fn begins_options(parser: &DFParser) -> bool {
    let first = parser.parser.peek_nth_token(1).token;
    let begins_query = match &first {
        Token::LParen => true,
        Token::Word(Word { value, quote_style: None, .. }) => {
            ["select", "values", "with", "table"].iter().any(|word| value.eq_ignore_ascii_case(word))
        }
        _ => false,
    };
    parser.parser.peek_token().token == Token::LParen && !begins_query
}

/// Options with or without a value, to the closing parenthesis. Of those of one name the last one counts.
fn options(parser: &mut DFParser) -> Result<Options> {
    parser.parser.expect_token(&Token::LParen)?;
    let mut options = Options::default();
    loop {
        let found = parser.parser.peek_token();
        let Token::Word(word) = found.token else { return Err(expected(parser, "an option of EXPLAIN")) };
        parser.parser.next_token();
        let name = named(word);
        let value = value(parser)?;
        options.set(&name, value.as_ref(), found.span.start)?;
        if parser.parser.consume_token(&Token::RParen) {
            return options.checked();
        }
        if !parser.parser.consume_token(&Token::Comma) {
            return Err(expected(parser, ", or )"));
        }
    }
}

/// The name that a word is.
fn named(word: Word) -> String {
    if word.quote_style.is_some() { word.value } else { word.value.to_lowercase() }
}

fn value(parser: &mut DFParser) -> Result<Option<Value>> {
    let sign = [(Token::Minus, "-"), (Token::Plus, "")];
    let sign = sign.into_iter().find_map(|(token, sign)| parser.parser.consume_token(&token).then_some(sign));
    let value = match (parser.parser.peek_token().token, sign) {
        (Token::Number(digits, _), sign) => Value::Number(format!("{}{digits}", sign.unwrap_or_default())),
        (_, Some(_)) => return Err(expected(parser, "a number")),
        (Token::Word(word), None) => Value::Text(named(word)),
        (Token::SingleQuotedString(text), None) => Value::Text(text),
        _ => return Ok(None),
    };
    parser.parser.next_token();
    Ok(Some(value))
}

impl Options {
    fn set(&mut self, name: &str, value: Option<&Value>, place: Location) -> Result<()> {
        match name {
            "analyze" | "analyse" => self.analyze = boolean(name, value)?,
            "verbose" => self.verbose = boolean(name, value)?,
            "costs" => self.costs = Some(boolean(name, value)?),
            "timing" => self.timing = Some(boolean(name, value)?),
            "wal" => self.wal = boolean(name, value)?,
            "buffers" | "settings" | "summary" => {
                boolean(name, value)?;
            }
            "format" => self.drawing = drawing(value).map_err(|error| error.at(place))?,
            _ => {
                let message = format!("unrecognized EXPLAIN option \"{name}\"");
                return Err(Error::new(Fault::Syntax, message).at(place));
            }
        }
        Ok(())
    }

    /// Refuses what is told of a query that runs, where none does.
    fn checked(self) -> Result<Self> {
        let needs = [("WAL", self.wal), ("TIMING", self.timing == Some(true))];
        match needs.into_iter().find(|(_, is_asked)| *is_asked && !self.analyze) {
            Some((name, _)) => {
                Err(Error::new(Fault::InvalidArgument, format!("EXPLAIN option {name} requires ANALYZE")))
            }
            None => Ok(self),
        }
    }

    /// The same to the query engine, which knows more about plans in lines than in JSON.
    fn of_engine(&self) -> ExplainStatementOptions {
        let lines = self.drawing == Drawing::Lines;
        let untimed = self.analyze && self.timing == Some(false);
        ExplainStatementOptions {
            analyze: self.analyze,
            verbose: self.verbose && lines,
            format: (!lines).then_some(ExplainFormat::PostgresJSON),
            analyze_level: None,
            analyze_categories: untimed.then(|| ExplainAnalyzeCategories::Only(UNTIMED.to_vec())),
            show_statistics: self.costs.filter(|_| lines && !self.analyze),
        }
    }
}

fn boolean(name: &str, value: Option<&Value>) -> Result<bool> {
    let is = |text: &String, words: [&str; 2]| words.iter().any(|word| text.eq_ignore_ascii_case(word));
    match value {
        None => Ok(true),
        Some(Value::Number(digits)) if digits == "1" => Ok(true),
        Some(Value::Number(digits)) if digits == "0" => Ok(false),
        Some(Value::Text(text)) if is(text, ["true", "on"]) => Ok(true),
        Some(Value::Text(text)) if is(text, ["false", "off"]) => Ok(false),
        Some(_) => Err(Error::new(Fault::Syntax, format!("{name} requires a Boolean value"))),
    }
}

fn drawing(value: Option<&Value>) -> Result<Drawing> {
    let (Value::Number(format) | Value::Text(format)) =
        value.ok_or_else(|| Error::new(Fault::Syntax, "format requires a parameter"))?;
    match format.as_str() {
        "text" => Ok(Drawing::Lines),
        "json" => Ok(Drawing::Json),
        "xml" | "yaml" => {
            let message = format!("EXPLAIN shows no plans as {}; FORMAT is TEXT or JSON", format.to_uppercase());
            Err(Error::new(Fault::FeatureNotSupported, message))
        }
        _ => {
            let message = format!("unrecognized value for EXPLAIN option \"format\": \"{format}\"");
            Err(Error::new(Fault::InvalidArgument, message))
        }
    }
}

impl Drawing {
    /// The one column of what is shown.
    pub(super) fn columns(self) -> SchemaRef {
        let field = Field::new("QUERY PLAN", DataType::Utf8, false);
        Arc::new(Schema::new(vec![match self {
            Self::Lines => field,
            Self::Json => field.with_metadata(ColumnType::plain(&JSON).metadata()),
        }]))
    }

    /// The plans that the query engine tells of, as they are shown.
    pub(super) fn shown(self, outcome: Outcome) -> Outcome {
        match outcome {
            Outcome::Rows { stream, binary, .. } => {
                let columns = self.columns();
                let schema = Arc::clone(&columns);
                let drawn = stream.map(move |batch| self.drawn(&batch?, &columns));
                let stream = Box::pin(RecordBatchStreamAdapter::new(schema, drawn));
                Outcome::Rows { stream, tag: RowsTag::Plain("EXPLAIN"), binary }
            }
            other => other,
        }
    }

    /// Rows of a kind of plan and its drawing, whose texts hold the marks of names.
    fn drawn(self, batch: &RecordBatch, columns: &SchemaRef) -> std::result::Result<RecordBatch, DataFusionError> {
        let texts = |column: usize| batch.columns().get(column).and_then(|texts| texts.as_string_opt::<i32>());
        let (Some(kinds), Some(plans)) = (texts(0), texts(1)) else {
            return Err(Error::new(Fault::Internal, "a plan was told of in other columns than are known").into());
        };
        let mut rows: Vec<String> = Vec::new();
        for (kind, plan) in kinds.iter().zip(plans.iter()) {
            let (kind, plan) = (kind.unwrap_or_default(), plan.unwrap_or_default().replace(MARK, ""));
            match self {
                Self::Lines => {
                    rows.push(kind.to_owned());
                    rows.extend(plan.lines().map(|line| format!("  {line}")));
                }
                Self::Json => rows.push(plan),
            }
        }
        Ok(RecordBatch::try_new(Arc::clone(columns), vec![Arc::new(StringArray::from(rows))])?)
    }
}
