//! Collected rows as a table to train on.

use arrow::{
    array::{ArrayRef, RecordBatch},
    datatypes::{DataType, Schema},
};
use fusewire_learn::{NULL, Table, Values};

use super::{
    category::category,
    kind::{ColumnKind, plain_type},
    read::{Lists, each_text, lists, numbers, text_array, timestamps},
};
use crate::error::{Error, Result};

/// The rows of all batches, each column as its kind says; `kinds` is parallel to the schema's columns. Dictionaries are
/// sorted, so that the order of the rows does not show in them.
///
/// # Errors
/// [`Error::InvalidData`] and [`Error::InvalidValue`] naming the column.
pub fn table(schema: &Schema, kinds: &[ColumnKind], batches: &[RecordBatch]) -> Result<Table> {
    let rows = batches.iter().map(RecordBatch::num_rows).sum();
    let columns = schema.fields().iter().zip(kinds).enumerate().map(|(position, (field, kind))| {
        let chunks: Vec<ArrayRef> = batches.iter().filter_map(|batch| batch.columns().get(position).cloned()).collect();
        Ok((field.name().clone(), column(field.name(), field.data_type(), *kind, &chunks)?))
    });
    Ok(Table { rows, columns: columns.collect::<Result<_>>()? })
}

fn column(name: &str, data_type: &DataType, kind: ColumnKind, chunks: &[ArrayRef]) -> Result<Values> {
    match kind {
        ColumnKind::Category(of) => category(name, chunks, of),
        ColumnKind::Number => joined(chunks, |chunk| numbers(name, chunk)).map(Values::Number),
        ColumnKind::Timestamp => joined(chunks, |chunk| timestamps(name, chunk)).map(Values::Timestamp),
        ColumnKind::Text => joined(chunks, |chunk| texts(name, chunk)).map(Values::Text),
        ColumnKind::Vector => {
            let fixed = match plain_type(data_type) {
                DataType::FixedSizeList(_, width) => usize::try_from(*width).ok(),
                _ => None,
            };
            vectors(name, chunks, fixed)
        }
        ColumnKind::Bag(of) => {
            let read = joined(chunks, |chunk| Ok(vec![lists(name, chunk)?]))?;
            let elements: Vec<_> = read.iter().map(|lists| lists.elements.clone()).collect();
            match category(name, &elements, of)? {
                Values::Category { codes, dictionary } => {
                    let (offsets, codes) = bags(name, &read, &codes)?;
                    Ok(Values::Bag { offsets, codes, dictionary })
                }
                other => Err(Error::Internal(format!("the elements of {name} became a {}", other.kind()))),
            }
        }
    }
}

fn joined<T>(chunks: &[ArrayRef], read: impl Fn(&ArrayRef) -> Result<Vec<T>>) -> Result<Vec<T>> {
    let mut all = Vec::with_capacity(chunks.iter().map(|chunk| chunk.len()).sum());
    for chunk in chunks {
        all.extend(read(chunk)?);
    }
    Ok(all)
}

/// A text a row.
pub(super) fn texts(name: &str, array: &ArrayRef) -> Result<Vec<Option<String>>> {
    let array = text_array(name, array)?;
    let mut texts = Vec::with_capacity(array.len());
    each_text(&array, |text| texts.push(text.map(str::to_owned)));
    Ok(texts)
}

/// Offsets and codes of bags: `codes` are those of all elements, in the order of `read`. NULL elements are left out.
pub(super) fn bags(name: &str, read: &[Lists], codes: &[u32]) -> Result<(Vec<u32>, Vec<u32>)> {
    let too_long =
        || Error::InvalidData(format!("the column {name} holds more than 4294967295 list elements; keep fewer rows"));
    let mut kept = Vec::with_capacity(codes.len());
    let mut offsets = vec![0];
    let mut base = 0;
    for lists in read {
        for row in &lists.rows {
            let elements = row.and_then(|(start, end)| codes.get(base + start..base + end)).unwrap_or_default();
            kept.extend(elements.iter().copied().filter(|&code| code != NULL));
            offsets.push(u32::try_from(kept.len()).map_err(|_| too_long())?);
        }
        base += lists.elements.len();
    }
    Ok((offsets, kept))
}

/// Vectors of one width: the given one, else that of the first list.
pub(super) fn vectors(name: &str, chunks: &[ArrayRef], width: Option<usize>) -> Result<Values> {
    let read = chunks.iter().map(|chunk| lists(name, chunk)).collect::<Result<Vec<_>>>()?;
    let first = read.iter().flat_map(|lists| &lists.rows).flatten().next();
    let width = width.or_else(|| first.map(|(start, end)| end - start)).unwrap_or(0);
    let mut values = Vec::new();
    for lists in &read {
        let elements = numbers(name, &lists.elements)?;
        for row in &lists.rows {
            let Some((start, end)) = *row else {
                values.extend(std::iter::repeat_n(f32::NAN, width));
                continue;
            };
            if end - start != width {
                return Err(Error::InvalidData(format!(
                    "the column {name} holds lists of {width} and of {} numbers; vectors must be equally long",
                    end - start
                )));
            }
            values.extend(elements.get(start..end).unwrap_or_default().iter().map(|&number| number as f32));
        }
    }
    Ok(Values::Vector { width, values })
}
