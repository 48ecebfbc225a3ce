//! What a statement sees of the catalog: its snapshot by number, the schemas that it need not name, and its roles.

use std::{
    iter,
    sync::{Arc, OnceLock},
};

use super::Value;
use crate::{
    Error, Fault, Result,
    catalog::{is_temporary, temporary_schema},
    functions::quoted,
    pgtype,
    session::{
        CATALOG_SCHEMA, Circumstances, DATABASES, Scope,
        pg_catalog::objects::{Objects, Relation, Type, role_oid},
    },
};

pub(super) struct View {
    pub(super) objects: Objects,
    circumstances: Arc<Circumstances>,
    /// The roles that there are, once they were asked for.
    roles: OnceLock<Vec<(u32, String)>>,
}

impl View {
    pub(super) fn of(scope: &Scope) -> Self {
        let objects = Objects::new(Arc::clone(scope.snapshot()));
        Self { objects, circumstances: Arc::clone(scope.circumstances()), roles: OnceLock::new() }
    }

    /// The schemas in which names without one are looked for, in their order.
    pub(super) fn path(&self) -> impl Iterator<Item = &str> {
        let schemas = &self.circumstances.schemas;
        let is_implied = !schemas.iter().any(|schema| schema == CATALOG_SCHEMA);
        iter::once(CATALOG_SCHEMA).filter(move |_| is_implied).chain(schemas.iter().map(String::as_str))
    }

    pub(super) fn database(&self) -> &str {
        &self.circumstances.database
    }

    /// Refuses a name of no database.
    pub(super) fn check_database(&self, database: &Value) -> Result<()> {
        match database {
            Value::Text(name) if *name != *self.database() && !DATABASES.contains(&name.as_str()) => {
                Err(Error::new(Fault::UndefinedDatabase, format!("database \"{name}\" does not exist")))
            }
            _ => Ok(()),
        }
    }

    /// The relation that a name without a schema means.
    pub(super) fn relation_on_path(&self, name: &str) -> Option<Relation<'_>> {
        self.path().find_map(|schema| self.objects.relation(schema, name))
    }

    /// Whether a relation is found by its name alone.
    pub(super) fn sees_relation(&self, relation: &Relation<'_>) -> bool {
        self.relation_on_path(relation.name).is_some_and(|found| found.oid == relation.oid)
    }

    /// Whether a type is found by its name alone.
    pub(super) fn sees_type(&self, wanted: &Type<'_>) -> bool {
        let name = if wanted.is_row_array { format!("_{}", wanted.name) } else { wanted.name.to_owned() };
        let found = self.path().find_map(|schema| self.objects.type_named(schema, &name));
        found.is_some_and(|found| found.oid == wanted.oid)
    }

    /// The name of a relation as SQL has to write it.
    pub(super) fn written(&self, relation: &Relation<'_>) -> String {
        match self.sees_relation(relation) {
            true => quoted(relation.name),
            false => format!("{}.{}", quoted(relation.schema), quoted(relation.name)),
        }
    }

    /// The number of a schema, which is to be there.
    pub(super) fn schema(&self, name: &str) -> Result<u32> {
        let missing = || Error::new(Fault::UndefinedSchema, format!("schema \"{name}\" does not exist"));
        self.objects.schema_oid(name).ok_or_else(missing)
    }

    /// Whether a schema is one of temporary objects of another session.
    pub(super) fn is_other_temporary(&self, oid: u32) -> bool {
        let own = temporary_schema(self.circumstances.pid);
        self.objects.schema_name(oid).is_some_and(|name| is_temporary(name) && name != own)
    }

    /// The number of the role with whose rights the statement runs.
    pub(super) fn role(&self) -> u32 {
        role_oid(&self.circumstances.role)
    }

    /// The roles that there are, by number and name.
    fn roles(&self) -> &[(u32, String)] {
        self.roles.get_or_init(|| {
            let roles = self.objects.roles([&*self.circumstances.user, &*self.circumstances.role]);
            roles.into_iter().map(|(oid, name)| (oid, name.to_owned())).collect()
        })
    }

    /// The number of a role.
    pub(super) fn role_named(&self, name: &str) -> Option<u32> {
        self.roles().iter().find(|(_, known)| known == name).map(|(oid, _)| *oid)
    }

    /// The name of a role by its number.
    pub(super) fn role_name(&self, oid: u32) -> Option<&str> {
        self.roles().iter().find(|(known, _)| *known == oid).map(|(_, name)| name.as_str())
    }

    /// Refuses a name of no role.
    pub(super) fn check_role(&self, role: &Value) -> Result<()> {
        match role {
            Value::Text(name) if self.role_named(name).is_none() => {
                Err(Error::new(Fault::UndefinedObject, format!("role \"{name}\" does not exist")))
            }
            _ => Ok(()),
        }
    }
}

/// The types of a function's arguments as SQL writes them.
pub(super) fn types_of(arguments: &[u32]) -> Vec<String> {
    arguments.iter().map(|oid| type_of(*oid)).collect()
}

/// A type as SQL writes it.
pub(super) fn type_of(oid: u32) -> String {
    pgtype::by_oid(oid).map_or_else(|| "???".to_owned(), |known| known.sql(None))
}
