//! Texts in a file that did not tell its columns' types: where these were guessed from others, what would have made a column
//! text is no value of another type, though it could be read as one.

use arrow::{
    array::{Array, ArrayRef, AsArray},
    compute::cast_with_options,
    datatypes::{DataType, Schema},
    error::ArrowError,
};

use super::{
    super::{
        forms::Forms,
        guess::keeps,
        infer::{pair, positions},
    },
    STRICT, misfit, whole, within,
};

/// The values as those of another type, as [`whole`] makes them; texts must be such as a column of the type is guessed from,
/// if it is in doubt.
pub(in super::super) fn trusted(values: &ArrayRef, wanted: &DataType, doubts: bool) -> Result<ArrayRef, ArrowError> {
    if doubts {
        check_texts(values, wanted)?;
    }
    whole(values, wanted)
}

/// Refuses texts that would have made a column text.
fn check_texts(values: &ArrayRef, wanted: &DataType) -> Result<(), ArrowError> {
    match (values.data_type(), wanted) {
        (DataType::Dictionary(_, stored), _) if stored.is_string() => {
            check_texts(&cast_with_options(values, stored, &STRICT)?, wanted)
        }
        (DataType::RunEndEncoded(_, stored), _) if stored.data_type().is_string() => {
            check_texts(&cast_with_options(values, stored.data_type(), &STRICT)?, wanted)
        }
        (DataType::List(_), DataType::List(item)) => check_texts(values.as_list::<i32>().values(), item.data_type()),
        (DataType::LargeList(_), DataType::List(item)) => {
            check_texts(values.as_list::<i64>().values(), item.data_type())
        }
        (DataType::FixedSizeList(..), DataType::List(item)) => {
            check_texts(values.as_fixed_size_list().values(), item.data_type())
        }
        (DataType::Struct(stored), DataType::Struct(fields)) => {
            let names: Vec<_> = stored.iter().map(|field| field.name().as_str()).collect();
            // Where it is unclear which field is which, that is said when they are made.
            let places = positions(&Schema::new(fields.clone()), &names).unwrap_or_default();
            for (field, place) in fields.iter().zip(places) {
                let Some(column) = place.and_then(|place| values.as_struct().columns().get(place)) else { continue };
                check_texts(column, field.data_type()).map_err(|error| within(error, field.name()))?;
            }
            Ok(())
        }
        (DataType::Map(..), DataType::Map(entries, _)) => {
            let Some((key, value)) = pair(entries) else { return Ok(()) };
            check_texts(values.as_map().keys(), key.data_type())?;
            check_texts(values.as_map().values(), value.data_type())
        }
        (stored, _) if stored.is_string() && !wanted.is_string() && !wanted.is_nested() => {
            let texts = cast_with_options(values, &DataType::Utf8, &STRICT)?;
            let forms = Forms::default();
            let is_doubtful = |text: Option<&str>| text.is_some_and(|text| !keeps(wanted, text, &forms));
            match texts.as_string::<i32>().iter().position(is_doubtful) {
                Some(row) => Err(misfit(values, wanted, row)),
                None => Ok(()),
            }
        }
        _ => Ok(()),
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use std::sync::Arc;

    use arrow::{
        array::{DictionaryArray, Int64Array, StringArray, StringViewArray},
        datatypes::{Field, Int32Type, Int64Type},
    };

    use super::{
        super::tests::{list, object},
        *,
    };

    fn failure_of(values: &ArrayRef, wanted: &DataType) -> String {
        match trusted(values, wanted, true).unwrap_err() {
            ArrowError::CastError(reason) => reason,
            other => other.to_string(),
        }
    }

    #[test]
    fn a_text_that_would_have_made_its_column_text_is_no_number() {
        let codes: ArrayRef = Arc::new(StringViewArray::from(vec![Some("777"), None, Some("02134")]));
        assert_eq!(failure_of(&codes, &DataType::Int64), "'02134' is not of type bigint");
        assert_eq!(failure_of(&codes, &DataType::Int32), "'02134' is not of type integer");
        let found = trusted(&codes, &DataType::Int64, false).unwrap();
        assert_eq!(found.as_primitive::<Int64Type>(), &Int64Array::from(vec![Some(777), None, Some(2134)]));
        assert_eq!(&trusted(&codes, &DataType::Utf8View, true).unwrap(), &codes);
        let words: ArrayRef = Arc::new(StringArray::from(vec!["true", "yes"]));
        assert_eq!(failure_of(&words, &DataType::Boolean), "'yes' is not of type boolean");
    }

    #[test]
    fn texts_within_others_are_looked_at() {
        let code = || Arc::new(StringArray::from(vec!["007"])) as ArrayRef;
        let wanted = DataType::new_list(DataType::Int64, true);
        assert_eq!(failure_of(&list(code()), &wanted), "'007' is not of type bigint");
        let fields = vec![Field::new("a", DataType::Int64, true)];
        let found = failure_of(&object(vec![("a", code())]), &DataType::Struct(fields.into()));
        assert_eq!(found, "in a, '007' is not of type bigint");
        let packed: ArrayRef = Arc::new(DictionaryArray::<Int32Type>::from_iter(["007"]));
        assert_eq!(failure_of(&packed, &DataType::Int64), "'007' is not of type bigint");
    }
}
