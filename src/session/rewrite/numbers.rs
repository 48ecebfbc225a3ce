//! Numbers with an exponent, written out: `1e3` is the numeric 1000.
//!
//! ```sql
//! SELECT 1e3 + 0.1, 1e300::float8, 1.5e-7
//! ```
//!
//! The planner's numerics of many digits before the point have a negative scale, with which nothing else reckons. One that no
//! numeric holds is a call of [`LONG_NUMBER`].

use std::ops::ControlFlow;

use datafusion::sql::sqlparser::ast::{
    CastKind, DataType, Expr, FunctionArg, TableFactor, UnaryOperator, Value, visit_expressions_mut,
};

use super::{call, null};
use crate::{Result, pgtype::MAX_NUMERIC_DIGITS, planning::LONG_NUMBER};

/// Whole numbers that a series in FROM is between are integers, if they have room in one.
pub(super) fn of_series(item: &mut TableFactor) -> Result<()> {
    let (name, arguments): (_, &mut Vec<FunctionArg>) = match item {
        TableFactor::Table { name, args: Some(arguments), .. } => (name, &mut arguments.args),
        TableFactor::Function { name, args, .. } => (name, args),
        _ => return Ok(()),
    };
    let word = name.0.last().and_then(|part| part.as_ident()).map(|word| word.value.to_lowercase());
    if !matches!(word.as_deref(), Some("generate_series" | "range")) {
        return Ok(());
    }
    let _ = visit_expressions_mut(arguments, |step| {
        let is_integer = |digits: &str| digits.replace('_', "").parse::<i32>().is_ok();
        if matches!(step, Expr::Value(value) if matches!(&value.value, Value::Number(digits, _) if is_integer(digits)))
        {
            let expr = Box::new(std::mem::replace(step, null()));
            let (kind, data_type) = (CastKind::DoubleColon, DataType::Integer(None));
            *step = Expr::Cast { kind, expr, data_type, array: false, format: None };
        }
        ControlFlow::<()>::Continue(())
    });
    Ok(())
}

/// The digits of the least bigint, which are no bigint without their sign.
const LEAST: &str = "9223372036854775808";

/// The least bigint is one, as it is written.
fn least(operand: &Expr) -> Option<Expr> {
    match operand {
        Expr::Nested(operand) => least(operand),
        Expr::Value(value) if matches!(&value.value, Value::Number(digits, _) if digits.trim_end_matches('.') == LEAST) =>
        {
            let mut text = value.clone();
            text.value = Value::SingleQuotedString(format!("-{LEAST}"));
            let (kind, data_type) = (CastKind::DoubleColon, DataType::BigInt(None));
            Some(Expr::Cast { kind, expr: Box::new(Expr::Value(text)), data_type, array: false, format: None })
        }
        _ => None,
    }
}

pub(super) fn rewrite(expression: &mut Expr) -> Result<()> {
    if let Expr::UnaryOp { op: UnaryOperator::Minus, expr } = expression {
        if let Some(least) = least(expr) {
            *expression = least;
        }
        return Ok(());
    }
    let Expr::Value(value) = expression else { return Ok(()) };
    let Value::Number(written, _) = &value.value else { return Ok(()) };
    let digits = written.replace('_', "");
    if digits.parse::<i64>().is_ok() {
        return Ok(());
    }
    match plain(&digits) {
        Some(plain) => value.value = Value::Number(plain, false),
        None => {
            let mut text = value.clone();
            text.value = Value::SingleQuotedString(digits);
            *expression = call(LONG_NUMBER, vec![Expr::Value(text)]);
        }
    }
    Ok(())
}

/// The number without an exponent, and with a point if it is none of eight bytes; none if it has too many digits.
fn plain(written: &str) -> Option<String> {
    let (mantissa, exponent) = written.split_once(['e', 'E']).unwrap_or((written, "0"));
    let exponent: i64 = exponent.parse().ok()?;
    let (whole, fraction) = mantissa.split_once('.').unwrap_or((mantissa, ""));
    let digits = format!("{whole}{fraction}");
    // Digits before the point.
    let point = i64::try_from(whole.len()).ok()?.checked_add(exponent)?;
    let most = i64::try_from(MAX_NUMERIC_DIGITS).ok()?;
    let places = (i64::try_from(digits.len()).ok()? - point).max(0);
    let leading = i64::try_from(digits.len() - digits.trim_start_matches('0').len()).ok()?;
    let is_zero = digits.bytes().all(|digit| digit == b'0');
    if is_zero && point > 0 && places <= most {
        return Some(format!("0.{}", "0".repeat(usize::try_from(places).ok()?)));
    }
    if places > most || (!is_zero && (point - leading).max(0) + places > most) || point > 2 * most {
        return None;
    }
    let zeros = |count: i64| "0".repeat(usize::try_from(count).unwrap_or(0));
    let count = i64::try_from(digits.len()).ok()?;
    let plain = match point {
        point if point <= 0 => format!("0.{}{digits}", zeros(-point)),
        point if point >= count => format!("{digits}{}.", zeros(point - count)),
        point => {
            let (whole, fraction) = digits.split_at(usize::try_from(point).ok()?);
            format!("{whole}.{fraction}")
        }
    };
    Some(plain)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn exponents_are_written_out() {
        for (written, expected) in [
            ("1e3", Some("1000.")),
            ("1.5e3", Some("1500.")),
            ("1.5e-3", Some("0.0015")),
            ("12.5e-1", Some("1.25")),
            ("1.25", Some("1.25")),
            (".5", Some("0.5")),
            ("5.", Some("5.")),
            ("0.00", Some("0.00")),
            ("12345678901234567890123", Some("12345678901234567890123.")),
            ("0e500", Some("0.")),
            ("0e-5", Some("0.00000")),
            ("0e-500", None),
            ("1e76", None),
            ("1e400", None),
            ("1e-400", None),
        ] {
            assert_eq!(plain(written).as_deref(), expected, "{written}");
        }
    }
}
