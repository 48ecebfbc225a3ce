//! What lookups by key keep in memory of the files of managed tables: indexes of columns, and values of some rows.
//!
//! A file never changes and its name is no other's, and a column has a number that no other gets; so what is kept stays right
//! for as long as it is kept. What is used least goes when all of it is larger than it may be, that of files that are gone,
//! too: nobody asks for it any more.

use std::{
    collections::{HashMap, HashSet},
    fmt,
    fs::File,
    hash::RandomState,
    sync::{Arc, Mutex},
};

use arrow::{
    array::{Array, ArrayRef, AsArray, RecordBatch},
    compute::concat,
    datatypes::DataType,
    error::ArrowError,
};
use datafusion::{
    execution::memory_pool::{MemoryConsumer, MemoryPool},
    parquet::{
        arrow::{
            ProjectionMask,
            arrow_reader::{ArrowReaderOptions, ParquetRecordBatchReader, ParquetRecordBatchReaderBuilder},
        },
        file::metadata::PageIndexPolicy,
    },
};

use super::index::{BYTES_OF_ROW, Building, Index};
use crate::{
    catalog::{DataDirectory, TableFile},
    interrupt::Interrupt,
    session::{client::lock, turns::Turns},
};

/// Rows whose values are read and kept together.
pub(super) const ROWS_OF_PART: u64 = 8_192;

/// Rows that are read at once: the memory they take is asked for when they are there.
const ROWS_AT_ONCE: usize = 1_024;

/// Nothing takes more than this part of all that is kept.
const PARTS: usize = 2;

/// What is kept takes no more than this part of the memory of queries.
const PART_OF_MEMORY: usize = 4;

/// About what an entry takes beside its contents.
const BYTES_OF_ENTRY: usize = 256;

/// Columns whose lookups are counted.
const MAX_COUNTED: usize = 10_000;

/// What is kept for lookups by key.
pub(crate) struct Lookups {
    /// Bytes that it takes together; 0: nothing is kept.
    limit: usize,
    hasher: RandomState,
    parts: Mutex<Turns<Key, Part>>,
    /// How often a column of a table was asked for a key, by the table's identifier and the column's number.
    asked: Mutex<HashMap<(u32, u32), u32>>,
    /// The indexes that are made.
    making: Mutex<HashSet<Key>>,
    pool: Arc<dyn MemoryPool>,
}

/// What a part is of.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub(super) struct Key {
    /// The path of the file, relative to the data directory.
    file: Arc<str>,
    /// The number of the column.
    column: u32,
    /// Which rows it has values of; none: it is the column's index.
    rows: Option<u64>,
}

/// Something that is kept.
#[derive(Debug, Clone)]
pub(super) enum Part {
    Index(Arc<Index>),
    Values(ArrayRef),
    /// It is larger than it may be, or of another type than the column.
    Unfit,
}

/// A column as its files have it.
#[derive(Debug, Clone)]
pub(super) struct Column {
    pub(super) name: String,
    pub(super) number: u32,
    pub(super) data_type: DataType,
}

/// Something that is read of a file.
#[derive(Debug)]
pub(super) enum Wanted {
    /// The index of a column.
    Index(Column),
    /// The values of columns, in these parts of the rows.
    Values(Vec<Column>, Vec<u64>),
}

impl Key {
    pub(super) fn index(file: &Arc<str>, column: u32) -> Self {
        Self { file: Arc::clone(file), column, rows: None }
    }

    pub(super) fn values(file: &Arc<str>, column: u32, part: u64) -> Self {
        Self { file: Arc::clone(file), column, rows: Some(part) }
    }
}

impl Lookups {
    /// Keeps so many bytes, and no more than a part of the memory that queries may use.
    pub(crate) fn new(limit: usize, memory_limit: usize, pool: Arc<dyn MemoryPool>) -> Self {
        Self {
            limit: limit.min(memory_limit / PART_OF_MEMORY),
            hasher: RandomState::new(),
            parts: Mutex::default(),
            asked: Mutex::default(),
            making: Mutex::default(),
            pool,
        }
    }

    /// Whether anything is kept.
    pub(super) fn is_on(&self) -> bool {
        self.limit > 0
    }

    pub(super) fn hasher(&self) -> &RandomState {
        &self.hasher
    }

    pub(super) fn get(&self, key: &Key) -> Option<Part> {
        lock(&self.parts).get(key)
    }

    /// Counts a lookup in the column of this number of the table with this identifier; returns how many there were.
    pub(super) fn ask(&self, oid: u32, column: u32) -> u32 {
        let mut asked = lock(&self.asked);
        if asked.len() >= MAX_COUNTED {
            asked.clear();
        }
        let count = asked.entry((oid, column)).or_insert(0);
        *count = count.saturating_add(1);
        *count
    }

    /// Reads something of a file and keeps it; false where that cannot be, or where others do it. Blocks.
    pub(super) fn load(
        &self,
        directory: &DataDirectory,
        (file, path): (&TableFile, &Arc<str>),
        wanted: Wanted,
        interrupt: &Interrupt,
    ) -> bool {
        let load = Load { lookups: self, directory, file, path, interrupt };
        match wanted {
            Wanted::Index(column) => load.index(&column),
            Wanted::Values(columns, parts) => parts.into_iter().all(|part| load.values(&columns, part).is_some()),
        }
    }

    fn put(&self, key: Key, part: Part) -> bool {
        let bytes = match &part {
            Part::Index(index) => index.bytes(),
            Part::Values(values) => values.get_array_memory_size(),
            Part::Unfit => 0,
        };
        let fits = self.fits(bytes);
        let (part, bytes) = if fits { (part, bytes) } else { (Part::Unfit, 0) };
        lock(&self.parts).put(key, part, bytes.saturating_add(BYTES_OF_ENTRY), self.limit);
        fits
    }

    fn fits(&self, bytes: usize) -> bool {
        bytes <= self.limit / PARTS
    }
}

impl fmt::Debug for Lookups {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.debug_struct("Lookups").field("limit", &self.limit).finish_non_exhaustive()
    }
}

/// An index that is made; nobody makes it any more when this is dropped.
struct Making<'a> {
    lookups: &'a Lookups,
    key: Key,
}

impl Drop for Making<'_> {
    fn drop(&mut self) {
        lock(&self.lookups.making).remove(&self.key);
    }
}

/// A file that is read. What fails leaves nothing behind: whoever reads the file in the ordinary way tells why.
struct Load<'a> {
    lookups: &'a Lookups,
    directory: &'a DataDirectory,
    file: &'a TableFile,
    path: &'a Arc<str>,
    interrupt: &'a Interrupt,
}

impl Load<'_> {
    fn index(&self, column: &Column) -> bool {
        let key = Key::index(self.path, column.number);
        if !lock(&self.lookups.making).insert(key.clone()) {
            return false;
        }
        let making = Making { lookups: self.lookups, key: key.clone() };
        let Ok(bytes) = usize::try_from(self.file.rows.saturating_mul(BYTES_OF_ROW)) else { return false };
        let part = match self.lookups.fits(bytes) {
            false => Some(Part::Unfit),
            true => self.indexed(column, bytes),
        };
        let kept = part.is_some_and(|part| self.lookups.put(key, part));
        drop(making);
        kept
    }

    /// The index of a column, which takes so many bytes; none where it cannot be read or memory is short.
    fn indexed(&self, column: &Column, bytes: usize) -> Option<Part> {
        let memory = MemoryConsumer::new("index of a column").register(&self.lookups.pool);
        memory.try_grow(bytes).ok()?;
        let rows = usize::try_from(self.file.rows).ok()?;
        let mut building = Building::new(&column.data_type, rows);
        for batch in self.reader(std::slice::from_ref(column), None)? {
            self.interrupt.check().ok()?;
            let batch = batch.ok()?;
            if building.push(&self.lookups.hasher, batch.column(0)).is_none() {
                return Some(Part::Unfit);
            }
        }
        self.interrupt.check().ok()?;
        Some(building.finish(self.file.rows).map_or(Part::Unfit, |index| Part::Index(Arc::new(index))))
    }

    /// Keeps the values of columns in one part of the rows.
    fn values(&self, columns: &[Column], part: u64) -> Option<()> {
        let first = part.checked_mul(ROWS_OF_PART)?;
        let rows = self.file.rows.checked_sub(first)?.min(ROWS_OF_PART);
        let (first, rows) = (usize::try_from(first).ok()?, usize::try_from(rows).ok()?);
        let memory = MemoryConsumer::new("rows of a table for lookups").register(&self.lookups.pool);
        let mut batches = Vec::new();
        for batch in self.reader(columns, Some((first, rows)))? {
            self.interrupt.check().ok()?;
            let batch = batch.ok()?;
            memory.try_grow(batch.get_array_memory_size()).ok()?;
            if !self.lookups.fits(memory.size()) {
                drop((batches, batch, memory));
                return self.one_by_one(columns, part);
            }
            batches.push(batch);
        }
        for (at, column) in columns.iter().enumerate() {
            let arrays: Vec<&dyn Array> = batches.iter().map(|batch| batch.column(at).as_ref()).collect();
            let values = compact(concat(&arrays).ok()?);
            let fits = *values.data_type() == column.data_type && values.len() == rows;
            let kept = if fits { Part::Values(values) } else { Part::Unfit };
            self.lookups.put(Key::values(self.path, column.number, part), kept);
        }
        Some(())
    }

    /// Keeps what can be kept of columns whose values are too large together; nothing is of one column.
    fn one_by_one(&self, columns: &[Column], part: u64) -> Option<()> {
        if let [column] = columns {
            self.lookups.put(Key::values(self.path, column.number, part), Part::Unfit);
            return None;
        }
        for column in columns {
            self.values(std::slice::from_ref(column), part);
        }
        Some(())
    }

    /// The rows of columns, in the order of the columns here: all of them, or so many from one on.
    fn reader(&self, columns: &[Column], rows: Option<(usize, usize)>) -> Option<Reordered> {
        let path = self.directory.verify_while(self.file, || self.interrupt.check().is_ok()).ok()?;
        let index = if rows.is_some() { PageIndexPolicy::Optional } else { PageIndexPolicy::Skip };
        let options = ArrowReaderOptions::new().with_page_index_policy(index);
        let builder = ParquetRecordBatchReaderBuilder::try_new_with_options(File::open(path).ok()?, options).ok()?;
        // Columns are found by their names, as those who read the whole table find them.
        let places: Vec<usize> =
            columns.iter().map(|column| builder.schema().index_of(&column.name).ok()).collect::<Option<_>>()?;
        let mask = ProjectionMask::roots(builder.parquet_schema(), places.iter().copied());
        let mut builder = builder.with_projection(mask).with_batch_size(ROWS_AT_ONCE);
        if let Some((first, rows)) = rows {
            builder = builder.with_offset(first).with_limit(rows);
        }
        // They come in the order of the file.
        let order = places.iter().map(|place| places.iter().filter(|other| *other < place).count()).collect();
        Some(Reordered { reader: builder.build().ok()?, order })
    }
}

/// The batches of a file with their columns in another order.
struct Reordered {
    reader: ParquetRecordBatchReader,
    order: Vec<usize>,
}

impl Iterator for Reordered {
    type Item = Result<RecordBatch, ArrowError>;

    fn next(&mut self) -> Option<Self::Item> {
        Some(self.reader.next()?.and_then(|batch| batch.project(&self.order)))
    }
}

/// The array with buffers of its own: those of texts that are read are pages of the file, which have others too.
pub(super) fn compact(array: ArrayRef) -> ArrayRef {
    match array.data_type() {
        DataType::Utf8View => Arc::new(array.as_string_view().gc()),
        DataType::BinaryView => Arc::new(array.as_binary_view().gc()),
        _ => array,
    }
}
