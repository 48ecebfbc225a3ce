//! What the catalog holds: schemas, tables, views, secrets and models, as plain values that are written as JSON. What a
//! managed table is, `table` says.
//!
//! Nothing here reads a file or plans a query. Unknown fields are refused when read, because an older build that
//! ignored them would lose them with its next commit.

use std::{
    borrow::Cow,
    collections::BTreeMap,
    fmt::{self, Display, Formatter},
    sync::Arc,
};

use arrow_schema::{DataType, Field, Schema};
use serde::{Deserialize, Deserializer, Serialize, Serializer};

use super::{
    persistent::{Map, numbered},
    table::ManagedTable,
};

/// The schema in which unqualified names are looked for and created.
pub const PUBLIC: &str = "public";

/// What the names of schemas begin with whose objects are gone with their session: nothing in them is written to the disk.
pub(super) const TEMPORARY: &str = "pg_temp_";

/// The schema of the temporary objects of the session of a number.
pub fn temporary_schema(session: i32) -> String {
    format!("{TEMPORARY}{session}")
}

/// Whether what is in the schema is gone with its session.
pub fn is_temporary(schema: &str) -> bool {
    schema.starts_with(TEMPORARY)
}

/// A schema's name and the name of an object in it, both folded and unquoted already.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct QualifiedName {
    /// The schema.
    pub schema: String,
    /// The name in the schema.
    pub name: String,
}

/// What an object is, as SQL names it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Kind {
    /// A managed or an external table.
    Table,
    /// A view.
    View,
    /// A model with its versions.
    Model,
    /// Credentials of a source.
    Secret,
}

/// Identifies an object: tables and views share their names, every other kind has names of its own.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub enum ObjectKey {
    /// A schema.
    Schema(String),
    /// A table or a view.
    Relation(QualifiedName),
    /// A model.
    Model(QualifiedName),
    /// A secret.
    Secret(QualifiedName),
}

/// An object of the catalog.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Object {
    /// What every object has.
    pub header: Header,
    /// What it is.
    pub definition: Definition,
}

/// What every object has, whatever it is.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Header {
    /// Its identifier, never given out twice.
    pub oid: u32,
    /// The role that owns it.
    pub owner: String,
    /// What others may do with it; empty: the owner alone decides.
    pub acl: Vec<AclEntry>,
    /// The text of COMMENT ON.
    pub comment: Option<String>,
    /// The keys that were declared of its rows; nothing checks them.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub keys: Vec<DeclaredKey>,
}

/// A key that was declared of the rows of a table.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct DeclaredKey {
    /// The name of the constraint.
    pub name: String,
    /// What it says.
    pub kind: KeyKind,
    /// The numbers of its columns, in its order.
    pub columns: Vec<u32>,
}

/// What a key says of the rows of a table.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub enum KeyKind {
    /// PRIMARY KEY: no two rows have the same, and none has NULL.
    Primary,
    /// UNIQUE: no two rows have the same.
    Unique,
    /// FOREIGN KEY: what a row has, a row of another table has.
    Foreign {
        /// The identifier of the other table.
        table: u32,
        /// The numbers of that table's columns.
        columns: Vec<u32>,
    },
}

/// What one role was granted.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct AclEntry {
    /// Who may; none: everybody.
    pub grantee: Option<String>,
    /// Who granted it.
    pub grantor: String,
    /// What was granted.
    pub privileges: Vec<Privilege>,
}

/// What can be granted.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub enum Privilege {
    /// Read rows, or use a model.
    Select,
    /// Add rows.
    Insert,
    /// Change rows, or train a new version of a model.
    Update,
    /// Remove rows.
    Delete,
    /// Look into a schema, or use a secret.
    Usage,
    /// Create objects in a schema.
    Create,
}

/// What an object is.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub enum Definition {
    /// A schema.
    Schema,
    /// Files of somebody else, read where they are.
    ExternalTable(ExternalTable),
    /// Files under the data directory.
    ManagedTable(ManagedTable),
    /// A stored query.
    View(View),
    /// Credentials of a source.
    Secret(Secret),
    /// A model with its versions.
    Model(Model),
}

/// Files of somebody else, read where they are.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ExternalTable {
    /// Paths, globs or URLs.
    pub locations: Vec<String>,
    /// The format's name, for example `csv`.
    pub format: String,
    /// The format's options; credentials belong into a secret.
    pub options: BTreeMap<String, String>,
    /// The columns in the files.
    pub schema: Schema,
    /// The columns whose values stand in the paths, in path order; they follow those in the files.
    #[serde(with = "in_paths")]
    pub partition_columns: Vec<Field>,
    /// The secret to open the locations with, where one was named.
    pub secret: Option<QualifiedName>,
}

/// A stored query.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct View {
    /// The text of the query, planned anew at each use.
    pub sql: String,
    /// The schemas where its names are looked for, those of whoever created it. None: the text is no longer as it was
    /// written, and its names are those of the schema `public`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub search_path: Option<Vec<String>>,
    /// The schemas of the tables that it names without one.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub tables: BTreeMap<String, String>,
    /// The settings that the texts in it are read by, which are those that it was made under. None: those of whoever reads it.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub settings: BTreeMap<String, String>,
    /// The names that its columns were given beside the query, from the first on.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub columns: Vec<String>,
    /// The columns it had when it was created.
    pub schema: Schema,
}

/// Credentials of a source.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Secret {
    /// The type, for example `s3`.
    pub provider: String,
    /// The URL prefix it is for; none: all of its type.
    pub scope: Option<String>,
    /// Key, secret, region, endpoint and the like, by lower-case name.
    pub options: BTreeMap<String, Sensitive>,
}

/// A text that is never printed: neither `Debug` nor `Display` shows it. Whoever needs it says so with `expose`.
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Sensitive(String);

/// A model with its versions.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Model {
    /// The highest version ever given out.
    pub last_version: u64,
    /// The version that the bare name stands for.
    pub live: u64,
    /// The versions by number.
    #[serde(with = "numbered")]
    pub versions: Map<u64, Arc<ModelVersion>>,
}

/// One trained version of a model.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ModelVersion {
    /// The SHA-256 of the model's bytes, in lower-case hexadecimal.
    pub digest: String,
    /// The file's path relative to the data directory, below `models/`.
    pub location: String,
    /// The length of the model's bytes.
    pub size_bytes: u64,
    /// The kind of model, for example `embedding`.
    pub kind: String,
    /// Signature, metrics, options and sources; opaque to the catalog.
    pub metadata: serde_json::Value,
    /// The statement that trained it.
    pub sql: String,
    /// When it was published, in milliseconds since 1970.
    pub created_at_ms: i64,
}

impl QualifiedName {
    /// A name in a schema.
    pub fn new(schema: impl Into<String>, name: impl Into<String>) -> Self {
        Self { schema: schema.into(), name: name.into() }
    }

    /// A name in the schema `public`.
    pub fn public(name: impl Into<String>) -> Self {
        Self::new(PUBLIC, name)
    }
}

impl Display for QualifiedName {
    fn fmt(&self, formatter: &mut Formatter<'_>) -> fmt::Result {
        match self.schema.as_str() {
            PUBLIC => write!(formatter, "\"{}\"", self.name),
            schema => write!(formatter, "\"{schema}.{}\"", self.name),
        }
    }
}

impl Header {
    /// The header of a new object.
    pub(super) fn new(oid: u32, owner: impl Into<String>) -> Self {
        Self { oid, owner: owner.into(), acl: Vec::new(), comment: None, keys: Vec::new() }
    }
}

impl Kind {
    /// The key of an object of this kind.
    pub fn key(self, name: QualifiedName) -> ObjectKey {
        match self {
            Self::Table | Self::View => ObjectKey::Relation(name),
            Self::Model => ObjectKey::Model(name),
            Self::Secret => ObjectKey::Secret(name),
        }
    }

    /// Whether it can stand in FROM by its bare name.
    pub fn is_relation(self) -> bool {
        matches!(self, Self::Table | Self::View)
    }
}

impl Display for Kind {
    fn fmt(&self, formatter: &mut Formatter<'_>) -> fmt::Result {
        formatter.write_str(match self {
            Self::Table => "table",
            Self::View => "view",
            Self::Model => "model",
            Self::Secret => "secret",
        })
    }
}

impl ObjectKey {
    /// The name of the schema that it is, or is in.
    pub fn schema(&self) -> &str {
        match self {
            Self::Schema(name) => name,
            Self::Relation(name) | Self::Model(name) | Self::Secret(name) => &name.schema,
        }
    }

    /// Whether it is gone with its session.
    pub fn is_temporary(&self) -> bool {
        is_temporary(self.schema())
    }
}

impl Display for ObjectKey {
    fn fmt(&self, formatter: &mut Formatter<'_>) -> fmt::Result {
        match self {
            Self::Schema(name) => write!(formatter, "schema \"{name}\""),
            Self::Relation(name) => write!(formatter, "table or view {name}"),
            Self::Model(name) => write!(formatter, "model {name}"),
            Self::Secret(name) => write!(formatter, "secret {name}"),
        }
    }
}

impl Definition {
    /// Its kind; a schema has none.
    pub fn kind(&self) -> Option<Kind> {
        match self {
            Self::Schema => None,
            Self::ExternalTable(_) | Self::ManagedTable(_) => Some(Kind::Table),
            Self::View(_) => Some(Kind::View),
            Self::Secret(_) => Some(Kind::Secret),
            Self::Model(_) => Some(Kind::Model),
        }
    }

    /// What it is, in words for people, with the article.
    pub fn noun(&self) -> &'static str {
        match self {
            Self::Schema => "a schema",
            Self::ExternalTable(_) => "an external table",
            Self::ManagedTable(_) => "a table",
            Self::View(_) => "a view",
            Self::Secret(_) => "a secret",
            Self::Model(_) => "a model",
        }
    }

    /// The paths, relative to the data directory, of the files that it lives in.
    pub fn files(&self) -> Vec<&str> {
        match self {
            Self::ManagedTable(table) => table.paths().collect(),
            Self::Model(model) => model.versions.values().map(|version| version.location.as_str()).collect(),
            Self::Schema | Self::ExternalTable(_) | Self::View(_) | Self::Secret(_) => Vec::new(),
        }
    }
}

impl ExternalTable {
    /// All columns, as queries see them.
    pub fn table_schema(&self) -> Schema {
        let fields = self.schema.fields().iter().map(|field| field.as_ref().clone());
        Schema::new(fields.chain(self.partition_columns.iter().cloned()).collect::<Vec<_>>())
    }
}

/// Columns whose values stand in paths, which are written as their names and types. Any of them may be NULL in a path that is
/// not there yet.
mod in_paths {
    use super::{DataType, Deserialize, Deserializer, Field, Serializer};

    pub(super) fn serialize<S: Serializer>(columns: &[Field], serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_seq(columns.iter().map(|column| (column.name(), column.data_type())))
    }

    pub(super) fn deserialize<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Vec<Field>, D::Error> {
        let columns = Vec::<(String, DataType)>::deserialize(deserializer)?;
        Ok(columns.into_iter().map(|(name, data_type)| Field::new(name, data_type, true)).collect())
    }
}

impl Object {
    /// The model, if it is one.
    pub fn as_model(&self) -> Option<&Model> {
        match &self.definition {
            Definition::Model(model) => Some(model),
            _ => None,
        }
    }

    /// The secret, if it is one.
    pub fn as_secret(&self) -> Option<&Secret> {
        match &self.definition {
            Definition::Secret(secret) => Some(secret),
            _ => None,
        }
    }

    /// The columns of a table or view, those in the paths of its files included.
    pub fn columns(&self) -> Option<Cow<'_, Schema>> {
        match &self.definition {
            Definition::ExternalTable(table) => Some(Cow::Owned(table.table_schema())),
            Definition::ManagedTable(table) => Some(Cow::Borrowed(&table.schema)),
            Definition::View(view) => Some(Cow::Borrowed(&view.schema)),
            Definition::Schema | Definition::Secret(_) | Definition::Model(_) => None,
        }
    }
}

impl Sensitive {
    /// Wraps a text.
    pub fn new(text: impl Into<String>) -> Self {
        Self(text.into())
    }

    /// The text itself.
    pub fn expose(&self) -> &str {
        &self.0
    }
}

impl fmt::Debug for Sensitive {
    fn fmt(&self, formatter: &mut Formatter<'_>) -> fmt::Result {
        formatter.write_str("********")
    }
}

impl Display for Sensitive {
    fn fmt(&self, formatter: &mut Formatter<'_>) -> fmt::Result {
        formatter.write_str("********")
    }
}
