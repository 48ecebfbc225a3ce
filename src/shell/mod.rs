//! The client at the terminal: an interactive shell, and scripts with the same commands.
//!
//! It sees the engine only through its sessions, as the server does; it knows no table and no model.

mod console;
mod describe;
mod editor;
mod input;
mod meta;
mod progress;
mod render;
mod report;
mod running;
mod script;

use std::io::{self, ErrorKind, IsTerminal};

use tokio::runtime::Runtime;

pub use render::Format;
pub use script::Input;

use crate::{Engine, Error, Fault, Result};
use console::{Console, Stop};
use editor::{Keyboard, Typed};

/// How a shell or a script ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Exit {
    /// Everything ran.
    Success,
    /// A statement failed; the error has been shown.
    Failed,
    /// Ctrl-C ended a script.
    Interrupted,
    /// Whoever read the output stopped reading.
    OutputClosed,
}

impl Exit {
    /// The exit code of the process; for signals as shells count them.
    pub fn code(self) -> i32 {
        match self {
            Self::Success => 0,
            Self::Failed => 1,
            Self::Interrupted => 130,
            Self::OutputClosed => 141,
        }
    }
}

/// Runs inputs one after the other until the first error.
pub fn run_script(runtime: &Runtime, engine: &Engine, inputs: &[Input], format: Format) -> Result<Exit> {
    let screen_width = if io::stdout().is_terminal() { editor::screen_width() } else { None };
    let mut console = Console::open(engine, format, screen_width)?;
    runtime.block_on(async {
        for input in inputs {
            match script::run(&mut console, input).await {
                Ok(()) => {}
                Err(Stop::Quit) => return Ok(Exit::Success),
                Err(stop) => return exit(stop),
            }
        }
        Ok(Exit::Success)
    })
}

/// Runs scripts of a name and a text, showing the remarks at their beginning and each statement before its result.
pub fn run_aloud(runtime: &Runtime, engine: &Engine, scripts: &[(&str, &str)]) -> Result<Exit> {
    let screen_width = if io::stdout().is_terminal() { editor::screen_width() } else { None };
    let mut console = Console::open(engine, Format::default(), screen_width)?;
    console.echo = true;
    runtime.block_on(async {
        for (name, text) in scripts {
            let remarks: Vec<&str> = text.lines().take_while(|line| line.starts_with("--")).collect();
            let heading = console.say(&format!("\n-- {name}\n{}", remarks.join("\n")));
            let ran = match heading {
                Ok(()) => script::run_text(&mut console, text).await,
                Err(stop) => Err(stop),
            };
            if let Err(stop) = ran {
                return exit(stop);
            }
        }
        Ok(Exit::Success)
    })
}

/// Opens the interactive shell, which goes on after errors.
pub fn run_interactive(runtime: &Runtime, engine: &Engine, format: Format) -> Result<Exit> {
    let mut keyboard = Keyboard::open()?;
    let mut console = Console::open(engine, format, keyboard.screen_width())?;
    let closed = |stop| exit(stop).map(|_| Exit::OutputClosed);
    if let Err(stop) = console.say(&banner(engine)) {
        return closed(stop);
    }
    loop {
        let text = match keyboard.read(console.session.transaction_status())? {
            Typed::Text(text) => text,
            Typed::Nothing => continue,
            Typed::End => return Ok(Exit::Success),
        };
        if let Some(width) = keyboard.screen_width() {
            console.resize(width);
        }
        match runtime.block_on(script::run_text(&mut console, &text)) {
            Ok(()) | Err(Stop::Failed | Stop::Interrupted) => {}
            Err(Stop::Quit) => return Ok(Exit::Success),
            Err(stop) => return closed(stop),
        }
    }
}

fn exit(stop: Stop) -> Result<Exit> {
    match stop {
        Stop::Failed => Ok(Exit::Failed),
        Stop::Interrupted => Ok(Exit::Interrupted),
        Stop::Quit => Ok(Exit::Success),
        Stop::Output(error) if error.kind() == ErrorKind::BrokenPipe => Ok(Exit::OutputClosed),
        Stop::Output(error) => {
            let fault = if error.kind() == ErrorKind::StorageFull { Fault::DiskFull } else { Fault::Io };
            Err(Error::new(fault, format!("the output cannot be written: {error}")))
        }
    }
}

/// What a new user needs to know.
fn banner(engine: &Engine) -> String {
    let place = match &engine.config().data_dir {
        Some(path) => format!("tables and models are kept in {}", path.display()),
        None => IN_MEMORY.to_owned(),
    };
    format!(
        "fusewire {}\n{place}\nstatements end with ;   \\? lists the commands   \\q leaves",
        env!("CARGO_PKG_VERSION")
    )
}

/// The text of an error that no statement raised, with a newline at its end.
pub fn describe_error(error: &Error) -> String {
    report::describe(&error.report(), "", &report::Place::default(), false)
}

/// Said wherever nothing outlives the process.
pub const IN_MEMORY: &str = "in memory: nothing is kept; start with --data-dir DIR to keep tables and models";
