//! Texts that are cast to dates, times and timestamps are read as PostgreSQL reads them: no zone moves what has none, and
//! fractions of a second are rounded.
//!
//! The engine casts the text that a function makes of the value; one that is written becomes that text at once.

use arrow::datatypes::{DataType, TimeUnit};
use datafusion::{
    common::{DFSchema, Result, ScalarValue, config::ConfigOptions, tree_node::Transformed},
    logical_expr::{Cast, Expr, ExprSchemable, LogicalPlan, TryCast},
    optimizer::analyzer::AnalyzerRule,
};

use super::{
    PLAIN_TIME,
    rewritten_texts::{Reading, rewritten},
    steps,
};

/// See the module. It comes when types are known.
#[derive(Debug)]
pub(super) struct ReadTimes;

impl AnalyzerRule for ReadTimes {
    fn name(&self) -> &str {
        "read_times"
    }

    fn analyze(&self, plan: LogicalPlan, _config: &ConfigOptions) -> Result<LogicalPlan> {
        steps::change(plan, is_cast_to_time, read)
    }
}

fn is_cast_to_time(step: &Expr) -> bool {
    match step {
        Expr::Cast(Cast { field, .. }) | Expr::TryCast(TryCast { field, .. }) => matches!(
            field.data_type(),
            DataType::Timestamp(..) | DataType::Date32 | DataType::Time64(TimeUnit::Nanosecond)
        ),
        _ => false,
    }
}

fn read(mut step: Expr, schema: &DFSchema) -> Result<Transformed<Expr>> {
    if !is_cast_to_time(&step) {
        return Ok(Transformed::no(step));
    }
    let (Expr::Cast(Cast { expr, field }) | Expr::TryCast(TryCast { expr, field })) = &mut step else {
        return Ok(Transformed::no(step));
    };
    let reading = Reading::Time(field.data_type().clone());
    let changed = match expr.as_mut() {
        Expr::Literal(value, _) => match value.try_as_str().flatten().and_then(|text| reading.of(text)) {
            Some(plain) => {
                *value = ScalarValue::Utf8(Some(plain));
                true
            }
            None => false,
        },
        other if other.get_type(schema)?.is_string() && !is_plain(other) => {
            *other = rewritten(std::mem::take(other), reading);
            true
        }
        _ => false,
    };
    Ok(Transformed::new_transformed(step, changed))
}

fn is_plain(text: &Expr) -> bool {
    matches!(text, Expr::ScalarFunction(call) if call.func.name() == PLAIN_TIME)
}
