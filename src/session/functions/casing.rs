//! `upper`, `lower` and `initcap` make one character of each, as PostgreSQL does in `C.UTF-8`.
//!
//! ```sql
//! SELECT upper('straße'), lower('İ'), initcap('ŉ')
//! ```
//!
//! DataFusion's make `STRASSE` of the first: Unicode's full mappings, where PostgreSQL has the simple ones.

use std::sync::Arc;

use arrow::{compute::cast, datatypes::DataType};
use datafusion::{
    common::{Result, utils::take_function_args},
    functions::{
        string::{lower, upper},
        unicode::initcap,
    },
    logical_expr::{ColumnarValue, ScalarFunctionArgs, ScalarUDF, ScalarUDFImpl, Signature},
};

use super::texts::{Texts, array, result, rows};

/// All three functions.
pub(super) fn functions() -> [ScalarUDF; 3] {
    [(upper(), Case::Upper), (lower(), Case::Lower), (initcap(), Case::Initial)]
        .map(|(inner, case)| ScalarUDF::from(Casing { inner, case }))
}

#[derive(Debug, PartialEq, Eq, Hash)]
struct Casing {
    inner: Arc<ScalarUDF>,
    case: Case,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
enum Case {
    Upper,
    Lower,
    Initial,
}

impl ScalarUDFImpl for Casing {
    fn name(&self) -> &str {
        self.inner.name()
    }

    fn signature(&self) -> &Signature {
        self.inner.signature()
    }

    fn return_type(&self, types: &[DataType]) -> Result<DataType> {
        self.inner.return_type(types)
    }

    fn invoke_with_args(&self, call: ScalarFunctionArgs) -> Result<ColumnarValue> {
        let [texts] = take_function_args(self.name(), &call.args)?;
        let texts = Texts::of(texts)?;
        if texts.are_ascii() {
            return self.inner.invoke_with_args(call);
        }
        let rows = rows(&call.args, call.number_rows);
        let mapped = (0..rows).map(|row| texts.get(row).map(|text| self.case.of(text))).collect();
        let mapped = array::<String>(mapped, &DataType::Utf8View);
        result(&call.args, cast(&mapped, call.return_type())?)
    }
}

impl Case {
    fn of(self, text: &str) -> String {
        match self {
            Self::Upper => text.chars().map(to_upper).collect(),
            Self::Lower => text.chars().map(to_lower).collect(),
            Self::Initial => {
                let mut is_within_word = false;
                let each = |character: char| {
                    let mapped = if is_within_word { to_lower(character) } else { to_upper(character) };
                    is_within_word = is_of_word(mapped);
                    mapped
                };
                text.chars().map(each).collect()
            }
        }
    }
}

fn to_upper(character: char) -> char {
    let mut all = character.to_uppercase();
    match (all.next(), all.next()) {
        (Some(one), None) => one,
        _ => one_upper(character),
    }
}

/// Of the characters whose capitals are several, those with an iota below have one too, and the others none.
fn one_upper(character: char) -> char {
    let distance = match character {
        '\u{1f80}'..='\u{1f87}' | '\u{1f90}'..='\u{1f97}' | '\u{1fa0}'..='\u{1fa7}' => 8,
        '\u{1fb3}' | '\u{1fc3}' | '\u{1ff3}' => 9,
        _ => 0,
    };
    char::from_u32(u32::from(character) + distance).unwrap_or(character)
}

/// Only `İ` is several characters, of which the first is its one.
fn to_lower(character: char) -> char {
    character.to_lowercase().next().unwrap_or(character)
}

/// Letters and the digits of all scripts; not `½` or `²`.
fn is_of_word(character: char) -> bool {
    character.is_alphabetic() || character.is_ascii_digit() || (character.is_numeric() && is_digit(character))
}

/// Whether a number is a digit: ten of them follow one another in each script.
fn is_digit(character: char) -> bool {
    let code = u32::from(character);
    let before = ZEROS.partition_point(|zero| *zero <= code);
    before.checked_sub(1).is_some_and(|at| code - ZEROS[at] < 10)
}

/// The zeros that Unicode has.
const ZEROS: &[u32] = &[
    0x0030,
    0x0660,
    0x06f0,
    0x07c0,
    0x0966,
    0x09e6,
    0x0a66,
    0x0ae6,
    0x0b66,
    0x0be6,
    0x0c66,
    0x0ce6,
    0x0d66,
    0x0de6,
    0x0e50,
    0x0ed0,
    0x0f20,
    0x1040,
    0x1090,
    0x17e0,
    0x1810,
    0x1946,
    0x19d0,
    0x1a80,
    0x1a90,
    0x1b50,
    0x1bb0,
    0x1c40,
    0x1c50,
    0xa620,
    0xa8d0,
    0xa900,
    0xa9d0,
    0xa9f0,
    0xaa50,
    0xabf0,
    0xff10,
    0x0001_04a0,
    0x0001_0d30,
    0x0001_0d40,
    0x0001_1066,
    0x0001_10f0,
    0x0001_1136,
    0x0001_11d0,
    0x0001_12f0,
    0x0001_1450,
    0x0001_14d0,
    0x0001_1650,
    0x0001_16c0,
    0x0001_16d0,
    0x0001_16da,
    0x0001_1730,
    0x0001_18e0,
    0x0001_1950,
    0x0001_1bf0,
    0x0001_1c50,
    0x0001_1d50,
    0x0001_1da0,
    0x0001_1f50,
    0x0001_6a60,
    0x0001_6ac0,
    0x0001_6b50,
    0x0001_6d70,
    0x0001_ccf0,
    0x0001_d7ce,
    0x0001_d7d8,
    0x0001_d7e2,
    0x0001_d7ec,
    0x0001_d7f6,
    0x0001_e140,
    0x0001_e2f0,
    0x0001_e4f0,
    0x0001_e5f1,
    0x0001_e950,
    0x0001_fbf0,
];

#[cfg(test)]
mod tests {
    use super::*;

    /// Expected as PostgreSQL 15 has them in C.UTF-8.
    #[test]
    fn each_character_becomes_one() {
        for (text, upper, lower, initial) in [
            ("straße", "STRAßE", "straße", "Straße"),
            ("ﬁ ŉ", "ﬁ ŉ", "ﬁ ŉ", "ﬁ ŉ"),
            ("İI", "İI", "ii", "İi"),
            ("ΑΣ", "ΑΣ", "ασ", "Ασ"),
            ("ᾳ ᾀ ῳ ΐ ᾶ", "ᾼ ᾈ ῼ ΐ ᾶ", "ᾳ ᾀ ῳ ΐ ᾶ", "ᾼ ᾈ ῼ ΐ ᾶ"),
            ("ǆ ǅ", "Ǆ Ǆ", "ǆ ǆ", "Ǆ Ǆ"),
            ("ß½a ²b ٣a 𝟗a ⓐb", "ß½A ²B ٣A 𝟗A ⒶB", "ß½a ²b ٣a 𝟗a ⓐb", "ß½A ²B ٣a 𝟗a Ⓐb"),
        ] {
            let mapped = [Case::Upper, Case::Lower, Case::Initial].map(|case| case.of(text));
            assert_eq!(mapped, [upper, lower, initial], "{text}");
        }
    }
}
