//! Every type that learning takes, in and out.

use std::sync::Arc;

use arrow::{
    array::{
        Array, ArrayRef, BooleanArray, Date32Array, Date64Array, Decimal128Array, FixedSizeListArray, Float32Array,
        Int16Array, Int64Array, LargeStringArray, ListArray, NullArray, RecordBatch, StringArray, StringViewArray,
        TimestampNanosecondArray, TimestampSecondArray, UInt64Array,
    },
    compute::cast,
    datatypes::{DataType, Field, Float64Type, Int32Type, Int64Type, Schema},
};
use fusewire_learn::{Dictionary, NULL, UNSEEN, Values};

use super::{CategoryType, ColumnKind, Lookup, category, keys, table, trained_type, type_name};
use crate::{Error, Result};

/// The values of one column over several chunks.
fn read(kind: ColumnKind, chunks: &[ArrayRef]) -> Result<Values> {
    let schema = Arc::new(Schema::new(vec![Field::new("c", chunks[0].data_type().clone(), true)]));
    let batches: Vec<_> =
        chunks.iter().map(|chunk| RecordBatch::try_new(schema.clone(), vec![chunk.clone()]).unwrap()).collect();
    Ok(table(&schema, &[kind], &batches)?.columns.remove(0).1)
}

fn natural(array: ArrayRef) -> Values {
    let kind = ColumnKind::natural(array.data_type()).unwrap();
    read(kind, &[array]).unwrap()
}

/// Numbers with missing ones as `None`, so that they compare.
fn numbers(values: Values) -> Vec<Option<f64>> {
    let Values::Number(numbers) = values else { panic!("{values:?}") };
    numbers.into_iter().map(|number| (!number.is_nan()).then_some(number)).collect()
}

fn times(values: Values) -> Vec<Option<i64>> {
    let Values::Timestamp(times) = values else { panic!("{values:?}") };
    times
}

#[test]
fn every_number_is_a_number() {
    let two: Vec<ArrayRef> = vec![
        Arc::new(Int16Array::from(vec![Some(2), None])),
        Arc::new(UInt64Array::from(vec![Some(2), None])),
        Arc::new(Float32Array::from(vec![Some(2.0), None])),
        Arc::new(Decimal128Array::from(vec![Some(200), None]).with_precision_and_scale(5, 2).unwrap()),
    ];
    for array in two {
        assert_eq!(numbers(natural(array)), [Some(2.0), None]);
    }
    assert_eq!(numbers(natural(Arc::new(UInt64Array::from(vec![u64::MAX])))), [Some(u64::MAX as f64)]);
    assert_eq!(numbers(natural(Arc::new(NullArray::new(2)))), [None, None]);
}

#[test]
fn every_time_is_microseconds() {
    let day = 86_400_000_000;
    let zoned = TimestampSecondArray::from(vec![Some(86_400), None]).with_timezone("+02:00");
    let all: Vec<ArrayRef> = vec![
        Arc::new(Date32Array::from(vec![Some(1), None])),
        Arc::new(Date64Array::from(vec![Some(86_400_000), None])),
        Arc::new(TimestampSecondArray::from(vec![Some(86_400), None])),
        Arc::new(TimestampNanosecondArray::from(vec![Some(86_400_000_000_000), None])),
        Arc::new(zoned),
    ];
    for array in all {
        assert_eq!(times(natural(array)), [Some(day), None]);
    }
    let beyond: ArrayRef = Arc::new(TimestampSecondArray::from(vec![0, i64::MAX]));
    assert!(matches!(read(ColumnKind::Timestamp, &[beyond]), Err(Error::InvalidValue { column, .. }) if column == "c"));
}

#[test]
fn every_text_is_a_category_with_sorted_codes() {
    let words = vec![Some("b"), None, Some("a"), Some("b")];
    let dictionary = cast(
        &StringArray::from(words.clone()),
        &DataType::Dictionary(Box::new(DataType::Int32), Box::new(DataType::Utf8)),
    );
    let all: Vec<ArrayRef> = vec![
        Arc::new(StringArray::from(words.clone())),
        Arc::new(LargeStringArray::from(words.clone())),
        Arc::new(StringViewArray::from(words)),
        dictionary.unwrap(),
    ];
    for array in all {
        let Values::Category { codes, dictionary } = natural(array) else { panic!() };
        assert_eq!(codes, [1, NULL, 0, 1]);
        assert_eq!(*dictionary, Dictionary::Text(vec!["a".into(), "b".into()]));
    }
}

#[test]
fn codes_do_not_depend_on_chunks() {
    let kind = ColumnKind::Category(CategoryType::Integer);
    let chunk = |values: &[i64]| -> ArrayRef { Arc::new(Int64Array::from(values.to_vec())) };
    let one = read(kind, &[chunk(&[9, -3, 9, 5])]).unwrap();
    assert_eq!(one, read(kind, &[chunk(&[9, -3]), chunk(&[9, 5])]).unwrap());
    let Values::Category { codes, dictionary } = one else { panic!() };
    assert_eq!((codes, dictionary.as_ref()), (vec![2, 0, 2, 1], &Dictionary::Integer(vec![-3, 5, 9])));
    let large: ArrayRef = Arc::new(UInt64Array::from(vec![1, u64::MAX]));
    let error = read(kind, &[large]).unwrap_err().to_string();
    assert_eq!(
        error,
        "the column c holds '18446744073709551615', which is not a whole number of 64 bits; correct the value or leave the \
         row out"
    );
}

#[test]
fn booleans_have_the_codes_zero_and_one() {
    let array: ArrayRef = Arc::new(BooleanArray::from(vec![Some(true), None, Some(false)]));
    let Values::Category { codes, dictionary } = natural(array) else { panic!() };
    assert_eq!((codes, dictionary.as_ref()), (vec![1, NULL, 0], &Dictionary::Boolean));
}

#[test]
fn lists_are_bags_or_vectors() {
    let item = Field::new_list_field(DataType::Utf8, true);
    let words = |lists: Vec<Option<Vec<&str>>>| -> ArrayRef {
        let mut builder = arrow::array::ListBuilder::new(arrow::array::StringBuilder::new()).with_field(item.clone());
        for list in lists {
            match list {
                Some(list) => builder.append_value(list.into_iter().map(|word| (word != "-").then_some(word))),
                None => builder.append_null(),
            }
        }
        Arc::new(builder.finish())
    };
    let whole = words(vec![Some(vec!["z"]), Some(vec!["b", "-", "a"]), None, Some(vec![]), Some(vec!["b"])]);
    let kind = ColumnKind::natural(whole.data_type()).unwrap();
    let expected = Values::Bag {
        offsets: vec![0, 2, 2, 2, 3],
        codes: vec![1, 0, 1],
        dictionary: Arc::new(Dictionary::Text(vec!["a".into(), "b".into()])),
    };
    // A slice begins in the middle of its elements.
    assert_eq!(read(kind, &[whole.slice(1, 4)]).unwrap(), expected);
    assert_eq!(read(kind, &[whole.slice(1, 1), whole.slice(2, 3)]).unwrap(), expected);

    let vectors: ArrayRef = Arc::new(ListArray::from_iter_primitive::<Float64Type, _, _>(vec![
        Some(vec![Some(1.0), Some(2.0)]),
        None,
        Some(vec![None, Some(4.0)]),
    ]));
    let Values::Vector { width: 2, values } = natural(vectors.clone()) else { panic!() };
    assert_eq!(values[..2], [1.0, 2.0]);
    assert_eq!(values.iter().map(|value| value.is_nan()).collect::<Vec<_>>(), [false, false, true, true, true, false]);
    let fixed: ArrayRef =
        Arc::new(FixedSizeListArray::from_iter_primitive::<Int32Type, _, _>(vec![None, Some(vec![Some(1); 3])], 3));
    assert!(matches!(natural(fixed), Values::Vector { width: 3, .. }));
    let ragged: ArrayRef = Arc::new(ListArray::from_iter_primitive::<Int64Type, _, _>(vec![
        Some(vec![Some(1)]),
        Some(vec![Some(1), Some(2)]),
    ]));
    let error = read(ColumnKind::Vector, std::slice::from_ref(&ragged)).unwrap_err().to_string();
    assert_eq!(error, "the column c holds lists of 1 and of 2 numbers; vectors must be equally long");
    assert_eq!(ColumnKind::category(ragged.data_type()), Some(ColumnKind::Bag(CategoryType::Integer)));
    let Values::Bag { offsets, codes, .. } = read(ColumnKind::Bag(CategoryType::Integer), &[ragged]).unwrap() else {
        panic!()
    };
    assert_eq!((offsets, codes), (vec![0, 1, 3], vec![0, 0, 1]));
}

#[test]
fn a_lookup_finds_the_codes_of_a_dictionary() {
    let text = Lookup::new(Arc::new(Dictionary::Text(vec!["4".into(), "a".into()])));
    let words: ArrayRef = Arc::new(StringViewArray::from(vec![Some("a"), Some("A"), None]));
    assert_eq!(text.codes("c", &words).unwrap(), [1, UNSEEN, NULL]);
    let integers: ArrayRef = Arc::new(Int16Array::from(vec![Some(4), Some(5), None]));
    assert_eq!(text.codes("c", &integers).unwrap(), [0, UNSEEN, NULL]);
    for values in [vec![3, 4, 6], vec![i64::MIN, 4, i64::MAX]] {
        let lookup = Lookup::new(Arc::new(Dictionary::Integer(values)));
        assert_eq!(lookup.codes("c", &integers).unwrap(), [1, UNSEEN, NULL]);
        let digits: ArrayRef = Arc::new(StringArray::from(vec!["4", "-9"]));
        assert_eq!(lookup.codes("c", &digits).unwrap(), [1, UNSEEN]);
        assert!(matches!(lookup.codes("c", &words), Err(Error::InvalidValue { value, .. }) if value == "a"));
    }
    let nothing = Lookup::new(Arc::new(Dictionary::Integer(Vec::new())));
    assert_eq!(nothing.codes("c", &integers).unwrap(), [UNSEEN, UNSEEN, NULL]);
    let nulls: ArrayRef = Arc::new(NullArray::new(1));
    for lookup in [text, nothing, Lookup::new(Arc::new(Dictionary::Boolean))] {
        assert_eq!(lookup.codes("c", &nulls).unwrap(), [NULL]);
    }
}

#[test]
fn keys_come_back_as_they_went_in() {
    let array: ArrayRef = Arc::new(Int16Array::from(vec![7, 3, 7]));
    let Values::Category { codes, dictionary } =
        category("c", std::slice::from_ref(&array), CategoryType::Integer).unwrap()
    else {
        panic!()
    };
    assert_eq!(&keys(&dictionary, codes.into_iter(), &trained_type(array.data_type())).unwrap(), &array);
    let unseen = keys(&Dictionary::Boolean, [1, UNSEEN].into_iter(), &DataType::Boolean).unwrap();
    assert_eq!(unseen.null_count(), 1);
}

#[test]
fn types_without_a_use_are_told_apart() {
    let time = DataType::Time64(arrow::datatypes::TimeUnit::Microsecond);
    for unusable in [DataType::Binary, time, DataType::Struct(Vec::<Field>::new().into())] {
        assert_eq!(ColumnKind::natural(&unusable), None);
    }
    assert_eq!(ColumnKind::category(&DataType::Float64), None);
    assert_eq!(trained_type(&DataType::Utf8View), DataType::Utf8);
    assert_eq!(type_name(&DataType::new_list(DataType::Int64, true)), "bigint[]");
}

#[test]
fn infinite_times_are_refused() {
    let array: ArrayRef = Arc::new(Date32Array::from(vec![Some(0), Some(i32::MAX)]));
    let kind = ColumnKind::natural(array.data_type()).unwrap();
    let error = read(kind, &[array]).unwrap_err().to_string();
    assert!(error.contains("holds an infinity"), "{error}");
}
