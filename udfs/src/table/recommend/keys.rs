//! Numbers for the keys of users and items, or for whole rows, whatever their types.

use std::collections::HashMap;

use arrow::{
    array::ArrayRef,
    datatypes::DataType,
    row::{RowConverter, SortField},
};
use datafusion::error::Result;

/// Distinct keys, each a value or a row of some types, numbered in the order of their first appearance; NULL is a key like any other.
#[derive(Debug)]
pub(super) struct Keys {
    converter: RowConverter,
    numbers: HashMap<Box<[u8]>, u32>,
    key_bytes: usize,
}

impl Keys {
    /// No key yet.
    pub(super) fn new(data_type: &DataType) -> Result<Self> {
        Self::of_rows([data_type])
    }

    /// The same for rows of these types.
    pub(super) fn of_rows<'a>(types: impl IntoIterator<Item = &'a DataType>) -> Result<Self> {
        let converter = RowConverter::new(types.into_iter().cloned().map(SortField::new).collect())?;
        Ok(Self { converter, numbers: HashMap::new(), key_bytes: 0 })
    }

    /// Every key's number, and whether this is its first appearance; memory is taken for new keys alone.
    pub(super) fn insert(&mut self, keys: &ArrayRef) -> Result<Vec<(u32, bool)>> {
        self.insert_rows(std::slice::from_ref(keys))
    }

    /// The same for rows.
    pub(super) fn insert_rows(&mut self, columns: &[ArrayRef]) -> Result<Vec<(u32, bool)>> {
        let rows = self.converter.convert_columns(columns)?;
        let number = |row: arrow::row::Row<'_>| {
            if let Some(&known) = self.numbers.get(row.data()) {
                return (known, false);
            }
            let next = self.numbers.len() as u32;
            self.key_bytes += row.data().len();
            self.numbers.insert(row.data().into(), next);
            (next, true)
        };
        Ok(rows.iter().map(number).collect())
    }

    /// The number of each key that has one.
    pub(super) fn find(&self, keys: &ArrayRef) -> Result<Vec<Option<u32>>> {
        let rows = self.converter.convert_columns(std::slice::from_ref(keys))?;
        Ok(rows.iter().map(|row| self.numbers.get(row.data()).copied()).collect())
    }

    /// About how much memory the keys take.
    pub(super) fn size_bytes(&self) -> usize {
        let entry = size_of::<(Box<[u8]>, u32)>() + 1;
        self.key_bytes + self.numbers.capacity() * entry
    }
}
