//! `concat` and `concat_ws` write booleans as `t` and `f`, as PostgreSQL does.
//!
//! ```sql
//! SELECT concat(1, true), concat_ws(',', 1, false)
//! ```

use std::sync::Arc;

use arrow::{
    array::{Array, AsArray, StringArray},
    datatypes::{DataType, Field, FieldRef},
};
use datafusion::{
    common::{Result, ScalarValue},
    functions::string::{concat, concat_ws},
    logical_expr::{ColumnarValue, ReturnFieldArgs, ScalarFunctionArgs, ScalarUDF, ScalarUDFImpl, Signature},
};

/// Both functions.
pub(super) fn functions() -> [ScalarUDF; 2] {
    [concat(), concat_ws()].map(|inner| ScalarUDF::from(Concat { inner }))
}

#[derive(Debug, PartialEq, Eq, Hash)]
struct Concat {
    inner: Arc<ScalarUDF>,
}

/// The types with texts in the places of booleans.
fn with_texts(types: &[DataType]) -> Vec<DataType> {
    let text = |data_type: &DataType| if *data_type == DataType::Boolean { DataType::Utf8 } else { data_type.clone() };
    types.iter().map(text).collect()
}

impl ScalarUDFImpl for Concat {
    fn name(&self) -> &str {
        self.inner.name()
    }

    fn aliases(&self) -> &[String] {
        self.inner.aliases()
    }

    fn signature(&self) -> &Signature {
        self.inner.signature()
    }

    fn coerce_types(&self, types: &[DataType]) -> Result<Vec<DataType>> {
        let coerced = self.inner.coerce_types(&with_texts(types))?;
        let kept =
            |(own, coerced): (&DataType, DataType)| if *own == DataType::Boolean { own.clone() } else { coerced };
        Ok(types.iter().zip(coerced).map(kept).collect())
    }

    fn return_type(&self, types: &[DataType]) -> Result<DataType> {
        self.inner.return_type(&with_texts(types))
    }

    fn return_field_from_args(&self, arguments: ReturnFieldArgs) -> Result<FieldRef> {
        let fields: Vec<FieldRef> = arguments
            .arg_fields
            .iter()
            .map(|field| match field.data_type() {
                DataType::Boolean => Arc::new(field.as_ref().clone().with_data_type(DataType::Utf8)),
                _ => Arc::clone(field),
            })
            .collect();
        // A constant text is as good as any for the type.
        let scalar_arguments = vec![None; fields.len()];
        let arguments = ReturnFieldArgs { arg_fields: &fields, scalar_arguments: &scalar_arguments };
        let field = self.inner.return_field_from_args(arguments)?;
        Ok(Arc::new(Field::new(self.name(), field.data_type().clone(), field.is_nullable())))
    }

    fn invoke_with_args(&self, mut call: ScalarFunctionArgs) -> Result<ColumnarValue> {
        for (argument, field) in call.args.iter_mut().zip(&mut call.arg_fields) {
            let text = match &*argument {
                ColumnarValue::Scalar(ScalarValue::Boolean(value)) => {
                    ColumnarValue::Scalar(ScalarValue::Utf8(value.map(|value| letter(value).to_owned())))
                }
                ColumnarValue::Array(values) if *values.data_type() == DataType::Boolean => {
                    let letters = values.as_boolean().iter().map(|value| value.map(letter));
                    ColumnarValue::Array(Arc::new(letters.collect::<StringArray>()))
                }
                _ => continue,
            };
            *argument = text;
            *field = Arc::new(field.as_ref().clone().with_data_type(DataType::Utf8));
        }
        self.inner.inner().invoke_with_args(call)
    }
}

fn letter(value: bool) -> &'static str {
    if value { "t" } else { "f" }
}
