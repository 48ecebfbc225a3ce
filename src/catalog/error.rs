//! What can go wrong with the catalog, as values; it knows no SQLSTATEs and no SQL.

use std::{
    io,
    path::{Path, PathBuf},
};

use super::object::{Kind, QualifiedName};
use crate::fault::Fault;

/// The result of the catalog's functions.
pub type Result<T, E = Error> = std::result::Result<T, E>;

/// An error of the catalog.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// The name is taken.
    #[error("{kind} {name} already exists")]
    Duplicate {
        /// What has the name now.
        kind: Kind,
        /// The name.
        name: QualifiedName,
    },
    /// The schema exists already.
    #[error("schema \"{name}\" already exists")]
    DuplicateSchema {
        /// The schema's name.
        name: String,
    },
    /// No such object.
    #[error("{kind} {name} does not exist")]
    Undefined {
        /// What was looked for.
        kind: Kind,
        /// The name.
        name: QualifiedName,
    },
    /// No such schema.
    #[error("schema \"{name}\" does not exist")]
    UndefinedSchema {
        /// The schema's name.
        name: String,
    },
    /// The model exists, the version does not.
    #[error("model {name} has no version {version}; its versions are {versions}")]
    UndefinedVersion {
        /// The model.
        name: QualifiedName,
        /// The version that was asked for.
        version: u64,
        /// The versions there are, as a list for people.
        versions: String,
    },
    /// The name belongs to an object that cannot do this.
    #[error("{name} is {found}; {action}")]
    WrongObjectType {
        /// The object.
        name: QualifiedName,
        /// What it is, with its article.
        found: &'static str,
        /// What to do instead.
        action: String,
    },
    /// The schema still holds objects.
    #[error("schema \"{name}\" cannot be dropped because {holds} is in it; drop that first or use DROP SCHEMA CASCADE")]
    SchemaNotEmpty {
        /// The schema.
        name: String,
        /// One of the objects in it.
        holds: String,
    },
    /// A name that only schemas of the engine may have.
    #[error("unacceptable schema name \"{name}\": names that begin with pg_ belong to the engine; choose another name")]
    ReservedSchema {
        /// The schema.
        name: String,
    },
    /// A schema without which there is no database.
    #[error("schema \"{name}\" belongs to the engine and cannot be dropped; DROP what is in it that is yours")]
    RequiredSchema {
        /// The schema.
        name: String,
    },
    /// Something in a schema whose tables the engine makes.
    #[error("permission denied for {name}: the schema \"{}\" belongs to the engine; name another schema", name.schema)]
    SystemSchema {
        /// The object.
        name: QualifiedName,
    },
    /// Another transaction was first.
    #[error("another transaction changed {object} first; run the transaction again")]
    Conflict {
        /// Kind and name of the object that both changed.
        object: String,
    },
    /// The statement was cancelled before its commit began.
    #[error("canceling statement due to user request")]
    Cancelled,
    /// Every object identifier has been given out.
    #[error("the catalog has given out all of its object identifiers; copy the tables into a new data directory")]
    OidsExhausted,
    /// The change cannot be written in a form that would be read back.
    #[error("the change cannot be stored: {source}; use types and options that are nested less deeply")]
    Unstorable {
        /// Why not.
        source: serde_json::Error,
    },
    /// A transaction changes more than a record of the log can hold.
    #[error(
        "the transaction changes more than can be committed at once: its record has {size_bytes} bytes, at most 4 GB; commit it in parts"
    )]
    TooLong {
        /// The length of its record.
        size_bytes: usize,
    },
    /// A file is not what was written.
    #[error("{} is damaged: {found}; {action}", path.display())]
    Corrupt {
        /// The file.
        path: PathBuf,
        /// What was found and what was expected.
        found: String,
        /// What to do.
        action: &'static str,
    },
    /// Files without a manifest: it was lost, or the directory is somebody else's.
    #[error(
        "{} is there but {} holds no manifest; restore the manifests from a backup or choose an empty directory",
        file.display(),
        directory.display()
    )]
    NoManifest {
        /// One of the files.
        file: PathBuf,
        /// Where the manifests should be.
        directory: PathBuf,
    },
    /// A file of a later format than this build knows.
    #[error(
        "{} has the format {found}, and this version reads formats up to {newest}; open it with the version that wrote it",
        path.display()
    )]
    UnknownFormat {
        /// The file.
        path: PathBuf,
        /// The format it names.
        found: u32,
        /// The newest format that is read.
        newest: u32,
    },
    /// Another process holds the data directory.
    #[error("data directory {} is in use by {holder}; stop that process or choose another directory", path.display())]
    Locked {
        /// The data directory.
        path: PathBuf,
        /// Who holds it.
        holder: String,
    },
    /// A commit ended without a known outcome, this one or an earlier one.
    #[error("a commit to {} failed half way: {why}; restart to go on from what reached the disk", path.display())]
    OutcomeUnknown {
        /// The file or directory that was written.
        path: PathBuf,
        /// What the operating system said.
        why: io::ErrorKind,
    },
    /// A file operation failed.
    #[error("cannot {action} {}: {source}", path.display())]
    Io {
        /// What was being done.
        action: &'static str,
        /// The file or directory.
        path: PathBuf,
        /// What the operating system said.
        source: io::Error,
    },
    /// A broken promise inside the engine.
    #[error("{0}")]
    Internal(String),
}

impl Error {
    /// Whose fault it is.
    pub fn fault(&self) -> Fault {
        match self {
            Self::Duplicate { kind, .. } if kind.is_relation() => Fault::DuplicateTable,
            Self::Duplicate { .. } => Fault::DuplicateObject,
            Self::DuplicateSchema { .. } => Fault::DuplicateSchema,
            Self::Undefined { kind, .. } if kind.is_relation() => Fault::UndefinedTable,
            Self::Undefined { .. } | Self::UndefinedVersion { .. } => Fault::UndefinedObject,
            Self::UndefinedSchema { .. } => Fault::UndefinedSchema,
            Self::WrongObjectType { .. } => Fault::WrongObjectType,
            Self::SchemaNotEmpty { .. } | Self::RequiredSchema { .. } => Fault::Dependents,
            Self::Locked { .. } => Fault::ObjectInUse,
            Self::ReservedSchema { .. } => Fault::ReservedName,
            Self::SystemSchema { .. } => Fault::PermissionDenied,
            Self::Conflict { .. } => Fault::Conflict,
            Self::Cancelled => Fault::Cancelled,
            Self::OidsExhausted | Self::Unstorable { .. } | Self::TooLong { .. } => Fault::LimitExceeded,
            Self::Corrupt { .. } | Self::NoManifest { .. } | Self::UnknownFormat { .. } => Fault::Corrupt,
            Self::OutcomeUnknown { why, .. } => match fault_of(*why) {
                Fault::DiskFull => Fault::DiskFull,
                _ => Fault::Io,
            },
            Self::Io { source, .. } => fault_of(source.kind()),
            Self::Internal(_) => Fault::Internal,
        }
    }

    /// The same, for another of the commits that were written together.
    pub(super) fn again(&self) -> Self {
        match self {
            Self::Io { action, path, source } => {
                Self::Io { action, path: path.clone(), source: io::Error::new(source.kind(), source.to_string()) }
            }
            Self::OutcomeUnknown { path, why } => Self::OutcomeUnknown { path: path.clone(), why: *why },
            other => Self::Internal(other.to_string()),
        }
    }

    /// For `map_err` on file operations: what was being done, and to which file.
    pub(super) fn io(action: &'static str, path: &Path) -> impl FnOnce(io::Error) -> Self {
        let path = path.to_owned();
        move |source| Self::Io { action, path, source }
    }
}

fn fault_of(kind: io::ErrorKind) -> Fault {
    match kind {
        io::ErrorKind::StorageFull | io::ErrorKind::QuotaExceeded => Fault::DiskFull,
        io::ErrorKind::PermissionDenied => Fault::PermissionDenied,
        _ => Fault::Io,
    }
}
