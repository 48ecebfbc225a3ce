//! Parameters as drivers send them, and those that are refused.

use super::*;

fn parameter(oid: u32, target: &DataType) -> Parameter<'_> {
    Parameter { number: 1, oid, target }
}

fn text(value: &str, target: &DataType) -> ScalarValue {
    parameter(pgtype::of(target).pg.oid, target).decode(Some(value.as_bytes()), 0).unwrap()
}

fn failure(oid: u32, target: &DataType, bytes: &[u8], format: i16) -> (&'static str, String) {
    match parameter(oid, target).decode(Some(bytes), format) {
        Err(Failure::Statement(report)) => (report.code, report.message),
        other => panic!("{other:?}"),
    }
}

fn list(elements: Vec<ScalarValue>, element: &DataType) -> ScalarValue {
    ScalarValue::List(ScalarValue::new_list_nullable(&elements, element))
}

#[test]
fn text_is_read_as_its_type() {
    assert_eq!(text(" 42 ", &DataType::Int64), ScalarValue::Int64(Some(42)));
    assert_eq!(text("t", &DataType::Boolean), ScalarValue::Boolean(Some(true)));
    assert_eq!(text("OFF", &DataType::Boolean), ScalarValue::Boolean(Some(false)));
    assert_eq!(text("-Infinity", &DataType::Float64), ScalarValue::Float64(Some(f64::NEG_INFINITY)));
    assert_eq!(text("2020-01-01", &DataType::Date32), ScalarValue::Date32(Some(18_262)));
    assert_eq!(text("\\x00ff", &DataType::Binary), ScalarValue::Binary(Some(vec![0, 255])));
    assert_eq!(text("a\\\\\\001", &DataType::Binary), ScalarValue::Binary(Some(b"a\\\x01".to_vec())));
    assert_eq!(text("5", &DataType::UInt8), ScalarValue::UInt8(Some(5)));
    let instant = pgtype::TIMESTAMPTZ.arrow(-1).unwrap();
    assert_eq!(
        text("2020-01-01 01:00:00+01", &instant),
        ScalarValue::TimestampMicrosecond(Some(1_577_836_800_000_000), Some("+00:00".into()))
    );
}

#[test]
fn numerics_keep_their_own_scale() {
    let target = DataType::Decimal128(10, 2);
    assert_eq!(text("12.345", &target), ScalarValue::Decimal128(Some(12_345), 38, 3));
    assert_eq!(text("-1e3", &target), ScalarValue::Decimal128(Some(-1000), 38, 0));
    assert_eq!(text(&"9".repeat(50), &target).data_type(), DataType::Decimal256(76, 0));
    let packed = [0, 3, 0, 1, 0x40, 0, 0, 2, 0, 1, 0x09, 0x29, 0x1a, 0x2c];
    let value = parameter(pgtype::NUMERIC.oid, &target).decode(Some(&packed), 1).unwrap();
    assert_eq!(value, ScalarValue::Decimal128(Some(-1_234_567), 38, 2));
    let thousand = [0, 1, 0, 1, 0, 0, 0, 1, 0, 1];
    let value = parameter(pgtype::NUMERIC.oid, &target).decode(Some(&thousand), 1).unwrap();
    assert_eq!(value, ScalarValue::Decimal128(Some(100_000), 38, 1));
    // NaN, whose sign is no other's.
    assert_eq!(failure(pgtype::NUMERIC.oid, &target, &[0, 0, 0, 0, 0xc0, 0, 0, 0], 1).0, "0A000");
    assert_eq!(failure(pgtype::NUMERIC.oid, &target, b"NaN", 0).0, "0A000");
    assert_eq!(failure(pgtype::NUMERIC.oid, &target, b"1e400", 0).0, "22003");
    assert_eq!(failure(pgtype::NUMERIC.oid, &target, &[0, 0, 0, 0, 0x10, 0, 0, 0], 1).0, "22P03");
}

#[test]
fn arrays_are_read_in_both_formats() {
    let target = pgtype::list_of(DataType::Int32);
    let expected = list(vec![ScalarValue::Int32(Some(1)), ScalarValue::Int32(None)], &DataType::Int32);
    assert_eq!(text("{1,NULL}", &target), expected);
    let packed =
        [0, 0, 0, 1, 0, 0, 0, 1, 0, 0, 0, 23, 0, 0, 0, 2, 0, 0, 0, 1, 0, 0, 0, 4, 0, 0, 0, 1, 0xff, 0xff, 0xff, 0xff];
    assert_eq!(parameter(1007, &target).decode(Some(&packed), 1).unwrap(), expected);
    let words = pgtype::list_of(DataType::Utf8);
    let expected = ["a b", "", "NULL", "q\"\\"].map(|word| ScalarValue::Utf8(Some(word.to_owned()))).to_vec();
    assert_eq!(text(r#"{"a b","","NULL","q\"\\"}"#, &words), list(expected, &DataType::Utf8));
    assert_eq!(failure(1007, &target, b"{1,", 0).0, "22P02");
    assert_eq!(failure(1007, &target, &packed[..20], 1).0, "22P03");
    assert_eq!(
        failure(1007, &target, &[0, 0, 0, 1, 0, 0, 0, 0, 0, 0, 0, 23, 0x7f, 0xff, 0xff, 0xff, 0, 0, 0, 1], 1).0,
        "22P03"
    );
}

#[test]
fn wrong_values_are_refused_by_name() {
    let expected = ("22P02", "parameter $1: \"abc\" is not a value of type bigint".to_owned());
    assert_eq!(failure(pgtype::INT8.oid, &DataType::Int64, b"abc", 0), expected);
    assert_eq!(failure(pgtype::INT8.oid, &DataType::Int64, &[0, 1], 1).0, "22P03");
    assert_eq!(failure(pgtype::TEXT.oid, &DataType::Utf8, b"\xff", 0).0, "22021");
    assert_eq!(failure(pgtype::TEXT.oid, &DataType::Utf8, b"a\0", 1).0, "22021");
    assert_eq!(failure(pgtype::DATE.oid, &DataType::Date32, &[0x7f, 0xff, 0xff, 0xff], 1).0, "22003");
    assert_eq!(failure(600, &DataType::Utf8, b"x", 1).0, "0A000");
}

#[test]
fn null_is_null_of_the_type() {
    assert_eq!(parameter(pgtype::INT4.oid, &DataType::Int32).decode(None, 0).unwrap(), ScalarValue::Int32(None));
}
