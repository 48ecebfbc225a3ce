//! Regular expressions and `SIMILAR TO`: patterns become those of the library that matches them.
//!
//! What is written out is translated here, so that what is planned sees a constant; any other pattern by a function.

use datafusion::sql::sqlparser::ast::{
    BinaryOperator, Expr, Function, FunctionArg, FunctionArgExpr, FunctionArguments, Value,
};

use super::{arrays, call, quoted};
use crate::{
    Result,
    functions::{similar, translated},
    planning::{REGULAR_EXPRESSION, SIMILAR_EXPRESSION},
};

/// Rewrites an operator or a function that matches a regular expression. It comes before comparisons with the
/// elements of arrays are written out, each of which is a pattern.
pub(super) fn rewrite(expression: &mut Expr) -> Result<()> {
    match expression {
        Expr::SimilarTo { .. } => return rewrite_similar(expression),
        Expr::BinaryOp { op, right, .. } if is_match(op) => translate(right, None),
        Expr::AnyOp { compare_op, right, .. } | Expr::AllOp { compare_op, right, .. } if is_match(compare_op) => {
            let elements = arrays::elements_mut(right).into_iter().flatten();
            elements.for_each(|element| translate(element, None));
        }
        Expr::Function(function) => {
            let name = function.name.to_string().to_ascii_lowercase();
            if name.strip_prefix("pg_catalog.").unwrap_or(&name) == "regexp_like" {
                translate_call(function, 2);
            }
        }
        _ => {}
    }
    Ok(())
}

fn is_match(op: &BinaryOperator) -> bool {
    use BinaryOperator::{PGRegexIMatch, PGRegexMatch, PGRegexNotIMatch, PGRegexNotMatch};
    matches!(op, PGRegexMatch | PGRegexIMatch | PGRegexNotMatch | PGRegexNotIMatch)
}

/// A text that is written out.
fn written(expression: &Expr) -> Option<&str> {
    match expression {
        Expr::Nested(inner) => written(inner),
        Expr::Value(value) => match &value.value {
            Value::SingleQuotedString(text) | Value::EscapedStringLiteral(text) | Value::UnicodeStringLiteral(text) => {
                Some(text)
            }
            Value::DollarQuotedString(text) => Some(&text.value),
            _ => None,
        },
        _ => None,
    }
}

/// Translates a regular expression that has options, or none. One that is none is told of when it is matched, by the function:
/// there may be no such operator of what it stands beside.
fn translate(pattern: &mut Expr, flags: Option<Expr>) {
    let known_flags = flags.as_ref().map_or(Some(""), written);
    if let (Some(written), Some(flags)) = (written(pattern), known_flags)
        && let Ok(translated) = translated(written, flags)
    {
        *pattern = quoted(translated);
        return;
    }
    // NULL has no type, and it is told of a number that it is no text.
    let is_other = matches!(&*pattern, Expr::Value(value) if !matches!(value.value, Value::Placeholder(_)));
    if written(pattern).is_some() || !is_other {
        *pattern = call(REGULAR_EXPRESSION, std::iter::once(pattern.clone()).chain(flags).collect());
    }
}

/// Translates the second argument of a call with options at a place, which the pattern has then.
fn translate_call(function: &mut Function, flags: usize) {
    let FunctionArguments::List(list) = &mut function.args else { return };
    let flags = match list.args.get(flags) {
        Some(FunctionArg::Unnamed(FunctionArgExpr::Expr(written))) => {
            let written = written.clone();
            list.args.remove(flags);
            Some(written)
        }
        _ => None,
    };
    if let Some(FunctionArg::Unnamed(FunctionArgExpr::Expr(pattern))) = list.args.get_mut(1) {
        translate(pattern, flags);
    }
}

fn rewrite_similar(expression: &mut Expr) -> Result<()> {
    let Expr::SimilarTo { negated, expr, pattern, escape_char } = expression else { return Ok(()) };
    let escape = escape_char.as_ref().map(|escape| Expr::Value(escape.clone()));
    let known_escape = match &escape {
        None => Some(None),
        Some(escape) => written(escape).map(Some),
    };
    let right = match (written(pattern), known_escape) {
        (Some(written), Some(escape)) => quoted(similar(written, escape)?),
        _ => call(SIMILAR_EXPRESSION, std::iter::once(*pattern.clone()).chain(escape).collect()),
    };
    let op = if *negated { BinaryOperator::PGRegexNotMatch } else { BinaryOperator::PGRegexMatch };
    *expression = Expr::BinaryOp { left: expr.clone(), op, right: Box::new(right) };
    Ok(())
}
