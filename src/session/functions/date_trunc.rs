//! `date_trunc` of any year.
//!
//! ```sql
//! SELECT date_trunc('year', TIMESTAMP '9999-12-31 18:00:00')
//! ```
//!
//! The engine's counts nanoseconds whatever the unit, of which 64 bits hold the years 1678 to 2261. The calendar repeats itself
//! every 400 years, weekdays included, so that a far timestamp is cut off in a near year.

use std::sync::Arc;

use arrow::{
    array::{ArrayRef, AsArray, Int64Array},
    compute::cast,
    datatypes::{DataType, FieldRef, Int64Type, TimeUnit},
};
use datafusion::{
    common::{Result, ScalarValue, config::ConfigOptions, plan_err, utils::take_function_args},
    functions::datetime::date_trunc,
    logical_expr::{
        ColumnarValue, ReturnFieldArgs, ScalarFunctionArgs, ScalarUDF, ScalarUDFImpl, Signature, Volatility,
        sort_properties::{ExprProperties, SortProperties},
    },
};

use crate::{Error, Fault, print::a_day};

/// The function.
pub(super) fn function() -> ScalarUDF {
    in_zone("UTC".into())
}

fn in_zone(session: Arc<str>) -> ScalarUDF {
    ScalarUDF::from(DateTrunc {
        session,
        inner: date_trunc(),
        signature: Signature::user_defined(Volatility::Immutable),
    })
}

#[derive(Debug, PartialEq, Eq, Hash)]
struct DateTrunc {
    /// The zone whose days and hours begin.
    session: Arc<str>,
    inner: Arc<ScalarUDF>,
    signature: Signature,
}

impl ScalarUDFImpl for DateTrunc {
    fn name(&self) -> &str {
        self.inner.name()
    }

    fn aliases(&self) -> &[String] {
        self.inner.aliases()
    }

    fn signature(&self) -> &Signature {
        &self.signature
    }

    fn with_updated_config(&self, config: &ConfigOptions) -> Option<ScalarUDF> {
        config.execution.time_zone.as_deref().map(|zone| in_zone(zone.into()))
    }

    fn coerce_types(&self, arguments: &[DataType]) -> Result<Vec<DataType>> {
        let [field, value] = take_function_args(self.name(), arguments)?;
        if !field.is_string() {
            return plan_err!("date_trunc takes the name of a field and a timestamp, not {field} and {value}");
        }
        let value = match value {
            DataType::Timestamp(unit, Some(_)) => DataType::Timestamp(*unit, Some(Arc::clone(&self.session))),
            DataType::Timestamp(_, None) | DataType::Time32(_) | DataType::Time64(_) => value.clone(),
            value if value.is_string() || matches!(value, DataType::Date32 | DataType::Date64 | DataType::Null) => {
                DataType::Timestamp(TimeUnit::Microsecond, None)
            }
            other => return plan_err!("date_trunc is of a timestamp, a date or a time, not of {other}"),
        };
        Ok(vec![field.clone(), value])
    }

    fn return_type(&self, arguments: &[DataType]) -> Result<DataType> {
        let [_, value] = take_function_args(self.name(), arguments)?;
        Ok(value.clone())
    }

    fn return_field_from_args(&self, arguments: ReturnFieldArgs) -> Result<FieldRef> {
        self.inner.return_field_from_args(arguments)
    }

    fn output_ordering(&self, input: &[ExprProperties]) -> Result<SortProperties> {
        self.inner.output_ordering(input)
    }

    fn invoke_with_args(&self, mut call: ScalarFunctionArgs) -> Result<ColumnarValue> {
        let [_, value] = take_function_args(self.name(), &call.args)?;
        let DataType::Timestamp(unit, _) = value.data_type() else { return self.inner.invoke_with_args(call) };
        let Some(cycle) = cycle(unit) else { return self.inner.invoke_with_args(call) };
        let values = match value {
            ColumnarValue::Array(values) => Arc::clone(values),
            ColumnarValue::Scalar(value) => value.to_array()?,
        };
        let numbers = cast(&values, &DataType::Int64)?;
        let numbers = numbers.as_primitive::<Int64Type>();
        // From 1970 on 250 years are near in both directions; what is far moves by cycles to 200 years at most.
        let is_near = |number: i64| number.unsigned_abs() < cycle.unsigned_abs() / 400 * 250;
        // What stands beneath a NULL may be any number.
        if numbers.values().iter().copied().all(is_near) {
            return self.inner.invoke_with_args(call);
        }
        let is_scalar = matches!(value, ColumnarValue::Scalar(_));
        let cycles = |number: i64| match is_near(number) {
            true => 0,
            false => (i128::from(number) + i128::from(cycle / 2)).div_euclid(i128::from(cycle)),
        };
        let near = |number: i64| (i128::from(number) - cycles(number) * i128::from(cycle)) as i64;
        let moved: Int64Array = numbers.iter().map(|number| number.map(near)).collect();
        let data_type = values.data_type().clone();
        call.args[1] = ColumnarValue::Array(cast(&moved, &data_type)?);
        let cut = cast(&self.inner.invoke_with_args(call)?.into_array(numbers.len())?, &DataType::Int64)?;
        let back = |(cut, number): (Option<i64>, Option<i64>)| -> Result<Option<i64>> {
            let (Some(cut), Some(number)) = (cut, number) else { return Ok(None) };
            let there = i128::from(cut) + cycles(number) * i128::from(cycle);
            let out_of_range = |_| Error::new(Fault::DatetimeOutOfRange, "timestamp out of range");
            Ok(Some(i64::try_from(there).map_err(out_of_range)?))
        };
        let cut = cut.as_primitive::<Int64Type>().iter().zip(numbers).map(back).collect::<Result<Int64Array>>()?;
        let cut: ArrayRef = cast(&cut, &data_type)?;
        match is_scalar {
            true => Ok(ColumnarValue::Scalar(ScalarValue::try_from_array(&cut, 0)?)),
            false => Ok(ColumnarValue::Array(cut)),
        }
    }
}

/// 400 years in a unit, if its numbers reach beyond the years of nanoseconds.
fn cycle(unit: TimeUnit) -> Option<i64> {
    (unit != TimeUnit::Nanosecond).then(|| 146_097 * a_day(unit))
}
