//! Rows as values, `(a, b)` and `ROW(a, b)`: records, which are written as PostgreSQL writes them and are no objects of JSON.

use std::sync::Arc;

use arrow::{
    array::{ArrayRef, StructArray},
    datatypes::{DataType, Fields},
};
use datafusion::{
    common::{Result, exec_err},
    logical_expr::{
        ColumnarValue, Expr, ScalarFunctionArgs, ScalarUDF, ScalarUDFImpl, Signature, Volatility,
        planner::{ExprPlanner, PlannerResult},
    },
};

use crate::{
    fault::{Failure, Fault},
    pgtype,
};

/// Plans rows that are written without the word ROW.
#[derive(Debug)]
pub(crate) struct Records;

impl ExprPlanner for Records {
    fn plan_struct_literal(&self, columns: Vec<Expr>, has_names: bool) -> Result<PlannerResult<Vec<Expr>>> {
        Ok(match has_names {
            true => PlannerResult::Original(columns),
            false => PlannerResult::Planned(row().call(columns)),
        })
    }
}

/// `row(a, b)`, in the place of the engine's.
pub(crate) fn row() -> ScalarUDF {
    ScalarUDF::from(Row { signature: Signature::variadic_any(Volatility::Immutable) })
}

/// It never fails.
#[derive(Debug, PartialEq, Eq, Hash)]
struct Row {
    signature: Signature,
}

impl ScalarUDFImpl for Row {
    fn name(&self) -> &str {
        "row"
    }

    fn signature(&self) -> &Signature {
        &self.signature
    }

    fn return_type(&self, types: &[DataType]) -> Result<DataType> {
        if types.is_empty() {
            return Err(Failure::new(Fault::FeatureNotSupported, "rows without columns are not supported").into());
        }
        let fields = types.iter().zip(1..).map(|(data_type, number)| pgtype::record_field(number, data_type));
        Ok(DataType::Struct(fields.collect::<Fields>()))
    }

    fn invoke_with_args(&self, call: ScalarFunctionArgs) -> Result<ColumnarValue> {
        let rows = call.number_rows;
        let columns = call.args.into_iter().map(|column| column.into_array(rows));
        let columns = columns.collect::<Result<Vec<ArrayRef>>>()?;
        let DataType::Struct(fields) = call.return_field.data_type() else {
            return exec_err!("a row has the type {}", call.return_field.data_type());
        };
        Ok(ColumnarValue::Array(Arc::new(StructArray::try_new(fields.clone(), columns, None)?)))
    }
}
