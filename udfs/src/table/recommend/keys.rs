//! Numbers for the keys of users and items, whatever their type.

use std::collections::HashMap;

use arrow::{
    array::ArrayRef,
    datatypes::DataType,
    row::{RowConverter, SortField},
};
use datafusion::error::Result;

/// Distinct keys of one type, numbered in the order of their first appearance; NULL is a key like any other.
#[derive(Debug)]
pub(super) struct Keys {
    converter: RowConverter,
    numbers: HashMap<Box<[u8]>, u32>,
    key_bytes: usize,
}

impl Keys {
    /// No key yet.
    pub(super) fn new(data_type: &DataType) -> Result<Self> {
        let converter = RowConverter::new(vec![SortField::new(data_type.clone())])?;
        Ok(Self { converter, numbers: HashMap::new(), key_bytes: 0 })
    }

    /// Every key's number, and whether this is its first appearance; memory is taken for new keys alone.
    pub(super) fn insert(&mut self, keys: &ArrayRef) -> Result<Vec<(u32, bool)>> {
        let rows = self.converter.convert_columns(std::slice::from_ref(keys))?;
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
