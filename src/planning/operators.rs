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
    common::{DFSchema, JoinConstraint, NullEquality, Result, ScalarValue},
    logical_expr::{
        Between, BinaryExpr, Case, Expr, ExprSchemable, Join, Like, LogicalPlan, Operator,
        expr::{InList, ScalarFunction},
        planner::RawBinaryExpr,
    },
    sql::sqlparser::ast::BinaryOperator,
};

use super::{
    REGULAR_EXPRESSION, SIMILAR_EXPRESSION, arrays, constants, integers,
    open_operands::{Operand, is_open},
    steps,
    told::told_by,
};
use crate::{
    fault::{Failure, Fault},
    functions::{self, Given},
    pgtype::{self, BOOL, Form, INT4, PgType, REGTYPE, TEXT},
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
            each(expr, name, list.iter(), schema)
        }
        Expr::Case(Case { expr, when_then_expr, .. }) => {
            let mut whens = when_then_expr.iter().map(|(when, _)| when);
            match expr {
                Some(value) => each(value, "=", whens.map(AsRef::as_ref), schema),
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
    // What a parameter is may be said elsewhere in the statement.
    let is_placeholder = |operand: &Expr| matches!(operand, Expr::Placeholder(_));
    // What the engine has of its own stays, but for the operators of other databases.
    let is_foreign =
        matches!(operation.op, BinaryOperator::Custom(_) | BinaryOperator::Spaceship | BinaryOperator::LtDashGt);
    let is_there = pgtype::operators(&name).next().is_some();
    let is_looked_at = is_there || is_foreign;
    if !is_looked_at || is_placeholder(&operation.left) || is_placeholder(&operation.right) {
        return Ok(());
    }
    if is_open(&operation.left) && is_open(&operation.right) && name != "||" {
        return resolved(&name, &[Given::Unknown, Given::Unknown]);
    }
    let operands = (given(&operation.left, schema), given(&operation.right, schema));
    let (Some(left), Some(right)) = operands else { return Ok(()) };
    let operands = [left, right];
    let known = |is_so: fn(&PgType) -> bool| {
        operands.iter().filter(|given| matches!(given, Given::Type(own) if is_so(own))).count()
    };
    let is_compared = ["=", "<>", "<", "<=", ">", ">=", "||"].contains(&name.as_str());
    let is_number = |own: &PgType| own.category == INT4.category;
    let is_of_numbers = pgtype::operators(&name).any(|operator| operator.arguments.iter().any(is_number));
    let is_settled_later = known(|own| own.element != 0) > 0
        || is_of_numbers && known(is_number) == operands.len()
        || known(|own| own.category == TEXT.category) > 0 && is_compared;
    if is_settled_later || known(|_| true) == 0 {
        return Ok(());
    }
    match functions::resolve_operator_early(&name, &operands) {
        Ok(operator) => check_texts(operator, [&operation.left, &operation.right]),
        Err(_) => resolved(&name, &operands),
    }
}

/// Refuses a text in quotes that is no value of what an operator takes, before anything is said of what that yields.
fn check_texts(operator: &pgtype::Operator, operands: [&Expr; 2]) -> Result<()> {
    for (operand, wanted) in operands.into_iter().zip(operator.arguments) {
        let Expr::Literal(ScalarValue::Utf8(Some(text)), _) = operand else { continue };
        // Numbers may get another type, of which it is one.
        let is_number = wanted.category == INT4.category && text.trim().parse::<f64>().is_ok();
        if let Some(wanted) = wanted.arrow(-1).filter(|_| !is_number && wanted.form != Form::Oid) {
            constants::check(text, &wanted)?;
        }
    }
    Ok(())
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
    each(left, name, std::iter::once(right), schema)
}

/// Refuses an operator between an operand and others, of which many may be of one type.
fn each<'a>(left: &Expr, name: &str, others: impl Iterator<Item = &'a Expr>, schema: &DFSchema) -> Result<()> {
    let Some(left_given) = given(left, schema) else { return Ok(()) };
    let mut before = None;
    for right in others {
        let Some(right_given) = given(right, schema) else { continue };
        let left_type = beside(left, &left_given, &right_given, schema)?;
        let right_type = beside(right, &right_given, &left_given, schema)?;
        let operands = [left_type.unwrap_or(left_given), right_type.unwrap_or(right_given)];
        if before != Some(operands) {
            resolved(name, &operands)?;
            before = Some(operands);
        }
    }
    Ok(())
}

/// The type of an array that is written where nothing beside it can have made it one; none of other operands.
fn beside(operand: &Expr, own: &Given, other: &Given, schema: &DFSchema) -> Result<Option<Given>> {
    let is_made = matches!(other, Given::Type(other) if other.element_type().is_some());
    if is_made || !matches!(own, Given::Unknown) || !is_written_array(operand) {
        return Ok(None);
    }
    let array = operand.get_type(schema)?;
    Ok(pgtype::element(&array).map(|_| functions::given(&array)))
}

/// What is known of an operand, also of an array in quotes that has been given a type.
fn given_by_now(operand: &Expr, schema: &DFSchema) -> Given {
    match (given(operand, schema), Operand::of(operand, schema)) {
        (Some(Given::Unknown), Operand::Of(own)) if is_written_array(operand) => functions::given(&own),
        (known, _) => known.unwrap_or(Given::Unknown),
    }
}

/// How PostgreSQL writes an operator of the engine's; none of those that are looked at elsewhere.
pub(super) fn written(op: Operator) -> Option<&'static str> {
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
            match (given(value, schema), given_by_now(array, schema), name.try_as_str().flatten()) {
                (Some(own), Given::Type(array), Some(name)) => match array.element_type() {
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
    // PostgreSQL compares their numbers, which are as many as their names.
    let is_regtype = |given: &Given| matches!(given, Given::Type(own) if own.oid == REGTYPE.oid);
    if ["=", "<>"].contains(&name) && given.iter().all(is_regtype) {
        return Ok(());
    }
    match functions::resolve_operator(name, given) {
        Ok(_) => Ok(()),
        Err(unresolved) => Err(unresolved.failure_of(name, given).into()),
    }
}

/// What is known of an operand; none of one whose type cannot be told, or is none of PostgreSQL's.
pub(super) fn given(operand: &Expr, schema: &DFSchema) -> Option<Given> {
    // A pattern that is translated is matched as what it was.
    if let Expr::ScalarFunction(call) = operand
        && [REGULAR_EXPRESSION, SIMILAR_EXPRESSION].contains(&call.func.name())
    {
        return given(call.args.first()?, schema);
    }
    if let Some(told) = told_by(operand, schema) {
        return Some(Given::Type(*told.pg));
    }
    match Operand::of(operand, schema) {
        Operand::Open => Some(Given::Unknown),
        // What is a bigint for the planner yet.
        Operand::Of(DataType::Int64) if integers::is_integer(operand) => Some(Given::Type(INT4)),
        // A parameter is of a type that is told elsewhere, and a text in quotes was given the type of the other array before
        // that was settled.
        Operand::Of(own) if pgtype::innermost(&own).is_string() && is_parameter(operand) => Some(Given::Unknown),
        Operand::Of(own) if pgtype::element(&own).is_some() && is_written_array(operand) => Some(Given::Unknown),
        Operand::Of(own) if is_of_postgresql(&own) => Some(functions::given(&own)),
        Operand::Of(_) | Operand::Unclear => None,
    }
}

/// Whether an operand is a parameter, or NULL of a type or an array, which stand for one.
fn is_parameter(operand: &Expr) -> bool {
    match operand {
        Expr::Placeholder(_) => true,
        Expr::Literal(value, _) => value.is_null() || matches!(value, ScalarValue::List(_)),
        Expr::Alias(alias) => is_parameter(&alias.expr),
        _ => false,
    }
}

fn is_written_array(operand: &Expr) -> bool {
    matches!(operand, Expr::Cast(cast) if is_open(&cast.expr))
}

pub(super) fn is_null(operand: &Expr) -> bool {
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

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use arrow::datatypes::{Field, Fields, IntervalUnit, Schema, TimeUnit};
    use datafusion::logical_expr::{binary_expr, cast, col, lit, not};

    use super::*;

    fn schema() -> DFSchema {
        let object = DataType::Struct(Fields::from(vec![Field::new("a", DataType::Int32, true)]));
        let fields = [
            ("t", DataType::Utf8View),
            ("n", DataType::Int32),
            ("f", DataType::Float64),
            ("b", DataType::Boolean),
            ("d", DataType::Date32),
            ("l", DataType::Timestamp(TimeUnit::Microsecond, None)),
            ("i", DataType::Interval(IntervalUnit::MonthDayNano)),
            ("u", DataType::UInt64),
            ("o", object),
            ("ints", pgtype::list_of(DataType::Int32)),
            ("longs", pgtype::list_of(DataType::Int64)),
        ];
        let fields = fields.map(|(name, data_type)| Field::new(name, data_type, true));
        DFSchema::try_from(Schema::new(fields.to_vec())).unwrap()
    }

    /// As PostgreSQL 15 says it.
    #[test]
    fn operators_are_those_of_postgresql() {
        let refused = |step: Expr| check(&step, &schema()).err().map(|error| error.strip_backtrace());
        for (step, expected) in [
            (col("t").gt(lit(9_i32)), "operator does not exist: text > integer"),
            (col("d").eq(lit(5_i32)), "operator does not exist: date = integer"),
            (col("ints").eq(col("longs")), "operator does not exist: integer[] = bigint[]"),
            (col("n").between(lit(1_i32), col("t")), "operator does not exist: integer <= text"),
            (col("n").not_between(lit(1_i32), col("t")), "operator does not exist: integer > text"),
            (col("n").in_list(vec![lit(1_i32), col("t")], true), "operator does not exist: integer <> text"),
            (col("n").like(lit("5")), "operator does not exist: integer ~~ unknown"),
            (col("t").not_ilike(col("n")), "operator does not exist: text !~~* integer"),
            (binary_expr(col("n"), Operator::IsDistinctFrom, col("t")), "operator does not exist: integer = text"),
            (Expr::Negative(Box::new(col("t"))), "operator does not exist: - text"),
            (col("n").and(col("b")), "argument of AND must be type boolean, not type integer"),
            (not(col("t")), "argument of NOT must be type boolean, not type text"),
            (col("n").is_true(), "argument of IS TRUE must be type boolean, not type integer"),
        ] {
            let found = refused(step.clone());
            assert!(found.as_ref().is_some_and(|found| found.contains(expected)), "{step}: {found:?}");
        }
        for step in [
            col("n").eq(col("f")),
            col("d").lt(col("l")),
            col("n").eq(lit("5")),
            col("b").eq(lit(ScalarValue::Null)),
            col("n").in_list(vec![lit("5"), lit(1_i64)], false),
            col("ints").eq(cast(lit("{1}"), pgtype::list_of(DataType::Int64))),
            binary_expr(col("t"), Operator::IsNotDistinctFrom, lit(ScalarValue::Null)),
            // Those of types that PostgreSQL has not.
            col("u").eq(col("t")),
            col("o").eq(col("t")),
            // A parameter of which another place said that it is a text.
            col("n").eq(lit(ScalarValue::Utf8(None))),
        ] {
            assert_eq!(refused(step.clone()), None, "{step}");
        }
    }

    #[test]
    fn what_is_settled_later_is_not_refused_where_it_is_planned() {
        use BinaryOperator::{Eq, Multiply, Plus};
        let is_refused = |left: Expr, op: BinaryOperator, right: Expr| {
            check_planned(&RawBinaryExpr { op, left, right }, &schema()).is_err()
        };
        for (left, op, right, expected) in [
            (col("d"), Eq, lit(5_i64), true),
            (col("d"), Plus, col("f"), true),
            (col("d"), Multiply, lit(2_i64), true),
            (col("i"), Eq, lit(5_i64), true),
            (col("t"), Plus, lit(1_i64), true),
            (col("t"), Eq, lit(1_i64), false),
            (col("d"), Plus, lit("x"), true),
            (col("d"), Plus, lit(5_i64) + lit(2_i64), false),
            (col("n"), Plus, col("f"), false),
        ] {
            assert_eq!(is_refused(left.clone(), op.clone(), right.clone()), expected, "{left} {op} {right}");
        }
    }
}
