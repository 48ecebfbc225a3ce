//! Which values settings take, and how those are told: numbers with units, words, switches, as PostgreSQL reads and prints
//! them. It knows no session.

/// Which values a setting takes.
#[derive(Debug, Clone, Copy)]
pub(super) enum Takes {
    /// Any text.
    Text,
    /// What a client calls itself, of which nothing is kept that is not ASCII.
    ClientName,
    /// None: it tells, and can't be set.
    Nothing,
    /// None: it is the server's, which is started with it.
    Server,
    /// None: it is in the server's files, which are read again while it runs.
    Files,
    /// None: it is a connection's from its beginning.
    Connection,
    /// Whether something is, in PostgreSQL's many words for it.
    Boolean,
    /// The same, of which only this one is done.
    Always(bool),
    /// One of these words.
    Word(&'static [&'static str]),
    /// One of these words, or whether something is.
    Switch(&'static [&'static str]),
    /// One of these words, of which only the first is done.
    First(&'static [&'static str]),
    /// A whole number from the least to the most, of this unit.
    Number { least: i64, most: i64, unit: Unit },
    /// A number from the least to the most.
    Fraction { least: f64, most: f64 },
    /// An encoding of texts, of which only UTF-8 is spoken.
    Encoding,
    /// How far a transaction is kept apart from others.
    Isolation,
    /// A time zone.
    TimeZone,
    /// A style of dates, of which only ISO is done, and the order of day and month.
    Dates,
    /// Names of schemas.
    Schemas,
    /// The session's own user, or nobody in particular.
    Role,
}

/// What a number counts.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Unit {
    None,
    Milliseconds,
    Seconds,
    Bytes,
    Kilobytes,
    /// Of eight kilobytes.
    Blocks,
}

/// Why a text is no number of a setting.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Refused {
    /// It is none at all.
    Malformed,
    /// It is too small or too large: this is how it is told, beside the least and the most.
    OutOfRange(String),
}

/// The units of time, the greatest first, in microseconds.
const TIMES: &[(&str, f64)] = &[("d", 86_400e6), ("h", 3_600e6), ("min", 60e6), ("s", 1e6), ("ms", 1e3), ("us", 1.0)];

/// The units of memory, the greatest first, in bytes.
const SIZES: &[(&str, f64)] =
    &[("TB", 1_099_511_627_776.0), ("GB", 1_073_741_824.0), ("MB", 1_048_576.0), ("kB", 1_024.0), ("B", 1.0)];

impl Unit {
    /// The units that a number may be written with, and what one of this unit is in the smallest of them.
    fn family(self) -> (&'static [(&'static str, f64)], f64) {
        match self {
            Self::None => (&[], 1.0),
            Self::Milliseconds => (TIMES, 1e3),
            Self::Seconds => (TIMES, 1e6),
            Self::Bytes => (SIZES, 1.0),
            Self::Kilobytes => (SIZES, 1_024.0),
            Self::Blocks => (SIZES, 8_192.0),
        }
    }

    fn name(self) -> &'static str {
        match self {
            Self::None => "",
            Self::Milliseconds => "ms",
            Self::Seconds => "s",
            Self::Bytes => "B",
            Self::Kilobytes => "kB",
            Self::Blocks => "8kB",
        }
    }
}

/// A whole number with or without a unit, in the unit of its setting.
pub(super) fn number(text: &str, (least, most): (i64, i64), unit: Unit) -> Result<i64, Refused> {
    let (written, rest) = leading_number(text.trim_ascii_start()).ok_or(Refused::Malformed)?;
    let (known, own) = unit.family();
    let exact = match rest.trim_ascii() {
        "" => written,
        name => {
            let found = known.iter().find(|(unit, _)| *unit == name).ok_or(Refused::Malformed)?;
            written * found.1 / own
        }
    };
    let rounded = exact.round_ties_even();
    if !(f64::from(i32::MIN)..=f64::from(i32::MAX)).contains(&rounded) {
        return Err(Refused::Malformed);
    }
    let number = rounded as i64;
    if (least..=most).contains(&number) {
        return Ok(number);
    }
    Err(Refused::OutOfRange(match unit {
        Unit::None => number.to_string(),
        unit => format!("{number} {}", unit.name()),
    }))
}

/// A number as SHOW tells it: in the greatest unit of which it is a whole number.
pub(super) fn told(number: i64, unit: Unit) -> String {
    let (known, own) = unit.family();
    let shown = known.iter().find_map(|(name, size)| {
        let count = number as f64 * own / size;
        (number > 0 && count.fract() == 0.0).then(|| format!("{count}{name}"))
    });
    shown.unwrap_or_else(|| number.to_string())
}

/// The number of a text that `told` has made, or `number` would take.
pub(super) fn read(text: &str, unit: Unit) -> Option<u64> {
    number(text, (i64::MIN, i64::MAX), unit).ok().and_then(|number| u64::try_from(number).ok())
}

/// A number of any kind.
pub(super) fn fraction(text: &str, least: f64, most: f64) -> Result<f64, Refused> {
    let (number, rest) = leading_number(text.trim_ascii_start()).ok_or(Refused::Malformed)?;
    if !rest.trim_ascii().is_empty() || !number.is_finite() {
        return Err(Refused::Malformed);
    }
    if (least..=most).contains(&number) { Ok(number) } else { Err(Refused::OutOfRange(six_digits(number))) }
}

/// A number of any kind with six digits, as C's `%g` prints it.
pub(super) fn six_digits(number: f64) -> String {
    const DIGITS: usize = 6;
    let scientific = format!("{number:.*e}", DIGITS - 1);
    let Some((mantissa, exponent)) = scientific.split_once('e') else { return scientific };
    let shortened = |text: &str| match text.contains('.') {
        true => text.trim_end_matches('0').trim_end_matches('.').to_owned(),
        false => text.to_owned(),
    };
    match exponent.parse::<i32>() {
        Ok(exponent) if (-4..6).contains(&exponent) => {
            let places = usize::try_from(5 - exponent).unwrap_or(0);
            shortened(&format!("{number:.places$}"))
        }
        Ok(exponent) => {
            let sign = if exponent < 0 { '-' } else { '+' };
            format!("{}e{sign}{:02}", shortened(mantissa), exponent.unsigned_abs())
        }
        Err(_) => scientific,
    }
}

/// The number that a text begins with, and the rest: decimal, or as C writes hexadecimal and octal numbers.
fn leading_number(text: &str) -> Option<(f64, &str)> {
    let (sign, digits) = match text.as_bytes().first() {
        Some(b'-') => (-1.0, &text[1..]),
        Some(b'+') => (1.0, &text[1..]),
        _ => (1.0, text),
    };
    if let Some(hexadecimal) = digits.strip_prefix("0x").or_else(|| digits.strip_prefix("0X")) {
        let end = run(hexadecimal, |byte| byte.is_ascii_hexdigit());
        let number = u32::from_str_radix(&hexadecimal[..end], 16).ok()?;
        return Some((sign * f64::from(number), &hexadecimal[end..]));
    }
    let whole = run(digits, |byte| byte.is_ascii_digit());
    let mut end = whole;
    if let Some(places) = digits[end..].strip_prefix('.') {
        end += 1 + run(places, |byte| byte.is_ascii_digit());
    }
    if end == 0 || &digits[..end] == "." {
        return None;
    }
    if digits[end..].starts_with(['e', 'E']) {
        let exponent = digits[end + 1..].strip_prefix(['+', '-']).unwrap_or(&digits[end + 1..]);
        let length = run(exponent, |byte| byte.is_ascii_digit());
        if length > 0 {
            end = digits.len() - exponent.len() + length;
        }
    }
    let (written, rest) = digits.split_at(end);
    if end == whole && written.len() > 1 && written.starts_with('0') {
        let number = u32::from_str_radix(written, 8).ok()?;
        return Some((sign * f64::from(number), rest));
    }
    written.parse::<f64>().ok().map(|number| (sign * number, rest))
}

/// How many bytes at the beginning are such.
fn run(text: &str, is_part: impl Fn(u8) -> bool) -> usize {
    text.bytes().position(|byte| !is_part(byte)).unwrap_or(text.len())
}

/// The words for yes and no, which PostgreSQL lets be shortened as long as they are told apart.
pub(super) fn boolean(text: &str) -> Option<bool> {
    let text = text.trim().to_ascii_lowercase();
    let starts = |word: &str, least: usize| text.len() >= least && word.starts_with(text.as_str());
    match text.as_str() {
        "1" => Some(true),
        "0" => Some(false),
        _ if starts("true", 1) || starts("yes", 1) || starts("on", 2) => Some(true),
        _ if starts("false", 1) || starts("no", 1) || starts("off", 2) => Some(false),
        _ => None,
    }
}

/// The words that stand for on and off where other words do too, which may not be shortened.
pub(super) fn switch(text: &str) -> Option<bool> {
    let is = |words: &[&str]| words.iter().any(|word| word.eq_ignore_ascii_case(text));
    match (is(&["on", "true", "yes", "1"]), is(&["off", "false", "no", "0"])) {
        (true, _) => Some(true),
        (_, true) => Some(false),
        _ => None,
    }
}

/// How a switch is told.
pub(super) fn on_or_off(on: bool) -> String {
    if on { "on" } else { "off" }.to_owned()
}

/// A style of dates and an order of day and month, where each that is not written is as in `before`; none of a text with other
/// words, or with two that exclude each other.
pub(super) fn dates(text: &str, before: &str) -> Option<String> {
    let (mut style, mut order): (Option<&str>, Option<&str>) = (None, None);
    for word in text.split(',').map(|word| word.trim().to_ascii_uppercase()) {
        let (is_style, found) = match word.as_str() {
            "ISO" => (true, "ISO"),
            "SQL" => (true, "SQL"),
            "GERMAN" => (true, "German"),
            word if word.starts_with("POSTGRES") => (true, "Postgres"),
            "YMD" => (false, "YMD"),
            "DMY" => (false, "DMY"),
            word if word.starts_with("EURO") => (false, "DMY"),
            "MDY" | "US" => (false, "MDY"),
            word if word.starts_with("NONEURO") => (false, "MDY"),
            _ => return None,
        };
        let kept = if is_style { &mut style } else { &mut order };
        if kept.replace(found).is_some_and(|other| other != found) {
            return None;
        }
    }
    let (style_before, order_before) = before.split_once(", ").unwrap_or(("ISO", "MDY"));
    // Dates of the German style begin with the day, where nothing else is said.
    let order = order.or((style == Some("German")).then_some("DMY"));
    Some(format!("{}, {}", style.unwrap_or(style_before), order.unwrap_or(order_before)))
}

#[cfg(test)]
mod tests {
    use super::*;

    const ANY: (i64, i64) = (0, 2_147_483_647);

    /// As PostgreSQL 15 shows them.
    #[test]
    fn times_are_read_and_told_with_their_units() {
        for (written, shown) in [
            ("1500ms", "1500ms"),
            ("2s", "2s"),
            ("2000", "2s"),
            ("90s", "90s"),
            ("60000", "1min"),
            ("1.5min", "90s"),
            ("1 d", "1d"),
            ("1.5", "2ms"),
            ("0.5ms", "0"),
            ("1500us", "2ms"),
            ("0x10", "16ms"),
            ("1e3", "1s"),
            (" 3 s ", "3s"),
            ("010", "8ms"),
            ("-0", "0"),
        ] {
            let told = number(written, ANY, Unit::Milliseconds).map(|number| told(number, Unit::Milliseconds));
            assert_eq!(told, Ok(shown.to_owned()), "{written}");
        }
        for wrong in ["", "abc", "30 days", "1 kB", "3000000000", "1S", "1ms x", ".", "-", "0x", "1e", "08"] {
            assert_eq!(number(wrong, ANY, Unit::Milliseconds), Err(Refused::Malformed), "{wrong}");
        }
        let below = number("-1", ANY, Unit::Milliseconds);
        assert_eq!(below, Err(Refused::OutOfRange("-1 ms".to_owned())));
        assert_eq!(read("90s", Unit::Milliseconds), Some(90_000));
    }

    #[test]
    fn sizes_are_too() {
        for (written, unit, shown) in [
            ("64MB", Unit::Kilobytes, "64MB"),
            ("4096", Unit::Kilobytes, "4MB"),
            ("100kB", Unit::Kilobytes, "100kB"),
            ("1TB", Unit::Kilobytes, "1TB"),
            ("16MB", Unit::Blocks, "16MB"),
            ("1024", Unit::Blocks, "8MB"),
            ("1", Unit::Blocks, "8kB"),
            ("-1", Unit::Kilobytes, "-1"),
            ("7", Unit::None, "7"),
        ] {
            let told = number(written, (-1, ANY.1), unit).map(|number| told(number, unit));
            assert_eq!(told, Ok(shown.to_owned()), "{written}");
        }
        assert_eq!(number("64mb", ANY, Unit::Kilobytes), Err(Refused::Malformed));
        assert_eq!(number("1s", ANY, Unit::None), Err(Refused::Malformed));
    }

    #[test]
    fn fractions_have_six_digits() {
        for (number, shown) in [
            (1.1, "1.1"),
            (0.0, "0"),
            (100_000.0, "100000"),
            (1e6, "1e+06"),
            (0.0025, "0.0025"),
            (0.00001, "1e-05"),
            (-1.0, "-1"),
            (1.234_567_8, "1.23457"),
            (f64::MAX, "1.79769e+308"),
        ] {
            assert_eq!(six_digits(number), shown);
        }
        assert_eq!(fraction("0.5", 0.0, 1.0), Ok(0.5));
        assert_eq!(fraction("2", -1.0, 1.0), Err(Refused::OutOfRange("2".to_owned())));
        assert_eq!(fraction("x", 0.0, 1.0), Err(Refused::Malformed));
    }

    #[test]
    fn words_for_yes_and_no() {
        for (text, on) in [("t", Some(true)), ("ON", Some(true)), ("of", Some(false)), ("o", None), ("maybe", None)] {
            assert_eq!(boolean(text), on, "{text}");
        }
        assert_eq!([switch("True"), switch("0"), switch("t")], [Some(true), Some(false), None]);
    }

    #[test]
    fn a_style_of_dates_keeps_what_is_not_said() {
        for (written, shown) in
            [("ISO", "ISO, YMD"), ("iso, dmy", "ISO, DMY"), ("US", "ISO, MDY"), ("European", "ISO, DMY")]
        {
            assert_eq!(dates(written, "ISO, YMD").as_deref(), Some(shown), "{written}");
        }
        for (written, before, shown) in [
            ("german", "Postgres, MDY", "German, DMY"),
            ("iso", "German, DMY", "ISO, DMY"),
            ("postgres, dmy", "ISO, MDY", "Postgres, DMY"),
            ("noneuropean, sql", "ISO, DMY", "SQL, MDY"),
            ("ymd", "SQL, MDY", "SQL, YMD"),
        ] {
            assert_eq!(dates(written, before).as_deref(), Some(shown), "{written}");
        }
        for wrong in ["nonsense", "ISO, MDY, DMY", "ISO, SQL", ""] {
            assert_eq!(dates(wrong, "ISO, MDY"), None, "{wrong}");
        }
    }
}
