//! What a change comes to, in a form that is written to the log and done again from there: it decides nothing.
//!
//! What an effect does must never change, because logs hold it; what a statement does is for `change` to say. It is as
//! long as what is new: an INSERT's holds the files that it adds, and none of those that the table had.

use std::{collections::BTreeSet, sync::Arc};

use serde::{Deserialize, Serialize};

use super::{
    directory::MODELS,
    error::{Error, Result},
    object::{Definition, Header, Model, ModelVersion, Object, ObjectKey, QualifiedName},
    persistent::{Map, shared},
    snapshot::Snapshot,
    table::{ManagedTable, TableFile},
};

/// One step from a snapshot to the next.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) enum Effect {
    /// The object is this from now on, whether there was one or not.
    Put {
        key: ObjectKey,
        #[serde(with = "shared")]
        object: Arc<Object>,
    },
    /// The object is gone. The version numbers of a model stay taken.
    Remove { key: ObjectKey },
    /// What the object has as every object does is this from now on.
    SetHeader { key: ObjectKey, header: Header },
    /// A managed table has these files too, after those that it had.
    AddFiles { table: QualifiedName, files: Vec<TableFile> },
    /// A managed table has these files, and none of those that it had.
    SetFiles { table: QualifiedName, files: Vec<TableFile> },
    /// A managed table has these files in the place of others that follow one another and have the same rows.
    MergeFiles { table: QualifiedName, merged: Vec<String>, files: Vec<TableFile> },
    /// A model has this version too; the header counts where it is the first.
    AddVersion {
        model: QualifiedName,
        header: Header,
        number: u64,
        live: bool,
        #[serde(with = "shared")]
        version: Arc<ModelVersion>,
    },
    /// The bare name of a model stands for this version.
    SetLive { model: QualifiedName, version: u64 },
}

impl Effect {
    /// The object that it is about.
    pub(super) fn key(&self) -> ObjectKey {
        match self {
            Self::Put { key, .. } | Self::Remove { key } | Self::SetHeader { key, .. } => key.clone(),
            Self::AddFiles { table, .. } | Self::SetFiles { table, .. } | Self::MergeFiles { table, .. } => {
                ObjectKey::Relation(table.clone())
            }
            Self::AddVersion { model, .. } | Self::SetLive { model, .. } => ObjectKey::Model(model.clone()),
        }
    }

    /// The table that has more files after it.
    pub(super) fn grown_table(&self) -> Option<&QualifiedName> {
        match self {
            Self::AddFiles { table, .. } => Some(table),
            _ => None,
        }
    }

    /// The files that come with it.
    fn files(&self) -> Vec<String> {
        match self {
            Self::Put { object, .. } => object.definition.files().into_iter().map(str::to_owned).collect(),
            Self::AddFiles { files, .. } | Self::SetFiles { files, .. } | Self::MergeFiles { files, .. } => {
                files.iter().map(|file| file.path.clone()).collect()
            }
            Self::AddVersion { version, .. } => vec![version.location.clone()],
            Self::Remove { .. } | Self::SetHeader { .. } | Self::SetLive { .. } => Vec::new(),
        }
    }
}

/// The files that were in the catalog before some effects or came with them, and are not in it after them.
pub(super) fn files_taken_out(effects: &[Effect], before: &Snapshot, after: &Snapshot) -> Vec<String> {
    let takes_out =
        |effect: &&Effect| matches!(effect, Effect::Put { .. } | Effect::Remove { .. } | Effect::SetFiles { .. });
    let keys: BTreeSet<ObjectKey> = effects.iter().filter(takes_out).map(Effect::key).collect();
    let of = |snapshot: &Snapshot| -> Vec<String> {
        let objects = keys.iter().filter_map(|key| snapshot.get(key));
        objects.flat_map(|object| object.definition.files()).map(str::to_owned).collect()
    };
    let mut files: BTreeSet<String> = of(before).into_iter().collect();
    files.extend(effects.iter().filter(|effect| keys.contains(&effect.key())).flat_map(Effect::files));
    for effect in effects {
        if let Effect::MergeFiles { merged, .. } = effect {
            files.extend(merged.iter().cloned());
        }
    }
    for kept in of(after) {
        files.remove(&kept);
    }
    // The same bytes are one file, of whatever model they are.
    if files.iter().any(|file| file.starts_with(MODELS)) {
        let versions = after.models().flat_map(|(_, _, model)| model.versions.values());
        for version in versions {
            files.remove(&version.location);
        }
    }
    files.into_iter().collect()
}

impl Snapshot {
    /// Does what was decided, or says why this is not a snapshot for which it was.
    pub(super) fn perform(&mut self, effect: &Effect) -> Result<()> {
        match effect {
            Effect::Put { key, object } => self.objects.insert_mut(key.clone(), object.clone()),
            Effect::Remove { key } => self.remove(key)?,
            Effect::SetHeader { key, header } => {
                let mut object = self.present(key)?.as_ref().clone();
                object.header.clone_from(header);
                self.objects.insert_mut(key.clone(), Arc::new(object));
            }
            Effect::AddFiles { table, files } => self.alter_table(table, |table| table.add(files))?,
            Effect::SetFiles { table, files } => self.alter_table(table, |table| table.set(files))?,
            Effect::MergeFiles { table, merged, files } => {
                let mut has_merged = false;
                self.alter_table(table, |table| has_merged = table.merge(merged, files))?;
                if !has_merged {
                    let message = format!("files of the table {table} are put together that it does not have in a row");
                    return Err(Error::Internal(message));
                }
            }
            Effect::AddVersion { model, header, number, live, version } => {
                self.add_version(model, header, (*number, version), *live)?;
            }
            Effect::SetLive { model, version } => self.alter_model(model, |model| model.live = *version)?,
        }
        Ok(())
    }

    fn present(&self, key: &ObjectKey) -> Result<&Arc<Object>> {
        self.objects.get(key).ok_or_else(|| Error::Internal(format!("{key} is changed and does not exist")))
    }

    fn remove(&mut self, key: &ObjectKey) -> Result<()> {
        let retired = match &self.present(key)?.definition {
            Definition::Model(model) => Some(model.last_version),
            _ => None,
        };
        if let (ObjectKey::Model(name), Some(version)) = (key, retired) {
            self.retired_models.insert_mut(name.clone(), version);
        }
        self.objects.remove_mut(key);
        Ok(())
    }

    fn alter_table(&mut self, name: &QualifiedName, alter: impl FnOnce(&mut ManagedTable)) -> Result<()> {
        let key = ObjectKey::Relation(name.clone());
        let mut object = self.present(&key)?.as_ref().clone();
        let Definition::ManagedTable(table) = &mut object.definition else {
            return Err(Error::Internal(format!("{key} gets files and is {}", object.definition.noun())));
        };
        alter(table);
        self.objects.insert_mut(key, Arc::new(object));
        Ok(())
    }

    fn alter_model(&mut self, name: &QualifiedName, alter: impl FnOnce(&mut Model)) -> Result<()> {
        let key = ObjectKey::Model(name.clone());
        let mut object = self.present(&key)?.as_ref().clone();
        let Definition::Model(model) = &mut object.definition else {
            return Err(Error::Internal(format!("{key} is altered and is {}", object.definition.noun())));
        };
        alter(model);
        self.objects.insert_mut(key, Arc::new(object));
        Ok(())
    }

    fn add_version(
        &mut self,
        name: &QualifiedName,
        header: &Header,
        (number, version): (u64, &Arc<ModelVersion>),
        live: bool,
    ) -> Result<()> {
        let key = ObjectKey::Model(name.clone());
        if !self.objects.contains_key(&key) {
            let model = Model { last_version: number, live: number, versions: Map::new_sync() };
            let object = Object { header: header.clone(), definition: Definition::Model(model) };
            self.objects.insert_mut(key, Arc::new(object));
            self.retired_models.remove_mut(name);
        }
        self.alter_model(name, |model| {
            model.last_version = number;
            model.live = if live { number } else { model.live };
            model.versions.insert_mut(number, version.clone());
        })
    }
}
