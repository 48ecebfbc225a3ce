//! Operators between values that PostgreSQL has for other types than the query engine, or with other results: calls of
//! [functions](crate::functions) that are named as they are.
//!
//! Of integers the engine has most of them itself; how it computes these can be seen by the rules that come after.

use std::sync::Arc;

use datafusion::{
    common::{DFSchema, Result},
    logical_expr::{Expr, expr::ScalarFunction, planner::RawBinaryExpr},
    sql::sqlparser::ast::BinaryOperator,
};

use super::{byte_patterns, json_operators, open_operands::Operand, overloads};
use crate::functions;

/// The call that an operation is planned as; none where the engine's own operator is meant. One that PostgreSQL has not is
/// refused.
pub(super) fn planned(operation: &RawBinaryExpr, schema: &DFSchema) -> Result<Option<Expr>> {
    use BinaryOperator::{
        BitwiseAnd, BitwiseOr, Custom, Modulo, PGBitwiseShiftLeft, PGBitwiseShiftRight, PGBitwiseXor, PGExp,
    };
    if let Some(call) = json_operators::planned(operation, schema)? {
        return Ok(Some(call));
    }
    if let Some(call) = byte_patterns::planned(operation, schema) {
        return Ok(Some(call));
    }
    let name = match operation.op {
        PGExp => "^",
        Modulo => "%",
        BitwiseAnd => "&",
        BitwiseOr => "|",
        PGBitwiseXor => "#",
        PGBitwiseShiftLeft => "<<",
        PGBitwiseShiftRight => ">>",
        Custom(ref name) => name.as_str(),
        _ => return Ok(None),
    };
    let operands = [&operation.left, &operation.right].map(|operand| Operand::of(operand, schema));
    let is_integer = |operand: &Operand| matches!(operand, Operand::Of(data_type) if data_type.is_integer());
    let is_own = match operation.op {
        // What is open beside an integer is one.
        Modulo => {
            operands.iter().any(is_integer)
                && operands.iter().all(|operand| is_integer(operand) || *operand == Operand::Open)
        }
        BitwiseAnd | BitwiseOr | PGBitwiseXor => operands.iter().all(is_integer),
        _ => false,
    };
    let Some(function) = functions::named(name).filter(|_| !is_own) else { return Ok(None) };
    let arguments = vec![operation.left.clone(), operation.right.clone()];
    if let Some(known) = functions::function_of(&function) {
        let given = overloads::given(&arguments, schema);
        let found = functions::resolve(known, &given)
            .or_else(|unresolved| functions::resolve_early(known, &given).map_err(|_| unresolved));
        found.map_err(|unresolved| unresolved.failure(known, &given))?;
    }
    Ok(Some(Expr::ScalarFunction(ScalarFunction::new_udf(Arc::new(function), arguments))))
}
