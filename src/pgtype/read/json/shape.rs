//! What a value of `jsonb` is made of: its kind, its elements and keys, and the same without nulls or over several lines.

use super::{Json, Node, write, write_json_text};

impl Json {
    /// The kind of value it is, as `jsonb_typeof` calls it.
    pub(crate) fn kind(&self) -> &'static str {
        match &self.0 {
            Node::Object(_) => "object",
            Node::Array(_) => "array",
            Node::Text(_) => "string",
            Node::Plain(word) => match word.as_str() {
                "null" => "null",
                "true" | "false" => "boolean",
                _ => "number",
            },
        }
    }

    /// The elements of an array; none of another value.
    pub(crate) fn elements(self) -> Option<Vec<Self>> {
        match self.0 {
            Node::Array(items) => Some(items.into_iter().map(Self).collect()),
            _ => None,
        }
    }

    /// The keys of an object; none of another value.
    pub(crate) fn keys(self) -> Option<Vec<String>> {
        match self.0 {
            Node::Object(entries) => Some(entries.into_keys().map(|(_, key)| key).collect()),
            _ => None,
        }
    }

    /// It without the entries of objects that are null.
    pub(crate) fn without_nulls(self) -> Self {
        Self(without_nulls(self.0))
    }

    /// As `jsonb_pretty` writes it, over several lines.
    pub(crate) fn pretty(&self) -> String {
        let mut out = String::new();
        write_pretty(&self.0, 0, &mut out);
        out
    }
}

fn without_nulls(node: Node) -> Node {
    let is_null = |node: &Node| matches!(node, Node::Plain(word) if word == "null");
    match node {
        Node::Array(items) => Node::Array(items.into_iter().map(without_nulls).collect()),
        Node::Object(entries) => {
            let kept = entries.into_iter().filter(|(_, value)| !is_null(value));
            Node::Object(kept.map(|(key, value)| (key, without_nulls(value))).collect())
        }
        alone => alone,
    }
}

/// Blanks before what stands one level deeper.
const INDENT: &str = "    ";

fn write_pretty(node: &Node, level: usize, out: &mut String) {
    let new_line = |level: usize, out: &mut String| {
        out.push('\n');
        (0..level).for_each(|_| out.push_str(INDENT));
    };
    match node {
        Node::Array(items) => {
            out.push('[');
            for (at, item) in items.iter().enumerate() {
                out.push_str(if at == 0 { "" } else { "," });
                new_line(level + 1, out);
                write_pretty(item, level + 1, out);
            }
            new_line(level, out);
            out.push(']');
        }
        Node::Object(entries) => {
            out.push('{');
            for (at, ((_, key), value)) in entries.iter().enumerate() {
                out.push_str(if at == 0 { "" } else { "," });
                new_line(level + 1, out);
                write_json_text(key, out);
                out.push_str(": ");
                write_pretty(value, level + 1, out);
            }
            new_line(level, out);
            out.push('}');
        }
        alone => write(alone, out),
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;

    /// `SELECT jsonb_pretty(value), jsonb_strip_nulls(value)` of PostgreSQL 15.
    #[test]
    fn values_are_written_over_several_lines_and_without_nulls() {
        let value = || Json::read(r#"{"a": [1, {"b": []}], "c": {"d": null}, "e": [null]}"#).unwrap();
        let expected = "{\n    \"a\": [\n        1,\n        {\n            \"b\": [\n            ]\n        }\n    ],\n    \
                        \"c\": {\n        \"d\": null\n    },\n    \"e\": [\n        null\n    ]\n}";
        assert_eq!(value().pretty(), expected);
        assert_eq!(value().without_nulls().printed(), r#"{"a": [1, {"b": []}], "c": {}, "e": [null]}"#);
        assert_eq!(value().keys(), Some(vec!["a".to_owned(), "c".to_owned(), "e".to_owned()]));
        assert!(value().elements().is_none());
        let kinds = ["{}", "[]", "\"x\"", "-1", "true", "null"].map(|text| Json::read(text).unwrap().kind());
        assert_eq!(kinds, ["object", "array", "string", "number", "boolean", "null"]);
    }
}
