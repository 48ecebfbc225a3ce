//! The zones that texts of times name, and what the clocks of a zone show.

use arrow::array::timezone::Tz;
use chrono::{DateTime, Days, MappedLocalTime, Offset, TimeZone};

/// The abbreviations that PostgreSQL 15 knows without being told, by their distance to UTC in minutes, the same at all times:
/// `CET` is no region, which has a summer time. Those that PostgreSQL looks up in the history of a region are not among
/// them.
const ABBREVIATIONS: [(i64, &[&str]); 36] = [
    (-600, &["HST", "TAHT"]),
    (-570, &["MART"]),
    (-540, &["AKST", "GAMT"]),
    (-480, &["AKDT", "PST"]),
    (-420, &["MST", "PDT"]),
    (-360, &["CST", "GALT", "MDT"]),
    (-300, &["ACT", "CDT", "COT", "EST", "PET"]),
    (-240, &["AMT", "AST", "BOT", "EDT"]),
    (-210, &["NFT", "NST"]),
    (-180, &["ADT", "BRA", "BRT", "CLST", "GFT", "PMST", "PYST", "UYT", "WGT"]),
    (-150, &["NDT"]),
    (-120, &["BRST", "FNT", "PMDT", "UYST", "WGST"]),
    (-60, &["AZOT", "EGT", "FNST"]),
    (0, &["AZOST", "EGST", "GMT", "UCT", "UT", "UTC", "WET", "Z", "ZULU"]),
    (60, &["BST", "CET", "MET", "MEZ", "WAT", "WETDST"]),
    (120, &["BDST", "CEST", "CETDST", "EET", "IST", "MEST", "MESZ", "METDST", "SAST"]),
    (180, &["EAT", "EEST", "EETDST", "FET", "IDT"]),
    (210, &["IRT"]),
    (240, &["MSD", "MUT", "RET", "SCT"]),
    (270, &["AFT"]),
    (300, &["MUST", "MVT", "PKT", "TFT", "TJT", "UZT"]),
    (345, &["NPT"]),
    (360, &["ALMT", "BDT", "BTT", "KGST", "PKST", "UZST", "XJT", "YEKST"]),
    (390, &["MMT"]),
    (420, &["ALMST", "CXT", "ICT", "WAST"]),
    (480, &["AWST", "BNT", "BORT", "CCT", "HKT", "MYT", "PHT", "WADT"]),
    (525, &["ACWST"]),
    (540, &["AWSST", "JAYT", "JST", "KST", "PWT", "ULAST", "WDT"]),
    (570, &["ACST", "CAST"]),
    (600, &["AEST", "CHUT", "DDUT", "KDT", "LIGT", "MPT", "PGT", "TRUT", "YAPT"]),
    (630, &["ACDT", "ACSST", "CADT", "LHST", "SADT"]),
    (660, &["AEDT", "AESST", "PONT", "VUT"]),
    (720, &["FJT", "GILT", "MHT", "NZST", "NZT", "TVT", "WAKT", "WFT"]),
    (765, &["CHAST"]),
    (780, &["FJST", "NZDT", "TOT"]),
    (825, &["CHADT"]),
];

/// When clocks of `MSK` were four hours ahead of UTC, in the seconds since 1970 that they showed; before and after they are
/// three hours ahead.
const MOSCOW_AHEAD: std::ops::Range<i64> = 1_301_191_200..1_414_285_200;

/// The seconds by which a zone, called by an abbreviation or as the database of zones has it, is ahead of UTC when its
/// clocks show so many seconds since 1970. None for an unknown name, and for a time that a region's clocks show twice or
/// never.
pub(super) fn distance(name: &str, shown: i64) -> Option<i64> {
    if name.eq_ignore_ascii_case("MSK") {
        return Some(if MOSCOW_AHEAD.contains(&shown) { 4 * 3600 } else { 3 * 3600 });
    }
    let is_of = |names: &[&str]| names.iter().any(|known| known.eq_ignore_ascii_case(name));
    if let Some((minutes, _)) = ABBREVIATIONS.iter().find(|(_, names)| is_of(names)) {
        return Some(minutes * 60);
    }
    let zone: Tz = name.parse().ok()?;
    let local = DateTime::from_timestamp(shown, 0)?.naive_utc();
    let offset = zone.offset_from_local_datetime(&local).single()?;
    Some(i64::from(offset.fix().local_minus_utc()))
}

/// The clocks of a column's zone.
#[derive(Debug, Clone, Copy)]
pub(super) enum Clocks {
    Utc,
    Of(Tz),
}

impl Clocks {
    /// Of a zone as columns name it.
    pub(super) fn named(name: &str) -> Option<Self> {
        match name {
            "UTC" | "+00:00" => Some(Self::Utc),
            name => name.parse().ok().map(Self::Of),
        }
    }

    /// The seconds since 1970 in UTC when the clocks show so many. What they show twice is the later time, and what they
    /// never show goes by the time before they were put forward, as in PostgreSQL.
    pub(super) fn instant(&self, shown: i64) -> Option<i64> {
        let Self::Of(zone) = self else { return Some(shown) };
        let local = DateTime::from_timestamp(shown, 0)?.naive_utc();
        let offset = match zone.offset_from_local_datetime(&local) {
            MappedLocalTime::Single(offset) => offset.fix(),
            MappedLocalTime::Ambiguous(_, after) => after.fix(),
            MappedLocalTime::None => {
                let before = local.checked_sub_days(Days::new(1))?;
                zone.offset_from_utc_datetime(&before).fix()
            }
        };
        shown.checked_sub(i64::from(offset.local_minus_utc()))
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;

    /// 2024-07-01 12:00:00.
    const SUMMER: i64 = 1_719_835_200;

    #[test]
    fn abbreviations_are_postgresqls() {
        // As PostgreSQL 15 reads them.
        for (name, hours) in [("CET", 1), ("cest", 2), ("EET", 2), ("MSK", 3), ("EST", -5), ("PDT", -7), ("BST", 1)] {
            assert_eq!(distance(name, SUMMER), Some(hours * 3600), "{name}");
        }
        // Those that several places have are where its Default set has them; what is not there is no zone.
        for (name, hours) in [("IST", 2), ("CST", -6), ("AMT", -4), ("CCT", 8), ("AST", -4)] {
            assert_eq!(distance(name, SUMMER), Some(hours * 3600), "{name}");
        }
        assert_eq!((distance("ECT", SUMMER), distance("WST", SUMMER)), (None, None));
        // 2012-07-01 12:00:00.
        assert_eq!(distance("MSK", 1_341_144_000), Some(4 * 3600));
        assert_eq!(distance("Europe/Berlin", SUMMER), Some(2 * 3600));
        assert_eq!((distance("Nowhere", SUMMER), distance("", SUMMER)), (None, None));
    }

    #[test]
    fn clocks_that_are_put_back_or_forward_show_what_postgresql_takes() {
        let denver = Clocks::named("America/Denver").unwrap();
        assert_eq!(denver.instant(SUMMER), Some(SUMMER + 6 * 3600));
        // 2024-11-03 01:30:00 is 08:30 in UTC, 2024-03-10 02:30:00 is 09:30.
        assert_eq!(denver.instant(1_730_597_400), Some(1_730_622_600));
        assert_eq!(denver.instant(1_710_037_800), Some(1_710_063_000));
        assert_eq!(Clocks::named("+00:00").unwrap().instant(SUMMER), Some(SUMMER));
        assert!(Clocks::named("Nowhere").is_none());
    }
}
