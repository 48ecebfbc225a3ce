//! Parts of a text of JSON as they are written there, which `json` keeps.

use std::{borrow::Cow, ops::Range};

use super::{NoJson, Reader};

/// A step into a value.
#[derive(Debug, Clone, Copy)]
pub(crate) enum JsonStep<'a> {
    /// To the value of a key, and into no array.
    Key(&'a str),
    /// To the element of an array at a place, from its end where it is negative, and into no object.
    Place(i32),
    /// To the value of a key, or into an array to the place that the text is, if it is one.
    Either(&'a str),
}

impl<'a> JsonStep<'a> {
    pub(super) fn key(self) -> Option<&'a str> {
        match self {
            Self::Key(key) | Self::Either(key) => Some(key),
            Self::Place(_) => None,
        }
    }

    pub(super) fn place(self) -> Option<i32> {
        match self {
            Self::Key(_) => None,
            Self::Place(place) => Some(place),
            Self::Either(text) => place_of(text),
        }
    }
}

/// The place in an array that a text is.
pub(super) fn place_of(text: &str) -> Option<i32> {
    text.trim_start_matches([' ', '\t', '\n', '\u{b}', '\u{c}', '\r']).parse().ok()
}

/// Where a place is among so many elements, if it is there.
pub(super) fn place_in(place: i32, elements: usize) -> Option<usize> {
    let from_end = usize::try_from(place.unsigned_abs()).ok()?;
    let at = if place < 0 { elements.checked_sub(from_end)? } else { from_end };
    (at < elements).then_some(at)
}

/// The part of a text of JSON to which steps lead; of several the last one.
pub(crate) fn json_part<'a>(text: &'a str, steps: &[JsonStep<'_>]) -> Result<Option<&'a str>, NoJson> {
    let mut reader = Reader { bytes: text.as_bytes(), at: 0, is_normal: false };
    let mut found = None;
    reader.find(steps, 0, &mut found)?;
    reader.skip_blanks();
    if reader.at < text.len() {
        return Err(NoJson::Syntax);
    }
    Ok(found.and_then(|found| text.get(found)))
}

/// The text that such a part stands for: what is in the quotes of one, and none of null.
pub(crate) fn json_text(part: &str) -> Result<Option<Cow<'_, str>>, NoJson> {
    let mut reader = Reader { bytes: part.as_bytes(), at: 0, is_normal: true };
    reader.skip_blanks();
    match reader.bytes.get(reader.at) {
        Some(b'"') => reader.text().map(|text| Some(Cow::Owned(text))),
        Some(b'n') => Ok(None),
        _ => Ok(Some(Cow::Borrowed(part))),
    }
}

impl Reader<'_> {
    fn find(&mut self, steps: &[JsonStep<'_>], level: usize, found: &mut Option<Range<usize>>) -> Result<(), NoJson> {
        self.skip_blanks();
        let start = self.at;
        let Some((step, rest)) = steps.split_first() else {
            // What stands alone keeps the blanks before it.
            let is_alone = level == 0 && !matches!(self.bytes.get(start), Some(b'{' | b'['));
            self.value(level)?;
            *found = Some(if is_alone { 0 } else { start }..self.at);
            return Ok(());
        };
        match (self.bytes.get(start), step.key(), step.place()) {
            (Some(b'{'), Some(key), _) => self.find_key(key, rest, level, found),
            (Some(b'['), _, Some(place)) => {
                let mut ahead = Reader { bytes: self.bytes, at: start, is_normal: false };
                let elements = if place < 0 { ahead.find_place(None, rest, level, found)? } else { usize::MAX };
                self.find_place(place_in(place, elements), rest, level, found).map(drop)
            }
            _ => self.value(level).map(drop),
        }
    }

    fn find_key(
        &mut self,
        key: &str,
        rest: &[JsonStep<'_>],
        level: usize,
        found: &mut Option<Range<usize>>,
    ) -> Result<(), NoJson> {
        self.expect(b'{')?;
        self.skip_blanks();
        if self.take(b'}') {
            return Ok(());
        }
        loop {
            self.skip_blanks();
            self.is_normal = true;
            let name = self.text();
            self.is_normal = false;
            let is_key = name? == key;
            self.skip_blanks();
            self.expect(b':')?;
            if is_key {
                self.find(rest, level + 1, found)?;
            } else {
                self.value(level + 1)?;
            }
            self.skip_blanks();
            if self.take(b'}') {
                return Ok(());
            }
            self.expect(b',')?;
        }
    }

    /// How many elements an array has, once the one at a place was looked into.
    fn find_place(
        &mut self,
        place: Option<usize>,
        rest: &[JsonStep<'_>],
        level: usize,
        found: &mut Option<Range<usize>>,
    ) -> Result<usize, NoJson> {
        self.expect(b'[')?;
        self.skip_blanks();
        if self.take(b']') {
            return Ok(0);
        }
        let mut elements = 0;
        loop {
            if place == Some(elements) {
                self.find(rest, level + 1, found)?;
            } else {
                self.value(level + 1)?;
            }
            elements += 1;
            self.skip_blanks();
            if self.take(b']') {
                return Ok(elements);
            }
            self.expect(b',')?;
        }
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::{
        JsonStep::{Either, Key, Place},
        *,
    };

    /// As PostgreSQL 15 has them of `json`.
    #[test]
    fn parts_are_as_they_are_written() {
        let text = r#" {"a" : { "b":1.0 , "c":[1, "x\u0041",null ]} , "a":{"b" : 2e1}, "n": null} "#;
        for (steps, part) in [
            (vec![], Some(text.trim())),
            (vec![Key("a")], Some(r#"{"b" : 2e1}"#)),
            (vec![Key("n")], Some("null")),
            (vec![Key("x")], None),
            (vec![Place(0)], None),
            (vec![Either("a"), Either("b")], Some("2e1")),
            (vec![Either("a"), Either("c"), Either("1")], Some(r#""x\u0041""#)),
            (vec![Either("a"), Either("c"), Either(" -3")], Some("1")),
            (vec![Either("a"), Either("c"), Either("-4")], None),
            (vec![Either("a"), Either("c"), Either("x")], None),
            (vec![Either("n"), Either("x")], None),
        ] {
            assert_eq!(json_part(text, &steps), Ok(part), "{steps:?}");
        }
        assert_eq!(json_part(" 1 ", &[]), Ok(Some(" 1")));
        assert_eq!(json_text(" 1"), Ok(Some(Cow::Borrowed(" 1"))));
        assert_eq!(json_part("[1] x", &[Place(0)]), Err(NoJson::Syntax));
        assert_eq!(json_text(r#""x\u0041\n""#).unwrap().as_deref(), Some("xA\n"));
        assert_eq!(json_text("null"), Ok(None));
        assert_eq!(json_text("1.0").unwrap().as_deref(), Some("1.0"));
    }
}
