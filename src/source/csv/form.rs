//! Forms that texts of a column have in common, and that names of columns do not have: addresses, digits, codes.

/// A form of texts.
struct Form {
    /// What a text of it is called.
    name: &'static str,
    /// How a text of it is built; none of any other text.
    shape: fn(&str) -> Option<String>,
}

/// Forms that tell a value by itself.
const CLEAR: [Form; 4] = [
    Form { name: "an e-mail address", shape: mail },
    Form { name: "a link", shape: link },
    Form { name: "an identifier", shape: identifier },
    Form { name: "made of digits", shape: digits },
];
/// A form that tells a value by those below it alone: a name may have letters and digits, too.
const CODE: Form = Form { name: "a code as those below", shape: code };

/// The longest text that may be a code.
const MAX_CODE_BYTES: usize = 64;
/// The shortest identifier.
const MIN_IDENTIFIER_BYTES: usize = 8;
/// How many runs of letters and of digits make an identifier: names have fewer.
const MIN_IDENTIFIER_RUNS: usize = 4;

/// What a text is that is no name, whatever stands below it.
pub(super) fn by_itself(text: &str) -> Option<&'static str> {
    CLEAR.iter().find(|form| (form.shape)(text).is_some()).map(|form| form.name)
}

/// What a text and most of those below it are.
pub(super) fn shared(text: &str, others: &[&str]) -> Option<&'static str> {
    let is_shared = |form: &&Form| {
        (form.shape)(text).is_some_and(|own| {
            let shapes: Vec<String> = others.iter().filter_map(|other| (form.shape)(other)).collect();
            shapes.len() * 2 > others.len() && shapes.contains(&own)
        })
    };
    CLEAR.iter().chain([&CODE]).find(is_shared).map(|form| form.name)
}

/// Whether all texts below have a form that a text has not, so that it is likely their name. That codes are alike says
/// something of several.
pub(super) fn is_over_others(text: &str, others: &[&str]) -> bool {
    let Some(first) = others.first() else { return false };
    let is_clear =
        |form: &Form| (form.shape)(text).is_none() && others.iter().all(|other| (form.shape)(other).is_some());
    let are_codes = || {
        let shape = code(first);
        others.len() > 1 && shape.is_some() && code(text).is_none() && others.iter().all(|other| code(other) == shape)
    };
    CLEAR.iter().any(is_clear) || are_codes()
}

fn mail(text: &str) -> Option<String> {
    let (name, host) = text.rsplit_once('@')?;
    let is_mail = !name.is_empty() && host.contains('.') && !text.contains(char::is_whitespace);
    is_mail.then(String::new)
}

fn link(text: &str) -> Option<String> {
    let (scheme, rest) = text.split_once("://")?;
    let is_scheme = !scheme.is_empty() && scheme.bytes().all(|byte| byte.is_ascii_alphanumeric());
    (is_scheme && !rest.is_empty()).then(String::new)
}

/// Letters and digits in turn, as in a UUID, a digest or a random key; the shape is where others stand.
fn identifier(text: &str) -> Option<String> {
    let mut shape = String::with_capacity(text.len());
    let (mut runs, mut was_digit) = (0, None);
    for character in text.chars() {
        if character.is_ascii_alphanumeric() {
            let is_digit = Some(character.is_ascii_digit());
            runs += usize::from(is_digit != was_digit);
            was_digit = is_digit;
            shape.push('x');
        } else if matches!(character, '-' | '_' | '{' | '}') {
            shape.push(character);
        } else {
            return None;
        }
    }
    (text.len() >= MIN_IDENTIFIER_BYTES && runs >= MIN_IDENTIFIER_RUNS).then_some(shape)
}

/// Digits with marks or blanks between them, as in `007`, a telephone number or a date; the shape is where these stand.
fn digits(text: &str) -> Option<String> {
    let is_digits = text.contains(|character: char| character.is_ascii_digit()) && !text.contains(char::is_alphabetic);
    is_digits.then(|| runs(text))
}

/// Letters and digits, as in `A-17` or `LH 123`. A word with a number behind it may be a name: it is like others of the
/// same word alone.
fn code(text: &str) -> Option<String> {
    let has_both = text.contains(|character: char| character.is_ascii_digit()) && text.contains(char::is_alphabetic);
    if !has_both || text.len() > MAX_CODE_BYTES {
        return None;
    }
    let word = text.trim_end_matches(|character: char| character.is_ascii_digit());
    let is_word = word.chars().all(|character| character.is_alphabetic() || matches!(character, ' ' | '_'));
    if is_word && (1..=2).contains(&(text.len() - word.len())) {
        return Some(format!("{word}9"));
    }
    Some(runs(text))
}

/// A text with a mark for each run of digits, of capitals and of other letters.
fn runs(text: &str) -> String {
    let mut shape = String::new();
    for character in text.chars() {
        let mark = match character {
            '0'..='9' => '9',
            capital if capital.is_uppercase() => 'A',
            letter if letter.is_alphabetic() => 'a',
            other => other,
        };
        if !(matches!(mark, '9' | 'A' | 'a') && shape.ends_with(mark)) {
            shape.push(mark);
        }
    }
    shape
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_value_has_the_form_of_those_below_it() {
        for (text, others, form) in [
            ("007", &["008", "12"][..], Some("made of digits")),
            ("+49 151 1", &["0151-2", "+49 30 4"], Some("made of digits")),
            ("31.12.2023", &["01.02.2024", "n/a", "03.04.2024"], Some("made of digits")),
            ("ann@x.de", &["bob@mail.example"], Some("an e-mail address")),
            ("https://x.de/a", &["http://y.de"], Some("a link")),
            ("550e8400-e29b-41d4-a716-446655440000", &["6ba7b810-9dad-11d1-80b4-00c04fd430c8"], Some("an identifier")),
            ("B00X4WHP5E", &["B00ZV9PXP2", "B0123XY4Z9"], Some("an identifier")),
            ("A-17", &["A-18", "B-22"], Some("a code as those below")),
            ("LH 123", &["BA 4567"], Some("a code as those below")),
            ("x1", &["x3"], Some("a code as those below")),
            ("Q1", &["A1", "B2"], None),
            ("Address 2", &["Suite 5", "Apt 12"], None),
            ("name", &["ann", "bob"], None),
            ("2021", &["7-5", "1-0"], None),
            ("code", &["A-17"], None),
        ] {
            assert_eq!(shared(text, others), form, "{text}");
        }
    }

    #[test]
    fn a_name_lacks_the_form_of_those_below_it() {
        assert!(is_over_others("code", &["007", "12"]));
        assert!(is_over_others("mail", &["ann@x.de"]));
        assert!(is_over_others("part", &["A-17", "B-22"]));
        assert!(!is_over_others("part", &["A-17"]));
        assert!(!is_over_others("007", &["008"]));
        assert!(!is_over_others("name", &["ann", "bob"]));
        assert!(!is_over_others("name", &[]));
        assert_eq!(by_itself("0151/17"), Some("made of digits"));
        assert_eq!(by_itself("address_1"), None);
    }
}
