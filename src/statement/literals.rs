//! Texts in quotes that the parser reads otherwise than PostgreSQL, or not at all: `U&'\00e9'` with its escape character, whose
//! parts are tokens of their own here, and `N'…'`, which is a text of the type `bpchar`, as `national character` and `nchar` are
//! words for `character`. `B'101'` and `X'1F'` are values of types that there are not.
//! A number ends where something else begins: `1a` is neither a number nor one with its alias.

use datafusion::sql::sqlparser::{
    keywords::Keyword,
    tokenizer::{Token, TokenWithSpan, Whitespace, Word},
};

use super::clauses::solid_after;
use crate::{Error, Fault, Result, functions::unescaped, pgtype::BPCHAR, session::keyword};

/// The tokens with plain texts and names for those with escapes.
pub(super) fn as_plain(tokens: Vec<TokenWithSpan>) -> Result<Vec<TokenWithSpan>> {
    check_ends(&tokens)?;
    if !tokens.iter().any(is_other) {
        return Ok(tokens);
    }
    let mut written = Vec::with_capacity(tokens.len());
    let mut at = 0;
    while let Some(token) = tokens.get(at) {
        let (plain, length) = match &token.token {
            Token::NationalStringLiteral(text) => {
                written.push(TokenWithSpan::new(Token::make_word(BPCHAR.name, None), token.span));
                (Token::SingleQuotedString(text.clone()), 1)
            }
            word if is_national(&tokens, at, keyword(word)) => match keyword(word) {
                Keyword::NCHAR => (Token::make_keyword("CHARACTER"), 1),
                _ => (Token::Whitespace(Whitespace::Space), 1),
            },
            Token::HexStringLiteral(_) | Token::SingleQuotedByteStringLiteral(_) => {
                let message = "bit strings are not supported; bytes are written as '\\x1F'::bytea";
                return Err(Error::new(Fault::FeatureNotSupported, message).at(token.span.start));
            }
            _ => match with_escapes(&tokens, at)? {
                Some(found) => found,
                None => (token.token.clone(), 1),
            },
        };
        written.push(TokenWithSpan::new(plain, token.span));
        at += length;
    }
    Ok(written)
}

/// Refuses numbers that letters follow at once.
fn check_ends(tokens: &[TokenWithSpan]) -> Result<()> {
    for (at, token) in tokens.iter().enumerate() {
        let (before, digits, behind) = match &token.token {
            Token::Number(digits, is_long) => ("", digits, if *is_long { "L" } else { "" }),
            // `0x1F`; `X'1F'` has two quotes.
            Token::HexStringLiteral(digits) if is_of_length(token, digits.len() + 2) => ("0x", digits, ""),
            _ => continue,
        };
        let next = tokens.get(at + 1).filter(|next| next.span.start == token.span.end);
        let rest = match next.map(|next| &next.token) {
            Some(Token::Word(Word { value, quote_style: None, .. })) => value.as_str(),
            _ => "",
        };
        if !rest.is_empty() || !matches!(token.token, Token::Number(_, false)) {
            let message = format!("trailing junk after numeric literal at or near \"{before}{digits}{behind}{rest}\"");
            return Err(Error::new(Fault::Syntax, message).at(token.span.start));
        }
    }
    Ok(())
}

fn is_of_length(token: &TokenWithSpan, characters: usize) -> bool {
    let (start, end) = (token.span.start, token.span.end);
    start.line == end.line && end.column.checked_sub(start.column) == u64::try_from(characters).ok()
}

fn is_other(token: &TokenWithSpan) -> bool {
    match &token.token {
        Token::NationalStringLiteral(_) | Token::HexStringLiteral(_) | Token::SingleQuotedByteStringLiteral(_) => true,
        token => is_start(token) || matches!(keyword(token), Keyword::NATIONAL | Keyword::NCHAR),
    }
}

/// Whether the word at a place, which is this one, says the type of characters of a nation, which are no others here.
fn is_national(tokens: &[TokenWithSpan], at: usize, word: Keyword) -> bool {
    let next = solid_after(tokens, at).map(|next| &tokens[next].token);
    match word {
        Keyword::NATIONAL => next.is_some_and(|next| matches!(keyword(next), Keyword::CHARACTER | Keyword::CHAR)),
        Keyword::NCHAR => {
            let is_cast = tokens[..at].last().is_some_and(|before| before.token == Token::DoubleColon);
            let is_type = |next: &Token| {
                keyword(next) == Keyword::VARYING || matches!(next, Token::LParen | Token::SingleQuotedString(_))
            };
            is_cast || next.is_some_and(is_type)
        }
        _ => false,
    }
}

/// Whether a token is the letter before `&` and a quote.
fn is_start(token: &Token) -> bool {
    matches!(token, Token::Word(Word { value, quote_style: None, .. }) if value.eq_ignore_ascii_case("u"))
}

/// The text or the name that begins at a place, and how many tokens it is; none where nothing of the kind does.
fn with_escapes(tokens: &[TokenWithSpan], at: usize) -> Result<Option<(Token, usize)>> {
    let rest = tokens.get(at..).unwrap_or_default();
    let [start, sign, text, after @ ..] = rest else { return Ok(None) };
    let is_joined = start.span.end == sign.span.start && sign.span.end == text.span.start;
    if !is_start(&start.token) || sign.token != Token::Ampersand || !is_joined {
        return Ok(None);
    }
    let plain = match &text.token {
        Token::SingleQuotedString(text) => text,
        Token::Word(Word { value, quote_style: Some('"'), .. }) => value,
        _ => return Ok(None),
    };
    let wrong = |message: &str| Error::new(Fault::Syntax, message).at(text.span.start);
    let solid = after.iter().enumerate().filter(|(_, token)| !matches!(token.token, Token::Whitespace(_)));
    let mut solid = solid.map(|(at, token)| (at, &token.token));
    let (escape, length) = match (solid.next(), solid.next()) {
        (Some((_, word)), Some((last, Token::SingleQuotedString(escape)))) if keyword(word) == Keyword::UESCAPE => {
            let mut characters = escape.chars();
            let (Some(escape), None) = (characters.next(), characters.next()) else {
                return Err(wrong("invalid Unicode escape character"));
            };
            (escape, last + 4)
        }
        _ => ('\\', 3),
    };
    if escape.is_ascii_hexdigit() || matches!(escape, '+' | '\'' | '"') || escape.is_whitespace() {
        return Err(wrong("invalid Unicode escape character"));
    }
    let read = unescaped(plain, escape).map_err(|failure| Error::from(failure).at(text.span.start))?;
    let token = match &text.token {
        Token::SingleQuotedString(_) => Token::SingleQuotedString(read),
        _ => Token::make_word(&read, Some('"')),
    };
    Ok(Some((token, length)))
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use datafusion::sql::sqlparser::tokenizer::Tokenizer;

    use super::*;
    use crate::session::PostgreSql;

    fn plain(sql: &str) -> Result<String> {
        let tokens = as_plain(Tokenizer::new(&PostgreSql, sql).tokenize_with_location().unwrap())?;
        Ok(tokens.iter().map(|token| token.token.to_string()).collect())
    }

    /// Expected as PostgreSQL 15 reads them.
    #[test]
    fn escapes_are_read() {
        for (sql, expected) in [
            ("SELECT U&'\\00e9!', u&'d\\0061t\\+000061'", "SELECT 'é!', 'data'"),
            ("SELECT U&'!00e9' UESCAPE '!' AS a", "SELECT 'é' AS a"),
            ("SELECT U&'\\d83d\\de00'", "SELECT '😀'"),
            ("SELECT U&\"\\0061b\"", "SELECT \"ab\""),
            ("SELECT U&'\\0061\\\\b'", "SELECT 'a\\b'"),
            ("SELECT N'a'", "SELECT bpchar'a'"),
            ("SELECT national character varying 'x', 1::nchar", "SELECT   character varying 'x', 1::CHARACTER"),
            ("SELECT nchar varying 'x', nchar", "SELECT CHARACTER varying 'x', nchar"),
            ("SELECT u & 'a', u", "SELECT u & 'a', u"),
            ("SELECT u&a", "SELECT u&a"),
            ("SELECT 1 a, 1e5 b, .5 c", "SELECT 1 a, 1e5 b, .5 c"),
        ] {
            assert_eq!(plain(sql).unwrap(), expected, "{sql}");
        }
        for (sql, told) in [
            ("SELECT U&'\\zz'", "invalid Unicode escape"),
            ("SELECT U&'\\d83d'", "invalid Unicode surrogate pair"),
            ("SELECT U&'a' UESCAPE '+'", "invalid Unicode escape character"),
            ("SELECT U&'a' UESCAPE 'xx'", "invalid Unicode escape character"),
            ("SELECT X'1F'", "bit strings are not supported"),
            ("SELECT 1a", "trailing junk after numeric literal at or near \"1a\""),
            ("SELECT 1_000", "trailing junk after numeric literal at or near \"1_000\""),
            ("SELECT 1.5x", "trailing junk after numeric literal at or near \"1.5x\""),
            ("SELECT 0x1F", "trailing junk after numeric literal at or near \"0x1F\""),
            ("SELECT 1e", "trailing junk after numeric literal at or near \"1e\""),
            ("SELECT 1e5x", "trailing junk after numeric literal at or near \"1e5x\""),
        ] {
            assert!(plain(sql).unwrap_err().to_string().contains(told), "{sql}");
        }
    }
}
