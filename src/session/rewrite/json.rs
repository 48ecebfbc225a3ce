//! Aggregates that make JSON, and rows that become it.
//!
//! `json_agg(x ORDER BY y)` is `json_agg_of(array_agg(json_element(x) ORDER BY y))`: what is collected is JSON already, so that
//! the values need not be of types that arrays have. A row that becomes JSON is written with the names of its columns, which
//! no record has: `to_json(row(a, b))` is `to_json(json_row('f1', a, 'f2', b))`, and of `to_json(t)`, where `t` is an item of
//! FROM, `columns` makes the like.

use datafusion::sql::sqlparser::ast::{
    DuplicateTreatment, Expr, Function, FunctionArg, FunctionArgExpr, FunctionArguments, Ident, ObjectName, SelectItem,
    SetExpr,
};

use super::{call, quoted, rows};
use crate::{Error, Fault, Result};

/// The aggregates, with what makes elements or entries of their arguments, what puts those together, and how many
/// arguments they have.
const AGGREGATES: &[(&str, &str, &str, usize)] = &[
    ("json_agg", "json_element", "json_agg_of", 1),
    ("json_object_agg", "json_entry", "json_object_agg_of", 2),
    ("jsonb_agg", "json_element", "jsonb_agg_of", 1),
    ("jsonb_object_agg", "json_entry", "jsonb_object_agg_of", 2),
];

/// The same of values of which equal ones are one: they are told apart before they are JSON.
const DISTINCT: &[(&str, &str)] = &[("json_agg", "json_distinct_of"), ("jsonb_agg", "to_jsonb")];

/// Functions that make JSON of rows, and what those are written with there.
const OF_ROWS: &[(&str, &str)] = &[
    ("json_build_array", ROW),
    ("json_build_object", ROW),
    ("json_element", "json_line"),
    ("json_entry", ROW),
    ("jsonb_build_array", ROW),
    ("jsonb_build_object", ROW),
    ("row_to_json", ROW),
    ("to_json", ROW),
    ("to_jsonb", ROW),
];

const ROW: &str = "json_row";

/// See the module; anything else stays as it is.
pub(super) fn rewrite(expression: &mut Expr) -> Result<()> {
    let Expr::Function(function) = expression else { return Ok(()) };
    match AGGREGATES.iter().find(|(name, ..)| is_named(function, name)) {
        Some(&(name, part, made_by, count)) => *expression = collected(function, (name, part, made_by), count)?,
        None => with_rows(function),
    }
    Ok(())
}

fn is_named(function: &Function, name: &str) -> bool {
    function.name.to_string().eq_ignore_ascii_case(name)
}

fn value(argument: &FunctionArg) -> Option<&Expr> {
    match argument {
        FunctionArg::Unnamed(FunctionArgExpr::Expr(value)) => Some(value),
        _ => None,
    }
}

/// What an aggregate comes to: what puts its elements together, of an array of them.
fn collected(function: &Function, (name, part, made_by): (&str, &str, &str), count: usize) -> Result<Expr> {
    let (values, is_distinct) = match &function.args {
        FunctionArguments::List(list) => (
            list.args.iter().map(|argument| value(argument).cloned()).collect::<Option<Vec<Expr>>>(),
            list.duplicate_treatment == Some(DuplicateTreatment::Distinct),
        ),
        _ => (None, false),
    };
    let Some(values) = values.filter(|values| values.len() == count) else {
        let message = format!("function {name} takes {count} arguments, none of which is *");
        return Err(Error::new(Fault::UndefinedFunction, message));
    };
    let distinct = DISTINCT.iter().find(|(own, _)| *own == name && is_distinct);
    let (collected, made_by) = match (distinct, is_distinct) {
        (Some((_, made_by)), _) => (values, *made_by),
        (None, true) => {
            let message = format!("DISTINCT in {name} is not supported; select the keys and values DISTINCT before");
            return Err(Error::new(Fault::FeatureNotSupported, message));
        }
        (None, false) => {
            let mut made = call(part, values);
            if let Expr::Function(made) = &mut made {
                with_rows(made);
            }
            (vec![made], made_by)
        }
    };
    let mut aggregate = function.clone();
    aggregate.name = ObjectName::from(Ident::new("array_agg"));
    if let FunctionArguments::List(list) = &mut aggregate.args {
        list.args = collected.into_iter().map(|value| FunctionArg::Unnamed(FunctionArgExpr::Expr(value))).collect();
    }
    Ok(call(made_by, vec![Expr::Function(aggregate)]))
}

/// What rows are written with among the arguments of a function, if it makes JSON of them.
fn made_by(function: &Function) -> Option<&'static str> {
    OF_ROWS.iter().find(|(name, _)| is_named(function, name)).map(|(_, made_by)| *made_by)
}

/// Writes the rows among the arguments of a function that makes JSON of them.
fn with_rows(function: &mut Function) {
    let Some(made_by) = made_by(function) else { return };
    let FunctionArguments::List(list) = &mut function.args else { return };
    for argument in &mut list.args {
        if let FunctionArg::Unnamed(FunctionArgExpr::Expr(value)) = argument
            && let Some(columns) = rows::row(value).filter(|columns| !columns.is_empty())
        {
            *value = of_row(columns, made_by);
        }
    }
}

/// A row that is written, whose columns have no names of their own.
fn of_row(columns: Vec<Expr>, made_by: &str) -> Expr {
    let named = columns.into_iter().zip(1_usize..).flat_map(|(column, number)| {
        let column = match rows::row(&column).filter(|columns| !columns.is_empty()) {
            Some(columns) => of_row(columns, ROW),
            None => column,
        };
        [quoted(format!("f{number}")), column]
    });
    call(made_by, named.collect())
}

/// The names among the arguments of a function that makes JSON of rows, and what a row is written with there: alone, or as the
/// one column of a query.
pub(super) fn names(function: &Function) -> Vec<(&Expr, &'static str)> {
    let (Some(made_by), FunctionArguments::List(list)) = (made_by(function), &function.args) else {
        return Vec::new();
    };
    list.args.iter().filter_map(value).filter_map(named).map(|name| (name, made_by)).collect()
}

fn named(value: &Expr) -> Option<&Expr> {
    match value {
        Expr::Identifier(_) => Some(value),
        Expr::Subquery(query) => match query.body.as_ref() {
            SetExpr::Select(select) => match select.projection.as_slice() {
                [SelectItem::UnnamedExpr(shown @ Expr::Identifier(_))] => Some(shown),
                _ => None,
            },
            _ => None,
        },
        _ => None,
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use datafusion::sql::sqlparser::{ast::VisitMut, parser::Parser};

    use crate::session::PostgreSql;

    fn rewritten(text: &str) -> String {
        let mut expression = Parser::new(&PostgreSql).try_with_sql(text).unwrap().parse_expr().unwrap();
        let flow = expression.visit(&mut super::super::Walk(super::super::REWRITES));
        assert!(flow.is_continue(), "{text}");
        expression.to_string()
    }

    #[test]
    fn aggregates_collect_what_is_json_already() {
        for (written, planned) in [
            ("json_agg(x ORDER BY y)", "json_agg_of(array_agg(json_element(x) ORDER BY y))"),
            ("jsonb_agg(DISTINCT x)", "to_jsonb(array_agg(DISTINCT x))"),
            ("json_agg((a, b))", "json_agg_of(array_agg(json_element(json_line('f1', a, 'f2', b))))"),
            (
                "json_object_agg(k, v) FILTER (WHERE v > x)",
                "json_object_agg_of(array_agg(json_entry(k, v)) FILTER (WHERE v > x))",
            ),
            ("to_json(row(a, row(b)))", "to_json(json_row('f1', a, 'f2', json_row('f1', b)))"),
            ("f(row(a, b))", "f(row(a, b))"),
        ] {
            assert_eq!(rewritten(written), planned);
        }
    }

    #[test]
    fn what_no_aggregate_takes_is_refused() {
        for text in ["json_agg(*)", "json_agg(a, b)", "json_object_agg(a)", "json_object_agg(DISTINCT a, b)"] {
            let mut expression = Parser::new(&PostgreSql).try_with_sql(text).unwrap().parse_expr().unwrap();
            assert!(expression.visit(&mut super::super::Walk(super::super::REWRITES)).is_break(), "{text}");
        }
    }
}
