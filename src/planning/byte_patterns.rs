//! `LIKE` of bytes, which the query engine has of texts alone: a call of a function. What is open beside bytes is bytes.
//!
//! ```sql
//! SELECT '\x616263'::bytea LIKE 'a%'
//! ```

use arrow::datatypes::DataType;
use datafusion::{
    common::DFSchema,
    logical_expr::{Expr, Like, cast, planner::RawBinaryExpr},
    sql::sqlparser::ast::BinaryOperator,
};

use super::{
    byte_texts::is_bytes,
    open_operands::{Operand, is_open},
};
use crate::functions::{BYTEALIKE, BYTEANLIKE, called};

/// A step whose types are settled, and of which it is known that there is such an operator.
pub(super) fn settled(step: Expr, schema: &DFSchema) -> Expr {
    match step {
        Expr::Like(Like { negated, expr, pattern, case_insensitive: false, .. })
            if is_of_bytes(&expr, schema) || is_of_bytes(&pattern, schema) =>
        {
            call(negated, *expr, *pattern)
        }
        other => other,
    }
}

/// The call that an operation is planned as; none where it is no other name for LIKE of bytes.
pub(super) fn planned(operation: &RawBinaryExpr, schema: &DFSchema) -> Option<Expr> {
    let negated = match operation.op {
        BinaryOperator::PGLikeMatch => false,
        BinaryOperator::PGNotLikeMatch => true,
        _ => return None,
    };
    let RawBinaryExpr { left, right, .. } = operation;
    let is_pair = |one: &Expr, other: &Expr| is_of_bytes(one, schema) && (is_open(other) || is_of_bytes(other, schema));
    (is_pair(left, right) || is_pair(right, left)).then(|| call(negated, left.clone(), right.clone()))
}

fn call(negated: bool, value: Expr, pattern: Expr) -> Expr {
    let bytes = |operand: Expr| match operand {
        written @ Expr::Literal(..) => cast(written, DataType::Binary),
        other => other,
    };
    called(if negated { &BYTEANLIKE } else { &BYTEALIKE }, vec![bytes(value), bytes(pattern)])
}

/// Whether an operand is of bytes.
pub(super) fn is_of_bytes(operand: &Expr, schema: &DFSchema) -> bool {
    matches!(Operand::of(operand, schema), Operand::Of(own) if is_bytes(&own))
}
