//! `SELECT oid, typname FROM pg_type`: the types of PostgreSQL that there are here, the domains of `information_schema`, and the
//! types of the rows of every table and view, with those of their arrays.

use arrow::array::RecordBatch;

use super::{
    declared::{DOMAINS, Domain},
    filling::{Result, Wanted},
    objects::{Relation, role_oid},
    relation::Contents,
    types::{Codec, KeptAs, codec, collation, kept_as},
};
use crate::{
    catalog::SYSTEM_OWNER,
    pgtype::{PgType, RECORD, TYPES, procedures_named},
    session::{CATALOG_SCHEMA, information_schema},
};

/// A type.
struct Row<'a> {
    oid: u32,
    name: String,
    schema: &'a str,
    owner: &'a str,
    length: i16,
    kept: KeptAs,
    /// `b` for one of PostgreSQL's own, `p` for one that no value is of, `d` for a domain, `c` for rows.
    kind: char,
    category: char,
    is_preferred: bool,
    /// The relation whose rows are of it.
    relation: u32,
    element: u32,
    array: u32,
    codec: Codec,
    /// What a domain is made of, and its modifier.
    base: u32,
    modifier: i32,
    collation: u32,
}

pub(super) fn rows(contents: &Contents<'_>, wanted: Wanted) -> Result<RecordBatch> {
    let objects = &contents.objects;
    let mut rows: Vec<Row<'_>> = TYPES.iter().map(known).collect();
    rows.extend(DOMAINS.iter().flat_map(|domain| [of_domain(domain), of_domain_array(domain)]));
    for relation in objects.relations() {
        rows.extend([Some(of_rows(&relation)), of_row_array(&relation)].into_iter().flatten());
    }
    wanted
        .of(&rows)
        .number("oid", |row| Some(row.oid))
        .text("typname", |row| Some(row.name.as_str()))
        .number("typnamespace", |row| objects.schema_oid(row.schema))
        .number("typowner", |row| Some(role_oid(row.owner)))
        .number("typlen", |row| Some(row.length))
        .flag("typbyval", |row| row.kept.by_value)
        .text("typtype", |row| Some(row.kind.to_string()))
        .text("typcategory", |row| Some(row.category.to_string()))
        .flag("typispreferred", |row| row.is_preferred)
        .flag("typisdefined", |_| true)
        .text("typdelim", |_| Some(","))
        .number("typrelid", |row| Some(row.relation))
        .number("typsubscript", |row| Some(number_of(row.codec.subscript)))
        .number("typelem", |row| Some(row.element))
        .number("typarray", |row| Some(row.array))
        .number("typinput", |row| Some(number_of(&row.codec.input)))
        .number("typoutput", |row| Some(number_of(&row.codec.output)))
        .number("typreceive", |row| Some(number_of(&row.codec.receive)))
        .number("typsend", |row| Some(number_of(&row.codec.send)))
        .number("typmodin", |row| Some(number_of(&row.codec.modifier_in)))
        .number("typmodout", |row| Some(number_of(&row.codec.modifier_out)))
        .text("typalign", |row| Some(row.kept.align.to_string()))
        .text("typstorage", |row| Some(row.kept.storage.to_string()))
        .number("typbasetype", |row| Some(row.base))
        .number("typtypmod", |row| Some(row.modifier))
        .number("typcollation", |row| Some(row.collation))
        .finish()
}

/// The number of a function; 0 for `-`.
fn number_of(name: &str) -> u32 {
    procedures_named(name).first().map_or(0, |known| known.oid)
}

fn known(pg: &'static PgType) -> Row<'static> {
    // A name can be taken apart into its characters.
    let element = if pg.name == "name" { crate::pgtype::CHAR.oid } else { pg.element };
    let is_pseudo = pg.category == 'P' || pg.category == 'X';
    Row {
        oid: pg.oid,
        name: pg.name.to_owned(),
        schema: CATALOG_SCHEMA,
        owner: SYSTEM_OWNER,
        length: pg.length,
        kept: kept_as(pg),
        kind: if is_pseudo { 'p' } else { 'b' },
        category: pg.category,
        is_preferred: pg.is_preferred() || pg.name == "inet",
        relation: 0,
        element,
        array: pg.array,
        codec: codec(pg),
        base: 0,
        modifier: -1,
        collation: collation(pg, false),
    }
}

fn of_domain(domain: &'static Domain) -> Row<'static> {
    let base = known(domain.base);
    let (input, receive) = ("domain_in".to_owned(), "domain_recv".to_owned());
    let none = || "-".to_owned();
    Row {
        oid: domain.oid,
        name: domain.name.to_owned(),
        schema: information_schema::SCHEMA,
        kind: 'd',
        is_preferred: false,
        element: 0,
        array: domain.array,
        codec: Codec { input, receive, modifier_in: none(), modifier_out: none(), subscript: "-", ..base.codec },
        base: domain.base.oid,
        modifier: domain.modifier,
        // Those of the system are compared by their bytes.
        collation: collation(domain.base, true),
        ..base
    }
}

fn of_domain_array(domain: &'static Domain) -> Row<'static> {
    let item = of_domain(domain);
    array(item.array, &item)
}

/// The type of the rows of a relation.
fn of_rows<'a>(relation: &Relation<'a>) -> Row<'a> {
    Row {
        oid: relation.row_type().oid,
        name: relation.name.to_owned(),
        schema: relation.schema,
        owner: relation.owner(),
        kind: 'c',
        category: 'C',
        relation: relation.oid,
        array: relation.row_array().map_or(0, |array| array.oid),
        ..known(&RECORD)
    }
}

fn of_row_array<'a>(relation: &Relation<'a>) -> Option<Row<'a>> {
    Some(array(relation.row_array()?.oid, &of_rows(relation)))
}

/// The type of the arrays of another.
fn array<'a>(oid: u32, item: &Row<'a>) -> Row<'a> {
    let array = known(&crate::pgtype::INT4_ARRAY);
    let align = if item.kept.align == 'd' { 'd' } else { 'i' };
    Row {
        oid,
        name: format!("_{}", item.name),
        schema: item.schema,
        owner: item.owner,
        kept: KeptAs { align, ..array.kept },
        element: item.oid,
        collation: item.collation,
        ..array
    }
}
