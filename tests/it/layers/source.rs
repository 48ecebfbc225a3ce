//! Rust sources as the layer rules read them: code without comments, texts and unit tests; paths with their groups spread.

use std::{
    fs,
    path::{Path, PathBuf},
};

/// One source file.
pub(super) struct Source {
    /// Its path from the root of the workspace.
    pub(super) name: String,
    /// Its text.
    pub(super) text: String,
    code: String,
    strings: Vec<(usize, String)>,
    is_test: bool,
}

/// Every `.rs` file under a directory of the workspace, by name.
pub(super) fn sources(directory: &str) -> Vec<Source> {
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    let mut files = Vec::new();
    collect(&root.join(directory), &mut files);
    files.sort();
    let read = |file: &PathBuf| {
        let name = file.strip_prefix(root).unwrap().display().to_string();
        Source::new(&name, &fs::read_to_string(file).unwrap())
    };
    let mut sources: Vec<Source> = files.iter().map(read).collect();
    let tests: Vec<String> = sources.iter().flat_map(Source::test_modules).collect();
    for source in &mut sources {
        source.is_test |= tests.iter().any(|module| source.name.starts_with(module.as_str()));
    }
    sources
}

fn collect(directory: &Path, files: &mut Vec<PathBuf>) {
    let Ok(entries) = fs::read_dir(directory) else { return };
    for entry in entries {
        let path = entry.unwrap().path();
        if path.is_dir() {
            collect(&path, files);
        } else if path.extension().is_some_and(|extension| extension == "rs") {
            files.push(path);
        }
    }
}

impl Source {
    pub(super) fn new(name: &str, text: &str) -> Self {
        let (code, strings) = strip(text);
        // Unit tests come last in a file, and may use what they like.
        let end = code.find("#[cfg(test)]").filter(|at| code[*at..].contains("mod ") && code[*at..].contains('{'));
        let lines = end.map_or(usize::MAX, |end| code[..end].lines().count());
        let code = end.map_or(code.as_str(), |end| &code[..end]).to_owned();
        let strings = strings.into_iter().filter(|(line, _)| *line <= lines).collect();
        let is_test = name.starts_with("tests/");
        Self { name: name.to_owned(), text: text.to_owned(), code, strings, is_test }
    }

    /// Whether the whole file is for tests.
    pub(super) fn is_test(&self) -> bool {
        self.is_test
    }

    /// What the names of files begin with that this one declares under `#[cfg(test)]`.
    fn test_modules(&self) -> Vec<String> {
        let file = self.name.trim_end_matches(".rs");
        let (folder, name) = file.rsplit_once('/').unwrap_or_default();
        let home = if matches!(name, "lib" | "main" | "mod") { folder } else { file };
        let mut modules = Vec::new();
        let mut lines = self.text.lines();
        while let Some(line) = lines.next() {
            if line != "#[cfg(test)]" {
                continue;
            }
            let declared = lines.by_ref().find(|line| !line.starts_with("#["));
            let declared = declared.and_then(|line| line.rsplit_once("mod ")?.1.strip_suffix(';'));
            modules
                .extend(declared.into_iter().flat_map(|name| [format!("{home}/{name}.rs"), format!("{home}/{name}/")]));
        }
        modules
    }

    /// The module of the package that the file belongs to: `server` for `src/server/wire.rs`.
    pub(super) fn module(&self) -> &str {
        let inner = self.name.split_once("src/").map_or("", |(_, inner)| inner);
        inner.split('/').next().unwrap_or_default().trim_end_matches(".rs")
    }

    /// The code line by line, without comments, the content of texts, and unit tests.
    pub(super) fn code(&self) -> &str {
        &self.code
    }

    /// The texts in the code, each with its line.
    pub(super) fn strings(&self) -> &[(usize, String)] {
        &self.strings
    }

    /// Every path of more than one part, each with its line; `a::{b, c::d}` is `a::b` and `a::c::d`.
    pub(super) fn paths(&self) -> Vec<(usize, String)> {
        let mut reader = PathReader { letters: self.code.chars().collect(), at: 0, line: 1, found: Vec::new() };
        while reader.at < reader.letters.len() {
            match reader.word() {
                Some(word) => reader.rest(word),
                None => reader.step(),
            }
        }
        reader.found
    }

    /// A path of this file seen from the root of its package; none for paths of other packages.
    pub(super) fn engine_path(&self, path: &str) -> Option<String> {
        if let Some(rest) = path.strip_prefix("crate::") {
            return Some(rest.to_owned());
        }
        let inner = self.name.split_once("src/")?.1.trim_end_matches(".rs").trim_end_matches("/mod");
        let mut parts: Vec<&str> = inner.split('/').collect();
        let mut rest = path;
        if !begins_with_super(rest) {
            return None;
        }
        while let Some(after) = rest.strip_prefix("super::") {
            parts.pop()?;
            rest = after;
        }
        parts.push(rest);
        Some(parts.join("::"))
    }
}

fn begins_with_super(path: &str) -> bool {
    path.starts_with("super::")
}

struct PathReader {
    letters: Vec<char>,
    at: usize,
    line: usize,
    found: Vec<(usize, String)>,
}

impl PathReader {
    fn peek(&self) -> Option<char> {
        self.letters.get(self.at).copied()
    }

    fn step(&mut self) {
        if self.peek() == Some('\n') {
            self.line += 1;
        }
        self.at += 1;
    }

    fn word(&mut self) -> Option<String> {
        let start = self.at;
        while self.peek().is_some_and(|letter| letter.is_alphanumeric() || letter == '_') {
            self.at += 1;
        }
        (self.at > start).then(|| self.letters[start..self.at].iter().collect())
    }

    fn separator(&mut self) -> bool {
        let found = self.letters[self.at..].starts_with(&[':', ':']);
        if found {
            self.at += 2;
        }
        found
    }

    /// What follows the first word of a path.
    fn rest(&mut self, mut path: String) {
        let mut parts = 1;
        let line = self.line;
        while self.separator() {
            match self.word() {
                Some(word) => path = format!("{path}::{word}"),
                None if self.peek() == Some('{') => return self.group(&path),
                None => break,
            }
            parts += 1;
        }
        if parts > 1 {
            self.found.push((line, path));
        }
    }

    /// The group after `path::`, itself maybe holding groups.
    fn group(&mut self, path: &str) {
        self.step();
        while let Some(letter) = self.peek() {
            match letter {
                '}' => return self.step(),
                '*' => {
                    self.found.push((self.line, path.to_owned()));
                    self.step();
                }
                _ => match self.word() {
                    Some(word) if word == "as" => {
                        while self.peek() == Some(' ') {
                            self.step();
                        }
                        self.word();
                    }
                    Some(word) if word == "self" => self.found.push((self.line, path.to_owned())),
                    Some(word) => {
                        let before = self.found.len();
                        let line = self.line;
                        self.rest(format!("{path}::{word}"));
                        if self.found.len() == before {
                            self.found.push((line, format!("{path}::{word}")));
                        }
                    }
                    None => self.step(),
                },
            }
        }
    }
}

/// The code with comments and the content of texts left out and its lines kept, and the texts.
fn strip(text: &str) -> (String, Vec<(usize, String)>) {
    let letters: Vec<char> = text.chars().collect();
    let (mut code, mut strings) = (String::new(), Vec::new());
    let (mut at, mut line) = (0, 1);
    while let Some(letter) = letters.get(at).copied() {
        let rest = &letters[at..];
        let length = if rest.starts_with(&['/', '/']) {
            rest.iter().position(|letter| *letter == '\n').unwrap_or(rest.len())
        } else if rest.starts_with(&['/', '*']) {
            block_comment(rest)
        } else if let Some((length, content)) = quoted(&letters, at) {
            code.push_str("\"\"");
            strings.push((line, content));
            length
        } else if letter == '\'' && (rest.get(1) == Some(&'\\') || rest.get(2) == Some(&'\'')) {
            rest.iter().skip(2).position(|letter| *letter == '\'').map_or(rest.len(), |end| end + 3)
        } else {
            code.push(letter);
            line += usize::from(letter == '\n');
            at += 1;
            continue;
        };
        let lines = rest[..length].iter().filter(|letter| **letter == '\n').count();
        code.extend(std::iter::repeat_n('\n', lines));
        line += lines;
        at += length;
    }
    (code, strings)
}

fn block_comment(rest: &[char]) -> usize {
    let (mut depth, mut at) = (0, 0);
    while at < rest.len() {
        match rest[at..] {
            ['/', '*', ..] => (depth, at) = (depth + 1, at + 2),
            ['*', '/', ..] if depth == 1 => return at + 2,
            ['*', '/', ..] => (depth, at) = (depth - 1, at + 2),
            _ => at += 1,
        }
    }
    at
}

/// The length and the content of the text that begins here, if one does.
fn quoted(letters: &[char], at: usize) -> Option<(usize, String)> {
    let rest = &letters[at..];
    let is_name = at > 0 && (letters[at - 1].is_alphanumeric() || letters[at - 1] == '_') && letters[at - 1] != 'b';
    if rest[0] == 'r' && !is_name {
        let marks = rest.iter().skip(1).take_while(|letter| **letter == '#').count();
        if rest.get(marks + 1) != Some(&'"') {
            return None;
        }
        let content = &rest[marks + 2..];
        let mut end = vec!['"'];
        end.extend(std::iter::repeat_n('#', marks));
        let length = content.windows(end.len()).position(|window| window == end)?;
        return Some((marks + 2 + length + end.len(), content[..length].iter().collect()));
    }
    if rest[0] != '"' {
        return None;
    }
    let mut length = 1;
    while *rest.get(length)? != '"' {
        length += if rest[length] == '\\' { 2 } else { 1 };
    }
    Some((length + 1, rest[1..length].iter().collect()))
}
