//! Parameters that have their types where the planner meets them: the statement is planned as `PREPARE p (types) AS …`.
//!
//! The planner finds operators and functions while it goes through a statement, and a type that comes later comes too late:
//! `ts + $1` was a sum of two timestamps, whatever the client had declared. SQL cannot write all of Arrow's types, so here they
//! are written by Arrow's names, which [`ArrowTypes`] reads, with PostgreSQL's behind them where Arrow does not tell those.

use std::{ops::ControlFlow, sync::Arc};

use arrow::datatypes::{DataType, Field, FieldRef};
use datafusion::{
    common::Result as PlanResult,
    logical_expr::{LogicalPlan, PlanType, Statement as Planned, StringifiedPlan, planner::TypePlanner},
    sql::{
        parser::Statement as SqlStatement,
        sqlparser::ast::{
            Array, ArrayElemTypeDef, CastKind, DataType as Type, Expr, Ident, ObjectName, ObjectNamePart, Query,
            SetExpr, Statement, Value, VisitorMut, visit_expressions, visit_expressions_mut,
        },
    },
};

use super::{call, null, told_types, visit};
use crate::{
    Error, Result,
    pgtype::{ColumnType, by_name, dimensions_of, innermost, nested},
    planning::parameter_number,
};

/// What the types are called; nobody writes it.
const ARROW_TYPE: &str = "\u{1}arrow";

/// A statement whose parameters have these types; `told` are those that their fields say.
pub(in crate::session) fn with_types(
    statement: SqlStatement,
    types: &[DataType],
    told: &[Option<ColumnType>],
) -> SqlStatement {
    if types.is_empty() {
        return statement;
    }
    match statement {
        SqlStatement::Statement(mut statement) => {
            call_arrays(&mut statement);
            let told = |at: usize| told.get(at).copied().flatten();
            let data_types = types.iter().enumerate().map(|(at, data_type)| written(data_type, told(at))).collect();
            let prepare = Statement::Prepare { name: Ident::new("typed"), data_types, statement };
            SqlStatement::Statement(Box::new(prepare))
        }
        SqlStatement::Explain(mut explain) => {
            let explained = explain.statement.as_ref().clone();
            explain.statement = Box::new(with_types(explained, types, told));
            SqlStatement::Explain(explain)
        }
        other => other,
    }
}

/// The plan of a statement that was given types, without what carried them.
pub(in crate::session) fn without_types(plan: LogicalPlan) -> LogicalPlan {
    match plan {
        LogicalPlan::Statement(Planned::Prepare(prepare)) => Arc::unwrap_or_clone(prepare.input),
        LogicalPlan::Explain(mut explain) if is_prepared(&explain.plan) => {
            let explained = without_types(explain.plan.as_ref().clone());
            let shown = explained.display_indent().to_string();
            explain.stringified_plans = vec![StringifiedPlan::new(PlanType::InitialLogicalPlan, shown)];
            explain.plan = Arc::new(explained);
            LogicalPlan::Explain(explain)
        }
        LogicalPlan::Analyze(mut analyze) if is_prepared(&analyze.input) => {
            analyze.input = Arc::new(without_types(analyze.input.as_ref().clone()));
            LogicalPlan::Analyze(analyze)
        }
        other => other,
    }
}

fn is_prepared(plan: &LogicalPlan) -> bool {
    matches!(plan, LogicalPlan::Statement(Planned::Prepare(_)))
}

/// The planner forgets the types within an array that is written out, and not within the call of a function, which it is too.
fn call_arrays(statement: &mut Statement) {
    let _ = visit_expressions_mut(statement, |expression| {
        if let Expr::Array(array) = expression
            && has_parameter(array)
        {
            *expression = call("make_array", std::mem::take(&mut array.elem));
        }
        ControlFlow::<()>::Continue(())
    });
}

fn has_parameter(array: &Array) -> bool {
    let is_parameter = |part: &Expr| matches!(part, Expr::Value(value) if matches!(value.value, Value::Placeholder(_)));
    let found = visit_expressions(array, |part| match is_parameter(part) {
        true => ControlFlow::Break(()),
        false => ControlFlow::Continue(()),
    });
    found.is_break()
}

/// Casts parameters among several rows of VALUES to the types that their fields say: the planner refuses a column of which some
/// values say something and others do not, and what is cast is told apart before it is planned.
pub(in crate::session) fn cast_told(statement: &mut SqlStatement, told: &[Option<ColumnType>]) -> Result<()> {
    if told.iter().all(Option::is_none) {
        return Ok(());
    }
    visit(statement, &mut CastTold(told))
}

struct CastTold<'a>(&'a [Option<ColumnType>]);

impl VisitorMut for CastTold<'_> {
    type Break = Error;

    fn pre_visit_query(&mut self, query: &mut Query) -> ControlFlow<Error> {
        if let SetExpr::Values(values) = query.body.as_mut()
            && values.rows.len() > 1
        {
            for value in values.rows.iter_mut().flat_map(|row| row.iter_mut()) {
                if let Some(told) = self.of(value) {
                    let expr = Box::new(std::mem::replace(value, null()));
                    let (kind, data_type) = (CastKind::DoubleColon, type_of(told));
                    *value = Expr::Cast { kind, expr, data_type, array: false, format: None };
                }
            }
        }
        ControlFlow::Continue(())
    }
}

impl CastTold<'_> {
    /// What the field of a parameter says.
    fn of(&self, value: &Expr) -> Option<ColumnType> {
        let Expr::Value(value) = value else { return None };
        let Value::Placeholder(name) = &value.value else { return None };
        self.0.get(parameter_number(name)?.checked_sub(1)?).copied().flatten()
    }
}

fn type_of(told: ColumnType) -> Type {
    match told.item() {
        Some(item) => Type::Array(ArrayElemTypeDef::SquareBracket(Box::new(told_types::plain(item.pg)), None)),
        None => told_types::plain(told.pg),
    }
}

/// A type that Arrow does not read back is none: the parameter is without one.
fn written(data_type: &DataType, told: Option<ColumnType>) -> Type {
    let data_type = match told {
        Some(told) => {
            let arrow = told.arrow();
            nested(dimensions_of(data_type).max(dimensions_of(&arrow)), innermost(&arrow).clone())
        }
        None => data_type.clone(),
    };
    let name = data_type.to_string();
    let is_known = name.parse::<DataType>().is_ok_and(|read| read == data_type);
    let mut words = vec![if is_known { name } else { DataType::Null.to_string() }];
    words.extend(told.filter(|_| is_known).map(|told| told.pg.name.to_owned()));
    Type::Custom(ObjectName::from(Ident::new(ARROW_TYPE)), words)
}

/// Reads the types that [`with_types`] writes, and those that the planner does not know or takes for others.
#[derive(Debug)]
pub(crate) struct ArrowTypes;

impl TypePlanner for ArrowTypes {
    fn plan_type_field(&self, data_type: &Type) -> PlanResult<Option<FieldRef>> {
        let Type::Custom(word, names) = data_type else { return told_types::field_of(data_type) };
        match (word.0.as_slice(), names.as_slice()) {
            ([ObjectNamePart::Identifier(word)], [name, told @ ..]) if word.value == ARROW_TYPE => {
                let field = Field::new("", name.parse::<DataType>()?, true);
                let told = told.first().and_then(|name| by_name(name)).map(ColumnType::plain);
                Ok(Some(Arc::new(field.with_metadata(told.map(ColumnType::metadata).unwrap_or_default()))))
            }
            _ => told_types::field_of(data_type),
        }
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use arrow::datatypes::{IntervalUnit, TimeUnit};

    use super::*;
    use crate::pgtype::{self, UUID};

    #[test]
    fn types_are_read_as_they_are_written() {
        let list = |item: DataType| DataType::List(Arc::new(Field::new_list_field(item, true)));
        for data_type in [
            DataType::Null,
            DataType::Utf8,
            DataType::Decimal128(38, 10),
            DataType::Decimal256(60, 2),
            DataType::Time64(TimeUnit::Microsecond),
            DataType::Timestamp(TimeUnit::Microsecond, Some("+00:00".into())),
            DataType::Timestamp(TimeUnit::Nanosecond, None),
            DataType::Interval(IntervalUnit::MonthDayNano),
            list(DataType::Int32),
            list(list(DataType::Utf8)),
        ] {
            let read = ArrowTypes.plan_type_field(&written(&data_type, None)).unwrap();
            assert_eq!(read.map(|field| field.data_type().clone()), Some(data_type));
        }
        let list = list(DataType::Utf8);
        let told = ColumnType::plain(&UUID);
        for (data_type, told) in [(&DataType::Utf8, told), (&list, told.in_arrays())] {
            let read = ArrowTypes.plan_type_field(&written(data_type, Some(told))).unwrap().unwrap();
            assert_eq!(pgtype::told(&read), Some(told));
        }
        assert_eq!(ArrowTypes.plan_type_field(&Type::Text).unwrap(), None);
    }
}
