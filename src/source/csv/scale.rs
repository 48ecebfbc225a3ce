//! First lines such as `region,0.5,0.9`, as tables have that were turned: labels, and then numbers that grow.
//!
//! A number over numbers is a value unless much speaks against it, for a row that is taken for names is lost. The labels must
//! hardly be values, and the numbers be written otherwise than those below them and lie outside of them.

use super::{
    super::forms::Forms,
    CsvOptions,
    form::{is_over_others, shared},
    header::is_name,
    split::Field as Cell,
};

/// Words that name a column of texts, and stand in one only beside others of them.
const NAMES: [&str; 6] = ["id", "key", "name", "label", "code", "index"];

/// How a first line stands over those below it.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(super) enum Scale {
    /// It is no labels and numbers that grow, or the labels may well be values.
    #[default]
    None,
    /// Its labels are hardly values, its numbers may be.
    Likely,
    /// Its numbers are not either.
    Clear,
}

impl Scale {
    /// Looks at a first line of labels and two numbers at least.
    pub(super) fn of(options: &CsvOptions, first: &[Cell<'_>], rest: &[Vec<Cell<'_>>]) -> Self {
        let forms = &options.forms;
        let labels: Vec<&str> =
            first.iter().take_while(|cell| number(cell, forms).is_none()).map(|cell| cell.text.trim_ascii()).collect();
        let numbers: Option<Vec<_>> = first.iter().skip(labels.len()).map(|cell| number(cell, forms)).collect();
        let grow = |numbers: &[(f64, bool)]| numbers.is_sorted_by(|left, right| left.0 < right.0);
        let Some(numbers) = numbers.filter(|numbers| numbers.len() > 1 && grow(numbers)) else { return Self::None };
        let below = |place: usize| {
            let cells = rest.iter().filter_map(move |row| row.get(place));
            cells.filter(move |cell| !options.is_missing(cell))
        };
        let texts = |place: usize| below(place).map(|cell| cell.text.trim_ascii()).collect::<Vec<&str>>();
        let columns: Vec<Vec<&str>> = (0..labels.len()).map(texts).collect();
        let over = || labels.iter().zip(&columns);
        let has_name = over().any(|(label, below)| is_surely_name(label, below, rest.len()));
        if !has_name || !over().all(|(label, below)| may_name(label, below)) {
            return Self::None;
        }
        let is_other = |(place, own): (usize, &(f64, bool))| {
            let others: Option<Vec<_>> = below(labels.len() + place).map(|cell| number(cell, forms)).collect();
            others.is_some_and(|others| is_outside(*own, &others))
        };
        if numbers.iter().enumerate().all(is_other) { Self::Clear } else { Self::Likely }
    }
}

/// A number, and whether it is written as a whole one.
fn number(cell: &Cell<'_>, forms: &Forms) -> Option<(f64, bool)> {
    let text = forms.number(cell.text.trim_ascii())?;
    let is_whole = text.bytes().all(|byte| byte.is_ascii_digit() || matches!(byte, b'-' | b'+'));
    let value: f64 = text.parse().ok()?;
    value.is_finite().then_some((value, is_whole))
}

/// Whether a label may be the name of the texts below it.
fn may_name(label: &str, below: &[&str]) -> bool {
    (label.is_empty() || is_name(label)) && !below.contains(&label) && shared(label, below).is_none()
}

/// Whether a label can hardly be a value: it is empty over texts in all rows, a word for names, or of another form than all
/// texts below it.
fn is_surely_name(label: &str, below: &[&str], rows: usize) -> bool {
    if label.is_empty() || below.is_empty() {
        return !below.is_empty() && below.len() == rows;
    }
    let is_word = |text: &str| NAMES.iter().any(|name| name.eq_ignore_ascii_case(text));
    let is_small_over_capitals =
        || label.starts_with(char::is_lowercase) && below.iter().all(|text| text.starts_with(char::is_uppercase));
    (is_word(label) && !below.iter().any(|text| is_word(text)))
        || is_small_over_capitals()
        || is_over_others(label, below)
}

/// Whether a number is whole over fractions or a fraction over whole numbers, several, and less or greater than all.
fn is_outside((own, is_whole): (f64, bool), others: &[(f64, bool)]) -> bool {
    others.len() > 1
        && others.iter().all(|(_, other)| *other != is_whole)
        && (others.iter().all(|(other, _)| *other < own) || others.iter().all(|(other, _)| *other > own))
}

#[cfg(test)]
mod tests {
    use super::{
        super::{Options, dialect::with_rows},
        *,
    };

    fn told(text: &str) -> Scale {
        let mut options = CsvOptions::parse(&Options::new()).expect("no option is wrong");
        options.delimiter = Some(b',');
        with_rows(&options.dialect(), text, true, 100, |rows| {
            rows.split_first().map_or(Scale::None, |(first, rest)| Scale::of(&options, first, rest))
        })
    }

    #[test]
    fn numbers_of_another_kind_behind_a_label_are_names() {
        for text in [
            "region,0.5,0.9\nEMEA,10,20\nAPAC,30,40\n",
            "name,0.5,0.9\nann,10,20\nbob,30,40\n",
            ",0.5,0.9\nann,10,20\nbob,30,40\n",
            "gene,100,250\nBRCA,0.51,0.72\nTP53,0.4,0.3\n",
            "code,kind,0.5,0.9\nA-17,x,10,20\nA-18,y,30,\nA-19,z,50,60\n",
        ] {
            assert_eq!(told(text), Scale::Clear, "{text}");
        }
    }

    #[test]
    fn numbers_that_may_be_values_are_no_names() {
        for text in [
            "name,0.5,0.9\nann,0.1,0.3\nbob,0.2,0.4\n",
            "name,0.5,0.9\nann,10,20\n",
            "mean,15.5,25.5\nA-17,10,20\nA-18,20,30\n",
            "total,30,60\nA-17,10,20\nA-18,20,40\n",
            "name,0.5,0.9\nann,10,20\nbob,x,40\n",
        ] {
            assert_eq!(told(text), Scale::Likely, "{text}");
        }
    }

    #[test]
    fn labels_that_may_be_values_are_no_names() {
        for text in [
            "apple,0.5,1.25\npear,2,3\nplum,1,2\n",
            "Apple,0.5,1.25\npear,2,3\nplum,1,2\n",
            "name,0.5,0.9\nid,10,20\nkey,30,40\n",
            "name,0.5,0.9\nname,10,20\nbob,30,40\n",
            ",0.5,0.9\nann,10,20\n,30,40\n",
            "n/a,0.5,0.9\nANN,10,20\nBOB,30,40\n",
            "name,0.9,0.5\nann,10,20\nbob,30,40\n",
            "name,0.5\nann,10\nbob,30\n",
            "name,0.5,x\nann,10,20\nbob,30,40\n",
            "0.5,0.9\n10,20\n30,40\n",
            "name,0.5,0.9\n",
        ] {
            assert_eq!(told(text), Scale::None, "{text}");
        }
    }
}
