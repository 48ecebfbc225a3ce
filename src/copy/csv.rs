//! The values of a line of CSV.

use super::fields::Broken;

/// What is written between values and around them.
#[derive(Debug, Clone, Copy)]
pub(super) struct Marks<'a> {
    pub(super) delimiter: u8,
    pub(super) quote: u8,
    pub(super) escape: u8,
    /// What stands for NULL, unless it is in quotes.
    pub(super) null: &'a str,
}

/// Gives the values of a line one after the other; none is NULL.
pub(super) fn csv_values(line: &str, marks: Marks<'_>, mut give: impl FnMut(Option<&str>)) -> Result<(), Broken> {
    let bytes = line.as_bytes();
    let (mut start, mut plain) = (0, String::new());
    loop {
        let (mut end, mut has_quotes) = (start, false);
        while let Some(byte) = bytes.get(end).filter(|byte| **byte != marks.delimiter) {
            if *byte == marks.quote {
                has_quotes = true;
                end = behind_quote(bytes, end + 1, marks)?;
            } else {
                end += 1;
            }
        }
        // What is cut at is ASCII, so that both are boundaries.
        let raw = line.get(start..end).unwrap_or_default();
        if has_quotes {
            plain.clear();
            unquote(raw, marks, &mut plain);
            give(Some(plain.as_str()));
        } else {
            give((raw != marks.null).then_some(raw));
        }
        if end >= bytes.len() {
            return Ok(());
        }
        start = end + 1;
    }
}

/// The place behind the quote that ends what is in quotes here.
fn behind_quote(bytes: &[u8], mut at: usize, marks: Marks<'_>) -> Result<usize, Broken> {
    while let Some(byte) = bytes.get(at) {
        let next = bytes.get(at + 1);
        let is_escaped = next.is_some_and(|next| *next == marks.quote || *next == marks.escape);
        if *byte == marks.escape && is_escaped {
            at += 2;
        } else if *byte == marks.quote {
            return Ok(at + 1);
        } else {
            at += 1;
        }
    }
    Err(Broken::Unterminated)
}

/// Appends a value without its quotes and escapes, all of which have their ends.
fn unquote(raw: &str, marks: Marks<'_>, plain: &mut String) {
    let (quote, escape) = (char::from(marks.quote), char::from(marks.escape));
    let (mut characters, mut in_quotes) = (raw.chars().peekable(), false);
    while let Some(character) = characters.next() {
        let escaped =
            characters.next_if(|next| in_quotes && character == escape && (*next == quote || *next == escape));
        match escaped {
            Some(next) => plain.push(next),
            None if character == quote => in_quotes = !in_quotes,
            None => plain.push(character),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(line: &str, escape: u8) -> Result<Vec<Option<String>>, Broken> {
        let marks = Marks { delimiter: b',', quote: b'"', escape, null: "" };
        let mut values = Vec::new();
        csv_values(line, marks, |value| values.push(value.map(str::to_owned)))?;
        Ok(values)
    }

    /// As PostgreSQL 15 reads them.
    #[test]
    fn quotes_hold_values_together() {
        let texts = |texts: &[&str]| Ok(texts.iter().map(|text| Some((*text).to_owned())).collect::<Vec<_>>());
        assert_eq!(read("1,\"a \"\"q\"\" b\"", b'"'), texts(&["1", "a \"q\" b"]));
        assert_eq!(read("1,a\"b,c\"d", b'"'), texts(&["1", "ab,cd"]));
        assert_eq!(read(",\"\"", b'"'), Ok(vec![None, Some(String::new())]));
        assert_eq!(read("\"a\\\"b\\\\\", x", b'\\'), texts(&["a\"b\\", " x"]));
        assert_eq!(read("\"a\\n\"é", b'\\'), texts(&["a\\né"]));
        assert_eq!(read("1,", b'"'), Ok(vec![Some("1".to_owned()), None]));
        assert_eq!(read("1,\"x", b'"'), Err(Broken::Unterminated));
        assert_eq!(read("\"x\"\"", b'"'), Err(Broken::Unterminated));
    }
}
