//! Texts that are cast to intervals are read as PostgreSQL reads them: `1 mon 2 days 03:04:05`, which is how intervals are
//! shown and written to files, and `90`, which is seconds. A time of day is as long as the day was then.
//!
//! The engine's cast knows no hours before a colon and no plus, takes a number alone for months, and has nothing for times. Here
//! it casts the text that a function makes of the value, in words that it knows; a text that has none stays as it is, so that
//! the cast tells of it.

use arrow::datatypes::{DataType, IntervalUnit};
use datafusion::{
    common::{DFSchema, Result, config::ConfigOptions, tree_node::Transformed},
    logical_expr::{self, Cast, Expr, ExprSchemable, LogicalPlan, TryCast},
    optimizer::analyzer::AnalyzerRule,
};

use super::{
    rewritten_texts::{Reading, rewritten},
    steps,
};

/// See the module. It comes when types are known, and before times become texts.
#[derive(Debug)]
pub(super) struct ReadIntervals;

impl AnalyzerRule for ReadIntervals {
    fn name(&self) -> &str {
        "read_intervals"
    }

    fn analyze(&self, plan: LogicalPlan, _config: &ConfigOptions) -> Result<LogicalPlan> {
        steps::change(plan, |step| cast_to_interval(step).is_some(), read)
    }
}

/// What is cast to an interval.
fn cast_to_interval(step: &Expr) -> Option<&Expr> {
    match step {
        Expr::Cast(Cast { expr, field }) | Expr::TryCast(TryCast { expr, field })
            if *field.data_type() == DataType::Interval(IntervalUnit::MonthDayNano) =>
        {
            Some(expr.as_ref())
        }
        _ => None,
    }
}

fn read(mut step: Expr, schema: &DFSchema) -> Result<Transformed<Expr>> {
    let Some(value) = cast_to_interval(&step) else { return Ok(Transformed::no(step)) };
    let data_type = value.get_type(schema)?;
    let is_time = matches!(data_type, DataType::Time32(_) | DataType::Time64(_));
    if !is_time && !data_type.is_string() {
        return Ok(Transformed::no(step));
    }
    if let Expr::Cast(Cast { expr, .. }) | Expr::TryCast(TryCast { expr, .. }) = &mut step {
        let value = std::mem::take(expr.as_mut());
        **expr = rewritten(if is_time { logical_expr::cast(value, DataType::Utf8) } else { value }, Reading::Interval);
    }
    Ok(Transformed::yes(step))
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use std::sync::Arc;

    use arrow::{
        array::{ArrayRef, IntervalMonthDayNanoArray},
        compute::kernels::cast_utils::parse_interval_month_day_nano,
        datatypes::IntervalMonthDayNano,
    };

    use crate::{
        pgtype::interval_in_words,
        print::{self, Form},
    };

    fn read(text: &str) -> Option<(i32, i32, i64)> {
        let found = parse_interval_month_day_nano(&interval_in_words(text)?).ok()?;
        Some((found.months, found.days, found.nanoseconds))
    }

    #[test]
    fn what_is_shown_is_read() {
        for (months, days, nanoseconds) in [
            (0, 0, 0),
            (14, -3, 1),
            (-14, 3, -1),
            (-2, 0, 3_600_000_000_000),
            (0, -1, 999_999_999),
            (i32::MAX, i32::MIN, i64::MAX),
            (i32::MIN, i32::MAX, i64::MIN),
        ] {
            let interval = IntervalMonthDayNano::new(months, days, nanoseconds);
            let intervals: ArrayRef = Arc::new(IntervalMonthDayNanoArray::from(vec![interval]));
            let shown = print::texts(&intervals, Form::default()).unwrap();
            assert_eq!(read(shown.value(0)), Some((months, days, nanoseconds)), "{}", shown.value(0));
        }
    }
}
