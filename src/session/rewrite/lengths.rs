//! `x::varchar(2)` cuts: the planner forgets the length of a type.

use datafusion::sql::sqlparser::ast::{CharacterLength, DataType as Type, Expr, Value};

use super::call;
use crate::Result;

/// Cuts what is cast to texts of a length.
pub(super) fn rewrite(expression: &mut Expr) -> Result<()> {
    let Expr::Cast { data_type, .. } = expression else { return Ok(()) };
    let (Type::Varchar(length) | Type::CharacterVarying(length) | Type::CharVarying(length)) = data_type else {
        return Ok(());
    };
    let length = length.take();
    // The planner knows the type under this name alone.
    *data_type = Type::Varchar(None);
    let Some(CharacterLength::IntegerLength { length, .. }) = length else { return Ok(()) };
    let length = Expr::Value(Value::Number(length.to_string(), false).into());
    *expression = call("left", vec![expression.clone(), length]);
    Ok(())
}
