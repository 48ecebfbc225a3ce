//! `obj_description` and the like: the texts of COMMENT ON. Columns and what all databases share have none.

use super::{CatalogueFunction, Computed, Value, View};
use crate::pgtype::{INT4, NAME, OID, TEXT};

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
    let of_schema = || view.objects.schemas().find(|schema| schema.oid == oid).and_then(|schema| schema.comment);
    let found = if is_asked("pg_class") { of_relation() } else { None };
    let found = found.or_else(|| if is_asked("pg_namespace") { of_schema() } else { None });
    Ok(found.map(|comment| Value::Text(comment.to_owned())))
}
