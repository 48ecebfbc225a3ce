//! `has_table_privilege` and the like: who may do what. Everybody may do here what there is to do, but nobody writes what the
//! engine tells of itself.
//!
//! The first argument may be a role, by its name or its number; the object is a name or a number, and so may a column be.

use super::{CatalogueFunction, Computed, Value, View, names, visible::is_function};
use crate::{
    Error, Fault, Result,
    catalog::is_of_system,
    pgtype::{BOOL, INT2, OID, PgType, TEXT},
    session::pg_catalog::objects::Relation,
};

/// With a role's name, a role's number and no role, of an object by name and by number.
const OBJECT: &[&[PgType]] =
    &[&[TEXT, TEXT, TEXT], &[TEXT, OID, TEXT], &[OID, TEXT, TEXT], &[OID, OID, TEXT], &[TEXT, TEXT], &[OID, TEXT]];

/// The same with a column, by name and by number.
const COLUMN: &[&[PgType]] = &[
    &[TEXT, TEXT, TEXT, TEXT],
    &[TEXT, TEXT, INT2, TEXT],
    &[TEXT, OID, TEXT, TEXT],
    &[TEXT, OID, INT2, TEXT],
    &[OID, TEXT, TEXT, TEXT],
    &[OID, TEXT, INT2, TEXT],
    &[OID, OID, TEXT, TEXT],
    &[OID, OID, INT2, TEXT],
    &[TEXT, TEXT, TEXT],
    &[TEXT, INT2, TEXT],
    &[OID, TEXT, TEXT],
    &[OID, INT2, TEXT],
];

const OF_TABLES: &[&str] = &["select", "insert", "update", "delete", "truncate", "references", "trigger"];

const OF_COLUMNS: &[&str] = &["select", "insert", "update", "references"];

pub(super) const LIST: &[CatalogueFunction] = &[
    CatalogueFunction {
        name: "has_any_column_privilege",
        purpose: "Whether a role may do this with some column of a table",
        example: "has_any_column_privilege('pg_class', 'select')",
        overloads: OBJECT,
        returns: BOOL,
        run: |view, values| of_table(view, values, OF_COLUMNS),
    },
    CatalogueFunction {
        name: "has_column_privilege",
        purpose: "Whether a role may do this with a column of a table",
        example: "has_column_privilege('pg_class', 'relname', 'select')",
        overloads: COLUMN,
        returns: BOOL,
        run: of_column,
    },
    CatalogueFunction {
        name: "has_database_privilege",
        purpose: "Whether a role may do this in a database",
        example: "has_database_privilege('fusewire', 'connect')",
        overloads: OBJECT,
        returns: BOOL,
        run: of_database,
    },
    CatalogueFunction {
        name: "has_function_privilege",
        purpose: "Whether a role may do this with a function",
        example: "has_function_privilege('abs(integer)', 'execute')",
        overloads: OBJECT,
        returns: BOOL,
        run: of_function,
    },
    CatalogueFunction {
        name: "has_schema_privilege",
        purpose: "Whether a role may do this in a schema",
        example: "has_schema_privilege('public', 'usage')",
        overloads: OBJECT,
        returns: BOOL,
        run: of_schema,
    },
    CatalogueFunction {
        name: "has_table_privilege",
        purpose: "Whether a role may do this with a table",
        example: "has_table_privilege('pg_class', 'select')",
        overloads: OBJECT,
        returns: BOOL,
        run: |view, values| of_table(view, values, OF_TABLES),
    },
    CatalogueFunction {
        name: "pg_has_role",
        purpose: "Whether a role has the rights of another",
        example: "pg_has_role('fusewire', 'usage')",
        overloads: OBJECT,
        returns: BOOL,
        run: has_role,
    },
];

/// What is asked, in lower case and without the right to grant it.
fn asked(privileges: &str, known: &[&str]) -> Result<Vec<String>> {
    let each = privileges.split(',').map(|asked| {
        let word = asked.trim().to_lowercase();
        let plain = word.strip_suffix(" with grant option").unwrap_or(&word);
        if known.contains(&plain) {
            return Ok(plain.to_owned());
        }
        let message = format!("unrecognized privilege type: \"{}\"", asked.trim());
        Err(Error::new(Fault::InvalidArgument, message))
    });
    each.collect()
}

/// The object and the privileges of a call, whose role is one, if there is one before them.
fn without_role<'a>(view: &View, values: &'a [Value]) -> Result<Option<(&'a Value, &'a str)>> {
    match values {
        [object, Value::Text(privileges)] => Ok(Some((object, privileges.as_str()))),
        [role, object, Value::Text(privileges)] => {
            view.check_role(role)?;
            Ok(Some((object, privileges.as_str())))
        }
        _ => Ok(None),
    }
}

fn of_table(view: &View, values: &[Value], known: &[&str]) -> Computed {
    let Some((object, privileges)) = without_role(view, values)? else { return Ok(None) };
    let Some(relation) = names::named_by(view, object)? else { return Ok(None) };
    let asked = asked(privileges, known)?;
    Ok(Some(Value::Bool(may(&relation, &asked))))
}

/// Whether one of these may be done.
fn may(relation: &Relation<'_>, asked: &[String]) -> bool {
    relation.object().is_some() || asked.iter().any(|privilege| privilege == "select")
}

fn of_column(view: &View, values: &[Value]) -> Computed {
    let (object, column, privileges) = match values {
        [object, column, Value::Text(privileges)] => (object, column, privileges),
        [role, object, column, Value::Text(privileges)] => {
            view.check_role(role)?;
            (object, column, privileges)
        }
        _ => return Ok(None),
    };
    let Some(relation) = names::named_by(view, object)? else { return Ok(None) };
    let columns = relation.columns();
    match column {
        Value::Text(name) if !columns.iter().any(|column| column.name == *name) => {
            return Err(names::no_column(&relation, name));
        }
        Value::Number(number) if !columns.iter().any(|column| i64::from(column.number) == *number) => {
            return Ok(None);
        }
        _ => {}
    }
    let asked = asked(privileges, OF_COLUMNS)?;
    Ok(Some(Value::Bool(may(&relation, &asked))))
}

fn of_schema(view: &View, values: &[Value]) -> Computed {
    let Some((object, privileges)) = without_role(view, values)? else { return Ok(None) };
    let oid = match object {
        Value::Oid(oid) => *oid,
        Value::Text(name) => view.schema(name)?,
        Value::Number(_) | Value::Bool(_) => return Ok(None),
    };
    let asked = asked(privileges, &["create", "usage"])?;
    let schema = view.objects.schema_of(oid);
    Ok(schema.map(|schema| {
        let is_of_users = !is_of_system(schema.name);
        Value::Bool(is_of_users || asked.iter().any(|privilege| privilege == "usage"))
    }))
}

fn of_database(view: &View, values: &[Value]) -> Computed {
    let Some((object, privileges)) = without_role(view, values)? else { return Ok(None) };
    asked(privileges, &["create", "connect", "temporary", "temp"])?;
    view.check_database(object)?;
    Ok(Some(Value::Bool(true)))
}

fn of_function(view: &View, values: &[Value]) -> Computed {
    let Some((object, privileges)) = without_role(view, values)? else { return Ok(None) };
    asked(privileges, &["execute"])?;
    let is_there = match object {
        Value::Text(name) => names::of_signature(name).map(|_| true)?,
        Value::Oid(oid) => is_function(*oid),
        Value::Number(_) | Value::Bool(_) => false,
    };
    Ok(is_there.then_some(Value::Bool(true)))
}

/// A role has its own rights alone: none is a member of another.
fn has_role(view: &View, values: &[Value]) -> Computed {
    let (role, wanted, privileges) = match values {
        [wanted, Value::Text(privileges)] => (Some(view.role()), wanted, privileges),
        [role, wanted, Value::Text(privileges)] => (number_of(view, role)?, wanted, privileges),
        _ => return Ok(None),
    };
    let wanted = number_of(view, wanted)?;
    asked(privileges, &["member", "usage"])?;
    Ok(Some(Value::Bool(role == wanted)))
}

fn number_of(view: &View, role: &Value) -> Result<Option<u32>> {
    view.check_role(role)?;
    Ok(match role {
        Value::Text(name) => view.role_named(name),
        Value::Oid(oid) => Some(*oid),
        Value::Number(_) | Value::Bool(_) => None,
    })
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;

    #[test]
    fn privileges_are_words_of_a_list() {
        assert_eq!(asked("SELECT, insert with grant option", OF_TABLES).unwrap(), ["select", "insert"]);
        assert!(asked("usage", OF_TABLES).is_err() && asked("select,", OF_TABLES).is_err());
    }
}
