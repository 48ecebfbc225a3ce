//! A text that is written beside values of another type is one of their type, as in PostgreSQL: in `flag = 'yes'`, in
//! `age BETWEEN '1 day' AND '1 week'` and in `1 + '2'`. One that is none of the type is an error that says so.
//!
//! The engine compares such texts with numbers, dates and times so, but with no booleans, intervals and bytes, and calculates
//! with none. Operators are looked at where they are planned, because there the engine asks for their types first; what has
//! several operands when types are settled.

use arrow::datatypes::{DataType, IntervalUnit};
use datafusion::{
    common::{DFSchema, Result, ScalarValue},
    logical_expr::{
        BinaryExpr, Cast, Expr, ExprSchemable, Operator, WindowFunctionDefinition,
        planner::{ExprPlanner, PlannerResult, RawAggregateExpr, RawBinaryExpr, RawWindowExpr},
    },
    sql::sqlparser::ast::BinaryOperator,
};

use super::{
    byte_texts::is_bytes, common_types, concatenation, days, integers, known_arguments, long_numerics, open_arguments,
    open_operands, operator_calls, operators, steps, text_numbers, time_operators,
};
use crate::pgtype::{self, ZONED_TIME};

/// Plans operators and calls, of whose operands and arguments some may be texts that are written.
#[derive(Debug)]
pub(crate) struct Operators;

impl ExprPlanner for Operators {
    fn plan_binary_op(&self, mut operation: RawBinaryExpr, schema: &DFSchema) -> Result<PlannerResult<RawBinaryExpr>> {
        use BinaryOperator::{
            And, Divide, Eq, Gt, GtEq, Lt, LtEq, Minus, Modulo, Multiply, NotEq, Or, Plus, Spaceship,
        };
        common_types::read_early(&mut operation.left, schema)?;
        common_types::read_early(&mut operation.right, schema)?;
        if let Some(call) = operator_calls::planned(&operation, schema)? {
            return Ok(PlannerResult::Planned(call));
        }
        operators::check_planned(&operation, schema)?;
        if let Some(op) = of_open_operands(&operation.op) {
            open_operands::settle(&mut operation.left, op, &mut operation.right, schema);
            if let Some(call) = time_operators::called(&operation.left, op, &operation.right, schema) {
                return Ok(PlannerResult::Planned(call));
            }
        }
        if operation.op == BinaryOperator::StringConcat {
            return concatenation::planned(operation, schema);
        }
        let operands = &mut [&mut operation.left, &mut operation.right];
        match operation.op {
            And | Or => cast_written(operands, &DataType::Boolean),
            Eq | NotEq | Lt | LtEq | Gt | GtEq | Spaceship => {
                compare(operands, schema);
                time_operators::compare(&mut operation.left, &mut operation.right, schema);
                if let Some(op) = of_order(&operation.op)
                    && let Some(call) = long_numerics::planned(&operation.left, op, &operation.right, schema)?
                {
                    return Ok(PlannerResult::Planned(call));
                }
            }
            Plus | Minus | Multiply | Divide | Modulo => {
                settle(operands, schema, calculated_with);
                text_numbers::calculate(operands, schema);
                if let Some(op) = of_numbers(&operation.op)
                    && let Some(number) = known_arguments::calculated(&operation.left, op, &operation.right)
                {
                    return Ok(PlannerResult::Planned(number));
                }
                if let Some(op) = of_numbers(&operation.op)
                    && let Some(call) = long_numerics::planned(&operation.left, op, &operation.right, schema)?
                {
                    return Ok(PlannerResult::Planned(call));
                }
                if matches!(operation.op, Plus | Minus) {
                    let adds = operation.op == Plus;
                    days::become_instants(&mut operation.left, &mut operation.right, adds, schema);
                }
            }
            _ => {}
        }
        Ok(PlannerResult::Original(operation))
    }

    fn plan_aggregate(&self, mut call: RawAggregateExpr) -> Result<PlannerResult<RawAggregateExpr>> {
        // The engine's own SHOW FUNCTIONS collects nothing, of no type.
        let collects_nothing =
            matches!(call.filter.as_deref(), Some(Expr::Literal(ScalarValue::Boolean(Some(false)), _)));
        if !collects_nothing {
            open_arguments::of_aggregate(call.func.name(), &mut call.args)?;
        }
        Ok(PlannerResult::Original(call))
    }

    fn plan_window(&self, mut call: RawWindowExpr) -> Result<PlannerResult<RawWindowExpr>> {
        match &call.func_def {
            WindowFunctionDefinition::AggregateUDF(function) => {
                open_arguments::of_aggregate(function.name(), &mut call.args)?;
            }
            WindowFunctionDefinition::WindowUDF(function) => {
                open_arguments::of_window(function.name(), &mut call.args)?;
            }
        }
        Ok(PlannerResult::Original(call))
    }
}

/// An operator that calculates with numbers.
fn of_numbers(op: &BinaryOperator) -> Option<Operator> {
    match op {
        BinaryOperator::Modulo => Some(Operator::Modulo),
        other => of_open_operands(other).filter(Operator::is_numerical_operators),
    }
}

/// An operator that says which of two values is less.
fn of_order(op: &BinaryOperator) -> Option<Operator> {
    Some(match op {
        BinaryOperator::Eq => Operator::Eq,
        BinaryOperator::NotEq => Operator::NotEq,
        BinaryOperator::Lt => Operator::Lt,
        BinaryOperator::LtEq => Operator::LtEq,
        BinaryOperator::Gt => Operator::Gt,
        BinaryOperator::GtEq => Operator::GtEq,
        _ => return None,
    })
}

/// An operator that the engine has for other types than PostgreSQL where one of its operands has none.
fn of_open_operands(op: &BinaryOperator) -> Option<Operator> {
    match op {
        BinaryOperator::Plus => Some(Operator::Plus),
        BinaryOperator::Minus => Some(Operator::Minus),
        BinaryOperator::Multiply => Some(Operator::Multiply),
        BinaryOperator::Divide => Some(Operator::Divide),
        BinaryOperator::StringConcat => Some(Operator::StringConcat),
        _ => None,
    }
}

/// A step of an expression with texts of its other operands' type.
pub(super) fn settled(mut step: Expr, schema: &DFSchema) -> Expr {
    match &mut step {
        // What had another type when it was planned.
        Expr::BinaryExpr(BinaryExpr { left, op, right }) if steps::is_comparison(*op) => {
            text_numbers::compare(&mut [left.as_mut(), right.as_mut()], schema);
        }
        Expr::IsTrue(operand)
        | Expr::IsNotTrue(operand)
        | Expr::IsFalse(operand)
        | Expr::IsNotFalse(operand)
        | Expr::IsUnknown(operand)
        | Expr::IsNotUnknown(operand) => cast_written(&mut [operand.as_mut()], &DataType::Boolean),
        Expr::ScalarFunction(call) if call.func.name() == "nullif" => {
            settle(&mut call.args.iter_mut().collect::<Vec<_>>(), schema, compared_with);
            // The first argument is what remains.
            if let Some(own) = text_numbers::null_if(&mut call.args, schema) {
                step = Expr::Cast(Cast::new(Box::new(std::mem::take(&mut step)), own));
            }
        }
        other => {
            if let Some(mut operands) = steps::compared(other) {
                compare(&mut operands, schema);
            }
        }
    }
    step
}

/// Gives texts the type of what they are compared with.
fn compare(operands: &mut [&mut Expr], schema: &DFSchema) {
    settle(operands, schema, compared_with);
    time_operators::compare_in_zones(operands, schema);
    text_numbers::compare(operands, schema);
}

/// Casts the texts among operands to the type that the others have for it, if that is one.
fn settle(operands: &mut [&mut Expr], schema: &DFSchema, wanted: fn(&DataType) -> Option<DataType>) {
    if !operands.iter().any(|operand| is_written(operand)) {
        return;
    }
    let mut common: Option<DataType> = None;
    for operand in operands.iter().filter(|operand| !is_written(operand)) {
        let own = match operand.get_type(schema) {
            Ok(DataType::Null) => continue,
            // What is a bigint for the planner yet.
            Ok(DataType::Int64) if integers::is_integer(operand) => wanted(&DataType::Int32),
            Ok(data_type) => wanted(&data_type),
            Err(_) => None,
        };
        match own {
            Some(own) if common.as_ref().is_none_or(|common| *common == own) => common = Some(own),
            _ => return,
        }
    }
    if let Some(common) = common {
        cast_written(operands, &common);
    }
}

fn cast_written(operands: &mut [&mut Expr], data_type: &DataType) {
    for operand in operands.iter_mut().filter(|operand| is_written(operand)) {
        let text = std::mem::take(&mut **operand);
        **operand = Expr::Cast(Cast::new(Box::new(text), data_type.clone()));
    }
}

/// Whether an operand is a text in quotes, of which nothing says that it is one.
fn is_written(operand: &Expr) -> bool {
    matches!(operand, Expr::Literal(ScalarValue::Utf8(Some(_)), _))
}

/// The type of texts that are compared with values of a type; none where the engine knows it.
fn compared_with(data_type: &DataType) -> Option<DataType> {
    match data_type {
        DataType::Boolean => Some(DataType::Boolean),
        DataType::Interval(IntervalUnit::MonthDayNano) | DataType::Duration(_) => {
            Some(DataType::Interval(IntervalUnit::MonthDayNano))
        }
        list if pgtype::element(list).is_some() => Some(list.clone()),
        zoned if *zoned == ZONED_TIME => Some(ZONED_TIME),
        bytes if is_bytes(bytes) => Some(DataType::Binary),
        _ => None,
    }
}

/// The type of texts that are calculated with beside numbers of a type.
fn calculated_with(data_type: &DataType) -> Option<DataType> {
    (data_type.is_integer() || data_type.is_floating()).then(|| data_type.clone())
}

#[cfg(test)]
mod tests {
    use arrow::datatypes::{Field, Schema};
    use datafusion::logical_expr::{cast, col, lit};

    use super::*;

    fn schema() -> DFSchema {
        let fields = vec![
            Field::new("flag", DataType::Boolean, true),
            Field::new("n", DataType::Int32, true),
            Field::new("s", DataType::Utf8, true),
        ];
        DFSchema::try_from(Schema::new(fields)).expect("the names are different")
    }

    fn planned(left: Expr, op: BinaryOperator, right: Expr) -> (Expr, Expr) {
        match Operators.plan_binary_op(RawBinaryExpr { op, left, right }, &schema()) {
            Ok(PlannerResult::Original(operation)) => (operation.left, operation.right),
            other => panic!("{other:?}"),
        }
    }

    #[test]
    fn texts_are_of_the_other_operands_type() {
        use BinaryOperator::{And, Eq, Plus};
        let boolean = cast(lit("t"), DataType::Boolean);
        assert_eq!(planned(col("flag"), Eq, lit("t")), (col("flag"), boolean.clone()));
        assert_eq!(planned(lit("t"), Eq, col("flag")), (boolean.clone(), col("flag")));
        assert_eq!(planned(col("flag"), And, lit("t")), (col("flag"), boolean));
        assert_eq!(planned(col("n"), Plus, lit("1")), (col("n"), cast(lit("1"), DataType::Int32)));
        // The engine does the rest, or refuses it.
        for (left, op, right) in
            [(col("n"), Eq, lit("1")), (col("flag"), Eq, col("s")), (col("flag"), Eq, cast(lit("a"), DataType::Utf8))]
        {
            assert_eq!(planned(left.clone(), op, right.clone()), (left, right));
        }
        for (left, op, right) in
            [(col("s"), Plus, lit("1")), (col("flag"), Eq, lit("a")), (lit("2024-01-01"), Plus, col("n"))]
        {
            let refused = RawBinaryExpr { op, left, right };
            assert!(Operators.plan_binary_op(refused, &schema()).is_err());
        }
    }

    #[test]
    fn texts_of_several_operands_are_of_the_others_type() {
        let boolean = |text: &str| cast(lit(text), DataType::Boolean);
        let settled = |step: Expr| settled(step, &schema());
        let between = settled(col("flag").between(lit("a"), lit("z")));
        assert_eq!(between, col("flag").between(boolean("a"), boolean("z")));
        let listed = settled(lit("a").in_list(vec![lit("b"), col("flag")], false));
        assert_eq!(listed, boolean("a").in_list(vec![boolean("b"), col("flag")], false));
        let mixed = lit("a").in_list(vec![col("n"), col("flag")], false);
        assert_eq!(settled(mixed.clone()), mixed);
    }
}
