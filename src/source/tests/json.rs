//! Tables over JSON files.

use super::*;

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
