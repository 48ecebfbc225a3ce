//! The check that a scalar subquery has one row: made where its value is used, so that a CASE can guard it.

use std::sync::Arc;

use arrow::{
    array::{ArrayRef, AsArray, Int64Array},
    datatypes::{DataType, Field, FieldRef, Int64Type},
};
use datafusion::{
    common::{Result, ScalarValue, tree_node::TreeNode},
    logical_expr::{
        ColumnarValue, Expr, ReturnFieldArgs, ScalarFunctionArgs, ScalarUDF, ScalarUDFImpl, Signature, Volatility,
    },
};

use crate::fault::{Failure, Fault};

/// The value of a subquery's first row and the number of its rows, or both as one struct, as the subquery's value.
pub(super) fn single_row(arguments: Vec<Expr>) -> Expr {
    ScalarUDF::new_from_impl(SingleRow { signature: Signature::any(arguments.len(), Volatility::Immutable) })
        .call(arguments)
}

/// Whether the check is part of an expression.
pub(super) fn is_within(expression: &Expr) -> bool {
    let is_check = |part: &Expr| matches!(part, Expr::ScalarFunction(call) if call.func.inner().is::<SingleRow>());
    expression.exists(|part| Ok(is_check(part))).unwrap_or(false)
}

#[derive(Debug, PartialEq, Eq, Hash)]
struct SingleRow {
    signature: Signature,
}

impl ScalarUDFImpl for SingleRow {
    fn name(&self) -> &str {
        "single_row"
    }

    fn signature(&self) -> &Signature {
        &self.signature
    }

    fn return_type(&self, arguments: &[DataType]) -> Result<DataType> {
        match arguments {
            [DataType::Struct(fields)] if !fields.is_empty() => Ok(fields[0].data_type().clone()),
            [value, _] => Ok(value.clone()),
            _ => Err(super::internal("single_row takes a value and a count")),
        }
    }

    fn return_field_from_args(&self, arguments: ReturnFieldArgs<'_>) -> Result<FieldRef> {
        let types: Vec<DataType> = arguments.arg_fields.iter().map(|field| field.data_type().clone()).collect();
        // Without a row the value is NULL, whatever the column says.
        Ok(Arc::new(Field::new(self.name(), self.return_type(&types)?, true)))
    }

    fn invoke_with_args(&self, arguments: ScalarFunctionArgs) -> Result<ColumnarValue> {
        let scalar = arguments.args.iter().all(|argument| matches!(argument, ColumnarValue::Scalar(_)));
        let rows = if scalar { 1 } else { arguments.number_rows };
        let arrays =
            arguments.args.into_iter().map(|argument| argument.into_array(rows)).collect::<Result<Vec<ArrayRef>>>()?;
        let (value, counts) = match arrays.as_slice() {
            [row] => {
                let row = row.as_struct();
                (Arc::clone(row.column(0)), Arc::clone(row.column(1)))
            }
            [value, counts] => (Arc::clone(value), Arc::clone(counts)),
            _ => return Err(super::internal("single_row takes a value and a count")),
        };
        check(counts.as_primitive::<Int64Type>())?;
        match scalar {
            true => Ok(ColumnarValue::Scalar(ScalarValue::try_from_array(&value, 0)?)),
            false => Ok(ColumnarValue::Array(value)),
        }
    }
}

fn check(counts: &Int64Array) -> Result<()> {
    if counts.iter().flatten().any(|rows| rows > 1) {
        let message = "more than one row returned by a subquery used as an expression";
        return Err(Failure::new(Fault::CardinalityViolation, message).into());
    }
    Ok(())
}
