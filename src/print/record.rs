//! Rows as PostgreSQL writes them: `(1,"a b",)`, in which NULL is nothing at all.

use arrow::{
    array::{Array, StructArray},
    datatypes::DataType,
};
use bytes::{BufMut, BytesMut};

use super::{Form, Writer, binary_writer, write_sized};
use crate::{fault::Result, pgtype};

/// The writer of a column of rows, whose columns are of canonical types.
pub(super) fn writer(rows: &StructArray, form: Form) -> Result<Writer<'_>> {
    let columns = rows.columns().iter().zip(fields(rows));
    let columns =
        columns.map(|(column, field)| Ok((column.logical_nulls(), super::writer(column.as_ref(), field, form)?)));
    let mut columns = columns.collect::<Result<Vec<_>>>()?;
    Ok(Box::new(move |out, row| {
        out.put_u8(b'(');
        for (at, (nulls, write)) in columns.iter_mut().enumerate() {
            if at > 0 {
                out.put_u8(b',');
            }
            if nulls.as_ref().is_some_and(|nulls| nulls.is_null(row)) {
                continue;
            }
            let start = out.len();
            write(out, row)?;
            quote_from(out, start);
        }
        out.put_u8(b')');
        Ok(())
    }))
}

/// The same in the binary format: the number of columns, and of each its type and its value behind its length.
pub(super) fn binary(rows: &StructArray) -> Result<Writer<'_>> {
    let columns = rows.columns().iter().zip(fields(rows)).map(|(column, field)| {
        let oid = pgtype::of(field.data_type()).pg.oid;
        Ok((oid, column.logical_nulls(), binary_writer(column.as_ref(), field)?))
    });
    let mut columns = columns.collect::<Result<Vec<_>>>()?;
    Ok(Box::new(move |out, row| {
        out.put_u32(columns.len() as u32);
        for (oid, nulls, write) in &mut columns {
            out.put_u32(*oid);
            if nulls.as_ref().is_some_and(|nulls| nulls.is_null(row)) {
                out.put_i32(-1);
                continue;
            }
            write_sized(out, |out| write(out, row))?;
        }
        Ok(())
    }))
}

fn fields(rows: &StructArray) -> &[arrow::datatypes::FieldRef] {
    match rows.data_type() {
        DataType::Struct(fields) => fields,
        _ => &[],
    }
}

/// Puts the value that begins at `start` between quotes if it could be read as something else.
fn quote_from(out: &mut BytesMut, start: usize) {
    let value = out.split_off(start);
    let special = |byte: &u8| matches!(byte, b'"' | b'\\' | b'(' | b')' | b',' | b' ' | b'\t'..=b'\r');
    if !value.is_empty() && !value.iter().any(special) {
        out.unsplit(value);
        return;
    }
    out.put_u8(b'"');
    for byte in value {
        if matches!(byte, b'"' | b'\\') {
            out.put_u8(byte);
        }
        out.put_u8(byte);
    }
    out.put_u8(b'"');
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use std::sync::Arc;

    use arrow::{
        array::{ArrayRef, Int32Array, StringArray},
        datatypes::Fields,
    };

    use super::*;

    /// Expected as PostgreSQL 15 has them.
    #[test]
    fn values_are_quoted_where_they_must_be() {
        let texts = [Some("a b"), None, Some(""), Some("x\"y"), Some("p\\q"), Some("(,)"), Some("{}"), Some("NULL")];
        let columns: Vec<ArrayRef> =
            vec![Arc::new(Int32Array::from(vec![7; 8])), Arc::new(StringArray::from(texts.to_vec()))];
        let fields = columns.iter().zip(1..).map(|(column, number)| pgtype::record_field(number, column.data_type()));
        let rows: ArrayRef = Arc::new(StructArray::try_new(fields.collect::<Fields>(), columns, None).unwrap());
        assert_eq!(pgtype::of(rows.data_type()).pg, &pgtype::RECORD);
        let shown = super::super::texts(&rows, Form::default()).unwrap();
        let expected = [
            "(7,\"a b\")",
            "(7,)",
            "(7,\"\")",
            "(7,\"x\"\"y\")",
            "(7,\"p\\\\q\")",
            "(7,\"(,)\")",
            "(7,{})",
            "(7,NULL)",
        ];
        assert_eq!(shown.iter().flatten().collect::<Vec<_>>(), expected);
    }
}
