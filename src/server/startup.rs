//! The first packets of a connection: encryption refused, version agreed on, the client named.
//!
//! Until a client has said who it is, it gets little memory and little time.

use bytes::{Buf, BytesMut};
use pgwire::messages::cancel::CancelRequest;
use pgwire::messages::response::{GssEncResponse, SslResponse};
use pgwire::messages::startup::{GssEncRequest, NegotiateProtocolVersion, SslRequest, Startup};

use super::failure::{Failure, write};
use super::frontend::startup_pairs;
use super::wire::Wire;
use crate::engine::DATABASES;
use crate::error::ConnectionFault;
use crate::{Engine, Error, Fault, Result, Session};

/// Who a client is and what it asked for.
#[derive(Debug)]
pub(super) struct Client {
    pub(super) user: String,
    /// Settings in the client's order.
    pub(super) settings: Vec<(String, String)>,
    /// Whether the cancel key may be longer than four bytes (protocol 3.2).
    pub(super) long_cancel_key: bool,
}

/// Reads up to the startup packet. None where there is nobody to serve: the client left, or only wanted to cancel.
pub(super) async fn greet(wire: &mut Wire, engine: &Engine) -> Result<Option<Client>, Failure> {
    let (mut asked_ssl, mut asked_gss) = (false, false);
    loop {
        let Some(mut packet) = wire.startup_packet().await? else { return Ok(None) };
        let code = packet.get_i32();
        match code {
            SslRequest::BODY_MAGIC_NUMBER if !asked_ssl => {
                asked_ssl = true;
                refuse_behind(wire, "SSLRequest")?;
                write(&mut wire.outbound, &SslResponse::Refuse);
                wire.flush().await?;
            }
            GssEncRequest::BODY_MAGIC_NUMBER if !asked_gss => {
                asked_gss = true;
                refuse_behind(wire, "GSSENCRequest")?;
                write(&mut wire.outbound, &GssEncResponse::Refuse);
                wire.flush().await?;
            }
            _ if is_cancel(code) => {
                cancel(&packet, engine);
                return Ok(None);
            }
            _ => return start(wire, code, packet).map(Some),
        }
    }
}

/// Applies what the client asked for to its session.
pub(super) fn apply(session: &Session, settings: &[(String, String)]) -> Result<()> {
    for (name, value) in settings {
        let value = if name.eq_ignore_ascii_case("client_encoding") { encoding(value)? } else { value };
        session.set(name, value)?;
    }
    Ok(())
}

fn is_cancel(code: i32) -> bool {
    let mut packet = [0; 8];
    packet[4..].copy_from_slice(&code.to_be_bytes());
    CancelRequest::is_cancel_request_packet(&packet)
}

// Process and key; what does not fit is ignored, so that nothing can be learnt by trying.
fn cancel(packet: &[u8], engine: &Engine) {
    if let Some((process, key)) = packet.split_first_chunk::<4>() {
        engine.cancel(i32::from_be_bytes(*process), key);
    }
}

// Whatever came before our answer was sent in the clear by somebody who did not wait, perhaps not by the client at all.
fn refuse_behind(wire: &Wire, request: &str) -> Result<(), Failure> {
    if wire.has_unread() {
        let message = format!("unencrypted data behind a {request}; the client must wait for the answer");
        return Err(Failure::fatal(Fault::ProtocolViolation, message));
    }
    Ok(())
}

fn start(wire: &mut Wire, code: i32, packet: BytesMut) -> Result<Client, Failure> {
    let (major, minor) = (code >> 16, code & 0xffff);
    if major != i32::from(Startup::PG_PROTOCOL_LATEST) {
        let message = format!("protocol version {major}.{minor} is not supported; 3.0 and 3.2 are");
        return Err(Failure::fatal(Fault::FeatureNotSupported, message));
    }
    let pairs = startup_pairs(packet).map_err(Failure::into_fatal)?;
    let (options, pairs): (Vec<_>, Vec<_>) = pairs.into_iter().partition(|(name, _)| name.starts_with("_pq_."));
    // 3.1 was never given out; 3.2 is the newest.
    let agreed = if code >= Startup::PROTOCOL_VERSION_3_2 {
        Startup::PROTOCOL_VERSION_3_2
    } else {
        Startup::PROTOCOL_VERSION_3_0
    };
    if agreed != code || !options.is_empty() {
        let unknown = options.into_iter().map(|(name, _)| name).collect();
        write(&mut wire.outbound, &NegotiateProtocolVersion::new(agreed, unknown));
    }
    client(pairs, agreed == Startup::PROTOCOL_VERSION_3_2)
}

fn client(pairs: Vec<(String, String)>, long_cancel_key: bool) -> Result<Client, Failure> {
    let (mut user, mut database, mut settings) = (String::new(), String::new(), Vec::new());
    for (name, value) in pairs {
        match name.as_str() {
            "user" => user = value,
            "database" => database = value,
            "options" => settings.extend(options(&value)?),
            "replication" => {
                if !["false", "off", "no", "0"].contains(&value.to_ascii_lowercase().as_str()) {
                    return Err(Failure::fatal(Fault::FeatureNotSupported, "replication is not supported"));
                }
            }
            _ => settings.push((name, value)),
        }
    }
    if user.is_empty() {
        let message = "the startup packet names no user";
        return Err(Failure::fatal_protocol(ConnectionFault::InvalidAuthorization, message));
    }
    if !database.is_empty() && database != user && !DATABASES.contains(&database.as_str()) {
        let message = format!("database \"{database}\" does not exist; connect to \"{}\"", DATABASES[0]);
        return Err(Failure::fatal(Fault::UndefinedDatabase, message));
    }
    Ok(Client { user, settings, long_cancel_key })
}

// `-c name=value` and `--name=value`, a backslash keeping the next character.
fn options(text: &str) -> Result<Vec<(String, String)>, Failure> {
    let mut words = vec![String::new()];
    let mut characters = text.chars();
    while let Some(character) = characters.next() {
        match character {
            '\\' => words.last_mut().into_iter().for_each(|word| word.extend(characters.next())),
            space if space.is_ascii_whitespace() => words.push(String::new()),
            other => words.last_mut().into_iter().for_each(|word| word.push(other)),
        }
    }
    let mut words = words.into_iter().filter(|word| !word.is_empty());
    let mut settings = Vec::new();
    while let Some(word) = words.next() {
        let setting = match word.as_str() {
            "-c" => words.next().unwrap_or_default(),
            other => other.strip_prefix("--").or_else(|| other.strip_prefix("-c")).unwrap_or_default().to_owned(),
        };
        let Some((name, value)) = setting.split_once('=') else {
            let message = format!("option \"{word}\" of the startup packet is not of the form -c name=value");
            return Err(Failure::fatal(Fault::InvalidArgument, message));
        };
        settings.push((name.replace('-', "_"), value.to_owned()));
    }
    Ok(settings)
}

// The encoding under the name that clients know it by; they spell it in many ways.
fn encoding(value: &str) -> Result<&'static str> {
    let name: String = value.chars().filter(char::is_ascii_alphanumeric).collect::<String>().to_ascii_lowercase();
    match name.as_str() {
        "utf8" | "unicode" => Ok("UTF8"),
        "sqlascii" => Ok("SQL_ASCII"),
        _ => {
            let message = format!("client_encoding \"{value}\" is not supported; use UTF8");
            Err(Error::new(Fault::InvalidArgument, message))
        }
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;

    fn pairs(pairs: &[(&str, &str)]) -> Vec<(String, String)> {
        pairs.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned())).collect()
    }

    fn code(given: &[(&str, &str)]) -> &'static str {
        match client(pairs(given), false) {
            Err(Failure::Fatal(report)) => report.code,
            other => panic!("{other:?}"),
        }
    }

    #[test]
    fn the_database_has_few_names() {
        for database in ["fusewire", "postgres", "ada", ""] {
            assert_eq!(client(pairs(&[("user", "ada"), ("database", database)]), false).unwrap().user, "ada");
        }
        assert_eq!(code(&[("user", "ada"), ("database", "shop")]), "3D000");
        assert_eq!(code(&[("database", "fusewire")]), "28000");
        assert_eq!(code(&[("user", "ada"), ("replication", "database")]), "0A000");
    }

    #[test]
    fn options_are_settings() {
        let expected = pairs(&[("statement_timeout", "5s"), ("search_path", "a b"), ("date_style", "ISO")]);
        assert_eq!(options(r"-c statement_timeout=5s -csearch_path=a\ b --date-style=ISO").unwrap(), expected);
        assert!(options("-x").is_err());
    }

    #[test]
    fn only_utf8_is_spoken() {
        for name in ["UTF8", "'utf-8'", "unicode"] {
            assert_eq!(encoding(name).unwrap(), "UTF8");
        }
        assert!(encoding("LATIN1").is_err());
    }
}
