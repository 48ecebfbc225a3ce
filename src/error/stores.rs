//! What object stores and the operating system say of files.

use std::io::{self, ErrorKind};

use crate::fault::Fault;

/// Whose fault an error of an object store is.
pub(super) fn store_fault(error: &object_store::Error) -> Fault {
    match error {
        object_store::Error::NotFound { .. } => Fault::UndefinedFile,
        object_store::Error::PermissionDenied { .. } | object_store::Error::Unauthenticated { .. } => {
            Fault::PermissionDenied
        }
        _ => Fault::Io,
    }
}

/// Whose fault an error of the operating system is. A full disk is told apart because its remedy is another one.
pub(super) fn io_fault(error: &io::Error) -> Fault {
    match error.kind() {
        ErrorKind::StorageFull => Fault::DiskFull,
        _ => Fault::Io,
    }
}
