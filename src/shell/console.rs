//! One session and its screen: runs a statement, shows what it returns, and tells what went wrong.

use std::{
    io::{self, BufWriter, IsTerminal, Stdout, Write},
    pin::pin,
    sync::Arc,
    time::{Duration, Instant},
};

use arrow::array::RecordBatch;
use datafusion::common::DataFusionError;
use tokio::{sync::mpsc::UnboundedReceiver, time::MissedTickBehavior};

use super::{
    progress::{Progress, Stage},
    render::{Flow, Format, RenderError, Renderer, Style, printable},
    report::{Place, describe},
    running::{Event, Running},
};
use crate::{
    Engine, Error, Fault, Result, Session,
    engine::{Notice, Notification, Origin, SessionOptions, Statement},
};

/// The width of a screen that does not tell its own.
const USUAL_WIDTH: usize = 80;

/// How often the progress line is drawn.
const DRAW_INTERVAL: Duration = Duration::from_millis(100);

/// Why the shell does not go on with the next statement.
#[derive(Debug)]
pub(super) enum Stop {
    /// A statement failed; the error has been shown.
    Failed,
    /// Ctrl-C cancelled a statement.
    Interrupted,
    /// The output cannot be written.
    Output(io::Error),
    /// The user leaves.
    Quit,
}

impl From<io::Error> for Stop {
    fn from(error: io::Error) -> Self {
        Self::Output(error)
    }
}

/// A session with its output.
pub(super) struct Console {
    pub(super) session: Arc<Session>,
    pub(super) style: Style,
    pub(super) timing: bool,
    /// Whether statements are shown before what they return.
    pub(super) echo: bool,
    /// The longest statement that is read from a script, in bytes.
    pub(super) statement_bytes_max: usize,
    notices: UnboundedReceiver<Notice>,
    out: BufWriter<Stdout>,
    progress: Progress,
    /// Whether standard error is a terminal with colours.
    error_colour: bool,
}

impl Console {
    /// Opens a session on the engine for the person at this terminal.
    pub(super) fn open(engine: &Engine, format: Format, screen_width: Option<usize>) -> Result<Self> {
        let user = std::env::var("USER").ok().filter(|user| !user.is_empty()).unwrap_or_else(|| "fusewire".to_owned());
        let (session, notices) = engine.session(SessionOptions { user, origin: Origin::Local, address: None })?;
        let on_screen = io::stdout().is_terminal();
        let errors_on_screen = io::stderr().is_terminal();
        let plain = std::env::var_os("NO_COLOR").is_some_and(|value| !value.is_empty())
            || std::env::var_os("TERM").is_none_or(|terminal| terminal == "dumb");
        let config = engine.config();
        let rows_max = (on_screen && config.max_rows_displayed > 0).then_some(config.max_rows_displayed as u64);
        Ok(Self {
            session: Arc::new(session),
            style: Style { format, expanded: false, screen_width, rows_max, colour: on_screen && !plain },
            timing: false,
            echo: false,
            statement_bytes_max: config.max_message_bytes,
            notices,
            out: BufWriter::new(io::stdout()),
            progress: Progress::new(errors_on_screen, screen_width.unwrap_or(USUAL_WIDTH)),
            error_colour: errors_on_screen && !plain,
        })
    }

    /// The screen was resized.
    pub(super) fn resize(&mut self, screen_width: usize) {
        self.style.screen_width = Some(screen_width);
        self.progress = Progress::new(io::stderr().is_terminal(), screen_width);
    }

    /// Runs the statements of a text; the first error ends it.
    pub(super) async fn run(&mut self, sql: &str, place: &Place) -> Result<(), Stop> {
        let started = Instant::now();
        let statements = self.parse(sql, place).await?;
        for statement in statements {
            let text = statement.text.clone();
            if self.echo {
                self.say(&format!("\n{text};"))?;
            }
            match self.execute(statement).await {
                Ok(()) => {}
                Err(Problem::Statement(error)) => return Err(self.fail(&error, &text, place)),
                Err(Problem::Stop(stop)) => return Err(stop),
            }
        }
        if self.timing {
            self.say(&format!("time: {:.3} ms", started.elapsed().as_secs_f64() * 1000.0))?;
        }
        Ok(())
    }

    /// Writes a line to the output.
    pub(super) fn say(&mut self, line: &str) -> Result<(), Stop> {
        writeln!(self.out, "{line}")?;
        Ok(self.out.flush()?)
    }

    /// Shows rows that the shell has made itself.
    pub(super) fn show(&mut self, batch: &RecordBatch) -> Result<(), Problem> {
        let mut renderer = Renderer::new(batch.schema(), &self.style);
        renderer.write(batch, &mut self.out).map_err(problem)?;
        renderer.finish(&mut self.out).map_err(problem)?;
        Ok(self.out.flush().map_err(Stop::Output)?)
    }

    /// Shows an error and marks the transaction as failed.
    pub(super) fn fail(&mut self, error: &Error, sql: &str, place: &Place) -> Stop {
        self.session.fail_transaction();
        self.complain(&describe(&error.report(), sql, place, self.error_colour));
        Stop::Failed
    }

    /// Reads a text, which may be long, until Ctrl-C.
    async fn parse(&mut self, sql: &str, place: &Place) -> Result<Vec<Statement>, Stop> {
        self.session.expect_statement();
        let session = Arc::clone(&self.session);
        let parsed = tokio::select! {
            biased;
            Ok(()) = tokio::signal::ctrl_c() => {
                self.session.cancel();
                self.fail(&cancelled(), "", &Place::default());
                return Err(Stop::Interrupted);
            }
            parsed = session.parse(sql) => parsed,
        };
        parsed.map_err(|error| self.fail(&error, sql, place))
    }

    async fn execute(&mut self, statement: Statement) -> Result<(), Problem> {
        self.progress.start();
        let mut running = Running::start(Arc::clone(&self.session), statement);
        let followed = self.follow(&mut running).await;
        running.stop().await;
        while let Ok(notice) = self.notices.try_recv() {
            self.tell(notice);
        }
        self.tell_notifications();
        self.progress.erase();
        followed
    }

    /// Writes what the statement yields until it ends, fails or is cancelled.
    async fn follow(&mut self, running: &mut Running) -> Result<(), Problem> {
        let mut interrupt = pin!(tokio::signal::ctrl_c());
        let mut ticker = tokio::time::interval(DRAW_INTERVAL);
        ticker.set_missed_tick_behavior(MissedTickBehavior::Delay);
        let mut renderer = None;
        // What commits when Ctrl-C is heard is waited for: what it says is true.
        let mut commits = false;
        loop {
            tokio::select! {
                biased;
                Ok(()) = &mut interrupt, if !commits => {
                    if !self.session.cancel() {
                        commits = true;
                        continue;
                    }
                    self.fail(&cancelled(), "", &Place::default());
                    return Err(Problem::Stop(Stop::Interrupted));
                }
                Some(notice) = self.notices.recv() => self.tell(notice),
                _ = ticker.tick() => self.progress.draw(),
                event = running.next() => {
                    let Some(event) = event else { break };
                    if self.handle(event?, &mut renderer)? == Flow::Enough {
                        break;
                    }
                }
            }
        }
        self.progress.erase();
        if let Some(renderer) = renderer {
            renderer.finish(&mut self.out).map_err(problem)?;
        }
        self.out.flush().map_err(Stop::Output)?;
        if commits { Err(Problem::Stop(Stop::Interrupted)) } else { Ok(()) }
    }

    fn handle(&mut self, event: Event, renderer: &mut Option<Renderer>) -> Result<Flow, Problem> {
        match event {
            Event::Rows(schema) => *renderer = Some(Renderer::new(schema, &self.style)),
            Event::Batch(batch) => {
                self.progress.erase();
                if let Some(renderer) = renderer {
                    let flow = renderer.write(&batch, &mut self.out).map_err(problem)?;
                    self.out.flush().map_err(Stop::Output)?;
                    return Ok(flow);
                }
            }
            // Tags would be noise between rows that a program reads.
            Event::Done(tag) if self.style.format == Format::Table => {
                writeln!(self.out, "{tag}").map_err(Stop::Output)?
            }
            Event::Done(_) => {}
        }
        Ok(Flow::More)
    }

    fn tell(&mut self, notice: Notice) {
        if !self.session.hears(&notice) {
            return;
        }
        match notice {
            Notice::Remark { text, .. } => self.complain(&format!("notice: {}\n", printable(&text))),
            Notice::Warning { text, .. } => self.complain(&format!("warning: {}\n", printable(&text))),
            Notice::Progress { phase, done, total, loss } => self.progress.note(Stage { phase, done, total, loss }),
            Notice::Setting { .. } => {}
            Notice::Notified => self.tell_notifications(),
        }
    }

    /// Tells what others have said, unless a transaction is open: then it waits for its end.
    fn tell_notifications(&mut self) {
        for Notification { pid, channel, payload } in self.session.notifications() {
            let (channel, payload) = (printable(&channel), printable(&payload));
            self.complain(&format!("notification \"{channel}\" with payload \"{payload}\" from session {pid}\n"));
        }
    }

    /// Writes to standard error, after everything that came before on standard output.
    fn complain(&mut self, text: &str) {
        self.progress.erase();
        // A reader that is gone is noticed by the next result; a lost standard error leaves nobody to tell.
        let _ = self.out.flush();
        let _ = io::stderr().lock().write_all(text.as_bytes());
    }
}

/// What Ctrl-C leaves of a statement.
fn cancelled() -> Error {
    Error::new(Fault::Cancelled, "statement cancelled")
}

/// Why a statement did not come to its end.
#[derive(Debug)]
pub(super) enum Problem {
    /// It failed, and nobody has been told.
    Statement(Error),
    /// The shell stops for another reason.
    Stop(Stop),
}

impl From<Error> for Problem {
    fn from(error: Error) -> Self {
        Self::Statement(error)
    }
}

impl From<Stop> for Problem {
    fn from(stop: Stop) -> Self {
        Self::Stop(stop)
    }
}

fn problem(error: RenderError) -> Problem {
    match error {
        RenderError::Output(error) => Problem::Stop(Stop::Output(error)),
        RenderError::Value(error) => Problem::Statement(Error::from(DataFusionError::from(error))),
    }
}

/// The error of a meta command that was typed wrong.
pub(super) fn usage_error(message: String, hint: Option<String>) -> Error {
    Error::Statement { fault: Fault::Syntax, message, hint }
}
