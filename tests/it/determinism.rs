//! The same rows give the same model, whatever their order, partitions and threads; looking at a training does not run
//! it; a cancelled one stops within a second and leaves no trace.

use std::{
    fs,
    path::Path,
    time::{Duration, Instant},
};

use fusewire::{
    Config,
    engine::{Notice, Outcome},
};
use futures::StreamExt;
use tokio_postgres::NoTls;

use crate::support::{Local, PATIENCE, Served, files_below};

/// How soon a cancelled training has stopped.
const STOPS_WITHIN: Duration = Duration::from_secs(1);

/// Events of forty users with twenty-nine items, with a context number, a context text and NULLs in both; many of them
/// the same but for their hour.
const EVENTS: &str = "SELECT 'u' || (value * 31 % 40) AS user_id, 'i' || (value * value % 29) AS item_id, \
                      CASE WHEN value % 19 = 0 THEN NULL ELSE value % 24 END AS hour, \
                      CASE WHEN value % 17 = 0 THEN NULL ELSE 'place ' || (value % 6) END AS place, \
                      1 + (value * 13 % 17) % 5 + (value % 3) * 0.25 AS rating, (value * 7 % 11) < 4 AS bought \
                      FROM generate_series(1, 1500) AS series(value)";

const USERS: &str = "SELECT 'u' || value AS user_id, CASE WHEN value % 9 = 0 THEN NULL ELSE 18 + value END AS age, \
                     'city ' || (value % 5) AS city FROM generate_series(0, 39) AS series(value)";

/// A training of each objective over the same join.
const OBJECTIVES: [(&str, &str, &str); 3] = [
    ("squared", "e.rating, e.hour, e.place", "target => 'rating', factors => 4, epochs => 5"),
    ("logistic", "e.bought, e.hour, e.place", "target => 'bought', factors => 4, epochs => 5"),
    ("implicit", "e.rating AS strength", "strength => 'strength', factors => 4, epochs => 5"),
];

fn training(objective: &str, columns: &str, options: &str) -> String {
    format!(
        "SELECT * FROM train('{objective}', (SELECT e.user_id, e.item_id, u.age, u.city, {columns} FROM events e \
         JOIN users u USING (user_id)), user => 'user_id', item => 'item_id', objective => '{objective}', {options})"
    )
}

/// Creates a table from a query; with a key in another order, as good as random, and in two files.
async fn create(local: &Local, table: &str, query: &str, key: Option<u32>) {
    let Some(key) = key else {
        local.rows(&format!("CREATE TABLE {table} AS {query}")).await;
        return;
    };
    let place = match table {
        "events" => format!("md5(concat('{key}', user_id, item_id, hour, place, rating, bought))"),
        _ => format!("md5(concat('{key}', user_id))"),
    };
    let half = |test: &str| format!("SELECT * FROM ({query}) AS rows WHERE {place} {test} '8' ORDER BY {place}");
    local.rows(&format!("CREATE TABLE {table} AS {}", half("<"))).await;
    local.rows(&format!("INSERT INTO {table} {}", half(">="))).await;
}

/// The digests of a model of each objective.
async fn digests(threads: usize, partitions: usize, order: Option<u32>) -> Vec<Vec<String>> {
    let local = Local::open(Config { threads, ..Config::default() }).await.unwrap();
    local.rows(&format!("SET datafusion.execution.target_partitions = {partitions}")).await;
    // Small batches, so that even few rows reach the training in many pieces.
    local.rows("SET datafusion.execution.batch_size = 64").await;
    local.rows("SET datafusion.optimizer.repartition_file_min_size = 0").await;
    create(&local, "events", EVENTS, order).await;
    create(&local, "users", USERS, order).await;
    assert_eq!(local.value("SELECT count(*) FROM events").await, "1500");
    for (objective, columns, options) in OBJECTIVES {
        local.rows(&training(objective, columns, options)).await;
    }
    local.rows("SELECT model, digest FROM fusewire.model_versions ORDER BY model").await
}

#[tokio::test(flavor = "multi_thread")]
async fn rows_decide_the_model_and_nothing_else() {
    let expected = digests(1, 1, None).await;
    assert_eq!(expected.len(), OBJECTIVES.len());
    assert!(expected.iter().all(|row| row[1].len() == 64), "{expected:?}");
    for (threads, partitions, order) in [
        (1, 1, None),
        (1, 7, None),
        (2, 1, None),
        (2, 2, None),
        (2, 7, None),
        (1, 2, Some(1)),
        (2, 7, Some(2)),
        (2, 1, Some(3)),
    ] {
        let found = digests(threads, partitions, order).await;
        assert_eq!(found, expected, "{threads} threads, {partitions} partitions, order {order:?}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn another_seed_or_another_row_is_another_model() {
    let local = Local::open(Config::default()).await.unwrap();
    local.rows(&format!("CREATE TABLE events AS {EVENTS}; CREATE TABLE users AS {USERS}")).await;
    for (objective, columns, options) in OBJECTIVES {
        local.rows(&training(objective, columns, options)).await;
        local.rows(&training(objective, columns, &format!("{options}, seed => 7"))).await;
    }
    local.rows("INSERT INTO events VALUES ('u1', 'i2', 3, 'place 1', 2.5, true)").await;
    for (objective, columns, options) in OBJECTIVES {
        local.rows(&training(objective, columns, options)).await;
    }
    assert_eq!(local.value("SELECT count(DISTINCT digest) FROM fusewire.model_versions").await, "9");
}

#[tokio::test(flavor = "multi_thread")]
async fn looking_at_a_training_does_not_train() {
    let home = tempfile::tempdir().unwrap();
    let data_dir = home.path().join("data").display().to_string();
    let server = Served::start(&["--data-dir", &data_dir]);
    let (client, connection) = connect(server.port).await;
    tokio::spawn(connection);
    client.batch_execute(&format!("CREATE TABLE events AS {EVENTS}; CREATE TABLE users AS {USERS}")).await.unwrap();
    let before = files(&data_dir);
    let (objective, columns, options) = OBJECTIVES[0];
    let sql = training(objective, columns, options);
    client.batch_execute(&format!("EXPLAIN {sql}; EXPLAIN VERBOSE {sql}")).await.unwrap();
    client.batch_execute(&format!("PREPARE later AS {sql}; DEALLOCATE later")).await.unwrap();
    // The driver parses and describes, and executes nothing.
    let described = client.prepare(&sql).await.unwrap();
    let names: Vec<&str> = described.columns().iter().map(tokio_postgres::Column::name).collect();
    assert_eq!(names, ["model", "version", "split", "slice", "metric", "value", "baseline", "rows"]);
    client.batch_execute(&format!("PREPARE later AS {sql}")).await.unwrap();
    assert_eq!(files(&data_dir), before);
    let models = client.query_one("SELECT count(*) FROM fusewire.model_versions", &[]).await.unwrap();
    assert_eq!(models.get::<_, i64>(0), 0);
    for view in ["CREATE VIEW bad AS", "CREATE TABLE good AS SELECT 1; EXPLAIN CREATE VIEW bad AS"] {
        client.batch_execute(&format!("{view} {sql}")).await.unwrap_err();
    }
    // Each of them trains once as soon as it is run.
    client.batch_execute("EXECUTE later").await.unwrap();
    assert!(!client.query(&described, &[]).await.unwrap().is_empty());
    client.batch_execute(&format!("EXPLAIN ANALYZE {sql}")).await.unwrap();
    let versions = client.query("SELECT version, digest FROM fusewire.model_versions", &[]).await.unwrap();
    assert_eq!(versions.len(), 3);
    assert!(versions.iter().all(|row| row.get::<_, &str>(1) == versions[0].get::<_, &str>(1)));
}

#[tokio::test(flavor = "multi_thread")]
async fn describing_a_training_in_process_does_not_train() {
    let local = Local::open(Config::default()).await.unwrap();
    local.rows(&format!("CREATE TABLE events AS {EVENTS}; CREATE TABLE users AS {USERS}")).await;
    let before = local.visible().await;
    for (objective, columns, options) in OBJECTIVES {
        let sql = training(objective, columns, options);
        for text in [sql.clone(), format!("EXPLAIN {sql}"), format!("{sql} LIMIT 0")] {
            for statement in local.session.parse(&text).await.unwrap() {
                let description = local.session.describe(&statement, &[]).await.unwrap();
                assert!(description.columns.is_some(), "{text}");
            }
        }
        local.rows(&format!("EXPLAIN {sql}")).await;
    }
    assert_eq!(local.visible().await, before);
    // LIMIT never stops a training.
    let (objective, columns, options) = OBJECTIVES[0];
    local.rows(&format!("{} LIMIT 0", training(objective, columns, options))).await;
    assert_eq!(local.value("SELECT count(*) FROM fusewire.model_versions").await, "1");
}

/// A training that takes minutes: a hundred thousand rows, many factors and more epochs than anybody needs.
fn endless(objective: &str) -> String {
    let target = match objective {
        "implicit" => "".to_owned(),
        "logistic" => ", target => 'bought'".to_owned(),
        _ => ", target => 'rating'".to_owned(),
    };
    let column = match objective {
        "implicit" => "",
        "logistic" => ", bought",
        _ => ", rating",
    };
    format!(
        "SELECT * FROM train('endless', (SELECT user_id, item_id{column} FROM big), user => 'user_id', item => 'item_id', \
         factors => 64, epochs => 10000, objective => '{objective}'{target})"
    )
}

const BIG: &str = "CREATE TABLE big AS SELECT value * 31 % 4000 AS user_id, value * 17 % 1499 AS item_id, \
                   CAST(1 + (value * 13 % 17) % 5 AS DOUBLE) AS rating, (value * 7 % 11) < 4 AS bought \
                   FROM generate_series(1, 100000) AS series(value)";

#[tokio::test(flavor = "multi_thread")]
async fn a_dropped_training_stops_and_leaves_no_trace() {
    let home = tempfile::tempdir().unwrap();
    let mut local = Local::at(home.path()).await.unwrap();
    local.rows(BIG).await;
    let before = (local.visible().await, files(&home.path().display().to_string()));
    for objective in ["squared", "logistic", "implicit"] {
        let statement = local.session.parse(&endless(objective)).await.unwrap().remove(0);
        let session = local.session.clone();
        let running = async move {
            if let Outcome::Rows { mut stream, .. } = session.execute(&statement, &[]).await.unwrap() {
                while stream.next().await.is_some() {}
            }
        };
        let mut running = Box::pin(running);
        let until_it_trains = async {
            while let Some(notice) = local.notices.recv().await {
                if matches!(&notice, Notice::Progress { done, .. } if *done > 0) {
                    return;
                }
            }
        };
        tokio::select! {
            () = &mut running => panic!("{objective}: the training ended before it could be cancelled"),
            trains = tokio::time::timeout(PATIENCE, until_it_trains) => trains.expect("a training reports its progress"),
        }
        drop(running);
        let quiet_from = Instant::now() + STOPS_WITHIN;
        while let Ok(Some(_)) = tokio::time::timeout_at(quiet_from.into(), local.notices.recv()).await {}
        let later = tokio::time::timeout(STOPS_WITHIN / 2, local.notices.recv()).await;
        assert!(later.is_err(), "{objective}: a second after it was dropped, the training says {later:?}");
        assert_eq!((local.visible().await, files(&home.path().display().to_string())), before, "{objective}");
    }
    assert_eq!(local.value("SELECT count(*) FROM big").await, "100000");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_training_is_cancelled_over_the_wire() {
    let home = tempfile::tempdir().unwrap();
    let data_dir = home.path().join("data").display().to_string();
    let server = Served::start(&["--data-dir", &data_dir, "--set", "threads=2"]);
    let (client, mut connection) = connect(server.port).await;
    let (heard, mut notices) = tokio::sync::mpsc::unbounded_channel();
    tokio::spawn(async move {
        let mut messages = futures::stream::poll_fn(move |context| connection.poll_message(context));
        while let Some(Ok(message)) = messages.next().await {
            if let tokio_postgres::AsyncMessage::Notice(notice) = message {
                let _nobody_listens = heard.send(notice.message().to_owned());
            }
        }
    });
    client.batch_execute(BIG).await.unwrap();
    let before = files(&data_dir);
    for objective in ["squared", "logistic", "implicit"] {
        let sql = endless(objective);
        let mut running = Box::pin(client.simple_query(&sql));
        let until_it_works = async {
            let base = cpu_time(server.id());
            while cpu_time(server.id()) < base + Duration::from_secs(1) {
                tokio::task::yield_now().await;
            }
        };
        tokio::select! {
            ended = &mut running => panic!("{objective}: ended before it could be cancelled: {ended:?}"),
            works = tokio::time::timeout(PATIENCE, until_it_works) => works.expect("a training takes time"),
        }
        let asked = Instant::now();
        client.cancel_token().cancel_query(NoTls).await.unwrap();
        let error = tokio::time::timeout(PATIENCE, running).await.expect("a cancel is heard").unwrap_err();
        let error = error.as_db_error().expect("the server answers a cancel");
        assert_eq!(error.code().code(), "57014", "{objective}: {error}");
        assert!(asked.elapsed() < STOPS_WITHIN, "{objective}: cancelled after {:?}", asked.elapsed());
        // Nothing goes on in secret either: soon the process takes no time any more.
        assert!(falls_idle(server.id(), asked + STOPS_WITHIN).await, "{objective}: still working a second after");
        let models = client.query_one("SELECT count(*) FROM fusewire.model_versions", &[]).await.unwrap();
        assert_eq!(models.get::<_, i64>(0), 0, "{objective}");
        assert_eq!(files(&data_dir), before, "{objective}");
    }
    assert!(notices.try_recv().is_ok() || notices.is_empty());
    server.stop();
}

async fn connect(
    port: u16,
) -> (tokio_postgres::Client, tokio_postgres::Connection<tokio_postgres::Socket, tokio_postgres::tls::NoTlsStream>) {
    let target = format!("host=127.0.0.1 port={port} user=ada dbname=fusewire");
    tokio_postgres::connect(&target, NoTls).await.unwrap()
}

/// The files of tables and models, and the manifests.
fn files(data_dir: &str) -> Vec<String> {
    assert!(fs::metadata(data_dir).unwrap().is_dir());
    files_below(Path::new(data_dir))
}

/// The processor time that a process has taken so far, from the fields `utime` and `stime` of proc(5), in hundredths.
fn cpu_time(process: u32) -> Duration {
    let text = fs::read_to_string(format!("/proc/{process}/stat")).unwrap();
    let after_name = text.rsplit_once(')').unwrap().1;
    let ticks: u64 = after_name.split_whitespace().skip(11).take(2).map(|field| field.parse::<u64>().unwrap()).sum();
    Duration::from_millis(ticks * 10)
}

/// Whether a process takes less than a tenth of the time in some window that begins before `deadline`.
async fn falls_idle(process: u32, deadline: Instant) -> bool {
    const WINDOW: Duration = Duration::from_millis(200);
    loop {
        let (began, taken) = (Instant::now(), cpu_time(process));
        let mut ticker = tokio::time::interval_at((began + WINDOW).into(), WINDOW);
        ticker.tick().await;
        if cpu_time(process) - taken < began.elapsed() / 10 {
            return true;
        }
        if began > deadline {
            return false;
        }
    }
}
