//! How an error is shown: what, where in which file, the line of SQL with a mark under it, and what to do.

use super::render::{printable, width};
use crate::error::Report;

/// Characters of a long line that are shown around the mark.
const EXCERPT: usize = 100;

/// Where a statement stands.
#[derive(Debug, Clone, Default)]
pub(super) struct Place {
    /// The file it was read from; none for SQL that was typed or given as an argument.
    pub(super) file: Option<String>,
    /// The line of the file where it begins, from 1.
    pub(super) line: usize,
}

/// The text of an error, with a newline at its end.
pub(super) fn describe(report: &Report, sql: &str, place: &Place, colour: bool) -> String {
    let (begin, end) = if colour { ("\x1b[1;31m", "\x1b[0m") } else { ("", "") };
    let mut text = format!("{begin}error:{end} {} [{}]\n", printable(&report.message), report.code);
    let spot = report.position.and_then(|position| find(sql, position));
    if let Some(file) = &place.file {
        let (line, column) = spot.as_ref().map_or((0, None), |spot| (spot.line, Some(spot.column)));
        let column = column.map(|column| format!(":{column}")).unwrap_or_default();
        text.push_str(&format!(" --> {file}:{}{column}\n", place.line + line));
    }
    if let Some(spot) = spot {
        let (excerpt, mark) = excerpt(spot.text, spot.column);
        let several = place.file.is_none() && sql.contains('\n');
        let gutter = if several { format!("{} | ", spot.line + 1) } else { "  | ".to_owned() };
        text.push_str(&format!("{gutter}{excerpt}\n{}| {}^\n", " ".repeat(gutter.len() - 2), " ".repeat(mark)));
    }
    for (title, more) in [("detail", &report.detail), ("hint", &report.hint), ("context", &report.context)] {
        if let Some(more) = more {
            text.push_str(&format!("{title}: {}\n", printable(more)));
        }
    }
    text
}

/// A position in the SQL.
struct Spot<'a> {
    /// The text of its line.
    text: &'a str,
    /// Lines before it.
    line: usize,
    /// Characters up to it in its line, from 1.
    column: usize,
}

fn find(sql: &str, position: usize) -> Option<Spot<'_>> {
    let mut left = position.checked_sub(1)?;
    for (line, text) in sql.split('\n').enumerate() {
        let length = text.chars().count();
        if left <= length {
            return Some(Spot { text: text.trim_end(), line, column: left + 1 });
        }
        left -= length + 1;
    }
    None
}

/// The part of a line that holds a column, and how far on the screen the mark stands in it.
fn excerpt(line: &str, column: usize) -> (String, usize) {
    let before = column - 1;
    let from = before.saturating_sub(EXCERPT * 3 / 4);
    let part = |from: usize, to: usize| -> String {
        line.chars()
            .skip(from)
            .take(to - from)
            .map(|character| if character.is_control() { ' ' } else { character })
            .collect()
    };
    let shown = part(from, from + EXCERPT);
    let (head, tail) = (if from > 0 { "…" } else { "" }, if line.chars().count() > from + EXCERPT { "…" } else { "" });
    let mark = width(head) + width(&part(from, before));
    (format!("{head}{shown}{tail}"), mark)
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;

    fn shown(sql: &str, position: Option<usize>, file: Option<&str>, line: usize) -> String {
        let report = Report {
            code: "42703",
            message: "no column usr".to_owned(),
            detail: None,
            hint: Some("did you mean user".to_owned()),
            position,
            context: None,
        };
        describe(&report, sql, &Place { file: file.map(str::to_owned), line }, false)
    }

    #[test]
    fn the_mark_stands_under_the_position() {
        let text = shown("SELECT usr FROM t", Some(8), None, 1);
        let expected = "error: no column usr [42703]\n  | SELECT usr FROM t\n  |        ^\nhint: did you mean user\n";
        assert_eq!(text, expected);
    }

    #[test]
    fn a_file_is_named_with_the_line_and_column_of_the_mark() {
        let text = shown("SELECT 1,\n  usr\nFROM t", Some(13), Some("load.sql"), 12);
        assert!(text.contains("\n --> load.sql:13:3\n  |   usr\n  |   ^\n"), "{text}");
        let text = shown("SELECT 1", None, Some("load.sql"), 12);
        assert!(text.contains("\n --> load.sql:12\nhint"), "{text}");
    }

    #[test]
    fn typed_text_of_several_lines_gets_line_numbers() {
        let text = shown("SELECT 1,\nusr", Some(11), None, 1);
        assert!(text.contains("\n2 | usr\n  | ^\n"), "{text}");
    }

    #[test]
    fn wide_characters_and_long_lines_keep_the_mark_in_place() {
        assert!(shown("SELECT '数', usr", Some(13), None, 1).contains("\n  |              ^\n"));
        let sql = format!("SELECT {}, usr, {}", "a".repeat(500), "b".repeat(500));
        let text = shown(&sql, Some(510), None, 1);
        let lines: Vec<&str> = text.lines().collect();
        let mark = lines[2].chars().position(|character| character == '^').unwrap();
        assert_eq!(lines[1].chars().skip(mark).take(3).collect::<String>(), "usr");
        assert!(lines[1].chars().count() < 120);
    }

    #[test]
    fn positions_outside_the_text_are_left_out() {
        for position in [0, 100, usize::MAX] {
            assert!(!shown("SELECT 1", Some(position), None, 1).contains('^'));
        }
        assert!(shown("SELECT", Some(7), None, 1).contains("|       ^"));
    }
}
