//! Random sessions, spoken to PostgreSQL and to the engine, must be answered with the same messages.
//!
//! A session is a sequence of steps of one connection or two: simple queries and messages of the extended protocol, with
//! transactions, savepoints, settings, prepared statements, cursors, errors and cancels. `known.rs` has what may differ.
//!
//! The environment chooses other runs: `FUSEWIRE_SESSIONS_SEED`, `…_SEQUENCES`, `…_SECONDS`, `…_FIRST` (the number of the
//! first sequence), `…_COLLECT` (so many differences are made small and told, where otherwise the first is the end) and
//! `…_REPORT` (a file for them). `FUSEWIRE_BINARY` is another program to test. `tests/seeds.sh` runs many seeds.

mod bench;
mod client;
mod generate;
mod known;
mod message;
mod recorded;
mod statements;

use std::{
    env, fs,
    time::{Duration, Instant},
};

use self::{
    bench::Bench,
    generate::Generator,
    known::{Difference, KNOWN},
};
use crate::random::Random;

struct Options {
    seed: u64,
    sequences: u64,
    time: Duration,
    first: u64,
    collect: usize,
    report: Option<String>,
}

fn option<T: std::str::FromStr>(name: &str, default: T) -> T {
    match env::var(format!("FUSEWIRE_SESSIONS_{name}")) {
        Ok(text) => text.parse().unwrap_or_else(|_| panic!("FUSEWIRE_SESSIONS_{name} cannot be '{text}'")),
        Err(_) => default,
    }
}

impl Options {
    fn read() -> Self {
        Self {
            seed: option("SEED", 15),
            sequences: option("SEQUENCES", 300),
            time: Duration::from_secs(option("SECONDS", 150)),
            first: option("FIRST", 0),
            collect: option("COLLECT", 0),
            report: env::var("FUSEWIRE_SESSIONS_REPORT").ok(),
        }
    }
}

/// What was counted, and the differences in words.
#[derive(Default)]
struct Report {
    sequences: u64,
    equal: usize,
    cut_short: usize,
    differ: usize,
    told: Vec<(Difference, String)>,
}

impl Report {
    fn summary(&self, bench: &Bench, seed: u64) -> String {
        let mut text = format!(
            "seed {seed}: compared {} sequences, equal {}, up to a known difference {}, differ {}, equal steps {}\n",
            self.sequences, self.equal, self.cut_short, self.differ, bench.equal_steps
        );
        for (number, known) in KNOWN.iter().enumerate() {
            // One that no long run meets any more is to be taken off the list.
            let told = if bench.met.contains(&number) { "met" } else { "not met" };
            text.push_str(&format!("  {told}: {known}\n"));
        }
        text
    }
}

#[test]
fn sessions_are_postgresql_s() {
    let options = Options::read();
    println!("seed {}", options.seed);
    let mut bench = Bench::start();
    let report = run(&options, &mut bench);
    let summary = report.summary(&bench, options.seed);
    println!("{summary}");
    let cases: Vec<&str> = report.told.iter().map(|(_, case)| case.as_str()).collect();
    let cases = cases.join("\n");
    assert!(report.differ == 0, "{} sequences are answered otherwise than by PostgreSQL\n{cases}", report.differ);
    assert!(report.sequences > 0 && bench.equal_steps > 0, "nothing was compared\n{summary}");
}

fn run(options: &Options, bench: &mut Bench) -> Report {
    let started = Instant::now();
    let mut report = Report::default();
    for number in options.first..options.first + options.sequences {
        if started.elapsed() > options.time {
            break;
        }
        let steps = Generator::new(Random::of(&[options.seed, number])).sequence();
        report.sequences += 1;
        let Some(found) = bench.run(&steps) else {
            report.equal += 1;
            continue;
        };
        if matches!(found.difference, Difference::Known(_)) {
            report.cut_short += 1;
            continue;
        }
        report.differ += 1;
        let is_told = report.told.iter().any(|(difference, _)| *difference == found.difference);
        if is_told || report.told.len() >= options.collect.max(1) {
            continue;
        }
        let (small, found) = bench.minimise(&steps, found);
        let case = format!("== seed {} sequence {number}: {}", options.seed, found.story(&small));
        println!("{case}");
        report.told.push((found.difference, case));
        if let Some(path) = &options.report {
            let cases: Vec<&str> = report.told.iter().map(|(_, case)| case.as_str()).collect();
            fs::write(path, cases.join("\n")).unwrap();
        }
        if options.collect == 0 {
            break;
        }
    }
    report
}
