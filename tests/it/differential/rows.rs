//! Rows: few values, so that joins meet and groups have members; NULLs, duplicates, and sometimes each type's limits.

use super::{
    schema::{Column, Storage},
    tree::Kind,
};
use crate::random::Random;

/// Text that the generator's literals use too.
pub(crate) const WORDS: &[&str] =
    &["a", "b", "ab", "abc", "B", "A", "10", "3", "-1", "x1", "it's", "é", "%", "a_b", " "];

pub(crate) fn random_rows(
    random: &mut Random,
    columns: &[Column],
    storage: Storage,
    has_key: bool,
    is_wild: bool,
) -> Vec<Vec<Option<String>>> {
    let count = match random.weighted(&[8, 8, 70, 12, 2]) {
        0 => 0,
        1 => 1,
        2 => random.between(2, 9),
        3 => random.between(10, 30),
        _ => random.between(100, 400),
    };
    let nulls = random.pick(&[0, 10, 20, 40]);
    let wide = random.pick(&[3, 5, 9]);
    let mut rows: Vec<Vec<Option<String>>> = Vec::new();
    for number in 0..count {
        if !rows.is_empty() && !has_key && random.chance(15) {
            let copy = random.pick(&rows);
            rows.push(copy);
            continue;
        }
        let row = columns.iter().enumerate().map(|(index, column)| {
            let is_partition = matches!(storage, Storage::Partitioned(_)) && index + 1 == columns.len();
            if has_key && column.name == "id" {
                return Some((number + 1).to_string());
            }
            if is_partition {
                return (!random.chance(nulls / 2)).then(|| directory_value(random, column));
            }
            let value = (!random.chance(nulls)).then(|| random_value(random, column, wide, is_wild));
            value.map(|value| kept_by(storage, value))
        });
        rows.push(row.collect());
    }
    // Keys in another order than the rows.
    if random.chance(50) {
        random.shuffle(&mut rows);
    }
    rows
}

/// Whether directories may be named by the values of this column.
pub(crate) fn is_directory_key(name: &str) -> bool {
    matches!(name, "id" | "a" | "b" | "k" | "name" | "tag" | "flag" | "day")
}

/// One of few values, so that a directory has many rows.
fn directory_value(random: &mut Random, column: &Column) -> String {
    match column.kind {
        Kind::Text => random.pick(&["a", "b", "ab", "A", "3", "10"]).to_owned(),
        Kind::Bool => random.pick(&["true", "false"]).to_owned(),
        Kind::Date => format!("2024-01-0{}", random.between(1, 3)),
        _ => random.between(-1, 3).to_string(),
    }
}

/// What a format can't tell from something else is written otherwise.
fn kept_by(storage: Storage, value: String) -> String {
    let is_csv = matches!(storage, Storage::Csv | Storage::Partitioned("csv"));
    let is_json = matches!(storage, Storage::Json | Storage::Partitioned("json"));
    match value.as_str() {
        // CSV has one form for nothing.
        "" if is_csv => "-".to_owned(),
        // JSON has no number for these.
        "NaN" | "Infinity" | "-Infinity" if is_json => "0.25".to_owned(),
        _ => value,
    }
}

fn random_value(random: &mut Random, column: &Column, wide: i64, is_wild: bool) -> String {
    if column.name == "big" && random.chance(if is_wild { 60 } else { 20 }) {
        let limits: &[i64] = match column.type_name {
            "SMALLINT" => &[i16::MIN as i64, i16::MAX as i64],
            "INT" => &[i32::MIN as i64, i32::MAX as i64, i32::MAX as i64 - 1],
            _ => &[i64::MIN, i64::MAX, i64::MAX - 1, 1 << 53, (1 << 53) + 1],
        };
        return random.pick(limits).to_string();
    }
    let is_wild = is_wild && random.chance(20);
    match column.kind {
        Kind::Int => random.between(if wide > 5 { -wide } else { 0 }, wide).to_string(),
        Kind::Text if random.chance(5) => String::new(),
        Kind::Text => random.pick(&WORDS[..(wide as usize + 1).max(4).min(WORDS.len())]).to_owned(),
        Kind::Bool => random.pick(&["true", "false"]).to_owned(),
        Kind::Float if is_wild => random
            .pick(&["NaN", "Infinity", "-Infinity", "1.7976931348623157e308", "5e-324", "-1e300", "1e-10"])
            .to_owned(),
        // Quarters have exact sums in any order.
        Kind::Float => (random.between(-2, wide * 4) as f64 / 4.0).to_string(),
        Kind::Numeric if is_wild && column.type_name.contains("10") => {
            random.pick(&["99999999.99", "-99999999.99"]).to_owned()
        }
        Kind::Numeric if column.type_name.contains("10") => {
            format!("{}.{}", random.between(0, wide), random.pick(&["00", "50", "25", "10"]))
        }
        Kind::Numeric => format!("{}.{}", random.between(0, wide), random.pick(&["0", "5", "1"])),
        Kind::Date if is_wild => random.pick(&["0001-01-01", "9999-12-31", "1900-02-28", "2000-02-29"]).to_owned(),
        Kind::Date => format!("2024-0{}-0{}", random.between(1, 2), random.between(1, 2)),
        Kind::Timestamp if is_wild => {
            random.pick(&["1678-01-01 00:00:00", "2262-04-11 23:47:16", "1969-12-31 23:59:59.999999"]).to_owned()
        }
        Kind::Timestamp => {
            format!("2024-0{}-0{} 0{}:30:00", random.between(1, 2), random.between(1, 2), random.between(0, 1))
        }
    }
}
