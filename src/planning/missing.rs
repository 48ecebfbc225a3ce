//! Calls of functions that there are not. They are planned all the same, as calls of one whose values are NULL: what they are
//! called with has its types then, which PostgreSQL names in its message.

use arrow::datatypes::DataType;
use datafusion::{
    common::{
        DFSchema, Result, internal_err,
        tree_node::{TreeNode, TreeNodeRecursion},
    },
    logical_expr::{
        ColumnarValue, Expr, LogicalPlan, ScalarFunctionArgs, ScalarUDF, ScalarUDFImpl, Signature, Volatility,
        expr::ScalarFunction,
    },
};

use super::{integers, overloads, steps};
use crate::pgtype;

/// A function that there is not.
#[derive(Debug, PartialEq, Eq, Hash)]
struct Missing {
    name: String,
    signature: Signature,
}

/// A call of one.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct MissingCall {
    pub(crate) name: String,
    /// What it is called with, as SQL writes the types.
    pub(crate) types: Vec<String>,
}

/// The function that is called where there is none of this name.
pub(crate) fn stand_in(name: &str) -> ScalarUDF {
    ScalarUDF::from(Missing { name: name.to_owned(), signature: Signature::user_defined(Volatility::Volatile) })
}

/// The first call of a function that there is not; of several within one another the innermost, as PostgreSQL tells it.
pub(crate) fn missing_call(plan: &LogicalPlan) -> Result<Option<MissingCall>> {
    let mut found = None;
    plan.apply_with_subqueries(|node| {
        let schema = steps::columns_of(node)?;
        node.apply_expressions(|expression| {
            if let Some(call) = innermost(expression)? {
                found =
                    Some(MissingCall { name: call.func.name().to_owned(), types: spelled_types(&call.args, &schema) });
                return Ok(TreeNodeRecursion::Stop);
            }
            Ok(TreeNodeRecursion::Continue)
        })
    })?;
    Ok(found)
}

fn innermost(expression: &Expr) -> Result<Option<&ScalarFunction>> {
    let mut found = None;
    expression.apply(|step| {
        let Expr::ScalarFunction(call) = step else { return Ok(TreeNodeRecursion::Continue) };
        if call.func.inner().downcast_ref::<Missing>().is_none() {
            return Ok(TreeNodeRecursion::Continue);
        }
        found = Some(call);
        for argument in &call.args {
            if let Some(inner) = innermost(argument)? {
                found = Some(inner);
                break;
            }
        }
        Ok(TreeNodeRecursion::Stop)
    })?;
    Ok(found)
}

/// The types of what a function is called with, as SQL writes them.
pub(crate) fn spelled_types(arguments: &[Expr], schema: &DFSchema) -> Vec<String> {
    let spelled = |argument: &Expr| match argument {
        written if integers::is_integer(written) => pgtype::INT4.sql(None),
        other => overloads::type_of(other, schema).unwrap_or_else(|| pgtype::UNKNOWN.sql(None)),
    };
    arguments.iter().map(spelled).collect()
}

impl ScalarUDFImpl for Missing {
    fn name(&self) -> &str {
        &self.name
    }

    fn signature(&self) -> &Signature {
        &self.signature
    }

    fn coerce_types(&self, types: &[DataType]) -> Result<Vec<DataType>> {
        Ok(types.to_vec())
    }

    fn return_type(&self, _types: &[DataType]) -> Result<DataType> {
        Ok(DataType::Null)
    }

    fn invoke_with_args(&self, _call: ScalarFunctionArgs) -> Result<ColumnarValue> {
        internal_err!("there is no function {}", self.name)
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use datafusion::logical_expr::{LogicalPlanBuilder, lit};

    use super::*;

    #[test]
    fn the_innermost_call_is_told_with_its_types() {
        let inner = stand_in("inner").call(vec![lit(1_i32), lit("a"), lit(2.5_f64)]);
        let outer = stand_in("outer").call(vec![lit(1_i64), inner + lit(1_i32)]);
        let plan =
            |expression: Expr| LogicalPlanBuilder::empty(true).project(vec![expression]).unwrap().build().unwrap();
        let told = missing_call(&plan(outer.alias("x"))).unwrap().unwrap();
        assert_eq!(
            (told.name.as_str(), told.types.join(", ").as_str()),
            ("inner", "integer, unknown, double precision")
        );
        assert_eq!(missing_call(&plan(lit(1_i32))).unwrap(), None);
    }
}
