//! The options of `COPY`, as PostgreSQL 15 checks them: what is given together, what is none of a format, what stands for NULL.

use datafusion::sql::sqlparser::tokenizer::Location;

use crate::{Error, Fault, Result};

/// Which way rows go.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Direction {
    To,
    From,
}

/// How rows are written.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Format {
    Text,
    Csv,
    Binary,
}

/// What the first line is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Header {
    None,
    /// The names of the columns, which are not read.
    Names,
    /// The names of the columns, which have to be those.
    Match,
}

/// Columns for which something is asked.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Columns {
    All,
    Named(Vec<String>),
}

/// What an option is given, as it was written.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Choice {
    /// A word or a text.
    Text(String),
    Number(String),
    /// `*`
    All,
    /// A list in parentheses.
    List(Vec<String>),
}

/// Options that fit together.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Options {
    pub(super) format: Format,
    pub(super) header: Header,
    pub(super) delimiter: u8,
    /// What stands for NULL.
    pub(super) null: String,
    pub(super) quote: u8,
    pub(super) escape: u8,
    /// The columns whose values are always in quotes.
    pub(super) force_quote: Columns,
    /// The columns in which what stands for NULL is a text.
    pub(crate) force_not_null: Vec<String>,
    /// The columns in which what stands for NULL does so in quotes too.
    pub(crate) force_null: Vec<String>,
}

/// Options as they are given, none of them twice.
#[derive(Debug, Default)]
struct Raw {
    format: Option<Format>,
    header: Option<Header>,
    freeze: Option<bool>,
    delimiter: Option<String>,
    null: Option<String>,
    quote: Option<String>,
    escape: Option<String>,
    force_quote: Option<Columns>,
    force_not_null: Option<Vec<String>>,
    force_null: Option<Vec<String>>,
    encoding: Option<()>,
}

/// The letters and digits that text could not tell from values or escapes, and more.
const NO_DELIMITERS: &[u8] = b"\\.abcdefghijklmnopqrstuvwxyz0123456789";

impl Options {
    /// Checks options that were given by name, in lower case, where they stand in the text.
    pub(crate) fn read(given: &[(String, Option<Choice>, Location)], direction: Direction) -> Result<Self> {
        let mut raw = Raw::default();
        for (name, choice, place) in given {
            raw.take(name, choice.as_ref(), *place, direction)?;
        }
        raw.checked(direction)
    }

    /// Whether the bytes are no text.
    pub(crate) fn is_binary(&self) -> bool {
        self.format == Format::Binary
    }

    /// The columns that are named for quotes.
    pub(crate) fn quoted(&self) -> &[String] {
        match &self.force_quote {
            Columns::All => &[],
            Columns::Named(names) => names,
        }
    }
}

impl Raw {
    fn take(&mut self, name: &str, choice: Option<&Choice>, place: Location, direction: Direction) -> Result<()> {
        let is_new = match name {
            "format" => {
                let format = format(&text(name, choice)?, place)?;
                self.format.replace(format).is_none()
            }
            "header" => {
                let header = header(choice, direction)?;
                self.header.replace(header).is_none()
            }
            "freeze" => self.freeze.replace(truth(name, choice)?).is_none(),
            "delimiter" => self.delimiter.replace(text(name, choice)?).is_none(),
            "null" => self.null.replace(text(name, choice)?).is_none(),
            "quote" => self.quote.replace(text(name, choice)?).is_none(),
            "escape" => self.escape.replace(text(name, choice)?).is_none(),
            "force_quote" => {
                let columns = match choice {
                    Some(Choice::All) => Columns::All,
                    other => Columns::Named(names(name, other, place)?),
                };
                self.force_quote.replace(columns).is_none()
            }
            "force_not_null" => self.force_not_null.replace(names(name, choice, place)?).is_none(),
            "force_null" => self.force_null.replace(names(name, choice, place)?).is_none(),
            "encoding" => {
                check_encoding(&text(name, choice)?, place)?;
                self.encoding.replace(()).is_none()
            }
            _ => return Err(Error::new(Fault::Syntax, format!("option \"{name}\" not recognized")).at(place)),
        };
        match is_new {
            true => Ok(()),
            false => Err(Error::new(Fault::Syntax, "conflicting or redundant options").at(place)),
        }
    }

    /// In the order in which PostgreSQL refuses them.
    fn checked(self, direction: Direction) -> Result<Options> {
        let format = self.format.unwrap_or(Format::Text);
        let (is_csv, is_binary) = (format == Format::Csv, format == Format::Binary);
        if is_binary && self.delimiter.is_some() {
            return Err(syntax("cannot specify DELIMITER in BINARY mode"));
        }
        if is_binary && self.null.is_some() {
            return Err(syntax("cannot specify NULL in BINARY mode"));
        }
        let delimiter = self.delimiter.unwrap_or_else(|| String::from(if is_csv { "," } else { "\t" }));
        let null = self.null.unwrap_or_else(|| String::from(if is_csv { "" } else { "\\N" }));
        let quote = self.quote.clone().unwrap_or_else(|| "\"".to_owned());
        let escape = self.escape.clone().unwrap_or_else(|| quote.clone());
        let several = || unsupported("COPY delimiter must be a single one-byte character");
        let one = single(&delimiter).ok_or_else(several)?;
        if matches!(one, b'\r' | b'\n') {
            return Err(invalid("COPY delimiter cannot be newline or carriage return"));
        }
        if null.contains(['\r', '\n']) {
            return Err(invalid("COPY null representation cannot use newline or carriage return"));
        }
        if !is_csv && NO_DELIMITERS.contains(&one) {
            return Err(invalid(&format!("COPY delimiter cannot be \"{delimiter}\"")));
        }
        let header = self.header.unwrap_or(Header::None);
        if is_binary && header != Header::None {
            return Err(unsupported("cannot specify HEADER in BINARY mode"));
        }
        if !is_csv && self.quote.is_some() {
            return Err(unsupported("COPY quote available only in CSV mode"));
        }
        let quote = single(&quote).ok_or_else(|| unsupported("COPY quote must be a single one-byte character"))?;
        if is_csv && one == quote {
            return Err(invalid("COPY delimiter and quote must be different"));
        }
        if !is_csv && self.escape.is_some() {
            return Err(unsupported("COPY escape available only in CSV mode"));
        }
        let escape = single(&escape).ok_or_else(|| unsupported("COPY escape must be a single one-byte character"))?;
        let forced = [
            (self.force_quote.is_some(), "force quote", Direction::To),
            (self.force_not_null.is_some(), "force not null", Direction::From),
            (self.force_null.is_some(), "force null", Direction::From),
        ];
        for (is_given, words, own) in forced {
            if is_given && !is_csv {
                return Err(unsupported(&format!("COPY {words} available only in CSV mode")));
            }
            if is_given && direction != own {
                let way = if own == Direction::To { "TO" } else { "FROM" };
                return Err(unsupported(&format!("COPY {words} only available using COPY {way}")));
            }
        }
        if null.as_bytes().contains(&one) && !is_binary {
            return Err(unsupported("COPY delimiter must not appear in the NULL specification"));
        }
        if is_csv && null.as_bytes().contains(&quote) {
            return Err(unsupported("CSV quote character must not appear in the NULL specification"));
        }
        Ok(Options {
            format,
            header,
            delimiter: one,
            null,
            quote,
            escape,
            force_quote: self.force_quote.unwrap_or(Columns::Named(Vec::new())),
            force_not_null: self.force_not_null.unwrap_or_default(),
            force_null: self.force_null.unwrap_or_default(),
        })
    }
}

fn syntax(message: &str) -> Error {
    Error::new(Fault::Syntax, message)
}

fn invalid(message: &str) -> Error {
    Error::new(Fault::InvalidArgument, message)
}

fn unsupported(message: &str) -> Error {
    Error::new(Fault::FeatureNotSupported, message)
}

/// The one byte that a text is.
fn single(text: &str) -> Option<u8> {
    match text.as_bytes() {
        [one] => Some(*one),
        _ => None,
    }
}

fn text(name: &str, choice: Option<&Choice>) -> Result<String> {
    match choice {
        Some(Choice::Text(text) | Choice::Number(text)) => Ok(text.clone()),
        Some(Choice::All) => Ok("*".to_owned()),
        Some(Choice::List(items)) => Ok(items.join(", ")),
        None => Err(syntax(&format!("{name} requires a parameter"))),
    }
}

fn names(name: &str, choice: Option<&Choice>, place: Location) -> Result<Vec<String>> {
    match choice {
        Some(Choice::List(items)) => Ok(items.clone()),
        _ => {
            let message = format!("argument to option \"{name}\" must be a list of column names");
            Err(invalid(&message).at(place))
        }
    }
}

fn format(given: &str, place: Location) -> Result<Format> {
    match given {
        "text" => Ok(Format::Text),
        "csv" => Ok(Format::Csv),
        "binary" => Ok(Format::Binary),
        other => Err(invalid(&format!("COPY format \"{other}\" not recognized")).at(place)),
    }
}

/// The words that PostgreSQL reads as a truth here.
fn as_truth(choice: Option<&Choice>) -> Option<bool> {
    match choice {
        None => Some(true),
        Some(Choice::Number(number)) => match number.as_str() {
            "0" => Some(false),
            "1" => Some(true),
            _ => None,
        },
        Some(Choice::Text(text)) => match text.to_ascii_lowercase().as_str() {
            "true" | "on" => Some(true),
            "false" | "off" => Some(false),
            _ => None,
        },
        Some(Choice::All | Choice::List(_)) => None,
    }
}

fn truth(name: &str, choice: Option<&Choice>) -> Result<bool> {
    as_truth(choice).ok_or_else(|| syntax(&format!("{name} requires a Boolean value")))
}

fn header(choice: Option<&Choice>, direction: Direction) -> Result<Header> {
    if matches!(choice, Some(Choice::Text(text)) if text.eq_ignore_ascii_case("match")) {
        return match direction {
            Direction::From => Ok(Header::Match),
            Direction::To => Err(unsupported("cannot use \"match\" with HEADER in COPY TO")),
        };
    }
    match as_truth(choice) {
        Some(true) => Ok(Header::Names),
        Some(false) => Ok(Header::None),
        None => Err(syntax("header requires a Boolean value or \"match\"")),
    }
}

/// Names of encodings that PostgreSQL has and that texts are not converted to and from.
const OTHER_ENCODINGS: &str = "\
    abc alt big5 euccn eucjis2004 eucjp euckr euctw gb18030 gbk iso88591 iso885910 iso885913 iso885914 \
    iso885915 iso885916 iso88592 iso88593 iso88594 iso88595 iso88596 iso88597 iso88598 iso88599 johab koi8 \
    koi8r koi8u latin1 latin10 latin2 latin3 latin4 latin5 latin6 latin7 latin8 latin9 mskanji muleinternal \
    shiftjis shiftjis2004 sjis sqlascii tcvn tcvn5712 uhc vscii win win1250 win1251 win1252 win1253 win1254 \
    win1255 win1256 win1257 win1258 win866 win874 win932 win936 win949 win950 windows1250 windows1251 \
    windows1252 windows1253 windows1254 windows1255 windows1256 windows1257 windows1258 windows866 windows874 \
    windows932 windows936 windows949 windows950";

/// Takes UTF-8 alone; PostgreSQL reads no more of a name than its letters and digits.
fn check_encoding(name: &str, place: Location) -> Result<()> {
    let letters = name.chars().filter(char::is_ascii_alphanumeric);
    let plain: String = letters.map(|letter| letter.to_ascii_lowercase()).collect();
    match plain.as_str() {
        "utf8" | "unicode" => Ok(()),
        other if OTHER_ENCODINGS.split(' ').any(|known| known == other) => {
            let message = format!("COPY reads and writes UTF-8 alone, and not {name}; convert the data");
            Err(unsupported(&message).at(place))
        }
        _ => Err(invalid("argument to option \"encoding\" must be a valid encoding name").at(place)),
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;

    fn read(given: &[(&str, Option<Choice>)], direction: Direction) -> Result<Options> {
        let given: Vec<_> =
            given.iter().map(|(name, choice)| ((*name).to_owned(), choice.clone(), Location::empty())).collect();
        Options::read(&given, direction)
    }

    fn chosen(text: &str) -> Option<Choice> {
        Some(Choice::Text(text.to_owned()))
    }

    #[test]
    fn formats_have_their_own_defaults() {
        let plain = read(&[], Direction::From).unwrap();
        assert_eq!((plain.format, plain.delimiter, plain.null.as_str()), (Format::Text, b'\t', "\\N"));
        let csv = read(&[("format", chosen("csv")), ("quote", chosen("'")), ("header", None)], Direction::To).unwrap();
        assert_eq!((csv.delimiter, csv.null.as_str(), csv.quote, csv.escape), (b',', "", b'\'', b'\''));
        assert_eq!(csv.header, Header::Names);
    }

    /// As PostgreSQL 15 tells of them.
    #[test]
    fn what_does_not_fit_together_is_refused() {
        let csv = || ("format", chosen("csv"));
        for (given, direction, fault, told) in [
            (vec![("foo", None)], Direction::To, Fault::Syntax, "option \"foo\" not recognized"),
            (vec![csv(), csv()], Direction::To, Fault::Syntax, "conflicting or redundant options"),
            (vec![("delimiter", chosen("a"))], Direction::To, Fault::InvalidArgument, "COPY delimiter cannot be \"a\""),
            (
                vec![csv(), ("force_null", Some(Choice::List(Vec::new())))],
                Direction::To,
                Fault::FeatureNotSupported,
                "COPY force null only available using COPY FROM",
            ),
            (
                vec![csv(), ("null", chosen("\""))],
                Direction::From,
                Fault::FeatureNotSupported,
                "CSV quote character must not appear in the NULL specification",
            ),
        ] {
            let error = read(&given, direction).unwrap_err();
            assert_eq!((error.fault(), error.to_string().as_str()), (fault, told));
        }
    }
}
