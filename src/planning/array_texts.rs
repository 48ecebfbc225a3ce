//! Casts to arrays: a text is read as an array, and an array of other elements becomes one of the wanted by the casts of its
//! elements, which are PostgreSQL's.
//!
//! ```sql
//! SELECT '{1,2}'::int[], ARRAY['1', '2']::int[], ARRAY[1.5]::text[]
//! ```
//!
//! The engine's cast makes an array of one element of a text and of any other value.

use std::sync::Arc;

use arrow::{
    array::{Array, ArrayRef, AsArray, ListArray, new_empty_array},
    compute::{CastOptions, cast, cast_with_options},
    datatypes::{DECIMAL128_MAX_PRECISION, DECIMAL256_MAX_PRECISION, DataType, Float32Type, Float64Type},
};
use datafusion::{
    common::{
        DFSchema, DataFusionError, Result, ScalarValue, config::ConfigOptions, tree_node::Transformed,
        utils::take_function_args,
    },
    logical_expr::{
        Cast, ColumnarValue, Expr, ExprSchemable, LogicalPlan, ScalarFunctionArgs, ScalarUDF, ScalarUDFImpl, Signature,
        TryCast, Volatility,
    },
    optimizer::analyzer::AnalyzerRule,
};

use super::{
    casts::no_cast,
    columnar::{called_as_operand, made_of},
    constants, read_texts, steps,
};
use crate::{
    fault::{Failure, Fault},
    interrupt::step,
    pgtype::{self, InSession, Styles, Unreadable, Zone, element, innermost},
    print::{self, Form},
};

/// See the module. It comes when types are known.
#[derive(Debug)]
pub(super) struct ReadArrays;

impl AnalyzerRule for ReadArrays {
    fn name(&self) -> &str {
        "read_arrays"
    }

    fn analyze(&self, plan: LogicalPlan, config: &ConfigOptions) -> Result<LogicalPlan> {
        let session = InSession::of(config);
        steps::change(plan, |step| cast_to_array(step).is_some(), |step, schema| converted(step, schema, session))
    }
}

/// What is cast to an array, and to which; whether it may fail.
fn cast_to_array(step: &Expr) -> Option<(&Expr, &DataType, bool)> {
    let (value, field, fails) = match step {
        Expr::Cast(Cast { expr, field }) => (expr, field, true),
        Expr::TryCast(TryCast { expr, field }) => (expr, field, false),
        _ => return None,
    };
    let wanted = field.data_type();
    element(wanted).is_some().then_some((value.as_ref(), wanted, fails))
}

fn converted(step: Expr, schema: &DFSchema, session: InSession<'_>) -> Result<Transformed<Expr>> {
    let Some((value, wanted, fails)) = cast_to_array(&step) else { return Ok(Transformed::no(step)) };
    // What is said of a text makes it one that was cast to that: such a one is read when it is needed.
    if let Expr::Literal(written, None) = value
        && let Some(text) = written.try_as_str().flatten()
    {
        let read = match read(text, wanted, session) {
            Ok(read) => read,
            Err(_) if !fails => ScalarValue::try_from(wanted)?,
            Err(error) => return Err(error),
        };
        return Ok(Transformed::yes(Expr::Literal(read, None)));
    }
    let given = value.get_type(schema)?;
    let is_ours = match element(&given) {
        _ if given.is_null() => false,
        None if given.is_string() => true,
        None => return Err(no_cast(&pgtype::type_name(&given), &pgtype::type_name(wanted))),
        Some(_) => fails && is_converted(innermost(&given), innermost(wanted)),
    };
    if !is_ours {
        return Ok(Transformed::no(step));
    }
    let function = ArrayOf {
        wanted: wanted.clone(),
        zone: session.zone.to_owned(),
        styles: session.styles,
        fails,
        signature: Signature::any(1, Volatility::Immutable),
    };
    Ok(Transformed::yes(ScalarUDF::new_from_impl(function).call(vec![value.clone()])))
}

/// Whether elements are converted otherwise than the engine's cast does.
fn is_converted(from: &DataType, to: &DataType) -> bool {
    from.is_string() != to.is_string() || to.is_integer() && (from.is_floating() || from.is_decimal())
}

/// The array that a text is in a session.
pub(super) fn read(text: &str, wanted: &DataType, session: InSession<'_>) -> Result<ScalarValue> {
    let value = pgtype::read_text(text, wanted, session).map_err(|why| unreadable(why, wanted))?;
    if value.data_type() == *wanted { Ok(value) } else { value.cast_to(wanted) }
}

pub(super) fn unreadable(why: Unreadable, wanted: &DataType) -> DataFusionError {
    let name = pgtype::type_name(wanted);
    let failure = match why {
        Unreadable::Array(text) => Failure::new(Fault::InvalidText, format!("malformed array literal: \"{text}\"")),
        Unreadable::LowerBound(text) => {
            let message = format!("the places of an array count from 1; leave the bounds out of \"{text}\"");
            Failure::new(Fault::FeatureNotSupported, message)
        }
        Unreadable::Dimensions { found, wanted } => {
            let type_name = format!("{}{}", name.trim_end_matches("[]"), "[]".repeat(found));
            let message =
                format!("the text is an array of {found} dimensions and not of {wanted}; cast it to {type_name}");
            Failure::new(Fault::FeatureNotSupported, message)
        }
        Unreadable::Text(text) => match constants::check(&text, innermost(wanted)) {
            Err(error) => return error,
            Ok(()) => {
                let name = pgtype::type_name(innermost(wanted));
                Failure::new(Fault::InvalidText, format!("invalid input syntax for type {name}: \"{text}\""))
            }
        },
        Unreadable::Time(text, why) => read_texts::unfit(&text, innermost(wanted), why),
        Unreadable::Number(text, why) => read_texts::no_number(&text, innermost(wanted), why),
        Unreadable::OutOfRange(pg) => Failure::new(Fault::NumericOutOfRange, format!("{} out of range", pg.word(None))),
        Unreadable::Binary | Unreadable::Encoding(_) | Unreadable::Unsupported(_) => {
            Failure::new(Fault::FeatureNotSupported, format!("values of type {name} are not read from text"))
        }
    };
    failure.into()
}

/// `array_of(value)`: a text or an array as an array of a type.
#[derive(Debug, PartialEq, Eq, Hash)]
struct ArrayOf {
    wanted: DataType,
    /// The zone of the session's clocks.
    zone: String,
    /// The styles of the session's dates and intervals.
    styles: Styles,
    /// Whether a text that is no array is an error, and not NULL.
    fails: bool,
    signature: Signature,
}

impl ScalarUDFImpl for ArrayOf {
    fn name(&self) -> &str {
        "array_of"
    }

    fn schema_name(&self, operands: &[Expr]) -> Result<String> {
        // A cast is called as what it casts.
        called_as_operand(self.name(), operands)
    }

    fn signature(&self) -> &Signature {
        &self.signature
    }

    fn return_type(&self, _types: &[DataType]) -> Result<DataType> {
        Ok(self.wanted.clone())
    }

    fn invoke_with_args(&self, call: ScalarFunctionArgs) -> Result<ColumnarValue> {
        let [value] = take_function_args(self.name(), &call.args)?;
        made_of(value, |values| self.all(values))
    }
}

impl ArrayOf {
    fn session(&self) -> InSession<'_> {
        InSession { zone: &self.zone, styles: self.styles }
    }

    fn all(&self, values: &ArrayRef) -> Result<ArrayRef> {
        if values.data_type().is_string() { self.of_texts(values) } else { self.of_lists(values, &self.wanted) }
    }

    fn of_texts(&self, texts: &ArrayRef) -> Result<ArrayRef> {
        if texts.is_empty() {
            return Ok(new_empty_array(&self.wanted));
        }
        let texts = cast(texts, &DataType::Utf8)?;
        let arrays = texts.as_string::<i32>().iter().map(|text| {
            step()?;
            match text.map(|text| read(text, &self.wanted, self.session())) {
                Some(Ok(array)) => Ok(array),
                Some(Err(error)) if self.fails => Err(error),
                Some(Err(_)) | None => ScalarValue::try_from(&self.wanted),
            }
        });
        ScalarValue::iter_to_array(arrays.collect::<Result<Vec<_>>>()?)
    }

    fn of_lists(&self, lists: &ArrayRef, wanted: &DataType) -> Result<ArrayRef> {
        let (Some(own), DataType::List(field)) = (element(lists.data_type()), wanted) else {
            return self.of_elements(lists, wanted);
        };
        let lists = cast(lists, &pgtype::list_of(own.clone()))?;
        let lists = lists.as_list::<i32>();
        let values = self.of_lists(lists.values(), field.data_type())?;
        let (offsets, nulls) = (lists.offsets().clone(), lists.nulls().cloned());
        Ok(Arc::new(ListArray::try_new(Arc::clone(field), offsets, values, nulls)?))
    }

    fn of_elements(&self, elements: &ArrayRef, wanted: &DataType) -> Result<ArrayRef> {
        let given = elements.data_type();
        // A boolean alone is a word, and in an array a letter.
        if wanted.is_string() && !given.is_string() && *given != DataType::Boolean {
            let form = Form { zone: Some(Zone::of_session(&self.zone)), styles: self.styles, ..Form::default() };
            return Ok(cast(&print::texts(elements, form)?, wanted)?);
        }
        if given.is_string() && !wanted.is_string() {
            if elements.is_empty() {
                return Ok(new_empty_array(wanted));
            }
            let texts = cast(elements, &DataType::Utf8)?;
            let read = |text: &str| -> Result<ScalarValue> {
                let read = pgtype::read_text(text, wanted, self.session());
                read.map_err(|why| unreadable(why, wanted))?.cast_to(wanted)
            };
            let values = texts.as_string::<i32>().iter().map(|text| match text {
                Some(text) => read(text),
                None => ScalarValue::try_from(wanted),
            });
            return ScalarValue::iter_to_array(values.collect::<Result<Vec<_>>>()?);
        }
        let elements = if wanted.is_integer() { rounded(elements)? } else { Arc::clone(elements) };
        Ok(cast_with_options(&elements, wanted, &CastOptions { safe: false, ..CastOptions::default() })?)
    }
}

/// Numbers without what is behind the point: floats to the nearest even one of two, numerics away from zero.
fn rounded(numbers: &ArrayRef) -> Result<ArrayRef> {
    Ok(match numbers.data_type() {
        DataType::Float32 => {
            Arc::new(numbers.as_primitive::<Float32Type>().unary::<_, Float32Type>(f32::round_ties_even))
        }
        DataType::Float64 => {
            Arc::new(numbers.as_primitive::<Float64Type>().unary::<_, Float64Type>(f64::round_ties_even))
        }
        // The engine rounds what loses digits as a numeric.
        DataType::Decimal128(_, scale) if *scale > 0 => {
            cast(numbers, &DataType::Decimal128(DECIMAL128_MAX_PRECISION, 0))?
        }
        DataType::Decimal256(_, scale) if *scale > 0 => {
            cast(numbers, &DataType::Decimal256(DECIMAL256_MAX_PRECISION, 0))?
        }
        _ => Arc::clone(numbers),
    })
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use arrow::array::{Decimal128Array, Float64Array, Int32Array, StringArray};

    use super::*;

    fn of(value: ArrayRef, wanted: &DataType) -> Result<ArrayRef> {
        let (zone, signature) = ("UTC".to_owned(), Signature::any(1, Volatility::Immutable));
        ArrayOf { wanted: wanted.clone(), zone, styles: Styles::default(), fails: true, signature }.all(&value)
    }

    fn shown(arrays: &ArrayRef) -> Vec<Option<String>> {
        let texts = print::texts(arrays, Form::default()).unwrap();
        texts.iter().map(|text| text.map(str::to_owned)).collect()
    }

    /// Expected as PostgreSQL 15 has them.
    #[test]
    fn texts_are_arrays() {
        let ints = pgtype::list_of(DataType::Int32);
        let texts = StringArray::from(vec![Some("{1,NULL, 3 }"), None, Some("{}"), Some("[1:1]={7}")]);
        let read = of(Arc::new(texts), &ints).unwrap();
        assert_eq!(read.data_type(), &ints);
        let expected = ["{1,NULL,3}", "NULL", "{}", "{7}"];
        assert_eq!(shown(&read), expected.map(|text| (text != "NULL").then(|| text.to_owned())));
        let nested = of(Arc::new(StringArray::from(vec!["{{1,2},{3,4}}"])), &pgtype::list_of(ints.clone())).unwrap();
        assert_eq!(shown(&nested), [Some("{{1,2},{3,4}}".to_owned())]);
        for (text, told) in [
            ("{1,2", "malformed array literal: \"{1,2\""),
            ("{1,a}", "'a'"),
            ("[0:0]={1}", "the places of an array count from 1"),
            ("{{1}}", "cast it to integer[][]"),
        ] {
            let error = of(Arc::new(StringArray::from(vec![text])), &ints).unwrap_err().to_string();
            assert!(error.contains(told), "{text}: {error}");
        }
    }

    #[test]
    fn elements_become_others_as_they_do_alone() {
        let list = |values: ArrayRef| -> ArrayRef {
            let field = Arc::new(arrow::datatypes::Field::new_list_field(values.data_type().clone(), true));
            let offsets = arrow::buffer::OffsetBuffer::from_lengths([values.len()]);
            Arc::new(ListArray::try_new(field, offsets, values, None).unwrap())
        };
        let numbers = Decimal128Array::from(vec![25, -25, 14]).with_precision_and_scale(3, 1).unwrap();
        for (values, wanted, expected) in [
            (Arc::new(Float64Array::from(vec![0.5, 1.5, -2.5])) as ArrayRef, DataType::Int32, "{0,2,-2}"),
            (Arc::new(numbers), DataType::Int64, "{3,-3,1}"),
            (Arc::new(Int32Array::from(vec![Some(1), None])), DataType::Utf8, "{1,NULL}"),
            (Arc::new(StringArray::from(vec!["yes", "f"])), DataType::Boolean, "{t,f}"),
            (Arc::new(StringArray::from(vec!["2024-02-29"])), DataType::Date32, "{2024-02-29}"),
        ] {
            let converted = of(list(values), &pgtype::list_of(wanted)).unwrap();
            assert_eq!(shown(&converted), [Some(expected.to_owned())]);
        }
    }
}
