//! The log of changes after a checkpoint: records that are appended, and read back only if they are whole.
//!
//! The file begins with a block that names its checkpoint, and two notes, each in a block of its own, of how far it is known
//! to be on the disk. A record is a head of fixed length and a body. Its sum is over the record before it too, the first
//! one's over the checkpoint, so that none can be left out, moved or taken from another log.
//!
//! Damage is told from an append that was interrupted by the notes: up to the greater of them everything was acknowledged
//! and has to be whole. After it stands at most one append that nobody was told of, of which any part may be on the disk;
//! it is cut off where it ends to be whole. A note may be lost with the power, so each record says how far the log was
//! known to be on the disk when it was written: one that says so of what is not whole tells of damage too.

use std::{
    fs::{self, File, OpenOptions},
    io,
    os::unix::fs::FileExt,
    path::{Path, PathBuf},
};

use super::{
    checkpoint::{FORMAT, RESTORE, Sum, hexadecimal, numbered, sum_of, write_whole},
    committer::{Step, Watch},
    error::{Error, Result},
};

/// The first word of every log.
const MAGIC: &str = "fusewire-log";
/// What the name of a log ends with.
pub(super) const ENDING: &str = ".log";
/// The length of the first block and of those of the notes: a disk writes so much whole.
const BLOCK: usize = 512;
/// Where the two notes are.
const NOTES: [usize; 2] = [BLOCK, 2 * BLOCK];
/// The length of a note.
const NOTE: usize = 24;
/// Where the records begin.
const RECORDS: usize = 3 * BLOCK;
/// The length of a record's head: mark, length, number, how far the log is on the disk, sum, and a sum of these.
const HEAD: usize = 64;
/// What a head begins with.
const MARK: [u8; 4] = *b"rec\n";

/// A log that is open to be appended to.
#[derive(Debug)]
pub(super) struct Log {
    path: PathBuf,
    file: File,
    /// What it goes on from.
    checkpoint: Sum,
    /// The sum of its last record, or of the checkpoint.
    last: Sum,
    /// Where it ends, all of it on the disk.
    end: u64,
    /// Which of the notes is written next.
    note: usize,
    watch: Watch,
}

/// Records that are appended together.
pub(super) struct Batch {
    bytes: Vec<u8>,
    last: Sum,
    /// Where the log ends to which they are to be appended.
    end: u64,
}

impl Batch {
    /// Adds the record of a commit.
    pub(super) fn push(&mut self, number: u64, body: &[u8]) -> Result<()> {
        let length = u32::try_from(body.len()).map_err(|_| Error::TooLong { size_bytes: body.len() })?;
        let mut head = [0_u8; HEAD];
        head[..4].copy_from_slice(&MARK);
        head[4..8].copy_from_slice(&length.to_le_bytes());
        head[8..16].copy_from_slice(&number.to_le_bytes());
        head[16..24].copy_from_slice(&self.end.to_le_bytes());
        self.last = sum_of(&[&self.last, &head[..24], body]);
        head[24..56].copy_from_slice(&self.last);
        let check = sum_of(&[&head[..56]]);
        head[56..].copy_from_slice(&check[..8]);
        self.bytes.extend_from_slice(&head);
        self.bytes.extend_from_slice(body);
        Ok(())
    }

    /// How much there is to be appended.
    pub(super) fn size_bytes(&self) -> usize {
        self.bytes.len()
    }
}

impl Log {
    /// Writes the log of a checkpoint that is about to be written, without a record.
    pub(super) fn create(directory: &Path, number: u64, checkpoint: Sum, watch: Watch) -> Result<Self> {
        let path = numbered(directory, number, ENDING);
        let mut bytes = first_block(number, &checkpoint);
        for _ in NOTES {
            bytes.extend_from_slice(&note(RECORDS as u64, &checkpoint));
            bytes.resize(bytes.len().next_multiple_of(BLOCK), 0);
        }
        write_whole(&path, &bytes)?;
        let file = open_to_write(&path).map_err(Error::io("open", &path))?;
        Ok(Self { path, file, checkpoint, last: checkpoint, end: RECORDS as u64, note: 0, watch })
    }

    /// Opens the log of a checkpoint, hands on the number and the body of each record, and cuts off what an interrupted
    /// append has left.
    pub(super) fn open(
        directory: &Path,
        number: u64,
        checkpoint: Sum,
        watch: Watch,
        mut perform: impl FnMut(u64, &[u8]) -> Result<(), String>,
    ) -> Result<Self> {
        let path = numbered(directory, number, ENDING);
        let file = match open_to_write(&path) {
            Err(error) if error.kind() == io::ErrorKind::NotFound => {
                return Err(Error::Corrupt { path, found: "it is missing".to_owned(), action: RESTORE });
            }
            opened => opened.map_err(Error::io("open", &path))?,
        };
        let bytes = fs::read(&path).map_err(Error::io("read", &path))?;
        let corrupt = |at: usize, found: String| Error::Corrupt {
            path: path.clone(),
            found: format!("at byte {at}: {found}"),
            action: RESTORE,
        };
        check_first_block(&path, &bytes, number, &checkpoint)?;
        let acknowledged = noted(&bytes, &checkpoint)
            .ok_or_else(|| corrupt(NOTES[0], "neither note of how far it was written is whole".to_owned()))?;
        if bytes.len() < acknowledged {
            let found = format!("it ends there, and had {acknowledged} bytes at least");
            return Err(corrupt(bytes.len(), found));
        }
        let (mut at, mut last, mut newest) = (RECORDS, checkpoint, number);
        while at < bytes.len() {
            match record(&bytes[at..], &last, newest) {
                Ok(Record { number, sum, body }) => {
                    perform(number, body).map_err(|found| corrupt(at, found))?;
                    (last, newest) = (sum, number);
                    at += HEAD + body.len();
                }
                Err(found) if at < acknowledged || is_followed(&bytes, at) => return Err(corrupt(at, found)),
                Err(_) => break,
            }
        }
        let mut log = Self { path, file, checkpoint, last, end: at as u64, note: 0, watch };
        // What is shown from now on has to be on the disk. What nobody was told of is written once more: where the disk has
        // refused it, the system may show it and take it for written.
        if at != acknowledged || at < bytes.len() {
            let rewritten = log.file.write_all_at(&bytes[acknowledged..at], acknowledged as u64);
            rewritten.and_then(|()| log.cut()).map_err(Error::io("write", &log.path))?;
            log.acknowledge();
        }
        Ok(log)
    }

    /// How many bytes of records it has.
    pub(super) fn size_bytes(&self) -> u64 {
        self.end.saturating_sub(RECORDS as u64)
    }

    /// Where records are gathered that are to be appended together.
    pub(super) fn batch(&self) -> Batch {
        Batch { bytes: Vec::new(), last: self.last, end: self.end }
    }

    /// Appends records and makes them permanent. What could not be written whole is taken back; if that fails, or what was
    /// written may be on the disk or not, it is [`Error::OutcomeUnknown`].
    pub(super) fn append(&mut self, batch: &Batch) -> Result<()> {
        self.watch.at(Step::Write);
        if let Err(source) = self.write(&batch.bytes) {
            return Err(match self.cut() {
                Ok(()) => Error::Io { action: "write", path: self.path.clone(), source },
                Err(_) => Error::OutcomeUnknown { path: self.path.clone(), why: source.kind() },
            });
        }
        self.watch.at(Step::Sync);
        let synced = self.watch.room(Step::Sync, 0).and_then(|_| self.file.sync_data());
        synced.map_err(|error| Error::OutcomeUnknown { path: self.path.clone(), why: error.kind() })?;
        self.watch.at(Step::Synced);
        self.end += batch.bytes.len() as u64;
        self.last = batch.last;
        self.acknowledge();
        self.watch.at(Step::Noted);
        Ok(())
    }

    fn write(&self, bytes: &[u8]) -> io::Result<()> {
        let room = self.watch.room(Step::Write, bytes.len())?;
        self.file.write_all_at(&bytes[..room], self.end)?;
        match room < bytes.len() {
            true => Err(io::ErrorKind::StorageFull.into()),
            false => Ok(()),
        }
    }

    /// Takes back what was not written whole.
    fn cut(&self) -> io::Result<()> {
        self.watch.room(Step::Cut, 0)?;
        self.file.set_len(self.end)?;
        self.file.sync_all()
    }

    /// Notes how far the log is on the disk. The note itself may come there later, and may fail: then less is known.
    fn acknowledge(&mut self) {
        let at = NOTES[self.note % NOTES.len()] as u64;
        let _less_is_known = self.file.write_all_at(&note(self.end, &self.checkpoint), at);
        self.note += 1;
    }
}

/// Whether a log has no record.
pub(super) fn is_empty(path: &Path) -> Result<bool> {
    let size_bytes = fs::metadata(path).map_err(Error::io("read", path))?.len();
    Ok(size_bytes <= RECORDS as u64)
}

fn open_to_write(path: &Path) -> io::Result<File> {
    OpenOptions::new().read(true).write(true).open(path)
}

/// The block that a log begins with: a line, and zeros.
fn first_block(number: u64, checkpoint: &Sum) -> Vec<u8> {
    let mut block = format!("{MAGIC} {FORMAT} {number:020} {}\n", hexadecimal(checkpoint)).into_bytes();
    block.resize(BLOCK, 0);
    block
}

fn check_first_block(path: &Path, bytes: &[u8], number: u64, checkpoint: &Sum) -> Result<()> {
    let (found, expected) = (&bytes[..bytes.len().min(BLOCK)], first_block(number, checkpoint));
    let Some(at) = expected.iter().enumerate().position(|(at, byte)| found.get(at) != Some(byte)) else {
        return Ok(());
    };
    let line = String::from_utf8_lossy(found.split(|byte| *byte == b'\n').next().unwrap_or_default());
    let mut words = line.split(' ');
    let later = (words.next() == Some(MAGIC)).then(|| words.next()?.parse::<u32>().ok()).flatten();
    Err(match later.filter(|format| *format > FORMAT) {
        Some(found) => Error::UnknownFormat { path: path.to_owned(), found, newest: FORMAT },
        None => {
            let checkpoint = numbered(Path::new(""), number, super::checkpoint::ENDING);
            let found = format!("at byte {at}: it does not begin as the log of {} does", checkpoint.display());
            Error::Corrupt { path: path.to_owned(), found, action: RESTORE }
        }
    })
}

/// A note that the log is on the disk up to this place.
fn note(end: u64, checkpoint: &Sum) -> [u8; NOTE] {
    let mut note = [0_u8; NOTE];
    note[..8].copy_from_slice(&end.to_le_bytes());
    let check = sum_of(&[&note[..8], checkpoint]);
    note[8..].copy_from_slice(&check[..NOTE - 8]);
    note
}

/// How far the log is known to be on the disk, by what is whole of the notes.
fn noted(bytes: &[u8], checkpoint: &Sum) -> Option<usize> {
    let ends = NOTES.iter().filter_map(|at| {
        let found = bytes.get(*at..at + NOTE)?;
        let end = number_at(found, 0);
        (found == note(end, checkpoint)).then_some(end)
    });
    ends.max().and_then(|end| usize::try_from(end).ok())
}

struct Record<'a> {
    number: u64,
    sum: Sum,
    body: &'a [u8],
}

/// The record that the bytes begin with, or why they do not begin with the one after the last.
fn record<'a>(bytes: &'a [u8], last: &Sum, newest: u64) -> Result<Record<'a>, String> {
    let Some((head, rest)) = bytes.split_at_checked(HEAD) else {
        return Err(format!("a record has {} bytes there, and its head alone has {HEAD}", bytes.len()));
    };
    if !is_head(head) {
        return Err("what stands there is not the head of a record".to_owned());
    }
    let mut length = [0_u8; 4];
    length.copy_from_slice(&head[4..8]);
    let length = u32::from_le_bytes(length) as usize;
    let Some(body) = rest.get(..length) else {
        return Err(format!("the body of a record has {} bytes, expected {length}", rest.len()));
    };
    let sum = sum_of(&[last, &head[..24], body]);
    if sum != head[24..56] {
        let written = hexadecimal(&head[24..56]);
        return Err(format!("the SHA-256 of a record is {}, expected {written}", hexadecimal(&sum)));
    }
    match number_at(head, 8) {
        number if number > newest => Ok(Record { number, sum, body }),
        number => Err(format!("a record has the number {number}, after number {newest}")),
    }
}

fn is_head(head: &[u8]) -> bool {
    head.starts_with(&MARK) && sum_of(&[&head[..56]])[..8] == head[56..]
}

/// Whether a record stands after this place that was written when what is here was on the disk.
fn is_followed(bytes: &[u8], at: usize) -> bool {
    let later = bytes.get(at + 1..).unwrap_or_default();
    later.windows(HEAD).any(|head| is_head(head) && number_at(head, 16) > at as u64)
}

fn number_at(bytes: &[u8], at: usize) -> u64 {
    let mut number = [0_u8; 8];
    number.copy_from_slice(&bytes[at..at + 8]);
    u64::from_le_bytes(number)
}
