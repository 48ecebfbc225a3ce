//! Temporary objects: they are in a schema of their session, which is in the catalog as any other and in no file of it.
//!
//! The schema is made with the first of them and goes with the session. It comes first where names without a schema are looked
//! for, `pg_temp` stands for it, and nobody else's names lead there.

use std::borrow::Cow;

use super::{Name, Scope, search_path::OWN_TEMPORARY};
use crate::{
    Error, Fault, Result,
    catalog::{Change, ObjectKey, QualifiedName, is_temporary, temporary_schema},
};

impl Scope {
    /// The schema of the session's temporary objects, whether it is there or not.
    pub(crate) fn temporary_schema(&self) -> String {
        temporary_schema(self.circumstances.pid)
    }

    /// Whether an object of this name goes with the session.
    pub(crate) fn is_temporary(&self, name: &QualifiedName) -> bool {
        is_temporary(&name.schema) && name.schema == self.temporary_schema()
    }

    /// The schema that is written.
    pub(super) fn meant_schema<'a>(&self, written: &'a str) -> Cow<'a, str> {
        match written {
            OWN_TEMPORARY => Cow::Owned(self.temporary_schema()),
            _ => Cow::Borrowed(written),
        }
    }

    /// The name of a temporary object that is to be created.
    pub(crate) fn new_temporary_name(&self, name: &Name) -> Result<QualifiedName> {
        let own = self.temporary_schema();
        match name.schema.as_deref().map(|schema| self.meant_schema(schema)) {
            Some(schema) if schema != own => {
                let message = match is_temporary(&schema) {
                    true => "cannot create relations in temporary schemas of other sessions",
                    false => "cannot create temporary relation in non-temporary schema",
                };
                Err(Error::new(Fault::InvalidTableDefinition, message))
            }
            _ => Ok(QualifiedName::new(own, &name.name)),
        }
    }

    /// Whether what was planned reads a temporary table or view.
    pub(crate) fn reads_temporary(&self) -> bool {
        self.reads().objects().any(|key| matches!(key, ObjectKey::Relation(name) if is_temporary(&name.schema)))
    }

    /// Refuses a statement that writes rows in a transaction that only reads, unless they go with the session.
    pub(crate) fn check_writes_to(&self, name: &QualifiedName, statement: &str) -> Result<()> {
        if self.is_temporary(name) { Ok(()) } else { self.check_writes(statement) }
    }

    /// Refuses changes of what other sessions have, and changes of what stays in a transaction that only reads.
    pub(super) fn check_changes(&self, changes: &[Change]) -> Result<()> {
        let own = self.temporary_schema();
        let keys: Vec<ObjectKey> = changes.iter().map(Change::key).collect();
        if keys.iter().any(|key| key.is_temporary() && key.schema() != own) {
            let message = "cannot access temporary tables of other sessions";
            return Err(Error::new(Fault::FeatureNotSupported, message));
        }
        let are_own = !keys.is_empty() && keys.iter().all(|key| key.schema() == own);
        if are_own { Ok(()) } else { self.check_writes("a change of the catalog") }
    }
}
