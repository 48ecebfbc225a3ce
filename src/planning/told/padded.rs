//! Fixed texts with the blanks at their ends, which are kept without: where PostgreSQL takes them for more than texts.

use std::sync::Arc;

use arrow::{
    array::{ArrayRef, AsArray, StringViewArray},
    compute::cast,
    datatypes::{DataType, Field, FieldRef},
};
use datafusion::{
    common::{DFSchema, Result, utils::take_function_args},
    logical_expr::{
        ColumnarValue, Expr, ReturnFieldArgs, ScalarFunctionArgs, ScalarUDF, ScalarUDFImpl, Signature, Volatility,
    },
};

use super::{
    super::{
        PADDED,
        columnar::{called_as_operand, made_of, within},
    },
    told_by,
};
use crate::{
    functions::Room,
    pgtype::{BPCHAR, ColumnType, dimensions_of, nested},
};

/// Functions that show their arguments as clients see them, or count their bytes, and rows, whose fields do not say what they
/// would be filled up to.
pub(super) const SHOWING: &[&str] = &["array_to_string", "concat", "concat_ws", "format", "octet_length", "row"];

/// Fills a fixed text, or those of an array, up to its length.
pub(super) fn pad(value: &mut Expr, schema: &DFSchema) {
    if let Some(told) = told_by(value, schema) {
        fill(value, told);
    }
}

/// The same of a value that is told to be of this type.
pub(super) fn fill(value: &mut Expr, told: ColumnType) {
    let item = Some(told.item().unwrap_or(told)).filter(|item| item.is_padded());
    let Some(length) = item.and_then(ColumnType::length).and_then(|length| usize::try_from(length).ok()) else {
        return;
    };
    let function = Padded { length, signature: Signature::any(1, Volatility::Immutable) };
    let args = vec![std::mem::take(value)];
    *value = ScalarUDF::new_from_impl(function).call(args);
}

/// Whether a call is one that fills texts.
pub(super) fn is_call(function: &ScalarUDF) -> bool {
    function.inner().downcast_ref::<Padded>().is_some()
}

/// `padded(value)`, of no length any more. It fails only where there is no room for the blanks.
#[derive(Debug, PartialEq, Eq, Hash)]
struct Padded {
    length: usize,
    signature: Signature,
}

impl Padded {
    fn all(&self, values: &ArrayRef) -> Result<ArrayRef> {
        let texts = cast(values, &DataType::Utf8View)?;
        let mut room = Room::default();
        let mut padded = |text: &str| -> Result<String> {
            let blanks = self.length.saturating_sub(text.chars().count());
            room.take(text.len() + blanks)?;
            Ok(format!("{text}{}", " ".repeat(blanks)))
        };
        let texts = texts.as_string_view().iter().map(|text| text.map(&mut padded).transpose());
        Ok(Arc::new(texts.collect::<Result<StringViewArray>>()?))
    }
}

impl ScalarUDFImpl for Padded {
    fn name(&self) -> &str {
        PADDED
    }

    fn schema_name(&self, operands: &[Expr]) -> Result<String> {
        // It is called as what it shows.
        called_as_operand(self.name(), operands)
    }

    fn signature(&self) -> &Signature {
        &self.signature
    }

    fn return_type(&self, types: &[DataType]) -> Result<DataType> {
        let [value] = take_function_args(self.name(), types)?;
        Ok(nested(dimensions_of(value), DataType::Utf8View))
    }

    fn return_field_from_args(&self, arguments: ReturnFieldArgs) -> Result<FieldRef> {
        let [value] = take_function_args(self.name(), arguments.arg_fields)?;
        let dimensions = dimensions_of(value.data_type());
        let told = ColumnType::plain(&BPCHAR);
        let told = if dimensions == 0 { told } else { told.in_arrays() };
        let field = Field::new(self.name(), nested(dimensions, DataType::Utf8View), value.is_nullable());
        Ok(Arc::new(field.with_metadata(told.metadata())))
    }

    fn invoke_with_args(&self, call: ScalarFunctionArgs) -> Result<ColumnarValue> {
        let [value] = take_function_args(self.name(), &call.args)?;
        made_of(value, |values| within(values, &|values| self.all(values)))
    }
}
