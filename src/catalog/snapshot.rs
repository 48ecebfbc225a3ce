//! One immutable state of the catalog: what a statement or a transaction reads from its start to its end.
//!
//! It knows no files and no transactions; `change` decides what another snapshot is to be, and `effect` makes it from this one.

use std::sync::Arc;

use serde::{Deserialize, Serialize};

use super::{
    object::{Definition, Header, Model, Object, ObjectKey, PUBLIC, QualifiedName, TEMPORARY},
    persistent::Map,
    readers::Hold,
    table::ManagedTable,
};

/// The first identifier that is given out; lower ones belong to the system.
pub const FIRST_OID: u32 = 16384;

/// The identifier of the schema `public`, the one that PostgreSQL gives it.
const PUBLIC_OID: u32 = 2200;

/// The role that owns what comes with the engine.
pub const SYSTEM_OWNER: &str = "fusewire";

/// One immutable state of the catalog. A copy shares all with it, and a changed one all that is not changed.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Snapshot {
    pub(super) number: u64,
    pub(super) next_oid: u32,
    #[serde(with = "objects")]
    pub(super) objects: Map<ObjectKey, Arc<Object>>,
    /// The last version of each model that was dropped, so that its numbers stay retired.
    #[serde(with = "retired")]
    pub(super) retired_models: Map<QualifiedName, u64>,
    /// The number of the last commit that changed something that anybody sees.
    #[serde(skip)]
    pub(super) changed: u64,
    /// What keeps its files from being removed.
    #[serde(skip)]
    pub(super) hold: Hold,
}

/// What is equal is what is written: whoever holds it and what else led to it does not count.
impl PartialEq for Snapshot {
    fn eq(&self, other: &Self) -> bool {
        let numbers = (self.number, self.next_oid) == (other.number, other.next_oid);
        numbers && self.objects == other.objects && self.retired_models == other.retired_models
    }
}

impl Snapshot {
    /// The number of the commit that made it. Inside a transaction: of the one that it started from.
    pub fn number(&self) -> u64 {
        self.number
    }

    /// Whether the other one shows the same: nothing lies between them but files that were put together.
    pub fn shows_as(&self, other: &Self) -> bool {
        self.changed == other.changed
    }

    /// An object by its key.
    pub fn get(&self, key: &ObjectKey) -> Option<&Arc<Object>> {
        self.objects.get(key)
    }

    /// The same, with the key as it is kept.
    pub fn entry(&self, key: &ObjectKey) -> Option<(&ObjectKey, &Arc<Object>)> {
        self.objects.get_key_value(key)
    }

    /// All objects, by kind, schema and name.
    pub fn objects(&self) -> impl Iterator<Item = (&ObjectKey, &Arc<Object>)> {
        self.objects.iter()
    }

    /// Whether a schema exists.
    pub fn has_schema(&self, name: &str) -> bool {
        self.objects.contains_key(&ObjectKey::Schema(name.to_owned()))
    }

    /// The schemas, by name.
    pub fn schemas(&self) -> impl Iterator<Item = (&str, &Arc<Object>)> {
        self.objects.iter().filter_map(|(key, object)| match key {
            ObjectKey::Schema(name) => Some((name.as_str(), object)),
            _ => None,
        })
    }

    /// A table or view.
    pub fn relation(&self, name: &QualifiedName) -> Option<&Arc<Object>> {
        self.objects.get(&ObjectKey::Relation(name.clone()))
    }

    /// The tables and views, by schema and name.
    pub fn relations(&self) -> impl Iterator<Item = (&QualifiedName, &Arc<Object>)> {
        self.objects.iter().filter_map(|(key, object)| match key {
            ObjectKey::Relation(name) => Some((name, object)),
            _ => None,
        })
    }

    /// A model.
    pub fn model(&self, name: &QualifiedName) -> Option<&Model> {
        self.objects.get(&ObjectKey::Model(name.clone()))?.as_model()
    }

    /// The models, by schema and name.
    pub fn models(&self) -> impl Iterator<Item = (&QualifiedName, &Header, &Model)> {
        self.objects.iter().filter_map(|(key, object)| match (key, &object.definition) {
            (ObjectKey::Model(name), Definition::Model(model)) => Some((name, &object.header, model)),
            _ => None,
        })
    }

    /// The secrets, by schema and name.
    pub fn secrets(&self) -> impl Iterator<Item = (&QualifiedName, &Arc<Object>)> {
        self.objects.iter().filter_map(|(key, object)| match key {
            ObjectKey::Secret(name) => Some((name, object)),
            _ => None,
        })
    }

    /// The paths, relative to the data directory, of all files that it needs.
    pub fn files(&self) -> impl Iterator<Item = &str> {
        self.objects.values().flat_map(|object| object.definition.files())
    }

    /// The state of a new data directory: the schema `public` and nothing in it.
    pub(super) fn initial() -> Self {
        let header = Header::new(PUBLIC_OID, SYSTEM_OWNER);
        let public = Arc::new(Object { header, definition: Definition::Schema });
        Self {
            number: 1,
            next_oid: FIRST_OID,
            objects: Map::from_iter([(ObjectKey::Schema(PUBLIC.to_owned()), public)]),
            retired_models: Map::new_sync(),
            changed: 1,
            hold: Hold::default(),
        }
    }

    /// The same, read from a manifest that did not know yet what is known of columns and rows.
    pub(super) fn completed(mut self) -> Self {
        let old: Vec<(ObjectKey, Arc<Object>)> =
            self.objects.iter().map(|(key, object)| (key.clone(), object.clone())).collect();
        for (key, object) in old {
            if let Definition::ManagedTable(table) = &object.definition {
                let table = ManagedTable::new(table.schema.clone(), table.files.iter().cloned().collect());
                let object = Object { header: object.header.clone(), definition: Definition::ManagedTable(table) };
                self.objects.insert_mut(key, Arc::new(object));
            }
        }
        self
    }

    /// The highest version that the name ever had, whether the model still exists or not.
    pub(super) fn last_version(&self, name: &QualifiedName) -> u64 {
        let retired = self.retired_models.get(name).copied();
        self.model(name).map(|model| model.last_version).or(retired).unwrap_or(0)
    }
}

/// Writes the objects as pairs, because a key of JSON is a text, and leaves out those that go with their session.
mod objects {
    use std::sync::Arc;

    use serde::{Deserialize, Deserializer, Serializer};

    use super::{Map, Object, ObjectKey};

    pub(super) fn serialize<S: Serializer>(
        objects: &Map<ObjectKey, Arc<Object>>,
        serializer: S,
    ) -> Result<S::Ok, S::Error> {
        let kept = objects.iter().filter(|(key, _)| !key.is_temporary());
        serializer.collect_seq(kept.map(|(key, object)| (key, object.as_ref())))
    }

    pub(super) fn deserialize<'de, D: Deserializer<'de>>(
        deserializer: D,
    ) -> Result<Map<ObjectKey, Arc<Object>>, D::Error> {
        let pairs = Vec::<(ObjectKey, Object)>::deserialize(deserializer)?;
        Ok(pairs.into_iter().map(|(key, object)| (key, Arc::new(object))).collect())
    }
}

/// Writes the retired models as pairs, because a key of JSON is a text.
mod retired {
    use serde::{Deserialize, Deserializer, Serializer};

    use super::{Map, QualifiedName, TEMPORARY};

    pub(super) fn serialize<S: Serializer>(models: &Map<QualifiedName, u64>, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_seq(models.iter().filter(|(name, _)| !name.schema.starts_with(TEMPORARY)))
    }

    pub(super) fn deserialize<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Map<QualifiedName, u64>, D::Error> {
        Ok(Vec::<(QualifiedName, u64)>::deserialize(deserializer)?.into_iter().collect())
    }
}
