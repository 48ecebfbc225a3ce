//! What of the catalog is on the disk: the newest checkpoint, and the log of what was changed since.
//!
//! A new checkpoint is written when the log is longer than the last one, so that all that is written stays in proportion to
//! what is changed. First comes its log, without a record, then the checkpoint, and only then are those before it removed:
//! so a checkpoint always has its log, and a log its checkpoint or the state from which it would go on, and what is missing
//! was lost.

use std::{
    fs, io,
    path::{Path, PathBuf},
};

use serde::{Deserialize, Serialize};

use super::{
    checkpoint::{self, Checkpoint, RESTORE, TEMPORARY, numbered, numbers, write_whole},
    committer::{Step, Watch},
    directory::{create_private, sync_directory},
    effect::Effect,
    error::{Error, Result},
    log::{self, Batch, Log},
    snapshot::Snapshot,
};

/// How long the log becomes at least before there is another checkpoint, unless somebody says otherwise.
pub const CHECKPOINT_BYTES: u64 = 1 << 20;

/// How deep a record may nest. What is read may nest as deep as 127, and a checkpoint nests what a record holds a few deeper.
const MAX_DEPTH: usize = 120;

/// The newest checkpoint with its log.
#[derive(Debug)]
pub(super) struct Journal {
    directory: PathBuf,
    log: Log,
    /// How long the log becomes at least before there is another checkpoint.
    least_bytes: u64,
    /// How long the log has to be for the next checkpoint.
    due_bytes: u64,
    /// Why nobody knows what is on the disk; until it is opened anew nothing is written.
    unknown: Option<io::ErrorKind>,
    watch: Watch,
}

/// What a record says of a commit, beside its number.
#[derive(Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct Body {
    next_oid: u32,
    effects: Vec<Effect>,
}

impl Journal {
    /// Opens the directory of the manifests, reads what was committed, and removes what was not or is no longer needed.
    /// `file` is a file of a table or a model, if there is any: a directory that has some and no manifest is not ours.
    pub(super) fn open(
        root: &Path,
        least_bytes: u64,
        watch: Watch,
        file: impl FnOnce() -> Result<Option<PathBuf>>,
    ) -> Result<(Snapshot, Self)> {
        let directory = root.join("manifest");
        create_private(&directory)?;
        remove_temporary(&directory)?;
        let newest = numbers(&directory, checkpoint::ENDING)?.last().copied();
        let unused = logs_after(&directory, newest)?;
        // A process that was killed has named them, maybe, and not waited for the disk.
        sync_directory(&directory)?;
        let Some(newest) = newest else {
            let snapshot = Snapshot::initial();
            remove_unused(&directory, unused, snapshot.number)?;
            if let Some(file) = file()? {
                return Err(Error::NoManifest { file, directory });
            }
            let journal = Self::start(directory, &snapshot, least_bytes, watch)?;
            return Ok((snapshot, journal));
        };
        let Checkpoint { mut snapshot, size_bytes, sum } = checkpoint::read(&directory, newest)?;
        let Some(sum) = sum else {
            snapshot.number = snapshot.number.saturating_add(1);
            remove_unused(&directory, unused, snapshot.number)?;
            let journal = Self::start(directory, &snapshot, least_bytes, watch)?;
            return Ok((snapshot, journal));
        };
        let log =
            Log::open(&directory, newest, sum, watch.clone(), |number, body| replay(&mut snapshot, number, body))?;
        remove_unused(&directory, unused, snapshot.number)?;
        let due_bytes = size_bytes.max(least_bytes);
        let journal = Self { directory, log, least_bytes, due_bytes, unknown: None, watch };
        journal.remove_older(newest);
        Ok((snapshot, journal))
    }

    /// Begins with a checkpoint, which takes the place of all others.
    fn start(directory: PathBuf, snapshot: &Snapshot, least_bytes: u64, watch: Watch) -> Result<Self> {
        let (log, size_bytes) = write_checkpoint(&directory, snapshot, &watch)?;
        let due_bytes = size_bytes.max(least_bytes);
        let journal = Self { directory, log, least_bytes, due_bytes, unknown: None, watch };
        journal.remove_older(snapshot.number);
        Ok(journal)
    }

    /// Whether anything can be written; not after it has become unknown what was.
    pub(super) fn check(&self) -> Result<()> {
        self.unknown.map_or(Ok(()), |why| Err(Error::OutcomeUnknown { path: self.directory.clone(), why }))
    }

    /// Where the records of commits are gathered that are written together.
    pub(super) fn batch(&self) -> Batch {
        self.log.batch()
    }

    /// Writes what was gathered. When it returns, that is on the disk; an error leaves nothing of it there, unless it is
    /// [`Error::OutcomeUnknown`].
    pub(super) fn append(&mut self, batch: &Batch) -> Result<()> {
        self.check()?;
        let appended = self.log.append(batch);
        if let Err(Error::OutcomeUnknown { why, .. }) = &appended {
            self.unknown = Some(*why);
        }
        appended
    }

    /// Nobody knows how far something came that failed by a fault of the engine.
    pub(super) fn give_up(&mut self) {
        self.unknown = Some(io::ErrorKind::Other);
    }

    /// Whether the log is so long that there should be another checkpoint.
    pub(super) fn is_due(&self) -> bool {
        self.unknown.is_none() && self.log.size_bytes() >= self.due_bytes
    }

    /// Writes a checkpoint of what was committed last, and goes on with a new log. Where that fails the old ones stand, and
    /// it is tried again when the log has grown.
    pub(super) fn checkpoint(&mut self, snapshot: &Snapshot) {
        match write_checkpoint(&self.directory, snapshot, &self.watch) {
            Ok((log, size_bytes)) => {
                self.log = log;
                self.due_bytes = size_bytes.max(self.least_bytes);
                self.remove_older(snapshot.number);
            }
            // It may count after a restart, and what is appended to the old log would not.
            Err(Error::OutcomeUnknown { why, .. }) => self.unknown = Some(why),
            Err(_) => self.due_bytes = self.log.size_bytes().saturating_add(self.due_bytes),
        }
    }

    /// Removes the checkpoints and logs before this one. What cannot be removed is tried again at the next start.
    fn remove_older(&self, newest: u64) {
        for ending in [checkpoint::ENDING, log::ENDING] {
            let found = numbers(&self.directory, ending).unwrap_or_default();
            for number in found.into_iter().filter(|number| *number < newest) {
                let _tried_again_later = fs::remove_file(numbered(&self.directory, number, ending));
            }
        }
        self.watch.at(Step::Removed);
    }
}

/// The body of the record of a commit: what could not be read back is refused, because it would take every table with it.
pub(super) fn encode(snapshot: &Snapshot, mut effects: Vec<Effect>) -> Result<Vec<u8>> {
    effects.retain(|effect| !effect.key().is_temporary());
    let unstorable = |source| Error::Unstorable { source };
    let body = serde_json::to_vec(&Body { next_oid: snapshot.next_oid, effects }).map_err(unstorable)?;
    if depth(&body) > MAX_DEPTH {
        let message = format!("it nests more than {MAX_DEPTH} levels deep");
        return Err(unstorable(serde::de::Error::custom(message)));
    }
    serde_json::from_slice::<Body>(&body).map_err(unstorable)?;
    Ok(body)
}

/// Does again what a record says.
fn replay(snapshot: &mut Snapshot, number: u64, body: &[u8]) -> Result<(), String> {
    let Body { next_oid, effects } =
        serde_json::from_slice(body).map_err(|error| format!("a record cannot be read: {error}"))?;
    for effect in &effects {
        snapshot.perform(effect).map_err(|error| format!("a record does not fit what was before it: {error}"))?;
    }
    snapshot.number = number;
    snapshot.next_oid = next_oid;
    Ok(())
}

/// Writes a log without a record, and then its checkpoint.
fn write_checkpoint(directory: &Path, snapshot: &Snapshot, watch: &Watch) -> Result<(Log, u64)> {
    let encoded = checkpoint::encode(snapshot)?;
    let path = numbered(directory, snapshot.number, checkpoint::ENDING);
    let log = Log::create(directory, snapshot.number, encoded.sum, watch.clone()).map_err(harmless)?;
    watch.at(Step::LogNamed);
    let room = watch.room(Step::LogNamed, encoded.bytes.len()).map_err(Error::io("write", &path))?;
    let written = match room < encoded.bytes.len() {
        true => Err(Error::io("write", &path)(io::ErrorKind::StorageFull.into())),
        false => write_whole(&path, &encoded.bytes),
    };
    if let Err(error) = written {
        if !matches!(error, Error::OutcomeUnknown { .. }) {
            let _left_for_the_next_start = fs::remove_file(numbered(directory, snapshot.number, log::ENDING));
        }
        return Err(error);
    }
    watch.at(Step::CheckpointNamed);
    Ok((log, encoded.bytes.len() as u64))
}

/// A log whose checkpoint is not written yet counts for nothing, whether its name is on the disk or not.
fn harmless(error: Error) -> Error {
    match error {
        Error::OutcomeUnknown { path, why } => Error::Io { action: "write", path, source: why.into() },
        other => other,
    }
}

fn remove_temporary(directory: &Path) -> Result<()> {
    for entry in fs::read_dir(directory).map_err(Error::io("read", directory))? {
        let path = entry.map_err(Error::io("read", directory))?.path();
        if path.to_string_lossy().ends_with(TEMPORARY) {
            fs::remove_file(&path).map_err(Error::io("remove", &path))?;
        }
    }
    Ok(())
}

/// The logs that are newer than every checkpoint. If one has records, its checkpoint is lost.
fn logs_after(directory: &Path, newest: Option<u64>) -> Result<Vec<u64>> {
    let mut logs = numbers(directory, log::ENDING)?;
    logs.retain(|number| newest.is_none_or(|newest| *number > newest));
    for number in &logs {
        if !log::is_empty(&numbered(directory, *number, log::ENDING))? {
            return Err(lost(directory, *number));
        }
    }
    Ok(logs)
}

/// Removes logs without a record whose checkpoint was never written: what they would go on from is what was found, or came
/// before it. If it came after that, the checkpoint was written and is lost, and with it all that only it knew.
fn remove_unused(directory: &Path, logs: Vec<u64>, found: u64) -> Result<()> {
    for number in logs {
        if number > found {
            return Err(lost(directory, number));
        }
        let path = numbered(directory, number, log::ENDING);
        fs::remove_file(&path).map_err(Error::io("remove", &path))?;
    }
    Ok(())
}

/// A log is there and its checkpoint is not.
fn lost(directory: &Path, number: u64) -> Error {
    let missing = numbered(Path::new(""), number, checkpoint::ENDING);
    let found = format!("it goes on from {}, which is missing", missing.display());
    Error::Corrupt { path: numbered(directory, number, log::ENDING), found, action: RESTORE }
}

/// How deep arrays and objects nest in a text of JSON.
fn depth(json: &[u8]) -> usize {
    let (mut depth, mut most, mut in_text, mut escaped) = (0_usize, 0, false, false);
    for byte in json {
        match *byte {
            _ if escaped => escaped = false,
            b'\\' if in_text => escaped = true,
            b'"' => in_text = !in_text,
            b'[' | b'{' if !in_text => {
                depth += 1;
                most = most.max(depth);
            }
            b']' | b'}' if !in_text => depth = depth.saturating_sub(1),
            _ => {}
        }
    }
    most
}
