//! `regexp_replace` with PostgreSQL's replacements and matches.
//!
//! ```sql
//! SELECT regexp_replace(name, '(\w+) (\w+)', '\2, \1'), regexp_replace('baac', 'a*', '-', 'g')
//! ```
//!
//! For DataFusion `$1` is a group, `\12` the twelfth and a doubled backslash two, and no empty match follows another match at
//! its end.

use std::{borrow::Cow, sync::Arc};

use arrow::datatypes::DataType;
use datafusion::{
    common::{Result, ScalarValue, plan_err},
    functions::regex::regexp_replace,
    logical_expr::{ColumnarValue, ScalarFunctionArgs, ScalarUDF, ScalarUDFImpl, Signature},
};

use super::{
    regular_expression::{Compiled, Known, check_size},
    texts::{Texts, array, result, rows},
};

/// The function.
pub(super) fn function() -> ScalarUDF {
    ScalarUDF::from(RegexpReplace { inner: regexp_replace() })
}

#[derive(Debug, PartialEq, Eq, Hash)]
struct RegexpReplace {
    inner: Arc<ScalarUDF>,
}

impl ScalarUDFImpl for RegexpReplace {
    fn name(&self) -> &str {
        self.inner.name()
    }

    fn signature(&self) -> &Signature {
        self.inner.signature()
    }

    fn return_type(&self, types: &[DataType]) -> Result<DataType> {
        self.inner.return_type(types)
    }

    fn invoke_with_args(&self, call: ScalarFunctionArgs) -> Result<ColumnarValue> {
        let data_type = call.return_type();
        if data_type.is_null() {
            return Ok(ColumnarValue::Scalar(ScalarValue::Null));
        }
        let arguments = call.args.iter().map(Texts::of).collect::<Result<Vec<_>>>()?;
        let (texts, patterns, replacements, flags) = match arguments.as_slice() {
            [texts, patterns, replacements] => (texts, patterns, replacements, None),
            [texts, patterns, replacements, flags] => (texts, patterns, replacements, Some(flags)),
            _ => return plan_err!("regexp_replace takes a text, a regular expression, a replacement and options"),
        };
        let mut known = Known::default();
        let mut read: Option<(&str, Vec<Piece<'_>>)> = None;
        let mut replaced = Vec::new();
        let mut bytes = 0;
        for row in 0..rows(&call.args, call.number_rows) {
            let flags = flags.map_or(Some(""), |flags| flags.get(row));
            let (Some(text), Some(pattern), Some(replacement), Some(flags)) =
                (texts.get(row), patterns.get(row), replacements.get(row), flags)
            else {
                replaced.push(None);
                continue;
            };
            let compiled = known.get(pattern, flags)?;
            let (_, pieces) = match read.take() {
                Some(same) if same.0 == replacement => read.insert(same),
                _ => read.insert((replacement, pieces(replacement))),
            };
            let text = replace(text, compiled, pieces)?;
            bytes += text.len();
            check_size(bytes)?;
            replaced.push(Some(text));
        }
        result(&call.args, array(replaced, data_type))
    }
}

/// A piece of a replacement.
#[derive(Debug, PartialEq, Eq)]
enum Piece<'a> {
    Text(&'a str),
    /// What a group matched; of the group that has no number, all that is replaced.
    Group(usize),
}

/// The pieces of a replacement. A backslash that means nothing is itself.
fn pieces(replacement: &str) -> Vec<Piece<'_>> {
    let mut pieces = Vec::new();
    let (mut written, mut from) = (0, 0);
    while let Some(found) = replacement[from..].find('\\') {
        let place = from + found;
        let piece = match replacement.as_bytes().get(place + 1) {
            Some(b'&') => Piece::Group(0),
            Some(digit @ b'1'..=b'9') => Piece::Group(usize::from(digit - b'0')),
            Some(b'\\') => Piece::Text("\\"),
            _ => {
                from = place + 1;
                continue;
            }
        };
        pieces.extend([Piece::Text(&replacement[written..place]), piece]);
        from = place + 2;
        written = from;
    }
    pieces.push(Piece::Text(&replacement[written..]));
    pieces
}

/// A text with a replacement for the first match or for all of them.
fn replace<'a>(text: &'a str, compiled: &Compiled, pieces: &[Piece<'_>]) -> Result<Cow<'a, str>> {
    let regex = &compiled.regex;
    let mut groups = regex.capture_locations();
    let mut replaced = String::new();
    let mut is_same = true;
    let (mut copied, mut start) = (0, 0);
    while start <= text.len()
        && let Some(found) = regex.captures_read_at(&mut groups, text, start)
    {
        is_same = false;
        replaced.push_str(&text[copied..found.start()]);
        for piece in pieces {
            replaced.push_str(match piece {
                Piece::Text(written) => written,
                Piece::Group(group) => groups.get(*group).map_or("", |(from, to)| &text[from..to]),
            });
        }
        check_size(replaced.len())?;
        copied = found.end();
        if !compiled.is_global {
            break;
        }
        // The next match may be empty and begin where one ends, but not where an empty one is.
        let next = text[copied..].chars().next().map_or(1, char::len_utf8);
        start = if found.is_empty() { copied + next } else { copied };
    }
    if is_same {
        return Ok(Cow::Borrowed(text));
    }
    replaced.push_str(&text[copied..]);
    Ok(Cow::Owned(replaced))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn replacements_are_read_as_in_postgresql() {
        use Piece::{Group, Text};
        for (replacement, expected) in [
            ("", vec![Text("")]),
            ("a$1", vec![Text("a$1")]),
            ("[\\1]", vec![Text("["), Group(1), Text("]")]),
            ("\\12", vec![Text(""), Group(1), Text("2")]),
            ("\\&\\\\1", vec![Text(""), Group(0), Text(""), Text("\\"), Text("1")]),
            ("\\0ä\\q\\", vec![Text("\\0ä\\q\\")]),
        ] {
            assert_eq!(pieces(replacement), expected, "{replacement}");
        }
    }
}
