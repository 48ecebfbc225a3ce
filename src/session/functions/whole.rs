//! `ceil` and `floor` of numerics are whole numbers, as in PostgreSQL.
//!
//! ```sql
//! SELECT ceil(99.99::numeric(4, 2)), floor(-99.99::numeric(4, 2))
//! ```
//!
//! The engine's keep the type of their operand, in which there is no 100, and look for the one value of a constant among the
//! rows of a batch, of which there may be none.

use std::sync::Arc;

use arrow::{
    array::{ArrayRef, AsArray},
    datatypes::{
        ArrowNativeType, ArrowNativeTypeOp, DataType, Decimal32Type, Decimal64Type, Decimal128Type, Decimal256Type,
        DecimalType,
    },
};
use datafusion::{
    common::{Result, ScalarValue},
    functions::math,
    logical_expr::{
        ColumnarValue, ScalarFunctionArgs, ScalarUDF, ScalarUDFImpl, Signature,
        interval_arithmetic::Interval,
        sort_properties::{ExprProperties, SortProperties},
    },
};

/// Both functions.
pub(super) fn functions() -> [ScalarUDF; 2] {
    let up = Whole { inner: math::ceil(), rounds_up: true, aliases: vec!["ceiling".to_owned()] };
    [up, Whole { inner: math::floor(), rounds_up: false, aliases: Vec::new() }].map(ScalarUDF::from)
}

#[derive(Debug, PartialEq, Eq, Hash)]
struct Whole {
    /// Of floats.
    inner: Arc<ScalarUDF>,
    rounds_up: bool,
    aliases: Vec<String>,
}

impl ScalarUDFImpl for Whole {
    fn name(&self) -> &str {
        self.inner.name()
    }

    fn aliases(&self) -> &[String] {
        &self.aliases
    }

    fn signature(&self) -> &Signature {
        self.inner.signature()
    }

    fn is_strict(&self) -> bool {
        true
    }

    fn return_type(&self, types: &[DataType]) -> Result<DataType> {
        match types.first().and_then(whole_type) {
            Some(whole) => Ok(whole),
            None => self.inner.return_type(types),
        }
    }

    fn output_ordering(&self, inputs: &[ExprProperties]) -> Result<SortProperties> {
        self.inner.output_ordering(inputs)
    }

    fn evaluate_bounds(&self, inputs: &[&Interval]) -> Result<Interval> {
        let types: Vec<DataType> = inputs.iter().map(|input| input.data_type()).collect();
        Interval::make_unbounded(&self.return_type(&types)?)
    }

    fn invoke_with_args(&self, call: ScalarFunctionArgs) -> Result<ColumnarValue> {
        match call.args.as_slice() {
            [ColumnarValue::Array(numbers)] if numbers.data_type().is_decimal() => {
                Ok(ColumnarValue::Array(self.whole(numbers)?))
            }
            [ColumnarValue::Scalar(number)] if number.data_type().is_decimal() => {
                let whole = self.whole(&number.to_array()?)?;
                Ok(ColumnarValue::Scalar(ScalarValue::try_from_array(&whole, 0)?))
            }
            _ => self.inner.invoke_with_args(call),
        }
    }
}

impl Whole {
    /// Numerics as whole ones.
    fn whole(&self, numbers: &ArrayRef) -> Result<ArrayRef> {
        let Some(whole) = whole_type(numbers.data_type()) else { return Ok(Arc::clone(numbers)) };
        match numbers.data_type() {
            DataType::Decimal32(_, scale) => self.of_type::<Decimal32Type>(numbers, *scale, whole),
            DataType::Decimal64(_, scale) => self.of_type::<Decimal64Type>(numbers, *scale, whole),
            DataType::Decimal128(_, scale) => self.of_type::<Decimal128Type>(numbers, *scale, whole),
            DataType::Decimal256(_, scale) => self.of_type::<Decimal256Type>(numbers, *scale, whole),
            _ => Ok(Arc::clone(numbers)),
        }
    }

    fn of_type<T: DecimalType>(&self, numbers: &ArrayRef, scale: i8, whole: DataType) -> Result<ArrayRef> {
        let ten = <T::Native as ArrowNativeType>::usize_as(10);
        let one = ten.pow_checked(u32::from(scale.unsigned_abs()))?;
        let rounded = numbers.as_primitive::<T>().unary::<_, T>(|number| {
            let (quotient, rest) = (number.div_wrapping(one), number.mod_wrapping(one));
            match self.rounds_up {
                true if rest.is_gt(T::Native::ZERO) => quotient.add_wrapping(T::Native::ONE),
                false if rest.is_lt(T::Native::ZERO) => quotient.sub_wrapping(T::Native::ONE),
                _ => quotient,
            }
        });
        Ok(Arc::new(rounded.with_data_type(whole)))
    }
}

/// The type of the whole numbers around those of a type that has digits behind the point: with those before it, and one more.
fn whole_type(numbers: &DataType) -> Option<DataType> {
    let digits = |digits: u8, scale: i8| (scale > 0).then(|| digits.saturating_sub(scale.unsigned_abs()) + 1);
    Some(match *numbers {
        DataType::Decimal32(all, scale) => DataType::Decimal32(digits(all, scale)?, 0),
        DataType::Decimal64(all, scale) => DataType::Decimal64(digits(all, scale)?, 0),
        DataType::Decimal128(all, scale) => DataType::Decimal128(digits(all, scale)?, 0),
        DataType::Decimal256(all, scale) => DataType::Decimal256(digits(all, scale)?, 0),
        _ => return None,
    })
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use arrow::{array::Decimal128Array, datatypes::Field};

    use super::*;

    fn called(function: &ScalarUDF, number: ColumnarValue, number_rows: usize) -> ColumnarValue {
        let data_type = number.data_type();
        let whole = function.return_type(std::slice::from_ref(&data_type)).unwrap();
        let call = ScalarFunctionArgs {
            args: vec![number],
            arg_fields: vec![Arc::new(Field::new("n", data_type, true))],
            number_rows,
            return_field: Arc::new(Field::new("whole", whole, true)),
            config_options: Arc::default(),
        };
        function.invoke_with_args(call).unwrap()
    }

    #[test]
    fn whole_numbers_have_room() {
        let [ceil, floor] = functions();
        let numbers =
            Decimal128Array::from(vec![9_999, -9_999, 150, -150, 100, 0]).with_precision_and_scale(4, 2).unwrap();
        let numbers = ColumnarValue::Array(Arc::new(numbers));
        for (function, expected) in [(ceil, [100, -99, 2, -1, 1, 0]), (floor, [99, -100, 1, -2, 1, 0])] {
            let whole = called(&function, numbers.clone(), 6).into_array(6).unwrap();
            assert_eq!(whole.data_type(), &DataType::Decimal128(3, 0));
            assert_eq!(whole.as_primitive::<Decimal128Type>().values().to_vec(), expected);
        }
    }

    #[test]
    fn a_constant_has_a_value_where_there_is_no_row() {
        for (function, expected) in functions().iter().zip([3, 2]) {
            let number = ColumnarValue::Scalar(ScalarValue::Decimal128(Some(250), 10, 2));
            let ColumnarValue::Scalar(whole) = called(function, number, 0) else { panic!("it is no scalar") };
            assert_eq!(whole, ScalarValue::Decimal128(Some(expected), 9, 0));
            let number = ColumnarValue::Scalar(ScalarValue::Decimal128(Some(250), 10, 0));
            let ColumnarValue::Scalar(same) = called(function, number, 0) else { panic!("it is no scalar") };
            assert_eq!(same, ScalarValue::Decimal128(Some(250), 10, 0));
        }
    }
}
