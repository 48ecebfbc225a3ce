//! The values of a line in the text format.

/// Why a line has no values.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Broken {
    /// A quote has no end.
    Unterminated,
    /// Bytes that escapes stand for, from the first on that is in no text.
    NoText(Vec<u8>),
}

/// Gives the values of a line one after the other; none is NULL.
pub(super) fn text_values(
    line: &str,
    (delimiter, null): (u8, &str),
    mut give: impl FnMut(Option<&str>),
) -> Result<(), Broken> {
    let bytes = line.as_bytes();
    let mut start = 0;
    loop {
        let (mut end, mut has_escapes) = (start, false);
        while let Some(byte) = bytes.get(end).filter(|byte| **byte != delimiter) {
            let is_escape = *byte == b'\\';
            has_escapes |= is_escape;
            end += if is_escape { 2 } else { 1 };
        }
        let end = end.min(bytes.len());
        // Delimiters are ASCII, so that both are boundaries.
        let raw = line.get(start..end).unwrap_or_default();
        if raw == null {
            give(None);
        } else if has_escapes {
            let plain = unescaped(raw.as_bytes())?;
            give(Some(plain.as_str()));
        } else {
            give(Some(raw));
        }
        if end == bytes.len() {
            return Ok(());
        }
        start = end + 1;
    }
}

/// The text that a value with escapes stands for.
fn unescaped(raw: &[u8]) -> Result<String, Broken> {
    let (mut plain, mut rest) = (Vec::with_capacity(raw.len()), raw);
    while let Some((first, after)) = rest.split_first() {
        rest = after;
        if *first != b'\\' {
            plain.push(*first);
            continue;
        }
        let Some((second, after)) = rest.split_first() else { break };
        rest = after;
        match second {
            b'0'..=b'7' => {
                let mut value = u32::from(second - b'0');
                for _ in 0..2 {
                    let Some((digit @ b'0'..=b'7', after)) = rest.split_first() else { break };
                    value = value * 8 + u32::from(digit - b'0');
                    rest = after;
                }
                plain.push((value & 0xff) as u8);
            }
            b'x' => {
                let mut value = None;
                for _ in 0..2 {
                    let Some((digit, after)) = rest.split_first() else { break };
                    let Some(digit) = char::from(*digit).to_digit(16) else { break };
                    value = Some(value.unwrap_or(0) * 16 + digit);
                    rest = after;
                }
                plain.push(value.map_or(b'x', |value| (value & 0xff) as u8));
            }
            b'b' => plain.push(8),
            b'f' => plain.push(12),
            b'n' => plain.push(b'\n'),
            b'r' => plain.push(b'\r'),
            b't' => plain.push(b'\t'),
            b'v' => plain.push(11),
            other => plain.push(*other),
        }
    }
    let zero = plain.iter().position(|byte| *byte == 0);
    match String::from_utf8(plain) {
        Ok(plain) if zero.is_none() => Ok(plain),
        Ok(_) => Err(Broken::NoText(vec![0])),
        Err(error) => {
            let valid = error.utf8_error().valid_up_to();
            let from = zero.unwrap_or(valid).min(valid);
            Err(Broken::NoText(error.into_bytes().split_off(from)))
        }
    }
}

/// What is told of bytes that are no text: the first of them, as many as a character would have.
pub(super) fn no_text(bytes: &[u8]) -> String {
    let length = match bytes.first() {
        Some(0xf0..=0xf7) => 4,
        Some(0xe0..=0xef) => 3,
        Some(0xc0..=0xdf) => 2,
        _ => 1,
    };
    let shown: Vec<String> = bytes.iter().take(length).map(|byte| format!("0x{byte:02x}")).collect();
    format!("invalid byte sequence for encoding \"UTF8\": {}", shown.join(" "))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(line: &str) -> Result<Vec<Option<String>>, Broken> {
        let mut values = Vec::new();
        text_values(line, (b'\t', "\\N"), |value| values.push(value.map(str::to_owned)))?;
        Ok(values)
    }

    /// As PostgreSQL 15 reads them.
    #[test]
    fn values_stand_between_delimiters() {
        let texts = |texts: &[&str]| Ok(texts.iter().map(|text| Some((*text).to_owned())).collect::<Vec<_>>());
        assert_eq!(read("1\tx"), texts(&["1", "x"]));
        assert_eq!(read("\t"), texts(&["", ""]));
        assert_eq!(read("\\N\tN"), Ok(vec![None, Some("N".to_owned())]));
        assert_eq!(read("a\\tb\\x41\\101\\n\\q\\\té"), texts(&["a\tbAA\nq\té"]));
        assert_eq!(read("\\xg\\1014\\b\\v"), texts(&["xgA4\u{8}\u{b}"]));
        assert_eq!(read("\\xc3\\xa9\\"), texts(&["é"]));
        assert_eq!(read("a\\xff"), Err(Broken::NoText(vec![0xff])));
        assert_eq!(read("a\\000"), Err(Broken::NoText(vec![0])));
        assert_eq!(no_text(b"\xe9 ab"), "invalid byte sequence for encoding \"UTF8\": 0xe9 0x20 0x61");
    }
}
