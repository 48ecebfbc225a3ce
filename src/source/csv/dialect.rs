//! How a CSV file is written, told by its first records: the delimiter, blanks after it, and the decimal separator.

use super::{
    super::bytes::Input,
    CsvOptions, Error,
    read::not_utf8,
    split::{Dialect, Field as Cell, Records, Wanted, split},
};

/// How much of a file tells how it is written.
pub(super) const DIALECT_BYTES: usize = 1 << 20;
/// How many records tell the delimiter.
const DELIMITER_RECORDS: usize = 100;
/// How many records tell whether the first line is a header, and what separates decimals.
pub(super) const HEADER_RECORDS: usize = 1000;

/// The text of a file's first bytes.
pub(super) fn head_of<'a>(input: &Input, bytes: &'a [u8], more: bool) -> Result<&'a str, Error> {
    // What is cut off at the end of the sample is none of its records.
    let end = if more { memchr::memrchr(b'\n', bytes).map_or(bytes.len(), |end| end + 1) } else { bytes.len() };
    let bytes = bytes.get(..end).unwrap_or_default();
    match std::str::from_utf8(bytes) {
        Ok(head) => Ok(head),
        // Cut within a character.
        Err(error) if more && error.error_len().is_none() => {
            Ok(std::str::from_utf8(bytes.get(..error.valid_up_to()).unwrap_or_default()).unwrap_or_default())
        }
        Err(error) => {
            let before = bytes.get(..error.valid_up_to()).unwrap_or_default();
            let line = 1 + input.skipped_lines + memchr::memchr_iter(b'\n', before).count() as u64;
            Err(not_utf8(&input.name, line, bytes))
        }
    }
}

/// The first records of a text.
pub(super) fn with_rows<T>(
    dialect: &Dialect,
    text: &str,
    is_last: bool,
    max_records: usize,
    work: impl FnOnce(&[Vec<Cell<'_>>]) -> T,
) -> T {
    let mut records = Records::default();
    split(dialect, text.as_bytes(), 0, Wanted { columns: None, is_last, max_records }, &mut records);
    let rows: Vec<_> = records.rows(text, dialect).collect();
    work(&rows)
}

/// What a delimiter would make of the first records.
#[derive(Debug)]
struct Tried {
    delimiter: u8,
    /// How many fields each record would have.
    widths: Vec<usize>,
    /// Whether commas would be the decimal separators of its fields.
    separates_decimals: bool,
}

impl Tried {
    /// The number of fields that most records would have, and the share of records that would.
    fn usual(&self) -> (usize, f64) {
        let count = |width: usize| self.widths.iter().filter(|other| **other == width).count();
        let most = self.widths.iter().map(|width| (count(*width), *width)).max().unwrap_or_default();
        (most.1, most.0 as f64 / self.widths.len().max(1) as f64)
    }
}

/// Decides the delimiter and whether blanks follow it.
pub(super) fn settle_dialect(options: &mut CsvOptions, head: &str, is_last: bool, delimiters: &[u8]) {
    if options.delimiter.is_none() {
        let attempt = |delimiter: &u8| {
            let tried = CsvOptions { delimiter: Some(*delimiter), ..options.clone() };
            with_rows(&tried.dialect(), head, is_last, DELIMITER_RECORDS, |rows| Tried {
                delimiter: *delimiter,
                widths: rows.iter().map(Vec::len).collect(),
                separates_decimals: separates_decimals(rows),
            })
        };
        let mut tried: Vec<_> = delimiters.iter().map(attempt).collect();
        leave_out_decimal_commas(&mut tried);
        options.delimiter = best_delimiter(&tried);
    }
    if options.skip_initial_space.is_none() {
        let spaced = with_rows(&options.dialect(), head, is_last, DELIMITER_RECORDS, |rows| {
            let mut rows = rows.iter().filter(|row| row.len() > 1).peekable();
            let is_spaced = |cell: &Cell<'_>| !cell.is_quoted && cell.text.starts_with(' ');
            rows.peek().is_some() && rows.all(|row| row.iter().skip(1).all(is_spaced))
        });
        options.skip_initial_space = Some(spaced);
    }
}

/// Whether each comma of these fields is that of a decimal number or stands in a sentence, before a blank, and one is that of
/// a number. A quoted field says nothing: its commas are no delimiters either way.
fn separates_decimals(rows: &[Vec<Cell<'_>>]) -> bool {
    let is_in_sentence = |text: &str| text.split(',').skip(1).all(|rest| rest.is_empty() || rest.starts_with(' '));
    let mut has_decimal = false;
    for cell in rows.iter().flatten().filter(|cell| !cell.is_quoted && cell.text.contains(',')) {
        let text = cell.text.trim_ascii();
        if is_decimal(text) {
            has_decimal = true;
        } else if !is_in_sentence(text) {
            return false;
        }
    }
    has_decimal
}

/// Whether a text is a number with a decimal comma, whose digits may be grouped: `-1.234,50`.
fn is_decimal(text: &str) -> bool {
    let Some((whole, fraction)) = text.trim_start_matches(['-', '+']).split_once(',') else { return false };
    let mut groups = whole.split(['.', ' ', '\'']);
    is_digits(fraction)
        && groups.next().is_some_and(is_digits)
        && groups.all(|group| group.len() == 3 && is_digits(group))
}

fn is_digits(text: &str) -> bool {
    !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_digit())
}

/// A comma is no delimiter where another one makes records as even and leaves to commas nothing but decimals: `1,5;foo` is
/// two fields either way, and `1,5;2,5` would be three.
fn leave_out_decimal_commas(tried: &mut Vec<Tried>) {
    let Some(share) = tried.iter().find(|tried| tried.delimiter == b',').map(|comma| comma.usual().1) else { return };
    let explains = |tried: &Tried| tried.separates_decimals && tried.usual().0 > 1 && tried.usual().1 >= share;
    if tried.iter().any(explains) {
        tried.retain(|tried| tried.delimiter != b',');
    }
}

/// The delimiter that cuts most records into as many fields as the first one, more than one: a short row must not hide
/// it. Where the first record is one field but most others are more, theirs, so that the file is refused; else one that
/// occurs in no record.
fn best_delimiter(tried: &[Tried]) -> Option<u8> {
    let best = |is_candidate: &dyn Fn(&Tried) -> bool| {
        let candidates = tried.iter().filter(|tried| tried.usual().0 > 1 && is_candidate(tried));
        // Of equals the one with more fields, and of those the first one.
        let best = candidates.rev().max_by(|left, right| {
            let (left, right) = (left.usual(), right.usual());
            left.1.total_cmp(&right.1).then(left.0.cmp(&right.0))
        });
        best.filter(|tried| tried.usual().1 >= 0.5).map(|tried| tried.delimiter)
    };
    let absent =
        || tried.iter().find(|tried| tried.widths.iter().all(|width| *width == 1)).map(|found| found.delimiter);
    best(&|tried| tried.widths.first() == Some(&tried.usual().0))
        .or_else(|| best(&|_| true))
        .or_else(absent)
        .or_else(|| tried.first().map(|found| found.delimiter))
}

/// Between semicolons a comma is likely the decimal separator: it is where all numbers that have one say so, and not all
/// of these could be groups of three digits.
pub(super) fn settle_decimal(options: &mut CsvOptions, head: &str, is_last: bool) {
    if options.forms.decimal.is_some() || options.delimiter != Some(b';') {
        return;
    }
    let fraction = |text: &str| {
        let (whole, fraction) = text.strip_prefix('-').unwrap_or(text).split_once(',')?;
        (is_digits(whole) && is_digits(fraction)).then_some(fraction.len())
    };
    let has_point =
        |text: &str| text.split_once('.').is_some_and(|(whole, fraction)| is_digits(whole) && is_digits(fraction));
    let is_comma = with_rows(&options.dialect(), head, is_last, HEADER_RECORDS, |rows| {
        let cells = || rows.iter().flatten().map(|cell| cell.text.trim_ascii());
        cells().filter_map(fraction).any(|digits| digits != 3) && !cells().any(has_point)
    });
    if is_comma {
        options.forms.decimal = Some(b',');
    }
}

#[cfg(test)]
mod tests {
    use super::{super::Options, *};

    fn told(head: &str) -> (char, Option<u8>) {
        let mut options = CsvOptions::parse(&Options::new()).expect("no option is wrong");
        settle_dialect(&mut options, head, true, b",;\t|");
        settle_decimal(&mut options, head, true);
        (options.delimiter.map_or(' ', char::from), options.forms.decimal)
    }

    #[test]
    fn a_decimal_comma_is_no_delimiter() {
        let comma = Some(b',');
        for text in
            ["1,5;foo\n2,5;bar\n", "1,5;foo\n", "1,5;2,5\n3,5;4,5\n", "foo;1.234,50;2,5\n", "1,5;a, b\n2,5;c, d\n"]
        {
            assert_eq!(told(text), (';', comma), "{text}");
        }
        assert_eq!(told("price;name\n1,5;foo\n2,5;bar\n"), (';', comma));
        assert_eq!(told("1,5\tfoo\n2,5\tbar\n"), ('\t', None));
        assert_eq!(told("-1,5|foo\n+2,5|bar\n"), ('|', None));
    }

    #[test]
    fn a_comma_between_other_texts_stays_a_delimiter() {
        for text in ["a,b;c\n1,2;3\n", "lat,place;town\n1,foo;bar\n2,baz;qux\n", "1,2;3\n4,5\n", "x,1;2\ny,3;4\n"] {
            assert_eq!(told(text), (',', None), "{text}");
        }
        assert_eq!(told("\"1,5\",a;b\n\"2,5\",c;d\n"), (',', None));
        assert_eq!(told("id;price;note\n1;2.50;a, b\n2;3.75;c\n"), (';', None));
    }
}
