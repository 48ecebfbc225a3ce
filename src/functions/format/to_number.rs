//! `to_number`: the number that a text says as a template has it.
//!
//! ```sql
//! SELECT to_number('12,454.8-', '99G999D9S')
//! ```

use std::sync::Arc;

use arrow::{
    array::{ArrayRef, Decimal128Array, Decimal256Array},
    datatypes::{DataType, i256},
    error::ArrowError,
};

use super::{Last, decimal::Decimal, picture::Picture};
use crate::{
    fault::{Failure, Fault, Result},
    functions::{Call, Function, Overload},
    pgtype::{NUMERIC, TEXT},
};

pub(super) static TO_NUMBER: Function = Function {
    name: "to_number",
    purpose: "The number that a text says as a template has it",
    example: "to_number('12,454-', '99G999S')::bigint",
    shows: "-12454",
    overloads: &[Overload::new(&[TEXT, TEXT], NUMERIC, to_number).stable()],
};

fn to_number(call: &Call<'_>) -> Result<ArrayRef> {
    let made = |_: ArrowError| Failure::new(Fault::Internal, "a numeric has digits that there cannot be");
    match call.result() {
        DataType::Decimal128(precision, scale) => {
            let values = unscaled(call, *precision, *scale, |digits| digits.parse::<i128>().ok())?;
            let values: Decimal128Array = values.into_iter().collect();
            Ok(Arc::new(values.with_precision_and_scale(*precision, *scale).map_err(made)?))
        }
        DataType::Decimal256(precision, scale) => {
            let values = unscaled(call, *precision, *scale, i256::from_string)?;
            let values: Decimal256Array = values.into_iter().collect();
            Ok(Arc::new(values.with_precision_and_scale(*precision, *scale).map_err(made)?))
        }
        other => Err(Failure::new(Fault::Internal, format!("a numeric is not {other}"))),
    }
}

/// The numbers as whole ones divided by ten to the scale; a template without a character yields NULL.
fn unscaled<T>(call: &Call<'_>, precision: u8, scale: i8, parse: impl Fn(&str) -> Option<T>) -> Result<Vec<Option<T>>> {
    let (texts, templates) = (call.texts(0)?, call.texts(1)?);
    let mut last = Last::new(Picture::parse);
    call.each(|row| {
        let template = templates.value(row);
        if template.is_empty() {
            return Ok(None);
        }
        let (digits, places) = last.of(template)?.read(texts.value(row))?;
        let number = Decimal::new(&digits, i32::try_from(places).unwrap_or(i32::MAX));
        let number = number.rounded(usize::try_from(scale).unwrap_or_default());
        let found = (number.precision() <= usize::from(precision)).then(|| parse(&number.unscaled())).flatten();
        found.map(Some).ok_or_else(|| Failure::new(Fault::NumericOutOfRange, "numeric field overflow"))
    })
}
