//! A text as tokens.
//!
//! They are counted while they are made: a text that takes too much memory, or that nobody waits for any more, is left where
//! it is.

use std::panic::{AssertUnwindSafe, catch_unwind, resume_unwind};

use datafusion::sql::sqlparser::tokenizer::{TokenWithSpan, Tokenizer};

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
    let counted = |token: TokenWithSpan| match step().map_err(Error::from).and_then(|()| reading.take(&token.token)) {
        Ok(()) => token,
        // The tokenizer reads to the end of the text, and takes no error from here. This is no panic: nothing is reported.
        Err(error) => resume_unwind(Box::new(Left(error.at(token.span.start)))),
    };
    let mut tokenizer = Tokenizer::new(&PostgreSql, sql);
    let work = AssertUnwindSafe(|| tokenizer.tokenize_with_location_into_buf_with_mapper(&mut tokens, counted));
    match catch_unwind(work) {
        Ok(Ok(())) => Ok(tokens),
        Ok(Err(error)) => Err(Error::syntax(error.message, None, Some(error.location))),
        Err(unwound) => match unwound.downcast::<Left>() {
            Ok(left) => Err(left.0),
            Err(panic) => resume_unwind(panic),
        },
    }
}
