//! Values of any types as JSON: numbers and truth values as they are, arrays and rows of what they hold, JSON as it is
//! written, and all else as texts in quotes.

use arrow::{
    array::{Array, ArrayRef, AsArray, BooleanArray, ListArray, StringArray, StructArray},
    datatypes::DataType,
};

use crate::{
    fault::{Failure, Fault, Result},
    functions::{Call, array::Lists},
    interrupt::step,
    pgtype::{self, DateStyle, Styles, write_json_text},
    print::{self, Form},
};

/// Writes the value of a row.
pub(super) type Write = Box<dyn Fn(&mut String, usize) -> Result<()>>;

/// How a call's values are written: dates and timestamps as ISO 8601 has them, whatever the session's style.
pub(super) fn form(call: &Call<'_>) -> Form {
    let form = Form::of_session(call.zone(), call.styles());
    Form { is_json: true, styles: Styles { dates: DateStyle::Iso, ..form.styles }, ..form }
}

/// The writer of a column of values; NULL is `null`. Between the elements of an array and the columns of a row stands `between`,
/// but not within what they hold.
pub(super) fn writer(values: &ArrayRef, form: Form, between: &'static str) -> Result<Write> {
    let (write, nulls) = (of_values(values, form, between)?, values.logical_nulls());
    Ok(Box::new(move |out, row| {
        if nulls.as_ref().is_some_and(|nulls| nulls.is_null(row)) {
            out.push_str("null");
            return Ok(());
        }
        write(out, row)
    }))
}

/// What stands between values where nothing else is asked.
pub(super) const COMMA: &str = ",";

/// The same where each stands in a line of its own.
pub(super) const LINES: &str = ",\n ";

/// The texts of keys, which are values without parts.
pub(super) fn keys(values: &ArrayRef, form: Form) -> Result<StringArray> {
    if has_parts(values.data_type()) {
        let message = "key value must be scalar, not array, composite, or json";
        return Err(Failure::new(Fault::InvalidArgument, message));
    }
    texts(values, form)
}

/// Whether values are arrays, rows or JSON.
fn has_parts(own: &DataType) -> bool {
    pgtype::element(own).is_some() || is_object(own)
}

fn is_object(own: &DataType) -> bool {
    matches!(own, DataType::Struct(_) | DataType::Map(..) | DataType::Union(..))
}

/// Whether values are arrays or rows, which have lines of their own among others.
pub(super) fn is_structured(own: &DataType) -> bool {
    match own {
        DataType::Struct(fields) => pgtype::is_record(fields),
        own => pgtype::element(own).is_some(),
    }
}

/// The texts of JSON of an argument that is of it; none of one of another type.
pub(super) fn json_of(values: &ArrayRef) -> Result<Option<StringArray>> {
    let Some(values) = values.as_struct_opt() else { return Ok(None) };
    match values.data_type() {
        DataType::Struct(fields) if pgtype::is_json_value(fields) => {
            print::texts(values.column(0), Form::default()).map(Some)
        }
        _ => Ok(None),
    }
}

fn of_values(values: &ArrayRef, form: Form, between: &'static str) -> Result<Write> {
    if let Some(lists) = values.as_list_opt::<i32>() {
        return of_lists(lists, Lists::of(values)?, form, between);
    }
    if let Some(texts) = json_of(values)? {
        return Ok(plain(texts));
    }
    if let Some(rows) = values.as_struct_opt()
        && matches!(rows.data_type(), DataType::Struct(fields) if pgtype::is_record(fields))
    {
        return of_rows(rows, form, between);
    }
    if is_object(values.data_type()) {
        let texts = print::json_texts(values).map_err(|error| Failure::new(Fault::InvalidData, error.to_string()))?;
        return Ok(plain(texts));
    }
    let texts = texts(values, form)?;
    Ok(match values.data_type() {
        DataType::Boolean => plain(texts),
        number if number.is_numeric() => Box::new(move |out, row| {
            let number = texts.value(row);
            // What is no number of JSON, as the infinities, is a text.
            match number.ends_with(|last: char| last.is_ascii_digit()) {
                true => out.push_str(number),
                false => write_json_text(number, out),
            }
            Ok(())
        }),
        _ => Box::new(move |out, row| {
            write_json_text(texts.value(row), out);
            Ok(())
        }),
    })
}

fn plain(texts: StringArray) -> Write {
    Box::new(move |out, row| {
        out.push_str(texts.value(row));
        Ok(())
    })
}

/// The texts of values without parts; truth values by their words.
fn texts(values: &ArrayRef, form: Form) -> Result<StringArray> {
    let word = |value: bool| if value { "true" } else { "false" };
    match values.as_boolean_opt() {
        Some(values) => Ok(words(values, word)),
        None => print::texts(values, form),
    }
}

fn words(values: &BooleanArray, word: fn(bool) -> &'static str) -> StringArray {
    values.iter().map(|value| value.map(word)).collect()
}

fn of_lists(lists: &ListArray, arrays: Lists, form: Form, between: &'static str) -> Result<Write> {
    let (offsets, write) = (lists.offsets().clone(), writer(lists.values(), form, COMMA)?);
    Ok(Box::new(move |out, row| {
        // One without elements has no dimensions.
        if arrays.array(row).is_some_and(|array| array.dimensions.is_empty()) {
            out.push_str("[]");
            return Ok(());
        }
        let place = |at: i32| usize::try_from(at).unwrap_or(0);
        out.push('[');
        for (number, at) in (place(offsets[row])..place(offsets[row + 1])).enumerate() {
            step()?;
            out.push_str(if number == 0 { "" } else { between });
            write(out, at)?;
        }
        out.push(']');
        Ok(())
    }))
}

fn of_rows(rows: &StructArray, form: Form, between: &'static str) -> Result<Write> {
    let columns = rows.fields().iter().zip(rows.columns());
    let columns = columns.map(|(field, column)| Ok((field.name().clone(), writer(column, form, COMMA)?)));
    let columns = columns.collect::<Result<Vec<(String, Write)>>>()?;
    Ok(Box::new(move |out, row| {
        out.push('{');
        for (number, (name, write)) in columns.iter().enumerate() {
            out.push_str(if number == 0 { "" } else { between });
            write_json_text(name, out);
            out.push(':');
            write(out, row)?;
        }
        out.push('}');
        Ok(())
    }))
}
