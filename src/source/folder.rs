//! A directory that was opened once, and what is made in it.
//!
//! Names are looked up in the open directory and never through links, so that it stays the one that was checked, whatever its
//! path leads to by now.

use std::{
    ffi::OsStr,
    fs::File,
    os::fd::OwnedFd,
    path::{Component, Path, PathBuf},
    sync::atomic::{AtomicU64, Ordering},
};

use rustix::{
    fs::{
        AtFlags, FileType, Gid, Mode, OFlags, fchmod, fchown, fstat, mkdirat, open, openat, renameat, statat, unlinkat,
    },
    io::Errno,
};

use super::{Error, location::shown};

/// To find names in a directory takes no right to list them, where the system tells the two apart.
#[cfg(target_os = "linux")]
const SEARCH: OFlags = OFlags::PATH;
#[cfg(not(target_os = "linux"))]
const SEARCH: OFlags = OFlags::RDONLY;

const DIRECTORY: OFlags = SEARCH.union(OFlags::DIRECTORY).union(OFlags::NOFOLLOW).union(OFlags::CLOEXEC);
const NEW_FILE: OFlags =
    OFlags::WRONLY.union(OFlags::CREATE).union(OFlags::EXCL).union(OFlags::NOFOLLOW).union(OFlags::CLOEXEC);

/// The rights of what is made, of which the process's mask takes away.
const DIRECTORY_RIGHTS: Mode = Mode::from_raw_mode(0o777);
const FILE_RIGHTS: Mode = Mode::from_raw_mode(0o666);

/// An open directory.
#[derive(Debug)]
pub(super) struct Folder {
    handle: OwnedFd,
    path: PathBuf,
}

impl Folder {
    /// Opens a directory by its absolute path without links, and makes what of it does not exist.
    pub(super) fn open(path: &Path) -> Result<Self, Error> {
        let root = PathBuf::from("/");
        let handle = open(&root, DIRECTORY, Mode::empty()).map_err(|error| failed(&root, error))?;
        let mut folder = Self { handle, path: root };
        for component in path.components() {
            if let Component::Normal(name) = component {
                folder = folder.below(name)?;
            }
        }
        Ok(folder)
    }

    /// Opens a directory in this one, and makes it where there is none.
    pub(super) fn below(&self, name: &OsStr) -> Result<Self, Error> {
        let path = self.path.join(name);
        let mut opened = openat(&self.handle, name, DIRECTORY, Mode::empty());
        if opened.as_ref().is_err_and(|error| *error == Errno::NOENT) {
            match mkdirat(&self.handle, name, DIRECTORY_RIGHTS) {
                // Somebody else made it meanwhile.
                Ok(()) | Err(Errno::EXIST) => opened = openat(&self.handle, name, DIRECTORY, Mode::empty()),
                Err(error) => return Err(failed(&path, error)),
            }
        }
        match opened {
            Ok(handle) => Ok(Self { handle, path }),
            Err(_) if self.kind(name) == Some(FileType::Symlink) => Err(link(&path)),
            Err(error) => Err(failed(&path, error)),
        }
    }

    /// Refuses a name that a file cannot take: a directory's, a pipe's, a device's.
    pub(super) fn check_replaceable(&self, name: &OsStr) -> Result<(), Error> {
        let path = self.path.join(name);
        match self.kind(name) {
            None | Some(FileType::RegularFile) => Ok(()),
            Some(FileType::Symlink) => Err(link(&path)),
            Some(_) => Err(Error::InvalidLocation {
                location: shown(&path),
                reason: "it is no regular file, so a file cannot take its place".to_owned(),
            }),
        }
    }

    /// Makes a file beside the one that is wanted, of a name that no listing of files takes for one of them. Whoever may read or
    /// write the file whose place it will take may do so with it, and nobody else.
    pub(super) fn create_beside(&self, wanted: &OsStr) -> Result<(File, String), Error> {
        static COUNT: AtomicU64 = AtomicU64::new(0);
        loop {
            let number = COUNT.fetch_add(1, Ordering::Relaxed);
            let name = format!(".{}-{number}.part", std::process::id());
            match openat(&self.handle, name.as_str(), NEW_FILE, FILE_RIGHTS) {
                Ok(handle) => {
                    return match self.take_rights(&handle, wanted) {
                        Ok(()) => Ok((File::from(handle), name)),
                        Err(error) => {
                            self.remove(&name);
                            Err(failed(&self.path.join(wanted), error))
                        }
                    };
                }
                // One of the same number was killed, and its file is still there.
                Err(Errno::EXIST) => {}
                Err(error) => return Err(failed(&self.path.join(wanted), error)),
            }
        }
    }

    /// Gives a new file the rights of the file that has a name now, if there is one.
    fn take_rights(&self, file: &OwnedFd, name: &OsStr) -> Result<(), Errno> {
        let found = statat(&self.handle, name, AtFlags::SYMLINK_NOFOLLOW);
        let Ok(old) = found else { return Ok(()) };
        if FileType::from_raw_mode(old.st_mode) != FileType::RegularFile {
            return Ok(());
        }
        let of_users = |mode: Mode| mode & (Mode::RWXU | Mode::RWXG | Mode::RWXO);
        let (new, mut rights) = (fstat(file)?, of_users(Mode::from_raw_mode(old.st_mode)));
        if new.st_gid != old.st_gid && fchown(file, None, Some(Gid::from_raw(old.st_gid))).is_err() {
            // They are the other group's alone.
            rights = rights.difference(Mode::RWXG);
        }
        if rights == of_users(Mode::from_raw_mode(new.st_mode)) {
            // Some file systems have no rights that could be changed.
            return Ok(());
        }
        fchmod(file, rights)
    }

    /// Gives a file of this directory another name, which may be another file's until now.
    pub(super) fn rename(&self, from: &str, to: &OsStr) -> Result<(), Error> {
        renameat(&self.handle, from, &self.handle, to).map_err(|error| failed(&self.path.join(to), error))
    }

    /// Removes a file; one that is not there needs no removing.
    pub(super) fn remove(&self, name: &str) {
        let _not_there = unlinkat(&self.handle, name, AtFlags::empty());
    }

    /// The directory's path when it was opened.
    pub(super) fn path(&self) -> &Path {
        &self.path
    }

    fn kind(&self, name: &OsStr) -> Option<FileType> {
        let found = statat(&self.handle, name, AtFlags::SYMLINK_NOFOLLOW).ok()?;
        Some(FileType::from_raw_mode(found.st_mode))
    }
}

fn link(path: &Path) -> Error {
    Error::LinkBelow { location: shown(path) }
}

fn failed(path: &Path, error: Errno) -> Error {
    Error::unwritable(&shown(path), std::io::Error::from(error))
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use std::{
        fs,
        io::Write as _,
        os::unix::fs::{PermissionsExt, symlink},
    };

    use super::*;

    #[test]
    fn a_link_that_takes_a_directorys_place_gets_nothing() {
        let home = tempfile::tempdir().unwrap();
        let home = home.path().canonicalize().unwrap();
        fs::create_dir_all(home.join("closed")).unwrap();
        let folder = Folder::open(&home.join("open/new")).unwrap();
        assert!(home.join("open/new").is_dir());
        fs::rename(home.join("open/new"), home.join("open/moved")).unwrap();
        symlink(home.join("closed"), home.join("open/new")).unwrap();
        let (mut file, name) = folder.create_beside("a.csv".as_ref()).unwrap();
        file.write_all(b"a\n1\n").unwrap();
        folder.rename(&name, "a.csv".as_ref()).unwrap();
        assert_eq!(fs::read_to_string(home.join("open/moved/a.csv")).unwrap(), "a\n1\n");
        assert_eq!(fs::read_dir(home.join("closed")).unwrap().count(), 0);
        // A path with a link in it is not opened.
        for path in ["open/new", "open/new/deeper"] {
            let error = Folder::open(&home.join(path)).unwrap_err();
            assert!(matches!(error, Error::LinkBelow { .. }), "{error}");
        }
    }

    #[test]
    fn a_link_of_the_files_name_is_replaced_and_not_followed() {
        let home = tempfile::tempdir().unwrap();
        let home = home.path().canonicalize().unwrap();
        fs::write(home.join("theirs"), "theirs").unwrap();
        symlink(home.join("theirs"), home.join("a.csv")).unwrap();
        let folder = Folder::open(&home).unwrap();
        assert!(matches!(folder.check_replaceable("a.csv".as_ref()), Err(Error::LinkBelow { .. })));
        let (_, name) = folder.create_beside("a.csv".as_ref()).unwrap();
        folder.rename(&name, "a.csv".as_ref()).unwrap();
        assert!(!home.join("a.csv").is_symlink());
        assert_eq!(fs::read_to_string(home.join("theirs")).unwrap(), "theirs");
        let (_, name) = folder.create_beside("b.csv".as_ref()).unwrap();
        folder.remove(&name);
        folder.remove(&name);
        let mut left: Vec<_> = fs::read_dir(&home).unwrap().map(|entry| entry.unwrap().file_name()).collect();
        left.sort();
        assert_eq!(left, ["a.csv", "theirs"]);
    }

    // Symptom: COPY over a file that only its owner could read let everybody read it. Cause: the new file had the rights of any
    // new file.
    #[test]
    fn a_file_that_takes_anothers_place_has_its_rights() {
        let home = tempfile::tempdir().unwrap();
        let home = home.path().canonicalize().unwrap();
        let folder = Folder::open(&home).unwrap();
        let path = home.join("a.csv");
        let rights = |metadata: fs::Metadata| metadata.permissions().mode() & 0o777;
        for wanted in [0o600, 0o640, 0o444, 0o666] {
            fs::write(&path, "old").unwrap();
            fs::set_permissions(&path, fs::Permissions::from_mode(wanted)).unwrap();
            let (mut file, name) = folder.create_beside("a.csv".as_ref()).unwrap();
            // While it is written, too.
            assert_eq!(rights(file.metadata().unwrap()), wanted);
            file.write_all(b"new").unwrap();
            folder.rename(&name, "a.csv".as_ref()).unwrap();
            assert_eq!(rights(fs::metadata(&path).unwrap()), wanted);
            assert_eq!(fs::read_to_string(&path).unwrap(), "new");
            fs::remove_file(&path).unwrap();
        }
    }

    #[test]
    fn what_is_no_file_is_not_replaced() {
        let home = tempfile::tempdir().unwrap();
        let home = home.path().canonicalize().unwrap();
        let _socket = std::os::unix::net::UnixListener::bind(home.join("socket")).unwrap();
        fs::write(home.join("file"), "").unwrap();
        let folder = Folder::open(&home).unwrap();
        for name in ["file", "new"] {
            assert!(folder.check_replaceable(name.as_ref()).is_ok(), "{name}");
        }
        let error = folder.check_replaceable("socket".as_ref()).unwrap_err().to_string();
        assert!(error.ends_with("it is no regular file, so a file cannot take its place"), "{error}");
        let error = folder.below("file".as_ref()).unwrap_err().to_string();
        assert!(error.ends_with("it is a file, and a directory is needed"), "{error}");
    }
}
