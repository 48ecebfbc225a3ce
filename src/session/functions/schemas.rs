//! `current_schema` and `current_schemas`: where the statement's names are looked for.

use std::sync::Arc;

use arrow::datatypes::{DataType, Field, FieldRef};
use datafusion::{
    common::{Result, ScalarValue, cast::as_boolean_array},
    logical_expr::{
        ColumnarValue, ReturnFieldArgs, ScalarFunctionArgs, ScalarUDF, ScalarUDFImpl, Signature, Volatility,
    },
};

use crate::{
    catalog::is_temporary,
    pgtype::{ColumnType, NAME},
    session::{CATALOG_SCHEMA, Circumstances},
};

/// The functions of one statement.
pub(super) fn functions(circumstances: &Circumstances) -> [ScalarUDF; 2] {
    let schemas = circumstances.schemas.clone();
    // Nothing is created among temporary objects unless it says so.
    let current = ScalarValue::Utf8(schemas.iter().find(|schema| !is_temporary(schema)).cloned());
    let signature = Signature::exact(vec![DataType::Boolean], Volatility::Stable);
    let current = super::told_constant("current_schema", current, ColumnType::plain(&NAME));
    [current, ScalarUDF::from(CurrentSchemas { schemas, signature })]
}

/// The schemas of the path that exist; with `true` the one that need not be named too.
#[derive(Debug, PartialEq, Eq, Hash)]
struct CurrentSchemas {
    schemas: Vec<String>,
    signature: Signature,
}

impl CurrentSchemas {
    fn list(&self, has_implied: bool) -> ScalarValue {
        // Where the path names it, it has its place there.
        let implied =
            has_implied.then_some(CATALOG_SCHEMA).filter(|name| !self.schemas.iter().any(|other| other == name));
        let (temporary, named): (Vec<&str>, Vec<&str>) =
            self.schemas.iter().map(String::as_str).partition(|schema| is_temporary(schema));
        let temporary = temporary.into_iter().filter(|_| has_implied);
        let names: Vec<ScalarValue> = temporary.chain(implied).chain(named).map(ScalarValue::from).collect();
        ScalarValue::List(ScalarValue::new_list_nullable(&names, &DataType::Utf8))
    }
}

impl ScalarUDFImpl for CurrentSchemas {
    fn name(&self) -> &str {
        "current_schemas"
    }

    fn signature(&self) -> &Signature {
        &self.signature
    }

    fn return_type(&self, _types: &[DataType]) -> Result<DataType> {
        Ok(DataType::List(Arc::new(Field::new_list_field(DataType::Utf8, true))))
    }

    fn return_field_from_args(&self, _arguments: ReturnFieldArgs) -> Result<FieldRef> {
        let names = NAME.array_type().map(ColumnType::plain);
        let field = Field::new(self.name(), self.return_type(&[])?, true);
        Ok(Arc::new(field.with_metadata(names.map(ColumnType::metadata).unwrap_or_default())))
    }

    fn invoke_with_args(&self, call: ScalarFunctionArgs) -> Result<ColumnarValue> {
        let arguments = ColumnarValue::values_to_arrays(&call.args)?;
        let [implied] = arguments.as_slice() else {
            return datafusion::common::internal_err!("current_schemas takes one argument");
        };
        let lists = as_boolean_array(implied)?.iter().map(|implied| match implied {
            Some(implied) => Ok(self.list(implied)),
            None => ScalarValue::try_from(&self.return_type(&[])?),
        });
        let lists: Vec<ScalarValue> = lists.collect::<Result<_>>()?;
        match lists.as_slice() {
            [] => Ok(ColumnarValue::Scalar(ScalarValue::try_from(&self.return_type(&[])?)?)),
            _ => Ok(ColumnarValue::Array(ScalarValue::iter_to_array(lists)?)),
        }
    }
}
