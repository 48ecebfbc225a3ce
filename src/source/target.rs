//! Where `COPY` writes: one place, whose links are followed once. What that gives is checked, opened, written and renamed.
//!
//! A target is a name and never a pattern, and the query engine does not see it: it is given a store that has nothing but the
//! opened directory.

use std::{
    ffi::OsStr,
    path::{Path, PathBuf},
};

use super::{Access, Error, Stores, address::Address, folder::Folder, links::resolve, staging::Writing};

/// A place that a client may write to.
#[derive(Debug, Clone)]
pub(crate) struct Target {
    /// The path as it was asked for, which tells the format and whether one file is meant.
    asked: String,
    /// Where it leads.
    resolved: PathBuf,
}

impl Target {
    /// Reads a path or a `file:` URL, and refuses what may not be written.
    pub(crate) fn parse(text: &str, access: &Access) -> Result<Self, Error> {
        let invalid = |reason: &str| Error::InvalidLocation { location: text.to_owned(), reason: reason.to_owned() };
        let Address::Path(asked) = Address::parse(text)? else { return Err(invalid("expected a path")) };
        let absolute = std::path::absolute(&asked).map_err(|error| invalid(&error.to_string()))?;
        let resolved = access.check_target(&absolute)?;
        Ok(Self { asked, resolved })
    }

    /// The path as it was asked for.
    pub(crate) fn path(&self) -> &str {
        &self.asked
    }

    /// Whether the place is a directory or lies in it.
    pub(crate) fn is_within(&self, directory: &Path) -> bool {
        resolve(directory).is_some_and(|directory| self.resolved.starts_with(directory))
    }

    /// Opens the directory that is written into: the place itself for several files, else the one that the file is in.
    pub(crate) fn open(&self, stores: &Stores, is_partitioned: bool) -> Result<Writing, Error> {
        let file = if is_partitioned { None } else { self.file() };
        let Some((directory, name)) = file else {
            return Writing::start(stores, Folder::open(&self.resolved)?, None);
        };
        let folder = Folder::open(directory)?;
        folder.check_replaceable(name)?;
        Writing::start(stores, folder, Some(name.to_owned()))
    }

    /// The directory and the name of the file, where one is meant: a name without an ending is a directory's, and so is one
    /// that ends in a slash or is taken by a directory.
    fn file(&self) -> Option<(&Path, &OsStr)> {
        let last = self.asked.rsplit('/').next().unwrap_or_default();
        let has_ending = last.contains('.') && !last.ends_with('.');
        if !has_ending || self.resolved.is_dir() {
            return None;
        }
        Some((self.resolved.parent()?, self.resolved.file_name()?))
    }
}
