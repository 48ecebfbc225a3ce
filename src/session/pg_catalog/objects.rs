//! What there is by number: the schemas, relations, types and roles of a snapshot, and back.
//!
//! What PostgreSQL has, too, has its numbers there: its schemas, relations and types. What users make has that of its object in
//! the catalog, from [`FIRST_OID`] on. What the engine tells of itself beside PostgreSQL has numbers that PostgreSQL leaves free.

use std::{
    collections::{BTreeSet, HashMap},
    sync::{Arc, OnceLock},
};

use arrow::datatypes::Field;

use super::{
    declared::{self, DOMAINS, Declared},
    types::collation,
};
use crate::{
    catalog::{Definition, FIRST_OID, Object, ObjectKey, QualifiedName, SYSTEM_OWNER, Snapshot, TableFile},
    error::MARK,
    pgtype::{self, ColumnType},
    session::{CATALOG_SCHEMA, DEFAULT_SCHEMA, information_schema, masked::masked, system},
};

/// The number of the schema `pg_catalog`.
pub(crate) const CATALOG_OID: u32 = 11;

/// The number of the schema `information_schema`.
pub(crate) const INFORMATION_OID: u32 = 13207;

/// The number of the schema `fusewire`; its relations have those that follow.
const SYSTEM_OID: u32 = 9000;

/// The numbers of the relations that types, functions, relations and schemas are in.
pub(crate) const PG_TYPE: u32 = 1247;
pub(crate) const PG_PROC: u32 = 1255;
pub(crate) const PG_CLASS: u32 = 1259;
pub(crate) const PG_NAMESPACE: u32 = 2615;

/// The number of the role that owns what comes with the engine.
pub(crate) const SYSTEM_ROLE: u32 = 10;

/// What is added to the number of a relation for that of the type of its rows. No object of a catalog has such a number.
const ROW_TYPES: u32 = 1 << 30;

/// What is added to the number of a relation for that of the type of arrays of its rows.
const ROW_ARRAYS: u32 = ROW_TYPES | (1 << 29);

/// Where the numbers of roles begin, which are made of their names.
const ROLES: u32 = 1 << 29;

/// The objects of a snapshot by number.
#[derive(Debug)]
pub(crate) struct Objects {
    snapshot: Arc<Snapshot>,
    /// The relations that users made.
    by_oid: OnceLock<HashMap<u32, QualifiedName>>,
}

/// A schema.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Schema<'a> {
    pub(crate) oid: u32,
    pub(crate) name: &'a str,
    pub(crate) owner: &'a str,
    pub(crate) comment: Option<&'a str>,
}

/// A table or a view, of a user or of the engine.
#[derive(Clone, Copy)]
pub(crate) struct Relation<'a> {
    pub(crate) oid: u32,
    pub(crate) schema: &'a str,
    pub(crate) name: &'a str,
    pub(crate) kept: Kept<'a>,
}

/// Where it is kept what a relation is.
#[derive(Clone, Copy)]
pub(crate) enum Kept<'a> {
    /// In the catalog.
    Object(&'a Arc<Object>),
    /// In the list of PostgreSQL's.
    Declared(&'static Declared),
    /// In the list of the engine's own.
    System(&'static system::SystemTable),
}

/// A column of a relation.
#[derive(Debug, Clone)]
pub(crate) struct Column {
    pub(crate) name: String,
    /// What tells it from the others, from 1 on.
    pub(crate) number: i16,
    /// The number of its type, which may be a domain.
    pub(crate) type_oid: u32,
    /// What its values are of.
    pub(crate) kind: ColumnType,
    pub(crate) not_null: bool,
    /// The expression that it gets where a row has no value for it.
    pub(crate) default: Option<String>,
}

/// A column with the relation that it is of.
pub(crate) struct RelationColumn<'a> {
    pub(crate) relation: Relation<'a>,
    pub(crate) column: Column,
}

/// A type, of PostgreSQL or of the rows of a relation.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Type<'a> {
    pub(crate) oid: u32,
    pub(crate) schema: &'a str,
    /// Its own name; that of arrays begins with `_`.
    pub(crate) name: &'a str,
    /// Whether it is one of arrays of rows, whose name is that of the rows with `_` before it.
    pub(crate) is_row_array: bool,
}

impl Objects {
    pub(crate) fn new(snapshot: Arc<Snapshot>) -> Self {
        Self { snapshot, by_oid: OnceLock::new() }
    }

    /// All schemas: those that users see, and those of the system.
    pub(crate) fn schemas(&self) -> impl Iterator<Item = Schema<'_>> {
        let own = SYSTEM_SCHEMAS.iter().map(|(oid, name)| Schema {
            oid: *oid,
            name,
            owner: SYSTEM_OWNER,
            comment: (*name == CATALOG_SCHEMA).then_some("system catalog schema"),
        });
        own.chain(self.snapshot.schemas().map(|(name, object)| Schema {
            oid: object.header.oid,
            name,
            owner: object.header.owner.as_str(),
            comment: object.header.comment.as_deref().or((name == DEFAULT_SCHEMA).then_some("standard public schema")),
        }))
    }

    /// The number of a schema.
    pub(crate) fn schema_oid(&self, name: &str) -> Option<u32> {
        if let Some((oid, _)) = SYSTEM_SCHEMAS.iter().find(|(_, known)| *known == name) {
            return Some(*oid);
        }
        self.snapshot.get(&ObjectKey::Schema(name.to_owned())).map(|object| object.header.oid)
    }

    /// The schema of a number.
    pub(crate) fn schema_of(&self, oid: u32) -> Option<Schema<'_>> {
        self.schemas().find(|schema| schema.oid == oid)
    }

    /// The name of the schema of a number.
    pub(crate) fn schema_name(&self, oid: u32) -> Option<&str> {
        self.schema_of(oid).map(|schema| schema.name)
    }

    /// All tables and views: PostgreSQL's, the engine's, and those that users made.
    pub(crate) fn relations(&self) -> impl Iterator<Item = Relation<'_>> {
        let declared = declared::all().iter().map(of_declared);
        let system = system::TABLES.iter().enumerate().map(|(place, table)| of_system(place, table));
        declared.chain(system).chain(self.snapshot.relations().map(|(name, object)| of_object(name, object)))
    }

    /// The columns of all tables and views.
    pub(crate) fn columns(&self) -> Vec<RelationColumn<'_>> {
        let mut columns = Vec::new();
        for relation in self.relations() {
            columns.extend(relation.columns().into_iter().map(|column| RelationColumn { relation, column }));
        }
        columns
    }

    /// The table or view of a name.
    pub(crate) fn relation(&self, schema: &str, name: &str) -> Option<Relation<'_>> {
        match schema {
            CATALOG_SCHEMA | information_schema::SCHEMA => declared::named(schema, name).map(of_declared),
            system::SCHEMA => {
                let place = system::TABLES.iter().position(|table| table.name == name)?;
                Some(of_system(place, &system::TABLES[place]))
            }
            _ => {
                let key = ObjectKey::Relation(QualifiedName::new(schema, name));
                // The name is to be the snapshot's own.
                let (key, object) = self.snapshot.entry(&key)?;
                match key {
                    ObjectKey::Relation(name) => Some(of_object(name, object)),
                    _ => None,
                }
            }
        }
    }

    /// The table or view of a number.
    pub(crate) fn relation_of(&self, oid: u32) -> Option<Relation<'_>> {
        if let Some(declared) = declared::numbered(oid) {
            return Some(of_declared(declared));
        }
        if oid < FIRST_OID {
            let place = usize::try_from(oid.checked_sub(SYSTEM_OID + 1)?).ok()?;
            return system::TABLES.get(place).map(|table| of_system(place, table));
        }
        let names = self.by_oid.get_or_init(|| {
            self.snapshot.relations().map(|(name, object)| (object.header.oid, name.clone())).collect()
        });
        let name = names.get(&oid)?;
        Some(of_object(name, self.snapshot.relation(name)?))
    }

    /// The type of a name in a schema.
    pub(crate) fn type_named(&self, schema: &str, name: &str) -> Option<Type<'_>> {
        if schema == CATALOG_SCHEMA
            && let Some(pg) = pgtype::by_name(name)
        {
            return Some(Type { oid: pg.oid, schema: CATALOG_SCHEMA, name: pg.name, is_row_array: false });
        }
        if schema == information_schema::SCHEMA
            && let Some(domain) = DOMAINS.iter().find(|domain| domain.name == name)
        {
            let schema = information_schema::SCHEMA;
            return Some(Type { oid: domain.oid, schema, name: domain.name, is_row_array: false });
        }
        if let Some(relation) = self.relation(schema, name) {
            return Some(relation.row_type());
        }
        self.relation(schema, name.strip_prefix('_')?)?.row_array()
    }

    /// The type of a number.
    pub(crate) fn type_of(&self, oid: u32) -> Option<Type<'_>> {
        if let Some(pg) = pgtype::by_oid(oid) {
            return Some(Type { oid, schema: CATALOG_SCHEMA, name: pg.name, is_row_array: false });
        }
        if let Some(domain) = DOMAINS.iter().find(|domain| domain.oid == oid) {
            return Some(Type { oid, schema: information_schema::SCHEMA, name: domain.name, is_row_array: false });
        }
        if oid & ROW_TYPES == 0 {
            let of_rows = |declared: &&Declared| [declared.row_type, declared.row_array].contains(&oid);
            let relation = of_declared(declared::all().iter().find(of_rows)?);
            let row_type = relation.row_type();
            return if row_type.oid == oid { Some(row_type) } else { relation.row_array() };
        }
        let is_array = oid & ROW_ARRAYS == ROW_ARRAYS;
        let relation = self.relation_of(oid & !ROW_ARRAYS)?;
        if is_array { relation.row_array() } else { Some(relation.row_type()) }
    }

    /// The roles that own something, that are connected, or that ask, in the order of their names.
    pub(crate) fn roles<'a>(&'a self, others: impl IntoIterator<Item = &'a str>) -> Vec<(u32, &'a str)> {
        let owners = self.snapshot.objects().map(|(_, object)| object.header.owner.as_str());
        let names: BTreeSet<&str> = owners.chain(others).chain([SYSTEM_OWNER]).collect();
        names.into_iter().map(|name| (role_oid(name), name)).collect()
    }
}

/// The number of a role: made of its name, as no list of roles is kept.
pub(crate) fn role_oid(name: &str) -> u32 {
    if name == SYSTEM_OWNER {
        return SYSTEM_ROLE;
    }
    let step = |hash: u32, byte: u8| (hash ^ u32::from(byte)).wrapping_mul(16_777_619);
    let hash = name.bytes().fold(2_166_136_261, step);
    ROLES | (hash & (ROLES - 1))
}

/// The schemas that are no objects of the catalog.
const SYSTEM_SCHEMAS: &[(u32, &str)] =
    &[(CATALOG_OID, CATALOG_SCHEMA), (INFORMATION_OID, information_schema::SCHEMA), (SYSTEM_OID, system::SCHEMA)];

fn of_declared<'a>(declared: &'static Declared) -> Relation<'a> {
    Relation { oid: declared.oid, schema: declared.schema, name: declared.name, kept: Kept::Declared(declared) }
}

fn of_system<'a>(place: usize, table: &'static system::SystemTable) -> Relation<'a> {
    // There are a few of them.
    let oid = SYSTEM_OID + 1 + place as u32;
    Relation { oid, schema: system::SCHEMA, name: table.name, kept: Kept::System(table) }
}

fn of_object<'a>(name: &'a QualifiedName, object: &'a Arc<Object>) -> Relation<'a> {
    Relation { oid: object.header.oid, schema: &name.schema, name: &name.name, kept: Kept::Object(object) }
}

impl<'a> Relation<'a> {
    /// What it is, by the letters of `pg_class.relkind`: files of somebody else are what PostgreSQL's foreign tables are.
    pub(crate) fn letter(&self) -> char {
        match self.kept {
            Kept::Object(object) => match object.definition {
                Definition::ExternalTable(_) => 'f',
                Definition::View(_) => 'v',
                _ => 'r',
            },
            Kept::Declared(declared) if declared.is_table => 'r',
            Kept::Declared(_) | Kept::System(_) => 'v',
        }
    }

    /// Whether rows can be inserted into it.
    pub(crate) fn takes_rows(&self) -> bool {
        self.object().is_some() && self.letter() == 'r'
    }

    /// Whether texts of a type of this number are compared by their bytes in it, as those of the system's tables and domains are.
    fn compares_bytes(&self, type_oid: u32) -> bool {
        let is_table = matches!(self.kept, Kept::Declared(declared) if declared.is_table);
        is_table || DOMAINS.iter().any(|domain| domain.oid == type_oid)
    }

    /// Whether a user made it.
    pub(crate) fn object(&self) -> Option<&'a Arc<Object>> {
        match self.kept {
            Kept::Object(object) => Some(object),
            Kept::Declared(_) | Kept::System(_) => None,
        }
    }

    /// The role that owns it.
    pub(crate) fn owner(&self) -> &'a str {
        self.object().map_or(SYSTEM_OWNER, |object| object.header.owner.as_str())
    }

    /// The text of COMMENT ON.
    pub(crate) fn comment(&self) -> Option<&'a str> {
        self.object()?.header.comment.as_deref()
    }

    /// The query of a view, without the marks that tell columns apart, which only the planner needs, and without secrets; none of
    /// what the engine tells of itself.
    pub(crate) fn view(&self) -> Option<String> {
        match &self.object()?.definition {
            Definition::View(view) => Some(masked(&Arc::from(view.sql.replace(MARK, ""))).to_string()),
            _ => None,
        }
    }

    /// The rows of a table, where they are counted.
    pub(crate) fn rows(&self) -> Option<u64> {
        match &self.object()?.definition {
            Definition::ManagedTable(table) => {
                let deleted = |file: &TableFile| file.deleted.as_ref().map_or(0, |deleted| deleted.rows);
                Some(table.files.iter().map(|file| file.rows.saturating_sub(deleted(file))).sum())
            }
            _ => None,
        }
    }

    /// The bytes of a table's files.
    pub(crate) fn bytes(&self) -> u64 {
        match self.object().map(|object| &object.definition) {
            Some(Definition::ManagedTable(table)) => table.files.iter().map(|file| file.size_bytes).sum(),
            _ => 0,
        }
    }

    /// How many columns it has.
    pub(crate) fn width(&self) -> usize {
        match self.kept {
            Kept::Object(object) => object.columns().map_or(0, |schema| schema.fields().len()),
            Kept::Declared(declared) => declared.columns.len(),
            Kept::System(table) => table.schema().fields().len(),
        }
    }

    /// Its columns in their order.
    pub(crate) fn columns(&self) -> Vec<Column> {
        match self.kept {
            Kept::Declared(declared) => {
                let columns = declared.columns.iter().zip(1..).map(|(column, number)| Column {
                    name: column.name.to_owned(),
                    number,
                    type_oid: column.type_oid,
                    kind: column.kind,
                    not_null: column.not_null,
                    default: None,
                });
                columns.collect()
            }
            Kept::System(table) => of_fields(table.schema().fields().iter().map(AsRef::as_ref), false),
            Kept::Object(object) => {
                let Some(schema) = object.columns() else { return Vec::new() };
                // PostgreSQL does not say of a view's column that it is never NULL, because its query may change.
                let says_null = !matches!(object.definition, Definition::View(_));
                let mut columns = of_fields(schema.fields().iter().map(AsRef::as_ref), says_null);
                if let Definition::ManagedTable(table) = &object.definition {
                    for (column, kept) in columns.iter_mut().zip(&table.columns) {
                        column.number = i16::try_from(kept.number).unwrap_or(i16::MAX);
                        column.default.clone_from(&kept.default);
                    }
                }
                columns
            }
        }
    }

    /// The type of its rows.
    pub(crate) fn row_type(&self) -> Type<'a> {
        let oid = match self.kept {
            Kept::Declared(declared) => declared.row_type,
            Kept::Object(_) | Kept::System(_) => ROW_TYPES | self.oid,
        };
        Type { oid, schema: self.schema, name: self.name, is_row_array: false }
    }

    /// The type of arrays of its rows.
    pub(crate) fn row_array(&self) -> Option<Type<'a>> {
        let oid = match self.kept {
            Kept::Declared(declared) if declared.row_array == 0 => return None,
            Kept::Declared(declared) => declared.row_array,
            Kept::Object(_) | Kept::System(_) => ROW_ARRAYS | self.oid,
        };
        Some(Type { oid, schema: self.schema, name: self.name, is_row_array: true })
    }
}

impl RelationColumn<'_> {
    /// The number of its collation; 0 where its values have none.
    pub(crate) fn collation(&self) -> u32 {
        collation(self.column.kind.pg, self.relation.compares_bytes(self.column.type_oid))
    }
}

/// Columns that fields tell of, numbered in their order.
fn of_fields<'a>(fields: impl Iterator<Item = &'a Field>, says_null: bool) -> Vec<Column> {
    let columns = fields.zip(1..).map(|(field, number)| {
        let kind = pgtype::of_field(field);
        Column {
            // As clients see it.
            name: field.name().replace(MARK, ""),
            number,
            type_oid: kind.pg.oid,
            kind,
            not_null: says_null && !field.is_nullable(),
            default: None,
        }
    });
    columns.collect()
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;
    use crate::catalog::Catalog;

    fn objects() -> Objects {
        Objects::new(Catalog::open(None).unwrap().snapshot())
    }

    #[test]
    fn schemas_have_the_numbers_of_postgresql() {
        let objects = objects();
        for (name, oid) in [("pg_catalog", 11), ("public", 2200), ("information_schema", 13207), ("fusewire", 9000)] {
            assert_eq!(objects.schema_oid(name), Some(oid));
            assert_eq!(objects.schema_name(oid), Some(name));
        }
        assert_eq!((objects.schema_oid("sales"), objects.schema_name(1)), (None, None));
    }

    #[test]
    fn relations_and_types_are_found_by_their_numbers() {
        let objects = objects();
        let mut oids = BTreeSet::new();
        for relation in objects.relations() {
            assert!(oids.insert(relation.oid), "{} of {} has the number of another", relation.oid, relation.name);
            let (by_oid, by_name) =
                (objects.relation_of(relation.oid), objects.relation(relation.schema, relation.name));
            assert_eq!(by_oid.map(|found| found.name), Some(relation.name));
            assert_eq!(by_name.map(|found| found.oid), Some(relation.oid));
            assert_eq!(relation.width(), relation.columns().len(), "{}", relation.name);
            for row_type in [Some(relation.row_type()), relation.row_array()].into_iter().flatten() {
                assert_eq!(objects.type_of(row_type.oid), Some(row_type), "{}", relation.name);
            }
        }
        let class = objects.relation("pg_catalog", "pg_class").unwrap();
        assert_eq!((class.oid, class.row_type().oid, class.letter()), (1259, 83, 'r'));
        assert_eq!(objects.type_named("pg_catalog", "int4").map(|found| found.oid), Some(23));
        assert_eq!(objects.type_named("information_schema", "yes_or_no").map(|found| found.oid), Some(13234));
        assert_eq!(objects.type_named("pg_catalog", "_pg_class").map(|found| found.oid), Some(273));
        assert!(objects.relation("public", "nothing").is_none() && objects.relation_of(99_999).is_none());
    }

    #[test]
    fn roles_have_numbers_of_their_names() {
        assert_eq!(role_oid("fusewire"), 10);
        assert_ne!(role_oid("ada"), role_oid("bob"));
        assert!(role_oid("ada") >= ROLES && role_oid("ada") < ROW_TYPES);
        assert_eq!(objects().roles(["ada"]).iter().map(|(_, name)| *name).collect::<Vec<_>>(), ["ada", "fusewire"]);
    }
}
