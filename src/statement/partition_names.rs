//! The texts that name the directories of `COPY … PARTITIONED BY (…)`: a value's own, and for NULL the one that readers
//! take for it, which no value may have.

use std::sync::Arc;

use arrow::{
    array::{AsArray, StringArray},
    datatypes::DataType,
};
use datafusion::{
    common::{DataFusionError, Result, utils::take_function_args},
    logical_expr::{ColumnarValue, Expr, ScalarFunctionArgs, ScalarUDF, ScalarUDFImpl, Signature, Volatility},
};

use crate::{Error, Fault, source::NULL_PARTITION};

/// The names of the partitions that texts, or NULL, belong to.
pub(super) fn of_texts(texts: Expr) -> Expr {
    let signature = Signature::exact(vec![DataType::Utf8], Volatility::Immutable);
    ScalarUDF::from(PartitionName { signature }).call(vec![texts])
}

#[derive(Debug, PartialEq, Eq, Hash)]
struct PartitionName {
    signature: Signature,
}

impl ScalarUDFImpl for PartitionName {
    fn name(&self) -> &str {
        "partition_name"
    }

    fn signature(&self) -> &Signature {
        &self.signature
    }

    fn return_type(&self, _: &[DataType]) -> Result<DataType> {
        Ok(DataType::Utf8)
    }

    fn invoke_with_args(&self, call: ScalarFunctionArgs) -> Result<ColumnarValue> {
        let rows = call.number_rows;
        let [texts] = take_function_args(self.name(), call.args)?;
        let texts = texts.into_array(rows)?;
        let names = texts.as_string::<i32>().iter().map(|text| match text {
            Some(NULL_PARTITION) => {
                let message = format!("'{NULL_PARTITION}' names the partition of NULL, and cannot be a value's");
                Err(DataFusionError::from(Error::new(Fault::InvalidArgument, message)))
            }
            text => Ok(Some(text.unwrap_or(NULL_PARTITION))),
        });
        Ok(ColumnarValue::Array(Arc::new(names.collect::<Result<StringArray>>()?)))
    }
}
