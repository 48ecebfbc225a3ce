//! kill -9 at random moments of statements that change the catalog: what opens afterwards is the old state or the new
//! one. And damage: a checkpoint, a log, a table file or a model file that is not what was written is refused by name.

use std::{
    collections::{BTreeMap, BTreeSet},
    fs,
    path::Path,
    process::Stdio,
    time::{Duration, Instant},
};

use crate::support::{Local, PATIENCE, count_until, files_below, finished, fusewire, lines_of};

/// How often the program is killed in all, and how often over one data directory.
const KILLS: u64 = 100;
const KILLS_A_DIRECTORY: u64 = 20;

/// Statements that a run would make if nobody killed it.
const STATEMENTS_A_RUN: u64 = 12;

/// Rows of the first generation of the table; each next one has one more.
const ROWS: u64 = 5_000;

/// Rows that an INSERT adds.
const ADDED: u64 = 20;

/// Whether a line of the output says that a statement is on disk: a tag, or the header of the metrics of a training.
fn is_commit(line: &str) -> bool {
    line.starts_with("SELECT ") || line.starts_with("INSERT ") || line == "CREATE VIEW" || line.contains("baseline")
}

/// The statement that leads from state `step` to the next: table, view, rows and model take turns.
fn statement(step: u64) -> String {
    let generation = step / 4 + 1;
    match step % 4 {
        0 => format!(
            "CREATE OR REPLACE TABLE t AS SELECT CAST({generation} AS BIGINT) AS generation, value, \
             'row ' || value AS label FROM generate_series(1, {}) AS series(value)",
            ROWS + generation
        ),
        1 => format!(
            "CREATE OR REPLACE VIEW v AS SELECT CAST({generation} AS BIGINT) AS generation, count(*) AS n FROM base"
        ),
        // What VACUUM does is not to be seen.
        2 => format!(
            "INSERT INTO grown SELECT CAST({generation} AS BIGINT), value \
             FROM generate_series(1, {ADDED}) AS series(value); VACUUM grown"
        ),
        _ => format!(
            "SELECT * FROM train('m', (SELECT user_id, item_id, rating FROM base), target => 'rating', \
             user => 'user_id', item => 'item_id', factors => 4, epochs => 4, seed => {generation})"
        ),
    }
}

const BASE: &str = "CREATE TABLE base AS SELECT 'u' || (value % 40) AS user_id, 'i' || (value * 7 % 23) AS item_id, \
                    CAST(1 + (value * 13 % 17) % 5 AS DOUBLE) AS rating FROM generate_series(1, 600) AS series(value); \
                    CREATE TABLE grown (generation BIGINT, value BIGINT)";

/// A small generator, so that a failure can be repeated from the seed that it prints.
struct Random(u64);

impl Random {
    fn below(&mut self, limit: u64) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mixed = (self.0 ^ (self.0 >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        let mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        (mixed ^ (mixed >> 31)) % limit
    }
}

/// The seed of a test, which it prints.
fn seed() -> u64 {
    let seed = std::env::var("CRASH_SEED")
        .ok()
        .and_then(|seed| seed.parse().ok())
        .unwrap_or_else(|| u64::from(std::process::id()) ^ std::time::UNIX_EPOCH.elapsed().unwrap().as_secs());
    println!("repeat with CRASH_SEED={seed}");
    seed
}

/// When a run is killed.
enum Kill {
    Never,
    /// So long after the start of the process.
    AfterStart(Duration),
    /// So long after the first statement was on disk.
    AfterCommit(Duration),
}

/// What a run has said before its end, and how long it ran from its first commit.
struct Run {
    commits: u64,
    ended: bool,
    from_first_commit: Duration,
}

/// Runs statements in a process of its own, which writes a checkpoint when its log is so long, and kills it.
fn run(data_dir: &Path, script: &[String], checkpoint_bytes: u64, kill: &Kill) -> Run {
    let file = data_dir.with_extension("sql");
    fs::write(&file, script.join(";\n") + ";\n").unwrap();
    let (data_dir, file) = (data_dir.display().to_string(), file.display().to_string());
    let checkpoints = format!("checkpoint_bytes={checkpoint_bytes}");
    let arguments = ["--data-dir", &data_dir, "--set", &checkpoints, "-f", &file];
    let started = Instant::now();
    let mut child = fusewire(arguments).stderr(Stdio::inherit()).spawn().unwrap();
    let lines = lines_of(child.stdout.take().unwrap());
    let (mut commits, mut ended) = (0, false);
    let mut first_commit = None;
    if !matches!(kill, Kill::AfterStart(_)) {
        while commits == 0 && !ended {
            match lines.recv_timeout(PATIENCE) {
                Ok(line) => commits += u64::from(is_commit(&line)),
                Err(_) => ended = true,
            }
        }
        first_commit = Some(Instant::now());
    }
    let until = match kill {
        Kill::Never => Instant::now() + PATIENCE,
        Kill::AfterStart(delay) => started + *delay,
        Kill::AfterCommit(delay) => first_commit.unwrap_or(started) + *delay,
    };
    let (more, finished) = count_until(&lines, until, is_commit);
    let from_first_commit = first_commit.unwrap_or(started).elapsed();
    child.kill().unwrap();
    child.wait().unwrap();
    // What was written before the kill may still be on its way.
    let (late, _) = count_until(&lines, Instant::now() + PATIENCE, is_commit);
    Run { commits: commits + more as u64 + late as u64, ended: ended || finished, from_first_commit }
}

/// The statements from `step` on.
fn statements(step: u64) -> Vec<String> {
    (step..step + STATEMENTS_A_RUN).map(statement).collect()
}

/// Opens what a killed process left and finds the state: how many statements of the sequence it shows. Fails if it shows
/// parts of one.
async fn state(data_dir: &Path, known: u64) -> u64 {
    let local = Local::at(data_dir).await.unwrap_or_else(|error| panic!("does not open: {}", error.report().message));
    assert_eq!(local.value("SELECT count(*) FROM base").await, "600");
    let present = local.rows("SELECT name FROM fusewire.sources ORDER BY name").await.concat();
    let table: u64 = match present.contains(&"t".to_owned()) {
        false => 0,
        true => {
            let rows =
                local.rows("SELECT min(generation), max(generation), count(*), sum(value), count(label) FROM t").await;
            let numbers: Vec<u64> = rows[0].iter().map(|number| number.parse().unwrap()).collect();
            let (generation, rows) = (numbers[0], ROWS + numbers[0]);
            assert_eq!(numbers, [generation, generation, rows, rows * (rows + 1) / 2, rows]);
            generation
        }
    };
    let view: u64 = match present.contains(&"v".to_owned()) {
        false => 0,
        true => {
            let rows = local.rows("SELECT generation, n FROM v").await;
            assert_eq!(rows[0][1], "600");
            rows[0][0].parse().unwrap()
        }
    };
    let inserted = local.rows("SELECT generation, count(*), sum(value) FROM grown GROUP BY 1 ORDER BY 1").await;
    for (index, rows) in inserted.iter().enumerate() {
        let numbers: Vec<u64> = rows.iter().map(|number| number.parse().unwrap()).collect();
        assert_eq!(numbers, [index as u64 + 1, ADDED, ADDED * (ADDED + 1) / 2], "an INSERT is there whole and once");
    }
    let versions = local.rows("SELECT version, seed, live FROM fusewire.model_versions ORDER BY version").await;
    for (index, version) in versions.iter().enumerate() {
        let number = (index + 1).to_string();
        assert_eq!(version[..2], [number.clone(), number.clone()], "versions are numbered without gaps");
        assert_eq!(version[2] == "t", index + 1 == versions.len(), "the newest version is the live one");
        // What shows can be used; older versions were tried when they were new.
        if index + 2 < versions.len() {
            continue;
        }
        let scored = format!(
            "SELECT count(*) FROM predict('m@{number}', (SELECT user_id, item_id FROM base LIMIT 50)) WHERE prediction BETWEEN -99 AND 99"
        );
        assert_eq!(local.value(&scored).await, "50");
    }
    let (inserts, models) = (inserted.len() as u64, versions.len() as u64);
    let step = table + view + inserts + models;
    let expected = [step.div_ceil(4), (step + 2) / 4, (step + 1) / 4, step / 4];
    assert_eq!([table, view, inserts, models], expected, "no prefix of the statements leads here");
    assert!(step >= known, "{step} statements are on disk, and {known} were before");
    // Those that have rows have files: each table in a directory, each version of a model in a file.
    let tables = 1 + usize::from(table > 0) + usize::from(inserts > 0);
    assert_no_orphans(data_dir, tables, versions.len());
    step
}

/// Nothing is there of tables and models that are not, and nothing is half written.
fn assert_no_orphans(data_dir: &Path, tables: usize, models: usize) {
    let files = files_below(data_dir);
    assert!(files.iter().all(|file| !file.ends_with(".tmp")), "left behind: {files:?}");
    let manifests = files.iter().filter(|file| file.starts_with("manifest/")).count();
    assert_eq!(manifests, 2, "a checkpoint and its log: {files:?}");
    let directories: BTreeSet<&str> =
        files.iter().filter_map(|file| file.strip_prefix("tables/")?.split('/').next()).collect();
    assert_eq!(directories.len(), tables, "{files:?}");
    assert_eq!(files.iter().filter(|file| file.starts_with("models/")).count(), models, "{files:?}");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_killed_process_leaves_the_old_state_or_the_new() {
    let seed = seed();
    let mut random = Random(seed);
    let mut between: BTreeMap<u64, u64> = BTreeMap::new();
    let mut unacknowledged = 0;
    for directory in 0..KILLS / KILLS_A_DIRECTORY {
        let home = tempfile::tempdir().unwrap();
        let data_dir = home.path().join("data");
        Local::at(&data_dir).await.unwrap().rows(BASE).await;
        // After every few statements, or with the log of all of them.
        let checkpoint_bytes = if directory % 2 == 0 { 1 } else { 1 << 20 };
        // One run in peace tells how long the statements take on this machine.
        let whole = run(&data_dir, &statements(0), checkpoint_bytes, &Kill::Never);
        let mut step = state(&data_dir, STATEMENTS_A_RUN).await;
        assert_eq!((whole.commits, step, whole.ended), (STATEMENTS_A_RUN, STATEMENTS_A_RUN, true));
        let span = (whole.from_first_commit.as_micros() as u64).max(1);
        for number in 0..KILLS_A_DIRECTORY {
            let delay = Duration::from_micros(random.below(span));
            // A few are killed while they start, most between their first and their last statement.
            let kill = if number % 8 == 7 { Kill::AfterStart(delay) } else { Kill::AfterCommit(delay) };
            let killed = run(&data_dir, &statements(step), checkpoint_bytes, &kill);
            let found = state(&data_dir, step + killed.commits).await;
            let context = format!("CRASH_SEED={seed}, directory {directory}, kill {number}");
            assert!(found <= step + killed.commits + 1, "{context}: {found} after {step} + {}", killed.commits);
            unacknowledged += found - step - killed.commits;
            *between.entry(found % 4).or_default() += 1;
            step = found;
        }
    }
    println!(
        "what was last on disk (0: a model, 1: a table, 2: a view, 3: rows): {between:?}; not yet reported: {unacknowledged}"
    );
    assert_eq!(between.values().sum::<u64>(), KILLS);
    assert!(between.len() >= 3, "the kills fell on too few kinds of statements: {between:?}");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_process_killed_while_it_puts_files_together_leaves_each_row_once() {
    const KILLS: u64 = 10;
    // So many that the background puts files together more than once.
    const INSERTS: u64 = 100;

    let seed = seed();
    let mut random = Random(seed);
    let home = tempfile::tempdir().unwrap();
    let data_dir = home.path().join("data");
    Local::at(&data_dir).await.unwrap().rows("CREATE TABLE small (id BIGINT)").await;
    let inserts = |after: u64| -> Vec<String> {
        (after + 1..=after + INSERTS).map(|id| format!("INSERT INTO small VALUES ({id})")).collect()
    };
    let whole = run(&data_dir, &inserts(0), 1, &Kill::Never);
    assert_eq!((whole.commits, whole.ended), (INSERTS, true));
    let span = (whole.from_first_commit.as_micros() as u64).max(1);
    let mut rows = INSERTS;
    for number in 0..KILLS {
        let kill = Kill::AfterCommit(Duration::from_micros(random.below(span)));
        let checkpoint_bytes = if number % 2 == 0 { 1 } else { 1 << 20 };
        let killed = run(&data_dir, &inserts(rows), checkpoint_bytes, &kill);
        let local = Local::at(&data_dir).await.unwrap();
        let told = rows + killed.commits;
        rows = local.value("SELECT count(*) FROM small").await.parse().unwrap();
        let context = format!("CRASH_SEED={seed}, kill {number}");
        assert!((told..=told + 1).contains(&rows), "{context}: {rows} rows, and {told} were told of");
        let expected = [[rows.to_string(), rows.to_string()]];
        assert_eq!(local.rows("SELECT count(DISTINCT id), max(id) FROM small").await, expected, "{context}");
        // All are one file then, and whatever else is there nobody knows.
        local.rows("VACUUM small").await;
        let started = Instant::now();
        while files_below(&data_dir.join("tables")).len() > 1 {
            let left = files_below(&data_dir.join("tables"));
            assert!(started.elapsed() < PATIENCE, "{context}: {left:?} are still there");
            tokio::time::sleep(Duration::from_millis(5)).await;
        }
        assert_eq!(local.rows("SELECT count(DISTINCT id), max(id) FROM small").await, expected, "{context}");
    }
}

// Symptom: what killed processes had spilled stayed on the disk for ever. Cause: it was in directories that nobody could
// tell from those of a process that lives. Fix: each has a lock, and the next process removes those that nobody holds.
#[test]
fn what_a_killed_process_has_spilled_goes_at_the_next_start() {
    let home = tempfile::tempdir().unwrap();
    let temporary = home.path().join("tmp");
    fs::create_dir(&temporary).unwrap();
    let directories = || -> BTreeSet<String> {
        let entries = fs::read_dir(&temporary).unwrap().map(|entry| entry.unwrap().file_name());
        entries.map(|name| name.to_string_lossy().into_owned()).filter(|name| name.starts_with("fusewire-")).collect()
    };
    let start = || {
        let mut command = fusewire(["serve", "--port", "0"]);
        let mut child = command.env("TMPDIR", &temporary).stderr(Stdio::inherit()).spawn().unwrap();
        let lines = lines_of(child.stdout.take().unwrap());
        assert!(lines.recv_timeout(PATIENCE).unwrap().starts_with("listening on "));
        (child, lines)
    };
    let (mut first, _said) = start();
    let left = directories();
    first.kill().unwrap();
    first.wait().unwrap();
    assert!(!left.is_empty() && directories() == left, "a killed process leaves what it had: {left:?}");
    let (mut second, _said) = start();
    let started = Instant::now();
    while !directories().is_disjoint(&left) {
        assert!(started.elapsed() < PATIENCE, "{:?} are still there", directories());
        std::thread::sleep(Duration::from_millis(5));
    }
    assert!(!directories().is_empty(), "those of a process that lives stay");
    second.kill().unwrap();
    second.wait().unwrap();
}

/// What is done to a file.
#[derive(Debug, Clone, Copy)]
enum Damage {
    Truncated,
    Flipped,
    Emptied,
    Removed,
}

fn damage(file: &Path, damage: Damage) {
    let mut bytes = fs::read(file).unwrap();
    let middle = bytes.len() / 2;
    match damage {
        Damage::Truncated => bytes.truncate(bytes.len() - 1),
        Damage::Flipped => bytes[middle] ^= 0x10,
        Damage::Emptied => bytes.clear(),
        Damage::Removed => return fs::remove_file(file).unwrap(),
    }
    fs::write(file, bytes).unwrap();
}

fn copy(from: &Path, to: &Path) {
    for file in files_below(from) {
        let target = to.join(&file);
        fs::create_dir_all(target.parent().unwrap()).unwrap();
        fs::copy(from.join(&file), target).unwrap();
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn damaged_files_are_refused_by_name() {
    let home = tempfile::tempdir().unwrap();
    let whole = home.path().join("whole");
    let local = Local::at(&whole).await.unwrap();
    local.rows(BASE).await;
    for step in 0..4 {
        local.rows(&statement(step)).await;
    }
    drop(local);
    let files = files_below(&whole);
    let first = |place: &str, ending: &str| {
        files.iter().find(|file| file.starts_with(place) && file.ends_with(ending)).unwrap().clone()
    };
    let (checkpoint, log) = (first("manifest/", ".json"), first("manifest/", ".log"));
    let (table, model) = (first("tables/", ""), first("models/", ""));
    let predict = "SELECT sum(prediction) FROM predict('m', (SELECT user_id, item_id FROM base))";
    let questions = "SELECT count(*), sum(rating) FROM base; SELECT count(*), sum(value) FROM t";
    for (index, kind) in [Damage::Truncated, Damage::Flipped, Damage::Emptied, Damage::Removed].into_iter().enumerate()
    {
        for (part, file) in [("checkpoint", &checkpoint), ("log", &log), ("table", &table), ("model", &model)] {
            let broken = home.path().join(format!("{part}-{index}"));
            copy(&whole, &broken);
            damage(&broken.join(file), kind);
            let name = file.rsplit('/').next().unwrap();
            let message = match (part, kind) {
                ("checkpoint" | "log", _) => Local::at(&broken).await.err().map(|error| error.report().message),
                ("table", _) => Some(Local::at(&broken).await.unwrap().error(questions).await),
                _ => Some(Local::at(&broken).await.unwrap().error(predict).await),
            };
            let message = message.unwrap_or_else(|| panic!("a {part} that was {kind:?} was accepted"));
            assert!(message.contains(name), "a {part} that was {kind:?}: {message}");
        }
    }
    // The program says so too, and what is whole stays usable.
    let broken = home.path().join("table-0").display().to_string();
    let failed = finished(&fusewire(["--data-dir", &broken, "-c", questions]).output().unwrap()).unwrap_err();
    assert!(failed.contains(table.rsplit('/').next().unwrap()), "{failed}");
    let view = fusewire(["--data-dir", &home.path().join("model-1").display().to_string(), "-c", "SELECT n FROM v"]);
    assert!(finished(&{ view }.output().unwrap()).unwrap().contains("600"));
}

#[tokio::test(flavor = "multi_thread")]
async fn columns_are_told_without_the_files() {
    // Symptom: one table whose file was damaged made every query of information_schema fail, and \d of that table too.
    // Cause: columns were asked of opened tables, whose files are hashed. Cure: the catalog knows them.
    let home = tempfile::tempdir().unwrap();
    let whole = home.path().join("whole");
    let local = Local::at(&whole).await.unwrap();
    local.rows("CREATE TABLE base (id INT NOT NULL, name TEXT); INSERT INTO base VALUES (1, 'a')").await;
    local.rows("CREATE VIEW whole AS SELECT name FROM base; CREATE TABLE other AS SELECT 2.5::DOUBLE AS x").await;
    let questions = [
        "SELECT table_name, column_name, data_type FROM information_schema.columns WHERE table_schema = 'public' \
         ORDER BY table_name, ordinal_position",
        "SELECT table_name, table_type FROM information_schema.tables WHERE table_schema = 'public' ORDER BY table_name",
        "SELECT table_name, view_definition FROM information_schema.views WHERE table_schema = 'public'",
        "SELECT * FROM information_schema.schemata ORDER BY schema_name",
        "SHOW TABLES",
        "SHOW COLUMNS FROM base",
        "SHOW CREATE TABLE base",
        "DESCRIBE base",
    ];
    let mut answers = Vec::new();
    for question in questions {
        answers.push(local.rows(question).await);
    }
    let columns = [
        ["base", "id", "integer"],
        ["base", "name", "text"],
        ["other", "x", "double precision"],
        ["whole", "name", "text"],
    ];
    assert_eq!(answers[0], columns);
    drop(local);
    let script = home.path().join("describe.sql");
    fs::write(&script, "\\d base\n").unwrap();
    for kind in [Damage::Truncated, Damage::Flipped, Damage::Emptied, Damage::Removed] {
        let broken = home.path().join(format!("{kind:?}"));
        copy(&whole, &broken);
        for file in files_below(&broken).iter().filter(|file| file.starts_with("tables/")) {
            damage(&broken.join(file), kind);
        }
        let local = Local::at(&broken).await.unwrap();
        local.error("SELECT * FROM base").await;
        for (question, answer) in questions.iter().zip(&answers) {
            assert_eq!(&local.rows(question).await, answer, "{kind:?}: {question}");
        }
        drop(local);
        let arguments = ["--data-dir", &broken.display().to_string(), "--format", "csv", "-f"].map(str::to_owned);
        let arguments = arguments.into_iter().chain([script.display().to_string()]);
        let told = finished(&fusewire(arguments).output().unwrap()).unwrap();
        assert_eq!(told, "column,type,null\nid,integer,not null\nname,text,\"\"\n", "{kind:?}");
    }
}
