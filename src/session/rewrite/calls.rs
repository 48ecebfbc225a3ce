//! Calls that leave out what PostgreSQL has defaults for, or name it: `age(born)` and `make_interval(days => 10)`; and those that
//! say digits of a second: `current_timestamp(3)`.

use datafusion::sql::sqlparser::ast::{
    CastKind, Expr, Function, FunctionArg, FunctionArgExpr, FunctionArguments, ObjectName, Value,
};

use super::{call, number, told_types};
use crate::{
    Error, Fault, Result,
    pgtype::{PgType, TIME, TIMESTAMP, TIMESTAMPTZ, TIMETZ},
};

/// What `make_interval` takes, all of it zero if it is left out.
const PARTS_OF_INTERVAL: &[&str] = &["years", "months", "weeks", "days", "hours", "mins", "secs"];

/// Writes what is left out.
pub(super) fn rewrite(expression: &mut Expr) -> Result<()> {
    if let Some(rounded) = with_digits(expression) {
        *expression = rounded;
        return Ok(());
    }
    let Expr::Function(function) = expression else { return Ok(()) };
    let FunctionArguments::List(list) = &mut function.args else { return Ok(()) };
    if is_named(&function.name, "age") && list.args.len() == 1 {
        if let [FunctionArg::Unnamed(FunctionArgExpr::Expr(Expr::Value(value)))] = list.args.as_slice()
            && !matches!(value.value, Value::Placeholder(_))
        {
            let message = "function age(unknown) is not unique; cast its argument";
            return Err(Error::new(Fault::AmbiguousFunction, message));
        }
        // An age is that on the day which is current, at midnight.
        list.args.insert(0, FunctionArg::Unnamed(FunctionArgExpr::Expr(call("current_date", Vec::new()))));
    }
    if is_named(&function.name, "make_interval") && list.args.iter().any(|argument| name_of(argument).is_some()) {
        list.args = in_order(std::mem::take(&mut list.args))?;
    }
    Ok(())
}

/// The functions that may say how many digits of a second they yield, and the types of their values.
static CLOCKS: [(&str, PgType); 4] =
    [("current_time", TIMETZ), ("current_timestamp", TIMESTAMPTZ), ("localtime", TIME), ("localtimestamp", TIMESTAMP)];

/// `current_timestamp(3)` as a cast of what has all digits; none of other calls.
fn with_digits(expression: &Expr) -> Option<Expr> {
    let Expr::Function(function) = expression else { return None };
    let FunctionArguments::List(list) = &function.args else { return None };
    let [FunctionArg::Unnamed(FunctionArgExpr::Expr(Expr::Value(digits)))] = list.args.as_slice() else { return None };
    let Value::Number(digits, _) = &digits.value else { return None };
    let (_, pg) = CLOCKS.iter().find(|(name, _)| is_named(&function.name, name))?;
    let data_type = told_types::with_modifier(told_types::of_digits(pg, digits.parse().ok()?));
    let called = Function { args: FunctionArguments::None, ..function.clone() };
    let expr = Box::new(Expr::Function(called));
    Some(Expr::Cast { kind: CastKind::Cast, expr, data_type, array: false, format: None })
}

fn is_named(name: &ObjectName, wanted: &str) -> bool {
    let word = name.0.last().and_then(|part| part.as_ident());
    word.is_some_and(|word| word.value.eq_ignore_ascii_case(wanted))
}

/// The name that an argument is given with.
fn name_of(argument: &FunctionArg) -> Option<String> {
    match argument {
        FunctionArg::Named { name, .. } => Some(name.value.to_lowercase()),
        FunctionArg::ExprNamed { name: Expr::Identifier(name), .. } => Some(name.value.to_lowercase()),
        FunctionArg::ExprNamed { .. } | FunctionArg::Unnamed(_) => None,
    }
}

/// The arguments of `make_interval` in their places, with zeros up to the last that is given.
fn in_order(arguments: Vec<FunctionArg>) -> Result<Vec<FunctionArg>> {
    let mut placed: Vec<Option<FunctionArg>> = Vec::new();
    let mut has_names = false;
    for argument in arguments {
        let at = match name_of(&argument) {
            Some(name) => {
                has_names = true;
                let at = PARTS_OF_INTERVAL.iter().position(|part| *part == name);
                at.ok_or_else(|| {
                    let known = PARTS_OF_INTERVAL.join(", ");
                    let message = format!("make_interval has no argument named {name}: it takes {known}");
                    Error::new(Fault::UndefinedFunction, message)
                })?
            }
            None if has_names => {
                return Err(Error::new(Fault::Syntax, "positional argument cannot follow named argument"));
            }
            None => placed.len(),
        };
        if placed.len() <= at {
            placed.resize(at + 1, None);
        }
        if let Some(place) = placed.get_mut(at)
            && place.replace(positional(argument)).is_some()
        {
            let name = PARTS_OF_INTERVAL.get(at).copied().unwrap_or_default();
            return Err(Error::new(Fault::Syntax, format!("argument name \"{name}\" used more than once")));
        }
    }
    let zero = || {
        let zero = number("0");
        FunctionArg::Unnamed(FunctionArgExpr::Expr(zero))
    };
    Ok(placed.into_iter().map(|argument| argument.unwrap_or_else(zero)).collect())
}

fn positional(argument: FunctionArg) -> FunctionArg {
    match argument {
        FunctionArg::Named { arg, .. } | FunctionArg::ExprNamed { arg, .. } | FunctionArg::Unnamed(arg) => {
            FunctionArg::Unnamed(arg)
        }
    }
}
