//! How the options of `COPY … TO STDOUT` and `COPY … FROM` are written: as a list in parentheses, with or without WITH before it,
//! or as words one after the other, as they were before version 9.
//!
//! What they mean, `copy` knows.

use datafusion::sql::sqlparser::tokenizer::{Location, Token, TokenWithSpan, Word};

use crate::{Error, Result, copy::Choice};

/// Options by their names, in lower case, and where they stand.
pub(super) type Written = Vec<(String, Option<Choice>, Location)>;

/// What follows the place where rows go or come from, and has been read up to `at`.
pub(super) struct Words<'a> {
    tokens: &'a [TokenWithSpan],
    at: usize,
    /// Where the text ends.
    end: Location,
}

impl<'a> Words<'a> {
    pub(super) fn new(tokens: &'a [TokenWithSpan], end: Location) -> Self {
        Self { tokens, at: 0, end }
    }

    /// What has not been read.
    pub(super) fn rest(&self) -> &'a [TokenWithSpan] {
        self.tokens.get(self.at..).unwrap_or_default()
    }

    /// Where the next token stands.
    pub(super) fn place(&self) -> Location {
        self.rest().first().map_or(self.end, |token| token.span.start)
    }

    /// Takes a word that nothing quotes, in any case.
    pub(super) fn take_word(&mut self, wanted: &str) -> bool {
        let is_there = self.rest().first().is_some_and(|token| word(&token.token).is_some_and(|word| word == wanted));
        self.at += usize::from(is_there);
        is_there
    }

    /// The options up to the end or a WHERE.
    pub(super) fn options(&mut self) -> Result<Written> {
        let mut written = Vec::new();
        if self.take_word("using") && !self.is_word("delimiters") {
            return Err(self.expected("DELIMITERS"));
        }
        if self.take_word("delimiters") {
            let place = self.place();
            written.push(("delimiter".to_owned(), Some(self.text("a delimiter")?), place));
        }
        self.take_word("with");
        if self.take(&Token::LParen) {
            self.list(&mut written)?;
            return Ok(written);
        }
        while !self.rest().is_empty() && !self.is_word("where") {
            let place = self.place();
            let (name, choice) = self.old_option()?;
            written.push((name.to_owned(), choice, place));
        }
        Ok(written)
    }

    /// `name value, name, …)`
    fn list(&mut self, written: &mut Written) -> Result<()> {
        loop {
            let place = self.place();
            let name = match self.next() {
                Some(Token::Word(Word { value, quote_style: None, .. })) => value.to_lowercase(),
                Some(Token::Word(Word { value, .. })) => value.clone(),
                _ => return Err(self.before("the name of an option")),
            };
            let choice = self.choice()?;
            written.push((name, choice, place));
            if self.take(&Token::RParen) {
                return Ok(());
            }
            if !self.take(&Token::Comma) {
                return Err(self.expected("a comma or ) behind an option"));
            }
        }
    }

    /// What an option in a list is given, if anything.
    fn choice(&mut self) -> Result<Option<Choice>> {
        if matches!(self.peek(), None | Some(Token::Comma | Token::RParen)) {
            return Ok(None);
        }
        let choice = match self.next() {
            Some(Token::Mul) => Choice::All,
            Some(Token::LParen) => Choice::List(self.items()?),
            Some(Token::Number(number, _)) => Choice::Number(number.clone()),
            Some(sign @ (Token::Minus | Token::Plus)) => match self.next() {
                Some(Token::Number(number, _)) => Choice::Number(format!("{sign}{number}")),
                _ => return Err(self.before("a number")),
            },
            Some(token) => match text_of(token).or_else(|| word_of(token)) {
                Some(text) => Choice::Text(text),
                None => return Err(self.before("what an option is given")),
            },
            None => return Err(self.before("what an option is given")),
        };
        Ok(Some(choice))
    }

    /// The items of a list, of which the first parenthesis was taken.
    fn items(&mut self) -> Result<Vec<String>> {
        let mut items = Vec::new();
        loop {
            match self.next().and_then(|token| text_of(token).or_else(|| word_of(token))) {
                Some(item) => items.push(item),
                None => return Err(self.before("an item of a list")),
            }
            if self.take(&Token::RParen) {
                return Ok(items);
            }
            if !self.take(&Token::Comma) {
                return Err(self.expected("a comma or ) behind an item"));
            }
        }
    }

    /// An option as it was written before there were lists of them.
    fn old_option(&mut self) -> Result<(&'static str, Option<Choice>)> {
        for (wanted, format) in [("binary", "binary"), ("csv", "csv")] {
            if self.take_word(wanted) {
                return Ok(("format", Some(Choice::Text(format.to_owned()))));
            }
        }
        for wanted in ["freeze", "header"] {
            if self.take_word(wanted) {
                return Ok((wanted, None));
            }
        }
        for wanted in ["delimiter", "null", "quote", "escape"] {
            if self.take_word(wanted) {
                self.take_word("as");
                return Ok((wanted, Some(self.text("a text")?)));
            }
        }
        if self.take_word("encoding") {
            return Ok(("encoding", Some(self.text("the name of an encoding")?)));
        }
        if !self.take_word("force") {
            return Err(self.expected("an option of COPY"));
        }
        if self.take_word("quote") {
            let choice = if self.take(&Token::Mul) { Choice::All } else { self.names()? };
            return Ok(("force_quote", Some(choice)));
        }
        let name = match self.take_word("not") {
            true => "force_not_null",
            false => "force_null",
        };
        if !self.take_word("null") {
            return Err(self.expected("QUOTE, NULL or NOT NULL"));
        }
        Ok((name, Some(self.names()?)))
    }

    /// `a, b`
    fn names(&mut self) -> Result<Choice> {
        let mut names = Vec::new();
        loop {
            match self.next().and_then(word_of) {
                Some(name) => names.push(name),
                None => return Err(self.before("the name of a column")),
            }
            if !self.take(&Token::Comma) {
                return Ok(Choice::List(names));
            }
        }
    }

    fn text(&mut self, what: &str) -> Result<Choice> {
        match self.next().and_then(text_of) {
            Some(text) => Ok(Choice::Text(text)),
            None => Err(self.before(what)),
        }
    }

    fn is_word(&self, wanted: &str) -> bool {
        self.peek().and_then(word).is_some_and(|word| word == wanted)
    }

    fn peek(&self) -> Option<&'a Token> {
        self.rest().first().map(|token| &token.token)
    }

    fn next(&mut self) -> Option<&'a Token> {
        let next = self.peek();
        self.at += 1;
        next
    }

    fn take(&mut self, wanted: &Token) -> bool {
        let is_there = self.peek() == Some(wanted);
        self.at += usize::from(is_there);
        is_there
    }

    /// What is wrong where something else is next.
    pub(super) fn expected(&self, what: &str) -> Error {
        let found = self.peek().map_or_else(|| "the end of the statement".to_owned(), ToString::to_string);
        Error::syntax(format!("expected {what}, found {found}"), None, Some(self.place()))
    }

    /// The same of the token that was read last.
    fn before(&mut self, what: &str) -> Error {
        self.at = self.at.saturating_sub(1);
        self.expected(what)
    }
}

/// A word that nothing quotes, in lower case.
fn word(token: &Token) -> Option<String> {
    match token {
        Token::Word(Word { value, quote_style: None, .. }) => Some(value.to_lowercase()),
        _ => None,
    }
}

/// A name as it is stored.
fn word_of(token: &Token) -> Option<String> {
    match token {
        Token::Word(Word { value, quote_style: Some(_), .. }) => Some(value.clone()),
        other => word(other),
    }
}

/// A text in quotes.
pub(super) fn text_of(token: &Token) -> Option<String> {
    match token {
        Token::SingleQuotedString(text) | Token::EscapedStringLiteral(text) => Some(text.clone()),
        Token::DollarQuotedString(quoted) => Some(quoted.value.clone()),
        _ => None,
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use datafusion::sql::sqlparser::tokenizer::Tokenizer;

    use super::*;
    use crate::session::PostgreSql;

    fn read(sql: &str) -> Result<Vec<(String, Option<Choice>)>> {
        let tokens = Tokenizer::new(&PostgreSql, sql).tokenize_with_location().unwrap();
        let tokens: Vec<_> = tokens.into_iter().filter(|token| !matches!(token.token, Token::Whitespace(_))).collect();
        let options = Words::new(&tokens, Location::empty()).options()?;
        Ok(options.into_iter().map(|(name, choice, _)| (name, choice)).collect())
    }

    fn chosen(name: &str, text: &str) -> (String, Option<Choice>) {
        (name.to_owned(), Some(Choice::Text(text.to_owned())))
    }

    #[test]
    fn both_ways_of_writing_options_are_read() {
        let both = Some(Choice::List(vec!["a".to_owned(), "B".to_owned()]));
        let new = read("WITH (FORMAT csv, HEADER, DELIMITER ';', FORCE_QUOTE (a, \"B\"))").unwrap();
        let header = ("header".to_owned(), None);
        let forced = ("force_quote".to_owned(), both.clone());
        assert_eq!(new, [chosen("format", "csv"), header.clone(), chosen("delimiter", ";"), forced.clone()]);
        let old = read("WITH CSV HEADER DELIMITER AS ';' FORCE QUOTE A, \"B\" FORCE NOT NULL a, \"B\"").unwrap();
        let filled = ("force_not_null".to_owned(), both);
        assert_eq!(old, [chosen("format", "csv"), header, chosen("delimiter", ";"), forced, filled]);
        assert_eq!(read("USING DELIMITERS '|' NULL 'x'").unwrap(), [chosen("delimiter", "|"), chosen("null", "x")]);
        assert_eq!(read("(header -1, force_quote *)").unwrap()[0].1, Some(Choice::Number("-1".to_owned())));
        assert_eq!(read("CSV WHERE a > 1").unwrap(), [chosen("format", "csv")]);
    }

    #[test]
    fn what_is_no_option_is_told() {
        for (sql, told) in [
            ("WITH foo", "expected an option of COPY, found foo"),
            ("(header", "expected a comma or ) behind an option, found the end of the statement"),
            ("(1 2)", "expected the name of an option, found 1"),
            ("CSV QUOTE", "expected a text, found the end of the statement"),
            ("FORCE a", "expected QUOTE, NULL or NOT NULL, found a"),
        ] {
            assert!(read(sql).unwrap_err().to_string().contains(told), "{sql}");
        }
    }
}
