//! Texts.

mod quote_literal;

use super::Function;

pub(super) const ROOM: &[&Function] = &[&quote_literal::QUOTE_LITERAL, &quote_literal::QUOTE_NULLABLE];
