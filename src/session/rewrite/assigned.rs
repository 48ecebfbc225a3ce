//! The values of an INSERT, each of its own type: as `assigned(value)`, which has none.
//!
//! The planner gives one type to a column of VALUES. In PostgreSQL each value of an INSERT is cast to the type of the table's
//! column, and a text in quotes is one of that: `VALUES ('1'), (2)` are two texts for one table and two numbers for another.
//! What needs no call has none: a column whose values are written alike has the type that each has alone, and long statements
//! are read faster.

use arrow::datatypes::DataType;
use datafusion::{
    common::{Result as PlanResult, exec_err},
    logical_expr::{ColumnarValue, ScalarFunctionArgs, ScalarUDF, ScalarUDFImpl, Signature, Volatility},
    sql::sqlparser::ast::{Expr, Query, SetExpr, UnaryOperator, Value},
};

use super::{call, null};
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
    for at in 0..width {
        for row in &mut values.rows {
            let is_default = matches!(
                &row[at],
                Expr::Identifier(name) if name.quote_style.is_none() && name.value.eq_ignore_ascii_case("default")
            );
            if is_default {
                row[at] = null();
            }
        }
        if are_alike(values.rows.iter().map(|row| &row[at])) {
            continue;
        }
        for row in &mut values.rows {
            let written = std::mem::replace(&mut row[at], null());
            row[at] = call(ASSIGNED, vec![written]);
        }
    }
    Ok(())
}

/// What is written so that its type is known, whatever its digits or letters are.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Kind {
    Text,
    Whole,
    Truth,
    Null,
}

/// Whether values are of one kind, but for NULL.
fn are_alike<'a>(mut values: impl Iterator<Item = &'a Expr>) -> bool {
    let mut common = None;
    values.all(|value| match kind_of(value) {
        Some(Kind::Null) => true,
        Some(kind) => *common.get_or_insert(kind) == kind,
        None => false,
    })
}

fn kind_of(value: &Expr) -> Option<Kind> {
    match value {
        Expr::Value(value) => match &value.value {
            Value::SingleQuotedString(_) => Some(Kind::Text),
            Value::Number(digits, _) if is_bigint(digits) => Some(Kind::Whole),
            Value::Boolean(_) => Some(Kind::Truth),
            Value::Null => Some(Kind::Null),
            _ => None,
        },
        // It is one number with its sign.
        Expr::UnaryOp { op: UnaryOperator::Minus, expr } if matches!(expr.as_ref(), Expr::Value(_)) => {
            kind_of(expr).filter(|kind| *kind == Kind::Whole)
        }
        _ => None,
    }
}

/// Whether all numbers of as many digits are bigints.
fn is_bigint(digits: &str) -> bool {
    digits.len() <= 18 && digits.bytes().all(|byte| byte.is_ascii_digit())
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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn values_of_one_kind_are_alike() {
        let number = |digits: &str| Expr::Value(Value::Number(digits.to_owned(), false).into());
        let text = || Expr::Value(Value::SingleQuotedString("1".to_owned()).into());
        let minus = |value: Expr| Expr::UnaryOp { op: UnaryOperator::Minus, expr: Box::new(value) };
        let alike = |values: &[Expr]| are_alike(values.iter());
        assert!(alike(&[number("1"), null(), minus(number("22"))]));
        assert!(alike(&[null(), text(), text()]));
        assert!(alike(&[null()]));
        assert!(!alike(&[number("1"), text()]));
        assert!(!alike(&[text(), number("1")]));
        assert!(!alike(&[number("1"), Expr::Value(Value::Boolean(true).into())]));
        // Their types are those of their digits.
        assert!(!alike(&[number("1"), number("1.5")]));
        assert!(!alike(&[number("9223372036854775808")]));
        assert!(!alike(&[minus(text())]));
        assert!(!alike(&[minus(minus(number("1")))]));
    }
}
