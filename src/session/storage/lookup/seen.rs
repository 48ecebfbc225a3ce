//! A table as one statement sees it: which of its rows a column's values find, and what other columns hold in them.

use std::sync::Arc;

use arrow::{
    array::{Array, ArrayRef, Scalar},
    compute::interleave,
};

use crate::{
    catalog::ManagedTable,
    session::storage::{
        cache::{Column, Key, Lookups, Part, ROWS_OF_PART, Wanted, compact},
        index::{MAX_ROWS, hashes},
    },
};

/// A table of more files is read as ever.
const MAX_FILES: usize = 64;

/// Why rows cannot be told at once.
pub(super) enum Lack {
    /// They never can.
    Unfit,
    /// Something is to be read first, of files by their places in the table.
    Parts(Vec<(usize, Wanted)>),
}

/// Rows, or parts of the rows, of files by their places in the table.
pub(super) type Places = Vec<(usize, u64)>;

/// The table as the statement sees it.
pub(super) struct Seen<'a> {
    lookups: &'a Lookups,
    table: &'a ManagedTable,
    /// The paths of its files.
    paths: Vec<Arc<str>>,
}

impl<'a> Seen<'a> {
    /// None where the table is read as ever.
    pub(super) fn new(lookups: &'a Lookups, table: &'a ManagedTable) -> Option<Self> {
        if table.files.len() > MAX_FILES || table.files.iter().any(|file| file.deleted.is_some()) {
            return None;
        }
        let paths = table.files.iter().map(|file| Arc::from(file.path.as_str())).collect();
        Some(Self { lookups, table, paths })
    }

    /// A column of the table, by its place.
    pub(super) fn column(&self, place: usize) -> Option<Column> {
        let (field, column) = (self.table.schema.fields().get(place)?, self.table.columns.get(place)?);
        Some(Column { name: field.name().clone(), number: column.number, data_type: field.data_type().clone() })
    }

    /// The rows in which a column has one of these values, and maybe a few others, in the order of the table; none if they
    /// are too many.
    pub(super) fn rows_of(&self, column: &Column, values: &[Scalar<ArrayRef>]) -> Result<Option<Places>, Lack> {
        let mut wanted = Vec::with_capacity(values.len());
        for value in values {
            let value = value.clone().into_inner();
            let hashes = hashes(self.lookups.hasher(), &value).ok_or(Lack::Unfit)?;
            // Nothing equals NULL.
            wanted.extend(hashes.into_iter().flatten());
        }
        let (mut found, mut lacking) = (Places::new(), Vec::new());
        for (at, path) in self.paths.iter().enumerate() {
            let index = match self.lookups.get(&Key::index(path, column.number)) {
                Some(Part::Index(index)) if *index.data_type() == column.data_type => index,
                Some(_) => return Err(Lack::Unfit),
                None => {
                    lacking.push((at, Wanted::Index(column.clone())));
                    continue;
                }
            };
            for hash in &wanted {
                let Some(rows) = index.rows(*hash) else { return Ok(None) };
                if found.len() + rows.len() > MAX_ROWS {
                    return Ok(None);
                }
                found.extend(rows.map(|row| (at, row)));
            }
        }
        if !lacking.is_empty() {
            return Err(Lack::Parts(lacking));
        }
        if wanted.len() > 1 {
            found.sort_unstable();
            found.dedup();
        }
        Ok(Some(found))
    }

    /// The values of columns in these rows.
    pub(super) fn values(&self, columns: &[Column], found: &[(usize, u64)]) -> Result<Vec<ArrayRef>, Lack> {
        let (mut arrays, mut missing) = (Vec::with_capacity(columns.len()), Places::new());
        for column in columns {
            arrays.extend(self.values_of(column, found, &mut missing)?);
        }
        if missing.is_empty() {
            return Ok(arrays);
        }
        missing.sort_unstable();
        missing.dedup();
        let of_file = |parts: &[(usize, u64)]| {
            let file = parts.first().map_or(0, |(file, _)| *file);
            (file, Wanted::Values(columns.to_vec(), parts.iter().map(|(_, part)| *part).collect()))
        };
        Err(Lack::Parts(missing.chunk_by(|one, next| one.0 == next.0).map(of_file).collect()))
    }

    /// The values of one; the parts of files that are not in memory are added to those that are missing.
    fn values_of(
        &self,
        column: &Column,
        found: &[(usize, u64)],
        missing: &mut Places,
    ) -> Result<Option<ArrayRef>, Lack> {
        let (mut arrays, mut places, mut last) = (Vec::new(), Vec::with_capacity(found.len()), None);
        for (file, row) in found {
            let part = (*file, row / ROWS_OF_PART);
            if last != Some(part) {
                last = Some(part);
                let path = self.paths.get(part.0).ok_or(Lack::Unfit)?;
                match self.lookups.get(&Key::values(path, column.number, part.1)) {
                    Some(Part::Values(values)) if *values.data_type() == column.data_type => arrays.push(values),
                    Some(_) => return Err(Lack::Unfit),
                    None => missing.push(part),
                }
            }
            let within = usize::try_from(row % ROWS_OF_PART).map_err(|_| Lack::Unfit)?;
            places.push((arrays.len().saturating_sub(1), within));
        }
        if !missing.is_empty() {
            return Ok(None);
        }
        let is_there = |(array, row): &(usize, usize)| arrays.get(*array).is_some_and(|values| *row < values.len());
        if !places.iter().all(is_there) {
            return Err(Lack::Unfit);
        }
        let arrays: Vec<&dyn Array> = arrays.iter().map(AsRef::as_ref).collect();
        // A copy: whoever holds a row holds no more than it.
        interleave(&arrays, &places).map(|values| Some(compact(values))).map_err(|_| Lack::Unfit)
    }
}
