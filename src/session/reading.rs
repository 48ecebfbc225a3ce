//! What reading a text may take: how deep its statements nest, and how much memory they have.
//!
//! A text of fifty million bytes may be as many tokens, each of which takes more than its byte. They are counted while they
//! are made, and so is the tree that the parser will make of them.

use std::sync::Arc;

use datafusion::{
    execution::memory_pool::{MemoryConsumer, MemoryPool, MemoryReservation},
    sql::sqlparser::{
        ast::Expr,
        tokenizer::{Token, TokenWithSpan, Whitespace},
    },
};

use super::Shared;
use crate::{Error, Fault, Result};

/// Memory is asked for in pieces of so many bytes. The first one is not counted: most statements never ask.
const PIECE: usize = 1 << 20;

/// Bytes of a token beside its text: it stands in a list that grows by doubling.
const TOKEN_BYTES: usize = size_of::<TokenWithSpan>() * 3 / 2;

/// Bytes of what a name or a value is in the trees of the parser and of the planner.
const PART_BYTES: usize = 2 * size_of::<Expr>();

/// How one text is read.
pub(crate) struct Reading {
    pool: Arc<dyn MemoryPool>,
    memory: Option<MemoryReservation>,
    memory_limit_bytes: usize,
    max_depth: usize,
    /// Bytes that it may take before it asks again, and those that it has taken.
    granted: usize,
    tokens: usize,
    trees: usize,
}

impl Reading {
    /// With the limits of the configuration, and the memory that all statements share.
    pub(crate) fn new(shared: &Shared) -> Self {
        Self::within(Arc::clone(&shared.runtime.memory_pool), &shared.config)
    }

    fn within(pool: Arc<dyn MemoryPool>, config: &crate::Config) -> Self {
        Self {
            pool,
            memory: None,
            memory_limit_bytes: config.memory_limit_bytes,
            max_depth: config.max_parse_depth,
            granted: PIECE,
            tokens: 0,
            trees: 0,
        }
    }

    /// How deep expressions and queries may nest.
    pub(crate) fn max_depth(&self) -> usize {
        self.max_depth
    }

    /// Takes the memory of one more token.
    pub(crate) fn take(&mut self, token: &Token) -> Result<()> {
        let (is_part, text) = match token {
            Token::Word(word) => (true, word.value.len()),
            Token::Number(text, _)
            | Token::SingleQuotedString(text)
            | Token::EscapedStringLiteral(text)
            | Token::Placeholder(text) => (true, text.len()),
            Token::DollarQuotedString(text) => (true, text.value.len()),
            Token::Whitespace(
                Whitespace::SingleLineComment { comment, .. } | Whitespace::MultiLineComment(comment),
            ) => (false, comment.len()),
            _ => (false, 0),
        };
        self.tokens += TOKEN_BYTES + text;
        if is_part {
            self.trees += PART_BYTES + text;
        }
        let taken = self.tokens + self.trees;
        if taken <= self.granted {
            return Ok(());
        }
        let more = PIECE.max(taken - self.granted);
        let memory = self.memory.get_or_insert_with(|| MemoryConsumer::new("reading a statement").register(&self.pool));
        if memory.try_grow(more).is_err() {
            return Err(Error::Statement {
                fault: Fault::OutOfMemory,
                message: format!(
                    "out of memory: what is left of memory_limit_bytes, which is {}, is not enough to read the statement",
                    self.memory_limit_bytes
                ),
                hint: Some("raise memory_limit_bytes, or load the values from a file".to_owned()),
            });
        }
        self.granted += more;
        Ok(())
    }

    /// What the trees take, to be held as long as they are there; the tokens are gone.
    pub(crate) fn held(self) -> Option<Arc<MemoryReservation>> {
        let memory = self.memory?;
        memory.shrink(memory.size().saturating_sub(self.trees));
        Some(Arc::new(memory))
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use datafusion::execution::memory_pool::GreedyMemoryPool;

    use super::*;

    #[test]
    fn memory_is_taken_for_tokens_and_kept_for_trees() {
        let pool: Arc<dyn MemoryPool> = Arc::new(GreedyMemoryPool::new(8 * PIECE));
        let config = crate::Config { memory_limit_bytes: 8 * PIECE, ..crate::Config::default() };
        let reading = || Reading::within(Arc::clone(&pool), &config);
        let number = Token::Number("1".to_owned(), false);
        let mut short = reading();
        (0..100).for_each(|_| short.take(&number).unwrap());
        assert_eq!(pool.reserved(), 0);
        assert!(short.held().is_none());

        let mut long = reading();
        let error = loop {
            if let Err(error) = long.take(&number) {
                break error;
            }
        };
        assert_eq!(error.fault(), Fault::OutOfMemory);
        assert!(error.to_string().contains("memory_limit_bytes, which is 8388608"), "{error}");
        assert_eq!(pool.reserved(), 8 * PIECE);
        let trees = long.trees.min(8 * PIECE);
        let held = long.held();
        assert!(held.is_some());
        assert_eq!(pool.reserved(), trees);
        drop(held);
        assert_eq!(pool.reserved(), 0);
    }
}
