//! Lines and columns of a text, which its tokens have, as bytes.
//!
//! A text may be one line of millions of statements: what asks for the bytes of each must not count from the start of the
//! line again.

use datafusion::sql::sqlparser::tokenizer::Location;

/// Characters from one stop to the next.
const APART: usize = 256;

/// A text with stops, from which few characters are counted to any place.
pub(super) struct Places<'a> {
    text: &'a str,
    stops: Vec<Stop>,
}

/// A character's line and column, and its byte.
#[derive(Debug, Clone, Copy)]
struct Stop {
    line: u64,
    column: u64,
    byte: usize,
}

impl Stop {
    /// The place after this character.
    fn after(self, character: char) -> Self {
        let byte = self.byte + character.len_utf8();
        match character {
            '\n' => Self { line: self.line + 1, column: 1, byte },
            _ => Self { line: self.line, column: self.column + 1, byte },
        }
    }

    fn is_before(&self, location: Location) -> bool {
        (self.line, self.column) < (location.line, location.column)
    }
}

impl<'a> Places<'a> {
    pub(super) fn new(text: &'a str) -> Self {
        let mut stops = Vec::with_capacity(text.len() / APART + 1);
        let mut place = Stop { line: 1, column: 1, byte: 0 };
        for (number, character) in text.chars().enumerate() {
            if number % APART == 0 {
                stops.push(place);
            }
            place = place.after(character);
        }
        Self { text, stops }
    }

    /// The byte of the character at a place; the end of the text where there is none.
    pub(super) fn byte(&self, location: Location) -> usize {
        let beyond = self.stops.partition_point(|stop| stop.is_before(location));
        let Some(&stop) = self.stops.get(beyond.saturating_sub(1)) else { return self.text.len() };
        let mut place = stop;
        for character in self.text[stop.byte..].chars() {
            if !place.is_before(location) {
                return place.byte;
            }
            place = place.after(character);
        }
        self.text.len()
    }

    /// What stands from one place to another.
    pub(super) fn between(&self, start: Location, end: Location) -> &'a str {
        self.text.get(self.byte(start)..self.byte(end)).unwrap_or_default()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn places_are_bytes() {
        let text = format!("é\nab\n\n{}ü;{}", "ß".repeat(3 * APART), "x\n".repeat(APART));
        let places = Places::new(&text);
        let (mut line, mut column) = (1, 1);
        for (byte, character) in text.char_indices() {
            assert_eq!(places.byte(Location { line, column }), byte, "line {line}, column {column}");
            (line, column) = if character == '\n' { (line + 1, 1) } else { (line, column + 1) };
        }
        assert_eq!(places.byte(Location { line, column }), text.len());
        assert_eq!(places.byte(Location { line: 0, column: 0 }), 0);
        assert_eq!(places.byte(Location { line: line + 9, column: 1 }), text.len());
        assert_eq!(places.between(Location { line: 2, column: 1 }, Location { line: 2, column: 3 }), "ab");
        assert_eq!(Places::new("").byte(Location { line: 1, column: 1 }), 0);
    }
}
