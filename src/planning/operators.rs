//! Operators that PostgreSQL does not have for their operands are refused, by its list of them and its rules for which one is
//! meant.
//!
//! ```sql
//! SELECT '10'::text > 9, date '2024-01-02' = 5, json '1' = json '1'   -- operator does not exist: text > integer
//! ```
//!
//! The query engine finds a common type for almost any two values. Here each step of an expression is looked at before it does,
//! when the types of its operands are settled. What the engine refuses while it plans, in words of its own, is looked at where
//! operators are planned as well. Types that PostgreSQL has not, as those of objects and of numbers without a sign, are left to
//! the engine.

use arrow::datatypes::DataType;
use datafusion::{
    common::{DFSchema, JoinConstraint, NullEquality, Result},
    logical_expr::{
        Between, BinaryExpr, Case, Expr, Join, Like, LogicalPlan, Operator,
        expr::{InList, ScalarFunction},
        planner::RawBinaryExpr,
    },
};

use super::{
    arrays, integers,
    open_operands::{Operand, is_open},
    steps,
    told::told_by,
};
use crate::{
    fault::{Failure, Fault},
    functions::{self, Given},
    pgtype::{self, BOOL, INT4, TEXT},
};

/// Refuses a step of an expression whose operands' types are settled.
pub(super) fn check(step: &Expr, schema: &DFSchema) -> Result<()> {
    match step {
        Expr::BinaryExpr(BinaryExpr { left, op: op @ (Operator::And | Operator::Or), right }) => {
            let place = if *op == Operator::And { "AND" } else { "OR" };
            condition(place, left, schema)?;
            condition(place, right, schema)
        }
        // It is asked whether the other is NULL.
        Expr::BinaryExpr(BinaryExpr { left, op: Operator::IsDistinctFrom | Operator::IsNotDistinctFrom, right })
            if is_null(left) || is_null(right) =>
        {
            Ok(())
        }
        Expr::BinaryExpr(BinaryExpr { left, op, right }) => match written(*op) {
            Some(name) => pair(left, name, right, schema),
            None => Ok(()),
        },
        Expr::Negative(operand) => match given(operand, schema) {
            Some(own @ Given::Type(_)) => resolved("-", &[own]),
            Some(Given::Unknown) | None => Ok(()),
        },
        Expr::Like(Like { negated, expr, pattern, case_insensitive, .. }) => {
            let name = match (negated, case_insensitive) {
                (false, false) => "~~",
                (true, false) => "!~~",
                (false, true) => "~~*",
                (true, true) => "!~~*",
            };
            pair(expr, name, pattern, schema)
        }
        Expr::SimilarTo(Like { negated, expr, pattern, .. }) => {
            pair(expr, if *negated { "!~" } else { "~" }, pattern, schema)
        }
        Expr::Between(Between { expr, negated, low, high }) => {
            let (below, above) = if *negated { ("<", ">") } else { (">=", "<=") };
            pair(expr, below, low, schema)?;
            pair(expr, above, high, schema)
        }
        Expr::InList(InList { expr, list, negated }) => {
            let name = if *negated { "<>" } else { "=" };
            list.iter().try_for_each(|item| pair(expr, name, item, schema))
        }
        Expr::Case(Case { expr, when_then_expr, .. }) => {
            let mut whens = when_then_expr.iter().map(|(when, _)| when);
            match expr {
                Some(value) => whens.try_for_each(|when| pair(value, "=", when, schema)),
                None => whens.try_for_each(|when| condition("CASE/WHEN", when, schema)),
            }
        }
        Expr::Not(operand) => condition("NOT", operand, schema),
        Expr::IsTrue(operand) => condition("IS TRUE", operand, schema),
        Expr::IsNotTrue(operand) => condition("IS NOT TRUE", operand, schema),
        Expr::IsFalse(operand) => condition("IS FALSE", operand, schema),
        Expr::IsNotFalse(operand) => condition("IS NOT FALSE", operand, schema),
        Expr::IsUnknown(operand) => condition("IS UNKNOWN", operand, schema),
        Expr::IsNotUnknown(operand) => condition("IS NOT UNKNOWN", operand, schema),
        Expr::AggregateFunction(call) => match &call.params.filter {
            Some(filter) => condition("FILTER", filter, schema),
            None => Ok(()),
        },
        Expr::ScalarFunction(call) => in_call(call, schema),
        _ => Ok(()),
    }
}

/// Refuses an operation that is planned where it is certain already that there is no such operator: the types of numbers are
/// not settled yet, and what is a text may be one that is written.
pub(super) fn check_planned(operation: &RawBinaryExpr, schema: &DFSchema) -> Result<()> {
    let name = operation.op.to_string();
    if pgtype::operators(&name).next().is_none() {
        return Ok(());
    }
    let operands = [given(&operation.left, schema), given(&operation.right, schema)];
    let [Some(Given::Type(left)), Some(Given::Type(right))] = operands else { return Ok(()) };
    let is_array = left.element != 0 || right.element != 0;
    let are_numbers = left.category == right.category && left.category == INT4.category;
    let is_text = [left, right].iter().any(|own| own.category == TEXT.category);
    if is_array || are_numbers || is_text && !["+", "-", "*", "/", "%"].contains(&name.as_str()) {
        return Ok(());
    }
    let given = [Given::Type(left), Given::Type(right)];
    match functions::resolve_operator_early(&name, &given) {
        Ok(_) => Ok(()),
        Err(_) => resolved(&name, &given),
    }
}

/// Refuses the condition of a join that is none.
pub(super) fn check_node(node: &LogicalPlan, schema: &DFSchema) -> Result<()> {
    match node {
        LogicalPlan::Join(Join { filter: Some(filter), .. }) => condition("JOIN/ON", filter, schema),
        _ => Ok(()),
    }
}

/// Refuses keys of a join that are not compared.
pub(super) fn check_keys(join: &Join, left: &Expr, right: &Expr) -> Result<()> {
    let keys = (given(left, join.left.schema()), given(right, join.right.schema()));
    let (Some(left), Some(right)) = keys else { return Ok(()) };
    // Whole rows are compared so, whose types go together elsewhere.
    if join.null_equality == NullEquality::NullEqualsNull && left != right {
        return Ok(());
    }
    match (left, right) {
        (Given::Type(left), Given::Type(right))
            if join.join_constraint == JoinConstraint::Using && left.category != right.category =>
        {
            let (left, right) = (left.sql(None), right.sql(None));
            let message = format!("JOIN/USING types {left} and {right} cannot be matched");
            Err(Failure::new(Fault::DatatypeMismatch, message).into())
        }
        _ => resolved("=", &[left, right]),
    }
}

/// Refuses an operator between operands.
pub(super) fn pair(left: &Expr, name: &str, right: &Expr, schema: &DFSchema) -> Result<()> {
    match (given(left, schema), given(right, schema)) {
        (Some(left), Some(right)) => resolved(name, &[left, right]),
        _ => Ok(()),
    }
}

/// How PostgreSQL writes an operator of the engine's; none of those that are looked at elsewhere.
fn written(op: Operator) -> Option<&'static str> {
    Some(match op {
        Operator::Eq | Operator::IsDistinctFrom | Operator::IsNotDistinctFrom => "=",
        Operator::NotEq => "<>",
        Operator::Lt => "<",
        Operator::LtEq => "<=",
        Operator::Gt => ">",
        Operator::GtEq => ">=",
        Operator::Plus => "+",
        Operator::Minus => "-",
        Operator::Multiply => "*",
        Operator::Divide => "/",
        Operator::Modulo => "%",
        Operator::RegexMatch => "~",
        Operator::RegexIMatch => "~*",
        Operator::RegexNotMatch => "!~",
        Operator::RegexNotIMatch => "!~*",
        Operator::LikeMatch => "~~",
        Operator::ILikeMatch => "~~*",
        Operator::NotLikeMatch => "!~~",
        Operator::NotILikeMatch => "!~~*",
        Operator::BitwiseAnd => "&",
        Operator::BitwiseOr => "|",
        Operator::BitwiseXor => "#",
        Operator::BitwiseShiftRight => ">>",
        Operator::BitwiseShiftLeft => "<<",
        Operator::StringConcat => "||",
        Operator::AtArrow => "@>",
        Operator::ArrowAt => "<@",
        _ => return None,
    })
}

/// What calls compare.
fn in_call(call: &ScalarFunction, schema: &DFSchema) -> Result<()> {
    match (call.func.name(), call.args.as_slice()) {
        ("nullif", [value, other]) => pair(value, "=", other, schema),
        ("compare_any" | "compare_all", [value, array, Expr::Literal(name, _)]) => {
            match (given(value, schema), given(array, schema), name.try_as_str().flatten()) {
                (Some(own), Some(Given::Type(array)), Some(name)) => match array.element_type() {
                    Some(element) => resolved(name, &[own, Given::Type(*element)]),
                    None => Ok(()),
                },
                _ => Ok(()),
            }
        }
        (_, [left, right]) => match arrays::operator_of(call) {
            Some(name) => pair(left, name, right, schema),
            None => Ok(()),
        },
        _ => Ok(()),
    }
}

/// Refuses a condition that is of another type than boolean.
fn condition(place: &str, operand: &Expr, schema: &DFSchema) -> Result<()> {
    // Long chains of them are not gone through for each of their parts.
    let joins = |step: &Expr| matches!(step, Expr::BinaryExpr(BinaryExpr { op, .. }) if op.is_logic_operator());
    if joins(operand) || steps::compares(operand) {
        return Ok(());
    }
    match given(operand, schema) {
        Some(Given::Type(own)) if own.oid != BOOL.oid => {
            let message = format!("argument of {place} must be type boolean, not type {}", own.sql(None));
            Err(Failure::new(Fault::DatatypeMismatch, message).into())
        }
        _ => Ok(()),
    }
}

fn resolved(name: &str, given: &[Given]) -> Result<()> {
    match functions::resolve_operator(name, given) {
        Ok(_) => Ok(()),
        Err(unresolved) => Err(unresolved.failure_of(name, given).into()),
    }
}

/// What is known of an operand; none of one whose type cannot be told, or is none of PostgreSQL's.
pub(super) fn given(operand: &Expr, schema: &DFSchema) -> Option<Given> {
    if let Some(told) = told_by(operand, schema) {
        return Some(Given::Type(*told.pg));
    }
    match Operand::of(operand, schema) {
        Operand::Open => Some(Given::Unknown),
        // What is a bigint for the planner yet.
        Operand::Of(DataType::Int64) if integers::is_integer(operand) => Some(Given::Type(INT4)),
        // A parameter is of a type that is told elsewhere, and a text in quotes was given the type of the other array before
        // that was settled.
        Operand::Of(own) if own.is_string() && is_parameter(operand) => Some(Given::Unknown),
        Operand::Of(own) if pgtype::element(&own).is_some() && is_written_array(operand) => Some(Given::Unknown),
        Operand::Of(own) if is_of_postgresql(&own) => Some(functions::given(&own)),
        Operand::Of(_) | Operand::Unclear => None,
    }
}

/// Whether an operand is a parameter, or NULL of a type, which stands for one.
fn is_parameter(operand: &Expr) -> bool {
    match operand {
        Expr::Placeholder(_) => true,
        Expr::Literal(value, _) => value.is_null(),
        Expr::Alias(alias) => is_parameter(&alias.expr),
        _ => false,
    }
}

fn is_written_array(operand: &Expr) -> bool {
    matches!(operand, Expr::Cast(cast) if is_open(&cast.expr))
}

fn is_null(operand: &Expr) -> bool {
    matches!(operand, Expr::Literal(value, _) if value.is_null())
}

/// Whether PostgreSQL has a type of such values.
pub(super) fn is_of_postgresql(arrow: &DataType) -> bool {
    match pgtype::innermost(arrow) {
        DataType::Struct(_) | DataType::Map(..) | DataType::Union(..) => false,
        DataType::Dictionary(_, value) => is_of_postgresql(value),
        DataType::RunEndEncoded(_, value) => is_of_postgresql(value.data_type()),
        other => !other.is_unsigned_integer(),
    }
}
