//! Lists as PostgreSQL writes arrays: `{a,"b, c",NULL}`.

use arrow::{
    array::{Array, AsArray, ListArray},
    datatypes::{DataType, FieldRef},
};
use bytes::{BufMut, BytesMut};

use super::{Form, Writer};
use crate::{fault::Result, interrupt::step, pgtype::ColumnType};

/// The writer of a column of lists, whose elements are of a canonical type.
pub(super) fn writer<'a>(lists: &'a ListArray, element: &'a FieldRef, form: Form) -> Result<Writer<'a>> {
    Ok(written(lists, super::writer(lists.values().as_ref(), element, form)?))
}

/// The writer of a column of lists, within each other or not, of a type whose values its Arrow type does not write; none if that
/// does.
pub(super) fn told_writer(lists: &ListArray, item: ColumnType) -> Result<Option<Writer<'_>>> {
    let values = lists.values();
    let write = match values.as_list_opt::<i32>() {
        Some(inner) => told_writer(inner, item)?,
        None => super::told_writer(values.as_ref(), item, false)?,
    };
    Ok(write.map(|write| written(lists, write)))
}

/// Lists whose elements are written so.
fn written<'a>(lists: &'a ListArray, mut write: Writer<'a>) -> Writer<'a> {
    let (offsets, values) = (lists.value_offsets(), lists.values());
    let nulls = values.logical_nulls();
    let nested = matches!(values.data_type(), DataType::List(_));
    Box::new(move |out, row| {
        out.put_u8(b'{');
        for (position, index) in (offsets[row]..offsets[row + 1]).enumerate() {
            step()?;
            if position > 0 {
                out.put_u8(b',');
            }
            let index = index as usize;
            if nulls.as_ref().is_some_and(|nulls| nulls.is_null(index)) {
                out.put_slice(b"NULL");
                continue;
            }
            let start = out.len();
            write(out, index)?;
            if !nested {
                quote_from(out, start);
            }
        }
        out.put_u8(b'}');
        Ok(())
    })
}

// Puts the element that begins at `start` between quotes if it could be read as something else, moving it in place.
fn quote_from(out: &mut BytesMut, start: usize) {
    let element = &out[start..];
    let special = |byte: &u8| matches!(byte, b'"' | b'\\' | b'{' | b'}' | b',') || is_space(*byte);
    if !element.is_empty() && !element.eq_ignore_ascii_case(b"null") && !element.iter().any(special) {
        return;
    }
    let is_escaped = |byte: &u8| matches!(byte, b'"' | b'\\');
    let escapes = element.iter().filter(|byte| is_escaped(byte)).count();
    let mut read = out.len();
    out.put_bytes(b'"', escapes + 2);
    let mut write = out.len() - 1;
    while read > start {
        (read, write) = (read - 1, write - 1);
        let byte = out[read];
        out[write] = byte;
        if is_escaped(&byte) {
            write -= 1;
            out[write] = b'\\';
        }
    }
    out[start] = b'"';
}

fn is_space(byte: u8) -> bool {
    matches!(byte, b' ' | b'\t'..=b'\r')
}
