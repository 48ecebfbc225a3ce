//! Statements as others are shown them, and as they are kept with what they made: without the secrets in them.
//!
//! A secret is a text or a number that stands behind a word that says so: `secret_access_key 'x'`, `password = 'x'`,
//! `token => 'x'`, `set_config('app.secret', 'x', false)`, what an address has before its `@`, and what follows `password=` and
//! the like within a text.

use std::{iter::Peekable, str::CharIndices, sync::Arc};

use datafusion::sql::sqlparser::tokenizer::{Location, Token, TokenWithSpan, Tokenizer};

use super::PostgreSql;

/// Parts of names that secrets have; what they begin with is in [`begins_secret`].
const SECRETS: &[&str] = &[
    "access_key",
    "account_key",
    "api_key",
    "apikey",
    "credential",
    "passphrase",
    "passwd",
    "password",
    "private_key",
    "secret",
    "signature",
    "token",
];

/// What stands in the place of a secret.
const MASK: &str = "***";

/// What is read of a long statement to show how it begins: more than is shown, so that a secret's end is there.
const BEGINNING_BYTES: usize = 16 << 10;

/// The text without its secrets.
pub(super) fn masked(text: &Arc<str>) -> Arc<str> {
    let has_login = || text.contains("://") && text.contains('@');
    if !is_suspicious(text) && !has_login() {
        return Arc::clone(text);
    }
    match Tokenizer::new(&PostgreSql, text).tokenize_with_location() {
        Ok(tokens) => without_secrets(text, &tokens).into(),
        // It is no statement, and nobody knows what is in it.
        Err(_) => MASK.into(),
    }
}

/// The beginning of the text without its secrets, which is all that others are shown of a long one: it is not read to its end.
pub(super) fn masked_beginning(text: &Arc<str>) -> Arc<str> {
    if text.len() <= BEGINNING_BYTES {
        return masked(text);
    }
    let beginning = &text[..text.floor_char_boundary(BEGINNING_BYTES)];
    if !is_suspicious(beginning) && !beginning.contains("://") {
        return Arc::from(beginning);
    }
    let mut tokens = Vec::new();
    // The last token may go on, and what breaks off is none.
    let _ = Tokenizer::new(&PostgreSql, beginning).tokenize_with_location_into_buf(&mut tokens);
    tokens.pop();
    let Some(last) = tokens.last() else { return MASK.into() };
    let end = Places::new(beginning).byte(last.span.end);
    without_secrets(&beginning[..end], &tokens).into()
}

/// Whether something is called as secrets are.
fn is_suspicious(text: &str) -> bool {
    let bytes = text.as_bytes();
    let begins = |rest: &[u8], word: &str| {
        rest.get(..word.len()).is_some_and(|start| start.eq_ignore_ascii_case(word.as_bytes()))
    };
    let mut places = (0..bytes.len()).filter(|at| begins_secret(bytes[*at]));
    places.any(|at| SECRETS.iter().any(|word| begins(&bytes[at..], word)))
}

fn begins_secret(byte: u8) -> bool {
    matches!(byte.to_ascii_lowercase(), b'a' | b'c' | b'p' | b's' | b't')
}

/// What was read last that tells something of what follows.
#[derive(Clone, Copy, PartialEq)]
enum Before {
    Anything,
    /// The name of a secret, as a word or as a text.
    Name {
        is_text: bool,
    },
    /// The same and a sign behind it: whatever follows is the value.
    Sign,
    /// A secret: a text behind it is the rest of it.
    Secret,
}

fn without_secrets(text: &str, tokens: &[TokenWithSpan]) -> String {
    let mut places = Places::new(text);
    let (mut shown, mut from) = (String::new(), 0);
    let mut before = Before::Anything;
    for TokenWithSpan { token, span } in tokens {
        if matches!(token, Token::Whitespace(_)) {
            continue;
        }
        let (start, end) = (places.byte(span.start), places.byte(span.end));
        let written = text.get(start..end).unwrap_or_default();
        let (instead, next) = read(token, written, before);
        before = next;
        if let Some(instead) = instead {
            shown.push_str(text.get(from..start).unwrap_or_default());
            shown.push_str(&instead);
            from = end;
        }
    }
    shown.push_str(text.get(from..).unwrap_or_default());
    shown
}

/// What is shown instead of a token, where it is not shown, and what it tells of what follows.
fn read(token: &Token, written: &str, before: Before) -> (Option<String>, Before) {
    let named = matches!(before, Before::Name { .. } | Before::Sign);
    let is_value = named || before == Before::Secret;
    match token {
        Token::Eq | Token::RArrow | Token::Assignment | Token::Colon if named => (None, Before::Sign),
        Token::Comma if before == (Before::Name { is_text: true }) => (None, Before::Sign),
        Token::LParen | Token::LBracket if before == Before::Sign => (None, Before::Sign),
        Token::StringConcat if before == Before::Secret => (None, Before::Sign),
        // `my.secret.name`
        Token::Period if named => (None, before),
        // `U&'…'` is three tokens, of which the last one is the value.
        Token::Word(word) if is_value && word.quote_style.is_none() && word.value.eq_ignore_ascii_case("u") => {
            ((before == Before::Sign).then(|| MASK.to_owned()), Before::Secret)
        }
        Token::Ampersand if is_value => (None, Before::Secret),
        Token::Word(_) if before == Before::Sign => (Some(MASK.to_owned()), Before::Anything),
        Token::Word(word) if named && word.value.eq_ignore_ascii_case("to") => (None, Before::Sign),
        Token::Word(word) if is_suspicious(&word.value) => (None, Before::Name { is_text: false }),
        token => match literal(token) {
            Some(_) if is_value => (Some(format!("'{MASK}'")), Before::Secret),
            Some(text) => {
                let is_name =
                    is_suspicious(text) && !text.contains(|letter: char| letter.is_whitespace() || letter == '=');
                let next = if is_name { Before::Name { is_text: true } } else { Before::Anything };
                (without_told(written), next)
            }
            None => (None, Before::Anything),
        },
    }
}

/// The bytes of places in a text, each behind the one before.
struct Places<'a> {
    letters: Peekable<CharIndices<'a>>,
    at: (u64, u64),
    end: usize,
}

impl<'a> Places<'a> {
    fn new(text: &'a str) -> Self {
        Self { letters: text.char_indices().peekable(), at: (1, 1), end: text.len() }
    }

    fn byte(&mut self, place: Location) -> usize {
        while self.at < (place.line, place.column) {
            match self.letters.next() {
                Some((_, '\n')) => self.at = (self.at.0 + 1, 1),
                Some(_) => self.at.1 += 1,
                None => return self.end,
            }
        }
        self.letters.peek().map_or(self.end, |(byte, _)| *byte)
    }
}

/// The text of a literal.
fn literal(token: &Token) -> Option<&str> {
    match token {
        Token::SingleQuotedString(text)
        | Token::EscapedStringLiteral(text)
        | Token::UnicodeStringLiteral(text)
        | Token::NationalStringLiteral(text)
        | Token::HexStringLiteral(text)
        | Token::SingleQuotedByteStringLiteral(text) => Some(text),
        Token::Number(text, _) => Some(text),
        Token::DollarQuotedString(text) => Some(&text.value),
        _ => None,
    }
}

/// A literal without the secrets that its text tells; none where it tells none.
fn without_told(written: &str) -> Option<String> {
    let outside = without_login(written);
    let within = without_values(outside.as_deref().unwrap_or(written));
    within.or(outside)
}

/// `host=a password=x`, `https://host/a?token=x` without the values of such names. They end with a blank, in an address with
/// `&` too; one between quotes of its own, with the text.
fn without_values(written: &str) -> Option<String> {
    let (mut rest, close) = written.split_at(written.len() - closing_bytes(written));
    let is_address = rest.contains("://");
    let is_of_name = |letter: char| letter.is_alphanumeric() || matches!(letter, '_' | '-' | '.');
    let is_end = |letter: char| letter.is_whitespace() || is_address && letter == '&';
    let (mut shown, mut is_masked) = (String::new(), false);
    while let Some((before, behind)) = rest.split_once('=') {
        shown.push_str(before);
        shown.push('=');
        rest = behind;
        let name = before.trim_end().rsplit(|letter: char| !is_of_name(letter)).next().unwrap_or_default();
        let value = behind.trim_start();
        if !is_suspicious(name) || value.is_empty() {
            continue;
        }
        is_masked = true;
        shown.push_str(MASK);
        let is_quoted = value.starts_with(['\'', '"', '\\']);
        rest = value.find(is_end).filter(|_| !is_quoted).map_or("", |end| &value[end..]);
    }
    shown.push_str(rest);
    shown.push_str(close);
    is_masked.then_some(shown)
}

/// How long the sign is that ends a literal: `'`, `$$`, `$tag$`.
fn closing_bytes(written: &str) -> usize {
    let Some(within) = written.strip_suffix(['\'', '$']) else { return 0 };
    match within.rfind('$').filter(|_| written.ends_with('$')) {
        Some(start) => written.len() - start,
        None => 1,
    }
}

/// `https://ann:x@host` without who logs in; none where nobody does.
fn without_login(written: &str) -> Option<String> {
    let (scheme, rest) = written.split_once("://")?;
    let authority = rest.split(['/', '\'', '?']).next().unwrap_or(rest);
    let at = authority.rfind('@').filter(|at| authority[..*at].contains(':'))?;
    Some(format!("{scheme}://{MASK}{}", &rest[at..]))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn shown(text: &str) -> String {
        masked(&Arc::from(text)).to_string()
    }

    #[test]
    fn secrets_are_not_shown() {
        for (written, expected) in [
            (
                "CREATE SECRET s (TYPE s3, SECRET 'x y', KEY_ID 'a')",
                "CREATE SECRET s (TYPE s3, SECRET '***', KEY_ID 'a')",
            ),
            (
                "CREATE EXTERNAL TABLE t LOCATION 's3://b/x' OPTIONS ('aws.secret_access_key' 'it''s', 'region' 'eu')",
                "CREATE EXTERNAL TABLE t LOCATION 's3://b/x' OPTIONS ('aws.secret_access_key' '***', 'region' 'eu')",
            ),
            (
                "SELECT * FROM read_csv('a', session_token => $$x$$)",
                "SELECT * FROM read_csv('a', session_token => '***')",
            ),
            ("ALTER ROLE ann PASSWORD 'x'", "ALTER ROLE ann PASSWORD '***'"),
            ("ALTER ROLE ann ENCRYPTED PASSWORD E'\\x41'", "ALTER ROLE ann ENCRYPTED PASSWORD '***'"),
            ("ALTER ROLE ann PASSWORD U&'x'", "ALTER ROLE ann PASSWORD U&'***'"),
            ("SELECT f(password => U&'x', a => U&'y')", "SELECT f(password => ***&'***', a => U&'y')"),
            ("SET my.password TO x", "SET my.password TO ***"),
            ("SELECT 'ä',\n 'ö' AS secret, secret => 'x'", "SELECT 'ä',\n 'ö' AS secret, secret => '***'"),
            ("SET app.token = 42", "SET app.token = '***'"),
            ("SELECT set_config('app.Secret', 'x', false), 'y'", "SELECT set_config('app.Secret', '***', false), 'y'"),
            ("COPY t TO 's3://ann:x@host/a' OPTIONS (a 1)", "COPY t TO 's3://***@host/a' OPTIONS (a 1)"),
            ("SELECT f(password => ('x'), a => 'y')", "SELECT f(password => ('***'), a => 'y')"),
            ("SELECT f(password => 'x' || 'y', 'z')", "SELECT f(password => '***' || '***', 'z')"),
            ("SELECT set_config('a.token', 'x'\n 'y', true)", "SELECT set_config('a.token', '***'\n '***', true)"),
            (
                "SELECT * FROM 'https://host/a?X-Amz-Signature=x&b=c', 'd'",
                "SELECT * FROM 'https://host/a?X-Amz-Signature=***&b=c', 'd'",
            ),
            ("SELECT 'host=a password = x user=b', 'c'", "SELECT 'host=a password =*** user=b', 'c'"),
            ("SELECT 'password=''x y'' a=b', 'c'", "SELECT 'password=***', 'c'"),
            ("SELECT $$user=a password=x$$, 'c'", "SELECT $$user=a password=***$$, 'c'"),
        ] {
            assert_eq!(shown(written), expected);
        }
        assert_eq!(shown("SELECT 'the secret"), "***", "what cannot be read is not shown");
    }

    #[test]
    fn a_long_statement_is_shown_as_it_begins() {
        let begins = |text: &str| masked_beginning(&Arc::from(text)).to_string();
        assert_eq!(begins("SET app.token = 42"), "SET app.token = '***'");
        let values = "1234567, ".repeat(BEGINNING_BYTES);
        let shown = begins(&format!("SELECT token = 'x' FROM t WHERE a IN ({values}1)"));
        assert!(shown.contains(" token = '***' FROM t WHERE a IN (1234567, 1234567,"), "{shown}");
        assert!(shown.len() <= BEGINNING_BYTES);
        let shown = begins(&format!("SELECT 1 IN ({values}1)"));
        assert_eq!(shown.len(), BEGINNING_BYTES);
        // What breaks off may be a secret, or have one.
        let long = "x".repeat(BEGINNING_BYTES);
        assert_eq!(begins(&format!("SET app.token = '{long}'")), "SET app.token =");
        assert_eq!(begins(&format!("SELECT 's3://ann:{long}@host/'")), "SELECT");
        assert_eq!(begins(&format!("'token {long}'")), MASK);
        assert_eq!(begins(&format!("token{long}")), MASK);
        let wide = format!("SELECT 'secret', 'a{}'", "ä".repeat(BEGINNING_BYTES));
        assert_eq!(begins(&wide), "SELECT 'secret',");
    }

    #[test]
    fn the_rest_is_as_it_was_written() {
        for text in [
            "SELECT token, 'x', 'it''s a secret' FROM \"T\" -- password",
            "SELECT 1",
            "CREATE TABLE users (name text, password text, age int)",
            "SELECT 'mail@host', 'https://host/a@b:c' FROM t WHERE a = E'\\n'",
            "SELECT 'password=', 'a=b', 'token' || 'x = y'",
        ] {
            assert_eq!(shown(text), text);
        }
    }
}
