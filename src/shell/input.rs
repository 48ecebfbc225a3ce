//! Cuts typed or read text into statements and meta commands.
//!
//! It knows only where SQL may hide a semicolon: quotes, dollar quotes and comments. It understands no statement; that
//! is the parser's work.

/// One unit of work.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Piece {
    /// What it is.
    pub(super) kind: PieceKind,
    /// Its text: a statement without leading blanks and comments and without its semicolon, or a whole meta command.
    pub(super) text: String,
    /// The line where the text begins, from 1.
    pub(super) line: usize,
}

/// What a piece is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum PieceKind {
    /// SQL for the engine.
    Statement,
    /// A command to the shell, a line that begins with a backslash.
    Meta,
}

/// Where the scan stands inside a statement.
#[derive(Debug, Clone, PartialEq, Eq)]
enum Inside {
    Plain,
    /// `'…'`; in `E'…'` a backslash hides the next character.
    Quote {
        escapes: bool,
    },
    Identifier,
    Dollar(String),
    Comment,
    /// `/* … */`, which nests.
    Block(usize),
}

/// Takes text in whole lines and gives out pieces as they become complete. Every byte is looked at once, however long
/// a statement grows.
#[derive(Debug)]
pub(super) struct Splitter {
    text: String,
    /// Everything before this byte has been scanned.
    scanned: usize,
    inside: Inside,
    /// Where the statement begins, once something other than blanks and comments was seen.
    start: Option<usize>,
    /// Newlines before `scanned`, and where `start` stood.
    line: usize,
    start_line: usize,
}

impl Splitter {
    /// A splitter before the first line.
    pub(super) fn new() -> Self {
        Self { text: String::new(), scanned: 0, inside: Inside::Plain, start: None, line: 1, start_line: 1 }
    }

    /// Adds text that ends at the end of a line or of the input: no token may go on in the next call.
    pub(super) fn push(&mut self, text: &str) {
        self.text.push_str(text);
    }

    /// The next complete piece.
    pub(super) fn next(&mut self) -> Option<Piece> {
        while let Some(character) = self.text[self.scanned..].chars().next() {
            if self.start.is_none() && self.inside == Inside::Plain && character == '\\' {
                return Some(self.take_meta());
            }
            if self.inside == Inside::Plain && character == ';' {
                let piece = self.take_statement(self.scanned, self.scanned + 1);
                if piece.is_some() {
                    return piece;
                }
                continue;
            }
            self.step(character);
        }
        self.forget();
        None
    }

    /// What is left when the input ends: a statement without its semicolon.
    pub(super) fn finish(&mut self) -> Option<Piece> {
        let end = self.text.len();
        if self.start.is_none() && matches!(self.inside, Inside::Block(_)) {
            // The parser says what is wrong with a comment that never ends.
            return Some(Piece { kind: PieceKind::Statement, text: "/*".to_owned(), line: self.line });
        }
        let piece = self.take_statement(end, end);
        self.forget();
        piece
    }

    /// Whether nothing has begun: no statement, no quote and no comment is open.
    pub(super) fn is_idle(&self) -> bool {
        self.start.is_none() && matches!(self.inside, Inside::Plain | Inside::Comment)
    }

    /// Bytes that are held back because their statement is not complete.
    pub(super) fn pending_bytes(&self) -> usize {
        self.text.len()
    }

    /// Moves past the token that begins with `character`.
    fn step(&mut self, character: char) {
        let rest = &self.text[self.scanned..];
        let mut length = character.len_utf8();
        let mut begins = false;
        match &mut self.inside {
            Inside::Plain => match character {
                '\'' => {
                    let escapes = self.follows_escape_prefix();
                    self.inside = Inside::Quote { escapes };
                    begins = true;
                }
                '"' => {
                    self.inside = Inside::Identifier;
                    begins = true;
                }
                '-' if rest.starts_with("--") => {
                    self.inside = Inside::Comment;
                    length = 2;
                }
                '/' if rest.starts_with("/*") => {
                    self.inside = Inside::Block(1);
                    length = 2;
                }
                '$' => {
                    begins = true;
                    let tag = if self.follows_word() { None } else { dollar_tag(rest) };
                    if let Some(tag) = tag {
                        length = tag.len();
                        self.inside = Inside::Dollar(tag.to_owned());
                    }
                }
                character => begins = !character.is_whitespace(),
            },
            Inside::Quote { escapes: true } if character == '\\' => {
                length += rest.chars().nth(1).map_or(0, char::len_utf8);
            }
            // A doubled quote closes and opens again, which comes to the same.
            Inside::Quote { .. } if character == '\'' => self.inside = Inside::Plain,
            Inside::Identifier if character == '"' => self.inside = Inside::Plain,
            Inside::Dollar(tag) if rest.starts_with(tag.as_str()) => {
                length = tag.len();
                self.inside = Inside::Plain;
            }
            Inside::Comment if character == '\n' => self.inside = Inside::Plain,
            Inside::Block(depth) if rest.starts_with("/*") => {
                *depth += 1;
                length = 2;
            }
            Inside::Block(depth) if rest.starts_with("*/") => {
                *depth -= 1;
                length = 2;
                if *depth == 0 {
                    self.inside = Inside::Plain;
                }
            }
            _ => {}
        }
        if begins && self.start.is_none() {
            self.start = Some(self.scanned);
            self.start_line = self.line;
        }
        self.line += self.text[self.scanned..self.scanned + length].matches('\n').count();
        self.scanned += length;
    }

    /// Whether an `E` that is a word of its own stands right before, as in `E'\n'`.
    fn follows_escape_prefix(&self) -> bool {
        let mut before = self.text[..self.scanned].chars().rev();
        matches!(before.next(), Some('e' | 'E')) && !before.next().is_some_and(is_word)
    }

    fn follows_word(&self) -> bool {
        self.text[..self.scanned].chars().next_back().is_some_and(is_word)
    }

    fn take_statement(&mut self, end: usize, next: usize) -> Option<Piece> {
        let piece = self.start.take().map(|start| Piece {
            kind: PieceKind::Statement,
            text: self.text[start..end].trim_end().to_owned(),
            line: self.start_line,
        });
        self.pass(next);
        piece
    }

    fn take_meta(&mut self) -> Piece {
        let length = self.text[self.scanned..].find('\n').unwrap_or(self.text.len() - self.scanned);
        let end = self.scanned + length;
        let text = self.text[self.scanned..end].trim_end().to_owned();
        let piece = Piece { kind: PieceKind::Meta, text, line: self.line };
        self.pass(end);
        piece
    }

    fn pass(&mut self, end: usize) {
        self.scanned = end;
        self.inside = Inside::Plain;
    }

    /// Drops what came before the statement that is open: once a call, so that many statements on one line are not
    /// moved once each.
    fn forget(&mut self) {
        let end = self.start.unwrap_or(self.scanned);
        self.text.drain(..end);
        self.scanned -= end;
        self.start = self.start.map(|_| 0);
    }
}

/// Whether Enter should hand the text over: every statement in it is complete, or it is a meta command.
pub(super) fn is_complete(text: &str) -> bool {
    let mut splitter = Splitter::new();
    splitter.push(text);
    while splitter.next().is_some() {}
    splitter.is_idle()
}

fn is_word(character: char) -> bool {
    character.is_alphanumeric() || character == '_' || character == '$'
}

/// `$$` or `$tag$` at the beginning of the text; a parameter such as `$1` is none.
fn dollar_tag(text: &str) -> Option<&str> {
    let end = text.get(1..)?.find('$')? + 1;
    let tag = text.get(1..end)?;
    let named = tag.chars().all(|character| character.is_alphanumeric() || character == '_');
    let digit = tag.starts_with(|character: char| character.is_ascii_digit());
    (named && !digit).then(|| &text[..=end])
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;

    /// Feeds the text line by line, as a script is read.
    fn split(text: &str) -> Vec<(String, usize)> {
        let mut splitter = Splitter::new();
        let mut pieces = Vec::new();
        for line in text.split_inclusive('\n') {
            splitter.push(line);
            while let Some(piece) = splitter.next() {
                pieces.push((piece.text, piece.line));
            }
        }
        pieces.extend(splitter.finish().map(|piece| (piece.text, piece.line)));
        pieces
    }

    fn texts(text: &str) -> Vec<String> {
        split(text).into_iter().map(|(text, _)| text).collect()
    }

    #[test]
    fn statements_end_at_semicolons() {
        assert_eq!(texts("SELECT 1; SELECT 2;SELECT 3"), ["SELECT 1", "SELECT 2", "SELECT 3"]);
        assert_eq!(texts(" ;; \n ; "), Vec::<String>::new());
        assert_eq!(texts(""), Vec::<String>::new());
    }

    #[test]
    fn quotes_and_comments_hide_semicolons() {
        for one in [
            "SELECT 'a;b'",
            "SELECT 'it''s; fine'",
            "SELECT \"a;\"\"b\"",
            "SELECT E'a\\';b'",
            "SELECT $$ ; ' $$",
            "SELECT $tag$ $$ ; $other$ $tag$",
            "SELECT 1 -- no; end",
            "SELECT 1 /* ; /* nested; */ ; */ + 1",
            "SELECT 'a\nb;\nc'",
            "SELECT $é$;$é$",
        ] {
            assert_eq!(texts(&format!("{one}\n; SELECT 2")), [one, "SELECT 2"], "{one}");
        }
    }

    #[test]
    fn what_only_looks_like_a_quote_hides_nothing() {
        assert_eq!(texts("SELECT 'a\\'; SELECT 2"), ["SELECT 'a\\'", "SELECT 2"]);
        assert_eq!(texts("SELECT some'\\'; SELECT 2"), ["SELECT some'\\'", "SELECT 2"]);
        assert_eq!(texts("SELECT $1; SELECT $2"), ["SELECT $1", "SELECT $2"]);
        assert_eq!(texts("SELECT a$b$; SELECT 2"), ["SELECT a$b$", "SELECT 2"]);
        assert_eq!(texts("SELECT 1 - 2; SELECT 4 / 2"), ["SELECT 1 - 2", "SELECT 4 / 2"]);
    }

    #[test]
    fn lines_are_those_where_statements_begin() {
        let text = "-- a comment\n\nSELECT\n 1;\n/* more\n */ SELECT 2; SELECT 3;\nSELECT 4";
        let lines: Vec<usize> = split(text).into_iter().map(|(_, line)| line).collect();
        assert_eq!(lines, [3, 6, 6, 7]);
        assert_eq!(split("-- only a comment; really\n"), []);
    }

    #[test]
    fn meta_commands_stand_between_statements() {
        let mut splitter = Splitter::new();
        splitter.push("SELECT 1; \\dt ta*\n  \\x\nSELECT '\n\\d';");
        let kinds: Vec<(PieceKind, String)> =
            std::iter::from_fn(|| splitter.next()).map(|piece| (piece.kind, piece.text)).collect();
        assert_eq!(kinds[0], (PieceKind::Statement, "SELECT 1".to_owned()));
        assert_eq!(kinds[1], (PieceKind::Meta, "\\dt ta*".to_owned()));
        assert_eq!(kinds[2], (PieceKind::Meta, "\\x".to_owned()));
        assert_eq!(kinds[3], (PieceKind::Statement, "SELECT '\n\\d'".to_owned()));
    }

    #[test]
    fn enter_waits_for_the_end_of_the_statement() {
        for complete in ["", "  ", "SELECT 1;", "SELECT 1; -- done", "\\d", "SELECT 1; \\x", "SELECT 1; /* x */ "] {
            assert!(is_complete(complete), "{complete}");
        }
        for open in ["SELECT 1", "SELECT ';", "SELECT 1; SELECT", "/* ;", "SELECT $$;", "SELECT \"a;"] {
            assert!(!is_complete(open), "{open}");
        }
    }

    #[test]
    fn a_long_statement_in_many_lines_is_scanned_once() {
        let mut splitter = Splitter::new();
        splitter.push("INSERT INTO t VALUES\n");
        for _ in 0..200_000 {
            splitter.push("(1, 'some text'),\n");
            assert_eq!(splitter.next(), None);
        }
        splitter.push("(2, 'end');");
        let piece = splitter.next().unwrap();
        assert!(piece.text.ends_with("(2, 'end')"));
        assert_eq!(splitter.next(), None);
        assert_eq!(splitter.pending_bytes(), 0);
    }
}
