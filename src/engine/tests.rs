//! Cancelling at every step of a commit: what is told is what the disk says.
#![allow(clippy::unwrap_used)]

use std::path::Path;

use futures::StreamExt;

use super::*;
use crate::{
    Error, Fault,
    catalog::{Change, Step},
};

/// What commits.
struct Case {
    name: &'static str,
    /// Statements before it, in its transaction.
    before: &'static [&'static str],
    /// The statement that commits; none: the end of those that have joined.
    last: Option<&'static str>,
    /// Rows of `t`, relations of the name `n` and models, once it is committed.
    done: &'static str,
    /// The files of tables that are left then.
    files: usize,
}

const TRAINING: &str =
    "SELECT * FROM train('m', (SELECT i % 7 AS a, i * 0.5 AS y FROM generate_series(1, 60) AS t(i)), target => 'y')";

const CASES: &[Case] = &[
    Case { name: "insert", before: &[], last: Some("INSERT INTO t VALUES (1)"), done: "1 0 0", files: 1 },
    Case { name: "table", before: &[], last: Some("CREATE TABLE n AS SELECT 1 AS a"), done: "0 1 0", files: 1 },
    Case { name: "view", before: &[], last: Some("CREATE VIEW n AS SELECT 1 AS a"), done: "0 1 0", files: 0 },
    Case { name: "model", before: &[], last: Some(TRAINING), done: "0 0 1", files: 0 },
    Case {
        name: "block",
        before: &[
            "BEGIN",
            "SET application_name = 'changed'",
            "INSERT INTO t VALUES (1)",
            "CREATE VIEW n AS SELECT 1 AS a",
            TRAINING,
        ],
        last: Some("COMMIT"),
        done: "1 1 1",
        files: 1,
    },
    Case {
        name: "joined",
        before: &["SET application_name = 'changed'", "INSERT INTO t VALUES (1)", "CREATE VIEW n AS SELECT 1 AS a"],
        last: None,
        done: "1 1 0",
        files: 1,
    },
];

const PROBE: &str = "SELECT (SELECT count(*) FROM t), \
                     (SELECT count(*) FROM fusewire.sources WHERE name = 'n'), (SELECT count(*) FROM fusewire.models)";

/// When the cancel comes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Moment {
    /// When the statement is expected and has not started.
    Expected,
    At(Step),
    /// When it has ended.
    Over,
}

const MOMENTS: [Moment; 9] = [
    Moment::Expected,
    Moment::At(Step::Turn),
    Moment::At(Step::Begun),
    Moment::At(Step::Write),
    Moment::At(Step::Sync),
    Moment::At(Step::Synced),
    Moment::At(Step::Noted),
    Moment::At(Step::Answer),
    Moment::Over,
];

async fn open(home: &Path) -> Engine {
    loop {
        match Engine::open(Config { data_dir: Some(home.to_owned()), ..Config::default() }).await {
            Ok(engine) => return engine,
            // The last task of the engine before it may still hold the directory.
            Err(error) if error.fault() == Fault::ObjectInUse => tokio::time::sleep(Duration::from_millis(1)).await,
            Err(error) => panic!("{error}"),
        }
    }
}

fn session(engine: &Engine) -> (Session, UnboundedReceiver<Notice>) {
    engine.session(SessionOptions { user: "ada".to_owned(), origin: Origin::Local, address: None }).unwrap()
}

/// The rows of statements as text, a line a row.
async fn rows(session: &Session, sql: &str) -> Result<String> {
    let mut lines = Vec::new();
    for statement in session.parse(sql).await? {
        if let Outcome::Rows { mut stream, .. } = session.execute(&statement, &[]).await? {
            while let Some(batch) = stream.next().await {
                for row in crate::server::text_rows(&batch?)? {
                    let cells: Vec<String> = row.into_iter().map(Option::unwrap_or_default).collect();
                    lines.push(cells.join(" "));
                }
            }
        }
    }
    Ok(lines.join("\n"))
}

async fn commit(session: &Session, case: &Case) -> Result<()> {
    match case.last {
        Some(sql) => rows(session, sql).await.map(|_metrics| ()),
        None => session.finish().await,
    }
}

fn files_of_tables(home: &Path) -> usize {
    let tables = std::fs::read_dir(home.join("tables")).unwrap();
    tables.map(|table| std::fs::read_dir(table.unwrap().path()).unwrap().count()).sum()
}

/// Runs the case as a server would and cancels it at this moment; whether its client was told that it is done.
async fn told_done(engine: &Engine, case: &Case, moment: Moment) -> bool {
    let (session, _notices) = session(engine);
    rows(&session, "CREATE TABLE t (a int)").await.unwrap();
    let application = rows(&session, "SHOW application_name").await.unwrap();
    for sql in case.before {
        if case.last.is_none() {
            session.join(true);
        }
        rows(&session, sql).await.unwrap();
    }
    let (sender, mut cancelled) = unbounded_channel();
    if let Moment::At(wanted) = moment {
        let client = Arc::downgrade(&session.client);
        engine.shared.catalog.watch(move |step| {
            if step == wanted && client.upgrade().is_some_and(|client| client.cancel()) {
                sender.send(()).unwrap();
            }
        });
    }
    match case.last {
        Some(_) => session.expect_statement(),
        None => session.expect_end(),
    }
    if moment == Moment::Expected {
        assert!(session.cancel());
    }
    let told = tokio::select! {
        biased;
        Some(()) = cancelled.recv() => Err(Error::new(Fault::Cancelled, "cancelled")),
        told = commit(&session, case) => told,
    };
    if moment == Moment::Over {
        assert!(!session.cancel(), "{}: what is over cannot be cancelled", case.name);
    }
    let done = match told {
        Ok(()) => true,
        Err(error) => {
            assert_eq!(error.fault(), Fault::Cancelled, "{} {moment:?}: {error}", case.name);
            session.fail_transaction();
            false
        }
    };
    // A cancel that came before COMMIT had started leaves the block, as an error in it does.
    if session.transaction_status() == TransactionStatus::Failed {
        assert!(!done && moment == Moment::Expected && case.name == "block");
        rows(&session, "ROLLBACK").await.unwrap();
    }
    let changed = done && case.before.iter().any(|sql| sql.contains("'changed'"));
    let expected = if changed { "changed" } else { application.as_str() };
    assert_eq!(rows(&session, "SHOW application_name").await.unwrap(), expected, "{} {moment:?}", case.name);
    done
}

#[tokio::test(flavor = "multi_thread")]
async fn what_is_told_of_a_cancelled_commit_is_what_the_disk_says() {
    for case in CASES {
        for moment in MOMENTS {
            let context = format!("{} {moment:?}", case.name);
            let home = tempfile::tempdir().unwrap();
            let engine = open(home.path()).await;
            let done = told_done(&engine, case, moment).await;
            assert_eq!(done, !matches!(moment, Moment::Expected | Moment::At(Step::Turn)), "{context}");
            drop(engine);
            // What a cancelled statement has written is removed when its commit is refused, not only by the next start.
            let files = if done { case.files } else { 0 };
            let started = std::time::Instant::now();
            while files_of_tables(home.path()) != files {
                assert!(started.elapsed() < Duration::from_secs(10), "{context}: expected {files} files");
                tokio::time::sleep(Duration::from_millis(1)).await;
            }
            let engine = open(home.path()).await;
            let (session, _notices) = session(&engine);
            let found = rows(&session, PROBE).await.unwrap();
            assert_eq!(found, if done { case.done } else { "0 0 0" }, "{context}");
        }
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_timeout_waits_for_what_commits() {
    let home = tempfile::tempdir().unwrap();
    let engine = open(home.path()).await;
    let (session, _notices) = session(&engine);
    rows(&session, "CREATE TABLE t (a int); SET statement_timeout = '1s'").await.unwrap();
    engine.shared.catalog.watch(|step| {
        if step == Step::Sync {
            std::thread::sleep(Duration::from_millis(1_500));
        }
    });
    // A machine so slow that it has not begun to commit after a second may cancel it, if that is what happens.
    let told = rows(&session, "INSERT INTO t VALUES (1)").await;
    let expected = match told {
        Ok(_) => "1",
        Err(error) => {
            assert_eq!(error.report().message, "canceling statement due to statement timeout");
            "0"
        }
    };
    assert_eq!(rows(&session, "SELECT count(*) FROM t").await.unwrap(), expected);
}

/// Symptom: a client that prepared a statement while the threads were busy waited for ever, whatever its timeout. Cause: only
/// what runs had a time. Fix: what is described has it too, as in PostgreSQL.
#[tokio::test(flavor = "multi_thread")]
async fn what_is_prepared_has_its_time() {
    let engine = Engine::open(Config { threads: 1, ..Config::default() }).await.unwrap();
    let (session, _notices) = session(&engine);
    rows(&session, "SET statement_timeout = '50ms'").await.unwrap();
    let (release, released) = std::sync::mpsc::channel::<()>();
    let busy = engine.shared.compute_handle().spawn(async move { released.recv() });
    let error = session.prepare("", "SELECT 1", &[]).await.unwrap_err();
    assert_ended(&error, Fault::Cancelled, "canceling statement due to statement timeout");
    drop(release);
    assert!(busy.await.unwrap().is_err());
    rows(&session, "RESET statement_timeout").await.unwrap();
    session.prepare("", "SELECT 1", &[]).await.unwrap();
}

/// Symptom: a statement that did not stop in time went on alone, and what it changed after ROLLBACK was committed by itself.
/// Cause: a change belonged to whatever was open when it arrived. Fix: it belongs to its statement's ticket.
#[tokio::test(flavor = "multi_thread")]
async fn what_arrives_when_its_statement_is_over_is_refused() {
    let engine = Engine::open(Config::default()).await.unwrap();
    let (session, _notices) = session(&engine);
    let statement = session.parse("SELECT 1").await.unwrap().remove(0);
    for (before, then) in [
        ("SELECT 1", "SELECT 2"),
        ("SELECT 1", "BEGIN"),
        ("BEGIN", "SELECT 1"),
        ("BEGIN", "ROLLBACK"),
        ("BEGIN", "COMMIT"),
    ] {
        rows(&session, before).await.unwrap();
        let late = session.client.start(statement.action.as_ref(), &statement.text).unwrap();
        rows(&session, then).await.unwrap();
        let header = session.client.header().unwrap();
        let change = Change::CreateSchema { name: "late".to_owned(), header, if_not_exists: false };
        let refused = session.client.apply(&late, vec![change]).await.unwrap_err();
        assert_eq!(refused.fault(), Fault::Cancelled, "{before}, {then}");
        rows(&session, "ROLLBACK").await.unwrap();
        assert!(!engine.shared.catalog.snapshot().has_schema("late"), "{before}, {then}");
    }
}

const ENDLESS: &str = "SELECT count(*) FROM generate_series(1, 1000000000000) AS t(i) WHERE i % 7 = 8";

/// Waits until another session sees this.
async fn until(session: &Session, sql: &str, expected: &str) {
    let started = std::time::Instant::now();
    while rows(session, sql).await.unwrap() != expected {
        assert!(started.elapsed() < Duration::from_secs(20), "{sql} is not {expected}");
    }
}

fn assert_ended(error: &Error, fault: Fault, message: &str) {
    assert_eq!((error.fault(), error.report().message.as_str()), (fault, message));
}

#[tokio::test(flavor = "multi_thread")]
async fn sessions_see_each_other() {
    let engine = Engine::open(Config::default()).await.unwrap();
    let ((one, _told), (other, _heard)) = (session(&engine), session(&engine));
    let pid = one.client.pid();
    assert_ne!(pid, other.client.pid());
    assert_eq!(rows(&one, "SELECT pg_backend_pid()").await.unwrap(), pid.to_string());
    let seen = |column: &str| format!("SELECT {column} FROM fusewire.sessions WHERE pid = {pid}");
    assert_eq!(rows(&one, &seen("state")).await.unwrap(), "active");
    assert_eq!(rows(&other, &seen("state")).await.unwrap(), "idle");
    assert_eq!(rows(&other, &seen("usename || ' ' || origin")).await.unwrap(), "ada local");
    rows(&one, "BEGIN").await.unwrap();
    assert_eq!(rows(&other, &seen("state || ': ' || query")).await.unwrap(), "idle in transaction: BEGIN");
    rows(&one, "SELECT * FROM nowhere").await.unwrap_err();
    one.fail_transaction();
    assert_eq!(rows(&other, &seen("state")).await.unwrap(), "idle in transaction (aborted)");
    rows(&one, "ROLLBACK").await.unwrap();
    let statement = one.parse("SELECT 1").await.unwrap().remove(0);
    let unread = one.execute(&statement, &[]).await.unwrap();
    assert_eq!(rows(&other, &seen("state")).await.unwrap(), "active", "its rows are not read yet");
    drop(unread);
    assert_eq!(rows(&other, &seen("state")).await.unwrap(), "idle");
    drop(one);
    until(&other, &seen("count(*)"), "0").await;
}

#[tokio::test(flavor = "multi_thread")]
async fn sessions_cancel_and_terminate_each_other() {
    let engine = Engine::open(Config::default()).await.unwrap();
    let ((one, _told), (other, _heard)) = (session(&engine), session(&engine));
    let pid = one.client.pid();
    let state = format!("SELECT state FROM fusewire.sessions WHERE pid = {pid}");
    let ended = "canceling statement due to user request";
    let run = |sql: &'static str| {
        let one = one.clone();
        tokio::spawn(async move {
            // As the server does for a message: who cancels between reading it and running it means it.
            let _working = one.work();
            rows(&one, sql).await
        })
    };
    for (function, fault, message) in [
        ("pg_cancel_backend", Fault::Cancelled, ended),
        ("pg_terminate_backend", Fault::Shutdown, "terminating connection due to administrator command"),
    ] {
        let ask = format!("SELECT {function}({pid})");
        let endless = run(ENDLESS);
        until(&other, &state, "active").await;
        assert_eq!(rows(&other, &ask).await.unwrap(), "t");
        assert_ended(&endless.await.unwrap().unwrap_err(), fault, message);
        until(&other, &state, "idle").await;
    }
    let refused = rows(&one, "SELECT 1").await.unwrap_err();
    assert_ended(&refused, Fault::Shutdown, "terminating connection due to administrator command");
    one.join(true);
    assert_eq!(one.finish().await.unwrap_err().fault(), Fault::Shutdown);
    // Who is only about to read rows is stopped, too.
    let statement = other.parse("SELECT 1").await.unwrap().remove(0);
    let Outcome::Rows { mut stream, .. } = other.execute(&statement, &[]).await.unwrap() else { panic!("no rows") };
    let (third, _noted) = session(&engine);
    let ask = format!("SELECT pg_cancel_backend({})", other.client.pid());
    assert_eq!(rows(&third, &ask).await.unwrap(), "t");
    assert_ended(&Error::from(stream.next().await.unwrap().unwrap_err()), Fault::Cancelled, ended);
    assert!(stream.next().await.is_none());
    // When nothing runs there is nothing to be stopped.
    assert_eq!(rows(&third, &ask).await.unwrap(), "t");
    assert_eq!(rows(&other, "SELECT 1").await.unwrap(), "1");
}
