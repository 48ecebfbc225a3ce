//! The catalog as the functions see it: models by name, as a statement finds them.

use datafusion::common::DataFusionError;
use fusewire_udfs::models::{ModelName, ModelVersion as Resolved, Models, NewVersion};

use super::{Name, Scope, masked::masked};
use crate::{
    Error, Fault, Result,
    catalog::{Change, Header, Kind, ModelVersion, QualifiedName},
};

impl Models for Scope {
    fn resolve(&self, text: &str) -> fusewire_udfs::Result<Resolved> {
        let name = ModelName::parse(text)?;
        let snapshot = self.snapshot();
        let qualified = self.named(Kind::Model, &Name { schema: name.schema.clone(), name: name.name.clone() });
        let found = self.find(Kind::Model.key(qualified.clone()));
        let Some(model) = found.and_then(|object| object.as_model()) else {
            let mut known: Vec<String> = snapshot.models().map(|(name, _, _)| name.to_string()).collect();
            known.truncate(NAMES_LISTED);
            let known = if known.is_empty() { "there is none yet".to_owned() } else { known.join(", ") };
            let message = format!("the model {qualified} does not exist; models: {known}");
            return Err(fusewire_udfs::Error::UndefinedModel(message));
        };
        let number = name.version.unwrap_or(model.live);
        let Some(entry) = model.versions.get(&number) else {
            let known: Vec<String> = model.versions.keys().rev().take(NAMES_LISTED).map(u64::to_string).collect();
            let message = format!("the model {qualified} has no version {number}; versions: {}", known.join(", "));
            return Err(fusewire_udfs::Error::UndefinedModel(message));
        };
        Ok(kept(&qualified, number, entry).map_err(outer)?.numbered(number))
    }

    fn check_new(&self, name: &ModelName) -> fusewire_udfs::Result<String> {
        let written = Name { schema: name.schema.clone(), name: name.name.clone() };
        let QualifiedName { schema, .. } = self.new_name(&written).map_err(outer)?;
        if self.snapshot().has_schema(&schema) {
            return Ok(schema);
        }
        let message = format!("the schema \"{schema}\" does not exist; create it with CREATE SCHEMA first");
        Err(outer(Error::new(Fault::UndefinedSchema, message)))
    }
}

/// The change that publishes what a training of a statement has made, under a header of its own.
pub(crate) fn publication(scope: &Scope, header: Header, version: &NewVersion) -> Result<Change> {
    let metadata = serde_json::to_value(version)
        .map_err(|error| Error::new(Fault::Internal, format!("a model's entry cannot be written: {error}")))?;
    let entry = ModelVersion {
        digest: version.digest.clone(),
        location: version.location.clone(),
        size_bytes: version.size_bytes,
        kind: version.kind.clone(),
        metadata,
        sql: masked(scope.text()).to_string(),
        created_at_ms: chrono::Utc::now().timestamp_millis(),
    };
    let name = QualifiedName::new(&version.schema, &version.name);
    Ok(Change::PublishModel { name, header, version: Box::new(entry), promote: version.promote })
}

/// The engine's error as the functions carry it; it comes back whole.
fn outer(error: impl Into<Error>) -> fusewire_udfs::Error {
    let error = error.into();
    fusewire_udfs::Error::Catalog { fault: error.fault(), source: Box::new(error) }
}

/// Names that an error lists.
const NAMES_LISTED: usize = 10;

/// What training kept of a version.
pub(super) fn kept(name: &QualifiedName, number: u64, entry: &ModelVersion) -> Result<NewVersion, DataFusionError> {
    serde_json::from_value(entry.metadata.clone()).map_err(|error| {
        let message = format!("the catalog's entry of version {number} of the model {name} cannot be read: {error}");
        Error::new(Fault::Corrupt, message).into()
    })
}
