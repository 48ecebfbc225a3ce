//! Values as PostgreSQL writes them, in text and in binary.

use std::sync::Arc;

use arrow::array::*;
use arrow::datatypes::{DataType, Field, Fields, Float32Type, Int32Type, IntervalMonthDayNano, Schema, TimeUnit, i256};
use bytes::{Buf, BytesMut};

use super::*;

// The values of the one column, as the client gets them; none for null.
fn values(array: ArrayRef, format: i16, zone_name: &str) -> Vec<Option<Vec<u8>>> {
    let schema = Arc::new(Schema::new(vec![Field::new("value", array.data_type().clone(), true)]));
    let layout = Layout::new(&schema, &[format]).unwrap();
    let rows = array.len();
    let arrays = layout.conform(&RecordBatch::try_new(schema, vec![array]).unwrap()).unwrap();
    let mut out = BytesMut::new();
    assert_eq!(layout.write_rows(&mut out, &arrays, 0..rows, Zone::of_session(zone_name), usize::MAX).unwrap(), rows);
    let mut found = Vec::new();
    while !out.is_empty() {
        assert_eq!(out.get_u8(), b'D');
        let length = out.get_i32() as usize;
        let mut body = out.split_to(length - 4);
        assert_eq!(body.get_i16(), 1);
        let size = body.get_i32();
        assert_eq!(size.max(0) as usize, body.len());
        found.push((size >= 0).then(|| body.to_vec()));
    }
    found
}

fn text(array: impl Array + 'static) -> Vec<String> {
    text_of(Arc::new(array))
}

fn text_of(array: ArrayRef) -> Vec<String> {
    let text = |value: Option<Vec<u8>>| value.map_or("NULL".to_owned(), |bytes| String::from_utf8(bytes).unwrap());
    values(array, 0, "UTC").into_iter().map(text).collect()
}

fn binary(array: impl Array + 'static) -> Vec<Vec<u8>> {
    values(Arc::new(array), 1, "UTC").into_iter().map(Option::unwrap).collect()
}

#[test]
fn floats_print_as_postgresql_prints_them() {
    let doubles = Float64Array::from(vec![
        0.0,
        -0.0,
        1.0,
        0.1,
        -2.5,
        1e14,
        1e15,
        123_456_789_012_345.6,
        1.5e300,
        1e-4,
        1.25e-5,
        f64::NAN,
        f64::INFINITY,
        f64::NEG_INFINITY,
        5e-324,
    ]);
    let expected = [
        "0",
        "-0",
        "1",
        "0.1",
        "-2.5",
        "100000000000000",
        "1e+15",
        "123456789012345.6",
        "1.5e+300",
        "0.0001",
        "1.25e-05",
        "NaN",
        "Infinity",
        "-Infinity",
        "5e-324",
    ];
    assert_eq!(text(doubles), expected);
    assert_eq!(
        text(Float32Array::from(vec![0.1, 123_456.0, 1_234_567.0, 1e6])),
        ["0.1", "123456", "1.234567e+06", "1e+06"]
    );
}

#[test]
fn integers_and_booleans_print_plainly() {
    assert_eq!(text(Int64Array::from(vec![Some(i64::MIN), None, Some(0)])), ["-9223372036854775808", "NULL", "0"]);
    assert_eq!(text(UInt64Array::from(vec![u64::MAX])), ["18446744073709551615"]);
    assert_eq!(text(UInt8Array::from(vec![255])), ["255"]);
    assert_eq!(text(BooleanArray::from(vec![true, false])), ["t", "f"]);
    assert_eq!(text(NullArray::new(2)), ["NULL", "NULL"]);
}

#[test]
fn decimals_keep_their_places() {
    let decimals = Decimal128Array::from(vec![12_345, -5, 0, 100]).with_precision_and_scale(10, 2).unwrap();
    assert_eq!(text(decimals), ["123.45", "-0.05", "0.00", "1.00"]);
    let large = Decimal256Array::from(vec![i256::MAX]).with_precision_and_scale(76, 0).unwrap();
    assert_eq!(text(large), [i256::MAX.to_string()]);
    let tens = Decimal128Array::from(vec![12, 0]).with_precision_and_scale(10, -2).unwrap();
    assert_eq!(text(tens), ["1200", "0"]);
}

#[test]
fn dates_and_times_print_in_iso_style() {
    assert_eq!(
        text(Date32Array::from(vec![0, 18_262, -1, -719_529, 2_932_897])),
        ["1970-01-01", "2020-01-01", "1969-12-31", "0002-12-31 BC", "10000-01-01"]
    );
    assert_eq!(
        text(Time64MicrosecondArray::from(vec![0, 3_723_000_000, 1_500_000])),
        ["00:00:00", "01:02:03", "00:00:01.5"]
    );
    assert_eq!(text(TimestampNanosecondArray::from(vec![1_577_836_800_000_001_000])), ["2020-01-01 00:00:00.000001"]);
    let instants = TimestampSecondArray::from(vec![1_577_836_800]).with_timezone("America/New_York");
    assert_eq!(text_of(Arc::new(instants.clone())), ["2020-01-01 00:00:00+00"]);
    let shown = |zone: &str| String::from_utf8(values(Arc::new(instants.clone()), 0, zone).remove(0).unwrap()).unwrap();
    assert_eq!(shown("Asia/Kolkata"), "2020-01-01 05:30:00+05:30");
    assert_eq!(shown("America/New_York"), "2019-12-31 19:00:00-05");
}

#[test]
fn intervals_print_in_postgres_style() {
    let interval = IntervalMonthDayNano::new;
    let intervals = IntervalMonthDayNanoArray::from(vec![
        interval(14, 3, 14_706_500_000_000),
        interval(0, 0, 0),
        interval(-1, 2, -1_000_000_000),
        interval(0, 1, 0),
        interval(0, -1, 3_600_000_000_000),
    ]);
    assert_eq!(
        text(intervals),
        ["1 year 2 mons 3 days 04:05:06.5", "00:00:00", "-1 mons +2 days -00:00:01", "1 day", "-1 days +01:00:00"]
    );
    assert_eq!(text(DurationSecondArray::from(vec![93_600])), ["26:00:00"]);
}

#[test]
fn bytes_print_as_hexadecimal() {
    assert_eq!(text(BinaryArray::from(vec![&b"\x00\xfe"[..], b""])), ["\\x00fe", "\\x"]);
}

#[test]
fn array_elements_are_quoted_where_they_must_be() {
    let mut builder = ListBuilder::new(StringBuilder::new());
    for word in [Some("plain"), Some(""), Some("NULL"), None, Some("a b"), Some("q\"\\"), Some("{x,y}")] {
        builder.values().append_option(word);
    }
    builder.append(true);
    builder.append(true);
    builder.append(false);
    let expected = r#"{plain,"","NULL",NULL,"a b","q\"\\","{x,y}"}"#;
    assert_eq!(text(builder.finish()), [expected, "{}", "NULL"]);
    let vectors =
        FixedSizeListArray::from_iter_primitive::<Float32Type, _, _>(vec![Some(vec![Some(0.5), Some(1.0)])], 2);
    assert_eq!(text(vectors), ["{0.5,1}"]);
}

#[test]
fn nested_values_print_as_json() {
    let fields = Fields::from(vec![Field::new("id", DataType::Int32, true), Field::new("name", DataType::Utf8, true)]);
    let columns: Vec<ArrayRef> =
        vec![Arc::new(Int32Array::from(vec![1])), Arc::new(StringArray::from(vec![None::<&str>]))];
    assert_eq!(text(StructArray::new(fields, columns, None)), [r#"{"id":1,"name":null}"#]);
}

#[test]
fn dictionaries_print_as_their_values() {
    let words: DictionaryArray<Int32Type> = [Some("a"), None, Some("a")].into_iter().collect();
    assert_eq!(text(words), ["a", "NULL", "a"]);
}

#[test]
fn binary_values_are_packed_as_postgresql_packs_them() {
    assert_eq!(binary(Int16Array::from(vec![-2])), [vec![0xff, 0xfe]]);
    assert_eq!(binary(BooleanArray::from(vec![true])), [vec![1]]);
    assert_eq!(binary(Date32Array::from(vec![10_958])), [vec![0, 0, 0, 1]]);
    assert_eq!(binary(TimestampSecondArray::from(vec![946_684_801])), [1_000_000i64.to_be_bytes()]);
    // -12345.67 is the groups 1, 2345, 6700 with the first counting ten thousands.
    let decimal = Decimal128Array::from(vec![-1_234_567]).with_precision_and_scale(10, 2).unwrap();
    assert_eq!(binary(decimal), [[0, 3, 0, 1, 0x40, 0, 0, 2, 0, 1, 0x09, 0x29, 0x1a, 0x2c]]);
    let zero = Decimal128Array::from(vec![0]).with_precision_and_scale(10, 2).unwrap();
    assert_eq!(binary(zero), [[0, 0, 0, 0, 0, 0, 0, 2]]);
    let small = Decimal128Array::from(vec![5]).with_precision_and_scale(10, 6).unwrap();
    assert_eq!(binary(small), [[0, 1, 0xff, 0xfe, 0, 0, 0, 6, 0x01, 0xf4]]);
}

#[test]
fn nested_lists_are_arrays_with_dimensions() {
    let lists = |rows: &[&[i32]]| {
        let mut builder = ListBuilder::new(ListBuilder::new(Int32Builder::new()));
        for row in rows {
            builder.values().append_value(row.iter().map(|value| Some(*value)));
        }
        builder.append(true);
        builder.finish()
    };
    assert_eq!(text(lists(&[&[1, 2], &[3, 4]])), ["{{1,2},{3,4}}"]);
    let packed = binary(lists(&[&[1, 2], &[3, 4]])).remove(0);
    assert_eq!(&packed[..12], [0, 0, 0, 2, 0, 0, 0, 0, 0, 0, 0, 23]);
    assert_eq!(packed.len(), 12 + 2 * 8 + 4 * 8);
    let ragged: ArrayRef = Arc::new(lists(&[&[1], &[2, 3]]));
    let schema = Arc::new(Schema::new(vec![Field::new("value", ragged.data_type().clone(), true)]));
    let layout = Layout::new(&schema, &[1]).unwrap();
    let error = layout.write_rows(&mut BytesMut::new(), &[ragged], 0..1, Zone::default(), usize::MAX).unwrap_err();
    assert_eq!(error.report().code, "0A000");
}

#[test]
fn what_was_described_holds() {
    let schema = |data_type| Schema::new(vec![Field::new("value", data_type, true)]);
    let layout = Layout::described(&schema(DataType::Int64), &schema(DataType::Int32), &[1]).unwrap();
    let batch = RecordBatch::try_new(Arc::new(schema(DataType::Int32)), vec![Arc::new(Int32Array::from(vec![7]))]);
    assert_eq!(layout.conform(&batch.unwrap()).unwrap()[0].data_type(), &DataType::Int64);
    let decimals = Layout::described(&schema(DataType::Decimal128(38, 10)), &schema(DataType::Decimal128(9, 2)), &[]);
    assert_eq!(decimals.unwrap().columns[0].field.data_type(), &DataType::Decimal128(9, 2));
    let unknown = Layout::described(&schema(DataType::Null), &schema(DataType::Boolean), &[1]).unwrap();
    let mut out = BytesMut::new();
    let truth: ArrayRef = Arc::new(BooleanArray::from(vec![true]));
    unknown.write_rows(&mut out, &[truth], 0..1, Zone::default(), usize::MAX).unwrap();
    assert!(out.ends_with(&[0, 0, 0, 1, b't']), "{out:?}");
    let empty = Schema::empty();
    assert_eq!(Layout::described(&empty, &schema(DataType::Int64), &[]).unwrap_err().report().code, "0A000");
    assert_eq!(
        Layout::new(&schema(DataType::Timestamp(TimeUnit::Second, None)), &[0, 1]).unwrap_err().report().code,
        "08P01"
    );
}
