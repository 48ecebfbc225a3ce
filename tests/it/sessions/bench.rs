//! Both engines, and what comes of a sequence on both.

use std::{
    collections::{BTreeMap, BTreeSet},
    time::{Duration, Instant},
};

use super::{
    client::{Address, Client, Line},
    known::{Difference, difference},
    message::{Message, Step},
};
use crate::{postgresql::Oracle, support::Served};

/// How often both engines are asked for one case.
const MAX_QUESTIONS: usize = 300;

/// What each sequence finds: nothing of the one before, and two tables.
const BEGINNING: &[&str] = &[
    "DROP TABLE IF EXISTS t1",
    "DROP TABLE IF EXISTS u1",
    "DROP TABLE IF EXISTS s1",
    "DROP TABLE IF EXISTS t2",
    "DROP TABLE IF EXISTS u2",
    "DROP TABLE IF EXISTS s2",
    "CREATE TABLE s1 (a INT)",
    "INSERT INTO s1 VALUES (1), (2), (3)",
    "CREATE TABLE s2 (a INT)",
    "INSERT INTO s2 VALUES (1)",
];

pub(crate) struct Bench {
    oracle: Oracle,
    served: Served,
    /// The known differences that were met.
    pub(crate) met: BTreeSet<usize>,
    /// Steps whose answers were the same, but for known differences.
    pub(crate) equal_steps: usize,
}

/// The first difference of a sequence.
pub(crate) struct Found {
    pub(crate) difference: Difference,
    /// The step that was answered otherwise.
    at: usize,
    ours: Vec<Line>,
    theirs: Vec<Line>,
}

impl Bench {
    pub(crate) fn start() -> Self {
        Self { oracle: Oracle::start(), served: Served::start(&[]), met: BTreeSet::new(), equal_steps: 0 }
    }

    /// Ours, and the oracle's.
    fn addresses(&self) -> [Address; 2] {
        [Address::Port(self.served.port), Address::Socket(self.oracle.socket())]
    }

    /// Asks both engines for one step after the other, up to the first difference.
    pub(crate) fn run(&mut self, steps: &[Step]) -> Option<Found> {
        self.begin();
        let addresses = self.addresses();
        let mut clients: BTreeMap<usize, [Client; 2]> = BTreeMap::new();
        let mut found = None;
        for (at, step) in steps.iter().enumerate() {
            let [own, other] = clients.entry(step.connection).or_insert_with(|| {
                addresses.each_ref().map(|address| Client::connect(address).unwrap_or_else(|error| panic!("{error}")))
            });
            let (ours, theirs) = (own.ask(step), other.ask(step));
            if let Some(difference) = difference(&ours, &theirs, &step.to_string(), &mut self.met) {
                found = Some(Found { difference, at, ours, theirs });
                break;
            }
            self.equal_steps += 1;
        }
        clients.into_values().flatten().for_each(Client::close);
        found
    }

    /// Both engines as every sequence finds them; ours is started again if it has ended.
    fn begin(&mut self) {
        if Client::connect(&self.addresses()[0]).map(Client::close).is_err() {
            self.served = Served::start(&[]);
        }
        for address in self.addresses() {
            let mut client = connected(&address);
            for sql in BEGINNING {
                let lines = client.ask(&Step::query(0, vec![(*sql).to_owned()]));
                let is_wrong = |line: &Line| line.is("ErrorResponse") || line.is("Lost");
                assert!(!lines.iter().any(is_wrong), "{address:?}: {sql}: {lines:?}");
            }
            client.close();
        }
    }

    /// Leaves away what the difference does not need.
    pub(crate) fn minimise(&mut self, steps: &[Step], found: Found) -> (Vec<Step>, Found) {
        let mut small = steps[..=found.at].to_vec();
        let mut found = found;
        let mut left = MAX_QUESTIONS;
        let mut is_smaller = true;
        while is_smaller {
            is_smaller = false;
            for at in (0..small.len()).rev() {
                // What was left away may have moved the others.
                for cut in cuts(&small, at) {
                    if left == 0 {
                        return (small, found);
                    }
                    left -= 1;
                    if let Some(again) = self.run(&cut)
                        && again.difference == found.difference
                    {
                        (small, found) = (cut, again);
                        is_smaller = true;
                        break;
                    }
                }
            }
        }
        (small, found)
    }
}

/// The sequence without a step, without a message of it, or without a statement of a query.
fn cuts(steps: &[Step], at: usize) -> Vec<Vec<Step>> {
    let mut cuts = Vec::new();
    let Some(step) = steps.get(at) else { return cuts };
    cuts.push([&steps[..at], &steps[at + 1..]].concat());
    let mut replace = |messages: Vec<Message>| {
        let mut cut = steps.to_vec();
        cut[at].messages = messages;
        cuts.push(cut);
    };
    for (number, message) in step.messages.iter().enumerate() {
        // Without the last, nothing of the step would be answered.
        if number + 1 < step.messages.len() {
            replace([&step.messages[..number], &step.messages[number + 1..]].concat());
        }
        let Message::Query(statements) = message else { continue };
        for index in (0..statements.len()).filter(|_| statements.len() > 1) {
            let mut messages = step.messages.clone();
            messages[number] = Message::Query([&statements[..index], &statements[index + 1..]].concat());
            replace(messages);
        }
    }
    cuts
}

impl Found {
    /// The steps, and both answers to the last.
    pub(crate) fn story(&self, steps: &[Step]) -> String {
        let mut story = format!("{}\n", self.difference);
        for step in &steps[..=self.at] {
            story.push_str(&format!("    {step}\n"));
        }
        for (name, lines) in [("ours", &self.ours), ("PostgreSQL's", &self.theirs)] {
            story.push_str(&format!("  {name}:\n"));
            for Line { text, words } in lines {
                let words = words.as_ref().map(|words| format!("  ({words})")).unwrap_or_default();
                story.push_str(&format!("    {text}{words}\n"));
            }
        }
        story
    }
}

#[test]
fn everything_may_be_left_away_but_the_last_message() {
    let query = |statements: &[&str]| Message::Query(statements.iter().map(|sql| (*sql).to_owned()).collect());
    let step = Step { connection: 1, messages: vec![query(&["a", "b"]), Message::Sync], is_cancelled: false };
    let left: Vec<Vec<String>> =
        cuts(std::slice::from_ref(&step), 0).iter().map(|steps| steps.iter().map(Step::to_string).collect()).collect();
    let expected: [&[&str]; 4] = [&[], &["1: Sync"], &["1: Query b | Sync"], &["1: Query a | Sync"]];
    assert_eq!(left, expected);
}

/// A connection; a server that has ended on the last sequence may be starting again.
fn connected(address: &Address) -> Client {
    let started = Instant::now();
    loop {
        match Client::connect(address) {
            Ok(client) => return client,
            Err(error) if started.elapsed() > Duration::from_secs(20) => panic!("{error}"),
            Err(_) => std::thread::sleep(Duration::from_millis(200)),
        }
    }
}
