//! `length` and `octet_length` of bytes count bytes, as in PostgreSQL; `length` of a text counts characters.
//!
//! ```sql
//! SELECT length('ab'), length('\x00ff'::bytea), octet_length('\x00ff'::bytea)
//! ```
//!
//! DataFusion's functions of these names read bytes as text, and fail where they are none.

use std::sync::Arc;

use arrow::{
    compute::{cast, kernels::length::length},
    datatypes::DataType,
};
use datafusion::{
    common::{Result, ScalarValue, plan_err},
    functions::{string::octet_length, unicode::character_length},
    logical_expr::{ColumnarValue, ScalarFunctionArgs, ScalarUDF, ScalarUDFImpl, Signature, Volatility},
};

/// Both functions.
pub(super) fn functions() -> [ScalarUDF; 2] {
    [("length", character_length()), ("octet_length", octet_length())].map(|(name, of_text)| {
        ScalarUDF::from(Length { name, signature: Signature::user_defined(Volatility::Immutable), of_text })
    })
}

#[derive(Debug, PartialEq, Eq, Hash)]
struct Length {
    name: &'static str,
    signature: Signature,
    of_text: Arc<ScalarUDF>,
}

impl ScalarUDFImpl for Length {
    fn name(&self) -> &str {
        self.name
    }

    fn signature(&self) -> &Signature {
        &self.signature
    }

    fn coerce_types(&self, arguments: &[DataType]) -> Result<Vec<DataType>> {
        match arguments {
            [kept] if kept.is_binary() || kept.is_string() => Ok(vec![kept.clone()]),
            [_] => Ok(vec![DataType::Utf8View]),
            others => plan_err!("{} takes one argument, not {}", self.name, others.len()),
        }
    }

    fn return_type(&self, arguments: &[DataType]) -> Result<DataType> {
        match arguments {
            [bytes] if bytes.is_binary() => Ok(DataType::Int32),
            texts => self.of_text.return_type(texts),
        }
    }

    fn invoke_with_args(&self, call: ScalarFunctionArgs) -> Result<ColumnarValue> {
        match call.args.as_slice() {
            [ColumnarValue::Array(bytes)] if bytes.data_type().is_binary() => {
                Ok(ColumnarValue::Array(cast(&length(bytes)?, &DataType::Int32)?))
            }
            [ColumnarValue::Scalar(bytes)] if bytes.data_type().is_binary() => {
                let counted = cast(&length(&bytes.to_array()?)?, &DataType::Int32)?;
                Ok(ColumnarValue::Scalar(ScalarValue::try_from_array(&counted, 0)?))
            }
            _ => self.of_text.invoke_with_args(call),
        }
    }
}
