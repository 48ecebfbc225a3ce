//! Arrays taken apart into their elements; what an element is, the caller knows.

/// The elements of `{a,"b c",NULL}`; none if it is not an array. An inner array stays text.
pub(super) fn split_text(text: &str) -> Option<Vec<Option<String>>> {
    let inner = text.strip_prefix('{')?.strip_suffix('}')?;
    let mut elements = Vec::new();
    let mut characters = inner.chars();
    if inner.trim().is_empty() {
        return Some(elements);
    }
    loop {
        let mut element = String::new();
        let (mut quoted, mut in_quotes, mut depth) = (false, false, 0u32);
        let more = loop {
            let Some(character) = characters.next() else { break false };
            match character {
                // Inside of an inner array, quotes and escapes are kept for whoever reads that one.
                '\\' => {
                    if depth > 0 {
                        element.push('\\');
                    }
                    quoted = true;
                    element.push(characters.next()?);
                }
                '"' => {
                    in_quotes = !in_quotes;
                    quoted = true;
                    if depth > 0 {
                        element.push('"');
                    }
                }
                '{' | '}' if !in_quotes => {
                    depth = if character == '{' { depth + 1 } else { depth.checked_sub(1)? };
                    element.push(character);
                }
                ',' if !in_quotes && depth == 0 => break true,
                other => element.push(other),
            }
        };
        if in_quotes || depth > 0 {
            return None;
        }
        let trimmed = if quoted { element.as_str() } else { element.trim() };
        if trimmed.is_empty() && !quoted {
            return None;
        }
        let is_null = !quoted && trimmed.eq_ignore_ascii_case("null");
        elements.push((!is_null).then(|| trimmed.to_owned()));
        if !more {
            return Some(elements);
        }
    }
}

/// The element's type and the elements of a binary array with one dimension; none if it is not one.
pub(super) fn split_binary(bytes: &[u8]) -> Option<(u32, Vec<Option<&[u8]>>)> {
    let mut rest = bytes;
    let dimensions = take(&mut rest)?;
    let _has_nulls = take(&mut rest)?;
    let oid = take(&mut rest)?;
    if dimensions == 0 {
        return rest.is_empty().then(|| (oid, Vec::new()));
    }
    if dimensions != 1 {
        return None;
    }
    let count = take(&mut rest)?;
    let _lower_bound = take(&mut rest)?;
    let mut elements = Vec::new();
    for _ in 0..count {
        let length = take(&mut rest)?;
        if length == u32::MAX {
            elements.push(None);
            continue;
        }
        let (element, after) = rest.split_at_checked(length as usize)?;
        elements.push(Some(element));
        rest = after;
    }
    rest.is_empty().then_some((oid, elements))
}

fn take(rest: &mut &[u8]) -> Option<u32> {
    let (number, after) = rest.split_first_chunk::<4>()?;
    *rest = after;
    Some(u32::from_be_bytes(*number))
}
