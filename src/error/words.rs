//! The query engine's texts in PostgreSQL's words: its types, its operators, its functions.
//!
//! The texts are those of one version of the engine; a test over many wrong statements finds those that changed.

use arrow::datatypes::DataType;

use super::{Fault, names::nearest};
use crate::pgtype::{self, type_name};

/// What a person is told of a text.
#[derive(Debug, Default, PartialEq)]
pub(super) struct Said {
    /// Whose fault it is, where the text tells.
    pub(super) fault: Option<Fault>,
    pub(super) message: String,
    pub(super) hint: Option<String>,
}

/// The text in words that name nothing of the query engine.
pub(super) fn said(text: &str) -> Said {
    let known = PHRASES.iter().find_map(|phrase| phrase(text).or_else(|| phrase(bare(text))));
    known.unwrap_or_else(|| Said {
        message: without_debugging(&in_sql(bare(text))).replace("DataFusion", "the engine"),
        ..Said::default()
    })
}

/// Each knows one form of text.
const PHRASES: &[fn(&str) -> Option<Said>] = &[
    wrong_arguments,
    undefined_function,
    arithmetic,
    comparison,
    temporal,
    pattern,
    negation,
    filter,
    unreadable_text,
    unreadable_timestamp,
    unreadable_interval,
    out_of_range,
    decimal_overflow,
    uncastable,
    undefined_type,
    not_grouped,
    nested_aggregate,
    no_position,
    not_in_list,
    window_frame,
    aggregate_in_where,
    regular_expression,
    not_utf8,
    undefined_qualifier,
    no_field,
    unmatched_sets,
    told_shortly,
];

fn wrong(fault: Fault, message: String) -> Option<Said> {
    Some(Said { fault: Some(fault), message, hint: None })
}

/// The part of a text between two others.
fn between<'a>(text: &'a str, before: &str, after: &str) -> Option<&'a str> {
    let (_, rest) = text.split_once(before)?;
    rest.split_once(after).map(|(found, _)| found)
}

/// Beginnings that name a layer of the engine.
const LAYERS: &[&str] = &[
    "Arrow error: ",
    "Cast error: ",
    "Compute error: ",
    "Error during planning: ",
    "Execution error: ",
    "External error: ",
    "Internal error: ",
    "Invalid argument error: ",
    "Parser error: ",
    "Schema error: ",
    "This feature is not implemented: ",
];

/// The text without the layers that it came through, traces and pleas.
fn bare(text: &str) -> &str {
    let text = text.split("\n\nbacktrace:").next().unwrap_or(text);
    let mut text = text.split("\nThis issue was likely caused by").next().unwrap_or(text).trim();
    if text.starts_with("Optimizer rule '") || text.starts_with("type_coercion") {
        text = text.split_once("caused by\n").map_or(text, |(_, cause)| cause);
    }
    while let Some(rest) = LAYERS.iter().find_map(|layer| text.strip_prefix(layer)) {
        text = rest.trim_start();
    }
    text
}

const MORE_CASTS: &str = "You might need to add explicit type casts.";

/// `No function matches the given name and argument types 'lower(Int64)'. … Candidate functions:\n\tlower(String)`
fn wrong_arguments(text: &str) -> Option<Said> {
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
    Some(Said {
        fault: Some(Fault::UndefinedFunction),
        message: format!("function {name}({}) does not exist", types.join(", ")),
        hint: Some(hint),
    })
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
fn undefined_function(text: &str) -> Option<Said> {
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
        _ => format!("operator does not exist: {} {operator} {}", operand_type(left), operand_type(right)),
    };
    let hint = format!("No operator matches the given name and argument types. {MORE_CASTS}");
    Some(Said { fault: Some(Fault::UndefinedFunction), message, hint: Some(hint) })
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

fn arithmetic(text: &str) -> Option<Said> {
    no_operator(text.strip_prefix("Cannot coerce arithmetic expression ")?.strip_suffix(" to valid types")?)
}

fn comparison(text: &str) -> Option<Said> {
    let (_, operation) = text.strip_prefix("Cannot infer common ")?.split_once(" operation ")?;
    no_operator(operation)
}

fn temporal(text: &str) -> Option<Said> {
    no_operator(text.strip_prefix("Cannot get result type for temporal operation ")?.split(": ").next()?)
}

/// `There isn't a common type to coerce Int32 and Utf8 in LIKE expression`
fn pattern(text: &str) -> Option<Said> {
    let (operands, operator) =
        text.strip_prefix("There isn't a common type to coerce ")?.strip_suffix(" expression")?.rsplit_once(" in ")?;
    let (left, right) = operands.split_once(" and ")?;
    no_operator(&format!("{left} {operator} {right}"))
}

fn negation(text: &str) -> Option<Said> {
    wrong_boolean("NOT", text.strip_prefix("Unary operator 'NOT' requires a boolean expression, got ")?)
}

/// `Cannot create filter with non-boolean predicate 't.id' returning Int32`
fn filter(text: &str) -> Option<Said> {
    wrong_boolean(
        "WHERE",
        text.strip_prefix("Cannot create filter with non-boolean predicate ")?.rsplit_once(" returning ")?.1,
    )
}

/// `Cannot cast string 'x' to value of Int32 type`
fn unreadable_text(text: &str) -> Option<Said> {
    let rest = text.strip_prefix("Cannot cast string '").or_else(|| text.strip_prefix("Cannot cast value '"))?;
    let (value, data_type) = rest.strip_suffix(" type")?.rsplit_once("' to value of ")?;
    let is_integer = data_type.parse().is_ok_and(|found: DataType| found.is_integer());
    let name = operand_type(data_type);
    if is_integer && value.trim().parse::<i128>().is_ok() {
        return wrong(Fault::NumericOutOfRange, format!("value \"{value}\" is out of range for type {name}"));
    }
    wrong(Fault::InvalidText, format!("invalid input syntax for type {name}: \"{value}\""))
}

/// `Invalid input syntax for type interval: "x"`
fn unreadable_interval(text: &str) -> Option<Said> {
    let value = text.strip_prefix("Invalid input syntax for type interval: ")?;
    wrong(Fault::InvalidText, format!("invalid input syntax for type interval: {value}"))
}

fn unreadable_timestamp(text: &str) -> Option<Said> {
    let (value, _) = text.strip_prefix("Error parsing timestamp from '")?.rsplit_once("': ")?;
    wrong(Fault::InvalidText, format!("invalid input syntax for type timestamp: \"{value}\""))
}

/// `Can't cast value 3000000000 to type Int32`
fn out_of_range(text: &str) -> Option<Said> {
    let (value, data_type) = text.strip_prefix("Can't cast value ")?.rsplit_once(" to type ")?;
    let message = format!("value {value} is out of range for type {}", operand_type(data_type));
    wrong(Fault::NumericOutOfRange, message)
}

/// `1234.5 is too large to store in a Decimal128 of precision 3. Max is 9.99`
fn decimal_overflow(text: &str) -> Option<Said> {
    let (value, bound) = text
        .split_once(" is too large to store in a Decimal")
        .or_else(|| text.split_once(" is too small to store in a Decimal"))?;
    let digits = between(bound, " of precision ", ".")?;
    wrong(Fault::NumericOutOfRange, format!("numeric field overflow: {value} has more than {digits} digits"))
}

/// `Unsupported CAST from Boolean to Date32`, `Casting from Boolean to Date32 not supported`
fn uncastable(text: &str) -> Option<Said> {
    let types = text
        .strip_prefix("Unsupported CAST from ")
        .or_else(|| text.strip_prefix("Casting from ")?.strip_suffix(" not supported"))?;
    let (from, to) = types.split_once(" to ")?;
    let (from, to) = (sql_type(from)?, sql_type(to)?);
    wrong(Fault::CannotCoerce, format!("cannot cast type {from} to {to}"))
}

/// Types that PostgreSQL has and this engine has not.
const MISSING_TYPES: &[&str] = &["UUID", "JSON", "JSONB", "XML", "MONEY", "INET", "CIDR", "MACADDR", "POINT", "BIT"];

fn undefined_type(text: &str) -> Option<Said> {
    let name = text.strip_prefix("Unsupported SQL type ")?;
    if MISSING_TYPES.iter().any(|missing| name.to_uppercase().starts_with(missing)) {
        return wrong(Fault::FeatureNotSupported, format!("type {} is not supported", name.to_lowercase()));
    }
    wrong(Fault::UndefinedObject, format!("type \"{}\" does not exist", name.to_lowercase()))
}

/// `Column in SELECT must be in GROUP BY …: While expanding wildcard, column "t.id" must appear in …`
fn not_grouped(text: &str) -> Option<Said> {
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
fn no_position(text: &str) -> Option<Said> {
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
fn not_in_list(text: &str) -> Option<Said> {
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
fn window_frame(text: &str) -> Option<Said> {
    let bounds = text.strip_prefix("Invalid window frame: ")?;
    wrong(Fault::Windowing, format!("invalid window frame: {}", in_sql(bounds)))
}

fn nested_aggregate(text: &str) -> Option<Said> {
    text.strip_prefix("Aggregate function calls cannot be nested")?;
    wrong(Fault::Grouping, "aggregate function calls cannot be nested".to_owned())
}

fn aggregate_in_where(text: &str) -> Option<Said> {
    text.strip_prefix("Aggregate functions are not allowed in the WHERE clause")?;
    let hint = Some("a condition on groups belongs into HAVING".to_owned());
    let message = "aggregate functions are not allowed in WHERE".to_owned();
    Some(Said { fault: Some(Fault::Grouping), message, hint })
}

fn regular_expression(text: &str) -> Option<Said> {
    let (_, explained) = text.split_once("regex parse error:")?;
    let (_, reason) = explained.rsplit_once("error: ")?;
    wrong(Fault::InvalidRegularExpression, format!("invalid regular expression: {}", reason.trim()))
}

/// What a function for texts says of bytes.
fn not_utf8(text: &str) -> Option<Said> {
    text.contains("Encountered non UTF-8 data").then_some(())?;
    let hint = Some("encode(bytes, 'hex') shows any bytes as text".to_owned());
    let message = "the bytes are not text in UTF-8".to_owned();
    Some(Said { fault: Some(Fault::InvalidText), message, hint })
}

fn undefined_qualifier(text: &str) -> Option<Said> {
    let name = text.strip_prefix("Invalid qualifier ")?;
    wrong(Fault::UndefinedTable, format!("missing FROM-clause entry for table \"{name}\""))
}

/// `Cannot access field at argument 1: type Int32 is not Struct, Map, or Null`
fn no_field(text: &str) -> Option<Said> {
    let data_type = between(text, "Cannot access field at argument ", " is not Struct, Map, or Null")?;
    let (_, data_type) = data_type.split_once(": type ")?;
    wrong(Fault::DatatypeMismatch, format!("a value of type {} has no fields", operand_type(data_type)))
}

/// `Incompatible inputs for Union: Previous inputs were of type Boolean, but got incompatible type Date32 on column 'd'`
fn unmatched_sets(text: &str) -> Option<Said> {
    let (first, rest) = text
        .strip_prefix("Incompatible inputs for Union: Previous inputs were of type ")?
        .split_once(", but got incompatible type ")?;
    let (second, _) = rest.split_once(" on column ")?;
    let message = format!("UNION types {} and {} cannot be matched", operand_type(first), operand_type(second));
    wrong(Fault::DatatypeMismatch, message)
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
    ("Unnest should be rewritten to", Fault::FeatureNotSupported, "set-returning functions are not allowed here"),
    (
        "Unsupported logical plan: CreateMemoryTable",
        Fault::FeatureNotSupported,
        "SELECT INTO is not supported; use CREATE TABLE … AS SELECT …",
    ),
];

fn told_shortly(text: &str) -> Option<Said> {
    let (_, fault, message) = SHORT.iter().find(|(start, ..)| text.starts_with(start))?;
    wrong(*fault, (*message).to_owned())
}

/// Texts between commas outside of parentheses.
fn parts(list: &str) -> impl Iterator<Item = &str> {
    let mut depth = 0_usize;
    let separator = move |character| {
        match character {
            '(' => depth += 1,
            ')' => depth = depth.saturating_sub(1),
            _ => {}
        }
        character == ',' && depth == 0
    };
    list.split(separator).map(str::trim).filter(|part| !part.is_empty())
}

/// SQL's name of an Arrow type given by its own text.
fn sql_type(text: &str) -> Option<String> {
    match text.trim().parse::<DataType>().ok()? {
        DataType::Null => Some(pgtype::UNKNOWN.word(None)),
        DataType::Struct(_) => Some(pgtype::RECORD.word(None)),
        DataType::Map(..) | DataType::Union(..) => Some(pgtype::JSON.word(None)),
        found => Some(type_name(&found)),
    }
}

/// The type as an operand's: digits do not count.
fn operand_type(text: &str) -> String {
    let name = sql_type(text).unwrap_or_else(|| if text.starts_with("Struct(") { "record" } else { text }.to_owned());
    if name.starts_with("numeric(") { "numeric".to_owned() } else { name }
}

/// The text with the engine's types and values as in SQL: `t.id > Int64(1)` is `t.id > 1`.
fn in_sql(text: &str) -> String {
    let mut written = String::with_capacity(text.len());
    let mut rest = text;
    while let Some(start) = rest.find(|character: char| character.is_ascii_alphabetic()) {
        let (before, word) = rest.split_at(start);
        written.push_str(before);
        let end = word.find(|character: char| !character.is_alphanumeric() && character != '_').unwrap_or(word.len());
        let (name, after) = word.split_at(end);
        let argument = enclosed(after);
        let whole = argument.map(|argument| format!("{name}({argument})"));
        let within = whole.as_deref().and_then(sql_type).or_else(|| value(name, argument?));
        match (within, argument) {
            (Some(sql), Some(argument)) => {
                written.push_str(&sql);
                rest = &after[argument.len() + 2..];
            }
            _ => {
                let sql = only_arrow(name).then(|| sql_type(name)).flatten();
                written.push_str(&sql.unwrap_or_else(|| name.to_owned()));
                rest = after;
            }
        }
    }
    written.push_str(rest);
    written
}

/// Whether a word can be nothing but a type of Arrow: others, as Null and Interval, are words of English too.
fn only_arrow(word: &str) -> bool {
    word.ends_with(|last: char| last.is_ascii_digit()) || ["Utf8View", "BinaryView", "Boolean"].contains(&word)
}

/// What stands between the parenthesis that the text begins with and the one that closes it.
fn enclosed(text: &str) -> Option<&str> {
    let mut depth = 0_usize;
    for (at, character) in text.char_indices() {
        match character {
            '(' => depth += 1,
            ')' => depth = depth.checked_sub(1)?,
            _ => {}
        }
        if depth == 0 {
            return if at == 0 { None } else { text.get(1..at) };
        }
    }
    None
}

/// A literal of the engine: `Int64(1)`, `Utf8("x")`.
fn value(data_type: &str, value: &str) -> Option<String> {
    data_type.parse::<DataType>().ok()?;
    Some(match value.strip_prefix('"').and_then(|value| value.strip_suffix('"')) {
        Some(text) => format!("'{}'", text.replace('\'', "''")),
        None => value.to_owned(),
    })
}

/// The text up to where a tree of the parser or the planner is printed.
fn without_debugging(text: &str) -> String {
    let Some(tree) = debugging(text) else { return text.to_owned() };
    let (head, tree) = text.split_at(tree);
    let node: String = tree.chars().take_while(|character| character.is_alphanumeric()).collect();
    let head = head.trim_end().trim_end_matches(':');
    if head.is_empty() || head.starts_with("Unsupported ast node") {
        return format!("{} is not supported here", node.to_uppercase());
    }
    head.to_owned()
}

/// Where a tree begins: a name in capitals with braces, or such a name in parentheses.
fn debugging(text: &str) -> Option<usize> {
    let brace = text.find(" { ")?;
    let begins = |before: &str| {
        let start = before.rfind(|character: char| !character.is_alphanumeric()).map_or(0, |at| at + 1);
        before[start..].starts_with(char::is_uppercase).then_some(start)
    };
    let mut start = begins(&text[..brace])?;
    while let Some(outer) = text[..start].strip_suffix('(').and_then(begins) {
        start = outer;
    }
    Some(start)
}

#[cfg(test)]
mod tests;
