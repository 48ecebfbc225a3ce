//! Timestamps as PostgreSQL has them: of any year, and local where they lose their zone.
//!
//! Where a timestamp is compared with a text or a date, the engine makes both count nanoseconds, of which 64 bits hold the
//! years 1678 to 2261 alone. Here the text or the date becomes a timestamp of microseconds first. It also makes a constant one
//! of the column's unit, and so half a second a whole one. And times of day of two units are not compared at all.
//!
//! A timestamp with a zone that is cast to one without is what the session's clocks show. The engine's cast shows those of UTC;
//! its function `to_local_time` does what is meant, and ours where microseconds are counted, which also knows what is before or
//! after all others.

use std::sync::Arc;

use arrow::datatypes::{DataType, TimeUnit};
use datafusion::{
    common::{DFSchema, Result, ScalarValue, config::ConfigOptions, tree_node::Transformed},
    functions::datetime::to_local_time,
    logical_expr::{
        Between, BinaryExpr, Cast, Expr, ExprSchemable, LogicalPlan, Operator, TryCast, cast, expr::InList,
    },
    optimizer::analyzer::AnalyzerRule,
};

use super::{open_operands::is_open, statistics::without_order, steps};
use crate::pgtype;

/// What timestamps are compared with becomes one of microseconds. It comes before types are made the same.
#[derive(Debug)]
pub(super) struct CompareMicroseconds;

impl AnalyzerRule for CompareMicroseconds {
    fn name(&self) -> &str {
        "compare_microseconds"
    }

    fn analyze(&self, plan: LogicalPlan, config: &ConfigOptions) -> Result<LogicalPlan> {
        let zone = zone(config);
        steps::change(plan, relates, |step, schema| compared(step, schema, &zone))
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
        let concerns = |step: &Expr| casts_to_time(step) || reads_clock(step);
        steps::change(plan, concerns, |step, schema| local(step, schema, &zone))
    }
}

/// The session's zone.
fn zone(config: &ConfigOptions) -> Arc<str> {
    config.execution.time_zone.as_deref().unwrap_or("UTC").into()
}

/// Whether a step compares values, or tells how far one is from another.
fn relates(step: &Expr) -> bool {
    steps::compares(step) || matches!(step, Expr::BinaryExpr(BinaryExpr { op: Operator::Minus, .. }))
}

fn compared(step: Expr, schema: &DFSchema, zone: &Arc<str>) -> Result<Transformed<Expr>> {
    Ok(match step {
        step if !relates(&step) => Transformed::no(step),
        Expr::BinaryExpr(BinaryExpr { left, op, right }) => {
            let (Some(left_type), Some(right_type)) = (type_of(&left, schema), type_of(&right, schema)) else {
                return Ok(Transformed::no(Expr::BinaryExpr(BinaryExpr { left, op, right })));
            };
            // A text after a minus may be an interval.
            let stays = |own: &DataType| op == Operator::Minus && own.is_string();
            let new_left = if stays(&left_type) { None } else { among(&left, &left_type, &[&right], schema, zone) };
            let new_right = if stays(&right_type) { None } else { among(&right, &right_type, &[&left], schema, zone) };
            let changed = new_left.is_some() || new_right.is_some();
            let (left, right) = (new_left.map_or(left, Box::new), new_right.map_or(right, Box::new));
            Transformed::new_transformed(Expr::BinaryExpr(BinaryExpr { left, op, right }), changed)
        }
        Expr::Between(Between { mut expr, negated, mut low, mut high }) => {
            let changed = among_bounds(&mut expr, &mut [&mut low, &mut high], schema, zone);
            Transformed::new_transformed(Expr::Between(Between { expr, negated, low, high }), changed)
        }
        Expr::InList(InList { mut expr, mut list, negated }) => {
            let changed = among_bounds(&mut expr, &mut list.iter_mut().collect::<Vec<_>>(), schema, zone);
            Transformed::new_transformed(Expr::InList(InList { expr, list, negated }), changed)
        }
        other => Transformed::no(other),
    })
}

fn type_of(expression: &Expr, schema: &DFSchema) -> Option<DataType> {
    expression.get_type(schema).ok()
}

/// What is compared with these as one of their kind; none if it stays what it is.
fn among(one: &Expr, own: &DataType, others: &[&Expr], schema: &DFSchema, zone: &Arc<str>) -> Option<Expr> {
    let of_kind = |other: &DataType| {
        beside(one, own, other, zone).or_else(|| zoned(one, own, other, zone)).or_else(|| finest(one, own, other))
    };
    let types = || others.iter().filter_map(|other| type_of(other, schema));
    finer(one, own, others).or_else(|| types().find_map(|other| of_kind(&other)))
}

/// Makes what is compared with several others one of their kind, and then these of its kind; whether any changed. A date between
/// timestamps becomes one.
fn among_bounds(expression: &mut Expr, others: &mut [&mut Expr], schema: &DFSchema, zone: &Arc<str>) -> bool {
    let Some(mut data_type) = type_of(expression, schema) else { return false };
    let bounds: Vec<&Expr> = others.iter().map(|other| &**other).collect();
    let aligned = among(expression, &data_type, &bounds, schema, zone);
    let mut changed = aligned.is_some();
    if let Some(timestamp) = aligned {
        data_type = type_of(&timestamp, schema).unwrap_or(data_type);
        *expression = timestamp;
    }
    for other in others {
        let aligned = |own| beside(other, &own, &data_type, zone).or_else(|| finest(other, &own, &data_type));
        if let Some(aligned) = type_of(other, schema).and_then(aligned) {
            **other = aligned;
            changed = true;
        }
    }
    changed
}

/// A time of day beside one of another unit, as one of nanoseconds; the engine compares no two units. None if it is one.
fn finest(expression: &Expr, own: &DataType, other: &DataType) -> Option<Expr> {
    let nanoseconds = DataType::Time64(TimeUnit::Nanosecond);
    let is_time = |data_type: &DataType| matches!(data_type, DataType::Time32(_) | DataType::Time64(_));
    let differ = is_time(own) && is_time(other) && own != other;
    (differ && *own != nanoseconds).then(|| cast(expression.clone(), nanoseconds))
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
        // Other texts are not compared with it.
        own if own.is_string() && is_open(expression) => Some(cast(expression.clone(), aligned)),
        // A date begins when the zone's clocks show it.
        DataType::Date32 if zone.is_some() => Some(cast(cast(expression.clone(), local), aligned)),
        DataType::Date32 => Some(cast(expression.clone(), aligned)),
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
        .then(|| without_order(cast(expression.clone(), micros)))
}

/// A column without a zone beside an instant, as the instant at which the session's clocks show it. The engine would make the
/// instant one without a zone, as the clocks of UTC show it.
fn zoned(expression: &Expr, own: &DataType, other: &DataType, session: &Arc<str>) -> Option<Expr> {
    let (DataType::Timestamp(unit, None), DataType::Timestamp(_, Some(_))) = (own, other) else { return None };
    let instant = cast(expression.clone(), DataType::Timestamp(*unit, Some(Arc::clone(session))));
    Some(if constant(expression).is_some() { instant } else { without_order(instant) })
}

/// The microseconds of a constant, as of a zone or of none: they tell the same of what they are asked for.
fn micros(value: &ScalarValue) -> Option<i64> {
    match read(value, &DataType::Timestamp(TimeUnit::Microsecond, None))? {
        ScalarValue::TimestampMicrosecond(micros, _) => micros,
        _ => None,
    }
}

fn is_beyond(value: &ScalarValue) -> bool {
    micros(value).is_some_and(|micros| micros.checked_mul(1_000).is_none())
}

/// The date, text or timestamp that the statement names.
fn constant(expression: &Expr) -> Option<ScalarValue> {
    match expression {
        Expr::Literal(value, _) => Some(value.clone()),
        Expr::Cast(cast) if matches!(cast.field.data_type(), DataType::Timestamp(..) | DataType::Date32) => {
            read(&constant(&cast.expr)?, cast.field.data_type())
        }
        Expr::BinaryExpr(BinaryExpr { left, op, right }) => {
            let (left, right) = (constant(left)?, constant(right)?);
            let is_time = |value: &ScalarValue| matches!(value.data_type(), DataType::Timestamp(..));
            let is_interval = |value: &ScalarValue| matches!(value.data_type(), DataType::Interval(_));
            match op {
                Operator::Plus if is_time(&left) && is_interval(&right) => left.add(right).ok(),
                Operator::Plus if is_interval(&left) && is_time(&right) => right.add(left).ok(),
                Operator::Minus if is_time(&left) && is_interval(&right) => left.sub(right).ok(),
                _ => None,
            }
        }
        Expr::ScalarFunction(call) => {
            let [left, right] = call.args.as_slice() else { return None };
            let (left, right) = (constant(left)?, constant(right)?);
            match call.name() {
                "date_pl_interval" | "timestamp_pl_interval" | "timestamptz_pl_interval" => {
                    moment(left)?.add(right).ok()
                }
                "date_mi_interval" | "timestamp_mi_interval" | "timestamptz_mi_interval" => {
                    moment(left)?.sub(right).ok()
                }
                "interval_pl_date" | "interval_pl_timestamp" | "interval_pl_timestamptz" => {
                    moment(right)?.add(left).ok()
                }
                _ => None,
            }
        }
        _ => None,
    }
}

/// A constant as one of a type of times, of which a text may be one.
fn read(value: &ScalarValue, to: &DataType) -> Option<ScalarValue> {
    match value.try_as_str().flatten() {
        Some(text) => pgtype::read_time(text, to, "UTC").ok(),
        None => value.cast_to(to).ok(),
    }
}

/// A date as the timestamp at which it begins.
fn moment(value: ScalarValue) -> Option<ScalarValue> {
    match value.data_type() {
        DataType::Date32 => value.cast_to(&DataType::Timestamp(TimeUnit::Microsecond, None)).ok(),
        _ => Some(value),
    }
}

/// Whether a cast is one to a date, a time or a timestamp.
fn casts_to_time(step: &Expr) -> bool {
    use DataType::{Date32, Time32, Time64, Timestamp};
    match step {
        Expr::Cast(Cast { field, .. }) | Expr::TryCast(TryCast { field, .. }) => {
            matches!(field.data_type(), Timestamp(..) | Date32 | Time32(_) | Time64(_))
        }
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
    *value = cast(std::mem::take(value), DataType::Timestamp(*unit, Some(Arc::clone(session))));
    Ok(true)
}

fn are_same(one: &str, other: &str) -> bool {
    let is_utc = |zone: &str| matches!(zone, "UTC" | "+00:00");
    one == other || is_utc(one) && is_utc(other)
}

/// Whether a function returns what clocks show at an instant, or cuts that off.
fn reads_clock(step: &Expr) -> bool {
    const READ: &[&str] = &["date_part", "date_trunc", "extract", "to_char"];
    matches!(step, Expr::ScalarFunction(call) if READ.contains(&call.func.name()))
}

fn local(mut step: Expr, schema: &DFSchema, session: &Arc<str>) -> Result<Transformed<Expr>> {
    let (is_cast, reads) = (casts_to_time(&step), reads_clock(&step));
    let changed = match &mut step {
        Expr::Cast(Cast { expr, field }) | Expr::TryCast(TryCast { expr, field }) if is_cast => match field.data_type()
        {
            DataType::Timestamp(_, Some(_)) => of_session(expr, field.data_type(), schema, session)?,
            to => shown(expr, to, schema, session)?,
        },
        Expr::ScalarFunction(call) if reads => {
            let mut changed = false;
            for argument in &mut call.args {
                changed |= in_session(argument, schema, session)?;
            }
            changed
        }
        _ => false,
    };
    Ok(Transformed::new_transformed(step, changed))
}

/// What is cast to a type without a zone, as the session's clocks show it; whether it changed.
fn shown(value: &mut Expr, to: &DataType, schema: &DFSchema, session: &Arc<str>) -> Result<bool> {
    let is_instant = matches!(value.get_type(schema)?, DataType::Timestamp(_, Some(_)));
    let mut changed = in_session(value, schema, session)?;
    // Of microseconds, whoever reads texts makes it so.
    if is_instant && matches!(to, DataType::Timestamp(unit, _) if *unit != TimeUnit::Microsecond) {
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
    *value = cast(std::mem::take(value), DataType::Timestamp(unit, Some(Arc::clone(session))));
    Ok(true)
}
