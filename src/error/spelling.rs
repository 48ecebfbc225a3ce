//! The query engine's types and values as SQL spells them, and texts without its trees.

use arrow::datatypes::DataType;

use crate::pgtype::{self, type_name};

/// Texts between commas outside of parentheses.
pub(super) fn parts(list: &str) -> impl Iterator<Item = &str> {
    let mut depth = 0_usize;
    let separator = move |character| {
        match character {
            '(' => depth += 1,
            ')' => depth = depth.saturating_sub(1),
            _ => {}
        }
        character == ',' && depth == 0
    };
    list.split(separator).map(str::trim).filter(|part| !part.is_empty())
}

/// SQL's name of an Arrow type given by its own text.
pub(super) fn sql_type(text: &str) -> Option<String> {
    match text.trim().parse::<DataType>().ok()? {
        DataType::Null => Some(pgtype::UNKNOWN.word(None)),
        DataType::Struct(_) => Some(pgtype::RECORD.word(None)),
        DataType::Map(..) | DataType::Union(..) => Some(pgtype::JSON.word(None)),
        found => Some(type_name(&found)),
    }
}

/// The type as an operand's: digits do not count.
pub(super) fn operand_type(text: &str) -> String {
    let name = sql_type(text).unwrap_or_else(|| if text.starts_with("Struct(") { "record" } else { text }.to_owned());
    if name.starts_with("numeric(") { "numeric".to_owned() } else { name }
}

/// The text with the engine's types and values as in SQL: `t.id > Int64(1)` is `t.id > 1`.
pub(super) fn in_sql(text: &str) -> String {
    let mut written = String::with_capacity(text.len());
    let mut rest = text;
    while let Some(start) = rest.find(|character: char| character.is_ascii_alphabetic()) {
        let (before, word) = rest.split_at(start);
        written.push_str(before);
        let end = word.find(|character: char| !character.is_alphanumeric() && character != '_').unwrap_or(word.len());
        let (name, after) = word.split_at(end);
        let argument = enclosed(after);
        let whole = argument.map(|argument| format!("{name}({argument})"));
        let within = whole.as_deref().and_then(sql_type).or_else(|| value(name, argument?));
        match (within, argument) {
            (Some(sql), Some(argument)) => {
                written.push_str(&sql);
                rest = &after[argument.len() + 2..];
            }
            _ => {
                let sql = only_arrow(name).then(|| sql_type(name)).flatten();
                written.push_str(&sql.unwrap_or_else(|| name.to_owned()));
                rest = after;
            }
        }
    }
    written.push_str(rest);
    written
}

/// Whether a word can be nothing but a type of Arrow: others, as Null and Interval, are words of English too.
fn only_arrow(word: &str) -> bool {
    word.ends_with(|last: char| last.is_ascii_digit()) || ["Utf8View", "BinaryView", "Boolean"].contains(&word)
}

/// What stands between the parenthesis that the text begins with and the one that closes it.
fn enclosed(text: &str) -> Option<&str> {
    let mut depth = 0_usize;
    for (at, character) in text.char_indices() {
        match character {
            '(' => depth += 1,
            ')' => depth = depth.checked_sub(1)?,
            _ => {}
        }
        if depth == 0 {
            return if at == 0 { None } else { text.get(1..at) };
        }
    }
    None
}

/// A literal of the engine: `Int64(1)`, `Utf8("x")`.
fn value(data_type: &str, value: &str) -> Option<String> {
    data_type.parse::<DataType>().ok()?;
    Some(match value.strip_prefix('"').and_then(|value| value.strip_suffix('"')) {
        Some(text) => format!("'{}'", text.replace('\'', "''")),
        None => value.to_owned(),
    })
}

/// The text up to where a tree of the parser or the planner is printed.
pub(super) fn without_debugging(text: &str) -> String {
    let Some(tree) = debugging(text) else { return text.to_owned() };
    let (head, tree) = text.split_at(tree);
    let node: String = tree.chars().take_while(|character| character.is_alphanumeric()).collect();
    let head = head.trim_end().trim_end_matches(':');
    if head.is_empty() || head.starts_with("Unsupported ast node") {
        return format!("{} is not supported here", node.to_uppercase());
    }
    head.to_owned()
}

/// Where a tree begins: a name in capitals with braces, or such a name in parentheses.
fn debugging(text: &str) -> Option<usize> {
    let brace = text.find(" { ")?;
    let begins = |before: &str| {
        let start = before.rfind(|character: char| !character.is_alphanumeric()).map_or(0, |at| at + 1);
        before[start..].starts_with(char::is_uppercase).then_some(start)
    };
    let mut start = begins(&text[..brace])?;
    while let Some(outer) = text[..start].strip_suffix('(').and_then(begins) {
        start = outer;
    }
    Some(start)
}
