//! Which locations a statement may open: everything for the machine's owner, only allowed paths for SQL from the wire.
//!
//! Paths are compared after symbolic links and `..` are resolved, so no spelling of a path gets around the list.

use std::path::{Path, PathBuf};

use super::{Error, address::Address, links::resolve, location::Location};

/// What a session may open.
#[derive(Debug, Clone)]
pub enum Access {
    /// The shell, a script or an embedding program: whatever the operating system allows.
    Local,
    /// A network connection.
    Wire {
        /// Directories, files and prefixes of URLs, such as `s3://bucket/`, that may be opened.
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
            None => self.check_url(location.text(), &location.object_prefix()),
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
        let mut roots = allowed.iter().filter_map(|root| match Address::parse(root) {
            Ok(Address::Path(root)) => resolve(Path::new(&root)),
            _ => None,
        });
        if roots.any(|root| resolved.starts_with(root)) { Ok(resolved) } else { Err(refused()) }
    }

    /// Refuses a file of this machine that is not allowed to be read as it is, else returns the path to read it by.
    pub(crate) fn readable(&self, shown: &str) -> Result<PathBuf, Error> {
        let invalid = |reason: String| Error::InvalidLocation { location: shown.to_owned(), reason };
        let Address::Path(asked) = Address::parse(shown)? else { return Err(invalid("expected a path".to_owned())) };
        let absolute = std::path::absolute(&asked).map_err(|error| invalid(error.to_string()))?;
        self.check_path(shown, &absolute)
    }

    /// Refuses a place to write that is not allowed, else returns where it leads: resolved for everybody, because what was
    /// checked is what is opened.
    pub(super) fn check_target(&self, path: &Path) -> Result<PathBuf, Error> {
        let shown = path.to_string_lossy();
        match self {
            Self::Wire { .. } => self.check_path(&shown, path),
            Self::Local => resolve(path).ok_or_else(|| Error::InvalidLocation {
                location: shown.into_owned(),
                reason: "it goes up with .. from what is no directory, or its links lead in a circle".to_owned(),
            }),
        }
    }

    /// Refuses a URL, such as `s3://bucket/key`, of which no prefix is allowed.
    pub(super) fn check_url(&self, shown: &str, url: &str) -> Result<(), Error> {
        let Self::Wire { allowed, .. } = self else { return Ok(()) };
        let mut roots = allowed.iter().filter(|entry| entry.contains("://"));
        let inside = roots.any(|root| {
            let rest = url.strip_prefix(root.trim_end_matches('/'));
            rest.is_some_and(|rest| rest.is_empty() || rest.starts_with('/'))
        });
        if inside { Ok(()) } else { Err(Error::NotAllowed { location: shown.to_owned() }) }
    }
}
