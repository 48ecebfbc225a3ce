//! Texts that differ in values alone, as those of programs do that write a key into each of their statements.
//!
//! A text is read here as far as it takes to find the numbers and the texts in quotes in it; what is left is the same for all
//! of them. Which of the values a statement compares with columns, so that parameters can take their places, is known once
//! the first of them was parsed. What is written in a way that takes more reading (comments, `$`, `E''`) has no shape: it is
//! parsed as ever.

use std::{
    iter::Peekable,
    str::CharIndices,
    sync::{
        Arc,
        atomic::{AtomicU32, Ordering},
    },
};

use datafusion::{common::ScalarValue, sql::sqlparser::tokenizer::Location};

use super::Action;

/// Longer texts have no shape.
const MAX_BYTES: usize = 4 << 10;

/// What stands for a number and for a text in quotes. No text has them: those that do have no shape.
const NUMBER: char = '\u{1}';
const TEXT: char = '\u{2}';

/// A text without its values.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Blanked<'a> {
    /// What is left of it.
    pub(crate) text: String,
    values: Vec<Written<'a>>,
}

/// A value as it is written.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct Written<'a> {
    /// With its quotes.
    text: &'a str,
    /// Where it begins, as the parser counts.
    line: u64,
    column: u64,
}

/// A statement whose texts differ in values alone.
#[derive(Debug)]
pub(crate) struct Shape {
    /// The statement, with parameters for those values.
    action: Arc<dyn Action>,
    /// For each value of a text what it always is; none: it is the next parameter.
    fixed: Vec<Option<Box<str>>>,
    /// How often it was in vain to take it for one.
    failures: AtomicU32,
}

impl<'a> Blanked<'a> {
    /// The text without its values; none where it has no shape.
    pub(crate) fn of(text: &'a str) -> Option<Self> {
        if text.len() > MAX_BYTES {
            return None;
        }
        Reader { text, rest: text.char_indices().peekable(), line: 1, column: 1 }.read()
    }
}

impl Shape {
    /// That of a text in which parameters have taken the places of the values that begin at `places`.
    pub(crate) fn new(blanked: &Blanked<'_>, action: Arc<dyn Action>, places: &[Location]) -> Option<Self> {
        let mut places = places.iter().peekable();
        let mut fixed = Vec::with_capacity(blanked.values.len());
        for value in &blanked.values {
            let is_next = places.peek().is_some_and(|place| (place.line, place.column) == (value.line, value.column));
            if is_next {
                places.next();
            }
            fixed.push((!is_next).then(|| Box::from(value.text)));
        }
        // All of them, and in the order of the text.
        places.next().is_none().then(|| Self { action, fixed, failures: AtomicU32::new(0) })
    }

    /// The statement, which takes parameters.
    pub(crate) fn action(&self) -> &Arc<dyn Action> {
        &self.action
    }

    /// The values of its parameters in a text; none where the text differs in others.
    pub(crate) fn values(&self, blanked: &Blanked<'_>) -> Option<Vec<ScalarValue>> {
        if self.fixed.len() != blanked.values.len() {
            return None;
        }
        let mut values = Vec::new();
        for (fixed, value) in self.fixed.iter().zip(&blanked.values) {
            match fixed {
                Some(fixed) if **fixed == *value.text => {}
                Some(_) => return None,
                None => values.push(value.meant()?),
            }
        }
        Some(values)
    }

    /// Whether it is worth while to plan its statement with parameters: less and less often where that was in vain.
    pub(crate) fn is_tried(&self) -> bool {
        let failures = self.failures.load(Ordering::Relaxed);
        let tried = failures == 0 || failures.is_power_of_two();
        if !tried {
            self.failed();
        }
        tried
    }

    /// It was not in vain.
    pub(crate) fn worked(&self) {
        self.failures.store(0, Ordering::Relaxed);
    }

    /// It was in vain.
    pub(crate) fn failed(&self) {
        self.failures.fetch_add(1, Ordering::Relaxed);
    }
}

impl Written<'_> {
    /// What it means beside a column: a whole number, or a text.
    fn meant(self) -> Option<ScalarValue> {
        if let Some(text) = self.text.strip_prefix('\'').and_then(|text| text.strip_suffix('\'')) {
            return Some(ScalarValue::Utf8(Some(text.replace("''", "'"))));
        }
        let number: i64 = self.text.parse().ok()?;
        Some(match i32::try_from(number) {
            Ok(number) => ScalarValue::Int32(Some(number)),
            Err(_) => ScalarValue::Int64(Some(number)),
        })
    }
}

/// Reads a text from its beginning to its end.
struct Reader<'a> {
    text: &'a str,
    rest: Peekable<CharIndices<'a>>,
    line: u64,
    column: u64,
}

impl<'a> Reader<'a> {
    fn read(mut self) -> Option<Blanked<'a>> {
        let mut blanked = Blanked { text: String::with_capacity(self.text.len()), values: Vec::new() };
        // What stands right before a value is a part of how it is written, where it is no space or sign.
        let mut before = ' ';
        while let Some(&(start, letter)) = self.rest.peek() {
            let (line, column) = (self.line, self.column);
            match letter {
                '0'..='9' => {
                    self.pass_while(is_of_word);
                    let text = self.since(start);
                    let goes_on = self.rest.peek().is_some_and(|(_, next)| *next == '.');
                    if goes_on || before == '.' || !text.bytes().all(|byte| byte.is_ascii_digit()) {
                        // A number with more to it stays as it is written.
                        blanked.text.push_str(text);
                    } else {
                        blanked.values.push(Written { text, line, column });
                        blanked.text.push(NUMBER);
                    }
                    before = '0';
                }
                '\'' => {
                    if is_of_word(before) || matches!(before, '\'' | '"' | '&') {
                        return None;
                    }
                    self.pass_quoted('\'')?;
                    blanked.values.push(Written { text: self.since(start), line, column });
                    blanked.text.push(TEXT);
                    before = '\'';
                }
                '"' => {
                    self.pass_quoted('"')?;
                    blanked.text.push_str(self.since(start));
                    before = '"';
                }
                '-' | '/' => {
                    self.pass();
                    if self.rest.peek().is_some_and(|(_, next)| matches!((letter, next), ('-', '-') | ('/', '*'))) {
                        return None;
                    }
                    blanked.text.push(letter);
                    before = letter;
                }
                '$' | '\\' => return None,
                letter if letter.is_control() && !letter.is_whitespace() => return None,
                letter if is_of_word(letter) => {
                    self.pass_while(|letter| is_of_word(letter) || letter == '$');
                    blanked.text.push_str(self.since(start));
                    before = 'a';
                }
                letter => {
                    self.pass();
                    blanked.text.push(letter);
                    // Texts in quotes with nothing but space between them may be one.
                    if !(letter.is_whitespace() && before == '\'') {
                        before = letter;
                    }
                }
            }
        }
        Some(blanked)
    }

    fn pass(&mut self) -> Option<char> {
        let (_, letter) = self.rest.next()?;
        match letter {
            '\n' => (self.line, self.column) = (self.line + 1, 1),
            _ => self.column += 1,
        }
        Some(letter)
    }

    fn pass_while(&mut self, goes_on: impl Fn(char) -> bool) {
        while self.rest.peek().is_some_and(|(_, letter)| goes_on(*letter)) {
            self.pass();
        }
    }

    /// Passes what is in quotes, in which two of them are one; nothing where it does not end.
    fn pass_quoted(&mut self, quote: char) -> Option<()> {
        self.pass();
        loop {
            if self.pass()? == quote {
                match self.rest.peek() {
                    Some((_, next)) if *next == quote => self.pass(),
                    _ => return Some(()),
                };
            }
        }
    }

    /// What was passed from there on.
    fn since(&mut self, start: usize) -> &'a str {
        let end = self.rest.peek().map_or(self.text.len(), |(at, _)| *at);
        &self.text[start..end]
    }
}

fn is_of_word(letter: char) -> bool {
    letter.is_alphanumeric() || letter == '_'
}

#[cfg(test)]
mod tests {
    use async_trait::async_trait;

    use super::*;
    use crate::{
        Result,
        session::{Outcome, Running},
    };

    #[derive(Debug)]
    struct Nothing;

    #[async_trait]
    impl Action for Nothing {
        async fn run(&self, _running: Running<'_>) -> Result<Outcome> {
            Ok(Outcome::Empty)
        }
    }

    fn blanked(text: &str) -> Option<(String, Vec<&str>)> {
        let Blanked { text, values } = Blanked::of(text)?;
        let shown = text.replace(NUMBER, "#").replace(TEXT, "@");
        Some((shown, values.into_iter().map(|value| value.text).collect()))
    }

    #[test]
    fn numbers_and_texts_are_left_out() {
        for (text, blank, values) in [
            ("SELECT a FROM t WHERE id = 5", "SELECT a FROM t WHERE id = #", vec!["5"]),
            (
                "SELECT a1 FROM t2 WHERE x_3 = 'it''s' AND\n y=-07",
                "SELECT a1 FROM t2 WHERE x_3 = @ AND\n y=-#",
                vec!["'it''s'", "07"],
            ),
            ("SELECT 1.5, .5, 1e3, 0x1F, 1_000, 2", "SELECT 1.5, .5, 1e3, 0x1F, 1_000, #", vec!["2"]),
            (
                "SELECT \"a 1\", 'é', ö2 WHERE a='x'OR b=3",
                "SELECT \"a 1\", @, ö2 WHERE a=@OR b=#",
                vec!["'é'", "'x'", "3"],
            ),
            ("SELECT a$1 FROM t", "SELECT a$1 FROM t", vec![]),
            ("SELECT 1;", "SELECT #;", vec!["1"]),
        ] {
            assert_eq!(blanked(text), Some((blank.to_owned(), values)), "{text}");
        }
        let none = ["SELECT 1 -- x", "SELECT 1 /* x */", "SELECT $1", "SELECT $$x$$", "SELECT E'x'", "SELECT U&'x'"];
        let open = ["SELECT 'x", "SELECT \"x", "SELECT 'x'\n'y'", "SELECT \u{1}", "SELECT '\\"];
        for text in none.into_iter().chain(open) {
            assert_eq!(blanked(text), None, "{text}");
        }
        assert_eq!(blanked(&format!("SELECT {}", "a".repeat(MAX_BYTES))), None);
    }

    #[test]
    fn values_take_the_places_of_parameters() {
        let first = "SELECT 7\nFROM t WHERE a = 'é' AND b = 3 LIMIT 1";
        let blanked = Blanked::of(first).unwrap_or_else(|| panic!("it has a shape"));
        let place = |line, column| Location { line, column };
        let shape = Shape::new(&blanked, Arc::new(Nothing), &[place(2, 18), place(2, 30)]);
        let shape = shape.unwrap_or_else(|| panic!("both are there"));
        let values = |text: &str| Blanked::of(text).and_then(|blanked| shape.values(&blanked));
        let expected = |text: &str, number: ScalarValue| Some(vec![ScalarValue::Utf8(Some(text.to_owned())), number]);
        assert_eq!(values(first), expected("é", ScalarValue::Int32(Some(3))));
        let other = "SELECT 7\nFROM t WHERE a = 'it''s' AND b = 3000000000 LIMIT 1";
        assert_eq!(values(other), expected("it's", ScalarValue::Int64(Some(3_000_000_000))));
        assert_eq!(values("SELECT 7\nFROM t WHERE a = 'x' AND b = 99999999999999999999 LIMIT 1"), None);
        assert_eq!(values("SELECT 7\nFROM t WHERE a = 'x' AND b = 3 LIMIT 2"), None, "others differ");
        for places in [vec![place(2, 30), place(2, 18)], vec![place(2, 17)], vec![place(0, 0)]] {
            assert!(Shape::new(&blanked, Arc::new(Nothing), &places).is_none(), "{places:?}");
        }
    }

    #[test]
    fn what_is_in_vain_is_tried_less_and_less_often() {
        let blanked = Blanked::of("SELECT 1").unwrap_or_else(|| panic!("it has a shape"));
        let shape = Shape::new(&blanked, Arc::new(Nothing), &[]).unwrap_or_else(|| panic!("no value is replaced"));
        let mut tried = 0;
        for _ in 0..1_000 {
            if shape.is_tried() {
                tried += 1;
                shape.failed();
            }
        }
        assert_eq!(tried, 11);
    }
}
