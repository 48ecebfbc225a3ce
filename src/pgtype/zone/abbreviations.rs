//! The abbreviations of zones that PostgreSQL knows without being told (its set `Default`).

/// What an abbreviation says.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Abbreviation {
    /// So many minutes to the east of UTC, at all times.
    Minutes(i64),
    /// What the clocks of a region showed at the time.
    Region(&'static str),
    /// Moscow's clocks when they are not put forward.
    Moscow,
}

/// Those that are as far from UTC at all times, in small letters.
const FIXED: &[(i64, &str)] = &[
    (-600, "hst taht"),
    (-570, "mart"),
    (-540, "akst gamt"),
    (-480, "akdt pst"),
    (-420, "mst pdt"),
    (-360, "cst galt mdt"),
    (-300, "act cdt cot est pet"),
    (-240, "amt ast bot edt"),
    (-210, "nft nst"),
    (-180, "adt bra brt clst gft pmst pyst uyt wgt"),
    (-150, "ndt"),
    (-120, "brst fnt pmdt uyst wgst"),
    (-60, "azot egt fnst"),
    (0, "azost egst gmt uct ut utc wet z zulu"),
    (60, "bst cet met mez wat wetdst"),
    (120, "bdst cest cetdst eet ist mest mesz metdst sast"),
    (180, "eat eest eetdst fet idt"),
    (210, "irt"),
    (240, "msd mut ret sct"),
    (270, "aft"),
    (300, "must mvt pkt tft tjt uzt"),
    (345, "npt"),
    (360, "almt bdt btt kgst pkst uzst xjt yekst"),
    (390, "mmt"),
    (420, "almst cxt ict wast"),
    (480, "awst bnt bort cct hkt myt pht wadt"),
    (525, "acwst"),
    (540, "awsst jayt jst kst pwt ulast wdt"),
    (570, "acst cast"),
    (600, "aest chut ddut kdt ligt mpt pgt trut yapt"),
    (630, "acdt acsst cadt lhst sadt"),
    (660, "aedt aesst pont vut"),
    (720, "fjt gilt mht nzst nzt tvt wakt wft"),
    (765, "chast"),
    (780, "fjst nzdt tot"),
    (825, "chadt"),
];

/// Those that had several distances, by the region in whose history they are looked up.
const REGIONS: &[(&str, &str)] = &[
    ("America/Argentina/Buenos_Aires", "arst art"),
    ("America/Asuncion", "pyt"),
    ("America/Caracas", "vet"),
    ("America/Guyana", "gyt"),
    ("America/Santiago", "clt"),
    ("Antarctica/Davis", "davt"),
    ("Antarctica/Mawson", "mawt"),
    ("Asia/Anadyr", "anast anat"),
    ("Asia/Ashgabat", "tmt"),
    ("Asia/Baku", "azst azt"),
    ("Asia/Bishkek", "kgt"),
    ("Asia/Colombo", "lkt"),
    ("Asia/Irkutsk", "irkst irkt"),
    ("Asia/Kamchatka", "petst pett"),
    ("Asia/Krasnoyarsk", "krast krat"),
    ("Asia/Magadan", "magst magt"),
    ("Asia/Novosibirsk", "novst novt"),
    ("Asia/Omsk", "omsst omst"),
    ("Asia/Singapore", "sgt"),
    ("Asia/Tbilisi", "gest get"),
    ("Asia/Ulaanbaatar", "ulat"),
    ("Asia/Vladivostok", "vlast vlat"),
    ("Asia/Yakutsk", "yakst yakt"),
    ("Asia/Yekaterinburg", "yekt"),
    ("Asia/Yerevan", "amst"),
    ("Atlantic/Stanley", "fkst fkt"),
    ("Australia/Lord_Howe", "lhdt"),
    ("Europe/Volgograd", "volt"),
    ("Indian/Chagos", "iot"),
    ("Pacific/Easter", "easst east"),
    ("Pacific/Fakaofo", "tkt"),
    ("Pacific/Kiritimati", "lint"),
    ("Pacific/Kosrae", "kost"),
    ("Pacific/Niue", "nut"),
    ("Pacific/Rarotonga", "ckt"),
];

/// What an abbreviation in small letters says; none if it is not known.
pub(crate) fn abbreviation(text: &str) -> Option<Abbreviation> {
    let is_among = |known: &str| known.split(' ').any(|known| known == text);
    if text == "msk" {
        return Some(Abbreviation::Moscow);
    }
    if let Some((minutes, _)) = FIXED.iter().find(|(_, known)| is_among(known)) {
        return Some(Abbreviation::Minutes(*minutes));
    }
    REGIONS.iter().find(|(_, known)| is_among(known)).map(|(region, _)| Abbreviation::Region(region))
}
