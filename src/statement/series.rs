//! Parameters in `FROM generate_series(1, $1)`: the planner wants its arguments written out. With the values of the parameters
//! they are, and before they are known NULL stands there, which makes a series of no rows and the same columns.

use std::{collections::BTreeSet, ops::ControlFlow};

use arrow::datatypes::DataType;
use datafusion::{
    common::ScalarValue,
    sql::{
        parser::Statement as SqlStatement,
        sqlparser::ast::{
            CastKind, Expr, FunctionArg, ObjectName, TableFactor, UnaryOperator, Value, VisitMut, VisitorMut,
            visit_expressions_mut,
        },
    },
};

use super::placeholders::number;
use crate::session::written;

/// The functions.
const SERIES: [&str; 2] = ["generate_series", "range"];

/// Writes the values into the series of a statement, NULL where they are not known; the numbers of the parameters that stood
/// there: a plan without their values is not the one that runs.
pub(super) fn give_values(statement: &mut SqlStatement, values: Option<&[ScalarValue]>) -> BTreeSet<usize> {
    let mut giving = Giving { values, found: BTreeSet::new() };
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
    values: Option<&'a [ScalarValue]>,
    found: BTreeSet<usize>,
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
            let _ = visit_expressions_mut(arguments, |step| {
                if let Some(number) = number(step) {
                    self.found.insert(number);
                    if let Some(given) = self.literal(number) {
                        *step = given;
                    }
                }
                ControlFlow::<()>::Continue(())
            });
        }
        ControlFlow::Continue(())
    }
}

impl Giving<'_> {
    /// What is written in the place of a parameter; none where its value cannot be.
    fn literal(&self, number: usize) -> Option<Expr> {
        let plain = |value: Value| Expr::Value(value.into());
        let value = match self.values {
            None => return Some(plain(Value::Null)),
            Some(values) => values.get(number - 1)?,
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
