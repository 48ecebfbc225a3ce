//! Texts in quotes and NULL as arguments of aggregates and of functions over windows: PostgreSQL reads them as what the function
//! takes, and refuses them where it takes several types. The engine takes them for texts, and knows no type of NULL.
//!
//! ```sql
//! SELECT bool_and('yes'), stddev('1.5')
//! SELECT sum('1'), array_agg('a')   -- function sum(unknown) is not unique
//! ```
//!
//! They are looked at where calls are planned, when parameters have no values yet that would look like them.

use arrow::datatypes::DataType;
use datafusion::{
    common::{Result, ScalarValue},
    logical_expr::{Expr, cast},
};

use super::shifts;
use crate::functions::{Given, Unresolved};

/// Aggregates of several types of which PostgreSQL prefers none.
const OF_SEVERAL: &[&str] = &["array_agg", "avg", "bit_and", "bit_or", "bit_xor", "sum"];

/// Aggregates of doubles, and those that PostgreSQL prefers for doubles.
const OF_DOUBLES: &[&str] = &[
    "corr",
    "covar_pop",
    "covar_samp",
    "regr_avgx",
    "regr_avgy",
    "regr_count",
    "regr_intercept",
    "regr_r2",
    "regr_slope",
    "regr_sxx",
    "regr_sxy",
    "regr_syy",
    "stddev",
    "stddev_pop",
    "var",
    "var_pop",
];

/// Reads the arguments of an aggregate.
pub(super) fn of_aggregate(name: &str, arguments: &mut [Expr]) -> Result<()> {
    if !arguments.iter().any(is_open) {
        return Ok(());
    }
    let wanted = match name {
        name if OF_SEVERAL.contains(&name) => {
            return Err(Unresolved::Several.failure_of(name, &[Given::Unknown]).into());
        }
        "bool_and" | "bool_or" => DataType::Boolean,
        name if OF_DOUBLES.contains(&name) => DataType::Float64,
        _ => return Ok(()),
    };
    for argument in arguments.iter_mut().filter(|argument| is_open(argument)) {
        *argument = cast(std::mem::take(argument), wanted.clone());
    }
    Ok(())
}

/// Reads the arguments of a function that is one over windows alone.
pub(super) fn of_window(name: &str, arguments: &mut [Expr]) -> Result<()> {
    match (name, arguments) {
        ("ntile", [buckets]) => shifts::become_integer(buckets),
        // Beside another value it is of the type of that.
        ("lag" | "lead", [_, _, _]) => Ok(()),
        ("lag" | "lead" | "first_value" | "last_value" | "nth_value", [value, ..]) if is_open(value) => {
            Err(Unresolved::Indeterminate.failure_of(name, &[Given::Unknown]).into())
        }
        ("nth_value", [_, place]) => shifts::become_integer(place),
        _ => Ok(()),
    }
}

fn is_open(argument: &Expr) -> bool {
    matches!(argument, Expr::Literal(ScalarValue::Utf8(Some(_)) | ScalarValue::Null, _))
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use datafusion::logical_expr::{col, lit};

    use super::*;

    /// As PostgreSQL 15 takes them, and what it says where it refuses.
    #[test]
    fn arguments_are_what_functions_take() {
        let read = |name: &str, mut arguments: Vec<Expr>| of_aggregate(name, &mut arguments).map(|()| arguments);
        assert_eq!(read("bool_and", vec![lit("t")]).unwrap(), [cast(lit("t"), DataType::Boolean)]);
        assert_eq!(read("corr", vec![lit("1"), col("x")]).unwrap(), [cast(lit("1"), DataType::Float64), col("x")]);
        for kept in ["max", "count", "string_agg"] {
            assert_eq!(read(kept, vec![lit("a")]).unwrap(), [lit("a")], "{kept}");
        }
        assert_eq!(read("sum", vec![col("x")]).unwrap(), [col("x")]);
        for name in ["sum", "avg", "array_agg", "bit_or"] {
            let refused = read(name, vec![lit(ScalarValue::Null)]).unwrap_err().to_string();
            assert!(refused.contains(&format!("function {name}(unknown) is not unique")), "{refused}");
        }
        let over = |name: &str, mut arguments: Vec<Expr>| of_window(name, &mut arguments).map(|()| arguments);
        assert_eq!(over("ntile", vec![lit("2")]).unwrap(), [lit(2_i32)]);
        assert_eq!(over("nth_value", vec![col("x"), lit("1")]).unwrap(), [col("x"), lit(1_i32)]);
        assert_eq!(over("lag", vec![lit("a"), lit(1_i64), lit("b")]).unwrap().len(), 3);
        assert!(over("ntile", vec![lit("a")]).is_err() && over("lead", vec![lit("a")]).is_err());
    }
}
