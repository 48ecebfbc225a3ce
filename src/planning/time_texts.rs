//! Texts that are cast to dates, times and timestamps are read as PostgreSQL reads them: no zone moves what has none, and
//! fractions of a second are rounded.
//!
//! The engine casts the text that a function makes of the value; one that is written becomes that text at once.

use std::{borrow::Cow, sync::Arc};

use arrow::{
    array::{ArrayRef, AsArray, StringArray},
    compute::cast,
    datatypes::{DataType, Field, FieldRef, TimeUnit},
};
use datafusion::{
    common::{DFSchema, Result, ScalarValue, config::ConfigOptions, tree_node::Transformed, utils::take_function_args},
    logical_expr::{
        Cast, ColumnarValue, Expr, ExprSchemable, LogicalPlan, ReturnFieldArgs, ScalarFunctionArgs, ScalarUDF,
        ScalarUDFImpl, Signature, TryCast, Volatility, expr::ScalarFunction,
    },
    optimizer::analyzer::AnalyzerRule,
};

use super::{PLAIN_TIME, steps};
use crate::pgtype;

/// See the module. It comes when types are known.
#[derive(Debug)]
pub(super) struct ReadTimes;

impl AnalyzerRule for ReadTimes {
    fn name(&self) -> &str {
        "read_times"
    }

    fn analyze(&self, plan: LogicalPlan, _config: &ConfigOptions) -> Result<LogicalPlan> {
        steps::change(plan, is_cast_to_time, read)
    }
}

fn is_cast_to_time(step: &Expr) -> bool {
    match step {
        Expr::Cast(Cast { field, .. }) | Expr::TryCast(TryCast { field, .. }) => matches!(
            field.data_type(),
            DataType::Timestamp(..) | DataType::Date32 | DataType::Time64(TimeUnit::Nanosecond)
        ),
        _ => false,
    }
}

fn read(mut step: Expr, schema: &DFSchema) -> Result<Transformed<Expr>> {
    if !is_cast_to_time(&step) {
        return Ok(Transformed::no(step));
    }
    let changed = match &mut step {
        Expr::Cast(Cast { expr, field }) | Expr::TryCast(TryCast { expr, field }) => match expr.as_mut() {
            Expr::Literal(value, _) => match value.try_as_str().flatten() {
                Some(text) => match pgtype::plain_time(text, field.data_type()) {
                    Some(plain) => {
                        *value = ScalarValue::Utf8(Some(plain));
                        true
                    }
                    None => false,
                },
                None => false,
            },
            other if other.get_type(schema)?.is_string() && !is_plain(other) => {
                *other = as_plain(std::mem::take(other), field.data_type().clone());
                true
            }
            _ => false,
        },
        _ => false,
    };
    Ok(Transformed::new_transformed(step, changed))
}

fn is_plain(text: &Expr) -> bool {
    matches!(text, Expr::ScalarFunction(call) if call.func.name() == PLAIN_TIME)
}

/// A text as it is to be cast to this type, under the name of what is cast.
fn as_plain(text: Expr, time: DataType) -> Expr {
    let function = ScalarUDF::new_from_impl(PlainTime { time, signature: Signature::any(1, Volatility::Immutable) });
    Expr::ScalarFunction(ScalarFunction { func: Arc::new(function), args: vec![text] })
}

/// `plain_time(text)`. It never fails.
#[derive(Debug, PartialEq, Eq, Hash)]
struct PlainTime {
    time: DataType,
    signature: Signature,
}

impl ScalarUDFImpl for PlainTime {
    fn name(&self) -> &str {
        PLAIN_TIME
    }

    fn schema_name(&self, operands: &[Expr]) -> Result<String> {
        // A cast is called as what it casts.
        let [text] = take_function_args(self.name(), operands)?;
        Ok(text.schema_name().to_string())
    }

    fn signature(&self) -> &Signature {
        &self.signature
    }

    fn return_type(&self, _types: &[DataType]) -> Result<DataType> {
        Ok(DataType::Utf8)
    }

    fn return_field_from_args(&self, arguments: ReturnFieldArgs) -> Result<FieldRef> {
        let nullable = arguments.arg_fields.iter().any(|field| field.is_nullable());
        Ok(Arc::new(Field::new(self.name(), DataType::Utf8, nullable)))
    }

    fn invoke_with_args(&self, call: ScalarFunctionArgs) -> Result<ColumnarValue> {
        let [texts] = take_function_args(self.name(), call.args)?;
        Ok(match texts {
            ColumnarValue::Scalar(text) => {
                let plain = self.all_plain(&text.to_array()?)?;
                ColumnarValue::Scalar(ScalarValue::try_from_array(&plain, 0)?)
            }
            ColumnarValue::Array(texts) => ColumnarValue::Array(Arc::new(self.all_plain(&texts)?)),
        })
    }
}

impl PlainTime {
    fn all_plain(&self, texts: &ArrayRef) -> Result<StringArray> {
        let texts = cast(texts, &DataType::Utf8)?;
        let plain = |text| pgtype::plain_time(text, &self.time).map_or(Cow::Borrowed(text), Cow::Owned);
        Ok(texts.as_string::<i32>().iter().map(|text| text.map(plain)).collect())
    }
}
