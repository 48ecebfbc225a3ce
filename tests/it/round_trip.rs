//! What COPY writes is read back as it was: every type, in every format and compression, in one file or in partitions, from the
//! disk and from S3.

use tempfile::TempDir;

use crate::{
    s3_server::{OWNER, S3Server},
    support::{Local, files_below},
};
use fusewire::Config;

/// Types, and values of them at their limits.
const TYPES: &[(&str, &[&str])] = &[
    ("smallint", &["-32768", "0", "32767"]),
    ("integer", &["-2147483648", "7", "2147483647"]),
    ("bigint", &["-9223372036854775808", "9007199254740993", "9223372036854775807"]),
    ("real", &["1.17549435e-38", "-0.1", "'NaN'"]),
    ("double precision", &["1.7976931348623157e308", "5e-324", "'-Infinity'", "-0.0", "0.1"]),
    ("numeric(10, 2)", &["-99999999.99", "0.10", "12"]),
    ("numeric(38, 19)", &["-1234567890123456789.1234567890123456789", "0"]),
    ("boolean", &["true", "false"]),
    (
        "text",
        &[
            "''",
            "' blanks '",
            "'NULL'",
            "'\"'",
            "'a,b;c|d'",
            "E'two\\nlines\\r\\n'",
            "E'\\t'",
            "'007'",
            "'12E3'",
            "'2024-01-05'",
            "'é日本😀'",
            "E'\\\\N'",
            "'true'",
            "'#'",
            "'{}'",
            "'null'",
        ],
    ),
    ("bytea", &["'ab'", "''", "'\\x00ff5c78'", "'\\x5c'"]),
    ("date", &["'0001-01-01'", "'1970-01-01'", "'9999-12-31'"]),
    ("time", &["'00:00:00'", "'23:59:59.999999'", "'12:30:00'"]),
    ("timestamp", &["'1678-01-01 00:00:00'", "'2024-02-29 12:00:00.000001'", "'2261-12-31 23:59:59.999999'"]),
    ("timestamptz", &["'1970-01-01 00:00:00+00'", "'2024-02-29 12:00:00.5+02'"]),
    ("integer[]", &["ARRAY[1, NULL, 3]", "ARRAY[]::integer[]"]),
    ("text[]", &["ARRAY['', 'a,b', NULL, '\"', '{}', 'null']"]),
    ("date[]", &["ARRAY['2024-02-29'::date, NULL]"]),
];

/// The formats, and the compressions that each has, with and without a level.
const FORMATS: &[(&str, &[&str])] = &[
    ("csv", &["none", "gzip", "zstd", "bzip2", "xz"]),
    ("tsv", &["none", "gzip"]),
    ("json", &["none", "gzip", "zstd", "bzip2", "xz"]),
    ("parquet", &["none", "uncompressed", "snappy", "gzip", "gzip(6)", "zstd(19)", "lz4_raw", "brotli", "brotli(4)"]),
    ("arrow", &[""]),
];

/// A number in quotes: a cast comes before the sign.
fn quoted(value: &str) -> String {
    let is_number = value.starts_with(|letter: char| letter == '-' || letter.is_ascii_digit());
    if is_number { format!("'{value}'") } else { value.to_owned() }
}

fn column(place: usize) -> String {
    format!("c{place}")
}

#[tokio::test]
async fn what_copy_writes_is_read_back_as_it_was() {
    let folder = TempDir::new().unwrap();
    let server = S3Server::start(&[]).await;
    let local = Local::open(Config::default()).await.unwrap();
    let (id, secret, endpoint) = (OWNER.id, OWNER.secret, server.endpoint());
    local
        .rows(&format!("CREATE SECRET round (TYPE s3, KEY_ID '{id}', SECRET '{secret}', ENDPOINT '{endpoint}')"))
        .await;
    let columns: Vec<_> =
        TYPES.iter().enumerate().map(|(place, (name, _))| format!("{} {name}", column(place))).collect();
    local.rows(&format!("CREATE TABLE things (id INT, part TEXT, {})", columns.join(", "))).await;
    let longest = TYPES.iter().map(|(_, values)| values.len()).max().unwrap();
    for row in 0..=longest {
        let values = TYPES.iter().map(|(name, values)| match values.get(row) {
            Some(value) => format!("{}::{name}", quoted(value)),
            None => format!("NULL::{name}"),
        });
        let part = ["'a'", "'b/c'", "NULL", "''"][row % 4];
        local
            .rows(&format!("INSERT INTO things VALUES ({row}, {part}, {})", values.collect::<Vec<_>>().join(", ")))
            .await;
    }
    let mut compared = 0;
    for (format, compressions) in FORMATS {
        let names: Vec<_> = (0..TYPES.len()).map(column).collect();
        let types: Vec<_> =
            TYPES.iter().enumerate().map(|(place, (name, _))| format!("{} {name}", column(place))).collect();
        let wanted = shown(&local, &names, "things").await;
        for compression in *compressions {
            for partitioned in [false, true] {
                let directory = format!("{format}-{}-{partitioned}", compression.replace(['(', ')'], ""));
                let path = folder.path().join(&directory);
                let (target, by) = match partitioned {
                    true => (format!("{}/", path.display()), " PARTITIONED BY (part)"),
                    false => (format!("{}/all.{format}", path.display()), ""),
                };
                std::fs::create_dir_all(&path).unwrap();
                let options = match *compression {
                    "" => String::new(),
                    name => format!("OPTIONS (compression '{name}')"),
                };
                let query = format!("SELECT id, part, {} FROM things", names.join(", "));
                local.rows(&format!("COPY ({query}) TO '{target}' STORED AS {format}{by} {options}")).await;
                let files = files_below(&path);
                assert!(!files.is_empty(), "{directory}");
                for file in &files {
                    server.put(&format!("round/{directory}/{file}"), std::fs::read(path.join(file)).unwrap());
                }
                for place in [format!("{}/", path.display()), format!("s3://round/{directory}/")] {
                    // Types that a text does not tell are said; the others are found.
                    let call = match *format {
                        "parquet" | "arrow" => format!("read_{format}('{place}')"),
                        format => format!("read_{format}('{place}', types => '{}')", types.join(", ")),
                    };
                    assert_eq!(shown(&local, &names, &call).await, wanted, "{call}");
                    compared += 1;
                }
            }
        }
    }
    println!("{compared} of {} round trips compared", 2 * 2 * FORMATS.iter().map(|(_, all)| all.len()).sum::<usize>());
}

/// The rows as texts, floats in a form that tells -0 from 0 and lists as such.
async fn shown(local: &Local, names: &[String], table: &str) -> Vec<Vec<String>> {
    local.rows(&format!("SELECT id, part, {} FROM {table} AS t ORDER BY id", names.join(", "))).await
}

#[tokio::test]
async fn what_a_text_tells_is_found_without_being_said() {
    let folder = TempDir::new().unwrap();
    let local = Local::open(Config::default()).await.unwrap();
    let found: &[&str] = &[
        "bigint",
        "double precision",
        "numeric(10, 2)",
        "boolean",
        "text",
        "date",
        "time",
        "timestamp",
        "timestamptz",
    ];
    for (name, values) in TYPES.iter().filter(|(name, _)| found.contains(name)) {
        let values: Vec<_> = values.iter().map(|value| format!("({}::{name})", quoted(value))).collect();
        local
            .rows(&format!(
                "DROP VIEW IF EXISTS one; CREATE VIEW one AS SELECT column1 AS c FROM (VALUES {}, (NULL)) AS v",
                values.join(", ")
            ))
            .await;
        for format in ["csv", "tsv", "json", "parquet"] {
            let path = folder.path().join(format!("one.{format}")).display().to_string();
            // JSON tells truth from text; in CSV a text that looks like another type is one of it.
            if *name == "text" && format != "parquet" {
                continue;
            }
            local.rows(&format!("COPY one TO '{path}'")).await;
            let cast = |from: &str| format!("SELECT c::{name}::text FROM {from} AS t ORDER BY 1");
            let (wanted, read) = (local.rows(&cast("one")).await, local.rows(&cast(&format!("'{path}'"))).await);
            assert_eq!(read, wanted, "{name} as {format}");
        }
    }
}
