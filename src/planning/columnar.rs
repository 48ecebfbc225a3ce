//! A function of one operand over what the engine calls it with: a column, or a constant that stands for one; and what its call is
//! called and gives.

use std::sync::Arc;

use arrow::{
    array::{Array, ArrayRef, AsArray, ListArray, UInt64Array},
    compute::{is_null, nullif, take},
    datatypes::{DataType, Field, FieldRef},
};
use datafusion::{
    common::{Result, ScalarValue, utils::take_function_args},
    logical_expr::{ColumnarValue, Expr, ReturnFieldArgs},
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

/// The name of a call that is not to be seen: that of its operand.
pub(super) fn called_as_operand(function: &str, operands: &[Expr]) -> Result<String> {
    let [operand] = take_function_args(function, operands)?;
    Ok(operand.schema_name().to_string())
}

/// The field of what a call gives that is NULL where an operand is.
pub(super) fn field_of(name: &str, data_type: DataType, arguments: &ReturnFieldArgs<'_>) -> FieldRef {
    let nullable = arguments.arg_fields.iter().any(|field| field.is_nullable());
    Arc::new(Field::new(name, data_type, nullable))
}

/// What a function has made, in columns of one row where all that it was called with is constant, as it is called with it.
pub(super) fn as_called(arguments: &[ColumnarValue], made: ArrayRef) -> Result<ColumnarValue> {
    Ok(match arguments.iter().all(|argument| matches!(argument, ColumnarValue::Scalar(_))) {
        true => ColumnarValue::Scalar(ScalarValue::try_from_array(&made, 0)?),
        false => ColumnarValue::Array(made),
    })
}

/// The values that groups show, of the keys that they have; NULL where the key is, as in the rows of a grouping set without it.
pub(super) fn where_keys(keys: &ArrayRef, values: &ArrayRef) -> Result<ArrayRef> {
    Ok(if keys.null_count() == 0 { Arc::clone(values) } else { nullif(values, &is_null(keys)?)? })
}

/// What a function makes of the values that are in lists, where they are; of a column of others, of these.
pub(super) fn within(values: &ArrayRef, make: &dyn Fn(&ArrayRef) -> Result<ArrayRef>) -> Result<ArrayRef> {
    let Some(lists) = values.as_list_opt::<i32>() else { return make(values) };
    // What stands between lists or behind NULL is left out: nobody sees it, and the function may fail on it.
    let ends = lists.value_offsets();
    let are_all_seen = lists.null_count() == 0
        && ends.first() == Some(&0)
        && ends.last().is_some_and(|end| usize::try_from(*end) == Ok(lists.values().len()));
    let seen = match are_all_seen {
        true => Arc::clone(values),
        false => take(values, &UInt64Array::from_iter_values((0..).take(values.len())), None)?,
    };
    let lists = seen.as_list::<i32>();
    let made = within(lists.values(), make)?;
    let item = Arc::new(Field::new_list_field(made.data_type().clone(), true));
    Ok(Arc::new(ListArray::try_new(item, lists.offsets().clone(), made, lists.nulls().cloned())?))
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use arrow::{
        array::{Int64Array, StringArray},
        buffer::{NullBuffer, OffsetBuffer},
        compute::cast,
        datatypes::Int64Type,
    };
    use datafusion::common::exec_err;

    use super::*;

    #[test]
    fn only_values_that_are_seen_are_made_others() {
        let texts: ArrayRef = Arc::new(StringArray::from(vec![Some("1"), Some("x"), Some("2"), None, Some("y")]));
        let item = Arc::new(Field::new_list_field(DataType::Utf8, true));
        let offsets = OffsetBuffer::from_lengths([1, 1, 2, 1]);
        let lists = ListArray::new(item, offsets, texts, Some(NullBuffer::from(vec![true, false, true, true])));
        // The second list is NULL, and the last is cut off.
        let lists: ArrayRef = Arc::new(lists.slice(0, 3));
        let numbers = |texts: &ArrayRef| -> Result<ArrayRef> {
            if texts.as_string::<i32>().iter().flatten().any(|text| text > "9") {
                return exec_err!("it has seen what nobody sees");
            }
            Ok(cast(texts, &DataType::Int64)?)
        };
        let made = within(&lists, &numbers).unwrap();
        let made = made.as_list::<i32>();
        assert_eq!(made.value(0).as_primitive::<Int64Type>(), &Int64Array::from(vec![1]));
        assert!(made.is_null(1));
        assert_eq!(made.value(2).as_primitive::<Int64Type>(), &Int64Array::from(vec![Some(2), None]));
    }
}
