//! Which locations a statement may open: everything for the machine's owner, only allowed paths for SQL from the wire.
//!
//! Paths are compared after symbolic links and `..` are resolved, so no spelling of a path gets around the list.

use std::path::{Path, PathBuf};

use super::{Error, location::Location};

/// What a session may open.
#[derive(Debug, Clone)]
pub enum Access {
    /// The shell, a script or an embedding program: whatever the operating system allows.
    Local,
    /// A network connection.
    Wire {
        /// Directories, files and `s3://` prefixes that may be opened.
        allowed: Vec<String>,
        /// The engine's own directory, which may never be opened as files.
        data_dir: Option<PathBuf>,
    },
}

impl Access {
    /// Refuses a location whose fixed part (the part before a glob) is not allowed.
    pub fn check(&self, location: &str) -> Result<(), Error> {
        self.check_location(&Location::parse(location)?)
    }

    pub(super) fn check_location(&self, location: &Location) -> Result<(), Error> {
        match location.local_base() {
            Some(base) => self.check_path(location.text(), base).map(|_| ()),
            None => self.check_object(location.text(), &location.object_prefix()),
        }
    }

    /// Refuses a file that is not allowed, else returns the path to read it by. Over the wire that is the resolved one:
    /// a symbolic link that is exchanged after the check leads nowhere else.
    pub(super) fn check_path(&self, shown: &str, path: &Path) -> Result<PathBuf, Error> {
        let Self::Wire { allowed, data_dir } = self else { return Ok(path.to_owned()) };
        let refused = || Error::NotAllowed { location: shown.to_owned() };
        let resolved = resolve(path).ok_or_else(refused)?;
        if data_dir.as_deref().and_then(resolve).is_some_and(|own| resolved.starts_with(own)) {
            return Err(Error::DataDirectory { location: shown.to_owned() });
        }
        let mut roots = allowed.iter().filter(|entry| !entry.contains("://") || entry.starts_with("file://"));
        let inside = roots.any(|root| {
            let root = root.strip_prefix("file://").unwrap_or(root);
            std::path::absolute(root)
                .ok()
                .and_then(|root| resolve(&root))
                .is_some_and(|root| resolved.starts_with(root))
        });
        if inside { Ok(resolved) } else { Err(refused()) }
    }

    /// Refuses an object that is not allowed; `url` is `s3://bucket/key`.
    pub(super) fn check_object(&self, shown: &str, url: &str) -> Result<(), Error> {
        let Self::Wire { allowed, .. } = self else { return Ok(()) };
        let mut roots = allowed.iter().filter(|entry| entry.starts_with("s3://"));
        let inside = roots.any(|root| {
            let root = root.trim_end_matches('/');
            url.strip_prefix(root).is_some_and(|rest| rest.is_empty() || rest.starts_with('/') || root == "s3:")
        });
        if inside { Ok(()) } else { Err(Error::NotAllowed { location: shown.to_owned() }) }
    }
}

/// The path without links and `..`. Of a path that does not exist the deepest existing directory is resolved, so that a
/// missing file gets the same answer as a present one.
fn resolve(path: &Path) -> Option<PathBuf> {
    let mut existing = path;
    let mut rest = Vec::new();
    loop {
        match existing.canonicalize() {
            Ok(mut resolved) => {
                resolved.extend(rest.iter().rev());
                return Some(resolved);
            }
            Err(_) => {
                rest.push(existing.file_name()?);
                existing = existing.parent()?;
            }
        }
    }
}
