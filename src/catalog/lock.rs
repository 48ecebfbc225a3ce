//! The operating system's lock on a data directory: one process writes it, and a second one is told by whom it is held.

use std::{
    fs::{File, OpenOptions, TryLockError},
    io::{Read, Seek, Write},
    os::unix::fs::OpenOptionsExt,
    path::Path,
    thread,
    time::Duration,
};

use chrono::{SecondsFormat, Utc};

use super::error::{Error, Result};

/// The name of the locked file.
pub(super) const LOCK: &str = "lock";

/// The most that is read of who holds the lock.
const MAX_HOLDER_BYTES: u64 = 512;

/// A holder that has just been killed, or a child of one that has not yet become its own program, lets go within
/// moments; only one that stays is somebody to stop for.
const ATTEMPTS: u32 = 20;
const PAUSE: Duration = Duration::from_millis(10);

/// A held lock. The operating system gives it up with the process, however that ends.
#[derive(Debug)]
pub(super) struct DirectoryLock {
    file: File,
}

impl DirectoryLock {
    /// Takes the lock, or says who has it.
    pub(super) fn take(directory: &Path) -> Result<Self> {
        let path = directory.join(LOCK);
        let options = OpenOptions::new().read(true).write(true).create(true).truncate(false).mode(0o600).to_owned();
        let mut file = options.open(&path).map_err(Error::io("open", &path))?;
        for attempt in 1.. {
            match file.try_lock() {
                Ok(()) => break,
                Err(TryLockError::WouldBlock) if attempt < ATTEMPTS => thread::sleep(PAUSE),
                Err(TryLockError::WouldBlock) => {
                    return Err(Error::Locked { path: directory.to_owned(), holder: read_holder(&mut file) });
                }
                Err(TryLockError::Error(source)) => {
                    return Err(Error::Io { action: "lock", path, source });
                }
            }
        }
        write_holder(&mut file).map_err(Error::io("write", &path))?;
        Ok(Self { file })
    }
}

impl Drop for DirectoryLock {
    fn drop(&mut self) {
        // Whoever comes between the next holder's lock and its name must not be told of this process.
        let _only_the_name = self.file.set_len(0);
    }
}

fn read_holder(file: &mut File) -> String {
    let mut holder = String::new();
    match file.take(MAX_HOLDER_BYTES).read_to_string(&mut holder) {
        Ok(_) if !holder.trim().is_empty() => holder.trim().to_owned(),
        _ => "another process".to_owned(),
    }
}

/// Names this process by number, program, subcommand and time. Other arguments stay out: they may hold SQL with keys.
fn write_holder(file: &mut File) -> std::io::Result<()> {
    let mut arguments = std::env::args_os().map(|argument| argument.to_string_lossy().into_owned());
    let program = arguments.next().unwrap_or_default();
    let program = Path::new(&program).file_name().map_or_else(|| program.clone(), |name| name.to_string_lossy().into());
    let subcommand = arguments.next().filter(|argument| argument.chars().all(|letter| letter.is_ascii_alphabetic()));
    let command = [Some(program), subcommand].into_iter().flatten().collect::<Vec<_>>().join(" ");
    let since = Utc::now().to_rfc3339_opts(SecondsFormat::Secs, true);
    file.set_len(0)?;
    file.rewind()?;
    writeln!(file, "process {} ({command}), since {since}", std::process::id())
}
