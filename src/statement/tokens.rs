//! A text as tokens.
//!
//! They are counted while they are made: a text that takes too much memory, or that nobody waits for any more, is left where
//! it is. As in PostgreSQL, an operator ends where a comment begins, `a >-- why`, and signs behind one are those of what
//! follows: `a>-1` compares with -1.

use std::panic::{AssertUnwindSafe, catch_unwind, resume_unwind};

use datafusion::sql::sqlparser::tokenizer::{Location, Span, Token, TokenWithSpan, Tokenizer};

use crate::{
    Error, Result,
    interrupt::step,
    session::{PostgreSql, Reading},
};

/// Why the tokenizer was left.
enum Left {
    /// The text is not read on.
    Refused(Error),
    /// A comment begins within what it takes for an operator.
    Comment { operator: String, start: Location },
}

/// The tokens of a text, as far as it may be read.
pub(super) fn tokens_of(sql: &str, reading: &mut Reading) -> Result<Vec<TokenWithSpan>> {
    read(sql, |token| take(token, reading))
}

/// The tokens of a text that was read before, as that of a view.
pub(super) fn tokens_again(sql: &str) -> Result<Vec<TokenWithSpan>> {
    read(sql, |_| Ok(()))
}

fn read(sql: &str, mut take: impl FnMut(&Token) -> Result<()>) -> Result<Vec<TokenWithSpan>> {
    let mut tokens = Vec::new();
    let mut part = Part { text: sql, begins: Location::new(1, 1) };
    while let Some(next) = read_part(part, &mut tokens, &mut take)? {
        part = next;
    }
    apart(tokens, take)
}

/// A text from some place on.
#[derive(Clone, Copy)]
struct Part<'a> {
    text: &'a str,
    begins: Location,
}

impl Part<'_> {
    /// Where a place in it is in the whole text.
    fn place(self, within: Location) -> Location {
        let column = if within.line == 1 { within.column + self.begins.column - 1 } else { within.column };
        Location::new(within.line + self.begins.line - 1, column)
    }

    /// What is left from a place of the whole text on, which is in it.
    fn rest(self, place: Location) -> Self {
        let mut at = self.begins;
        let found = self.text.char_indices().find(|(_, letter)| {
            let is_here = at == place;
            at = match letter {
                '\n' => Location::new(at.line + 1, 1),
                _ => Location::new(at.line, at.column + 1),
            };
            is_here
        });
        Self { text: found.map_or("", |(byte, _)| &self.text[byte..]), begins: place }
    }
}

/// Reads to the end, or to a comment behind an operator, from which on there is another part.
fn read_part<'a>(
    part: Part<'a>,
    tokens: &mut Vec<TokenWithSpan>,
    take: &mut impl FnMut(&Token) -> Result<()>,
) -> Result<Option<Part<'a>>> {
    // The tokenizer reads to the end of the text, and takes no error from here. This is no panic: nothing is reported.
    let counted = |token: TokenWithSpan| {
        let start = part.place(token.span.start);
        if let Some(operator) = before_comment(&token.token) {
            let operator = operator.to_owned();
            resume_unwind(Box::new(Left::Comment { operator, start }));
        }
        if let Err(error) = take(&token.token) {
            resume_unwind(Box::new(Left::Refused(error.at(start))));
        }
        TokenWithSpan::new(token.token, Span::new(start, part.place(token.span.end)))
    };
    let mut tokenizer = Tokenizer::new(&PostgreSql, part.text);
    let work = AssertUnwindSafe(|| tokenizer.tokenize_with_location_into_buf_with_mapper(tokens, counted));
    let unwound = match catch_unwind(work) {
        Ok(Ok(())) => return Ok(None),
        Ok(Err(error)) => return Err(Error::syntax(error.message, None, Some(part.place(error.location)))),
        Err(unwound) => unwound,
    };
    match unwound.downcast::<Left>().map(|left| *left) {
        Ok(Left::Refused(error)) => Err(error),
        Ok(Left::Comment { operator: text, start }) => {
            let end = behind(start, text.len());
            let token = operator(&text);
            take(&token).map_err(|error| error.at(start))?;
            tokens.push(TokenWithSpan::new(token, Span::new(start, end)));
            Ok(Some(part.rest(end)))
        }
        Err(panic) => resume_unwind(panic),
    }
}

/// The operator before a comment that the tokenizer takes for the rest of it.
fn before_comment(token: &Token) -> Option<&str> {
    let Token::CustomBinaryOperator(text) = token else { return None };
    let comment = text.find("--").into_iter().chain(text.find("/*")).min()?;
    text.get(..comment).filter(|operator| !operator.is_empty())
}

/// The place so many characters, which end no line, behind another.
fn behind(start: Location, characters: usize) -> Location {
    Location::new(start.line, start.column + u64::try_from(characters).unwrap_or_default())
}

/// Takes the memory of one more token.
fn take(token: &Token, reading: &mut Reading) -> Result<()> {
    step()?;
    reading.take(token)
}

/// Characters of operators that standard SQL has none of: one that contains them may end with a sign.
const BEYOND_STANDARD: &[char] = &['~', '!', '@', '#', '%', '^', '&', '|', '`', '?'];

/// The tokens with signs apart that the tokenizer has taken for the end of an operator.
fn apart(tokens: Vec<TokenWithSpan>, mut take: impl FnMut(&Token) -> Result<()>) -> Result<Vec<TokenWithSpan>> {
    if tokens.iter().all(|token| signs_behind(&token.token) == 0) {
        return Ok(tokens);
    }
    let mut whole = Vec::with_capacity(tokens.len() + 1);
    for token in tokens {
        match (signs_behind(&token.token), token.token) {
            (signs @ 1.., Token::CustomBinaryOperator(text)) => {
                let own = text.len() - signs;
                let start = token.span.start;
                let spanned =
                    |token, from, to| TokenWithSpan::new(token, Span::new(behind(start, from), behind(start, to)));
                whole.push(spanned(operator(&text[..own]), 0, own));
                for (at, sign) in text[own..].chars().enumerate() {
                    let sign = if sign == '-' { Token::Minus } else { Token::Plus };
                    take(&sign)?;
                    whole.push(spanned(sign, own + at, own + at + 1));
                }
            }
            (_, other) => whole.push(TokenWithSpan::new(other, token.span)),
        }
    }
    Ok(whole)
}

/// How many signs at the end of a token are none of it.
fn signs_behind(token: &Token) -> usize {
    match token {
        Token::CustomBinaryOperator(text) if !text.contains(BEYOND_STANDARD) => {
            let own = text.trim_end_matches(['+', '-']).len().max(1);
            text.len() - own
        }
        _ => 0,
    }
}

/// The token of an operator that stands alone.
fn operator(text: &str) -> Token {
    let alone = Tokenizer::new(&PostgreSql, text).tokenize().ok().and_then(|mut tokens| tokens.pop());
    alone.unwrap_or_else(|| Token::CustomBinaryOperator(text.to_owned()))
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;

    fn solid(sql: &str) -> Vec<(Token, Location)> {
        let tokens = tokens_again(sql).unwrap().into_iter();
        let solid = tokens.filter(|token| !matches!(token.token, Token::Whitespace(_)));
        solid.map(|token| (token.token, token.span.start)).collect()
    }

    #[test]
    fn an_operator_ends_where_a_comment_begins() {
        let (a, b) = (Token::make_word("a", None), Token::make_word("b", None));
        for (sql, operator, place) in [
            ("a >-- why\n b", vec![Token::Gt], (2, 2)),
            ("a >/* why */ b", vec![Token::Gt], (1, 14)),
            ("a -/*\n*/b", vec![Token::Minus], (2, 3)),
            ("a ~~--\nb", vec![Token::DoubleTilde], (2, 1)),
            ("a <-/**/b", vec![Token::Lt, Token::Minus], (1, 9)),
            ("a >--\n/**/-/**/b", vec![Token::Gt, Token::Minus], (2, 10)),
            ("a @-/**/b", vec![Token::CustomBinaryOperator("@-".to_owned())], (1, 9)),
        ] {
            let found = solid(sql);
            let tokens: Vec<Token> = found.iter().map(|(token, _)| token.clone()).collect();
            assert_eq!(tokens, [vec![a.clone()], operator, vec![b.clone()]].concat(), "{sql}");
            assert_eq!(found.last().unwrap().1, Location::new(place.0, place.1), "{sql}");
        }
    }

    #[test]
    fn what_is_wrong_behind_such_a_comment_has_its_place() {
        let error = tokens_again("a >--\n 'b").unwrap_err();
        assert!(matches!(error, Error::Syntax { location: Some((2, 2)), .. }), "{error}");
    }
}
