//! Groups of two tables that are larger than the memory which the engine may use, and queries that must spill over them.
//! Their rows are computed by SQL, and every answer is short.

use super::{
    schema::{Column, Engine, Storage, Table},
    tree::{Expr, FromItem, Item, Kind, Part, Query, Select},
};
use crate::random::Random;

/// Rows of the larger table. Each has a text of about 300 bytes.
const ROWS: usize = 30_000;

pub(crate) fn random_group(random: &mut Random) -> (Engine, Vec<Table>) {
    let engine = Engine {
        threads: random.pick(&[1, 2]),
        target_partitions: random.pick(&[1, 2, 4]),
        batch_size: random.pick(&[1000, 8192]),
        memory_limit: "16MB",
        keeps_data: random.chance(50),
    };
    let column = |name: &str, kind: Kind, type_name| Column {
        name: name.to_owned(),
        kind,
        type_name,
        is_small: true,
        is_exact: true,
    };
    let tables = [("t1", ROWS), ("t2", ROWS / 3)].map(|(name, rows)| {
        let columns = vec![
            column("id", Kind::Int, "BIGINT"),
            column("a", Kind::Int, "BIGINT"),
            column("b", Kind::Int, "BIGINT"),
            column("name", Kind::Text, "TEXT"),
        ];
        let (few, many, names) = (random.between(3, 50), random.between(500, 5000), random.between(2000, 20_000));
        let fill = format!(
            "SELECT i, CASE WHEN i % 11 <> 0 THEN i % {few} END, (i * 7919) % {many}, \
             md5(CAST(i % {names} AS TEXT)) || repeat('x', 270) FROM generate_series(1, {rows}) AS g(i)"
        );
        let storage = random.pick(&[Storage::Managed, Storage::Computed]);
        Table { name: name.to_owned(), columns, rows: Vec::new(), storage, has_key: true, fill: Some(fill) }
    });
    (engine, tables.to_vec())
}

/// A query of one of a few shapes, each over a sort, a grouping, a window, a set or a join that does not fit.
pub(crate) fn random_query(random: &mut Random) -> Query {
    let table = random.pick(&["t1", "t2"]);
    let key = random.pick(&["name", "id", "b, name", "name, a"]);
    let direction = random.pick(&["", " DESC", " NULLS FIRST", " DESC NULLS LAST"]);
    let limit = random.between(0, 5);
    let set = random.pick(&["UNION", "INTERSECT ALL", "EXCEPT", "EXCEPT ALL", "UNION ALL", "INTERSECT"]);
    let join = random.pick(&["JOIN", "LEFT JOIN", "RIGHT JOIN", "FULL JOIN"]);
    let kinds = [Kind::Int, Kind::Int, Kind::Text];
    let owned: [String; 2];
    let (items, from): ([&str; 3], String) = match random.below(11) {
        0 => (["COUNT(*)", "SUM(a)", "MIN(name)"], format!("(SELECT DISTINCT {key}, a, name AS n FROM {table}) AS d")),
        1 => (
            ["COUNT(*)", "SUM(n * m)", "MAX(name)"],
            format!("(SELECT name, COUNT(*) AS n, MAX(b) AS m FROM {table} GROUP BY name, a) AS d"),
        ),
        2 => {
            let offset = random.between(0, 9000);
            (
                ["id", "b", "name"],
                format!("(SELECT * FROM {table} ORDER BY a{direction}, name, id LIMIT {limit} OFFSET {offset}) AS d"),
            )
        }
        3 => (
            ["COUNT(*)", "SUM(r * id % 1000)", "MAX(name)"],
            format!(
                "(SELECT id, name, ROW_NUMBER() OVER (PARTITION BY a ORDER BY {key}{direction}, id) AS r FROM {table}) AS d"
            ),
        ),
        4 => (
            ["COUNT(*)", "SUM(n % 1000)", "MIN(name)"],
            format!("(SELECT name, SUM(b) OVER (PARTITION BY name ORDER BY id) AS n FROM {table}) AS d"),
        ),
        5 => {
            (["COUNT(*)", "SUM(b)", "MAX(name)"], format!("(SELECT b, name FROM t1 {set} SELECT b, name FROM t2) AS d"))
        }
        7 => {
            let few = random.between(1, 400);
            let filter = format!("FILTER (WHERE b < {few})");
            let both = random.pick(&[
                [format!("MIN(id) {filter}"), "MAX(b)".to_owned()],
                [format!("COUNT(*) {filter}"), "COUNT(a)".to_owned()],
                [format!("MAX(id) {filter}"), "MIN(id)".to_owned()],
                [format!("COUNT(DISTINCT a) {filter}"), "SUM(b)".to_owned()],
            ]);
            let condition = random.pick(&["true", "id > 400", "a IS NULL"]);
            owned = both;
            ([owned[0].as_str(), owned[1].as_str(), "MIN(name)"], format!("{table} WHERE {condition}"))
        }
        8 => {
            let frame =
                random.pick(&["ROWS BETWEEN 3 PRECEDING AND 1 FOLLOWING", "RANGE BETWEEN 2 PRECEDING AND 5 FOLLOWING"]);
            (
                ["COUNT(*)", "COUNT(DISTINCT m)", "CAST(MAX(CAST(m AS NUMERIC(20, 6))) AS TEXT)"],
                format!(
                    "(SELECT SUM(CAST(CASE WHEN id % 97 = 0 THEN 1e15 ELSE b % 8 END AS DOUBLE PRECISION) / 8) \
                     OVER (ORDER BY id {frame}) AS m FROM {table}) AS d"
                ),
            )
        }
        9 => (
            ["COUNT(*)", "SUM(d.n)", "MAX(x.name)"],
            format!(
                "{table} x JOIN LATERAL (SELECT COUNT(*) AS n, MIN(y.b) AS b FROM t2 y WHERE y.a = x.b) AS d ON d.b < x.id"
            ),
        ),
        6 => (
            ["COUNT(*)", "SUM(x.id % 1000)", "MAX(y.name)"],
            format!("t1 x {join} t2 y ON x.name = y.name AND x.a = y.a"),
        ),
        _ => (
            ["COUNT(*)", "SUM(id)", "MIN(name)"],
            format!(
                "t1 WHERE name IN (SELECT name FROM t2 WHERE b < 400) AND b NOT IN (SELECT b FROM t2 WHERE a = {limit})"
            ),
        ),
    };
    // Sorted outputs that are compared as text must be short.
    let items = items.iter().zip(kinds).map(|(item, kind)| {
        let text = if kind == Kind::Text { format!("SUBSTR({item}, 1, 32)") } else { (*item).to_owned() };
        Item::One { expr: Expr::column(kind, text), name: None }
    });
    let from = FromItem::Call { parts: vec![Part::Text(from)], alias: String::new() };
    Query::select(Select { items: items.collect(), from: Some(from), ..Select::default() })
}
