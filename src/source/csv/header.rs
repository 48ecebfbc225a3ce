//! Whether a CSV file's first line names its columns, told by what stands below it.
//!
//! A value is told from a name by its type or, among texts, by coming again below or having the form of those below. A field of
//! the type of those below, or that says NULL, makes the line a row, but for numbers that grow behind labels; one that is
//! likely a value does unless another is a name over values. A line that nothing tells apart is taken for names, and whoever
//! asks how a file is read hears of the doubt.

use std::collections::HashSet;

use arrow::datatypes::{DataType, Schema};

use super::{
    super::{bytes::Input, forms::Forms, guess::Guess, infer::is_alike, text::shortened},
    CsvOptions, Error,
    dialect::{DIALECT_BYTES, HEADER_RECORDS, head_of, with_rows},
    form::{by_itself, is_over_others, shared},
    read::header,
    scale::Scale,
    split::Field as Cell,
};

/// How often a text must come again below to be likely a value, and in which part of the rows.
const LEAST_COPIES: usize = 2;
const LEAST_SHARE: usize = 20;

/// What the first line's fields are, beside those below them.
#[derive(Debug, Default)]
struct FirstLine {
    /// Whether one is a name over a column of values.
    has_names: bool,
    /// Whether one is a value as the rest of its column is.
    has_values: bool,
    has_text: bool,
    /// Whether one is likely a name: over texts of a form that it has not, or a year over other values.
    has_likely_names: bool,
    /// One that is likely a value, and what it is.
    likely_value: Option<(String, &'static str)>,
    /// Whether the whole line stands below again, as in files that were put together.
    is_repeated: bool,
    /// Whether its fields count on from a text, and those below do not.
    counts: bool,
    /// Whether it is labels and then numbers that grow, over such as they are not.
    scale: Scale,
    /// The one field of the line that is not empty, over a line of names.
    title: Option<String>,
}

impl FirstLine {
    fn of(options: &CsvOptions, rows: &[Vec<Cell<'_>>]) -> Self {
        let mut line = Self::default();
        let Some((first, rest)) = rows.split_first() else { return line };
        line.is_repeated = rest.contains(first);
        line.counts = counts(first) && rest.iter().filter(|row| counts(row)).count() * 2 < rest.len();
        line.scale = Scale::of(options, first, rest);
        line.title = title(options, rows);
        line.has_values = first.iter().any(|cell| says_null(options, cell));
        for (position, cell) in first.iter().enumerate().filter(|(_, cell)| !options.is_null(cell)) {
            let cells = rest.iter().filter_map(|row| row.get(position)).filter(|cell| !options.is_null(cell));
            let cells: Vec<&Cell<'_>> = cells.collect();
            if is_marked(cell, &cells) && guess_of(&[&*cell.text], &options.forms).is_typed() {
                (line.has_text, line.has_likely_names) = (true, true);
                continue;
            }
            let column: Vec<&str> = cells.iter().map(|cell| cell.text.trim_ascii()).collect();
            let below = (!rest.is_empty()).then_some(column.as_slice());
            line.see(cell.text.trim_ascii(), below, &options.forms);
        }
        line
    }

    /// Adds a field and those below it; none: the file has one line.
    fn see(&mut self, text: &str, below: Option<&[&str]>, forms: &Forms) {
        let column = below.unwrap_or_default();
        // A header that is repeated further down is no value of its column.
        let others: Vec<&str> = column.iter().copied().filter(|value| *value != text).collect();
        let (own, guess) = (guess_of(&[text], forms), guess_of(&others, forms));
        let is_year_over_others =
            below.is_some() && is_year(text) && (column.is_empty() || !column.iter().all(|value| is_year(value)));
        let is_typed = own.is_typed() && !is_year_over_others;
        let again = column.len() - others.len();
        let recurs = again > 0;
        // A word may be the name of its column and stand once in it, as in a dictionary.
        let is_common = again >= LEAST_COPIES && again * LEAST_SHARE >= column.len() && !self.is_repeated;
        // In a file of one line nothing but the line itself tells.
        let is_value = is_typed && (below.is_none() || guess.is_typed() || recurs);
        let likely = match below {
            _ if is_value || is_year_over_others => None,
            None => by_itself(text),
            Some(_) if is_typed => is_mostly_typed(&others, forms).then_some("a value of another type than text"),
            Some(_) if guess.is_typed() => over_values(text, own, guess).or_else(|| shared(text, &others)),
            Some(_) if is_common => Some("a value that comes again below"),
            Some(_) => shared(text, &others),
        };
        // A date over integers, or a time over fractions, is as a name is: nothing holds it and those below.
        let is_of_other_type = is_value && !column.is_empty() && guess.is_typed() && !merged(own, guess).is_typed();
        let is_value = is_value && !is_of_other_type;
        let is_text = !own.is_typed();
        let may_name = is_text && likely.is_none() && is_name(text);
        self.has_text |= is_text;
        self.has_values |= is_value;
        self.has_names |= may_name && guess.is_typed();
        self.has_likely_names |=
            is_of_other_type || is_year_over_others || (may_name && !guess.is_typed() && is_over_others(text, &others));
        if self.likely_value.is_none() {
            self.likely_value = likely.map(|what| (shortened(text), what));
        }
    }

    /// Whether the line is a header, and what to say of it where that is in doubt. `is_declared` says whether a field is the
    /// name of a declared column, where columns are declared.
    fn judge(&self, is_declared: Option<bool>) -> (bool, Option<String>) {
        if self.counts {
            return (true, Some(COUNTED.to_owned()));
        }
        if self.has_values {
            return match (self.has_names, self.scale) {
                (_, Scale::Clear) if self.likely_value.is_none() => (true, Some(SCALED.to_owned())),
                (false, Scale::Clear | Scale::Likely) => (false, Some(GROWING.to_owned())),
                (false, Scale::None) => (false, None),
                (true, _) if is_declared == Some(true) => (true, None),
                (true, Scale::Clear | Scale::Likely) => (true, Some(GROWN.to_owned())),
                (true, Scale::None) => (false, Some(MIXED.to_owned())),
            };
        }
        if let Some((value, what)) = &self.likely_value {
            let is_header = self.has_names || self.has_likely_names || is_declared == Some(true);
            let doubt = match is_header {
                true => format!(
                    "the first line is taken for names, though '{value}' on it is {what}; if it is a row, say header => false"
                ),
                false => format!(
                    "the first line is taken for a row, because '{value}' on it is {what}; if it is names, say header => true"
                ),
            };
            return (is_header, Some(doubt));
        }
        match is_declared {
            // Texts over texts are names if they are those of the declared columns.
            Some(is_declared) if !self.has_names => (is_declared, None),
            _ => (self.has_text || self.has_likely_names, self.is_open().then(|| UNTOLD.to_owned())),
        }
    }

    /// Whether the line is taken for names because nothing tells that it is none.
    fn is_open(&self) -> bool {
        self.has_text && !self.has_names && !self.has_likely_names
    }
}

/// Whether a field is quoted without need over others that are not, as programs write names that look like values.
fn is_marked(cell: &Cell<'_>, below: &[&Cell<'_>]) -> bool {
    let is_special = |letter: char| matches!(letter, ',' | ';' | '\t' | '|' | '"' | '\n' | '\r');
    let needs_quotes = cell.text.contains(is_special) || cell.text.trim() != cell.text;
    cell.is_quoted && !needs_quotes && !below.is_empty() && !below.iter().any(|other| other.is_quoted)
}

/// What is said of a first line of texts over texts.
const UNTOLD: &str =
    "the first line is taken for names, though nothing below tells it from a row; if it is one, say header => false";

/// What is said of a first line such as `region,1,2,3`.
const COUNTED: &str = "the first line is taken for names, because it counts on and those below do not; if it is a row, say \
                       header => false";

/// What is said of a first line such as `region,0.5,0.9` over whole numbers.
const SCALED: &str = "the first line is taken for names, because its numbers grow and are written otherwise than those below; if \
                      it is a row, say header => false";

/// What is said of a first line such as `id,0.5,0.9` over numbers.
const GROWN: &str =
    "the first line is taken for names, though its numbers may be values; if it is a row, say header => false";

/// What is said of a first line such as `2024-01-05,closed` over dates and numbers.
const MIXED: &str = "the first line is taken for a row, because it has a value as those below, though a text on it may be a \
                     name; if it is names, say header => true";

/// What is said of a first line such as `name,0.5,0.9` over numbers as these are.
const GROWING: &str = "the first line is taken for a row, though its texts may be names and its numbers grow; if it is names, \
                       say header => true";

/// Whether a line is a text or nothing, and then whole numbers that count on by one, two at least.
fn counts(line: &[Cell<'_>]) -> bool {
    let Some((first, rest)) = line.split_first() else { return false };
    let is_label = first.text.trim_ascii().parse::<f64>().is_err();
    let numbers: Option<Vec<i64>> = rest.iter().map(|cell| cell.text.trim_ascii().parse().ok()).collect();
    let numbers = numbers.unwrap_or_default();
    let steps = numbers.iter().zip(numbers.iter().skip(1));
    is_label && numbers.len() > 1 && steps.clone().all(|(left, right)| left.checked_add(1) == Some(*right))
}

/// The field that stands alone on the first line, over one of texts in each column.
fn title(options: &CsvOptions, rows: &[Vec<Cell<'_>>]) -> Option<String> {
    let [first, second, ..] = rows else { return None };
    let is_filled = |cell: &&Cell<'_>| !cell.text.trim_ascii().is_empty();
    let is_names = second.len() == first.len()
        && second
            .iter()
            .all(|cell| is_name(&cell.text) && !guess_of(&[cell.text.trim_ascii()], &options.forms).is_typed());
    let mut filled = first.iter().filter(is_filled);
    let alone = filled.next().filter(|_| first.len() > 2 && is_names && filled.next().is_none())?;
    Some(shortened(alone.text.trim_ascii()))
}

/// What two guesses have in common.
fn merged(mut left: Guess, right: Guess) -> Guess {
    left.merge(right);
    left
}

/// What the first line is if it may be a value, over a column of values that are no texts.
fn over_values(text: &str, own: Guess, below: Guess) -> Option<&'static str> {
    // `NaN` is a text alone, and a number among others; over whole numbers alone it may be a name.
    let is_whole = matches!(below.data_type(), DataType::Int32 | DataType::Int64);
    if !is_whole && merged(below, own).is_typed() {
        Some("a value of its column's type")
    } else {
        is_mark(text).then_some("a mark of missing values")
    }
}

fn guess_of(texts: &[&str], forms: &Forms) -> Guess {
    let mut guess = Guess::default();
    texts.iter().for_each(|text| guess.see(text, forms));
    guess
}

/// Whether a column of texts has them among other values: at least half of those are no texts by themselves.
fn is_mostly_typed(texts: &[&str], forms: &Forms) -> bool {
    texts.iter().filter(|text| guess_of(&[**text], forms).is_typed()).count() * 2 >= texts.len()
}

/// Decides whether the first line is a header: unless one of its fields is a value as the rest of its column is. Years may
/// name columns of other numbers. Returns what to say of it where it is in doubt.
pub(super) fn settle_header(
    options: &mut CsvOptions,
    head: &str,
    is_last: bool,
    declared: Option<&Schema>,
) -> Result<Option<String>, Title> {
    if options.header.is_some() {
        return Ok(None);
    }
    let dialect = options.header_dialect();
    let judged = with_rows(&dialect, head, is_last, HEADER_RECORDS, |rows| {
        let Some(first) = rows.first() else { return Ok((true, None)) };
        let is_declared = declared.map(|columns| {
            let names: HashSet<String> = columns.fields().iter().map(|field| field.name().to_lowercase()).collect();
            first.iter().any(|cell| names.contains(&cell.text.trim_ascii().to_lowercase()))
        });
        let line = FirstLine::of(options, rows);
        match line.title {
            Some(title) => Err(Title(title)),
            None => Ok(line.judge(is_declared)),
        }
    });
    let (is_header, doubt) = judged?;
    options.header = Some(is_header);
    Ok(doubt)
}

/// A line that is neither names nor a row, but seems to be the title of what follows.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Title(pub(super) String);

fn is_year(text: &str) -> bool {
    text.len() == 4 && text.parse::<u16>().is_ok_and(|year| (1900..=2100).contains(&year))
}

/// Whether a text over a column of values is likely its name rather than a mark of a missing one.
pub(super) fn is_name(text: &str) -> bool {
    text.contains(char::is_alphabetic) && !is_mark(text) && !text.eq_ignore_ascii_case("missing")
}

/// Whether a text over values marks a missing one.
fn is_mark(text: &str) -> bool {
    const MARKS: [&str; 12] =
        ["na", "n/a", "n.a.", "#n/a", "<na>", "null", "(null)", "none", "nil", "-", "?", COPY_NULL];
    MARKS.iter().any(|mark| mark.eq_ignore_ascii_case(text))
}

/// How PostgreSQL's `COPY` writes NULL.
const COPY_NULL: &str = "\\N";

/// Whether a field means NULL and is not empty, as no name does.
fn says_null(options: &CsvOptions, cell: &Cell<'_>) -> bool {
    !cell.is_quoted && (cell.text.trim_ascii() == COPY_NULL || options.null.is(&cell.text))
}

/// Whether a file's first line names its columns.
pub(super) async fn begins_with_names(options: &CsvOptions, input: &Input) -> Result<bool, Error> {
    if options.first_header.is_none() {
        return Ok(options.has_header());
    }
    match header(options, input).await? {
        Some(names) => are_names(options, input, &names).await,
        None => Ok(false),
    }
}

/// Whether what stands on a file's first line are the names of its columns. Where the first file told that, and columns are
/// found by their places, the file's own line must say it too: else it would be lost, or be taken for values.
pub(super) async fn are_names(options: &CsvOptions, input: &Input, names: &[String]) -> Result<bool, Error> {
    let Some(first) = &options.first_header else { return Ok(options.has_header()) };
    let is_same = first.len() == names.len() && first.iter().zip(names).all(|(left, right)| is_alike(left, right));
    if is_same {
        return Ok(true);
    }
    let (bytes, more) = input.head(DIALECT_BYTES).await?;
    let head = head_of(input, &bytes, more)?;
    let line = with_rows(&options.header_dialect(), head, !more, HEADER_RECORDS, |rows| FirstLine::of(options, rows));
    let has_values =
        (line.has_values && line.scale != Scale::Clear) || (line.likely_value.is_some() && !line.has_likely_names);
    let has_names = line.has_names || line.scale == Scale::Clear;
    // A file that would be a row's and not names' by itself is so behind others of rows.
    let is_clear = if first.is_empty() { !line.judge(None).0 } else { has_values && !has_names };
    if is_clear {
        return Ok(false);
    }
    let first = if first.is_empty() { "values".to_owned() } else { format!("the names {}", first.join(", ")) };
    let (file, line, found) = (input.name.clone(), 1 + input.skipped_lines, names.join(", "));
    Err(Error::UnclearHeader { file, line, found, first })
}

#[cfg(test)]
mod tests {
    use super::{super::Options, *};

    /// Whether the first line of a text is taken for names, and what is said of it.
    fn told(text: &str) -> (bool, String) {
        let mut options = CsvOptions::parse(&Options::new()).expect("no option is wrong");
        options.delimiter = Some(b',');
        let doubt = settle_header(&mut options, text, true, None).expect("no title stands above");
        (options.has_header(), doubt.unwrap_or_default())
    }

    #[test]
    fn a_first_line_that_is_as_those_below_is_a_row() {
        let identifiers = "550e8400-e29b-41d4-a716-446655440000,ann\n6ba7b810-9dad-11d1-80b4-00c04fd430c8,bob\n";
        for (text, value, what) in [
            ("007,ann\n008,bob\n", "007", "made of digits"),
            ("007,ann\n8,bob\n", "007", "made of digits"),
            ("ann,rome\nbob,paris\ncy,rome\ndi,rome\n", "rome", "a value that comes again below"),
            ("ann@x.de,ann\nbob@y.de,bob\n", "ann@x.de", "an e-mail address"),
            (identifiers, "550e8400-e29b-41d4-a716-446655440000", "an identifier"),
            ("A-17,ann\nA-18,bob\nB-22,cy\n", "A-17", "a code as those below"),
            ("31.12.2023,ann\n01.02.2024,bob\n", "31.12.2023", "made of digits"),
            ("5,ann\nn/a,bob\n7,cy\n", "5", "a value of another type than text"),
            ("5,ann\n,bob\n", "5", "a value of another type than text"),
            ("ann,n/a\nbob,3\n", "n/a", "a mark of missing values"),
            ("ann,NaN\nbob,3.5\n", "NaN", "a value of its column's type"),
            ("ann,-\nbob,3\n", "-", "a mark of missing values"),
            ("007,ann\n", "007", "made of digits"),
        ] {
            let doubt = format!(
                "the first line is taken for a row, because '{value}' on it is {what}; if it is names, say header => true"
            );
            assert_eq!(told(text), (false, doubt), "{text}");
        }
    }

    #[test]
    fn a_line_of_names_is_a_header() {
        for text in [
            "name,age\nann,3\n",
            "code,name\n007,ann\n008,bob\n",
            "mail,name\nann@x.de,ann\n",
            "country,2021,2022\nIT,7,8\nFR,9,10\n",
            "id,inf,nan\na,5,6\nb,7,8\n",
        ] {
            assert_eq!(told(text), (true, String::new()), "{text}");
        }
        for text in [
            "name,city\nann,rome\n",
            "name,city\n",
            "x1,x2\na1,b2\n",
            "word,pos\nrun,verb\nword,noun\n",
            "a,b\nx,y\na,b\nz,w\na,b\n",
        ] {
            assert_eq!(told(text), (true, UNTOLD.to_owned()), "{text}");
        }
    }

    #[test]
    fn numbers_that_count_on_are_names() {
        for text in [
            "region,1,2,3\nEMEA,10,20,30\n",
            "country,1800,1801\nChad,31.1,31.2\n",
            "gene,101,102\nBRCA,0.5,0.7\n",
            ",0,1\n0,a,b\n",
        ] {
            assert_eq!(told(text), (true, COUNTED.to_owned()), "{text}");
        }
        for text in ["a,1,2\nb,3,4\n", "a,1\nb,7\n", "1,2,3\n9,1,7\n"] {
            assert_eq!(told(text), (false, String::new()), "{text}");
        }
    }

    #[test]
    fn numbers_that_grow_over_others_are_names() {
        for (text, is_header, doubt) in [
            ("region,0.5,0.9\nEMEA,10,20\nAPAC,30,40\n", true, SCALED),
            ("name,0.5,0.9\nann,0.1,0.3\nbob,0.2,0.4\n", false, GROWING),
            ("ann,0.5,0.9\nbob,10,20\ncy,30,40\n", false, ""),
            ("id,0.5,0.9\n1,0.1,0.3\n2,0.2,0.4\n", true, GROWN),
        ] {
            assert_eq!(told(text), (is_header, doubt.to_owned()), "{text}");
        }
    }

    #[test]
    fn what_no_type_holds_beside_those_below_is_a_name() {
        for text in ["region,2024-01-01,2024-02-01\nEMEA,10,20\n", "room,08:00,09:00\nA,3,4\n"] {
            assert!(told(text).0, "{text}");
        }
        assert!(!told("ann,2024-01-01\nbob,2024-02-01\n").0);
    }

    #[test]
    fn a_title_is_neither_names_nor_a_row() {
        let found = |text: &str| {
            let mut options = CsvOptions::parse(&Options::new()).expect("no option is wrong");
            options.delimiter = Some(b',');
            settle_header(&mut options, text, true, None).err().map(|Title(title)| title)
        };
        assert_eq!(found("Sales report,,\nid,name,v\n1,a,2\n").as_deref(), Some("Sales report"));
        for text in ["a,,\n1,2,3\n", "a,b,\nc,d,e\n", "a,b,c\nd,e,f\n"] {
            assert_eq!(found(text), None, "{text}");
        }
    }

    #[test]
    fn a_name_over_values_is_one_beside_what_may_be_a_value() {
        for (text, value, what) in [
            ("code,rome\n007,rome\n008,oslo\n009,rome\n", "rome", "a value that comes again below"),
            ("year,DE,NA\n2020,3,4\n", "NA", "a mark of missing values"),
        ] {
            let doubt = format!(
                "the first line is taken for names, though '{value}' on it is {what}; if it is a row, say header => false"
            );
            assert_eq!(told(text), (true, doubt), "{text}");
        }
    }

    #[test]
    fn quotes_without_need_tell_names_over_values_without_any() {
        for text in ["\"1\",\"2\"\n7,8\n", "\"1\",b\n7,x\n", "\"2024-01-05\",b\nx,y\n"] {
            assert_eq!(told(text), (true, String::new()), "{text}");
        }
        for text in ["\"1\",\"2\"\n\"7\",\"8\"\n", "\"1,5\",2\n7,8\n", "\"1\",\"2\"\n"] {
            assert_eq!(told(text), (false, String::new()), "{text}");
        }
    }

    /// Symptom: a first row was lost. Cause: a text over numbers made names of the dates and numbers beside it.
    #[test]
    fn a_value_as_those_below_makes_a_row_of_its_line() {
        for text in [
            "2024-01-01,closed\n2024-01-02,5\n2024-01-03,7\n",
            "10:00,closed\n11:00,5\n",
            "5,closed\n6,5\n7,7\n",
            "true,closed\nfalse,5\n",
            "bob,\\N,x\nann,5,6\n",
        ] {
            assert_eq!(told(text), (false, MIXED.to_owned()), "{text}");
        }
    }

    #[test]
    fn what_says_null_is_no_name() {
        for text in ["bob,\\N\nann,5\n", "bob,\\N\nann,x\n", "bob,\\N\n"] {
            assert_eq!(told(text), (false, String::new()), "{text}");
        }
        let mut options = CsvOptions::parse(&Options::from([("null_value".to_owned(), "none".to_owned())]))
            .expect("no option is wrong");
        options.delimiter = Some(b',');
        assert_eq!(settle_header(&mut options, "bob,none\nann,x\n", true, None), Ok(None));
        assert_eq!(options.header, Some(false));
    }

    #[test]
    fn a_line_of_values_is_a_row_without_doubt() {
        for text in ["ann,3\nbob,4\n", "5\n7\n", "2021,2022\n2020,2019\n"] {
            assert_eq!(told(text), (false, String::new()), "{text}");
        }
    }
}
