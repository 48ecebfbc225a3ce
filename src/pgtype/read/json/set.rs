//! A value of `jsonb` with another one at the end of a path.

use super::{
    Json, NoStep, Node,
    part::{place_in, place_of},
    tree::key_of,
};

impl Json {
    /// It with a value at the end of a path; where there is none yet, it is added if `is_added`. A place beyond an array is before
    /// its first element or behind its last one.
    pub(crate) fn with_part(self, path: &[Option<&str>], value: Self, is_added: bool) -> Result<Self, NoStep> {
        let Self(mut node) = self;
        let is_empty = match &node {
            Node::Array(items) => items.is_empty(),
            Node::Object(entries) => entries.is_empty(),
            Node::Plain(_) | Node::Text(_) => false,
        };
        if !is_empty || is_added {
            set(&mut node, path, 1, value.0, is_added)?;
        }
        Ok(Self(node))
    }
}

/// Sets what the rest of a path leads to, whose first step has this number.
fn set(node: &mut Node, path: &[Option<&str>], number: usize, value: Node, is_added: bool) -> Result<(), NoStep> {
    let Some((step, rest)) = path.split_first() else { return Ok(()) };
    let step = step.ok_or(NoStep::Null(number))?;
    match node {
        Node::Plain(_) | Node::Text(_) => {}
        Node::Object(entries) => match entries.get_mut(&key_of(step)) {
            Some(own) if rest.is_empty() => *own = value,
            Some(own) => set(own, rest, number + 1, value, is_added)?,
            None if rest.is_empty() && is_added => {
                entries.insert(key_of(step), value);
            }
            None => {}
        },
        Node::Array(items) => {
            let place = place_of(step).ok_or(NoStep::NoInteger(number))?;
            let at = place_in(place, items.len()).unwrap_or(usize::MAX);
            match items.get_mut(at) {
                Some(own) if rest.is_empty() => *own = value,
                Some(own) => set(own, rest, number + 1, value, is_added)?,
                None if rest.is_empty() && is_added && place < 0 => items.insert(0, value),
                None if rest.is_empty() && is_added => items.push(value),
                None => {}
            }
        }
    }
    Ok(())
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;

    /// `SELECT jsonb_set(value, path, '9', is_added)` of PostgreSQL 15.
    #[test]
    fn what_a_path_leads_to_is_set() {
        for (value, path, is_added, expected) in [
            (r#"[[1], {"a": [2]}]"#, vec![Some("1"), Some("a"), Some("0")], true, Ok(r#"[[1], {"a": [9]}]"#)),
            ("[1, 2]", vec![Some("-1")], true, Ok("[1, 9]")),
            ("[1, 2]", vec![Some("-5")], true, Ok("[9, 1, 2]")),
            ("[1, 2]", vec![Some("7")], true, Ok("[1, 2, 9]")),
            ("[1, 2]", vec![Some("7")], false, Ok("[1, 2]")),
            (r#"{"a": 1}"#, vec![Some("b")], true, Ok(r#"{"a": 1, "b": 9}"#)),
            (r#"{"a": 1}"#, vec![Some("b"), Some("c")], true, Ok(r#"{"a": 1}"#)),
            (r#"{"a": 1}"#, vec![Some("a"), Some("c")], true, Ok(r#"{"a": 1}"#)),
            (r#"{"a": 1}"#, vec![], true, Ok(r#"{"a": 1}"#)),
            ("[]", vec![Some("a")], false, Ok("[]")),
            ("[]", vec![Some("a")], true, Err(NoStep::NoInteger(1))),
            (r#"{"a": 1}"#, vec![Some("a"), None], true, Err(NoStep::Null(2))),
        ] {
            let nine = Json::read("9").unwrap_or_else(|error| panic!("{error:?}"));
            let json = Json::read(value).unwrap_or_else(|error| panic!("{value}: {error:?}"));
            let found = json.with_part(&path, nine, is_added).map(|set| set.printed());
            assert_eq!(found, expected.map(str::to_owned), "{value} {path:?}");
        }
    }
}
