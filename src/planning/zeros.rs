//! The two zeros are one wherever floats are looked for among others.
//!
//! The engine's comparisons, joins and groups take -0 for 0. Its lists, the CASE that compares one value with others and `nullif`
//! compare bits. What they compare becomes the zero without a sign here; a list of constants,
//! which decides what files need not be read, has both zeros if it has one.

use datafusion::{
    common::{DFSchema, Result, ScalarValue, config::ConfigOptions, tree_node::Transformed},
    logical_expr::{Case, Expr, ExprSchemable, LogicalPlan, expr::ScalarFunction, lit},
    optimizer::analyzer::AnalyzerRule,
};

use super::{
    floats::{is_float, literal, one_zero},
    steps,
};

/// The rule; see the module. It comes when types are settled.
#[derive(Debug)]
pub(super) struct OneZero;

impl AnalyzerRule for OneZero {
    fn name(&self) -> &str {
        "one_zero"
    }

    fn analyze(&self, plan: LogicalPlan, _config: &ConfigOptions) -> Result<LogicalPlan> {
        steps::change(plan, compares_bits, with_one_zero)
    }
}

fn compares_bits(step: &Expr) -> bool {
    match step {
        Expr::InList(_) => true,
        Expr::Case(case) => case.expr.is_some(),
        Expr::ScalarFunction(call) => call.func.name() == "nullif",
        _ => false,
    }
}

fn with_one_zero(step: Expr, schema: &DFSchema) -> Result<Transformed<Expr>> {
    let of_floats = |operand: &Expr| operand.get_type(schema).map(|data_type| is_float(&data_type));
    match step {
        Expr::InList(mut found) if of_floats(&found.expr)? => {
            if found.list.iter().all(|item| literal(item).is_some()) {
                let zeros: Vec<Expr> = found.list.iter().filter_map(other_zero).collect();
                let changed = !zeros.is_empty();
                found.list.extend(zeros);
                return Ok(Transformed::new_transformed(Expr::InList(found), changed));
            }
            become_one_zero(std::iter::once(found.expr.as_mut()).chain(&mut found.list));
            Ok(Transformed::yes(Expr::InList(found)))
        }
        Expr::Case(Case { expr: Some(mut operand), mut when_then_expr, else_expr }) if of_floats(&operand)? => {
            let whens = when_then_expr.iter_mut().map(|(when, _)| when.as_mut());
            become_one_zero(std::iter::once(operand.as_mut()).chain(whens));
            Ok(Transformed::yes(Expr::Case(Case { expr: Some(operand), when_then_expr, else_expr })))
        }
        Expr::ScalarFunction(call) => in_call(call, schema),
        other => Ok(Transformed::no(other)),
    }
}

fn in_call(mut call: ScalarFunction, schema: &DFSchema) -> Result<Transformed<Expr>> {
    match (call.func.name(), call.args.as_mut_slice()) {
        ("nullif", [value, other]) if is_float(&value.get_type(schema)?) && !value.is_volatile() => {
            // What remains is the value as it is, which may be -0.
            let data_type = value.get_type(schema)?;
            // The engine leaves an integer beside a real as it is.
            let other = other.clone().cast_to(&data_type, schema)?;
            let is_other = one_zero(value.clone()).eq(one_zero(other));
            Ok(Transformed::yes(steps::null_if(value, is_other, ScalarValue::try_from(&data_type)?)))
        }
        _ => Ok(Transformed::no(Expr::ScalarFunction(call))),
    }
}

fn become_one_zero<'a>(floats: impl Iterator<Item = &'a mut Expr>) {
    for float in floats {
        *float = one_zero(std::mem::take(float));
    }
}

/// The other zero, if a constant is one of them.
fn other_zero(item: &Expr) -> Option<Expr> {
    match literal(item)? {
        ScalarValue::Float64(Some(value)) if value == 0.0 => Some(lit(ScalarValue::Float64(Some(-value)))),
        ScalarValue::Float32(Some(value)) if value == 0.0 => Some(lit(ScalarValue::Float32(Some(-value)))),
        _ => None,
    }
}
