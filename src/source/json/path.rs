//! Where in an object a byte stands, for messages: the keys that lead to it, and the text there.
//!
//! Nobody keeps them while values are read: an object is walked through once more when something is wrong with it.

use super::{
    super::text::shortened,
    cursor::{Cursor, Halt, Token},
    node::longer,
};

/// How many bytes are looked at to show the text at a place.
const SHOWN_BYTES: usize = 400;

/// The keys of the object that begins at `start` which lead to a byte of it; none at the byte of a key or of a comma of the
/// object itself.
pub(super) fn path_to(bytes: &[u8], start: usize, at: usize) -> Option<String> {
    let mut cursor = Cursor { bytes, at: start, is_last: true };
    let mut open = Vec::new();
    // What is broken ends the walk, and that is where the path is wanted.
    let _ended = walk(&mut cursor, at, &mut open);
    let keys = open.iter().rev().filter(|key| !key.is_empty());
    Some(keys.fold(String::new(), |path, key| longer(key, &path))).filter(|path| !path.is_empty())
}

/// Walks to a byte. Of each array and object that is open there the key of the member is kept, or an empty one.
fn walk(cursor: &mut Cursor<'_>, at: usize, open: &mut Vec<String>) -> Result<(), Halt> {
    let mut ends = Vec::new();
    loop {
        let begun = match cursor.value()? {
            Token::Array if !cursor.is_empty(b']', "an array")? => Some(b']'),
            Token::Object if !cursor.is_empty(b'}', "an object")? => Some(b'}'),
            _ => None,
        };
        if let Some(end) = begun {
            ends.push(end);
            open.push(String::new());
        } else if cursor.at > at {
            return Ok(());
        }
        while let Some(end) = ends.last().copied().filter(|_| begun.is_none()) {
            if let Some(key) = open.last_mut() {
                key.clear();
            }
            if cursor.has_next(end, "")? {
                break;
            }
            ends.pop();
            open.pop();
        }
        match (ends.last(), open.last_mut()) {
            (Some(b'}'), Some(own)) => *own = cursor.key()?.into_owned(),
            (Some(_), _) => {}
            (None, _) => return Ok(()),
        }
        if cursor.at > at {
            return Ok(());
        }
    }
}

/// A reason with the text at a byte, as far as that stands on its line.
pub(super) fn with_text(reason: &str, bytes: &[u8], at: usize) -> String {
    let rest = bytes.get(at..).unwrap_or_default();
    let rest = rest.get(..SHOWN_BYTES).unwrap_or(rest);
    let line = rest.split(|byte| *byte == b'\n').next().unwrap_or_default();
    let plain = |letter: char| if letter.is_control() { ' ' } else { letter };
    let text: String = String::from_utf8_lossy(line).chars().map(plain).collect();
    match text.trim() {
        "" => reason.to_owned(),
        text => format!("{reason}, at '{}'", shortened(text)),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The path to the first `^` of a text, which is taken out.
    fn path(text: &str) -> Option<String> {
        let at = text.find('^').unwrap_or(text.len());
        path_to(text.replacen('^', "", 1).as_bytes(), 0, at)
    }

    #[test]
    fn keys_lead_to_a_value() {
        for (text, expected) in [
            (r#"{"a":^tru}"#, Some("a")),
            (r#"{"a":1,"b":{"c":[1,{"d":^undefined}]}}"#, Some("b.c.d")),
            (r#"{"a":{"x":1},"b":[1,^]}"#, Some("b")),
            (r#"{"a":{"x":1,^y:2}}"#, Some("a")),
            (r#"{"a":1,^}"#, None),
            (r#"{"a":1^ "b":2}"#, None),
            (r#"{"a":1,^b:2}"#, None),
            (r#"{"a":1,^"a":2}"#, Some("a")),
            (r#"{"a":[],"b":{},"c":"x^\q"}"#, Some("c")),
            (r#"{"a":{"b":1}}^"#, None),
            ("^7", None),
        ] {
            assert_eq!(path(text).as_deref(), expected, "{text}");
        }
    }

    #[test]
    fn a_text_is_shown_up_to_its_line_end() {
        assert_eq!(with_text("wrong", b"{\"a\":tru}\nmore", 5), "wrong, at 'tru}'");
        assert_eq!(with_text("wrong", b"1\n2", 1), "wrong");
        assert_eq!(with_text("wrong", b"", 3), "wrong");
        assert_eq!(with_text("wrong", "é".repeat(1000).as_bytes(), 0), format!("wrong, at '{}…'", "é".repeat(60)));
    }
}
