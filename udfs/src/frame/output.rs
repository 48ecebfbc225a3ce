//! Codes as Arrow values again.

use std::sync::Arc;

use arrow::{
    array::{ArrayRef, BooleanArray, Int64Array, StringArray},
    compute::cast,
    datatypes::DataType,
};
use fusewire_learn::Dictionary;

use crate::error::{Error, Result};

/// What codes stand for, as an array of the trained type; codes without a value ([`fusewire_learn::NULL`],
/// [`fusewire_learn::UNSEEN`]) become NULL.
///
/// # Errors
/// [`Error::Internal`] if the dictionary does not hold values of the type.
pub fn keys(dictionary: &Dictionary, codes: impl Iterator<Item = u32>, data_type: &DataType) -> Result<ArrayRef> {
    let values: ArrayRef = match dictionary {
        Dictionary::Text(values) => {
            Arc::new(codes.map(|code| values.get(code as usize).map(String::as_str)).collect::<StringArray>())
        }
        Dictionary::Integer(values) => {
            Arc::new(codes.map(|code| values.get(code as usize).copied()).collect::<Int64Array>())
        }
        Dictionary::Boolean => Arc::new(codes.map(|code| (code < 2).then_some(code == 1)).collect::<BooleanArray>()),
    };
    cast(&values, data_type).map_err(|error| Error::Internal(format!("cannot write keys as {data_type}: {error}")))
}
