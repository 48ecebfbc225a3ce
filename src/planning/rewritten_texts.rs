//! Texts as the engine's casts read them: a function makes them of what was written, where that is cast.

use std::{borrow::Cow, sync::Arc};

use arrow::{
    array::{ArrayRef, AsArray, StringArray},
    compute::cast,
    datatypes::{DataType, Field, FieldRef},
};
use datafusion::{
    common::{Result, ScalarValue, utils::take_function_args},
    logical_expr::{
        ColumnarValue, Expr, ReturnFieldArgs, ScalarFunctionArgs, ScalarUDF, ScalarUDFImpl, Signature, Volatility,
        expr::ScalarFunction,
    },
};

use super::{INTERVAL_WORDS, PLAIN_TIME};
use crate::pgtype;

/// What a text is to be read as.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub(super) enum Reading {
    /// An interval.
    Interval,
    /// A date, a time or a timestamp of this type.
    Time(DataType),
}

/// A text as it is to be cast, under the name of what is cast.
pub(super) fn rewritten(text: Expr, reading: Reading) -> Expr {
    let function = ScalarUDF::new_from_impl(Rewritten { reading, signature: Signature::any(1, Volatility::Immutable) });
    Expr::ScalarFunction(ScalarFunction { func: Arc::new(function), args: vec![text] })
}

impl Reading {
    /// The text that is read, where it is not the one that is written.
    pub(super) fn of(&self, text: &str) -> Option<String> {
        match self {
            Self::Interval => pgtype::interval_in_words(text),
            Self::Time(time) => pgtype::plain_time(text, time),
        }
    }
}

/// `interval_words(text)`, `plain_time(text)`. They never fail.
#[derive(Debug, PartialEq, Eq, Hash)]
struct Rewritten {
    reading: Reading,
    signature: Signature,
}

impl ScalarUDFImpl for Rewritten {
    fn name(&self) -> &str {
        match self.reading {
            Reading::Interval => INTERVAL_WORDS,
            Reading::Time(_) => PLAIN_TIME,
        }
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
                let read = self.all(&text.to_array()?)?;
                ColumnarValue::Scalar(ScalarValue::try_from_array(&read, 0)?)
            }
            ColumnarValue::Array(texts) => ColumnarValue::Array(Arc::new(self.all(&texts)?)),
        })
    }
}

impl Rewritten {
    fn all(&self, texts: &ArrayRef) -> Result<StringArray> {
        let texts = cast(texts, &DataType::Utf8)?;
        let read = |text| self.reading.of(text).map_or(Cow::Borrowed(text), Cow::Owned);
        Ok(texts.as_string::<i32>().iter().map(|text| text.map(read)).collect())
    }
}
