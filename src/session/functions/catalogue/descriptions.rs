//! `obj_description` and the like: the texts of COMMENT ON. Columns and what all databases share have none.

use super::{CatalogueFunction, Computed, Value, View, names};
use crate::{
    pgtype::{INT4, NAME, OID, TEXT, by_oid, procedure},
    session::pg_catalog::objects::{PG_CLASS, PG_NAMESPACE, PG_PROC, PG_TYPE},
};

pub(super) const LIST: &[CatalogueFunction] = &[
    CatalogueFunction {
        name: "col_description",
        purpose: "The comment on a column, by the number of its table and its own",
        example: "col_description(1259, 1)",
        overloads: &[&[OID, INT4]],
        returns: TEXT,
        run: |_, _| Ok(None),
    },
    CatalogueFunction {
        name: "obj_description",
        purpose: "The comment on an object, by its number and the catalogue that it is in",
        example: "obj_description(2200, 'pg_namespace')",
        overloads: &[&[OID, NAME], &[OID]],
        returns: TEXT,
        run: comment,
    },
    CatalogueFunction {
        name: "pg_describe_object",
        purpose: "An object in words, by the number of its catalogue, its own and that of a part of it",
        example: "pg_describe_object(1259, 1259, 0)",
        overloads: &[&[OID, OID, INT4]],
        returns: TEXT,
        run: described,
    },
    CatalogueFunction {
        name: "shobj_description",
        purpose: "The comment on what all databases share, as databases and roles are",
        example: "shobj_description(1, 'pg_database')",
        overloads: &[&[OID, NAME]],
        returns: TEXT,
        run: |_, _| Ok(None),
    },
];

fn comment(view: &View, values: &[Value]) -> Computed {
    let (oid, catalogue) = match values {
        [Value::Oid(oid), Value::Text(catalogue)] => (*oid, Some(catalogue.as_str())),
        [Value::Oid(oid)] => (*oid, None),
        _ => return Ok(None),
    };
    let is_asked = |known: &str| catalogue.is_none_or(|catalogue| catalogue == known);
    let of_relation = || view.objects.relation_of(oid).and_then(|relation| relation.comment());
    let of_schema = || view.objects.schema_of(oid).and_then(|schema| schema.comment);
    let found = if is_asked("pg_class") { of_relation() } else { None };
    let found = found.or_else(|| if is_asked("pg_namespace") { of_schema() } else { None });
    Ok(found.map(|comment| Value::Text(comment.to_owned())))
}

fn described(view: &View, values: &[Value]) -> Computed {
    let [Value::Oid(catalogue), Value::Oid(oid), Value::Number(part)] = values else { return Ok(None) };
    let words = match *catalogue {
        PG_TYPE => by_oid(*oid).map(|known| format!("type {}", known.sql(None))),
        PG_PROC => procedure(*oid).map(|known| format!("function {}", names::with_types(known))),
        PG_CLASS => view.objects.relation_of(*oid).and_then(|relation| {
            let noun = match relation.letter() {
                'v' => "view",
                'f' => "foreign table",
                _ => "table",
            };
            let words = format!("{noun} {}", view.written(&relation));
            if *part == 0 {
                return Some(words);
            }
            let column = relation.columns().into_iter().find(|column| i64::from(column.number) == *part)?;
            Some(format!("column {} of {words}", column.name))
        }),
        PG_NAMESPACE => view.objects.schema_name(*oid).map(|name| format!("schema {name}")),
        _ => None,
    };
    Ok(words.map(Value::Text))
}
