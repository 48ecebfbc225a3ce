//! `pg_get_viewdef` and the like: what objects are, as SQL would make them. There are no indexes, rules, triggers and partitions,
//! so that what is asked of one is NULL, as of a number of nothing.

use super::{
    CatalogueFunction, Computed, Value, View, names,
    view::{type_of, types_of},
};
use crate::pgtype::{BOOL, INT4, OID, PgType, Procedure, TEXT, procedure};

/// Of a number, and with a word whether it is to be read by people.
const NUMBER: &[&[PgType]] = &[&[OID], &[OID, BOOL]];

pub(super) const LIST: &[CatalogueFunction] = &[
    CatalogueFunction {
        name: "pg_get_viewdef",
        purpose: "The query of a view",
        example: "pg_get_viewdef(1259)",
        overloads: &[&[OID], &[OID, BOOL], &[OID, INT4], &[TEXT], &[TEXT, BOOL]],
        returns: TEXT,
        run: view_query,
    },
    nothing("pg_get_constraintdef", "How a constraint is declared", "pg_get_constraintdef(1)", NUMBER),
    nothing(
        "pg_get_indexdef",
        "How an index is made; there are none",
        "pg_get_indexdef(1)",
        &[&[OID], &[OID, INT4, BOOL]],
    ),
    nothing("pg_get_ruledef", "How a rule is made; there are none", "pg_get_ruledef(1)", NUMBER),
    nothing("pg_get_triggerdef", "How a trigger is made; there are none", "pg_get_triggerdef(1)", NUMBER),
    nothing("pg_get_partkeydef", "The key of a partitioned table; there are none", "pg_get_partkeydef(1)", &[&[OID]]),
    nothing(
        "pg_get_partition_constraintdef",
        "The condition of a partition; there are none",
        "pg_get_partition_constraintdef(1)",
        &[&[OID]],
    ),
    nothing(
        "pg_get_statisticsobjdef",
        "How extended statistics are made; there are none",
        "pg_get_statisticsobjdef(1)",
        &[&[OID]],
    ),
    nothing(
        "pg_get_statisticsobjdef_columns",
        "The columns of extended statistics; there are none",
        "pg_get_statisticsobjdef_columns(1)",
        &[&[OID]],
    ),
    nothing(
        "pg_get_functiondef",
        "How a function is made, of which SQL makes none",
        "pg_get_functiondef(1)",
        &[&[OID]],
    ),
    nothing(
        "pg_get_function_sqlbody",
        "The body of a function of SQL; there are none",
        "pg_get_function_sqlbody(1)",
        &[&[OID]],
    ),
    CatalogueFunction {
        name: "pg_get_expr",
        purpose: "An expression that is kept with a relation, as SQL writes it",
        example: "pg_get_expr('1', 0)",
        overloads: &[&[TEXT, OID], &[TEXT, OID, BOOL]],
        returns: TEXT,
        run: |_, values| Ok(values.first().cloned()),
    },
    CatalogueFunction {
        name: "pg_get_function_arguments",
        purpose: "The types of a function's arguments",
        example: "pg_get_function_arguments(1397)",
        overloads: &[&[OID]],
        returns: TEXT,
        run: |_, values| of_function(values, arguments),
    },
    CatalogueFunction {
        name: "pg_get_function_identity_arguments",
        purpose: "The types of a function's arguments, as they tell it from others of its name",
        example: "pg_get_function_identity_arguments(1397)",
        overloads: &[&[OID]],
        returns: TEXT,
        run: |_, values| of_function(values, arguments),
    },
    CatalogueFunction {
        name: "pg_get_function_result",
        purpose: "The type of a function's values",
        example: "pg_get_function_result(1397)",
        overloads: &[&[OID]],
        returns: TEXT,
        run: |_, values| of_function(values, result),
    },
    CatalogueFunction {
        name: "pg_get_serial_sequence",
        purpose: "The sequence of a column; there are none",
        example: "pg_get_serial_sequence('pg_class', 'relname')",
        overloads: &[&[TEXT, TEXT]],
        returns: TEXT,
        run: sequence,
    },
    nothing(
        "pg_index_column_has_property",
        "Whether a column of an index has a property; there are none",
        "pg_index_column_has_property(1, 1, 'asc')",
        &[&[OID, INT4, TEXT]],
    )
    .yielding(BOOL),
    nothing(
        "pg_index_has_property",
        "Whether an index has a property; there are none",
        "pg_index_has_property(1, 'clusterable')",
        &[&[OID, TEXT]],
    )
    .yielding(BOOL),
    CatalogueFunction {
        name: "pg_relation_is_publishable",
        purpose: "Whether the rows of a table can be published to others, which nothing does",
        example: "pg_relation_is_publishable(1259)",
        overloads: &[&[OID]],
        returns: BOOL,
        run: |view, values| {
            let [Value::Oid(oid)] = values else { return Ok(None) };
            Ok(view.objects.relation_of(*oid).map(|_| Value::Bool(false)))
        },
    },
];

/// What is NULL of all numbers.
const fn nothing(
    name: &'static str,
    purpose: &'static str,
    example: &'static str,
    overloads: &'static [&'static [PgType]],
) -> CatalogueFunction {
    CatalogueFunction { name, purpose, example, overloads, returns: TEXT, run: |_, _| Ok(None) }
}

impl CatalogueFunction {
    const fn yielding(self, returns: PgType) -> Self {
        Self { returns, ..self }
    }
}

fn view_query(view: &View, values: &[Value]) -> Computed {
    let Some(object) = values.first() else { return Ok(None) };
    let query = names::named_by(view, object)?.and_then(|relation| relation.view());
    Ok(query.map(|query| Value::Text(format!(" {};", query.trim().trim_end_matches(';').trim_end()))))
}

fn of_function(values: &[Value], told: fn(&Procedure) -> String) -> Computed {
    let [Value::Oid(oid)] = values else { return Ok(None) };
    Ok(procedure(*oid).map(|known| Value::Text(told(known))))
}

fn arguments(known: &Procedure) -> String {
    let mut types = types_of(&known.arguments);
    if known.variadic != 0
        && let Some(last) = types.last_mut()
    {
        *last = format!("VARIADIC {last}");
    }
    types.join(", ")
}

fn result(known: &Procedure) -> String {
    let several = if known.of_rows { "SETOF " } else { "" };
    format!("{several}{}", type_of(known.returns))
}

fn sequence(view: &View, values: &[Value]) -> Computed {
    let [table, Value::Text(column)] = values else { return Ok(None) };
    let Some(relation) = names::named_by(view, table)? else { return Ok(None) };
    if relation.columns().iter().any(|known| known.name == *column) {
        return Ok(None);
    }
    Err(names::no_column(&relation, column))
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;

    /// As PostgreSQL 15 tells of them.
    #[test]
    fn functions_are_told_by_their_types() {
        for (oid, expected_arguments, expected_result) in [
            (1397, "integer", "integer"),
            (1067, "integer, integer", "SETOF integer"),
            (3059, "text, VARIADIC \"any\"", "text"),
        ] {
            let known = procedure(oid).unwrap();
            assert_eq!((arguments(known).as_str(), result(known).as_str()), (expected_arguments, expected_result));
        }
    }
}
