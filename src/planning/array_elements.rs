//! The elements of arrays of several dimensions, in one: what `unnest` yields of them, which the engine unnests one list at a time.

use std::sync::Arc;

use arrow::{
    array::{Array, ArrayRef, AsArray, ListArray},
    buffer::OffsetBuffer,
    datatypes::{DataType, Field, FieldRef},
};
use datafusion::{
    common::{Result, utils::take_function_args},
    logical_expr::{
        ColumnarValue, Expr, LogicalPlan, Projection, ReturnFieldArgs, ScalarFunctionArgs, ScalarUDF, ScalarUDFImpl,
        Signature, Volatility,
    },
};

use super::{ELEMENTS_OF, columnar::made_of, told::said};
use crate::{
    fault::{Failure, Fault},
    pgtype::{self, ColumnType, only_told, told},
};

/// The function that the argument of `unnest` is written in.
pub(crate) fn function() -> ScalarUDF {
    ScalarUDF::from(ElementsOf { signature: Signature::any(1, Volatility::Immutable) })
}

/// What takes arrays apart, below a projection that says of the elements what the fields of the arrays say; any other node as it
/// is.
pub(super) fn with_types(node: LogicalPlan) -> Result<LogicalPlan> {
    let LogicalPlan::Unnest(unnest) = &node else { return Ok(node) };
    let items: Vec<Option<ColumnType>> = unnest
        .dependency_indices
        .iter()
        .map(|at| {
            let is_list = unnest.list_type_columns.iter().any(|(list, _)| list == at);
            told(unnest.input.schema().fields().get(*at).filter(|_| is_list)?)?.item()?.unmodified()
        })
        .collect();
    if items.iter().all(Option::is_none) {
        return Ok(node);
    }
    let schema = Arc::clone(node.schema());
    let columns = schema.columns().into_iter().zip(schema.iter()).zip(items);
    let columns = columns.map(|((column, (qualifier, field)), item)| match item {
        Some(item) => {
            let element = said(Expr::Column(column), field.data_type().clone(), Some(item));
            element.alias_qualified(qualifier.cloned(), field.name())
        }
        None => Expr::Column(column),
    });
    let columns = columns.collect();
    Ok(LogicalPlan::Projection(Projection::try_new(columns, Arc::new(node))?))
}

/// `elements_of(array)`. It never fails.
#[derive(Debug, PartialEq, Eq, Hash)]
struct ElementsOf {
    signature: Signature,
}

impl ScalarUDFImpl for ElementsOf {
    fn name(&self) -> &str {
        ELEMENTS_OF
    }

    fn signature(&self) -> &Signature {
        &self.signature
    }

    fn return_type(&self, types: &[DataType]) -> Result<DataType> {
        let [array] = take_function_args(self.name(), types)?;
        if !array.is_nested() && !array.is_null() {
            let message = format!("function unnest({}) does not exist", pgtype::type_name(array));
            return Err(Failure::new(Fault::UndefinedFunction, message).into());
        }
        Ok(elements(array).map_or_else(|| array.clone(), |field| DataType::List(Arc::clone(field))))
    }

    fn return_field_from_args(&self, arguments: ReturnFieldArgs) -> Result<FieldRef> {
        let [array] = take_function_args(self.name(), arguments.arg_fields)?;
        let elements = self.return_type(std::slice::from_ref(array.data_type()))?;
        Ok(Arc::new(Field::new(self.name(), elements, true).with_metadata(only_told(array))))
    }

    fn invoke_with_args(&self, call: ScalarFunctionArgs) -> Result<ColumnarValue> {
        let [arrays] = take_function_args(self.name(), &call.args)?;
        made_of(arrays, in_one)
    }
}

/// The innermost lists' elements of lists within lists.
fn elements(array: &DataType) -> Option<&Arc<Field>> {
    match array {
        DataType::List(field) => Some(elements(field.data_type()).unwrap_or(field)),
        _ => None,
    }
}

fn in_one(arrays: &ArrayRef) -> Result<ArrayRef> {
    let mut arrays = Arc::clone(arrays);
    while let Some(outer) = arrays.as_list_opt::<i32>()
        && let Some(inner) = outer.values().as_list_opt::<i32>()
        && let DataType::List(field) = inner.data_type()
    {
        let offsets = inner.value_offsets();
        // Where each list of lists begins and ends, they do.
        let ends = outer.value_offsets().iter().filter_map(|at| offsets.get(usize::try_from(*at).ok()?).copied());
        let offsets = OffsetBuffer::new(ends.collect());
        let values = Arc::clone(inner.values());
        arrays = Arc::new(ListArray::try_new(Arc::clone(field), offsets, values, outer.nulls().cloned())?);
    }
    Ok(arrays)
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use arrow::datatypes::Int32Type;

    use super::*;

    #[test]
    fn lists_of_lists_become_lists() {
        let inner = ListArray::from_iter_primitive::<Int32Type, _, _>([
            Some(vec![Some(1), None]),
            Some(vec![Some(3), Some(4)]),
            Some(vec![]),
            Some(vec![Some(5)]),
        ]);
        let field = Arc::new(Field::new_list_field(inner.data_type().clone(), true));
        let offsets = OffsetBuffer::<i32>::from_lengths([2, 0, 1, 1]);
        let outer: ArrayRef = Arc::new(ListArray::try_new(field, offsets, Arc::new(inner), None).unwrap());
        let expected = ListArray::from_iter_primitive::<Int32Type, _, _>([
            Some(vec![Some(1), None, Some(3), Some(4)]),
            Some(vec![]),
            Some(vec![]),
            Some(vec![Some(5)]),
        ]);
        let flat = in_one(&outer).unwrap();
        assert_eq!(flat.as_list::<i32>(), &expected);
        assert_eq!(in_one(&flat).unwrap().as_list::<i32>(), &expected);
        let types = [outer.data_type().clone()];
        assert_eq!(&function().inner().return_type(&types).unwrap(), flat.data_type());
        let refused = function().inner().return_type(&[DataType::Int32]).unwrap_err().to_string();
        assert!(refused.contains("function unnest(integer) does not exist"), "{refused}");
    }
}
