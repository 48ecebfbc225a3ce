//! Results as the shell shows them in each format.

use std::sync::Arc;

use arrow::{
    array::{
        ArrayRef, BooleanArray, Date32Array, Float64Array, Int64Array, ListArray, ListBuilder, NullArray, StringArray,
        StringBuilder, Time64MicrosecondArray, TimestampMicrosecondArray, TimestampNanosecondArray, types::Int32Type,
    },
    datatypes::Schema,
};

use super::*;

fn style(format: Format) -> Style {
    Style { format, expanded: false, screen_width: None, rows_max: None, colour: false }
}

fn batch(columns: Vec<(&str, ArrayRef)>) -> RecordBatch {
    RecordBatch::try_from_iter_with_nullable(columns.into_iter().map(|(name, array)| (name, array, true))).unwrap()
}

fn strings(values: &[Option<&str>]) -> ArrayRef {
    Arc::new(StringArray::from(values.to_vec()))
}

fn render(batches: &[RecordBatch], style: &Style) -> String {
    let mut out = Vec::new();
    let mut renderer = Renderer::new(batches[0].schema(), style);
    for batch in batches {
        if renderer.write(batch, &mut out).unwrap() == Flow::Enough {
            break;
        }
    }
    renderer.finish(&mut out).unwrap();
    String::from_utf8(out).unwrap()
}

#[test]
fn numbers_stand_right_and_text_left() {
    let rows = batch(vec![
        ("name", strings(&[Some("ann"), Some(""), None])),
        ("n", Arc::new(Int64Array::from(vec![Some(1), Some(-200), None]))),
        ("ok", Arc::new(BooleanArray::from(vec![Some(true), Some(false), None]))),
    ]);
    let expected = "
 name |    n | ok
------+------+-------
 ann  |    1 | true
      | -200 | false
 NULL | NULL | NULL
(3 rows)
";
    assert_eq!(format!("\n{}", render(&[rows], &style(Format::Table))), expected);
}

#[test]
fn wide_characters_take_two_columns() {
    let rows =
        batch(vec![("v", strings(&[Some("数据"), Some("e\u{301}"), Some("ab")])), ("w", strings(&[Some("x"); 3]))]);
    let expected = " v    | w\n------+---\n 数据 | x\n e\u{301}    | x\n ab   | x\n(3 rows)\n";
    assert_eq!(render(&[rows], &style(Format::Table)), expected);
}

#[test]
fn wide_cells_are_cut_to_the_screen() {
    let long = "x".repeat(300);
    let rows = batch(vec![("id", Arc::new(Int64Array::from(vec![7]))), ("text", strings(&[Some(&long)]))]);
    let text = render(&[rows], &Style { screen_width: Some(40), ..style(Format::Table) });
    assert!(text.lines().all(|line| width(line) <= 40), "{text}");
    assert!(text.contains("x…\n"), "{text}");
    assert_eq!(fit("数据库", 5), "数据…");
    assert_eq!(fit("数据库", 4), "数…");
    assert_eq!(fit("abc", 3), "abc");
    assert_eq!(fit("abc", 1), "…");
}

#[test]
fn without_a_screen_nothing_is_cut() {
    let long = "y".repeat(300);
    let rows = batch(vec![("text", strings(&[Some(&long), Some("z")])), ("n", strings(&[Some("1"), Some("2")]))]);
    let text = render(&[rows], &style(Format::Table));
    assert!(text.contains(&format!("{long} | 1")), "{text}");
}

#[test]
fn columns_without_room_are_counted() {
    let names: Vec<String> = (0..40).map(|column| format!("column_{column}")).collect();
    let rows = batch(names.iter().map(|name| (name.as_str(), strings(&[Some("value of it")]))).collect());
    let text = render(&[rows], &Style { screen_width: Some(80), ..style(Format::Table) });
    assert!(text.contains("| … |"), "{text}");
    assert!(text.ends_with("(1 row, 7 of 40 columns: \\x shows all)\n"), "{text}");
}

#[test]
fn lines_of_a_value_stand_under_each_other() {
    let rows = batch(vec![("k", strings(&[Some("a"), Some("b")])), ("v", strings(&[Some("one\ntwo"), Some("x")]))]);
    let expected = " k | v\n---+-----\n a | one\n   | two\n b | x\n(2 rows)\n";
    assert_eq!(render(&[rows], &style(Format::Table)), expected);
}

#[test]
fn values_cannot_command_the_terminal() {
    let rows = batch(vec![("v\u{1b}[31m", strings(&[Some("\u{1b}]0;owned\u{7}\r\u{202e}")]))]);
    let text = render(&[rows], &style(Format::Table));
    assert!(!text.contains(['\u{1b}', '\u{7}', '\r', '\u{202e}']), "{text}");
    assert!(text.contains("\\u{1b}]0;owned\\u{7}\\r\\u{202e}"), "{text}");
}

#[test]
fn results_without_rows_or_columns_are_counted() {
    let rows = batch(vec![("v", strings(&[]))]);
    assert_eq!(render(&[rows], &style(Format::Table)), " v\n---\n(0 rows)\n");
    let none = RecordBatch::new_empty(Arc::new(Schema::empty()));
    assert_eq!(render(&[none], &style(Format::Table)), "(0 rows)\n");
    let null = batch(vec![("v", Arc::new(NullArray::new(1)) as ArrayRef)]);
    assert_eq!(render(&[null], &style(Format::Table)), " v\n------\n NULL\n(1 row)\n");
}

#[test]
fn the_screen_shows_the_first_rows() {
    let rows = batch(vec![("n", Arc::new(Int64Array::from_iter_values(0..10)) as ArrayRef)]);
    let limited = Style { rows_max: Some(3), ..style(Format::Table) };
    let text = render(std::slice::from_ref(&rows), &limited);
    assert!(text.contains("\n 2\n(first 3 rows, more follow: add LIMIT"), "{text}");
    let exact = Style { rows_max: Some(10), ..limited };
    assert!(render(&[rows], &exact).ends_with("(10 rows)\n"));
}

#[test]
fn rows_beyond_the_sample_stream_with_its_widths() {
    let rows = |from: i64, to: i64| batch(vec![("n", Arc::new(Int64Array::from_iter_values(from..to)) as ArrayRef)]);
    let text = render(&[rows(0, 900), rows(900, 1100)], &style(Format::Table));
    assert_eq!(text.lines().count(), 1103);
    assert!(text.contains("\n  99\n 100\n") && text.contains("\n 999\n 1000\n"), "{text}");
}

#[test]
fn expanded_results_have_one_value_a_line() {
    let rows = batch(vec![("id", strings(&[Some("1")])), ("note", strings(&[None]))]);
    let text = render(&[rows], &Style { expanded: true, ..style(Format::Table) });
    assert_eq!(text, "-[ record 1 ]\nid   | 1\nnote | NULL\n(1 row)\n");
}

#[test]
fn plans_are_drawn_as_they_are() {
    let plan =
        ["logical_plan".to_owned(), format!("  Projection: {}", "a, ".repeat(100)), "    TableScan: t".to_owned()];
    let lines: Vec<Option<&str>> = plan.iter().map(|line| Some(line.as_str())).collect();
    let rows = batch(vec![("QUERY PLAN", strings(&lines))]);
    let text = render(&[rows], &Style { screen_width: Some(40), rows_max: Some(2), ..style(Format::Table) });
    assert_eq!(text, format!("{}\n", plan.join("\n")));
}

#[test]
fn csv_tells_null_from_the_empty_text() {
    let rows = batch(vec![
        ("a,b", strings(&[Some("x"), Some(""), None, Some("say \"hi\""), Some("two\nlines"), Some(" é")])),
        ("n", Arc::new(Int64Array::from(vec![Some(1), None, Some(3), Some(4), Some(5), Some(6)]))),
    ]);
    let expected = "\"a,b\",n\nx,1\n\"\",\n,3\n\"say \"\"hi\"\"\",4\n\"two\nlines\",5\n é,6\n";
    assert_eq!(render(&[rows], &style(Format::Csv)), expected);
    let empty = batch(vec![("v", strings(&[]))]);
    assert_eq!(render(&[empty], &style(Format::Csv)), "v\n");
}

#[test]
fn csv_writes_dates_lists_and_floats() {
    let list = ListArray::from_iter_primitive::<Int32Type, _, _>([Some([Some(1), None, Some(3)])]);
    let rows = batch(vec![
        ("day", Arc::new(Date32Array::from(vec![19_723])) as ArrayRef),
        ("at", Arc::new(TimestampMicrosecondArray::from(vec![1_704_103_200_500_000]))),
        ("x", Arc::new(Float64Array::from(vec![0.1]))),
        ("list", Arc::new(list)),
    ]);
    let expected = "day,at,x,list\n2024-01-01,2024-01-01 10:00:00.5,0.1,\"{1,NULL,3}\"\n";
    assert_eq!(render(&[rows], &style(Format::Csv)), expected);
}

/// The last nanosecond of 1969, the end of a day, a year of five digits, and a list of one text that looks like two.
fn hard_to_show() -> RecordBatch {
    let mut list = ListBuilder::new(StringBuilder::new());
    list.values().append_value("a, b");
    list.append(true);
    batch(vec![
        ("at", Arc::new(TimestampNanosecondArray::from(vec![-1])) as ArrayRef),
        ("end", Arc::new(Time64MicrosecondArray::from(vec![86_400_000_000]))),
        ("far", Arc::new(Date32Array::from(vec![2_932_897]))),
        ("list", Arc::new(list.finish())),
    ])
}

#[test]
fn every_form_shows_all_of_a_value() {
    let shown = |style: &Style| render(&[hard_to_show()], style);
    let csv = "at,end,far,list\n1969-12-31 23:59:59.999999999,24:00:00,10000-01-01,\"{\"\"a, b\"\"}\"\n";
    assert_eq!(shown(&style(Format::Csv)), csv);
    let json = shown(&style(Format::Json));
    let expected = r#"{"at":"1969-12-31T23:59:59.999999999","end":"24:00:00","far":"10000-01-01","list":["a, b"]}"#;
    assert!(json.contains(expected), "{json}");
    let table = shown(&style(Format::Table));
    let expected = "\n 1969-12-31 23:59:59.999999999 | 24:00:00 | 10000-01-01 | {\"a, b\"}\n";
    assert!(table.contains(expected), "{table}");
    let expanded = shown(&Style { expanded: true, ..style(Format::Table) });
    assert!(expanded.contains("\nend  | 24:00:00\nfar  | 10000-01-01\nlist | {\"a, b\"}\n"), "{expanded}");
}

#[test]
fn json_is_one_array_over_all_batches() {
    let rows = |name: &str| {
        let numbers = Float64Array::from(vec![Some(f64::NAN), Some(1.5)]);
        batch(vec![("s", strings(&[Some(name), None])), ("x", Arc::new(numbers))])
    };
    let text = render(&[rows("say \"hi\"\n"), batch_of_none(), rows("é")], &style(Format::Json));
    // NaN is no number of JSON; the readers here know its name.
    let value: serde_json::Value = serde_json::from_str(&text.replace("\"x\":NaN", "\"x\":\"NaN\"")).unwrap();
    assert_eq!(value.as_array().unwrap().len(), 4);
    assert_eq!(value[0], serde_json::json!({ "s": "say \"hi\"\n", "x": "NaN" }));
    assert_eq!(value[3], serde_json::json!({ "s": null, "x": 1.5 }));
    assert_eq!(text.lines().count(), 4);
    assert_eq!(render(&[batch_of_none()], &style(Format::Json)), "[]\n");
}

fn batch_of_none() -> RecordBatch {
    batch(vec![("s", strings(&[])), ("x", Arc::new(Float64Array::from(Vec::<f64>::new())))])
}
