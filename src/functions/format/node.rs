//! What a template is made of: keywords, and characters that stand for themselves.

use crate::fault::Result;

/// What stands at a place of a template.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Node<K> {
    Keyword(K),
    /// A sign that is no letter, digit or quote; in a date that is read, it stands for any other.
    Separator(char),
    Space(char),
    Text(char),
}

impl<K> Node<K> {
    /// The character that it is, if it is one.
    pub(super) fn character(&self) -> Option<char> {
        match self {
            Self::Keyword(_) => None,
            Self::Separator(character) | Self::Space(character) | Self::Text(character) => Some(*character),
        }
    }
}

/// The nodes of a template, by what is said of the keyword that the rest of it begins with, and how many bytes to go on by:
/// prefixes without a keyword are passed over.
pub(super) fn nodes<K>(
    template: &str,
    mut keyword: impl FnMut(&str) -> Result<(Option<K>, usize)>,
) -> Result<Vec<Node<K>>> {
    let mut nodes = Vec::new();
    let mut rest = template;
    while !rest.is_empty() {
        let (found, length) = keyword(rest)?;
        rest = rest.get(length..).unwrap_or_default();
        match found {
            Some(found) => nodes.push(Node::Keyword(found)),
            None => rest = literal(rest, &mut nodes),
        }
    }
    Ok(nodes)
}

/// Takes a character or a text in quotes, and returns what is behind it.
fn literal<'a, K>(rest: &'a str, nodes: &mut Vec<Node<K>>) -> &'a str {
    if let Some(quoted) = rest.strip_prefix('"') {
        let mut characters = quoted.chars();
        while let Some(character) = characters.next() {
            match character {
                '"' => break,
                '\\' => nodes.push(Node::Text(characters.next().unwrap_or('\\'))),
                other => nodes.push(Node::Text(other)),
            }
        }
        return characters.as_str();
    }
    // Outside of quotes, a backslash takes the meaning of a quote alone.
    let rest = if rest.starts_with("\\\"") { rest.get(1..).unwrap_or_default() } else { rest };
    let mut characters = rest.chars();
    if let Some(character) = characters.next() {
        nodes.push(match character {
            character if is_separator(character) => Node::Separator(character),
            character if is_space(character) => Node::Space(character),
            character => Node::Text(character),
        });
    }
    characters.as_str()
}

/// A sign that may stand between fields.
pub(super) fn is_separator(character: char) -> bool {
    character.is_ascii_punctuation()
}

/// A blank, as C has it.
pub(super) fn is_space(character: char) -> bool {
    matches!(character, ' ' | '\t' | '\n' | '\r' | '\x0b' | '\x0c')
}

/// The bytes of a character that begins with this one; one within a character counts as one.
pub(super) fn width(first: u8) -> usize {
    match first {
        0xc0..=0xdf => 2,
        0xe0..=0xef => 3,
        0xf0..=0xf7 => 4,
        _ => 1,
    }
}

/// The ending that makes an ordinal number of the digits: `st`, `nd`, `rd` or `th`; none where they are none.
pub(super) fn ordinal(digits: &[u8]) -> Option<&'static str> {
    let (last, before) = digits.split_last()?;
    if !last.is_ascii_digit() {
        return None;
    }
    Some(match last {
        _ if before.ends_with(b"1") => "th",
        b'1' => "st",
        b'2' => "nd",
        b'3' => "rd",
        _ => "th",
    })
}
