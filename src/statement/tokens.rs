//! A text as tokens.
//!
//! They are counted while they are made: a text that takes too much memory, or that nobody waits for any more, is left where
//! it is. Signs behind an operator are those of what follows, as in PostgreSQL: `a>-1` compares with -1.

use std::panic::{AssertUnwindSafe, catch_unwind, resume_unwind};

use datafusion::sql::sqlparser::tokenizer::{Location, Span, Token, TokenWithSpan, Tokenizer};

use crate::{
    Error, Result,
    interrupt::step,
    session::{PostgreSql, Reading},
};

/// Why a text was left.
struct Left(Error);

/// The tokens of a text, as far as it may be read.
pub(super) fn tokens_of(sql: &str, reading: &mut Reading) -> Result<Vec<TokenWithSpan>> {
    let mut tokens = Vec::new();
    let counted = |token: TokenWithSpan| match take(&token.token, reading) {
        Ok(()) => token,
        // The tokenizer reads to the end of the text, and takes no error from here. This is no panic: nothing is reported.
        Err(error) => resume_unwind(Box::new(Left(error.at(token.span.start)))),
    };
    let mut tokenizer = Tokenizer::new(&PostgreSql, sql);
    let work = AssertUnwindSafe(|| tokenizer.tokenize_with_location_into_buf_with_mapper(&mut tokens, counted));
    match catch_unwind(work) {
        Ok(Ok(())) => apart(tokens, reading),
        Ok(Err(error)) => Err(Error::syntax(error.message, None, Some(error.location))),
        Err(unwound) => match unwound.downcast::<Left>() {
            Ok(left) => Err(left.0),
            Err(panic) => resume_unwind(panic),
        },
    }
}

/// Takes the memory of one more token.
fn take(token: &Token, reading: &mut Reading) -> Result<()> {
    step()?;
    reading.take(token)
}

/// Characters of operators that standard SQL has none of: one that contains them may end with a sign.
const BEYOND_STANDARD: &[char] = &['~', '!', '@', '#', '%', '^', '&', '|', '`', '?'];

/// The tokens with signs apart that the tokenizer has taken for the end of an operator.
fn apart(tokens: Vec<TokenWithSpan>, reading: &mut Reading) -> Result<Vec<TokenWithSpan>> {
    if tokens.iter().all(|token| signs_behind(&token.token) == 0) {
        return Ok(tokens);
    }
    let mut whole = Vec::with_capacity(tokens.len() + 1);
    for token in tokens {
        match (signs_behind(&token.token), token.token) {
            (signs @ 1.., Token::CustomBinaryOperator(text)) => {
                let own = text.len() - signs;
                let start = token.span.start;
                let place = |at: usize| Location::new(start.line, start.column + u64::try_from(at).unwrap_or_default());
                let spanned = |token, from, to| TokenWithSpan::new(token, Span::new(place(from), place(to)));
                whole.push(spanned(operator(&text[..own]), 0, own));
                for (at, sign) in text[own..].chars().enumerate() {
                    let sign = if sign == '-' { Token::Minus } else { Token::Plus };
                    take(&sign, reading)?;
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
