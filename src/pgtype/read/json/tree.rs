//! What is done with a value of `jsonb`, which has keys and elements whatever its text was.

use std::collections::{BTreeMap, HashSet};

use super::{
    JsonStep, NoJson, Node, Reader,
    part::{place_in, place_of},
    write,
};

/// A value of `jsonb`.
pub(crate) struct Json(pub(super) Node);

/// Why a path leads nowhere, with the number of the step, from 1.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum NoStep {
    Null(usize),
    /// It is to lead into an array.
    NoInteger(usize),
}

impl Json {
    pub(crate) fn read(text: &str) -> Result<Self, NoJson> {
        let mut reader = Reader { bytes: text.as_bytes(), at: 0, is_normal: true };
        reader.whole().map(Self)
    }

    /// As `jsonb` prints it.
    pub(crate) fn printed(&self) -> String {
        let mut out = String::new();
        write(&self.0, &mut out);
        out
    }

    /// Its text, where it is one, none of null, and else as it is printed.
    pub(crate) fn text(self) -> Option<String> {
        match self.0 {
            Node::Text(text) => Some(text),
            Node::Plain(word) => (word != "null").then_some(word),
            node @ (Node::Array(_) | Node::Object(_)) => Some(Self(node).printed()),
        }
    }

    /// The part of it to which steps lead.
    pub(crate) fn part(self, steps: &[JsonStep<'_>]) -> Option<Self> {
        let into = |node: Node, step: &JsonStep<'_>| match node {
            Node::Object(mut entries) => entries.remove(&key_of(step.key()?)),
            Node::Array(mut items) => {
                let at = place_in(step.place()?, items.len())?;
                Some(items.swap_remove(at))
            }
            // Alone it counts as an array of itself, though not for the steps of a path.
            scalar => match step {
                JsonStep::Place(place) => place_in(*place, 1).map(|_| scalar),
                JsonStep::Key(_) | JsonStep::Either(_) => None,
            },
        };
        steps.iter().try_fold(self.0, into).map(Self)
    }

    /// Whether it is neither an array nor an object.
    pub(crate) fn is_scalar(&self) -> bool {
        matches!(self.0, Node::Plain(_) | Node::Text(_))
    }

    pub(crate) fn is_object(&self) -> bool {
        matches!(self.0, Node::Object(_))
    }

    /// Whether a text is a key of it, an element, or the value itself.
    pub(crate) fn has(&self, text: &str) -> bool {
        let is_text = |node: &Node| matches!(node, Node::Text(own) if own == text);
        match &self.0 {
            Node::Object(entries) => entries.contains_key(&key_of(text)),
            Node::Array(items) => items.iter().any(is_text),
            value => is_text(value),
        }
    }

    /// Whether all that is in another is in it. `asks` is called for each two values that are compared, and stops it.
    pub(crate) fn contains<E>(&self, other: &Self, asks: &mut impl FnMut() -> Result<(), E>) -> Result<bool, E> {
        match (&self.0, &other.0) {
            // An array has what stands alone as an array of it does.
            (Node::Array(items), scalar @ (Node::Plain(_) | Node::Text(_))) => has_one(items, scalar, asks),
            (own, other) => contains(own, other, asks),
        }
    }

    /// The entries of both, of which the other's replace those of the same keys, or the elements of both.
    pub(crate) fn joined(self, other: Self) -> Self {
        Self(match (self.0, other.0) {
            (Node::Object(mut entries), Node::Object(others)) => {
                entries.extend(others);
                Node::Object(entries)
            }
            (left, right) => {
                let mut items = elements_of(left);
                items.extend(elements_of(right));
                Node::Array(items)
            }
        })
    }

    /// The rest of it without entries of such keys, or without such texts among its elements.
    pub(crate) fn without(mut self, texts: &[&str]) -> Self {
        match &mut self.0 {
            Node::Object(entries) => texts.iter().for_each(|text| drop(entries.remove(&key_of(text)))),
            Node::Array(items) => {
                let texts: HashSet<&str> = texts.iter().copied().collect();
                items.retain(|item| !matches!(item, Node::Text(own) if texts.contains(own.as_str())));
            }
            Node::Plain(_) | Node::Text(_) => {}
        }
        self
    }

    /// The rest of an array without the element at a place.
    pub(crate) fn without_place(mut self, place: i32) -> Self {
        if let Node::Array(items) = &mut self.0
            && let Some(at) = place_in(place, items.len())
        {
            items.remove(at);
        }
        self
    }

    /// The rest of it without the part to which a path leads.
    pub(crate) fn without_part(mut self, path: &[Option<&str>]) -> Result<Self, NoStep> {
        let is_empty = match &self.0 {
            Node::Object(entries) => entries.is_empty(),
            Node::Array(items) => items.is_empty(),
            Node::Plain(_) | Node::Text(_) => false,
        };
        if !is_empty {
            remove(&mut self.0, path, 1)?;
        }
        Ok(self)
    }
}

pub(super) fn key_of(key: &str) -> (usize, String) {
    (key.len(), key.to_owned())
}

fn elements_of(node: Node) -> Vec<Node> {
    match node {
        Node::Array(items) => items,
        other => vec![other],
    }
}

fn has_one<E>(items: &[Node], inner: &Node, asks: &mut impl FnMut() -> Result<(), E>) -> Result<bool, E> {
    for own in items {
        if contains(own, inner, asks)? {
            return Ok(true);
        }
    }
    Ok(false)
}

fn contains<E>(outer: &Node, inner: &Node, asks: &mut impl FnMut() -> Result<(), E>) -> Result<bool, E> {
    asks()?;
    match (outer, inner) {
        (Node::Object(entries), Node::Object(others)) => has_all(entries, others, asks),
        (Node::Array(items), Node::Array(others)) => {
            for other in others {
                if !has_one(items, other, asks)? {
                    return Ok(false);
                }
            }
            Ok(true)
        }
        (Node::Text(text), Node::Text(other)) => Ok(text == other),
        (Node::Plain(word), Node::Plain(other)) => Ok(bare(word) == bare(other)),
        _ => Ok(false),
    }
}

fn has_all<E>(
    entries: &BTreeMap<(usize, String), Node>,
    others: &BTreeMap<(usize, String), Node>,
    asks: &mut impl FnMut() -> Result<(), E>,
) -> Result<bool, E> {
    for (key, other) in others {
        let Some(own) = entries.get(key) else { return Ok(false) };
        if !contains(own, other, asks)? {
            return Ok(false);
        }
    }
    Ok(true)
}

/// A number without the zeros behind its last digit that make no difference, and any other word.
fn bare(word: &str) -> &str {
    if word.contains('.') { word.trim_end_matches('0').trim_end_matches('.') } else { word }
}

/// Takes out what the rest of a path leads to, whose first step has this number.
fn remove(node: &mut Node, path: &[Option<&str>], number: usize) -> Result<(), NoStep> {
    let Some((step, rest)) = path.split_first() else { return Ok(()) };
    match node {
        Node::Plain(_) | Node::Text(_) => Ok(()),
        Node::Object(entries) => {
            let key = key_of(step.ok_or(NoStep::Null(number))?);
            if rest.is_empty() {
                entries.remove(&key);
                return Ok(());
            }
            entries.get_mut(&key).map_or(Ok(()), |value| remove(value, rest, number + 1))
        }
        Node::Array(items) => {
            let step = step.ok_or(NoStep::Null(number))?;
            let place = place_of(step).ok_or(NoStep::NoInteger(number))?;
            let Some(at) = place_in(place, items.len()) else { return Ok(()) };
            if rest.is_empty() {
                items.remove(at);
                return Ok(());
            }
            items.get_mut(at).map_or(Ok(()), |value| remove(value, rest, number + 1))
        }
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use std::convert::Infallible;

    use super::*;

    fn json(text: &str) -> Json {
        Json::read(text).unwrap_or_else(|error| panic!("{text}: {error:?}"))
    }

    /// `SELECT outer::jsonb @> inner::jsonb` of PostgreSQL 15.
    #[test]
    fn what_is_in_a_value_is_what_postgresql_finds() {
        for (outer, inner, expected) in [
            (r#"{"a": 1, "b": [1, {"c": 2}]}"#, r#"{"b": [{"c": 2.0}]}"#, true),
            (r#"{"a": 1}"#, r#"{"a": 1, "b": 2}"#, false),
            (r#"{"a": 1}"#, r#"{"a": "1"}"#, false),
            ("[1, 2, 2]", "[2, 2, 2]", true),
            ("[[1, 2], 3]", "[1]", false),
            ("[[1, 2], 3]", "[[1]]", true),
            ("[1, 2]", "1.00", true),
            ("[[1]]", "1", false),
            ("1", "[1]", false),
            ("1", "1.0", true),
            ("{}", "1", false),
            ("[]", "{}", false),
            ("[{}]", "{}", false),
            ("{}", "{}", true),
        ] {
            let asks = &mut || Ok::<(), Infallible>(());
            assert_eq!(json(outer).contains(&json(inner), asks), Ok(expected), "{outer} @> {inner}");
        }
    }

    /// `SELECT value::jsonb #- path` of PostgreSQL 15.
    #[test]
    fn what_a_path_leads_to_is_taken_out() {
        for (value, path, expected) in [
            (r#"{"a": {"b": 1, "c": 2}}"#, vec![Some("a"), Some("b")], Ok(r#"{"a": {"c": 2}}"#)),
            (r#"{"a": [1, 2, 3]}"#, vec![Some("a"), Some("-1")], Ok(r#"{"a": [1, 2]}"#)),
            ("[1, 2]", vec![Some("5")], Ok("[1, 2]")),
            ("[1, 2]", vec![Some("-3")], Ok("[1, 2]")),
            ("[1, 2]", vec![], Ok("[1, 2]")),
            ("[]", vec![None], Ok("[]")),
            ("[1]", vec![Some("x")], Err(NoStep::NoInteger(1))),
            ("[[1]]", vec![Some("0"), None], Err(NoStep::Null(2))),
            ("[1]", vec![Some("0"), Some("x")], Ok("[1]")),
        ] {
            let found = json(value).without_part(&path).map(|rest| rest.printed());
            assert_eq!(found, expected.map(str::to_owned), "{value} #- {path:?}");
        }
    }
}
