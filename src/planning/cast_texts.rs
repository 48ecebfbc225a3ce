//! Texts that are cast to dates, times, timestamps, intervals, numerics and floats are read as PostgreSQL reads them. One that is
//! written is its value from here on, or an error. A time of day that is cast to an interval is as long as the day was then, by way
//! of its text, because the engine has no such cast; nor has it one between times with a zone and others, which functions make. Its
//! casts between dates and timestamps fail on what is before or after all others, so that functions make these too.

use std::sync::Arc;

use arrow::datatypes::{DataType, IntervalUnit, TimeUnit};
use datafusion::{
    common::{DFSchema, Result, config::ConfigOptions, tree_node::Transformed},
    logical_expr::{self, Cast, Expr, ExprSchemable, LogicalPlan, TryCast},
    optimizer::analyzer::AnalyzerRule,
};

use super::{
    array_texts,
    casts::no_cast,
    read_texts::{Reading, is_number, is_read, read_as},
    steps, types,
};
use crate::{
    functions::{Function, called, casting},
    pgtype::{self, InSession, Styles, ZONED_TIME, element, innermost, list_of, told, type_name},
};

/// See the module. It comes when types are known, and before values become texts.
#[derive(Debug)]
pub(super) struct ReadTexts;

impl AnalyzerRule for ReadTexts {
    fn name(&self) -> &str {
        "read_texts"
    }

    fn analyze(&self, plan: LogicalPlan, config: &ConfigOptions) -> Result<LogicalPlan> {
        let zone: Arc<str> = config.execution.time_zone.as_deref().unwrap_or("UTC").into();
        let styles = Styles::of(config);
        steps::change(plan, |step| cast_from_text(step).is_some(), |step, schema| read(step, schema, &zone, styles))
    }
}

/// The plan in which dates, times and intervals that are written are those that their texts are in a session, whichever it runs
/// in. One whose types do not go together stays as it is: it is refused when it runs.
pub(crate) fn read_written(plan: LogicalPlan, session: InSession<'_>) -> Result<LogicalPlan> {
    let Ok(plan) = types::settled(plan.clone()) else { return Ok(plan) };
    steps::change(
        plan,
        |step| written(step).is_some(),
        |step, _| {
            let Some((text, to)) = written(&step) else { return Ok(Transformed::no(step)) };
            let of_session = in_zone(to, session.zone);
            let value = match element(to) {
                Some(_) => array_texts::read(text, &of_session, session)?,
                None => {
                    let zone = session.zone.into();
                    Reading { to: of_session, zone, styles: session.styles, is_lenient: false }.value(text)?
                }
            };
            Ok(Transformed::yes(Expr::Literal(value.cast_to(to)?, None)))
        },
    )
}

/// The text that a step reads as a date, a time or an interval, or as an array of such, and the type.
fn written(step: &Expr) -> Option<(&str, &DataType)> {
    let Expr::Cast(Cast { expr, field }) = step else { return None };
    let Expr::Literal(value, _) = expr.as_ref() else { return None };
    let is_read = is_read(innermost(field.data_type())) && !is_number(innermost(field.data_type()));
    let text = value.try_as_str().flatten().filter(|_| is_read && told(field).is_none())?;
    Some((text, field.data_type()))
}

/// The type with times that are shown in a zone.
pub(super) fn in_zone(data_type: &DataType, zone: &str) -> DataType {
    match (data_type, element(data_type)) {
        (DataType::Timestamp(unit, Some(_)), _) => DataType::Timestamp(*unit, Some(zone.into())),
        (_, Some(item)) => list_of(in_zone(item, zone)),
        (other, None) => other.clone(),
    }
}

/// The type that a step casts to, if it is one that texts are read as here.
fn cast_from_text(step: &Expr) -> Option<&DataType> {
    match step {
        Expr::Cast(Cast { field, .. }) | Expr::TryCast(TryCast { field, .. }) if is_read(field.data_type()) => {
            Some(field.data_type())
        }
        _ => None,
    }
}

/// The function that makes what a cast between times yields, where the engine has no such cast or another one.
fn time_function(from: &DataType, to: &DataType) -> Option<&'static Function> {
    use DataType::{Date32, Interval, Time32, Time64, Timestamp};
    let is_known =
        matches!(from, Date32 | Time32(_) | Time64(_) | Timestamp(..) | Interval(IntervalUnit::MonthDayNano))
            || *from == ZONED_TIME;
    // Timestamps of other units are of files, which have neither the one before nor the one after all others.
    let is_made = is_known && !matches!(to, Timestamp(unit, _) if *unit != TimeUnit::Microsecond);
    if is_made { casting(pgtype::of(from).pg, pgtype::of(to).pg) } else { None }
}

fn read(mut step: Expr, schema: &DFSchema, zone: &Arc<str>, styles: Styles) -> Result<Transformed<Expr>> {
    let Some(to) = cast_from_text(&step).cloned() else { return Ok(Transformed::no(step)) };
    let is_lenient = matches!(step, Expr::TryCast(_));
    let (Expr::Cast(Cast { expr, .. }) | Expr::TryCast(TryCast { expr, .. })) = &mut step else {
        return Ok(Transformed::no(step));
    };
    let is_interval = to == DataType::Interval(IntervalUnit::MonthDayNano);
    let reading = Reading { to, zone: Arc::clone(zone), styles, is_lenient };
    let data_type = expr.get_type(schema)?;
    if let Some(function) = time_function(&data_type, &reading.to) {
        let value = std::mem::take(expr.as_mut());
        let micros = DataType::Time64(TimeUnit::Microsecond);
        let is_coarse = matches!(data_type, DataType::Time32(_) | DataType::Time64(_)) && data_type != micros;
        let value = if is_coarse { logical_expr::cast(value, micros) } else { value };
        let made = called(function, vec![value]);
        let is_other = made.get_type(schema)? != reading.to;
        return Ok(Transformed::yes(if is_other { logical_expr::cast(made, reading.to) } else { made }));
    }
    let is_open = data_type.is_null() || data_type.is_string();
    if (data_type == ZONED_TIME) != (reading.to == ZONED_TIME) && !is_open {
        return Err(no_cast(&type_name(&data_type), &type_name(&reading.to)));
    }
    // What is said of a text makes it one that was cast to that: such a one is read when it is needed.
    if let Expr::Literal(value, None) = expr.as_ref()
        && let Some(text) = value.try_as_str().flatten()
    {
        return Ok(Transformed::yes(Expr::Literal(reading.value(text)?, None)));
    }
    let is_time = is_interval && matches!(data_type, DataType::Time32(_) | DataType::Time64(_));
    if !is_time && !data_type.is_string() {
        return Ok(Transformed::no(step));
    }
    let value = std::mem::take(expr.as_mut());
    let text = if is_time { logical_expr::cast(value, DataType::Utf8) } else { value };
    Ok(Transformed::yes(read_as(text, reading)))
}
