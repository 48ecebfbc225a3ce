//! What several tests need: an engine in this process, the real binary as a process of its own, and psql.

use std::{
    fmt::Write as _,
    io::{BufRead, BufReader},
    path::{Path, PathBuf},
    process::{Child, ChildStdout, Command, Output, Stdio},
    sync::mpsc::{Receiver, RecvTimeoutError, channel},
    thread,
    time::{Duration, Instant},
};

use fusewire::{
    Config, Engine, Session,
    engine::{Notice, Origin, Outcome, SessionOptions},
    error::Report,
};
use futures::StreamExt;
use tokio::sync::mpsc::UnboundedReceiver;

/// Anything that should happen at once has failed after this; it is long because tests run side by side.
pub(crate) const PATIENCE: Duration = Duration::from_secs(60);

/// The program under test with these arguments, and nothing of the tester's environment that would change what it does.
/// `FUSEWIRE_BINARY` names another one, so that long runs of a debug build of the tests can have an optimised engine.
pub(crate) fn fusewire<I: AsRef<std::ffi::OsStr>>(arguments: impl IntoIterator<Item = I>) -> Command {
    let program = std::env::var_os("FUSEWIRE_BINARY").unwrap_or_else(|| env!("CARGO_BIN_EXE_fusewire").into());
    let mut command = Command::new(program);
    for (name, _) in std::env::vars_os() {
        let text = name.to_string_lossy();
        if text.starts_with("FUSEWIRE_") || text.starts_with("AWS_") {
            command.env_remove(&name);
        }
    }
    command.args(arguments).stdin(Stdio::null()).stdout(Stdio::piped()).stderr(Stdio::piped());
    command
}

/// Runs a script over a data directory; what it wrote to standard output, as CSV.
pub(crate) fn run_sql(data_dir: &Path, sql: &str) -> Result<String, String> {
    let data_dir = data_dir.display().to_string();
    let output = fusewire(["--data-dir", &data_dir, "--format", "csv", "-c", sql]).output().unwrap();
    finished(&output)
}

/// Standard output of a process that succeeded, or all that one which failed has written.
pub(crate) fn finished(output: &Output) -> Result<String, String> {
    let (out, err) = (String::from_utf8_lossy(&output.stdout), String::from_utf8_lossy(&output.stderr));
    match output.status.success() {
        true => Ok(out.into_owned()),
        false => Err(format!("{}: {out}{err}", output.status)),
    }
}

/// A `fusewire serve` process, killed when dropped.
pub(crate) struct Served {
    child: Child,
    pub(crate) port: u16,
    /// What else it writes to standard output; closed when it ends.
    lines: Receiver<String>,
}

impl Served {
    /// Starts a server on a free port of loopback and waits until it says where it listens.
    pub(crate) fn start(arguments: &[&str]) -> Self {
        let mut child =
            fusewire(["serve", "--port", "0"].iter().chain(arguments)).stderr(Stdio::inherit()).spawn().unwrap();
        let lines = lines_of(child.stdout.take().unwrap());
        let said = lines.recv_timeout(PATIENCE).expect("the server says where it listens");
        let port = said.strip_prefix("listening on 127.0.0.1:").and_then(|port| port.parse().ok());
        let port = port.unwrap_or_else(|| panic!("the server's first line was {said:?}"));
        Self { child, port, lines }
    }

    pub(crate) fn id(&self) -> u32 {
        self.child.id()
    }

    /// Asks the server to stop, as a service manager would, and waits for it.
    pub(crate) fn stop(mut self) {
        let asked = Command::new("kill").args(["-TERM", &self.child.id().to_string()]).status().unwrap();
        assert!(asked.success());
        let (_, ended) = count_until(&self.lines, Instant::now() + PATIENCE, |_| false);
        assert!(ended, "the server does not stop when asked to");
        let status = self.child.wait().unwrap();
        assert!(status.success(), "the server ended with {status}");
    }

    /// Runs psql with these arguments against the server: unaligned, without headers, stopping at the first error.
    pub(crate) fn psql(&self, arguments: &[&str]) -> Output {
        let mut command = Command::new(psql());
        for (name, _) in std::env::vars_os().filter(|(name, _)| name.to_string_lossy().starts_with("PG")) {
            command.env_remove(&name);
        }
        command.args(["-X", "-A", "-t", "-v", "ON_ERROR_STOP=1", "-h", "127.0.0.1", "-p", &self.port.to_string()]);
        command.args(["-U", "ada", "-d", "fusewire"]).args(arguments).env("PGCONNECT_TIMEOUT", "20");
        command.output().unwrap()
    }

    /// What psql prints for a statement.
    pub(crate) fn query(&self, sql: &str) -> String {
        finished(&self.psql(&["-c", sql])).unwrap_or_else(|error| panic!("{sql}: {error}"))
    }
}

impl Drop for Served {
    fn drop(&mut self) {
        // A server that has ended already cannot be killed again, which is as well.
        let _ended = self.child.kill();
        let _reaped = self.child.wait();
    }
}

/// The lines that a process writes, as they come; the channel closes with the output.
pub(crate) fn lines_of(output: ChildStdout) -> Receiver<String> {
    let (sender, lines) = channel();
    thread::spawn(move || {
        for line in BufReader::new(output).lines().map_while(Result::ok) {
            if sender.send(line).is_err() {
                break;
            }
        }
    });
    lines
}

/// Counts the lines that satisfy `wanted` until the moment comes or the output ends; whether it ended.
pub(crate) fn count_until(lines: &Receiver<String>, until: Instant, wanted: impl Fn(&str) -> bool) -> (usize, bool) {
    let mut count = 0;
    loop {
        match lines.recv_timeout(until.saturating_duration_since(Instant::now())) {
            Ok(line) => count += usize::from(wanted(&line)),
            Err(RecvTimeoutError::Timeout) => return (count, false),
            Err(RecvTimeoutError::Disconnected) => return (count, true),
        }
    }
}

/// The psql on this machine.
pub(crate) fn psql() -> PathBuf {
    let path = std::env::var_os("PATH").unwrap_or_default();
    let found = std::env::split_paths(&path).map(|folder| folder.join("psql")).find(|file| file.is_file());
    found.expect("psql is not on PATH; these tests need it: apt-get install postgresql-client")
}

/// A session in this process, which keeps its engine alive.
pub(crate) struct Local {
    pub(crate) session: Session,
    pub(crate) notices: UnboundedReceiver<Notice>,
}

impl Local {
    pub(crate) async fn open(config: Config) -> Result<Self, fusewire::Error> {
        Self::start(config, Origin::Local).await
    }

    /// An engine that keeps its state in a directory.
    pub(crate) async fn at(data_dir: &Path) -> Result<Self, fusewire::Error> {
        Self::open(Config { data_dir: Some(data_dir.to_owned()), ..Config::default() }).await
    }

    /// A session with the rights of a network client who may open one path.
    pub(crate) async fn client(allowed: &Path) -> Result<Self, fusewire::Error> {
        let config = Config { allow_paths: vec![allowed.display().to_string()], ..Config::default() };
        Self::start(config, Origin::Wire).await
    }

    async fn start(config: Config, origin: Origin) -> Result<Self, fusewire::Error> {
        Self::of(&Engine::open(config).await?, origin)
    }

    /// A session of an engine.
    pub(crate) fn of(engine: &Engine, origin: Origin) -> Result<Self, fusewire::Error> {
        let (session, notices) = engine.session(SessionOptions { user: "ada".to_owned(), origin, address: None })?;
        Ok(Self { session, notices })
    }

    /// Runs statements; the rows of the last one, as text, NULL as "NULL".
    pub(crate) async fn try_rows(&self, sql: &str) -> Result<Vec<Vec<String>>, fusewire::Error> {
        let mut rows = Vec::new();
        for statement in self.session.parse(sql).await? {
            rows.clear();
            if let Outcome::Rows { mut stream, .. } = self.session.execute(&statement, &[]).await? {
                while let Some(batch) = stream.next().await {
                    let texts = fusewire::server::text_rows(&batch?)?.into_iter();
                    let shown = |value: Option<String>| value.unwrap_or_else(|| "NULL".to_owned());
                    rows.extend(texts.map(|row| row.into_iter().map(shown).collect::<Vec<_>>()));
                }
            }
        }
        Ok(rows)
    }

    pub(crate) async fn rows(&self, sql: &str) -> Vec<Vec<String>> {
        self.try_rows(sql).await.unwrap_or_else(|error| panic!("{sql}: {}", error.report().message))
    }

    /// The only value of the only row.
    pub(crate) async fn value(&self, sql: &str) -> String {
        let rows = self.rows(sql).await;
        assert_eq!((rows.len(), rows.first().map(Vec::len)), (1, Some(1)), "{sql}");
        rows[0][0].clone()
    }

    /// The message of an error that must come.
    pub(crate) async fn error(&self, sql: &str) -> String {
        self.report(sql).await.message
    }

    /// What is told of an error that must come.
    pub(crate) async fn report(&self, sql: &str) -> Report {
        match self.try_rows(sql).await {
            Ok(rows) => panic!("{sql} succeeded with {rows:?}"),
            Err(error) => error.report(),
        }
    }

    /// Everything in the catalog that a user could see, as text.
    pub(crate) async fn visible(&self) -> String {
        let mut text = String::new();
        for table in ["models", "model_versions", "model_columns", "metrics", "sources"] {
            let rows = self.rows(&format!("SELECT * FROM fusewire.{table}")).await;
            writeln!(text, "{table}: {rows:?}").unwrap();
        }
        text
    }
}

/// Every file below a directory, relative to it, by name.
pub(crate) fn files_below(directory: &Path) -> Vec<String> {
    fn collect(root: &Path, directory: &Path, files: &mut Vec<String>) {
        for entry in std::fs::read_dir(directory).into_iter().flatten() {
            let path = entry.unwrap().path();
            match path.is_dir() {
                true => collect(root, &path, files),
                false => files.push(path.strip_prefix(root).unwrap().display().to_string()),
            }
        }
    }
    let mut files = Vec::new();
    collect(directory, directory, &mut files);
    files.sort();
    files
}
