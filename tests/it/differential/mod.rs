//! Generated queries over generated tables, asked of PostgreSQL and of the engine: the answers must be the same.
//!
//! The environment chooses other runs: `FUSEWIRE_DIFFERENTIAL_SEED`, `…_QUERIES`, `…_SECONDS`, `…_GROUP` (the first
//! group), `…_COLLECT` (so many cases are made small and told, where otherwise the first is the end) and `…_REPORT` (a
//! file for them). `FUSEWIRE_BINARY` is another program to test. `tests/seeds.sh` runs many seeds.

mod answer;
mod case;
mod compare;
mod edit;
mod engine;
mod large;
mod metamorphic;
mod minimise;
mod query;
mod report;
mod rows;
mod schema;
mod second_opinion;
mod tree;

use std::{
    collections::BTreeSet,
    env, fs,
    time::{Duration, Instant},
};

use self::{
    answer::Mode,
    case::{Bench, Verdict},
    minimise::minimise,
    query::Generator,
    report::Report,
    schema::View,
    tree::Query,
};
use crate::{postgresql::Oracle, random::Random};

/// What PostgreSQL refuses and we answer, each with its reason.
const ANSWERED_BY_US_ALONE: &[(&str, &str)] = &[
    ("0A000: FULL JOIN is only supported", "its joins need an equality that can be merged or hashed; ours do not"),
    ("22P02: invalid input syntax", "a constant that is no value of its type fails there though nothing evaluates it"),
    ("42P10: ORDER BY position", "a negative number is a position there, and a constant here"),
    ("42P10: DISTINCT ON position", "as for ORDER BY"),
    ("22003: bigint out of range", "a product that nothing evaluates overflows there, as constants are folded"),
    ("42P10: SELECT DISTINCT ON", "an expression that stands in it twice is looked for in the order twice there"),
    ("42803: subquery uses ungrouped column", "an item of WITH that nothing reads is not looked into here"),
    ("42702: DISTINCT ON", "two columns of the result have the name there; the merged column is taken here"),
    ("42702: ORDER BY", "as for DISTINCT ON"),
];

/// The share of queries that may be refused. The goal is half a percent; this is what is still missing.
const MAX_REFUSED: f64 = 0.02;

/// Queries over the same tables.
const QUERIES_PER_GROUP: usize = 40;

/// Queries over tables that do not fit into memory, which take longer.
const QUERIES_PER_LARGE_GROUP: usize = 6;

/// The class of what was not answered in time.
const TIMED_OUT: &str = ": timed out";

/// Kinds of refusal of which one case each is made small, when cases are collected.
const MAX_REFUSED_CASES: usize = 60;

struct Options {
    seed: u64,
    queries: usize,
    time: Duration,
    first_group: u64,
    collect: usize,
    report: Option<String>,
}

fn option<T: std::str::FromStr>(name: &str, default: T) -> T {
    match env::var(format!("FUSEWIRE_DIFFERENTIAL_{name}")) {
        Ok(text) => text.parse().unwrap_or_else(|_| panic!("FUSEWIRE_DIFFERENTIAL_{name} cannot be '{text}'")),
        Err(_) => default,
    }
}

impl Options {
    fn read() -> Self {
        Self {
            seed: option("SEED", 15),
            queries: option("QUERIES", 480),
            time: Duration::from_secs(option("SECONDS", 100)),
            first_group: option("GROUP", 0),
            collect: option("COLLECT", 0),
            report: env::var("FUSEWIRE_DIFFERENTIAL_REPORT").ok(),
        }
    }
}

#[tokio::test]
async fn answers_are_postgresql_s() {
    let options = Options::read();
    println!("seed {}", options.seed);
    let report = run(&options).await;
    println!("{}", report.summary(options.seed));
    let failures = report.failures(MAX_REFUSED, ANSWERED_BY_US_ALONE);
    let cases = report.cases.join("\n");
    assert!(failures.is_empty(), "{}\n{cases}\n{}", failures.join("\n"), report.summary(options.seed));
}

async fn run(options: &Options) -> Report {
    let started = Instant::now();
    let (mut report, mut told) = (Report::default(), Told::default());
    let mut oracle = Some(Oracle::start());
    let mut group = options.first_group;
    while report.compared() < options.queries && started.elapsed() < options.time {
        let mut bench = group_bench(oracle.take().expect("it is given back"), options.seed, group, &mut report).await;
        for number in 0..QUERIES_PER_GROUP {
            if report.compared() >= options.queries || started.elapsed() >= options.time {
                break;
            }
            let mut random = Random::of(&[options.seed, group, number as u64, 1]);
            let mode = [Mode::Simple, Mode::Extended, Mode::Declared, Mode::Execute][random.weighted(&[60, 16, 15, 9])];
            let query = match is_large(group) {
                true if number >= QUERIES_PER_LARGE_GROUP => break,
                true => large::random_query(&mut random),
                false => Generator::new(random, &bench.tables, &bench.views).query(mode != Mode::Simple),
            };
            let verdict = bench.compare(&query, mode).await;
            report.count(&verdict);
            let place = format!("seed {} group {group} query {number}", options.seed);
            tell(&mut bench, options, &query, mode, verdict, &place, &mut told, &mut report).await;
        }
        oracle = Some(bench.finish());
        if report.differ > 0 && options.collect == 0 {
            break;
        }
        group += 1;
    }
    report
}

fn is_large(group: u64) -> bool {
    group % 16 == 9
}

/// Both engines with the tables and the views of a group.
async fn group_bench(oracle: Oracle, seed: u64, group: u64, report: &mut Report) -> Bench {
    let mut random = Random::of(&[seed, group]);
    let (engine, tables) =
        if is_large(group) { large::random_group(&mut random) } else { schema::random_group(&mut random) };
    let mut bench = Bench::start(oracle, engine).await;
    if let Err(error) = bench.load(&tables).await {
        panic!("seed {seed} group {group}: the tables cannot be loaded: {error}");
    }
    let views = if is_large(group) { 0 } else { random.below(3) };
    for number in 0..views {
        let name = format!("v{}", number + 1);
        let view = Generator::new(random.clone(), &tables, &[]).view(name);
        random.next();
        report.count(&bench.add(view).await);
    }
    bench
}

impl Generator {
    fn view(mut self, name: String) -> View {
        let count = self.random.between(1, 4);
        let kinds: Vec<_> = (0..count).map(|_| self.kind()).collect();
        let query = self.query_of(&kinds, None);
        View { name, columns: self.column_names(&kinds), query }
    }
}

/// What was told already, so that each kind of failure is told once.
#[derive(Default)]
struct Told {
    shapes: BTreeSet<String>,
    refused: BTreeSet<String>,
    attempts: usize,
}

/// Makes a failure small and tells it, if it is a new one.
#[allow(clippy::too_many_arguments)]
async fn tell(
    bench: &mut Bench,
    options: &Options,
    query: &Query,
    mode: Mode,
    verdict: Verdict,
    place: &str,
    told: &mut Told,
    report: &mut Report,
) {
    let wanted = options.collect.max(1);
    let is_new = match &verdict {
        Verdict::Differs(_) => told.shapes.len() < wanted && told.attempts < 4 * wanted,
        // What takes too long takes too long many times over while it is made small.
        Verdict::Refused(class) if class == TIMED_OUT => false,
        Verdict::Broken(class) | Verdict::Refused(class) => {
            options.collect > 0
                && told.refused.len() < options.collect.min(MAX_REFUSED_CASES)
                && told.refused.insert(class.clone())
        }
        Verdict::OracleRefused(class) => {
            let is_known = ANSWERED_BY_US_ALONE.iter().any(|(start, _)| class.starts_with(start));
            options.collect > 0 && !is_known && told.refused.insert(format!("oracle {class}"))
        }
        _ => false,
    };
    if !is_new {
        return;
    }
    let (tables, views, engine) = (bench.tables.clone(), bench.views.clone(), bench.engine.clone());
    let is_silent = matches!(verdict, Verdict::Differs(_));
    let small = minimise(bench, query, mode, verdict).await;
    told.attempts += usize::from(is_silent);
    if !is_silent || told.shapes.insert(shape(&small.query.sql())) {
        let script = bench.script(&small.query, small.mode).await;
        let text = format!("== {place}: {:?}\n{script}", small.verdict);
        println!("{text}");
        report.cases.push(text);
        if let Some(path) = &options.report {
            fs::write(path, report.cases.join("\n") + "\n" + &report.summary(options.seed)).unwrap();
        }
    }
    bench.restart(engine).await;
    bench.load(&tables).await.unwrap_or_else(|error| panic!("the tables cannot be loaded again: {error}"));
    for view in views {
        let _was_there_before = bench.add(view).await;
    }
}

/// A query without its names and constants.
fn shape(sql: &str) -> String {
    let words = sql.split(|character: char| !(character.is_alphanumeric() || "_<>=".contains(character)));
    let words =
        words.filter(|word| word.chars().all(|character| character.is_ascii_uppercase() || "_<>=".contains(character)));
    words.filter(|word| !word.is_empty()).collect::<Vec<_>>().join(" ")
}
