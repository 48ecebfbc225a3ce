//! What the functions know of models that are kept: names, versions, and the interface the catalog implements.
//!
//! Planning needs no model file: a version's [`Signature`] says which columns it reads and what it predicts. Nothing here
//! knows how or where the catalog keeps this.

mod memory;
mod name;

use std::{collections::BTreeMap, fmt::Debug};

use arrow::datatypes::DataType;
use serde::{Deserialize, Serialize};

use crate::error::Result;

pub use memory::MemoryModels;
pub use name::ModelName;

/// Where models are looked up: the catalog's part. What a training has made, its statement publishes.
pub trait Models: Debug + Send + Sync {
    /// The version that a name means now: `taste`, `taste@3`, `sales.taste`, `sales.taste@2`, read as
    /// [`ModelName::parse`] reads it.
    ///
    /// # Errors
    /// [`crate::Error::UndefinedModel`] saying what there is, [`crate::Error::InvalidModelName`].
    fn resolve(&self, name: &str) -> Result<ModelVersion>;

    /// The schema a new version of `name` would be in, after checking that it may be published there, so that a long
    /// training does not fail at its end. The name carries no version.
    fn check_new(&self, name: &ModelName) -> Result<String>;
}

/// One version of a model, as the catalog keeps it.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct ModelVersion {
    /// The schema it is in.
    pub schema: String,
    /// The model's name.
    pub name: String,
    /// Its number: 1, 2, …; never used again.
    pub version: u64,
    /// The kind of model, `embedding`.
    pub kind: String,
    /// The SHA-256 of the model file, in hexadecimal.
    pub digest: String,
    /// The model file's path in the registry's store.
    pub location: String,
    /// The length of the model file.
    pub size_bytes: u64,
    /// What it reads and predicts.
    pub signature: Signature,
    /// The metrics of its training.
    pub metrics: Vec<MetricRow>,
    /// The arguments of its training, as text by name.
    pub options: BTreeMap<String, String>,
    /// The seed of its training.
    pub seed: u64,
    /// The tables that its input read.
    pub sources: Vec<String>,
    /// The call that trained it.
    pub sql: String,
}

/// A version that has no number yet.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct NewVersion {
    /// The schema it goes to.
    pub schema: String,
    /// The model's name.
    pub name: String,
    /// Whether the new version becomes the live one.
    pub promote: bool,
    /// The kind of model, `embedding`.
    pub kind: String,
    /// The SHA-256 of the model file, in hexadecimal.
    pub digest: String,
    /// The model file's path in the registry's store.
    pub location: String,
    /// The length of the model file.
    pub size_bytes: u64,
    /// What it reads and predicts.
    pub signature: Signature,
    /// The metrics of its training.
    pub metrics: Vec<MetricRow>,
    /// The arguments of its training, as text by name.
    pub options: BTreeMap<String, String>,
    /// The seed of its training.
    pub seed: u64,
    /// The tables that its input read.
    pub sources: Vec<String>,
    /// The call that trained it.
    pub sql: String,
}

impl NewVersion {
    /// The version under this number.
    pub fn numbered(self, version: u64) -> ModelVersion {
        ModelVersion {
            schema: self.schema,
            name: self.name,
            version,
            kind: self.kind,
            digest: self.digest,
            location: self.location,
            size_bytes: self.size_bytes,
            signature: self.signature,
            metrics: self.metrics,
            options: self.options,
            seed: self.seed,
            sources: self.sources,
            sql: self.sql,
        }
    }
}

impl ModelVersion {
    /// What a plan carries of it.
    pub fn reference(&self) -> ModelRef {
        ModelRef {
            schema: self.schema.clone(),
            name: self.name.clone(),
            version: self.version,
            digest: self.digest.clone(),
            location: self.location.clone(),
        }
    }
}

/// A version as plan nodes carry it: enough to load it in another process.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub struct ModelRef {
    /// The schema it is in.
    pub schema: String,
    /// The model's name.
    pub name: String,
    /// Its number.
    pub version: u64,
    /// The SHA-256 of the model file, in hexadecimal.
    pub digest: String,
    /// The model file's path in the registry's store.
    pub location: String,
}

impl std::fmt::Display for ModelRef {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(formatter, "{}.{}@{}", self.schema, self.name, self.version)
    }
}

/// What a model reads and predicts.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Signature {
    /// `squared`, `logistic` or `implicit`.
    pub objective: String,
    /// What it predicts; `None` for implicit.
    pub target: Option<TargetSignature>,
    /// The columns it reads: the user and the item if there are any, then the features by name.
    pub columns: Vec<ColumnSignature>,
}

/// What a model predicts.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct TargetSignature {
    /// The column's name in the training input.
    pub name: String,
    /// Its type there, as [`crate::frame::trained_type`] gives it.
    pub data_type: DataType,
    /// The two classes of a classifier as text, the second being the one whose probability is modelled; none for a
    /// number.
    pub classes: Vec<String>,
}

/// A column that a model reads.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct ColumnSignature {
    /// The name it is bound by.
    pub name: String,
    /// Its type in the training input, as [`crate::frame::trained_type`] gives it.
    pub data_type: DataType,
    /// What it is to the model.
    pub role: ColumnRole,
    /// How it is encoded: `category`, `number`, `timestamp`, `bag`, `vector` or `text`.
    pub encoding: String,
    /// How many categories training saw; none for other encodings.
    pub levels: Option<u64>,
    /// Whether training saw missing values.
    pub nulls: bool,
    /// How many held-out rows had a category here that training had not seen.
    pub unseen_rows: u64,
}

/// What a column is to a model.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum ColumnRole {
    /// The user.
    User,
    /// The item.
    Item,
    /// An attribute of the user, whose last value the model keeps.
    UserFeature,
    /// An attribute of the item, whose last value the model keeps.
    ItemFeature,
    /// A feature that every scored row must bring.
    Context,
}

impl ColumnRole {
    /// The name that system tables show.
    pub fn name(self) -> &'static str {
        match self {
            Self::User => "user",
            Self::Item => "item",
            Self::UserFeature => "user_feature",
            Self::ItemFeature => "item_feature",
            Self::Context => "context",
        }
    }
}

impl Signature {
    /// The column that is the user.
    pub fn user(&self) -> Option<&ColumnSignature> {
        self.columns.iter().find(|column| column.role == ColumnRole::User)
    }

    /// The column that is the item.
    pub fn item(&self) -> Option<&ColumnSignature> {
        self.columns.iter().find(|column| column.role == ColumnRole::Item)
    }

    /// The column of exactly this name.
    pub fn column(&self, name: &str) -> Option<&ColumnSignature> {
        self.columns.iter().find(|column| column.name == name)
    }

    /// Whether it predicts one of two classes.
    pub fn is_classifier(&self) -> bool {
        self.target.as_ref().is_some_and(|target| !target.classes.is_empty())
    }
}

/// One figure about a model, beside that of a model without learning.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct MetricRow {
    /// `train`, `test` or `input`.
    pub split: String,
    /// `all`, `warm`, `cold_user` or `cold_item`.
    pub slice: String,
    /// The name, for example `rmse`.
    pub metric: String,
    /// The figure, where it is defined.
    pub value: Option<f64>,
    /// The baseline's.
    pub baseline: Option<f64>,
    /// How many rows it is about.
    pub rows: u64,
}

impl From<&fusewire_learn::Metric> for MetricRow {
    fn from(metric: &fusewire_learn::Metric) -> Self {
        Self {
            split: metric.split.into(),
            slice: metric.slice.into(),
            metric: metric.metric.to_string(),
            value: metric.value,
            baseline: metric.baseline,
            rows: metric.rows,
        }
    }
}
