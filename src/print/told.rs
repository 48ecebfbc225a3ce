//! Values of types that Arrow does not tell apart, where those are written otherwise than the values of their Arrow types:
//! fixed texts with the blanks at their ends, functions by their names, lists of numbers without brackets, and in binary uuids as
//! their bytes, `jsonb` behind its version, `oid` in four bytes, and so the number of a type; those of other objects are known to
//! the session alone, which shows them as texts.

use arrow::{
    array::{Array, AsArray, ListArray},
    datatypes::{Int16Type, Int64Type},
};
use bytes::BufMut;

use super::{Writer, array as items, binary::list, plain};
use crate::{
    fault::{Failure, Fault, Result},
    pgtype::{CHAR, ColumnType, Form, JSONB_VERSION, REGPROC, REGTYPE, procedure, regtype_oid, uuid_bytes},
};

/// The text of a row.
type Text<'a> = Box<dyn Fn(usize) -> &'a str + 'a>;

/// The writer of a column of a type whose values its Arrow type does not write; none if that does.
pub(crate) fn told_writer(array: &dyn Array, shown: ColumnType, is_binary: bool) -> Result<Option<Writer<'_>>> {
    if let (Some(item), Some(lists)) = (shown.item(), array.as_list_opt::<i32>()) {
        return match is_binary {
            true => list(lists, Some(item)).map(Some),
            false if shown.pg.is_vector() => Ok(vector(lists)),
            false => items::told_writer(lists, item),
        };
    }
    Ok(value_writer(array, shown, is_binary))
}

fn value_writer(array: &dyn Array, shown: ColumnType, is_binary: bool) -> Option<Writer<'_>> {
    if shown.is_padded() {
        let (text, length) = (texts(array)?, usize::try_from(shown.length()?).ok()?);
        return Some(plain(move |out, row| {
            let text = text(row);
            out.put_slice(text.as_bytes());
            out.put_bytes(b' ', length.saturating_sub(text.chars().count()));
        }));
    }
    match shown.pg.form {
        Form::Uuid if is_binary => {
            let text = texts(array)?;
            Some(Box::new(move |out, row| {
                let bytes = uuid_bytes(text(row)).ok_or_else(|| unfit(text(row), shown))?;
                out.put_slice(&bytes);
                Ok(())
            }))
        }
        Form::Regtype if is_binary => {
            let text = texts(array)?;
            Some(Box::new(move |out, row| {
                let number = if shown.pg.oid == REGTYPE.oid { regtype_oid(text(row)) } else { text(row).parse().ok() };
                out.put_u32(number.ok_or_else(|| unfit(text(row), shown))?);
                Ok(())
            }))
        }
        Form::Jsonb if is_binary => {
            let text = texts(array)?;
            Some(plain(move |out, row| {
                out.put_u8(JSONB_VERSION);
                out.put_slice(text(row).as_bytes());
            }))
        }
        Form::Oid if is_binary => {
            let values = array.as_primitive_opt::<Int64Type>()?;
            Some(Box::new(move |out, row| {
                let value = values.value(row);
                out.put_u32(u32::try_from(value).map_err(|_| unfit(&value.to_string(), shown))?);
                Ok(())
            }))
        }
        Form::Oid if shown.pg.oid == REGPROC.oid => {
            let values = array.as_primitive_opt::<Int64Type>()?;
            Some(plain(move |out, row| {
                let value = values.value(row);
                match u32::try_from(value).ok().filter(|oid| *oid != 0) {
                    Some(oid) => match procedure(oid) {
                        Some(known) => out.put_slice(known.name.as_bytes()),
                        None => out.put_slice(oid.to_string().as_bytes()),
                    },
                    None => out.put_u8(b'-'),
                }
            }))
        }
        _ if is_binary && shown.pg.oid == CHAR.oid => {
            let text = texts(array)?;
            Some(plain(move |out, row| {
                let text = text(row);
                // No character is the byte 0.
                out.put_slice(if text.is_empty() { b"\0".as_slice() } else { text.as_bytes() });
            }))
        }
        _ => None,
    }
}

/// Lists of numbers with blanks between them.
fn vector(lists: &ListArray) -> Option<Writer<'_>> {
    let (offsets, values) = (lists.value_offsets(), lists.values());
    let number: Box<dyn Fn(usize) -> i64 + '_> = match values.as_primitive_opt::<Int16Type>() {
        Some(short) => Box::new(move |at| i64::from(short.value(at))),
        None => {
            let long = values.as_primitive_opt::<Int64Type>()?;
            Box::new(move |at| long.value(at))
        }
    };
    Some(plain(move |out, row| {
        for at in offsets[row]..offsets[row + 1] {
            if at > offsets[row] {
                out.put_u8(b' ');
            }
            out.put_slice(number(at as usize).to_string().as_bytes());
        }
    }))
}

/// The texts of a column of texts.
fn texts(array: &dyn Array) -> Option<Text<'_>> {
    if let Some(values) = array.as_string_view_opt() {
        return Some(Box::new(move |row| values.value(row)));
    }
    if let Some(values) = array.as_string_opt::<i32>() {
        return Some(Box::new(move |row| values.value(row)));
    }
    let values = array.as_string_opt::<i64>()?;
    Some(Box::new(move |row| values.value(row)))
}

fn unfit(value: &str, shown: ColumnType) -> Failure {
    Failure::new(
        Fault::InvalidData,
        format!("\"{value}\" is not a value of type {}; cast the column to text", shown.word()),
    )
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use std::sync::Arc;

    use arrow::{
        array::{Int64Array, ListArray, StringArray, StringViewArray},
        buffer::OffsetBuffer,
        datatypes::{DataType, Field},
    };
    use bytes::BytesMut;

    use super::*;
    use crate::pgtype::{BPCHAR, JSONB, NAME, OID, OIDVECTOR, REGTYPE, TEXT, UUID, VARCHAR};

    fn written(array: &dyn Array, shown: ColumnType, is_binary: bool) -> Option<Vec<u8>> {
        let mut out = BytesMut::new();
        told_writer(array, shown, is_binary).unwrap()?(&mut out, 0).unwrap();
        Some(out.to_vec())
    }

    #[test]
    fn values_are_written_as_their_types_are() {
        let text = StringViewArray::from(vec!["\u{e4}b"]);
        let fixed = ColumnType::of_length(&BPCHAR, 4);
        for is_binary in [false, true] {
            assert_eq!(written(&text, fixed, is_binary).as_deref(), Some("\u{e4}b  ".as_bytes()));
            assert_eq!(written(&text, ColumnType::of_length(&VARCHAR, 4), is_binary), None);
            assert_eq!(written(&text, ColumnType::plain(&TEXT), is_binary), None);
        }
        let words = StringArray::from(vec![Some("a"), None, Some("b c")]);
        let item = Arc::new(Field::new_list_field(DataType::Utf8, true));
        let list = ListArray::new(item, OffsetBuffer::from_lengths([3]), Arc::new(words), None);
        assert_eq!(written(&list, fixed.in_arrays(), false).as_deref(), Some(b"{\"a   \",NULL,\"b c \"}".as_slice()));
        assert_eq!(written(&list, ColumnType::plain(&TEXT).in_arrays(), false), None);
        let uuid = StringArray::from(vec!["a0eebc99-9c0b-4ef8-bb6d-6bb9bd380a11"]);
        assert_eq!(written(&uuid, ColumnType::plain(&UUID), false), None);
        assert_eq!(written(&uuid, ColumnType::plain(&UUID), true).unwrap()[..3], [0xa0, 0xee, 0xbc]);
        assert!(told_writer(&text, ColumnType::plain(&UUID), true).unwrap().unwrap()(&mut BytesMut::new(), 0).is_err());
        let json = StringArray::from(vec!["[]"]);
        assert_eq!(written(&json, ColumnType::plain(&JSONB), true).as_deref(), Some(b"\x01[]".as_slice()));
        let regtype = StringArray::from(vec!["integer[]"]);
        assert_eq!(written(&regtype, ColumnType::plain(&REGTYPE), false), None);
        assert_eq!(written(&regtype, ColumnType::plain(&REGTYPE), true).as_deref(), Some([0, 0, 3, 239].as_slice()));
        let uuids = StringArray::from(vec![Some("a0eebc99-9c0b-4ef8-bb6d-6bb9bd380a11"), None]);
        let item = Arc::new(Field::new_list_field(DataType::Utf8, true));
        let list = ListArray::new(item, OffsetBuffer::from_lengths([2]), Arc::new(uuids), None);
        let bytes = written(&list, ColumnType::plain(&UUID).in_arrays(), true).unwrap();
        assert_eq!(bytes[..12], [0, 0, 0, 1, 0, 0, 0, 1, 0, 0, 0x0b, 0x86]);
        assert_eq!(bytes[20..26], [0, 0, 0, 16, 0xa0, 0xee]);
        assert_eq!(bytes[40..], [0xff; 4]);
        // The null is in another row.
        let words: StringArray = [Some("a"), None].into_iter().collect();
        let item = Arc::new(Field::new_list_field(DataType::Utf8, true));
        let list = ListArray::new(item, OffsetBuffer::from_lengths([1, 1]), Arc::new(words), None);
        assert_eq!(written(&list, ColumnType::plain(&NAME).in_arrays(), true).unwrap()[..8], [0, 0, 0, 1, 0, 0, 0, 0]);
        let nothing = StringArray::from(vec![""]);
        assert_eq!(written(&nothing, ColumnType::plain(&CHAR), true).as_deref(), Some(b"\0".as_slice()));
        assert_eq!(written(&nothing, ColumnType::plain(&CHAR), false), None);
        let oid = Int64Array::from(vec![4_294_967_295]);
        assert_eq!(written(&oid, ColumnType::plain(&OID), true).as_deref(), Some([255; 4].as_slice()));
        for (oid, name) in [(1242, "boolin"), (0, "-"), (16_384, "16384")] {
            let function = Int64Array::from(vec![oid]);
            let shown = written(&function, ColumnType::plain(&REGPROC), false);
            assert_eq!(shown.as_deref(), Some(name.as_bytes()));
        }
        let numbers = Int64Array::from(vec![23, 25]);
        let item = Arc::new(Field::new_list_field(DataType::Int64, true));
        let list = ListArray::new(item, OffsetBuffer::from_lengths([2]), Arc::new(numbers), None);
        assert_eq!(written(&list, ColumnType::plain(&OIDVECTOR), false).as_deref(), Some(b"23 25".as_slice()));
    }
}
