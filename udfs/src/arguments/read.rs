//! From the syntax of a call to checked arguments.

use std::sync::Arc;

use datafusion::{
    arrow::datatypes::{DataType, Field},
    common::{
        DFSchema, DataFusionError, ScalarValue,
        tree_node::{TreeNode, TreeNodeRecursion},
    },
    logical_expr::{Expr, expr::Placeholder, planner::RelationPlannerContext, simplify::SimplifyContext},
    optimizer::simplify_expressions::ExprSimplifier,
    sql::sqlparser::ast::{
        Expr as SqlExpr, FunctionArg, FunctionArgExpr, Ident, ObjectName, ObjectNamePart, TableFactor,
        Value as AstValue,
    },
};

use super::{Arguments, Kind, Parameter, Relation, Value, column_names};
use crate::error::{Error, Result};

/// Reads the arguments of a call to `function`.
pub(crate) fn read(
    function: &'static str,
    parameters: Vec<Parameter>,
    sql: String,
    arguments: Vec<FunctionArg>,
    context: &mut dyn RelationPlannerContext,
) -> Result<Arguments, DataFusionError> {
    let assigned = assign(function, &parameters, arguments)?;
    let mut read = Arguments { function, values: vec![None; parameters.len()], parameters, sql, unbound: Vec::new() };
    for (position, expression) in assigned.into_iter().enumerate() {
        let (Some(expression), Some(&parameter)) = (expression, read.parameters.get(position)) else { continue };
        let value = match parameter.kind {
            Kind::Relation => relation(function, parameter, expression, context)?,
            _ => constant(&mut read, parameter, expression, context)?,
        };
        if let Some(slot) = read.values.get_mut(position) {
            *slot = value;
        }
    }
    for (parameter, value) in read.parameters.iter().zip(&read.values) {
        if parameter.default.is_none() && value.is_none() {
            return Err(missing(function, &read.parameters, parameter.name).into());
        }
    }
    Ok(read)
}

/// The error of a required parameter without a value.
pub(super) fn missing(function: &'static str, parameters: &[Parameter], name: &'static str) -> Error {
    match parameters.iter().find(|known| known.name == name) {
        Some(known) => Error::MissingArgument {
            function,
            argument: known.name,
            purpose: known.doc,
            accepted: accepted(parameters),
        },
        None => Error::Internal(format!("{function} declares no parameter {name}")),
    }
}

/// Gives each parameter its expression: by position first, then by name.
fn assign(
    function: &'static str,
    parameters: &[Parameter],
    arguments: Vec<FunctionArg>,
) -> Result<Vec<Option<SqlExpr>>> {
    let mut assigned: Vec<Option<SqlExpr>> = vec![None; parameters.len()];
    let mut any_named = false;
    for (index, argument) in arguments.into_iter().enumerate() {
        any_named |= !matches!(argument, FunctionArg::Unnamed(_));
        let (position, value) = match argument {
            FunctionArg::Unnamed(value) => {
                if any_named {
                    let problem =
                        format!("takes no argument without a name after one with a name; name argument {}", index + 1);
                    return Err(Error::InvalidCall { function, problem });
                }
                if index >= parameters.len() {
                    let problem =
                        format!("takes at most {} arguments; it accepts {}", parameters.len(), accepted(parameters));
                    return Err(Error::InvalidCall { function, problem });
                }
                (index, value)
            }
            FunctionArg::Named { name, arg, .. } => (position(function, parameters, &folded(&name))?, arg),
            FunctionArg::ExprNamed { name, arg, .. } => (position(function, parameters, &named(&name))?, arg),
        };
        let name = parameters.get(position).map_or("", |known| known.name);
        let FunctionArgExpr::Expr(expression) = value else {
            let problem =
                format!("is {value}, expected {}", parameters.get(position).map_or("", |known| known.kind.name()));
            return Err(Error::InvalidArgument { function, argument: name.into(), problem });
        };
        match assigned.get_mut(position) {
            Some(slot @ None) => *slot = Some(expression),
            _ => {
                let problem = "is given twice; give it once".into();
                return Err(Error::InvalidArgument { function, argument: name.into(), problem });
            }
        }
    }
    Ok(assigned)
}

fn position(function: &'static str, parameters: &[Parameter], name: &str) -> Result<usize> {
    let found = parameters.iter().position(|known| known.name == name);
    found.ok_or_else(|| unknown(function, parameters, name))
}

fn unknown(function: &'static str, parameters: &[Parameter], name: &str) -> Error {
    // A name much longer than any parameter's resembles none, and comparing it would take long.
    let comparable = parameters.iter().filter(|known| name.len() <= 2 * known.name.len());
    let nearest = comparable.map(|known| (edits(name, known.name), known.name)).min();
    let suggestion = nearest.filter(|(edits, known)| *edits <= 1 + known.len() / 4).map(|(_, known)| known.to_owned());
    Error::UnknownArgument { function, argument: name.into(), suggestion, accepted: accepted(parameters) }
}

fn accepted(parameters: &[Parameter]) -> String {
    parameters.iter().map(|known| known.name).collect::<Vec<_>>().join(", ")
}

/// The name before `=>`. Some names, such as `user`, are read as calls without parentheses.
pub(super) fn named(name: &SqlExpr) -> String {
    match name {
        SqlExpr::Identifier(name) => folded(name),
        other => other.to_string().to_lowercase(),
    }
}

pub(super) fn folded(name: &Ident) -> String {
    if name.quote_style.is_some() { name.value.clone() } else { name.value.to_lowercase() }
}

/// A query in parentheses; a name that [`super::rewrite`] has not made one is looked up by the planner.
fn relation(
    function: &'static str,
    parameter: Parameter,
    expression: SqlExpr,
    context: &mut dyn RelationPlannerContext,
) -> Result<Option<Value>, DataFusionError> {
    let sql = expression.to_string();
    let factor = match expression {
        SqlExpr::Subquery(subquery) => TableFactor::Derived { lateral: false, subquery, alias: None, sample: None },
        SqlExpr::Nested(inner) => return relation(function, parameter, *inner, context),
        SqlExpr::Identifier(name) => table(vec![name]),
        SqlExpr::CompoundIdentifier(names) => table(names),
        SqlExpr::Value(value) if value.to_string().eq_ignore_ascii_case("null") => return Ok(None),
        other => {
            let problem = format!("is {other}, expected {}", parameter.kind.name());
            return Err(Error::InvalidArgument { function, argument: parameter.name.into(), problem }.into());
        }
    };
    let plan = context.plan(factor)?;
    let schema = plan.schema();
    for (position, field) in schema.fields().iter().enumerate() {
        if schema.fields().iter().take(position).any(|other| other.name() == field.name()) {
            let problem = format!(
                "the relation {} has two columns named {}; rename one with AS, or select one of them (its columns are {})",
                parameter.name,
                field.name(),
                column_names(schema.as_arrow())
            );
            return Err(Error::DuplicateColumn { function, problem }.into());
        }
    }
    Ok(Some(Value::Relation(Box::new(Relation { plan, sql }))))
}

fn table(names: Vec<Ident>) -> TableFactor {
    TableFactor::Table {
        name: ObjectName(names.into_iter().map(ObjectNamePart::Identifier).collect()),
        alias: None,
        args: None,
        with_hints: Vec::new(),
        version: None,
        with_ordinality: false,
        partitions: Vec::new(),
        json_path: None,
        sample: None,
        index_hints: Vec::new(),
    }
}

/// The value of an expression without columns; NULL is `None`, and so is a parameter that has no value yet.
fn constant(
    read: &mut Arguments,
    parameter: Parameter,
    expression: SqlExpr,
    context: &mut dyn RelationPlannerContext,
) -> Result<Option<Value>, DataFusionError> {
    let function = read.function;
    let invalid = |problem: String| Error::InvalidArgument { function, argument: parameter.name.into(), problem };
    if let SqlExpr::Identifier(_) | SqlExpr::CompoundIdentifier(_) = expression {
        let problem = format!("is the name {expression}, expected {}; write '{expression}'", parameter.kind.name());
        return Err(invalid(problem).into());
    }
    let sql = expression.to_string();
    let expected = |found: &str| invalid(format!("is {found}, expected {}", parameter.kind.name()));
    // The simplifier cannot put different types into one array.
    if is_mixed_array(&expression) {
        return Err(expected(&sql).into());
    }
    let planned = context.sql_to_expr(expression, &DFSchema::empty()).map_err(|_| expected(&sql))?;
    let placeholders = placeholders(&planned)?;
    if let Some(placeholder) = placeholders.first() {
        if parameter.default.is_none() || parameter.kind == Kind::Output {
            let problem = format!(
                "is the parameter {}, which has no value yet; its value decides the columns of the result, \
                                   so write it into the statement",
                placeholder.id
            );
            return Err(invalid(problem).into());
        }
        for placeholder in placeholders {
            let field = Arc::new(Field::new("", placeholder_type(parameter.kind), true));
            read.unbound.push(Expr::Placeholder(Placeholder::new_with_field(placeholder.id, Some(field))));
        }
        return Ok(None);
    }
    let simplified = ExprSimplifier::new(SimplifyContext::default()).simplify(planned).map_err(|_| expected(&sql))?;
    let Expr::Literal(constant, _) = simplified else { return Err(expected(&sql).into()) };
    if constant.is_null() {
        return Ok(None);
    }
    match Value::of_constant(&constant, parameter.kind) {
        Some(value) => Ok(Some(value)),
        None => Err(expected(&described(&sql, &constant)).into()),
    }
}

/// The parameters `$n` in an expression.
fn placeholders(expression: &Expr) -> Result<Vec<Placeholder>, DataFusionError> {
    let mut found = Vec::new();
    expression.apply(|part| {
        if let Expr::Placeholder(placeholder) = part {
            found.push(placeholder.clone());
        }
        Ok(TreeNodeRecursion::Continue)
    })?;
    Ok(found)
}

/// Whether an array has numbers or truth values among other things.
fn is_mixed_array(expression: &SqlExpr) -> bool {
    let SqlExpr::Array(array) = expression else { return false };
    let is_text = |element: &SqlExpr| match element {
        SqlExpr::Value(value) => !matches!(value.value, AstValue::Number(..) | AstValue::Boolean(_)),
        _ => true,
    };
    array.elem.iter().any(is_text) && !array.elem.iter().all(is_text)
}

fn placeholder_type(kind: Kind) -> DataType {
    match kind {
        Kind::Integer => DataType::Int64,
        Kind::Double => DataType::Float64,
        Kind::Boolean => DataType::Boolean,
        _ => DataType::Utf8,
    }
}

/// What was found: the literal as it was written, and its type where that is not plain.
fn described(sql: &str, constant: &ScalarValue) -> String {
    match constant {
        ScalarValue::Utf8(_)
        | ScalarValue::Int64(_)
        | ScalarValue::Float64(_)
        | ScalarValue::Decimal128(..)
        | ScalarValue::Boolean(_) => sql.into(),
        other => format!("{sql} of type {}", other.data_type()),
    }
}

/// How many letters must be inserted, removed, replaced or swapped with their neighbour to turn one word into the other.
fn edits(left: &str, right: &str) -> usize {
    let (left, right): (Vec<char>, Vec<char>) = (left.chars().collect(), right.chars().collect());
    let width = right.len() + 1;
    let mut table = vec![0usize; (left.len() + 1) * width];
    for row in 0..=left.len() {
        for column in 0..width {
            let at = row * width + column;
            table[at] = if row == 0 || column == 0 {
                row + column
            } else {
                let same = left[row - 1] == right[column - 1];
                let mut best =
                    (table[at - width] + 1).min(table[at - 1] + 1).min(table[at - width - 1] + usize::from(!same));
                if row > 1 && column > 1 && left[row - 1] == right[column - 2] && left[row - 2] == right[column - 1] {
                    best = best.min(table[at - 2 * width - 2] + 1);
                }
                best
            };
        }
    }
    table.last().copied().unwrap_or(0)
}
