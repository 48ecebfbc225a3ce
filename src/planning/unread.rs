//! A text in quotes among the values in a column of VALUES, of which nothing says yet what it is.
//!
//! The planner gives such a column a type as soon as it has its values, and refuses a text beside a date. What it takes for
//! NULL goes with all: such a text is written as the argument of a call that has no type until all values have theirs.

use arrow::datatypes::DataType;
use datafusion::{
    common::{Result, exec_err},
    logical_expr::{ColumnarValue, Expr, ScalarFunctionArgs, ScalarUDF, ScalarUDFImpl, Signature, Volatility},
};

use super::UNREAD;

/// `unread(text)`, which is never run.
pub(crate) fn unread() -> ScalarUDF {
    ScalarUDF::from(Unread { signature: Signature::any(1, Volatility::Immutable) })
}

#[derive(Debug, PartialEq, Eq, Hash)]
struct Unread {
    signature: Signature,
}

impl ScalarUDFImpl for Unread {
    fn name(&self) -> &str {
        UNREAD
    }

    fn signature(&self) -> &Signature {
        &self.signature
    }

    fn return_type(&self, _types: &[DataType]) -> Result<DataType> {
        Ok(DataType::Null)
    }

    fn invoke_with_args(&self, _call: ScalarFunctionArgs) -> Result<ColumnarValue> {
        exec_err!("a text among values was not read")
    }
}

/// A value as it was written, which the planner may have cast.
pub(super) fn written(value: Expr) -> Expr {
    let text = match &value {
        Expr::Cast(cast) => text_in(&cast.expr),
        other => text_in(other),
    };
    text.unwrap_or(value)
}

fn text_in(value: &Expr) -> Option<Expr> {
    match value {
        Expr::ScalarFunction(call) if call.func.inner().downcast_ref::<Unread>().is_some() => {
            call.args.first().cloned()
        }
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use datafusion::logical_expr::{cast, lit};

    use super::*;

    #[test]
    fn a_text_is_found_within_the_planners_cast() {
        let call = || unread().call(vec![lit("5")]);
        assert_eq!(written(call()), lit("5"));
        assert_eq!(written(cast(call(), DataType::Date32)), lit("5"));
        for kept in [lit("5"), cast(lit("5"), DataType::Date32)] {
            assert_eq!(written(kept.clone()), kept);
        }
    }
}
