//! Lists that become texts are written as PostgreSQL writes arrays: `['a, b']::text` is `{"a, b"}`, and `['a', 'b']::text` is
//! `{a,b}`. Objects and maps that do are JSON, as clients see them.
//!
//! The engine's cast writes both lists as `[a, b]`, and has none for objects and maps. Here it casts the text that a function
//! makes of the value; the type of the result stays the same.

use std::sync::Arc;

use arrow::datatypes::DataType;
use datafusion::{
    common::{
        DFSchema, Result, ScalarValue, config::ConfigOptions, exec_err, tree_node::Transformed,
        utils::take_function_args,
    },
    logical_expr::{
        Cast, ColumnarValue, Expr, ExprSchemable, LogicalPlan, ScalarFunctionArgs, ScalarUDF, ScalarUDFImpl, Signature,
        TryCast, Volatility, expr::ScalarFunction, lit,
    },
    optimizer::analyzer::AnalyzerRule,
};

use super::steps;
use crate::print::{self, Form, Zone};

/// The function that makes a text of a list, an object or a map.
const LIST_TEXT: &str = "list_text";

/// See the module. It comes when types are known.
#[derive(Debug)]
pub(super) struct WriteLists;

impl AnalyzerRule for WriteLists {
    fn name(&self) -> &str {
        "write_lists"
    }

    fn analyze(&self, plan: LogicalPlan, config: &ConfigOptions) -> Result<LogicalPlan> {
        let zone = config.execution.time_zone.as_deref().unwrap_or("UTC");
        steps::change(plan, |step| cast_to_text(step).is_some(), |step, schema| written(step, schema, zone))
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

fn written(mut step: Expr, schema: &DFSchema, zone: &str) -> Result<Transformed<Expr>> {
    let is_nested = match cast_to_text(&step) {
        Some(value) => value.get_type(schema)?.is_nested(),
        None => false,
    };
    if !is_nested {
        return Ok(Transformed::no(step));
    }
    if let Expr::Cast(Cast { expr, .. }) | Expr::TryCast(TryCast { expr, .. }) = &mut step {
        **expr = text_of(std::mem::take(expr.as_mut()), zone);
    }
    Ok(Transformed::yes(step))
}

/// The text of a list, whose instants are shown in a zone, or of an object or a map.
fn text_of(list: Expr, zone: &str) -> Expr {
    let function = ScalarUDF::new_from_impl(ListText { signature: Signature::any(2, Volatility::Immutable) });
    Expr::ScalarFunction(ScalarFunction { func: Arc::new(function), args: vec![list, lit(zone)] })
}

/// `list_text(list, zone)`.
#[derive(Debug, PartialEq, Eq, Hash)]
struct ListText {
    signature: Signature,
}

impl ScalarUDFImpl for ListText {
    fn name(&self) -> &str {
        LIST_TEXT
    }

    fn schema_name(&self, operands: &[Expr]) -> Result<String> {
        // A cast is called as what it casts.
        let [list, _] = take_function_args(self.name(), operands)?;
        Ok(list.schema_name().to_string())
    }

    fn signature(&self) -> &Signature {
        &self.signature
    }

    fn return_type(&self, _types: &[DataType]) -> Result<DataType> {
        Ok(DataType::Utf8)
    }

    fn invoke_with_args(&self, call: ScalarFunctionArgs) -> Result<ColumnarValue> {
        let [list, zone] = take_function_args(self.name(), call.args)?;
        let ColumnarValue::Scalar(zone) = zone else { return exec_err!("the zone of a list's text is not a constant") };
        let form = Form { zone: zone.try_as_str().flatten().map(Zone::named), ..Form::default() };
        Ok(match list {
            ColumnarValue::Scalar(list) => {
                let texts = print::texts(&list.to_array()?, form)?;
                ColumnarValue::Scalar(ScalarValue::try_from_array(&texts, 0)?)
            }
            ColumnarValue::Array(lists) => ColumnarValue::Array(Arc::new(print::texts(&lists, form)?)),
        })
    }
}
