//! Parameters as drivers send them, and those that are refused.

use super::*;

fn parameter(oid: u32, target: &DataType) -> Parameter<'_> {
    Parameter { number: 1, oid, target }
}

fn text(value: &str, target: &DataType) -> ScalarValue {
    parameter(pgtype::of(target).pg.oid, target).decode(Some(value.as_bytes()), 0, "UTC".into()).unwrap()
}

fn failure(oid: u32, target: &DataType, bytes: &[u8], format: i16) -> (&'static str, String) {
    match parameter(oid, target).decode(Some(bytes), format, "UTC".into()) {
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
    let value = parameter(pgtype::NUMERIC.oid, &target).decode(Some(&packed), 1, "UTC".into()).unwrap();
    assert_eq!(value, ScalarValue::Decimal128(Some(-1_234_567), 38, 2));
    let thousand = [0, 1, 0, 1, 0, 0, 0, 1, 0, 1];
    let value = parameter(pgtype::NUMERIC.oid, &target).decode(Some(&thousand), 1, "UTC".into()).unwrap();
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
    assert_eq!(parameter(1007, &target).decode(Some(&packed), 1, "UTC".into()).unwrap(), expected);
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
fn arrays_have_their_own_dimensions_and_digits() {
    let target = pgtype::list_of(DataType::Int32);
    let row = |items: [i32; 2]| list(items.map(|item| ScalarValue::Int32(Some(item))).to_vec(), &DataType::Int32);
    let expected = list(vec![row([1, 2]), row([3, 4])], &target);
    assert_eq!(text("{{1,2},{3,4}}", &target), expected);
    let element = |item: u8| [0, 0, 0, 4, 0, 0, 0, item];
    let header: [u8; 28] = [0, 0, 0, 2, 0, 0, 0, 0, 0, 0, 0, 23, 0, 0, 0, 2, 0, 0, 0, 1, 0, 0, 0, 2, 0, 0, 0, 1];
    let packed = [header.as_slice(), [1, 2, 3, 4].map(element).concat().as_slice()].concat();
    assert_eq!(parameter(1007, &target).decode(Some(&packed), 1, "UTC".into()).unwrap(), expected);
    assert_eq!(failure(1007, &target, &packed[..packed.len() - 8], 1).0, "22P03");
    // Its places count from 0.
    let mut low = packed;
    low[19] = 0;
    assert_eq!(failure(1007, &target, &low, 1).0, "0A000");
    assert_eq!(text("{}", &pgtype::list_of(target.clone())), list(Vec::new(), &target));

    let numbers = pgtype::list_of(DataType::Decimal128(10, 2));
    let decimal = DataType::Decimal128(38, 3);
    let expected = [Some(1500), None, Some(5)].map(|digits| ScalarValue::Decimal128(digits, 38, 3)).to_vec();
    assert_eq!(text("{1.5,NULL,0.005}", &numbers), list(expected, &decimal));
    let long = text(&format!("{{{},0.5}}", "9".repeat(50)), &numbers);
    assert_eq!(long.data_type(), pgtype::list_of(DataType::Decimal256(76, 1)));
    let beyond = format!("{{{},0.5}}", "9".repeat(76));
    assert_eq!(failure(pgtype::NUMERIC.array, &numbers, beyond.as_bytes(), 0).0, "22003");

    let words = pgtype::list_of(DataType::Utf8);
    let uuids = parameter(pgtype::UUID.array, &words)
        .decode(Some(b"{A0EEBC999C0B4EF8BB6D6BB9BD380A11}"), 0, "UTC".into())
        .unwrap();
    let plain = ScalarValue::Utf8(Some("a0eebc99-9c0b-4ef8-bb6d-6bb9bd380a11".to_owned()));
    assert_eq!(uuids, list(vec![plain], &DataType::Utf8));
}

#[test]
fn times_that_are_not_stored_are_refused() {
    let timestamp = pgtype::TIMESTAMP.arrow(-1).unwrap();
    let refused = |pg: &pgtype::PgType, bytes: &[u8]| failure(pg.oid, &pg.arrow(-1).unwrap(), bytes, 1);
    // Those that PostgreSQL sends as infinity and -infinity are.
    for days in [i32::MIN, i32::MAX] {
        let value =
            parameter(pgtype::DATE.oid, &DataType::Date32).decode(Some(&days.to_be_bytes()), 1, "UTC".into()).unwrap();
        assert_eq!(value, ScalarValue::Date32(Some(days)));
    }
    for micros in [i64::MIN, i64::MAX] {
        let value =
            parameter(pgtype::TIMESTAMP.oid, &timestamp).decode(Some(&micros.to_be_bytes()), 1, "UTC".into()).unwrap();
        assert_eq!(value, ScalarValue::TimestampMicrosecond(Some(micros), None));
    }
    // 24 November 4714 BC is the first day.
    let first = -2_451_545_i32;
    let value =
        parameter(pgtype::DATE.oid, &DataType::Date32).decode(Some(&first.to_be_bytes()), 1, "UTC".into()).unwrap();
    assert_eq!(value, ScalarValue::Date32(Some(-2_440_588)));
    let micros = i64::from(first) * 86_400_000_000;
    assert!(parameter(pgtype::TIMESTAMP.oid, &timestamp).decode(Some(&micros.to_be_bytes()), 1, "UTC".into()).is_ok());
    for (pg, bytes) in [
        (&pgtype::DATE, &(first - 1).to_be_bytes()[..]),
        (&pgtype::DATE, &(i32::MAX - 1).to_be_bytes()),
        (&pgtype::TIMESTAMP, &(micros - 1).to_be_bytes()),
        (&pgtype::TIMESTAMPTZ, &(i64::MAX - 1).to_be_bytes()),
        (&pgtype::TIME, &(-1_i64).to_be_bytes()),
        (&pgtype::TIME, &86_400_000_001_i64.to_be_bytes()),
    ] {
        assert_eq!(refused(pg, bytes).0, "22008", "{}", pg.name);
    }
}

#[test]
fn wrong_values_are_refused_by_name() {
    let expected = ("22P02", "parameter $1: \"abc\" is not a value of type bigint".to_owned());
    assert_eq!(failure(pgtype::INT8.oid, &DataType::Int64, b"abc", 0), expected);
    assert_eq!(failure(pgtype::INT8.oid, &DataType::Int64, &[0, 1], 1).0, "22P03");
    assert_eq!(failure(pgtype::TEXT.oid, &DataType::Utf8, b"\xff", 0).0, "22021");
    assert_eq!(failure(pgtype::TEXT.oid, &DataType::Utf8, b"a\0", 1).0, "22021");
    assert_eq!(failure(pgtype::INT2.oid, &DataType::Int16, b"32768", 0).0, "22003");
    assert_eq!(failure(pgtype::INT8.oid, &DataType::Int64, b"-9223372036854775809", 0).0, "22003");
    assert_eq!(failure(600, &DataType::Utf8, b"x", 1).0, "0A000");
}

#[test]
fn null_is_null_of_the_type() {
    assert_eq!(
        parameter(pgtype::INT4.oid, &DataType::Int32).decode(None, 0, "UTC".into()).unwrap(),
        ScalarValue::Int32(None)
    );
}
