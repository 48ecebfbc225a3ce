//! Objects that are written by name: `'public.orders'::regclass`, `oid::regrole::text`, `atttypid = 'int4'::regtype`.
//!
//! A cast to `regclass` and its like is the number of the object, which is what PostgreSQL keeps and compares. A name is made
//! of it where it is shown: in the columns that the query yields, and where it becomes a text. The names of types are texts
//! here, whose numbers are asked for where they are compared with what is none.

use std::ops::ControlFlow;

use datafusion::sql::{
    parser::Statement as SqlStatement,
    sqlparser::ast::{
        BinaryOperator, DataType, Expr, Query, SelectItem, SetExpr, Statement as Ast, UnaryOperator, Value, VisitorMut,
    },
};

use super::{call, cast_to, null, told_types, visit};
use crate::{Error, Result};

/// The types whose values are numbers of objects.
const REGISTERED: &[&str] = &["regclass", "regnamespace", "regproc", "regprocedure", "regrole"];

/// What the names of functions begin with that find numbers and names, before the type's.
const NUMBER: &str = "number_of_";
const NAME: &str = "name_of_";

/// Writes calls of the functions that find numbers and names.
pub(super) fn rewrite(statement: &mut SqlStatement) -> Result<()> {
    if let SqlStatement::Statement(inner) = statement
        && let Ast::Query(query) = inner.as_mut()
    {
        show(query);
    }
    visit(statement, &mut Registered)
}

/// Shows names in the columns of a query.
fn show(query: &mut Query) {
    fn each(body: &mut SetExpr) {
        match body {
            SetExpr::Select(select) => {
                for item in &mut select.projection {
                    if let SelectItem::UnnamedExpr(expr) | SelectItem::ExprWithAlias { expr, .. } = item {
                        as_shown(expr);
                    }
                }
            }
            SetExpr::Query(query) => each(&mut query.body),
            SetExpr::SetOperation { left, right, .. } => {
                each(left);
                each(right);
            }
            _ => {}
        }
    }
    each(&mut query.body);
}

fn as_shown(expression: &mut Expr) {
    // Those of functions are shown without their session.
    if let Some(word) = registered(expression).filter(|word| *word != "regproc") {
        name(expression, word);
        return;
    }
    match expression {
        Expr::Nested(inner) => as_shown(inner),
        Expr::Subquery(query) => show(query),
        Expr::Case { conditions, else_result, .. } => {
            conditions.iter_mut().for_each(|when| as_shown(&mut when.result));
            if let Some(other) = else_result {
                as_shown(other);
            }
        }
        _ => {}
    }
}

/// Puts the function that finds a name around a number.
fn name(expression: &mut Expr, word: &str) {
    let number = std::mem::replace(expression, null());
    *expression = call(&format!("{NAME}{word}"), vec![number]);
}

struct Registered;

impl VisitorMut for Registered {
    type Break = Error;

    fn post_visit_expr(&mut self, expression: &mut Expr) -> ControlFlow<Error> {
        match expression {
            Expr::Cast { expr, data_type, .. } => {
                if let Some(word) = word_of(data_type) {
                    let value = std::mem::replace(expr.as_mut(), null());
                    *expression = number(word, value);
                } else if is_text(data_type)
                    && let Some(word) = registered(expr)
                {
                    name(expr, word);
                } else if is_number(data_type) && is_type_name(expr) {
                    let value = std::mem::replace(expr.as_mut(), null());
                    **expr = call(&format!("{NUMBER}regtype"), vec![value]);
                }
            }
            Expr::TypedString(typed) => {
                if let Some(word) = word_of(&typed.data_type) {
                    *expression = number(word, Expr::Value(typed.value.clone()));
                }
            }
            Expr::BinaryOp { left, op: BinaryOperator::StringConcat, right } => {
                for side in [left, right] {
                    if let Some(word) = registered(side) {
                        name(side, word);
                    }
                }
            }
            Expr::BinaryOp { left, op: op @ (BinaryOperator::Eq | BinaryOperator::NotEq), right }
                if is_type_name(left) && !may_be_type(right) || is_type_name(right) && !may_be_type(left) =>
            {
                let is_equal = *op == BinaryOperator::Eq;
                let sides = [left, right].map(|side| std::mem::replace(side.as_mut(), null()));
                let equal = call("equal_types", sides.into());
                *expression = match is_equal {
                    true => equal,
                    false => Expr::UnaryOp { op: UnaryOperator::Not, expr: Box::new(equal) },
                };
            }
            _ => {}
        }
        ControlFlow::Continue(())
    }
}

/// The number of what a value names, or is.
fn number(word: &str, value: Expr) -> Expr {
    let is_parameter = matches!(&value, Expr::Value(value) if matches!(value.value, Value::Placeholder(_)));
    // Clients write names.
    let value = if is_parameter { cast_to(value, DataType::Text) } else { value };
    call(&format!("{NUMBER}{word}"), vec![value])
}

/// The type whose number an expression is.
fn registered(expression: &Expr) -> Option<&'static str> {
    match expression {
        Expr::Nested(inner) => registered(inner),
        Expr::Cast { data_type, .. } => word_of(data_type),
        Expr::TypedString(typed) => word_of(&typed.data_type),
        Expr::Function(function) => {
            let called = told_types::word(&function.name)?;
            let of = called.strip_prefix(NUMBER).or_else(|| called.strip_prefix("to_"))?;
            REGISTERED.iter().find(|known| **known == of).copied()
        }
        _ => None,
    }
}

fn word_of(data_type: &DataType) -> Option<&'static str> {
    let word = match data_type {
        DataType::Regclass => "regclass".to_owned(),
        DataType::Custom(name, modifiers) if modifiers.is_empty() => told_types::word(name)?,
        _ => return None,
    };
    REGISTERED.iter().find(|known| **known == word).copied()
}

fn is_custom(data_type: &DataType, words: &[&str]) -> bool {
    match data_type {
        DataType::Custom(name, modifiers) if modifiers.is_empty() => {
            told_types::word(name).is_some_and(|word| words.contains(&word.as_str()))
        }
        _ => false,
    }
}

fn is_text(data_type: &DataType) -> bool {
    let is_word = matches!(data_type, DataType::Text | DataType::Varchar(_) | DataType::CharacterVarying(_));
    is_word || is_custom(data_type, &["bpchar", "name", "text", "varchar"])
}

fn is_number(data_type: &DataType) -> bool {
    let is_word = matches!(
        data_type,
        DataType::Int(None)
            | DataType::Integer(None)
            | DataType::BigInt(None)
            | DataType::Int4(None)
            | DataType::Int8(None)
    );
    is_word || is_custom(data_type, &["int4", "int8", "oid"])
}

/// Whether an expression is the name of a type, by a cast or as it is looked for.
fn is_type_name(expression: &Expr) -> bool {
    match expression {
        Expr::Nested(inner) => is_type_name(inner),
        Expr::Cast { data_type, .. } => is_custom(data_type, &["regtype"]),
        Expr::TypedString(typed) => is_custom(&typed.data_type, &["regtype"]),
        Expr::Function(function) => told_types::word(&function.name).is_some_and(|word| word == "to_regtype"),
        _ => false,
    }
}

/// Whether an expression is the name of a type, or becomes one beside such.
fn may_be_type(expression: &Expr) -> bool {
    match expression {
        Expr::Nested(inner) => may_be_type(inner),
        Expr::Value(_) => true,
        Expr::Function(function) if told_types::word(&function.name).is_some_and(|word| word == "pg_typeof") => true,
        other => is_type_name(other),
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use datafusion::sql::sqlparser::parser::Parser;

    use super::*;
    use crate::session::PostgreSql;

    #[test]
    fn names_are_numbers_until_they_are_shown() {
        for (written, planned) in [
            ("SELECT 'a'::regclass", "SELECT name_of_regclass(number_of_regclass('a'))"),
            ("SELECT a FROM t WHERE o = 'a'::pg_catalog.regclass", "SELECT a FROM t WHERE o = number_of_regclass('a')"),
            ("SELECT o::regrole::text FROM t", "SELECT name_of_regrole(number_of_regrole(o))::TEXT FROM t"),
            ("SELECT 'x' || o::regrole FROM t", "SELECT 'x' || name_of_regrole(number_of_regrole(o)) FROM t"),
            ("SELECT to_regclass('a')", "SELECT name_of_regclass(to_regclass('a'))"),
            ("SELECT to_regclass('a')::oid", "SELECT to_regclass('a')::oid"),
            ("SELECT $1::regclass::oid", "SELECT number_of_regclass($1::TEXT)::oid"),
            ("SELECT 'int4'::regtype::oid", "SELECT number_of_regtype('int4'::regtype)::oid"),
            ("SELECT o = 'int4'::regtype FROM t", "SELECT equal_types(o, 'int4'::regtype) FROM t"),
            ("SELECT pg_typeof(1) = 'int4'::regtype", "SELECT pg_typeof(1) = 'int4'::regtype"),
        ] {
            let statement = Parser::new(&PostgreSql).try_with_sql(written).unwrap().parse_statement().unwrap();
            let mut statement = SqlStatement::Statement(Box::new(statement));
            rewrite(&mut statement).unwrap();
            assert_eq!(statement.to_string(), planned);
        }
    }
}
