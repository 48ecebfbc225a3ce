//! What stands in brackets, and the classes of characters that have names.
//!
//! The classes hold what PostgreSQL finds in them where the encoding is UTF-8 and the locale knows all letters.

use super::{Escaped, Reader, Translation, invalid};
use crate::fault::Result;

pub(super) const DIGIT: &str = "0-9";
/// Without the blanks at which no line may end.
pub(super) const SPACE: &str =
    "\\t-\\r\\x20\\x{1680}\\x{2000}-\\x{2006}\\x{2008}-\\x{200a}\\x{2028}\\x{2029}\\x{205f}\\x{3000}";
pub(super) const WORD: &str = "\\p{Alphabetic}\\p{Nd}_";

/// What the library writes for a class, in brackets.
fn class_of(name: &str) -> Option<String> {
    let shown = || format!("[^\\p{{Cc}}\\P{{Assigned}}{SPACE}]");
    Some(match name {
        "alnum" => "\\p{Alphabetic}\\p{Nd}".to_owned(),
        "alpha" => "[[\\p{Alphabetic}\\p{Nd}]--[0-9]]".to_owned(),
        "ascii" => "\\x00-\\x7f".to_owned(),
        "blank" => "\\t\\x20".to_owned(),
        "cntrl" => "\\p{Cc}".to_owned(),
        "digit" => DIGIT.to_owned(),
        "graph" => shown(),
        "lower" => "\\p{Lowercase}\\p{Lt}".to_owned(),
        "print" => format!("{}[[{SPACE}]--[\\t-\\r\\x{{2028}}\\x{{2029}}]]", shown()),
        "punct" => format!("[{}--[\\p{{Alphabetic}}\\p{{Nd}}]]", shown()),
        "space" => SPACE.to_owned(),
        "upper" => "\\p{Uppercase}\\p{Lt}".to_owned(),
        "word" => WORD.to_owned(),
        "xdigit" => "0-9A-Fa-f".to_owned(),
        _ => return None,
    })
}

/// One of what stands in brackets.
enum Item {
    Character(char),
    /// What the library writes for a class.
    Class(String),
}

impl Translation {
    /// What follows a bracket.
    pub(super) fn brackets(&mut self, reader: &mut Reader<'_>) -> Result<()> {
        self.out.push('[');
        if reader.skip("^") {
            self.out.push('^');
            if self.options.stops_at_lines {
                self.out.push_str("\\n");
            }
        }
        let mut is_first = true;
        loop {
            // The first of them is no end.
            if !is_first && reader.skip("]") {
                self.out.push(']');
                return Ok(());
            }
            let is_dash = reader.is_before(|next| next == '-');
            let item = self.item(reader)?;
            if is_dash && !is_first && !reader.rest.starts_with(']') {
                return Err(invalid("invalid character range"));
            }
            is_first = false;
            let is_range = reader.rest.starts_with('-') && !reader.rest.starts_with("-]");
            match item {
                Item::Character(from) if is_range => {
                    reader.take();
                    let Item::Character(to) = self.item(reader)? else {
                        return Err(invalid("invalid character range"));
                    };
                    if from > to {
                        return Err(invalid("invalid character range"));
                    }
                    self.push_itself(from);
                    self.out.push('-');
                    self.push_itself(to);
                }
                Item::Character(character) => self.push_itself(character),
                Item::Class(class) => self.out.push_str(&class),
            }
        }
    }

    fn item(&self, reader: &mut Reader<'_>) -> Result<Item> {
        let unbalanced = || invalid("brackets [] not balanced");
        Ok(match reader.take().ok_or_else(unbalanced)? {
            '[' if reader.is_before(|next| matches!(next, ':' | '.' | '=')) => named(reader)?,
            '\\' if reader.rest.is_empty() => return Err(unbalanced()),
            '\\' => match self.escaped(reader)? {
                Escaped::Character(character) => Item::Character(character),
                Escaped::Class(class) => Item::Class(class),
            },
            other => Item::Character(other),
        })
    }
}

/// A named class such as `[:digit:]`, or an element such as `[.-.]`, of which the bracket is taken.
fn named(reader: &mut Reader<'_>) -> Result<Item> {
    let kind = reader.take().unwrap_or(':');
    let Some((name, rest)) = reader.rest.split_once(format!("{kind}]").as_str()) else {
        return Err(invalid("brackets [] not balanced"));
    };
    reader.rest = rest;
    if kind == ':' {
        return class_of(name).map(Item::Class).ok_or_else(|| invalid("invalid character class"));
    }
    let mut characters = name.chars();
    match (characters.next(), characters.next()) {
        (Some(element), None) => Ok(Item::Character(element)),
        _ => Err(invalid("invalid collating element")),
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use regex::Regex;

    use super::super::translated;

    /// Expected as PostgreSQL 15 has them.
    #[test]
    fn brackets_hold_what_they_do_in_postgresql() {
        for (text, pattern, expected) in [
            ("]", "^[]]$", true),
            ("y", "^[^]x]$", true),
            ("[a", "^[[a]+$", true),
            ("a&&b", "^[a&&b]+$", true),
            ("~", "[~~]", true),
            ("^", "[x^]", true),
            ("a-", "^[a-]+$", true),
            ("-", "[+--]", true),
            ("-", "[a-c-]", true),
            ("b", "[--a]", false),
            ("-", "[^-a]", false),
            ("b", "[\\x61-\\x63]", true),
            ("b", "[[.a.]-c]", true),
            ("a", "[[=a=]]", true),
            ("a1-", "^[\\w-]+$", true),
            ("q", "[\\D]", true),
            ("a\\b", "a[\\\\]b", true),
            ("\n", "(?n)[\\W]", true),
            ("\n", "(?n)[^\\w]", false),
            ("a b", "(?x)a[ ]b", true),
            ("ä", "[[:alpha:]]", true),
            ("Ä", "[[:upper:]]", true),
            ("3", "[[:alpha:]]", false),
            ("٣", "[[:alpha:]]", true),
            ("٣", "[[:digit:]]", false),
            ("€", "[[:punct:]]", true),
            ("a", "[[:punct:]]", false),
            (" ", "[[:graph:]]", false),
            (" ", "[[:print:]]", true),
            ("\t", "[[:print:]]", false),
            ("‿", "[[:word:]]", false),
        ] {
            let translated = translated(pattern, "").unwrap();
            assert_eq!(Regex::new(&translated).unwrap().is_match(text), expected, "{pattern} of {text:?}");
        }
    }

    #[test]
    fn what_brackets_cannot_hold_is_an_error() {
        for (pattern, reason) in [
            ("[]", "brackets [] not balanced"),
            ("[a", "brackets [] not balanced"),
            ("[a\\", "brackets [] not balanced"),
            ("[a-c-e]", "invalid character range"),
            ("[a--]", "invalid character range"),
            ("[a-\\d]", "invalid character range"),
            ("[\\w-a]", "invalid character range"),
            ("[c-a]", "invalid character range"),
            ("[\\m]", "invalid escape \\ sequence"),
            ("[[:foo:]]", "invalid character class"),
            ("[[:<:]x]", "invalid character class"),
            ("[[.foo.]]", "invalid collating element"),
        ] {
            let error = translated(pattern, "").unwrap_err();
            assert_eq!(error.to_string(), format!("invalid regular expression: {reason}"), "{pattern}");
        }
    }
}
