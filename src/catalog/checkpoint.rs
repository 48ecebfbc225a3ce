//! Checkpoints: a whole snapshot in a file that is written once, and read back only if it is whole.
//!
//! A checkpoint is one header line (magic, format, length and SHA-256 of what it heads) and the snapshot as JSON. It is
//! written under a temporary name first, so that a kill at any moment leaves no part of one under its own.

use std::{
    fs::{self, File, OpenOptions},
    io::Write,
    os::unix::fs::OpenOptionsExt,
    path::{Path, PathBuf},
};

use sha2::{Digest, Sha256};

use super::{
    error::{Error, Result},
    snapshot::Snapshot,
};

/// The format of checkpoints and logs that is written. The one before it was a manifest a commit, of which the newest is
/// read as a checkpoint.
pub(super) const FORMAT: u32 = 2;

/// The first word of every checkpoint, and of every manifest of the format before.
const MAGIC: &str = "fusewire-manifest";
/// What the name of a checkpoint ends with.
pub(super) const ENDING: &str = ".json";
/// What a temporary file's name ends with.
pub(super) const TEMPORARY: &str = ".tmp";
/// What to do about a damaged checkpoint or log.
pub(super) const RESTORE: &str = "restore the data directory from a backup";

/// A SHA-256.
pub(super) type Sum = [u8; 32];

/// A checkpoint that was read.
pub(super) struct Checkpoint {
    pub(super) snapshot: Snapshot,
    /// How long it is.
    pub(super) size_bytes: u64,
    /// What its log goes on from; none: it is a manifest of the format before, which has no log.
    pub(super) sum: Option<Sum>,
}

/// A checkpoint that is to be written.
pub(super) struct Encoded {
    pub(super) bytes: Vec<u8>,
    pub(super) sum: Sum,
}

/// The path of what has this number.
pub(super) fn numbered(directory: &Path, number: u64, ending: &str) -> PathBuf {
    directory.join(format!("{number:020}{ending}"))
}

/// The numbers of what is in the directory with this ending, ascending.
pub(super) fn numbers(directory: &Path, ending: &str) -> Result<Vec<u64>> {
    let mut numbers = Vec::new();
    for entry in fs::read_dir(directory).map_err(Error::io("read", directory))? {
        let path = entry.map_err(Error::io("read", directory))?.path();
        let name = path.file_name().map(|name| name.to_string_lossy().into_owned()).unwrap_or_default();
        let number = name.strip_suffix(ending).and_then(|digits| digits.parse().ok());
        numbers.extend(number.filter(|number| numbered(directory, *number, ending) == path));
    }
    numbers.sort_unstable();
    Ok(numbers)
}

/// The snapshot as it is written.
pub(super) fn encode(snapshot: &Snapshot) -> Result<Encoded> {
    let body = serde_json::to_vec(snapshot).map_err(|source| Error::Unstorable { source })?;
    let sum = sum_of(&[start(body.len()).as_bytes(), &body]);
    let mut bytes = format!("{}{}\n", start(body.len()), hexadecimal(&sum)).into_bytes();
    bytes.extend_from_slice(&body);
    Ok(Encoded { bytes, sum })
}

/// Reads a checkpoint and checks that it is whole.
pub(super) fn read(directory: &Path, number: u64) -> Result<Checkpoint> {
    let path = numbered(directory, number, ENDING);
    let bytes = fs::read(&path).map_err(Error::io("read", &path))?;
    decode(&path, number, &bytes)
}

/// Writes a file for its owner alone and makes its content permanent, and then its name. What fails before it has its name
/// leaves nothing; what fails after that is [`Error::OutcomeUnknown`].
pub(super) fn write_whole(path: &Path, bytes: &[u8]) -> Result<()> {
    let mut temporary = path.as_os_str().to_owned();
    temporary.push(TEMPORARY);
    let temporary = PathBuf::from(temporary);
    let written = write_private(&temporary, bytes)
        .map_err(Error::io("write", &temporary))
        .and_then(|()| fs::rename(&temporary, path).map_err(Error::io("write", path)));
    if written.is_err() {
        let _left_for_the_next_start = fs::remove_file(&temporary);
        return written;
    }
    let named = path.parent().map_or(Ok(()), |directory| File::open(directory).and_then(|opened| opened.sync_all()));
    named.map_err(|error| Error::OutcomeUnknown { path: path.to_owned(), why: error.kind() })
}

/// The SHA-256 of parts, one after the other.
pub(super) fn sum_of(parts: &[&[u8]]) -> Sum {
    let mut hasher = Sha256::new();
    for part in parts {
        hasher.update(part);
    }
    hasher.finalize().into()
}

/// Bytes as people write them.
pub(super) fn hexadecimal(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}

fn write_private(path: &Path, bytes: &[u8]) -> std::io::Result<()> {
    let mut file = OpenOptions::new().write(true).create_new(true).mode(0o600).open(path)?;
    file.write_all(bytes)?;
    file.sync_all()
}

/// The header line up to the sum, which is over it too.
fn start(length: usize) -> String {
    format!("{MAGIC} {FORMAT} {length} ")
}

fn decode(path: &Path, number: u64, bytes: &[u8]) -> Result<Checkpoint> {
    let corrupt = |found: String| Error::Corrupt { path: path.to_owned(), found, action: RESTORE };
    let mut parts = bytes.splitn(2, |byte| *byte == b'\n');
    let (line, body) = (parts.next().unwrap_or_default(), parts.next().unwrap_or_default());
    let begins_at = line.len() + 1;
    let line = String::from_utf8_lossy(line);
    let words: Vec<&str> = line.split(' ').collect();
    let [magic, format, length, written] = words[..] else {
        return Err(corrupt(format!("the line at byte 0 has {} words, expected 4", words.len())));
    };
    if magic != MAGIC {
        return Err(corrupt(format!("it does not begin with {MAGIC} at byte 0")));
    }
    let format_at = MAGIC.len() + 1;
    let known = match format.parse::<u32>() {
        Ok(known @ 1..=FORMAT) if known.to_string() == format => known,
        Ok(found) if found > FORMAT => {
            return Err(Error::UnknownFormat { path: path.to_owned(), found, newest: FORMAT });
        }
        _ => return Err(corrupt(format!("what stands at byte {format_at} is no format: \"{format}\""))),
    };
    if length != body.len().to_string() {
        return Err(corrupt(format!("it has {} bytes from byte {begins_at} on, expected {length}", body.len())));
    }
    let sum = match known {
        1 => sum_of(&[body]),
        _ => sum_of(&[start(body.len()).as_bytes(), body]),
    };
    if written != hexadecimal(&sum) {
        let found = hexadecimal(&sum);
        return Err(corrupt(format!("its SHA-256 to the end from byte {begins_at} on is {found}, expected {written}")));
    }
    let snapshot: Snapshot = serde_json::from_slice(body)
        .map_err(|error| corrupt(format!("what begins at byte {begins_at} is no snapshot: {error}")))?;
    if snapshot.number != number {
        return Err(corrupt(format!(
            "it holds number {} from byte {begins_at} on, expected {number}",
            snapshot.number
        )));
    }
    let size_bytes = bytes.len() as u64;
    Ok(match known {
        1 => Checkpoint { snapshot: snapshot.completed(), size_bytes, sum: None },
        _ => Checkpoint { snapshot, size_bytes, sum: Some(sum) },
    })
}
