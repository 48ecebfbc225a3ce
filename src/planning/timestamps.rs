//! Timestamps as PostgreSQL has them: of any year, and local where they lose their zone.
//!
//! Where a timestamp is compared with a text or a date, the engine makes both count nanoseconds, of which 64 bits hold the
//! years 1678 to 2261 alone. Here the text or the date becomes a timestamp of microseconds first. A column that does count
//! nanoseconds is compared with the last of them in place of a value beyond.
//!
//! A timestamp with a zone that is cast to one without is what the zone's clocks show. The engine's cast shows those of UTC;
//! its function `to_local_time` does what is meant.

use std::sync::Arc;

use arrow::datatypes::{DataType, TimeUnit};
use datafusion::{
    common::{
        DFSchema, Result, ScalarValue,
        config::ConfigOptions,
        tree_node::{Transformed, TransformedResult, TreeNode, TreeNodeRecursion},
    },
    functions::datetime::to_local_time,
    logical_expr::{
        Between, BinaryExpr, Cast, Expr, ExprSchemable, LogicalPlan, Operator, expr::InList, utils::merge_schema,
    },
    optimizer::analyzer::AnalyzerRule,
};

use super::floats::keep_names;

/// What timestamps are compared with becomes one of microseconds. It comes before types are made the same.
#[derive(Debug)]
pub(super) struct CompareMicroseconds;

impl AnalyzerRule for CompareMicroseconds {
    fn name(&self) -> &str {
        "compare_microseconds"
    }

    fn analyze(&self, plan: LogicalPlan, _config: &ConfigOptions) -> Result<LogicalPlan> {
        each_step(plan, compares, compared)
    }
}

/// Timestamps that lose their zone. It comes when types are known.
#[derive(Debug)]
pub(super) struct LocalTimes;

impl AnalyzerRule for LocalTimes {
    fn name(&self) -> &str {
        "local_times"
    }

    fn analyze(&self, plan: LogicalPlan, _config: &ConfigOptions) -> Result<LogicalPlan> {
        each_step(plan, |step| as_local(step).is_some(), local)
    }
}

/// Changes the steps of a plan's expressions under their names; a node without any that `concerns` stays as it is.
fn each_step(
    plan: LogicalPlan,
    concerns: impl Fn(&Expr) -> bool,
    change: impl Fn(Expr, &DFSchema) -> Result<Transformed<Expr>>,
) -> Result<LogicalPlan> {
    plan.transform_up_with_subqueries(|node| {
        let mut found = false;
        node.apply_expressions(|expression| {
            found = expression.exists(|step| Ok(concerns(step)))?;
            Ok(if found { TreeNodeRecursion::Stop } else { TreeNodeRecursion::Continue })
        })?;
        if !found {
            return Ok(Transformed::no(node));
        }
        let mut schema = merge_schema(&node.inputs());
        if let LogicalPlan::TableScan(scan) = &node {
            schema.merge(&scan.projected_schema);
        }
        keep_names(node, |expression| expression.transform_up(|step| change(step, &schema)))
    })
    .data()
}

fn compares(step: &Expr) -> bool {
    match step {
        Expr::BinaryExpr(BinaryExpr { op, .. }) => op.supports_propagation() || is_distinction(*op),
        Expr::Between(_) | Expr::InList(_) => true,
        _ => false,
    }
}

fn is_distinction(operator: Operator) -> bool {
    use Operator::{IsDistinctFrom, IsNotDistinctFrom, Minus, NotEq};
    matches!(operator, NotEq | IsDistinctFrom | IsNotDistinctFrom | Minus)
}

fn compared(step: Expr, schema: &DFSchema) -> Result<Transformed<Expr>> {
    let type_of = |expression: &Expr| expression.get_type(schema).ok();
    Ok(match step {
        Expr::BinaryExpr(BinaryExpr { left, op, right }) if op.supports_propagation() || is_distinction(op) => {
            let (Some(left_type), Some(right_type)) = (type_of(&left), type_of(&right)) else {
                return Ok(Transformed::no(Expr::BinaryExpr(BinaryExpr { left, op, right })));
            };
            // A text after a minus may be an interval.
            let is_beside = |other: &DataType| op != Operator::Minus || !other.is_string();
            let new_left = beside(&left, &left_type, &right_type).filter(|_| is_beside(&left_type));
            let new_right = beside(&right, &right_type, &left_type).filter(|_| is_beside(&right_type));
            let changed = new_left.is_some() || new_right.is_some();
            let (left, right) = (new_left.map_or(left, Box::new), new_right.map_or(right, Box::new));
            Transformed::new_transformed(Expr::BinaryExpr(BinaryExpr { left, op, right }), changed)
        }
        Expr::Between(Between { expr, negated, low, high }) => {
            let Some(data_type) = type_of(&expr) else {
                return Ok(Transformed::no(Expr::Between(Between { expr, negated, low, high })));
            };
            let bound = |bound: &Expr| type_of(bound).and_then(|own| beside(bound, &own, &data_type));
            let (new_low, new_high) = (bound(&low), bound(&high));
            let changed = new_low.is_some() || new_high.is_some();
            let (low, high) = (new_low.map_or(low, Box::new), new_high.map_or(high, Box::new));
            Transformed::new_transformed(Expr::Between(Between { expr, negated, low, high }), changed)
        }
        Expr::InList(InList { expr, mut list, negated }) => {
            let mut changed = false;
            if let Some(data_type) = type_of(&expr) {
                for item in &mut list {
                    if let Some(aligned) = type_of(item).and_then(|own| beside(item, &own, &data_type)) {
                        *item = aligned;
                        changed = true;
                    }
                }
            }
            Transformed::new_transformed(Expr::InList(InList { expr, list, negated }), changed)
        }
        other => Transformed::no(other),
    })
}

/// An expression beside a timestamp, as one of its kind; none if it stays what it is.
fn beside(expression: &Expr, own: &DataType, timestamp: &DataType) -> Option<Expr> {
    let DataType::Timestamp(unit, zone) = timestamp else { return None };
    if *unit == TimeUnit::Nanosecond {
        return last_nanosecond(expression, zone.clone());
    }
    let aligned = DataType::Timestamp(TimeUnit::Microsecond, zone.clone());
    let cast = |expression: Expr, to: DataType| Expr::Cast(Cast::new(Box::new(expression), to));
    match own {
        own if own.is_string() => Some(cast(expression.clone(), aligned)),
        DataType::Date32 if zone.is_none() => Some(cast(expression.clone(), aligned)),
        // A date begins when the zone's clocks show it.
        DataType::Date32 => {
            let midnight = cast(expression.clone(), DataType::Timestamp(TimeUnit::Microsecond, None));
            Some(cast(midnight, aligned))
        }
        _ => None,
    }
}

/// The last or the first nanosecond that can be counted, in place of a constant beyond.
fn last_nanosecond(expression: &Expr, zone: Option<Arc<str>>) -> Option<Expr> {
    let value = constant(expression)?;
    let micros = DataType::Timestamp(TimeUnit::Microsecond, zone.clone());
    let ScalarValue::TimestampMicrosecond(Some(micros), _) = value.cast_to(&micros).ok()? else { return None };
    let last = match micros.checked_mul(1_000) {
        Some(_) => return None,
        None if micros > 0 => i64::MAX,
        None => i64::MIN,
    };
    Some(Expr::Literal(ScalarValue::TimestampNanosecond(Some(last), zone), None))
}

/// The date, text or timestamp that the statement names.
fn constant(expression: &Expr) -> Option<ScalarValue> {
    match expression {
        Expr::Literal(value, _) => Some(value.clone()),
        Expr::Cast(cast) if matches!(cast.field.data_type(), DataType::Timestamp(..) | DataType::Date32) => {
            constant(&cast.expr)?.cast_to(cast.field.data_type()).ok()
        }
        _ => None,
    }
}

/// The cast, if it is one to a timestamp without a zone.
fn as_local(step: &Expr) -> Option<&Cast> {
    match step {
        Expr::Cast(cast) if matches!(cast.field.data_type(), DataType::Timestamp(_, None)) => Some(cast),
        _ => None,
    }
}

fn local(step: Expr, schema: &DFSchema) -> Result<Transformed<Expr>> {
    let from = as_local(&step).map(|cast| cast.expr.get_type(schema)).transpose()?;
    match (step, from) {
        (Expr::Cast(mut cast), Some(DataType::Timestamp(_, Some(_)))) => {
            let instant = std::mem::take(cast.expr.as_mut());
            *cast.expr = to_local_time().call(vec![instant]);
            Ok(Transformed::yes(Expr::Cast(cast)))
        }
        (step, _) => Ok(Transformed::no(step)),
    }
}
