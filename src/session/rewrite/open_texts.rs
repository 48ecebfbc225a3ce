//! Texts in quotes, and NULL, in the places of which PostgreSQL says the type whatever else stands there: a condition is a truth
//! value, and the operand of CASE a text. And texts in quotes that come first where values have a type together, which the
//! planner takes of the first one, where the others are seen to be of one type.
//!
//! ```sql
//! SELECT NOT 'off', count(*) FILTER (WHERE 'yes') FROM orders HAVING 'on'
//! SELECT CASE '1' WHEN 1 THEN 'one' END   -- operator does not exist: text = integer
//! SELECT sum(CASE WHEN paid THEN '1' ELSE 0 END) FROM orders
//! ```

use datafusion::sql::sqlparser::ast::{
    CaseWhen, DataType, Expr, JoinConstraint, Query, Select, SelectItem, SetExpr, TypedString, UnaryOperator, Value,
};

use super::{
    cast_to, is_open, is_text,
    merge::{constraint_mut, is_wildcard},
    null,
};
use crate::Result;

/// The conditions of a SELECT.
pub(super) fn conditions(select: &mut Select) -> Result<()> {
    let written = select.selection.iter_mut().chain(&mut select.having);
    let joins = select.from.iter_mut().flat_map(|item| &mut item.joins);
    let joined = joins.filter_map(|join| match constraint_mut(&mut join.join_operator) {
        Some(JoinConstraint::On(condition)) => Some(condition),
        _ => None,
    });
    written.chain(joined).for_each(become_truth);
    Ok(())
}

/// The columns of set operations.
pub(super) fn sets(query: &mut Query) -> Result<()> {
    read_columns(&mut query.body);
    Ok(())
}

fn read_columns(body: &mut SetExpr) {
    let SetExpr::SetOperation { left, right, .. } = body else { return };
    read_columns(left);
    let (SetExpr::Select(one), SetExpr::Select(other)) = (left.as_mut(), right.as_ref()) else { return };
    if one.projection.iter().chain(&other.projection).any(is_wildcard) {
        return;
    }
    for (item, beside) in one.projection.iter_mut().zip(&other.projection) {
        // One without a name is called as what it is cast to.
        if let SelectItem::ExprWithAlias { expr, .. } = item
            && is_text(expr)
            && let SelectItem::UnnamedExpr(value) | SelectItem::ExprWithAlias { expr: value, .. } = beside
            && let Some(data_type) = seen_type(value)
        {
            become_type(expr, data_type);
        }
    }
}

/// The operands of an expression.
pub(super) fn rewrite(expression: &mut Expr) -> Result<()> {
    match expression {
        Expr::UnaryOp { op: UnaryOperator::Not, expr } => become_truth(expr),
        Expr::Case { operand, conditions, else_result, .. } => {
            if let Some(operand) = operand.as_deref_mut().filter(|operand| is_open(operand)) {
                become_type(operand, DataType::Text);
            }
            read_results(conditions, else_result.as_deref_mut());
        }
        Expr::Function(call) => call.filter.iter_mut().for_each(|condition| become_truth(condition)),
        _ => {}
    }
    Ok(())
}

/// The results of CASE.
fn read_results(conditions: &mut [CaseWhen], otherwise: Option<&mut Expr>) {
    let results = conditions.iter_mut().map(|when| &mut when.result).chain(otherwise);
    let results: Vec<&mut Expr> = results.collect();
    if !results.first().is_some_and(|first| is_text(first)) {
        return;
    }
    let mut types = results.iter().filter(|result| !is_open(result)).map(|result| seen_type(result));
    let Some(Some(common)) = types.next() else { return };
    if types.all(|other| other.as_ref() == Some(&common)) {
        results.into_iter().filter(|result| is_text(result)).for_each(|text| become_type(text, common.clone()));
    }
}

/// The type of a value that is seen in how it is written; none of one that cuts a text or says no type of its own.
pub(super) fn seen_type(value: &Expr) -> Option<DataType> {
    match value {
        Expr::Nested(inner) => seen_type(inner),
        Expr::Cast { data_type, .. } | Expr::TypedString(TypedString { data_type, .. }) => {
            Some(data_type.clone()).filter(is_whole)
        }
        Expr::Value(value) => match &value.value {
            Value::Number(digits, _) if digits.parse::<i32>().is_ok() => Some(DataType::Integer(None)),
            Value::Boolean(_) => Some(DataType::Boolean),
            _ => None,
        },
        _ => None,
    }
}

fn is_whole(data_type: &DataType) -> bool {
    use DataType::{
        BigInt, Bool, Boolean, Date, DoublePrecision, Float4, Float8, Int, Int4, Int8, Integer, Real, SmallInt, Time,
        Timestamp,
    };
    matches!(
        data_type,
        BigInt(None)
            | Bool
            | Boolean
            | Date
            | DoublePrecision
            | Float4
            | Float8
            | Int(None)
            | Int4(None)
            | Int8(None)
            | Integer(None)
            | Real
            | SmallInt(None)
            | Time(None, _)
            | Timestamp(None, _)
    )
}

fn become_truth(condition: &mut Expr) {
    match condition {
        Expr::Nested(inner) => become_truth(inner),
        text if is_text(text) => become_type(text, DataType::Boolean),
        _ => {}
    }
}

/// Casts a value to a type.
pub(super) fn become_type(value: &mut Expr, data_type: DataType) {
    *value = cast_to(std::mem::replace(value, null()), data_type);
}
