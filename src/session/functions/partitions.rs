//! `pg_partition_ancestors`: the tables that a table is a part of, of which there are none.
//!
//! ```sql
//! SELECT pg_partition_ancestors('orders'::regclass)
//! ```

use std::sync::Arc;

use arrow::datatypes::{DataType, Field, FieldRef};
use datafusion::{
    common::{Result, ScalarValue},
    logical_expr::{
        ColumnarValue, ReturnFieldArgs, ScalarFunctionArgs, ScalarUDF, ScalarUDFImpl, Signature, Volatility,
    },
};

use crate::pgtype::{ColumnType, OID};

/// The function, which yields rows: a list of them here.
pub(super) fn function() -> ScalarUDF {
    ScalarUDF::from(Ancestors { signature: Signature::any(1, Volatility::Stable) })
}

#[derive(Debug, PartialEq, Eq, Hash)]
struct Ancestors {
    signature: Signature,
}

impl ScalarUDFImpl for Ancestors {
    fn name(&self) -> &str {
        "pg_partition_ancestors"
    }

    fn signature(&self) -> &Signature {
        &self.signature
    }

    fn return_type(&self, _types: &[DataType]) -> Result<DataType> {
        Ok(DataType::List(Arc::new(Field::new_list_field(DataType::Int64, true))))
    }

    fn return_field_from_args(&self, _arguments: ReturnFieldArgs) -> Result<FieldRef> {
        let field = Field::new(self.name(), self.return_type(&[])?, true);
        Ok(Arc::new(field.with_metadata(ColumnType::plain(&OID).in_arrays().metadata())))
    }

    fn invoke_with_args(&self, _call: ScalarFunctionArgs) -> Result<ColumnarValue> {
        let none = ScalarValue::new_list_nullable(&[], &DataType::Int64);
        Ok(ColumnarValue::Scalar(ScalarValue::List(none)))
    }
}
