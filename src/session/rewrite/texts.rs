//! Operators on texts that are functions: `a ^@ b`, `a IS NFC NORMALIZED`, and arguments after VARIADIC.

use datafusion::sql::sqlparser::ast::{
    BinaryOperator, Expr, Function, FunctionArg, FunctionArgExpr, FunctionArguments, UnaryOperator,
};

use super::{call, is_open, null, quoted};
use crate::{Error, Fault, Result, session::dialect::VARIADIC};

/// Writes an operator as the function that it is, and the elements of an array for the array after VARIADIC.
pub(super) fn rewrite(expression: &mut Expr) -> Result<()> {
    match expression {
        Expr::BinaryOp { left, op: BinaryOperator::PGStartsWith, right } => {
            let arguments = vec![std::mem::replace(left.as_mut(), null()), std::mem::replace(right.as_mut(), null())];
            *expression = call("starts_with", arguments);
            Ok(())
        }
        Expr::IsNormalized { expr, form, negated } => {
            let form = form.as_ref().map_or_else(|| "NFC".to_owned(), ToString::to_string);
            let text = std::mem::replace(expr.as_mut(), null());
            let is_normal = call("is_normalized", vec![text, quoted(form)]);
            *expression = match *negated {
                true => Expr::UnaryOp { op: UnaryOperator::Not, expr: Box::new(is_normal) },
                false => is_normal,
            };
            Ok(())
        }
        Expr::Function(function) => match spread(function)? {
            Some(whole) => {
                *expression = whole;
                Ok(())
            }
            None => Ok(()),
        },
        _ => Ok(()),
    }
}

/// Functions of an array that is not written out behind so many arguments, and what makes of that what they make of its
/// elements.
const OF_ARRAYS: &[(&str, usize, &str)] = &[
    ("format", 1, "format_of"),
    ("json_extract_path", 1, "json_extract_path_of"),
    ("json_extract_path_text", 1, "json_extract_path_text_of"),
    ("jsonb_delete", 1, "jsonb_delete_of"),
    ("jsonb_extract_path", 1, "jsonb_extract_path_of"),
    ("jsonb_extract_path_text", 1, "jsonb_extract_path_text_of"),
    ("num_nonnulls", 0, "num_nonnulls_of"),
    ("num_nulls", 0, "num_nulls_of"),
];

/// The functions that take any number of arguments, and so an array of them.
const OF_ANY_NUMBER: &[&str] = &[
    "concat",
    "concat_ws",
    "cume_dist",
    "dense_rank",
    "format",
    "json_build_array",
    "json_build_object",
    "json_extract_path",
    "json_extract_path_text",
    "jsonb_build_array",
    "jsonb_build_object",
    "jsonb_delete",
    "jsonb_extract_path",
    "jsonb_extract_path_text",
    "num_nonnulls",
    "num_nulls",
    "percent_rank",
    "rank",
];

/// Those that PostgreSQL's grammar has, which knows no VARIADIC there.
const OF_THE_GRAMMAR: &[&str] = &["coalesce", "greatest", "least", "nullif"];

/// Refuses VARIADIC where PostgreSQL does.
fn check(name: &str, array: &Expr) -> Result<()> {
    if OF_THE_GRAMMAR.contains(&name) {
        let message = format!("syntax error at or near \"VARIADIC\": {name} takes no array of its arguments");
        return Err(Error::new(Fault::Syntax, message));
    }
    if is_open(array) {
        return Err(Error::new(Fault::DatatypeMismatch, "VARIADIC argument must be an array"));
    }
    if !OF_ANY_NUMBER.contains(&name) {
        let message = format!("function {name} takes no array of its arguments; leave VARIADIC out");
        return Err(Error::new(Fault::UndefinedFunction, message));
    }
    Ok(())
}

/// Gives a call the elements of the array after VARIADIC. Of an array that is not written out, `concat` makes the text that
/// `array_to_string` does, and others have functions of arrays beside them.
fn spread(function: &mut Function) -> Result<Option<Expr>> {
    let name = function.name.to_string().to_ascii_lowercase();
    let FunctionArguments::List(list) = &mut function.args else { return Ok(None) };
    let is_last = |argument: &FunctionArg| match argument {
        FunctionArg::Unnamed(FunctionArgExpr::Expr(Expr::Function(call))) => call.name.to_string() == VARIADIC,
        _ => false,
    };
    if !list.args.last().is_some_and(is_last) {
        return Ok(None);
    }
    let Some(array) = list.args.pop().and_then(first) else { return Ok(None) };
    check(name.rsplit('.').next().unwrap_or(&name).trim_matches('"'), &array)?;
    if let Some(elements) = elements(&array) {
        list.args.extend(elements);
        return Ok(None);
    }
    let found = OF_ARRAYS.iter().find(|(own, before, _)| *own == name && *before == list.args.len());
    if let Some((_, _, made_by)) = found {
        let before = list.args.iter().map(|argument| match argument {
            FunctionArg::Unnamed(FunctionArgExpr::Expr(value)) => Some(value.clone()),
            _ => None,
        });
        let arguments = before.chain([Some(array)]).collect::<Option<Vec<Expr>>>();
        return Ok(arguments.map(|arguments| call(made_by, arguments)));
    }
    let between = match (name.as_str(), list.args.as_slice()) {
        ("concat", []) => quoted(""),
        ("concat_ws", [FunctionArg::Unnamed(FunctionArgExpr::Expr(between))]) => between.clone(),
        _ => {
            let message = format!("VARIADIC of {name} is supported with an array that is written out: ARRAY[…]");
            return Err(Error::new(Fault::FeatureNotSupported, message));
        }
    };
    Ok(Some(call("array_to_string", vec![array, between])))
}

/// The elements of an array that is written out, if it has any. Those of several dimensions are the values within.
fn elements(array: &Expr) -> Option<Vec<FunctionArg>> {
    let elements: Vec<FunctionArg> = match array {
        Expr::Nested(inner) => return elements(inner),
        Expr::Array(array) => {
            array.elem.iter().cloned().map(|element| FunctionArg::Unnamed(FunctionArgExpr::Expr(element))).collect()
        }
        // What a literal of values that depend on something has become.
        Expr::Function(Function { name, args: FunctionArguments::List(list), .. })
            if name.to_string() == "make_array" =>
        {
            list.args.clone()
        }
        _ => return None,
    };
    Some(elements.into_iter().flat_map(values_of).collect()).filter(|elements: &Vec<FunctionArg>| !elements.is_empty())
}

/// An element, or those of the array that it is.
fn values_of(element: FunctionArg) -> Vec<FunctionArg> {
    let within = match &element {
        FunctionArg::Unnamed(FunctionArgExpr::Expr(value)) => elements(value),
        _ => None,
    };
    within.unwrap_or_else(|| vec![element])
}

/// The argument of a call that has one.
fn first(argument: FunctionArg) -> Option<Expr> {
    let FunctionArg::Unnamed(FunctionArgExpr::Expr(Expr::Function(function))) = argument else { return None };
    let FunctionArguments::List(list) = function.args else { return None };
    match list.args.into_iter().next()? {
        FunctionArg::Unnamed(FunctionArgExpr::Expr(array)) => Some(array),
        _ => None,
    }
}
