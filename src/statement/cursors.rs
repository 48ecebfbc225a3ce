//! `DECLARE`, `FETCH`, `MOVE`, `CLOSE`: portals of the session by their names, those of the protocol too.
//!
//! ```sql
//! BEGIN;
//! DECLARE newest SCROLL CURSOR FOR SELECT * FROM orders ORDER BY ordered_at DESC;
//! FETCH 10 FROM newest;
//! MOVE LAST FROM newest;
//! CLOSE newest;
//! COMMIT;
//! ```
//!
//! They are parsed here, because the parser of the query engine knows neither ASENSITIVE nor what `FETCH c` is.

use std::sync::Arc;

use arrow::datatypes::{DataType, SchemaRef};
use async_trait::async_trait;
use datafusion::sql::{
    parser::{DFParser, Statement as SqlStatement},
    sqlparser::{ast::Statement as Ast, tokenizer::Token},
};

use super::{
    Action, Form, Recognised,
    names::identifier,
    no_convert,
    parse::{convert, expected, rewrite, take_words},
};
use crate::{
    Error, Fault, Result,
    session::{Analysis, Client, Direction, Outcome, PortalOptions, Running, Scope, Scroll},
};

pub(super) const FORM: Form = Form { parse: Some(parse), convert: no_convert };

#[derive(Debug)]
enum Cursor {
    Declare {
        name: String,
        options: PortalOptions,
        query: Arc<dyn Action>,
    },
    Fetch {
        name: String,
        direction: Direction,
    },
    Move {
        name: String,
        direction: Direction,
    },
    /// Without a name, all of them.
    Close {
        name: Option<String>,
    },
}

fn parse(parser: &mut DFParser) -> Recognised {
    let action = if take_words(parser, &["declare"]) {
        declare(parser)?
    } else if take_words(parser, &["fetch"]) {
        let direction = direction(parser)?;
        Cursor::Fetch { name: name(parser)?, direction }
    } else if take_words(parser, &["move"]) {
        let direction = direction(parser)?;
        Cursor::Move { name: name(parser)?, direction }
    } else if take_words(parser, &["close", "all"]) {
        Cursor::Close { name: None }
    } else if take_words(parser, &["close"]) {
        Cursor::Close { name: Some(name(parser)?) }
    } else {
        return Ok(None);
    };
    Ok(Some(Arc::new(action)))
}

/// What is written before CURSOR.
#[derive(Default)]
struct Written {
    scroll: bool,
    no_scroll: bool,
    binary: bool,
    insensitive: bool,
    asensitive: bool,
}

fn declare(parser: &mut DFParser) -> Result<Cursor> {
    let name = name(parser)?;
    let written = written(parser);
    if !take_words(parser, &["cursor"]) {
        return Err(expected(parser, "CURSOR"));
    }
    let hold = take_words(parser, &["with", "hold"]);
    if !hold {
        take_words(parser, &["without", "hold"]);
    }
    if !take_words(parser, &["for"]) {
        return Err(expected(parser, "FOR and a query"));
    }
    let no_query = expected(parser, "a query");
    let mut parsed = parser.parse_statement()?;
    if !matches!(&parsed, SqlStatement::Statement(inner) if matches!(inner.as_ref(), Ast::Query(_))) {
        return Err(no_query);
    }
    rewrite(&mut parsed)?;
    Ok(Cursor::Declare { name, options: written.options(hold)?, query: convert(parsed)? })
}

/// The words before CURSOR, in any order.
fn written(parser: &mut DFParser) -> Written {
    let mut written = Written::default();
    loop {
        let word = if take_words(parser, &["no", "scroll"]) {
            &mut written.no_scroll
        } else if take_words(parser, &["scroll"]) {
            &mut written.scroll
        } else if take_words(parser, &["binary"]) {
            &mut written.binary
        } else if take_words(parser, &["insensitive"]) {
            &mut written.insensitive
        } else if take_words(parser, &["asensitive"]) {
            &mut written.asensitive
        } else {
            return written;
        };
        *word = true;
    }
}

impl Written {
    /// Every cursor reads what there was when it was declared: all are insensitive.
    fn options(&self, hold: bool) -> Result<PortalOptions> {
        let both = |words: &str| Error::new(Fault::InvalidCursorDefinition, format!("cannot specify both {words}"));
        if self.insensitive && self.asensitive {
            return Err(both("ASENSITIVE and INSENSITIVE"));
        }
        let scroll = match (self.scroll, self.no_scroll) {
            (true, true) => return Err(both("SCROLL and NO SCROLL")),
            (true, false) => Scroll::Yes,
            (false, true) => Scroll::No,
            (false, false) => Scroll::Unsaid,
        };
        Ok(PortalOptions { scroll, hold, binary: self.binary })
    }
}

/// Where FETCH and MOVE go, up to the name of the cursor.
fn direction(parser: &mut DFParser) -> Result<Direction> {
    // A word by itself is a cursor's name, although it may be a direction's too.
    let alone = parser.parser.peek_nth_token(1).token == Token::EOF;
    let direction = if alone || take_words(parser, &["next"]) {
        Direction::By(1)
    } else if take_words(parser, &["prior"]) {
        Direction::By(-1)
    } else if take_words(parser, &["first"]) {
        Direction::Absolute(1)
    } else if take_words(parser, &["last"]) {
        Direction::Absolute(-1)
    } else if take_words(parser, &["absolute"]) {
        Direction::Absolute(some_count(parser)?)
    } else if take_words(parser, &["relative"]) {
        Direction::Relative(some_count(parser)?)
    } else if take_words(parser, &["all"]) || take_words(parser, &["forward", "all"]) {
        Direction::Forward
    } else if take_words(parser, &["backward", "all"]) {
        Direction::Backward
    } else if take_words(parser, &["backward"]) {
        Direction::By(-count(parser)?.unwrap_or(1))
    } else {
        take_words(parser, &["forward"]);
        Direction::By(count(parser)?.unwrap_or(1))
    };
    let _ = take_words(parser, &["from"]) || take_words(parser, &["in"]);
    Ok(direction)
}

/// A number of rows with or without a sign, if there is one.
fn count(parser: &mut DFParser) -> Result<Option<i64>> {
    let (sign, place) = match parser.parser.peek_token().token {
        Token::Minus => (-1, 1),
        Token::Plus => (1, 1),
        _ => (1, 0),
    };
    let Token::Number(digits, _) = parser.parser.peek_nth_token(place).token else { return Ok(None) };
    let Ok(number) = digits.parse::<i32>() else { return Err(expected(parser, "a whole number below 2147483648")) };
    for _ in 0..=place {
        parser.parser.next_token();
    }
    Ok(Some(sign * i64::from(number)))
}

fn some_count(parser: &mut DFParser) -> Result<i64> {
    match count(parser)? {
        Some(number) => Ok(number),
        None => Err(expected(parser, "a number")),
    }
}

fn name(parser: &mut DFParser) -> Result<String> {
    let place = parser.parser.peek_token().span.start;
    let name = identifier(&parser.parser.parse_identifier()?);
    if name.is_empty() {
        return Err(Error::syntax("a name between quotes has at least one character".to_owned(), None, Some(place)));
    }
    Ok(name)
}

#[async_trait]
impl Action for Cursor {
    async fn analyze(&self, client: &Client, scope: &Arc<Scope>, types: &[Option<DataType>]) -> Result<Analysis> {
        match self {
            Self::Declare { query, .. } => query.analyze(client, scope, types).await,
            // One that is not there yet may be when this runs.
            Self::Fetch { name, .. } => {
                let columns = client.portal(name, "cursor").ok().and_then(|portal| portal.columns().cloned());
                Ok(Analysis { columns, ..Analysis::default() })
            }
            Self::Move { .. } | Self::Close { .. } => Ok(Analysis::default()),
        }
    }

    fn columns(&self, analysis: &Analysis) -> Option<SchemaRef> {
        if let Self::Fetch { .. } = self { analysis.columns.clone() } else { None }
    }

    async fn run(&self, running: Running<'_>) -> Result<Outcome> {
        let Running { client, scope, .. } = running;
        match self {
            Self::Declare { name, options, query } => {
                client.declare(name, query, *options, running).await?;
                Ok(Outcome::done("DECLARE CURSOR"))
            }
            Self::Fetch { name, direction } => client.fetch(scope, name, *direction).await,
            Self::Move { name, direction } => {
                let passed = client.go(scope, name, *direction).await?;
                Ok(Outcome::done(format!("MOVE {passed}")))
            }
            Self::Close { name: Some(name) } => {
                client.close_cursor(name)?;
                Ok(Outcome::done("CLOSE CURSOR"))
            }
            Self::Close { name: None } => {
                client.close_portals();
                Ok(Outcome::done("CLOSE CURSOR ALL"))
            }
        }
    }

    fn reads_catalog(&self) -> bool {
        matches!(self, Self::Declare { .. } | Self::Close { .. })
    }
}
