//! Texts as values of the types that a field has to say: of `varchar(3)`, `name`, `uuid`, `jsonb`, …

use std::borrow::Cow;

use super::{
    json::{NoJson, check_json, normal_json},
    type_name::read as read_type_name,
};
use crate::pgtype::{BPCHAR, CHAR, ColumnType, JSON, JSONB, NAME, REGTYPE, UUID, VARCHAR, regtype_text};

/// Why a text is no value of a type.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Untold {
    /// It is not written as one.
    Syntax,
    /// It is longer than values of the type that are stored.
    TooLong,
    /// It names no type.
    NoType,
    /// It is no JSON.
    Json(NoJson),
    /// It begins with a character of several bytes, of which values of the type have one.
    SeveralBytes,
}

/// How a text becomes a value of a type with a length.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub(crate) enum Becoming {
    /// It is cut.
    Cast,
    /// It is refused where more than blanks would be cut.
    Stored,
}

/// The most bytes of a name.
const NAME_BYTES: usize = 63;

/// A text as values of a type are kept: fixed texts of a length without the blanks at their ends, numbers of uuids in their
/// usual form, and so on. One of another type is as it is.
pub(crate) fn as_told(text: &str, wanted: ColumnType, becoming: Becoming) -> Result<Cow<'_, str>, Untold> {
    let oid = wanted.pg.oid;
    if oid == VARCHAR.oid || oid == BPCHAR.oid {
        let Some(length) = wanted.length() else { return Ok(Cow::Borrowed(text)) };
        let fitting = fitting(text, usize::try_from(length).unwrap_or(0), becoming)?;
        return Ok(Cow::Borrowed(if oid == BPCHAR.oid { fitting.trim_end_matches(' ') } else { fitting }));
    }
    if oid == NAME.oid {
        return Ok(Cow::Borrowed(first_bytes(text, NAME_BYTES)));
    }
    if oid == CHAR.oid {
        return first_byte(text).map(Cow::Borrowed).ok_or(Untold::SeveralBytes);
    }
    if oid == UUID.oid {
        return plain_uuid(text).map(Cow::Owned).ok_or(Untold::Syntax);
    }
    if oid == REGTYPE.oid {
        return type_text(text).map(Cow::Owned).ok_or(Untold::NoType);
    }
    if oid == JSON.oid {
        check_json(text).map_err(Untold::Json)?;
        return Ok(Cow::Borrowed(text));
    }
    if oid == JSONB.oid {
        return normal_json(text).map(Cow::Owned).map_err(Untold::Json);
    }
    Ok(Cow::Borrowed(text))
}

/// The first characters of a text.
fn fitting(text: &str, length: usize, becoming: Becoming) -> Result<&str, Untold> {
    // Each character has a byte or more.
    if text.len() <= length {
        return Ok(text);
    }
    let Some((end, _)) = text.char_indices().nth(length) else { return Ok(text) };
    let (kept, cut) = text.split_at(end);
    match becoming {
        Becoming::Stored if cut.bytes().any(|byte| byte != b' ') => Err(Untold::TooLong),
        Becoming::Stored | Becoming::Cast => Ok(kept),
    }
}

/// The characters that are within the first bytes of a text.
fn first_bytes(text: &str, most: usize) -> &str {
    let end = (0..=most.min(text.len())).rev().find(|end| text.is_char_boundary(*end));
    text.get(..end.unwrap_or(0)).unwrap_or(text)
}

fn first_byte(text: &str) -> Option<&str> {
    match text.bytes().next() {
        None => Some(""),
        Some(first) if first.is_ascii() => text.get(..1),
        Some(_) => None,
    }
}

/// A uuid with small letters and hyphens where they usually are. It may be in braces, and have a hyphen behind every four
/// digits.
fn plain_uuid(text: &str) -> Option<String> {
    let text = text.strip_prefix('{').map_or(Some(text), |rest| rest.strip_suffix('}'))?;
    let (mut plain, mut digits, mut is_behind_hyphen) = (String::with_capacity(36), 0, true);
    for character in text.chars() {
        match character {
            '-' if !is_behind_hyphen && digits % 4 == 0 && digits < 32 => is_behind_hyphen = true,
            digit if digit.is_ascii_hexdigit() && digits < 32 => {
                if matches!(digits, 8 | 12 | 16 | 20) {
                    plain.push('-');
                }
                plain.push(digit.to_ascii_lowercase());
                digits += 1;
                is_behind_hyphen = false;
            }
            _ => return None,
        }
    }
    (digits == 32).then_some(plain)
}

/// The type of a name or of a number as SQL writes it.
fn type_text(text: &str) -> Option<String> {
    let trimmed = text.trim_ascii();
    if trimmed == "-" {
        return Some(trimmed.to_owned());
    }
    if !trimmed.is_empty() && trimmed.bytes().all(|digit| digit.is_ascii_digit()) {
        return trimmed.parse().ok().map(regtype_text);
    }
    read_type_name(text).ok()?.map(|known| known.sql(None))
}

/// The bytes of a uuid in its usual form.
pub(crate) fn uuid_bytes(plain: &str) -> Option<[u8; 16]> {
    let digits: String = plain.chars().filter(|character| *character != '-').collect();
    if digits.len() != 32 || !digits.bytes().all(|digit| digit.is_ascii_hexdigit()) {
        return None;
    }
    u128::from_str_radix(&digits, 16).ok().map(u128::to_be_bytes)
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;

    fn cast(text: &str, wanted: ColumnType) -> Result<String, Untold> {
        as_told(text, wanted, Becoming::Cast).map(Cow::into_owned)
    }

    fn stored(text: &str, wanted: ColumnType) -> Result<String, Untold> {
        as_told(text, wanted, Becoming::Stored).map(Cow::into_owned)
    }

    /// As PostgreSQL 15 casts and stores them.
    #[test]
    fn texts_have_their_lengths() {
        let (three, fixed) = (ColumnType::of_length(&VARCHAR, 3), ColumnType::of_length(&BPCHAR, 3));
        for (text, cut, fixed_cut, kept, fixed_kept) in [
            ("abcdef", "abc", "abc", Err(Untold::TooLong), Err(Untold::TooLong)),
            ("ab   ", "ab ", "ab", Ok("ab "), Ok("ab")),
            ("äöüß", "äöü", "äöü", Err(Untold::TooLong), Err(Untold::TooLong)),
            ("äöü", "äöü", "äöü", Ok("äöü"), Ok("äöü")),
            ("   x", "   ", "", Err(Untold::TooLong), Err(Untold::TooLong)),
            ("", "", "", Ok(""), Ok("")),
        ] {
            assert_eq!(cast(text, three).as_deref(), Ok(cut), "{text}");
            assert_eq!(cast(text, fixed).as_deref(), Ok(fixed_cut), "{text}");
            assert_eq!(stored(text, three), kept.map(str::to_owned), "{text}");
            assert_eq!(stored(text, fixed), fixed_kept.map(str::to_owned), "{text}");
        }
        assert_eq!(cast("abc  ", ColumnType::plain(&VARCHAR)).as_deref(), Ok("abc  "));
        assert_eq!(cast("abc  ", ColumnType::plain(&BPCHAR)).as_deref(), Ok("abc  "));
        assert_eq!(stored(" ", ColumnType::plain(&BPCHAR)).as_deref(), Ok(" "));
        let long = "ä".repeat(40);
        assert_eq!(cast(&long, ColumnType::plain(&NAME)), Ok("ä".repeat(31)));
        assert_eq!(cast("xyz", ColumnType::plain(&CHAR)).as_deref(), Ok("x"));
        assert_eq!(cast("ä", ColumnType::plain(&CHAR)), Err(Untold::SeveralBytes));
    }

    /// `SELECT 'text'::regtype` of PostgreSQL 15.
    #[test]
    fn types_are_read_by_name_and_by_number() {
        for (text, expected) in
            [("int", "integer"), ("int4[]", "integer[]"), ("23", "integer"), ("0", "-"), ("-", "-"), ("99999", "99999")]
        {
            assert_eq!(cast(text, ColumnType::plain(&REGTYPE)).as_deref(), Ok(expected), "{text}");
        }
        for text in ["nope", "", "int("] {
            assert_eq!(cast(text, ColumnType::plain(&REGTYPE)), Err(Untold::NoType), "{text}");
        }
    }

    /// `SELECT 'text'::uuid` of PostgreSQL 15.
    #[test]
    fn uuids_are_read_in_all_their_forms() {
        let plain = "a0eebc99-9c0b-4ef8-bb6d-6bb9bd380a11";
        for text in [
            plain,
            "A0EEBC99-9C0B-4EF8-BB6D-6BB9BD380A11",
            "{a0eebc99-9c0b-4ef8-bb6d-6bb9bd380a11}",
            "a0eebc999c0b4ef8bb6d6bb9bd380a11",
            "a0ee-bc99-9c0b-4ef8-bb6d-6bb9-bd38-0a11",
            "{a0eebc99-9c0b4ef8-bb6d6bb9-bd380a11}",
        ] {
            assert_eq!(cast(text, ColumnType::plain(&UUID)).as_deref(), Ok(plain), "{text}");
        }
        for text in [
            "",
            "a0eebc99",
            "{a0eebc99-9c0b-4ef8-bb6d-6bb9bd380a11",
            "a0eebc99-9c0b-4ef8-bb6d-6bb9bd380a11}",
            " a0eebc99-9c0b-4ef8-bb6d-6bb9bd380a11",
            "a0eebc99--9c0b-4ef8-bb6d-6bb9bd380a11",
            "a0e-ebc99-9c0b-4ef8-bb6d-6bb9bd380a11",
            "a0eebc99-9c0b-4ef8-bb6d-6bb9bd380a11-",
            "g0eebc99-9c0b-4ef8-bb6d-6bb9bd380a11",
        ] {
            assert_eq!(cast(text, ColumnType::plain(&UUID)), Err(Untold::Syntax), "{text}");
        }
        let bytes = uuid_bytes(plain).unwrap();
        assert_eq!((bytes[0], bytes[15]), (0xa0, 0x11));
        assert_eq!(uuid_bytes("a0eebc99"), None);
    }
}
