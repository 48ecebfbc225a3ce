//! Where the values of a column stand in a file: a hash of each value, with the number of its row.
//!
//! Values that are alike have the same hash, so that the rows found for one are all that have it, and maybe a few others:
//! who asks compares. NULL is like nothing and stands nowhere. The hashes are of this process alone, so that nobody can write
//! a file of values that all have the same one.

use std::hash::{BuildHasher, Hash, RandomState};

use arrow::{
    array::{Array, ArrayRef, ArrowPrimitiveType, AsArray},
    datatypes::{DataType, Date32Type, Int16Type, Int32Type, Int64Type, TimeUnit, TimestampMicrosecondType},
};

/// The bits of an entry that are its hash, and those that are its row.
const HASH: u64 = 0xFFFF_FFFF_0000_0000;
const ROW: u64 = 0x0000_0000_FFFF_FFFF;

/// A lookup finds so many rows; a value that more rows have is looked for as ever.
pub(super) const MAX_ROWS: usize = 128;

/// Bytes of a row in an index.
pub(super) const BYTES_OF_ROW: u64 = size_of::<u64>() as u64;

/// The rows of a column of one file by the hashes of its values.
#[derive(Debug)]
pub(super) struct Index {
    data_type: DataType,
    /// A hash with the row below it, ascending.
    entries: Vec<u64>,
    /// The hashes that more than [`MAX_ROWS`] rows have, ascending; they have no entries.
    common: Vec<u64>,
}

/// An index whose rows come one after the other.
#[derive(Debug)]
pub(super) struct Building {
    data_type: DataType,
    entries: Vec<u64>,
    rows: u32,
}

/// Whether two values of a type are equal in PostgreSQL where they are the same, and only there.
pub(super) fn is_indexed(data_type: &DataType) -> bool {
    use DataType::{Date32, Int16, Int32, Int64, Timestamp, Utf8View};
    matches!(data_type, Int16 | Int32 | Int64 | Date32 | Timestamp(TimeUnit::Microsecond, _) | Utf8View)
}

/// The hash of each value of an array, none of NULL; nothing of a type that is not indexed.
pub(super) fn hashes(hasher: &RandomState, array: &ArrayRef) -> Option<Vec<Option<u64>>> {
    Some(match array.data_type() {
        DataType::Int16 => of_numbers::<Int16Type>(hasher, array),
        DataType::Int32 => of_numbers::<Int32Type>(hasher, array),
        DataType::Int64 => of_numbers::<Int64Type>(hasher, array),
        DataType::Date32 => of_numbers::<Date32Type>(hasher, array),
        DataType::Timestamp(TimeUnit::Microsecond, _) => of_numbers::<TimestampMicrosecondType>(hasher, array),
        DataType::Utf8View => {
            array.as_string_view().iter().map(|text| text.map(|text| hasher.hash_one(text) & HASH)).collect()
        }
        _ => return None,
    })
}

fn of_numbers<T: ArrowPrimitiveType<Native: Hash>>(hasher: &RandomState, array: &ArrayRef) -> Vec<Option<u64>> {
    array.as_primitive::<T>().iter().map(|number| number.map(|number| hasher.hash_one(number) & HASH)).collect()
}

impl Building {
    /// For so many rows of a column of this type.
    pub(super) fn new(data_type: &DataType, rows: usize) -> Self {
        Self { data_type: data_type.clone(), entries: Vec::with_capacity(rows), rows: 0 }
    }

    /// Takes the next rows; nothing where they cannot be taken.
    pub(super) fn push(&mut self, hasher: &RandomState, values: &ArrayRef) -> Option<()> {
        if *values.data_type() != self.data_type {
            return None;
        }
        for hash in hashes(hasher, values)? {
            self.entries.extend(hash.map(|hash| hash | u64::from(self.rows)));
            self.rows = self.rows.checked_add(1)?;
        }
        Some(())
    }

    /// The index, where it has as many rows as it should.
    pub(super) fn finish(mut self, rows: u64) -> Option<Index> {
        if u64::from(self.rows) != rows {
            return None;
        }
        self.entries.sort_unstable();
        let groups = self.entries.chunk_by(|one, next| one & HASH == next & HASH).filter(|rows| rows.len() > MAX_ROWS);
        let common: Vec<u64> = groups.filter_map(|rows| rows.first().map(|entry| entry & HASH)).collect();
        self.entries.retain(|entry| common.binary_search(&(entry & HASH)).is_err());
        self.entries.shrink_to_fit();
        Some(Index { data_type: self.data_type, entries: self.entries, common })
    }
}

impl Index {
    /// The type of the values.
    pub(super) fn data_type(&self) -> &DataType {
        &self.data_type
    }

    pub(super) fn bytes(&self) -> usize {
        size_of::<Self>() + (self.entries.capacity() + self.common.capacity()) * size_of::<u64>()
    }

    /// The rows, ascending, of the values with this hash, and maybe of others; none where they are more than [`MAX_ROWS`].
    pub(super) fn rows(&self, hash: u64) -> Option<impl ExactSizeIterator<Item = u64>> {
        if self.common.binary_search(&hash).is_ok() {
            return None;
        }
        let from = self.entries.partition_point(|entry| *entry < hash);
        let found = &self.entries[from..];
        let count = found.partition_point(|entry| entry & HASH == hash);
        Some(found[..count].iter().map(|entry| entry & ROW))
    }
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use arrow::array::{Date32Array, Int16Array, Int64Array, StringViewArray, TimestampMicrosecondArray};

    use super::*;

    /// The rows that an index of these batches has for each value of the first, beside those that have it.
    fn check(batches: &[ArrayRef]) {
        let hasher = RandomState::new();
        let data_type = batches[0].data_type();
        assert!(is_indexed(data_type));
        let mut building = Building::new(data_type, 0);
        let mut all = Vec::new();
        for batch in batches {
            building.push(&hasher, batch).unwrap_or_else(|| panic!("{data_type} is taken"));
            all.extend(hashes(&hasher, batch).unwrap_or_default());
        }
        let index = building.finish(all.len() as u64).unwrap_or_else(|| panic!("all rows came"));
        for hash in all.iter().flatten() {
            let expected: Vec<u64> =
                (0..).zip(&all).filter(|(_, one)| **one == Some(*hash)).map(|(row, _)| row).collect();
            let expected = (expected.len() <= MAX_ROWS).then_some(expected);
            let found = index.rows(*hash).map(Iterator::collect::<Vec<_>>);
            assert_eq!(found, expected, "{data_type}");
        }
        assert_eq!(index.rows(hasher.hash_one("nobody") & HASH).map(|rows| rows.len()), Some(0));
        let common = |hash: &&u64| all.iter().flatten().filter(|other| other == hash).count() > MAX_ROWS;
        assert_eq!(index.entries.len(), all.iter().flatten().filter(|hash| !common(hash)).count());
    }

    #[test]
    fn all_rows_of_a_value_are_found() {
        let texts = |texts: &[Option<&str>]| -> ArrayRef { Arc::new(StringViewArray::from(texts.to_vec())) };
        check(&[texts(&[Some("a"), None, Some("a longer text than a view holds")]), texts(&[Some("a"), Some("")])]);
        let longs: Vec<ArrayRef> =
            [vec![Some(i64::MIN), Some(-1), None], vec![Some(-1), Some(i64::MAX), Some(0)], vec![]]
                .into_iter()
                .map(|numbers| Arc::new(Int64Array::from(numbers)) as ArrayRef)
                .collect();
        check(&longs);
        // Six values of 125 rows each, and one of 250: too many.
        check(&[Arc::new(Int16Array::from_iter_values((0..1_000).map(|number| (number % 8).min(6))))]);
        check(&[Arc::new(Date32Array::from(vec![Some(0), None, Some(-5), Some(0)]))]);
        check(&[Arc::new(TimestampMicrosecondArray::from(vec![Some(7), Some(7), None]).with_timezone("UTC"))]);
    }

    #[test]
    fn what_differs_in_type_or_number_makes_no_index() {
        let hasher = RandomState::new();
        let numbers: ArrayRef = Arc::new(Int64Array::from(vec![1, 2]));
        assert!(Building::new(&DataType::Int32, 2).push(&hasher, &numbers).is_none());
        assert!(Building::new(&DataType::Float64, 2).push(&hasher, &numbers).is_none());
        let mut building = Building::new(&DataType::Int64, 2);
        assert!(building.push(&hasher, &numbers).is_some() && building.finish(3).is_none());
        assert!(!is_indexed(&DataType::Float64) && !is_indexed(&DataType::Boolean));
    }
}
