//! Model files: named by the digest of their bytes, kept in an object store, loaded once.
//!
//! A file is whole or absent: on local disks it is written beside its place, synced and renamed, because the object store's
//! own local writes are not synced. Nothing here knows which files belong to which model.

use std::{
    collections::BTreeMap,
    io::Write,
    path::{Path as FilePath, PathBuf},
    sync::{
        Arc, Mutex, MutexGuard, OnceLock, PoisonError,
        atomic::{AtomicU64, Ordering},
    },
};

use datafusion::common::HashMap;
use fusewire_learn::Model;
use object_store::{ObjectStore, ObjectStoreExt, PutPayload, path::Path};
use sha2::{Digest, Sha256};

use crate::{
    error::{Error, Result},
    frame::Lookup,
    models::ModelRef,
};

/// The model files of one store.
#[derive(Debug)]
pub struct Registry {
    store: Arc<dyn ObjectStore>,
    /// Where model files are in the store.
    prefix: Path,
    /// The directory that the store's paths are relative to, if it is a local one.
    local_root: Option<PathBuf>,
    cache: Mutex<Cache>,
}

/// A model in memory, with what operators need to code its categories.
#[derive(Debug)]
pub struct Loaded {
    /// The model.
    pub model: Model,
    /// Parallel to the model's columns; built at first use, because a model may have millions of categories and a query
    /// read few of its columns.
    lookups: Vec<OnceLock<Lookup>>,
}

impl Loaded {
    /// A model that is ready to code columns.
    pub fn new(model: Model) -> Self {
        let lookups = model.columns().iter().map(|_| OnceLock::new()).collect();
        Self { model, lookups }
    }

    /// The lookup of a column's categories; `None` for columns without.
    pub fn lookup(&self, column: &str) -> Option<&Lookup> {
        let position = self.model.columns().iter().position(|known| known.name == column)?;
        let dictionary = self.model.columns().get(position)?.dictionary()?;
        Some(self.lookups.get(position)?.get_or_init(|| Lookup::new(dictionary.clone())))
    }
}

/// What is in memory, by digest; the least recently used goes first.
#[derive(Debug)]
struct Cache {
    limit_bytes: u64,
    bytes: u64,
    clock: u64,
    models: HashMap<String, Entry>,
    ages: BTreeMap<u64, String>,
}

#[derive(Debug)]
struct Entry {
    loaded: Arc<Loaded>,
    bytes: u64,
    age: u64,
}

impl Registry {
    /// The registry of an object store's `prefix`. `local_root` is the directory behind the store if it is a local one;
    /// `limit_bytes` bounds each file that is loaded, and together those whose models are kept in memory.
    pub fn new(store: Arc<dyn ObjectStore>, prefix: Path, local_root: Option<PathBuf>, limit_bytes: u64) -> Self {
        let cache = Cache { limit_bytes, bytes: 0, clock: 0, models: HashMap::default(), ages: BTreeMap::new() };
        Self { store, prefix, local_root, cache: Mutex::new(cache) }
    }

    /// Keeps a model file and returns its digest and location. Durable when it returns; the same bytes are one file.
    ///
    /// # Errors
    /// [`Error::Io`] naming the file.
    pub async fn put(&self, bytes: Vec<u8>) -> Result<(String, String)> {
        let hashed = tokio::task::spawn_blocking(move || (digest(&bytes), bytes)).await;
        let (digest, bytes) =
            hashed.map_err(|error| Error::Internal(format!("hashing a model was interrupted: {error}")))?;
        let path = self.prefix.clone().join(format!("{digest}.model"));
        let location = path.to_string();
        let failed = |source: Box<dyn std::error::Error + Send + Sync>| Error::Io {
            action: "write",
            location: location.clone(),
            source,
        };
        match &self.local_root {
            Some(root) => {
                let file = root.join(&location);
                let written = tokio::task::spawn_blocking(move || write_durably(&file, &bytes)).await;
                written.map_err(|error| failed(error.into()))?.map_err(|error| failed(error.into()))?;
            }
            None => {
                self.store.put(&path, PutPayload::from(bytes)).await.map_err(|error| failed(error.into()))?;
            }
        }
        Ok((digest, location))
    }

    /// The model of a file, checked against its digest; from memory if it is there.
    ///
    /// # Errors
    /// [`Error::UndefinedFile`], [`Error::Corrupt`], [`Error::Io`], each naming the file.
    pub async fn load(&self, reference: &ModelRef) -> Result<Arc<Loaded>> {
        if let Some(loaded) = self.cache().get(&reference.digest) {
            return Ok(loaded);
        }
        let location = reference.location.clone();
        let bytes = self.read(&location).await?;
        let expected = reference.digest.clone();
        let file = location.clone();
        let decoded =
            tokio::task::spawn_blocking(move || decode(&file, &expected, &bytes).map(|loaded| (loaded, bytes.len())));
        let (loaded, length) =
            decoded.await.map_err(|error| Error::Corrupt { location, problem: error.to_string() })??;
        let loaded = Arc::new(loaded);
        self.cache().insert(reference.digest.clone(), loaded.clone(), length as u64);
        Ok(loaded)
    }

    async fn read(&self, location: &str) -> Result<Vec<u8>> {
        let failed = |source: object_store::Error| match source {
            object_store::Error::NotFound { .. } => Error::UndefinedFile { location: location.into(), source },
            source => Error::Io { action: "read", location: location.into(), source: source.into() },
        };
        let path = Path::parse(location).map_err(|error| failed(error.into()))?;
        let file = self.store.get(&path).await.map_err(failed)?;
        let limit = self.cache().limit_bytes;
        if file.meta.size > limit {
            return Err(Error::LimitExceeded {
                what: format!("the size of the model file {location} in bytes"),
                found: file.meta.size,
                limit,
                advice: "raise max_model_bytes to load it",
            });
        }
        let bytes = file.bytes().await.map_err(failed)?;
        Ok(bytes.into())
    }

    /// Entries change whole, so that a panic elsewhere leaves the cache usable.
    fn cache(&self) -> MutexGuard<'_, Cache> {
        self.cache.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Cache {
    fn get(&mut self, digest: &str) -> Option<Arc<Loaded>> {
        self.clock += 1;
        let entry = self.models.get_mut(digest)?;
        self.ages.remove(&entry.age);
        entry.age = self.clock;
        self.ages.insert(self.clock, digest.into());
        Some(entry.loaded.clone())
    }

    fn insert(&mut self, digest: String, loaded: Arc<Loaded>, bytes: u64) {
        if bytes > self.limit_bytes || self.models.contains_key(&digest) {
            return;
        }
        while self.bytes + bytes > self.limit_bytes {
            let Some(entry) = self.ages.pop_first().and_then(|(_, oldest)| self.models.remove(&oldest)) else { break };
            self.bytes -= entry.bytes;
        }
        self.clock += 1;
        self.bytes += bytes;
        self.ages.insert(self.clock, digest.clone());
        self.models.insert(digest, Entry { loaded, bytes, age: self.clock });
    }
}

/// The SHA-256 of some bytes, in hexadecimal.
pub fn digest(bytes: &[u8]) -> String {
    Sha256::digest(bytes).iter().map(|byte| format!("{byte:02x}")).collect()
}

fn decode(location: &str, expected: &str, bytes: &[u8]) -> Result<Loaded> {
    let found = digest(bytes);
    let corrupt = |problem: String| Error::Corrupt { location: location.into(), problem };
    if found != expected {
        return Err(corrupt(format!("its SHA-256 is {found}, expected {expected}")));
    }
    Model::from_bytes(bytes).map(Loaded::new).map_err(|error| corrupt(error.to_string()))
}

/// Writes a file so that after a crash it is whole or absent, readable by its owner alone.
fn write_durably(file: &FilePath, bytes: &[u8]) -> std::io::Result<()> {
    let directory = file.parent().ok_or_else(|| std::io::Error::other("the path has no directory"))?;
    std::fs::create_dir_all(directory)?;
    // Two trainings may write the same bytes at once, each to a file of its own.
    static NEXT: AtomicU64 = AtomicU64::new(0);
    let mut unfinished = file.as_os_str().to_owned();
    unfinished.push(format!(".{}.{}.tmp", std::process::id(), NEXT.fetch_add(1, Ordering::Relaxed)));
    let unfinished = PathBuf::from(unfinished);
    let written = write_private(&unfinished, bytes).and_then(|()| std::fs::rename(&unfinished, file));
    if let Err(error) = written {
        // What is left of a failed write helps nobody; its own failure to go away changes nothing.
        let _ = std::fs::remove_file(&unfinished);
        return Err(error);
    }
    std::fs::File::open(directory)?.sync_all()
}

fn write_private(file: &FilePath, bytes: &[u8]) -> std::io::Result<()> {
    let mut options = std::fs::OpenOptions::new();
    options.write(true).create(true).truncate(true);
    #[cfg(unix)]
    std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
    let mut file = options.open(file)?;
    file.write_all(bytes)?;
    file.sync_all()
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests;
