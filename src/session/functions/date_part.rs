//! `extract` is a numeric and `date_part` a double, as in PostgreSQL; of seconds both have the fraction.
//!
//! ```sql
//! SELECT extract(second FROM ts), date_part('day', ts) / 2 FROM (VALUES (timestamp '2024-01-05 10:00:09.5')) AS t (ts)
//! ```
//!
//! DataFusion has integers for both, which are divided as such, and leaves the fraction of a second out. Parts of intervals
//! are those of `interval_parts`.

use std::sync::Arc;

use arrow::{
    array::{ArrayRef, AsArray},
    compute::cast,
    datatypes::{DataType, Decimal128Type, Field, FieldRef, Float64Type, Int32Type},
};
use datafusion::{
    common::{Result, ScalarValue},
    functions::datetime::date_part,
    logical_expr::{
        ColumnarValue, Expr, ReturnFieldArgs, ScalarFunctionArgs, ScalarUDF, ScalarUDFImpl, Signature,
        preimage::PreimageResult, simplify::SimplifyContext,
    },
};

use super::interval_parts::{is_span, parts};

/// What `extract(… FROM …)` is written as.
pub(in crate::session) const EXTRACT: &str = "extract";

/// Both functions.
pub(super) fn functions() -> [ScalarUDF; 2] {
    [("date_part", false), (EXTRACT, true)]
        .map(|(name, is_numeric)| ScalarUDF::from(DatePart { name, is_numeric, inner: date_part() }))
}

#[derive(Debug, PartialEq, Eq, Hash)]
struct DatePart {
    name: &'static str,
    is_numeric: bool,
    inner: Arc<ScalarUDF>,
}

/// Parts that are asked for as microseconds, and how many places these have in them.
fn places_in_micros(part: &str) -> Option<i8> {
    match part {
        "s" | "sec" | "secs" | "second" | "seconds" => Some(6),
        "ms" | "msec" | "msecs" | "msecond" | "mseconds" | "millisecond" | "milliseconds" => Some(3),
        _ => None,
    }
}

/// The part that a constant names.
fn named(part: &ScalarValue) -> Option<String> {
    Some(part.try_as_str()??.trim_matches(['\'', '"']).to_lowercase())
}

impl DatePart {
    /// The type of a part of values of a type.
    fn type_of(&self, part: &str, value: &DataType) -> DataType {
        if !self.is_numeric {
            return DataType::Float64;
        }
        match (part, places_in_micros(part)) {
            (_, Some(places)) => DataType::Decimal128(10, places),
            // As many digits have the seconds of the longest span.
            ("epoch", _) if is_span(value) => DataType::Decimal128(25, 6),
            ("epoch", _) if *value == DataType::Date32 => DataType::Decimal128(20, 0),
            ("epoch", _) => DataType::Decimal128(20, 6),
            _ => DataType::Decimal128(20, 0),
        }
    }
}

impl ScalarUDFImpl for DatePart {
    fn name(&self) -> &str {
        self.name
    }

    fn aliases(&self) -> &[String] {
        if self.is_numeric { &[] } else { self.inner.aliases() }
    }

    fn signature(&self) -> &Signature {
        self.inner.signature()
    }

    fn return_type(&self, arguments: &[DataType]) -> Result<DataType> {
        self.inner.return_type(arguments)
    }

    fn return_field_from_args(&self, arguments: ReturnFieldArgs) -> Result<FieldRef> {
        let part = arguments.scalar_arguments.first().and_then(|part| named((*part)?)).unwrap_or_default();
        let value = arguments.arg_fields.get(1).map_or(DataType::Null, |field| field.data_type().clone());
        // It refuses what is no constant.
        let field = self.inner.return_field_from_args(arguments)?;
        Ok(Arc::new(Field::new(self.name, self.type_of(&part, &value), field.is_nullable())))
    }

    fn invoke_with_args(&self, mut call: ScalarFunctionArgs) -> Result<ColumnarValue> {
        let result = call.return_type().clone();
        let part = match call.args.first() {
            Some(ColumnarValue::Scalar(part)) => named(part),
            _ => None,
        };
        if let (Some(part), Some(spans)) = (&part, call.args.get(1))
            && is_span(&spans.data_type())
        {
            return Ok(match spans {
                ColumnarValue::Array(spans) => ColumnarValue::Array(parts(spans, part, &result)?),
                ColumnarValue::Scalar(span) => {
                    let part = parts(&span.to_array()?, part, &result)?;
                    ColumnarValue::Scalar(ScalarValue::try_from_array(&part, 0)?)
                }
            });
        }
        let places = part.as_deref().and_then(places_in_micros);
        if let (Some(_), Some(part)) = (places, call.args.first_mut()) {
            *part = ColumnarValue::Scalar(ScalarValue::from("microsecond"));
        }
        // The function itself holds what it returns against the type that this one promised.
        let parts = self.inner.inner().invoke_with_args(call)?;
        Ok(match parts {
            ColumnarValue::Array(parts) => ColumnarValue::Array(typed(&parts, places, &result)?),
            ColumnarValue::Scalar(part) => {
                let part = typed(&part.to_array()?, places, &result)?;
                ColumnarValue::Scalar(ScalarValue::try_from_array(&part, 0)?)
            }
        })
    }

    fn preimage(&self, arguments: &[Expr], value: &Expr, context: &SimplifyContext) -> Result<PreimageResult> {
        let Expr::Literal(number, metadata) = value else { return Ok(PreimageResult::None) };
        let whole = number.cast_to(&DataType::Int32);
        match whole {
            Ok(whole) if whole.cast_to(&number.data_type()).is_ok_and(|same| same == *number) => {
                self.inner.inner().preimage(arguments, &Expr::Literal(whole, metadata.clone()), context)
            }
            _ => Ok(PreimageResult::None),
        }
    }
}

/// Parts, or microseconds of which so many digits are decimal places, as values of a type.
fn typed(parts: &ArrayRef, places: Option<i8>, data_type: &DataType) -> Result<ArrayRef> {
    let (Some(places), DataType::Int32) = (places, parts.data_type()) else { return Ok(cast(parts, data_type)?) };
    let micros = parts.as_primitive::<Int32Type>();
    Ok(match data_type {
        DataType::Decimal128(digits, scale) => {
            let parts = micros.unary::<_, Decimal128Type>(i128::from);
            Arc::new(parts.with_precision_and_scale(*digits, *scale)?)
        }
        _ => {
            let unit = 10_f64.powi(i32::from(places));
            Arc::new(micros.unary::<_, Float64Type>(|micros| f64::from(micros) / unit))
        }
    })
}
