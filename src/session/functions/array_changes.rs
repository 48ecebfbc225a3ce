//! `array_remove` and `array_replace` change all elements that are equal, as in PostgreSQL, and NULL is equal to NULL.
//!
//! ```sql
//! SELECT array_remove(ARRAY[1, 2, 1], 1), array_remove(ARRAY[1, NULL], NULL), array_replace(ARRAY[1, 2, 1], 1, 9)
//! ```
//!
//! DataFusion's of these names change the first alone; those that change all take NULL for no element.

use std::sync::Arc;

use arrow::{
    array::{Array, ArrayRef, AsArray, ListArray},
    buffer::OffsetBuffer,
    compute::{filter, is_not_null, is_null, kernels::zip::zip},
    datatypes::{DataType, FieldRef},
};
use datafusion::{
    common::{Result, ScalarValue},
    functions_nested::{remove::array_remove_all_udf, replace::array_replace_all_udf},
    logical_expr::{ColumnarValue, ReturnFieldArgs, ScalarFunctionArgs, ScalarUDF, ScalarUDFImpl, Signature},
};

/// Both functions.
pub(super) fn functions() -> [ScalarUDF; 2] {
    [("array_remove", array_remove_all_udf()), ("array_replace", array_replace_all_udf())].map(|(name, all)| {
        let aliases = vec![name.replace("array", "list")];
        ScalarUDF::from(ChangeAll { name, aliases, all })
    })
}

#[derive(Debug, PartialEq, Eq, Hash)]
struct ChangeAll {
    name: &'static str,
    aliases: Vec<String>,
    all: Arc<ScalarUDF>,
}

impl ScalarUDFImpl for ChangeAll {
    fn name(&self) -> &str {
        self.name
    }

    fn aliases(&self) -> &[String] {
        &self.aliases
    }

    fn signature(&self) -> &Signature {
        self.all.signature()
    }

    fn return_type(&self, arguments: &[DataType]) -> Result<DataType> {
        self.all.return_type(arguments)
    }

    fn return_field_from_args(&self, arguments: ReturnFieldArgs) -> Result<FieldRef> {
        self.all.return_field_from_args(arguments)
    }

    fn invoke_with_args(&self, call: ScalarFunctionArgs) -> Result<ColumnarValue> {
        let rows = call.number_rows;
        let removed = match call.args.as_slice() {
            [lists, element] if self.name == "array_remove" => Some((lists.to_array(rows)?, element.to_array(rows)?)),
            _ => None,
        };
        let is_one = call.args.iter().all(|argument| matches!(argument, ColumnarValue::Scalar(_)));
        let changed = self.all.inner().invoke_with_args(call)?;
        let Some((lists, elements)) = removed else { return Ok(changed) };
        let (Some(of_lists), true) = (lists.as_list_opt::<i32>(), elements.null_count() > 0) else {
            return Ok(changed);
        };
        let known: ArrayRef = Arc::new(without_nulls(of_lists)?);
        let changed = zip(&is_null(&elements)?, &known, &changed.into_array(lists.len())?)?;
        Ok(match is_one {
            true => ColumnarValue::Scalar(ScalarValue::try_from_array(&changed, 0)?),
            false => ColumnarValue::Array(changed),
        })
    }
}

/// The lists without their NULLs.
fn without_nulls(lists: &ListArray) -> Result<ListArray> {
    let DataType::List(field) = lists.data_type() else { return Ok(lists.clone()) };
    let offsets = lists.value_offsets();
    let (first, last) = match offsets {
        [first, .., last] => (*first as usize, *last as usize),
        _ => (0, 0),
    };
    let values = lists.values().slice(first, last - first);
    let known = is_not_null(&values)?;
    let lengths = offsets.windows(2).map(|pair| {
        let length = (pair[1] - pair[0]) as usize;
        known.slice(pair[0] as usize - first, length).true_count()
    });
    let offsets = OffsetBuffer::from_lengths(lengths);
    Ok(ListArray::try_new(Arc::clone(field), offsets, filter(&values, &known)?, lists.nulls().cloned())?)
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use arrow::datatypes::Int32Type;

    use super::*;

    #[test]
    fn lists_lose_their_nulls() {
        let of = |lists: Vec<Option<Vec<Option<i32>>>>| ListArray::from_iter_primitive::<Int32Type, _, _>(lists);
        let lists =
            of(vec![Some(vec![None]), Some(vec![Some(1), None, Some(2)]), None, Some(vec![]), Some(vec![None])]);
        let expected = of(vec![Some(vec![Some(1), Some(2)]), None, Some(vec![]), Some(vec![])]);
        assert_eq!(without_nulls(&lists.slice(1, 4)).unwrap(), expected);
    }
}
