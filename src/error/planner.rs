//! What the query engine's planner says: of functions, operators, types, groups and positions that do not fit.

use super::{
    said::{Said, between, wrong},
    spelling::{in_sql, operand_type, parts, sql_type},
};
use crate::{
    fault::{Fault, nearest},
    functions::INDETERMINATE,
    pgtype,
};

/// The beginnings of texts that say nothing more than whose fault they are; they are pinned by tests.
const PLAN_FAULTS: &[(&str, Fault)] = &[
    ("table '", Fault::UndefinedTable),
    ("Function '", Fault::UndefinedFunction),
    ("Internal error: Function '", Fault::UndefinedFunction),
    ("failed to resolve schema", Fault::UndefinedSchema),
    ("failed to resolve catalog", Fault::UndefinedSchema),
    ("ANY and ALL compare", Fault::DatatypeMismatch),
    ("Projections require unique expression names", Fault::DuplicateColumn),
    ("Schema contains duplicate", Fault::DuplicateColumn),
    ("column reference", Fault::AmbiguousColumn),
    ("There is no registered file format", Fault::InvalidArgument),
    ("Unsupported", Fault::FeatureNotSupported),
    ("Cannot coerce", Fault::DatatypeMismatch),
    ("Cannot infer common", Fault::DatatypeMismatch),
    ("Cannot automatically convert", Fault::DatatypeMismatch),
    ("Error during planning: Cannot", Fault::DatatypeMismatch),
];

/// Whose fault a text of the planner is that no phrase knows.
pub(super) fn plan_fault(text: &str) -> Fault {
    let known = PLAN_FAULTS.iter().find(|(start, _)| text.starts_with(start));
    known.map_or(Fault::Syntax, |(_, fault)| *fault)
}

const MORE_CASTS: &str = "You might need to add explicit type casts.";

/// `No function matches the given name and argument types 'lower(Int64)'. … Candidate functions:\n\tlower(String)`
pub(super) fn wrong_arguments(text: &str) -> Option<Said> {
    // Why a function of ours takes them not stands before it.
    if text.contains(INDETERMINATE) {
        return Some(Said { fault: Some(Fault::DatatypeMismatch), message: INDETERMINATE.to_owned(), hint: None });
    }
    let call = between(text, "No function matches the given name and argument types '", "'. You might")?;
    let (name, arguments) = call.strip_suffix(')')?.split_once('(')?;
    let types: Vec<String> = parts(arguments).map(operand_type).collect();
    let candidates = text.split_once("Candidate functions:").map(|(_, candidates)| known_calls(candidates));
    let hint = match candidates.unwrap_or_default() {
        known if known.is_empty() => {
            format!("No function matches the given name and argument types. {MORE_CASTS}")
        }
        known => format!("{name} is known as {}. {MORE_CASTS}", known.join(", ")),
    };
    let is_operator = !name.starts_with(|first: char| first.is_alphabetic() || first == '_');
    let message = match types.as_slice() {
        [operand] if is_operator => format!("operator does not exist: {name} {operand}"),
        types => format!("function {name}({}) does not exist", types.join(", ")),
    };
    Some(Said { fault: Some(Fault::UndefinedFunction), message, hint: Some(hint) })
}

/// `Inconsistent data type across values list at row 1 column 0. Was Int64 but found Boolean`
pub(super) fn values(text: &str) -> Option<Said> {
    let found = text.strip_prefix("Inconsistent data type across values list at row ")?;
    let (one, other) = found.split_once(". Was ")?.1.split_once(" but found ")?;
    let (one, other) = (operand_type(one), operand_type(other));
    let message = format!("VALUES types {one} and {other} cannot be matched; cast one of them");
    Some(Said { fault: Some(Fault::DatatypeMismatch), message, hint: None })
}

/// `Inconsistent metadata across values list at row 1 column 0. Was …`: of values of types that fields say, as `jsonb` beside
/// integers.
pub(super) fn told_values(text: &str) -> Option<Said> {
    text.strip_prefix("Inconsistent metadata across values list at row ")?;
    let message = "VALUES types of one column cannot be matched; cast its values to one type".to_owned();
    Some(Said { fault: Some(Fault::DatatypeMismatch), message, hint: None })
}

/// Spellings listed in a hint.
const MAX_KNOWN: usize = 8;

/// The spellings of a function in a list of the engine's; none where one of them has no name in SQL.
fn known_calls(candidates: &str) -> Vec<String> {
    let mut known: Vec<String> = Vec::new();
    for line in candidates.lines().map(str::trim).filter(|line| !line.is_empty()) {
        let Some((name, arguments)) = line.strip_suffix(')').and_then(|line| line.split_once('(')) else {
            return Vec::new();
        };
        let Some(arguments) = parts(arguments).map(parameter).collect::<Option<Vec<_>>>() else { return Vec::new() };
        let call = format!("{name}({})", arguments.join(", "));
        if !known.contains(&call) {
            known.push(call);
        }
    }
    if known.len() > MAX_KNOWN { Vec::new() } else { known }
}

/// A parameter of a candidate: `start_pos: Int64`, `Numeric(1)`, `Float64/Float32`.
fn parameter(text: &str) -> Option<String> {
    let text = text.rsplit_once(": ").map_or(text, |(_, data_type)| data_type);
    let text = text.split('/').next().unwrap_or(text);
    let known = match text {
        "String" => pgtype::TEXT,
        "Decimal" => pgtype::NUMERIC,
        "Integer" | "UInt64" => pgtype::INT8,
        "Float" => pgtype::FLOAT8,
        "Timestamp" => pgtype::TIMESTAMP,
        "Date" => pgtype::DATE,
        "Time" => pgtype::TIME,
        "Interval" | "Duration" => pgtype::INTERVAL,
        "Binary" => pgtype::BYTEA,
        "Numeric(1)" | "Numeric" => return Some("number".to_owned()),
        "NullAry()" => return Some(String::new()),
        "" | "Any" | "array" | "element" | "index" => return Some(text.to_lowercase()),
        other => return sql_type(other),
    };
    Some(known.word(None))
}

/// `Invalid function 'foo'.\nDid you mean 'floor'?`, `table function 'foo' not found`
pub(super) fn undefined_function(text: &str) -> Option<Said> {
    let name = match text.strip_prefix("Invalid function '") {
        Some(rest) => rest.split_once('\'')?.0,
        None => text.strip_prefix("table function '")?.strip_suffix("' not found")?,
    };
    let suggested = between(text, "Did you mean '", "'?");
    let hint = nearest(name, suggested.into_iter()).map(|near| format!("perhaps you meant the function {near}"));
    Some(Said { fault: Some(Fault::UndefinedFunction), message: format!("function {name} does not exist"), hint })
}

fn no_operator(operation: &str) -> Option<Said> {
    let (left, operator, right) = operation_parts(operation)?;
    let message = match operator {
        "AND" | "OR" => {
            let wrong = [left, right].into_iter().find(|operand| *operand != "Boolean")?;
            return wrong_boolean(operator, wrong);
        }
        // Of an interval, or of a number: nothing tells which.
        "+" if matches!((left, right), ("Date32", "Null") | ("Null", "Date32")) => {
            let unknown = |operand| if operand == "Null" { "unknown".to_owned() } else { operand_type(operand) };
            let message = format!("operator is not unique: {} + {}", unknown(left), unknown(right));
            let hint = format!("Could not choose a best candidate operator. {MORE_CASTS}");
            return Some(Said { fault: Some(Fault::AmbiguousFunction), message, hint: Some(hint) });
        }
        _ => format!("operator does not exist: {} {operator} {}", operand_type(left), operand_type(right)),
    };
    let hint = format!("No operator matches the given name and argument types. {MORE_CASTS}");
    Some(Said { fault: Some(Fault::UndefinedFunction), message, hint: Some(hint) })
}

/// `- cannot be used with Utf8View`, which a diagnostic says: its error does not tell the type.
pub(super) fn sign(text: &str) -> Option<Said> {
    let (sign, data_type) = text.split_once(" cannot be used with ").filter(|(sign, _)| ["+", "-"].contains(sign))?;
    let message = format!("operator does not exist: {sign} {}", operand_type(data_type));
    let hint = "No operator matches the given name and argument type. You might need to add an explicit type cast.";
    Some(Said { fault: Some(Fault::UndefinedFunction), message, hint: Some(hint.to_owned()) })
}

fn wrong_boolean(place: &str, found: &str) -> Option<Said> {
    let message = format!("argument of {place} must be type boolean, not type {}", operand_type(found));
    wrong(Fault::DatatypeMismatch, message)
}

/// `Utf8View + Int64`, whose types may hold spaces within parentheses.
fn operation_parts(operation: &str) -> Option<(&str, &str, &str)> {
    let space = |text: &str| {
        let mut depth = 0_usize;
        text.char_indices().find_map(|(at, character)| {
            match character {
                '(' => depth += 1,
                ')' => depth = depth.saturating_sub(1),
                _ => {}
            }
            (character == ' ' && depth == 0).then_some(at)
        })
    };
    let first = space(operation)?;
    let (left, rest) = (&operation[..first], &operation[first + 1..]);
    // An operator of words has spaces of its own: the right type is what can be read as one.
    let mut from = 0;
    loop {
        let at = from + space(rest.get(from..)?)?;
        let right = &rest[at + 1..];
        if sql_type(right).is_some() {
            return Some((left, &rest[..at], right));
        }
        from = at + 1;
    }
}

pub(super) fn arithmetic(text: &str) -> Option<Said> {
    no_operator(text.strip_prefix("Cannot coerce arithmetic expression ")?.strip_suffix(" to valid types")?)
}

pub(super) fn comparison(text: &str) -> Option<Said> {
    let (_, operation) = text.strip_prefix("Cannot infer common ")?.split_once(" operation ")?;
    no_operator(operation)
}

pub(super) fn temporal(text: &str) -> Option<Said> {
    no_operator(text.strip_prefix("Cannot get result type for temporal operation ")?.split(": ").next()?)
}

/// `There isn't a common type to coerce Int32 and Utf8 in LIKE expression`
pub(super) fn pattern(text: &str) -> Option<Said> {
    let (operands, operator) =
        text.strip_prefix("There isn't a common type to coerce ")?.strip_suffix(" expression")?.rsplit_once(" in ")?;
    let (left, right) = operands.split_once(" and ")?;
    no_operator(&format!("{left} {operator} {right}"))
}

pub(super) fn negation(text: &str) -> Option<Said> {
    wrong_boolean("NOT", text.strip_prefix("Unary operator 'NOT' requires a boolean expression, got ")?)
}

/// `Cannot create filter with non-boolean predicate 't.id' returning Int32`
pub(super) fn filter(text: &str) -> Option<Said> {
    wrong_boolean(
        "WHERE",
        text.strip_prefix("Cannot create filter with non-boolean predicate ")?.rsplit_once(" returning ")?.1,
    )
}

pub(super) fn undefined_type(text: &str) -> Option<Said> {
    let name = text.strip_prefix("Unsupported SQL type ")?.to_lowercase();
    let own = name.strip_prefix("pg_catalog.").unwrap_or(&name);
    let word = own.split(['(', '[', ' ']).next().unwrap_or(own);
    if pgtype::MISSING.contains(&word.trim_matches('"')) {
        return wrong(Fault::FeatureNotSupported, format!("type {own} is not supported"));
    }
    wrong(Fault::UndefinedObject, format!("type \"{}\" does not exist", name.replace('"', "")))
}

/// `Column in SELECT must be in GROUP BY …: While expanding wildcard, column "t.id" must appear in …`
pub(super) fn not_grouped(text: &str) -> Option<Said> {
    let what = match text.strip_prefix("HAVING clause references: ") {
        Some(rest) => in_sql(rest.split_once(" must appear in the GROUP BY")?.0),
        None => {
            let start = " must be in GROUP BY or an aggregate function: While expanding wildcard, column \"";
            format!("column \"{}\"", in_sql(between(text, start, "\" must appear in the GROUP BY")?))
        }
    };
    let message = format!("{what} must appear in the GROUP BY clause or be used in an aggregate function");
    wrong(Fault::Grouping, message)
}

/// `Order by column out of bounds, specified: 2, max: 1`, `Cannot find column with position 2 in SELECT clause. Valid …`
pub(super) fn no_position(text: &str) -> Option<Said> {
    let (clause, position) = if let Some(rest) = text.strip_prefix("Order by column out of bounds, specified: ") {
        ("ORDER BY", rest.split_once(',')?.0)
    } else if text.starts_with("Order by index starts at 1") {
        ("ORDER BY", "0")
    } else {
        ("GROUP BY", text.strip_prefix("Cannot find column with position ")?.split_once(' ')?.0)
    };
    wrong(Fault::InvalidColumnReference, format!("{clause} position {position} is not in select list"))
}

/// `For SELECT DISTINCT, ORDER BY expressions t.b must appear in select list`
pub(super) fn not_in_list(text: &str) -> Option<Said> {
    if text.contains("DISTINCT ON expressions must match initial ORDER BY") {
        return wrong(Fault::InvalidColumnReference, text.to_owned());
    }
    let key = text.strip_prefix("For SELECT DISTINCT, ORDER BY expressions ")?;
    let key = in_sql(key.strip_suffix(" must appear in select list")?);
    let message = "for SELECT DISTINCT, ORDER BY expressions must appear in select list".to_owned();
    let hint = Some(format!("add {key} to the list, or leave it out of ORDER BY"));
    Some(Said { fault: Some(Fault::InvalidColumnReference), message, hint })
}

/// `Invalid window frame: start bound (1 FOLLOWING) cannot be larger than end bound (CURRENT ROW)`
pub(super) fn window_frame(text: &str) -> Option<Said> {
    let bounds = text.strip_prefix("Invalid window frame: ")?;
    wrong(Fault::Windowing, format!("invalid window frame: {}", in_sql(bounds)))
}

/// `NTILE requires a positive integer`
pub(super) fn ntile(text: &str) -> Option<Said> {
    (text == "NTILE requires a positive integer").then_some(())?;
    wrong(Fault::InvalidNtile, "argument of ntile must be greater than zero".to_owned())
}

/// `LIMIT must be >= 0, '-1' was provided`
pub(super) fn row_count(text: &str) -> Option<Said> {
    let known = [("LIMIT must be", "LIMIT", Fault::InvalidLimit), ("OFFSET must be", "OFFSET", Fault::InvalidOffset)];
    let (_, clause, fault) = known.into_iter().find(|(start, ..)| text.starts_with(start))?;
    let found = between(text, "'", "'").map_or_else(String::new, |found| format!("; found {found}"));
    wrong(fault, format!("{clause} must not be negative{found}"))
}

pub(super) fn nested_aggregate(text: &str) -> Option<Said> {
    text.strip_prefix("Aggregate function calls cannot be nested")?;
    wrong(Fault::Grouping, "aggregate function calls cannot be nested".to_owned())
}

pub(super) fn aggregate_in_where(text: &str) -> Option<Said> {
    text.strip_prefix("Aggregate functions are not allowed in the WHERE clause")?;
    let hint = Some("a condition on groups belongs into HAVING".to_owned());
    let message = "aggregate functions are not allowed in WHERE".to_owned();
    Some(Said { fault: Some(Fault::Grouping), message, hint })
}

pub(super) fn undefined_qualifier(text: &str) -> Option<Said> {
    let name = text.strip_prefix("Invalid qualifier ")?;
    wrong(Fault::UndefinedTable, format!("missing FROM-clause entry for table \"{name}\""))
}

/// `Cannot access field at argument 1: type Int32 is not Struct, Map, or Null`
pub(super) fn no_field(text: &str) -> Option<Said> {
    let data_type = between(text, "Cannot access field at argument ", " is not Struct, Map, or Null")?;
    let (_, data_type) = data_type.split_once(": type ")?;
    wrong(Fault::DatatypeMismatch, format!("a value of type {} has no fields", operand_type(data_type)))
}

/// `Incompatible inputs for Union: Previous inputs were of type Boolean, but got incompatible type Date32 on column 'd'`
pub(super) fn unmatched_sets(text: &str) -> Option<Said> {
    let (first, rest) = text
        .strip_prefix("Incompatible inputs for Union: Previous inputs were of type ")?
        .split_once(", but got incompatible type ")?;
    let (second, _) = rest.split_once(" on column ")?;
    let message = format!("UNION types {} and {} cannot be matched", operand_type(first), operand_type(second));
    wrong(Fault::DatatypeMismatch, message)
}

/// `Source table contains 1 columns but only 2 names given as column alias`
pub(super) fn names_of_columns(text: &str) -> Option<Said> {
    let (columns, rest) = text.strip_prefix("Source table contains ")?.split_once(" columns but only ")?;
    let (names, _) = rest.split_once(" names given as column alias")?;
    let message = format!("a table has {columns} columns available but {names} columns specified");
    wrong(Fault::InvalidColumnReference, message)
}

/// Texts of which the beginning tells all, and what PostgreSQL says instead.
const SHORT: &[(&str, Fault, &str)] = &[
    ("Too many columns! The subquery", Fault::Syntax, "subquery has too many columns"),
    (
        "Physical plan does not support logical expression WindowFunction",
        Fault::FeatureNotSupported,
        "window functions are not allowed here",
    ),
    (
        "Physical plan does not support logical expression AggregateFunction",
        Fault::Grouping,
        "aggregate functions are not allowed here",
    ),
    (
        "In an aggregate with DISTINCT, ORDER BY expressions",
        Fault::InvalidColumnReference,
        "in an aggregate with DISTINCT, ORDER BY expressions must appear in argument list",
    ),
    (
        "Aggregate function calls cannot contain window function calls",
        Fault::Grouping,
        "aggregate function calls cannot contain window function calls",
    ),
    ("Window function calls cannot be nested", Fault::Windowing, "window function calls cannot be nested"),
    ("Step cannot be zero", Fault::InvalidArgument, "step size cannot equal zero"),
    ("step can't be 0 for function generate_series", Fault::InvalidArgument, "step size cannot equal zero"),
    (
        "WITHIN GROUP is only supported for ordered-set aggregate functions",
        Fault::WrongObjectType,
        "WITHIN GROUP stands behind ordered-set aggregates alone",
    ),
    ("Unnest should be rewritten to", Fault::FeatureNotSupported, "set-returning functions are not allowed here"),
    (
        "Unsupported logical plan: CreateMemoryTable",
        Fault::FeatureNotSupported,
        "SELECT INTO is not supported; use CREATE TABLE … AS SELECT …",
    ),
];

pub(super) fn told_shortly(text: &str) -> Option<Said> {
    let (_, fault, message) = SHORT.iter().find(|(start, ..)| text.starts_with(start))?;
    wrong(*fault, (*message).to_owned())
}

#[cfg(test)]
mod tests {
    use super::super::words::said;
    use crate::fault::Fault;

    fn told(text: &str) -> String {
        said(text).message
    }

    #[test]
    fn functions_and_operators_are_told_with_the_types_of_sql() {
        let text = "Internal error: Function 'round' failed to match any signature, errors: …\nThis issue was likely caused by a \
                    bug in the engine's code. No function matches the given name and argument types \
                    'round(Decimal128(10, 2), Utf8View)'. You might need to add explicit type casts.\n\tCandidate \
                    functions:\n\tround(Decimal, Int32)\n\tround(Float64)";
        let found = said(text);
        assert_eq!(found.message, "function round(numeric, text) does not exist");
        assert_eq!(found.fault, Some(Fault::UndefinedFunction));
        assert_eq!(
            found.hint.as_deref(),
            Some(
                "round is known as round(numeric, integer), round(double precision). You might need to add explicit type casts."
            )
        );
        assert_eq!(
            told("Cannot coerce arithmetic expression Timestamp(ns, \"+00:00\") + Int64 to valid types"),
            "operator does not exist: timestamp with time zone + bigint"
        );
        assert_eq!(
            told("Cannot infer common argument type for comparison operation Date32 IS DISTINCT FROM Boolean"),
            "operator does not exist: date IS DISTINCT FROM boolean"
        );
        assert_eq!(
            told("Cannot infer common argument type for logical boolean operation Boolean AND Int32"),
            "argument of AND must be type boolean, not type integer"
        );
    }

    #[test]
    fn keys_that_are_no_column_are_told_by_their_position() {
        for (text, told) in [
            ("Order by column out of bounds, specified: 2, max: 1", "ORDER BY position 2 is not in select list"),
            ("Order by index starts at 1 for column indexes", "ORDER BY position 0 is not in select list"),
            (
                "Cannot find column with position 3 in SELECT clause. Valid columns: 1 to 1",
                "GROUP BY position 3 is not in select list",
            ),
            (
                "For SELECT DISTINCT, ORDER BY expressions t.b must appear in select list",
                "for SELECT DISTINCT, ORDER BY expressions must appear in select list",
            ),
        ] {
            let found = said(text);
            assert_eq!((found.fault, found.message.as_str()), (Some(Fault::InvalidColumnReference), told), "{text}");
        }
    }
}
