//! `lpad`, `rpad` and `repeat`, whose texts have PostgreSQL's limit.
//!
//! ```sql
//! SELECT lpad(name, 8), rpad(name, -1), repeat('ab', 3)
//! ```
//!
//! The engine's make room for as many characters as they are asked for, and end the process where there is none. A length
//! below zero is asked for more than there can be, where it stands in a column or beside one.

use std::sync::Arc;

use arrow::{
    array::{ArrayRef, AsArray, Int64Array},
    compute::{cast, kernels::length::length},
    datatypes::{DataType, Int64Type},
};
use datafusion::{
    common::{DataFusionError, Result, ScalarValue},
    functions::{string, unicode},
    logical_expr::{ColumnarValue, ScalarFunctionArgs, ScalarUDF, ScalarUDFImpl, Signature},
};

use crate::{Error, Fault};

/// Less than this many bytes are made of the texts of a batch.
const LIMIT_BYTES: i128 = super::texts::LIMIT_BYTES as i128;

/// As many bytes may a character have.
const WIDEST_BYTES: i64 = 4;

/// All three functions.
pub(super) fn functions() -> [ScalarUDF; 3] {
    let pads = |inner| Padding { inner, pads: true };
    [pads(unicode::lpad()), pads(unicode::rpad()), Padding { inner: string::repeat(), pads: false }]
        .map(ScalarUDF::from)
}

#[derive(Debug, PartialEq, Eq, Hash)]
struct Padding {
    inner: Arc<ScalarUDF>,
    /// The number is one of characters, and not one of texts.
    pads: bool,
}

impl ScalarUDFImpl for Padding {
    fn name(&self) -> &str {
        self.inner.name()
    }

    fn signature(&self) -> &Signature {
        self.inner.signature()
    }

    fn return_type(&self, types: &[DataType]) -> Result<DataType> {
        self.inner.return_type(types)
    }

    fn invoke_with_args(&self, mut call: ScalarFunctionArgs) -> Result<ColumnarValue> {
        let is_one = call.args.iter().all(|argument| matches!(argument, ColumnarValue::Scalar(_)));
        let rows = if is_one { 1 } else { call.number_rows };
        // Of NULL there is no text.
        if let [text, numbers, fill @ ..] = call.args.as_mut_slice()
            && !text.data_type().is_null()
            && !numbers.data_type().is_null()
        {
            let asked = per_row(numbers, rows, |numbers| Ok(Arc::clone(numbers)))?;
            let asked: Int64Array = asked.unary(|number: i64| number.max(0));
            match self.pads {
                true => check_padded(&asked, fill.first())?,
                false => check(&asked, &per_row(text, rows, |texts| Ok(length(texts)?))?)?,
            }
            *numbers = match numbers {
                ColumnarValue::Array(_) => ColumnarValue::Array(Arc::new(asked)),
                ColumnarValue::Scalar(number) => ColumnarValue::Scalar(not_negative(number)?),
            };
        }
        self.inner.invoke_with_args(call)
    }
}

/// Whole numbers of rows, which a constant is for all of them.
fn per_row(values: &ColumnarValue, rows: usize, measure: impl Fn(&ArrayRef) -> Result<ArrayRef>) -> Result<Int64Array> {
    let measured = match values {
        ColumnarValue::Array(values) => measure(values)?,
        ColumnarValue::Scalar(value) => {
            ScalarValue::try_from_array(&measure(&value.to_array()?)?, 0)?.to_array_of_size(rows)?
        }
    };
    Ok(cast(&measured, &DataType::Int64)?.as_primitive::<Int64Type>().clone())
}

fn not_negative(number: &ScalarValue) -> Result<ScalarValue> {
    Ok(match number.cast_to(&DataType::Int64)? {
        ScalarValue::Int64(number) => ScalarValue::Int64(number.map(|number| number.max(0))),
        other => other,
    })
}

/// Refuses texts of so many characters, each of which may be as wide as there are, and all of them together.
fn check_padded(characters: &Int64Array, fill: Option<&ColumnarValue>) -> Result<()> {
    let longest = characters.iter().flatten().max().unwrap_or(0);
    if i128::from(longest) * i128::from(WIDEST_BYTES) >= LIMIT_BYTES {
        return Err(too_large());
    }
    let width = match fill {
        None => 1,
        Some(ColumnarValue::Scalar(fill)) if fill.try_as_str().flatten().is_none_or(str::is_ascii) => 1,
        Some(_) => WIDEST_BYTES,
    };
    check(characters, &Int64Array::from_value(width, characters.len()))
}

/// Refuses so many times so many bytes.
fn check(counts: &Int64Array, bytes: &Int64Array) -> Result<()> {
    let each = counts.iter().zip(bytes.iter()).filter_map(|(count, bytes)| Some((count?, bytes?)));
    let total: i128 = each.map(|(count, bytes)| i128::from(count) * i128::from(bytes)).sum();
    if total >= LIMIT_BYTES { Err(too_large()) } else { Ok(()) }
}

fn too_large() -> DataFusionError {
    Error::new(Fault::LimitExceeded, "requested length too large").into()
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;

    fn numbers(numbers: &[i64]) -> Int64Array {
        Int64Array::from(numbers.to_vec())
    }

    #[test]
    fn texts_of_a_batch_are_limited() {
        assert!(check(&numbers(&[1 << 29, 0]), &numbers(&[1, i64::MAX])).is_ok());
        assert!(check(&numbers(&[1 << 29, 1 << 29]), &numbers(&[1, 1])).is_err());
        assert!(check(&numbers(&[i64::MAX]), &numbers(&[i64::MAX])).is_err());
        let fill = |fill: &str| ColumnarValue::Scalar(ScalarValue::from(fill));
        let many = numbers(&[1 << 27; 4]);
        assert!(check_padded(&many, Some(&fill("x"))).is_ok());
        assert!(check_padded(&many, Some(&fill("ä"))).is_err());
        assert!(check_padded(&numbers(&[1 << 28]), None).is_err());
    }
}
