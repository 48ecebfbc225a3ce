//! `LISTEN`, `UNLISTEN` and `NOTIFY`: what sessions say to one another. It is done when the transaction commits.
//!
//! ```sql
//! NOTIFY orders, '42 was paid'
//! ```

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
    Result,
    session::{Announcement, Outcome, Running},
};

pub(super) const FORM: Form = Form { parse: Some(parse), convert: no_convert };

/// As much of a name as PostgreSQL keeps, in bytes.
const NAME_BYTES: usize = 63;

#[derive(Debug)]
enum Channels {
    Listen {
        channel: String,
    },
    /// None: all of them.
    Unlisten {
        channel: Option<String>,
    },
    Notify {
        channel: String,
        payload: String,
    },
}

fn parse(parser: &mut DFParser) -> Recognised {
    let action = if take_words(parser, &["listen"]) {
        Channels::Listen { channel: channel(parser)? }
    } else if take_words(parser, &["unlisten"]) {
        let all = parser.parser.consume_token(&Token::Mul);
        Channels::Unlisten { channel: if all { None } else { Some(channel(parser)?) } }
    } else if take_words(parser, &["notify"]) {
        let channel = channel(parser)?;
        let has_payload = parser.parser.consume_token(&Token::Comma);
        Channels::Notify { channel, payload: if has_payload { payload(parser)? } else { String::new() } }
    } else {
        return Ok(None);
    };
    Ok(Some(Arc::new(action)))
}

fn channel(parser: &mut DFParser) -> Result<String> {
    if !matches!(parser.parser.peek_token().token, Token::Word(_)) {
        return Err(expected(parser, "the name of a channel"));
    }
    let mut channel = identifier(&parser.parser.parse_identifier()?);
    channel.truncate(channel.floor_char_boundary(NAME_BYTES));
    Ok(channel)
}

fn payload(parser: &mut DFParser) -> Result<String> {
    let Token::SingleQuotedString(text) = parser.parser.peek_token().token else {
        return Err(expected(parser, "a text in quotes"));
    };
    parser.parser.next_token();
    Ok(text)
}

#[async_trait]
impl Action for Channels {
    async fn run(&self, Running { client, .. }: Running<'_>) -> Result<Outcome> {
        let (tag, announcement) = match self {
            Self::Listen { channel } => ("LISTEN", Announcement::Listen(channel.clone())),
            Self::Unlisten { channel } => ("UNLISTEN", Announcement::Unlisten(channel.clone())),
            Self::Notify { channel, payload } => ("NOTIFY", Announcement::notify(channel, payload)?),
        };
        client.announce(announcement)?;
        Ok(Outcome::done(tag))
    }

    fn reads_catalog(&self) -> bool {
        false
    }
}
