//! `split_part` with a negative number counts the parts that it has with a positive one from the end, as in PostgreSQL.
//!
//! ```sql
//! SELECT split_part('ababa', 'aba', -1)
//! ```
//!
//! DataFusion's looks for delimiters from the end, and finds others where they overlap.

use std::sync::Arc;

use arrow::{
    array::AsArray,
    compute::cast,
    datatypes::{DataType, Int64Type},
};
use datafusion::{
    common::{Result, ScalarValue, utils::take_function_args},
    functions::string::split_part,
    logical_expr::{ColumnarValue, ScalarFunctionArgs, ScalarUDF, ScalarUDFImpl, Signature},
};

use super::texts::{Texts, array, result, rows};
use crate::{Error, Fault, interrupt::step};

/// The function.
pub(super) fn function() -> ScalarUDF {
    ScalarUDF::from(SplitPart { inner: split_part() })
}

#[derive(Debug, PartialEq, Eq, Hash)]
struct SplitPart {
    inner: Arc<ScalarUDF>,
}

impl ScalarUDFImpl for SplitPart {
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
        // It is the same as long as no two delimiters overlap, and from the start.
        let is_same = match call.args.as_slice() {
            [_, _, ColumnarValue::Scalar(ScalarValue::Int64(Some(place)))] if *place > 0 => true,
            [_, ColumnarValue::Scalar(delimiter), ColumnarValue::Scalar(ScalarValue::Int64(Some(place)))] => {
                *place < 0 && delimiter.try_as_str().flatten().is_none_or(|delimiter| delimiter.len() < 2)
            }
            _ => false,
        };
        if is_same {
            return self.inner.invoke_with_args(call);
        }
        let rows = rows(&call.args, call.number_rows);
        let [texts, delimiters, places] = take_function_args(self.name(), &call.args)?;
        let (texts, delimiters) = (Texts::of(texts)?, Texts::of(delimiters)?);
        let places = cast(&places.to_array(rows)?, &DataType::Int64)?;
        let each = places.as_primitive::<Int64Type>().iter().enumerate();
        let parts = each.map(|(row, place)| {
            step()?;
            match (texts.get(row), delimiters.get(row), place) {
                (Some(text), Some(delimiter), Some(place)) => part(text, delimiter, place).map(Some),
                _ => Ok(None),
            }
        });
        let parts = parts.collect::<Result<Vec<Option<&str>>>>()?;
        result(&call.args, array(parts, call.return_type()))
    }
}

/// A part of a text by its place from 1 on, or from the end on.
fn part<'a>(text: &'a str, delimiter: &str, place: i64) -> Result<&'a str> {
    if place == 0 {
        return Err(Error::new(Fault::InvalidArgument, "field position must not be zero").into());
    }
    let distance = usize::try_from(place.unsigned_abs()).unwrap_or(usize::MAX);
    let found = match delimiter {
        // It is nowhere.
        "" => (distance == 1).then_some(text),
        _ if place > 0 => text.split(delimiter).nth(distance - 1),
        _ => {
            let parts = text.matches(delimiter).count() + 1;
            parts.checked_sub(distance).and_then(|at| text.split(delimiter).nth(at))
        }
    };
    Ok(found.unwrap_or_default())
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;

    /// Expected as PostgreSQL 15 has them.
    #[test]
    fn parts_are_the_same_from_both_ends() {
        for (text, delimiter, place, expected) in [
            ("aaa", "aa", -1, "a"),
            ("aaa", "aa", 2, "a"),
            ("ababa", "aba", -1, "ba"),
            ("ababa", "aba", -2, ""),
            ("ababa", "aba", -3, ""),
            ("", "aa", -1, ""),
            ("abc", "", -1, "abc"),
            ("abc", "", -2, ""),
            ("a,b,c", ",", -2, "b"),
            ("a,b,c", ",", i64::MIN, ""),
        ] {
            assert_eq!(part(text, delimiter, place).unwrap(), expected, "{text} {delimiter} {place}");
        }
        assert!(part("a", "b", 0).is_err());
    }
}
