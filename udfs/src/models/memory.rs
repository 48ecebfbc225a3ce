//! Models kept in memory, for tests and for programs that need no catalog.

use std::sync::{Mutex, MutexGuard, PoisonError};

use crate::{
    error::{Error, Result},
    models::{ModelName, ModelVersion, Models, NewVersion},
};

/// Every published version, and which of each model's is live. Everything is in the schema `public`.
#[derive(Debug, Default)]
pub struct MemoryModels {
    versions: Mutex<Vec<(ModelVersion, bool)>>,
}

impl MemoryModels {
    /// Every version, in the order of publication.
    pub fn versions(&self) -> Vec<ModelVersion> {
        self.lock().iter().map(|(version, _)| version.clone()).collect()
    }

    /// Makes a version visible, and says its number.
    pub fn publish(&self, version: NewVersion) -> u64 {
        let mut versions = self.lock();
        let same = |known: &ModelVersion| known.schema == version.schema && known.name == version.name;
        let number =
            versions.iter().filter(|(known, _)| same(known)).map(|(known, _)| known.version).max().unwrap_or(0) + 1;
        let promote = version.promote;
        if promote {
            for (known, live) in versions.iter_mut() {
                *live &= !same(known);
            }
        }
        versions.push((version.numbered(number), promote));
        number
    }

    /// Versions are pushed whole, so that a panic elsewhere leaves none half written.
    fn lock(&self) -> MutexGuard<'_, Vec<(ModelVersion, bool)>> {
        self.versions.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Models for MemoryModels {
    fn resolve(&self, name: &str) -> Result<ModelVersion> {
        let wanted = ModelName::parse(name)?;
        let schema = self.check_new(&ModelName { version: None, ..wanted.clone() })?;
        let versions = self.lock();
        let known = || versions.iter().filter(|(known, _)| known.schema == schema && known.name == wanted.name);
        let found = match wanted.version {
            Some(number) => known().find(|(version, _)| version.version == number),
            None => known().find(|(_, live)| *live),
        };
        if let Some((version, _)) = found {
            return Ok(version.clone());
        }
        let numbers: Vec<_> = known().map(|(version, _)| version.version.to_string()).collect();
        Err(Error::UndefinedModel(match (numbers.is_empty(), wanted.version) {
            (true, _) => format!("the model {} does not exist; train it first", wanted.name),
            (false, Some(number)) => {
                format!("the model {} has no version {number}; it has {}", wanted.name, numbers.join(", "))
            }
            (false, None) => {
                format!("the model {} has no live version; name one of {}", wanted.name, numbers.join(", "))
            }
        }))
    }

    fn check_new(&self, name: &ModelName) -> Result<String> {
        match name.schema.as_deref() {
            None | Some("public") => Ok("public".into()),
            Some(schema) => Err(Error::UndefinedModel(format!("the schema {schema} does not exist"))),
        }
    }
}
