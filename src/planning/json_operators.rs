//! Operators of JSON, which are calls of [functions](crate::functions): which one is meant goes by what is told of the operands.
//!
//! ```sql
//! SELECT j -> 'a' ->> 0, j @> '{"b": 1}', j - 'a'
//! ```

mod later;

use arrow::datatypes::DataType;
use datafusion::{
    common::{DFSchema, Result},
    logical_expr::{Expr, ExprSchemable, cast, planner::RawBinaryExpr},
    sql::sqlparser::ast::BinaryOperator,
};

use self::later::later;
pub(super) use self::later::settled;
use super::{
    arrays,
    open_operands::is_open,
    overloads,
    told::{told_as, told_by},
};
use crate::{
    fault::Failure,
    functions::{self, Given},
    pgtype::{self, Becoming, ColumnType, JSON, JSONB, PgType, TEXT_ARRAY},
};

/// The functions that the operators are, by their numbers in `pg_operator`.
const FUNCTIONS: &[(u32, &str)] = &[
    (3206, "jsonb_extract_path_text_of"),
    (3211, "jsonb_object_field"),
    (3212, "jsonb_array_element"),
    (3213, "jsonb_extract_path_of"),
    (3246, "jsonb_contains"),
    (3247, "jsonb_exists"),
    (3248, "jsonb_exists_any"),
    (3249, "jsonb_exists_all"),
    (3250, "jsonb_contained"),
    (3284, "jsonb_concat"),
    (3285, "jsonb_delete"),
    (3286, "jsonb_delete"),
    (3287, "jsonb_delete_path"),
    (3398, "jsonb_delete_of"),
    (3477, "jsonb_object_field_text"),
    (3481, "jsonb_array_element_text"),
    (3962, "json_object_field"),
    (3963, "json_object_field_text"),
    (3964, "json_array_element"),
    (3965, "json_array_element_text"),
    (3966, "json_extract_path_of"),
    (3967, "json_extract_path_text_of"),
];

/// The call that an operation is planned as; none where it is none of JSON. One that PostgreSQL has not is refused. Where an
/// operand may turn out to be JSON when types are settled, it waits for that.
pub(super) fn planned(operation: &RawBinaryExpr, schema: &DFSchema) -> Result<Option<Expr>> {
    use BinaryOperator::{
        Arrow, ArrowAt, AtArrow, HashArrow, HashLongArrow, HashMinus, LongArrow, Minus, Question, QuestionAnd,
        QuestionPipe, StringConcat,
    };
    let is_of_json_alone = match operation.op {
        Arrow | LongArrow | HashArrow | HashLongArrow | HashMinus | Question | QuestionAnd | QuestionPipe => true,
        ArrowAt | AtArrow | Minus | StringConcat => false,
        _ => return Ok(None),
    };
    let (left, right) = (&operation.left, &operation.right);
    let is_unsettled = is_unsettled(left, schema) || operation.op != Minus && is_unsettled(right, schema);
    let is_of_json = [left, right].iter().any(|operand| json_of(operand, schema).is_some());
    if !is_of_json_alone && !is_of_json {
        // What else is calculated with is no text, and texts are joined.
        let may_be = match operation.op {
            StringConcat => false,
            Minus => is_unsettled && is_key(right, schema),
            _ => is_unsettled && ![left, right].iter().any(|operand| is_array(operand, schema)),
        };
        return Ok(may_be.then(|| later(operation)));
    }
    let name = operation.op.to_string();
    match found(&name, [left.clone(), right.clone()], schema)? {
        Ok(call) => Ok(call),
        // Who joins texts says what is none.
        Err(_) if operation.op == StringConcat => Ok(None),
        Err(_) if is_unsettled || [left, right].iter().any(|operand| is_unknown(operand)) => Ok(Some(later(operation))),
        Err(refused) => Err(refused.into()),
    }
}

/// The call that an operator of JSON is between these operands, if there is one; why it is none.
fn found(name: &str, operands: [Expr; 2], schema: &DFSchema) -> Result<std::result::Result<Option<Expr>, Failure>> {
    let mut arguments = Vec::from(operands);
    let mut given = overloads::given(&arguments, schema);
    for (given, operand) in given.iter_mut().zip(&arguments) {
        let is_free = is_free(operand, schema);
        *given = json_of(operand, schema).map_or(if is_free { Given::Unknown } else { *given }, Given::Type);
    }
    let resolved = functions::resolve_operator(name, &given).or_else(|unresolved| {
        // Integers that are computed are bigints for the planner yet.
        let is_settled = matches!(arguments.last(), Some(Expr::Column(_) | Expr::Cast(_)));
        let early = functions::resolve_operator_early(name, &given).map_err(|_| unresolved);
        if is_settled { Err(unresolved) } else { early }
    });
    let operator = match resolved {
        Ok(operator) => operator,
        Err(unresolved) => return Ok(Err(unresolved.failure_of(name, &given))),
    };
    let function = FUNCTIONS.iter().find(|(oid, _)| *oid == operator.oid).and_then(|(_, name)| functions::named(name));
    let Some(function) = function else { return Ok(Ok(None)) };
    for (argument, wanted) in arguments.iter_mut().zip(operator.arguments) {
        if is_free(argument, schema) {
            read_as(argument, wanted, schema)?;
        }
    }
    Ok(Ok(Some(function.call(arguments))))
}

/// Whether an operand is a text as far as is known, and may be JSON when types are settled.
fn is_unsettled(operand: &Expr, schema: &DFSchema) -> bool {
    match operand {
        Expr::Alias(alias) => is_unsettled(&alias.expr, schema),
        Expr::Column(_)
        | Expr::OuterReferenceColumn(..)
        | Expr::Case(_)
        | Expr::ScalarFunction(_)
        | Expr::AggregateFunction(_)
        | Expr::WindowFunction(_)
        | Expr::ScalarSubquery(_) => {
            let is_text = |own: &DataType| own.is_string() || own.is_null();
            told_by(operand, schema).is_none() && operand.get_type(schema).is_ok_and(|own| is_text(&own))
        }
        _ => false,
    }
}

/// Whether an operand is a parameter whose type another place may say.
fn is_unknown(operand: &Expr) -> bool {
    matches!(operand, Expr::Placeholder(_)) && is_open(operand)
}

/// Whether an operand names keys of an object.
fn is_key(operand: &Expr, schema: &DFSchema) -> bool {
    is_open(operand) || operand.get_type(schema).is_ok_and(|own| pgtype::innermost(&own).is_string())
}

fn is_array(operand: &Expr, schema: &DFSchema) -> bool {
    operand.get_type(schema).is_ok_and(|own| pgtype::element(&own).is_some())
}

/// Whether nothing but the operator says what an operand is: of a parameter, or of the NULL that stands for one, a text may
/// stand for what fields say.
fn is_free(operand: &Expr, schema: &DFSchema) -> bool {
    let is_text = || operand.get_type(schema).is_ok_and(|own| own.is_string()) && told_by(operand, schema).is_none();
    let is_parameter = match operand {
        Expr::Placeholder(_) => true,
        Expr::Literal(value, _) => value.is_null(),
        _ => false,
    };
    is_open(operand) || is_parameter && is_text()
}

/// An operand that nothing says the type of as one of the type that the operator takes; texts are such.
fn read_as(operand: &mut Expr, wanted: &PgType, schema: &DFSchema) -> Result<()> {
    if wanted.oid == JSONB.oid {
        let jsonb = (ColumnType::plain(&JSONB), Becoming::Cast);
        *operand = told_as(std::mem::take(operand), None, jsonb, schema)?;
    } else if let Some(array) = wanted.arrow(-1).filter(|_| wanted.oid == TEXT_ARRAY.oid) {
        let array = arrays::as_written(operand, array);
        *operand = cast(std::mem::take(operand), array);
    }
    Ok(())
}

/// The type of JSON that an operand is of, also where the type that several values have together is not settled yet.
fn json_of(operand: &Expr, schema: &DFSchema) -> Option<PgType> {
    let is_json = |known: &ColumnType| [JSON.oid, JSONB.oid].contains(&known.pg.oid);
    if let Some(known) = told_by(operand, schema) {
        return is_json(&known).then_some(*known.pg);
    }
    match operand {
        Expr::Alias(alias) => json_of(&alias.expr, schema),
        Expr::ScalarFunction(call) => Some(*overloads::told_result(call, schema).filter(is_json)?.pg),
        _ => None,
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use arrow::datatypes::{Field, Schema};
    use datafusion::logical_expr::{col, expr::Placeholder, lit};

    use super::*;

    fn schema() -> DFSchema {
        let told = |name: &str, pg: &'static PgType| {
            Field::new(name, DataType::Utf8View, true).with_metadata(ColumnType::plain(pg).metadata())
        };
        let plain = [Field::new("t", DataType::Utf8View, true), Field::new("n", DataType::Int64, true)];
        let fields = [told("j", &JSON), told("b", &JSONB)].into_iter().chain(plain);
        DFSchema::try_from(Schema::new(fields.collect::<Vec<_>>())).unwrap()
    }

    fn found(left: &Expr, op: &BinaryOperator, right: &Expr) -> Result<Option<String>> {
        let operation = RawBinaryExpr { op: op.clone(), left: left.clone(), right: right.clone() };
        Ok(planned(&operation, &schema())?.map(|call| match call {
            Expr::ScalarFunction(call) => call.func.name().to_owned(),
            other => other.to_string(),
        }))
    }

    /// As `pg_operator` of PostgreSQL 15 has them.
    #[test]
    fn operators_are_functions_of_what_is_told() {
        use BinaryOperator::{Arrow, ArrowAt, HashLongArrow, LongArrow, Minus, Question, StringConcat};
        for (left, op, right, expected) in [
            (col("j"), Arrow, lit("a"), Some("json_object_field")),
            (col("b"), Arrow, lit(0_i64), Some("jsonb_array_element")),
            (col("b"), LongArrow, col("t"), Some("jsonb_object_field_text")),
            (col("j"), HashLongArrow, lit("{a}"), Some("json_extract_path_text_of")),
            (col("b"), Question, lit("a"), Some("jsonb_exists")),
            (lit("{}"), ArrowAt, col("b"), Some("jsonb_contained")),
            (col("b"), StringConcat, lit("{}"), Some("jsonb_concat")),
            (col("b"), StringConcat, col("t"), None),
            (col("b"), Minus, lit("a"), Some("jsonb_delete")),
            (col("t"), LongArrow, lit("a"), Some("->>")),
            (col("t"), Minus, lit("a"), Some("-")),
            (col("t"), StringConcat, lit("a"), None),
            (col("n"), Minus, lit(1_i64), None),
        ] {
            let name = found(&left, &op, &right).unwrap_or_else(|error| panic!("{left} {op} {right}: {error}"));
            assert_eq!(name.as_deref(), expected, "{left} {op} {right}");
        }
        // A parameter that was found to be of jsonb is a text to Arrow.
        let text = Field::new("", DataType::Utf8, true);
        let parameter = Expr::Placeholder(Placeholder::new_with_field("$1".to_owned(), Some(text.into())));
        assert_eq!(found(&col("b"), &ArrowAt, &parameter).unwrap().as_deref(), Some("jsonb_contained"));
        for (left, op, right, expected) in [
            (cast(col("t"), DataType::Utf8View), Arrow, lit("a"), "operator does not exist: text -> unknown"),
            (col("j"), Question, lit("a"), "operator does not exist: json ? unknown"),
            (col("b"), Arrow, col("n"), "operator does not exist: jsonb -> bigint"),
            (lit("{}"), Arrow, lit("a"), "operator is not unique: unknown -> unknown"),
        ] {
            let error = found(&left, &op, &right).unwrap_err().to_string();
            assert!(error.contains(expected), "{left} {op} {right}: {error}");
        }
    }

    #[test]
    fn each_operator_is_a_function_that_is_there() {
        for (_, name) in FUNCTIONS {
            assert!(functions::named(name).is_some(), "{name}");
        }
    }
}
