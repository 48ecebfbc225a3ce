//! `string_agg(text, delimiter)` whose delimiter is another for each row: the texts and the delimiters are collected, and then
//! joined. The planner joins with one delimiter for all rows.

use std::ops::ControlFlow;

use datafusion::sql::sqlparser::ast::{
    BinaryOperator, DuplicateTreatment, Expr, Function, FunctionArg, FunctionArgExpr, FunctionArguments, Ident,
    ObjectName, visit_expressions,
};

use super::{call, operation};
use crate::Result;

/// See the module; anything else stays as it is.
pub(super) fn rewrite(expression: &mut Expr) -> Result<()> {
    if let Some(joined) = joined(expression) {
        *expression = joined;
    }
    Ok(())
}

fn joined(expression: &Expr) -> Option<Expr> {
    let Expr::Function(function @ Function { name, args: FunctionArguments::List(list), over: None, .. }) = expression
    else {
        return None;
    };
    let [FunctionArg::Unnamed(FunctionArgExpr::Expr(text)), FunctionArg::Unnamed(FunctionArgExpr::Expr(delimiter))] =
        list.args.as_slice()
    else {
        return None;
    };
    let is_distinct = list.duplicate_treatment == Some(DuplicateTreatment::Distinct);
    if !name.to_string().eq_ignore_ascii_case("string_agg") || is_distinct || !depends_on_rows(delimiter) {
        return None;
    }
    let known = Expr::IsNotNull(Box::new(Expr::Nested(Box::new(text.clone()))));
    let filter = match &function.filter {
        Some(filter) => operation(Expr::Nested(filter.clone()), BinaryOperator::And, known),
        None => known,
    };
    let collected = |value: &Expr| {
        let mut function = function.clone();
        function.name = ObjectName::from(Ident::new("array_agg"));
        function.filter = Some(Box::new(filter.clone()));
        if let FunctionArguments::List(list) = &mut function.args {
            list.args = vec![FunctionArg::Unnamed(FunctionArgExpr::Expr(value.clone()))];
        }
        Expr::Function(function)
    };
    Some(call("string_joined", vec![collected(text), collected(delimiter)]))
}

fn depends_on_rows(expression: &Expr) -> bool {
    let found = visit_expressions(expression, |part| match part {
        Expr::Identifier(_) | Expr::CompoundIdentifier(_) => ControlFlow::Break(()),
        _ => ControlFlow::Continue(()),
    });
    found.is_break()
}
