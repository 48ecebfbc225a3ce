//! Lists and structs that stand in the cells of another format: as JSON, which is how they are written there, and lists as
//! PostgreSQL writes arrays, too.

use std::borrow::Cow;

use arrow::{array::ArrayRef, datatypes::DataType};

use super::{
    super::{
        columns::{Misfit, Texts},
        csv::NullMark,
        forms::Forms,
    },
    cursor::Cursor,
    node::{MAX_DEPTH, Node, Rules},
};

/// The column of a type that has parts.
pub(in super::super) fn column<'a>(
    data_type: &DataType,
    rows: usize,
    forms: &Forms,
    texts: impl Texts<'a>,
) -> Result<ArrayRef, Misfit> {
    let is_list = matches!(data_type, DataType::List(_));
    let (mut json, mut ends) = (String::new(), Vec::with_capacity(rows));
    for (row, text) in texts.enumerate() {
        match text {
            None => json.push_str("null"),
            Some(text) if is_list && text.trim_start().starts_with('{') => {
                json.push_str(&array_as_json(text.trim()).ok_or(Misfit(row))?);
            }
            // The word alone is no list: it would be taken for a list that is missing.
            Some(text) if text.trim() == "null" => return Err(Misfit(row)),
            Some(text) => json.push_str(&text),
        }
        ends.push(json.len());
    }
    let rules = Rules { refuses_others: true, keeps_last: false, null: NullMark::Empty };
    let (mut node, mut start) = (Node::new(data_type), 0);
    for (row, end) in ends.into_iter().enumerate() {
        let bytes = json.as_bytes().get(..end).unwrap_or_default();
        let mut cursor = Cursor { bytes, at: start, is_last: true };
        node.read(&mut cursor, &rules, 0).map_err(|_| Misfit(row))?;
        if cursor.peek().is_some() {
            return Err(Misfit(row));
        }
        start = end;
    }
    node.finish(&json, data_type, forms)
}

/// An array as PostgreSQL writes it, `{1,NULL,"a, b"}`, in JSON; none if it is broken. Its values become texts.
fn array_as_json(text: &str) -> Option<String> {
    let mut json = String::with_capacity(text.len() + 8);
    let mut letters = text.chars().peekable();
    let mut depth = 0;
    // Whether a value may come, and whether one has come since the last comma.
    let (mut takes_value, mut is_empty) = (true, true);
    while let Some(letter) = letters.next() {
        match letter {
            blank if blank.is_ascii_whitespace() => {}
            '{' if takes_value && depth < MAX_DEPTH => {
                depth += 1;
                json.push('[');
                is_empty = true;
            }
            '}' if depth > 0 && (!takes_value || is_empty) => {
                depth -= 1;
                json.push(']');
                (takes_value, is_empty) = (false, false);
            }
            ',' if depth > 0 && !takes_value => {
                json.push(',');
                (takes_value, is_empty) = (true, false);
            }
            '"' if depth > 0 && takes_value => {
                let mut value = String::new();
                loop {
                    match letters.next()? {
                        '"' => break,
                        '\\' => value.push(letters.next()?),
                        letter => value.push(letter),
                    }
                }
                json.push_str(&quoted(&value));
                (takes_value, is_empty) = (false, false);
            }
            letter if depth > 0 && takes_value && !matches!(letter, '{' | '}' | ',') => {
                let (mut value, mut is_escaped) = (String::new(), letter == '\\');
                value.push(if is_escaped { letters.next()? } else { letter });
                while let Some(letter) = letters.next_if(|letter| !matches!(letter, '{' | '}' | ',' | '"')) {
                    is_escaped |= letter == '\\';
                    value.push(if letter == '\\' { letters.next()? } else { letter });
                }
                let value = value.trim_end();
                let is_null = !is_escaped && value.eq_ignore_ascii_case("null");
                json.push_str(&if is_null { Cow::Borrowed("null") } else { Cow::Owned(quoted(value)) });
                (takes_value, is_empty) = (false, false);
            }
            _ => return None,
        }
        if depth == 0 && letters.peek().is_some() {
            return None;
        }
    }
    (depth == 0 && !takes_value).then_some(json)
}

fn quoted(text: &str) -> String {
    serde_json::Value::from(text).to_string()
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use std::sync::Arc;

    use arrow::{
        array::AsArray,
        datatypes::{Field, Int64Type},
    };

    use super::*;

    #[test]
    fn arrays_of_postgresql_become_json() {
        for (array, json) in [
            ("{}", "[]"),
            ("{1,2}", r#"["1","2"]"#),
            (r#"{"a, b",null,"NULL",""}"#, r#"["a, b",null,"NULL",""]"#),
            (r#"{{a\,b, c },{"x\"y\\",NULL}}"#, r#"[["a,b","c"],["x\"y\\",null]]"#),
            ("{ 1 , 2 }", r#"["1","2"]"#),
        ] {
            assert_eq!(array_as_json(array).as_deref(), Some(json), "{array}");
        }
        for broken in ["{", "{1", "{1,}", "{,1}", "{1}}", "{1} 2", r#"{"a}"#, r#"{"a"b}"#, "{1,{2}x}", "", "1"] {
            assert_eq!(array_as_json(broken), None, "{broken}");
        }
    }

    #[test]
    fn lists_in_cells_are_read_strictly() {
        let integers = DataType::List(Arc::new(Field::new("item", DataType::Int64, true)));
        let read = |texts: &[Option<&'static str>]| {
            let texts: Vec<_> = texts.iter().map(|text| text.map(Cow::Borrowed)).collect();
            column(&integers, texts.len(), &Forms::default(), texts.into_iter())
        };
        let lists = read(&[Some("[1, null]"), None, Some("{3}"), Some("[]")]).unwrap();
        let lengths: Vec<_> = lists.as_list::<i32>().iter().map(|list| list.map(|list| list.len())).collect();
        assert_eq!(lengths, [Some(2), None, Some(1), Some(0)]);
        assert_eq!(lists.as_list::<i32>().value(2).as_primitive::<Int64Type>().value(0), 3);
        for (row, wrong) in ["1", "null", "[1", "[1] [2]", "[1.5]", "{x}", ""].into_iter().enumerate() {
            let mut texts = vec![Some("[1]"); row];
            texts.push(Some(wrong));
            assert_eq!(read(&texts).err(), Some(Misfit(row)), "{wrong}");
        }
    }
}
