//! What can be done to a snapshot, one change at a time. A change that is refused leaves the snapshot as it was.
//!
//! It decides by what the snapshot holds alone: no files, no clock, so that a commit can decide it on a newer snapshot. What
//! was decided are effects, which are what is done and written.

use std::sync::Arc;

use super::{
    effect::Effect,
    error::{Error, Result},
    object::{Definition, Header, Kind, ModelVersion, Object, ObjectKey, PUBLIC, QualifiedName},
    snapshot::Snapshot,
    table::{ManagedTable, TableFile},
};

/// One change of the catalog.
#[derive(Debug, Clone, PartialEq)]
pub enum Change {
    /// `CREATE SCHEMA`.
    CreateSchema {
        /// Its name.
        name: String,
        /// Made by [`Transaction::header`](super::Transaction::header).
        header: Header,
        /// Whether an existing one is fine.
        if_not_exists: bool,
    },
    /// The schema of a session's temporary objects, unless it is there.
    CreateTemporarySchema {
        /// Its name, made by [`temporary_schema`](super::temporary_schema).
        name: String,
        /// Made by [`Transaction::header`](super::Transaction::header).
        header: Header,
    },
    /// `DROP SCHEMA`.
    DropSchema {
        /// Its name.
        name: String,
        /// Whether a missing one is fine.
        if_exists: bool,
        /// Whether what is in it goes with it.
        cascade: bool,
    },
    /// `CREATE TABLE`, `CREATE EXTERNAL TABLE`, `CREATE VIEW`, `CREATE SECRET`. Models come by publishing.
    Create {
        /// Its name.
        name: QualifiedName,
        /// Its header, made by [`Transaction::header`](super::Transaction::header), and its definition.
        object: Object,
        /// What to do where the name is taken.
        existing: Existing,
    },
    /// `DROP TABLE`, `DROP VIEW`, `DROP MODEL`, `DROP SECRET`. Views that read a dropped table stay and fail when used.
    Drop {
        /// What the statement says it is.
        kind: Kind,
        /// Its name.
        name: QualifiedName,
        /// Whether a missing one is fine.
        if_exists: bool,
    },
    /// Adds sealed files to a managed table.
    AppendFiles {
        /// The table.
        table: QualifiedName,
        /// The files.
        files: Vec<TableFile>,
    },
    /// Puts sealed files in the place of all that a managed table has.
    ReplaceFiles {
        /// The table.
        table: QualifiedName,
        /// The files.
        files: Vec<TableFile>,
    },
    /// Puts sealed files in the place of some that a managed table has in a row, with the same rows in the same order. It
    /// changes nothing that anybody sees, and gets in nobody's way.
    MergeFiles {
        /// The table.
        table: QualifiedName,
        /// Its identifier, by which it is told from another of its name.
        oid: u32,
        /// The paths of the files that go.
        merged: Vec<String>,
        /// The files that come.
        files: Vec<TableFile>,
    },
    /// Adds a version to a model, which is created with its first version.
    PublishModel {
        /// The model.
        name: QualifiedName,
        /// Used where the model is new; made by [`Transaction::header`](super::Transaction::header).
        header: Header,
        /// The version; its file is in place already.
        version: Box<ModelVersion>,
        /// Whether it becomes the live one. A model's first version always does: its bare name must stand for one.
        promote: bool,
    },
    /// Makes a version of a model the live one.
    PromoteModel {
        /// The model.
        name: QualifiedName,
        /// The version.
        version: u64,
    },
    /// `COMMENT ON`; none removes it.
    SetComment {
        /// What the statement says it is.
        kind: Kind,
        /// Its name.
        name: QualifiedName,
        /// The text.
        comment: Option<String>,
    },
}

/// What `CREATE` does where the name is taken.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Existing {
    /// It is an error.
    Refuse,
    /// The existing object stays (`IF NOT EXISTS`), whatever its kind, as in PostgreSQL.
    Keep,
    /// An object of the same kind is replaced (`OR REPLACE`) and hands on its identifier, owner, grants and comment.
    Replace,
}

/// What a change did.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Applied {
    /// A new object with this identifier.
    Created(u32),
    /// A new definition of the object with this identifier.
    Replaced(u32),
    /// The object is gone.
    Dropped,
    /// The object was altered.
    Altered,
    /// A model has a new version.
    Published {
        /// Its number.
        version: u64,
        /// Whether the bare name stands for it now.
        live: bool,
    },
    /// Nothing: the object existed (`IF NOT EXISTS`) or did not (`IF EXISTS`).
    Unchanged,
}

impl Change {
    /// The object whose state decides what the change does.
    pub fn key(&self) -> ObjectKey {
        match self {
            Self::CreateSchema { name, .. }
            | Self::CreateTemporarySchema { name, .. }
            | Self::DropSchema { name, .. } => ObjectKey::Schema(name.clone()),
            Self::Create { name, object, .. } => match object.definition.kind() {
                Some(kind) => kind.key(name.clone()),
                None => ObjectKey::Schema(name.name.clone()),
            },
            Self::Drop { kind, name, .. } | Self::SetComment { kind, name, .. } => kind.key(name.clone()),
            Self::AppendFiles { table, .. } | Self::ReplaceFiles { table, .. } | Self::MergeFiles { table, .. } => {
                ObjectKey::Relation(table.clone())
            }
            Self::PublishModel { name, .. } | Self::PromoteModel { name, .. } => ObjectKey::Model(name.clone()),
        }
    }

    /// The table files that it brings into the catalog.
    pub(super) fn new_table_files(&self) -> Vec<&TableFile> {
        match self {
            Self::AppendFiles { files, .. } | Self::ReplaceFiles { files, .. } | Self::MergeFiles { files, .. } => {
                files.iter().collect()
            }
            Self::Create { object: Object { definition: Definition::ManagedTable(table), .. }, .. } => {
                table.files.iter().collect()
            }
            _ => Vec::new(),
        }
    }
}

/// What a change is to do, and what is told of it.
type Decided = Result<(Applied, Vec<Effect>)>;

impl Snapshot {
    /// Makes the change and says what that was, or refuses it and stays as it was.
    pub(super) fn apply(&mut self, change: &Change) -> Decided {
        let (applied, effects) = self.decide(change)?;
        for effect in &effects {
            self.perform(effect)?;
        }
        Ok((applied, effects))
    }

    fn decide(&self, change: &Change) -> Decided {
        match change {
            Change::CreateSchema { name, header, if_not_exists } => self.create_schema(name, header, *if_not_exists),
            Change::CreateTemporarySchema { name, .. } if self.has_schema(name) => Ok((Applied::Unchanged, Vec::new())),
            Change::CreateTemporarySchema { name, header } => Ok(put_schema(name, header)),
            Change::DropSchema { name, if_exists, cascade } => self.drop_schema(name, *if_exists, *cascade),
            Change::Create { name, object, existing } => self.create(name, object, *existing),
            Change::Drop { kind, name, if_exists } => self.drop_object(*kind, name, *if_exists),
            Change::AppendFiles { table, files } => {
                let files = self.managed(table)?.numbered(files);
                Ok((Applied::Altered, vec![Effect::AddFiles { table: table.clone(), files }]))
            }
            Change::ReplaceFiles { table, files } => {
                let files = self.managed(table)?.numbered(files);
                Ok((Applied::Altered, vec![Effect::SetFiles { table: table.clone(), files }]))
            }
            Change::MergeFiles { table, oid, merged, files } => {
                let is_same = self.relation(table).is_some_and(|object| object.header.oid == *oid);
                if !is_same || !self.managed(table)?.has_in_a_row(merged) {
                    return Err(Error::Conflict { object: change.key().to_string() });
                }
                let (table, merged, files) = (table.clone(), merged.clone(), files.clone());
                Ok((Applied::Altered, vec![Effect::MergeFiles { table, merged, files }]))
            }
            Change::PublishModel { name, header, version, promote } => {
                self.publish_model(name, header, version, *promote)
            }
            Change::PromoteModel { name, version } => self.promote_model(name, *version),
            Change::SetComment { kind, name, comment } => self.set_comment(*kind, name, comment.as_ref()),
        }
    }

    fn create_schema(&self, name: &str, header: &Header, if_not_exists: bool) -> Decided {
        if name.starts_with(RESERVED) {
            return Err(Error::ReservedSchema { name: name.to_owned() });
        }
        if self.has_schema(name) || is_of_system(name) {
            return match if_not_exists {
                true => Ok((Applied::Unchanged, Vec::new())),
                false => Err(Error::DuplicateSchema { name: name.to_owned() }),
            };
        }
        Ok(put_schema(name, header))
    }

    fn drop_schema(&self, name: &str, if_exists: bool, cascade: bool) -> Decided {
        if name == PUBLIC || is_of_system(name) {
            return Err(Error::RequiredSchema { name: name.to_owned() });
        }
        if !self.has_schema(name) {
            return match if_exists {
                true => Ok((Applied::Unchanged, Vec::new())),
                false => Err(Error::UndefinedSchema { name: name.to_owned() }),
            };
        }
        let is_member = |key: &ObjectKey| key.schema() == name && !matches!(key, ObjectKey::Schema(_));
        let mut dropped: Vec<ObjectKey> = self.objects.keys().filter(|key| is_member(key)).cloned().collect();
        if let Some(member) = dropped.first().filter(|_| !cascade) {
            return Err(Error::SchemaNotEmpty { name: name.to_owned(), holds: member.to_string() });
        }
        dropped.push(ObjectKey::Schema(name.to_owned()));
        Ok((Applied::Dropped, dropped.into_iter().map(|key| Effect::Remove { key }).collect()))
    }

    fn create(&self, name: &QualifiedName, object: &Object, existing: Existing) -> Decided {
        let kind = match object.definition.kind() {
            Some(Kind::Model) | None => {
                let noun = object.definition.noun();
                return Err(Error::Internal(format!("{noun} is not made by CREATE of an object: {name}")));
            }
            Some(kind) => kind,
        };
        self.check_schema(name)?;
        let key = kind.key(name.clone());
        let Some(taken) = self.objects.get(&key) else {
            let effect = Effect::Put { key, object: Arc::new(object.clone()) };
            return Ok((Applied::Created(object.header.oid), vec![effect]));
        };
        let taken_kind = taken.definition.kind().unwrap_or(kind);
        match existing {
            Existing::Keep => Ok((Applied::Unchanged, Vec::new())),
            Existing::Replace if taken_kind == kind => {
                // What was declared of the old rows is not true of the new ones.
                let header = Header { keys: object.header.keys.clone(), ..taken.header.clone() };
                let oid = header.oid;
                let object = Arc::new(Object { header, definition: object.definition.clone() });
                Ok((Applied::Replaced(oid), vec![Effect::Put { key, object }]))
            }
            Existing::Replace => Err(wrong_type(name, &taken.definition, "CREATE OR REPLACE")),
            Existing::Refuse => Err(Error::Duplicate { kind: taken_kind, name: name.clone() }),
        }
    }

    fn drop_object(&self, kind: Kind, name: &QualifiedName, if_exists: bool) -> Decided {
        match self.existing(kind, name, "DROP") {
            Ok(_) => Ok((Applied::Dropped, vec![Effect::Remove { key: kind.key(name.clone()) }])),
            Err(Error::Undefined { .. } | Error::UndefinedSchema { .. }) if if_exists => {
                Ok((Applied::Unchanged, Vec::new()))
            }
            Err(error) => Err(error),
        }
    }

    /// The table whose files are to be others, which is one of ours.
    fn managed(&self, name: &QualifiedName) -> Result<&ManagedTable> {
        match self.relation(name).map(|object| &object.definition) {
            Some(Definition::ManagedTable(table)) => Ok(table),
            Some(other) => {
                let action = "rows can be written only to a table made by CREATE TABLE".to_owned();
                Err(Error::WrongObjectType { name: name.clone(), found: other.noun(), action })
            }
            None => Err(self.undefined(Kind::Table, name)),
        }
    }

    fn publish_model(&self, name: &QualifiedName, header: &Header, version: &ModelVersion, promote: bool) -> Decided {
        self.check_schema(name)?;
        let number = self.last_version(name) + 1;
        let live = promote || self.model(name).is_none_or(|model| model.versions.is_empty());
        let (model, header, version) = (name.clone(), header.clone(), Arc::new(version.clone()));
        let effect = Effect::AddVersion { model, header, number, live, version };
        Ok((Applied::Published { version: number, live }, vec![effect]))
    }

    fn promote_model(&self, name: &QualifiedName, version: u64) -> Decided {
        let object = self.existing(Kind::Model, name, "ALTER")?;
        let Some(model) = object.as_model() else { return Err(self.undefined(Kind::Model, name)) };
        if !model.versions.contains_key(&version) {
            let versions: Vec<String> = model.versions.keys().map(u64::to_string).collect();
            return Err(Error::UndefinedVersion { name: name.clone(), version, versions: versions.join(", ") });
        }
        Ok((Applied::Altered, vec![Effect::SetLive { model: name.clone(), version }]))
    }

    fn set_comment(&self, kind: Kind, name: &QualifiedName, comment: Option<&String>) -> Decided {
        let object = self.existing(kind, name, "COMMENT ON")?;
        let header = Header { comment: comment.cloned(), ..object.header.clone() };
        Ok((Applied::Altered, vec![Effect::SetHeader { key: kind.key(name.clone()), header }]))
    }

    /// The object, if it exists and is what the statement says it is.
    fn existing(&self, kind: Kind, name: &QualifiedName, statement: &str) -> Result<&Arc<Object>> {
        match self.objects.get(&kind.key(name.clone())) {
            None => Err(self.undefined(kind, name)),
            Some(object) if object.definition.kind() != Some(kind) => {
                Err(wrong_type(name, &object.definition, statement))
            }
            Some(object) => Ok(object),
        }
    }

    fn check_schema(&self, name: &QualifiedName) -> Result<()> {
        match self.has_schema(&name.schema) {
            true => Ok(()),
            false if is_of_system(&name.schema) => Err(Error::SystemSchema { name: name.clone() }),
            false => Err(Error::UndefinedSchema { name: name.schema.clone() }),
        }
    }

    fn undefined(&self, kind: Kind, name: &QualifiedName) -> Error {
        match self.check_schema(name) {
            Ok(()) => Error::Undefined { kind, name: name.clone() },
            Err(error) => error,
        }
    }
}

/// What makes a schema.
fn put_schema(name: &str, header: &Header) -> (Applied, Vec<Effect>) {
    let object = Object { header: header.clone(), definition: Definition::Schema };
    let key = ObjectKey::Schema(name.to_owned());
    (Applied::Created(header.oid), vec![Effect::Put { key, object: Arc::new(object) }])
}

/// How names of schemas do not begin that anybody makes.
const RESERVED: &str = "pg_";

/// Whether the schema holds what the engine tells of itself.
pub fn is_of_system(name: &str) -> bool {
    matches!(name, "fusewire" | "information_schema" | "pg_catalog")
}

/// Only tables and views can be taken for each other, because only they share their names.
fn wrong_type(name: &QualifiedName, definition: &Definition, statement: &str) -> Error {
    let kind = match definition {
        Definition::View(_) => "VIEW",
        _ => "TABLE",
    };
    Error::WrongObjectType { name: name.clone(), found: definition.noun(), action: format!("use {statement} {kind}") }
}
