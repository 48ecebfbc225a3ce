//! The numbered manifests: how a snapshot reaches the disk whole and is read back only if it is whole.
//!
//! A manifest is one header line (magic, format, length and SHA-256 of the body) and the snapshot as JSON. A number is
//! written once, under a temporary name first, so that a kill at any moment leaves the old state or the new one.

use std::{
    fs::{self, File, OpenOptions},
    io::Write,
    os::unix::fs::OpenOptionsExt,
    path::{Path, PathBuf},
};

use sha2::{Digest, Sha256};

use super::{
    committer::{Step, Watch},
    directory::{create_private, sync_directory},
    error::{Error, Result},
    snapshot::Snapshot,
};

/// The first word of every manifest.
const MAGIC: &str = "fusewire-manifest";
/// The format that is written and read.
const FORMAT: u32 = 1;
/// How many manifests are kept: the newest, and older ones to go back to by hand.
const KEPT: u64 = 4;
/// What a temporary file's name ends with.
const TEMPORARY: &str = ".tmp";
/// What to do about a damaged manifest.
const RESTORE: &str = "restore it from a backup, or move it away to go back to the manifest before it; files that only this one knows of are removed then";

/// The directory of the manifests.
#[derive(Debug)]
pub(super) struct Manifests {
    directory: PathBuf,
}

impl Manifests {
    /// Opens the directory and removes what a killed commit left behind.
    pub(super) fn open(root: &Path) -> Result<Self> {
        let directory = root.join("manifest");
        create_private(&directory)?;
        for entry in fs::read_dir(&directory).map_err(Error::io("read", &directory))? {
            let path = entry.map_err(Error::io("read", &directory))?.path();
            if path.to_string_lossy().ends_with(TEMPORARY) {
                fs::remove_file(&path).map_err(Error::io("remove", &path))?;
            }
        }
        Ok(Self { directory })
    }

    /// Where they are.
    pub(super) fn directory(&self) -> &Path {
        &self.directory
    }

    /// The numbers there are, ascending.
    pub(super) fn numbers(&self) -> Result<Vec<u64>> {
        let mut numbers = Vec::new();
        for entry in fs::read_dir(&self.directory).map_err(Error::io("read", &self.directory))? {
            let name = entry.map_err(Error::io("read", &self.directory))?.file_name();
            let number = name.to_string_lossy().strip_suffix(".json").and_then(|digits| digits.parse().ok());
            numbers.extend(number.filter(|number| name.to_string_lossy() == file_name(*number)));
        }
        numbers.sort_unstable();
        Ok(numbers)
    }

    /// Reads a manifest and checks that it is whole.
    pub(super) fn read(&self, number: u64) -> Result<Snapshot> {
        let path = self.path(number);
        let bytes = fs::read(&path).map_err(Error::io("read", &path))?;
        decode(&path, number, &bytes)
    }

    /// Writes the snapshot under its number. When it returns, it is on disk; an error before the name is in place
    /// leaves nothing, and one after it is [`Error::OutcomeUnknown`].
    pub(super) fn write(&self, snapshot: &Snapshot, watch: &Watch) -> Result<()> {
        let path = self.path(snapshot.number);
        let bytes = encode(snapshot)?;
        // What could not be read back must not be written: it would take every table with it.
        decode_body(&bytes).map_err(|source| Error::Unstorable { source })?;
        let temporary = self.directory.join(format!("{}{TEMPORARY}", file_name(snapshot.number)));
        watch.at(Step::Write);
        let written = write_private(&temporary, &bytes, watch).map_err(Error::io("write", &temporary));
        // The directory's lock makes this process the only one that looks and renames here.
        let named = written.and_then(|()| match path.exists() {
            true => Err(Error::Internal(format!("the manifest {} exists already", path.display()))),
            false => fs::rename(&temporary, &path).map_err(Error::io("write", &path)),
        });
        if named.is_err() {
            let _left_for_the_next_start = fs::remove_file(&temporary);
            return named;
        }
        watch.at(Step::Named);
        sync_directory(&self.directory).map_err(|_| Error::OutcomeUnknown { path: self.directory.clone() })?;
        watch.at(Step::Durable);
        Ok(())
    }

    /// Removes manifests that are older than those kept. What cannot be removed is tried again at the next start.
    pub(super) fn prune(&self, newest: u64) -> Result<()> {
        for number in self.numbers()?.into_iter().filter(|number| !Self::is_kept(*number, newest)) {
            let _tried_again_later = fs::remove_file(self.path(number));
        }
        Ok(())
    }

    /// Whether a manifest stays beside the newest one, and with it the files that it knows.
    pub(super) fn is_kept(number: u64, newest: u64) -> bool {
        number.saturating_add(KEPT) > newest
    }

    fn path(&self, number: u64) -> PathBuf {
        self.directory.join(file_name(number))
    }
}

fn file_name(number: u64) -> String {
    format!("{number:020}.json")
}

fn write_private(path: &Path, bytes: &[u8], watch: &Watch) -> std::io::Result<()> {
    let mut file: File = OpenOptions::new().write(true).create_new(true).mode(0o600).open(path)?;
    file.write_all(bytes)?;
    watch.at(Step::Sync);
    file.sync_all()?;
    watch.at(Step::Synced);
    Ok(())
}

fn encode(snapshot: &Snapshot) -> Result<Vec<u8>> {
    let body = serde_json::to_vec(snapshot).map_err(|source| Error::Unstorable { source })?;
    let mut bytes = header(&body).into_bytes();
    bytes.extend_from_slice(&body);
    Ok(bytes)
}

fn header(body: &[u8]) -> String {
    format!("{MAGIC} {FORMAT} {} {:x}\n", body.len(), Sha256::digest(body))
}

fn decode_body(bytes: &[u8]) -> serde_json::Result<Snapshot> {
    serde_json::from_slice(split(bytes).1)
}

/// The header line without its end, and the body.
fn split(bytes: &[u8]) -> (&[u8], &[u8]) {
    let mut parts = bytes.splitn(2, |byte| *byte == b'\n');
    (parts.next().unwrap_or_default(), parts.next().unwrap_or_default())
}

fn decode(path: &Path, number: u64, bytes: &[u8]) -> Result<Snapshot> {
    let corrupt = |found: String| Error::Corrupt { path: path.to_owned(), found, action: RESTORE };
    let (line, body) = split(bytes);
    let line = String::from_utf8_lossy(line);
    let words: Vec<&str> = line.split(' ').collect();
    let [magic, format, length, sha256] = words[..] else {
        return Err(corrupt(format!("its first line has {} words, expected 4", words.len())));
    };
    if magic != MAGIC {
        return Err(corrupt(format!("it does not begin with {MAGIC}")));
    }
    if format != FORMAT.to_string() {
        return Err(Error::UnknownFormat { path: path.to_owned(), found: format.to_owned(), expected: FORMAT });
    }
    if length != body.len().to_string() {
        return Err(corrupt(format!("its body has {} bytes, expected {length}", body.len())));
    }
    let found = format!("{:x}", Sha256::digest(body));
    if sha256 != found {
        return Err(corrupt(format!("the SHA-256 of its body is {found}, expected {sha256}")));
    }
    let snapshot: Snapshot = serde_json::from_slice(body).map_err(|error| corrupt(error.to_string()))?;
    match snapshot.number == number {
        true => Ok(snapshot),
        false => Err(corrupt(format!("it holds manifest {}, expected {number}", snapshot.number))),
    }
}
