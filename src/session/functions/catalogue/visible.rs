//! `pg_table_is_visible` and the like: whether an object is found by its name alone. Of what is not there it is NULL.

use super::{CatalogueFunction, Computed, Value, View};
use crate::{
    catalog::FIRST_OID,
    pgtype::{BOOL, OID, procedure},
    session::pg_catalog::functions::OWN,
};

pub(super) const LIST: &[CatalogueFunction] = &[
    visible("pg_table_is_visible", "Whether the table is found by its name alone", "pg_table_is_visible(1259)", table),
    visible("pg_type_is_visible", "Whether the type is found by its name alone", "pg_type_is_visible(23)", of_type),
    visible(
        "pg_function_is_visible",
        "Whether the function is found by its name alone",
        "pg_function_is_visible(1397)",
        function,
    ),
    visible(
        "pg_collation_is_visible",
        "Whether the collation is found by its name alone",
        "pg_collation_is_visible(100)",
        of_system,
    ),
    visible(
        "pg_conversion_is_visible",
        "Whether the conversion is found by its name alone",
        "pg_conversion_is_visible(1)",
        of_system,
    ),
    visible(
        "pg_opclass_is_visible",
        "Whether the operator class is found by its name alone",
        "pg_opclass_is_visible(1978)",
        of_system,
    ),
    visible(
        "pg_operator_is_visible",
        "Whether the operator is found by its name alone",
        "pg_operator_is_visible(96)",
        of_system,
    ),
    visible(
        "pg_opfamily_is_visible",
        "Whether the operator family is found by its name alone",
        "pg_opfamily_is_visible(1976)",
        of_system,
    ),
    visible(
        "pg_statistics_obj_is_visible",
        "Whether the statistics are found by their name alone; there are none",
        "pg_statistics_obj_is_visible(1)",
        nothing,
    ),
    visible(
        "pg_ts_config_is_visible",
        "Whether the text search configuration is found by its name alone",
        "pg_ts_config_is_visible(1)",
        of_system,
    ),
    visible(
        "pg_ts_dict_is_visible",
        "Whether the text search dictionary is found by its name alone",
        "pg_ts_dict_is_visible(1)",
        of_system,
    ),
    visible(
        "pg_ts_parser_is_visible",
        "Whether the text search parser is found by its name alone",
        "pg_ts_parser_is_visible(1)",
        of_system,
    ),
    visible(
        "pg_ts_template_is_visible",
        "Whether the text search template is found by its name alone",
        "pg_ts_template_is_visible(1)",
        of_system,
    ),
    CatalogueFunction {
        name: "pg_is_other_temp_schema",
        purpose: "Whether the schema is one of temporary objects of another session",
        example: "pg_is_other_temp_schema(2200)",
        overloads: &[&[OID]],
        returns: BOOL,
        run: is_other,
    },
];

const fn visible(
    name: &'static str,
    purpose: &'static str,
    example: &'static str,
    run: fn(&View, &[Value]) -> Computed,
) -> CatalogueFunction {
    CatalogueFunction { name, purpose, example, overloads: &[&[OID]], returns: BOOL, run }
}

fn table(view: &View, values: &[Value]) -> Computed {
    let [Value::Oid(oid)] = values else { return Ok(None) };
    Ok(view.objects.relation_of(*oid).map(|relation| Value::Bool(view.sees_relation(&relation))))
}

fn is_other(view: &View, values: &[Value]) -> Computed {
    let [Value::Oid(oid)] = values else { return Ok(None) };
    Ok(Some(Value::Bool(view.is_other_temporary(*oid))))
}

fn of_type(view: &View, values: &[Value]) -> Computed {
    let [Value::Oid(oid)] = values else { return Ok(None) };
    Ok(view.objects.type_of(*oid).map(|found| Value::Bool(view.sees_type(&found))))
}

fn function(_view: &View, values: &[Value]) -> Computed {
    let [Value::Oid(oid)] = values else { return Ok(None) };
    Ok(is_function(*oid).then_some(Value::Bool(true)))
}

/// Whether a number is one of a function, all of which are in the schema that is looked into first.
pub(super) fn is_function(oid: u32) -> bool {
    procedure(oid).is_some() || (OWN..FIRST_OID).contains(&oid)
}

/// What the system alone has, all of it in the schema that is looked into first.
fn of_system(_view: &View, values: &[Value]) -> Computed {
    let [Value::Oid(oid)] = values else { return Ok(None) };
    Ok((1..FIRST_OID).contains(oid).then_some(Value::Bool(true)))
}

fn nothing(_view: &View, _values: &[Value]) -> Computed {
    Ok(None)
}
