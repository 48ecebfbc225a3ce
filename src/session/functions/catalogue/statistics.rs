//! `pg_stat_get_live_tuples` and the like: what was counted of a table. Its rows are known; how often it was read and changed,
//! nobody counts.
//!
//! ```sql
//! SELECT relname, pg_stat_get_live_tuples(oid) FROM pg_class WHERE relkind = 'r'
//! ```

use super::{CatalogueFunction, Value};
use crate::pgtype::{INT8, OID, PgType};

/// Of the number of a table.
const NUMBER: &[&[PgType]] = &[&[OID]];

pub(super) const LIST: &[CatalogueFunction] = &[
    CatalogueFunction {
        name: "pg_stat_get_live_tuples",
        purpose: "The rows of a table",
        example: "pg_stat_get_live_tuples(1259)",
        overloads: NUMBER,
        returns: INT8,
        run: |view, values| {
            let [Value::Oid(oid)] = values else { return Ok(None) };
            let rows = view.objects.relation_of(*oid).and_then(|relation| relation.rows());
            Ok(Some(Value::Number(rows.and_then(|rows| i64::try_from(rows).ok()).unwrap_or(0))))
        },
    },
    uncounted("pg_stat_get_dead_tuples", "pg_stat_get_dead_tuples(1259)"),
    uncounted("pg_stat_get_numscans", "pg_stat_get_numscans(1259)"),
    uncounted("pg_stat_get_tuples_returned", "pg_stat_get_tuples_returned(1259)"),
    uncounted("pg_stat_get_tuples_fetched", "pg_stat_get_tuples_fetched(1259)"),
    uncounted("pg_stat_get_tuples_inserted", "pg_stat_get_tuples_inserted(1259)"),
    uncounted("pg_stat_get_tuples_updated", "pg_stat_get_tuples_updated(1259)"),
    uncounted("pg_stat_get_tuples_deleted", "pg_stat_get_tuples_deleted(1259)"),
    uncounted("pg_stat_get_blocks_fetched", "pg_stat_get_blocks_fetched(1259)"),
    uncounted("pg_stat_get_blocks_hit", "pg_stat_get_blocks_hit(1259)"),
];

/// What is 0 of every table.
const fn uncounted(name: &'static str, example: &'static str) -> CatalogueFunction {
    let purpose = "A count of PostgreSQL's statistics; nobody counts it here";
    CatalogueFunction {
        name,
        purpose,
        example,
        overloads: NUMBER,
        returns: INT8,
        run: |_, _| Ok(Some(Value::Number(0))),
    }
}
