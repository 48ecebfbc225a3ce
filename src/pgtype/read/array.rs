//! Arrays taken apart into their elements; what an element is, the caller knows.

use std::{iter::Peekable, str::Chars};

use super::Unreadable;

/// The most dimensions of an array.
const MAX_DIMENSIONS: usize = 6;

/// An array as its text has it.
#[derive(Debug, PartialEq)]
pub(crate) struct ArrayText {
    /// The length of each dimension, from the outermost in; none of an empty array.
    pub(crate) dimensions: Vec<usize>,
    /// The elements of the innermost dimension, row by row.
    pub(crate) elements: Vec<Option<String>>,
}

/// The elements of `{a,"b c",NULL}`, `{{1,2},{3,4}}` or `[1:2]={1,2}`.
pub(crate) fn split_array(text: &str) -> Result<ArrayText, Unreadable> {
    let malformed = || Unreadable::Array(text.to_owned());
    let mut reading =
        Reading { rest: text.chars().peekable(), lengths: Vec::new(), deepest: None, elements: Vec::new() };
    let bounds = reading.bounds().ok_or_else(malformed)?;
    reading.whole().ok_or_else(malformed)?;
    let Reading { lengths, elements, .. } = reading;
    let dimensions = lengths.into_iter().collect::<Option<Vec<usize>>>().ok_or_else(malformed)?;
    let dimensions = if elements.is_empty() { Vec::new() } else { dimensions };
    if let Some(bounds) = bounds {
        let said = bounds.iter().map(|(low, high)| usize::try_from(i64::from(*high) - i64::from(*low) + 1).ok());
        if !said.eq(dimensions.iter().map(|length| Some(*length))) {
            return Err(malformed());
        }
        if bounds.iter().any(|(low, _)| *low != 1) {
            return Err(Unreadable::LowerBound(text.to_owned()));
        }
    }
    Ok(ArrayText { dimensions, elements })
}

/// What was read of an array. None of what its parts return is an array that is none.
struct Reading<'a> {
    rest: Peekable<Chars<'a>>,
    /// The length of the first array of each dimension that has come to its end.
    lengths: Vec<Option<usize>>,
    /// The dimension of the elements.
    deepest: Option<usize>,
    elements: Vec<Option<String>>,
}

impl Reading<'_> {
    /// The bounds of each dimension that stand before the array, if any do.
    fn bounds(&mut self) -> Option<Option<Vec<(i32, i32)>>> {
        let mut bounds = Vec::new();
        self.skip_spaces();
        while self.take('[') {
            let first = self.number()?;
            let (low, high) = if self.take(':') { (first, self.number()?) } else { (1, first) };
            if !self.take(']') || bounds.len() == MAX_DIMENSIONS {
                return None;
            }
            bounds.push((low, high));
            self.skip_spaces();
        }
        if bounds.is_empty() {
            return Some(None);
        }
        let stands_before = self.take('=');
        self.skip_spaces();
        stands_before.then_some(Some(bounds))
    }

    fn number(&mut self) -> Option<i32> {
        let mut digits = String::new();
        while let Some(character) = self.rest.next_if(|next| next.is_ascii_digit() || matches!(next, '-' | '+')) {
            digits.push(character);
        }
        digits.parse().ok()
    }

    fn whole(&mut self) -> Option<()> {
        if !self.take('{') {
            return None;
        }
        self.dimension(1)?;
        self.skip_spaces();
        self.rest.peek().is_none().then_some(())
    }

    /// An array from behind its brace to the one that ends it, `depth` of which are open.
    fn dimension(&mut self, depth: usize) -> Option<()> {
        if depth > MAX_DIMENSIONS {
            return None;
        }
        if self.lengths.len() < depth {
            self.lengths.push(None);
        }
        self.skip_spaces();
        if depth == 1 && self.take('}') {
            self.lengths = Vec::new();
            return Some(());
        }
        let mut length = 0;
        loop {
            self.skip_spaces();
            if self.take('{') {
                if self.deepest == Some(depth) {
                    return None;
                }
                self.dimension(depth + 1)?;
            } else {
                if *self.deepest.get_or_insert(depth) != depth {
                    return None;
                }
                let element = self.element()?;
                self.elements.push(element);
            }
            length += 1;
            self.skip_spaces();
            if self.take('}') {
                break;
            }
            if !self.take(',') {
                return None;
            }
        }
        // All arrays of a dimension are equally long.
        let first = self.lengths.get_mut(depth - 1)?;
        (*first.get_or_insert(length) == length).then_some(())
    }

    fn element(&mut self) -> Option<Option<String>> {
        let mut text = String::new();
        if self.take('"') {
            loop {
                match self.rest.next()? {
                    '"' => return Some(Some(text)),
                    '\\' => text.push(self.rest.next()?),
                    other => text.push(other),
                }
            }
        }
        // Spaces at the end are left out, but for those behind a backslash.
        let (mut kept, mut has_escapes) = (0, false);
        while let Some(character) = self.rest.next_if(|next| !matches!(next, ',' | '}')) {
            match character {
                '"' | '{' => return None,
                '\\' => {
                    text.push(self.rest.next()?);
                    (kept, has_escapes) = (text.len(), true);
                }
                other => {
                    text.push(other);
                    if !is_space(other) {
                        kept = text.len();
                    }
                }
            }
        }
        text.truncate(kept);
        if text.is_empty() {
            return None;
        }
        let is_null = !has_escapes && text.eq_ignore_ascii_case("null");
        Some((!is_null).then_some(text))
    }

    fn take(&mut self, wanted: char) -> bool {
        self.rest.next_if_eq(&wanted).is_some()
    }

    fn skip_spaces(&mut self) {
        while self.rest.next_if(|next| is_space(*next)).is_some() {}
    }
}

fn is_space(character: char) -> bool {
    matches!(character, ' ' | '\t'..='\r')
}

/// An array as its bytes have it.
#[derive(Debug)]
pub(super) struct ArrayBytes<'a> {
    /// The number of the elements' type.
    pub(super) oid: u32,
    /// As those of [`ArrayText`].
    pub(super) dimensions: Vec<usize>,
    pub(super) elements: Vec<Option<&'a [u8]>>,
}

/// The elements of a binary array.
pub(super) fn split_binary(bytes: &[u8]) -> Result<ArrayBytes<'_>, Unreadable> {
    let mut rest = bytes;
    let mut next = || take(&mut rest).ok_or(Unreadable::Binary);
    let (count, _has_nulls, oid) = (next()?, next()?, next()?);
    let count = usize::try_from(count).ok().filter(|count| *count <= MAX_DIMENSIONS).ok_or(Unreadable::Binary)?;
    let mut dimensions = Vec::with_capacity(count);
    for _ in 0..count {
        let (length, low) = (next()?, next()?);
        if low != 1 {
            return Err(Unreadable::LowerBound(String::new()));
        }
        dimensions.push(usize::try_from(length).map_err(|_| Unreadable::Binary)?);
    }
    let all = dimensions.iter().try_fold(1, |all: usize, length| all.checked_mul(*length)).ok_or(Unreadable::Binary)?;
    let all = if dimensions.is_empty() { 0 } else { all };
    let elements = elements_of(rest, all).ok_or(Unreadable::Binary)?;
    if elements.is_empty() {
        dimensions.clear();
    }
    Ok(ArrayBytes { oid, dimensions, elements })
}

/// So many elements behind their lengths, and nothing else.
fn elements_of(mut rest: &[u8], count: usize) -> Option<Vec<Option<&[u8]>>> {
    let mut elements = Vec::new();
    for _ in 0..count {
        let length = take(&mut rest)?;
        if length == u32::MAX {
            elements.push(None);
            continue;
        }
        let (element, after) = rest.split_at_checked(usize::try_from(length).ok()?)?;
        elements.push(Some(element));
        rest = after;
    }
    rest.is_empty().then_some(elements)
}

fn take(rest: &mut &[u8]) -> Option<u32> {
    let (number, after) = rest.split_first_chunk::<4>()?;
    *rest = after;
    Some(u32::from_be_bytes(*number))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(text: &str) -> (Vec<usize>, Vec<Option<String>>) {
        let ArrayText { dimensions, elements } = split_array(text).unwrap_or_else(|why| panic!("{text}: {why:?}"));
        (dimensions, elements)
    }

    fn texts(elements: &[&str]) -> Vec<Option<String>> {
        elements.iter().map(|element| (*element != "NULL").then(|| (*element).to_owned())).collect()
    }

    /// As PostgreSQL 15 reads them as arrays of texts.
    #[test]
    fn arrays_have_dimensions_and_elements() {
        for (text, dimensions, elements) in [
            ("{a,\"b c\",NULL}", &[3][..], &["a", "b c", "NULL"][..]),
            (" { a , b } ", &[2], &["a", "b"]),
            ("{}", &[], &[]),
            (" {  } ", &[], &[]),
            ("{a b\\ ,c}", &[2], &["a b ", "c"]),
            ("{\"a\\\"b\",c\\\\d}", &[2], &["a\"b", "c\\d"]),
            ("{\"\",\" \"}", &[2], &["", " "]),
            ("{null,NuLL, Null }", &[3], &["NULL", "NULL", "NULL"]),
            ("{{1,2},{3,4}}", &[2, 2], &["1", "2", "3", "4"]),
            ("{ {1} , {2} , {3} }", &[3, 1], &["1", "2", "3"]),
            ("{{{1},{2}}}", &[1, 2, 1], &["1", "2"]),
            ("[1:2]={1,2}", &[2], &["1", "2"]),
            ("[1:1][2]={{1,2}}", &[1, 2], &["1", "2"]),
            ("[2] = {a,b}", &[2], &["a", "b"]),
        ] {
            assert_eq!(read(text), (dimensions.to_vec(), texts(elements)), "{text}");
        }
        // A word in quotes or behind a backslash is none.
        let null = vec![Some("null".to_owned()), Some("null".to_owned())];
        assert_eq!(read("{\"null\",\\null}").1, null);
    }

    #[test]
    fn what_is_no_array_is_refused() {
        for text in [
            "",
            "a",
            "{",
            "}",
            "{a",
            "a}",
            "{a}}",
            "{a,}",
            "{,a}",
            "{a,,b}",
            "{a}b",
            "{a\"b\"}",
            "{\"a\"b}",
            "{a \"b\"}",
            "{\"a}",
            "{a\\",
            "{a{b}",
            "{a,{b}}",
            "{{a},b}",
            "{{1,2},{3}}",
            "{{},{}}",
            "{{}}",
            "[1:3]={1,2}",
            "[1:2]{1,2}",
            "[1]={}",
            "[1:1]={{1}}",
            "{{{{{{{1}}}}}}}",
        ] {
            assert_eq!(split_array(text), Err(Unreadable::Array(text.to_owned())), "{text}");
        }
        for text in ["[0:1]={1,2}", "[2:3]={1,2}", "[1:1][-1:0]={{1,2}}"] {
            assert_eq!(split_array(text), Err(Unreadable::LowerBound(text.to_owned())), "{text}");
        }
    }
}
