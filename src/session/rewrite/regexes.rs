//! `SIMILAR TO` as a regular expression of the query engine.
//!
//! The engine takes the pattern of `x SIMILAR TO 'a%'` for a regular expression that may match anywhere.

use datafusion::sql::sqlparser::ast::{BinaryOperator, Expr, Value};

use crate::{Error, Fault, Result};

/// Rewrites `SIMILAR TO`.
pub(super) fn rewrite(expression: &mut Expr) -> Result<()> {
    let Expr::SimilarTo { negated, expr, pattern, escape_char } = expression else { return Ok(()) };
    let escape = match escape_char.as_ref().map(|escape| &escape.value) {
        None => Some('\\'),
        Some(Value::SingleQuotedString(text)) if text.chars().count() <= 1 => text.chars().next(),
        Some(_) => return Err(Error::new(Fault::InvalidArgument, "an escape string has one character, or none")),
    };
    let regex = match pattern.as_ref() {
        Expr::Value(value) => match &value.value {
            Value::SingleQuotedString(pattern) | Value::EscapedStringLiteral(pattern) => {
                Value::SingleQuotedString(anchored(pattern, escape)?)
            }
            Value::DollarQuotedString(pattern) => Value::SingleQuotedString(anchored(&pattern.value, escape)?),
            Value::Null => Value::Null,
            _ => return Err(not_written()),
        },
        _ => return Err(not_written()),
    };
    let op = if *negated { BinaryOperator::PGRegexNotMatch } else { BinaryOperator::PGRegexMatch };
    let right = Box::new(Expr::Value(regex.into()));
    *expression = Expr::BinaryOp { left: expr.clone(), op, right };
    Ok(())
}

fn not_written() -> Error {
    let message = "SIMILAR TO is supported with a pattern that is written out only; use ~ with a regular expression";
    Error::new(Fault::FeatureNotSupported, message)
}

/// The regular expression of whole texts that are similar to a pattern.
fn anchored(pattern: &str, escape: Option<char>) -> Result<String> {
    let mut regex = "^(?s:".to_owned();
    let mut characters = pattern.chars().peekable();
    let mut within_class = false;
    while let Some(character) = characters.next() {
        if Some(character) == escape {
            let Some(next) = characters.next() else {
                return Err(Error::new(
                    Fault::InvalidArgument,
                    "SIMILAR TO pattern must not end with escape character",
                ));
            };
            push_itself(&mut regex, next);
            continue;
        }
        match character {
            '\\' => push_itself(&mut regex, character),
            ']' if within_class => {
                within_class = false;
                regex.push(']');
            }
            '[' if within_class && characters.peek() == Some(&':') => {
                // A named class, which ends with `:]`.
                regex.push('[');
                let mut before = ' ';
                for next in characters.by_ref() {
                    regex.push(next);
                    if before == ':' && next == ']' {
                        break;
                    }
                    before = next;
                }
            }
            '[' if within_class => regex.push_str("\\["),
            '&' | '~' if within_class => push_itself(&mut regex, character),
            _ if within_class => regex.push(character),
            '[' => {
                within_class = true;
                regex.push('[');
                regex.extend(characters.next_if_eq(&'^'));
                // The first of a class is no end.
                if characters.next_if_eq(&']').is_some() {
                    regex.push_str("\\]");
                }
            }
            '%' => regex.push_str(".*"),
            '_' => regex.push('.'),
            '(' => regex.push_str("(?:"),
            '.' | '^' | '$' => push_itself(&mut regex, character),
            _ => regex.push(character),
        }
    }
    regex.push_str(")$");
    Ok(regex)
}

/// Writes a character that means itself. Of `<` and `>` those with a backslash are borders of words.
fn push_itself(regex: &mut String, character: char) {
    if character.is_ascii_punctuation() && !matches!(character, '<' | '>') {
        regex.push('\\');
    }
    regex.push(character);
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;

    #[test]
    fn a_pattern_is_a_regular_expression_of_whole_texts() {
        for (pattern, expected) in [
            ("a%", "^(?s:a.*)$"),
            ("%(b|d)_", "^(?s:.*(?:b|d).)$"),
            ("a.c", "^(?s:a\\.c)$"),
            ("a\\_", "^(?s:a\\_)$"),
            ("[^a-c%]+", "^(?s:[^a-c%]+)$"),
            ("[]x]", "^(?s:[\\]x])$"),
            ("[[:digit:]]{2}", "^(?s:[[:digit:]]{2})$"),
        ] {
            assert_eq!(anchored(pattern, Some('\\')).unwrap(), expected);
        }
        assert_eq!(anchored("a#%\\", Some('#')).unwrap(), "^(?s:a\\%\\\\)$");
        assert!(anchored("a\\", Some('\\')).is_err());
    }
}
