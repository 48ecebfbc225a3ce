//! Keys that frames reckon distances from, in types that hold each key with a distance added or taken away.
//!
//! The engine makes the distance of `RANGE BETWEEN 1.25 PRECEDING AND CURRENT ROW` a value of the key's type: over numerics
//! with one decimal place it was 1.3. Where a key and a distance come to more than the type holds, it lets the frame go on to
//! the last row, and took in those whose key is NULL; and to reals it adds as reals, where PostgreSQL adds doubles. A wider
//! type has the same order, so that nothing else changes.
//!
//! A distance from a date or a timestamp that is before or after all others is refused: the engine reckons it from the number
//! that such a one has.
//!
//! Frames of bytes, and of times of day with zones, have no distances, and the engine has no RANGE of them: it is GROUPS there.

use std::sync::Arc;

use arrow::{
    array::{ArrayRef, AsArray},
    datatypes::{
        DECIMAL128_MAX_PRECISION, DECIMAL256_MAX_PRECISION, DataType, Date32Type, TimeUnit, TimestampMicrosecondType,
    },
};
use datafusion::{
    common::{Result, ScalarValue, tree_node::Transformed, utils::take_function_args},
    logical_expr::{
        Cast, ColumnarValue, Expr, LogicalPlan, ScalarFunctionArgs, ScalarUDF, ScalarUDFImpl, Signature, Volatility,
        WindowFrame, WindowFrameBound, WindowFrameUnits,
    },
};

use super::{columnar::made_of, number_types::digits_of, steps};
use crate::{
    fault::{Failure, Fault},
    pgtype::calendar::{is_infinite, is_infinite_date},
};

/// Of whole numbers of 64 bits, with or without a sign, and of a sum of two.
const WHOLE: DataType = DataType::Decimal128(20, 0);

/// The plan, whose frames have their distances as they are written. Its keys have their types once they are settled.
pub(super) fn widened(plan: LogicalPlan, settled_type: impl Fn(&Expr) -> Result<DataType>) -> Result<LogicalPlan> {
    let plan = by_groups(plan, &settled_type)?;
    let plan = from_finite(plan, &settled_type)?;
    let Some((key, distances)) = reckoned(&plan) else { return Ok(plan) };
    let from = settled_type(&key)?;
    let Some(to) = wide(&from, &distances) else { return Ok(plan) };
    let widening = Widening { key, from, to };
    let plan = steps::keep_names(plan, |call| Ok(Transformed::yes(widening.of_call(call))))?;
    Ok(plan.data)
}

/// The plan with frames of groups where those of ranges are without a distance, over keys of bytes.
fn by_groups(plan: LogicalPlan, settled_type: impl Fn(&Expr) -> Result<DataType>) -> Result<LogicalPlan> {
    let LogicalPlan::Window(window) = &plan else { return Ok(plan) };
    let mut is_of_bytes = false;
    for call in &window.window_expr {
        if let Some((key, frame)) = ordered(call)
            && frame.units == WindowFrameUnits::Range
            && [&frame.start_bound, &frame.end_bound].into_iter().all(|bound| text_of(bound).is_none())
        {
            use DataType::{Binary, BinaryView, FixedSizeBinary, LargeBinary};
            is_of_bytes |= matches!(settled_type(key)?, Binary | LargeBinary | BinaryView | FixedSizeBinary(_));
        }
    }
    if !is_of_bytes {
        return Ok(plan);
    }
    Ok(steps::keep_names(plan, |call| Ok(Transformed::yes(of_groups(call))))?.data)
}

fn of_groups(call: Expr) -> Expr {
    match call {
        Expr::Alias(mut alias) => {
            *alias.expr = of_groups(std::mem::take(alias.expr.as_mut()));
            Expr::Alias(alias)
        }
        Expr::WindowFunction(mut function) => {
            function.params.window_frame.units = WindowFrameUnits::Groups;
            Expr::WindowFunction(function)
        }
        other => other,
    }
}

/// The plan whose frames reckon distances from no infinite dates and timestamps.
fn from_finite(plan: LogicalPlan, settled_type: impl Fn(&Expr) -> Result<DataType>) -> Result<LogicalPlan> {
    let LogicalPlan::Window(window) = &plan else { return Ok(plan) };
    let mut key = None;
    for call in &window.window_expr {
        if let Some((ordered_by, frame)) = ordered(call)
            && frame.units == WindowFrameUnits::Range
            && [&frame.start_bound, &frame.end_bound].into_iter().any(|bound| text_of(bound).is_some())
            && matches!(settled_type(ordered_by)?, DataType::Date32 | DataType::Timestamp(TimeUnit::Microsecond, _))
        {
            key = Some(ordered_by.clone());
        }
    }
    let Some(key) = key else { return Ok(plan) };
    Ok(steps::keep_names(plan, |call| Ok(Transformed::yes(of_finite(call, &key))))?.data)
}

fn of_finite(call: Expr, key: &Expr) -> Expr {
    match call {
        Expr::Alias(mut alias) => {
            *alias.expr = of_finite(std::mem::take(alias.expr.as_mut()), key);
            Expr::Alias(alias)
        }
        Expr::WindowFunction(mut function) => {
            if let Some(first) = function.params.order_by.first_mut().filter(|first| first.expr == *key) {
                let moment = std::mem::take(&mut first.expr).unalias();
                let finite = Finite { signature: Signature::any(1, Volatility::Immutable) };
                first.expr = ScalarUDF::new_from_impl(finite).call(vec![moment]);
            }
            Expr::WindowFunction(function)
        }
        other => other,
    }
}

/// A date or a timestamp that is neither before nor after all others.
#[derive(Debug, PartialEq, Eq, Hash)]
struct Finite {
    signature: Signature,
}

impl ScalarUDFImpl for Finite {
    fn name(&self) -> &str {
        "finite_key"
    }

    fn signature(&self) -> &Signature {
        &self.signature
    }

    fn return_type(&self, types: &[DataType]) -> Result<DataType> {
        let [key] = take_function_args(self.name(), types)?;
        Ok(key.clone())
    }

    fn invoke_with_args(&self, call: ScalarFunctionArgs) -> Result<ColumnarValue> {
        let [key] = take_function_args(self.name(), call.args)?;
        made_of(&key, finite)
    }
}

fn finite(keys: &ArrayRef) -> Result<ArrayRef> {
    let has_infinite = match keys.data_type() {
        DataType::Date32 => keys.as_primitive::<Date32Type>().iter().flatten().any(is_infinite_date),
        DataType::Timestamp(TimeUnit::Microsecond, _) => {
            keys.as_primitive::<TimestampMicrosecondType>().iter().flatten().any(is_infinite)
        }
        _ => false,
    };
    if has_infinite {
        let message = "a RANGE with a distance over infinite dates or timestamps is not supported";
        let message = format!("{message}; leave them out with isfinite()");
        return Err(Failure::new(Fault::FeatureNotSupported, message).into());
    }
    Ok(Arc::clone(keys))
}

/// The key that frames of a window reckon from, and how far.
fn reckoned(plan: &LogicalPlan) -> Option<(Expr, Vec<Distance>)> {
    let LogicalPlan::Window(window) = plan else { return None };
    // The calls of a window have the same keys, and keep having them.
    let mut distances: Vec<Distance> = Vec::new();
    let mut key = None;
    for call in &window.window_expr {
        let Some((ordered_by, frame)) = ordered(call) else { continue };
        let written = [&frame.start_bound, &frame.end_bound].into_iter().filter_map(text_of);
        for text in written.filter(|_| frame.units == WindowFrameUnits::Range) {
            distances.push(Distance::read(text)?);
            key = Some(ordered_by.clone());
        }
    }
    Some((key?, distances))
}

/// The first key of a call, which is the only one where distances are reckoned, and its frame.
fn ordered(call: &Expr) -> Option<(&Expr, &WindowFrame)> {
    match call {
        Expr::Alias(alias) => ordered(&alias.expr),
        Expr::WindowFunction(function) => {
            Some((&function.params.order_by.first()?.expr, &function.params.window_frame))
        }
        _ => None,
    }
}

/// A distance of a RANGE is a text until types are settled.
fn text_of(bound: &WindowFrameBound) -> Option<&str> {
    match bound {
        WindowFrameBound::Preceding(ScalarValue::Utf8(text)) | WindowFrameBound::Following(ScalarValue::Utf8(text)) => {
            text.as_deref()
        }
        _ => None,
    }
}

/// What becomes of the key of a window's calls.
struct Widening {
    key: Expr,
    from: DataType,
    to: DataType,
}

impl Widening {
    fn of_call(&self, call: Expr) -> Expr {
        match call {
            Expr::Alias(mut alias) => {
                *alias.expr = self.of_call(std::mem::take(alias.expr.as_mut()));
                Expr::Alias(alias)
            }
            Expr::WindowFunction(mut function) => {
                let keys = &mut function.params.order_by;
                if let Some(first) = keys.first_mut().filter(|first| first.expr == self.key && self.from != self.to) {
                    let narrow = std::mem::take(&mut first.expr).unalias();
                    first.expr = Expr::Cast(Cast::new(Box::new(narrow), self.to.clone()));
                }
                let frame = &mut function.params.window_frame;
                if frame.units == WindowFrameUnits::Range && self.to.is_decimal() {
                    spell_out(&mut frame.start_bound);
                    spell_out(&mut frame.end_bound);
                }
                Expr::WindowFunction(function)
            }
            other => other,
        }
    }
}

/// Writes a distance without an exponent, which casts to numerics do not know.
fn spell_out(bound: &mut WindowFrameBound) {
    let Some(distance) = text_of(bound).and_then(Distance::read) else { return };
    let text = ScalarValue::from(distance.to_string());
    match bound {
        WindowFrameBound::Preceding(value) | WindowFrameBound::Following(value) => *value = text,
        WindowFrameBound::CurrentRow => {}
    }
}

/// The type of a key that holds what a frame reckons, if the key is a number that distances of this kind are taken from.
fn wide(key: &DataType, distances: &[Distance]) -> Option<DataType> {
    use DataType::{
        Decimal32, Decimal64, Decimal128, Decimal256, Float16, Float32, Float64, Int8, Int16, Int32, Int64, UInt8,
        UInt16, UInt32, UInt64,
    };
    match key {
        Float16 | Float32 => Some(Float64),
        Int8 | Int16 | Int32 | UInt8 | UInt16 | UInt32 => {
            let mut furthest = 0;
            for distance in distances {
                furthest = distance.whole_number()?.max(furthest);
            }
            Some(if furthest <= i64::MAX - i64::from(u32::MAX) { Int64 } else { WHOLE })
        }
        Int64 | UInt64 => distances.iter().all(|distance| distance.whole_number().is_some()).then_some(WHOLE),
        Decimal32(..) | Decimal64(..) | Decimal128(..) | Decimal256(..) => {
            let (digits, places) = digits_of(key)?;
            let mut whole = digits - places;
            let mut fraction = places;
            for distance in distances {
                whole = whole.max(i16::try_from(distance.whole.len()).ok()?);
                fraction = fraction.max(i16::try_from(distance.fraction.len()).ok()?);
            }
            numeric(whole + fraction, fraction)
        }
        _ => None,
    }
}

/// A numeric of so many digits, in whose bytes there is place for the sum of two.
fn numeric(digits: i16, places: i16) -> Option<DataType> {
    let (digits, places) = (u8::try_from(digits).ok()?, i8::try_from(places).ok()?);
    if digits < DECIMAL128_MAX_PRECISION {
        return Some(DataType::Decimal128(digits, places));
    }
    (digits <= DECIMAL256_MAX_PRECISION).then_some(DataType::Decimal256(digits, places))
}

/// A number as it is written, without the zeros at its ends.
#[derive(Debug)]
struct Distance {
    whole: String,
    fraction: String,
    /// Without a point and an exponent, as whole numbers are.
    is_plain: bool,
}

impl Distance {
    /// Of `15`, `1.5`, `.5` and `15e-1`.
    fn read(text: &str) -> Option<Self> {
        let (mantissa, exponent) = text.split_once(['e', 'E']).unwrap_or((text, "0"));
        let (whole, fraction) = mantissa.split_once('.').unwrap_or((mantissa, ""));
        let digits = format!("{whole}{fraction}");
        if digits.is_empty() || !digits.bytes().all(|digit| digit.is_ascii_digit()) {
            return None;
        }
        let most = usize::from(DECIMAL256_MAX_PRECISION);
        let exponent: isize = exponent.parse().ok().filter(|exponent: &isize| exponent.unsigned_abs() <= most)?;
        // Where the point is, once there are zeros enough.
        let point = isize::try_from(whole.len()).ok()? + exponent;
        let before = usize::try_from(-point).unwrap_or(0);
        let point = usize::try_from(point).unwrap_or(0);
        let digits = format!("{}{digits}", "0".repeat(before));
        let digits = format!("{digits:0<point$}");
        let (whole, fraction) = digits.split_at(point);
        Some(Self {
            whole: whole.trim_start_matches('0').to_owned(),
            fraction: fraction.trim_end_matches('0').to_owned(),
            is_plain: text.bytes().all(|digit| digit.is_ascii_digit()),
        })
    }

    /// The distance, if it can be one of whole numbers: 1.0 is a numeric.
    fn whole_number(&self) -> Option<i64> {
        match (self.is_plain, self.whole.as_str()) {
            (false, _) => None,
            (true, "") => Some(0),
            (true, whole) => whole.parse().ok(),
        }
    }
}

impl std::fmt::Display for Distance {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let whole = if self.whole.is_empty() { "0" } else { &self.whole };
        match self.fraction.as_str() {
            "" => formatter.write_str(whole),
            fraction => write!(formatter, "{whole}.{fraction}"),
        }
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use arrow::array::Date32Array;

    use super::*;

    #[test]
    fn nothing_is_reckoned_from_infinite_keys() {
        let days = |days: Vec<Option<i32>>| finite(&(Arc::new(Date32Array::from(days)) as ArrayRef));
        assert!(days(vec![Some(0), None, Some(i32::MAX - 1)]).is_ok());
        for infinite in [i32::MIN, i32::MAX] {
            let told = days(vec![Some(0), Some(infinite)]).unwrap_err().to_string();
            assert!(told.contains("infinite dates"), "{told}");
        }
    }

    #[test]
    fn distances_are_read_as_they_are_written() {
        for (text, spelt_out, whole_number) in [
            ("0", "0", Some(0)),
            ("15", "15", Some(15)),
            ("007", "7", Some(7)),
            ("1.50", "1.5", None),
            ("2.0", "2", None),
            (".5", "0.5", None),
            ("5.", "5", None),
            ("1e3", "1000", None),
            ("12.5E-3", "0.0125", None),
            ("1.25e1", "12.5", None),
            ("9223372036854775807", "9223372036854775807", Some(i64::MAX)),
            ("9223372036854775808", "9223372036854775808", None),
        ] {
            let distance = Distance::read(text).unwrap();
            assert_eq!((distance.to_string(), distance.whole_number()), (spelt_out.to_owned(), whole_number), "{text}");
        }
        for text in ["", ".", "-1", "1 day", "e5", "1e", "1e999999999", "NaN", "1.5.2", "٣"] {
            assert!(Distance::read(text).is_none(), "{text}");
        }
    }

    #[test]
    fn keys_hold_what_is_reckoned_from_them() {
        use DataType::{Date32, Decimal128, Decimal256, Float32, Float64, Int16, Int32, Int64, UInt64};
        let of = |key: DataType, texts: &[&str]| {
            let distances: Vec<_> = texts.iter().map(|text| Distance::read(text).unwrap()).collect();
            wide(&key, &distances)
        };
        assert_eq!(of(Int16, &["40000"]), Some(Int64));
        assert_eq!(of(Int32, &["1", "9223372036854775807"]), Some(WHOLE));
        assert_eq!(of(Int64, &["1"]), Some(WHOLE));
        assert_eq!(of(UInt64, &["1"]), Some(WHOLE));
        assert_eq!(of(Int32, &["1.5"]), None);
        assert_eq!(of(Int64, &["2.0"]), None);
        assert_eq!(of(Decimal128(8, 1), &["1.25"]), Some(Decimal128(9, 2)));
        assert_eq!(of(Decimal128(8, 1), &["1", "1000000000"]), Some(Decimal128(11, 1)));
        assert_eq!(of(Decimal128(8, 1), &["1"]), Some(Decimal128(8, 1)));
        assert_eq!(of(Decimal128(38, 10), &["1"]), Some(Decimal256(38, 10)));
        assert_eq!(of(Decimal128(38, 0), &["1e-38"]), Some(Decimal256(76, 38)));
        assert_eq!(of(Decimal128(38, 0), &["1e-39"]), None);
        assert_eq!(of(Float32, &["0.2"]), Some(Float64));
        assert_eq!(of(Date32, &["1"]), None);
    }
}
