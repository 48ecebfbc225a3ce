//! `normalize` and `is_normalized`: the normal forms of Unicode.

use arrow::array::ArrayRef;
use unicode_normalization::UnicodeNormalization;

use crate::{
    fault::{Failure, Fault, Result},
    functions::{Call, Function, Overload},
    pgtype::{BOOL, TEXT},
};

pub(super) static NORMALIZE: Function = Function {
    name: "normalize",
    purpose: "The text in a normal form of Unicode: NFC, NFD, NFKC or NFKD",
    example: "normalize('ﬁ', NFKC)",
    shows: "fi",
    overloads: &[Overload::new(&[TEXT], TEXT, normalize), Overload::new(&[TEXT, TEXT], TEXT, normalize)],
};

pub(super) static IS_NORMALIZED: Function = Function {
    name: "is_normalized",
    purpose: "Whether the text is in a normal form of Unicode, as IS NFC NORMALIZED asks",
    example: "is_normalized('ﬁ', 'NFKC')",
    shows: "false",
    overloads: &[Overload::new(&[TEXT], BOOL, is_normalized), Overload::new(&[TEXT, TEXT], BOOL, is_normalized)],
};

fn normalize(call: &Call<'_>) -> Result<ArrayRef> {
    let texts = call.texts(0)?;
    let forms = if call.len() > 1 { Some(call.texts(1)?) } else { None };
    call.text_of(|row| normal(texts.value(row), forms.map_or("NFC", |forms| forms.value(row))).map(Some))
}

fn is_normalized(call: &Call<'_>) -> Result<ArrayRef> {
    let texts = call.texts(0)?;
    let forms = if call.len() > 1 { Some(call.texts(1)?) } else { None };
    call.boolean_of(|row| {
        let text = texts.value(row);
        Ok(Some(normal(text, forms.map_or("NFC", |forms| forms.value(row)))? == text))
    })
}

fn normal(text: &str, form: &str) -> Result<String> {
    Ok(match form.to_ascii_uppercase().as_str() {
        "NFC" => text.nfc().collect(),
        "NFD" => text.nfd().collect(),
        "NFKC" => text.nfkc().collect(),
        "NFKD" => text.nfkd().collect(),
        _ => return Err(Failure::new(Fault::InvalidArgument, format!("invalid normalization form: {form}"))),
    })
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;

    /// Expected as PostgreSQL 15 has them.
    #[test]
    fn forms_are_those_of_unicode() {
        for (text, form, expected) in [
            ("a\u{308}bc", "NFC", "äbc"),
            ("äbc", "nfd", "a\u{308}bc"),
            ("ﬁ", "NFC", "ﬁ"),
            ("ﬁ", "NFKC", "fi"),
            ("①", "NFKD", "1"),
            ("각", "NFD", "\u{1100}\u{1161}\u{11a8}"),
        ] {
            assert_eq!(normal(text, form).unwrap(), expected, "{text} {form}");
        }
        assert_eq!(normal("a", "x").unwrap_err().to_string(), "invalid normalization form: x");
    }
}
