//! Templates and what they make of values, as PostgreSQL 15.18 has it in a session whose zone is UTC.

use super::{Last, decimal::Decimal, picture::Picture, template::Template, write_number::Number, write_time::Moment};
use crate::fault::Fault;

/// The decimal of a text.
fn numeric(text: &str) -> Decimal {
    let (whole, behind) = text.split_once('.').unwrap_or((text, ""));
    Decimal::new(&format!("{whole}{behind}"), i32::try_from(behind.len()).unwrap())
}

/// Of timestamps in microseconds since 1970.
#[test]
fn timestamps_are_written() {
    for (micros, template, expected) in [
        (1715015289012345, "YYYY-MM-DD HH24:MI:SS.MS", "2024-05-06 17:08:09.012"),
        (1715015289012345, "Day, DDth Month YYYY|", "Monday   , 06th May       2024|"),
        (1715015289012345, "FMDay, FMDDth FMMonth YYYY|", "Monday, 6th May 2024|"),
        (1715015289012345, "DAY day Dy DY dy|", "MONDAY    monday    Mon MON mon|"),
        (1715015289012345, "MONTH month Mon MON mon|", "MAY       may       May MAY may|"),
        (1715015289012345, "TMMonth TMDay|", "May Monday|"),
        (1715015289012345, "HH HH12 HH24 HHth FMHH AM a.m. PM p.m.", "05 05 17 05th 5 PM p.m. PM p.m."),
        (1715015289012345, "FF1 FF2 FF3 FF4 FF5 FF6 US", "0 01 012 0123 01234 012345 012345"),
        (1715015289012345, "SSSS SSSSS", "61689 61689"),
        (1715015289012345, "Y,YYY YYY YY Y y,yyyTH", "2,024 024 24 4 2,024TH"),
        (1715015289012345, "IYYY IYY IY I IW ID IDDD", "2024 024 24 4 19 1 127"),
        (1715015289012345, "CC J Q RM rm| FMRM|", "21 2460437 2 V    v   | V|"),
        (1715015289012345, "D DD DDD W WW", "2 06 127 1 19"),
        (1715015289012345, "BC A.D. ad b.c.", "AD A.D. ad a.d."),
        (1715015289012345, "TZ TZH:TZM OF|", " +00:00 +00|"),
        (1715015289012345, "YYYY\"year \\\"of\\\"\" \\\"x\\\" \\ MMSP FXHH24", "2024year \"of\" \"x\" \\ 05 17"),
        (1715015289012345, "Hh24 é FMTMMM FM", "Hh24 é T05M "),
        (-63517824000000000, "YYYY YYY YY Y BC B.C. CC", "0044 044 44 4 BC B.C. -01"),
        (-63517824000000000, "IYYY Y,YYY J Q DDD ID", "0044 0,044 1705428 1 074 5"),
        (1609632000000000, "IYYY-IW-ID IDDD D WW", "2020-53-7 371 1 01"),
        (1609416000000000, "IYYY-IW-ID IDDD AM DDDth DDth", "2020-53-4 368 PM 366th 31st"),
        (978307200000000, "CC YYYY Y HH12", "21 2001 1 12"),
        (951868799999999, "CC DDD W WW MS SSTH MIth", "20 060 5 09 999 59TH 59th"),
        (8210266790400000000, "YYYY YYY Y,YYY J CC", "262142 142 262,142 97466824 2622"),
    ] {
        let found = Template::parse(template).unwrap().write(&Moment::of_timestamp(micros)).unwrap();
        assert_eq!(found, expected, "{template}");
    }
}

/// Of months, days and microseconds.
#[test]
fn intervals_are_written() {
    for ((months, days, micros), template, expected) in [
        ((0, 0, 54132000000), "HH24:MI:SS", "15:02:12"),
        ((-14, -3, -14706789000), "YYYY MM DD HH24:MI:SS.MS HH RM|", "-0001 -02 -3 -04:-05:-06.-789 -04 XI  |"),
        ((14, 45, 108000000000), "YYYY MM DD HH24 HH12 PM CC Q DDD WW RM|", "0001 02 45 30 06 AM 00 1 465 67 II  |"),
        ((1200, 0, 0), "CC YYYY Y,YYY RM| Q|", "01 0100 0,100 XII | |"),
        ((-1200, 0, 0), "CC YYYY RM|", "-01 -0100 I   |"),
        ((-5, 0, -500000), "MM RM FF3 US MS SSSS|", "-05 VIII -500 -500000 -500 0|"),
        ((0, 0, 0), "HH12 HH24 RM| J", "12 00 | 1721028"),
        ((0, 3, 0), "IYYY IW IDDD J W", "-001 48 334 1721031 1"),
        ((0, 0, 4444441200000000), "HH24 HH SSSS HH24TH", "1234567 07 4444441200 1234567TH"),
    ] {
        let moment = Moment::of_interval(months, days, micros);
        assert_eq!(Template::parse(template).unwrap().write(&moment).unwrap(), expected, "{template}");
    }
}

/// Numbers of each type.
#[test]
fn numbers_are_written() {
    for (number, template, expected) in [
        (Number::Numeric(numeric("12454.8")), "99G999D9S", "12,454.8+"),
        (Number::Numeric(numeric("-12454.8")), "99,999.9S", "12,454.8-"),
        (Number::Numeric(numeric("-0.1")), "99.99", "  -.10"),
        (Number::Numeric(numeric("-0.1")), "FM9.99", "-.1"),
        (Number::Numeric(numeric("-0.1")), "FM90.99", "-0.1"),
        (Number::Numeric(numeric("0.1")), "0.9", " 0.1"),
        (Number::Numeric(numeric("0.5")), ".99", " .##"),
        (Number::Numeric(numeric("12")), "9990999.9", "    0012.0"),
        (Number::Numeric(numeric("12")), "FM9990999.9", "0012."),
        (Number::Numeric(numeric("485")), "9 9 9", " 4 8 5"),
        (Number::Numeric(numeric("1485")), "9,999", " 1,485"),
        (Number::Numeric(numeric("148.5")), "999.999", " 148.500"),
        (Number::Numeric(numeric("148.5")), "FM999.999", "148.5"),
        (Number::Numeric(numeric("148.5")), "FM999.990", "148.500"),
        (Number::Numeric(numeric("3148.5")), "9G999D999", " 3,148.500"),
        (Number::Numeric(numeric("-485")), "999S", "485-"),
        (Number::Numeric(numeric("-485")), "999MI", "485-"),
        (Number::Numeric(numeric("485")), "999MI|", "485 |"),
        (Number::Numeric(numeric("485")), "FM999MI|", "485|"),
        (Number::Numeric(numeric("485")), "PL999", "+ 485"),
        (Number::Numeric(numeric("485")), "SG999", "+485"),
        (Number::Numeric(numeric("-485")), "9SG99", "4-85"),
        (Number::Numeric(numeric("-485")), "999PR", "<485>"),
        (Number::Numeric(numeric("485")), "999PR|", " 485 |"),
        (Number::Numeric(numeric("485")), "L999", "  485"),
        (Number::Int4(485), "RN", "        CDLXXXV"),
        (Number::Int4(485), "FMRN", "CDLXXXV"),
        (Number::Numeric(numeric("5.2")), "FMrn", "v"),
        (Number::Int4(0), "RN", "###############"),
        (Number::Int4(482), "999th", " 482nd"),
        (Number::Int4(11), "FM99TH", "11TH"),
        (Number::Int4(-2), "9th", "-2"),
        (Number::Numeric(numeric("485")), "\"Good number:\"999", "Good number: 485"),
        (Number::Numeric(numeric("485.8")), "\"Pre:\"999\" Post:\" .999", "Pre: 485 Post: .800"),
        (Number::Int4(12), "99V999", " 12000"),
        (Number::Numeric(numeric("12.4")), "99V999", " 12400"),
        (Number::Numeric(numeric("12.45")), "99V9", " 125"),
        (Number::Numeric(numeric("0.0004859")), "9.99EEEE", " 4.86e-04"),
        (Number::Numeric(numeric("9.99")), "9.9EEEE", " 10.0e+00"),
        (Number::Int4(-12345), "9.99EEEE", "-1.23e+04"),
        (Number::Int8(i64::MAX), "9.999999999999999999EEEE", " 9.223372036854775807e+18"),
        (Number::Float8(9.99), "9.9EEEE", " 1.0e+01"),
        (Number::Float8(f64::NAN), "9.9EEEE", " #.#####"),
        (Number::Int4(1234), "999", " ###"),
        (Number::Numeric(numeric("-1234.5")), "99.99", "-##.##"),
        (Number::Int4(1234), "FM999", "###"),
        (Number::Float8(0.45), "9.9", "  .5"),
        (Number::Float8(2.5), "9", " 2"),
        (Number::Float8(-0.4), "9", "-0"),
        (Number::Float8(0.1), "0.99999999999999999999", " 0.10000000000000"),
        (Number::Float8(123456789012345678.0), "999999999999999999", " 123456789012345680"),
        (Number::Float8(f64::INFINITY), "99999999", " Infinity"),
        (Number::Float8(f64::NAN), "999", " NaN"),
        (Number::Float4(std::f32::consts::PI), "9.99999999", " 3.14159"),
        (Number::Float4(1234567.5), "9999999.9", " 1234568"),
        (Number::Numeric(numeric("0")), "9.9", "  .0"),
        (Number::Numeric(numeric("0")), "FM9.9", "0."),
        (Number::Numeric(numeric("0.999")), "9.99", " 1.00"),
        (Number::Numeric(numeric("2.5")), "9", " 3"),
        (Number::Numeric(numeric("-2.5")), "S9", "-3"),
        (Number::Int8(i64::MIN), "9999999999999999999", "-9223372036854775808"),
        (Number::Int4(0), "B9", " 0"),
        (Number::Int4(7), "FM009th", "007th"),
        (Number::Int4(7), "", ""),
        (Number::Numeric(numeric("1234.5")), "S0G000.00x", "+1,234.50x"),
    ] {
        assert_eq!(Picture::parse(template).unwrap().write(&number).unwrap(), expected, "{number:?} {template}");
    }
}

/// As days since 1970.
#[test]
fn dates_are_read() {
    for (text, template, expected) in [
        ("2024-05-06", "YYYY-MM-DD", 19849),
        ("20240506", "YYYYMMDD", 19849),
        ("6 may 2024", "DD Mon YYYY", 19849),
        ("  May   06,2024", "Month DD, YYYY", 19849),
        ("2024-127", "YYYY-DDD", 19849),
        ("2024-19-1", "IYYY-IW-ID", 19849),
        ("2024-127", "IYYY-IDDD", 19849),
        ("2460437", "J", 19849),
        ("24-05-06", "YY-MM-DD", 19849),
        ("70-05-06", "YY-MM-DD", 125),
        ("524-05-06", "YYY-MM-DD", -162773),
        ("2,024-05-06", "Y,YYY-MM-DD", 19849),
        ("44 BC", "YYYY BC", -735233),
        ("V 2024", "RM YYYY", 19844),
        ("21", "CC", 11323),
        ("21 24", "CC YY", 19723),
        ("2024 5 2", "YYYY MM W", 19851),
        ("2024 20", "YYYY WW", 19856),
        ("2024年05月06", "YYYY\"年\"MM\"月\"DD", 19849),
        ("12/2024", "MM/YYYY", 20058),
        ("2024.5", "YYYY-MM", 19844),
        ("2024-02-29", "YYYY-MM-DD", 19782),
        ("06th May 2024", "DDth Month YYYY", 19849),
        ("Mon 2024", "Dy YYYY", 19723),
        ("-44-02-01", "YYYY-MM-DD", -735202),
        ("2 2024", "Q YYYY", 19723),
        ("", "YYYY", -719528),
        ("2024", "", -719528),
    ] {
        let dated = Template::parse(template).unwrap().read(text).unwrap().dated(text).unwrap();
        assert_eq!(dated.days(text).unwrap(), expected, "{text} {template}");
    }
}

/// As microseconds since 1970, of a session in UTC.
#[test]
fn instants_are_read() {
    for (text, template, expected) in [
        ("2024-05-06 17:08:09.012345", "YYYY-MM-DD HH24:MI:SS.US", 1715015289012345),
        ("2024-05-06 05:08 pm", "YYYY-MM-DD HH12:MI AM", 1715015280000000),
        ("2024-05-06 12:08 a.m.", "YYYY-MM-DD HH:MI p.m.", 1714954080000000),
        ("20240506170809", "YYYYMMDDHH24MISS", 1715015289000000),
        ("2024-05-06 17:08:09.25", "YYYY-MM-DD HH24:MI:SS.MS", 1715015289250000),
        ("2024-05-06 17:08:09.123556", "YYYY-MM-DD HH24:MI:SS.FF3", 1715015289124000),
        ("2024-05-06 61689", "YYYY-MM-DD SSSS", 1715015289000000),
        ("2024-05-06 17:08 -03:30", "YYYY-MM-DD HH24:MI TZH:TZM", 1715027880000000),
        ("2024-05-06T17:08+02", "YYYY-MM-DD\"T\"HH24:MITZH", 1715008080000000),
        ("2024-05-06 17-08", "YYYY-MM-DD HH24TZH", 1715043600000000),
        ("2024  05 - 06", "YYYY-MM---DD", 1714953600000000),
        ("2024 MAY 6", "FXYYYY MON D", 1714521600000000),
    ] {
        let dated = Template::parse(template).unwrap().read(text).unwrap().dated(text).unwrap();
        assert_eq!(dated.instant(|_| 0).unwrap(), expected, "{text} {template}");
    }
}

/// As exact decimals.
#[test]
fn numbers_are_read() {
    for (text, template, expected) in [
        ("12,454.8-", "99G999D9S", "-12454.8"),
        ("-34,338,492", "99G999G999", "-34338492"),
        ("-34,338,492.654,878", "99G999G999D999G999", "-34338492.654878"),
        ("<564646.654564>", "999999.999999PR", "-564646.654564"),
        ("0.00001-", "9.999999S", "-0.00001"),
        ("5.01-", "FM9.999999S", "-5.01"),
        ("5.01-", "FM9.999999MI", "-5.01"),
        ("5 4 4 4 4 8 . 7 8", "9 9 9 9 9 9 . 9 9", "544448.78"),
        (".01", "FM9.99", "0.01"),
        (".0", "99999999.99999999", "0.0"),
        ("0", "99.99", "0"),
        (".-01", "S99.99", "-0.01"),
        (".01-", "99.99S", "-0.01"),
        (" . 0 1-", " 9 9 . 9 9 S", "-0.01"),
        ("34,50", "999,99", "3450"),
        ("123,000", "999G", "123"),
        ("123456", "999G999", "123456"),
        ("$1234.56", "L9,999.99", "1234.56"),
        ("1234.56", "L9,999.99", "1234.56"),
        ("42nd", "99th", "42"),
        ("123456", "99999V99", "1234.5600000000000000"),
        ("+7", "9", "7"),
    ] {
        let (digits, places) = Picture::parse(template).unwrap().read(text).unwrap();
        let found = Decimal::new(&digits, i32::try_from(places).unwrap());
        assert_eq!(found, numeric(expected).rounded(places), "{text} {template}");
    }
}

/// With PostgreSQL's kind of fault and how its message begins.
#[test]
fn what_is_no_date_is_refused() {
    for (text, template, fault, message) in [
        ("2024-13-01", "YYYY-MM-DD", Fault::DatetimeOutOfRange, "date/time field value out of range: \"2024-13-01\""),
        ("2024-02-30", "YYYY-MM-DD", Fault::DatetimeOutOfRange, "date/time field value out of range: \"2024-02-30\""),
        ("2023-02-29", "YYYY-MM-DD", Fault::DatetimeOutOfRange, "date/time field value out of range: \"2023-02-29\""),
        ("2023-366", "YYYY-DDD", Fault::DatetimeOutOfRange, "date/time field value out of range: \"2023-366\""),
        ("abc", "YYYY", Fault::InvalidDatetime, "invalid value \"abc\" for \"YYYY\""),
        ("2024 Mayday", "YYYY MM", Fault::InvalidDatetime, "invalid value \"Ma\" for \"MM\""),
        ("2024 Foo 6", "YYYY Mon DD", Fault::InvalidDatetime, "invalid value \"Foo\" for \"Mon\""),
        ("13:00", "HH12:MI", Fault::InvalidDatetime, "hour \"13\" is invalid for the 12-hour clock"),
        ("25:00", "HH24:MI", Fault::DatetimeOutOfRange, "date/time field value out of range: \"25:00\""),
        ("2024-05", "IYYY-MM", Fault::InvalidDatetime, "invalid combination of date conventions"),
        (
            "2024 2025",
            "YYYY YYYY",
            Fault::InvalidDatetime,
            "conflicting values for \"YYYY\" field in formatting string",
        ),
        ("127", "DDD", Fault::InvalidDatetime, "cannot calculate day of year without year information"),
        (
            "2024-05-06 CET",
            "YYYY-MM-DD TZ",
            Fault::FeatureNotSupported,
            "formatting field \"TZ\" is only supported in to_char",
        ),
        (
            "2024-05-06 +02",
            "YYYY-MM-DD OF",
            Fault::FeatureNotSupported,
            "formatting field \"OF\" is only supported in to_char",
        ),
        (
            "2024-05-06 +16",
            "YYYY-MM-DD TZH",
            Fault::ZoneOutOfRange,
            "time zone displacement out of range: \"2024-05-06 +16\"",
        ),
        ("99999999999", "YYYY", Fault::DatetimeOutOfRange, "value for \"YYYY\" in source string is out of range"),
        ("20245", "YYYYMMDD", Fault::InvalidDatetime, "source string too short for \"MM\" formatting field"),
        ("2024x5", "YYYYMM", Fault::InvalidDatetime, "invalid value \"x5\" for \"MM\""),
        ("2024", "Y,YYY", Fault::InvalidDatetime, "invalid input string for \"Y,YYY\""),
        ("24 XM", "HH24 AM", Fault::InvalidDatetime, "invalid value \"XM\" for \"AM\""),
    ] {
        let failure = Template::parse(template).unwrap().read(text).and_then(|fields| fields.dated(text)).unwrap_err();
        assert_eq!(failure.fault(), fault, "{text} {template}");
        assert!(failure.to_string().starts_with(message), "{failure}");
    }
}

/// With PostgreSQL's messages.
#[test]
fn contradictions_in_templates_are_refused() {
    for (template, message) in [
        ("9.9.9", "multiple decimal points"),
        ("9V.9", "cannot use \"V\" and decimal point together"),
        ("9.9V9", "cannot use \"V\" and decimal point together"),
        ("S9S", "cannot use \"S\" twice"),
        ("S9MI", "cannot use \"S\" and \"MI\" together"),
        ("S9PL", "cannot use \"S\" and \"PL\" together"),
        ("S9SG", "cannot use \"S\" and \"SG\" together"),
        ("MI9S", "cannot use \"S\" and \"PL\"/\"MI\"/\"SG\"/\"PR\" together"),
        ("PR9", "\"9\" must be ahead of \"PR\""),
        ("PR0", "\"0\" must be ahead of \"PR\""),
        ("S9PR", "cannot use \"PR\" and \"S\"/\"PL\"/\"MI\"/\"SG\" together"),
        ("9EEEE9", "\"EEEE\" must be the last pattern used"),
        ("9EEEEEEEE", "cannot use \"EEEE\" twice"),
        ("FM9EEEE", "\"EEEE\" is incompatible with other formats"),
        ("RNEEEE", "\"EEEE\" is incompatible with other formats"),
    ] {
        let failure = Picture::parse(template).unwrap_err();
        assert_eq!(failure.fault(), Fault::Syntax, "{template}");
        assert!(failure.to_string().starts_with(message), "{failure}");
    }
}

/// With PostgreSQL's kind of fault and message.
#[test]
fn what_is_no_number_is_refused() {
    for (text, template, fault, message) in [
        ("1", "9EEEE", Fault::FeatureNotSupported, "\"EEEE\" not supported for input"),
        ("I", "RN", Fault::FeatureNotSupported, "\"RN\" not supported for input"),
        ("x", "9", Fault::InvalidText, "invalid input syntax for type numeric: \" \""),
        ("-", "S9", Fault::InvalidText, "invalid input syntax for type numeric: \"-\""),
        ("123", "9.99", Fault::NumericOutOfRange, "numeric field overflow"),
        ("1234", "99.99", Fault::NumericOutOfRange, "numeric field overflow"),
    ] {
        let failure = Picture::parse(template).unwrap().read(text).unwrap_err();
        assert_eq!((failure.fault(), failure.to_string().as_str()), (fault, message), "{text} {template}");
    }
}

/// With PostgreSQL's kind of fault and message.
#[test]
fn numbers_beyond_a_template_are_refused() {
    for (number, template, fault, message) in [
        (Number::Int8(i64::MAX), "9V9", Fault::NumericOutOfRange, "bigint out of range"),
        (Number::Int8(3000000000), "RN", Fault::NumericOutOfRange, "integer out of range"),
        (Number::Numeric(numeric("3000000000")), "RN", Fault::NumericOutOfRange, "integer out of range"),
        (Number::Float8(f64::NAN), "999th", Fault::InvalidText, "\"NaN\" is not a number"),
    ] {
        let failure = Picture::parse(template).unwrap().write(&number).unwrap_err();
        assert_eq!((failure.fault(), failure.to_string().as_str()), (fault, message), "{number:?} {template}");
    }
}

#[test]
fn an_interval_has_no_date() {
    let moment = Moment::of_interval(1, 2, 3);
    for template in ["Day", "dy", "Month", "mon", "BC", "a.d.", "D", "ID", "TZ", "TZH", "TZM", "OF"] {
        let failure = Template::parse(template).unwrap().write(&moment).unwrap_err();
        assert_eq!(failure.fault(), Fault::InvalidDatetime, "{template}");
    }
}

/// PostgreSQL 15 wraps around and writes what is left: `to_char(2000000000, '9V9')` is `-##`.
#[test]
fn an_integer_that_is_moved_beyond_its_type_is_refused() {
    let failure = Picture::parse("9V9").unwrap().write(&Number::Int4(2_000_000_000)).unwrap_err();
    assert_eq!(failure.fault(), Fault::NumericOutOfRange);
}

#[test]
fn a_template_is_read_when_it_changes() {
    let mut last = Last::new(Template::parse);
    for (template, expected) in [("YYYY", "1970"), ("YYYY", "1970"), ("MM", "01")] {
        assert_eq!(last.of(template).unwrap().write(&Moment::of_timestamp(0)).unwrap(), expected);
    }
    assert!(Last::new(Picture::parse).of("9.9.9").is_err());
}
