//! Options that leave each other no meaning: a character with two, and a mark of missing values that no field can be.

use super::{CsvOptions, Error, NullMark, Options, invalid};

/// Refuses such options. `given` tells which of them somebody said, and `likely` is the delimiter if nothing else is found.
pub(super) fn check(options: &CsvOptions, given: &Options, likely: Option<u8>) -> Result<(), Error> {
    let delimiter = ("delimiter", options.delimiter.or(likely));
    let [quote, escape, comment] = [("quote", options.quote), ("escape", options.escape), ("comment", options.comment)];
    for ((name, character), (other, taken)) in
        [(quote, delimiter), (escape, delimiter), (comment, delimiter), (comment, quote)]
    {
        if let Some(character) = character.filter(|character| Some(*character) == taken) {
            let (wrong, right) = if given.contains_key(name) { (name, other) } else { (other, name) };
            let expected = format!("another character than the {right}");
            return Err(invalid(wrong, &char::from(character).to_string(), &expected));
        }
    }
    let NullMark::Text(mark) = &options.null else { return Ok(()) };
    let has = |byte: Option<u8>| byte.is_some_and(|byte| mark.as_bytes().contains(&byte));
    let parts = [
        ("the delimiter", options.delimiter),
        ("the quote", options.quote),
        ("a line feed", Some(b'\n')),
        ("a carriage return", Some(b'\r')),
    ];
    match parts.into_iter().find(|(_, byte)| has(*byte)) {
        Some((part, _)) => {
            Err(invalid("null_value", mark, &format!("a text without {part}, as it stands in no quotes")))
        }
        None => Ok(()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn refused(given: &[(&str, &str)]) -> Option<String> {
        let given: Options = given.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned())).collect();
        CsvOptions::parse(&given).err().map(|error| error.to_string())
    }

    #[test]
    fn no_character_means_two_things() {
        for (given, message) in [
            (
                &[("quote", ","), ("delimiter", ",")][..],
                "option quote cannot be ',', expected another character than the delimiter",
            ),
            (&[("delimiter", "\"")], "option delimiter cannot be '\"', expected another character than the quote"),
            (
                &[("escape", ";"), ("delimiter", ";")],
                "option escape cannot be ';', expected another character than the delimiter",
            ),
            (
                &[("comment", ";"), ("delimiter", ";")],
                "option comment cannot be ';', expected another character than the delimiter",
            ),
            (&[("comment", "\"")], "option comment cannot be '\"', expected another character than the quote"),
        ] {
            assert_eq!(refused(given).as_deref(), Some(message));
        }
        for given in [
            &[("quote", "'"), ("escape", "'"), ("delimiter", ",")][..],
            &[("delimiter", "\""), ("quote", "none")],
            &[("quote", ";"), ("delimiter", ",")],
            &[],
        ] {
            assert_eq!(refused(given), None);
        }
    }

    #[test]
    fn a_mark_is_what_a_field_can_be() {
        let with = |mark: &str, delimiter: &str| refused(&[("null_value", mark), ("delimiter", delimiter)]);
        for (mark, delimiter, part) in [
            (",", ",", "the delimiter"),
            ("null", "n", "the delimiter"),
            ("\"\"", ",", "the quote"),
            ("a\nb", ",", "a line feed"),
            ("a\r", ",", "a carriage return"),
        ] {
            let message = format!(
                "option null_value cannot be '{mark}', expected a text without {part}, as it stands in no quotes"
            );
            assert_eq!(with(mark, delimiter), Some(message));
        }
        assert_eq!(with("n/a, or so", ";"), None);
        assert_eq!(with("\\N", ","), None);
        assert_eq!(refused(&[("null_value", "a\"b"), ("quote", "none")]), None);
        // Which delimiter a file has is told later.
        assert_eq!(refused(&[("null_value", "n/a, or so")]), None);
    }

    #[test]
    fn a_quote_is_not_the_likely_delimiter() {
        let given = Options::from([("quote".to_owned(), ",".to_owned())]);
        let options = CsvOptions::parse(&given).expect("it may be a file of another delimiter");
        assert!(check(&options, &given, Some(b',')).is_err());
        assert!(check(&options, &given, Some(b'\t')).is_ok());
    }
}
