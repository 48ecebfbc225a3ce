//! JSON: what it is made of and made from, its parts, and of `jsonb` what is in it and what becomes of it. The operators `->`,
//! `#>>`, `@>`, … are these functions.

mod build;
mod change;
mod collect;
mod contain;
mod elements;
mod inspect;
mod part;
mod write;

use arrow::array::{Array, StringArray, StringViewArray};

use super::{Call, Function, array::Lists, call::BYTES_OF_STEP};
use crate::{
    fault::{Failure, Fault, Result},
    interrupt::steps,
    pgtype::{Json, NoJson},
    print,
};

pub(super) const ROOM: &[&Function] = &[
    &build::ARRAY_TO_JSON,
    &build::JSONB_BUILD_ARRAY,
    &build::JSONB_BUILD_OBJECT,
    &build::JSONB_OBJECT,
    &build::JSON_BUILD_ARRAY,
    &build::JSON_BUILD_OBJECT,
    &build::JSON_LINE,
    &build::JSON_OBJECT,
    &build::JSON_ROW,
    &build::ROW_TO_JSON,
    &build::TO_JSON,
    &build::TO_JSONB,
    &change::JSONB_CONCAT,
    &change::JSONB_DELETE,
    &change::JSONB_DELETE_OF,
    &change::JSONB_DELETE_PATH,
    &change::JSONB_SET,
    &collect::JSONB_AGG_OF,
    &collect::JSONB_OBJECT_AGG_OF,
    &collect::JSON_AGG_OF,
    &collect::JSON_DISTINCT_OF,
    &collect::JSON_ELEMENT,
    &collect::JSON_ENTRY,
    &collect::JSON_OBJECT_AGG_OF,
    &contain::JSONB_CONTAINED,
    &contain::JSONB_CONTAINS,
    &contain::JSONB_EXISTS,
    &contain::JSONB_EXISTS_ALL,
    &contain::JSONB_EXISTS_ANY,
    &elements::JSONB_ARRAY_ELEMENTS,
    &elements::JSONB_ARRAY_ELEMENTS_TEXT,
    &elements::JSONB_OBJECT_KEYS,
    &elements::JSON_ARRAY_ELEMENTS,
    &elements::JSON_ARRAY_ELEMENTS_TEXT,
    &elements::JSON_OBJECT_KEYS,
    &inspect::JSONB_ARRAY_LENGTH,
    &inspect::JSONB_PRETTY,
    &inspect::JSONB_STRIP_NULLS,
    &inspect::JSONB_TYPEOF,
    &inspect::JSON_ARRAY_LENGTH,
    &inspect::JSON_STRIP_NULLS,
    &inspect::JSON_TYPEOF,
    &part::JSONB_ARRAY_ELEMENT,
    &part::JSONB_ARRAY_ELEMENT_TEXT,
    &part::JSONB_EXTRACT_PATH,
    &part::JSONB_EXTRACT_PATH_OF,
    &part::JSONB_EXTRACT_PATH_TEXT,
    &part::JSONB_EXTRACT_PATH_TEXT_OF,
    &part::JSONB_OBJECT_FIELD,
    &part::JSONB_OBJECT_FIELD_TEXT,
    &part::JSON_ARRAY_ELEMENT,
    &part::JSON_ARRAY_ELEMENT_TEXT,
    &part::JSON_EXTRACT_PATH,
    &part::JSON_EXTRACT_PATH_OF,
    &part::JSON_EXTRACT_PATH_TEXT,
    &part::JSON_EXTRACT_PATH_TEXT_OF,
    &part::JSON_OBJECT_FIELD,
    &part::JSON_OBJECT_FIELD_TEXT,
];

/// Why a text is no JSON, as PostgreSQL says it, which calls the type so whichever of the two it is.
pub(crate) fn no_json(unfit: NoJson) -> Failure {
    let (fault, message) = match unfit {
        NoJson::Syntax => (Fault::InvalidText, "invalid input syntax for type json"),
        NoJson::Escape => (Fault::Untranslatable, "unsupported Unicode escape sequence"),
        NoJson::Digits => (Fault::NumericOutOfRange, "value overflows numeric format"),
        NoJson::Deep => (Fault::TooComplex, "objects and arrays of JSON nest too deep; at most 1000 levels are read"),
    };
    Failure::new(fault, message)
}

/// The value of a text of `jsonb`.
fn read(text: &str) -> Result<Json> {
    steps(text.len() / BYTES_OF_STEP)?;
    Json::read(text).map_err(no_json)
}

/// Arrays of texts.
struct TextArrays {
    lists: Lists,
    texts: StringArray,
}

impl TextArrays {
    fn of(call: &Call<'_>, at: usize) -> Result<Self> {
        let lists = Lists::of(call.argument(at)?)?;
        let texts = print::texts(&lists.leaves, print::Form::default())?;
        Ok(Self { lists, texts })
    }

    /// The lengths of the dimensions of the array of a row; none of an empty one.
    fn dimensions(&self, row: usize) -> Vec<usize> {
        self.lists.array(row).map(|array| array.dimensions).unwrap_or_default()
    }

    /// The elements of the array of a row, which is not NULL.
    fn array(&self, row: usize) -> Vec<Option<&str>> {
        let elements = self.lists.array(row).map(|array| array.elements).unwrap_or_default();
        elements.map(|at| self.texts.is_valid(at).then(|| self.texts.value(at))).collect()
    }

    /// The same of an array that may have one dimension alone.
    fn list(&self, row: usize) -> Result<Vec<Option<&str>>> {
        if self.lists.array(row).is_some_and(|array| array.dimensions.len() > 1) {
            return Err(Failure::new(Fault::ArraySubscript, "wrong number of array subscripts"));
        }
        Ok(self.array(row))
    }
}

/// The texts behind a value: an array of them, or each in an argument of its own.
enum Texts<'a> {
    Array(TextArrays),
    Each(Vec<&'a StringViewArray>),
}

impl<'a> Texts<'a> {
    fn of(call: &Call<'a>) -> Result<Self> {
        match call.argument(1)?.data_type() {
            own if own.is_string() => (1..call.len()).map(|at| call.texts(at)).collect::<Result<_>>().map(Self::Each),
            _ => TextArrays::of(call, 1).map(Self::Array),
        }
    }

    /// Those of a row in which no array is NULL.
    fn of_row(&self, row: usize) -> Vec<Option<&str>> {
        match self {
            Self::Array(arrays) => arrays.array(row),
            Self::Each(texts) => texts.iter().map(|texts| texts.is_valid(row).then(|| texts.value(row))).collect(),
        }
    }

    /// The same of an array that may have one dimension alone.
    fn list_of_row(&self, row: usize) -> Result<Vec<Option<&str>>> {
        match self {
            Self::Array(arrays) => arrays.list(row),
            Self::Each(_) => Ok(self.of_row(row)),
        }
    }
}
