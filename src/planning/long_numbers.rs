//! Numbers that are written with more digits than a numeric has here: each is a `long_number('1e300')` until types are settled.
//!
//! ```sql
//! SELECT 1e300::float8, f * 1e300, n < 1e300
//! ```
//!
//! Beside floats, and cast or stored as one, such a number is a float, as in PostgreSQL, and so it is where it is compared with
//! others. Anywhere else it would be a numeric, which there is none of.

use arrow::datatypes::DataType;
use datafusion::{
    common::{
        DFSchema, Result, ScalarValue,
        tree_node::{Transformed, TransformedResult, TreeNode, TreeNodeRecursion},
        utils::take_function_args,
    },
    logical_expr::{
        Cast, ColumnarValue, Expr, ExprSchemable, LogicalPlan, ScalarFunctionArgs, ScalarUDF, ScalarUDFImpl, Signature,
        Values, Volatility,
    },
};

use super::{LONG_NUMBER, read_texts::no_number, steps};
use crate::{
    fault::{Failure, Fault},
    pgtype::{self, ANY_NUMERIC, NoNumber},
};

/// The function that such a number is written as.
pub(crate) fn function() -> ScalarUDF {
    ScalarUDF::from(LongNumber { signature: Signature::any(1, Volatility::Immutable) })
}

/// A step of an expression whose operands are settled, with floats of such numbers among them.
pub(super) fn settled(step: Expr, schema: &DFSchema) -> Result<Expr> {
    if matches!(step, Expr::Alias(_) | Expr::Negative(_))
        || !has_operand(&step, |operand| Ok(written(operand).is_some()))?
    {
        return Ok(step);
    }
    if let Expr::Cast(Cast { expr, field }) = &step
        && let Some(float) = as_float(expr, field.data_type())
    {
        return float;
    }
    let has_float = has_operand(&step, |operand| Ok(written(operand).is_none() && is_float(operand, schema)))?;
    let compares = steps::compares(&step);
    step.map_children(|operand| {
        let Some(number) = written(&operand) else { return Ok(Transformed::no(operand)) };
        let float = match (has_float, compares) {
            (true, _) => float(&number, &DataType::Float64)?,
            (false, true) => nearest(&number)?,
            (false, false) => return Err(refused(&number).into()),
        };
        Ok(Transformed::yes(Expr::Literal(float, None)))
    })
    .data()
}

/// A node whose expressions are settled: one of these numbers that is left is shown as it stands.
pub(super) fn check(node: &LogicalPlan) -> Result<()> {
    node.apply_expressions(|expression| match written(expression) {
        Some(number) => Err(refused(&number).into()),
        None => Ok(TreeNodeRecursion::Continue),
    })?;
    Ok(())
}

/// The rows of VALUES, of which columns with floats are of floats.
pub(super) fn of_rows(values: &mut Values) -> Result<()> {
    let none = DFSchema::empty();
    let width = values.schema.fields().len();
    for at in 0..width {
        let mut column: Vec<&mut Expr> = values.values.iter_mut().filter_map(|row| row.get_mut(at)).collect();
        if !column.iter().any(|value| written(value).is_none() && is_float(value, &none)) {
            continue;
        }
        for value in &mut column {
            if let Some(number) = written(value) {
                **value = Expr::Literal(float(&number, &DataType::Float64)?, None);
            }
        }
    }
    Ok(())
}

/// Such a number as a float of this type; none for other expressions and types.
pub(super) fn as_float(number: &Expr, data_type: &DataType) -> Option<Result<Expr>> {
    let number = written(number)?;
    matches!(data_type, DataType::Float32 | DataType::Float64)
        .then(|| Ok(Expr::Literal(float(&number, data_type)?, None)))
}

/// Whether one of a step's operands is such.
fn has_operand(step: &Expr, is_such: impl Fn(&Expr) -> Result<bool>) -> Result<bool> {
    let mut found = false;
    step.apply_children(|operand| {
        found = is_such(operand)?;
        Ok(if found { TreeNodeRecursion::Stop } else { TreeNodeRecursion::Continue })
    })?;
    Ok(found)
}

fn is_float(operand: &Expr, schema: &DFSchema) -> bool {
    operand.get_type(schema).is_ok_and(|data_type| data_type.is_floating())
}

/// The text of such a number, with or without a sign.
fn written(expression: &Expr) -> Option<String> {
    match expression {
        Expr::Alias(alias) => written(&alias.expr),
        Expr::Negative(operand) => {
            let number = written(operand)?;
            Some(number.strip_prefix('-').map_or_else(|| format!("-{number}"), str::to_owned))
        }
        Expr::ScalarFunction(call) if call.name() == LONG_NUMBER => match call.args.as_slice() {
            [Expr::Literal(text, _)] => text.try_as_str().flatten().map(str::to_owned),
            _ => None,
        },
        _ => None,
    }
}

/// A number as a float of this type.
pub(super) fn float(number: &str, data_type: &DataType) -> Result<ScalarValue, Failure> {
    let refused = |why| no_number(number, data_type, why);
    Ok(match data_type {
        DataType::Float32 => ScalarValue::Float32(Some(pgtype::read_float(number).map_err(refused)?)),
        _ => ScalarValue::Float64(Some(pgtype::read_float(number).map_err(refused)?)),
    })
}

/// What numbers that are no floats are compared with: greater or less than all of them, if no float is near.
fn nearest(number: &str) -> Result<ScalarValue, Failure> {
    match number.parse::<f64>() {
        Ok(nearest) if nearest != 0.0 => Ok(ScalarValue::Float64(Some(nearest))),
        _ => Err(refused(number)),
    }
}

fn refused(number: &str) -> Failure {
    no_number(number, &ANY_NUMERIC, NoNumber::Range)
}

/// `long_number('1e300')`.
#[derive(Debug, PartialEq, Eq, Hash)]
struct LongNumber {
    signature: Signature,
}

impl ScalarUDFImpl for LongNumber {
    fn name(&self) -> &str {
        LONG_NUMBER
    }

    fn signature(&self) -> &Signature {
        &self.signature
    }

    fn return_type(&self, _types: &[DataType]) -> Result<DataType> {
        Ok(DataType::Float64)
    }

    fn invoke_with_args(&self, call: ScalarFunctionArgs) -> Result<ColumnarValue> {
        // Once types are settled there is none of it.
        match take_function_args(self.name(), call.args)? {
            [ColumnarValue::Scalar(text)] => Err(refused(text.try_as_str().flatten().unwrap_or_default()).into()),
            [ColumnarValue::Array(_)] => Err(Failure::new(Fault::Internal, "a number was written as a column").into()),
        }
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use arrow::datatypes::{Field, Schema};
    use datafusion::logical_expr::{cast, col, lit};

    use super::*;

    fn long(text: &str) -> Expr {
        function().call(vec![lit(text)])
    }

    fn of(step: Expr) -> Result<Expr> {
        let fields = [("n", DataType::Decimal128(20, 4)), ("f", DataType::Float64)];
        let fields: Vec<Field> =
            fields.into_iter().map(|(name, data_type)| Field::new(name, data_type, true)).collect();
        settled(step, &DFSchema::try_from(Schema::new(fields)).unwrap())
    }

    #[test]
    fn long_numbers_are_floats_beside_floats() {
        assert_eq!(of(cast(long("1e300"), DataType::Float64)).unwrap(), lit(1e300));
        assert_eq!(of(col("f") * long("1e300")).unwrap(), col("f") * lit(1e300));
        assert_eq!(of(col("n").lt(Expr::Negative(Box::new(long("1e300"))))).unwrap(), col("n").lt(lit(-1e300)));
        assert_eq!(of(col("n").lt(long("1e400"))).unwrap(), col("n").lt(lit(f64::INFINITY)));
        for (step, told) in [
            (col("n") * long("1e300"), "value overflows numeric format: 1e300 has more than 76 digits"),
            (cast(long("1e300"), DataType::Int32), "value overflows numeric format: 1e300 has more than 76 digits"),
            (col("n").lt(long("1e-400")), "value overflows numeric format: 1e-400 has more than 76 digits"),
            (col("f").lt(long("1e400")), "\"1e400\" is out of range for type double precision"),
            (cast(long("1e300"), DataType::Float32), "\"1e300\" is out of range for type real"),
        ] {
            let refused = of(step).unwrap_err().to_string();
            assert!(refused.contains(told), "{refused}");
        }
    }
}
