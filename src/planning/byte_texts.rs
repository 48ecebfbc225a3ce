//! Texts that are cast to bytes are read as PostgreSQL reads them: `\x00ff` in hexadecimal, and `a\\001` with escapes.
//!
//! The engine's cast takes the bytes of the text as they are. Here they are what a function reads, and of a text that is written,
//! a constant: one that is none is an error whether or not there are rows.

use std::sync::Arc;

use arrow::{
    array::{ArrayRef, AsArray, BinaryArray},
    compute::cast,
    datatypes::DataType,
};
use datafusion::{
    common::{DFSchema, Result, ScalarValue, config::ConfigOptions, tree_node::Transformed, utils::take_function_args},
    logical_expr::{
        Cast, ColumnarValue, Expr, ExprSchemable, LogicalPlan, ScalarFunctionArgs, ScalarUDF, ScalarUDFImpl, Signature,
        Volatility,
    },
    optimizer::analyzer::AnalyzerRule,
};

use super::{
    columnar::{called_as_operand, made_of},
    steps,
};
use crate::functions::read_bytes;

/// What reads the bytes of a text.
const BYTES_OF_TEXT: &str = "bytes_of_text";

/// See the module. It comes when types are known.
#[derive(Debug)]
pub(super) struct ReadBytes;

impl AnalyzerRule for ReadBytes {
    fn name(&self) -> &str {
        "read_bytes"
    }

    fn analyze(&self, plan: LogicalPlan, _config: &ConfigOptions) -> Result<LogicalPlan> {
        steps::change(plan, |step| cast_to_bytes(step).is_some(), read)
    }
}

/// What is cast to bytes.
fn cast_to_bytes(step: &Expr) -> Option<&Expr> {
    match step {
        Expr::Cast(Cast { expr, field }) if is_bytes(field.data_type()) => Some(expr.as_ref()),
        _ => None,
    }
}

/// Whether values of an Arrow type are bytes of any length.
pub(super) fn is_bytes(data_type: &DataType) -> bool {
    matches!(data_type, DataType::Binary | DataType::LargeBinary | DataType::BinaryView)
}

fn read(mut step: Expr, schema: &DFSchema) -> Result<Transformed<Expr>> {
    let is_text = match cast_to_bytes(&step) {
        Some(value) => value.get_type(schema)?.is_string(),
        None => false,
    };
    let Expr::Cast(Cast { expr, .. }) = &mut step else { return Ok(Transformed::no(step)) };
    if !is_text {
        return Ok(Transformed::no(step));
    }
    **expr = match std::mem::take(expr.as_mut()) {
        Expr::Literal(text, _) => {
            let bytes = text.try_as_str().flatten().map(read_bytes).transpose()?;
            Expr::Literal(ScalarValue::Binary(bytes), None)
        }
        value => {
            let function = BytesOfText { signature: Signature::any(1, Volatility::Immutable) };
            ScalarUDF::new_from_impl(function).call(vec![value])
        }
    };
    Ok(Transformed::yes(step))
}

/// `bytes_of_text(text)`.
#[derive(Debug, PartialEq, Eq, Hash)]
struct BytesOfText {
    signature: Signature,
}

impl ScalarUDFImpl for BytesOfText {
    fn name(&self) -> &str {
        BYTES_OF_TEXT
    }

    fn schema_name(&self, operands: &[Expr]) -> Result<String> {
        // A cast is called as what it casts.
        called_as_operand(self.name(), operands)
    }

    fn signature(&self) -> &Signature {
        &self.signature
    }

    fn return_type(&self, _types: &[DataType]) -> Result<DataType> {
        Ok(DataType::Binary)
    }

    fn invoke_with_args(&self, call: ScalarFunctionArgs) -> Result<ColumnarValue> {
        let [texts] = take_function_args(self.name(), &call.args)?;
        made_of(texts, |texts| Ok(Arc::new(all(texts)?)))
    }
}

fn all(texts: &ArrayRef) -> Result<BinaryArray> {
    let texts = cast(texts, &DataType::Utf8)?;
    let read = texts.as_string::<i32>().iter().map(|text| text.map(read_bytes).transpose());
    Ok(read.collect::<crate::fault::Result<BinaryArray>>()?)
}
