//! Tables over real files: what is inferred, what is read, and what each error says.

use std::{fs, io::Write, path::PathBuf};

use datafusion::{
    arrow::util::pretty::pretty_format_batches,
    prelude::{SessionConfig, SessionContext},
};
use tempfile::TempDir;

use super::*;

mod properties;
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
async fn csv_types_are_inferred() {
    let files = Files::new();
    files.put(
        "a.csv",
        "id,code,price,flag,day,at,zoned,nothing,big,mixed\n\
         1,00123,1.5,TRUE,2024-01-31,2024-01-31 10:00:00,2024-01-31T10:00:00Z,,99999999999999999999,1\n\
         -2,7,3,false,2024-02-01,2024-02-01T10:00:00.123,2024-01-31T10:00:00+02:00,,1,x\n",
    );
    let types = files.types("a.csv", &[]).await.unwrap();
    assert_eq!(
        types,
        "id bigint, code text, price double precision, flag boolean, day date, at timestamp, \
         zoned timestamp with time zone, nothing text, big numeric(38, 0), mixed text"
    );
    let rows = files.read("a.csv", &[]).await.unwrap();
    assert!(rows.contains("| -2 | 7     | 3.0   | false | 2024-02-01 | 2024-02-01T10:00:00.123 |"), "{rows}");
}

#[tokio::test]
async fn a_header_is_told_by_its_types() {
    let files = Files::new();
    files.put("with.csv", "name,age\nann,3\n").put("without.csv", "ann,3\nbob,4\n").put("only.csv", "name,age\n");
    assert_eq!(files.types("with.csv", &[]).await.unwrap(), "name text, age bigint");
    assert_eq!(files.types("without.csv", &[]).await.unwrap(), "column_1 text, column_2 bigint");
    assert_eq!(files.types("only.csv", &[]).await.unwrap(), "name text, age text");
    assert_eq!(files.types("without.csv", &[("has_header", "true")]).await.unwrap(), "ann text, 3 bigint");
    assert_eq!(
        files.types("with.csv", &[("format.has_header", "false")]).await.unwrap(),
        "column_1 text, column_2 text"
    );
    assert!(!files.read("only.csv", &[]).await.unwrap().contains("name |\n|"));
}

#[tokio::test]
async fn names_are_made_unique() {
    let files = Files::new();
    files.put("a.csv", "\u{feff}a,,a, b \nx,1,y,z\n");
    assert_eq!(files.types("a.csv", &[]).await.unwrap(), "a text, column_2 bigint, a_2 text, b text");
}

#[tokio::test]
async fn delimiters_and_blanks_are_told() {
    let files = Files::new();
    files
        .put("bar.csv", "id|name, first\n0|x, y\n1|z\n")
        .put("space.csv", "39, State-gov, 77516\n50, \"a, b\", 83311\n")
        .put("tabs.tsv", "a\tb\n1\tx,y\n");
    assert_eq!(files.types("bar.csv", &[]).await.unwrap(), "id bigint, name, first text");
    assert_eq!(files.types("tabs.tsv", &[]).await.unwrap(), "a bigint, b text");
    let rows = files.read("space.csv", &[]).await.unwrap();
    assert!(rows.contains("| 50       | a, b      | 83311    |"), "{rows}");
}

#[tokio::test]
async fn a_title_above_the_header_is_passed_over_by_an_option() {
    let files = Files::new();
    files.put("a.csv", "Report\nof sales\n\nid,v,w\n1,2,3\n4,5,6\n");
    let request = files.request("a.csv", &[]);
    let resolved = super::Files.resolve(&files.context.state(), request, &files.stores(), &Access::Local).await;
    let hint = resolved.unwrap_err().hint().unwrap();
    assert!(hint.contains("(skip => 3)"), "{hint}");
    assert_eq!(files.types("a.csv", &[("skip", "3")]).await.unwrap(), "id bigint, v bigint, w bigint");
    let short = Error::RaggedRow { file: "a.csv".to_owned(), line: 2, expected: 3, found: 2, begin: None };
    assert!(!short.hint().unwrap().contains("skip =>"));
    let commented = Error::RaggedRow { file: "a.csv".to_owned(), line: 9, expected: 3, found: 1, begin: Some('#') };
    assert!(commented.hint().unwrap().contains("comment => '#'"));
}

#[tokio::test]
async fn that_nothing_is_left_out_of_a_column_of_all_values_is_said() {
    let files = Files::new();
    files.put("a.csv", "id,name\n1,Ann\nx,Bob\n");
    let remarks = Arc::new(std::sync::Mutex::new(Vec::new()));
    let heard = Arc::clone(&remarks);
    let rejects = Rejects::new(move |remark| heard.lock().unwrap().push(remark));
    let stores = files.stores().with_rejects(Arc::new(rejects));
    let lenient = files.request("a.csv", &[("on_error", "skip")]);
    let given = vec![Field::new("id", arrow::datatypes::DataType::Int64, true)];
    let typed = TableRequest { types: given, ..lenient.clone() };
    for request in [files.request("a.csv", &[]), typed, lenient] {
        super::Files.resolve(&files.context.state(), request, &stores, &Access::Local).await.unwrap();
    }
    let heard = remarks.lock().unwrap().join("\n").replace(&files.path(""), "");
    assert_eq!(
        heard,
        "column id is text because of file a.csv, line 3: x, so on_error leaves out none of its values; say types => {id: \
         '…'} with the type that they should have"
    );
}

#[tokio::test]
async fn later_files_count_for_types_and_columns() {
    let files = Files::new();
    files.put("d/1.csv", "a,b\n1,2\n").put("d/2.csv", "b,a,c\n5,x,7\n").put("d/README.md", "no data");
    let rows = files.read("d", &[]).await.unwrap();
    let expected =
        ["+---+---+---+", "| a | b | c |", "+---+---+---+", "| 1 | 2 |   |", "| x | 5 | 7 |", "+---+---+---+"];
    assert_eq!(rows, text_of(&expected));
    files.put("d/3.csv", "");
    assert_eq!(files.read("d", &[]).await.unwrap(), text_of(&expected));
    files.put("d/3.csv", "q,r\n1,2\n");
    let definition = files.resolve(files.request("d/[12].csv", &[])).await.unwrap();
    let widened = ExternalTable { locations: vec![files.path("d")], ..definition };
    let error = files.query(&widened, "SELECT * FROM t").await.unwrap_err();
    assert_eq!(error, "InvalidData: file d/3.csv, line 1 has the columns q, r, none of them is a column of the table");
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
async fn null_values_and_comments() {
    let files = Files::new();
    files.put("a.csv", "# it's \"fine\na,b\n?,x\n3,?\n");
    let types = files.types("a.csv", &[("null_value", "?"), ("comment", "#")]).await.unwrap();
    assert_eq!(types, "a bigint, b text");
    let rows = files.read("a.csv", &[("null_regex", "^\\?$"), ("comment", "#")]).await.unwrap();
    assert!(rows.contains("|   | x |") && rows.contains("| 3 |   |"), "{rows}");
}

#[tokio::test]
async fn quoted_line_breaks_survive_any_split() {
    // A line break inside quotes lies at every possible place of a split: with seven parts over short rows each part
    // starts inside some row. No row may be lost, doubled or cut.
    for partitions in [1, 2, 3, 7, 16] {
        let files = Files::with_partitions(partitions);
        let mut content = String::from("id,note\r\n");
        for id in 0..500 {
            content.push_str(&format!("{id},\"line {id}\r\n{id},\"\"fake\"\"\nend, {id}\"\r\n"));
        }
        files.put("a.csv", content);
        let definition = files.resolve(files.request("a.csv", &[])).await.unwrap();
        let sql = "SELECT count(*) AS n, sum(id) AS s, count(DISTINCT note) AS d, min(length(note)) AS l FROM t";
        let rows = files.query(&definition, sql).await.unwrap();
        assert!(rows.contains("| 500 | 124750 | 500 | 23 |"), "{partitions} partitions: {rows}");
    }
}

#[tokio::test]
async fn errors_of_csv_name_file_and_line() {
    let files = Files::with_partitions(4);
    files.put("ragged.csv", "a,b\n1,\"x\ny\"\n2\n");
    assert_eq!(
        files.read("ragged.csv", &[("delimiter", ",")]).await.unwrap_err(),
        "InvalidData: file ragged.csv, line 4: expected 2 fields, found 1"
    );
    files.put("empty.csv", "");
    assert_eq!(files.read("empty.csv", &[]).await.unwrap_err(), "InvalidData: file empty.csv is empty");
    files.put("latin.csv", b"a,b\n1,caf\xe9\n");
    assert_eq!(
        files.read("latin.csv", &[]).await.unwrap_err(),
        "InvalidData: file latin.csv, line 2: the text is not UTF-8"
    );
    // Faults behind the sample are found when the rows are read, whichever part they are in.
    let good: String = (0..700_000).map(|id| format!("{id},ok\n")).collect();
    for (bad, message) in [
        ("oops,ok\n", "file big.csv, line 700002, column a: 'oops' is not of type bigint"),
        ("1,ok,more\n", "file big.csv, line 700002: expected 2 fields, found 3"),
    ] {
        files.put("big.csv", format!("a,b\n{good}{bad}{good}"));
        let definition = files.resolve(files.request("big.csv", &[("sample_bytes", "1000")])).await.unwrap();
        let error = files.query(&definition, "SELECT sum(a), count(b) FROM t").await.unwrap_err();
        assert_eq!(error, format!("InvalidData: {message}"));
    }
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
async fn json_layouts_are_told() {
    let files = Files::with_partitions(3);
    let lines = "{\"a\":1,\"b\":\"x\"}\n{\"a\":2.5,\"c\":{\"d\":[1,2]}}\n";
    let array = " [ {\"a\":1,\"b\":\"x\"},\n {\"a\":2.5,\"c\":{\"d\":[1,2]}} ]\n";
    let pretty = "{\n \"a\": 1,\n \"b\": \"x\"\n}\n{\n \"a\": 2.5,\n \"c\": {\"d\": [1,\n 2]}\n}\n";
    let expected = [
        "+-----+---+-------------+",
        "| a   | b | c           |",
        "+-----+---+-------------+",
        "| 1.0 | x |             |",
        "| 2.5 |   | {d: [1, 2]} |",
        "+-----+---+-------------+",
    ];
    for (name, content) in [("lines.json", lines), ("array.json", array), ("pretty.json", pretty)] {
        files.put(name, content);
        let definition = files.resolve(files.request(name, &[])).await.unwrap();
        assert_eq!(definition.options["newline_delimited"], (name == "lines.json").to_string());
        let rows = files.query(&definition, "SELECT * FROM t ORDER BY a").await.unwrap();
        assert_eq!(rows, text_of(&expected), "{name}");
    }
    files.put("none.json", "[]");
    assert_eq!(
        files.read("none.json", &[]).await.unwrap_err(),
        "InvalidData: file none.json holds no row to infer columns from"
    );
}

#[tokio::test]
async fn json_lines_survive_any_split() {
    for partitions in [1, 2, 3, 7, 16] {
        let files = Files::with_partitions(partitions);
        let content: String =
            (0..500).map(|id| format!("{{\"id\":{id},\"s\":\"a\\nb{}\"}}\n", "x".repeat(id % 7))).collect();
        files.put("a.ndjson", content);
        let definition = files.resolve(files.request("a.ndjson", &[])).await.unwrap();
        let rows = files.query(&definition, "SELECT count(*) AS n, sum(id) AS s FROM t").await.unwrap();
        assert!(rows.contains("| 500 | 124750 |"), "{partitions} partitions: {rows}");
    }
}

#[tokio::test]
async fn json_types_merge() {
    let files = Files::new();
    files.put(
        "a.json",
        "{\"mixed\":1,\"at\":\"2024-01-01T00:00:00Z\",\"code\":\"1\",\"nothing\":null}\n\
         {\"mixed\":\"x\",\"at\":\"2024-01-02T00:00:00Z\",\"code\":\"02\",\"list\":[{\"k\":true}]}\n",
    );
    assert_eq!(
        files.types("a.json", &[]).await.unwrap(),
        "mixed text, at timestamp with time zone, code text, nothing text, list an object[]"
    );
    let rows = files.read("a.json", &[]).await.unwrap();
    assert!(rows.contains("| 1     | 2024-01-01T00:00:00Z | 1    |         |"), "{rows}");
}

#[tokio::test]
async fn errors_of_json_name_file_and_line() {
    let files = Files::new();
    let cases = [
        ("{\"a\":1}\n{\"a\":}\n", "InvalidData: file a.json, line 2, column a: broken JSON: expected a value, at '}'"),
        ("{\"a\":1}\n{\"a\":2\n", "InvalidData: file a.json, line 3: broken JSON: the file ends within an object"),
        ("{\"a\":1}\n7\n", "InvalidData: file a.json, line 2: expected an object, found a number, at '7'"),
        (
            "[{\"a\":1}\n{\"a\":2}]",
            "InvalidData: file a.json, line 2: expected , or ] after an object of the array, at '{\"a\":2}]'",
        ),
        ("[{\"a\":1},\n{\"a\":2}", "InvalidData: file a.json, line 2: the file ends inside the array"),
        ("[{\"a\":1},\n3]", "InvalidData: file a.json, line 2: expected an object in the array, at '3]'"),
        (
            "{\"a\":\"\\ud83d\"}\n{\"a\":tru}",
            "InvalidData: file a.json, line 2, column a: broken JSON: expected a value, at 'tru}'",
        ),
        (
            "{\"a\":\"x\n\"}",
            "InvalidData: file a.json, line 1, column a: broken JSON: a text does not end on its line, at '\"x'",
        ),
        ("{\"a\":1,}", "InvalidData: file a.json, line 1: broken JSON: nothing follows a comma, at '}'"),
        (
            "{\"a\":\"\\ud83d\"}",
            "InvalidData: file a.json, line 1, column a: \"\\ud83d\" has half of a surrogate pair, which no text can hold",
        ),
        (
            "{\"o\":{\"a\":1,\"a\":2}}",
            "InvalidData: file a.json, line 1, column o.a: an object has the key a twice, with 1 and with 2",
        ),
        ("{\"a\":1} // one", "InvalidData: file a.json, line 1: broken JSON: it has no comments, at '// one'"),
        ("", "InvalidData: file a.json is empty"),
    ];
    for (content, message) in cases {
        files.put("a.json", content);
        assert_eq!(files.read("a.json", &[]).await.unwrap_err(), message);
    }
    // Behind the sample.
    for partitions in [1, 4] {
        let files = Files::with_partitions(partitions);
        let good: String = (0..500_000).map(|id| format!("{{\"id\":{id}}}\n")).collect();
        for (bad, message) in [
            ("{\"id\":\"x\"}\n", "file b.json, line 500001, column id: 'x' is not of type bigint"),
            ("{\"id\":1\n", "file b.json, line 500002: broken JSON: expected , or }, at '{\"id\":0}'"),
        ] {
            files.put("b.json", format!("{good}{bad}{good}"));
            let definition = files.resolve(files.request("b.json", &[("sample_bytes", "1000")])).await.unwrap();
            let error = files.query(&definition, "SELECT sum(id) FROM t").await.unwrap_err();
            // What follows the last line of a part is not looked at.
            let cut = "InvalidData: file b.json, line 500001: an object does not end on its line";
            assert!(
                error == format!("InvalidData: {message}") || (partitions > 1 && error.starts_with(cut)),
                "{error}"
            );
        }
    }
}

/// A wrong cell was taken whole, or was an error, by whether a row before it had made the column one of texts.
#[tokio::test]
async fn broken_json_is_an_error_whatever_stands_before_it() {
    let files = Files::new();
    let good = ["{\"a\":\"x\"}", "{\"a\":{\"x\":1}}", "{\"a\":[1]}"];
    for bad in ["{\"x\":1,,\"y\":2}", "[1,2}", "{\"x\":1,\"y\" 2}", "{\"x\":\"\\q\"}", "{\"x\":tru}", "\"\\q\""] {
        for place in 0..=good.len() {
            let mut lines: Vec<_> = good.iter().map(|line| (*line).to_owned()).collect();
            lines.insert(place, format!("{{\"a\":{bad}}}"));
            files.put("a.json", lines.join("\n"));
            let error = files.read("a.json", &[]).await.unwrap_err();
            let expected = format!("InvalidData: file a.json, line {}, column a", place + 1);
            assert!(error.starts_with(&expected) && error.contains("broken JSON"), "{bad} {place}: {error}");
            let table = Schema::new(vec![Field::new("a", arrow::datatypes::DataType::Utf8, true)]);
            let request = TableRequest { columns: Some(table), ..files.request("a.json", &[]) };
            assert!(files.resolve(request).await.is_err(), "{bad} {place}");
        }
    }
}

/// A file of objects over several lines that is said to have one a line was told to end within an object, at a line of a part.
#[tokio::test]
async fn a_wrong_word_of_lines_is_told() {
    let pretty: String = (0..300_000).map(|id| format!("{{\n \"id\": {id},\n \"x\": [\n {id}\n ]\n}}\n")).collect();
    for (partitions, content) in [(1, "{\n\"id\":1\n}\n"), (8, pretty.as_str())] {
        let files = Files::with_partitions(partitions);
        files.put("a.json", content);
        let expected = "InvalidData: file a.json, line 1: an object goes over several lines, so the option \
                        newline_delimited is wrong for this file";
        for options in [&[("newline_delimited", "true")][..], &[("newline_delimited", "on"), ("on_error", "skip")]] {
            assert_eq!(files.read("a.json", options).await.unwrap_err(), expected);
        }
        assert!(files.resolve(files.request("a.json", &[("newline_delimited", "off")])).await.is_ok());
    }
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

/// The data set of a name in `../shared/data`, which tests share.
fn shared(name: &str) -> String {
    let path = PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("../shared/data").join(name);
    let other = PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("../../shared/data").join(name);
    let found = [path, other].into_iter().find(|path| path.exists());
    found.unwrap_or_else(|| panic!("the shared data set {name} is missing")).to_str().unwrap().to_owned()
}

#[tokio::test]
async fn real_files_are_understood() {
    let files = Files::with_partitions(2);
    for (name, options, rows, types) in [
        ("shop/invoices.parquet", &[][..], 240_007, ""),
        ("shop/products.ndjson", &[], 3539, "stock_code text, description text"),
        ("shop/customers.csv", &[], 2974, "customer_id bigint, country text"),
        ("abt_buy/abt.csv", &[], 1076, "id bigint, name text, description text, price double precision"),
        ("abt_buy/gt.csv", &[], 1076, "D1 bigint, D2 bigint"),
        ("lastfm/train.csv", &[], 0, "user_id bigint, item_id bigint"),
        ("hillstrom/hillstrom.csv", &[], 64_000, ""),
        ("small/airline-passengers.csv", &[], 144, "Month text, Passengers bigint"),
        ("small/housing.csv", &[("header", "auto")], 506, ""),
        ("small/horse-colic.csv", &[("null_value", "?")], 300, ""),
    ] {
        let request = TableRequest { locations: vec![shared(name)], ..files.request("", options) };
        let definition = files.resolve(request).await.unwrap();
        let found = files.query(&definition, "SELECT count(*) AS n FROM t").await.unwrap();
        assert!(rows == 0 || found.contains(&format!("| {rows}")), "{name}: {found}");
        let schema = definition.table_schema();
        let columns: Vec<_> = schema
            .fields()
            .iter()
            .map(|field| format!("{} {}", field.name(), infer::type_name(field.data_type())))
            .collect();
        assert!(types.is_empty() || columns.join(", ") == types, "{name}: {}", columns.join(", "));
    }
    let request = TableRequest {
        locations: vec![shared("adult/adult.data")],
        format: Some("csv".to_owned()),
        ..files.request("", &[("null_value", "?")])
    };
    let definition = files.resolve(request).await.unwrap();
    let sql = "SELECT count(*) AS n, sum(column_1) AS s, count(column_2) AS c, count(DISTINCT column_15) AS d FROM t";
    let rows = files.query(&definition, sql).await.unwrap();
    assert!(rows.contains("| 32561 | 1256257 | 30725 | 2 |"), "{rows}");
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
