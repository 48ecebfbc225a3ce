//! The relations of the schemas `pg_catalog` and `information_schema` as PostgreSQL 15 declares them: numbers, columns in their
//! order, and types. What stands in them, this does not know.
//!
//! `relations.txt` has a line for each behind the schema's name in brackets: its name, its number, those of the type of its rows
//! and of arrays of them, `r` for a table or `v` for a view, and its columns with their types, `!` behind those that are never NULL.

use std::{collections::HashMap, sync::LazyLock};

use arrow::datatypes::{DataType, Field};

use crate::pgtype::{self, ColumnType, INT4, NAME, PgType, TEXT, TIMESTAMPTZ, VARCHAR, list_of};

/// A relation as it is declared.
#[derive(Debug)]
pub(crate) struct Declared {
    pub(crate) schema: &'static str,
    pub(crate) name: &'static str,
    pub(crate) oid: u32,
    /// The type of its rows.
    pub(crate) row_type: u32,
    /// The type of arrays of its rows; 0 where there is none.
    pub(crate) row_array: u32,
    /// Whether PostgreSQL keeps it as a table; otherwise it is a view.
    pub(crate) is_table: bool,
    pub(crate) columns: Vec<DeclaredColumn>,
}

/// A column as it is declared.
#[derive(Debug)]
pub(crate) struct DeclaredColumn {
    pub(crate) name: &'static str,
    /// The number of its type, which may be a domain.
    pub(crate) type_oid: u32,
    /// What its values are of; of a domain, what that is made of.
    pub(crate) kind: ColumnType,
    pub(crate) not_null: bool,
}

/// A type that is another one with a rule. The rules are not kept: nothing is stored in what is of them.
#[derive(Debug)]
pub(crate) struct Domain {
    pub(crate) name: &'static str,
    pub(crate) oid: u32,
    /// The number of the type of its arrays.
    pub(crate) array: u32,
    pub(crate) base: &'static PgType,
    pub(crate) modifier: i32,
}

/// Those of `information_schema`.
pub(crate) const DOMAINS: &[Domain] = &[
    Domain { name: "cardinal_number", oid: 13221, array: 13220, base: &INT4, modifier: -1 },
    Domain { name: "character_data", oid: 13224, array: 13223, base: &VARCHAR, modifier: -1 },
    Domain { name: "sql_identifier", oid: 13226, array: 13225, base: &NAME, modifier: -1 },
    Domain { name: "time_stamp", oid: 13232, array: 13231, base: &TIMESTAMPTZ, modifier: 2 },
    Domain { name: "yes_or_no", oid: 13234, array: 13233, base: &VARCHAR, modifier: 7 },
];

/// All of them, by schema and name.
pub(crate) fn all() -> &'static [Declared] {
    static ALL: LazyLock<Vec<Declared>> = LazyLock::new(|| read(include_str!("relations.txt")));
    &ALL
}

/// The relation of a name.
pub(crate) fn named(schema: &str, name: &str) -> Option<&'static Declared> {
    static BY_NAME: LazyLock<HashMap<&str, Vec<&'static Declared>>> = LazyLock::new(|| {
        let mut by_name: HashMap<&str, Vec<&'static Declared>> = HashMap::new();
        for declared in all() {
            by_name.entry(declared.name).or_default().push(declared);
        }
        by_name
    });
    BY_NAME.get(name)?.iter().copied().find(|declared| declared.schema == schema)
}

/// The relation of a number.
pub(crate) fn numbered(oid: u32) -> Option<&'static Declared> {
    static BY_OID: LazyLock<HashMap<u32, &'static Declared>> =
        LazyLock::new(|| all().iter().map(|declared| (declared.oid, declared)).collect());
    BY_OID.get(&oid).copied()
}

/// What is not declared so is left out, which a test finds.
fn read(text: &'static str) -> Vec<Declared> {
    let (mut schema, mut relations) = ("", Vec::new());
    for line in text.lines() {
        match line.strip_prefix('[').and_then(|line| line.strip_suffix(']')) {
            Some(name) => schema = name,
            None => relations.extend(relation(schema, line)),
        }
    }
    relations
}

fn relation(schema: &'static str, line: &'static str) -> Option<Declared> {
    let mut words = line.split(' ');
    let name = words.next()?;
    let mut number = || -> Option<u32> { words.next()?.parse().ok() };
    let (oid, row_type, row_array) = (number()?, number()?, number()?);
    let is_table = words.next()? == "r";
    let columns = words.map(column).collect::<Option<_>>()?;
    Some(Declared { schema, name, oid, row_type, row_array, is_table, columns })
}

fn column(word: &'static str) -> Option<DeclaredColumn> {
    let (name, type_name) = word.split_once(':')?;
    let (type_name, not_null) = match type_name.strip_suffix('!') {
        Some(type_name) => (type_name, true),
        None => (type_name, false),
    };
    let (type_oid, kind) = match DOMAINS.iter().find(|domain| domain.name == type_name) {
        Some(domain) => (domain.oid, ColumnType { pg: domain.base, modifier: domain.modifier }),
        None => type_named(type_name)?,
    };
    Some(DeclaredColumn { name, type_oid, kind, not_null })
}

/// A type by its name. Of the rows of another relation there are only arrays, which are shown as texts.
fn type_named(name: &str) -> Option<(u32, ColumnType)> {
    if name == "_pg_statistic" {
        return Some((ROWS_OF_PG_STATISTIC, ColumnType::plain(&TEXT)));
    }
    let pg = pgtype::by_name(name)?;
    Some((pg.oid, ColumnType::plain(pg)))
}

/// `pg_statistic[]`
const ROWS_OF_PG_STATISTIC: u32 = 10028;

impl DeclaredColumn {
    /// The column as queries see it.
    pub(crate) fn field(&self) -> Field {
        let arrow = arrow_of(self.kind);
        let is_told = pgtype::of(&arrow) == self.kind;
        let field = Field::new(self.name, arrow, true);
        if is_told { field } else { field.with_metadata(self.kind.metadata()) }
    }
}

/// What the values of a type are here: texts, where nothing is computed with them.
fn arrow_of(kind: ColumnType) -> DataType {
    match (kind.pg.arrow(kind.modifier), kind.pg.element_type()) {
        (Some(arrow), _) => arrow,
        (None, Some(element)) => list_of(arrow_of(ColumnType::plain(element))),
        (None, None) => DataType::Utf8,
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;

    #[test]
    fn every_line_is_a_relation_of_known_types() {
        let text = include_str!("relations.txt");
        for line in text.lines().filter(|line| !line.starts_with('[')) {
            let name = line.split(' ').next().unwrap();
            assert!(all().iter().any(|declared| declared.name == name), "{line}");
        }
        // `SELECT count(*), sum(relnatts) FROM pg_class WHERE relnamespace IN (11, 13207) AND relkind IN ('r', 'v')`.
        assert_eq!(all().len(), 208);
        assert_eq!(all().iter().map(|declared| declared.columns.len()).sum::<usize>(), 2005);
    }

    #[test]
    fn columns_say_their_types() {
        let told = |schema: &str, name: &str, column: &str| {
            let declared = named(schema, name).unwrap();
            let column = declared.columns.iter().find(|known| known.name == column).unwrap();
            let shown = pgtype::of_field(&column.field());
            (shown.pg.name, shown.modifier, column.type_oid, column.not_null)
        };
        assert_eq!(told("pg_catalog", "pg_class", "oid"), ("oid", -1, 26, true));
        assert_eq!(told("pg_catalog", "pg_class", "relname"), ("name", -1, 19, true));
        assert_eq!(told("pg_catalog", "pg_class", "relkind"), ("char", -1, 18, true));
        assert_eq!(told("pg_catalog", "pg_class", "relfrozenxid"), ("xid", -1, 28, true));
        assert_eq!(told("pg_catalog", "pg_class", "relacl"), ("_aclitem", -1, 1034, false));
        assert_eq!(told("pg_catalog", "pg_class", "relpartbound"), ("pg_node_tree", -1, 194, false));
        assert_eq!(told("pg_catalog", "pg_index", "indkey"), ("int2vector", -1, 22, true));
        assert_eq!(told("pg_catalog", "pg_proc", "proargtypes"), ("oidvector", -1, 30, true));
        assert_eq!(told("pg_catalog", "pg_type", "typinput"), ("regproc", -1, 24, true));
        assert_eq!(told("pg_catalog", "pg_settings", "enumvals"), ("_text", -1, 1009, false));
        assert_eq!(told("information_schema", "tables", "table_name"), ("name", -1, 13226, false));
        assert_eq!(told("information_schema", "tables", "table_type"), ("varchar", -1, 13224, false));
        assert_eq!(told("information_schema", "tables", "is_typed"), ("varchar", 7, 13234, false));
        assert_eq!(told("information_schema", "columns", "ordinal_position"), ("int4", -1, 13221, false));
        assert_eq!(told("information_schema", "triggers", "created"), ("timestamptz", 2, 13232, false));
    }
}
