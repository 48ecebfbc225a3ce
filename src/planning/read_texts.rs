//! Texts become dates, times, timestamps, intervals, numerics and floats as PostgreSQL reads them: by a function in the place of
//! the engine's cast, which knows few of their forms and has others, and makes an infinity of a number that no float is near.

use std::sync::Arc;

use arrow::{
    array::{
        ArrayRef, AsArray, Decimal128Array, Decimal256Array, FixedSizeBinaryArray, Float32Array, Float64Array,
        Int64Array, IntervalMonthDayNanoArray, StringArray,
    },
    compute::cast,
    datatypes::{
        DataType, Decimal128Type, Decimal256Type, DecimalType, Field, FieldRef, IntervalMonthDayNano, IntervalUnit,
        i256,
    },
};
use datafusion::{
    common::{Result, ScalarValue, utils::take_function_args},
    logical_expr::{
        ColumnarValue, Expr, ReturnFieldArgs, ScalarFunctionArgs, ScalarUDF, ScalarUDFImpl, Signature, Volatility,
    },
};

use super::columnar::{called_as_operand, made_of};
use crate::{
    fault::{Failure, Fault},
    pgtype::{
        self, ANY_NUMERIC, Fields, InSession, MAX_NUMERIC_DIGITS, NoNumber, Styles, Unfit, Written, ZONED_TIME,
        ZonedTime,
    },
};

/// What texts are read as.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub(super) struct Reading {
    /// An interval, or a date, a time, a timestamp, a numeric or a float of this type.
    pub(super) to: DataType,
    /// The zone of the session.
    pub(super) zone: Arc<str>,
    /// The styles of its dates and intervals.
    pub(super) styles: Styles,
    /// What is none is NULL.
    pub(super) is_lenient: bool,
}

/// Whether texts are read as values of this type here.
pub(super) fn is_read(data_type: &DataType) -> bool {
    use DataType::{Date32, Interval, Time32, Time64, Timestamp};
    matches!(data_type, Date32 | Time32(_) | Time64(_) | Timestamp(..))
        || [Interval(IntervalUnit::MonthDayNano), ZONED_TIME].contains(data_type)
        || is_number(data_type)
}

pub(super) fn is_number(data_type: &DataType) -> bool {
    use DataType::{Decimal128, Decimal256, Float32, Float64};
    matches!(data_type, Decimal128(..) | Decimal256(..) | Float32 | Float64)
}

/// The value of a text, under the name of the text.
pub(super) fn read_as(text: Expr, reading: Reading) -> Expr {
    ScalarUDF::new_from_impl(ReadText { reading, signature: Signature::any(1, Volatility::Immutable) }).call(vec![text])
}

/// What is told of a text that is no value of a type.
pub(crate) fn unfit(text: &str, data_type: &DataType, why: Unfit) -> Failure {
    let name = pgtype::type_name(data_type);
    match why {
        Unfit::Syntax => {
            Failure::new(Fault::InvalidDatetime, format!("invalid input syntax for type {name}: \"{text}\""))
        }
        Unfit::Field => {
            Failure::new(Fault::DatetimeOutOfRange, format!("date/time field value out of range: \"{text}\""))
        }
        Unfit::IntervalField => {
            Failure::new(Fault::IntervalOutOfRange, format!("interval field value out of range: \"{text}\""))
        }
        Unfit::Range if matches!(data_type, DataType::Interval(_)) => {
            Failure::new(Fault::DatetimeOutOfRange, "interval out of range")
        }
        Unfit::Range => {
            let name = if *data_type == DataType::Date32 { "date" } else { "timestamp" };
            Failure::new(Fault::DatetimeOutOfRange, format!("{name} out of range: \"{text}\""))
        }
        Unfit::Displacement => {
            Failure::new(Fault::ZoneOutOfRange, format!("time zone displacement out of range: \"{text}\""))
        }
        Unfit::Zone(zone) => Failure::new(Fault::InvalidArgument, format!("time zone \"{zone}\" not recognized")),
    }
}

/// What is told of a text that is no number of a type.
pub(crate) fn no_number(text: &str, data_type: &DataType, why: NoNumber) -> Failure {
    let name = pgtype::of(data_type).pg.word(None);
    match why {
        NoNumber::Syntax => {
            Failure::new(Fault::InvalidText, format!("invalid input syntax for type {name}: \"{text}\""))
        }
        NoNumber::NotFinite => {
            let text = text.trim();
            let message = format!("a numeric is a finite number here: \"{text}\"; cast it to double precision");
            Failure::new(Fault::FeatureNotSupported, message)
        }
        NoNumber::Range if data_type.is_integer() => {
            Failure::new(Fault::NumericOutOfRange, format!("value \"{text}\" is out of range for type {name}"))
        }
        NoNumber::Range if data_type.is_floating() => {
            let message = format!("\"{}\" is out of range for type {name}", text.trim());
            Failure::new(Fault::NumericOutOfRange, message)
        }
        NoNumber::Range => {
            let message =
                format!("value overflows numeric format: {} has more than {MAX_NUMERIC_DIGITS} digits", shown(text));
            Failure::new(Fault::NumericOutOfRange, message)
        }
    }
}

/// What is told of a number that a type of numerics has no room for.
pub(super) fn numeric_overflow(text: &str, numeric: &DataType) -> Failure {
    let shown = shown(text);
    let message = match numeric {
        numeric if *numeric == ANY_NUMERIC => {
            format!(
                "value overflows numeric format: {shown} has more than 28 digits before the point; cast it to numeric(p, s)"
            )
        }
        numeric => format!("numeric field overflow: {shown} is no {}", pgtype::type_name(numeric)),
    };
    Failure::new(Fault::NumericOutOfRange, message)
}

/// A number as it is told: a long one would hide the message.
fn shown(number: &str) -> String {
    number.trim().chars().take(80).collect()
}

impl Reading {
    /// The value of a text; NULL if it is none and that is asked for.
    pub(super) fn value(&self, text: &str) -> Result<ScalarValue> {
        if is_number(&self.to) {
            let texts: ArrayRef = Arc::new(StringArray::from(vec![text]));
            return ScalarValue::try_from_array(&self.values(&texts)?, 0);
        }
        let found = match self.to {
            DataType::Interval(_) => {
                self.interval(text).map(|interval| ScalarValue::IntervalMonthDayNano(Some(interval)))
            }
            _ => pgtype::read_time(text, &self.to, self.session()),
        };
        match found {
            Ok(value) => Ok(value),
            Err(_) if self.is_lenient => ScalarValue::try_from(&self.to),
            Err(why) => Err(unfit(text, &self.to, why).into()),
        }
    }

    /// The values of a column of texts.
    pub(super) fn values(&self, texts: &ArrayRef) -> Result<ArrayRef> {
        let texts = cast(texts, &DataType::Utf8)?;
        let texts = texts.as_string::<i32>();
        let unfit = |text: &str, why| unfit(text, &self.to, why);
        Ok(match &self.to {
            DataType::Interval(_) => {
                let intervals = self.each(texts, |text| self.interval(text).map_err(|why| unfit(text, why)))?;
                Arc::new(IntervalMonthDayNanoArray::from(intervals))
            }
            zoned if *zoned == ZONED_TIME => {
                let time = |text: &str| pgtype::read_zoned(text, self.session()).map_err(|why| unfit(text, why));
                let times = self.each(texts, time)?.into_iter().map(|time| time.map(ZonedTime::bytes));
                Arc::new(FixedSizeBinaryArray::try_from_sparse_iter_with_size(times, ZonedTime::BYTES)?)
            }
            DataType::Float32 => Arc::new(Float32Array::from(self.each(texts, |text| self.float::<f32>(text))?)),
            DataType::Float64 => Arc::new(Float64Array::from(self.each(texts, |text| self.float::<f64>(text))?)),
            DataType::Decimal128(precision, scale) => {
                let digits = |text: &str| {
                    let digits = self.digits(text, *scale)?.and_then(i256::to_i128);
                    let fits = |digits: &i128| Decimal128Type::is_valid_decimal_precision(*digits, *precision);
                    digits.filter(fits).ok_or_else(|| numeric_overflow(text, &self.to))
                };
                Arc::new(Decimal128Array::from(self.each(texts, digits)?).with_data_type(self.to.clone()))
            }
            DataType::Decimal256(precision, scale) => {
                let digits = |text: &str| {
                    let fits = |digits: &i256| Decimal256Type::is_valid_decimal_precision(*digits, *precision);
                    self.digits(text, *scale)?.filter(fits).ok_or_else(|| numeric_overflow(text, &self.to))
                };
                Arc::new(Decimal256Array::from(self.each(texts, digits)?).with_data_type(self.to.clone()))
            }
            _ => {
                let count =
                    |text: &str| pgtype::read_count(text, &self.to, self.session()).map_err(|why| unfit(text, why));
                let counts = Int64Array::from(self.each(texts, count)?);
                match self.to {
                    DataType::Date32 | DataType::Time32(_) => cast(&cast(&counts, &DataType::Int32)?, &self.to)?,
                    _ => cast(&counts, &self.to)?,
                }
            }
        })
    }

    fn session(&self) -> InSession<'_> {
        InSession { zone: &self.zone, styles: self.styles }
    }

    fn interval(&self, text: &str) -> Result<IntervalMonthDayNano, Unfit> {
        let span = pgtype::read_interval_in(text, Fields::default(), self.styles.intervals)?;
        span.arrow().ok_or(Unfit::Range)
    }

    /// What is read of each text that is not NULL.
    fn each<T>(&self, texts: &StringArray, read: impl Fn(&str) -> Result<T, Failure>) -> Result<Vec<Option<T>>> {
        let read = |text: &str| match read(text) {
            Ok(value) => Ok(Some(value)),
            Err(_) if self.is_lenient => Ok(None),
            Err(failure) => Err(failure.into()),
        };
        texts.iter().map(|text| text.map_or(Ok(None), &read)).collect()
    }

    fn float<F: pgtype::Float>(&self, text: &str) -> Result<F, Failure> {
        pgtype::read_float(text).map_err(|why| no_number(text, &self.to, why))
    }

    /// The digits of a numeric with so many places; none where there are too many.
    fn digits(&self, text: &str, places: i8) -> Result<Option<i256>, Failure> {
        let written = Written::read(text).map_err(|why| no_number(text, &self.to, why))?;
        Ok(written.rounded(places))
    }
}

/// `read_text(text)`.
#[derive(Debug, PartialEq, Eq, Hash)]
struct ReadText {
    reading: Reading,
    signature: Signature,
}

impl ScalarUDFImpl for ReadText {
    fn name(&self) -> &str {
        "read_text"
    }

    fn schema_name(&self, operands: &[Expr]) -> Result<String> {
        // A cast is called as what it casts.
        called_as_operand(self.name(), operands)
    }

    fn signature(&self) -> &Signature {
        &self.signature
    }

    fn return_type(&self, _types: &[DataType]) -> Result<DataType> {
        Ok(self.reading.to.clone())
    }

    fn return_field_from_args(&self, arguments: ReturnFieldArgs) -> Result<FieldRef> {
        let nullable = self.reading.is_lenient || arguments.arg_fields.iter().any(|field| field.is_nullable());
        Ok(Arc::new(Field::new(self.name(), self.reading.to.clone(), nullable)))
    }

    fn invoke_with_args(&self, call: ScalarFunctionArgs) -> Result<ColumnarValue> {
        let [texts] = take_function_args(self.name(), &call.args)?;
        made_of(texts, |texts| self.reading.values(texts))
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use arrow::{array::Array, datatypes::TimeUnit};

    use super::*;
    use crate::print::{self, Form};

    fn reading(to: DataType, is_lenient: bool) -> Reading {
        Reading { to, zone: "UTC".into(), styles: Styles::default(), is_lenient }
    }

    #[test]
    fn what_is_shown_is_read() {
        for (months, days, micros) in [
            (0, 0, 0),
            (14, -3, 1),
            (-14, 3, -1),
            (-2, 0, 3_600_000_000),
            (0, -1, 999_999),
            (i32::MAX, i32::MIN, i64::MAX / 1_000),
            (i32::MIN, i32::MAX, i64::MIN / 1_000),
        ] {
            let interval = IntervalMonthDayNano::new(months, days, micros * 1_000);
            let intervals: ArrayRef = Arc::new(IntervalMonthDayNanoArray::from(vec![interval]));
            let shown = print::texts(&intervals, Form::default()).unwrap();
            let read = super::Reading {
                to: DataType::Interval(IntervalUnit::MonthDayNano),
                zone: "UTC".into(),
                styles: super::Styles::default(),
                is_lenient: false,
            };
            assert_eq!(read.interval(shown.value(0)), Ok(interval), "{}", shown.value(0));
        }
    }

    #[test]
    fn columns_are_read_as_texts_are() {
        let texts: ArrayRef = Arc::new(StringArray::from(vec![Some("May 6 2024"), None, Some("20240506")]));
        for to in [
            DataType::Date32,
            DataType::Timestamp(TimeUnit::Microsecond, None),
            DataType::Timestamp(TimeUnit::Second, Some("Europe/Berlin".into())),
        ] {
            let reading = reading(to.clone(), false);
            let values = reading.values(&texts).unwrap();
            assert_eq!(values.data_type(), &to);
            assert!(values.is_null(1));
            for row in [0, 2] {
                let value = ScalarValue::try_from_array(&values, row).unwrap();
                assert_eq!(value, reading.value("2024-05-06").unwrap());
            }
        }
    }

    /// As PostgreSQL 15 reads them.
    #[test]
    fn numbers_are_read_or_refused() {
        let numeric = |text: &str, precision, scale| reading(DataType::Decimal128(precision, scale), false).value(text);
        assert_eq!(numeric(" 1e3 ", 10, 2).unwrap(), ScalarValue::Decimal128(Some(100_000), 10, 2));
        assert_eq!(numeric("-2.345", 10, 2).unwrap(), ScalarValue::Decimal128(Some(-235), 10, 2));
        let wide = reading(DataType::Decimal256(50, 1), false).value("1e40").unwrap();
        assert_eq!(wide.to_string(), format!("1{}.0", "0".repeat(40)));
        assert_eq!(reading(DataType::Float64, false).value("-inf").unwrap(), ScalarValue::from(f64::NEG_INFINITY));
        for (text, to, told) in [
            ("1e5", DataType::Decimal128(4, 2), "numeric field overflow: 1e5 is no numeric(4,2)"),
            ("NaN", DataType::Decimal128(4, 2), "a numeric is a finite number here: \"NaN\""),
            ("1_000", ANY_NUMERIC, "invalid input syntax for type numeric: \"1_000\""),
            ("1e400", DataType::Float64, "\"1e400\" is out of range for type double precision"),
            ("1e-50", DataType::Float32, "\"1e-50\" is out of range for type real"),
            ("1_000", DataType::Float64, "invalid input syntax for type double precision: \"1_000\""),
        ] {
            let refused = reading(to.clone(), false).value(text).unwrap_err().to_string();
            assert!(refused.contains(told), "{refused}");
            assert!(reading(to, true).value(text).unwrap().is_null());
        }
    }

    #[test]
    fn what_is_no_value_is_refused_or_null() {
        let texts: ArrayRef = Arc::new(StringArray::from(vec!["2024-02-30"]));
        let refused = reading(DataType::Date32, false).values(&texts).unwrap_err().to_string();
        assert!(refused.contains("date/time field value out of range: \"2024-02-30\""), "{refused}");
        assert!(reading(DataType::Date32, true).values(&texts).unwrap().is_null(0));
        assert!(reading(DataType::Date32, true).value("x").unwrap().is_null());
    }
}
