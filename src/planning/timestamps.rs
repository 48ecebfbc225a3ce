//! Timestamps as PostgreSQL has them: of any year, and local where they lose their zone.
//!
//! Where a timestamp is compared with a text or a date, the engine makes both count nanoseconds, of which 64 bits hold the
//! years 1678 to 2261 alone. Here the text or the date becomes a timestamp of microseconds first. It also makes a constant one
//! of the column's unit, and so half a second a whole one.
//!
//! A timestamp with a zone that is cast to one without is what the session's clocks show. The engine's cast shows those of UTC;
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

use super::{floats::keep_names, statistics::without_order};

/// What timestamps are compared with becomes one of microseconds. It comes before types are made the same.
#[derive(Debug)]
pub(super) struct CompareMicroseconds;

impl AnalyzerRule for CompareMicroseconds {
    fn name(&self) -> &str {
        "compare_microseconds"
    }

    fn analyze(&self, plan: LogicalPlan, config: &ConfigOptions) -> Result<LogicalPlan> {
        let zone = zone(config);
        each_step(plan, compares, |step, schema| compared(step, schema, &zone))
    }
}

/// Timestamps that lose their zone. It comes when types are known.
#[derive(Debug)]
pub(super) struct LocalTimes;

impl AnalyzerRule for LocalTimes {
    fn name(&self) -> &str {
        "local_times"
    }

    fn analyze(&self, plan: LogicalPlan, config: &ConfigOptions) -> Result<LogicalPlan> {
        let zone = zone(config);
        let concerns = |step: &Expr| is_local(step) || is_instant(step) || reads_clock(step);
        each_step(plan, concerns, |step, schema| local(step, schema, &zone))
    }
}

/// The session's zone.
fn zone(config: &ConfigOptions) -> Arc<str> {
    config.execution.time_zone.as_deref().unwrap_or("UTC").into()
}

/// Changes the steps of a plan's expressions under their names; a node without any that `concerns` stays as it is.
pub(super) fn each_step(
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

fn compared(step: Expr, schema: &DFSchema, zone: &Arc<str>) -> Result<Transformed<Expr>> {
    let type_of = |expression: &Expr| expression.get_type(schema).ok();
    Ok(match step {
        Expr::BinaryExpr(BinaryExpr { left, op, right }) if op.supports_propagation() || is_distinction(op) => {
            let (Some(left_type), Some(right_type)) = (type_of(&left), type_of(&right)) else {
                return Ok(Transformed::no(Expr::BinaryExpr(BinaryExpr { left, op, right })));
            };
            // A text after a minus may be an interval.
            let is_text = |own: &DataType| op == Operator::Minus && own.is_string();
            let aligned = |one: &Expr, own: &DataType, other: &Expr, of_other: &DataType| {
                finer(one, own, &[other])
                    .or_else(|| beside(one, own, of_other, zone).filter(|_| !is_text(own)))
                    .or_else(|| zoned(one, own, of_other, zone))
            };
            let new_left = aligned(&left, &left_type, &right, &right_type);
            let new_right = aligned(&right, &right_type, &left, &left_type);
            let changed = new_left.is_some() || new_right.is_some();
            let (left, right) = (new_left.map_or(left, Box::new), new_right.map_or(right, Box::new));
            Transformed::new_transformed(Expr::BinaryExpr(BinaryExpr { left, op, right }), changed)
        }
        Expr::Between(Between { expr, negated, low, high }) => {
            let Some(data_type) = type_of(&expr) else {
                return Ok(Transformed::no(Expr::Between(Between { expr, negated, low, high })));
            };
            // A date between timestamps becomes one.
            let others = [type_of(&low), type_of(&high)];
            let dated = others.iter().flatten().find_map(|other| beside(&expr, &data_type, other, zone));
            let instant = others.iter().flatten().find_map(|other| zoned(&expr, &data_type, other, zone));
            let new_expr = finer(&expr, &data_type, &[&low, &high]).or(dated).or(instant);
            let data_type = new_expr.as_ref().and_then(type_of).unwrap_or(data_type);
            let bound = |bound: &Expr| type_of(bound).and_then(|own| beside(bound, &own, &data_type, zone));
            let (new_low, new_high) = (bound(&low), bound(&high));
            let changed = new_expr.is_some() || new_low.is_some() || new_high.is_some();
            let (low, high) = (new_low.map_or(low, Box::new), new_high.map_or(high, Box::new));
            let expr = new_expr.map_or(expr, Box::new);
            Transformed::new_transformed(Expr::Between(Between { expr, negated, low, high }), changed)
        }
        Expr::InList(InList { mut expr, mut list, negated }) => {
            let mut changed = false;
            if let Some(mut data_type) = type_of(&expr) {
                let mut others = list.iter().filter_map(type_of);
                let dated = others.find_map(|other| beside(&expr, &data_type, &other, zone));
                let mut others = list.iter().filter_map(type_of);
                let instant = others.find_map(|other| zoned(&expr, &data_type, &other, zone));
                if let Some(timestamp) =
                    finer(&expr, &data_type, &list.iter().collect::<Vec<_>>()).or(dated).or(instant)
                {
                    data_type = type_of(&timestamp).unwrap_or(data_type);
                    *expr = timestamp;
                    changed = true;
                }
                for item in &mut list {
                    if let Some(aligned) = type_of(item).and_then(|own| beside(item, &own, &data_type, zone)) {
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

/// A text or a date beside a timestamp, as one of microseconds; none if it stays what it is.
fn beside(expression: &Expr, own: &DataType, timestamp: &DataType, session: &Arc<str>) -> Option<Expr> {
    let DataType::Timestamp(unit, zone) = timestamp else { return None };
    // What nanoseconds cannot hold is no value of the column, which then counts microseconds too.
    if *unit == TimeUnit::Nanosecond && !constant(expression).is_some_and(|value| is_beyond(&value)) {
        return None;
    }
    let local = DataType::Timestamp(TimeUnit::Microsecond, None);
    let aligned = match zone {
        Some(_) => DataType::Timestamp(TimeUnit::Microsecond, Some(Arc::clone(session))),
        None => local.clone(),
    };
    match own {
        own if own.is_string() => Some(as_type(expression.clone(), aligned)),
        // A date begins when the zone's clocks show it.
        DataType::Date32 if zone.is_some() => Some(as_type(as_type(expression.clone(), local), aligned)),
        DataType::Date32 => Some(as_type(expression.clone(), aligned)),
        _ => None,
    }
}

/// A timestamp as one of microseconds, where it is beside constants that it could not be equal to otherwise: of nanoseconds those
/// of far years, of seconds and milliseconds those that lie between two. The engine would make the constant one of the
/// column's; a function keeps it from that.
fn finer(expression: &Expr, own: &DataType, others: &[&Expr]) -> Option<Expr> {
    let DataType::Timestamp(unit, zone) = own else { return None };
    let lies_between = |micros: i64| match unit {
        TimeUnit::Second => micros % 1_000_000 != 0,
        TimeUnit::Millisecond => micros % 1_000 != 0,
        TimeUnit::Microsecond => false,
        TimeUnit::Nanosecond => micros.checked_mul(1_000).is_none(),
    };
    let mut constants = others.iter().filter_map(|other| constant(other)).filter_map(|value| micros(&value));
    let micros = DataType::Timestamp(TimeUnit::Microsecond, zone.clone());
    (constant(expression).is_none() && constants.any(lies_between))
        .then(|| without_order(as_type(expression.clone(), micros)))
}

/// A column without a zone beside an instant, as the instant at which the session's clocks show it. The engine would make the
/// instant one without a zone, as the clocks of UTC show it.
fn zoned(expression: &Expr, own: &DataType, other: &DataType, session: &Arc<str>) -> Option<Expr> {
    let (DataType::Timestamp(unit, None), DataType::Timestamp(_, Some(_))) = (own, other) else { return None };
    let instant = as_type(expression.clone(), DataType::Timestamp(*unit, Some(Arc::clone(session))));
    Some(if constant(expression).is_some() { instant } else { without_order(instant) })
}

/// The microseconds of a constant, as of a zone or of none: they tell the same of what they are asked for.
fn micros(value: &ScalarValue) -> Option<i64> {
    match value.cast_to(&DataType::Timestamp(TimeUnit::Microsecond, None)).ok()? {
        ScalarValue::TimestampMicrosecond(micros, _) => micros,
        _ => None,
    }
}

fn is_beyond(value: &ScalarValue) -> bool {
    micros(value).is_some_and(|micros| micros.checked_mul(1_000).is_none())
}

fn as_type(expression: Expr, data_type: DataType) -> Expr {
    Expr::Cast(Cast::new(Box::new(expression), data_type))
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

/// Whether a cast may leave the zone behind.
fn is_local(step: &Expr) -> bool {
    use DataType::{Date32, Time32, Time64, Timestamp};
    let is_without = |to: &DataType| matches!(to, Timestamp(_, None) | Date32 | Time32(_) | Time64(_));
    match step {
        Expr::Cast(cast) => is_without(cast.field.data_type()),
        Expr::TryCast(cast) => is_without(cast.field.data_type()),
        _ => false,
    }
}

/// Whether a cast makes an instant, of what may be local.
fn is_instant(step: &Expr) -> bool {
    let is_zoned = |to: &DataType| matches!(to, DataType::Timestamp(_, Some(_)));
    match step {
        Expr::Cast(cast) => is_zoned(cast.field.data_type()),
        Expr::TryCast(cast) => is_zoned(cast.field.data_type()),
        _ => false,
    }
}

/// A local time or a text that is cast to an instant of another zone, as one of the session's; whether it changed.
fn of_session(value: &mut Expr, to: &DataType, schema: &DFSchema, session: &Arc<str>) -> Result<bool> {
    let DataType::Timestamp(unit, Some(zone)) = to else { return Ok(false) };
    let from = value.get_type(schema)?;
    let is_local = from.is_string() || matches!(from, DataType::Timestamp(_, None) | DataType::Date32);
    if !is_local || are_same(zone, session) {
        return Ok(false);
    }
    *value = as_type(std::mem::take(value), DataType::Timestamp(*unit, Some(Arc::clone(session))));
    Ok(true)
}

fn are_same(one: &str, other: &str) -> bool {
    let is_utc = |zone: &str| matches!(zone, "UTC" | "+00:00");
    one == other || is_utc(one) && is_utc(other)
}

/// Whether a function returns what clocks show at an instant.
fn reads_clock(step: &Expr) -> bool {
    matches!(step, Expr::ScalarFunction(call) if matches!(call.func.name(), "date_part" | "to_char"))
}

fn local(step: Expr, schema: &DFSchema, session: &Arc<str>) -> Result<Transformed<Expr>> {
    Ok(match step {
        Expr::Cast(mut cast) if is_local(&Expr::Cast(cast.clone())) => {
            let changed = shown(&mut cast.expr, cast.field.data_type(), schema, session)?;
            Transformed::new_transformed(Expr::Cast(cast), changed)
        }
        Expr::TryCast(mut cast) if is_local(&Expr::TryCast(cast.clone())) => {
            let changed = shown(&mut cast.expr, cast.field.data_type(), schema, session)?;
            Transformed::new_transformed(Expr::TryCast(cast), changed)
        }
        Expr::Cast(mut cast) if is_instant(&Expr::Cast(cast.clone())) => {
            let changed = of_session(&mut cast.expr, cast.field.data_type(), schema, session)?;
            Transformed::new_transformed(Expr::Cast(cast), changed)
        }
        Expr::TryCast(mut cast) if is_instant(&Expr::TryCast(cast.clone())) => {
            let changed = of_session(&mut cast.expr, cast.field.data_type(), schema, session)?;
            Transformed::new_transformed(Expr::TryCast(cast), changed)
        }
        Expr::ScalarFunction(mut call) if matches!(call.func.name(), "date_part" | "to_char") => {
            let mut changed = false;
            for argument in &mut call.args {
                changed |= in_session(argument, schema, session)?;
            }
            Transformed::new_transformed(Expr::ScalarFunction(call), changed)
        }
        other => Transformed::no(other),
    })
}

/// What is cast to a type without a zone, as the session's clocks show it; whether it changed.
fn shown(value: &mut Expr, to: &DataType, schema: &DFSchema, session: &Arc<str>) -> Result<bool> {
    let is_instant = matches!(value.get_type(schema)?, DataType::Timestamp(_, Some(_)));
    let mut changed = in_session(value, schema, session)?;
    if is_instant && matches!(to, DataType::Timestamp(..)) {
        *value = to_local_time().call(vec![std::mem::take(value)]);
        changed = true;
    }
    Ok(changed)
}

/// An instant in the session's zone, which files need not have; whether it changed.
fn in_session(value: &mut Expr, schema: &DFSchema, session: &Arc<str>) -> Result<bool> {
    let DataType::Timestamp(unit, Some(zone)) = value.get_type(schema)? else { return Ok(false) };
    if are_same(&zone, session) {
        return Ok(false);
    }
    *value = as_type(std::mem::take(value), DataType::Timestamp(unit, Some(Arc::clone(session))));
    Ok(true)
}
