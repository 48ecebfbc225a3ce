//! `pg_relation_size` and the like: how many bytes there are of what. Tables of the engine have as many as their files, and what
//! it only reads has none.
//!
//! ```sql
//! SELECT pg_size_pretty(pg_total_relation_size('orders'))
//! ```

use super::{CatalogueFunction, Computed, Value, View};
use crate::{
    Error, Fault,
    pgtype::{INT8, NAME, NUMERIC, OID, PgType, REGCLASS, TEXT},
    session::pg_catalog::{DEFAULT_SPACE, SPACES},
};

pub(super) const LIST: &[CatalogueFunction] = &[
    CatalogueFunction {
        name: "pg_size_pretty",
        purpose: "A number of bytes in the unit that people read it in",
        example: "pg_size_pretty(10240::bigint)",
        overloads: &[&[INT8], &[NUMERIC]],
        returns: TEXT,
        run: |_, values| match values {
            [Value::Number(bytes)] => Ok(Some(Value::Text(pretty(*bytes)))),
            _ => Ok(None),
        },
    },
    of_table(
        "pg_relation_size",
        "The bytes of a table",
        "pg_relation_size('pg_class')",
        &[&[REGCLASS], &[REGCLASS, TEXT]],
    ),
    of_table("pg_table_size", "The bytes of a table", "pg_table_size('pg_class')", &[&[REGCLASS]]),
    of_table(
        "pg_total_relation_size",
        "The bytes of a table with all that belongs to it",
        "pg_total_relation_size('pg_class')",
        &[&[REGCLASS]],
    ),
    CatalogueFunction {
        name: "pg_indexes_size",
        purpose: "The bytes of a table's indexes, of which there are none",
        example: "pg_indexes_size('pg_class')",
        overloads: &[&[REGCLASS]],
        returns: INT8,
        run: |view, values| {
            let [Value::Oid(oid)] = values else { return Ok(None) };
            Ok(view.objects.relation_of(*oid).map(|_| Value::Number(0)))
        },
    },
    CatalogueFunction {
        name: "pg_database_size",
        purpose: "The bytes of all tables of the database",
        example: "pg_database_size('fusewire')",
        overloads: &[&[TEXT], &[OID]],
        returns: INT8,
        run: of_database,
    },
    CatalogueFunction {
        name: "pg_tablespace_size",
        purpose: "The bytes of all that is in a tablespace",
        example: "pg_tablespace_size(1663)",
        overloads: &[&[NAME], &[OID]],
        returns: INT8,
        run: of_space,
    },
    CatalogueFunction {
        name: "pg_relation_filenode",
        purpose: "The number of a table's one file; none is kept in one",
        example: "pg_relation_filenode('pg_class')",
        overloads: &[&[REGCLASS]],
        returns: OID,
        run: |_, _| Ok(None),
    },
    CatalogueFunction {
        name: "pg_tablespace_location",
        purpose: "Where a tablespace is; those that there are, are in the data directory",
        example: "pg_tablespace_location(1663)",
        overloads: &[&[OID]],
        returns: TEXT,
        run: |_, _| Ok(Some(Value::Text(String::new()))),
    },
];

const fn of_table(
    name: &'static str,
    purpose: &'static str,
    example: &'static str,
    overloads: &'static [&'static [PgType]],
) -> CatalogueFunction {
    CatalogueFunction { name, purpose, example, overloads, returns: INT8, run: table_size }
}

fn table_size(view: &View, values: &[Value]) -> Computed {
    let Some(Value::Oid(oid)) = values.first() else { return Ok(None) };
    // Beside its rows a table has nothing.
    let is_of_rows = match values.get(1) {
        Some(Value::Text(fork)) if ["fsm", "init", "vm"].contains(&fork.as_str()) => false,
        Some(Value::Text(fork)) if fork != "main" => {
            return Err(Error::new(Fault::InvalidArgument, "invalid fork name"));
        }
        _ => true,
    };
    let relation = view.objects.relation_of(*oid);
    Ok(relation.map(|relation| Value::Number(if is_of_rows { number(relation.bytes()) } else { 0 })))
}

fn of_database(view: &View, values: &[Value]) -> Computed {
    values.iter().try_for_each(|database| view.check_database(database))?;
    Ok(Some(Value::Number(all_bytes(view))))
}

/// All tables are in the one place, and nothing is in PostgreSQL's other one.
fn of_space(view: &View, values: &[Value]) -> Computed {
    let is_default = match values {
        [Value::Oid(oid)] => match SPACES.iter().find(|(known, _)| known == oid) {
            Some((oid, _)) => *oid == DEFAULT_SPACE,
            None => return Ok(None),
        },
        [Value::Text(name)] => match SPACES.iter().find(|(_, known)| known == name) {
            Some((oid, _)) => *oid == DEFAULT_SPACE,
            None => {
                let message = format!("tablespace \"{name}\" does not exist");
                return Err(Error::new(Fault::UndefinedObject, message));
            }
        },
        _ => return Ok(None),
    };
    Ok(Some(Value::Number(if is_default { all_bytes(view) } else { 0 })))
}

fn all_bytes(view: &View) -> i64 {
    number(view.objects.relations().map(|relation| relation.bytes()).fold(0, u64::saturating_add))
}

fn number(bytes: u64) -> i64 {
    i64::try_from(bytes).unwrap_or(i64::MAX)
}

/// In the first unit of which there are less than 10,240 halves, rounded to whole ones.
fn pretty(bytes: i64) -> String {
    let (sign, mut left) = (if bytes < 0 { "-" } else { "" }, bytes.unsigned_abs());
    if left < 10 * 1024 {
        return format!("{sign}{left} bytes");
    }
    // Twice as many as there are, so that a half is seen.
    left /= 512;
    let units = ["kB", "MB", "GB", "TB", "PB"];
    for (at, unit) in units.iter().enumerate() {
        if left < 2 * 10 * 1024 - 1 || at + 1 == units.len() {
            return format!("{sign}{} {unit}", left.div_ceil(2));
        }
        left /= 1024;
    }
    format!("{sign}{left} bytes")
}

#[cfg(test)]
mod tests {
    use super::*;

    /// As PostgreSQL 15 shows them.
    #[test]
    fn bytes_are_shown_in_units() {
        for (bytes, expected) in [
            (0, "0 bytes"),
            (10_239, "10239 bytes"),
            (10_240, "10 kB"),
            (10_752, "11 kB"),
            (10_485_247, "10239 kB"),
            (10_485_248, "10 MB"),
            (10_485_760, "10 MB"),
            (20_971_519, "20 MB"),
            (1_234_567_890_123, "1150 GB"),
            (-20_480, "-20 kB"),
            (i64::MAX, "8192 PB"),
        ] {
            assert_eq!(pretty(bytes), expected, "{bytes}");
        }
    }
}
