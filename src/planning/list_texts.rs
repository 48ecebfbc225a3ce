//! Lists that become texts are written as PostgreSQL writes arrays: `['a, b']::text` is `{"a, b"}`, and
//! `['a', 'b']::text` is `{a,b}`. Objects and maps that do are JSON, and dates, times and timestamps are as clients see
//! them, in the session's styles: `2024-01-05 10:00:00`, `1 year 2 days`.
//!
//! Bytes are in hexadecimal, and floats and numerics of any digits have no more digits than they need: `1`, and not `1.0`.
//!
//! The engine's cast writes both lists as `[a, b]`, has none for objects and maps, puts a `T` before the time, fails
//! at the end of a day and takes bytes for UTF-8. Here it casts the text that a function makes of the value; the type of the
//! result stays the same.

use std::sync::Arc;

use arrow::datatypes::DataType;
use datafusion::{
    common::{DFSchema, Result, config::ConfigOptions, exec_err, tree_node::Transformed, utils::take_function_args},
    logical_expr::{
        Cast, ColumnarValue, Expr, ExprSchemable, LogicalPlan, ScalarFunctionArgs, ScalarUDF, ScalarUDFImpl, Signature,
        TryCast, Volatility, lit,
    },
    optimizer::analyzer::AnalyzerRule,
};

use super::{TEXT_OF, byte_texts::is_bytes, columnar::made_of, steps};
use crate::{
    pgtype::{ANY_NUMERIC, LONG_NUMERIC, Styles, ZONED_TIME, Zone},
    print::{self, Form},
};

/// See the module. It comes when types are known.
#[derive(Debug)]
pub(super) struct WriteLists;

impl AnalyzerRule for WriteLists {
    fn name(&self) -> &str {
        "write_lists"
    }

    fn analyze(&self, plan: LogicalPlan, config: &ConfigOptions) -> Result<LogicalPlan> {
        let (zone, styles) = (config.execution.time_zone.as_deref().unwrap_or("UTC"), Styles::of(config));
        steps::change(plan, |step| cast_to_text(step).is_some(), |step, schema| written(step, schema, (zone, styles)))
    }
}

/// What is cast to a text.
fn cast_to_text(step: &Expr) -> Option<&Expr> {
    match step {
        Expr::Cast(Cast { expr, field }) | Expr::TryCast(TryCast { expr, field }) if field.data_type().is_string() => {
            Some(expr.as_ref())
        }
        _ => None,
    }
}

fn written(mut step: Expr, schema: &DFSchema, session: (&str, Styles)) -> Result<Transformed<Expr>> {
    let is_ours = match cast_to_text(&step) {
        Some(value) => is_written(&value.get_type(schema)?),
        None => false,
    };
    if !is_ours {
        return Ok(Transformed::no(step));
    }
    if let Expr::Cast(Cast { expr, .. }) | Expr::TryCast(TryCast { expr, .. }) = &mut step {
        **expr = text_of(std::mem::take(expr.as_mut()), session);
    }
    Ok(Transformed::yes(step))
}

/// Whether the engine's cast writes values of this type otherwise than clients see them, or not at all.
fn is_written(data_type: &DataType) -> bool {
    data_type.is_nested()
        || data_type.is_floating()
        || is_bytes(data_type)
        || [ZONED_TIME, ANY_NUMERIC, LONG_NUMERIC].contains(data_type)
        || matches!(
            data_type,
            DataType::Date32
                | DataType::Timestamp(..)
                | DataType::Time32(_)
                | DataType::Time64(_)
                | DataType::Interval(_)
        )
}

/// The text of a value, whose instants are shown in a zone, and its dates and intervals in styles.
fn text_of(value: Expr, (zone, styles): (&str, Styles)) -> Expr {
    ScalarUDF::new_from_impl(TextOf { styles, signature: Signature::any(2, Volatility::Immutable) })
        .call(vec![value, lit(zone)])
}

/// `text_of(value, zone)`.
#[derive(Debug, PartialEq, Eq, Hash)]
struct TextOf {
    styles: Styles,
    signature: Signature,
}

impl ScalarUDFImpl for TextOf {
    fn name(&self) -> &str {
        TEXT_OF
    }

    fn schema_name(&self, operands: &[Expr]) -> Result<String> {
        // A cast is called as what it casts.
        let [value, _] = take_function_args(self.name(), operands)?;
        Ok(value.schema_name().to_string())
    }

    fn signature(&self) -> &Signature {
        &self.signature
    }

    fn return_type(&self, _types: &[DataType]) -> Result<DataType> {
        Ok(DataType::Utf8)
    }

    fn invoke_with_args(&self, call: ScalarFunctionArgs) -> Result<ColumnarValue> {
        let [value, zone] = take_function_args(self.name(), &call.args)?;
        let ColumnarValue::Scalar(zone) = zone else { return exec_err!("the zone of a text is not a constant") };
        let form =
            Form { zone: zone.try_as_str().flatten().map(Zone::of_session), styles: self.styles, ..Form::default() };
        made_of(value, |values| Ok(Arc::new(print::texts(values, form)?)))
    }
}
