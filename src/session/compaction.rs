//! Small files of managed tables are put together: in the background where a table has many in a row, and by VACUUM.
//!
//! One file is made at a time, a batch of rows in memory, of files that hold no more than [`MAX_BYTES`]; in the background
//! only where the disk has room for it twice. What a table holds and the order of its rows stay as they are, so that nobody
//! waits for it or loses to it; files of which somebody still reads go when nobody does. It knows no plans.

use std::{
    collections::BTreeMap,
    fs::File,
    sync::{
        Arc, Mutex, MutexGuard, PoisonError,
        atomic::{AtomicBool, AtomicU64, Ordering},
        mpsc,
    },
    thread::{self, JoinHandle},
    time::SystemTime,
};

use arrow::datatypes::SchemaRef;
use datafusion::parquet::{
    arrow::{ArrowWriter, arrow_reader::ParquetRecordBatchReaderBuilder},
    file::metadata::ParquetMetaData,
};

use super::storage::{conform, file_schema, writer_properties};
use crate::{
    Error, Fault, Result,
    catalog::{Catalog, Change, Definition, Error as CatalogError, List, Permit, QualifiedName, Snapshot, TableFile},
};

/// The most that the files hold that are put together at once, in bytes.
const MAX_BYTES: u64 = 128 << 20;

/// How many rows are read at once, at most.
const ROWS_AT_ONCE: usize = 8192;

/// How many bytes the rows take that are read at once, about; and those that are written and not yet on the disk.
const BYTES_AT_ONCE: usize = 32 << 20;

/// What a value takes in memory at most, beside the bytes of a text.
const VALUE_BYTES: u64 = 16;

/// How many files a table has to get before it is tried again after a failure.
const FILES_AFTER_FAILURE: usize = 32;

/// Files that are put together where enough of them stand in a row.
#[derive(Debug, Clone, Copy)]
struct Rule {
    /// How many there are at least.
    least: usize,
    /// How long each of them is, in bytes: at least so much, and less than so much.
    from: u64,
    below: u64,
}

/// What is put together.
#[derive(Debug, Clone, Copy)]
struct Policy {
    /// The first that holds counts.
    rules: &'static [Rule],
    /// Whether at least as much has to be left on the disk as is written.
    spares_disk: bool,
}

/// In the background: each row is written anew a few times, however many INSERTs brought it and its neighbours. The last two
/// are for files of sizes that take turns, of which no rule before them finds enough in a row; where those do, there are
/// never so many.
const BACKGROUND: Policy = Policy {
    rules: &[
        Rule { least: 32, from: 0, below: 64 << 10 },
        Rule { least: 16, from: 64 << 10, below: 1 << 20 },
        Rule { least: 16, from: 1 << 20, below: 16 << 20 },
        Rule { least: 64, from: 0, below: 1 << 20 },
        Rule { least: 64, from: 0, below: 16 << 20 },
    ],
    spares_disk: true,
};

/// By VACUUM: whatever is small.
const VACUUM: Policy = Policy { rules: &[Rule { least: 2, from: 0, below: 16 << 20 }], spares_disk: false };

/// What is being put together, for `fusewire.compactions`.
#[derive(Debug, Clone)]
pub(crate) struct Compaction {
    pub(crate) table: QualifiedName,
    pub(crate) files: usize,
    pub(crate) bytes: u64,
    pub(crate) rows: u64,
    pub(crate) began: SystemTime,
}

/// What runs now.
#[derive(Debug, Default)]
pub(crate) struct Compactions {
    running: Mutex<Vec<(u64, Compaction)>>,
    next: AtomicU64,
}

/// Something that runs; it is over when this is dropped.
struct Announced<'a> {
    compactions: &'a Compactions,
    number: u64,
}

impl Compactions {
    /// All that run.
    pub(crate) fn all(&self) -> Vec<Compaction> {
        self.running().iter().map(|(_, compaction)| compaction.clone()).collect()
    }

    fn announce(&self, table: &QualifiedName, files: &[TableFile]) -> Announced<'_> {
        let number = self.next.fetch_add(1, Ordering::Relaxed);
        let compaction = Compaction {
            table: table.clone(),
            files: files.len(),
            bytes: files.iter().map(|file| file.size_bytes).sum(),
            rows: files.iter().map(|file| file.rows).sum(),
            began: SystemTime::now(),
        };
        self.running().push((number, compaction));
        Announced { compactions: self, number }
    }

    /// The list changes whole, so that a panic elsewhere leaves it usable.
    fn running(&self) -> MutexGuard<'_, Vec<(u64, Compaction)>> {
        self.running.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Drop for Announced<'_> {
    fn drop(&mut self) {
        self.compactions.running().retain(|(number, _)| *number != self.number);
    }
}

/// The thread that puts files together in the background; dropping it ends it with its next batch of rows.
pub(super) struct Compactor {
    catalog: Arc<Catalog>,
    stopped: Arc<AtomicBool>,
    thread: Option<JoinHandle<()>>,
}

impl Compactor {
    /// Starts the thread, which looks at the tables that grow.
    pub(super) fn start(catalog: &Arc<Catalog>, compactions: &Arc<Compactions>) -> Result<Self> {
        let (sender, grown) = mpsc::channel();
        catalog.tell_growth(Some(sender));
        let stopped = Arc::new(AtomicBool::new(false));
        let (own, announced, told) = (Arc::clone(catalog), Arc::clone(compactions), Arc::clone(&stopped));
        let run = move || {
            // How many files tables had when it failed.
            let mut failed: BTreeMap<QualifiedName, usize> = BTreeMap::new();
            while let Ok(name) = grown.recv() {
                let mut names = vec![name];
                names.extend(grown.try_iter());
                names.sort_unstable();
                names.dedup();
                for name in names {
                    let files = files_of(&own.snapshot(), &name);
                    if failed.get(&name).is_some_and(|at| (*at..at + FILES_AFTER_FAILURE).contains(&files)) {
                        continue;
                    }
                    // What fails here fails where it is read, which tells it, or is tried again when the table has grown.
                    match compact(&own, &announced, &name, BACKGROUND, &told) {
                        Ok(()) => failed.remove(&name),
                        Err(_) => failed.insert(name, files),
                    };
                }
            }
        };
        let thread = thread::Builder::new().name("fusewire-compact".to_owned()).spawn(run);
        let thread = thread.map_err(|error| {
            Error::new(Fault::Io, format!("cannot start the thread that puts files together: {error}"))
        })?;
        Ok(Self { catalog: Arc::clone(catalog), stopped, thread: Some(thread) })
    }
}

impl Drop for Compactor {
    fn drop(&mut self) {
        self.stopped.store(true, Ordering::Relaxed);
        self.catalog.tell_growth(None);
        if let Some(thread) = self.thread.take() {
            // A panic of it was told when it came.
            let _ended = thread.join();
        }
    }
}

/// Puts the small files of a table together as VACUUM does. Blocks, until it is done or `stopped` is set.
pub(crate) fn vacuum(
    catalog: &Catalog,
    compactions: &Compactions,
    name: &QualifiedName,
    stopped: &AtomicBool,
) -> Result<()> {
    compact(catalog, compactions, name, VACUUM, stopped)
}

fn files_of(snapshot: &Snapshot, name: &QualifiedName) -> usize {
    match snapshot.relation(name).map(|object| &object.definition) {
        Some(Definition::ManagedTable(table)) => table.files.len(),
        _ => 0,
    }
}

/// Puts files of a table together as the rules say, until none of them applies.
fn compact(
    catalog: &Catalog,
    compactions: &Compactions,
    name: &QualifiedName,
    policy: Policy,
    stopped: &AtomicBool,
) -> Result<()> {
    while !stopped.load(Ordering::Relaxed) {
        // It is held until the files are read.
        let snapshot = catalog.snapshot();
        let Some((oid, schema, files)) = found(&snapshot, name, policy.rules) else { break };
        let bytes = files.iter().map(|file| file.size_bytes).sum();
        if policy.spares_disk && !catalog.directory().has_room_for(bytes) {
            break;
        }
        let _announced = compactions.announce(name, &files);
        let Some(made) = put_together(catalog, (oid, &schema), &files, stopped)? else { break };
        let mut transaction = catalog.begin();
        let merged = files.into_iter().map(|file| file.path).collect();
        let change = Change::MergeFiles { table: name.clone(), oid, merged, files: vec![made] };
        let published = transaction
            .apply(change)
            .and_then(|_| futures::executor::block_on(catalog.commit(transaction, Box::new(Unasked))));
        match published {
            // The table is another now, or has other files: whoever was first has done something, so that this ends.
            Ok(_) | Err(CatalogError::Conflict { .. }) => {}
            Err(error) => return Err(error.into()),
        }
    }
    Ok(())
}

/// The table's identifier and the columns of its files, and the files that are to be put together first.
fn found(snapshot: &Snapshot, name: &QualifiedName, rules: &[Rule]) -> Option<(u32, SchemaRef, Vec<TableFile>)> {
    let object = snapshot.relation(name)?;
    let Definition::ManagedTable(table) = &object.definition else { return None };
    let files = rules.iter().find_map(|rule| rule.first(&table.files))?;
    Some((object.header.oid, file_schema(&table.schema), files))
}

impl Rule {
    /// The first files in a row for which it holds, whose rows are numbered on and not deleted.
    fn first(self, files: &List<TableFile>) -> Option<Vec<TableFile>> {
        let (mut row, mut bytes): (Vec<&TableFile>, u64) = (Vec::new(), 0);
        for file in files {
            let is_whole = file.first_row.is_some() && file.deleted.is_none();
            let fits = is_whole && (self.from..self.below).contains(&file.size_bytes);
            let goes_on = row.last().is_none_or(|last| end_of(last) == file.first_row);
            if !fits || !goes_on || bytes.saturating_add(file.size_bytes) > MAX_BYTES {
                if row.len() >= self.least {
                    break;
                }
                (row, bytes) = (Vec::new(), 0);
            }
            if fits {
                bytes += file.size_bytes;
                row.push(file);
            }
        }
        (row.len() >= self.least).then(|| row.into_iter().cloned().collect())
    }
}

/// The number of the row after the last one of a file.
fn end_of(file: &TableFile) -> Option<u64> {
    file.first_row?.checked_add(file.rows)
}

/// One sealed file with the rows of several in their order; none if it is stopped.
fn put_together(
    catalog: &Catalog,
    (oid, schema): (u32, &SchemaRef),
    files: &[TableFile],
    stopped: &AtomicBool,
) -> Result<Option<TableFile>> {
    let directory = catalog.directory();
    let new = directory.new_table_file(oid)?;
    let failed = |error: &dyn std::fmt::Display| {
        Error::new(Fault::Io, format!("cannot put files together in {}: {error}", new.path().display()))
    };
    let output = File::options().write(true).open(new.path()).map_err(|error| failed(&error))?;
    let mut writer = ArrowWriter::try_new(output, Arc::clone(schema), Some(writer_properties(schema)))
        .map_err(|error| failed(&error))?;
    let mut rows = 0;
    for file in files {
        let path = directory.verify(file)?;
        let unreadable = |error: &dyn std::fmt::Display| {
            Error::new(Fault::Corrupt, format!("{} cannot be read: {error}", path.display()))
        };
        let opened = File::open(&path).map_err(|error| unreadable(&error))?;
        let reader = ParquetRecordBatchReaderBuilder::try_new(opened).and_then(|builder| {
            let rows_at_once = rows_at_once(builder.metadata());
            builder.with_batch_size(rows_at_once).build()
        });
        for batch in reader.map_err(|error| unreadable(&error))? {
            if stopped.load(Ordering::Relaxed) {
                return Ok(None);
            }
            let batch = conform(&batch.map_err(|error| unreadable(&error))?, schema)?;
            rows += batch.num_rows() as u64;
            writer.write(&batch).map_err(|error| failed(&error))?;
            if writer.memory_size() > BYTES_AT_ONCE {
                writer.flush().map_err(|error| failed(&error))?;
            }
        }
    }
    writer.close().map_err(|error| failed(&error))?;
    let expected: u64 = files.iter().map(|file| file.rows).sum();
    if rows != expected {
        return Err(Error::new(Fault::Internal, format!("{rows} rows were put together, expected {expected}")));
    }
    let first_row = files.first().and_then(|file| file.first_row);
    Ok(Some(TableFile { first_row, ..directory.seal(new, rows)? }))
}

/// How many rows of a file are read at once: a file may be short and hold long lists of the same value.
fn rows_at_once(file: &ParquetMetaData) -> usize {
    let fitting = file.row_groups().iter().map(|group| {
        let bytes = group.columns().iter().fold(1_u64, |bytes, column| {
            let values = column.num_values().unsigned_abs().saturating_mul(VALUE_BYTES);
            bytes.saturating_add(values).saturating_add(column.uncompressed_size().unsigned_abs())
        });
        (BYTES_AT_ONCE as u64).saturating_mul(group.num_rows().unsigned_abs()) / bytes
    });
    let fitting = fitting.min().and_then(|rows| usize::try_from(rows).ok()).unwrap_or(ROWS_AT_ONCE);
    fitting.clamp(1, ROWS_AT_ONCE)
}

/// Nobody's statement depends on whether files are put together.
struct Unasked;

impl Permit for Unasked {
    fn begin(&self) -> bool {
        true
    }

    fn end(&self, _committed: bool) {}
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;

    fn files(sizes: &[u64]) -> List<TableFile> {
        let file = |(number, size): (usize, &u64)| TableFile {
            first_row: Some(number as u64),
            ..TableFile::new(number.to_string(), *size, "", 1)
        };
        sizes.iter().enumerate().map(file).collect()
    }

    fn chosen(rule: Rule, files: &List<TableFile>) -> Option<String> {
        rule.first(files).map(|files| files.iter().map(|file| file.path.as_str()).collect::<Vec<_>>().join(" "))
    }

    #[test]
    fn enough_files_in_a_row_are_chosen() {
        let rule = Rule { least: 3, from: 10, below: 100 };
        for (sizes, expected) in [
            (vec![], None),
            (vec![10, 99], None),
            (vec![10, 99, 50], Some("0 1 2")),
            (vec![10, 9, 50, 50, 50, 100], Some("2 3 4")),
            (vec![10, 10, 100, 10, 10], None),
            (vec![10, 10, 10, 100, 10, 10, 10], Some("0 1 2")),
        ] {
            assert_eq!(chosen(rule, &files(&sizes)).as_deref(), expected, "{sizes:?}");
        }
    }

    /// What the rules make of files that come one after the other: how many there are, and how often a byte was written anew.
    fn settled(sizes: &[u64], count: usize) -> (usize, f64) {
        let (mut held, mut added, mut written) = (List::new_sync(), 0_u64, 0_u64);
        for (number, size) in sizes.iter().cycle().take(count).enumerate() {
            let first_row = Some(number as u64);
            held.push_back_mut(TableFile { first_row, ..TableFile::new(number.to_string(), *size, "", 1) });
            added += size;
            while let Some(chosen) = BACKGROUND.rules.iter().find_map(|rule| rule.first(&held)) {
                let bytes = chosen.iter().map(|file| file.size_bytes).sum();
                let rows = chosen.iter().map(|file| file.rows).sum();
                let merged = TableFile { rows, size_bytes: bytes, ..chosen[0].clone() };
                let at = held.iter().position(|file| file.path == chosen[0].path).unwrap();
                let after = held.iter().skip(at + chosen.len());
                held = held.iter().take(at).chain([&merged]).chain(after).cloned().collect();
                written += bytes;
            }
        }
        (held.len(), written as f64 / added as f64)
    }

    // Symptom: a table of INSERTs that brought 60 and 70 KiB by turns kept every file. Cause: files were put together only
    // where many of about the same size stood in a row. Fix: where very many do of any sizes, they are too.
    #[test]
    fn files_of_whatever_sizes_do_not_pile_up() {
        for sizes in [
            &[1_000_u64][..],
            &[60_000, 70_000],
            &[10_000, 2_000_000],
            &[1_000, 1_000, 1_000, 60_000, 70_000, 900_000, 1_100_000],
        ] {
            let (files, written) = settled(sizes, 3_000);
            assert!(files <= 200 && written < 5.0, "{sizes:?}: {files} files, written {written} times");
        }
    }

    #[test]
    fn short_files_of_long_lists_are_read_in_few_rows() {
        use arrow::{
            array::{ArrayRef, Float64Array, Int64Array, ListArray, RecordBatch},
            buffer::OffsetBuffer,
            datatypes::{DataType, Field},
        };

        const LENGTH: usize = 1 << 18;
        let zeros: ArrayRef = Arc::new(Float64Array::from(vec![0.0; 16 * LENGTH]));
        let item = Arc::new(Field::new_list_field(DataType::Float64, true));
        let lists: ArrayRef = Arc::new(ListArray::new(item, OffsetBuffer::from_lengths([LENGTH; 16]), zeros, None));
        let numbers: ArrayRef = Arc::new(Int64Array::from_iter_values(0..100_000));
        for (column, expected) in [(lists, 4..=8), (numbers, ROWS_AT_ONCE..=ROWS_AT_ONCE)] {
            let batch = RecordBatch::try_from_iter([("x", column)]).unwrap();
            let mut file = tempfile::tempfile().unwrap();
            let mut writer = ArrowWriter::try_new(&mut file, batch.schema(), None).unwrap();
            writer.write(&batch).unwrap();
            writer.close().unwrap();
            assert!(file.metadata().unwrap().len() < 4 << 20);
            let opened = ParquetRecordBatchReaderBuilder::try_new(file).unwrap();
            let rows = rows_at_once(opened.metadata());
            assert!(expected.contains(&rows), "{rows} rows");
        }
    }

    #[test]
    fn what_is_chosen_is_limited_and_keeps_the_numbers_of_rows() {
        let rule = Rule { least: 2, from: 0, below: u64::MAX };
        let half = MAX_BYTES / 2;
        assert_eq!(chosen(rule, &files(&[half, half, 1])).as_deref(), Some("0 1"));
        assert_eq!(chosen(rule, &files(&[half, half + 1, 1])).as_deref(), Some("1 2"));
        let gap: List<TableFile> = files(&[1, 1, 1]).iter().filter(|file| file.path != "1").cloned().collect();
        assert_eq!(chosen(rule, &gap), None, "the rows between them are no longer there");
        let unknown: List<TableFile> =
            files(&[1, 1]).iter().map(|file| TableFile { first_row: None, ..file.clone() }).collect();
        assert_eq!(chosen(rule, &unknown), None);
    }
}
