//! Numbers and truth values of `jsonb`, as texts that a cast reads: `'1.5'::jsonb::int` is 2, and `'"a"'::jsonb::int` is an error.

use std::sync::Arc;

use arrow::{
    array::{ArrayRef, AsArray, StringViewArray},
    compute::cast,
    datatypes::{DataType, FieldRef},
};
use datafusion::{
    common::{Result, utils::take_function_args},
    logical_expr::{
        ColumnarValue, Expr, ReturnFieldArgs, ScalarFunctionArgs, ScalarUDF, ScalarUDFImpl, Signature, Volatility,
    },
};

use super::super::columnar::{called_as_operand, field_of, made_of};
use crate::{
    fault::{self, Failure, Fault},
    pgtype,
};

/// A value of `jsonb` as a text that a cast to a type reads.
pub(super) fn scalar(value: Expr, wanted: &DataType) -> Expr {
    let signature = Signature::any(1, Volatility::Immutable);
    ScalarUDF::new_from_impl(JsonScalar { wanted: wanted.clone(), signature }).call(vec![value])
}

/// `json_scalar(value)`.
#[derive(Debug, PartialEq, Eq, Hash)]
struct JsonScalar {
    wanted: DataType,
    signature: Signature,
}

impl JsonScalar {
    fn text(&self, json: &str) -> fault::Result<String> {
        let kind = match json.bytes().next() {
            Some(b'{') => "object",
            Some(b'[') => "array",
            Some(b'"') => "string",
            Some(b't' | b'f') => "boolean",
            Some(b'n') | None => "null",
            Some(_) => "numeric",
        };
        let is_wanted = if self.wanted == DataType::Boolean { kind == "boolean" } else { kind == "numeric" };
        if !is_wanted {
            let wanted = pgtype::of(&self.wanted).pg.word(None);
            let message = format!("cannot cast jsonb {kind} to type {wanted}");
            return Err(Failure::new(Fault::InvalidArgument, message));
        }
        let rounded = if self.wanted.is_integer() { rounded(json) } else { None };
        Ok(rounded.unwrap_or_else(|| json.to_owned()))
    }

    fn all(&self, values: &ArrayRef) -> Result<ArrayRef> {
        let texts = cast(values, &DataType::Utf8View)?;
        let each = texts.as_string_view().iter().map(|json| json.map(|json| self.text(json)).transpose());
        Ok(Arc::new(each.collect::<fault::Result<StringViewArray>>()?))
    }
}

/// The nearest whole number of one with a fraction, a half being away from zero; none of a longer one.
fn rounded(number: &str) -> Option<String> {
    let (whole, fraction) = number.split_once('.')?;
    let magnitude: i128 = whole.trim_start_matches('-').parse().ok()?;
    let magnitude = magnitude.checked_add(i128::from(fraction.starts_with(['5', '6', '7', '8', '9'])))?;
    Some(if whole.starts_with('-') { (-magnitude).to_string() } else { magnitude.to_string() })
}

impl ScalarUDFImpl for JsonScalar {
    fn name(&self) -> &str {
        "json_scalar"
    }

    fn schema_name(&self, operands: &[Expr]) -> Result<String> {
        // A cast is called as what it casts.
        called_as_operand(self.name(), operands)
    }

    fn signature(&self) -> &Signature {
        &self.signature
    }

    fn return_type(&self, _types: &[DataType]) -> Result<DataType> {
        Ok(DataType::Utf8View)
    }

    fn return_field_from_args(&self, arguments: ReturnFieldArgs) -> Result<FieldRef> {
        Ok(field_of(self.name(), DataType::Utf8View, &arguments))
    }

    fn invoke_with_args(&self, call: ScalarFunctionArgs) -> Result<ColumnarValue> {
        let [value] = take_function_args(self.name(), &call.args)?;
        made_of(value, |values| self.all(values))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// `SELECT (number)::jsonb::int8` of PostgreSQL 15.
    #[test]
    fn numbers_are_rounded() {
        for (number, expected) in [("1.5", "2"), ("-1.5", "-2"), ("2.49", "2"), ("-0.5", "-1"), ("0.4", "0")] {
            assert_eq!(rounded(number).as_deref(), Some(expected), "{number}");
        }
        assert_eq!(rounded("12"), None);
    }
}
