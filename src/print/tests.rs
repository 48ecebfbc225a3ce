//! Values as texts, with all that they hold.

use arrow::{
    array::{
        BinaryArray, Date32Builder, DurationMicrosecondArray, FixedSizeListArray, Float32Array, Float64Array,
        Float64Builder, IntervalMonthDayNanoArray, ListBuilder, MapBuilder, RecordBatch, StringBuilder, StructArray,
        Time32SecondArray, Time64MicrosecondArray, Time64NanosecondArray, TimestampMicrosecondArray,
        TimestampMillisecondArray, TimestampNanosecondArray, TimestampSecondArray,
    },
    datatypes::{Float32Type, Schema},
    json::writer::LineDelimited,
};

use super::*;

fn printed(array: impl Array + 'static, form: Form) -> Vec<String> {
    let texts = texts(&(Arc::new(array) as ArrayRef), form).unwrap();
    texts.iter().map(|text| text.unwrap_or("NULL").to_owned()).collect()
}

fn whole(array: impl Array + 'static) -> Vec<String> {
    printed(array, Form::default())
}

#[test]
fn times_keep_their_digits() {
    assert_eq!(
        whole(TimestampNanosecondArray::from(vec![1, -1, 1_500])),
        ["1970-01-01 00:00:00.000000001", "1969-12-31 23:59:59.999999999", "1970-01-01 00:00:00.0000015"]
    );
    assert_eq!(whole(TimestampMillisecondArray::from(vec![1_250])), ["1970-01-01 00:00:01.25"]);
    assert_eq!(whole(Time64NanosecondArray::from(vec![Some(1), None])), ["00:00:00.000000001", "NULL"]);
    assert_eq!(whole(Time32SecondArray::from(vec![3_661])), ["01:01:01"]);
    let interval = || IntervalMonthDayNanoArray::from(vec![IntervalMonthDayNano::new(0, 0, -1_500)]);
    assert_eq!(whole(interval()), ["-00:00:00.0000015"]);
    assert_eq!(printed(interval(), Form { in_micros: true, ..Form::default() }), ["-00:00:00.000001"]);
}

#[test]
fn what_no_calendar_of_arrow_has_is_written() {
    assert_eq!(whole(Time64MicrosecondArray::from(vec![86_400_000_000])), ["24:00:00"]);
    assert_eq!(whole(TimestampMicrosecondArray::from(vec![i64::MAX - 1])), ["294247-01-10 04:00:54.775806"]);
    assert_eq!(whole(TimestampSecondArray::from(vec![-62_135_596_801])), ["0001-12-31 23:59:59 BC"]);
    let days = DurationMicrosecondArray::from(vec![315_537_897_600_000_000, -1_500_000]);
    assert_eq!(whole(days), ["87649416:00:00", "-00:00:01.5"]);
}

#[test]
fn what_is_before_or_after_all_others_is_a_word_in_every_style() {
    let infinite = TimestampMicrosecondArray::from(vec![i64::MIN, i64::MAX]);
    assert_eq!(whole(infinite.clone().with_timezone("Asia/Tokyo")), ["-infinity", "infinity"]);
    let styles = Styles { dates: pgtype::DateStyle::Postgres, ..Styles::default() };
    assert_eq!(printed(infinite, Form { styles, ..Form::default() }), ["-infinity", "infinity"]);
    assert_eq!(whole(arrow::array::Date32Array::from(vec![i32::MIN, i32::MAX])), ["-infinity", "infinity"]);
}

#[test]
fn instants_are_in_the_zone_of_the_form_or_of_their_column() {
    let instants = || TimestampSecondArray::from(vec![1_577_836_800]).with_timezone("America/New_York");
    assert_eq!(whole(instants()), ["2019-12-31 19:00:00-05"]);
    let in_india = Form { zone: Some(Zone::of_session("Asia/Kolkata")), ..Form::default() };
    assert_eq!(printed(instants(), in_india), ["2020-01-01 05:30:00+05:30"]);
}

#[test]
fn lists_are_told_apart() {
    let mut builder = ListBuilder::new(StringBuilder::new());
    for list in [&["a, b"][..], &["a", "b"], &["", "null", "x y", "\\\""], &[]] {
        list.iter().for_each(|text| builder.values().append_value(text));
        builder.append(true);
    }
    builder.values().append_null();
    builder.append(true);
    builder.append(false);
    let expected = [r#"{"a, b"}"#, "{a,b}", r#"{"","null","x y","\\\""}"#, "{}", "{NULL}", "NULL"];
    assert_eq!(whole(builder.finish()), expected);
    let vectors = [Some(vec![Some(0.5), Some(1.0)]), None];
    assert_eq!(whole(FixedSizeListArray::from_iter_primitive::<Float32Type, _, _>(vectors, 2)), ["{0.5,1}", "NULL"]);
}

#[test]
fn json_has_them_as_texts() {
    let columns: Vec<(&str, ArrayRef)> = vec![
        ("t", Arc::new(Time64MicrosecondArray::from(vec![86_400_000_000]))),
        ("at", Arc::new(TimestampMicrosecondArray::from(vec![253_402_300_800_500_000]).with_timezone("+00:00"))),
        ("b", Arc::new(BinaryArray::from(vec![&b"\x00\xfe"[..]]))),
    ];
    let batch = RecordBatch::try_from_iter(columns).unwrap();
    let expected = r#"{"t":"24:00:00","at":"10000-01-01T00:00:00.5+00:00","b":"\\x00fe"}"#;
    assert_eq!(whole(StructArray::from(batch.clone())), [expected]);
    let mut writer = json_writers().build::<_, LineDelimited>(Vec::new());
    writer.write(&batch).unwrap();
    writer.finish().unwrap();
    assert_eq!(String::from_utf8(writer.into_inner()).unwrap(), format!("{expected}\n"));
}

#[test]
fn json_has_floats_that_are_no_numbers_by_their_names() {
    let columns: Vec<(&str, ArrayRef)> = vec![
        ("d", Arc::new(Float64Array::from(vec![f64::NAN, f64::NEG_INFINITY, 0.1]))),
        ("s", Arc::new(Float32Array::from(vec![f32::INFINITY, 0.1, 2.0]))),
    ];
    let rows = StructArray::from(RecordBatch::try_from_iter(columns).unwrap());
    let expected = [r#"{"d":NaN,"s":Infinity}"#, r#"{"d":-Infinity,"s":0.1}"#, r#"{"d":0.1,"s":2.0}"#];
    assert_eq!(whole(rows), expected);
}

#[test]
fn maps_of_any_keys_are_objects() {
    let mut days = MapBuilder::new(None, Date32Builder::new(), Float64Builder::new());
    days.keys().append_value(0);
    days.values().append_value(f64::NAN);
    days.keys().append_value(1);
    days.values().append_null();
    days.append(true).unwrap();
    days.append(true).unwrap();
    days.append(false).unwrap();
    let days = days.finish();
    assert_eq!(whole(days.slice(1, 2)), ["{}", "NULL"]);
    assert_eq!(whole(days), [r#"{"1970-01-01":NaN,"1970-01-02":null}"#, "{}", "NULL"]);
    let mut lists = MapBuilder::new(None, ListBuilder::new(StringBuilder::new()), StringBuilder::new());
    lists.keys().append_value([Some("a b"), None]);
    lists.values().append_value("x");
    lists.append(true).unwrap();
    assert_eq!(whole(lists.finish()), [r#"{"{\"a b\",NULL}":"x"}"#]);
}

#[test]
fn a_result_is_shown_in_the_zone_of_the_session() {
    let field = |zone: &str| Field::new("at", DataType::Timestamp(TimeUnit::Second, Some(zone.into())), true);
    let schema = Schema::new(vec![field("+00:00"), field("Asia/Kolkata")]);
    let form = Form { zone: Some(zone_of(&schema)), ..Form::default() };
    assert_eq!(printed(TimestampSecondArray::from(vec![0]).with_timezone("UTC"), form), ["1970-01-01 05:30:00+05:30"]);
}

/// As PostgreSQL 15 prints them where `extra_float_digits` is 0, -10 and -15.
#[test]
fn floats_have_as_many_digits_as_are_asked_for() {
    let doubles = [0.1, 1.0 / 3.0, 123_456_789.123_456_79, 1e20, 1e15, -0.000_012_345_678_901_234_56, -0.0, 99_999.5];
    let reals = [0.1, 1.0 / 3.0, 123_456.79, 1e20, 1e6, 0.000_123_456_7, f32::NAN, 9.999_999];
    for (fewer, of_doubles, of_reals) in [
        (
            0,
            "0.1 0.333333333333333 123456789.123457 1e+20 1e+15 -1.23456789012346e-05 -0 99999.5",
            "0.1 0.333333 123457 1e+20 1e+06 0.000123457 NaN 10",
        ),
        (10, "0.1 0.33333 1.2346e+08 1e+20 1e+15 -1.2346e-05 -0 1e+05", "0.1 0.3 1e+05 1e+20 1e+06 0.0001 NaN 1e+01"),
        (15, "0.1 0.3 1e+08 1e+20 1e+15 -1e-05 -0 1e+05", "0.1 0.3 1e+05 1e+20 1e+06 0.0001 NaN 1e+01"),
    ] {
        let styles = Styles { floats: pgtype::FloatDigits::Fewer(fewer), ..Styles::default() };
        let form = Form { styles, ..Form::default() };
        assert_eq!(printed(Float64Array::from(doubles.to_vec()), form).join(" "), of_doubles);
        assert_eq!(printed(Float32Array::from(reals.to_vec()), form).join(" "), of_reals);
    }
}
