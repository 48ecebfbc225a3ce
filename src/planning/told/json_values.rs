//! JSON among the arguments of functions that make JSON of values of any types: their Arrow types tell it there, wherever the
//! values come from and whatever they are within.

use std::sync::Arc;

use arrow::{
    array::{Array, ArrayRef, StructArray},
    compute::cast,
    datatypes::DataType,
};
use datafusion::{
    common::{DFSchema, Result, exec_err, utils::take_function_args},
    logical_expr::{ColumnarValue, Expr, ScalarFunctionArgs, ScalarUDF, ScalarUDFImpl, Signature, Volatility},
};

use super::{
    super::columnar::{called_as_operand, made_of, within},
    padded, told_by,
};
use crate::pgtype::{JSON, JSONB, dimensions_of, json_value, nested};

/// Functions that make JSON of values of any types.
pub(super) const MAKING: &[&str] = &[
    "array_to_json",
    "json_build_array",
    "json_build_object",
    "json_distinct_of",
    "json_element",
    "json_entry",
    "json_line",
    "json_row",
    "jsonb_build_array",
    "jsonb_build_object",
    "row_to_json",
    "to_json",
    "to_jsonb",
];

/// The arguments of one of them: JSON and arrays of it by their Arrow types, and fixed texts with the blanks at their ends.
pub(super) fn settle(arguments: &mut [Expr], schema: &DFSchema) {
    for value in arguments {
        padded::pad(value, schema);
        let item = told_by(value, schema).map(|told| told.item().unwrap_or(told));
        if item.is_some_and(|item| [JSON.oid, JSONB.oid].contains(&item.pg.oid)) {
            let function = JsonValue { signature: Signature::any(1, Volatility::Immutable) };
            *value = ScalarUDF::new_from_impl(function).call(vec![std::mem::take(value)]);
        }
    }
}

/// `json_value(text)`. It never fails.
#[derive(Debug, PartialEq, Eq, Hash)]
struct JsonValue {
    signature: Signature,
}

fn told_apart(texts: &ArrayRef) -> Result<ArrayRef> {
    let texts = cast(texts, &DataType::Utf8View)?;
    let DataType::Struct(fields) = json_value() else { return exec_err!("a value of JSON has no fields") };
    let nulls = texts.logical_nulls();
    Ok(Arc::new(StructArray::try_new(fields, vec![texts], nulls)?))
}

impl ScalarUDFImpl for JsonValue {
    fn name(&self) -> &str {
        "json_value"
    }

    fn schema_name(&self, operands: &[Expr]) -> Result<String> {
        // It is called as what it tells apart.
        called_as_operand(self.name(), operands)
    }

    fn signature(&self) -> &Signature {
        &self.signature
    }

    fn return_type(&self, types: &[DataType]) -> Result<DataType> {
        let [value] = take_function_args(self.name(), types)?;
        Ok(nested(dimensions_of(value), json_value()))
    }

    fn invoke_with_args(&self, call: ScalarFunctionArgs) -> Result<ColumnarValue> {
        let [value] = take_function_args(self.name(), &call.args)?;
        made_of(value, |values| within(values, &told_apart))
    }
}
