//! Parameters in `FROM generate_series(1, $1)`: the planner wants its arguments written out. With the values of the parameters
//! they are, and before they are known some value of their type stands there, which makes a series of the same columns.

use std::{collections::BTreeMap, ops::ControlFlow};

use arrow::datatypes::{DataType, IntervalMonthDayNano};
use datafusion::{
    common::ScalarValue,
    sql::{
        parser::Statement as SqlStatement,
        sqlparser::ast::{
            CastKind, DataType as Type, Expr, FunctionArg, FunctionArgExpr, ObjectName, TableFactor, TimezoneInfo,
            UnaryOperator, Value, VisitMut, VisitorMut, visit_expressions, visit_expressions_mut,
        },
    },
};

use super::placeholders::number;
use crate::{
    pgtype::{INTERVAL, TIMESTAMP, TIMESTAMPTZ},
    session::{Scope, written},
};

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
            self.note_alone(arguments);
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

/// The argument, if it is an expression.
fn expression(argument: &FunctionArg) -> Option<&Expr> {
    match argument {
        FunctionArg::Unnamed(FunctionArgExpr::Expr(expression)) => Some(expression),
        _ => None,
    }
}

impl Giving<'_> {
    /// The type that was declared of a parameter.
    fn declared(&self, number: usize) -> Option<DataType> {
        match self.given {
            Given::Types(types) => types.get(number - 1).cloned().flatten(),
            Given::Values(_) => None,
        }
    }

    /// Notes the types of parameters that stand alone in a series of times: those of the others say what they are.
    fn note_alone(&mut self, arguments: &[FunctionArg]) {
        let types: Vec<Option<DataType>> =
            arguments.iter().map(|argument| self.type_of(expression(argument)?)).collect();
        let [start, end, step] = types.as_slice() else { return };
        let bounds = || [start, end].into_iter().flatten();
        let are_times = bounds().any(|bound| matches!(bound, DataType::Timestamp(..) | DataType::Date32));
        if !are_times && !matches!(step, Some(DataType::Interval(_))) {
            return;
        }
        let is_local = bounds().any(|bound| matches!(bound, DataType::Timestamp(_, None)))
            && !bounds().any(|bound| matches!(bound, DataType::Timestamp(_, Some(_))));
        let bound = if is_local { TIMESTAMP } else { TIMESTAMPTZ };
        for (argument, wanted) in arguments.iter().zip([bound, bound, INTERVAL]) {
            if let Some(number) = expression(argument).and_then(number)
                && let Some(found) = self.declared(number).or_else(|| wanted.arrow(-1))
            {
                self.found.entry(number).or_insert(found);
            }
        }
    }

    /// The type of an argument, where it says one.
    fn type_of(&self, argument: &Expr) -> Option<DataType> {
        match argument {
            Expr::Cast { data_type, .. } => self.scope.data_type(data_type).ok(),
            Expr::TypedString(typed) => self.scope.data_type(&typed.data_type).ok(),
            Expr::Interval(_) => INTERVAL.arrow(-1),
            Expr::Nested(inner) => self.type_of(inner),
            other => self.declared(number(other)?),
        }
    }

    /// Notes the type of a parameter: the declared one, that of a cast around it, or bigint.
    fn note(&mut self, step: &Expr) -> ControlFlow<()> {
        match step {
            Expr::Cast { expr, data_type, .. } => {
                if let Some(number) = number(expr)
                    && let Some(found) = self.declared(number).or_else(|| self.scope.data_type(data_type).ok())
                {
                    self.found.insert(number, found);
                }
            }
            other => {
                if let Some(number) = number(other) {
                    let found = self.declared(number).unwrap_or(DataType::Int64);
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
            let (text, data_type) = match value {
                ScalarValue::IntervalMonthDayNano(Some(IntervalMonthDayNano { months, days, nanoseconds })) => {
                    let text = format!("{months} months {days} days {nanoseconds} nanoseconds");
                    (text, Type::Interval { fields: None, precision: None })
                }
                ScalarValue::TimestampMicrosecond(..) if written(&value.data_type()).is_none() => {
                    // The text has its zone.
                    (text, Type::Timestamp(Some(6), TimezoneInfo::WithTimeZone))
                }
                other => (text, written(&other.data_type())?),
            };
            let expr = Box::new(plain(Value::SingleQuotedString(text)));
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
