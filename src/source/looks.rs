//! What was found when files were looked at, kept for those who name the same files again.
//!
//! Files are the same if their names, sizes, times and tags are. A file may be overwritten within the tick of its clock, so
//! what was written a moment ago is looked at anew.

use std::{
    collections::VecDeque,
    fmt,
    sync::{Mutex, PoisonError},
};

use chrono::{TimeDelta, Utc};
use datafusion::execution::object_store::ObjectStoreUrl;
use sha2::{Digest, Sha256};

use super::{Format, FoundFile, Inferred, Options, Sample};

/// How many looks are kept.
const MAX_LOOKS: usize = 256;
/// How old a file must be, in milliseconds, for its time to tell whether it has changed.
const SETTLED_MS: i64 = 2_000;

/// The looks of all sessions.
#[derive(Default)]
pub struct Looks {
    kept: Mutex<VecDeque<([u8; 32], Inferred)>>,
}

impl fmt::Debug for Looks {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.debug_struct("Looks").finish_non_exhaustive()
    }
}

/// What a look depends on; none if that cannot be told.
pub(super) struct Key(Option<[u8; 32]>);

impl Key {
    /// Of files in the store of this address.
    pub(super) fn of(format: &dyn Format, options: &Options, sample: &Sample<'_>, store: &ObjectStoreUrl) -> Self {
        let mut hasher = Sha256::new();
        hasher.update(format!("{store} {} {options:?} {:?}", format.name(), sample.declared));
        Self(add_files(&mut hasher, sample.files).map(|()| hasher.finalize().into()))
    }
}

/// What tells files from others, and from what they will be when they change; none if that cannot be told.
pub(super) fn fingerprint(files: &[FoundFile]) -> Option<String> {
    let mut hasher = Sha256::new();
    add_files(&mut hasher, files)?;
    Some(hasher.finalize().iter().map(|byte| format!("{byte:02x}")).collect())
}

fn add_files(hasher: &mut Sha256, files: &[FoundFile]) -> Option<()> {
    let settled = Utc::now() - TimeDelta::milliseconds(SETTLED_MS);
    for file in files {
        if file.meta.e_tag.is_none() && file.meta.last_modified > settled {
            return None;
        }
        let (name, meta) = (&file.name, &file.meta);
        let time = meta.last_modified.to_rfc3339();
        hasher.update(format!("{name:?} {} {time} {:?} {:?}", meta.size, meta.e_tag, meta.version));
    }
    Some(())
}

impl Looks {
    /// What was found by this look before.
    pub(super) fn find(&self, Key(key): &Key) -> Option<Inferred> {
        let key = key.as_ref()?;
        let kept = self.kept.lock().unwrap_or_else(PoisonError::into_inner);
        kept.iter().find(|(other, _)| other == key).map(|(_, found)| found.clone())
    }

    pub(super) fn keep(&self, Key(key): Key, found: &Inferred) {
        let Some(key) = key else { return };
        let mut kept = self.kept.lock().unwrap_or_else(PoisonError::into_inner);
        if kept.len() >= MAX_LOOKS {
            kept.pop_front();
        }
        kept.push_back((key, found.clone()));
    }
}
