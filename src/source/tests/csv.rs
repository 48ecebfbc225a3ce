//! Tables over CSV files.

use super::*;

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
