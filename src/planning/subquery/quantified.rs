//! `IN`, `ANY` and `ALL` as values, with their three answers.
//!
//! `x op ANY (S)` is true if some row compares true, else NULL if some row compares NULL, else false. `ALL` is the same of
//! the opposite. Over a subquery that is the same for all rows, its least and greatest value, or a mark on the rows that
//! have an equal, tell without comparing every row with every other.

use std::sync::Arc;

use arrow::datatypes::DataType;
use datafusion::{
    common::{JoinType, Result, ScalarValue},
    functions_aggregate::{
        count::count_udaf,
        min_max::{max_udaf, min_udaf},
    },
    logical_expr::{
        Aggregate, AggregateUDF, Expr, ExprSchemable, LogicalPlan, LogicalPlanBuilder, Operator, binary_expr,
        expr::{AggregateFunction, SetQuantifier},
        lit, when,
    },
};

use super::{
    Unnester, column, expression_at,
    joins::join,
    outer::{from_within, references},
    row,
    scalar::{Folded, count_of},
    unsupported,
};

const UNKNOWN: ScalarValue = ScalarValue::Boolean(None);

impl Unnester {
    /// `value IN (plan)`.
    pub(super) fn within(
        &mut self,
        value: Expr,
        plan: LogicalPlan,
        own: &LogicalPlan,
        around: &mut LogicalPlan,
    ) -> Result<Expr> {
        self.compared(value, Operator::Eq, SetQuantifier::Any, plan, own, around)
    }

    /// `value operator ANY (plan)` or `ALL (plan)`.
    pub(super) fn compared(
        &mut self,
        value: Expr,
        operator: Operator,
        quantifier: SetQuantifier,
        plan: LogicalPlan,
        own: &LogicalPlan,
        around: &mut LogicalPlan,
    ) -> Result<Expr> {
        // ALL is not ANY of the opposite, also where the answer is NULL.
        let (asked, negated) = match quantifier {
            SetQuantifier::Any => (operator, false),
            SetQuantifier::All => match operator.negate() {
                Some(opposite) => (opposite, true),
                None => return Err(unsupported(&format!("{operator} ALL"))),
            },
        };
        let same_for_all = references(&plan)?.is_empty() && row::arity(Some(&value)) == 1;
        let found = match asked {
            Operator::Eq if same_for_all && !value.column_refs().is_empty() => self.marked(value, plan, around)?,
            Operator::Lt | Operator::LtEq | Operator::Gt | Operator::GtEq | Operator::NotEq
                if same_for_all && ordered(&plan) =>
            {
                self.bounded(value, asked, plan, around)?
            }
            _ => self.counted(value, asked, plan, own, around)?,
        };
        Ok(if negated { Expr::Not(Box::new(found)) } else { found })
    }

    /// Marks the rows that have an equal; whether the others are false or NULL depends on the subquery's NULLs.
    fn marked(&mut self, value: Expr, plan: LogicalPlan, around: &mut LogicalPlan) -> Result<Expr> {
        let plan = self.once_for(plan, true)?;
        let (counts, all, known) = self.counts(plan.clone(), &[], around.clone())?;
        *around = counts;
        let name = self.name("__in");
        let own = expression_at(plan.schema(), 0).alias("v");
        let right = LogicalPlanBuilder::from(plan).project([own])?.alias(name.as_str())?.build()?;
        let condition = value.clone().eq(Expr::Column(column(&name, "v")));
        *around = join(around.clone(), right, Vec::new(), Some(condition), JoinType::LeftMark, false)?;
        let found = Expr::Column(column(&name, "mark"));
        answer(found, value, &all[0], known)
    }

    /// Compares with the least and the greatest value.
    fn bounded(
        &mut self,
        value: Expr,
        operator: Operator,
        plan: LogicalPlan,
        around: &mut LogicalPlan,
    ) -> Result<Expr> {
        let (joined, columns, known) = self.counts(plan, &[min_udaf(), max_udaf()], around.clone())?;
        *around = joined;
        let [all, least, greatest] = columns.as_slice() else { return Err(super::internal("bounds are missing")) };
        let compare = |bound: &Expr| binary_expr(value.clone(), operator, bound.clone());
        let found = match operator {
            Operator::Lt | Operator::LtEq => compare(greatest),
            Operator::Gt | Operator::GtEq => compare(least),
            _ => compare(least).or(compare(greatest)),
        };
        answer(Expr::IsTrue(Box::new(found)), value, all, known)
    }

    /// Joins each row with one row of the subquery: how many rows it has, further aggregates of its values, and how many of
    /// the values are known.
    fn counts(
        &mut self,
        plan: LogicalPlan,
        further: &[Arc<AggregateUDF>],
        around: LogicalPlan,
    ) -> Result<(LogicalPlan, Vec<Expr>, Expr)> {
        let own = expression_at(plan.schema(), 0);
        let call = |function: Arc<AggregateUDF>| {
            Expr::AggregateFunction(AggregateFunction::new_udf(
                function,
                vec![own.clone()],
                false,
                None,
                Vec::new(),
                None,
            ))
        };
        let mut calls = vec![count_of(None).alias("a0")];
        calls.extend(
            further.iter().enumerate().map(|(at, function)| call(Arc::clone(function)).alias(format!("a{}", at + 1))),
        );
        let last = calls.len();
        calls.push(call(count_udaf()).alias(format!("a{last}")));
        let aggregate = LogicalPlan::Aggregate(Aggregate::try_new(Arc::new(plan), Vec::new(), calls)?);
        let name = self.name("__any");
        let right = LogicalPlanBuilder::from(aggregate).alias(name.as_str())?.build()?;
        let joined = join(around, right, Vec::new(), None, JoinType::Inner, false)?;
        let mut columns: Vec<Expr> = (0..=last).map(|at| Expr::Column(column(&name, &format!("a{at}")))).collect();
        let known = columns.pop().ok_or_else(|| super::internal("a count is missing"))?;
        Ok((joined, columns, known))
    }

    /// Compares each value around with each row of the subquery, and counts the answers.
    fn counted(
        &mut self,
        value: Expr,
        operator: Operator,
        plan: LogicalPlan,
        own: &LogicalPlan,
        around: &mut LogicalPlan,
    ) -> Result<Expr> {
        let schema = around.schema().clone();
        let outside = from_within(value, &schema)?;
        let (plan, inside) = row::opened(plan);
        let comparison = row::compared(&outside, operator, &inside)?;
        let calls = vec![
            count_of(Some(comparison.clone())).alias("found"),
            count_of(Some(Expr::IsNull(Box::new(comparison)))).alias("unknown"),
        ];
        let aggregate = Aggregate::try_new(Arc::new(plan), Vec::new(), calls)?;
        let any = |at: usize| expression_at(&aggregate.schema, at).gt(lit(0_i64));
        let value = when(any(0), lit(true)).when(any(1), lit(UNKNOWN)).otherwise(lit(false))?;
        self.fold(Folded { aggregate, value }, own, around)
    }
}

/// True if found; of nothing false; else NULL if there is a NULL on either side.
fn answer(found: Expr, value: Expr, all: &Expr, known: Expr) -> Result<Expr> {
    let unknown = value.is_null().or(known.lt(all.clone()));
    when(found, lit(true))
        .when(all.clone().eq(lit(0_i64)), lit(false))
        .when(unknown, lit(UNKNOWN))
        .otherwise(lit(false))
}

/// Whether the least and the greatest value tell about all: not where NaN is one.
fn ordered(plan: &LogicalPlan) -> bool {
    let data_type = expression_at(plan.schema(), 0).get_type(plan.schema());
    data_type.is_ok_and(|data_type| {
        matches!(data_type, DataType::Date32 | DataType::Timestamp(..) | DataType::Utf8 | DataType::Utf8View)
            || (data_type.is_numeric() && !data_type.is_floating())
    })
}
