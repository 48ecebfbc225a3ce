//! Sessions that were recorded against PostgreSQL 15, as far as they are about transactions, cursors and settings.

use std::{fs, path::Path};

use serde_json::Value;

use super::{
    client::{Address, Client, Line},
    message::Step,
};
use crate::support::Served;

/// The sessions that are run, of those in the file.
const SESSIONS: &[&str] = &[
    "multi statement stops at the error",
    "begin in a message",
    "rollback",
    "ddl in a transaction",
    "savepoint after an error",
    "begin twice",
    "transaction modes",
    "read only",
    "and chain",
    "now() is fixed in a transaction",
    "set local",
    "set rolls back",
    "show all",
    "declare cursor",
    "scroll cursor",
    "cursor with hold",
];

/// Steps that are answered otherwise: the session, how the step begins, and why.
const OTHERWISE: &[(&str, &str, &str)] = &[
    ("show all", "SHOW server_version", "it is ours"),
    ("show all", "SHOW session_authorization", "the user is another"),
    ("transaction modes", "SHOW", "a transaction reads one snapshot, and that is told"),
];

#[test]
fn recorded_sessions_are_postgresql_s() {
    let file = Path::new(env!("CARGO_MANIFEST_DIR")).join("../shared/data/postgres/sessions.jsonl");
    let text = fs::read_to_string(&file).unwrap_or_else(|error| {
        panic!("the recorded sessions are not at {}; put them there: {error}", file.display());
    });
    let served = Served::start(&[]);
    let (mut run, mut wrong) = (Vec::new(), Vec::new());
    for session in text.lines().map(|line| serde_json::from_str::<Value>(line).unwrap()) {
        let name = session["name"].as_str().unwrap();
        let Some(known) = SESSIONS.iter().find(|known| **known == name) else { continue };
        run.push(*known);
        let mut client = Client::connect(&Address::Port(served.port)).unwrap();
        let steps = session["steps"].as_array().unwrap().iter().map(|sql| sql.as_str().unwrap());
        for (sql, expected) in steps.zip(session["pg"].as_array().unwrap()) {
            let ours = answer(&client.ask(&Step::query(1, vec![sql.to_owned()])));
            let expected = recorded(expected);
            let is_known = OTHERWISE.iter().any(|(session, start, _)| *session == name && sql.starts_with(*start));
            if ours != expected && !is_known {
                wrong.push(format!("{name}: {sql}\n  {ours:?} instead of\n  {expected:?}"));
            }
        }
        client.close();
    }
    assert_eq!(run, SESSIONS, "the file does not have the sessions in this order");
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

/// What is compared of an answer: its messages, and its notices apart, as the file does not tell where they stood.
type Answer = (Vec<String>, Vec<String>);

fn answer(lines: &[Line]) -> Answer {
    let (mut messages, mut notices): (Vec<String>, Vec<String>) = (Vec::new(), Vec::new());
    for line in lines {
        if line.is("NoticeResponse") {
            notices.push(line.text.clone());
            continue;
        }
        if line.is("ParameterStatus") {
            continue;
        }
        // Who recorded saw nothing of the rows before an error.
        let is_row = |text: &String| text.starts_with("DataRow") || text.starts_with("RowDescription");
        while line.is("ErrorResponse") && messages.last().is_some_and(is_row) {
            messages.pop();
        }
        messages.push(line.text.clone());
    }
    (messages, notices)
}

/// The same of a step in the file.
fn recorded(step: &Value) -> Answer {
    let texts = |values: &Value| -> Vec<String> {
        let values = values.as_array().unwrap().iter();
        values.map(|value| value.as_str().unwrap_or("NULL").to_owned()).collect()
    };
    let mut messages = Vec::new();
    for result in step["results"].as_array().unwrap() {
        if let Some(code) = result["sqlstate"].as_str() {
            messages.push(format!("ErrorResponse ERROR {code}"));
        } else if let Some(tag) = result["tag"].as_str() {
            if result["columns"].is_array() {
                messages.push(format!("RowDescription {}", texts(&result["columns"]).join(", ")));
                let rows = result["rows"].as_array().unwrap().iter();
                messages.extend(rows.map(|row| format!("DataRow {}", texts(row).join(", "))));
            }
            messages.push(format!("CommandComplete {tag}"));
        } else {
            messages.push("EmptyQueryResponse".to_owned());
        }
    }
    let status = match step["tx"].as_i64() {
        Some(0) => "I",
        Some(2) => "T",
        _ => "E",
    };
    messages.push(format!("ReadyForQuery {status}"));
    let notices = texts(&step["notices"]).into_iter().map(|notice| {
        // Severity and code; the words are the engine's own.
        let words: Vec<&str> = notice.split(' ').take(2).collect();
        format!("NoticeResponse {}", words.join(" "))
    });
    (messages, notices.collect())
}
