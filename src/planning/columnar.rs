//! A function of one operand over what the engine calls it with: a column, or a constant that stands for one.

use arrow::array::ArrayRef;
use datafusion::{
    common::{Result, ScalarValue},
    logical_expr::ColumnarValue,
};

/// What a function makes of a column; of a constant, the constant that it makes of a column of one row.
pub(super) fn made_of(
    operand: &ColumnarValue,
    make: impl FnOnce(&ArrayRef) -> Result<ArrayRef>,
) -> Result<ColumnarValue> {
    Ok(match operand {
        ColumnarValue::Array(values) => ColumnarValue::Array(make(values)?),
        ColumnarValue::Scalar(value) => {
            let made = make(&value.to_array()?)?;
            ColumnarValue::Scalar(ScalarValue::try_from_array(&made, 0)?)
        }
    })
}
