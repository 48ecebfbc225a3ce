//! The data directory: where it is, who may write it, and the files of tables and models in it.
//!
//! It knows file names, lengths and checksums, and nothing of what the files hold. All of its functions block.

use std::{
    collections::HashSet,
    fs::{self, DirBuilder, File, OpenOptions, Permissions},
    hash::{BuildHasher, Hasher, RandomState},
    io::{self, Read},
    os::unix::fs::{DirBuilderExt, MetadataExt, OpenOptionsExt, PermissionsExt},
    path::{Path, PathBuf},
    sync::{
        Mutex, MutexGuard, PoisonError,
        atomic::{AtomicU64, Ordering},
    },
};

use rustix::fs::statvfs;
use sha2::{Digest, Sha256};

use super::{
    error::{Error, Result},
    lock::DirectoryLock,
    scratch::Scratch,
    table::TableFile,
};

/// Where the files of managed tables are, below the data directory.
const TABLES: &str = "tables";
/// Where the files of models are, below the data directory.
pub(super) const MODELS: &str = "models";

/// What to do about a damaged file of a table or a model.
const RESTORE: &str = "restore it from a backup, or drop the table and load it again";

/// The data directory, locked for as long as this value lives.
#[derive(Debug)]
pub struct DataDirectory {
    root: PathBuf,
    /// Where it is, if it goes with this value.
    _scratch: Option<Scratch>,
    files_made: AtomicU64,
    /// Held while the directory of a table is made.
    making_place: Mutex<()>,
    /// Path and checksum of the files whose content this process has read and found whole.
    verified: Mutex<HashSet<(String, String)>>,
    _lock: DirectoryLock,
}

/// A file that a table will have. Dropping it unsealed removes it.
#[derive(Debug)]
pub struct NewTableFile {
    absolute: PathBuf,
    relative: String,
    is_sealed: bool,
}

/// Which file has a name, and when it was written.
type Written = (u64, i64, i64);

/// A file that waits for its last reader to be gone.
#[derive(Debug)]
pub(super) struct Retired {
    /// The path relative to the data directory.
    pub(super) path: String,
    /// What it was then, where another may get its name.
    written: Option<Written>,
}

impl DataDirectory {
    /// Creates the directory if needed and locks it.
    pub(super) fn open(root: &Path) -> Result<Self> {
        create_private(root)?;
        let root = root.canonicalize().map_err(Error::io("open", root))?;
        Self::locked(root, None)
    }

    /// A private directory that is removed when this value is dropped.
    pub(super) fn temporary() -> Result<Self> {
        let scratch = Scratch::create()?;
        let root = scratch.path().join("data");
        DirBuilder::new().mode(0o700).create(&root).map_err(Error::io("create", &root))?;
        Self::locked(root, Some(scratch))
    }

    fn locked(root: PathBuf, scratch: Option<Scratch>) -> Result<Self> {
        let lock = DirectoryLock::take(&root)?;
        Ok(Self {
            root,
            _scratch: scratch,
            files_made: AtomicU64::new(0),
            making_place: Mutex::default(),
            verified: Mutex::default(),
            _lock: lock,
        })
    }

    /// The directory's absolute path; the paths in the catalog are relative to it.
    pub fn root(&self) -> &Path {
        &self.root
    }

    /// Where model files go. The files in it that nobody knows are removed when the catalog is opened.
    pub fn models(&self) -> PathBuf {
        self.root.join(MODELS)
    }

    /// Whether so much can be written and as much is left on the disk then. Where nobody knows, it can.
    pub fn has_room_for(&self, bytes: u64) -> bool {
        !statvfs(&self.root).is_ok_and(|disk| disk.f_bavail.saturating_mul(disk.f_frsize) / 2 < bytes)
    }

    /// Creates an empty file, readable by its owner alone, for rows of the table with this identifier.
    pub fn new_table_file(&self, oid: u32) -> Result<NewTableFile> {
        let relative_directory = format!("{TABLES}/{oid}");
        let directory = self.root.join(&relative_directory);
        {
            // Whoever finds it must not commit a file in it before its name is on the disk.
            let _alone = self.making_place.lock().unwrap_or_else(PoisonError::into_inner);
            create_private(&directory)?;
        }
        let count = self.files_made.fetch_add(1, Ordering::Relaxed);
        let relative = format!("{relative_directory}/{count}-{}.parquet", random_name());
        let absolute = self.root.join(&relative);
        let options = OpenOptions::new().write(true).create_new(true).mode(0o600).to_owned();
        options.open(&absolute).map_err(Error::io("create", &absolute))?;
        Ok(NewTableFile { absolute, relative, is_sealed: false })
    }

    /// Makes a written file permanent: on disk, with its length and checksum taken.
    pub fn seal(&self, mut file: NewTableFile, rows: u64) -> Result<TableFile> {
        let path = &file.absolute;
        let handle = File::open(path).map_err(Error::io("open", path))?;
        handle.set_permissions(Permissions::from_mode(0o600)).map_err(Error::io("restrict", path))?;
        handle.sync_all().map_err(Error::io("write", path))?;
        if let Some(directory) = path.parent() {
            sync_directory(directory)?;
        }
        let (size_bytes, sha256) = checksum(handle).map_err(Error::io("read", path))?;
        file.is_sealed = true;
        self.verified().insert((file.relative.clone(), sha256.clone()));
        Ok(TableFile::new(&file.relative, size_bytes, sha256, rows))
    }

    /// Checks that a file is what was sealed and returns its absolute path: the length each time, the checksum
    /// once in this process.
    pub fn verify(&self, file: &TableFile) -> Result<PathBuf> {
        self.verify_while(file, || true)
    }

    /// The same, for as long as it is wanted; it fails then.
    pub fn verify_while(&self, file: &TableFile, is_wanted: impl Fn() -> bool) -> Result<PathBuf> {
        let path = self.root.join(&file.path);
        let corrupt = |found: String| Error::Corrupt { path: path.clone(), found, action: RESTORE };
        let handle = match File::open(&path) {
            Err(error) if error.kind() == io::ErrorKind::NotFound => {
                return Err(corrupt("it is missing".to_owned()));
            }
            opened => opened.map_err(Error::io("open", &path))?,
        };
        let size_bytes = handle.metadata().map_err(Error::io("read", &path))?.len();
        if size_bytes != file.size_bytes {
            return Err(corrupt(format!("it has {size_bytes} bytes, expected {}", file.size_bytes)));
        }
        if self.is_verified(file) {
            return Ok(path);
        }
        let (_, sha256) = checksum(While { reader: handle, is_wanted }).map_err(Error::io("read", &path))?;
        if sha256 != file.sha256 {
            return Err(corrupt(format!("its SHA-256 is {sha256}, expected {}", file.sha256)));
        }
        self.verified().insert(identity(file));
        Ok(path)
    }

    /// Whether the content of a file was read and found whole in this process.
    pub fn is_verified(&self, file: &TableFile) -> bool {
        self.verified().contains(&identity(file))
    }

    /// Removes sealed files that no commit will ever know. What cannot be removed is left for the next start.
    pub fn discard<'a>(&self, files: impl IntoIterator<Item = &'a TableFile>) {
        for file in files {
            let _left_for_the_next_start = fs::remove_file(self.root.join(&file.path));
            self.verified().remove(&identity(file));
        }
    }

    /// What is to be known of a file, given relative to the root, that is removed when its last reader is gone.
    pub(super) fn retired(&self, path: String) -> Retired {
        // Nobody gives a table's file the name of another.
        let written = if path.starts_with(MODELS) { self.written(&path) } else { None };
        Retired { path, written }
    }

    /// Removes files that nobody needs any more. One that was written again since is left to whoever has: a training whose
    /// model has the bytes of one that was dropped. What cannot be removed is left for the next start, and so are the
    /// directories, in which somebody may be about to create a file.
    pub(super) fn remove<'a>(&self, files: impl IntoIterator<Item = &'a Retired>) {
        let is_same = |file: &&Retired| file.written.is_none() || file.written == self.written(&file.path);
        let removed: HashSet<&str> = files.into_iter().filter(is_same).map(|file| file.path.as_str()).collect();
        for path in &removed {
            let _left_for_the_next_start = fs::remove_file(self.root.join(path));
        }
        self.verified().retain(|(path, _)| !removed.contains(path.as_str()));
    }

    fn written(&self, path: &str) -> Option<Written> {
        let found = fs::symlink_metadata(self.root.join(path)).ok()?;
        Some((found.ino(), found.mtime(), found.mtime_nsec()))
    }

    /// Creates the directories of tables and models.
    pub(super) fn create_places(&self) -> Result<()> {
        create_private(&self.root.join(TABLES))?;
        create_private(&self.models())
    }

    /// A file of a table or model that is there, if any is.
    pub(super) fn any_file(&self) -> Result<Option<PathBuf>> {
        Ok(self.contents()?.files.pop())
    }

    /// Removes the files of tables and models that are not among the known ones, given relative to the root, and the
    /// directories that are empty then.
    pub(super) fn remove_orphans(&self, known: &HashSet<&str>) -> Result<()> {
        let known: HashSet<PathBuf> = known.iter().map(|path| self.root.join(path)).collect();
        let contents = self.contents()?;
        for path in contents.files.iter().filter(|path| !known.contains(*path)) {
            fs::remove_file(path).map_err(Error::io("remove", path))?;
        }
        for path in &contents.directories {
            let _not_empty = fs::remove_dir(path);
        }
        Ok(())
    }

    fn verified(&self) -> MutexGuard<'_, HashSet<(String, String)>> {
        self.verified.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn contents(&self) -> Result<Contents> {
        let mut contents = Contents::default();
        for place in [TABLES, MODELS] {
            contents.add(&self.root.join(place))?;
        }
        Ok(contents)
    }
}

/// What is below some directories.
#[derive(Debug, Default)]
struct Contents {
    files: Vec<PathBuf>,
    /// A directory stands after those in it.
    directories: Vec<PathBuf>,
}

impl Contents {
    /// Adds what is below a directory, which may be missing.
    fn add(&mut self, directory: &Path) -> Result<()> {
        let entries = match fs::read_dir(directory) {
            Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(()),
            entries => entries.map_err(Error::io("read", directory))?,
        };
        for entry in entries {
            let entry = entry.map_err(Error::io("read", directory))?;
            let path = entry.path();
            // The type of the entry itself: a symbolic link is never followed out of the directory.
            if entry.file_type().map_err(Error::io("read", &path))?.is_dir() {
                self.add(&path)?;
                self.directories.push(path);
            } else {
                self.files.push(path);
            }
        }
        Ok(())
    }
}

impl NewTableFile {
    /// Where to write the rows.
    pub fn path(&self) -> &Path {
        &self.absolute
    }

    /// The same, relative to the data directory.
    pub fn relative_path(&self) -> &str {
        &self.relative
    }
}

impl Drop for NewTableFile {
    fn drop(&mut self) {
        if !self.is_sealed {
            let _left_for_the_next_start = fs::remove_file(&self.absolute);
        }
    }
}

/// Creates a directory for its owner alone, its parents too, and makes their names permanent. One that is there already is
/// left as it is, and so is its parent, which may be closed to us.
pub(super) fn create_private(path: &Path) -> Result<()> {
    let is_missing = |path: &&Path| !path.as_os_str().is_empty() && !path.is_dir();
    let missing: Vec<&Path> = path.ancestors().take_while(is_missing).collect();
    if missing.is_empty() {
        return Ok(());
    }
    DirBuilder::new().recursive(true).mode(0o700).create(path).map_err(Error::io("create", path))?;
    for made in missing {
        match made.parent() {
            Some(parent) if !parent.as_os_str().is_empty() => sync_directory(parent)?,
            _ => sync_directory(Path::new("."))?,
        }
    }
    Ok(())
}

/// Makes the names in a directory permanent.
pub(super) fn sync_directory(path: &Path) -> Result<()> {
    File::open(path).and_then(|directory| directory.sync_all()).map_err(Error::io("write", path))
}

/// What a file is known by whose content was read.
fn identity(file: &TableFile) -> (String, String) {
    (file.path.clone(), file.sha256.clone())
}

/// A reader that fails when nobody wants it to go on.
struct While<R, W> {
    reader: R,
    is_wanted: W,
}

impl<R: Read, W: Fn() -> bool> Read for While<R, W> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        match (self.is_wanted)() {
            true => self.reader.read(buffer),
            false => Err(io::Error::other("reading it was stopped")),
        }
    }
}

/// The length and the SHA-256 of what a reader yields.
fn checksum(mut reader: impl Read) -> io::Result<(u64, String)> {
    let mut hasher = Sha256::new();
    let size_bytes = io::copy(&mut reader, &mut hasher)?;
    Ok((size_bytes, format!("{:x}", hasher.finalize())))
}

/// A name that nobody else will choose: the operating system seeds the hasher.
pub(super) fn random_name() -> String {
    format!("{:016x}", RandomState::new().build_hasher().finish())
}
