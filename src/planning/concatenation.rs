//! `||` as PostgreSQL has it: of bytes it is `byteacat`, of a text and anything else it joins their texts, and of two values of
//! which neither is a text there is none: `1 || 2` is refused.
//!
//! The engine joins the texts of any two values, and takes bytes for a text. It comes after open operands have got their types.

use arrow::datatypes::DataType;
use datafusion::{
    common::{DFSchema, Result},
    logical_expr::{
        Expr, cast,
        planner::{PlannerResult, RawBinaryExpr},
    },
};

use super::{byte_texts::is_bytes, open_operands::Operand, operators};
use crate::{functions, pgtype::ZONED_TIME};

/// Plans `||` between operands.
pub(super) fn planned(mut operation: RawBinaryExpr, schema: &DFSchema) -> Result<PlannerResult<RawBinaryExpr>> {
    let (left, right) = (Operand::of(&operation.left, schema), Operand::of(&operation.right, schema));
    match (&left, &right) {
        (Operand::Of(left), Operand::Of(right)) if is_bytes(left) && is_bytes(right) => {}
        (Operand::Of(bytes), Operand::Open) if is_bytes(bytes) => become_type(&mut operation.right, DataType::Binary),
        (Operand::Open, Operand::Of(bytes)) if is_bytes(bytes) => become_type(&mut operation.left, DataType::Binary),
        // Bytes beside what is open are joined with bytes, above.
        (Operand::Of(own), text) if is_written(own) && is_text(text) => {
            become_type(&mut operation.left, DataType::Utf8);
            return Ok(PlannerResult::Original(operation));
        }
        (text, Operand::Of(own)) if is_text(text) && is_written(own) => {
            become_type(&mut operation.right, DataType::Utf8);
            return Ok(PlannerResult::Original(operation));
        }
        (Operand::Of(left), Operand::Of(right)) if is_plain(left) && is_plain(right) => {
            operators::pair(&operation.left, "||", &operation.right, schema)?;
            return Ok(PlannerResult::Original(operation));
        }
        _ => return Ok(PlannerResult::Original(operation)),
    }
    Ok(PlannerResult::Planned(functions::byteacat(operation.left, operation.right)))
}

/// Whether the engine does not write values of this type as PostgreSQL does where it joins texts.
fn is_written(data_type: &DataType) -> bool {
    is_bytes(data_type) || *data_type == ZONED_TIME
}

/// Whether an operand is a text, or may be one.
fn is_text(operand: &Operand) -> bool {
    match operand {
        Operand::Of(DataType::Dictionary(_, value)) => value.is_string(),
        Operand::Of(own) => own.is_string(),
        Operand::Open => true,
        Operand::Unclear => false,
    }
}

/// Whether there is no `||` of values of this type and others that are none of texts: arrays and objects have one.
fn is_plain(data_type: &DataType) -> bool {
    is_bytes(data_type) || data_type.is_numeric() || data_type.is_temporal() || *data_type == DataType::Boolean
}

fn become_type(operand: &mut Expr, data_type: DataType) {
    *operand = cast(std::mem::take(operand), data_type);
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use arrow::datatypes::{Field, Schema};
    use datafusion::{
        logical_expr::{col, lit},
        sql::sqlparser::ast::BinaryOperator,
    };

    use super::*;

    fn joined(left: Expr, right: Expr) -> Result<PlannerResult<RawBinaryExpr>> {
        let fields = vec![
            Field::new("b", DataType::Binary, true),
            Field::new("n", DataType::Int32, true),
            Field::new("s", DataType::Utf8View, true),
            Field::new("l", DataType::new_list(DataType::Int32, true), true),
        ];
        let schema = DFSchema::try_from(Schema::new(fields)).unwrap();
        planned(RawBinaryExpr { op: BinaryOperator::StringConcat, left, right }, &schema)
    }

    /// As PostgreSQL 15 has them.
    #[test]
    fn operands_are_of_types_that_can_be_joined() {
        let bytes = |left: Expr, right: Expr, expected: Expr| match joined(left, right) {
            Ok(PlannerResult::Planned(call)) => assert_eq!(call, expected),
            other => panic!("{other:?}"),
        };
        bytes(col("b"), col("b"), functions::byteacat(col("b"), col("b")));
        bytes(col("b"), lit("a"), functions::byteacat(col("b"), cast(lit("a"), DataType::Binary)));
        let texts = |left: Expr, right: Expr| match joined(left, right) {
            Ok(PlannerResult::Original(operation)) => (operation.left, operation.right),
            other => panic!("{other:?}"),
        };
        assert_eq!(texts(col("b"), col("s")), (cast(col("b"), DataType::Utf8), col("s")));
        for (left, right) in [(col("s"), col("n")), (lit("a"), col("n")), (col("l"), col("n"))] {
            assert_eq!(texts(left.clone(), right.clone()), (left, right));
        }
        for (left, right) in [(col("n"), lit(1_i64)), (col("b"), col("n")), (lit(true), lit(false))] {
            let error = joined(left, right).unwrap_err().to_string();
            assert!(error.contains("operator does not exist: "), "{error}");
        }
    }
}
