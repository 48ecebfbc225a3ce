//! Runs SQL that was not typed: arguments, files and standard input. The first error ends it.

use std::{
    fs::File,
    io::{self, BufRead, BufReader, Read},
    path::{Path, PathBuf},
    thread,
};

use tokio::sync::mpsc::{self, Receiver};

use super::{
    console::{Console, Stop},
    describe::describe_relation,
    input::{Piece, PieceKind, Splitter},
    meta::{self, Meta},
    report::Place,
};
use crate::{Error, Fault};

/// How deep files may include files.
const INCLUDE_DEPTH_MAX: usize = 16;

/// Lines that are read ahead.
const WAITING_LINES: usize = 256;

/// The name of standard input in messages.
const STDIN_NAME: &str = "<stdin>";

/// SQL to run.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Input {
    /// The text itself.
    Text(String),
    /// The statements of a file.
    File(PathBuf),
    /// The statements that come on standard input.
    Stdin,
}

/// Runs one input to its end.
pub(super) async fn run(console: &mut Console, input: &Input) -> Result<(), Stop> {
    match input {
        Input::Text(text) => run_text(console, text).await,
        Input::File(path) => run_file(console, path, 0).await,
        Input::Stdin => run_lines(console, read_lines(io::stdin(), console.statement_bytes_max), STDIN_NAME, 0).await,
    }
}

/// Runs the statements and meta commands of a text that was typed.
pub(super) async fn run_text(console: &mut Console, text: &str) -> Result<(), Stop> {
    let mut splitter = Splitter::new();
    splitter.push(text);
    let place = Place::default();
    while let Some(piece) = splitter.next() {
        run_piece(console, piece, &place, 0).await?;
    }
    match splitter.finish() {
        Some(piece) => run_piece(console, piece, &place, 0).await,
        None => Ok(()),
    }
}

async fn run_file(console: &mut Console, path: &Path, depth: usize) -> Result<(), Stop> {
    let name = path.display().to_string();
    match File::open(path) {
        Ok(file) => run_lines(console, read_lines(file, console.statement_bytes_max), &name, depth).await,
        Err(error) => {
            let error = Error::new(Fault::UndefinedFile, format!("file {name} cannot be opened: {error}"));
            Err(console.fail(&error, "", &Place::default()))
        }
    }
}

async fn run_lines(
    console: &mut Console,
    mut lines: Receiver<io::Result<String>>,
    name: &str,
    depth: usize,
) -> Result<(), Stop> {
    let mut splitter = Splitter::new();
    let mut place = Place { file: Some(name.to_owned()), line: 0 };
    loop {
        let line = tokio::select! {
            line = lines.recv() => line,
            Ok(()) = tokio::signal::ctrl_c() => return Err(Stop::Interrupted),
        };
        let Some(line) = line else { break };
        place.line += 1;
        let line = line.map_err(|error| {
            console.fail(&Error::new(Fault::InvalidData, format!("not readable as SQL: {error}")), "", &place)
        })?;
        splitter.push(line.strip_prefix('\u{feff}').filter(|_| place.line == 1).unwrap_or(&line));
        while let Some(piece) = splitter.next() {
            run_piece(console, piece, &place, depth).await?;
        }
        if splitter.pending_bytes() > console.statement_bytes_max {
            let message = format!("statement is longer than {} bytes", console.statement_bytes_max);
            let hint = Some("raise max_message_bytes, or load the rows from a file".to_owned());
            let error = Error::Statement { fault: Fault::LimitExceeded, message, hint };
            return Err(console.fail(&error, "", &place));
        }
    }
    match splitter.finish() {
        Some(piece) => run_piece(console, piece, &place, depth).await,
        None => Ok(()),
    }
}

async fn run_piece(console: &mut Console, piece: Piece, place: &Place, depth: usize) -> Result<(), Stop> {
    let place = Place { file: place.file.clone(), line: piece.line };
    match piece.kind {
        PieceKind::Statement => console.run(&piece.text, &place).await,
        PieceKind::Meta => match meta::parse(&piece.text) {
            Ok(command) => run_meta(console, command, &place, depth).await,
            Err(error) => Err(console.fail(&error, "", &place)),
        },
    }
}

async fn run_meta(console: &mut Console, command: Meta, place: &Place, depth: usize) -> Result<(), Stop> {
    match command {
        Meta::Quit => Err(Stop::Quit),
        Meta::Help => console.say(&meta::help()),
        Meta::List(query) => console.run(&query, place).await,
        Meta::Describe(name) => describe_relation(console, &name, place).await,
        Meta::Timing(wanted) => {
            console.timing = wanted.unwrap_or(!console.timing);
            console.say(if console.timing { "timing is on" } else { "timing is off" })
        }
        Meta::Expanded(wanted) => {
            console.style.expanded = wanted.unwrap_or(!console.style.expanded);
            console.say(if console.style.expanded { "one value a line" } else { "columns" })
        }
        Meta::Include(_) if depth >= INCLUDE_DEPTH_MAX => {
            let message = format!("files include each other more than {INCLUDE_DEPTH_MAX} deep");
            Err(console.fail(&Error::new(Fault::LimitExceeded, message), "", place))
        }
        Meta::Include(path) => Box::pin(run_file(console, Path::new(&path), depth + 1)).await,
    }
}

/// Reads lines on a thread of its own, so that waiting for input never keeps the shell from hearing Ctrl-C. A line may
/// be as long as a statement.
fn read_lines(source: impl Read + Send + 'static, line_bytes_max: usize) -> Receiver<io::Result<String>> {
    let (sender, lines) = mpsc::channel(WAITING_LINES);
    thread::spawn(move || {
        let mut reader = BufReader::new(source);
        loop {
            let line = read_line(&mut reader, line_bytes_max).transpose();
            let Some(line) = line else { break };
            let failed = line.is_err();
            if sender.blocking_send(line).is_err() || failed {
                break;
            }
        }
    });
    lines
}

fn read_line(reader: &mut impl BufRead, bytes_max: usize) -> io::Result<Option<String>> {
    let mut line = Vec::new();
    let read = reader.by_ref().take(bytes_max as u64 + 1).read_until(b'\n', &mut line)?;
    if read > bytes_max {
        return Err(io::Error::other(format!("a line is longer than {bytes_max} bytes: raise max_message_bytes")));
    }
    match String::from_utf8(line) {
        Ok(line) => Ok(Some(line).filter(|line| !line.is_empty())),
        Err(error) => {
            let byte = error.utf8_error().valid_up_to() + 1;
            Err(io::Error::other(format!("byte {byte} of the line is not UTF-8")))
        }
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;

    #[test]
    fn lines_are_checked_while_they_are_read() {
        let mut reader = &b"SELECT 1;\nSELECT '\xff';\n"[..];
        assert_eq!(read_line(&mut reader, 100).unwrap().unwrap(), "SELECT 1;\n");
        assert!(read_line(&mut reader, 100).unwrap_err().to_string().contains("byte 9 of the line is not UTF-8"));
        let mut reader = &b"SELECT 1"[..];
        assert!(read_line(&mut reader, 7).unwrap_err().to_string().contains("longer than 7 bytes"));
        let mut reader = &b"no newline"[..];
        assert_eq!(read_line(&mut reader, 10).unwrap().unwrap(), "no newline");
        assert_eq!(read_line(&mut reader, 10).unwrap(), None);
    }
}
