//! Random tables, written in random ways and read back: every cell is what was written, whatever the parts and threads.
//!
//! The writers here are independent of those of the engine. `FUSEWIRE_FILES_SEED` and `FUSEWIRE_FILES_CASES` choose other
//! cases; a failure names its seed.

use std::env;

use arrow::array::{Array, ArrayRef, AsArray};
use arrow::datatypes::{DataType, Date32Type, Decimal128Type, Float64Type, Int64Type, TimestampMicrosecondType};
use arrow::record_batch::RecordBatch;
use chrono::{NaiveDate, NaiveDateTime};
use datafusion::common::DataFusionError;

use super::*;

/// Sebastiano Vigna's SplitMix64.
struct Random(u64);

impl Random {
    fn next(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut mixed = self.0;
        mixed = (mixed ^ (mixed >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        mixed ^ (mixed >> 31)
    }

    fn below(&mut self, bound: usize) -> usize {
        (self.next() % bound as u64) as usize
    }

    fn chance(&mut self, percent: usize) -> bool {
        self.below(100) < percent
    }

    fn of<'a>(&mut self, choices: &[&'a str]) -> &'a str {
        choices[self.below(choices.len())]
    }
}

fn setting(name: &str, default: u64) -> u64 {
    env::var(format!("FUSEWIRE_FILES_{name}")).map_or(default, |text| text.parse().unwrap())
}

/// What a column holds.
#[derive(Debug, Clone, Copy)]
enum Kind {
    Small,
    Integer,
    Fraction,
    Exact,
    Boolean,
    Date,
    Timestamp,
    Code,
    Text,
}

const KINDS: [Kind; 9] = [
    Kind::Small,
    Kind::Integer,
    Kind::Fraction,
    Kind::Exact,
    Kind::Boolean,
    Kind::Date,
    Kind::Timestamp,
    Kind::Code,
    Kind::Text,
];

fn cell(random: &mut Random, kind: Kind) -> String {
    match kind {
        Kind::Small => random.below(100).to_string(),
        Kind::Integer => (random.next() as i64 >> random.below(60)).to_string(),
        Kind::Fraction => format!("{}", (random.next() as i64 >> 40) as f64 / 8.0),
        Kind::Exact => format!("{}.{:03}", random.next() as i64 >> 4, random.below(1000)),
        Kind::Boolean => random.of(&["true", "false"]).to_owned(),
        Kind::Date => format!("{:04}-{:02}-{:02}", 1 + random.below(9999), 1 + random.below(12), 1 + random.below(28)),
        Kind::Timestamp => format!(
            "{:04}-{:02}-{:02} {:02}:{:02}:{:02}.{:06}",
            1 + random.below(9999),
            1 + random.below(12),
            1 + random.below(28),
            random.below(24),
            random.below(60),
            random.below(60),
            random.below(1_000_000)
        ),
        Kind::Code => {
            random.of(&["12E3", "007", "5001173100E712", "inf", "1.2.3", "2024-01", "+4915112345678"]).to_owned()
        }
        Kind::Text => {
            let parts =
                ["", "a", "B c", " ", "é", "日本", "\"", "\"\"", ",", ";", "\n", "'", "NULL", "x y", "1", "|", "\t"];
            (0..random.below(4)).map(|_| random.of(&parts)).collect()
        }
    }
}

/// Columns of texts; none: NULL.
struct Table {
    columns: Vec<Vec<Option<String>>>,
    rows: usize,
}

impl Table {
    /// Types and values may change late.
    fn random(random: &mut Random) -> Self {
        let rows = random.below(60);
        let columns = (0..1 + random.below(5)).map(|_| {
            let (kind, other) = (KINDS[random.below(KINDS.len())], KINDS[random.below(KINDS.len())]);
            let late = if random.chance(30) { random.below(rows + 1) } else { rows };
            let nulls = random.below(40);
            let value = |row: usize, random: &mut Random| {
                (!random.chance(nulls)).then(|| cell(random, if row < late { kind } else { other }))
            };
            (0..rows).map(|row| value(row, random)).collect()
        });
        Self { columns: columns.collect(), rows }
    }
}

/// How the files of a table are written.
#[derive(Debug)]
struct Way {
    delimiter: char,
    line_end: &'static str,
    quotes_percent: usize,
    ends_with_line: bool,
    utf16: bool,
}

fn csv(table: &Table, rows: std::ops::Range<usize>, order: &[usize], way: &Way, random: &mut Random) -> Vec<u8> {
    let mut lines = vec![order.iter().map(|column| format!("c{column}")).collect::<Vec<_>>()];
    for row in rows {
        lines.push(order.iter().map(|column| csv_field(table.columns[*column][row].as_deref(), way, random)).collect());
    }
    let lines: Vec<_> = lines.iter().map(|fields| fields.join(&way.delimiter.to_string())).collect();
    let mut text = lines.join(way.line_end);
    // The NULL of a single column is an empty line, which needs its end.
    if way.ends_with_line || text.ends_with('\n') || order.len() == 1 {
        text.push_str(way.line_end);
    }
    match way.utf16 {
        true => format!("\u{feff}{text}").encode_utf16().flat_map(u16::to_le_bytes).collect(),
        false => text.into_bytes(),
    }
}

fn csv_field(value: Option<&str>, way: &Way, random: &mut Random) -> String {
    let Some(text) = value else { return String::new() };
    let must = text.is_empty() || text.contains([way.delimiter, '"', '\n', '\r']) || text.starts_with(' ');
    if must || random.chance(way.quotes_percent) {
        format!("\"{}\"", text.replace('"', "\"\""))
    } else {
        text.to_owned()
    }
}

#[tokio::test]
async fn csv_cells_are_what_was_written() {
    let (seed, cases) = (setting("SEED", 7), setting("CASES", 200));
    for case in 0..cases {
        let mut random = Random(seed.wrapping_mul(1_000_003).wrapping_add(case));
        let table = Table::random(&mut random);
        let way = Way {
            delimiter: [',', ';', '\t', '|'][random.below(4)],
            line_end: ["\n", "\r\n"][random.below(2)],
            quotes_percent: [0, 20, 100][random.below(3)],
            ends_with_line: random.chance(70),
            utf16: random.chance(20),
        };
        let files = Files::with_partitions(1 + random.below(4));
        let parts = 1 + random.below(3);
        for part in 0..parts {
            let mut order: Vec<usize> = (0..table.columns.len()).collect();
            for place in (1..order.len()).rev() {
                order.swap(place, random.below(place + 1));
            }
            let rows = part * table.rows / parts..(part + 1) * table.rows / parts;
            files.put(&format!("t/{part}.csv"), csv(&table, rows, &order, &way, &mut random));
        }
        let place = format!("seed {seed} case {case}: {way:?}");
        let delimiter = way.delimiter.to_string();
        // Between semicolons `1,1` is a number, unless it is told that it is not.
        let told = random.chance(50) || way.delimiter == ';';
        let said = [("delimiter", delimiter.as_str()), ("header", "true"), ("decimal_separator", ".")];
        let options: &[(&str, &str)] = if told { &said } else { &[] };
        match files.rows("t", options).await {
            Ok((schema, batches)) => check(&table, &schema, &batches, &place),
            // What was not told may be guessed wrong, but not in silence.
            Err(error) => assert!(!told && error.contains("file t/"), "{place}: {error}"),
        }
    }
}

#[tokio::test]
async fn json_cells_are_what_was_written() {
    let (seed, cases) = (setting("SEED", 7), setting("CASES", 200));
    for case in 0..cases {
        let mut random = Random(seed.wrapping_mul(1_000_033).wrapping_add(case));
        let table = Table::random(&mut random);
        let files = Files::with_partitions(1 + random.below(4));
        let (parts, form, utf16) = (1 + random.below(3), random.below(3), random.chance(20));
        for part in 0..parts {
            let rows = part * table.rows / parts..(part + 1) * table.rows / parts;
            let objects: Vec<_> = rows.map(|row| json_object(&table, row, form, &mut random)).collect();
            let text = match form {
                0 => objects.iter().map(|object| format!("{object}\n")).collect::<String>(),
                1 => objects.join("  "),
                _ => format!("[{}]", objects.join(",\n")),
            };
            let bytes = match utf16 {
                true => format!("\u{feff}{text}").encode_utf16().flat_map(u16::to_be_bytes).collect(),
                false => text.into_bytes(),
            };
            files.put(&format!("t/{part}.json"), bytes);
        }
        let place = format!("seed {seed} case {case}: form {form}, UTF-16 {utf16}");
        match files.rows("t", &[]).await {
            Ok((schema, batches)) => check(&table, &schema, &batches, &place),
            Err(error) => {
                let is_empty = table.columns.iter().flatten().all(Option::is_none) || table.rows == 0;
                assert!(is_empty || error.contains("is empty"), "{place}: {error}");
            }
        }
    }
}

/// An object in which NULL is null or nothing, and numbers and texts are written as such.
fn json_object(table: &Table, row: usize, form: usize, random: &mut Random) -> String {
    let mut members = Vec::new();
    for (column, values) in table.columns.iter().enumerate() {
        let value = match &values[row] {
            None if random.chance(50) => continue,
            None => "null".to_owned(),
            Some(text) => {
                let is_number = text.trim() == text && serde_json::from_str::<serde_json::Number>(text).is_ok();
                let is_bare = text == "true" || text == "false" || is_number;
                if is_bare { text.clone() } else { serde_json::to_string(text).unwrap() }
            }
        };
        members.push(format!("\"c{column}\":{}{value}", random.of(&["", " "])));
    }
    format!("{{{}}}", members.join(if form == 1 { ",\n" } else { "," }))
}

impl Files {
    /// The rows of a directory's files, in the order of the files.
    async fn rows(&self, location: &str, options: &[(&str, &str)]) -> Outcome<(Schema, Vec<RecordBatch>)> {
        let definition = self.resolve(self.request(location, options)).await?;
        let table = crate::source::Files
            .open(&definition, &self.stores(), &Access::Local)
            .map_err(|error| self.shown(&error))?;
        let state = self.context.state();
        let plan = table.scan(&state, None, &[], None).await.map_err(|error| error.to_string())?;
        let batches = datafusion::physical_plan::collect(plan, self.context.task_ctx()).await;
        let shown =
            |error: DataFusionError| Error::find(&error).map_or_else(|| error.to_string(), |found| self.shown(&found));
        Ok((definition.table_schema(), batches.map_err(shown)?))
    }
}

/// Compares as multisets of rows, as parts come in any order.
fn check(table: &Table, schema: &Schema, batches: &[RecordBatch], place: &str) {
    let columns: Vec<Option<usize>> =
        (0..table.columns.len()).map(|column| schema.index_of(&format!("c{column}")).ok()).collect();
    let types: Vec<DataType> = columns
        .iter()
        .map(|column| column.map_or(DataType::Utf8, |column| schema.field(column).data_type().clone()))
        .collect();
    let mut expected: Vec<Vec<Option<String>>> = (0..table.rows)
        .map(|row| {
            (0..columns.len()).map(|column| canonical(table.columns[column][row].as_deref(), &types[column])).collect()
        })
        .collect();
    let mut found: Vec<Vec<Option<String>>> = Vec::new();
    for batch in batches {
        for row in 0..batch.num_rows() {
            found
                .push(columns.iter().map(|column| column.and_then(|column| read(batch.column(column), row))).collect());
        }
    }
    expected.sort();
    found.sort();
    assert_eq!(expected, found, "{place}, types {types:?}");
}

/// A written text as the value of a type, in a form that tells values apart.
fn canonical(text: Option<&str>, data_type: &DataType) -> Option<String> {
    let text = text?;
    Some(match data_type {
        DataType::Utf8 => text.to_owned(),
        // A text without characters is a missing number, and blanks around one do not count.
        _ if text.trim().is_empty() => return None,
        data_type if text.trim() != text => return canonical(Some(text.trim()), data_type),
        DataType::Boolean => text.parse::<bool>().unwrap().to_string(),
        DataType::Int64 => text.parse::<i64>().unwrap().to_string(),
        DataType::Float64 => text.parse::<f64>().unwrap().to_string(),
        DataType::Decimal128(_, scale) => {
            let (whole, fraction) = text.split_once('.').unwrap_or((text, ""));
            format!("{whole}{fraction:0<width$}", width = *scale as usize).parse::<i128>().unwrap().to_string()
        }
        DataType::Date32 => NaiveDate::parse_from_str(text, "%Y-%m-%d").unwrap().to_string(),
        DataType::Timestamp(..) => match NaiveDateTime::parse_from_str(text, "%Y-%m-%d %H:%M:%S%.f") {
            Ok(time) => time.and_utc().timestamp_micros().to_string(),
            Err(_) => {
                let date = NaiveDate::parse_from_str(text, "%Y-%m-%d").unwrap();
                date.and_hms_opt(0, 0, 0).unwrap().and_utc().timestamp_micros().to_string()
            }
        },
        other => panic!("a type that was not asked for: {other}"),
    })
}

fn read(array: &ArrayRef, row: usize) -> Option<String> {
    if array.is_null(row) {
        return None;
    }
    Some(match array.data_type() {
        DataType::Utf8 => array.as_string::<i32>().value(row).to_owned(),
        DataType::Boolean => array.as_boolean().value(row).to_string(),
        DataType::Int64 => array.as_primitive::<Int64Type>().value(row).to_string(),
        DataType::Float64 => array.as_primitive::<Float64Type>().value(row).to_string(),
        DataType::Decimal128(..) => array.as_primitive::<Decimal128Type>().value(row).to_string(),
        DataType::Date32 => array.as_primitive::<Date32Type>().value_as_date(row).unwrap().to_string(),
        DataType::Timestamp(..) => array.as_primitive::<TimestampMicrosecondType>().value(row).to_string(),
        other => panic!("a type that was not asked for: {other}"),
    })
}
