//! Small files of managed tables are put together: in the background where a table has many in a row, and by VACUUM.
//!
//! One file is made at a time, a batch of rows in memory, of files that hold no more than [`MAX_BYTES`]. What a table
//! holds and the order of its rows stay as they are, so that nobody waits for it or loses to it; files of which somebody
//! still reads go when nobody does. It knows no plans.

use std::{
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
use datafusion::parquet::arrow::{ArrowWriter, arrow_reader::ParquetRecordBatchReaderBuilder};

use super::storage::{conform, file_schema, writer_properties};
use crate::{
    Error, Fault, Result,
    catalog::{Catalog, Change, Definition, Error as CatalogError, List, Permit, QualifiedName, Snapshot, TableFile},
};

/// The most that the files hold that are put together at once, in bytes.
const MAX_BYTES: u64 = 128 << 20;

/// How many rows are in memory at once, beside what is written and not yet full.
const ROWS_AT_ONCE: usize = 8192;

/// Files that are put together where enough of them stand in a row.
#[derive(Debug, Clone, Copy)]
struct Rule {
    /// How many there are at least.
    least: usize,
    /// How long each of them is, in bytes: at least so much, and less than so much.
    from: u64,
    below: u64,
}

/// In the background: each row is written anew a few times, however many INSERTs brought it and its neighbours.
const BACKGROUND: &[Rule] = &[
    Rule { least: 32, from: 0, below: 64 << 10 },
    Rule { least: 16, from: 64 << 10, below: 1 << 20 },
    Rule { least: 16, from: 1 << 20, below: 16 << 20 },
];

/// By VACUUM: whatever is small.
const VACUUM: &[Rule] = &[Rule { least: 2, from: 0, below: 16 << 20 }];

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
            while let Ok(name) = grown.recv() {
                let mut names = vec![name];
                names.extend(grown.try_iter());
                names.sort_unstable();
                names.dedup();
                for name in names {
                    // What fails here fails where it is read, or is tried again when the table has grown.
                    let _told_to_readers = compact(&own, &announced, &name, BACKGROUND, &told);
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

/// Puts files of a table together as the rules say, until none of them applies.
fn compact(
    catalog: &Catalog,
    compactions: &Compactions,
    name: &QualifiedName,
    rules: &[Rule],
    stopped: &AtomicBool,
) -> Result<()> {
    while !stopped.load(Ordering::Relaxed) {
        // It is held until the files are read.
        let snapshot = catalog.snapshot();
        let Some((oid, schema, files)) = found(&snapshot, name, rules) else { break };
        let _announced = compactions.announce(name, &files);
        let Some(made) = put_together(catalog, (oid, &schema), &files, stopped)? else { break };
        let mut transaction = catalog.begin();
        let merged = files.into_iter().map(|file| file.path).collect();
        let change = Change::MergeFiles { table: name.clone(), oid, merged, files: vec![made] };
        let published = transaction
            .apply(change)
            .and_then(|_| futures::executor::block_on(catalog.commit(transaction, Box::new(Unasked))));
        match published {
            Ok(_) => {}
            // The table is another now, or has other files: who changed it grew it, if there is more to do.
            Err(CatalogError::Conflict { .. }) => break,
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
        let reader = ParquetRecordBatchReaderBuilder::try_new(opened)
            .and_then(|builder| builder.with_batch_size(ROWS_AT_ONCE).build());
        for batch in reader.map_err(|error| unreadable(&error))? {
            if stopped.load(Ordering::Relaxed) {
                return Ok(None);
            }
            let batch = conform(&batch.map_err(|error| unreadable(&error))?, schema)?;
            rows += batch.num_rows() as u64;
            writer.write(&batch).map_err(|error| failed(&error))?;
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

/// Nobody's statement depends on whether files are put together.
struct Unasked;

impl Permit for Unasked {
    fn begin(&self) -> bool {
        true
    }

    fn end(&self, _committed: bool) {}
}

#[cfg(test)]
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
