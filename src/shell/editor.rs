//! Reads statements from the keyboard: line editing over several lines, and a history that outlives the shell.

use std::{
    fs,
    path::{Path, PathBuf},
};

use rustyline::{
    Editor, Helper,
    completion::Completer,
    config::Builder,
    error::ReadlineError,
    highlight::Highlighter,
    hint::Hinter,
    history::FileHistory,
    validate::{ValidationContext, ValidationResult, Validator},
};

use super::input::is_complete;
use crate::{Error, Fault, Result, engine::TransactionStatus};

/// Statements that the history keeps.
const HISTORY_LENGTH: usize = 10_000;

/// Words that mark a statement whose text must not be written to a file that outlives it.
const SECRET_WORDS: &[&str] = &["secret", "password"];

/// What came from the keyboard.
#[derive(Debug)]
pub(super) enum Typed {
    /// Complete statements or a meta command.
    Text(String),
    /// Ctrl-C: the line is dropped.
    Nothing,
    /// Ctrl-D.
    End,
}

/// The keyboard and its history.
pub(super) struct Keyboard {
    editor: Editor<Multiline, FileHistory>,
    history: Option<PathBuf>,
}

impl Keyboard {
    /// Takes over the terminal. The history file is optional: a home that cannot be written only loses the history.
    pub(super) fn open() -> Result<Self> {
        let settings = Builder::new()
            .history_ignore_space(true)
            .max_history_size(HISTORY_LENGTH)
            .and_then(|settings| settings.history_ignore_dups(true))
            .map_err(terminal_error)?
            .bracketed_paste(true)
            .build();
        let mut editor = Editor::with_config(settings).map_err(terminal_error)?;
        editor.set_helper(Some(Multiline));
        let history = history_file().filter(|path| prepare(path));
        if let Some(path) = &history {
            // There is none before the first session.
            let _ = editor.load_history(path);
        }
        Ok(Self { editor, history })
    }

    /// The width of the screen.
    pub(super) fn screen_width(&mut self) -> Option<usize> {
        self.editor.dimensions().map(|(columns, _)| usize::from(columns))
    }

    /// Waits for a complete statement.
    pub(super) fn read(&mut self, status: TransactionStatus) -> Result<Typed> {
        let prompt = match status {
            TransactionStatus::Idle => "fusewire=> ",
            TransactionStatus::Open => "fusewire=*> ",
            TransactionStatus::Failed => "fusewire=!> ",
        };
        match self.editor.readline(prompt) {
            Ok(text) => {
                self.remember(text.trim_end());
                Ok(Typed::Text(text))
            }
            Err(ReadlineError::Interrupted) => Ok(Typed::Nothing),
            Err(ReadlineError::Eof) => Ok(Typed::End),
            Err(error) => Err(terminal_error(error)),
        }
    }

    fn remember(&mut self, text: &str) {
        if text.is_empty() || holds_secret(text) {
            return;
        }
        let added = self.editor.add_history_entry(text).unwrap_or(false);
        if let (true, Some(path)) = (added, &self.history) {
            // A disk that is full must not end the session.
            let _ = self.editor.append_history(path);
        }
    }
}

/// The width of the screen that standard output shows on, for scripts.
pub(super) fn screen_width() -> Option<usize> {
    let (columns, _) = rustyline::DefaultEditor::new().ok()?.dimensions()?;
    Some(usize::from(columns))
}

/// Lets Enter begin a new line until the statement is complete.
struct Multiline;

impl Validator for Multiline {
    fn validate(&self, context: &mut ValidationContext<'_>) -> rustyline::Result<ValidationResult> {
        let complete = is_complete(context.input());
        Ok(if complete { ValidationResult::Valid(None) } else { ValidationResult::Incomplete })
    }
}

impl Completer for Multiline {
    type Candidate = String;
}

impl Highlighter for Multiline {}

impl Hinter for Multiline {
    type Hint = String;
}

impl Helper for Multiline {}

/// Errs on the side of forgetting: any statement that mentions one of the words.
fn holds_secret(text: &str) -> bool {
    let text = text.to_lowercase();
    SECRET_WORDS.iter().any(|word| text.contains(word))
}

/// The history lives where the XDG base directories keep the state of programs.
fn history_file() -> Option<PathBuf> {
    let absolute = |name| std::env::var_os(name).map(PathBuf::from).filter(|path| path.is_absolute());
    let state = absolute("XDG_STATE_HOME").or_else(|| absolute("HOME").map(|home| home.join(".local/state")))?;
    Some(state.join("fusewire").join("history"))
}

fn prepare(path: &Path) -> bool {
    path.parent().is_some_and(|directory| fs::create_dir_all(directory).is_ok())
}

fn terminal_error(error: ReadlineError) -> Error {
    Error::new(Fault::Io, format!("the terminal cannot be read: {error}"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn secrets_stay_out_of_the_history() {
        assert!(holds_secret("CREATE\n Secret s (TYPE s3, KEY_ID 'a', SECRET 'b')"));
        assert!(holds_secret("ALTER ROLE r PASSWORD 'x'"));
        assert!(!holds_secret("SELECT 1"));
    }
}
