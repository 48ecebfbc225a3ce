//! `to_json`, `row_to_json`, `json_build_object` and what else makes JSON of values, and the same of `jsonb`.

use arrow::{
    array::{Array, ArrayRef, StringArray},
    datatypes::DataType,
};

use super::{
    TextArrays,
    collect::LINE,
    no_json, read,
    write::{COMMA, LINES, Write, form, json_of, keys, writer},
};
use crate::{
    fault::{Failure, Fault, Result},
    functions::{Call, Function, Overload},
    pgtype::{self, ANY, ANYARRAY, ANYELEMENT, BOOL, JSON, JSONB, JsonItems, TEXT_ARRAY, json_items, write_json_text},
};

pub(super) static TO_JSON: Function = Function {
    name: "to_json",
    purpose: "The value as JSON",
    example: "to_json(ARRAY['a', 'b'])",
    shows: r#"["a","b"]"#,
    overloads: &[Overload::new(&[ANYELEMENT], JSON, |call| value(call, Kind::Json)).stable()],
};

pub(super) static TO_JSONB: Function = Function {
    name: "to_jsonb",
    purpose: "The value as JSON",
    example: "to_jsonb(ARRAY['a', 'b'])",
    shows: r#"["a", "b"]"#,
    overloads: &[Overload::new(&[ANYELEMENT], JSONB, |call| value(call, Kind::Jsonb)).stable()],
};

pub(super) static ARRAY_TO_JSON: Function = Function {
    name: "array_to_json",
    purpose: "The array as JSON, whose elements stand in lines if that is asked",
    example: "array_to_json(ARRAY[1, NULL, 3])",
    shows: "[1,null,3]",
    overloads: &[
        Overload::new(&[ANYARRAY], JSON, |call| value(call, Kind::Json)).stable(),
        Overload::new(&[ANYARRAY, BOOL], JSON, in_lines).stable(),
    ],
};

/// A row that is written is JSON by now: it is told the names of its columns so.
pub(super) static ROW_TO_JSON: Function = Function {
    name: "row_to_json",
    purpose: "The row as JSON, whose columns stand in lines if that is asked",
    example: "row_to_json(row(1, 'a'))",
    shows: r#"{"f1":1,"f2":"a"}"#,
    overloads: &[
        Overload::new(&[ANYELEMENT], JSON, of_row).stable(),
        Overload::new(&[ANYELEMENT, BOOL], JSON, of_row_in_lines).stable(),
    ],
};

/// What a row is written as that becomes JSON.
pub(super) static JSON_ROW: Function = Function {
    name: "json_row",
    purpose: "The row of these columns, each behind its name, as JSON",
    example: "json_row('a', 1, 'b', NULL)",
    shows: r#"{"a":1,"b":null}"#,
    overloads: &[Overload::new(&[ANY], JSON, |call| row(call, "")).variadic().called_on_null().stable()],
};

/// The same of one that is an element beside others.
pub(super) static JSON_LINE: Function = Function {
    name: "json_line",
    purpose: "The row of these columns, each behind its name, as JSON that has a line of its own",
    example: "json_line('a', 1, 'b', NULL)",
    shows: "\u{1}{\"a\":1,\"b\":null}",
    overloads: &[Overload::new(&[ANY], JSON, |call| row(call, LINE)).variadic().called_on_null().stable()],
};

pub(super) static JSON_BUILD_OBJECT: Function = Function {
    name: "json_build_object",
    purpose: "An object of keys and values in turn",
    example: "json_build_object('a', 1, 'b', ARRAY[2])",
    shows: r#"{"a" : 1, "b" : [2]}"#,
    overloads: &[
        Overload::new(&[], JSON, |call| empty(call, "{}")),
        Overload::new(&[ANY], JSON, |call| object(call, Kind::Json)).variadic().called_on_null().stable(),
    ],
};

pub(super) static JSONB_BUILD_OBJECT: Function = Function {
    name: "jsonb_build_object",
    purpose: "An object of keys and values in turn",
    example: "jsonb_build_object('a', 1, 'b', ARRAY[2])",
    shows: r#"{"a": 1, "b": [2]}"#,
    overloads: &[
        Overload::new(&[], JSONB, |call| empty(call, "{}")),
        Overload::new(&[ANY], JSONB, |call| object(call, Kind::Jsonb)).variadic().called_on_null().stable(),
    ],
};

pub(super) static JSON_BUILD_ARRAY: Function = Function {
    name: "json_build_array",
    purpose: "An array of values of any types",
    example: "json_build_array(1, 'a', NULL)",
    shows: r#"[1, "a", null]"#,
    overloads: &[
        Overload::new(&[], JSON, |call| empty(call, "[]")),
        Overload::new(&[ANY], JSON, |call| array(call, Kind::Json)).variadic().called_on_null().stable(),
    ],
};

pub(super) static JSONB_BUILD_ARRAY: Function = Function {
    name: "jsonb_build_array",
    purpose: "An array of values of any types",
    example: "jsonb_build_array(1, 'a', NULL)",
    shows: r#"[1, "a", null]"#,
    overloads: &[
        Overload::new(&[], JSONB, |call| empty(call, "[]")),
        Overload::new(&[ANY], JSONB, |call| array(call, Kind::Jsonb)).variadic().called_on_null().stable(),
    ],
};

pub(super) static JSON_OBJECT: Function = Function {
    name: "json_object",
    purpose: "An object of texts: keys and values in turn, or in an array each",
    example: "json_object(ARRAY['a', 'b'], ARRAY['1', NULL])",
    shows: r#"{"a" : "1", "b" : null}"#,
    overloads: &[
        Overload::new(&[TEXT_ARRAY], JSON, |call| object_of_texts(call, Kind::Json)),
        Overload::new(&[TEXT_ARRAY, TEXT_ARRAY], JSON, |call| object_of_texts(call, Kind::Json)),
    ],
};

pub(super) static JSONB_OBJECT: Function = Function {
    name: "jsonb_object",
    purpose: "An object of texts: keys and values in turn, or in an array each",
    example: "jsonb_object(ARRAY['a', 'b'], ARRAY['1', NULL])",
    shows: r#"{"a": "1", "b": null}"#,
    overloads: &[
        Overload::new(&[TEXT_ARRAY], JSONB, |call| object_of_texts(call, Kind::Jsonb)),
        Overload::new(&[TEXT_ARRAY, TEXT_ARRAY], JSONB, |call| object_of_texts(call, Kind::Jsonb)),
    ],
};

/// Which type of JSON is made.
#[derive(Clone, Copy)]
pub(super) enum Kind {
    Json,
    Jsonb,
}

impl Kind {
    /// What was written, as the type has it.
    pub(super) fn of(self, json: String) -> Result<String> {
        match self {
            Self::Json => Ok(json),
            Self::Jsonb => Ok(read(&json)?.printed()),
        }
    }
}

fn value(call: &Call<'_>, kind: Kind) -> Result<ArrayRef> {
    let write = writer(call.argument(0)?, form(call), COMMA)?;
    call.text_of(|row| {
        let mut json = String::new();
        write(&mut json, row)?;
        kind.of(json).map(Some)
    })
}

/// An array or a row, in lines where the second argument says so.
fn in_lines(call: &Call<'_>) -> Result<ArrayRef> {
    let (values, asked) = (call.argument(0)?, call.booleans(1)?);
    let (plain, lines) = (writer(values, form(call), COMMA)?, writer(values, form(call), LINES)?);
    call.text_of(|row| {
        let mut json = String::new();
        let write = if asked.value(row) { &lines } else { &plain };
        write(&mut json, row)?;
        Ok(Some(json))
    })
}

/// A row, or one that is JSON by now; anything else is refused.
fn of_row(call: &Call<'_>) -> Result<ArrayRef> {
    match call.argument(0)?.data_type() {
        DataType::Struct(_) => value(call, Kind::Json),
        other => Err(no_row(other)),
    }
}

/// The same with its columns in lines, where the second argument says so.
fn of_row_in_lines(call: &Call<'_>) -> Result<ArrayRef> {
    let given = call.argument(0)?;
    if let Some(rows) = json_of(given)? {
        let asked = call.booleans(1)?;
        return call.text_of(|row| match asked.value(row) {
            true => apart(rows.value(row)).map(Some),
            false => Ok(Some(rows.value(row).to_owned())),
        });
    }
    match given.data_type() {
        DataType::Struct(_) => in_lines(call),
        other => Err(no_row(other)),
    }
}

fn no_row(given: &DataType) -> Failure {
    let message = format!("function row_to_json({}) does not exist", pgtype::type_name(given));
    Failure::new(Fault::UndefinedFunction, message)
}

/// An object with each of its entries in a line.
fn apart(json: &str) -> Result<String> {
    let JsonItems::Object(entries) = json_items(json).map_err(no_json)? else { return Ok(json.to_owned()) };
    let mut lines = String::from("{");
    for (number, (key, value)) in entries.iter().enumerate() {
        lines.push_str(if number == 0 { "" } else { LINES });
        write_json_text(key, &mut lines);
        lines.push(':');
        lines.push_str(value);
    }
    lines.push('}');
    Ok(lines)
}

fn empty(call: &Call<'_>, json: &str) -> Result<ArrayRef> {
    call.text_of(|_| Ok(Some(json.to_owned())))
}

/// Keys and values in turn.
struct Pairs(Vec<(StringArray, Write)>);

impl Pairs {
    fn of(call: &Call<'_>) -> Result<Self> {
        let form = form(call);
        let pair = |at: usize| -> Result<(StringArray, Write)> {
            Ok((keys(call.argument(at)?, form)?, writer(call.argument(at + 1)?, form, COMMA)?))
        };
        (0..call.len() / 2).map(|number| pair(number * 2)).collect::<Result<_>>().map(Self)
    }

    /// An object of them, with these between keys and values and between pairs.
    fn write(&self, row: usize, (colon, comma): (&str, &str), null: &dyn Fn(usize) -> Failure) -> Result<String> {
        let mut json = String::from("{");
        for (number, (keys, write)) in self.0.iter().enumerate() {
            if keys.is_null(row) {
                return Err(null(number * 2 + 1));
            }
            json.push_str(if number == 0 { "" } else { comma });
            write_json_text(keys.value(row), &mut json);
            json.push_str(colon);
            write(&mut json, row)?;
        }
        json.push('}');
        Ok(json)
    }
}

fn object(call: &Call<'_>, kind: Kind) -> Result<ArrayRef> {
    if call.len() % 2 == 1 {
        let hint = match kind {
            Kind::Json => "The arguments of json_build_object() must consist of alternating keys and values.",
            Kind::Jsonb => "The arguments of jsonb_build_object() must consist of alternating keys and values.",
        };
        let message = "argument list must have even number of elements";
        return Err(Failure::new(Fault::InvalidArgument, message).with_hint(hint));
    }
    let pairs = Pairs::of(call)?;
    let null = |number: usize| match kind {
        Kind::Json => Failure::new(Fault::InvalidArgument, format!("argument {number} cannot be null"))
            .with_hint("Object keys should be text."),
        Kind::Jsonb => Failure::new(Fault::InvalidArgument, format!("argument {number}: key must not be null")),
    };
    call.text_of(|row| kind.of(pairs.write(row, (" : ", ", "), &null)?).map(Some))
}

fn row(call: &Call<'_>, before: &str) -> Result<ArrayRef> {
    let pairs = Pairs::of(call)?;
    let null = |number: usize| Failure::new(Fault::Internal, format!("the column {number} has no name"));
    call.text_of(|row| Ok(Some(format!("{before}{}", pairs.write(row, (":", ","), &null)?))))
}

fn array(call: &Call<'_>, kind: Kind) -> Result<ArrayRef> {
    let form = form(call);
    let writers = (0..call.len()).map(|at| writer(call.argument(at)?, form, COMMA)).collect::<Result<Vec<Write>>>()?;
    call.text_of(|row| {
        let mut json = String::from("[");
        for (number, write) in writers.iter().enumerate() {
            json.push_str(if number == 0 { "" } else { ", " });
            write(&mut json, row)?;
        }
        json.push(']');
        kind.of(json).map(Some)
    })
}

fn object_of_texts(call: &Call<'_>, kind: Kind) -> Result<ArrayRef> {
    let keys = TextArrays::of(call, 0)?;
    let values = if call.len() > 1 { Some(TextArrays::of(call, 1)?) } else { None };
    let wrong = |message: &str| Failure::new(Fault::ArraySubscript, message.to_owned());
    call.text_of(|row| {
        let texts = keys.array(row);
        let pairs: Vec<(Option<&str>, Option<&str>)> = match (&values, keys.dimensions(row).as_slice()) {
            (Some(values), [] | [_]) => {
                let values = values.list(row)?;
                if values.len() != texts.len() {
                    return Err(wrong("mismatched array dimensions"));
                }
                texts.into_iter().zip(values).collect()
            }
            (None, [count]) if count % 2 == 1 => return Err(wrong("array must have even number of elements")),
            (None, [] | [_] | [_, 2]) => texts.chunks_exact(2).map(|pair| (pair[0], pair[1])).collect(),
            (None, [_, _]) => return Err(wrong("array must have two columns")),
            _ => return Err(wrong("wrong number of array subscripts")),
        };
        let mut json = String::from("{");
        for (number, (key, value)) in pairs.into_iter().enumerate() {
            let null = || Failure::new(Fault::NullNotAllowed, "null value not allowed for object key");
            json.push_str(if number == 0 { "" } else { ", " });
            write_json_text(key.ok_or_else(null)?, &mut json);
            json.push_str(" : ");
            match value {
                Some(value) => write_json_text(value, &mut json),
                None => json.push_str("null"),
            }
        }
        json.push('}');
        kind.of(json).map(Some)
    })
}
