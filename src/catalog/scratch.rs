//! A directory of one process alone, outside of the data directory: what queries spill, and the files of a catalog that is
//! in memory. It goes with the process; one that was killed leaves it to the next that starts.

use std::{
    fs::{self, DirBuilder, File, OpenOptions},
    os::unix::fs::{DirBuilderExt, MetadataExt, OpenOptionsExt},
    path::{Path, PathBuf},
    sync::Once,
    thread,
};

use rustix::fs::OFlags;

use super::{
    directory::random_name,
    error::{Error, Result},
    lock::{DirectoryLock, LOCK},
};

/// What the names of these directories begin with, before the number of the process and something random.
const NAME: &str = "fusewire-";
/// What the name of one ends with until its lock is taken.
const UNLOCKED: &str = ".new";

/// A directory of this process, locked for as long as this value lives, and removed with it.
#[derive(Debug)]
pub struct Scratch {
    path: PathBuf,
    _lock: DirectoryLock,
}

impl Scratch {
    /// Creates a directory where the system keeps what is temporary. The first of a process looks there for those of
    /// processes that were killed, and removes them in the background.
    pub fn create() -> Result<Self> {
        static LEFTOVERS: Once = Once::new();
        let within = std::env::temp_dir();
        let scratch = Self::create_in(&within)?;
        LEFTOVERS.call_once(|| {
            let Ok(own) = fs::metadata(&scratch.path) else { return };
            let remove = move || remove_leftovers(&within, own.uid());
            // Without it they stay until another process starts.
            let _left = thread::Builder::new().name("fusewire-leftovers".to_owned()).spawn(remove);
        });
        Ok(scratch)
    }

    pub(super) fn create_in(within: &Path) -> Result<Self> {
        let name = format!("{NAME}{}-{}", std::process::id(), random_name());
        // Nobody takes it for a leftover before its lock is held.
        let (path, unlocked) = (within.join(&name), within.join(format!("{name}{UNLOCKED}")));
        DirBuilder::new().mode(0o700).create(&unlocked).map_err(Error::io("create", &unlocked))?;
        let lock = DirectoryLock::take(&unlocked)?;
        fs::rename(&unlocked, &path).map_err(Error::io("create", &path))?;
        Ok(Self { path, _lock: lock })
    }

    /// Where it is.
    pub fn path(&self) -> &Path {
        &self.path
    }
}

impl Drop for Scratch {
    fn drop(&mut self) {
        let _left_for_the_next_start = fs::remove_dir_all(&self.path);
    }
}

/// Removes the directories of processes of this user that are gone. What cannot be removed stays.
pub(super) fn remove_leftovers(within: &Path, user: u32) {
    for entry in fs::read_dir(within).into_iter().flatten().flatten() {
        if !is_name(&entry.file_name().to_string_lossy()) {
            continue;
        }
        // Whoever is there holds the lock; here it is held until nothing is left.
        if let Some(_lock) = abandoned(&entry.path(), user) {
            let _left = fs::remove_dir_all(entry.path());
        }
    }
}

/// Whether a name is one that [`Scratch::create`] makes: the number of a process and 16 hexadecimal digits.
fn is_name(name: &str) -> bool {
    let parts = name.strip_prefix(NAME).and_then(|rest| rest.split_once('-'));
    parts.is_some_and(|(process, random)| {
        let is_random = random.len() == 16 && random.bytes().all(|byte| byte.is_ascii_hexdigit());
        !process.is_empty() && process.bytes().all(|byte| byte.is_ascii_digit()) && is_random
    })
}

/// The lock of a directory that is this user's and nobody holds. Others may have made what is there, so that nothing in it
/// is followed, waited for or written.
fn abandoned(path: &Path, user: u32) -> Option<File> {
    let flags = i32::try_from((OFlags::NOFOLLOW | OFlags::NONBLOCK).bits()).ok()?;
    let lock = OpenOptions::new().read(true).custom_flags(flags).open(path.join(LOCK)).ok()?;
    let (directory, file) = (fs::symlink_metadata(path).ok()?, lock.metadata().ok()?);
    let is_directory = directory.is_dir() && file.is_file();
    let is_own = directory.uid() == user && file.uid() == user;
    (is_directory && is_own && lock.try_lock().is_ok()).then_some(lock)
}
