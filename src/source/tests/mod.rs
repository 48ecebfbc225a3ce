//! Tables over real files: what is inferred, what is read, and what each error says.

use std::{fs, io::Write, path::PathBuf};

use datafusion::{
    arrow::util::pretty::pretty_format_batches,
    prelude::{SessionConfig, SessionContext},
};
use tempfile::TempDir;

use super::*;

mod csv;
mod json;
mod properties;
mod real_files;
mod targets;

/// A directory of files and a session to read them with.
struct Files {
    directory: TempDir,
    context: SessionContext,
}

/// How a request ended: rows or the error's text, hint and fault.
type Outcome<T> = std::result::Result<T, String>;

impl Files {
    fn new() -> Self {
        Self::with_partitions(1)
    }

    fn with_partitions(partitions: usize) -> Self {
        let mut config = SessionConfig::new().with_target_partitions(partitions);
        config.options_mut().optimizer.repartition_file_min_size = 1;
        Self { directory: TempDir::new().unwrap(), context: SessionContext::new_with_config(config) }
    }

    fn path(&self, name: &str) -> String {
        self.directory.path().canonicalize().unwrap().join(name).to_str().unwrap().to_owned()
    }

    fn put(&self, name: &str, content: impl AsRef<[u8]>) -> &Self {
        let path = PathBuf::from(self.path(name));
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        fs::write(path, content).unwrap();
        self
    }

    fn stores(&self) -> Stores {
        Stores::new(self.context.runtime_env(), Vec::new())
    }

    fn request(&self, location: &str, options: &[(&str, &str)]) -> TableRequest {
        let options = options.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned())).collect();
        TableRequest { locations: vec![self.path(location)], options, ..TableRequest::default() }
    }

    async fn resolve(&self, request: TableRequest) -> Outcome<ExternalTable> {
        self.resolve_as(request, &Access::Local).await
    }

    async fn resolve_as(&self, request: TableRequest, access: &Access) -> Outcome<ExternalTable> {
        let state = self.context.state();
        let resolved = super::Files.resolve(&state, request, &self.stores(), access).await;
        resolved.map_err(|error| self.shown(&error))
    }

    fn shown(&self, error: &Error) -> String {
        let directory = self.path("");
        format!("{:?}: {error}", error.fault()).replace(&directory, "")
    }

    async fn query(&self, definition: &ExternalTable, sql: &str) -> Outcome<String> {
        self.context.deregister_table("t").unwrap();
        let table =
            super::Files.open(definition, &self.stores(), &Access::Local).map_err(|error| self.shown(&error))?;
        self.context.register_table("t", table).unwrap();
        let frame = self.context.sql(sql).await.map_err(|error| error.to_string())?;
        let plan = frame.create_physical_plan().await;
        let plan = plan.map_err(|error| Error::find(&error).map_or(error.to_string(), |error| self.shown(&error)))?;
        let runtime = self.context.runtime_env();
        let ran = datafusion::physical_plan::collect(Arc::clone(&plan), self.context.task_ctx()).await;
        match ran {
            Ok(batches) => Ok(pretty_format_batches(&batches).unwrap().to_string()),
            Err(error) => Err(match diagnose(&plan, &runtime, &error).await {
                Some(found) => self.shown(&found),
                None => error.to_string(),
            }),
        }
    }

    async fn read(&self, location: &str, options: &[(&str, &str)]) -> Outcome<String> {
        let definition = self.resolve(self.request(location, options)).await?;
        self.query(&definition, "SELECT * FROM t").await
    }

    async fn types(&self, location: &str, options: &[(&str, &str)]) -> Outcome<String> {
        let definition = self.resolve(self.request(location, options)).await?;
        let schema = definition.table_schema();
        let columns: Vec<_> = schema
            .fields()
            .iter()
            .map(|field| format!("{} {}", field.name(), infer::type_name(field.data_type())))
            .collect();
        Ok(columns.join(", "))
    }
}

fn text_of(lines: &[&str]) -> String {
    lines.join("\n")
}

#[tokio::test]
async fn new_files_are_seen() {
    let files = Files::new();
    files.put("d/1.csv", "a\n1\n");
    let definition = files.resolve(files.request("d/", &[])).await.unwrap();
    let count = "SELECT count(*) AS n FROM t";
    assert!(files.query(&definition, count).await.unwrap().contains("| 1 |"));
    files.put("d/2.csv", "a\n2\n3\n");
    assert!(files.query(&definition, count).await.unwrap().contains("| 3 |"));
}

#[tokio::test]
async fn errors_of_locations_and_options() {
    let files = Files::new();
    files.put("a.csv", "a\n1\n").put("b.parquet", "PAR1").put("x.data", "a\n1\n").put("md/README.md", "");
    let cases = [
        ("none.csv", &[][..], "UndefinedFile: no file matches 'none.csv': check the path"),
        ("no*.csv", &[], "UndefinedFile: no file matches 'no*.csv': check the path"),
        (
            "md",
            &[],
            "UndefinedFile: the directory 'md' holds no .csv, .tsv, .tab, .json, .ndjson, .jsonl, .parquet, .pq, .arrow, .arrows, \
             .feather, .ipc, .avro, .xlsx, .xlsm, .ods file",
        ),
        (
            "x.data",
            &[],
            "InvalidArgument: cannot tell the format of 'x.data' from its name, known endings are .csv, .tsv, .tab, \
             .json, .ndjson, .jsonl, .parquet, .pq, .arrow, .arrows, .feather, .ipc, .avro, .xlsx, .xlsm, .ods",
        ),
        ("[ab].*", &[], "InvalidArgument: '[ab].*' holds both csv and parquet files"),
        (
            "a.csv",
            &[("delimeter", ";")],
            "InvalidArgument: unknown option delimeter for csv, accepted are header, delimiter, quote, escape, \
             skip, comment, null_value, null_regex, skip_initial_space, match_columns, all_varchar, encoding, \
             decimal_separator, thousands_separator, date_format, timestamp_format, on_error, unknown_columns, \
             missing_columns, sample_bytes, compression, filename",
        ),
        (
            "a.csv",
            &[("delimiter", ";;")],
            "InvalidArgument: option delimiter cannot be ';;', expected one ASCII character",
        ),
        (
            "a.csv",
            &[("header", "maybe")],
            "InvalidArgument: option header cannot be 'maybe', expected true, false or auto",
        ),
        (
            "a.csv",
            &[("compression", "rar")],
            "InvalidArgument: option compression cannot be 'rar', expected auto, none, gzip, zstd, bzip2 or xz",
        ),
        (
            "b.parquet",
            &[("header", "true")],
            "InvalidArgument: unknown option header for parquet, accepted are unknown_columns, missing_columns, filename",
        ),
    ];
    for (location, options, message) in cases {
        assert_eq!(files.read(location, options).await.unwrap_err(), message);
    }
    let request = TableRequest { format: Some("orc".to_owned()), ..files.request("a.csv", &[]) };
    assert_eq!(
        files.resolve(request).await.unwrap_err(),
        "InvalidArgument: unknown format orc, expected one of csv, tsv, json, parquet, arrow, avro, excel"
    );
    let request = TableRequest { locations: vec!["http://host/a.csv".to_owned()], ..TableRequest::default() };
    assert_eq!(
        files.resolve(request).await.unwrap_err(),
        "InvalidArgument: 'http://host/a.csv' is not a usable location: expected a path, file:// or s3://"
    );
}

#[test]
fn hints_name_no_option_that_the_format_lacks() {
    let names = |format: &dyn Format| format.options().iter().map(|(name, _)| *name).collect::<Vec<_>>();
    let all: Vec<_> = FORMATS.iter().flat_map(|format| names(*format)).filter(|name| name.contains('_')).collect();
    for format in FORMATS {
        let (file, column) = ("a".to_owned(), "c".to_owned());
        let (value, expected) = ("x".to_owned(), "bigint".to_owned());
        let error = Error::InvalidValue { file, line: 1, column, value, expected, format: format.name() };
        let hint = error.hint().unwrap();
        let has = |option: &&&str| hint.contains(**option) && !names(format).contains(*option);
        assert_eq!(all.iter().find(has), None, "{}: {hint}", format.name());
        assert!(hint.contains("'c text'"), "{hint}");
    }
    let hint = |format| {
        let (file, column) = ("a".to_owned(), "c".to_owned());
        let (value, expected) = ("x".to_owned(), "bigint".to_owned());
        Error::InvalidValue { file, line: 1, column, value, expected, format }.hint().unwrap()
    };
    let written = "say how its values, or missing ones, are written (null_value, decimal_separator, date_format)";
    assert!(hint("csv").contains(written) && hint("csv").ends_with("or leave such rows out (on_error 'skip')"));
    assert!(hint("excel").contains("are written (null_value), or leave"), "{}", hint("excel"));
    assert!(hint("json").contains("(null_value, date_format), or leave"), "{}", hint("json"));
}

#[tokio::test]
async fn what_is_no_text_is_told() {
    let files = Files::new();
    files.put("a.csv", b"\xff\xfe\0\0i\0\0\0").put("b.csv", b"\x7fELF\x02\x01\x01\0\0\0").put("c.csv", b"a\0b,c\n");
    files.put("d.csv", b"a\x01caf\xe9\n").put("e.csv", b"7z\xbc\xaf\x27\x1c\x00\x04");
    for (name, message) in [
        ("a.csv", "file a.csv is written in UTF-32, which is not read"),
        ("b.csv", "file b.csv is no text, it is binary data: byte 8 of it, on line 1, is zero"),
        ("c.csv", "file c.csv is no text, it is binary data: byte 2 of it, on line 1, is zero"),
        ("d.csv", "file d.csv, line 1: the text is not UTF-8"),
        ("e.csv", "file e.csv is no text, it is a 7z archive"),
    ] {
        assert_eq!(files.read(name, &[]).await.unwrap_err(), format!("InvalidData: {message}"));
    }
    let error = Error::UnreadEncoding { file: "a.csv".to_owned(), encoding: "UTF-32" };
    assert!(error.hint().unwrap().contains("iconv -f UTF-32 -t UTF-8"));
    assert_eq!(files.types("c.csv", &[("encoding", "utf-8")]).await.unwrap(), "a\0b text, c text");
    assert_eq!(files.types("d.csv", &[("encoding", "latin1")]).await.unwrap(), "a\u{1}café text");
}

#[tokio::test]
async fn declared_columns_win() {
    let files = Files::new();
    files.put("a.csv", "Id,code\n1,7\n").put("b.csv", "1,7\n");
    let columns = Schema::new(vec![
        Field::new("code", arrow::datatypes::DataType::Utf8, true),
        Field::new("id", arrow::datatypes::DataType::Float64, true),
    ]);
    let request = TableRequest { columns: Some(columns.clone()), ..files.request("a.csv", &[]) };
    let definition = files.resolve(request).await.unwrap();
    let rows = files.query(&definition, "SELECT * FROM t").await.unwrap();
    assert!(rows.contains("| code | id  |") && rows.contains("| 7    | 1.0 |"), "{rows}");
    let request = TableRequest { columns: Some(columns.clone()), ..files.request("b.csv", &[]) };
    let definition = files.resolve(request).await.unwrap();
    let rows = files.query(&definition, "SELECT * FROM t").await.unwrap();
    assert!(rows.contains("| 1    | 7.0 |"), "{rows}");
    files.put("c.csv", "x,y,z\n1,2,3\n");
    let request = TableRequest { columns: Some(columns), ..files.request("c.csv", &[]) };
    assert_eq!(
        files.resolve(request).await.unwrap_err(),
        "InvalidData: 2 columns are declared, file c.csv has others: x, y, z"
    );
}

#[tokio::test]
async fn declared_tables_need_no_rows_yet() {
    let files = Files::new();
    files.put("a.json", "").put("a.csv", "").put("d/none.txt", "");
    fs::remove_file(files.path("d/none.txt")).unwrap();
    let declared = |columns: &[&str]| {
        let fields = columns.iter().map(|name| Field::new(*name, arrow::datatypes::DataType::Int64, true));
        Some(Schema::new(fields.collect::<Vec<_>>()))
    };
    let cases: [(&str, &[(&str, &str)]); 3] = [("a.json", &[]), ("a.csv", &[]), ("a.csv", &[("header", "false")])];
    for (name, options) in cases {
        let request = TableRequest { columns: declared(&["x"]), ..files.request(name, options) };
        let definition = files.resolve(request).await.unwrap();
        let rows = files.query(&definition, "SELECT count(*) AS n, count(x) AS m FROM t").await.unwrap();
        assert!(rows.contains("| 0 | 0 |"), "{name}: {rows}");
    }
    let partition_columns = vec!["p".to_owned()];
    let request = || TableRequest {
        columns: declared(&["x", "p"]),
        partition_columns: partition_columns.clone(),
        ..files.request("d", &[])
    };
    // Without a format nothing tells what the files will be.
    assert!(files.resolve(request()).await.unwrap_err().contains("holds no .csv"));
    let definition = files.resolve(TableRequest { format: Some("json".to_owned()), ..request() }).await.unwrap();
    let rows = files.query(&definition, "SELECT count(*) AS n FROM t").await.unwrap();
    assert!(rows.contains("| 0 |"), "{rows}");
    files.put("d/p=7/a.json", "{\n \"x\": 1}\n");
    let rows = files.query(&definition, "SELECT x + p AS n FROM t").await.unwrap();
    assert!(rows.contains("| 8 |"), "{rows}");
}

#[tokio::test]
async fn hive_partitions_are_discovered_and_pruned() {
    let files = Files::new();
    files
        .put("d/year=2023/month=12/a.csv", "x\n1\n")
        .put("d/year=2024/month=01/a.csv", "x\n2\n")
        .put("d/year=2024/month=01/_hidden.csv", "y\nbroken,\n")
        .put("d/year=2024/month=__HIVE_DEFAULT_PARTITION__/a%20b.csv", "x\n3\n");
    let definition = files.resolve(files.request("d", &[])).await.unwrap();
    assert_eq!(files.types("d", &[]).await.unwrap(), "x bigint, year bigint, month bigint");
    let rows = files.query(&definition, "SELECT x, month FROM t WHERE year = 2024 ORDER BY x").await.unwrap();
    assert_eq!(
        rows,
        text_of(&[
            "+---+-------+",
            "| x | month |",
            "+---+-------+",
            "| 2 | 1     |",
            "| 3 |       |",
            "+---+-------+"
        ])
    );
    // A file of a partition that the filter excludes is not opened.
    files.put("d/year=2022/month=12/a.csv", "z\nbroken\n");
    let rows = files.query(&definition, "SELECT sum(x) AS s FROM t WHERE year > 2022").await.unwrap();
    assert!(rows.contains("| 6 |"), "{rows}");
    files.put("d/year=old/month=12/a.csv", "x\n1\n");
    assert_eq!(
        files.query(&definition, "SELECT * FROM t").await.unwrap_err(),
        "InvalidData: file d/year=old/month=12/a.csv: partition year=old is not of type bigint"
    );
    files.put("d/top.csv", "x\n1\n");
    assert_eq!(
        files.resolve(files.request("d", &[])).await.unwrap_err(),
        "InvalidData: file d/year=2022/month=12/a.csv: expected the partition directories none, found year/month"
    );
    let request = TableRequest { partition_columns: vec!["week".to_owned()], ..files.request("d/year=*", &[]) };
    assert_eq!(
        files.resolve(request).await.unwrap_err(),
        "InvalidData: file d/year=2022/month=12/a.csv: expected the partition directories week, found year/month"
    );
}

#[tokio::test]
async fn compressed_files_are_read() {
    let files = Files::with_partitions(4);
    for (ending, kind) in [
        ("gz", parsers::CompressionTypeVariant::GZIP),
        ("zst", parsers::CompressionTypeVariant::ZSTD),
        ("bz2", parsers::CompressionTypeVariant::BZIP2),
        ("xz", parsers::CompressionTypeVariant::XZ),
    ] {
        let packed = compressed(kind, "a,b\n1,x\n2,y\n").await;
        let name = format!("{ending}/a.csv.{ending}");
        files.put(&name, &packed);
        let rows = files.read(&name, &[]).await.unwrap();
        assert!(rows.contains("| 2 | y |"), "{ending}: {rows}");
        files.put(&name, &packed[..packed.len() / 2]);
        let error = files.read(&name, &[]).await.unwrap_err();
        assert!(error.starts_with(&format!("InvalidData: file {name} is not a readable ")), "{ending}: {error}");
    }
}

use datafusion::common::parsers;

async fn compressed(kind: parsers::CompressionTypeVariant, text: &'static str) -> Vec<u8> {
    use datafusion::datasource::file_format::file_compression_type::FileCompressionType;
    use futures::{StreamExt, TryStreamExt};
    let plain = futures::stream::once(async move { Ok(::bytes::Bytes::from_static(text.as_bytes())) }).boxed();
    let packed = FileCompressionType::from(kind).convert_to_compress_stream(plain).unwrap();
    packed
        .try_fold(Vec::new(), |mut all, chunk| async move {
            all.extend(chunk);
            Ok(all)
        })
        .await
        .unwrap()
}

async fn parquet_file(files: &Files, name: &str, rows: usize) {
    let sql = format!("SELECT value AS id, concat('name-', value) AS name FROM generate_series(1, {rows})");
    let frame = files.context.sql(&sql).await.unwrap();
    let options = datafusion::dataframe::DataFrameWriteOptions::new().with_single_file_output(true);
    frame.write_parquet(&files.path(name), options, None).await.unwrap();
}

#[tokio::test]
async fn parquet_is_read_with_filters_in_the_scan() {
    let files = Files::new();
    parquet_file(&files, "p/a.parquet", 1000).await;
    let definition = files.resolve(files.request("p", &[])).await.unwrap();
    let rows =
        files.query(&definition, "SELECT count(*) AS n FROM t WHERE id > 990 AND name <> 'name-995'").await.unwrap();
    assert!(rows.contains("| 9 |"), "{rows}");
    let plan = files.query(&definition, "EXPLAIN SELECT name FROM t WHERE id > 990").await.unwrap();
    assert!(plan.contains("predicate=id") && !plan.contains("FilterExec"), "{plan}");
}

#[tokio::test]
async fn a_broken_parquet_file_is_named() {
    let files = Files::new();
    parquet_file(&files, "p/a.parquet", 1000).await;
    parquet_file(&files, "p/b.parquet", 1000).await;
    let definition = files.resolve(files.request("p", &[])).await.unwrap();
    let whole = fs::read(files.path("p/b.parquet")).unwrap();
    files.put("p/b.parquet", &whole[..whole.len() - 100]);
    let error = files.query(&definition, "SELECT * FROM t").await.unwrap_err();
    assert!(error.starts_with("InvalidData: file p/b.parquet is not a readable Parquet file: "), "{error}");
    let error = files.resolve(files.request("p/b.parquet", &[])).await.unwrap_err();
    assert!(error.starts_with("InvalidData: file p/b.parquet is not a readable Parquet file: "), "{error}");
    // The footer is whole, a page is not.
    let mut broken = whole.clone();
    for byte in &mut broken[30..400] {
        *byte ^= 0x5a;
    }
    files.put("p/b.parquet", &broken);
    let error = files.query(&definition, "SELECT sum(id), max(name) FROM t").await.unwrap_err();
    assert!(error.starts_with("InvalidData: file p/b.parquet is not a readable Parquet file: "), "{error}");
}

#[tokio::test]
async fn the_wire_opens_allowed_paths_alone() {
    let files = Files::new();
    files
        .put("open/a.csv", "a\n1\n")
        .put("open-not/a.csv", "a\n1\n")
        .put("closed/a.csv", "a\n1\n")
        .put("open/data/t.csv", "a\n1\n");
    files.put("closed/deep/a.csv", "a\n1\n").put("open/a[1].csv", "a\n1\n").put("open/b[.csv", "a\n1\n");
    std::os::unix::fs::symlink(files.path("closed"), files.path("open/link")).unwrap();
    std::os::unix::fs::symlink(files.path("closed/deep"), files.path("open/deep")).unwrap();
    std::os::unix::fs::symlink(files.path("closed"), files.path("open/link[1]")).unwrap();
    std::os::unix::fs::symlink(files.path("closed/a.csv"), files.path("open/link.csv")).unwrap();
    let access = Access::Wire {
        allowed: vec![files.path("open"), "s3://shop/public".to_owned()],
        data_dir: Some(files.path("open/data").into()),
    };
    let try_open = async |location: &str| {
        let request = TableRequest { locations: vec![location.to_owned()], ..TableRequest::default() };
        files.resolve_as(request, &access).await.map(|definition| definition.locations.join(","))
    };
    assert!(try_open(&files.path("open/a.csv")).await.is_ok());
    for scheme in ["file:", "file://", "FILE://", "file://localhost"] {
        assert!(try_open(&format!("{scheme}{}", files.path("open/%61.csv"))).await.is_ok(), "{scheme}");
    }
    // Names that exist, though they could be patterns.
    for name in ["open/a[1].csv", "open/b[.csv", "open/../open/a.csv"] {
        assert!(try_open(&files.path(name)).await.is_ok(), "{name}");
    }
    let refused = |path: &str| {
        format!("PermissionDenied: '{path}' may not be opened over the network: it is under none of the allowed paths")
    };
    for (path, shown) in [
        ("closed/a.csv", "closed/a.csv"),
        ("closed/none.csv", "closed/none.csv"),
        ("open-not/a.csv", "open-not/a.csv"),
        ("open/link/a.csv", "open/link/a.csv"),
        ("open/link.csv", "open/link.csv"),
        ("open/l*.csv", "open/link.csv"),
        ("open/../closed/a.csv", "open/../closed/a.csv"),
        ("open/deep/../a.csv", "open/deep/../a.csv"),
        ("open/deep/../*.csv", "open/deep/../*.csv"),
        ("open/missing/../../closed/a.csv", "open/missing/../../closed/a.csv"),
        // Names of files in a directory that may not be read are not told.
        ("open/link", "open/link"),
        ("open/link[1]", "open/link[1]"),
        ("open/de*", "open/deep"),
        ("open/de*/a.csv", "open/deep"),
    ] {
        assert_eq!(try_open(&files.path(path)).await.unwrap_err(), refused(shown));
    }
    let escaped = files.path("open/%2e%2e/closed/a.csv");
    assert!(try_open(&format!("file://{escaped}")).await.unwrap_err().starts_with("PermissionDenied"));
    assert_eq!(
        try_open(&files.path("open/**/t.csv")).await.unwrap_err(),
        "PermissionDenied: 'open/data/t.csv' belongs to the data directory and may not be opened as a file"
    );
    assert!(access.check("s3://shop/public/a.csv").is_ok());
    for url in ["s3://shop/publications/a.csv", "s3://shop/a.csv", "s3://other/public/a.csv"] {
        assert_eq!(access.check(url).unwrap_err().to_string(), refused(url).replace("PermissionDenied: ", ""));
    }
    assert!(access.check("s3://shop/public/../a.csv").is_err());
}

#[test]
fn a_file_that_tells_no_format_is_told_of_where_it_may_be_read() {
    let files = Files::new();
    files.put("open/f.txt", "a\n").put("closed/f.txt", "a\n").put("open/plain", "a\n");
    fs::create_dir(files.path("open/folder.d")).unwrap();
    let access = Access::Wire { allowed: vec![files.path("open")], data_dir: None };
    let told = |name: &str, access: &Access| unknown_file(&files.path(name), access).map(|error| error.to_string());
    let found = told("open/f.txt", &access).unwrap();
    assert!(found.starts_with("cannot tell the format of '") && found.contains("open/f.txt' from its name"), "{found}");
    assert!(told("closed/f.txt", &Access::Local).is_some());
    for name in ["closed/f.txt", "closed/none.txt", "open/none.txt", "open/plain", "open/folder.d"] {
        assert_eq!(told(name, &access), None, "{name}");
    }
    for (location, hint) in [
        ("it's.txt", "read_csv('it''s.txt')"),
        ("a.csv.zip", "unpack it first"),
        ("a.tar.gz", "unpack it first"),
        ("A.XLS", "save it as .xlsx"),
    ] {
        let error = Error::UnknownFormat { location: location.to_owned(), known: String::new() };
        assert!(error.hint().unwrap().contains(hint), "{location}");
    }
}

#[test]
fn formats_are_written_under_the_names_that_they_are_read_by() {
    let names = [
        ("NDJSON", "json"),
        ("jsonl", "json"),
        ("pq", "parquet"),
        ("feather", "arrow"),
        ("tab", "tsv"),
        ("csv", "csv"),
    ];
    for (name, format) in names {
        assert_eq!(written_format(name).unwrap(), format);
    }
    let refused = |name: &str| written_format(name).unwrap_err().to_string();
    assert_eq!(refused("ODS"), "ods is read, not written; write csv, tsv, json, parquet or arrow");
    assert_eq!(refused("txt"), "txt is no format that is written; write csv, tsv, json, parquet or arrow");
}

#[test]
fn paths_look_like_paths() {
    for name in ["ratings.csv", "a/b", "s3://bucket/x", "x.json.gz", "X.PARQUET"] {
        assert!(looks_like_path(name), "{name}");
    }
    for name in ["ratings", "public.ratings", "a.b"] {
        assert!(!looks_like_path(name), "{name}");
    }
}

#[tokio::test]
async fn a_definition_survives_json() {
    let files = Files::new();
    files.put("d/k=1/a.csv", "a|b\n1|2024-01-01\n");
    let definition = files.resolve(files.request("d", &[])).await.unwrap();
    let text = serde_json::to_string(&definition).unwrap();
    let kept: ExternalTable = serde_json::from_str(&text).unwrap();
    // A directory that is not there yet may say NULL.
    let nullable: Vec<_> = definition.partition_columns.iter().map(|key| key.clone().with_nullable(true)).collect();
    assert_eq!(kept, ExternalTable { partition_columns: nullable, ..definition });
}

#[tokio::test]
async fn an_unreadable_file_is_named() {
    let files = Files::new();
    let mut file = fs::File::create(files.path("a.csv")).unwrap();
    file.write_all(b"a\n1\n").unwrap();
    let definition = files.resolve(files.request("a.csv", &[])).await.unwrap();
    fs::remove_file(files.path("a.csv")).unwrap();
    assert_eq!(
        files.query(&definition, "SELECT * FROM t").await.unwrap_err(),
        "UndefinedFile: no file matches 'a.csv': check the path"
    );
}

#[tokio::test]
async fn scans_travel_to_another_process() {
    use datafusion_proto::bytes::{
        physical_plan_from_bytes_with_extension_codec, physical_plan_to_bytes_with_extension_codec,
    };
    let files = Files::with_partitions(2);
    files.put("d/k=1/a.csv", "a|b\n1|x\n2|y\n").put("e/k=1/a.json", "[{\"a\":1},{\"a\":2}]");
    for (location, sql) in
        [("d", "SELECT b, k + a AS s FROM t ORDER BY s"), ("e", "SELECT a + k AS s FROM t ORDER BY s")]
    {
        let definition = files.resolve(files.request(location, &[])).await.unwrap();
        let before = files.query(&definition, sql).await.unwrap();
        let plan = files.context.sql(sql).await.unwrap().create_physical_plan().await.unwrap();
        let bytes = physical_plan_to_bytes_with_extension_codec(plan, &SourceCodec).unwrap();
        let context = files.context.task_ctx();
        let plan = physical_plan_from_bytes_with_extension_codec(&bytes, &context, &SourceCodec).unwrap();
        let batches = datafusion::physical_plan::collect(plan, context).await.unwrap();
        assert_eq!(pretty_format_batches(&batches).unwrap().to_string(), before);
    }
}
