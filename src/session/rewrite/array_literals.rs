//! Arrays that are written out and cast: `int[]` stands for any number of dimensions, and an empty array has its type from
//! the cast alone.
//!
//! The planner takes `int[]` for one dimension, and an empty array for one of texts. A cast gets as many brackets here as what
//! it casts has dimensions, where that is written; what comes from a column has the brackets that were written. And
//! `coalesce(a, '{}')` is written as the CASE that it is, whose values have one type: the planner asks for that of a call
//! before a text in quotes can be told to be an array.

use std::ops::ControlFlow;

use datafusion::sql::{
    parser::Statement as SqlStatement,
    sqlparser::ast::{
        ArrayElemTypeDef, CaseWhen, CastKind, DataType, Expr, Function, FunctionArg, FunctionArgExpr,
        FunctionArguments, Value, VisitorMut, helpers::attached_token::AttachedToken, visit_expressions,
    },
};

use super::{once::VOLATILE, visit};
use crate::{
    Error, Fault, Result,
    pgtype::{self, ArrayText, Unreadable},
};

/// See the module.
pub(super) fn rewrite(statement: &mut SqlStatement) -> Result<()> {
    visit(statement, &mut Literals)
}

struct Literals;

impl VisitorMut for Literals {
    type Break = Error;

    // A cast before what it casts.
    fn pre_visit_expr(&mut self, expression: &mut Expr) -> ControlFlow<Error> {
        if let Some(case) = as_case(expression) {
            *expression = case;
        }
        match settle(expression) {
            Ok(()) => ControlFlow::Continue(()),
            Err(error) => ControlFlow::Break(error),
        }
    }
}

fn settle(expression: &mut Expr) -> Result<()> {
    match expression {
        Expr::Cast { kind: CastKind::Cast | CastKind::DoubleColon, expr, data_type, .. } if is_array(data_type) => {
            if is_empty(expr) {
                **expr = Expr::Value(Value::SingleQuotedString("{}".to_owned()).into());
            }
            let dimensions = dimensions(expr)?;
            with_dimensions(data_type, dimensions);
        }
        Expr::TypedString(typed) if is_array(&typed.data_type) => {
            let dimensions = of_value(&typed.value.value)?;
            with_dimensions(&mut typed.data_type, dimensions);
        }
        Expr::Array(array) if array.named && array.elem.is_empty() => {
            return Err(Error::Statement {
                fault: Fault::IndeterminateDatatype,
                message: "cannot determine type of empty array".to_owned(),
                hint: Some("Explicitly cast to the desired type, for example ARRAY[]::integer[].".to_owned()),
            });
        }
        _ => {}
    }
    Ok(())
}

/// `coalesce(a, '{}')` as `CASE WHEN a IS NOT NULL THEN a ELSE '{}' END`.
fn as_case(expression: &Expr) -> Option<Expr> {
    let Expr::Function(Function { name, args: FunctionArguments::List(list), over: None, .. }) = expression else {
        return None;
    };
    if !name.to_string().eq_ignore_ascii_case("coalesce") {
        return None;
    }
    let value = |argument: &FunctionArg| match argument {
        FunctionArg::Unnamed(FunctionArgExpr::Expr(value)) => Some(value.clone()),
        _ => None,
    };
    let mut values = list.args.iter().map(value).collect::<Option<Vec<Expr>>>()?;
    let last = values.pop().filter(is_array_text)?;
    if values.is_empty() || values.iter().any(is_volatile) {
        return None;
    }
    let conditions = values.into_iter().map(|value| {
        let value = Expr::Nested(Box::new(value));
        CaseWhen { condition: Expr::IsNotNull(Box::new(value.clone())), result: value }
    });
    Some(Expr::Case {
        case_token: AttachedToken::empty(),
        end_token: AttachedToken::empty(),
        operand: None,
        conditions: conditions.collect(),
        else_result: Some(Box::new(last)),
    })
}

fn is_array_text(value: &Expr) -> bool {
    match value {
        Expr::Value(value) => text_of(&value.value).is_some_and(|text| read(text).is_ok()),
        _ => false,
    }
}

/// Whether a value is another one each time it is looked at.
fn is_volatile(value: &Expr) -> bool {
    let found = visit_expressions(value, |part| match part {
        Expr::Function(Function { name, .. })
            if VOLATILE.iter().any(|volatile| name.to_string().eq_ignore_ascii_case(volatile)) =>
        {
            ControlFlow::Break(())
        }
        _ => ControlFlow::Continue(()),
    });
    found.is_break()
}

fn is_array(data_type: &DataType) -> bool {
    matches!(data_type, DataType::Array(_))
}

fn is_empty(expression: &Expr) -> bool {
    match expression {
        Expr::Array(array) => array.elem.is_empty(),
        Expr::Nested(inner) => is_empty(inner),
        _ => false,
    }
}

/// How many dimensions a value has that is written; none where nothing tells.
fn dimensions(value: &Expr) -> Result<Option<usize>> {
    match value {
        Expr::Value(value) => of_value(&value.value),
        Expr::Nested(inner) => dimensions(inner),
        other => Ok(Some(depth(other)).filter(|depth| *depth > 0)),
    }
}

fn of_value(value: &Value) -> Result<Option<usize>> {
    let Some(text) = text_of(value) else { return Ok(None) };
    Ok(Some(read(text)?.dimensions.len()).filter(|dimensions| *dimensions > 0))
}

/// How many arrays are within each other in one that is written out.
fn depth(expression: &Expr) -> usize {
    match expression {
        Expr::Array(array) => 1 + array.elem.first().map_or(0, depth),
        Expr::Nested(inner) => depth(inner),
        Expr::Cast { expr, data_type, .. } => {
            // It will get the brackets of what it casts, too.
            if let (true, Ok(Some(written))) = (is_array(data_type), dimensions(expr)) {
                return written;
            }
            let (mut depth, mut data_type) = (0, data_type);
            while let Some(inner) = element(data_type) {
                (depth, data_type) = (depth + 1, inner);
            }
            depth
        }
        _ => 0,
    }
}

fn element(data_type: &DataType) -> Option<&DataType> {
    match data_type {
        DataType::Array(
            ArrayElemTypeDef::SquareBracket(inner, _)
            | ArrayElemTypeDef::AngleBracket(inner)
            | ArrayElemTypeDef::Parenthesis(inner),
        ) => Some(inner),
        _ => None,
    }
}

/// Gives an array's type so many brackets, or leaves it as many as it has; a length in them says nothing.
fn with_dimensions(data_type: &mut DataType, wanted: Option<usize>) {
    let (mut written, mut innermost) = (0, &*data_type);
    while let Some(inner) = element(innermost) {
        (written, innermost) = (written + 1, inner);
    }
    if written == 0 {
        return;
    }
    let array = |inner, _| DataType::Array(ArrayElemTypeDef::SquareBracket(Box::new(inner), None));
    *data_type = (0..wanted.unwrap_or(written)).fold(innermost.clone(), array);
}

/// The text that a value is.
pub(super) fn text_of(value: &Value) -> Option<&str> {
    match value {
        Value::SingleQuotedString(text) | Value::EscapedStringLiteral(text) => Some(text),
        Value::DollarQuotedString(text) => Some(&text.value),
        _ => None,
    }
}

/// The array that a text is.
pub(super) fn read(text: &str) -> Result<ArrayText> {
    pgtype::split_array(text).map_err(|why| match why {
        Unreadable::LowerBound(_) => {
            let message = format!("the places of an array count from 1; leave the bounds out of \"{text}\"");
            Error::new(Fault::FeatureNotSupported, message)
        }
        _ => Error::new(Fault::InvalidText, format!("malformed array literal: \"{text}\"")),
    })
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use datafusion::sql::sqlparser::{ast::VisitMut, parser::Parser};

    use super::*;
    use crate::session::PostgreSql;

    fn rewritten(text: &str) -> std::result::Result<String, String> {
        let mut expression = Parser::new(&PostgreSql).try_with_sql(text).unwrap().parse_expr().unwrap();
        match expression.visit(&mut Literals) {
            ControlFlow::Continue(()) => Ok(expression.to_string()),
            ControlFlow::Break(error) => Err(error.to_string()),
        }
    }

    #[test]
    fn a_cast_has_the_dimensions_of_what_it_casts() {
        for (written, planned) in [
            ("'{1,2}'::int[]", "'{1,2}'::INT[]"),
            ("'{{1,2}}'::int[]", "'{{1,2}}'::INT[][]"),
            ("'{1}'::int[][]", "'{1}'::INT[]"),
            ("'{}'::int[][]", "'{}'::INT[][]"),
            ("'{1}'::int[3]", "'{1}'::INT[]"),
            ("CAST('{{{a}}}' AS text[])", "CAST('{{{a}}}' AS TEXT[][][])"),
            ("ARRAY[[1], [2]]::text[]", "ARRAY[[1], [2]]::TEXT[][]"),
            ("ARRAY['{1}']::text[]", "ARRAY['{1}']::TEXT[]"),
            ("ARRAY[]::int[]", "'{}'::INT[]"),
            ("'{{1,2}}'::int[]::text[]", "'{{1,2}}'::INT[][]::TEXT[][]"),
            ("ARRAY['{{1}}'::int[]]::text[]", "ARRAY['{{1}}'::INT[][]]::TEXT[][][]"),
            ("'{{1}}'::text::int[]", "'{{1}}'::TEXT::INT[]"),
            ("x::int[][]", "x::INT[][]"),
            ("'{{1}}'::text", "'{{1}}'::TEXT"),
            ("coalesce(a, b, '{}')", "CASE WHEN (a) IS NOT NULL THEN (a) WHEN (b) IS NOT NULL THEN (b) ELSE '{}' END"),
            ("coalesce(a, 'x')", "coalesce(a, 'x')"),
            ("coalesce(random(), '{1}')", "coalesce(random(), '{1}')"),
        ] {
            assert_eq!(rewritten(written).as_deref(), Ok(planned));
        }
    }

    #[test]
    fn what_is_no_array_and_what_has_no_type_is_refused() {
        for (written, told) in [
            ("ARRAY[]", "cannot determine type of empty array"),
            ("'{1'::int[]", "malformed array literal: \"{1\""),
            ("'[0:0]={1}'::int[]", "the places of an array count from 1"),
        ] {
            assert!(rewritten(written).unwrap_err().contains(told), "{written}");
        }
    }
}
