//! The values of an INSERT, each of its own type: as `assigned(value)`, which has none.
//!
//! The planner gives one type to a column of VALUES. In PostgreSQL each value of an INSERT is cast to the type of the table's
//! column, and a text in quotes is one of that: `VALUES ('1'), (2)` are two texts for one table and two numbers for another.

use arrow::datatypes::DataType;
use datafusion::{
    common::{Result as PlanResult, exec_err},
    logical_expr::{ColumnarValue, ScalarFunctionArgs, ScalarUDF, ScalarUDFImpl, Signature, Volatility},
    sql::sqlparser::ast::{Expr, Query, SetExpr, Value},
};

use super::call;
use crate::{Error, Fault, Result, planning::ASSIGNED};

/// Writes the values of a query that is VALUES and nothing more so; DEFAULT is NULL.
pub(crate) fn assign(query: &mut Query) -> Result<()> {
    let is_alone = query.order_by.is_none() && query.limit_clause.is_none() && query.fetch.is_none();
    let SetExpr::Values(values) = query.body.as_mut() else { return Ok(()) };
    if !is_alone {
        return Ok(());
    }
    let width = values.rows.first().map_or(0, |row| row.len());
    if values.rows.iter().any(|row| row.len() != width) {
        return Err(Error::new(Fault::Syntax, "VALUES lists must all be the same length"));
    }
    for value in values.rows.iter_mut().flat_map(|row| row.iter_mut()) {
        let null = Expr::Value(Value::Null.into());
        let written = std::mem::replace(value, null.clone());
        let is_default = matches!(
            &written,
            Expr::Identifier(name) if name.quote_style.is_none() && name.value.eq_ignore_ascii_case("default")
        );
        *value = call(ASSIGNED, vec![if is_default { null } else { written }]);
    }
    Ok(())
}

/// `assigned(x)`, which is never run.
#[derive(Debug, PartialEq, Eq, Hash)]
pub(crate) struct Assigned {
    signature: Signature,
}

impl Assigned {
    pub(crate) fn function() -> ScalarUDF {
        ScalarUDF::from(Self { signature: Signature::any(1, Volatility::Immutable) })
    }
}

impl ScalarUDFImpl for Assigned {
    fn name(&self) -> &str {
        ASSIGNED
    }

    fn signature(&self) -> &Signature {
        &self.signature
    }

    fn return_type(&self, _types: &[DataType]) -> PlanResult<DataType> {
        Ok(DataType::Null)
    }

    fn invoke_with_args(&self, _arguments: ScalarFunctionArgs) -> PlanResult<ColumnarValue> {
        exec_err!("a value that is to be stored was not cast")
    }
}
