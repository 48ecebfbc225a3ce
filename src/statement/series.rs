//! Parameters in `FROM generate_series(1, $1)`: the planner wants its arguments written out. With the values of the parameters
//! they are, and before they are known some value of their type stands there, which makes a series of the same columns.

use std::{collections::BTreeMap, ops::ControlFlow};

use arrow::datatypes::DataType;
use datafusion::{
    common::ScalarValue,
    sql::{
        parser::Statement as SqlStatement,
        sqlparser::ast::{
            CastKind, Expr, FunctionArg, ObjectName, TableFactor, UnaryOperator, Value, VisitMut, VisitorMut,
            visit_expressions, visit_expressions_mut,
        },
    },
};

use super::placeholders::number;
use crate::session::{Scope, written};

/// The functions.
const SERIES: [&str; 2] = ["generate_series", "range"];

/// What is known of parameters: their values, or their types as far as they were declared.
#[derive(Clone, Copy)]
pub(super) enum Given<'a> {
    Values(&'a [ScalarValue]),
    Types(&'a [Option<DataType>]),
}

/// Writes the values into the series of a statement, some value of the same type where they are not known; the numbers and
/// the types of the parameters that stood there: a plan without their values is not the one that runs.
pub(super) fn give(scope: &Scope, statement: &mut SqlStatement, given: Given<'_>) -> BTreeMap<usize, DataType> {
    let mut giving = Giving { scope, given, found: BTreeMap::new() };
    if let SqlStatement::Statement(statement) = statement {
        // It never breaks off.
        let _ = statement.visit(&mut giving);
    }
    giving.found
}

fn is_series(name: &ObjectName) -> bool {
    let word = name.0.last().and_then(|part| part.as_ident());
    word.is_some_and(|word| SERIES.iter().any(|series| word.value.eq_ignore_ascii_case(series)))
}

struct Giving<'a> {
    scope: &'a Scope,
    given: Given<'a>,
    found: BTreeMap<usize, DataType>,
}

impl VisitorMut for Giving<'_> {
    type Break = ();

    fn pre_visit_table_factor(&mut self, factor: &mut TableFactor) -> ControlFlow<()> {
        let (name, arguments): (_, &mut Vec<FunctionArg>) = match factor {
            TableFactor::Table { name, args: Some(arguments), .. } => (name, &mut arguments.args),
            TableFactor::Function { name, args, .. } => (name, args),
            _ => return ControlFlow::Continue(()),
        };
        if is_series(name) {
            let _ = visit_expressions(arguments, |step| self.note(step));
            let _ = visit_expressions_mut(arguments, |step| {
                if let Some(given) = number(step).and_then(|number| self.literal(number)) {
                    *step = given;
                }
                ControlFlow::<()>::Continue(())
            });
        }
        ControlFlow::Continue(())
    }
}

impl Giving<'_> {
    /// Notes the type of a parameter: the declared one, that of a cast around it, or bigint.
    fn note(&mut self, step: &Expr) -> ControlFlow<()> {
        let declared = |number: usize| match self.given {
            Given::Types(types) => types.get(number - 1).cloned().flatten(),
            Given::Values(_) => None,
        };
        match step {
            Expr::Cast { expr, data_type, .. } => {
                if let Some(number) = number(expr)
                    && let Some(found) = declared(number).or_else(|| self.scope.data_type(data_type).ok())
                {
                    self.found.insert(number, found);
                }
            }
            other => {
                if let Some(number) = number(other) {
                    let found = declared(number).unwrap_or(DataType::Int64);
                    self.found.entry(number).or_insert(found);
                }
            }
        }
        ControlFlow::Continue(())
    }

    /// What is written in the place of a parameter; none where its value cannot be.
    fn literal(&self, number: usize) -> Option<Expr> {
        let plain = |value: Value| Expr::Value(value.into());
        let some;
        let value = match self.given {
            Given::Values(values) => values.get(number - 1)?,
            Given::Types(_) => {
                some = some_value(self.found.get(&number)?);
                &some
            }
        };
        if value.is_null() {
            return Some(plain(Value::Null));
        }
        let text = match value.cast_to(&DataType::Utf8).ok()? {
            ScalarValue::Utf8(text) => text?,
            _ => return None,
        };
        if !value.data_type().is_integer() {
            let expr = Box::new(plain(Value::SingleQuotedString(text)));
            let data_type = written(&value.data_type())?;
            return Some(Expr::Cast { kind: CastKind::Cast, expr, data_type, array: false, format: None });
        }
        Some(match text.strip_prefix('-') {
            Some(digits) => {
                let expr = Box::new(plain(Value::Number(digits.to_owned(), false)));
                Expr::UnaryOp { op: UnaryOperator::Minus, expr }
            }
            None => plain(Value::Number(text, false)),
        })
    }
}

/// A value of this type, from which a series may go and by which it may step; a number where the type is another one.
fn some_value(data_type: &DataType) -> ScalarValue {
    let text = match data_type {
        DataType::Date32 | DataType::Timestamp(..) => "2000-01-01",
        DataType::Interval(_) => "1 day",
        _ => "1",
    };
    ScalarValue::from(text).cast_to(data_type).unwrap_or(ScalarValue::Int64(Some(1)))
}
