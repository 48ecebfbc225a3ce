//! Commands to the shell itself: lines that begin with a backslash.
//!
//! [`COMMANDS`] is the one list; `\?` is written from it.

use super::console::usage_error;
use crate::Result;

/// What a meta command asks for.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Meta {
    /// `\d NAME`
    Describe(String),
    /// `\d`, `\dt`, `\dv`, `\dm`, `\df`: a query of the catalog.
    List(String),
    /// `\i FILE`
    Include(String),
    /// `\timing [on|off]`; none: the other way round.
    Timing(Option<bool>),
    /// `\x [on|off]`
    Expanded(Option<bool>),
    /// `\?`
    Help,
    /// `\q`
    Quit,
}

/// One command of the list.
struct Command {
    name: &'static str,
    argument: &'static str,
    help: &'static str,
    parse: fn(Option<&str>) -> Option<Meta>,
}

const COMMANDS: &[Command] = &[
    Command {
        name: "\\d",
        argument: "[NAME]",
        help: "columns of a table, a view or a model; without a name all tables and views",
        parse: |argument| match argument {
            Some(name) => is_name(name).then(|| Meta::Describe(name.to_owned())),
            None => Some(Meta::List(relations(&[], None))),
        },
    },
    Command {
        name: "\\dt",
        argument: "[PATTERN]",
        help: "tables; in a pattern * stands for anything",
        parse: |argument| Some(Meta::List(relations(&["BASE TABLE", "FOREIGN"], argument))),
    },
    Command {
        name: "\\dv",
        argument: "[PATTERN]",
        help: "views",
        parse: |argument| Some(Meta::List(relations(&["VIEW"], argument))),
    },
    Command {
        name: "\\dm",
        argument: "[PATTERN]",
        help: "models",
        parse: |argument| Some(Meta::List(system_table("models", MODEL_COLUMNS, argument))),
    },
    Command {
        name: "\\df",
        argument: "[PATTERN]",
        help: "functions for training, prediction and data; with a pattern their arguments and examples",
        parse: |argument| {
            let columns = if argument.is_some() { "*" } else { "name, description" };
            Some(Meta::List(system_table("functions", columns, argument)))
        },
    },
    Command {
        name: "\\i",
        argument: "FILE",
        help: "run the statements of a file",
        parse: |argument| argument.map(|path| Meta::Include(unquoted(path))),
    },
    Command {
        name: "\\timing",
        argument: "[on|off]",
        help: "show how long each statement took",
        parse: |argument| switch(argument).map(Meta::Timing),
    },
    Command {
        name: "\\x",
        argument: "[on|off]",
        help: "one value a line instead of columns",
        parse: |argument| switch(argument).map(Meta::Expanded),
    },
    Command {
        name: "\\?",
        argument: "",
        help: "this list",
        parse: |argument| argument.is_none().then_some(Meta::Help),
    },
    Command { name: "\\q", argument: "", help: "leave", parse: |argument| argument.is_none().then_some(Meta::Quit) },
];

/// Understands a line such as `\dt cust*`; a semicolon at its end is forgiven.
pub(super) fn parse(line: &str) -> Result<Meta> {
    let line = line.trim().trim_end_matches(';').trim_end();
    let (name, argument) = line.split_once(char::is_whitespace).unwrap_or((line, ""));
    let argument = Some(argument.trim()).filter(|argument| !argument.is_empty());
    let Some(command) = COMMANDS.iter().find(|command| command.name == name) else {
        let names: Vec<&str> = COMMANDS.iter().map(|command| command.name).collect();
        let hint = format!("the commands are {}", names.join(", "));
        return Err(usage_error(format!("unknown command {name}"), Some(hint)));
    };
    (command.parse)(argument).ok_or_else(|| {
        let found = argument.map_or("nothing".to_owned(), |argument| format!("'{argument}'"));
        let usage = format!("usage: {} {}", command.name, command.argument);
        usage_error(format!("{name} does not take {found} as its argument"), Some(usage.trim_end().to_owned()))
    })
}

/// The list of commands for `\?`.
pub(super) fn help() -> String {
    let mut help = String::from("Statements end with a semicolon. Ctrl-C cancels, Ctrl-D leaves.\n\n");
    for command in COMMANDS {
        help.push_str(&format!("  {:<18}{}\n", format!("{} {}", command.name, command.argument), command.help));
    }
    help.push_str("\nFunctions with their arguments and an example: SELECT * FROM fusewire.functions;");
    help
}

/// A text as an SQL literal.
pub(super) fn literal(text: &str) -> String {
    format!("'{}'", text.replace('\'', "''"))
}

/// The parts of a name as the catalog keeps them: unquoted ones in lower case. None if it is no name.
pub(super) fn name_parts(name: &str) -> Option<Vec<String>> {
    let mut parts = Vec::new();
    let mut rest = name;
    loop {
        let (part, after) = match rest.strip_prefix('"') {
            Some(quoted) => quoted_part(quoted)?,
            None => {
                let end = rest.find('.').unwrap_or(rest.len());
                let (part, after) = rest.split_at(end);
                (part.to_lowercase(), after)
            }
        };
        let word = |character: char| character.is_alphanumeric() || matches!(character, '_' | '$');
        if part.is_empty() || !(rest.starts_with('"') || part.chars().all(word)) {
            return None;
        }
        parts.push(part);
        match after.strip_prefix('.') {
            Some(next) => rest = next,
            None if after.is_empty() => return Some(parts),
            None => return None,
        }
    }
}

/// A quoted identifier up to its closing quote, and what follows it.
fn quoted_part(text: &str) -> Option<(String, &str)> {
    let mut part = String::new();
    let mut rest = text;
    loop {
        let end = rest.find('"')?;
        part.push_str(&rest[..end]);
        rest = &rest[end + 1..];
        match rest.strip_prefix('"') {
            Some(next) => {
                part.push('"');
                rest = next;
            }
            None => return Some((part, rest)),
        }
    }
}

fn is_name(name: &str) -> bool {
    name_parts(name).is_some_and(|parts| parts.len() <= 3)
}

/// Tables and views that users made, of these types or of any.
fn relations(types: &[&str], pattern: Option<&str>) -> String {
    let mut query = String::from(
        "SELECT table_schema AS schema, table_name AS name, \
         CASE table_type WHEN 'BASE TABLE' THEN 'table' WHEN 'FOREIGN' THEN 'external table' ELSE 'view' END AS kind \
         FROM information_schema.tables WHERE table_schema NOT IN ('information_schema', 'pg_catalog', 'fusewire')",
    );
    if !types.is_empty() {
        let types: Vec<String> = types.iter().map(|name| literal(name)).collect();
        query.push_str(&format!(" AND table_type IN ({})", types.join(", ")));
    }
    if let Some(pattern) = pattern {
        query.push_str(&format!(" AND table_name LIKE {}", like(pattern)));
    }
    query + " ORDER BY 1, 2"
}

/// What fits a screen of the columns of `fusewire.models`.
const MODEL_COLUMNS: &str = "schema, name, live_version, kind, objective, target, trained_at";

fn system_table(table: &str, columns: &str, pattern: Option<&str>) -> String {
    let filter = pattern.map(|pattern| format!(" WHERE name LIKE {}", like(pattern))).unwrap_or_default();
    format!("SELECT {columns} FROM fusewire.{table}{filter} ORDER BY name")
}

/// `cust*` as a LIKE pattern; unquoted names are kept in lower case.
fn like(pattern: &str) -> String {
    let escaped = pattern.to_lowercase().replace('\\', "\\\\").replace('_', "\\_").replace('%', "\\%");
    literal(&escaped.replace('*', "%"))
}

fn unquoted(path: &str) -> String {
    let inner = path.strip_prefix('\'').and_then(|path| path.strip_suffix('\''));
    inner.unwrap_or(path).to_owned()
}

fn switch(argument: Option<&str>) -> Option<Option<bool>> {
    match argument {
        None => Some(None),
        Some("on") => Some(Some(true)),
        Some("off") => Some(Some(false)),
        Some(_) => None,
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;

    #[test]
    fn describe_takes_a_name() {
        assert_eq!(parse("\\d ratings").unwrap(), Meta::Describe("ratings".to_owned()));
        assert_eq!(parse("\\d sales.\"Order Lines\";").unwrap(), Meta::Describe("sales.\"Order Lines\"".to_owned()));
        for refused in ["\\d a b", "\\d a.b.c.d", "\\d a;DROP TABLE b", "\\d \"a", "\\d a.", "\\d 'a'"] {
            let hint = parse(refused).unwrap_err().report().hint;
            assert_eq!(hint.as_deref(), Some("usage: \\d [NAME]"), "{refused}");
        }
    }

    #[test]
    fn names_fold_unless_quoted() {
        assert_eq!(name_parts("Sales.Items").unwrap(), ["sales", "items"]);
        assert_eq!(name_parts("\"Sales.2\".\"a\"\"b\"").unwrap(), ["Sales.2", "a\"b"]);
    }

    #[test]
    fn switches_turn_and_set() {
        assert_eq!(parse("\\timing").unwrap(), Meta::Timing(None));
        assert_eq!(parse("\\x on").unwrap(), Meta::Expanded(Some(true)));
        assert!(parse("\\x maybe").is_err());
        assert_eq!(parse("\\q").unwrap(), Meta::Quit);
        assert_eq!(parse("\\i 'my file.sql'").unwrap(), Meta::Include("my file.sql".to_owned()));
        assert!(parse("\\i").unwrap_err().report().message.contains("does not take nothing"));
    }

    #[test]
    fn patterns_become_literals() {
        let Meta::List(query) = parse("\\dt O'Neil_*").unwrap() else { panic!("\\dt lists") };
        assert!(query.contains("LIKE 'o''neil\\_%'"), "{query}");
        let Meta::List(query) = parse("\\df").unwrap() else { panic!("\\df lists") };
        assert_eq!(query, "SELECT name, description FROM fusewire.functions ORDER BY name");
    }

    #[test]
    fn an_unknown_command_lists_the_known_ones() {
        let report = parse("\\w file").unwrap_err().report();
        assert_eq!(report.message, "unknown command \\w");
        assert!(report.hint.unwrap().contains("\\timing"));
        assert!(COMMANDS.iter().all(|command| help().contains(command.help)));
    }
}
