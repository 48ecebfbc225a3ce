//! Patterns of `SIMILAR TO`: PostgreSQL makes a regular expression of them, in which `%` and `_` are other signs.

use super::translated;
use crate::fault::{Failure, Fault, Result};

/// The regular expression of whole texts that are similar to a pattern, as the library reads it. Without an escape character
/// that is the backslash, and if it is empty, there is none.
pub(crate) fn similar(pattern: &str, escape: Option<&str>) -> Result<String> {
    translated(&as_regular_expression(pattern, escape, false)?, "")
}

/// The same for SUBSTRING, which takes what stands between separators: a group. As little as can be stands before it.
pub(in crate::functions) fn similar_part(pattern: &str, escape: &str) -> Result<String> {
    translated(&as_regular_expression(pattern, Some(escape), true)?, "")
}

fn as_regular_expression(pattern: &str, escape: Option<&str>, takes_part: bool) -> Result<String> {
    let mut escapes = escape.unwrap_or("\\").chars();
    let (escape, None) = (escapes.next(), escapes.next()) else {
        return Err(Failure::new(Fault::InvalidEscape, "invalid escape string: it has one character, or none"));
    };
    let mut regex = "^(?:".to_owned();
    let mut characters = pattern.chars().peekable();
    let mut within_class = false;
    let mut separators = 0;
    let has_separators = escape.is_some_and(|escape| pattern.contains(&format!("{escape}\"")));
    while let Some(character) = characters.next() {
        if Some(character) == escape {
            match characters.next() {
                // What is between two of these is what SUBSTRING takes.
                Some('"') if !within_class => {
                    separators += 1;
                    regex.push_str(if takes_part && separators == 1 { ")(" } else { ")(?:" });
                }
                Some(next) => regex.extend(['\\', next]),
                None => {}
            }
            continue;
        }
        match character {
            '\\' => regex.push_str("\\\\"),
            ']' if within_class => {
                within_class = false;
                regex.push(']');
            }
            '[' if within_class => {
                regex.push('[');
                if let Some(kind) = characters.next_if(|&next| matches!(next, ':' | '.' | '=')) {
                    // A name, which ends as it begins.
                    regex.push(kind);
                    let mut before = ' ';
                    for next in characters.by_ref() {
                        regex.push(next);
                        if before == kind && next == ']' {
                            break;
                        }
                        before = next;
                    }
                }
            }
            _ if within_class => regex.push(character),
            '[' => {
                within_class = true;
                regex.push('[');
                regex.extend(characters.next_if_eq(&'^'));
                // The first of a class is no end.
                regex.extend(characters.next_if_eq(&']'));
            }
            '%' => regex.push_str(".*"),
            '_' => regex.push('.'),
            '(' => regex.push_str("(?:"),
            '.' | '^' | '$' => regex.extend(['\\', character]),
            _ => regex.push(character),
        }
        if takes_part && has_separators && separators == 0 && !within_class && "%*+?}".contains(character) {
            regex.push('?');
        }
    }
    if separators > 2 {
        let message = "SQL regular expression may not contain more than two escape-double-quote separators";
        return Err(Failure::new(Fault::InvalidEscapeUse, message));
    }
    regex.push_str(")$");
    Ok(regex)
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;

    /// Expected as `similar_to_escape` of PostgreSQL 15 has them.
    #[test]
    fn a_pattern_is_a_regular_expression_of_whole_texts() {
        for (pattern, escape, expected) in [
            ("a\"b.c\\d[a\\d%][^]x]%_(b|c)", None, "^(?:a\"b\\.c\\d[a\\d%][^]x].*.(?:b|c))$"),
            ("a#d\\x[#d\\d]", Some("#"), "^(?:a\\d\\\\x[\\d\\\\d])$"),
            ("ab\\dc", Some(""), "^(?:ab\\\\dc)$"),
            ("[[:digit:]a_%]", None, "^(?:[[:digit:]a_%])$"),
            ("(?:a)", None, "^(?:(?:?:a))$"),
            ("[]%]", None, "^(?:[]%])$"),
            ("[[:x%:]%]%", None, "^(?:[[:x%:]%].*)$"),
            ("[\\]%]%", None, "^(?:[\\]%].*)$"),
            ("[^^]%]%", None, "^(?:[^^].*].*)$"),
            ("a\\", None, "^(?:a)$"),
        ] {
            assert_eq!(as_regular_expression(pattern, escape, false).unwrap(), expected);
        }
        assert!(as_regular_expression("a", Some("xy"), false).is_err());
        assert!(as_regular_expression("a\\\"b\\\"c\\\"d", None, false).is_err());
    }

    #[test]
    fn a_part_is_a_group_behind_as_little_as_can_be() {
        let part = |pattern: &str| as_regular_expression(pattern, Some("#"), true).unwrap();
        assert_eq!(part("%a+[*]#\"o_b#\"%"), "^(?:.*?a+?[*])(o.b)(?:.*)$");
        assert_eq!(part("%a"), "^(?:.*a)$");
        assert_eq!(part("a#\"b%"), "^(?:a)(b.*)$");
    }

    #[test]
    fn the_engine_sees_what_a_text_is_compared_with() {
        assert_eq!(similar("a.c", None).unwrap(), "^(?:a\\.c)$");
        assert_eq!(similar("a%", None).unwrap(), "(?s)^(?:a.*)$");
    }
}
