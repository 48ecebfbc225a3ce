//! A PostgreSQL of the test's own: a fresh cluster in a temporary directory, reached by a socket there.

use std::{
    io::{BufRead, BufReader},
    path::{Path, PathBuf},
    process::{Child, Command, Stdio},
    sync::mpsc::channel,
    thread,
};

use tempfile::TempDir;
use tokio_postgres::{Client, Config, NoTls};

use crate::support::PATIENCE;

pub(crate) const VERSION: &str = "15";

/// The server, stopped when dropped.
pub(crate) struct Oracle {
    server: Child,
    directory: TempDir,
}

impl Oracle {
    pub(crate) fn start() -> Self {
        let programs = programs();
        let directory = tempfile::tempdir().unwrap();
        let data = directory.path().join("data");
        if is_root() {
            let owned = Command::new("chown").arg("postgres").arg(directory.path()).status().unwrap();
            assert!(owned.success(), "the temporary directory cannot be given to the user postgres");
        }
        let made = as_user(&programs.join("initdb"))
            .args(["--username=postgres", "--auth=trust", "--encoding=UTF8", "--locale=C", "--no-sync"])
            .arg(&data)
            .output()
            .unwrap();
        assert!(made.status.success(), "initdb failed: {}", String::from_utf8_lossy(&made.stderr));
        let settings = [
            "fsync=off",
            "jit=off",
            "timezone=UTC",
            "listen_addresses=",
            "shared_buffers=64MB",
            "max_parallel_workers_per_gather=0",
            "statement_timeout=2s",
            // The line that says it is ready, and no statement's error.
            "log_min_messages=log",
        ];
        let mut command = as_user(&programs.join("postgres"));
        command.arg("-D").arg(&data).arg("-k").arg(directory.path());
        command.env_remove("PGPORT");
        for setting in settings {
            command.args(["-c", setting]);
        }
        let mut server = command.stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::piped()).spawn().unwrap();
        let log = server.stderr.take().unwrap();
        let (sender, lines) = channel();
        thread::spawn(move || {
            for line in BufReader::new(log).lines().map_while(Result::ok) {
                // Nobody listens once it is ready; it is read on, so that the server never waits for its log.
                let _unheard = sender.send(line);
            }
        });
        let oracle = Self { server, directory };
        let mut said = String::new();
        while !said.contains("ready to accept connections") {
            let line = lines.recv_timeout(PATIENCE).unwrap_or_else(|_| panic!("PostgreSQL does not start: {said}"));
            said.push_str(&line);
        }
        oracle
    }

    /// Where a client without a driver connects.
    pub(crate) fn socket(&self) -> PathBuf {
        self.directory.path().join(".s.PGSQL.5432")
    }

    pub(crate) async fn client(&self) -> Client {
        let mut config = Config::new();
        config.host_path(self.directory.path()).user("postgres").dbname("postgres");
        let (client, connection) = config.connect(NoTls).await.unwrap();
        tokio::spawn(connection);
        client
    }
}

impl Drop for Oracle {
    fn drop(&mut self) {
        // Asked to stop at once, it takes its children with it.
        let _asked = Command::new("kill").args(["-QUIT", &self.server.id().to_string()]).status();
        let _ended = self.server.wait();
    }
}

fn is_root() -> bool {
    let output = Command::new("id").arg("-u").output().unwrap();
    String::from_utf8_lossy(&output.stdout).trim() == "0"
}

/// A program that refuses to run as root, run as the user that its package makes, and stopped with this test whatever happens.
fn as_user(program: &Path) -> Command {
    if !is_root() {
        return Command::new(program);
    }
    let mut command = Command::new("setpriv");
    command.args(["--reuid=postgres", "--regid=postgres", "--init-groups", "--pdeathsig=QUIT"]).arg(program);
    command.current_dir("/");
    command
}

/// Where the programs of the wanted version are.
fn programs() -> PathBuf {
    let path = std::env::var_os("PATH").unwrap_or_default();
    let packaged = PathBuf::from(format!("/usr/lib/postgresql/{VERSION}/bin"));
    let mut folders = [packaged].into_iter().chain(std::env::split_paths(&path));
    let found = folders.find(|folder| {
        let version = Command::new(folder.join("postgres")).arg("--version").output();
        let is_wanted = |text: &[u8]| String::from_utf8_lossy(text).contains(&format!(" {VERSION}."));
        folder.join("initdb").is_file() && version.is_ok_and(|output| is_wanted(&output.stdout))
    });
    found.unwrap_or_else(|| {
        panic!("PostgreSQL {VERSION} is missing; this test compares with it: apt-get install postgresql-{VERSION}")
    })
}
