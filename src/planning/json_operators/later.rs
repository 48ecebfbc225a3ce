//! Operators between values of which it is not known yet that they are JSON, as the column `p` of
//! `SELECT p ->> 'a' FROM (SELECT coalesce(j, '{}') AS p FROM t)`: what CASE and others have together is known when types are
//! settled, and an operator is planned before. Until then it is a call that has the operator's name.

use arrow::datatypes::DataType;
use datafusion::{
    common::{DFSchema, Result, exec_err},
    logical_expr::{
        BinaryExpr, ColumnarValue, Expr, Operator, ScalarFunctionArgs, ScalarUDF, ScalarUDFImpl, Signature, Volatility,
        planner::RawBinaryExpr,
    },
};

use super::{found, json_of};

/// The call that an operation is until its types are settled.
pub(super) fn later(operation: &RawBinaryExpr) -> Expr {
    let (name, signature) = (operation.op.to_string(), Signature::any(2, Volatility::Immutable));
    ScalarUDF::new_from_impl(Later { name, signature }).call(vec![operation.left.clone(), operation.right.clone()])
}

/// A step of an expression whose operands have their types: what waited for them is the call that it means, and what joins
/// texts joins the values of JSON that they turned out to be.
pub(in crate::planning) fn settled(step: Expr, schema: &DFSchema) -> Result<Expr> {
    let (name, left, right) = match &step {
        Expr::ScalarFunction(call) => {
            let Some(later) = call.func.inner().downcast_ref::<Later>() else { return Ok(step) };
            let [left, right] = call.args.as_slice() else { return Ok(step) };
            (later.name.as_str(), left, right)
        }
        Expr::BinaryExpr(BinaryExpr { left, op: Operator::StringConcat, right })
            if json_of(left, schema).is_some() || json_of(right, schema).is_some() =>
        {
            ("||", left.as_ref(), right.as_ref())
        }
        _ => return Ok(step),
    };
    match found(name, [left.clone(), right.clone()], schema)? {
        Ok(Some(call)) => Ok(call),
        // Values that are no JSON may have such an operator, too.
        Ok(None) => match engine_operator(name) {
            Some(op) => Ok(Expr::BinaryExpr(BinaryExpr::new(Box::new(left.clone()), op, Box::new(right.clone())))),
            None => Ok(step),
        },
        Err(_) if name == "||" => Ok(step),
        Err(refused) => Err(refused.into()),
    }
}

fn engine_operator(name: &str) -> Option<Operator> {
    match name {
        "-" => Some(Operator::Minus),
        "@>" => Some(Operator::AtArrow),
        "<@" => Some(Operator::ArrowAt),
        _ => None,
    }
}

/// An operator that is found when types are settled, and never run.
#[derive(Debug, PartialEq, Eq, Hash)]
struct Later {
    name: String,
    signature: Signature,
}

impl ScalarUDFImpl for Later {
    fn name(&self) -> &str {
        &self.name
    }

    fn signature(&self) -> &Signature {
        &self.signature
    }

    fn return_type(&self, _types: &[DataType]) -> Result<DataType> {
        Ok(match self.name.as_str() {
            "?" | "?|" | "?&" | "@>" | "<@" => DataType::Boolean,
            _ => DataType::Utf8View,
        })
    }

    fn invoke_with_args(&self, _call: ScalarFunctionArgs) -> Result<ColumnarValue> {
        exec_err!("the operator {} was not found", self.name)
    }
}
