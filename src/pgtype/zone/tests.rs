//! Answers of PostgreSQL 15.

use chrono::NaiveDateTime;

use super::*;

const SECOND: i64 = MICROS_A_SECOND;

/// 2024-07-01 12:00 and 2024-01-01 12:00 in UTC.
const SUMMER: i64 = 1_719_835_200 * SECOND;
const WINTER: i64 = 1_704_110_400 * SECOND;

fn at(text: &str) -> i64 {
    text.parse::<NaiveDateTime>().unwrap().and_utc().timestamp_micros()
}

/// `timestamptz '2024-07-01 12:00Z' AT TIME ZONE '…'`.
#[test]
fn zones_have_names_abbreviations_and_distances() {
    let seconds = |zone: &str| Zone::called(zone).map(|zone| zone.seconds_at(SUMMER));
    for (zone, hours) in [
        ("MSK", 3.0),
        ("EST5EDT", -4.0),
        ("est", -5.0),
        ("Z", 0.0),
        ("america/denver", -6.0),
        ("america/port-au-prince", -4.0),
        ("Africa/Dar_es_salaam", 3.0),
        ("gb-eire", 1.0),
        ("etc/gmt+3", -3.0),
        (":UTC", 0.0),
        ("+2", -2.0),
        ("3", -3.0),
        ("-05:30", 5.5),
        ("<+03>-03", 3.0),
        ("<>3", -3.0),
        ("FO3", -3.0),
        ("a+3", -3.0),
        ("Etc/GMT+3", -3.0),
        ("FOO25", -25.0),
        ("FOO+167", -167.0),
        ("FOO5BAR", -4.0),
        ("FOO5BAR,M3.2.0,M11.1.0", -4.0),
    ] {
        assert_eq!(seconds(zone).map(|seconds| seconds as f64 / 3_600.0), Some(hours), "{zone}");
    }
    assert_eq!(seconds("FOO-3:30:15"), Some(12_615));
    for wrong in ["", " UTC ", "Mars", "mars/phobos", "nowhere", "+0530", "FOO168", "FOO+168", "FOO3:60", "UTC+3:70"] {
        assert_eq!(seconds(wrong), None, "{wrong}");
    }
    assert_eq!(spelled("america/argentina/buenos_aires"), Some("America/Argentina/Buenos_Aires"));
    assert_eq!(
        (fixed_distance("UTC+3"), fixed_distance("FOO5BAR"), fixed_distance("UTC")),
        (Some(-10_800), None, None)
    );
}

/// `timestamptz '… 12:00 …'`, as the hour of UTC.
#[test]
fn abbreviations_say_what_their_regions_showed() {
    for (shown, zone, instant) in [
        ("2005-07-01T12:00:00", "msk", "2005-07-01T09:00:00"),
        ("2012-07-01T12:00:00", "msk", "2012-07-01T08:00:00"),
        ("2020-07-01T12:00:00", "msk", "2020-07-01T09:00:00"),
        ("1900-07-01T12:00:00", "msk", "1900-07-01T09:00:00"),
        ("2005-07-01T12:00:00", "vet", "2005-07-01T16:00:00"),
        ("2010-07-01T12:00:00", "vet", "2010-07-01T16:30:00"),
        ("2020-07-01T12:00:00", "easst", "2020-07-01T18:00:00"),
        ("2020-01-01T12:00:00", "easst", "2020-01-01T17:00:00"),
        ("2010-07-01T12:00:00", "azt", "2010-07-01T07:00:00"),
        ("2010-07-01T12:00:00", "pst", "2010-07-01T20:00:00"),
    ] {
        let zone = abbreviation(zone).and_then(Zone::abbreviated).unwrap();
        assert_eq!(zone.instant_of(at(shown)), Some(at(instant)), "{shown}");
    }
}

/// `timestamptz '…Z' AT TIME ZONE 'Europe/Berlin'`.
#[test]
fn clocks_go_on_as_they_do() {
    let zone = Zone::named("Europe/Berlin").unwrap();
    for (instant, shown) in [
        ("2099-12-31T23:30:00", "2100-01-01T00:30:00"),
        ("2100-07-01T00:00:00", "2100-07-01T02:00:00"),
        ("2400-01-15T12:00:00", "2400-01-15T13:00:00"),
        ("2400-03-26T00:59:59", "2400-03-26T01:59:59"),
        ("2400-03-26T01:00:00", "2400-03-26T03:00:00"),
        ("9999-10-31T00:59:59", "9999-10-31T02:59:59"),
        ("9999-10-31T01:00:00", "9999-10-31T02:00:00"),
    ] {
        assert_eq!(zone.shown_at(at(instant)), Some(at(shown)), "{instant}");
    }
    assert_eq!(zone.instant_of(at("2400-07-01T12:00:00")), Some(at("2400-07-01T10:00:00")));
}

/// `to_char(timestamptz '…', 'TZ')` in a session of the zone.
#[test]
fn zones_are_called_as_their_clocks_are() {
    for (zone, instant, seconds, name) in [
        ("UTC", SUMMER, 0, "UTC"),
        ("Europe/Berlin", SUMMER, 7_200, "CEST"),
        ("Europe/Berlin", WINTER, 3_600, "CET"),
        ("Asia/Kolkata", WINTER, 19_800, "IST"),
        ("America/Sao_Paulo", SUMMER, -10_800, "-03"),
        ("Asia/Kathmandu", SUMMER, 20_700, "+0545"),
        ("+05:30", SUMMER, 19_800, "+05:30"),
        ("-07:00", SUMMER, -25_200, "-07"),
        ("+20:00", SUMMER, 72_000, "+20"),
    ] {
        let found = Zone::of_session(zone);
        assert_eq!((found.seconds_at(instant), found.abbreviation_at(instant)), (seconds, name.to_owned()), "{zone}");
    }
}

/// 2024-03-31 02:30 is never shown in Berlin, and 2024-10-27 02:30 twice.
#[test]
fn clocks_that_are_put_back_or_forward_show_what_postgresql_takes() {
    let zone = Zone::of_session("Europe/Berlin");
    assert_eq!([SUMMER, WINTER].map(|shown| zone.seconds_where(shown)), [7_200, 3_600]);
    let twice_or_never = [1_711_852_200 * SECOND, 1_729_996_200 * SECOND];
    assert_eq!(twice_or_never.map(|shown| zone.seconds_where(shown)), [3_600, 3_600]);
}
