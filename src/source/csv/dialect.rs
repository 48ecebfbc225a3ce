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
    let wanted = Wanted { columns: None, is_strict: false, is_last, max_records };
    split(dialect, text.as_bytes(), 0, wanted, &mut records);
    let rows: Vec<_> = records.rows(text, dialect).collect();
    work(&rows)
}

/// What a delimiter would make of the first records.
#[derive(Debug)]
struct Tried {
    delimiter: u8,
    /// How many fields each record would have.
    widths: Vec<usize>,
    /// Whether commas would belong to its fields: to decimal numbers, or to sentences.
    explains_commas: bool,
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
                explains_commas: explains_commas(rows),
            })
        };
        let taken = [options.quote, options.escape, options.comment];
        let mut tried: Vec<_> =
            delimiters.iter().filter(|delimiter| !taken.contains(&Some(**delimiter))).map(attempt).collect();
        leave_out_soft_commas(&mut tried);
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

/// Whether these fields have commas, and each is that of a decimal number or stands in a sentence, before a blank. A quoted
/// field says nothing: its commas are no delimiters either way.
fn explains_commas(rows: &[Vec<Cell<'_>>]) -> bool {
    let is_in_sentence = |text: &str| text.split(',').skip(1).all(|rest| rest.is_empty() || rest.starts_with(' '));
    let cells = || rows.iter().flatten().filter(|cell| !cell.is_quoted);
    let mut commas = cells().filter(|cell| cell.text.contains(',')).map(|cell| cell.text.trim_ascii()).peekable();
    // What is behind a delimiter has no blank before it: that would be the sentence's.
    commas.peek().is_some()
        && commas.all(|text| is_decimal(text) || is_in_sentence(text))
        && !cells().any(|cell| cell.text.starts_with(' '))
}

/// Whether a text is a number with a decimal comma, whose digits may be grouped: `-1.234,50`; or a time of day with such a
/// fraction of a second.
fn is_decimal(text: &str) -> bool {
    let Some((whole, fraction)) = text.trim_start_matches(['-', '+']).split_once(',') else { return false };
    let is_time = || whole.rsplit_once(':').is_some_and(|(_, seconds)| seconds.len() == 2 && is_digits(seconds));
    is_digits(fraction) && (is_grouped(whole, &['.', ' ', '\'']) || is_time())
}

/// Whether a text is of digits alone, or of such in groups of three, the first of which may be shorter.
fn is_grouped(text: &str, separators: &[char]) -> bool {
    if is_digits(text) {
        return true;
    }
    let mut groups = text.split(separators);
    let is_first = |group: &str| (1..=3).contains(&group.len()) && is_digits(group) && !group.starts_with('0');
    groups.next().is_some_and(is_first) && groups.all(|group| group.len() == 3 && is_digits(group))
}

fn is_digits(text: &str) -> bool {
    !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_digit())
}

/// A comma is no delimiter where another one makes records as even and leaves to commas nothing but decimals and sentences:
/// `1,5;foo` is two fields either way, `1,5;2,5` would be three, and `1|Smith, John` has a name.
fn leave_out_soft_commas(tried: &mut Vec<Tried>) {
    let Some(share) = tried.iter().find(|tried| tried.delimiter == b',').map(|comma| comma.usual().1) else { return };
    let explains = |tried: &Tried| tried.explains_commas && tried.usual().0 > 1 && tried.usual().1 >= share;
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

/// Decides whether commas separate decimals and points group digits: both do where a number has both, `1.234,50`. Between
/// semicolons a comma is likely the decimal separator, too, where all numbers that have one say so and not all of these could
/// be groups of three digits; what `1.234` is then nobody knows, and it stays text.
pub(super) fn settle_decimal(options: &mut CsvOptions, head: &str, is_last: bool) {
    if options.forms.decimal.is_some() || options.delimiter == Some(b',') {
        return;
    }
    let mut numbers = Numbers::default();
    with_rows(&options.dialect(), head, is_last, HEADER_RECORDS, |rows| {
        rows.iter().flatten().for_each(|cell| numbers.see(cell.text.trim_ascii()));
    });
    if numbers.has_point || !(numbers.has_both || (numbers.has_comma && options.delimiter == Some(b';'))) {
        return;
    }
    options.forms.decimal = Some(b',');
    if numbers.has_both && options.forms.thousands.is_none() {
        options.forms.thousands = Some(b'.');
    }
}

/// How the numbers of a file are written.
#[derive(Debug, Default)]
struct Numbers {
    /// Whether a comma stands before a fraction, that could be no group of three digits.
    has_comma: bool,
    /// Whether a point stands before one.
    has_point: bool,
    /// Whether a number has points between groups of three digits, and a comma.
    has_both: bool,
}

impl Numbers {
    fn see(&mut self, text: &str) {
        let number = text.trim_start_matches(['-', '+']);
        match number.split_once(',') {
            Some((whole, fraction)) if is_digits(fraction) && is_grouped(whole, &['.']) => {
                self.has_both |= whole.contains('.');
                self.has_comma |= fraction.len() != 3;
            }
            Some(_) => {}
            None => {
                let is_fraction = |(whole, fraction)| is_digits(whole) && is_digits(fraction);
                self.has_point |= !is_grouped(number, &['.']) && number.split_once('.').is_some_and(is_fraction);
            }
        }
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
        assert_eq!(told("2024-01-05 10:00:00,123;boot\n2024-01-05 10:00:00,456;halt\n"), (';', None));
    }

    #[test]
    fn a_comma_between_other_texts_stays_a_delimiter() {
        for text in ["a,b;c\n1,2;3\n", "lat,place;town\n1,foo;bar\n2,baz;qux\n", "1,2;3\n4,5\n", "x,1;2\ny,3;4\n"] {
            assert_eq!(told(text), (',', None), "{text}");
        }
        assert_eq!(told("\"1,5\",a;b\n\"2,5\",c;d\n"), (',', None));
        assert_eq!(told("id;price;note\n1;2.50;a, b\n2;3.75;c\n"), (';', None));
        assert_eq!(told("a, b;c\n1, 2; 3\n4, 5; 6\n"), (',', None));
    }

    #[test]
    fn a_comma_in_sentences_is_no_delimiter() {
        assert_eq!(told("1|Smith, John\n2|Doe, Jane\n"), ('|', None));
        assert_eq!(told("1\tSmith, John\n2\tDoe, Jane\n"), ('\t', None));
        assert_eq!(told("Name, Vorname;Ort\nMueller, Hans;Berlin\n"), (';', None));
        assert_eq!(told("id;Preis, EUR\n1;1,5\n2;2,75\n"), (';', Some(b',')));
    }

    #[test]
    fn points_between_groups_are_no_fractions_beside_decimal_commas() {
        let separators = |head: &str| {
            let mut options = CsvOptions::parse(&Options::new()).expect("no option is wrong");
            settle_dialect(&mut options, head, true, b",;\t|");
            settle_decimal(&mut options, head, true);
            (options.forms.decimal, options.forms.thousands)
        };
        let german = (Some(b','), Some(b'.'));
        assert_eq!(separators("id;preis;menge\n1;1.234,50;1.500\n2;12,50;2.000\n"), german);
        assert_eq!(separators("a\tb\n1.234\t2.000,5\n2.500\t3,5\n"), german);
        // Whether 1.234 is more than a thousand nobody says.
        assert_eq!(separators("id;umsatz;quote\n1;1.234;0,5\n2;2.500;0,7\n"), (Some(b','), None));
        assert_eq!(separators("host;ip;load\na;192.168.100.101;0,5\n"), (Some(b','), None));
        assert_eq!(separators("id\tlat\tnote\n1\t48.137\tok\n2\t52.520\t1,5\n"), (None, None));
        assert_eq!(separators("id;ratio;tags\n1;0.123;1,5\n2;1.234;2,5\n"), (None, None));
        assert_eq!(separators("id;x;tags\n1;12345.678;1,5\n"), (None, None));
        assert_eq!(separators("a;b\n1.5;2,5\n2.5;3,5\n"), (None, None));
        assert_eq!(separators("a;b\n1,234;2\n2,500;3\n"), (None, None));
    }
}
